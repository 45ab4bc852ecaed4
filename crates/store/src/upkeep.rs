//! Looking after what is stored: whether the store keeps its word, what is damaged, and how it is found.

pub(crate) mod damage;
pub(crate) mod health;
pub(crate) mod scrub;
