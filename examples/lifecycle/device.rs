//! The devices of an order: what is on their boards and in their fuses, and what their lives come to.

use std::path::Path;

use bydesign::credential::Verifier;
use bydesign::secret::RootKey;
use chacha20::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use crate::board::{Board, Once, Plain};
use crate::label::{self, Label};
use crate::orders::{Order, mac_text};
use crate::plant::Plant;

/// A device of the order, with the label on its back, the flash part on its board and the root key in its fuses.
pub(crate) struct Device {
    pub(crate) order: Order,
    pub(crate) label: Label,
    /// What the device keeps of the code on the label.
    pub(crate) pairing: Verifier,
    pub(crate) part: Part,
    pub(crate) number: u64,
    /// Outside this example nobody but the device has it; here the finder gets it too.
    pub(crate) root_key: [u8; 32],
    /// What is done wrong on purpose.
    pub(crate) plant: Option<Plant>,
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
    /// Guesses of the owner's password that were checked, and those among them before which a delay was sat out.
    pub(crate) checks: u32,
    pub(crate) patient_checks: u32,
    /// Cuts in the middle of first boots, guesses and logins.
    pub(crate) access_cuts: u32,
    /// What was said of passwords that were not good enough.
    pub(crate) refusals: Vec<(String, String)>,
    pub(crate) told: Told,
    pub(crate) before: Finds,
    pub(crate) after: Finds,
    /// Values that were ever written and then erased, all of which the finder looked for at the end.
    pub(crate) erased: usize,
    /// Bytes of the receipts, and the last of them in words.
    pub(crate) receipts: Vec<usize>,
    pub(crate) last_receipt: String,
}

/// What a device told its maker.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// What the user was asked.
    pub(crate) questions: Vec<&'static str>,
    /// The first report, field by field, as it was shown to the user before it was queued.
    pub(crate) preview: String,
    /// Reports that reached the maker, and their bytes.
    pub(crate) received: usize,
    pub(crate) bytes: usize,
    pub(crate) cuts: u32,
    /// Millionths of epsilon: spent, and left in the life of the device and in these weeks.
    pub(crate) spent: u64,
    pub(crate) left: u64,
    /// Reports that waited when the consent was withdrawn, and were found in the flash until then.
    pub(crate) waiting: usize,
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

    /// Bytes of a word and of an erase unit.
    pub(crate) fn geometry(self) -> (usize, usize) {
        match self {
            Self::PlainLarge => (4, 4096),
            Self::OnceLarge => (8, 4096),
            Self::PlainSmall => (8, 1024),
            Self::OnceSmall => (4, 1024),
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
    /// A device with a fresh root key, and a fresh code on its label.
    pub(crate) fn new(
        order: Order,
        number: usize,
        plant: Option<Plant>,
        random: &mut ChaCha20Rng,
    ) -> Result<Self, String> {
        let mut root_key = [0; 32];
        random.fill_bytes(&mut root_key);
        let (label, pairing) = match plant {
            Some(Plant::SharedCode) => label::draw(&mut ChaCha20Rng::seed_from_u64(0)),
            _ => label::draw(random),
        }?;
        Ok(Self {
            order,
            label,
            pairing,
            part: Part::ALL[number % Part::ALL.len()],
            number: number as u64,
            root_key,
            plant,
        })
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
