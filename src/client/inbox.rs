//! Where the transport puts what members say. Bounded for every member by itself, so that a flood of one displaces
//! nothing of another.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::types::ReplicaId;

/// The most frames of one member that wait for the client's task.
pub const FRAMES_MAX: usize = 1024;

/// The most bytes of one member that wait for the client's task, unless it is a single frame.
pub const FRAME_BYTES_MAX: usize = 4 << 20;

/// The transport's end: hands over what arrives. Never blocks; what finds no room is dropped and asked for again.
#[derive(Clone, Debug)]
pub struct ClientInbox {
    mailbox: Arc<Mailbox>,
}

impl ClientInbox {
    pub(super) fn new(mailbox: Arc<Mailbox>) -> Self {
        ClientInbox { mailbox }
    }

    /// A frame arrived over the channel of a member.
    pub fn deliver(&self, from: ReplicaId, frame: Bytes) {
        self.mailbox.change(from, |slot| {
            if slot.frames.is_empty() || (slot.frames.len() < FRAMES_MAX && slot.bytes + frame.len() <= FRAME_BYTES_MAX)
            {
                slot.bytes += frame.len();
                slot.frames.push_back(frame);
            }
        });
    }

    /// The channel of a member was made, or was lost.
    pub fn link(&self, from: ReplicaId, is_up: bool) {
        self.mailbox.change(from, |slot| slot.link = Some(is_up));
    }
}

/// What waits for the client's task.
#[derive(Debug)]
pub(super) struct Mailbox {
    slots: Mutex<Vec<Slot>>,
    arrived: Notify,
}

/// What waits from one member.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) frames: VecDeque<Bytes>,
    bytes: usize,
    /// The newest state of its channel, if it changed.
    pub(super) link: Option<bool>,
}

impl Mailbox {
    pub(super) fn new(members: usize) -> Self {
        Mailbox { slots: Mutex::new((0..members).map(|_| Slot::default()).collect()), arrived: Notify::new() }
    }

    /// Waits until something is there, or has been since the last wait.
    pub(super) async fn wait(&self) {
        self.arrived.notified().await;
    }

    /// Takes everything.
    pub(super) fn drain(&self) -> Vec<Slot> {
        self.slots().iter_mut().map(std::mem::take).collect()
    }

    /// Changes the slot of a member; strangers have none.
    fn change(&self, member: ReplicaId, change: impl FnOnce(&mut Slot)) {
        if let Some(slot) = self.slots().get_mut(member.index()) {
            change(slot);
            self.arrived.notify_one();
        }
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(mailbox: &Mailbox) -> Vec<usize> {
        mailbox.drain().iter().map(|slot| slot.frames.len()).collect()
    }

    #[test]
    fn a_flood_of_one_member_is_bounded_and_displaces_nothing_of_another() {
        let mailbox = Arc::new(Mailbox::new(4));
        let inbox = ClientInbox::new(Arc::clone(&mailbox));
        inbox.deliver(ReplicaId(2), Bytes::from_static(b"honest"));
        for _ in 0..10_000 {
            inbox.deliver(ReplicaId(1), Bytes::from_static(b"flood"));
            inbox.deliver(ReplicaId(4), Bytes::from_static(b"stranger"));
        }
        for _ in 0..10 {
            inbox.deliver(ReplicaId(3), Bytes::from(vec![0; FRAME_BYTES_MAX / 2]));
        }
        assert_eq!(waiting(&mailbox), [0, FRAMES_MAX, 1, 2]);
        assert_eq!(waiting(&mailbox), [0; 4]);
    }
}
