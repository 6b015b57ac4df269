//! Bills: the usage of tables as AWS measured it, from which alternatives can be priced.
//!
//! A bill knows units, bytes and hours, but no keys, items or calls. What nothing else in a workload
//! causes is `[[measured]]`, so that the estimate of the file is the bill at list price.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::draft::{Draft, Fields, ReplicaDraft, Sourced, TableDraft, UnitsDraft, number, quoted};
use super::shape::{HOUR, hour_of_the_week, shape};
use crate::bill::{AwsBill, BilledKind, BilledLine, ChargeType, Month, Times};
use crate::pricing::Books;
use crate::table::limits::DAX_NODES_MAX;
use crate::table::{Direction, TableClass};
use crate::time::{Date, WEEK_HOURS};
use crate::units::Exact;
use crate::usage::{FreeTier, ReservedPart, Throughput, UsageType};

/// Bytes of a GB.
const GB: u64 = 1 << 30;

/// The usage of a table in a region.
type Usage<'a> = BTreeMap<&'a UsageType, Vec<&'a BilledLine>>;

/// A region, the years of a term, and the day on which it ended.
type ReservedKey<'a> = (&'a str, Option<u64>, Option<String>);

/// Everything that the draft of one bill needs.
struct BillImport<'a> {
    bill: &'a AwsBill,
    books: &'a Books,
    month: Month,
    region: String,
    /// The first second with usage, and the end of the last.
    span: (i64, i64),
}

/// Why a bill cannot be imported.
pub(super) fn draft(bill: &AwsBill, region: Option<&str>, books: &Books) -> Result<Draft, String> {
    let month = match bill.months().as_slice() {
        [month] => *month,
        months => {
            let names: Vec<String> = months.iter().map(ToString::to_string).collect();
            return Err(format!(
                "the bill has several months ({}), and a workload is one\nhelp: name one with --month {}",
                names.join(", "),
                names.first().map_or("2026-10", String::as_str)
            ));
        }
    };
    let usage = || bill.lines.iter().filter(|line| line.charge.is_usage());
    if usage().all(|line| line.total().is_none_or(|total| total.quantity.is_none())) {
        return Err(
            "the bill has costs only, no quantities\nhelp: export it with usage quantities: a Cost \
             and Usage Report, a FOCUS export, or `aws ce get-cost-and-usage --metrics UnblendedCost \
             UsageQuantity`"
                .to_string(),
        );
    }
    let Some(region) = region.map(str::to_string).or_else(|| home(bill)) else {
        return Err(
            "the bill does not say in which region its usage is\nhelp: name it with --region"
                .to_string(),
        );
    };
    if books.book(&region, None).is_err() {
        return Err(format!(
            "the price books do not have the region {region}\nhelp: name another with --region, or add \
             the region with `dynameter prices import`"
        ));
    }
    let import = BillImport {
        bill,
        books,
        month,
        region,
        span: bill.span_in(month),
    };
    Ok(import.draft())
}

/// The region with the most usage at list price, or as billed if the bill has no list prices.
fn home(bill: &AwsBill) -> Option<String> {
    let mut regions: BTreeMap<&str, (crate::money::Money, u64)> = BTreeMap::new();
    for line in bill.lines.iter().filter(|line| line.charge.is_usage()) {
        let Some(region) = &line.region else { continue };
        let total = line.total().unwrap_or_default();
        let list = total.list.or(total.billed).unwrap_or_default();
        let (sum, rows) = regions.entry(region).or_default();
        *sum = sum.plus(list).unwrap_or(*sum);
        *rows += total.rows;
    }
    let most = regions.into_iter().max_by_key(|(_, most)| *most);
    most.map(|(region, _)| region.to_string())
}

impl BillImport<'_> {
    fn draft(&self) -> Draft {
        let files = self.bill.files.join(", ");
        let mut draft = Draft {
            made_of: format!("the bill of {} in {files}", self.month),
            missing: "a bill does not say",
            may_be_empty: true,
            ..Draft::default()
        };
        self.head(&mut draft);
        let mut tables: BTreeMap<(&str, &str), BTreeMap<&str, Usage>> = BTreeMap::new();
        let mut rest: Usage = BTreeMap::new();
        for line in self.bill.lines.iter().filter(|line| line.charge.is_usage()) {
            let Some(usage) = line.kind.usage() else {
                continue;
            };
            let region = line.region.as_deref().unwrap_or_default();
            if let Some(why) = self.why_not(line) {
                let note = format!(
                    "Left out: {} of {} in {}: {why}.",
                    line.usage_type,
                    line.resource.name().unwrap_or("no table"),
                    line.region.as_deref().unwrap_or("an unknown region")
                );
                if !draft.notes.contains(&note) {
                    draft.notes.push(note);
                }
                continue;
            }
            match &line.resource.table {
                Some(table) => tables
                    .entry((table, &line.account))
                    .or_default()
                    .entry(region)
                    .or_default()
                    .entry(usage)
                    .or_default()
                    .push(line),
                None => rest.entry(usage).or_default().push(line),
            }
        }
        let accounts: BTreeSet<&str> = tables.keys().map(|(_, account)| *account).collect();
        for ((name, account), regions) in tables {
            if !regions.contains_key(self.region.as_str()) {
                self.elsewhere(&mut draft, name, &regions);
                continue;
            }
            let mut table = self.table(name, &regions, &mut draft.measured);
            if accounts.len() > 1 {
                table.qualifier = Some(account.to_string());
            }
            draft.tables.push(table);
        }
        for (usage, lines) in rest {
            self.without_table(&mut draft, usage, &lines);
        }
        self.commitments(&mut draft);
        self.notes(&mut draft);
        draft
    }

    /// Why a line cannot be a part of a workload.
    fn why_not(&self, line: &BilledLine) -> Option<&'static str> {
        let Some(quantity) = line.total().and_then(|total| total.quantity) else {
            return Some("the bill does not have its quantity");
        };
        if quantity < Decimal::ZERO {
            return Some("its quantity is negative");
        }
        match &line.region {
            None => Some("the bill does not say where it was used"),
            Some(region) if self.books.book(region, None).is_err() => {
                Some("the price books lack the region")
            }
            Some(_) => None,
        }
    }

    fn hours(&self) -> Exact {
        Exact::ratio(
            (self.span.1 - self.span.0).max(1).unsigned_abs(),
            HOUR.unsigned_abs(),
        )
    }

    /// A whole month's quantity of something that is used by the hour.
    fn monthly(&self, quantity: &Exact) -> Exact {
        quantity * &(Exact::from(self.month.hours()) / self.hours())
    }

    fn is_partial(&self) -> bool {
        self.hours() < Exact::from(self.month.hours())
    }

    fn head(&self, draft: &mut Draft) {
        let head = &mut draft.head;
        let name = format!("Bill of {}", self.month);
        head.set("name", Sourced::text(&name, "", None));
        let why = "the region with the most usage at list price, or --region";
        head.set("region", Sourced::text(&self.region, why, None));
        let day = self.month.first_day();
        if self.books.book(&self.region, Some(day)).is_ok() {
            head.set(
                "prices",
                Sourced::text(&day.to_string(), "the month of the bill", None),
            );
        } else {
            draft.notes.push(format!(
                "The price books do not reach back to {day}: the estimate has the newest prices. \
                 `dynameter reconcile` takes those of the bill."
            ));
        }
        let hours = self.month.hours().to_string();
        head.set(
            "month_hours",
            Sourced::new(hours, "the hours of this month", None),
        );
        let free = self.free_tiers();
        if !free.is_empty() {
            let list: Vec<String> = free.iter().map(|tier| quoted(tier)).collect();
            let note = "some of it was billed at no charge";
            head.set(
                "free_tier",
                Sourced::new(format!("[{}]", list.join(", ")), note, None),
            );
        }
    }

    /// The free tiers that the bill shows.
    fn free_tiers(&self) -> BTreeSet<&'static str> {
        let has_reserved = self
            .bill
            .lines
            .iter()
            .any(|line| matches!(line.kind, BilledKind::Reserved(_)));
        let lines = self.bill.lines.iter();
        let free = lines.filter(|line| {
            let is_free = match line.list_rate.or(line.rate) {
                Some(rate) => rate.is_zero(),
                // Without rates, less than the list price is free or reserved.
                None => !has_reserved && self.is_below_list(line),
            };
            line.charge == ChargeType::Usage && is_free
        });
        let tiers = free.filter_map(|line| line.kind.usage()?.free_tier());
        tiers
            .map(|tier| match tier {
                FreeTier::Throughput => "throughput",
                FreeTier::Storage => "storage",
                FreeTier::Streams => "streams",
            })
            .collect()
    }

    /// Whether a line costs less than its quantity at list price.
    fn is_below_list(&self, line: &BilledLine) -> bool {
        let Some((usage, total)) = line.kind.usage().zip(line.total()) else {
            return false;
        };
        let region = line.region.as_deref().unwrap_or(&self.region);
        let book = self.books.book(region, Some(self.month.first_day()));
        let price = book.ok().and_then(|book| book.list_price(usage));
        let Some(((price, quantity), billed)) = price.zip(total.quantity).zip(total.billed) else {
            return false;
        };
        let list = Exact::from(price.rate.decimal()) * Exact::from(quantity);
        Exact::from(billed.decimal()) + Exact::ratio(1, 1_000_000) < list
    }

    /// A table of another region, which cannot be a table of this workload.
    fn elsewhere(&self, draft: &mut Draft, name: &str, regions: &BTreeMap<&str, Usage>) {
        for (region, usage) in regions {
            draft.notes.push(format!(
                "{name} is in {region}: its usage is measured, not a table; import it with --region \
                 {region} to compare alternatives."
            ));
            for (usage, lines) in usage {
                let block = self.measured(usage, lines);
                draft.measured.push(self.in_region(block, region));
            }
        }
    }

    fn in_region(&self, mut block: Fields, region: &str) -> Fields {
        if region != self.region && !region.is_empty() {
            block.set("region", Sourced::text(region, "", None));
        }
        block
    }

    /// A block of measured usage.
    fn measured(&self, usage: &UsageType, lines: &[&BilledLine]) -> Fields {
        let mut fields = Fields::default();
        let name = match usage {
            UsageType::TransferTo(_) => "AWS-Out-Bytes".to_string(),
            usage => usage.name(),
        };
        let note = match usage {
            UsageType::Requests(Throughput::Write, _)
            | UsageType::CapacityHours(Throughput::Write, _)
                if lines.iter().any(|line| self.is_global(line)) =>
            {
                "writes of the global indexes of a global table are no replicated writes"
            }
            _ => "",
        };
        fields.set("usage_type", Sourced::text(&name, note, None));
        let quantity = quantity(lines);
        // A backup is charged on its first day for the rest of the month.
        let is_scaled = usage.grows_with_hours() && *usage != UsageType::BACKUP;
        let monthly = match is_scaled {
            true => self.monthly(&quantity),
            false => quantity.clone(),
        };
        let note = match self.is_partial() && is_scaled {
            true => format!("{} {} on the bill", quantity.human(9), usage.units()),
            false => usage.units(),
        };
        fields.set("quantity", Sourced::new(number(&monthly), note, None));
        if let UsageType::TransferTo(to) = usage {
            fields.set("to", Sourced::text(to, "", None));
        }
        fields
    }

    /// Whether a region has a replica that a workload would have: with the writes and the storage of
    /// the table.
    fn is_replica(&self, usage: &Usage, home: &Usage) -> bool {
        let sum = |usage: &Usage, is: &dyn Fn(&UsageType) -> bool| -> Exact {
            let lines = usage.iter().filter(|(usage, _)| is(usage));
            lines.map(|(_, lines)| quantity(lines)).sum()
        };
        let writes = |usage: &UsageType| usage.throughput() == Some(Throughput::ReplicatedWrite);
        let storage = |usage: &UsageType| matches!(usage, UsageType::Storage(_));
        !has_replicated_writes(usage)
            || (is_about(&sum(usage, &writes), &sum(home, &writes))
                && is_about(&sum(usage, &storage), &sum(home, &storage)))
    }

    /// Whether the table of a line has replicated writes.
    fn is_global(&self, line: &BilledLine) -> bool {
        let table = &line.resource.table;
        table.is_some()
            && self.bill.lines.iter().any(|other| {
                other.resource.table == *table
                    && other.kind.usage().and_then(UsageType::throughput)
                        == Some(Throughput::ReplicatedWrite)
            })
    }

    /// Usage that names no table.
    fn without_table(&self, draft: &mut Draft, usage: &UsageType, lines: &[&BilledLine]) {
        let mut by_region: BTreeMap<&str, Vec<&BilledLine>> = BTreeMap::new();
        for line in lines {
            let region = line.region.as_deref().unwrap_or_default();
            by_region.entry(region).or_default().push(line);
        }
        for (region, lines) in by_region {
            let nodes = quantity(&lines) / self.hours();
            let is_cluster = region == self.region
                && nodes == nodes.floor()
                && nodes <= Exact::from(DAX_NODES_MAX);
            if let UsageType::DaxNode(node_type) = usage
                && is_cluster
            {
                let mut cluster = Fields::default();
                cluster.set("node_type", Sourced::text(node_type, "", None));
                let note = format!("{} node-hours on the bill", quantity(&lines).human(0));
                cluster.set("nodes", Sourced::new(number(&nodes), note, None));
                draft.clusters.push(cluster);
            } else {
                let block = self.measured(usage, &lines);
                draft.measured.push(self.in_region(block, region));
            }
        }
    }

    /// A table with its replicas; what it has in other regions beside them goes to `measured`.
    fn table(
        &self,
        name: &str,
        regions: &BTreeMap<&str, Usage>,
        rest: &mut Vec<Fields>,
    ) -> TableDraft {
        let mut table = TableDraft::new(Sourced::text(name, "", None), Vec::new());
        let home_region = self.region.as_str();
        let empty = Usage::new();
        let home = regions.get(home_region).unwrap_or(&empty);
        // A replica that was added in the month, or that differs, cannot be one of the workload.
        let is_replica = |usage: &Usage| self.is_replica(usage, home);
        let others = regions.iter().filter(|(region, _)| **region != home_region);
        let is_global = has_replicated_writes(home)
            && others
                .clone()
                .any(|(_, usage)| has_replicated_writes(usage))
            && others.clone().all(|(_, usage)| is_replica(usage));
        if has_replicated_writes(home) && !is_global {
            table.notes.push(
                "A global table whose replicas differ from it or were added in the month: what they used \
                 is measured, not caused by replicas of the workload."
                    .to_string(),
            );
        }
        let unknown = "a bill does not name keys";
        table.fields.set("partition_key", Sourced::unknown(unknown));
        table.fields.set(
            "item",
            Sourced::unknown("a bill does not know items, only bytes"),
        );
        table
            .fields
            .set("items", Sourced::new("0", "`stored` has the bytes", None));
        let now = TableNow::of(home, is_global, &self.hours());
        if now.class == TableClass::StandardIa {
            let class = Sourced::text("standard-ia", "", None);
            table.fields.set("class", class);
        }
        self.changes(&mut table, home, &now);
        self.stored(&mut table, home, &now);
        self.capacity(&mut table, home, &now);
        self.consumed(&mut table, home, &now);
        let has_pitr = now.causes(&UsageType::PITR) && home.contains_key(&UsageType::PITR);
        if has_pitr {
            let mut backup = Fields::default();
            backup.set("pitr", Sourced::new("true", "", None));
            table.blocks.push(("backup", backup));
        }
        for (usage, lines) in home {
            if !now.causes(usage) {
                let block = self.measured(usage, lines);
                table.measured.push(self.in_region(block, home_region));
            }
        }
        for (region, usage) in regions.iter().filter(|(region, _)| **region != home_region) {
            if is_global && has_replicated_writes(usage) {
                let of_replica = TableNow::of(usage, true, &self.hours());
                let has_reads = reads_of(home, now.class).is_some();
                table.replicas.push(self.replica(region, usage, home, &now));
                for (usage, lines) in usage {
                    let is_read = usage.direction() == Some(Direction::Read);
                    if of_replica.causes(usage) && (!is_read || has_reads) {
                        continue;
                    }
                    let block = self.measured(usage, lines);
                    table.measured.push(self.in_region(block, region));
                }
                continue;
            }
            for (usage, lines) in usage {
                let block = self.measured(usage, lines);
                rest.push(self.in_region(block, region));
            }
        }
        if is_global {
            self.transfer(&mut table, regions, home_region);
        }
        table
    }

    /// The transfer of a global table, which a bill has without the table: its own is known to be
    /// zero then.
    fn transfer(&self, table: &mut TableDraft, regions: &BTreeMap<&str, Usage>, home: &str) {
        for to in regions.keys().filter(|region| **region != home) {
            let usage = UsageType::TransferTo((*to).to_string());
            let is_on_bill = self.bill.lines.iter().any(|line| {
                line.region.as_deref() == Some(home) && line.kind.usage() == Some(&usage)
            });
            let note = match is_on_bill {
                true => "its transfer is in [[measured]]: the bill does not divide it by table",
                false => "no transfer to this region is billed",
            };
            let mut fields = Fields::default();
            fields.set("usage_type", Sourced::text("AWS-Out-Bytes", "", None));
            fields.set("quantity", Sourced::new("0", note, None));
            fields.set("to", Sourced::text(to, "", None));
            table.measured.push(fields);
        }
    }

    /// What changed within the month, and a table that did not exist all the time.
    fn changes(&self, table: &mut TableDraft, home: &Usage, now: &TableNow) {
        let is_throughput = |usage: &&&UsageType| usage.throughput().is_some();
        let others = home.keys().filter(is_throughput);
        if others
            .clone()
            .any(|usage| !now.causes(usage) && !is_index_write(usage, now))
        {
            table.notes.push(
                "It changed its capacity mode or table class in the month: the workload has the last; \
                 what was used before is measured."
                    .to_string(),
            );
        }
        const DAY: i64 = 86_400;
        let times = home.values().flatten().map(|line| line.times);
        let days = times.filter(|times| times.has_days());
        let Some((from, to)) = Times::span(days) else {
            return;
        };
        if from >= self.span.0 + DAY || to + DAY <= self.span.1 {
            table.notes.push(format!(
                "Its usage is from {} to {} only: what it used is on the bill, not what a whole month \
                 would use.",
                day_of(from),
                day_of(to - 1)
            ));
        }
    }

    fn stored(&self, table: &mut TableDraft, home: &Usage, now: &TableNow) {
        let storage = UsageType::Storage(now.class);
        let months = home.get(&storage).map(|lines| quantity(lines));
        let (bytes, note) = match months {
            Some(months) => {
                let bytes = self.monthly(&months) * Exact::from(GB);
                let half = Exact::ratio(1, 2);
                let note = format!(
                    "{} GB-months: the mean of the time, with the overhead of items and with indexes",
                    months.human(9)
                );
                ((bytes + half).floor(), note)
            }
            None => (Exact::zero(), "no storage is billed".to_string()),
        };
        table
            .fields
            .set("stored", Sourced::new(number(&bytes), note, None));
    }

    /// The capacity of a provisioned table: the mean of its hours.
    fn capacity(&self, table: &mut TableDraft, home: &Usage, now: &TableNow) {
        let of = |direction: Direction| {
            home.iter()
                .filter(move |(usage, _)| {
                    now.causes(usage)
                        && matches!(usage, UsageType::CapacityHours(..))
                        && usage.direction() == Some(direction)
                })
                .flat_map(|(_, lines)| lines.iter().copied())
                .collect::<Vec<&BilledLine>>()
        };
        let (reads, writes) = (of(Direction::Read), of(Direction::Write));
        if reads.is_empty() && writes.is_empty() {
            table
                .capacity
                .set("mode", Sourced::text("on-demand", "", None));
            return;
        }
        table
            .capacity
            .set("mode", Sourced::text("provisioned", "", None));
        table.read = self.units(&reads);
        table.write = self.units(&writes);
        // The fractions of the means, so that the estimate is the bill.
        for lines in [reads, writes] {
            let rest = quantity(&lines) - self.whole_units(&lines) * self.hours();
            let Some(usage) = lines.first().and_then(|line| line.kind.usage()) else {
                continue;
            };
            if rest > Exact::zero() {
                let mut fields = Fields::default();
                let note = "what the mean of the hours has beyond whole units";
                fields.set("usage_type", Sourced::text(&usage.name(), note, None));
                fields.set(
                    "quantity",
                    Sourced::new(number(&self.monthly(&rest)), "", None),
                );
                table.measured.push(fields);
            }
        }
    }

    fn whole_units(&self, lines: &[&BilledLine]) -> Exact {
        (quantity(lines) / self.hours()).floor()
    }

    fn units(&self, lines: &[&BilledLine]) -> UnitsDraft {
        let whole = self.whole_units(lines);
        let mut hours: BTreeMap<i64, Decimal> = BTreeMap::new();
        for line in lines {
            for (start, amounts) in &line.amounts {
                *hours.entry(*start).or_default() += amounts.quantity.unwrap_or_default();
            }
        }
        let (least, most) = (hours.values().min(), hours.values().max());
        let shown = |units: Option<&Decimal>| {
            units.map_or_else(String::new, |units| Exact::from(*units).human(0))
        };
        let is_hourly = lines.iter().all(|line| line.times.has_hours());
        let note = if least == most || !is_hourly {
            format!(
                "{} unit-hours in {} hours",
                quantity(lines).human(0),
                self.hours().human(1)
            )
        } else {
            format!(
                "the mean; {} to {} units in an hour: it was changed or scaled, such as {{ min = {}, max \
                 = {}, target = 0.7 }}",
                shown(least),
                shown(most),
                shown(least).replace(',', ""),
                shown(most).replace(',', "")
            )
        };
        UnitsDraft {
            fixed: Some(Sourced::new(number(&whole), note, None)),
            ..UnitsDraft::default()
        }
    }

    /// The units that requests consumed. Those of a provisioned table are not on a bill.
    fn consumed(&self, table: &mut TableDraft, home: &Usage, now: &TableNow) {
        let of = |throughput: Throughput| {
            let usage = UsageType::Requests(throughput, now.class);
            let lines = home.get(&usage).filter(|_| !now.is_provisioned);
            lines.map(Vec::as_slice)
        };
        let has_capacity = now.is_provisioned;
        let writes = of(now.writes());
        let found = [("read", of(Throughput::Read)), ("write", writes)];
        if has_capacity && found.iter().all(|(_, found)| found.is_none()) {
            let mut fields = Fields::default();
            let note = "not on a bill of provisioned capacity: import CloudWatch metrics";
            fields.set("read", Sourced::unknown(note));
            fields.set("write", Sourced::unknown("the same"));
            table.consumed.push(fields);
            return;
        }
        for (word, found) in found {
            let mut fields = Fields::default();
            match found {
                Some(lines) => self.rate(&mut fields, word, lines),
                None if has_capacity => {
                    let note = "not on a bill of provisioned capacity: import CloudWatch metrics";
                    fields.set(word, Sourced::unknown(note));
                }
                None => {
                    fields.set(
                        word,
                        Sourced::new("{ per_month = 0 }", "none are billed", None),
                    );
                }
            }
            table.consumed.push(fields);
        }
    }

    /// A rate with its shape over the week.
    fn rate(&self, fields: &mut Fields, word: &str, lines: &[&BilledLine]) {
        let quantity = quantity(lines);
        let monthly = self.monthly(&quantity);
        let note = match self.is_partial() {
            true => format!(
                "{} units in {} hours of the bill",
                quantity.human(1),
                self.hours().human(1)
            ),
            false => String::new(),
        };
        let toml = format!("{{ per_month = {} }}", number(&monthly));
        fields.set(word, Sourced::new(toml, note, None));
        if !lines.iter().all(|line| line.times.has_hours()) {
            return;
        }
        let mut hours = vec![Exact::zero(); WEEK_HOURS];
        for line in lines {
            for (start, amounts) in &line.amounts {
                hours[hour_of_the_week(*start)] +=
                    &Exact::from(amounts.quantity.unwrap_or_default());
            }
        }
        let (_, weights) = shape(&hours, self.span.0, self.span.1);
        if let Some(weights) = weights {
            let list: Vec<String> = weights.iter().map(number).collect();
            let note = "means of the hours of the bill, UTC; peaks within an hour are not on it";
            fields.set(
                "profile",
                Sourced::new(format!("[{}]", list.join(", ")), note, None),
            );
        }
    }

    fn replica(&self, region: &str, usage: &Usage, home: &Usage, now: &TableNow) -> ReplicaDraft {
        let mut fields = Fields::default();
        let own = TableNow::of(usage, true, &self.hours());
        if own.class != now.class {
            let word = match own.class {
                TableClass::Standard => "standard",
                TableClass::StandardIa => "standard-ia",
            };
            fields.set("class", Sourced::text(word, "", None));
        }
        let reads = reads_of(usage, own.class).unwrap_or_default();
        let share = reads_of(home, now.class).map_or_else(Exact::zero, |home| &reads / &home);
        let note = format!("{} read units on the bill", reads.human(1));
        fields.set("reads", Sourced::new(number(&share), note, None));
        if usage.contains_key(&UsageType::PITR) {
            fields.set("pitr", Sourced::new("true", "", None));
        }
        ReplicaDraft {
            region: Sourced::text(region, "it has replicated writes", None),
            fields,
            read: self.units(
                &usage
                    .iter()
                    .filter(|(usage, _)| {
                        matches!(usage, UsageType::CapacityHours(Throughput::Read, _))
                    })
                    .flat_map(|(_, lines)| lines.iter().copied())
                    .collect::<Vec<_>>(),
            ),
            indexes: Vec::new(),
            access: Vec::new(),
        }
    }

    /// Reserved capacity and savings plans.
    fn commitments(&self, draft: &mut Draft) {
        let mut reserved: BTreeMap<ReservedKey<'_>, BTreeMap<&str, Exact>> = BTreeMap::new();
        let fees = self.bill.lines.iter();
        for line in fees.filter(|line| line.charge == ChargeType::RiFee) {
            let BilledKind::Reserved(direction) = line.kind else {
                continue;
            };
            let region = line.region.as_deref().unwrap_or(&self.region);
            let is_here = |replica: &ReplicaDraft| replica.region.plain() == region;
            let mut replicas = draft.tables.iter().flat_map(|table| &table.replicas);
            if region != self.region && !replicas.any(is_here) {
                let note = format!(
                    "The reserved capacity of {region} is left out: no table of this workload is there."
                );
                if !draft.notes.contains(&note) {
                    draft.notes.push(note);
                }
                continue;
            }
            let hours = line.total().and_then(|total| total.quantity);
            let hours = hours.map(Exact::from);
            let units = hours.as_ref().map(|hours| self.reserved_units(line, hours));
            let Some((units, until)) = units.flatten() else {
                let why = match hours {
                    Some(hours) => {
                        format!(
                            "its {} unit-hours are no blocks of 100 units",
                            hours.human(0)
                        )
                    }
                    None => "the bill does not have its unit-hours".to_string(),
                };
                draft.notes.push(format!(
                    "A fee of reserved capacity in {region} is left out: {why}."
                ));
                continue;
            };
            let key = (region, self.years(line, direction), until);
            let sums = reserved.entry(key).or_default();
            *sums.entry(direction.word()).or_insert_with(Exact::zero) += &units;
        }
        for ((region, years, until), units) in reserved {
            let mut fields = Fields::default();
            fields.set("kind", Sourced::text("reserved", "", None));
            fields.set("region", Sourced::text(region, "", None));
            for (word, units) in units {
                fields.set(
                    word,
                    Sourced::new(number(&units), "from the fee of the month", None),
                );
            }
            let note = match years {
                Some(_) => "its hourly price is that of this term",
                None => "the term is not on the bill; write 1 or 3",
            };
            let years = years.unwrap_or(1).to_string();
            fields.set("years", Sourced::new(years, note, None));
            if let Some(until) = until {
                draft.notes.push(format!(
                    "Reserved capacity in {region} ended on {until}; the workload has it for the whole \
                     month."
                ));
            }
            draft.commitments.push(fields);
        }
        self.plans(draft);
    }

    /// The units of a fee, and the day on which it ends if that is within the month; `None` if they
    /// are no blocks of 100.
    fn reserved_units(&self, line: &BilledLine, hours: &Exact) -> Option<(Exact, Option<String>)> {
        let hundred = Exact::from(100);
        let is_whole = |units: &Exact| {
            let blocks = units / &hundred;
            blocks == blocks.floor() && !units.is_zero()
        };
        let of_month = hours / &Exact::from(self.month.hours());
        if is_whole(&of_month) {
            return Some((of_month, None));
        }
        // A fee ends with its last second.
        let seconds = (line.times.to - line.times.from).max(0).unsigned_abs();
        let own = Exact::from(seconds.div_ceil(3_600).max(1));
        let units = hours / &own;
        is_whole(&units).then(|| (units, Some(day_of(line.times.to))))
    }

    /// The term whose hourly price the fee has.
    fn years(&self, line: &BilledLine, direction: Direction) -> Option<u64> {
        let rate = line.rate?;
        let book = self.books.book(line.region.as_deref()?, None).ok()?;
        [1, 3].into_iter().find(|years| {
            let hourly = UsageType::Reserved {
                years: *years,
                direction,
                part: ReservedPart::Hourly,
            };
            book.list_price(&hourly)
                .is_some_and(|price| price.rate.decimal() == rate)
        })
    }

    fn plans(&self, draft: &mut Draft) {
        let fees = self.bill.lines.iter();
        let fees: Vec<&BilledLine> = fees
            .filter(|line| line.charge == ChargeType::SavingsPlanRecurringFee)
            .collect();
        if fees.is_empty() {
            return;
        }
        let mut left_out = |why: &str| {
            let note = format!("A savings plan is left out: {why}.");
            draft.notes.push(note);
        };
        if !fees.iter().all(|line| line.times.has_hours()) {
            return left_out("its commitment is by the hour, and the bill has no hours");
        }
        let mut hours: BTreeMap<i64, Exact> = BTreeMap::new();
        for (start, amounts) in fees.iter().flat_map(|line| &line.amounts) {
            let Some(billed) = amounts.billed else {
                return left_out("the bill does not have its fee");
            };
            *hours.entry(*start).or_insert_with(Exact::zero) += &Exact::from(billed.decimal());
        }
        let first = hours.keys().next().copied();
        let Some((first, most)) = first.zip(hours.into_values().max()) else {
            return;
        };
        let mut fields = Fields::default();
        fields.set("kind", Sourced::text("savings-plan", "", None));
        fields.set("usd_per_hour", Sourced::new(number(&most), "", None));
        if first > self.month.first_second() {
            draft.notes.push(
                "The savings plan began within the month; the workload has it for the whole month."
                    .to_string(),
            );
        }
        draft.commitments.push(fields);
    }

    fn notes(&self, draft: &mut Draft) {
        let notes = &mut draft.notes;
        if self.is_partial() {
            notes.push(format!(
                "The bill has {} of the {} hours of {}: usage by the hour is scaled to the whole month.",
                self.hours().human(1),
                self.month.hours(),
                self.month
            ));
        }
        notes.push(
            "A bill knows neither the peaks within an hour nor which index or access pattern caused a \
             unit: comparisons with provisioned capacity are made at hourly means, and indexes are part \
             of their table."
                .to_string(),
        );
        let left: BTreeSet<&str> = self
            .bill
            .lines
            .iter()
            .filter(|line| {
                !line.charge.is_usage()
                    && !line.charge.is_purchase()
                    && line.charge != ChargeType::SavingsPlanNegation
            })
            .map(|line| line.charge.name())
            .collect();
        if !left.is_empty() {
            let left: Vec<&str> = left.into_iter().collect();
            notes.push(format!(
                "Left out: charges of the types {}.",
                left.join(", ")
            ));
        }
        let not_modelled: BTreeSet<&str> = self
            .bill
            .lines
            .iter()
            .filter(|line| line.charge.is_usage())
            .filter_map(|line| match &line.kind {
                BilledKind::NotModelled(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        for name in not_modelled {
            notes.push(format!(
                "Left out: {name}, a usage type that is not modelled."
            ));
        }
        notes.extend(self.bill.notes.iter().cloned());
    }
}

/// The usage of lines. Bills that do not know it are refused before.
fn quantity(lines: &[&BilledLine]) -> Exact {
    let amounts = lines.iter().flat_map(|line| line.amounts.values());
    amounts
        .map(|amounts| Exact::from(amounts.quantity.unwrap_or_default()))
        .sum()
}

fn has_replicated_writes(usage: &Usage) -> bool {
    usage
        .keys()
        .any(|usage| usage.throughput() == Some(Throughput::ReplicatedWrite))
}

/// What a table is at the end of the bill.
struct TableNow {
    class: TableClass,
    is_provisioned: bool,
    is_global: bool,
    /// Whether point-in-time recovery has the size of the table: it was on all the time.
    has_pitr: bool,
}

impl TableNow {
    fn of(usage: &Usage, is_global: bool, hours: &Exact) -> TableNow {
        let last = |is: fn(&UsageType) -> bool| {
            let lines = usage.iter().filter(|(usage, _)| is(usage));
            let lines = lines.flat_map(|(_, lines)| lines);
            lines.map(|line| line.times.to).max()
        };
        let is_ia = last(|usage| {
            matches!(
                usage,
                UsageType::Storage(TableClass::StandardIa)
                    | UsageType::Requests(_, TableClass::StandardIa)
                    | UsageType::CapacityHours(_, TableClass::StandardIa)
            )
        });
        let is_standard = last(|usage| {
            matches!(
                usage,
                UsageType::Storage(TableClass::Standard)
                    | UsageType::Requests(_, TableClass::Standard)
                    | UsageType::CapacityHours(_, TableClass::Standard)
            )
        });
        let capacity = last(|usage| matches!(usage, UsageType::CapacityHours(..)));
        let requests = last(|usage| matches!(usage, UsageType::Requests(..)));
        let class = match is_ia > is_standard {
            true => TableClass::StandardIa,
            false => TableClass::Standard,
        };
        let bytes = |kind: &UsageType| {
            usage
                .get(kind)
                .map_or_else(Exact::zero, |lines| quantity(lines))
        };
        // A provisioned table has at least one unit in each direction all the time.
        let of = |direction: Direction| {
            let lines = usage.iter().filter(|(usage, _)| {
                matches!(usage, UsageType::CapacityHours(_, own) if *own == class)
                    && usage.direction() == Some(direction)
            });
            lines.map(|(_, lines)| quantity(lines)).sum::<Exact>()
        };
        let is_whole = |direction: Direction| of(direction) >= *hours;
        TableNow {
            class,
            is_provisioned: capacity > requests
                && [Direction::Read, Direction::Write]
                    .into_iter()
                    .all(is_whole),
            is_global,
            has_pitr: is_about(&bytes(&UsageType::PITR), &bytes(&UsageType::Storage(class))),
        }
    }

    /// How the writes of the table itself are billed.
    fn writes(&self) -> Throughput {
        match self.is_global {
            true => Throughput::ReplicatedWrite,
            false => Throughput::Write,
        }
    }

    /// Whether a table of a workload causes a usage type, so that it is not measured.
    fn causes(&self, usage: &UsageType) -> bool {
        let is_own =
            |throughput: Throughput| throughput == Throughput::Read || throughput == self.writes();
        match usage {
            UsageType::Requests(throughput, class) => {
                !self.is_provisioned && *class == self.class && is_own(*throughput)
            }
            UsageType::CapacityHours(throughput, class) => {
                self.is_provisioned && *class == self.class && is_own(*throughput)
            }
            UsageType::Storage(class) => *class == self.class,
            usage => self.has_pitr && *usage == UsageType::PITR,
        }
    }
}

/// Whether two quantities differ by no more than a thousandth.
fn is_about(one: &Exact, other: &Exact) -> bool {
    let larger = one.clone().max(other.clone());
    let difference = &larger - &one.clone().min(other.clone());
    &difference * &Exact::from(1_000) <= larger
}

/// Whether it bills writes of the indexes of a global table.
fn is_index_write(usage: &UsageType, now: &TableNow) -> bool {
    now.is_global && usage.throughput() == Some(Throughput::Write)
}

/// The read units of a table on demand; `None` if there are none.
fn reads_of(usage: &Usage, class: TableClass) -> Option<Exact> {
    let lines = usage.get(&UsageType::Requests(Throughput::Read, class))?;
    Some(quantity(lines)).filter(|reads| !reads.is_zero())
}

/// The day of a moment.
fn day_of(second: i64) -> String {
    Date::of_second(second).map_or_else(String::new, |date| date.to_string())
}
