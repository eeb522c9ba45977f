//! Data classes: what kills the data.

/// What kind of data an item is, and with that, which erasure takes it. Each class has a random key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// Given at the factory: device identity, calibration. Outlives a factory reset.
    Identity,
    /// The owner's settings. Goes at a factory reset.
    Settings,
    /// Personal data. Goes with its user, or with all users.
    User,
    /// A class of the application's own, numbered by it.
    Application(u8),
    /// What the library keeps of its own work, such as which erasure was begun. Outlives everything but the store itself. An application
    /// can neither write nor erase it.
    Ledger,
}

/// Whose personal data. [`UserId::HOUSEHOLD`] is everybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UserId(pub u32);

impl UserId {
    /// The user that items of [`Class::User`] belong to unless another is named.
    pub const HOUSEHOLD: Self = Self(0);
}

/// A class and, for personal data, a user: what one class key seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DataClass {
    pub(crate) class: Class,
    pub(crate) user: UserId,
}

impl DataClass {
    /// The personal data of one user.
    #[must_use]
    pub const fn user(user: UserId) -> Self {
        Self {
            class: Class::User,
            user,
        }
    }

    /// What the library itself keeps, such as which erasure was begun: goes with nothing but the whole store.
    pub(crate) const LEDGER: Self = Self::of(Class::Ledger);

    /// The class.
    #[must_use]
    pub const fn class(self) -> Class {
        self.class
    }

    /// Whose data it is; [`UserId::HOUSEHOLD`] in all classes but [`Class::User`].
    #[must_use]
    pub const fn user_id(self) -> UserId {
        self.user
    }

    /// Whether an item of this name is the library's own.
    //= compliance/requirements.md#erase-11
    //# An application MUST NOT be able to change or erase what is noted of an erasure.
    pub(crate) fn reserves(self, name: &str) -> bool {
        self.class == Class::Ledger || name.starts_with('\0')
    }

    pub(crate) const fn of(class: Class) -> Self {
        Self {
            class,
            user: UserId::HOUSEHOLD,
        }
    }

    /// The class as a number on flash; 0 is a free slot.
    pub(crate) const fn code(self) -> u16 {
        match self.class {
            Class::Identity => 1,
            Class::Settings => 2,
            Class::User => 3,
            Class::Application(number) => 4 + number as u16,
            Class::Ledger => 260,
        }
    }

    pub(crate) fn from_code(code: u16, user: u32) -> Option<Self> {
        let class = match code {
            0 => return None,
            1 => Class::Identity,
            2 => Class::Settings,
            3 => Class::User,
            260 => Class::Ledger,
            number => Class::Application(u8::try_from(number - 4).ok()?),
        };
        Some(Self {
            class,
            user: UserId(user),
        })
    }
}

impl From<Class> for DataClass {
    fn from(class: Class) -> Self {
        Self::of(class)
    }
}

/// What an erasure takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// One class; for [`Class::User`], the personal data of every user.
    Class(Class),
    /// The personal data of one user.
    User(UserId),
}

impl Scope {
    pub(crate) fn takes(self, data: DataClass) -> bool {
        match self {
            Self::Class(class) => data.class == class,
            Self::User(user) => data == DataClass::user(user),
        }
    }
}

impl From<Class> for Scope {
    fn from(class: Class) -> Self {
        Self::Class(class)
    }
}

impl From<UserId> for Scope {
    fn from(user: UserId) -> Self {
        Self::User(user)
    }
}
