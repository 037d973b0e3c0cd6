//! The client table: which requests of every client are executed, and the results that may have to be sent again (PBFT,
//! section 4.1). It is part of the replicated state: a replica that takes a state over without it would execute an
//! operation twice.
//!
//! A [`State`] of its own, so that its checkpoint costs what changed:
//!
//! | Key | Value |
//! | --- | --- |
//! | client ‖ 0 | the [`ClientWindow`]: session, floor, bitmap |
//! | client ‖ 1 ‖ number, big-endian | the [`RequestResult`], for numbers in (floor - C, floor + C] of the open session |

use std::collections::BTreeMap;

use quorate_crypto::PublicKey;
use serde::de::DeserializeOwned;

use super::state::State;
use crate::client_window::{Admission, ClientWindow};
use crate::codec;
use crate::messages::client::RequestResult;
use crate::outcome::SkipReason;
use crate::types::{ClientId, RequestId, RequestNumber};

const WINDOW: u8 = 0;
const RESULT: u8 = 1;
const WINDOW_KEY_BYTES: usize = 32 + 1;
const RESULT_KEY_BYTES: usize = 32 + 1 + 8;

/// Sessions, windows and results of all clients. A clone is cheap.
#[derive(Clone, Debug)]
pub(super) struct ClientTable {
    state: State,
    /// C.
    width: u64,
}

/// What the table says about the requests of a batch, each decided after those before it.
#[derive(Debug)]
pub(super) struct Admitted {
    /// For each request, whether it is executed.
    pub(super) decisions: Vec<Result<(), SkipReason>>,
    /// The windows after the batch of all clients in it.
    windows: BTreeMap<ClientId, ClientWindow>,
}

impl ClientTable {
    /// No clients yet.
    pub(super) fn new(width: u64) -> Self {
        ClientTable { state: State::new(), width }
    }

    /// Decides which requests of a batch are executed. Changes nothing yet.
    pub(super) fn admit<'a>(&self, ids: impl Iterator<Item = &'a RequestId>) -> Admitted {
        let mut windows = BTreeMap::new();
        let decisions = ids.map(|id| decide(windows.entry(id.client).or_insert_with(|| self.window(&id.client)), id));
        Admitted { decisions: decisions.collect(), windows }
    }

    /// Takes over the windows after a batch, and the results of its executed requests in their order.
    pub(super) fn record(&mut self, admitted: Admitted, executed: &[(ClientId, RequestResult)]) {
        for (client, window) in &admitted.windows {
            self.move_window(client, window);
        }
        for (client, result) in executed {
            let is_kept = |window: &ClientWindow| {
                result.session == window.session() && result.number > self.forgotten_up_to(window)
            };
            if admitted.windows.get(client).is_some_and(is_kept) {
                self.put(&result_key(client, result.number), &codec::canonical(result));
            }
        }
    }

    /// The result of an executed request, while it is kept.
    pub(super) fn result(&self, id: &RequestId) -> Option<RequestResult> {
        let result: RequestResult = own_entry(self.state.get(&result_key(&id.client, id.number))?);
        (result.session == id.session).then_some(result)
    }

    /// The windows of all clients that have executed anything.
    pub(super) fn windows(&self) -> Vec<(ClientId, ClientWindow)> {
        let entries = self.state.range(&[]);
        entries.filter_map(|(key, value)| Some((window_owner(key)?, own_entry(value)))).collect()
    }

    /// The table as the replicated state that it is.
    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// The table in a state that comes from outside, if every entry of it is one of a table.
    pub(super) fn from_state(width: u64, state: State) -> Option<Self> {
        let is_table = state.range(&[]).all(|(key, value)| is_entry(width, key, value));
        is_table.then_some(ClientTable { state, width })
    }

    fn window(&self, client: &ClientId) -> ClientWindow {
        self.state.get(&window_key(client)).map_or_else(|| ClientWindow::new(self.width), own_entry)
    }

    fn move_window(&mut self, client: &ClientId, window: &ClientWindow) {
        let before = self.window(client);
        if *window == before {
            return;
        }
        let forgotten: Vec<Vec<u8>> = if window.session() == before.session() {
            let numbers = self.forgotten_up_to(&before).0 + 1..=self.forgotten_up_to(window).0;
            numbers.map(|number| result_key(client, RequestNumber(number)).to_vec()).collect()
        } else {
            self.state.range(&results_prefix(client)).map(|(key, _)| key.to_vec()).collect()
        };
        for key in forgotten {
            self.state.remove(&key);
        }
        self.put(&window_key(client), &codec::canonical(window));
    }

    /// floor - C: results up to here are not kept.
    fn forgotten_up_to(&self, window: &ClientWindow) -> RequestNumber {
        RequestNumber(window.floor().0.saturating_sub(self.width))
    }

    fn put(&mut self, key: &[u8], value: &[u8]) {
        // Keys have at most 41 bytes. A window has C / 8 bytes, C ≤ 4096, and a result `outcome_bytes_max` ≤ 32 KiB,
        // each with less than 1 KiB around it.
        self.state.insert(key, value).expect("entries of the client table are within the limits of a state");
    }
}

fn decide(window: &mut ClientWindow, id: &RequestId) -> Result<(), SkipReason> {
    match window.admit(id.session, id.number) {
        Admission::New => {
            window.record(id.session, id.number);
            Ok(())
        }
        Admission::Executed => Err(SkipReason::Executed),
        Admission::OldSession { current } => Err(SkipReason::OldSession { current }),
        Admission::OutsideWindow => Err(SkipReason::OutsideWindow),
    }
}

fn is_entry(width: u64, key: &[u8], value: &[u8]) -> bool {
    match window_owner(key) {
        Some(_) => codec::decode_canonical(value).is_ok_and(|window: ClientWindow| window.is_well_formed(width)),
        None => codec::decode_canonical(value).is_ok_and(|result: RequestResult| {
            key.len() == RESULT_KEY_BYTES
                && key.get(32) == Some(&RESULT)
                && key.ends_with(&result.number.0.to_be_bytes())
        }),
    }
}

fn own_entry<T: DeserializeOwned>(value: &[u8]) -> T {
    codec::decode_canonical(value).expect("only this table writes its entries, and `from_state` checks them")
}

fn window_owner(key: &[u8]) -> Option<ClientId> {
    let (client, rest) = key.split_first_chunk()?;
    (rest == [WINDOW]).then(|| ClientId(PublicKey::from_bytes(*client)))
}

fn window_key(client: &ClientId) -> [u8; WINDOW_KEY_BYTES] {
    tagged(client, WINDOW)
}

fn results_prefix(client: &ClientId) -> [u8; WINDOW_KEY_BYTES] {
    tagged(client, RESULT)
}

fn tagged(client: &ClientId, tag: u8) -> [u8; WINDOW_KEY_BYTES] {
    let mut key = [tag; WINDOW_KEY_BYTES];
    key[..32].copy_from_slice(client.0.as_bytes());
    key
}

fn result_key(client: &ClientId, number: RequestNumber) -> [u8; RESULT_KEY_BYTES] {
    let mut key = [0; RESULT_KEY_BYTES];
    key[..WINDOW_KEY_BYTES].copy_from_slice(&results_prefix(client));
    key[WINDOW_KEY_BYTES..].copy_from_slice(&number.0.to_be_bytes());
    key
}

#[cfg(test)]
mod tests {
    use quorate_crypto::Digest;

    use super::*;
    use crate::execution::state::StateLimits;
    use crate::outcome::Outcome;
    use crate::types::{SeqNum, Session};

    const CLIENT: ClientId = ClientId(PublicKey::from_bytes([7; 32]));

    fn result(number: u64) -> RequestResult {
        RequestResult {
            session: Session(1),
            number: RequestNumber(number),
            seq: SeqNum(1),
            index: 0,
            operation: Digest::ZERO,
            outcome: Outcome::Panicked,
        }
    }

    fn table_of(entries: &[(&[u8], Vec<u8>)], width: u64) -> Option<ClientTable> {
        let state = State::from_entries(StateLimits::default(), entries.iter().cloned()).unwrap();
        ClientTable::from_state(width, state)
    }

    #[test]
    fn a_table_is_taken_over_as_the_state_that_it_is() {
        let mut table = ClientTable::new(4);
        let id = RequestId { client: CLIENT, session: Session(1), number: RequestNumber(2) };
        let admitted = table.admit([&id].into_iter());
        table.record(admitted, &[(CLIENT, result(2))]);
        let taken = ClientTable::from_state(4, table.state().clone()).unwrap();
        assert_eq!(taken.state().root(), table.state().root());
        assert_eq!((taken.windows(), taken.result(&id)), (table.windows(), Some(result(2))));
        assert!(ClientTable::from_state(5, table.state().clone()).is_none(), "another C");
    }

    #[test]
    fn refuses_entries_that_no_table_has() {
        let window = codec::canonical(&ClientWindow::new(4));
        let stored = codec::canonical(&result(2));
        let key = result_key(&CLIENT, RequestNumber(2));
        assert!(table_of(&[(&window_key(&CLIENT), window.clone()), (&key, stored.clone())], 4).is_some());
        let longer = [&key[..], &[0]].concat();
        let other_tag = [&key[..32], &[2], &key[33..]].concat();
        let damaged: [&[(&[u8], Vec<u8>)]; 6] = [
            &[(&window_key(&CLIENT), stored.clone())],
            &[(&key, window)],
            &[(&result_key(&CLIENT, RequestNumber(3)), stored.clone())],
            &[(&longer, stored.clone())],
            &[(&other_tag, stored.clone())],
            &[(&[], stored)],
        ];
        for (number, entries) in damaged.iter().enumerate() {
            assert!(table_of(entries, 4).is_none(), "case {number}");
        }
    }

    #[test]
    fn a_request_that_is_skipped_leaves_no_entry() {
        let mut table = ClientTable::new(4);
        let empty = table.state().root();
        let id = RequestId { client: CLIENT, session: Session(1), number: RequestNumber(5) };
        let admitted = table.admit([&id].into_iter());
        assert_eq!(admitted.decisions, [Err(SkipReason::OutsideWindow)]);
        table.record(admitted, &[]);
        assert_eq!(table.state().root(), empty);
    }
}
