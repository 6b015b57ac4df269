//! The engine for a web page: a question goes in as JSON, an answer comes out as JSON.
//!
//! The page has no figures of its own. [`answer`] is everything that it asks; on WebAssembly, three
//! functions carry the bytes there and back.

mod answers;
#[cfg(target_family = "wasm")]
mod memory;

pub use answers::answer;
