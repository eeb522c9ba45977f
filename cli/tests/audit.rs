//! `bydesign audit`: exit codes, forms of the report, and what comes from outside.

mod support;

use support::Place;

/// Passwords that count with the serial numbers, in a file with markup in a name.
fn counting() -> String {
    let rows = (0..100).map(|at| format!("{at:05},home<b>,{:010}\n", 4_711_000_000_u64 + at * 3));
    format!("Serial,Model,Password\n{}", rows.collect::<String>())
}

/// Passwords of a multiplicative generator that is none of those that are searched for: random enough for an audit, and the same every time.
fn honest() -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u128;
    let mut symbol = || {
        state = state.wrapping_mul(0xda94_2042_e4dd_58b5_2d99_9f1a_3c0d_e1a7) ^ 0x5851_f42d;
        char::from(b"23456789abcdefghjkmnpqrstuvwxyz"[usize::try_from(state >> 64).unwrap_or(0) % 31])
    };
    let rows = (0..300).map(|at| format!("{at:05},{}\n", (0..16).map(|_| symbol()).collect::<String>()));
    format!("serial,password\n{}", rows.collect::<String>())
}

#[test]
fn exit_codes_say_pass_findings_and_bad_input() {
    let place = Place::new();
    place
        .write("counting.csv", counting().as_bytes())
        .write("honest.csv", honest().as_bytes())
        .write("bad.csv", b"serial,password\n1,\"a\n");
    let passed = place.run("audit honest.csv --quick");
    assert_eq!((passed.code(), &*passed.error()), (0, ""), "{}", passed.out());
    assert!(passed.out().starts_with("PASS"));
    let failed = place.run("audit counting.csv --quick");
    assert_eq!((failed.code(), &*failed.error()), (1, ""));
    assert!(
        failed
            .out()
            .contains("(a) based on a counter\n  counter in Password"),
        "{}",
        failed.out()
    );
    let refused = place.run("audit bad.csv");
    assert_eq!(refused.code(), 2);
    assert_eq!(
        refused.error(),
        "error: bad.csv: line 2, column 3: a quote opens here and never closes\n"
    );
    assert_eq!(place.run("audit none.csv").code(), 2);
    assert_eq!(
        place
            .run("audit honest.csv --window 2026-02-01..2026-01-01")
            .code(),
        2
    );
    assert_eq!(place.run("audit honest.csv --column colour=serial").code(), 2);
}

#[test]
fn a_report_for_machines_has_verdict_and_findings_with_letter_kind_and_evidence() {
    let place = Place::new();
    place.write("counting.csv", counting().as_bytes());
    let report = place.run("audit counting.csv --json --quick").json();
    assert_eq!(report["verdict"], "fail");
    let finding = &report["findings"][0];
    assert_eq!(
        (finding["prohibition"].as_str(), finding["kind"].as_str()),
        (Some("a"), Some("counter"))
    );
    assert!(
        finding["evidence"]
            .as_str()
            .is_some_and(|evidence| evidence.contains("steps by 3"))
    );
    assert_eq!(
        report["passwords"][0]["specimens"].as_array().map(Vec::len),
        Some(10)
    );
    assert!(
        report["undecided"]
            .as_array()
            .is_some_and(|undecided| !undecided.is_empty())
    );
    assert_eq!(
        place.run("audit counting.csv --format json --quick").json(),
        report
    );
}

#[test]
fn a_page_needs_nothing_else_and_holds_no_markup_of_the_batch() {
    let place = Place::new();
    place.write("counting.csv", counting().as_bytes());
    let ran = place
        .run("audit counting.csv --format html -o report.html --generator <script>alert(1)</script> --quick");
    assert_eq!((ran.code(), &*ran.out()), (1, ""));
    let page = String::from_utf8(place.read("report.html")).expect("text");
    assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
    for (needed, present) in [
        ("<script", false),
        ("http://", false),
        ("https://", false),
        ("src=", false),
        ("<b>,", false),
        ("&lt;script&gt;", true),
        ("width=device-width", true),
        ("@media print", true),
        ("Specimens", true),
    ] {
        assert_eq!(page.contains(needed), present, "{needed}");
    }
}

#[test]
fn columns_are_named_and_left_out_by_options() {
    let place = Place::new();
    let renamed = counting().replace("Password", "Key").replace("Serial", "Number");
    place.write("renamed.csv", renamed.as_bytes());
    assert_eq!(place.run("audit renamed.csv").code(), 2);
    let report = place
        .run("audit renamed.csv --column password=Key --ignore Number --ignore model --json --quick")
        .json();
    assert_eq!(report["columns"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        report["findings"][0]["kind"], "counter",
        "in the order of the file"
    );
}
