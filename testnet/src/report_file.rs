//! [`ReportFile`]: the file that a report goes to, opened before anything is started.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::TestnetError;

/// The file that a report goes to. It is opened before anything is started, so that a path that cannot be written is
/// noticed then and not after minutes of work; what stands in it is replaced when there is a report.
#[derive(Debug)]
pub(crate) struct ReportFile {
    path: PathBuf,
    file: File,
}

impl ReportFile {
    /// Opens the file, if one is asked for.
    pub(crate) fn open(path: Option<&Path>) -> Result<Option<Self>, TestnetError> {
        let Some(path) = path else { return Ok(None) };
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|source| TestnetError::File { path: path.into(), doing: "write", source })?;
        Ok(Some(ReportFile { path: path.into(), file }))
    }

    /// Replaces what stands in it with the report.
    pub(crate) fn write(mut self, report: &impl Serialize) -> Result<(), TestnetError> {
        let written = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        let written = written.and_then(|_| Ok(serde_json::to_writer_pretty(&self.file, report)?));
        written.map_err(|source| TestnetError::File { path: self.path, doing: "write", source })
    }
}
