//! Both cases, one after the other.

use super::case::Case;
use super::report::CaseReport;
use super::timeline::write;
use crate::arguments::{AbsenceArguments, Only};
use crate::display::write_line;
use crate::error::TestnetError;
use crate::report_file::ReportFile;
use crate::run::failed;
use crate::signals::Signals;

/// The replicas that are needed before two may be down: the absent one and the source that is killed.
const REPLICAS_FOR_TWO: u16 = 7;

/// Runs what the command line asks for.
///
/// # Errors
/// [`TestnetError`] unless all claims hold.
pub(crate) async fn absence(arguments: &AbsenceArguments) -> Result<(), TestnetError> {
    let mut signals = Signals::catch()?;
    check(arguments)?;
    let json = ReportFile::open(arguments.json.as_deref())?;
    let mut reports = Vec::new();
    for case in cases(arguments) {
        reports.push(run(case, arguments, &mut signals).await?);
    }
    write("");
    reports.iter().for_each(|report| write(&report.to_string()));
    if let Some(json) = json {
        json.write(&reports.iter().map(CaseReport::json).collect::<Vec<_>>())?;
    }
    failed(&reports.iter().flat_map(CaseReport::broken).collect::<Vec<_>>())
}

fn cases(arguments: &AbsenceArguments) -> Vec<Case> {
    let missed = Case::Missed { operations: arguments.operations.get() };
    let emptied = Case::Emptied { accounts: arguments.accounts.get() };
    match arguments.only {
        None => vec![missed, emptied],
        Some(Only::Missed) => vec![missed],
        Some(Only::Emptied) => vec![emptied],
    }
}

fn check(arguments: &AbsenceArguments) -> Result<(), TestnetError> {
    let replicas = arguments.replicas();
    if replicas < 4 {
        return Err(TestnetError::Usage(format!("{replicas} replicas tolerate none that is away: use 4 or more")));
    }
    if arguments.kill_source && replicas < REPLICAS_FOR_TWO {
        return Err(TestnetError::Usage(format!(
            "a source that is killed is the second replica that is down: use {REPLICAS_FOR_TWO} or more"
        )));
    }
    if arguments.accounts.get() < 2 {
        return Err(TestnetError::Usage("payments need two accounts".into()));
    }
    Ok(())
}

async fn run(case: Case, arguments: &AbsenceArguments, signals: &mut Signals) -> Result<CaseReport, TestnetError> {
    let mut cluster = signals.or(case.start(arguments)).await?;
    write(&format!("\ncase {}: {}", case.number(), case.title()));
    write(&format!("{} replicas in {}", cluster.network().replicas.len(), cluster.folder().display()));
    let result = signals.or(case.run(arguments, &mut cluster)).await;
    let folder = arguments.keep.then(|| cluster.folder().to_path_buf());
    cluster.stop().await?;
    if let Some(folder) = folder {
        write_line(&format!("homes and logs are in {}", folder.display()));
    }
    result
}
