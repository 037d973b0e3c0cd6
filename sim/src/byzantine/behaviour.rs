//! What a Byzantine replica can be told to do.

use serde::{Deserialize, Serialize};

use super::amnesia::Amnesia;
use super::attack::Attack;
use super::censor::Censor;
use super::conflicting_votes::ConflictingVotes;
use super::equivocating_primary::EquivocatingPrimary;
use super::flood::Flood;
use super::foreign_signatures::ForeignSignatures;
use super::forged_view_change::ForgedViewChange;
use super::lying_answers::LyingAnswers;
use super::lying_replies::LyingReplies;
use super::lying_source::LyingSource;
use super::lying_status::LyingStatus;
use super::misleading_new_view::MisleadingNewView;
use super::mutated_certificates::MutatedCertificates;
use super::mutated_statements::MutatedStatements;
use super::replays::Replays;
use super::silence::{Audience, Silence, Subject};
use super::slow_primary::SlowPrimary;
use super::stale_view_change::StaleViewChange;
use super::trigger::Trigger;
use super::wrong_checkpoint::WrongCheckpoint;

/// One thing that a Byzantine replica does, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttackPlan {
    /// What.
    pub behaviour: Behaviour,
    /// When.
    pub trigger: Trigger,
}

/// What a Byzantine replica can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Behaviour {
    /// Assigns several batches to one slot of its view.
    Equivocate {
        /// At most so many, at least two.
        ways: u64,
    },
    /// Proves a new view and hides something.
    MisleadingNewView,
    /// Votes for different batches towards different members.
    ConflictingVotes,
    /// Does not speak.
    Silence(Subject, Audience),
    /// Does as if a client did not exist.
    Censor {
        /// Its place in the genesis, modulo their number.
        client: usize,
    },
    /// Holds its assignments back for nine tenths of T.
    Slow,
    /// Signs wrong roots.
    WrongCheckpoint(Audience),
    /// Hides what it is bound to when it asks for another view.
    StaleViewChange(Audience),
    /// Asks for another view with forged certificates.
    ForgedViewChange,
    /// Sends again what it saw before.
    Replays,
    /// Signs in other networks and epochs.
    ForeignSignatures,
    /// Serves wrong states.
    LyingSource,
    /// Answers other questions wrongly.
    LyingAnswers,
    /// Says of itself what is not so.
    LyingStatus,
    /// Tells clients wrong results.
    LyingReplies,
    /// Floods the others with messages of the far future.
    Flood,
    /// Forgets what it has signed.
    Amnesia,
    /// Is a little off in what it says.
    MutatedStatements,
    /// Is a little off in the certificates that it hands on.
    MutatedCertificates,
}

impl Behaviour {
    /// The attack.
    #[must_use]
    pub fn build(self) -> Box<dyn Attack> {
        match self {
            Behaviour::Equivocate { ways } => Box::new(EquivocatingPrimary::new(ways)),
            Behaviour::MisleadingNewView => Box::new(MisleadingNewView::default()),
            Behaviour::ConflictingVotes => Box::new(ConflictingVotes),
            Behaviour::Silence(subject, towards) => Box::new(Silence::new(subject, towards)),
            Behaviour::Censor { client } => Box::new(Censor::new(client)),
            Behaviour::Slow => Box::new(SlowPrimary),
            Behaviour::WrongCheckpoint(towards) => Box::new(WrongCheckpoint::new(towards)),
            Behaviour::StaleViewChange(towards) => Box::new(StaleViewChange::new(towards)),
            Behaviour::ForgedViewChange => Box::new(ForgedViewChange),
            Behaviour::Replays => Box::new(Replays::default()),
            Behaviour::ForeignSignatures => Box::new(ForeignSignatures),
            Behaviour::LyingSource => Box::new(LyingSource),
            Behaviour::LyingAnswers => Box::new(LyingAnswers),
            Behaviour::LyingStatus => Box::new(LyingStatus),
            Behaviour::LyingReplies => Box::new(LyingReplies),
            Behaviour::Flood => Box::new(Flood),
            Behaviour::Amnesia => Box::new(Amnesia),
            Behaviour::MutatedStatements => Box::new(MutatedStatements),
            Behaviour::MutatedCertificates => Box::new(MutatedCertificates),
        }
    }
}
