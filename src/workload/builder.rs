//! Builds a workload in Rust: the parts of a workload file as values, checked like a file.

use std::path::Path;

use toml::{Table, Value};

use super::{Setting, Workload, load};
use crate::diag::Diagnostics;
use crate::table::ApiName;

/// Builds a [`Workload`] without a file.
///
/// Each part accepts every key of its table in the workload file, under the same name; use `set`
/// for keys without a method here. [`Builder::build`] checks the whole design, so a mistake is an
/// error and not a wrong figure later.
///
/// ```
/// use dynameter::pricing::Books;
/// use dynameter::table::ApiName;
/// use dynameter::workload::{Builder, BuilderPart, Setting};
///
/// let books = Books::embedded();
/// let table = BuilderPart::table("Orders", "CustomerId")
///     .set("items", 1_000_000)
///     .set("item.size", "2 KB")
///     .part("index", BuilderPart::named("ByStatus").set("kind", "global").set("partition_key", "Status"))
///     .access("place", ApiName::PutItem, "rate.per_second", 10)
///     .access("show", ApiName::GetItem, "rate.per_second", 200);
/// let workload = Builder::new("Shop", "us-east-1").table(table).build(&Setting::new(&books))?;
/// assert_eq!(workload.tables[0].access.len(), 2);
/// # Ok::<(), dynameter::diag::Diagnostics>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Builder(BuilderPart);

/// A part of a design that is being built: a table, an index, an access pattern, a replica.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct BuilderPart(Table);

impl BuilderPart {
    /// A part with a name.
    pub fn named(name: &str) -> BuilderPart {
        BuilderPart::default().set("name", name)
    }

    /// A table with a name and a partition key.
    pub fn table(name: &str, partition_key: &str) -> BuilderPart {
        BuilderPart::named(name).set("partition_key.name", partition_key)
    }

    /// Sets a key of the part. A dot in the key selects a nested table: `item.size`, `backup.pitr`.
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> BuilderPart {
        let mut parts: Vec<&str> = key.split('.').collect();
        let last = parts.pop().unwrap_or_default();
        let mut table = &mut self.0;
        for part in parts {
            let inner = table
                .entry(part)
                .or_insert_with(|| Value::Table(Table::new()));
            if !inner.is_table() {
                *inner = Value::Table(Table::new());
            }
            let Value::Table(inner) = inner else {
                return self;
            };
            table = inner;
        }
        table.insert(last.to_string(), value.into());
        self
    }

    /// Adds a part to a list of parts: an `index`, an `access`, a `replica`, `consumed` units.
    pub fn part(mut self, list: &str, part: BuilderPart) -> BuilderPart {
        match self.0.get_mut(list) {
            Some(Value::Array(parts)) => parts.push(Value::Table(part.0)),
            _ => drop(
                self.0
                    .insert(list.to_string(), Value::Array(vec![Value::Table(part.0)])),
            ),
        }
        self
    }

    /// Adds an access pattern with its rate, such as `rate.per_second`. For a pattern with more
    /// keys, use [`BuilderPart::part`].
    pub fn access(
        self,
        name: &str,
        operation: ApiName,
        rate: &str,
        calls: impl Into<Value>,
    ) -> BuilderPart {
        self.part(
            "access",
            BuilderPart::named(name)
                .set("operation", operation.name())
                .set(rate, calls),
        )
    }
}

impl Builder {
    /// A design with a name, in a region.
    pub fn new(name: &str, region: &str) -> Builder {
        Builder(BuilderPart::named(name).set("region", region))
    }

    /// Sets a top-level key, such as `month_hours`, `free_tier` or `switches.failed_condition`.
    pub fn set(self, key: &str, value: impl Into<Value>) -> Builder {
        Builder(self.0.set(key, value))
    }

    /// Adds a table.
    pub fn table(self, table: BuilderPart) -> Builder {
        Builder(self.0.part("table", table))
    }

    /// The same design as a workload file.
    pub fn to_toml(&self) -> String {
        self.0.0.to_string()
    }

    /// Checks the design.
    ///
    /// # Errors
    /// All errors, each with its location in [`Builder::to_toml`] and how to fix it.
    pub fn build(&self, setting: &Setting) -> Result<Workload, Diagnostics> {
        load("<builder>", &self.to_toml(), Path::new(""), setting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::Books;

    #[test]
    fn what_is_built_is_what_its_file_says() {
        let books = Books::embedded();
        let setting = Setting::new(&books);
        let table = BuilderPart::table("Orders", "Id")
            .set("items", 1_000)
            .set("item.size", "2 KB")
            .part(
                "access",
                BuilderPart::named("put")
                    .set("operation", "PutItem")
                    .set("rate.per_minute", 6)
                    .set("overwrites", 0.5),
            );
        let builder = Builder::new("Shop", "eu-west-1")
            .set("free_tier", true)
            .table(table);
        let file = "# By hand.\nname = \"Shop\"\nregion = \"eu-west-1\"\nfree_tier = \
                    true\n[[table]]\nname = \"Orders\"\nitems = 1_000\npartition_key = { name = \
                    \"Id\" }\nitem.size = \"2 KB\"\n[[table.access]]\nname = \"put\"\noperation = \
                    \"PutItem\"\noverwrites = 0.5\nrate = { per_minute = 6 }\n";
        let by_hand = load("file.toml", file, Path::new(""), &setting).expect("a file");
        assert_eq!(builder.build(&setting).expect("a design"), by_hand);
        assert_eq!(
            load("again.toml", &builder.to_toml(), Path::new(""), &setting).expect("its file"),
            by_hand
        );
    }

    #[test]
    fn what_is_wrong_is_an_error() {
        let books = Books::embedded();
        let table = BuilderPart::table("Orders", "Id")
            .set("items", -1)
            .set("item.size", "500 KB")
            .set("colour", "red");
        let errors = Builder::new("Shop", "moon-1")
            .table(table)
            .build(&Setting::new(&books))
            .expect_err("many mistakes")
            .to_string();
        for part in ["moon-1", "colour", "items", "<builder>:"] {
            assert!(errors.contains(part), "{part} is missing in {errors}");
        }
    }
}
