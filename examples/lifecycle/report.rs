//! What all lives came to, in words and in one table.

use std::time::Duration;

use bydesign::credential::audit::{Report as Audit, Verdict};

use crate::device::{Device, Life};

/// What took how long.
pub(crate) struct Times {
    pub(crate) built: Duration,
    pub(crate) audited: Duration,
    pub(crate) lived: Duration,
}

/// Prints what there is to say: what was done and under which guideline, each device, and whether all checks passed.
pub(crate) fn print(
    devices: &[Device],
    lives: &[Result<Life, String>],
    audit: &Audit,
    bytes: u64,
    times: &Times,
) {
    let good = || lives.iter().flatten();

    println!();
    print_steps(devices.len(), &good().collect::<Vec<_>>(), audit, bytes, times);
    println!();
    print_table(devices, lives);
    let first = devices
        .iter()
        .zip(lives)
        .find_map(|(device, life)| Some((device, life.as_ref().ok()?)));
    if let Some((device, life)) = first {
        print_one(device, life);
    }
    println!();
    let failed = lives.iter().filter(|life| life.is_err()).count();
    if audit.verdict() == Verdict::Fail {
        println!("The codes of the batch FAILED the audit.");
    }
    if failed > 0 {
        println!("{failed} of {} devices FAILED.", devices.len());
    } else if audit.verdict() == Verdict::Pass {
        println!("All checks passed, in {:.1} s.", times.lived.as_secs_f32());
    }
}

fn print_steps(devices: usize, lives: &[&Life], audit: &Audit, bytes: u64, times: &Times) {
    let sum = |of: fn(&Life) -> u64| lives.iter().map(|life| of(life)).sum::<u64>();

    println!("1  Identity, once, a root key of its own for each device, and a code of its own on each label");
    println!("   supports CoP 1, 4 · EN 303 645 5.1-1, 5.1-2, 5.4-1, 5.4-4");
    println!(
        "   {devices} images with their labels, {} KiB, built in {:.1} s; each label opens its image",
        bytes / 1024,
        times.built.as_secs_f32()
    );
    println!("2  An auditor looks at the codes of the batch: counters, known, derived, guessable?");
    println!("   supports CoP 1 · EN 303 645 5.1-2 · PSTI Regulations 2023, Schedule 1, paragraph 1");
    print_audit(audit, times);
    println!("3  First boot: the code on the label, then a password that the owner chooses, and no default");
    println!("   supports CoP 1 · EN 303 645 5.1-1");
    println!("4  First settings, sealed like everything else");
    println!("   supports CoP 4 · EN 303 645 5.4-1");
    println!("5  Updates while the power fails; after each cut the old or the new value, never a third");
    println!("   supports CoP 9 · EN 303 645 5.9-2");
    println!(
        "   {} updates, {} cuts",
        sum(|life| life.updates.into()),
        sum(|life| life.cuts.into())
    );
    println!("6  Somebody guesses the password and pulls the plug; then the owner waits, and is let in");
    println!("   supports CoP 1 · EN 303 645 5.1-5");
    println!(
        "   {} guesses checked, {} of them after a delay that was sat out, and without one at most 5 on each device; {} cuts",
        sum(|life| life.checks.into()),
        sum(|life| life.patient_checks.into()),
        sum(|life| life.access_cuts.into())
    );
    println!(
        "7  The maker is told a little: consented to, shown before, within a budget; then the consent is withdrawn"
    );
    println!("   supports CoP 8, 10 · EN 303 645 clause 6, 5.10-1");
    println!(
        "   {} reports of {} bytes in all reached the maker, {} cuts; {} more waited in the flash, and are gone",
        sum(|life| life.told.received as u64),
        sum(|life| life.told.bytes as u64),
        sum(|life| life.told.cuts.into()),
        sum(|life| life.told.waiting as u64)
    );
    println!("8  The users' data is erased, and the settings stay: planned, carried out, a signed receipt");
    println!("   supports CoP 11 · EN 303 645 5.11-1, 5.11-4");
    println!(
        "9  The device is sold on: settings, password and pairing secret go, too, and a second owner sets it up"
    );
    println!("   supports CoP 11 · EN 303 645 5.11-1, 5.11-2");
    println!(
        "   {} values ever written, {} cuts in the middle, {} receipts of {} bytes in all",
        sum(|life| life.erased as u64),
        sum(|life| life.erase_cuts.into()),
        sum(|life| life.receipts.len() as u64),
        sum(|life| life.receipts.iter().sum::<usize>() as u64)
    );
    println!("10 A finder with the root key and the whole image tries every place with every key it can get");
    println!("   supports CoP 8, 11 · EN 303 645 5.4-1, 5.11-1");
    println!(
        "   {} tries before, {} after",
        sum(|life| life.before.tried),
        sum(|life| life.after.tried)
    );
}

fn print_audit(audit: &Audit, times: &Times) {
    let bits = audit.summaries.first().and_then(|summary| summary.bits);
    println!(
        "   {}: {} findings over {} devices in {:.1} s{}; {} questions are left open by so small a batch",
        audit.verdict().name(),
        audit.findings.len(),
        audit.devices,
        times.audited.as_secs_f32(),
        bits.map_or(String::new(), |bits| format!(", {bits:.0} bits seen")),
        audit.undecided.len()
    );
    for finding in &audit.findings {
        println!(
            "   prohibition {}, {}: {}",
            finding.prohibition.letter(),
            finding.kind,
            finding.evidence
        );
    }
}

fn print_table(devices: &[Device], lives: &[Result<Life, String>]) {
    println!(
        "{:<16} {:<20} {:>7} {:>5} {:>8} {:>5} {:>5}  {:<16} {:<24}",
        "serial",
        "flash, word/erase",
        "updates",
        "cuts",
        "guesses",
        "told",
        "spent",
        "found before",
        "found after"
    );
    for (device, life) in devices.iter().zip(lives) {
        let serial = &device.order.serial;
        match life {
            Ok(life) => println!(
                "{serial:<16} {:<20} {:>7} {:>5} {:>8} {:>5} {:>5}  {:<16} {:<24}",
                device.part.text(),
                life.updates,
                life.cuts + life.erase_cuts + life.access_cuts + life.told.cuts,
                life.checks,
                life.told.received,
                format!("{:.2}", in_words(life.told.spent)),
                format!("{} live, {} old", life.before.live, life.before.stale),
                format!(
                    "{} live, {} old, 0 of {} erased",
                    life.after.live, life.after.stale, life.erased
                ),
            ),
            Err(reason) => println!("{serial:<16} {:<20} FAILED: {reason}", device.part.text()),
        }
    }
    println!();
    println!(
        "(guesses: of the owner's password, checked. told: reports that reached the maker. spent: epsilon of their noise, of {:.2}.",
        in_words(crate::declaration::CARE.rules.budget.lifetime)
    );
    println!(
        " old: superseded or removed. Overwritable flash loses it at once; on write-once flash it stays, sealed, until its"
    );
    println!(" page is collected or its class is erased.)");
}

/// What is much the same for all, shown for one.
fn print_one(device: &Device, life: &Life) {
    println!("\nOf {}:", device.order.serial);
    println!(
        "\non its label      {}   (QR code: {})",
        device.label.text, device.label.payload
    );
    println!("as a password");
    for (password, refusal) in &life.refusals {
        println!("  {password:?}: {refusal}");
    }
    println!("asked");
    for question in &life.told.questions {
        println!("  {question} Agreed.");
    }
    println!("shown before it was sent\n  {}", life.told.preview);
    println!(
        "budget            epsilon {:.2} spent, {:.2} left for these four weeks; withdrawn, {} reports gone",
        in_words(life.told.spent),
        in_words(life.told.left),
        life.told.waiting
    );
    println!("\nIts last receipt in words:\n\n{}", life.last_receipt);
}

/// Millionths as a number to be read.
#[allow(clippy::cast_precision_loss)] // two digits are printed
fn in_words(millionths: u64) -> f64 {
    millionths as f64 / 1e6
}
