//! Exit codes, after sysexits.h: what a script or a service manager can tell from the end of a process.

use std::process::ExitCode;

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// As it should.
    Success,
    /// What was asked for was not done in full; what failed is in the output.
    Incomplete,
    /// The command line makes no sense.
    Usage,
    /// Data was damaged.
    Damaged,
    /// A part of the program broke.
    Bug,
    /// The disk, the network or another part of the system failed.
    Io,
    /// Another process uses the home.
    Locked,
    /// The home or its settings cannot be used.
    Configuration,
}

impl Exit {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Incomplete => 1,
            Exit::Usage => 2,
            Exit::Damaged => 65,
            Exit::Bug => 70,
            Exit::Io => 74,
            Exit::Locked => 75,
            Exit::Configuration => 78,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

impl Exit {
    /// The end that an exit code of the engine means.
    #[must_use]
    pub const fn of_engine(code: u8) -> Exit {
        match code {
            65 => Exit::Damaged,
            74 => Exit::Io,
            75 => Exit::Locked,
            78 => Exit::Configuration,
            _ => Exit::Bug,
        }
    }
}
