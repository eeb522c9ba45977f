//! `bydesign provision`, `verify-label`, `open-manifest`, and `audit` on what they make: a batch from order to label, with the real program.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use support::Place;

const DEVICES: usize = 120;
const PROFILE: &str = include_str!("../../tests/interop/lamp.toml");
/// The private key to the profile's recipient, which is published with it.
const RECIPIENT: &str = "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f";
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
        .write("lamp.toml", PROFILE.as_bytes())
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
