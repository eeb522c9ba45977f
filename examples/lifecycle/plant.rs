//! Mistakes on purpose: each makes one check fail, so that everybody can see that it does.

/// A mistake, of whom and in what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plant {
    /// The factory prints one code on all labels.
    SharedCode,
    /// The station sticks a label on the wrong device.
    ForeignLabel,
    /// Somebody with a programmer puts the whole flash back between guesses.
    FlashPutBack,
    /// The firmware keeps the owner's password.
    PasswordKept,
    /// The firmware has a copy of what waited when the consent was withdrawn.
    QueueKept,
    /// The firmware counts a report as queued that it has thrown away.
    ReportLost,
}

impl Plant {
    pub(crate) const ALL: [(&'static str, Self); 6] = [
        ("shared-code", Self::SharedCode),
        ("foreign-label", Self::ForeignLabel),
        ("flash-put-back", Self::FlashPutBack),
        ("password-kept", Self::PasswordKept),
        ("queue-kept", Self::QueueKept),
        ("report-lost", Self::ReportLost),
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|(own, _)| *own == name)
            .map(|(_, plant)| plant)
    }
}
