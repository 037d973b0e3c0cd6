//! `linearizability`: to the clients, all operations seem to happen one after the other, each at some moment between its
//! submission and its answer.
//!
//! | Module | What it does |
//! | --- | --- |
//! | `witness` | takes the place in the history that every answer names as the order, and checks that no operation stands before one that was answered when it was submitted; the results in that order are a matter of `answers` |
//! | `search` | believes no place: looks for any order that explains a small history (Wing and Gong 1993, Lowe 2017) |
//!
//! Reads are operations like all others, so that they must be explained too.

mod search;
mod witness;

pub(super) use witness::Linearizability;
