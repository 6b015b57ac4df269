//! The bills of an account: its commitments, applied to all designs that are estimated together.

use std::collections::{BTreeMap, BTreeSet};

use super::{Metering, TableResult, date_of};
use crate::capacity::{HourlyUnits, ProvisionedCapacity, Shape, on_demand};
use crate::commitments::plan::{self, PlanShare, PlannedUsage};
use crate::commitments::{
    Commitment, CommitmentKind, discount_percent, plan_usd_per_hour, reserved,
};
use crate::money::{Money, MoneyError};
use crate::pricing::{Bill, PriceBook, price};
use crate::time::MonthHours;
use crate::units::Exact;
use crate::usage::{Because, FreeTier, ReservedPart, Subject, Usage, UsageType};

/// Unused dollars of a plan below this come from rounding quantities, not from idle hours: a
/// millionth.
const ROUNDING_DOLLARS: (u64, u64) = (1, 1_000_000);

/// The designs of a run and the commitments of their account.
pub(super) struct Account<'a> {
    designs: Vec<AccountDesign<'a>>,
    /// Those in force on the day of the prices.
    commitments: Vec<&'a Commitment>,
    /// Those that are not part of the month, each with the reason.
    left_out: Vec<String>,
}

/// One design of a run.
#[derive(Clone)]
struct AccountDesign<'a> {
    metering: &'a Metering,
    results: Vec<&'a TableResult>,
}

/// The bill of each design, with its part of the commitments, and what no design uses.
#[derive(Debug)]
pub(super) struct AccountBills {
    pub designs: Vec<Bill>,
    pub unused: Bill,
}

/// Usage, and when in the week it occurs if a savings plan can cover it.
struct TimedUsage<'a> {
    usage: Usage,
    time: Option<UsageTime<'a>>,
}

/// When usage occurs.
enum UsageTime<'a> {
    /// Requests follow the profile of their calls.
    Requests(&'a Shape),
    /// Provisioned units of every hour.
    Capacity(HourlyUnits),
}

impl<'a> Account<'a> {
    /// Designs that share the commitments that are in force at the date of their prices.
    pub fn new(
        meterings: impl IntoIterator<Item = &'a Metering>,
        commitments: impl IntoIterator<Item = &'a Commitment>,
    ) -> Account<'a> {
        let designs: Vec<AccountDesign> = meterings
            .into_iter()
            .map(|metering| AccountDesign {
                metering,
                results: metering.tables.iter().map(AsRef::as_ref).collect(),
            })
            .collect();
        let day = designs
            .first()
            .map(|design| date_of(&design.metering.workload, &design.metering.books));
        let mut all: Vec<&Commitment> = Vec::new();
        for one in commitments {
            // Files of one account say the same discount again; it is one.
            let is_discount = matches!(one.kind, CommitmentKind::Discount { .. });
            let is_known = all
                .iter()
                .any(|known| *known == one && known.place.file != one.place.file);
            if !is_discount || !is_known {
                all.push(one);
            }
        }
        let regions: BTreeSet<String> = designs
            .iter()
            .flat_map(|design| design.metering.workload.regions())
            .collect();
        let why = |one: &Commitment| {
            let elsewhere = |region: &&str| !regions.contains(*region);
            let outside = one.region().filter(elsewhere).map(|_| one.is_elsewhere());
            outside.or_else(|| day.and_then(|day| one.why_not_on(day)))
        };
        let left_out = all.iter().filter_map(|one| why(one)).collect();
        all.retain(|one| why(one).is_none());
        Account {
            designs,
            commitments: all,
            left_out,
        }
    }

    /// The same account with other results for the tables of one design.
    pub fn with_results<'b>(&'b self, design: usize, results: Vec<&'b TableResult>) -> Account<'b>
    where
        'a: 'b,
    {
        let mut designs: Vec<AccountDesign<'b>> = self.designs.clone();
        designs[design].results = results;
        Account {
            designs,
            commitments: self.commitments.clone(),
            left_out: self.left_out.clone(),
        }
    }

    /// Whether several designs share the account.
    pub fn is_shared(&self) -> bool {
        self.designs.len() != 1
    }

    /// The upfront payments of reservations that begin with the month, or whose day is not given.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if an amount needs more than 28 digits.
    pub fn paid_up_front(&self) -> Result<Bill, MoneyError> {
        let Some(first) = self.designs.first() else {
            return Ok(Bill::default());
        };
        let day = date_of(&first.metering.workload, &first.metering.books);
        // A reservation that began earlier has been paid.
        let is_due = |one: &Commitment| {
            let a_month_later = one.from.and_then(|from| from.months_later(1));
            one.from.is_none() || a_month_later.is_some_and(|end| end > day)
        };
        let due = self.commitments.iter().copied().filter(|one| is_due(one));
        let usage: Vec<Usage> = due.flat_map(reserved::upfront).collect();
        price(&usage, &self.books(), &Default::default())
    }

    /// Takes negotiated discounts off every line of a bill.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if an amount needs more than 28 digits.
    pub fn take_discount(&self, bill: &mut Bill) -> Result<(), MoneyError> {
        let commitments = self.commitments.iter().map(|one| (*one).clone());
        let commitments: Vec<Commitment> = commitments.collect();
        bill.discount(|region| discount_percent(&commitments, region))
    }

    /// What AWS does not document about commitments, or what is assumed of them.
    pub fn assumptions(&self) -> Vec<String> {
        let has =
            |is: fn(&CommitmentKind) -> bool| self.commitments.iter().any(|one| is(&one.kind));
        let reserves = has(|kind| matches!(kind, CommitmentKind::Reserved { .. }));
        let mut designs = self.designs.iter();
        let free = designs.any(|one| one.metering.workload.free.contains(&FreeTier::Throughput));
        let list = [
            (
                reserves,
                "the upfront price of reserved capacity is spread evenly over its term",
            ),
            (
                reserves && free,
                "reserved capacity is applied before the free tier",
            ),
            (
                has(|kind| matches!(kind, CommitmentKind::SavingsPlan { .. })),
                "the savings plan covers no other service and no other tables of the account",
            ),
            (
                has(|kind| matches!(kind, CommitmentKind::Discount { .. })),
                "a negotiated discount applies to every line, to those of commitments as well",
            ),
        ];
        let held = list.into_iter().filter(|(holds, _)| *holds);
        held.map(|(_, text)| text.to_string()).collect()
    }

    /// Commitments that are paid for but not used, and those that are not part of the month.
    pub fn warnings(&self, bill: &Bill) -> Vec<String> {
        // The upfront price of a reservation is unused whenever its hours are.
        let is_paid_by_hour = |usage: &UsageType| match usage {
            UsageType::Reserved { part, .. } => *part == ReservedPart::Hourly,
            usage => *usage == UsageType::PLAN_COMMITMENT,
        };
        let unused = bill
            .lines
            .iter()
            .filter(|line| line.subject.table.is_none() && is_paid_by_hour(&line.usage_type));
        let unused = unused.filter_map(|line| line.because.first());
        unused
            .map(|because| because.text.clone())
            .chain(self.left_out.iter().cloned())
            .chain(self.twice())
            .collect()
    }

    /// Commitments that are written twice in different files: both are counted.
    fn twice(&self) -> Vec<String> {
        let mut said = Vec::new();
        for (at, one) in self.commitments.iter().enumerate() {
            let earlier = &self.commitments[..at];
            let same = |other: &&&Commitment| other == &one && other.place.file != one.place.file;
            if let Some(other) = earlier.iter().find(same) {
                said.push(format!(
                    "{} is also in {}:{}; both are counted. If it was bought once, remove one",
                    one.words(),
                    other.place.file,
                    other.place.line
                ));
            }
        }
        said
    }

    /// Provisioned units of a design that no reservation covers.
    pub fn listed(&self, design: usize) -> Vec<ProvisionedCapacity> {
        let covered = self.covered();
        let left = self.accounts().zip(covered.left);
        left.filter(|((at, _), _)| *at == design)
            .map(|((_, one), hourly)| ProvisionedCapacity {
                hourly,
                ..one.clone()
            })
            .collect()
    }

    /// The bills.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if an amount needs more than 28 digits.
    pub fn bills(&self) -> Result<AccountBills, MoneyError> {
        let (mut usage, mut unused) = self.reserve();
        unused.extend(self.plan(&mut usage)?);
        let mut designs = Vec::new();
        for (design, usage) in self.designs.iter().zip(usage) {
            let usage: Vec<Usage> = usage.into_iter().map(|one| one.usage).collect();
            designs.push(design.bill(&usage)?);
        }
        let unused = match self.designs.first() {
            Some(first) => price(&unused, &self.books(), &first.metering.workload.free)?,
            None => Bill::default(),
        };
        let mut bills = AccountBills { designs, unused };
        for bill in bills.designs.iter_mut().chain([&mut bills.unused]) {
            self.take_discount(bill)?;
        }
        Ok(bills)
    }

    /// The price books of all designs.
    fn books(&self) -> BTreeMap<String, PriceBook> {
        let all = self.designs.iter().flat_map(|one| &one.metering.books);
        all.map(|(region, book)| (region.clone(), book.clone()))
            .collect()
    }

    /// The provisioned capacity of all designs, each with the position of its design.
    fn accounts(&self) -> impl Iterator<Item = (usize, &'a ProvisionedCapacity)> {
        self.designs.iter().enumerate().flat_map(|(at, design)| {
            let results = design.results.iter();
            results
                .flat_map(move |result| result.settled.provisioned.iter().map(move |one| (at, one)))
        })
    }

    fn covered(&self) -> reserved::Covered {
        let month = |at: usize| &self.designs[at].metering.workload.month;
        let accounts: Vec<_> = self.accounts().map(|(at, one)| (one, month(at))).collect();
        match self.designs.is_empty() {
            true => reserved::Covered::default(),
            false => reserved::cover(&accounts, &self.commitments, month(0)),
        }
    }

    /// The usage of each design after reservations, in its order, and what they leave unused.
    fn reserve(&self) -> (Vec<Vec<TimedUsage<'a>>>, Vec<Usage>) {
        let covered = self.covered();
        let mut covers = covered.left.into_iter().zip(covered.usage);
        let of_design = |design: &AccountDesign<'a>| {
            let mut all = Vec::new();
            for result in &design.results {
                all.extend(requests(result));
                for (one, usage) in result.settled.provisioned.iter().zip(&result.capacity) {
                    let (left, used) = covers.next().unwrap_or((one.hourly.clone(), Vec::new()));
                    let usage = match used.is_empty() {
                        true => usage.clone(),
                        false => beyond_reserved(one, &left, &design.metering.workload.month),
                    };
                    let time = Some(UsageTime::Capacity(left));
                    all.push(TimedUsage { usage, time });
                    all.extend(used.into_iter().map(TimedUsage::untimed));
                }
                all.extend(result.features.iter().cloned().map(TimedUsage::untimed));
            }
            all
        };
        (self.designs.iter().map(of_design).collect(), covered.unused)
    }

    /// Lets savings plans cover usage, which is then split in two; returns what they leave unused.
    fn plan(&self, usage: &mut [Vec<TimedUsage<'a>>]) -> Result<Option<Usage>, MoneyError> {
        let commitments = self.commitments.iter().map(|one| (*one).clone());
        let an_hour = plan_usd_per_hour(&commitments.collect::<Vec<_>>());
        let Some(first) = self.designs.first().filter(|_| !an_hour.is_zero()) else {
            return Ok(None);
        };
        let mut coverable: Vec<(usize, usize, Exact, PlannedUsage)> = Vec::new();
        for (at, design) in self.designs.iter().enumerate() {
            let free = design.free(&usage[at])?;
            for (place, one) in usage[at].iter().enumerate() {
                let charged = match free.get(&(&one.usage.subject, &one.usage.usage_type)) {
                    Some(free) => &one.usage.quantity - free,
                    None => one.usage.quantity.clone(),
                };
                if let Some(planned) = design.planned(one, &charged) {
                    coverable.push((at, place, charged, planned));
                }
            }
        }
        let usages: Vec<PlannedUsage> = coverable.iter().map(|one| one.3.clone()).collect();
        let shares = plan::cover(plan::parts(&an_hour), &usages);
        let mut used = Exact::zero();
        // From the last to the first, so that positions stay valid.
        for ((at, place, charged, planned), share) in coverable.iter().zip(shares).rev() {
            let quantity = covered_quantity(charged, share, &usage[*at][*place].usage);
            if quantity.is_zero() {
                continue;
            }
            used += &(&quantity * &planned.plan);
            let whole = &mut usage[*at][*place].usage;
            let part = self.planned_part(whole, &quantity, planned);
            whole.quantity = &whole.quantity - &quantity;
            usage[*at].insert(place + 1, TimedUsage::untimed(part));
        }
        let workload = &first.metering.workload;
        let committed = &an_hour * workload.month.hours();
        let idle = &committed - &used;
        if idle <= Exact::ratio(ROUNDING_DOLLARS.0, ROUNDING_DOLLARS.1) {
            return Ok(None);
        }
        let text = format!(
            "{}: ${an_hour} x {} hours = {} are committed, of which usage takes {}",
            self.plan_words(),
            workload.month,
            Money::dollars(&committed)?.human(),
            Money::dollars(&used)?.human()
        );
        Ok(Some(Usage {
            subject: Subject::account(&workload.region),
            usage_type: UsageType::PLAN_COMMITMENT,
            quantity: idle,
            because: vec![Because::plain(text)],
        }))
    }

    /// The savings plans in words.
    fn plan_words(&self) -> String {
        let plans = self.commitments.iter();
        let plans = plans.filter(|one| matches!(one.kind, CommitmentKind::SavingsPlan { .. }));
        plans.map(|one| one.words()).collect::<Vec<_>>().join(", ")
    }

    /// The part of usage that a plan covers.
    fn planned_part(&self, whole: &Usage, quantity: &Exact, planned: &PlannedUsage) -> Usage {
        let percent = &(&planned.plan / &planned.list) * &Exact::from(100);
        let units = whole.usage_type.units();
        let text = format!(
            "{} covers {} of {} {units}, at {} % of the list price of ${}",
            self.plan_words(),
            quantity.human(2),
            whole.quantity.human(2),
            percent.human(2),
            planned.list
        );
        let because = whole.because.iter().cloned();
        Usage {
            subject: whole.subject.clone(),
            usage_type: UsageType::Planned(Box::new(whole.usage_type.clone())),
            quantity: quantity.clone(),
            because: because.chain([Because::plain(text)]).collect(),
        }
    }
}

/// Requests of a table with their profiles. On demand, each consumption is billed as one usage.
fn requests(result: &TableResult) -> impl Iterator<Item = TimedUsage<'_>> {
    let settled = &result.settled;
    settled
        .requests
        .iter()
        .zip(&settled.consumed)
        .map(|(usage, consumed)| {
            debug_assert_eq!(usage.usage_type, on_demand(consumed).usage_type);
            TimedUsage {
                usage: usage.clone(),
                time: Some(UsageTime::Requests(&consumed.shape)),
            }
        })
}

/// The usage of an account whose reserved units have been taken off.
fn beyond_reserved(one: &ProvisionedCapacity, left: &HourlyUnits, month: &MonthHours) -> Usage {
    let rest = ProvisionedCapacity {
        hourly: left.clone(),
        ..one.clone()
    };
    let mut usage = rest.usage(month);
    let text = format!(
        "these are the units that reserved capacity does not cover, of {} {}-hours",
        (&one.hourly.mean() * month.hours()).human(6),
        one.unit()
    );
    usage.because.push(Because::rule("6.8", text));
    usage
}

/// How much of the charged quantity a plan covers: whole if every hour is covered.
fn covered_quantity(charged: &Exact, share: PlanShare, usage: &Usage) -> Exact {
    if share.covered == 0 || share.whole == 0 {
        return Exact::zero();
    }
    if share.covered == share.whole {
        return charged.clone();
    }
    let whole = |parts: i128| Exact::whole(parts.unsigned_abs());
    let scale = Exact::from(10_u64.pow(usage.usage_type.places()));
    let part = &(charged * &whole(share.covered)) / &whole(share.whole);
    (&part * &scale).floor() / scale
}

impl AccountBills {
    /// The bill of a design; it has what is left unused if the account has no other design.
    pub fn of(mut self, design: usize) -> Bill {
        let is_only = self.designs.len() == 1;
        let mut bill = self.designs.swap_remove(design);
        if is_only {
            bill.lines.extend(self.unused.lines);
            bill.unknown.extend(self.unused.unknown);
        }
        bill
    }
}

impl TimedUsage<'_> {
    fn untimed(usage: Usage) -> Self {
        TimedUsage { usage, time: None }
    }
}

/// Quantities that a free tier covers, by subject and usage type.
type FreeQuantities<'u> = BTreeMap<(&'u Subject, &'u UsageType), Exact>;

impl AccountDesign<'_> {
    /// The bill of the design's usage, with its gaps.
    fn bill(&self, usage: &[Usage]) -> Result<Bill, MoneyError> {
        let books = &self.metering.books;
        let mut bill = price(usage, books, &self.metering.workload.free)?;
        let gaps = self.results.iter().flat_map(|result| &result.gaps);
        let unknown = gaps.filter(|gap| gap.costs).map(|gap| gap.unknown(books));
        bill.unknown.extend(unknown);
        Ok(bill)
    }

    /// What free tiers cover of provisioned capacity.
    fn free<'u>(&self, usage: &'u [TimedUsage]) -> Result<FreeQuantities<'u>, MoneyError> {
        let by_the_hour = usage
            .iter()
            .map(|one| &one.usage)
            .filter(|usage| matches!(usage.usage_type, UsageType::CapacityHours(..)));
        let mut free = FreeQuantities::new();
        let priced: Vec<Usage> = by_the_hour.clone().map(Usage::without_working).collect();
        let bill = price(&priced, &self.metering.books, &self.metering.workload.free)?;
        for line in bill
            .lines
            .iter()
            .filter(|line| line.published.rate.is_zero())
        {
            let own = by_the_hour
                .clone()
                .find(|usage| usage.subject == line.subject && usage.usage_type == line.usage_type);
            if let Some(own) = own {
                *free.entry((&own.subject, &own.usage_type)).or_default() +=
                    &Exact::from(line.quantity);
            }
        }
        Ok(free)
    }

    /// What a plan could cover of usage, of which `charged` is not free; `None` if nothing.
    fn planned(&self, one: &TimedUsage, charged: &Exact) -> Option<PlannedUsage> {
        let book = self.metering.books.get(&one.usage.subject.region)?;
        let list = book.list_rate(&one.usage.usage_type)?;
        let covered = UsageType::Planned(Box::new(one.usage.usage_type.clone()));
        let rate = book.list_rate(&covered).filter(|rate| *rate < list)?;
        let month = self.metering.workload.month.hours();
        let hourly = match one.time.as_ref()? {
            _ if charged.is_zero() => return None,
            UsageTime::Requests(shape) => {
                let mean = &(&one.usage.quantity / month) * &rate;
                by_profile(shape, &mean)
            }
            UsageTime::Capacity(units) => {
                let free = &one.usage.quantity - charged;
                let hours = units.hours().max(1);
                let free = &(&free * &Exact::from(60 * hours as u64)) / month;
                let mut sixtieths: Vec<u64> =
                    (0..hours).map(|hour| units.sixtieths_at(hour)).collect();
                plan::take_evenly(&mut sixtieths, free.floor().to_u64().unwrap_or(u64::MAX));
                let each = plan::parts(&rate);
                let cost = |sixtieths: u64| i128::from(sixtieths) * each / 60;
                sixtieths.into_iter().map(cost).collect()
            }
        };
        Some(PlannedUsage {
            list,
            plan: rate,
            hourly,
        })
    }
}

/// A mean cost in every hour of the week, by a profile; one hour if it never changes.
fn by_profile(shape: &Shape, mean: &Exact) -> Vec<i128> {
    if shape.is_flat() {
        return vec![plan::parts(mean)];
    }
    let mut known: BTreeMap<&Exact, i128> = BTreeMap::new();
    (0..crate::time::WEEK_HOURS)
        .map(|hour| {
            let factor = shape.of_hour(hour);
            *known
                .entry(factor)
                .or_insert_with(|| plan::parts(&(mean * factor)))
        })
        .collect()
}
