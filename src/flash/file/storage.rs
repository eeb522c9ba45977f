//! Bytes at places, in full, and durable when asked: what a file has to do for the flash on it.

use std::fs::File;
use std::io;

/// What holds the bytes: a file. In tests a disk that loses power.
///
/// Reads and writes may be short or interrupted; `read_all` and `write_all` go on until all is done.
pub trait Storage {
    /// Reads some bytes at `offset`; none only behind the end.
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<usize>;

    /// Writes some bytes at `offset`; none only if it never will.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize>;

    /// Bytes it has by now.
    fn size(&mut self) -> io::Result<u64>;

    /// Returns when everything written stays if power goes.
    fn sync(&mut self) -> io::Result<()>;
}

/// Fills `bytes` from `offset` on.
pub(super) fn read_all(storage: &mut impl Storage, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
    let mut done = 0;
    while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match storage.read_at(offset + done as u64, rest) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes `bytes` from `offset` on.
pub(super) fn write_all(storage: &mut impl Storage, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let mut done = 0;
    while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
        match storage.write_at(offset + done as u64, rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => done += written,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes `len` bytes as erased flash reads.
pub(super) fn write_blank(storage: &mut impl Storage, offset: u64, len: usize) -> io::Result<()> {
    let mut done = 0;
    while let Some(blank) = BLANK
        .get(..BLANK.len().min(len - done))
        .filter(|blank| !blank.is_empty())
    {
        write_all(storage, offset + done as u64, blank)?;
        done += blank.len();
    }
    Ok(())
}

impl Storage for File {
    #[cfg(unix)]
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, bytes, offset)
    }

    #[cfg(unix)]
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::write_at(self, bytes, offset)
    }

    #[cfg(not(unix))]
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        io::Seek::seek(self, io::SeekFrom::Start(offset))?;
        io::Read::read(self, bytes)
    }

    #[cfg(not(unix))]
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        io::Seek::seek(self, io::SeekFrom::Start(offset))?;
        io::Write::write(self, bytes)
    }

    fn size(&mut self) -> io::Result<u64> {
        // By its end: the metadata of a block device say nothing.
        io::Seek::seek(self, io::SeekFrom::End(0))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

static BLANK: [u8; 4096] = [0xff; 4096];
