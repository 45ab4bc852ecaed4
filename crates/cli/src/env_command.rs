//! `countersign env`: prints the variables of what runs on a data folder, for a shell.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::command_line::instance_flags::EnvFlags;
use crate::setup::running_store;

/// `countersign env`.
pub(crate) fn run(flags: &EnvFlags) -> anyhow::Result<ExitCode> {
    let environment = running_store::find(&flags.data)
        .with_context(|| format!("there is no environment of {} to print", flags.data.display()))?;
    let outer = |name: &str| std::env::var_os(name);
    if flags.json {
        say!("{}", environment.to_json(outer));
    } else {
        for (name, value) in environment.variables(outer) {
            say!("{}", flags.shell.set(name, &value));
        }
        for name in environment.removed() {
            say!("{}", flags.shell.unset(name));
        }
    }
    Ok(ExitCode::SUCCESS)
}
