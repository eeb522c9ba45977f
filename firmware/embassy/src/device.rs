//! A start: the store, the limiter, and an owner, or nothing is served.
//!
//! ```text
//!  nrf52840
//!  device   (this file)
//!  part · door · console
//!  bydesign::{store, erase, credential}
//! ```

use bydesign::credential::alphabet::Alphabet;
use bydesign::credential::code::PairingCode;
use bydesign::credential::items::{NOT_FOR_SALE, PAIRING, ROTATED, SERIAL, Serial};
use bydesign::credential::{
    self, Claim, OwnerSet, PasswordPolicy, Provisioned, SALT_LEN, Stage, Unprovisioned, Verifier,
};
use bydesign::erase::{Eraser, Found, Media, ResumeError};
use bydesign::secret::Secret;
use bydesign::store::MountError;

use crate::console::{Console, Typed};
use crate::door::{COST, Door};
use crate::fault::{Fault, during};
use crate::part::{self, Flash, Memory, Store};
use crate::{Blocks, Random};

/// The label of the store's partition, as `factory.toml` has it.
const LABEL: &str = "lamp";
/// What a board is called that no factory made.
const UNKNOWN: &str = "BARE-BOARD";
/// What it is called on its box: no password is made of it, nor of the serial number.
const PRODUCT: &str = "Lamp 3";
const CODE_SYMBOLS: usize = 8;

pub(crate) type Owned<'a> = credential::Device<OwnerSet, Store<'a>>;

/// Erases what the scopes name: the store is all that this device keeps data in.
pub(crate) fn eraser() -> Result<Eraser<'static, 'static>, Fault> {
    let eraser = Eraser::new(&mut []).map_err(during("areas"))?;
    Ok(eraser.on(Media::RawFlash).rotating(&ROTATED))
}

/// The device when it has an owner. Does not return before.
pub(crate) async fn start<'a>(
    flash: &'a Flash,
    random: &mut Random,
    blocks: &mut Blocks,
    console: &mut Console,
) -> Result<(Owned<'a>, Door<'a>), Fault> {
    let root_key = part::root_key().ok_or_else(|| during("the root key")("UICR holds none"))?;
    let mut eraser = eraser()?;
    let mounted = eraser
        .mount_async(part::store_part(flash), Memory::new(), &root_key, LABEL, random)
        .await;
    let (mut store, found) = match mounted {
        Err(ResumeError::Mount(MountError::Unformatted)) => {
            let made =
                Store::format_erasing(part::store_part(flash), Memory::new(), &root_key, LABEL, random).await;
            (made.map_err(during("format"))?, Found::Nothing)
        }
        mounted => mounted.map_err(during("mount"))?,
    };
    if found != Found::Nothing {
        console
            .say(format_args!("an erasure that power had cut was completed"))
            .await;
    }
    eraser
        .prepare_async(&mut store, random)
        .await
        .map_err(during("prepare"))?;
    if store.get(&NOT_FOR_SALE).await.map_err(during("seed"))? == Some(true) {
        console
            .say(format_args!("made from a test seed: not for sale"))
            .await;
    }
    let mut door = Door::mount(flash, &mut store, random).await?;
    let device = match credential::Device::open_async(store)
        .await
        .map_err(during("open"))?
    {
        Stage::OwnerSet(device) => return Ok((device, door)),
        Stage::Provisioned(device) => device,
        Stage::Unprovisioned(device) => provision(device, random, blocks, console).await?,
    };
    let device = claim(device, &mut door, random, blocks, console).await?;
    Ok((device, door))
}

/// A bare board on a desk makes its own credentials, and shows its code once. In a product the factory makes them, and prints the code on a label.
async fn provision<'a>(
    device: credential::Device<Unprovisioned, Store<'a>>,
    random: &mut Random,
    blocks: &mut Blocks,
    console: &mut Console,
) -> Result<credential::Device<Provisioned, Store<'a>>, Fault> {
    let code = PairingCode::random(Alphabet::CLEAR, CODE_SYMBOLS, random).map_err(during("a code"))?;
    let mut salt = [0; SALT_LEN];
    random.blocking_fill_bytes(&mut salt);
    let verifier =
        Verifier::of_issued(code.symbols().as_bytes(), salt, COST, blocks).map_err(during("a verifier"))?;
    let identity = Secret::random(random).map_err(during("an identity"))?;
    let serial = Serial::new(UNKNOWN).ok_or_else(|| during("serial")("not a serial number"))?;
    let device = device
        .provision_async(&identity, &serial, Claim::Code(&verifier), random)
        .await;
    let device = device.map_err(during("provision"))?;
    console
        .say(format_args!(
            "no factory made this; its code is {}",
            code.grouped().expose()
        ))
        .await;
    Ok(device)
}

/// Whoever has the label sets a password, in as many lines as it takes.
async fn claim<'a>(
    mut device: credential::Device<Provisioned, Store<'a>>,
    door: &mut Door<'a>,
    random: &mut Random,
    blocks: &mut Blocks,
    console: &mut Console,
) -> Result<credential::Device<OwnerSet, Store<'a>>, Fault> {
    let verifier = device
        .store()
        .get(&PAIRING)
        .await
        .map_err(during("pairing code"))?;
    let verifier = verifier.ok_or_else(|| during("pairing code")("there is none"))?;
    let serial = device.store().get(&SERIAL).await.map_err(during("serial"))?;
    let serial = serial.ok_or_else(|| during("serial")("there is none"))?;
    let mut typed = Typed::new();
    let proven = loop {
        console
            .say(format_args!("no owner yet; code from the label:"))
            .await;
        console.read(&mut typed).await;
        // A slip of the finger is no guess.
        match PairingCode::parse(typed.line(), Alphabet::CLEAR) {
            Err(slip) => console.say(format_args!("{slip}")).await,
            Ok(code) => match door
                .knock(device.store(), &verifier, code.symbols(), blocks, random)
                .await?
            {
                Ok(proven) => break proven,
                Err(refusal) => console.say(format_args!("{refusal}")).await,
            },
        }
    };
    loop {
        console.say(format_args!("a password of your own:")).await;
        console.read(&mut typed).await;
        match PasswordPolicy::only_factor(&[serial.as_str(), PRODUCT]).check(typed.line()) {
            Err(refusal) => console.say(format_args!("{refusal}")).await,
            Ok(password) => {
                let owned = device
                    .set_owner_async(&password, proven, COST, blocks, random)
                    .await;
                return owned.map_err(during("setting the password"));
            }
        }
    }
}
