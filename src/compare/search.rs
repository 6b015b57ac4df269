//! Searches for the lowest safe capacity, with as few simulations as possible.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::capacity::policy::{Bounds, OnDemand, Schedule};
use crate::capacity::series::{Arrivals, DrawnSeries, Fingerprint, Horizon, Series};
use crate::capacity::{
    AccountDirection as Ledger, HourlyUnits, LedgerRun, Limits, Scaling, Steps, billionths,
    execute, execute_cold, refusable, refused_without_bursts,
};
use crate::meter::HourBilling;
use crate::table::Direction;
use crate::time::{DAY_MINUTES, WEEK_HOURS};

/// Capacity that was found, with the result of its simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundCapacity {
    /// Fixed or scaled units.
    pub scaling: Scaling,
    /// Units of every hour.
    pub hourly: HourlyUnits,
    /// The refused share of the demand, in billionths.
    pub throttled_billionths: u64,
    /// The highest capacity of any minute.
    pub highest: u64,
}

impl FoundCapacity {
    /// Whether it never changes.
    pub fn is_fixed(&self) -> bool {
        self.scaling.target_percent.is_none() && self.scaling.schedule.actions.is_empty()
    }
}

/// Whether a search counts on burst capacity: unused capacity that DynamoDB keeps for later but
/// does not guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bursts {
    /// Capacity is safe without them.
    Without,
    /// Demand that bursts serve counts as served.
    Counted,
}

impl Bursts {
    fn limits(self) -> Limits {
        match self {
            Bursts::Without => Limits {
                burst_seconds: 0,
                ..Limits::default()
            },
            Bursts::Counted => Limits::default(),
        }
    }
}

/// The cheapest safe capacity of each kind for one account direction; the same rule decides for all
/// kinds what is safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacities {
    /// The cheapest fixed capacity.
    pub fixed: FoundCapacity,
    /// The cheapest auto scaled capacity, as far as it is searched: each target with the lowest minimum
    /// that is safe.
    pub auto_scaled: FoundCapacity,
    /// The cheapest capacity that a schedule changes hour by hour.
    pub scheduled: FoundCapacity,
}

/// The demand of an account direction, and what its capacity must satisfy.
pub struct DirectionDemand<'a> {
    /// The name of its series.
    pub name: &'a str,
    /// Reads or writes.
    pub direction: Direction,
    /// The calls.
    pub arrivals: &'a [Arrivals],
    /// How they are simulated.
    pub horizon: &'a Horizon,
    /// The share of the demand that may be refused, in billionths.
    pub limit: u64,
    /// How an hour is charged in which capacity changed.
    pub billing: HourBilling,
    /// Whether bursts are counted on.
    pub bursts: Bursts,
}

/// Counts simulations, and caches what was found for each demand. The horizon, the limit and the
/// billing are the same for all that is asked.
#[derive(Debug)]
pub struct Searches {
    known: Mutex<FoundSoFar>,
    drawn: Arc<DrawnSeries>,
}

#[derive(Debug, Default)]
struct FoundSoFar {
    capacities: BTreeMap<(String, Fingerprint, Bursts), Arc<Capacities>>,
    on_demand: BTreeMap<(String, Fingerprint), u64>,
    count: u64,
}

impl Searches {
    /// Searches that share the series that were drawn.
    pub fn new(drawn: &Arc<DrawnSeries>) -> Searches {
        Searches {
            known: Mutex::default(),
            drawn: drawn.clone(),
        }
    }

    /// How many simulations were run.
    pub fn count(&self) -> u64 {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .count
    }

    fn search(&self, asked: &DirectionDemand) -> Search {
        let series = self.drawn.series(asked.name, asked.arrivals, asked.horizon);
        Search {
            series,
            limit: asked.limit,
            billing: asked.billing,
            bursts: asked.bursts,
            count: 0,
        }
    }

    /// The cheapest capacities for the calls of an account direction.
    pub fn capacities(&self, asked: &DirectionDemand) -> Arc<Capacities> {
        let key = (
            asked.name.to_string(),
            Arrivals::fingerprint(asked.arrivals),
            asked.bursts,
        );
        if let Some(found) = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .capacities
            .get(&key)
        {
            return found.clone();
        }
        // What is safe without bursts is safe with them, so it bounds the search.
        let without = (asked.bursts == Bursts::Counted).then(|| {
            self.capacities(&DirectionDemand {
                bursts: Bursts::Without,
                ..*asked
            })
        });
        let mut search = self.search(asked);
        let mut found = search.all(without.as_deref());
        if asked.horizon != &Horizon::default() {
            // Whatever step and duration the user chose, capacity is only safe if it is safe in the
            // week of one-second steps that every total is based on.
            let mut by_seconds = self.search(&DirectionDemand {
                horizon: &Horizon::default(),
                ..*asked
            });
            found = by_seconds.confirmed(found);
            search.count += by_seconds.count;
        }
        let found = Arc::new(found);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Two threads may have run the same search; count it once.
        if known.capacities.insert(key, found.clone()).is_none() {
            known.count += search.count;
        }
        found
    }

    /// The share of the demand that a new on-demand table refuses while it scales up, in
    /// billionths.
    pub fn refused_on_demand(&self, asked: &DirectionDemand) -> u64 {
        let key = (
            asked.name.to_string(),
            Arrivals::fingerprint(asked.arrivals),
        );
        if let Some(refused) = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .on_demand
            .get(&key)
        {
            return *refused;
        }
        let mut search = self.search(asked);
        let refused = search.on_demand(asked.direction);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.on_demand.insert(key, refused).is_none() {
            known.count += search.count;
        }
        refused
    }
}

/// The lowest fixed units that refuse at most `limit` billionths of a demand.
pub fn cheapest_fixed(series: &Series, limit: u64, bursts: Bursts) -> FoundCapacity {
    Search {
        series: Arc::new(series.clone()),
        limit,
        billing: HourBilling::Maximum,
        bursts,
        count: 0,
    }
    .fixed(None)
}

/// The cheapest bounds and target of auto scaling that refuse at most `limit` billionths of a
/// demand.
pub fn cheapest_auto_scaled(series: &Series, limit: u64, bursts: Bursts) -> FoundCapacity {
    let mut search = Search {
        series: Arc::new(series.clone()),
        limit,
        billing: HourBilling::Maximum,
        bursts,
        count: 0,
    };
    let fixed = search.fixed(None);
    search.auto_scaled(&fixed)
}

struct Search {
    series: Arc<Series>,
    limit: u64,
    billing: HourBilling,
    bursts: Bursts,
    count: u64,
}

/// Targets that are tried, in percent, the cheapest first.
const TARGETS: [u64; 8] = [90, 80, 70, 60, 50, 40, 30, 20];

impl Search {
    /// `without` is what was found without bursts, for a search that counts on them.
    fn all(&mut self, without: Option<&Capacities>) -> Capacities {
        let fixed = self.fixed(without);
        // The first target with the lowest minimum that refuses nothing: bursts change nothing.
        let unbeaten = without.map(|without| &without.auto_scaled).filter(|found| {
            let Scaling {
                min,
                target_percent,
                ..
            } = found.scaling;
            (min, target_percent, found.throttled_billionths) == (1, Some(TARGETS[0]), 0)
        });
        let auto_scaled = match unbeaten {
            Some(found) => found.clone(),
            None => self.auto_scaled(&fixed),
        };
        let scheduled = self.scheduled(&fixed);
        Capacities {
            fixed,
            auto_scaled,
            scheduled,
        }
    }

    /// The capacities found for another series that are safe in this one as well; the others are
    /// replaced by fixed units that are enough for both series.
    fn confirmed(&mut self, found: Capacities) -> Capacities {
        let own = self.fixed(None);
        let fixed = if own.scaling.min > found.fixed.scaling.min {
            own
        } else {
            found.fixed
        };
        let mut safe = |found: FoundCapacity| match self.is_safe(&found.scaling) {
            true => found,
            false => fixed.clone(),
        };
        let (auto_scaled, scheduled) = (safe(found.auto_scaled), safe(found.scheduled));
        Capacities {
            fixed,
            auto_scaled,
            scheduled,
        }
    }

    fn run(&mut self, scaling: &Scaling) -> LedgerRun {
        self.run_until(scaling, None)
    }

    /// A run that ends once more than `enough` was refused.
    fn run_until(&mut self, scaling: &Scaling, enough: Option<u128>) -> LedgerRun {
        self.count += 1;
        let lane = Ledger {
            enough,
            ..Ledger::with(&*self.series, scaling.policy())
        };
        execute(&mut [lane], &self.bursts.limits()).swap_remove(0)
    }

    /// The most half units that may be refused.
    fn refusable(&self) -> u128 {
        refusable(self.series.sum(), self.limit)
    }

    fn is_safe(&mut self, scaling: &Scaling) -> bool {
        let most = self.refusable();
        self.run_until(scaling, Some(most)).throttled <= most
    }

    /// Half units that are refused without bursts, given the units of each minute; no longer counted
    /// once they are more than `enough`.
    fn refused(&self, units: impl Fn(usize) -> u64, enough: u128) -> u128 {
        // The busiest steps matter, so those of all minutes are drawn together.
        self.series.known_minutes();
        let available = |minute: u64| units(minute as usize).saturating_mul(self.series.unit());
        refused_without_bursts(&*self.series, available, enough)
    }

    /// Whether units that only a schedule changes are safe.
    fn safe_by(&mut self, scaling: &Scaling, units: impl Fn(usize) -> u64) -> bool {
        match self.bursts {
            Bursts::Without => {
                let most = self.refusable();
                self.refused(units, most) <= most
            }
            Bursts::Counted => self.is_safe(scaling),
        }
    }

    /// The refused share of the demand, in billionths, for units that only a schedule changes.
    fn refused_by(&mut self, scaling: &Scaling, units: impl Fn(usize) -> u64) -> u64 {
        match self.bursts {
            Bursts::Without => {
                let refused = self.refused(units, u128::MAX);
                billionths(refused, self.series.sum())
            }
            Bursts::Counted => self.run(scaling).throttled_billionths(),
        }
    }

    fn found(&self, scaling: Scaling, run: &LedgerRun) -> FoundCapacity {
        FoundCapacity {
            scaling,
            hourly: run.hourly(self.billing),
            throttled_billionths: run.throttled_billionths(),
            highest: run.highest,
        }
    }

    /// By bisection between the busiest hour and the busiest step, or what is safe without bursts: more
    /// units never refuse more.
    fn fixed(&mut self, without: Option<&Capacities>) -> FoundCapacity {
        let peak = self.series.peak_units().max(1);
        let most = without.map_or(peak, |without| without.fixed.scaling.min);
        // Bursts are for seconds: an estimate does not accept fewer units than an hour needs.
        let of_hour = self.series.peak_hour().ceil().to_u64();
        let (mut low, mut high) = (of_hour.unwrap_or(most).clamp(1, most), most);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.safe_by(&Scaling::fixed(middle), |_| middle) {
                high = middle
            } else {
                low = middle + 1
            }
        }
        FoundCapacity {
            scaling: Scaling::fixed(high),
            hourly: HourlyUnits::constant(high),
            throttled_billionths: self.refused_by(&Scaling::fixed(high), |_| high),
            highest: high,
        }
    }

    /// What a new on-demand table refuses. Below its floor it refuses nothing, so no simulation is
    /// needed. There is no warm-up, because a new table has served nothing before.
    fn on_demand(&mut self, direction: Direction) -> u64 {
        let policy = OnDemand::new(direction, None);
        if self.series.peak_units() <= policy.floor {
            return 0;
        }
        self.count += 1;
        let mut lanes = [Ledger::new(&*self.series, policy)];
        execute_cold(&mut lanes, &Limits::default())
            .swap_remove(0)
            .throttled_billionths()
    }

    /// Finds the lowest safe minimum for each target, as long as it may be cheaper than the best so
    /// far.
    ///
    /// `Assumption:` a higher minimum refuses no more and lowers no hour, and a lower target costs no
    /// less. Alarms that a higher minimum prevents, and the quota of decreases, can make it otherwise; what
    /// is found is safe, since it was simulated, but another minimum may then cost a few percent less.
    fn auto_scaled(&mut self, fixed: &FoundCapacity) -> FoundCapacity {
        let ceiling = self.series.peak_minute_units().max(1).saturating_mul(6);
        let scaling = |target: u64, min: u64| Scaling {
            min,
            max: ceiling.max(min),
            target_percent: Some(target),
            schedule: Schedule::default(),
        };
        // If no target is safe, this stays `None` and fixed capacity is used.
        let mut best: Option<FoundCapacity> = None;
        for target in TARGETS {
            let run = self.run(&scaling(target, 1));
            let least = self.found(scaling(target, 1), &run);
            let is_safe = run.throttles_at_most(self.limit);
            // A lower target scales earlier: if this one is not cheaper, or safe with any minimum,
            // lower ones are not tried.
            let cost = best.as_ref().map(|best| best.hourly.unit_hours());
            if cost
                .as_ref()
                .is_some_and(|cost| least.hourly.unit_hours() >= *cost)
            {
                break;
            }
            if is_safe {
                best = Some(least);
                break;
            }
            // With a higher minimum, hours have at least that, and no less than they have.
            let most = fixed.scaling.min.max(2);
            let useful = match cost {
                None => most,
                Some(cost) => least.hourly.minimum_below(&cost).min(most),
            };
            let safe = self.least_minimum(useful, useful == most, |min| scaling(target, min));
            best = safe
                .filter(|found| {
                    let cost = found.hourly.unit_hours();
                    best.as_ref()
                        .is_none_or(|best| cost < best.hourly.unit_hours())
                })
                .or(best);
        }
        let mut best = best.unwrap_or_else(|| fixed.clone());
        // A maximum above what the simulation reached costs nothing until it is needed.
        if best.scaling.target_percent.is_some() {
            best.scaling.max = best.highest.max(best.scaling.min).saturating_mul(2);
        }
        best
    }

    /// The lowest safe minimum up to `most`, of which it may be known that it is safe; `None` if none
    /// is, or none but `most`.
    fn least_minimum(
        &mut self,
        most: u64,
        is_safe: bool,
        scaling: impl Fn(u64) -> Scaling,
    ) -> Option<FoundCapacity> {
        let enough = self.refusable();
        let tried = |search: &mut Search, min: u64| {
            let run = search.run_until(&scaling(min), Some(enough));
            (run.throttled <= enough).then(|| search.found(scaling(min), &run))
        };
        let mut safe = None;
        if !is_safe {
            safe = Some(tried(self, most)?);
        }
        let (mut low, mut high) = (1, most);
        while low < high {
            // A difference of a few units in the minimum is not worth another simulation.
            if safe.is_some() && (high - low) * 20 < high {
                break;
            }
            let middle = low + (high - low) / 2;
            match tried(self, middle) {
                Some(found) => (high, safe) = (middle, Some(found)),
                None => low = middle + 1,
            }
        }
        safe
    }

    /// The busiest minute of each hour of the day, in units a second and in a few steps: of weekdays
    /// and of weekends, or of all days if they hardly differ.
    fn busiest_hours(&self) -> [[u64; 24]; 2] {
        let start = self.series.start_minute as usize;
        let (mut days, mut seen) = ([[1_u64; 24]; 2], [false; 2]);
        for (minute, sum) in self.series.sums().enumerate() {
            let minute = start + minute;
            let (weekend, hour) = (
                usize::from((minute / DAY_MINUTES as usize) % 7 >= 5),
                (minute / 60) % 24,
            );
            seen[weekend] = true;
            days[weekend][hour] = days[weekend][hour].max(sum.div_ceil(120));
        }
        // If a trace has no weekends, or only weekends, all days have the same schedule.
        for (own, other) in [(0, 1), (1, 0)] {
            if !seen[own] {
                days[own] = days[other];
            }
        }
        // If weekdays and weekends differ by at most 10 %, all days have the same schedule.
        let alike = days[0]
            .iter()
            .zip(&days[1])
            .all(|(one, other)| one.abs_diff(*other) * 10 <= *one.max(other));
        if alike {
            let both: Vec<u64> = days[0]
                .iter()
                .zip(&days[1])
                .map(|(one, other)| *one.max(other))
                .collect();
            days.iter_mut().for_each(|day| day.copy_from_slice(&both));
        }
        days.iter_mut().for_each(in_steps);
        days
    }

    /// Capacity by the hour of the day, in a few steps a day, with separate weekdays and weekends
    /// if they differ. Each step is the busiest minute of its hours, and all steps are raised by
    /// the same percentage until they are safe.
    fn scheduled(&mut self, fixed: &FoundCapacity) -> FoundCapacity {
        // A series shorter than a day has no schedule.
        if self.series.minutes() < DAY_MINUTES {
            return fixed.clone();
        }
        let start = self.series.start_minute as usize;
        let days = self.busiest_hours();
        let units = |percent: u64, hour: usize| {
            (days[usize::from((hour / 24) % 7 >= 5)][hour % 24] * percent).div_ceil(100)
        };
        let scaling = |percent: u64| {
            let of = |hour: usize| units(percent, hour);
            let mut schedule = Schedule::default();
            for hour in
                (0..WEEK_HOURS).filter(|hour| of(*hour) != of((hour + WEEK_HOURS - 1) % WEEK_HOURS))
            {
                schedule.add(
                    &[hour as u64 * 60],
                    Bounds {
                        min: Some(of(hour)),
                        max: Some(of(hour)),
                    },
                );
            }
            Scaling {
                min: of(0),
                max: of(0),
                target_percent: None,
                schedule,
            }
        };
        // Up to four times the busiest minute; a demand that needs more gets fixed units.
        let (mut low, mut high) = (100, 400);
        let of_minute = |percent: u64| {
            let units = &units;
            move |minute: usize| units(percent, (start + minute) / 60)
        };
        let is_safe = |search: &mut Search, percent: u64| {
            search.safe_by(&scaling(percent), of_minute(percent))
        };
        if !is_safe(self, high) {
            return fixed.clone();
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if is_safe(self, middle) {
                high = middle
            } else {
                low = middle + 1
            }
        }
        let scaling = scaling(high);
        if scaling.schedule.actions.is_empty() {
            return fixed.clone();
        }
        let all = || (0..WEEK_HOURS).map(|hour| units(high, hour));
        FoundCapacity {
            hourly: HourlyUnits::of_maxima(all().collect()),
            throttled_billionths: self.refused_by(&scaling, of_minute(high)),
            highest: all().max().unwrap_or(1),
            scaling,
        }
    }
}

/// The most steps in a day's schedule; more would cost more maintenance than they save.
const STEPS_A_DAY: usize = 4;

/// Joins neighbouring hours at the higher of their units until few steps are left, each time the
/// pair that costs least to join.
fn in_steps(day: &mut [u64; 24]) {
    let mut steps: Vec<(u64, u64)> = day.iter().map(|units| (*units, 1)).collect();
    let joined = |one: (u64, u64), other: (u64, u64)| {
        let units = one.0.max(other.0);
        (units, (units - one.0) * one.1 + (units - other.0) * other.1)
    };
    loop {
        // Hours that differ by at most 10 % are one step.
        let near =
            |pair: &[(u64, u64)]| pair[0].0.abs_diff(pair[1].0) * 10 <= pair[0].0.max(pair[1].0);
        let costs = steps
            .windows(2)
            .map(|pair| (!near(pair), joined(pair[0], pair[1]).1));
        match costs.enumerate().min_by_key(|(_, cost)| *cost) {
            Some((at, (far, _))) if !far || steps.len() > STEPS_A_DAY => {
                let (units, _) = joined(steps[at], steps[at + 1]);
                steps[at] = (units, steps[at].1 + steps[at + 1].1);
                steps.remove(at + 1);
            }
            _ => break,
        }
    }
    let hours = steps
        .into_iter()
        .flat_map(|(units, hours)| std::iter::repeat_n(units, hours as usize));
    day.iter_mut()
        .zip(hours)
        .for_each(|(hour, units)| *hour = units);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(units: impl Fn(usize) -> u64) -> Series {
        Series::new(
            1,
            0,
            (0..7 * 86_400).map(|second| 2 * units(second)).collect(),
        )
    }

    #[test]
    fn a_day_has_few_steps_and_none_is_below_its_hours() {
        let day: [u64; 24] =
            std::array::from_fn(|hour| [5, 5, 6, 9, 40, 41, 90, 95, 93, 60, 22, 7][hour / 2]);
        let mut steps = day;
        in_steps(&mut steps);
        assert!(steps.iter().zip(&day).all(|(step, hour)| step >= hour));
        assert!(steps.windows(2).filter(|pair| pair[0] != pair[1]).count() < STEPS_A_DAY);
    }

    #[test]
    fn fixed_capacity_is_the_least_that_is_safe_without_a_burst() {
        let series = series(|second| if second % 1_000 == 0 { 90 } else { 10 });
        assert_eq!(
            cheapest_fixed(&series, 0, Bursts::Without).scaling,
            Scaling::fixed(90)
        );
        // With bursts, what is saved in 300 seconds serves the second that needs more.
        assert_eq!(
            cheapest_fixed(&series, 0, Bursts::Counted).scaling,
            Scaling::fixed(11)
        );
        // One second in a thousand needs 80 more units, 0.8 % of the demand; an hour needs more than 10 in
        // each second.
        assert_eq!(
            cheapest_fixed(&series, 80_000_000, Bursts::Without).scaling,
            Scaling::fixed(11)
        );
    }

    #[test]
    fn auto_scaling_of_a_flat_demand_settles_at_demand_by_target() {
        let found = cheapest_auto_scaled(&series(|_| 63), 0, Bursts::Without);
        assert_eq!(
            (found.scaling.target_percent, found.highest),
            (Some(90), 70)
        );
        assert_eq!(found.hourly.mean(), crate::units::Exact::from(70));
    }
}
