//! Every requirement has code and a test that cite it word for word, and every citation stands on something.
//!
//! The requirements are the lines with an upper-case MUST in `compliance/requirements.md`; a citation looks like this:
//!
//! ```text
//!  //= compliance/requirements.md#store-1      which requirement
//!  //= type=test                               only above or inside a test; `type=exception` needs a `reason=`
//!  //# The sentence, word for word.            more such lines continue it
//! ```
//!
//! What this cannot see: whether the cited test runs the cited code, and whether it would fail if the code were wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const DOCUMENT: &str = "compliance/requirements.md";
const SOURCES: [&str; 5] = ["src", "tests", "examples", "benches", "fuzz/fuzz_targets"];

/// A file of the tree: its path from the root, and its text.
type File = (String, String);

#[test]
fn every_requirement_has_code_and_a_test_that_cite_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read =
        |path: &str| fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut files = Vec::new();
    for source in SOURCES {
        collect(root, &root.join(source), &mut files);
    }
    let flaws = flaws(&read(DOCUMENT), &read("README.md"), &files);
    assert!(flaws.is_empty(), "{} flaws:\n{}", flaws.len(), flaws.join("\n"));
}

fn collect(root: &Path, at: &Path, files: &mut Vec<File>) {
    let Ok(entries) = fs::read_dir(at) else { return };
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Code,
    Test,
    Exception,
}

/// One citation.
#[derive(Debug)]
struct Annotation {
    /// File and line, for messages.
    at: String,
    document: String,
    id: String,
    kind: Kind,
    quote: String,
    has_reason: bool,
    /// What is wrong with the citation itself.
    flaws: Vec<String>,
}

fn flaws(document: &str, duties: &str, files: &[File]) -> Vec<String> {
    let (requirements, mut flaws) = requirements(document, duties);
    let mut cited = BTreeSet::new();
    for annotation in files.iter().flat_map(annotations) {
        let at = &annotation.at;
        flaws.extend(annotation.flaws.iter().map(|flaw| format!("{at}: {flaw}")));
        if annotation.document != DOCUMENT {
            flaws.push(format!(
                "{at}: cites {}, which is not {DOCUMENT}",
                annotation.document
            ));
        }
        let Some(sentences) = requirements.get(&annotation.id) else {
            flaws.push(format!("{at}: no requirement {}", annotation.id));
            continue;
        };
        if !sentences.contains(&annotation.quote) {
            flaws.push(format!(
                "{at}: the quote differs from {}: {:?}",
                annotation.id, annotation.quote
            ));
            continue;
        }
        if annotation.kind == Kind::Exception && !annotation.has_reason {
            flaws.push(format!("{at}: an exception without a reason"));
        }
        // An exception stands for code and test.
        match annotation.kind {
            Kind::Exception => cited.extend([
                (annotation.quote.clone(), Kind::Code),
                (annotation.quote, Kind::Test),
            ]),
            kind => cited.extend([(annotation.quote, kind)]),
        }
    }
    for (id, sentences) in &requirements {
        for sentence in sentences {
            for (kind, what) in [(Kind::Code, "code"), (Kind::Test, "test")] {
                if !cited.contains(&(sentence.clone(), kind)) {
                    flaws.push(format!("{id}: no {what} cites: {sentence}"));
                }
            }
        }
    }
    flaws
}

/// The sentences of each requirement, by its id in lower case, and what is wrong with the document.
fn requirements(document: &str, duties: &str) -> (BTreeMap<String, Vec<String>>, Vec<String>) {
    let mut requirements = BTreeMap::<String, Vec<String>>::new();
    let mut flaws = Vec::new();
    for section in document.split("\n## ").skip(1) {
        let mut lines = section.lines();
        let title = lines.next().unwrap_or_default().trim();
        let mut sentences = Vec::new();
        let mut serves = false;
        for line in lines.map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(rest) = line.strip_prefix("Serves: CoP ") {
                serves = rest.contains("EN 303 645 ") && rest.contains("Assumes: ");
                let words = rest.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
                for duty in words.filter(|word| word.starts_with("D-")) {
                    if !duties.contains(&format!("| {duty} |")) {
                        flaws.push(format!("{title}: assumes the duty {duty}, which is in no list"));
                    }
                }
            } else if line.contains(" MUST ") {
                sentences.push(line.to_owned());
            } else {
                flaws.push(format!(
                    "{title}: a line without MUST would never be checked: {line}"
                ));
            }
        }
        if sentences.is_empty() {
            flaws.push(format!("{title}: no sentence with MUST"));
        }
        if !serves {
            flaws.push(format!(
                "{title}: no line \"Serves: CoP …; EN 303 645 …. Assumes: …\""
            ));
        }
        if requirements.insert(title.to_lowercase(), sentences).is_some() {
            flaws.push(format!("{title}: there twice"));
        }
    }
    (requirements, flaws)
}

fn annotations((file, text): &File) -> Vec<Annotation> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let indents: Vec<usize> = text
        .lines()
        .map(|line| line.len() - line.trim_start().len())
        .collect();
    let mut annotations = Vec::<Annotation>::new();
    let mut at = 0;
    while at < lines.len() {
        if !is_citation(lines[at]) {
            at += 1;
            continue;
        }
        let begin = at;
        let mut block = Vec::<Annotation>::new();
        while at < lines.len() && is_citation(lines[at]) {
            read_line(&format!("{file}:{}", at + 1), lines[at], &mut block);
            at += 1;
        }
        let item = below(&lines, at);
        for annotation in &mut block {
            match item {
                None => annotation.flaws.push("nothing under the citation".to_owned()),
                Some(item) if annotation.kind == Kind::Test => {
                    annotation
                        .flaws
                        .extend(flaw_of_test(&lines, &indents, begin, item));
                }
                Some(_) if annotation.kind == Kind::Code && !file.starts_with("src/") => {
                    annotation
                        .flaws
                        .push("a citation as code outside src (or is type=test missing?)".to_owned());
                }
                Some(_) => {}
            }
        }
        annotations.append(&mut block);
    }
    annotations
}

fn is_citation(line: &str) -> bool {
    line.starts_with("//=") || line.starts_with("//#")
}

/// Takes one line of a block of citations in.
fn read_line(at: &str, line: &str, block: &mut Vec<Annotation>) {
    let (mark, rest) = line.split_at(3);
    let rest = rest.trim();
    if mark == "//=" && !rest.starts_with("type=") && !rest.starts_with("reason=") {
        let (document, id) = rest.split_once('#').unwrap_or((rest, ""));
        block.push(Annotation {
            at: at.to_owned(),
            document: document.to_owned(),
            id: id.to_owned(),
            kind: Kind::Code,
            quote: String::new(),
            has_reason: false,
            flaws: Vec::new(),
        });
        return;
    }
    let Some(annotation) = block.last_mut() else {
        block.push(Annotation {
            at: at.to_owned(),
            document: DOCUMENT.to_owned(),
            id: String::new(),
            kind: Kind::Code,
            quote: String::new(),
            has_reason: false,
            flaws: vec!["a citation that names no requirement".to_owned()],
        });
        return;
    };
    if mark == "//#" {
        if !annotation.quote.is_empty() {
            annotation.quote.push(' ');
        }
        annotation.quote.push_str(rest);
    } else if let Some(reason) = rest.strip_prefix("reason=") {
        annotation.has_reason = !reason.trim().is_empty();
    } else {
        match rest {
            "type=test" => annotation.kind = Kind::Test,
            "type=exception" => annotation.kind = Kind::Exception,
            other => annotation.flaws.push(format!("unknown {other}")),
        }
    }
}

/// The line of the item or statement under a citation.
fn below(lines: &[&str], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let line = *lines.get(at)?;
        if line.starts_with("#[") {
            while !lines.get(at)?.ends_with(']') {
                at += 1;
            }
        } else if !line.starts_with("//") {
            return (!line.is_empty() && !line.starts_with('}') && !line.starts_with(')')).then_some(at);
        }
        at += 1;
    }
}

/// What is wrong with the test that a citation stands above or in.
fn flaw_of_test(lines: &[&str], indents: &[usize], citation: usize, item: usize) -> Option<String> {
    let function = if is_function(lines[item]) {
        item
    } else {
        let enclosing = (0..citation)
            .rev()
            .find(|&at| is_function(lines[at]) && indents[at] < indents[citation]);
        match enclosing {
            Some(function) => function,
            None => return Some("cited as a test, and there is no function".to_owned()),
        }
    };
    let attributes: Vec<&str> = lines[..function]
        .iter()
        .rev()
        .take_while(|line| line.starts_with("#[") || line.starts_with("//"))
        .filter(|line| line.starts_with("#["))
        .copied()
        .collect();
    if !attributes.contains(&"#[test]") {
        return Some(format!("cited as a test, and is none: {}", lines[function]));
    }
    attributes
        .iter()
        .any(|attribute| attribute.contains("ignore"))
        .then(|| format!("the test is ignored: {}", lines[function]))
}

fn is_function(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words
        .by_ref()
        .find(|word| !(word.starts_with("pub") || matches!(*word, "async" | "const" | "extern")))
        == Some("fn")
}

// ---- each check can fail ----

const TWO: &str = concat!(
    "# Requirements\n\n## A-1\n\nIt MUST hold.\nServes: CoP 4; EN 303 645 5.4-1. Assumes: D-1.\n\n",
    "## A-2\n\nIt MUST last.\nServes: CoP 9; EN 303 645 5.9-2. Assumes: nothing.\n",
);
const DUTIES: &str = "| D-1 | a root key |";
const CODE: &str = concat!(
    "//= compliance/requirements.md#a-1\n//# It MUST hold.\nfn hold() {}\n",
    "//= compliance/requirements.md#a-2\n//# It MUST\n//# last.\nconst LAST: u8 = 1;\n",
);
const TESTS: &str = concat!(
    "//= compliance/requirements.md#a-1\n//= type=test\n//# It MUST hold.\n#[test]\nfn holds() {}\n\n",
    "#[test]\nfn lasts() {\n    //= compliance/requirements.md#a-2\n    //= type=test\n    //# It MUST last.\n    let x = 1;\n}\n",
);

fn flaws_of(document: &str, code: &str, tests: &str) -> Vec<String> {
    flaws(
        document,
        DUTIES,
        &[
            ("src/a.rs".to_owned(), code.to_owned()),
            ("tests/a.rs".to_owned(), tests.to_owned()),
        ],
    )
}

#[track_caller]
fn one_flaw(flaws: &[String], expected: &str) {
    assert!(
        flaws.iter().any(|flaw| flaw.contains(expected)),
        "not among {flaws:#?}"
    );
}

#[test]
fn a_tree_without_flaws_has_none() {
    assert_eq!(flaws_of(TWO, CODE, TESTS), Vec::<String>::new());
}

#[test]
fn a_requirement_without_code_is_found() {
    one_flaw(
        &flaws_of(TWO, CODE.split("\n//= ").next().unwrap(), TESTS),
        "a-2: no code cites",
    );
}

#[test]
fn a_requirement_without_a_test_is_found() {
    one_flaw(
        &flaws_of(TWO, CODE, TESTS.split("\n\n").next().unwrap()),
        "a-2: no test cites",
    );
}

#[test]
fn a_second_sentence_that_nobody_cites_is_found() {
    let document = TWO.replace("It MUST hold.\n", "It MUST hold.\nIt MUST stay.\n");
    let flaws = flaws_of(&document, CODE, TESTS);
    assert_eq!(flaws.len(), 2, "{flaws:?}");
    one_flaw(&flaws, "a-1: no test cites: It MUST stay.");
}

#[test]
fn a_quote_that_differs_is_found() {
    one_flaw(
        &flaws_of(TWO, &CODE.replace("MUST hold", "SHOULD hold"), TESTS),
        "src/a.rs:1: the quote differs",
    );
}

#[test]
fn an_unknown_requirement_is_found() {
    one_flaw(
        &flaws_of(TWO, &CODE.replace("#a-1", "#a-7"), TESTS),
        "src/a.rs:1: no requirement a-7",
    );
    one_flaw(
        &flaws_of(TWO, &CODE.replace("requirements.md#a-1", "others.md#a-1"), TESTS),
        "which is not",
    );
    one_flaw(
        &flaws_of(
            TWO,
            &format!("{CODE}fn f() {{\n    //# It MUST hold.\n    g();\n}}\n"),
            TESTS,
        ),
        "names no requirement",
    );
}

#[test]
fn a_citation_over_nothing_is_found() {
    for nothing in ["}\n", "\nfn hold() {}\n", "// a remark\n"] {
        let code = CODE.replacen("fn hold() {}\n", nothing, 1);
        one_flaw(
            &flaws_of(
                TWO,
                code.split("//= compliance/requirements.md#a-2").next().unwrap(),
                TESTS,
            ),
            "nothing under",
        );
    }
}

#[test]
fn a_cited_test_that_is_no_test_is_found() {
    one_flaw(
        &flaws_of(TWO, CODE, &TESTS.replacen("#[test]\n", "", 1)),
        "is none: fn holds()",
    );
    one_flaw(
        &flaws_of(TWO, CODE, &TESTS.replace("#[test]\nfn lasts", "fn lasts")),
        "is none: fn lasts()",
    );
    one_flaw(
        &flaws_of(
            TWO,
            CODE,
            &TESTS.replace("#[test]\nfn holds() {}", "const HOLDS: u8 = 1;"),
        ),
        "there is no function",
    );
}

#[test]
fn a_cited_test_that_is_ignored_is_found() {
    one_flaw(
        &flaws_of(TWO, CODE, &TESTS.replacen("#[test]\n", "#[test]\n#[ignore]\n", 1)),
        "ignored: fn holds()",
    );
    let reason = TESTS.replace("#[test]\nfn lasts", "#[ignore = \"slow\"]\n#[test]\nfn lasts");
    one_flaw(&flaws_of(TWO, CODE, &reason), "ignored: fn lasts()");
}

#[test]
fn a_citation_in_a_test_without_its_type_is_found() {
    one_flaw(
        &flaws_of(TWO, CODE, &TESTS.replacen("//= type=test\n", "", 1)),
        "is type=test missing?",
    );
    one_flaw(
        &flaws_of(TWO, &CODE.replacen("//# ", "//= type=hope\n//# ", 1), TESTS),
        "unknown type=hope",
    );
}

#[test]
fn an_exception_needs_a_reason() {
    let exception = CODE.replacen("//# ", "//= type=exception\n//# ", 1);
    one_flaw(&flaws_of(TWO, &exception, TESTS), "an exception without a reason");
    let reason = CODE.replacen("//# ", "//= type=exception\n//= reason=no such part\n//# ", 1);
    assert_eq!(flaws_of(TWO, &reason, TESTS), Vec::<String>::new());
}

#[test]
fn a_requirement_that_serves_nothing_is_found() {
    one_flaw(
        &flaws_of(&TWO.replacen("Serves: CoP 4; ", "", 1), CODE, TESTS),
        "A-1: no line \"Serves:",
    );
    one_flaw(
        &flaws_of(&TWO.replacen(" Assumes: D-1.", "", 1), CODE, TESTS),
        "A-1: no line \"Serves:",
    );
    one_flaw(&flaws_of(&TWO.replace("D-1", "D-9"), CODE, TESTS), "the duty D-9");
}

#[test]
fn a_requirement_in_lower_case_or_there_twice_is_found() {
    one_flaw(
        &flaws_of(&TWO.replace("It MUST last.", "It must last."), CODE, TESTS),
        "A-2: no sentence with MUST",
    );
    one_flaw(
        &flaws_of(&TWO.replace("A-2", "A-1"), CODE, TESTS),
        "A-1: there twice",
    );
}
