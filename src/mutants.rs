//! Mistakes that PBFT engines make, made here on purpose. The simulator must notice every one of them: a test is worth what
//! it would catch.
//!
//! **Never to be used.** Without the feature `mutants`, which only `quorate-sim` asks for, and only for its command
//! `mutants`, [`Mutant::lives`] is the constant `false` and every mistake is compiled to nothing. With it, one of them lives
//! in the threads that have called `Mutant::awake`, and in no other. `tests/mutants.rs` watches over the feature.
//!
//! Each mistake stands at the one place where somebody might make it, and changes no more than that line would.

/// One mistake. docs/TESTING.md says who notices it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutant {
    /// A quorum has one member too few.
    QuorumOneTooSmall,
    /// A slot is committed with the Commits of f+1 members.
    CommitAtWeakQuorum,
    /// A signer that stands twice in a certificate counts twice.
    DuplicateSignerCounts,
    /// An identifier beyond the committee stands for a member, and counts beside it.
    NonMemberCounts,
    /// A replica commits to what nobody has prepared.
    CommitWithoutPrepared,
    /// Votes for another batch count too.
    DigestIgnored,
    /// A second assignment of a slot takes the place of the first, and is voted for.
    SecondPrePrepareAccepted,
    /// Anybody may assign batches.
    PrePrepareOfNonPrimary,
    /// Messages do not wait for the records that they rest on.
    SendBeforePersist,
    /// The journal is not synced, and taken to be.
    NoFsync,
    /// A sync that has failed is tried again, and believed.
    FsyncRetried,
    /// What is damaged is taken for the end of an interrupted write, cut off and forgotten.
    DamagedRecordCut,
    /// Nobody looks at checksums.
    ChecksumUnchecked,
    /// A replica that starts has forgotten which view it had asked for.
    ViewChangeForgotten,
    /// The assignments of a NewView are believed.
    ReProposalsTrusted,
    /// A slot takes the batch of the certificate with the lowest view.
    LowestViewWins,
    /// A NewView fills all slots with the null batch.
    CommittedSlotNulled,
    /// The prepared certificates of a ViewChange are believed.
    ViewChangeUnverified,
    /// The stable checkpoint of a ViewChange is believed.
    UnprovenStable,
    /// The window has no upper end.
    NoHighWatermark,
    /// A checkpoint is stable when f+1 members have it.
    StableAtWeakQuorum,
    /// The journal lets go of prepared slots at the own checkpoint.
    LogDroppedBeforeStable,
    /// The nodes of a fetched state are believed.
    ChunkHashUnchecked,
    /// The parts of a fetched state's root are believed.
    RootFromOnePeer,
    /// A fetched state comes without the client table.
    ClientTableLostAtTransfer,
    /// The window of a client is one request too narrow.
    RequestWindowOffByOne,
    /// A signature says nothing of the network and the epoch that it was made for.
    SignatureWithoutContext,
    /// The time-out stays as it is, however many views were fruitless.
    NoBackOff,
    /// Nobody joins the view change of f+1 others.
    NoJoin,
    /// A batch that is replayed has another time than it had when it was executed.
    NondeterministicExecution,
    /// The ViewChanges for all views to come are kept.
    UnboundedFutureViews,
    /// A client believes the first reply.
    OneReplyBelieved,
    /// Slots that are committed at the same moment are executed last one first.
    ExecutionOutOfOrder,
    /// A backup keeps requests to itself.
    RequestNotForwarded,
    /// The root of a checkpoint does not cover the client table.
    CheckpointWithoutClientTable,
}

#[cfg(not(feature = "mutants"))]
impl Mutant {
    /// Whether this mistake is made: never.
    pub(crate) const fn lives(self) -> bool {
        false
    }
}

#[cfg(feature = "mutants")]
pub use living::Awake;

#[cfg(feature = "mutants")]
mod living {
    use std::cell::Cell;
    use std::marker::PhantomData;

    use super::Mutant;

    thread_local! {
        static LIVING: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// While it is there, its mutant lives in this thread.
    #[derive(Debug)]
    #[must_use = "the mutant dies with it"]
    pub struct Awake {
        before: Option<Mutant>,
        of_this_thread: PhantomData<*const ()>,
    }

    impl Drop for Awake {
        fn drop(&mut self) {
            LIVING.set(self.before);
        }
    }

    impl Mutant {
        /// All of them. The first is number 1.
        pub const ALL: [Mutant; 35] = [
            Mutant::QuorumOneTooSmall,
            Mutant::CommitAtWeakQuorum,
            Mutant::DuplicateSignerCounts,
            Mutant::NonMemberCounts,
            Mutant::CommitWithoutPrepared,
            Mutant::DigestIgnored,
            Mutant::SecondPrePrepareAccepted,
            Mutant::PrePrepareOfNonPrimary,
            Mutant::SendBeforePersist,
            Mutant::NoFsync,
            Mutant::FsyncRetried,
            Mutant::DamagedRecordCut,
            Mutant::ChecksumUnchecked,
            Mutant::ViewChangeForgotten,
            Mutant::ReProposalsTrusted,
            Mutant::LowestViewWins,
            Mutant::CommittedSlotNulled,
            Mutant::ViewChangeUnverified,
            Mutant::UnprovenStable,
            Mutant::NoHighWatermark,
            Mutant::StableAtWeakQuorum,
            Mutant::LogDroppedBeforeStable,
            Mutant::ChunkHashUnchecked,
            Mutant::RootFromOnePeer,
            Mutant::ClientTableLostAtTransfer,
            Mutant::RequestWindowOffByOne,
            Mutant::SignatureWithoutContext,
            Mutant::NoBackOff,
            Mutant::NoJoin,
            Mutant::NondeterministicExecution,
            Mutant::UnboundedFutureViews,
            Mutant::OneReplyBelieved,
            Mutant::ExecutionOutOfOrder,
            Mutant::RequestNotForwarded,
            Mutant::CheckpointWithoutClientTable,
        ];

        /// Its place in [`Mutant::ALL`], from 1.
        #[must_use]
        pub fn number(self) -> usize {
            self as usize + 1
        }

        /// The one with this number.
        #[must_use]
        pub fn of_number(number: usize) -> Option<Mutant> {
            Mutant::ALL.get(number.checked_sub(1)?).copied()
        }

        /// Its name, in words with hyphens.
        #[must_use]
        pub fn name(self) -> String {
            let mut name = String::new();
            for letter in format!("{self:?}").chars() {
                if letter.is_uppercase() && !name.is_empty() {
                    name.push('-');
                }
                name.extend(letter.to_lowercase());
            }
            name
        }

        /// Lets it live in this thread until what is returned is dropped. For the simulator alone.
        pub fn awake(self) -> Awake {
            Awake { before: LIVING.replace(Some(self)), of_this_thread: PhantomData }
        }

        /// Whether this mistake is made.
        pub(crate) fn lives(self) -> bool {
            LIVING.get() == Some(self)
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_mutant_lives_alone_in_one_thread_and_for_a_while() {
            let awake = Mutant::NoFsync.awake();
            let living = || Mutant::ALL.into_iter().filter(|mutant| mutant.lives()).collect::<Vec<_>>();
            assert_eq!(living(), [Mutant::NoFsync]);
            assert!(std::thread::spawn(|| !Mutant::NoFsync.lives()).join().unwrap());
            drop(awake);
            assert_eq!(living(), []);
        }

        #[test]
        fn numbers_and_names_are_in_order() {
            for (place, mutant) in (1..).zip(Mutant::ALL) {
                assert_eq!((mutant.number(), Mutant::of_number(place)), (place, Some(mutant)));
            }
            assert_eq!((Mutant::of_number(0), Mutant::of_number(36)), (None, None));
            assert_eq!(Mutant::PrePrepareOfNonPrimary.name(), "pre-prepare-of-non-primary");
        }
    }
}
