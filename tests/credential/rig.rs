//! One chip with two partitions, so that a power cut ends both; a device on it that starts, tries and is cut.
#![allow(dead_code)] // the fuzzer uses a part of it

use std::cell::RefCell;
use std::rc::Rc;

use bydesign::credential::limiter::{AttemptError, Limiter, Moment, Policy};
use bydesign::flash::simulator::{Rule, Simulator, SimulatorError};
use bydesign::flash::{Blocking, NeverPends, Overwritable, WriteOnce};
use bydesign::secret::RootKey;
use bydesign::store::{Ram, Store};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};

pub(crate) const UNIT: usize = 1024;
const STORE: usize = 16 * UNIT;
pub(crate) const AREA: usize = 2 * UNIT;
pub(crate) type Chip = Simulator<4, UNIT>;
pub(crate) type Memory = Ram<16, 256>;
pub(crate) const AWAKE: Moment = Moment::Awake(0);
/// Never waits, so that what counts is the count.
pub(crate) const COUNTING: Policy = Policy::new().delays(0, 0).lock_after(10);

/// What the part is.
pub(crate) trait Kind {
    type Medium: NeverPends;
    const RULE: Rule;
    fn wrap(part: Part) -> Self::Medium;
}

pub(crate) struct Over;
pub(crate) struct Once;

impl Kind for Over {
    type Medium = Overwritable<Blocking<Part>>;
    const RULE: Rule = Rule::Multiwrite;
    fn wrap(part: Part) -> Self::Medium {
        Overwritable::new(part)
    }
}

impl Kind for Once {
    type Medium = WriteOnce<Blocking<Part>>;
    const RULE: Rule = Rule::WriteOnce;
    fn wrap(part: Part) -> Self::Medium {
        WriteOnce::new(part)
    }
}

/// A partition of the chip. Reads of it may be disturbed into all ones.
#[derive(Clone)]
pub(crate) struct Part {
    chip: Rc<RefCell<Chip>>,
    start: u32,
    len: usize,
    /// Reads so far, and which of them gives all ones.
    pub(crate) reads: Rc<RefCell<(u32, Option<u32>)>>,
}

impl ErrorType for Part {
    type Error = SimulatorError;
}

impl ReadNorFlash for Part {
    const READ_SIZE: usize = 1;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimulatorError> {
        self.chip.borrow_mut().read(self.start + offset, bytes)?;
        let mut reads = self.reads.borrow_mut();
        if reads
            .1
            .is_some_and(|glitch| glitch == reads.0 || glitch == u32::MAX)
        {
            bytes.fill(0xff);
        }
        reads.0 += 1;
        Ok(())
    }
    fn capacity(&self) -> usize {
        self.len
    }
}

impl NorFlash for Part {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = UNIT;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), SimulatorError> {
        self.chip.borrow_mut().erase(self.start + from, self.start + to)
    }
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimulatorError> {
        self.chip.borrow_mut().write(self.start + offset, bytes)
    }
}

impl MultiwriteNorFlash for Part {}

/// A device whose power may go.
pub(crate) struct Board<K: Kind> {
    pub(crate) chip: Rc<RefCell<Chip>>,
    pub(crate) policy: Policy,
    random: ChaCha20Rng,
    pub(crate) area: Part,
    kind: core::marker::PhantomData<K>,
}

/// A device that has started.
pub(crate) struct Running<K: Kind> {
    pub(crate) store: Store<K::Medium, Memory>,
    pub(crate) limiter: Limiter<K::Medium>,
    pub(crate) random: ChaCha20Rng,
}

pub(crate) fn root_key() -> RootKey {
    RootKey::new(*b"\x8e\x1f\x02\xd9\x44\xa7\x39\x5b\xc0\x6d\x7e\x13\xfa\x98\x21\x5c\x3b\xe6\x70\x0a\xb5\x4f\xd2\x87\x19\xcc\x63\xae\x05\x7b\xf1\x30")
        .expect("random")
}

impl<K: Kind> Board<K> {
    /// A formatted store and a limiter that nobody has tried.
    pub(crate) fn new(policy: Policy) -> Self {
        let mut board = Self::on(Chip::new(STORE + AREA, K::RULE), policy);
        let store = K::wrap(board.part(0, STORE));
        let mut store =
            Store::format(store, Memory::new(), &root_key(), "device", &mut board.random).expect("blank");
        let area = K::wrap(board.area.clone());
        Limiter::create(area, &mut store, "owner", policy, AWAKE, &mut board.random).expect("created");
        board
    }

    /// The same device as it is on this chip.
    pub(crate) fn on(chip: Chip, policy: Policy) -> Self {
        let chip = Rc::new(RefCell::new(chip));
        let area = Part {
            chip: chip.clone(),
            start: u32::try_from(STORE).expect("small"),
            len: AREA,
            reads: Rc::default(),
        };
        let seed = chip.borrow().events();
        Self {
            chip,
            policy,
            random: ChaCha20Rng::seed_from_u64(seed),
            area,
            kind: core::marker::PhantomData,
        }
    }

    pub(crate) fn part(&self, start: u32, len: usize) -> Part {
        Part {
            chip: self.chip.clone(),
            start,
            len,
            reads: Rc::default(),
        }
    }

    pub(crate) fn copy(&self) -> Self {
        Self::on(self.chip.borrow().clone(), self.policy)
    }

    pub(crate) fn store(&self) -> Store<K::Medium, Memory> {
        let part = K::wrap(self.part(0, STORE));
        Store::mount(part, Memory::new(), &root_key(), "device").expect("mounts")
    }

    /// Starts, with power.
    pub(crate) fn start(&mut self) -> Result<Running<K>, AttemptError> {
        self.start_at(AWAKE)
    }

    pub(crate) fn start_at(&mut self, now: Moment) -> Result<Running<K>, AttemptError> {
        self.chip.borrow_mut().power_on();
        let store = self.store();
        self.start_on(store, now)
    }

    /// Starts with a cut that may be pending; `None` if it falls into the start.
    pub(crate) fn start_before_a_cut(&mut self) -> Option<Running<K>> {
        let part = K::wrap(self.part(0, STORE));
        let store = Store::mount(part, Memory::new(), &root_key(), "device").ok()?;
        self.start_on(store, AWAKE).ok()
    }

    fn start_on(
        &mut self,
        mut store: Store<K::Medium, Memory>,
        now: Moment,
    ) -> Result<Running<K>, AttemptError> {
        let area = K::wrap(self.area.clone());
        let limiter = Limiter::mount(area, &mut store, "owner", self.policy, now)?;
        let events = self.chip.borrow().events();
        Ok(Running {
            store,
            limiter,
            random: ChaCha20Rng::seed_from_u64(!events),
        })
    }

    pub(crate) fn failures(&mut self) -> u32 {
        self.start().expect("sound").failures()
    }

    /// The bytes of the area.
    pub(crate) fn area_image(&self) -> Vec<u8> {
        self.chip.borrow().image()[STORE..].to_vec()
    }

    pub(crate) fn rewrite_area(&self, image: &[u8]) {
        self.chip.borrow_mut().image_mut()[STORE..].copy_from_slice(image);
    }
}

impl<K: Kind> Running<K> {
    pub(crate) fn failures(&self) -> u32 {
        self.limiter.standing(&self.store, AWAKE).failures
    }

    /// One attempt that fails.
    pub(crate) fn guess(&mut self) -> Result<(), AttemptError> {
        self.guess_at(AWAKE)
    }

    pub(crate) fn guess_at(&mut self, now: Moment) -> Result<(), AttemptError> {
        self.limiter
            .attempt(&mut self.store, now, &mut self.random)?
            .fail();
        Ok(())
    }

    /// One attempt that succeeds; whether that was acknowledged.
    pub(crate) fn log_in(&mut self) -> Result<bool, AttemptError> {
        let permit = self.limiter.attempt(&mut self.store, AWAKE, &mut self.random)?;
        Ok(permit.succeed().is_ok())
    }
}
