//! The command line: one file per command.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | `arguments` | what can be asked for |
//! | `run` | many seeds |
//! | `replay` | one seed again, with its chart |
//! | `shrink` | a failing seed made small |
//! | `stats` | what is drawn and what happens, seed by seed |
//! | `twins`, `canary` | two honest cores with one key, and one such pair too many |
//! | `mutants` | broken engines; with the feature of that name |
//! | `subjects` | which world is meant |
//! | `table`, `words` | numbers for people |

pub(crate) mod arguments;
mod canary;
#[cfg(feature = "mutants")]
mod mutants;
mod replay;
mod run;
mod shrink;
mod stats;
mod subjects;
mod table;
mod twins;
mod words;
