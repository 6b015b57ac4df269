//! The columns of tabular bills: which format a header is, and where each field is in it.

use std::borrow::Cow;

/// What a column holds, in any format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Id,
    Interval,
    BillStart,
    Account,
    Payer,
    Start,
    End,
    ChargeType,
    Product,
    ProductName,
    UsageType,
    Operation,
    Region,
    Resource,
    Quantity,
    Currency,
    Rate,
    Billed,
    Net,
    List,
    ListRate,
    Effective,
    UnusedUpfront,
    UnusedRecurring,
    Reservation,
    PlanEffective,
    PlanCommitment,
    PlanUsed,
    Sku,
    Description,
    CommitmentType,
    CommitmentStatus,
    Frequency,
    RecordType,
}

/// The number of fields.
pub(super) const FIELDS: usize = Field::RecordType as usize + 1;

/// A tabular format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Format {
    /// The Cost and Usage Report with headers such as `lineItem/UsageType`.
    Legacy,
    /// The same with names for Athena, such as `line_item_usage_type`; also CUR 2.0.
    Athena,
    /// FOCUS, as AWS exports it.
    Focus,
    /// A detailed billing report.
    Detailed,
    /// A usage report, which has no costs.
    Usage,
}

/// The names of a field's column in each format, in the order of [`Format`]; the first that a file
/// has counts.
struct Names {
    field: Field,
    of: [&'static [&'static str]; 5],
}

const fn names(field: Field, of: [&'static [&'static str]; 5]) -> Names {
    Names { field, of }
}

/// Source: Cost and Usage Reports, "Data dictionary"; Data Exports, "FOCUS 1.0 with AWS columns";
/// AWS Billing User Guide, "Detailed billing reports" and "Usage report".
#[rustfmt::skip]
const NAMES: &[Names] = &[
    names(Field::Id, [&["identity/LineItemId"], &["identity_line_item_id"], &[], &["RecordId"], &[]]),
    names(Field::Interval, [&["identity/TimeInterval"], &["identity_time_interval"], &[], &[], &[]]),
    names(Field::BillStart, [&["bill/BillingPeriodStartDate"], &["bill_billing_period_start_date"], &["BillingPeriodStart"], &[], &[]]),
    names(Field::Account, [&["lineItem/UsageAccountId"], &["line_item_usage_account_id"], &["SubAccountId"], &["LinkedAccountId"], &[]]),
    names(Field::Payer, [&["bill/PayerAccountId"], &["bill_payer_account_id"], &["BillingAccountId"], &["PayerAccountId"], &[]]),
    names(Field::Start, [&["lineItem/UsageStartDate"], &["line_item_usage_start_date"], &["ChargePeriodStart"], &["UsageStartDate"], &["StartTime"]]),
    names(Field::End, [&["lineItem/UsageEndDate"], &["line_item_usage_end_date"], &["ChargePeriodEnd"], &["UsageEndDate"], &["EndTime"]]),
    names(Field::ChargeType, [&["lineItem/LineItemType"], &["line_item_line_item_type"], &["ChargeCategory"], &[], &[]]),
    names(Field::Product, [&["lineItem/ProductCode"], &["line_item_product_code"], &["x_ServiceCode"], &[], &["Service"]]),
    names(Field::ProductName, [&["product/ProductName"], &["product_product_name"], &["ServiceName"], &["ProductName"], &["Service"]]),
    names(Field::UsageType, [&["lineItem/UsageType"], &["line_item_usage_type"], &["x_UsageType"], &["UsageType"], &["UsageType"]]),
    names(Field::Operation, [&["lineItem/Operation"], &["line_item_operation"], &["x_Operation"], &["Operation"], &["Operation"]]),
    names(Field::Region, [&["product/regionCode", "product/region"], &["product_region_code", "product_region"], &["RegionId"], &[], &[]]),
    names(Field::Resource, [&["lineItem/ResourceId"], &["line_item_resource_id"], &["ResourceId"], &["ResourceId"], &["Resource"]]),
    names(Field::Quantity, [&["lineItem/UsageAmount"], &["line_item_usage_amount"], &["ConsumedQuantity", "PricingQuantity"], &["UsageQuantity"], &["UsageValue"]]),
    names(Field::Currency, [&["lineItem/CurrencyCode"], &["line_item_currency_code"], &["BillingCurrency"], &[], &[]]),
    names(Field::Rate, [&["lineItem/UnblendedRate"], &["line_item_unblended_rate"], &[], &["UnBlendedRate", "Rate"], &[]]),
    names(Field::Billed, [&["lineItem/UnblendedCost"], &["line_item_unblended_cost"], &["BilledCost"], &["UnBlendedCost", "Cost"], &[]]),
    names(Field::Net, [&["lineItem/NetUnblendedCost"], &["line_item_net_unblended_cost"], &[], &[], &[]]),
    names(Field::List, [&["pricing/publicOnDemandCost"], &["pricing_public_on_demand_cost"], &["ListCost"], &[], &[]]),
    names(Field::ListRate, [&["pricing/publicOnDemandRate"], &["pricing_public_on_demand_rate"], &["ListUnitPrice"], &[], &[]]),
    names(Field::Effective, [&["reservation/EffectiveCost"], &["reservation_effective_cost"], &["EffectiveCost"], &[], &[]]),
    names(Field::UnusedUpfront, [&["reservation/UnusedAmortizedUpfrontFeeForBillingPeriod"], &["reservation_unused_amortized_upfront_fee_for_billing_period"], &[], &[], &[]]),
    names(Field::UnusedRecurring, [&["reservation/UnusedRecurringFee"], &["reservation_unused_recurring_fee"], &[], &[], &[]]),
    names(Field::Reservation, [&["reservation/ReservationARN"], &["reservation_reservation_a_r_n"], &["CommitmentDiscountId"], &[], &[]]),
    names(Field::PlanEffective, [&["savingsPlan/SavingsPlanEffectiveCost"], &["savings_plan_savings_plan_effective_cost"], &[], &[], &[]]),
    names(Field::PlanCommitment, [&["savingsPlan/TotalCommitmentToDate"], &["savings_plan_total_commitment_to_date"], &[], &[], &[]]),
    names(Field::PlanUsed, [&["savingsPlan/UsedCommitment"], &["savings_plan_used_commitment"], &[], &[], &[]]),
    names(Field::Sku, [&["product/sku"], &["product_sku"], &["SkuPriceId"], &[], &[]]),
    names(Field::Description, [&["lineItem/LineItemDescription"], &["line_item_line_item_description"], &["ChargeDescription"], &["ItemDescription"], &[]]),
    names(Field::CommitmentType, [&[], &[], &["CommitmentDiscountType"], &[], &[]]),
    names(Field::CommitmentStatus, [&[], &[], &["CommitmentDiscountStatus"], &[], &[]]),
    names(Field::Frequency, [&[], &[], &["ChargeFrequency"], &[], &[]]),
    names(Field::RecordType, [&[], &[], &[], &["RecordType"], &[]]),
];

impl Names {
    fn of(&self, format: Format) -> &'static [&'static str] {
        self.of[format as usize]
    }
}

impl Format {
    /// A column by which a format is known, and with it a second one.
    const MARKS: [(&str, &str, Format); 7] = [
        ("lineItem/UsageType", "", Format::Legacy),
        ("lineItem/ProductCode", "", Format::Legacy),
        ("line_item_usage_type", "", Format::Athena),
        ("line_item_product_code", "", Format::Athena),
        ("ChargeCategory", "BilledCost", Format::Focus),
        ("RecordType", "UsageQuantity", Format::Detailed),
        ("UsageValue", "UsageType", Format::Usage),
    ];

    /// The format of a header; `None` if it is none of these.
    pub fn of(header: &[&str]) -> Option<Format> {
        let has = |name: &str| name.is_empty() || header.contains(&name);
        let mut marks = Format::MARKS.iter();
        marks
            .find(|(one, other, _)| has(one) && has(other))
            .map(|(.., format)| *format)
    }

    /// Its name in output.
    pub fn name(self) -> &'static str {
        match self {
            Format::Legacy => "Cost and Usage Report",
            Format::Athena => "Cost and Usage Report with column names for Athena, or CUR 2.0",
            Format::Focus => "FOCUS export",
            Format::Detailed => "detailed billing report",
            Format::Usage => "usage report",
        }
    }

    /// The columns without which nothing can be said.
    fn needs(self) -> &'static [Field] {
        match self {
            Format::Legacy | Format::Athena => &[
                Field::Product,
                Field::UsageType,
                Field::ChargeType,
                Field::Start,
                Field::Billed,
            ],
            Format::Focus => &[
                Field::ProductName,
                Field::ChargeType,
                Field::Start,
                Field::Billed,
            ],
            Format::Detailed => &[
                Field::ProductName,
                Field::UsageType,
                Field::Start,
                Field::Billed,
            ],
            Format::Usage => &[
                Field::Product,
                Field::UsageType,
                Field::Start,
                Field::Quantity,
            ],
        }
    }
}

/// Where the fields of a file are.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub format: Format,
    at: [Option<usize>; FIELDS],
}

impl Columns {
    /// Of a header.
    ///
    /// # Errors
    /// The names of columns that the file lacks.
    pub fn of(format: Format, header: &[&str]) -> Result<Columns, Vec<&'static str>> {
        let mut at = [None; FIELDS];
        for names in NAMES {
            let mut known = names.of(format).iter();
            at[names.field as usize] =
                known.find_map(|name| header.iter().position(|column| column == name));
        }
        let columns = Columns { format, at };
        let needed = format.needs().iter();
        let missing: Vec<&'static str> = needed
            .filter(|field| !columns.has(**field))
            .filter_map(|field| Columns::name(format, *field))
            .collect();
        if missing.is_empty() {
            Ok(columns)
        } else {
            Err(missing)
        }
    }

    /// A column that a header has twice, among those that are used.
    pub fn twice(format: Format, header: &[&str]) -> Option<&'static str> {
        let names = NAMES.iter().flat_map(|names| names.of(format));
        let count = |name: &str| header.iter().filter(|column| **column == name).count();
        names.copied().find(|name| count(name) > 1)
    }

    /// The position of a field.
    pub fn at(&self, field: Field) -> Option<usize> {
        self.at[field as usize]
    }

    /// Whether the file has a field.
    pub fn has(&self, field: Field) -> bool {
        self.at(field).is_some()
    }

    /// The positions of all fields that the file has.
    #[cfg(feature = "replay")]
    pub fn positions(&self) -> impl Iterator<Item = usize> + '_ {
        self.at.iter().flatten().copied()
    }

    /// The fields that the file has, by their number, with their positions.
    #[cfg(feature = "replay")]
    pub fn fields(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let all = self.at.iter().enumerate();
        all.filter_map(|(field, at)| Some((field, (*at)?)))
    }

    /// The name of a field's column.
    pub fn name(format: Format, field: Field) -> Option<&'static str> {
        let mut all = NAMES.iter();
        all.find(|names| names.field == field)
            .and_then(|names| names.of(format).first().copied())
    }
}

/// The cells of one row.
pub(super) trait Cells {
    /// The text of a cell; empty if the file does not have the field.
    fn text(&self, field: Field) -> Cow<'_, str>;
    /// Whether the file has a field.
    fn has(&self, field: Field) -> bool;
}
