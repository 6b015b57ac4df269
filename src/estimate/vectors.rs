//! What vector indexes are billed: bytes written, bytes searched, and storage (rule 11.5).

use super::TableContext;
use super::operations::pairs;
use super::site::Gap;
use crate::meter::{vector_search_bytes, vector_write_bytes};
use crate::storage::OVERHEAD_BYTES;
use crate::table::{EntryEffect, TableClass, Transition};
use crate::units::{Exact, GB, count_of};
use crate::usage::{Because, Usage, UsageType};
use crate::workload::{
    AccessPattern, IndexEntry, PatternCall, SizeClass, Traced, VectorIndex, VectorSearch,
    WriteKind, WritePlan,
};

/// Usage of the vector indexes of a table, in its home region.
pub(super) fn usage(design: &TableContext, gaps: &mut Vec<Gap>) -> Vec<Usage> {
    let mut lines = VectorLines {
        design,
        gaps,
        usage: Vec::new(),
    };
    let region = &design.workload.region;
    for (at, index) in design.table.vectors.iter().enumerate() {
        for access in &design.table.access {
            lines.writes(at, index, access);
        }
        lines.storage(at, index, region, design.table.table.class);
        for replica in design.copies() {
            lines.storage(at, index, &replica.region, replica.class);
            lines.gap(
                index,
                &replica.region,
                "its vector writes in this region",
                "AWS does not say how writes to vector indexes are replicated",
            );
        }
    }
    for search in &design.table.searches {
        lines.search(search);
    }
    lines.usage
}

struct VectorLines<'a> {
    design: &'a TableContext<'a>,
    gaps: &'a mut Vec<Gap>,
    usage: Vec<Usage>,
}

impl VectorLines<'_> {
    fn gap(&mut self, index: &VectorIndex, region: &str, what: &str, why: &str) {
        let class = self.design.table.table.class;
        self.gaps.push(Gap {
            unread: None,
            subject: self.design.subject(Some(&index.name), region, None),
            what: what.to_string(),
            why: why.to_string(),
            usage_type: UsageType::vector_writes(class),
            costs: true,
        });
    }

    /// The bytes that an access pattern writes to a vector index.
    fn writes(&mut self, at: usize, index: &VectorIndex, access: &AccessPattern) {
        let design = self.design;
        let class = design.table.table.class;
        let region = &design.workload.region;
        let subject = design.subject(Some(&index.name), region, Some(&access.name));
        let why = match &access.call {
            PatternCall::Unknown { why, .. } if !access.is_read() => Some(why.clone()),
            PatternCall::Counted { .. } if !access.is_read() => {
                Some("its units are known but its calls are not".to_string())
            }
            PatternCall::Traced(traced) if traced.writes && traced.vector_bytes.is_none() => {
                Some("a trace does not say what its writes do to vector indexes".to_string())
            }
            _ => None,
        };
        let each = match (why, &access.call) {
            (Some(why), _) => Err(why),
            (None, PatternCall::Traced(traced)) => Ok(traced_bytes(traced, at)),
            (None, _) => bytes_of_call(access, design, index),
        };
        match each {
            Ok(bytes) if bytes.is_zero() => {}
            Ok(bytes) => {
                let all = &access.calls * &bytes;
                let text = format!(
                    "{} x {} B of its vector, keys and projected attributes on average, at least 1 KB \
                     for each write",
                    count_of(access.calls.clone(), "call"),
                    bytes.human(3)
                );
                self.usage.push(Usage {
                    subject,
                    usage_type: UsageType::vector_writes(class),
                    quantity: all / Exact::from(GB),
                    because: vec![Because::rule("11.5", text)],
                });
            }
            Err(why) => self.gaps.push(Gap {
                unread: None,
                subject,
                what: format!("the bytes that it writes to {}", index.name),
                why,
                usage_type: UsageType::vector_writes(class),
                costs: true,
            }),
        }
    }

    /// The bytes that searches search.
    fn search(&mut self, search: &VectorSearch) {
        let design = self.design;
        let Some(index) = design.table.vectors.get(search.index) else {
            return;
        };
        let region = search.region.as_ref().unwrap_or(&design.workload.region);
        let class = design
            .copies()
            .find(|replica| replica.region == *region)
            .map_or(design.table.table.class, |replica| replica.class);
        let subject = design.subject(Some(&index.name), region, Some(&search.name));
        match (&search.calls, &search.bytes) {
            (Some(calls), Some(bytes)) => {
                let each = Exact::from(vector_search_bytes(*bytes).0);
                let text = format!(
                    "{} x {} B searched, at least 1 KB",
                    count_of(calls.clone(), "call"),
                    each.human(0)
                );
                self.usage.push(Usage {
                    subject,
                    usage_type: UsageType::vector_searches(class),
                    quantity: calls * &each / Exact::from(GB),
                    because: vec![Because::rule("11.5", text)],
                });
            }
            (calls, _) => {
                let why = match calls {
                    None => "the rate is \"unknown\"; give it as { per_second = … }",
                    Some(_) => {
                        "they do not follow from a design; measure them (CloudWatch's \
                         VectorSearchRequestBytes) and give `search_bytes`"
                    }
                };
                self.gaps.push(Gap {
                    unread: None,
                    subject,
                    what: "the bytes that it searches".to_string(),
                    why: why.to_string(),
                    usage_type: UsageType::vector_searches(class),
                    costs: true,
                });
            }
        }
    }

    fn storage(&mut self, at: usize, index: &VectorIndex, region: &str, class: TableClass) {
        let subject = self.design.subject(Some(&index.name), region, None);
        match self.design.table.held_by_vector(at) {
            Some(held) => {
                let text = format!(
                    "{} entries of {} B in all, and {OVERHEAD_BYTES} B for each",
                    held.count.human(0),
                    held.data.human(0)
                );
                self.usage.push(Usage {
                    subject,
                    usage_type: UsageType::Storage(class),
                    quantity: &held.billed(false) / &Exact::from(GB),
                    because: vec![Because::rule("11.5", text)],
                });
            }
            None => {
                let gap = self.design.entry_gap(
                    subject,
                    "the storage of its entries",
                    UsageType::Storage(class),
                );
                self.gaps.push(gap);
            }
        }
    }
}

/// The bytes that one call of a trace writes to a vector index on average, by its position.
fn traced_bytes(traced: &Traced, at: usize) -> Exact {
    let bytes = traced.vector_bytes.as_ref().and_then(|all| all.get(&at));
    let bytes = Exact::whole(bytes.copied().unwrap_or_default());
    bytes / Exact::from(traced.calls.max(1))
}

/// The bytes that one call writes to a vector index on average.
///
/// # Errors
/// Why they are not known.
fn bytes_of_call(
    access: &AccessPattern,
    design: &TableContext,
    index: &VectorIndex,
) -> Result<Exact, String> {
    let Some(applied) = access.call.applied() else {
        return Ok(Exact::zero());
    };
    let mut sum = Exact::zero();
    for (plan, counts) in access.call.plans() {
        let each = bytes_of_plan(plan, design, index)?;
        sum += &(&(&applied * &counts.mean()) * &each);
    }
    Ok(sum)
}

/// The bytes that one write writes to a vector index on average.
fn bytes_of_plan(
    plan: &WritePlan,
    design: &TableContext,
    index: &VectorIndex,
) -> Result<Exact, String> {
    let keys = &design.table.table.keys;
    let entry = |class: &SizeClass| match index.entry(class, keys) {
        IndexEntry::None => Ok(None),
        IndexEntry::Size(size) => Ok(Some(size)),
        IndexEntry::Unknown => Err(format!(
            "the size of an entry of {} is not known; describe the items by their attributes, or give \
             `entry_size`",
            index.name
        )),
    };
    let effect = match index.is_changed_by(plan.changes.as_deref(), keys) {
        true => EntryEffect::Rewrite,
        false => EntryEffect::Nothing,
    };
    let charged = |old, new| Exact::from(vector_write_bytes(Transition::of(old, new, effect)).0);
    let deletes = plan.kind == WriteKind::Delete;
    let (mut found, mut total) = (Exact::zero(), 0_u128);
    for (before, after, parts) in pairs(plan) {
        total += parts;
        let (old, new) = (entry(before)?, entry(after)?.filter(|_| !deletes));
        found += &(&(&charged(old, new) * &index.share(after)) * &Exact::whole(parts));
    }
    let mut all = match total {
        0 => Exact::zero(),
        total => &plan.finds * &(found / Exact::whole(total)),
    };
    if let (WriteKind::Put | WriteKind::Update, Some(sizes)) = (plan.kind, &plan.sizes) {
        let absent = Exact::one() - plan.finds.clone();
        for class in sizes.iter() {
            let share = index.share(class) * Exact::ratio(class.weight, sizes.total());
            all += &(&(&absent * &share) * &charged(None, entry(class)?));
        }
    }
    match plan.kind {
        WriteKind::ConditionCheck => Ok(Exact::zero()),
        WriteKind::Put | WriteKind::Update | WriteKind::Delete => Ok(all),
    }
}
