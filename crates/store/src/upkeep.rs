//! Looking after what is stored: whether the store keeps its word, what is damaged, how it is found, and how
//! all of it is brought to another disk and back.

pub(crate) mod backup;
pub(crate) mod damage;
pub(crate) mod health;
pub(crate) mod scrub;
pub(crate) mod trouble;
