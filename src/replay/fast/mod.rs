//! The fast path: plain calls of one key, as rows of 16 bytes, on all threads.

pub mod rows;
pub mod without_state;
