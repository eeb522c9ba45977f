use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};

struct EccFlash;

impl ErrorType for EccFlash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for EccFlash {
    const READ_SIZE: usize = 1;
    fn read(&mut self, _: u32, _: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        Ok(())
    }
    fn capacity(&self) -> usize {
        0
    }
}

impl NorFlash for EccFlash {
    const WRITE_SIZE: usize = 8;
    const ERASE_SIZE: usize = 4096;
    fn erase(&mut self, _: u32, _: u32) -> Result<(), NorFlashErrorKind> {
        Ok(())
    }
    fn write(&mut self, _: u32, _: &[u8]) -> Result<(), NorFlashErrorKind> {
        Ok(())
    }
}

fn main() {
    let _medium = bydesign::flash::Overwritable::new(EccFlash);
}
