//! The month in which growth reaches a limit.

use super::limit::{Limit, LimitKind, LimitMonth};
use crate::forecast::{MONTHS_MAX, growth, items_by_month};
use crate::time::Date;
use crate::units::Exact;
use crate::workload::TableDesign;

/// Why a month is not known.
const NO_GROWTH: &str = "the file gives no `growth` of the table";

/// The months of a design.
pub(super) struct Calendar {
    /// The first day of the month that is estimated; `None` if it is not known.
    pub first: Option<Date>,
}

impl Calendar {
    fn month(&self, number: u64) -> LimitMonth {
        let later = u32::try_from(number - 1).unwrap_or(u32::MAX);
        match self.first.and_then(|first| first.months_later(later)) {
            Some(from) => LimitMonth::In { number, from },
            None => LimitMonth::Unknown("the date of the prices is not known".to_string()),
        }
    }

    /// The month in which the growth of a table reaches a limit.
    pub fn reaches(&self, table: Option<&TableDesign>, limit: &Limit) -> LimitMonth {
        if limit.factor <= Exact::one() && limit.kind != LimitKind::ItemSize {
            return self.month(1);
        }
        let Some(table) = table else {
            return LimitMonth::Unknown("tables of an account grow differently".to_string());
        };
        match limit.kind {
            LimitKind::InitialCapacity | LimitKind::WarmThroughput | LimitKind::Doubling => {
                LimitMonth::Never(
                    "an on-demand table follows growth that takes longer than 30 minutes"
                        .to_string(),
                )
            }
            LimitKind::ItemSize => {
                LimitMonth::Unknown("the file does not say how items grow in size".to_string())
            }
            LimitKind::ItemCollection | LimitKind::Partitions => {
                let items = items_by_month(table, MONTHS_MAX);
                let first = items.first().cloned().unwrap_or_default();
                let at = |items: &Exact| !first.is_zero() && items / &first >= limit.factor;
                let found = items.iter().position(at);
                match (found, items.last() == Some(&first)) {
                    (Some(at), _) => self.month(at as u64 + 1),
                    (None, true) => {
                        LimitMonth::Unknown("the writes of the file add no items".to_string())
                    }
                    (None, false) => not_in_time(),
                }
            }
            _ if table.growth.is_zero() => LimitMonth::Unknown(NO_GROWTH.to_string()),
            _ => (1..=MONTHS_MAX)
                .find(|number| growth(table, *number) >= limit.factor)
                .map_or_else(not_in_time, |number| self.month(number)),
        }
    }
}

fn not_in_time() -> LimitMonth {
    LimitMonth::Later(MONTHS_MAX / 12)
}
