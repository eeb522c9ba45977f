use bydesign::telemetry::Raw;

fn main() {
    let reading = Raw::new(21);
    let _ = postcard_of(&reading);
}

fn postcard_of<T: serde::Serialize>(_: &T) {}
