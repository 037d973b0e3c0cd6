//! Byzantine replicas and clients, one attack a file.
//!
//! A Byzantine replica is an honest core with [`Attack`]s around it: they see first what comes in, change what goes out
//! for each recipient, and speak by themselves. Each has a [`Trigger`] that says when. All [`Liar`]s of a world share
//! a [`Board`], so that they collude; each owns its real key and nobody else's.
//!
//! Nothing here knows the world: the same behaviours run in a real process.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | `attack`, `scene`, `trigger`, `board`, `puppet` | the seam: what an attack is, what it has at hand, when it is made |
//! | `liar`, `behaviour` | a replica with its attacks, and the list of all attacks |
//! | `forging` | what one key can make of signatures and certificates |
//! | `equivocating_primary`, `slow_primary`, `censor`, `misleading_new_view` | as a primary |
//! | `conflicting_votes`, `wrong_checkpoint`, `stale_view_change`, `forged_view_change` | as any member |
//! | `silence`, `replays`, `flood`, `foreign_signatures`, `mutated_statements`, `mutated_certificates` | whatever it says |
//! | `lying_source`, `lying_answers`, `lying_status`, `lying_replies` | what is not signed |
//! | `amnesia` | its home was set back, and it does not want to know |
//! | [`clients`] | Byzantine clients |

pub mod clients;

mod amnesia;
mod attack;
mod behaviour;
mod board;
mod censor;
mod conflicting_votes;
mod equivocating_primary;
mod flood;
mod foreign_signatures;
mod forged_view_change;
mod forging;
mod liar;
mod lying_answers;
mod lying_replies;
mod lying_source;
mod lying_status;
mod misleading_new_view;
mod mutated_certificates;
mod mutated_statements;
mod puppet;
mod replays;
mod scene;
mod silence;
mod slow_primary;
mod stale_view_change;
mod trigger;
mod wrong_checkpoint;

pub use attack::{Attack, Heard, Parcel, Worth};
pub use behaviour::{AttackPlan, Behaviour};
pub use board::{Board, Fork, Side};
pub use liar::Liar;
pub use puppet::Puppet;
pub use scene::{Scene, Stage};
pub use silence::{Audience, Subject};
pub use trigger::{Place, Trigger};
