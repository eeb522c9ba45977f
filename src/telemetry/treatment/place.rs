//! Treatments of places: a cell of a grid, or the first letters of a geohash.

use rand_core::TryCryptoRng;

use super::{Aids, Effect, How, Sealed, Treated, Treatment, Untreated};
use crate::telemetry::raw::Place;
use crate::telemetry::shape::Shape;
use crate::telemetry::steady;

/// Ten-millionths of a degree from the equator to a pole, and from Greenwich halfway around.
const TO_THE_POLE: i64 = 900_000_000;
const HALFWAY: i64 = 1_800_000_000;

/// The smallest cell: a tenth of a degree, 11 km at the equator. Nobody's home is found in it.
const SMALLEST_CELL: u32 = 1_000_000;

/// The cell of a grid over latitude and longitude: two numbers, counted from the south pole and from 180° west.
///
/// ```
/// use bydesign::telemetry::Grid;
///
/// const REGION: Grid = Grid::of(10_000_000); // whole degrees
/// ```
#[derive(Clone, Copy)]
pub struct Grid(u32);

impl Grid {
    /// Cells of so many ten-millionths of a degree.
    ///
    /// # Panics
    ///
    /// If that is less than a tenth of a degree or more than 90 degrees; in a constant that is a compile error.
    #[must_use]
    pub const fn of(cell: u32) -> Self {
        assert!(
            cell >= SMALLEST_CELL && cell <= 900_000_000,
            "a cell is a tenth of a degree wide at least, and 90 at most"
        );
        Self(cell)
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn effect(&self) -> Effect {
        let cell = self.0 as u64;
        let shape = Shape::Pair {
            low: 0,
            step: cell,
            last: (2 * HALFWAY).cast_unsigned() / cell,
        };
        Effect::plain(How::Grid(self.0), shape)
    }
}

impl Sealed for Grid {}
#[allow(private_interfaces)]
impl Treatment<Place> for Grid {
    fn treat<R: TryCryptoRng + ?Sized>(
        &self,
        reading: &Place,
        _: &mut Aids<'_, R>,
    ) -> Result<Treated, Untreated> {
        let (north, east) = from_the_corner(reading);
        let cell = u64::from(self.0);
        Ok(Treated::Pair(
            steady::divide(north, cell),
            steady::divide(east, cell),
        ))
    }
}

/// The first `N` letters of the geohash of a place, at most 4 (39 km by 20 km at the equator).
///
/// ```
/// use bydesign::telemetry::Geohash;
///
/// const REGION: Geohash<3> = Geohash::new();
/// ```
///
/// ```compile_fail
/// # use bydesign::telemetry::Geohash;
/// const HOME: Geohash<8> = Geohash::new();
/// ```
#[derive(Clone, Copy)]
pub struct Geohash<const N: usize>(());

impl<const N: usize> Geohash<N> {
    /// So many letters.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a constant is declared by its name")]
    pub const fn new() -> Self {
        const {
            assert!(
                N >= 1 && N <= 4,
                "a geohash of one to four letters names a region, a longer one a home"
            );
        };
        Self(())
    }

    #[doc(hidden)]
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "at most 4")]
    pub const fn effect(&self) -> Effect {
        Effect::plain(How::Geohash(N as u8), Shape::Letters { count: N as u8 })
    }
}

impl<const N: usize> Sealed for Geohash<N> {}
#[allow(private_interfaces)]
impl<const N: usize> Treatment<Place> for Geohash<N> {
    fn treat<R: TryCryptoRng + ?Sized>(
        &self,
        reading: &Place,
        _: &mut Aids<'_, R>,
    ) -> Result<Treated, Untreated> {
        let (north, east) = from_the_corner(reading);
        // 30 bits of each, which is more than four letters ask for; the corner at the other end stays inside.
        let north = scaled(north, (2 * TO_THE_POLE).cast_unsigned());
        let east = scaled(east, (2 * HALFWAY).cast_unsigned());
        let mut letters = [0; 12];
        for (at, letter) in letters.iter_mut().take(N).enumerate() {
            let mut five = 0;
            for bit in at * 5..at * 5 + 5 {
                // Halved in turn, longitude first.
                let source = if bit.is_multiple_of(2) { east } else { north };
                five = (five << 1) | ((source >> (29 - bit / 2)) & 1);
            }
            *letter = letter_of(five);
        }
        Ok(Treated::Text(letters, u8::try_from(N).unwrap_or(u8::MAX)))
    }
}

/// How far north of the south pole and east of 180° west, inside the ranges that there are.
fn from_the_corner(place: &Place) -> (u64, u64) {
    let latitude = steady::clamp(i64::from(place.latitude), -TO_THE_POLE, TO_THE_POLE);
    let longitude = steady::clamp(i64::from(place.longitude), -HALFWAY, HALFWAY);
    let north = latitude.wrapping_add(TO_THE_POLE).cast_unsigned();
    let east = longitude.wrapping_add(HALFWAY).cast_unsigned();
    (north, east)
}

/// The part of a range that a number lies in, of 2³⁰.
fn scaled(number: u64, range: u64) -> u64 {
    let part = steady::divide(number << 30, range);
    steady::smaller(part.cast_signed(), (1 << 30) - 1).cast_unsigned()
}

/// The letter that stands for five bits, found by looking at all of them.
fn letter_of(five: u64) -> u8 {
    const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
    (0u64..).zip(ALPHABET).fold(0, |found, (number, letter)| {
        let here = subtle::Choice::from(u8::from(number ^ five == 0));
        subtle::ConditionallySelectable::conditional_select(&found, letter, here)
    })
}
