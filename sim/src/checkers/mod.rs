//! What must hold, stated once more and without production code, outside the replicas: fed by what is journalled, sent,
//! executed, noticed and answered. Only correct replicas are held to it.
//!
//! | Module | What it checks |
//! | --- | --- |
//! | `history` | agreement, contiguous execution, validity, exactly once, results equal to a reference |
//! | `votes` | one vote per view, slot and phase; a durable record before each; ViewChanges that omit nothing |
//! | `abstaining` | no signature during the check at a start, and none within the bounds of lost promises |
//! | `commits` | one committed digest per slot, in every later NewView that covers it |
//! | `checkpoints` | equal roots, watermarks that never fall |
//! | `facts` | what is durable, and that a start finds it again |
//! | `evidence` | nobody is accused wrongly, nobody halts or diverges |

mod abstaining;
mod checkpoints;
mod checks;
mod commits;
mod evidence;
mod facts;
mod history;
mod votes;

pub use checks::Checks;
