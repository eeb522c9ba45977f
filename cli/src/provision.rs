//! `provision`: an order and a profile in, a directory of images, labels, registry and sealed manifest out.
//!
//! ```text
//!  lib
//!  provision (this file)
//!    verify_label    a printed label against an image
//!    open_manifest   sealed rows, for whoever has the key
//!  arguments · key_file · fault
//!  bydesign::credential::factory
//! ```

pub(crate) mod open_manifest;
pub(crate) mod verify_label;

use std::io::Write;

use bydesign::credential::factory::{Batch, BatchKey, Profile, Progress};
use indicatif::{ProgressBar, ProgressStyle};

use crate::Outcome;
use crate::arguments::Provision;
use crate::fault::Fault;
use crate::key_file::Key;

pub(crate) fn run(arguments: &Provision, out: &mut impl Write) -> Result<Outcome, Fault> {
    let profile = Profile::read(&arguments.profile)?;
    let mut batch = Batch::new(profile, &arguments.order, &arguments.out).resuming(arguments.resume);
    if let Some(threads) = arguments.threads {
        batch = batch.on_threads(threads);
    }
    if let Some(path) = &arguments.batch_key {
        let key = Key::read(path, "")?;
        let key = BatchKey::new(*key.bytes.expose()).map_err(|reason| Fault::WeakKey {
            path: path.clone(),
            reason,
        })?;
        batch = batch.with_batch_key(key);
    }
    if let Some(seed) = &arguments.test_seed {
        batch = batch.with_test_seed(seed);
    }
    // On standard error, and only on a terminal.
    let bar = ProgressBar::no_length();
    let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta} left");
    let checking = ProgressStyle::with_template("{spinner} looking at the order, {human_pos} rows");
    if let Ok(style) = checking {
        bar.set_style(style);
    }
    let mut style = style.ok();
    let report = batch.run(&mut |progress| match progress {
        Progress::Made(made, all) => {
            if let Some(style) = style.take() {
                bar.set_style(style);
                bar.set_message("devices");
                bar.set_length(all);
                // What an earlier run made says nothing of the rate of this one.
                bar.set_position(made);
                bar.reset_eta();
            }
            bar.set_position(made);
        }
        Progress::Checked(rows) => bar.set_position(rows),
        _ => {}
    });
    bar.finish_and_clear();
    let report = report?;
    write!(out, "{report}").map_err(Fault::output)?;
    writeln!(out, "finished: {}", arguments.out.display()).map_err(Fault::output)?;
    Ok(Outcome::Clear)
}
