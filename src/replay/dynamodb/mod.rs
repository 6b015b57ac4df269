//! A small DynamoDB in memory: stored items, expressions and PartiQL. It knows no trace and adds
//! nothing up.

pub mod expression;
pub mod key;
pub mod partiql;
pub mod tables;
mod tokens;
