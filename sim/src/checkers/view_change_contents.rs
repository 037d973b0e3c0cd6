//! `view-change-contents`: a ViewChange leaves out nothing that its replica is bound to: for every slot above its checkpoint it
//! names a prepared certificate at least as new as the one in the journal.

use std::collections::BTreeMap;

use quorate::ReplicaId;
use quorate::messages::{Signed, ViewChange};

use super::journals::Journal;

pub(super) fn check_asked(id: ReplicaId, journal: &Journal, asked: &Signed<ViewChange>) -> Result<(), String> {
    let ViewChange { target, stable, prepared } = &asked.payload;
    let named: BTreeMap<_, _> = prepared.iter().map(|known| (known.seq(), known.view())).collect();
    let stable = stable.as_ref().map(|stable| stable.checkpoint.seq).unwrap_or_default();
    for (seq, (view, _)) in journal.prepared.range(stable.next()..) {
        if named.get(seq).is_none_or(|named| named < view) {
            return Err(format!("{id} asks for {target} without what it prepared at {seq} in view {view}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use quorate::{SeqNum, View};

    use super::super::samples::{ID, digest, prepared_certificate, signed_view_change};
    use super::*;

    #[test]
    fn a_view_change_that_omits_a_certificate_or_names_an_older_one_is_noticed() {
        let mut journal = Journal::default();
        journal.prepared.insert(SeqNum(5), (View(2), digest(7)));
        let check = |prepared| check_asked(ID, &journal, &signed_view_change(ID, 4, prepared));
        assert_eq!(check(vec![prepared_certificate(2, 5, 7, &[0, 1])]), Ok(()));
        assert!(check(vec![]).is_err());
        assert!(check(vec![prepared_certificate(1, 5, 7, &[0, 1])]).is_err());
    }
}
