//! [`Comeback`]: how a replica comes back.

use std::time::{Duration, Instant};

use quorate::ReplicaId;

use super::course::{Course, Moment, Span};
use super::look::Look;
use super::timeline::Phase;
use crate::error::TestnetError;

/// How long the catch-up is waited for: longer than it may take, so that the report can say how far it was.
const CATCH_UP_PATIENCE: Duration = Duration::from_secs(45);
/// So many looks in a row have to find it at the head.
const LOOKS_AT_HEAD: u32 = 5;
/// How long the course goes on when it is at the head, and how long it may take until it votes then.
const AFTER: Duration = Duration::from_secs(3);
const AFTER_PATIENCE: Duration = Duration::from_secs(30);
/// How a replica came back, in times from its new start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Comeback {
    /// When it executed at the head, for good.
    pub(super) at_head: Option<Duration>,
    /// When it voted first.
    pub(super) votes: Option<Duration>,
    /// How far behind it was when it was looked at last.
    pub(super) lag: Option<u64>,
    /// The source of state that was killed meanwhile, and when.
    pub(super) killed: Option<(ReplicaId, Duration)>,
    /// So many looks in a row found it there.
    pub(super) looks_at_head: u32,
}

impl Comeback {
    fn see(&mut self, look: &Look, elapsed: Duration) {
        self.lag = look.lag();
        if look.votes() {
            self.votes.get_or_insert(elapsed);
        }
        if look.is_at_head() {
            self.at_head.get_or_insert(elapsed);
            self.looks_at_head += 1;
        } else {
            (self.at_head, self.looks_at_head) = (None, 0);
        }
    }

    fn is_at_head(&self) -> bool {
        self.looks_at_head >= LOOKS_AT_HEAD
    }
}

/// Starts the replica again and waits until it is at the head, and then until it votes. Gives the window of the catch-up,
/// which is no shorter than `window_min`: one slow second should not decide.
pub(super) async fn come_back(
    course: &mut Course<'_>,
    absent: ReplicaId,
    (window_min, kill_source): (Duration, bool),
) -> Result<(Span, Comeback), TestnetError> {
    let (started, mut comeback) = (Instant::now(), Comeback::default());
    course.cluster().restart(absent)?;
    if kill_source {
        kill_a_source(course, started, &mut comeback).await?;
    }
    let is_over = |moment: Moment<'_>| {
        let elapsed = started.elapsed();
        comeback.see(moment.look, elapsed);
        comeback.is_at_head() && elapsed >= window_min || elapsed >= CATCH_UP_PATIENCE
    };
    let span = course.go_on(Phase::CatchUp, is_over).await?;
    let is_over = |moment: Moment<'_>| {
        comeback.see(moment.look, started.elapsed());
        moment.elapsed >= AFTER && comeback.votes.is_some() || moment.elapsed >= AFTER_PATIENCE
    };
    course.go_on(Phase::After, is_over).await?;
    if let Some((source, _)) = comeback.killed {
        course.cluster().restart(source)?;
    }
    Ok((Span { from: started, ..span }, comeback))
}

/// Waits until state is fetched, and kills one from whom it comes.
async fn kill_a_source(course: &mut Course<'_>, started: Instant, comeback: &mut Comeback) -> Result<(), TestnetError> {
    let mut source = None;
    let is_over = |moment: Moment<'_>| {
        comeback.see(moment.look, started.elapsed());
        source = moment.look.source();
        source.is_some() || comeback.is_at_head() || moment.elapsed >= CATCH_UP_PATIENCE
    };
    course.go_on(Phase::CatchUp, is_over).await?;
    if let Some(source) = source {
        course.cluster().kill(source).await?;
        comeback.killed = Some((source, started.elapsed()));
    }
    Ok(())
}
