//! `bydesign guidelines`: the forms of the report over the library's own tree, and over a small one in which something is wrong.

mod support;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use serde_json::Value;
use support::Place;

const TREE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn report(arguments: &str) -> String {
    let ran = Place::new().run(&format!("guidelines --tree {TREE} {arguments}"));
    assert_eq!((ran.code(), &*ran.error()), (0, ""), "{arguments}");
    ran.out()
}

fn ids(text: &str) -> BTreeSet<&str> {
    text.split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[test]
fn each_form_speaks_of_the_whole_mapping_or_of_one_guideline() {
    let whole: Value = serde_json::from_str(&report("--format json")).unwrap();
    let one: Value = serde_json::from_str(&report("--format json --guideline 11")).unwrap();
    assert_eq!(whole["guidelines"].as_array().unwrap().len(), 13);
    assert_eq!(one["guidelines"][0]["number"], 11);
    let list = |of: &Value, name: &str| of[name].as_array().unwrap().clone();
    let provisions = list(&one, "provisions");
    let expected: Vec<_> = list(&whole, "provisions")
        .into_iter()
        .filter(|provision| provision["guidelines"].as_array().unwrap().contains(&11.into()))
        .collect();
    assert_eq!(provisions, expected);
    assert!(!provisions.is_empty() && provisions.len() < list(&whole, "provisions").len());
    for requirement in list(&one, "requirements") {
        let id = &requirement["id"];
        let is_served = |provision: &Value| provision["requirements"].as_array().unwrap().contains(id);
        assert!(
            requirement["guidelines"].as_array().unwrap().contains(&11.into())
                || provisions.iter().any(is_served),
            "{id}"
        );
    }

    let rows = |text: &str| text.lines().count();
    let (all, some) = (report("--format csv"), report("--format csv --guideline 11"));
    assert!(rows(&some) > 1 && rows(&some) < rows(&all), "{some}");
    assert_eq!(all.lines().next(), some.lines().next());

    let oscal: Value = serde_json::from_str(&report("--format oscal")).unwrap();
    assert!(
        oscal["component-definition"]["components"]
            .as_array()
            .unwrap()
            .len()
            > 5
    );

    let table = report("");
    assert_eq!(
        table
            .lines()
            .filter(|line| line.contains("supports")
                || line.contains("of reach")
                || line.contains("documents"))
            .count(),
        13
    );
    let table = report("--guideline 11");
    assert!(table.starts_with("11 ") && table.contains("code src/") && table.contains("test cargo test "));
    for provision in list(&one, "provisions") {
        if provision["framework"] == "en303645-v3.1.3" {
            assert!(
                table.contains(&format!("\n  {} ", provision["id"].as_str().unwrap())),
                "{provision}"
            );
        }
    }
}

#[test]
fn the_page_is_one_file_in_which_every_link_leads_somewhere() {
    for arguments in ["--format html", "--format html --guideline 4"] {
        let page = report(arguments);
        let ids = ids(&page);
        for link in page
            .split(" href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            let is_there = link.strip_prefix('#').is_some_and(|id| ids.contains(id));
            assert!(is_there || link == "data:,", "{arguments}: {link}");
        }
        assert!(!page.contains(" src=\"") && !page.contains("@import") && !page.contains("url("));
        assert_eq!(page.matches("<script>").count(), 1);
    }
    let page = report("--format html");
    let whole: Value = serde_json::from_str(&report("--format json")).unwrap();
    for requirement in whole["requirements"].as_array().unwrap() {
        assert!(
            ids(&page).contains(requirement["id"].as_str().unwrap()),
            "{requirement}"
        );
    }
}

#[test]
fn a_report_goes_to_a_file_and_bad_usage_is_refused() {
    let place = Place::new();
    let ran = place.run(&format!(
        "guidelines --tree {TREE} --format html --output page.html"
    ));
    assert_eq!((ran.code(), &*ran.out()), (0, ""));
    assert!(place.read("page.html").starts_with(b"<!DOCTYPE html>"));
    assert_eq!(
        place
            .run(&format!("guidelines --tree {TREE} --guideline 14"))
            .code(),
        2
    );
    let ran = place.run("guidelines");
    assert_eq!(ran.code(), 2);
    assert!(
        ran.error().contains("compliance/catalogue.toml"),
        "{}",
        ran.error()
    );
}

const CATALOGUE: &str = r#"
reviewed = "2026-11-28"
[[guideline]]
number = 4
title = "Store <script>alert(1)</script>"
force = "shall"
asks = "Store."
decision = "supports"
sentence = "It stores."
duties = ["D-1"]
limits = ["All else."]

[[primitive]]
id = "store"
title = "Store"
module = "store"
item = "store::Store"
features = []
requirements = ["A-1", "A-2", "A-3"]

[[duty]]
id = "D-1"
whose = "firmware"
title = "Care"
text = "**Care** for `it`"

[[framework]]
id = "en303645-v3.1.3"
short = "EN"
name = "EN 303 645"

[[provision]]
framework = "en303645-v3.1.3"
id = "5.4-1"
status = "M"
guidelines = [4]
summary = "Store securely."
decision = "supports"
reason = "A part."
duties = ["D-1"]
"#;

/// A tree of three requirements: one whose test failed, one whose planted bug was not seen, one that is well.
fn small_tree() -> Place {
    let place = Place::new();
    for folder in ["compliance", "src", "tests"] {
        fs::create_dir(place.path().join(folder)).unwrap();
    }
    let (mut requirements, mut code, mut tests) =
        ("# Requirements\n".to_owned(), String::new(), String::new());
    for number in 1..=3 {
        write!(
            requirements,
            "\n## A-{number}\n\nIt MUST hold {number}.\nServes: CoP 4; EN 303 645 5.4-1. Assumes: D-1.\n"
        )
        .unwrap();
        let cite = format!("//= compliance/requirements.md#a-{number}\n");
        write!(
            code,
            "{cite}//# It MUST hold {number}.\nfn hold_{number}() {{ 1 < 2; }}\n\n"
        )
        .unwrap();
        write!(
            tests,
            "{cite}//= type=test\n//# It MUST hold {number}.\n#[test]\nfn it_holds_{number}() {{}}\n\n"
        )
        .unwrap();
    }
    let record = |number: u8, passed: bool, ran: &[&str], missed: &[&str]| {
        serde_json::json!({
            "requirement": format!("A-{number}"), "target": "--test a", "test": format!("it_holds_{number}"),
            "passed": passed, "ran": ran, "missed": missed, "date": "2026-11-28", "commit": "abc1234",
        })
    };
    let mutation = |number: u8, killed: usize, survived: &[&str]| {
        serde_json::json!({
            "requirement": format!("A-{number}"), "by": "plants", "killed": killed, "of_all": killed + survived.len(),
            "survived": survived, "date": "2026-11-27", "commit": "abc1233",
        })
    };
    let evidence = serde_json::json!({
        "executed": [
            record(1, false, &[], &[]),
            record(2, true, &["src/a.rs fn hold_2"], &[]),
            record(3, true, &["src/a.rs fn hold_3"], &[]),
        ],
        "mutations": [mutation(2, 1, &["a bug <b>"]), mutation(3, 2, &[])],
    });
    for (name, text) in [
        (
            "Cargo.toml",
            "[workspace.package]\nversion = \"0.1.0\"\n".to_owned(),
        ),
        ("compliance/catalogue.toml", CATALOGUE.to_owned()),
        ("compliance/requirements.md", requirements),
        ("compliance/evidence.json", evidence.to_string()),
        ("src/a.rs", code),
        ("tests/a.rs", tests),
    ] {
        place.write(name, text.as_bytes());
    }
    place
}

#[test]
fn what_the_campaigns_found_is_told_of_each_requirement() {
    let place = small_tree();
    let ran = place.run("guidelines --format html");
    assert_eq!((ran.code(), &*ran.error()), (0, ""));
    let page = ran.out();
    let of = |id: &str| {
        let rest = page.split(&format!("<details id=\"{id}\"")).nth(1).unwrap();
        rest.split("</details>").next().unwrap().to_owned()
    };
    let (failed, unseen, well) = (of("A-1"), of("A-2"), of("A-3"));
    assert!(
        failed.contains("data-evidence=\"doubtful\"") && failed.contains("last result: failed"),
        "{failed}"
    );
    assert!(unseen.contains("data-evidence=\"doubtful\""), "{unseen}");
    assert!(
        unseen.contains("plants: 1 of 2 seen by the tests, 2026-11-27 at abc1233; not seen: a bug &lt;b&gt;"),
        "{unseen}"
    );
    assert!(well.contains("data-evidence=\"seen-to-fail\""), "{well}");
    assert!(
        well.contains("2 of 2 planted bugs seen; 1 of 1 tests passed and ran the code"),
        "{well}"
    );
    assert!(
        well.contains(
            "last result: passed</span>, 2026-11-28 at abc1234; ran <code>src/a.rs fn hold_3</code>"
        ),
        "{well}"
    );
    assert!(well.contains("<code>src/a.rs:9</code> fn hold_3"), "{well}");
    assert!(well.contains("   11  fn hold_3() { 1 &lt; 2; }"), "{well}");
    assert!(page.contains("the last of 2026-11-28 at commit abc1234"));

    fs::remove_file(place.path().join("compliance/evidence.json")).unwrap();
    let without = place.run("guidelines --format html").out();
    assert!(without.contains("no record of test runs") && without.contains("last result: not run"));
    let table = place.run("guidelines --guideline 4").out();
    assert!(table.contains("A-3 (no record)"), "{table}");
}

#[test]
fn text_of_the_tree_is_no_markup_of_the_page() {
    let page = small_tree().run("guidelines --format html").out();
    assert!(!page.contains("<script>alert"));
    assert!(page.contains("Store &lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("<strong>Care</strong> for <code>it</code>"));
}

#[test]
fn the_page_names_the_hash_of_the_one_script_that_it_runs() {
    use sha2::{Digest, Sha256};
    let page = small_tree().run("guidelines --format html").out();
    let script = page
        .split("<script>")
        .nth(1)
        .unwrap()
        .split("</script>")
        .next()
        .unwrap();
    let named = page
        .split("script-src 'sha256-")
        .nth(1)
        .unwrap()
        .split('\'')
        .next()
        .unwrap();
    let digest = <base64ct::Base64 as base64ct::Encoding>::encode_string(&Sha256::digest(script));
    assert_eq!(named, digest);
    assert!(page.contains("default-src 'none'"));
}
