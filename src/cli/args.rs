//! What a user may type.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// What an Amazon DynamoDB design costs, exactly, with the working of every line.
#[derive(Debug, Parser)]
#[command(name = "dynameter", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done; 1 over budget (check); 2 the command line, a file or a \
                  value is wrong, or a figure that a budget needs is unknown.\n\nStart with \
                  `dynameter init workload.toml`, then `dynameter estimate workload.toml`."
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,

    /// How the result is written; github, sarif and junit are for check
    #[arg(long, global = true, value_enum, default_value_t = OutputFormat::Text)]
    pub format: OutputFormat,

    /// Write the result to a file, whole or not at all
    #[arg(short, long, global = true, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// The region, in place of the workload's
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,

    /// Prices of a date (YYYY-MM-DD), or a folder of price books in place of the built-in ones
    #[arg(long, global = true, value_name = "DATE|DIR")]
    pub prices: Option<String>,

    /// Rates and sizes that a plan or a template lacks, joined by table name: TOML
    /// (docs/import.md), or a usage file of Infracost
    #[arg(long, global = true, value_name = "FILE")]
    pub usage: Option<String>,

    /// Hours of a month, in place of the workload's: 730, 720 (30 days), 744 (31 days) …
    #[arg(long, global = true, value_name = "N", allow_hyphen_values = true)]
    pub month_hours: Option<String>,

    /// Say nothing but the result
    #[arg(long, global = true)]
    pub quiet: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a commented workload file to start from
    Init {
        /// The file; standard output where absent. A file that exists is never overwritten
        file: Option<PathBuf>,
    },
    /// What designs cost in a month, line by line
    Estimate {
        /// Workload files; - reads standard input
        #[arg(required = true)]
        workloads: Vec<String>,
    },
    /// The same design under every alternative, and a ranked list of what to change
    Compare {
        /// A workload file; - reads standard input
        workload: String,
        #[command(flatten)]
        question: QuestionArgs,
        #[command(flatten)]
        horizon: HorizonArgs,
    },
    /// What a design change costs, line by line
    Diff {
        /// The workload file before
        old: String,
        /// The workload file after
        new: String,
    },
    /// Make a workload file of a plan, a template, what AWS describes or measures, or another
    /// tool's model
    Import {
        /// What the files are
        #[arg(value_parser = ["terraform", "cloudformation", "describe-table", "export", "cloudwatch", "model"])]
        kind: String,
        /// The files; of an export its folder; - reads standard input
        #[arg(required = true)]
        files: Vec<String>,
        /// Of a Terraform plan, the design before the change
        #[arg(long)]
        before: bool,
        /// The table of CloudWatch metrics that name none
        #[arg(long, value_name = "NAME")]
        table: Option<String>,
    },
    /// Whether designs are within a budget, and what about them to look at
    Check(CheckArgs),
    /// The working behind each line: rule, quantity, rate, where each came from
    Explain {
        /// A workload file; - reads standard input
        workload: String,
    },
    /// One HTML page for a design review: the answer, break-evens, where the money goes, the
    /// working
    Report(Box<ReportArgs>),
    /// Execute a trace: units, throttles, hot keys, DAX, and the bill in every mode
    Replay(Box<ReplayArgs>),
    /// Expand a workload into a trace, for --hours and from a --seed
    Synthesize(SynthesizeArgs),
    /// The price books: which there are, and what is in them
    Prices {
        #[command(subcommand)]
        command: PricesCommand,
    },
    /// The JSON Schema of the workload file, for editors; of the budget file with --budget
    Schema {
        /// That of the budget file
        #[arg(long)]
        budget: bool,
    },
    /// A completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// The manual page
    Man,
}

/// What is checked.
#[derive(Clone, Debug, clap::Args)]
pub struct CheckArgs {
    /// Workload files; - reads standard input
    #[arg(required = true)]
    pub workloads: Vec<String>,
    /// The budget file
    #[arg(long, value_name = "FILE")]
    pub budget: String,
    /// The workload before: a file, or git:REV:PATH; git:REV: for the same path. One for each
    /// workload
    #[arg(long, value_name = "OLD")]
    pub baseline: Vec<String>,
    /// The day on which exceptions are looked at, YYYY-MM-DD; today where absent
    #[arg(long, value_name = "DATE")]
    pub today: Option<String>,
}

/// What is replayed, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct ReplayArgs {
    /// Trace files, folders, patterns such as 'logs/*.gz'; - reads standard input
    #[arg(required = true)]
    pub traces: Vec<String>,
    /// The workload that the trace runs on; not needed where the trace defines its tables
    #[arg(short, long, value_name = "FILE")]
    pub workload: Option<String>,
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Compare every ConsumedCapacity in the trace with the meter's answer; --verify=all shows
    /// every difference
    #[arg(long, value_name = "SHOWN", num_args = 0..=1, require_equals = true, default_missing_value = "first")]
    pub verify: Option<String>,
    /// A reading of a disputed rule, where no workload has [switches]: --switch
    /// number_alignment=split
    #[arg(long, value_name = "NAME=READING", conflicts_with = "workload")]
    pub switch: Vec<String>,
    /// Sizes of DAX caches that are tried, such as "64 MB,1 GB"; the memory of every node type
    /// where absent
    #[arg(long, value_name = "SIZES", value_delimiter = ',')]
    pub dax: Vec<String>,
    /// Take the keys of one share only: 2/8 is the second of eight
    #[arg(
        long,
        value_name = "I/N",
        default_value = "1/1",
        hide_default_value = true
    )]
    pub share: String,
    /// Write what the share comes to as a part (-o part.parquet), for --merge
    #[arg(long)]
    pub partial: bool,
    /// Join parts, which are given in place of the trace, to the result of one run over everything
    #[arg(long, conflicts_with_all = ["partial", "checkpoint", "share"])]
    pub merge: bool,
    /// A file that is written now and then; where it is there, the run that wrote it goes on
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<std::path::PathBuf>,
    /// How many events lie between two checkpoints
    #[arg(long, value_name = "EVENTS", default_value_t = 20_000_000)]
    pub checkpoint_every: u64,
    /// The share of the trace's demand that provisioned capacity may throttle
    #[arg(long, value_name = "SHARE", default_value = "0.000001")]
    pub throttled: String,
}

/// How a trace is read and executed.
#[derive(Clone, Debug, clap::Args)]
pub struct ReadingArgs {
    /// The format of the trace, where it is not found out
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// A column under another name: --map time=timestamp
    #[arg(long, value_name = "COLUMN=NAME")]
    pub map: Vec<String>,
    /// A column of one value: --set operation=GetItem
    #[arg(long, value_name = "COLUMN=VALUE")]
    pub set: Vec<String>,
    /// The table of rows that name none
    #[arg(long, value_name = "NAME")]
    pub table: Option<String>,
    /// The unit of numeric times, where it is not found out: s, ms, us or ns
    #[arg(long, value_name = "UNIT")]
    pub time_unit: Option<String>,
    /// Count bad rows by their reasons and go on
    #[arg(long)]
    pub skip_bad_rows: bool,
    /// How many rows an event may come late within its file
    #[arg(long, value_name = "ROWS", default_value_t = 65_536)]
    pub window: usize,
    /// The moment at which the time that the trace covers begins; the minute of its first event
    /// where absent
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// The moment at which it ends; the end of the minute of its last event where absent
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Seconds that DAX keeps an item, in place of the design's or 300
    #[arg(long, value_name = "SECONDS")]
    pub dax_ttl: Option<u64>,
    /// Whether overwriting an item moves it to the front of DAX's list, which AWS does not say:
    /// refresh or keep
    #[arg(long, value_name = "READING", default_value = "refresh")]
    pub dax_overwrite: String,
    /// Threads; as many as the machine has where absent. No figure depends on it
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// How many hot keys are shown for each account
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub hot_keys: usize,
}

/// What a page is made of.
#[derive(Clone, Debug, clap::Args)]
pub struct ReportArgs {
    /// A workload file; - reads standard input
    pub workload: String,
    /// Trace files, folders, patterns: what they measured goes beside what the workload expects
    #[arg(long, value_name = "TRACE", num_args = 1..)]
    pub trace: Vec<String>,
    /// The workload file before: what has changed since goes first
    #[arg(long, value_name = "OLD")]
    pub baseline: Option<String>,
    #[command(flatten)]
    pub question: QuestionArgs,
    #[command(flatten)]
    pub horizon: HorizonArgs,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// What alternatives are asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct QuestionArgs {
    /// The share of the simulated demand that may be throttled
    #[arg(long, value_name = "SHARE", default_value = "0.000001")]
    pub throttled: String,
    /// By how much items shrink when they are compressed; 1 leaves that out
    #[arg(long, value_name = "FACTOR", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub compress: u64,
    /// Into how many equal parts items are split; 1 leaves that out
    #[arg(long, value_name = "PARTS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub split: u64,
    /// Years that backups and archives are kept
    #[arg(long, value_name = "YEARS", default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..=50))]
    pub keep: u64,
}

/// What is synthesized.
#[derive(Clone, Debug, clap::Args)]
pub struct SynthesizeArgs {
    /// A workload file; - reads standard input
    pub workload: String,
    /// Hours of traffic
    #[arg(long, value_name = "H", default_value = "1")]
    pub hours: String,
    /// The seed of everything that is drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// The moment at which it begins; a Monday, so that profiles begin at their first hour
    #[arg(long, value_name = "TIME", default_value = "2024-01-01T00:00:00Z")]
    pub start: String,
    /// Calls arrive at random, as in a Poisson process, instead of evenly
    #[arg(long)]
    pub poisson: bool,
    /// Write these columns alone, beside time, operation and key: --columns item_bytes
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// How the trace is written; by the name of -o where absent, else parquet
    #[arg(long, value_name = "parquet|csv|ndjson")]
    pub layout: Option<String>,
}

/// How demand is simulated.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct HorizonArgs {
    /// Days of demand that are simulated in the search for capacity, a week at least
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u64).range(7..=366))]
    pub days: u64,
    /// Seconds of a step of the search: 1 or 60; more than 31 days take 60. Totals, and what is
    /// called safe, are always of a week of seconds
    #[arg(long, value_name = "1|60")]
    pub step: Option<u64>,
    /// The seed of the random arrivals
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

#[derive(Debug, Subcommand)]
pub enum PricesCommand {
    /// The regions that have a book, with its dates
    List,
    /// What differs between two price lists, of one region (--region) or of all
    Diff {
        /// A date (YYYY-MM-DD), or a folder of price books
        before: String,
        /// The same, after
        after: String,
    },
    /// Take in AWS's price list files, JSON or CSV: DynamoDB, DAX, data transfer, S3, savings plans
    /// of databases
    Import {
        /// The files, as AWS publishes them
        #[arg(required = true)]
        files: Vec<String>,
        /// The folder that the books are written to, for --prices DIR; where absent, only what
        /// would change is shown
        #[arg(long, value_name = "DIR")]
        into: Option<PathBuf>,
    },
    /// The rates of one region (--region)
    Show {
        /// The date, YYYY-MM-DD; the newest prices where absent
        #[arg(long, value_name = "DATE")]
        date: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Aligned tables for people
    Text,
    /// For machines; money and units are decimal strings
    Json,
    /// For a pull request or a wiki
    Markdown,
    /// For a spreadsheet, exact
    Csv,
    /// Annotations of GitHub Actions
    Github,
    /// SARIF 2.1.0 for code scanning
    Sarif,
    /// JUnit XML for test dashboards
    Junit,
}

impl OutputFormat {
    /// Whether only `check` has it.
    pub fn is_of_checks(self) -> bool {
        matches!(
            self,
            OutputFormat::Github | OutputFormat::Sarif | OutputFormat::Junit
        )
    }
}
