//! More than f members lose their journals at once, up to all of them. What was committed may be known to nobody any
//! more, so nobody who has lost something may help to decide it again: the cluster stands still, and each of them says
//! why. With at most f it goes on (`recovering`).
//!
//! Keeps out: 34 (after losing all journals every replica starts in an old view).

use std::time::Duration;

use quorate::core::{Event, JournalRecord};
use quorate::messages::{Bounds, Standing};
use quorate::{ReplicaId, SeqNum, View};

use crate::support::{Cluster, K, L};

/// Four members in view 2 that have executed a window and more.
fn in_view_2() -> Cluster {
    let mut cluster = Cluster::new(4);
    cluster.event(0, Event::StepDown);
    cluster.event(1, Event::StepDown);
    for number in 1..=L + K + 2 {
        cluster.submit(2, number);
    }
    assert_eq!(cluster.ids().map(|id| cluster.replica(id).view()).collect::<Vec<_>>(), [View(2); 4]);
    cluster
}

/// The votes of these members. What else they send may be somebody else's, handed on.
fn votes(cluster: &Cluster, members: &[u16]) -> usize {
    members.iter().map(|id| cluster.arrived(*id, "prepare v") + cluster.arrived(*id, "commit v")).sum()
}

/// Whether a member has assigned a slot, or asked for a view, since its journal began.
fn leads_or_asks(cluster: &Cluster, id: u16) -> bool {
    cluster.node(id).journal.iter().any(|record| {
        let asks = matches!(record, JournalRecord::ViewChangeSent(_));
        asks || matches!(record, JournalRecord::PrePrepared(header) if header.signer == ReplicaId(id))
    })
}

/// These members come back without their journals; a minute passes in which a client asks everybody.
fn come_back_without_journals(lost: &[u16], known: Option<Bounds>) -> Cluster {
    let mut cluster = in_view_2();
    cluster.checks_at_start = false;
    cluster.serve_states(lost.len() < 4);
    lost.iter().for_each(|id| cluster.crash(*id));
    let before = votes(&cluster, lost);
    for id in lost {
        cluster.lose_journal(*id, known);
        cluster.restart(*id);
    }
    for id in cluster.ids() {
        cluster.submit(id, L + K + 3);
    }
    cluster.pass(Duration::from_secs(60));
    assert_eq!(votes(&cluster, lost), before, "they vote: {known:?}");
    assert!(!lost.iter().any(|id| leads_or_asks(&cluster, *id)), "{known:?}");
    cluster
}

#[test]
fn nobody_votes_in_any_view_when_all_journals_are_lost_at_once_and_everybody_says_why() {
    for known in [None, Some(Bounds { view: View(2), seq: SeqNum(2 * L + K) })] {
        let cluster = come_back_without_journals(&[0, 1, 2, 3], known);
        for id in cluster.ids() {
            let standing = cluster.replica(id).standing();
            assert!(matches!(standing, Standing::Recovering { .. }), "replica {id}: {standing:?}");
            assert!(
                known.is_none() || standing == Standing::Recovering { bounds: known },
                "replica {id}: {standing:?}"
            );
            assert!(cluster.executed(id).is_empty(), "replica {id} decides again what was decided");
        }
    }
}

#[test]
fn more_than_f_who_have_lost_their_journals_do_not_vote_although_the_rest_waits_for_them() {
    for known in [None, Some(Bounds { view: View(2), seq: SeqNum(2 * L + K) })] {
        let cluster = come_back_without_journals(&[1, 3], known);
        for id in [1, 3] {
            let standing = cluster.replica(id).standing();
            assert!(matches!(standing, Standing::Recovering { .. }), "replica {id}: {standing:?}");
        }
        for id in [0, 2] {
            assert_eq!(cluster.executed(id).len() as u64, L + K + 2, "replica {id} keeps what it has");
        }
    }
}

#[test]
fn one_who_has_lost_its_journal_in_a_later_view_votes_again() {
    let mut cluster = in_view_2();
    cluster.checks_at_start = false;
    cluster.crash(3);
    cluster.lose_journal(3, None);
    cluster.restart(3);
    cluster.pass(Duration::from_secs(60));
    assert_eq!(cluster.replica(3).standing(), Standing::Voting);
    assert!(cluster.replica(3).view() >= View(2));
    let primary = cluster.world.primary(cluster.replica(3).view());
    let before = votes(&cluster, &[3]);
    cluster.submit(primary, L + K + 3);
    assert!(votes(&cluster, &[3]) > before);
    assert_eq!(cluster.executed(3), cluster.executed(0));
}
