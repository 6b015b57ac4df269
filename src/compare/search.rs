//! The search for capacity: the least that is safe, by as few simulations as it takes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::capacity::policy::{Bounds, Schedule};
use crate::capacity::series::{Arrivals, Horizon, Series, draw};
use crate::capacity::{HourlyUnits, Run, Scaling, simulate};
use crate::meter::HourBilling;

/// Capacity that was found, with what the simulation made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Units, fixed or moving.
    pub scaling: Scaling,
    /// Units of every hour.
    pub hourly: HourlyUnits,
    /// The refused share of the demand, in billionths.
    pub throttled_billionths: u64,
    /// The highest capacity of any minute.
    pub highest: u64,
}

/// The capacities of one account's direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The cheapest that never changes.
    pub fixed: Found,
    /// The cheapest that auto scaling moves.
    pub auto_scaled: Found,
    /// The cheapest that a schedule moves hour by hour.
    pub scheduled: Found,
}

/// Counts simulations, and remembers what was found for a demand.
#[derive(Debug, Default)]
pub struct Searches {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    lanes: BTreeMap<(String, Vec<u64>), Arc<Lane>>,
    count: u64,
}

impl Searches {
    /// How many simulations were run.
    pub fn count(&self) -> u64 {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).count
    }

    /// What is cheapest for calls that arrive at an account's direction.
    pub fn lane(&self, name: &str, arrivals: &[Arrivals], horizon: &Horizon, limit: u64, billing: HourBilling) -> Arc<Lane> {
        let bits = arrivals.iter().flat_map(Arrivals::bits).collect();
        let key = (name.to_string(), bits);
        if let Some(lane) = self.known.lock().unwrap_or_else(PoisonError::into_inner).lanes.get(&key) {
            return lane.clone();
        }
        let mut search = Search { series: draw(arrivals, horizon, name), limit, billing, count: 0 };
        let fixed = search.fixed();
        let auto_scaled = search.auto_scaled(&fixed);
        let scheduled = search.scheduled(&fixed);
        let lane = Arc::new(Lane { fixed, auto_scaled, scheduled });
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.count += search.count;
        known.lanes.insert(key, lane.clone());
        lane
    }
}

/// The least units that never change and refuse at most `limit` billionths of a demand.
pub fn cheapest_fixed(series: &Series, limit: u64) -> Found {
    Search { series: series.clone(), limit, billing: HourBilling::Maximum, count: 0 }.fixed()
}

/// The cheapest bounds and target of auto scaling that refuse at most `limit` billionths of a demand.
pub fn auto_scaled(series: &Series, limit: u64) -> Found {
    let mut search = Search { series: series.clone(), limit, billing: HourBilling::Maximum, count: 0 };
    let fixed = search.fixed();
    search.auto_scaled(&fixed)
}

struct Search {
    series: Series,
    limit: u64,
    billing: HourBilling,
    count: u64,
}

/// Targets that are tried, in percent, the cheapest first.
const TARGETS: [u64; 8] = [90, 80, 70, 60, 50, 40, 30, 20];

impl Search {
    fn run(&mut self, scaling: &Scaling) -> Run {
        self.count += 1;
        let idle = Series { step_seconds: self.series.step_seconds, halves: Vec::new() };
        simulate(&[(&self.series, scaling, None), (&idle, &Scaling::fixed(1), None)]).swap_remove(0)
    }

    fn found(&self, scaling: Scaling, run: &Run) -> Found {
        let hourly = if scaling.min == scaling.max && scaling.schedule.0.is_empty() {
            HourlyUnits::constant(scaling.min)
        } else {
            run.hourly(self.billing)
        };
        Found { scaling, hourly, throttled_billionths: run.throttled_billionths(), highest: run.highest() }
    }

    /// By bisection between the mean and the busiest step: more units never refuse more.
    fn fixed(&mut self) -> Found {
        let peak = self.series.peak_units().max(1);
        let seconds = (self.series.halves.len() as u64 * self.series.step_seconds).max(1);
        let mean = u64::try_from(self.series.sum() / u128::from(2 * seconds)).unwrap_or(peak).clamp(1, peak);
        let (mut low, mut high) = (mean, peak);
        let mut best = None;
        while low < high {
            let middle = low + (high - low) / 2;
            let run = self.run(&Scaling::fixed(middle));
            if run.throttles_at_most(self.limit) {
                high = middle;
                best = Some((middle, run));
            } else {
                low = middle + 1;
            }
        }
        let run = match best.filter(|(units, _)| *units == high) {
            Some((_, run)) => run,
            None => self.run(&Scaling::fixed(high)),
        };
        self.found(Scaling::fixed(high), &run)
    }

    /// For each target the least minimum that is safe; a target is left out as soon as its cost without any
    /// minimum, which is the least that it can be, is above the best.
    fn auto_scaled(&mut self, fixed: &Found) -> Found {
        let ceiling = self.series.peak_minute_units().max(1).saturating_mul(6);
        let scaling = |target: u64, min: u64| Scaling { min, max: ceiling.max(min), target_percent: Some(target), schedule: Schedule::default() };
        // Without a change in sight, capacity that stands still is what scaling is measured by.
        let mut best: Option<Found> = None;
        for target in TARGETS {
            let cheaper = |found: &Found, best: &Option<Found>| best.as_ref().is_none_or(|best| found.hourly.unit_hours() < best.hourly.unit_hours());
            let least = self.run(&scaling(target, 1));
            let lower_bound = self.found(scaling(target, 1), &least);
            if !cheaper(&lower_bound, &best) {
                continue;
            }
            if least.throttles_at_most(self.limit) {
                // A lower target scales earlier and so costs more: nothing below can be cheaper.
                best = Some(lower_bound);
                break;
            }
            let (mut low, mut high) = (1, fixed.scaling.min.max(2));
            let mut safe = None;
            while low < high {
                let middle = low + (high - low) / 2;
                let run = self.run(&scaling(target, middle));
                let found = self.found(scaling(target, middle), &run);
                if run.throttles_at_most(self.limit) {
                    high = middle;
                    safe = Some(found);
                } else {
                    if !cheaper(&found, &best) {
                        safe = None;
                        break;
                    }
                    low = middle + 1;
                }
                // A few units of the minimum are worth no further simulation.
                if safe.is_some() && (high - low) * 50 < high {
                    break;
                }
            }
            best = safe.filter(|found| cheaper(found, &best)).or(best);
        }
        let mut best = best.unwrap_or_else(|| fixed.clone());
        // The most is what the simulation reached.
        if best.scaling.target_percent.is_some() {
            best.scaling.max = best.highest.max(best.scaling.min);
        }
        best
    }

    /// Capacity by the hour of the day, weekdays and weekends apart: the busiest minute of those hours, all
    /// raised alike until it is safe.
    fn scheduled(&mut self, fixed: &Found) -> Found {
        let steps = self.series.steps_a_minute();
        let mut busiest = vec![1_u64; 48];
        for (minute, chunk) in self.series.halves.chunks(steps).enumerate() {
            let (day, hour) = ((minute / 1440) % 7, (minute / 60) % 24);
            let slot = if day < 5 { hour } else { 24 + hour };
            busiest[slot] = busiest[slot].max(chunk.iter().sum::<u64>().div_ceil(120));
        }
        let schedule = |percent: u64| {
            let units: Vec<u64> = busiest.iter().map(|units| (units * percent).div_ceil(100)).collect();
            let of = |hour: usize| units[if hour / 24 < 5 { hour % 24 } else { 24 + hour % 24 }];
            let mut schedule = Schedule::default();
            for hour in (0..168).filter(|hour| of(*hour) != of((hour + 167) % 168)) {
                schedule.add(&[hour as u64 * 60], Bounds { min: Some(of(hour)), max: Some(of(hour)) });
            }
            (Scaling { min: of(0), max: of(0), target_percent: None, schedule }, units)
        };
        let (mut low, mut high) = (100, 100);
        let mut best = None;
        // Up to four times the busiest minute; a demand that needs more is one for fixed units.
        while high <= 400 {
            let (scaling, _) = schedule(high);
            let run = self.run(&scaling);
            if run.throttles_at_most(self.limit) {
                best = Some(self.found(scaling, &run));
                break;
            }
            low = high;
            high = high * 5 / 4;
        }
        while best.is_some() && high - low > 3 {
            let middle = low + (high - low) / 2;
            let (scaling, _) = schedule(middle);
            let run = self.run(&scaling);
            if run.throttles_at_most(self.limit) {
                high = middle;
                best = Some(self.found(scaling, &run));
            } else {
                low = middle;
            }
        }
        best.filter(|found| !found.scaling.schedule.0.is_empty()).unwrap_or_else(|| fixed.clone())
    }
}
