//! The devices of an order: what is on their boards and in their fuses, and what their lives come to.

use std::path::Path;

use bydesign::secret::RootKey;
use chacha20::ChaCha20Rng;
use rand_core::Rng;

use crate::board::{Board, Once, Plain};
use crate::orders::{Order, mac_text};

/// A device of the order, with the flash part on its board and the root key in its fuses.
pub(crate) struct Device {
    pub(crate) order: Order,
    pub(crate) part: Part,
    pub(crate) number: u64,
    /// Outside this example nobody but the device has it; here the finder gets it too.
    pub(crate) root_key: [u8; 32],
}

/// The flash parts that the boards have: medium, word and erase unit all matter to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Plain NOR with large erase units, as SPI NOR chips have.
    PlainLarge,
    /// With error-correcting codes, as much internal flash: a word is programmed once.
    OnceLarge,
    PlainSmall,
    OnceSmall,
}

/// What a life came to.
#[derive(Debug, Default)]
pub(crate) struct Life {
    pub(crate) updates: u32,
    pub(crate) cuts: u32,
    /// Cuts in the middle of the erasure.
    pub(crate) erase_cuts: u32,
    pub(crate) before: Finds,
    pub(crate) after: Finds,
    /// Values that were ever written and then erased, all of which the finder looked for at the end.
    pub(crate) erased: usize,
    /// Bytes of the receipts, and the last of them in words.
    pub(crate) receipts: Vec<usize>,
    pub(crate) last_receipt: String,
}

/// What the finder got out of an image.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Finds {
    /// Values that the device itself would show.
    pub(crate) live: usize,
    /// Values superseded or removed: on write-once flash they stay, sealed, until their page or their class is erased.
    pub(crate) stale: usize,
    /// How often it tried to open something.
    pub(crate) tried: u64,
}

impl Part {
    const ALL: [Self; 4] = [
        Self::PlainLarge,
        Self::OnceLarge,
        Self::PlainSmall,
        Self::OnceSmall,
    ];

    /// Medium, bytes of a word and bytes of an erase unit.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::PlainLarge => "overwritable 4/4096",
            Self::OnceLarge => "write-once   8/4096",
            Self::PlainSmall => "overwritable 8/1024",
            Self::OnceSmall => "write-once   4/1024",
        }
    }

    pub(crate) fn is_overwritable(self) -> bool {
        matches!(self, Self::PlainLarge | Self::PlainSmall)
    }
}

/// Calls a method of the board that the device's part belongs on.
macro_rules! on_board {
    ($device:ident, $method:ident($($argument:expr),*)) => {
        match $device.part {
            Part::PlainLarge => Board::<Plain, 4, 4096>::$method($device, $($argument),*),
            Part::OnceLarge => Board::<Once, 8, 4096>::$method($device, $($argument),*),
            Part::PlainSmall => Board::<Plain, 8, 1024>::$method($device, $($argument),*),
            Part::OnceSmall => Board::<Once, 4, 1024>::$method($device, $($argument),*),
        }
    };
}

impl Device {
    /// A device with a fresh root key.
    pub(crate) fn new(order: Order, number: usize, random: &mut ChaCha20Rng) -> Self {
        let mut root_key = [0; 32];
        random.fill_bytes(&mut root_key);
        Self {
            order,
            part: Part::ALL[number % Part::ALL.len()],
            number: number as u64,
            root_key,
        }
    }

    /// The image that the factory writes: an empty store with the identity in it.
    pub(crate) fn build(&self, random: &mut ChaCha20Rng) -> Result<Vec<u8>, String> {
        on_board!(self, build(random))
    }

    /// The rest of its life, on the image in `file`.
    pub(crate) fn live(&self, file: &Path, seed: u64, random: &mut ChaCha20Rng) -> Result<Life, String> {
        on_board!(self, live(file, seed, random))
    }

    /// The root key as the store takes it: not if it follows from what is printed on the device.
    pub(crate) fn root_key(&self) -> Result<RootKey, String> {
        let mac = mac_text(self.order.mac);
        RootKey::unrelated_to(
            self.root_key,
            &[self.order.serial.as_bytes(), &self.order.mac, mac.as_bytes()],
        )
        .map_err(|error| error.to_string())
    }
}
