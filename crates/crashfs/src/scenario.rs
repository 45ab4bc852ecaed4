//! The scenarios that are recorded. A new operation of the store is a line here, a line in `rehearsal` that does it,
//! and a scenario.

/// What a client asks for and is told of.
#[derive(Debug, Clone, Copy)]
pub enum Verb {
    /// Makes a bucket.
    CreateBucket(&'static str),
    /// Puts an object of this length; with something owed or not.
    Put {
        /// The key.
        key: &'static str,
        /// Length in bytes.
        len: usize,
        /// Whether something is owed for it.
        owed: bool,
    },
    /// Deletes an object.
    Delete(&'static str),
    /// Deletes several objects at once.
    DeleteMany(&'static [&'static str]),
    /// Deletes an object as a lifecycle rule does: only the one it has seen.
    Expire(&'static str),
    /// Closes what is owed for a key.
    CloseOutboxEntry(&'static str),
}

/// What happens next.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// One client asks and waits.
    Do(Verb),
    /// Several clients ask at once. No two may concern the same key.
    Together(&'static [Verb]),
    /// What is owed for a key is closed with some later batch; nobody waits.
    CloseLater(&'static str),
    /// A put that is refused, because the key holds an object.
    Refused(&'static str, usize),
    /// A put whose blob is given a name in a folder that has no room to be synced.
    NoRoomForName(&'static str, usize),
    /// An upload of this length that is dropped before its commit.
    Abandon(usize),
    /// The sweeper runs.
    Sweep,
    /// The clock goes on by so many seconds.
    Pass(i64),
    /// The catalog's log is moved, in SQLite's mode of this name.
    Checkpoint(&'static str),
    /// The store is shut down in good order and opened again.
    Reopen,
    /// The process is killed and started again; the disk keeps its pending changes.
    Kill,
    /// A client asks, and the process is killed inside the commit, between the write to the catalog's log and its
    /// sync. It is started again; what it shows from then on counts as acknowledged.
    KillInCommit(Verb),
}

/// What a disk holds before the first start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begins {
    /// Nothing.
    Empty,
    /// The data folder of schema 1 that the store's tests have, without its damaged object.
    Schema1,
}

/// Steps, from a disk that holds nothing or an older data folder.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Its name in messages.
    pub name: &'static str,
    /// Whether the file system has files without names.
    pub unnamed_files: bool,
    /// What is there before the first start.
    pub begins: Begins,
    /// What happens.
    pub steps: &'static [Step],
}

/// Goes into the catalog.
pub(crate) const SMALL: usize = 900;
/// Goes into a blob.
pub(crate) const LARGE: usize = 9_000;
/// A blob that is written in several batches.
const HUGE: usize = 300_000;

/// The bucket of all objects.
pub(crate) const BUCKET_NAME: &str = "uploads";

const BUCKET: Step = Step::Do(Verb::CreateBucket(BUCKET_NAME));

const fn put(key: &'static str, len: usize) -> Step {
    Step::Do(Verb::Put { key, len, owed: false })
}

const fn post(key: &'static str, len: usize) -> Step {
    Step::Do(Verb::Put { key, len, owed: true })
}

const fn at_once(key: &'static str, len: usize, owed: bool) -> Verb {
    Verb::Put { key, len, owed }
}

/// All of them.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "a first start and small uploads",
        unnamed_files: true,
        begins: Begins::Empty,
        steps: &[BUCKET, post("a", SMALL), put("b", SMALL), put("empty", 0)],
    },
    Scenario {
        name: "large uploads",
        unnamed_files: true,
        begins: Begins::Empty,
        steps: &[BUCKET, post("a", LARGE), put("b", HUGE), put("c", LARGE)],
    },
    Scenario {
        name: "large uploads where no file can be without a name",
        unnamed_files: false,
        begins: Begins::Empty,
        steps: &[
            BUCKET,
            post("a", LARGE),
            put("b", LARGE),
            Step::Abandon(LARGE),
            put("a", LARGE),
            Step::Sweep,
        ],
    },
    Scenario {
        name: "overwriting both ways",
        unnamed_files: true,
        begins: Begins::Empty,
        steps: &[
            BUCKET,
            post("small", SMALL),
            post("large", LARGE),
            post("small", LARGE),
            put("large", SMALL),
            Step::Pass(60),
            Step::Sweep,
            put("small", LARGE),
            put("large", LARGE),
            Step::Pass(60),
            Step::Sweep,
        ],
    },
    Scenario {
        name: "deleting, one and many, and by lifecycle",
        unnamed_files: true,
        begins: Begins::Empty,
        steps: &[
            BUCKET,
            put("a", SMALL),
            post("b", LARGE),
            put("c", LARGE),
            put("d", SMALL),
            put("e", LARGE),
            Step::Do(Verb::Delete("b")),
            Step::Do(Verb::DeleteMany(&["a", "c"])),
            Step::Pass(60),
            Step::Sweep,
            Step::Do(Verb::Expire("e")),
            Step::Pass(60),
            Step::Sweep,
            Step::Sweep,
            put("f", LARGE),
        ],
    },
    Scenario {
        name: "owed entries that are closed",
        unnamed_files: true,
        begins: Begins::Empty,
        steps: &[
            BUCKET,
            post("a", SMALL),
            post("b", LARGE),
            Step::CloseLater("a"),
            Step::Do(Verb::CloseOutboxEntry("b")),
            post("a", SMALL),
            Step::Do(Verb::Delete("a")),
        ],
    },
    Scenario {
        name: "several clients in one batch",
        unnamed_files: true,
        begins: Begins::Empty,
        steps: &[
            BUCKET,
            Step::Together(&[
                at_once("a", SMALL, true),
                at_once("b", LARGE, true),
                at_once("c", SMALL, false),
                at_once("d", LARGE, false),
                at_once("e", SMALL, true),
            ]),
            Step::Together(&[
                at_once("a", LARGE, true),
                Verb::Delete("b"),
                Verb::Expire("c"),
                at_once("d", SMALL, true),
                at_once("f", LARGE, false),
                Verb::CreateBucket("c"),
            ]),
            Step::Pass(60),
            Step::Sweep,
        ],
    },
    Scenario {
        name: "checkpoints in between",
        unnamed_files: true,
        begins: Begins::Empty,
        steps: &[
            BUCKET,
            post("a", SMALL),
            Step::Checkpoint("PASSIVE"),
            put("b", LARGE),
            put("a", SMALL),
            Step::Checkpoint("RESTART"),
            put("c", SMALL),
            Step::Do(Verb::Delete("b")),
            Step::Checkpoint("TRUNCATE"),
            put("d", SMALL),
            Step::Pass(60),
            Step::Sweep,
            Step::Checkpoint("PASSIVE"),
            put("e", SMALL),
        ],
    },
    Scenario {
        name: "good and bad ends",
        unnamed_files: true,
        begins: Begins::Empty,
        steps: &[
            BUCKET,
            post("a", LARGE),
            Step::Reopen,
            put("b", LARGE),
            Step::Kill,
            put("c", LARGE),
            put("a", SMALL),
            Step::Reopen,
            Step::Pass(60),
            Step::Sweep,
            post("d", SMALL),
            Step::Kill,
            put("d", LARGE),
        ],
    },
    Scenario {
        name: "a refused upload, a sweep and a new start",
        unnamed_files: true,
        begins: Begins::Empty,
        steps: &[
            BUCKET,
            put("a", LARGE),
            Step::Refused("a", LARGE),
            Step::Sweep,
            Step::Reopen,
            Step::Sweep,
            put("b", LARGE),
        ],
    },
    Scenario {
        name: "uploads that come to nothing",
        unnamed_files: true,
        begins: Begins::Empty,
        steps: &[
            BUCKET,
            put("a", LARGE),
            Step::Refused("a", LARGE),
            Step::Abandon(HUGE),
            Step::NoRoomForName("c", LARGE),
            Step::Sweep,
            Step::Refused("a", SMALL),
            put("c", LARGE),
            Step::NoRoomForName("d", LARGE),
            Step::Sweep,
            Step::Reopen,
            Step::Sweep,
            put("b", LARGE),
        ],
    },
    Scenario {
        name: "a kill inside a commit, then a stop without a write",
        unnamed_files: true,
        begins: Begins::Empty,
        steps: &[
            BUCKET,
            post("a", SMALL),
            put("b", LARGE),
            Step::Checkpoint("PASSIVE"),
            put("c", SMALL),
            Step::KillInCommit(at_once("a", LARGE, true)),
            Step::Reopen,
            Step::KillInCommit(Verb::Delete("c")),
            Step::Reopen,
            post("d", SMALL),
        ],
    },
    Scenario {
        name: "a kill inside a commit, then a checkpoint or a sweep without a write",
        unnamed_files: true,
        begins: Begins::Empty,
        steps: &[
            BUCKET,
            put("a", LARGE),
            put("b", LARGE),
            Step::KillInCommit(at_once("c", SMALL, true)),
            Step::Checkpoint("PASSIVE"),
            Step::KillInCommit(at_once("a", LARGE, false)),
            Step::Pass(60),
            Step::Sweep,
            Step::KillInCommit(Verb::Delete("b")),
            Step::Checkpoint("RESTART"),
            put("d", SMALL),
        ],
    },
    Scenario {
        name: "a catalog of schema 1",
        unnamed_files: true,
        begins: Begins::Schema1,
        steps: &[put("small.jpg", LARGE), Step::Reopen, post("b", SMALL)],
    },
];
