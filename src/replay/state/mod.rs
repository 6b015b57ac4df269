//! What is remembered of tables and keys.

pub mod sizes;
pub mod store;
pub mod tables;
pub mod tokens;
