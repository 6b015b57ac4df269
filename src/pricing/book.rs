//! Price books: a region's rates at a date.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use super::commitments::{ReservedTerms, SavingsPlan};
use super::embedded;
use crate::money::{MoneyError, Rate};
use crate::opened;
use crate::time::Date;
use crate::units::Exact;
use crate::usage::{FreeTier, UsageType};

/// The name of the book with the prices that are the same in every region.
const GLOBAL: &str = "global";

/// The largest price book that is accepted: 16 MB.
const BOOK_BYTES_MAX: u64 = 16 << 20;

/// One published price: code, unit, tier, the day it took effect, its source and how certain it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedRate {
    /// What it prices, such as `write_request_unit_standard`.
    pub code: String,
    /// The unit as the offer writes it.
    pub unit: String,
    /// The first unit of the tier.
    pub tier_from: u64,
    /// The price of one unit.
    pub rate: Rate,
    /// The day it took effect, or the first day on which a source shows it.
    pub effective_from: Date,
    /// Whether `effective_from` is only the day on which the price was first seen; the price is
    /// older.
    pub first_seen: bool,
    /// Keys of sources, joined by `+`.
    pub source: String,
    /// `high`, `medium` or `low`.
    pub confidence: String,
}

/// Part of a price that depends on the quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The first unit of the tier.
    pub from: u64,
    /// Its published price.
    pub published: Arc<PublishedRate>,
}

/// A rate that a book does not have, with what it has instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the price book of {region} at {date} has no {code}{has}")]
pub struct MissingRate {
    /// The requested region.
    pub region: String,
    /// The requested date.
    pub date: String,
    /// The requested code.
    pub code: String,
    /// What the book has instead; may be empty.
    pub has: String,
}

/// Why there is no book.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BookError {
    /// No such region.
    #[error(
        "there is no price book for region {region:?}{suggestion}; there are price books for \
         {known}"
    )]
    Region {
        /// The requested region.
        region: String,
        /// ` (did you mean …?)`, or empty.
        suggestion: String,
        /// The regions that have one.
        known: String,
    },
    /// The region has books, but none that early.
    #[error(
        "there is no price book for {region} at {date}: its prices are known from {starts} \
         on{others}"
    )]
    TooEarly {
        /// The requested region.
        region: String,
        /// The requested date.
        date: String,
        /// The first date with a book.
        starts: String,
        /// Which regions have one at that date.
        others: String,
    },
    /// A book file cannot be read.
    #[error("{path}: {message}")]
    File {
        /// The file.
        path: String,
        /// What is wrong.
        message: String,
    },
}

/// A price book file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BookFile {
    region: String,
    location: Option<String>,
    /// The prefix of the region's usage types on a bill.
    usage_prefix: Option<String>,
    /// The prefix in the names of transfers between regions, if it differs.
    transfer_prefix: Option<String>,
    rates: Vec<RateFile>,
    reserved_capacity: Option<ReservedTerms>,
    savings_plan: Option<SavingsPlan>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RateFile {
    code: String,
    unit: String,
    usd: String,
    #[serde(default)]
    tier_from: u64,
    effective_from: Option<String>,
    seen_from: Option<String>,
    source: String,
    confidence: String,
}

/// All known prices of one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RegionBook {
    pub(super) region: String,
    pub(super) location: String,
    pub(super) prefix: Option<String>,
    pub(super) transfer_prefix: Option<String>,
    pub(super) rates: Vec<Arc<PublishedRate>>,
    pub(super) reserved_capacity: Option<ReservedTerms>,
    pub(super) savings_plan: Option<SavingsPlan>,
}

/// A region's rates at one date.
#[derive(Clone, Debug)]
pub struct PriceBook {
    book: Arc<RegionBook>,
    global: Arc<RegionBook>,
    date: Date,
}

/// The price books of all regions, read when they are needed.
#[derive(Debug)]
pub struct Books {
    texts: BTreeMap<String, (String, TextSource)>,
    read: BTreeMap<String, OnceLock<Result<Arc<RegionBook>, BookError>>>,
}

#[derive(Debug)]
enum TextSource {
    Embedded(&'static str),
    File(PathBuf),
}

impl Books {
    /// The books that are embedded in the binary.
    pub fn embedded() -> Books {
        let books = embedded::BOOKS.iter().map(|(region, text)| {
            (
                region.to_string(),
                (format!("pricing/{region}.toml"), TextSource::Embedded(text)),
            )
        });
        Books::new(books.collect())
    }

    /// The books of a folder: every `REGION.toml` in it. If the folder has no `global.toml`, the
    /// embedded one is used.
    ///
    /// # Errors
    /// [`BookError::File`] if the folder cannot be read or has no book.
    pub fn from_folder(folder: &Path) -> Result<Books, BookError> {
        let failed = |message: String| BookError::File {
            path: folder.display().to_string(),
            message,
        };
        let entries = std::fs::read_dir(folder)
            .map_err(|error| failed(format!("cannot read the folder of price books: {error}")))?;
        let mut texts = BTreeMap::new();
        for path in entries.flatten().map(|entry| entry.path()) {
            let region = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .to_string();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
                && region != "sources"
            {
                texts.insert(region, (path.display().to_string(), TextSource::File(path)));
            }
        }
        if texts.keys().all(|region| region == GLOBAL) {
            return Err(failed(
                "the folder has no price book; a price book is a file such as us-east-1.toml"
                    .to_string(),
            ));
        }
        let (name, text) = embedded::BOOKS
            .iter()
            .find(|(region, _)| *region == GLOBAL)
            .copied()
            .unwrap_or((GLOBAL, ""));
        texts
            .entry(GLOBAL.to_string())
            .or_insert((format!("pricing/{name}.toml"), TextSource::Embedded(text)));
        Ok(Books::new(texts))
    }

    fn new(texts: BTreeMap<String, (String, TextSource)>) -> Books {
        let read = texts
            .keys()
            .map(|region| (region.clone(), OnceLock::new()))
            .collect();
        Books { texts, read }
    }

    /// The regions that have a book, in alphabetical order.
    pub fn regions(&self) -> impl Iterator<Item = &str> {
        self.texts
            .keys()
            .map(String::as_str)
            .filter(|region| *region != GLOBAL)
    }

    /// The book of a region.
    pub(super) fn region(&self, region: &str) -> Result<Arc<RegionBook>, BookError> {
        if region != GLOBAL && self.texts.contains_key(region) {
            return self.load(region);
        }
        let known: Vec<&str> = self.regions().collect();
        let asked: String = region.chars().take(80).collect();
        let near = known
            .iter()
            .min_by_key(|known| strsim::levenshtein(known, &asked))
            .filter(|known| strsim::levenshtein(known, &asked) <= 3);
        let suggestion = near
            .map(|near| format!(" (did you mean {near:?}?)"))
            .unwrap_or_default();
        Err(BookError::Region {
            region: asked,
            suggestion,
            known: known.join(", "),
        })
    }

    /// Loads a book; each is read once.
    fn load(&self, region: &str) -> Result<Arc<RegionBook>, BookError> {
        let (Some((name, source)), Some(read)) = (self.texts.get(region), self.read.get(region))
        else {
            return Err(BookError::File {
                path: region.to_string(),
                message: "there is no such price book".to_string(),
            });
        };
        let load = || match source {
            TextSource::Embedded(text) => parse(name, text),
            TextSource::File(path) => {
                let failed = |message: String| BookError::File {
                    path: name.clone(),
                    message,
                };
                let unreadable =
                    |error: std::io::Error| failed(format!("cannot read the price book: {error}"));
                let size = std::fs::metadata(path).map_err(unreadable)?;
                if !size.is_file() || size.len() > BOOK_BYTES_MAX {
                    return Err(failed(
                        "a price book must be a regular file of at most 16 MB".to_string(),
                    ));
                }
                parse(name, &opened::read_to_string(path).map_err(unreadable)?)
            }
        };
        let book = read.get_or_init(load).clone()?;
        if book.region == region {
            Ok(book)
        } else {
            let message = format!(
                "the price book is for region {:?}; name the file after its region",
                book.region
            );
            Err(BookError::File {
                path: name.clone(),
                message,
            })
        }
    }

    /// The book of a region at a date; the newest prices if no date is given.
    ///
    /// # Errors
    /// [`BookError`] if there is no book for the region at the date.
    pub fn book(&self, region: &str, date: Option<Date>) -> Result<PriceBook, BookError> {
        let book = self.region(region)?;
        let starts = book.starts();
        let date = match date.or_else(|| book.rates.iter().map(|rate| rate.effective_from).max()) {
            Some(date) if starts.is_some_and(|starts| date >= starts) => date,
            Some(date) => {
                let early: Vec<&str> = self
                    .regions()
                    .filter(|other| {
                        self.region(other)
                            .is_ok_and(|book| book.starts().is_some_and(|starts| starts <= date))
                    })
                    .collect();
                let others = if early.is_empty() {
                    String::new()
                } else {
                    format!(
                        "; at that date there are price books for {}",
                        early.join(", ")
                    )
                };
                let starts = starts.map_or("no date".to_string(), |starts| starts.to_string());
                return Err(BookError::TooEarly {
                    region: region.to_string(),
                    date: date.to_string(),
                    starts,
                    others,
                });
            }
            None => {
                return Err(BookError::File {
                    path: region.to_string(),
                    message: "the book has no rates".to_string(),
                });
            }
        };
        Ok(PriceBook {
            book,
            global: self.load(GLOBAL)?,
            date,
        })
    }

    /// The text of a book; `None` if there is no such book.
    pub(super) fn text(&self, region: &str) -> Result<Option<String>, BookError> {
        let Some((name, source)) = self.texts.get(region) else {
            return Ok(None);
        };
        // Load it first, so that errors in it are reported.
        self.load(region)?;
        match source {
            TextSource::Embedded(text) => Ok(Some(text.to_string())),
            TextSource::File(path) => {
                opened::read_to_string(path)
                    .map(Some)
                    .map_err(|error| BookError::File {
                        path: name.clone(),
                        message: format!("cannot read the price book: {error}"),
                    })
            }
        }
    }

    /// The first date of a region's book, and the last date on which one of its prices took effect
    /// or was first seen.
    ///
    /// # Errors
    /// [`BookError`] if the region has no book.
    pub fn span(&self, region: &str) -> Result<(Date, Date), BookError> {
        let book = self.region(region)?;
        let empty = || BookError::File {
            path: region.to_string(),
            message: "the book has no rates".to_string(),
        };
        let last = book.rates.iter().map(|rate| rate.effective_from).max();
        Ok((book.starts().ok_or_else(empty)?, last.ok_or_else(empty)?))
    }
}

fn parse(name: &str, text: &str) -> Result<Arc<RegionBook>, BookError> {
    let failed = |message: String| BookError::File {
        path: name.to_string(),
        message,
    };
    let file: BookFile =
        toml::from_str(text).map_err(|error| failed(error.to_string().trim_end().to_string()))?;
    let mut rates: Vec<Arc<PublishedRate>> = Vec::with_capacity(file.rates.len());
    for row in file.rates {
        let (date, first_seen) = match (&row.effective_from, &row.seen_from) {
            (Some(date), None) => (date, false),
            (None, Some(date)) => (date, true),
            _ => {
                return Err(failed(format!(
                    "{}: a rate must have either effective_from or seen_from, not both",
                    row.code
                )));
            }
        };
        let effective_from = Date::parse(date).ok_or_else(|| {
            failed(format!(
                "{}: {date:?} is not a date; write YYYY-MM-DD",
                row.code
            ))
        })?;
        let rate = Rate::parse(&row.usd)
            .map_err(|error: MoneyError| failed(format!("{}: {error}", row.code)))?;
        rates.push(Arc::new(PublishedRate {
            code: row.code,
            unit: row.unit,
            tier_from: row.tier_from,
            rate,
            effective_from,
            first_seen,
            source: row.source,
            confidence: row.confidence,
        }));
    }
    rates.sort_by(|a, b| {
        (&a.code, a.tier_from, a.effective_from).cmp(&(&b.code, b.tier_from, b.effective_from))
    });
    let twice = rates.windows(2).find(|pair| {
        (&pair[0].code, pair[0].tier_from, pair[0].effective_from)
            == (&pair[1].code, pair[1].tier_from, pair[1].effective_from)
    });
    if let Some([rate, _]) = twice {
        return Err(failed(format!(
            "{} occurs twice for tier {} and date {}; each rate must be unique",
            rate.code, rate.tier_from, rate.effective_from
        )));
    }
    let first = rates
        .chunk_by(|one, other| one.code == other.code)
        .find(|tiers| tiers.iter().all(|rate| rate.tier_from > 0));
    if let Some([rate, ..]) = first {
        return Err(failed(format!(
            "{} has no tier that starts at 0; its first tier starts at {}",
            rate.code, rate.tier_from
        )));
    }
    let location = file.location.unwrap_or_else(|| file.region.clone());
    Ok(Arc::new(RegionBook {
        region: file.region,
        location,
        prefix: file.usage_prefix,
        transfer_prefix: file.transfer_prefix,
        rates,
        reserved_capacity: file.reserved_capacity,
        savings_plan: file.savings_plan,
    }))
}

impl RegionBook {
    /// The first date for which a write request unit has a price: before it, there is no book.
    fn starts(&self) -> Option<Date> {
        let writes = self
            .rates
            .iter()
            .filter(|rate| rate.code == "write_request_unit_standard");
        writes
            .map(|rate| rate.effective_from)
            .min()
            .or_else(|| self.rates.iter().map(|rate| rate.effective_from).min())
    }

    /// The rates of a code in force at a date, by tier.
    fn at(&self, code: &str, date: Date) -> Vec<Tier> {
        let first = self.rates.partition_point(|rate| rate.code.as_str() < code);
        let rates = self.rates[first..]
            .iter()
            .take_while(|rate| rate.code == code);
        in_force(rates, date)
            .into_iter()
            .map(|(from, published)| Tier { from, published })
            .collect()
    }
}

/// The rates of one code that are in force on a day, by tier: the newest that has taken effect; if
/// there is none, the oldest one whose date is only when it was first seen.
pub(super) fn in_force<'a>(
    rates: impl IntoIterator<Item = &'a Arc<PublishedRate>>,
    day: Date,
) -> BTreeMap<u64, Arc<PublishedRate>> {
    let mut tiers: BTreeMap<u64, Arc<PublishedRate>> = BTreeMap::new();
    for rate in rates
        .into_iter()
        .filter(|rate| rate.effective_from <= day || rate.first_seen)
    {
        let newer = tiers.get(&rate.tier_from).is_none_or(|known| {
            rate.effective_from <= day && rate.effective_from > known.effective_from
                || known.effective_from > day && rate.effective_from < known.effective_from
        });
        if newer {
            tiers.insert(rate.tier_from, rate.clone());
        }
    }
    tiers
}

impl PriceBook {
    /// The region.
    pub fn region(&self) -> &str {
        &self.book.region
    }

    /// The region's name as AWS writes it, such as `US East (N. Virginia)`.
    pub fn location(&self) -> &str {
        &self.book.location
    }

    /// The date.
    pub fn date(&self) -> Date {
        self.date
    }

    /// The tiers of a usage type, lowest first; never empty.
    ///
    /// # Errors
    /// [`MissingRate`], with what the book has instead, if it has no rate for that usage type.
    pub fn tiers(&self, usage: &UsageType) -> Result<Vec<Tier>, MissingRate> {
        let code = usage.code();
        let book = if usage.has_global_price() {
            &self.global
        } else {
            &self.book
        };
        let tiers = book.at(&code, self.date);
        if !tiers.is_empty() {
            return Ok(tiers);
        }
        let derived = match usage {
            UsageType::Planned(covered) => self.under_plan(&code, covered),
            &UsageType::AWS_BACKUP_WARM => self.as_on_demand_backup(&code),
            _ => None,
        };
        derived
            .map(|tier| vec![tier])
            .ok_or_else(|| self.missing(&code))
    }

    /// The price of a usage type under a savings plan: its list price less the plan's discount.
    /// `None` if the plan does not cover it.
    fn under_plan(&self, code: &str, covered: &UsageType) -> Option<Tier> {
        let plan = self.savings_plan()?;
        let percent = plan.percent(covered)?;
        let list = self.list_price(covered)?;
        let published = PublishedRate {
            code: code.to_string(),
            tier_from: 0,
            rate: list.rate.less(&Exact::from(percent)).ok()?,
            source: format!("{}+{}", list.source, plan.source),
            ..(*list).clone()
        };
        Some(Tier {
            from: 0,
            published: Arc::new(published),
        })
    }

    /// The price of AWS Backup's warm storage: that of on-demand backups.
    ///
    /// Source: AWS Backup Developer Guide, "Advanced DynamoDB backup": "There is no difference in
    /// warm backup storage pricing".
    fn as_on_demand_backup(&self, code: &str) -> Option<Tier> {
        let own = self.list_price(&UsageType::BACKUP)?;
        let published = PublishedRate {
            code: code.to_string(),
            source: format!("{}+BACKUP-GUIDE-DDB", own.source),
            confidence: "medium".to_string(),
            ..(*own).clone()
        };
        Some(Tier {
            from: 0,
            published: Arc::new(published),
        })
    }

    /// The list price of a usage type: its first tier that is not free; `None` if the book has
    /// none.
    pub fn list_price(&self, usage: &UsageType) -> Option<Arc<PublishedRate>> {
        self.tiers(usage)
            .ok()?
            .into_iter()
            .map(|tier| tier.published)
            .find(|published| !published.rate.is_zero())
    }

    /// The list price of a usage type, as a number.
    pub fn list_rate(&self, usage: &UsageType) -> Option<Exact> {
        self.list_price(usage)
            .map(|published| Exact::from(published.rate.decimal()))
    }

    /// How much of a usage type is free for an account in a month in this region: the size of its
    /// tier at $0.
    pub fn free_quantity(&self, usage: &UsageType) -> Exact {
        let tiers = self.tiers(usage).unwrap_or_default();
        match tiers.as_slice() {
            [first, next, ..] if first.published.rate.is_zero() => Exact::from(next.from),
            _ => Exact::zero(),
        }
    }

    /// Whether the region has a free tier.
    pub fn gives(&self, tier: FreeTier) -> bool {
        tier.usage_types()
            .iter()
            .any(|usage| !self.free_quantity(usage).is_zero())
    }

    /// The terms of reserved capacity; `None` if the books do not have them.
    pub fn reserved_terms(&self) -> Option<&ReservedTerms> {
        self.book
            .reserved_capacity
            .as_ref()
            .or(self.global.reserved_capacity.as_ref())
    }

    /// The discounts of a Database Savings Plan; `None` if the books do not have them.
    pub fn savings_plan(&self) -> Option<&SavingsPlan> {
        self.book
            .savings_plan
            .as_ref()
            .or(self.global.savings_plan.as_ref())
    }

    /// Whether Database Savings Plans are sold at the date that was asked for. Without one, prices count as
    /// current, even if they were read before the plans existed.
    pub fn sells_savings_plans(&self, asked: Option<Date>) -> bool {
        self.savings_plan()
            .is_some_and(|plan| asked.is_none() || self.date() >= plan.sold_from)
    }

    /// The prefix of the region's usage types on a bill, such as `USE1`; `None` if the book does
    /// not have it.
    pub fn usage_prefix(&self) -> Option<&str> {
        self.book.prefix.as_deref()
    }

    /// The prefix of the region in the names of transfers between regions, such as `EUW1`.
    pub fn transfer_prefix(&self) -> Option<&str> {
        self.book.transfer_prefix.as_deref().or(self.usage_prefix())
    }

    fn missing(&self, code: &str) -> MissingRate {
        let family = [
            "dax_node_hour_",
            "data_transfer_inter_region_to_",
            "reserved_",
        ]
        .into_iter()
        .find(|family| code.starts_with(family));
        let mut has: Vec<&str> = self
            .book
            .rates
            .iter()
            .filter_map(|rate| family.and_then(|family| rate.code.strip_prefix(family)))
            .collect();
        has.dedup();
        let later = self
            .book
            .rates
            .iter()
            .find(|rate| rate.code == code)
            .map(|rate| rate.effective_from);
        let has = match (later, family) {
            (Some(later), _) => format!(" (it is known from {later} on)"),
            (None, Some(family)) if has.is_empty() => {
                format!(
                    ", nor any other {family}…; add it to a copy of the price books and use them \
                     with `--prices DIR`"
                )
            }
            (None, Some(family)) => format!("; of {family}… it has {}", has.join(", ")),
            (None, None) => String::new(),
        };
        MissingRate {
            region: self.region().to_string(),
            date: self.date.to_string(),
            code: code.to_string(),
            has,
        }
    }

    /// Every rate in force, by code and tier.
    pub fn rates(&self) -> Vec<Tier> {
        let mut codes: Vec<&str> = self
            .book
            .rates
            .iter()
            .map(|rate| rate.code.as_str())
            .collect();
        codes.dedup();
        codes
            .into_iter()
            .flat_map(|code| self.book.at(code, self.date))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text).expect(text)
    }

    fn usd(region: &str, when: &str, code: &str) -> String {
        let tiers = Books::embedded()
            .book(region, Some(date(when)))
            .expect("a book")
            .tiers(&UsageType::of_code(code))
            .expect(code);
        tiers.last().expect("a tier").published.rate.to_string()
    }

    #[test]
    fn every_embedded_book_can_be_read() {
        let books = Books::embedded();
        assert_eq!(books.regions().count(), 36);
        for region in books.regions() {
            books
                .book(region, None)
                .unwrap_or_else(|error| panic!("{error}"));
        }
    }

    #[test]
    fn a_price_is_that_of_its_date() {
        assert_eq!(
            usd("us-east-1", "2024-10-31", "write_request_unit_standard"),
            "0.00000125"
        );
        assert_eq!(
            usd("us-east-1", "2024-11-01", "write_request_unit_standard"),
            "0.000000625"
        );
        assert_eq!(
            usd(
                "us-east-1",
                "2024-10-31",
                "replicated_write_capacity_unit_hour_standard"
            ),
            "0.000975"
        );
        // First seen in 2025, and older than that.
        assert_eq!(usd("us-east-1", "2024-10-31", "storage_standard"), "0.25");
    }

    #[test]
    fn a_missing_book_or_rate_says_what_there_is() {
        let books = Books::embedded();
        let error = books
            .book("us-east1", None)
            .expect_err("no such region")
            .to_string();
        assert!(
            error.contains("did you mean \"us-east-1\"?") && error.contains("af-south-1"),
            "{error}"
        );
        let error = books
            .book("ap-south-1", Some(date("2024-10-01")))
            .expect_err("too early")
            .to_string();
        assert!(
            error.contains("2024-11-01") && error.contains("eu-west-1, us-east-1, us-east-2"),
            "{error}"
        );
        let book = books.book("us-east-2", None).expect("a book");
        let error = book
            .tiers(&UsageType::of_code("dax_node_hour_r4.large"))
            .expect_err("no r4")
            .to_string();
        assert!(error.contains("it has r5.large"), "{error}");
        assert!(
            book.tiers(&UsageType::of_code("reserved_3yr_write_hourly"))
                .is_err()
        );
        // The old price of Standard-IA was never seen: it is unknown, not the new one.
        let old = books
            .book("us-east-1", Some(date("2024-10-01")))
            .expect("a book");
        assert!(
            old.tiers(&UsageType::of_code("write_request_unit_ia"))
                .is_err()
        );
    }
}
