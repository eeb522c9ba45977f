//! The dictionary of the example thermostat stands in `docs/`, as it follows from the declaration. `BYDESIGN_WRITE=1` writes it anew.

use std::fs;
use std::path::Path;

use bydesign::telemetry::{Declaration, dictionary};

use crate::thermostat::Thermostat;

pub(crate) fn compared(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    if std::env::var_os("BYDESIGN_WRITE").is_some() {
        fs::write(&path, made).expect("writes");
    }
    let committed = fs::read_to_string(&path).expect("is there");
    assert!(
        committed == made,
        "docs/{name} does not follow from the declaration: run this with BYDESIGN_WRITE=1"
    );
}

//= compliance/requirements.md#tele-12
//= type=test
//# The dictionary MUST name every declared field with its purpose, treatment, retention and recipient.
#[test]
fn the_committed_dictionaries_follow_from_the_declaration() {
    let [mut markdown, mut json, mut html, mut ixit] = <[String; 4]>::default();
    dictionary::markdown::<Thermostat>(&mut markdown).unwrap();
    dictionary::json::<Thermostat>(&mut json).unwrap();
    dictionary::html::<Thermostat>(&mut html).unwrap();
    dictionary::ixit::<Thermostat>(&mut ixit).unwrap();
    let fields = Thermostat::REPORTS.iter().flat_map(|report| report.fields);
    for field in fields {
        for (what, text) in [("Markdown", &markdown), ("JSON", &json)] {
            assert!(text.contains(field.name), "{what}: {}", field.name);
        }
        for (what, text) in [
            ("Markdown", &markdown),
            ("JSON", &json),
            ("HTML", &html),
            ("IXIT", &ixit),
        ] {
            let about: Vec<_> = field.about.split_whitespace().collect();
            assert!(text.contains(&about.join(" ")), "{what}: {}", field.about);
            assert!(text.contains(field.purpose.why), "{what}: {}", field.purpose.why);
            assert!(
                text.contains(field.recipient.name),
                "{what}: {}",
                field.recipient.name
            );
        }
    }
    compared("dictionary-example.md", &markdown);
    compared("dictionary-example.json", &json);
    compared("dictionary-example.html", &html);
    compared("dictionary-example-ixit.csv", &ixit);
}

/// Brackets, strings and commas as RFC 8259 has them; gives how many strings there are.
fn is_json(text: &str) -> Option<usize> {
    let (mut open, mut strings, mut letters) = (Vec::new(), 0, text.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '{' | '[' => open.push(letter),
            '}' => (open.pop()? == '{').then_some(())?,
            ']' => (open.pop()? == '[').then_some(())?,
            '"' => {
                strings += 1;
                loop {
                    match letters.next()? {
                        '\\' => drop(letters.next()?),
                        '"' => break,
                        control if control < ' ' => return None,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    open.is_empty().then_some(strings)
}

#[test]
fn what_is_written_is_json_html_and_csv() {
    let [mut json, mut html, mut ixit] = <[String; 3]>::default();
    dictionary::json::<Thermostat>(&mut json).unwrap();
    assert!(is_json(&json).unwrap() > 200);
    assert_eq!(is_json("{\"a\": [1}"), None);
    dictionary::html::<Thermostat>(&mut html).unwrap();
    assert!(!html.contains("<script") && !html.contains("http"));
    dictionary::ixit::<Thermostat>(&mut ixit).unwrap();
    let mut reader = csv::Reader::from_reader(ixit.as_bytes());
    let rows: Vec<_> = reader
        .records()
        .map(|row| row.expect("as many cells as the head"))
        .collect();
    let fields: usize = Thermostat::REPORTS.iter().map(|report| report.fields.len()).sum();
    assert_eq!(rows.len(), fields);
}
