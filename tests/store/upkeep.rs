//! What a put may cost: with upkeep between the puts, and without.

use crate::support;

use bydesign::flash::simulator::{Rule, Simulator};
use bydesign::flash::{Overwritable, WriteOnce};
use bydesign::store::{Class, Ram, Store};
use chacha20::rand_core::Rng;
use support::{LABEL, random, root_key};

const HOT: u32 = 8;

/// The worst of many puts.
#[derive(Debug, Default)]
struct Worst {
    /// Pages that one put erased.
    erases: u64,
    /// Program pages of 256 bytes that one put touched.
    pages_touched: u64,
}

/// The worst of 3,000 updates of a few items beside others that never change and take so many per cent of the store.
macro_rules! worst_put {
    ($wrapper:ident, $rule:ident, $write:literal, $page:literal, $percent:expr, $is_maintained:expr) => {{
        let flash = Simulator::<$write, $page>::new(16 * $page, Rule::$rule);
        let (mut dice, mut source) = (random($percent), random(2));
        let medium = $wrapper::new(flash);
        let mut store =
            Store::format(medium, Ram::<800, 256>::new(), &root_key(), LABEL, &mut source).unwrap();
        let mut others = 0;
        for number in 0.. {
            let figures = store.figures();
            if number >= HOT
                && u64::from(figures.live_bytes) * 100 >= u64::from(figures.capacity_bytes) * $percent
            {
                others = number - HOT;
                break;
            }
            store
                .put_bytes(Class::Settings, &number.to_string(), &[0; 64], &mut source)
                .unwrap();
        }
        let (mut worst, mut erases) = (Worst::default(), 0);
        for number in 0..4_000_u32 {
            let name = (dice.next_u32() % HOT).to_string();
            store.medium_mut().driver_mut().reset_counters();
            store
                .put_bytes(
                    Class::Settings,
                    &name,
                    &number.to_le_bytes().repeat(16),
                    &mut source,
                )
                .unwrap_or_else(|error| panic!("put {number}: {error}"));
            // The first ones find a store that nobody looked after while it was filled.
            if number >= 1_000 {
                let counters = store.medium().driver().counters();
                worst.erases = worst.erases.max(counters.erases);
                worst.pages_touched = worst.pages_touched.max(counters.pages_touched);
            }
            while $is_maintained && store.maintain(4, &mut source).unwrap() {}
            erases += store.medium().driver().counters().erases;
        }
        assert!(erases > 50, "the log went round: {erases} erases");
        assert_eq!(others > 0, $percent > 0, "{others} others");
        worst
    }};
}

/// Two milliseconds of a common serial NOR chip, at 0.2 a program page.
const TWO_MILLISECONDS: u64 = 10;
/// And five.
const FIVE_MILLISECONDS: u64 = 25;

#[test]
fn with_upkeep_between_them_no_put_erases_and_none_takes_longer_than_two_milliseconds() {
    for percent in [0, 5, 40, 60, 75, 80] {
        for worst in [
            worst_put!(WriteOnce, WriteOnce, 4, 4096, percent, true),
            worst_put!(WriteOnce, WriteOnce, 16, 2048, percent, true),
            worst_put!(Overwritable, Multiwrite, 4, 4096, percent, true),
        ] {
            assert_eq!(worst.erases, 0, "{percent} %: {worst:?}");
            assert!(worst.pages_touched <= TWO_MILLISECONDS, "{percent} %: {worst:?}");
        }
    }
}

#[test]
fn without_upkeep_no_put_erases_more_than_one_page_or_copies_for_longer_than_five_milliseconds() {
    for percent in [0, 5, 40, 60, 75, 80] {
        for worst in [
            worst_put!(WriteOnce, WriteOnce, 4, 4096, percent, false),
            worst_put!(WriteOnce, WriteOnce, 16, 2048, percent, false),
            worst_put!(Overwritable, Multiwrite, 4, 4096, percent, false),
        ] {
            assert_eq!(worst.erases, 1, "{percent} %: {worst:?}");
            assert!(worst.pages_touched <= FIVE_MILLISECONDS, "{percent} %: {worst:?}");
        }
    }
}

#[test]
fn pages_that_are_blank_at_a_mount_are_written_on_without_another_erase() {
    let mut source = random(3);
    let medium = WriteOnce::new(Simulator::<4, 4096>::new(64 * 4096, Rule::WriteOnce));
    let store = Store::format(medium, Ram::<8, 256>::new(), &root_key(), LABEL, &mut source).unwrap();
    let mut store = Store::mount(store.into_medium(), Ram::<8, 256>::new(), &root_key(), LABEL).unwrap();
    store.medium_mut().driver_mut().reset_counters();
    for number in 0..2_000_u32 {
        store
            .put_bytes(
                Class::Settings,
                "name",
                &number.to_le_bytes().repeat(16),
                &mut source,
            )
            .unwrap();
    }
    let counters = store.medium().driver().counters();
    assert!(counters.bytes_programmed > 48 * 4096, "{counters:?}");
    assert_eq!(counters.erases, 0);
}
