//! A page store holds the last state that was committed, whole and under its root, or says that it does not.
//!
//! | Module | What it checks |
//! | --- | --- |
//! | `commits` | what is committed is loaded, and only changed pages are written |
//! | `crashes` | a power failure at any moment of a commit leaves the state before or after it |
//! | `damage` | a damaged file gives the right state or none, and never ends the process |
//! | `staging` | nodes of a state that is being fetched |
//! | `growth` | the file does not grow without bound |
//! | `power` | a disk in memory that loses power, and what was not synced with it |
//! | `samples` | states and stores |

mod commits;
mod crashes;
mod damage;
mod growth;
mod power;
mod samples;
mod staging;
