//! The bounds of a phrase, each with its derivation.

/// The most characters of a phrase outside of double quotes. The longest sentence in the tests has
/// 140. A longer phrase describes several tasks.
pub const MAX_PHRASE_CHARS: usize = 500;

/// The most bytes of a phrase. A canonical sentence may quote 16 cron expressions of 1,024 bytes,
/// and what a task leaves out, which has at most 16,384 bytes. In addition, there is room for four
/// bytes for each of the 500 other characters.
pub const MAX_PHRASE_BYTES: usize = 16 * 1_028 + 16_384 + 4 * 500;

/// The most steps of reading a phrase. A step examines a token, which takes some nanoseconds, so
/// all of them take less than a millisecond. At each token the grammar tries every word that can
/// begin a part, some 400 steps. So the limit is enough for 250 tokens, and 500 characters of
/// English are some 100. No sentence of the tests takes more than 7,000 steps.
pub const MAX_STEPS: u32 = 100_000;

/// The most choices of an answer. A sentence with more is too vague, and nobody reads a longer
/// list.
pub const MAX_CHOICES: usize = 8;

/// The most values in one list of a phrase, such as times of a day: as many as a day has hours.
pub const MAX_LIST: usize = 24;

/// The largest number in a phrase: the seconds of the longest interval of a task, a hundred years.
pub const MAX_NUMBER: u32 = 3_155_760_000;

/// The most occurrences that a phrase may count: the most that a cron schedule accepts as
/// `maxRuns`.
pub const MAX_RUNS: u32 = 100_000;

/// The most schedules that one sentence joins: "weekdays at 9, saturdays at 10 and sundays at 11".
pub const MAX_UNITED: usize = 4;

/// The most cron expressions of one schedule, as in the API.
pub const MAX_EXPRESSIONS: usize = 16;
