//! Writes the inputs that fuzzing begins with to `fuzz/corpus/`. To be run after a format has changed.

use std::path::Path;
use std::{fs, io};

use quorate_sim::fuzzing::TARGETS;

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for target in TARGETS {
        let folder = corpus.join(target.name);
        fs::create_dir_all(&folder)?;
        for seed in (target.seeds)() {
            fs::write(folder.join(&seed.name), seed.bytes)?;
        }
    }
    Ok(())
}
