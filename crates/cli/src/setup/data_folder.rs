//! Opens the data folder of a server: the one that `--data` names, made if need be, or a throw-away one with
//! `--ephemeral`.

use std::path::Path;

use anyhow::Context as _;
use countersign_app::UploadLedger;

use super::ephemeral_folder::EphemeralFolder;
use crate::command_line::flag_groups::DataFlags;

/// The folder for as long as the server runs; dropping it removes a throw-away one.
pub(crate) struct DataFolder {
    throw_away: Option<EphemeralFolder>,
}

impl DataFolder {
    /// Makes the folder, and writes into the flags where it is.
    pub(crate) fn make(flags: &mut DataFlags) -> anyhow::Result<DataFolder> {
        if !flags.ephemeral {
            make_private(&flags.data)?;
            return Ok(DataFolder { throw_away: None });
        }
        let folder = EphemeralFolder::make(flags.ephemeral_in.as_deref())?;
        flags.data = folder.path().to_owned();
        Ok(DataFolder { throw_away: Some(folder) })
    }

    /// Says what becomes of the data, where they are thrown away; in the column where the other lines have it.
    pub(crate) fn say(&self, column: usize) {
        if let Some(folder) = &self.throw_away {
            say!("{:column$}{}", "ephemeral", folder.in_words());
        }
    }

    /// Removes a throw-away folder; nothing may use it any more.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        let Some(folder) = self.throw_away else { return Ok(()) };
        let path = folder.path().display().to_string();
        folder.remove().with_context(|| format!("{path} cannot be removed; the next start does"))
    }
}

/// The ledger of this data folder; in memory where nothing is kept, since a file would be synced.
pub(crate) fn ledger(flags: &DataFlags) -> anyhow::Result<UploadLedger> {
    let opened = if flags.ephemeral {
        UploadLedger::in_memory()
    } else {
        UploadLedger::open(&flags.data.join("ledger.sqlite"))
    };
    opened.context("the ledger cannot be opened")
}

/// Makes the data folder if need be; whoever may read it reads everything, so only its owner may.
fn make_private(data: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .with_context(|| format!("the data folder {} cannot be made", data.display()))
}
