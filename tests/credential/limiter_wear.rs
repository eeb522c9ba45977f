//! What attempts cost the flash, against a counter that is a record of the store. `LIMITER_ATTEMPTS=100000` gives the table of
//! `docs/attempt-limiter.md`; without it the run is short.

use bydesign::credential::limiter::Policy;
use bydesign::store::{Class, Key};

use crate::rig::{AWAKE, Board, Kind, Once, Over};

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

/// A record before each check, and one behind it.
fn records_of_logins<K: Kind>(board: &mut Board<K>, attempts: u32) {
    records(board, attempts * 2);
}

fn table<K: Kind>(name: &str, attempts: u32) -> [Wear; 5] {
    let _ = AWAKE;
    let default = Policy::new().delays(0, 0);
    let rows = [
        wear::<K>(attempts, POLICY, failing),
        wear::<K>(attempts, default, failing),
        wear::<K>(attempts, POLICY, logins),
        wear::<K>(attempts, POLICY, a_start_each),
        wear::<K>(attempts, POLICY, records),
    ];
    let names = [
        "fail, 63 marks",
        "fail, 7 marks",
        "log in, one start",
        "log in, a start each",
        "a record each",
    ];
    for (row, what) in rows.iter().zip(names) {
        println!("{name} {attempts} {what}: {row:?}");
    }
    println!(
        "{name} {attempts} two records each: {:?}",
        wear::<K>(attempts, POLICY, records_of_logins)
    );
    rows
}

#[test]
fn attempts_wear_the_flash_less_than_a_record_for_each() {
    let attempts = std::env::var("LIMITER_ATTEMPTS").map_or(2000, |number| number.parse().expect("a number"));
    for (rows, factor) in [
        (table::<Over>("overwritable", attempts), 15),
        (table::<Once>("write-once", attempts), 10),
    ] {
        let all = |wear: &Wear| wear.store_erases + wear.area_erases;
        let [many_marks, few_marks, logins, starts, records] = &rows;
        assert!(all(many_marks) * factor < all(records), "{rows:?}");
        assert!(all(few_marks) * 4 < all(records), "{rows:?}");
        assert!(all(logins) < all(records), "{rows:?}");
        // One record for each start, which stands for attempt and count in one.
        assert!(all(starts) < 3 * all(records), "{rows:?}");
        assert!(records.area_erases == 0 && records.store_erases > 0);
    }
}
