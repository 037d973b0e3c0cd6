//! What happened in a world as a chart for people: a column for each replica, arrows between the columns, time downwards.
//!
//! A world records [`Entry`]s, cheaply and only when somebody wants them. The chart is made of them afterwards: equal messages to
//! several receivers become one row, and rows are chosen by a [`Filter`] or by what matters to a violation.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | `entry` | what a world records |
//! | `statement` | a message in a few words |
//! | `notices` | what the cores let know, in a few words |
//! | `row` | one line of a chart |
//! | `rows` | entries become rows |
//! | `filter` | rows by time, slot and view |
//! | `relevance` | the few rows that explain a violation |
//! | `drawing` | rows become text |
//! | `chart` | all of them together |

#[expect(clippy::module_inception, reason = "the chart itself")]
mod chart;
mod drawing;
mod entry;
mod filter;
mod notices;
mod relevance;
mod row;
mod rows;
mod statement;

pub use chart::{Chart, wrapped};
pub use entry::{About, Entry, Happening, Note, Party, Topic};
pub use filter::Filter;
pub use statement::Statement;
