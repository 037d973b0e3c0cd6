//! What a load finds and a commit did.

use std::fmt;
use std::path::PathBuf;

use crate::execution::ReplicatedState;
use crate::execution::state::State;
use crate::messages::CheckpointCertificate;

/// What a store held.
#[derive(Clone, Debug)]
pub enum Loaded {
    /// The state of the last commit; its root was computed from what was read.
    Whole {
        /// The state.
        state: ReplicatedState,
        /// The certificate that was committed with it.
        certificate: Option<CheckpointCertificate>,
    },
    /// Not the whole of it. The store was set aside and is empty now.
    Damaged {
        /// What could be read, right or wrong.
        remains: Remains,
        /// What happened.
        set_aside: SetAside,
    },
    /// Nothing was ever committed.
    Empty,
}

/// Two trees without any promise about what they hold: of use where hashes decide, and nowhere else.
#[derive(Clone, Debug, Default)]
pub struct Remains {
    /// Entries of the client table.
    pub clients: State,
    /// Entries of the application's state.
    pub application: State,
}

/// A damaged store that was moved out of the way, never deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Where it is now.
    pub path: PathBuf,
    /// What was wrong with it.
    pub what: String,
}

impl fmt::Display for SetAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; the damaged store is kept as {}", self.what, self.path.display())
    }
}

/// What a commit did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Pages that were written or removed.
    pub pages: u64,
    /// Bytes of the pages that were written.
    pub bytes: u64,
    /// The store had become unusable: it was set aside, and the whole state was written to a new one.
    pub set_aside: Option<SetAside>,
}
