//! Typed keys: an item's name, class and type in one constant.

use core::marker::PhantomData;

use super::class::{Class, DataClass, UserId};
use super::format::MAX_NAME;

/// The name, class and type of an item, usually a constant.
///
/// ```
/// use bydesign::store::{Class, Key, UserId};
///
/// const WIFI_PASSWORD: Key<[u8; 32]> = Key::new("wifi.password", Class::Settings);
/// const SERIAL: Key<[u8; 12]> = Key::fixed("serial", Class::Identity);
/// const FAVOURITE: Key<u32> = Key::new("favourite", Class::User);
/// let favourite_of_guest = FAVOURITE.of(UserId(7));
/// ```
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
    of_type: PhantomData<fn() -> T>,
}

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

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}
