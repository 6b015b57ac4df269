//! Where a workload was written: the lines of its file for everything that can be edited. This is
//! kept apart from the meaning of the workload.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::UncertainValue;
use crate::diag::{Origins, Place};

/// A part of a design that is written on a line of its file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DesignPart {
    /// The region.
    Region,
    /// An event, by its name.
    Event(String),
    /// The name of a table.
    Table(String),
    /// The size of a table's items.
    Item(String),
    /// The capacity of a table, or the table's name if no capacity is given.
    Capacity(String),
    /// The DAX cluster of a table, or the table's name if it has no cluster.
    Dax(String),
    /// The name of an index of a table.
    Index(String, String),
    /// The replica of a table, by its region.
    Replica(String, String),
    /// The name of an access pattern of a table.
    Access(String, String),
    /// A DAX cluster that serves no table, by its position.
    Cluster(usize),
    /// A cost that is not known, by its position: of a table, or of the whole design.
    Unpriced(Option<String>, usize),
}

/// Where a workload was written: its file, the lines of its parts, and its ranges.
///
/// This is not part of a workload's meaning: any two values are equal, so workloads with the same
/// meaning are equal whatever their file names, comments and order of lines.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// The file, as the user named it.
    pub file: String,
    lines: BTreeMap<DesignPart, usize>,
    /// The figures that are ranges, in the order in which they were read. The workload contains
    /// the value that the scenario picked for each.
    pub ranges: Vec<UncertainValue>,
    /// Where the lines of the file come from, if it was generated from other files.
    pub(super) origins: Option<Arc<Origins>>,
}

impl Written {
    /// A file without any known lines yet.
    pub fn new(file: impl Into<String>) -> Written {
        Written {
            file: file.into(),
            ..Written::default()
        }
    }

    /// Records the line of a part, from 1. If a part has several lines, the first is kept.
    pub(super) fn note(&mut self, part: DesignPart, line: usize) {
        self.lines.entry(part).or_insert(line);
    }

    /// The line of a part, from 1; 1 if the file does not contain it.
    pub fn line(&self, part: &DesignPart) -> usize {
        self.lines.get(part).copied().unwrap_or(1)
    }

    /// The location of a part.
    pub fn place(&self, part: &DesignPart) -> Place {
        self.place_of(self.line(part))
    }

    /// The location of a line, from 1: its origin, if the file was generated from other files.
    pub fn place_of(&self, line: usize) -> Place {
        let own = || Place::new(self.file.clone(), line);
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
