//! A device that is sold on and, years later, decommissioned: plan, erasure by scope, a power cut amid it, receipts.
//!
//! ```text
//! cargo run --example sold_on [-- DIRECTORY]    # writes the receipts there
//! ```

use std::cell::Cell;
use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use bydesign::erase::{
    Area, Attester, Callback, Cleared, DeviceInfo, Eraser, Exported, Found, LONGEST_RECEIPT, Level, Media,
    Qr, QrMemory, Region, Report, Residual, Rotated, Scope,
};
use bydesign::flash::Overwritable;
use bydesign::flash::simulator::{Rule, Simulator};
use bydesign::secret::{RootKey, Secret};
use bydesign::store::{Class, Key, MountError, Ram, Store, UserId};
use getrandom::SysRng;

/// On a device these are the drivers of two parts: the store's, and one that holds pictures.
type Flash = Simulator<4, 4096>;
type Memory = Ram<32, 512>;

const IDENTITY: Key<Secret<32>> = Key::new("identity", Class::Identity);
/// What the owner types in from the label, and may have told others.
const PAIRING: Key<Secret<16>> = Key::new("pairing", Class::Identity);
const WIFI: Key<[u8; 12]> = Key::new("wifi.password", Class::Settings);
const NAME: Key<[u8; 5]> = Key::new("name", Class::User);

const ROTATED: [Rotated; 1] = [Rotated::new(&PAIRING)];
const DEVICE: DeviceInfo = DeviceInfo {
    manufacturer: "Example Ltd",
    model: "Doorbell 3",
    serial: "D3-000017",
};
const LABEL: &str = "device";

struct Device {
    root_key: RootKey,
    flash: Flash,
    pictures: Flash,
    /// Whether the radio answers.
    radio: Cell<bool>,
    receipts: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let receipts = env::args_os().nth(1).map(PathBuf::from);
    if let Some(directory) = &receipts {
        fs::create_dir_all(directory)?;
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let mut device = Device {
        root_key: RootKey::new(secret)?,
        flash: Flash::new(64 * 1024, Rule::Multiwrite),
        pictures: Flash::new(64 * 1024, Rule::Multiwrite),
        radio: Cell::new(true),
        receipts,
    };
    provision(&mut device)?;
    let pairing = set_up(&mut device, b"first owner!", *b"Ada L")?;
    sell(&mut device)?;
    let paired_anew = set_up(&mut device, b"second owner", *b"Grace")?;
    assert!(
        pairing != paired_anew,
        "what the first owner knew pairs no more with the device"
    );
    reset_through_a_power_cut(&mut device)?;
    decommission(&mut device)
}

fn provision(device: &mut Device) -> Result<(), Box<dyn Error>> {
    let medium = Overwritable::new(&mut device.flash);
    let mut store = Store::format(medium, Memory::new(), &device.root_key, LABEL, &mut SysRng)?;
    let identity = Secret::random(&mut SysRng)?;
    store.put(&IDENTITY, &identity, &mut SysRng)?;
    store.put(&PAIRING, &Secret::random(&mut SysRng)?, &mut SysRng)?;
    // However full the store will be, there is room for the note of an erasure.
    Eraser::new(&mut [])?.prepare(&mut store, &mut SysRng)?;
    println!("provisioned: {} items\n", store.figures().items);
    Ok(())
}

/// The owner's first day. Gives what paired.
fn set_up(device: &mut Device, wifi: &[u8; 12], name: [u8; 5]) -> Result<[u8; 16], Box<dyn Error>> {
    let medium = Overwritable::new(&mut device.flash);
    let mut store = Store::mount(medium, Memory::new(), &device.root_key, LABEL)?;
    assert!(!store.contains(&WIFI)?, "nothing of an earlier owner");
    store.put(&WIFI, wifi, &mut SysRng)?;
    store.put(&NAME.of(UserId(1)), &name, &mut SysRng)?;
    device.pictures.image_mut().fill(0x5a);
    let pairing = store.get(&PAIRING)?.ok_or("there is a pairing secret")?;
    Ok(*pairing.expose())
}

/// Runs `act` with an eraser that knows every place with data of owners, and the store as the boot leaves it.
fn boot<T>(
    device: &mut Device,
    act: impl FnOnce(&mut Eraser<'_, '_>, Booted<'_>, Found) -> Result<T, Box<dyn Error>>,
) -> Result<T, Box<dyn Error>> {
    let Device {
        root_key,
        flash,
        pictures,
        radio,
        ..
    } = device;
    let mut pictures = Region::new("pictures", pictures, Media::RawFlash);
    let mut bonds = Callback::new("radio bonds", |_| {
        if !radio.get() {
            return Err(bydesign::erase::AreaFailed);
        }
        Ok(Cleared {
            level: Level::Delegated,
            verified: false,
            residual: Residual::Unknown,
        })
    });
    let mut progress = |progress| println!("  … {progress:?}");
    let mut areas: [&mut dyn Area; 2] = [&mut pictures, &mut bonds];
    let mut eraser = Eraser::new(&mut areas)?
        .on(Media::RawFlash)
        .rotating(&ROTATED)
        .at(1_795_000_000)
        .telling(&mut progress);
    let medium = Overwritable::new(flash);
    let (store, found) = eraser.mount(medium, Memory::new(), root_key, LABEL, &mut SysRng)?;
    act(&mut eraser, store, found)
}

type Booted<'a> = Store<Overwritable<bydesign::flash::Blocking<&'a mut Flash>>, Memory>;

/// The button in the app: the plan is shown, the owner confirms.
fn erase(device: &mut Device, scope: Scope<'_>) -> Result<(Report, Secret<32>), Box<dyn Error>> {
    boot(device, |eraser, mut store, _| {
        let plan = eraser.plan(&mut store, scope)?;
        println!("{plan}\nConfirmed.");
        let report = eraser.carry_out(&mut store, plan, &mut SysRng)?;
        let identity = store.get(&IDENTITY)?.ok_or("the identity stays")?;
        Ok((report, identity))
    })
}

fn show(device: &Device, report: &Report, identity: &Secret<32>) -> Result<(), Box<dyn Error>> {
    println!("{}\n", report.text(&DEVICE));
    let mut out = [0; LONGEST_RECEIPT];
    let signed = report.receipt(&DEVICE, Attester::Identity(identity), &mut out)?;
    if report.identity_pending {
        let mut memory = QrMemory::new();
        println!("To be scanned:\n{}", Qr::of(&out[..signed], &mut memory)?);
    }
    if let Some(directory) = &device.receipts {
        let at = |ending: &str| directory.join(format!("receipt-{}.{ending}", report.number));
        fs::write(at("sign1"), &out[..signed])?;
        fs::write(at("json"), report.json(&DEVICE).to_string())?;
        fs::write(at("public"), Attester::public_key(identity))?;
        let shared = Secret::new(*b"a key that a test shares with it");
        let tagged = report.receipt(&DEVICE, Attester::SharedKey(&shared), &mut out)?;
        fs::write(at("mac0"), &out[..tagged])?;
    }
    Ok(())
}

fn sell(device: &mut Device) -> Result<(), Box<dyn Error>> {
    println!("== the device is sold");
    let (report, identity) = erase(device, Scope::OwnershipTransfer)?;
    assert!(report.is_complete() && report.store.verified);
    assert!(device.pictures.image().iter().all(|&byte| byte == 0xff));
    show(device, &report, &identity)
}

fn reset_through_a_power_cut(device: &mut Device) -> Result<(), Box<dyn Error>> {
    println!("== a factory reset, with the plug pulled and a radio that does not answer");
    device.radio.set(false);
    device.flash.cut_after(700);
    let cut = erase(device, Scope::FactoryReset);
    assert!(cut.is_err(), "power went");
    device.flash.power_on();

    let medium = Overwritable::new(&mut device.flash);
    let plain = Store::mount(medium, Memory::new(), &device.root_key, LABEL).err();
    assert_eq!(plain, Some(MountError::ErasureBegun), "nothing can be read");
    println!("plugged in again: {}", MountError::ErasureBegun);

    let (report, identity) = boot(device, |_, mut store, found| {
        let Found::Resumed(report) = found else {
            return Err("the erasure goes on".into());
        };
        assert!(!store.contains(&WIFI)?);
        Ok((report, store.get(&IDENTITY)?.ok_or("the identity stays")?))
    })?;
    assert!(!report.is_complete(), "the radio did not answer");
    show(device, &report, &identity)?;

    device.radio.set(true);
    boot(device, |_, _, found| {
        assert!(matches!(found, Found::Resumed(report) if report.is_complete()));
        println!("at the next boot the radio answers: complete\n");
        Ok(())
    })
}

fn decommission(device: &mut Device) -> Result<(), Box<dyn Error>> {
    println!("== the device is decommissioned");
    let (report, identity) = erase(device, Scope::Decommission)?;
    assert!(report.identity_pending, "the identity signs, and goes afterwards");
    show(device, &report, &identity)?;
    drop(identity);
    boot(device, |eraser, store, found| {
        assert!(matches!(found, Found::AwaitingExport(_)));
        eraser.finish(store, Exported::acknowledged(), &mut SysRng)?;
        Ok(())
    })?;
    let medium = Overwritable::new(&mut device.flash);
    let mounted = Store::mount(medium, Memory::new(), &device.root_key, LABEL).err();
    assert_eq!(mounted, Some(MountError::Unformatted));
    println!("the receipt is exported, the identity destroyed, the flash erased");
    Ok(())
}
