//! First boot: from a blank store to an owner, what stands in the way, and what a transfer takes.

use bydesign::credential::items::{
    IDENTITY, PAIRING, PAIRING_PAKE, PAIRING_SECRET, ROTATED, SERIAL, Serial, Spake2pVerifier,
};
use bydesign::credential::limiter::{Limiter, Moment, Proven, Verdict};
use bydesign::credential::{
    Block, Claim, CodeRefusal, CodeWindow, Cost, Device, DeviceError, DrawError, OwnerSet, PasswordPolicy,
    Provisioned, Stage, Unprovisioned, Verifier,
};
use bydesign::erase::{Eraser, Scope};
use bydesign::secret::Secret;
use bydesign::store::{Class, Store, WriteError};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{SeedableRng, TryCryptoRng, TryRng};

use crate::rig::{AWAKE, Board, COUNTING, Kind, Memory, Over};

type Flash = Store<<Over as Kind>::Medium, Memory>;

const CODE: &[u8] = b"73914628";
const PASSWORD: &str = "plum fjord vexes gnat";
const CHEAP: Cost = Cost::new(8, 1).expect("within bounds");

fn random() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(9)
}

fn blocks() -> Vec<Block> {
    vec![Block::new(); 32]
}

fn issued(code: &[u8]) -> Verifier {
    Verifier::of_issued(code, [7; 16], CHEAP, &mut blocks()).expect("enough memory")
}

fn blank(board: &Board<Over>) -> Device<Unprovisioned, Flash> {
    match Device::open(board.store()).expect("sound") {
        Stage::Unprovisioned(device) => device,
        _ => panic!("nothing was provisioned"),
    }
}

fn provisioned(board: &Board<Over>) -> Device<Provisioned, Flash> {
    let identity = Secret::random(&mut random()).expect("infallible");
    let serial = Serial::new("D3-000017").expect("printable");
    let code = issued(CODE);
    blank(board)
        .provision(&identity, &serial, Claim::Code(&code), &mut random())
        .expect("provisioned")
}

fn with_owner(board: &Board<Over>) -> Device<OwnerSet, Flash> {
    let policy = PasswordPolicy::only_factor(&["D3-000017"]);
    let password = policy.check(PASSWORD).expect("good");
    provisioned(board)
        .set_owner(
            &password,
            Proven::by_presence(),
            CHEAP,
            &mut blocks(),
            &mut random(),
        )
        .expect("set")
}

fn owner_of(board: &Board<Over>) -> Device<OwnerSet, Flash> {
    match Device::open(board.store()).expect("sound") {
        Stage::OwnerSet(device) => device,
        _ => panic!("an owner was set"),
    }
}

fn takes(device: &mut Device<OwnerSet, Flash>, board: &Board<Over>, password: &str) -> bool {
    let area = Over::wrap(board.area.clone());
    let mut limiter = Limiter::mount(area, device.store(), "owner", COUNTING, AWAKE).expect("mounts");
    let verifier = device.owner().expect("set");
    let mut blocks = blocks();
    let ready = verifier.ready(&mut blocks).expect("enough memory");
    let permit = limiter
        .attempt(device.store(), AWAKE, &mut random())
        .expect("a permit");
    match ready.check(password.as_bytes(), permit) {
        Verdict::Right(right) => right.settle().is_ok(),
        Verdict::Wrong => false,
    }
}

//= compliance/requirements.md#cred-7
//= type=test
//# A device MUST NOT come to the state of one with an owner before its owner has set a password that the policy accepts.
#[test]
fn a_device_has_an_owner_when_one_has_set_a_password_and_not_before() {
    let board = Board::<Over>::new(COUNTING);
    let mut device = blank(&board);
    let put = device
        .store()
        .put_bytes(Class::Settings, "\0owner", b"$argon2id$", &mut random());
    assert_eq!(put, Err(WriteError::Reserved), "nobody writes a default there");
    drop(device);

    let mut device = provisioned(&board);
    assert_eq!(
        device
            .store()
            .get(&SERIAL)
            .expect("reads")
            .expect("there")
            .as_str(),
        "D3-000017"
    );
    let put = device
        .store()
        .put_bytes(Class::Settings, "\0owner", b"$argon2id$", &mut random());
    assert_eq!(put, Err(WriteError::Reserved));
    drop(device);
    assert!(
        matches!(Device::open(board.store()), Ok(Stage::Provisioned(_))),
        "as after a restart"
    );

    let Ok(Stage::Provisioned(device)) = Device::open(board.store()) else {
        panic!("provisioned")
    };
    let policy = PasswordPolicy::only_factor(&["D3-000017"]);
    let password = policy.check(PASSWORD).expect("good");
    let mut device = device
        .set_owner(
            &password,
            Proven::by_presence(),
            CHEAP,
            &mut blocks(),
            &mut random(),
        )
        .expect("set");
    assert!(takes(&mut device, &board, PASSWORD));
    assert!(!takes(&mut device, &board, "plum fjord vexes gnu"));
    drop(device);
    owner_of(&board);
}

#[test]
fn the_label_opens_the_way_to_a_first_password() {
    let board = Board::<Over>::new(COUNTING);
    let mut device = provisioned(&board);
    let area = Over::wrap(board.area.clone());
    let mut limiter = Limiter::mount(area, device.store(), "owner", COUNTING, AWAKE).expect("mounts");
    let code = device.store().get(&PAIRING).expect("reads").expect("there");
    let mut blocks = blocks();
    let mut entered = |guess: &[u8]| {
        let permit = limiter
            .attempt(device.store(), AWAKE, &mut random())
            .expect("a permit");
        match code
            .ready(&mut blocks)
            .expect("enough memory")
            .check(guess, permit)
        {
            Verdict::Right(right) => right.settle().ok(),
            Verdict::Wrong => None,
        }
    };
    assert!(entered(b"73914629").is_none());
    let proven = entered(CODE).expect("right");
    let policy = PasswordPolicy::only_factor(&[]);
    let password = policy.check(PASSWORD).expect("good");
    assert!(
        device
            .set_owner(&password, proven, CHEAP, &mut blocks, &mut random())
            .is_ok()
    );
}

#[test]
fn a_factory_reset_and_a_transfer_lead_back_to_a_device_without_an_owner() {
    for scope in [Scope::FactoryReset, Scope::OwnershipTransfer] {
        let board = Board::<Over>::new(COUNTING);
        let mut device = with_owner(&board);
        device
            .store()
            .put(&PAIRING_SECRET, &Secret::new([5; 16]), &mut random())
            .expect("room");
        let mut store = device.into_store();
        let mut areas: [&mut dyn bydesign::erase::Area; 0] = [];
        let mut eraser = Eraser::new(&mut areas).expect("no areas").rotating(&ROTATED);
        let plan = eraser.plan(&mut store, scope).expect("a plan");
        eraser.carry_out(&mut store, plan, &mut random()).expect("erased");
        let secret = store.get(&PAIRING_SECRET).expect("reads").expect("there");
        let is_old = *secret.expose() == [5; 16];
        assert_eq!(
            is_old,
            scope == Scope::FactoryReset,
            "a transfer gives a new pairing secret"
        );
        assert!(
            store.get(&IDENTITY).expect("reads").is_some(),
            "the identity stays"
        );
        drop(store);
        assert!(matches!(Device::open(board.store()), Ok(Stage::Provisioned(_))));
    }
}

#[test]
fn published_secrets_are_refused_where_they_are_given_and_where_they_are_found() {
    let matter = [
        0xb9, 0x61, 0x70, 0xaa, 0xe8, 0x03, 0x34, 0x68, 0x84, 0x72, 0x4f, 0xe9, 0xa3, 0xb2, 0x87, 0xc3, 0x03,
        0x30, 0xc2, 0xa6, 0x60, 0x37, 0x5d, 0x17, 0xbb, 0x20, 0x5a, 0x8c, 0xf1, 0xae, 0xcb, 0x35,
    ];
    let good = || Secret::random(&mut random()).expect("infallible");
    let serial = Serial::new("D3-000017").expect("printable");
    let code = issued(CODE);
    let pake = Spake2pVerifier::new(
        1000,
        b"SPAKE2P Key Salt",
        Secret::new(matter),
        Secret::new([4; 65]),
    );
    let pake = pake.expect("a salt");
    for (identity, claim) in [
        (Secret::new([0; 32]), Claim::Code(&code)),
        (Secret::new([0xff; 32]), Claim::DevicePassword(&code)),
        (good(), Claim::Pake(&pake)),
    ] {
        let board = Board::<Over>::new(COUNTING);
        let refused = blank(&board).provision(&identity, &serial, claim, &mut random());
        assert_eq!(refused.err(), Some(DeviceError::Published));
        assert!(
            matches!(Device::open(board.store()), Ok(Stage::Unprovisioned(_))),
            "nothing was written"
        );
    }
    // An image that came so from elsewhere.
    for is_identity in [true, false] {
        let board = Board::<Over>::new(COUNTING);
        let mut store = board.store();
        if is_identity {
            store
                .put(&IDENTITY, &Secret::new([0; 32]), &mut random())
                .expect("room");
        } else {
            store.put(&IDENTITY, &good(), &mut random()).expect("room");
            store.put(&PAIRING_PAKE, &pake, &mut random()).expect("room");
        }
        assert_eq!(Device::open(store).err(), Some(DeviceError::Published));
    }
}

#[test]
fn a_label_with_the_code_of_an_example_is_found_at_the_first_boot() {
    for (code, expected) in [(&b"20202021"[..], true), (b"12345678", true), (CODE, false)] {
        let board = Board::<Over>::new(COUNTING);
        let identity = Secret::random(&mut random()).expect("infallible");
        let serial = Serial::new("D3-000017").expect("printable");
        let mut device = blank(&board)
            .provision(&identity, &serial, Claim::Code(&issued(code)), &mut random())
            .expect("a verifier does not show its code");
        assert_eq!(device.has_published_code(&mut blocks()), Ok(expected));
    }
}

#[test]
fn what_the_factory_gave_is_given_once() {
    let board = Board::<Over>::new(COUNTING);
    let mut device = provisioned(&board);
    let put = device
        .store()
        .put(&IDENTITY, &Secret::new([3; 32]), &mut random());
    assert_eq!(put, Err(WriteError::Fixed));
}

#[test]
fn a_cut_at_any_byte_of_the_first_password_leaves_it_set_or_not() {
    let board = Board::<Over>::new(COUNTING);
    drop(provisioned(&board));
    let policy = PasswordPolicy::only_factor(&[]);
    let password = policy.check(PASSWORD).expect("good");
    let mut stages = [0, 0];
    for event in 0.. {
        let cut = board.copy();
        let Ok(Stage::Provisioned(device)) = Device::open(cut.store()) else {
            panic!("provisioned")
        };
        cut.chip.borrow_mut().cut_after(event);
        let set = device.set_owner(
            &password,
            Proven::by_presence(),
            CHEAP,
            &mut blocks(),
            &mut random(),
        );
        let was_set = set.is_ok();
        drop(set);
        cut.chip.borrow_mut().power_on();
        match Device::open(cut.store()).expect("sound") {
            Stage::OwnerSet(_) => stages[1] += 1,
            Stage::Provisioned(_) => {
                assert!(!was_set, "an acknowledged password is set");
                stages[0] += 1;
            }
            Stage::Unprovisioned(_) => panic!("the identity is gone"),
        }
        if was_set {
            break;
        }
    }
    assert!(stages[0] > 50 && stages[1] >= 1, "{stages:?}");
}

#[test]
fn the_password_is_changed_and_hashed_anew_when_its_cost_rises() {
    let board = Board::<Over>::new(COUNTING);
    let mut device = with_owner(&board);
    let proof = Proven::by_presence();
    let mut blocks = blocks();
    assert_eq!(
        device.rehash(PASSWORD, &proof, CHEAP, &mut blocks, &mut random()),
        Ok(false)
    );
    assert_eq!(
        device.rehash(
            "another password of mine",
            &proof,
            Cost::KIB_32,
            &mut blocks,
            &mut random()
        ),
        Err(DeviceError::Wrong)
    );
    assert_eq!(
        device.rehash(PASSWORD, &proof, Cost::KIB_32, &mut blocks, &mut random()),
        Ok(true)
    );
    assert_eq!(device.owner().expect("set").cost(), Cost::KIB_32);
    assert!(takes(&mut device, &board, PASSWORD));

    let policy = PasswordPolicy::only_factor(&[]);
    let other = policy.check("gnat vexes fjord plum").expect("good");
    device
        .change_password(&other, proof, CHEAP, &mut blocks, &mut random())
        .expect("changed");
    assert!(!takes(&mut device, &board, PASSWORD));
    assert!(takes(&mut device, &board, "gnat vexes fjord plum"));
}

//= compliance/requirements.md#cred-12
//= type=test
//# A change of the password that power interrupts at any point MUST leave the old one or the new one, and after it has returned the old one MUST be refused.
#[test]
fn a_cut_at_any_byte_of_a_change_leaves_the_old_password_or_the_new_one() {
    const OTHER: &str = "gnat vexes fjord plum";
    let board = Board::<Over>::new(COUNTING);
    drop(with_owner(&board));
    let policy = PasswordPolicy::only_factor(&[]);
    let other = policy.check(OTHER).expect("good");
    let mut left = [0, 0];
    for event in 0.. {
        let cut = board.copy();
        let mut device = owner_of(&cut);
        cut.chip.borrow_mut().cut_after(event);
        let changed =
            device.change_password(&other, Proven::by_presence(), CHEAP, &mut blocks(), &mut random());
        drop(device);
        cut.chip.borrow_mut().power_on();
        let mut device = owner_of(&cut);
        let takes_old = takes(&mut device, &cut, PASSWORD);
        assert_ne!(
            takes_old,
            takes(&mut device, &cut, OTHER),
            "one of them, after {event} events"
        );
        left[usize::from(!takes_old)] += 1;
        if changed.is_ok() {
            assert!(!takes_old, "an acknowledged change holds");
            break;
        }
    }
    assert!(left[0] > 50 && left[1] >= 1, "{left:?}");
}

// ---- codes that the device draws ----

fn window(lifetime_s: u32, attempts: u8) -> (CodeWindow<8>, String) {
    let mut window = CodeWindow::open(lifetime_s, attempts, AWAKE, &mut random()).expect("drawn");
    let digits = window.digits(AWAKE).expect("open").to_owned();
    (window, digits)
}

//= compliance/requirements.md#cred-10
//= type=test
//# A pairing code that the device drew MUST be refused once it was used, has expired, or was tried as often as it may be.
#[test]
fn a_drawn_code_is_right_once_for_a_while_and_after_few_attempts() {
    let closed = Some(CodeRefusal::Closed);
    let (mut used, digits) = window(60, 3);
    assert!(used.enter(&digits, Moment::Awake(59)).is_ok());
    assert_eq!(used.enter(&digits, Moment::Awake(59)).err(), closed);

    let (mut expired, digits) = window(60, 3);
    assert_eq!(expired.enter(&digits, Moment::Awake(60)).err(), closed);
    assert_eq!(
        expired.enter(&digits, Moment::Awake(0)).err(),
        closed,
        "a clock that goes back opens nothing"
    );
    assert_eq!(expired.digits(AWAKE), None);

    let (mut tried, digits) = window(60, 3);
    for attempts_left in [2, 1, 0] {
        let wrong = tried.enter("00000000", AWAKE).err();
        assert_eq!(wrong, Some(CodeRefusal::Wrong { attempts_left }));
    }
    assert_eq!(tried.enter(&digits, AWAKE).err(), closed);

    let (mut other_clock, digits) = window(60, 3);
    assert_eq!(other_clock.enter(&digits, Moment::Wall(1)).err(), closed);
    let mut never = CodeWindow::<8>::open(60, 0, AWAKE, &mut random()).expect("drawn");
    assert!(never.digits(AWAKE).is_none() && never.try_once(AWAKE).is_err());
}

#[test]
fn every_digit_is_drawn_as_often_as_any_other() {
    let mut counts = [0_u32; 10];
    let mut random = random();
    for _ in 0..2000 {
        let mut window = CodeWindow::<10>::open(1, 1, AWAKE, &mut random).expect("drawn");
        for digit in window.digits(AWAKE).expect("open").bytes() {
            counts[usize::from(digit - b'0')] += 1;
        }
    }
    // Chi-squared with nine degrees of freedom: above 27.9 once in a thousand.
    let chi: f64 = counts
        .iter()
        .map(|count| (f64::from(*count) - 2000.0).powi(2) / 2000.0)
        .sum();
    assert!(chi < 27.9, "{counts:?}");
}

/// Gives one byte for ever, or fails.
struct Stuck(Option<u8>);

impl TryRng for Stuck {
    type Error = core::fmt::Error;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Err(core::fmt::Error)
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Err(core::fmt::Error)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(self.0.ok_or(core::fmt::Error)?);
        Ok(())
    }
}

impl TryCryptoRng for Stuck {}

#[test]
fn a_random_source_that_is_dead_or_stuck_gives_no_code() {
    for source in [None, Some(0), Some(7), Some(249), Some(250), Some(255)] {
        let drawn = CodeWindow::<8>::open(60, 3, AWAKE, &mut Stuck(source));
        assert_eq!(drawn.err(), Some(DrawError), "{source:?}");
    }
}

/// Gives these bytes, one after the other.
struct Listed(std::vec::IntoIter<u8>);

impl TryRng for Listed {
    type Error = core::fmt::Error;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Err(core::fmt::Error)
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Err(core::fmt::Error)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for byte in bytes {
            *byte = self.0.next().ok_or(core::fmt::Error)?;
        }
        Ok(())
    }
}

impl TryCryptoRng for Listed {}

#[test]
fn bytes_that_would_make_some_digits_likelier_are_drawn_again() {
    let bytes = vec![73, 251, 19, 254, 42, 255, 250, 8, 249, 130, 253, 97, 65];
    let mut window = CodeWindow::<8>::open(60, 3, AWAKE, &mut Listed(bytes.into_iter())).expect("drawn");
    assert_eq!(window.digits(AWAKE), Some("39289075"));
}
