//! A whole world whose every choice comes from bytes: no rule is broken, and it ends.

use std::time::Duration;

use crate::choices::Choices;
use crate::options::Options;
use crate::transcript::Transcript;
use crate::world::World;

/// A small world of four members. Where the bytes end, nothing fails any more.
pub fn world(bytes: &[u8]) {
    let mut choices = Choices::from_bytes(bytes.to_vec());
    let mut options = Options::draw(&mut choices, Some(4));
    make_small(&mut options);
    let ended = World::new(options, choices, Transcript::default()).run();
    assert_eq!(ended.violation, None, "with {:?}", ended.options);
}

/// Short enough for many in a second.
fn make_small(options: &mut Options) {
    options.real_signatures = false;
    options.calm_at = options.calm_at.min(Duration::from_secs(2));
    let clients = &mut options.clients;
    clients.count = clients.count.min(2);
    clients.operations = clients.operations.min(8);
    clients.late_operations = clients.late_operations.min(2);
}

/// Bytes as a generator gives them.
pub(super) fn world_seeds() -> Vec<(String, Vec<u8>)> {
    let drawn = |seed| {
        let mut choices = Choices::from_seed(seed);
        (0..400).map(|_| choices.below(256).to_le_bytes()[0]).collect()
    };
    (0..4).map(|seed| (format!("drawn-{seed}"), drawn(seed))).collect()
}
