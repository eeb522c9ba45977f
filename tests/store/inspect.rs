//! What the module for laboratories says of images: every byte is accounted for, what is live is what the store holds, the image stays as
//! it is, and no image makes it panic.

use crate::forensics;
use crate::support;

use std::collections::BTreeSet;
use std::fs;

use bydesign::flash::MediumKind;
use bydesign::store::inspect::{
    Image, ImageError, Opened, Page, Piece, RecordKind, Role, ShowError, State, What,
};
use bydesign::store::{Class, DataClass, MountError, UserId};
use rand_core::Rng;
use support::operation::Operation;
use support::{Ecc, LABEL, Nor, Part, ROOT, format, mount, random, root_key, tears};

/// The committed images, with what their lists say they hold: class and user, name, value in hexadecimal.
fn vectors() -> Vec<(String, Vec<u8>, Vec<[String; 3]>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/images");
    let mut vectors = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "bin") {
            continue;
        }
        let list = fs::read_to_string(path.with_extension("txt")).unwrap();
        let lines = list.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        let items = lines
            .filter(|fields| fields.len() == 3)
            .map(|fields| [0, 1, 2].map(|at| fields[at].to_owned()))
            .collect();
        vectors.push((path.display().to_string(), fs::read(&path).unwrap(), items));
    }
    assert!(vectors.len() > 10, "the images were found");
    vectors
}

fn class_in_list(data: DataClass) -> String {
    match (data.class(), data.user_id()) {
        (Class::Identity, _) => "identity".into(),
        (Class::Settings, _) => "settings".into(),
        (Class::User, UserId::HOUSEHOLD) => "user".into(),
        (Class::User, UserId(user)) => format!("user {user}"),
        (Class::Application(number), _) => format!("application {number}"),
        (other, _) => panic!("{other:?}"),
    }
}

fn assert_every_byte_is_accounted_for(pages: &[Page], page_size: u32) {
    for (number, page) in (0..).zip(pages) {
        assert_eq!(page.address, number * page_size);
        let mut at = page.address;
        for piece in &page.pieces {
            assert!(piece.from == at && piece.to > at, "page {number}: {piece:?}");
            at = piece.to;
        }
        assert_eq!(at, page.address + page_size, "page {number}");
    }
}

/// The records with names and values, by state.
fn values(pages: &[Page], wanted: State) -> usize {
    let pieces = pages.iter().flat_map(|page| &page.pieces);
    pieces
        .filter(|piece| {
            matches!(piece.what, What::Record { kind, state, .. } if kind.is_value() && state == wanted)
        })
        .count()
}

/// Where records stand that open, or that need not.
fn places(pages: &[Page]) -> Vec<(u32, u32, RecordKind, Option<u8>)> {
    let pieces = pages.iter().flat_map(|page| &page.pieces);
    pieces
        .filter_map(|piece| match piece.what {
            What::Record { kind, slot, state } if state != State::Unopened => {
                Some((piece.from, piece.to, kind, slot))
            }
            _ => None,
        })
        .collect()
}

fn opened(image: &[u8]) -> Opened {
    Image::of(image).unwrap().open(&root_key(), LABEL).unwrap()
}

#[test]
fn every_byte_of_every_committed_image_is_accounted_for_and_live_is_what_the_store_holds() {
    for (path, bytes, listed) in vectors() {
        let image = Image::of(&bytes).unwrap();
        let size = image.layout().page_size;
        assert_every_byte_is_accounted_for(&image.pages(), size);
        let opened = image.open(&root_key(), LABEL).unwrap();
        assert_every_byte_is_accounted_for(&opened.pages, size);

        assert_eq!(opened.refusal, None, "{path}");
        let mut held: Vec<_> = opened
            .items
            .iter()
            .map(|item| {
                [
                    class_in_list(item.data),
                    item.name.clone(),
                    item.value_len.to_string(),
                ]
            })
            .collect();
        held.sort();
        let mut listed: Vec<_> = listed
            .into_iter()
            .map(|[class, name, value]| [class, name, (value.len() / 2).to_string()])
            .collect();
        listed.sort();
        assert_eq!(held, listed, "{path}");
        assert_eq!(values(&opened.pages, State::Live), opened.items.len(), "{path}");
    }
}

#[test]
fn without_a_key_kinds_and_places_of_records_show_as_they_do_with_it() {
    for (path, bytes, _) in vectors() {
        let image = Image::of(&bytes).unwrap();
        let with_key = image.open(&root_key(), LABEL).unwrap();
        let sealed = image.pages();
        let (seen, judged) = (places(&sealed), places(&with_key.pages));
        let missed: Vec<_> = judged.iter().filter(|record| !seen.contains(record)).collect();
        assert!(missed.is_empty(), "{path}: {missed:?}");
        for piece in sealed.iter().flat_map(|page| &page.pieces) {
            if let What::Record { state, .. } = piece.what {
                assert!(matches!(state, State::Sealed | State::Wiped), "{path}: {piece:?}");
            }
        }
    }
}

/// Two users, a setting, some values twice; then one of each is taken away.
fn used<P: Part>() -> P {
    let mut part = P::new(8 * 1024);
    let mut store = format(&mut part, 1);
    for round in [b'a', b'b'] {
        for user in [7, 8] {
            let user = DataClass::user(UserId(user));
            store
                .put_bytes(user, "pin", &[round; 40], &mut random(2))
                .unwrap();
        }
    }
    store
        .put_bytes(Class::Settings, "colour", b"red red red", &mut random(3))
        .unwrap();
    store
        .put_bytes(Class::Settings, "size", b"small", &mut random(3))
        .unwrap();
    drop(store);
    part
}

fn states_follow_what_was_done<P: Part>() {
    let mut part = used::<P>();
    let before = opened(part.image());
    // On overwritable media nothing that was superseded opens.
    let stale = if P::OVERWRITABLE { (0, 2) } else { (2, 0) };
    let of = |opened: &Opened| {
        let count = |state| values(&opened.pages, state);
        (count(State::Superseded), count(State::Wiped))
    };
    assert_eq!((values(&before.pages, State::Live), of(&before)), (4, stale));
    assert_eq!(values(&before.pages, State::Dead), 0);

    let mut store = mount(&mut part).unwrap();
    store.erase(UserId(7), &mut random(4)).unwrap();
    store
        .remove_bytes(Class::Settings, "size", &mut random(5))
        .unwrap();
    drop(store);
    let after = opened(part.image());
    assert_eq!(values(&after.pages, State::Live), 2);
    // The wiped version of the erased class is what it was; the sealed ones are dead.
    let dead = if P::OVERWRITABLE { 1 } else { 2 };
    assert_eq!(values(&after.pages, State::Dead), dead);
    let removed = usize::from(!P::OVERWRITABLE);
    assert_eq!(values(&after.pages, State::Removed), removed);
    let free_slots = after.classes.iter().filter(|class| class.data.is_none()).count();
    assert_eq!(free_slots, 1);
}

#[test]
fn states_follow_what_was_done_on_overwritable_flash() {
    states_follow_what_was_done::<Nor<4, 1024>>();
}

#[test]
fn states_follow_what_was_done_on_write_once_flash() {
    states_follow_what_was_done::<Ecc<8, 1024>>();
}

/// A power cut in the erasure of a user: the new key page is there, and the one before not erased yet. A mount would finish it.
fn with_both_key_pages() -> Nor<4, 1024> {
    let base = used::<Nor<4, 1024>>();
    let mut interrupted = None;
    for cut in 0.. {
        let mut part = base.clone();
        part.cut_after(cut);
        let is_done = mount(&mut part).is_ok_and(|mut store| store.erase(UserId(7), &mut random(4)).is_ok());
        if is_done {
            break;
        }
        let former = |page: &Page| page.role == Role::FormerKeys && page.generation.is_some();
        if opened(part.image()).pages.iter().any(former) {
            interrupted = Some(part);
        }
    }
    interrupted.expect("a cut leaves both key pages")
}

//= compliance/requirements.md#lab-1
//= type=test
//# Looking into an image MUST change nothing in it, and MUST give away no value but one that was asked for by its class and name.
#[test]
fn an_erasure_that_was_interrupted_is_shown_as_it_stands_and_only_the_value_asked_for_is_given() {
    let part = with_both_key_pages();
    let image = part.image().to_vec();

    let opened = opened(&image);

    let former_keys = opened.pages.iter().flat_map(|page| &page.pieces).filter(|piece| {
        matches!(
            piece.what,
            What::Record {
                kind: RecordKind::ClassKey,
                state: State::Former,
                ..
            }
        )
    });
    assert_eq!(
        former_keys.count(),
        5,
        "the erased user's key is still there to be seen"
    );
    assert!(opened.items.iter().all(|item| item.data.user_id() != UserId(7)));
    assert_eq!(image, part.image());

    let shown = format!("{opened:?}");
    assert!(shown.contains("colour") && !shown.contains("red red red"));
    let bytes = format!("{:?}", b"red red red");
    assert!(!shown.contains(bytes.trim_matches(['[', ']'])));
    let image = Image::of(&image).unwrap();
    let mut values = Vec::new();
    let show = |name, values: &mut Vec<Vec<u8>>| {
        image.show(&root_key(), LABEL, Class::Settings.into(), name, |value| {
            values.push(value.to_vec());
        })
    };
    show("colour", &mut values).unwrap();
    assert_eq!(values, [b"red red red"]);
    values.clear();
    assert_eq!(show("color", &mut values), Err(ShowError::NoSuchItem));
    assert!(values.is_empty());
}

/// An erase that was cut short can take the first record of a key page and leave the keys behind it.
#[test]
fn keys_behind_a_destroyed_first_record_are_shown_to_open() {
    let mut part = with_both_key_pages();
    let keys = |image: &[u8]| {
        let pages = opened(image).pages;
        let of_former = |piece: &&Piece| matches!(piece.what, What::Record { state: State::Former, kind, .. } if kind == RecordKind::ClassKey);
        let pieces = pages.iter().flat_map(|page| &page.pieces);
        pieces.filter(of_former).copied().collect::<Vec<_>>()
    };
    let before = keys(part.image());
    assert_eq!(before.len(), 5);
    let page = before[0].from as usize / 1024 * 1024;
    part.image_mut()[page + 12 + 40 + 30] ^= 1;
    assert_eq!(keys(part.image()), before);
}

/// Many lengths and cuts, so that the end that a torn header claims falls where a record could end.
#[test]
fn records_behind_a_torn_one_that_claims_their_place_are_seen_without_a_key_too() {
    let mut torn = 0;
    for len in (40..240).step_by(8) {
        for cut in [1, 3, 6] {
            for after in (8..72).step_by(8) {
                let mut part = Ecc::<8, 1024>::new(4 * 1024);
                let mut store = format(&mut part, 1);
                store
                    .put_bytes(Class::Settings, "first", b"1", &mut random(1))
                    .unwrap();
                Ecc::<8, 1024>::cut_in_store(&mut store, cut * 8);
                assert!(
                    store
                        .put_bytes(Class::Settings, "torn", &vec![7; len], &mut random(2))
                        .is_err()
                );
                drop(store);
                part.power_on();
                part.never_cut();
                let mut store = mount(&mut part).unwrap();
                store
                    .put_bytes(Class::Settings, "after", &vec![8; after], &mut random(3))
                    .unwrap();
                drop(store);
                let image = Image::of(part.image()).unwrap();
                let with_key = image.open(&root_key(), LABEL).unwrap();
                assert_eq!(values(&with_key.pages, State::Live), 2);
                let seen = places(&image.pages());
                for record in places(&with_key.pages) {
                    assert!(
                        seen.contains(&record),
                        "{len} bytes, cut at {cut}, then {after}: {record:?}"
                    );
                }
                let pieces = with_key.pages.iter().flat_map(|page| &page.pieces);
                torn += pieces.filter(|piece| piece.what == What::Unknown).count();
            }
        }
    }
    assert!(torn > 500, "{torn}");
}

#[test]
fn a_header_that_was_changed_to_claim_the_next_record_does_not_hide_it() {
    let mut part = used::<Ecc<8, 1024>>();
    let records: Vec<_> = places(&opened(part.image()).pages);
    let (first, next) = records
        .iter()
        .zip(&records[1..])
        .find(|((_, end, kind, _), (start, _, next, _))| kind.is_value() && next.is_value() && end == start)
        .unwrap();
    // Eleven bits of 4-byte steps; the step that is lost to the padding is made up for.
    let at = first.0 as usize;
    let steps = u32::from(part.image()[at]) + (next.1 - next.0) / 4;
    part.image_mut()[at] = steps.try_into().unwrap();

    let changed = opened(part.image());

    assert!(matches!(changed.refusal, Some(MountError::Damaged(_))));
    assert_eq!(
        values(&changed.pages, State::Opened),
        5,
        "all but the one whose header was changed"
    );
}

#[test]
fn a_store_that_does_not_mount_says_why_and_shows_what_opens() {
    let mut part = used::<Ecc<8, 1024>>();
    let pages = opened(part.image()).pages;
    let pieces = pages.iter().flat_map(|page| &page.pieces);
    let first = pieces
        .filter(|piece| {
            matches!(
                piece.what,
                What::Record {
                    kind: RecordKind::Value,
                    ..
                }
            )
        })
        .map(|piece| piece.from as usize)
        .next()
        .unwrap();
    part.image_mut()[first + 20] ^= 1;

    let opened = opened(part.image());

    assert_eq!(
        opened.refusal,
        Some(MountError::Damaged(first.try_into().unwrap()))
    );
    assert_eq!(values(&opened.pages, State::Opened), 5);
    assert_eq!(values(&opened.pages, State::Unopened), 1);
    assert_eq!(values(&opened.pages, State::Live), 0, "what is live is not known");
    assert_eq!(opened.items.len(), 4, "a salvage finds them");
    let mut shown = Vec::new();
    Image::of(part.image())
        .unwrap()
        .show(&root_key(), LABEL, Class::Settings.into(), "size", |value| {
            shown = value.to_vec();
        })
        .unwrap();
    assert_eq!(shown, b"small");
}

#[test]
fn the_wrong_root_key_or_label_opens_nothing() {
    let part = used::<Nor<4, 1024>>();
    let image = Image::of(part.image()).unwrap();
    let refused = image.open(&root_key(), "another").map(|_| ());
    assert_eq!(refused, Err(MountError::WrongRootKey));
}

#[test]
fn an_image_without_key_pages_is_read_with_the_sizes_that_are_given() {
    let mut part = used::<Ecc<16, 2048>>();
    let stated = Image::of(part.image()).unwrap().layout();
    part.image_mut()[..2 * 2048].fill(0xff);
    assert_eq!(
        Image::of(part.image()).map(|_| ()).unwrap_err(),
        ImageError::NoLayout
    );

    let image = Image::with_layout(part.image(), MediumKind::WriteOnce, 16, 2048).unwrap();
    assert_eq!(
        (image.layout().pages, image.layout().word),
        (stated.pages, stated.word)
    );
    assert_eq!(values(&image.pages(), State::Sealed), 6);
    for (word, page) in [(12, 2048), (16, 512), (16, 0), (16, u32::MAX), (0, 2048)] {
        let refused = Image::with_layout(part.image(), MediumKind::WriteOnce, word, page);
        assert_eq!(refused.map(|_| ()).unwrap_err(), ImageError::Layout);
    }
}

#[test]
fn a_newer_format_is_named() {
    let mut part = used::<Nor<4, 1024>>();
    for page in [0, 1] {
        part.image_mut()[page * 1024 + 12 + 8] = 9;
    }
    assert_eq!(
        Image::of(part.image()).map(|_| ()).unwrap_err(),
        ImageError::NewerFormat(9)
    );
}

#[test]
fn an_image_that_ends_early_is_shown_as_far_as_it_goes() {
    let part = used::<Nor<4, 1024>>();
    let bytes = &part.image()[..5 * 1024 + 500];
    let image = Image::of(bytes).unwrap();
    let pages = image.pages();
    assert_every_byte_is_accounted_for(&pages, 1024);
    let missing: u32 = pages
        .iter()
        .flat_map(|page| &page.pieces)
        .filter(|piece| piece.what == What::Missing)
        .map(|piece| piece.to - piece.from)
        .sum();
    assert_eq!(missing, 3 * 1024 - 500);
    let opened = image.open(&root_key(), LABEL).unwrap();
    assert_every_byte_is_accounted_for(&opened.pages, 1024);
}

#[test]
fn no_image_makes_it_panic_however_broken() {
    let mut source = random(20);
    let mut looked_into = 0;
    let mut look = |bytes: &[u8]| {
        if let Ok(image) = Image::of(bytes) {
            assert_every_byte_is_accounted_for(&image.pages(), image.layout().page_size);
            if let Ok(opened) = image.open(&root_key(), LABEL) {
                assert_every_byte_is_accounted_for(&opened.pages, image.layout().page_size);
                looked_into += 1;
            }
            let _ = image.show(&root_key(), LABEL, Class::Settings.into(), "colour", |_| {});
        }
        for kind in [MediumKind::Overwritable, MediumKind::WriteOnce] {
            if let Ok(image) = Image::with_layout(bytes, kind, 4, 1024) {
                assert_every_byte_is_accounted_for(&image.pages(), 1024);
                let _ = image.open(&root_key(), LABEL);
            }
        }
    };
    for base in [
        used::<Nor<4, 1024>>().image().to_vec(),
        used::<Ecc<8, 1024>>().image().to_vec(),
    ] {
        for _ in 0..60 {
            let mut flipped = base.clone();
            for _ in 0..=source.next_u32() % 4 {
                let at = source.next_u32() as usize % flipped.len();
                flipped[at] ^= 1 << (source.next_u32() % 8);
            }
            look(&flipped);
            let end = source.next_u32() as usize % base.len();
            look(&base[..end]);
        }
        for _ in 0..20 {
            // Random behind a genuine beginning, so that it is not refused at once.
            let mut noise = base.clone();
            let from = source.next_u32() as usize % noise.len();
            source.fill_bytes(&mut noise[from..]);
            look(&noise);
        }
    }
    for len in [0, 1, 3, 40, 1024, 4096, 4099] {
        let mut noise = vec![0; len];
        look(&noise);
        source.fill_bytes(&mut noise);
        look(&noise);
        noise.fill(0xff);
        look(&noise);
    }
    assert!(looked_into > 50, "{looked_into}");
}

/// Long histories with cuts in every tear model: the records that a search opens which shares no code with the store, and believes
/// nothing, are those that are said to open.
fn two_opinions<P: Part>() {
    let mut source = random(30);
    let (mut compared, mut stale) = (0, 0);
    for tear in tears::<P>() {
        let mut part = P::new(8 * 1024);
        drop(format(&mut part, 1));
        for round in 0..60_u16 {
            part.set_tear(tear.0, tear.1, round.into());
            part.cut_after(u64::from(source.next_u32() % 900));
            if let Ok(mut store) = mount(&mut part) {
                for _ in 0..12 {
                    let [kind, class, key, fill] = source.next_u32().to_le_bytes();
                    let operation = match kind % 16 {
                        0 => Operation::EraseClass { class: class % 5 },
                        1 | 2 => Operation::Remove {
                            class: class % 5,
                            key: key % 4,
                        },
                        3 => Operation::Maintain { steps: 2 },
                        _ => Operation::Put {
                            class: class % 5,
                            key: key % 4,
                            len: u16::from(fill % 60) + 1,
                            fill,
                        },
                    };
                    operation.run(&mut store, &mut source);
                }
            }
            part.power_on();
            part.never_cut();

            let image = part.image();
            let Ok(read) = Image::of(image) else { continue };
            let Ok(opened) = read.open(&root_key(), LABEL) else {
                continue;
            };
            let searched: BTreeSet<_> = forensics::scan(image, &ROOT, LABEL.as_bytes())
                .records
                .iter()
                .map(|record| record.address)
                .collect();
            let pieces = || opened.pages.iter().flat_map(|page| &page.pieces);
            let opens = |what| match what {
                What::Record { kind, state, .. } => {
                    let opens = [State::Live, State::Superseded, State::Removed, State::Unaccepted];
                    kind.is_value() && opens.contains(&state)
                }
                _ => false,
            };
            let said: BTreeSet<_> = pieces()
                .filter(|piece| opens(piece.what))
                .map(|piece| piece.from as usize)
                .collect();
            if opened.refusal.is_none() {
                let only = |one: &BTreeSet<usize>, other: &BTreeSet<usize>| {
                    one.difference(other)
                        .map(|at| format!("{at:x}"))
                        .collect::<Vec<_>>()
                };
                assert_eq!(
                    (only(&searched, &said), only(&said, &searched)),
                    (Vec::new(), Vec::new()),
                    "{tear:?}, round {round}: searched only, said only; {:?}",
                    pieces()
                        .filter(|piece| searched.contains(&(piece.from as usize)) != opens(piece.what))
                        .collect::<Vec<_>>()
                );
                compared += 1;
                stale += said.len() - values(&opened.pages, State::Live);
            }
            assert!(mount(&mut part).is_ok(), "the history goes on");
        }
    }
    // Where words are overwritten, nothing is stale but what a cut kept from it.
    let enough = if P::OVERWRITABLE { 1 } else { 1000 };
    assert!(
        compared > 200 && stale >= enough,
        "{compared} compared, {stale} stale"
    );
}

#[test]
fn a_search_that_believes_nothing_opens_what_is_said_to_open_on_overwritable_flash() {
    two_opinions::<Nor<4, 1024>>();
}

#[test]
fn a_search_that_believes_nothing_opens_what_is_said_to_open_on_write_once_flash() {
    two_opinions::<Ecc<8, 1024>>();
}
