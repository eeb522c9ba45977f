//! A preview is what is sent, and nothing by itself.

use bydesign::telemetry::GateError;

use crate::support::{Nor, Part, format, random};
use crate::toy::{FIRST, GATE, HABITS, HOUSE, agree, day, house, send_all};

type Flash = Nor<4, 4096>;

//= compliance/requirements.md#tele-10
//= type=test
//# A preview MUST show the bytes that its release queues, and MUST NOT debit, queue or write anything by itself.
#[test]
fn a_preview_is_what_its_release_sends_and_leaves_no_trace_without_it() {
    let mut part = Flash::new(64 * 1024);
    let mut random = random(1);
    agree(&mut format(&mut part, 1));
    // A start writes by itself what it has to.
    drop(crate::support::mount(&mut part).unwrap());
    let (events, image) = {
        let mut part = part.clone();
        drop(crate::support::mount(&mut part).unwrap());
        (part.events(), part.image().to_vec())
    };
    {
        let mut store = crate::support::mount(&mut part).unwrap();
        for _ in 0..5 {
            let prepared = GATE
                .prepare(&mut store, house(true, 1), day(1), &mut random)
                .unwrap();
            assert_eq!(prepared.epsilon().micros(), FIRST);
        }
        let status = GATE
            .status(&mut store, HOUSE.rules.number, day(1), &mut random)
            .unwrap();
        assert_eq!((status.spent.micros(), status.waiting), (0, 0));
    }
    assert_eq!(part.events(), events, "nothing was written");
    assert_eq!(part.image(), image);

    let mut store = crate::support::mount(&mut part).unwrap();
    let prepared = GATE
        .prepare(&mut store, house(true, 1), day(1), &mut random)
        .unwrap();
    let shown = prepared.bytes().to_vec();
    GATE.release(&mut store, prepared, day(1), &mut random).unwrap();
    assert_eq!(send_all(&mut store, day(1), &mut random).unwrap(), [shown]);
}

#[test]
fn a_preview_from_before_a_change_is_not_released() {
    let mut part = Flash::new(64 * 1024);
    let mut store = format(&mut part, 1);
    let mut random = random(1);
    agree(&mut store);
    let prepare =
        |store: &mut _, random: &mut _| GATE.prepare(store, house(true, 1), day(1), random).unwrap();

    // Two of one moment: the second would be paid for by nobody, or draw its answers anew.
    let (first, second) = (prepare(&mut store, &mut random), prepare(&mut store, &mut random));
    GATE.release(&mut store, first, day(1), &mut random).unwrap();
    assert_eq!(
        GATE.release(&mut store, second, day(1), &mut random),
        Err(GateError::Stale)
    );
    // One from before a withdrawal.
    let third = prepare(&mut store, &mut random);
    GATE.withdraw(&mut store, HABITS.number, day(1), &mut random)
        .unwrap();
    assert_eq!(
        GATE.release(&mut store, third, day(1), &mut random),
        Err(GateError::Stale)
    );
    // And from before the user agreed again.
    agree(&mut store);
    let fourth = prepare(&mut store, &mut random);
    GATE.withdraw(&mut store, HABITS.number, day(1), &mut random)
        .unwrap();
    agree(&mut store);
    GATE.submit(&mut store, house(true, 1), day(1), &mut random)
        .unwrap();
    assert_eq!(
        GATE.release(&mut store, fourth, day(1), &mut random),
        Err(GateError::Stale)
    );
    assert_eq!(send_all(&mut store, day(1), &mut random).unwrap().len(), 1);
}

#[test]
fn a_preview_from_before_a_withdrawal_is_not_released_on_a_new_consent() {
    let mut part = Flash::new(64 * 1024);
    let mut store = format(&mut part, 1);
    let mut random = random(1);
    agree(&mut store);
    // Nothing was released before, so there is no epoch on flash that would tell.
    let before = GATE
        .prepare(&mut store, house(true, 1), day(1), &mut random)
        .unwrap();
    GATE.withdraw(&mut store, HABITS.number, day(1), &mut random)
        .unwrap();
    agree(&mut store);
    assert_eq!(
        GATE.release(&mut store, before, day(1), &mut random),
        Err(GateError::Stale)
    );
    assert_eq!(
        send_all(&mut store, day(1), &mut random).unwrap(),
        Vec::<Vec<u8>>::new()
    );
}

#[test]
fn a_preview_is_not_released_in_a_later_epoch_under_the_pseudonym_of_the_earlier_one() {
    let mut part = Flash::new(64 * 1024);
    let mut store = format(&mut part, 1);
    let mut random = random(1);
    agree(&mut store);
    let prepared = GATE
        .prepare(&mut store, house(true, 1), day(1), &mut random)
        .unwrap();
    assert_eq!(
        GATE.release(&mut store, prepared, day(2), &mut random),
        Err(GateError::Stale)
    );
    // A clock that went back stays in the epoch that was begun.
    let prepared = GATE
        .prepare(&mut store, house(true, 1), day(2), &mut random)
        .unwrap();
    GATE.release(&mut store, prepared, day(1), &mut random).unwrap();
}
