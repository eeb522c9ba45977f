//! What is done to an image: every action, to every kind of piece, with bytes from every source.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::layout::{LOG_START, Layout};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    /// Dropped: as if it had never been written.
    Blank,
    /// Dropped: every bit programmed.
    Zero,
    /// As the store itself overwrites a record: zero behind the header.
    Overwrite,
    /// Copied over another place.
    Duplicate,
    Swap,
    /// Blank from its beginning to the end of its page.
    CutPage,
    /// Blank from its beginning to the end of the log.
    CutLog,
    /// Put in from an earlier image of the same store, at the same place or another.
    Restore,
    /// Put in from an image of another store, or of another continuation.
    Splice,
    /// Each page from one of two moments.
    Mix,
    Flip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Bit,
    Record,
    /// Neighbouring records of one page.
    Records,
    /// Where it is smaller than a page.
    EraseUnit,
    Page,
    Range,
    Whole,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Itself,
    Earlier,
    Fork,
    SameKeyAndLabel,
    OtherLabel,
    OtherRootKey,
}

/// One cell of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub(crate) action: Action,
    pub(crate) what: What,
    pub(crate) source: Source,
}

#[derive(Clone, Debug)]
pub(crate) enum Change {
    Fill {
        place: Range<usize>,
        byte: u8,
    },
    /// From the image with this number.
    Copy {
        image: usize,
        from: Range<usize>,
        to: usize,
    },
    Flip {
        bit: usize,
    },
}

/// Changes to the image with the number `base`.
#[derive(Clone, Debug)]
pub(crate) struct Tampering {
    pub(crate) base: usize,
    pub(crate) changes: Vec<Change>,
}

impl Tampering {
    pub(crate) fn apply(&self, images: &[&[u8]]) -> Vec<u8> {
        let mut image = images[self.base].to_vec();
        for change in &self.changes {
            match change {
                Change::Fill { place, byte } => image[place.clone()].fill(*byte),
                Change::Copy {
                    image: source,
                    from,
                    to,
                } => {
                    let len = from.len().min(image.len() - to);
                    image[*to..][..len].copy_from_slice(&images[*source][from.clone()][..len]);
                }
                Change::Flip { bit } => image[bit / 8] ^= 1 << (bit % 8),
            }
        }
        image
    }
}

/// Every tampering of each cell.
pub(crate) type Campaign = BTreeMap<Cell, Vec<Tampering>>;

/// Tampers with images of one geometry.
pub(crate) struct Tamperer<'a> {
    pub(crate) layout: Layout,
    pub(crate) erase_unit: usize,
    pub(crate) images: &'a [&'a [u8]],
}

impl Tamperer<'_> {
    /// The pieces of one kind in an image.
    pub(crate) fn pieces(&self, image: usize, what: What) -> Vec<Range<usize>> {
        let image = self.images[image];
        match what {
            What::Record => self
                .layout
                .records(image)
                .into_iter()
                .map(|record| record.place)
                .collect(),
            What::Records => (0..self.layout.pages)
                .flat_map(|page| {
                    let records = self.layout.records_of(image, page);
                    let runs = (0..records.len())
                        .flat_map(|first| (first + 1..records.len()).map(move |last| first..=last));
                    runs.map(|run| records[*run.start()].place.start..records[*run.end()].place.end)
                        .collect::<Vec<_>>()
                })
                .collect(),
            What::EraseUnit if self.erase_unit < self.layout.page => (0..image.len())
                .step_by(self.erase_unit)
                .map(|from| from..from + self.erase_unit)
                .collect(),
            What::Bit | What::EraseUnit => Vec::new(),
            What::Page => self.layout.runs(1).collect(),
            What::Range => (2..self.layout.pages)
                .flat_map(|count| self.layout.runs(count))
                .collect(),
            What::Whole => self.layout.runs(self.layout.pages).collect(),
        }
    }

    const PIECES: [What; 5] = [
        What::Record,
        What::Records,
        What::EraseUnit,
        What::Page,
        What::Range,
    ];

    /// What needs no other image.
    pub(crate) fn alone(&self, base: usize, campaign: &mut Campaign) {
        for what in Self::PIECES {
            let pieces = self.pieces(base, what);
            let mut add = |action, changes| {
                let source = Source::Itself;
                let cell = Cell { action, what, source };
                campaign
                    .entry(cell)
                    .or_default()
                    .push(Tampering { base, changes });
            };
            for (number, piece) in pieces.iter().enumerate() {
                let fill = |place, byte| Change::Fill { place, byte };
                add(Action::Blank, vec![fill(piece.clone(), 0xff)]);
                add(Action::Zero, vec![fill(piece.clone(), 0)]);
                if what == What::Record {
                    add(Action::Overwrite, vec![fill(piece.start + 4..piece.end, 0)]);
                }
                if what == What::Records {
                    // The rest is what single records show.
                    continue;
                }
                if what != What::Range {
                    add(
                        Action::CutPage,
                        vec![fill(piece.start..self.end_of_page(piece.start), 0xff)],
                    );
                    let log = self.to_the_end_of_the_log(base, piece.start);
                    add(
                        Action::CutLog,
                        log.into_iter().map(|place| fill(place, 0xff)).collect(),
                    );
                }
                let copy = |from: &Range<usize>, to: usize| Change::Copy {
                    image: base,
                    from: from.clone(),
                    to,
                };
                let places: BTreeSet<usize> = pieces.iter().map(|other| other.start).collect();
                for &to in places.iter().filter(|&&to| to != piece.start) {
                    add(Action::Duplicate, vec![copy(piece, to)]);
                }
                for other in &pieces[number + 1..] {
                    if piece.len() == other.len() && piece.end <= other.start {
                        add(
                            Action::Swap,
                            vec![copy(piece, other.start), copy(other, piece.start)],
                        );
                    } else if piece.end == other.start {
                        // Neighbours of different lengths change their order.
                        let middle = piece.start + other.len();
                        add(Action::Swap, vec![copy(other, piece.start), copy(piece, middle)]);
                    }
                }
            }
            if what == What::Record {
                // Once more behind the end of the log.
                let head = self.layout.head(self.images[base]);
                let end = self.layout.records_of(self.images[base], head);
                let end = end.last().expect("not empty").place.end;
                for piece in pieces.iter().filter(|_| end < self.end_of_page(end - 1)) {
                    let len = piece.len().min(self.end_of_page(end) - end);
                    let from = piece.start..piece.start + len;
                    let copy = Change::Copy {
                        image: base,
                        from,
                        to: end,
                    };
                    add(Action::Duplicate, vec![copy]);
                }
            }
        }
    }

    /// What takes pieces from another image and puts them in, at the same place and at others.
    pub(crate) fn with(
        &self,
        base: usize,
        other: usize,
        action: Action,
        source: Source,
        campaign: &mut Campaign,
    ) {
        let whole = [What::Whole];
        for &what in Self::PIECES
            .iter()
            .chain(&whole)
            .filter(|what| **what != What::Whole || source == Source::Earlier)
        {
            let own = self.pieces(base, what);
            for piece in self.pieces(other, what) {
                let mut places = vec![piece.start];
                if what == What::Record || what == What::Page {
                    places.extend(
                        own.iter()
                            .filter(|place| place.len() == piece.len() && place.start != piece.start)
                            .map(|place| place.start),
                    );
                }
                for to in places {
                    // What is blank there would be dropped here, which is another action.
                    let parts = self.by_page(&piece).filter(|part| {
                        action == Action::Restore || !self.holds_nothing(self.images[other], part)
                    });
                    let copy = |part: Range<usize>| Change::Copy {
                        image: other,
                        to: to + part.start - piece.start,
                        from: part,
                    };
                    let changes: Vec<Change> = parts.map(copy).collect();
                    let tampering = Tampering { base, changes };
                    if tampering.apply(self.images) != self.images[base] {
                        let cell = Cell { action, what, source };
                        campaign.entry(cell).or_default().push(tampering);
                    }
                }
            }
        }
    }

    fn by_page(&self, piece: &Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let (page, end) = (self.layout.page, piece.end);
        let starts = std::iter::successors(Some(piece.start), move |at| Some((at / page + 1) * page));
        starts
            .take_while(move |at| *at < end)
            .map(move |at| at..((at / page + 1) * page).min(end))
    }

    /// Whether there is nothing but, at most, an erase mark.
    fn holds_nothing(&self, image: &[u8], place: &Range<usize>) -> bool {
        let from = place
            .start
            .max(place.start / self.layout.page * self.layout.page + 16);
        image[from.min(place.end)..place.end]
            .iter()
            .all(|&byte| byte == 0xff)
    }

    /// Each page of one moment over each of another, and each page from one of the two.
    pub(crate) fn mix(&self, base: usize, other: usize, campaign: &mut Campaign) {
        let copy = |page: usize, to: usize| Change::Copy {
            image: other,
            from: self.layout.page(page),
            to: self.layout.page(to).start,
        };
        let mut add = |what, changes| {
            let cell = Cell {
                action: Action::Mix,
                what,
                source: Source::Earlier,
            };
            campaign
                .entry(cell)
                .or_default()
                .push(Tampering { base, changes });
        };
        for page in 0..self.layout.pages {
            for to in 0..self.layout.pages {
                add(What::Page, vec![copy(page, to)]);
            }
        }
        for set in 1..(1_usize << self.layout.pages) - 1 {
            let pages = (0..self.layout.pages).filter(|page| set >> page & 1 == 1);
            add(What::Range, pages.map(|page| copy(page, page)).collect());
        }
    }

    pub(crate) fn flips(&self, base: usize, campaign: &mut Campaign) {
        let cell = Cell {
            action: Action::Flip,
            what: What::Bit,
            source: Source::Itself,
        };
        let flips = (0..self.images[base].len() * 8).map(|bit| Tampering {
            base,
            changes: vec![Change::Flip { bit }],
        });
        campaign.entry(cell).or_default().extend(flips);
    }

    fn end_of_page(&self, at: usize) -> usize {
        (at / self.layout.page + 1) * self.layout.page
    }

    /// The rest of this page, and the pages after it up to the head.
    pub(crate) fn to_the_end_of_the_log(&self, base: usize, at: usize) -> Vec<Range<usize>> {
        let rest_of_page = at..self.end_of_page(at);
        let mut places = Vec::from([rest_of_page]);
        let (mut page, head) = (at / self.layout.page, self.layout.head(self.images[base]));
        if self.layout.records_of(self.images[base], page).is_empty() {
            return places;
        }
        while page >= LOG_START && page != head {
            page = self.layout.after(page);
            places.push(self.layout.page(page));
        }
        places
    }
}
