//! From the queue to whoever sends: one report at a time, in its time, acknowledged when it was sent.
//!
//! ```text
//!  gate
//!    sending   (this file)
//! ```

use rand_core::TryCryptoRng;

use super::{Gate, GateError, QUEUE, read, read_queue, store_class};
use crate::flash::{Medium, two_faces};
use crate::store::{AsyncStore, Change, Memory, ReadError};
use crate::telemetry::queue::{Name, Queue, TRAILER_LEN, Trailer};
use crate::telemetry::raw::Time;
use crate::telemetry::schema::{ClassRules, Declaration, MOST_BYTES};

/// A report that is being sent. Dropped, it goes on waiting.
#[must_use = "acknowledge it when it has been sent"]
pub struct Waiting {
    class: u8,
    number: u32,
    len: usize,
    trailer: Trailer,
}

impl Waiting {
    /// Bytes of the report, at the start of the buffer that was given.
    // A report is never empty.
    #[allow(clippy::len_without_is_empty)]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Number of its consent class.
    #[must_use]
    pub const fn class(&self) -> u8 {
        self.class
    }
}

#[two_faces]
impl<D: Declaration> Gate<D> {
    /// The next report whose time has come, copied to the start of `out`; `None` if there is none now. Drops reports that have waited for
    /// longer than declared. `out` needs 12 bytes more than the longest report.
    ///
    /// # Errors
    ///
    /// [`GateError`].
    ///
    /// # Power loss
    ///
    /// Reports go on waiting until they are acknowledged: one may be sent twice.
    pub async fn next_async<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut AsyncStore<M, I>,
        now: Time,
        out: &mut [u8],
        random: &mut R,
    ) -> Result<Option<Waiting>, GateError> {
        for rules in D::RULES {
            if self.settle(store, rules, random).await?.granted.is_empty() {
                continue;
            }
            let mut queue = read_queue(store, rules).await?;
            let (first, span) = (queue.first, queue.span());
            for number in (0..span).map(|offset| first.wrapping_add(offset)) {
                let name = Name::of_report(number);
                let read = match store.get_bytes(store_class(rules), name.as_str(), out).await {
                    Err(ReadError::OutputTooSmall(needed)) => Err(GateError::BufferTooSmall(needed)),
                    read => Ok(read?),
                };
                let Some(len) = read? else { continue };
                let item = out.get(..len).unwrap_or_default();
                let (report, trailer) = Trailer::split(item).ok_or(GateError::NotUnderstood)?;
                let len = report.len();
                if trailer.is_expired(now, &rules.queueing) {
                    queue = drop_report(store, rules, queue, number, random).await?;
                } else if trailer.is_due(now, &rules.queueing) {
                    return Ok(Some(Waiting {
                        class: rules.number,
                        number,
                        len,
                        trailer,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// Takes a report that has been sent out of the queue.
    ///
    /// # Errors
    ///
    /// [`GateError`]; the report goes on waiting.
    ///
    /// # Power loss
    ///
    /// The report waits or not.
    pub async fn acknowledge_async<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut AsyncStore<M, I>,
        sent: Waiting,
        random: &mut R,
    ) -> Result<(), GateError> {
        let rules = Self::rules(sent.class)?;
        self.settle(store, rules, random).await?;
        let queue = read_queue(store, rules).await?;
        // Of a class that was erased meanwhile there is nothing to take out, and another report may have this number.
        let mut item = [0; MOST_BYTES + TRAILER_LEN];
        let name = Name::of_report(sent.number);
        let read = read(store, store_class(rules), name.as_str(), &mut item).await?;
        let waits = read.and_then(|len| item.get(..len)).and_then(Trailer::split);
        if waits.is_some_and(|(_, trailer)| trailer == sent.trailer) {
            drop_report(store, rules, queue, sent.number, random).await?;
        }
        Ok(())
    }
}

/// Takes a report out, and leads the counts past it and past those behind it that are gone already.
#[two_faces]
pub(super) async fn drop_report<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
    store: &mut AsyncStore<M, I>,
    rules: &ClassRules,
    queue: Queue,
    number: u32,
    random: &mut R,
) -> Result<Queue, GateError> {
    let class = store_class(rules);
    let name = Name::of_report(number);
    let mut item = [0; MOST_BYTES + TRAILER_LEN];
    let read = store.get_bytes(class, name.as_str(), &mut item).await?;
    let report_len = read
        .and_then(|len| item.get(..len))
        .and_then(Trailer::split)
        .map_or(0, |(report, _)| report.len());
    let mut after = queue.without(number, u32::try_from(report_len).unwrap_or(u32::MAX));
    // As many as there can be at most.
    for _ in 0..after.span() {
        let next = Name::of_report(after.first);
        if store.contains_bytes(class, next.as_str()).await? {
            break;
        }
        after = after.without(after.first, 0);
    }
    let counts = after.to_bytes();
    let changes = [
        Change::remove_bytes(class, name.as_str()),
        Change::put_bytes(class, QUEUE, &counts),
    ];
    store.commit_any(&changes, random).await?;
    Ok(after)
}
