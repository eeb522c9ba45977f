//! What attempts cost the flash, against a counter that is a record of the store. `LIMITER_ATTEMPTS=100000` gives the table of
//! `docs/attempt-limiter.md`; without it the run is short.

use bydesign::credential::limiter::Policy;
use bydesign::store::{Class, Key};

use crate::rig::{Board, Kind, Once, Over};

const COUNTER: Key<u32> = Key::new("attempts", Class::Settings);
/// Never waits and never locks.
const POLICY: Policy = Policy::new().delays(0, 0).between_records(63);

#[derive(Debug)]
struct Wear {
    store_erases: u32,
    area_erases: u32,
    programmed: u64,
}

fn wear<K: Kind>(attempts: u32, policy: Policy, mut each: impl FnMut(&mut Board<K>, u32)) -> Wear {
    let mut board = Board::<K>::new(policy);
    board.chip.borrow_mut().reset_counters();
    each(&mut board, attempts);
    let chip = board.chip.borrow();
    let (store, area) = chip.counters().erases_per_unit.split_at(16);
    Wear {
        store_erases: store.iter().sum(),
        area_erases: area.iter().sum(),
        programmed: chip.counters().bytes_programmed,
    }
}

fn failing<K: Kind>(board: &mut Board<K>, attempts: u32) {
    let mut running = board.start().expect("sound");
    for _ in 0..attempts {
        running.guess().expect("a permit");
    }
}

fn logins<K: Kind>(board: &mut Board<K>, attempts: u32) {
    let mut running = board.start().expect("sound");
    for _ in 0..attempts {
        assert_eq!(running.log_in(), Ok(true));
    }
}

fn a_start_each<K: Kind>(board: &mut Board<K>, attempts: u32) {
    for _ in 0..attempts {
        assert_eq!(board.start().expect("sound").log_in(), Ok(true));
    }
}

/// A record before each check.
fn records<K: Kind>(board: &mut Board<K>, attempts: u32) {
    let mut running = board.start().expect("sound");
    for number in 0..attempts {
        running
            .store
            .put(&COUNTER, &number, &mut running.random)
            .expect("room");
    }
    assert_eq!(running.store.get(&COUNTER), Ok(Some(attempts - 1)));
}

/// The same, with a start before each.
fn records_with_a_start_each<K: Kind>(board: &mut Board<K>, attempts: u32) {
    for number in 0..attempts {
        let mut running = board.start().expect("sound");
        running
            .store
            .put(&COUNTER, &number, &mut running.random)
            .expect("room");
        running
            .store
            .put(&COUNTER, &0, &mut running.random)
            .expect("room");
    }
}

/// A record before each check, and one behind it.
fn records_of_logins<K: Kind>(board: &mut Board<K>, attempts: u32) {
    records(board, attempts * 2);
}

const ROWS: [&str; 4] = [
    "fails, up to 63 marks a record",
    "fails, up to 7 marks a record",
    "logs in, again and again",
    "starts and logs in",
];

/// Each way of trying, and the same with records only.
fn table<K: Kind>(name: &str, attempts: u32) -> [[Wear; 2]; 4] {
    let few = Policy::new().delays(0, 0);
    let rows = [
        [
            wear::<K>(attempts, POLICY, failing),
            wear::<K>(attempts, POLICY, records),
        ],
        [
            wear::<K>(attempts, few, failing),
            wear::<K>(attempts, POLICY, records),
        ],
        [
            wear::<K>(attempts, POLICY, logins),
            wear::<K>(attempts, POLICY, records_of_logins),
        ],
        [
            wear::<K>(attempts, POLICY, a_start_each),
            wear::<K>(attempts, POLICY, records_with_a_start_each),
        ],
    ];
    for ([limiter, records], what) in rows.iter().zip(ROWS) {
        println!("{name}, {attempts} times: {what}\n    limiter {limiter:?}\n    records {records:?}");
    }
    rows
}

#[test]
fn attempts_wear_the_flash_less_than_a_record_for_each() {
    let attempts = std::env::var("LIMITER_ATTEMPTS").map_or(1500, |number| number.parse().expect("a number"));
    for rows in [
        table::<Over>("overwritable", attempts),
        table::<Once>("write-once", attempts),
    ] {
        let all = |wear: &Wear| wear.store_erases + wear.area_erases;
        for ([limiter, records], least) in rows.iter().zip([5, 2, 3]) {
            assert!(all(records) > 50 && records.area_erases == 0);
            assert!(all(limiter) * least < all(records), "{limiter:?} {records:?}");
            assert!(limiter.programmed < records.programmed);
        }
        // Each start costs a record, whatever is written: what the area adds is the price of the epoch.
        let [limiter, records] = &rows[3];
        assert!(all(limiter) < 2 * all(records), "{limiter:?} {records:?}");
    }
}
