use bydesign::credential::factory::BatchKey;

fn seeded(key: BatchKey) {
    let _ = BatchKey([7; 32]);
    println!("{key:?}");
}

fn main() {}
