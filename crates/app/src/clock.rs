//! The clock as an argument, so that a test can choose the time.

use std::sync::Arc;

/// Tells the time. The one real clock is made where the program is put together.
pub type Clock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;
