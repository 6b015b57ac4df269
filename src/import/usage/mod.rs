//! The usage file: what plans and templates do not say about a table, joined by the table's name,
//! logical ID or address.
//!
//! A small TOML file with the keys of a workload file, or an Infracost usage file. Its values
//! override those of the design.
//!
//! ```toml
//! region = "us-east-1"
//!
//! [parameters]                 # for a CloudFormation template
//! Stage = "prod"
//!
//! [[table]]
//! name  = "Orders"
//! items = 10_000_000
//! item  = { size = "1.8 KB" }
//!
//! [[table.access]]
//! name = "read an order"
//! operation = "GetItem"
//! rate = { per_second = 800 }
//! ```

mod file;
mod infracost;
mod toml;

use std::sync::Arc;

use super::node;
use crate::diag::{Diagnostic, Source};
pub(super) use file::UsageFile;
pub(super) use infracost::tables_of;

/// Reads a usage file.
///
/// # Errors
/// Every error in it.
pub(super) fn read(source: &Arc<Source>) -> Result<UsageFile, Vec<Diagnostic>> {
    let is_yaml = source.text.lines().any(|line| {
        line.starts_with("resource_usage:") || line.starts_with("resource_type_default_usage:")
    });
    if is_yaml || source.text.trim_start().starts_with('{') {
        let read = node::read(source).map_err(|error| vec![*error])?;
        return infracost::read(source, &read.node);
    }
    toml::read(source)
}
