//! AWS's public price list files, as a user downloads them: offers of AmazonDynamoDB, AmazonDAX,
//! AWSDataTransfer and AmazonS3, and the savings-plan offer, in JSON and in CSV, of one region or
//! of all.
//!
//! A SKU is identified by its service, its usage type without the prefix of the region, and its
//! operation: the same usage type with another operation is another product. Unknown products are
//! listed, never dropped. Source: AWS Billing User Guide, "Reading the service price list files".

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::money::Rate;
use crate::time::Date;
use crate::usage::UsageType;

/// A price in an offer file, under the code of the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedRate {
    /// The region.
    pub region: String,
    /// The code of the books.
    pub code: String,
    /// The unit as the offer writes it.
    pub unit: String,
    /// The first unit of the tier.
    pub tier_from: u64,
    /// The price of one unit.
    pub rate: Rate,
    /// The day from which the offer has it.
    pub effective_from: Date,
    /// SKU, term and rate, as AWS joins them.
    pub rate_code: String,
}

/// Products without a code in the price books; those that differ only by region are counted
/// together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownProduct {
    /// The service.
    pub service: String,
    /// The usage type, without the prefix of a region.
    pub usage_type: String,
    /// The operation.
    pub operation: String,
    /// Why it is not imported.
    pub why: &'static str,
}

/// What an offer file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceListFile {
    /// The file.
    pub file: String,
    /// The offer's code, such as `AmazonDynamoDB`.
    pub code: String,
    /// Its version: the moment of its publication.
    pub version: String,
    /// The names of regions, as far as the file has them.
    pub locations: BTreeMap<String, String>,
    /// The prices that have a code in the price books.
    pub rates: Vec<OfferedRate>,
    /// The products without a code in the price books, with the number of their SKUs and one of
    /// these.
    pub unknown: BTreeMap<UnknownProduct, (u64, String)>,
}

/// Why an offer file cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OfferError {
    /// The file is not an offer.
    #[error("{file}: {message}\nhelp: {help}")]
    File {
        /// The file.
        file: String,
        /// What was found.
        message: String,
        /// What to do.
        help: String,
    },
    /// One code has two prices.
    #[error(
        "{file}: two prices for {} of {} from {} on: {} ({}) and {} ({})\nhelp: a price book has one price for a code and a tier; check that the file is complete and not modified",
        .one.code, .one.region, .one.tier_from, .one.rate, .one.rate_code, .other.rate, .other.rate_code
    )]
    Twice {
        /// The file.
        file: String,
        /// One price.
        one: Box<OfferedRate>,
        /// The other.
        other: Box<OfferedRate>,
    },
}

/// A row of an offer: one price dimension of a product, in any format.
#[derive(Clone, Debug, Default)]
struct PriceListRow {
    service: String,
    usage_type: String,
    operation: String,
    region: String,
    location: String,
    to_region: String,
    transfer: String,
    term: String,
    lease: String,
    description: String,
    unit: String,
    starts: String,
    usd: Option<String>,
    effective: String,
    sku: String,
    rate_code: String,
    /// The purchase option of a savings plan.
    option: String,
}

/// The services that the price books cover.
const SERVICES: [&str; 4] = ["AmazonDynamoDB", "AmazonDAX", "AWSDataTransfer", "AmazonS3"];

/// Why a product of a service that the price books do not cover is not imported.
pub const ANOTHER_SERVICE: &str = "it belongs to another service";

/// The offers of Database Savings Plans.
const SAVINGS_PLANS: &str = "AmazonDatabaseSavingsPlans";

const DOWNLOAD: &str = "download one from \
                        pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonDynamoDB/current/\
                        index.json (or AmazonDAX, AWSDataTransfer, AmazonS3; or .csv)";

/// Reads an offer file.
///
/// # Errors
/// [`OfferError`] if it is not an offer, or if a code has two prices in it.
pub fn read_offer(file: &str, text: &str) -> Result<PriceListFile, OfferError> {
    let text = text.trim_start_matches('\u{feff}');
    let (code, version, rows) = if text.trim_start().starts_with('{') {
        json(file, text)?
    } else {
        csv(file, text)?
    };
    let known = SERVICES.contains(&code.as_str()) || is_savings_plan(&code);
    if !known {
        let message = format!("is the offer of {code:?}, which the price books do not cover");
        let help = format!(
            "the supported offers are {} and Database Savings Plans",
            SERVICES.join(", ")
        );
        return Err(OfferError::File {
            file: file.to_string(),
            message,
            help,
        });
    }
    let mut offer = PriceListFile {
        file: file.to_string(),
        code,
        version,
        locations: BTreeMap::new(),
        rates: Vec::new(),
        unknown: BTreeMap::new(),
    };
    for row in rows {
        offer.take(row)?;
    }
    offer.one_price_each()?;
    Ok(offer)
}

fn is_savings_plan(code: &str) -> bool {
    matches!(
        code,
        SAVINGS_PLANS | "AWSDatabaseSavingsPlans" | "DatabaseSavingsPlans"
    )
}

impl PriceListFile {
    /// Imports a row, or lists it as unknown.
    fn take(&mut self, row: PriceListRow) -> Result<(), OfferError> {
        let usage_type = UsageType::split_prefix(&row.usage_type).1.to_string();
        let codes = match codes_of(&row, &usage_type, &self.code) {
            Ok(codes) => codes,
            Err(why) => {
                let product = UnknownProduct {
                    service: row.service,
                    usage_type,
                    operation: row.operation,
                    why,
                };
                self.unknown
                    .entry(product)
                    .or_insert_with(|| (0, row.sku.clone()))
                    .0 += 1;
                return Ok(());
            }
        };
        let wrong = |what: &str, found: &str| OfferError::File {
            file: self.file.clone(),
            message: format!(
                "{}: expected {what}, found {:?}",
                row.rate_code,
                found.chars().take(60).collect::<String>()
            ),
            help: format!("the file is not in the form that AWS publishes; {DOWNLOAD}"),
        };
        let usd = row.usd.as_deref().unwrap_or_default();
        let rate = Rate::parse(usd).map_err(|_| wrong("a price in US dollars", usd))?;
        let day = row.effective.get(..10).unwrap_or(&row.effective);
        let effective_from = Date::parse(day).ok_or_else(|| wrong("a day", &row.effective))?;
        let starts = if row.starts.is_empty() {
            "0"
        } else {
            &row.starts
        };
        let tier_from: u64 = starts
            .parse()
            .map_err(|_| wrong("the start of a tier", starts))?;
        if row.region.is_empty() {
            return Err(wrong("the code of a region", &row.location));
        }
        if !row.location.is_empty() && row.location != "Any" {
            self.locations
                .entry(row.region.clone())
                .or_insert_with(|| row.location.clone());
        }
        for code in codes {
            self.rates.push(OfferedRate {
                region: row.region.clone(),
                code,
                unit: row.unit.clone(),
                tier_from,
                rate,
                effective_from,
                rate_code: row.rate_code.clone(),
            });
        }
        Ok(())
    }

    /// Checks that each code of a region has one price in each tier; the same price twice is
    /// merged.
    fn one_price_each(&mut self) -> Result<(), OfferError> {
        self.rates.sort_by(|a, b| {
            (&a.region, &a.code, a.tier_from, &a.rate_code).cmp(&(
                &b.region,
                &b.code,
                b.tier_from,
                &b.rate_code,
            ))
        });
        let same = |a: &OfferedRate, b: &OfferedRate| {
            (&a.region, &a.code, a.tier_from) == (&b.region, &b.code, b.tier_from)
        };
        if let Some([one, other]) = self
            .rates
            .windows(2)
            .find(|pair| same(&pair[0], &pair[1]) && pair[0].rate != pair[1].rate)
        {
            return Err(OfferError::Twice {
                file: self.file.clone(),
                one: Box::new(one.clone()),
                other: Box::new(other.clone()),
            });
        }
        self.rates.dedup_by(|one, other| same(one, other));
        Ok(())
    }
}

/// The price book codes for a product, or why there is none.
fn codes_of(
    row: &PriceListRow,
    usage_type: &str,
    offer: &str,
) -> Result<Vec<String>, &'static str> {
    if row.usd.is_none() {
        return Err("it has no price in US dollars");
    }
    if is_savings_plan(offer) {
        if row.service != "AmazonDynamoDB" {
            return Err(ANOTHER_SERVICE);
        }
        if row.option != "No Upfront" || row.lease != "1yr" {
            return Err("the books have no such term");
        }
        let base = dynamodb(usage_type, &row.operation).ok_or("the books have no code for it")?;
        return Ok(vec![format!("dsp_1yr_no_upfront_{base}")]);
    }
    if row.term == "Reserved" {
        let direction = match usage_type {
            "WriteCapacityUnit-Hrs" => "write",
            "ReadCapacityUnit-Hrs" => "read",
            _ => return Err("the books have no such reservation"),
        };
        if row.operation != "CommittedThroughput" {
            return Err("the books have no such operation");
        }
        // Some regions omit the length; then the code of the term gives it.
        let term = row.rate_code.split('.').nth(1).unwrap_or_default();
        let years = match (row.lease.as_str(), term) {
            ("1yr", _) | ("", "YTVHEVGPBZ" | "HU7G6KETJZ") => 1,
            ("3yr", _) | ("", "VG8YD49WWM") => 3,
            _ => return Err("the books have no such term"),
        };
        let part = if row.unit == "Quantity" || row.description == "Upfront Fee" {
            "upfront_per_unit"
        } else {
            "hourly"
        };
        return Ok(vec![format!("reserved_{years}yr_{direction}_{part}")]);
    }
    if row.term != "OnDemand" {
        return Err("the books have no such term");
    }
    match row.service.as_str() {
        "AmazonDynamoDB" => dynamodb(usage_type, &row.operation)
            .map(|code| vec![code])
            .ok_or("the books have no code for it"),
        "AmazonDAX" => match usage_type.strip_prefix("NodeUsage:") {
            Some(node) if node.starts_with("dax.") => Ok(vec![
                UsageType::DaxNode(node.to_string()).code().to_string(),
            ]),
            _ => Err("the books have no code for it"),
        },
        "AWSDataTransfer" => match (row.transfer.as_str(), usage_type) {
            ("InterRegion Outbound", _)
                if !row.to_region.is_empty() && usage_type.ends_with("AWS-Out-Bytes") =>
            {
                Ok(vec![
                    UsageType::TransferTo(row.to_region.to_string())
                        .code()
                        .to_string(),
                ])
            }
            ("AWS Outbound", "DataTransfer-Out-Bytes") => {
                Ok(vec!["data_transfer_internet_out".to_string()])
            }
            _ => Err("the books have no code for it"),
        },
        "AmazonS3" => {
            let codes: Vec<String> = UsageType::codes_named("AmazonS3", usage_type)
                .map(str::to_string)
                .collect();
            if codes.is_empty() {
                Err("the books have no code for it")
            } else {
                Ok(codes)
            }
        }
        _ => Err(ANOTHER_SERVICE),
    }
}

/// The code of a DynamoDB product, by its usage type and the operation that it is sold for.
fn dynamodb(usage_type: &str, operation: &str) -> Option<String> {
    // AWS's guide and its price list write this one differently.
    let name = if usage_type == "Streams-Requests" {
        "Streams-RequestsCount"
    } else {
        usage_type
    };
    let code = UsageType::codes_named("AmazonDynamoDB", name)
        .find(|code| !code.starts_with("reserved_"))?;
    let sold_for = match code {
        code if code.contains("_request_unit_") => &["PayPerRequestThroughput"][..],
        code if code.contains("_capacity_unit_hour_") => &["CommittedThroughput"],
        "streams_read_request" => &["GetRecords"],
        _ => return (operation != "DelegatedOperations").then(|| code.to_string()),
    };
    sold_for.contains(&operation).then(|| code.to_string())
}

type Parsed = (String, String, Vec<PriceListRow>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfferFile {
    offer_code: Option<String>,
    version: Option<String>,
    products: Option<serde_json::Value>,
    terms: Option<BTreeMap<String, serde_json::Value>>,
}

fn failed(file: &str, message: impl Into<String>) -> OfferError {
    OfferError::File {
        file: file.to_string(),
        message: message.into(),
        help: DOWNLOAD.to_string(),
    }
}

fn json(file: &str, text: &str) -> Result<Parsed, OfferError> {
    let offer: OfferFile = serde_json::from_str(text).map_err(|error| {
        failed(
            file,
            format!("is not a JSON file of AWS's price list: {error}"),
        )
    })?;
    let (Some(products), Some(terms)) = (offer.products, offer.terms) else {
        return Err(failed(
            file,
            "has no products and terms; it may be an index file, which only lists the files with \
             prices",
        ));
    };
    let code = offer.offer_code.unwrap_or_default();
    let version = offer.version.unwrap_or_default();
    let mut rows = Vec::new();
    if is_savings_plan(&code) {
        savings_plan_rows(&products, &terms, &mut rows);
        return Ok((code, version, rows));
    }
    let mut priced: BTreeSet<&str> = BTreeSet::new();
    for (term, skus) in &terms {
        for (sku, offers) in skus.as_object().into_iter().flatten() {
            let Some(product) = products.get(sku) else {
                return Err(failed(
                    file,
                    format!("the term of {sku} has no product: the file is incomplete"),
                ));
            };
            let sold = SoldProduct {
                service: &code,
                sku,
                attributes: &product["attributes"],
                term,
            };
            let of_sku: Vec<PriceListRow> = offers
                .as_object()
                .into_iter()
                .flatten()
                .flat_map(|(_, offer)| sold.rows(offer))
                .collect();
            if !of_sku.is_empty() {
                priced.insert(sku);
            }
            rows.extend(of_sku);
        }
    }
    // A product without a price is still listed.
    let products = products.as_object().into_iter().flatten();
    for (sku, product) in products.filter(|(sku, _)| !priced.contains(sku.as_str())) {
        let attributes = &product["attributes"];
        rows.push(PriceListRow {
            service: member(attributes, "servicecode"),
            usage_type: member(attributes, "usagetype"),
            operation: member(attributes, "operation"),
            sku: sku.clone(),
            ..PriceListRow::default()
        });
    }
    Ok((code, version, rows))
}

/// A text of a JSON object; empty if there is none.
fn member(value: &serde_json::Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_string()
}

/// A product in one term of a JSON file.
struct SoldProduct<'a> {
    /// The service of the file.
    service: &'a str,
    sku: &'a str,
    attributes: &'a serde_json::Value,
    term: &'a str,
}

impl SoldProduct<'_> {
    /// The rows of an offer: one for each price.
    fn rows(&self, offer: &serde_json::Value) -> Vec<PriceListRow> {
        let of = |key: &str| member(self.attributes, key);
        let dimensions = offer["priceDimensions"].as_object().into_iter().flatten();
        dimensions
            .map(|(rate_code, dimension)| PriceListRow {
                service: either(of("servicecode"), self.service.to_string()),
                usage_type: of("usagetype"),
                operation: of("operation"),
                region: either(of("regionCode"), of("fromRegionCode")),
                location: either(of("location"), of("fromLocation")),
                to_region: of("toRegionCode"),
                transfer: of("transferType"),
                term: self.term.to_string(),
                lease: member(&offer["termAttributes"], "LeaseContractLength"),
                description: member(dimension, "description"),
                unit: member(dimension, "unit"),
                starts: member(dimension, "beginRange"),
                usd: dimension["pricePerUnit"]["USD"]
                    .as_str()
                    .map(str::to_string),
                effective: member(offer, "effectiveDate"),
                sku: self.sku.to_string(),
                rate_code: rate_code.clone(),
                option: String::new(),
            })
            .collect()
    }
}

fn either(one: String, other: String) -> String {
    if one.is_empty() { other } else { one }
}

fn savings_plan_rows(
    products: &serde_json::Value,
    terms: &BTreeMap<String, serde_json::Value>,
    rows: &mut Vec<PriceListRow>,
) {
    let text = member;
    let list = products.as_array().map(Vec::as_slice).unwrap_or_default();
    for plan in terms
        .values()
        .filter_map(serde_json::Value::as_array)
        .flatten()
    {
        let sku = text(plan, "sku");
        let attributes = list
            .iter()
            .find(|product| product["sku"] == plan["sku"])
            .map(|product| &product["attributes"]);
        let option = attributes
            .map(|attributes| text(attributes, "purchaseOption"))
            .unwrap_or_default();
        let length = &plan["leaseContractLength"];
        for rate in plan["rates"].as_array().into_iter().flatten() {
            let price = &rate["discountedRate"];
            rows.push(PriceListRow {
                service: text(rate, "discountedServiceCode"),
                usage_type: text(rate, "discountedUsageType"),
                operation: text(rate, "discountedOperation"),
                region: text(rate, "discountedRegionCode"),
                term: "SavingsPlan".to_string(),
                lease: years(&length["duration"].to_string(), &text(length, "unit")),
                unit: text(rate, "unit"),
                usd: price["price"]
                    .as_str()
                    .filter(|_| price["currency"] == "USD")
                    .map(str::to_string),
                effective: text(plan, "effectiveDate"),
                sku: sku.clone(),
                rate_code: text(rate, "rateCode"),
                option: option.clone(),
                ..PriceListRow::default()
            });
        }
    }
}

fn years(length: &str, unit: &str) -> String {
    if unit.eq_ignore_ascii_case("year") {
        format!("{length}yr")
    } else {
        format!("{length} {unit}")
    }
}

fn csv(file: &str, text: &str) -> Result<Parsed, OfferError> {
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut head: BTreeMap<String, String> = BTreeMap::new();
    let mut header: Option<Vec<String>> = None;
    let mut rows = Vec::new();
    let plain = |cell: &str| {
        cell.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_lowercase()
    };
    for record in reader.records() {
        let record = record.map_err(|error| {
            failed(
                file,
                format!("is not a CSV file of AWS's price list: {error}"),
            )
        })?;
        let Some(columns) = &header else {
            // A few lines about the file, then the header.
            if record.get(0).map(plain).as_deref() == Some("sku") {
                header = Some(record.iter().map(plain).collect());
            } else if let (Some(key), Some(value)) = (record.get(0), record.get(1)) {
                head.insert(plain(key), value.to_string());
            }
            continue;
        };
        if record.len() != columns.len() {
            let line = record.position().map_or(0, ::csv::Position::line);
            return Err(failed(
                file,
                format!(
                    "line {line} has {} cells, but the header has {}: the file is incomplete",
                    record.len(),
                    columns.len()
                ),
            ));
        }
        rows.push(csv_row(columns, &record));
    }
    if header.is_none() {
        return Err(failed(
            file,
            "is neither a JSON nor a CSV file of AWS's price list: no line begins with SKU",
        ));
    }
    let of = |key: &str| head.get(key).cloned().unwrap_or_default();
    Ok((of("offercode"), of("version"), rows))
}

/// A row of a CSV file: of a service's price list, or of savings plans.
fn csv_row(columns: &[String], record: &::csv::StringRecord) -> PriceListRow {
    // The first of several columns that is not empty.
    let cell = |names: &[&str]| -> String {
        let of = |name: &&str| {
            record
                .get(columns.iter().position(|column| column == *name)?)
                .map(str::trim)
                .filter(|text| !text.is_empty())
        };
        names.iter().find_map(of).unwrap_or_default().to_string()
    };
    let in_dollars = |price: &str| {
        let price = cell(&[price]);
        (cell(&["currency"]) == "USD" && !price.is_empty()).then_some(price)
    };
    let lease = cell(&["leasecontractlength"]);
    let row = PriceListRow {
        to_region: cell(&["toregioncode"]),
        transfer: cell(&["transfertype"]),
        description: cell(&["pricedescription"]),
        unit: cell(&["unit"]),
        starts: cell(&["startingrange"]),
        effective: cell(&["effectivedate"]),
        sku: cell(&["sku"]),
        rate_code: cell(&["ratecode"]),
        option: cell(&["purchaseoption"]),
        ..PriceListRow::default()
    };
    if columns.iter().any(|column| column == "discountedrate") {
        return PriceListRow {
            service: cell(&["discountedservicecode"]),
            usage_type: cell(&["discountedusagetype"]),
            operation: cell(&["discountedoperation"]),
            region: cell(&["discountedregioncode"]),
            term: "SavingsPlan".to_string(),
            lease: years(&lease, &cell(&["leasecontractlengthunit"])),
            usd: in_dollars("discountedrate"),
            ..row
        };
    }
    PriceListRow {
        service: cell(&["servicecode"]),
        usage_type: cell(&["usagetype"]),
        operation: cell(&["operation"]),
        region: cell(&["regioncode", "fromregioncode"]),
        location: cell(&["location", "fromlocation"]),
        term: cell(&["termtype"]),
        lease,
        usd: in_dollars("priceperunit"),
        ..row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_of_a_region_is_no_part_of_a_usage_type() {
        for (usage_type, plain) in [
            ("WriteRequestUnits", "WriteRequestUnits"),
            ("IA-WriteRequestUnits", "IA-WriteRequestUnits"),
            ("APS5-IA-ReplWriteRequestUnits", "IA-ReplWriteRequestUnits"),
            ("EU-TimedStorage-ByteHrs", "TimedStorage-ByteHrs"),
            ("EUW1-TimedStorage-ByteHrs", "TimedStorage-ByteHrs"),
            ("TimedStorage-ByteHrs", "TimedStorage-ByteHrs"),
            ("USE2-NodeUsage:dax.r5.large", "NodeUsage:dax.r5.large"),
        ] {
            assert_eq!(UsageType::split_prefix(usage_type).1, plain);
        }
    }

    #[test]
    fn the_operation_tells_products_apart() {
        assert_eq!(
            dynamodb("WriteRequestUnits", "PayPerRequestThroughput").as_deref(),
            Some("write_request_unit_standard")
        );
        assert_eq!(dynamodb("WriteRequestUnits", "CommittedThroughput"), None);
        assert_eq!(
            dynamodb("IA-ReplWriteCapacityUnit-Hrs", "CommittedThroughput").as_deref(),
            Some("replicated_write_capacity_unit_hour_ia")
        );
        assert_eq!(
            dynamodb("Streams-Requests", "GetRecords").as_deref(),
            Some("streams_read_request")
        );
        assert_eq!(
            dynamodb("Streams-RequestsCount", "DelegatedOperations"),
            None
        );
        assert_eq!(
            dynamodb("VectorSearch", "VectorSearch").as_deref(),
            Some("vector_search_standard")
        );
    }
}
