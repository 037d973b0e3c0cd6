//! What a world can find.

use std::fmt;

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// How bad it is.
    pub class: Class,
    /// Which checker noticed it.
    pub checker: &'static str,
    /// What happened.
    pub text: String,
}

impl Violation {
    /// Whether another violation is of the same kind: found by the same checker, and panics at the same place.
    #[must_use]
    pub fn is_like(&self, other: &Violation) -> bool {
        let place = |violation: &Violation| match violation.class {
            Class::Panic => violation.text.split_once(": ").map(|(place, _)| place.to_owned()),
            Class::Liveness | Class::Safety => None,
        };
        (self.class, self.checker) == (other.class, other.checker) && place(self) == place(other)
    }
}

/// How bad a violation is. The greater, the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A replica panicked.
    Panic,
    /// Something that must happen did not.
    Liveness,
    /// Something that must never happen did.
    Safety,
}

impl Class {
    /// The exit code of a campaign whose worst finding this is.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Class::Panic => 1,
            Class::Liveness => 2,
            Class::Safety => 3,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, found by {}: {}", self.class, self.checker, self.text)
    }
}
