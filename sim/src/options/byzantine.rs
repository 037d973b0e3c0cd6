//! Who lies.

use quorate::ReplicaId;

use crate::choices::Choices;

pub(super) fn draw_byzantine(choices: &mut Choices, members: u16) -> Vec<ReplicaId> {
    let most = usize::from((members - 1) / 3);
    let count = if choices.chance(550) { most } else { 0 };
    let all: Vec<_> = (0..members).map(ReplicaId).collect();
    if count > 0 && choices.chance(500) {
        // The first primary leads longest.
        let mut chosen = vec![ReplicaId(0)];
        chosen.extend(choices.subset(&all[1..], count - 1));
        return chosen;
    }
    choices.subset(&all, count)
}
