//! Operations, each made from the campaign's seed and its own number, so that the same orders do the same work.
//!
//! ```text
//!  lifecycle
//!    work     (this file)
//!    journal · access
//!  bydesign::{store, erase, telemetry}
//! ```

use bydesign::credential::{Device, OwnerSet};
use bydesign::erase::{Eraser, Scope};
use bydesign::store::{Change, Class, DataClass, UserId};
use bydesign::telemetry::{GateError, Raw, Tally, Time};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use crate::access::Door;
use crate::declaration::{WEEK, Weekly};
use crate::journal::{Hex, say, say_part};
use crate::{Fault, GATE, Storage, during};

/// Where the work's items are, by the names of the laboratory's tool.
pub(crate) fn classes() -> [(DataClass, &'static str); CLASSES] {
    [
        (Class::Settings.into(), "settings"),
        (Class::User.into(), "user"),
        (DataClass::user(UserId(7)), "user:7"),
        (Class::Application(1).into(), "application:1"),
    ]
}
const CLASSES: usize = 4;
const NAMES: [&str; 6] = ["n0", "n1", "n2", "n3", "n4", "n5"];
const LONGEST_VALUE: usize = 72;
/// No two values of the work are the same: each begins with its number and is at least this long.
const SHORTEST_VALUE: usize = 12;
/// When the device was set up; each operation takes six hours.
const BEGIN_S: u64 = 1_790_000_000;
const OPERATION_S: u64 = 6 * 3600;

/// The library keeps items of its own among those of the work.
pub(crate) fn is_of_the_work(item: &str) -> bool {
    NAMES.contains(&item)
}

/// The time of an operation.
pub(crate) fn now(number: u32) -> Time {
    Time::of(BEGIN_S + u64::from(number) * OPERATION_S)
}

/// A value, and an item it is for.
struct Item {
    class: usize,
    name: &'static str,
    value: [u8; LONGEST_VALUE],
    len: usize,
    /// Or the item goes.
    is_kept: bool,
}

impl Item {
    fn draw(number: u32, dice: &mut ChaCha20Rng) -> Self {
        let mut value = [0; LONGEST_VALUE];
        dice.fill_bytes(&mut value);
        if let Some(first) = value.first_chunk_mut() {
            *first = number.to_be_bytes();
        }
        Self {
            class: below(dice, CLASSES),
            name: NAMES.get(below(dice, NAMES.len())).copied().unwrap_or("n0"),
            value,
            len: SHORTEST_VALUE + below(dice, LONGEST_VALUE - SHORTEST_VALUE),
            is_kept: below(dice, 4) > 0,
        }
    }

    fn class(&self) -> (DataClass, &'static str) {
        classes()[self.class % CLASSES]
    }

    fn value(&self) -> &[u8] {
        self.value.get(..self.len).unwrap_or_default()
    }

    fn say(&self) {
        let (_, class) = self.class();
        if self.is_kept {
            say_part!(" {class} {} {}", self.name, Hex(self.value()));
        } else {
            say_part!(" {class} {} -", self.name);
        }
    }

    fn change(&self) -> Change<'_> {
        let (class, _) = self.class();
        if self.is_kept {
            Change::put_bytes(class, self.name, self.value())
        } else {
            Change::remove_bytes(class, self.name)
        }
    }
}

fn below(dice: &mut ChaCha20Rng, limit: usize) -> usize {
    dice.next_u32() as usize % limit.max(1)
}

/// Does the operation of this number. Whether the device goes on: after it lost its owner it has to be started anew.
pub(crate) fn operation(
    number: u32,
    seed: u32,
    device: &mut Device<OwnerSet, Storage<'_>>,
    door: &mut Door<'_>,
    eraser: &mut Eraser<'_, '_>,
    random: &mut ChaCha20Rng,
) -> Result<bool, Fault> {
    let mut dice = ChaCha20Rng::seed_from_u64(u64::from(seed) << 32 | u64::from(number) | 1 << 31);
    match below(&mut dice, 100) {
        0..60 => change(number, device.store(), &mut dice, random)?,
        60..66 => commit(number, device.store(), &mut dice, random)?,
        66..72 => erase_item(number, device.store(), &mut dice, random)?,
        72..75 => {
            say!("begin {number} erase user:7");
            device.store().erase(UserId(7), random).map_err(during("erase"))?;
            say!("done {number}");
        }
        75..81 => {
            say!("begin {number} attempt");
            door.knock(false, device, random)?;
            say!("done {number}");
        }
        81..84 => {
            say!("begin {number} login");
            door.knock(true, device, random)?;
            say!("done {number}");
        }
        84..92 => report(number, device.store(), random)?,
        92..97 => send(number, device.store(), random)?,
        97 | 98 => {
            say!("begin {number} erase user user:7");
            carry_out(Scope::AllUsers, device.store(), eraser, random)?;
            say!("done {number}");
        }
        _ => {
            say!("begin {number} erase settings user user:7 application:1");
            carry_out(Scope::FactoryReset, device.store(), eraser, random)?;
            say!("done {number}");
            return Ok(false);
        }
    }
    Ok(true)
}

fn change(
    number: u32,
    store: &mut Storage<'_>,
    dice: &mut ChaCha20Rng,
    random: &mut ChaCha20Rng,
) -> Result<(), Fault> {
    let item = Item::draw(number, dice);
    let (class, _) = item.class();
    say_part!("begin {number} change");
    item.say();
    say!("");
    if item.is_kept {
        store
            .put_bytes(class, item.name, item.value(), random)
            .map_err(during("put"))?;
    } else {
        store
            .remove_bytes(class, item.name, random)
            .map_err(during("remove"))?;
    }
    say!("done {number}");
    Ok(())
}

/// Two items at once.
fn commit(
    number: u32,
    store: &mut Storage<'_>,
    dice: &mut ChaCha20Rng,
    random: &mut ChaCha20Rng,
) -> Result<(), Fault> {
    let one = Item::draw(number, dice);
    let mut other = Item::draw(number, dice);
    other.class = (one.class + 1) % CLASSES;
    // Another value than the first, which begins with the same number.
    say_part!("begin {number} change");
    one.say();
    other.say();
    say!("");
    store
        .commit(&[one.change(), other.change()], random)
        .map_err(during("commit"))?;
    say!("done {number}");
    Ok(())
}

fn erase_item(
    number: u32,
    store: &mut Storage<'_>,
    dice: &mut ChaCha20Rng,
    random: &mut ChaCha20Rng,
) -> Result<(), Fault> {
    let item = Item::draw(number, dice);
    let (class, class_name) = item.class();
    say!("begin {number} item {class_name} {}", item.name);
    store
        .erase_item(class, item.name, random)
        .map_err(during("erase of an item"))?;
    say!("done {number}");
    Ok(())
}

fn carry_out(
    scope: Scope<'static>,
    store: &mut Storage<'_>,
    eraser: &mut Eraser<'_, '_>,
    random: &mut ChaCha20Rng,
) -> Result<(), Fault> {
    let plan = eraser.plan(store, scope).map_err(during("plan"))?;
    let report = eraser.carry_out(store, plan, random).map_err(during("erasure"))?;
    if report.is_complete() && report.store.verified {
        Ok(())
    } else {
        Err(during("erasure")("it is not complete"))
    }
}

fn report(number: u32, store: &mut Storage<'_>, random: &mut ChaCha20Rng) -> Result<(), Fault> {
    let (mut cuts, mut failed_logins) = (Tally::new(), Tally::new());
    cuts.add(number % 20);
    failed_logins.add(number % 5);
    let now = now(number);
    let week = Weekly {
        week: Raw::new(Time::of(
            (BEGIN_S + u64::from(number) * OPERATION_S) / u64::from(WEEK) * u64::from(WEEK),
        )),
        cuts: Raw::new(cuts),
        failed_logins: Raw::new(failed_logins),
        by_night: Raw::new(number % 3 == 0),
        name: Raw::new(0x0b1e_55ed),
    };
    let prepared = match GATE.prepare(store, week, now, random) {
        Ok(prepared) => prepared,
        Err(GateError::DailyLimit | GateError::NothingToSend) => return Ok(()),
        Err(error) => return Err(during("prepare")(error)),
    };
    say!(
        "begin {number} report {} {}",
        prepared.epsilon().micros(),
        Hex(prepared.bytes())
    );
    match GATE.release(store, prepared, now, random) {
        Ok(()) => say!("done {number}"),
        // The declaration allows so many a day, and was kept to.
        Err(GateError::DailyLimit) => say!("refused {number}"),
        Err(error) => return Err(during("release")(error)),
    }
    Ok(())
}

fn send(number: u32, store: &mut Storage<'_>, random: &mut ChaCha20Rng) -> Result<(), Fault> {
    let mut out = [0; 64];
    let waiting = GATE
        .next(store, now(number), &mut out, random)
        .map_err(during("next"))?;
    if let Some(waiting) = waiting {
        say!(
            "begin {number} send {}",
            Hex(out.get(..waiting.len()).unwrap_or_default())
        );
        GATE.acknowledge(store, waiting, random)
            .map_err(during("acknowledge"))?;
        say!("done {number}");
    }
    Ok(())
}
