//! [`Look`]: how the absent replica is found, beside the others.

use quorate::ReplicaId;

use crate::replica_status::{Observation, ReplicaStatus, TransferStatus};

/// A replica that is so few slots behind executes at the head: answers over HTTP are not from the same instant.
const HEAD_LAG: u64 = 16;

const MEBIBYTE: f64 = 1_048_576.0;

/// How the replicas were found at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// The last slot that any of the others has executed.
    pub(super) head: u64,
    /// What the absent one says of itself.
    pub(super) absent: Observation,
    /// One of the others that is not the primary.
    backup: Option<ReplicaId>,
}

impl Look {
    /// Sorts what was found.
    pub(super) fn new(observations: &[Observation], absent: ReplicaId) -> Look {
        let found = (0..).map(ReplicaId).zip(observations);
        let others = || found.clone().filter(|(id, _)| *id != absent).filter_map(|(id, it)| Some((id, it.status()?)));
        Look {
            head: others().map(|(_, status)| status.executed).max().unwrap_or_default(),
            absent: observations.get(absent.index()).cloned().unwrap_or(Observation::Killed),
            backup: others().find(|(id, status)| status.primary != id.0).map(|(id, _)| id),
        }
    }

    /// The last slot that the absent one has executed.
    pub(super) fn slot(&self) -> Option<u64> {
        self.absent.status().map(|status| status.executed)
    }

    /// How many slots it is behind.
    pub(super) fn lag(&self) -> Option<u64> {
        self.slot().map(|slot| self.head.saturating_sub(slot))
    }

    /// Whether it executes what the others execute.
    pub(super) fn is_at_head(&self) -> bool {
        self.lag().is_some_and(|lag| lag <= HEAD_LAG)
    }

    /// Whether it votes.
    pub(super) fn votes(&self) -> bool {
        self.absent.status().is_some_and(|status| status.voting)
    }

    /// One from which it fetches state: not the primary, so that nobody has to take over.
    pub(super) fn source(&self) -> Option<ReplicaId> {
        let is_fetching = self.absent.status()?.transfer.is_some_and(|transfer| transfer.bytes > 0);
        self.backup.filter(|_| is_fetching)
    }

    /// Its state in plain words.
    pub(super) fn state(&self) -> String {
        match &self.absent {
            Observation::Killed => "away".to_owned(),
            Observation::Lies { how, .. } => format!("lies: {how}"),
            Observation::Silent(_) => "starts".to_owned(),
            Observation::Answers(status) => self.state_of(status),
        }
    }

    fn state_of(&self, status: &ReplicaStatus) -> String {
        if let Some(TransferStatus { bytes, sources }) = status.transfer {
            let so_far = format!("fetching state: {:.1} MiB", bytes as f64 / MEBIBYTE);
            return match sources {
                0 => format!("{so_far}, asking who has it"),
                1 => format!("{so_far} from 1 peer"),
                many => format!("{so_far} from {many} peers"),
            };
        }
        match (&status.why_not_voting, self.is_at_head()) {
            (None, true) => "at the head".to_owned(),
            (None, false) => "applying the log".to_owned(),
            (Some(why), true) => format!("at the head; {why}"),
            (Some(why), false) => why.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(executed: u64, why_not_voting: Option<&str>) -> ReplicaStatus {
        ReplicaStatus {
            view: 0,
            target: None,
            role: "backup".into(),
            primary: 0,
            voting: why_not_voting.is_none(),
            why_not_voting: why_not_voting.map(str::to_owned),
            low_watermark: 0,
            executed,
            chain: String::new(),
            transfer: None,
        }
    }

    fn at(executed: u64, why_not_voting: Option<&str>) -> Observation {
        Observation::Answers(status(executed, why_not_voting))
    }

    #[test]
    fn the_state_is_said_in_plain_words() {
        let look = |absent| Look::new(&[at(900, None), at(1_000, None), absent], ReplicaId(2));
        let said = |absent| {
            let look = look(absent);
            (look.lag(), look.state())
        };
        assert_eq!(said(Observation::Killed), (None, "away".to_owned()));
        assert_eq!(said(Observation::Silent("refused".into())), (None, "starts".to_owned()));
        assert_eq!(said(at(100, None)), (Some(900), "applying the log".to_owned()));
        assert_eq!(said(at(100, Some("asks its peers"))), (Some(900), "asks its peers".to_owned()));
        assert_eq!(said(at(999, None)), (Some(1), "at the head".to_owned()));
        assert_eq!(said(at(1_001, Some("recovers"))), (Some(0), "at the head; recovers".to_owned()));
        let transfer = Some(TransferStatus { bytes: 3 << 19, sources: 3 });
        let fetching = Observation::Answers(ReplicaStatus { transfer, ..status(0, None) });
        assert_eq!(look(fetching.clone()).source(), Some(ReplicaId(1)));
        assert_eq!(said(fetching), (Some(1_000), "fetching state: 1.5 MiB from 3 peers".to_owned()));
    }
}
