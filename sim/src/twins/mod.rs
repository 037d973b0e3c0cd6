//! Twins: Byzantine behaviour made of honest parts.
//!
//! A faulty member is played by two unmodified cores that share its identity and its key and know nothing of each other,
//! while the network decides, round by round, who reaches whom. What the two say together is what an equivocator, a
//! forgetful or a lying replica says; nothing has to be invented. (Bano, Sonnino, Chursin, Perelman, Li, Ching and
//! Malkhi, *Twins: BFT Systems Made Robust*, OPODIS 2021, sections 3 and 4: the twins, the partitions of each
//! round, and the enumeration of both.)
//!
//! Differences from the paper: leaders are not part of a scenario, because PBFT's follow from the views (the primary of
//! v is v mod n), so that the twin's place among the members is; a round lasts for one time-out, so that
//! those who make no progress in it ask for the next view; beside partitions a round may lose Commits, which leaves slots
//! prepared and not committed where messages take no time; after the rounds everybody reaches everybody, and
//! everything that a correct replica knows of must be executed. Names that make no difference are played once.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | `cast` | members, and which of them run twice |
//! | `scenario`, `scenario_text` | the rounds, and how they are written |
//! | `canonical` | all rounds there are; which scenarios are the same but for names |
//! | `player`, `journal` | one core with its executor and its journal in memory |
//! | `world`, `acting` | the lockstep world: rounds, time, messages |
//! | `watch`, `interest` | what happened |
//! | `search` | all scenarios of a kind, or a sample |
//! | `canary`, `story` | f+1 twins: a fork, found and told |

mod acting;
mod canary;
mod canonical;
mod cast;
mod interest;
mod journal;
mod player;
mod scenario;
mod scenario_text;
mod search;
mod story;
mod watch;
mod world;

pub use canary::{Found, find_fork};
pub use canonical::{Moves, RoundChoices, Symmetries, casts, partitions};
pub use cast::{Cast, Place};
pub use interest::{Interest, Interests};
pub use scenario::{Commits, Round, Scenario};
pub use scenario_text::NotAScenario;
pub use search::{Exploration, Kind, Part, play, sample, scenario_of};
pub use watch::{DoubleVote, Execution, Said, Watch};
pub use world::TwinWorld;
