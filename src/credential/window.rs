//! Pairing codes that the device draws itself: shown for a while, right once, and gone.
//!
//! ```text
//!  window    (this file)
//!  published · limiter (its moments and proofs) · draw
//!  crypto · secret
//! ```

use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;

use super::alphabet::Alphabet;
use super::limiter::{Moment, Proven};
use super::{draw, published};
use crate::secret::Secret;

/// A code of `N` digits, for a display or an app, that expires, is used up by a success, and stands a few attempts.
///
/// It lives in RAM: a power cut ends it, and nobody can set back how often it was tried. Open one when the owner asks for it, by a hand on the
/// device or as somebody who is logged in. Code and comparison never leave the type; the digits are shown by [`CodeWindow::digits`].
///
/// ```
/// use bydesign::credential::limiter::Moment;
/// use bydesign::credential::{CodeRefusal, CodeWindow};
///
/// let mut random = getrandom::SysRng;
/// let mut window = CodeWindow::<8>::open(300, 5, Moment::Awake(10), &mut random)?;
/// let shown = window.digits(Moment::Awake(11)).expect("open").to_owned();
/// assert_eq!(window.enter("1234", Moment::Awake(12)).err(), Some(CodeRefusal::Wrong { attempts_left: 4 }));
/// assert!(window.enter(&shown, Moment::Awake(13)).is_ok());
/// assert_eq!(window.enter(&shown, Moment::Awake(14)).err(), Some(CodeRefusal::Closed));
/// # Ok::<(), bydesign::credential::DrawError>(())
/// ```
///
/// # Security
///
/// Whoever guesses hits with a probability of `attempts` in 10^`N` for each window, plainly; over a channel that others hear, run a PAKE
/// over the code and take [`CodeWindow::try_once`] for its count. Serves CoP 1; EN 303 645 5.1-1 and 5.1-5.
pub struct CodeWindow<const N: usize> {
    code: Option<Secret<N>>,
    opened: Moment,
    lifetime_s: u32,
    attempts_left: u8,
}

/// No code could be drawn: the random source failed, or gives what cannot be random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no code could be drawn")]
pub struct DrawError;

/// Why a code was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeRefusal {
    /// It is another code.
    #[error("wrong, {attempts_left} attempts left")]
    Wrong {
        /// Attempts before the window closes.
        attempts_left: u8,
    },
    /// The window is closed: used, expired, or tried too often.
    #[error("no code is valid")]
    Closed,
}

/// Draws of a code before a source that gives none but published ones is given up on.
const MOST_DRAWS: usize = 64;

impl<const N: usize> CodeWindow<N> {
    /// Draws a code that is valid for so many seconds and attempts from now on. Six to twelve digits, or it does not compile.
    ///
    /// ```compile_fail
    /// use bydesign::credential::CodeWindow;
    /// use bydesign::credential::limiter::Moment;
    ///
    /// let four = CodeWindow::<4>::open(60, 3, Moment::Awake(0), &mut getrandom::SysRng);
    /// ```
    ///
    /// Each digit is as likely as any other: bytes that would make some likelier are drawn again. A code that stands in the examples of
    /// kits is drawn again as well.
    ///
    /// # Errors
    ///
    /// [`DrawError`].
    pub fn open<R: TryCryptoRng + ?Sized>(
        lifetime_s: u32,
        attempts: u8,
        now: Moment,
        random: &mut R,
    ) -> Result<Self, DrawError> {
        const { assert!(N >= 6 && N <= 12, "a code has six to twelve digits") };
        for _ in 0..MOST_DRAWS {
            let code = draw(random)?;
            let is_published = core::str::from_utf8(code.expose()).is_ok_and(published::is_code);
            if !is_published {
                return Ok(Self {
                    code: Some(code),
                    opened: now,
                    lifetime_s,
                    attempts_left: attempts,
                });
            }
        }
        Err(DrawError)
    }

    /// The digits, to be shown; `None` once the window is closed.
    pub fn digits(&mut self, now: Moment) -> Option<&str> {
        self.close_if_over(now);
        let code = self.code.as_ref()?;
        core::str::from_utf8(code.expose()).ok()
    }

    /// Checks what somebody entered. The attempt counts before the comparison; a right one closes the window.
    ///
    /// # Errors
    ///
    /// [`CodeRefusal`].
    //= compliance/requirements.md#cred-10
    //# A pairing code that the device drew MUST be refused once it was used, has expired, or was tried as often as it may be.
    pub fn enter(&mut self, entered: &str, now: Moment) -> Result<Proven, CodeRefusal> {
        let code = self.try_once(now)?;
        let is_right = <&[u8; N]>::try_from(entered.as_bytes())
            .is_ok_and(|entered| bool::from(entered.ct_eq(code.expose())));
        let attempts_left = self.attempts_left;
        if is_right {
            self.close();
            Ok(Proven::of_code())
        } else {
            self.close_if_over(now);
            Err(CodeRefusal::Wrong { attempts_left })
        }
    }

    /// Spends an attempt and lends the code to an exchange that checks it by itself, such as a PAKE. Call [`CodeWindow::close`] when it
    /// came out right.
    ///
    /// # Errors
    ///
    /// [`CodeRefusal::Closed`].
    pub fn try_once(&mut self, now: Moment) -> Result<&Secret<N>, CodeRefusal> {
        self.close_if_over(now);
        self.attempts_left = self.attempts_left.saturating_sub(1);
        self.code.as_ref().ok_or(CodeRefusal::Closed)
    }

    /// Ends it, and wipes the code.
    pub fn close(&mut self) {
        self.code = None;
        self.attempts_left = 0;
    }

    fn close_if_over(&mut self, now: Moment) {
        // A clock that goes back, or is exchanged for another one, ends it too.
        let passed = now.since(self.opened).unwrap_or(u64::MAX);
        if self.attempts_left == 0 || passed >= u64::from(self.lifetime_s) {
            self.close();
        }
    }
}

/// Digits as ASCII.
fn draw<const N: usize, R: TryCryptoRng + ?Sized>(random: &mut R) -> Result<Secret<N>, DrawError> {
    let mut code = Secret::new([0; N]);
    for digit in code.expose_mut() {
        let (value, _) = draw::symbol(Alphabet::DIGITS, random).map_err(|_| DrawError)?;
        *digit = b'0' + u8::try_from(value).map_err(|_| DrawError)?;
    }
    Ok(code)
}
