//! A message in a few words.

use quorate::batch::null_digest;
use quorate::messages::{
    CommittedSlot, Message, NewView, PreparedCertificate, Proposal, ReplicaMessage, Reply, Request, RequestResult,
    Status, ViewChange,
};
use quorate::outcome::Outcome;
use quorate::{SeqNum, View};
use quorate_crypto::Digest;

use super::entry::{About, Topic};

/// What a message says.
#[derive(Clone, Debug)]
pub struct Statement {
    /// To what it belongs.
    pub topic: Topic,
    /// The kind of message.
    pub name: &'static str,
    /// What it is about.
    pub about: About,
    /// What else it says.
    pub detail: String,
    /// Equal for equal messages.
    pub fingerprint: u64,
}

impl Statement {
    /// What a replica says to another.
    #[must_use]
    pub fn of(message: &Message, fingerprint: u64) -> Self {
        Statement { fingerprint, ..of_ordering(message).unwrap_or_else(|| of_help(message)) }
    }

    /// What a client asks for.
    #[must_use]
    pub fn of_request(request: &Request, fingerprint: u64) -> Self {
        let request = new("request", Topic::Client).saying(number_of(request));
        Statement { fingerprint, ..request }
    }

    /// What a replica says to a client.
    #[must_use]
    pub fn of_reply(message: &ReplicaMessage, fingerprint: u64) -> Self {
        let statement = match message {
            ReplicaMessage::Reply(reply) => of_results(reply),
            ReplicaMessage::Busy(busy) => new("Busy", Topic::Client).saying(format!("#{}", busy.number)),
            ReplicaMessage::Refused(refused) => new("Refused", Topic::Client).saying(format!("#{}", refused.number)),
            ReplicaMessage::Attestation(_) => new("Attestation", Topic::Client),
            ReplicaMessage::NotAttested { seq, .. } => new("NotAttested", Topic::Client).at(*seq),
            ReplicaMessage::Answer(_) => new("Answer", Topic::Client),
        };
        Statement { fingerprint, ..statement }
    }

    /// All of it in one line.
    #[must_use]
    pub fn label(&self) -> String {
        let About { view, seq, digest } = self.about;
        let view = view.map(|view| format!(" v{view}")).unwrap_or_default();
        let seq = seq.map(|seq| format!(" s{seq}")).unwrap_or_default();
        let digest = digest.map(|digest| format!(" {}", digest.short())).unwrap_or_default();
        let space = if self.detail.is_empty() { "" } else { " " };
        format!("{}{view}{seq}{digest}{space}{}", self.name, self.detail)
    }

    fn at(mut self, seq: SeqNum) -> Self {
        self.about.seq = Some(seq);
        self
    }

    fn of_view(mut self, view: View) -> Self {
        self.about.view = Some(view);
        self
    }

    fn with(mut self, digest: Digest) -> Self {
        self.about.digest = Some(digest);
        self
    }

    fn saying(self, detail: impl Into<String>) -> Self {
        Statement { detail: detail.into(), ..self }
    }
}

fn new(name: &'static str, topic: Topic) -> Statement {
    Statement { topic, name, about: About::default(), detail: String::new(), fingerprint: 0 }
}

/// Requests, votes and view changes; `None` for what only helps others on.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest is in of_help")]
fn of_ordering(message: &Message) -> Option<Statement> {
    let vote = |name, view, seq, digest| new(name, Topic::Vote).of_view(view).at(seq).with(digest);
    Some(match message {
        Message::Forward(request) => new("Forward", Topic::Client).saying(number_of(request)),
        Message::PrePrepare(Proposal { header, batch }) => {
            let vote = vote("PrePrepare", header.payload.view, header.payload.seq, header.payload.digest);
            vote.saying(
                batch.as_ref().map_or("(no batch)".to_owned(), |batch| count(batch.requests().len(), "request")),
            )
        }
        Message::Prepare(signed) => vote("Prepare", signed.payload.view, signed.payload.seq, signed.payload.digest),
        Message::Commit(signed) => vote("Commit", signed.payload.view, signed.payload.seq, signed.payload.digest),
        Message::Checkpoint(signed) => {
            new("Checkpoint", Topic::Checkpoint).at(signed.payload.seq).with(signed.payload.root)
        }
        Message::ViewChange(signed) => of_view_change(&signed.payload),
        Message::NewView(signed) => of_new_view(&signed.payload),
        _ => return None,
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the rest is in of_ordering")]
fn of_help(message: &Message) -> Statement {
    let help = |name| new(name, Topic::CatchUp);
    match message {
        Message::Status(status) => of_status(status),
        Message::FetchBatch { seq, digest } => help("FetchBatch").at(*seq).with(*digest),
        Message::Batch { seq, batch } => help("Batch").at(*seq).with(batch.digest(*seq)),
        Message::FetchCommitted { after, to } => help("FetchCommitted").saying(format!("({after}, {to}]")),
        Message::Committed(slots) => of_committed(slots),
        Message::FetchViewChange { signer, digest } => {
            help("FetchViewChange").with(*digest).saying(format!("of R{signer}"))
        }
        Message::FetchVotes { signer } => help("FetchVotes").saying(format!("of R{signer}")),
        Message::FetchCheckpoint => help("FetchCheckpoint"),
        Message::CheckpointCertificate(certificate) => help("CheckpointCertificate").at(certificate.seq()),
        Message::FetchChain { from, to } => help("FetchChain").saying(format!("[{from}, {to}]")),
        Message::Chain(chain) => help("Chain").at(chain.from).saying(count(chain.digests.len(), "slot")),
        Message::Votes(votes) => {
            let held = votes.pre_prepares.len() + votes.prepares.len() + votes.commits.len();
            help("Votes").of_view(votes.view).saying(format!("of R{}: {}", votes.signer, count(held, "vote")))
        }
        Message::HistoryGone { after } => help("HistoryGone").saying(format!("after s{after}")),
        Message::FetchState { seq } => help("FetchState").at(*seq),
        Message::StateHead(head) => {
            help("StateHead").at(head.seq).saying(if head.parts.is_some() { "" } else { "(none)" })
        }
        Message::FetchNodes(fetch) => help("FetchNodes").at(fetch.seq).saying(count(fetch.nodes.len(), "node")),
        Message::Nodes(nodes) => help("Nodes").at(nodes.seq).saying(count(nodes.nodes.len(), "node")),
        other => new(other.kind(), Topic::Noise),
    }
}

fn of_view_change(asked: &ViewChange) -> Statement {
    let prepared = |known: &PreparedCertificate| {
        format!("s{}={}@v{}", known.seq(), batch_name(known.seq(), known.digest()), known.view())
    };
    let prepared: Vec<_> = asked.prepared.iter().map(prepared).collect();
    let detail = format!("stable s{}, prepared {}", asked.stable_seq(), listed(&prepared));
    new("ViewChange", Topic::View).of_view(asked.target).saying(detail)
}

fn of_new_view(new_view: &NewView) -> Statement {
    let signers: Vec<_> = new_view.view_changes.iter().map(|(signer, _)| format!("R{signer}")).collect();
    let headers = new_view.pre_prepares.iter().map(|header| header.payload);
    let assigned: Vec<_> = headers.map(|it| format!("s{}={}", it.seq, batch_name(it.seq, it.digest))).collect();
    let detail = format!("of {}, assigns {}", signers.join("+"), listed(&assigned));
    new("NewView", Topic::View).of_view(new_view.target).saying(detail)
}

fn of_status(status: &Status) -> Statement {
    let suspects = if status.suspects { ", suspects" } else { "" };
    let detail = format!("executed s{}, {:?}{suspects}", status.executed, status.standing);
    new("Status", Topic::Noise).of_view(status.view).saying(detail)
}

fn of_committed(slots: &[CommittedSlot]) -> Statement {
    let statement = new("Committed", Topic::CatchUp).saying(count(slots.len(), "slot"));
    match slots.first() {
        Some(first) => statement.at(first.certificate.seq()),
        None => statement,
    }
}

fn of_results(reply: &Reply) -> Statement {
    let result = |result: &RequestResult| format!("#{}: {}", result.number, outcome_name(&result.outcome));
    let results: Vec<_> = reply.results.iter().map(result).collect();
    let statement = new("Reply", Topic::Client).saying(listed(&results));
    match reply.results.first() {
        Some(first) => statement.at(first.seq),
        None => statement,
    }
}

fn outcome_name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done(_) => "done",
        Outcome::Refused(_) => "refused",
        Outcome::OverLimit(_) => "over a limit",
        Outcome::Panicked => "panicked",
        Outcome::Skipped(_) => "skipped",
    }
}

fn number_of(request: &Request) -> String {
    let client: String = request.id.client.to_string().chars().take(4).collect();
    format!("#{} of {client}", request.id.number)
}

fn batch_name(seq: SeqNum, digest: Digest) -> String {
    if digest == null_digest(seq) { "null".to_owned() } else { digest.short() }
}

fn count(number: usize, what: &str) -> String {
    format!("({number} {what}{})", if number == 1 { "" } else { "s" })
}

fn listed(items: &[String]) -> String {
    const LISTED_MAX: usize = 4;
    let shown = items.iter().take(LISTED_MAX).cloned().collect::<Vec<_>>().join(" ");
    match items.len() {
        0 => "nothing".to_owned(),
        1..=LISTED_MAX => shown,
        more => format!("{shown} and {} more", more - LISTED_MAX),
    }
}
