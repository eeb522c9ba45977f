//! Which seeds are tried: small numbers, days, round times, the times of a window, its milliseconds.
//!
//! ```text
//!  audit::generator
//!  audit::generator::seeds (this file)
//!  audit::settings
//! ```

use core::ops::Range;
use std::vec::Vec;

use super::super::settings::{Depth, Settings};

/// Seeds in their order: some that are listed, then numbers that follow one another. A window of a year takes no memory.
pub(super) struct Seeds {
    listed: Vec<u64>,
    window: Range<u64>,
    what: &'static str,
}

impl Seeds {
    pub(super) fn len(&self) -> usize {
        let window = self.window.end.saturating_sub(self.window.start);
        self.listed.len() + usize::try_from(window).unwrap_or(usize::MAX)
    }

    pub(super) fn at(&self, at: usize) -> u64 {
        match at.checked_sub(self.listed.len()) {
            Some(behind) => self.window.start + behind as u64,
            None => self.listed.get(at).copied().unwrap_or(0),
        }
    }

    pub(super) const fn what(&self) -> &'static str {
        self.what
    }
}

/// Small numbers, days, round times, and the seconds of the window.
pub(super) fn usual(settings: &Settings) -> Seeds {
    let is_full = settings.depth == Depth::Full;
    Seeds {
        listed: listed(is_full),
        window: times(settings, ABOUT, MOST_SECONDS, is_full),
        what: "seeds",
    }
}

/// The milliseconds of the window, or of the minutes about the time of the file.
pub(super) fn milliseconds(settings: &Settings) -> Seeds {
    let is_full = settings.depth == Depth::Full;
    let seconds = times(
        settings,
        ABOUT_MILLISECONDS,
        MOST_SECONDS_OF_MILLISECONDS,
        is_full,
    );
    Seeds {
        listed: Vec::new(),
        window: seconds.start.saturating_mul(1000)..seconds.end.saturating_mul(1000),
        what: "milliseconds",
    }
}

/// The window, as far as it is tried; else what lies about the time of the file.
fn times(settings: &Settings, about: u64, most: u64, is_full: bool) -> Range<u64> {
    match (&settings.window, settings.made_about) {
        (Some(window), _) if is_full || most == MOST_SECONDS => {
            let end = window.end().saturating_add(1);
            *window.start()..end.min(window.start().saturating_add(most)).max(*window.start())
        }
        (None, Some(time)) if is_full => time.saturating_sub(about)..time.saturating_add(about + 1),
        _ => 0..0,
    }
}

fn listed(is_full: bool) -> Vec<u64> {
    let mut seeds: Vec<u64> = (0..if is_full { 20_000 } else { 1500 }).collect();
    seeds.extend([
        0xdead_beef,
        0xcafe_babe,
        0xdead_c0de,
        31337,
        65535,
        65536,
        99999,
        123_456,
        654_321,
        1_234_567,
        12_345_678,
        123_456_789,
        1_234_567_890,
        314_159,
        3_141_592,
        31_415_926,
        271_828,
        8_675_309,
        0x7fff_ffff,
        0xffff_ffff,
        0x1234_5678,
        111_111,
        42_424_242,
        5489,
        88_172_645,
        2_463_534_242,
    ]);
    if is_full {
        // Dates as numbers, and midnights.
        for year in 2010..=2030_u64 {
            for month in 1..=12 {
                seeds.extend((1..=31).map(|day| year * 10000 + month * 100 + day));
            }
        }
        seeds.extend((14_600..22_000).map(|day| day * 86_400));
        seeds.extend((10_000..20_000).map(|round| round * 100_000));
        // A time that somebody wrote down is round, and devices are made one after the other from then on.
        for (first, last, round, behind) in [
            (15, 19, 100_000_000, 6_000),
            (100, 200, 10_000_000, 100),
            (1_000, 2_000, 1_000_000, 10),
        ] {
            seeds.extend((first..last).flat_map(|of| (0..behind).map(move |more| of * round + more)));
        }
    }
    seeds
}

/// Seconds to either side of the time of a file.
const ABOUT: u64 = 2 * 3600;
/// The same, where its milliseconds are tried.
const ABOUT_MILLISECONDS: u64 = 600;
/// Seconds of a window that are tried: a year.
const MOST_SECONDS: u64 = 31_622_400;
/// Seconds of a window whose milliseconds are tried: a day.
const MOST_SECONDS_OF_MILLISECONDS: u64 = 86_400;
