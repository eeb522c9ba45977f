//! A store in a file, as on embedded Linux: counts how often it was started.
//!
//! ```text
//! cargo run --example linux_file [FILE]
//! ```

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use bydesign::flash::WriteOnce;
use bydesign::flash::file::{FileFlash, OpenError};
use bydesign::secret::RootKey;
use bydesign::store::{Class, Key, MountError, Ram, Store};
use getrandom::SysRng;

/// Words of 4 bytes, erase units of 4 KiB; 16 of them.
type Flash = FileFlash<4, 4096>;
const CAPACITY: usize = 16 * 4096;

type Memory = Ram<16, 256>;

const STARTS: Key<[u8; 4]> = Key::new("starts", Class::Settings);

fn main() -> Result<(), Box<dyn Error>> {
    let path = match std::env::args_os().nth(1) {
        Some(argument) => PathBuf::from(argument),
        None => std::env::temp_dir().join("bydesign-linux-file.img"),
    };
    let root_key = root_key(&path.with_extension("key"))?;

    let mut flash = match Flash::open(&path, CAPACITY) {
        Err(OpenError::Missing { .. }) => Flash::create(&path, CAPACITY)?,
        opened => opened?,
    };
    // Nothing is formatted but what is blank, so a mistaken path or key destroys nothing.
    let mounted = Store::mount(WriteOnce::new(&mut flash), Memory::new(), &root_key, "example");
    let unformatted = matches!(mounted, Err(MountError::Unformatted));
    let mut store = if unformatted {
        drop(mounted);
        Store::format(
            WriteOnce::new(&mut flash),
            Memory::new(),
            &root_key,
            "example",
            &mut SysRng,
        )?
    } else {
        mounted?
    };

    let before = store.get(&STARTS)?.map_or(0, u32::from_le_bytes);
    let starts = before.saturating_add(1);
    store.put(&STARTS, &starts.to_le_bytes(), &mut SysRng)?;

    println!("{}: start number {starts}", path.display());
    println!("{:?}", store.figures());
    Ok(())
}

/// For this example only: a random key in a file beside the store, where it guards nothing. A product asks its TPM, TEE or
/// secure element, so that a copy of the disk is worth nothing.
fn root_key(path: &Path) -> Result<RootKey, Box<dyn Error>> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes)?;
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(path)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            bytes.to_vec()
        }
        read => read?,
    };
    let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| format!("{}: is no root key", path.display()))?;
    Ok(RootKey::new(bytes)?)
}
