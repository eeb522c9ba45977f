//! Orders in which vendors write down an alphabet.
//!
//! ```text
//!  audit::bias · audit::derived · audit::generator
//!  audit::orders (this file)
//! ```

use std::collections::BTreeSet;
use std::string::String;
use std::vec::Vec;

use super::shape::kind;

/// The symbols in each of the usual orders, without repetition; the first is that of their codes.
pub(super) fn of(symbols: &[String]) -> Vec<Vec<String>> {
    let mut orders: Vec<Vec<String>> = Vec::new();
    for kinds in KINDS {
        let rank = |symbol: &String| {
            kinds
                .iter()
                .position(|of| *of == kind(symbol))
                .unwrap_or(kinds.len())
        };
        let mut order: Vec<String> = symbols.to_vec();
        order.sort_by(|one, other| rank(one).cmp(&rank(other)).then_with(|| one.cmp(other)));
        if !orders.contains(&order) {
            orders.push(order);
        }
    }
    // Digits on a telephone or keyboard end with the zero.
    if symbols.iter().all(|symbol| kind(symbol) == 0) && symbols.len() == 10 {
        let mut order = symbols.to_vec();
        order.rotate_left(1);
        orders.push(order);
    }
    orders
}

/// How many symbols there are in an alphabet that these are drawn from, as far as they show it.
pub(super) fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let letters: BTreeSet<char> = texts.flat_map(str::chars).collect();
    letters.into_iter().map(String::from).collect()
}

/// Digits are kind 0, lower case 1, upper case 2, other letters 3, the rest 4.
const KINDS: [[u8; 5]; 7] = [
    [0, 2, 1, 3, 4],
    [0, 1, 2, 3, 4],
    [1, 2, 0, 3, 4],
    [2, 1, 0, 3, 4],
    [1, 0, 2, 3, 4],
    [2, 0, 1, 3, 4],
    [4, 0, 2, 1, 3],
];
