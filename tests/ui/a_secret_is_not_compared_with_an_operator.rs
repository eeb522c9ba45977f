fn main() {
    let (a, b) = (bydesign::secret::Secret::new([7; 16]), bydesign::secret::Secret::new([7; 16]));
    assert!(a == b);
}
