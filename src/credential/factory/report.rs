//! What a batch came to.
//!
//! ```text
//!  batch
//!  report   (this file)
//!  profile · source
//! ```

use std::fmt;
use std::string::String;
use std::time::Duration;
use std::vec::Vec;

use serde_json::{Value, json};

use super::issue::Times;
use super::manifest;
use super::profile::Profile;
use crate::credential::hexadecimal::digits_of;

/// The report of a batch: which devices, which secrets with how many bits, from which source. No secret is in it.
#[derive(Clone, Debug)]
pub struct Report {
    /// How many devices there are.
    pub devices: u64,
    /// How many of them this run made; the others were there when it resumed.
    pub made_now: u64,
    /// How long this run took.
    pub elapsed: Duration,
    /// Whether nothing of it may be sold.
    pub not_for_sale: bool,
    /// Threads that worked.
    pub threads: usize,
    pub(super) times: Times,
    pub(super) entropy: Vec<(&'static str, u32)>,
    pub(super) source: String,
    pub(super) batch_id: String,
}

impl Report {
    /// The share of the working time that went into Argon2, in percent.
    #[must_use]
    pub fn argon2_percent(&self) -> u32 {
        let worked = self.elapsed.as_micros() * self.threads as u128;
        let share = (self.times.argon2.as_micros() * 100).checked_div(worked);
        u32::try_from(share.unwrap_or(0)).unwrap_or(100)
    }

    /// What `report.json` holds: what does not depend on the machine.
    pub(super) fn json(&self, profile: &Profile, order: &[u8; 32]) -> Value {
        let bits: serde_json::Map<String, Value> = self
            .entropy
            .iter()
            .map(|(name, millibits)| ((*name).into(), json!(f64::from(*millibits) / 1000.0)))
            .collect();
        json!({
            "format": 1,
            "made_by": concat!("bydesign ", env!("CARGO_PKG_VERSION")),
            "batch": self.batch_id,
            "devices": self.devices,
            "model": profile.model,
            "product": profile.product,
            "root_key": profile.flow.name(),
            "entropy_bits": bits,
            "random_source": self.source,
            "not_for_sale": self.not_for_sale,
            "order_sha256": digits_of(order),
            "profile_sha256": digits_of(&profile.digest),
            "recipient": digits_of(&profile.recipient),
            "manifest": manifest::scheme(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.not_for_sale {
            writeln!(formatter, "NOT FOR SALE: made from a test seed")?;
        }
        let seconds = self.elapsed.as_secs_f64();
        write!(
            formatter,
            "{} devices, {} of them in this run, in {seconds:.1} s",
            self.devices, self.made_now
        )?;
        if let Ok(made) = u32::try_from(self.made_now)
            && made > 0
            && seconds > 0.0
        {
            write!(
                formatter,
                ", {:.0} a second on {} threads",
                f64::from(made) / seconds,
                self.threads
            )?;
        }
        writeln!(formatter)?;
        writeln!(formatter, "random source: {}", self.source)?;
        for (name, millibits) in &self.entropy {
            writeln!(
                formatter,
                "  {name:<16} {}.{:03} bits",
                millibits / 1000,
                millibits % 1000
            )?;
        }
        let parts = [
            ("argon2", self.times.argon2),
            ("spake2+", self.times.spake2p),
            ("certificates", self.times.certificate),
            ("images", self.times.image),
            ("labels", self.times.labels),
            ("files", self.times.files),
        ];
        write!(formatter, "time of the threads:")?;
        for (name, time) in parts {
            let worked = self.elapsed.as_micros() * self.threads as u128;
            let percent = (time.as_micros() * 100).checked_div(worked).unwrap_or(0);
            write!(formatter, " {name} {percent} %")?;
        }
        writeln!(formatter)
    }
}
