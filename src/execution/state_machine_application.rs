//! [`StateMachineApplication`]: any [`StateMachine`] as an [`Application`].

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::application::{Admission, Application, ApplicationSnapshot, Operation, lawful};
use super::state::{State, StateLimits};
use super::state_machine::{Refusal, StateMachine};
use crate::genesis::Limits;
use crate::guard::{self, Panicked};
use crate::outcome::Outcome;

/// A state machine with its state.
///
/// Each operation runs on an overlay, a clone of the state, which replaces the state when the outcome is
/// [`Outcome::Done`] and is dropped otherwise.
pub struct StateMachineApplication<M> {
    machine: Arc<M>,
    outcome_bytes_max: u64,
    state: State,
}

impl<M: StateMachine> StateMachineApplication<M> {
    /// The state machine on an empty state with the limits of the genesis.
    #[must_use]
    pub fn new(machine: Arc<M>, limits: &Limits) -> Self {
        let state = State::with_limits(StateLimits::from(limits));
        StateMachineApplication { machine, outcome_bytes_max: limits.outcome_bytes_max, state }
    }

    /// The state after the last batch.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    fn execute(&mut self, operation: &Operation) -> Outcome {
        let mut overlay = self.state.clone();
        let outcome = guard::run(|| self.machine.execute(&operation.context, &operation.bytes, &mut overlay));
        let outcome = lawful(outcome.unwrap_or_else(|Panicked(_)| Outcome::Panicked), self.outcome_bytes_max);
        if matches!(outcome, Outcome::Done(_)) {
            self.state = overlay;
        }
        outcome
    }
}

impl<M: StateMachine> Application for StateMachineApplication<M> {
    fn apply(&mut self, operations: &[Operation]) -> Vec<Outcome> {
        operations.iter().map(|operation| self.execute(operation)).collect()
    }

    fn snapshot(&self) -> Arc<dyn ApplicationSnapshot> {
        Arc::new(StateSnapshot { machine: Arc::clone(&self.machine), state: self.state.clone() })
    }

    fn restore(&mut self, state: State) {
        self.state = state.limited_by(self.state.limits());
    }

    fn admission(&self) -> Arc<dyn Admission> {
        Arc::new(Door(Arc::clone(&self.machine)))
    }
}

// Derived, it would ask that M can be cloned.
impl<M> Clone for StateMachineApplication<M> {
    fn clone(&self) -> Self {
        StateMachineApplication {
            machine: Arc::clone(&self.machine),
            outcome_bytes_max: self.outcome_bytes_max,
            state: self.state.clone(),
        }
    }
}

impl<M> fmt::Debug for StateMachineApplication<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateMachineApplication({} entries)", self.state.len())
    }
}

/// The state at one moment, and the state machine to answer questions about it.
struct StateSnapshot<M> {
    machine: Arc<M>,
    state: State,
}

impl<M: StateMachine> ApplicationSnapshot for StateSnapshot<M> {
    fn state(&self) -> &State {
        &self.state
    }

    fn query(&self, query: &[u8]) -> Outcome {
        let view = self.state.view();
        guard::run(|| self.machine.query(query, &view)).unwrap_or(Outcome::Panicked)
    }
}

impl<M> fmt::Debug for StateSnapshot<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateSnapshot({} entries)", self.state.len())
    }
}

/// Keeps panics of [`StateMachine::admit`] from the threads that receive requests.
struct Door<M>(Arc<M>);

impl<M: StateMachine> Admission for Door<M> {
    fn admit(&self, operation: &[u8]) -> Result<(), Refusal> {
        guard::run(|| self.0.admit(operation)).unwrap_or_else(|Panicked(_)| Err(Refusal(Bytes::new())))
    }
}
