//! The workload file: as written ([`mod@file`]), checked, and as a [`Workload`], which is always
//! valid.

mod builder;
mod codes;
mod counts;
pub(crate) mod decode;
mod design;
mod edit;
mod export;
pub mod file;
#[cfg(feature = "replay")]
mod ion;
mod membership;
mod quantities;
mod questions;
mod ranges;
mod sizes;
mod traced;
mod validate;
mod vectors;
mod written;

use std::collections::BTreeSet;
use std::path::Path;

pub use builder::{Builder, BuilderPart};
pub use codes::CODES;
pub use counts::{Counts, ReadItems};
pub use decode::{FileNumber, Known, Located};
pub use design::{
    AccessPattern, Archive, Backup, BackupLife, BackupRule, Capacity, Cluster, Contents,
    ContributorInsights, Dax, Encryption, Entity, EventTraffic, HitRatio, Import, IndexDesign,
    ItemsBefore, KeyPrefix, Measured, NumberKeys, PatternCall, Replica, ReplicaIndex, Stay, Stream,
    TableDesign, TrafficEvent, Units, UnknownParts, Unpriced, Workload, WriteKind, WritePlan,
};
pub(crate) use edit::harmless_text;
pub use edit::{
    DesignEdit, EditError, EditedFile, FileStep, KeyChange, PartEdit, PlacedEdit, line_of,
    toml_text,
};
pub use export::{ExportSummary, items as export_items, measure};
pub use membership::{ItemKind, KnownAttribute, Membership};
pub use quantities::{Duration, Frequency, Profile, Size};
pub use ranges::{Scenario, UncertainValue};
pub use sizes::{
    IndexEntry, SizeClass, SizeClasses, SizesTimes, integer_weights, mean_of, page_items,
    pick_weighted, sum_of, sum_of_kinds,
};
pub use traced::{TargetUnits, Traced};
pub use vectors::{UNKNOWN_KEY_BYTES, VectorIndex, VectorSearch, vector_bytes};
pub use written::{DesignPart, Written};

use crate::commitments::Commitment;
use crate::diag::{Diagnostics, Source};
use crate::pricing::Books;
use crate::time::{Date, MonthHours};
use crate::units::Exact;

/// The commented file that `init` writes.
pub const TEMPLATE: &str = include_str!("../../workloads/template.toml");

/// The JSON Schema of the workload file, so that editors complete and check it.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(file::WorkloadFile).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".into(), "dynameter workload".into());
    }
    schema
}

/// How a workload file is read: the price books, which must have its regions and date, and values
/// that override the file's own.
#[derive(Clone, Debug)]
pub struct Setting<'a> {
    /// The price books.
    pub books: &'a Books,
    /// Overrides the region of the file.
    pub region: Option<String>,
    /// Overrides the date of the prices in the file.
    pub prices: Option<Date>,
    /// Overrides the month of the file.
    pub month: Option<MonthHours>,
    /// Which value of each range is used.
    pub scenario: Scenario,
    /// The factor by which every rate of an access pattern is multiplied: 1 for the unchanged
    /// file.
    pub traffic: Exact,
    /// How the growth of the tables is used.
    pub growth: GrowthUse,
    /// Whether to leave out all commitments.
    pub list_prices: bool,
}

/// How the growth of the tables is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GrowthUse {
    /// The tables grow for `years_ahead`, which `growth` needs.
    #[default]
    YearsAhead,
    /// The design is asked for month by month, from now on: `growth` needs no `years_ahead`, which has
    /// no meaning.
    Months,
    /// The design is asked for month by month, after `years_ahead` if the file says so.
    MonthsAfterYears,
}

impl<'a> Setting<'a> {
    /// The unchanged file.
    pub fn new(books: &'a Books) -> Setting<'a> {
        Setting {
            books,
            region: None,
            prices: None,
            month: None,
            scenario: Scenario::Likely,
            traffic: Exact::one(),
            growth: GrowthUse::YearsAhead,
            list_prices: false,
        }
    }
}

/// Reads and checks a workload file. Paths in it are relative to `folder`.
///
/// # Errors
/// All errors in the file, each with its location and how to fix it.
pub fn load(
    name: &str,
    text: &str,
    folder: &Path,
    setting: &Setting,
) -> Result<Workload, Diagnostics> {
    let source = Source::new(name, text);
    let mut reader = decode::Decoder::new(source, setting.scenario);
    let file = reader.parse::<file::WorkloadFile>();
    let workload = file.and_then(|file| validate::workload(&file, folder, setting, &mut reader));
    Diagnostics::check(reader.finish(), workload)
}

/// Reads a file of commitments for the designs that are estimated with them.
///
/// # Errors
/// All errors in the file: a commitment that has ended, or whose region none of the designs is in,
/// is one of them, and so is a file without commitments.
pub fn load_commitments(
    name: &str,
    text: &str,
    designs: &[Workload],
    books: &Books,
) -> Result<Vec<Commitment>, Diagnostics> {
    let mut reader = decode::Decoder::new(Source::new(name, text), Scenario::Likely);
    let homes: BTreeSet<&String> = designs.iter().map(|one| &one.region).collect();
    let first = designs.first();
    let book = first.and_then(|one| books.book(&one.region, one.prices).ok());
    let scope = validate::CommitmentScope {
        books,
        date: book.map(|book| book.date()),
        asked: first.and_then(|one| one.prices),
        regions: designs.iter().flat_map(|one| one.regions()).collect(),
        home: match homes.len() {
            1 => homes.first().map(|home| home.to_string()),
            _ => None,
        },
    };
    let file = reader.parse::<file::CommitmentsFile>();
    let read = file.map(|file| validate::commitments(&file, &scope, &mut reader));
    Diagnostics::check(reader.finish(), read)
}

/// The region sets of strongly consistent global tables. Source: Developer Guide, "Global tables:
/// multi-Region strong consistency".
pub const STRONG_REGION_SETS: [&[&str]; 3] = [
    &["us-east-1", "us-east-2", "us-west-2"],
    &["eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1"],
    &["ap-northeast-1", "ap-northeast-2", "ap-northeast-3"],
];
