fn main() {
    let secret = bydesign::secret::Secret::new([7; 16]);
    println!("{secret:?}");
}
