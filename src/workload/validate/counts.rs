//! How many items a call reads or writes: numbers, means, distributions, and those of each entity.

use super::Checker;
use super::pattern::{CheckedAccess, PatternItems};
use crate::units::Exact;
use crate::workload::decode::{Known, Located};
use crate::workload::file::{CountBucketFile, CountFile, EntityCounts, ItemsFile};
use crate::workload::{Counts, ReadItems};

/// The largest number of items that one call can evaluate.
pub(super) const COUNT_MAX: u64 = 1_000_000_000_000_000;

/// At most this many combinations of numbers of items of different entities are metered.
const COMBINATIONS_MAX: usize = 10_000;

/// What a number of items can be, and how it is named in messages.
#[derive(Clone, Copy)]
pub(super) struct Allowed {
    pub code: &'static str,
    pub what: &'static str,
    pub least: u64,
    pub most: u64,
}

impl Allowed {
    /// At least one item, and at most as many as the API allows in one call.
    pub(super) fn batch(what: &'static str, most: u64) -> Allowed {
        Allowed {
            code: "batch-size",
            what,
            least: 1,
            most,
        }
    }
}

impl Checker<'_> {
    /// The items that one call reads: of one kind, or of each entity.
    pub(super) fn reads(
        &mut self,
        items: &Located<Known<ItemsFile>>,
        allowed: &Allowed,
        checked: &CheckedAccess,
    ) -> Option<Vec<ReadItems>> {
        let parts = match &items.value {
            Known::Unknown => return Some(vec![checked.items.read(Counts::of(1))]),
            Known::Given(ItemsFile::One(count)) => {
                let count = self.counts(count, &items.span, allowed)?;
                vec![checked.items.read(count)]
            }
            Known::Given(ItemsFile::ByEntity(counts)) => {
                let counts = self.by_entity(counts, &items.span, allowed, checked)?;
                counts
                    .into_iter()
                    .map(|(items, counts)| items.read(counts))
                    .collect()
            }
        };
        let combinations = parts
            .iter()
            .map(|read| read.counts.iter().count())
            .fold(1_usize, usize::saturating_mul);
        if combinations > COMBINATIONS_MAX {
            let message = format!(
                "the histograms have {combinations} combinations; at most {COMBINATIONS_MAX} are \
                 possible"
            );
            let help = "use fewer entries, or the mean of some entities";
            self.report("shares-sum", &items.span, message, help);
            return None;
        }
        Some(parts)
    }

    /// The items of each entity, with their numbers.
    pub(super) fn by_entity(
        &mut self,
        counts: &EntityCounts,
        span: &std::ops::Range<usize>,
        allowed: &Allowed,
        checked: &CheckedAccess,
    ) -> Option<Vec<(PatternItems, Counts)>> {
        if let Some(entity) = &checked.access.entity {
            let message = "`items` already names the entities";
            self.report("entity", &entity.span, message, "remove `entity`");
        }
        let each = Allowed {
            least: 0,
            ..*allowed
        };
        let mut all = Vec::new();
        for (name, count) in counts {
            let items = self.items_of_entity(name, checked.of)?;
            all.push((items, self.counts(count, &count.span, &each)?));
        }
        let most: Exact = all.iter().map(|(_, counts)| counts.limited()).sum();
        let (low, high) = (Exact::from(allowed.least), Exact::from(allowed.most));
        let mean: Exact = all.iter().map(|(_, counts)| counts.mean()).sum();
        if most > high || mean < low {
            let message = format!(
                "{} must be from {low} to {high}, found up to {most}",
                allowed.what
            );
            self.report(allowed.code, span, message, "split the call");
        }
        Some(all)
    }

    /// The numbers of items of one kind; `None` if they are wrong.
    pub(super) fn counts(
        &mut self,
        count: &CountFile,
        span: &std::ops::Range<usize>,
        allowed: &Allowed,
    ) -> Option<Counts> {
        let counts = match count {
            CountFile::Number(number) => Counts::around(&number.0),
            CountFile::Mean(mean) => Counts::around(&mean.mean.0),
            CountFile::Histogram(histogram) => self.count_histogram(&histogram.histogram)?,
        };
        let least = Exact::from(allowed.least);
        if counts.most() > allowed.most || counts.mean() < least {
            let (low, high) = (least, Exact::from(allowed.most));
            let message = format!(
                "{} must be from {low} to {high}, found {}",
                allowed.what,
                counts.mean().as_written()
            );
            let help = format!("write a number from {low} to {high}");
            self.report(allowed.code, span, message, help);
            return None;
        }
        Some(counts)
    }

    /// Numbers of items with the shares of calls that have them.
    fn count_histogram(
        &mut self,
        buckets: &Located<Vec<Located<CountBucketFile>>>,
    ) -> Option<Counts> {
        let mut shares = Vec::new();
        for bucket in buckets.iter() {
            let count = self.whole("needs", "a number of items", &bucket.items, 0..=COUNT_MAX);
            shares.push((count, self.share(Some(&bucket.share), Exact::zero())));
        }
        let total: Exact = shares.iter().map(|(_, share)| share.clone()).sum();
        let is_whole = !buckets.iter().any(|bucket| bucket.is_placeholder());
        if total != Exact::one() && is_whole {
            let message = format!("the shares add up to {}, not to 1", total.as_written());
            self.report("shares-sum", &buckets.span, message, "correct the shares");
            return None;
        }
        Some(Counts::shared(shares))
    }
}
