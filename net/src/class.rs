//! The classes of traffic between members: one stream each, so that none waits for another.

/// What kind of traffic a frame belongs to. Each class has a stream and a queue of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Small and urgent: votes, status, everything agreement waits for.
    Vote,
    /// Large or patient: batch bodies, fetched history, state. A client's traffic is of this class.
    Bulk,
}

impl Class {
    /// The classes between two members.
    pub(crate) const OF_MEMBERS: &'static [Class] = &[Class::Vote, Class::Bulk];
    /// The classes between a client and a replica.
    pub(crate) const OF_CLIENTS: &'static [Class] = &[Class::Bulk];

    /// The byte that names the class in a Hello.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Class::Vote => 1,
            Class::Bulk => 2,
        }
    }

    /// The class that `code` names.
    pub(crate) const fn from_code(code: u8) -> Option<Class> {
        match code {
            1 => Some(Class::Vote),
            2 => Some(Class::Bulk),
            _ => None,
        }
    }
}
