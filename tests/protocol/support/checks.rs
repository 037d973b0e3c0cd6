//! What must hold whatever a scenario does, restated without the predicates of the core.

use std::collections::BTreeMap;

use quorate::core::{Actions, JournalRecord, Outgoing};
use quorate::messages::{Message, Proposal};
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

use super::journal::batch;

/// The votes that one replica has sent in its life: one batch for each view, slot and phase.
#[derive(Clone, Debug, Default)]
pub(crate) struct Voted(BTreeMap<(&'static str, View, SeqNum), Digest>);

impl Voted {
    /// Every own statement that leaves is durable, and contradicts none that left before.
    pub(crate) fn check(&mut self, id: ReplicaId, journal: &[JournalRecord], actions: &Actions) {
        for outgoing in &actions.send {
            let Outgoing::Replica { message, .. } = outgoing else { continue };
            let Some((signer, view, seq, digest)) = statement(message) else { continue };
            if signer == id {
                let first = *self.0.entry((message.kind(), view, seq)).or_insert(digest);
                assert_eq!(first, digest, "{id} contradicts itself: {} v{view} s{seq}", message.kind());
                assert!(is_durable(journal, message), "{id} sends what is not durable: {message:?}");
            }
        }
    }
}

/// Who says it, about which place, and what: for everything that binds its signer.
fn statement(message: &Message) -> Option<(ReplicaId, View, SeqNum, Digest)> {
    if let Message::PrePrepare(Proposal { header, .. }) = message {
        Some((header.signer, header.payload.view, header.payload.seq, header.payload.digest))
    } else if let Message::Prepare(vote) = message {
        Some((vote.signer, vote.payload.view, vote.payload.seq, vote.payload.digest))
    } else if let Message::Commit(vote) = message {
        Some((vote.signer, vote.payload.view, vote.payload.seq, vote.payload.digest))
    } else if let Message::Checkpoint(vote) = message {
        Some((vote.signer, View(0), vote.payload.seq, vote.payload.root))
    } else if let Message::ViewChange(signed) = message {
        Some((signed.signer, signed.payload.target, SeqNum(0), signed.digest()))
    } else {
        None
    }
}

fn is_durable(journal: &[JournalRecord], message: &Message) -> bool {
    journal.iter().any(|record| match (message, record) {
        (Message::PrePrepare(proposal), JournalRecord::PrePrepared(header)) => *header == proposal.header,
        (Message::Prepare(vote), JournalRecord::PrePrepared(header)) => {
            let (header, vote) = (header.payload, vote.payload);
            (header.view, header.seq, header.digest) == (vote.view, vote.seq, vote.digest)
        }
        (Message::Commit(vote), JournalRecord::Prepared(certificate)) => {
            let vote = vote.payload;
            (certificate.view(), certificate.seq(), certificate.digest()) == (vote.view, vote.seq, vote.digest)
        }
        (Message::Checkpoint(vote), JournalRecord::CheckpointTaken(checkpoint)) => *checkpoint == vote.payload,
        (Message::ViewChange(signed), JournalRecord::ViewChangeSent(known)) => signed == known,
        // One that was lost, and came back with the view that rests on it.
        (Message::ViewChange(signed), JournalRecord::ViewEntered(entered)) => entered.view_changes.contains(signed),
        _other => false,
    })
}

/// Before a record that says "prepared" or "committed" stands the batch that it names, unless that is the null batch.
pub(crate) fn check_batches(journal: &[JournalRecord]) {
    for (place, record) in journal.iter().enumerate() {
        let (seq, digest) = if let JournalRecord::Prepared(certificate) = record {
            (certificate.seq(), certificate.digest())
        } else if let JournalRecord::Committed(certificate) = record {
            (certificate.seq(), certificate.digest())
        } else {
            continue;
        };
        let is_there = digest == quorate::batch::null_digest(seq) || batch(&journal[..place], seq, digest).is_some();
        assert!(is_there, "slot {seq} is journalled as prepared or committed before its batch");
    }
}
