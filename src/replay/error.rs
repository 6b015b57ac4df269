//! Why there is no replay.

use crate::estimate::EstimateError;
use crate::trace::TraceError;

/// Why there is no replay.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The trace cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The result cannot be priced.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
    /// The trace holds nothing that could be priced.
    #[error("{0}")]
    Empty(String),
    /// A part or a checkpoint that cannot be taken or written.
    #[error("{0}")]
    Part(String),
    /// Somebody asked for the end.
    #[error("stopped by Ctrl-C; no output was written")]
    Stopped,
}
