//! A serial line, where a product has an app: lines that somebody types, and what the device says.
//!
//! ```text
//!  device · household
//!  console  (this file)
//!  embassy-nrf Uarte
//! ```

use core::fmt::{Arguments, Write as _};

use embassy_nrf::uarte::Uarte;
use heapless::String;
use zeroize::Zeroizing;

/// Longest line in either direction.
const LONGEST: usize = 160;

/// A line that somebody typed: it may hold a password, and is wiped.
pub(crate) struct Typed {
    bytes: Zeroizing<[u8; LONGEST]>,
    len: usize,
}

impl Typed {
    pub(crate) fn new() -> Self {
        Self {
            bytes: Zeroizing::new([0; LONGEST]),
            len: 0,
        }
    }

    pub(crate) fn line(&self) -> &str {
        let line = self.bytes.get(..self.len);
        line.and_then(|line| str::from_utf8(line).ok())
            .unwrap_or_default()
            .trim()
    }

    /// The first word, and the rest.
    pub(crate) fn words(&self) -> (&str, &str) {
        self.line().split_once(' ').unwrap_or((self.line(), ""))
    }
}

pub(crate) struct Console(Uarte<'static>);

impl Console {
    pub(crate) fn new(serial: Uarte<'static>) -> Self {
        Self(serial)
    }

    /// Waits for a line. What does not fit is left out.
    pub(crate) async fn read(&mut self, typed: &mut Typed) {
        typed.len = 0;
        loop {
            let mut byte = [0];
            // Noise on the line is no letter.
            if self.0.read(&mut byte).await.is_err() {
                continue;
            }
            match byte {
                [b'\r' | b'\n'] if typed.len > 0 => break,
                [b'\r' | b'\n'] => {}
                [letter] => {
                    if let Some(place) = typed.bytes.get_mut(typed.len) {
                        *place = letter;
                        typed.len += 1;
                    }
                }
            }
        }
    }

    /// Says a line. One that is too long is cut off; where nobody listens, nothing is lost.
    pub(crate) async fn say(&mut self, words: Arguments<'_>) {
        let mut line = String::<LONGEST>::new();
        let _ = line.write_fmt(words);
        let _ = self.0.write(line.as_bytes()).await;
        let _ = self.0.write(b"\r\n").await;
    }
}
