//! One source for both faces of `bydesign`: what awaits a driver, and what has no need to.
//!
//! An `async` body keeps, in memory of its own, what it needs from one wait to the next, and asks at each poll where it was. Over a blocking
//! driver no wait ever comes, and a quarter of the store's code would be for it (`docs/decisions/0028-compiled-without-waits.md`). So the
//! library writes its routines with their waits, and where nobody asked for the async face it compiles them with the waits struck out.
//!
//! A part of `bydesign`, with its version; nothing else is to stand on it.
//!
//! ```text
//!  bydesign::flash     names `as_written` or `without_waits` as `two_faces`, by feature
//!  macros              (this file)  the attributes
//!    waits             what is struck out
//! ```

mod waits;

use proc_macro::TokenStream;

/// Leaves an item as it is written: its waits stay.
#[proc_macro_attribute]
pub fn as_written(_: TokenStream, item: TokenStream) -> TokenStream {
    item
}

/// Strikes the waits out of an item: an `async fn` becomes a function, seen by the crate alone where it was public, `.await` goes, a routine
/// gives its output, and the `async` block that is called as one becomes a closure.
#[proc_macro_attribute]
pub fn without_waits(_: TokenStream, item: TokenStream) -> TokenStream {
    waits::without(item.into()).into()
}
