//! Tells the crate whether the engine for web pages was built (`web/build.sh engine`), so that
//! `report --interactive` can put it into a page; and from which commit it is built.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    engine();
    commit();
}

fn engine() {
    const ENGINE: &str = "web/dist/engine.wasm.gz";
    println!("cargo::rustc-check-cfg=cfg(has_engine)");
    // A file that appears later counts as a change.
    println!("cargo::rerun-if-changed={ENGINE}");
    if Path::new(ENGINE).is_file() {
        println!("cargo::rustc-cfg=has_engine");
    }
}

/// The commit for `--version --verbose`: what the environment says, what `cargo package` wrote into
/// the archive of a release, or what git says. Only an optimized build asks git, so that a commit
/// does not compile everything again while one develops.
fn commit() {
    println!("cargo::rerun-if-env-changed=DYNAMETER_COMMIT");
    let optimized = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if optimized {
        println!("cargo::rerun-if-changed=.git/HEAD");
        println!("cargo::rerun-if-changed=.git/refs/heads");
    }
    let given = std::env::var("DYNAMETER_COMMIT").ok();
    let found = given
        .or_else(packaged)
        .or_else(|| optimized.then(asked).flatten());
    if let Some(commit) = found.filter(|commit| !commit.is_empty()) {
        println!("cargo::rustc-env=DYNAMETER_COMMIT={commit}");
    }
}

fn packaged() -> Option<String> {
    let text = std::fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, after) = text.split_once("\"sha1\"")?;
    let commit = after.split('"').nth(1)?;
    Some(commit.chars().take(12).collect())
}

fn asked() -> Option<String> {
    // An unpacked archive may lie inside another project's repository.
    if !Path::new(".git").exists() {
        return None;
    }
    let output = Command::new("git")
        .args(["rev-parse", "--short=12", "HEAD"])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_string())
}
