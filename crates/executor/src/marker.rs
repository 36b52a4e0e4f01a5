/// Tells which build of this crate answers; a constant, so unchanged code stays the same bytes.
pub const MARKER: &str = "executor-1";
