//! What the README shows is what the program prints.

mod support;

use std::fs;
use std::path::Path;

use support::Place;

#[test]
fn every_command_of_the_readme_prints_what_stands_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let vectors = root.join("../tests/vectors/images");
    let image = |name: &str| fs::read(vectors.join(name)).unwrap();
    let place = Place::new();
    place
        .write("before.bin", &image("v1-write-once-8-staged.bin"))
        .write("after.bin", &image("v1-write-once-8-staged-erased.bin"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let shells = readme
        .split("```")
        .filter_map(|block| block.strip_prefix("text\n"))
        .flat_map(|block| block.split("$ ").skip(1));
    let (mut run, mut read) = (0, 0);
    for shell in shells {
        let (command, output) = shell.split_once('\n').unwrap();
        if let Some(file) = command.strip_prefix("cat ") {
            place.write(file, output.trim_end().as_bytes());
            read += 1;
        } else {
            let ran = place.run(command.strip_prefix("bydesign ").unwrap());
            assert_eq!(
                ran.out().trim_end(),
                output.trim_end(),
                "{command}: {}",
                ran.error()
            );
            run += 1;
        }
    }
    assert_eq!((run, read), (6, 1), "the commands were found");
}
