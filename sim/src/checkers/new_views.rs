//! `new-views`: a correct replica enters a view only with Q ViewChanges of distinct members for exactly that view, and
//! with the assignments that follow from them: every slot between the highest proven checkpoint and the highest prepared
//! slot takes what was prepared there in the highest view, else nothing.

use std::collections::{BTreeMap, BTreeSet};

use quorate::batch::null_digest;
use quorate::core::EnteredView;
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

use super::rules::Rules;

pub(super) fn check_entered(rules: &Rules, id: ReplicaId, entered: &EnteredView) -> Result<(), String> {
    let new_view = &entered.new_view.payload;
    let target = new_view.target;
    let named: Vec<_> = new_view.view_changes.iter().map(|(signer, _)| *signer).collect();
    let signers: Vec<_> = entered.view_changes.iter().map(|asked| asked.signer).collect();
    let distinct: BTreeSet<_> = signers.iter().collect();
    if named != signers || distinct.len() != signers.len() || (signers.len() as u64) < rules.quorum {
        return Err(format!("{id} enters {target} with ViewChanges of {signers:?}, named {named:?}"));
    }
    if let Some(other) = entered.view_changes.iter().find(|asked| asked.payload.target != target) {
        return Err(format!("{id} enters {target} with a ViewChange for {}", other.payload.target));
    }
    let assigned: Vec<_> = new_view.pre_prepares.iter().map(|header| header.payload).collect();
    let found: Vec<_> = assigned.iter().map(|header| (header.seq, header.digest)).collect();
    let expected = assignments(entered);
    if found != expected || assigned.iter().any(|header| header.view != target) {
        return Err(format!("{id} enters {target} with {found:?}, from its ViewChanges follows {expected:?}"));
    }
    Ok(())
}

fn assignments(entered: &EnteredView) -> Vec<(SeqNum, Digest)> {
    let asked = || entered.view_changes.iter().map(|asked| &asked.payload);
    let stable = asked().filter_map(|asked| asked.stable.as_ref()).map(|stable| stable.checkpoint.seq.0).max();
    let stable = stable.unwrap_or(0);
    let mut highest: BTreeMap<u64, (View, Digest)> = BTreeMap::new();
    for known in asked().flat_map(|asked| &asked.prepared) {
        let header = known.pre_prepare.payload;
        let place = highest.entry(header.seq.0).or_insert((header.view, header.digest));
        if header.view > place.0 {
            *place = (header.view, header.digest);
        }
    }
    let last = highest.keys().next_back().copied().unwrap_or(0);
    let digest = |seq| highest.get(&seq).map_or_else(|| null_digest(SeqNum(seq)), |(_, digest)| *digest);
    (stable + 1..=last).map(|seq| (SeqNum(seq), digest(seq))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::rules::rules;
    use super::super::samples::{
        ID, checkpoint_certificate, digest, new_view_of, prepared_certificate, signed_view_change_of,
    };
    use super::*;

    /// Members 0, 1 and 2 ask for view 9. 0 has a checkpoint at 4; 1 was prepared at 6 in view 2, 2 in view 3, and at 8.
    fn entered(assigned: Vec<(u64, Digest)>) -> EnteredView {
        let stable = Some(checkpoint_certificate(4, 1, &[0, 1, 2]));
        let view_changes = vec![
            signed_view_change_of(0, 9, stable, vec![]),
            signed_view_change_of(
                1,
                9,
                None,
                vec![prepared_certificate(2, 3, 1, &[0, 1]), prepared_certificate(2, 6, 2, &[0, 1])],
            ),
            signed_view_change_of(
                2,
                9,
                None,
                vec![prepared_certificate(3, 6, 3, &[0, 1]), prepared_certificate(1, 8, 4, &[0, 2])],
            ),
        ];
        EnteredView { new_view: new_view_of(9, &view_changes, assigned), view_changes }
    }

    fn right() -> Vec<(u64, Digest)> {
        vec![(5, null_digest(SeqNum(5))), (6, digest(3)), (7, null_digest(SeqNum(7))), (8, digest(4))]
    }

    #[test]
    fn what_follows_from_the_view_changes_is_right() {
        assert_eq!(check_entered(&rules(4, 8), ID, &entered(right())), Ok(()));
    }

    #[test]
    fn a_lower_view_an_omission_a_null_and_a_settled_slot_are_noticed() {
        let wrong = |change: fn(&mut Vec<(u64, Digest)>)| {
            let mut assigned = right();
            change(&mut assigned);
            check_entered(&rules(4, 8), ID, &entered(assigned)).is_err()
        };
        assert!(wrong(|assigned| assigned[1].1 = digest(2)), "the certificate of the lower view");
        assert!(wrong(|assigned| assigned[1].1 = null_digest(SeqNum(6))), "a null where something was prepared");
        assert!(wrong(|assigned| assigned[0].1 = digest(9)), "something where nothing was prepared");
        assert!(wrong(|assigned| assigned.truncate(3)), "an omission");
        assert!(wrong(|assigned| assigned.insert(0, (3, digest(1)))), "a slot below the checkpoint");
    }

    #[test]
    fn too_few_doubled_or_foreign_view_changes_are_noticed() {
        let rules = rules(4, 8);
        let with = |members: &[u16], target| {
            let asked = |member: &u16| signed_view_change_of(*member, target, None, vec![]);
            let view_changes: Vec<_> = members.iter().map(asked).collect();
            EnteredView { new_view: new_view_of(9, &view_changes, vec![]), view_changes }
        };
        assert_eq!(check_entered(&rules, ID, &with(&[0, 2, 3], 9)), Ok(()));
        assert!(check_entered(&rules, ID, &with(&[0, 2], 9)).is_err());
        assert!(check_entered(&rules, ID, &with(&[0, 2, 2], 9)).is_err());
        assert!(check_entered(&rules, ID, &with(&[0, 2, 3], 8)).is_err());
        let mut other = with(&[0, 2, 3], 9);
        other.new_view = new_view_of(9, &with(&[0, 1, 3], 9).view_changes, vec![]);
        assert!(check_entered(&rules, ID, &other).is_err());
    }
}
