//! What an owner does with the device, line by line: their own items, the clock, consent and reports.
//!
//! ```text
//!  nrf52840
//!  household (this file)
//!  device · door · console · declaration
//!  bydesign::{store, telemetry}
//! ```
//!
//! | line | does |
//! | --- | --- |
//! | `login PASSWORD` | lets the owner in, until they leave; nothing else does |
//! | `put NAME VALUE`, `get NAME`, `erase NAME` | an item of theirs |
//! | `time SECONDS` | sets the clock, in seconds since 1970, which a product has from its network; no reports before |
//! | `agree`, `withdraw` | answers what the device asks |
//! | `report`, `send` | makes the week's report, and shows it before it is queued; sends what is due |
//! | `leave` | lets nobody in any more |

use bydesign::credential::limiter::Proven;
use bydesign::store::{Class, Key};
use bydesign::telemetry::{Gate, GateError, Purpose, Raw, Tally, Time};
use embassy_time::Instant;

use crate::console::{Console, Typed};
use crate::declaration::{CARE, HABITS, Household, REPAIR, Weekly};
use crate::device::Owned;
use crate::door::Door;
use crate::fault::{Fault, during};
use crate::{Blocks, Random};

const GATE: Gate<Household> = Gate::new();
const PURPOSES: [Purpose; 2] = [REPAIR, HABITS];
/// How often the device was started, which for this part is how often power came back.
const STARTS: Key<u32> = Key::new("starts", Class::Settings);
/// Longest value of an item.
const LONGEST: usize = 128;
/// A report with what the queue puts behind it.
const WAITING: usize = 64;
const DAY: u64 = 86_400;
const MORNING: u64 = 5 * 3600;

/// The device, and what changes it needs.
pub(crate) struct Home<'a> {
    pub(crate) device: Owned<'a>,
    pub(crate) door: Door<'a>,
    pub(crate) random: Random,
    /// Argon2's memory.
    pub(crate) blocks: &'static mut Blocks,
    /// Whoever is in has proven to be the owner.
    pub(crate) owner: Option<Proven>,
    /// Seconds since 1970 when this start began, once somebody said so.
    pub(crate) began: Option<u64>,
}

impl Home<'_> {
    pub(crate) async fn count_start(&mut self) -> Result<(), Fault> {
        let store = self.device.store();
        let starts = store.get(&STARTS).await.map_err(during("starts"))?.unwrap_or(0);
        let counted = store
            .put(&STARTS, &starts.saturating_add(1), &mut self.random)
            .await;
        counted.map_err(during("starts"))
    }

    /// Does what a line says.
    pub(crate) async fn obey(&mut self, typed: &Typed, console: &mut Console) -> Result<(), Fault> {
        match typed.words() {
            ("login", password) => self.login(password, console).await,
            _ if self.owner.is_none() => {
                console.say(format_args!("login PASSWORD")).await;
                Ok(())
            }
            ("leave", "") => {
                self.owner = None;
                Ok(())
            }
            ("put", item) => {
                let (name, value) = item.split_once(' ').unwrap_or((item, ""));
                let store = self.device.store();
                let put = store
                    .put_bytes(Class::User, name, value.as_bytes(), &mut self.random)
                    .await;
                put.map_err(during("put"))
            }
            ("get", name) => self.get(name, console).await,
            ("erase", name) => {
                let store = self.device.store();
                let erased = store.erase_item(Class::User, name, &mut self.random).await;
                erased.map(drop).map_err(during("erase"))
            }
            ("time", seconds) => {
                self.began = seconds
                    .parse()
                    .ok()
                    .map(|now: u64| now.saturating_sub(Instant::now().as_secs()));
                Ok(())
            }
            (word, _) => match self.now() {
                None => {
                    console.say(format_args!("time SECONDS")).await;
                    Ok(())
                }
                Some(now) => self.tell(word, now, console).await,
            },
        }
    }

    /// What has to do with telling the maker. The gate's errors are answers here: no consent, no budget, enough for today.
    async fn tell(&mut self, word: &str, now: Time, console: &mut Console) -> Result<(), Fault> {
        let outcome = match word {
            "agree" => self.agree(now, console).await,
            "withdraw" => self.withdraw(now).await,
            "report" => self.report(now, console).await,
            "send" => self.send(now, console).await,
            _ => {
                console.say(format_args!("no such line")).await;
                Ok(())
            }
        };
        if let Err(answer) = outcome {
            console.say(format_args!("{answer}")).await;
        }
        Ok(())
    }

    async fn login(&mut self, password: &str, console: &mut Console) -> Result<(), Fault> {
        let verifier = self.device.owner_async().await.map_err(during("owner"))?;
        let Self {
            device,
            door,
            random,
            blocks,
            ..
        } = self;
        match door
            .knock(device.store(), &verifier, password, blocks, random)
            .await?
        {
            Ok(proven) => self.owner = Some(proven),
            Err(refusal) => console.say(format_args!("{refusal}")).await,
        }
        Ok(())
    }

    async fn get(&mut self, name: &str, console: &mut Console) -> Result<(), Fault> {
        let mut value = [0; LONGEST];
        let len = self.device.store().get_bytes(Class::User, name, &mut value).await;
        let len = len.map_err(during("get"))?;
        let value = len
            .and_then(|len| value.get(..len))
            .and_then(|value| str::from_utf8(value).ok());
        match value {
            Some(value) => console.say(format_args!("{value}")).await,
            None => console.say(format_args!("nothing is called {name}")).await,
        }
        Ok(())
    }

    fn now(&self) -> Option<Time> {
        let began = self.began?;
        Some(Time::of(began.saturating_add(Instant::now().as_secs())))
    }

    /// Says what it is about, and takes the line for the answer to all. A product asks one by one.
    async fn agree(&mut self, now: Time, console: &mut Console) -> Result<(), GateError> {
        let store = self.device.store();
        while let Some(number) = GATE.question_async(store).await? {
            if let Some(purpose) = PURPOSES.iter().find(|purpose| purpose.number == number) {
                console.say(format_args!("agreed to: {}", purpose.why)).await;
            }
            GATE.grant_async(store, number, now, &mut self.random).await?;
        }
        Ok(())
    }

    async fn withdraw(&mut self, now: Time) -> Result<(), GateError> {
        for purpose in PURPOSES {
            GATE.withdraw_async(self.device.store(), purpose.number, now, &mut self.random)
                .await?;
        }
        Ok(())
    }

    async fn report(&mut self, now: Time, console: &mut Console) -> Result<(), GateError> {
        let failures = self.door.failures(self.device.store());
        let store = self.device.store();
        let starts = store.get(&STARTS).await?.unwrap_or(0);
        let (mut cuts, mut failed_logins) = (Tally::new(), Tally::new());
        cuts.add(starts);
        failed_logins.add(failures);
        let week = Weekly {
            week: Raw::new(now),
            cuts: Raw::new(cuts),
            failed_logins: Raw::new(failed_logins),
            by_night: Raw::new(self.began.unwrap_or(0) % DAY < MORNING),
            name: Raw::new(0),
        };
        let prepared = GATE.prepare_async(store, week, now, &mut self.random).await?;
        console
            .say(format_args!("to be queued: {:02x?}", prepared.bytes()))
            .await;
        GATE.release_async(store, prepared, now, &mut self.random).await
    }

    async fn send(&mut self, now: Time, console: &mut Console) -> Result<(), GateError> {
        let store = self.device.store();
        let mut out = [0; WAITING];
        while let Some(waiting) = GATE.next_async(store, now, &mut out, &mut self.random).await? {
            // Where a product has a network: acknowledged only when the other end has it.
            console
                .say(format_args!(
                    "sent: {:02x?}",
                    out.get(..waiting.len()).unwrap_or_default()
                ))
                .await;
            GATE.acknowledge_async(store, waiting, &mut self.random).await?;
        }
        let status = GATE
            .status_async(store, CARE.rules.number, now, &mut self.random)
            .await?;
        console
            .say(format_args!("spent {}, {} wait", status.spent, status.waiting))
            .await;
        Ok(())
    }
}
