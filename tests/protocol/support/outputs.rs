//! Outputs of a replica as short lines, in the order in which they take effect. Status is left out: it is periodic.

use quorate::core::{Actions, Evidence, JournalRecord, Notice, Order, Outgoing, Recipients, Rejection};
use quorate::messages::{Message, ReplicaMessage};
use quorate::{SeqNum, View};

/// What `actions` makes durable, sends and has executed.
pub(crate) fn outputs(actions: &Actions) -> Vec<String> {
    let persist = actions.persist.iter().map(|record| format!("journal {}", record_line(record)));
    let send = actions.send.iter().filter_map(sent_line);
    let execute = actions.execute.iter().map(order_line);
    persist.chain(send).chain(execute).collect()
}

/// Why the message was not taken, if it was not.
pub(crate) fn rejection(actions: &Actions) -> Option<Rejection> {
    actions
        .notices
        .iter()
        .find_map(|notice| if let Notice::Rejected { reason, .. } = notice { Some(reason.clone()) } else { None })
}

/// The proof of a fault that came out.
pub(crate) fn evidence(actions: &Actions) -> Option<Evidence> {
    actions
        .notices
        .iter()
        .find_map(|notice| if let Notice::Evidence(evidence) = notice { Some((**evidence).clone()) } else { None })
}

fn record_line(record: &JournalRecord) -> String {
    match record {
        JournalRecord::Batch { seq, .. } => format!("batch s{seq}"),
        JournalRecord::PrePrepared(header) => place("pre_prepared", header.payload.view, header.payload.seq),
        JournalRecord::Prepared(certificate) => place("prepared", certificate.view(), certificate.seq()),
        JournalRecord::ViewChangeSent(signed) => format!("view_change v{}", signed.payload.target),
        JournalRecord::ViewEntered(entered) => format!("view_entered v{}", entered.new_view.payload.target),
        JournalRecord::Committed(certificate) => place("committed", certificate.commit.view, certificate.seq()),
        JournalRecord::CheckpointTaken(checkpoint) => format!("checkpoint s{}", checkpoint.seq),
        JournalRecord::CheckpointStable(certificate) => format!("stable s{}", certificate.seq()),
        JournalRecord::RecoveryBegun(Some(bounds)) => format!("recovery begun v{} s{}", bounds.view, bounds.seq),
        JournalRecord::RecoveryBegun(None) => "recovery begun".to_owned(),
        JournalRecord::RecoveryEnded => "recovery ended".to_owned(),
    }
}

fn sent_line(outgoing: &Outgoing) -> Option<String> {
    match outgoing {
        Outgoing::Replica { message: Message::Status(_), .. } => None,
        Outgoing::Replica { to: Recipients::Others, message } => Some(format!("to all: {}", line_of(message))),
        Outgoing::Replica { to: Recipients::One(to), message } => Some(format!("to {to}: {}", line_of(message))),
        Outgoing::Client { message, .. } => Some(format!("to client: {}", client_line(message))),
        Outgoing::History { to, after, through } => Some(format!("to {to}: history ({after}, {through}]")),
    }
}

/// A message in a few words.
pub(crate) fn line_of(message: &Message) -> String {
    let kind = message.kind();
    match message {
        Message::Forward(request) => format!("{kind} {}", request.id.number),
        Message::PrePrepare(proposal) => place(kind, proposal.header.payload.view, proposal.header.payload.seq),
        Message::Prepare(vote) => place(kind, vote.payload.view, vote.payload.seq),
        Message::Commit(vote) => place(kind, vote.payload.view, vote.payload.seq),
        Message::Checkpoint(vote) => format!("{kind} s{}", vote.payload.seq),
        Message::ViewChange(signed) => format!("{kind} v{} of {}", signed.payload.target, signed.signer),
        Message::NewView(signed) => format!("{kind} v{}", signed.payload.target),
        Message::FetchBatch { seq, .. } | Message::Batch { seq, .. } => format!("{kind} s{seq}"),
        Message::FetchCommitted { after, to } => format!("{kind} ({after}, {to}]"),
        Message::Committed(slots) => format!("{kind} {} slots", slots.len()),
        Message::FetchViewChange { signer, .. } | Message::FetchVotes { signer } => format!("{kind} of {signer}"),
        Message::CheckpointCertificate(certificate) => format!("{kind} s{}", certificate.seq()),
        Message::FetchChain { from, to } => format!("{kind} [{from}, {to}]"),
        Message::Chain(chain) => format!("{kind} from {}", chain.from),
        Message::Votes(held) => format!("{kind} of {}", held.signer),
        Message::HistoryGone { after } => format!("{kind} after {after}"),
        Message::FetchState { seq } => format!("{kind} s{seq}"),
        Message::StateHead(head) => format!("{kind} s{}", head.seq),
        Message::FetchNodes(wanted) => format!("{kind} {} of s{}", wanted.nodes.len(), wanted.seq),
        Message::Nodes(nodes) => format!("{kind} {} of s{}", nodes.nodes.len(), nodes.seq),
        Message::Status(_) | Message::FetchCheckpoint => kind.to_owned(),
    }
}

fn client_line(message: &ReplicaMessage) -> String {
    match message {
        ReplicaMessage::Busy(busy) => format!("busy {}", busy.number),
        ReplicaMessage::Refused(refused) => format!("refused {} {:?}", refused.number, refused.reason),
        ReplicaMessage::Reply(_)
        | ReplicaMessage::Attestation(_)
        | ReplicaMessage::NotAttested { .. }
        | ReplicaMessage::Answer(_) => unreachable!("the core does not say that"),
    }
}

fn order_line(order: &Order) -> String {
    match order {
        Order::Apply(committed) if committed.batch.is_none() => format!("apply null s{}", committed.seq),
        Order::Apply(committed) => format!("apply s{}", committed.seq),
        Order::Resend { id, .. } => format!("resend {}", id.number),
        Order::Stable(certificate) => format!("stable s{}", certificate.seq()),
        Order::CatchUpTo(certificate) => format!("catch up to s{}", certificate.seq()),
    }
}

fn place(kind: &str, view: View, seq: SeqNum) -> String {
    format!("{kind} v{view} s{seq}")
}
