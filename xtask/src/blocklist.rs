//! The filter of common passwords: made of `xtask/common_words.txt`, and compared with what is in the tree.

use std::fs;
use std::path::Path;

use crate::built::Built;
use crate::said::said;

const WORDS: &str = "xtask/common_words.txt";
const FILTER: &str = "src/credential/blocklist.bin";
/// The budget that the documentation states.
const MOST_BYTES: usize = 16 * 1024;

pub(crate) fn run(root: &Path, write: bool) -> Result<(), String> {
    let failed = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
    let words = fs::read_to_string(root.join(WORDS)).map_err(|error| failed(WORDS, &error))?;
    let directory = root.join("target/blocklist");
    fs::create_dir_all(&directory).map_err(|error| failed("target/blocklist", &error))?;
    let (list, made) = (directory.join("list.txt"), directory.join("filter.bin"));
    fs::write(&list, one_a_line(&words)).map_err(|error| failed("list.txt", &error))?;

    said(Built::all(root)?.example("own_blocklist").args([&list, &made]))?;
    let made = fs::read(&made).map_err(|error| failed("filter.bin", &error))?;
    if made.len() > MOST_BYTES {
        return Err(format!("{} bytes are more than {MOST_BYTES}", made.len()));
    }
    let path = root.join(FILTER);
    if write {
        return fs::write(&path, made).map_err(|error| failed(FILTER, &error));
    }
    let present = fs::read(&path).map_err(|error| failed(FILTER, &error))?;
    if present == made {
        println!("{FILTER} is that of {WORDS}");
        Ok(())
    } else {
        Err(format!(
            "{FILTER} is not that of {WORDS}: cargo xtask blocklist --write"
        ))
    }
}

fn one_a_line(words: &str) -> String {
    let lines = words.lines().filter(|line| !line.starts_with('#'));
    let mut list: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    list.sort_unstable();
    list.dedup();
    list.join("\n")
}
