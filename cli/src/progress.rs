//! A bar for what takes longer than a second: on standard error, and only on a terminal.
//!
//! ```text
//!  inspect · residue · map
//!  progress (this file)
//! ```

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work in steps that cannot be told how far they are. The bar goes when this is dropped.
pub struct Progress {
    bar: ProgressBar,
    /// What keeps the bar waiting, and then moving.
    ticking: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Begins work of so many steps.
    #[must_use]
    pub fn of_steps(steps: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} {wide_msg} {elapsed}") {
            bar.set_style(style);
        }
        let ticking = io::stderr().is_terminal().then(|| {
            let (ended, end) = mpsc::channel();
            let shown = bar.clone();
            (
                ended,
                thread::spawn(move || {
                    let mut wait = PATIENCE;
                    while end.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                        if wait == PATIENCE {
                            shown.set_draw_target(ProgressDrawTarget::stderr());
                            wait = TICK;
                        }
                        shown.tick();
                    }
                }),
            )
        });
        Self { bar, ticking }
    }

    /// The next step begins.
    pub fn step(&self, name: &'static str) {
        self.bar.inc(1);
        self.bar.set_message(name);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((ended, thread)) = self.ticking.take() {
            drop(ended);
            // It ends now; if it panicked, there is no bar to take away.
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}

const PATIENCE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(100);
