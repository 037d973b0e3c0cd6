//! Receipts: what a client can show to a third party (docs/PROTOCOL.md, "Formulas").
//!
//! After a batch, a replica that is asked signs one [`Attestation`] under the chain hash and the root of the batch's
//! results. W = f+1 equal attestations contain one of a correct replica, so that the statement is true; with the Merkle
//! path from a result to the root they prove that this operation had this outcome at this place in the history. Who
//! checks needs the committee's keys and the chain id, and no network.

use std::collections::BTreeMap;

use bytes::Bytes;
use quorate_crypto::Digest;
use quorate_crypto::merkle::{InclusionProof, InvalidProof};
use serde::{Deserialize, Serialize};

use crate::codec::{self, DecodeError};
use crate::committee::Committee;
use crate::messages::client::{AttestedResult, RequestResult};
use crate::messages::request::operation_digest;
use crate::messages::{Attestation, Signed, SigningContext, VoteSignature};
use crate::outcome::result_leaf;
use crate::types::{ClientId, ReplicaId, RequestId};

/// The proof that a request had a result at a place in the history.
///
/// Every field is a claim until [`Receipt::verify`] accepts the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Whose request.
    pub client: ClientId,
    /// Which request, where it was executed and what became of it.
    pub result: RequestResult,
    /// What the members signed.
    pub attestation: Attestation,
    /// W distinct members, in ascending order.
    #[serde(with = "codec::list")]
    pub signatures: Vec<VoteSignature>,
    /// From the result's leaf to the root of the batch's results. The size that it names is needed to walk the path, but
    /// is not proven: the place in the batch is `result.index`, which the leaf contains.
    pub path: InclusionProof,
}

/// Why a receipt proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReceipt {
    /// A signature of somebody who is no member.
    #[error("{0} is not a member")]
    NotAMember(ReplicaId),
    /// Not W members, or one twice, or not in ascending order.
    #[error("not the signatures of f+1 distinct members in ascending order")]
    NotAWeakQuorum,
    /// A signature does not verify.
    #[error("the signature of member {0} does not verify")]
    Signature(ReplicaId),
    /// Result, attestation and path speak of different places.
    #[error("the result stands at another place than the one attested")]
    OtherPlace,
    /// The result is not in the attested batch.
    #[error("the result is not among those attested: {0}")]
    Path(#[from] InvalidProof),
}

impl Receipt {
    /// The receipt of a result from the parts of several members; `None` while fewer than W of them agree. Parts that
    /// prove nothing are left out.
    #[must_use]
    pub fn assemble(
        client: ClientId,
        result: RequestResult,
        parts: impl IntoIterator<Item = AttestedResult>,
        committee: &Committee,
        context: &SigningContext,
    ) -> Option<Receipt> {
        let mut builder = ReceiptBuilder::new(client, result);
        parts.into_iter().find_map(|part| builder.add(part, committee, context).ok().flatten())
    }

    /// Checks the receipt with nothing but the committee's keys and the network's [`SigningContext`].
    ///
    /// # Errors
    /// [`InvalidReceipt`] with the first thing that is wrong.
    pub fn verify(&self, committee: &Committee, context: &SigningContext) -> Result<(), InvalidReceipt> {
        let ascending = self.signatures.iter().zip(self.signatures.iter().skip(1)).all(|(a, b)| a.signer < b.signer);
        if self.signatures.len() != committee.weak_quorum() || !ascending {
            return Err(InvalidReceipt::NotAWeakQuorum);
        }
        check_path(self.client, &self.result, &self.attestation, &self.path)?;
        self.signatures.iter().try_for_each(|vote| check_signature(&self.attestation, vote, committee, context))
    }

    /// Whether the request asked for exactly this operation.
    #[must_use]
    pub fn is_for(&self, operation: &[u8]) -> bool {
        self.result.operation == operation_digest(operation)
    }

    /// The receipt as a file.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        codec::encode(self).into()
    }

    /// Reads what [`Receipt::encode`] made. What is read is not verified.
    ///
    /// # Errors
    /// [`DecodeError`] for bytes that are no receipt of this version.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(bytes)
    }
}

/// Collects attestations of distinct members until W are equal.
#[derive(Clone, Debug)]
pub struct ReceiptBuilder {
    client: ClientId,
    result: RequestResult,
    /// The first valid attestation of each member; at most n.
    attestations: BTreeMap<ReplicaId, Signed<Attestation>>,
}

impl ReceiptBuilder {
    /// Starts the receipt of a result that W replicas have replied.
    #[must_use]
    pub fn new(client: ClientId, result: RequestResult) -> Self {
        ReceiptBuilder { client, result, attestations: BTreeMap::new() }
    }

    /// Takes a member's part, and returns the receipt when this part completes it. A member's later parts change
    /// nothing, so that nobody counts twice.
    ///
    /// # Errors
    /// [`InvalidReceipt`] when the part proves nothing about the result. It is forgotten, the others stay.
    pub fn add(
        &mut self,
        part: AttestedResult,
        committee: &Committee,
        context: &SigningContext,
    ) -> Result<Option<Receipt>, InvalidReceipt> {
        let AttestedResult { attestation, path } = part;
        check_path(self.client, &self.result, &attestation.payload, &path)?;
        let vote = VoteSignature { signer: attestation.signer, signature: attestation.signature };
        check_signature(&attestation.payload, &vote, committee, context)?;
        let statement = attestation.payload;
        self.attestations.entry(attestation.signer).or_insert(attestation);
        Ok(self.assemble(statement, path, committee.weak_quorum()))
    }

    fn assemble(&self, attestation: Attestation, path: InclusionProof, weak_quorum: usize) -> Option<Receipt> {
        let equal = self.attestations.values().filter(|signed| signed.payload == attestation);
        let signatures: Vec<_> = equal
            .map(|signed| VoteSignature { signer: signed.signer, signature: signed.signature })
            .take(weak_quorum)
            .collect();
        let is_complete = signatures.len() == weak_quorum;
        is_complete.then(|| Receipt { client: self.client, result: self.result.clone(), attestation, signatures, path })
    }
}

fn check_path(
    client: ClientId,
    result: &RequestResult,
    attestation: &Attestation,
    path: &InclusionProof,
) -> Result<(), InvalidReceipt> {
    if result.seq != attestation.seq || path.index != u64::from(result.index) {
        return Err(InvalidReceipt::OtherPlace);
    }
    Ok(path.verify(&attestation.results_root, &leaf_of(client, result))?)
}

/// The leaf of a result in the tree of its batch.
pub(super) fn leaf_of(client: ClientId, result: &RequestResult) -> Digest {
    let id = RequestId { client, session: result.session, number: result.number };
    result_leaf(result.index, &id, &result.operation, &result.outcome)
}

fn check_signature(
    attestation: &Attestation,
    vote: &VoteSignature,
    committee: &Committee,
    context: &SigningContext,
) -> Result<(), InvalidReceipt> {
    let key = committee.key(vote.signer).ok_or(InvalidReceipt::NotAMember(vote.signer))?;
    let bytes = context.replica_bytes(vote.signer, attestation);
    context.verify(key, &bytes, &vote.signature).map_err(|_| InvalidReceipt::Signature(vote.signer))
}
