//! Turns the file as written into a [`Workload`](super::Workload) and checks every limit, reference
//! and sum. Later code does not check again.

mod access;
mod commitments;
mod counts;
mod entities;
mod events;
mod features;
mod items;
mod pattern;
mod vectors;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Range, RangeInclusive};
use std::path::Path;
use std::sync::Arc;

use chrono_tz::Tz;

use super::decode::{Decoder, FileNumber, Known, Located, UNKNOWN};
use super::file::{
    AccessFile, CapacityFile, CommitmentsFile, CourseWord, EncryptionFile, FreeTierFile,
    FreeTierWord, ImportFile, IndexFile, IndexKindWord, KeyType, ModeWord, ProjectionFile,
    ProjectionWord, RegionConsistencyWord, ScheduleFile, SwitchesFile, TableFile, UnitsFile,
    WorkloadFile,
};
use super::quantities::CallRate;
use super::{
    AccessPattern, Capacity, Contents, ContributorInsights, DesignPart, Encryption, GrowthUse,
    Import, IndexDesign, NumberKeys, PatternCall, Setting, TableDesign, Units, UnknownParts,
    Workload, WriteKind, Written,
};
use crate::capacity::Scaling;
use crate::capacity::policy::{Bounds, Schedule};
use crate::commitments::Commitment;
use crate::meter::Switches;
use crate::pricing::{BookError, PriceBook};
use crate::table::{
    ByDirection, Index, IndexKind, KeySchema, Projection, Table, TableClass, VectorAttribute,
    limits,
};
use crate::time::{Date, MonthHours};
use crate::units::{Exact, GB, MB};
use crate::usage::FreeTier;
pub(super) use commitments::CommitmentScope;
use entities::TableItems;

/// The name used for an unknown partition key.
const UNKNOWN_KEY: &str = "(unknown)";

/// The state that the checks of one file share.
struct Checker<'a> {
    reader: &'a mut Decoder,
    folder: &'a Path,
    region: String,
    month: MonthHours,
    /// The factor by which rates are multiplied.
    traffic: Exact,
    switches: Switches,
    /// The price book of the region, if there is one.
    book: Option<PriceBook>,
    /// The number of years for which tables grow.
    years_ahead: u64,
    /// How rates change from one hour of a profile to the next.
    course: CourseWord,
    /// Where the parts of the design are written.
    written: Written,
    /// The commitments that were read.
    commitments: Vec<Commitment>,
}

/// Checks a file.
pub(super) fn workload(
    file: &WorkloadFile,
    folder: &Path,
    setting: &Setting,
    reader: &mut Decoder,
) -> Option<Workload> {
    let month = month_of(file, setting, reader);
    let mut switches = Switches::default();
    file.switches
        .iter()
        .for_each(|given| set_switches(given, &mut switches, reader));
    let given = date_of(file, reader);
    let prices = setting.prices.or(given);
    let region = setting
        .region
        .clone()
        .unwrap_or_else(|| file.region.value.clone());
    let years_ahead = file.years_ahead.clone();
    let name = reader.source().name.clone();
    let mut checker = Checker {
        reader,
        folder,
        region,
        month: month.clone().unwrap_or_else(MonthHours::standard),
        traffic: setting.traffic.clone(),
        switches,
        book: None,
        years_ahead: 0,
        course: file.profile_shape.unwrap_or(CourseWord::Steps),
        written: Written::new(&name),
        commitments: Vec::new(),
    };
    checker.books(file, setting, prices);
    checker.years(file);
    let written = file.table.as_deref().unwrap_or_default();
    checker.has_tables(file);
    let clusters = checker.clusters(file);
    let measured = checker.billed_usage(file.measured.as_deref());
    let unpriced = checker.unpriced(file.unpriced.as_deref(), None);
    checker.unique(
        "duplicate-table",
        "table",
        written.iter().map(|table| &table.name),
    );
    let tables: Vec<Option<TableDesign>> =
        written.iter().map(|table| checker.table(table)).collect();
    if years_ahead.is_none() && setting.growth == GrowthUse::YearsAhead {
        checker.growth_without_years(written);
    }
    if let (GrowthUse::Months, Some(years)) = (setting.growth, &years_ahead) {
        checker.report(
            "growth",
            &years.span,
            "`years_ahead` and --months both say how far ahead the design is looked at",
            "remove `years_ahead`; --months begins with the design as the file describes it",
        );
    }
    checker.account(file, setting, prices);
    let free = free_tiers(file);
    let tables = tables
        .into_iter()
        .map(|table| table.map(Arc::new))
        .collect::<Option<Vec<_>>>()?;
    let events = checker.events(file.event.as_deref().unwrap_or_default(), &tables);
    let retries = file.retries.as_ref().map(|given| checker.retries(given));
    let region = checker.region.clone();
    checker.note(DesignPart::Region, &file.region.span);
    checker.written.ranges = checker.reader.ranges.clone();
    let written = std::mem::take(&mut checker.written);
    Some(Workload(Contents {
        name: file.name.value.clone(),
        written,
        region,
        prices,
        month: month?,
        free,
        switches,
        years_ahead: checker.years_ahead,
        commitments: checker.commitments,
        events,
        retries,
        tables,
        clusters,
        measured,
        unpriced,
    }))
}

/// Checks a file of commitments for designs that were read before.
pub(super) fn commitments(
    file: &CommitmentsFile,
    scope: &CommitmentScope,
    reader: &mut Decoder,
) -> Vec<Commitment> {
    let name = reader.source().name.clone();
    let mut checker = Checker {
        reader,
        folder: Path::new("."),
        region: scope.home.clone().unwrap_or_default(),
        month: MonthHours::standard(),
        traffic: Exact::one(),
        switches: Switches::default(),
        book: None,
        years_ahead: 0,
        course: CourseWord::Steps,
        written: Written::new(&name),
        commitments: Vec::new(),
    };
    let written = file.commitment.as_deref().unwrap_or_default();
    if written.is_empty() {
        checker.report(
            "commitment",
            &(0..0),
            "the file has no commitment",
            "add [[commitment]], such as kind = \"discount\" and percent = 10",
        );
    }
    checker.commitments(written, scope);
    checker.commitments
}

/// The month of the command line, of the file, or else the standard one; `None` if it is wrong.
fn month_of(file: &WorkloadFile, setting: &Setting, reader: &mut Decoder) -> Option<MonthHours> {
    match file
        .month_hours
        .as_ref()
        .filter(|_| setting.month.is_none())
    {
        None => Some(setting.month.clone().unwrap_or_else(MonthHours::standard)),
        Some(hours) => {
            let month = MonthHours::new(hours.0.clone());
            if month.is_none() {
                reader.report(
                    "month-hours",
                    hours.span.clone(),
                    "a month has 1 to 744 hours",
                    "write 720 (30 days), 730 (a twelfth of a year) or 744 (31 days)",
                );
            }
            month
        }
    }
}

/// The date of the prices that the file names.
fn date_of(file: &WorkloadFile, reader: &mut Decoder) -> Option<Date> {
    file.prices.as_ref().and_then(|text| {
        let date = Date::parse(text);
        if date.is_none() {
            reader.report(
                "bad-date",
                text.span.clone(),
                format!("{:?} is not a date", text.value),
                "write YYYY-MM-DD, such as 2024-11-01",
            );
        }
        date
    })
}

fn free_tiers(file: &WorkloadFile) -> BTreeSet<FreeTier> {
    match &file.free_tier {
        None | Some(FreeTierFile::All(false)) => BTreeSet::new(),
        Some(FreeTierFile::All(true)) => {
            BTreeSet::from([FreeTier::Throughput, FreeTier::Storage, FreeTier::Streams])
        }
        Some(FreeTierFile::Some(words)) => words
            .iter()
            .map(|word| match word {
                FreeTierWord::Throughput => FreeTier::Throughput,
                FreeTierWord::Storage => FreeTier::Storage,
                FreeTierWord::Streams => FreeTier::Streams,
            })
            .collect(),
    }
}

fn set_switches(given: &SwitchesFile, switches: &mut Switches, reader: &mut Decoder) {
    let fields = [
        ("number_alignment", &given.number_alignment),
        ("failed_condition", &given.failed_condition),
        ("hour_billing", &given.hour_billing),
        ("fetch_of_nothing", &given.fetch_of_nothing),
        ("replicated_transaction", &given.replicated_transaction),
        ("replicated_local_index", &given.replicated_local_index),
        ("backup_overhead", &given.backup_overhead),
    ];
    for (name, value) in fields {
        let Some(value) = value else { continue };
        if !switches.set(name, value) {
            let allowed = Switches::NAMES
                .iter()
                .find(|(known, _)| *known == name)
                .map_or(&[][..], |(_, values)| values);
            reader.report(
                "switch",
                value.span.clone(),
                format!("{name} cannot be {:?}", value.value),
                format!("the allowed values are {}", quoted(allowed)),
            );
        }
    }
}

/// The error code for a missing price book.
fn code_of(error: &BookError) -> &'static str {
    match error {
        BookError::Region { .. } => "region",
        BookError::TooEarly { .. } => "price-date",
        BookError::File { .. } => "price-book",
    }
}

fn quoted(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("{word:?}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The regions of a table besides the workload's: of replicas, and of copies of backups.
fn other_regions(table: &TableFile) -> impl Iterator<Item = &Located<String>> {
    let replicas = table.replica.iter().flatten().map(|one| &one.region);
    let rules = table
        .backup
        .iter()
        .flat_map(|backup| backup.plan.iter().flatten());
    let copies = rules.flat_map(|rule| rule.copies.iter().flatten());
    replicas.chain(copies.map(|copy| &copy.region))
}

/// The growth of a table in a year.
fn growth_of(table: &TableFile) -> Exact {
    let growth = table.growth.as_ref();
    growth.map_or_else(Exact::zero, |growth| growth.value.0.clone())
}

/// Whether calls are made once.
fn is_once(access: &AccessFile) -> bool {
    access.rate.given().is_some_and(CallRate::is_once)
}

/// A table as far as it has been checked: what its access patterns and replicas refer to.
#[derive(Clone, Copy)]
struct CheckedTable<'a> {
    /// The table as it is written.
    written: &'a Located<TableFile>,
    /// Its keys and indexes.
    table: &'a Table,
    /// What the file says is unknown.
    unknown: UnknownParts,
    /// Its items.
    items: &'a TableItems,
}

impl Checker<'_> {
    fn report(
        &mut self,
        code: &'static str,
        span: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.reader.report(code, span.clone(), message, help);
    }

    /// The number of years for which tables grow.
    fn years(&mut self, file: &WorkloadFile) {
        let years = file.years_ahead.as_ref();
        self.years_ahead = years.map_or(0, |years| {
            self.whole("growth", "years ahead", years, 0..=20)
        });
    }

    /// Checks that the design says what it consists of.
    fn has_tables(&mut self, file: &WorkloadFile) {
        if file.table.is_none() && file.dax.is_none() && file.unpriced.is_none() {
            self.report(
                "no-tables",
                &file.name.span,
                "the workload has no table",
                "add [[table]]; `dynameter init` writes a file to start from. A design without \
                 tables says `table = []`",
            );
        }
    }

    /// Checks that every region of the workload has a price book at the date.
    fn books(&mut self, file: &WorkloadFile, setting: &Setting, prices: Option<Date>) {
        let help = "`dynameter prices list` shows the regions and dates of the books";
        let written = setting.region.is_none().then_some(&file.region.span);
        let dated = file
            .prices
            .as_ref()
            .filter(|_| setting.prices.is_none())
            .map(|date| &date.span);
        if self.region == UNKNOWN {
            let message = "the region is unknown, and prices depend on the region";
            self.reader.report_anywhere(
                "region",
                written.cloned(),
                message,
                "pass --region, such as --region us-east-1, or write the region here",
            );
            return;
        }
        let date = match setting.books.book(&self.region, prices) {
            Ok(book) => {
                let date = book.date();
                self.book = Some(book);
                Some(date)
            }
            Err(error) => {
                // A value from the command line is not an error in the file.
                let early = matches!(error, BookError::TooEarly { .. });
                let place = if early {
                    dated.or(written.filter(|_| setting.prices.is_none()))
                } else {
                    written
                };
                self.reader.report_anywhere(
                    code_of(&error),
                    place.cloned(),
                    error.to_string(),
                    help,
                );
                None
            }
        };
        for region in file
            .table
            .iter()
            .flatten()
            .flat_map(|table| other_regions(table))
        {
            let Some(error) = setting.books.book(region, date.or(prices)).err() else {
                continue;
            };
            if date.is_some() || !matches!(error, BookError::TooEarly { .. }) {
                self.report(code_of(&error), &region.span, error.to_string(), help);
            }
        }
    }

    fn growth_without_years(&mut self, tables: &[Located<TableFile>]) {
        for growth in tables.iter().filter_map(|table| table.growth.as_ref()) {
            let message = "`growth` needs `years_ahead`: the file does not say how far ahead the \
                           estimated month is";
            let help = "add `years_ahead = 1` at the top of the file, or ask for months: `estimate --months 12`";
            self.report("growth", &growth.span, message, help);
        }
    }

    /// The commitments of the account that the file declares. None apply if list prices are asked
    /// for.
    fn account(&mut self, file: &WorkloadFile, setting: &Setting, prices: Option<Date>) {
        for table in file.table.iter().flatten() {
            self.reserved(table);
        }
        let replicas = file.table.iter().flatten();
        let replicas = replicas.flat_map(|table| table.replica.iter().flatten());
        let home = (self.region != UNKNOWN).then(|| self.region.clone());
        let regions = replicas.map(|replica| replica.region.value.clone());
        let scope = CommitmentScope {
            books: setting.books,
            date: self.book.as_ref().map(PriceBook::date),
            asked: prices,
            regions: home.iter().cloned().chain(regions).collect(),
            home,
        };
        self.commitments(file.commitment.as_deref().unwrap_or_default(), &scope);
        if setting.list_prices {
            self.commitments.clear();
        }
    }

    /// Reports every name that is used twice.
    fn unique<'n>(
        &mut self,
        code: &'static str,
        what: &str,
        names: impl Iterator<Item = &'n Located<String>>,
    ) {
        let mut seen: BTreeMap<&str, &Located<String>> = BTreeMap::new();
        for name in names.filter(|name| !name.is_placeholder()) {
            if let Some(first) = seen.get(name.value.as_str()) {
                let (line, _) = self.reader.source().line_column(first.span.start);
                self.report(
                    code,
                    &name.span,
                    format!(
                        "the {what} {:?} is already defined in line {line}",
                        name.value
                    ),
                    "give one of them another name",
                );
            } else {
                seen.insert(&name.value, name);
            }
        }
    }

    /// A share from 0 to 1; the default if absent.
    fn share(&mut self, given: Option<&Located<FileNumber>>, default: Exact) -> Exact {
        let Some(share) = given else { return default };
        if share.0 > Exact::one() {
            self.report(
                "share",
                &share.span,
                format!(
                    "a share must be from 0 to 1, found {}",
                    share.0.as_written()
                ),
                "write a number from 0 to 1; for example, 2 % is 0.02",
            );
        }
        share.0.clone()
    }

    /// A whole number within limits; the lower limit if it is invalid.
    fn whole(
        &mut self,
        code: &'static str,
        what: &str,
        given: &Located<FileNumber>,
        allowed: RangeInclusive<u64>,
    ) -> u64 {
        let whole = (given.0 == given.0.floor())
            .then(|| given.0.to_u64())
            .flatten();
        match whole {
            None => self.report(
                "not-whole",
                &given.span,
                format!(
                    "{what} must be a whole number, found {}",
                    given.0.as_written()
                ),
                "write it without a fraction",
            ),
            Some(number) if !allowed.contains(&number) => {
                let (low, high) = (Exact::from(*allowed.start()), Exact::from(*allowed.end()));
                self.report(
                    code,
                    &given.span,
                    format!("{what} must be from {low} to {high}, found {}", given.0),
                    format!("write a number from {low} to {high}"),
                );
            }
            Some(number) => return number,
        }
        *allowed.start()
    }

    fn name_length(&mut self, what: &str, name: &Located<String>) {
        let length = name.value.chars().count();
        if !limits::NAME_LENGTH.contains(&length) {
            let message =
                format!("the name of the {what} must have 3 to 255 characters, found {length}");
            self.report("name-length", &name.span, message, "choose another name");
        }
    }

    /// The primary key of a table.
    fn key_schema(&mut self, written: &Located<TableFile>) -> KeySchema {
        let keys = KeySchema {
            partition: written
                .partition_key
                .given()
                .map_or_else(|| UNKNOWN_KEY.to_string(), |key| key.name.value.clone()),
            sort: written.sort_key.as_ref().map(|key| key.name.value.clone()),
        };
        if let Known::Given(key) = &written.partition_key.value {
            self.key_size(key, "partition", limits::PARTITION_KEY_BYTES_MAX);
        }
        if let Some(key) = &written.sort_key {
            self.key_size(key, "sort", limits::SORT_KEY_BYTES_MAX);
        }
        if let Some(sort) = written
            .sort_key
            .as_ref()
            .filter(|sort| sort.name.value == keys.partition && !sort.name.is_placeholder())
        {
            let message = "the partition key and the sort key must be different attributes";
            self.report(
                "duplicate-name",
                &sort.name.span,
                message,
                "use another attribute",
            );
        }
        keys
    }

    /// The entity whose items expire, by position.
    fn ttl_entity(&mut self, written: &TableFile, items: &TableItems) -> Option<usize> {
        let entity = written.ttl.as_ref()?.entity.as_ref()?;
        self.entity_named(entity, items)
    }

    /// The region that serves the users of the home region if that is lost.
    fn home_failover(&mut self, written: &TableFile) -> Option<String> {
        let home = self.region.clone();
        let to = written.failover.as_ref()?;
        Some(self.failover(to, written, &home))
    }

    fn table(&mut self, written: &Located<TableFile>) -> Option<TableDesign> {
        let table = self.schema(written);
        let items = self.table_items(written, &table);
        self.whole_entry_sizes_fit(&table, written, items.described.as_ref());
        let capacity = self.capacity(written.capacity.as_ref());
        let insights =
            features::insights(written.contributor_insights.as_ref()).unwrap_or_default();
        let indexes = written.index.iter().flatten();
        let index_designs = indexes
            .map(|index| self.index_design(index, &capacity, &items, insights))
            .collect();
        let of = CheckedTable {
            written,
            table: &table,
            unknown: unknown_parts(written, items.unknown_count),
            items: &items,
        };
        let patterns = self.access_patterns(&of);
        let vectors = self.vectors(written, &table);
        let searches = self.searches(&of, &vectors);
        let replicas = self.replicas(&of, &capacity);
        let unknown = of.unknown;
        self.note_table(written);
        let ttl_entity = self.ttl_entity(written, &items);
        let (access, once) = patterns?;
        let sizes = items.sizes;
        let described = items.described.as_ref();
        let design = TableDesign {
            items: items.count,
            sizes: match items.is_unknown {
                true => None,
                false => Some(sizes?),
            },
            stored: written.stored.as_ref().map(|size| Exact::from(size.0.0)),
            unknown,
            attributes: described
                .map(|described| described.attributes.clone())
                .unwrap_or_default(),
            number_keys: number_keys(written),
            popularity: None,
            keyless: described.map_or(0, |described| described.keyless),
            has_numbers: described.is_some_and(|described| described.has_numbers),
            entities: items.entities.into_iter().map(|one| one.entity).collect(),
            indexes: index_designs,
            vectors,
            searches: searches?,
            capacity,
            on_demand_max: self.on_demand_max(written.capacity.as_ref()),
            access,
            once,
            warm: self.warm(written.capacity.as_ref()),
            growth: growth_of(written),
            ttl_deletes: written
                .ttl
                .as_ref()
                .and_then(|ttl| ttl.deletes.given())
                .map_or_else(Exact::zero, |rate| rate.monthly(&self.month)),
            ttl_entity,
            backup: self.backup(written),
            measured: self.billed_usage(written.measured.as_deref()),
            stream: written.stream.as_ref().map(|stream| self.stream(stream)),
            import: written.import.as_ref().map(|import| self.import(import)),
            archive: written
                .archive
                .as_ref()
                .map(|archive| self.archive(archive)),
            replicas,
            failover: self.home_failover(written),
            strong: written
                .multi_region_consistency
                .as_ref()
                .is_some_and(|word| word.value == RegionConsistencyWord::Strong),
            dax: None,
            contributor_insights: insights,
            encryption: written.encryption.as_ref().map(encryption),
            unpriced: self.unpriced(written.unpriced.as_deref(), Some(&written.name.value)),
            table,
        };
        Some(self.after_growth(design, written))
    }

    /// The design after the years that the file looks ahead, with what depends on its size.
    fn after_growth(&mut self, design: TableDesign, written: &Located<TableFile>) -> TableDesign {
        let factor = Exact::one() + growth_of(written);
        let mut design = design
            .grown(&(0..self.years_ahead).fold(Exact::one(), |product, _| &product * &factor));
        let keys = if design.unknown.items {
            Err("the number of keys defaults to the number of items, which is \"unknown\"")
        } else {
            Ok(&design.items)
        };
        design.popularity = written
            .popularity
            .as_ref()
            .map(|popularity| self.popularity(popularity, keys));
        self.item_collections(written, &design);
        self.transactions_fit(written, &design);
        design.dax = written.dax.as_ref().map(|dax| self.dax(dax, &design));
        design
    }

    /// The name, the keys and the indexes of a table.
    fn schema(&mut self, written: &Located<TableFile>) -> Table {
        self.name_length("table", &written.name);
        let keys = self.key_schema(written);
        let indexes = written.index.as_deref().unwrap_or_default();
        self.count_indexes(indexes, written);
        self.unique(
            "duplicate-name",
            "index",
            indexes.iter().map(|index| &index.name),
        );
        Table {
            name: written.name.value.clone(),
            class: class(written.class),
            keys,
            indexes: indexes
                .iter()
                .map(|index| self.index(index, written))
                .collect(),
            vectors: written
                .vector_index
                .iter()
                .flatten()
                .map(|index| VectorAttribute {
                    name: index.attribute.value.clone(),
                    dimensions: index.dimensions.0.to_u64().unwrap_or_default(),
                })
                .collect(),
        }
    }

    /// The access patterns of a table and its consumed units, and apart from them the calls that are
    /// made once; `None` if one is wrong.
    fn access_patterns(
        &mut self,
        of: &CheckedTable,
    ) -> Option<(Vec<AccessPattern>, Vec<AccessPattern>)> {
        let files = of.written.access.as_deref().unwrap_or_default();
        self.unique(
            "duplicate-name",
            "access pattern",
            files.iter().map(|access| &access.name),
        );
        let calls = files.iter().filter(|access| !vectors::is_search(access));
        let (once, recurring): (Vec<_>, Vec<_>) = calls.partition(|access| is_once(access));
        let mut checked = |files: Vec<&Located<AccessFile>>| {
            let checked = files.into_iter().map(|access| self.access(access, of));
            checked.collect::<Vec<_>>()
        };
        let (recurring, once) = (checked(recurring), checked(once));
        let consumed = self.consumed(of.written, of.table);
        let recurring: Option<Vec<_>> = recurring
            .into_iter()
            .chain(consumed.into_iter().map(Some))
            .collect();
        Some((recurring?, once.into_iter().collect::<Option<_>>()?))
    }

    fn import(&self, import: &ImportFile) -> Import {
        Import {
            bytes: Exact::from(import.source.0.0),
            times: import.rate.monthly(&self.month),
            once: import.rate.is_once(),
        }
    }

    /// The warm throughput to which a table is raised.
    fn warm(&mut self, given: Option<&Located<CapacityFile>>) -> ByDirection<Option<u64>> {
        let Some(capacity) = given else {
            return ByDirection::default();
        };
        let given = ByDirection {
            read: &capacity.warm_read,
            write: &capacity.warm_write,
        };
        given.map(|units| {
            let most = limits::PROVISIONED_UNITS_MAX * 1_000;
            let units = units.as_ref()?;
            Some(self.whole("capacity-mode", "warm throughput", units, 1..=most))
        })
    }

    /// Refuses the size of an entry that is said for an index that holds whole items, whose sizes
    /// are known.
    fn whole_entry_sizes_fit(
        &mut self,
        table: &Table,
        written: &TableFile,
        described: Option<&items::Described>,
    ) {
        for (index, file) in table.indexes.iter().zip(written.index.iter().flatten()) {
            let wrong = described
                .and_then(|described| items::whole_entry_size(index, file, &described.sizes));
            if let (Some(message), Some(size)) = (wrong, &file.entry_size) {
                let help = "remove `entry_size`, or set what the index holds: projection = \
                            \"keys-only\", or { include = [\"…\"] }";
                self.report("entry-size", &size.span, message, help);
            }
        }
    }

    /// The number of items: as it is written, else as many as the sizes were measured on.
    fn number_of_items(&mut self, written: &Located<TableFile>, measured: Option<u64>) -> Exact {
        let given = written
            .items
            .as_ref()
            .map(|items| (items.value.given(), items.span.clone()));
        match (given, measured) {
            (Some((Some(items), span)), _) => {
                let items = Located {
                    value: items.clone(),
                    span,
                };
                self.number(&items)
            }
            (Some((None, _)), _) => Exact::zero(),
            (None, Some(measured)) => Exact::from(measured),
            (None, None) => {
                self.report(
                    "items",
                    &written.name.span,
                    "the number of items is missing",
                    "add `items = …`, or `items = \"unknown\"`",
                );
                Exact::zero()
            }
        }
    }

    /// Checks the limit of 10 GB for the items of one partition key with their index entries, if a
    /// table has local indexes.
    fn item_collections(&mut self, written: &Located<TableFile>, design: &TableDesign) {
        let local = |at: &usize| design.table.indexes[*at].kind == IndexKind::Local;
        let (Some(popularity), Some(keys)) = (
            &design.popularity,
            written
                .popularity
                .as_ref()
                .and_then(|one| one.keys.as_ref()),
        ) else {
            return;
        };
        let indexes: Vec<usize> = (0..design.table.indexes.len()).filter(local).collect();
        let Some(own) = design.held().filter(|_| !indexes.is_empty()) else {
            return;
        };
        let entries = indexes
            .iter()
            .filter_map(|at| design.held_by(*at))
            .map(|held| held.data)
            .sum::<Exact>();
        let each = &(&own.data + &entries) / &Exact::from(popularity.keys.max(1));
        if each > Exact::from(limits::ITEM_COLLECTION_BYTES_MAX) {
            let message = format!(
                "with {} partition keys, each has {} GB of items and local index entries on \
                 average; the limit is 10 GB for a table with local indexes",
                Exact::from(popularity.keys),
                (&each / &Exact::from(GB)).human(1)
            );
            self.report(
                "popularity",
                &keys.span,
                message,
                "use more partition keys, or make the local indexes global",
            );
        }
    }

    /// Checks that, even with the smallest items, a transaction does not exceed 4 MB.
    fn transactions_fit(&mut self, written: &Located<TableFile>, design: &TableDesign) {
        for (file, access) in written.access.iter().flatten().zip(&design.access) {
            let items = match &access.call {
                PatternCall::Transaction { plans, .. } => plans
                    .iter()
                    .filter(|(plan, _)| matches!(plan.kind, WriteKind::Put | WriteKind::Update))
                    .map(|(_, counts)| counts.mean())
                    .sum::<Exact>(),
                PatternCall::Get {
                    consistency: None, ..
                } => access.call.items(),
                _ => continue,
            };
            let items = items.floor().to_u64().unwrap_or(u64::MAX);
            let smallest = access
                .sizes
                .iter()
                .flat_map(|sizes| sizes.iter())
                .map(|class| class.item.0)
                .min()
                .unwrap_or(0);
            if items.saturating_mul(smallest) > limits::TRANSACTION_BYTES_MAX {
                let bytes = Exact::ratio(items.saturating_mul(smallest), MB).human(1);
                let message = format!(
                    "the {items} items of one call of {:?} have at least {bytes} MB together; the \
                     limit of a transaction is 4 MB",
                    access.name
                );
                self.report(
                    "batch-size",
                    &file.operation.span,
                    message,
                    "use fewer items in one call, or smaller ones",
                );
            }
        }
    }

    /// Records where a part of the design is written.
    fn note(&mut self, part: DesignPart, span: &Range<usize>) {
        let (line, _) = self.reader.source().line_column(span.start);
        self.written.note(part, line);
    }

    /// Records where a table and its parts are written.
    fn note_table(&mut self, table: &Located<TableFile>) {
        let name = &table.name;
        self.note(DesignPart::Table(name.value.clone()), &name.span);
        self.note(
            DesignPart::Item(name.value.clone()),
            table.item.as_ref().map_or(&name.span, |item| &item.span),
        );
        self.note(
            DesignPart::Capacity(name.value.clone()),
            table
                .capacity
                .as_ref()
                .map_or(&name.span, |capacity| &capacity.span),
        );
        self.note(
            DesignPart::Dax(name.value.clone()),
            table.dax.as_ref().map_or(&name.span, |dax| &dax.span),
        );
        for index in table.index.iter().flatten() {
            self.note(
                DesignPart::Index(name.value.clone(), index.name.value.clone()),
                &index.name.span,
            );
        }
    }

    fn count_indexes(&mut self, indexes: &[Located<IndexFile>], written: &Located<TableFile>) {
        for (kind, most, code) in [
            (
                IndexKindWord::Local,
                limits::LOCAL_INDEXES_MAX,
                "local-indexes",
            ),
            (
                IndexKindWord::Global,
                limits::GLOBAL_INDEXES_MAX,
                "global-indexes",
            ),
        ] {
            let of_kind: Vec<_> = indexes
                .iter()
                .filter(|index| index.kind.value == kind && !index.kind.is_placeholder())
                .collect();
            if let Some(beyond) = of_kind.get(most) {
                let message = format!(
                    "a table can have at most {most} {} indexes, found {}",
                    kind.word(),
                    of_kind.len()
                );
                self.report(
                    code,
                    &beyond.name.span,
                    message,
                    "merge indexes, or serve some queries from another table",
                );
            }
            if kind == IndexKindWord::Local
                && written.sort_key.is_none()
                && let Some(first) = of_kind.first()
            {
                self.report(
                    code,
                    &first.name.span,
                    "a local index needs a table with a sort key",
                    "add a sort_key to the table, or make the index global",
                );
            }
        }
        let included: usize = indexes
            .iter()
            .filter_map(|index| {
                match index
                    .projection
                    .as_ref()
                    .map(|projection| &projection.value)
                {
                    Some(ProjectionFile::Include(include)) => Some(include.include.len()),
                    _ => None,
                }
            })
            .sum();
        if included > limits::INCLUDED_ATTRIBUTES_MAX {
            let message = format!(
                "the projections of a table can include at most 100 attributes in total, found \
                 {included}"
            );
            self.report(
                "included-attributes",
                &written.name.span,
                message,
                "project all attributes, or include fewer",
            );
        }
    }

    fn index(&mut self, written: &Located<IndexFile>, table: &Located<TableFile>) -> Index {
        self.name_length("index", &written.name);
        let kind = match written.kind.value {
            IndexKindWord::Global => IndexKind::Global,
            IndexKindWord::Local => IndexKind::Local,
        };
        let partition = written.partition_key.list();
        let sort = written
            .sort_key
            .as_ref()
            .map(|sort| sort.list())
            .unwrap_or_default();
        let most = if kind == IndexKind::Global { 4 } else { 1 };
        if partition.is_empty() || partition.len() > most || sort.len() > most {
            let message = format!(
                "a {} index needs at least 1 and at most {most} partition key attributes, and at \
                 most {most} sort key attributes",
                written.kind.value.word()
            );
            self.report(
                "local-index-key",
                &written.partition_key.span,
                message,
                "use fewer attributes",
            );
        }
        let mut keys: Vec<&String> = partition.iter().chain(&sort).collect();
        keys.sort_unstable();
        if keys.windows(2).any(|pair| pair[0] == pair[1]) {
            let message = "an index key must not contain an attribute twice";
            self.report(
                "duplicate-name",
                &written.partition_key.span,
                message,
                "use another attribute",
            );
        }
        let own = table
            .partition_key
            .given()
            .map(|key| &key.name)
            .filter(|name| !name.is_placeholder() && !written.partition_key.is_placeholder());
        if let Some(own) =
            own.filter(|own| kind == IndexKind::Local && partition.first() != Some(&own.value))
        {
            let message = format!(
                "a local index must have the table's partition key, {:?}",
                own.value
            );
            self.report(
                "local-index-key",
                &written.partition_key.span,
                message,
                "use that attribute, or make the index global",
            );
        }
        if kind == IndexKind::Local && sort.is_empty() {
            self.report(
                "local-index-key",
                &written.name.span,
                "a local index needs a sort key",
                "add `sort_key = …`",
            );
        }
        let projection = projection(written.projection.as_ref());
        Index {
            name: written.name.value.clone(),
            kind,
            keys: [partition, sort].concat(),
            projection,
        }
    }

    fn index_design(
        &mut self,
        written: &Located<IndexFile>,
        capacity: &Capacity,
        items: &TableItems,
        insights: ContributorInsights,
    ) -> IndexDesign {
        if let Some(coverage) = &written.coverage
            && let Some(message) = items.says_coverage(&written.name)
        {
            self.report("item-source", &coverage.span, message, "remove `coverage`");
        }
        let own = written.read.as_ref().or(written.write.as_ref());
        if let (Some(schedule), true) = (&written.schedule, own.is_none()) {
            self.report(
                "schedule",
                &schedule.span,
                "only an index with its own units can have a schedule",
                "add `read` and `write`, or remove `schedule`",
            );
        }
        let provisioned = matches!(capacity, Capacity::Provisioned(_));
        let given = ByDirection {
            read: ("max_read", &written.max_read),
            write: ("max_write", &written.max_write),
        };
        let on_demand_max = given.map(|(key, most)| {
            let most = most.as_ref()?;
            if provisioned || written.kind.value == IndexKindWord::Local {
                let message = format!("only a global index of an on-demand table can have `{key}`");
                self.report("capacity-mode", &most.span, message, "remove it");
            }
            Some(self.whole(
                "capacity-mode",
                "a maximum throughput",
                most,
                1..=limits::PROVISIONED_UNITS_MAX * 1_000,
            ))
        });
        let capacity = self.index_capacity(written, provisioned);
        if let (Some(popularity), IndexKindWord::Local) = (&written.popularity, written.kind.value)
        {
            let message = "a local index has the partition keys of its table";
            self.report(
                "popularity",
                &popularity.span,
                message,
                "remove it here; [table.popularity] describes those keys",
            );
        }
        let keys = Err("an index has its own partition keys, and their number is not given");
        IndexDesign {
            partition_keys: written.partition_key.list().len(),
            popularity: written
                .popularity
                .as_ref()
                .map(|popularity| self.popularity(popularity, keys)),
            coverage: match items.is_covered {
                true => Exact::one(),
                false => self.share(written.coverage.as_ref(), Exact::one()),
            },
            entry_size: written.entry_size.as_ref().map(|size| size.0),
            capacity,
            stored: written
                .stored
                .as_ref()
                .map(|stored| Exact::from(stored.0.0)),
            on_demand_max,
            contributor_insights: match written.kind.value {
                IndexKindWord::Global => {
                    features::insights(written.contributor_insights.as_ref()).unwrap_or(insights)
                }
                IndexKindWord::Local => ContributorInsights::Off,
            },
        }
    }

    /// The provisioned units of an index; `None` if it has none of its own.
    fn index_capacity(
        &mut self,
        written: &Located<IndexFile>,
        provisioned: bool,
    ) -> Option<ByDirection<Units>> {
        let own = written.read.as_ref().or(written.write.as_ref());
        match (written.kind.value, own, provisioned) {
            (IndexKindWord::Local, Some(own), _) => {
                self.report(
                    "capacity-mode",
                    &own.span,
                    "a local index uses its table's capacity",
                    "remove `read` and `write` here",
                );
                None
            }
            (IndexKindWord::Global, Some(own), false) => {
                self.report(
                    "capacity-mode",
                    &own.span,
                    "the table is on demand, so its indexes have no provisioned units",
                    "remove `read` and `write` here",
                );
                None
            }
            (IndexKindWord::Global, _, true) => {
                let read = self.units(written.read.as_ref(), "read", &written.name.span);
                let write = self.units(written.write.as_ref(), "write", &written.name.span);
                Some(self.with_schedule(read, write, written.schedule.as_ref()))
            }
            _ => None,
        }
    }

    pub(super) fn units(
        &mut self,
        given: Option<&Located<UnitsFile>>,
        direction: &str,
        place: &Range<usize>,
    ) -> Units {
        let allowed = 1..=limits::PROVISIONED_UNITS_MAX * 1_000;
        match given.map(|given| (&given.value, &given.span)) {
            None => {
                let message = format!(
                    "a provisioned table and each of its global indexes need `{direction}` units"
                );
                self.report(
                    "capacity-mode",
                    place,
                    message,
                    format!("add `{direction} = …`, or use mode = \"on-demand\""),
                );
                Units::Fixed(1)
            }
            Some((UnitsFile::Fixed(number), span)) => {
                let located = Located {
                    value: number.clone(),
                    span: span.clone(),
                };
                Units::Fixed(self.whole("capacity-mode", "provisioned units", &located, allowed))
            }
            Some((UnitsFile::Unknown(_), _)) => Units::Unknown,
            Some((UnitsFile::Scaled(scaled), span)) => {
                let min = self.whole("capacity-mode", "min", &scaled.min, allowed.clone());
                let max = self.whole("capacity-mode", "max", &scaled.max, allowed);
                if max < min {
                    self.report(
                        "capacity-mode",
                        span,
                        format!("max ({max}) is below min ({min})"),
                        "swap them",
                    );
                }
                let Known::Given(target) = &scaled.target.value else {
                    return Units::Scaled(Scaling {
                        min,
                        max: max.max(min),
                        target_percent: None,
                        schedule: Schedule::default(),
                    });
                };
                let percent = &target.0 * &Exact::from(100);
                if percent < Exact::from(20)
                    || percent > Exact::from(90)
                    || percent != percent.floor()
                {
                    self.report(
                        "capacity-mode",
                        &scaled.target.span,
                        format!(
                            "a target must be from 0.2 to 0.9 in whole percent, found {}",
                            target.0
                        ),
                        "write the utilization to track, such as 0.70",
                    );
                }
                Units::Scaled(Scaling {
                    min,
                    max: max.max(min),
                    target_percent: percent.to_u64(),
                    schedule: Schedule::default(),
                })
            }
        }
    }

    /// The maximum throughput that is set for an on-demand table.
    fn on_demand_max(&mut self, given: Option<&Located<CapacityFile>>) -> ByDirection<Option<u64>> {
        let Some(capacity) = given else {
            return ByDirection::default();
        };
        let on_demand = capacity.mode.value == ModeWord::OnDemand || capacity.mode.is_placeholder();
        let given = ByDirection {
            read: ("max_read", &capacity.max_read),
            write: ("max_write", &capacity.max_write),
        };
        given.map(|(key, most)| {
            let most = most.as_ref()?;
            if !on_demand {
                let message = format!(
                    "only an on-demand table can have `{key}`; a provisioned table with auto \
                     scaling has `max`"
                );
                self.report("capacity-mode", &most.span, message, "remove it");
            }
            Some(self.whole(
                "capacity-mode",
                "a maximum throughput",
                most,
                1..=limits::PROVISIONED_UNITS_MAX * 1_000,
            ))
        })
    }

    /// Units with the schedule that changes their bounds.
    fn with_schedule(
        &mut self,
        read: Units,
        write: Units,
        schedule: Option<&Located<Vec<ScheduleFile>>>,
    ) -> ByDirection<Units> {
        let (mut reads, mut writes) = (Schedule::default(), Schedule::default());
        for step in schedule.iter().flat_map(|schedule| schedule.iter()) {
            self.scheduled(step, &mut reads, &mut writes);
        }
        ByDirection {
            read: with_schedule(read, reads),
            write: with_schedule(write, writes),
        }
    }

    /// One scheduled action, for reads, writes or both.
    fn scheduled(&mut self, step: &ScheduleFile, reads: &mut Schedule, writes: &mut Schedule) {
        let minutes = match Schedule::minutes_of(&step.cron) {
            Ok(minutes) => minutes,
            Err(_) if step.cron.is_placeholder() => Vec::new(),
            Err(problem) => {
                self.report(
                    "schedule",
                    &step.cron.span,
                    problem,
                    "write a weekly cron expression, such as \"0 8 * * MON-FRI\" (08:00 UTC on \
                     weekdays)",
                );
                Vec::new()
            }
        };
        let given = [
            &step.min_read,
            &step.max_read,
            &step.min_write,
            &step.max_write,
        ];
        if given.iter().all(|bound| bound.is_none()) {
            self.report(
                "schedule",
                &step.cron.span,
                "the action sets no bound",
                "add min_read, max_read, min_write or max_write",
            );
        }
        let [min_read, max_read, min_write, max_write] = given.map(|bound| {
            bound.as_ref().map(|bound| {
                self.whole(
                    "schedule",
                    "a bound",
                    bound,
                    1..=limits::PROVISIONED_UNITS_MAX * 1_000,
                )
            })
        });
        for (low, high, place) in [
            (min_read, max_read, &step.max_read),
            (min_write, max_write, &step.max_write),
        ] {
            if let (Some(low), Some(high), Some(place)) = (low, high, place)
                && low > high
            {
                self.report(
                    "schedule",
                    &place.span,
                    format!("the maximum ({high}) is below the minimum ({low})"),
                    "swap them",
                );
            }
        }
        let zone = self.timezone(step);
        let year = self.book.as_ref().map_or(2026, |book| book.date().year());
        for (min, max, schedule) in [(min_read, max_read, reads), (min_write, max_write, writes)] {
            if min.is_some() || max.is_some() {
                schedule.add_in_zone(&minutes, Bounds { min, max }, zone, year);
            }
        }
    }

    fn timezone(&mut self, step: &ScheduleFile) -> Tz {
        let Some(zone) = &step.timezone else {
            return Tz::UTC;
        };
        zone.value.parse().unwrap_or_else(|_| {
            self.report(
                "schedule",
                &zone.span,
                format!("{:?} is not a time zone", zone.value),
                "write the IANA name of a time zone, such as \"Europe/Berlin\"",
            );
            Tz::UTC
        })
    }

    fn capacity(&mut self, given: Option<&Located<CapacityFile>>) -> Capacity {
        let Some(capacity) = given else {
            return Capacity::OnDemand;
        };
        if capacity.mode.is_placeholder() {
            return Capacity::OnDemand;
        }
        if capacity.mode.value == ModeWord::OnDemand {
            let set = [
                ("read", capacity.read.as_ref().map(|read| &read.span)),
                ("write", capacity.write.as_ref().map(|write| &write.span)),
                (
                    "schedule",
                    capacity.schedule.as_ref().map(|schedule| &schedule.span),
                ),
            ];
            for (key, span) in set {
                if let Some(span) = span {
                    self.report(
                        "capacity-mode",
                        &span.clone(),
                        format!("an on-demand table has no `{key}`"),
                        "remove it, or use mode = \"provisioned\"",
                    );
                }
            }
            return Capacity::OnDemand;
        }
        let read = self.units(capacity.read.as_ref(), "read", &capacity.mode.span);
        let write = self.units(capacity.write.as_ref(), "write", &capacity.mode.span);
        Capacity::Provisioned(self.with_schedule(read, write, capacity.schedule.as_ref()))
    }
}

/// Adds a schedule to the units of a direction; fixed units become bounds with an equal minimum and
/// maximum.
fn with_schedule(units: Units, schedule: Schedule) -> Units {
    match units {
        units if schedule.actions.is_empty() => units,
        Units::Unknown => Units::Unknown,
        Units::Fixed(units) => Units::Scaled(Scaling {
            min: units,
            max: units,
            target_percent: None,
            schedule,
        }),
        Units::Scaled(scaling) => Units::Scaled(Scaling {
            schedule,
            ..scaling
        }),
    }
}

/// What an index holds; everything, if this is not said.
fn projection(written: Option<&Located<ProjectionFile>>) -> Projection {
    match written.map(|projection| &projection.value) {
        None | Some(ProjectionFile::Word(ProjectionWord::All)) => Projection::All,
        Some(ProjectionFile::Word(ProjectionWord::KeysOnly)) => Projection::KeysOnly,
        Some(ProjectionFile::Include(include)) => {
            Projection::Include(include.include.value.clone())
        }
    }
}

fn class(word: Option<super::file::ClassWord>) -> TableClass {
    match word {
        None | Some(super::file::ClassWord::Standard) => TableClass::Standard,
        Some(super::file::ClassWord::StandardIa) => TableClass::StandardIa,
    }
}

/// What a table's file says is unknown.
fn unknown_parts(written: &TableFile, unknown_count: bool) -> UnknownParts {
    UnknownParts {
        items: unknown_count,
        ttl_deletes: written
            .ttl
            .as_ref()
            .is_some_and(|ttl| ttl.deletes == Known::Unknown),
        stream_readers: written
            .stream
            .as_ref()
            .is_some_and(|stream| stream.readers == Some(Known::Unknown)),
    }
}

/// Which of a table's keys are numbers.
fn number_keys(written: &TableFile) -> NumberKeys {
    NumberKeys {
        partition: written
            .partition_key
            .given()
            .is_some_and(|key| key.r#type == Some(KeyType::N)),
        sort: written
            .sort_key
            .as_ref()
            .is_some_and(|key| key.r#type == Some(KeyType::N)),
    }
}

pub(super) fn encryption(written: &EncryptionFile) -> Encryption {
    let one = |number: &Option<FileNumber>| {
        number
            .as_ref()
            .map_or_else(Exact::one, |number| number.0.clone())
    };
    Encryption {
        keys: one(&written.keys),
        callers: one(&written.callers),
    }
}
