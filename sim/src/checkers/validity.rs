//! `validity`: only what a client has asked for is executed.

use std::collections::BTreeMap;

use bytes::Bytes;
use quorate::RequestId;
use quorate::batch::{Batch, CommittedBatch};
use quorate::messages::request::operation_digest;
use quorate_crypto::Digest;

/// What the clients have signed. A Byzantine client signs several operations under one name.
#[derive(Clone, Debug, Default)]
pub(super) struct Submitted(BTreeMap<RequestId, Vec<Bytes>>);

impl Submitted {
    pub(super) fn add(&mut self, id: RequestId, operation: Bytes) {
        let signed = self.0.entry(id).or_default();
        if !signed.contains(&operation) {
            signed.push(operation);
        }
    }

    pub(super) fn check_batch(&self, batch: &CommittedBatch) -> Result<(), String> {
        for request in batch.batch.as_ref().map_or(&[][..], Batch::requests) {
            let signed = self.0.get(&request.id);
            if !signed.is_some_and(|signed| signed.contains(&request.operation)) {
                return Err(format!("{:?} is executed at {} and was never asked for", request.id, batch.seq));
            }
        }
        Ok(())
    }

    /// Whether one of the operations under this name has this hash.
    pub(super) fn has_signed(&self, id: &RequestId, operation: &Digest) -> bool {
        self.0.get(id).is_some_and(|signed| signed.iter().any(|signed| operation_digest(signed) == *operation))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{batch_of, request};
    use super::*;

    #[test]
    fn an_operation_that_nobody_asked_for_is_noticed() {
        let mut submitted = Submitted::default();
        submitted.add(request(1, b"a").id, Bytes::from_static(b"a"));
        submitted.add(request(1, b"b").id, Bytes::from_static(b"b"));
        assert_eq!(submitted.check_batch(&batch_of(1, vec![request(1, b"a")])), Ok(()));
        assert_eq!(submitted.check_batch(&batch_of(2, vec![request(1, b"b")])), Ok(()));
        assert!(submitted.check_batch(&batch_of(3, vec![request(1, b"c")])).is_err());
        assert!(submitted.check_batch(&batch_of(3, vec![request(2, b"a")])).is_err());
    }
}
