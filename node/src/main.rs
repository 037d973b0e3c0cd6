//! n.
fn main() {}
