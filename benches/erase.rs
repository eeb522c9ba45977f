//! What an erasure costs, by scope and size of the part, beside erasing the whole region and beside the limit of one page erase.
//!
//! ```text
//! cargo bench --bench erase
//! ```
//!
//! The part has 4-byte words and 4 KiB pages and was written round several times. Times are modelled (`Counters::modelled_micros`: 0.2 ms for each
//! 256-byte page that a program call touches, 45 ms an erase, 40 bytes read a microsecond); the counts repeat exactly.
#![allow(clippy::cast_precision_loss)] // figures for people

mod part;

use std::error::Error;

use bydesign::erase::{Eraser, Exported, Media, Scope};
use bydesign::flash::{Blocking, Overwritable, WriteOnce};
use bydesign::secret::RootKey;
use bydesign::store::{Class, DataClass, Ram, Store, UserId};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use part::{Flash, PAGE, Part};

const KIB: usize = 1024;
const LABEL: &str = "bench";
const SEED: u64 = 20_181_014;
/// Erasing the whole region is what a store must do that has one key, or none.
const ERASE_MILLIS: f64 = 45.0;

type Memory = Ram<512, 512>;

fn main() -> Result<(), Box<dyn Error>> {
    println!(
        "Seed {SEED}; modelled times. From the plan to the report, or to the erased medium; \"whole region\" is every page erased once.\n"
    );
    println!(
        "| part | medium | scope | sweep | erases | bytes programmed | bytes read | ms | whole region, ms | limit of one erase, ms |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for capacity in [64 * KIB, 256 * KIB, 1024 * KIB] {
        rows::<WriteOnce<Blocking<Flash>>>(capacity)?;
        rows::<Overwritable<Blocking<Flash>>>(capacity)?;
    }
    Ok(())
}

/// Fills the part with what a device holds: some identity, settings, two users, and rewrites it until the log has gone round.
fn used<M: Part>(capacity: usize, root_key: &RootKey) -> Result<Flash, Box<dyn Error>> {
    let mut random = ChaCha20Rng::seed_from_u64(SEED);
    let medium = M::blank(capacity);
    let mut store = Store::format(medium, Memory::new(), root_key, LABEL, &mut random)?;
    Eraser::new(&mut [])?.prepare(&mut store, &mut random)?;
    let classes = [
        DataClass::from(Class::Identity),
        Class::Settings.into(),
        Class::User.into(),
        DataClass::user(UserId(7)),
    ];
    let rounds = capacity * 3 / (80 * 110);
    for round in 0..rounds {
        for item in 0..80 {
            let data = classes[item % classes.len()];
            let value = [u8::try_from(round % 256)?; 64];
            store.put_bytes(data, &format!("item{item}"), &value, &mut random)?;
        }
    }
    // What is left to do in idle time is done.
    while store.maintain(16, &mut random)? {}
    let mut medium = store.into_medium();
    let image = medium.flash_mut().image().to_vec();
    Ok(Flash::from_image(&image, M::RULE))
}

fn rows<M: Part>(capacity: usize) -> Result<(), Box<dyn Error>> {
    let root_key = root_key();
    let base = used::<M>(capacity, &root_key)?;
    let item = Scope::Item {
        data: DataClass::user(UserId(7)),
        name: "item3",
    };
    let scopes = [
        (item, false),
        (Scope::User(UserId(7)), false),
        (Scope::AllUsers, false),
        (Scope::AllUsers, true),
        (Scope::FactoryReset, false),
        (Scope::FactoryReset, true),
        (Scope::Decommission, true),
    ];
    for (scope, sweeping) in scopes {
        let mut random = ChaCha20Rng::seed_from_u64(SEED + 1);
        let flash = base.clone();
        let mut eraser = Eraser::new(&mut [])?.on(Media::RawFlash);
        if sweeping {
            eraser = eraser.sweeping();
        }
        let (mut store, _) = eraser.mount(M::over(flash), Memory::new(), &root_key, LABEL, &mut random)?;
        store.medium_mut().flash_mut().reset_counters();
        let plan = eraser.plan(&mut store, scope)?;
        let report = eraser.carry_out(&mut store, plan, &mut random)?;
        assert!(report.store.verified, "what is measured did its work");
        let medium = if scope == Scope::Decommission {
            eraser.finish(store, Exported::acknowledged(), &mut random)?
        } else {
            store.into_medium()
        };
        let counters = medium.flash().counters();
        println!(
            "| {} KiB | {} | {} | {} | {} | {} | {} | {:.1} | {:.0} | {ERASE_MILLIS:.0} |",
            capacity / KIB,
            M::NAME,
            scope.kind().words(),
            if report.pages > 0 {
                format!("{} pages", report.pages)
            } else {
                "no".to_owned()
            },
            counters.erases,
            counters.bytes_programmed,
            counters.bytes_read,
            counters.modelled_micros() / 1000.0,
            (capacity / PAGE) as f64 * ERASE_MILLIS,
        );
    }
    Ok(())
}

fn root_key() -> RootKey {
    let mut bytes = [0; 32];
    chacha20::rand_core::Rng::fill_bytes(&mut ChaCha20Rng::seed_from_u64(SEED), &mut bytes);
    RootKey::new(bytes).expect("no weak key comes of this seed")
}
