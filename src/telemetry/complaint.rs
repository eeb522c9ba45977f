//! What the compiler says of a declaration that is wrong: sentences with names and numbers in them, made while it compiles. No device has any of this.
//!
//! ```text
//!  schema
//!  complaint   (this file)
//! ```

/// Bytes of the longest sentence; of a longer one the end is left out.
const MOST: usize = 256;

/// A sentence in the making.
#[derive(Clone, Copy)]
pub(super) struct Complaint {
    text: [u8; MOST],
    len: usize,
}

impl Complaint {
    pub(super) const fn of(words: &str) -> Self {
        let nothing = Self {
            text: [b' '; MOST],
            len: 0,
        };
        nothing.and(words)
    }

    #[expect(clippy::indexing_slicing, reason = "below MOST, while it compiles")]
    pub(super) const fn and(mut self, words: &str) -> Self {
        let mut rest = words.as_bytes();
        while let [byte, others @ ..] = rest {
            if self.len < MOST {
                self.text[self.len] = *byte;
                self.len += 1;
            }
            rest = others;
        }
        self
    }

    pub(super) const fn number(self, number: u64) -> Self {
        let before = if number < 10 {
            self
        } else {
            self.number(number / 10)
        };
        before.and(match number % 10 {
            0 => "0",
            1 => "1",
            2 => "2",
            3 => "3",
            4 => "4",
            5 => "5",
            6 => "6",
            7 => "7",
            8 => "8",
            _ => "9",
        })
    }

    /// Millionths, as they are written in declarations: "1.25".
    pub(super) const fn millionths(self, number: u64) -> Self {
        let mut sentence = self.number(number / 1_000_000).and(".");
        let (mut rest, mut unit) = (number % 1_000_000, 100_000);
        while unit > 0 {
            sentence = sentence.number(rest / unit);
            rest %= unit;
            unit = if rest == 0 { 0 } else { unit / 10 };
        }
        sentence
    }

    /// Refuses the declaration with this sentence, unless it holds.
    ///
    /// # Panics
    ///
    /// If it does not hold; only while constants are made.
    pub(super) const fn unless(&self, holds: bool) {
        assert!(holds, "{}", self.text());
    }

    const fn text(&self) -> &str {
        match core::str::from_utf8(self.text.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "a declaration that is wrong",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_has_names_and_numbers_and_an_end() {
        let sentence = Complaint::of("the field `")
            .and("often")
            .and("` costs ")
            .millionths(1_250_000)
            .and(" of ")
            .number(20_600);
        assert_eq!(sentence.text(), "the field `often` costs 1.25 of 20600");
        assert_eq!(Complaint::of("").millionths(3_000_000).text(), "3.0");
        assert_eq!(Complaint::of("").millionths(70).text(), "0.00007");
        assert_eq!(Complaint::of(&"é".repeat(200)).text().len(), MOST);
        assert_eq!(
            Complaint::of(&"éa".repeat(200)).text(),
            "a declaration that is wrong"
        );
    }
}
