//! A Session record that power cut short in its last word, so that it opens now and not the next time, behind whole records that it
//! passes over.

#[path = "support/drivers.rs"]
mod drivers;
mod support;

use bydesign::flash::simulator::{Rule, Simulator, SimulatorError};
use bydesign::flash::{Overwritable, WriteOnce};
use bydesign::store::{AsyncStore, Class, Store, WriteError};
use drivers::{Pending, Shared, poll_times};
use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};
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

/// Reads a byte rightly so many times, and then with a bit that is one.
struct Unsteady<const WRITE: usize> {
    part: Simulator<WRITE, 1024>,
    at: u32,
    right: u32,
}

impl<const WRITE: usize> ErrorType for Unsteady<WRITE> {
    type Error = SimulatorError;
}

impl<const WRITE: usize> ReadNorFlash for Unsteady<WRITE> {
    const READ_SIZE: usize = 1;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimulatorError> {
        self.part.read(offset, bytes)?;
        if let Some(byte) = self
            .at
            .checked_sub(offset)
            .and_then(|at| bytes.get_mut(at as usize))
        {
            self.right = self.right.saturating_sub(1);
            if self.right == 0 {
                *byte = !*byte;
            }
        }
        Ok(())
    }
    fn capacity(&self) -> usize {
        self.part.capacity()
    }
}

impl<const WRITE: usize> NorFlash for Unsteady<WRITE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = 1024;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), SimulatorError> {
        self.part.erase(from, to)
    }
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimulatorError> {
        // What is programmed again is steady.
        if (offset..offset + u32::try_from(bytes.len()).unwrap()).contains(&self.at) {
            self.right = u32::MAX;
        }
        self.part.write(offset, bytes)
    }
}

impl<const WRITE: usize> MultiwriteNorFlash for Unsteady<WRITE> {}

macro_rules! check {
    ($part:ident, $wrapper:ident, $rule:ident, $write:literal) => {{
        let (mut part, at) = failed_writes::<$part<$write, 1024>>();
        let model = contents(&mut mount(&mut part).unwrap());
        assert_eq!(model.len(), 2);
        for right in 0..200 {
            let part = Simulator::<$write, 1024>::from_image(part.image(), Rule::$rule);
            let medium = $wrapper::new(Unsteady { part, at, right });
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
