//! The simulated part, and what each store wants a driver to look like.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use bydesign::flash::simulator::{Counters, Rule, Simulator, SimulatorError};
use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};

pub const WORD: usize = 4;
pub const PAGE: usize = 4096;

type Flash = Simulator<WORD, PAGE>;

/// A part that several hold: the store that is measured, and whoever counts.
#[derive(Clone)]
pub struct Part(Rc<RefCell<Flash>>);

impl Part {
    pub fn new(capacity: usize, rule: Rule) -> Self {
        Self(Rc::new(RefCell::new(Flash::new(capacity, rule))))
    }

    pub fn counters(&self) -> Counters {
        self.0.borrow().counters().clone()
    }

    pub fn reset_counters(&self) {
        self.0.borrow_mut().reset_counters();
    }

    pub fn pages(&self) -> usize {
        self.0.borrow().capacity() / PAGE
    }

    fn read(&self, at: usize, out: &mut [u8]) -> Result<(), SimulatorError> {
        self.0.borrow_mut().read(offset(at), out)
    }

    fn program(&self, at: usize, bytes: &[u8]) -> Result<(), SimulatorError> {
        self.0.borrow_mut().write(offset(at), bytes)
    }

    fn erase_page(&self, page: usize) -> Result<(), SimulatorError> {
        self.0
            .borrow_mut()
            .erase(offset(page * PAGE), offset((page + 1) * PAGE))
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).expect("a small part")
}

impl ErrorType for Part {
    type Error = SimulatorError;
}

impl ReadNorFlash for Part {
    const READ_SIZE: usize = Flash::READ_SIZE;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimulatorError> {
        self.0.borrow_mut().read(offset, bytes)
    }
    fn capacity(&self) -> usize {
        self.0.borrow().capacity()
    }
}

impl NorFlash for Part {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), SimulatorError> {
        self.0.borrow_mut().erase(from, to)
    }
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimulatorError> {
        self.0.borrow_mut().write(offset, bytes)
    }
}

impl MultiwriteNorFlash for Part {}

/// sequential-storage: async, with words of four bytes to read too, as it reads them.
pub struct Pending(pub Part);

impl ErrorType for Pending {
    type Error = SimulatorError;
}

impl embedded_storage_async::nor_flash::ReadNorFlash for Pending {
    const READ_SIZE: usize = WORD;
    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimulatorError> {
        ReadNorFlash::read(&mut self.0, offset, bytes)
    }
    fn capacity(&self) -> usize {
        ReadNorFlash::capacity(&self.0)
    }
}

impl embedded_storage_async::nor_flash::NorFlash for Pending {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;
    async fn erase(&mut self, from: u32, to: u32) -> Result<(), SimulatorError> {
        NorFlash::erase(&mut self.0, from, to)
    }
    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimulatorError> {
        NorFlash::write(&mut self.0, offset, bytes)
    }
}

impl ekv::flash::Flash for Part {
    type Error = SimulatorError;
    fn page_count(&self) -> usize {
        self.pages()
    }
    async fn erase(&mut self, page: ekv::flash::PageID) -> Result<(), SimulatorError> {
        self.erase_page(page.index())
    }
    async fn read(
        &mut self,
        page: ekv::flash::PageID,
        offset: usize,
        data: &mut [u8],
    ) -> Result<(), SimulatorError> {
        Part::read(self, page.index() * PAGE + offset, data)
    }
    async fn write(
        &mut self,
        page: ekv::flash::PageID,
        offset: usize,
        data: &[u8],
    ) -> Result<(), SimulatorError> {
        self.program(page.index() * PAGE + offset, data)
    }
}

impl tickv::flash_controller::FlashController<PAGE> for Part {
    fn read_region(
        &self,
        region: usize,
        buffer: &mut [u8; PAGE],
    ) -> Result<(), tickv::error_codes::ErrorCode> {
        self.read(region * PAGE, buffer)
            .map_err(|_| tickv::error_codes::ErrorCode::ReadFail)
    }

    /// Any length at any place: the words at both ends are programmed again with what they hold.
    fn write(&self, address: usize, bytes: &[u8]) -> Result<(), tickv::error_codes::ErrorCode> {
        let from = address / WORD * WORD;
        let mut words = vec![0; (address + bytes.len()).next_multiple_of(WORD) - from];
        self.read(from, &mut words)
            .map_err(|_| tickv::error_codes::ErrorCode::ReadFail)?;
        words[address - from..][..bytes.len()].copy_from_slice(bytes);
        self.program(from, &words)
            .map_err(|_| tickv::error_codes::ErrorCode::WriteFail)
    }

    fn erase_region(&self, region: usize) -> Result<(), tickv::error_codes::ErrorCode> {
        self.erase_page(region)
            .map_err(|_| tickv::error_codes::ErrorCode::EraseFail)
    }
}

/// wasefire-store, which takes 63 pages at most.
pub struct Storage {
    pub part: Part,
    pub pages: usize,
}

impl wasefire_store::Storage for Storage {
    fn word_size(&self) -> usize {
        WORD
    }
    fn page_size(&self) -> usize {
        PAGE
    }
    fn num_pages(&self) -> usize {
        self.pages
    }
    fn max_word_writes(&self) -> usize {
        2
    }
    fn max_page_erases(&self) -> usize {
        65_535
    }
    fn read_slice(
        &self,
        index: wasefire_store::StorageIndex,
        length: usize,
    ) -> Result<Cow<'_, [u8]>, wasefire_error::Error> {
        let range = index.range(length, self)?;
        let mut bytes = vec![0; range.len()];
        self.part.read(range.start, &mut bytes).map_err(failed)?;
        Ok(Cow::Owned(bytes))
    }
    fn write_slice(
        &mut self,
        index: wasefire_store::StorageIndex,
        value: &[u8],
    ) -> Result<(), wasefire_error::Error> {
        let range = index.range(value.len(), self)?;
        self.part.program(range.start, value).map_err(failed)
    }
    fn erase_page(&mut self, page: usize) -> Result<(), wasefire_error::Error> {
        self.part.erase_page(page).map_err(failed)
    }
}

fn failed(_: SimulatorError) -> wasefire_error::Error {
    wasefire_error::Error::world(wasefire_error::Code::Generic)
}
