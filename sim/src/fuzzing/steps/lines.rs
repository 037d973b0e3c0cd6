//! What the others say: anything with a valid signature, most of it about where the replica stands.

use quorate::batch::{Batch, null_digest};
use quorate::core::new_view::plan;
use quorate::messages::{
    Bounds, ChainDigests, Checkpoint, Commit, CommittedSlot, HeldVotes, Message, PrePrepare, Prepare, Proposal,
    SlotProgress, Standing, Status, ViewChange,
};
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

use super::stage::Stage;
use crate::choices::Choices;
use crate::fuzzing::cast::{Cast, K, digest};

/// Something that `from` says; `None` when the replica alone could sign it.
pub(super) fn draw_line(stage: &mut Stage, from: ReplicaId, choices: &mut Choices) -> Option<Message> {
    let cast = Cast::get();
    let signer = if choices.chance(200) { choices.pick(&stage.others()) } else { from };
    let place = Place::draw(stage, choices);
    let Place { view, seq, .. } = place;
    Some(match choices.below(20) {
        0..4 => return pre_prepare(stage, &place),
        4..6 => Message::Prepare(cast.sign(signer, Prepare { view, seq, digest: place.digest })),
        6..8 => Message::Commit(cast.sign(signer, Commit { view, seq, digest: place.digest })),
        8 => Message::Checkpoint(cast.sign(signer, checkpoint(stage, &place, choices))),
        9..11 => view_change(stage, signer, choices),
        11..13 => return new_view(stage, choices),
        13 => Message::Status(status(&place, choices)),
        14 => Message::Batch { seq, batch: place.batch? },
        15 => Message::Committed(committed(&place, choices)),
        16 => Message::Votes(held_votes(signer, &place)),
        17 => {
            let Checkpoint { seq, root } = checkpoint(stage, &place, choices);
            Message::CheckpointCertificate(cast.certified(seq, root))
        }
        18 => question(signer, &place, choices),
        _ => answer(&place, choices),
    })
}

/// What all others say about one batch, as far as they speak: it is assigned, prepared, committed.
pub(super) fn draw_chorus(stage: &Stage, choices: &mut Choices) -> Vec<(ReplicaId, Message)> {
    let cast = Cast::get();
    let place = Place::draw(stage, choices);
    let (view, seq, digest, primary) =
        (place.view, place.seq, place.digest, cast.genesis.committee.primary(place.view));
    let phases = choices.pick(&[[true; 3], [true, true, false], [false, true, true], [true, false, true]]);
    let [assigned, prepared, committed] = phases;
    let mut lines = Vec::new();
    if assigned {
        lines.extend(pre_prepare(stage, &place).map(|line| (primary, line)));
    }
    for member in stage.others() {
        if prepared && member != primary {
            lines.push((member, Message::Prepare(cast.sign(member, Prepare { view, seq, digest }))));
        }
        if committed {
            lines.push((member, Message::Commit(cast.sign(member, Commit { view, seq, digest }))));
        }
    }
    lines
}

/// A view, a slot and a batch to speak about.
struct Place {
    view: View,
    seq: SeqNum,
    digest: Digest,
    /// `None` for the null batch, and for a digest of nothing.
    batch: Option<Batch>,
}

impl Place {
    fn draw(stage: &Stage, choices: &mut Choices) -> Place {
        let view = View((stage.replica.view().0 + choices.pick(&[0, 0, 0, 1, 2, 7])).saturating_sub(choices.below(2)));
        let (low, ordered) = (stage.replica.watermarks().0, stage.replica.execution().0);
        if choices.chance(400) {
            return Place::at(view, ordered.next(), choices);
        }
        // The window has 2K slots; one below it and one above it are no part of it.
        let seq = SeqNum((low.0 + choices.between(1, 2 * K + 2)).saturating_sub(u64::from(choices.chance(50)) * K));
        let seq = if choices.chance(10) { SeqNum(u64::MAX) } else { seq };
        Place::at(view, seq, choices)
    }

    fn at(view: View, seq: SeqNum, choices: &mut Choices) -> Place {
        let batch = match choices.below(5) {
            0..2 => Cast::get().batch(&[seq.0 % 8 + 1]),
            2 => Cast::get().batch(&[]),
            3 => return Place { view, seq, digest: null_digest(seq), batch: None },
            _ => return Place { view, seq, digest: digest("nothing"), batch: None },
        };
        Place { view, seq, digest: batch.digest(seq), batch: Some(batch) }
    }
}

fn pre_prepare(stage: &Stage, place: &Place) -> Option<Message> {
    let Place { view, seq, digest, batch } = place;
    let is_own = Cast::get().genesis.committee.primary(*view) == stage.replica.id();
    let proposal = || Proposal { header: Cast::get().header(*view, *seq, *digest), batch: batch.clone() };
    (!is_own).then(|| Message::PrePrepare(proposal()))
}

/// The last one that the replica has taken itself, or another one.
fn checkpoint(stage: &Stage, place: &Place, choices: &mut Choices) -> Checkpoint {
    if choices.chance(600)
        && let Some(taken) = stage.taken()
    {
        return taken;
    }
    let seq = SeqNum((place.seq.0 / K).max(1).saturating_mul(K));
    Checkpoint { seq, root: digest(choices.pick(&["root", "other root"])) }
}

fn view_change(stage: &mut Stage, signer: ReplicaId, choices: &mut Choices) -> Message {
    let cast = Cast::get();
    let target = View(stage.replica.view().0 + choices.pick(&[1, 1, 1, 2, 3, 9]));
    let mut prepared = Vec::new();
    let low = stage.replica.watermarks().0;
    for seq in low.next().up_to(low.plus(choices.below(4))) {
        let Place { view, seq, digest, .. } = Place::at(View(choices.below(target.0)), seq, choices);
        prepared.push(cast.prepared(view, seq, digest));
    }
    let stable = choices.chance(300).then(|| {
        let Checkpoint { seq, root } = checkpoint(stage, &Place::at(target, low, choices), choices);
        cast.certified(seq, root)
    });
    let signed = cast.sign(signer, ViewChange { target, stable, prepared });
    stage.view_changes.push(signed.clone());
    Message::ViewChange(signed)
}

/// A NewView of ViewChanges that were said, most of them with what follows from these.
fn new_view(stage: &Stage, choices: &mut Choices) -> Option<Message> {
    let cast = Cast::get();
    let target = stage.view_changes.iter().rev().nth(usize::try_from(choices.below(3)).ok()?)?.payload.target;
    let mut chosen = Vec::new();
    for member in cast.members() {
        let is_its = |signed: &&quorate::messages::Signed<ViewChange>| {
            signed.signer == member && signed.payload.target == target
        };
        if chosen.len() < cast.genesis.committee.quorum() {
            chosen.extend(stage.view_changes.iter().rev().find(is_its).cloned());
        }
    }
    if cast.genesis.committee.primary(target) == stage.replica.id() {
        return None;
    }
    let payloads: Vec<_> = chosen.iter().map(|signed| signed.payload.clone()).collect();
    let mut assignments = plan(&payloads).map(|plan| plan.assignments).unwrap_or_default();
    if choices.chance(200)
        && let Some((seq, named)) = assignments.first_mut()
    {
        *named = null_digest(*seq);
    }
    Some(Message::NewView(cast.new_view(target, &chosen, assignments)))
}

fn status(place: &Place, choices: &mut Choices) -> Status {
    let standing = choices.pick(&[
        Standing::Voting,
        Standing::Checking,
        Standing::Recovering { bounds: None },
        Standing::Recovering { bounds: Some(Bounds { view: View(u64::MAX), seq: SeqNum(u64::MAX) }) },
        Standing::LowDisk,
        Standing::Halted,
    ]);
    let slots = (0..choices.below(2 * K + 1)).map(|_| SlotProgress {
        pre_prepared: choices.chance(500),
        has_body: choices.chance(500),
        prepared: choices.chance(500),
        committed: choices.chance(500),
    });
    let slots = slots.collect();
    Status {
        view: place.view,
        target: choices.chance(300).then(|| place.view.next()),
        suspects: choices.chance(500),
        standing,
        stable: SeqNum(place.seq.0 / K * K),
        executed: place.seq,
        chain: place.digest,
        slots,
    }
}

/// Committed slots from the next one on.
fn committed(place: &Place, choices: &mut Choices) -> Vec<CommittedSlot> {
    let mut slots = Vec::new();
    for seq in place.seq.up_to(place.seq.plus(choices.below(3))) {
        let Place { view, seq, digest, batch } = Place::at(place.view, seq, choices);
        slots.push(CommittedSlot { certificate: Cast::get().committed(view, seq, digest), batch });
    }
    slots
}

fn held_votes(signer: ReplicaId, place: &Place) -> HeldVotes {
    let (cast, Place { view, seq, digest, .. }) = (Cast::get(), place);
    let (view, seq, digest) = (*view, *seq, *digest);
    let is_primary = cast.genesis.committee.primary(view) == signer;
    let header = cast.sign(signer, PrePrepare { view, seq, digest });
    HeldVotes {
        signer,
        view,
        target: view.next(),
        certified: SeqNum(seq.0 / K * K),
        pre_prepares: if is_primary { vec![header] } else { Vec::new() },
        prepares: vec![cast.sign(signer, Prepare { view, seq, digest })],
        commits: vec![cast.sign(signer, Commit { view, seq, digest })],
        view_change: None,
    }
}

fn question(signer: ReplicaId, place: &Place, choices: &mut Choices) -> Message {
    let (seq, digest) = (place.seq, place.digest);
    match choices.below(6) {
        0 => Message::FetchBatch { seq, digest },
        1 => Message::FetchCommitted { after: SeqNum(seq.0.saturating_sub(3)), to: seq },
        2 => Message::FetchViewChange { signer, digest },
        3 => Message::FetchVotes { signer },
        4 => Message::FetchCheckpoint,
        _ => Message::FetchChain { from: SeqNum(seq.0.saturating_sub(3)), to: seq },
    }
}

fn answer(place: &Place, choices: &mut Choices) -> Message {
    let (seq, digest) = (place.seq, place.digest);
    match choices.below(3) {
        0 => Message::HistoryGone { after: seq },
        1 => Message::Chain(ChainDigests { from: seq, digests: vec![digest; 3] }),
        _ => Message::Forward(Cast::get().request(1, choices.between(1, 12))),
    }
}
