//! A run: a network, payments, kills, and a check of everything in the end.

use std::io::{Write, stdout};
use std::sync::Arc;
use std::time::{Duration, Instant};

use quorate::client::ClientOptions;
use quorate_ledger::Transfer;
use quorate_node::NetworkPlan;
use tokio::time::MissedTickBehavior;

use crate::arguments::{NetworkArguments, RunArguments};
use crate::audit::{Audit, Expected, audit};
use crate::balances::Balances;
use crate::byzantine::{Liars, Lie};
use crate::cluster::{Cluster, ClusterPlan, this_program};
use crate::display::{Display, write_line};
use crate::error::TestnetError;
use crate::faults::{Faults, too_late};
use crate::load::{Load, connect};
use crate::payments;
use crate::replica_status::Observation;
use crate::report::Report;
use crate::report_file::ReportFile;
use crate::signals::Signals;
use crate::tally::Tally;

/// How often the replicas are looked at.
const LOOKS: Duration = Duration::from_millis(100);
/// How long the replicas may take, after the last payment, to come to the same slot.
const SETTLE_PATIENCE: Duration = Duration::from_secs(30);

/// Runs what the command line asks for.
///
/// # Errors
/// [`TestnetError`] unless all is as it must be.
pub(crate) async fn run(arguments: &RunArguments) -> Result<(), TestnetError> {
    let mut signals = Signals::catch()?;
    let work = Work::prepare(arguments)?;
    let json = ReportFile::open(arguments.json.as_deref())?;
    let plan = ClusterPlan { liars: work.liars.clone(), ..cluster_plan(&arguments.network)? };
    let mut cluster = signals.or(Cluster::start(&plan)).await?;
    let result = signals.or(work.run(&mut cluster)).await;
    let folder = plan.keep.then(|| cluster.folder().to_path_buf());
    cluster.stop().await?;
    if let Some(folder) = folder {
        write_line(&format!("homes and logs are in {}", folder.display()));
    }
    conclude(&result?, json)
}

/// The network that the command line asks for.
pub(crate) fn cluster_plan(arguments: &NetworkArguments) -> Result<ClusterPlan, TestnetError> {
    let NetworkArguments { replicas, clients, keep } = *arguments;
    if clients == 0 {
        return Err(TestnetError::Usage("at least one client has to pay: --clients 1".into()));
    }
    let network = NetworkPlan { name: "testnet".into(), replicas, clients, ..NetworkPlan::default() };
    Ok(ClusterPlan { program: this_program()?, network, keep, corrupt: None, liars: Liars::new() })
}

fn conclude(report: &Report, json: Option<ReportFile>) -> Result<(), TestnetError> {
    // Whoever closed stdout reads the exit code.
    let _ = write!(stdout(), "{report}");
    if let Some(json) = json {
        json.write(report)?;
    }
    failed(&report.problems)
}

/// An error that says what is not as it must be, if anything is.
pub(crate) fn failed(problems: &[String]) -> Result<(), TestnetError> {
    match problems {
        [] => Ok(()),
        [problem] => Err(TestnetError::Failed(problem.clone())),
        problems => Err(TestnetError::Failed(format!("{} things are not as they must be", problems.len()))),
    }
}

/// What is to be paid, killed and found.
struct Work {
    payments: Arc<[Transfer]>,
    expected: Vec<Expected>,
    in_flight: usize,
    kills: u32,
    liars: Liars,
}

impl Work {
    /// Reads all files and refuses what cannot be done, before anything is started.
    fn prepare(arguments: &RunArguments) -> Result<Work, TestnetError> {
        let replicas = arguments.network.replicas;
        let liars = Lie::collect(&arguments.byzantine, replicas)?;
        let kills = kills(replicas, &liars, arguments.kill)?;
        let payments = match &arguments.payments {
            Some(path) => payments::read(path)?,
            None => payments::generate(arguments.count.get())
                .map_err(|refusal| TestnetError::Usage(format!("a generated payment is refused: {refusal}")))?,
        };
        let least = 2 * (u64::from(kills) + 1);
        if (payments.len() as u64) < least {
            return Err(TestnetError::Usage(format!(
                "{kills} kills need at least {least} payments to pay around them"
            )));
        }
        let computed = Expected { source: "computed from the payments".into(), balances: Balances::after(&payments) };
        let table = arguments.expect.as_deref().map(|path| {
            Ok::<_, TestnetError>(Expected { source: path.display().to_string(), balances: Balances::read(path)? })
        });
        let expected = [computed].into_iter().chain(table.transpose()?).collect();
        Ok(Work { payments: payments.into(), expected, in_flight: arguments.in_flight.get(), kills, liars })
    }

    fn who_lies(&self) -> Option<String> {
        let lies: Vec<_> = self.liars.iter().map(|(replica, how)| format!("replica {replica} lies: {how}")).collect();
        (!lies.is_empty()).then(|| format!("{}; what it says of itself is not looked at", lies.join(", ")))
    }

    async fn run(&self, cluster: &mut Cluster) -> Result<Report, TestnetError> {
        let payments = self.payments.len() as u64;
        let clients = connect(&cluster.client_homes()?, ClientOptions::default()).await?;
        let count = clients.len();
        let committee = &cluster.network().genesis.committee;
        let (members, quorum) = (committee.size(), committee.quorum());
        let mut display = Display::new(payments);
        display.say(&format!(
            "{members} replicas in {}; {count} clients pay {payments} times",
            cluster.folder().display()
        ));
        if let Some(lies) = self.who_lies() {
            display.say(&lies);
        }
        let started = Instant::now();
        let mut course = Course {
            cluster,
            faults: Faults::new(self.kills, payments, quorum),
            tally: Tally::new(started),
            display: &mut display,
        };
        let load = Load::start(clients, Arc::clone(&self.payments), self.in_flight);
        course.pay(load).await?;
        course.settle().await?;
        let Course { faults, tally, cluster, .. } = course;
        let audit = audit(cluster.http(), &self.liars, payments, &self.expected).await;
        display.finish();
        Ok(report((payments, count), &tally, &faults, audit).with_liars(&self.liars))
    }
}

/// How many primaries are killed. One that lies and one that is down are two that are faulty.
fn kills(replicas: u16, liars: &Liars, asked: Option<u32>) -> Result<u32, TestnetError> {
    let tolerated = usize::from(replicas.saturating_sub(1) / 3);
    if tolerated > liars.len() {
        return Ok(asked.unwrap_or(1));
    }
    let kills = asked.unwrap_or(u32::from(liars.is_empty()));
    if kills == 0 {
        return Ok(0);
    }
    Err(TestnetError::Usage(if liars.is_empty() {
        format!("{replicas} replicas tolerate none that is down, so none can be killed: use 4 or more, or --kill 0")
    } else {
        let lies = liars.len();
        format!("{replicas} replicas tolerate {tolerated} that are faulty, and {lies} lie: use more, or --kill 0")
    }))
}

fn report(sizes: (u64, usize), tally: &Tally, faults: &Faults, audit: Audit) -> Report {
    let mut report = Report::new(sizes, tally, faults.done(), audit);
    if faults.missing() > 0 {
        let done = faults.done().len();
        report.complain(format!("only {done} primaries were killed before all was paid: use more payments"));
    }
    report
}

/// A run under way.
struct Course<'a> {
    cluster: &'a mut Cluster,
    faults: Faults,
    tally: Tally,
    display: &'a mut Display,
}

impl Course<'_> {
    /// Counts what is paid, and kills, until all is paid.
    async fn pay(&mut self, mut load: Load) -> Result<(), TestnetError> {
        let mut looks = looks();
        loop {
            tokio::select! {
                paid = load.next() => {
                    let Some(paid) = paid else { return Ok(()) };
                    self.tally.count(&paid);
                    if self.faults.is_due(&self.tally) {
                        self.look().await?;
                    }
                }
                _ = looks.tick() => drop(self.look().await?),
            }
        }
    }

    /// Waits until all replicas vote and stand at the same slot with the same history.
    async fn settle(&mut self) -> Result<(), TestnetError> {
        let (mut looks, started) = (looks(), Instant::now());
        loop {
            looks.tick().await;
            let observations = self.look().await?;
            if self.faults.is_whole() && is_settled(&observations) {
                return Ok(());
            }
            if self.faults.is_whole() && started.elapsed() > SETTLE_PATIENCE {
                return Err(too_late("the same slot on all replicas", SETTLE_PATIENCE, &observations));
            }
        }
    }

    async fn look(&mut self) -> Result<Vec<Observation>, TestnetError> {
        self.cluster.check()?;
        let observations = self.cluster.observe().await;
        if let Some(event) = self.faults.step(self.cluster, &observations, &mut self.tally).await? {
            self.display.say(&event);
        }
        self.display.update(&self.tally, &observations);
        Ok(observations)
    }
}

fn looks() -> tokio::time::Interval {
    let mut looks = tokio::time::interval(LOOKS);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}

/// Whether all correct replicas vote, and stand at the same slot with the same history.
pub(crate) fn is_settled(observations: &[Observation]) -> bool {
    let correct = observations.iter().filter(|found| !found.is_liar());
    let statuses: Option<Vec<_>> = correct.map(Observation::status).collect();
    statuses.is_some_and(|statuses| {
        statuses.iter().all(|status| status.voting)
            && statuses
                .windows(2)
                .all(|pair| pair.iter().map(|status| (status.executed, &status.chain)).is_sorted_by(|a, b| a == b))
    })
}
