use bydesign::credential::factory::BatchKey;

fn key_of_the_network(key: &BatchKey, ssid: &str) {
    let _ = key.generator("wifi-key", ssid);
}

fn main() {}
