//! Stores that keep checkpoints: a mount reads little, and shows what a mount of the whole log shows.

use crate::forensics;
use crate::support;

use std::ops::Range;

use bydesign::flash::simulator::{EraseTear, ProgramTear};
use bydesign::store::{
    AnchorPolicy, Change, Class, Memory as StoreMemory, MountError, Ram, ReadError, Salvage, Store,
};
use chacha20::rand_core::Rng;
use support::operation::{Operation, Outcome, commit, put};
use support::register::Register;
use support::{Ecc, LABEL, Memory, Model, Part, contents, format, mount, random, root_key};

type Small = Ecc<8, 1024>;

/// A store that keeps checkpoints, and what is in it.
fn begun(capacity: usize, seed: u64) -> (Small, Model) {
    let mut part = Small::new(capacity);
    let mut store = format(&mut part, seed);
    store.keep_checkpoints(&mut random(seed)).unwrap();
    let mut model = Model::new();
    // Some that are never changed.
    for key in 6..12 {
        let operation = put(key % 3, key, 50, key);
        assert_eq!(operation.run(&mut store, &mut random(seed)), Outcome::Done);
        model = operation.apply(&model);
    }
    drop(store);
    (part, model)
}

/// Does some of what applications do.
fn go_on(part: &mut Small, model: &mut Model, numbers: Range<u32>, seed: u64) {
    let mut dice = random(seed);
    let mut store = mount(part).unwrap();
    for number in numbers {
        let [class, key, fill] = [0, 1, 2].map(|_| dice.next_u32().to_le_bytes()[0]);
        let operation = match number % 23 {
            7 => Operation::Remove {
                class: class % 3,
                key: key % 6,
            },
            15 => commit(class % 2, key % 6, 30, fill),
            _ => put(class % 3, key % 6, 20 + u16::from(fill % 30), fill),
        };
        match operation.run(&mut store, &mut random(u64::from(number))) {
            Outcome::Done => *model = operation.apply(model),
            Outcome::Refused => {}
            Outcome::Cut => panic!("{operation:?}"),
        }
    }
}

/// Bytes that a mount reads.
fn read_by_mount(part: &Small) -> u64 {
    let mut part = part.clone();
    part.0.reset_counters();
    let store = mount(&mut part).unwrap();
    drop(store);
    part.0.counters().bytes_read
}

#[test]
fn a_mount_shows_what_is_stored_wherever_the_log_stands_and_reads_less_than_the_log() {
    let (mut part, mut model) = begun(32 * 1024, 1);
    let (mut most, mut sum) = (0, 0);
    for round in 0..400 {
        go_on(&mut part, &mut model, round * 5..round * 5 + 5, u64::from(round));
        let mut clone = part.clone();
        assert_eq!(contents(&mut mount(&mut clone).unwrap()), model, "round {round}");
        if round > 100 {
            most = most.max(read_by_mount(&part));
            sum += read_by_mount(&part);
        }
    }
    let (mut plain, mut same) = (Small::new(32 * 1024), Model::new());
    drop(format(&mut plain, 1));
    for round in 0..100 {
        go_on(&mut plain, &mut same, round * 5..round * 5 + 5, u64::from(round));
    }
    let whole = read_by_mount(&plain);
    assert!(
        most < whole && sum / 300 < whole / 2,
        "{most} at most, {whole} without"
    );
}

#[test]
fn a_mount_reads_as_much_of_a_part_that_is_eight_times_as_large() {
    let most = [32 * 1024, 256 * 1024].map(|capacity| {
        let (mut part, mut model) = begun(capacity, 1);
        go_on(&mut part, &mut model, 0..8_000, 1);
        (0..40_u32)
            .map(|round| {
                go_on(&mut part, &mut model, round * 3..round * 3 + 3, 2);

                read_by_mount(&part)
            })
            .max()
            .unwrap()
    });
    let [small, large] = most;
    // But for what tells where the log's last page is.
    assert!(large < small + 224 * 200, "{small} and {large}");
}

/// Most bytes that a mount reads at 24 moments, each some updates of items of 64 bytes after the one before.
fn most_read<I: StoreMemory + Default>(capacity: usize, items: u32, batch: u32, upkeep: usize) -> u64 {
    let mut part = Ecc::<4, 4096>::new(capacity);
    let mut random = random(1);
    let store = Store::format(part.medium(), I::default(), &root_key(), LABEL, &mut random);
    store.unwrap().keep_checkpoints(&mut random).unwrap();
    // Once round, so that no page is blank that was not erased.
    let mut updates = u32::try_from(capacity).unwrap() / 80;
    let mut most = 0;
    for _ in 0..24 {
        let mut store = Store::mount(part.medium(), I::default(), &root_key(), LABEL).unwrap();
        for _ in 0..updates / batch {
            let first = random.next_u32();
            let names: Vec<String> = (0..batch)
                .map(|number| (first % items + number) % items)
                .map(|item| format!("k-{item:03}"))
                .collect();
            let changes: Vec<Change<'_>> = names
                .iter()
                .map(|name| Change::put_bytes(Class::Settings, name, &[7; 64]))
                .collect();
            match changes.as_slice() {
                [_] => store
                    .put_bytes(Class::Settings, &names[0], &[7; 64], &mut random)
                    .unwrap(),
                changes => store.commit(changes, &mut random).unwrap(),
            }
            store.maintain(upkeep, &mut random).unwrap();
        }
        drop(store);
        part.0.reset_counters();
        drop(Store::mount(part.medium(), I::default(), &root_key(), LABEL).unwrap());
        most = most.max(part.0.counters().bytes_read);
        updates = 17 * batch;
    }
    most
}

#[test]
fn a_mount_of_eighty_items_reads_less_than_16_kib_after_single_changes_and_after_batches() {
    for batch in [1, 8] {
        let most = most_read::<Ram<80, 900>>(256 * 1024, 80, batch, 0);
        assert!(most < 16 * 1024, "{most} bytes after batches of {batch}");
    }
}

#[test]
fn a_mount_of_five_hundred_items_reads_less_than_32_kib() {
    let most = most_read::<Ram<500, 1024>>(256 * 1024, 500, 1, 0);
    assert!(most < 32 * 1024, "{most} bytes");
}

#[test]
fn a_mount_after_upkeep_reads_less_than_16_kib_however_many_pages_are_blank() {
    for capacity in [256 * 1024, 1024 * 1024] {
        let most = most_read::<Ram<80, 900>>(capacity, 80, 1, 1000);
        assert!(most < 16 * 1024, "{most} bytes of {capacity}");
    }
}

#[test]
fn a_cut_at_any_event_leaves_the_old_state_or_the_new_one() {
    let tears = [
        (ProgramTear::Unstable, EraseTear::Unstable),
        (ProgramTear::UnreadableWord, EraseTear::OldOrOne),
        (ProgramTear::TornWord, EraseTear::HalfErased),
    ];
    let mut longest = 0;
    for (seed, tear) in (1..).zip(tears) {
        let (mut part, mut model) = begun(16 * 1024, seed);
        go_on(&mut part, &mut model, 0..300, seed);
        for number in 0..60_u8 {
            let operation = put(number % 3, number % 6, 30, number);
            let after = operation.apply(&model);
            let events = {
                let mut whole = part.clone();
                let before = whole.events();
                let mut store = mount(&mut whole).unwrap();
                assert_eq!(operation.run(&mut store, &mut random(9)), Outcome::Done);
                drop(store);
                whole.events() - before
            };
            longest = longest.max(events);
            for cut in 0..events {
                let mut part = part.clone();
                part.set_tear(tear.0, tear.1, cut);
                part.cut_after(cut);
                if let Ok(mut store) = mount(&mut part) {
                    operation.run(&mut store, &mut random(9));
                }
                part.power_on();
                let context = format!("{tear:?}, put {number}, cut {cut} of {events}");
                let mut store = mount(&mut part).unwrap_or_else(|error| panic!("{context}: {error}"));
                let found = contents(&mut store);
                assert!(found == model || found == after, "{context}");
                let later = put(1, 1, 30, 200);
                assert_eq!(later.run(&mut store, &mut random(4)), Outcome::Done, "{context}");
                drop(store);
                let mut store = mount(&mut part).unwrap_or_else(|error| panic!("{context}: {error}"));
                assert_eq!(contents(&mut store), later.apply(&found), "{context}");
            }
            let mut store = mount(&mut part).unwrap();
            assert_eq!(operation.run(&mut store, &mut random(9)), Outcome::Done);
            drop(store);
            model = after;
        }
    }
    assert!(longest > 500, "{longest} events: a checkpoint was among them");
}

/// What is read of each item, or that it is damaged.
fn read_all(store: &mut Store<<Small as Part>::Medium<'_>, Memory>, model: &Model) -> Result<usize, String> {
    let mut damaged = 0;
    for ((class, name), value) in model {
        let mut out = [0; 128];
        match store.get_bytes(support::class(*class), name, &mut out) {
            Ok(Some(len)) if out[..len] == value[..] => {}
            Err(ReadError::Damaged(_)) => damaged += 1,
            other => return Err(format!("{name}: {other:?}")),
        }
    }
    Ok(damaged)
}

//= compliance/requirements.md#store-36
//= type=test
//# A mount that begins at a checkpoint MUST show what a mount that reads the whole log shows, or report damage when the damaged item is read.
#[test]
fn a_flipped_bit_anywhere_is_damage_or_changes_nothing() {
    let (mut part, mut model) = begun(32 * 1024, 3);
    go_on(&mut part, &mut model, 0..260, 3);
    let (mut refused, mut damaged, mut unharmed, mut older) = (0, 0, 0, 0);
    let before = {
        let mut before = model.clone();
        let mut part = part.clone();
        let last = put(1, 3, 33, 77);
        let mut store = mount(&mut part).unwrap();
        assert_eq!(last.run(&mut store, &mut random(1)), Outcome::Done);
        drop(store);
        std::mem::swap(&mut before, &mut model);
        model = last.apply(&before);
        (part, before)
    };
    let (part, before) = before;
    for at in 2048..part.image().len() {
        let mut flipped = part.clone();
        flipped
            .0
            .flip_bit(u32::try_from(at).unwrap(), u8::try_from(at % 8).unwrap());
        match mount(&mut flipped) {
            Err(MountError::Damaged(_) | MountError::Inconsistent) => refused += 1,
            Err(error) => panic!("byte {at:#x}: {error}"),
            Ok(mut store) => match read_all(&mut store, &model) {
                Ok(0) => unharmed += 1,
                Ok(_) => damaged += 1,
                // The last record of all, made unreadable, is an interrupted write.
                Err(error) => match read_all(&mut store, &before) {
                    Ok(0) => older += 1,
                    _ => panic!("byte {at:#x}: {error}"),
                },
            },
        }
    }
    assert!(
        refused > 500 && damaged > 300 && unharmed > 300 && older < 200,
        "{refused} refused, {damaged} damaged, {unharmed} unharmed, {older} older"
    );
}

#[test]
fn pages_of_another_history_of_the_store_are_not_taken_for_its_own() {
    let (mut part, mut model) = begun(16 * 1024, 5);
    go_on(&mut part, &mut model, 0..200, 5);
    // Two histories from here on, of records of the same names and lengths at the same places.
    let (mut here, mut there) = (part.clone(), part.clone());
    let (mut ours, mut theirs) = (model.clone(), model);
    for (part, model, fill) in [(&mut here, &mut ours, 0), (&mut there, &mut theirs, 100)] {
        let mut store = mount(part).unwrap();
        for number in 0..90_u8 {
            // Some stay on the first page of their history, which a mount from a checkpoint does not read.
            let key = if number < 12 { number % 6 } else { number % 3 };
            let operation = put(number % 2, key, 40, number + fill);
            assert_eq!(
                operation.run(&mut store, &mut random(u64::from(number + fill))),
                Outcome::Done
            );
            *model = operation.apply(model);
        }
    }
    let (mut refused, mut shown) = (0, 0);
    for page in 2..16 {
        let mut mixed = here.clone();
        let range = page * 1024..page * 1024 + 1024;
        if here.image()[range.clone()] == there.image()[range.clone()] {
            continue;
        }
        mixed.image_mut()[range.clone()].copy_from_slice(&there.image()[range]);
        match mount(&mut mixed) {
            Err(_) => refused += 1,
            Ok(mut store) => {
                // All of one of them: where the other's pages hold nothing that counts, it is the other's image.
                let all = [&ours, &theirs].map(|model| read_all(&mut store, model));
                assert!(all.iter().any(Result::is_ok), "page {page}: {all:?}");
                shown += 1;
            }
        }
    }
    assert!(refused > 3, "{refused} refused, {shown} shown");
}

/// Each page of the log but the last, erased with its mark left: how many are missed, and how many held nothing that is live.
fn erase_each_page(capacity: usize, operations: u32, upkeep: usize) -> (u32, u32) {
    let (mut part, mut model) = begun(capacity, 9);
    go_on(&mut part, &mut model, 0..operations, 9);
    mount(&mut part)
        .unwrap()
        .maintain(upkeep, &mut random(9))
        .unwrap();
    let before = part.image().to_vec();
    go_on(&mut part, &mut model, operations..operations + 1, 9);
    // The log cut back by its last page is a log that was there.
    let changed = part.image().iter().zip(before).position(|(new, old)| *new != old);
    let head = changed.unwrap() / 1024;
    let (mut refused, mut unharmed) = (0, 0);
    for page in (2..capacity / 1024).filter(|&page| page != head) {
        let mut erased = part.clone();
        let range = page * 1024..page * 1024 + 1024;
        let is_free = erased.image()[range.clone()][16..]
            .iter()
            .all(|&byte| byte == 0xff);
        erased.image_mut()[range][16..].fill(0xff);
        match mount(&mut erased) {
            Err(MountError::Damaged(_) | MountError::Inconsistent) => refused += 1,
            Err(error) => panic!("page {page}: {error}"),
            Ok(mut store) => {
                let damaged =
                    read_all(&mut store, &model).unwrap_or_else(|error| panic!("page {page}: {error}"));
                assert_eq!(damaged, 0, "page {page}");
                unharmed += u32::from(!is_free);
            }
        }
    }
    (refused, unharmed)
}

#[test]
fn a_page_that_was_erased_amid_the_log_is_missed_or_held_nothing_that_is_live() {
    let (refused, unharmed) = erase_each_page(32 * 1024, 600, 0);
    assert!(
        refused > 3 && unharmed > 0,
        "{refused} refused, {unharmed} unharmed"
    );
    // In its first turn, where all that is before the page is there.
    for operations in [70, 110, 130, 190, 230] {
        let (refused, _) = erase_each_page(64 * 1024, operations, 0);
        assert!(refused > 3, "{refused} refused");
    }
    // After upkeep, where most pages are blank, and the search for the head begins on one of them.
    for operations in [700, 900, 1_100] {
        let (refused, _) = erase_each_page(64 * 1024, operations, 1000);
        assert!(refused > 3, "{refused} refused");
    }
}

#[test]
fn a_record_that_is_damaged_while_the_store_runs_hinders_no_put_of_others() {
    let (mut part, mut model) = begun(64 * 1024, 12);
    go_on(&mut part, &mut model, 0..40, 12);
    // The header of the last of the items that are never changed, the first records of all.
    let headers = part.image()[2048..3072].chunks(8).enumerate();
    let values = headers.filter(|(_, word)| word[3] >> 3 == 3 && (word[1] >> 3 | word[2] << 5) & 63 < 3);
    let at = 2048 + 8 * values.map(|(at, _)| at).nth(5).unwrap();
    let mut store = mount(&mut part).unwrap();
    Small::image_in_store(&mut store)[at..at + 4].fill(0xff);
    for number in 0..200_u8 {
        let operation = put(number % 3, number % 6, 30, number);
        assert_eq!(
            operation.run(&mut store, &mut random(u64::from(number))),
            Outcome::Done,
            "put {number}"
        );
        model = operation.apply(&model);
    }
    assert_eq!(
        read_all(&mut store, &model),
        Ok(1),
        "that one is damaged, the others are there"
    );
}

#[test]
fn an_erased_class_is_in_no_checkpoint_that_still_opens() {
    let (mut part, mut model) = begun(16 * 1024, 6);
    go_on(&mut part, &mut model, 0..300, 6);
    let mut store = mount(&mut part).unwrap();
    store.erase(Class::Settings, &mut random(1)).unwrap();
    drop(store);
    model.retain(|(class, _), _| *class != 1);
    let mut store = mount(&mut part).unwrap();
    assert_eq!(contents(&mut store), model);
    drop(store);
    go_on(&mut part, &mut model, 300..400, 7);
    assert_eq!(contents(&mut mount(&mut part).unwrap()), model);
}

#[test]
fn a_salvage_passes_over_checkpoints() {
    let (mut part, mut model) = begun(32 * 1024, 10);
    go_on(&mut part, &mut model, 0..400, 10);
    let (mut found, mut gaps) = (Model::new(), 0);
    Store::salvage(
        part.medium(),
        Memory::new(),
        &root_key(),
        LABEL,
        |piece| match piece {
            Salvage::Item {
                data,
                name,
                value,
                is_latest,
            } => {
                let class = (0..5).find(|&class| support::class(class) == data).unwrap();
                assert!(is_latest, "{name}");
                found.insert((class, name.to_owned()), value.to_vec());
            }
            _ => gaps += 1,
        },
    )
    .unwrap();
    assert_eq!((found, gaps), (model, 0));
}

#[test]
fn an_item_that_is_erased_leaves_no_version_behind_beside_checkpoints() {
    let (mut part, mut model) = begun(16 * 1024, 11);
    go_on(&mut part, &mut model, 0..300, 11);
    let mut store = mount(&mut part).unwrap();
    let key = model.keys().next().unwrap().clone();
    store
        .erase_item(support::class(key.0), &key.1, &mut random(1))
        .unwrap();
    drop(store);
    let erased = model.remove(&key).unwrap();
    let mut store = mount(&mut part).unwrap();
    assert_eq!(contents(&mut store), model);
    drop(store);
    let findings = forensics::scan(part.image(), &support::ROOT, LABEL.as_bytes());
    let is_left = |(key, value): (&(u8, String), &Vec<u8>)| findings.holds(key.1.as_bytes(), value);
    assert!(model.iter().all(is_left), "the finder opens what is live");
    assert!(!is_left((&key, &erased)), "{key:?} is on flash");
}

#[test]
fn a_store_that_is_held_against_a_counter_begins_at_its_checkpoint() {
    let (mut part, _) = begun(32 * 1024, 8);
    let mut counter = Register::at(4);
    let mut store = mount(&mut part).unwrap();
    store.start_counter(&mut counter, &mut random(1)).unwrap();
    drop(store);
    let mut before = Vec::new();
    for number in 0..300_u32 {
        let mut store = Store::mount_anchored(part.medium(), Memory::new(), &root_key(), LABEL, &mut counter)
            .unwrap_or_else(|error| panic!("put {number}: {error}"));
        let value = number.to_le_bytes();
        store
            .put_bytes(
                Class::Settings,
                &format!("k{}", number % 9),
                &value,
                &mut random(u64::from(number)),
            )
            .unwrap();
        if number % 3 == 0 {
            store
                .anchor(&mut counter, AnchorPolicy::EveryChange, &mut random(2))
                .unwrap();
        }
        drop(store);
        before.push(part.clone());
    }
    // Every earlier image but those since the last anchor is refused.
    for (number, mut earlier) in before.into_iter().enumerate().take(297) {
        let mounted =
            Store::mount_anchored(earlier.medium(), Memory::new(), &root_key(), LABEL, &mut counter);
        assert!(
            matches!(mounted.as_ref().err(), Some(MountError::SetBack { .. })),
            "image {number}: {:?}",
            mounted.err()
        );
    }
}
