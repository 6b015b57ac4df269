//! What a run has added up so far, and the file that holds it.

pub mod file;
pub mod seal;
