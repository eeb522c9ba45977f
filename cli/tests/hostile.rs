//! No image makes a command panic: random, cut short, with flipped bits, with pieces of itself elsewhere.

mod support;

use std::path::Path;

use bydesign::flash::MediumKind;
use bydesign::secret::Secret;
use bydesign::store::inspect::Image;
use bydesign_cli::inspect;
use bydesign_cli::key_file::Key;
use bydesign_cli::map::Map;
use bydesign_cli::{expected, residue};
use chacha20::rand_core::Rng;
use support::{Ecc, Flash, LABEL, Nor, ROOT, SECRETS, in_use, random};

struct Looks {
    opened: usize,
    searched: usize,
}

impl Looks {
    /// All three commands.
    fn at(&mut self, bytes: &[u8]) {
        let path = Path::new("image");
        let key = Key {
            bytes: Secret::new(ROOT),
            path: path.into(),
            label: LABEL.into(),
        };
        let given = [MediumKind::Overwritable, MediumKind::WriteOnce]
            .map(|medium| Image::with_layout(bytes, medium, 4, 1024).ok());
        let images = given.into_iter().flatten().chain(Image::of(bytes).ok());
        let mut opened = Err("nothing opens".to_owned());
        for image in images {
            for key in [None, Some(&key)] {
                let Ok(report) = inspect::report(&image, bytes.len(), path, key) else {
                    continue;
                };
                let _ = report.outcome();
                self.opened += usize::from(report.opened.is_some());
                let map = Map {
                    image_len: bytes.len(),
                    layout: report.layout,
                    is_opened: report.opened.is_some(),
                    pages: report.pages,
                };
                let drawn = map.totals().iter().map(|(_, bytes)| bytes).sum::<u64>();
                assert_eq!(
                    drawn,
                    u64::from(map.layout.pages) * u64::from(map.layout.page_size)
                );
                assert!(map.to_svg().ends_with("</svg>\n"));
                assert!(map.to_json().is_object());
                if let Some(report) = report.opened {
                    opened = Ok(report);
                }
            }
        }
        let expected = expected::parse(&SECRETS.join("\n")).unwrap();
        let report = residue::search(bytes, &key, &expected, opened.as_ref().map_err(Clone::clone));
        assert_eq!(report.values.len(), SECRETS.len());
        self.searched += usize::from(report.live > 0);
    }
}

#[test]
fn no_image_makes_a_command_panic() {
    let mut looks = Looks {
        opened: 0,
        searched: 0,
    };
    let mut source = random(40);
    for base in [in_use::<Nor>().image().to_vec(), in_use::<Ecc>().image().to_vec()] {
        looks.at(&base);
        for _ in 0..40 {
            let mut flipped = base.clone();
            for _ in 0..=source.next_u32() % 6 {
                let at = source.next_u32() as usize % flipped.len();
                flipped[at] ^= 1 << (source.next_u32() % 8);
            }
            looks.at(&flipped);
            looks.at(&base[..source.next_u32() as usize % base.len()]);
            let mut moved = base.clone();
            let (from, to) = (source.next_u32() as usize, source.next_u32() as usize);
            let len = source.next_u32() as usize % 600;
            let end = base.len() - len;
            moved.copy_within(from % end..from % end + len, to % end);
            looks.at(&moved);
        }
        for _ in 0..20 {
            let mut noise = base.clone();
            let from = source.next_u32() as usize % noise.len();
            source.fill_bytes(&mut noise[from..]);
            looks.at(&noise);
        }
        // The clear bytes of the key pages, each changed to anything.
        for byte in 0..40 {
            let mut changed = base.clone();
            for at in (0..4200).step_by(4) {
                if changed[at..].starts_with(b"bydesign") {
                    changed[at + byte] = source.next_u32().to_le_bytes()[0];
                }
            }
            looks.at(&changed);
        }
    }
    for len in [0, 1, 7, 8, 39, 40, 41, 1023, 4096, 5000, 8192] {
        let mut bytes = vec![0; len];
        looks.at(&bytes);
        bytes.fill(0xff);
        looks.at(&bytes);
        source.fill_bytes(&mut bytes);
        looks.at(&bytes);
    }
    assert!(
        looks.opened > 100 && looks.searched > 50,
        "{} opened, {} searched",
        looks.opened,
        looks.searched
    );
}
