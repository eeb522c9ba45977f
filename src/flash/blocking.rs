//! A blocking driver in the clothes of an async one: futures that are ready at the first poll.

use embedded_storage::nor_flash as sync;
use embedded_storage_async::nor_flash as asynchronous;

/// Makes a blocking `embedded-storage` driver usable where the async traits are asked for.
///
/// Its futures never pend, so code written once for async drivers runs on it without an executor.
#[derive(Debug)]
pub struct Blocking<F>(pub F);

impl<F: sync::ErrorType> asynchronous::ErrorType for Blocking<F> {
    type Error = F::Error;
}

impl<F: sync::ReadNorFlash> asynchronous::ReadNorFlash for Blocking<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl<F: sync::NorFlash> asynchronous::NorFlash for Blocking<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        self.0.erase(from, to)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.write(offset, bytes)
    }
}

impl<F: sync::MultiwriteNorFlash> asynchronous::MultiwriteNorFlash for Blocking<F> {}
