//! Every way to rot, planted one at a time: in a tree of two requirements, and in the real one.

use std::path::Path;

use super::*;

const CATALOGUE_OF_TWO: &str = r#"
reviewed = "2026-01-01"
[[guideline]]
number = 4
title = "Store"
force = "shall"
asks = "Store."
decision = "supports"
sentence = "It stores."
duties = ["D-1"]
limits = ["All else."]
[[primitive]]
id = "a"
title = "A"
module = "a"
item = "a::A"
features = []
requirements = ["A-1", "A-2"]
[[duty]]
id = "D-1"
whose = "hardware"
title = "A root key"
text = "a root key"
[[framework]]
id = "en303645-v3.1.3"
short = "EN"
name = "The EN"
[[framework]]
id = "en303645-v2.1.1"
short = "Old"
name = "The old EN"
[[provision]]
framework = "en303645-v3.1.3"
id = "5.4-1"
status = "M"
guidelines = [4]
summary = "Store."
decision = "implements"
reason = "It does."
duties = ["D-1"]
[[provision]]
framework = "en303645-v3.1.3"
id = "5.4-2"
status = "M"
guidelines = [4]
summary = "Keep."
decision = "out-of-reach"
reason = "It is hardware."
duties = ["D-1"]
[[provision]]
framework = "en303645-v2.1.1"
id = "5.4-1"
status = "M"
guidelines = [4]
summary = "Store."
same = "5.4-1"
near = ["5.4-1"]
relationship = "equal-to"
"#;
const IDS_OF_TWO: &str =
    "# ids\ncop-2018 4\nen303645-v3.1.3 5.4-1\nen303645-v3.1.3 5.4-2\nen303645-v2.1.1 5.4-1\n";
const TWO: &str = concat!(
    "# Requirements\n\n## A-1\n\nIt MUST hold.\nServes: CoP 4; EN 303 645 5.4-1. Assumes: D-1.\n\n",
    "## A-2\n\nIt MUST last.\nServes: CoP 4; EN 303 645 5.4-1. Assumes: nothing.\n",
);
const README_OF_TWO: &str = "| D-1 | a root key |\n";
const CODE: &str = concat!(
    "//= compliance/requirements.md#a-1\n//# It MUST hold.\nfn hold() {}\n",
    "//= compliance/requirements.md#a-2\n//# It MUST\n//# last.\nconst LAST: u8 = 1;\n",
);
const TESTS: &str = concat!(
    "//= compliance/requirements.md#a-1\n//= type=test\n//# It MUST hold.\n#[test]\nfn holds() {}\n\n",
    "#[test]\nfn lasts() {\n    //= compliance/requirements.md#a-2\n    //= type=test\n    //# It MUST last.\n    let x = 1;\n}\n",
);
const IXIT_OF_TWO: &str = "[[row]]\ntable = \"10-SecParam\"\nid = \"a\"\nrequirements = [\"A-1\"]\nfields = [[\"Type\", \"critical\"]]\n";
const EVIDENCE_OF_TWO: &str = r#"{"executed": [{"requirement": "A-1", "target": "--test a", "test": "holds", "passed": true,
    "ran": ["src/a.rs fn hold"], "missed": [], "date": "2026-01-01", "commit": "0"}],
    "mutations": [{"requirement": "A-1", "by": "plants", "killed": 1, "of_all": 1, "survived": [], "date": "2026-01-01", "commit": "0"},
    {"requirement": "A-2", "by": "plants", "killed": 2, "of_all": 2, "survived": [], "date": "2026-01-01", "commit": "0"}]}"#;

fn two() -> Inputs {
    Inputs {
        catalogue: CATALOGUE_OF_TWO.to_owned(),
        requirements: TWO.to_owned(),
        ids: IDS_OF_TWO.to_owned(),
        readme: README_OF_TWO.to_owned(),
        ixit: IXIT_OF_TWO.to_owned(),
        evidence: EVIDENCE_OF_TWO.to_owned(),
        files: vec![
            ("src/a.rs".to_owned(), CODE.to_owned()),
            ("tests/a.rs".to_owned(), TESTS.to_owned()),
        ],
    }
}

/// The tree of two with one text changed.
#[track_caller]
fn with(change: impl FnOnce(&mut Inputs)) -> Vec<String> {
    let mut inputs = two();
    change(&mut inputs);
    assert!(
        inputs.catalogue != CATALOGUE_OF_TWO
            || inputs.requirements != TWO
            || inputs.ids != IDS_OF_TWO
            || inputs.readme != README_OF_TWO
            || inputs.ixit != IXIT_OF_TWO
            || inputs.evidence != EVIDENCE_OF_TWO
            || inputs.files != two().files,
        "nothing was changed"
    );
    shown(&inputs)
}

#[track_caller]
fn shown(inputs: &Inputs) -> Vec<String> {
    match inputs.flaws() {
        Ok(flaws) => flaws.iter().map(ToString::to_string).collect(),
        Err(error) => vec![error],
    }
}

#[track_caller]
fn one_flaw(flaws: &[String], expected: &str) {
    assert!(
        flaws.iter().any(|flaw| flaw.contains(expected)),
        "not among {flaws:#?}"
    );
}

fn in_code(from: &str, to: &str) -> Vec<String> {
    with(|tree| tree.files[0].1 = CODE.replacen(from, to, 1))
}

fn in_tests(from: &str, to: &str) -> Vec<String> {
    with(|tree| tree.files[1].1 = TESTS.replacen(from, to, 1))
}

fn in_catalogue(from: &str, to: &str) -> Vec<String> {
    with(|tree| tree.catalogue = CATALOGUE_OF_TWO.replacen(from, to, 1))
}

fn in_requirements(from: &str, to: &str) -> Vec<String> {
    with(|tree| tree.requirements = TWO.replacen(from, to, 1))
}

fn in_evidence(from: &str, to: &str) -> Vec<String> {
    with(|tree| tree.evidence = EVIDENCE_OF_TWO.replacen(from, to, 1))
}

#[test]
fn a_tree_without_flaws_has_none() {
    assert_eq!(shown(&two()), Vec::<String>::new());
}

// ---- citations ----

#[test]
fn a_requirement_without_code_is_found() {
    let flaws = with(|tree| tree.files[0].1 = CODE.split("\n//= ").next().unwrap().to_owned());
    one_flaw(
        &flaws,
        "compliance/requirements.md:8: A-2: no code cites: It MUST last.",
    );
}

#[test]
fn a_requirement_without_a_test_is_found() {
    let flaws = with(|tree| tree.files[1].1 = TESTS.split("\n\n").next().unwrap().to_owned());
    one_flaw(
        &flaws,
        "compliance/requirements.md:8: A-2: no test cites: It MUST last.",
    );
}

#[test]
fn a_second_sentence_that_nobody_cites_is_found() {
    let flaws = in_requirements("It MUST hold.\n", "It MUST hold.\nIt MUST stay.\n");
    assert_eq!(flaws.len(), 2, "{flaws:?}");
    one_flaw(&flaws, "A-1: no test cites: It MUST stay.");
}

#[test]
fn a_quote_that_differs_is_found_with_file_and_id() {
    one_flaw(
        &in_code("MUST hold", "SHOULD hold"),
        "src/a.rs:1: A-1: the quote differs",
    );
    one_flaw(
        &in_requirements("MUST hold", "MUST cling"),
        "tests/a.rs:1: A-1: the quote differs",
    );
}

#[test]
fn an_unknown_requirement_is_found() {
    one_flaw(&in_code("#a-1", "#a-7"), "src/a.rs:1: A-7: no requirement a-7");
    one_flaw(&in_code("requirements.md#a-1", "others.md#a-1"), "which is not");
    let nameless = format!("{CODE}fn f() {{\n    //# It MUST hold.\n    g();\n}}\n");
    one_flaw(&with(|tree| tree.files[0].1 = nameless), "names no requirement");
}

#[test]
fn a_citation_over_nothing_is_found() {
    for nothing in ["}\n", "\nfn hold() {}\n", "// a remark\n"] {
        let code = CODE.replacen("fn hold() {}\n", nothing, 1);
        let first = code
            .split("//= compliance/requirements.md#a-2")
            .next()
            .unwrap()
            .to_owned();
        one_flaw(
            &with(|tree| tree.files[0].1 = first),
            "src/a.rs:1: A-1: nothing under",
        );
    }
}

#[test]
fn a_cited_test_that_is_no_test_or_gone_is_found() {
    one_flaw(
        &in_tests("#[test]\n", ""),
        "tests/a.rs:1: A-1: cited as a test, and is none: fn holds()",
    );
    one_flaw(&in_tests("#[test]\nfn lasts", "fn lasts"), "is none: fn lasts()");
    one_flaw(
        &in_tests("#[test]\nfn holds() {}", "const HOLDS: u8 = 1;"),
        "there is no function",
    );
}

#[test]
fn a_cited_test_that_is_ignored_is_found() {
    one_flaw(
        &in_tests("#[test]\n", "#[test]\n#[ignore]\n"),
        "tests/a.rs:1: A-1: the test is ignored: fn holds()",
    );
    let reason = in_tests("#[test]\nfn lasts", "#[ignore = \"slow\"]\n#[test]\nfn lasts");
    one_flaw(&reason, "ignored: fn lasts()");
}

#[test]
fn a_citation_in_a_test_without_its_type_is_found() {
    one_flaw(&in_tests("//= type=test\n", ""), "is type=test missing?");
    one_flaw(&in_code("//# ", "//= type=hope\n//# "), "unknown type=hope");
}

#[test]
fn an_exception_needs_a_reason() {
    one_flaw(
        &in_code("//# ", "//= type=exception\n//# "),
        "src/a.rs:1: A-1: an exception without a reason",
    );
    let reason = with(|tree| {
        tree.files[0].1 = CODE.replacen("//# ", "//= type=exception\n//= reason=no such part\n//# ", 1);
        let nothing_runs = r#"{"executed": ["#.to_owned()
            + &EVIDENCE_OF_TWO[EVIDENCE_OF_TWO.find("],\n    \"mut").expect("mutations")..];
        tree.evidence = nothing_runs;
    });
    assert_eq!(reason, Vec::<String>::new());
}

// ---- requirements ----

#[test]
fn a_requirement_that_serves_nothing_is_found() {
    for (from, to) in [
        ("Serves: CoP 4; ", ""),
        (" Assumes: D-1.", ""),
        ("Serves: CoP 4; EN", "Serves: CoP four; EN"),
    ] {
        one_flaw(&in_requirements(from, to), "A-1: no line \"Serves:");
    }
    one_flaw(
        &in_requirements("D-1", "D-9"),
        "compliance/requirements.md:3: A-1: assumes the duty D-9",
    );
}

#[test]
fn a_requirement_in_lower_case_or_there_twice_is_found() {
    one_flaw(
        &in_requirements("It MUST last.", "It must last."),
        "A-2: no sentence with MUST",
    );
    one_flaw(&in_requirements("A-2", "A-1"), "A-1: there twice");
}

#[test]
fn a_requirement_that_serves_what_there_is_not_is_found() {
    one_flaw(
        &in_requirements("5.4-1", "5.4-9"),
        "compliance/requirements.md:3: A-1: serves 5.4-9, which",
    );
    one_flaw(
        &in_requirements("CoP 4", "CoP 5"),
        "A-1: serves 5.4-1, and not its guideline",
    );
    one_flaw(
        &in_requirements("CoP 4", "CoP 4, 5"),
        "A-1: serves CoP 5, and there is none",
    );
}

#[test]
fn a_requirement_of_no_primitive_or_of_two_is_found() {
    one_flaw(
        &in_catalogue("[\"A-1\", \"A-2\"]", "[\"A-2\"]"),
        "A-1: no primitive",
    );
    one_flaw(
        &in_catalogue("[\"A-1\", \"A-2\"]", "[\"A-1\", \"A-2\", \"A-3\"]"),
        "catalogue.toml: a: no requirement A-3",
    );
}

// ---- decisions ----

#[test]
fn an_id_without_a_decision_is_found() {
    let undecided = in_catalogue("decision = \"out-of-reach\"\n", "");
    one_flaw(
        &undecided,
        "compliance/catalogue.toml:43: en303645-v3.1.3 5.4-2: no decision",
    );
    let begin = CATALOGUE_OF_TWO.rfind("[[provision]]").unwrap();
    let gone = with(|tree| tree.catalogue.truncate(begin));
    one_flaw(
        &gone,
        "compliance/catalogue.toml: en303645-v2.1.1 5.4-1: no decision, and it is in",
    );
    let guideline = with(|tree| tree.ids.push_str("cop-2018 5\n"));
    one_flaw(&guideline, "cop-2018 5: no decision");
}

#[test]
fn an_id_that_is_none_or_there_twice_is_found() {
    one_flaw(
        &in_catalogue("id = \"5.4-2\"", "id = \"5.4-7\""),
        "en303645-v3.1.3 5.4-7: not in compliance/provision-ids.txt",
    );
    one_flaw(
        &in_catalogue("id = \"5.4-2\"", "id = \"5.4-1\""),
        "en303645-v3.1.3 5.4-1: there twice",
    );
}

#[test]
fn a_decision_without_a_reason_or_a_duty_is_found() {
    one_flaw(
        &in_catalogue("reason = \"It is hardware.\"\n", ""),
        "5.4-2: no reason",
    );
    one_flaw(
        &in_catalogue("\"It is hardware.\"", "\" \""),
        "5.4-2: out of reach, without a reason",
    );
    let begin = CATALOGUE_OF_TWO.rfind("duties = [\"D-1\"]").unwrap();
    let without = with(|tree| {
        tree.catalogue
            .replace_range(begin.., &CATALOGUE_OF_TWO[begin..].replacen("\"D-1\"", "", 1));
    });
    one_flaw(&without, "5.4-2: out of reach, and no duty");
}

#[test]
fn a_claim_that_no_requirement_serves_is_found() {
    one_flaw(
        &in_catalogue("\"out-of-reach\"", "\"implements\""),
        "catalogue.toml:43: en303645-v3.1.3 5.4-2: implements, and no requirement",
    );
    one_flaw(
        &in_catalogue("\"out-of-reach\"", "\"supports\""),
        "5.4-2: supports, and no requirement",
    );
    one_flaw(
        &in_catalogue("\"implements\"", "\"out-of-reach\""),
        "5.4-1: out of reach, and served by A-1, A-2",
    );
    one_flaw(
        &in_catalogue("\"supports\"", "\"documents\""),
        "guideline 4: documents, and served",
    );
}

#[test]
fn what_the_catalogue_names_must_be_there() {
    one_flaw(
        &in_catalogue("same = \"5.4-1\"", "same = \"5.4-3\""),
        "`same` names no provision",
    );
    one_flaw(
        &in_catalogue("same = \"5.4-1\"", "same = \"5.4-1\"\ndecision = \"implements\""),
        "a decision of its own",
    );
    one_flaw(
        &in_catalogue("near = [\"5.4-1\"]", "near = [\"5.4-3\"]"),
        "near 5.4-3, which",
    );
    one_flaw(&in_catalogue("near = [\"5.4-1\"]", "near = []"), "go together");
    one_flaw(
        &in_catalogue("framework = \"en303645-v2.1.1\"", "framework = \"en\""),
        "en 5.4-1: no framework en",
    );
    one_flaw(
        &in_catalogue("reason = \"It does.\"", "reason = \"It does.\"\nrequirement = []"),
        "unknown field",
    );
}

#[test]
fn duties_are_used_and_say_the_same_everywhere() {
    one_flaw(
        &with(|tree| tree.readme = "| D-1 | a key |\n".to_owned()),
        "README.md:1: D-1: differs",
    );
    one_flaw(
        &with(|tree| tree.readme = "| D-7 | a root key |\n".to_owned()),
        "README.md:1: D-7: differs",
    );
    let unused = "id = \"D-2\"\nwhose = \"hardware\"\ntitle = \"B\"\ntext = \"b\"\n[[duty]]\nid = \"D-1\"";
    one_flaw(
        &in_catalogue("id = \"D-1\"", unused),
        "D-2: a duty that nothing names",
    );
    one_flaw(
        &in_catalogue("id = \"D-1\"", &unused.replace("D-2", "D-1")),
        "D-1: there twice",
    );
    one_flaw(
        &in_catalogue("duties = [\"D-1\"]", "duties = [\"D-3\"]"),
        "guideline 4: no duty D-3",
    );
}

#[test]
fn an_answer_to_a_laboratory_stands_on_requirements_that_there_are() {
    let flaws = with(|tree| tree.ixit = IXIT_OF_TWO.replace("A-1", "A-8"));
    one_flaw(&flaws, "compliance/ixit.toml: a: no requirement A-8");
    one_flaw(
        &with(|tree| tree.ixit.push_str("verdict = \"pass\"\n")),
        "compliance/ixit.toml: TOML parse error",
    );
}

// ---- records ----

#[test]
fn a_cited_test_that_does_not_run_the_cited_code_is_found() {
    let missed = in_evidence(
        "\"ran\": [\"src/a.rs fn hold\"], \"missed\": []",
        "\"ran\": [], \"missed\": [\"src/a.rs fn hold\"]",
    );
    one_flaw(
        &missed,
        "compliance/evidence.json: A-1: --test a holds runs none of the cited code: src/a.rs fn hold",
    );
}

#[test]
fn a_record_of_what_is_not_cited_any_more_is_found() {
    one_flaw(
        &in_evidence("\"test\": \"holds\"", "\"test\": \"held\""),
        "A-1: a record of --test a held, which does not cite it",
    );
    one_flaw(
        &in_evidence("\"passed\": true", "\"passed\": false"),
        "A-1: --test a holds did not pass alone",
    );
}

#[test]
fn a_record_of_code_that_is_not_cited_any_more_is_found() {
    let moved = in_code("fn hold()", "fn hold_on()");
    one_flaw(
        &moved,
        "A-1: a record of --test a holds names src/a.rs fn hold, which does not cite it",
    );
    one_flaw(
        &moved,
        "A-1: src/a.rs fn hold_on is cited, and whether --test a holds runs it is not in the record",
    );
}

#[test]
fn a_cited_test_of_which_nobody_knows_what_it_runs_is_found() {
    let flaws = with(|tree| {
        tree.evidence = EVIDENCE_OF_TWO.replace(
            "{\"requirement\": \"A-1\", \"target\"",
            "{\"requirement\": \"A-2\", \"target\"",
        );
    });
    one_flaw(
        &flaws,
        "compliance/evidence.json: A-1: whether --test a holds runs the cited code has no record",
    );
}

#[test]
fn a_requirement_that_nobody_tried_to_break_is_found() {
    one_flaw(
        &in_evidence(
            "\"requirement\": \"A-2\", \"by\"",
            "\"requirement\": \"A-1\", \"by\"",
        ),
        "compliance/evidence.json: A-2: no record of a bug planted to break it",
    );
}

#[test]
fn a_record_of_bugs_adds_up_and_names_what_was_not_seen() {
    one_flaw(
        &in_evidence("\"killed\": 1", "\"killed\": 2"),
        "A-1: 2 killed and 0 named is not 1",
    );
    one_flaw(
        &in_evidence(
            "\"requirement\": \"A-1\", \"by\"",
            "\"requirement\": \"A-9\", \"by\"",
        ),
        "A-9: a record of no requirement",
    );
    let survived = in_evidence(
        "\"killed\": 1, \"of_all\": 1, \"survived\": []",
        "\"killed\": 0, \"of_all\": 1, \"survived\": [\"a bug\"]",
    );
    one_flaw(&survived, "A-1: a planted bug was not seen: a bug");
}

// ---- the same in the real tree ----

fn real() -> Inputs {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Inputs::read(&root).expect("the tree")
}

/// Changes one text of the real tree, and gives the flaws that this makes.
#[track_caller]
fn rotten(file: &str, from: &str, to: &str) -> Vec<String> {
    let mut inputs = real();
    let text = match file {
        CATALOGUE => &mut inputs.catalogue,
        DOCUMENT => &mut inputs.requirements,
        README => &mut inputs.readme,
        _ => {
            &mut inputs
                .files
                .iter_mut()
                .find(|(name, _)| name == file)
                .expect("the file")
                .1
        }
    };
    assert!(text.contains(from), "{file} has no {from:?}");
    *text = text.replacen(from, to, 1);
    shown(&inputs)
}

#[test]
fn the_real_tree_has_no_flaws_and_every_way_to_rot_is_found_in_it() {
    assert_eq!(shown(&real()), Vec::<String>::new());
    let cited = "//= compliance/requirements.md#store-13\n";
    let sentence = "//# The store MUST NOT format flash that holds anything unless it is told to erase it.\n";
    let test = "#[test]\nfn foreign_bytes_anywhere_on_the_flash_keep_it_from_being_formatted";
    let tests = "tests/store/operations.rs";
    for (file, from, to, expected) in [
        // a MUST without code; without a test
        (
            "src/store/mount.rs",
            format!("    {cited}    {sentence}"),
            String::new(),
            "STORE-13: no code cites",
        ),
        (
            tests,
            format!("{cited}//= type=test\n{sentence}"),
            String::new(),
            "STORE-13: no test cites",
        ),
        // the sentence changed; the quote changed; another number
        (
            DOCUMENT,
            "MUST NOT format flash that holds".to_owned(),
            "MUST NOT format flash which holds".to_owned(),
            "src/store/mount.rs:",
        ),
        (
            tests,
            sentence.to_owned(),
            sentence.replace("MUST NOT", "should not"),
            "STORE-13: the quote differs",
        ),
        (
            tests,
            cited.to_owned(),
            cited.replace("13", "113"),
            "STORE-113: no requirement store-113",
        ),
        // a lower-case MUST is never checked
        (
            DOCUMENT,
            "The store MUST NOT format".to_owned(),
            "The store must not format".to_owned(),
            "STORE-13: no sentence with MUST",
        ),
        // a test that is ignored, and one that is none
        (
            tests,
            test.to_owned(),
            format!("#[ignore]\n{test}"),
            "STORE-13: the test is ignored",
        ),
        (
            tests,
            test.to_owned(),
            test.replace("#[test]\n", ""),
            "STORE-13: cited as a test, and is none",
        ),
        // nothing under a citation
        (
            tests,
            sentence.to_owned(),
            format!("{sentence}\n"),
            "STORE-13: nothing under the citation",
        ),
        // an exception without a reason
        (
            tests,
            "//= type=test\n".to_owned(),
            "//= type=exception\n".to_owned(),
            "an exception without a reason",
        ),
        // an id undecided, a claim without a requirement, a duty that says something else
        (
            CATALOGUE,
            "decision = \"out-of-reach\"\nreason = \"The library opens no connection. Reports".to_owned(),
            "reason = \"The library opens no connection. Reports".to_owned(),
            "en303645-v3.1.3 5.5-1: no decision",
        ),
        (
            CATALOGUE,
            "decision = \"out-of-reach\"\nreason = \"The library opens no connection. Reports".to_owned(),
            "decision = \"implements\"\nreason = \"The library opens no connection. Reports".to_owned(),
            "5.5-1: implements, and no requirement",
        ),
        (
            README,
            "| D-7 | **The button**".to_owned(),
            "| D-7 | **A button**".to_owned(),
            "D-7: differs",
        ),
        // a record of what stood here before
        (
            "src/store.rs",
            "fn find_unerased".to_owned(),
            "fn find_unmarked".to_owned(),
            "names src/store.rs fn find_unerased, which does not cite it",
        ),
    ] {
        let flaws = rotten(file, &from, &to);
        assert!(
            flaws.iter().any(|flaw| flaw.contains(expected)),
            "{expected:?} is not among {flaws:#?}"
        );
    }
}
