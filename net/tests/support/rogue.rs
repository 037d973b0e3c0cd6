//! Peers that break the rules, made of libp2p directly.
