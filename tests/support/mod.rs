//! What the store's tests share: parts to run on, operations, the model that is the store's specification, and the driver
//! that runs both and cuts the power.
#![allow(dead_code, unreachable_pub)] // each test uses a part of it

pub mod erase_history;
pub mod operation;
pub mod register;

use std::collections::BTreeMap;

use bydesign::flash::NeverPends;
use bydesign::flash::simulator::{AnyPart, EraseTear, ProgramTear, Rule, Simulator, WornOut};
use bydesign::secret::RootKey;
use bydesign::store::{Class, Counter, DataClass, MountError, Ram, Store, UserId};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{SeedableRng, TryCryptoRng, TryRng};
use embedded_storage::nor_flash::NorFlashErrorKind;

/// A root key that stands in no list.
pub const ROOT: [u8; 32] = [
    0x8e, 0x1f, 0x02, 0xd9, 0x44, 0xa7, 0x39, 0x5b, 0xc0, 0x6d, 0x7e, 0x13, 0xfa, 0x98, 0x21, 0x5c, 0x3b,
    0xe6, 0x70, 0x0a, 0xb5, 0x4f, 0xd2, 0x87, 0x19, 0xcc, 0x63, 0xae, 0x05, 0x7b, 0xf1, 0x30,
];
pub const LABEL: &str = "test";
pub const BUFFER: usize = 900;

pub type Memory = Ram<48, BUFFER>;

pub fn root_key() -> RootKey {
    RootKey::new(ROOT).expect("the test key is in no list")
}

pub fn random(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// A random source that is dead.
pub struct Zeros;

impl TryRng for Zeros {
    type Error = core::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0)
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(0);
        Ok(())
    }
}

impl TryCryptoRng for Zeros {}

/// A simulated part, lent to the store as one of two types, whatever its sizes: tests would take many times as long to build otherwise.
pub trait Part: Clone {
    type Medium<'a>: NeverPends
    where
        Self: 'a;
    const OVERWRITABLE: bool;
    /// Bytes of a page of the store.
    const PAGE: usize;
    fn new(capacity: usize) -> Self;
    fn of_image(image: &[u8]) -> Self;
    fn medium(&mut self) -> Self::Medium<'_>;
    fn image(&self) -> &[u8];
    fn image_mut(&mut self) -> &mut [u8];
    fn events(&self) -> u64;
    fn cut_after(&mut self, events: u64);
    fn never_cut(&mut self);
    fn power_on(&mut self);
    fn is_off(&self) -> bool;
    fn set_tear(&mut self, program: ProgramTear, erase: EraseTear, seed: u64);
    /// Wears the page at an address out, or makes it as good as new.
    fn wear_out(&mut self, address: u32, how: Option<WornOut>);
    /// Power goes after so many events, while a store runs.
    fn cut_in_store(store: &mut Store<Self::Medium<'_>, Memory>, events: u64);
    /// The bytes, to be changed while a store runs.
    fn image_in_store<'a>(store: &'a mut Store<Self::Medium<'_>, Memory>) -> &'a mut [u8];
    /// One call fails after so many, and does nothing.
    fn fail_in_store(store: &mut Store<Self::Medium<'_>, Memory>, calls: u64);
}

macro_rules! part {
    ($name:ident, $rule:ident, $overwritable:literal) => {
        #[derive(Clone)]
        pub struct $name<const WRITE: usize, const ERASE: usize>(pub Simulator<WRITE, ERASE>);

        impl<const WRITE: usize, const ERASE: usize> Part for $name<WRITE, ERASE> {
            type Medium<'a> = AnyPart<'a, $overwritable>;
            const OVERWRITABLE: bool = $overwritable;
            const PAGE: usize = 1024_usize.div_ceil(ERASE) * ERASE;
            fn new(capacity: usize) -> Self {
                Self(Simulator::new(capacity, Rule::$rule))
            }
            fn of_image(image: &[u8]) -> Self {
                Self(Simulator::from_image(image, Rule::$rule))
            }
            fn medium(&mut self) -> Self::Medium<'_> {
                AnyPart::new(&mut self.0)
            }
            fn image(&self) -> &[u8] {
                self.0.image()
            }
            fn image_mut(&mut self) -> &mut [u8] {
                self.0.image_mut()
            }
            fn events(&self) -> u64 {
                self.0.events()
            }
            fn cut_after(&mut self, events: u64) {
                self.0.cut_after(events);
            }
            fn never_cut(&mut self) {
                self.0.never_cut();
            }
            fn power_on(&mut self) {
                self.0.power_on();
            }
            fn is_off(&self) -> bool {
                self.0.is_off()
            }
            fn set_tear(&mut self, program: ProgramTear, erase: EraseTear, seed: u64) {
                self.0.set_tear(program, erase, seed);
            }
            fn wear_out(&mut self, address: u32, how: Option<WornOut>) {
                self.0.wear_out(address, how);
            }
            fn cut_in_store(store: &mut Store<Self::Medium<'_>, Memory>, events: u64) {
                store.medium_mut().driver_mut().cut_after(events);
            }
            fn image_in_store<'a>(store: &'a mut Store<Self::Medium<'_>, Memory>) -> &'a mut [u8] {
                store.medium_mut().driver_mut().image_mut()
            }
            fn fail_in_store(store: &mut Store<Self::Medium<'_>, Memory>, calls: u64) {
                let driver = store.medium_mut().driver_mut();
                driver.fail_after(calls, NorFlashErrorKind::Other);
            }
        }
    };
}

part!(Nor, Multiwrite, true);
part!(Ecc, WriteOnce, false);

/// Every tear model, one program and one erase model at a time.
pub const TEARS: [(ProgramTear, EraseTear); 6] = [
    (ProgramTear::Clean, EraseTear::Clean),
    (ProgramTear::TornWord, EraseTear::OldOrOne),
    (ProgramTear::UnreadableWord, EraseTear::HalfErased),
    (ProgramTear::Unstable, EraseTear::Unstable),
    (ProgramTear::TornWord, EraseTear::WeakBlank),
    (ProgramTear::Clean, EraseTear::HalfErased),
];

pub fn mount<P: Part>(part: &mut P) -> Result<Store<P::Medium<'_>, Memory>, MountError> {
    Store::mount(part.medium(), Memory::new(), &root_key(), LABEL)
}

pub fn mount_anchored<'a, P: Part>(
    part: &'a mut P,
    counter: &mut impl Counter,
) -> Result<Store<P::Medium<'a>, Memory>, MountError> {
    Store::mount_anchored(part.medium(), Memory::new(), &root_key(), LABEL, counter)
}

pub fn format<P: Part>(part: &mut P, seed: u64) -> Store<P::Medium<'_>, Memory> {
    Store::format(
        part.medium(),
        Memory::new(),
        &root_key(),
        LABEL,
        &mut random(seed),
    )
    .expect("formats")
}

/// The events of a recovery at which power goes for a second time: cuts that lie close together leave the same recovery, so it
/// is all of them for one first cut in `all_of_one_in`, and every `step`th for the others.
///
/// With `BYDESIGN_EVERY_CUT=1`, which `cargo xtask assure cuts` sets, nothing is left out.
pub fn second_cuts(first: u64, events: u64, all_of_one_in: u64, step: u64) -> impl Iterator<Item = u64> {
    let step = if first.is_multiple_of(all_of_one_in) || every_cut() {
        1
    } else {
        step
    };
    (first % step..events).step_by(usize::try_from(step).expect("small"))
}

/// Whether campaigns leave nothing out and go on for long: `BYDESIGN_EVERY_CUT=1`.
pub fn every_cut() -> bool {
    std::env::var_os("BYDESIGN_EVERY_CUT").is_some_and(|value| value != "first")
}

/// Whether erasures are cut at every event, and their recoveries at some: `BYDESIGN_EVERY_CUT=first`, minutes.
pub fn every_first_cut() -> bool {
    std::env::var_os("BYDESIGN_EVERY_CUT").is_some()
}

/// The tear models of one kind of flash: where words may be programmed again, no code can make one unreadable.
pub fn tears<P: Part>() -> impl Iterator<Item = (ProgramTear, EraseTear)> {
    let tears = TEARS.into_iter();
    tears.filter(|tear| !(P::OVERWRITABLE && tear.0 == ProgramTear::UnreadableWord))
}

/// The specification: a map.
pub type Model = BTreeMap<(u8, String), Vec<u8>>;

/// The classes that tests use, by a small number.
pub fn class(number: u8) -> DataClass {
    match number % 5 {
        0 => Class::Identity.into(),
        1 => Class::Settings.into(),
        2 => Class::User.into(),
        3 => DataClass::user(UserId(7)),
        _ => Class::Application(1).into(),
    }
}

/// Everything the store holds, read through iteration and, item by item, through `get_bytes`.
pub fn contents<M: NeverPends>(store: &mut Store<M, Memory>) -> Model {
    let mut all = Model::new();
    for number in 0..5 {
        store
            .for_each(class(number), |name, value| {
                let twice = all.insert((number, name.to_owned()), value.to_vec());
                assert!(twice.is_none(), "{name} is there twice");
            })
            .expect("every item reads");
    }
    let mut out = [0; BUFFER];
    for ((number, name), value) in &all {
        let len = store
            .get_bytes(class(*number), name, &mut out)
            .expect("reads")
            .expect("is there");
        assert_eq!(&out[..len], value.as_slice(), "iteration and get agree on {name}");
    }
    assert_eq!(store.figures().items, all.len());
    assert!(
        store.figures().free_pages > 0,
        "one page is always free to turn the tail over"
    );
    all
}
