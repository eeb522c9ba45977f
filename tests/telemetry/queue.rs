//! What waits is bounded, and nothing of it is lost or sent too early.

use bydesign::flash::simulator::{EraseTear, ProgramTear};
use bydesign::store::{Ram, Store, WriteError};
use bydesign::telemetry::{GateError, Time};

use crate::support::{Ecc, LABEL, Nor, Part, format, mount, random, root_key};
use crate::toy::{DAY, GATE, HABITS, HOUSE, QUEUEING, RECORDS, SAFETY, agree, day, house, safety, send_all};

type Flash = Nor<4, 4096>;
const CLASS: u8 = HOUSE.rules.number;

//= compliance/requirements.md#tele-8
//= type=test
//# What waits MUST stay within the declared bytes and reports, and what is taken within the declared number for each day.
#[test]
fn the_oldest_make_room_and_the_day_has_an_end() {
    let mut part = Flash::new(64 * 1024);
    let mut store = format(&mut part, 1);
    let mut random = random(1);
    agree(&mut store);
    let (mut shown, mut refused) = (Vec::new(), 0);
    for hour in 0..120 {
        let now = Time::of(hour * 3600);
        let prepared = GATE
            .prepare(&mut store, house(true, 1), now, &mut random)
            .unwrap();
        let bytes = prepared.bytes().to_vec();
        match GATE.release(&mut store, prepared, now, &mut random) {
            Ok(()) => shown.push(bytes),
            Err(GateError::DailyLimit) => refused += 1,
            Err(error) => panic!("{error}"),
        }
        let status = GATE.status(&mut store, CLASS, now, &mut random).unwrap();
        assert!(status.waiting <= u32::from(QUEUEING.reports) && status.bytes <= u32::from(QUEUEING.bytes));
        assert!(status.today <= QUEUEING.each_day);
    }
    assert_eq!((shown.len(), refused), (15, 105), "three a day");
    let sent = send_all(&mut store, day(5), &mut random).unwrap();
    assert_eq!(sent.len(), 3, "as many as 80 bytes hold");
    assert_eq!(sent, shown[shown.len() - 3..], "the latest, in their order");

    // Shorter ones: as many as there may be.
    GATE.withdraw(&mut store, HABITS.number, day(6), &mut random)
        .unwrap();
    for number in 6..12 {
        GATE.submit(&mut store, house(true, 1), day(number), &mut random)
            .unwrap();
        let status = GATE.status(&mut store, CLASS, day(number), &mut random).unwrap();
        assert!(status.waiting <= u32::from(QUEUEING.reports));
    }
    assert_eq!(send_all(&mut store, day(11), &mut random).unwrap().len(), 4);
}

#[test]
fn nothing_is_sent_before_its_drawn_time_and_nothing_after_its_days() {
    let mut part = Flash::new(64 * 1024);
    let mut store = format(&mut part, 1);
    let mut random = random(1);
    agree(&mut store);
    let mut out = [0; 64];
    let mut delays = Vec::new();
    for number in 1..20 {
        let begin = number * DAY;
        GATE.submit(&mut store, house(true, 1), Time::of(begin), &mut random)
            .unwrap();
        let delay = (0..=600).find(|delay| {
            let now = Time::of(begin + delay);
            let waiting = GATE.next(&mut store, now, &mut out, &mut random).unwrap();
            waiting.is_some_and(|waiting| GATE.acknowledge(&mut store, waiting, &mut random).is_ok())
        });
        delays.push(delay.expect("it is due within the ten minutes"));
    }
    delays.sort_unstable();
    assert!(delays[3] < 300 && delays[15] > 300, "spread: {delays:?}");
    GATE.submit(&mut store, house(true, 1), day(30), &mut random)
        .unwrap();
    assert!(
        GATE.next(&mut store, day(36), &mut out, &mut random)
            .unwrap()
            .is_none()
    );
    assert_eq!(
        GATE.status(&mut store, CLASS, day(36), &mut random)
            .unwrap()
            .waiting,
        0
    );
}

#[test]
fn reports_wait_over_restarts_until_they_are_acknowledged() {
    let mut part = Flash::new(64 * 1024);
    let mut random = random(1);
    {
        let mut store = format(&mut part, 1);
        agree(&mut store);
        GATE.submit(&mut store, house(true, 1), day(1), &mut random)
            .unwrap();
        GATE.submit(&mut store, house(true, 1), day(2), &mut random)
            .unwrap();
    }
    let mut out = [0; 64];
    for _ in 0..3 {
        let mut store = mount(&mut part).unwrap();
        assert!(
            GATE.next(&mut store, day(3), &mut out, &mut random)
                .unwrap()
                .is_some()
        );
    }
    let mut store = mount(&mut part).unwrap();
    assert_eq!(send_all(&mut store, day(3), &mut random).unwrap().len(), 2);
    assert_eq!(send_all(&mut store, day(3), &mut random).unwrap().len(), 0);
    let mut small = [0; 10];
    GATE.submit(&mut store, house(true, 1), day(3), &mut random)
        .unwrap();
    let refused = GATE.next(&mut store, day(4), &mut small, &mut random);
    assert!(matches!(refused, Err(GateError::BufferTooSmall(11..))));
}

fn cut_while_sending<P: Part>() {
    let mut base = P::new(16 * 1024);
    {
        let mut store = format(&mut base, 1);
        agree(&mut store);
        for hour in 0..3 {
            let now = Time::of(DAY + hour * 3600);
            GATE.submit(&mut store, house(true, 1), now, &mut random(hour))
                .unwrap();
        }
    }
    let acknowledge = |part: &mut P| {
        let mut store = mount(part).ok()?;
        let waiting = GATE
            .next(&mut store, day(2), &mut [0; 64], &mut random(9))
            .ok()??;
        GATE.acknowledge(&mut store, waiting, &mut random(9)).ok()
    };
    let events = {
        let mut part = base.clone();
        acknowledge(&mut part).unwrap();
        part.events() - base.events()
    };
    let mut left = [0; 4];
    for cut in (0..events).step_by(2) {
        let mut part = base.clone();
        part.set_tear(ProgramTear::TornWord, EraseTear::OldOrOne, cut);
        part.cut_after(cut);
        assert!(acknowledge(&mut part).is_none());
        part.power_on();
        let mut store = mount(&mut part).unwrap();
        let status = GATE.status(&mut store, CLASS, day(2), &mut random(10)).unwrap();
        let sent = send_all(&mut store, day(2), &mut random(10)).unwrap();
        assert_eq!(
            sent.len(),
            status.waiting as usize,
            "cut at {cut}: counts and reports agree"
        );
        let after = GATE.status(&mut store, CLASS, day(2), &mut random(10)).unwrap();
        assert_eq!((after.waiting, after.bytes), (0, 0), "cut at {cut}");
        left[sent.len()] += 1;
    }
    assert!(
        left[3] > 0 && left[2] + left[3] > 0 && left[..2] == [0, 0],
        "{left:?}"
    );
}

#[test]
fn a_cut_while_acknowledging_loses_no_other_report() {
    cut_while_sending::<Nor<4, 1024>>();
    cut_while_sending::<Ecc<8, 1024>>();
}

#[test]
fn an_acknowledgement_from_before_a_withdrawal_takes_no_later_report_out() {
    let mut part = Flash::new(64 * 1024);
    let mut store = format(&mut part, 1);
    let mut random = random(1);
    agree(&mut store);
    GATE.submit(&mut store, house(true, 1), day(1), &mut random)
        .unwrap();
    let waiting = GATE
        .next(&mut store, day(2), &mut [0; 64], &mut random)
        .unwrap()
        .unwrap();
    GATE.withdraw(&mut store, 1, day(2), &mut random).unwrap();
    agree(&mut store);
    GATE.submit(&mut store, house(true, 1), day(2), &mut random)
        .unwrap();
    GATE.acknowledge(&mut store, waiting, &mut random).unwrap();
    assert_eq!(send_all(&mut store, day(2), &mut random).unwrap().len(), 1);
}

/// Twelve days of two reports a day, of a class without noise in which 16 wait, over an index of so many keys.
fn waiting_in<const KEYS: usize>() -> Result<u32, GateError> {
    let (mut part, mut source) = (Flash::new(32 * 1024), random(5));
    let memory = Ram::<KEYS, 540>::new();
    let mut store = Store::format(part.medium(), memory, &root_key(), LABEL, &mut source).expect("formats");
    GATE.grant(&mut store, SAFETY.number, day(0), &mut source)?;
    for number in 0..24 {
        GATE.submit(&mut store, safety(1), day(number / 2), &mut source)?;
    }
    Ok(GATE
        .status(&mut store, RECORDS.rules.number, day(12), &mut source)?
        .waiting)
}

/// One key for the consents, 16 for reports, two more: as the gate's documentation says.
#[test]
fn the_keys_that_are_said_are_enough_and_one_less_is_not() {
    assert_eq!(waiting_in::<{ 1 + 16 + 2 }>(), Ok(16));
    assert_eq!(
        waiting_in::<{ 16 + 2 }>(),
        Err(GateError::Write(WriteError::IndexFull))
    );
}
