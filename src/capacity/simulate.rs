//! Runs an account's arrivals through the ledger, with the capacity settings of the design.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::ledger::{AccountDirection, Hottest, LedgerRun, Limits, execute};
use super::policy::{AutoScaling, Fixed, Policy, Schedule, Scheduled, Tracking};
use super::provisioned::HourlyUnits;
use super::series::{Arrivals, DrawnSeries, Fingerprint, Horizon, Series};
use crate::meter::HourBilling;
use crate::table::{ByDirection, Direction};
use crate::time::WEEK_MINUTES;

/// How provisioned units are scaled.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scaling {
    /// The minimum.
    pub min: u64,
    /// The maximum.
    pub max: u64,
    /// The target utilization in percent; `None` if units are fixed or only a schedule changes
    /// them.
    pub target_percent: Option<u64>,
    /// Scheduled changes of the bounds.
    pub schedule: Schedule,
}

impl Scaling {
    /// Units that never change.
    pub fn fixed(units: u64) -> Scaling {
        Scaling {
            min: units,
            max: units,
            target_percent: None,
            schedule: Schedule::default(),
        }
    }

    /// The policy for these settings.
    pub fn policy(&self) -> Box<dyn Policy> {
        let tracking = self.target_percent.map(|target_percent| Tracking {
            target_percent,
            ..Tracking::default()
        });
        match (tracking, self.schedule.actions.is_empty()) {
            (None, true) => Box::new(Fixed { units: self.min }),
            (Some(tracking), true) => Box::new(AutoScaling::new(self.min, self.max, tracking)),
            (tracking, false) => Box::new(Scheduled::new(
                self.schedule.clone(),
                self.min,
                self.max,
                tracking,
            )),
        }
    }
}

/// One account direction: its calls, and how its capacity is scaled.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountDemand {
    /// The name of its series: see [`account_name`](super::series::account_name).
    pub name: String,
    /// The calls.
    pub arrivals: Vec<Arrivals>,
    /// Its capacity.
    pub scaling: Scaling,
}

/// A cache of simulations, so that none is run twice.
#[derive(Debug, Default)]
pub struct Simulations {
    known: Mutex<BTreeMap<SimulationKey, Arc<ByDirection<LedgerRun>>>>,
    drawn: Arc<DrawnSeries>,
    horizon: Horizon,
    /// Whether only bills are needed: for these, capacity that only a schedule changes is
    /// simulated without demand.
    bills_only: bool,
}

type SimulationKey = (String, Fingerprint, Horizon, Scaling, Scaling);

impl Simulations {
    /// Simulations for bills only: throttling of scheduled capacity is not simulated.
    #[must_use]
    pub fn for_bills(&self) -> Simulations {
        Simulations {
            bills_only: true,
            drawn: self.drawn.clone(),
            horizon: self.horizon,
            ..Simulations::default()
        }
    }

    /// Simulations of the demand of a trace, by [`account_name`](super::series::account_name).
    pub fn traced(series: BTreeMap<String, Arc<Series>>) -> Simulations {
        Simulations {
            drawn: Arc::new(DrawnSeries::traced(series)),
            ..Simulations::default()
        }
    }

    /// Simulations minute by minute, to see how much a total changes, not to compute the total.
    pub fn by_minutes() -> Simulations {
        Simulations {
            horizon: Horizon {
                step_seconds: 60,
                ..Horizon::default()
            },
            ..Simulations::default()
        }
    }

    /// How demand is simulated: for every total that is shown, a week second by second.
    pub fn horizon(&self) -> &Horizon {
        &self.horizon
    }

    /// The demand of an account direction.
    pub fn series(&self, name: &str, arrivals: &[Arrivals]) -> Arc<Series> {
        self.drawn.series(name, arrivals, &self.horizon)
    }

    /// The series that were drawn for the simulations.
    pub fn drawn(&self) -> &Arc<DrawnSeries> {
        &self.drawn
    }

    /// The reads and the writes of one account, drawn and executed.
    pub fn account(
        &self,
        asked: &ByDirection<AccountDemand>,
        hottest: Option<ByDirection<Hottest>>,
    ) -> Arc<ByDirection<LedgerRun>> {
        let ByDirection { read, write } = asked;
        let parts = Schedule::together(&read.scaling.schedule, &write.scaling.schedule);
        if parts.len() > 1 {
            return self.year(parts, asked, hottest);
        }
        if self.bills_only
            && asked
                .values()
                .all(|one| one.scaling.target_percent.is_none())
        {
            // Scheduled capacity does not depend on the demand.
            let key = (
                String::new(),
                Fingerprint::default(),
                self.horizon,
                read.scaling.clone(),
                write.scaling.clone(),
            );
            return self.known_or(key, || {
                let idle = Series::new(60, 0, vec![0; WEEK_MINUTES as usize]);
                simulate(
                    ByDirection {
                        read: (&idle, &read.scaling),
                        write: (&idle, &write.scaling),
                    },
                    None,
                )
            });
        }
        let hot = hottest.map_or((0, 0), |hot| (hot.read.parts, hot.write.parts));
        let [read_bits, write_bits] =
            [read, write].map(|one| Arrivals::fingerprint(&one.arrivals).numbers());
        let bits = read_bits.into_iter().chain(write_bits);
        let fingerprint = Fingerprint::of(bits.chain([hot.0, hot.1]));
        let key = (
            format!("{} {}", read.name, write.name),
            fingerprint,
            self.horizon,
            read.scaling.clone(),
            write.scaling.clone(),
        );
        self.known_or(key, || {
            let series = ByDirection::each(|direction| {
                self.series(&asked[direction].name, &asked[direction].arrivals)
            });
            simulate(
                ByDirection::each(|direction| (&*series[direction], &asked[direction].scaling)),
                hottest,
            )
        })
    }

    /// The weeks of a year in which schedules differ, as many of each as the year has.
    fn year(
        &self,
        parts: Vec<(u64, Schedule, Schedule)>,
        asked: &ByDirection<AccountDemand>,
        hottest: Option<ByDirection<Hottest>>,
    ) -> Arc<ByDirection<LedgerRun>> {
        let runs: Vec<(u64, Arc<ByDirection<LedgerRun>>)> = parts
            .into_iter()
            .map(|(weeks, read, write)| {
                let mut asked = asked.clone();
                asked.read.scaling.schedule = read;
                asked.write.scaling.schedule = write;
                (weeks, self.account(&asked, hottest))
            })
            .collect();
        let of = |direction: Direction| {
            let runs = runs.iter().map(|(weeks, run)| (*weeks, &run[direction]));
            LedgerRun::one_after_the_other(&runs.collect::<Vec<_>>())
        };
        Arc::new(ByDirection::each(of))
    }

    /// The cached result, or the result of running it now.
    fn known_or(
        &self,
        asked: SimulationKey,
        run: impl FnOnce() -> ByDirection<LedgerRun>,
    ) -> Arc<ByDirection<LedgerRun>> {
        let known = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&asked)
            .cloned();
        known.unwrap_or_else(|| {
            let runs = Arc::new(run());
            self.known
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(asked, runs.clone());
            runs
        })
    }

    /// How many simulations with a demand were run.
    pub fn count(&self) -> u64 {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.keys().filter(|(name, ..)| !name.is_empty()).count() as u64
    }
}

/// Executes the reads and the writes of one account together, since they share its quota of
/// decreases.
pub fn simulate(
    account: ByDirection<(&Series, &Scaling)>,
    hottest: Option<ByDirection<Hottest>>,
) -> ByDirection<LedgerRun> {
    let mut lanes: Vec<AccountDirection> = account
        .iter()
        .map(|(direction, (series, scaling))| AccountDirection {
            hottest: hottest.map(|hottest| hottest[direction]),
            ..AccountDirection::with(*series, scaling.policy())
        })
        .collect();
    let mut runs = execute(&mut lanes, &Limits::default()).into_iter();
    ByDirection::each(|_| runs.next().unwrap_or_default())
}

impl LedgerRun {
    /// Several runs one after the other, each as many times as is said.
    fn one_after_the_other(runs: &[(u64, &LedgerRun)]) -> LedgerRun {
        let mut all = LedgerRun {
            lowest: u64::MAX,
            ..LedgerRun::default()
        };
        let common = runs
            .iter()
            .fold(0, |common, (times, _)| gcd(common, *times));
        for (times, run) in runs {
            for _ in 0..times / common.max(1) {
                all.append(run);
            }
        }
        all
    }

    fn append(&mut self, run: &LedgerRun) {
        let start = self.minutes;
        self.demanded += run.demanded;
        self.consumed += run.consumed;
        self.throttled += run.throttled;
        self.throttled_hot += run.throttled_hot;
        self.throttled_steps += run.throttled_steps;
        let minutes = run.throttled_minutes.iter();
        self.throttled_minutes
            .extend(minutes.map(|(minute, refused)| (start + minute, *refused)));
        self.hourly_maxima.extend(&run.hourly_maxima);
        self.hourly_minute_sums.extend(&run.hourly_minute_sums);
        self.minutes += run.minutes;
        self.lowest = self.lowest.min(run.lowest);
        self.highest = self.highest.max(run.highest);
        self.decreases
            .extend(run.decreases.iter().map(|minute| start + minute));
        self.refused_decreases += run.refused_decreases;
        self.returned += run.returned;
        self.given_up += run.given_up;
        self.steps.extend(&run.steps);
    }

    /// The units that each hour is charged for.
    pub fn hourly(&self, billing: HourBilling) -> HourlyUnits {
        // An incomplete hour at the end of a trace is ignored, unless it is the only hour.
        let whole = (self.minutes / 60) as usize;
        let hours = if whole > 0 {
            whole
        } else {
            self.hourly_maxima.len()
        };
        match billing {
            HourBilling::Maximum => HourlyUnits::of_maxima(self.hourly_maxima[..hours].to_vec()),
            HourBilling::Mean if whole > 0 => {
                HourlyUnits::of_minute_sums(self.hourly_minute_sums[..hours].to_vec())
            }
            HourBilling::Mean => {
                let minutes = self.minutes.max(1);
                HourlyUnits::of_minute_sums(
                    self.hourly_minute_sums
                        .iter()
                        .map(|sum| sum.saturating_mul(60) / minutes)
                        .collect(),
                )
            }
        }
    }
}

/// The greatest common divisor.
fn gcd(one: u64, other: u64) -> u64 {
    match other {
        0 => one,
        other => gcd(other, one % other),
    }
}
