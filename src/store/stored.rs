//! How a typed value becomes bytes and back.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::secret::Secret;

/// The value does not encode into the space given, or the bytes are no value of the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value does not encode or decode")]
pub struct CodecError;

/// A value that the store can keep.
///
/// Implemented for byte arrays, [`Secret`], integers and, through [`Serde`], for every serde type. The bytes pass through
/// the store's own buffer, which is wiped; a secret needs no `Serialize`.
pub trait Stored: Sized {
    /// Writes the value into `out` and gives the number of bytes.
    ///
    /// # Errors
    ///
    /// [`CodecError`] if it does not fit.
    fn encode(&self, out: &mut [u8]) -> Result<usize, CodecError>;

    /// Reads a value from exactly these bytes.
    ///
    /// # Errors
    ///
    /// [`CodecError`] if they are no value of this type.
    fn decode(bytes: &[u8]) -> Result<Self, CodecError>;
}

fn put(bytes: &[u8], out: &mut [u8]) -> Result<usize, CodecError> {
    out.get_mut(..bytes.len())
        .ok_or(CodecError)?
        .copy_from_slice(bytes);
    Ok(bytes.len())
}

impl<const N: usize> Stored for [u8; N] {
    fn encode(&self, out: &mut [u8]) -> Result<usize, CodecError> {
        put(self, out)
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        bytes.try_into().map_err(|_| CodecError)
    }
}

impl<const N: usize> Stored for Secret<N> {
    fn encode(&self, out: &mut [u8]) -> Result<usize, CodecError> {
        put(self.expose(), out)
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut secret = Self::new([0; N]);
        if bytes.len() != N {
            return Err(CodecError);
        }
        secret.expose_mut().copy_from_slice(bytes);
        Ok(secret)
    }
}

macro_rules! stored_integer {
    ($($integer:ty),*) => {$(
        impl Stored for $integer {
            fn encode(&self, out: &mut [u8]) -> Result<usize, CodecError> {
                put(&self.to_le_bytes(), out)
            }

            fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
                bytes.try_into().map(Self::from_le_bytes).map_err(|_| CodecError)
            }
        }
    )*};
}

stored_integer!(u8, u16, u32, u64, u128, i8, i16, i32, i64, i128);

impl Stored for bool {
    fn encode(&self, out: &mut [u8]) -> Result<usize, CodecError> {
        u8::from(*self).encode(out)
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        match bytes {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(CodecError),
        }
    }
}

/// A serde type, in the postcard encoding.
///
/// ```
/// use bydesign::store::{Class, Key, Serde};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Schedule { hour: u8, minute: u8, on: bool }
///
/// const SCHEDULE: Key<Serde<Schedule>> = Key::new("schedule", Class::Settings).version(1);
/// let value = Serde(Schedule { hour: 7, minute: 30, on: true });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serde<T>(pub T);

impl<T: Serialize + DeserializeOwned> Stored for Serde<T> {
    fn encode(&self, out: &mut [u8]) -> Result<usize, CodecError> {
        Ok(postcard::to_slice(&self.0, out).map_err(|_| CodecError)?.len())
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        // postcard itself does not mind bytes after the value
        match postcard::take_from_bytes(bytes) {
            Ok((value, [])) => Ok(Self(value)),
            _ => Err(CodecError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_arrays_and_secrets_come_back() {
        let mut out = [0; 64];
        assert_eq!(0x1234_5678_u32.encode(&mut out), Ok(4));
        assert_eq!(u32::decode(&out[..4]), Ok(0x1234_5678));
        assert_eq!((-5i64).encode(&mut out), Ok(8));
        assert_eq!(i64::decode(&out[..8]), Ok(-5));
        assert_eq!(Secret::new([9; 16]).encode(&mut out), Ok(16));
        assert_eq!(
            Secret::<16>::decode(&out[..16]).map(|secret| *secret.expose()),
            Ok([9; 16])
        );
        assert_eq!(<[u8; 3]>::decode(b"abc"), Ok(*b"abc"));
    }

    #[test]
    fn bytes_of_the_wrong_length_do_not_decode() {
        assert_eq!(u32::decode(&[0; 3]), Err(CodecError));
        assert_eq!(<[u8; 3]>::decode(b"ab"), Err(CodecError));
        assert!(Secret::<4>::decode(b"abcde").is_err());
        assert_eq!(bool::decode(&[2]), Err(CodecError));
        let mut out = [0; 8];
        let used = Serde((7u8, 300u16)).encode(&mut out).unwrap();
        assert_eq!(Serde::<(u8, u16)>::decode(&out[..used]), Ok(Serde((7, 300))));
        assert_eq!(
            Serde::<(u8, u16)>::decode(&out[..=used]),
            Err(CodecError),
            "a byte too many"
        );
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused() {
        assert_eq!([0u8; 9].encode(&mut [0; 8]), Err(CodecError));
        assert_eq!(Serde([1u32; 8]).encode(&mut [0; 4]), Err(CodecError));
    }
}
