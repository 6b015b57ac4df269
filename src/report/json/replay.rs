//! The JSON of a replay, `dynameter.replay/1`.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    HoldingRow, LineJson, SwitchRow, TableJson, UnknownJson, decimal, holding_rows, line_rows,
    pretty, switch_rows, table_rows, unknown,
};
use crate::compare::AlternativeState;
use crate::money::MoneyError;
use crate::replay::{
    AccountRun, ConsumedUnits, DaxResult, FoundEntityItems, HEAT_MAP_ROWS, HeatMap, HotKey,
    ItemSizes, ModeResult, OverTime, PartitionHeat, Peak, Replayed, Sizes, Summary, Verification,
};
use crate::units::{Exact, GB};

#[derive(JsonSchema, Serialize)]
pub(super) struct Replay<'a> {
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entities: Vec<EntityRow<'a>>,
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

#[derive(JsonSchema, Serialize)]
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

#[derive(JsonSchema, Serialize)]
struct SkippedRow {
    reason: &'static str,
    rows: String,
}

#[derive(JsonSchema, Serialize)]
struct ConsumedRow<'a> {
    table: &'a str,
    index: Option<&'a str>,
    region: &'a str,
    read_units: String,
    write_units: String,
    replicated_write_units: String,
    operations: Vec<OperationRow<'a>>,
}

#[derive(JsonSchema, Serialize)]
struct OperationRow<'a> {
    operation: &'a str,
    calls: String,
    read_units: String,
    write_units: String,
}

#[derive(JsonSchema, Serialize)]
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
#[derive(JsonSchema, Serialize)]
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

#[derive(JsonSchema, Serialize)]
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

#[derive(JsonSchema, Serialize)]
struct EntityRow<'a> {
    table: &'a str,
    entity: &'a str,
    partition: &'a str,
    sort: &'a str,
    items: String,
    bytes: String,
}

fn entity_row(entity: &FoundEntityItems) -> EntityRow<'_> {
    EntityRow {
        table: &entity.table,
        entity: &entity.name,
        partition: &entity.partition,
        sort: &entity.sort,
        items: entity.items.to_string(),
        bytes: entity.bytes.to_string(),
    }
}

#[derive(JsonSchema, Serialize)]
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

#[derive(JsonSchema, Serialize)]
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

#[derive(JsonSchema, Serialize)]
struct KeyRow<'a> {
    key: &'a str,
    units: String,
}

#[derive(JsonSchema, Serialize)]
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

#[derive(JsonSchema, Serialize)]
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
#[derive(JsonSchema, Serialize)]
struct StripRow {
    first: String,
    column_seconds: String,
    key_ranges: String,
    /// Each column that is not empty: its number from 0, and the units of each range of keys,
    /// separated by spaces.
    columns: Vec<ColumnRow>,
}

#[derive(JsonSchema, Serialize)]
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

#[derive(JsonSchema, Serialize)]
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

#[derive(JsonSchema, Serialize)]
struct ClusterRow {
    nodes: Option<String>,
    saves_monthly_usd: Option<String>,
    costs_monthly_usd: Option<String>,
    break_even_hit_ratio: Option<String>,
}

#[derive(JsonSchema, Serialize)]
struct SizesRow<'a> {
    rows: Vec<SourceRow>,
    drawn: Vec<DrawnRow<'a>>,
    counts_assumed: String,
    presence_assumed: String,
    changes_assumed: String,
}

#[derive(JsonSchema, Serialize)]
struct SourceRow {
    throughput: &'static str,
    source: &'static str,
    rows: String,
}

#[derive(JsonSchema, Serialize)]
struct DrawnRow<'a> {
    table: &'a str,
    throughput: &'static str,
    units: String,
    units_low: String,
    units_high: String,
    less_usd: Option<String>,
    more_usd: Option<String>,
}

#[derive(JsonSchema, Serialize)]
struct VerificationRow<'a> {
    checked: String,
    mismatches: String,
    first: Vec<DifferenceRow<'a>>,
    sizes_checked: String,
    size_mismatches: String,
    first_sizes: Vec<SizeDifferenceRow<'a>>,
}

#[derive(JsonSchema, Serialize)]
struct DifferenceRow<'a> {
    place: &'a str,
    operation: &'a str,
    table: &'a str,
    #[serde(rename = "arms")]
    targets: Vec<TargetRow<'a>>,
    working: &'a str,
}

#[derive(JsonSchema, Serialize)]
struct TargetRow<'a> {
    #[serde(rename = "arm")]
    target: &'a str,
    given: &'a str,
    metered: &'a str,
}

#[derive(JsonSchema, Serialize)]
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

pub(in crate::report) fn throttled(mode: &ModeResult) -> u64 {
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
pub(in crate::report) fn replay_json(replayed: &Replayed) -> Result<String, MoneyError> {
    let outcome = &replayed.outcome;
    Ok(pretty(&Replay {
        schema: "dynameter.replay/1",
        workload: &outcome.workload,
        region: &outcome.region,
        prices: outcome.prices.to_string(),
        month_hours: decimal(outcome.month.hours()),
        gb_bytes: GB.to_string(),
        total_usd: outcome.total()?.to_string(),
        trace: trace_row(&replayed.trace),
        consumed: replayed.consumed.iter().map(consumed_row).collect(),
        peaks: replayed.peaks.iter().map(peak_row).collect(),
        over_time: replayed.over_time.iter().map(over_time).collect(),
        item_sizes: replayed.item_sizes.iter().map(item_sizes).collect(),
        entities: replayed.entities.iter().map(entity_row).collect(),
        capacity: replayed.capacity.iter().map(mode_row).collect(),
        hot_keys: replayed.hot_keys.iter().map(hot_row).collect(),
        partitions: replayed.partitions.iter().map(partition_row).collect(),
        dax: replayed.dax.iter().map(dax_row).collect(),
        sizes: sizes_row(&replayed.sizes),
        verification: replayed.verification.as_ref().map(verification),
        unknown: outcome.bill.unknown.iter().map(unknown).collect(),
        assumptions: all_assumptions(replayed),
        switches: switch_rows(outcome),
        warnings: &outcome.warnings,
        tables: table_rows(outcome)?,
        holdings: holding_rows(outcome),
        lines: line_rows(outcome),
    }))
}

fn consumed_row(one: &ConsumedUnits) -> ConsumedRow<'_> {
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
}

fn peak_row(peak: &Peak) -> PeakRow<'_> {
    PeakRow {
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
    }
}

fn mode_row(mode: &ModeResult) -> ModeRow<'_> {
    ModeRow {
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
    }
}

fn hot_row(hot: &HotKey) -> HotRow<'_> {
    HotRow {
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
    }
}

fn partition_row(heat: &PartitionHeat) -> PartitionRow<'_> {
    PartitionRow {
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
    }
}

fn dax_row(dax: &DaxResult) -> DaxRow<'_> {
    DaxRow {
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
    }
}

fn all_assumptions(replayed: &Replayed) -> Vec<&str> {
    replayed
        .assumptions
        .iter()
        .chain(&replayed.outcome.assumptions)
        .map(String::as_str)
        .collect()
}

fn trace_row(trace: &Summary) -> TraceRow<'_> {
    TraceRow {
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
    }
}

fn sizes_row(sizes: &Sizes) -> SizesRow<'_> {
    SizesRow {
        rows: sizes
            .rows
            .iter()
            .map(|(direction, from, rows)| SourceRow {
                throughput: direction.word(),
                source: from.word(),
                rows: rows.to_string(),
            })
            .collect(),
        drawn: sizes
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
        counts_assumed: sizes.counts_assumed.to_string(),
        presence_assumed: sizes.presence_assumed.to_string(),
        changes_assumed: sizes.changes_assumed.to_string(),
    }
}
