//! The project's own commands; each lives in a file of its own.
fn main() {}
