//! `image inspect`: structure without a key, names and sizes with it, a value only if asked for, damage by its exit code.

mod support;

use bydesign::store::UserId;
use bydesign_cli::expected::to_hexadecimal;
use support::{Ecc, Flash, Nor, Place, in_use, random, then, user};

const INSPECT: &str = "image inspect image";
const WITH_KEY: &str = "image inspect image --root-key key --label settings";
const VALUES: [&str; 7] = [
    "first pin of seven",
    "second pin of seven",
    "7 Seven Street",
    "pin of user eight",
    "hunter2hunter2",
    "correct horse battery",
    "text:red",
];

fn shows_the_structure<F: Flash>() {
    let place = Place::new();
    place.write("image", in_use::<F>().image());
    let ran = place.run(&format!("{INSPECT} --json"));
    let report = ran.json();
    assert_eq!(ran.code(), 0);
    assert_eq!(report["layout"]["word"], F::WORD);
    assert_eq!(report["layout"]["pages"], 8);
    assert_eq!(
        report["layout"]["medium"],
        if F::OVERWRITABLE {
            "overwritable"
        } else {
            "write-once"
        }
    );
    assert_eq!(report["wear"]["marked"], 8);
    assert_eq!(report["opened"], serde_json::Value::Null);
    assert!(!ran.out().contains("pin"), "no name without the key");
}

#[test]
fn structure_and_wear_show_without_a_key_on_overwritable_flash() {
    shows_the_structure::<Nor>();
}

#[test]
fn structure_and_wear_show_without_a_key_on_write_once_flash() {
    shows_the_structure::<Ecc>();
}

#[test]
fn names_and_sizes_show_with_the_key_and_a_value_only_if_it_is_asked_for() {
    let place = Place::new();
    place.write("image", in_use::<Nor>().image());
    for json in ["", " --json"] {
        let ran = place.run(&format!("{WITH_KEY}{json}"));
        assert_eq!(ran.code(), 0, "{}", ran.error());
        let out = ran.out();
        assert!(
            out.contains("wifi.password") && out.contains("user:7") && out.contains("address"),
            "{out}"
        );
        for value in VALUES {
            let digits = to_hexadecimal(value.as_bytes());
            assert!(!out.contains(value) && !out.contains(digits.as_str()), "{value}");
        }
    }
    let items = place.run(&format!("{WITH_KEY} --json")).json()["opened"]["items"].clone();
    assert_eq!(items.as_array().unwrap().len(), 5);
    assert_eq!(
        (&items[0]["name"], &items[0]["bytes"]),
        (&"colour".into(), &3.into())
    );

    let out = place.run(&format!("{WITH_KEY} --show pin --class user:8")).out();
    let shown: Vec<_> = VALUES.iter().filter(|value| out.contains(**value)).collect();
    assert_eq!(shown, [&"pin of user eight"]);
    let ran = place.run(&format!("{WITH_KEY} --show pin --class user:8 --json"));
    assert_eq!(
        ran.json()["shown"],
        "70696e206f6620757365722065696768 74".replace(' ', "")
    );
}

#[test]
fn classes_and_their_generations_follow_an_erasure() {
    let place = Place::new();
    let flash = then(in_use::<Ecc>(), |store| {
        store.erase(UserId(7), &mut random(2)).unwrap();
    });
    place.write("image", flash.image());
    let opened = place.run(&format!("{WITH_KEY} --json")).json()["opened"].clone();
    let classes = opened["classes"].as_array().unwrap();
    let slot = |class: serde_json::Value| classes.iter().find(|slot| slot["class"] == class).unwrap();
    assert_eq!(
        slot(serde_json::Value::Null)["generation"],
        2,
        "the slot of the user who left"
    );
    assert_eq!(slot("user:8".into())["generation"], 1);
    assert_eq!(opened["items"].as_array().unwrap().len(), 3);
}

#[test]
fn damage_is_a_finding() {
    let place = Place::new();
    let mut image = in_use::<Ecc>().image().to_vec();
    place.write("image", &image);
    let items = place.run(&format!("{WITH_KEY} --json")).json()["opened"]["items"].clone();
    // Not the last record of the log, which would pass for an interrupted write.
    let at = usize::try_from(items[4]["address"].as_u64().unwrap()).unwrap();
    image[at + 12] ^= 1;
    place.write("image", &image);
    let ran = place.run(WITH_KEY);
    assert_eq!(ran.code(), 1);
    assert!(
        ran.out().contains("DOES NOT MOUNT: damage at byte"),
        "{}",
        ran.out()
    );
    assert!(ran.out().contains("user:8"), "what opens is shown");

    place.write("image", &image[..image.len() - 100]);
    assert_eq!(place.run(INSPECT).code(), 1, "an image that ends early");
}

#[test]
fn bad_input_names_the_file_and_the_reason() {
    let place = Place::new();
    place
        .write("image", in_use::<Nor>().image())
        .write("blank", &[0xff; 8192])
        .write("short", b"by");
    for (arguments, expected) in [
        ("image inspect missing", "missing: cannot be read: "),
        (
            "image inspect short",
            "short: no key page in it says how long its words and pages are",
        ),
        ("image inspect blank", "give --word, --page and --medium"),
        (
            "image inspect image --word 8 --page 1024 --medium overwritable",
            "image: the image itself says overwritable, words of 4",
        ),
        (
            "image inspect blank --word 5 --page 1024 --medium overwritable",
            "blank: no store has such words and pages",
        ),
        (
            "image inspect image --root-key missing --label settings",
            "missing: cannot be read: ",
        ),
        (
            "image inspect image --root-key key --label other",
            "image: the root key or the label does not fit",
        ),
        (
            "image inspect image --root-key key --label settings --show pin --class user",
            "image: the store holds no such item",
        ),
        ("image inspect image --root-key key", "--label"),
        (
            "image inspect image --root-key key --label settings --show pin",
            "--class",
        ),
        (
            "image inspect image --root-key key --label settings --show pin --class users",
            "a class is identity",
        ),
        ("image inspect image --show pin --class user", "--root-key"),
        ("image inspect", "<FILE>"),
        ("picture", "unrecognized subcommand"),
    ] {
        let ran = place.run(arguments);
        assert_eq!(ran.code(), 2, "{arguments}: {}{}", ran.out(), ran.error());
        assert!(ran.error().contains(expected), "{arguments}: {}", ran.error());
        assert_eq!(ran.out(), "", "{arguments}");
    }
}

#[test]
fn an_image_without_key_pages_is_inspected_with_the_sizes_given() {
    let place = Place::new();
    let mut image = in_use::<Ecc>().image().to_vec();
    image[..4096].fill(0xff);
    place.write("image", &image);
    let ran = place.run(&format!(
        "{INSPECT} --word 8 --page 2048 --medium write-once --json"
    ));
    assert_eq!(ran.code(), 0, "{}", ran.error());
    let sealed: u64 = ran.json()["pages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|page| page["totals"]["sealed"].as_u64())
        .sum();
    assert!(sealed > 300, "{sealed}");
}

#[test]
fn every_help_states_the_exit_codes() {
    let place = Place::new();
    for command in ["", "image inspect ", "image residue ", "image map "] {
        let ran = place.run(&format!("{command}--help"));
        assert_eq!(ran.code(), 0);
        assert!(ran.out().contains("Exit codes: 0 "), "{}", ran.out());
    }
}

#[test]
fn a_name_with_control_characters_does_not_reach_the_terminal() {
    let place = Place::new();
    let flash = then(in_use::<Nor>(), |store| {
        store
            .put_bytes(user(8), "bell\u{7}\u{1b}[2J", b"value", &mut random(3))
            .unwrap();
    });
    place.write("image", flash.image());
    let out = place.run(WITH_KEY).out();
    assert!(
        out.contains(r"bell\u{7}\u{1b}[2J") && !out.contains('\u{1b}'),
        "{out}"
    );
}
