use bydesign::store::{Class, Key};

const LONG: Key<u32> = Key::new("0123456789012345678901234567890123456789012345678901234567890123", Class::User);

fn main() {
    let _ = LONG;
}
