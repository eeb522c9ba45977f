use bydesign::credential::factory::{BatchKey, Sources};

fn seeded(key: BatchKey) {
    let _ = Sources::from(42_u64);
    let _ = BatchKey([7; 32]);
    println!("{key:?}");
}

fn main() {}
