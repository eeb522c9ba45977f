fn main() {
    println!("{:?}", bydesign::secret::RootKey::new([7; 32]).ok());
}
