//! A batch: an order in, a directory of files out, on all cores, with a journal so that a run that was killed goes on where it was.
//!
//! ```text
//!  rows ──► chunks ──► threads: issue, image, label, row ──► in order: tables ──► journal
//!                      images and sheets go to disk here      on disk before      a line: so many rows are done
//! ```
//!
//! ```text
//!  the program
//!  batch    (this file)
//!  journal · output · report
//!  issue · image · label · sheet · registry · manifest
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::string::{String, ToString};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::vec::Vec;

use rand_core::TryRng;
use zeroize::Zeroizing;

use super::certificate::{Date, Issuer, IssuerError, TEST_DAY};
use super::derive::BatchKey;
use super::issue::{Common, IssueError, Issued, Times, timed};
use super::journal::{Done, Head, Journal};
use super::label::Label;
use super::order::{self, Checked, Order, Row};
use super::output::{self, JOURNAL, Output, Stream};
use super::place::BadInput;
use super::profile::{CertificateKind, Profile};
use super::report::Report;
use super::sheet;
use super::source::{SourceError, Sources};
use crate::credential::Block;
use crate::credential::hexadecimal::digits_of;
use crate::credential::published;
use crate::crypto::factory::sha256;

/// At least so many devices are given to a thread at a time.
const A_CHUNK: u64 = 64;
/// No longer than this between two lines of the journal.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Why a batch was not finished. Printed, it shows no secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// A file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The order or the profile has a flaw; nothing was made.
    #[error(transparent)]
    Input(#[from] BadInput),
    /// The issuer of certificates cannot be used.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The random source is not to be used; nothing was made.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The manifest would be sealed to a key whose private half is printed in an example; nothing was made. With a test seed it is.
    #[error(
        "the private key to the recipient's public key is published, so that everybody could open the manifest: make a key of your own"
    )]
    PublishedRecipient,
    /// There is something under the name already.
    #[error("{} is there already: a finished batch is never changed", path.display())]
    Finished {
        /// The directory.
        path: PathBuf,
    },
    /// An earlier run was not finished.
    #[error("{} is there: an earlier run was not finished; resume it, or take it away", path.display())]
    Unfinished {
        /// The directory.
        path: PathBuf,
    },
    /// There is nothing to go on with.
    #[error("{} is not there: nothing to resume", path.display())]
    NothingToResume {
        /// The directory.
        path: PathBuf,
    },
    /// Another process is at work on the same batch.
    #[error("{}: another process is at work on this batch", path.display())]
    InUse {
        /// The journal.
        path: PathBuf,
    },
    /// The unfinished run had another order, profile, batch key, issuer, test seed or version.
    #[error("{}: begun with another {what}; go on with the same, or take it away", path.display())]
    OtherRun {
        /// The directory.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// A file of an unfinished run is shorter than the journal says, or not what it was.
    #[error("{}: not as an unfinished run left it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A device could not be made.
    #[error("{serial}: {source}")]
    Issue {
        /// Its serial.
        serial: String,
        /// Why.
        source: IssueError,
    },
}

impl BatchError {
    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Read { path, source }
    }

    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Write { path, source }
    }
}

/// How far a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// So many rows of the order were looked at.
    Checked(u64),
    /// So many devices are made and on disk, of so many.
    Made(u64, u64),
}

/// A batch that is to be made.
pub struct Batch {
    profile: Profile,
    order: PathBuf,
    out: PathBuf,
    deriving: Option<BatchKey>,
    test_seed: Option<String>,
    threads: usize,
    resume: bool,
}

impl Batch {
    /// A batch of that order, into a directory that is not there yet.
    #[must_use]
    pub fn new(profile: Profile, order: &Path, out: &Path) -> Self {
        Self {
            profile,
            order: order.into(),
            out: out.into(),
            deriving: None,
            test_seed: None,
            threads: thread::available_parallelism().map_or(1, usize::from),
            resume: false,
        }
    }

    /// Goes on with a run that was not finished.
    #[must_use]
    pub fn resuming(mut self, resume: bool) -> Self {
        self.resume = resume;
        self
    }

    /// Works on so many threads; all cores unless said otherwise.
    #[must_use]
    pub fn on_threads(mut self, threads: usize) -> Self {
        self.threads = threads.clamp(1, 256);
        self
    }

    /// The key under which secrets are derived, where the profile asks for it.
    #[must_use]
    pub fn with_batch_key(mut self, key: BatchKey) -> Self {
        self.deriving = Some(key);
        self
    }

    /// Draws everything from a seed: the same files at each run, marked as not for sale.
    //= compliance/requirements.md#cred-31
    //# Output MUST be reproducible only with an explicit test seed, and everything made with one MUST say that it is not for sale.
    #[must_use]
    pub fn with_test_seed(mut self, seed: &str) -> Self {
        self.test_seed = Some(seed.into());
        self
    }

    /// Looks at everything that goes in, then makes the batch.
    ///
    /// # Errors
    ///
    /// [`BatchError`]. With bad input nothing was made. After any other error what was made stands under the name with `.partial` behind
    /// it, and can be resumed.
    ///
    /// # Power loss
    ///
    /// The same: resume it. Devices of which no line of the journal speaks are made anew, with other secrets; their earlier images are
    /// overwritten.
    ///
    /// # Security
    ///
    /// `progress` sees numbers. Files are readable by their owner only, on Unix.
    pub fn run(self, progress: &mut dyn FnMut(Progress)) -> Result<Report, BatchError> {
        let begun = Instant::now();
        let sources = match &self.test_seed {
            None => Sources::system()?,
            Some(seed) => Sources::for_tests(seed)?,
        };
        //= compliance/requirements.md#cred-28
        //# A root key or transport key MUST leave the station only sealed to the recipient's public key, in a row that opens for no other device.
        if !sources.are_for_tests() && published::is_recipient(&self.profile.recipient) {
            return Err(BatchError::PublishedRecipient);
        }
        let identity = &self.profile.identity;
        let issuer = match (&identity.issuer_certificate, &identity.issuer_key) {
            (Some(certificate), Some(key)) => Some(Issuer::read(certificate, key)?),
            _ => None,
        };
        if self.profile.derives() && self.deriving.is_none() {
            return Err(BatchError::Issue {
                serial: "batch".into(),
                source: IssueError::NoBatchKey,
            });
        }
        let order_name = self.order.display().to_string();
        let open = || File::open(&self.order).map(BufReader::new);
        let checked = order::check(&order_name, &self.profile.model, open, |rows| {
            progress(Progress::Checked(rows));
        })?;
        let (mut journal, head, done) = self.begin_or_resume(&checked, &sources, issuer.as_ref())?;
        let for_tests = sources.are_for_tests();
        let day = if for_tests {
            TEST_DAY
        } else {
            Date::of_seconds(head.date)
        };
        let made = Work {
            batch: &self,
            common: Common {
                profile: &self.profile,
                issuer: issuer.as_ref(),
                batch_key: self.deriving.as_ref(),
                day,
                for_tests,
            },
            sources: &sources,
            partial: Output::partial_name(&self.out),
            chunk: head.chunk,
            stop: AtomicBool::new(false),
        }
        .run(&mut journal, &done, &checked, progress)?;
        let report = Report {
            devices: checked.rows,
            made_now: checked.rows.saturating_sub(done.rows),
            elapsed: begun.elapsed(),
            not_for_sale: for_tests,
            threads: self.threads,
            times: made.times,
            entropy: self.profile.entropy(),
            source: sources.words(),
            batch_id: head.batch,
        };
        let json = output::indented(&report.json(&self.profile, &checked.digest));
        made.output.finish(&json, checked.rows)?;
        drop(journal);
        Ok(report)
    }

    fn begin_or_resume(
        &self,
        checked: &Checked,
        sources: &Sources,
        issuer: Option<&Issuer>,
    ) -> Result<(Journal, Head, Done), BatchError> {
        let partial = Output::partial_name(&self.out);
        if output::exists(&self.out)? {
            return Err(BatchError::Finished {
                path: self.out.clone(),
            });
        }
        let per_sheet = u64::from(self.profile.sheet.labels());
        let date = if sources.are_for_tests() {
            0
        } else {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs())
        };
        let mut id = [0; 8];
        // A name, no secret; it comes from the same source so that a test seed gives the same again.
        sources.generator("\u{0}batch")?.try_fill_bytes(&mut id)?;
        let head = Head {
            journal: 1,
            batch: digits_of(&id),
            order_sha256: digits_of(&checked.digest),
            profile_sha256: digits_of(&self.profile.digest),
            test_seed_sha256: self
                .test_seed
                .as_ref()
                .map(|seed| digits_of(&sha256(seed.as_bytes()))),
            batch_key_check: self.deriving.as_ref().map(BatchKey::check).transpose()?,
            issuer_sha256: issuer.map(|issuer| digits_of(issuer.digest())),
            rows: checked.rows,
            chunk: per_sheet
                .saturating_mul(A_CHUNK.div_ceil(per_sheet.max(1)))
                .max(1),
            date,
        };
        let path = partial.join(JOURNAL);
        if !self.resume {
            if output::exists(&partial)? {
                return Err(BatchError::Unfinished { path: partial });
            }
            output::make_directory(&partial).map_err(BatchError::write(&partial))?;
            return Ok((Journal::begin(&path, &head)?, head, Done::default()));
        }
        if !output::exists(&partial)? {
            return Err(BatchError::NothingToResume { path: partial });
        }
        if !output::exists(&path)? {
            // Killed before the journal began: there is nothing to keep.
            return Ok((Journal::begin(&path, &head)?, head, Done::default()));
        }
        let (journal, before, done) = match Journal::resume(&path) {
            // Killed while its first line was written.
            Err(BatchError::Damaged { .. }) if is_without_line(&path)? => {
                std::fs::remove_file(&path).map_err(BatchError::write(&path))?;
                return Ok((Journal::begin(&path, &head)?, head, Done::default()));
            }
            resumed => resumed?,
        };
        let same = [
            ("order", before.order_sha256 == head.order_sha256),
            ("profile", before.profile_sha256 == head.profile_sha256),
            ("test seed", before.test_seed_sha256 == head.test_seed_sha256),
            ("batch key", before.batch_key_check == head.batch_key_check),
            (
                "issuer of certificates",
                before.issuer_sha256 == head.issuer_sha256,
            ),
            (
                "version of this program",
                before.chunk == head.chunk && before.journal == head.journal,
            ),
        ];
        if let Some((what, _)) = same.into_iter().find(|(_, same)| !same) {
            return Err(BatchError::OtherRun { path: partial, what });
        }
        Ok((journal, before, done))
    }
}

fn is_without_line(path: &Path) -> Result<bool, BatchError> {
    let bytes = std::fs::read(path).map_err(BatchError::read(path))?;
    Ok(!bytes.contains(&b'\n'))
}

/// The rows of one line of the journal.
struct Chunk {
    number: u64,
    rows: Vec<Row>,
}

/// What a thread made of a chunk; images and sheets are on disk.
struct Made {
    number: u64,
    rows: u64,
    registry: String,
    manifest: String,
    labels: Zeroizing<Vec<u8>>,
    certificates: String,
    times: Times,
}

struct Work<'a> {
    batch: &'a Batch,
    common: Common<'a>,
    sources: &'a Sources,
    partial: PathBuf,
    chunk: u64,
    stop: AtomicBool,
}

struct Whole {
    output: Output,
    times: Times,
}

impl Work<'_> {
    //= compliance/requirements.md#cred-32
    //# A batch that was killed at any point MUST be resumed so that every serial of the order is made once, and its image, label and rows belong together.
    fn run(
        &self,
        journal: &mut Journal,
        done: &Done,
        checked: &Checked,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Whole, BatchError> {
        let profile = &self.batch.profile;
        let lengths = (done.rows > 0).then_some(done.lengths.as_slice());
        let mut output = Output::open(&self.batch.out, profile.identity.certificate, lengths)?;
        let order = self.order()?;
        let columns: Vec<Arc<str>> = order.columns().to_vec();
        if done.rows == 0 {
            let header = Label::header(profile, &columns, self.common.for_tests);
            output.add(Stream::Labels, &header)?;
        }
        progress(Progress::Made(done.rows, checked.rows));
        let threads = self.batch.threads;
        let mut times = Times::default();
        thread::scope(|scope| {
            // So many chunks are under way at most, however long one of them takes.
            let (permit, permits) = sync_channel(4 * threads);
            for _ in 0..3 * threads {
                let _ = permit.send(());
            }
            let (to_threads, chunks) = sync_channel::<Chunk>(threads);
            let (to_output, made) = channel();
            let chunks = Arc::new(Mutex::new(chunks));
            for _ in 0..threads {
                let (chunks, to_output, columns) = (chunks.clone(), to_output.clone(), columns.clone());
                scope.spawn(move || self.work(&chunks, &to_output, &columns));
            }
            let failed = to_output.clone();
            drop((to_output, chunks));
            let first_chunk = done.chunks;
            let skip = done.rows;
            scope.spawn(move || {
                if let Err(error) = self.feed(order, skip, first_chunk, &permits, &to_threads) {
                    let _ = failed.send(Err(error));
                }
            });
            let finished = self.collect(
                &made,
                &permit,
                journal,
                &mut output,
                done,
                checked,
                &mut times,
                progress,
            );
            if finished.is_err() {
                self.stop.store(true, Ordering::Relaxed);
            }
            // The threads end when nobody gives out or takes chunks any more.
            drop((permit, made));
            finished
        })?;
        Ok(Whole { output, times })
    }

    fn order(&self) -> Result<Order<BufReader<File>>, BatchError> {
        let path = &self.batch.order;
        let file = File::open(path).map_err(BatchError::read(path))?;
        let name = path.display().to_string();
        Ok(Order::new(
            &name,
            BufReader::new(file),
            &self.batch.profile.model,
        )?)
    }

    /// Cuts the order into chunks.
    fn feed(
        &self,
        order: Order<BufReader<File>>,
        skip: u64,
        first_chunk: u64,
        permits: &Receiver<()>,
        to_threads: &SyncSender<Chunk>,
    ) -> Result<(), BatchError> {
        let mut number = first_chunk;
        let mut rows = Vec::new();
        let mut send = |rows: &mut Vec<Row>| {
            let chunk = Chunk {
                number,
                rows: core::mem::take(rows),
            };
            number = number.saturating_add(1);
            permits.recv().is_ok() && to_threads.send(chunk).is_ok()
        };
        for row in order.skip(usize::try_from(skip).unwrap_or(usize::MAX)) {
            rows.push(row?);
            if rows.len() as u64 >= self.chunk && !send(&mut rows) {
                return Ok(());
            }
        }
        if !rows.is_empty() {
            send(&mut rows);
        }
        Ok(())
    }

    /// Makes chunk after chunk.
    fn work(
        &self,
        chunks: &Mutex<Receiver<Chunk>>,
        to_output: &Sender<Result<Made, BatchError>>,
        columns: &[Arc<str>],
    ) {
        let mut blocks = Vec::new();
        loop {
            let next = chunks.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(chunk) = next else {
                return;
            };
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            if to_output.send(self.make(chunk, &mut blocks, columns)).is_err() {
                return;
            }
        }
    }

    fn make(&self, chunk: Chunk, blocks: &mut Vec<Block>, columns: &[Arc<str>]) -> Result<Made, BatchError> {
        let profile = self.common.profile;
        let per_sheet = u64::from(profile.sheet.labels()).max(1);
        let mut made = Made {
            number: chunk.number,
            rows: chunk.rows.len() as u64,
            registry: String::new(),
            manifest: String::new(),
            labels: Zeroizing::new(Vec::with_capacity(512 * chunk.rows.len())),
            certificates: String::new(),
            times: Times::default(),
        };
        let mut sheet = Vec::new();
        let mut sheet_number = chunk.number.saturating_mul(self.chunk) / per_sheet;
        let last = made.rows.saturating_sub(1);
        for (at, row) in (0..).zip(chunk.rows) {
            let serial = row.serial;
            let fault = |source| BatchError::Issue {
                serial: serial.as_str().to_string(),
                source,
            };
            let label = self
                .make_one(row, blocks, columns, &mut made)
                .map_err(|error| match error {
                    Fault::Issue(source) => fault(source),
                    Fault::Batch(error) => error,
                })?;
            sheet.push(label);
            if sheet.len() as u64 >= per_sheet || at == last {
                let drawn = timed(&mut made.times.labels, || {
                    sheet::draw(&sheet, profile.sheet, sheet_number)
                })
                .map_err(fault)?;
                let path = output::sheet_path(&self.partial, sheet_number);
                timed(&mut made.times.files, || {
                    output::write_member(&path, drawn.as_bytes())
                })?;
                sheet_number = sheet_number.saturating_add(1);
                sheet.clear();
            }
        }
        Ok(made)
    }

    fn make_one(
        &self,
        row: Row,
        blocks: &mut Vec<Block>,
        columns: &[Arc<str>],
        made: &mut Made,
    ) -> Result<Label, Fault> {
        let profile = self.common.profile;
        let number = row.number;
        let mut random = self
            .sources
            .generator(row.serial.as_str())
            .map_err(IssueError::from)?;
        let times = &mut made.times;
        let issued = Issued::draw(&self.common, row, &mut random, blocks, times)?;
        let image = timed(&mut times.image, || issued.image(profile, &mut random))?;
        let label = issued.label(profile)?;
        let path = output::image_path(&self.partial, number, issued.serial().as_str());
        timed(&mut times.files, || output::write_member(&path, &image)).map_err(Fault::Batch)?;
        let line = issued.registry_line(profile);
        made.registry
            .push_str(&line.map_err(|_| IssueError::Row("a row of the registry cannot be written"))?);
        made.manifest
            .push_str(&issued.manifest_line(profile, &mut random)?);
        made.labels
            .extend_from_slice(&label.line(profile, columns, &issued));
        if profile.identity.certificate != CertificateKind::None {
            made.certificates
                .push_str(&issued.pem(profile.identity.certificate));
        }
        Ok(label)
    }

    /// Puts what the threads made into the tables, in the order of the order.
    #[allow(clippy::too_many_arguments, reason = "one call, in one place")]
    fn collect(
        &self,
        made: &Receiver<Result<Made, BatchError>>,
        permit: &SyncSender<()>,
        journal: &mut Journal,
        output: &mut Output,
        done: &Done,
        checked: &Checked,
        times: &mut Times,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), BatchError> {
        let mut done = done.clone();
        let mut early = BTreeMap::new();
        let mut last_sync = Duration::ZERO;
        let mut synced = Instant::now();
        while done.rows < checked.rows {
            let next = match early.remove(&done.chunks) {
                Some(next) => next,
                None => match made.recv() {
                    Ok(next) => {
                        let next = next?;
                        if next.number != done.chunks {
                            early.insert(next.number, next);
                            continue;
                        }
                        next
                    }
                    // The order became shorter while it was read.
                    Err(_) => {
                        return Err(BatchError::Damaged {
                            path: self.batch.order.clone(),
                        });
                    }
                },
            };
            output.add(Stream::Registry, next.registry.as_bytes())?;
            output.add(Stream::Manifest, next.manifest.as_bytes())?;
            output.add(Stream::Labels, &next.labels)?;
            output.add(Stream::Certificates, next.certificates.as_bytes())?;
            done.chunks = done.chunks.saturating_add(1);
            done.rows = done.rows.saturating_add(next.rows);
            times.add(&next.times);
            let _ = permit.try_send(());
            // Waiting for the disk takes a tenth of the time at most, and a kill costs two seconds of work at most.
            let pause = (10 * last_sync).min(LONGEST_PAUSE);
            if done.rows == checked.rows || synced.elapsed() >= pause {
                let begun = Instant::now();
                done.lengths = output.sync()?;
                journal.add(&done)?;
                last_sync = begun.elapsed();
                synced = Instant::now();
                progress(Progress::Made(done.rows, checked.rows));
            }
        }
        Ok(())
    }
}

enum Fault {
    Issue(IssueError),
    Batch(BatchError),
}

impl From<IssueError> for Fault {
    fn from(error: IssueError) -> Self {
        Self::Issue(error)
    }
}

impl From<SourceError> for Fault {
    fn from(error: SourceError) -> Self {
        Self::Issue(error.into())
    }
}
