use bydesign::credential::factory::{BatchKey, Mac};

fn key_of_the_network(key: &BatchKey, address: &Mac) {
    let _ = key.generator("wifi-key", address);
}

fn main() {}
