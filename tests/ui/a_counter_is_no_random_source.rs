use bydesign::flash::NeverPends;
use bydesign::store::{Class, EraseError, Memory, Store};
use chacha20::rand_core::TryRng;

/// A generator that is not declared fit for secrets.
struct Counter(u64);

impl TryRng for Counter {
    type Error = core::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0)
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 += 1;
        Ok(self.0)
    }
    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
        Ok(())
    }
}

fn erase<M: NeverPends, I: Memory>(store: &mut Store<M, I>) -> Result<(), EraseError> {
    store.erase(Class::User, &mut Counter(0))
}

fn main() {}
