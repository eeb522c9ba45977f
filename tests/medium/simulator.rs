//! The flash simulator: does it misbehave exactly as its documentation says, and does a driver that is not ours run on
//! it?

// Addresses of a 16 KiB part fit anywhere; and whole images are compared.
#![allow(clippy::cast_possible_truncation, clippy::large_stack_arrays)]

use std::collections::HashMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bydesign::flash::Blocking;
use bydesign::flash::simulator::{EraseTear, ProgramTear, Rule, Simulator, SimulatorError, WornOut};
use embedded_storage::nor_flash::{NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};
use proptest::prelude::*;
use sequential_storage::cache::{self, Cache};
use sequential_storage::map::{MapConfig, MapStorage};

const UNIT: usize = 4096;
const CAPACITY: usize = 4 * UNIT;

type Flash = Simulator<4, UNIT>;

const OLD: [u8; 16] = *b"the old contents";

fn flash() -> Flash {
    Flash::new(CAPACITY, Rule::Multiwrite)
}

fn write_once() -> Flash {
    Flash::new(CAPACITY, Rule::WriteOnce)
}

fn read<const LENGTH: usize>(flash: &mut Flash, address: u32) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    flash.read(address, &mut bytes).unwrap();
    bytes
}

/// A program call of 16 zero bytes over blank, cut at the event, powered on again.
fn torn_program(tear: ProgramTear, event: u64, seed: u64) -> Flash {
    let mut flash = flash();
    flash.set_tear(tear, EraseTear::Clean, seed);
    flash.cut_after(event);
    assert_eq!(flash.write(8, &[0; 16]), Err(SimulatorError::PowerLost));
    flash.power_on();
    flash
}

/// An erase of unit 1, whose bytes are all 0x5A, cut at the step, powered on again.
fn torn_erase(tear: EraseTear, step: u64, seed: u64) -> Flash {
    let mut flash = flash();
    flash.write(0, &[0x5A; CAPACITY]).unwrap();
    flash.set_tear(ProgramTear::Clean, tear, seed);
    flash.cut_after(step);
    assert_eq!(
        flash.erase(UNIT as u32, 2 * UNIT as u32),
        Err(SimulatorError::PowerLost)
    );
    flash.power_on();
    let image = flash.image();
    assert!(
        image[..UNIT]
            .iter()
            .chain(&image[2 * UNIT..])
            .all(|byte| *byte == 0x5A),
        "other units are untouched"
    );
    flash
}

fn unit_1(flash: &Flash) -> &[u8] {
    &flash.image()[UNIT..2 * UNIT]
}

fn ones(bytes: &[u8]) -> u32 {
    bytes.iter().map(|byte| byte.count_ones()).sum()
}

// ---- Programming, erasing, reading ----

#[test]
fn a_new_part_is_blank_and_made_of_whole_units() {
    let flash = Flash::new(CAPACITY + UNIT - 1, Rule::Multiwrite);
    assert_eq!(flash.capacity(), CAPACITY);
    assert!(flash.image().iter().all(|byte| *byte == 0xFF));
    assert_eq!(Flash::new(UNIT - 1, Rule::WriteOnce).capacity(), 0);
}

#[test]
fn programming_again_clears_bits_and_counts_the_ones_it_could_not_set() {
    let mut flash = flash();
    flash.write(0, &[0xF0, 0xFF, 0x00, 0xFF]).unwrap();
    assert_eq!(flash.counters().lost_ones, 0);
    flash.write(0, &[0x3C, 0xFF, 0x81, 0xFF]).unwrap();
    assert_eq!(read(&mut flash, 0), [0x30, 0xFF, 0x00, 0xFF]);
    assert_eq!(flash.counters().lost_ones, 2 + 2);
}

#[test]
fn an_erase_makes_its_units_blank_and_no_others() {
    let mut flash = flash();
    flash.write(0, &[0; CAPACITY]).unwrap();
    flash.erase(UNIT as u32, 3 * UNIT as u32).unwrap();
    assert!(flash.image()[..UNIT].iter().all(|byte| *byte == 0));
    assert!(flash.image()[UNIT..3 * UNIT].iter().all(|byte| *byte == 0xFF));
    assert!(flash.image()[3 * UNIT..].iter().all(|byte| *byte == 0));
}

#[test]
fn bad_alignment_and_bounds_are_errors_that_change_nothing() {
    let mut flash = flash();
    let end = CAPACITY as u32;
    assert_eq!(flash.write(2, &[0; 4]), Err(SimulatorError::NotAligned));
    assert_eq!(flash.write(4, &[0; 3]), Err(SimulatorError::NotAligned));
    assert_eq!(flash.write(end, &[0; 4]), Err(SimulatorError::OutOfBounds));
    assert_eq!(
        flash.write(u32::MAX - 3, &[0; 8]),
        Err(SimulatorError::OutOfBounds)
    );
    assert_eq!(flash.erase(0, 100), Err(SimulatorError::NotAligned));
    assert_eq!(flash.erase(4, UNIT as u32), Err(SimulatorError::NotAligned));
    assert_eq!(
        flash.erase(0, end + UNIT as u32),
        Err(SimulatorError::OutOfBounds)
    );
    assert_eq!(flash.erase(UNIT as u32, 0), Err(SimulatorError::OutOfBounds));
    assert_eq!(flash.read(end - 1, &mut [0; 2]), Err(SimulatorError::OutOfBounds));
    assert_eq!(
        flash.read(end - 1, &mut [0; 1]),
        Ok(()),
        "reads have no alignment"
    );
    assert_eq!(flash.read(end, &mut []), Ok(()));
    assert_eq!(flash.write(0, &[]), Ok(()));
    assert_eq!(flash.erase(0, 0), Ok(()));
    assert_eq!(flash.events(), 0);
    assert!(flash.image().iter().all(|byte| *byte == 0xFF));
}

#[test]
fn errors_have_the_portable_kind() {
    assert_eq!(SimulatorError::NotAligned.kind(), NorFlashErrorKind::NotAligned);
    assert_eq!(SimulatorError::OutOfBounds.kind(), NorFlashErrorKind::OutOfBounds);
    assert_eq!(SimulatorError::PowerLost.kind(), NorFlashErrorKind::Other);
    assert_eq!(
        SimulatorError::ProgrammedTwice(4).kind(),
        NorFlashErrorKind::Other
    );
    assert_eq!(SimulatorError::Unreadable(4).kind(), NorFlashErrorKind::Other);
    let injected = SimulatorError::Injected(NorFlashErrorKind::NotAligned);
    assert_eq!(injected.kind(), NorFlashErrorKind::NotAligned);
}

// ---- Write-once parts ----

#[test]
fn a_write_once_word_is_programmed_once_between_erases() {
    let mut flash = write_once();
    flash.write(8, &OLD).unwrap();
    assert_eq!(
        flash.write(0, &[0; 12]),
        Err(SimulatorError::ProgrammedTwice(8)),
        "the first such word is named"
    );
    assert_eq!(
        read(&mut flash, 0),
        [0xFF; 8],
        "and the words before it are untouched"
    );
    assert_eq!(
        flash.write(8, &OLD),
        Err(SimulatorError::ProgrammedTwice(8)),
        "even with the same data"
    );
    assert_eq!(
        flash.write(20, &[0xFF; 4]),
        Err(SimulatorError::ProgrammedTwice(20))
    );
    flash.write(24, &OLD).unwrap();
    flash.erase(0, UNIT as u32).unwrap();
    flash.write(0, &[0; 64]).unwrap();
}

#[test]
fn a_write_once_word_programmed_to_all_ones_is_programmed() {
    let mut flash = write_once();
    flash.write(0, &[0xFF; 4]).unwrap();
    assert_eq!(flash.write(0, &[0; 4]), Err(SimulatorError::ProgrammedTwice(0)));
    flash.write(4, &[0; 4]).unwrap();
}

#[test]
fn a_write_once_part_follows_an_image_and_edits_of_it() {
    let mut image = [0xFF; CAPACITY + 7];
    image[5] = 0xFE;
    let mut flash = Flash::from_image(&image, Rule::WriteOnce);
    assert_eq!(flash.image(), &image[..CAPACITY]);
    assert_eq!(flash.write(4, &[0; 4]), Err(SimulatorError::ProgrammedTwice(4)));
    flash.write(0, &[0xFF; 4]).unwrap();

    flash.image_mut()[5] = 0xFF;
    flash.image_mut()[UNIT] = 0;
    flash.write(4, &[1; 4]).unwrap();
    assert_eq!(
        flash.write(UNIT as u32, &[0; 4]),
        Err(SimulatorError::ProgrammedTwice(UNIT as u32))
    );
    assert_eq!(
        flash.write(0, &[0; 4]),
        Err(SimulatorError::ProgrammedTwice(0)),
        "not edited, so still programmed"
    );
}

#[test]
fn a_write_once_word_is_spent_once_its_programming_began() {
    for tear in [
        ProgramTear::TornWord,
        ProgramTear::UnreadableWord,
        ProgramTear::Unstable,
    ] {
        let mut flash = write_once();
        flash.set_tear(tear, EraseTear::Clean, 1);
        flash.cut_after(5);
        assert_eq!(flash.write(0, &[0xFF; 16]), Err(SimulatorError::PowerLost));
        flash.power_on();
        assert_eq!(flash.write(4, &[0; 4]), Err(SimulatorError::ProgrammedTwice(4)));
        flash.write(8, &[0; 4]).unwrap();
    }
}

// ---- Power ----

#[test]
fn a_cut_lands_on_every_byte_of_a_program_and_keeps_the_part_off() {
    for event in 0..16 {
        let flash = torn_program(ProgramTear::Clean, event, 0);
        let done = event as usize;
        assert!(flash.image()[8..8 + done].iter().all(|byte| *byte == 0));
        assert!(flash.image()[8 + done..].iter().all(|byte| *byte == 0xFF));
        assert_eq!(flash.events(), event);
    }
    let mut flash = flash();
    flash.cut_after(16);
    flash.write(8, &[0; 16]).unwrap();
    assert!(!flash.is_off());
    assert_eq!(flash.write(24, &[0; 4]), Err(SimulatorError::PowerLost));
    assert!(flash.is_off());
    assert_eq!(flash.read(0, &mut [0; 4]), Err(SimulatorError::PowerLost));
    assert_eq!(flash.write(0, &[0; 4]), Err(SimulatorError::PowerLost));
    assert_eq!(flash.erase(0, UNIT as u32), Err(SimulatorError::PowerLost));
    flash.power_on();
    flash.erase(0, CAPACITY as u32).unwrap();
    assert_eq!(flash.events(), 16 + 4 * 4);
}

#[test]
fn a_cut_that_is_taken_back_does_not_come() {
    let mut flash = flash();
    flash.cut_after(2);
    flash.never_cut();
    flash.write(0, &[0; 4]).unwrap();
    flash.cut_after(2);
    flash.power_on();
    flash.write(0, &[0; 4]).unwrap();
}

#[test]
fn a_torn_word_loses_some_of_its_bits_and_its_neighbours_none() {
    let mut torn = 0;
    for event in 0..16 {
        let flash = torn_program(ProgramTear::TornWord, event, 7);
        let word = 8 + event as usize / 4 * 4;
        let image = flash.image();
        assert!(image[8..word].iter().all(|byte| *byte == 0));
        assert!(image[word + 4..].iter().all(|byte| *byte == 0xFF));
        torn += u32::from((1..32).contains(&ones(&image[word..word + 4])));
    }
    assert!(torn >= 15, "random bits are rarely all the same");
}

#[test]
fn a_torn_word_never_clears_a_bit_that_was_not_asked_for() {
    let old = [0xC3, 0x5A, 0xFF, 0x0F];
    let requested = [0x66, 0x00, 0xF0, 0xFF];
    for seed in 0..200 {
        let mut flash = flash();
        flash.write(0, &old).unwrap();
        flash.set_tear(ProgramTear::TornWord, EraseTear::Clean, seed);
        flash.cut_after(2);
        assert!(flash.write(0, &requested).is_err());
        for (index, left) in flash.image()[..4].iter().enumerate() {
            assert_eq!(left & !old[index], 0, "no bit was set");
            assert_eq!(
                left & (old[index] & requested[index]),
                old[index] & requested[index]
            );
        }
    }
}

#[test]
fn an_unreadable_word_fails_to_read_until_its_unit_is_erased() {
    let mut flash = torn_program(ProgramTear::UnreadableWord, 5, 7);
    assert_eq!(read(&mut flash, 8), [0; 4]);
    let mut buffer = [0xAB; 8];
    assert_eq!(flash.read(8, &mut buffer), Err(SimulatorError::Unreadable(12)));
    assert_eq!(
        flash.read(15, &mut buffer[..1]),
        Err(SimulatorError::Unreadable(12))
    );
    assert_eq!(buffer, [0xAB; 8]);
    assert_eq!(read(&mut flash, 16), [0xFF; 4]);
    flash.write(12, &[0; 4]).unwrap();
    assert!(
        flash.read(12, &mut buffer).is_err(),
        "programming does not mend it"
    );
    flash.erase(UNIT as u32, 2 * UNIT as u32).unwrap();
    assert!(
        flash.read(12, &mut buffer).is_err(),
        "nor does another unit's erase"
    );
    flash.erase(0, UNIT as u32).unwrap();
    assert_eq!(read(&mut flash, 12), [0xFF; 4]);
}

#[test]
fn an_unstable_word_reads_differently_until_it_is_zeroed_or_erased() {
    let mut flash = torn_program(ProgramTear::Unstable, 5, 7);
    let reads: Vec<[u8; 16]> = (0..50).map(|_| read(&mut flash, 8)).collect();
    assert!(
        reads
            .iter()
            .all(|read| read[..4] == [0; 4] && read[8..] == [0xFF; 8]),
        "the neighbours are sure"
    );
    assert!(reads.iter().any(|read| read[4..8] != reads[0][4..8]));
    let either = reads
        .iter()
        .fold((0xFF, 0), |(all, any), read| (all & read[5], any | read[5]));
    assert_eq!(either, (0, 0xFF), "each bit is read as both");
    assert_eq!(
        flash.image(),
        flash.clone().image(),
        "the view by the clip is stable"
    );

    let mut zeroed = flash.clone();
    zeroed.write(12, &[0x0F; 4]).unwrap();
    assert!((0..50).all(|_| read::<4>(&mut zeroed, 12).iter().all(|byte| byte & 0xF0 == 0)));
    zeroed.write(12, &[0; 4]).unwrap();
    assert!((0..50).all(|_| read(&mut zeroed, 12) == [0; 4]));

    flash.erase(0, UNIT as u32).unwrap();
    assert!((0..50).all(|_| read(&mut flash, 12) == [0xFF; 4]));
}

#[test]
fn an_edit_by_the_clip_settles_unstable_and_unreadable_words() {
    for tear in [ProgramTear::Unstable, ProgramTear::UnreadableWord] {
        let mut flash = torn_program(tear, 5, 7);
        for byte in &mut flash.image_mut()[12..16] {
            *byte = !*byte;
        }
        let edited: [u8; 4] = flash.image()[12..16].try_into().unwrap();
        assert!((0..50).all(|_| read(&mut flash, 12) == edited));
    }
}

#[test]
fn every_erase_tear_begins_with_the_old_unit_and_ends_with_the_blank_one() {
    let tears = [
        EraseTear::Clean,
        EraseTear::OldOrOne,
        EraseTear::Unstable,
        EraseTear::WeakBlank,
        EraseTear::HalfErased,
    ];
    for tear in tears {
        assert!(
            unit_1(&torn_erase(tear, 0, 3)).iter().all(|byte| *byte == 0x5A),
            "{tear:?}"
        );
        let mut done = torn_erase(tear, 3, 3);
        assert!(unit_1(&done).iter().all(|byte| *byte == 0xFF), "{tear:?}");
        done.write(UNIT as u32, &OLD).unwrap();
        done.power_on();
        assert!(
            (0..100).all(|_| read(&mut done, UNIT as u32) == OLD),
            "{tear:?}: done means strong and stable"
        );
    }
}

#[test]
fn a_clean_erase_tear_is_old_or_erased() {
    assert!(
        unit_1(&torn_erase(EraseTear::Clean, 1, 0))
            .iter()
            .all(|byte| *byte == 0x5A)
    );
    assert!(
        unit_1(&torn_erase(EraseTear::Clean, 2, 0))
            .iter()
            .all(|byte| *byte == 0xFF)
    );
}

#[test]
fn an_old_or_one_erase_is_first_mostly_old_then_mostly_erased() {
    let zeros = |step| {
        let mut flash = torn_erase(EraseTear::OldOrOne, step, 9);
        assert!(
            unit_1(&flash).iter().all(|byte| byte & 0x5A == 0x5A),
            "no bit was cleared"
        );
        assert_eq!(
            read::<UNIT>(&mut flash, UNIT as u32),
            unit_1(&flash),
            "and all are stable"
        );
        8 * UNIT as u32 - ones(unit_1(&flash))
    };
    let old_zeros = 4 * UNIT as u32;
    assert!((old_zeros / 2..old_zeros).contains(&zeros(1)));
    assert!((1..old_zeros / 2).contains(&zeros(2)));
}

#[test]
fn an_unstable_erase_reads_each_bit_as_old_or_one_anew() {
    for (step, leans_to_one) in [(1, false), (2, true)] {
        let mut flash = torn_erase(EraseTear::Unstable, step, 9);
        let address = UNIT as u32 + 100;
        let reads: Vec<[u8; 16]> = (0..200).map(|_| read(&mut flash, address)).collect();
        assert!(
            reads.iter().flatten().all(|byte| byte & 0x5A == 0x5A),
            "ones stay ones"
        );
        for index in 0..16 {
            let all = reads.iter().fold(0xFF, |bits, read| bits & read[index]);
            let any = reads.iter().fold(0, |bits, read| bits | read[index]);
            assert_eq!((all, any), (0x5A, 0xFF), "each zero is read as both");
        }
        let risen: u32 = reads.iter().map(|read| ones(read) - 64).sum();
        assert_eq!(risen > 200 * 64 / 2, leans_to_one);
        flash.erase(UNIT as u32, 2 * UNIT as u32).unwrap();
        assert!((0..50).all(|_| read(&mut flash, address) == [0xFF; 16]));
    }
}

#[test]
fn a_weak_blank_unit_loses_what_is_programmed_at_the_next_power_on() {
    for step in [1, 2] {
        let mut flash = torn_erase(EraseTear::WeakBlank, step, 5);
        assert!(unit_1(&flash).iter().all(|byte| *byte == 0xFF));
        flash.write(UNIT as u32 + 32, &[0x5A; 64]).unwrap();
        assert_eq!(read(&mut flash, UNIT as u32 + 32), [0x5A; 64], "it seems to work");
        flash.power_on();
        let left: [u8; 64] = read(&mut flash, UNIT as u32 + 32);
        assert_ne!(left, [0x5A; 64]);
        assert!(left.iter().all(|byte| byte & 0x5A == 0x5A), "only zeros are lost");
        assert_eq!(
            read(&mut flash, UNIT as u32),
            [0xFF; 32],
            "words not programmed stay blank"
        );
        assert_eq!(read(&mut flash, UNIT as u32 + 32), left, "what is left is stable");

        flash.write(UNIT as u32 + 1024, &[0; 64]).unwrap();
        flash.power_on();
        assert_ne!(read(&mut flash, UNIT as u32 + 1024), [0; 64], "weak until erased");
        flash.erase(UNIT as u32, 2 * UNIT as u32).unwrap();
        flash.write(UNIT as u32, &[0; 64]).unwrap();
        flash.power_on();
        assert_eq!(read(&mut flash, UNIT as u32), [0; 64]);
    }
}

#[test]
fn a_weak_blank_unit_loses_what_is_programmed_after_64_reads() {
    let mut flash = torn_erase(EraseTear::WeakBlank, 1, 5);
    let _: [u8; 4] = read(&mut flash, UNIT as u32);
    flash.write(UNIT as u32, &[0; 64]).unwrap();
    for _ in 0..64 {
        assert_eq!(read(&mut flash, UNIT as u32), [0; 64]);
    }
    assert_ne!(read(&mut flash, UNIT as u32), [0; 64]);
}

#[test]
fn a_half_erased_unit_has_each_half_in_turn_and_the_seed_says_which_first() {
    let blank_half = |step, seed| {
        let flash = torn_erase(EraseTear::HalfErased, step, seed);
        let (first, second) = unit_1(&flash).split_at(UNIT / 2);
        let first_is_blank = first.iter().all(|byte| *byte == 0xFF);
        let (blank, old) = if first_is_blank {
            (first, second)
        } else {
            (second, first)
        };
        assert!(blank.iter().all(|byte| *byte == 0xFF) && old.iter().all(|byte| *byte == 0x5A));
        first_is_blank
    };
    assert_eq!([blank_half(1, 0), blank_half(2, 0)], [true, false]);
    assert_eq!([blank_half(1, 1), blank_half(2, 1)], [false, true]);
}

#[test]
fn a_half_erased_write_once_unit_can_be_programmed_in_its_erased_half_only() {
    let mut flash = write_once();
    flash.write(0, &[0; UNIT]).unwrap();
    flash.set_tear(ProgramTear::Clean, EraseTear::HalfErased, 0);
    flash.cut_after(1);
    assert!(flash.erase(0, UNIT as u32).is_err());
    flash.power_on();
    let middle = UNIT as u32 / 2;
    assert_eq!(
        flash.write(middle, &[0; 4]),
        Err(SimulatorError::ProgrammedTwice(middle))
    );
    flash.write(0, &[0; UNIT / 2]).unwrap();
}

#[test]
fn a_cut_in_an_erase_of_several_units_finishes_those_before_it() {
    let mut flash = flash();
    flash.write(0, &[0; CAPACITY]).unwrap();
    flash.cut_after(2 * 4);
    assert_eq!(flash.erase(0, CAPACITY as u32), Err(SimulatorError::PowerLost));
    assert!(flash.image()[..2 * UNIT].iter().all(|byte| *byte == 0xFF));
    assert!(flash.image()[2 * UNIT..].iter().all(|byte| *byte == 0));
    assert_eq!(
        flash.counters().erases_per_unit,
        [1, 1, 0, 0],
        "the third had not begun"
    );
}

#[test]
fn the_same_seed_tears_the_same_and_another_seed_does_not() {
    for tear in [ProgramTear::TornWord, ProgramTear::Unstable] {
        let seen = |seed| {
            let mut flash = torn_program(tear, 6, seed);
            let reads: Vec<[u8; 16]> = (0..8).map(|_| read(&mut flash, 8)).collect();
            (reads, flash.image().to_vec())
        };
        assert_eq!(seen(1), seen(1));
        assert_ne!(seen(1), seen(2));
    }
    for tear in [EraseTear::OldOrOne, EraseTear::Unstable] {
        assert_eq!(torn_erase(tear, 1, 1).image(), torn_erase(tear, 1, 1).image());
        assert_ne!(torn_erase(tear, 1, 1).image(), torn_erase(tear, 1, 2).image());
    }
}

#[test]
fn a_clone_is_a_snapshot_and_goes_the_same_way() {
    let mut flash = torn_program(ProgramTear::Unstable, 6, 3);
    let mut snapshot = flash.clone();
    assert_eq!(read::<16>(&mut flash, 8), read::<16>(&mut snapshot, 8));
    flash.write(64, &[0; 4]).unwrap();
    assert_eq!(snapshot.image()[64], 0xFF);
    assert_eq!(snapshot.events() + 4, flash.events());
}

// ---- Faults ----

#[test]
fn a_flipped_bit_is_read_and_a_flip_outside_the_part_is_ignored() {
    let mut flash = write_once();
    flash.flip_bit(4, 7);
    flash.flip_bit(CAPACITY as u32, 0);
    flash.flip_bit(0, 8);
    assert_eq!(read(&mut flash, 0), [0xFF, 0xFF, 0xFF, 0xFF, 0x7F]);
    assert_eq!(
        flash.write(4, &[0; 4]),
        Err(SimulatorError::ProgrammedTwice(4)),
        "the word is not blank"
    );
    flash.flip_bit(4, 7);
    assert_eq!(read(&mut flash, 4), [0xFF]);
}

#[test]
fn a_word_made_unreadable_stays_so_through_power_cycles() {
    let mut flash = write_once();
    flash.make_unreadable(6);
    flash.make_unreadable(CAPACITY as u32);
    flash.power_on();
    assert_eq!(flash.read(0, &mut [0; 8]), Err(SimulatorError::Unreadable(4)));
    assert_eq!(flash.write(4, &[0; 4]), Err(SimulatorError::ProgrammedTwice(4)));
    flash.erase(0, UNIT as u32).unwrap();
    assert_eq!(read(&mut flash, 0), [0xFF; 8]);
}

#[test]
fn an_injected_error_comes_once_at_its_operation_and_changes_nothing() {
    let mut flash = flash();
    flash.fail_after(2, NorFlashErrorKind::Other);
    flash.write(0, &OLD).unwrap();
    assert_eq!(
        flash.write(1, &OLD),
        Err(SimulatorError::NotAligned),
        "not counted"
    );
    assert_eq!(read(&mut flash, 0), OLD);
    let events = flash.events();
    let injected = Err(SimulatorError::Injected(NorFlashErrorKind::Other));
    assert_eq!(flash.erase(0, UNIT as u32), injected);
    assert_eq!(flash.events(), events);
    assert_eq!(read(&mut flash, 0), OLD);
    flash.fail_after(0, NorFlashErrorKind::Other);
    assert_eq!(flash.read(0, &mut [0; 4]), injected);
    flash.fail_after(0, NorFlashErrorKind::Other);
    assert_eq!(flash.write(0, &[0; 4]), injected);
    flash.erase(0, UNIT as u32).unwrap();
}

// ---- Counters ----

#[test]
fn counters_follow_the_calls() {
    let mut flash = flash();
    flash.write(252, &[0; 8]).unwrap();
    flash.write(256, &[0; 256]).unwrap();
    flash.erase(0, 2 * UNIT as u32).unwrap();
    flash.erase(0, UNIT as u32).unwrap();
    let _: [u8; 40] = read(&mut flash, 3);
    let counters = flash.counters();
    assert_eq!(
        (
            counters.programs,
            counters.bytes_programmed,
            counters.pages_touched
        ),
        (2, 264, 2 + 1)
    );
    assert_eq!(
        (counters.erases, counters.erases_per_unit.as_slice()),
        (3, [2, 1, 0, 0].as_slice())
    );
    assert_eq!((counters.reads, counters.bytes_read), (1, 40));
    let expected = 3.0 * 200.0 + 3.0 * 45_000.0 + 1.0;
    assert!((counters.modelled_micros() - expected).abs() < 1e-6);
    flash.reset_counters();
    assert_eq!(flash.counters().erases_per_unit, [0; 4]);
    assert_eq!(flash.counters().modelled_micros().to_bits(), 0.0_f64.to_bits());
    assert_eq!(flash.events(), 264 + 3 * 4);
}

#[test]
fn an_interrupted_program_counts_for_as_far_as_it_came() {
    for tear in [ProgramTear::Clean, ProgramTear::TornWord] {
        let mut flash = flash();
        flash.set_tear(tear, EraseTear::Clean, 0);
        flash.cut_after(257);
        assert!(flash.write(0, &[0; 1024]).is_err());
        let counters = flash.counters();
        assert_eq!(
            (
                counters.programs,
                counters.bytes_programmed,
                counters.pages_touched
            ),
            (1, 257, 2)
        );
    }
}

// ---- Against models ----

#[derive(Clone, Debug)]
enum Call {
    Write { word: usize, bytes: Vec<u8> },
    Erase { first: usize, count: usize },
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let write = (0..64_usize, prop::collection::vec(any::<u8>(), 0..80)).prop_map(|(word, mut bytes)| {
        bytes.truncate(bytes.len() / 4 * 4);
        Call::Write { word, bytes }
    });
    let erase = (0..4_usize, 0..3_usize).prop_map(|(first, count)| Call::Erase { first, count });
    prop::collection::vec(prop_oneof![4 => write, 1 => erase], 0..60)
}

const SMALL_UNIT: usize = 64;

/// Runs the calls on the simulator and on a byte array; returns whether they agree on everything.
fn agrees_with_model(rule: Rule, calls: &[Call]) -> Result<(), TestCaseError> {
    let mut flash = Simulator::<4, SMALL_UNIT>::new(4 * SMALL_UNIT, rule);
    let mut memory = [0xFF_u8; 4 * SMALL_UNIT];
    let mut programmed = [false; 4 * SMALL_UNIT];
    for call in calls {
        match call {
            Call::Write { word, bytes } => {
                let range = word * 4..word * 4 + bytes.len();
                let done = flash.write(range.start as u32, bytes);
                if range.end > memory.len() {
                    prop_assert_eq!(done, Err(SimulatorError::OutOfBounds));
                } else if rule == Rule::WriteOnce
                    && let Some(first) = range.clone().find(|index| programmed[*index])
                {
                    prop_assert_eq!(done, Err(SimulatorError::ProgrammedTwice(first as u32)));
                } else {
                    prop_assert_eq!(done, Ok(()));
                    programmed[range.clone()].fill(true);
                    for (byte, requested) in memory[range].iter_mut().zip(bytes) {
                        *byte &= requested;
                    }
                }
            }
            Call::Erase { first, count } => {
                let range = first * SMALL_UNIT..(first + count) * SMALL_UNIT;
                let done = flash.erase(range.start as u32, range.end as u32);
                if range.end > memory.len() {
                    prop_assert_eq!(done, Err(SimulatorError::OutOfBounds));
                } else {
                    prop_assert_eq!(done, Ok(()));
                    memory[range.clone()].fill(0xFF);
                    programmed[range].fill(false);
                }
            }
        }
        prop_assert_eq!(flash.image(), &memory[..]);
    }
    let mut read = [0; 4 * SMALL_UNIT];
    prop_assert_eq!(flash.read(0, &mut read), Ok(()));
    prop_assert_eq!(read, memory);
    Ok(())
}

proptest! {
    #[test]
    fn programs_and_erases_equal_an_and_model(calls in calls()) {
        agrees_with_model(Rule::Multiwrite, &calls)?;
    }

    #[test]
    fn programs_and_erases_equal_a_write_once_model(calls in calls()) {
        agrees_with_model(Rule::WriteOnce, &calls)?;
    }

    #[test]
    fn an_edit_by_the_clip_leaves_the_state_that_an_image_has(
        before in prop::collection::vec(prop_oneof![Just(0xFF_u8), any::<u8>()], 256),
        after in prop::collection::vec(prop_oneof![3 => Just(0xFF_u8), 1 => any::<u8>()], 256),
    ) {
        let mut edited = Simulator::<4, SMALL_UNIT>::from_image(&before, Rule::WriteOnce);
        edited.image_mut().copy_from_slice(&after);
        let mut fresh = Simulator::<4, SMALL_UNIT>::from_image(&after, Rule::WriteOnce);
        for word in 0..64 {
            prop_assert_eq!(edited.write(word * 4, &[0; 4]), fresh.write(word * 4, &[0; 4]));
        }
    }

    #[test]
    fn a_cut_changes_only_what_the_call_was_at(
        event in 0..64_u64,
        seed: u64,
        tear in prop::sample::select(vec![
            ProgramTear::Clean, ProgramTear::TornWord, ProgramTear::UnreadableWord, ProgramTear::Unstable,
        ]),
        old in prop::collection::vec(any::<u8>(), 64),
        new in prop::collection::vec(any::<u8>(), 64),
    ) {
        let mut flash = Simulator::<8, SMALL_UNIT>::new(4 * SMALL_UNIT, Rule::Multiwrite);
        flash.write(64, &old).unwrap();
        flash.set_tear(tear, EraseTear::Clean, seed);
        flash.cut_after(event);
        prop_assert_eq!(flash.write(64, &new), Err(SimulatorError::PowerLost));
        let word = event as usize / 8 * 8;
        for (index, left) in flash.image()[64..128].iter().enumerate() {
            let (old, both) = (old[index], old[index] & new[index]);
            prop_assert!(index >= word || *left == both);
            prop_assert!(index < word + 8 || *left == old);
            prop_assert!(left & !old == 0 && left & both == both);
        }
        prop_assert!(flash.image()[..64].iter().chain(&flash.image()[128..]).all(|byte| *byte == 0xFF));
    }
}

// ---- A store that is not ours ----

type Map = MapStorage<u16, Blocking<Flash>, Uncached>;
type Uncached = Cache<cache::Uncached, cache::Uncached, cache::Uncached, u16>;
type Value = [u8; 40];
type MapError = sequential_storage::Error<SimulatorError>;

fn map_on(flash: Flash) -> Map {
    MapStorage::new(
        Blocking(flash),
        MapConfig::new(0..CAPACITY as u32),
        Cache::new_uncached(),
    )
}

fn store(map: &mut Map, key: u16, value: Value) -> Result<(), MapError> {
    ready(map.store_item(&mut [0; 128], &key, &value))
}

fn fetch(map: &mut Map, key: u16) -> Option<Value> {
    ready(map.fetch_item(&mut [0; 128], &key)).unwrap()
}

/// The result of a future that never pends.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("a blocking driver does not pend"),
    }
}

/// The key and value of the store numbered `turn`: every key in turn, a new value each time.
fn item(turn: u32, keys: u16) -> (u16, Value) {
    let mut value = [0x5A; 40];
    value[..4].copy_from_slice(&turn.to_le_bytes());
    ((turn % u32::from(keys)) as u16, value)
}

#[test]
fn a_store_that_is_not_ours_equals_a_hash_map_over_page_wraps() {
    const KEYS: u16 = 100;
    let mut map = map_on(flash());
    let mut model = HashMap::new();
    for turn in 0..1000 {
        let (key, value) = item(turn, KEYS);
        store(&mut map, key, value).unwrap();
        model.insert(key, value);
    }
    let check = |map: &mut Map| assert!((0..=KEYS).all(|key| fetch(map, key) == model.get(&key).copied()));
    check(&mut map);
    let (Blocking(flash), _) = map.destroy();
    check(&mut map_on(flash.clone())); // and again by one that has to find everything on flash

    let counters = flash.counters();
    assert!(counters.bytes_programmed > 1000 * 40, "values, keys and headers");
    assert!(
        counters.bytes_programmed < 1000 * 40 * 3,
        "and no more than a few moves"
    );
    assert!(counters.programs >= 2 * 1000, "header and value");
    assert!(counters.pages_touched >= counters.programs);
    assert!(
        counters.erases_per_unit.iter().all(|erases| *erases >= 2),
        "wrapped: {:?}",
        counters.erases_per_unit
    );
    assert_eq!(
        counters.erases,
        counters
            .erases_per_unit
            .iter()
            .map(|erases| u64::from(*erases))
            .sum::<u64>()
    );
    assert!(counters.bytes_read > counters.bytes_programmed);
}

#[test]
fn a_store_that_is_not_ours_keeps_the_old_or_the_new_value_over_clean_cuts_at_every_event() {
    const KEYS: u16 = 60;
    let mut aged = map_on(flash());
    for turn in 0..400 {
        let (key, value) = item(turn, KEYS);
        store(&mut aged, key, value).unwrap();
    }
    let (Blocking(mut flash), _) = aged.destroy();

    let (mut cuts, mut old_values, mut new_values) = (0, 0, 0);
    let before = flash.counters().erases;
    for turn in 400..480 {
        let (key, new) = item(turn, KEYS);
        let (_, old) = item(turn - u32::from(KEYS), KEYS);
        let (next, next_value) = item(turn + 1 - u32::from(KEYS), KEYS);

        let mut whole = map_on(flash.clone());
        store(&mut whole, key, new).unwrap();
        let (Blocking(whole), _) = whole.destroy();
        for event in 0..whole.events() - flash.events() {
            let mut map = map_on(flash.clone());
            map.flash().0.cut_after(event);
            assert!(matches!(
                store(&mut map, key, new),
                Err(MapError::Storage {
                    value: SimulatorError::PowerLost,
                    ..
                })
            ));
            let (Blocking(mut left), _) = map.destroy();
            assert!(left.is_off());
            left.power_on();

            let mut map = map_on(left);
            let found = fetch(&mut map, key);
            assert!(
                found == Some(old) || found == Some(new),
                "turn {turn}, event {event}: {found:?}"
            );
            assert_eq!(
                fetch(&mut map, next),
                Some(next_value),
                "turn {turn}, event {event}"
            );
            cuts += 1;
            old_values += u32::from(found == Some(old));
            new_values += u32::from(found == Some(new));
        }
        flash = whole;
    }
    assert!(flash.counters().erases > before, "cuts fell into page moves too");
    assert!(
        cuts > 80 * 40 && old_values > new_values && new_values > 0,
        "{cuts} {old_values} {new_values}"
    );
}

#[test]
fn a_unit_that_does_not_program_stays_blank_through_whole_and_through_cut_calls() {
    for tear in [ProgramTear::Clean, ProgramTear::TornWord, ProgramTear::Unstable] {
        for done in 0..=16 {
            let mut flash = flash();
            flash.wear_out(0, Some(WornOut::DoesNotProgram));
            flash.set_tear(tear, EraseTear::Clean, done);
            flash.cut_after(done);
            assert_eq!(flash.write(0, &[0; 16]).is_err(), done < 16);
            flash.power_on();
            assert!(flash.image()[..UNIT].iter().all(|&byte| byte == 0xff));
            assert_eq!(
                flash.write(UNIT as u32, &[0; 16]),
                Ok(()),
                "the unit beside it is sound"
            );
            assert_eq!(flash.image()[UNIT..UNIT + 16], [0; 16]);
        }
    }
}
