//! RFC 9162 Merkle trees with inclusion proofs.
