//! The simulated part that the benches run on, in both of the wrappers that say what it is.

use bydesign::flash::simulator::{Rule, Simulator};
use bydesign::flash::{Blocking, NeverPends, Overwritable, WriteOnce};

/// Bytes of an erase unit, and of a page of the store.
pub(crate) const PAGE: usize = 4096;

/// Words of 4 bytes.
pub(crate) type Flash = Simulator<4, PAGE>;

/// A medium over the part.
pub(crate) trait Part: NeverPends + Sized {
    const NAME: &str;
    const RULE: Rule;
    fn over(flash: Flash) -> Self;
    fn flash(&self) -> &Flash;
    fn flash_mut(&mut self) -> &mut Flash;

    fn blank(capacity: usize) -> Self {
        Self::over(Flash::new(capacity, Self::RULE))
    }
}

macro_rules! part {
    ($wrapper:ident, $rule:ident, $name:literal) => {
        impl Part for $wrapper<Blocking<Flash>> {
            const NAME: &str = $name;
            const RULE: Rule = Rule::$rule;
            fn over(flash: Flash) -> Self {
                Self::new(flash)
            }
            fn flash(&self) -> &Flash {
                self.driver()
            }
            fn flash_mut(&mut self) -> &mut Flash {
                self.driver_mut()
            }
        }
    };
}

part!(WriteOnce, WriteOnce, "write-once");
part!(Overwritable, Multiwrite, "overwritable");
