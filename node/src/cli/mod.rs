//! The command line.
//!
//! | Module | Command |
//! | --- | --- |
//! | [`arguments`] | all of them: what can be written |
//! | `genesis` | `quorate genesis` |
//! | `submit` | `quorate submit` |
//! | `balance` | `quorate balance` |
//! | `inspect` | `quorate inspect` and `quorate repair` |
//! | `status`, `status_report` | `quorate status`: asking, and saying what the answers mean |

pub mod arguments;
mod balance;
mod genesis;
mod inspect;
mod status;
mod status_report;
mod submit;

pub use arguments::{Arguments, NodeArguments};
