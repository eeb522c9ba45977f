//! A writer between two boots, who drops, copies, swaps, cuts and splices what is on flash: every action, with every kind of piece,
//! from every source. Each is an error that names what is wrong, or leaves the latest state or one whole earlier one.
//!
//! ```text
//!  tamper     (this file)  the campaign, its table, and named cases
//!  tampering               what is done to an image
//!  verdict                 the rule
//!  history · layout        stores with a past; where records stand
//! ```
//!
//! The same with a counter outside the flash that is moved at every change: then no cell of the table has an earlier state.

use crate::support;

mod history;
mod layout;
mod tampering;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use bydesign::store::{Class, FormatError, MountError, ReadError, Store};
use history::{Moment, Owner, alike, eventful, go_on, write};
use layout::{LOG_START, Layout};
use support::{Ecc, Memory, Model, Nor, Part, contents, mount, random};
use tampering::{Action, Campaign, Cell, Change, Source, Tamperer, Tampering, What};
use verdict::{Outcome, World};

/// Bytes of a page of these stores, and of an erase mark (16 where words have eight).
const PAGE: usize = 1024;
const MARK: usize = 16;

/// What came of the cases of one cell.
#[derive(Clone, Copy, Default)]
struct Counts {
    possible: usize,
    cases: usize,
    refused: usize,
    latest: usize,
    earlier: usize,
    /// Another store as a whole.
    moved_in: usize,
    /// How many operations the earliest of them lay back.
    most_back: usize,
}

/// `BYDESIGN_EVERY_TAMPERING=1 cargo test --test store tamper:: -- --nocapture` leaves nothing out, and says how far it is.
fn every_tampering() -> bool {
    std::env::var_os("BYDESIGN_EVERY_TAMPERING").is_some()
}

/// All that is on the bench: the images of one store and of those it is tampered with.
struct Bench {
    victim: Owner,
    moments: Vec<Moment>,
    fork: Vec<Moment>,
    /// With the number of the moment from which it goes on.
    forked_from: usize,
    others: Vec<(Source, Vec<Moment>)>,
    names: BTreeSet<(u8, String)>,
}

fn states(moments: &[Moment]) -> impl Iterator<Item = &Model> {
    moments.iter().map(|moment| &moment.state)
}

fn names_of(moments: &[Moment]) -> impl Iterator<Item = (u8, String)> {
    states(moments).flat_map(|state| state.keys().cloned())
}

impl Bench {
    fn new<P: Part>(capacity: usize) -> Self {
        let mut bench = Self::of::<P>(Owner::victim(), capacity);
        let (victim, moments) = (bench.victim, &bench.moments);
        // From there on each page has a counterpart that only its digest tells from it.
        let plan = alike(&victim);
        let (common, rest) = plan.split_at(FORKED_AT);
        let forked_from: usize = common.iter().map(Vec::len).sum();
        let mut fork = vec![moments[forked_from].clone()];
        go_on::<P>(&victim, &mut fork, rest, 9);
        fork.remove(0);
        bench.names.extend(names_of(&fork));
        Self {
            fork,
            forked_from,
            ..bench
        }
    }

    /// Without a fork: a counter moves once only.
    fn of<P: Part>(victim: Owner, capacity: usize) -> Self {
        let moments = write::<P>(&victim, capacity, &eventful(&victim));
        let others = [
            (Source::SameKeyAndLabel, Owner::of_the_same_key_and_label()),
            (Source::OtherLabel, Owner::of_another_label()),
            (Source::OtherRootKey, Owner::of_another_root_key()),
        ];
        let others = others.map(|(source, owner)| (source, write::<P>(&owner, capacity, &eventful(&owner))));
        let all = others.iter().flat_map(|(_, moments)| names_of(moments));
        Self {
            names: names_of(&moments).chain(all).collect(),
            others: others.into(),
            victim,
            moments,
            fork: Vec::new(),
            forked_from: 0,
        }
    }

    /// Those of the store first, then those of its fork, then the last ones of each other store.
    fn images(&self) -> Vec<&[u8]> {
        let last = self
            .others
            .iter()
            .flat_map(|(_, moments)| moments.iter().rev().step_by(OTHERS_STEP).take(OTHERS));
        let all = self.moments.iter().chain(&self.fork).chain(last);
        all.map(|moment| moment.image.as_slice()).collect()
    }

    /// What is known when the moment with this number was the latest.
    fn world(&self, latest: usize, cell: Cell) -> World<'_> {
        World {
            owner: self.victim,
            counter: self.moments[latest].counter,
            committed: states(&self.moments[..=latest]).collect(),
            forked: if cell.source == Source::Fork {
                let common = &self.moments[..=self.forked_from];
                states(common).chain(states(&self.fork)).collect()
            } else {
                Vec::new()
            },
            names: &self.names,
        }
    }

    /// The state of another store of the same root key and label, if all of its pages that hold anything were put there: another
    /// device's flash, which only a counter outside of it tells from this one's.
    fn moved_in(&self, image: &[u8]) -> Option<&Model> {
        let is_whole = |moment: &&Moment| {
            let pages = moment.image.chunks(PAGE).zip(image.chunks(PAGE));
            pages.into_iter().all(|(other, here)| {
                let is_erased = other.iter().skip(MARK).all(|&byte| byte == 0xff);
                is_erased || other == here
            })
        };
        let others = self
            .others
            .iter()
            .filter(|(source, _)| *source == Source::SameKeyAndLabel);
        (others.flat_map(|(_, moments)| moments).find(is_whole)).map(|moment| &moment.state)
    }

    /// The moments whose images are tampered with: the last, one shortly before, one amid its life.
    fn bases(&self) -> [usize; 3] {
        let last = self.moments.len() - 1;
        [last, last - 7, last / 2]
    }

    /// Every tampering with the store as it was at these moments.
    fn campaign(&self, erase_unit: usize) -> Campaign {
        let images = self.images();
        let tamperer = Tamperer {
            layout: Layout::of(images[0]),
            erase_unit,
            images: &images,
        };
        let mut campaign = Campaign::new();
        let last = self.moments.len() - 1;
        for base in self.bases() {
            tamperer.alone(base, &mut campaign);
            for earlier in 0..base {
                tamperer.with(base, earlier, Action::Restore, Source::Earlier, &mut campaign);
            }
            for fork in self.moments.len()..self.moments.len() + self.fork.len() {
                tamperer.with(base, fork, Action::Splice, Source::Fork, &mut campaign);
            }
            for (number, (source, _)) in self.others.iter().enumerate() {
                let first = self.moments.len() + self.fork.len() + number * OTHERS;
                for other in first..first + OTHERS {
                    tamperer.with(base, other, Action::Splice, *source, &mut campaign);
                }
            }
        }
        for base in 0..=last {
            for other in (0..=last).filter(|&other| other != base) {
                tamperer.mix(base, other, &mut campaign);
            }
        }
        tamperer.flips(2, &mut campaign);
        campaign
    }
}

impl Tampering {
    /// The latest moment of the store that went into it.
    fn latest(&self, moments: usize) -> usize {
        let images = self.changes.iter().filter_map(|change| match change {
            Change::Copy { image, .. } if *image < moments => Some(*image),
            _ => None,
        });
        images.fold(self.base, usize::max)
    }
}

/// Runs the campaign and gives the table.
fn run<P: Part>(bench: &Bench, erase_unit: usize, most: usize) -> BTreeMap<Cell, Counts> {
    let images = bench.images();
    let campaign = bench.campaign(erase_unit);
    let most = if every_tampering() { usize::MAX } else { most };
    let (mut table, mut broken) = (BTreeMap::new(), Vec::new());
    for (cell, tamperings) in campaign {
        let mut counts = Counts {
            possible: tamperings.len(),
            ..Counts::default()
        };
        let is_flip = cell.action == Action::Flip;
        let step = if is_flip {
            1
        } else {
            tamperings.len().div_ceil(most)
        };
        for tampering in tamperings.iter().step_by(step) {
            if every_tampering() && counts.cases.is_multiple_of(10_000) {
                println!("{cell:?}: {} of {}", counts.cases, tamperings.len());
            }
            // Now and then enough is written afterwards to turn pages over.
            let puts = match (counts.cases % 16, is_flip) {
                (0, _) => 40,
                (_, false) => 1,
                (_, true) => 0,
            };
            counts.cases += 1;
            let image = tampering.apply(&images);
            let mut world = bench.world(tampering.latest(bench.moments.len()), cell);
            let moved_in = bench.moved_in(&image);
            world.forked.extend(moved_in);
            match world.judge::<P>(&image, puts) {
                Ok(Outcome::Earlier(_)) if moved_in.is_some() => counts.moved_in += 1,
                Ok(Outcome::Refused) => counts.refused += 1,
                Ok(Outcome::Latest) => counts.latest += 1,
                Ok(Outcome::Earlier(back)) => {
                    counts.earlier += 1;
                    counts.most_back = counts.most_back.max(back);
                }
                Err(flaw) => broken.push(format!("{cell:?}, {tampering:?}: {flaw}")),
            }
        }
        table.insert(cell, counts);
    }
    print(&table);
    let shown = broken.iter().take(10).map(String::as_str).collect::<Vec<_>>();
    assert!(
        broken.is_empty(),
        "{} break the rule:\n{}",
        broken.len(),
        shown.join("\n")
    );
    table
}

/// Most cases of one cell, unless asked for all.
const MOST_CASES: usize = 8_000;

/// The boot from which on the fork is another.
const FORKED_AT: usize = 6;

/// How many cells the matrix has, without and with pieces smaller than a page that can be erased.
const CELLS: usize = 43;
const CELLS_WITH_ERASE_UNITS: usize = 54;

/// How many moments of each other store pieces are taken from, and how far they lie apart.
const OTHERS: usize = 4;
const OTHERS_STEP: usize = 9;

fn print(table: &BTreeMap<Cell, Counts>) {
    println!(
        "| action | what | source | possible | cases | refused | latest | earlier | moved in | most back |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (cell, counts) in table {
        println!(
            "| {:?} | {:?} | {:?} | {} | {} | {} | {} | {} | {} | {} |",
            cell.action,
            cell.what,
            cell.source,
            counts.possible,
            counts.cases,
            counts.refused,
            counts.latest,
            counts.earlier,
            counts.moved_in,
            counts.most_back
        );
    }
}

fn campaign<P: Part>(capacity: usize, erase_unit: usize) {
    let table = run::<P>(&Bench::new::<P>(capacity), erase_unit, MOST_CASES);
    for (&cell, counts) in &table {
        let least = least(cell);
        assert!(
            counts.cases >= least,
            "{cell:?}: {} cases of {least}",
            counts.cases
        );
        let most = most_back(cell);
        assert!(
            counts.most_back <= most,
            "{cell:?}: {} operations back",
            counts.most_back
        );
    }
    let cells = if erase_unit < 1024 {
        CELLS_WITH_ERASE_UNITS
    } else {
        CELLS
    };
    assert_eq!(table.len(), cells);
}

/// How many cases there are of each kind of piece at least.
fn least(cell: Cell) -> usize {
    match (cell.what, cell.action) {
        (What::Bit, _) => 40_000,
        (_, Action::Mix) => 5_000,
        (What::Record, Action::Restore | Action::Duplicate) => 2_500,
        (What::Record | What::Records, _) => 90,
        (What::EraseUnit, _) => 70,
        (What::Whole, _) => 100,
        (What::Page, _) => 18,
        (What::Range, _) => 20,
    }
}

/// How many acknowledged operations may be undone at most, where that is certain.
fn most_back(cell: Cell) -> usize {
    match (cell.action, cell.what, cell.source) {
        // Records that do not open with something behind them, and pages that do not open and hold more than a first record,
        // are nothing that an interrupted write leaves. Of another store nothing opens.
        (Action::Swap, What::Record | What::Page | What::Range, _)
        | (Action::Zero, What::Page | What::Range, _)
        | (
            Action::Splice,
            What::Page | What::Range,
            Source::SameKeyAndLabel | Source::OtherLabel | Source::OtherRootKey,
        ) => 0,
        // The last record of all, made unreadable, is an interrupted write.
        (Action::Blank | Action::Zero | Action::Overwrite | Action::Restore, What::Record, _)
        | (Action::Flip, ..) => 1,
        _ => usize::MAX,
    }
}

//= compliance/requirements.md#store-4
//= type=test
//# The store MUST detect at mount a log or key page that was dropped, replayed, swapped or cut back against the others.
//= compliance/requirements.md#store-5
//= type=test
//# The store MUST treat only an incomplete record at the end of the log, with blank flash behind it, as an interrupted write; anything else that does not open is reported.
//= compliance/requirements.md#store-17
//= type=test
//# Mounting and reading an image of any content MUST end without a panic, after reads bounded by the size of the medium.
#[test]
fn no_tampering_with_overwritable_flash_shows_what_never_was() {
    campaign::<Nor<4, 1024>>(6 * 1024, 1024);
}

#[test]
fn no_tampering_with_write_once_flash_shows_what_never_was() {
    campaign::<Ecc<8, 1024>>(6 * 1024, 1024);
}

#[test]
fn no_tampering_with_flash_of_small_erase_units_shows_what_never_was() {
    campaign::<Nor<4, 256>>(6 * 1024, 256);
}

/// Nothing goes back by a single operation.
fn campaign_against_a_counter<P: Part>() {
    let bench = Bench::of::<P>(Owner::victim().counted(), 6 * 1024);
    let table = run::<P>(&bench, 1024, MOST_CASES / 4);
    for (cell, counts) in &table {
        assert_eq!(counts.earlier, 0, "{cell:?}");
    }
    let cases: usize = table.values().map(|counts| counts.cases).sum();
    assert!(
        table.len() > 30 && cases > 50_000,
        "{} cells, {cases} cases",
        table.len()
    );
}

//= compliance/requirements.md#store-28
//= type=test
//# A mount with a counter that is ahead of the store MUST fail.
#[test]
fn no_tampering_takes_anything_back_from_an_anchored_store_on_overwritable_flash() {
    campaign_against_a_counter::<Nor<4, 1024>>();
}

#[test]
fn no_tampering_takes_anything_back_from_an_anchored_store_on_write_once_flash() {
    campaign_against_a_counter::<Ecc<8, 1024>>();
}

// ---- named cases ----

/// A store whose first log page is full of live records, with the head two pages on and one record removed in it.
struct Small<P> {
    part: P,
    layout: Layout,
    /// The image before the last boot, before the erasure of a class, and before the puts that came before that.
    earlier: Vec<u8>,
    before_erasure: Vec<u8>,
    young: Vec<u8>,
}

impl<P: Part> Small<P> {
    fn new() -> Self {
        let mut part = P::new(8 * 1024);
        drop(support::format(&mut part, 1));
        let mut young = Vec::new();
        for numbers in [0..10u8, 10..13] {
            young = part.image().to_vec();
            let mut store = mount(&mut part).expect("mounts");
            for number in numbers {
                let name = format!("k{number}");
                let put = store.put_bytes(Class::User, &name, &[number; 80], &mut random(1));
                put.expect("fits");
            }
        }
        let before_erasure = part.image().to_vec();
        let mut store = mount(&mut part).expect("mounts");
        store.erase(Class::Settings, &mut random(2)).expect("erases");
        store
            .put_bytes(Class::User, "k1", &[101; 80], &mut random(2))
            .expect("fits");
        drop(store);
        let earlier = part.image().to_vec();
        let mut store = mount(&mut part).expect("mounts");
        store
            .put_bytes(Class::User, "k2", &[102; 80], &mut random(3))
            .expect("fits");
        store
            .put_bytes(Class::User, "k0", &[100; 80], &mut random(3))
            .expect("fits");
        drop(store);
        Self {
            layout: Layout::of(part.image()),
            part,
            earlier,
            before_erasure,
            young,
        }
    }

    /// The records of the log page with this number.
    fn records(&self, page: usize) -> Vec<Range<usize>> {
        let records = self.layout.records_of(self.part.image(), page);
        records.into_iter().map(|record| record.place).collect()
    }

    fn head(&self) -> usize {
        self.layout.head(self.part.image())
    }

    /// Two neighbouring live records in a page that is followed by another.
    fn live(&self) -> [Range<usize>; 2] {
        let records = self.records(3);
        [records[2].clone(), records[3].clone()]
    }

    /// What a mount says when the image was changed so.
    fn refused(&self, change: impl FnOnce(&mut [u8])) -> Option<MountError> {
        let mut image = self.part.image().to_vec();
        change(&mut image);
        assert!(image != self.part.image(), "something was changed");
        mount(&mut P::of_image(&image)).err()
    }
}

#[allow(clippy::unnecessary_wraps)] // it is compared with what a mount says
fn damaged(at: usize) -> Option<MountError> {
    Some(MountError::Damaged(u32::try_from(at).expect("small")))
}

fn swap(image: &mut [u8], one: Range<usize>, other: Range<usize>) {
    let kept = image[one.clone()].to_vec();
    image.copy_within(other.clone(), one.start);
    image[other].copy_from_slice(&kept);
}

/// Each test on both kinds of flash.
macro_rules! on_both_kinds {
    ($($name:ident($small:ident) $body:block)*) => {$(
        #[test]
        fn $name() {
            fn on<P: Part>() {
                let $small = Small::<P>::new();
                $body
            }
            on::<Nor<4, 1024>>();
            on::<Ecc<8, 1024>>();
        }
    )*};
}

on_both_kinds! {
    a_record_that_is_dropped_is_damage_where_it_was(small) {
        let [record, _] = small.live();
        assert_eq!(small.refused(|image| image[record.clone()].fill(0xff)), damaged(record.start));
    }

    a_live_record_overwritten_as_if_it_were_superseded_is_noticed(small) {
        let [record, _] = small.live();
        let error = small.refused(|image| image[record.start + 4..record.end].fill(0));
        // It would pass for a superseded one, but for the sum over the live ones. On write-once flash nothing is overwritten.
        let expected = if P::OVERWRITABLE { Some(MountError::Inconsistent) } else { damaged(record.start) };
        assert_eq!(error, expected);
    }

    a_page_that_is_dropped_is_damage(small) {
        let page = small.layout.page(3);
        assert_eq!(small.refused(|image| image[page.clone()].fill(0xff)), damaged(page.start));
    }

    a_range_of_pages_that_is_dropped_is_damage(small) {
        assert_eq!(small.refused(|image| image[2048..4096].fill(0xff)), damaged(2048));
    }

    a_record_copied_over_another_is_damage_there(small) {
        let [record, next] = small.live();
        assert_eq!(small.refused(|image| image.copy_within(record, next.start)), damaged(next.start));
    }

    a_record_copied_behind_the_end_of_the_log_is_no_record(small) {
        let [record, _] = small.live();
        let end = small.records(small.head()).last().expect("not empty").end;
        let mut copied = P::of_image(small.part.image());
        copied.image_mut().copy_within(record, end);
        let latest = contents(&mut mount(&mut P::of_image(small.part.image())).expect("mounts"));
        assert_eq!(contents(&mut mount(&mut copied).expect("mounts")), latest);
    }

    a_page_copied_over_another_is_damage_there(small) {
        assert_eq!(small.refused(|image| image.copy_within(2048..3072, 3072)), damaged(3072));
    }

    two_records_that_change_places_are_damage(small) {
        let [record, next] = small.live();
        let error = small.refused(|image| swap(image, record.clone(), next.clone()));
        // On overwritable flash the first might be one whose overwriting was cut short; two cannot be.
        let expected = if P::OVERWRITABLE { next } else { record };
        assert_eq!(error, damaged(expected.start));
    }

    two_pages_that_change_places_are_damage(small) {
        assert_eq!(small.refused(|image| swap(image, 2048..3072, 3072..4096)), damaged(2048));
    }

    a_page_that_ends_early_is_damage(small) {
        let [record, _] = small.live();
        assert_eq!(small.refused(|image| image[record.start..4096].fill(0xff)), damaged(record.start));
    }

    a_log_that_ends_before_the_key_page_was_written_does_not_belong_to_it(small) {
        let [record, _] = small.live();
        assert_eq!(small.refused(|image| image[record.start..].fill(0xff)), Some(MountError::Inconsistent));
    }

    a_log_that_ends_early_since_the_key_page_was_written_is_an_earlier_state(small) {
        let records = small.records(small.head());
        let mut cut = P::of_image(small.part.image());
        cut.image_mut()[records[records.len() - 1].start..].fill(0xff);
        let mut latest = contents(&mut mount(&mut P::of_image(small.part.image())).expect("mounts"));
        latest.insert((2, "k0".to_owned()), vec![0; 80]);
        let found = mount(&mut cut).map(|mut store| contents(&mut store));
        // The value that the dropped record superseded is overwritten on overwritable flash, and cannot come back.
        if P::OVERWRITABLE {
            assert_eq!(found, Err(MountError::Inconsistent));
        } else {
            assert_eq!(found, Ok(latest));
        }
    }

    a_superseded_record_that_is_put_back_is_noticed(small) {
        let record = small.records(2)[4].clone();
        let mut image = small.part.image().to_vec();
        image[record.clone()].copy_from_slice(&small.earlier[record.clone()]);
        if P::OVERWRITABLE {
            assert_eq!(mount(&mut P::of_image(&image)).err(), Some(MountError::Inconsistent));
        } else {
            assert!(image == small.part.image(), "it never went away");
        }
    }

    a_page_of_an_earlier_time_is_damage_where_it_ends(small) {
        let number = small.layout.head(&small.young);
        let page = small.layout.page(number);
        let records = small.layout.records_of(&small.young, number);
        let end = records.last().expect("not empty").place.end;
        let error = small.refused(|image| image[page.clone()].copy_from_slice(&small.young[page]));
        assert_eq!(error, damaged(end));
    }

    the_key_page_of_before_an_erasure_does_not_belong_to_the_log(small) {
        let error = small.refused(|image| image[..2048].copy_from_slice(&small.before_erasure[..2048]));
        assert_eq!(error, Some(MountError::Inconsistent));
    }

    a_whole_earlier_image_is_that_state(small) {
        // Nothing outside the flash tells. With a counter this is an error.
        let found = mount(&mut P::of_image(&small.before_erasure)).map(|mut store| contents(&mut store));
        let expected = (0..13).map(|number| ((2, format!("k{number}")), vec![number; 80])).collect();
        assert_eq!(found, Ok(expected));
    }

    a_log_page_of_another_store_is_damage(small) {
        for owner in [Owner::of_the_same_key_and_label(), Owner::of_another_label(), Owner::of_another_root_key()] {
            let other = &write::<P>(&owner, 8 * 1024, &eventful(&owner))[4].image;
            let error = small.refused(|image| image[2048..3072].copy_from_slice(&other[2048..3072]));
            assert_eq!(error, damaged(2048));
        }
    }

    key_pages_of_another_store_do_not_open_or_do_not_belong(small) {
        let expected = |owner: Owner, expected| {
            let other = &write::<P>(&owner, 8 * 1024, &eventful(&owner))[4].image;
            let error = small.refused(|image| image[..2048].copy_from_slice(&other[..2048]));
            assert_eq!(error, expected);
        };
        expected(Owner::of_another_root_key(), Some(MountError::WrongRootKey));
        expected(Owner::of_another_label(), Some(MountError::WrongRootKey));
        // They open; nothing of the log does.
        expected(Owner::of_the_same_key_and_label(), damaged(2048));
    }

    key_pages_that_are_both_dropped_leave_flash_that_only_an_erasing_format_takes(small) {
        // As a format leaves that erases what was there and is cut short: every key is gone.
        assert_eq!(small.refused(|image| image[..2048].fill(0xff)), Some(MountError::Unformatted));
        let mut dropped = P::of_image(small.part.image());
        dropped.image_mut()[..2048].fill(0xff);
        let key = support::root_key();
        let format = Store::format(dropped.medium(), Memory::new(), &key, support::LABEL, &mut random(1));
        assert_eq!(format.err(), Some(FormatError::NotBlank));
        let label = support::LABEL;
        Store::format_erasing(dropped.medium(), Memory::new(), &key, label, &mut random(1)).expect("is told to");
    }

    a_key_page_that_ends_early_beside_a_log_is_damage_and_not_formatted_away(small) {
        let page = small.layout.key_page(small.part.image());
        for record in small.records(page) {
            let mut cut = P::of_image(small.part.image());
            cut.image_mut()[record.start..(page + 1) * 1024].fill(0xff);
            let start = u32::try_from(page * 1024).expect("small");
            assert_eq!(mount(&mut cut).err(), Some(MountError::Damaged(start)));
            let key = support::root_key();
            let format = Store::format(cut.medium(), Memory::new(), &key, support::LABEL, &mut random(1));
            assert_eq!(format.err(), Some(FormatError::NotBlank));
        }
    }

    the_key_pages_of_two_stores_are_refused_and_neither_is_erased(small) {
        let owner = Owner::of_the_same_key_and_label();
        let moments = write::<P>(&owner, 8 * 1024, &eventful(&owner));
        let own = small.layout.key_page(small.part.image());
        let other = moments.iter().find(|other| small.layout.key_page(&other.image) != own);
        let mut both = P::of_image(small.part.image());
        let place = small.layout.page(1 - own);
        both.image_mut()[place.clone()].copy_from_slice(&other.expect("they take turns").image[place]);
        let before = both.image().to_vec();
        assert_eq!(mount(&mut both).err(), Some(MountError::Inconsistent));
        assert!(both.image() == before, "nothing was erased");
    }
}

/// Goes on from an image by one boot with one put. Gives the image, and where its log ends.
fn one_put_more<P: Part>(image: &[u8], name: &str, fill: u8) -> (Vec<u8>, usize) {
    let mut part = P::of_image(image);
    let mut store = mount(&mut part).expect("mounts");
    let put = store.put_bytes(Class::User, name, &[fill; 8], &mut random(u64::from(fill)));
    put.expect("fits");
    drop(store);
    let image = part.image().to_vec();
    let records = Layout::of(&image).records_of(&image, LOG_START);
    (image, records.last().expect("not empty").place.end)
}

fn splice_a_session<P: Part>() {
    let mut part = P::new(6 * 1024);
    drop(support::format(&mut part, 1));
    let (common, begin) = one_put_more::<P>(part.image(), "k", 1);
    // Two devices go on from one image, alike in all but the value; one of them has another boot.
    let (one, end) = one_put_more::<P>(&common, "new", 2);
    let (other, end_of_other) = one_put_more::<P>(&common, "new", 3);
    let (latest, _) = one_put_more::<P>(&one, "newer", 4);
    assert_eq!(end, end_of_other);
    let mut mixed = P::of_image(&latest);
    mixed.image_mut()[begin..end].copy_from_slice(&other[begin..end]);
    assert_eq!(mount(&mut mixed).err(), damaged(end));
}

#[test]
fn a_session_of_a_fork_in_the_middle_of_a_page_is_damage_where_the_next_begins() {
    splice_a_session::<Nor<4, 1024>>();
    splice_a_session::<Ecc<8, 1024>>();
}

fn splice_a_key_page<P: Part>() {
    let mut part = P::new(6 * 1024);
    drop(support::format(&mut part, 1));
    // Two devices erase the same class, and their logs go on until the place that the key page states is long dead.
    let erased = [2, 3].map(|seed| {
        let mut part = P::of_image(part.image());
        let mut store = mount(&mut part).expect("mounts");
        let erased = store.erase(Class::Settings, &mut random(seed));
        erased.expect("erases");
        for number in 0..60 {
            let put = store.put_bytes(Class::User, "k", &[number; 80], &mut random(seed));
            put.expect("fits");
        }
        drop(store);
        part.image().to_vec()
    });
    let mut mixed = P::of_image(&erased[0]);
    mixed.image_mut()[..2048].copy_from_slice(&erased[1][..2048]);
    assert_eq!(mount(&mut mixed).err(), Some(MountError::Inconsistent));
}

#[test]
fn a_key_page_of_a_fork_of_the_same_version_does_not_belong_to_the_log() {
    splice_a_key_page::<Nor<4, 1024>>();
    splice_a_key_page::<Ecc<8, 1024>>();
}

type Way<'a> = &'a dyn Fn(&mut [u8]);

/// Every record of the log in every way, while the store runs: what is not the truth is damage, and only where it was done.
fn forged_while_mounted<P: Part>() {
    let bench = Bench::new::<P>(6 * 1024);
    let last = bench.moments.last().expect("not empty");
    let layout = Layout::of(&last.image);
    let other = &bench.others[2].1.last().expect("not empty").image;
    let records: Vec<_> = (LOG_START..layout.pages)
        .flat_map(|page| layout.records_of(&last.image, page))
        .collect();
    let mut forged = 0;
    for record in &records {
        // The salt in it belongs to those behind it too.
        let has_salt = matches!(record.kind, layout::PAGE_RECORD | layout::SESSION);
        let record = &record.place;
        let ways: [Way<'_>; 5] = [
            &|image| image[record.start + 13] ^= 1,
            &|image| image[record.clone()].fill(0xff),
            &|image| image[record.start + 4..record.end].fill(0),
            &|image| image[record.clone()].copy_from_slice(&other[record.clone()]),
            &|image| {
                let mut places = records.iter().map(|from| &from.place);
                if let Some(from) = places.find(|from| from.len() == record.len() && *from != record) {
                    image.copy_within(from.clone(), record.start);
                }
            },
        ];
        for way in ways {
            let mut part = P::of_image(&last.image);
            let mut store = mount(&mut part).expect("mounts");
            way(P::image_in_store(&mut store));
            let mut damage = 0;
            let mut out = [0; support::BUFFER];
            for (class, name) in &bench.names {
                let truth = last.state.get(&(*class, name.clone()));
                match store.get_bytes(support::class(*class), name, &mut out) {
                    Ok(found) => assert_eq!(found.map(|len| &out[..len]), truth.map(Vec::as_slice), "{name}"),
                    Err(ReadError::Damaged(at)) => {
                        assert!(
                            has_salt || record.contains(&(at as usize)),
                            "{name}: what was not touched reads"
                        );
                        // Nothing is said to be absent or damaged that is not.
                        assert!(truth.is_some(), "{name} is absent");
                        damage += 1;
                    }
                    Err(error) => panic!("{name}: {error}"),
                }
            }
            assert!(has_salt || damage <= 1, "one record is one item");
            forged += damage;
        }
    }
    assert!(forged >= 4 * last.state.len(), "{forged}");
}

//= compliance/requirements.md#store-15
//= type=test
//# A record that no longer opens while the store is mounted MUST be reported as damage, never as an absent item.
#[test]
fn get_tells_absent_from_forged_and_a_forged_record_hides_no_other_key() {
    forged_while_mounted::<Nor<4, 1024>>();
    forged_while_mounted::<Ecc<8, 1024>>();
    forged_while_mounted::<Nor<4, 256>>();
}

/// The kinds of records of the format's table, all of them.
#[test]
fn what_is_tampered_with_has_records_of_every_kind() {
    fn kinds<P: Part>() {
        let bench = Bench::new::<P>(6 * 1024);
        let kinds: BTreeSet<u8> = bench
            .bases()
            .into_iter()
            .flat_map(|base| {
                let image = &bench.moments[base].image;
                Layout::of(image).records(image)
            })
            .map(|record| record.kind)
            .collect();
        let expected = [
            layout::PAGE_RECORD,
            layout::SESSION,
            layout::VALUE,
            layout::FIXED,
            layout::REMOVAL,
            layout::RETIRE,
            layout::KEY_PAGE,
            layout::CLASS_KEY,
            layout::KEY_COMMIT,
            layout::STORE_KEY,
        ];
        assert_eq!(kinds, BTreeSet::from(expected));
    }
    kinds::<Nor<4, 1024>>();
    kinds::<Ecc<8, 1024>>();
}
