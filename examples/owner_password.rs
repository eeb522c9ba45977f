//! The life of a password: a label, a first boot, wrong guesses across power cuts, a login, a raised cost, a new owner.
//!
//! ```text
//! cargo run --example owner_password
//! ```

use std::error::Error;

use bydesign::credential::items::{PAIRING, PAIRING_SECRET, ROTATED, Serial};
use bydesign::credential::limiter::{AttemptError, Limiter, Moment, Policy, Verdict};
use bydesign::credential::{Block, Claim, Cost, Device, OwnerSet, PasswordPolicy, Stage, Verifier};
use bydesign::erase::{Area, Eraser, Scope};
use bydesign::flash::simulator::{Rule, Simulator};
use bydesign::flash::{Blocking, Overwritable};
use bydesign::secret::{RootKey, Secret};
use bydesign::store::{Ram, Store};
use getrandom::SysRng;

/// On a device, the drivers of two partitions.
type Flash = Simulator<4, 4096>;
type Memory = Ram<32, 256>;
type Mounted<'a> = Store<Overwritable<Blocking<&'a mut Flash>>, Memory>;

const LABEL: &str = "device";
const POLICY: Policy = Policy::new();
/// What the firmware lends for a check: 32 KiB.
const BLOCKS: usize = 32;

fn main() -> Result<(), Box<dyn Error>> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let root_key = RootKey::new(secret)?;
    let mut flash = Flash::new(64 * 1024, Rule::Multiwrite);
    let mut area = Flash::new(8 * 1024, Rule::Multiwrite);

    println!(
        "At the factory: an identity, and the verifier of a code that is on the label and nowhere else."
    );
    provision(&root_key, &mut flash, &mut area)?;

    println!("First boot: nothing works before the owner has a password.");
    let mut device = first_boot(mount(&root_key, &mut flash)?, &mut area)?;
    println!("    the device serves {}", serial(&mut device)?);
    drop(device);

    println!("Somebody guesses, and pulls the plug after each guess.");
    guess_across_cuts(&root_key, &mut flash, &mut area)?;

    println!("The owner waits, and logs in; the firmware has raised the cost meanwhile.");
    log_in(&root_key, &mut flash, &mut area)?;

    println!("The device is sold on.");
    let mut store = mount(&root_key, &mut flash)?;
    let before = store.get(&PAIRING_SECRET)?.map(|secret| *secret.expose());
    let mut none: [&mut dyn Area; 0] = [];
    let mut eraser = Eraser::new(&mut none)?.rotating(&ROTATED);
    let plan = eraser.plan(&mut store, Scope::OwnershipTransfer)?;
    eraser.carry_out(&mut store, plan, &mut SysRng)?;
    let after = store.get(&PAIRING_SECRET)?.map(|secret| *secret.expose());
    println!("    the pairing secret is another one: {}", before != after);
    let waits_for_an_owner = matches!(Device::open(store)?, Stage::Provisioned(_));
    println!("    it waits for an owner: {waits_for_an_owner}");
    Ok(())
}

fn mount<'a>(root_key: &RootKey, flash: &'a mut Flash) -> Result<Mounted<'a>, Box<dyn Error>> {
    Ok(Store::mount(
        Overwritable::new(flash),
        Memory::new(),
        root_key,
        LABEL,
    )?)
}

fn provision(root_key: &RootKey, flash: &mut Flash, area: &mut Flash) -> Result<(), Box<dyn Error>> {
    let mut random = SysRng;
    let mut blocks = vec![Block::new(); BLOCKS];
    let mut store = Store::format(
        Overwritable::new(flash),
        Memory::new(),
        root_key,
        LABEL,
        &mut random,
    )?;
    Limiter::create(
        Overwritable::new(area),
        &mut store,
        "access",
        POLICY,
        Moment::Awake(0),
        &mut random,
    )?;
    store.put(&PAIRING_SECRET, &Secret::random(&mut random)?, &mut random)?;
    let Stage::Unprovisioned(device) = Device::open(store)? else {
        return Err("a new store has no identity".into());
    };
    let salt = *Secret::random(&mut random)?.expose();
    let code = Verifier::of_issued(b"73914628", salt, Cost::KIB_32, &mut blocks)?;
    let serial = Serial::new("D3-000017").ok_or("a serial number")?;
    device.provision(
        &Secret::random(&mut random)?,
        &serial,
        Claim::Code(&code),
        &mut random,
    )?;
    Ok(())
}

fn first_boot<'a>(
    store: Mounted<'a>,
    area: &mut Flash,
) -> Result<Device<OwnerSet, Mounted<'a>>, Box<dyn Error>> {
    let (mut random, now) = (SysRng, Moment::Awake(5));
    let mut blocks = vec![Block::new(); BLOCKS];
    let Stage::Provisioned(mut device) = Device::open(store)? else {
        return Err("nobody has set a password yet".into());
    };
    let mut limiter = Limiter::mount(Overwritable::new(area), device.store(), "access", POLICY, now)?;
    let code = device.store().get(&PAIRING)?.ok_or("a code from the factory")?;
    let permit = limiter.attempt(device.store(), now, &mut random)?;
    let Verdict::Right(right) = code.ready(&mut blocks)?.check(b"73914628", permit) else {
        return Err("another code is on the label".into());
    };
    let proven = right.settle()?;

    let policy = PasswordPolicy::only_factor(&["D3-000017", "Acme Doorbell"]);
    for attempt in [
        "doorbell",
        "Acme Doorbell 2026",
        "passwordpassword1",
        "plum fjord vexes gnat",
    ] {
        match policy.check(attempt) {
            Err(refusal) => println!("    {attempt:?}: {refusal}"),
            Ok(password) => {
                println!("    {attempt:?} is taken");
                return Ok(device.set_owner(&password, proven, Cost::KIB_32, &mut blocks, &mut random)?);
            }
        }
    }
    Err("no password was good enough".into())
}

fn serial(device: &mut Device<OwnerSet, Mounted<'_>>) -> Result<String, Box<dyn Error>> {
    use bydesign::credential::items::SERIAL;
    let serial = device.store().get(&SERIAL)?.ok_or("a serial number")?;
    Ok(serial.as_str().to_owned())
}

fn guess_across_cuts(root_key: &RootKey, flash: &mut Flash, area: &mut Flash) -> Result<(), Box<dyn Error>> {
    let (mut random, mut checks) = (SysRng, 0);
    for boot in 1..=8 {
        area.power_on();
        let mut store = mount(root_key, flash)?;
        let now = Moment::Awake(0);
        let mut limiter = Limiter::mount(Overwritable::new(&mut *area), &mut store, "access", POLICY, now)?;
        match limiter.attempt(&mut store, now, &mut random) {
            // The power goes with the permit in hand: whatever the check would have said, the attempt is on flash.
            Ok(permit) => {
                drop(permit);
                checks += 1;
            }
            Err(AttemptError::Wait { seconds }) => {
                println!("    start {boot}: {checks} checks so far, and now {seconds} seconds of waiting");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn log_in(root_key: &RootKey, flash: &mut Flash, area: &mut Flash) -> Result<(), Box<dyn Error>> {
    let mut random = SysRng;
    let mut blocks = vec![Block::new(); 64];
    let Stage::OwnerSet(mut device) = Device::open(mount(root_key, flash)?)? else {
        return Err("there is an owner".into());
    };
    let area = Overwritable::new(area);
    let mut limiter = Limiter::mount(area, device.store(), "access", POLICY, Moment::Awake(0))?;
    let wait_s = limiter.standing(device.store(), Moment::Awake(0)).wait_s;
    let now = Moment::Awake(wait_s.into());

    let entered = "plum fjord vexes gnat";
    let verifier = device.owner()?;
    let ready = verifier.ready(&mut blocks)?;
    let permit = limiter.attempt(device.store(), now, &mut random)?;
    match ready.check(entered.as_bytes(), permit) {
        Verdict::Right(right) => {
            let proven = right.settle()?;
            let is_new = device.rehash(entered, &proven, Cost::KIB_64, &mut blocks, &mut random)?;
            println!("    after {wait_s} seconds; hashed anew: {is_new}");
        }
        Verdict::Wrong => println!("    another password"),
    }
    Ok(())
}
