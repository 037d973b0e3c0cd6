//! Runs an application's code so that its panic is a value instead of the end of the replica.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many caught panics of a process are printed as panics usually are. A client that found an operation that panics
/// must not be able to fill the log.
const PANICS_PRINTED_MAX: u32 = 16;

static PRINTED: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// The code panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Panicked;

/// Runs `call` and catches its panic. The caller throws away everything that `call` may have left half done.
pub(super) fn run<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    limit_what_is_printed();
    let outer = IS_GUARDED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    IS_GUARDED.set(outer);
    result.map_err(|_| Panicked)
}

/// Wraps the process's panic hook once. Panics of other code go to the old hook as ever.
fn limit_what_is_printed() {
    static WRAPPED: Once = Once::new();
    WRAPPED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_GUARDED.get() || PRINTED.fetch_add(1, Ordering::Relaxed) < PANICS_PRINTED_MAX {
                previous(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_value_and_the_thread_goes_on() {
        assert_eq!(run(|| 1), Ok(1));
        assert_eq!(run(|| -> u32 { panic!("on purpose") }), Err(Panicked));
        assert_eq!(run(|| run(|| -> u32 { panic!("on purpose") }).is_err()), Ok(true));
        assert!(!IS_GUARDED.get());
    }
}
