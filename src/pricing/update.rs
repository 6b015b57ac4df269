//! Imports offers into the price books: new prices become additional dated lines, old ones stay.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::book::{BookError, Books, PublishedRate, in_force};
use super::diff::ChangedRate;
use super::offer::{OfferedRate, PriceListFile};
use crate::money::Rate;

/// Price books after an import of offers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BookUpdate {
    /// The text of each book, by region: those of the offers, with their new lines, and the others
    /// as they were.
    pub texts: BTreeMap<String, String>,
    /// How many prices of the offers the books already had.
    pub confirmed: u64,
    /// What is new: the price before, if there was one, and after.
    pub changed: Vec<ChangedRate>,
    /// The regions that had no book.
    pub new_regions: Vec<String>,
}

/// Imports offers.
///
/// A price that differs from the one in force on the offer's day becomes a new line from that day
/// on; a price that the books never had is marked as first seen on that day. If the tiers have
/// changed, a removed tier continues at the price of the tier that now includes it.
///
/// # Errors
/// [`BookError`] if a book cannot be read, or if two offers have different prices for one day.
pub fn update(books: &Books, offers: &[PriceListFile]) -> Result<BookUpdate, BookError> {
    let mut by_region: BTreeMap<&str, Vec<(&OfferedRate, &PriceListFile)>> = BTreeMap::new();
    for offer in offers {
        for rate in &offer.rates {
            by_region
                .entry(&rate.region)
                .or_default()
                .push((rate, offer));
        }
    }
    let mut update = BookUpdate {
        texts: BTreeMap::new(),
        confirmed: 0,
        changed: Vec::new(),
        new_regions: Vec::new(),
    };
    let known: BTreeSet<String> = books.regions().map(str::to_string).collect();
    for region in known.iter().map(String::as_str).chain(["global"]) {
        if let Some(text) = books.text(region)? {
            update.texts.insert(region.to_string(), text);
        }
    }
    for (region, offered) in by_region {
        let mut book = match known.contains(region) {
            true => OpenBook::of(books, region)?,
            false => {
                update.new_regions.push(region.to_string());
                let location = offers
                    .iter()
                    .find_map(|offer| offer.locations.get(region))
                    .cloned();
                OpenBook {
                    region: region.to_string(),
                    location: location.unwrap_or_else(|| region.to_string()),
                    prefix: None,
                    transfer_prefix: None,
                    rates: Vec::new(),
                }
            }
        };
        let before = update.changed.len();
        let mut codes: Vec<&str> = offered.iter().map(|(rate, _)| rate.code.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        for code in codes {
            let tiers: Vec<_> = offered
                .iter()
                .filter(|(rate, _)| rate.code == code)
                .copied()
                .collect();
            book.take(code, &tiers, &mut update)?;
        }
        if update.changed.len() > before {
            update.texts.insert(region.to_string(), book.text());
        }
    }
    Ok(update)
}

/// A book that is being changed.
#[derive(Clone, Debug)]
pub(super) struct OpenBook {
    pub region: String,
    pub location: String,
    pub prefix: Option<String>,
    pub transfer_prefix: Option<String>,
    pub rates: Vec<Arc<PublishedRate>>,
}

impl OpenBook {
    /// The book of a region.
    fn of(books: &Books, region: &str) -> Result<OpenBook, BookError> {
        let book = books.region(region)?;
        Ok(OpenBook {
            region: book.region.clone(),
            location: book.location.clone(),
            prefix: book.prefix.clone(),
            transfer_prefix: book.transfer_prefix.clone(),
            rates: book.rates.clone(),
        })
    }

    /// Imports the tiers of a code.
    fn take(
        &mut self,
        code: &str,
        offered: &[(&OfferedRate, &PriceListFile)],
        update: &mut BookUpdate,
    ) -> Result<(), BookError> {
        let Some(day) = offered.iter().map(|(rate, _)| rate.effective_from).max() else {
            return Ok(());
        };
        let mut wanted = self.offered_tiers(code, offered)?;
        let in_force = in_force(self.rates.iter().filter(|rate| rate.code == code), day);
        let (unit, source) = wanted
            .values()
            .next()
            .map(|(_, unit, source)| (unit.clone(), source.clone()))
            .unwrap_or_default();
        // A removed tier becomes part of the one below it.
        for tier in in_force
            .keys()
            .filter(|tier| !wanted.contains_key(tier))
            .copied()
            .collect::<Vec<_>>()
        {
            if let Some((_, (rate, ..))) = wanted.range(..tier).next_back() {
                wanted.insert(tier, (*rate, unit.clone(), source.clone()));
            }
        }
        for (tier_from, (rate, unit, source)) in wanted {
            let before = in_force.get(&tier_from).cloned();
            if before.as_ref().is_some_and(|before| before.rate == rate) {
                update.confirmed += 1;
                continue;
            }
            // The price before a new tier was that of the tier that it was part of.
            let part_of = in_force
                .range(..tier_from)
                .next_back()
                .map(|(_, published)| published.clone());
            if before.is_none()
                && part_of.as_ref().is_some_and(|part| part.rate == rate)
                && tier_from > 0
            {
                update.confirmed += 1;
                continue;
            }
            let after = PublishedRate {
                code: code.to_string(),
                unit,
                tier_from,
                rate,
                effective_from: day,
                first_seen: in_force.is_empty(),
                source,
                confidence: "high".to_string(),
            };
            let before = before.or(part_of).map(|published| (*published).clone());
            update.changed.push(self.add(after, before)?);
        }
        Ok(())
    }

    /// The offered price of each tier of a code, with its unit and its source.
    fn offered_tiers(
        &self,
        code: &str,
        offered: &[(&OfferedRate, &PriceListFile)],
    ) -> Result<BTreeMap<u64, (Rate, String, String)>, BookError> {
        let mut wanted: BTreeMap<u64, (Rate, String, String)> = BTreeMap::new();
        for (rate, offer) in offered {
            let source = format!("{}-{}", offer.code, offer.version);
            if let Some((other, _, known)) = wanted.insert(
                rate.tier_from,
                (rate.rate, rate.unit.clone(), source.clone()),
            ) && other != rate.rate
            {
                let message = format!(
                    "{code} has two prices for the tier from {} on: {other} ({known}) and {} \
                     ({source})",
                    rate.tier_from, rate.rate
                );
                return Err(BookError::File {
                    path: self.region.clone(),
                    message,
                });
            }
        }
        Ok(wanted)
    }

    /// Adds a rate to the book, unless it has another one from the same day on.
    fn add(
        &mut self,
        after: PublishedRate,
        before: Option<PublishedRate>,
    ) -> Result<ChangedRate, BookError> {
        let key = |rate: &PublishedRate| (rate.code.clone(), rate.tier_from, rate.effective_from);
        if let Some(same) = self.rates.iter().find(|one| key(one) == key(&after)) {
            let message = format!(
                "{} already has the price {} from {} on ({}), but the offer has {} ({})",
                after.code, same.rate, after.effective_from, same.source, after.rate, after.source
            );
            return Err(BookError::File {
                path: self.region.clone(),
                message,
            });
        }
        self.rates.push(Arc::new(after.clone()));
        Ok(ChangedRate {
            region: self.region.clone(),
            code: after.code.clone(),
            tier_from: after.tier_from,
            before,
            after: Some(after),
        })
    }

    /// The book as a file.
    pub fn text(&self) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_string()).to_string();
        let mut rates = self.rates.clone();
        rates.sort_by(|a, b| {
            (&a.code, a.tier_from, a.effective_from).cmp(&(&b.code, b.tier_from, b.effective_from))
        });
        let mut text = format!(
            "# Prices of {}, US dollars per unit. One line per rate; a newer rate is a new \
             line.\n# effective_from: the day the price took effect. seen_from: the first day on \
             which a source shows a price that took effect earlier.\n# tier_from: the first unit \
             of the tier (default: 0). Sources: sources.toml.\n\nregion = {}\nlocation = {}\n",
            self.location,
            quoted(&self.region),
            quoted(&self.location)
        );
        if let Some(prefix) = &self.prefix {
            text += &format!("usage_prefix = {}\n", quoted(prefix));
        }
        if let Some(prefix) = &self.transfer_prefix {
            text += &format!("transfer_prefix = {}\n", quoted(prefix));
        }
        text += "\nrates = [\n";
        for rate in rates {
            let tier = if rate.tier_from == 0 {
                String::new()
            } else {
                format!("tier_from = {}, ", rate.tier_from)
            };
            let day = if rate.first_seen {
                "seen_from"
            } else {
                "effective_from"
            };
            text += &format!(
                "  {{ code = {}, unit = {}, usd = {}, {tier}{day} = {}, source = {}, confidence = \
                 {} }},\n",
                quoted(&rate.code),
                quoted(&rate.unit),
                quoted(&rate.rate.to_string()),
                quoted(&rate.effective_from.to_string()),
                quoted(&rate.source),
                quoted(&rate.confidence)
            );
        }
        text + "]\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_that_is_written_anew_is_the_same_byte_for_byte() {
        let books = Books::embedded();
        for region in books.regions() {
            let text = books.text(region).expect("a book").expect("a text");
            assert_eq!(
                OpenBook::of(&books, region).expect("a book").text(),
                text,
                "{region}"
            );
        }
    }
}
