//! A row of a bill in any tabular format.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::amounts::Amounts;
use super::charge::ChargeType;
use super::columns::{Cells, Columns, Field, Format};
use super::kind::service;
use super::values::{Month, decimal, is_empty, row_cost, second};
use crate::money::{Money, exact_sum};

/// Bytes of a GB.
const GB: u64 = 1 << 30;

/// The decimals of a quantity on a bill. Source: all 334,911 rows of real reports.
pub(super) const QUANTITY_PLACES: u32 = 10;

/// The largest number of a cell: no bill has one, and sums of smaller ones are exact.
const NUMBER_MAX: Decimal = Decimal::from_parts(2_808_348_672, 232_830_643, 0, false, 0);

/// The seconds since 1970 of times that a bill can have: from 2006, when AWS began, to 2100.
const TIMES: std::ops::Range<i64> = 1_136_073_600..4_102_444_800;

/// What a time must be.
const TIME: &str = "a time since 2006 in UTC, such as 2026-10-01T00:00:00Z";

/// A row that is kept.
pub(super) struct Row<'a> {
    pub month: Month,
    pub account: Cow<'a, str>,
    pub service: String,
    pub usage_type: Cow<'a, str>,
    pub region: Cow<'a, str>,
    pub resource: Cow<'a, str>,
    pub sku: Cow<'a, str>,
    pub charge: ChargeType,
    pub rate: Option<Decimal>,
    pub list_rate: Option<Decimal>,
    /// The first second of its interval, and the seconds of it.
    pub start: i64,
    pub seconds: u64,
    pub amounts: Amounts,
    pub is_as_rated: Rated,
}

/// Whether the cost of a row is its quantity times its rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rated {
    /// It is, rounded half up to 10 decimals.
    Exactly,
    /// It is not, such as in daily reports, which sum rounded hours.
    Otherwise,
    /// There is no rate, or it is no usage.
    Unrated,
}

/// What became of a row.
pub(super) enum Taken<'a> {
    Row(Box<Row<'a>>),
    OtherService,
    /// A total of other rows.
    Total,
}

/// A cell that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WrongCell {
    pub column: &'static str,
    pub expected: &'static str,
    pub found: String,
}

/// The cells of a row in a format.
struct Reader<'a, C> {
    cells: &'a C,
    format: Format,
}

impl<'a, C: Cells> Reader<'a, C> {
    /// The text of a cell, empty if it says nothing.
    fn text(&self, field: Field) -> Cow<'a, str> {
        let text = self.cells.text(field);
        if is_empty(&text) {
            Cow::Borrowed("")
        } else {
            text
        }
    }

    fn wrong(&self, field: Field, expected: &'static str) -> WrongCell {
        WrongCell {
            column: Columns::name(self.format, field).unwrap_or_default(),
            expected,
            found: self.text(field).chars().take(60).collect(),
        }
    }

    /// A number; `None` if the cell says nothing.
    fn number(&self, field: Field) -> Result<Option<Decimal>, WrongCell> {
        let text = self.text(field);
        if text.is_empty() {
            return Ok(None);
        }
        match decimal(&text) {
            Some(number) if number.abs() < NUMBER_MAX => Ok(Some(number)),
            Some(_) => Err(self.wrong(field, "a number below 1,000,000,000,000,000,000")),
            None => Err(self.wrong(field, "a number of at most 28 digits, with a decimal point")),
        }
    }

    fn money(&self, field: Field) -> Result<Option<Money>, WrongCell> {
        Ok(self.number(field)?.map(Money::billed))
    }

    fn moment(&self, field: Field) -> Result<Option<i64>, WrongCell> {
        let text = self.text(field);
        if text.is_empty() {
            return Ok(None);
        }
        match second(&text).filter(|second| TIMES.contains(second)) {
            Some(second) => Ok(Some(second)),
            None => Err(self.wrong(field, TIME)),
        }
    }
}

/// Reads a row.
pub(super) fn row<'a, C: Cells>(cells: &'a C, format: Format) -> Result<Taken<'a>, WrongCell> {
    let reader = Reader { cells, format };
    if format == Format::Detailed && reader.text(Field::RecordType) != "LineItem" {
        return Ok(Taken::Total);
    }
    let (usage_type, resource) = (reader.text(Field::UsageType), reader.text(Field::Resource));
    let product = reader.text(Field::Product);
    let name = reader.text(Field::ProductName);
    // A bill without usage types says in words what a row is.
    let what = match usage_type.is_empty() {
        true => reader.text(Field::Description),
        false => usage_type.clone(),
    };
    let Some(service) = service(&product, &name, &what, &resource).map(str::to_string) else {
        return Ok(Taken::OtherService);
    };
    reader.is_in_dollars()?;
    let charge = reader.charge()?;
    let (start, seconds) = reader.interval()?;
    let bill_start = reader.moment(Field::BillStart)?.unwrap_or(start);
    let month = Month::of(bill_start).ok_or_else(|| reader.wrong(Field::Start, TIME))?;
    let rate = reader.number(Field::Rate)?;
    let list_rate = reader.number(Field::ListRate)?;
    let quantity = match charge.is_usage() || charge.is_purchase() {
        true => reader.quantity(&usage_type, month)?,
        false => Some(Decimal::ZERO),
    };
    let amounts = reader.amounts(charge, quantity)?;
    let of_usage = charge.is_usage() && charge != ChargeType::DiscountedUsage;
    let rated = quantity.zip(rate.or(list_rate.filter(|_| format == Format::Focus)));
    let is_as_rated = match (rated.filter(|_| of_usage), amounts.billed) {
        (Some((quantity, rate)), Some(billed)) if format != Format::Focus || !billed.is_zero() => {
            match row_cost(quantity, rate) == Some(billed) {
                true => Rated::Exactly,
                false => Rated::Otherwise,
            }
        }
        _ => Rated::Unrated,
    };
    let account = reader.text(Field::Account);
    let account = if account.is_empty() {
        reader.text(Field::Payer)
    } else {
        account
    };
    Ok(Taken::Row(Box::new(Row {
        month,
        account,
        service,
        usage_type,
        region: reader.text(Field::Region),
        resource,
        sku: reader.text(Field::Sku),
        charge,
        rate,
        list_rate,
        start,
        seconds,
        amounts,
        is_as_rated,
    })))
}

impl<C: Cells> Reader<'_, C> {
    fn is_in_dollars(&self) -> Result<(), WrongCell> {
        match self.text(Field::Currency).as_ref() {
            "" | "USD" => Ok(()),
            _ => Err(self.wrong(
                Field::Currency,
                "USD: bills in other currencies cannot be compared with AWS's prices, which are in US \
                 dollars",
            )),
        }
    }

    fn charge(&self) -> Result<ChargeType, WrongCell> {
        let text = self.text(Field::ChargeType);
        match self.format {
            Format::Legacy | Format::Athena => Ok(ChargeType::named(&text)),
            Format::Usage => Ok(ChargeType::Usage),
            Format::Detailed => {
                let description = self.text(Field::Description).to_ascii_lowercase();
                let is_usage = !self.text(Field::UsageType).is_empty();
                Ok(match (is_usage, description.contains("tax")) {
                    (true, _) => ChargeType::Usage,
                    (false, true) => ChargeType::Tax,
                    (false, false) => ChargeType::Other,
                })
            }
            Format::Focus => self.of_focus(&text),
        }
    }

    /// Source: FOCUS specification 1.2, "Charge Category", "Commitment Discount Status"; Data
    /// Exports, "FOCUS 1.0 with AWS columns".
    fn of_focus(&self, category: &str) -> Result<ChargeType, WrongCell> {
        let is_plan = self.text(Field::CommitmentType).contains("Savings");
        let is_commitment = !self.text(Field::CommitmentType).is_empty();
        let is_once = self.text(Field::Frequency) == "One-Time";
        let status = self.text(Field::CommitmentStatus);
        Ok(match (category, is_plan) {
            ("Usage", _) if status == "Unused" => ChargeType::UnusedCommitment,
            ("Usage", true) if status == "Used" => ChargeType::SavingsPlanCoveredUsage,
            ("Usage", false) if status == "Used" && is_commitment => ChargeType::DiscountedUsage,
            ("Usage", _) => ChargeType::Usage,
            ("Purchase", true) if is_once => ChargeType::SavingsPlanUpfrontFee,
            ("Purchase", true) => ChargeType::SavingsPlanRecurringFee,
            ("Purchase", false) if is_once || !is_commitment => ChargeType::Fee,
            ("Purchase", false) => ChargeType::RiFee,
            ("Tax", _) => ChargeType::Tax,
            ("Credit", _) => ChargeType::Credit,
            ("Adjustment", _) => ChargeType::Refund,
            _ => {
                return Err(self.wrong(
                    Field::ChargeType,
                    "Usage, Purchase, Tax, Credit or Adjustment",
                ));
            }
        })
    }

    /// The first second of a row, and how many seconds it covers. The interval of a row counts: in
    /// daily reports, its dates are the first and last hour with usage.
    fn interval(&self) -> Result<(i64, u64), WrongCell> {
        let interval = self.text(Field::Interval);
        let of_interval = interval
            .split_once('/')
            .and_then(|(from, to)| Some((second(from)?, second(to)?)))
            .filter(|(from, to)| TIMES.contains(from) && TIMES.contains(to));
        let (from, to) = match of_interval {
            Some(interval) => interval,
            None if !interval.is_empty() => {
                return Err(self.wrong(
                    Field::Interval,
                    "two times since 2006 with a slash between them",
                ));
            }
            None => {
                let Some(from) = self.moment(Field::Start)? else {
                    return Err(self.wrong(Field::Start, TIME));
                };
                (from, self.moment(Field::End)?.unwrap_or(from))
            }
        };
        match u64::try_from(to - from) {
            Ok(seconds) => Ok((from, seconds)),
            Err(_) => Err(self.wrong(Field::End, "a time that is not before the start")),
        }
    }

    /// The usage in the unit of its kind. A usage report counts bytes and byte-hours; everything
    /// else GB and GB-months.
    fn quantity(&self, usage_type: &str, month: Month) -> Result<Option<Decimal>, WrongCell> {
        let written = self.number(Field::Quantity)?;
        if self.format != Format::Usage || self.cells.has(Field::Billed) {
            return Ok(written);
        }
        let bytes = match usage_type {
            name if name.ends_with("ByteHrs") => GB * month.hours(),
            name if name.ends_with("-Bytes") => GB,
            _ => 1,
        };
        let whole = written.and_then(|written| written.checked_div(Decimal::from(bytes)));
        Ok(whole.map(|whole| whole.round_dp(QUANTITY_PLACES)))
    }

    fn amounts(&self, charge: ChargeType, quantity: Option<Decimal>) -> Result<Amounts, WrongCell> {
        let billed = self.money(Field::Billed)?;
        let is_free = billed.is_some_and(Money::is_zero);
        let list = match charge.is_usage() {
            true => self
                .money(Field::List)?
                .or(Some(Money::ZERO).filter(|_| is_free && self.cells.has(Field::List))),
            false => Some(Money::ZERO),
        };
        let net = match self.format {
            // Source: FOCUS, "Billed Cost": after all discounts. Cost and Usage Reports, "Net
            // columns": a report has them only if a discount applies.
            Format::Legacy | Format::Athena | Format::Focus => self.money(Field::Net)?.or(billed),
            Format::Detailed | Format::Usage => None,
        };
        let amortised = match self.format {
            Format::Legacy | Format::Athena => self.amortised(charge, billed)?,
            Format::Focus => self.effective(billed, list)?,
            Format::Detailed | Format::Usage => None,
        };
        Ok(Amounts {
            rows: 1,
            quantity,
            billed,
            list,
            net,
            amortised,
        })
    }

    /// Source: Cost and Usage Reports, "Reservation details" and "Savings Plans details"; AWS's
    /// Cloud Intelligence Dashboards compute it in the same way.
    fn amortised(
        &self,
        charge: ChargeType,
        billed: Option<Money>,
    ) -> Result<Option<Money>, WrongCell> {
        // Both columns must be there; an empty cell of one is nothing.
        let both = |fields: [Field; 2], sign: Decimal| -> Result<Option<Money>, WrongCell> {
            let [one, other] = [self.number(fields[0])?, self.number(fields[1])?];
            let is_known = fields.iter().all(|field| self.cells.has(*field))
                && (one.is_some() || other.is_some());
            let sum = other.unwrap_or_default().checked_mul(sign);
            let sum = sum.and_then(|other| exact_sum(one.unwrap_or_default(), other));
            Ok(sum.filter(|_| is_known).map(Money::billed))
        };
        Ok(match charge {
            ChargeType::DiscountedUsage => self.money(Field::Effective)?,
            ChargeType::SavingsPlanCoveredUsage => self.money(Field::PlanEffective)?,
            ChargeType::SavingsPlanNegation | ChargeType::SavingsPlanUpfrontFee => {
                Some(Money::ZERO)
            }
            ChargeType::RiFee => {
                both([Field::UnusedUpfront, Field::UnusedRecurring], Decimal::ONE)?
            }
            ChargeType::SavingsPlanRecurringFee => both(
                [Field::PlanCommitment, Field::PlanUsed],
                Decimal::NEGATIVE_ONE,
            )?,
            // The fee of a reservation is spread over its term; of any other fee nothing is.
            ChargeType::Fee if !self.cells.has(Field::Reservation) => None,
            ChargeType::Fee if !self.text(Field::Reservation).is_empty() => Some(Money::ZERO),
            _ => billed,
        })
    }

    /// The effective cost of FOCUS; unknown where it is zero but cannot be: what no commitment
    /// covers is billed as it is, and what one covers is not free.
    fn effective(
        &self,
        billed: Option<Money>,
        list: Option<Money>,
    ) -> Result<Option<Money>, WrongCell> {
        let effective = self.money(Field::Effective)?;
        let status = self.text(Field::CommitmentStatus);
        let is_purchase = self.text(Field::ChargeType) == "Purchase";
        let costs = match status.as_ref() {
            "Used" => list,
            _ => billed,
        };
        let cannot_be = effective.is_some_and(Money::is_zero)
            && !is_purchase
            && costs.is_some_and(|costs| !costs.is_zero());
        Ok(effective.filter(|_| !cannot_be))
    }
}
