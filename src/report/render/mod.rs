//! One renderer for each format. Nothing else escapes, aligns or quotes.

mod columns;
pub mod csv;
pub mod markdown;
mod style;
pub mod text;
