//! Tests of journal, history and snapshots as a whole. Small segments, no fsync: what is tested is what is written.

mod damage;
mod property;
mod records;
mod rollover;
mod torn_tail;
