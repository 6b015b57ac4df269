//! The trace in every capacity mode: what each bills and what it would have throttled, when, and
//! for which keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::consumption::{CallKind, DemandKey, TraceSpan};
use super::executor::Executor;
use super::heat::hottest_in;
use super::{ReplayError, ReplayOptions};
use crate::capacity::policy::OnDemand;
use crate::capacity::series::{Series, account_name};
use crate::capacity::{AccountDirection, LedgerRun, Limits, Scaling, execute, execute_cold};
use crate::compare::{AlternativeState, capacities};
use crate::estimate::Metering;
use crate::money::Money;
use crate::outcome::Outcome;
use crate::pricing::Books;
use crate::table::{Direction, IndexKind, Target};
use crate::trace::Time;
use crate::units::Exact;
use crate::workload::{ArmUnits, Capacity, TableDesign, Traced, Workload};

/// The word for alternatives of capacity.
const CAPACITY: &str = "capacity";

/// The design in one capacity mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModeResult {
    /// The table that it is about; `None` for all.
    pub table: Option<String>,
    /// What it is, such as `provisioned, auto scaled`.
    pub mode: String,
    /// `capacity`, `commitment` or `table-class`.
    pub kind: &'static str,
    /// Whether the design has it.
    pub as_designed: bool,
    /// Whether it can be had, and what a month of the whole design then costs.
    pub state: AlternativeState,
    /// Why not, or what there is to know.
    pub why: String,
    /// Each account of the table.
    pub accounts: Vec<AccountRun>,
}

/// One account's direction in a mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRun {
    /// The table.
    pub table: String,
    /// The global index; `None` for the table.
    pub index: Option<String>,
    /// The region.
    pub region: String,
    /// Reads or writes.
    pub direction: Direction,
    /// Units of the month that are billed: request units, or unit-hours.
    pub billed: Exact,
    /// `request units` or `unit-hours`.
    pub unit: &'static str,
    /// The least and the most units provisioned; `None` on demand.
    pub provisioned: Option<(u64, u64)>,
    /// Units asked for in the trace.
    pub asked: Exact,
    /// Units throttled in the trace.
    pub throttled: Exact,
    /// About so many requests: the calls' share that the units are.
    pub throttled_requests: u64,
    /// The first minute in which something was throttled.
    pub first_throttled: Option<Time>,
    /// How many minutes had throttling.
    pub throttled_minutes: u64,
    /// The keys that were asked for most in these minutes, with their units.
    pub keys: Vec<(String, Exact)>,
}

/// Keys that are named for throttled minutes.
const KEYS: usize = 3;

struct Account<'a> {
    lane: DemandKey,
    series: &'a Arc<Series>,
}

/// Every mode.
#[allow(clippy::too_many_arguments)]
pub(super) fn of(
    executor: &mut Executor,
    metering: &Metering,
    measured: &Workload,
    outcome: &Outcome,
    books: &Books,
    options: &ReplayOptions,
    series: &BTreeMap<String, Arc<Series>>,
    span: &TraceSpan,
) -> Result<Vec<ModeResult>, ReplayError> {
    let mut results = Vec::new();
    let total = outcome
        .total()
        .map_err(crate::estimate::EstimateError::from)?;
    for (at, design) in measured.tables.iter().enumerate() {
        results.push(ModeResult {
            table: Some(design.table.name.clone()),
            mode: match &design.capacity {
                Capacity::OnDemand => "on demand".to_string(),
                Capacity::Provisioned(_) => "provisioned, as designed".to_string(),
            },
            kind: CAPACITY,
            as_designed: true,
            state: AlternativeState::Priced {
                monthly: total,
                delta: Money::ZERO,
            },
            why: "the design as it is".to_string(),
            accounts: runs(executor, at, design, measured, series, span),
        });
    }
    for (alternative, changed) in capacities(metering, measured, outcome, books, &options.question)?
    {
        let at = measured
            .tables
            .iter()
            .position(|table| Some(&table.table.name) == alternative.table.as_ref());
        let accounts = match (&changed, at, alternative.kind.is_capacity()) {
            (Some(changed), Some(at), true) => {
                runs(executor, at, &changed.tables[at], changed, series, span)
            }
            _ => Vec::new(),
        };
        let place = alternative
            .index
            .as_ref()
            .map(|index| format!("{index}: "))
            .unwrap_or_default();
        results.push(ModeResult {
            table: alternative.table.clone(),
            mode: format!("{place}{}", alternative.name),
            kind: alternative.kind.word(),
            as_designed: false,
            state: alternative.state,
            why: alternative.why.clone(),
            accounts,
        });
    }
    Ok(results)
}

/// What the ledger makes of every account of a table in one design.
fn runs(
    executor: &mut Executor,
    at: usize,
    design: &TableDesign,
    workload: &Workload,
    series: &BTreeMap<String, Arc<Series>>,
    span: &TraceSpan,
) -> Vec<AccountRun> {
    let lanes: Vec<DemandKey> = executor
        .tally
        .consumption
        .lanes
        .keys()
        .filter(|lane| lane.table == at)
        .copied()
        .collect();
    let mut all = Vec::new();
    let mut accounts: Vec<(Option<usize>, usize)> =
        lanes.iter().map(|lane| (lane.index, lane.region)).collect();
    accounts.sort_unstable();
    accounts.dedup();
    for (index, region) in accounts {
        let region_name = executor.regions[region].clone();
        let index_name = index
            .and_then(|at| design.table.indexes.get(at))
            .map(|index| index.name.clone());
        let find = |direction| {
            series.get(&account_name(
                &design.table.name,
                index_name.as_deref(),
                &region_name,
                direction,
            ))
        };
        let found: Vec<Account> = lanes
            .iter()
            .filter(|lane| lane.index == index && lane.region == region)
            .filter_map(|lane| {
                Some(Account {
                    lane: *lane,
                    series: find(lane.direction)?,
                })
            })
            .collect();
        let units = |direction| units_of(design, index, &region_name, workload, direction);
        let mut ledger: Vec<AccountDirection> = Vec::new();
        for account in &found {
            let direction = account.lane.direction;
            ledger.push(match units(direction) {
                Some(scaling) => AccountDirection {
                    series: account.series,
                    policy: scaling.policy(),
                    hottest: None,
                },
                None => AccountDirection::new(
                    account.series,
                    OnDemand::new(direction, design.maximum(Target::from(index), direction)),
                ),
            });
        }
        // An on-demand table is taken as new: what it has grown to is nobody's promise.
        let on_demand = design.capacity == Capacity::OnDemand;
        let runs = if on_demand {
            execute_cold(&mut ledger, &Limits::default())
        } else {
            execute(&mut ledger, &Limits::default())
        };
        drop(ledger);
        for (account, run) in found.iter().zip(runs) {
            let lane = account.lane;
            all.push(account_run(
                executor,
                lane,
                &run,
                units(lane.direction),
                (design, &index_name, &region_name),
                workload,
                span,
            ));
        }
    }
    all
}

fn account_run(
    executor: &mut Executor,
    lane: DemandKey,
    run: &LedgerRun,
    units: Option<Scaling>,
    (design, index, region): (&TableDesign, &Option<String>, &str),
    workload: &Workload,
    span: &TraceSpan,
) -> AccountRun {
    let half = |halves: u128| Exact::whole(halves) / Exact::from(2);
    let first = span.from.div_euclid(60);
    let minutes: Vec<i64> = run
        .throttled_minutes
        .iter()
        .map(|(minute, _)| first + *minute as i64)
        .collect();
    let keys = executor
        .tally
        .minutes
        .get(&lane)
        .map(|all| hottest_in(all, &minutes, KEYS))
        .unwrap_or_default();
    let calls = calls_of(executor, lane);
    let share = if run.demanded == 0 {
        Exact::zero()
    } else {
        Exact::whole(run.throttled) / Exact::whole(run.demanded)
    };
    let (billed, unit, provisioned) = match units {
        // Who is throttled tries again: everything that is asked for is billed in the end.
        None => (&half(run.demanded) * &span.factor, "request units", None),
        Some(_) => {
            let hourly = run.hourly(workload.switches.hour_billing);
            (
                &hourly.mean() * workload.month.hours(),
                "unit-hours",
                Some((run.lowest, run.highest)),
            )
        }
    };
    AccountRun {
        table: design.table.name.clone(),
        index: index.clone(),
        region: region.to_string(),
        direction: lane.direction,
        billed,
        unit,
        provisioned,
        asked: half(run.demanded),
        throttled: half(run.throttled),
        throttled_requests: (&Exact::from(calls) * &share)
            .ceil()
            .to_u64()
            .unwrap_or(u64::MAX),
        first_throttled: minutes.first().map(|minute| Time::from_second(minute * 60)),
        throttled_minutes: minutes.len() as u64,
        keys: keys
            .into_iter()
            .map(|(key, halves)| (key, Exact::ratio(halves, 2)))
            .collect(),
    }
}

/// How many calls took units of an account.
fn calls_of(executor: &Executor, lane: DemandKey) -> u64 {
    let region = executor
        .regions
        .get(lane.region)
        .map(String::as_str)
        .unwrap_or_default();
    let design = &executor.tables.list[lane.table].design.table;
    // A table's own arm and those of its local indexes; or the arm of one global index.
    let belongs = |arm: usize| match arm.checked_sub(1) {
        None => lane.index.is_none(),
        Some(at)
            if design
                .indexes
                .get(at)
                .is_some_and(|index| index.kind == IndexKind::Global) =>
        {
            lane.index == Some(at)
        }
        Some(_) => lane.index.is_none(),
    };
    let takes = |arms: &[ArmUnits]| {
        arms.iter().enumerate().any(|(arm, units)| {
            belongs(arm)
                && match lane.direction {
                    Direction::Read => units.read_halves > 0,
                    Direction::Write => units.write > 0,
                }
        })
    };
    let of = |(kind, traced): (&CallKind, &Traced)| {
        let arms = match (lane.direction, lane.region) {
            (Direction::Read, region) => (kind.region == region).then_some(traced.home.as_slice()),
            (Direction::Write, 0) => Some(traced.home.as_slice()),
            (Direction::Write, _) => traced.abroad.get(region).map(Vec::as_slice),
        };
        if kind.table == lane.table && arms.is_some_and(takes) {
            traced.calls
        } else {
            0
        }
    };
    executor.tally.consumption.kinds.iter().map(of).sum()
}

/// How the provisioned units of an account move; `None` on demand, and where they are not known.
fn units_of(
    design: &TableDesign,
    index: Option<usize>,
    region: &str,
    workload: &Workload,
    direction: Direction,
) -> Option<Scaling> {
    let own = design.provisioned(Target::from(index))?;
    if direction == Direction::Read && index.is_none() && region != workload.region {
        let replica = design
            .replicas
            .iter()
            .find(|replica| replica.region == region);
        return replica
            .and_then(|replica| replica.read.as_ref())
            .unwrap_or(&own.read)
            .scaling();
    }
    own[direction].scaling()
}
