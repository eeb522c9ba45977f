use bydesign::telemetry::Raw;

fn main() {
    let reading = Raw::new(21);
    println!("{reading:?}");
    let copy = reading.clone();
    let number = copy.0;
    assert!(number == copy.into_reading());
}
