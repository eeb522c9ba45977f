//! The work: a store is made, mounted, written, read, searched, changed, erased and dropped, and the program stops after each step for
//! somebody to look at its memory. Nothing runs between the return of a call and the stop.
#![cfg_attr(target_os = "none", no_std, no_main)]

mod formula;
mod part;
#[cfg_attr(target_os = "none", path = "stop/cortex_m.rs")]
#[cfg_attr(not(target_os = "none"), path = "stop/linux.rs")]
mod stop;

#[cfg(feature = "async")]
use core::pin::pin;
#[cfg(feature = "async")]
use core::task::{Context, Poll, Waker};

use bydesign::erase::{Attester, DeviceInfo, Eraser, LONGEST_RECEIPT, Report, Scope};
use bydesign::flash::{Blocking, WriteOnce};
use bydesign::secret::{RootKey, Secret};
#[cfg(feature = "async")]
use bydesign::store::AsyncStore;
use bydesign::store::{Change, Class, Key, Ram, Store, UserId};
use zeroize::Zeroize;

use formula::{IDENTITY, LABEL, NEXT_ROOT_KEY, ROOT_KEY, TYPED_VALUE, VALUE, VALUE_LEN, fill};
use part::{Part, Random};
use stop::stop;

type Memory = Ram<32, 256>;
type Flash = WriteOnce<Blocking<&'static mut Part>>;

/// Where the store lies that is dropped before one looks: not in a frame, where a later call would wipe what the drop left.
static mut PLACE: Option<Store<Flash, Memory>> = None;

const TYPED: Key<Secret<VALUE_LEN>> = Key::new("typed", Class::Settings);
const SEED: Key<Secret<32>> = Key::new("identity", Class::Identity);
const OF_USER: Key<Secret<VALUE_LEN>> = Key::new("of a user", Class::User);

/// Stack that the work itself wipes behind it: what it moved and copied of its own, as any application that handles secrets does, and what the
/// async face left, which no operation of the blocking one reaches.
const OWN_DEPTH: usize = 48 * 1024;

#[inline(never)]
fn root_key(seed: u32, which: u32) -> Option<RootKey> {
    let mut bytes = [0; 32];
    fill(seed, which, &mut bytes);
    let key = RootKey::new(bytes);
    bytes.zeroize();
    key.ok()
}

#[inline(never)]
fn typed(seed: u32) -> Secret<VALUE_LEN> {
    let mut bytes = [0; VALUE_LEN];
    fill(seed, TYPED_VALUE, &mut bytes);
    let secret = Secret::new(bytes);
    bytes.zeroize();
    secret
}

#[inline(never)]
fn identity(seed: u32) -> Secret<32> {
    let mut bytes = [0; 32];
    fill(seed, IDENTITY, &mut bytes);
    let secret = Secret::new(bytes);
    bytes.zeroize();
    secret
}

#[inline(never)]
fn receipt(report: &Report, attester: Attester<'_>, out: &mut [u8; LONGEST_RECEIPT]) -> bool {
    let device = DeviceInfo {
        manufacturer: "Example",
        model: "Lamp 2",
        serial: "L2-000017",
    };
    report.receipt(&device, attester, out).is_ok()
}

#[inline(never)]
fn drop_in_place() {
    // SAFETY: nobody else has it.
    unsafe { *(&raw mut PLACE) = None };
}

// In frames of their own, so that no register which the next call saves holds a word of them.

#[inline(never)]
fn are_equal(one: &[u8], other: &[u8]) -> bool {
    one == other
}

#[inline(never)]
fn is_there<T, E>(got: Result<Option<T>, E>) -> Option<()> {
    got.ok()?.map(drop)
}

/// Polls as an executor does: what the async face leaves is not wiped by the blocking one.
#[inline(never)]
#[cfg(feature = "async")]
fn ready<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Everything, on one frame.
#[inline(never)]
fn session(seed: u32, part: *mut Part) -> Option<()> {
    // SAFETY: every store is gone before the next one is made.
    let medium = || WriteOnce::new(unsafe { &mut *part });
    let mut random = Random::new(seed);
    let key = root_key(seed, ROOT_KEY)?;
    let next_key = root_key(seed, NEXT_ROOT_KEY)?;
    let mut value = [0; VALUE_LEN];
    fill(seed, VALUE, &mut value);
    let secret = typed(seed);
    let identity = identity(seed);
    let mut signed = [0; LONGEST_RECEIPT];
    let mut out = [0; VALUE_LEN];
    zeroize::zeroize_stack::<OWN_DEPTH>();
    stop("begun");

    let store = Store::format(medium(), Memory::new(), &key, LABEL, &mut random);
    stop("format");
    drop(store.ok()?);

    let store = Store::mount(medium(), Memory::new(), &key, LABEL).ok()?;
    // SAFETY: nobody else has it.
    unsafe { *(&raw mut PLACE) = Some(store) };
    drop_in_place();
    stop("drop");

    let mut store = Store::mount(medium(), Memory::new(), &key, LABEL).ok()?;
    stop("mount of an empty store");
    store
        .put_bytes(Class::Settings, "bytes", &value, &mut random)
        .ok()?;
    stop("put_bytes");
    store.put(&TYPED, &secret, &mut random).ok()?;
    stop("put");
    store.put(&OF_USER.of(UserId(7)), &secret, &mut random).ok()?;
    stop("put for a new user");
    store.get_bytes(Class::Settings, "bytes", &mut out).ok()??;
    stop("get_bytes");
    let equal = are_equal(&out, &value);
    out.zeroize();
    let got = store.get(&TYPED);
    stop("get");
    is_there(got)?;
    store
        .for_each(Class::Settings, |name, value| {
            core::hint::black_box((name, value));
        })
        .ok()?;
    stop("for_each");
    store.commit(&[Change::put(&TYPED, &secret)], &mut random).ok()?;
    stop("commit");
    store.maintain(4, &mut random).ok()?;
    stop("maintain");
    drop(store);

    let salvaged = Store::salvage(medium(), Memory::new(), &key, LABEL, |found| {
        core::hint::black_box(found);
    });
    stop("salvage");
    salvaged.ok()?;
    let mut eraser = Eraser::new(&mut []).ok()?;
    let found = eraser.mount(medium(), Memory::new(), &key, LABEL, &mut random);
    stop("mount by an eraser");
    let (mut store, _) = found.ok()?;
    store.erase(UserId(7), &mut random).ok()?;
    stop("erase of a user");
    store.change_root_key(&next_key, &mut random).ok()?;
    stop("change_root_key");
    drop(store);

    let mut store = Store::mount(medium(), Memory::new(), &next_key, LABEL).ok()?;
    stop("mount");
    store.erase_item(Class::Settings, "typed", &mut random).ok()?;
    stop("erase_item");
    let is_gone = !store.contains(&TYPED).ok()?;
    store.erase(Class::Settings, &mut random).ok()?;
    stop("erase of a class");

    store.put(&SEED, &identity, &mut random).ok()?;
    let plan = eraser.plan(&mut store, Scope::FactoryReset).ok()?;
    stop("plan of a factory reset");
    let report = eraser.carry_out(&mut store, plan, &mut random).ok()?;
    stop("factory reset");
    let is_signed = receipt(&report, Attester::Identity(&identity), &mut signed);
    stop("signed receipt");
    let has_code = receipt(&report, Attester::SharedKey(&identity), &mut signed);
    stop("receipt with a code");
    drop(store);

    let wrong = Store::mount(medium(), Memory::new(), &key, LABEL).err()?;
    stop("mount with the wrong key");
    core::hint::black_box(wrong);
    // Last: what its moves leave is the caller's to wipe, as the end of the work does.
    #[cfg(feature = "async")]
    async_face(medium(), &next_key, &value, &mut out, &mut random)?;
    value.zeroize();
    random.zeroize();
    (equal && is_gone && is_signed && has_code).then_some(())
}

/// The async face, over the same driver.
#[cfg(feature = "async")]
fn async_face(
    medium: Flash,
    root_key: &RootKey,
    value: &[u8],
    out: &mut [u8],
    random: &mut Random,
) -> Option<()> {
    let mut store = ready(AsyncStore::mount(medium, Memory::new(), root_key, LABEL))?.ok()?;
    stop("async mount");
    ready(store.put_bytes(Class::Settings, "bytes", value, random))?.ok()?;
    stop("async put_bytes");
    let got = ready(store.get_bytes(Class::Settings, "bytes", out))?;
    stop("async get_bytes");
    is_there(got)?;
    out.zeroize();
    Some(())
}

pub(crate) fn work(seed: u32, flash: &'static mut [u8]) -> bool {
    let done = session(seed, &mut Part(flash)).is_some();
    zeroize::zeroize_stack::<OWN_DEPTH>();
    stop("end");
    done
}

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    stop::main()
}
