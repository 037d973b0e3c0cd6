//! What the answers of the replicas mean: a table, then in words what is wrong.

use std::fmt;

use serde::Deserialize;

const HEADINGS: [&str; 8] = ["REPLICA", "ROLE", "VIEW", "VOTES", "EXECUTED", "CHECKPOINT", "WAITING", "ADDRESS"];

const MEBIBYTE: f64 = 1_048_576.0;

/// What one replica says of itself: the fields of `/status` that are shown.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct ReplicaStatus {
    network: String,
    chain_id: String,
    members: usize,
    quorum: usize,
    replica: u16,
    view: u64,
    target: Option<u64>,
    role: String,
    voting: bool,
    why_not_voting: Option<String>,
    suspicion: Option<String>,
    low_watermark: u64,
    executed: u64,
    requests_waiting: u64,
    transfer: Option<TransferStatus>,
    missing_members: Vec<u16>,
}

/// How far a replica is that fetches a whole state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct TransferStatus {
    goal: u64,
    bytes: u64,
    sources: usize,
}

/// What became of asking one replica.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) url: String,
    pub(super) status: Result<ReplicaStatus, String>,
}

/// All answers.
pub(super) struct Report {
    answers: Vec<Answer>,
    /// Whether all members were asked, in their order, so that one that does not answer has a number.
    is_complete: bool,
}

impl Report {
    pub(super) fn new(answers: Vec<Answer>, is_complete: bool) -> Self {
        Report { answers, is_complete }
    }

    fn statuses(&self) -> impl Iterator<Item = &ReplicaStatus> {
        self.answers.iter().filter_map(|answer| answer.status.as_ref().ok())
    }

    fn voting(&self) -> usize {
        self.statuses().filter(|status| status.voting).count()
    }

    /// Whether enough of those that answered vote.
    pub(super) fn can_order(&self) -> bool {
        self.statuses().next().is_some_and(|status| self.voting() >= status.quorum)
    }

    fn name(&self, index: usize, answer: &Answer) -> String {
        match &answer.status {
            Ok(status) => status.replica.to_string(),
            Err(_) if self.is_complete => index.to_string(),
            Err(_) => "?".to_owned(),
        }
    }

    fn rows(&self) -> Vec<[String; 8]> {
        let row = |(index, answer): (usize, &Answer)| {
            let name = self.name(index, answer);
            match &answer.status {
                Ok(status) => status.row(name, &answer.url),
                Err(_) => [
                    name,
                    "missing".into(),
                    "-".into(),
                    "-".into(),
                    "-".into(),
                    "-".into(),
                    "-".into(),
                    answer.url.clone(),
                ],
            }
        };
        self.answers.iter().enumerate().map(row).collect()
    }

    /// What is wrong, a sentence each.
    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        for (index, answer) in self.answers.iter().enumerate() {
            let name = self.name(index, answer);
            match &answer.status {
                Ok(status) => remarks.extend(status.remarks()),
                Err(problem) => remarks.push(format!("replica {name} is missing: {problem}")),
            }
        }
        let mut chains = self.statuses().map(|status| &status.chain_id);
        if let Some(first) = chains.next()
            && chains.any(|other| other != first)
        {
            remarks.push("these replicas belong to different networks: their chain ids differ".into());
        }
        remarks
    }

    fn conclusion(&self) -> String {
        let Some(status) = self.statuses().next() else {
            return "No replica answers.".into();
        };
        let ReplicaStatus { network, members, quorum, .. } = status;
        let voting = self.voting();
        let judgement = if self.can_order() {
            "operations are ordered"
        } else if self.is_complete {
            "too few: operations wait until more of them vote"
        } else {
            "too few of those that were asked: ask all of them"
        };
        format!("Network `{network}`: {voting} of {members} replicas vote, {quorum} have to: {judgement}.")
    }
}

impl ReplicaStatus {
    fn row(&self, name: String, url: &str) -> [String; 8] {
        let view = self.target.map_or_else(|| self.view.to_string(), |target| format!("{}>{target}", self.view));
        [
            name,
            self.role.clone(),
            view,
            if self.voting { "yes" } else { "no" }.to_owned(),
            self.executed.to_string(),
            self.low_watermark.to_string(),
            self.requests_waiting.to_string(),
            url.to_owned(),
        ]
    }

    fn remarks(&self) -> Vec<String> {
        let replica = self.replica;
        let why = self.why_not_voting.as_deref().unwrap_or("it does not say why");
        let not_voting = (!self.voting).then(|| format!("replica {replica} does not vote: {why}"));
        let suspicion = self.suspicion.as_ref().map(|cause| format!("replica {replica} suspects the primary: {cause}"));
        let transfer = self.transfer.map(|TransferStatus { goal, bytes, sources }| {
            let mebibytes = bytes as f64 / MEBIBYTE;
            format!("replica {replica} fetches the state of checkpoint {goal}: {mebibytes:.1} MiB so far, from {sources} members")
        });
        let missing: Vec<_> = self.missing_members.iter().map(ToString::to_string).collect();
        let deaf = (!missing.is_empty())
            .then(|| format!("replica {replica} hears nothing from replica {}", missing.join(", ")));
        not_voting.into_iter().chain(suspicion).chain(transfer).chain(deaf).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headings = HEADINGS.map(str::to_owned);
        let rows = self.rows();
        let widths: Vec<usize> = (0..HEADINGS.len())
            .map(|column| {
                rows.iter().chain([&headings]).filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0)
            })
            .collect();
        for row in [&headings].into_iter().chain(&rows) {
            let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            writeln!(f, "{}", cells.join("  ").trim_end())?;
        }
        writeln!(f)?;
        for remark in self.remarks() {
            writeln!(f, "{remark}")?;
        }
        writeln!(f, "{}", self.conclusion())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(replica: u16) -> ReplicaStatus {
        ReplicaStatus {
            network: "local".into(),
            chain_id: "ab".into(),
            members: 4,
            quorum: 3,
            replica,
            view: 7,
            target: None,
            role: if replica == 3 { "primary" } else { "backup" }.into(),
            voting: true,
            why_not_voting: None,
            suspicion: None,
            low_watermark: 128,
            executed: 200,
            requests_waiting: 0,
            transfer: None,
            missing_members: vec![],
        }
    }

    fn answer(status: Result<ReplicaStatus, String>) -> Answer {
        Answer { url: "http://here".into(), status }
    }

    #[test]
    fn names_who_is_missing_and_why_one_does_not_vote() {
        let changing = ReplicaStatus {
            voting: false,
            target: Some(8),
            why_not_voting: Some("waits for view 8 to begin".into()),
            suspicion: Some("nothing is heard from the primary".into()),
            missing_members: vec![3],
            transfer: Some(TransferStatus { goal: 128, bytes: 3 << 19, sources: 2 }),
            ..status(1)
        };
        let answers = [Ok(status(0)), Ok(changing), Ok(status(2)), Err("connection refused".into())];
        let report = Report::new(answers.into_iter().map(answer).collect(), true);
        let expected = "\
REPLICA  ROLE     VIEW  VOTES  EXECUTED  CHECKPOINT  WAITING  ADDRESS
0        backup   7     yes    200       128         0        http://here
1        backup   7>8   no     200       128         0        http://here
2        backup   7     yes    200       128         0        http://here
3        missing  -     -      -         -           -        http://here

replica 1 does not vote: waits for view 8 to begin
replica 1 suspects the primary: nothing is heard from the primary
replica 1 fetches the state of checkpoint 128: 1.5 MiB so far, from 2 members
replica 1 hears nothing from replica 3
replica 3 is missing: connection refused
Network `local`: 2 of 4 replicas vote, 3 have to: too few: operations wait until more of them vote.
";
        assert_eq!(report.to_string(), expected);
        assert!(!report.can_order());
    }

    #[test]
    fn says_when_all_is_well_and_when_networks_are_mixed() {
        let report = Report::new((0..4).map(|id| answer(Ok(status(id)))).collect(), true);
        assert!(report.can_order());
        assert!(
            report.to_string().ends_with("Network `local`: 4 of 4 replicas vote, 3 have to: operations are ordered.\n")
        );
        let other = ReplicaStatus { chain_id: "cd".into(), ..status(1) };
        let report = Report::new(vec![answer(Ok(status(0))), answer(Ok(other))], false);
        assert!(report.to_string().contains("different networks"));
        assert_eq!(Report::new(vec![], false).conclusion(), "No replica answers.");
    }
}
