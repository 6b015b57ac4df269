//! Tells the crate whether the engine for web pages was built (`web/build.sh engine`), so that
//! `report --interactive` can put it into a page.

use std::path::Path;

fn main() {
    const ENGINE: &str = "web/dist/engine.wasm.gz";
    println!("cargo::rustc-check-cfg=cfg(has_engine)");
    println!("cargo::rerun-if-changed=build.rs");
    // A file that appears later counts as a change.
    println!("cargo::rerun-if-changed={ENGINE}");
    if Path::new(ENGINE).is_file() {
        println!("cargo::rustc-cfg=has_engine");
    }
}
