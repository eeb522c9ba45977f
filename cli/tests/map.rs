//! `image map`: bytes are counted right, an erasure shows, and the same image gives the same picture.

mod support;

use std::collections::BTreeMap;

use bydesign::store::{Class, UserId};
use serde_json::Value;
use support::{Ecc, Flash, Nor, Place, in_use, random, then};

const MAP: &str = "image map image --root-key key --label settings -o map.svg --json";

fn map(place: &Place, image: &[u8]) -> Value {
    place.write("image", image);
    let ran = place.run(MAP);
    assert_eq!(ran.code(), 0, "{}", ran.error());
    ran.json()
}

fn totals(map: &Value) -> BTreeMap<String, u64> {
    let totals = map["totals"].as_object().unwrap();
    totals
        .iter()
        .map(|(area, bytes)| (area.clone(), bytes.as_u64().unwrap()))
        .collect()
}

fn bytes(map: &Value, area: &str) -> u64 {
    totals(map).get(area).copied().unwrap_or_default()
}

/// What a value's record takes: header, nonce part, link, meta, name, value, tag.
fn record<F: Flash>(name: &str, value: &str) -> u64 {
    let link = if F::OVERWRITABLE { 8 } else { 0 };
    let text = (link + 1 + name.len() as u64 + value.len() as u64).next_multiple_of(4);
    (12 + text + 16).next_multiple_of(F::WORD)
}

fn counts<F: Flash>() {
    let place = Place::new();
    let before = map(&place, in_use::<F>().image());
    let size = in_use::<F>().image().len() as u64;
    assert_eq!(totals(&before).values().sum::<u64>(), size);
    let live = record::<F>("pin", "second pin of seven")
        + record::<F>("address", "7 Seven Street")
        + record::<F>("pin", "pin of user eight")
        + record::<F>("wifi.password", "correct horse battery")
        + record::<F>("colour", "red");
    let old = record::<F>("pin", "first pin of seven") + record::<F>("wifi.password", "hunter2hunter2");
    assert_eq!(bytes(&before, "live"), live);
    let (superseded, wiped) = if F::OVERWRITABLE { (0, old) } else { (old, 0) };
    assert_eq!(
        (bytes(&before, "superseded"), bytes(&before, "wiped")),
        (superseded, wiped)
    );
    assert_eq!((bytes(&before, "dead"), bytes(&before, "former keys")), (0, 0));

    // A user leaves: the keys die at once, the records stay and are dead.
    let left = then(in_use::<F>(), |store| {
        store.erase(UserId(7), &mut random(2)).unwrap();
    });
    let after = map(&place, left.image());
    let theirs = record::<F>("pin", "second pin of seven") + record::<F>("address", "7 Seven Street");
    let first_pin = record::<F>("pin", "first pin of seven");
    assert_eq!(totals(&after).values().sum::<u64>(), size);
    assert_eq!(bytes(&after, "live"), live - theirs);
    assert_eq!(
        bytes(&after, "dead"),
        if F::OVERWRITABLE {
            theirs
        } else {
            theirs + first_pin
        }
    );
    assert_eq!(bytes(&after, "wiped"), wiped);
    assert_eq!(bytes(&after, "former keys"), 0);
    let keys = |map: &Value| {
        let pages = map["pages"].as_array().unwrap();
        pages.iter().position(|page| page["role"] == "keys").unwrap()
    };
    assert_ne!(
        keys(&before),
        keys(&after),
        "the key page was written anew on the other page"
    );
    let erases = |map: &Value| map["pages"][keys(&before)]["erases"].as_u64().unwrap();
    assert_eq!(
        erases(&after),
        erases(&before) + 1,
        "and the one before was erased"
    );

    // An item is erased.
    let without = then(in_use::<F>(), |store| {
        store
            .erase_item(Class::Settings, "wifi.password", &mut random(2))
            .unwrap();
    });
    let after = map(&place, without.image());
    let password = record::<F>("wifi.password", "correct horse battery");
    assert_eq!(bytes(&after, "live"), live - password);
    if F::OVERWRITABLE {
        assert_eq!(bytes(&after, "wiped"), old + password);
    } else {
        assert_eq!(
            (bytes(&after, "superseded"), bytes(&after, "removed")),
            (0, 0),
            "the page was erased"
        );
        let role = |map: &Value| map["pages"][2]["role"].clone();
        assert_eq!((role(&before), role(&after)), ("log".into(), "free".into()));
    }
}

#[test]
fn every_byte_is_counted_and_erasures_show_on_overwritable_flash() {
    counts::<Nor>();
}

#[test]
fn every_byte_is_counted_and_erasures_show_on_write_once_flash() {
    counts::<Ecc>();
}

#[test]
fn the_same_image_gives_the_same_picture_and_another_one_another() {
    let place = Place::new();
    let mut pictures = Vec::new();
    for erased in [false, false, true] {
        let mut flash = in_use::<Nor>();
        if erased {
            flash = then(flash, |store| {
                store.erase(UserId(7), &mut random(2)).unwrap();
            });
        }
        map(&place, flash.image());
        pictures.push(String::from_utf8(place.read("map.svg")).unwrap());
    }
    assert_eq!(pictures[0], pictures[1]);
    assert_ne!(pictures[0], pictures[2]);
    let picture = &pictures[2];
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
    for expected in [
        "overwritable, words of 4 bytes",
        "dead: of a class",
        "wiped: overwritten",
        ">erases<",
        "free",
        "keys v",
    ] {
        assert!(picture.contains(expected), "{expected}");
    }
    assert!(!picture.contains("pin"), "no names are drawn");
}

#[test]
fn without_a_key_records_are_drawn_as_sealed() {
    let place = Place::new();
    place.write("image", in_use::<Ecc>().image());
    let ran = place.run("image map image --json");
    assert_eq!(ran.code(), 0, "{}", ran.error());
    let map = ran.json();
    assert!(bytes(&map, "sealed") > 0 && bytes(&map, "live") == 0);
    assert_eq!(totals(&map).values().sum::<u64>(), 16 * 1024);
    assert_eq!(
        place.run("image map image").code(),
        2,
        "neither a picture nor JSON was asked for"
    );
    assert_eq!(place.run("image map image -o nowhere/map.svg").code(), 2);
}

#[test]
fn what_is_behind_the_last_page_is_counted_apart() {
    let place = Place::new();
    let mut image = in_use::<Ecc>().image().to_vec();
    image.extend_from_slice(&[0x55; 300]);
    let map = map(&place, &image);
    assert_eq!(map["outside_bytes"], 300);
    assert!(
        String::from_utf8(place.read("map.svg"))
            .unwrap()
            .contains("300 bytes  behind the last page")
    );
}
