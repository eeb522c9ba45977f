//! Pages that wear out in the field are left out, and nothing is lost.

use crate::drivers;
use crate::support;

use bydesign::flash::WriteOnce;
use bydesign::flash::simulator::{ProgramTear, Simulator, SimulatorError, WornOut};
use bydesign::store::{AsyncStore, Class, EraseError, Salvage, Store, WriteError};
use chacha20::ChaCha20Rng;
use drivers::{Pending, Shared, contents_now, poll_times};
use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use rand_core::{Rng as _, TryCryptoRng, TryRng};
use support::operation::{Operation, Outcome, put};
use support::{
    BUFFER, Ecc, LABEL, Memory, Model, Nor, Part, TEARS, contents, format, mount, random, root_key,
};

const PAGE: u32 = 1024;
/// Two pages for keys, eight for the log.
const CAPACITY: usize = 10 * PAGE as usize;
const LOG: std::ops::Range<u32> = 2..10;
/// Calls that fail by script.
const ERASES: u8 = 4;

const WAYS: [WornOut; 3] = [
    WornOut::DoesNotErase,
    WornOut::KeepsAZero,
    WornOut::DoesNotProgram,
];

fn now<T>(future: impl Future<Output = T>) -> T {
    poll_times(future, usize::MAX).expect("ends")
}

/// Runs a test body on both kinds of flash.
macro_rules! on_both {
    ($check:ident) => {
        $check::<Nor<4, 1024>>();
        $check::<Ecc<8, 1024>>();
    };
}

/// One of a history that goes round the ring about once in fifty.
fn operation(number: u8) -> Operation {
    if number % 13 == 5 {
        Operation::Remove {
            class: number % 3,
            key: number % 6,
        }
    } else {
        put(number % 3, number % 6, 60 + u16::from(number % 50), number)
    }
}

/// Gives how many pages are left out in the end.
fn run<P: Part>(part: &mut P, model: &mut Model, numbers: std::ops::Range<u8>, context: &str) -> u32 {
    let mut store = mount(part).unwrap_or_else(|error| panic!("{context}: {error}"));
    for number in numbers {
        let operation = operation(number);
        let outcome = operation.run(&mut store, &mut random(number.into()));
        assert_eq!(outcome, Outcome::Done, "{context}: {operation:?}");
        *model = operation.apply(model);
    }
    assert_eq!(contents(&mut store), *model, "{context}");
    store.figures().left_out_pages
}

/// A store that was written round the ring.
fn aged<P: Part>() -> (P, Model) {
    let mut part = P::new(CAPACITY);
    drop(format(&mut part, 1));
    let mut model = Model::new();
    run(&mut part, &mut model, 0..100, "while all is well");
    (part, model)
}

/// Wears a page out. One that takes no zeros any more cannot be overwritten either: on overwritable flash that is an error as long as
/// something stands there, so it happens when the page is erased.
fn wear_out<P: Part>(part: &mut P, model: &mut Model, page: u32, way: WornOut) {
    let body = (page * PAGE + 12) as usize..((page + 1) * PAGE) as usize;
    for number in (0..200).cycle().take(400) {
        if !P::OVERWRITABLE
            || way != WornOut::DoesNotProgram
            || part.image()[body.clone()].iter().all(|&byte| byte == 0xff)
        {
            part.wear_out(page * PAGE, Some(way));
            return;
        }
        run(part, model, number..number + 1, "until the page is erased");
    }
    panic!("page {page} was never erased");
}

//= compliance/requirements.md#store-34
//= type=test
//# A page of the log that fails, while another one erases and what is stored fits the others, MUST be left out for good, and nothing stored be lost by it.
#[test]
fn whichever_page_wears_out_and_however_no_operation_fails_and_nothing_is_lost() {
    fn check<P: Part>() {
        let (base, before) = aged::<P>();
        for page in LOG {
            for way in WAYS {
                let (mut part, mut model) = (base.clone(), before.clone());
                wear_out(&mut part, &mut model, page, way);
                let mut was_left_out = false;
                for round in 0..12 {
                    let context = format!("page {page} {way:?}, round {round}");
                    was_left_out |= run(&mut part, &mut model, round * 20..round * 20 + 20, &context) == 1;
                }
                assert!(was_left_out, "page {page} {way:?}");
            }
        }
    }
    on_both!(check);
}

#[test]
fn several_worn_pages_are_left_out_beside_each_other_and_apart() {
    fn check<P: Part>() {
        for pages in [[3, 4, 8], [2, 9, 3], [5, 6, 7], [2, 5, 8]] {
            for way in WAYS {
                let (mut part, mut model) = aged::<P>();
                for page in pages {
                    wear_out(&mut part, &mut model, page, way);
                }
                for round in 0..6 {
                    let context = format!("pages {pages:?} {way:?}, round {round}");
                    run(&mut part, &mut model, round * 40..round * 40 + 40, &context);
                }
                let mut store = mount(&mut part).unwrap();
                for number in 0..120 {
                    let operation = operation(number);
                    assert_eq!(operation.run(&mut store, &mut random(7)), Outcome::Done);
                }
                assert_eq!(store.figures().left_out_pages, 3, "{pages:?} {way:?}");
            }
        }
    }
    on_both!(check);
}

#[test]
fn a_cut_at_any_event_beside_a_worn_page_leaves_the_old_state_or_the_new_one() {
    fn check<P: Part>() {
        let mut cuts = 0;
        for (page, way) in [
            (3, WornOut::DoesNotErase),
            (6, WornOut::KeepsAZero),
            (9, WornOut::DoesNotProgram),
        ] {
            for (number, tear) in TEARS.into_iter().enumerate() {
                if P::OVERWRITABLE && tear.0 == ProgramTear::UnreadableWord {
                    // A part whose words may be programmed again has no code that could make a word unreadable.
                    continue;
                }
                let (mut part, mut model) = aged::<P>();
                wear_out(&mut part, &mut model, page, way);
                for step in 0..70 {
                    let operation = operation(step);
                    let after = operation.apply(&model);
                    let begun = part.events();
                    let events = {
                        let mut part = part.clone();
                        let mut store = mount(&mut part).unwrap();
                        assert_eq!(operation.run(&mut store, &mut random(step.into())), Outcome::Done);
                        drop(store);
                        part.events() - begun
                    };
                    // All of them where a page is opened or erased, about one in nine elsewhere.
                    let stride = if events > 700 { 3 } else { 37 };
                    for cut in (u64::from(step) % stride..events).step_by(usize::try_from(stride).unwrap()) {
                        let mut part = part.clone();
                        part.set_tear(tear.0, tear.1, cut);
                        part.cut_after(cut);
                        if let Ok(mut store) = mount(&mut part) {
                            operation.run(&mut store, &mut random(step.into()));
                        }
                        assert!(part.is_off());
                        part.power_on();
                        cuts += 1;
                        let context = format!(
                            "page {page} {way:?}, tears {number}, step {step}, cut at {cut} of {events}"
                        );
                        let mut store = mount(&mut part).unwrap_or_else(|error| panic!("{context}: {error}"));
                        let mut state = contents(&mut store);
                        assert!(state == model || state == after, "{context}: a third state");
                        drop(store);
                        run(&mut part, &mut state, 200..204, &context);
                    }
                    let mut store = mount(&mut part).unwrap();
                    operation.run(&mut store, &mut random(step.into()));
                    model = after;
                }
            }
        }
        assert!(cuts > 5_000, "{cuts}");
        println!("{cuts} cuts");
    }
    on_both!(check);
}

#[test]
fn a_part_that_fails_as_a_whole_has_no_page_left_out_and_goes_on_when_it_is_well_again() {
    fn check<P: Part>() {
        for way in [WornOut::DoesNotErase, WornOut::KeepsAZero] {
            let (mut part, mut model) = aged::<P>();
            for page in LOG {
                part.wear_out(page * PAGE, Some(way));
            }
            let mut failed = 0;
            for number in 0..60 {
                let mut store = mount(&mut part).expect("mounts all the same");
                let operation = operation(number);
                match operation.run(&mut store, &mut random(1)) {
                    Outcome::Done => model = operation.apply(&model),
                    Outcome::Cut => failed += 1,
                    Outcome::Refused => panic!("{operation:?} was refused"),
                }
                assert_eq!(contents(&mut store), model, "{operation:?}");
                assert_eq!(store.figures().left_out_pages, 0);
            }
            assert!(failed > 0);
            for page in LOG {
                part.wear_out(page * PAGE, None);
            }
            assert_eq!(run(&mut part, &mut model, 0..200, "well again"), 0);
        }
    }
    on_both!(check);
}

#[test]
fn one_erase_that_fails_leaves_no_page_out_and_no_operation_fails() {
    fn check<P: Pending>() {
        let (base, before) = aged::<P>();
        for failing in 0..10 {
            let (mut part, mut model) = (base.clone(), before.clone());
            let (script, key) = (Shared::default(), root_key());
            script.borrow_mut().fail(ERASES, failing, 1);
            let medium = part.pending(&script);
            let mut store = now(AsyncStore::mount(medium, Memory::new(), &key, LABEL)).unwrap();
            for number in 0..120 {
                let operation = operation(number);
                let outcome = now(operation.run_async(&mut store, &mut random(1)));
                assert_eq!(outcome, Outcome::Done, "erase {failing}: {operation:?}");
                model = operation.apply(&model);
            }
            assert_eq!(contents_now(&mut store).unwrap(), model);
            assert_eq!(store.figures().left_out_pages, 0, "erase {failing}");
            assert_eq!(script.borrow().failed, 1, "erase {failing}");
        }
    }
    on_both!(check);
}

#[test]
fn a_store_of_worn_pages_says_that_it_holds_less_and_keeps_what_it_has() {
    fn check<P: Part>() {
        let (mut part, _) = aged::<P>();
        let whole = mount(&mut part).unwrap().figures();
        part.wear_out(5 * PAGE, Some(WornOut::DoesNotErase));
        let mut store = mount(&mut part).unwrap();
        for number in 0..100 {
            assert_eq!(operation(number).run(&mut store, &mut random(3)), Outcome::Done);
        }
        let worn = store.figures();
        assert_eq!(worn.left_out_pages, 1);
        assert!(worn.capacity_bytes < whole.capacity_bytes);
        assert!(worn.updates_left(4, 80, 100_000) < whole.updates_left(4, 80, 100_000));
        let mut number = 0;
        let refused = loop {
            let name = format!("more-{number}");
            match store.put_bytes(Class::Settings, &name, &[1; 200], &mut random(4)) {
                Ok(()) => number += 1,
                Err(refused) => break refused,
            }
        };
        assert_eq!(refused, WriteError::Full);
        let full = contents(&mut store);
        drop(store);
        let mut store = mount(&mut part).unwrap();
        assert_eq!(contents(&mut store), full);
        for number in (0..number).rev() {
            let removed = store.remove_bytes(Class::Settings, &format!("more-{number}"), &mut random(5));
            assert_eq!(removed, Ok(true), "removal goes on");
        }
    }
    on_both!(check);
}

#[test]
fn an_item_is_not_said_to_be_erased_while_a_worn_page_of_write_once_flash_still_holds_it() {
    let mut part = Ecc::<8, 1024>::new(CAPACITY);
    let mut store = format(&mut part, 1);
    store
        .put_bytes(Class::User, "secret", b"what must go", &mut random(1))
        .unwrap();
    drop(store);
    part.wear_out(2 * PAGE, Some(WornOut::DoesNotErase));
    let mut store = mount(&mut part).unwrap();
    for _ in 0..2 {
        let erased = store.erase_item(Class::User, "secret", &mut random(2));
        assert!(matches!(erased, Err(EraseError::Flash(_))), "{erased:?}");
        assert_eq!(store.contains_bytes(Class::User, "secret"), Ok(false));
    }
    store
        .erase(Class::User, &mut random(3))
        .expect("the class is erased all the same");
    drop(store);
    part.wear_out(2 * PAGE, None);
    let mut store = mount(&mut part).unwrap();
    store
        .erase_item(Class::User, "secret", &mut random(4))
        .expect("nothing is left of it now");
}

#[test]
fn a_store_is_made_anew_on_a_part_with_worn_pages_and_only_by_force() {
    fn check<P: Part>() {
        for worn in [&[2u32][..], &[2, 3], &[4, 9]] {
            for way in [WornOut::DoesNotErase, WornOut::KeepsAZero] {
                let (mut part, _) = aged::<P>();
                for page in worn {
                    part.wear_out(page * PAGE, Some(way));
                }
                let formatted =
                    Store::format_erasing(part.medium(), Memory::new(), &root_key(), LABEL, &mut random(2));
                drop(formatted.unwrap_or_else(|error| panic!("{worn:?} {way:?}: {error}")));
                let mut model = Model::new();
                for round in 0..4 {
                    run(
                        &mut part,
                        &mut model,
                        round * 60..round * 60 + 60,
                        &format!("{worn:?} {way:?}"),
                    );
                }
            }
        }
    }
    on_both!(check);
}

#[test]
fn a_salvage_of_a_store_with_left_out_pages_finds_everything_and_no_gap() {
    fn check<P: Part>() {
        for page in LOG {
            let (mut part, mut model) = aged::<P>();
            part.wear_out(page * PAGE, Some(WornOut::DoesNotErase));
            for round in 0..5 {
                run(
                    &mut part,
                    &mut model,
                    round * 50..round * 50 + 50,
                    "before the salvage",
                );
                let mut found = Model::new();
                let salvaged =
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
                                assert!(is_latest, "{name}");
                                let number = (0..5).find(|&number| support::class(number) == data).unwrap();
                                found.insert((number, name.to_owned()), value.to_vec());
                            }
                            other => panic!("page {page}, round {round}: {other:?}"),
                        },
                    );
                assert_eq!(salvaged.expect("opens").items, model.len());
                assert_eq!(found, model);
            }
        }
    }
    on_both!(check);
}

#[test]
fn nothing_of_a_put_that_met_a_worn_page_is_lost_when_it_fails_for_want_of_pages() {
    fn check<P: Part>() {
        let (mut part, mut model) = aged::<P>();
        let mut out = [0; BUFFER];
        // One after the other, until too few are left.
        for page in LOG {
            part.wear_out(page * PAGE, Some(WornOut::DoesNotErase));
            for number in 0..60 {
                let mut store = mount(&mut part).expect("mounts");
                let operation = operation(number);
                if operation.run(&mut store, &mut random(9)) == Outcome::Done {
                    model = operation.apply(&model);
                }
                assert_eq!(contents(&mut store), model, "page {page}, {operation:?}");
            }
        }
        let mut store = mount(&mut part).unwrap();
        for ((number, name), value) in &model {
            let len = store
                .get_bytes(support::class(*number), name, &mut out)
                .unwrap()
                .unwrap();
            assert_eq!(&out[..len], value.as_slice());
        }
    }
    on_both!(check);
}

/// Does what it is told, and says of every program call on one page that it failed.
struct Distrusted<'a>(&'a mut Simulator<8, 1024>, u32);

impl ErrorType for Distrusted<'_> {
    type Error = SimulatorError;
}

impl ReadNorFlash for Distrusted<'_> {
    const READ_SIZE: usize = 1;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimulatorError> {
        self.0.read(offset, bytes)
    }
    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl NorFlash for Distrusted<'_> {
    const WRITE_SIZE: usize = 8;
    const ERASE_SIZE: usize = 1024;
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimulatorError> {
        self.0.write(offset, bytes)?;
        // Its erase mark is believed.
        if offset / PAGE == self.1 && !offset.is_multiple_of(PAGE) {
            return Err(SimulatorError::PowerLost);
        }
        Ok(())
    }
    fn erase(&mut self, from: u32, to: u32) -> Result<(), SimulatorError> {
        self.0.erase(from, to)
    }
}

/// Fails after so many calls.
struct Exhausted(u32, ChaCha20Rng);

impl TryRng for Exhausted {
    type Error = SimulatorError;
    fn try_next_u32(&mut self) -> Result<u32, SimulatorError> {
        Ok(self.1.next_u32())
    }
    fn try_next_u64(&mut self) -> Result<u64, SimulatorError> {
        Ok(self.1.next_u64())
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), SimulatorError> {
        self.0 = self.0.checked_sub(1).ok_or(SimulatorError::PowerLost)?;
        self.1.fill_bytes(bytes);
        Ok(())
    }
}
impl TryCryptoRng for Exhausted {}

#[test]
fn the_first_record_of_a_page_left_out_counts_for_nothing_although_it_opens() {
    let (mut part, mut model) = aged::<Ecc<8, 1024>>();
    let mut left_out = 0;
    for step in 0..60 {
        for page in LOG {
            for calls in (1..9).chain([20, 40]) {
                let mut part = part.clone();
                let medium = WriteOnce::new(Distrusted(&mut part.0, page));
                let mut store = Store::mount(medium, Memory::new(), &root_key(), LABEL).unwrap();
                let long = store.put_bytes(
                    Class::Settings,
                    "long",
                    &[1; 300],
                    &mut Exhausted(calls, random(2)),
                );
                if store.figures().left_out_pages == 0 {
                    continue;
                }
                left_out += 1;
                let short = store.put_bytes(Class::Settings, "short", &[2; 2], &mut random(3));
                drop(store);
                let mut store =
                    mount(&mut part).unwrap_or_else(|error| panic!("{step}, page {page}: {error}"));
                for (name, put) in [("long", long), ("short", short)] {
                    let is_there = store.contains_bytes(Class::Settings, name);
                    assert_eq!(
                        is_there,
                        Ok(put.is_ok()),
                        "{name}, step {step}, page {page}, after {calls} calls"
                    );
                }
            }
        }
        run(&mut part, &mut model, step..step + 1, "on the way");
    }
    assert!(left_out > 20, "{left_out}");
}

#[test]
fn a_page_that_a_full_store_needs_is_not_left_out_and_works_again_when_it_is_well() {
    fn check<P: Part>() {
        let mut part = P::new(CAPACITY);
        let mut store = format(&mut part, 1);
        let name = |number: u32| format!("item-{number}");
        let mut items = 0;
        while store
            .put_bytes(Class::User, &name(items), &[1; 100], &mut random(1))
            .is_ok()
        {
            items += 1;
        }
        drop(store);
        part.wear_out(5 * PAGE, Some(WornOut::DoesNotErase));
        let mut failed = 0;
        for round in 0..4 {
            for item in 0..items {
                let mut store = mount(&mut part).expect("mounts");
                let put = store.put_bytes(Class::User, &name(item), &[round; 100], &mut random(2));
                assert_ne!(put, Err(WriteError::Full));
                failed += u32::from(put.is_err());
                assert_eq!(store.figures().left_out_pages, 0);
            }
        }
        assert!(failed > 0);
        part.wear_out(5 * PAGE, None);
        let mut store = mount(&mut part).expect("mounts");
        for round in 0..4 {
            for item in 0..items {
                store
                    .put_bytes(Class::User, &name(item), &[round; 100], &mut random(3))
                    .expect("an update finds room");
            }
        }
    }
    on_both!(check);
}

/// A fork of the store in which the page did not fail wrote its next page there, after a change of the keys.
#[test]
fn what_a_fork_wrote_on_a_page_left_out_counts_for_nothing() {
    fn check<P: Part>() {
        let mut tried = 0;
        for page in LOG {
            let (mut part, mut model) = aged::<P>();
            part.wear_out(page * PAGE, Some(WornOut::DoesNotErase));
            let range = (page * PAGE) as usize..((page + 1) * PAGE) as usize;
            for number in 0..100 {
                let before = part.clone();
                run(&mut part, &mut model, number..number + 1, "beside the worn page");
                if mount(&mut part).unwrap().figures().left_out_pages == 0 {
                    continue;
                }
                let mut fork = before;
                fork.wear_out(page * PAGE, None);
                for _ in 0..3 {
                    let mut store = mount(&mut fork).unwrap();
                    store.erase(Class::Settings, &mut random(5)).expect("erases");
                }
                for number in 0..100 {
                    let mut store = mount(&mut fork).unwrap();
                    operation(number).run(&mut store, &mut random(6));
                    drop(store);
                    let mut image = part.image().to_vec();
                    image[range.clone()].copy_from_slice(&fork.image()[range.clone()]);
                    let mut mixed = P::of_image(&image);
                    let mut store =
                        mount(&mut mixed).unwrap_or_else(|error| panic!("page {page}, {number}: {error}"));
                    assert_eq!(contents(&mut store), model, "page {page}, {number}");
                    tried += 1;
                }
                break;
            }
        }
        assert!(tried > 500, "{tried}");
    }
    on_both!(check);
}
