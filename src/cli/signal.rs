//! What Ctrl-C may end at once, and what it waits for.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Whether the first Ctrl-C ends the process too, since nothing of the run would be kept. Ctrl-C holds
/// it while it ends the process, so that no file is begun then.
static AT_ONCE: Mutex<bool> = Mutex::new(false);

/// Sets it, and returns what it was.
pub fn at_once(now: bool) -> bool {
    std::mem::replace(&mut *ends_at_once(), now)
}

/// Whether the first Ctrl-C ends the process; stays so while the guard is held.
pub fn ends_at_once() -> MutexGuard<'static, bool> {
    AT_ONCE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file is being written: Ctrl-C waits until it is there as a whole.
pub struct Writing {
    /// Whether the first Ctrl-C ended the process before.
    before: bool,
}

/// Begins to write a file.
pub fn writing() -> Writing {
    Writing {
        before: at_once(false),
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        at_once(self.before);
    }
}
