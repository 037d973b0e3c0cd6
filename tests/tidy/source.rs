//! The workspace's files as the rules see them: which there are, and what in them is code.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file of the workspace.
pub(crate) struct SourceFile {
    /// Relative to the workspace's root, with `/`.
    pub(crate) path: String,
    /// As it stands on disk.
    pub(crate) text: String,
    /// The text with every comment, string and character blanked; line breaks stay where they are.
    pub(crate) code: String,
}

impl SourceFile {
    /// The lines of code, counted from 1.
    pub(crate) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.code.lines())
    }

    /// Where a violation stands, in the form that editors open.
    pub(crate) fn at(&self, line: usize, message: &str) -> String {
        format!("{}:{line}: {message}", self.path)
    }
}

/// Every Rust file of the workspace, in the order of their paths.
pub(crate) fn rust_files() -> Vec<SourceFile> {
    files(|path| path.extension().is_some_and(|extension| extension == "rs"))
}

/// Every manifest of the workspace.
pub(crate) fn manifests() -> Vec<SourceFile> {
    files(|path| path.file_name().is_some_and(|name| name == "Cargo.toml"))
}

fn files(wanted: fn(&Path) -> bool) -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(root, &mut found);
    found.retain(|path| wanted(path));
    found.sort();
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).expect("a source file is readable text");
        let relative = path.strip_prefix(root).expect("the walk began at the root");
        SourceFile { path: relative.to_string_lossy().replace('\\', "/"), code: blank_literals(&text), text }
    };
    found.iter().map(read).collect()
}

fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a source directory is readable") {
        let entry = entry.expect("a source directory is readable");
        let name = entry.file_name();
        let built_or_hidden = name == "target" || name.to_string_lossy().starts_with('.');
        if !built_or_hidden {
            // Links are not followed: they could lead out of the workspace or round in a circle.
            let kind = entry.file_type().expect("an entry has a type");
            if kind.is_dir() {
                walk(&entry.path(), found);
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
}

/// Replaces what is not code by spaces.
pub(crate) fn blank_literals(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let length = opaque_length(&chars[at..]).min(chars.len() - at);
        if length == 0 {
            code.push(chars[at]);
            at += 1;
        }
        code.extend(chars[at..at + length].iter().map(|&c| if c == '\n' { c } else { ' ' }));
        at += length;
    }
    code
}

/// How long the comment or literal is that begins here; 0 when code begins here.
fn opaque_length(rest: &[char]) -> usize {
    match rest {
        ['/', '/', ..] => rest.iter().position(|&c| c == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => block_comment_length(rest),
        ['"', ..] => string_length(rest),
        ['r', '"' | '#', ..] => raw_string_length(rest),
        // A quote opens a character only when another closes it; otherwise it is a lifetime.
        ['\'', '\\', _, tail @ ..] => 4 + tail.iter().position(|&c| c == '\'').unwrap_or(0),
        ['\'', _, '\'', ..] => 3,
        _ => 0,
    }
}

fn block_comment_length(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string_length(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn raw_string_length(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|&&c| c == '#').count();
    let body = 1 + hashes + 1;
    if rest.get(body - 1) != Some(&'"') {
        return 0; // A raw identifier.
    }
    let closing: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let end = rest[body..].windows(closing.len()).position(|window| window == closing);
    end.map_or(rest.len(), |end| body + end + closing.len())
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// The line of the word `fn`.
    pub(crate) line: usize,
    /// From there to the closing brace.
    pub(crate) length: usize,
}

/// Every function with a body, nested ones too. Wants code with its literals blanked.
pub(crate) fn functions(code: &str) -> Vec<Function> {
    let chars: Vec<char> = code.chars().collect();
    let line_of = |at: usize| 1 + chars[..at].iter().filter(|&&c| c == '\n').count();
    let mut functions = Vec::new();
    for at in words(&chars, "fn") {
        let Some(start) = (at + 2..chars.len()).find(|&i| !chars[i].is_whitespace()) else { continue };
        // Without a name it is the type of a function pointer.
        let name: String = chars[start..].iter().take_while(|&&c| is_word(c) || c == '$').collect();
        if name.is_empty() {
            continue;
        }
        if let Some(end) = body_end(&chars, start) {
            functions.push(Function { name, line: line_of(at), length: 1 + line_of(end) - line_of(at) });
        }
    }
    functions
}

/// Where `word` stands as a whole word.
pub(crate) fn words(chars: &[char], word: &str) -> Vec<usize> {
    let word: Vec<char> = word.chars().collect();
    let whole = |at: &usize| {
        let before = at.checked_sub(1).map(|i| chars[i]);
        let after = chars.get(at + word.len()).copied();
        !before.is_some_and(is_word) && !after.is_some_and(is_word) && chars[*at..].starts_with(&word)
    };
    (0..chars.len()).filter(whole).collect()
}

/// Whether `word` stands in `text` as a whole word.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    text.contains(word) && !words(&text.chars().collect::<Vec<_>>(), word).is_empty()
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The closing brace of the function whose name begins at `start`; `None` when it has no body.
fn body_end(chars: &[char], start: usize) -> Option<usize> {
    let (mut brackets, mut braces) = (0usize, 0usize);
    for (at, c) in chars.iter().enumerate().skip(start) {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            ';' if brackets == 0 && braces == 0 => return None,
            '{' => braces += 1,
            '}' => {
                braces = braces.checked_sub(1)?;
                if braces == 0 && brackets == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[test]
fn the_scanner_tells_code_from_comments_strings_and_characters() {
    let kept = |text: &str| blank_literals(text).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(kept("a // b\nc"), "a c");
    assert_eq!(kept("a /* b /* c */ d */ e"), "a e");
    assert_eq!(kept(r#"a "b \" c" d"#), "a d");
    assert_eq!(kept(r##"a r#"b " c"# d"##), "a d");
    assert_eq!(kept("a r\"\\\" b"), "a b");
    assert_eq!(kept("r#type b"), "r#type b");
    assert_eq!(kept(r"a '{' b '\'' c '\u{7f}' d '\\' e"), "a b c d e");
    assert_eq!(kept("fn f<'a, 'b>(x: &'a str)"), "fn f<'a, 'b>(x: &'a str)");
    assert_eq!(kept("b'x' b\"y\" z"), "b b z");
    for unfinished in ["\"a", "/* a", "r#\"a", "'\\", "\"a\\", "'\\n"] {
        assert_eq!(blank_literals(unfinished).chars().count(), unfinished.chars().count(), "{unfinished}");
    }
}

#[test]
fn the_scanner_keeps_every_line_where_it_is() {
    let text = "a\n/* b\nc */\n\"d\ne\"\nr\"f\n\"\ng";
    assert_eq!(blank_literals(text).lines().count(), text.lines().count());
    assert_eq!(blank_literals(text).lines().last(), Some("g"));
}

#[test]
fn the_scanner_finds_functions_and_their_length() {
    let text = "trait T {\n    fn a(&self) -> [u8; 2];\n}\nfn b(f: fn(u8) -> u8) -> u8 { f(1) }\n\
                pub async fn c<F: Fn()>(\n    x: [u8; 3],\n) where F: Copy {\n    // }\n    let s = \"}\";\n\
                    fn d() {\n    }\n}\nproptest! {\n    fn e((x, y) in pair(), z: u8) {\n        if x {}\n    }\n}";
    let function = |name: &str, line, length| Function { name: name.into(), line, length };
    assert_eq!(
        functions(&blank_literals(text)),
        [function("b", 4, 1), function("c", 5, 8), function("d", 10, 2), function("e", 14, 3)]
    );
}

#[test]
fn the_scanner_finds_whole_words_only() {
    assert!(has_word("use tokio::sync;", "tokio"));
    assert!(!has_word("tokio_util asynchronous my_async", "tokio"));
    assert!(!has_word("asynchronous my_async async_", "async"));
    assert!(has_word("async", "async"));
}
