//! Typed keys: an item's name, class and type in one constant.

use core::marker::PhantomData;

use super::class::{Class, DataClass, UserId};
use super::error::ReadError;
use super::format::MAX_NAME;
use super::stored::{CodecError, Stored};

/// The name, class and type of an item, usually a constant.
///
/// ```
/// use bydesign::store::{Class, Key, UserId};
///
/// const WIFI_PASSWORD: Key<[u8; 32]> = Key::new("wifi.password", Class::Settings);
/// const SERIAL: Key<[u8; 12]> = Key::fixed("serial", Class::Identity);
/// const FAVOURITE: Key<u32> = Key::new("favourite", Class::User);
/// const SCHEDULE: Key<[u8; 4]> = Key::new("schedule", Class::Settings).version(2);
/// let favourite_of_guest = FAVOURITE.of(UserId(7));
/// ```
///
/// The first byte of a typed value on flash is the version of its key, 0 unless declared: change it whenever the shape of
/// the value changes. A value of another version is reported as such and not decoded, unless the key says how earlier versions
/// are read ([`Key::migrate`]); one of a later version never is. (Values stored by name, as bytes, have no such byte.)
///
/// A name that is too long does not compile:
///
/// ```compile_fail
/// use bydesign::store::{Class, Key};
///
/// const LONG: Key<u32> = Key::new("a name of more than sixty-three bytes does not fit into the six bits", Class::User);
/// ```
pub struct Key<T> {
    pub(crate) name: &'static str,
    pub(crate) data: DataClass,
    pub(crate) fixed: bool,
    pub(crate) version: u8,
    migrate: Option<Migrate<T>>,
    of_type: PhantomData<fn() -> T>,
}

/// Makes a value of the present shape out of the bytes of an earlier version.
type Migrate<T> = fn(u8, &[u8]) -> Result<T, CodecError>;

impl<T> Key<T> {
    /// A key of at most 63 bytes.
    ///
    /// # Panics
    ///
    /// If the name is longer; in a constant that is a compile error.
    #[must_use]
    pub const fn new(name: &'static str, class: Class) -> Self {
        assert!(name.len() <= MAX_NAME, "a key has at most 63 bytes");
        Self {
            name,
            data: DataClass::of(class),
            fixed: false,
            version: 0,
            migrate: None,
            of_type: PhantomData,
        }
    }

    /// A key whose item can be written once: never changed, never removed, only erased with its class.
    ///
    /// # Panics
    ///
    /// If the name is longer than 63 bytes; in a constant that is a compile error.
    #[must_use]
    pub const fn fixed(name: &'static str, class: Class) -> Self {
        let key = Self::new(name, class);
        Self { fixed: true, ..key }
    }

    /// The same key for values of another shape.
    #[must_use]
    pub const fn version(self, version: u8) -> Self {
        Self { version, ..self }
    }

    /// The same key, with a function that reads values of earlier versions: it is given the version and the bytes.
    ///
    /// A value of an earlier version is read through it; it stays on flash as it is until the item is put again, by
    /// [`Store::put`](super::Store::put) or [`Store::upgrade`](super::Store::upgrade).
    ///
    /// ```
    /// use bydesign::store::{Class, CodecError, Key, Stored};
    ///
    /// /// Tenths of a degree. Version 0 was whole degrees in one byte.
    /// const TARGET: Key<i16> = Key::new("target", Class::Settings).version(1).migrate(in_tenths);
    ///
    /// fn in_tenths(version: u8, bytes: &[u8]) -> Result<i16, CodecError> {
    ///     match version {
    ///         0 => Ok(i16::from(i8::decode(bytes)?) * 10),
    ///         _ => Err(CodecError),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub const fn migrate(self, migrate: fn(u8, &[u8]) -> Result<T, CodecError>) -> Self {
        Self {
            migrate: Some(migrate),
            ..self
        }
    }

    /// The same key in the personal data of a user.
    #[must_use]
    pub const fn of(self, user: UserId) -> Self {
        Self {
            data: DataClass {
                class: self.data.class,
                user,
            },
            ..self
        }
    }
}

impl<T: Stored> Key<T> {
    pub(crate) fn encode(&self, value: &T, out: &mut [u8]) -> Result<usize, CodecError> {
        let (version, rest) = out.split_first_mut().ok_or(CodecError)?;
        *version = self.version;
        value.encode(rest)?.checked_add(1).ok_or(CodecError)
    }

    pub(crate) fn decode(&self, bytes: &[u8]) -> Result<T, ReadError> {
        match bytes.split_first() {
            Some((version, value)) if *version == self.version => {
                T::decode(value).map_err(|CodecError| ReadError::Decode)
            }
            Some((version, value)) => match self.migrate {
                //= compliance/requirements.md#store-32
                //# A value of a later version than the key's MUST NOT be decoded, and its bytes MUST stay as they are.
                Some(migrate) if *version < self.version => {
                    migrate(*version, value).map_err(|CodecError| ReadError::Version(*version))
                }
                _ => Err(ReadError::Version(*version)),
            },
            None => Err(ReadError::Decode),
        }
    }

    /// Whether these bytes are of another version than the key's.
    pub(crate) fn is_of_another_version(&self, bytes: &[u8]) -> bool {
        bytes.first().is_some_and(|version| *version != self.version)
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}
