//! What the host wants of a boot: poked into memory before the start, as a programmer would burn fuses and a hand would press buttons.
//!
//! ```text
//!  lifecycle
//!  orders   (this file)
//! ```

/// As it lies in memory. A product has a true random source, fuses for the root key, and a user who types the code.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Orders {
    /// [`MAGIC`], or nobody ordered anything.
    pub magic: u32,
    /// Everything random in the campaign follows from it.
    pub seed: u32,
    /// Number of this boot.
    pub boot: u32,
    /// Number of the first operation.
    pub first: u32,
    /// How many.
    pub operations: u32,
    /// Ticks after which the core resets itself; 0 for never.
    pub cut_after: u32,
    /// The kind of moment of the flash at which the board is turned off; 0 for none.
    pub moment: u32,
    /// Which one of them, from 1.
    pub count: u32,
    /// What would be in fuses.
    pub root_key: [u8; 32],
    /// What stands on the label, with zeros behind it.
    pub code: [u8; 32],
}

/// "ORD1", little-endian.
pub const MAGIC: u32 = u32::from_le_bytes(*b"ORD1");

impl Orders {
    /// The orders of this boot.
    ///
    /// # Safety
    ///
    /// `place` is memory that nothing of the image lies in.
    #[must_use]
    pub unsafe fn read(place: *const Self) -> Option<Self> {
        // SAFETY: integers and bytes, of which every pattern is one.
        let orders = unsafe { place.read_volatile() };
        (orders.magic == MAGIC).then_some(orders)
    }

    /// The code without the zeros.
    #[must_use]
    pub fn code(&self) -> &str {
        let len = self
            .code
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(self.code.len());
        self.code
            .get(..len)
            .and_then(|code| str::from_utf8(code).ok())
            .unwrap_or_default()
    }
}
