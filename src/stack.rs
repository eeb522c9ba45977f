//! Stack that is wiped behind a call: what the call moved from, spilled or never cleared does not stay below its caller.
//!
//! ```text
//!  store
//!  crypto
//!  secret   stack (this file)
//! ```
//!
//! A `Drop` wipes a value where it last was. It does not reach the places that the value was moved from, nor the words that the
//! compiler spilled while something computed with it; those lie in frames that have returned. Decision 17 has the measurements.

use core::marker::PhantomData;
use core::mem::MaybeUninit;

use zeroize::Zeroize;

/// Runs `call` in frames of its own, and wipes as much of the stack that they lay on as a `Room` takes.
///
/// The output is written to its place in the caller's frame, which is not wiped.
//= compliance/requirements.md#secret-4
//# An operation of the blocking store MUST wipe the stack that it used before it returns, and so MUST each call of the cipher and each derivation of a key.
pub(crate) fn on_wiped_stack<Room, Output>(call: impl FnOnce() -> Output) -> Output {
    // Wiped when this is dropped, after the output is where the caller wants it: in a variable here it would lie once more, in a frame that nobody
    // wipes.
    let _behind = Behind::<Room>(PhantomData);
    apart(call)
}

/// Wipes the stack below when it is dropped.
struct Behind<Room>(PhantomData<Room>);

impl<Room> Drop for Behind<Room> {
    fn drop(&mut self) {
        wipe::<Room>();
    }
}

/// Frames that nothing of the caller is in.
#[inline(never)]
fn apart<Output>(call: impl FnOnce() -> Output) -> Output {
    call()
}

/// Never inlined, so that its room begins where the frame of [`apart`] did.
#[inline(never)]
fn wipe<Room>() {
    let mut room = [const { MaybeUninit::<Room>::uninit() }; 1];
    room.as_mut_slice().zeroize();
}
