//! Units that were erased once too often.

use super::{Simulator, SimulatorError, address};

/// How a worn-out erase unit fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WornOut {
    /// Erasing it is an error ([`SimulatorError::WornOut`]) and changes nothing.
    DoesNotErase,
    /// One bit in its middle is zero again after each erase, without an error.
    KeepsAZero,
    /// Programming it changes nothing, without an error.
    DoesNotProgram,
}

impl<const WRITE: usize, const ERASE: usize> Simulator<WRITE, ERASE> {
    /// Wears the erase unit at `address` out, or makes it as good as new; no effect outside the part.
    ///
    /// ```
    /// use bydesign::flash::simulator::{Rule, Simulator, SimulatorError, WornOut};
    /// use embedded_storage::nor_flash::NorFlash;
    ///
    /// let mut flash = Simulator::<4, 4096>::new(16 * 1024, Rule::Multiwrite);
    /// flash.wear_out(4096, Some(WornOut::DoesNotErase));
    /// assert_eq!(flash.erase(4096, 8192), Err(SimulatorError::WornOut(4096)));
    /// assert_eq!(flash.erase(8192, 12288), Ok(()));
    /// ```
    pub fn wear_out(&mut self, address: u32, how: Option<WornOut>) {
        let index = address as usize;
        if index < self.memory.len() {
            match how {
                Some(how) => self.worn.insert(index / ERASE, how),
                None => self.worn.remove(&(index / ERASE)),
            };
        }
    }

    pub(super) fn check_erases(&self, unit: usize) -> Result<(), SimulatorError> {
        match self.worn.get(&unit) {
            Some(WornOut::DoesNotErase) => Err(SimulatorError::WornOut(address(unit * ERASE))),
            _ => Ok(()),
        }
    }

    /// What the wear of a unit does right after its erase.
    pub(super) fn wear_erased(&mut self, unit: usize) {
        if self.worn.get(&unit) == Some(&WornOut::KeepsAZero) {
            let at = unit * ERASE + ERASE / 2;
            self.memory[at] &= !1;
            self.mark_programmed(&(at..at + 1));
        }
    }

    /// Whether programming at an address changes anything.
    pub(super) fn programs(&self, at: usize) -> bool {
        self.worn.get(&(at / ERASE)) != Some(&WornOut::DoesNotProgram)
    }
}
