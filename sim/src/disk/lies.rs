//! A disk that says what is not true. Nothing shows before the power fails.

use serde::{Deserialize, Serialize};

/// How it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Lie {
    /// It confirms syncs and keeps everything in its memory.
    Sync,
    /// It forgets a rename that it has confirmed.
    Rename,
    /// It confirms a write that has landed elsewhere.
    Write,
}

impl Lie {
    /// All of them.
    pub const ALL: [Lie; 3] = [Lie::Sync, Lie::Rename, Lie::Write];
}

/// Whether a disk is honest.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Deceit {
    #[default]
    Honest,
    /// It will lie at the next occasion; the number decides where a write lands.
    Plans(Lie, u64),
    /// It has lied.
    HasLied(Lie),
}

impl Deceit {
    pub(super) fn begin(lie: Lie, number: u64) -> Self {
        Deceit::Plans(lie, number)
    }

    pub(super) fn has_lied(self) -> bool {
        matches!(self, Deceit::HasLied(_))
    }

    /// Whether what is synced now stays in the memory of the disk. That is so again and again.
    pub(super) fn forgets_sync(&mut self) -> bool {
        match self {
            Deceit::Plans(Lie::Sync, _) | Deceit::HasLied(Lie::Sync) => {
                *self = Deceit::HasLied(Lie::Sync);
                true
            }
            Deceit::Honest | Deceit::Plans(Lie::Rename | Lie::Write, _) | Deceit::HasLied(Lie::Rename | Lie::Write) => {
                false
            }
        }
    }

    /// Whether a rename that is synced now is forgotten: once.
    pub(super) fn forgets_rename(&mut self) -> bool {
        let forgets = matches!(self, Deceit::Plans(Lie::Rename, _));
        if forgets {
            *self = Deceit::HasLied(Lie::Rename);
        }
        forgets
    }

    /// Whether the next write lands elsewhere, and a number that decides where: once.
    pub(super) fn misdirects(&mut self) -> Option<u64> {
        let Deceit::Plans(Lie::Write, number) = *self else { return None };
        *self = Deceit::HasLied(Lie::Write);
        Some(number)
    }
}
