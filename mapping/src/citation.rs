//! Citations of requirements in code and tests.
//!
//! ```text
//!  //= compliance/requirements.md#store-1      which requirement
//!  //= type=test                               only above or inside a test; `type=exception` needs a `reason=`
//!  //# The sentence, word for word.            more such lines continue it
//! ```
//!
//! ```text
//!  model
//!  citation   (this file)
//! ```

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::{DOCUMENT, File};

/// Where citations are looked for.
pub const SOURCES: [&str; 5] = ["src", "tests", "examples", "benches", "fuzz/fuzz_targets"];

/// What a citation stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The code that does it.
    Code,
    /// A test that would see it fail.
    Test,
    /// Why it is not done.
    Exception,
}

/// One citation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Citation {
    /// The id of the requirement in upper case; empty if none was named.
    pub requirement: String,
    /// The sentence.
    pub quote: String,
    /// What it stands for.
    pub kind: Kind,
    /// The file, from the root.
    pub file: String,
    /// Line of the citation; 0 where lines were left out, see [`Mapping::without_lines`](crate::Mapping::without_lines).
    #[serde(skip_serializing_if = "is_zero")]
    pub line: usize,
    /// The item that it stands above or in: `fn is_unformatted`.
    pub item: String,
    /// Line of the item.
    #[serde(skip_serializing_if = "is_zero")]
    pub item_line: usize,
    /// Of a test: what selects the program in `cargo test`: `--test store` or `--lib`.
    pub target: String,
    /// Of a test: its whole name there, for `--exact`.
    pub test: String,
    /// Of an exception: why.
    pub reason: String,
    /// What is wrong with it.
    #[serde(skip)]
    pub flaws: Vec<String>,
}

impl Citation {
    /// The file and the item, as records name them: `src/store/log.rs fn append`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{} {}", self.file, self.item)
    }

    /// Whether it stands at a function: what a test either runs or does not.
    #[must_use]
    pub fn is_function(&self) -> bool {
        self.item.starts_with("fn ")
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_zero(line: &usize) -> bool {
    *line == 0
}

/// The Rust files in which citations are looked for, in the order of their names.
#[must_use]
pub fn files(root: &Path) -> Vec<File> {
    let mut files = Vec::new();
    for source in SOURCES {
        collect(root, &root.join(source), &mut files);
    }
    files
}

fn collect(root: &Path, at: &Path, files: &mut Vec<File>) {
    let Ok(entries) = fs::read_dir(at) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            if !path.ends_with("target") {
                collect(root, &path, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            if let Ok(text) = fs::read_to_string(&path) {
                files.push((name.replace('\\', "/"), text));
            }
        }
    }
}

/// The citations of one file.
#[must_use]
pub fn citations((file, text): &File) -> Vec<Citation> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let indents: Vec<usize> = text
        .lines()
        .map(|line| line.len() - line.trim_start().len())
        .collect();
    let source = Source {
        file,
        lines: &lines,
        indents: &indents,
    };
    let mut found = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        if !is_citation(lines[at]) {
            at += 1;
            continue;
        }
        let begin = at;
        let mut block = Vec::<Citation>::new();
        while at < lines.len() && is_citation(lines[at]) {
            read_line(file, at + 1, lines[at], &mut block);
            at += 1;
        }
        let item = below(&lines, at);
        for citation in &mut block {
            match item {
                None => citation.flaws.push("nothing under the citation".to_owned()),
                Some(item) => source.place(citation, begin, item),
            }
        }
        found.append(&mut block);
    }
    found
}

fn is_citation(line: &str) -> bool {
    line.starts_with("//=") || line.starts_with("//#")
}

/// Takes one line of a block of citations in.
fn read_line(file: &str, number: usize, line: &str, block: &mut Vec<Citation>) {
    let (mark, rest) = line.split_at(3);
    let rest = rest.trim();
    let is_head = mark == "//=" && !rest.starts_with("type=") && !rest.starts_with("reason=");
    if is_head || block.is_empty() {
        let (document, id) = rest.split_once('#').unwrap_or((rest, ""));
        let flaw = if !is_head {
            Some("a citation that names no requirement".to_owned())
        } else if document != DOCUMENT {
            Some(format!("cites {document}, which is not {DOCUMENT}"))
        } else {
            None
        };
        block.push(Citation {
            requirement: if is_head { id.to_uppercase() } else { String::new() },
            quote: String::new(),
            kind: Kind::Code,
            file: file.to_owned(),
            line: number,
            item: String::new(),
            item_line: 0,
            target: String::new(),
            test: String::new(),
            reason: String::new(),
            flaws: flaw.into_iter().collect(),
        });
        return;
    }
    let Some(citation) = block.last_mut() else { return };
    if mark == "//#" {
        if !citation.quote.is_empty() {
            citation.quote.push(' ');
        }
        citation.quote.push_str(rest);
    } else if let Some(reason) = rest.strip_prefix("reason=") {
        reason.trim().clone_into(&mut citation.reason);
    } else {
        match rest {
            "type=test" => citation.kind = Kind::Test,
            "type=exception" => citation.kind = Kind::Exception,
            other => citation.flaws.push(format!("unknown {other}")),
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

/// A file, by lines.
struct Source<'a> {
    file: &'a str,
    lines: &'a [&'a str],
    indents: &'a [usize],
}

impl Source<'_> {
    /// Says in the citation what it stands above or in, and what is wrong with that.
    fn place(&self, citation: &mut Citation, begin: usize, below: usize) {
        let function = if is_function(self.lines[below]) {
            Some(below)
        } else {
            self.enclosing(begin, is_function)
        };
        let item = match (citation.kind, function) {
            (Kind::Test, None) => {
                citation
                    .flaws
                    .push("cited as a test, and there is no function".to_owned());
                return;
            }
            (Kind::Test, Some(function)) => function,
            (_, Some(function)) if named(self.lines[below]).is_none() => function,
            _ => below,
        };
        citation.item = named(self.lines[item]).unwrap_or_else(|| self.lines[item].to_owned());
        citation.item_line = item + 1;
        match citation.kind {
            Kind::Test => {
                citation.flaws.extend(self.flaw_of_test(item));
                (citation.target, citation.test) = self.test(item, &citation.item);
            }
            Kind::Code if !self.file.starts_with("src/") => {
                citation
                    .flaws
                    .push("a citation as code outside src (or is type=test missing?)".to_owned());
            }
            Kind::Code | Kind::Exception => {}
        }
    }

    /// The nearest line above that is less indented and is such a one.
    fn enclosing(&self, from: usize, is: fn(&str) -> bool) -> Option<usize> {
        (0..from)
            .rev()
            .find(|&at| self.indents[at] < self.indents[from] && is(self.lines[at]))
    }

    /// What is wrong with the test at this line.
    fn flaw_of_test(&self, function: usize) -> Option<String> {
        let attributes: Vec<&str> = self.lines[..function]
            .iter()
            .rev()
            .take_while(|line| line.starts_with("#[") || line.starts_with("//"))
            .filter(|line| line.starts_with("#["))
            .copied()
            .collect();
        if !attributes.contains(&"#[test]") {
            return Some(format!("cited as a test, and is none: {}", self.lines[function]));
        }
        attributes
            .iter()
            .any(|attribute| attribute.contains("ignore"))
            .then(|| format!("the test is ignored: {}", self.lines[function]))
    }

    /// How `cargo test` is told to run the test at this line, and no other.
    fn test(&self, function: usize, item: &str) -> (String, String) {
        let mut modules = Vec::new();
        let mut at = function;
        while let Some(module) = self.enclosing(at, |line| {
            line.ends_with('{') && line.split(' ').any(|word| word == "mod")
        }) {
            modules.extend(
                named(self.lines[module]).and_then(|name| name.strip_prefix("mod ").map(str::to_owned)),
            );
            at = module;
        }
        let path = self.file.strip_suffix(".rs").unwrap_or(self.file);
        let mut steps: Vec<&str> = path.split('/').collect();
        let target = if steps[0] == "tests" && steps.len() > 1 {
            let target = format!("--test {}", steps[1]);
            steps.drain(..2);
            target
        } else {
            steps.drain(..1);
            "--lib".to_owned()
        };
        let mut name: Vec<&str> = steps
            .into_iter()
            .filter(|step| !matches!(*step, "main" | "lib" | "mod"))
            .collect();
        name.extend(modules.iter().rev().map(String::as_str));
        name.push(item.trim_start_matches("fn "));
        (target, name.join("::"))
    }
}

fn is_function(line: &str) -> bool {
    named(line).is_some_and(|item| item.starts_with("fn "))
}

/// What a line declares: `fn name`, `struct Name`; none if it is a statement.
fn named(line: &str) -> Option<String> {
    let mut words = line.split_whitespace().peekable();
    while let Some(word) = words.next() {
        match word {
            "fn" | "struct" | "enum" | "trait" | "mod" | "type" | "macro_rules!" => {
                return name(word, words.next()?);
            }
            "const" | "static"
                if words
                    .peek()
                    .is_some_and(|next| !matches!(*next, "fn" | "unsafe" | "{")) =>
            {
                return name(word, words.next()?);
            }
            "impl" => return Some(line.trim_end_matches('{').trim().to_owned()),
            _ if word.starts_with("impl<") => return Some(line.trim_end_matches('{').trim().to_owned()),
            _ if word.starts_with("pub")
                || matches!(word, "async" | "const" | "extern" | "unsafe" | "crate)") => {}
            _ => return None,
        }
    }
    None
}

fn name(kind: &str, word: &str) -> Option<String> {
    let end = word.find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '$'));
    let name = &word[..end.unwrap_or(word.len())];
    (!name.is_empty()).then(|| format!("{kind} {name}"))
}
