//! A disk that loses power, on which the file lies: what is not synced is there, not there, or there up to some byte, sector by
//! sector. And reads and writes that do less than asked, or fail.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;
use std::{eprintln, format};

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use embedded_storage::nor_flash::{NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};

use super::{AccessError, FileFlash, OpenError, SECTOR, Storage};
use crate::flash::{NeverPends, Overwritable, WriteOnce};
use crate::secret::RootKey;
use crate::store::{Class, Ram, Store};

mod names;

/// A disk behind a cache. Clones are the same disk.
#[derive(Clone)]
struct Disk(Rc<RefCell<State>>);

#[derive(Clone)]
#[allow(clippy::struct_excessive_bools)] // each is a fault of its own
struct State {
    /// What stays.
    durable: Vec<u8>,
    /// What reads back.
    cached: Vec<u8>,
    /// What was written since the last sync, cut at the sectors.
    pending: Vec<(usize, Vec<u8>)>,
    /// Writes and syncs so far.
    events: u64,
    /// After how many more the power goes.
    events_left: Option<u64>,
    off: bool,
    /// Reads and writes do little at a time, and are interrupted every other time.
    stingy: bool,
    interrupted: bool,
    /// The next sync fails once.
    sync_fails: bool,
}

impl Disk {
    fn new(bytes: Vec<u8>) -> Self {
        Self(Rc::new(RefCell::new(State {
            cached: bytes.clone(),
            durable: bytes,
            pending: Vec::new(),
            events: 0,
            events_left: None,
            off: false,
            stingy: false,
            interrupted: false,
            sync_fails: false,
        })))
    }

    fn blank(capacity: usize) -> Self {
        Self::new(vec![0xff; capacity])
    }

    /// Another disk in the same state.
    fn fork(&self) -> Self {
        Self(Rc::new(RefCell::new(self.0.borrow().clone())))
    }

    /// The file on it, opened.
    fn try_flash<const WRITE: usize, const ERASE: usize>(
        &self,
    ) -> Result<FileFlash<WRITE, ERASE, Self>, OpenError> {
        let capacity = self.0.borrow().durable.len();
        FileFlash::over(
            self.clone(),
            Path::new("disk.img"),
            u32::try_from(capacity).expect("small"),
        )
    }

    fn flash<const WRITE: usize, const ERASE: usize>(&self) -> FileFlash<WRITE, ERASE, Self> {
        self.try_flash().expect("opens")
    }

    fn events(&self) -> u64 {
        self.0.borrow().events
    }

    fn cut_after(&self, events: u64) {
        self.0.borrow_mut().events_left = Some(events);
    }

    /// What is left when the power has gone: of each sector that was not synced all, nothing, or the first bytes.
    fn after_power_loss(&self, random: &mut ChaCha20Rng) -> Self {
        let state = self.0.borrow();
        assert!(state.off, "the cut must come");
        let mut left = state.durable.clone();
        for (at, bytes) in &state.pending {
            let kept = match random.next_u32() % 3 {
                0 => 0,
                1 => bytes.len(),
                _ => random.next_u32() as usize % bytes.len(),
            };
            left[*at..at + kept].copy_from_slice(&bytes[..kept]);
        }
        Self::new(left)
    }
}

impl State {
    /// Whether power goes now.
    fn event(&mut self) -> bool {
        match &mut self.events_left {
            Some(0) => self.off = true,
            Some(left) => *left -= 1,
            None => {}
        }
        self.events += u64::from(!self.off);
        self.off
    }

    fn stinted(&mut self, wanted: usize) -> io::Result<usize> {
        if !self.stingy {
            return Ok(wanted);
        }
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok(wanted.min(3))
    }
}

impl Storage for Disk {
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let mut state = self.0.borrow_mut();
        if state.off {
            return Err(io::Error::other("power is off"));
        }
        let offset = usize::try_from(offset).expect("small");
        let there = bytes.len().min(state.cached.len() - offset);
        let len = state.stinted(there)?;
        bytes[..len].copy_from_slice(&state.cached[offset..offset + len]);
        Ok(len)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.borrow_mut();
        if state.off {
            return Err(io::Error::other("power is off"));
        }
        let offset = usize::try_from(offset).expect("small");
        let len = state.stinted(bytes.len())?;
        state.cached[offset..offset + len].copy_from_slice(&bytes[..len]);
        let mut at = offset;
        while at < offset + len {
            let end = ((at / SECTOR + 1) * SECTOR).min(offset + len);
            state
                .pending
                .push((at, bytes[at - offset..end - offset].to_vec()));
            at = end;
        }
        if state.event() {
            return Err(io::Error::other("power is off"));
        }
        Ok(len)
    }

    fn size(&mut self) -> io::Result<u64> {
        Ok(self.0.borrow().cached.len() as u64)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        if std::mem::take(&mut state.sync_fails) {
            // The system forgets what it could not write, and goes on reading it from the cache.
            state.pending.clear();
            return Err(io::Error::other("the disk is full of holes"));
        }
        if state.off || state.event() {
            return Err(io::Error::other("power is off"));
        }
        state.pending.clear();
        state.durable = state.cached.clone();
        Ok(())
    }
}

// ---- power ----

type Model = BTreeMap<String, Vec<u8>>;
type Memory = Ram<16, 900>;

const LABEL: &str = "disk";
const OPERATIONS: u32 = 48;

fn root_key() -> RootKey {
    RootKey::new(*b"\x8e\x1f\x02\xd9\x44\xa7\x39\x5b\xc0\x6d\x7e\x13\xfa\x98\x21\x5c\x3b\xe6\x70\x0a\xb5\x4f\xd2\x87\x19\xcc\x63\xae\x05\x7b\xf1\x30")
        .expect("stands in no list")
}

fn random(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// The operation with this number: most put, some remove or erase.
fn operate<M: NeverPends>(store: &mut Store<M, Memory>, number: u32) -> bool {
    let mut random = random(number.into());
    let key = format!("key-{}", number % 5);
    match number % 12 {
        7 => store.remove_bytes(Class::Settings, &key, &mut random).is_ok(),
        11 => store.erase(Class::Settings, &mut random).is_ok(),
        _ => store
            .put_bytes(Class::Settings, &key, &value(number), &mut random)
            .is_ok(),
    }
}

/// The same to the specification.
fn apply(model: &Model, number: u32) -> Model {
    let mut after = model.clone();
    let key = format!("key-{}", number % 5);
    match number % 12 {
        7 => {
            after.remove(&key);
        }
        11 => after.clear(),
        _ => {
            after.insert(key, value(number));
        }
    }
    after
}

/// Short ones, and ones that lie on two or three sectors.
fn value(number: u32) -> Vec<u8> {
    let len = if number.is_multiple_of(3) {
        620
    } else {
        40 + number % 90
    };
    vec![number.to_le_bytes()[0]; len as usize]
}

fn contents<M: NeverPends>(store: &mut Store<M, Memory>) -> Model {
    let mut all = Model::new();
    store
        .for_each(Class::Settings, |name, value| {
            all.insert(name.to_string(), value.to_vec());
        })
        .expect("every item reads");
    all
}

/// Cuts at every write and sync of many operations, and looks at what a few disks make of it.
fn cut_everywhere<const WRITE: usize, const ERASE: usize, M: NeverPends>(
    pages: usize,
    wrap: impl Fn(FileFlash<WRITE, ERASE, Disk>) -> M,
) {
    let capacity = pages * ERASE.max(1024);
    let mut disk = Disk::blank(capacity);
    let mount = |disk: &Disk| {
        let flash = disk.try_flash().map_err(|error| error.to_string())?;
        Store::mount(wrap(flash), Memory::new(), &root_key(), LABEL).map_err(|error| error.to_string())
    };
    drop(
        Store::format(
            wrap(disk.flash()),
            Memory::new(),
            &root_key(),
            LABEL,
            &mut random(0),
        )
        .expect("formats"),
    );
    let mut before = Model::new();
    let mut cuts = 0;
    let mut old_and_new = [0, 0];
    for number in 0..OPERATIONS {
        let after = apply(&before, number);
        let whole = disk.fork();
        let begun = whole.events();
        assert!(operate(&mut mount(&whole).expect("mounts"), number));
        for event in 0..whole.events() - begun {
            let cut = disk.fork();
            cut.cut_after(event);
            if let Ok(mut store) = mount(&cut) {
                operate(&mut store, number);
            }
            for seed in 0..6 {
                let context = format!("operation {number}, cut at {event}, disk {seed}");
                let left = cut.after_power_loss(&mut random(seed));
                let mut store =
                    mount(&left).unwrap_or_else(|error| panic!("{context}: does not mount: {error}"));
                let state = contents(&mut store);
                assert!(
                    state == before || state == after,
                    "{context}: a third state: {state:?}"
                );
                old_and_new[usize::from(state == after)] += 1;
                // It goes on, and what it does then stays.
                assert!(operate(&mut store, number + 1), "{context}: goes on");
                drop(store);
                let state = contents(&mut mount(&left).expect("mounts"));
                assert!(
                    state == apply(&before, number + 1) || state == apply(&after, number + 1),
                    "{context}: writes after the cut: {state:?}"
                );
                cuts += 1;
            }
        }
        disk = whole;
        before = after;
    }
    eprintln!(
        "{cuts} losses of power: {} old, {} new",
        old_and_new[0], old_and_new[1]
    );
    assert!(old_and_new[0] > 100 && old_and_new[1] > 100, "{old_and_new:?}");
}

//= compliance/requirements.md#file-2
//= type=test
//# A call that programs or erases a file MUST NOT go on to the next sector or unit, or return success, before what it wrote is durable.
#[test]
fn disk_that_loses_power_keeps_what_was_acknowledged_on_write_once_files() {
    cut_everywhere::<4, 4096, _>(5, WriteOnce::new);
}

#[test]
fn disk_that_loses_power_keeps_what_was_acknowledged_on_overwritable_files() {
    cut_everywhere::<4, 4096, _>(5, Overwritable::new);
}

#[test]
fn disk_that_loses_power_keeps_what_was_acknowledged_on_pages_of_several_units_and_long_words() {
    cut_everywhere::<32, 512, _>(16, WriteOnce::new);
}

#[test]
fn every_call_is_durable_when_it_returns_and_in_order_before() {
    let disk = Disk::blank(8192);
    let mut flash = disk.flash::<4, 4096>();
    let begun = disk.events();
    flash.write(500, &[0; 1600]).unwrap();
    assert_eq!(disk.0.borrow().durable, disk.0.borrow().cached);
    assert_eq!(
        disk.events() - begun,
        2 * 5,
        "a write and a sync for each of five sectors"
    );
    flash.erase(0, 8192).unwrap();
    assert_eq!(disk.0.borrow().durable, [0xff; 8192]);

    // Cut anywhere: zeros, and behind the first sector that is not all zeros nothing.
    for event in 0..10 {
        for seed in 0..20 {
            let cut = Disk::blank(8192);
            let mut flash = cut.flash::<4, 4096>();
            cut.cut_after(event);
            assert!(flash.write(500, &[0; 1600]).is_err());
            let left = cut.after_power_loss(&mut random(seed));
            let left = &left.0.borrow().durable[500..2100];
            let zeros = left.iter().take_while(|&&byte| byte == 0).count();
            assert!(left[zeros..].iter().all(|&byte| byte == 0xff), "{event}, {seed}");
        }
    }
}

#[test]
fn what_a_killed_process_left_unsynced_is_durable_when_it_is_opened() {
    let mut disk = Disk::blank(8192);
    disk.write_at(0, &[0; 4]).unwrap();
    assert_eq!(disk.0.borrow().durable, [0xff; 8192]);
    drop(disk.flash::<4, 4096>());
    assert_eq!(disk.0.borrow().durable[..5], [0, 0, 0, 0, 0xff]);
}

// ---- the system ----

//= compliance/requirements.md#file-5
//= type=test
//# After a write or a sync has failed, a file MUST refuse every call until it is opened anew.
#[test]
fn a_sync_that_failed_is_not_forgotten() {
    let disk = Disk::blank(8192);
    let mut flash = disk.flash::<4, 4096>();
    disk.0.borrow_mut().sync_fails = true;
    let error = flash.write(0, &[0; 4]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "disk.img: cannot sync: the disk is full of holes"
    );
    assert_eq!(error.kind(), NorFlashErrorKind::Other);
    // What reads back is not on the disk: nobody may see it.
    assert_eq!(disk.0.borrow().cached[0], 0);
    assert_eq!(disk.0.borrow().durable[0], 0xff);
    let mut byte = [1];
    assert!(matches!(
        flash.read(0, &mut byte),
        Err(AccessError::Suspect { .. })
    ));
    assert!(matches!(
        flash.write(8, &[0; 4]),
        Err(AccessError::Suspect { .. })
    ));
    assert!(matches!(flash.erase(0, 4096), Err(AccessError::Suspect { .. })));
    assert_eq!(byte, [1]);
    disk.flash::<4, 4096>().write(8, &[0; 4]).unwrap();
}

#[test]
fn arguments_that_are_wrong_make_nothing_suspect() {
    let mut flash = Disk::blank(8192).flash::<4, 4096>();
    assert!(matches!(
        flash.write(2, &[0; 4]),
        Err(AccessError::NotAligned { .. })
    ));
    assert!(matches!(
        flash.erase(4096, 12288),
        Err(AccessError::OutOfBounds { .. })
    ));
    flash.write(0, &[0; 4]).unwrap();
}

#[test]
fn reads_and_writes_that_are_short_or_interrupted_are_gone_on_with() {
    let disk = Disk::blank(8192);
    disk.0.borrow_mut().stingy = true;
    let mut flash = disk.flash::<4, 4096>();
    let bytes: Vec<u8> = (0..=255).cycle().take(1024).collect();
    flash.write(1500, &bytes).unwrap();
    let mut back = vec![0; 1024];
    flash.read(1500, &mut back).unwrap();
    assert_eq!(back, bytes);
    assert_eq!(disk.0.borrow().durable[1500..2524], bytes);
    flash.erase(0, 4096).unwrap();
    assert_eq!(disk.0.borrow().durable, [0xff; 8192]);
}

#[test]
fn lock_goes_with_the_flash_and_not_with_the_last_copy_of_its_handle() {
    let path = std::env::temp_dir().join(format!("bydesign-lock-{}.img", std::process::id()));
    let flash = FileFlash::<4, 4096>::create(&path, 8192).unwrap();
    // As a child process has one for a moment.
    let copy = flash.storage.file().try_clone().unwrap();
    assert!(FileFlash::<4, 4096>::open(&path, 8192).is_err());
    drop(flash);
    let opened = FileFlash::<4, 4096>::open(&path, 8192);
    std::fs::remove_file(&path).unwrap();
    assert!(opened.is_ok(), "{opened:?}");
    drop(copy);
}

#[test]
fn file_that_ends_early_or_takes_nothing_is_an_error_and_no_endless_loop() {
    /// Nothing goes in or out.
    struct Stuck;
    impl Storage for Stuck {
        fn read_at(&mut self, _: u64, _: &mut [u8]) -> io::Result<usize> {
            Ok(0)
        }
        fn write_at(&mut self, _: u64, _: &[u8]) -> io::Result<usize> {
            Ok(0)
        }
        fn size(&mut self) -> io::Result<u64> {
            Ok(8192)
        }
        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut flash = FileFlash::<4, 4096, _>::over(Stuck, Path::new("stuck.img"), 8192).unwrap();
    assert!(flash.read(0, &mut [0]).is_err());
    assert!(flash.erase(0, 4096).is_err());
}

/// A file that somebody cuts to a size after a number of syncs; written behind its end, it grows.
struct CutShort {
    bytes: Vec<u8>,
    syncs_left: u32,
    size: usize,
}

impl Storage for CutShort {
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.bytes.get(offset..))
            .unwrap_or_default();
        let len = rest.len().min(bytes.len());
        bytes[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let offset = usize::try_from(offset).expect("small");
        let end = offset + bytes.len();
        self.bytes.resize(self.bytes.len().max(end), 0);
        self.bytes[offset..end].copy_from_slice(bytes);
        Ok(bytes.len())
    }

    fn size(&mut self) -> io::Result<u64> {
        Ok(self.bytes.len() as u64)
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.syncs_left == 1 {
            self.bytes.truncate(self.size);
        }
        self.syncs_left = self.syncs_left.saturating_sub(1);
        Ok(())
    }
}

#[test]
fn file_that_is_cut_short_within_a_call_is_not_grown_by_the_rest_of_it() {
    type Flash = FileFlash<4, 4096, CutShort>;
    type Call = fn(&mut Flash) -> Result<(), AccessError>;
    let cases: [(usize, Call); 3] = [
        (4096, |flash| flash.erase(0, 8192)),
        (512, |flash| flash.write(0, &[0; 1024])),
        (700, |flash| flash.write(0, &[0; 1024])),
    ];
    for (size, call) in cases {
        let storage = CutShort {
            bytes: vec![0xff; 8192],
            syncs_left: 2, // one when it is opened
            size,
        };
        let mut flash = Flash::over(storage, Path::new("cut.img"), 8192).unwrap();
        let result = call(&mut flash);
        assert_eq!(flash.storage.bytes.len(), size);
        let error = result.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cut.img: has {size} bytes by now, not 8192: somebody changed its size")
        );
        assert_eq!(error.kind(), NorFlashErrorKind::Other);
    }
}
