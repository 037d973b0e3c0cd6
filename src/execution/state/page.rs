//! Packed entries in key order: the form in which pages are held, hashed, proven and written to disk.

use std::sync::Arc;

use super::limits::entry_weight;

/// A key and its value.
pub(super) type Entry<'a> = (&'a [u8], &'a [u8]);

/// A page: the packed entries of a leaf. Without entries it is the empty state, or stands in for a node that is being
/// replaced.
#[derive(Clone, Debug, Default)]
pub(super) struct Page(Arc<[u8]>);

impl Page {
    /// A page of entries that are packed, and in order, already.
    pub(super) fn new(packed: &[u8]) -> Self {
        Page(packed.into())
    }

    /// The page of one entry.
    pub(super) fn of_entry(key: &[u8], value: &[u8]) -> Self {
        let mut packed = Vec::with_capacity(entry_weight(key, value));
        pack_entry(&mut packed, key, value);
        Page(packed.into())
    }

    /// The packed entries; their length is the weight of the page.
    pub(super) fn packed(&self) -> &[u8] {
        &self.0
    }

    /// Whether both are one in memory.
    pub(super) fn is_shared_with(&self, other: &Page) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn entries(&self) -> Entries<'_> {
        Entries::of(&self.0)
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.entries().find(|(found, _)| *found == key).map(|(_, value)| value)
    }
}

/// Appends one entry: both lengths as little-endian u32, then key and value.
pub(super) fn pack_entry(packed: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    for field in [key, value] {
        let length = u32::try_from(field.len()).expect("limits keep keys and values far below 4 GiB");
        packed.extend_from_slice(&length.to_le_bytes());
    }
    packed.extend_from_slice(key);
    packed.extend_from_slice(value);
}

/// The packed entries with one of them set to `value`, or without it if there is none.
pub(super) fn with_entry(packed: &[u8], key: &[u8], value: Option<&[u8]>) -> Vec<u8> {
    let mut entries = Entries::of(packed);
    let mut behind = packed;
    let mut before = packed.len();
    while let Some((found, _)) = entries.next() {
        if found >= key {
            before = packed.len() - behind.len();
            if found == key {
                behind = entries.rest;
            }
            break;
        }
        behind = entries.rest;
    }
    let mut changed = Vec::with_capacity(packed.len() + value.map_or(0, |value| entry_weight(key, value)));
    changed.extend_from_slice(packed.split_at(before).0);
    if let Some(value) = value {
        pack_entry(&mut changed, key, value);
    }
    changed.extend_from_slice(behind);
    changed
}

/// Reads packed entries one by one; stops before bytes that are none, which then are the `rest`.
#[derive(Clone, Debug)]
pub(super) struct Entries<'a> {
    rest: &'a [u8],
}

impl<'a> Entries<'a> {
    pub(super) fn of(packed: &'a [u8]) -> Self {
        Entries { rest: packed }
    }

    /// Whether every byte was read as part of an entry.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let (key_length, rest) = self.rest.split_first_chunk()?;
        let (value_length, rest) = rest.split_first_chunk()?;
        let (key, rest) = rest.split_at_checked(u32::from_le_bytes(*key_length) as usize)?;
        let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*value_length) as usize)?;
        self.rest = rest;
        Some((key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (key, value) in entries {
            pack_entry(&mut bytes, key.as_bytes(), value.as_bytes());
        }
        bytes
    }

    #[test]
    fn an_entry_is_set_replaced_and_removed_in_its_place() {
        let page = packed(&[("b", "1"), ("d", "2")]);
        let set = |key: &str, value: Option<&str>| with_entry(&page, key.as_bytes(), value.map(str::as_bytes));
        assert_eq!(set("a", Some("x")), packed(&[("a", "x"), ("b", "1"), ("d", "2")]));
        assert_eq!(set("c", Some("x")), packed(&[("b", "1"), ("c", "x"), ("d", "2")]));
        assert_eq!(set("e", Some("x")), packed(&[("b", "1"), ("d", "2"), ("e", "x")]));
        assert_eq!(set("b", Some("xyz")), packed(&[("b", "xyz"), ("d", "2")]));
        assert_eq!(set("d", None), packed(&[("b", "1")]));
        assert_eq!(set("b", None), packed(&[("d", "2")]));
        assert_eq!(set("c", None), page);
    }

    #[test]
    fn reading_stops_before_bytes_that_are_no_entry() {
        let page = packed(&[("key", "value")]);
        for end in 0..page.len() {
            let mut entries = Entries::of(page.get(..end).expect("a prefix"));
            assert_eq!(entries.next(), None);
            assert_eq!(entries.is_at_end(), end == 0);
        }
        let mut huge = vec![0xff; 8];
        huge.extend_from_slice(&page);
        assert_eq!(Entries::of(&huge).next(), None);
    }
}
