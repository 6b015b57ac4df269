//! The trace in every capacity mode: what each mode costs and what it would have throttled, when,
//! and for which keys.

use std::sync::Arc;

use super::priced::Priced;
use crate::capacity::policy::OnDemand;
use crate::capacity::series::{Series, account_name};
use crate::capacity::{AccountDirection, LedgerRun, Limits, Scaling, execute, execute_cold};
use crate::compare::{AlternativeState, Question, capacities};
use crate::estimate::EstimateError;
use crate::money::Money;
use crate::replay::engine::Engine;
use crate::replay::error::ReplayError;
use crate::replay::tally::consumption::{CallKind, DemandKey};
use crate::replay::tally::hot_keys::hottest_in;
use crate::table::{Direction, IndexKind, Target};
use crate::trace::Time;
use crate::units::Exact;
use crate::workload::{Capacity, TableDesign, TargetUnits, Traced, Workload};

/// The word for alternatives of capacity.
const CAPACITY: &str = "capacity";

/// The design in one capacity mode.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModeResult {
    /// The table; `None` for all tables.
    pub table: Option<String>,
    /// Its name, such as `provisioned, auto scaled`.
    pub mode: String,
    /// `capacity`, `commitment` or `table-class`.
    pub kind: &'static str,
    /// Whether the current design has it.
    pub as_designed: bool,
    /// Whether it is possible, and what a month of the whole design then costs.
    pub state: AlternativeState,
    /// Why it is not possible, or details about it.
    pub why: String,
    /// Each account direction of the table.
    pub accounts: Vec<AccountRun>,
}

/// One account direction in a mode.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountRun {
    /// The table.
    pub table: String,
    /// The global index; `None` for the table.
    pub index: Option<String>,
    /// The region.
    pub region: String,
    /// Reads or writes.
    pub direction: Direction,
    /// Units billed for a month: request units or unit-hours.
    pub billed: Exact,
    /// `request units` or `unit-hours`.
    pub unit: &'static str,
    /// The lowest and the highest provisioned units; `None` on demand.
    pub provisioned: Option<(u64, u64)>,
    /// Units requested in the trace.
    pub asked: Exact,
    /// Units throttled in the trace.
    pub throttled: Exact,
    /// Estimated number of throttled requests: the number of calls multiplied by the throttled
    /// share of the units.
    pub throttled_requests: u64,
    /// The first minute with throttling.
    pub first_throttled: Option<Time>,
    /// Number of minutes with throttling.
    pub throttled_minutes: u64,
    /// The hottest keys in these minutes, with their units.
    pub keys: Vec<(String, Exact)>,
}

/// How many keys are listed for throttled minutes.
const KEYS: usize = 3;

/// Every mode: the design as it is, and what [`capacities`] finds.
pub(in crate::replay) fn all(
    engine: &mut Engine,
    priced: &Priced,
    question: &Question,
) -> Result<Vec<ModeResult>, ReplayError> {
    let Priced {
        measured, outcome, ..
    } = priced;
    let total = outcome.total().map_err(EstimateError::from)?;
    let mut results = Vec::new();
    for at in 0..measured.tables.len() {
        results.push(as_designed(engine, priced, at, total));
    }
    for (alternative, changed) in
        capacities(priced.metering, measured, outcome, priced.books, question)?
    {
        let at = measured
            .tables
            .iter()
            .position(|table| Some(&table.table.name) == alternative.table.as_ref());
        let accounts = match (&changed, at, alternative.kind.is_capacity()) {
            (Some(changed), Some(at), true) => Simulated::of(engine, priced, changed, at).runs(),
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

/// A table in the mode that the design gives it.
fn as_designed(engine: &mut Engine, priced: &Priced, at: usize, monthly: Money) -> ModeResult {
    let design = &priced.measured.tables[at];
    let mode = match &design.capacity {
        Capacity::OnDemand => "on demand",
        Capacity::Provisioned(_) => "provisioned, as designed",
    };
    ModeResult {
        table: Some(design.table.name.clone()),
        mode: mode.to_string(),
        kind: CAPACITY,
        as_designed: true,
        state: AlternativeState::Priced {
            monthly,
            delta: Money::ZERO,
        },
        why: "the design as it is".to_string(),
        accounts: Simulated::of(engine, priced, priced.measured, at).runs(),
    }
}

/// A table of one design, whose accounts are simulated with the demand of the trace.
struct Simulated<'a> {
    engine: &'a mut Engine,
    priced: &'a Priced<'a>,
    workload: &'a Workload,
    at: usize,
    design: &'a TableDesign,
}

/// One account of it: the table or a global index, in one region.
struct Account {
    index: Option<usize>,
    index_name: Option<String>,
    region: String,
}

impl<'a> Simulated<'a> {
    fn of(
        engine: &'a mut Engine,
        priced: &'a Priced<'a>,
        workload: &'a Workload,
        at: usize,
    ) -> Simulated<'a> {
        let design = &workload.tables[at];
        Simulated {
            engine,
            priced,
            workload,
            at,
            design,
        }
    }

    /// The result of the ledger for every account of the table.
    fn runs(mut self) -> Vec<AccountRun> {
        let keys = self.engine.tally.demand.keys();
        let own: Vec<DemandKey> = keys.filter(|key| key.table == self.at).copied().collect();
        let mut accounts: Vec<(Option<usize>, usize)> =
            own.iter().map(|key| (key.index, key.region)).collect();
        accounts.sort_unstable();
        accounts.dedup();
        let mut all = Vec::new();
        for (index, region) in accounts {
            let of_account = |key: &&DemandKey| key.index == index && key.region == region;
            let keys: Vec<DemandKey> = own.iter().filter(of_account).copied().collect();
            let index_of = |at: usize| self.design.table.indexes.get(at);
            let account = Account {
                index,
                index_name: index.and_then(index_of).map(|index| index.name.clone()),
                region: self.engine.regions[region].clone(),
            };
            all.extend(self.account(&account, &keys));
        }
        all
    }

    fn account(&mut self, account: &Account, keys: &[DemandKey]) -> Vec<AccountRun> {
        let table = &self.design.table.name;
        let series = |direction| {
            let index = account.index_name.as_deref();
            let name = account_name(table, index, &account.region, direction);
            self.priced.series.get(&name)
        };
        let found: Vec<(DemandKey, &Arc<Series>)> = keys
            .iter()
            .filter_map(|key| Some((*key, series(key.direction)?)))
            .collect();
        let mut ledger: Vec<AccountDirection> = found
            .iter()
            .map(|(key, series)| self.in_ledger(account, key.direction, series))
            .collect();
        // An on-demand table starts as a new one: nothing guarantees what it has grown to.
        let runs = if self.design.capacity == Capacity::OnDemand {
            execute_cold(&mut ledger, &Limits::default())
        } else {
            execute(&mut ledger, &Limits::default())
        };
        drop(ledger);
        found
            .iter()
            .zip(runs)
            .map(|((key, _), run)| self.account_run(account, *key, &run))
            .collect()
    }

    /// The provisioned capacity of a direction of an account; `None` on demand.
    fn units(&self, account: &Account, direction: Direction) -> Option<Scaling> {
        let replica = self.design.replica_in(&account.region);
        self.design
            .units_in(Target::from(account.index), direction, replica)?
            .scaling()
    }

    fn in_ledger<'s>(
        &self,
        account: &Account,
        direction: Direction,
        series: &'s Series,
    ) -> AccountDirection<'s> {
        match self.units(account, direction) {
            Some(scaling) => AccountDirection::with(series, scaling.policy()),
            None => {
                let replica = self.design.replica_in(&account.region);
                let target = Target::from(account.index);
                let maximum = self.design.maximum_in(target, direction, replica);
                AccountDirection::new(series, OnDemand::new(direction, maximum))
            }
        }
    }

    fn account_run(&mut self, account: &Account, key: DemandKey, run: &LedgerRun) -> AccountRun {
        let span = self.priced.span;
        let half = |halves: u128| Exact::whole(halves) / Exact::from(2);
        let first = span.from.div_euclid(60);
        let throttled = run.throttled_minutes.iter();
        let minutes: Vec<i64> = throttled
            .map(|(minute, _)| first + *minute as i64)
            .collect();
        let hottest = self.engine.tally.keys.minutes.get(&key);
        let hottest = hottest.map(|all| hottest_in(all, &minutes, KEYS));
        let share = if run.demanded == 0 {
            Exact::zero()
        } else {
            Exact::whole(run.throttled) / Exact::whole(run.demanded)
        };
        let calls = Exact::from(calls_of(self.engine, key));
        let (billed, unit, provisioned) = match self.units(account, key.direction) {
            // Throttled calls are tried again: everything that is requested is billed in the end.
            None => (&half(run.demanded) * &span.factor, "request units", None),
            Some(_) => {
                let hourly = run.hourly(self.workload.switches.hour_billing);
                let billed = &hourly.mean() * self.workload.month.hours();
                (billed, "unit-hours", Some((run.lowest, run.highest)))
            }
        };
        AccountRun {
            table: self.design.table.name.clone(),
            index: account.index_name.clone(),
            region: account.region.clone(),
            direction: key.direction,
            billed,
            unit,
            provisioned,
            asked: half(run.demanded),
            throttled: half(run.throttled),
            throttled_requests: (&calls * &share).ceil().to_u64().unwrap_or(u64::MAX),
            first_throttled: minutes.first().map(|minute| Time::from_second(minute * 60)),
            throttled_minutes: minutes.len() as u64,
            keys: hottest
                .unwrap_or_default()
                .into_iter()
                .map(|(key, halves)| (key, Exact::ratio(halves, 2)))
                .collect(),
        }
    }
}

/// Number of calls that consumed units of an account direction.
fn calls_of(engine: &Engine, lane: DemandKey) -> u64 {
    let region = engine
        .regions
        .get(lane.region)
        .map(String::as_str)
        .unwrap_or_default();
    let design = &engine.tables.list[lane.table].design.table;
    // The table and its local indexes, or one global index.
    let belongs = |target: usize| match target.checked_sub(1) {
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
    let takes = |targets: &[TargetUnits]| {
        targets.iter().enumerate().any(|(target, units)| {
            belongs(target)
                && match lane.direction {
                    Direction::Read => units.read_halves > 0,
                    Direction::Write => units.write > 0,
                }
        })
    };
    let of = |(kind, traced): (&CallKind, &Traced)| {
        let targets = match (lane.direction, lane.region) {
            (Direction::Read, region) => (kind.region == region).then_some(traced.home.as_slice()),
            (Direction::Write, 0) => Some(traced.home.as_slice()),
            (Direction::Write, _) => traced.in_replicas.get(region).map(Vec::as_slice),
        };
        if kind.table == lane.table && targets.is_some_and(takes) {
            traced.calls
        } else {
            0
        }
    };
    engine.tally.totals.calls.iter().map(of).sum()
}
