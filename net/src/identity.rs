//! Quorate's keys as libp2p identities: one Ed25519 key names its owner to both.

use libp2p::PeerId;
use libp2p::identity::{self, ed25519};
use quorate_crypto::{KeyPair, PublicKey};

use crate::error::NetError;

/// The multihash code "identity": the digest is the encoded key itself, which small keys such as Ed25519's are.
const IDENTITY_MULTIHASH: u64 = 0;

/// The libp2p identity of a key pair.
pub(crate) fn keypair(key_pair: &KeyPair) -> Result<identity::Keypair, NetError> {
    let mut seed = *key_pair.seed();
    // Wipes `seed`.
    identity::Keypair::ed25519_from_bytes(&mut seed).map_err(|_| NetError::InvalidKey(key_pair.public()))
}

/// The `PeerId` of a public key.
///
/// # Errors
/// [`NetError::InvalidKey`] when the bytes are no point of the curve.
pub fn peer_id(key: &PublicKey) -> Result<PeerId, NetError> {
    let key = ed25519::PublicKey::try_from_bytes(key.as_bytes()).map_err(|_| NetError::InvalidKey(*key))?;
    Ok(identity::PublicKey::from(key).to_peer_id())
}

/// The public key that a `PeerId` was made of; `None` when it was no Ed25519 key.
#[must_use]
pub fn public_key(peer: &PeerId) -> Option<PublicKey> {
    let multihash = peer.as_ref();
    if multihash.code() != IDENTITY_MULTIHASH {
        return None;
    }
    let key = identity::PublicKey::try_decode_protobuf(multihash.digest()).ok()?;
    Some(PublicKey::from_bytes(key.try_into_ed25519().ok()?.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_and_its_peer_id_name_each_other() {
        for seed in 0..16 {
            let key_pair = KeyPair::from_seed(&[seed; 32]);
            let peer = peer_id(&key_pair.public()).unwrap();
            assert_eq!(keypair(&key_pair).unwrap().public().to_peer_id(), peer);
            assert_eq!(public_key(&peer), Some(key_pair.public()));
        }
    }

    #[test]
    fn bytes_that_are_no_point_have_no_peer_id_and_a_random_peer_id_has_no_key() {
        let no_point = (0..=u8::MAX).map(|b| PublicKey::from_bytes([b; 32])).find(|key| peer_id(key).is_err());
        assert!(no_point.is_some());
        assert_eq!(public_key(&PeerId::random()), None);
    }
}
