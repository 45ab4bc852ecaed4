//! Settings: every flag is also an environment variable (`COUNTERSIGN_<FLAG>`) and a key of a TOML file.
//!
//! All three are read off the one description of the command line. What is found in the environment and in the file
//! is turned into flags and read by the parser that reads what was typed, so that the three cannot differ in what they
//! accept. This knows what flags are, and of none what it means.

mod config_error;
mod config_file;
mod environment;
mod given;
mod nearest;
mod resolving;
mod secret_file;
mod setting;

use std::fmt;

use crate::wording::on_one_line;

pub(crate) use config_error::ConfigError;
pub(crate) use config_file::ConfigFile;
pub(crate) use environment::EnvironmentVariables;
pub(crate) use given::{Source, Value};
pub(crate) use resolving::{Held, Resolved, Warning, everything, resolve, sentence};
#[cfg(test)]
pub(crate) use setting::Setting;
pub(crate) use setting::{Kind, PREFIX, is_server, with_own_flags};

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::UnknownVariable { name, nearest: Some(nearest) } => {
                write!(formatter, "{} is set, and nothing reads it; is it {nearest}?", on_one_line(name))
            }
            Warning::UnknownVariable { name, nearest: None } => {
                write!(formatter, "{} is set, and nothing reads it", on_one_line(name))
            }
            Warning::OfAnInstance { name } => write!(
                formatter,
                "{name} names the folder of the instance that this runs beside, and is passed over; --data names another"
            ),
            Warning::OpenFile { path } => write!(
                formatter,
                "{} holds a secret, and every user of this machine may read it; run chmod o-r on it",
                path.display()
            ),
        }
    }
}
