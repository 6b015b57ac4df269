//! One renderer for each format. Nothing else escapes, aligns or quotes.

pub mod csv;
pub mod markdown;
pub mod text;
