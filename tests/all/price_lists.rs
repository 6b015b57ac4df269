//! Tests of importing AWS's price list files into the books: known prices are found, unrecognized
//! ones are listed, and two prices for one code are an error.

use crate::support::{self, run_in};

use std::collections::BTreeMap;

use dynameter::pricing::{Books, PriceListFile, PublishedRate, changed_rates, read_offer, update};
use dynameter::usage::UsageType;
use serde_json::{Value, json};

/// A price as in an offer file.
#[derive(Clone)]
struct Priced {
    sku: String,
    attributes: BTreeMap<&'static str, String>,
    term: &'static str,
    lease: Option<&'static str>,
    rate_code: String,
    description: String,
    unit: String,
    begins: u64,
    ends: String,
    usd: String,
}

/// The prices of the books as AWS would publish them in the offer file of a service.
fn offered(service: &str, usd: impl Fn(&str, &PublishedRate) -> String) -> Vec<Priced> {
    let books = Books::embedded();
    let mut all = Vec::new();
    for region in books.regions() {
        let book = books.book(region, None).expect("a book");
        let rates = book.rates();
        for (at, tier) in rates.iter().enumerate() {
            let published = &tier.published;
            let (code, usage) = (published.code.as_str(), UsageType::of_code(&published.code));
            // Transfer between regions is in the offer file of AWSDataTransfer, but on a bill under
            // the service that sends the data.
            let lister = if usage.destination().is_some() {
                "AWSDataTransfer"
            } else {
                usage.service()
            };
            if lister != service || code.starts_with("dsp_") {
                continue;
            }
            let reserved = code.strip_prefix("reserved_").map(|rest| {
                (
                    &rest[..3],
                    rest.contains("write"),
                    rest.ends_with("upfront_per_unit"),
                )
            });
            let name = match (reserved, service) {
                (Some((_, true, _)), _) => "WriteCapacityUnit-Hrs".to_string(),
                (Some((_, false, _)), _) => "ReadCapacityUnit-Hrs".to_string(),
                (None, "AWSDataTransfer") if usage.destination().is_some() => {
                    format!("{}-AWS-Out-Bytes", usage.destination().expect("a region"))
                }
                _ => usage.name(),
            };
            let operation = match code {
                code if code.contains("_request_unit_") => "PayPerRequestThroughput",
                code if code.contains("_capacity_unit_hour_") || reserved.is_some() => {
                    "CommittedThroughput"
                }
                "streams_read_request" => "GetRecords",
                _ => "",
            };
            let prefix = if region == "us-east-1" && !code.starts_with("backup") {
                String::new()
            } else {
                "TST9-".to_string()
            };
            let mut attributes = BTreeMap::from([
                ("servicecode", service.to_string()),
                ("usagetype", format!("{prefix}{name}")),
                ("operation", operation.to_string()),
            ]);
            let transfer = usage
                .destination()
                .map(|_| "InterRegion Outbound")
                .or((service == "AWSDataTransfer").then_some("AWS Outbound"));
            match transfer {
                Some(transfer) => {
                    attributes.extend([
                        ("fromRegionCode", region.to_string()),
                        ("fromLocation", book.location().to_string()),
                    ]);
                    attributes.extend([("transferType", transfer.to_string())]);
                    attributes.extend(
                        usage
                            .destination()
                            .map(|to| ("toRegionCode", to.to_string())),
                    );
                }
                None => attributes.extend([
                    ("regionCode", region.to_string()),
                    ("location", book.location().to_string()),
                ]),
            }
            let sku = format!("{region}:{name}").replace('.', "_");
            let next = rates
                .get(at + 1)
                .filter(|next| next.published.code == code)
                .map(|next| next.from.to_string());
            all.push(Priced {
                rate_code: format!(
                    "{sku}.{}.{at}",
                    reserved.map_or("JRTCKXETXF", |(years, ..)| years)
                ),
                sku,
                attributes,
                term: if reserved.is_some() {
                    "Reserved"
                } else {
                    "OnDemand"
                },
                lease: reserved.map(|(years, ..)| if years == "1yr" { "1yr" } else { "3yr" }),
                description: if reserved.is_some_and(|(.., upfront)| upfront) {
                    "Upfront Fee".to_string()
                } else {
                    format!("a price of {code}")
                },
                unit: if reserved.is_some_and(|(.., upfront)| upfront) {
                    "Quantity".to_string()
                } else {
                    published.unit.clone()
                },
                begins: tier.from,
                ends: next.unwrap_or_else(|| "Inf".to_string()),
                usd: usd(region, published),
            });
        }
    }
    all
}

fn as_json(service: &str, priced: &[Priced]) -> String {
    let (mut products, mut terms) = (serde_json::Map::new(), serde_json::Map::new());
    for one in priced {
        products.insert(
            one.sku.clone(),
            json!({ "sku": one.sku, "attributes": one.attributes }),
        );
        let offer = one.rate_code.rsplit_once('.').expect("a term").0;
        let of_kind = terms.entry(one.term).or_insert_with(|| json!({}));
        of_kind[&one.sku][offer]["effectiveDate"] = json!("2026-10-01T00:00:00Z");
        of_kind[&one.sku][offer]["termAttributes"] = match one.lease {
            Some(lease) => {
                json!({ "LeaseContractLength": lease, "PurchaseOption": "Heavy Utilization" })
            }
            None => json!({}),
        };
        of_kind[&one.sku][offer]["priceDimensions"][&one.rate_code] = json!({
            "rateCode": one.rate_code, "description": one.description, "beginRange": one.begins.to_string(), "endRange": one.ends,
            "unit": one.unit, "pricePerUnit": { "USD": one.usd }, "appliesTo": []
        });
    }
    let offer = json!({ "formatVersion": "v1.0", "offerCode": service, "version": "20261001000000", "products": products, "terms": terms });
    serde_json::to_string_pretty(&offer).expect("JSON")
}

fn as_csv(service: &str, priced: &[Priced]) -> String {
    let mut text = format!(
        "\"FormatVersion\",\"v1.0\"\n\"Disclaimer\",\"none\"\n\"Publication \
         Date\",\"2026-10-01T00:00:00Z\"\n\"Version\",\"20261001000000\"\n\"OfferCode\",\"\
         {service}\"\n"
    );
    text += "\"SKU\",\"RateCode\",\"TermType\",\"PriceDescription\",\"EffectiveDate\",\"\
             StartingRange\",\"EndingRange\",\"Unit\",\"PricePerUnit\",\"Currency\",\"\
             LeaseContractLength\",\"serviceCode\",\"Location\",\"usageType\",\"operation\",\"\
             Region Code\",\"Transfer Type\",\"From Region Code\",\"To Region Code\"\n";
    for one in priced {
        let attribute = |key: &str| one.attributes.get(key).map_or("", String::as_str);
        let (begins, lease) = (one.begins.to_string(), one.lease.unwrap_or_default());
        let cells = [
            one.sku.as_str(),
            &one.rate_code,
            one.term,
            &one.description,
            "2026-10-01",
            &begins,
            &one.ends,
            &one.unit,
            &one.usd,
            "USD",
            lease,
            attribute("servicecode"),
            attribute("location"),
            attribute("usagetype"),
            attribute("operation"),
            attribute("regionCode"),
            attribute("transferType"),
            attribute("fromRegionCode"),
            attribute("toRegionCode"),
        ];
        text += &cells.map(|cell| format!("\"{cell}\"")).join(",");
        text += "\n";
    }
    text
}

fn read(service: &str, text: &str) -> PriceListFile {
    read_offer(service, text).unwrap_or_else(|error| panic!("{service}: {error}"))
}

const SERVICES: [&str; 4] = ["AmazonDynamoDB", "AmazonDAX", "AWSDataTransfer", "AmazonS3"];

#[test]
fn an_offer_of_the_prices_in_the_books_changes_nothing() {
    let books = Books::embedded();
    for service in SERVICES {
        let priced = offered(service, |_, published| published.rate.to_string());
        assert!(priced.len() > 2, "{service}");
        for text in [as_json(service, &priced), as_csv(service, &priced)] {
            let offer = read(service, &text);
            let updated = update(&books, std::slice::from_ref(&offer)).expect("an update");
            assert_eq!(
                (updated.changed.as_slice(), updated.new_regions.len()),
                (&[][..], 0),
                "{service}"
            );
            assert!(offer.unknown.is_empty(), "{service}: {:?}", offer.unknown);
            let codes = |offer: &PriceListFile| -> usize { offer.rates.len() };
            assert_eq!(updated.confirmed as usize, codes(&offer), "{service}");
            assert!(
                codes(&offer) >= priced.len(),
                "{service}: {} of {}",
                codes(&offer),
                priced.len()
            );
        }
    }
}

#[test]
fn a_new_price_is_a_further_dated_line_and_old_days_keep_theirs() {
    let books = Books::embedded();
    let dearer = |region: &str, published: &PublishedRate| match (region, published.code.as_str()) {
        ("eu-west-1", "write_request_unit_standard") => "0.0000008".to_string(),
        ("us-east-1", "storage_standard") if published.tier_from == 25 => {
            "0.2600000000".to_string()
        }
        _ => published.rate.to_string(),
    };
    let offer = read(
        "AmazonDynamoDB",
        &as_json("AmazonDynamoDB", &offered("AmazonDynamoDB", dearer)),
    );
    let updated = update(&books, &[offer]).expect("an update");
    let changed: Vec<_> = updated
        .changed
        .iter()
        .map(|one| (one.region.as_str(), one.code.as_str(), one.tier_from))
        .collect();
    assert_eq!(
        changed,
        [
            ("eu-west-1", "write_request_unit_standard", 0),
            ("us-east-1", "storage_standard", 25)
        ]
    );
    let folder = tempfile::tempdir().expect("a folder");
    for (region, text) in &updated.texts {
        std::fs::write(folder.path().join(format!("{region}.toml")), text).expect("a book");
    }
    let new = Books::from_folder(folder.path()).expect("books");
    let date = |text: &str| dynameter::time::Date::parse(text);
    for region in books.regions() {
        // Before the day of the offer, nothing differs; from that day on, the changed rates do.
        let at = |books: &Books, day: &str| books.book(region, date(day)).expect("a book");
        assert_eq!(
            changed_rates(
                Some(&at(&books, "2026-09-30")),
                Some(&at(&new, "2026-09-30"))
            ),
            [],
            "{region}"
        );
        let after = changed_rates(
            Some(&at(&books, "2026-10-01")),
            Some(&at(&new, "2026-10-01")),
        );
        assert_eq!(
            after.len(),
            changed.iter().filter(|(of, ..)| *of == region).count(),
            "{region}"
        );
    }
    // Importing the same offer again changes nothing.
    let offer = read(
        "AmazonDynamoDB",
        &as_csv("AmazonDynamoDB", &offered("AmazonDynamoDB", dearer)),
    );
    assert_eq!(update(&new, &[offer]).expect("an update").changed, []);
}

#[test]
fn a_region_without_a_book_gets_one() {
    let mut priced = offered("AmazonDynamoDB", |_, published| published.rate.to_string());
    priced.retain(|one| one.attributes["regionCode"] == "eu-west-1");
    for one in &mut priced {
        one.attributes
            .insert("regionCode", "xx-north-1".to_string());
        one.attributes
            .insert("location", "Nowhere (North)".to_string());
    }
    let updated = update(
        &Books::embedded(),
        &[read("AmazonDynamoDB", &as_json("AmazonDynamoDB", &priced))],
    )
    .expect("an update");
    assert_eq!(updated.new_regions, ["xx-north-1"]);
    let text = &updated.texts["xx-north-1"];
    assert!(
        text.contains("location = \"Nowhere (North)\"")
            && text.contains("seen_from = \"2026-10-01\""),
        "{text}"
    );
}

#[test]
fn a_product_that_is_not_known_is_listed() {
    let mut priced = offered("AmazonDynamoDB", |_, published| published.rate.to_string());
    priced.retain(|one| one.attributes["regionCode"] == "us-east-1");
    let extra = |name: &str, operation: &str, term: &'static str| {
        let mut one = priced[0].clone();
        one.attributes.insert("usagetype", name.to_string());
        one.attributes.insert("operation", operation.to_string());
        (one.sku, one.term, one.rate_code) = (name.to_string(), term, format!("{name}.T.R"));
        one
    };
    let more = [
        extra("USE1-UnknownSearch", "UnknownSearch", "OnDemand"),
        extra("USE1-WriteRequestUnits", "DelegatedOperations", "OnDemand"),
        extra("USE1-TimedStorage-ByteHrs", "StandardStorage", "FlatRate"),
    ];
    priced.extend(more);
    for text in [
        as_json("AmazonDynamoDB", &priced),
        as_csv("AmazonDynamoDB", &priced),
    ] {
        let offer = read("AmazonDynamoDB", &text);
        let unknown: Vec<_> = offer
            .unknown
            .keys()
            .map(|one| (one.usage_type.as_str(), one.operation.as_str(), one.why))
            .collect();
        assert_eq!(
            unknown,
            [
                (
                    "TimedStorage-ByteHrs",
                    "StandardStorage",
                    "the books have no such term"
                ),
                (
                    "UnknownSearch",
                    "UnknownSearch",
                    "the books have no code for it"
                ),
                (
                    "WriteRequestUnits",
                    "DelegatedOperations",
                    "the books have no code for it"
                ),
            ]
        );
    }
}

#[test]
fn two_prices_for_one_code_are_an_error() {
    let priced = offered("AmazonDynamoDB", |_, published| published.rate.to_string());
    let mut other = priced
        .iter()
        .find(|one| one.attributes["usagetype"].ends_with("IA-WriteRequestUnits"))
        .expect("a price")
        .clone();
    (other.sku, other.rate_code) = ("OTHER".to_string(), "OTHER.T.R".to_string());
    let same = [&priced[..], &[other.clone()]].concat();
    assert!(
        read_offer("offer.json", &as_json("AmazonDynamoDB", &same)).is_ok(),
        "the same price twice is one"
    );
    other.usd = "9".to_string();
    let error = read_offer(
        "offer.csv",
        &as_csv("AmazonDynamoDB", &[&priced[..], &[other]].concat()),
    )
    .expect_err("two prices")
    .to_string();
    assert!(
        error.contains("offer.csv: two prices for write_request_unit_ia")
            && error.contains("OTHER.T.R"),
        "{error}"
    );
    // Two files that disagree are an error.
    let cheap = read(
        "a",
        &as_json(
            "AmazonDynamoDB",
            &offered("AmazonDynamoDB", |_, _| "1".to_string()),
        ),
    );
    let dear = read(
        "b",
        &as_json(
            "AmazonDynamoDB",
            &offered("AmazonDynamoDB", |_, _| "2".to_string()),
        ),
    );
    let error = update(&Books::embedded(), &[cheap, dear])
        .expect_err("two prices")
        .to_string();
    assert!(error.contains("has two prices"), "{error}");
}

#[test]
fn tiers_that_come_and_go_keep_every_price() {
    let books = Books::embedded();
    let mut priced = offered("AmazonDynamoDB", |_, published| published.rate.to_string());
    priced.retain(|one| one.attributes["regionCode"] == "eu-west-1");
    // The free tier of storage is removed, and a cheaper tier for large tables is added.
    priced.retain(|one| {
        !(one.attributes["usagetype"].ends_with("-TimedStorage-ByteHrs")
            && one.begins == 0
            && one.ends == "25")
    });
    for one in priced.iter_mut().filter(|one| one.begins == 25) {
        one.begins = 0;
    }
    let mut large = priced
        .iter()
        .find(|one| one.attributes["usagetype"] == "TST9-TimedStorage-ByteHrs")
        .expect("storage")
        .clone();
    (large.begins, large.usd, large.rate_code) =
        (1000, "0.2".to_string(), format!("{}x", large.rate_code));
    priced.push(large);
    let updated = update(
        &books,
        &[read("AmazonDynamoDB", &as_json("AmazonDynamoDB", &priced))],
    )
    .expect("an update");
    let folder = tempfile::tempdir().expect("a folder");
    for (region, text) in &updated.texts {
        std::fs::write(folder.path().join(format!("{region}.toml")), text).expect("a book");
    }
    let tiers = Books::from_folder(folder.path())
        .expect("books")
        .book("eu-west-1", None)
        .expect("a book")
        .tiers(&UsageType::of_code("storage_standard"))
        .expect("tiers");
    let tiers: Vec<(u64, String)> = tiers
        .iter()
        .map(|tier| (tier.from, tier.published.rate.to_string()))
        .collect();
    assert_eq!(
        tiers,
        [
            (0, "0.283".to_string()),
            (25, "0.283".to_string()),
            (1000, "0.2".to_string())
        ]
    );
}

#[test]
fn the_command_shows_what_changes_and_writes_whole_books() {
    let folder = tempfile::tempdir().expect("a folder");
    let dearer = |region: &str, published: &PublishedRate| match (region, published.code.as_str()) {
        ("us-east-1", "read_request_unit_standard") => "0.0000002".to_string(),
        _ => published.rate.to_string(),
    };
    let mut priced = offered("AmazonDynamoDB", dearer);
    priced.retain(|one| one.attributes["regionCode"] == "us-east-1");
    let mut vector = priced[0].clone();
    vector
        .attributes
        .insert("usagetype", "USE1-UnknownSearch".to_string());
    (vector.sku, vector.rate_code) = ("VECTOR".to_string(), "VECTOR.JRTCKXETXF.X".to_string());
    priced.push(vector);
    std::fs::write(
        folder.path().join("offer.json"),
        as_json("AmazonDynamoDB", &priced),
    )
    .expect("an offer");
    let mut wrong = Vec::new();
    for format in ["text", "json", "markdown", "csv"] {
        let (code, stdout, stderr) = run_in(
            folder.path(),
            &["prices", "import", "offer.json", "--format", format],
        );
        assert_eq!((code, stderr.as_str()), (0, ""), "{format}");
        wrong.extend(support::golden(
            &support::root().join(format!("tests/golden/prices-import.{format}.text")),
            &stdout,
        ));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("a folder").count(),
        1,
        "nothing was written"
    );
    let (code, _, stderr) = run_in(
        folder.path(),
        &["prices", "import", "offer.json", "--into", "books"],
    );
    assert_eq!((code, stderr.as_str()), (0, ""));
    let (code, json, _) = run_in(
        folder.path(),
        &[
            "prices",
            "show",
            "--region",
            "us-east-1",
            "--prices",
            "books",
            "--format",
            "json",
        ],
    );
    assert_eq!(code, 0);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let rate = json["rates"]
        .as_array()
        .expect("rates")
        .iter()
        .find(|rate| rate["code"] == "read_request_unit_standard")
        .expect("a rate");
    assert_eq!(
        (&rate["rate_usd"], &rate["source"]),
        (
            &Value::from("0.0000002"),
            &Value::from("AmazonDynamoDB-20261001000000")
        )
    );
}

#[test]
fn files_that_are_no_price_list_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text, words) in [
        (
            "index.json",
            "{\"offers\": {\"AmazonDynamoDB\": {}}}",
            "may be an index file",
        ),
        (
            "cut.json",
            "{\"offerCode\": \"AmazonDynamoDB\", \"products\": {",
            "is not a JSON file",
        ),
        (
            "other.json",
            "{\"offerCode\": \"AmazonEC2\", \"products\": {}, \"terms\": {}}",
            "the offer of \"AmazonEC2\"",
        ),
        ("empty.csv", "", "no line begins with SKU"),
        (
            "short.csv",
            "\"OfferCode\",\"AmazonDynamoDB\"\n\"SKU\",\"Unit\",\"Currency\"\n\"A\",\"B\"\n",
            "line 3 has 2 cells",
        ),
        (
            "half.json",
            "{\"offerCode\": \"AmazonDynamoDB\", \"products\": {}, \"terms\": {\"OnDemand\": \
             {\"A\": {}}}}",
            "the term of A has no product",
        ),
    ] {
        std::fs::write(folder.path().join(name), text).expect("a file");
        let (code, stdout, stderr) = run_in(
            folder.path(),
            &["prices", "import", name, "--into", "books"],
        );
        assert_eq!((code, stdout.as_str()), (2, ""), "{name}");
        assert!(
            stderr.contains(name) && stderr.contains(words) && stderr.contains("help:"),
            "{name}: {stderr}"
        );
    }
    let (code, _, stderr) = run_in(folder.path(), &["prices", "import", "nowhere.json"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("nowhere.json: cannot be read"), "{stderr}");
    assert!(!folder.path().join("books").exists());
}

#[test]
fn the_real_savings_plans_are_those_of_the_books() {
    let Some(reference) = support::reference("the_real_savings_plans_are_those_of_the_books")
    else {
        return;
    };
    let path = reference.join("prices/database-savings-plans-ap-south-2-20260422.csv");
    let offer = read(
        "savings plans",
        &std::fs::read_to_string(path).expect("the offer"),
    );
    assert_eq!(offer.rates.len(), 12);
    let updated = update(&Books::embedded(), &[offer]).expect("an update");
    assert_eq!((updated.confirmed, updated.changed.len()), (12, 0));
    // A separate price that differs from the one that the discount gives.
    let cheaper = "DatabaseSavingsPlans";
    let text = format!(
        "\"OfferCode\",\"AmazonDatabaseSavingsPlans\"\n\"Version\",\"1\"\nSKU,RateCode,Unit,\
         EffectiveDate,DiscountedRate,Currency,DiscountedServiceCode,DiscountedUsageType,\
         DiscountedOperation,PurchaseOption,LeaseContractLength,LeaseContractLengthUnit,\
         DiscountedRegionCode\n{cheaper},P.R,ReadRequestUnits,2026-11-01T00:00:00Z,0.0000001,USD,\
         AmazonDynamoDB,APS5-ReadRequestUnits,PayPerRequestThroughput,No \
         Upfront,1,year,ap-south-2\n"
    );
    let updated = update(&Books::embedded(), &[read("plans", &text)]).expect("an update");
    let codes: Vec<&str> = updated
        .changed
        .iter()
        .map(|one| one.code.as_str())
        .collect();
    assert_eq!(codes, ["dsp_1yr_no_upfront_read_request_unit_standard"]);
}
