//! The rules a compiler does not check. Each is one test; a failure lists every place as `file:line`.

#[path = "tidy/paths.rs"]
mod paths;
#[path = "tidy/source.rs"]
mod source;

use std::collections::BTreeMap;

use paths::{is_in, module_of, reexports, used_paths};
use source::{SourceFile, functions, has_word, manifests, rust_files};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

/// Modules that everything else may use, and that may use one another.
const FOUNDATION: &[&str] = &["types", "committee", "config", "codec", "genesis", "mutants"];
/// What passes between replicas, and between the parts of one.
const MESSAGES: &[&str] = &["messages", "batch", "outcome", "client_window"];

/// The order inside `src/`: a module, and the groups of modules it may use besides itself. A submodule may have a row of
/// its own. A row may allow a part of a module only.
const MODULES: &[(&str, &[&[&str]])] = &[
    ("types", &[FOUNDATION]),
    ("committee", &[FOUNDATION]),
    ("config", &[FOUNDATION]),
    ("codec", &[FOUNDATION]),
    ("genesis", &[FOUNDATION]),
    ("mutants", &[]),
    ("clock", &[FOUNDATION]),
    ("outcome", &[FOUNDATION]),
    ("client_window", &[FOUNDATION]),
    ("guard", &[]),
    ("messages", &[FOUNDATION, MESSAGES]),
    ("batch", &[FOUNDATION, MESSAGES]),
    ("core", &[FOUNDATION, MESSAGES]),
    // What agreement and execution hand each other.
    ("execution", &[FOUNDATION, MESSAGES, &["core::event", "core::actions", "guard"]]),
    // What a replica answers and attests.
    ("client::session", &[FOUNDATION, MESSAGES, &["execution::receipt"]]),
    ("storage", &[FOUNDATION, MESSAGES, &["core", "execution", "guard"]]),
    ("runtime", &[FOUNDATION, MESSAGES, &["clock", "core", "execution", "guard", "storage", "client::session"]]),
    ("client", &[FOUNDATION, MESSAGES, &["clock", "execution"]]),
];

/// The order of the crates: a package, and the packages of the workspace it may depend on.
const PACKAGES: &[(&str, &[&str])] = &[
    ("quorate-crypto", &[]),
    ("quorate", &["quorate-crypto"]),
    ("quorate-ledger", &["quorate", "quorate-crypto"]),
    ("quorate-net", &["quorate", "quorate-crypto"]),
    ("quorate-sim", &["quorate", "quorate-crypto", "quorate-ledger"]),
    ("quorate-node", &["quorate", "quorate-crypto", "quorate-ledger", "quorate-net"]),
    ("quorate-testnet", &["quorate", "quorate-crypto", "quorate-ledger", "quorate-net", "quorate-node", "quorate-sim"]),
    (
        "quorate-bench",
        &["quorate", "quorate-crypto", "quorate-ledger", "quorate-net", "quorate-node", "quorate-testnet"],
    ),
    ("quorate-fuzz", &["quorate-net", "quorate-node", "quorate-sim"]),
];

/// A dependency that must be optional, because only a feature may bring it in.
const OPTIONAL: &[(&str, &str)] = &[("quorate-testnet", "quorate-sim")];

#[test]
fn no_file_is_longer_than_600_lines() {
    let length = |file: &SourceFile| file.text.lines().count();
    let files = rust_files();
    let long = files.iter().filter(|file| length(file) > FILE_LINES_MAX);
    report(long.map(|file| file.at(FILE_LINES_MAX + 1, &format!("the file has {} lines", length(file)))).collect());
}

#[test]
fn no_function_is_longer_than_70_lines() {
    let mut violations = Vec::new();
    for file in rust_files() {
        let long = functions(&file.code).into_iter().filter(|function| function.length > FUNCTION_LINES_MAX);
        violations.extend(
            long.map(|function| file.at(function.line, &format!("`{}` has {} lines", function.name, function.length))),
        );
    }
    report(violations);
}

#[test]
fn lib_and_mod_files_hold_documentation_and_wiring_only() {
    // In a `tests` directory of cargo's, `mod.rs` is the only name under which integration tests can share code.
    let is_source = |path: &str| path.starts_with("src/") || path.contains("/src/");
    let is_wiring = |path: &str| path.ends_with("/lib.rs") || path.ends_with("/mod.rs");
    let mut violations = Vec::new();
    for file in rust_files().iter().filter(|file| is_source(&file.path) && is_wiring(&file.path)) {
        let here = functions(&file.code).into_iter();
        violations.extend(here.map(|it| file.at(it.line, &format!("`{}` belongs into a file of its own", it.name))));
    }
    report(violations);
}

#[test]
fn nothing_is_left_unfinished() {
    // Written in halves, so that this file keeps its own rule.
    let in_text = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let in_code = ["todo!", "unimplemented!", "#[ignore"];
    let mut violations = Vec::new();
    for file in rust_files() {
        for (line, text) in (1..).zip(file.text.lines()) {
            let left = in_text.iter().filter(|word| has_word(text, word));
            violations.extend(left.map(|word| file.at(line, word)));
        }
        for (line, code) in file.code_lines() {
            let left = in_code.iter().filter(|mark| code.contains(*mark));
            violations.extend(left.map(|mark| file.at(line, mark)));
        }
    }
    report(violations);
}

#[test]
fn every_module_of_the_engine_uses_only_modules_below_it() {
    let files = rust_files();
    let lib = files.iter().find(|file| file.path == "src/lib.rs").expect("the engine has a root");
    let shorter_names = reexports(&lib.code);
    let mut violations = Vec::new();
    for file in &files {
        let Some(module) = module_of(&file.path).filter(|module| module != "lib") else { continue };
        let Some((row, allowed)) = row_of(&module) else {
            violations.push(file.at(1, &format!("module `{module}` has no row in MODULES of tests/tidy.rs")));
            continue;
        };
        for used in used_paths(&file.code, "crate") {
            let path = resolve(&used.path, &shorter_names);
            let may_use = is_in(path, row) || allowed.iter().copied().flatten().any(|module| is_in(path, module));
            if is_engine_module(path) && !may_use {
                violations.push(file.at(used.line, &format!("`{row}` must not use `{path}`")));
            }
        }
        // Such a path would lead past this rule.
        let upward = file.code_lines().filter(|(_, code)| code.contains("super::super::"));
        violations.extend(upward.map(|(line, _)| file.at(line, "write the path from `crate::`")));
    }
    report(violations);
}

#[test]
fn agreement_touches_no_clock_socket_file_thread_log_or_random_order() {
    let words = ["async", "await", "tokio", "tracing", "HashMap", "HashSet"];
    let modules = ["fs", "net", "thread", "time::Instant", "time::SystemTime"];
    let mut violations = Vec::new();
    for file in rust_files().iter().filter(|file| module_of(&file.path).is_some_and(|module| is_in(&module, "core"))) {
        for (line, code) in file.code_lines() {
            let used = words.iter().filter(|word| has_word(code, word));
            violations.extend(used.map(|word| file.at(line, &format!("the core knows no `{word}`"))));
        }
        let used =
            used_paths(&file.code, "std").into_iter().filter(|used| modules.iter().any(|it| is_in(&used.path, it)));
        violations.extend(used.map(|used| file.at(used.line, &format!("the core knows no `std::{}`", used.path))));
    }
    report(violations);
}

#[test]
fn bincode_has_one_user() {
    let mut violations = Vec::new();
    let is_codec = |file: &SourceFile| module_of(&file.path).is_some_and(|module| is_in(&module, "codec"));
    for file in rust_files().iter().filter(|file| !is_codec(file)) {
        let used = file.code_lines().filter(|(_, code)| has_word(code, "bincode"));
        violations.extend(used.map(|(line, _)| file.at(line, "encode and decode with src/codec.rs")));
    }
    for file in manifests().iter().filter(|file| file.path != "Cargo.toml") {
        let used = (1..).zip(file.text.lines()).filter(|(_, text)| text.starts_with("bincode"));
        violations.extend(used.map(|(line, _)| file.at(line, "only the engine depends on bincode")));
    }
    report(violations);
}

#[test]
fn every_package_depends_only_on_packages_below_it() {
    let mut violations = Vec::new();
    for file in manifests() {
        let package = package_name(&file.text).expect("a manifest names its package");
        let Some((_, allowed)) = PACKAGES.iter().find(|(name, _)| *name == package) else {
            violations.push(file.at(1, &format!("`{package}` has no row in PACKAGES of tests/tidy.rs")));
            continue;
        };
        for dependency in workspace_dependencies(&file.text) {
            let name = dependency.name.as_str();
            if !allowed.contains(&name) {
                violations.push(file.at(dependency.line, &format!("`{package}` must not depend on `{name}`")));
            } else if OPTIONAL.contains(&(package, name)) && !dependency.optional {
                violations.push(file.at(dependency.line, &format!("`{name}` must be optional here")));
            }
        }
    }
    report(violations);
}

#[test]
fn the_transport_knows_no_message_of_the_protocol() {
    let files = rust_files();
    let lib = files.iter().find(|file| file.path == "src/lib.rs").expect("the engine has a root");
    let shorter_names = reexports(&lib.code);
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with("net/")) {
        for used in used_paths(&file.code, "quorate") {
            let path = resolve(&used.path, &shorter_names);
            if is_engine_module(path) && !FOUNDATION.iter().any(|module| is_in(path, module)) {
                violations.push(file.at(used.line, &format!("net must not use `quorate::{path}`")));
            }
        }
    }
    report(violations);
}

#[test]
fn the_manifest_reader_finds_every_dependency_of_the_workspace() {
    let manifest = "[package]\nname = \"a\"\n[workspace.dependencies]\nquorate-no = \"1\"\n[dependencies]\n\
                    quorate.workspace = true\nserde = \"1\"\nquorate-sim = { workspace = true, optional = true }\n\
                    [features]\nquorate-no = []\n[target.'cfg(unix)'.dev-dependencies]\nquorate-net={path=\"x\"}\n\
                    [dependencies.quorate-node]\nworkspace = true\n[[bin]]\nname = \"quorate\"\n";
    let found: Vec<_> =
        workspace_dependencies(manifest).into_iter().map(|it| (it.line, it.name, it.optional)).collect();
    let expected =
        [(6, "quorate", false), (8, "quorate-sim", true), (12, "quorate-net", false), (13, "quorate-node", false)];
    assert_eq!(found, expected.map(|(line, name, optional)| (line, name.to_owned(), optional)));
    assert_eq!(package_name(manifest), Some("a"));
}

/// The row that speaks about `module`: the longest one, since a submodule's row comes before its parent's.
fn row_of(module: &str) -> Option<(&'static str, &'static [&'static [&'static str]])> {
    MODULES.iter().copied().filter(|(row, _)| is_in(module, row)).max_by_key(|(row, _)| row.len())
}

/// The path behind a name that the engine's root offers; any other path as it is.
fn resolve<'a>(path: &'a str, shorter_names: &'a BTreeMap<String, String>) -> &'a str {
    path.split("::").next().and_then(|name| shorter_names.get(name)).map_or(path, String::as_str)
}

/// Whether `path` leads into a module of the engine, and not to a macro or to another crate's item.
fn is_engine_module(path: &str) -> bool {
    MODULES.iter().any(|(row, _)| path.split("::").next() == row.split("::").next())
}

struct Dependency {
    line: usize,
    name: String,
    optional: bool,
}

/// The dependencies of every kind that are packages of this workspace.
fn workspace_dependencies(manifest: &str) -> Vec<Dependency> {
    let mut found = Vec::new();
    let mut in_dependencies = false;
    for (line, text) in (1..).zip(manifest.lines()) {
        let header = text.strip_prefix('[').and_then(|text| text.split(']').next());
        let entry = match header {
            Some(header) => {
                let (table, last) = header.rsplit_once('.').unwrap_or(("", header));
                in_dependencies = last.ends_with("dependencies") && table != "workspace";
                table.ends_with("dependencies").then_some(last)
            }
            None => in_dependencies.then_some(text),
        };
        let name = entry.and_then(|entry| entry.split(['.', ' ', '=']).next()).unwrap_or_default();
        if name == "quorate" || name.starts_with("quorate-") {
            let optional = text.replace(' ', "").contains("optional=true");
            found.push(Dependency { line, name: name.to_owned(), optional });
        }
    }
    found
}

fn package_name(manifest: &str) -> Option<&str> {
    let package = manifest.split_once("[package]")?.1;
    package.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
}

#[track_caller]
fn report(violations: Vec<String>) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}
