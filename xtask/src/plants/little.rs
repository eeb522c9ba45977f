//! Of the tests that a planted bug is for, as little as can be is built: once for each bug, that is most of the time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{Plant, read};

/// Programs of tests that need nothing of what the factory and the collector have: without that the library is built in seconds.
const OF_DEVICES: [&str; 4] = ["store", "erase", "medium", "stack"];
const ALL_FEATURES: &str = r#"features = ["async", "collector", "factory", "lab", "qr", "test-util"]"#;
const DEVICE_FEATURES: &str = r#"features = ["async", "lab", "qr", "test-util"]"#;

/// Files that make little of what is not run be built for each bug.
pub(super) fn texts(tree: &Path, plant: &Plant) -> BTreeMap<String, String> {
    let without = program(plant)
        .filter(|program| OF_DEVICES.contains(program))
        .and_then(|_| read(tree, "Cargo.toml").ok())
        .map(|manifest| {
            (
                "Cargo.toml".to_owned(),
                manifest.replacen(ALL_FEATURES, DEVICE_FEATURES, 1),
            )
        });
    without.into_iter().chain(narrowed(tree, plant)).collect()
}

/// Which program of tests sees the bug, if one of this package does.
fn program(plant: &Plant) -> Option<&str> {
    let mut words = plant.test.split_whitespace();
    let program = words.find(|word| *word == "--test").and_then(|_| words.next())?;
    (!plant.test.contains("--package")).then_some(program)
}

/// `tests/…/main.rs` with those modules alone that the tests named are in, and those that these name: what is not run need not be built for each
/// bug. `None` where it is not clear which these are.
fn narrowed(tree: &Path, plant: &Plant) -> Option<(String, String)> {
    let folder = format!("tests/{}", program(plant)?);
    let file = format!("{folder}/main.rs");
    if plant.edits.iter().any(|edit| edit.file == file) {
        return None;
    }
    let main = read(tree, &file).ok()?;
    let lines: Vec<&str> = main.lines().collect();
    // A module from elsewhere has its path in the line before, and helps others; one for some systems alone has that there.
    let module = |at: usize| {
        let is_special = at > 0 && lines[at - 1].starts_with("#[");
        let name = lines[at].strip_prefix("mod ")?.strip_suffix(';')?;
        (!is_special).then_some(name)
    };
    let texts: BTreeMap<&str, String> = (0..lines.len())
        .filter_map(module)
        .map(|name| Some((name, whole(tree, &folder, name)?)))
        .collect::<Option<_>>()?;
    let mut kept = BTreeSet::new();
    for test in std::iter::once(&plant.expect).chain(&plant.passes) {
        let name = test.rsplit("::").find(|part| !part.is_empty())?;
        let of = texts.iter().filter(|(_, text)| text.contains(name));
        let before = kept.len();
        kept.extend(of.map(|(module, _)| *module));
        if kept.len() == before
            && !texts
                .iter()
                .any(|(module, text)| kept.contains(module) && text.contains(name))
        {
            return None;
        }
    }
    // Each round keeps one more at least.
    for _ in 0..texts.len() {
        let named = |other: &str| {
            let paths = [format!("crate::{other}"), format!("super::{other}")];
            kept.iter()
                .any(|module| paths.iter().any(|path| texts[module].contains(path.as_str())))
        };
        let more: Vec<&str> = texts.keys().copied().filter(|other| named(other)).collect();
        kept.extend(more);
    }
    let rest: Vec<&str> = (0..lines.len())
        .filter(|&at| module(at).is_none_or(|name| kept.contains(name)))
        .map(|at| lines[at])
        .collect();
    Some((file, rest.join("\n") + "\n"))
}

/// All that a module is written in.
fn whole(tree: &Path, folder: &str, module: &str) -> Option<String> {
    let mut text = read(tree, &format!("{folder}/{module}.rs"))
        .or_else(|_| read(tree, &format!("{folder}/{module}/mod.rs")))
        .ok()?;
    for entry in fs::read_dir(tree.join(folder).join(module)).into_iter().flatten() {
        text += &fs::read_to_string(entry.ok()?.path()).ok()?;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::super::{parse, write};
    use super::*;

    const BLOCK: &str = "# a remark\nname: a bug\nfile: src/a.rs\ntest: --lib a\nexpect: it_holds\n<<<<\n    a\n    b\n====\n    c\n>>>>\n";

    #[test]
    fn the_features_to_leave_out_stand_in_the_manifest() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let manifest = read(&root, "Cargo.toml").unwrap();
        assert_eq!(manifest.matches(ALL_FEATURES).count(), 1);
    }

    #[test]
    fn of_a_program_of_tests_those_modules_are_built_that_the_tests_named_are_in_or_name() {
        let tree = std::env::temp_dir().join(format!("plants-{}", std::process::id()));
        fs::create_dir_all(tree.join("tests/c/deep")).unwrap();
        for (file, text) in [
            (
                "tests/c/main.rs",
                "#[path = \"../s.rs\"]\nmod s;\nmod deep;\nmod named;\nmod other;\nmod used;\n",
            ),
            ("tests/c/named.rs", "use crate::used::x;\nfn it_holds() {}\n"),
            ("tests/c/used.rs", "pub fn x() {}\n"),
            ("tests/c/other.rs", "fn it_rests() {}\n"),
            ("tests/c/deep.rs", "mod below;\n"),
            ("tests/c/deep/below.rs", "fn it_lasts() {}\n"),
        ] {
            write(&tree, file, text).unwrap();
        }
        let named = |expect: &str, passes: &str| {
            let list = BLOCK
                .replacen("--lib a", "--test c", 1)
                .replacen("it_holds", expect, 1);
            let plants = parse(&list.replacen("<<<<", &format!("passes: {passes}\n<<<<"), 1)).unwrap();
            narrowed(&tree, &plants[0]).map(|(_, text)| text)
        };
        let first = "#[path = \"../s.rs\"]\nmod s;\n";
        assert_eq!(
            named("it_holds", "").unwrap(),
            format!("{first}mod named;\nmod used;\n")
        );
        assert_eq!(
            named("it_rests", "deep::it_lasts").unwrap(),
            format!("{first}mod deep;\nmod other;\n")
        );
        assert_eq!(named("it_is_made_by_a_macro", ""), None);
        fs::remove_dir_all(tree).unwrap();
    }
}
