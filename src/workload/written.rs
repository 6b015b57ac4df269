//! Where a workload was written: lines of its file for what can be edited, apart from what the
//! workload means.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::UncertainValue;
use crate::diag::{Origins, Place};

/// A part of a design that a line of its file says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DesignPart {
    /// The region.
    Region,
    /// The name of a table.
    Table(String),
    /// How large the items of a table are.
    Item(String),
    /// The capacity of a table; its name where it has none.
    Capacity(String),
    /// The DAX cluster of a table; its name where it has none.
    Dax(String),
    /// The name of an index of a table.
    Index(String, String),
    /// The name of an access pattern of a table.
    Access(String, String),
}

/// Where a workload was written: its file, the lines of its parts, and its ranges.
///
/// It is no part of what a workload means: any two are equal, so that workloads are equal which
/// mean the same, whatever the names of their files, their comments and the order of their lines.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// The file, as the user named it.
    pub file: String,
    lines: BTreeMap<DesignPart, usize>,
    /// The figures that are ranges, in the order in which they were read. The workload has the
    /// value of each that was asked for.
    pub ranges: Vec<UncertainValue>,
    /// Where the lines of the file come from, where it was made of others.
    pub(super) origins: Option<Arc<Origins>>,
}

impl Written {
    /// A file of which no line is known so far.
    pub fn new(file: impl Into<String>) -> Written {
        Written {
            file: file.into(),
            ..Written::default()
        }
    }

    /// Notes the line of a part, from 1. The first of several counts.
    pub(super) fn note(&mut self, part: DesignPart, line: usize) {
        self.lines.entry(part).or_insert(line);
    }

    /// The line of a part, from 1; 1 for what no line says.
    pub fn line(&self, part: &DesignPart) -> usize {
        self.lines.get(part).copied().unwrap_or(1)
    }

    /// The place of a part.
    pub fn place(&self, part: &DesignPart) -> Place {
        self.place_of(self.line(part))
    }

    /// The place of a line, from 1: where it comes from, where the file was made of others.
    pub fn place_of(&self, line: usize) -> Place {
        let own = || Place {
            file: self.file.clone(),
            line,
        };
        self.origins
            .as_ref()
            .and_then(|origins| origins.place(line))
            .unwrap_or_else(own)
    }
}

impl PartialEq for Written {
    fn eq(&self, _: &Written) -> bool {
        true
    }
}

impl Eq for Written {}

impl Hash for Written {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
