//! A file as the flash: does it behave as flash does, does the store live on it, and does it hold when a process is killed? What a
//! disk that loses power leaves is tested beside the code, in `src/flash/file/tests.rs`.

use crate::support;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use bydesign::flash::file::{AccessError, FileFlash, OpenError};
use bydesign::flash::simulator::{Rule, Simulator};
use bydesign::flash::{NeverPends, Overwritable, WriteOnce};
use bydesign::store::{MountError, Store};
use chacha20::rand_core::Rng;
use embedded_storage::nor_flash::{NorFlash, NorFlashError, ReadNorFlash};
use support::operation::{Operation, Outcome, put};
use support::{LABEL, Memory, Model, contents, random, root_key};

const CAPACITY: usize = 8 * 4096;

type Flash = FileFlash<4, 4096>;

// ---- a store on a file ----

#[test]
fn store_on_a_file_is_there_again_after_the_program_ended() {
    for overwritable in [false, true] {
        let place = Place::new();
        let path = place.path("store.img");
        if overwritable {
            lifecycle(&path, Overwritable::new);
        } else {
            lifecycle(&path, WriteOnce::new);
        }
        assert_eq!(place.names(), ["store.img"]);
    }
}

fn lifecycle<M: NeverPends>(path: &Path, wrap: impl Fn(Flash) -> M) {
    let flash = Flash::create(path, CAPACITY).unwrap();
    let refused = Store::mount(wrap(flash), Memory::new(), &root_key(), LABEL).err();
    assert_eq!(refused, Some(MountError::Unformatted));
    let mut random = random(1);
    let flash = Flash::open(path, CAPACITY).unwrap();
    drop(Store::format(wrap(flash), Memory::new(), &root_key(), LABEL, &mut random).unwrap());

    let mut model = Model::new();
    for round in 0..6u32 {
        let flash = Flash::open(path, CAPACITY).unwrap();
        let mut store = Store::mount(wrap(flash), Memory::new(), &root_key(), LABEL).unwrap();
        assert_eq!(contents(&mut store), model);
        for number in round * 10..round * 10 + 10 {
            let operation = operation(number);
            assert_eq!(operation.run(&mut store, &mut random), Outcome::Done);
            model = operation.apply(&model);
        }
        assert_eq!(contents(&mut store), model);
    }
}

/// The operation with this number in an endless history: most put, some remove or erase.
fn operation(number: u32) -> Operation {
    let [low, ..] = number.to_le_bytes();
    let class = low % 5;
    let key = low % 7 + 1;
    match number % 29 {
        5 | 17 => Operation::Remove { class, key },
        23 => Operation::EraseItem { class, key },
        28 => Operation::EraseClass { class },
        _ => put(class, key, u16::from(low) * 3 % 400, low),
    }
}

#[test]
fn image_of_a_file_and_of_a_part_are_the_same_bytes() {
    let place = Place::new();
    let path = place.path("store.img");
    let mut simulator = Simulator::<4, 4096>::new(CAPACITY, Rule::WriteOnce);
    let mut model = Model::new();
    {
        let (mut one, mut other) = (random(7), random(7));
        let flash = Flash::create(&path, CAPACITY).unwrap();
        let mut on_file =
            Store::format(WriteOnce::new(flash), Memory::new(), &root_key(), LABEL, &mut one).unwrap();
        let mut on_part = Store::format(
            WriteOnce::new(&mut simulator),
            Memory::new(),
            &root_key(),
            LABEL,
            &mut other,
        )
        .unwrap();
        for number in 0..60 {
            assert_eq!(operation(number).run(&mut on_file, &mut one), Outcome::Done);
            assert_eq!(operation(number).run(&mut on_part, &mut other), Outcome::Done);
            model = operation(number).apply(&model);
        }
    }
    assert_eq!(fs::read(&path).unwrap(), simulator.image());

    // The file's bytes as a part, and a part's bytes as a file.
    let image = fs::read(&path).unwrap();
    let mut part = Simulator::<4, 4096>::from_image(&image, Rule::WriteOnce);
    let mut store = Store::mount(WriteOnce::new(&mut part), Memory::new(), &root_key(), LABEL).unwrap();
    assert_eq!(contents(&mut store), model);
    let copy = place.path("copy.img");
    fs::write(&copy, simulator.image()).unwrap();
    let flash = Flash::open(&copy, CAPACITY).unwrap();
    let mut store = Store::mount(WriteOnce::new(flash), Memory::new(), &root_key(), LABEL).unwrap();
    assert_eq!(contents(&mut store), model);
}

// ---- a file as flash ----

//= compliance/requirements.md#file-3
//= type=test
//# Programming a file MUST clear bits only, and erasing it MUST set all bits of the units and no other.
#[test]
fn same_random_calls_do_the_same_to_a_file_and_a_simulated_part() {
    let seed = getrandom::u64().unwrap_or(0);
    println!("seed {seed}"); // shown when the test fails
    let mut random = random(seed);
    let place = Place::new();
    let path = place.path("flash.img");
    let mut file = FileFlash::<4, 1024>::create(&path, CAPACITY).unwrap();
    let mut part = Simulator::<4, 1024>::new(CAPACITY, Rule::Multiwrite);
    let capacity = u32::try_from(CAPACITY).unwrap();
    let (mut done, mut refused) = (0, 0);
    for call in 0..400 {
        let mut number = |below: u32| random.next_u32() % below;
        // Every ninth is not aligned, and some end behind the end.
        let step = if number(9) == 0 { 1 } else { 4 };
        let at = number(capacity / step + 8) * step;
        let len = number(1400) / step * step;
        let (one, other) = match call % 8 {
            0 => {
                let from = at / 1024 * 1024 + u32::from(number(8) == 0);
                let to = from + number(4) * 1024;
                (
                    file.erase(from, to).map_err(|error| error.kind()),
                    part.erase(from, to).map_err(|error| error.kind()),
                )
            }
            1 | 2 => {
                let (mut one, mut other) = (vec![7; len as usize], vec![7; len as usize]);
                let results = (
                    file.read(at, &mut one).map_err(|error| error.kind()),
                    part.read(at, &mut other).map_err(|error| error.kind()),
                );
                assert_eq!(one, other, "call {call}");
                results
            }
            _ => {
                let mut bytes = vec![0; len as usize];
                random.fill_bytes(&mut bytes);
                (
                    file.write(at, &bytes).map_err(|error| error.kind()),
                    part.write(at, &bytes).map_err(|error| error.kind()),
                )
            }
        };
        assert_eq!(one, other, "call {call}");
        *(if one.is_ok() { &mut done } else { &mut refused }) += 1;
        assert_eq!(fs::read(&path).unwrap(), part.image(), "call {call}");
    }
    assert!(
        done > 200 && refused > 10,
        "{done} calls went through, {refused} were refused"
    );
}

#[test]
fn file_takes_its_full_size_from_the_start_and_is_its_owners_alone() {
    let place = Place::new();
    let path = place.path("store.img");
    drop(Flash::create(&path, CAPACITY).unwrap());
    assert_eq!(fs::read(&path).unwrap(), vec![0xff; CAPACITY]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!(metadata.mode() & 0o777, 0o600);
        assert!(metadata.blocks() * 512 >= CAPACITY as u64, "no holes");
    }
}

// ---- what is refused ----

//= compliance/requirements.md#file-1
//= type=test
//# A file MUST NOT be open as flash twice at a time, in one process or in two: the second is refused by name, and changes nothing.
#[test]
fn second_handle_of_one_process_is_refused_by_name() {
    let place = Place::new();
    let path = place.path("store.img");
    let first = Flash::create(&path, CAPACITY).unwrap();
    refused(Flash::open(&path, CAPACITY), &path, "is in use");
    drop(first);
    let first = Flash::open(&path, CAPACITY).unwrap();
    refused(Flash::open(&path, CAPACITY), &path, "is in use");
    #[cfg(unix)]
    {
        let link = place.path("link.img");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        refused(Flash::open(&link, CAPACITY), &link, "is in use");
    }
    drop(first);
    Flash::open(&path, CAPACITY).unwrap();
}

#[test]
fn second_process_is_refused_by_name() {
    let place = Place::new();
    let path = place.path("store.img");
    let first = Flash::create(&path, CAPACITY).unwrap();
    let output = child(&path, "open").output().unwrap();
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    let expected = format!(
        "{}: is in use, by another process or another handle",
        path.display()
    );
    assert!(output.contains(&expected), "{output}");
    drop(first);
    let output = child(&path, "open").output().unwrap();
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.contains("opened"), "{output}");
}

//= compliance/requirements.md#file-4
//= type=test
//# A file that has another size than it was said to have, is marked as read-only or is no regular file MUST be refused by name and left as it was.
#[test]
fn file_of_another_size_is_refused_with_both_sizes_and_left_as_it_was() {
    for size in [0, 1, CAPACITY - 4096, CAPACITY - 1, CAPACITY + 1, 2 * CAPACITY] {
        let place = Place::new();
        let path = place.path("store.img");
        let bytes = vec![0x5a; size];
        fs::write(&path, &bytes).unwrap();
        refused(
            Flash::open(&path, CAPACITY),
            &path,
            &format!("has {size} bytes, not {CAPACITY}"),
        );
        refused(Flash::create(&path, CAPACITY), &path, "is there already");
        assert_eq!(fs::read(&path).unwrap(), bytes);
        assert_eq!(place.names(), ["store.img"]);
    }
}

#[test]
fn file_that_is_there_is_not_made_anew() {
    let place = Place::new();
    let path = place.path("store.img");
    let mut flash = Flash::create(&path, CAPACITY).unwrap();
    flash.write(0, &[0; 4]).unwrap();
    let before = fs::read(&path).unwrap();
    refused(Flash::create(&path, CAPACITY), &path, "is there already");
    drop(flash);
    refused(Flash::create(&path, CAPACITY), &path, "is there already");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn file_that_is_not_there_is_named_and_not_made() {
    let place = Place::new();
    let path = place.path("absent.img");
    refused(Flash::open(&path, CAPACITY), &path, "there is no such file");
    assert!(place.names().is_empty());
    let nowhere = place.path("absent/store.img");
    refused(Flash::open(&nowhere, CAPACITY), &nowhere, "there is no such file");
    refused(
        Flash::create(&nowhere, CAPACITY),
        &nowhere,
        "cannot make the file",
    );
}

#[test]
fn directory_or_device_is_no_file() {
    let place = Place::new();
    let path = place.path("directory");
    fs::create_dir(&path).unwrap();
    refused(Flash::open(&path, CAPACITY), &path, "is not a regular file");
    refused(Flash::create(&path, CAPACITY), &path, "is there already");
    #[cfg(unix)]
    {
        let device = Path::new("/dev/null");
        refused(Flash::open(device, CAPACITY), device, "is not a regular file");
    }
}

#[test]
fn file_marked_read_only_is_refused_to_the_superuser_too() {
    let place = Place::new();
    let path = place.path("store.img");
    drop(Flash::create(&path, CAPACITY).unwrap());
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    refused(Flash::open(&path, CAPACITY), &path, "read-only");
    assert_eq!(fs::read(&path).unwrap(), vec![0xff; CAPACITY]);
}

#[test]
fn capacity_that_is_not_of_whole_units_is_refused() {
    let place = Place::new();
    let path = place.path("store.img");
    for capacity in [0, 1, 4095, 4097, u32::MAX as usize + 1] {
        refused(Flash::create(&path, capacity), &path, "whole erase units");
        refused(Flash::open(&path, capacity), &path, "whole erase units");
    }
    assert!(place.names().is_empty());
}

//= compliance/requirements.md#file-6
//= type=test
//# A file that is made for the flash MUST be whole and blank when it appears under its name, wherever the making was interrupted.
#[test]
fn making_that_was_interrupted_is_begun_anew() {
    let place = Place::new();
    let path = place.path("store.img");
    for left in [0, 100, CAPACITY, 2 * CAPACITY] {
        fs::write(place.path("store.img.new"), vec![0; left]).unwrap();
        refused(Flash::open(&path, CAPACITY), &path, "there is no such file");
        drop(Flash::create(&path, CAPACITY).unwrap());
        assert_eq!(fs::read(&path).unwrap(), vec![0xff; CAPACITY]);
        assert_eq!(place.names(), ["store.img"]);
        fs::remove_file(&path).unwrap();
    }
    let directory = place.path("store.img.new");
    fs::create_dir(&directory).unwrap();
    refused(
        Flash::create(&path, CAPACITY),
        &directory,
        "is not a regular file",
    );
}

#[test]
fn making_a_file_destroys_no_data_under_the_other_name() {
    let place = Place::new();
    let other = place.path("store.img.new");
    let medium = WriteOnce::new(Flash::create(&other, CAPACITY).unwrap());
    drop(Store::format(medium, Memory::new(), &root_key(), LABEL, &mut random(1)).unwrap());
    let before = fs::read(&other).unwrap();
    refused(
        Flash::create(place.path("store.img"), CAPACITY),
        &other,
        "is there already",
    );
    assert!(fs::read(&other).unwrap() == before);
    assert_eq!(place.names(), ["store.img.new"]);
}

#[test]
fn process_killed_while_it_makes_the_file_leaves_a_whole_one_or_none() {
    let mut random = random(11);
    let (mut whole, mut none) = (0, 0);
    for _ in 0..40 {
        let place = Place::new();
        let path = place.path("store.img");
        let mut process = child(&path, "create").stdout(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_micros(u64::from(random.next_u32() % 40_000)));
        process.kill().unwrap();
        process.wait().unwrap();
        match Flash::open(&path, LARGE) {
            Ok(flash) => {
                whole += 1;
                drop(flash);
                assert!(fs::read(&path).unwrap().iter().all(|&byte| byte == 0xff));
            }
            Err(OpenError::Missing { .. }) => {
                none += 1;
                drop(Flash::create(&path, LARGE).unwrap());
            }
            Err(error) => panic!("{error}"),
        }
        assert_eq!(place.names(), ["store.img"]);
    }
    println!("{whole} whole, {none} not there");
}

#[test]
fn two_that_make_one_file_do_not_both_have_it() {
    for _ in 0..20 {
        let place = Place::new();
        let path = place.path("store.img");
        let made: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| Flash::create(&path, CAPACITY)))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "{made:?}");
        assert_eq!(place.names(), ["store.img"]);
        assert_eq!(fs::read(&path).unwrap(), vec![0xff; CAPACITY]);
    }
}

//= compliance/requirements.md#file-7
//= type=test
//# A file that was made shorter or longer since it was opened MUST be refused by name when it is to be written to, and MUST NOT be made longer.
#[test]
fn file_whose_size_somebody_changed_is_refused_and_not_grown() {
    type Call = fn(&mut Flash, u32) -> Result<(), AccessError>;
    let last = u32::try_from(CAPACITY - 4096).unwrap();
    let calls: [Call; 5] = [
        |flash, last| flash.erase(last, last + 4096),
        |flash, _| flash.erase(0, 4096),
        |flash, last| flash.write(last + 4092, &[0; 4]),
        |flash, _| flash.write(0, &[0; 1024]),
        |flash, last| flash.read(last, &mut [0; 4096]),
    ];
    for size in [
        0,
        100,
        4096,
        CAPACITY - 4096,
        CAPACITY - 1,
        CAPACITY + 1,
        2 * CAPACITY,
    ] {
        for (number, call) in calls.iter().enumerate() {
            let context = format!("{size} bytes, call {number}");
            let place = Place::new();
            let path = place.path("store.img");
            let mut flash = Flash::create(&path, CAPACITY).unwrap();
            let others = fs::OpenOptions::new().write(true).open(&path).unwrap();
            others.set_len(size as u64).unwrap();
            let before = fs::read(&path).unwrap();
            let result = call(&mut flash, last);
            assert!(
                fs::read(&path).unwrap() == before,
                "{context}: {:?} bytes now",
                fs::metadata(&path).unwrap().len()
            );
            if number == 4 && size > CAPACITY {
                result.unwrap(); // what it was opened for is all there
                continue;
            }
            let error = result.expect_err(&context);
            assert_eq!(
                error.to_string(),
                format!(
                    "{}: has {size} bytes by now, not {CAPACITY}: somebody changed its size",
                    path.display()
                )
            );
            // Nor is it believed when it has its size again.
            others.set_len(CAPACITY as u64).unwrap();
            assert!(matches!(
                flash.read(0, &mut [0]),
                Err(AccessError::Suspect { .. })
            ));
            assert!(matches!(flash.erase(0, 4096), Err(AccessError::Suspect { .. })));
        }
    }
}

/// A file that takes a while to make.
const LARGE: usize = 4 * 1024 * 1024;

#[track_caller]
fn refused(result: Result<Flash, OpenError>, path: &Path, expected: &str) {
    let error = result.expect_err("is refused").to_string();
    assert!(error.contains(expected), "{expected:?} is not in {error:?}");
    assert!(
        error.contains(&path.display().to_string()),
        "{error:?} does not name the file"
    );
}

// ---- a process that is killed ----

const KILLS: u32 = 120;

#[test]
fn process_killed_at_any_moment_loses_nothing_that_it_acknowledged() {
    let seed = getrandom::u64().unwrap_or(0);
    println!("seed {seed}"); // shown when the test fails
    let mut random = random(seed);
    let place = Place::new();
    let path = place.path("store.img");
    let flash = Flash::create(&path, CAPACITY).unwrap();
    drop(
        Store::format(
            WriteOnce::new(flash),
            Memory::new(),
            &root_key(),
            LABEL,
            &mut random,
        )
        .unwrap(),
    );
    let mut model = Model::new();
    let mut next = 0;
    let (mut acknowledged, mut in_flight, mut before_any) = (0, 0, 0);
    for kill in 0..KILLS {
        let mut process = child(&path, &format!("run {next}"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let mut begun = Vec::new();
        if kill % 3 != 0 {
            // Not while it starts and mounts.
            begun.extend(lines.find(|line| line.starts_with("done ")));
        }
        thread::sleep(Duration::from_micros(u64::from(random.next_u32() % 30_000)));
        process.kill().unwrap();
        process.wait().unwrap();
        begun.extend(lines.filter(|line| line.starts_with("done ")));

        before_any += u32::from(begun.is_empty());
        for line in &begun {
            assert_eq!(*line, format!("done {next}"), "kill {kill}");
            model = operation(next).apply(&model);
            next += 1;
            acknowledged += 1;
        }
        let flash = Flash::open(&path, CAPACITY).unwrap();
        let mut store = Store::mount(WriteOnce::new(flash), Memory::new(), &root_key(), LABEL)
            .unwrap_or_else(|error| panic!("kill {kill}, after operation {next}: does not mount: {error}"));
        let state = contents(&mut store);
        if state != model {
            model = operation(next).apply(&model);
            assert_eq!(state, model, "kill {kill}, after operation {next}: a third state");
            next += 1;
            in_flight += 1;
        }
    }
    println!(
        "{KILLS} kills: {acknowledged} acknowledged, {in_flight} in flight and done, {before_any} before any"
    );
    assert!(acknowledged > KILLS / 2);
}

/// Another process of this test, which does the task with the file.
fn child(path: &Path, task: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "file::the_other_process",
            "--exact",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(FILE, path)
        .env(TASK, task)
        .stderr(Stdio::null());
    command
}

const FILE: &str = "FILE_MEDIUM_FILE";
const TASK: &str = "FILE_MEDIUM_TASK";

#[test]
#[ignore = "what other tests run as a process of its own"]
fn the_other_process() {
    let (Some(path), Ok(task)) = (std::env::var_os(FILE), std::env::var(TASK)) else {
        return;
    };
    // Past the capture of test output, and at once.
    let say = |line: &str| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n{line}").unwrap();
        out.flush().unwrap();
    };
    match task.split_once(' ') {
        Some(("run", next)) => {
            let flash = Flash::open(path, CAPACITY).unwrap();
            let mut store = Store::mount(WriteOnce::new(flash), Memory::new(), &root_key(), LABEL).unwrap();
            let next: u32 = next.parse().unwrap();
            for number in next.. {
                let outcome = operation(number).run(&mut store, &mut random(number.into()));
                assert_eq!(outcome, Outcome::Done);
                say(&format!("done {number}"));
            }
        }
        None if task == "open" => match Flash::open(path, CAPACITY) {
            Ok(_) => say("opened"),
            Err(error) => say(&error.to_string()),
        },
        None if task == "create" => drop(Flash::create(path, LARGE)),
        _ => panic!("{task}: no such task"),
    }
}

// ---- a place for files ----

/// A directory that goes with the test.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "file-medium-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
