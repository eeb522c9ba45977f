//! `bydesign provision`, `verify-label`, `open-manifest`, and `audit` on what they make: a batch from order to label, with the real program.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use support::Place;

const DEVICES: usize = 120;
const PROFILE: &str = include_str!("../../tests/interop/lamp.toml");
/// The profile's recipient, whose private key is published with it, and one of these tests' own.
const PUBLISHED: &str = "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254";
const OWN: &str = "675dd574ed7789310b3d2e7681f3790b466c773b1521fecf36577958371ea52f";
/// The private key to that.
const RECIPIENT: &str = "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f";
const CODES: [&str; 4] = [
    "matter_manual_code",
    "pairing_code",
    "wifi_key",
    "device_password",
];

fn made() -> (Place, support::Ran) {
    let place = Place::new();
    let rows =
        (0..DEVICES).map(|at| format!("LAMP-{at:05},L3,02:00:5E:00:{:02X}:{:02X}\n", at >> 8, at & 255));
    let order = format!("serial,model,mac\n{}", rows.collect::<String>());
    place
        .write("order.csv", order.as_bytes())
        .write("lamp.toml", PROFILE.replace(PUBLISHED, OWN).as_bytes())
        .write("recipient", RECIPIENT.as_bytes());
    let ran = place.run("provision order.csv --profile lamp.toml --out out");
    (place, ran)
}

/// The labels, a map from header to value for each.
fn labels(place: &Place) -> Vec<BTreeMap<String, String>> {
    let text = String::from_utf8(place.read("out/labels.csv")).expect("text");
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let row = |line: &str| {
        let values = line.split(',').map(str::to_owned);
        header.iter().map(|name| (*name).to_owned()).zip(values).collect()
    };
    lines.map(row).collect()
}

fn files(at: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(at).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all.sort();
    all
}

#[test]
fn a_batch_holds_its_secrets_where_they_belong_and_passes_its_audit() {
    let (place, ran) = made();
    assert_eq!(ran.code(), 0, "{}", ran.error());
    let labels = labels(&place);
    assert_eq!(labels.len(), DEVICES);
    assert_eq!(files(&place.path().join("out/images")).len(), DEVICES);

    let opened = place.run("open-manifest out/manifest.jsonl --private-key recipient");
    assert_eq!(opened.code(), 0, "{}", opened.error());
    let mut secrets: Vec<String> = opened
        .out()
        .lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
            row["root_key"].as_str().expect("a key").to_owned()
        })
        .collect();
    for label in &labels {
        secrets.extend(CODES.iter().map(|code| label[*code].clone()));
        secrets.extend(CODES.iter().map(|code| label[*code].replace('-', "")));
    }
    assert_eq!(secrets.len(), 9 * DEVICES);
    let mut public = vec![ran.out(), ran.error()];
    for name in [
        "registry.jsonl",
        "report.json",
        "manifest.jsonl",
        "certificates.pem",
    ] {
        public.push(String::from_utf8(place.read(&format!("out/{name}"))).expect("text"));
    }
    for (text, secret) in public
        .iter()
        .flat_map(|text| secrets.iter().map(move |secret| (text, secret)))
    {
        assert!(
            !text.contains(secret.as_str()),
            "a secret is where everybody reads"
        );
    }

    let audited = place.run("audit out/labels.csv --quick --json");
    assert_eq!(audited.code(), 0, "{}", audited.out());
    assert_eq!(audited.json()["verdict"], "pass");
}

#[test]
fn each_label_fits_its_own_image_and_no_other() {
    let (place, ran) = made();
    assert_eq!(ran.code(), 0, "{}", ran.error());
    let labels = labels(&place);
    let images = files(&place.path().join("out/images"));
    for device in [0, 1, DEVICES - 1] {
        let serial = &labels[device]["serial"];
        let opened = place.run(&format!(
            "open-manifest out/manifest.jsonl --private-key recipient --serial {serial}"
        ));
        let key = opened.json()["root_key"].as_str().expect("a key").to_owned();
        place.write("root", key.as_bytes());
        let verify = format!(
            "verify-label --image {} --profile lamp.toml --root-key root",
            images[device].display()
        );
        for code in CODES.iter().chain(&["matter_qr", "wifi_qr", "pairing_qr"]) {
            let own = place.run_with(&verify, labels[device][*code].as_bytes());
            assert_eq!(own.code(), 0, "{serial} {code}: {}{}", own.out(), own.error());
            let other = &labels[(device + 2) % DEVICES][*code];
            let foreign = place.run_with(&verify, other.as_bytes());
            assert_eq!(foreign.code(), 1, "{serial} takes the {code} of another");
        }
    }
}

#[test]
fn a_manifest_that_everybody_could_open_is_not_made_but_with_a_test_seed() {
    let place = Place::new();
    place
        .write("order.csv", b"serial,model\nLAMP-1,L3\n")
        .write("lamp.toml", PROFILE.as_bytes());
    let ran = place.run("provision order.csv --profile lamp.toml --out out");
    assert_eq!(ran.code(), 2);
    assert!(ran.error().contains("the private key"), "{}", ran.error());
    assert!(!place.path().join("out").exists() && !place.path().join("out.partial").exists());
    let ran = place.run("provision order.csv --profile lamp.toml --out out --test-seed night");
    assert_eq!(ran.code(), 0, "{}", ran.error());
}

#[test]
fn the_end_of_the_line_takes_no_device_that_is_not_for_sale_unless_it_is_told_to() {
    let place = Place::new();
    place
        .write("order.csv", b"serial,model\nLAMP-1,L3\n")
        .write("lamp.toml", PROFILE.replace(PUBLISHED, OWN).as_bytes())
        .write("recipient", RECIPIENT.as_bytes());
    let ran = place.run("provision order.csv --profile lamp.toml --out out --test-seed night");
    assert_eq!(ran.code(), 0, "{}", ran.error());
    let opened = place.run("open-manifest out/manifest.jsonl --private-key recipient --serial LAMP-1");
    let key = opened.json()["root_key"].as_str().expect("a key").to_owned();
    place.write("root", key.as_bytes());
    let verify = format!(
        "verify-label --image {} --profile lamp.toml --root-key root",
        files(&place.path().join("out/images"))[0].display()
    );
    let code = &labels(&place)[0]["pairing_code"];
    let ran = place.run_with(&verify, code.as_bytes());
    assert_eq!(ran.code(), 1, "{}", ran.out());
    assert!(ran.out().contains("NOT FOR SALE"), "{}", ran.out());
    let ran = place.run_with(&format!("{verify} --not-for-sale"), code.as_bytes());
    assert_eq!(ran.code(), 0, "{}", ran.out());
}

#[test]
fn a_bad_order_or_profile_is_named_with_its_place_and_leaves_nothing() {
    let (place, ran) = made();
    assert_eq!(ran.code(), 0, "{}", ran.error());
    place
        .write(
            "twice.csv",
            b"serial,model,mac\nA-1,L3,02:00:5E:00:00:01\nA-1,L3,02:00:5E:00:00:02\n",
        )
        .write(
            "bad.toml",
            PROFILE.replace("symbols = 20", "symbols = 9").as_bytes(),
        );
    let twice = place.run("provision twice.csv --profile lamp.toml --out other");
    assert_eq!(twice.code(), 2);
    assert!(
        twice.error().contains("twice.csv:3: column 1 (serial)"),
        "{}",
        twice.error()
    );
    let weak = place.run("provision order.csv --profile bad.toml --out other");
    assert_eq!(weak.code(), 2);
    assert!(
        weak.error().contains("bad.toml:") && weak.error().contains("80"),
        "{}",
        weak.error()
    );
    let again = place.run("provision order.csv --profile lamp.toml --out out");
    assert_eq!(again.code(), 2, "what is finished is not overwritten");
    for name in ["other", "other.partial"] {
        assert!(!place.path().join(name).exists(), "{name}");
    }
}
