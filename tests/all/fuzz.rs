//! Inputs of every kind, changed at random: no command panics, fails without a reason or prints
//! control characters. `fuzz/` does the same with libFuzzer, which sees what an input reaches.
//!
//! `DYNAMETER_FUZZ=N` runs N changed inputs of each kind, and `DYNAMETER_FUZZ_SECONDS=S` goes on with
//! them for S seconds in all; the first of them are always the same.

#[path = "../../fuzz/src/targets.rs"]
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use targets::{Scratch, TARGETS, Target};

/// Changed inputs of each kind, if nothing else is asked for.
const RUNS: u64 = 150;

/// Texts that formats give a meaning to.
const WORDS: [&str; 20] = [
    "0",
    "-1",
    "1e400",
    "18446744073709551616",
    "0.00000000000000000001",
    "null",
    "true",
    "[]",
    "{}",
    "\"",
    "\\u0000",
    "\u{1b}[31m",
    "\u{202e}",
    "\r\n",
    "::error::",
    "=1+1",
    "NaN",
    "Infinity",
    "9999-12-31T23:59:59Z",
    "99999999999999999999999999999999",
];

/// The next number below a bound that is not 0.
fn below(random: &mut Pcg64Mcg, bound: usize) -> usize {
    (random.next_u64() % bound as u64) as usize
}

/// A place between two bytes.
fn place(random: &mut Pcg64Mcg, bytes: &[u8]) -> usize {
    below(random, bytes.len() + 1)
}

/// One small change.
fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut Pcg64Mcg) {
    let (one, two) = (place(random, bytes), place(random, bytes));
    let (from, to) = (one.min(two), one.max(two));
    let near = to.min(from + 40);
    match random.next_u64() % 8 {
        0 if !bytes.is_empty() => {
            let at = below(random, bytes.len());
            bytes[at] ^= 1 << (random.next_u64() % 8);
        }
        1 => bytes.truncate(to),
        2 => drop(bytes.drain(from..near)),
        3 => {
            let copy = bytes[from..near].to_vec();
            bytes.splice(to..to, copy);
        }
        4 => {
            let word = WORDS[below(random, WORDS.len())];
            bytes.splice(from..from, word.bytes());
        }
        5 => {
            // A word in the place of a number.
            let digits = bytes.iter().skip(from).position(u8::is_ascii_digit);
            if let Some(start) = digits.map(|digits| from + digits) {
                let length = bytes[start..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_digit());
                let end = start + length.count();
                let word = WORDS[below(random, WORDS.len())];
                bytes.splice(start..end, word.bytes());
            }
        }
        6 => {
            let (start, end) = (place(random, other), place(random, other));
            let part = &other[start.min(end)..start.max(end)];
            bytes.splice(from..near, part.iter().copied());
        }
        _ => bytes.insert(from, random.next_u64() as u8),
    }
}

/// Runs an input; the text of the panic if there is one.
fn run(target: &Target, root: &Path, scratch: &Scratch, bytes: &[u8]) -> Option<String> {
    let why = catch_unwind(AssertUnwindSafe(|| target.run(root, scratch, bytes))).err()?;
    let text = why.downcast_ref::<String>().cloned();
    let text = text.or_else(|| why.downcast_ref::<&str>().map(|text| text.to_string()));
    Some(text.unwrap_or_else(|| "a panic without a message".to_string()))
}

#[test]
fn changed_inputs_of_every_kind_end_with_an_answer_or_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let asked = |name: &str| {
        let text = std::env::var(name).ok()?;
        let number: u64 = text.parse().expect("a whole number");
        Some(number)
    };
    let runs = asked("DYNAMETER_FUZZ").unwrap_or(RUNS);
    let seconds = asked("DYNAMETER_FUZZ_SECONDS").unwrap_or(0);
    let each = Duration::from_secs(seconds) / TARGETS.len() as u32;
    let scratch = Scratch::new();
    let mut wrong = Vec::new();
    for (number, target) in TARGETS.iter().enumerate() {
        let seeds = target.seeds(root, &scratch);
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        for (name, bytes) in &seeds {
            if let Some(why) = run(target, root, &scratch, bytes) {
                wrong.push(format!("{}, {name}: {why}", target.name));
            }
        }
        let mut random = Pcg64Mcg::seed_from_u64(number as u64);
        let begun = Instant::now();
        for at in (0..).take_while(|at| *at < runs || begun.elapsed() < each) {
            let (_, seed) = &seeds[below(&mut random, seeds.len())];
            let (_, other) = &seeds[below(&mut random, seeds.len())];
            let mut bytes = seed.clone();
            for _ in 0..=random.next_u64() % 4 {
                change(&mut bytes, other, &mut random);
            }
            if let Some(why) = run(target, root, &scratch, &bytes) {
                let kept =
                    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{at}", target.name));
                std::fs::write(&kept, &bytes).expect("the input can be kept");
                wrong.push(format!("{}: {why}; {}", target.name, kept.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Inputs that failed once.
#[test]
fn what_was_found_once_stays_fixed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch = Scratch::new();
    for target in TARGETS {
        let found = std::fs::read_dir(root.join("fuzz/found").join(target.name));
        for file in found.into_iter().flatten().flatten() {
            let bytes = std::fs::read(file.path()).expect("an input");
            let why = run(target, root, &scratch, &bytes);
            assert_eq!(why, None, "{}", file.path().display());
        }
    }
}
