//! `image residue`: before an erasure all values are found, afterwards none of what was erased, on both kinds of flash.

mod support;

use bydesign::store::{Class, UserId};
use bydesign_cli::expected::to_hexadecimal;
use support::{Ecc, Flash, LABEL, Nor, Place, ROOT, SECRETS, in_use, random, then, user};

const RESIDUE: &str = "image residue image --root-key key --label settings --expect list";

fn list(lines: &[&str]) -> Vec<u8> {
    lines.join("\n").into_bytes()
}

/// How many of the values are found.
fn recovered(place: &Place, lines: &[&str]) -> (i32, u64) {
    place.write("list", &list(lines));
    let ran = place.run(&format!("{RESIDUE} --json"));
    (ran.code(), ran.json()["recovered"].as_u64().unwrap())
}

/// On overwritable flash the two superseded values are gone at once.
fn before<F: Flash>(place: &Place) {
    place.write("image", in_use::<F>().image());
    let superseded = [SECRETS[0], SECRETS[4]];
    let live = [SECRETS[1], SECRETS[2], SECRETS[3], SECRETS[5], SECRETS[6]];
    assert_eq!(recovered(place, &live), (1, 5));
    let expected = if F::OVERWRITABLE { (0, 0) } else { (1, 2) };
    assert_eq!(recovered(place, &superseded), expected);
}

fn after_a_user_left<F: Flash>() {
    let place = Place::new();
    before::<F>(&place);
    let flash = then(in_use::<F>(), |store| {
        store.erase(UserId(7), &mut random(2)).unwrap();
    });
    place.write("image", flash.image());
    assert_eq!(recovered(&place, &SECRETS[..3]), (0, 0));
    assert_eq!(
        recovered(&place, &[SECRETS[3], SECRETS[5], SECRETS[6]]),
        (1, 3),
        "the others' stay"
    );
}

#[test]
fn a_user_who_left_is_found_before_and_not_after_on_overwritable_flash() {
    after_a_user_left::<Nor>();
}

#[test]
fn a_user_who_left_is_found_before_and_not_after_on_write_once_flash() {
    after_a_user_left::<Ecc>();
}

fn after_an_item_was_erased<F: Flash>() {
    let place = Place::new();
    before::<F>(&place);
    let flash = then(in_use::<F>(), |store| {
        store
            .erase_item(Class::Settings, "wifi.password", &mut random(2))
            .unwrap();
    });
    place.write("image", flash.image());
    assert_eq!(recovered(&place, &SECRETS[4..6]), (0, 0));
    assert_eq!(
        recovered(&place, &[SECRETS[1], SECRETS[2], SECRETS[3], SECRETS[6]]),
        (1, 4)
    );
}

#[test]
fn an_item_that_was_erased_is_found_before_and_not_after_on_overwritable_flash() {
    after_an_item_was_erased::<Nor>();
}

#[test]
fn an_item_that_was_erased_is_found_before_and_not_after_on_write_once_flash() {
    after_an_item_was_erased::<Ecc>();
}

#[test]
fn a_removed_item_on_write_once_flash_is_found_and_called_removed_and_a_superseded_one_too() {
    let place = Place::new();
    let flash = then(in_use::<Ecc>(), |store| {
        store.remove_bytes(user(7), "address", &mut random(2)).unwrap();
    });
    place.write("image", flash.image());
    place.write("list", &list(&[SECRETS[2], SECRETS[0]]));

    let ran = place.run(&format!("{RESIDUE} --json"));

    assert_eq!(ran.code(), 1);
    let report = ran.json();
    let state = |at: usize| report["values"][at]["found"][0]["record"]["state"].clone();
    assert_eq!((state(0), state(1)), ("removed".into(), "superseded".into()));
    // The first version of the password, which was not asked for.
    assert_eq!(report["other_stale"].as_array().unwrap().len(), 1);
    assert_eq!(report["live"], 4);
    let text = place.run(RESIDUE).out();
    assert!(text.contains("RECOVERED  line 1 user:7/address"), "{text}");
    for secret in ["Seven Street", "pin of seven", "hunter2", "correct horse"] {
        assert!(
            !text.contains(secret) && !report.to_string().contains(secret),
            "{secret}"
        );
    }
}

#[test]
fn a_value_in_clear_is_found_at_its_place() {
    let place = Place::new();
    let flash = then(in_use::<Nor>(), |store| {
        store.erase(UserId(7), &mut random(2)).unwrap();
    });
    let mut image = flash.image().to_vec();
    let end = image.len();
    image[end - 101..end - 87].copy_from_slice(b"7 Seven Street");
    place
        .write("image", &image)
        .write("list", &list(&["text:7 Seven Street"]));

    let ran = place.run(&format!("{RESIDUE} --json"));

    assert_eq!(ran.code(), 1);
    let found = ran.json()["values"][0]["found"].clone();
    assert_eq!(
        found,
        serde_json::json!([{ "how": "clear", "address": end - 101 }])
    );
}

/// The image of a part whose erase of the former key page did nothing: what the store calls dead opens.
#[test]
fn a_key_page_that_was_not_erased_gives_the_erased_user_away() {
    let place = Place::new();
    let before = in_use::<Ecc>();
    let after = then(in_use::<Ecc>(), |store| {
        store.erase(UserId(7), &mut random(2)).unwrap();
    });
    let mut image = after.image().to_vec();
    let former = (0..2)
        .find(|page| before.image()[page * 2048 + 16..][..8] == *b"bydesign")
        .unwrap();
    let current = (0..2)
        .find(|page| image[page * 2048 + 16..][..8] == *b"bydesign")
        .unwrap();
    assert_ne!(former, current);
    image[former * 2048..][..2048].copy_from_slice(&before.image()[former * 2048..][..2048]);
    // Nor does it help that the clear bytes and the first record are gone, as after an erase that was cut short.
    for is_torn in [false, true] {
        if is_torn {
            image[former * 2048..][..16 + 40].fill(0xff);
            image[former * 2048 + 16 + 40 + 24..][..60].fill(0xff);
        }
        place.write("image", &image).write("list", &list(&SECRETS[..3]));
        let ran = place.run(&format!("{RESIDUE} --json"));
        let report = ran.json();
        assert_eq!(
            (ran.code(), report["recovered"].as_u64()),
            (1, Some(3)),
            "{report}"
        );
        let state = &report["values"][1]["found"][0]["record"]["state"];
        assert_eq!(state, "dead to the store, and opens");
        let elsewhere = report["class_keys"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|key| key["current"] == false);
        assert!(elsewhere.count() >= 5);
        assert!(
            place
                .run(RESIDUE)
                .out()
                .contains("class keys open on the current key page")
        );
    }
}

#[test]
fn remains_of_a_record_that_no_longer_opens_confirm_a_value_that_is_given_with_its_name() {
    let place = Place::new();
    let flash = in_use::<Ecc>();
    let mut image = flash.image().to_vec();
    place.write("image", &image).write("list", &list(&[SECRETS[2]]));
    let at =
        place.run(&format!("{RESIDUE} --json")).json()["values"][0]["found"][0]["record"]["address"].as_u64();
    // Its tag is gone, its ciphertext is not.
    let at = usize::try_from(at.unwrap()).unwrap();
    let length = usize::from(image[at]) * 4;
    image[at + 12 + length] ^= 0xff;
    place.write("image", &image);

    let ran = place.run(&format!("{RESIDUE} --json"));

    assert_eq!(ran.code(), 1);
    assert_eq!(
        ran.json()["values"][0]["found"],
        serde_json::json!([{ "how": "confirmed" }])
    );
    assert_eq!(
        recovered(&place, &["user:7/address = text:9 Other Avenue"]),
        (0, 0),
        "and no other value"
    );
}

#[test]
fn a_key_that_opens_nothing_is_no_good_news_unless_that_is_expected() {
    let place = Place::new();
    place
        .write("image", in_use::<Nor>().image())
        .write("list", &list(&SECRETS));
    let other = RESIDUE.replace(LABEL, "another");
    let ran = place.run(&other);
    assert_eq!(ran.code(), 2);
    assert!(
        ran.error().contains("opens nothing") || ran.error().contains("open nothing"),
        "{}",
        ran.error()
    );
    assert_eq!(place.run(&format!("{other} --key-may-open-nothing")).code(), 0);
}

#[test]
fn a_blank_image_holds_nothing() {
    let place = Place::new();
    place.write("image", &[0xff; 8192]).write("list", &list(&SECRETS));
    assert_eq!(place.run(RESIDUE).code(), 0);
}

#[test]
fn a_list_that_cannot_be_read_is_refused_by_its_line_and_never_printed() {
    let place = Place::new();
    place.write("image", in_use::<Nor>().image());
    for (text, line) in [
        ("text:fine\nhunter2", 2),
        ("# only\n\nuser:7/pin text:hunter2", 3),
        ("users/pin = text:hunter2", 1),
        ("user:7 = text:hunter2", 1),
        ("abc", 1),
        ("text:", 1),
    ] {
        place.write("list", text.as_bytes());
        let ran = place.run(RESIDUE);
        assert_eq!(ran.code(), 2, "{text}");
        assert!(
            ran.error().contains(&format!("list: line {line}: ")),
            "{}",
            ran.error()
        );
        assert!(!ran.error().contains("hunter2"));
    }
    place.write("list", b"# nothing\n");
    assert_eq!(place.run(RESIDUE).code(), 2, "a search for nothing finds nothing");
}

#[test]
fn an_image_of_many_beginnings_of_key_pages_is_refused() {
    let place = Place::new();
    let mut image = in_use::<Nor>().image().to_vec();
    for at in (4096..8192).step_by(64) {
        image[at..at + 8].copy_from_slice(b"bydesign");
    }
    place.write("image", &image).write("list", &list(&SECRETS));
    let ran = place.run(RESIDUE);
    assert_eq!(ran.code(), 2);
    assert!(ran.error().contains("begin like a key page"), "{}", ran.error());
}

#[test]
fn the_root_key_comes_from_standard_input_as_bytes_or_digits() {
    let place = Place::new();
    place
        .write("image", in_use::<Nor>().image())
        .write("list", &list(&SECRETS[1..2]));
    let from_input = RESIDUE.replace("--root-key key", "--root-key -");
    let digits = to_hexadecimal(&ROOT).to_string();
    for input in [
        ROOT.to_vec(),
        digits.clone().into_bytes(),
        format!("{digits}\r\n").to_uppercase().into_bytes(),
    ] {
        assert_eq!(place.run_with(&from_input, &input).code(), 1);
    }
    for input in [&ROOT[..31], b"", &[7; 33], &[b'a'; 63]] {
        let ran = place.run_with(&from_input, input);
        assert_eq!(ran.code(), 2);
        assert!(ran.error().contains("a root key is 32 bytes"), "{}", ran.error());
    }
    let ran = place.run_with(&from_input, &[7; 32]);
    assert_eq!(ran.code(), 2);
    assert!(ran.error().contains("repeated pattern"), "{}", ran.error());
}
