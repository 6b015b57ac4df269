//! The parts of a usage file that a design does not have. The file may speak of two designs, before
//! and after a change: it is a mistake only if no design has the part.

use std::ops::Range;

use crate::diag::{Diagnostic, Diagnostics};

/// A part of a usage file that a design does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusedPart {
    /// The error, if no design has it.
    found: Diagnostic,
    /// Whether it is a part of something else that the design does not have.
    is_within: bool,
}

impl UnusedPart {
    pub(super) fn of(found: Diagnostic) -> UnusedPart {
        UnusedPart {
            found,
            is_within: false,
        }
    }

    pub(super) fn within(found: Diagnostic) -> UnusedPart {
        UnusedPart {
            found,
            is_within: true,
        }
    }

    pub(super) fn into_error(self) -> Diagnostic {
        self.found
    }
}

/// The parts of a usage file that no design has, as errors; `designs` has the unused parts of each.
pub fn used_nowhere(designs: &[Vec<UnusedPart>]) -> Option<Diagnostics> {
    let is_unused = |span: &Range<usize>, design: &Vec<UnusedPart>| {
        design.iter().any(|one| one.found.span == *span)
    };
    let mut found: Vec<Diagnostic> = Vec::new();
    for one in designs.iter().flatten().filter(|one| !one.is_within) {
        let span = &one.found.span;
        // The design with the most names says best what there is.
        if let Some(known) = found.iter_mut().find(|known| known.span == *span) {
            if known.help.len() < one.found.help.len() {
                known.clone_from(&one.found);
            }
        } else if designs.iter().all(|design| is_unused(span, design)) {
            found.push(one.found.clone());
        }
    }
    found.sort_by_key(|one| one.span.start);
    Diagnostics::of(found)
}
