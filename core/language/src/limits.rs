//! The bounds of a phrase, each with its derivation.

/// Most characters of a phrase outside of double quotes. The longest sentence in the tests has 140;
/// people who write more describe several tasks.
pub const MAX_PHRASE_CHARS: usize = 500;

/// Most bytes of a phrase. A canonical sentence may quote 16 cron expressions of 1,024 bytes; four
/// bytes for each of the 500 other characters fit beside them.
pub const MAX_PHRASE_BYTES: usize = 16 * 1_028 + 4 * 500;

/// Most steps that reading a phrase takes, where a step is a look at a token: some nanoseconds, so
/// below a millisecond together. At each token the grammar tries every word that can begin a part,
/// some 400 looks, which is enough for 250 tokens; 500 characters of English are some 100. No
/// sentence of the tests takes more than 5,000.
pub const MAX_STEPS: u32 = 100_000;

/// Most choices that an answer offers. More is a sentence that says too little, and nobody reads a
/// longer list.
pub const MAX_CHOICES: usize = 8;

/// Most values in one list of a phrase, such as times of a day: as many as a day has hours.
pub const MAX_LIST: usize = 24;

/// The largest number in a phrase: the seconds of the longest interval of a task, a hundred years.
pub const MAX_NUMBER: u32 = 3_155_760_000;

/// Most occurrences that a phrase may count: what a cron schedule accepts as `maxRuns`.
pub const MAX_RUNS: u32 = 100_000;

/// Most schedules that one sentence joins: "weekdays at 9, saturdays at 10 and sundays at 11".
pub const MAX_UNITED: usize = 4;

/// Most cron expressions of one schedule, as in the API.
pub const MAX_EXPRESSIONS: usize = 16;
