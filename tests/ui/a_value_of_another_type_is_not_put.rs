use bydesign::flash::NeverPends;
use bydesign::store::{Class, Key, Memory, Store};

const BRIGHTNESS: Key<u16> = Key::new("brightness", Class::User);

fn put<M: NeverPends, I: Memory>(store: &mut Store<M, I>, random: &mut getrandom::SysRng) {
    let _ = store.put(&BRIGHTNESS, &7u64, random);
}

fn main() {}
