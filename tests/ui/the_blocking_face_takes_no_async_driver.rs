use bydesign::flash::Overwritable;
use bydesign::store::{Memory, Store};
use embedded_storage_async::nor_flash::MultiwriteNorFlash;

fn mount<F: MultiwriteNorFlash, I: Memory>(driver: F, memory: I, root_key: &bydesign::secret::RootKey) {
    let _ = Store::mount(Overwritable::from_async(driver), memory, root_key, "label");
}

fn main() {}
