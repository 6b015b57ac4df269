//! The full path: everything that the fast path cannot execute, in the order of the trace.

mod calls;
mod changes;
pub mod requests;
