//! Runs code that is not ours, so that its panic is a value instead of the end of the replica.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many caught panics of applications a process prints as panics usually are. A client that found an operation that
/// panics must not be able to fill the log.
const PANICS_PRINTED_MAX: u32 = 16;

static PRINTED: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static HEARD: Cell<Heard> = const { Cell::new(Heard::Always) };
}

/// Whether a panic on this thread is printed where it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// It ends the thread.
    Always,
    /// It is caught, and printed for whoever must mend it.
    AtFirst,
    /// It is caught, and whoever catches it says what it means.
    Never,
}

/// The code panicked, and said this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Panicked(pub(crate) String);

/// Runs `call` and catches its panic. The caller throws away everything that `call` may have left half done.
pub(crate) fn run<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    run_heard(Heard::AtFirst, call)
}

/// The same where a panic is no bug that somebody must mend, but the way in which a library says something.
pub(crate) fn run_silently<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    run_heard(Heard::Never, call)
}

/// What a panic said.
pub(crate) fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

fn run_heard<T>(heard: Heard, call: impl FnOnce() -> T) -> Result<T, Panicked> {
    limit_what_is_printed();
    let outer = HEARD.replace(heard);
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    HEARD.set(outer);
    result.map_err(|panic| Panicked(words_of(panic.as_ref())))
}

/// Wraps the process's panic hook once. Panics of other code go to the old hook as ever.
fn limit_what_is_printed() {
    static WRAPPED: Once = Once::new();
    WRAPPED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let is_printed = match HEARD.get() {
                Heard::Always => true,
                Heard::AtFirst => PRINTED.fetch_add(1, Ordering::Relaxed) < PANICS_PRINTED_MAX,
                Heard::Never => false,
            };
            if is_printed {
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
        let said = |what: &str| Panicked(what.to_owned());
        assert_eq!(run(|| 1), Ok(1));
        assert_eq!(run(|| -> u32 { panic!("on purpose") }), Err(said("on purpose")));
        assert_eq!(run_silently(|| -> u32 { panic!("{}", 7) }), Err(said("7")));
        assert_eq!(run(|| run_silently(|| -> u32 { panic!("on purpose") }).is_err()), Ok(true));
        assert_eq!(HEARD.get(), Heard::Always);
    }
}
