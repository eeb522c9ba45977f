//! The image of the factory, put under the device's own key, with the power cut at every event.

use std::fs;
use std::path::Path;

use bydesign::credential::factory::Profile;
use bydesign::credential::items::{IDENTITY, SERIAL};
use bydesign::credential::limiter::{Limiter, Moment, Policy};
use bydesign::credential::reseal::{ResealError, reseal};
use bydesign::flash::simulator::{EraseTear, ProgramTear, Rule, Simulator};
use bydesign::flash::{Overwritable, WriteOnce};
use bydesign::secret::RootKey;
use bydesign::store::{MountError, Ram, Store};
use getrandom::SysRng;

use crate::support::*;

type Memory = Ram<48, 2048>;
const LIMITER: &str = "[[limiter]]\nname = \"owner\"\nunits = 2\n";

fn fuses() -> RootKey {
    RootKey::new(core::array::from_fn(|at| (at * at * 7 + at + 99) as u8)).expect("sound")
}

macro_rules! every_cut {
    ($wrap:ident, $rule:expr, $medium:literal) => {{
        let place = Place::new($medium);
        let store = format!(
            "medium = \"{}\"\nwrite-size = 8\nerase-size = 2048\nunits = 8",
            $medium
        );
        let text = profile_text(
            "transport",
            &store,
            SELF_ISSUED,
            &format!("{ALL_SECRETS}{LIMITER}"),
        );
        let profile = Profile::parse("p", &text, Path::new("")).expect("sound");
        made(&place, &profile, 1);
        let row = opened(&lines(&place.path("out/manifest.jsonl"))[0]);
        let transport = root_key(&row);
        let image = fs::read(&files(&place.path("out/images"))[0]).expect("there");
        // The store, and the limiter's area behind it.
        let (image, area) = image.split_at(8 * 2048);
        assert_eq!(area.len(), 2 * 2048);
        let mut whole = Simulator::<8, 2048>::from_image(image, $rule);
        let before = whole.events();
        {
            let mut medium = $wrap::new(&mut whole);
            assert!(
                reseal::<_, Memory, _>(&mut medium, &transport, &fuses(), "settings", &mut SysRng).is_ok()
            );
        }
        let events = whole.events() - before;
        assert!(events > 20, "{events}");
        for event in 0..events {
            let mut flash = Simulator::<8, 2048>::from_image(image, $rule);
            flash.set_tear(ProgramTear::TornWord, EraseTear::OldOrOne, event);
            let now = flash.events();
            flash.cut_after(now + event);
            {
                let mut medium = $wrap::new(&mut flash);
                let cut = reseal::<_, Memory, _>(&mut medium, &transport, &fuses(), "settings", &mut SysRng);
                assert!(cut.is_err(), "event {event}");
            }
            flash.power_on();
            flash.never_cut();
            let mut medium = $wrap::new(&mut flash);
            let mut store =
                reseal::<_, Memory, _>(&mut medium, &transport, &fuses(), "settings", &mut SysRng)
                    .unwrap_or_else(|error| panic!("event {event}: {error}"));
            let serial = store.get(&SERIAL).expect("reads").expect("there");
            assert_eq!(serial.as_str(), row.serial);
            assert!(store.get(&IDENTITY).expect("reads").is_some());
            let area = Simulator::<8, 2048>::from_image(area, $rule);
            let limiter = Limiter::mount(
                $wrap::new(area),
                &mut store,
                "owner",
                Policy::new(),
                Moment::Awake(0),
            );
            assert!(limiter.is_ok(), "event {event}: {:?}", limiter.err());
            drop(store);
            let with_transport = Store::mount(&mut medium, Memory::new(), &transport, "settings").err();
            assert_eq!(with_transport, Some(MountError::WrongRootKey), "event {event}");
            let _ = medium;
            // Not even in the laboratory, page by page.
            let in_laboratory = bydesign::store::inspect::Image::of(flash.image()).expect("a store");
            assert!(
                in_laboratory.open(&transport, "settings").is_err(),
                "event {event}"
            );
        }
    }};
}

//= compliance/requirements.md#cred-33
//= type=test
//# After first boot the transport key MUST open nothing on the flash, wherever power was cut before, and what the factory put in MUST be there.
#[test]
fn wherever_power_is_cut_the_next_boot_ends_with_the_devices_own_key() {
    every_cut!(Overwritable, Rule::Multiwrite, "overwritable");
    every_cut!(WriteOnce, Rule::WriteOnce, "write-once");
}

#[test]
fn the_same_key_twice_and_a_wrong_key_are_refused() {
    let mut flash = Simulator::<4, 4096>::new(16 * 1024, Rule::Multiwrite);
    let mut medium = Overwritable::new(&mut flash);
    drop(Store::format(&mut medium, Memory::new(), &fuses(), "settings", &mut SysRng).expect("formatted"));
    let other =
        |seed: u8| RootKey::new(core::array::from_fn(|at| (at * at * 3) as u8 ^ seed)).expect("sound");
    let mut refused = |transport: &RootKey, own: &RootKey| {
        reseal::<_, Memory, _>(&mut medium, transport, own, "settings", &mut SysRng).err()
    };
    assert_eq!(refused(&fuses(), &fuses()), Some(ResealError::SameKey));
    assert_eq!(
        refused(&other(1), &other(2)),
        Some(ResealError::Mount(MountError::WrongRootKey))
    );
}
