//! Commitments: reserved capacity and Database Savings Plans, and the mix of both that costs least.

use super::{Alternative, Context, Kind};
use crate::capacity::HourlyUnits;
use crate::estimate::{EstimateError, Metering};
use crate::money::{Money, MoneyError};
use crate::pricing::PriceBook;
use crate::table::TableClass;
use crate::time::{Date, MonthHours};
use crate::units::Exact;
use crate::usage::{FreeTier, Throughput, UsageType};
use crate::workload::{Capacity, Workload};

/// Amounts of an hour are whole numbers of this part of a dollar.
const PARTS_OF_A_DOLLAR: u64 = 1_000_000_000_000;

/// Unit-hours of reads and of writes that AWS gives in a month. Source: the offer file's first tier, 25 x 744.
const FREE_UNIT_HOURS: u64 = 18_600;

/// Reserved capacity is sold in blocks of so many units (rule 6.8).
pub(super) const BLOCK: u64 = 100;

/// A plan's hourly commitment is a whole number of these: a tenth of a cent.
const PLAN_STEP: i128 = 1_000_000_000;

/// What a Database Savings Plan takes off: 18 % of on-demand and 12 % of provisioned throughput, replicated and
/// Standard-IA included. Source: AWS's offer file of ap-south-2. `Assumption:` the same in other regions.
const PLAN_PERCENT: [(bool, u64); 2] = [(true, 18), (false, 12)];

/// What one unit costs for an hour or in all: at the list price and under a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Price {
    list: i128,
    plan: i128,
}

/// What a design uses of throughput in each hour, in parts of a dollar, and the units that a reservation could
/// cover, in sixtieths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Curve {
    on_demand: Vec<Price>,
    /// Provisioned units that cannot be reserved: Standard-IA, replicated, in other regions.
    bound: Vec<Price>,
    reads: Vec<u64>,
    writes: Vec<u64>,
    read: Price,
    write: Price,
}

/// A commitment that can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Reserved capacity: years, and what a unit costs for each hour with its share of the upfront price, for
    /// reads and for writes.
    Reserved {
        /// 1 or 3.
        years: u64,
        /// A read unit.
        read: Exact,
        /// A write unit.
        write: Exact,
        /// What a read unit and a write unit cost at once, which is part of the above.
        upfront: [Exact; 2],
    },
    /// A Database Savings Plan of one year, without an upfront payment.
    Plan,
}

/// Commitments made, and what the throughput then costs in a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix {
    /// Years of the reservation, where there is one.
    pub years: Option<u64>,
    /// Reserved read units.
    pub read_units: u64,
    /// Reserved write units.
    pub write_units: u64,
    /// Dollars that the reservation costs at once; its share of each month is in the month's cost.
    pub upfront: Exact,
    /// Dollars an hour that are committed to a savings plan.
    pub plan_usd_per_hour: Exact,
    /// Dollars of all throughput, in the hours of the curve.
    cost: i128,
}

impl Mix {
    /// The words for it.
    pub fn words(&self) -> String {
        let mut parts = Vec::new();
        if let Some(years) = self.years.filter(|_| self.read_units + self.write_units > 0) {
            let term = if years == 1 { "1 year".to_string() } else { format!("{years} years") };
            let at_once = if self.upfront.is_zero() { String::new() } else { format!(" (${} at once)", self.upfront.human(2)) };
            parts.push(format!(
                "{} RCU and {} WCU reserved for {term}{at_once}",
                Exact::from(self.read_units),
                Exact::from(self.write_units)
            ));
        }
        if !self.plan_usd_per_hour.is_zero() {
            parts.push(format!("a savings plan of ${} an hour for 1 year", self.plan_usd_per_hour));
        }
        if parts.is_empty() { "no commitment".to_string() } else { parts.join(" and ") }
    }

    /// Whether anything is committed.
    pub fn commits(&self) -> bool {
        self.read_units + self.write_units > 0 || !self.plan_usd_per_hour.is_zero()
    }
}

impl Curve {
    /// The curve of a workload as it is metered.
    pub fn of(workload: &Workload, metering: &Metering) -> Curve {
        let hours = metering.listed().map(|one| one.hourly.hours()).max().unwrap_or(1).max(168);
        let mut curve = Curve { on_demand: vec![Price::default(); hours], bound: vec![Price::default(); hours], ..Curve::default() };
        (curve.reads, curve.writes) = (vec![0; hours], vec![0; hours]);
        for (at, table) in workload.tables.iter().enumerate() {
            if table.capacity != Capacity::OnDemand {
                continue;
            }
            for one in metering.consumed(at) {
                let usage = UsageType::request_units(one.throughput, one.class);
                let Some((list, plan)) = metering.book(&one.subject.region).and_then(|book| rates(book, &usage, true)) else { continue };
                // What a maximum throughput refuses is not billed.
                let refused = metering.demand_of(at).iter().find(|demand| {
                    one.account.is_none()
                        && demand.index.is_none()
                        && (&demand.region, demand.throughput == Throughput::Read)
                            == (&one.subject.region, one.throughput == Throughput::Read)
                });
                let served = Exact::one() - refused.and_then(|demand| demand.refused.clone()).unwrap_or_default();
                let mean = &(&one.units * &served) / workload.month.hours();
                let mut known: Vec<(&Exact, Price)> = Vec::new();
                for hour in 0..hours {
                    let factor = &one.factors[hour % one.factors.len().max(1)];
                    let price = match known.iter().find(|(known, _)| *known == factor) {
                        Some((_, price)) => *price,
                        None => {
                            let units = &mean * factor;
                            let price = Price { list: parts(&(&units * &list)), plan: parts(&(&units * &plan)) };
                            known.push((factor, price));
                            price
                        }
                    };
                    curve.on_demand[hour].list += price.list;
                    curve.on_demand[hour].plan += price.plan;
                }
            }
        }
        for one in metering.listed() {
            let usage = UsageType::capacity_hours(one.throughput, one.class);
            let Some((list, plan)) = metering.book(&one.subject.region).and_then(|book| rates(book, &usage, false)) else { continue };
            let price = Price { list: parts(&list), plan: parts(&plan) };
            let reservable = one.subject.region == workload.region && one.class == TableClass::Standard;
            let add = |units: &mut [u64], hourly: &HourlyUnits| (0..hours).for_each(|hour| units[hour] += hourly.sixtieths_at(hour));
            match one.throughput {
                Throughput::Read if reservable => {
                    add(&mut curve.reads, &one.hourly);
                    curve.read = price;
                }
                Throughput::Write if reservable => {
                    add(&mut curve.writes, &one.hourly);
                    curve.write = price;
                }
                _ => {
                    for hour in 0..hours {
                        let units = i128::from(one.hourly.sixtieths_at(hour));
                        curve.bound[hour].list += units * price.list / 60;
                        curve.bound[hour].plan += units * price.plan / 60;
                    }
                }
            }
        }
        if workload.free.contains(&FreeTier::Throughput) {
            curve.without_free_units(workload);
        }
        curve
    }

    /// Takes off the units that AWS's free tier covers, evenly over the hours: 18,600 unit-hours of reads and of
    /// writes in a month.
    fn without_free_units(&mut self, workload: &Workload) {
        let free = (&Exact::from(FREE_UNIT_HOURS * 60) / workload.month.hours()).ceil().to_u64().unwrap_or(0);
        for units in self.reads.iter_mut().chain(&mut self.writes) {
            *units = units.saturating_sub(free);
        }
    }

    /// Whether a reservation would have anything to cover.
    pub fn is_reservable(&self) -> bool {
        self.reads.iter().chain(&self.writes).any(|units| *units > 0)
    }

    /// Whether there is any throughput.
    pub fn is_empty(&self) -> bool {
        !self.is_reservable() && self.on_demand.iter().chain(&self.bound).all(|price| price.list == 0)
    }

    /// What the throughput costs with so many units reserved and so much committed to a plan, over all hours. A
    /// plan is used up by what it saves most on first: on demand, then provisioned.
    fn cost(&self, reserved: &Reserved, plan: i128) -> i128 {
        let mut total = 0;
        for hour in 0..self.on_demand.len() {
            let left = |units: u64, reserved: u64| i128::from(units.saturating_sub(reserved * 60));
            let (reads, writes) = (left(self.reads[hour], reserved.read), left(self.writes[hour], reserved.write));
            let mut listed = self.bound[hour].list;
            let mut planned = self.bound[hour].plan;
            // Divisions take most of the time, and mostly there is nothing to divide.
            if reads > 0 || writes > 0 {
                listed += (reads * self.read.list + writes * self.write.list) / 60;
                planned += if plan == 0 { 0 } else { (reads * self.read.plan + writes * self.write.plan) / 60 };
            }
            total += plan + reserved.cost;
            let mut free = plan;
            for (list, at_plan) in [(self.on_demand[hour].list, self.on_demand[hour].plan), (listed, planned)] {
                let covered = free.min(at_plan);
                free -= covered;
                // What is covered of a price is covered of its list price in proportion.
                total += match covered {
                    0 => list,
                    all if all == at_plan => 0,
                    part => list - list * part / at_plan,
                };
            }
        }
        total
    }

    /// What the plan could be used for in each hour, with so many units reserved.
    fn planned(&self, reserved: &Reserved) -> Vec<i128> {
        let mut levels = vec![0];
        for hour in 0..self.on_demand.len() {
            let left = |units: u64, reserved: u64| i128::from(units.saturating_sub(reserved * 60));
            let on_demand = self.on_demand[hour].plan;
            let provisioned = self.bound[hour].plan
                + (left(self.reads[hour], reserved.read) * self.read.plan + left(self.writes[hour], reserved.write) * self.write.plan) / 60;
            levels.extend([on_demand, on_demand + provisioned]);
        }
        let mut levels: Vec<i128> =
            levels.into_iter().flat_map(|level| [level / PLAN_STEP * PLAN_STEP, (level / PLAN_STEP + 1) * PLAN_STEP]).collect();
        levels.push(0);
        levels.sort_unstable();
        levels.dedup();
        // Between two neighbours of many the cost hardly differs.
        let every = levels.len().div_ceil(LEVELS_MAX).max(1);
        let last = levels.last().copied();
        levels.into_iter().step_by(every).chain(last).collect()
    }

    /// The cheapest plan on top of a reservation.
    fn best_plan(&self, reserved: Reserved) -> (Reserved, i128, i128) {
        let costs = self.planned(&reserved).into_iter().map(|plan| (self.cost(&reserved, plan), plan));
        let (cost, plan) = costs.min().unwrap_or((self.cost(&reserved, 0), 0));
        (reserved, plan, cost)
    }

    /// Block counts worth trying for a direction: those around each level of its units.
    fn blocks(units: &[u64]) -> Vec<u64> {
        let levels = units.iter().flat_map(|units| [units / 60 / BLOCK, (units / 60).div_ceil(BLOCK)]);
        let mut candidates: Vec<u64> = levels.chain([0]).collect();
        candidates.sort_unstable();
        candidates.dedup();
        let every = candidates.len().div_ceil(BLOCKS_MAX).max(1);
        let last = candidates.last().copied();
        candidates.into_iter().step_by(every).chain(last).collect()
    }

    /// The best reservation of a term under a plan, from a first one: reads and writes in turn, until neither helps.
    fn improved(&self, mut reserved: Reserved, (read, write): (i128, i128), plan: i128) -> Reserved {
        let cost = |reserved: &Reserved| self.cost(reserved, plan);
        let of = |years: u64, reads: u64, writes: u64| Reserved {
            years,
            read: reads,
            write: writes,
            cost: i128::from(reads) * read + i128::from(writes) * write,
        };
        let mut best = cost(&reserved);
        loop {
            let reads = Curve::blocks(&self.reads).into_iter().map(|blocks| of(reserved.years, blocks * BLOCK, reserved.write));
            let writes = Curve::blocks(&self.writes).into_iter().map(|blocks| of(reserved.years, reserved.read, blocks * BLOCK));
            match reads.chain(writes).map(|one| (cost(&one), one.read + one.write, one)).min_by_key(|(cost, units, _)| (*cost, *units)) {
                Some((less, _, one)) if less < best => (best, reserved) = (less, one),
                _ => return reserved,
            }
        }
    }

    /// The blocks that pay for themselves against a price of a unit.
    fn best_blocks(&self, units: &[u64], price: i128, reserved: i128) -> u64 {
        let levels = units.iter().flat_map(|units| [units / 60 / BLOCK, (units / 60).div_ceil(BLOCK)]);
        let mut candidates: Vec<u64> = levels.chain([0]).collect();
        candidates.sort_unstable();
        candidates.dedup();
        let cost = |blocks: u64| -> i128 {
            let covered = blocks * BLOCK;
            let left: i128 = units.iter().map(|units| i128::from(units.saturating_sub(covered * 60))).sum();
            left * price / 60 + i128::from(covered) * reserved * units.len() as i128
        };
        candidates.into_iter().min_by_key(|blocks| (cost(*blocks), *blocks)).unwrap_or(0)
    }
}

/// As many block counts as are tried together with a plan.
const BLOCKS_MAX: usize = 60;

/// As many levels of a plan as are tried.
const LEVELS_MAX: usize = 400;

/// Units reserved, and what they cost an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Reserved {
    years: u64,
    read: u64,
    write: u64,
    cost: i128,
}

/// The mix of offers that costs least. More offers never make it dearer: making none is always among them.
pub fn best_mix(curve: &Curve, offers: &[Offer]) -> Mix {
    let plans = offers.contains(&Offer::Plan);
    let mut reservations = vec![Reserved::default()];
    for offer in offers {
        let Offer::Reserved { years, read, write, .. } = offer else { continue };
        let (read, write) = (parts(read), parts(write));
        // Against the list price, and against what a plan would leave of it.
        for against in [(curve.read.list, curve.write.list), (curve.read.plan, curve.write.plan)] {
            let reads = curve.best_blocks(&curve.reads, against.0, read) * BLOCK;
            let writes = curve.best_blocks(&curve.writes, against.1, write) * BLOCK;
            let cost = i128::from(reads) * read + i128::from(writes) * write;
            let first = Reserved { years: *years, read: reads, write: writes, cost };
            reservations.push(first);
            if plans {
                // What is reserved decides what a plan is worth, and the other way round.
                let mut reserved = first;
                for _ in 0..4 {
                    let (_, plan, _) = curve.best_plan(reserved);
                    let next = curve.improved(reserved, (read, write), plan);
                    reservations.push(next);
                    if next == reserved {
                        break;
                    }
                    reserved = next;
                }
            }
        }
    }
    let all = reservations.into_iter().map(|reserved| {
        let alone = (reserved, 0, curve.cost(&reserved, 0));
        if plans { [alone, curve.best_plan(reserved)].into_iter().min_by_key(|(_, _, cost)| *cost).unwrap_or(alone) } else { alone }
    });
    let best = all.min_by_key(|(reserved, plan, cost)| (*cost, *plan, reserved.read + reserved.write));
    let (reserved, plan, cost) = best.unwrap_or_default();
    let upfront = |offer: &Offer| match offer {
        Offer::Reserved { years, upfront: [read, write], .. } if *years == reserved.years => {
            Some(&(read * &Exact::from(reserved.read)) + &(write * &Exact::from(reserved.write)))
        }
        _ => None,
    };
    Mix {
        upfront: offers.iter().find_map(upfront).unwrap_or_default(),
        years: (reserved.read + reserved.write > 0).then_some(reserved.years),
        read_units: reserved.read,
        write_units: reserved.write,
        plan_usd_per_hour: dollars(plan),
        cost,
    }
}

fn parts(dollars: &Exact) -> i128 {
    let scaled = dollars * &Exact::from(PARTS_OF_A_DOLLAR);
    scaled.floor().to_i128().unwrap_or(i128::MAX / 1_000_000_000)
}

fn dollars(parts: i128) -> Exact {
    Exact::whole(parts.unsigned_abs()) / Exact::from(PARTS_OF_A_DOLLAR)
}

/// The list price of a unit and its price under a plan: the book's own where it has one, else inferred.
pub(super) fn rates(book: &PriceBook, usage: &UsageType, on_demand: bool) -> Option<(Exact, Exact)> {
    let list = list_rate(book, usage.code())?;
    let plan = list_rate(book, &format!("dsp_1yr_no_upfront_{}", usage.code())).unwrap_or_else(|| {
        let percent = PLAN_PERCENT.iter().find(|(kind, _)| *kind == on_demand).map_or(0, |(_, percent)| *percent);
        &list * &Exact::ratio(100 - percent, 100)
    });
    Some((list, plan))
}

/// The price of a code beyond any free tier.
pub(super) fn list_rate(book: &PriceBook, code: &str) -> Option<Exact> {
    book.list_price(code).map(|published| Exact::from(published.rate.decimal()))
}

/// The day on which AWS announced Database Savings Plans.
const PLANS_SINCE: &str = "2025-12-02";

/// Where no date is asked for, the prices are those of now, however long ago they were read.
fn plans_are_sold(book: &PriceBook, asked: Option<Date>) -> bool {
    asked.is_none() || Date::parse(PLANS_SINCE).is_some_and(|since| book.date() >= since)
}

/// What the region of a workload sells; for each term that it does not, the reason.
pub(super) fn offers(book: &PriceBook, asked: Option<Date>) -> (Vec<Offer>, Vec<(u64, String)>) {
    let (mut sold, mut missing) = (Vec::new(), Vec::new());
    for years in [1, 3] {
        let unit = |direction: &str| -> Result<(Exact, Exact), String> {
            let of = |part: &str| -> Result<Exact, String> {
                let tiers = book.tiers(&format!("reserved_{years}yr_{direction}_{part}")).map_err(|error| error.to_string())?;
                Ok(tiers.first().map(|tier| Exact::from(tier.published.rate.decimal())).unwrap_or_default())
            };
            let upfront = of("upfront_per_unit")?;
            Ok((of("hourly")? + &upfront / &Exact::from(8760 * years), upfront))
        };
        match (unit("read"), unit("write")) {
            (Ok((read, at_once)), Ok((write, write_at_once))) => {
                sold.push(Offer::Reserved { years, read, write, upfront: [at_once, write_at_once] });
            }
            (Err(why), _) | (_, Err(why)) => missing.push((years, why)),
        }
    }
    if plans_are_sold(book, asked) {
        sold.push(Offer::Plan);
    }
    (sold, missing)
}

/// By how much a mix changes the month's total of a design.
pub(super) fn delta(curve: &Curve, mix: &Mix, month: &MonthHours) -> Result<Money, MoneyError> {
    let before = curve.cost(&Reserved::default(), 0);
    let saved = (before - mix.cost).max(0);
    let share = month.hours() / &Exact::from(curve.on_demand.len().max(1) as u64);
    Money::ZERO.minus(Money::dollars(&(&dollars(saved) * &share))?)
}

/// Each commitment on the design as it is, and the best mix; on top of provisioned designs they stand with the
/// combinations.
pub(super) fn alternatives(context: &Context, total: Money) -> Result<Vec<Alternative>, EstimateError> {
    let workload = context.workload;
    let Some(book) = context.metering.book(&workload.region) else { return Ok(Vec::new()) };
    let curve = Curve::of(workload, context.metering);
    let (sold, missing) = offers(book, workload.prices);
    let mut all = Vec::new();
    let priced = |name: &str, offers: &[Offer]| -> Result<Alternative, MoneyError> {
        let alternative = Alternative::new(Kind::Commitment, name);
        let mix = best_mix(&curve, offers);
        if !mix.commits() {
            return Ok(alternative.impossible("it would save nothing on the design as it is"));
        }
        let delta = delta(&curve, &mix, &workload.month)?;
        let mut alternative = alternative.because(mix.words()).risking("due for its whole term, whatever the traffic becomes");
        alternative.monthly = Some(Money::sum([total, delta])?);
        alternative.delta = Some(delta);
        Ok(alternative)
    };
    for years in [1, 3] {
        let name = format!("reserved capacity for {years} year{}", if years == 1 { "" } else { "s" });
        let offer = sold.iter().find(|offer| matches!(offer, Offer::Reserved { years: of, .. } if *of == years));
        all.push(match offer {
            None => {
                let why = missing.iter().find(|(of, _)| *of == years).map(|(_, why)| why.clone()).unwrap_or_default();
                Alternative::new(Kind::Commitment, name).impossible(format!("{} does not sell it: {why}", workload.region))
            }
            Some(_) if !curve.is_reservable() => Alternative::new(Kind::Commitment, name)
                .impossible("it covers provisioned Standard-class capacity of tables in one region, and the design has none"),
            Some(offer) => priced(&name, std::slice::from_ref(offer))?,
        });
    }
    let plan = "a Database Savings Plan";
    all.push(match (curve.is_empty(), plans_are_sold(book, workload.prices)) {
        (true, _) => Alternative::new(Kind::Commitment, plan).impossible("the design has no throughput to cover"),
        (false, false) => {
            let why = format!("AWS sells it since {PLANS_SINCE}, and the prices are those of {}", book.date());
            Alternative::new(Kind::Commitment, plan).impossible(why)
        }
        (false, true) => priced(plan, &[Offer::Plan])?,
    });
    if !curve.is_empty() && !sold.is_empty() {
        all.push(priced("the best mix of reserved capacity and savings plan", &sold)?);
    }
    let ia: Vec<&str> =
        workload.tables.iter().filter(|table| table.table.class == TableClass::StandardIa).map(|table| table.table.name.as_str()).collect();
    for table in ia {
        let mut alternative = Alternative::new(Kind::Commitment, "reserved capacity of a Standard-IA table")
            .impossible("reserved capacity covers the Standard class only");
        alternative.table = Some(table.to_string());
        all.push(alternative);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(reads: &[u64], writes: &[u64], on_demand: &[i128]) -> Curve {
        let hours = reads.len();
        let price = |list: i128| Price { list, plan: list * 82 / 100 };
        Curve {
            on_demand: on_demand.iter().map(|list| price(*list)).collect(),
            bound: vec![Price::default(); hours],
            reads: reads.iter().map(|units| units * 60).collect(),
            writes: writes.iter().map(|units| units * 60).collect(),
            read: Price { list: 130_000_000, plan: 114_400_000 },
            write: Price { list: 650_000_000, plan: 572_000_000 },
        }
    }

    fn reserved(years: u64) -> Offer {
        let (read, write) = if years == 1 { ((598, 7), (2992, 7)) } else { ((299, 7), (1495, 7)) };
        let exact = |(mantissa, places): (u64, u32)| Exact::ratio(mantissa, 10_u64.pow(places));
        Offer::Reserved { years, read: exact(read), write: exact(write), upfront: [Exact::from(1), Exact::from(5)] }
    }

    #[test]
    fn blocks_that_are_used_less_than_they_cost_are_not_bought() {
        // 100 units always, 300 in one hour of four: the second block would be used a quarter of the time.
        let mix = best_mix(&curve(&[0; 4], &[100, 100, 100, 300], &[0; 4]), &[reserved(1)]);
        assert_eq!((mix.years, mix.read_units, mix.write_units), (Some(1), 0, 100));
        let mix = best_mix(&curve(&[0; 4], &[100, 100, 100, 300], &[0; 4]), &[reserved(3)]);
        assert_eq!(mix.write_units, 300, "three years cost less than a quarter of the list price");
    }

    #[test]
    fn more_offers_never_cost_more() {
        let curves = [
            curve(&[900, 10, 450, 120], &[700, 710, 50, 300], &[0, 5_000_000_000, 90_000_000_000, 1_000_000_000]),
            curve(&[0; 4], &[0; 4], &[4_000_000_000; 4]),
            curve(&[99; 4], &[1; 4], &[0; 4]),
        ];
        for curve in curves {
            let all = [reserved(1), reserved(3), Offer::Plan];
            let subsets = (0..8_usize)
                .map(|mask| all.iter().enumerate().filter(|(at, _)| mask & (1 << at) != 0).map(|(_, offer)| offer.clone()).collect());
            let subsets: Vec<Vec<Offer>> = subsets.collect();
            for fewer in &subsets {
                for more in subsets.iter().filter(|more| fewer.iter().all(|offer| more.contains(offer))) {
                    assert!(best_mix(&curve, more).cost <= best_mix(&curve, fewer).cost);
                }
            }
        }
    }

    #[test]
    fn a_plan_of_flat_on_demand_saves_its_eighteen_percent() {
        let curve = curve(&[0; 4], &[0; 4], &[100_000_000_000; 4]);
        let mix = best_mix(&curve, &[Offer::Plan]);
        assert_eq!(mix.plan_usd_per_hour, Exact::ratio(82, 1000));
        assert_eq!(mix.cost, 4 * 82_000_000_000);
    }
}
