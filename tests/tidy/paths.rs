//! Paths in code: what a file uses, written singly or in a group, and where it leads.

use std::collections::BTreeMap;

use crate::source::{is_word, words};

/// A path that a file uses, without its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsedPath {
    pub(crate) line: usize,
    pub(crate) path: String,
}

/// Every path in `code` that begins with `root::`, each member of a group for itself.
pub(crate) fn used_paths(code: &str, root: &str) -> Vec<UsedPath> {
    let chars: Vec<char> = code.chars().collect();
    let mut used = Vec::new();
    for at in words(&chars, root) {
        let inside_another = at > 0 && chars[at - 1] == ':';
        let mut cursor = Cursor { chars: &chars, at: at + root.chars().count() };
        if !inside_another && cursor.skip("::") {
            let line = 1 + chars[..at].iter().filter(|&&c| c == '\n').count();
            let mut paths = Vec::new();
            cursor.read_tree("", &mut paths);
            used.extend(paths.into_iter().map(|path| UsedPath { line, path }));
        }
    }
    used
}

/// What `lib.rs` offers under a shorter name: the name, and the path it stands for.
pub(crate) fn reexports(lib: &str) -> BTreeMap<String, String> {
    let chars: Vec<char> = lib.chars().collect();
    let mut paths = Vec::new();
    for at in words(&chars, "use") {
        Cursor { chars: &chars, at: at + 3 }.read_tree("", &mut paths);
    }
    let named = |path: String| path.rsplit_once("::").map(|(_, name)| (name.to_owned(), path.clone()));
    paths.into_iter().filter_map(named).collect()
}

/// The module of a file in `src/`, without the file's `mod`: `src/core/slot.rs` is `core::slot`.
pub(crate) fn module_of(path: &str) -> Option<String> {
    let module = path.strip_prefix("src/")?.strip_suffix(".rs")?;
    let module = module.strip_suffix("/mod").unwrap_or(module);
    Some(module.replace('/', "::"))
}

/// Whether `path` is `module` or lies in it.
pub(crate) fn is_in(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

struct Cursor<'a> {
    chars: &'a [char],
    at: usize,
}

impl Cursor<'_> {
    /// Reads what may follow `use`: a name, a longer path, or a group of these.
    fn read_tree(&mut self, prefix: &str, paths: &mut Vec<String>) {
        if self.skip("{") {
            while !self.skip("}") {
                let before = self.at;
                self.read_tree(prefix, paths);
                self.skip(",");
                if self.at == before {
                    return;
                }
            }
            return;
        }
        if self.skip("*") {
            paths.push(prefix.to_owned());
            return;
        }
        let name = self.word();
        let path = match (prefix, name.as_str()) {
            (_, "" | "self") => prefix.to_owned(),
            ("", _) => name,
            _ => format!("{prefix}::{name}"),
        };
        let longer = self.skip("::") && !self.skip("<");
        if longer {
            self.read_tree(&path, paths);
        } else if !path.is_empty() {
            paths.push(path);
        }
        // An alias; any other word means that the path stood in an expression.
        let end = self.at;
        if self.word() == "as" {
            self.word();
        } else {
            self.at = end;
        }
    }

    fn skip(&mut self, token: &str) -> bool {
        self.skip_space();
        let found = self.chars[self.at..].iter().copied().take(token.len()).eq(token.chars());
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn word(&mut self) -> String {
        self.skip_space();
        let word: String = self.chars[self.at..].iter().take_while(|&&c| is_word(c)).collect();
        self.at += word.chars().count();
        word
    }

    fn skip_space(&mut self) {
        self.at += self.chars[self.at..].iter().take_while(|c| c.is_whitespace()).count();
    }
}

#[test]
fn the_scanner_finds_every_path_of_a_group() {
    let code = "use crate::a::B;\nuse crate::{\n  c::{self, d as e, f::*},\n  g,\n};\nlet x = crate::h::<u8>() + \
                other::crate::no;\npub(in crate::i) fn j(_: my_crate::K, l: crate::l::M) {}";
    let used: Vec<_> = used_paths(code, "crate").into_iter().map(|used| (used.line, used.path)).collect();
    let expected = [(1, "a::B"), (2, "c"), (2, "c::d"), (2, "c::f"), (2, "g"), (6, "h"), (7, "i"), (7, "l::M")];
    assert_eq!(used, expected.map(|(line, path)| (line, path.to_owned())));
}

#[test]
fn the_scanner_knows_what_the_root_offers_under_a_shorter_name() {
    let names = reexports("pub mod core;\npub use core::Replica;\npub use types::{View, SeqNum};\nuse x;");
    let expected = [("Replica", "core::Replica"), ("SeqNum", "types::SeqNum"), ("View", "types::View")];
    assert_eq!(names, expected.map(|(name, path)| (name.to_owned(), path.to_owned())).into());
}

#[test]
fn the_scanner_survives_unfinished_code() {
    for code in ["use crate::", "use crate::{", "use crate::{a::{b", "crate::{;", "crate::a::", "crate", "use"] {
        used_paths(code, "crate");
        reexports(code);
    }
}

#[test]
fn a_file_has_the_module_that_its_path_names() {
    assert_eq!(module_of("src/core/slot.rs").as_deref(), Some("core::slot"));
    assert_eq!(module_of("src/core/mod.rs").as_deref(), Some("core"));
    assert_eq!(module_of("net/src/lib.rs"), None);
    assert!(is_in("core::event::Event", "core::event"));
    assert!(!is_in("core::eventual", "core::event"));
}
