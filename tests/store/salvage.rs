//! What is got out of a damaged store: everything that still authenticates, and where something is missing.

use crate::drivers as support_drivers;
use crate::forensics;
use crate::support;

use std::collections::{BTreeMap, BTreeSet};

use bydesign::flash::WriteOnce;
use bydesign::secret::RootKey;
use bydesign::store::{Class, MountError, Salvage, Salvaged, Store};
use support::operation::{Operation, Outcome, commit, put};
use support::{
    Ecc, LABEL, Memory, Model, Nor, Part, ROOT, class, format, mount, random, root_key, second_cuts, tears,
};
use support_drivers::{Glitch, Shared};

/// What a salvage gave.
#[derive(Debug, Default, PartialEq, Eq)]
struct Rescued {
    items: BTreeMap<(u8, String), (Vec<u8>, bool)>,
    gaps: Vec<(u32, u32)>,
    lost: Vec<u8>,
}

/// Salvages, and checks that the counts are right and nothing was written.
fn salvage<P: Part>(part: &mut P) -> Result<Rescued, MountError> {
    let before = part.image().to_vec();
    let mut rescued = Rescued::default();
    let counts = Store::salvage(
        part.medium(),
        Memory::new(),
        &root_key(),
        LABEL,
        |found| match found {
            Salvage::Item {
                data,
                name,
                value,
                is_latest,
            } => {
                let number = (0..5)
                    .find(|&number| class(number) == data)
                    .expect("a class of ours");
                let item = (number, name.to_owned());
                let twice = rescued.items.insert(item, (value.to_vec(), is_latest));
                assert!(twice.is_none(), "{name} is shown twice");
            }
            Salvage::Gap { from, to } => rescued.gaps.push((from, to)),
            Salvage::LostClass { slot } => rescued.lost.push(slot),
            other => panic!("{other:?}"),
        },
    );
    assert!(part.image() == before.as_slice(), "nothing is written");
    let counts: Salvaged = counts?;
    assert_eq!(
        (counts.items, counts.gaps, counts.lost_classes),
        (rescued.items.len(), rescued.gaps.len(), rescued.lost.len())
    );
    Ok(rescued)
}

/// A store written around its ring, its contents, and every value that an item ever had.
struct History<P> {
    part: P,
    model: Model,
    ever: BTreeMap<(u8, String), BTreeSet<Vec<u8>>>,
}

fn history<P: Part>(capacity: usize) -> History<P> {
    let mut part = P::new(capacity);
    let mut store = format(&mut part, 1);
    let mut source = random(2);
    let (mut model, mut ever) = (Model::new(), BTreeMap::<_, BTreeSet<_>>::new());
    for round in 0..150u8 {
        let operation = match round % 13 {
            5 => Operation::Remove { class: 1, key: 2 },
            7 | 8 => commit(round % 4, round % 8, 40, round),
            12 if round > 100 => Operation::EraseClass { class: 4 },
            _ => put(round % 5, round % 7, 30 + u16::from(round) % 50, round),
        };
        if operation.run(&mut store, &mut source) == Outcome::Done {
            model = operation.apply(&model);
        }
        for (item, value) in &model {
            ever.entry(item.clone()).or_default().insert(value.clone());
        }
        if round % 40 == 39 {
            drop(store);
            store = mount(&mut part).expect("mounts");
        }
    }
    drop(store);
    History { part, model, ever }
}

impl<P: Part> History<P> {
    /// Gives how many items are missing or shown with an earlier value, after checking that no value is wrong.
    #[track_caller]
    fn missing(&self, rescued: &Rescued, context: &str) -> usize {
        for (item, (value, is_latest)) in &rescued.items {
            let known = self.ever.get(item).is_some_and(|ever| ever.contains(value));
            assert!(known, "{context}: {item:?} never had this value");
            if *is_latest {
                let latest = self.model.get(item);
                assert_eq!(
                    latest,
                    Some(value),
                    "{context}: {item:?} is said to be the latest"
                );
            }
        }
        let is_there = |item: &(u8, String), value: &Vec<u8>| {
            let found = rescued.items.get(item);
            found.is_some_and(|(found, _)| found == value)
        };
        self.model
            .iter()
            .filter(|(item, value)| !is_there(item, value))
            .count()
    }
}

/// Whether a byte lies in the first record of a log page of 1 KiB, or in a Session record: a salt opens what stands behind it.
fn is_in_a_salt(image: &[u8], byte: usize) -> bool {
    let (page, offset) = (byte / 1024, byte % 1024);
    let is_session = |at: usize| {
        let word = image[page * 1024 + at..][..4].try_into().expect("four bytes");
        let word = u32::from_le_bytes(word);
        let salt_at = (word >> 17 & 0x3ff) as usize;
        word >> 27 == 2 && [4, 8].iter().any(|unit| salt_at * unit == at)
    };
    offset < 104 || (offset.saturating_sub(88)..=offset).any(|at| at % 4 == 0 && is_session(at))
}

/// Whether a word may be the header of a record of the log that is not long.
fn is_like_a_header(image: &[u8], at: usize) -> bool {
    let word = u32::from_le_bytes(image[at..][..4].try_into().expect("four bytes"));
    (3..16).contains(&(word >> 27)) && word & 0x7ff < 64
}

//= compliance/requirements.md#store-33
//= type=test
//# A salvage MUST write nothing, MUST return nothing that does not authenticate, and MUST say where something does not read.
#[test]
fn an_undamaged_store_is_given_whole_and_without_gaps() {
    fn check<P: Part>() {
        let mut history = history::<P>(10 * 1024);
        let rescued = salvage(&mut history.part).expect("salvages");
        assert_eq!(history.missing(&rescued, "undamaged"), 0);
        assert_eq!(rescued.items.len(), history.model.len());
        assert!(rescued.items.values().all(|(_, is_latest)| *is_latest));
        assert_eq!((rescued.gaps, rescued.lost), (vec![], vec![]));
    }
    check::<Nor<4, 1024>>();
    check::<Ecc<8, 1024>>();
    check::<Ecc<32, 256>>();
}

#[test]
fn a_flipped_bit_anywhere_in_the_log_costs_at_most_its_record() {
    fn check<P: Part>() {
        let history = history::<P>(10 * 1024);
        let size = history.part.image().len();
        let (mut refused, mut cost, mut said) = (0, 0, 0);
        // Every so often one, and the six in each header that say which class the record is of.
        let classes = (2 * 1024..size)
            .step_by(4)
            .filter(|&at| is_like_a_header(history.part.image(), at))
            .flat_map(|at| at * 8 + 11..at * 8 + 17);
        for bit in (2 * 1024 * 8..size * 8).step_by(11).chain(classes) {
            let mut part = P::of_image(history.part.image());
            part.image_mut()[bit / 8] ^= 1 << (bit % 8);
            let context = format!("bit {bit}");
            let rescued = salvage(&mut part).unwrap_or_else(|error| panic!("{context}: {error}"));
            let missing = history.missing(&rescued, &context);
            // A transaction is one write: its records do not count without its Commit. A salt opens what stands under it.
            let salt = is_in_a_salt(history.part.image(), bit / 8);
            assert!(missing <= 3 || salt, "{context}: {missing} items are missing");
            assert!(
                missing == 0 || !rescued.gaps.is_empty(),
                "{context}: it is said where"
            );
            cost = cost.max(missing);
            said += u32::from(!rescued.gaps.is_empty());
            refused += u32::from(mount(&mut part).is_err());
        }
        assert!(
            refused > 500 && said > 500 && cost > 0,
            "{refused} refused, {said} said"
        );
    }
    check::<Nor<4, 1024>>();
    check::<Ecc<8, 1024>>();
}

#[test]
fn a_dead_page_costs_what_stood_on_it() {
    fn check<P: Part>() {
        let history = history::<P>(10 * 1024);
        let mut refused = 0;
        for page in 2..10 {
            for fill in [0xff, 0x00, 0x5a] {
                let mut part = P::of_image(history.part.image());
                part.image_mut()[page * 1024..(page + 1) * 1024].fill(fill);
                let context = format!("page {page} full of {fill:02x}");
                // Blanked, the newest page is a log that was cut back: only a counter tells. A free page costs nothing.
                if mount(&mut part).is_ok() {
                    continue;
                }
                let rescued = salvage(&mut part).unwrap_or_else(|error| panic!("{context}: {error}"));
                let missing = history.missing(&rescued, &context);
                // What an independent finder no longer finds stood on that page.
                let findings = forensics::scan(part.image(), &ROOT, LABEL.as_bytes());
                let gone =
                    |((_, name), value): &(&(u8, String), &Vec<u8>)| !findings.holds(name.as_bytes(), value);
                let on_page = history.model.iter().filter(gone).count();
                assert!(
                    missing <= on_page,
                    "{context}: {missing} missing, {on_page} on the page"
                );
                assert!(
                    missing == 0 || !rescued.gaps.is_empty(),
                    "{context}: it is said where"
                );
                refused += 1;
            }
        }
        assert!(refused >= 9, "{refused} refused by the mount");
    }
    check::<Nor<4, 1024>>();
    check::<Ecc<8, 1024>>();
}

#[test]
fn a_damaged_class_key_costs_its_class() {
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    let mut store = format(&mut part, 1);
    for (class, name) in [(Class::Identity, "i"), (Class::Settings, "s"), (Class::User, "u")] {
        store
            .put_bytes(class, name, name.as_bytes(), &mut random(1))
            .unwrap();
    }
    drop(store);
    let intact = salvage(&mut part).expect("salvages");
    assert_eq!(intact.items.len(), 3);
    let mut lost = BTreeSet::new();
    for byte in 0..1024 {
        let mut damaged = part.clone();
        damaged.image_mut()[byte] ^= 4;
        let Ok(rescued) = salvage(&mut damaged) else {
            continue;
        };
        if rescued.lost.is_empty() {
            assert_eq!(rescued.items, intact.items, "byte {byte}");
        } else {
            assert_eq!((rescued.items.len(), rescued.lost.len()), (2, 1), "byte {byte}");
            lost.insert(rescued.lost[0]);
        }
    }
    assert_eq!(lost, BTreeSet::from([0, 1, 2]));
}

#[test]
fn an_erased_class_is_not_given_whatever_is_damaged() {
    let mut history = history::<Ecc<8, 1024>>(10 * 1024);
    let mut store = mount(&mut history.part).unwrap();
    store.erase(Class::User, &mut random(5)).unwrap();
    drop(store);
    for bit in (0..10 * 1024 * 8).step_by(97) {
        let mut part = history.part.clone();
        part.image_mut()[bit / 8] ^= 1 << (bit % 8);
        if let Ok(rescued) = salvage(&mut part) {
            let of_users = |(class, _): &&(u8, String)| [2, 3].contains(class);
            assert_eq!(rescued.items.keys().filter(of_users).count(), 0, "bit {bit}");
        }
    }
}

#[test]
fn another_root_key_salvages_nothing() {
    let mut history = history::<Nor<4, 1024>>(10 * 1024);
    let other = RootKey::new(*b"another key, of thirty-two bytes").unwrap();
    let medium = history.part.medium();
    let refused = Store::salvage(medium, Memory::new(), &other, LABEL, |_| {
        panic!("nothing is found")
    });
    assert_eq!(refused, Err(MountError::WrongRootKey));
}

/// The bytes of the log that differ between two images.
fn changed(before: &[u8], after: &[u8]) -> std::ops::Range<usize> {
    let differs = |at: &usize| before[*at] != after[*at];
    let first = (2048..after.len()).find(differs).expect("something was written");
    let last = (2048..after.len()).rfind(differs).expect("something was written");
    first / 8 * 8..(last + 1).next_multiple_of(8)
}

#[test]
fn an_earlier_key_page_brings_no_erased_class_back() {
    let mut part = Ecc::<8, 1024>::new(8 * 1024);
    let mut store = format(&mut part, 1);
    store
        .put_bytes(Class::User, "diary", b"of the first owner", &mut random(1))
        .unwrap();
    drop(store);
    let before = part.image().to_vec();
    let mut store = mount(&mut part).unwrap();
    store.erase(Class::User, &mut random(2)).unwrap();
    store
        .put_bytes(Class::Settings, "s", b"of the second", &mut random(3))
        .unwrap();
    drop(store);
    part.image_mut()[..2048].copy_from_slice(&before[..2048]);
    assert_eq!(mount(&mut part).map(drop), Err(MountError::Inconsistent));
    assert_eq!(salvage(&mut part), Err(MountError::Inconsistent));
}

/// Goes on with a store: puts before a change of its keys, and behind it.
fn continued<P: Part>(base: &P, seed: u8, puts: [u8; 2]) -> (P, Model) {
    let mut part = base.clone();
    let mut store = mount(&mut part).unwrap();
    let source = &mut random(seed.into());
    for (at, count) in puts.into_iter().enumerate() {
        for number in 0..count {
            let name = format!("{at}-{}", number % 9);
            store
                .put_bytes(Class::Settings, &name, &[seed; 40], source)
                .unwrap();
        }
        if at == 0 {
            store.erase(Class::User, source).unwrap();
        }
    }
    let model = support::contents(&mut store);
    drop(store);
    (part, model)
}

#[test]
fn a_key_page_of_another_history_hides_nothing_without_a_word() {
    fn check<P: Part>() {
        let mut base = P::new(8 * 1024);
        let mut store = format(&mut base, 1);
        for name in ["a", "b"] {
            store
                .put_bytes(Class::User, name, b"to be erased", &mut random(1))
                .unwrap();
            store
                .put_bytes(Class::Identity, name, b"to stay", &mut random(1))
                .unwrap();
        }
        drop(store);
        let counts = [0, 1, 2, 7, 20];
        let all = || {
            counts
                .into_iter()
                .flat_map(|before| counts.map(|behind| [before, behind]))
        };
        let (mut refused, mut told) = (0, 0);
        for ours in all() {
            let (part, model) = continued(&base, 5, ours);
            for theirs in all().chain([[u8::MAX; 2]]) {
                let mut part = part.clone();
                // The last is the one from before both.
                let keys = if theirs[0] == u8::MAX {
                    base.clone()
                } else {
                    continued(&base, 6, theirs).0
                };
                part.image_mut()[..2048].copy_from_slice(&keys.image()[..2048]);
                let context = format!("the log of {ours:?}, the keys of {theirs:?}");
                // Nothing behind the change of the keys, or no change: an image of an earlier moment, to which nobody can object.
                let mounted = mount(&mut part.clone()).map(|mut store| support::contents(&mut store));
                let is_earlier = ours[1] == 0 && (theirs[0] == u8::MAX || ours[0] == 0 && theirs[0] == 0);
                assert_eq!(mounted.is_ok(), is_earlier, "{context}");
                match (mounted, salvage(&mut part)) {
                    (mounted, Err(error)) => {
                        assert_eq!(error, MountError::Inconsistent, "{context}");
                        assert!(mounted.is_err(), "{context}");
                        refused += 1;
                    }
                    (Ok(model), Ok(rescued)) => {
                        let latest = rescued.items.into_iter().map(|(item, (value, is_latest))| {
                            assert!(is_latest, "{context}: {item:?}");
                            (item, value)
                        });
                        assert_eq!(latest.collect::<Model>(), model, "{context}");
                    }
                    (Err(_), Ok(rescued)) => {
                        for (item, (value, is_latest)) in &rescued.items {
                            let known = model.get(item) == Some(value);
                            assert!(
                                known || !is_latest,
                                "{context}: {item:?} is said to be the latest"
                            );
                        }
                        assert!(!rescued.gaps.is_empty(), "{context}: not a word");
                        told += 1;
                    }
                }
            }
        }
        assert!(refused > 50 && told > 50, "{refused} refused, {told} told");
    }
    check::<Nor<4, 1024>>();
    check::<Ecc<8, 1024>>();
}

#[test]
fn a_write_that_was_never_accepted_is_not_given() {
    let mut part = Ecc::<8, 1024>::new(8 * 1024);
    let mut store = format(&mut part, 1);
    store
        .put_bytes(Class::User, "k", b"acknowledged", &mut random(1))
        .unwrap();
    drop(store);
    let script = Shared::default();
    script.borrow_mut().after = true;
    let medium = WriteOnce::new(Glitch(&mut part.0, script.clone()));
    let mut store = Store::mount(medium, Memory::new(), &root_key(), LABEL).unwrap();
    // The Session record is written, and the value; then the driver reports an error.
    script.borrow_mut().fail(2, 1, 1);
    store
        .put_bytes(Class::User, "k", b"not accepted", &mut random(2))
        .unwrap_err();
    store
        .put_bytes(Class::User, "later", b"l", &mut random(3))
        .unwrap();
    drop(store);
    let item = (2, "k".to_owned());
    assert_eq!(
        support::contents(&mut mount(&mut part).unwrap())[&item],
        b"acknowledged"
    );
    let rescued = salvage(&mut part).unwrap();
    assert_eq!(rescued.items[&item], (b"acknowledged".to_vec(), true));
    assert_eq!(rescued.gaps, []);
}

#[test]
fn a_removal_that_was_blanked_is_missed_wherever_it_stood() {
    for later in 0..3 {
        let mut part = Ecc::<8, 1024>::new(8 * 1024);
        let mut store = format(&mut part, 1);
        store
            .put_bytes(Class::User, "gone", b"removed", &mut random(1))
            .unwrap();
        // What keeps the page in the log.
        store
            .put_bytes(Class::User, "stays", b"s", &mut random(1))
            .unwrap();
        drop(store);
        let before = part.image().to_vec();
        let mut store = mount(&mut part).unwrap();
        store.remove_bytes(Class::User, "gone", &mut random(2)).unwrap();
        drop(store);
        let removal = changed(&before, part.image());
        let mut store = mount(&mut part).unwrap();
        match later {
            // in the same page, in the next one, and on the key page only
            0 => store
                .put_bytes(Class::User, "later", b"l", &mut random(3))
                .unwrap(),
            1 => (0..12).for_each(|n| {
                let value = [n; 90];
                store
                    .put_bytes(Class::User, "later", &value, &mut random(3))
                    .unwrap();
            }),
            _ => store.erase(Class::Settings, &mut random(3)).unwrap(),
        }
        drop(store);
        part.image_mut()[removal].fill(0xff);
        assert!(mount(&mut part).is_err(), "{later}");
        let rescued = salvage(&mut part).unwrap();
        let latest = rescued
            .items
            .get(&(2, "gone".to_owned()))
            .is_some_and(|(_, is_latest)| *is_latest);
        assert!(!latest, "{later}: {rescued:?}");
        assert!(!rescued.gaps.is_empty(), "{later}");
    }
}

#[test]
fn what_a_mount_misses_a_salvage_misses_too() {
    fn check<P: Part>() {
        let history = history::<P>(10 * 1024);
        let mut silent = Vec::new();
        for from in (2 * 1024..10 * 1024_usize).step_by(4) {
            let page_end = (from / 1024 + 1) * 1024;
            let header = history.part.image()[from..][..4].try_into().expect("four bytes");
            let header = u32::from_le_bytes(header);
            // Zeros behind the header of a value, as if it were superseded; or everything blank to the end of the page.
            let body_end = from + 28 + (header & 0x7ff) as usize * 4;
            let is_value = [3, 6].contains(&(header >> 27)) && body_end <= page_end;
            for (from, to, byte) in [(from + 4, body_end, 0), (from, page_end, 0xff)] {
                if byte == 0 && !is_value {
                    continue;
                }
                let mut part = P::of_image(history.part.image());
                part.image_mut()[from..to].fill(byte);
                if mount(&mut part).is_ok() {
                    continue;
                }
                let context = format!("{from:#x} to {to:#x} {byte:02x}");
                let rescued = salvage(&mut part).unwrap_or_else(|error| panic!("{context}: {error}"));
                if history.missing(&rescued, &context) > 0 && rescued.gaps.is_empty() {
                    silent.push(context);
                }
            }
        }
        assert_eq!(silent, [""; 0]);
    }
    check::<Nor<4, 1024>>();
    check::<Ecc<8, 1024>>();
}

#[test]
fn staged_headers_without_a_commit_keep_a_salvage_no_longer_busy() {
    const PAGE: usize = 64 * 1024;
    let mut part = Nor::<4, PAGE>::new(4 * PAGE);
    drop(format(&mut part, 1));
    let staged_value = 6u32 << 27 | 1 << 11 | 1;
    for at in (2 * PAGE + 96..3 * PAGE).step_by(4) {
        part.image_mut()[at..at + 4].copy_from_slice(&staged_value.to_le_bytes());
    }
    let mut part = Nor::<4, PAGE>::of_image(part.image());
    salvage(&mut part).unwrap();
    let turns = part.0.counters().bytes_read / (4 * PAGE as u64);
    assert!(turns < 12, "reads {turns} times the part");
}

#[test]
fn what_is_found_is_not_printed() {
    let found = Salvage::Item {
        data: Class::User.into(),
        name: "hunted",
        value: b"secret",
        is_latest: true,
    };
    let printed = format!("{found:?} {found:#?}");
    assert!(
        !printed.contains("hunted") && !printed.contains("115"),
        "{printed}"
    );
}

/// What is done with a device in the field: everything that is got out of its damaged store goes into a new one.
type Kept = BTreeMap<(u8, String), Vec<u8>>;

/// Eight items, in a store that does not mount any more: a log page in the middle has lost bits.
fn damaged<P: Part>() -> P {
    let mut part = P::new(6 * 1024);
    let mut store = format(&mut part, 1);
    for key in 0..32u8 {
        let operation = put(key % 4, key % 8, 24, key);
        assert_eq!(operation.run(&mut store, &mut random(2)), Outcome::Done);
    }
    drop(store);
    // Not where a salt stands, which would cost most of them.
    let mut damaged = (2 * 1024..6 * 1024).map(|byte| {
        let mut tried = P::of_image(part.image());
        tried.image_mut()[byte] ^= 1;
        tried
    });
    let is_worth_it =
        |tried: &mut P| mount(tried).is_err() && salvage(tried).is_ok_and(|rescued| rescued.items.len() > 5);
    damaged
        .find_map(|mut tried| is_worth_it(&mut tried).then_some(tried))
        .expect("a changed record is noticed and costs little")
}

/// Gives how many puts returned.
fn put_back<P: Part>(part: &mut P, kept: &Kept, seed: u64) -> usize {
    let mut source = random(seed);
    let store = Store::format_erasing(part.medium(), Memory::new(), &root_key(), LABEL, &mut source);
    let Ok(mut store) = store else { return 0 };
    let mut put_back = |((number, name), value): (&(u8, String), &Vec<u8>)| {
        store.put_bytes(class(*number), name, value, &mut source).is_ok()
    };
    kept.iter().take_while(|item| put_back(*item)).count()
}

fn cut_rescue<P: Part>() {
    let base = damaged::<P>();
    let mut part = base.clone();
    part.cut_after(0);
    let begun = part.events();
    let rescued = salvage(&mut part).expect("salvages");
    assert!(
        !part.is_off() && part.events() == begun,
        "a salvage programs and erases nothing"
    );
    assert!(!rescued.gaps.is_empty(), "it says that there is damage");
    let kept: Kept = (rescued.items.into_iter())
        .map(|(item, (value, _))| (item, value))
        .collect();
    assert!(kept.len() > 5, "{}", kept.len());
    // A cut may come before anything is erased, and then it is still the damaged one.
    let check = |part: &mut P, back: usize, context: &str| match mount(part) {
        Ok(mut store) => {
            let found = support::contents(&mut store);
            let is_first = kept.iter().take(found.len()).eq(found.iter());
            assert!(is_first && found.len() >= back, "{context}: {back} of {found:?}");
        }
        Err(error) => assert_eq!(back, 0, "{context}: {error}"),
    };
    let finish = |part: &mut P, seed: u64, context: &str| {
        let begun = part.events();
        assert_eq!(put_back(part, &kept, seed), kept.len(), "{context}");
        let events = part.events() - begun;
        assert_eq!(
            support::contents(&mut mount(part).expect("mounts")),
            kept,
            "{context}"
        );
        events
    };
    let events = finish(&mut base.clone(), 3, "uncut");
    let mut cuts = 0;
    for tear in tears::<P>() {
        for first in 0..events {
            let context = format!("{tear:?}, cut at {first} of {events}");
            let mut part = base.clone();
            part.set_tear(tear.0, tear.1, first);
            part.cut_after(first);
            let back = put_back(&mut part, &kept, 3);
            assert!(part.is_off(), "{context}: the cut must come");
            part.power_on();
            cuts += 1;
            check(&mut part.clone(), back, &context);
            let again = finish(&mut part.clone(), 4, &context);
            for second in second_cuts(first, again, 512, 997) {
                let context = format!("{context}, then at {second} of {again}");
                let mut part = part.clone();
                part.cut_after(second);
                let back = put_back(&mut part, &kept, 4);
                assert!(part.is_off(), "{context}: the cut must come");
                part.power_on();
                cuts += 1;
                check(&mut part.clone(), back, &context);
                finish(&mut part, 5, &context);
            }
        }
    }
    println!("{cuts} cuts");
    assert!(cuts > 5_000, "{cuts}");
}

#[test]
fn what_was_salvaged_is_put_into_a_new_store_whatever_is_cut_on_overwritable_flash() {
    cut_rescue::<Nor<4, 1024>>();
}

#[test]
fn what_was_salvaged_is_put_into_a_new_store_whatever_is_cut_on_write_once_flash() {
    cut_rescue::<Ecc<8, 1024>>();
}
