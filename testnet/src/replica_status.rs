//! What the replicas say of themselves.

use serde::Deserialize;

use crate::http::Http;

/// The fields of a replica's `/status` that matter here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ReplicaStatus {
    /// The highest view that it has entered.
    pub view: u64,
    /// The view that it asks for.
    pub target: Option<u64>,
    /// `primary` or `backup`.
    pub role: String,
    /// The primary of its view.
    pub primary: u16,
    /// Whether it votes.
    pub voting: bool,
    /// Why not.
    pub why_not_voting: Option<String>,
    /// The stable checkpoint.
    pub low_watermark: u64,
    /// The last executed slot.
    pub executed: u64,
    /// The chain hash after it.
    pub chain: String,
    /// The state that it fetches from other members.
    #[serde(default)]
    pub transfer: Option<TransferStatus>,
}

/// How far a replica is that fetches state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct TransferStatus {
    /// The bytes that it has.
    pub bytes: u64,
    /// How many members are known to hold it.
    pub sources: usize,
}

/// How a replica is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// It answers.
    Answers(ReplicaStatus),
    /// It runs, but does not answer.
    Silent(String),
    /// It lies: what it says of itself is not looked at.
    Lies {
        /// How.
        how: String,
        /// Whether it answers at all.
        answers: bool,
    },
    /// It was killed.
    Killed,
}

impl Observation {
    /// What it says of itself, if it answers.
    #[must_use]
    pub fn status(&self) -> Option<&ReplicaStatus> {
        match self {
            Observation::Answers(status) => Some(status),
            Observation::Silent(_) | Observation::Lies { .. } | Observation::Killed => None,
        }
    }

    /// Its state in a word or a sentence.
    #[must_use]
    pub fn state(&self) -> String {
        match self {
            Observation::Answers(ReplicaStatus { why_not_voting: Some(why), .. }) => why.clone(),
            Observation::Answers(_) => "votes".to_owned(),
            Observation::Silent(_) => "does not answer yet".to_owned(),
            Observation::Lies { how, .. } => format!("lies: {how}"),
            Observation::Killed => "killed".to_owned(),
        }
    }

    /// Whether it lies.
    #[must_use]
    pub fn is_liar(&self) -> bool {
        matches!(self, Observation::Lies { .. })
    }
}

/// Asks all replicas.
pub async fn observe(http: &Http) -> Vec<Observation> {
    let answers = http.get_all("/status").await;
    answers.into_iter().map(|answer| answer.map_or_else(Observation::Silent, Observation::Answers)).collect()
}

/// The view in which at least `wanted` replicas are active.
#[must_use]
pub fn common_view(observations: &[Observation], wanted: usize) -> Option<&ReplicaStatus> {
    let active = || observations.iter().filter_map(Observation::status).filter(|status| status.target.is_none());
    let newest = active().max_by_key(|status| status.view)?;
    let agreeing = active().filter(|status| status.view == newest.view).count();
    (agreeing >= wanted).then_some(newest)
}

const HEADINGS: [&str; 6] = ["REPLICA", "ROLE", "VIEW", "EXECUTED", "CHECKPOINT", "STATE"];

/// A table of the replicas.
#[must_use]
pub fn table(observations: &[Observation]) -> String {
    let rows: Vec<_> = observations.iter().enumerate().map(|(index, found)| row(index, found)).collect();
    let line = |cells: [&str; 6]| {
        let [replica, role, view, executed, checkpoint, state] = cells;
        format!("{replica:<7}  {role:<7}  {view:>5}  {executed:>9}  {checkpoint:>10}  {state}")
    };
    let lines = rows.iter().map(|row| line(row.each_ref().map(String::as_str)));
    [line(HEADINGS)].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

fn row(index: usize, found: &Observation) -> [String; 6] {
    let none = || "-".to_owned();
    let state = found.state();
    match found.status() {
        Some(status) => {
            let view =
                status.target.map_or_else(|| status.view.to_string(), |target| format!("{}>{target}", status.view));
            let ReplicaStatus { role, executed, low_watermark, .. } = status;
            [index.to_string(), role.clone(), view, executed.to_string(), low_watermark.to_string(), state]
        }
        None => [index.to_string(), none(), none(), none(), none(), state],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(view: u64, target: Option<u64>) -> Observation {
        Observation::Answers(ReplicaStatus {
            view,
            target,
            role: "backup".into(),
            primary: 1,
            voting: target.is_none(),
            why_not_voting: target.map(|target| format!("waits for view {target} to begin")),
            low_watermark: 128,
            executed: 200,
            chain: "ab".into(),
            transfer: None,
        })
    }

    #[test]
    fn a_view_goes_on_when_enough_replicas_are_active_in_it() {
        let observations = [status(0, Some(1)), status(1, None), status(1, None), Observation::Killed];
        assert_eq!(common_view(&observations, 2).map(|status| status.view), Some(1));
        assert_eq!(common_view(&observations, 3), None);
        assert_eq!(common_view(&[Observation::Killed], 1), None);
    }

    #[test]
    fn the_table_shows_who_is_there_and_who_is_not() {
        let expected = "\
REPLICA  ROLE      VIEW   EXECUTED  CHECKPOINT  STATE
0        backup     0>1        200         128  waits for view 1 to begin
1        -            -          -           -  killed";
        assert_eq!(table(&[status(0, Some(1)), Observation::Killed]), expected);
    }
}
