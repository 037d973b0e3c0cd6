//! The requests that wait to be ordered: bounded in all and for each client, taken in turns over the clients.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::client_window::ClientWindow;
use crate::genesis::Limits;
use crate::messages::Request;
use crate::types::{ClientId, Instant, RequestId, RequestNumber, SeqNum, Session};

type Place = (Session, RequestNumber);

/// The most that waits.
#[derive(Clone, Copy, Debug)]
pub struct PoolLimits {
    /// Requests in all.
    pub requests_max: usize,
    /// Bytes in all.
    pub bytes_max: u64,
    /// Requests of one client: its window.
    pub client_requests_max: usize,
}

/// Invariant: the counters and the two time orders agree with the entries.
#[derive(Clone, Debug)]
pub struct RequestPool {
    limits: PoolLimits,
    clients: BTreeMap<ClientId, BTreeMap<Place, Entry>>,
    count: usize,
    bytes: u64,
    /// The requests that no proposal contains, by arrival.
    waiting: BTreeSet<(Instant, RequestId)>,
    /// The requests that were handed on to the primary, by when; with the number of requests executed until then.
    forwarded: BTreeMap<(Instant, RequestId), u64>,
    /// The client after whom the next batch begins.
    turn: Option<ClientId>,
}

#[derive(Clone, Debug)]
struct Entry {
    request: Request,
    arrived: Instant,
    state: EntryState,
    /// When it was first handed on to the primary that leads now.
    forwarded_at: Option<Instant>,
    /// When it was last handed on.
    repeated_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EntryState {
    Waiting,
    /// The highest slot whose batch contains it.
    Proposed(SeqNum),
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooled {
    /// It waits now.
    New,
    /// A request of that name is here.
    Known,
    /// There is no room for it.
    Full,
}

impl RequestPool {
    /// An empty pool.
    #[must_use]
    pub fn new(limits: PoolLimits) -> Self {
        RequestPool {
            limits,
            clients: BTreeMap::new(),
            count: 0,
            bytes: 0,
            waiting: BTreeSet::new(),
            forwarded: BTreeMap::new(),
            turn: None,
        }
    }

    /// Takes a verified request that was not executed.
    pub fn add(&mut self, request: Request, now: Instant) -> Pooled {
        let (client, place) = (request.client(), place(&request.id));
        let bytes = request.encoded_bytes();
        let entries = self.clients.get(&client);
        if entries.is_some_and(|entries| entries.contains_key(&place)) {
            return Pooled::Known;
        }
        let of_client = entries.map_or(0, BTreeMap::len);
        let full = self.count >= self.limits.requests_max
            || self.bytes + bytes > self.limits.bytes_max
            || of_client >= self.limits.client_requests_max;
        if full {
            return Pooled::Full;
        }
        self.count += 1;
        self.bytes += bytes;
        self.waiting.insert((now, request.id));
        let entry = Entry { request, arrived: now, state: EntryState::Waiting, forwarded_at: None, repeated_at: None };
        self.clients.entry(client).or_default().insert(place, entry);
        Pooled::New
    }

    /// The request of this name.
    #[must_use]
    pub fn get(&self, id: &RequestId) -> Option<&Request> {
        self.entry(id).map(|entry| &entry.request)
    }

    /// Whether nothing waits, proposed or not.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many requests are here, proposed or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Their bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many requests no proposal contains.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Since when the oldest request waits that no proposal contains.
    #[must_use]
    pub fn oldest_waiting(&self) -> Option<Instant> {
        self.waiting.first().map(|(arrived, _)| *arrived)
    }

    /// The names of all requests, proposed or not.
    pub fn ids(&self) -> impl Iterator<Item = RequestId> + '_ {
        self.clients.values().flat_map(BTreeMap::values).map(|entry| entry.request.id)
    }

    /// The names of the oldest waiting requests.
    pub fn waiting_ids(&self) -> impl Iterator<Item = RequestId> + '_ {
        self.waiting.iter().map(|(_, id)| *id)
    }

    /// Takes the requests of the next batch: round-robin over the clients, each with an equal share of what fits. They
    /// stay here, as proposed at this slot, until they are executed.
    pub fn take_batch(&mut self, limits: &Limits, seq: SeqNum) -> Vec<Request> {
        let mut batch = Vec::new();
        let mut room = Room { requests: limits.batch_requests_max, bytes: limits.batch_bytes_max };
        let order = self.clients_in_turn();
        let share = usize::try_from(limits.batch_requests_max).unwrap_or(usize::MAX).div_ceil(order.len().max(1));
        let mut queues: Vec<_> = order.iter().map(|client| self.waiting_of(*client)).collect();
        while !queues.is_empty() {
            queues.retain_mut(|queue| {
                for _ in 0..share {
                    match queue.next() {
                        Some(request) if room.take(request) => batch.push(request.clone()),
                        Some(_) | None => return false,
                    }
                }
                true
            });
        }
        drop(queues);
        self.turn = batch.last().map(Request::client).or(self.turn);
        for request in &batch {
            self.set_proposed(&request.id, seq);
        }
        batch
    }

    /// The batch of this slot contains this request.
    pub fn set_proposed(&mut self, id: &RequestId, seq: SeqNum) {
        if let Some(entry) = self.entry_mut(id) {
            entry.state = match entry.state {
                EntryState::Proposed(known) => EntryState::Proposed(known.max(seq)),
                EntryState::Waiting => EntryState::Proposed(seq),
            };
            let key = (entry.arrived, *id);
            self.waiting.remove(&key);
        }
    }

    /// The batch of this slot came to nothing: unless a later one contains this request, it waits again.
    pub fn release(&mut self, id: &RequestId, seq: SeqNum) {
        if let Some(entry) = self.entry_mut(id).filter(|entry| entry.state == EntryState::Proposed(seq)) {
            entry.state = EntryState::Waiting;
            let key = (entry.arrived, *id);
            self.waiting.insert(key);
        }
    }

    /// No proposal counts any more: the view has changed.
    pub fn release_all(&mut self) {
        for entry in self.clients.values_mut().flat_map(BTreeMap::values_mut) {
            if entry.state != EntryState::Waiting {
                entry.state = EntryState::Waiting;
                self.waiting.insert((entry.arrived, entry.request.id));
            }
        }
    }

    /// The request was executed, or will never be.
    pub fn remove(&mut self, id: &RequestId) {
        let Some(entries) = self.clients.get_mut(&id.client) else { return };
        let Some(entry) = entries.remove(&place(id)) else { return };
        if entries.is_empty() {
            self.clients.remove(&id.client);
        }
        self.count -= 1;
        self.bytes -= entry.request.encoded_bytes();
        self.waiting.remove(&(entry.arrived, *id));
        if let Some(at) = entry.forwarded_at {
            self.forwarded.remove(&(at, *id));
        }
    }

    /// Removes the requests of a client that its window does not admit any more.
    pub fn remove_outdated(&mut self, client: ClientId, window: &ClientWindow) {
        let Some(entries) = self.clients.get(&client) else { return };
        // The entries are in the order of their sessions: what is not outdated is not looked at.
        let outdated: Vec<RequestId> = entries
            .range(..(window.session(), RequestNumber(0)))
            .map(|((session, number), _)| RequestId { client, session: *session, number: *number })
            .collect();
        for id in outdated {
            self.remove(&id);
        }
    }

    /// Notes that a request was handed on to the primary, when `executed` requests had been executed. Says whether it
    /// may be: not twice within `pause`, and not when it is proposed already.
    pub fn set_forwarded(&mut self, id: &RequestId, now: Instant, executed: u64, pause: Duration) -> bool {
        let Some(entry) = self.entry_mut(id) else { return false };
        if entry.state != EntryState::Waiting || entry.repeated_at.is_some_and(|at| now.since(at) < pause) {
            return false;
        }
        entry.repeated_at = Some(now);
        if entry.forwarded_at.is_none() {
            entry.forwarded_at = Some(now);
            self.forwarded.insert((now, *id), executed);
        }
        true
    }

    /// The forwarded requests begin to wait anew: another primary leads.
    pub fn restart_forwarded(&mut self) {
        self.forwarded.clear();
        for entry in self.clients.values_mut().flat_map(BTreeMap::values_mut) {
            entry.forwarded_at = None;
            entry.repeated_at = None;
        }
    }

    /// Requests may be handed on again at once: now they go to all members.
    pub fn allow_forwarding(&mut self) {
        for entry in self.clients.values_mut().flat_map(BTreeMap::values_mut) {
            entry.repeated_at = None;
        }
    }

    /// When the oldest forwarded request was handed on, and how many requests had been executed then.
    #[must_use]
    pub fn oldest_forwarded(&self) -> Option<(Instant, u64)> {
        self.forwarded.first_key_value().map(|((at, _), executed)| (*at, *executed))
    }

    /// Checks the invariant in full.
    pub fn check(&self) {
        let entries: Vec<_> = self.clients.values().flat_map(BTreeMap::values).collect();
        assert_eq!(self.count, entries.len(), "the pool's count");
        assert_eq!(self.bytes, entries.iter().map(|entry| entry.request.encoded_bytes()).sum::<u64>(), "its bytes");
        let waiting = entries.iter().filter(|entry| entry.state == EntryState::Waiting).count();
        assert_eq!(self.waiting.len(), waiting, "its waiting requests");
        let forwarded = entries.iter().filter(|entry| entry.forwarded_at.is_some()).count();
        assert_eq!(self.forwarded.len(), forwarded, "its forwarded requests");
        assert!(self.count <= self.limits.requests_max && self.bytes <= self.limits.bytes_max, "its limits");
    }

    /// The clients with waiting requests, beginning after the one that was served last.
    fn clients_in_turn(&self) -> Vec<ClientId> {
        let mut order: Vec<_> = self.clients.keys().copied().collect();
        if let Some(turn) = self.turn {
            let first = order.partition_point(|client| *client <= turn);
            order.rotate_left(first);
        }
        order
    }

    /// The waiting requests of a client in their order.
    fn waiting_of(&self, client: ClientId) -> impl Iterator<Item = &Request> {
        let entries = self.clients.get(&client).into_iter().flat_map(BTreeMap::values);
        entries.filter(|entry| entry.state == EntryState::Waiting).map(|entry| &entry.request)
    }

    fn entry(&self, id: &RequestId) -> Option<&Entry> {
        self.clients.get(&id.client)?.get(&place(id))
    }

    fn entry_mut(&mut self, id: &RequestId) -> Option<&mut Entry> {
        self.clients.get_mut(&id.client)?.get_mut(&place(id))
    }
}

/// What still fits into a batch.
struct Room {
    requests: u64,
    bytes: u64,
}

impl Room {
    fn take(&mut self, request: &Request) -> bool {
        let bytes = request.encoded_bytes();
        if self.requests == 0 || bytes > self.bytes {
            return false;
        }
        self.requests -= 1;
        self.bytes -= bytes;
        true
    }
}

fn place(id: &RequestId) -> Place {
    (id.session, id.number)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use quorate_crypto::{KeyPair, Signature};

    use super::*;

    #[test]
    fn what_an_overruled_batch_contained_waits_again_unless_a_later_one_contains_it() {
        let limits = PoolLimits { requests_max: 8, bytes_max: 1 << 20, client_requests_max: 8 };
        let mut pool = RequestPool::new(limits);
        let client = ClientId(KeyPair::from_seed(&[1; 32]).public());
        let ids = [1, 2].map(|number| RequestId { client, session: Session(0), number: RequestNumber(number) });
        for id in ids {
            pool.add(Request { id, operation: Bytes::new(), signature: Signature::from_bytes([0; 64]) }, Instant(0));
            pool.set_proposed(&id, SeqNum(5));
        }
        pool.set_proposed(&ids[1], SeqNum(6));
        pool.set_proposed(&ids[1], SeqNum(4));
        assert_eq!(pool.waiting(), 0);
        for id in ids {
            pool.release(&id, SeqNum(5));
        }
        assert_eq!(pool.waiting(), 1, "slot 6 may still execute the second");
        pool.release(&ids[1], SeqNum(6));
        assert_eq!(pool.waiting(), 2);
    }
}
