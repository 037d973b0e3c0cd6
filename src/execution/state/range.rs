//! Iteration in key order: over the entries below a prefix, and over all pages.

use std::borrow::Cow;
use std::slice;

use super::nibbles::nibble;
use super::node::{Branch, Child, Node};
use super::page::{Entries, Entry, pack_entry};

/// The entries of a state whose keys start with a prefix, in the order of their keys.
#[derive(Clone, Debug)]
pub struct Range<'a> {
    prefix: Vec<u8>,
    /// What is left of the page that was reached last.
    page: Entries<'a>,
    walk: Walk<'a>,
}

/// The packed pages of a state, in the order of their keys.
#[derive(Clone, Debug)]
pub struct Pages<'a>(Walk<'a>);

/// The smallest key that an iteration gives, or the one right before it.
#[derive(Clone, Copy)]
enum Start<'a> {
    At(&'a [u8]),
    After(&'a [u8]),
}

impl<'a> Range<'a> {
    pub(super) fn of(root: &'a Child, prefix: &[u8], after_key: Option<&[u8]>) -> Self {
        let start = match after_key {
            Some(after) if after >= prefix => Start::After(after),
            Some(_) | None => Start::At(prefix),
        };
        let mut range = Range { prefix: prefix.to_vec(), page: Entries::of(&[]), walk: Walk::default() };
        range.seek(&root.node, start);
        range
    }

    /// Goes to the first key that does not lie before `start`.
    fn seek(&mut self, mut node: &'a Node, start: Start<'_>) {
        loop {
            match node {
                Node::Page(page) => {
                    let before = page.entries().take_while(|(key, _)| start.is_after(key)).count();
                    self.page = page.entries();
                    self.page.by_ref().take(before).for_each(drop);
                    return;
                }
                Node::Branch(branch) => match self.seek_in_branch(branch, start) {
                    Some(child) => node = &child.node,
                    None => return,
                },
            }
        }
    }

    /// Puts the parts of a branch ahead that lie behind `start`; gives the child, if any, that `start` leads into.
    fn seek_in_branch(&mut self, branch: &'a Branch, start: Start<'_>) -> Option<&'a Child> {
        let key = start.key();
        let common = branch.prefix.common_with(key, 0);
        let next = nibble(key, common);
        if common == branch.prefix.count()
            && let Some(next) = next
        {
            self.walk.0.push(Ahead::Children(branch.children_after(next).iter()));
            return branch.child(next);
        }
        // Either `start` ends here or above, or the paths part: then all keys of the branch lie on one side of it.
        if next.is_none() || nibble(branch.prefix.packed(), common) > next {
            self.walk.push_branch(branch);
            if start.is_after(branch.prefix.packed()) {
                self.walk.skip_own();
            }
        }
        None
    }
}

impl<'a> Iterator for Range<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Entry<'a>> {
        let entry = loop {
            if let Some(entry) = self.page.next() {
                break entry;
            }
            match self.walk.next()? {
                Leaf::Own(entry) => break entry,
                Leaf::Page(packed) => self.page = Entries::of(packed),
            }
        };
        if entry.0.starts_with(&self.prefix) {
            return Some(entry);
        }
        self.page = Entries::of(&[]);
        self.walk = Walk::default();
        None
    }
}

impl Start<'_> {
    fn key(&self) -> &[u8] {
        match self {
            Start::At(key) | Start::After(key) => key,
        }
    }

    /// Whether the iteration starts after `key`, so that it leaves `key` out.
    fn is_after(&self, key: &[u8]) -> bool {
        match self {
            Start::At(start) => key < *start,
            Start::After(start) => key <= *start,
        }
    }
}

impl<'a> Pages<'a> {
    pub(super) fn of(root: &'a Child) -> Self {
        let mut walk = Walk::default();
        walk.push(root);
        Pages(walk)
    }

    pub(super) fn of_own_value(branch: &'a Branch) -> Self {
        let mut walk = Walk::default();
        walk.push_own(branch);
        Pages(walk)
    }

    pub(super) fn none() -> Self {
        Pages(Walk::default())
    }
}

impl<'a> Iterator for Pages<'a> {
    type Item = Cow<'a, [u8]>;

    fn next(&mut self) -> Option<Cow<'a, [u8]>> {
        let page = match self.0.next()? {
            Leaf::Page(packed) => Cow::Borrowed(packed),
            Leaf::Own((key, value)) => {
                let mut packed = Vec::new();
                pack_entry(&mut packed, key, value);
                Cow::Owned(packed)
            }
        };
        // Only the empty state has an empty page, and no other.
        (!page.is_empty()).then_some(page)
    }
}

/// A walk over the leaves in key order. Holds what is still to come, the next one last.
#[derive(Clone, Debug, Default)]
struct Walk<'a>(Vec<Ahead<'a>>);

#[derive(Clone, Debug)]
enum Ahead<'a> {
    Leaf(Leaf<'a>),
    Children(slice::Iter<'a, Child>),
}

/// Where entries stand.
#[derive(Clone, Copy, Debug)]
enum Leaf<'a> {
    /// The own value of a branch.
    Own(Entry<'a>),
    /// A packed page.
    Page(&'a [u8]),
}

impl<'a> Walk<'a> {
    fn push(&mut self, child: &'a Child) {
        match &child.node {
            Node::Page(page) => self.0.push(Ahead::Leaf(Leaf::Page(page.packed()))),
            Node::Branch(branch) => self.push_branch(branch),
        }
    }

    fn push_branch(&mut self, branch: &'a Branch) {
        self.0.push(Ahead::Children(branch.children.iter()));
        self.push_own(branch);
    }

    fn push_own(&mut self, branch: &'a Branch) {
        if let Some(own) = &branch.own {
            self.0.push(Ahead::Leaf(Leaf::Own((branch.prefix.packed(), &own.value))));
        }
    }

    /// Leaves the own value of the branch out that was pushed last.
    fn skip_own(&mut self) {
        self.0.pop_if(|ahead| matches!(ahead, Ahead::Leaf(Leaf::Own(_))));
    }

    fn next(&mut self) -> Option<Leaf<'a>> {
        loop {
            match self.0.last_mut()? {
                Ahead::Leaf(leaf) => {
                    let leaf = *leaf;
                    self.0.pop();
                    return Some(leaf);
                }
                Ahead::Children(children) => match children.next() {
                    Some(child) => self.push(child),
                    None => drop(self.0.pop()),
                },
            }
        }
    }
}
