//! How setting or removing one entry changes the trie, so that the shape stays the one of the content.

use std::mem;
use std::sync::Arc;

use super::build::shape_packed;
use super::limits::{PAGE_WEIGHT_MAX, entry_weight};
use super::nibbles::{Prefix, nibble};
use super::node::{Branch, Child, Node};
use super::page::{Page, with_entry};

/// A change of one entry.
pub(super) struct Edit<'a> {
    key: &'a [u8],
    /// The new value, or nothing to remove the entry.
    value: Option<&'a [u8]>,
    /// Weight of the entry that goes, 0 if there was none.
    removed: u64,
    /// Weight of the entry that comes, 0 if there is none.
    added: u64,
}

impl<'a> Edit<'a> {
    /// The change from `old` to `value`. `old` is what the trie holds for `key` now.
    pub(super) fn new(key: &'a [u8], old: Option<&[u8]>, value: Option<&'a [u8]>) -> Self {
        let weight = |value| entry_weight(key, value) as u64;
        Edit { key, value, removed: old.map_or(0, weight), added: value.map_or(0, weight) }
    }

    /// What a node weighs after the change, if it weighs `weight` before.
    pub(super) fn weight_after(&self, weight: u64) -> u64 {
        weight - self.removed + self.added
    }

    /// Applies the change to `child`, whose keys and the changed one share at least the first `known` nibbles.
    ///
    /// The weight afterwards is known on the way down, so that the topmost node within the limit becomes a page and
    /// nothing below it is touched.
    pub(super) fn apply_to(&self, child: &mut Child, known: usize) {
        match &mut child.node {
            Node::Branch(branch) if self.weight_after(branch.weight) > PAGE_WEIGHT_MAX as u64 => {
                let common = branch.prefix.common_with(self.key, known);
                if common < branch.prefix.count() {
                    self.fork_above(child, common);
                } else {
                    child.hash.take();
                    let branch = Arc::make_mut(branch);
                    self.apply_within(branch);
                    if let Some(last) = take_only_part(branch) {
                        *child = last;
                    }
                }
            }
            Node::Page(page) => *child = shape_packed(&with_entry(page.packed(), self.key, self.value)),
            Node::Branch(_) => {
                let mut packed = Vec::with_capacity(PAGE_WEIGHT_MAX);
                child.node.pack_into(&mut packed);
                *child = shape_packed(&with_entry(&packed, self.key, self.value));
            }
        }
    }

    /// Puts a branch above `child`, whose prefix and the new key part after `common` nibbles.
    fn fork_above(&self, child: &mut Child, common: usize) {
        let below = mem::take(child);
        let mut fork = Branch::at(Prefix::of(self.key, common), below.node.weight());
        if let Node::Branch(branch) = &below.node
            && let Some(next) = nibble(branch.prefix.packed(), common)
        {
            fork.add_child(next, below);
        }
        self.apply_within(&mut fork);
        *child = fork.into();
    }

    /// Applies the change to a branch whose prefix the key starts with.
    fn apply_within(&self, branch: &mut Branch) {
        branch.weight = self.weight_after(branch.weight);
        let known = branch.prefix.count();
        let Some(next) = nibble(self.key, known) else {
            branch.set_own(self.value);
            return;
        };
        if let Some(child) = branch.child_mut(next) {
            self.apply_to(child, known + 1);
            if child.is_empty() {
                branch.remove_empty_child(next);
            }
        } else if let Some(value) = self.value {
            branch.add_child(next, Page::of_entry(self.key, value).into());
        }
    }
}

/// Takes the only part out of a branch that has one part left; that part replaces the branch.
fn take_only_part(branch: &mut Branch) -> Option<Child> {
    match (&branch.own, branch.children.len()) {
        (Some(own), 0) => Some(Page::of_entry(branch.prefix.packed(), &own.value).into()),
        (None, 1) => branch.children.pop(),
        _ => None,
    }
}
