//! What one file of a bill adds: its lines and counts, until all files are joined.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashTable;
use rust_decimal::Decimal;

use super::amounts::Amounts;
use super::billed::{BilledLine, LineHead, Resource, RowCounts, Times};
use super::duplicates::hash_of;
use super::kind::{BilledKind, kind, kind_of_sku};
use super::row::{Rated, Row};
use super::values::Month;

/// What is odd in a bill, counted until it is printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Oddities {
    /// Usage rows with a rate whose cost is the product, rounded.
    pub as_rated: u64,
    /// Usage rows with a rate whose cost is something else.
    pub otherwise_rated: u64,
    /// Usage rows with a negative quantity.
    pub negative: u64,
    /// Rows whose amortised cost is unknown.
    pub not_amortised: u64,
    /// Rows whose list price is unknown.
    pub unlisted: u64,
    /// Rows of a type that is not known.
    pub other_types: u64,
}

impl Oddities {
    pub fn add(&mut self, other: &Oddities) {
        self.as_rated += other.as_rated;
        self.otherwise_rated += other.otherwise_rated;
        self.negative += other.negative;
        self.not_amortised += other.not_amortised;
        self.unlisted += other.unlisted;
        self.other_types += other.other_types;
    }
}

/// The lines of one file.
#[derive(Default)]
pub(super) struct Part {
    /// The place of its file among all.
    pub file: u16,
    pub counts: RowCounts,
    pub oddities: Oddities,
    pub formats: BTreeSet<&'static str>,
    /// Notes about the whole file.
    pub notes: Vec<String>,
    /// The sum of the hashes of all rows: equal for files with the same rows.
    pub contents: u64,
    /// Whether its rows have IDs.
    pub has_ids: bool,
    /// The shortest interval of usage of DynamoDB, by month and account.
    pub intervals: BTreeMap<(Month, String), u64>,
    lines: Vec<(Vec<u8>, LineHead, Times)>,
    by_key: HashTable<u32>,
    cells: HashTable<(u32, i64, Amounts)>,
    key: Vec<u8>,
    slot_seconds: i64,
}

impl Part {
    /// `slot_seconds` is the length of the intervals in which amounts are kept: an hour or a day.
    pub fn new(slot_seconds: i64) -> Part {
        Part {
            slot_seconds,
            ..Part::default()
        }
    }

    /// Records the hash of a row that is read.
    pub fn see(&mut self, row: u64) {
        self.contents = self.contents.wrapping_add(row);
    }

    /// Adds a row; `None` if a sum needs more than 28 digits.
    pub fn add(&mut self, row: &Row<'_>) -> Option<()> {
        self.counts.kept += 1;
        match row.is_as_rated {
            Rated::Exactly => self.oddities.as_rated += 1,
            Rated::Otherwise => self.oddities.otherwise_rated += 1,
            Rated::Unrated => (),
        }
        let is_negative = |quantity: Decimal| quantity.is_sign_negative() && !quantity.is_zero();
        if row.charge.is_usage() && row.amounts.quantity.is_some_and(is_negative) {
            self.oddities.negative += 1;
        }
        self.oddities.other_types += u64::from(row.charge == super::ChargeType::Other);
        self.oddities.not_amortised += u64::from(row.amounts.amortised.is_none());
        self.oddities.unlisted += u64::from(row.amounts.list.is_none());
        if row.charge == super::ChargeType::Usage && row.service == super::kind::DYNAMODB {
            let key = (row.month, row.account.to_string());
            let shortest = self.intervals.entry(key).or_insert(row.seconds);
            *shortest = (*shortest).min(row.seconds);
        }
        let line = self.line(row);
        let times = &mut self.lines[line as usize].2;
        *times = times.and(Times::of(row.start, row.seconds));
        let slot = row.start.div_euclid(self.slot_seconds) * self.slot_seconds;
        self.amount(line, slot, &row.amounts)
    }

    fn amount(&mut self, line: u32, slot: i64, amounts: &Amounts) -> Option<()> {
        let hash = |line: u32, slot: i64| hash_of((line, slot));
        let at = hash(line, slot);
        match self
            .cells
            .find_mut(at, |(own, other, _)| (*own, *other) == (line, slot))
        {
            Some((.., sum)) => sum.add(amounts),
            None => {
                let cell = (line, slot, *amounts);
                self.cells
                    .insert_unique(at, cell, |(line, slot, _)| hash(*line, *slot));
                Some(())
            }
        }
    }

    /// The line of a row; a new one if there is none yet.
    fn line(&mut self, row: &Row<'_>) -> u32 {
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        let texts = [
            row.account.as_ref(),
            &row.service,
            &row.usage_type,
            &row.region,
            &row.resource,
            &row.sku,
        ];
        for text in texts {
            key.extend_from_slice(text.as_bytes());
            key.push(0);
        }
        key.push(row.charge as u8);
        key.extend_from_slice(&row.month.first_second().to_le_bytes());
        for rate in [row.rate, row.list_rate] {
            key.push(u8::from(rate.is_some()));
            key.extend_from_slice(&rate.unwrap_or_default().normalize().serialize());
        }
        let hash = hash_of(&key);
        let lines = &self.lines;
        let found = self
            .by_key
            .find(hash, |line| lines[*line as usize].0 == key)
            .copied();
        let line = found.unwrap_or_else(|| {
            let line = self.lines.len() as u32;
            let times = Times::of(row.start, row.seconds);
            self.lines.push((key.clone(), head(row), times));
            let lines = &self.lines;
            self.by_key
                .insert_unique(hash, line, |line| hash_of(&lines[*line as usize].0));
            line
        });
        self.key = key;
        line
    }

    /// Adds its lines to those of other files; `None` if a sum needs more than 28 digits. Returns a
    /// line and moment that another file has as well.
    pub fn into_lines(
        self,
        joined: &mut BTreeMap<LineHead, BilledLine>,
    ) -> Option<Option<(LineHead, i64)>> {
        let mut twice = None;
        let heads: Vec<(LineHead, Times)> = self
            .lines
            .into_iter()
            .map(|(_, head, times)| (head, times))
            .collect();
        for (line, slot, amounts) in self.cells {
            let (head, times) = &heads[line as usize];
            let new = || BilledLine {
                head: head.clone(),
                times: *times,
                amounts: BTreeMap::new(),
            };
            let line = joined.entry(head.clone()).or_insert_with(new);
            line.times = line.times.and(*times);
            if line.amounts.contains_key(&slot) {
                twice = twice.or_else(|| Some((head.clone(), slot)));
            }
            line.amounts.entry(slot).or_default().add(&amounts)?;
        }
        Some(twice)
    }
}

/// What the rows of a line have in common.
fn head(row: &Row<'_>) -> LineHead {
    let (of_name, named_region) = kind(&row.service, &row.usage_type);
    let by_sku = kind_of_sku(&row.sku);
    let (kind, region) = match (row.usage_type.is_empty(), by_sku) {
        (true, Some((kind, region))) => (kind, Some(region)),
        _ => (of_name, named_region.filter(|_| !row.usage_type.is_empty())),
    };
    let written = Some(row.region.as_ref()).filter(|region| !matches!(*region, "" | "global"));
    let resource = match row.service.as_str() {
        // A usage report has the names of tables.
        super::kind::DYNAMODB if !row.resource.contains(':') && !row.resource.is_empty() => {
            Resource {
                table: Some(row.resource.to_string()),
                ..Resource::default()
            }
        }
        _ => Resource::of(&row.resource),
    };
    let has_region = !matches!(kind, BilledKind::SavingsPlan);
    LineHead {
        month: row.month,
        account: row.account.to_string(),
        service: row.service.clone(),
        region: written
            .or(region)
            .filter(|_| has_region)
            .map(str::to_string),
        resource,
        kind,
        usage_type: row.usage_type.to_string(),
        charge: row.charge,
        rate: row.rate.map(|rate| rate.normalize()),
        list_rate: row.list_rate.map(|rate| rate.normalize()),
    }
}
