//! [`Case`]: why a replica was away, and the course of it.

use std::time::Duration;

use quorate::client::ClientOptions;
use quorate::{NodeConfig, ReplicaId};
use quorate_node::{LedgerClient, NetworkPlan};

use super::comeback::come_back;
use super::course::{Course, Measured};
use super::drive::{Drive, Pace};
use super::opening::open_accounts;
use super::report::{CaseReport, Fetched};
use super::timeline::{Phase, write};
use crate::arguments::{AbsenceArguments, Rate};
use crate::audit::compare;
use crate::byzantine::Liars;
use crate::cluster::{Cluster, ClusterPlan, this_program};
use crate::error::TestnetError;
use crate::http::Http;
use crate::load::connect;
use crate::payments::CUSTOMERS;
use crate::replica_status::common_view;

/// Payments under way while the clients pay as fast as they are answered.
const IN_FLIGHT: usize = 512;
/// The part of a window that passes before it is measured, while queues fill or empty: one of so many.
const SETTLING: u32 = 4;
/// The log of a ledger with fewer accounts fits into one segment, which is never deleted: then a replica has to be told to
/// prefer the state from so many slots on, or there would be nothing to see.
const SMALL_LEDGER: u64 = 500_000;
const CATCH_UP_SLOTS_SMALL: u64 = 128;
/// How fast each source serves its state when one of them is to be killed meanwhile: there has to be a meanwhile.
const BYTES_PER_SECOND_WHILE_KILLING: u64 = 1 << 20;
/// How many bytes of each account each serves in a second when one of them damages its state: that it has to be asked, the
/// others must not be done before.
const ACCOUNT_BYTES_PER_SECOND_WHILE_DAMAGING: u64 = 3;
/// The replica that damages what it serves, if one shall.
pub(super) const CORRUPT: ReplicaId = ReplicaId(1);

/// Why a replica was away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// It was killed, and so many operations passed.
    Missed { operations: u64 },
    /// It was killed and its disk was emptied, on a ledger with so many accounts.
    Emptied { accounts: u64 },
}

impl Case {
    /// Its place in the report.
    pub(super) fn number(self) -> u8 {
        match self {
            Case::Missed { .. } => 1,
            Case::Emptied { .. } => 2,
        }
    }

    /// What it shows.
    pub(super) fn title(self) -> String {
        match self {
            Case::Missed { operations } => {
                format!("one replica is killed, {operations} operations pass, and it comes back")
            }
            Case::Emptied { accounts } => {
                format!("a replica with an emptied home joins, on a ledger with {accounts} accounts")
            }
        }
    }

    fn accounts(self) -> u64 {
        match self {
            Case::Missed { .. } => CUSTOMERS,
            Case::Emptied { accounts } => accounts,
        }
    }

    fn engine(self, arguments: &AbsenceArguments) -> NodeConfig {
        let usual = NodeConfig::default();
        match self {
            Case::Missed { .. } => usual,
            // No more of the log is kept than must be, so that it cannot be what brings the replica back.
            Case::Emptied { accounts } => NodeConfig {
                catch_up_slots_max: match accounts < SMALL_LEDGER {
                    true => CATCH_UP_SLOTS_SMALL,
                    false => usual.catch_up_slots_max,
                },
                history_bytes: 0,
                segment_bytes: 8 << 20,
                snapshot_checkpoints: 2,
                transfer_member_bytes_per_second: match (arguments.kill_source, arguments.corrupt_chunks) {
                    (true, _) => BYTES_PER_SECOND_WHILE_KILLING,
                    (false, true) => accounts.saturating_mul(ACCOUNT_BYTES_PER_SECOND_WHILE_DAMAGING),
                    (false, false) => usual.transfer_member_bytes_per_second,
                },
                ..usual
            },
        }
    }

    fn plan(self, arguments: &AbsenceArguments) -> Result<ClusterPlan, TestnetError> {
        let engine = self.engine(arguments);
        let (replicas, clients) = (arguments.replicas(), arguments.clients.get());
        let network = NetworkPlan { name: "testnet".into(), replicas, clients, engine, ..NetworkPlan::default() };
        let corrupt = (arguments.corrupt_chunks && self.number() == 2).then_some(CORRUPT);
        Ok(ClusterPlan { program: this_program()?, network, keep: arguments.keep, corrupt, liars: Liars::new() })
    }

    /// Starts the network of this case.
    pub(super) async fn start(self, arguments: &AbsenceArguments) -> Result<Cluster, TestnetError> {
        Cluster::start(&self.plan(arguments)?).await
    }

    /// The course of the case, and what it has shown.
    pub(super) async fn run(
        self,
        arguments: &AbsenceArguments,
        cluster: &mut Cluster,
    ) -> Result<CaseReport, TestnetError> {
        let clients = connect(&cluster.client_homes()?, ClientOptions::default()).await?;
        let (count, replicas) = (clients.len(), cluster.network().replicas.len());
        let opened = self.open(&clients, cluster).await?;
        let absent = choose_absent(cluster).await?;
        let drive = Drive::start(clients, self.accounts());
        let mut course = Course::begin(cluster, drive, absent);

        let window = Duration::from_secs(arguments.window.get().into());
        course.set(Pace::Closed { in_flight: IN_FLIGHT });
        let peak = measured(&mut course, Phase::Peak, window).await?;
        let rate = match arguments.rate {
            Rate::HalfOfPeak => peak.per_second / 2.0,
            Rate::PerSecond(rate) => rate,
        };
        let missed = self.go_away(&mut course, absent).await?;
        // What the closed loop left must not count as done in the open one.
        course.set(Pace::Pause);
        course.go_on(Phase::Before, |moment| moment.under_way == 0).await?;
        course.set(Pace::Open { per_second: rate });
        let before = measured(&mut course, Phase::Before, window).await?;
        let kill_source = arguments.kill_source && self.number() == 2;
        let (span, comeback) = come_back(&mut course, absent, (window / 2, kill_source)).await?;
        let catch_up = course.measure(span);

        let unsettled = course.settle().await?;
        let acknowledged = course.acknowledged();
        let fetched = fetched(course.cluster().http(), absent).await;
        let audit = compare(course.cluster().http(), acknowledged, self.opened_accounts()).await;
        let (tally, timeline) = course.end();
        Ok(CaseReport {
            case: self,
            replicas,
            clients: count,
            opened,
            absent,
            missed,
            peak,
            rate,
            before,
            catch_up,
            comeback,
            fetched,
            wants_killed_source: kill_source,
            wants_damage: arguments.corrupt_chunks && self.number() == 2,
            problems: tally.problems().into_iter().chain(unsettled).chain(audit.problems).collect(),
            ledgers: audit.ledgers,
            timeline,
        })
    }

    /// Accounts that exist however few payments there are.
    fn opened_accounts(self) -> u64 {
        match self {
            Case::Missed { .. } => 0,
            Case::Emptied { accounts } => accounts,
        }
    }

    async fn open(self, clients: &[LedgerClient], cluster: &Cluster) -> Result<Option<Duration>, TestnetError> {
        let Case::Emptied { accounts } = self else { return Ok(None) };
        let took = open_accounts(clients, accounts, cluster.network().genesis.limits.operation_bytes_max).await?;
        write(&format!("opened {accounts} accounts through the log in {:.1} s", took.as_secs_f64()));
        Ok(Some(took))
    }

    /// Kills the replica, and lets as much pass as the case wants. Gives how many operations that were.
    async fn go_away(self, course: &mut Course<'_>, absent: ReplicaId) -> Result<u64, TestnetError> {
        course.cluster().kill(absent).await?;
        let had = course.acknowledged();
        match self {
            Case::Missed { operations } => {
                course.go_on(Phase::Away, |moment| moment.acknowledged >= had + operations).await?;
            }
            Case::Emptied { .. } => course.cluster().empty_home(absent)?,
        }
        Ok(course.acknowledged() - had)
    }
}

/// What the replica has fetched of a state since its new start.
async fn fetched(http: &Http, absent: ReplicaId) -> Fetched {
    let names = ["quorate_transfer_nodes_total", "quorate_transfer_bytes_total", "quorate_transfer_rejected_total"];
    let [nodes, bytes, rejected] = http.counters(absent.index(), names).await.unwrap_or_default();
    Fetched { nodes, bytes, rejected }
}

/// The last replica that is not the primary, so that its absence starts no view change.
async fn choose_absent(cluster: &Cluster) -> Result<ReplicaId, TestnetError> {
    let observations = cluster.observe().await;
    let primary = common_view(&observations, cluster.network().genesis.committee.quorum());
    let primary = primary.map(|status| ReplicaId(status.primary));
    let backups = cluster.network().genesis.committee.ids().filter(|id| Some(*id) != primary && *id != CORRUPT);
    backups.last().ok_or_else(|| TestnetError::Usage("there is no backup that could be away".into()))
}

/// What the clients get in a window of this length.
async fn measured(course: &mut Course<'_>, phase: Phase, window: Duration) -> Result<Measured, TestnetError> {
    course.go_on(phase, |moment| moment.elapsed >= window / SETTLING).await?;
    let span = course.go_on(phase, |moment| moment.elapsed >= window).await?;
    Ok(course.measure(span))
}
