//! Maintenance of a data folder: health, known damage, scrubs, backups and restores.

pub(crate) mod backup;
pub(crate) mod damage;
pub(crate) mod health;
pub(crate) mod scrub;
pub(crate) mod trouble;
