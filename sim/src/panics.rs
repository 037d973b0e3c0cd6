//! Worlds that panic. What is caught knows what was said and not where: that is noted on the way.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, catch_unwind};

thread_local! {
    static IS_CATCHING: Cell<bool> = const { Cell::new(false) };
    static LAST_PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on panics of worlds are noted instead of printed: for programs that report them.
pub fn note_panics() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !IS_CATCHING.get() {
            return usual(info);
        }
        let place = info.location().map(|place| format!("{}:{}", place.file(), place.line()));
        LAST_PLACE.with(|last| *last.borrow_mut() = place);
    }));
}

/// What `run` gives, or what it says when it panics, after the place if that is noted.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    IS_CATCHING.set(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    IS_CATCHING.set(false);
    result.map_err(|cause| {
        let text = cause.downcast_ref::<String>().cloned();
        let text = text.or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
        match LAST_PLACE.with(|last| last.borrow_mut().take()) {
            Some(place) => format!("{place}: {text}"),
            None => text,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_and_where_is_known_of_a_panic() {
        note_panics();
        let text = caught(|| panic!("number {}", 7)).map(|()| String::new());
        let text = text.expect_err("it panics");
        assert!(text.contains("panics.rs:") && text.ends_with(": number 7"), "{text}");
        assert_eq!(caught(|| 5), Ok(5));
    }
}
