//! States that come from others: nodes that are put together, and proofs of single keys.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bytes::Bytes;
use quorate::SeqNum;
use quorate::codec;
use quorate::execution::state::{Assembly, Base, Proof, State, StateLimits};
use quorate::messages::state_transfer::{BranchNode, OwnValue};
use quorate::messages::{Extent, NodePath, Nodes, StateNode};
use quorate_crypto::{Digest, Hasher};

use super::decoders::read;

/// How many nodes a fuzzed state is put together of at most.
const NODES_MAX: usize = 64;

/// Nodes under their own hashes, the last one as the root. Whatever is put together of them is the one state with that
/// root, or none.
pub fn state_nodes(bytes: &[u8]) {
    let Some(answer) = read::<Nodes>(bytes) else { return };
    if answer.exceeded().is_some() || answer.nodes.len() > NODES_MAX {
        return;
    }
    let nodes = linked(answer.nodes);
    let Some((goal, _)) = nodes.last() else { return };
    for bases in [Vec::new(), vec![Base::from(&sample())]] {
        let assembly = assembled(Assembly::new(*goal, StateLimits::default(), bases), &nodes);
        if !assembly.is_complete() {
            // What is there may be of use for another state.
            drop(assembled(Assembly::new(sample().root(), StateLimits::default(), assembly.into_bases()), &nodes));
            continue;
        }
        let state = assembly.into_state().expect("a complete assembly is a state");
        let entries: Vec<_> = state.range(&[]).map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
        let again = State::from_entries(StateLimits::default(), entries).expect("a state holds valid entries");
        assert_eq!((state.root(), state.len(), state.weight()), (*goal, again.len(), again.weight()));
        assert_eq!(again.root(), *goal, "one content has one root");
    }
}

/// Puts together what there is.
fn assembled(mut assembly: Assembly, nodes: &[(Digest, StateNode)]) -> Assembly {
    let nodes: BTreeMap<_, _> = nodes.iter().map(|(hash, node)| (*hash, node)).collect();
    // Each node is asked for twice at most: once alone and once with all below it.
    for _ in 0..4 * NODES_MAX {
        let wanted = assembly.take_wanted(NODES_MAX);
        if wanted.is_empty() {
            break;
        }
        for (path, hash, _) in wanted {
            let Some(node) = nodes.get(&hash) else { continue };
            if let Err(reason) = assembly.supply(&path, node) {
                assert!(!has_hash(node) || !reason.is_senders_fault(), "the node has the right hash: {reason:?}");
            }
        }
    }
    assembly
}

/// Whether any hash is that of this node: not of what are no entries, nor of a branch with more or fewer children than it
/// says that it has.
fn has_hash(node: &StateNode) -> bool {
    match node {
        StateNode::Entries { .. } => false,
        StateNode::Branch(branch) => branch.children.len() == branch.bitmap.count_ones() as usize,
    }
}

/// The nodes with their hashes. A child's hash that is zero but for its last byte stands for that of an earlier node, so
/// that a fuzzer can build trees.
fn linked(nodes: Vec<StateNode>) -> Vec<(Digest, StateNode)> {
    let mut linked: Vec<(Digest, StateNode)> = Vec::new();
    for mut node in nodes {
        if let StateNode::Branch(branch) = &mut node {
            for child in &mut branch.children {
                let (reference, rest) =
                    child.as_bytes().split_last().map_or((0, &[][..]), |(last, rest)| (*last, rest));
                if rest.iter().all(|byte| *byte == 0)
                    && let Some((earlier, _)) = linked.get(usize::from(reference))
                {
                    *child = *earlier;
                }
            }
        }
        linked.push((hash_of(&node), node));
    }
    linked
}

/// The hash of a node: of entries that of their state, of a branch as the table of the state's module says.
fn hash_of(node: &StateNode) -> Digest {
    match node {
        StateNode::Entries { packed } => {
            State::from_entries(StateLimits::default(), entries_of(packed)).map_or(Digest::ZERO, |state| state.root())
        }
        StateNode::Branch(BranchNode { nibbles, prefix, own, bitmap, children }) => {
            let own = match own {
                OwnValue::Absent => Vec::new(),
                OwnValue::Value { value } => {
                    Hasher::new("quorate/state/value/v1").bytes(value).finish().as_bytes().to_vec()
                }
            };
            let children: Vec<u8> = children.iter().flat_map(|child| *child.as_bytes()).collect();
            Hasher::new("quorate/state/branch/v1")
                .u64(u64::from(*nibbles))
                .bytes(prefix)
                .bytes(&own)
                .u64(u64::from(*bitmap))
                .bytes(&children)
                .finish()
        }
    }
}

/// The packed entries, up to the first byte that is none of one.
fn entries_of(packed: &[u8]) -> Vec<(&[u8], &[u8])> {
    let (mut rest, mut entries) = (packed, Vec::new());
    while let Some((&[k0, k1, k2, k3, v0, v1, v2, v3], behind)) = rest.split_first_chunk::<8>() {
        let [key, value] = [[k0, k1, k2, k3], [v0, v1, v2, v3]].map(|length| u32::from_le_bytes(length) as usize);
        let Some((key, behind)) = behind.split_at_checked(key) else { break };
        let Some((value, behind)) = behind.split_at_checked(value) else { break };
        entries.push((key, value));
        rest = behind;
    }
    entries
}

/// A proof about keys of a known state: it proves the truth or nothing.
pub fn state_proof(bytes: &[u8]) {
    let Some(proof) = read::<Proof>(bytes) else { return };
    let state = sample();
    for (key, value) in sample_entries() {
        if let Ok(proven) = proof.verify(&state.root(), &key) {
            assert_eq!(proven, Some(value), "a wrong value is proven");
        }
    }
    for key in [&b""[..], b"k", b"key 3", b"z"] {
        if let Ok(proven) = proof.verify(&state.root(), key) {
            assert_eq!(proven.as_deref(), state.get(key), "a wrong value is proven");
        }
    }
}

fn sample_entries() -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    (0..40_u8).map(|number| (format!("key {number}").into_bytes(), vec![number; 120]))
}

/// A state of a few pages.
fn sample() -> State {
    static SAMPLE: OnceLock<State> = OnceLock::new();
    let build = || {
        let mut state = State::new();
        for (key, value) in sample_entries() {
            state.insert(&key, &value).expect("within the limits");
        }
        state
    };
    SAMPLE.get_or_init(build).clone()
}

/// The sample's nodes, children before their parents.
fn sample_nodes() -> Vec<StateNode> {
    let state = sample();
    let mut nodes = Vec::new();
    let mut open = vec![(NodePath::root(), state.root())];
    while let Some((path, hash)) = open.pop() {
        let node = state.node(&path, &hash, Extent::Node).expect("a node of the state");
        if let StateNode::Branch(branch) = &node {
            let children = branch.nibbles_of_children().zip(&branch.children);
            open.extend(children.map(|(at, hash)| (NodePath::below(&branch.prefix, branch.nibbles, at), *hash)));
        }
        nodes.push(node);
    }
    nodes.reverse();
    nodes
}

/// What a fuzzer begins with: a whole state, one page, and a branch that refers to pages.
pub(super) fn node_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let answer = |nodes| codec::encode(&Nodes { seq: SeqNum(4), number: 1, nodes });
    let page = |key: u8| {
        let packed = [&1_u32.to_le_bytes()[..], &600_u32.to_le_bytes(), &[key], &[7; 600]].concat();
        StateNode::Entries { packed: packed.into() }
    };
    let reference = |place: u8| {
        let mut bytes = [0; 32];
        bytes[31] = place;
        Digest::from_bytes(bytes)
    };
    let children = vec![reference(0), reference(1)];
    let branch = BranchNode { nibbles: 0, prefix: Bytes::new(), own: OwnValue::Absent, bitmap: 0b1100_0000, children };
    vec![
        ("state", answer(sample_nodes())),
        ("page", answer(vec![page(b'a')])),
        ("branch", answer(vec![page(b'a'), page(b'p'), StateNode::Branch(branch)])),
    ]
}

/// Proofs of a key that is there and of one that is not.
pub(super) fn proof_seeds() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("present", codec::encode(&sample().prove(b"key 3"))),
        ("absent", codec::encode(&sample().prove(b"key 99"))),
        ("empty", codec::encode(&State::new().prove(b"key"))),
    ]
}
