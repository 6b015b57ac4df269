//! Why a replay failed.

use crate::estimate::EstimateError;
use crate::trace::{SkipReason, TraceError};

/// Why an event cannot be executed.
pub type CannotExecute = (SkipReason, String);

/// Why a replay failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The trace cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The result cannot be priced.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
    /// The trace contains nothing that can be priced.
    #[error("{0}")]
    Empty(String),
    /// A part or a checkpoint cannot be read, used or written.
    #[error("{0}")]
    Part(String),
    /// The caller ended the run (Ctrl-C).
    #[error("stopped by Ctrl-C; no output was written")]
    Stopped,
}
