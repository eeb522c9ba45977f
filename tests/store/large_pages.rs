//! Pages so large that the next granule may be the next place where a start writes: what lies between is not always blank.

use crate::support;

use bydesign::flash::simulator::{EraseTear, ProgramTear};
use support::operation::{Operation, Outcome, commit, put};
use support::{Ecc, Model, Nor, Part, contents, format, mount, random};

const TEARS: [ProgramTear; 2] = [ProgramTear::Clean, ProgramTear::TornWord];

/// A store in use, the operation that will be cut, and how many events that takes.
fn begun<P: Part>(cut: &Operation) -> (P, Model, u64) {
    let mut part = P::new(4 * P::PAGE);
    let mut model = Model::new();
    let mut store = format(&mut part, 1);
    for operation in [put(1, 1, 30, 1), put(2, 2, 50, 2)] {
        assert_eq!(operation.run(&mut store, &mut random(2)), Outcome::Done);
        model = operation.apply(&model);
    }
    drop(store);
    let mut copy = part.clone();
    let before = copy.events();
    assert_eq!(
        cut.run(&mut mount(&mut copy).expect("mounts"), &mut random(3)),
        Outcome::Done
    );
    let events = copy.events() - before;
    (part, model, events)
}

/// Cuts at every third event; the next start writes, and all later ones mount. Gives the image after the cut, and that after the write, of each.
fn cut_and_go_on<P: Part>(cut: &Operation) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (part, before, events) = begun::<P>(cut);
    let after = cut.apply(&before);
    let mut images = Vec::new();
    for (event, tear) in (0..events)
        .step_by(3)
        .flat_map(|event| TEARS.map(|tear| (event, tear)))
    {
        let mut part = part.clone();
        part.set_tear(tear, EraseTear::Clean, event);
        part.cut_after(event);
        assert_eq!(
            cut.run(&mut mount(&mut part).expect("mounts"), &mut random(4)),
            Outcome::Cut
        );
        part.power_on();
        let torn = part.image().to_vec();
        let mut random = random(5 + event);
        let mut written = None;
        for start in 0..3_u8 {
            let context = format!("{tear:?} at event {event}, start {start}");
            let mut store = mount(&mut part).unwrap_or_else(|error| panic!("{context}: {error}"));
            let mut state = contents(&mut store);
            let update = put(0, start, 20, start);
            assert_eq!(update.run(&mut store, &mut random), Outcome::Done, "{context}");
            state.retain(|(class, _), _| *class != 0);
            assert!(
                state == before || state == after,
                "{context}: a third state: {state:?}"
            );
            drop(store);
            written.get_or_insert_with(|| part.image().to_vec());
        }
        images.extend(written.map(|written| (torn, written)));
    }
    assert!(images.len() > 50);
    images
}

#[test]
fn a_store_with_large_pages_mounts_after_every_write_that_was_cut_short_and_passed_over() {
    cut_and_go_on::<Ecc<4, 0x40000>>(&put(2, 2, 60, 9));
    cut_and_go_on::<Ecc<4, 0x10000>>(&commit(3, 3, 40, 7));
    cut_and_go_on::<Nor<4, 0x10000>>(&put(3, 3, 40, 7));
}

#[test]
fn what_a_write_left_that_was_cut_short_is_overwritten_on_large_pages_too() {
    let operation = put(2, 2, 60, 9);
    let (part, ..) = begun::<Nor<4, 0x40000>>(&operation);
    let mut seen = 0;
    for (torn, written) in cut_and_go_on::<Nor<4, 0x40000>>(&operation) {
        let left: Vec<usize> = (0..torn.len())
            .filter(|&at| torn[at] != part.image()[at] && at % 256 >= SESSION)
            .collect();
        // The record itself was begun, behind the Session record of its start.
        if let (Some(first), Some(last)) = (left.first(), left.last())
            && last - first < 100
        {
            seen += 1;
            assert!(left.iter().all(|&at| written[at] == 0), "{first:#x}: {left:x?}");
        }
    }
    assert!(seen > 5, "{seen}");
}

/// Bytes of a Session record, which stands at a multiple of 256 in such pages.
const SESSION: usize = 84;
