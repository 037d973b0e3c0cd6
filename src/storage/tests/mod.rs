//! Tests of journal, history and snapshots as a whole. Small segments, no fsync: what is tested is what is written.

mod any_damage;
mod damage;
mod disk_faults;
mod failing_disk;
mod inspections;
mod little_room;
mod property;
mod records;
mod replicas_home;
mod rollover;
mod small_disk;
mod space;
mod torn_tail;
