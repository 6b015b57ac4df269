//! Libraries that panic on damaged input: the panic becomes an error of the file.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread runs a library whose panics become errors, and need not be told.
#[cfg(feature = "cli")]
pub fn is_active() -> bool {
    DEPTH.get() > 0
}

/// Runs a library on input that may be damaged.
///
/// # Errors
/// The text of its panic.
pub fn guarded<T>(read: impl FnOnce() -> T) -> Result<T, String> {
    DEPTH.set(DEPTH.get() + 1);
    let done = catch_unwind(AssertUnwindSafe(read));
    DEPTH.set(DEPTH.get() - 1);
    done.map_err(|panic| format!("it is damaged ({})", text(&*panic)))
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("the library that reads it gave up")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_and_leaves_nothing_behind() {
        let at = |index: usize| guarded(move || [1, 2, 3][index]);
        assert_eq!(at(2), Ok(3));
        let error = at(5).expect_err("a panic");
        assert!(error.contains("index out of bounds"), "{error}");
        assert_eq!(DEPTH.get(), 0);
    }
}
