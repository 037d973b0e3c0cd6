//! What must hold, stated once more and without production predicates, outside the replicas: fed by what is journalled,
//! sent, executed, noticed and answered. Only correct replicas are held to it. One rule a file, under a name that stays:
//!
//! | Name | Rule | File |
//! | --- | --- | --- |
//! | `agreement` | one batch, one history and one state at every slot | `agreement` |
//! | `contiguous-execution` | slot by slot, and never back | `contiguous` |
//! | `validity` | only what a client has asked for | `validity` |
//! | `exactly-once` | every request at the first place at which it may be executed, and at no other | `exactly_once` |
//! | `replies`, `answers` | what replicas answer, and what clients believe, is what a reference says | `replies` |
//! | `linearizability` | an order of all operations explains what all clients saw when | `linearizability` |
//! | `money` | none is made and none is lost | `state_contents` |
//! | `root-contents` | a root stands for all that is taken over with a state | `state_contents` |
//! | `checkpoints` | roots that are signed, certified or loaded are those of the history | `checkpoints` |
//! | `watermarks` | the low one never falls; votes and Checkpoints lie inside | `watermarks` |
//! | `one-vote` | one vote for each view, slot and phase in all lives of a replica | `one_vote` |
//! | `views` | no vote in a view that was left or not entered | `views` |
//! | `abstaining` | no signature during the check at a start nor within the bounds of lost promises | `abstaining` |
//! | `durable-before-sent` | a durable record behind every signature on the wire | `durable` |
//! | `batch-kept` | a journalled batch behind every certificate | `batches` |
//! | `recovery` | a start finds what was durable, or says what it lost | `recovery` |
//! | `certificates` | Q distinct members, who said exactly that | `certificates` |
//! | `view-change-contents` | a ViewChange leaves out nothing that binds | `view_change_contents` |
//! | `new-views` | a view begins with what follows from its ViewChanges | `new_views` |
//! | `re-proposals` | what is committed is assigned again in every later view that covers it | `re_proposals` |
//! | `memory` | no more than the analytic bound | `memory` |
//! | `evidence` | nobody is accused wrongly, nobody halts or diverges | `evidence` |
//!
//! `checks` is the face. `rules` is the arithmetic; `history`, `journals`, `facts` and `sayings` keep what was executed, what
//! is journalled, what is durable and what was said, `exempt` whose words count, `double_votes` what liars do; they judge
//! nothing. Names that stand elsewhere: `liveness`, `deadline`,
//! `start` and `panic` (worlds and campaigns), `verify` (a correct replica sent what is not valid), `client` and `transfer`.

mod abstaining;
mod agreement;
mod batches;
mod certificates;
mod checkpoints;
mod checks;
mod contiguous;
mod double_votes;
mod durable;
mod evidence;
mod exactly_once;
mod exempt;
mod facts;
mod history;
mod journals;
mod linearizability;
mod memory;
mod names;
mod new_views;
mod one_vote;
mod re_proposals;
mod recovery;
mod replies;
mod rules;
#[cfg(test)]
mod samples;
mod sayings;
mod state_contents;
#[cfg(test)]
mod tests;
mod validity;
mod view_change_contents;
mod views;
mod watermarks;

pub use abstaining::{Posture, Turn};
pub use checks::Checks;
pub use names::NAMES;
