//! Whether this run measures anything.

/// Whether `cargo bench` runs the benchmark. Under `cargo test --benches` criterion calls each routine once, only to see
/// that it works: an expensive set-up would be for nothing.
#[must_use]
pub fn is_measured() -> bool {
    let given = |option: &str| std::env::args().any(|argument| argument == option);
    given("--bench") && !given("--test")
}
