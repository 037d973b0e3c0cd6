//! How the rules are called. A name stays: seeds, mutants and the documentation refer to it.

/// The names of all rules.
pub const NAMES: &[&str] = &[
    "abstaining",
    "agreement",
    "answers",
    "batch-kept",
    "certificates",
    "checkpoints",
    "contiguous-execution",
    "durable-before-sent",
    "evidence",
    "exactly-once",
    "linearizability",
    "memory",
    "money",
    "new-views",
    "one-vote",
    "re-proposals",
    "recovery",
    "replies",
    "root-contents",
    "validity",
    "view-change-contents",
    "views",
    "watermarks",
];
