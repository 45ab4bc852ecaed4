//! Whether the store may still take writes: after a failed sync it takes none.
//!
//! A sync that failed once says nothing about what an earlier one reached, and the kernel may have
//! forgotten the pages: only a restart, which reads what is really there, may write again.

use std::sync::{Arc, OnceLock};

/// The state of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Reads and writes.
    Good,
    /// Reads only, until it is opened again.
    WritesRefused {
        /// What failed first.
        reason: String,
    },
}

/// The shared flag: set once, never cleared.
#[derive(Debug, Clone, Default)]
pub struct HealthFlag(Arc<OnceLock<String>>);

impl HealthFlag {
    /// Of what takes no writes from the beginning, for no failure.
    pub(crate) fn read_only(reason: &str) -> HealthFlag {
        HealthFlag(Arc::new(OnceLock::from(reason.to_owned())))
    }

    /// Refuses writes from now on; the first reason stays.
    pub fn refuse_writes(&self, reason: impl Into<String>) {
        let reason = reason.into();
        tracing::error!(%reason, "the store refuses writes from now on");
        let _already_set = self.0.set(reason);
    }

    /// The reason why writes are refused, if they are.
    pub fn refusal(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    /// As the store shows it.
    pub fn get(&self) -> Health {
        match self.0.get() {
            None => Health::Good,
            Some(reason) => Health::WritesRefused { reason: reason.clone() },
        }
    }
}
