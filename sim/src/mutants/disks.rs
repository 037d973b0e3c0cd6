//! What is durable, and what a start makes of it.

use std::time::Duration;

use quorate::mutants::Mutant;

use super::case::{Case, nothing_fails};
use crate::disk::Damage;
use crate::options::Options;
use crate::world::Mishap;

pub(super) const CASES: &[Case] = &[
    Case {
        mutant: Mutant::SendBeforePersist,
        checkers: &["durable-before-sent"],
        is_quick: true,
        members: 4,
        provoke: nothing_fails,
    },
    Case { mutant: Mutant::NoFsync, checkers: &["recovery"], is_quick: true, members: 4, provoke: outages },
    Case { mutant: Mutant::FsyncRetried, checkers: &["recovery"], is_quick: true, members: 4, provoke: refused_syncs },
    Case { mutant: Mutant::DamagedRecordCut, checkers: &["recovery"], is_quick: true, members: 4, provoke: damage },
    Case {
        mutant: Mutant::ChecksumUnchecked,
        checkers: &["recovery"],
        is_quick: true,
        members: 4,
        provoke: flipped_bits,
    },
    Case { mutant: Mutant::ViewChangeForgotten, checkers: &["recovery"], is_quick: true, members: 4, provoke: outages },
    Case {
        mutant: Mutant::LogDroppedBeforeStable,
        checkers: &["recovery"],
        is_quick: true,
        members: 4,
        provoke: outages,
    },
];

/// Power fails again and again.
fn outages(options: &mut Options) {
    nothing_fails(options);
    (options.faults.crashes, options.faults.blackouts) = (16, 4);
    (options.faults.crash_in_sync, options.faults.crash_points) = (10, 3);
    options.faults.outage = Duration::from_millis(100);
}

fn refused_syncs(options: &mut Options) {
    outages(options);
    options.faults.refused_syncs = 40;
}

/// Files are damaged that were durable.
fn damage(options: &mut Options) {
    nothing_fails(options);
    options.faults.mishaps = 8;
    options.faults.outage = Duration::from_millis(100);
}

fn flipped_bits(options: &mut Options) {
    damage(options);
    options.faults.mishap = Some(Mishap::Files(Damage::FlippedBit));
}
