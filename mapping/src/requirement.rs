//! The requirements: `compliance/requirements.md` as types.
//!
//! ```text
//!  model
//!  requirement   (this file)
//! ```

use serde::Serialize;

/// Where the requirements stand.
pub const DOCUMENT: &str = "compliance/requirements.md";

/// A section of the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Requirement {
    /// `STORE-1`.
    pub id: String,
    /// Its sentences, each with an upper-case MUST.
    pub sentences: Vec<String>,
    /// The guidelines that it serves.
    pub guidelines: Vec<u8>,
    /// The provisions of EN 303 645 V3.1.3 that it serves.
    pub provisions: Vec<String>,
    /// What it stands on.
    pub assumes: String,
    /// The duties that `assumes` names.
    pub duties: Vec<String>,
    /// Line of its title.
    #[serde(skip)]
    pub line: usize,
}

/// The requirements in the order of the document, and what is wrong with it: line, and what.
#[must_use]
pub fn requirements(document: &str) -> (Vec<Requirement>, Vec<(usize, String)>) {
    let mut found: Vec<Requirement> = Vec::new();
    let mut wrong = Vec::new();
    let mut in_sections = false;
    for (number, line) in document
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.trim()))
    {
        if let Some(title) = line.strip_prefix("## ") {
            in_sections = true;
            let id = title.trim().to_owned();
            if found.iter().any(|earlier| earlier.id == id) {
                wrong.push((number, format!("{id}: there twice")));
            }
            found.push(Requirement {
                id,
                sentences: Vec::new(),
                guidelines: Vec::new(),
                provisions: Vec::new(),
                assumes: String::new(),
                duties: Vec::new(),
                line: number,
            });
            continue;
        }
        let Some(current) = found.last_mut().filter(|_| in_sections && !line.is_empty()) else {
            continue;
        };
        if let Some(rest) = line.strip_prefix("Serves: CoP ") {
            if !serves(current, rest) {
                wrong.push((
                    number,
                    format!(
                        "{}: no line \"Serves: CoP …; EN 303 645 …. Assumes: …\"",
                        current.id
                    ),
                ));
            }
        } else if line.contains(" MUST ") {
            current.sentences.push(line.to_owned());
        } else {
            wrong.push((
                number,
                format!(
                    "{}: a line without MUST would never be checked: {line}",
                    current.id
                ),
            ));
        }
    }
    for requirement in &found {
        if requirement.sentences.is_empty() {
            wrong.push((
                requirement.line,
                format!("{}: no sentence with MUST", requirement.id),
            ));
        }
        if requirement.assumes.is_empty() {
            wrong.push((
                requirement.line,
                format!(
                    "{}: no line \"Serves: CoP …; EN 303 645 …. Assumes: …\"",
                    requirement.id
                ),
            ));
        }
    }
    (found, wrong)
}

/// Takes in what stands behind `Serves: CoP `. Gives whether it has the form.
fn serves(requirement: &mut Requirement, rest: &str) -> bool {
    let Some((served, assumes)) = rest.split_once(". Assumes: ") else {
        return false;
    };
    let Some((guidelines, provisions)) = served.split_once("; EN 303 645 ") else {
        return false;
    };
    let Ok(guidelines) = guidelines
        .split(", ")
        .map(str::parse)
        .collect::<Result<Vec<u8>, _>>()
    else {
        return false;
    };
    requirement.guidelines = guidelines;
    requirement.provisions = provisions.split(", ").map(str::to_owned).collect();
    assumes.clone_into(&mut requirement.assumes);
    requirement.duties = duties(assumes);
    true
}

/// The duties that a text names, `D-1 to D-3` written out.
pub(crate) fn duties(text: &str) -> Vec<String> {
    let words: Vec<&str> = text
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-')
        .filter(|word| !word.is_empty())
        .collect();
    let number = |word: &str| {
        word.strip_prefix("D-")
            .and_then(|digits| digits.parse::<u16>().ok())
    };
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let Some(last) = number(word) else { continue };
        let first = match at
            .checked_sub(2)
            .map(|before| (number(words[before]), words[before + 1]))
        {
            Some((Some(first), "to")) => first + 1,
            _ => last,
        };
        found.extend((first..=last).map(|number| format!("D-{number}")));
    }
    found
}
