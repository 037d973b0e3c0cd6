//! A committee with deterministic Ed25519 keys, and everything that its members and clients can sign.

use std::sync::Arc;

use bytes::Bytes;
use quorate::batch::Batch;
use quorate::core::{EnteredView, Identity};
use quorate::genesis::Limits;
use quorate::messages::{
    Checkpoint, CheckpointCertificate, Commit, CommitCertificate, CommittedSlot, HeldVotes, Message, NewView, Payload,
    PrePrepare, Prepare, PreparedCertificate, Proposal, Request, Signed, SigningContext, Standing, Status, Verifier,
    ViewChange, VoteSignature,
};
use quorate::{
    ClientId, Committee, Genesis, Instant, NodeConfig, Now, ReplicaId, RequestId, RequestNumber, SeqNum, Session, View,
    WallTime,
};
use quorate_crypto::{Digest, Ed25519, Hasher, KeyPair};

use crate::re_proposals::naive_plan;

/// The checkpoint interval of the tests.
pub(crate) const K: u64 = 4;
/// Their window.
pub(crate) const L: u64 = 2 * K;
/// The session of their clients.
pub(crate) const SESSION: Session = Session(7);
/// When they begin.
pub(crate) const START: Now = Now { monotonic: Instant(5_000_000_000), wall: WallTime(1_000_000_000_000) };

/// A place in the protocol: a view and a slot.
pub(crate) fn at(view: u64, seq: u64) -> (View, SeqNum) {
    (View(view), SeqNum(seq))
}

/// Some digest with a name.
pub(crate) fn digest(name: &str) -> Digest {
    Hasher::new("test").bytes(name.as_bytes()).finish()
}

/// One network: its genesis, the settings of its replicas, and all its keys.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) config: Arc<NodeConfig>,
    pub(crate) context: SigningContext,
}

impl World {
    /// A network of `n` members and four clients with small limits.
    pub(crate) fn new(n: u16) -> Self {
        Self::with(n, |_, _| {})
    }

    /// The same with other limits or settings.
    pub(crate) fn with(n: u16, adjust: impl FnOnce(&mut Limits, &mut NodeConfig)) -> Self {
        let mut limits = Limits {
            checkpoint_interval: K,
            client_window: 64,
            operation_bytes_max: 32,
            batch_requests_max: 4,
            batch_bytes_max: 4096,
            ..Limits::default()
        };
        let mut config = NodeConfig { batch_delay_us: 0, ..NodeConfig::default() };
        adjust(&mut limits, &mut config);
        let members = (0..n).map(|member| member_key(member).public()).collect();
        let genesis = Genesis {
            version: 1,
            network: "test".to_owned(),
            time: WallTime(0),
            limits,
            committee: Committee::new(members).expect("the tests choose sizes of committees"),
            clients: (0..4).map(|client| ClientId(client_key(client).public())).collect(),
        };
        genesis.validate(&Ed25519).expect("the tests choose limits that work");
        let context = SigningContext::new(Arc::new(Ed25519), genesis.chain_id(), genesis.epoch());
        World { genesis: Arc::new(genesis), config: Arc::new(config.validated().expect("in range")), context }
    }

    pub(crate) fn n(&self) -> u16 {
        u16::try_from(self.genesis.committee.size()).expect("at most 64")
    }

    /// All members but one.
    pub(crate) fn others(&self, id: u16) -> impl Iterator<Item = u16> + use<> {
        (0..self.n()).filter(move |member| *member != id)
    }

    /// What a member says that stands at the beginning of this view and has executed up to `executed`.
    pub(crate) fn status_at(&self, view: View, executed: SeqNum) -> Status {
        Status {
            view,
            target: None,
            suspects: false,
            standing: Standing::Voting,
            stable: SeqNum::GENESIS,
            executed,
            chain: Digest::ZERO,
            slots: Vec::new(),
        }
    }

    /// What a member says that holds no vote of another one.
    pub(crate) fn no_votes(&self, signer: u16) -> HeldVotes {
        HeldVotes {
            signer: ReplicaId(signer),
            view: View(0),
            target: View(0),
            certified: SeqNum::GENESIS,
            pre_prepares: Vec::new(),
            prepares: Vec::new(),
            commits: Vec::new(),
            view_change: None,
        }
    }

    pub(crate) fn quorum(&self) -> usize {
        self.genesis.committee.quorum()
    }

    pub(crate) fn primary(&self, view: View) -> u16 {
        self.genesis.committee.primary(view).0
    }

    /// The members other than the primary of `view`.
    pub(crate) fn backups(&self, view: View) -> impl Iterator<Item = u16> + use<> {
        let primary = self.primary(view);
        (0..self.n()).filter(move |member| *member != primary)
    }

    pub(crate) fn verifier(&self) -> Verifier {
        Verifier::new(Arc::clone(&self.genesis), self.context.clone(), 65_536)
    }

    pub(crate) fn identity(&self, id: u16) -> Identity {
        Identity {
            genesis: Arc::clone(&self.genesis),
            config: Arc::clone(&self.config),
            id: ReplicaId(id),
            key: member_key(id),
            context: self.context.clone(),
        }
    }

    pub(crate) fn sign<P: Payload>(&self, signer: u16, payload: P) -> Signed<P> {
        self.context.sign(&member_key(signer), ReplicaId(signer), payload)
    }

    pub(crate) fn client(&self, client: u8) -> ClientId {
        ClientId(client_key(client).public())
    }

    pub(crate) fn request_id(&self, client: u8, number: u64) -> RequestId {
        RequestId { client: self.client(client), session: SESSION, number: RequestNumber(number) }
    }

    /// The `number`th request of a client.
    pub(crate) fn request(&self, client: u8, number: u64) -> Request {
        self.request_for(self.request_id(client, number), format!("{client}/{number}"))
    }

    /// A request of any name of one of the four clients.
    pub(crate) fn request_for(&self, id: RequestId, operation: String) -> Request {
        let owner = (0..4).find(|client| self.client(*client) == id.client).expect("one of the four clients");
        Request::sign(&self.context, &client_key(owner), id, Bytes::from(operation))
    }

    /// A batch of requests of client 0.
    pub(crate) fn batch(&self, numbers: &[u64]) -> Batch {
        Batch::new(START.wall, numbers.iter().map(|number| self.request(0, *number)).collect())
    }

    /// The primary's assignment.
    pub(crate) fn header(&self, (view, seq): (View, SeqNum), digest: Digest) -> Signed<PrePrepare> {
        self.sign(self.primary(view), PrePrepare { view, seq, digest })
    }

    /// The primary's assignment with its batch.
    pub(crate) fn proposal(&self, place: (View, SeqNum), batch: &Batch) -> Message {
        let header = self.header(place, batch.digest(place.1));
        Message::PrePrepare(Proposal { header, batch: Some(batch.clone()) })
    }

    pub(crate) fn prepare(&self, signer: u16, (view, seq): (View, SeqNum), digest: Digest) -> Message {
        Message::Prepare(self.sign(signer, Prepare { view, seq, digest }))
    }

    pub(crate) fn commit(&self, signer: u16, (view, seq): (View, SeqNum), digest: Digest) -> Message {
        Message::Commit(self.sign(signer, Commit { view, seq, digest }))
    }

    pub(crate) fn checkpoint(&self, signer: u16, seq: u64, root: Digest) -> Message {
        Message::Checkpoint(self.sign(signer, Checkpoint { seq: SeqNum(seq), root }))
    }

    pub(crate) fn votes<P: Payload + Clone>(
        &self,
        payload: &P,
        signers: impl IntoIterator<Item = u16>,
    ) -> Vec<VoteSignature> {
        let vote = |signer| VoteSignature {
            signer: ReplicaId(signer),
            signature: self.sign(signer, payload.clone()).signature,
        };
        signers.into_iter().map(vote).collect()
    }

    /// A prepared certificate with the Prepares of the first backups.
    pub(crate) fn prepared(&self, (view, seq): (View, SeqNum), digest: Digest) -> PreparedCertificate {
        let backups = self.backups(view).take(self.quorum() - 1);
        PreparedCertificate {
            pre_prepare: self.header((view, seq), digest),
            prepares: self.votes(&Prepare { view, seq, digest }, backups),
        }
    }

    /// A commit certificate of the first members.
    pub(crate) fn committed(&self, (view, seq): (View, SeqNum), digest: Digest) -> CommitCertificate {
        let commit = Commit { view, seq, digest };
        CommitCertificate { commit, commits: self.votes(&commit, 0..self.quorum() as u16) }
    }

    /// A committed slot of view 0 with a batch of these requests of client 0.
    pub(crate) fn committed_slot(&self, seq: u64, numbers: &[u64]) -> CommittedSlot {
        let batch = self.batch(numbers);
        CommittedSlot { certificate: self.committed(at(0, seq), batch.digest(SeqNum(seq))), batch: Some(batch) }
    }

    /// A checkpoint certificate of the first members.
    pub(crate) fn certified(&self, seq: u64, root: Digest) -> CheckpointCertificate {
        let checkpoint = Checkpoint { seq: SeqNum(seq), root };
        CheckpointCertificate { checkpoint, signatures: self.votes(&checkpoint, 0..self.quorum() as u16) }
    }

    /// A ViewChange of a member without a stable checkpoint.
    pub(crate) fn view_change(
        &self,
        signer: u16,
        target: u64,
        prepared: Vec<PreparedCertificate>,
    ) -> Signed<ViewChange> {
        self.sign(signer, ViewChange { target: View(target), stable: None, prepared })
    }

    /// The NewView that its primary makes of these ViewChanges.
    pub(crate) fn new_view(&self, target: u64, view_changes: &[Signed<ViewChange>]) -> Signed<NewView> {
        let target = View(target);
        let payloads: Vec<_> = view_changes.iter().map(|signed| signed.payload.clone()).collect();
        let assignments = naive_plan(&payloads).assignments;
        let mut sorted: Vec<_> = view_changes.iter().map(|signed| (signed.signer, signed.digest())).collect();
        sorted.sort();
        let pre_prepares = assignments.into_iter().map(|(seq, digest)| self.header((target, seq), digest)).collect();
        self.sign(self.primary(target), NewView { target, view_changes: sorted, pre_prepares })
    }

    /// The view that Q empty ViewChanges of the first members begin.
    pub(crate) fn empty_view(&self, target: u64) -> EnteredView {
        let view_changes: Vec<_> =
            (0..self.quorum() as u16).map(|signer| self.view_change(signer, target, Vec::new())).collect();
        EnteredView { new_view: self.new_view(target, &view_changes), view_changes }
    }
}

pub(crate) fn member_key(member: u16) -> KeyPair {
    KeyPair::from_seed(&[1 + u8::try_from(member).expect("at most 64"); 32])
}

pub(crate) fn client_key(client: u8) -> KeyPair {
    KeyPair::from_seed(&[200 + client; 32])
}
