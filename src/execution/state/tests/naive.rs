//! The rule of the shape and its hashes once more, as plainly as possible and sharing no code with the trie.

use quorate_crypto::{Digest, Hasher};

use super::samples::Model;

/// An entry with its key spelled as nibbles.
struct Spelled<'a> {
    nibbles: Vec<u8>,
    key: &'a [u8],
    value: &'a [u8],
}

/// The root of the state with these entries.
pub(super) fn root_of(model: &Model) -> Digest {
    if model.is_empty() {
        return Hasher::new("quorate/state/empty/v1").finish();
    }
    let spell = |key: &[u8]| key.iter().flat_map(|byte| [byte / 16, byte % 16]).collect();
    let entries: Vec<_> = model.iter().map(|(key, value)| Spelled { nibbles: spell(key), key, value }).collect();
    node_hash(&entries.iter().collect::<Vec<_>>())
}

/// The weight of the state with these entries.
pub(super) fn weight_of(model: &Model) -> u64 {
    model.iter().map(|(key, value)| 8 + key.len() as u64 + value.len() as u64).sum()
}

fn node_hash(entries: &[&Spelled<'_>]) -> Digest {
    let weight: usize = entries.iter().map(|entry| 8 + entry.key.len() + entry.value.len()).sum();
    if entries.len() == 1 || weight <= 1024 { page_hash(entries) } else { branch_hash(entries) }
}

fn page_hash(entries: &[&Spelled<'_>]) -> Digest {
    let mut packed = Vec::new();
    for entry in entries {
        packed.extend((entry.key.len() as u32).to_le_bytes());
        packed.extend((entry.value.len() as u32).to_le_bytes());
        packed.extend(entry.key);
        packed.extend(entry.value);
    }
    Hasher::new("quorate/state/page/v1").u64(entries.len() as u64).bytes(&packed).finish()
}

fn branch_hash(entries: &[&Spelled<'_>]) -> Digest {
    let mut prefix = entries[0].nibbles.clone();
    while !entries.iter().all(|entry| entry.nibbles.starts_with(&prefix)) {
        prefix.pop();
    }
    let mut own = Vec::new();
    let mut bitmap = 0;
    let mut children = Vec::new();
    for entry in entries.iter().filter(|entry| entry.nibbles == prefix) {
        own.extend(Hasher::new("quorate/state/value/v1").bytes(entry.value).finish().as_bytes());
    }
    for nibble in 0..16 {
        let is_below = |entry: &&Spelled<'_>| entry.nibbles.get(prefix.len()) == Some(&nibble);
        let below: Vec<_> = entries.iter().copied().filter(is_below).collect();
        if !below.is_empty() {
            bitmap |= 1 << nibble;
            children.extend(node_hash(&below).as_bytes());
        }
    }
    let packed: Vec<_> = prefix.chunks(2).map(|pair| pair[0] * 16 + pair.get(1).unwrap_or(&0)).collect();
    Hasher::new("quorate/state/branch/v1")
        .u64(prefix.len() as u64)
        .bytes(&packed)
        .bytes(&own)
        .u64(bitmap)
        .bytes(&children)
        .finish()
}
