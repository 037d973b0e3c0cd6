//! The one source of everything that is drawn in a world.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | `choices` | [`Choices`]: what a world asks |
//! | `origin` | where the answers come from: a seed, a recorded schedule, or bytes |

#[expect(clippy::module_inception, reason = "the choices themselves")]
mod choices;
mod origin;

pub use choices::Choices;
