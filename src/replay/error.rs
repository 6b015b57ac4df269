//! Why a replay failed.

use crate::estimate::EstimateError;
use crate::trace::{SkipReason, TraceError};

/// Why an event cannot be executed.
pub type CannotExecute = (SkipReason, String);

/// Why a replay failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The trace cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The result cannot be priced.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
    /// The trace contains nothing that can be priced.
    #[error("{message}{}", after(help.as_deref()))]
    Empty {
        /// What was found.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// A part or a checkpoint cannot be read, used or written.
    #[error("{message}{}", after(help.as_deref()))]
    Part {
        /// What was found.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// The caller ended the run (Ctrl-C).
    #[error("stopped by Ctrl-C; no output was written")]
    Stopped,
}

fn after(help: Option<&str>) -> String {
    help.map_or_else(String::new, |help| format!("\nhelp: {help}"))
}

impl ReplayError {
    pub(crate) fn empty(message: impl Into<String>) -> ReplayError {
        ReplayError::Empty {
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn part(message: impl Into<String>) -> ReplayError {
        ReplayError::Part {
            message: message.into(),
            help: None,
        }
    }

    /// The same error with what to do about it.
    #[must_use]
    pub(crate) fn with_help(mut self, text: impl Into<String>) -> ReplayError {
        if let ReplayError::Empty { help, .. } | ReplayError::Part { help, .. } = &mut self {
            *help = Some(text.into());
        }
        self
    }

    /// What to do about it, if that is known.
    pub fn help(&self) -> Option<&str> {
        match self {
            ReplayError::Empty { help, .. } | ReplayError::Part { help, .. } => help.as_deref(),
            ReplayError::Trace(error) => error.help,
            ReplayError::Estimate(_) | ReplayError::Stopped => None,
        }
    }
}
