//! What is no batch is refused, with its place; what looks strange and is one is read.

use bydesign::credential::audit::{Batch, Columns, Kind, Prohibition, Role, Verdict};

use crate::make::{BASE_62, Dice, quick, report, table};

fn refusal(bytes: &[u8]) -> String {
    Batch::read(bytes, &Columns::default())
        .err()
        .expect("a refusal")
        .to_string()
}

//= compliance/requirements.md#cred-41
//= type=test
//# A table that cannot be read whole MUST be refused with line, column and reason, and nothing in it guessed.
#[test]
fn every_flaw_of_a_table_is_refused_with_its_place() {
    for (bytes, message) in [
        (&b""[..], "line 1, column 1: the file is empty"),
        (b"serial,password\n", "line 2, column 1: a header, and no devices"),
        (
            b"serial,key\n1,abc\n",
            "line 1, column 1: no column is called password or pin; name it, as in password=Key",
        ),
        (
            b"serial,password\n1,a\n2\n",
            "line 3, column 1: 1 fields where the header has 2",
        ),
        (
            b"serial,password\n1,a\n2,b,c\n",
            "line 3, column 1: 3 fields where the header has 2",
        ),
        (
            b"serial,password\n1,a\n\"2,b\n",
            "line 3, column 1: a quote opens here and never closes",
        ),
        (
            b"serial,password\n\"1\"x,a\n",
            "line 2, column 4: text behind a closing quote; a quote inside quotes is doubled",
        ),
        (
            b"serial,Serial,password\n1,2,a\n",
            "line 1, column 2: the header \"Serial\" stands here a second time",
        ),
        (
            b"serial,password,iterations\n1,a,many\n",
            "line 2, column 3: iterations that are no number",
        ),
        (b"serial,password\n1,\xff\n", "line 2, column 3: this is no UTF-8"),
        (
            b"\xff\xfes\0",
            "line 1, column 1: this is UTF-16; save it as UTF-8",
        ),
    ] {
        assert_eq!(refusal(bytes), message);
    }
    let named = Columns::default().with("Key", Role::Password);
    let error = Batch::read(b"serial,password\n1,a\n", &named)
        .err()
        .expect("a refusal");
    assert_eq!(error.to_string(), "line 1, column 1: there is no column \"key\"");
}

#[test]
fn a_batch_is_judged_alike_however_its_table_is_written() {
    let mut dice = Dice::new(1);
    let rows: Vec<(String, String)> = (0..300)
        .map(|at| (format!("S{at:05}"), dice.text(BASE_62, 14)))
        .collect();
    let comma = table(
        "SERIAL,Password",
        rows.iter()
            .map(|(serial, password)| format!("{serial},{password}")),
    );
    let semicolon = format!("\u{feff}{}", comma.replace(',', ";").replace('\n', "\r\n"));
    let quoted = table(
        "\"serial\"\t\"password\"",
        rows.iter()
            .map(|(serial, password)| format!("\"{serial}\"\t\"{password}\"")),
    );
    let expected = report(&comma, &quick());
    for other in [semicolon, quoted] {
        let found = report(&other, &quick());
        assert_eq!((found.verdict(), found.devices), (Verdict::Pass, 300));
        assert_eq!(found.summaries[0].specimens, expected.summaries[0].specimens);
    }
}

#[test]
fn a_device_without_a_password_is_found() {
    let mut dice = Dice::new(2);
    let rows = (0..100).map(|at| {
        format!(
            "S{at},{}",
            if at == 50 {
                String::new()
            } else {
                dice.text(BASE_62, 14)
            }
        )
    });
    let found = report(&table("serial,password", rows), &quick());
    assert!(found.has(Prohibition::Guessable, Kind::Empty));
    assert_eq!(found.findings[0].lines, [52]);
}

#[test]
fn a_batch_of_one_device_passes_and_says_what_it_does_not_show() {
    let found = report("serial,password\n1,tnb4xq7mfhw3kd\n", &quick());
    assert_eq!(found.verdict(), Verdict::Pass);
    let undecided: Vec<&str> = found.undecided.iter().map(|undecided| undecided.test).collect();
    for test in [
        "space",
        "counters",
        "derivation from identifiers",
        "dependence on positions of identifiers",
        "frequencies of symbols at each position",
        "weak generators",
    ] {
        assert!(undecided.contains(&test), "{test} is not among {undecided:?}");
    }
}

#[test]
fn passwords_of_any_alphabet_and_length_are_judged() {
    let mut dice = Dice::new(3);
    let rows = (0..400).map(|at| {
        let length = 10 + dice.below(6) as usize;
        format!(
            "S{at},{}",
            dice.text("абвгдежзиклмнопрстуфхцчшщэюя🦊漢字", length)
        )
    });
    let found = report(&table("serial,password", rows), &quick());
    assert_eq!(found.findings, []);
}
