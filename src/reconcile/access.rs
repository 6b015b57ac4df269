//! A bill by access pattern: its usage, divided as the design expects it.

use rust_decimal::Decimal;

use super::difference::{Cell, Difference};
use super::totals::{Group, GroupKey};
use crate::bill::{Amounts, BilledKind};
use crate::money::{Money, MoneyError};
use crate::units::Exact;

/// The decimals of a part.
const PLACES: u32 = 12;

/// The usage of a bill, each part of it divided in proportion to the access patterns and indexes that
/// cause it in the design. Charges that are no usage are not divided.
pub(super) fn by_access(difference: &Difference) -> Result<Vec<Group>, MoneyError> {
    let mut groups = Vec::new();
    let billed = difference.cells.iter();
    for cell in billed.filter(|cell| cell.billed_quantity.is_some()) {
        groups.extend(parts(cell)?);
    }
    Ok(groups)
}

fn parts(cell: &Cell) -> Result<Vec<Group>, MoneyError> {
    let quantity = Exact::from(cell.billed_quantity.unwrap_or_default());
    let whole: Exact = cell.shares.iter().map(|share| share.quantity.clone()).sum();
    if whole.is_zero() {
        return Ok(vec![group(cell, None, None, quantity, cell.billed)]);
    }
    let mut left = cell.billed;
    let mut groups = Vec::new();
    for (at, share) in cell.shares.iter().enumerate() {
        let part = &share.quantity / &whole;
        let is_last = at + 1 == cell.shares.len();
        let billed = match is_last {
            true => left,
            false => {
                let exact = &Exact::from(cell.billed.decimal()) * &part;
                let rounded = exact.to_decimal(PLACES).map(Money::billed);
                rounded.ok_or_else(|| MoneyError::TooLarge("a part of the bill".to_string()))?
            }
        };
        left = left.minus(billed)?;
        let (index, access) = (share.index.clone(), share.access.clone());
        groups.push(group(cell, index, access, &quantity * &part, billed));
    }
    Ok(groups)
}

fn group(
    cell: &Cell,
    index: Option<String>,
    access: Option<String>,
    quantity: Exact,
    billed: Money,
) -> Group {
    let quantity: Option<Decimal> = quantity.to_decimal(PLACES);
    Group {
        key: GroupKey {
            service: cell.key.usage.service().to_string(),
            table: cell.key.table.clone(),
            kind: Some(BilledKind::Usage(cell.key.usage.clone())),
            region: cell.key.region.clone(),
            index,
            access,
            ..GroupKey::default()
        },
        amounts: Amounts {
            quantity,
            billed: Some(billed),
            list: None,
            net: None,
            amortised: None,
            ..Amounts::default()
        },
        usage: Some(billed),
    }
}
