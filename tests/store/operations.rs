//! The store and everything that callers, flash and random sources can do wrong to it: one named case per flaw.

use crate::support;

use bydesign::flash::simulator::{Rule, Simulator};
use bydesign::flash::{Overwritable, WriteOnce};
use bydesign::secret::{RootKey, Secret};
use bydesign::store::{
    Class, DataClass, EraseError, FormatError, Key, MountError, Ram, ReadError, Serde, Store, UserId,
    WriteError,
};
use chacha20::rand_core::{TryCryptoRng, TryRng};
use embedded_storage::nor_flash::NorFlashErrorKind;
use serde::{Deserialize, Serialize};
use support::{
    BUFFER, Ecc, LABEL, Memory, Model, Nor, Part, ROOT, contents, format, mount, random, root_key,
};

type Flash = Nor<4, 1024>;

fn flash() -> Flash {
    Flash::new(10 * 1024)
}

fn formatted() -> Flash {
    let mut part = flash();
    drop(format(&mut part, 1));
    part
}

// ---- values ----

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Schedule {
    hour: u8,
    days: [bool; 7],
}

const PASSWORD: Key<Secret<16>> = Key::new("password", Class::Settings);
const BRIGHTNESS: Key<u16> = Key::new("brightness", Class::User);
const SCHEDULE: Key<Serde<Schedule>> = Key::new("schedule", Class::User).version(1);
const SCHEDULE_V2: Key<Serde<Schedule>> = Key::new("schedule", Class::User).version(2);
const SERIAL: Key<[u8; 6]> = Key::fixed("serial", Class::Identity);

#[test]
fn typed_values_come_back_after_a_boot() {
    let mut part = formatted();
    let mut store = mount(&mut part).unwrap();
    let schedule = || {
        Serde(Schedule {
            hour: 7,
            days: [true, true, true, true, true, false, false],
        })
    };
    store
        .put(&PASSWORD, &Secret::new(*b"sixteen secrets!"), &mut random(1))
        .unwrap();
    store.put(&BRIGHTNESS, &900, &mut random(1)).unwrap();
    store.put(&SCHEDULE, &schedule(), &mut random(1)).unwrap();
    drop(store);
    let mut store = mount(&mut part).unwrap();
    assert_eq!(
        store.get(&PASSWORD).unwrap().map(|secret| *secret.expose()),
        Some(*b"sixteen secrets!")
    );
    assert_eq!(store.get(&BRIGHTNESS), Ok(Some(900)));
    assert_eq!(store.get(&SCHEDULE), Ok(Some(schedule())));
    assert_eq!(store.contains(&BRIGHTNESS), Ok(true));
    assert_eq!(store.remove(&BRIGHTNESS, &mut random(1)), Ok(true));
    assert_eq!(store.remove(&BRIGHTNESS, &mut random(1)), Ok(false));
    assert_eq!(store.get(&BRIGHTNESS), Ok(None));
}

#[test]
fn a_value_of_another_type_or_schema_version_is_an_error_and_stays() {
    let mut part = formatted();
    let mut store = mount(&mut part).unwrap();
    store.put(&BRIGHTNESS, &900, &mut random(1)).unwrap();
    store
        .put(
            &SCHEDULE,
            &Serde(Schedule {
                hour: 1,
                days: [false; 7],
            }),
            &mut random(1),
        )
        .unwrap();
    assert_eq!(
        store.get(&Key::<u64>::new("brightness", Class::User)),
        Err(ReadError::Decode)
    );
    assert_eq!(store.get(&SCHEDULE_V2), Err(ReadError::Version(1)));
    assert_eq!(store.get(&BRIGHTNESS), Ok(Some(900)));
    assert!(store.get(&SCHEDULE).unwrap().is_some());
}

//= compliance/requirements.md#store-18
//= type=test
//# A write-once item MUST NOT be changed or removed by anything but the erasure of its class or a new format.
#[test]
fn a_write_once_item_cannot_be_changed_or_removed_and_goes_with_its_class() {
    let mut part = formatted();
    let mut store = mount(&mut part).unwrap();
    store.put(&SERIAL, b"000001", &mut random(1)).unwrap();
    assert_eq!(
        store.put(&SERIAL, b"000002", &mut random(1)),
        Err(WriteError::Fixed)
    );
    assert_eq!(
        store.put_bytes(Class::Identity, "serial", b"x", &mut random(1)),
        Err(WriteError::Fixed)
    );
    assert_eq!(store.remove(&SERIAL, &mut random(1)), Err(WriteError::Fixed));
    drop(store);
    let mut store = mount(&mut part).unwrap();
    assert_eq!(
        store.put(&SERIAL, b"000002", &mut random(1)),
        Err(WriteError::Fixed)
    );
    assert_eq!(store.get(&SERIAL), Ok(Some(*b"000001")));
    store.erase(Class::Identity, &mut random(1)).unwrap();
    store.put(&SERIAL, b"000003", &mut random(1)).unwrap();
    assert_eq!(store.get(&SERIAL), Ok(Some(*b"000003")));
}

#[test]
fn each_user_has_their_own_items_and_one_can_be_erased_alone() {
    let mut part = formatted();
    let mut store = mount(&mut part).unwrap();
    let (alice, bob) = (UserId(1), UserId(2));
    store.put(&BRIGHTNESS.of(alice), &1, &mut random(1)).unwrap();
    store.put(&BRIGHTNESS.of(bob), &2, &mut random(2)).unwrap();
    store.put(&BRIGHTNESS, &3, &mut random(3)).unwrap();
    store.erase(alice, &mut random(4)).unwrap();
    assert_eq!(store.get(&BRIGHTNESS.of(alice)), Ok(None));
    assert_eq!(store.get(&BRIGHTNESS.of(bob)), Ok(Some(2)));
    assert_eq!(store.get(&BRIGHTNESS), Ok(Some(3)));
    drop(store);
    let mut store = mount(&mut part).unwrap();
    assert_eq!(store.get(&BRIGHTNESS.of(alice)), Ok(None));
    assert_eq!(store.get(&BRIGHTNESS.of(bob)), Ok(Some(2)));
    store.erase(Class::User, &mut random(5)).unwrap();
    assert_eq!(store.get(&BRIGHTNESS.of(bob)), Ok(None));
    assert_eq!(store.get(&BRIGHTNESS), Ok(None));
}

#[test]
fn class_slots_of_erased_users_serve_new_users() {
    let mut part = formatted();
    let mut store = mount(&mut part).unwrap();
    for user in 10..40 {
        store
            .put(&BRIGHTNESS.of(UserId(user)), &7, &mut random(u64::from(user)))
            .unwrap();
        store
            .erase(UserId(user), &mut random(u64::from(user) + 100))
            .unwrap();
    }
    for user in 40..45 {
        store
            .put(&BRIGHTNESS.of(UserId(user)), &8, &mut random(u64::from(user)))
            .unwrap();
    }
    assert_eq!(
        store.put(&BRIGHTNESS.of(UserId(99)), &9, &mut random(9)),
        Err(WriteError::ClassesFull)
    );
    drop(store);
    let mut store = mount(&mut part).unwrap();
    for user in 10..45 {
        assert_eq!(
            store.get(&BRIGHTNESS.of(UserId(user))),
            Ok((user >= 40).then_some(8))
        );
    }
}

#[test]
fn iteration_shows_every_item_of_its_class_and_no_other() {
    let mut part = formatted();
    let mut store = mount(&mut part).unwrap();
    for number in 0..9u8 {
        store
            .put_bytes(Class::User, &format!("item {number}"), &[number], &mut random(1))
            .unwrap();
        store
            .put_bytes(
                Class::Settings,
                &format!("other {number}"),
                &[number],
                &mut random(1),
            )
            .unwrap();
    }
    let mut seen = Vec::new();
    store
        .for_each(Class::User, |name, value| {
            seen.push((name.to_owned(), value.to_vec()));
        })
        .unwrap();
    seen.sort();
    assert_eq!(
        seen,
        (0..9u8)
            .map(|number| (format!("item {number}"), vec![number]))
            .collect::<Vec<_>>()
    );
    store
        .for_each(DataClass::user(UserId(5)), |_, _| {
            panic!("a user that never was has no items")
        })
        .unwrap();
}

// ---- lengths ----

#[test]
fn empty_names_and_values_and_the_longest_names_and_values_are_stored() {
    let mut part = formatted();
    let mut store = mount(&mut part).unwrap();
    let long_name = "n".repeat(63);
    let Err(WriteError::TooLong(limit)) =
        store.put_bytes(Class::User, &long_name, &[1; 5000], &mut random(1))
    else {
        panic!("too long")
    };
    assert_eq!(
        store.put_bytes(Class::User, &long_name, &vec![1; limit + 1], &mut random(1)),
        Err(WriteError::TooLong(limit))
    );
    store
        .put_bytes(Class::User, &long_name, &vec![1; limit], &mut random(1))
        .unwrap();
    store.put_bytes(Class::User, "", b"", &mut random(1)).unwrap();
    drop(store);
    let mut store = mount(&mut part).unwrap();
    let mut out = [0; BUFFER];
    assert_eq!(
        store.get_bytes(Class::User, &long_name, &mut out),
        Ok(Some(limit))
    );
    assert!(limit > 600 && out[..limit].iter().all(|&byte| byte == 1));
    assert_eq!(store.get_bytes(Class::User, "", &mut out), Ok(Some(0)));
}

#[test]
fn every_value_length_up_to_a_page_comes_back_exactly() {
    let mut part = Ecc::<8, 2048>::new(16 * 1024);
    let mut store = format(&mut part, 1);
    let mut out = [0; BUFFER];
    for len in 0..800 {
        let value: Vec<u8> = (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect();
        store.put_bytes(Class::User, "v", &value, &mut random(1)).unwrap();
        assert_eq!(store.get_bytes(Class::User, "v", &mut out), Ok(Some(len)));
        assert_eq!(out[..len], value);
    }
}

#[test]
fn a_name_that_is_too_long_is_refused_everywhere() {
    let mut part = formatted();
    let mut store = mount(&mut part).unwrap();
    let name = "n".repeat(64);
    assert_eq!(
        store.put_bytes(Class::User, &name, b"", &mut random(1)),
        Err(WriteError::Name)
    );
    assert_eq!(
        store.remove_bytes(Class::User, &name, &mut random(1)),
        Err(WriteError::Name)
    );
    assert_eq!(store.get_bytes(Class::User, &name, &mut []), Err(ReadError::Name));
    assert_eq!(
        store.erase_item(Class::User, &name, &mut random(1)),
        Err(EraseError::Name)
    );
}

#[test]
fn a_buffer_that_is_too_small_is_told_the_size_and_left_alone() {
    let mut part = formatted();
    let mut store = mount(&mut part).unwrap();
    store
        .put_bytes(Class::User, "k", b"twelve bytes", &mut random(1))
        .unwrap();
    let mut out = [9; 11];
    assert_eq!(
        store.get_bytes(Class::User, "k", &mut out),
        Err(ReadError::OutputTooSmall(12))
    );
    assert_eq!(out, [9; 11]);
}

// ---- fullness ----

fn fill_up<P: Part>(mut part: P) {
    drop(format(&mut part, 1));
    let mut store = mount(&mut part).unwrap();
    let mut model = Model::new();
    let mut refused = 0;
    for round in 0..400u16 {
        let key = round % 40;
        let value = vec![round.to_le_bytes()[0]; 40 + usize::from(key) * 9];
        match store.put_bytes(
            Class::User,
            &format!("k{key}"),
            &value,
            &mut random(u64::from(round)),
        ) {
            Ok(()) => drop(model.insert((2, format!("k{key}")), value)),
            Err(WriteError::Full) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused > 100, "the flash became full");
    assert_eq!(
        contents(&mut store),
        model,
        "nothing was lost, and a refused value left the old one"
    );
    let mut refused = 0;
    for ((_, name), value) in &mut model {
        let longer = vec![0xee; value.len() + 200];
        match store.put_bytes(Class::User, name, &longer, &mut random(1)) {
            Ok(()) => *value = longer,
            Err(WriteError::Full) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused > 5, "{refused} longer values found no room");
    assert_eq!(
        contents(&mut store),
        model,
        "a longer value that was refused left the old one"
    );
    let wear = store.figures().most_erases;
    for key in 0..40 {
        let _ = store.put_bytes(Class::User, &format!("new {key}"), &[1; 600], &mut random(1));
    }
    assert!(store.figures().most_erases <= wear + 1, "refusals cost no wear");
    drop(store);
    let mut store = mount(&mut part).unwrap();
    assert_eq!(contents(&mut store), model);
    for (_, name) in model.clone().into_keys() {
        assert_eq!(
            store.remove_bytes(Class::User, &name, &mut random(1)),
            Ok(true),
            "removal works on a full flash"
        );
        model.remove(&(2, name));
        assert_eq!(contents(&mut store), model);
    }
    store
        .put_bytes(Class::User, "room again", &[7; 500], &mut random(1))
        .unwrap();
}

//= compliance/requirements.md#store-19
//= type=test
//# A put that finds no room MUST fail and leave every stored item as it was.
#[test]
fn a_full_overwritable_flash_loses_nothing_and_removal_makes_room() {
    fill_up(flash());
}

#[test]
fn a_full_write_once_flash_loses_nothing_and_removal_makes_room() {
    fill_up(Ecc::<16, 1024>::new(10 * 1024));
}

#[test]
fn a_full_flash_of_four_pages_loses_nothing_and_removal_makes_room() {
    fill_up(Nor::<4, 4096>::new(16 * 1024));
}

#[test]
fn an_index_that_is_full_refuses_new_items_and_still_updates_old_ones() {
    let mut part = flash();
    let ram = Ram::<3, 256>::new();
    let mut store = Store::format(part.medium(), ram, &root_key(), LABEL, &mut random(1)).unwrap();
    for name in ["a", "b", "c"] {
        store.put_bytes(Class::User, name, b"1", &mut random(1)).unwrap();
    }
    assert_eq!(
        store.put_bytes(Class::User, "d", b"1", &mut random(1)),
        Err(WriteError::IndexFull)
    );
    store.put_bytes(Class::User, "c", b"2", &mut random(1)).unwrap();
    drop(store);
    let too_small = Store::mount(part.medium(), Ram::<2, 256>::new(), &root_key(), LABEL);
    assert_eq!(too_small.err(), Some(MountError::IndexFull));
}

#[test]
fn memory_that_is_too_small_for_the_store_is_told_so() {
    let mut part = formatted();
    let mut store = mount(&mut part).unwrap();
    store
        .put_bytes(Class::User, "long", &[1; 500], &mut random(1))
        .unwrap();
    store
        .put_bytes(DataClass::user(UserId(1)), "k", b"", &mut random(1))
        .unwrap();
    drop(store);
    let short_buffer = Store::mount(part.medium(), Ram::<48, 256>::new(), &root_key(), LABEL);
    assert_eq!(short_buffer.err(), Some(MountError::BufferTooSmall(544)));
    let few_slots = Store::mount(part.medium(), Ram::<48, BUFFER, 3>::new(), &root_key(), LABEL);
    assert_eq!(few_slots.err(), Some(MountError::TooManyClasses(4)));
    assert!(mount(&mut part).is_ok());
}

// ---- keys and foreign flash: a refused mount destroys nothing ----

#[track_caller]
fn refused(part: &mut Flash, expected: MountError) {
    let before = part.image().to_vec();
    assert_eq!(mount(part).err(), Some(expected));
    assert_eq!(part.image(), before, "a refused mount touches nothing");
}

//= compliance/requirements.md#store-14
//= type=test
//# A mount with the wrong root key or label, on foreign flash, or of a newer format MUST fail with a reason and change nothing on flash.
#[test]
fn a_wrong_root_key_or_label_is_said_to_be_wrong_and_destroys_nothing() {
    let mut part = formatted();
    let mut store = mount(&mut part).unwrap();
    store.put_bytes(Class::User, "k", b"v", &mut random(1)).unwrap();
    drop(store);
    let before = part.image().to_vec();
    let mut other = ROOT;
    other[31] ^= 1;
    let wrong_key = Store::mount(part.medium(), Memory::new(), &RootKey::new(other).unwrap(), LABEL);
    assert_eq!(wrong_key.err(), Some(MountError::WrongRootKey));
    let wrong_label = Store::mount(part.medium(), Memory::new(), &root_key(), "tess");
    assert_eq!(wrong_label.err(), Some(MountError::WrongRootKey));
    assert_eq!(part.image(), before);
    assert_eq!(contents(&mut mount(&mut part).unwrap()).len(), 1);
}

/// A random source of which one answer, the one with this number, is another.
struct OtherAnswer(chacha20::ChaCha20Rng, usize);

impl TryRng for OtherAnswer {
    type Error = std::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.0.try_next_u32()
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0.try_next_u64()
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.try_fill_bytes(bytes)?;
        if self.1 == 0 {
            for byte in bytes {
                *byte ^= 0x55;
            }
        }
        self.1 = self.1.wrapping_sub(1);
        Ok(())
    }
}

impl TryCryptoRng for OtherAnswer {}

//= compliance/requirements.md#store-24
//= type=test
//# Every key MUST be derived with its purpose, the store id and the partition label.
#[test]
fn stores_that_differ_in_nothing_but_their_id_have_no_key_in_common() {
    let with_other_answer = |number| {
        let mut part = flash();
        let mut source = OtherAnswer(random(1), number);
        let mut store =
            Store::format(part.medium(), Memory::new(), &root_key(), LABEL, &mut source).expect("formats");
        store.put_bytes(Class::User, "k", b"v", &mut random(2)).unwrap();
        drop(store);
        part
    };
    // Behind the erase mark and what else is clear.
    let id = 12 + 20..12 + 36;
    let part = with_other_answer(usize::MAX);
    let id_answer =
        (0..20).find(|&number| with_other_answer(number).image()[id.clone()] != part.image()[id.clone()]);
    let other = with_other_answer(id_answer.expect("the id comes from the random source"));
    // Salts are drawn, and all that is clear but the id is the same.
    let salts = [2048 + 12 + 4..2048 + 12 + 16, 2048 + 96 + 4..2048 + 96 + 16];
    for salt in salts {
        assert_eq!(part.image()[salt.clone()], other.image()[salt]);
    }
    let mut mixed = part.clone();
    mixed.image_mut()[2048..].copy_from_slice(&other.image()[2048..]);
    refused(&mut mixed, MountError::Damaged(2048));
}

#[test]
fn blank_flash_is_unformatted_and_stays_blank() {
    refused(&mut flash(), MountError::Unformatted);
}

#[test]
fn foreign_flash_is_neither_mounted_nor_formatted_silently() {
    let mut part = flash();
    part.image_mut()
        .iter_mut()
        .zip(0u8..=255)
        .for_each(|(byte, number)| *byte = number);
    refused(&mut part, MountError::Foreign);
    let format = Store::format(part.medium(), Memory::new(), &root_key(), LABEL, &mut random(1));
    assert_eq!(format.err(), Some(FormatError::NotBlank));
    drop(Store::format_erasing(part.medium(), Memory::new(), &root_key(), LABEL, &mut random(1)).unwrap());
    assert!(mount(&mut part).is_ok());
}

//= compliance/requirements.md#store-13
//= type=test
//# The store MUST NOT format flash that holds anything unless it is told to erase it.
#[test]
fn foreign_bytes_anywhere_on_the_flash_keep_it_from_being_formatted() {
    for at in [0, 1500, 2100, 9999] {
        let mut part = flash();
        part.image_mut()[at] = 0x25;
        let before = part.image().to_vec();
        let format = Store::format(part.medium(), Memory::new(), &root_key(), LABEL, &mut random(1));
        assert_eq!(format.err(), Some(FormatError::NotBlank), "a byte at {at}");
        assert_eq!(part.image(), before);
    }
}

#[test]
fn a_formatted_store_is_not_formatted_again_by_any_key() {
    let mut part = formatted();
    for root in [
        ROOT,
        [0x11, 0x22]
            .repeat(8)
            .into_iter()
            .chain(0..16)
            .collect::<Vec<u8>>()
            .try_into()
            .unwrap(),
    ] {
        let format = Store::format(
            part.medium(),
            Memory::new(),
            &RootKey::new(root).unwrap(),
            LABEL,
            &mut random(1),
        );
        assert_eq!(format.err(), Some(FormatError::NotBlank));
    }
    assert!(mount(&mut part).is_ok());
}

#[test]
fn a_damaged_key_page_is_damage_and_no_reason_to_format() {
    let mut part = formatted();
    let mut store = mount(&mut part).unwrap();
    store
        .put_bytes(Class::Settings, "k", b"value", &mut random(1))
        .unwrap();
    drop(store);
    // mark, clear part, Key page record, Store key, three class keys, Key commit
    for byte in 12..12 + 40 + 84 + 60 + 3 * 80 + 36 {
        let mut part = part.clone();
        part.image_mut()[byte] ^= 0x04;
        let before = part.image().to_vec();
        let error = mount(&mut part).err().expect("it does not mount");
        assert_ne!(error, MountError::Unformatted, "byte {byte}");
        let root_key = root_key();
        let format = Store::format(part.medium(), Memory::new(), &root_key, LABEL, &mut random(1));
        assert_eq!(format.err(), Some(FormatError::NotBlank), "byte {byte}");
        assert!(part.image() == before, "byte {byte}: nothing is changed");
    }
}

#[test]
fn a_newer_format_version_is_named_and_left_alone() {
    let mut part = formatted();
    part.image_mut()[12 + 8] = 2;
    refused(&mut part, MountError::NewerFormat(2));
}

#[test]
fn features_of_the_format_that_this_version_does_not_know_are_named_and_left_alone() {
    for bit in (0..8).filter(|&bit| bit != 1) {
        let mut part = formatted();
        part.image_mut()[12 + 11] = 1 << bit;
        refused(&mut part, MountError::UnknownFeatures(1 << bit));
    }
    // Checkpoints are known. The byte is bound into the key page: nobody else turns them on.
    let mut part = formatted();
    part.image_mut()[12 + 11] = 1 << 1;
    assert!(mount(&mut part).is_err());
}

#[test]
fn a_format_version_set_back_is_not_accepted() {
    let mut part = formatted();
    part.image_mut()[12 + 8] = 0;
    assert!(mount(&mut part).is_err());
}

#[test]
fn another_geometry_is_refused() {
    let part = formatted();
    let mut longer = part.image().to_vec();
    longer.extend([0xff; 1024]);
    refused(&mut Flash::of_image(&longer), MountError::Geometry);
    refused(&mut Flash::of_image(&longer[..9 * 1024]), MountError::Geometry);
    let mut wider = Nor::<8, 1024>::of_image(part.image());
    assert_eq!(mount(&mut wider).err(), Some(MountError::Geometry));
    let mut larger_pages = Nor::<4, 2048>::of_image(part.image());
    assert_eq!(mount(&mut larger_pages).err(), Some(MountError::Geometry));
}

#[test]
fn the_other_kind_of_medium_is_refused() {
    let part = formatted();
    assert_eq!(
        mount(&mut Ecc::<4, 1024>::of_image(part.image())).err(),
        Some(MountError::Medium)
    );
}

#[test]
fn a_part_that_is_too_small_or_too_coarse_is_refused() {
    let mut small = Simulator::<4, 1024>::new(3 * 1024, Rule::Multiwrite);
    let format = Store::format(
        Overwritable::new(&mut small),
        Memory::new(),
        &root_key(),
        LABEL,
        &mut random(1),
    );
    assert_eq!(format.err(), Some(FormatError::Geometry));
    let mut coarse = Simulator::<4, { 512 * 1024 }>::new(4 * 512 * 1024, Rule::WriteOnce);
    let format = Store::format(
        WriteOnce::new(&mut coarse),
        Memory::new(),
        &root_key(),
        LABEL,
        &mut random(1),
    );
    assert_eq!(format.err(), Some(FormatError::Geometry));
    let mut wide = Simulator::<64, 1024>::new(8 * 1024, Rule::WriteOnce);
    let format = Store::format(
        WriteOnce::new(&mut wide),
        Memory::new(),
        &root_key(),
        LABEL,
        &mut random(1),
    );
    assert_eq!(format.err(), Some(FormatError::Geometry));
}

#[test]
fn a_label_that_is_too_long_is_refused() {
    let mut part = flash();
    let label = "l".repeat(33);
    let format = Store::format(part.medium(), Memory::new(), &root_key(), &label, &mut random(1));
    assert_eq!(format.err(), Some(FormatError::Label));
    let mount = Store::mount(formatted().medium(), Memory::new(), &root_key(), &label).err();
    assert_eq!(mount, Some(MountError::Label));
}

#[test]
fn a_format_cut_at_any_point_leaves_unformatted_flash_that_formats_again() {
    let events = formatted().events();
    for cut in (0..events).step_by(3) {
        let mut part = flash();
        part.cut_after(cut);
        assert!(Store::format(part.medium(), Memory::new(), &root_key(), LABEL, &mut random(1)).is_err());
        part.power_on();
        let found = mount(&mut part).err();
        assert!(
            matches!(found, Some(MountError::Unformatted)) || cut + 3 >= events,
            "cut at {cut}: {found:?}"
        );
        match Store::format(part.medium(), Memory::new(), &root_key(), LABEL, &mut random(2)) {
            Ok(store) => drop(store),
            // An erase mark was torn: the flash does hold something, and the caller must say so.
            Err(FormatError::NotBlank) => {
                drop(
                    Store::format_erasing(part.medium(), Memory::new(), &root_key(), LABEL, &mut random(2))
                        .unwrap(),
                );
            }
            Err(error) => panic!("cut at {cut}: {error}"),
        }
        assert!(mount(&mut part).is_ok());
    }
}

// ---- random sources ----

/// Gives constant bytes, or fails.
struct Broken(Option<u8>);

#[derive(Debug, thiserror::Error)]
#[error("the generator is dead")]
struct Dead;

impl TryRng for Broken {
    type Error = Dead;
    fn try_next_u32(&mut self) -> Result<u32, Dead> {
        self.0.map(|byte| u32::from_le_bytes([byte; 4])).ok_or(Dead)
    }
    fn try_next_u64(&mut self) -> Result<u64, Dead> {
        self.0.map(|byte| u64::from_le_bytes([byte; 8])).ok_or(Dead)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Dead> {
        bytes.fill(self.0.ok_or(Dead)?);
        Ok(())
    }
}
impl TryCryptoRng for Broken {}

//= compliance/requirements.md#store-12
//= type=test
//# Format and erase MUST fail, changing nothing, when the random source fails or is visibly stuck.
#[test]
fn format_and_erase_fail_closed_on_a_failing_or_stuck_random_source() {
    for source in [None, Some(0), Some(0xff), Some(0x5a)] {
        let mut part = flash();
        let format = Store::format(
            part.medium(),
            Memory::new(),
            &root_key(),
            LABEL,
            &mut Broken(source),
        );
        assert_eq!(format.err(), Some(FormatError::Random));
        assert!(
            part.image().iter().all(|&byte| byte == 0xff),
            "nothing was touched"
        );

        let mut part = formatted();
        let mut store = mount(&mut part).unwrap();
        store.put_bytes(Class::User, "k", b"v", &mut random(1)).unwrap();
        let before = store.medium().driver().image().to_vec();
        assert_eq!(
            store.erase(Class::User, &mut Broken(source)),
            Err(EraseError::Random)
        );
        assert_eq!(store.medium().driver().image(), before, "nothing was touched");
        assert_eq!(contents(&mut store).len(), 1);
        assert_eq!(
            store.put_bytes(DataClass::user(UserId(1)), "k", b"v", &mut Broken(source)),
            Err(WriteError::Random)
        );
    }
}

#[test]
fn a_put_with_a_failing_random_source_leaves_the_old_value() {
    let mut part = formatted();
    let mut store = mount(&mut part).unwrap();
    store.put_bytes(Class::User, "k", b"old", &mut random(1)).unwrap();
    assert_eq!(
        store.put_bytes(Class::User, "k", b"new", &mut Broken(None)),
        Err(WriteError::Random)
    );
    assert_eq!(
        store.remove_bytes(Class::User, "k", &mut Broken(None)),
        Err(WriteError::Random)
    );
    let mut out = [0; 8];
    assert_eq!(store.get_bytes(Class::User, "k", &mut out), Ok(Some(3)));
    assert_eq!(&out[..3], b"old");
}

// ---- drivers that fail ----

type Change<P> = fn(&mut Store<<P as Part>::Medium<'_>, Memory>) -> bool;

fn driver_errors<P: Part + Failing>(mut part: P) {
    drop(format(&mut part, 1));
    let mut store = mount(&mut part).unwrap();
    for number in 0..10u8 {
        store
            .put_bytes(Class::User, &format!("k{number}"), &[number; 60], &mut random(1))
            .unwrap();
    }
    drop(store);
    let changes: [(Change<P>, &str, bool); 3] = [
        (
            |store| {
                store
                    .put_bytes(Class::User, "k3", &[99; 60], &mut random(5))
                    .is_ok()
            },
            "put",
            false,
        ),
        (
            |store| store.remove_bytes(Class::User, "k3", &mut random(5)).is_ok(),
            "remove",
            true,
        ),
        (
            |store| store.erase(Class::User, &mut random(5)).is_ok(),
            "erase",
            true,
        ),
    ];
    for (change, what, gone) in changes {
        for failing in 0..400 {
            let mut part = part.clone();
            let mut store = mount(&mut part).unwrap();
            let before = contents(&mut store);
            drop(store);
            part.fail_after(failing);
            let acknowledged = match mount(&mut part) {
                Ok(mut store) => change(&mut store),
                Err(MountError::Flash(_) | MountError::Damaged(_)) => false,
                Err(error) => panic!("{what}, call {failing} fails: {error}"),
            };
            part.fail_after(u64::MAX);
            let mut store =
                mount(&mut part).unwrap_or_else(|error| panic!("{what}, call {failing} failed: {error}"));
            let after = contents(&mut store);
            let value = after.get(&(2, "k3".to_owned()));
            let new = if gone {
                value.is_none()
            } else {
                value == Some(&vec![99; 60])
            };
            assert!(
                new || (!acknowledged && after == before),
                "{what}, call {failing} failed"
            );
            store
                .put_bytes(Class::User, "k3", &[1; 10], &mut random(9))
                .unwrap();
        }
    }
}

trait Failing {
    fn fail_after(&mut self, operations: u64);
}
impl<const W: usize, const E: usize> Failing for Nor<W, E> {
    fn fail_after(&mut self, operations: u64) {
        self.0.fail_after(operations, NorFlashErrorKind::Other);
    }
}
impl<const W: usize, const E: usize> Failing for Ecc<W, E> {
    fn fail_after(&mut self, operations: u64) {
        self.0.fail_after(operations, NorFlashErrorKind::Other);
    }
}

#[test]
fn a_driver_error_at_any_call_loses_nothing_on_overwritable_flash() {
    driver_errors(flash());
}

#[test]
fn a_driver_error_at_any_call_loses_nothing_on_write_once_flash() {
    driver_errors(Ecc::<8, 1024>::new(10 * 1024));
}

// ---- damage and tampering: an error or the truth, never silence ----

fn every_bit_flipped<P: Part>(mut part: P) {
    drop(format(&mut part, 1));
    let mut store = mount(&mut part).unwrap();
    for round in 0..6u8 {
        for number in 0..4u8 {
            store
                .put_bytes(Class::User, &format!("k{number}"), &[round; 20], &mut random(1))
                .unwrap();
        }
        store.remove_bytes(Class::User, "k3", &mut random(1)).unwrap();
    }
    store.erase(Class::Settings, &mut random(2)).unwrap();
    store
        .put_bytes(Class::Settings, "s", b"setting", &mut random(1))
        .unwrap();
    let truth = contents(&mut store);
    drop(store);
    let (mut errors, mut unharmed, mut cut_back) = (0, 0, 0);
    for bit in 0..part.image().len() * 8 {
        let mut part = part.clone();
        part.image_mut()[bit / 8] ^= 1 << (bit % 8);
        match mount(&mut part) {
            Err(_) => errors += 1,
            Ok(mut store) => {
                let mut found = Model::new();
                for number in 0..5 {
                    store
                        .for_each(support::class(number), |name, value| {
                            found.insert((number, name.to_owned()), value.to_vec());
                        })
                        .unwrap();
                }
                if found == truth {
                    unharmed += 1;
                } else {
                    // The last record, unreadable, cannot be told from one that was being written.
                    let mut earlier = truth.clone();
                    earlier.remove(&(1, "s".to_owned()));
                    assert_eq!(found, earlier, "bit {bit} flipped");
                    cut_back += 1;
                }
            }
        }
    }
    println!("{errors} errors, {unharmed} unharmed, {cut_back} cut back");
    assert!(errors > 5_000 && unharmed > 5_000 && cut_back < 1_000);
}

//= compliance/requirements.md#store-5
//= type=test
//# The store MUST treat only an incomplete record at the end of the log, with blank flash behind it, as an interrupted write; anything else that does not open is reported.
#[test]
fn any_flipped_bit_is_an_error_or_harmless_on_overwritable_flash() {
    every_bit_flipped(Flash::new(5 * 1024));
}

#[test]
fn any_flipped_bit_is_an_error_or_harmless_on_write_once_flash() {
    every_bit_flipped(Ecc::<8, 1024>::new(5 * 1024));
}

/// A boot with the puts of one round. Gives the states in between.
fn live_on<P: Part>(part: &mut P, fill: u8, seed: u64) -> Vec<Model> {
    let mut store = mount(part).unwrap();
    let mut between = vec![];
    for number in 0..5u8 {
        store
            .put_bytes(Class::User, &format!("k{number}"), &[fill; 90], &mut random(seed))
            .unwrap();
        between.push(contents(&mut store));
    }
    between
}

fn mix_pages<P: Part>() {
    const PAGE: usize = 1024;
    let image_and_state = |part: &mut P| (part.image().to_vec(), contents(&mut mount(part).expect("mounts")));
    let mut part = P::new(10 * PAGE);
    drop(format(&mut part, 1));
    let mut store = mount(&mut part).unwrap();
    store
        .put_bytes(Class::Settings, "s", b"of the first owner", &mut random(1))
        .unwrap();
    let mut between = vec![contents(&mut store)];
    drop(store);
    let mut images = vec![];
    let mut twin = None;
    for round in 0..12u8 {
        between.append(&mut live_on(&mut part, round, u64::from(round)));
        let erased = match round {
            2 => Some(Class::Settings),
            6 => Some(Class::User),
            _ => None,
        };
        if let Some(class) = erased {
            mount(&mut part).unwrap().erase(class, &mut random(99)).unwrap();
        }
        images.push(image_and_state(&mut part));
        // The same round again, by a device that was set back.
        let mut fork = part.clone();
        let mut store = mount(&mut fork).unwrap();
        store
            .put_bytes(
                Class::User,
                "k1",
                &[0xee; 90],
                &mut random(1000 + u64::from(round)),
            )
            .unwrap();
        drop(store);
        images.push(image_and_state(&mut fork));
        // From the middle on a second one lives the same life with other values: page for page, only the digests tell.
        if round == 7 {
            twin = Some(part.clone());
        } else if let Some(twin) = &mut twin {
            between.append(&mut live_on(twin, 0x80 | round, 2000 + u64::from(round)));
            images.push(image_and_state(twin));
        }
    }
    let states: Vec<&Model> = images.iter().map(|(_, state)| state).chain(&between).collect();
    // Each page alone, and both key pages together.
    let pages = (0..10).map(|number| number * PAGE..(number + 1) * PAGE);
    let ranges: Vec<_> = pages.chain(std::iter::once(0..2 * PAGE)).collect();
    let (mut noticed, mut whole) = (0, 0);
    for (image, state) in &images {
        for (other, _) in &images {
            for range in &ranges {
                if image[range.clone()] == other[range.clone()] {
                    continue;
                }
                let mut mixed = image.clone();
                mixed[range.clone()].copy_from_slice(&other[range.clone()]);
                match mount(&mut P::of_image(&mixed)) {
                    Err(_) => noticed += 1,
                    Ok(mut store) => {
                        let found = contents(&mut store);
                        assert!(
                            states.contains(&&found),
                            "a mixture of two states: {range:?}: {found:?} into {state:?}"
                        );
                        whole += 1;
                    }
                }
            }
        }
    }
    println!("{noticed} noticed, {whole} whole states");
    assert!(noticed > 1_000);
}

//= compliance/requirements.md#store-4
//= type=test
//# The store MUST detect at mount a log or key page that was dropped, replayed, swapped or cut back against the others.
#[test]
fn pages_of_another_time_or_another_fork_are_noticed_on_overwritable_flash() {
    mix_pages::<Flash>();
}

#[test]
fn pages_of_another_time_or_another_fork_are_noticed_on_write_once_flash() {
    mix_pages::<Ecc<8, 1024>>();
}

//= compliance/requirements.md#store-15
//= type=test
//# A record that no longer opens while the store is mounted MUST be reported as damage, never as an absent item.
#[test]
fn a_damaged_record_is_an_error_and_never_absent() {
    let mut part = formatted();
    let mut store = mount(&mut part).unwrap();
    store
        .put_bytes(Class::User, "k", &[5; 40], &mut random(1))
        .unwrap();
    store
        .put_bytes(Class::User, "other", &[6; 40], &mut random(1))
        .unwrap();
    // damage comes while the store is mounted
    let image = store.medium_mut().driver_mut().image_mut();
    let first = 2 * 1024 + 12 + 84 + 84 + 30;
    image[first] ^= 0x10;
    let mut out = [0; 64];
    assert!(matches!(
        store.get_bytes(Class::User, "k", &mut out),
        Err(ReadError::Damaged(_))
    ));
    assert_eq!(
        store.get_bytes(Class::User, "other", &mut out),
        Ok(Some(40)),
        "and hides no other"
    );
}

//= compliance/requirements.md#store-2
//= type=test
//# The store MUST NOT write any byte of a name or a value to the medium in clear.
#[test]
fn nothing_in_clear_tells_names_or_values() {
    let mut part = flash();
    let mut store = format(&mut part, 1);
    let (name, value) = ("a-telling-name", b"a value that must not be seen");
    store.put_bytes(Class::User, name, value, &mut random(1)).unwrap();
    store.put_bytes(Class::User, name, value, &mut random(1)).unwrap();
    drop(store);
    let image = part.image();
    for needle in [name.as_bytes(), &value[..]] {
        for window in needle.windows(6) {
            assert!(!image.windows(6).any(|bytes| bytes == window));
        }
    }
}

#[test]
fn figures_count_what_is_there() {
    let mut part = formatted();
    let mut store = mount(&mut part).unwrap();
    assert_eq!(store.figures().items, 0);
    for number in 0..8u8 {
        store
            .put_bytes(Class::User, &format!("k{number}"), &[1; 60], &mut random(1))
            .unwrap();
    }
    let figures = store.figures();
    assert_eq!((figures.items, figures.live_bytes), (8, 8 * 100));
    assert!(figures.live_bytes < figures.capacity_bytes && figures.capacity_bytes < 8 * 1024);
    let fresh = figures.updates_left(2, 60, 10_000);
    assert!(fresh > 10_000 * 30);
    for round in 0..200u8 {
        store
            .put_bytes(Class::User, "k1", &[round; 60], &mut random(1))
            .unwrap();
    }
    assert!(store.figures().updates_left(2, 60, 10_000) < fresh);
}

/// Gives `len` pseudorandom bytes, of which a share is plausible: headers, magic numbers, blank and zero runs.
fn hostile(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut image = Vec::with_capacity(len + 64);
    while image.len() < len {
        match next() % 6 {
            0 => image.extend([0xff; 40]),
            1 => image.extend([0; 12]),
            2 => image.extend(b"BYE1\x01\0\0\0\xfe\xff\xff\xffbydesign\x01\x01\x04\0"),
            3 => image.extend([8, 0xf8, 1, 0x10]),
            _ => image.extend(next().to_le_bytes()),
        }
    }
    image.truncate(len);
    image
}

//= compliance/requirements.md#store-17
//= type=test
//# Mounting and reading an image of any content MUST end without a panic, after reads bounded by the size of the medium.
#[test]
fn hostile_images_end_in_an_error_after_bounded_reads() {
    let formatted = formatted();
    for seed in 0..3_000u64 {
        let mut image = hostile(10 * 1024, seed);
        if seed % 2 == 0 {
            // A genuine store with hostile pages among its own.
            let page = usize::try_from(seed % 10).unwrap() * 1024;
            let kept = image[page..page + 1024].to_vec();
            image.copy_from_slice(formatted.image());
            image[page..page + 1024].copy_from_slice(&kept);
        }
        let mut part = Flash::of_image(&image);
        part.0.reset_counters();
        if let Ok(mut store) = mount(&mut part) {
            contents(&mut store);
        }
        let read = part.0.counters().bytes_read;
        assert!(read < 64 * 10 * 1024, "seed {seed}: {read} bytes read");
    }
}

/// A driver that says yes and does not do it, from a given call on.
struct Liar(Simulator<4, 1024>, u32, Lie);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lie {
    /// Nothing is done.
    Nothing,
    /// Programs as it should; erases what an erase mark takes, and leaves the rest of the page as it was.
    FirstBytesErased,
}

mod liar {
    use super::{Liar, Lie};
    use bydesign::flash::simulator::SimulatorError;
    use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};

    impl ErrorType for Liar {
        type Error = SimulatorError;
    }
    impl ReadNorFlash for Liar {
        const READ_SIZE: usize = 1;
        fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimulatorError> {
            self.0.read(offset, bytes)
        }
        fn capacity(&self) -> usize {
            self.0.capacity()
        }
    }
    impl NorFlash for Liar {
        const WRITE_SIZE: usize = 4;
        const ERASE_SIZE: usize = 1024;
        fn erase(&mut self, from: u32, to: u32) -> Result<(), SimulatorError> {
            self.1 = self.1.saturating_sub(1);
            if self.1 > 0 {
                return self.0.erase(from, to);
            }
            if self.2 == Lie::FirstBytesErased {
                let rest = from as usize + 12..to as usize;
                let before = self.0.image()[rest.clone()].to_vec();
                self.0.erase(from, to)?;
                self.0.image_mut()[rest].copy_from_slice(&before);
            }
            Ok(())
        }
        fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimulatorError> {
            if self.2 == Lie::Nothing {
                self.1 = self.1.saturating_sub(1);
            }
            if self.1 > 0 || self.2 == Lie::FirstBytesErased {
                self.0.write(offset, bytes)
            } else {
                Ok(())
            }
        }
    }
    impl MultiwriteNorFlash for Liar {}
}

//= compliance/requirements.md#store-22
//= type=test
//# What the store programs or erases MUST be read back and compared before it is relied on.
#[test]
fn flash_that_does_not_keep_what_is_written_is_noticed_and_no_success_is_reported() {
    let (mut nothing_done, mut half_erased) = (0, 0);
    let lies = (1..60).map(|honest| (honest, Lie::Nothing));
    for (honest, lie) in lies.chain((1..4).map(|honest| (honest, Lie::FirstBytesErased))) {
        let mut part = formatted();
        let mut store = mount(&mut part).unwrap();
        store.put_bytes(Class::User, "k", b"old", &mut random(1)).unwrap();
        drop(store);
        let liar = Liar(part.0, u32::MAX, lie);
        let mut store = Store::mount(Overwritable::new(liar), Memory::new(), &root_key(), LABEL).unwrap();
        store.medium_mut().driver_mut().1 = honest;
        let put = store.put_bytes(Class::User, "k", b"new", &mut random(1));
        let erase = store.erase(Class::User, &mut random(1));
        if store.medium().driver().1 == 0 {
            assert!(
                put == Err(WriteError::Unkept) || erase == Err(EraseError::Unkept),
                "{put:?} {erase:?}"
            );
            *match lie {
                Lie::Nothing => &mut nothing_done,
                Lie::FirstBytesErased => &mut half_erased,
            } += 1;
        } else {
            assert_eq!((put, erase), (Ok(()), Ok(())));
        }
    }
    assert!(
        nothing_done > 5 && half_erased > 0,
        "{nothing_done} and {half_erased} lies"
    );
}

#[test]
fn a_page_is_erased_once_for_each_time_that_it_is_filled() {
    let mut part = Ecc::<8, 1024>::new(16 * 1024);
    let mut store = format(&mut part, 1);
    store.medium_mut().driver_mut().reset_counters();
    for number in 0..1000_u32 {
        let value = number.to_le_bytes().repeat(8);
        store
            .put_bytes(Class::User, &format!("k{}", number % 7), &value, &mut random(2))
            .unwrap();
        if number % 50 == 49 {
            store.maintain(2, &mut random(2)).unwrap();
        }
    }
    let counters = store.medium().driver().counters();
    // What a mark, a first record and the end of a page that takes no whole record cost is less than a fifth.
    let filled = counters.bytes_programmed / (1024 * 4 / 5);
    assert!(filled > 60, "{filled} pages");
    assert!(
        counters.erases <= filled,
        "{} erases for {filled} pages",
        counters.erases
    );
}
