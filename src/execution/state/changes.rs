//! [`Changes`]: the pages in which two states differ, found without looking at what they share.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::iter::Peekable;

use super::nibbles::{common_nibbles, nibble};
use super::node::{Branch, Child};
use super::page::Entries;
use super::range::Pages;
use super::trie::State;

/// How a store of pages is brought from one state to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageChange<'a> {
    /// The first key in the page, its name: no two pages of a state have the same.
    pub first_key: Vec<u8>,
    /// The packed page that stands there now; `None` when there is none any more.
    pub page: Option<Cow<'a, [u8]>>,
}

/// The changes between two states in the order of the first keys, each first key once.
#[derive(Clone, Debug)]
pub struct Changes<'a> {
    /// What is still to be compared, the next one last.
    ahead: Vec<Ahead<'a>>,
}

#[derive(Clone, Debug)]
enum Ahead<'a> {
    /// Two nodes at the same place, which may be the same.
    Nodes { new: &'a Child, base: &'a Child },
    /// The pages of parts whose shapes have nothing in common.
    Pages { new: Peekable<Pages<'a>>, base: Peekable<Pages<'a>> },
}

/// What one of two trees has at the prefix where they are compared.
#[derive(Clone, Copy)]
enum At<'a> {
    Branch(&'a Branch),
    /// No branch: all of it lies below this nibble.
    Below(u8, &'a Child),
}

impl State {
    /// The pages to write and to remove so that a store that holds the pages of `base` holds those of this state. Costs
    /// what changed between the two, given that one grew out of the other or both have computed their roots.
    #[must_use]
    pub fn changes_since<'a>(&'a self, base: &'a State) -> Changes<'a> {
        Changes { ahead: vec![Ahead::Nodes { new: &self.root, base: &base.root }] }
    }
}

impl<'a> Iterator for Changes<'a> {
    type Item = PageChange<'a>;

    fn next(&mut self) -> Option<PageChange<'a>> {
        loop {
            match self.ahead.last_mut()? {
                Ahead::Nodes { new, base } => {
                    let (new, base) = (*new, *base);
                    self.ahead.pop();
                    if !new.is_known_equal(base) {
                        self.push_parts(new, base);
                    }
                }
                Ahead::Pages { new, base } => match next_difference(new, base) {
                    Some(change) => return Some(change),
                    None => drop(self.ahead.pop()),
                },
            }
        }
    }
}

impl<'a> Changes<'a> {
    /// Goes one level down where the branches have room for each other, else compares page by page.
    fn push_parts(&mut self, new: &'a Child, base: &'a Child) {
        let Some((new_at, base_at)) = meet(new, base) else {
            self.push_pages(Pages::of(new), Pages::of(base));
            return;
        };
        for nibble in (0..16).rev() {
            match (new_at.child(nibble), base_at.child(nibble)) {
                (Some(new), Some(base)) => self.ahead.push(Ahead::Nodes { new, base }),
                (Some(new), None) => self.push_pages(Pages::of(new), Pages::none()),
                (None, Some(base)) => self.push_pages(Pages::none(), Pages::of(base)),
                (None, None) => {}
            }
        }
        self.push_pages(new_at.own(), base_at.own());
    }

    fn push_pages(&mut self, new: Pages<'a>, base: Pages<'a>) {
        self.ahead.push(Ahead::Pages { new: new.peekable(), base: base.peekable() });
    }
}

/// The shorter of two branches' prefixes, if the longer one extends it, and what both trees have there.
fn meet<'a>(new: &'a Child, base: &'a Child) -> Option<(At<'a>, At<'a>)> {
    let (new_branch, base_branch) = (new.branch()?, base.branch()?);
    let (new_prefix, base_prefix) = (&new_branch.prefix, &base_branch.prefix);
    let meeting = new_prefix.count().min(base_prefix.count());
    if common_nibbles(new_prefix.packed(), base_prefix.packed()) < meeting {
        return None;
    }
    let at = |branch: &'a Branch, child| match nibble(branch.prefix.packed(), meeting) {
        Some(below) if branch.prefix.count() > meeting => At::Below(below, child),
        Some(_) | None => At::Branch(branch),
    };
    Some((at(new_branch, new), at(base_branch, base)))
}

impl<'a> At<'a> {
    fn child(self, nibble: u8) -> Option<&'a Child> {
        match self {
            At::Branch(branch) => branch.child(nibble),
            At::Below(below, child) => (below == nibble).then_some(child),
        }
    }

    fn own(self) -> Pages<'a> {
        match self {
            At::Branch(branch) => Pages::of_own_value(branch),
            At::Below(..) => Pages::none(),
        }
    }
}

/// Passes over equal pages up to the next difference.
fn next_difference<'a>(new: &mut Peekable<Pages<'a>>, base: &mut Peekable<Pages<'a>>) -> Option<PageChange<'a>> {
    loop {
        let (new_key, base_key) = (new.peek().map(|page| first_key(page)), base.peek().map(|page| first_key(page)));
        match (new_key, base_key) {
            (None, None) => return None,
            (Some(first_key), None) => return Some(PageChange { first_key, page: new.next() }),
            (None, Some(first_key)) => return Some(PageChange { first_key, page: base.next().and(None) }),
            (Some(new_key), Some(base_key)) => match new_key.cmp(&base_key) {
                Ordering::Less => return Some(PageChange { first_key: new_key, page: new.next() }),
                Ordering::Greater => return Some(PageChange { first_key: base_key, page: base.next().and(None) }),
                Ordering::Equal => {
                    let (page, old) = (new.next(), base.next());
                    if page != old {
                        return Some(PageChange { first_key: new_key, page });
                    }
                }
            },
        }
    }
}

fn first_key(page: &[u8]) -> Vec<u8> {
    Entries::of(page).next().map(|(key, _)| key.to_vec()).expect("only the empty state has an empty page, and skips it")
}
