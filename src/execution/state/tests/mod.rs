//! Tests of the state as a whole.
//!
//! | Module | What it checks |
//! | --- | --- |
//! | `shape` | equal contents have equal shapes, whatever the history |
//! | `model` | a state answers like a `BTreeMap` |
//! | `sharing` | clones share nodes and not changes |
//! | `limits` | limits are exact to the byte |
//! | `proofs` | a proof convinces of the truth only |
//! | `assembly` | a state is put together from nodes that differ, and from no others |
//! | `hostile_nodes` | nodes that were not asked for, or that no state has, are refused |
//! | `malformed` | nodes that no state has are refused under a root that commits to them |
//! | `changes` | the changes between two states are the pages in which they differ |
//! | `bulk` | what is written page by page is read back |
//! | `naive` | the rule of the shape and the hashes, restated |
//! | `samples` | entries and changes that make awkward shapes |

mod assembly;
mod bulk;
mod changes;
mod hostile_nodes;
mod limits;
mod malformed;
mod model;
mod naive;
mod proofs;
mod samples;
mod shape;
mod sharing;
