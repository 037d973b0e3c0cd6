//! What the cores let know, in a few words.

use quorate::ReplicaId;
use quorate::core::{Evidence, LostPromises, Notice, Recovery, Rejection, Space};

use super::entry::{Note, Topic};

impl Note {
    /// What a core lets know, said of its replica.
    #[must_use]
    pub fn of(notice: &Notice) -> Self {
        of_ordering(notice).or_else(|| of_views(notice)).unwrap_or_else(|| of_condition(notice))
    }
}

fn note(topic: Topic, text: impl Into<String>) -> Note {
    Note::new(topic, text)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the rest is in of_views and of_condition")]
fn of_ordering(notice: &Notice) -> Option<Note> {
    Some(match notice {
        Notice::Rejected { from, kind, reason } => of_rejection(*from, kind, reason),
        Notice::RequestPooled(id) => note(Topic::Noise, format!("has request #{}", id.number)),
        Notice::RequestForwarded(id) => note(Topic::Noise, format!("hands on request #{}", id.number)),
        Notice::Proposed { seq, .. } => note(Topic::Noise, format!("proposes s{seq}")).at(*seq),
        Notice::VoteDelayed { seq } => note(Topic::Vote, format!("waits with its vote for s{seq}: its time")).at(*seq),
        Notice::Prepared { view, seq } => {
            note(Topic::Vote, format!("has prepared s{seq} in v{view}")).at(*seq).of_view(*view)
        }
        Notice::Committed { view, seq, digest } => {
            let text = format!("commits s{seq} {} in v{view}", digest.short());
            note(Topic::Execution, text).at(*seq).of_view(*view).with(*digest)
        }
        Notice::Executed { seq, requests, chain } => {
            let text = format!("executes s{seq}: {requests} new, chain {}", chain.short());
            note(Topic::Execution, text).at(*seq)
        }
        Notice::CheckpointStable { seq, root } => {
            let text = format!("has a stable checkpoint s{seq} {}", root.short());
            note(Topic::Checkpoint, text).at(*seq).with(*root)
        }
        _ => return None,
    })
}

fn of_rejection(from: ReplicaId, kind: &str, reason: &Rejection) -> Note {
    let text = format!("refuses {kind} of R{from}: {reason}");
    match reason {
        Rejection::Equivocation { seq, .. } => note(Topic::Fault, text).at(*seq),
        Rejection::WrongReProposals => note(Topic::View, text),
        Rejection::OutsideWindow { seq, .. } => note(Topic::Noise, text).at(*seq),
        Rejection::OldView { .. }
        | Rejection::FutureView { .. }
        | Rejection::ViewInactive
        | Rejection::AssignedByNewView { .. }
        | Rejection::Duplicate
        | Rejection::WrongSender
        | Rejection::NotAskedFor
        | Rejection::RateLimited
        | Rejection::BodyMissing
        | Rejection::PoolFull
        | Rejection::NotVoting => note(Topic::Noise, text),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the rest is in of_condition")]
fn of_views(notice: &Notice) -> Option<Note> {
    Some(match notice {
        Notice::Suspected { view, cause } => {
            note(Topic::View, format!("suspects the primary of v{view}: {}", words(cause))).of_view(*view)
        }
        Notice::SuspicionWithdrawn { view } => {
            note(Topic::View, format!("suspects the primary of v{view} no more")).of_view(*view)
        }
        Notice::ViewChangeStarted { target, cause } => {
            note(Topic::View, format!("asks for v{target}: {}", words(cause))).of_view(*target)
        }
        Notice::ViewEntered { view, re_proposed, null_filled } => {
            let text = format!("enters v{view}: {re_proposed} re-proposed, {null_filled} null");
            note(Topic::View, text).of_view(*view)
        }
        Notice::SteppedDown { cause } => note(Topic::View, format!("gives up the lead: {}", words(cause))),
        _ => return None,
    })
}

/// Catching up, lost promises, and what is beyond repair.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest is in of_ordering and of_views")]
fn of_condition(notice: &Notice) -> Note {
    match notice {
        Notice::CatchingUp { from, after, to } => {
            note(Topic::CatchUp, format!("asks R{from} for s{after}..s{to}")).at(*to)
        }
        Notice::StateTransferStarted { goal, cause } => {
            note(Topic::CatchUp, format!("fetches the state of s{goal}: {}", words(cause))).at(*goal)
        }
        Notice::StateInstalled { seq } => note(Topic::CatchUp, format!("installs the state of s{seq}")).at(*seq),
        Notice::StateDiscarded { executed } => note(Topic::Fault, format!("gives up its state of s{executed}")),
        Notice::Evidence(evidence) => of_evidence(evidence),
        Notice::Diverged { seq, own, certified } => {
            let text = format!("has diverged at s{seq}: {} instead of {}", own.short(), certified.short());
            note(Topic::Fault, text).at(*seq)
        }
        Notice::DivergedAt { seq, peer } => note(Topic::Fault, format!("differs from R{peer} since s{seq}")).at(*seq),
        Notice::Halted => note(Topic::Fault, "halts: more than f are faulty"),
        Notice::StartChecked { recovery: Recovery::Complete } => note(Topic::CatchUp, "has checked its start"),
        Notice::StartChecked { recovery: Recovery::Lost(_) } => note(Topic::Fault, "knows that promises are lost"),
        Notice::PromisesLost(LostPromises::Vote { view, seq }) => {
            note(Topic::Fault, format!("learns of a lost vote for s{seq} in v{view}")).at(*seq).of_view(*view)
        }
        Notice::PromisesLost(LostPromises::ViewChange { target }) => {
            note(Topic::Fault, format!("learns of a lost ViewChange to v{target}")).of_view(*target)
        }
        Notice::RecoveryBounded { bounds } => {
            note(Topic::Fault, format!("keeps clear of v{} and s{}", bounds.view, bounds.seq))
        }
        Notice::Recovered { .. } => note(Topic::Fault, "votes again"),
        Notice::DiskSpace(Space::Low) => note(Topic::Fault, "has a full disk"),
        Notice::DiskSpace(Space::Enough) => note(Topic::Fault, "has room on its disk again"),
        other => note(Topic::Noise, format!("{other:?}")),
    }
}

fn of_evidence(evidence: &Evidence) -> Note {
    let against = |kind: &str, signer: ReplicaId| note(Topic::Fault, format!("holds two {kind} of R{signer}"));
    match evidence {
        Evidence::PrePrepares(one, _) => against("PrePrepares", one.signer).at(one.payload.seq),
        Evidence::Prepares(one, _) => against("Prepares", one.signer).at(one.payload.seq),
        Evidence::Commits(one, _) => against("Commits", one.signer).at(one.payload.seq),
        Evidence::Checkpoints(one, _) => against("Checkpoints", one.signer).at(one.payload.seq),
        Evidence::PreparedCertificates(one, _) => {
            note(Topic::Fault, format!("holds two prepared certificates for s{}", one.seq())).at(one.seq())
        }
        Evidence::ContradictsCommitted(new_view, _) => {
            let target = new_view.payload.target;
            note(Topic::Fault, format!("holds a NewView for v{target} against what is committed")).of_view(target)
        }
        Evidence::CommitCertificates(one, _) => {
            note(Topic::Fault, format!("holds two commit certificates for s{}", one.seq())).at(one.seq())
        }
    }
}

/// `NoProgress` becomes `no progress`.
fn words(cause: &impl std::fmt::Debug) -> String {
    let mut text = String::new();
    for letter in format!("{cause:?}").chars() {
        if letter.is_uppercase() && !text.is_empty() && !text.ends_with('(') {
            text.push(' ');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use quorate::View;
    use quorate::core::SuspicionCause;

    use super::*;

    #[test]
    fn a_notice_is_said_in_words() {
        let notice = Notice::Suspected { view: View(3), cause: SuspicionCause::NoProgress };
        let note = Note::of(&notice);
        assert_eq!(note.text, "suspects the primary of v3: no progress");
        assert_eq!((note.topic, note.about.view), (Topic::View, Some(View(3))));
    }
}
