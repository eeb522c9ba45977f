//! Imports run one way, downwards; only `crypto` names cipher and hash crates, and only `flash::file` and
//! `credential::factory` touch files.
//!
//! ```text
//!  claims   = what is compiled in: the CLAIMS of each
//!  credential = secret + crypto + flash + store + erase
//!  erase    = secret + crypto + flash + store
//!  store    = secret + stack + crypto + flash        within it: see `STORE`
//!  crypto   = secret + stack
//!  flash · secret · stack · paper
//!  guideline   pure data, imports nothing; whoever has CLAIMS imports it
//!    file    in flash; std::fs, std::path and the lock on files are named there and nowhere else
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};

/// Each module of the crate and what it may import.
const CRATE: [(&str, &[&str]); 11] = [
    ("guideline", &[]),
    ("secret", &["guideline"]),
    ("stack", &[]),
    ("paper", &["guideline"]),
    ("crypto", &["secret", "stack"]),
    ("flash", &["guideline"]),
    ("store", &["secret", "stack", "crypto", "flash", "guideline"]),
    ("erase", &["secret", "crypto", "flash", "store", "guideline"]),
    (
        "credential",
        &[
            "secret",
            "stack",
            "crypto",
            "flash",
            "store",
            "erase",
            "guideline",
        ],
    ),
    ("telemetry", &["secret", "crypto", "flash", "store", "guideline"]),
    (
        "claims",
        &[
            "guideline",
            "secret",
            "flash",
            "store",
            "erase",
            "credential",
            "telemetry",
            "paper",
        ],
    ),
];

/// Each module of the store and what it may import of the others. `store` is `src/store.rs` itself, the operations; it
/// may import all, and only the blocking face and what erasures ask of it may import it.
const STORE: [(&str, &[&str]); 35] = [
    ("claims", &[]),
    ("format", &[]),
    ("error", &[]),
    ("class", &[]),
    ("stored", &[]),
    ("pace", &[]),
    ("counter", &[]),
    ("key", &["class", "error", "format", "stored"]),
    ("memory", &["class", "format"]),
    ("geometry", &["format"]),
    ("ring", &["format", "geometry"]),
    ("hierarchy", &["error", "format"]),
    ("record", &["error", "format", "geometry"]),
    ("pages", &["error", "format", "geometry"]),
    ("flash_counter", &["counter", "format", "pages"]),
    ("clear", &["error", "format", "geometry", "pages"]),
    (
        "key_page",
        &[
            "class",
            "clear",
            "error",
            "format",
            "geometry",
            "hierarchy",
            "pages",
            "record",
        ],
    ),
    (
        "log",
        &[
            "counter",
            "error",
            "format",
            "geometry",
            "hierarchy",
            "key_page",
            "memory",
            "pace",
            "pages",
            "record",
            "ring",
        ],
    ),
    ("list", &["format", "geometry"]),
    ("figures", &["log", "memory"]),
    ("collect", &["error", "format", "log", "memory", "pace"]),
    ("walk", &["error", "format", "log", "memory", "pages", "record"]),
    (
        "keys",
        &[
            "class",
            "error",
            "format",
            "hierarchy",
            "key_page",
            "log",
            "memory",
            "ring",
        ],
    ),
    ("ahead", &["error", "log", "memory", "ring"]),
    ("checkpoint", &["error", "format", "list", "log", "memory"]),
    (
        "resume",
        &["error", "format", "list", "log", "memory", "record", "walk"],
    ),
    (
        "replay",
        &[
            "error", "format", "geometry", "log", "memory", "record", "resume", "walk",
        ],
    ),
    (
        "mount",
        &[
            "class",
            "clear",
            "error",
            "format",
            "geometry",
            "hierarchy",
            "key_page",
            "log",
            "memory",
            "pace",
            "pages",
            "ring",
        ],
    ),
    (
        "anchor",
        &["collect", "counter", "error", "keys", "log", "memory"],
    ),
    (
        "change",
        &[
            "class", "collect", "error", "format", "geometry", "key_page", "keys", "log", "memory",
        ],
    ),
    (
        "transaction",
        &[
            "change", "class", "collect", "error", "format", "key", "log", "memory", "stored",
        ],
    ),
    (
        "salvage",
        &[
            "class",
            "error",
            "format",
            "geometry",
            "hierarchy",
            "key_page",
            "log",
            "memory",
            "pages",
            "record",
            "walk",
        ],
    ),
    ("blocking", &["mount", "store"]),
    (
        "gone",
        &[
            "change", "class", "error", "format", "geometry", "keys", "log", "memory", "record", "store",
            "walk",
        ],
    ),
    (
        "inspect",
        &[
            "blocking", "class", "clear", "error", "format", "geometry", "key_page", "log", "memory",
            "pages", "record", "salvage", "walk",
        ],
    ),
];

/// Crates that only `crypto` names, and the files that may name one of them besides.
const CIPHERS_AND_HASHES: [&str; 15] = [
    "argon2",
    "chacha20",
    "hpke",
    "p256",
    "pbkdf2",
    "x25519_dalek",
    "chacha20poly1305",
    "ed25519_dalek",
    "poly1305",
    "hkdf",
    "hmac",
    "md5",
    "sha1",
    "sha2",
    "siphasher",
];
const EXCEPTIONS: [(&str, &str); 1] = [("src/secret.rs", "sha2")];

/// What touches files, by how its path begins; only `flash::file` names it.
const FILES: [&[&str]; 6] = [
    &["fs4"],
    &["std", "fs"],
    &["std", "path"],
    &["std", "io"],
    &["std", "os"],
    &["std", "env"],
];

/// The modules that touch files: the file that is flash, and a factory's orders and output.
const TOUCH_FILES: [&[&str]; 2] = [&["flash", "file"], &["credential", "factory"]];

/// A file of the tree: its path from the root, and its text.
type File = (String, String);

#[test]
fn no_module_imports_what_lies_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(root, &root.join("src"), &mut files);
    assert!(files.len() > 20, "the tree was read");
    let violations = violations(&files);
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn the_allowed_imports_have_no_circle() {
    for table in [&CRATE[..], &STORE[..]] {
        let mut below = BTreeSet::from(["store"]);
        let mut left: Vec<_> = table.iter().collect();
        while !left.is_empty() {
            let before = left.len();
            left.retain(|(module, allowed)| {
                let ready = allowed.iter().all(|import| below.contains(import));
                if ready {
                    below.insert(module);
                }
                !ready
            });
            assert!(left.len() < before, "a circle among {left:?}");
        }
    }
}

fn collect(root: &Path, at: &Path, files: &mut Vec<File>) {
    let mut paths: Vec<_> = fs::read_dir(at)
        .expect("a directory")
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path
                .strip_prefix(root)
                .expect("below the root")
                .display()
                .to_string();
            files.push((name.replace('\\', "/"), fs::read_to_string(&path).expect("text")));
        }
    }
}

// ---- the checks ----

fn violations(files: &[File]) -> Vec<String> {
    let mut violations = Vec::new();
    for (name, text) in files {
        let module = module_of(name);
        // The crate's root declares; test modules may reach anywhere.
        let Some(top) = module.first().filter(|top| *top != "lib") else {
            continue;
        };
        if module.last().is_some_and(|last| last == "tests") {
            continue;
        }
        let Some((_, allowed)) = CRATE.iter().find(|(module, _)| module == top) else {
            violations.push(format!(
                "{name}: the module {top} has no row in the table of layers"
            ));
            continue;
        };
        let mut paths = Paths {
            module: module.clone(),
            found: BTreeSet::new(),
        };
        paths.visit_file(&syn::parse_file(text).unwrap_or_else(|error| panic!("{name}: {error}")));
        for path in paths.found {
            violations.extend(violation(name, &module, allowed, &path));
        }
    }
    violations
}

fn violation(file: &str, module: &[String], allowed: &[&str], path: &[String]) -> Option<String> {
    let shown = path.join("::");
    let (root, rest) = path.split_first()?;
    if FILES.iter().any(|files| {
        path.iter()
            .zip(*files)
            .filter(|(name, file)| name == file)
            .count()
            == files.len()
    }) && !TOUCH_FILES.iter().any(|allowed| {
        module
            .iter()
            .zip(*allowed)
            .filter(|(own, name)| own == name)
            .count()
            == 2
    }) {
        return Some(format!("{file}: touches files ({shown})"));
    }
    if root != "crate" {
        let only_crypto = CIPHERS_AND_HASHES.contains(&root.as_str());
        let excepted =
            EXCEPTIONS.contains(&(file, root.as_str())) || module.first().is_some_and(|top| top == "crypto");
        return (only_crypto && !excepted).then(|| format!("{file}: names the crate {root} ({shown})"));
    }
    let (top, own) = (rest.first()?, module.first()?);
    if top != own {
        return (!allowed.contains(&top.as_str())).then(|| format!("{file}: {own} imports {shown}"));
    }
    // Within the store.
    let part = module.get(1).filter(|_| own == "store")?;
    let Some((_, allowed)) = STORE.iter().find(|(name, _)| name == part) else {
        return Some(format!(
            "{file}: the module store::{part} has no row in the table of layers"
        ));
    };
    let named = rest
        .get(1)
        .filter(|name| STORE.iter().any(|(module, _)| module == name));
    let target = named.map_or("store", String::as_str);
    (target != part && !allowed.contains(&target)).then(|| format!("{file}: store::{part} imports {shown}"))
}

/// `src/store/log.rs` is the module `store::log`.
fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    path.split('/').map(str::to_owned).collect()
}

/// Every path of a file that leads somewhere: those below the crate as `crate::…`, the others with their first name.
struct Paths {
    module: Vec<String>,
    found: BTreeSet<Vec<String>>,
}

impl Paths {
    fn add(&mut self, mut path: Vec<String>) {
        let mut above = self.module.clone();
        while path
            .first()
            .is_some_and(|first| first == "super" || first == "self")
        {
            if path.remove(0) == "super" {
                above.pop();
            }
            // "super::super", or on from here.
            if path.first().is_none_or(|next| next != "super") {
                path.splice(
                    0..0,
                    std::iter::once("crate".to_owned()).chain(above.iter().cloned()),
                );
            }
        }
        if !path.is_empty() {
            self.found.insert(path);
        }
    }

    fn add_tree(&mut self, tree: &syn::UseTree, mut before: Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_tree(&path.tree, before);
            }
            syn::UseTree::Name(name) => {
                // `format::{self}` is the path before it.
                if name.ident != "self" || before.is_empty() {
                    before.push(name.ident.to_string());
                }
                self.add(before);
            }
            syn::UseTree::Rename(rename) => {
                if rename.ident != "self" || before.is_empty() {
                    before.push(rename.ident.to_string());
                }
                self.add(before);
            }
            syn::UseTree::Glob(_) => self.add(before),
            syn::UseTree::Group(group) => group
                .items
                .iter()
                .for_each(|item| self.add_tree(item, before.clone())),
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let is_test = item.attrs.iter().any(|attribute| {
            attribute.path().is_ident("cfg")
                && attribute
                    .meta
                    .require_list()
                    .is_ok_and(|list| list.tokens.to_string() == "test")
        });
        if !is_test {
            self.module.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_tree(&item.tree, Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.add(
            path.segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect(),
        );
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        // The tokens are no syntax tree: paths are read off their text.
        let text = item.tokens.to_string().replace(" ::", "::").replace(":: ", "::");
        for word in text.split(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != ':') {
            let path: Vec<String> = word
                .split("::")
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect();
            if path.len() > 1 {
                self.add(path);
            }
        }
        visit::visit_macro(self, item);
    }
}

// ---- each check can fail ----

fn planted(file: &str, text: &str) -> Vec<String> {
    violations(&[(file.to_owned(), text.to_owned())])
}

#[test]
fn an_import_from_above_is_found_in_every_spelling() {
    for text in [
        "use crate::store::Store;",
        "use crate::{secret::Secret, store::{Class, Store}};",
        "use super::store;",
        "fn f() { let _ = crate::store::Store::open(); }",
        "fn f(store: &crate::store::Store) {}",
        "mod inner { use super::super::store::Store; }",
        "macro_rules! m { () => { $crate::store::Store::new() } }",
        "fn f() { assert!(crate::store::is_open()); }",
        "pub use crate::store::*;",
        "use crate::store as below;",
    ] {
        assert!(!planted("src/crypto.rs", text).is_empty(), "{text}");
    }
    assert_eq!(planted("src/secret.rs", "use crate::crypto::derive;").len(), 1);
    assert_eq!(
        planted("src/flash/medium.rs", "use crate::secret::Secret;").len(),
        1
    );
}

#[test]
fn an_import_from_above_within_the_store_is_found() {
    for (file, text) in [
        ("src/store/format.rs", "use super::log::Log;"),
        ("src/store/log.rs", "use crate::store::mount::Existing;"),
        ("src/store/walk.rs", "use super::keys;"),
        (
            "src/store/memory.rs",
            "fn f() { super::collect::is_within_capacity(); }",
        ),
        ("src/store/log.rs", "use super::Figures;"),
        ("src/store/novelty.rs", "use super::format;"),
    ] {
        assert_eq!(planted(file, text).len(), 1, "{file}: {text}");
    }
}

#[test]
fn a_cipher_outside_crypto_is_found() {
    for text in [
        "use sha2::Sha256;",
        "use ::chacha20poly1305::Key;",
        "fn f() { hkdf::Hkdf::<H>::new(None, &[]); }",
        "use {hmac::Hmac, core::fmt};",
        "macro_rules! m { () => { siphasher::sip::SipHasher24::new() } }",
        "use poly1305 as mac;",
    ] {
        assert_eq!(planted("src/store/log.rs", text).len(), 1, "{text}");
    }
    assert_eq!(planted("src/secret.rs", "use hmac::Hmac;").len(), 1);
}

#[test]
fn a_file_touched_outside_its_module_is_found() {
    for text in [
        "use fs4::FileExt;",
        "use std::{fs::File, vec::Vec};",
        "fn f() { std::fs::remove_file(\"a\"); }",
        "use std::path::Path;",
    ] {
        assert_eq!(planted("src/store/log.rs", text).len(), 1, "{text}");
        assert_eq!(planted("src/flash/simulator.rs", text).len(), 1, "{text}");
        assert_eq!(planted("src/credential/items.rs", text).len(), 1, "{text}");
        assert_eq!(planted("src/flash/file/open.rs", text), Vec::<String>::new());
        assert_eq!(
            planted("src/credential/factory/order.rs", text),
            Vec::<String>::new()
        );
    }
    assert_eq!(planted("src/flash/file.rs", "use crate::store::Store;").len(), 1);
}

#[test]
fn a_module_without_a_row_is_found() {
    assert_eq!(planted("src/novelty.rs", "").len(), 1);
}

#[test]
fn what_is_allowed_is_no_violation() {
    for (file, text) in [
        (
            "src/store.rs",
            "use self::log::Log; use crate::{crypto, flash::Medium, secret::RootKey}; use zeroize::Zeroize;",
        ),
        (
            "src/store/log.rs",
            "use super::format::{self, Header}; use crate::crypto::Digest; pub(crate) fn f() {}",
        ),
        ("src/store/blocking.rs", "use super::{AsyncStore, Key};"),
        ("src/secret.rs", "use sha2::{Digest, Sha256}; use subtle::Choice;"),
        ("src/crypto/ledger.rs", "use sha2::Sha256; use super::SealingKey;"),
        (
            "src/flash.rs",
            "#[cfg(test)] mod tests { use crate::store::Store; }",
        ),
        ("src/crypto/tests.rs", "use crate::store::Store;"),
        (
            "src/flash/simulator.rs",
            "use super::Medium; use crate::flash::MediumKind;",
        ),
    ] {
        assert_eq!(planted(file, text), Vec::<String>::new(), "{file}: {text}");
    }
}
