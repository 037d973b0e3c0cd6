//! `checkpoints`: the root that a correct replica signs, holds as certified or installs is the one that executing the
//! history gave.

use quorate::SeqNum;
use quorate_crypto::Digest;

use super::history::History;

pub(super) fn check_root(history: &History, seq: SeqNum, root: Digest) -> Result<(), String> {
    match history.slot(seq) {
        Some(slot) if slot.root == Some(root) => Ok(()),
        Some(_) | None => Err(format!("a root that no executor has at {seq} is claimed")),
    }
}

/// A state may be loaded at a slot at which none is certified; then the history tells whether it is right.
pub(super) fn check_loaded(history: &History, seq: SeqNum, root: Digest) -> Result<(), String> {
    let known = history.slot(seq).and_then(|slot| slot.root);
    if known.is_none_or(|known| known == root) { Ok(()) } else { Err(format!("another state is loaded at {seq}")) }
}

#[cfg(test)]
mod tests {
    use quorate::core::ExecutedBatch;

    use super::super::samples::{digest, executed, null, rules_of};
    use super::*;

    #[test]
    fn a_root_that_no_execution_gave_is_noticed() {
        let mut history = History::new(&rules_of(4));
        history.extend(&null(1), &ExecutedBatch { root: Some(digest(7)), ..executed(1) });
        assert_eq!(check_root(&history, SeqNum(1), digest(7)), Ok(()));
        assert!(check_root(&history, SeqNum(1), digest(8)).is_err());
        assert!(check_root(&history, SeqNum(2), digest(7)).is_err());
        assert_eq!(check_loaded(&history, SeqNum(1), digest(7)), Ok(()));
        assert!(check_loaded(&history, SeqNum(1), digest(8)).is_err());
    }
}
