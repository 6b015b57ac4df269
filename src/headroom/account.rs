//! One direction of an account: its demand, its capacity, and what limits it.

use crate::capacity::policy::{Fixed, OnDemand, Policy};
use crate::capacity::series::account_name;
use crate::capacity::{
    AccountDirection, Demand, Limits, Scaling, Steps, Traffic, execute, execute_cold, refusable,
    refused_without_bursts,
};
use crate::estimate::Metering;
use crate::table::{Direction, Target, limits};
use crate::units::Exact;
use crate::usage::{Throughput, place};
use crate::workload::{Capacity, Replica, TableDesign, Units};

use super::limit::{Limit, LimitKind, UnknownLimit};
use super::search::{greatest, least, rounded};
use super::{HottestKey, HottestKeys};

/// One direction of an account, with its demand at any traffic.
pub(super) struct Account<'a> {
    /// The position of its table.
    pub table: usize,
    pub design: &'a TableDesign,
    pub target: Target,
    pub direction: Direction,
    /// `None` in the home region.
    pub replica: Option<&'a Replica>,
    pub demand: &'a Demand,
    pub traffic: Traffic,
    pub hottest: Option<HottestKey>,
    /// The share of the demand that may be throttled, in billionths.
    pub limit: u64,
    /// Half units of all steps.
    pub units: f64,
}

/// How capacity is provided.
#[derive(Clone, Debug)]
pub(super) enum Provided {
    /// Units that never change.
    Fixed(u64),
    /// Units between bounds.
    Scaled(Scaling),
    /// On demand; the units that are served at once.
    OnDemand(AtOnce),
    /// Not known; why.
    Unknown(&'static str),
}

/// What an on-demand account serves at once, and why.
#[derive(Clone, Copy, Debug)]
pub(super) struct AtOnce {
    pub kind: LimitKind,
    pub units: u64,
}

impl<'a> Account<'a> {
    /// Every account direction that has a demand; its series is drawn, or that of the trace.
    pub fn of(
        metering: &'a Metering,
        table: usize,
        demand: &'a Demand,
        keys: &HottestKeys,
        limit: u64,
    ) -> Option<Account<'a>> {
        let design: &TableDesign = &metering.workload().tables[table];
        let target = design.target_named(demand.index.as_deref());
        let direction = demand.throughput.direction();
        let (name, arrivals) = metering.arrivals(table, target, &demand.region, direction);
        let simulations = metering.simulations();
        let traffic = match simulations.drawn().of_trace(&name) {
            Some(series) => Traffic::traced(series),
            None if arrivals.is_empty() => return None,
            None => Traffic::drawn(simulations.series(&name, &arrivals), &arrivals),
        };
        let given = || {
            let millionths = design.hottest_millionths(demand.index.as_deref())?;
            Some(HottestKey {
                share: Exact::ratio(millionths[direction], 1_000_000),
                key: None,
            })
        };
        let index = demand.index.as_deref();
        let in_region = account_name(&design.table.name, index, &demand.region, direction);
        let hottest = keys.get(&in_region).cloned().or_else(given);
        let units = traffic.series().sum() as f64;
        (units > 0.0 || traffic.sum() > 0.0).then_some(Account {
            units,
            table,
            design,
            target,
            direction,
            replica: design.replica_in(&demand.region),
            demand,
            traffic,
            hottest,
            limit,
        })
    }

    /// Half units that a unit a second is in a step.
    fn unit(&self) -> f64 {
        self.traffic.series().unit() as f64
    }

    /// The busiest minute, in units a second.
    pub fn busiest(&self) -> f64 {
        self.traffic.highest_mean() / self.unit()
    }

    /// Its table and index, and its region unless that is the home region, for sentences.
    pub fn name(&self) -> String {
        let demand = self.demand;
        let region = self.replica.map(|replica| replica.region.as_str());
        place(&demand.table, demand.index.as_deref(), region)
    }

    /// What a unit of its capacity is called.
    pub fn unit_name(&self) -> &'static str {
        let provisioned = self.design.capacity != Capacity::OnDemand;
        match (self.demand.throughput, provisioned) {
            (Throughput::Read, true) => "RCU",
            (Throughput::Read, false) => "read units",
            (Throughput::Write, true) => "WCU",
            (Throughput::Write, false) => "write units",
            (Throughput::ReplicatedWrite, true) => "rWCU",
            (Throughput::ReplicatedWrite, false) => "replicated write units",
        }
    }

    /// How its capacity is provided.
    pub fn provided(&self) -> Provided {
        match self
            .design
            .units_in(self.target, self.direction, self.replica)
        {
            Some(Units::Fixed(units)) => Provided::Fixed(units),
            Some(Units::Unknown) => Provided::Unknown("the provisioned units are \"unknown\""),
            Some(Units::Scaled(scaling))
                if scaling.target_percent.is_none()
                    && scaling.schedule.actions.is_empty()
                    && scaling.min < scaling.max =>
            {
                Provided::Unknown("the target of auto scaling is \"unknown\"")
            }
            Some(Units::Scaled(scaling)) => Provided::Scaled(scaling),
            None if self.design.capacity == Capacity::OnDemand => {
                Provided::OnDemand(self.at_once(0))
            }
            None => Provided::Unknown("the provisioned units are not given"),
        }
    }

    /// What an on-demand account serves at once: what a new table serves, the warm throughput to which
    /// it was raised, or twice its peak, the most of these.
    ///
    /// Source: Developer Guide, "DynamoDB on-demand capacity mode" and "Understanding DynamoDB warm
    /// throughput" (rules 6.1, 6.3); a table that was provisioned serves at least what it had.
    /// `Assumption:` it has served the traffic of the design before, and an index has no warm throughput
    /// of its own.
    pub fn at_once(&self, provisioned: u64) -> AtOnce {
        let floor = OnDemand::new(self.direction, None).floor.max(provisioned);
        let warm = match self.target {
            Target::Table => self.design.warm[self.direction],
            Target::Index(_) => None,
        };
        let doubled = (2.0 * self.busiest()).ceil() as u64;
        let kinds = [
            (LimitKind::InitialCapacity, floor),
            (LimitKind::WarmThroughput, warm.unwrap_or(0)),
            (LimitKind::Doubling, doubled),
        ];
        let (kind, units) = kinds
            .into_iter()
            .max_by_key(|(_, units)| *units)
            .unwrap_or((LimitKind::InitialCapacity, floor));
        AtOnce { kind, units }
    }

    /// The maximum throughput of an on-demand account.
    pub fn maximum(&self) -> Option<u64> {
        match self.design.capacity {
            Capacity::OnDemand => self
                .design
                .maximum_in(self.target, self.direction, self.replica),
            Capacity::Provisioned(_) => None,
        }
    }

    /// The policy that its capacity follows; `None` if it is not known.
    pub fn policy(&self) -> Option<Box<dyn Policy>> {
        match self.provided() {
            Provided::Fixed(units) => Some(Box::new(Fixed { units })),
            Provided::Scaled(scaling) => Some(scaling.policy()),
            Provided::OnDemand(AtOnce { units, .. }) => {
                let most = self.maximum().unwrap_or(u64::MAX);
                let most = most.min(limits::PROVISIONED_UNITS_MAX);
                Some(Box::new(OnDemand {
                    floor: units,
                    units_max: Some(most),
                }))
            }
            Provided::Unknown(_) => None,
        }
    }

    /// Whether it throttles no more than is allowed, at a factor of its traffic.
    fn holds(&self, factor: f64, policy: Box<dyn Policy>) -> bool {
        let demand = self.traffic.times(factor);
        let mut lane = AccountDirection::with(&demand, policy);
        // A run that throttles more than is allowed need not go on.
        let parts = demand.parts() as f64;
        let allowed = self.units * parts * factor * self.limit as f64 / 1e9;
        lane.enough = Some((allowed * 1.01) as u128 + 1);
        // An on-demand account begins with what it has; others with a day of their traffic.
        let runs = match self.design.capacity {
            Capacity::OnDemand => execute_cold(&mut [lane], &Limits::default()),
            Capacity::Provisioned(_) => execute(&mut [lane], &Limits::default()),
        };
        runs.iter().all(|run| run.throttles_at_most(self.limit))
    }

    /// The factor up to which a policy's capacity serves the demand, found from a guess.
    fn factor(&self, guess: f64, policy: impl Fn() -> Box<dyn Policy>) -> Option<f64> {
        greatest(guess, |factor| self.holds(factor, policy()))
    }

    /// The factor at which the busiest minute needs some units.
    fn uses(&self, units: u64) -> f64 {
        units as f64 / self.busiest()
    }

    /// The least fixed units that serve a factor of the demand without bursts, which AWS does not
    /// guarantee.
    pub fn units_for(&self, factor: f64) -> Option<u64> {
        let guess = (self.busiest() * factor).ceil() as u64;
        self.units_for_demand(&self.traffic.times(factor), guess)
    }

    /// The least fixed units that serve a demand without bursts, found from a guess.
    pub fn units_for_demand(&self, demand: &dyn Steps, guess: u64) -> Option<u64> {
        let sums = (0..demand.minutes()).filter_map(|minute| demand.minute(minute));
        let demanded: u128 = sums.map(|minute| u128::from(minute.sum)).sum();
        let allowed = refusable(demanded, self.limit);
        least(guess, limits::PROVISIONED_UNITS_MAX * 1_000, |units| {
            let available = units.saturating_mul(demand.unit());
            refused_without_bursts(demand, |_| available, allowed) <= allowed
        })
    }

    /// Whether a schedule sets the bounds of its capacity.
    pub fn has_schedule(&self) -> bool {
        match self.provided() {
            Provided::Scaled(scaling) => !scaling.schedule.actions.is_empty(),
            _ => false,
        }
    }

    /// The same account direction with other demand of the same length.
    pub fn of_other(
        metering: &'a Metering,
        table: usize,
        demand: &'a Demand,
        limit: u64,
        traffic: Traffic,
    ) -> Account<'a> {
        let design: &TableDesign = &metering.workload().tables[table];
        Account {
            table,
            design,
            target: design.target_named(demand.index.as_deref()),
            direction: demand.throughput.direction(),
            replica: design.replica_in(&demand.region),
            demand,
            units: traffic.series().sum() as f64,
            traffic,
            hottest: None,
            limit,
        }
    }

    /// What limits it, apart from other accounts.
    pub fn limits(&self) -> (Vec<Limit>, Vec<UnknownLimit>) {
        let (mut all, mut unknown) = (Vec::new(), Vec::new());
        let mut add = |kind: LimitKind, factor: Option<f64>, because: String| {
            all.extend(factor.map(|factor| Limit::new(kind, rounded(factor), because)));
        };
        let unit = self.unit_name();
        let now = format!("the busiest minute uses {} now", two_places(self.busiest()));
        match self.provided() {
            Provided::Unknown(why) => unknown.push(UnknownLimit {
                kind: LimitKind::ProvisionedUnits,
                why: why.to_string(),
            }),
            Provided::Fixed(units) => {
                let factor = self.factor(self.uses(units), || Box::new(Fixed { units }));
                let because = format!("{} {unit} are provisioned; {now}", Exact::from(units));
                add(LimitKind::ProvisionedUnits, factor, because);
            }
            Provided::Scaled(scaling) => {
                for (kind, factor, because) in self.scaled(&scaling, &now) {
                    add(kind, factor, because);
                }
            }
            Provided::OnDemand(at_once) => {
                let factor = self.factor(self.uses(at_once.units), || {
                    Box::new(OnDemand {
                        floor: at_once.units,
                        units_max: None,
                    })
                });
                add(at_once.kind, factor, self.because_at_once(at_once));
                if let Some(most) = self.maximum() {
                    let factor = self.factor(self.uses(most), || capped(most));
                    let because =
                        format!("a maximum of {} {unit} a second; {now}", Exact::from(most));
                    add(LimitKind::MaximumThroughput, factor, because);
                }
            }
        }
        let quota = limits::PROVISIONED_UNITS_MAX;
        let factor = self.expected_factor(1.0, quota);
        let because = format!(
            "AWS's default quota is {} {unit} for a table or an index; {now}",
            Exact::from(quota)
        );
        add(LimitKind::TableQuota, factor, because);
        all.extend(self.hot_key());
        (all, unknown)
    }

    /// The limits of capacity that changes: what it does between its bounds, and its upper bound.
    fn scaled(&self, scaling: &Scaling, now: &str) -> Vec<(LimitKind, Option<f64>, String)> {
        let unit = self.unit_name();
        let highest = scaling
            .schedule
            .actions
            .iter()
            .filter_map(|(_, bounds)| bounds.max.or(bounds.min))
            .fold(scaling.max, u64::max);
        let most = self.factor(self.uses(highest), || Box::new(Fixed { units: highest }));
        // Capacity that follows demand may be short at some traffic and not at more: the search goes
        // upwards from today's.
        let follows = self.factor(1.0, || scaling.policy());
        let (slow, because) = match scaling.target_percent {
            Some(target) if scaling.schedule.actions.is_empty() => (
                LimitKind::AutoScalingSpeed,
                format!(
                    "demand rises faster than auto scaling follows, from {} to {} {unit}: after 2 \
                     minutes above {target} % utilization, new capacity takes about 5 more",
                    Exact::from(scaling.min),
                    Exact::from(scaling.max)
                ),
            ),
            _ => (
                LimitKind::Schedule,
                format!(
                    "the schedule provides up to {} {unit}, but not at the time that needs it; {now}",
                    Exact::from(highest)
                ),
            ),
        };
        let maximum = format!(
            "auto scaling provides at most {} {unit}; {now}",
            Exact::from(highest)
        );
        if scaling.target_percent.is_none() {
            // Only the schedule changes the units.
            return vec![(slow, follows, because)];
        }
        let is_slow = match (follows, most) {
            (Some(follows), Some(most)) => follows < most * 0.999,
            (follows, _) => follows.is_some(),
        };
        match is_slow {
            true => vec![
                (slow, follows, because),
                (LimitKind::AutoScalingMaximum, most, maximum),
            ],
            false => vec![(LimitKind::AutoScalingMaximum, most, maximum)],
        }
    }

    fn because_at_once(&self, at_once: AtOnce) -> String {
        let (unit, busiest) = (self.unit_name(), two_places(self.busiest()));
        let units = Exact::from(at_once.units);
        match at_once.kind {
            LimitKind::Doubling => format!(
                "an on-demand table serves up to twice its previous peak at once, here 2 x \
                 {busiest} {unit} a second, and more when a peak is 30 minutes old"
            ),
            LimitKind::WarmThroughput => format!(
                "its warm throughput is {units} {unit} a second; the busiest minute uses {busiest} \
                 now"
            ),
            _ => format!(
                "a new on-demand table serves {units} {unit} a second; the busiest minute uses \
                 {busiest} now"
            ),
        }
    }

    /// The partition of the hottest key: the factor at which its expected demand throttles more than
    /// is allowed.
    ///
    /// Source: Developer Guide, "Burst and adaptive capacity" (rule 6.2): a partition serves 3,000
    /// read and 1,000 write units a second, however much capacity its table has; adaptive capacity
    /// isolates a hot item, but does not split an item collection of a table with a local index.
    /// `Assumption:` the key's calls come evenly within a minute.
    fn hot_key(&self) -> Option<Limit> {
        let hottest = self.hottest.as_ref()?;
        let share = hottest.share.to_f64();
        if share <= 0.0 {
            return None;
        }
        let most = limits::partition_units_max(self.direction);
        let factor = self.expected_factor(share, most)?;
        let local = self.target == Target::Table && self.design.table.has_local_indexes();
        let (kind, why) = match local {
            true => (
                LimitKind::Partition,
                ", and an item collection of a table with a local index is not split",
            ),
            false => (LimitKind::HotKey, ""),
        };
        let key = hottest
            .key
            .as_ref()
            .map_or_else(String::new, |key| format!(" ({key})"));
        let because = format!(
            "the hottest key{key} gets {} % of the {}s, {} units of the busiest minute; one \
             partition serves {} a second{why}",
            (&hottest.share * &Exact::from(100)).human(3),
            self.direction.word(),
            two_places(share * self.busiest()),
            Exact::from(most)
        );
        Some(Limit::new(kind, rounded(factor), because))
    }

    /// The factor up to which a share of the expected demand throttles no more than is allowed, if some
    /// units a second are served and nothing is kept for bursts.
    fn expected_factor(&self, share: f64, units: u64) -> Option<f64> {
        let served = units as f64 * self.unit();
        let demands = self.demands();
        let allowed = self.limit as f64 / 1e9;
        let sum: f64 = demands.iter().map(|(demand, count)| demand * count).sum();
        greatest(served / (share * self.traffic.highest_mean()), |factor| {
            let refused: f64 = demands
                .iter()
                .map(|(demand, count)| (share * factor * demand - served).max(0.0) * count)
                .sum();
            refused <= allowed * factor * sum
        })
    }

    /// The distinct demands of a step, each with the number of steps: expected ones, or those of a
    /// trace.
    fn demands(&self) -> Vec<(f64, f64)> {
        let mut all: Vec<f64> = match self.traffic.is_traced() {
            true => {
                let halves = self.traffic.series().halves().into_iter();
                halves.map(|halves| halves as f64).collect()
            }
            false => {
                let minutes = 0..self.traffic.series().minutes();
                minutes.map(|minute| self.traffic.mean(minute)).collect()
            }
        };
        all.sort_by(f64::total_cmp);
        let mut counted: Vec<(f64, f64)> = Vec::new();
        for demand in all {
            match counted.last_mut().filter(|(last, _)| *last == demand) {
                Some((_, count)) => *count += 1.0,
                None => counted.push((demand, 1.0)),
            }
        }
        counted
    }
}

/// Capacity that never changes and keeps nothing for a burst.
fn capped(units: u64) -> Box<dyn Policy> {
    Box::new(OnDemand {
        floor: units,
        units_max: Some(units),
    })
}

/// A number with at most two decimal places.
pub(super) fn two_places(number: f64) -> String {
    Exact::ratio((number * 100.0).round().max(0.0) as u64, 100).human(2)
}
