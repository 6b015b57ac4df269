//! A replay: `dynameter.replay/1`, text and Markdown; its bill as CSV.

use super::document::{Body, Document};
use super::estimate::{a_month, bill_parts, conventions, switches};
use super::json::replay::{replay_json, throttled};
use super::present::Present;
use super::render::text::clean;
use crate::compare::AlternativeState;
use crate::money::{Money, MoneyError};
use crate::replay::{
    AccountRun, Cluster, ConsumedUnits, DaxResult, DrawnSizes, FoundEntityItems, HotKey, ItemSizes,
    ModeResult, PartitionHeat, Peak, Replayed, SizeDifference, SizeSource, Verification,
};
use crate::table::Direction;
use crate::trace::SkipReason;
use crate::units::{Exact, group_thousands, plural};
use crate::usage;

fn place(table: &str, index: Option<&str>, region: &str, home: &str) -> String {
    usage::place(table, index, (region != home).then_some(region))
}

fn count(number: u64) -> String {
    group_thousands(&number.to_string())
}

fn percent(share: &Exact) -> String {
    format!(
        "{} %",
        (share * &Exact::from(100)).human(if *share < Exact::ratio(1, 1_000) {
            4
        } else {
            1
        })
    )
}

impl Present for Replayed {
    fn document(&self) -> Result<Document, MoneyError> {
        let outcome = &self.outcome;
        let mut document = Document::new(headline(self)?)
            .note(conventions(outcome))
            .note(trace_line(self));
        add_traffic(&mut document, self);
        add_modes(&mut document, self)?;
        add_keys(&mut document, self);
        add_sizes(&mut document, self);
        bill_parts(&mut document, outcome, " a month")?;
        let verification = self.verification.as_ref();
        let verification = verification.map(verification_lines).unwrap_or_default();
        document.part("Verification", Body::List(verification));
        let skipped = Body::List(self.trace.first_skipped.clone());
        document.part("First skipped rows", skipped);
        document.part("Notes on the trace", Body::List(self.trace.notes.clone()));
        let assumptions = [self.assumptions.as_slice(), &outcome.assumptions].concat();
        document.lists(&outcome.warnings, &assumptions, &switches(outcome));
        Ok(document)
    }

    fn json(&self) -> Result<String, MoneyError> {
        replay_json(self)
    }

    /// The bill, with the same columns as an estimate.
    fn csv(&self) -> String {
        self.outcome.csv()
    }
}

const CONSUMED_HEADER: [&str; 5] = ["Where", "Operation", "Calls", "Read units", "Write units"];

const PEAK_HEADER: [&str; 9] = [
    "Table / index",
    "Direction",
    "Mean",
    "Median",
    "p95",
    "p99",
    "Busiest minute",
    "Busiest second",
    "At",
];

const SIZE_HEADER: [&str; 7] = ["Table", "Items", "Mean", "Median", "p95", "p99", "Largest"];

const ENTITY_HEADER: [&str; 6] = [
    "Table",
    "Entity",
    "Partition key",
    "Sort key",
    "Items",
    "Mean",
];

const MODE_HEADER: [&str; 7] = [
    "Table",
    "Mode",
    "Monthly",
    "Difference",
    "Throttled calls",
    "Share of units",
    "Why",
];

const THROTTLE_HEADER: [&str; 7] = [
    "Table / index",
    "Direction",
    "Mode",
    "Throttled units",
    "Minutes",
    "First",
    "Most requested keys in those minutes",
];

const HOT_KEY_HEADER: [&str; 6] = [
    "Table / index",
    "Direction",
    "Key",
    "Key units",
    "Share",
    "Distinct keys",
];

const PARTITION_HEADER: [&str; 7] = [
    "Table",
    "At first",
    "At the end",
    "Refused read units",
    "Refused write units",
    "Seconds with refusals",
    "Most refused keys",
];

const DAX_HEADER: [&str; 11] = [
    "Table",
    "Cache",
    "Node type",
    "Memory",
    "Reads",
    "Hits",
    "Hit ratio",
    "Evicted",
    "Saves a month",
    "Costs a month",
    "Break-even hit ratio",
];

const DRAWN_HEADER: [&str; 7] = [
    "Table",
    "Direction",
    "As drawn",
    "All small",
    "All large",
    "Less",
    "More",
];

/// What the trace consumed.
fn add_traffic(document: &mut Document, replayed: &Replayed) {
    let home = replayed.outcome.region.as_str();
    let rows = consumed_rows(&replayed.consumed, home);
    document.table(
        "Consumption in the trace",
        &CONSUMED_HEADER,
        rows,
        &[2, 3, 4],
    );
    let peaks = replayed
        .peaks
        .iter()
        .map(|peak| peak_row(peak, home))
        .collect();
    document.table(
        "Peaks, units a second",
        &PEAK_HEADER,
        peaks,
        &[2, 3, 4, 5, 6, 7],
    );
    let sizes = replayed.item_sizes.iter().map(size_row).collect();
    let title = "Items known at the end of the trace";
    document.table(title, &SIZE_HEADER, sizes, &[1, 2, 3, 4, 5, 6]);
    let entities = replayed.entities.iter().map(entity_row).collect();
    let title = "Entities, told apart by how keys begin";
    document.table(title, &ENTITY_HEADER, entities, &[4, 5]);
}

/// The trace in every capacity mode.
fn add_modes(document: &mut Document, replayed: &Replayed) -> Result<(), MoneyError> {
    let outcome = &replayed.outcome;
    let (home, total) = (outcome.region.as_str(), outcome.total()?);
    let is_partial = !outcome.bill.unknown.is_empty();
    let modes = replayed.capacity.iter();
    let rows = modes
        .map(|mode| mode_row(mode, total, is_partial))
        .collect();
    let title = "Every capacity mode: monthly cost of the whole design";
    document.table(title, &MODE_HEADER, rows, &[2, 3, 4, 5]);
    let modes = replayed.capacity.iter();
    let rows = modes.flat_map(|mode| throttle_rows(mode, home)).collect();
    document.table("Throttled by each mode", &THROTTLE_HEADER, rows, &[3, 4]);
    Ok(())
}

/// Hot keys, partitions, and what a cache would have answered.
fn add_keys(document: &mut Document, replayed: &Replayed) {
    let home = replayed.outcome.region.as_str();
    let keys = replayed
        .hot_keys
        .iter()
        .map(|hot| hot_row(hot, home))
        .collect();
    document.table("Hottest keys", &HOT_KEY_HEADER, keys, &[3, 4, 5]);
    let changed = |heat: &&PartitionHeat| heat.refused_seconds > 0 || heat.last > heat.first;
    let partitions = replayed.partitions.iter().filter(changed);
    let rows = partitions.map(|heat| partition_row(heat, home)).collect();
    document.table("Partitions", &PARTITION_HEADER, rows, &[1, 2, 3, 4, 5]);
    let title = "What DAX would have answered";
    let numbers = &[3, 4, 5, 6, 7, 8, 9, 10];
    document.table(title, &DAX_HEADER, dax_rows(&replayed.dax), numbers);
}

/// Where sizes came from, and the rows that were skipped.
fn add_sizes(document: &mut Document, replayed: &Replayed) {
    let source = |(direction, from, rows): &(Direction, SizeSource, u64)| {
        vec![
            direction.word().to_string(),
            from.word().to_string(),
            count(*rows),
        ]
    };
    let rows = replayed.sizes.rows.iter().map(source).collect();
    let header = ["Direction", "Source", "Rows"];
    document.table("Where sizes came from", &header, rows, &[2]);
    let drawn = replayed.sizes.drawn.iter();
    let drawn = drawn.filter(|drawn| drawn.low != drawn.high);
    let title = "How much the drawn sizes can change the bill (every size the smallest or the \
                 largest of a hundred, on demand)";
    let rows = drawn.map(drawn_row).collect();
    document.table(title, &DRAWN_HEADER, rows, &[2, 3, 4, 5, 6]);
    let skipped =
        |(reason, rows): (&SkipReason, &u64)| vec![reason.word().to_string(), count(*rows)];
    let rows = replayed.trace.skipped.iter().map(skipped).collect();
    document.table("Skipped rows", &["Reason", "Rows"], rows, &[1]);
}

fn consumed_rows(consumed: &[ConsumedUnits], home: &str) -> Vec<Vec<String>> {
    let row = |one: &ConsumedUnits| {
        let place = place(&one.table, one.index.as_deref(), &one.region, home);
        let operation = move |(operation, calls, read, write): &(String, u64, Exact, Exact)| {
            let calls = if *calls == 0 {
                "-".to_string()
            } else {
                count(*calls)
            };
            vec![
                place.clone(),
                operation.clone(),
                calls,
                read.human(1),
                write.human(1),
            ]
        };
        one.operations.iter().map(operation).collect::<Vec<_>>()
    };
    consumed.iter().flat_map(row).collect()
}

fn peak_row(peak: &Peak, home: &str) -> Vec<String> {
    vec![
        place(&peak.table, peak.index.as_deref(), &peak.region, home),
        peak.direction.word().to_string(),
        peak.mean.human(2),
        peak.percentiles[0].human(1),
        peak.percentiles[1].human(1),
        peak.percentiles[2].human(1),
        peak.minute.1.human(2),
        peak.second.1.human(1),
        peak.second.0.to_string(),
    ]
}

fn entity_row(entity: &FoundEntityItems) -> Vec<String> {
    let start = |text: &str| match text.is_empty() {
        true => "(any)".to_string(),
        false => text.to_string(),
    };
    let mean = match entity.items {
        0 => "-".to_string(),
        items => format!("{} B", Exact::ratio(entity.bytes, items).human(1)),
    };
    vec![
        entity.table.clone(),
        entity.name.clone(),
        start(&entity.partition),
        start(&entity.sort),
        count(entity.items),
        mean,
    ]
}

fn size_row(sizes: &ItemSizes) -> Vec<String> {
    let bytes = |bytes: u64| format!("{} B", count(bytes));
    let [half, most, nearly_all, largest] = sizes.percentiles.map(bytes);
    vec![
        sizes.table.clone(),
        count(sizes.items),
        format!("{} B", sizes.mean.human(1)),
        half,
        most,
        nearly_all,
        largest,
    ]
}

fn mode_row(mode: &ModeResult, total: Money, is_partial: bool) -> Vec<String> {
    let name = if mode.as_designed {
        format!("{} (as it is)", mode.mode)
    } else {
        mode.mode.clone()
    };
    let difference = match mode.state {
        AlternativeState::Priced { monthly, .. } if !mode.as_designed => monthly
            .minus(total)
            .ok()
            .map(crate::report::render::text::signed)
            .unwrap_or_default(),
        _ => String::new(),
    };
    let is_capacity = !mode.accounts.is_empty();
    let asked: Exact = mode
        .accounts
        .iter()
        .map(|account| account.asked.clone())
        .sum();
    let refused: Exact = mode
        .accounts
        .iter()
        .map(|account| account.throttled.clone())
        .sum();
    let share = if asked.is_zero() {
        String::new()
    } else {
        percent(&(refused / asked))
    };
    vec![
        mode.table.clone().unwrap_or_else(|| "all".to_string()),
        name,
        match mode.state {
            AlternativeState::Priced { monthly, .. } if is_partial => {
                format!("≥ {}", monthly.human())
            }
            AlternativeState::Priced { monthly, .. } => monthly.human(),
            AlternativeState::Unknown => "not known".to_string(),
            AlternativeState::Impossible => "not possible".to_string(),
        },
        difference,
        if is_capacity {
            count(throttled(mode))
        } else {
            String::new()
        },
        if is_capacity { share } else { String::new() },
        mode.why.clone(),
    ]
}

fn throttle_rows(mode: &ModeResult, home: &str) -> Vec<Vec<String>> {
    let refused = mode
        .accounts
        .iter()
        .filter(|account| !account.throttled.is_zero());
    let row = |account: &AccountRun| {
        vec![
            place(
                &account.table,
                account.index.as_deref(),
                &account.region,
                home,
            ),
            account.direction.word().to_string(),
            mode.mode.clone(),
            account.throttled.human(1),
            count(account.throttled_minutes),
            account
                .first_throttled
                .map(|time| time.to_string())
                .unwrap_or_default(),
            account
                .keys
                .iter()
                .map(|(key, _)| key.clone())
                .collect::<Vec<_>>()
                .join(", "),
        ]
    };
    refused.map(row).collect()
}

fn hot_row(hot: &HotKey, home: &str) -> Vec<String> {
    vec![
        place(&hot.table, hot.index.as_deref(), &hot.region, home),
        hot.direction.word().to_string(),
        hot.key.clone(),
        match hot.error.is_zero() {
            true => hot.units.human(1),
            false => format!("{} to {}", hot.least().human(1), hot.units.human(1)),
        },
        percent(&hot.share),
        match hot.floor.is_zero() {
            true => count(hot.keys),
            false => format!("more than {}", count(hot.keys)),
        },
    ]
}

fn partition_row(heat: &PartitionHeat, home: &str) -> Vec<String> {
    vec![
        place(&heat.table, None, &heat.region, home),
        count(heat.first),
        count(heat.last),
        heat.refused_reads.human(1),
        heat.refused_writes.human(1),
        count(heat.refused_seconds),
        heat.keys
            .iter()
            .take(3)
            .map(|(key, _)| key.clone())
            .collect::<Vec<_>>()
            .join(", "),
    ]
}

fn dax_row(dax: &DaxResult) -> Vec<String> {
    let money =
        |money: Option<Money>| money.map_or_else(|| "unknown".to_string(), |money| money.human());
    let error = if dax.point.error_millionths > 0 {
        format!(" ± {}", percent(&dax.error()))
    } else {
        String::new()
    };
    let cluster =
        |of: &dyn Fn(&Cluster) -> String| dax.cluster.as_ref().map(of).unwrap_or_default();
    vec![
        dax.table.clone(),
        dax.which.word().to_string(),
        dax.node_type
            .map_or_else(|| "(no such node type)".to_string(), str::to_string),
        crate::units::Bytes(dax.point.bytes).to_string(),
        count(dax.point.reads),
        count(dax.point.hits),
        dax.hit_ratio().as_ref().map(percent).unwrap_or_default() + &error,
        count(dax.point.evicted),
        cluster(&|cluster| money(cluster.saves)),
        cluster(&|cluster| match cluster.nodes {
            Some(nodes) => format!("{} ({nodes}-node cluster)", money(cluster.costs)),
            None => "more than 11 nodes".to_string(),
        }),
        cluster(&|cluster| match &cluster.break_even {
            Some(ratio) if *ratio <= Exact::one() => percent(ratio),
            Some(_) => "never".to_string(),
            None => "unknown".to_string(),
        }),
    ]
}

/// Consecutive sizes with the same hits and evictions are one row, named after the smallest. If any
/// size is that of a node type, only such sizes are shown.
fn dax_rows(all: &[DaxResult]) -> Vec<Vec<String>> {
    let shown: Vec<DaxResult> = match all.iter().any(|dax| dax.node_type.is_some()) {
        true => all
            .iter()
            .filter(|dax| dax.node_type.is_some())
            .cloned()
            .collect(),
        false => all.to_vec(),
    };
    let alike = |one: &DaxResult, other: &DaxResult| {
        (&one.table, one.which, one.point.hits, one.point.evicted)
            == (
                &other.table,
                other.which,
                other.point.hits,
                other.point.evicted,
            )
    };
    let row = |group: &[DaxResult]| {
        let mut row = group.first().map(dax_row).unwrap_or_default();
        if let (true, Some(name)) = (group.len() > 1, row.get_mut(2)) {
            name.push_str(" and larger");
        }
        row
    };
    shown.chunk_by(alike).map(row).collect()
}

fn drawn_row(drawn: &DrawnSizes) -> Vec<String> {
    vec![
        drawn.table.clone(),
        drawn.direction.word().to_string(),
        drawn.units.human(1),
        drawn.low.human(1),
        drawn.high.human(1),
        drawn
            .less
            .map(|money| format!("-{}", money.human()))
            .unwrap_or_default(),
        drawn
            .more
            .map(|money| format!("+{}", money.human()))
            .unwrap_or_default(),
    ]
}

/// The result of the verification, in lines.
fn verification_lines(verification: &Verification) -> Vec<String> {
    let mut lines = Vec::new();
    if verification.checked == 0 && verification.sizes_checked == 0 {
        lines.push(
            "nothing to verify: no line has both a figure from AWS and the items behind it"
                .to_string(),
        );
    }
    if verification.checked > 0 {
        let agree = verification.checked - verification.mismatches;
        lines.push(format!(
            "{} of {} ConsumedCapacity values agree with the meter",
            count(agree),
            count(verification.checked)
        ));
    }
    for difference in &verification.first {
        let targets = difference.targets.iter().map(|(target, given, metered)| {
            format!("{target}: {given} in the trace, {metered} by the meter")
        });
        lines.push(format!(
            "{}: {} on {}: {} ({})",
            difference.place,
            difference.operation,
            difference.table,
            targets.collect::<Vec<_>>().join("; "),
            difference.working
        ));
    }
    let hidden = verification
        .mismatches
        .saturating_sub(verification.first.len() as u64);
    if hidden > 0 {
        lines.push(format!("and {} more", count(hidden)));
    }
    if verification.sizes_checked > 0 {
        let agree = verification.sizes_checked - verification.size_mismatches;
        lines.push(format!(
            "{} of {} SizeBytes values agree with the keys and images",
            count(agree),
            count(verification.sizes_checked)
        ));
    }
    for SizeDifference {
        place,
        said: given,
        weighed: metered,
        ..
    } in &verification.first_sizes
    {
        lines.push(format!(
            "{place}: SizeBytes is {}, but the keys and images have {} bytes; an older example by \
             AWS does not match either",
            given.0, metered.0
        ));
    }
    lines
}

fn headline(replayed: &Replayed) -> Result<String, MoneyError> {
    let outcome = &replayed.outcome;
    let like = if replayed.trace.span.factor == Exact::one() {
        ""
    } else {
        ", if the whole month were like the trace"
    };
    Ok(format!(
        "{}: {}{like}",
        clean(&outcome.workload),
        a_month(outcome.total()?, outcome.bill.bound())
    ))
}

fn trace_line(replayed: &Replayed) -> String {
    let trace = &replayed.trace;
    let files = match trace.files.as_slice() {
        [one] => one.clone(),
        several => format!("{} files", several.len()),
    };
    let refused = if trace.refused > 0 {
        format!(
            "; throttled or refused calls, which cost nothing: {}",
            count(trace.refused)
        )
    } else {
        String::new()
    };
    let throttled = if trace.throttled > 0 {
        format!(
            "; throttled requests in its metrics: {}",
            count(trace.throttled)
        )
    } else {
        String::new()
    };
    format!(
        "{} {} from {} to {}, {} s, in {} ({}){refused}{throttled}",
        count(trace.events),
        plural(trace.events == 1, "event"),
        trace.first,
        trace.last,
        count(trace.span.seconds()),
        files,
        trace.kinds.join(", ")
    )
}
