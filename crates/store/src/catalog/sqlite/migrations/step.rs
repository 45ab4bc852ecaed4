//! What a step from one schema to the next consists of.

/// A step to the next schema.
pub(super) struct Migration {
    /// The schema that it makes.
    pub(super) to: i64,
    /// Tables that it writes anew: their bytes are needed twice, in the log and in the file.
    pub(super) rewritten: &'static [&'static str],
    /// What it relies on: a sentence, and a query that finds rows where it does not hold.
    pub(super) premises: &'static [(&'static str, &'static str)],
    /// What it does.
    pub(super) statements: &'static str,
}
