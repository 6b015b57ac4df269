//! Runs the function that `DYNAMETER_FUZZ_TARGET` names on every text that libFuzzer makes. It is a
//! program of its own, since libFuzzer looks at all of a program after every input.

#![no_main]

mod all;

use std::path::PathBuf;
use std::sync::OnceLock;

use all::{FUNCTIONS, Function};

static FUNCTION: OnceLock<&'static Function> = OnceLock::new();

/// The function, with its seeds in the folder of its corpus, where libFuzzer looks for them.
fn setting() -> &'static Function {
    let name = std::env::var("DYNAMETER_FUZZ_TARGET").unwrap_or_default();
    let names = FUNCTIONS.iter().map(|one| one.name);
    let names: Vec<&str> = names.collect();
    if name == "list" {
        println!("{}", names.join("\n"));
        std::process::exit(0);
    }
    let Some(function) = FUNCTIONS.iter().find(|one| one.name == name) else {
        eprintln!(
            "DYNAMETER_FUZZ_TARGET is {name:?}; it names one of {}",
            names.join(", ")
        );
        std::process::exit(2)
    };
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let corpus = own.join("corpus").join(&name);
    std::fs::create_dir_all(&corpus).expect("a folder for the corpus");
    for (at, text) in function.seeds.iter().enumerate() {
        std::fs::write(corpus.join(format!("seed-{at}")), text).expect("a seed");
    }
    function
}

libfuzzer_sys::fuzz_target!(
    init: {
        FUNCTION.get_or_init(setting);
    },
    |bytes: &[u8]| {
        let function = FUNCTION.get_or_init(setting);
        (function.run)(&String::from_utf8_lossy(bytes));
    }
);
