//! The example `lifecycle`: a good order ends with every check passed, a bad one says where and leaves nothing behind. And
//! its forensic reader, on images sealed by hand.

#![allow(clippy::cast_possible_truncation)] // sizes and test data made here

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

#[path = "../examples/lifecycle/forensics.rs"]
mod forensics;
#[path = "lifecycle/hand_sealed.rs"]
mod hand_sealed;

const HEADER: &str = "serial,model,mac";
const ORDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/lifecycle/orders.csv");

#[test]
fn three_devices_live_and_forget() {
    let place = Place::new();

    let output = place.run(&["--devices", "3", "--seed", "1"]);

    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{report}{}", text(&output.stderr));
    for expected in [
        "All checks passed",
        "NOT FOR SALE",
        "3 devices",
        "CoP 11",
        "5.11-1",
        "5.9-2",
        "5.4-4",
        "5.1-1",
        "5.1-5",
        "clause 6",
        "pass: 0 findings over 3 devices",
        "on its label",
        "shown before it was sent",
    ] {
        assert!(report.contains(expected), "{expected:?} is not in {report}");
    }
    assert!(place.is_empty(), "the temporary directory is still there");
}

#[test]
fn run_without_a_seed_names_the_one_it_drew() {
    let place = Place::new();

    let output = place.run(&["--devices", "1"]);

    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{report}{}", text(&output.stderr));
    assert!(report.contains(", drawn"), "{report}");
    assert!(!report.contains("NOT FOR SALE"), "{report}");
}

#[test]
fn seed_repeats_every_byte() {
    let (first, second) = (Place::new(), Place::new());
    for place in [&first, &second] {
        let output = place.run(&["--devices", "2", "--seed", "7", "--keep", "kept"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    }

    let kept = first.files("kept");
    assert_eq!(
        kept,
        [
            "BD-2611-0001.img",
            "BD-2611-0002.img",
            "dictionary.md",
            "labels.csv"
        ]
    );
    for file in kept {
        let bytes = fs::read(first.path(&format!("kept/{file}"))).unwrap();
        assert_eq!(bytes, fs::read(second.path(&format!("kept/{file}"))).unwrap());
        if let Some(serial) = file.strip_suffix(".img") {
            assert!(
                !forensics::in_clear(&bytes, serial.as_bytes()),
                "the serial is in clear"
            );
        }
    }
}

#[test]
fn kept_papers_name_what_is_told_and_every_code_once() {
    let place = Place::new();
    let output = place.run(&["--devices", "2", "--keep", "kept"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));

    let dictionary = fs::read_to_string(place.path("kept/dictionary.md")).unwrap();
    for told in [
        "`week`",
        "`cuts`",
        "`failed_logins`",
        "`by_night`",
        "`name`",
        "Example Devices Ltd",
    ] {
        assert!(dictionary.contains(told), "{told} is not in {dictionary}");
    }
    let labels = fs::read_to_string(place.path("kept/labels.csv")).unwrap();
    let codes: BTreeSet<&str> = labels
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').nth(3))
        .collect();
    assert_eq!(codes.len(), 2, "{labels}");
    let first = labels.lines().nth(1).and_then(|line| line.split(',').nth(3));
    assert!(
        text(&output.stdout).contains(first.unwrap()),
        "the report shows another label"
    );
}

/// Mistakes that are made on purpose are found: what is said of them, and how often a device failed.
macro_rules! plants {
    ($($name:ident: $fault:literal, $devices:literal => $reason:literal;)*) => {$(
        #[test]
        fn $name() {
            let place = Place::new();

            let output = place.run(&["--devices", $devices, "--seed", "1", "--plant", $fault]);

            let report = text(&output.stdout);
            assert_eq!(output.status.code(), Some(1), "{report}{}", text(&output.stderr));
            assert!(report.contains($reason), "{:?} is not in {report}", $reason);
            assert!(!report.contains("All checks passed"), "{report}");
        }
    )*};
}

plants! {
    devices_that_share_a_code_fail_the_audit: "shared-code", "2" => "The codes of the batch FAILED the audit.";
    label_on_the_wrong_device_is_found_at_the_end_of_the_line: "foreign-label", "1" => "the label of another device";
    guesses_without_a_count_of_them_are_found: "flash-put-back", "1" => "guesses were checked without a delay";
    password_that_is_kept_is_found: "password-kept", "1" => "a password or code is kept on the device";
    queue_that_outlives_the_consent_is_found: "queue-kept", "1" => "a report was found after the consent";
    report_that_is_paid_for_and_lost_is_found: "report-lost", "1" => "millionths are spent, where reports cost";
}

#[test]
fn kept_images_are_not_overwritten() {
    let place = Place::new();
    fs::create_dir(place.path("kept")).unwrap();
    fs::write(place.path("kept/BD-2611-0002.img"), "somebody's").unwrap();

    let output = place.run(&["--devices", "3", "--keep", "kept"]);

    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("BD-2611-0002.img: there already"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(place.files("kept"), ["BD-2611-0002.img"]);
    assert_eq!(
        fs::read(place.path("kept/BD-2611-0002.img")).unwrap(),
        b"somebody's"
    );
}

#[test]
fn shipped_order_has_at_least_twenty_devices() {
    assert!(fs::read_to_string(ORDER).unwrap().lines().count() > 20);
}

#[test]
fn more_devices_than_ordered_are_refused() {
    let place = Place::new();

    let output = place.run(&["--devices", "2000", "--keep", "kept"]);

    place.assert_refused(&output, "the order has 24");
}

#[test]
fn missing_order_file_is_named() {
    let place = Place::new();

    let output = place.run(&["--orders", "absent.csv", "--keep", "kept"]);

    place.assert_refused(&output, "absent.csv: ");
}

#[test]
fn bad_usage_is_refused() {
    let usages: [(&[&str], &str); 9] = [
        (&["--device", "3"], "unknown option --device"),
        (&["orders.csv"], "unknown option orders.csv"),
        (&["--devices"], "--devices needs a value"),
        (&["--devices", "0"], "a number from 1 on"),
        (&["--devices", "many"], "a number from 1 on"),
        (&["--seed", "-1"], "a number from 0 on"),
        (&["--seed", "1", "--seed=2"], "--seed is given twice"),
        (&["--keep="], "--keep needs a value"),
        (&["--plant", "weeds"], "--plant knows no fault weeds"),
    ];
    let place = Place::new();
    for (arguments, expected) in usages {
        place.assert_refused(&place.run(arguments), expected);
    }
}

#[test]
fn help_tells_the_options() {
    let output = Place::new().run(&["--help"]);

    assert_eq!(output.status.code(), Some(0));
    for option in ["--devices", "--orders", "--keep", "--seed", "--plant"] {
        assert!(text(&output.stdout).contains(option));
    }
}

/// One test for each flaw of an order: the lines after a good device, and what is said of which line.
macro_rules! flaws {
    ($($name:ident: $lines:expr => $line:literal, $reason:literal;)*) => {$(
        #[test]
        fn $name() {
            assert_flaw(&[HEADER.as_bytes(), b"\nGOOD-1,Model 1,00:00:5E:00:53:01\n", $lines].concat(), $line, $reason);
        }
    )*};
}

flaws! {
    missing_column: b"A,m\n" => 3, "2 column(s)";
    extra_column: b"A,m,00:00:5E:00:53:10,x\n" => 3, "4 column(s)";
    stray_quote: b"\"A,m,00:00:5E:00:53:10\nB,m,00:00:5E:00:53:11\n" => 3, "1 column(s)";
    blank_lines_count: b"\n\nA,m\n" => 5, "2 column(s)";
    empty_serial: b",m,00:00:5E:00:53:10\n" => 3, "the serial is empty";
    duplicate_serial: b"GOOD-1,m,00:00:5E:00:53:10\n" => 3, "serial GOOD-1 is in line 2 already";
    duplicate_serial_in_other_case: b"good-1,m,00:00:5E:00:53:10\n" => 3, "serial good-1 is in line 2 already";
    serial_that_leaves_the_directory: b"../A,m,00:00:5E:00:53:10\n" => 3, "unfit for a file name";
    serial_with_a_zero_byte: b"A\0B,m,00:00:5E:00:53:10\n" => 3, "unfit for a file name";
    serial_like_an_option: b"-A,m,00:00:5E:00:53:10\n" => 3, "begins with -";
    serial_too_long: b"A12345678901234567890123456789012,m,00:00:5E:00:53:10\n" => 3, "more than 32";
    model_empty: b"A,,00:00:5E:00:53:10\n" => 3, "the model is empty";
    model_too_long: b"A,m12345678901234567890123456789012,00:00:5E:00:53:10\n" => 3, "more than 32";
    model_with_an_escape_sequence: b"A,\x1b[2J,00:00:5E:00:53:10\n" => 3, "'\\u{1b}' in it";
    model_in_spaces: b"A, m ,00:00:5E:00:53:10\n" => 3, "a space";
    mac_malformed: b"A,m,00-00-5E-00-53-10\n" => 3, "six pairs";
    mac_too_short: b"A,m,00:00:5E:00:53\n" => 3, "six pairs";
    mac_too_long: b"A,m,00:00:5E:00:53:10:11\n" => 3, "six pairs";
    mac_with_signs: b"A,m,+0:00:5E:00:53:10\n" => 3, "six pairs";
    mac_multicast: b"A,m,01:00:5E:00:53:10\n" => 3, "multicast";
    mac_all_zero: b"A,m,00:00:00:00:00:00\n" => 3, "all zero";
    mac_duplicate: b"A,m,00:00:5e:00:53:01\n" => 3, "MAC 00:00:5E:00:53:01 is in line 2 already";
    not_utf8: b"A,m\xff,00:00:5E:00:53:10\n" => 3, "not UTF-8";
}

#[test]
fn wrong_header() {
    assert_flaw(
        b"mac,model,serial\nA,m,00:00:5E:00:53:10\n",
        1,
        "the header is \"mac,model,serial\"",
    );
}

#[test]
fn header_missing() {
    assert_flaw(b"A,m,00:00:5E:00:53:10\n", 1, "the header is");
}

#[test]
fn empty_file() {
    assert_flaw(b"", 1, "the file is empty");
}

#[test]
fn blank_file() {
    assert_flaw(b"\n \n\n", 1, "the file is empty");
}

#[test]
fn no_devices() {
    assert_flaw(b"serial,model,mac\n\n", 1, "no devices");
}

#[test]
fn order_from_a_spreadsheet_with_byte_order_mark_is_read() {
    let place = Place::new();
    fs::write(
        place.path("order.csv"),
        "\u{feff}serial,model,mac\r\nA,m,00:00:5E:00:53:10\r\n",
    )
    .unwrap();

    let output = place.run(&["--orders", "order.csv"]);

    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

fn assert_flaw(order: &[u8], line: u32, reason: &str) {
    let place = Place::new();
    fs::write(place.path("order.csv"), order).unwrap();

    let output = place.run(&["--orders", "order.csv", "--keep", "kept"]);

    let message = text(&output.stderr);
    assert!(
        message.starts_with(&format!("lifecycle: order.csv:{line}: ")),
        "{message}"
    );
    fs::remove_file(place.path("order.csv")).unwrap();
    place.assert_refused(&output, reason);
}

/// A directory for one test, in which the example runs; it is also where its temporary files go.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "lifecycle-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir(&directory).unwrap();
        Self(directory)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(example())
            .args(arguments)
            .current_dir(&self.0)
            .env("TMPDIR", &self.0)
            .env("TEMP", &self.0)
            .env("TMP", &self.0)
            .output()
            .unwrap()
    }

    fn files(&self, directory: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(directory)).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn is_empty(&self) -> bool {
        self.files("").is_empty()
    }

    fn assert_refused(&self, output: &Output, reason: &str) {
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(reason), "{reason:?} is not in {message:?}");
        assert_eq!(message.lines().count(), 1, "{message}");
        assert_eq!(text(&output.stdout), "", "nothing was begun");
        assert!(self.is_empty(), "left behind: {:?}", self.files(""));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The example, built as this test was. `cargo test --workspace` has done so already; `cargo test --test lifecycle` has not.
fn example() -> &'static Path {
    static EXAMPLE: OnceLock<PathBuf> = OnceLock::new();
    EXAMPLE.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile = test.ancestors().nth(2).unwrap();
        let profile_name = match profile.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            name => name,
        };
        let built = Command::new(env!("CARGO"))
            .args([
                "build",
                "--workspace",
                "--quiet",
                "--example",
                "lifecycle",
                "--profile",
                profile_name,
                "--target-dir",
            ])
            .arg(profile.parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(built.success(), "the example does not build");
        profile.join("examples").join("lifecycle")
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
