//! A text as people disguise it: case, separators and look-alike digits aside.
//!
//! ```text
//!  policy · blocklist
//!  folded   (this file)
//! ```

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Most characters of a text that is looked at: as many as the longest password has bytes.
pub(super) const MOST_CHARACTERS: usize = 256;

/// Letters, digits and symbols of a text in lower case, without separators.
#[derive(ZeroizeOnDrop)]
pub(super) struct Folded {
    characters: [char; MOST_CHARACTERS],
    len: usize,
}

impl Folded {
    /// What does not fit is left out.
    pub(super) fn of(text: &str) -> Self {
        let mut folded = Self {
            characters: ['\0'; MOST_CHARACTERS],
            len: 0,
        };
        let kept = text.chars().filter(|character| !is_separator(*character));
        let lower = kept.flat_map(char::to_lowercase);
        for (place, character) in folded.characters.iter_mut().zip(lower) {
            *place = character;
            folded.len += 1;
        }
        folded
    }

    pub(super) fn characters(&self) -> &[char] {
        self.characters.get(..self.len).unwrap_or_default()
    }
}

impl Zeroize for Folded {
    fn zeroize(&mut self) {
        self.characters.zeroize();
        self.len = 0;
    }
}

/// What people put between words, and nothing is gained by.
fn is_separator(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '_' | '.' | ':' | ',' | ';' | '/' | '\\' | '|')
}

/// The letter that a digit or symbol is put in place of; letters that are taken for one another are one.
pub(super) fn letter_of(character: char) -> char {
    match character {
        '0' => 'o',
        '1' | '!' | 'i' => 'l',
        '2' => 'z',
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '6' | '9' => 'g',
        '7' | '+' => 't',
        '8' => 'b',
        other => other,
    }
}
