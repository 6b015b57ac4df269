//! The ledger executes demand step by step. Policies request capacity; only the ledger changes it
//! and enforces AWS's limits. The demand of an estimate and the demand of a trace run through the
//! same ledger.

use std::ops::Range;

use super::burst::{Allowance, Balance};
use super::minute::Minute;
use super::policy::{PastMinutes, Policy};
use super::retries::{Refused, Retries, Returning};
use super::steps::Steps;
use crate::table::{ByDirection, limits};
use crate::time::DAY_MINUTES;

/// AWS's limits for a table, as far as they are documented. Every figure has a name, so that a run
/// can report it.
///
/// Source: Developer Guide, "Burst and adaptive capacity" (300 s; 3,000 and 1,000 units a
/// partition; rule 6.2) and "Service quotas" (decreases; rule 6.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Seconds of unused capacity that are kept for a burst.
    pub burst_seconds: u64,
    /// Decreases available at the start, and the most that can be available.
    pub decreases_in_hand: u64,
    /// Decreases in any 24 hours.
    pub decreases_a_day: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            burst_seconds: 300,
            decreases_in_hand: 4,
            decreases_a_day: 27,
        }
    }
}

/// The share of the demand for the hottest partition key, `parts` of `of`, and the most units a
/// second that its partition serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hottest {
    /// Parts of the demand.
    pub parts: u64,
    /// All parts.
    pub of: u64,
    /// Units a second of one partition.
    pub units_max: u64,
}

impl Hottest {
    /// Reads and writes of a key that gets the given millionths of all reads, and of all writes.
    ///
    /// Source: Developer Guide, "Burst and adaptive capacity" (rule 6.2): a partition serves 3,000
    /// read and 1,000 write units a second, and one key has no more than one partition.
    pub fn of(millionths: ByDirection<u64>) -> ByDirection<Hottest> {
        ByDirection::each(|direction| Hottest {
            parts: millionths[direction],
            of: 1_000_000,
            units_max: limits::partition_units_max(direction),
        })
    }

    /// The key's part of a demand.
    fn part_of(&self, demand: u64) -> u64 {
        let own = u128::from(demand) * u128::from(self.parts) / u128::from(self.of.max(1));
        u64::try_from(own).unwrap_or(u64::MAX).min(demand)
    }

    /// What its partition serves in a step, in which a unit a second is `unit`.
    fn served(&self, unit: u64) -> u64 {
        self.units_max.saturating_mul(unit)
    }
}

/// One account direction: its demand, the policy that requests its capacity, and its hottest key.
pub struct AccountDirection<'a> {
    /// The demand.
    pub series: &'a dyn Steps,
    /// The policy that requests the capacity.
    pub policy: Box<dyn Policy + 'a>,
    /// The hottest key, if keys are known to be skewed.
    pub hottest: Option<Hottest>,
    /// How throttled requests are repeated; `None` if they are not.
    pub retries: Option<Retries>,
    /// Minutes whose steps are recorded.
    pub watched: Range<u64>,
    /// The run ends as soon as more than this was throttled; its other figures are then incomplete.
    pub enough: Option<u128>,
}

impl<'a> AccountDirection<'a> {
    /// An account direction without a hot key, whose throttled requests are not repeated.
    pub fn new(series: &'a dyn Steps, policy: impl Policy + 'a) -> AccountDirection<'a> {
        AccountDirection::with(series, Box::new(policy))
    }

    /// The same with a policy that was chosen before.
    pub fn with(series: &'a dyn Steps, policy: Box<dyn Policy + 'a>) -> AccountDirection<'a> {
        AccountDirection {
            series,
            policy,
            hottest: None,
            retries: None,
            watched: 0..0,
            enough: None,
        }
    }
}

/// What happened in a step, in half units or their parts ([`Steps::parts`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerStep {
    /// New demand.
    pub demanded: u64,
    /// Demand that came again.
    pub returned: u64,
    /// What was refused of both.
    pub refused: u64,
    /// What the hottest key's partition refused of both.
    pub refused_hot: u64,
    /// What was refused of the new demand.
    pub refused_first: u64,
    /// What was refused for the last time.
    pub given_up: u64,
    /// Capacity units in force.
    pub capacity: u64,
}

/// The result of one account direction. Amounts are in half units or their parts
/// ([`Steps::parts`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerRun {
    /// Half units of demand.
    pub demanded: u128,
    /// Half units served.
    pub consumed: u128,
    /// Half units refused.
    pub throttled: u128,
    /// Half units of `throttled` that the hottest key's partition refused.
    pub throttled_hot: u128,
    /// Steps in which something was refused.
    pub throttled_steps: u64,
    /// The minutes in which something was refused, each with the half units refused.
    pub throttled_minutes: Vec<(u64, u64)>,
    /// The highest capacity of each hour: what the hour is charged for (rule 6.7).
    pub hourly_maxima: Vec<u64>,
    /// Capacity of each hour added up over its minutes: sixty times the hour's mean.
    pub hourly_minute_sums: Vec<u64>,
    /// Minutes that were executed, without the warm-up.
    pub minutes: u64,
    /// The lowest capacity of any minute.
    pub lowest: u64,
    /// The highest capacity of any minute.
    pub highest: u64,
    /// Minutes in which capacity was lowered, warm-up included (counted from its start).
    pub decreases: Vec<u64>,
    /// Decreases that were requested but not allowed.
    pub refused_decreases: u64,
    /// Half units of refused requests that came again.
    pub returned: u128,
    /// Half units of requests that used up their attempts: all that were throttled, unless they are
    /// repeated. `demanded` is what was consumed, what was given up, and what had not come again at
    /// the end.
    pub given_up: u128,
    /// The steps of the watched minutes.
    pub steps: Vec<LedgerStep>,
}

impl LedgerRun {
    /// Records the capacity that was in force in some minutes of an hour.
    fn minutes(&mut self, at: u64, count: u64, capacity: u64) {
        self.minutes += count;
        let sum = capacity.saturating_mul(count);
        if at.is_multiple_of(60) || self.hourly_maxima.is_empty() {
            self.hourly_maxima.push(capacity);
            self.hourly_minute_sums.push(sum);
        } else if let (Some(most), Some(sums)) = (
            self.hourly_maxima.last_mut(),
            self.hourly_minute_sums.last_mut(),
        ) {
            *most = capacity.max(*most);
            *sums = sums.saturating_add(sum);
        }
        self.lowest = if at == 0 {
            capacity
        } else {
            self.lowest.min(capacity)
        };
        self.highest = self.highest.max(capacity);
    }

    /// Adds a minute that was served step by step.
    fn add(&mut self, at: u64, sums: &Sums) {
        self.demanded += u128::from(sums.demanded);
        self.consumed += u128::from(sums.demanded + sums.returned - sums.throttled);
        self.throttled += u128::from(sums.throttled);
        self.throttled_hot += u128::from(sums.hot);
        self.returned += u128::from(sums.returned);
        self.given_up += u128::from(sums.given_up);
        self.throttled_steps += sums.bad_steps;
        if sums.throttled > 0 {
            self.throttled_minutes.push((at, sums.throttled));
        }
    }

    /// Whether at most the given billionths of the demand were refused.
    pub fn throttles_at_most(&self, billionths: u64) -> bool {
        self.throttled <= refusable(self.demanded, billionths)
    }

    /// The refused share of the demand in billionths, rounded up; 0 without demand.
    pub fn throttled_billionths(&self) -> u64 {
        billionths(self.throttled, self.demanded)
    }
}

/// A part as billionths of all, rounded up; 0 of nothing.
pub fn billionths(part: u128, all: u128) -> u64 {
    match all {
        0 => 0,
        all => u64::try_from((part * 1_000_000_000).div_ceil(all)).unwrap_or(u64::MAX),
    }
}

/// The most of a demand that may be refused, if that is some billionths of it.
pub fn refusable(demand: u128, billionths: u64) -> u128 {
    demand * u128::from(billionths) / 1_000_000_000
}

/// Minutes that are executed before the run counts, taken from the last day of the series, so that
/// the run starts with a realistic burst balance and capacity.
pub const WARM_UP_MINUTES: u64 = DAY_MINUTES;

/// Executes the directions of one account, which share its quota of decreases.
pub fn execute(lanes: &mut [AccountDirection], limits: &Limits) -> Vec<LedgerRun> {
    run(lanes, limits, WARM_UP_MINUTES)
}

/// Executes the directions of an account that has served nothing before.
pub fn execute_cold(lanes: &mut [AccountDirection], limits: &Limits) -> Vec<LedgerRun> {
    run(lanes, limits, 0)
}

fn run(lanes: &mut [AccountDirection], limits: &Limits, warm_up: u64) -> Vec<LedgerRun> {
    let minutes = lanes
        .iter()
        .map(|lane| lane.series.minutes())
        .max()
        .unwrap_or(0);
    let warm_up = warm_up.min(minutes);
    let mut all: Vec<Running> = lanes
        .iter_mut()
        .map(|lane| Running {
            state: LedgerState::new(lane, minutes as usize, limits),
            minutes: None,
            lane,
        })
        .collect();
    let mut quota = Quota::new(limits);
    let (mut now, end) = (0, warm_up + minutes);
    while now < end {
        let (counts, at, left) = if now < warm_up {
            (false, minutes - warm_up + now, warm_up - now)
        } else {
            (true, now - warm_up, end - now)
        };
        // Hours are recorded one by one.
        let left = left.min(60 - at % 60);
        // Where the warm-up ends, time may jump, which schedules must see.
        let quiet = match now == warm_up {
            true => 0,
            false => serve_quiet(&mut all, Span { at, left, counts }),
        };
        if quiet > 0 {
            quota.minutes(now, quiet);
            now += quiet;
            continue;
        }
        quota.minutes(now, 1);
        for Running { state, lane, .. } in &mut all {
            state.apply(now, &mut quota);
            state.serve(lane, at, counts);
            state.request(lane, now, at);
        }
        if all.iter().any(Running::is_enough) {
            break;
        }
        now += 1;
    }
    let run = |one: Running| LedgerRun {
        decreases: one.state.decreases,
        ..one.state.run
    };
    all.into_iter().map(run).collect()
}

/// Minutes of a series, and whether they count.
#[derive(Clone, Copy)]
struct Span {
    at: u64,
    left: u64,
    counts: bool,
}

/// Serves minutes in which no lane refuses, requests or changes anything, up to the first in which
/// one may; returns how many. Auto scaling acts in few minutes of a week, and all others end here.
fn serve_quiet(all: &mut [Running], span: Span) -> u64 {
    let Span {
        at,
        mut left,
        counts,
    } = span;
    for Running {
        state,
        lane,
        minutes,
    } in &mut *all
    {
        let Some(quiet) = state.quiet(lane, at) else {
            return 0;
        };
        left = left.min(quiet.minutes);
        state.quiet = quiet;
        let known = lane.series.all_minutes();
        *minutes = known.and_then(|all| all.get(usize::try_from(at).ok()?..));
    }
    let mut served = match &mut *all {
        [one] => one.serve_without_bursts(left, counts),
        _ => 0,
    };
    while served < left && all.iter_mut().all(|one| one.is_quiet(at, served)) {
        for one in &mut *all {
            one.state.serve_whole(at + served, counts);
        }
        served += 1;
    }
    if counts && served > 0 {
        for Running { state, .. } in all {
            state.run.minutes(at, served, state.capacity);
        }
    }
    served
}

/// An account direction while it is executed.
struct Running<'a, 'b> {
    lane: &'b mut AccountDirection<'a>,
    state: LedgerState,
    /// The demand from the minute on at which quiet minutes begin, if it is known.
    minutes: Option<&'a [Minute]>,
}

impl Running<'_, '_> {
    /// Whether more was throttled than matters.
    fn is_enough(&self) -> bool {
        let most = self.lane.enough;
        most.is_some_and(|most| self.state.run.throttled > most)
    }

    /// Serves quiet minutes at once if nothing is kept for bursts, since none depends on another then;
    /// returns how many.
    fn serve_without_bursts(&mut self, left: u64, counts: bool) -> u64 {
        let state = &mut self.state;
        let Some(minutes) = self.minutes.filter(|_| state.pace.kept == 0) else {
            return 0;
        };
        let is_quiet = |minute: &&Minute| state.is_quiet(minute, self.lane.hottest);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let served = minutes.iter().take(left).take_while(is_quiet).count();
        let sums = minutes[..served].iter().map(|minute| minute.sum);
        if counts {
            let sum: u128 = sums.clone().map(u128::from).sum();
            state.run.demanded += sum;
            state.run.consumed += sum;
        }
        let parts = state.pace.parts;
        state.consumed.extend(sums.map(|sum| sum / parts));
        served as u64
    }

    /// Whether the minute after some quiet ones is quiet; keeps its demand.
    #[inline]
    fn is_quiet(&mut self, from: u64, served: u64) -> bool {
        let minute = match self.minutes {
            Some(known) => known.get(served as usize).copied(),
            None => self.lane.series.minute(from + served),
        };
        let Some(minute) = minute else {
            return false;
        };
        self.state.quiet.minute = minute;
        self.state.is_quiet(&minute, self.lane.hottest)
    }
}

/// Minutes in which the capacity of an account direction does not change.
#[derive(Clone, Copy, Default)]
struct QuietLane {
    allowance: Allowance,
    /// The least and the most that a minute consumes, in the demand's parts of half units.
    from: u64,
    to: u64,
    minutes: u64,
    /// The minute that is served.
    minute: Minute,
}

/// The quota of decreases: four at the start, one more each hour, never more than 27 in 24 hours.
///
/// Source: Developer Guide, "Service, account, and table quotas": four decreases, one more in each
/// hour, 27 a day (rule 6.5). `Assumption:` an hour in which capacity was lowered adds one as well, and
/// the limit of 27 applies to any 24 hours, not only to a day from midnight on.
struct Quota {
    in_hand: u64,
    most: u64,
    a_day: usize,
    spent: Vec<u64>,
}

impl Quota {
    fn new(limits: &Limits) -> Quota {
        Quota {
            in_hand: limits.decreases_in_hand,
            most: limits.decreases_in_hand,
            a_day: limits.decreases_a_day,
            spent: Vec::new(),
        }
    }

    /// Minutes pass, of which some begin an hour.
    fn minutes(&mut self, now: u64, count: u64) {
        let hours = |before: u64| before.saturating_sub(1) / 60;
        let begun = hours(now + count) - hours(now);
        self.in_hand = (self.in_hand + begun).min(self.most);
    }

    fn spend(&mut self, now: u64) -> bool {
        let recent = self
            .spent
            .iter()
            .rev()
            .take_while(|spent| **spent + DAY_MINUTES > now)
            .count();
        let allowed = self.in_hand > 0 && recent < self.a_day;
        if allowed {
            self.in_hand -= 1;
            self.spent.push(now);
        }
        allowed
    }
}

/// What is the same in every minute of an account direction.
#[derive(Clone, Copy)]
struct Pace {
    /// A unit a second, as a step's demand.
    unit: u64,
    /// Steps of a minute.
    steps: u64,
    /// Parts of a half unit.
    parts: u64,
    /// The minute of the week at which the series starts.
    start: u64,
    /// What a unit of capacity may keep for a burst, as demand; 0 if nothing is kept.
    kept: u64,
}

impl Pace {
    fn of(lane: &AccountDirection, limits: &Limits) -> Pace {
        let (series, parts) = (lane.series, lane.series.parts());
        Pace {
            unit: series.unit(),
            steps: series.steps_a_minute() as u64,
            parts,
            start: series.start_minute(),
            kept: match lane.policy.bursts() {
                true => 2 * limits.burst_seconds * parts,
                false => 0,
            },
        }
    }

    /// What a capacity allows.
    fn allowance(&self, capacity: u64) -> Allowance {
        Allowance {
            available: capacity.saturating_mul(self.unit),
            kept_max: capacity.saturating_mul(self.kept),
            steps: self.steps,
        }
    }

    /// Whether the partition of the hottest key serves every step of a minute.
    fn serves(&self, minute: &Minute, hottest: Option<Hottest>) -> bool {
        hottest.is_none_or(|hottest| hottest.part_of(minute.highest) <= hottest.served(self.unit))
    }
}

struct LedgerState {
    pace: Pace,
    quiet: QuietLane,
    capacity: u64,
    /// Half units kept for a burst.
    balance: Balance,
    /// A change under way: the minute it takes effect, and the capacity from then on.
    pending: Option<(u64, u64)>,
    /// Half units consumed in each minute so far, warm-up included.
    consumed: Vec<u64>,
    decreases: Vec<u64>,
    /// Refused requests that will come again.
    returning: Option<Returning>,
    /// Room for the steps of a minute.
    room: Vec<u64>,
    run: LedgerRun,
}

/// The steps of a minute, added up.
#[derive(Default)]
struct Sums {
    demanded: u64,
    returned: u64,
    throttled: u64,
    hot: u64,
    given_up: u64,
    bad_steps: u64,
}

impl LedgerState {
    fn new(lane: &AccountDirection, minutes: usize, limits: &Limits) -> LedgerState {
        let consumed = Vec::with_capacity(minutes + WARM_UP_MINUTES as usize);
        LedgerState {
            pace: Pace::of(lane, limits),
            quiet: QuietLane::default(),
            capacity: lane.policy.start(),
            balance: Balance::default(),
            pending: None,
            consumed,
            decreases: Vec::new(),
            returning: lane
                .retries
                .map(|retries| Returning::new(retries, lane.series.step_seconds())),
            room: Vec::new(),
            run: LedgerRun::default(),
        }
    }

    /// Which of the next minutes are quiet; `None` if steps are recorded, requests come again or a
    /// change is under way.
    fn quiet(&self, lane: &AccountDirection, at: u64) -> Option<QuietLane> {
        if self.pending.is_some() || self.returning.is_some() || !lane.watched.is_empty() {
            return None;
        }
        let pace = self.pace;
        let quiet = lane.policy.quiet(pace.start + at, self.capacity)?;
        let below = quiet.to.saturating_add(1).saturating_mul(pace.parts);
        Some(QuietLane {
            allowance: pace.allowance(self.capacity),
            from: quiet.from.saturating_mul(pace.parts),
            to: match quiet.to {
                u64::MAX => u64::MAX,
                _ => below - 1,
            },
            minutes: quiet.minutes,
            minute: Minute::default(),
        })
    }

    /// Whether the policy requests nothing in a minute, and no step of it refuses anything.
    #[inline]
    fn is_quiet(&self, minute: &Minute, hottest: Option<Hottest>) -> bool {
        (self.quiet.from..=self.quiet.to).contains(&minute.sum)
            && self.serves(minute, &self.quiet.allowance, hottest)
    }

    /// Whether no step of a minute refuses anything.
    #[inline]
    fn serves(&self, minute: &Minute, allowance: &Allowance, hottest: Option<Hottest>) -> bool {
        self.balance.covers(minute, allowance) && self.pace.serves(minute, hottest)
    }

    /// Serves the minute in `quiet`, of which no step refuses anything, so that its steps need not be
    /// examined. It is not handed over by value, since copying it takes longer than all else here.
    #[inline]
    fn serve_whole(&mut self, at: u64, counts: bool) {
        let QuietLane {
            minute, allowance, ..
        } = &self.quiet;
        self.balance.serve(at, minute, allowance);
        let sum = minute.sum;
        self.consumed.push(match self.pace.parts {
            1 => sum,
            parts => sum / parts,
        });
        if counts {
            self.run.demanded += u128::from(sum);
            self.run.consumed += u128::from(sum);
        }
    }

    fn apply(&mut self, now: u64, quota: &mut Quota) {
        let Some((_, units)) = self.pending.filter(|(due, _)| *due <= now) else {
            return;
        };
        self.pending = None;
        if units < self.capacity {
            if !quota.spend(now) {
                self.run.refused_decreases += 1;
                return;
            }
            self.decreases.push(now);
        }
        self.capacity = units;
    }

    fn serve(&mut self, lane: &AccountDirection, at: u64, counts: bool) {
        let allowance = self.pace.allowance(self.capacity);
        let is_watched = counts && lane.watched.contains(&at);
        let is_quiet = self.returning.as_ref().is_none_or(Returning::is_idle);
        let is_served = |minute: &Minute| self.serves(minute, &allowance, lane.hottest);
        let minute = lane.series.minute(at);
        match minute.filter(|minute| !is_watched && is_quiet && is_served(minute)) {
            Some(minute) => {
                (self.quiet.minute, self.quiet.allowance) = (minute, allowance);
                self.serve_whole(at, counts);
            }
            None => self.serve_steps(lane, at, counts, &allowance),
        }
        if counts {
            self.run.minutes(at, 1, self.capacity);
        }
    }

    /// Serves a minute step by step.
    fn serve_steps(
        &mut self,
        lane: &AccountDirection,
        at: u64,
        counts: bool,
        allowance: &Allowance,
    ) {
        let mut room = std::mem::take(&mut self.room);
        let is_watched = counts && lane.watched.contains(&at);
        let saved = self
            .balance
            .exact(lane.series, &mut room)
            .min(allowance.kept_max);
        let demands = lane.series.steps(at, &mut room).unwrap_or_default();
        let (sums, saved) = if is_watched || lane.hottest.is_some() || self.returning.is_some() {
            self.serve_each(lane, demands, is_watched, (allowance, saved))
        } else if allowance.kept_max == 0 {
            (without_bursts(demands, allowance), 0)
        } else {
            with_bursts(demands, allowance, saved)
        };
        self.balance.set(saved);
        self.room = room;
        let consumed = sums.demanded + sums.returned - sums.throttled;
        self.consumed.push(consumed / self.pace.parts);
        if counts {
            self.run.add(at, &sums);
        }
    }

    /// Serves steps with their hottest key and with what comes again.
    fn serve_each(
        &mut self,
        lane: &AccountDirection,
        demands: &[u64],
        is_watched: bool,
        (allowance, mut saved): (&Allowance, u64),
    ) -> (Sums, u64) {
        let unit = self.pace.unit;
        let mut sums = Sums::default();
        for demand in demands {
            let new = lane.hottest.map_or(0, |hottest| hottest.part_of(*demand));
            let asked = self
                .returning
                .as_mut()
                .map(|returning| returning.arrive(new, demand - new));
            let (all, of_key) = asked
                .as_ref()
                .map_or((*demand, new), |asked| (asked.all(), asked.hot()));
            let hot = lane
                .hottest
                .map_or(0, |hottest| of_key.saturating_sub(hottest.served(unit)));
            let beyond;
            (saved, beyond) = allowance.step(saved, all - hot);
            let refused = hot + beyond;
            let outcome = match self.returning.as_mut().zip(asked) {
                Some((returning, asked)) => returning.refuse(&asked, hot, beyond),
                None => Refused::once(refused),
            };
            sums.demanded = sums.demanded.saturating_add(*demand);
            sums.returned += all - demand;
            sums.throttled += refused;
            sums.hot += hot;
            sums.given_up += outcome.given_up;
            sums.bad_steps += u64::from(refused > 0);
            if is_watched {
                self.run.steps.push(LedgerStep {
                    demanded: *demand,
                    returned: all - demand,
                    refused,
                    refused_hot: hot,
                    refused_first: outcome.first,
                    given_up: outcome.given_up,
                    capacity: self.capacity,
                });
            }
        }
        (sums, saved)
    }

    fn request(&mut self, lane: &mut AccountDirection, now: u64, at: u64) {
        let seen = PastMinutes {
            minute: self.pace.start + at,
            capacity: self.capacity,
            pending: self.pending.is_some(),
            consumed: &self.consumed,
        };
        if let Some(request) = lane.policy.request(&seen)
            && request.units != self.capacity
        {
            self.pending = Some((now + 1 + request.delay_minutes, request.units));
        }
    }
}

/// Serves steps of which nothing is recorded, whose keys are alike and whose refused requests do not
/// come again; also says what is left for bursts.
fn with_bursts(demands: &[u64], allowance: &Allowance, mut saved: u64) -> (Sums, u64) {
    let mut sums = Sums::default();
    for demand in demands {
        let refused;
        (saved, refused) = allowance.step(saved, *demand);
        sums.demanded = sums.demanded.saturating_add(*demand);
        sums.throttled += refused;
        sums.bad_steps += u64::from(refused > 0);
    }
    sums.given_up = sums.throttled;
    (sums, saved)
}

/// The same, if nothing is kept for bursts: no step depends on another.
fn without_bursts(demands: &[u64], allowance: &Allowance) -> Sums {
    let mut sums = Sums::default();
    for demand in demands {
        let above = demand.saturating_sub(allowance.available);
        sums.demanded = sums.demanded.saturating_add(*demand);
        sums.throttled += above;
        sums.bad_steps += u64::from(above > 0);
    }
    sums.given_up = sums.throttled;
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::policy::{AutoScaling, Bounds, Fixed, OnDemand, Schedule, Tracking, Wish};
    use crate::capacity::series::{Arrivals, Horizon, Series, draw};
    use crate::capacity::{Course, Scaling};
    use rand_core::{Rng, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    /// The same units in every second of `days` days.
    fn flat(units: u64, days: usize) -> Series {
        Series::new(1, 0, vec![units * 2; days * 86_400])
    }

    fn run(series: &Series, policy: impl Policy) -> LedgerRun {
        execute(
            &mut [AccountDirection::new(series, policy)],
            &Limits::default(),
        )
        .remove(0)
    }

    #[test]
    fn a_burst_is_served_from_what_was_saved_for_five_minutes() {
        // 100 units a second were unused for more than 300 seconds: 30,000 are saved, and 100 more
        // are available.
        let mut halves = vec![0; 86_400];
        halves[50_000] = 2 * 30_101;
        let series = Series::new(1, 0, halves);
        let run = run(&series, Fixed { units: 100 });
        assert_eq!(
            (run.throttled, run.throttled_steps, run.throttled_minutes),
            (2, 1, vec![(50_000 / 60, 2)])
        );
        assert_eq!(run.consumed + run.throttled, run.demanded);
    }

    #[test]
    fn the_hottest_key_is_refused_beyond_its_partition_whatever_the_capacity() {
        let series = flat(4_000, 1);
        let hottest = Some(Hottest {
            parts: 1,
            of: 2,
            units_max: 1_000,
        });
        let lane = AccountDirection {
            hottest,
            ..AccountDirection::new(&series, Fixed { units: 10_000 })
        };
        let run = execute(&mut [lane], &Limits::default()).remove(0);
        assert_eq!(
            (run.throttled, run.throttled_hot),
            (2 * 1_000 * 86_400, 2 * 1_000 * 86_400)
        );
    }

    #[test]
    fn on_demand_serves_twice_the_peak_of_half_an_hour_ago() {
        // Two days, so that the warm-up is the day without the peak.
        let series = flat(1_000, 2);
        let policy = || OnDemand {
            floor: 4_000,
            units_max: None,
        };
        assert_eq!(run(&series, policy()).throttled, 0);
        // Three times the floor suddenly: demand above the capacity is refused until the peak is
        // half an hour old.
        let mut halves = series.halves();
        halves[40_000..50_000].fill(2 * 12_000);
        let series = Series::new(1, 0, halves);
        let run = run(&series, policy());
        assert!(run.throttled > 0);
        assert_eq!(run.highest, 24_000);
    }

    /// A policy that never says that minutes are quiet.
    struct Loud(Box<dyn Policy>);

    impl Policy for Loud {
        fn start(&self) -> u64 {
            self.0.start()
        }

        fn request(&mut self, seen: &PastMinutes) -> Option<Wish> {
            self.0.request(seen)
        }

        fn bursts(&self) -> bool {
            self.0.bursts()
        }
    }

    /// A series of which every step is examined.
    struct Examined<'a>(&'a Series);

    impl Steps for Examined<'_> {
        fn step_seconds(&self) -> u64 {
            self.0.step_seconds
        }

        fn start_minute(&self) -> u64 {
            self.0.start_minute
        }

        fn minutes(&self) -> u64 {
            self.0.minutes()
        }

        fn minute(&self, _: u64) -> Option<Minute> {
            None
        }

        fn steps<'a>(&'a self, at: u64, room: &'a mut Vec<u64>) -> Option<&'a [u64]> {
            Steps::steps(self.0, at, room)
        }
    }

    /// Three days with quiet hours, steps and spikes, from a number of minutes of the week on.
    fn changing(random: &mut Pcg64Mcg) -> Series {
        let mut level = 100;
        let mut halves = Vec::new();
        for _ in 0..3 * 1440 {
            if random.next_u64().is_multiple_of(90) {
                level = random.next_u64() % 400;
            }
            let spike = random.next_u64().is_multiple_of(400);
            let top = if spike { level * 40 } else { level + 20 };
            halves.extend((0..60).map(|_| top / 2 + random.next_u64() % (top / 2 + 1)));
        }
        Series::new(1, random.next_u64() % 10_080, halves)
    }

    /// Three days of calls at random, of one kind or of two.
    fn random_calls(random: &mut Pcg64Mcg) -> Series {
        let mut of = |most: u64| random.next_u64() % most;
        let shape: Vec<f64> = (0..168)
            .map(|_| if of(20) == 0 { 4.0 } else { of(3) as f64 })
            .collect();
        let arrivals = Arrivals {
            per_second: [0.5, 9.0, 160.0][of(3) as usize],
            shape: shape.into(),
            course: [Course::Steps, Course::Smooth][of(2) as usize],
            calls: vec![(1 + of(4), 0.7), (5, of(2) as f64 * 0.3)],
        };
        let horizon = Horizon {
            days: 3,
            step_seconds: 1,
            seed: of(u64::MAX),
        };
        draw(&[arrivals], &horizon, "t")
    }

    fn scaling(random: &mut Pcg64Mcg) -> Scaling {
        let most = [120, 4_000][(random.next_u64() % 2) as usize];
        let min = 1 + random.next_u64() % most;
        let mut schedule = Schedule::default();
        if random.next_u64().is_multiple_of(2) {
            for _ in 0..random.next_u64() % 6 {
                let units = 1 + random.next_u64() % 200;
                let max = random.next_u64().is_multiple_of(2).then_some(units * 2);
                let bounds = Bounds {
                    min: Some(units),
                    max,
                };
                schedule.add(&[random.next_u64() % 10_080], bounds);
            }
        }
        Scaling {
            min,
            max: min + random.next_u64() % 400,
            target_percent: (!random.next_u64().is_multiple_of(4))
                .then(|| 20 + random.next_u64() % 71),
            schedule,
        }
    }

    #[test]
    fn minutes_served_whole_change_nothing() {
        let mut random = Pcg64Mcg::seed_from_u64(4);
        let (mut throttles, mut bursts) = (false, false);
        for round in 0..200 {
            let demand = [changing, random_calls][round / 2 % 2];
            let (one, two) = (demand(&mut random), demand(&mut random));
            let scalings = [scaling(&mut random), scaling(&mut random)];
            let limits = Limits {
                burst_seconds: [0, 300][round % 2],
                ..Limits::default()
            };
            let hottest = round.is_multiple_of(3).then_some(Hottest {
                parts: 1,
                of: 3,
                units_max: 50,
            });
            let runs = |slow: bool| {
                let (one, two): (&dyn Steps, &dyn Steps) = match slow {
                    true => (&Examined(&one), &Examined(&two)),
                    false => (&one, &two),
                };
                let lane = |series, scaling: &Scaling| {
                    let policy = scaling.policy();
                    let policy = if slow { Box::new(Loud(policy)) } else { policy };
                    AccountDirection {
                        hottest,
                        ..AccountDirection::with(series, policy)
                    }
                };
                let mut lanes = vec![lane(one, &scalings[0])];
                if round % 5 < 3 {
                    lanes.push(lane(two, &scalings[1]));
                }
                execute(&mut lanes, &limits)
            };
            let (whole, examined) = (runs(false), runs(true));
            assert_eq!(whole, examined, "round {round}: {scalings:?}");
            throttles |= examined.iter().any(|run| run.throttled > 0);
            bursts |= examined.iter().any(|run| run.throttled == 0);
        }
        assert!(throttles && bursts, "some are throttled, and some are not");
    }

    #[test]
    fn decreases_of_both_lanes_spend_one_quota() {
        // Ten minutes of load, twenty without: auto scaling wants to go up and down twice an hour.
        let halves = (0..4 * 86_400)
            .map(|second| if second / 60 % 30 < 10 { 2_000 } else { 20 })
            .collect();
        let series = Series::new(1, 0, halves);
        let scaling = || {
            AutoScaling::new(
                1,
                10_000,
                Tracking {
                    target_percent: 50,
                    ..Tracking::default()
                },
            )
        };
        let runs = execute(
            &mut [
                AccountDirection::new(&series, scaling()),
                AccountDirection::new(&series, scaling()),
            ],
            &Limits::default(),
        );
        let mut all: Vec<u64> = runs.iter().flat_map(|run| run.decreases.clone()).collect();
        all.sort_unstable();
        assert!(all.iter().all(|first| {
            all.iter()
                .filter(|one| *first <= **one && **one < first + 1440)
                .count()
                <= 27
        }));
        assert!(
            runs.iter().any(|run| run.refused_decreases > 0),
            "the load needs more decreases than the quota allows"
        );
    }
}
