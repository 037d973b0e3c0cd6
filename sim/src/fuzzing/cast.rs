//! One small network, the same in every run: four members, two clients, all their keys.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use quorate::batch::Batch;
use quorate::core::{EnteredView, Identity};
use quorate::genesis::Limits;
use quorate::messages::{
    Checkpoint, CheckpointCertificate, Commit, CommitCertificate, NewView, Payload, PrePrepare, Prepare,
    PreparedCertificate, Request, Signed, SigningContext, Verifier, ViewChange, VoteSignature,
};
use quorate::{
    ClientId, Committee, Genesis, NodeConfig, ReplicaId, RequestId, RequestNumber, SeqNum, Session, View, WallTime,
};
use quorate_crypto::{Digest, Hasher, InvalidKey, InvalidSignature, KeyPair, PublicKey, Signature, SignatureScheme};

use crate::signatures::KeyedHash;

/// K.
pub(super) const K: u64 = 4;
/// The session of the clients' requests.
pub(super) const SESSION: Session = Session(7);
/// When the network was founded.
pub(super) const FOUNDED: WallTime = WallTime(1_700_000_000_000_000_000);
/// How many members there are.
const MEMBERS: u16 = 4;
/// How many clients there are.
const CLIENTS: u8 = 2;

/// A network.
#[derive(Debug)]
pub(super) struct Cast {
    pub genesis: Arc<Genesis>,
    pub config: Arc<NodeConfig>,
    pub context: SigningContext,
    /// Remembers nothing, so that one input never changes what another one does.
    pub verifier: Verifier,
    /// Takes every signature for valid, so that a fuzzer reaches what lies behind them.
    pub credulous: Verifier,
    /// The context of that.
    pub credulity: SigningContext,
}

/// Every signature is valid.
#[derive(Clone, Copy, Debug)]
struct Credulous;

impl SignatureScheme for Credulous {
    fn sign(&self, key: &KeyPair, message: &[u8]) -> Signature {
        KeyedHash.sign(key, message)
    }

    fn verify(&self, _key: &PublicKey, _message: &[u8], _signature: &Signature) -> Result<(), InvalidSignature> {
        Ok(())
    }

    fn check_key(&self, _key: &PublicKey) -> Result<(), InvalidKey> {
        Ok(())
    }
}

impl Cast {
    /// The one network of this process.
    pub(super) fn get() -> &'static Cast {
        static CAST: OnceLock<Cast> = OnceLock::new();
        CAST.get_or_init(Cast::new)
    }

    fn new() -> Cast {
        let limits = Limits {
            checkpoint_interval: K,
            client_window: 8,
            operation_bytes_max: 32,
            batch_requests_max: 4,
            batch_bytes_max: 4096,
            ..Limits::default()
        };
        let genesis = Arc::new(Genesis {
            version: quorate::codec::FORMAT_VERSION,
            network: "fuzzed".to_owned(),
            time: FOUNDED,
            limits,
            committee: Committee::new((0..MEMBERS).map(|member| member_key(member).public()).collect())
                .expect("four members are a committee"),
            clients: (0..CLIENTS).map(|client| ClientId(client_key(client).public())).collect(),
        });
        let config = NodeConfig { batch_delay_us: 0, catch_up_slots_max: 8, ..NodeConfig::default() };
        let context = |scheme| SigningContext::new(scheme, genesis.chain_id(), genesis.epoch());
        let (strict, credulity) = (context(Arc::new(KeyedHash)), context(Arc::new(Credulous)));
        Cast {
            verifier: Verifier::new(Arc::clone(&genesis), strict.clone(), 0),
            credulous: Verifier::new(Arc::clone(&genesis), credulity.clone(), 0),
            context: strict,
            credulity,
            config: Arc::new(config),
            genesis,
        }
    }

    /// A member with its key.
    pub(super) fn identity(&self, id: ReplicaId) -> Identity {
        Identity {
            genesis: Arc::clone(&self.genesis),
            config: Arc::clone(&self.config),
            id,
            key: member_key(id.0),
            context: self.context.clone(),
        }
    }

    /// All members.
    pub(super) fn members(&self) -> Vec<ReplicaId> {
        self.genesis.committee.ids().collect()
    }

    /// Q members.
    fn quorum(&self) -> Vec<ReplicaId> {
        self.genesis.committee.ids().take(self.genesis.committee.quorum()).collect()
    }

    pub(super) fn sign<P: Payload>(&self, signer: ReplicaId, payload: P) -> Signed<P> {
        self.context.sign(&member_key(signer.0), signer, payload)
    }

    pub(super) fn votes<P: Payload + Clone>(&self, payload: &P, signers: &[ReplicaId]) -> Vec<VoteSignature> {
        let vote = |signer: &ReplicaId| VoteSignature {
            signer: *signer,
            signature: self.sign(*signer, payload.clone()).signature,
        };
        signers.iter().map(vote).collect()
    }

    /// The `number`th request of a client.
    pub(super) fn request(&self, client: u8, number: u64) -> Request {
        let key = client_key(client % CLIENTS);
        let id = RequestId { client: ClientId(key.public()), session: SESSION, number: RequestNumber(number) };
        Request::sign(&self.context, &key, id, Bytes::from(format!("{client}/{number}")))
    }

    /// A batch of these requests of the first client.
    pub(super) fn batch(&self, numbers: &[u64]) -> Batch {
        Batch::new(WallTime(FOUNDED.0 + 1), numbers.iter().map(|number| self.request(0, *number)).collect())
    }

    /// The assignment of the primary of its view.
    pub(super) fn header(&self, view: View, seq: SeqNum, digest: Digest) -> Signed<PrePrepare> {
        self.sign(self.genesis.committee.primary(view), PrePrepare { view, seq, digest })
    }

    pub(super) fn prepared(&self, view: View, seq: SeqNum, digest: Digest) -> PreparedCertificate {
        let primary = self.genesis.committee.primary(view);
        let mut backups = self.members();
        backups.retain(|member| *member != primary);
        backups.truncate(self.genesis.committee.quorum() - 1);
        let prepares = self.votes(&Prepare { view, seq, digest }, &backups);
        PreparedCertificate { pre_prepare: self.header(view, seq, digest), prepares }
    }

    pub(super) fn committed(&self, view: View, seq: SeqNum, digest: Digest) -> CommitCertificate {
        let commit = Commit { view, seq, digest };
        CommitCertificate { commit, commits: self.votes(&commit, &self.quorum()) }
    }

    pub(super) fn certified(&self, seq: SeqNum, root: Digest) -> CheckpointCertificate {
        let checkpoint = Checkpoint { seq, root };
        CheckpointCertificate { checkpoint, signatures: self.votes(&checkpoint, &self.quorum()) }
    }

    /// The NewView that names these ViewChanges, with these assignments.
    pub(super) fn new_view(
        &self,
        target: View,
        view_changes: &[Signed<ViewChange>],
        assignments: impl IntoIterator<Item = (SeqNum, Digest)>,
    ) -> Signed<NewView> {
        let mut named: Vec<_> = view_changes.iter().map(|signed| (signed.signer, signed.digest())).collect();
        named.sort();
        let pre_prepares = assignments.into_iter().map(|(seq, digest)| self.header(target, seq, digest)).collect();
        self.sign(self.genesis.committee.primary(target), NewView { target, view_changes: named, pre_prepares })
    }

    /// The view that Q empty ViewChanges begin.
    pub(super) fn empty_view(&self, target: View) -> EnteredView {
        let view_change = ViewChange { target, stable: None, prepared: Vec::new() };
        let view_changes: Vec<_> =
            self.quorum().into_iter().map(|signer| self.sign(signer, view_change.clone())).collect();
        EnteredView { new_view: self.new_view(target, &view_changes, []), view_changes }
    }
}

/// Some digest with a name.
pub(super) fn digest(name: &str) -> Digest {
    Hasher::new("fuzzed").bytes(name.as_bytes()).finish()
}

fn member_key(member: u16) -> KeyPair {
    let [low, high] = member.to_le_bytes();
    let mut seed = [1; 32];
    seed[0] = low;
    seed[1] = high;
    KeyPair::from_seed(&seed)
}

pub(super) fn client_key(client: u8) -> KeyPair {
    KeyPair::from_seed(&[200 + client; 32])
}
