//! From an account's arrivals and the design's settings to what the ledger makes of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::ledger::{AccountDirection, Hottest, LedgerRun, Limits, execute};
use super::policy::{AutoScaling, Fixed, Policy, Schedule, Scheduled, Tracking};
use super::provisioned::HourlyUnits;
use super::series::{Arrivals, DrawnSeries, Horizon, Series, WEEK_MINUTES};
use crate::meter::HourBilling;
use crate::table::ByDirection;

/// How provisioned units move.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scaling {
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
    /// The utilization in percent that is tracked; `None` where only a schedule moves them.
    pub target_percent: Option<u64>,
    /// Scheduled changes of the bounds.
    pub schedule: Schedule,
}

impl Scaling {
    /// Units that never move.
    pub fn fixed(units: u64) -> Scaling {
        Scaling {
            min: units,
            max: units,
            target_percent: None,
            schedule: Schedule::default(),
        }
    }

    /// The policy that this is.
    pub fn policy(&self) -> Box<dyn Policy> {
        let tracking = self.target_percent.map(|target_percent| Tracking {
            target_percent,
            ..Tracking::default()
        });
        match (tracking, self.schedule.0.is_empty()) {
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

/// One direction of an account: the calls that ask for it, and how its capacity moves.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountDemand {
    /// The name of its series: see [`account_name`](super::series::account_name).
    pub name: String,
    /// The calls.
    pub arrivals: Vec<Arrivals>,
    /// Its capacity.
    pub scaling: Scaling,
}

/// Simulations that were run, so that none is run twice.
#[derive(Debug, Default)]
pub struct Simulations {
    known: Mutex<BTreeMap<SimulationKey, Arc<ByDirection<LedgerRun>>>>,
    drawn: Arc<DrawnSeries>,
    horizon: Horizon,
    /// Whether only bills are wanted: what a schedule alone moves needs no demand for that.
    bills_only: bool,
}

type SimulationKey = (String, Vec<u64>, Horizon, Scaling, Scaling);

impl Simulations {
    /// Simulations for bills alone: who is throttled by a schedule is not asked.
    pub fn for_bills(&self) -> Simulations {
        Simulations {
            bills_only: true,
            drawn: self.drawn.clone(),
            horizon: self.horizon,
            ..Simulations::default()
        }
    }

    /// Simulations of what a trace asked for, by [`account_name`](super::series::account_name).
    pub fn traced(series: BTreeMap<String, Arc<Series>>) -> Simulations {
        Simulations {
            drawn: Arc::new(DrawnSeries::traced(series)),
            ..Simulations::default()
        }
    }

    /// Simulations minute by minute, for how far a total moves, not for what it is.
    pub fn by_minutes() -> Simulations {
        Simulations {
            horizon: Horizon {
                step_seconds: 60,
                ..Horizon::default()
            },
            ..Simulations::default()
        }
    }

    /// How demand is simulated: a week, second by second, wherever a total is told.
    pub fn horizon(&self) -> &Horizon {
        &self.horizon
    }

    /// The demand of an account's direction.
    pub fn series(&self, name: &str, arrivals: &[Arrivals]) -> Arc<Series> {
        self.drawn.series(name, arrivals, &self.horizon)
    }

    /// The series that were drawn for them.
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
        if self.bills_only
            && asked
                .values()
                .all(|one| one.scaling.target_percent.is_none())
        {
            // What a schedule moves is the same whatever is asked for.
            let key = (
                String::new(),
                Vec::new(),
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
        let bits = |arrivals: &[Arrivals]| -> Vec<u64> {
            arrivals.iter().flat_map(Arrivals::bits).collect()
        };
        let hot = hottest.map_or(0, |hottest| hottest.read.parts);
        let fingerprint: Vec<u64> = bits(&read.arrivals)
            .into_iter()
            .chain([u64::MAX, hot])
            .chain(bits(&write.arrivals))
            .collect();
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

    /// What was simulated before, else what is simulated now.
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

    /// How many were run of a demand.
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
            series,
            policy: scaling.policy(),
            hottest: hottest.map(|hottest| hottest[direction]),
        })
        .collect();
    let mut runs = execute(&mut lanes, &Limits::default()).into_iter();
    ByDirection::each(|_| runs.next().unwrap_or_default())
}

impl LedgerRun {
    /// The units that each hour is charged for.
    pub fn hourly(&self, billing: HourBilling) -> HourlyUnits {
        // The part of an hour at the end of a trace says nothing of a whole one, unless there is no
        // other.
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
