//! QEMU `ast1030-evb`: a Cortex-M4, and a serial NOR chip behind a flash controller that lets software have the bus.
//!
//! ```text
//!  board
//!    ast1030 (this file)
//!  part::spi_nor
//! ```

use core::convert::Infallible;
use core::fmt;

use bydesign::flash::{Blocking, Overwritable};
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{Peripherals, SCB};
use cortex_m_rt::exception;
use embedded_hal::spi::{ErrorType, Operation, SpiDevice};

use crate::orders::Orders;
use crate::part::PartError;
use crate::part::partition::Partition;
use crate::part::spi_nor::SpiNor;

const CONFIGURATION: *mut u32 = 0x7e62_0000 as *mut u32;
const CONTROL: *mut u32 = 0x7e62_0010 as *mut u32;
/// Every byte written or read here goes over the bus.
const BUS: *mut u8 = 0x8000_0000 as *mut u8;
const UART: *mut u32 = 0x7e78_4000 as *mut u32;
const ORDERS: *const Orders = 0x000b_f000 as *const Orders;

const WRITES_ALLOWED: u32 = 1 << 16;
/// Software has the bus, with the chip selected or not.
const SELECTED: u32 = 3;
const NOT_SELECTED: u32 = 7;

/// The bus, with the chip on it.
pub struct Bus(());

impl ErrorType for Bus {
    type Error = Infallible;
}

impl SpiDevice for Bus {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Infallible> {
        // SAFETY: registers of the controller; `chip` hands the bus out once.
        unsafe {
            CONTROL.write_volatile(SELECTED);
            for operation in operations {
                match operation {
                    Operation::Write(bytes) => bytes.iter().for_each(|&byte| BUS.write_volatile(byte)),
                    Operation::Read(bytes) => bytes.iter_mut().for_each(|byte| *byte = BUS.read_volatile()),
                    // The controller is half duplex, and flash commands never need more.
                    Operation::Transfer(..) | Operation::TransferInPlace(_) | Operation::DelayNs(_) => {}
                }
            }
            CONTROL.write_volatile(NOT_SELECTED);
        }
        Ok(())
    }
}

/// The chip's driver.
pub type Chip = SpiNor<Bus>;
/// To the store, the chip is overwritable.
pub type Medium<'a> = Overwritable<Blocking<Partition<'a, Chip>>>;

/// What a stretch of the chip is to the store.
pub fn medium(partition: Partition<'_, Chip>) -> Medium<'_> {
    Overwritable::new(partition)
}

/// Units of the store's partition; the limiter's is behind it.
pub const STORE_UNITS: usize = 16;

/// The chip. Call it once.
///
/// # Errors
///
/// [`PartError`].
pub fn chip(_orders: &Orders) -> Result<Chip, PartError> {
    // SAFETY: a register of the controller.
    unsafe { CONFIGURATION.write_volatile(CONFIGURATION.read_volatile() | WRITES_ALLOWED) };
    SpiNor::new(Bus(()))
}

/// What the host ordered.
#[must_use]
pub fn orders() -> Option<Orders> {
    // SAFETY: behind the image's memory, `memory.x`.
    unsafe { Orders::read(ORDERS) }
}

/// Resets the core after so many ticks, at most 2^24.
pub fn cut_after(ticks: u32) {
    if let Some(peripherals) = Peripherals::take() {
        let mut timer = peripherals.SYST;
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(ticks & 0x00ff_ffff);
        timer.clear_current();
        timer.enable_interrupt();
        timer.enable_counter();
    }
}

#[exception]
fn SysTick() {
    SCB::sys_reset()
}

/// The serial line.
pub struct Serial;

impl fmt::Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            // SAFETY: the transmit register; the emulated line is never busy.
            unsafe { UART.write_volatile(byte.into()) };
        }
        Ok(())
    }
}

/// Nothing is left to do; whoever watches the line turns the board off.
pub fn rest() -> ! {
    loop {
        cortex_m::asm::wfi();
    }
}
