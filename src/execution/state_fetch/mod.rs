//! The fetching end of a state transfer: from a certificate and whatever state is there to the certified state.
//!
//! [`StateFetch`] is sans-I/O: answers and moments go in, questions and a finished state come out.
//!
//! 1. Every source is asked for the parts of the certified root. Whose parts do not hash to it has lied.
//! 2. The two trees are assembled from their roots downwards. Several sources are asked at the same time, each for other
//!    nodes; each node is checked against the hash that it was asked by.
//! 3. A source that lies or is silent is left alone for a while, and others are asked for what it was to send.
//! 4. When not enough sources hold the goal any more and a newer certificate is known, that becomes the goal. Nothing that was
//!    verified is fetched again where the newer state still has it.
//!
//! Invariant: no word of a single peer decides anything. What is taken is proven by the certificate; what is claimed beside
//! that is not looked at.
//!
//! Invariant: while the fetch is not finished and has sources, [`StateFetch::deadline`] names a moment at which it goes on.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | `fetch` | [`StateFetch`]: what happens at each answer and deadline |
//! | `source` | what is known of one source, and how long it is waited for |
//! | `trees` | the two assemblies as one |
//! | `output` | what comes out: messages, nodes to keep, notices, progress |

mod fetch;
mod output;
mod source;
mod trees;

pub use fetch::{FetchScope, StateFetch};
pub use output::{Doubt, FetchNotice, FetchOutput, Fetched, Progress, StagedNodes};
