use bydesign::telemetry::Raw;

fn main() {
    let reading = Raw::new(21);
    println!("{reading:?}");
    let _ = reading.clone();
    let _ = reading.0;
    let _ = reading.into_reading();
}
