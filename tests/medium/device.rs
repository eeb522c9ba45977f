//! A block device as the flash, on a loop device of Linux. Where there is none to be had, which takes the superuser and a kernel that has
//! them, each test says `LEFT OUT` and why, and CI reports that as a step it skipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bydesign::erase::{Eraser, Exported, Media, Residual, Scope};
use bydesign::flash::WriteOnce;
use bydesign::flash::file::{FileFlash, OpenError};
use bydesign::store::{Class, Store};

use crate::support::{LABEL, Memory, random, root_key};

const CAPACITY: usize = 256 * 1024;

type Flash = FileFlash<8, 4096>;

/// A file that the kernel shows as a block device, until it is dropped.
struct Loop {
    file: PathBuf,
    device: PathBuf,
}

impl Loop {
    fn over(name: &str, bytes: &[u8]) -> Option<Self> {
        let file = std::env::temp_dir().join(format!("bydesign-loop-{}-{name}", std::process::id()));
        fs::write(&file, bytes).expect("is written");
        let attached = Command::new("losetup")
            .args(["--find", "--show"])
            .arg(&file)
            .output();
        let reason = match attached {
            Ok(output) if output.status.success() => {
                let device = String::from_utf8(output.stdout).expect("a path").trim().into();
                return Some(Self { file, device });
            }
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        println!("LEFT OUT: no loop device: {}", reason.trim());
        fs::remove_file(&file).expect("goes");
        None
    }

    /// What is on the disk behind the device.
    fn bytes(&self) -> Vec<u8> {
        fs::read(&self.file).expect("reads")
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = Command::new("losetup").arg("--detach").arg(&self.device).status();
        let _ = fs::remove_file(&self.file);
    }
}

/// A program that another test starts meanwhile holds what is open here until it runs.
fn opens_again(path: &Path) -> Flash {
    for _ in 0..500 {
        match Flash::open_device(path, CAPACITY) {
            Err(OpenError::Locked { .. }) => std::thread::sleep(std::time::Duration::from_millis(10)),
            opened => return opened.expect("opens again"),
        }
    }
    panic!("{} stays locked", path.display())
}

fn refused(result: Result<Flash, OpenError>, path: &Path, reason: &str) {
    let message = result.expect_err("is refused").to_string();
    assert!(message.contains(&path.display().to_string()), "{message}");
    assert!(message.contains(reason), "{message}");
}

#[test]
fn a_store_on_a_device_is_there_again_and_is_called_no_more_than_cleared_when_it_is_erased() {
    let Some(disk) = Loop::over("store", &vec![0; CAPACITY]) else {
        return;
    };
    let mut random = random(3);
    let flash = Flash::create_on_device(&disk.device, CAPACITY).expect("is made blank");
    let mut store = Store::format(
        WriteOnce::new(flash),
        Memory::new(),
        &root_key(),
        LABEL,
        &mut random,
    )
    .expect("formats");
    store
        .put_bytes(Class::User, "name", b"a value of somebody", &mut random)
        .expect("puts");
    drop(store);

    let flash = Flash::open_device(&disk.device, CAPACITY).expect("opens");
    let mut store = Store::mount(WriteOnce::new(flash), Memory::new(), &root_key(), LABEL).expect("mounts");
    let mut value = [0; 32];
    assert_eq!(store.get_bytes(Class::User, "name", &mut value), Ok(Some(19)));
    assert_eq!(&value[..19], b"a value of somebody");

    let mut eraser = Eraser::new(&mut []).unwrap();
    let plan = eraser.plan(&mut store, Scope::Decommission).unwrap();
    let report = eraser.carry_out(&mut store, plan, &mut random).unwrap();
    assert_eq!(report.media, Media::Managed);
    assert_eq!(report.store.residual, Residual::HiddenCopies);
    assert_eq!(report.store.sanitization(report.media), Some("clear"));
    eraser
        .finish(store, Exported::acknowledged(), &mut random)
        .unwrap();
    let is_erased = |unit: &[u8]| unit[16..].iter().all(|&byte| byte == 0xff);
    assert!(
        disk.bytes().chunks(4096).all(is_erased),
        "nothing but the marks of erased pages is on the disk"
    );
}

//= compliance/requirements.md#file-8
//= type=test
//# A block device MUST be taken only where it is called one, has exactly the size that it was said to have, and is neither mounted nor open elsewhere as flash.
#[test]
fn a_device_is_taken_only_where_it_is_called_one_in_its_size_and_once() {
    let Some(disk) = Loop::over("once", &vec![0xff; CAPACITY]) else {
        return;
    };
    let path = &disk.device;
    refused(Flash::open(path, CAPACITY), path, "is not a regular file");
    refused(Flash::create(path, CAPACITY), path, "is there already");
    for other in [CAPACITY - 4096, CAPACITY + 4096] {
        let sizes = format!("has {CAPACITY} bytes, not {other}");
        refused(Flash::open_device(path, other), path, &sizes);
        refused(Flash::create_on_device(path, other), path, &sizes);
    }
    refused(
        Flash::open_device(&disk.file, CAPACITY),
        &disk.file,
        "is not a block device",
    );
    let first = Flash::open_device(path, CAPACITY).expect("opens");
    refused(Flash::open_device(path, CAPACITY), path, "is in use");
    refused(Flash::create_on_device(path, CAPACITY), path, "is in use");
    drop(first);
    drop(opens_again(path));
    assert!(disk.bytes().iter().all(|&byte| byte == 0xff));
}

//= compliance/requirements.md#file-8
//= type=test
//# A block device that holds data MUST NOT be made blank.
#[test]
fn a_device_with_data_anywhere_is_not_made_blank() {
    for at in [0, CAPACITY / 2, CAPACITY - 1] {
        let mut data = vec![0; CAPACITY];
        data[at] = 1;
        let Some(disk) = Loop::over(&format!("data{at}"), &data) else {
            return;
        };
        refused(
            Flash::create_on_device(&disk.device, CAPACITY),
            &disk.device,
            "is there already",
        );
        assert_eq!(disk.bytes(), data);
    }
}

#[test]
fn a_device_that_is_mounted_is_refused() {
    let Some(disk) = Loop::over("mounted", &vec![0; 1024 * 1024]) else {
        return;
    };
    let at = disk.file.with_extension("at");
    let made = Command::new("mkfs.ext2").arg("-q").arg(&disk.device).status();
    fs::create_dir_all(&at).expect("a folder");
    let mounted = Command::new("mount").arg(&disk.device).arg(&at).status();
    if !(made.is_ok_and(|status| status.success()) && mounted.is_ok_and(|status| status.success())) {
        println!("LEFT OUT: no file system can be made and mounted here");
        fs::remove_dir(&at).expect("goes");
        return;
    }
    let result = Flash::open_device(&disk.device, 1024 * 1024);
    let unmounted = Command::new("umount").arg(&at).status();
    fs::remove_dir(&at).expect("goes");
    assert!(unmounted.is_ok_and(|status| status.success()));
    refused(result, &disk.device, "is in use");
}
