//! DAX: its caches, and what one of any size would have answered.

pub mod curve;
pub mod exact;
pub mod lru;
