//! What power cut short so that it reads one way now and another way the next time.

use crate::drivers;
use crate::support;

use bydesign::flash::simulator::{Rule, Simulator, SimulatorError};
use bydesign::flash::{NeverPends, Overwritable, WriteOnce};
use bydesign::store::{AsyncStore, Change, Class, Store, WriteError};
use chacha20::rand_core::Rng;
use drivers::{Pending, Shared, poll_times};
use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, NorFlashErrorKind, ReadNorFlash};
use support::{Ecc, LABEL, Memory, Nor, Part as _, contents, format, mount, random, root_key};

const PROGRAMS: u8 = 2;

fn now<T>(future: impl Future<Output = T>) -> T {
    poll_times(future, usize::MAX).expect("ends")
}

/// A whole value that was never accepted, and whole Session records that pass over it, of writes that reported errors. Gives the
/// last byte of the last of them.
fn failed_writes<P: Pending>() -> (P, u32) {
    let mut part = P::new(4 * 1024);
    let mut store = format(&mut part, 1);
    store
        .put_bytes(Class::Settings, "a", &[1; 40], &mut random(1))
        .unwrap();
    drop(store);
    let (script, key, mut source) = (Shared::default(), root_key(), random(2));
    script.borrow_mut().after = true;
    let mut store = now(AsyncStore::mount(
        part.pending(&script),
        Memory::new(),
        &key,
        LABEL,
    ))
    .unwrap();
    now(store.put_bytes(Class::Settings, "b", &[2; 40], &mut source)).unwrap();
    for (name, programs) in [("never", 1), ("nor this", 9)] {
        script.borrow_mut().fail(PROGRAMS, 0, programs);
        let failed = now(store.put_bytes(Class::Settings, name, &[3; 40], &mut source));
        assert!(matches!(failed, Err(WriteError::Flash(_))), "{failed:?}");
    }
    drop(store);
    // The log is on its first page.
    let image = &part.image()[2048..3072];
    let last = image.iter().rposition(|&byte| byte != 0xff).unwrap();
    assert!(last > 384, "two attempts stand at multiples of 128: {last}");
    (part, 2048 + u32::try_from(last).unwrap())
}

/// A part of which one byte reads with a bit inverted, whenever `is_wrong` says so, until that bit is programmed to zero or erased.
struct Unsteady<const WRITE: usize, F> {
    part: Simulator<WRITE, 1024>,
    at: u32,
    bit: u8,
    is_wrong: F,
    is_cured: bool,
}

impl<const WRITE: usize, F: FnMut() -> bool> Unsteady<WRITE, F> {
    fn new(part: Simulator<WRITE, 1024>, at: u32, bit: u8, is_wrong: F) -> Self {
        Self {
            part,
            at,
            bit,
            is_wrong,
            is_cured: false,
        }
    }
}

impl<const WRITE: usize, F> ErrorType for Unsteady<WRITE, F> {
    type Error = SimulatorError;
}

impl<const WRITE: usize, F: FnMut() -> bool> ReadNorFlash for Unsteady<WRITE, F> {
    const READ_SIZE: usize = 1;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimulatorError> {
        self.part.read(offset, bytes)?;
        let byte = (self.at.checked_sub(offset)).and_then(|at| bytes.get_mut(at as usize));
        if let Some(byte) = byte
            && !self.is_cured
            && (self.is_wrong)()
        {
            *byte ^= 1 << self.bit;
        }
        Ok(())
    }
    fn capacity(&self) -> usize {
        self.part.capacity()
    }
}

impl<const WRITE: usize, F: FnMut() -> bool> NorFlash for Unsteady<WRITE, F> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = 1024;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), SimulatorError> {
        self.is_cured |= (from..to).contains(&self.at);
        self.part.erase(from, to)
    }
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimulatorError> {
        let byte = (self.at.checked_sub(offset)).and_then(|at| bytes.get(at as usize));
        self.is_cured |= byte.is_some_and(|byte| byte >> self.bit & 1 == 0);
        self.part.write(offset, bytes)
    }
}

impl<const WRITE: usize, F: FnMut() -> bool> MultiwriteNorFlash for Unsteady<WRITE, F> {}

macro_rules! check {
    ($part:ident, $wrapper:ident, $rule:ident, $write:literal) => {{
        let (mut part, at) = failed_writes::<$part<$write, 1024>>();
        let model = contents(&mut mount(&mut part).unwrap());
        assert_eq!(model.len(), 2);
        for right in 0..200 {
            let part = Simulator::<$write, 1024>::from_image(part.image(), Rule::$rule);
            let mut reads = 0;
            let medium = $wrapper::new(Unsteady::new(part, at, 0, || {
                reads += 1;
                reads > right
            }));
            let mut store = Store::mount(medium, Memory::new(), &root_key(), LABEL)
                .unwrap_or_else(|error| panic!("right {right} times: {error}"));
            assert_eq!(contents(&mut store), model, "right {right} times");
            store
                .put_bytes(Class::Settings, "c", &[4; 40], &mut random(3))
                .unwrap_or_else(|error| panic!("right {right} times: {error}"));
        }
    }};
}

#[test]
fn a_session_record_that_opens_only_at_times_hinders_no_mount() {
    check!(Nor, Overwritable, Multiwrite, 4);
    check!(Ecc, WriteOnce, WriteOnce, 8);
}

/// A bit in the first records of the next page that an earlier start began to program: it reads as one at first, and then at random.
fn next_page_begun(at: u32, seed: u64) {
    let context = format!("byte {at:#x}, seed {seed}");
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    let mut store = format(&mut part, 1);
    put(&mut store, 0);
    drop(store);
    let (mut noise, mut reads) = (random(seed), 0);
    let part = Simulator::<4, 1024>::from_image(part.image(), Rule::Multiwrite);
    let medium = Overwritable::new(Unsteady::new(part, at, 7, || {
        reads += 1;
        reads > 3 && noise.next_u32() % 2 == 0
    }));
    let mount = |medium| Store::mount(medium, Memory::new(), &root_key(), LABEL);
    let mut store = mount(medium).unwrap_or_else(|error| panic!("{context}: {error}"));
    let mut value = 0;
    while store.figures().free_pages > 4 {
        value += 1;
        put(&mut store, value);
    }
    let model = contents(&mut store);
    let mut store = mount(store.into_medium()).unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!(contents(&mut store), model, "{context}");
}

fn put<M: NeverPends>(store: &mut Store<M, Memory>, value: u8) {
    store
        .put_bytes(Class::Settings, "a", &[value; 40], &mut random(u64::from(value)))
        .unwrap();
}

#[test]
fn what_an_earlier_start_began_on_the_next_page_spoils_nothing_that_is_written_there() {
    // Its first record, and what follows that in a page that is turned over.
    for at in [3072 + 12, 3072 + 52, 3072 + 95, 3072 + 200] {
        for seed in 0..32 {
            next_page_begun(at, seed);
        }
    }
}

type Noisy<const WRITE: usize> = Unsteady<WRITE, Box<dyn FnMut() -> bool>>;

/// A bit of a Commit that power cut short: it reads as programmed at first, and then at random. What a start says of the transaction holds at the next.
fn commit_begun<const WRITE: usize, M: NeverPends>(
    image: &[u8],
    rule: Rule,
    seed: u64,
    medium: impl Fn(Noisy<WRITE>) -> M,
) {
    // The log is on its first page, and its last byte is the Commit's.
    let page = 2048..3072;
    let at = page.start + image[page].iter().rposition(|&byte| byte != 0xff).unwrap();
    assert!(at > 2048 + 300, "behind what was there before: {at}");
    let bit = u8::try_from(image[at].trailing_ones()).unwrap();
    assert!(bit < 8, "a bit that was programmed");
    let (mut noise, mut reads) = (random(seed), 0);
    let is_wrong = move || {
        reads += 1;
        reads > 3 && noise.next_u32() % 2 == 0
    };
    let part = Simulator::from_image(image, rule);
    let at = u32::try_from(at).unwrap();
    let unsteady = Unsteady::new(part, at, bit, Box::new(is_wrong) as Box<dyn FnMut() -> bool>);
    let mount = |medium| Store::mount(medium, Memory::new(), &root_key(), LABEL);
    let mut store = mount(medium(unsteady)).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    put(&mut store, 9);
    let model = contents(&mut store);
    let mut medium = store.into_medium();
    for start in 0..8 {
        let mut store = mount(medium).unwrap_or_else(|error| panic!("seed {seed}, start {start}: {error}"));
        assert_eq!(contents(&mut store), model, "seed {seed}, start {start}");
        medium = store.into_medium();
    }
}

/// The image of a store whose log ends with a transaction.
fn ends_with_a_transaction<P: support::Part>() -> Vec<u8> {
    let mut part = P::new(8 * 1024);
    let mut store = format(&mut part, 1);
    put(&mut store, 0);
    let changes = [1, 2].map(|value| [value; 40]);
    let names = ["b", "c"];
    let changes: Vec<_> = names
        .iter()
        .zip(&changes)
        .map(|(name, value)| Change::put_bytes(Class::Settings, name, value))
        .collect();
    store.commit(&changes, &mut random(2)).unwrap();
    drop(store);
    part.image().to_vec()
}

#[test]
fn a_commit_that_opens_only_at_times_is_decided_once_for_all() {
    let nor = ends_with_a_transaction::<Nor<4, 1024>>();
    let ecc = ends_with_a_transaction::<Ecc<8, 1024>>();
    for seed in 0..32 {
        commit_begun::<4, _>(&nor, Rule::Multiwrite, seed, Overwritable::new);
        commit_begun::<8, _>(&ecc, Rule::WriteOnce, seed, WriteOnce::new);
    }
}

/// A part whose driver reports errors for some reads in a row, and is well otherwise.
struct Faltering<const WRITE: usize> {
    part: Simulator<WRITE, 1024>,
    reads: u32,
    failing: std::ops::Range<u32>,
}

impl<const WRITE: usize> ErrorType for Faltering<WRITE> {
    type Error = SimulatorError;
}

impl<const WRITE: usize> ReadNorFlash for Faltering<WRITE> {
    const READ_SIZE: usize = 1;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimulatorError> {
        self.reads += 1;
        if self.failing.contains(&self.reads) {
            return Err(SimulatorError::Injected(NorFlashErrorKind::Other));
        }
        self.part.read(offset, bytes)
    }
    fn capacity(&self) -> usize {
        self.part.capacity()
    }
}

impl<const WRITE: usize> NorFlash for Faltering<WRITE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = 1024;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), SimulatorError> {
        self.part.erase(from, to)
    }
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimulatorError> {
        self.part.write(offset, bytes)
    }
}

#[test]
fn errors_of_the_driver_that_do_not_stay_make_a_mount_fail_or_change_nothing_that_it_finds() {
    let mut part = Ecc::<8, 1024>::new(8 * 1024);
    let mut store = format(&mut part, 1);
    for value in 0..40 {
        put(&mut store, value);
    }
    let pairs = ["b", "c"].map(|name| Change::put_bytes(Class::Settings, name, &[7; 20]));
    store.commit(&pairs, &mut random(2)).unwrap();
    let model = contents(&mut store);
    drop(store);
    let mount = |failing| {
        let part = Simulator::<8, 1024>::from_image(part.image(), Rule::WriteOnce);
        let medium = WriteOnce::new(Faltering {
            part,
            reads: 0,
            failing,
        });
        Store::mount(medium, Memory::new(), &root_key(), LABEL)
    };
    let reads = mount(0..0).unwrap().medium().driver().reads;
    let mut found = 0;
    for first in 1..=reads {
        for number in [1, 2, 4, 16] {
            if let Ok(mut store) = mount(first..first + number) {
                store.medium_mut().driver_mut().failing = 0..0;
                assert_eq!(contents(&mut store), model, "{number} reads from {first} on");
                found += 1;
            }
        }
    }
    assert!(found > reads, "{found} of {} mounts", reads * 4);
}
