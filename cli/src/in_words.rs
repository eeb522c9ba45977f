//! Layouts, pages, names and values for people.
//!
//! ```text
//!  map · inspect · image_file
//!  in_words (this file)
//!  bydesign::store::inspect
//! ```

use bydesign::flash::MediumKind;
use bydesign::store::inspect::{Layout, Role};
use zeroize::Zeroizing;

use crate::expected::to_hexadecimal;

/// Medium, word and pages.
#[must_use]
pub fn layout(layout: Layout) -> String {
    format!(
        "{}, words of {} bytes, {} pages of {} bytes",
        medium_name(layout.medium),
        layout.word,
        layout.pages,
        layout.page_size
    )
}

/// As in the arguments.
#[must_use]
pub fn medium_name(medium: MediumKind) -> &'static str {
    match medium {
        MediumKind::Overwritable => "overwritable",
        MediumKind::WriteOnce => "write-once",
        _ => "unknown medium",
    }
}

/// The name of an item. What it does to a terminal is not the name's to decide.
#[must_use]
pub fn name(name: &str) -> String {
    if name.is_empty() {
        "(empty)".into()
    } else {
        name.escape_debug().to_string()
    }
}

/// What a page is, in a word or two.
#[must_use]
pub fn role(role: Role, number: u16, generation: Option<u32>) -> String {
    let name = match role {
        Role::Keys => "keys",
        Role::FormerKeys => "FORMER KEYS",
        Role::Log => "log",
        Role::Dead => "dead",
        Role::Free => "free",
        Role::LeftOut => "left out",
        _ if number < 2 => "key page",
        _ => "log page",
    };
    let letter = if number < 2 { 'v' } else { 'g' };
    generation.map_or_else(
        || name.to_owned(),
        |generation| format!("{name} {letter}{generation}"),
    )
}

/// As in a list of expected values.
#[must_use]
pub fn value(value: &[u8]) -> Zeroizing<String> {
    let text = std::str::from_utf8(value).ok();
    match text.filter(|text| !text.is_empty() && !text.contains(char::is_control)) {
        Some(text) => Zeroizing::new(format!("text:{text}")),
        None => to_hexadecimal(value),
    }
}
