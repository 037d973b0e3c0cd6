//! How often the interesting things happened. A campaign in which one of them never did proves little.

use std::collections::BTreeMap;
use std::fmt;

/// What a counter belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Ordering, views and clients.
    Protocol,
    /// What the network did.
    Network,
    /// Replicas that ended.
    Crash,
    /// Replicas that stay broken when the network has calmed down.
    Aftermath,
    /// What disks did, and what became of it.
    Disk,
    /// Slots and states that came from others.
    Transfer,
    /// Replicas that lie.
    Byzantine,
}

/// A counter is one line with its description, under its group.
macro_rules! counters {
    ($($group:ident { $($(#[$doc:meta])* $counter:ident,)* })*) => {
        /// Something that a campaign must have seen.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Counter {
            $($($(#[$doc])* $counter,)*)*
        }

        impl Counter {
            /// All of them, by group.
            pub const ALL: &'static [Counter] = &[$($(Counter::$counter,)*)*];

            /// What it belongs to.
            #[must_use]
            pub const fn group(self) -> Group {
                match self {
                    $($(Counter::$counter => Group::$group,)*)*
                }
            }
        }
    };
}

counters! {
    Protocol {
        /// Slots executed by the whole cluster.
        Slots,
        /// Requests answered to clients.
        Answers,
        /// Operations that the application refused.
        Refusals,
        /// Groups of operations of which a search found an order that explains all answers.
        Explained,
        /// Views entered.
        ViewsEntered,
        /// Views entered whose NewView re-proposed batches.
        ReProposals,
        /// Views entered whose NewView assigns a committed batch again.
        CommittedReProposed,
        /// Views entered whose NewView filled slots with the null batch.
        NullFills,
        /// View changes begun because others did.
        Joins,
        /// View changes begun because W members suspect.
        Suspicions,
        /// View changes begun because a NewView was late.
        LateNewViews,
        /// Third or later targets in a row without a view entered.
        BackOffs,
        /// View changes begun because the primary asked for its replacement.
        PrimaryAsked,
        /// Primaries that gave up the lead to let a member back in.
        Readmissions,
        /// Low watermarks that rose.
        StableCheckpoints,
        /// Proposals at the high watermark: the next one waits for a checkpoint.
        FullWindows,
        /// Primaries with waiting requests whose window is full: they wait for a checkpoint.
        Stalls,
        /// Wall clocks that jumped.
        ClockJumps,
        /// Votes that waited until the time of a proposal was near enough.
        VotesDelayed,
        /// Requests in batches that were skipped because they were executed before.
        Skipped,
        /// Replies from the client table.
        CachedReplies,
        /// Requests handed on.
        Forwarded,
        /// Votes that were here already.
        DuplicateVotes,
        /// Other messages that said nothing new.
        Duplicates,
        /// Messages of views that had not begun.
        FutureViews,
        /// Messages outside the window.
        OutsideWindow,
        /// Clients told that there is no room.
        Busy,
        /// Checks after a start that were passed.
        StartsChecked,
        /// Starts with a slot that was prepared and not committed.
        PreparedRecoveries,
        /// Seeds with real signatures.
        RealSignatures,
        /// Seeds that were run a second time, to see whether the same happens.
        SeedsRunTwice,
    }
    Network {
        /// Partitions into two sides.
        Partitions,
        /// Partitions that let messages pass in one direction only.
        OneWayCuts,
        /// Partitions into two sides that one replica joins.
        Bridges,
        /// Partitions that leave each replica two neighbours.
        Rings,
        /// Partitions that come and go.
        FlappingCuts,
        /// Links that held everything back for a while.
        Clogs,
        /// Messages that they held back.
        CloggedMessages,
        /// Messages that did not pass because of their kind.
        FilteredMessages,
        /// Messages that were lost.
        LostMessages,
        /// Messages that came twice.
        DoubledMessages,
        /// Messages that came before one that was sent earlier.
        OvertakingMessages,
        /// Votes held back because they would have completed a quorum.
        VotesHeld,
        /// Those of them that came just after their receiver had given up waiting.
        VotesJustTooLate,
    }
    Crash {
        /// Crashes.
        Crashes,
        /// Crashes of the whole cluster.
        Blackouts,
        /// Crashes that lost written records.
        LostRecords,
        /// Crashes during a sync.
        CrashesInSync,
        /// Crashes after a step of which nothing was written.
        CrashesBeforeWrite,
        /// Crashes with what was written not synced.
        CrashesAfterWrite,
        /// Crashes between a sync and what waited for it.
        CrashesAfterSync,
        /// Crashes between sending and executing.
        CrashesAfterSend,
        /// Crashes between the execution of a batch and its report.
        CrashesAfterApply,
        /// Crashes between a durable snapshot and the shortening of the journal.
        CrashesAfterSnapshot,
        /// Crashes while a state was fetched.
        CrashesInTransfer,
        /// Crashes while a fetched state was put in place.
        CrashesInInstall,
        /// Crashes while the view was being changed.
        CrashesInViewChange,
        /// Power failures in the middle of an operation on the disk.
        CrashesInDiskOperation,
        /// Power failures while a replica started.
        CrashesInStart,
    }
    Aftermath {
        /// Correct replicas that stayed down when the network had calmed down.
        LeftDown,
        /// Those that stayed cut off, in one direction or both.
        LeftCutOff,
        /// Those whose disks stayed full.
        LeftWithoutRoom,
        /// Those that went on crashing.
        LeftCrashing,
    }
    Disk {
        /// Processes that ended because a sync failed.
        FsyncAborts,
        /// Syncs that took a hundred times as long.
        SlowSyncs,
        /// Disks that became full.
        FullDisks,
        /// Processes that ended because the disk was full.
        FullDiskAborts,
        /// Interrupted writes that were cut off at a start.
        TornTails,
        /// Homes with damaged files.
        DamagedFiles,
        /// Damaged files of promises.
        DamagedPromises,
        /// Damaged or lost stored states.
        DamagedStates,
        /// Homes that were emptied.
        WipedHomes,
        /// Homes in whose place an older copy came.
        OlderCopies,
        /// Power failures that took what a sync had confirmed.
        ForgottenSyncs,
        /// Power failures that took a rename that had been confirmed.
        ForgottenRenames,
        /// Power failures that showed that a write had landed elsewhere.
        MisdirectedWrites,
        /// Files in which a bit flipped while their replica ran.
        RottenFiles,
        /// Starts of which the journal says that promises are lost.
        StartsRecovering,
        /// Lost promises that peers made known.
        LossesNoticed,
        /// Lost promises that were bounded by what the others said.
        RecoveriesBounded,
        /// Replicas that had lost promises and vote again.
        Recoveries,
    }
    Transfer {
        /// Questions for committed slots.
        CatchUps,
        /// Slots adopted from another's journal.
        SlotsAdopted,
        /// Answers with nodes of a state.
        NodesServed,
        /// Nodes that were not what was asked for.
        NodesRejected,
        /// Sources of a state that were given up.
        SourcesSwitched,
        /// Fetches that went on to a newer state.
        GoalsMoved,
        /// States that came from the others.
        StatesFetched,
        /// State transfers that were ordered.
        TransfersStarted,
        /// States that were installed.
        TransfersDone,
        /// Starts from a snapshot.
        SnapshotStarts,
    }
    Byzantine {
        /// Proofs against Byzantine replicas.
        Evidence,
        /// Slots that a Byzantine primary assigned twice.
        Equivocations,
        /// Lies of Byzantine sources of states.
        SourceLies,
        /// NewViews whose assignments do not follow from their ViewChanges.
        MisleadingNewViews,
        /// Second valid NewViews, from ViewChanges that were chosen for it.
        ChosenNewViews,
        /// Votes for different batches towards different members.
        ConflictingVotes,
        /// Messages that a Byzantine replica did not send.
        Silences,
        /// Requests of a client that a Byzantine replica ignored.
        Censorships,
        /// Assignments that a Byzantine primary held back.
        SlowProposals,
        /// Wrong roots that were signed.
        WrongCheckpoints,
        /// ViewChanges that hide something.
        StaleViewChanges,
        /// ViewChanges with forged certificates.
        ForgedViewChanges,
        /// Old messages that were sent again.
        Replays,
        /// Statements signed in another epoch.
        ForeignEpochs,
        /// Statements signed in another network.
        ForeignNetworks,
        /// Wrong answers to questions of other members.
        LyingAnswers,
        /// Replicas that said of themselves what is not so.
        LyingStatuses,
        /// Wrong results that clients were told.
        LyingReplies,
        /// Messages of the far future.
        Floods,
        /// Byzantine replicas whose homes were set back.
        SetBacks,
        /// Byzantine replicas that were told what they had signed, and did not listen.
        Amnesias,
        /// Statements that are a little off.
        MutatedStatements,
        /// Certificates that are a little off.
        MutatedCertificates,
        /// Two operations of a Byzantine client under one number.
        RogueOperations,
        /// Requests whose signatures are valid towards some.
        RogueSignatures,
        /// Requests with numbers that no honest client uses.
        RogueNumbers,
        /// Requests that a Byzantine client sent again and again.
        RogueRepeats,
        /// Floods of a Byzantine client.
        RogueFloods,
        /// Views, slots and phases in which a Byzantine replica voted for two batches, both with valid signatures.
        LiarsVotedTwice,
        /// Messages of Byzantine replicas and clients that are not valid.
        InvalidRefused,
    }
}

/// The counts of one world or of many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters(BTreeMap<Counter, u64>);

impl Counters {
    /// It happened once more.
    pub fn add(&mut self, counter: Counter) {
        self.add_many(counter, 1);
    }

    /// It happened `count` times more.
    pub fn add_many(&mut self, counter: Counter, count: u64) {
        *self.0.entry(counter).or_default() += count;
    }

    /// How often it happened.
    #[must_use]
    pub fn get(&self, counter: Counter) -> u64 {
        self.0.get(&counter).copied().unwrap_or(0)
    }

    /// Adds the counts of another world.
    pub fn merge(&mut self, other: &Counters) {
        for (counter, count) in &other.0 {
            self.add_many(*counter, *count);
        }
    }

    /// What never happened.
    #[must_use]
    pub fn missing(&self) -> Vec<Counter> {
        Counter::ALL.iter().copied().filter(|counter| self.get(*counter) == 0).collect()
    }
}

impl fmt::Display for Counter {
    /// `CrashesInSync` is `crashes in sync`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_uppercase() && !words.is_empty() {
                words.push(' ');
            }
            words.extend(letter.to_lowercase());
        }
        f.pad(&words)
    }
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut group = None;
        for counter in Counter::ALL {
            if group.replace(counter.group()) != Some(counter.group()) {
                writeln!(f, "  {:?}", counter.group())?;
            }
            writeln!(f, "    {counter:<28} {:>12}", self.get(*counter))?;
        }
        Ok(())
    }
}
