//! Every operation of the store, every erasure, what a device does with credentials and a product's telemetry, over a driver and a random source
//! that the compiler cannot see through.
#![no_std]
#![no_main]

mod part;

use core::fmt::Write as _;
use core::hint::black_box;

use bydesign::credential::items::{Serial, Spake2pVerifier};
use bydesign::credential::limiter::{Limiter, Moment, Policy, Verdict};
use bydesign::credential::reseal::reseal;
use bydesign::credential::{
    Block, Blocklist, Claim, CodeWindow, Cost, Device, LONGEST_PHC, PasswordPolicy, Stage, Verifier,
    published,
};
use bydesign::erase::{
    Area, AreaFailed, Attester, Callback, DeviceInfo, Eraser, Exported, LONGEST_RECEIPT, Media, Region,
    Rotated, Scope,
};
use bydesign::flash::{NeverPends, Overwritable, WriteOnce};
use bydesign::secret::{RootKey, Secret};
use bydesign::store::{
    AnchorPolicy, Change, Class, Counter, CounterFailed, CounterPlace, FlashCounter, Key, Ram, Salvage,
    Store, UserId,
};
use bydesign::telemetry::signals::{SecurityEvent, Signals};
use bydesign::telemetry::{Baseline, Extremes, Gate, Histogram, Place, Raw, Report, Tally, ThisDevice, Time};
use part::{Flash, Random};

const NAME: Key<[u8; 8]> = Key::new("name", Class::User);
const COUNT: Key<u32> = Key::new("count", Class::Settings);

/// Fuses.
struct Fuses;

impl Counter for Fuses {
    fn place(&self) -> CounterPlace {
        CounterPlace::OutOfReach
    }

    async fn value(&mut self) -> Result<u32, CounterFailed> {
        black_box(Ok(1))
    }

    async fn advance(&mut self) -> Result<(), CounterFailed> {
        black_box(Ok(()))
    }
}

type Memory = Ram<32, 512>;

fn operations<M: NeverPends>(new: fn(Flash) -> M) -> Option<()> {
    let mut random = Random;
    let root_key = RootKey::new(black_box([7; 32])).ok()?;
    drop(Store::format(new(Flash), Memory::new(), &root_key, "label", &mut random).ok()?);
    drop(Store::format_erasing(new(Flash), Memory::new(), &root_key, "label", &mut random).ok()?);
    let own_key = RootKey::new(black_box([9; 32])).ok()?;
    let mut medium = new(Flash);
    drop(reseal::<_, Memory, _>(&mut medium, &root_key, &own_key, "label", &mut random).ok()?);
    let salvaged = Store::salvage(new(Flash), Memory::new(), &root_key, "label", |found| {
        if let Salvage::Item { name, value, .. } = found {
            black_box((name, value));
        }
    });
    black_box(salvaged.ok()?);
    drop(Store::mount_anchored(new(Flash), Memory::new(), &root_key, "label", &mut Fuses).ok()?);

    let mut store = Store::mount(new(Flash), Memory::new(), &root_key, "label").ok()?;
    store.put(&NAME, black_box(b"12345678"), &mut random).ok()?;
    store
        .put_bytes(
            Class::Application(black_box(3)),
            black_box("name"),
            black_box(b"value"),
            &mut random,
        )
        .ok()?;
    store
        .put_fixed_bytes(
            Class::Identity,
            black_box("name"),
            black_box(b"value"),
            &mut random,
        )
        .ok()?;
    store
        .commit(
            &[Change::put(&NAME, &[1; 8]), Change::remove(&COUNT)],
            &mut random,
        )
        .ok()?;
    black_box(store.get(&NAME).ok()?);
    black_box(
        store
            .get_bytes(Class::User, black_box("name"), black_box(&mut [0; 20]))
            .ok()?,
    );
    black_box(store.contains(&COUNT).ok()?);
    store
        .for_each(Class::User, |name, value| {
            black_box((name, value));
        })
        .ok()?;
    store.upgrade(&COUNT, &mut random).ok()?;
    black_box(store.contains_bytes(Class::User, black_box("name")).ok()?);
    store.remove(&NAME, &mut random).ok()?;
    store
        .remove_bytes(Class::User, black_box("name"), &mut random)
        .ok()?;
    store.keep_checkpoints(&mut random).ok()?;
    store.erase(UserId(black_box(7)), &mut random).ok()?;
    store
        .erase_item(Class::User, black_box("name"), &mut random)
        .ok()?;
    store.change_root_key(&root_key, &mut random).ok()?;
    store.maintain(black_box(3), &mut random).ok()?;
    store.start_counter(&mut Fuses, &mut random).ok()?;
    let mut steps = FlashCounter::new(new(Flash), CounterPlace::SameFlash).ok()?;
    store
        .anchor(&mut steps, AnchorPolicy::EveryChange, &mut random)
        .ok()?;
    black_box((store.freshness(), store.figures()));
    Some(())
}

/// Where a screen or a serial line would be.
struct Screen;

impl core::fmt::Write for Screen {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        black_box(text);
        black_box(Ok(()))
    }
}

fn erasures<M: NeverPends>(new: fn(Flash) -> M) -> Option<()> {
    const PAIRING: Key<Secret<16>> = Key::new("pairing", Class::Identity);
    const ROTATED: [Rotated; 1] = [Rotated::new(&PAIRING)];
    let mut random = Random;
    let root_key = RootKey::new(black_box([7; 32])).ok()?;
    let mut region = Region::new(black_box("log"), Flash, Media::RawFlash);
    let mut bonds = Callback::new(black_box("bonds"), |_| black_box(Err(AreaFailed)));
    let mut areas: [&mut dyn Area; 2] = [&mut region, &mut bonds];
    let mut progress = |progress| {
        black_box(progress);
    };
    let mut eraser = Eraser::new(&mut areas).ok()?;
    eraser = eraser.on(Media::RawFlash).keeping(&[1]).rotating(&ROTATED);
    eraser = eraser.at(black_box(1)).telling(&mut progress);
    if black_box(true) {
        eraser = eraser.sweeping();
    }
    let mounted = eraser.mount_anchored(
        new(Flash),
        Memory::new(),
        &root_key,
        "label",
        &mut Fuses,
        &mut random,
    );
    drop(mounted.ok()?);
    let mounted = eraser.mount(new(Flash), Memory::new(), &root_key, "label", &mut random);
    let (mut store, found) = mounted.ok()?;
    black_box(found);
    eraser.prepare(&mut store, &mut random).ok()?;
    let item = Scope::Item {
        data: Class::User.into(),
        name: black_box("name"),
    };
    let device = DeviceInfo {
        manufacturer: black_box("m"),
        model: black_box("m"),
        serial: black_box("s"),
    };
    let key = Secret::new(black_box([7; 32]));
    for scope in black_box([
        item,
        Scope::User(UserId(7)),
        Scope::FactoryReset,
        Scope::Decommission,
    ]) {
        eraser.classes(&mut store, scope, |class, user, amount, goes| {
            black_box((class, user, amount, goes));
        });
        let plan = eraser.plan(&mut store, scope).ok()?;
        write!(Screen, "{plan}").ok()?;
        let report = eraser.carry_out(&mut store, plan, &mut random).ok()?;
        write!(Screen, "{}{}", report.text(&device), report.json(&device)).ok()?;
        let mut out = [0; LONGEST_RECEIPT];
        for attester in [Attester::SharedKey(&key), Attester::Identity(&key)] {
            black_box(report.receipt(&device, attester, &mut out).ok()?);
        }
        black_box((report.is_complete(), out));
    }
    eraser
        .items(&mut store, Scope::FactoryReset, |class, user, name, len, _| {
            black_box((class, user, name.len(), len));
        })
        .ok()?;
    black_box(eraser.last(&mut store).ok()?);
    drop(eraser.finish(store, Exported::acknowledged(), &mut random).ok()?);
    Some(())
}

const POLICY: Policy = Policy::new().lock_after(100);

/// Attempts at what somebody else checks.
fn attempts<M: NeverPends>(new: fn(Flash) -> M) -> Option<()> {
    let mut random = Random;
    let root_key = RootKey::new(black_box([7; 32])).ok()?;
    let now = black_box(Moment::Awake(1));
    let mut store = Store::mount(new(Flash), Memory::new(), &root_key, "label").ok()?;
    drop(
        Limiter::create(
            new(Flash),
            &mut store,
            black_box("name"),
            POLICY,
            now,
            &mut random,
        )
        .ok()?,
    );
    let (limiter, repaired) = Limiter::repair(
        new(Flash),
        &mut store,
        black_box("name"),
        POLICY,
        now,
        &mut random,
    )
    .ok()?;
    black_box(repaired);
    drop(limiter);
    let mut limiter = Limiter::mount(new(Flash), &mut store, black_box("name"), POLICY, now).ok()?;
    limiter.keep_time(&mut store, now, &mut random).ok()?;
    drop(limiter.attempt(&mut store, now, &mut random).ok()?);
    black_box(limiter.standing(&store, now));
    Some(())
}

fn credentials<M: NeverPends>(new: fn(Flash) -> M) -> Option<()> {
    let mut random = Random;
    let mut blocks = [Block::new(); 8];
    let cost = Cost::new(black_box(8), black_box(1))?;
    let root_key = RootKey::new(black_box([7; 32])).ok()?;
    let now = black_box(Moment::Awake(1));

    let verifier = Verifier::of_issued(black_box(b"73914628"), black_box([7; 16]), cost, &mut blocks).ok()?;
    let mut text = [0; LONGEST_PHC];
    let text = verifier.write_phc(&mut text).ok()?;
    black_box(Verifier::from_phc(black_box(text)).ok()?);
    let pake = Spake2pVerifier::new(
        black_box(1000),
        black_box(&[7; 16]),
        Secret::new(black_box([7; 32])),
        Secret::new(black_box([7; 65])),
    )?;
    let serial = Serial::new(black_box("serial"))?;
    let identity = Secret::new(black_box([7; 32]));

    for claim in black_box([
        Claim::Code(&verifier),
        Claim::DevicePassword(&verifier),
        Claim::Pake(&pake),
    ]) {
        let store = Store::mount(new(Flash), Memory::new(), &root_key, "label").ok()?;
        let Ok(Stage::Unprovisioned(device)) = Device::open(store) else {
            continue;
        };
        drop(device.provision(&identity, &serial, claim, &mut random).ok()?);
    }

    let mut store = Store::mount(new(Flash), Memory::new(), &root_key, "label").ok()?;
    let mut limiter = Limiter::mount(new(Flash), &mut store, black_box("name"), POLICY, now).ok()?;
    limiter.keep_time(&mut store, now, &mut random).ok()?;
    let ready = verifier.ready(&mut blocks).ok()?;
    let permit = limiter.attempt(&mut store, now, &mut random).ok()?;
    let Verdict::Right(right) = ready.check(black_box(b"73914628"), permit) else {
        return None;
    };
    let proven = right.settle().ok()?;
    limiter.clear(&mut store, &proven, now, &mut random).ok()?;
    black_box(limiter.standing(&store, now));

    let about_it = black_box(["serial", "product"]);
    let policy = PasswordPolicy::only_factor(&about_it);
    let password = match policy.check(black_box("plum fjord vexes gnat")) {
        Ok(password) => password,
        Err(refusal) => {
            write!(Screen, "{refusal}").ok()?;
            return None;
        }
    };
    match Device::open(store).ok()? {
        Stage::Unprovisioned(_) => {}
        Stage::Provisioned(mut device) => {
            black_box(device.has_published_code(&mut blocks).ok()?);
            drop(
                device
                    .set_owner(&password, proven, cost, &mut blocks, &mut random)
                    .ok()?,
            );
        }
        Stage::OwnerSet(mut device) => {
            black_box(device.owner().ok()?);
            device
                .rehash(black_box("password"), &proven, cost, &mut blocks, &mut random)
                .ok()?;
            device
                .change_password(&password, proven, cost, &mut blocks, &mut random)
                .ok()?;
        }
    }

    let mut window = CodeWindow::<8>::open(black_box(60), black_box(3), now, &mut random).ok()?;
    black_box(window.digits(now)?);
    black_box(window.enter(black_box("73914628"), now).is_ok());
    black_box((
        published::is_identity(&identity),
        published::is_code(black_box("20202021")),
    ));
    let mut filter = [0; 64];
    Blocklist::add(&mut filter, black_box("word"));
    black_box(Blocklist::new(&filter).contains(black_box("word")));
    Some(())
}

#[allow(dead_code, unreachable_pub)]
#[path = "../../../examples/thermostat/declaration.rs"]
mod thermostat;

/// A week of the example thermostat.
fn week() -> thermostat::Climate {
    let (mut extremes, mut quarters) = (Extremes::new(), Histogram::new());
    let mut tally = Tally::new();
    extremes.add(&Raw::new(black_box(20_000_i32)));
    quarters.add(&Raw::new(black_box(20_000_i32)), &thermostat::COMFORTABLE);
    tally.add(black_box(3));
    thermostat::Climate {
        week: Raw::new(Time::of(black_box(1))),
        temperature: Raw::new(black_box(20_000)),
        extremes: Raw::new(extremes.take()),
        quarters: Raw::new(quarters.take()),
        starts: Raw::new(tally.take()),
        place: Raw::new(Place {
            latitude: black_box(1),
            longitude: black_box(2),
        }),
        at_home: Raw::new(black_box(true)),
        changes: Raw::new(tally.take()),
        programme: Raw::new(black_box(1)),
    }
}

fn telemetry<M: NeverPends>(new: fn(Flash) -> M) -> Option<()> {
    let mut random = Random;
    let root_key = RootKey::new(black_box([7; 32])).ok()?;
    let mut store = Store::mount(new(Flash), Memory::new(), &root_key, "label").ok()?;
    let gate = Gate::<thermostat::Thermostat>::new();
    let now = Time::of(black_box(1_000_000));
    while let Some(purpose) = gate.question(&mut store).ok()? {
        gate.grant(&mut store, black_box(purpose), now, &mut random)
            .ok()?;
    }
    let prepared = gate.prepare(&mut store, week(), now, &mut random).ok()?;
    black_box((prepared.bytes(), prepared.epsilon(), prepared.left_out()));
    gate.release(&mut store, prepared, now, &mut random).ok()?;
    let prepared = gate.prepare(&mut store, week(), now, &mut random).ok()?;
    gate.release_anchored(&mut store, prepared, now, &mut Fuses, &mut random)
        .ok()?;
    let mut signals = Signals::new();
    signals.record(black_box(SecurityEvent::FailedLogin));
    signals.mounted(black_box(Ok(store.freshness())));
    let readings = signals.take();
    let security = thermostat::Security {
        failed_logins: readings.failed_logins,
        limiter_trips: readings.limiter_trips,
        update_failures: readings.update_failures,
        unexpected_resets: readings.unexpected_resets,
        store: readings.store,
    };
    gate.submit(&mut store, security, now, &mut random).ok()?;
    let mut faults = Tally::new();
    let faults = thermostat::Faults {
        device: Raw::new(ThisDevice),
        firmware: Raw::new(black_box(12)),
        fault: Raw::new(black_box(1)),
        times: Raw::new(faults.take()),
    };
    gate.submit(&mut store, faults, now, &mut random).ok()?;
    let mut out = [0; 64];
    let waiting = gate.next(&mut store, now, &mut out, &mut random).ok()??;
    black_box((waiting.len(), waiting.class(), &out));
    gate.acknowledge(&mut store, waiting, &mut random).ok()?;
    black_box(gate.status(&mut store, black_box(1), now, &mut random).ok()?);
    black_box(gate.consent(&mut store, black_box(1)).ok()?);
    black_box(gate.allows(&mut store, black_box(1)).ok()?);
    gate.withdraw(&mut store, black_box(1), now, &mut random).ok()?;
    let mut baseline = Baseline::new();
    black_box(baseline.observe(black_box(7)));
    store.put(&BASELINE, &baseline, &mut random).ok()?;
    black_box(store.get(&BASELINE).ok()?);
    Some(())
}

/// A preview on a screen: this links the texts of the declaration, and what is above does not.
fn preview() -> Option<()> {
    let report = black_box([0x83, 1, 1, 0xa1, 4, 1]);
    thermostat::Climate::SCHEMA
        .decode(&report, |field, value| {
            let _ = write!(Screen, "{}: {value}", field.name);
        })
        .ok()
}

const BASELINE: Key<Baseline> = Key::new("baseline", Class::Settings);

#[unsafe(no_mangle)]
extern "C" fn begin() {
    if cfg!(feature = "passwords") {
        black_box(credentials(Overwritable::new));
        black_box(credentials(WriteOnce::new));
    }
    black_box(attempts(Overwritable::new));
    black_box(attempts(WriteOnce::new));
    black_box(telemetry(Overwritable::new));
    black_box(telemetry(WriteOnce::new));
    black_box(preview());
    black_box(operations(Overwritable::new));
    black_box(operations(WriteOnce::new));
    black_box(erasures(Overwritable::new));
    black_box(erasures(WriteOnce::new));
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        black_box(());
    }
}
