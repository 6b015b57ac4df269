//! A replay: `dynameter.replay/1`, text and Markdown; its bill as CSV.

use serde::Serialize;

use super::estimate::{
    LINE_HEADER, LINE_NUMBERS, a_month, conventions, estimate_csv, line_rows, switches, unknown_row,
};
use super::json::{
    HoldingRow, LineJson, SwitchRow, TableJson, UnknownJson, decimal, holding_rows, pretty,
    switch_rows, table_rows, unknown,
};
use super::markdown;
use super::table::{Style, aligned, clean, indented};
use crate::compare::AlternativeState;
use crate::money::{Money, MoneyError};
use crate::replay::{
    AccountRun, Cluster, ConsumedUnits, DaxResult, DrawnSizes, HEAT_MAP_ROWS, HeatMap, HotKey,
    ItemSizes, ModeResult, OverTime, PartitionHeat, Peak, Replayed, SizeDifference, SizeSource,
    Verification,
};
use crate::table::Direction;
use crate::trace::SkipReason;
use crate::units::{Exact, GB, group_thousands};
use crate::usage;

#[derive(Serialize)]
struct Replay<'a> {
    schema: &'static str,
    workload: &'a str,
    region: &'a str,
    prices: String,
    month_hours: String,
    gb_bytes: String,
    total_usd: String,
    trace: TraceRow<'a>,
    consumed: Vec<ConsumedRow<'a>>,
    peaks: Vec<PeakRow<'a>>,
    over_time: Vec<OverTimeRow<'a>>,
    item_sizes: Vec<ItemSizesRow<'a>>,
    capacity: Vec<ModeRow<'a>>,
    hot_keys: Vec<HotRow<'a>>,
    partitions: Vec<PartitionRow<'a>>,
    dax: Vec<DaxRow<'a>>,
    sizes: SizesRow<'a>,
    verification: Option<VerificationRow<'a>>,
    unknown: Vec<UnknownJson<'a>>,
    assumptions: Vec<&'a str>,
    switches: Vec<SwitchRow>,
    warnings: &'a [String],
    tables: Vec<TableJson<'a>>,
    holdings: Vec<HoldingRow<'a>>,
    lines: Vec<LineJson<'a>>,
}

#[derive(Serialize)]
struct TraceRow<'a> {
    files: &'a [String],
    formats: &'a [String],
    events: String,
    first: String,
    last: String,
    seconds: String,
    month_factor: String,
    skipped_rows: String,
    skipped: Vec<SkippedRow>,
    first_skipped: &'a [String],
    refused_calls: String,
    throttled_requests: String,
    notes: &'a [String],
}

#[derive(Serialize)]
struct SkippedRow {
    reason: &'static str,
    rows: String,
}

#[derive(Serialize)]
struct ConsumedRow<'a> {
    table: &'a str,
    index: Option<&'a str>,
    region: &'a str,
    read_units: String,
    write_units: String,
    replicated_write_units: String,
    operations: Vec<OperationRow<'a>>,
}

#[derive(Serialize)]
struct OperationRow<'a> {
    operation: &'a str,
    calls: String,
    read_units: String,
    write_units: String,
}

#[derive(Serialize)]
struct PeakRow<'a> {
    table: &'a str,
    index: Option<&'a str>,
    region: &'a str,
    throughput: &'static str,
    mean_per_second: String,
    p50_per_second: String,
    p95_per_second: String,
    p99_per_second: String,
    busiest_second: String,
    busiest_second_units: String,
    busiest_minute: String,
    busiest_minute_units_per_second: String,
}

/// Units of an account over time.
#[derive(Serialize)]
struct OverTimeRow<'a> {
    table: &'a str,
    index: Option<&'a str>,
    region: &'a str,
    throughput: &'static str,
    first: String,
    column_seconds: String,
    /// The units of each column, separated by spaces.
    units: String,
}

fn over_time(one: &OverTime) -> OverTimeRow<'_> {
    OverTimeRow {
        table: &one.table,
        index: one.index.as_deref(),
        region: &one.region,
        throughput: one.direction.word(),
        first: one.first.to_string(),
        column_seconds: one.column_seconds.to_string(),
        units: one.units.iter().map(decimal).collect::<Vec<_>>().join(" "),
    }
}

#[derive(Serialize)]
struct ItemSizesRow<'a> {
    table: &'a str,
    items: String,
    mean_bytes: String,
    p50_bytes: String,
    p95_bytes: String,
    p99_bytes: String,
    largest_bytes: String,
}

fn item_sizes(sizes: &ItemSizes) -> ItemSizesRow<'_> {
    let [p50_bytes, p95_bytes, p99_bytes, largest_bytes] =
        sizes.percentiles.map(|bytes| bytes.to_string());
    let (items, mean_bytes) = (sizes.items.to_string(), decimal(&sizes.mean));
    ItemSizesRow {
        table: &sizes.table,
        items,
        mean_bytes,
        p50_bytes,
        p95_bytes,
        p99_bytes,
        largest_bytes,
    }
}

#[derive(Serialize)]
struct ModeRow<'a> {
    table: Option<&'a str>,
    mode: &'a str,
    kind: &'static str,
    as_designed: bool,
    feasible: bool,
    state: &'static str,
    monthly_usd: Option<String>,
    throttled_requests: String,
    why: &'a str,
    accounts: Vec<AccountRow<'a>>,
}

#[derive(Serialize)]
struct AccountRow<'a> {
    index: Option<&'a str>,
    region: &'a str,
    throughput: &'static str,
    billed_units: String,
    unit: &'static str,
    provisioned_low: Option<String>,
    provisioned_high: Option<String>,
    asked_units: String,
    throttled_units: String,
    throttled_requests: String,
    throttled_minutes: String,
    first_throttled: Option<String>,
    keys: Vec<KeyRow<'a>>,
}

#[derive(Serialize)]
struct KeyRow<'a> {
    key: &'a str,
    units: String,
}

#[derive(Serialize)]
struct HotRow<'a> {
    table: &'a str,
    index: Option<&'a str>,
    region: &'a str,
    throughput: &'static str,
    key: &'a str,
    units: String,
    units_error: String,
    share: String,
    keys: String,
    keys_are_all: bool,
}

#[derive(Serialize)]
struct PartitionRow<'a> {
    table: &'a str,
    region: &'a str,
    partitions_first: String,
    partitions_last: String,
    refused_read_units: String,
    refused_write_units: String,
    refused_seconds: String,
    first_refusal: Option<String>,
    keys: Vec<KeyRow<'a>>,
    strip: Option<StripRow>,
}

/// The heat map: units over time and range of keys.
#[derive(Serialize)]
struct StripRow {
    first: String,
    column_seconds: String,
    key_ranges: String,
    /// Each column that is not empty: its number from 0, and the units of each range of keys,
    /// separated by spaces.
    columns: Vec<ColumnRow>,
}

#[derive(Serialize)]
struct ColumnRow {
    column: String,
    units: String,
}

fn strip(strip: &HeatMap) -> Option<StripRow> {
    let (first, seconds) = strip.start()?;
    let column = |(column, units): (i64, Vec<Exact>)| ColumnRow {
        column: column.to_string(),
        units: units.iter().map(decimal).collect::<Vec<_>>().join(" "),
    };
    Some(StripRow {
        first: first.to_string(),
        column_seconds: seconds.to_string(),
        key_ranges: HEAT_MAP_ROWS.to_string(),
        columns: strip.units().map(column).collect(),
    })
}

#[derive(Serialize)]
struct DaxRow<'a> {
    table: &'a str,
    cache: &'static str,
    node_type: Option<&'static str>,
    cache_bytes: String,
    ttl_seconds: String,
    requests: String,
    hits: String,
    misses: String,
    hit_ratio: Option<String>,
    hit_ratio_error: String,
    keys_followed: String,
    evicted: String,
    saved_read_units: String,
    cluster: Option<ClusterRow>,
}

#[derive(Serialize)]
struct ClusterRow {
    nodes: Option<String>,
    saves_monthly_usd: Option<String>,
    costs_monthly_usd: Option<String>,
    break_even_hit_ratio: Option<String>,
}

#[derive(Serialize)]
struct SizesRow<'a> {
    rows: Vec<SourceRow>,
    drawn: Vec<DrawnRow<'a>>,
    counts_assumed: String,
    presence_assumed: String,
    changes_assumed: String,
}

#[derive(Serialize)]
struct SourceRow {
    throughput: &'static str,
    source: &'static str,
    rows: String,
}

#[derive(Serialize)]
struct DrawnRow<'a> {
    table: &'a str,
    throughput: &'static str,
    units: String,
    units_low: String,
    units_high: String,
    less_usd: Option<String>,
    more_usd: Option<String>,
}

#[derive(Serialize)]
struct VerificationRow<'a> {
    checked: String,
    mismatches: String,
    first: Vec<DifferenceRow<'a>>,
    sizes_checked: String,
    size_mismatches: String,
    first_sizes: Vec<SizeDifferenceRow<'a>>,
}

#[derive(Serialize)]
struct DifferenceRow<'a> {
    place: &'a str,
    operation: &'a str,
    table: &'a str,
    #[serde(rename = "arms")]
    targets: Vec<TargetRow<'a>>,
    working: &'a str,
}

#[derive(Serialize)]
struct TargetRow<'a> {
    #[serde(rename = "arm")]
    target: &'a str,
    given: &'a str,
    metered: &'a str,
}

#[derive(Serialize)]
struct SizeDifferenceRow<'a> {
    place: &'a str,
    given_bytes: String,
    metered_bytes: String,
}

fn keys(keys: &[(String, Exact)]) -> Vec<KeyRow<'_>> {
    keys.iter()
        .map(|(key, units)| KeyRow {
            key,
            units: decimal(units),
        })
        .collect()
}

fn throttled(mode: &ModeResult) -> u64 {
    mode.accounts
        .iter()
        .map(|account| account.throttled_requests)
        .sum()
}

fn account(account: &AccountRun) -> AccountRow<'_> {
    AccountRow {
        index: account.index.as_deref(),
        region: &account.region,
        throughput: account.direction.word(),
        billed_units: decimal(&account.billed),
        unit: account.unit,
        provisioned_low: account.provisioned.map(|(low, _)| low.to_string()),
        provisioned_high: account.provisioned.map(|(_, high)| high.to_string()),
        asked_units: decimal(&account.asked),
        throttled_units: decimal(&account.throttled),
        throttled_requests: account.throttled_requests.to_string(),
        throttled_minutes: account.throttled_minutes.to_string(),
        first_throttled: account.first_throttled.map(|time| time.to_string()),
        keys: keys(&account.keys),
    }
}

fn verification(verification: &Verification) -> VerificationRow<'_> {
    VerificationRow {
        checked: verification.checked.to_string(),
        mismatches: verification.mismatches.to_string(),
        first: verification
            .first
            .iter()
            .map(|difference| DifferenceRow {
                place: &difference.place,
                operation: &difference.operation,
                table: &difference.table,
                targets: difference
                    .targets
                    .iter()
                    .map(|(target, given, metered)| TargetRow {
                        target,
                        given,
                        metered,
                    })
                    .collect(),
                working: &difference.working,
            })
            .collect(),
        sizes_checked: verification.sizes_checked.to_string(),
        size_mismatches: verification.size_mismatches.to_string(),
        first_sizes: verification
            .first_sizes
            .iter()
            .map(|difference| SizeDifferenceRow {
                place: &difference.place,
                given_bytes: difference.said.0.to_string(),
                metered_bytes: difference.weighed.0.to_string(),
            })
            .collect(),
    }
}

/// A replay as JSON.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
pub fn replay_json(replayed: &Replayed) -> Result<String, MoneyError> {
    let outcome = &replayed.outcome;
    let trace = &replayed.trace;
    Ok(pretty(&Replay {
        schema: "dynameter.replay/1",
        workload: &outcome.workload,
        region: &outcome.region,
        prices: outcome.prices.to_string(),
        month_hours: decimal(outcome.month.hours()),
        gb_bytes: GB.to_string(),
        total_usd: outcome.total()?.to_string(),
        trace: TraceRow {
            files: &trace.files,
            formats: &trace.kinds,
            events: trace.events.to_string(),
            first: trace.first.to_string(),
            last: trace.last.to_string(),
            seconds: trace.span.seconds().to_string(),
            month_factor: decimal(&trace.span.factor),
            skipped_rows: trace.skipped.values().sum::<u64>().to_string(),
            skipped: trace
                .skipped
                .iter()
                .map(|(reason, rows)| SkippedRow {
                    reason: reason.word(),
                    rows: rows.to_string(),
                })
                .collect(),
            first_skipped: &trace.first_skipped,
            refused_calls: trace.refused.to_string(),
            throttled_requests: trace.throttled.to_string(),
            notes: &trace.notes,
        },
        consumed: replayed
            .consumed
            .iter()
            .map(|one| {
                let write = decimal(&one.write);
                let (plain, replicated) = if one.replicated {
                    ("0".to_string(), write)
                } else {
                    (write, "0".to_string())
                };
                ConsumedRow {
                    table: &one.table,
                    index: one.index.as_deref(),
                    region: &one.region,
                    read_units: decimal(&one.read),
                    write_units: plain,
                    replicated_write_units: replicated,
                    operations: one
                        .operations
                        .iter()
                        .map(|(operation, calls, read, write)| OperationRow {
                            operation,
                            calls: calls.to_string(),
                            read_units: decimal(read),
                            write_units: decimal(write),
                        })
                        .collect(),
                }
            })
            .collect(),
        peaks: replayed
            .peaks
            .iter()
            .map(|peak| PeakRow {
                table: &peak.table,
                index: peak.index.as_deref(),
                region: &peak.region,
                throughput: peak.direction.word(),
                mean_per_second: decimal(&peak.mean),
                p50_per_second: decimal(&peak.percentiles[0]),
                p95_per_second: decimal(&peak.percentiles[1]),
                p99_per_second: decimal(&peak.percentiles[2]),
                busiest_second: peak.second.0.to_string(),
                busiest_second_units: decimal(&peak.second.1),
                busiest_minute: peak.minute.0.to_string(),
                busiest_minute_units_per_second: decimal(&peak.minute.1),
            })
            .collect(),
        over_time: replayed.over_time.iter().map(over_time).collect(),
        item_sizes: replayed.item_sizes.iter().map(item_sizes).collect(),
        capacity: replayed
            .capacity
            .iter()
            .map(|mode| ModeRow {
                table: mode.table.as_deref(),
                mode: &mode.mode,
                kind: mode.kind,
                as_designed: mode.as_designed,
                feasible: matches!(mode.state, AlternativeState::Priced { .. }),
                state: mode.state.word(),
                monthly_usd: match mode.state {
                    AlternativeState::Priced { monthly, .. } => Some(monthly.to_string()),
                    AlternativeState::Unknown | AlternativeState::Impossible => None,
                },
                throttled_requests: throttled(mode).to_string(),
                why: &mode.why,
                accounts: mode.accounts.iter().map(account).collect(),
            })
            .collect(),
        hot_keys: replayed
            .hot_keys
            .iter()
            .map(|hot| HotRow {
                table: &hot.table,
                index: hot.index.as_deref(),
                region: &hot.region,
                throughput: hot.direction.word(),
                key: &hot.key,
                units: decimal(&hot.units),
                units_error: decimal(&hot.error),
                share: decimal(&hot.share),
                keys: hot.keys.to_string(),
                keys_are_all: hot.floor.is_zero(),
            })
            .collect(),
        partitions: replayed
            .partitions
            .iter()
            .map(|heat| PartitionRow {
                table: &heat.table,
                region: &heat.region,
                partitions_first: heat.first.to_string(),
                partitions_last: heat.last.to_string(),
                refused_read_units: decimal(&heat.refused_reads),
                refused_write_units: decimal(&heat.refused_writes),
                refused_seconds: heat.refused_seconds.to_string(),
                first_refusal: heat.first_refusal.map(|time| time.to_string()),
                keys: keys(&heat.keys),
                strip: strip(&heat.heat_map),
            })
            .collect(),
        dax: replayed
            .dax
            .iter()
            .map(|dax| DaxRow {
                table: &dax.table,
                cache: dax.which.word(),
                node_type: dax.node_type,
                cache_bytes: dax.point.bytes.to_string(),
                ttl_seconds: dax.ttl_seconds.to_string(),
                requests: dax.point.reads.to_string(),
                hits: dax.point.hits.to_string(),
                misses: dax.misses().to_string(),
                hit_ratio: dax.hit_ratio().as_ref().map(decimal),
                hit_ratio_error: decimal(&dax.error()),
                keys_followed: decimal(&dax.followed()),
                evicted: dax.point.evicted.to_string(),
                saved_read_units: decimal(&dax.saved_units()),
                cluster: dax.cluster.as_ref().map(|cluster| ClusterRow {
                    nodes: cluster.nodes.map(|nodes| nodes.to_string()),
                    saves_monthly_usd: cluster.saves.map(|money| money.to_string()),
                    costs_monthly_usd: cluster.costs.map(|money| money.to_string()),
                    break_even_hit_ratio: cluster.break_even.as_ref().map(decimal),
                }),
            })
            .collect(),
        sizes: SizesRow {
            rows: replayed
                .sizes
                .rows
                .iter()
                .map(|(direction, from, rows)| SourceRow {
                    throughput: direction.word(),
                    source: from.word(),
                    rows: rows.to_string(),
                })
                .collect(),
            drawn: replayed
                .sizes
                .drawn
                .iter()
                .map(|drawn| DrawnRow {
                    table: &drawn.table,
                    throughput: drawn.direction.word(),
                    units: decimal(&drawn.units),
                    units_low: decimal(&drawn.low),
                    units_high: decimal(&drawn.high),
                    less_usd: drawn.less.map(|money| money.to_string()),
                    more_usd: drawn.more.map(|money| money.to_string()),
                })
                .collect(),
            counts_assumed: replayed.sizes.counts_assumed.to_string(),
            presence_assumed: replayed.sizes.presence_assumed.to_string(),
            changes_assumed: replayed.sizes.changes_assumed.to_string(),
        },
        verification: replayed.verification.as_ref().map(verification),
        unknown: outcome.bill.unknown.iter().map(unknown).collect(),
        assumptions: all_assumptions(replayed),
        switches: switch_rows(outcome),
        warnings: &outcome.warnings,
        tables: table_rows(outcome)?,
        holdings: holding_rows(outcome),
        lines: outcome.bill.lines.iter().map(LineJson::new).collect(),
    }))
}

fn all_assumptions(replayed: &Replayed) -> Vec<&str> {
    replayed
        .assumptions
        .iter()
        .chain(&replayed.outcome.assumptions)
        .map(String::as_str)
        .collect()
}

/// A part of the output: a title, a header, its rows, and which columns are numbers.
struct Section {
    title: String,
    header: &'static [&'static str],
    rows: Vec<Vec<String>>,
    numbers: &'static [usize],
}

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
            .map(super::table::signed)
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

/// The parts of a replay between its headline and its bill.
fn parts(replayed: &Replayed) -> Result<Vec<Section>, MoneyError> {
    let home = replayed.outcome.region.as_str();
    let total = replayed.outcome.total()?;
    let is_partial = !replayed.outcome.bill.unknown.is_empty();
    let source = |(direction, from, rows): &(Direction, SizeSource, u64)| {
        vec![
            direction.word().to_string(),
            from.word().to_string(),
            count(*rows),
        ]
    };
    let skipped =
        |(reason, rows): (&SkipReason, &u64)| vec![reason.word().to_string(), count(*rows)];
    let mut parts = vec![
        Section {
            title: "Consumption in the trace".to_string(),
            header: &["Where", "Operation", "Calls", "Read units", "Write units"],
            rows: consumed_rows(&replayed.consumed, home),
            numbers: &[2, 3, 4],
        },
        Section {
            title: "Peaks, units a second".to_string(),
            header: &[
                "Table / index",
                "Direction",
                "Mean",
                "Median",
                "p95",
                "p99",
                "Busiest minute",
                "Busiest second",
                "At",
            ],
            rows: replayed
                .peaks
                .iter()
                .map(|peak| peak_row(peak, home))
                .collect(),
            numbers: &[2, 3, 4, 5, 6, 7],
        },
        Section {
            title: "Items known at the end of the trace".to_string(),
            header: &["Table", "Items", "Mean", "Median", "p95", "p99", "Largest"],
            rows: replayed.item_sizes.iter().map(size_row).collect(),
            numbers: &[1, 2, 3, 4, 5, 6],
        },
        Section {
            title: "Every capacity mode: monthly cost of the whole design".to_string(),
            header: &[
                "Table",
                "Mode",
                "Monthly",
                "Difference",
                "Throttled calls",
                "Share of units",
                "Why",
            ],
            rows: replayed
                .capacity
                .iter()
                .map(|mode| mode_row(mode, total, is_partial))
                .collect(),
            numbers: &[2, 3, 4, 5],
        },
        Section {
            title: "Throttled by each mode".to_string(),
            header: &[
                "Table / index",
                "Direction",
                "Mode",
                "Throttled units",
                "Minutes",
                "First",
                "Most requested keys in those minutes",
            ],
            rows: replayed
                .capacity
                .iter()
                .flat_map(|mode| throttle_rows(mode, home))
                .collect(),
            numbers: &[3, 4],
        },
        Section {
            title: "Hottest keys".to_string(),
            header: &[
                "Table / index",
                "Direction",
                "Key",
                "Key units",
                "Share",
                "Distinct keys",
            ],
            rows: replayed
                .hot_keys
                .iter()
                .map(|hot| hot_row(hot, home))
                .collect(),
            numbers: &[3, 4, 5],
        },
        Section {
            title: "Partitions".to_string(),
            header: &[
                "Table",
                "At first",
                "At the end",
                "Refused read units",
                "Refused write units",
                "Seconds with refusals",
                "Most refused keys",
            ],
            rows: replayed
                .partitions
                .iter()
                .filter(|heat| heat.refused_seconds > 0 || heat.last > heat.first)
                .map(|heat| partition_row(heat, home))
                .collect(),
            numbers: &[1, 2, 3, 4, 5],
        },
        Section {
            title: "What DAX would have answered".to_string(),
            header: &[
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
            ],
            rows: dax_rows(&replayed.dax),
            numbers: &[3, 4, 5, 6, 7, 8, 9, 10],
        },
        Section {
            title: "Where sizes came from".to_string(),
            header: &["Direction", "Source", "Rows"],
            rows: replayed.sizes.rows.iter().map(source).collect(),
            numbers: &[2],
        },
        Section {
            title: "How much the drawn sizes can change the bill (every size the smallest or the \
                    largest of a hundred, on demand)"
                .to_string(),
            header: &[
                "Table",
                "Direction",
                "As drawn",
                "All small",
                "All large",
                "Less",
                "More",
            ],
            rows: replayed
                .sizes
                .drawn
                .iter()
                .filter(|drawn| drawn.low != drawn.high)
                .map(drawn_row)
                .collect(),
            numbers: &[2, 3, 4, 5, 6],
        },
        Section {
            title: "Skipped rows".to_string(),
            header: &["Reason", "Rows"],
            rows: replayed.trace.skipped.iter().map(skipped).collect(),
            numbers: &[1],
        },
    ];
    parts.retain(|part| !part.rows.is_empty());
    Ok(parts)
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
        a_month(outcome.total()?, outcome.bill.unknown.len())
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
        "{} events from {} to {}, {} s, in {} ({}){refused}{throttled}",
        count(trace.events),
        trace.first,
        trace.last,
        count(trace.span.seconds()),
        files,
        trace.kinds.join(", ")
    )
}

/// Lists that follow the tables: title and entries.
fn lists(replayed: &Replayed) -> Vec<(&'static str, Vec<String>)> {
    let outcome = &replayed.outcome;
    let mut lists = vec![
        (
            "Verification",
            replayed
                .verification
                .as_ref()
                .map(verification_lines)
                .unwrap_or_default(),
        ),
        ("First skipped rows", replayed.trace.first_skipped.clone()),
        ("Notes on the trace", replayed.trace.notes.clone()),
        ("Warnings", outcome.warnings.clone()),
        (
            "Assumptions",
            all_assumptions(replayed)
                .into_iter()
                .map(str::to_string)
                .collect(),
        ),
        ("Switches", switches(outcome)),
    ];
    lists.retain(|(_, list)| !list.is_empty());
    lists
}

/// A replay as aligned text.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
pub fn replay_text(replayed: &Replayed, style: Style) -> Result<String, MoneyError> {
    let outcome = &replayed.outcome;
    let total = outcome.total()?;
    let mut text = format!(
        "{}\n{}\n",
        style.strong(&headline(replayed)?),
        style.quiet(&conventions(outcome))
    );
    text += &format!("{}\n", style.quiet(&clean(&trace_line(replayed))));
    for Section {
        title,
        header,
        rows,
        numbers,
    } in parts(replayed)?
    {
        text += &format!(
            "\n{}\n{}",
            style.strong(&title),
            indented(&aligned(header, &rows, numbers))
        );
    }
    for table in &outcome.tables {
        text += &format!(
            "\n{}\n",
            style.strong(&format!(
                "{}  {} a month",
                clean(table),
                outcome.total_of(table)?.human()
            ))
        );
        text += &indented(&aligned(
            &LINE_HEADER,
            &line_rows(outcome, table, total),
            &LINE_NUMBERS,
        ));
    }
    if !outcome.bill.unknown.is_empty() {
        text += &format!(
            "\n{}\n",
            style.warning("Unknown (not included in any total)")
        );
        for unknown in &outcome.bill.unknown {
            let [place, what, rate, why] = unknown_row(unknown);
            text += &format!(
                "  - {}: {}, {rate}\n    {}\n",
                clean(&place),
                clean(&what),
                clean(&why)
            );
        }
    }
    for (title, list) in lists(replayed) {
        text += &format!(
            "\n{}\n",
            if title == "Warnings" {
                style.warning(title)
            } else {
                style.strong(title)
            }
        );
        text += &list
            .iter()
            .map(|item| format!("  - {}\n", clean(item)))
            .collect::<String>();
    }
    Ok(text)
}

/// A replay as Markdown.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
pub fn replay_markdown(replayed: &Replayed) -> Result<String, MoneyError> {
    let outcome = &replayed.outcome;
    let total = outcome.total()?;
    let mut text = format!(
        "## {}\n\n{}\n\n{}\n",
        markdown::escape(&headline(replayed)?),
        conventions(outcome),
        markdown::escape(&trace_line(replayed))
    );
    for Section {
        title,
        header,
        rows,
        numbers,
    } in parts(replayed)?
    {
        text += &format!(
            "\n### {title}\n\n{}",
            markdown::table(header, &rows, numbers)
        );
    }
    for table in &outcome.tables {
        text += &format!(
            "\n### {}: {} a month\n\n",
            markdown::escape(table),
            outcome.total_of(table)?.human()
        );
        text += &markdown::table(
            &LINE_HEADER,
            &line_rows(outcome, table, total),
            &LINE_NUMBERS,
        );
    }
    let unknown: Vec<Vec<String>> = outcome
        .bill
        .unknown
        .iter()
        .map(|unknown| unknown_row(unknown).to_vec())
        .collect();
    if !unknown.is_empty() {
        text += &format!(
            "\n### Unknown (not included in any total)\n\n{}",
            markdown::table(&["Place", "What", "Rate", "Why"], &unknown, &[])
        );
    }
    for (title, list) in lists(replayed) {
        text += &format!("\n### {title}\n\n{}", markdown::list(&list));
    }
    Ok(text)
}

/// The bill of a replay as CSV, with the same columns as an estimate.
pub fn replay_csv(replayed: &Replayed) -> String {
    estimate_csv(std::slice::from_ref(&replayed.outcome))
}
