//! Limits of capacity: the factor of traffic up to which designs hold, and their events.

use super::figure::Figure;
use super::{Budget, CheckedDesign, Designs, Limit, Measure, Place, Reason};
use crate::estimate::Metering;
use crate::headroom::{
    AccountHeadroom, EventAccount, EventOutcome, Headroom, HeadroomQuestion, HottestKeys, headroom,
};
use crate::pricing::{Books, Bound};
use crate::units::Exact;
use crate::usage::Subject;
use crate::workload::DesignPart;

/// How many reasons are told.
const REASONS: usize = 5;

/// The headroom of each current design, or why it is not known; nothing if no limit asks for it.
pub(super) fn of(
    designs: &Designs,
    budget: &Budget,
    books: &Books,
) -> Vec<Result<Headroom, String>> {
    let mut limits = budget.limits.iter();
    if !limits.any(|limit| limit.measure.is_of_capacity()) {
        return Vec::new();
    }
    let of_design = |design: &CheckedDesign| {
        let metering = Metering::new(&design.workload, books).map_err(|error| error.to_string())?;
        headroom(
            &metering,
            books,
            &HottestKeys::new(),
            &HeadroomQuestion::default(),
        )
        .map_err(|error| error.to_string())
    };
    designs.now.iter().map(of_design).collect()
}

/// The figure of a limit of capacity.
pub(super) fn figure(
    limit: &Limit,
    designs: &Designs,
    capacity: &[Result<Headroom, String>],
) -> Figure {
    let mut found = Found::default();
    for (design, headroom) in designs.now.iter().zip(capacity) {
        match headroom {
            Err(why) => found.missing.push(why.clone()),
            Ok(headroom) if limit.measure == Measure::Events => {
                for event in &headroom.events {
                    found.event(limit, design, event);
                }
            }
            Ok(headroom) => {
                for account in &headroom.accounts {
                    found.account(limit, design, account);
                }
            }
        }
    }
    found.figure(limit.measure)
}

/// What designs say about a limit.
#[derive(Default)]
struct Found {
    /// The least factor.
    factor: Option<Exact>,
    /// Events that do not hold.
    failing: u64,
    missing: Vec<String>,
    reasons: Vec<(Exact, Reason)>,
}

impl Found {
    fn account(&mut self, limit: &Limit, design: &CheckedDesign, account: &AccountHeadroom) {
        let subject = Subject {
            table: account.table.clone(),
            index: account.index.clone(),
            region: account.region.clone(),
            access: None,
        };
        if !limit.scope.holds(&subject, None) {
            return;
        }
        let place = format!(
            "{} {}",
            account.place(&design.outcome.region),
            account.part.word()
        );
        let unknown = account
            .unknown
            .iter()
            .filter(|one| one.is_decisive(account.part));
        self.missing
            .extend(unknown.map(|one| format!("{place}: {}, {}", one.kind.name(), one.why)));
        let Some(first) = account.decisive() else {
            return;
        };
        let levels = [&limit.warn, &limit.fail].into_iter().flatten();
        if levels.into_iter().any(|level| first.factor < *level) {
            let what = format!(
                "{place} hold {} times today's traffic ({}): {}",
                first.factor.human(2),
                first.kind.name(),
                first.because
            );
            let edit = account.changes.iter().flat_map(|one| &one.edits).next();
            let place = match edit {
                Some(edit) => design.workload.written.place_of(edit.line),
                None => place_of(design, account),
            };
            self.reasons
                .push((first.factor.clone(), Reason { what, place }));
        }
        let factor = &first.factor;
        if self.factor.as_ref().is_none_or(|least| factor < least) {
            self.factor = Some(factor.clone());
        }
    }

    fn event(&mut self, limit: &Limit, design: &CheckedDesign, event: &EventOutcome) {
        let is_within = |one: &&EventAccount| {
            let subject = Subject {
                table: Some(one.table.clone()),
                index: one.index.clone(),
                region: one.region.clone(),
                access: None,
            };
            limit.scope.holds(&subject, None)
        };
        let own: Vec<&EventAccount> = event.accounts.iter().filter(is_within).collect();
        let named = |one: &EventAccount| one.place(&design.outcome.region);
        let mut failing: Vec<String> = Vec::new();
        for one in &own {
            match &one.happened {
                None => self.missing.push(format!(
                    "{} in the event \"{}\": its demand or its capacity",
                    named(one),
                    event.name
                )),
                Some(happened) if !happened.holds => {
                    let percent = (&happened.throttled * &Exact::from(100)).human(2);
                    failing.push(format!("{} throttle {percent} % of requests", named(one)));
                }
                Some(_) => {}
            }
        }
        if failing.is_empty() {
            return;
        }
        self.failing += 1;
        let reason = Reason {
            what: format!("event \"{}\": {}", event.name, failing.join(", ")),
            place: design.workload.written.place_of(event.line),
        };
        self.reasons.push((Exact::zero(), reason));
    }

    fn figure(mut self, measure: Measure) -> Figure {
        self.reasons.sort_by(|one, other| one.0.cmp(&other.0));
        self.reasons.truncate(REASONS);
        let is_missing = !self.missing.is_empty();
        let value = match measure {
            Measure::Events => Some(Exact::from(self.failing)),
            _ => self.factor,
        };
        let bound = match (is_missing, measure, &value) {
            (false, ..) => Bound::Exact,
            (true, _, None) => Bound::Unknown,
            (true, Measure::Events, _) => Bound::AtLeast,
            // What is not known can only be tighter.
            (true, ..) => Bound::AtMost,
        };
        Figure {
            value,
            from_nothing: false,
            missing: self.missing,
            bound,
            has_allowed: false,
            reasons: self.reasons.into_iter().map(|(_, reason)| reason).collect(),
        }
    }
}

/// The line of a table's capacity or of its index, or of the whole design.
fn place_of(design: &CheckedDesign, account: &AccountHeadroom) -> Place {
    let written = &design.workload.written;
    let mut tables = design.workload.tables.iter();
    let table = tables.find(|one| Some(&one.table.name) == account.table.as_ref());
    let Some(table) = table else {
        return written.place_of(1);
    };
    match table.target_named(account.index.as_deref()).index() {
        Some(at) => written.place(&table.index_part(at)),
        None => written.place(&table.part(DesignPart::Capacity)),
    }
}
