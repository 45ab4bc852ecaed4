//! The applications that the soak's callbacks reach: one that answers, one that refuses, one that hangs, and one that
//! is not there.

use std::collections::BTreeSet;
use std::time::Duration;

use super::chance::Chance;
use crate::application::{Application, Reply, callback_parameter};

/// All of them.
pub(crate) struct Caller {
    answering: Application,
    refusing: Application,
    hanging: Application,
}

const KIND: &str = "application/x-www-form-urlencoded";

impl Caller {
    pub(crate) fn new() -> Self {
        Self {
            answering: Application::deciding(|_| Reply::ok().after(Duration::from_millis(10))),
            refusing: Application::answering(Reply::status(500, "text/plain", "no")),
            hanging: Application::answering(Reply::ok().after(Duration::from_secs(7))),
        }
    }

    /// A callback parameter, and the status that the uploader is to see.
    pub(crate) fn choose(&self, chance: &mut Chance) -> (String, u16) {
        match chance.between(0, 200) {
            0 => (self.hanging.callback("/", "${object}", KIND), 203),
            1..=30 => (self.refusing.callback("/", "${object}", KIND), 203),
            31..=35 => (callback_parameter("http://127.0.0.1:1/", "${object}", KIND), 203),
            _ => (self.answering.callback("/", "${object}", KIND), 200),
        }
    }

    /// The keys that the answering application has heard of.
    pub(crate) fn heard(&self) -> BTreeSet<String> {
        self.answering.received().iter().map(|request| request.text().replace("%2F", "/")).collect()
    }
}
