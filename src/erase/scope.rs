//! What an erasure covers.

use crate::store::{Class, DataClass, UserId};

/// What an erasure covers, from one item to the whole device.
///
/// | scope | takes | leaves |
/// | --- | --- | --- |
/// | [`Scope::Item`] | every version of one item | everything else |
/// | [`Scope::User`] | the personal data of one user | everything else |
/// | [`Scope::AllUsers`] | the personal data of every user | settings, identity, the application's classes |
/// | [`Scope::FactoryReset`] | users, settings, the application's classes but those that [`Eraser::keeping`](super::Eraser::keeping) names | identity |
/// | [`Scope::OwnershipTransfer`] | what a factory reset takes; what [`Eraser::rotating`](super::Eraser::rotating) names gets a new random value | identity |
/// | [`Scope::Decommission`] | everything, the device's identity last | an unformatted medium |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope<'a> {
    /// One item.
    Item {
        /// Its class; for personal data, its user.
        data: DataClass,
        /// Its name.
        name: &'a str,
    },
    /// The personal data of one user.
    User(UserId),
    /// The personal data of every user.
    AllUsers,
    /// Users and settings. Identity and calibration stay.
    FactoryReset,
    /// As a factory reset, for a device that gets another owner: the secrets that the old owner may know change, too. No
    /// secret of the factory is needed.
    OwnershipTransfer,
    /// Everything. The identity signs the receipt and goes when that was exported.
    Decommission,
}

/// A scope without the name of what it takes: as it is noted on flash and stated in a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// [`Scope::Item`].
    Item,
    /// [`Scope::User`].
    User,
    /// [`Scope::AllUsers`].
    AllUsers,
    /// [`Scope::FactoryReset`].
    FactoryReset,
    /// [`Scope::OwnershipTransfer`].
    OwnershipTransfer,
    /// [`Scope::Decommission`].
    Decommission,
}

impl Kind {
    /// All of them, in the order of their numbers from 1 on.
    pub const ALL: [Self; 6] = [
        Self::Item,
        Self::User,
        Self::AllUsers,
        Self::FactoryReset,
        Self::OwnershipTransfer,
        Self::Decommission,
    ];

    /// The number on flash and in a receipt.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Item => 1,
            Self::User => 2,
            Self::AllUsers => 3,
            Self::FactoryReset => 4,
            Self::OwnershipTransfer => 5,
            Self::Decommission => 6,
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// In words, for a screen.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Item => "one item",
            Self::User => "the data of one user",
            Self::AllUsers => "the data of all users",
            Self::FactoryReset => "factory reset",
            Self::OwnershipTransfer => "transfer to another owner",
            Self::Decommission => "decommissioning",
        }
    }
}

impl Scope<'_> {
    /// Which scope this is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Item { .. } => Kind::Item,
            Self::User(_) => Kind::User,
            Self::AllUsers => Kind::AllUsers,
            Self::FactoryReset => Kind::FactoryReset,
            Self::OwnershipTransfer => Kind::OwnershipTransfer,
            Self::Decommission => Kind::Decommission,
        }
    }
}

/// Most classes of the application that a factory reset leaves.
pub const MOST_KEPT: usize = 8;

/// The application's classes that stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) numbers: [u8; MOST_KEPT],
    pub(crate) len: u8,
}

impl Kept {
    pub(crate) fn of(applications: &[u8]) -> Self {
        let mut kept = Self::default();
        for (to, from) in kept.numbers.iter_mut().zip(applications) {
            *to = *from;
            kept.len += 1;
        }
        kept
    }

    fn holds(&self, class: Class) -> bool {
        let numbers = self.numbers.iter().take(usize::from(self.len));
        numbers
            .into_iter()
            .any(|&number| class == Class::Application(number))
    }
}

/// What goes by its key, decided from what a note on flash holds.
#[derive(Clone, Copy)]
pub(crate) struct Takes {
    pub(crate) kind: Kind,
    /// Of [`Kind::User`].
    pub(crate) user: UserId,
    pub(crate) keeps: Kept,
}

impl Takes {
    /// Whether the key of a class is destroyed. A decommissioning leaves the identity for the receipt's sake.
    pub(crate) fn class(&self, data: DataClass) -> bool {
        if data.class == Class::Ledger {
            return false;
        }
        match self.kind {
            Kind::Item => false,
            Kind::User => data == DataClass::user(self.user),
            Kind::AllUsers => data.class == Class::User,
            Kind::FactoryReset | Kind::OwnershipTransfer => {
                data.class != Class::Identity && !self.keeps.holds(data.class)
            }
            Kind::Decommission => data.class != Class::Identity,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [DataClass; 6] = [
        DataClass::of(Class::Identity),
        DataClass::LEDGER,
        DataClass::of(Class::Settings),
        DataClass::user(UserId::HOUSEHOLD),
        DataClass::user(UserId(7)),
        DataClass::of(Class::Application(1)),
    ];

    fn taken(kind: Kind, applications: &[u8]) -> [bool; 6] {
        let takes = Takes {
            kind,
            user: UserId(7),
            keeps: Kept::of(applications),
        };
        ALL.map(|data| takes.class(data))
    }

    #[test]
    fn each_scope_takes_its_classes_and_no_scope_the_ledger() {
        for (kind, expected) in [
            (Kind::Item, [false; 6]),
            (Kind::User, [false, false, false, false, true, false]),
            (Kind::AllUsers, [false, false, false, true, true, false]),
            (Kind::FactoryReset, [false, false, true, true, true, true]),
            (Kind::OwnershipTransfer, [false, false, true, true, true, true]),
            (Kind::Decommission, [false, false, true, true, true, true]),
        ] {
            assert_eq!(taken(kind, &[]), expected, "{kind:?}");
        }
    }

    #[test]
    fn what_is_kept_outlives_a_factory_reset_and_not_a_decommissioning() {
        let keeps = [1];
        assert!(!taken(Kind::FactoryReset, &keeps)[5]);
        assert!(taken(Kind::Decommission, &keeps)[5]);
        assert!(taken(Kind::FactoryReset, &[2])[5]);
    }

    #[test]
    fn every_kind_is_found_by_its_number_and_no_other_number_is_one() {
        let found: std::vec::Vec<_> = (0..=255).filter_map(Kind::from_number).collect();
        assert_eq!(found, Kind::ALL);
    }
}
