//! `root-contents`: the root of a checkpoint stands for everything that a replica must take over with a state: slot, the
//! application's part, the client table, chain hash and time.
//! `money`: transfers move money and make none.

use quorate::ReplicaId;
use quorate::execution::ReplicatedState;
use quorate_crypto::{Digest, Hasher};

use crate::tally::{MONEY, money_in};

pub(super) fn check_root(id: ReplicaId, state: &ReplicatedState, root: Digest) -> Result<(), String> {
    let position = &state.position;
    let expected = Hasher::new("quorate/root/v1")
        .u64(position.seq.0)
        .digest(&state.application.root())
        .digest(&state.clients.root())
        .digest(&position.chain)
        .u64(position.time.0)
        .finish();
    if root == expected {
        Ok(())
    } else {
        Err(format!("the root of {id} at {} is not that of its state", position.seq))
    }
}

pub(super) fn check_money(id: ReplicaId, state: &ReplicatedState) -> Result<(), String> {
    let found = money_in(&state.application);
    if found == MONEY { Ok(()) } else { Err(format!("{id} has {found} of {MONEY} after {}", state.position.seq)) }
}

#[cfg(test)]
mod tests {
    use quorate::execution::Position;
    use quorate::execution::state::State;
    use quorate::{SeqNum, WallTime};

    use super::super::samples::{ID, digest};
    use super::*;
    use crate::tally::account_key;

    fn state() -> ReplicatedState {
        let position = Position { chain_id: digest(1), seq: SeqNum(4), chain: digest(2), time: WallTime(5) };
        ReplicatedState { position, clients: State::new(), application: State::new() }
    }

    #[test]
    fn a_root_that_leaves_anything_out_is_noticed() {
        let root = state().root();
        assert_eq!(check_root(ID, &state(), root), Ok(()));
        let mut others = [state(), state(), state(), state(), state()];
        others[0].position.seq = SeqNum(8);
        others[1].position.chain = digest(3);
        others[2].position.time = WallTime(6);
        others[3].clients.insert(b"client", b"window").unwrap();
        others[4].application.insert(b"key", b"value").unwrap();
        assert!(others.iter().all(|other| check_root(ID, other, root).is_err()));
    }

    #[test]
    fn money_that_appears_or_vanishes_is_noticed() {
        assert_eq!(check_money(ID, &state()), Ok(()));
        for amount in [99u64, 101] {
            let mut other = state();
            other.application.insert(&account_key(0), &amount.to_le_bytes()).unwrap();
            assert!(check_money(ID, &other).is_err(), "{amount}");
        }
    }
}
