use bydesign::secret::{RootKey, Secret};

fn main() {
    let _key = RootKey(Secret::new([0; 32]));
}
