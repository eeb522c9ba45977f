//! A run that is killed at random moments, and resumed until it is done.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use bydesign::credential::factory::{Batch, BatchError, BatchKey, verify_label};

use crate::support::*;

const DEVICES: u64 = 700;
const SECRETS: &str = "[pairing-code]\nsymbols = 8\ncost = \"32KiB\"\nin-manifest = true\n\
                       [device-password]\nsymbols = 18\ncost = \"64KiB\"\nin-manifest = true";
/// Tells the child where to work.
const PLACE: &str = "BYDESIGN_KILLED_IN";

/// What is killed: this test binary, with this one test.
#[test]
#[ignore = "a part of the test below, which runs it in a process of its own"]
fn child() {
    let Some(place) = std::env::var_os(PLACE) else {
        return;
    };
    let place = Path::new(&place);
    let resume = place.join("out.partial").exists();
    let batch = Batch::new(profile(SECRETS), &place.join("order.csv"), &place.join("out")).on_threads(2);
    batch.resuming(resume).run(&mut |_| {}).expect("made");
}

//= compliance/requirements.md#cred-32
//= type=test
//# A batch that was killed at any point MUST be resumed so that every serial of the order is made once, and its image, label and rows belong together.
#[test]
fn a_killed_batch_is_resumed_with_every_serial_once_and_images_that_agree_with_their_rows() {
    let place = Place::new("killed");
    place.write("order.csv", &order_text(DEVICES));
    let out = place.path("out");
    let start = || {
        Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "killed::child", "--ignored"])
            .env(PLACE, &place.0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("started")
    };
    let mut kills = 0;
    let mut waits = 0_u64;
    while !out.exists() {
        let mut child = start();
        // From before the first line of the journal to several lines later.
        waits = (waits * 57 + 31) % 400;
        thread::sleep(Duration::from_millis(20 + waits));
        child.kill().expect("killed");
        child.wait().expect("ended");
        kills += 1;
        if kills > 60 {
            let mut child = start();
            assert!(child.wait().expect("ended").success());
        }
    }
    assert!(kills > 3, "killed {kills} times");
    let (registry, manifest) = (
        lines(&out.join("registry.jsonl")),
        lines(&out.join("manifest.jsonl")),
    );
    let labels = lines(&out.join("labels.csv"));
    let serials: BTreeSet<String> = registry
        .iter()
        .map(|line| json(line)["serial"].to_string())
        .collect();
    let ids: BTreeSet<String> = registry
        .iter()
        .map(|line| json(line)["device_id"].to_string())
        .collect();
    let count = usize::try_from(DEVICES).expect("small");
    assert_eq!(
        (
            registry.len(),
            serials.len(),
            ids.len(),
            manifest.len(),
            labels.len()
        ),
        (count, count, count, count, count + 1)
    );
    let images = files(&out.join("images"));
    assert_eq!(images.len(), count);
    assert_eq!(files(&out.join("sheets")).len(), count.div_ceil(24));
    let profile = profile(SECRETS);
    let mut sheets = String::new();
    for sheet in files(&out.join("sheets")) {
        sheets += &fs::read_to_string(sheet).expect("there");
    }
    for (((registry, manifest), label), image) in
        registry.iter().zip(&manifest).zip(&labels[1..]).zip(&images)
    {
        let (registry, row) = (json(registry), opened(manifest));
        assert_eq!(registry["device_id"], row.device_id.as_str());
        assert!(label.starts_with(&format!("{},{},", row.serial, row.device_id)));
        let secrets = json(std::str::from_utf8(&row.json).expect("text"));
        let image = fs::read(image).expect("there");
        for name in ["pairing_code", "device_password"] {
            let code = secrets[name].as_str().expect("text");
            let read = verify_label(&profile, &image, &root_key(&row), code);
            assert!(read.is_ok(), "{name} of {}: {read:?}", row.serial);
            assert!(label.replace('-', "").contains(code));
            assert!(
                sheets.replace('-', "").contains(code),
                "{name} of {} is on no sheet",
                row.serial
            );
        }
    }
}

#[test]
fn an_unfinished_batch_is_only_resumed_by_the_same_order_profile_and_seed_and_as_it_was_left() {
    let place = Place::new("other-run");
    let order = place.write("order.csv", &order_text(200));
    let out = place.path("out");
    let batch = |secrets: &str, order: &Path, seed: Option<&str>| {
        let batch = Batch::new(profile(secrets), order, &out).on_threads(1);
        match seed {
            Some(seed) => batch.with_test_seed(seed),
            None => batch,
        }
    };
    // Left unfinished by a panic in the middle, which a progress bar might have.
    let stopped = std::panic::catch_unwind(|| {
        batch(SECRETS, &order, None).run(&mut |progress| {
            if matches!(progress, bydesign::credential::factory::Progress::Made(made, 200) if (1..200).contains(&made)) {
                panic!("stopped on purpose");
            }
        })
    });
    assert!(stopped.is_err());
    let journal = fs::read_to_string(place.path("out.partial/journal")).expect("there");
    assert!(journal.lines().count() >= 2, "{journal}");
    let before = json(journal.lines().last().expect("a line"))["rows"]
        .as_u64()
        .expect("a number");
    assert!((1..200).contains(&before), "{journal}");

    let other_order = place.write("other.csv", &order_text(201));
    let other_secrets = SECRETS.replace("symbols = 8", "symbols = 9");
    for (run, what) in [
        (batch(SECRETS, &other_order, None), "order"),
        (batch(&other_secrets, &order, None), "profile"),
        (batch(SECRETS, &order, Some("seed")), "test seed"),
    ] {
        match run.resuming(true).run(&mut |_| {}) {
            Err(BatchError::OtherRun { what: said, .. }) => assert_eq!(said, what),
            other => panic!("{what}: {:?}", other.err()),
        }
    }
    // A table that lost something is noticed; one that has more than the journal says is cut.
    let labels = place.path("out.partial/labels.csv");
    let whole = fs::read(&labels).expect("there");
    fs::write(&labels, &whole[..whole.len() / 4]).expect("written");
    let damaged = batch(SECRETS, &order, None).resuming(true).run(&mut |_| {});
    assert!(matches!(damaged, Err(BatchError::Damaged { .. })));
    let mut longer = whole;
    longer.extend(b"SN-9999999,half a li");
    fs::write(&labels, longer).expect("written");
    // And a torn line at the end of the journal is none.
    let torn = journal + "{\"chunks\":99,\"ro";
    fs::write(place.path("out.partial/journal"), torn).expect("written");
    let report = batch(SECRETS, &order, None)
        .resuming(true)
        .run(&mut |_| {})
        .expect("made");
    assert_eq!((report.devices, report.made_now), (200, 200 - before));
    let labels = lines(&out.join("labels.csv"));
    assert_eq!(labels.len(), 201);
    assert!(!labels.iter().any(|line| line.contains("SN-9999999")));
}

#[test]
fn an_unfinished_batch_is_not_resumed_under_another_batch_key() {
    let place = Place::new("other-key");
    let order = place.write("order.csv", &order_text(200));
    let out = place.path("out");
    let key = |number: u8| {
        let bytes = core::array::from_fn(|at| number ^ u8::try_from(at * at * 7 % 251).expect("small"));
        BatchKey::new(bytes).expect("not weak")
    };
    let deriving = SECRETS.replacen("symbols = 8", "symbols = 8\nderive-from = \"serial\"", 1);
    let batch = |number| {
        Batch::new(profile(&deriving), &order, &out)
            .on_threads(1)
            .with_batch_key(key(number))
    };
    let stopped = std::panic::catch_unwind(|| {
        batch(1).run(&mut |progress| {
            if matches!(progress, bydesign::credential::factory::Progress::Made(made, 200) if (1..200).contains(&made)) {
                panic!("stopped on purpose");
            }
        })
    });
    assert!(stopped.is_err());
    match batch(2).resuming(true).run(&mut |_| {}) {
        Err(BatchError::OtherRun { what, .. }) => assert_eq!(what, "batch key"),
        other => panic!("{:?}", other.err()),
    }
    batch(1).resuming(true).run(&mut |_| {}).expect("made");
}
