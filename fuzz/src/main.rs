//! Runs the target that `DYNAMETER_FUZZ_TARGET` names on every input that libFuzzer makes.

#![no_main]

mod targets;

use std::path::PathBuf;
use std::sync::OnceLock;

use targets::{Scratch, Target};

static SETTING: OnceLock<(PathBuf, &'static Target, Scratch)> = OnceLock::new();

/// The target, with its seeds in the folder of its corpus, where libFuzzer looks for them.
fn setting() -> (PathBuf, &'static Target, Scratch) {
    let name = std::env::var("DYNAMETER_FUZZ_TARGET").unwrap_or_default();
    let names = targets::TARGETS.iter().map(|one| one.name);
    let names: Vec<&str> = names.collect();
    if name == "list" {
        println!("{}", names.join("\n"));
        std::process::exit(0);
    }
    let target = targets::TARGETS
        .iter()
        .find(|one| one.name == name)
        .unwrap_or_else(|| {
            eprintln!(
                "DYNAMETER_FUZZ_TARGET is {name:?}; it names one of {}",
                names.join(", ")
            );
            std::process::exit(2)
        });
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let (root, corpus) = (own.join(".."), own.join("corpus").join(target.name));
    std::fs::create_dir_all(&corpus).expect("a folder for the corpus");
    let scratch = Scratch::new();
    for (name, bytes) in target.seeds(&root, &scratch) {
        std::fs::write(corpus.join(format!("seed-{name}")), bytes).expect("a seed");
    }
    // Damaged Parquet makes its library panic, which is caught and becomes an error. Only a panic
    // that leaves the command counts: without this hook, every one would end the process.
    std::panic::set_hook(Box::new(|_| ()));
    (root, target, scratch)
}

libfuzzer_sys::fuzz_target!(
    init: {
        SETTING.get_or_init(setting);
    },
    |bytes: &[u8]| {
        let (root, target, scratch) = SETTING.get_or_init(setting);
        let done = std::panic::catch_unwind(|| target.run(root, scratch, bytes));
        if let Err(why) = done {
            let text = why.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| why.downcast_ref::<&str>().copied());
            eprintln!("panicked: {}", text.unwrap_or("without a message"));
            std::process::abort();
        }
    }
);
