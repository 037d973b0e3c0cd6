//! Stateless validity of the normal case's messages and of catching up: the good one is accepted, and each single
//! deviation from it is refused with its own reason, before the core sees it.
//!
//! Keeps out: 4, 5, 6 and 9 for certificates, 40 (indices and lengths that disagree), 44 (a proposal larger than the
//! accepted maximum).

use quorate::batch::{Batch, null_digest};
use quorate::genesis::Limits;
use quorate::messages::{
    ChainDigests, CheckpointCertificate, CommittedSlot, Invalid, Message, PrePrepare, Prepare, Proposal, Request,
    SlotProgress, Standing, Status, VoteSignature,
};
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::{Digest, Signature};

use crate::support::{K, L, START, World, at, digest};

fn judge(world: &World, message: Message) -> Result<(), Invalid> {
    world.verifier().message(message).map(|_| ())
}

fn propose(world: &World, batch: Batch) -> Message {
    world.proposal(at(0, 1), &batch)
}

#[test]
fn a_proposal_is_valid_only_if_its_primary_signed_the_digest_of_its_body() {
    let world = World::new(4);
    let batch = world.batch(&[1, 2]);
    let digest = batch.digest(SeqNum(1));
    assert_eq!(judge(&world, world.proposal(at(0, 1), &batch)), Ok(()));
    assert_eq!(judge(&world, world.proposal(at(6, 1), &batch)), Ok(()), "any view, each with its primary");
    let by = |signer, payload| {
        Message::PrePrepare(Proposal { header: world.sign(signer, payload), batch: Some(batch.clone()) })
    };
    let payload = PrePrepare { view: View(0), seq: SeqNum(1), digest };
    assert_eq!(judge(&world, by(1, payload)), Err(Invalid::NotPrimary));
    assert_eq!(judge(&world, by(0, PrePrepare { view: View(1), ..payload })), Err(Invalid::NotPrimary));
    assert_eq!(
        judge(&world, by(0, PrePrepare { seq: SeqNum(2), ..payload })),
        Err(Invalid::Digest),
        "digests bind slots"
    );
    assert_eq!(judge(&world, by(0, PrePrepare { seq: SeqNum(0), ..payload })), Err(Invalid::Slots));
    let other = PrePrepare { digest: crate::support::digest("other"), ..payload };
    assert_eq!(judge(&world, by(0, other)), Err(Invalid::Digest));
    let null = PrePrepare { digest: null_digest(SeqNum(1)), ..payload };
    assert_eq!(judge(&world, by(0, null)), Err(Invalid::Digest), "a null batch has no body");
    let later = Batch::new(START.wall.plus(std::time::Duration::from_nanos(1)), batch.requests().to_vec());
    assert_ne!(later.digest(SeqNum(1)), digest, "the digest binds the time");
}

#[test]
fn a_batch_with_a_request_twice_or_an_unauthentic_one_is_not_valid() {
    let world = World::new(4);
    let request = world.request(0, 1);
    assert_eq!(judge(&world, propose(&world, Batch::new(START.wall, Vec::new()))), Ok(()), "empty batches are valid");
    let twice = Batch::new(START.wall, vec![request.clone(), world.request(1, 1), request.clone()]);
    assert_eq!(judge(&world, propose(&world, twice)), Err(Invalid::DuplicateRequest));
    let renamed = world.request_for(request.id, "another operation".to_owned());
    let same_name = Batch::new(START.wall, vec![request.clone(), renamed]);
    assert_eq!(judge(&world, propose(&world, same_name)), Err(Invalid::DuplicateRequest));
    let forged = Request { signature: Signature::from_bytes([7; 64]), ..request.clone() };
    let unauthentic = Batch::new(START.wall, vec![world.request(0, 2), forged]);
    assert_eq!(judge(&world, propose(&world, unauthentic)), Err(Invalid::Signature));
    let large = world.request_for(request.id, "x".repeat(33));
    let oversized = Batch::new(START.wall, vec![large]);
    assert_eq!(judge(&world, propose(&world, oversized)), Err(Invalid::Limit("operation_bytes_max")));
}

#[test]
fn a_batch_beyond_its_limits_is_not_valid_and_the_limits_are_exact() {
    let world = World::new(4);
    assert_eq!(judge(&world, propose(&world, world.batch(&[1, 2, 3, 4]))), Ok(()));
    let many = world.batch(&[1, 2, 3, 4, 5]);
    assert_eq!(judge(&world, propose(&world, many.clone())), Err(Invalid::Limit("batch_requests_max")));
    let unasked = Message::Batch { seq: SeqNum(1), batch: many };
    assert_eq!(judge(&world, unasked), Err(Invalid::Limit("batch_requests_max")));
    let weight = world.request(0, 1).encoded_bytes();
    let narrow = |bytes| World::with(4, |limits: &mut Limits, _| limits.batch_bytes_max = bytes);
    let exact = narrow(2 * weight);
    assert_eq!(judge(&exact, propose(&exact, exact.batch(&[1, 2]))), Ok(()));
    let less = narrow(2 * weight - 1);
    assert_eq!(judge(&less, propose(&less, less.batch(&[1, 2]))), Err(Invalid::Limit("batch_bytes_max")));
}

#[test]
fn a_prepare_of_the_primary_is_not_valid() {
    let world = World::new(4);
    for view in 0..5 {
        let primary = world.primary(View(view));
        for signer in 0..4 {
            let verdict = judge(&world, world.prepare(signer, at(view, 1), digest("a")));
            let expected = if signer == primary { Err(Invalid::PrimaryPrepare) } else { Ok(()) };
            assert_eq!(verdict, expected);
        }
    }
    assert_eq!(judge(&world, world.prepare(1, at(0, 0), digest("a"))), Err(Invalid::Slots));
}

#[test]
fn a_commit_or_checkpoint_at_an_impossible_slot_is_not_valid() {
    let world = World::new(4);
    assert_eq!(judge(&world, world.commit(0, at(0, 1), digest("a"))), Ok(()), "everybody commits");
    assert_eq!(judge(&world, world.commit(0, at(0, 0), digest("a"))), Err(Invalid::Slots));
    assert_eq!(judge(&world, world.checkpoint(0, K, digest("a"))), Ok(()));
    assert_eq!(judge(&world, world.checkpoint(0, 0, digest("a"))), Err(Invalid::Slots));
    for seq in [1, K - 1, K + 1, u64::MAX] {
        assert_eq!(judge(&world, world.checkpoint(0, seq, digest("a"))), Err(Invalid::NotACheckpoint));
    }
}

/// Each way in which Q valid votes can be spoiled, with the reason for which they must be refused.
pub(crate) fn spoiled(world: &World, votes: &[VoteSignature], other: Signature) -> Vec<(Vec<VoteSignature>, Invalid)> {
    let change = |act: &dyn Fn(&mut Vec<VoteSignature>)| {
        let mut votes = votes.to_vec();
        act(&mut votes);
        votes
    };
    let stranger = ReplicaId(world.n());
    let last = votes.len() - 1;
    vec![
        (change(&|votes| votes.truncate(last)), Invalid::NotAQuorum),
        (change(&|votes| votes.clear()), Invalid::NotAQuorum),
        (change(&|votes| votes[last] = votes[last - 1].clone()), Invalid::NotAQuorum),
        (change(&|votes| votes.push(votes[last].clone())), Invalid::NotAQuorum),
        (change(&|votes| votes.reverse()), Invalid::NotAQuorum),
        (change(&|votes| votes[last].signer = stranger), Invalid::NotAMember(stranger)),
        (change(&|votes| votes[last].signature = votes[0].signature), Invalid::Signature),
        (change(&|votes| votes[0].signature = Signature::from_bytes([0; 64])), Invalid::Signature),
        (change(&|votes| votes[last].signature = other), Invalid::Signature),
    ]
}

#[test]
fn a_checkpoint_certificate_with_anything_but_a_quorum_of_distinct_equal_votes_is_not_valid() {
    for n in [4, 5, 6, 7] {
        let world = World::new(n);
        let good = world.certified(K, digest("root"));
        assert_eq!(judge(&world, Message::CheckpointCertificate(good.clone())), Ok(()), "n = {n}");
        let last = good.signatures.last().expect("a quorum").signer.0;
        let other = world.certified(2 * K, digest("root")).signatures.last().expect("a quorum").signature;
        for (signatures, reason) in spoiled(&world, &good.signatures, other) {
            let bad = CheckpointCertificate { signatures, ..good.clone() };
            assert_eq!(judge(&world, Message::CheckpointCertificate(bad)), Err(reason), "n = {n}");
        }
        let mut more = good.clone();
        more.signatures.extend(world.votes(&good.checkpoint, [last + 1]));
        assert_eq!(judge(&world, Message::CheckpointCertificate(more)), Err(Invalid::NotAQuorum), "one too many");
    }
    let world = World::new(4);
    let odd = Message::CheckpointCertificate(world.certified(K + 1, digest("root")));
    assert_eq!(judge(&world, odd), Err(Invalid::NotACheckpoint));
}

#[test]
fn committed_slots_with_a_spoiled_certificate_or_another_body_are_not_valid() {
    for n in [4, 6] {
        let world = World::new(n);
        let good = world.committed_slot(1, &[1]);
        assert_eq!(judge(&world, Message::Committed(vec![good.clone()])), Ok(()));
        let prepare = Prepare { view: View(0), seq: SeqNum(1), digest: good.certificate.digest() };
        let last = good.certificate.commits.last().expect("a quorum").signer.0;
        let other = world.votes(&prepare, [last])[0].signature;
        for (commits, reason) in spoiled(&world, &good.certificate.commits, other) {
            let mut bad = good.clone();
            bad.certificate.commits = commits;
            assert_eq!(judge(&world, Message::Committed(vec![bad])), Err(reason), "n = {n}");
        }
        for batch in [None, Some(world.batch(&[2])), Some(world.batch(&[]))] {
            let bad = CommittedSlot { batch, ..good.clone() };
            assert_eq!(judge(&world, Message::Committed(vec![bad])), Err(Invalid::Digest));
        }
        let null = world.committed(at(1, 1), null_digest(SeqNum(1)));
        let null = CommittedSlot { certificate: null, batch: None };
        assert_eq!(judge(&world, Message::Committed(vec![null.clone()])), Ok(()));
        let filled = CommittedSlot { batch: Some(world.batch(&[])), ..null };
        assert_eq!(judge(&world, Message::Committed(vec![filled])), Err(Invalid::Digest));
    }
}

#[test]
fn committed_slots_out_of_order_or_with_gaps_are_not_valid() {
    let world = World::new(4);
    let slots = |seqs: &[u64]| Message::Committed(seqs.iter().map(|seq| world.committed_slot(*seq, &[*seq])).collect());
    assert_eq!(judge(&world, slots(&[])), Ok(()));
    assert_eq!(judge(&world, slots(&[3, 4, 5])), Ok(()));
    for wrong in [&[4, 3][..], &[3, 5], &[3, 3], &[3, 4, 3], &[0, 1]] {
        assert_eq!(judge(&world, slots(wrong)), Err(Invalid::Slots), "{wrong:?}");
    }
    let many = vec![world.committed_slot(1, &[1]); quorate::messages::verify::COMMITTED_SLOTS_MAX + 1];
    assert_eq!(judge(&world, Message::Committed(many)), Err(Invalid::Limit("slots of an answer")));
}

#[test]
fn a_status_with_more_slots_than_the_window_is_not_valid() {
    let world = World::new(4);
    let status = |slots: u64| {
        Message::Status(Status {
            view: View(u64::MAX),
            target: Some(View(0)),
            suspects: true,
            standing: Standing::Voting,
            stable: SeqNum(u64::MAX),
            executed: SeqNum(0),
            chain: Digest::ZERO,
            slots: vec![SlotProgress::default(); usize::try_from(slots).expect("small")],
        })
    };
    assert_eq!(judge(&world, status(L)), Ok(()));
    assert_eq!(judge(&world, status(L + 1)), Err(Invalid::Limit("slots of a status")));
}

#[test]
fn an_answer_with_more_chain_hashes_than_the_window_is_not_valid() {
    let world = World::new(4);
    let chain = |count: u64| {
        let digests = vec![Digest::ZERO; usize::try_from(count).expect("small")];
        Message::Chain(ChainDigests { from: SeqNum(1), digests })
    };
    assert_eq!(judge(&world, chain(L)), Ok(()));
    assert_eq!(judge(&world, chain(L + 1)), Err(Invalid::Limit("chain hashes of an answer")));
}

#[test]
fn questions_about_somebody_who_is_no_member_are_not_valid() {
    let world = World::new(4);
    for (signer, expected) in [(3, Ok(())), (4, Err(Invalid::NotAMember(ReplicaId(4))))] {
        let signer = ReplicaId(signer);
        assert_eq!(judge(&world, Message::FetchVotes { signer }), expected);
        assert_eq!(judge(&world, Message::FetchViewChange { signer, digest: Digest::ZERO }), expected);
    }
}
