//! Golden bytes: the length and hash of everything that leaves a process, is journalled, hashed or signed. A change here
//! is a change of format: it needs a new version, and old journals and networks need a way over.
//!
//! Keeps out: 11 (a signature that silently covers something else after a change).

use quorate::batch::{Batch, null_digest};
use quorate::codec;
use quorate::messages::client::RootParts;
use quorate::messages::request::operation_digest;
use quorate::messages::{Attestation, Checkpoint, Commit, NewView, Payload, PrePrepare, Prepare, ViewChange};
use quorate::outcome::{Outcome, result_leaf};
use quorate::{ReplicaId, SeqNum, View, WallTime};
use quorate_crypto::{Digest, Hasher};

use crate::support::{K, World, at, client_messages, digest, messages, records, replica_messages, sparse_messages};

/// Length and the first half of the hash.
fn print(bytes: &[u8]) -> String {
    let hash = Hasher::new("golden").bytes(bytes).finish().to_string();
    format!("{} {}", bytes.len(), &hash[..32])
}

fn check(found: impl IntoIterator<Item = Vec<u8>>, golden: &[&str]) {
    let found: Vec<_> = found.into_iter().map(|bytes| print(&bytes)).collect();
    assert_eq!(found, golden, "the format has changed");
}

#[test]
fn messages_between_replicas_keep_their_bytes() {
    let world = World::new(4);
    let all = [messages(&world), sparse_messages(&world)].concat();
    check(all.iter().map(|message| message.encode().to_vec()), MESSAGES);
}

#[test]
fn every_kind_of_message_is_among_the_samples() {
    let mut kinds: Vec<_> = messages(&World::new(4)).iter().map(|message| message.encode()[1]).collect();
    kinds.dedup();
    assert_eq!(kinds, (0..24).collect::<Vec<_>>());
    let mut kinds: Vec<_> = replica_messages(&World::new(4)).iter().map(|message| message.encode()[1]).collect();
    kinds.dedup();
    assert_eq!(kinds, (0..6).collect::<Vec<_>>());
}

#[test]
fn messages_of_and_to_clients_keep_their_bytes() {
    let world = World::new(4);
    check(client_messages(&world).iter().map(|message| message.encode().to_vec()), CLIENT_MESSAGES);
    check(replica_messages(&world).iter().map(|message| message.encode().to_vec()), REPLICA_MESSAGES);
}

#[test]
fn journal_records_keep_their_bytes() {
    check(records(&World::new(4)).iter().map(codec::encode), RECORDS);
}

#[test]
fn signed_bytes_keep_their_form() {
    let world = World::new(4);
    let (view, seq, digest) = (View(1), SeqNum(2), digest("a"));
    fn bytes<P: Payload>(world: &World, payload: &P) -> Vec<u8> {
        world.context.replica_bytes(ReplicaId(2), payload)
    }
    let view_change = ViewChange { target: View(3), stable: None, prepared: vec![world.prepared(at(0, 1), digest)] };
    let new_view = NewView {
        target: View(1),
        view_changes: vec![(ReplicaId(0), digest)],
        pre_prepares: vec![world.header(at(1, 1), digest)],
    };
    let found = [
        bytes(&world, &PrePrepare { view, seq, digest }),
        bytes(&world, &Prepare { view, seq, digest }),
        bytes(&world, &Commit { view, seq, digest }),
        bytes(&world, &Checkpoint { seq, root: digest }),
        bytes(&world, &view_change),
        bytes(&world, &new_view),
        bytes(&world, &Attestation { seq, chain: digest, results_root: digest }),
        world.request(0, 1).signed_bytes(&world.context),
    ];
    check(found, SIGNED);
}

#[test]
fn the_signed_bytes_of_a_commit_are_these() {
    let world = World::new(4);
    let (chain_id, digest) = (world.genesis.chain_id(), digest("a"));
    let commit = Commit { view: View(1), seq: SeqNum(2), digest };
    let expected = [
        &17u64.to_le_bytes()[..],
        b"quorate/commit/v1",
        &[1],
        chain_id.as_bytes(),
        &0u64.to_le_bytes(),
        &3u16.to_le_bytes(),
        &1u64.to_le_bytes(),
        &2u64.to_le_bytes(),
        digest.as_bytes(),
    ];
    assert_eq!(world.context.replica_bytes(ReplicaId(3), &commit), expected.concat());
}

#[test]
fn digests_keep_their_formulas() {
    let world = World::new(4);
    let batch = world.batch(&[1, 2]);
    let parts =
        RootParts { application: digest("a"), client_table: digest("b"), chain: digest("c"), time: WallTime(4) };
    let leaf = result_leaf(2, &world.request_id(0, 1), &digest("o"), &Outcome::Panicked);
    let found = [
        world.genesis.chain_id(),
        batch.digest(SeqNum(1)),
        Batch::new(WallTime(0), Vec::new()).digest(SeqNum(1)),
        null_digest(SeqNum(1)),
        world.view_change(1, 3, Vec::new()).digest(),
        operation_digest(b"operation"),
        parts.root(SeqNum(K)),
        leaf,
    ];
    check(found.iter().map(|digest: &Digest| digest.as_bytes().to_vec()), DIGESTS);
}

/// In the order of `samples::messages`, then of `samples::sparse_messages`.
const MESSAGES: &[&str] = &[
    "128 1a42e876aae048d7f2f5b80b7dbbf87e",
    "390 baa37e298f23f502820dca97d9dce932",
    "119 852aa195f36254396236ab88c763753c",
    "119 bd6e7d5396be173616d3590c275873ca",
    "111 becf5566d45c519d0f408b7c720d7135",
    "588 2a412c73b8f8d78580796ac5cb0c03e5",
    "311 934489b9c5d3a093704429ae5e18c372",
    "99 3ff08debb54c8560dae11685a93dd10e",
    "45 52951d340976830a35d3a8c3c810e786",
    "283 13812f64683687e7fe84d88178e4ab98",
    "21 5f8eea9d1918cee3a47e547c91c58e03",
    "694 593e954933815ed669435bc50aa2437c",
    "39 3d57b78e52089e0a8531925a5f466fab",
    "7 fafc07f26ab536924d4645b837412670",
    "5 bfe1c17a9039920f26221e7174353065",
    "251 5a8e908182d4fac5d73b3fa92a9ad1dd",
    "21 9a91a32733047dcfcfb2cf1bc0d323c8",
    "85 b4ead60a3c457fe55f89bca6e2f7303f",
    "284 b526cda3056b423b1bb453cf9a892a5e",
    "13 ff2ecaae03081756baf9faec2ff5ca60",
    "13 2617e17d1ab20eabf914aa70ea9d9174",
    "22 9d771ff53084f48dc68e6e9bdbebe766",
    "81 436ddd66b0687a95ea463418b9f74acc",
    "122 e9642a8e132ba2b0fcc4a24ab0c93073",
    "120 f1e53000a548858e4ac9fc9e3ecd10fb",
    "13 a34bf8147e2dc0faca54e0aafedb854a",
    "88 d4dbb80cf08e40bbf41d34ad423c7378",
    "21 970284bebe5a85027b7dc1245cbce650",
    "75 f42bba9417ac1f81929b4826a02673fc",
];
/// In the order of `samples::client_messages`.
const CLIENT_MESSAGES: &[&str] = &[
    "128 1a42e876aae048d7f2f5b80b7dbbf87e",
    "17 e178f9eeb0a3fd5bb1e644a9cf71d902",
    "24 28e546030d854defb41b8957cd6dc3d8",
];
/// In the order of `samples::replica_messages`.
const REPLICA_MESSAGES: &[&str] = &[
    "716 376f3833642ca4baed56ca164463b500",
    "21 ffe2c0f2a36d73279ca73c4a5ebcd75f",
    "65 7cd97639f4b780a10d2d9ab311df690f",
    "57 5414f1a4e14d6b5c388953ea3c266b28",
    "57 a6b3b5d0eb8cbc9b557ecd33ff5900bc",
    "57 eb0e102f84b177f2152ae8fa4ec978cc",
    "68 2a817ff6942b10d21be7843c3982bec4",
    "231 d3269a057f77597169ddc54045d2abb8",
    "33 0dbddb0c824898afe27300dd6ce3a79f",
    "14 a07a2f7813f21fbdcae4cd53a29d71fb",
    "377 0740c492b3adc160e06467f9855b6d46",
];
/// In the order of `samples::records`.
const RECORDS: &[&str] = &[
    "160 4806f8647b88ad38800a64c314e21011",
    "119 07552d36ff514cac65f78853f6285472",
    "259 91529b007313aef5741a5ed4b53636ef",
    "342 05aed835cb411943cd59614bf1461825",
    "454 a8f3e2e9fa339103ef58522a4b0aff84",
    "259 33d93f60e68c029d7f79cf504e2e517b",
    "45 a8a78fafb9a4345c684a08fc310a9aec",
    "251 c04bb3aeb82eeeaede929c84afc792f3",
    "22 de8a3393c2e5c1839358bf911c75eb3f",
    "5 b48cd6ceffc7a319165e1cb219341018",
];
/// In the order of the test.
const SIGNED: &[&str] = &[
    "121 7bebae10049fad91afa73eb7ecd6748e",
    "117 2dd40b649035bc48ee4533799d6032c1",
    "116 051f1a1137655a792710e7e878d8d316",
    "112 ec527571ee5dc61d731e0969fdc647e9",
    "344 8fa008a34cd0dd5d0fd685b13c2ef21c",
    "242 57189e06059da9e35ed338b746f44b21",
    "145 0729f7488aef109fb855faa6b124d318",
    "118 1c456b0b627ca433ef1f289496c54eb2",
];
/// In the order of the test.
const DIGESTS: &[&str] = &[
    "32 3561e556c78e579f9773121df0b53f3a",
    "32 5457b1c0d1ce6a0542763a799efbf48b",
    "32 29994a4fdeb098e018fe30f152d609b9",
    "32 6f2adb8a013a4f9e2893cbed9fd4c87f",
    "32 179bbc92d548b45046b99b745e2545cc",
    "32 db17f058f0afb6026d9765f30cedf975",
    "32 e51a3ab053cfe5c7155c94032e01f831",
    "32 5b016110f7366c2b9603020f697b799f",
];
