//! The clock that is handed in, so that a test can stand at any moment.

use std::sync::Arc;

/// Tells the time. The one real clock is made where the program is put together.
pub type Clock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;
