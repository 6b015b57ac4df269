//! The command-line arguments.

use std::path::PathBuf;

use clap::builder::{FalseyValueParser, PossibleValue, PossibleValuesParser};
use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::compare::AlternativeKind;
use crate::forecast::MONTHS_MAX;
use crate::unread::UnreadKind;

/// The heading of the options that every command takes.
const GLOBAL: &str = "Options of every command";

/// What `import` reads.
pub const IMPORT_KINDS: [&str; 8] = [
    "terraform",
    "cloudformation",
    "describe-table",
    "export",
    "cloudwatch",
    "bill",
    "model",
    "account",
];

/// The number of hot keys that a replay shows, if nothing else is asked for.
const HOT_KEYS: usize = 5;

#[cfg(feature = "replay")]
const _: () = assert!(HOT_KEYS == crate::replay::HOT_KEYS);

/// Compute exactly what an Amazon DynamoDB design costs, with the working behind every line.
#[derive(Clone, Debug, Parser)]
#[command(name = "dynameter", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 success; 1 over budget (check); 2 an error in the command line, a \
                  file or a value, or a figure that the budget needs is unknown.\n\nStart with \
                  `dynameter init workload.toml`, then `dynameter estimate workload.toml`."
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,

    /// The output format; github, sarif, junit, gitlab and slack are only for check
    #[arg(long, global = true, help_heading = GLOBAL, value_enum, env = "DYNAMETER_FORMAT", default_value_t = OutputFormat::Text)]
    pub format: OutputFormat,

    /// Write the result to a file (atomically)
    #[arg(short, long, global = true, help_heading = GLOBAL, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// The region (overrides the workload's; DYNAMETER_REGION is for designs that say none).
    /// `import account` takes several
    #[arg(long = "region", global = true, help_heading = GLOBAL, value_name = "REGION")]
    pub regions: Vec<String>,

    /// The region, if only one is given.
    #[arg(skip)]
    pub region: Option<String>,

    /// Use the prices of a date (YYYY-MM-DD), or a folder of price books instead of the built-in
    /// ones
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "DATE|DIR", env = "DYNAMETER_PRICES")]
    pub prices: Option<String>,

    /// Rates and sizes that a plan or a template lacks, matched by table name: a TOML file
    /// (docs/import.md) or an Infracost usage file (default: DYNAMETER_USAGE)
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE")]
    pub usage: Option<String>,

    /// Hours in a month (overrides the workload's): 730, 720 (30 days), 744 (31 days) …
    #[arg(
        long,
        global = true, help_heading = GLOBAL,
        value_name = "N",
        env = "DYNAMETER_MONTH_HOURS",
        allow_hyphen_values = true
    )]
    pub month_hours: Option<String>,

    /// What the account has bought in advance: a TOML file with [[commitment]] tables
    /// (docs/workload.md). It applies to all designs of the run together
    #[arg(
        long,
        global = true, help_heading = GLOBAL,
        value_name = "FILE",
        env = "DYNAMETER_COMMITMENTS"
    )]
    pub commitments: Option<String>,

    /// Leave out all commitments: reserved capacity, savings plans and discounts
    #[arg(long, global = true, help_heading = GLOBAL, env = "DYNAMETER_LIST_PRICES", value_parser = FalseyValueParser::new())]
    pub list_prices: bool,

    /// Whether the result has colour. auto: on a terminal, unless NO_COLOR is set or TERM is dumb;
    /// CLICOLOR_FORCE=1 is like always
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "WHEN", value_enum, default_value_t = ColorChoice::Auto, hide_possible_values = true)]
    pub color: ColorChoice,

    /// With --version: the commit, the features, and the date of the newest prices
    #[arg(long, requires = "version")]
    pub verbose: bool,

    /// Print only the result
    #[arg(long, global = true, help_heading = GLOBAL, env = "DYNAMETER_QUIET", value_parser = FalseyValueParser::new())]
    pub quiet: bool,

    /// What applies where neither the command nor a design says otherwise.
    #[arg(skip)]
    pub defaults: Defaults,
}

/// What applies where neither the command nor a design says otherwise.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// The region of plans and templates that say none.
    pub region: Option<String>,
    /// The usage file of plans and templates.
    pub usage: Option<String>,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Write a commented workload file to start from
    Init {
        /// The file to write (default: standard output). An existing file is never overwritten
        file: Option<PathBuf>,
        /// Write a commented budget file for `check` instead
        #[arg(long)]
        budget: bool,
    },
    /// Show what designs cost in a month, line by line
    Estimate(EstimateArgs),
    /// Price the same design under every alternative, and rank what to change
    Compare(Box<CompareArgs>),
    /// Show what a design change costs, line by line
    Diff(Box<DiffArgs>),
    /// Create a workload file from a plan, a template, what AWS describes or measures, or another
    /// tool's model
    Import(Box<ImportArgs>),
    /// Check designs against a budget, and report findings about them
    Check(CheckArgs),
    /// Show the working behind each line: rule, quantity, rate, and their sources
    Explain(ExplainArgs),
    /// List the metering rules, each with its source and how well it is supported
    Rules {
        /// The numbers of rules, such as 3.8, or of sections, such as 3 (default: all)
        #[arg(value_name = "NUMBER")]
        numbers: Vec<String>,
    },
    /// Show what breaks first: at which factor of traffic, in which month, in an event, or without a
    /// region
    Headroom(Box<HeadroomArgs>),
    /// Explain a bill: what it is made of, what moved and why, how it differs from a design
    Reconcile(Box<ReconcileArgs>),
    /// Write one HTML page for a design review: the answer, break-evens, where the money goes, the
    /// working
    Report(Box<ReportArgs>),
    /// Replay a trace: units, throttling, hot keys, DAX, and the bill in every capacity mode
    Replay(Box<ReplayArgs>),
    /// Generate a trace from a workload, for --hours of traffic and from a --seed
    Synthesize(SynthesizeArgs),
    /// Make a design's calls for real, against a test server or an account, and compare what each
    /// consumes with the estimate
    Drive(DriveArgs),
    /// Serve the commands as tools of a coding agent (Model Context Protocol) over standard input and
    /// output
    Mcp {
        /// The folder whose files the agent may read; nothing outside of it is read
        #[arg(long, value_name = "DIR", default_value = ".")]
        root: PathBuf,
    },
    /// List, show, compare and import price books
    Prices {
        #[command(subcommand)]
        command: PricesCommand,
    },
    /// Print the JSON Schema of the workload file, for editors, or of another file or result
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page of the program or of a command; with -o FOLDER, write all pages
    Man {
        /// The command
        command: Option<String>,
    },
}

/// The arguments of `estimate`.
#[derive(Clone, Debug, clap::Args)]
pub struct EstimateArgs {
    /// Workload files, Terraform plans as JSON, CloudFormation templates, or folders and patterns of
    /// them (docs/import.md); - reads standard input
    #[arg(required = true)]
    pub workloads: Vec<String>,
    /// Show each of the next N months, 1 to 120: items follow the writes, prices and commitments the
    /// calendar
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MONTHS_MAX))]
    pub months: Option<u64>,
    #[command(flatten)]
    pub summary: SummaryArgs,
    /// Run again whenever a file that was read changes, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
}

/// The arguments of `compare`.
#[derive(Clone, Debug, clap::Args)]
pub struct CompareArgs {
    /// Workload files, plans or templates, or folders and patterns of them; - reads standard input
    #[arg(required = true)]
    pub workloads: Vec<String>,
    /// Show every alternative, with its reason, and all break-evens and assumptions
    #[arg(long, conflicts_with_all = ["top", "summary"])]
    pub all: bool,
    /// Show the N changes that save most; with --summary, the N most expensive tables (default: 10
    /// changes, all tables)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub top: Option<u64>,
    /// Show the alternatives of one kind only: capacity, commitment, table-class, projection, dax,
    /// regions, backup, consistency or item. Give one for each kind
    #[arg(long, value_name = "KIND", value_parser = alternative_kinds(), hide_possible_values = true, conflicts_with = "summary")]
    pub only: Vec<String>,
    /// Show only one line for each table, the most expensive first
    #[arg(long)]
    pub summary: bool,
    /// Make changes in the workload file and write it: numbers of the ranking, such as 1 or 1,3, or
    /// best for the best combination without trade-offs
    #[arg(long, value_name = "N|best", value_delimiter = ',', conflicts_with_all = ["all", "top", "only", "summary"])]
    pub apply: Vec<String>,
    /// Write the changes of --apply as a patch, which `git apply` takes
    #[arg(long, requires = "apply")]
    pub patch: bool,
    #[command(flatten)]
    pub question: QuestionArgs,
    #[command(flatten)]
    pub horizon: HorizonArgs,
}

/// The kinds of alternatives.
fn alternative_kinds() -> PossibleValuesParser {
    let kinds = AlternativeKind::ALL.iter();
    PossibleValuesParser::new(kinds.map(|(word, title)| PossibleValue::new(*word).help(*title)))
}

/// The arguments of `explain`.
#[derive(Clone, Debug, clap::Args)]
pub struct ExplainArgs {
    /// Workload files, plans or templates, or folders and patterns of them; - reads standard input
    #[arg(required = true)]
    pub workloads: Vec<String>,
    /// Explain only the lines with these numbers, as `explain` counts them: --line 3 or --line 3,7
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub line: Vec<usize>,
    /// Explain only the lines of a table. Give one for each table
    #[arg(long, value_name = "NAME")]
    pub table: Vec<String>,
    /// Explain only the lines of an access pattern. Give one for each
    #[arg(long, value_name = "NAME")]
    pub access: Vec<String>,
}

/// The arguments of `schema`.
#[derive(Clone, Debug, clap::Args)]
pub struct SchemaArgs {
    /// What it describes: workload, budget, or the JSON of a command: estimate, account, compare, check,
    /// explain, diff, forecast, fleet, headroom, prices, reconcile, replay or drive (default: workload;
    /// with -o FOLDER, all of them)
    #[arg(value_name = "WHAT")]
    pub name: Option<String>,
    /// The same as `schema budget`
    #[arg(long, conflicts_with = "name")]
    pub budget: bool,
}

/// The arguments of `diff`.
#[derive(Clone, Debug, clap::Args)]
pub struct DiffArgs {
    /// The workload file, plan or template before; with --diff-account, the one after
    #[arg(value_name = "OLD")]
    pub old: String,
    /// The workload file after
    #[arg(
        required_unless_present = "diff_account",
        conflicts_with = "diff_account"
    )]
    pub new: Option<String>,
    /// Compare the tables of an AWS account with the file, for the same usage: what applying the
    /// file would change. --diff-account=DIR takes AWS's answers from a folder that --raw wrote
    #[arg(
        long,
        value_name = "DIR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = ""
    )]
    pub diff_account: Option<String>,
    #[command(flatten)]
    pub of_account: AccountArgs,
}

/// How many tables are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct SummaryArgs {
    /// Show only one line for each table, the most expensive first
    #[arg(long)]
    pub summary: bool,
    /// Show only the N most expensive tables; totals are of all
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub top: Option<u64>,
}

impl SummaryArgs {
    /// The number of tables that are shown.
    pub fn shown(self) -> Option<usize> {
        self.top
            .map(|top| usize::try_from(top).unwrap_or(usize::MAX))
    }
}

/// The arguments of `check`.
#[derive(Clone, Debug, clap::Args)]
pub struct CheckArgs {
    /// Workload files, Terraform plans as JSON, CloudFormation templates, or folders and patterns of
    /// them (docs/import.md); - reads standard input
    #[arg(required = true)]
    pub workloads: Vec<String>,
    /// The budget file, or git:REV:PATH (default: `budget` of dynameter.toml)
    #[arg(long, value_name = "FILE", env = "DYNAMETER_BUDGET")]
    pub budget: Option<String>,
    /// Skip the limits, and ignore the parts of the usage file, of tables, indexes and replicas that no
    /// design of this run has: for files that several jobs share
    #[arg(long)]
    pub partial: bool,
    /// Run again whenever a file that was read changes, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// The earlier version of the workload: a file, or git:REV:PATH (git:REV: for the same path).
    /// Give one for each workload. A file that is new in git costs nothing before
    #[arg(long, value_name = "OLD")]
    pub baseline: Vec<String>,
    /// The date on which exceptions must still be valid, YYYY-MM-DD (default: today)
    #[arg(long, value_name = "DATE")]
    pub today: Option<String>,
    /// The folder of the Terraform files of a plan: results point to the blocks in it that define the
    /// resources (default: the current folder)
    #[arg(long, value_name = "DIR")]
    pub source: Option<PathBuf>,
    /// Accept unread costs of a kind after a review: the cost stays unknown, but it does not make a
    /// limit undecided. Give one for each kind, as the result names it
    #[arg(long, value_name = "KIND", value_parser = unread_kinds())]
    pub allow_unread: Vec<String>,
}

/// The kinds of what could not be read.
fn unread_kinds() -> PossibleValuesParser {
    let kinds = UnreadKind::ALL.iter();
    PossibleValuesParser::new(
        kinds.map(|kind| PossibleValue::new(kind.word()).help(kind.meaning())),
    )
}

/// The arguments of `reconcile`.
#[derive(Clone, Debug, clap::Args)]
pub struct ReconcileArgs {
    /// Bills: Cost and Usage Reports, FOCUS exports, answers or CSV files of Cost Explorer, usage
    /// reports; files, folders or patterns such as 'cur/*.gz'; - reads standard input
    #[arg(required = true)]
    pub bills: Vec<String>,
    /// Explain one month only, such as 2026-10 (default: all that the bill has)
    #[arg(long, value_name = "MONTH")]
    pub month: Option<String>,
    /// Group the charges: table, kind, region, account, charge, month, day, hour, or several with commas; with
    /// a design, access (default: one after the other)
    #[arg(long, value_name = "GROUPING", value_delimiter = ',')]
    pub by: Vec<String>,
    /// The cost to show: billed, list, net or amortised
    #[arg(long, value_name = "COST", default_value = "billed")]
    pub cost: String,
    /// Keep only charges of these accounts
    #[arg(long, value_name = "ID")]
    pub account: Vec<String>,
    /// Keep only charges of these tables
    #[arg(long, value_name = "NAME")]
    pub table: Vec<String>,
    /// Explain how the bill differs from these designs: workload files, plans or templates
    #[arg(short, long, value_name = "FILE", num_args = 1..)]
    pub workload: Vec<String>,
    /// Explain how the bill differs from what these traces measured (request logs, CloudWatch metrics,
    /// …; with --workload: of its tables), in the hours that they cover
    #[arg(long, value_name = "TRACE", num_args = 1..)]
    pub trace: Vec<String>,
    /// A table that the design calls otherwise: its name on the bill, and in the design
    #[arg(long, value_name = "BILL=DESIGN")]
    pub map: Vec<String>,
    /// The unexplained part that is tolerated, in percent of the bill
    #[arg(long, value_name = "PERCENT", default_value = "1%")]
    pub tolerance: String,
    /// The unexplained part that is tolerated in any case, in US dollars
    #[arg(long, value_name = "USD", default_value = "0")]
    pub tolerance_usd: String,
}

/// The arguments of `replay`.
#[derive(Clone, Debug, clap::Args)]
pub struct ReplayArgs {
    /// Trace files, folders or patterns such as 'logs/*.gz'; - reads standard input
    #[arg(required = true)]
    pub traces: Vec<String>,
    /// The workload that the trace runs on; not needed if the trace defines its tables
    #[arg(short, long, value_name = "FILE")]
    pub workload: Option<String>,
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Compare every ConsumedCapacity in the trace with the meter's result; --verify=all shows
    /// every difference
    #[arg(long, value_name = "SHOWN", num_args = 0..=1, require_equals = true, default_missing_value = "first")]
    pub verify: Option<String>,
    /// The reading of a disputed rule, if no workload is given (a workload has [switches]):
    /// --switch number_alignment=split
    #[arg(long, value_name = "NAME=READING", conflicts_with = "workload")]
    pub switch: Vec<String>,
    /// Sizes of DAX caches to try, such as "64 MB,1 GB" (default: the memory of every node type)
    #[arg(long, value_name = "SIZES", value_delimiter = ',')]
    pub dax: Vec<String>,
    /// Replay only one share of the keys: 2/8 is the second of eight
    #[arg(
        long,
        value_name = "I/N",
        default_value = "1/1",
        hide_default_value = true
    )]
    pub share: String,
    /// Write the result of the share to a part file (-o part.parquet, or -o - for standard output), for
    /// --merge
    #[arg(long)]
    pub partial: bool,
    /// Merge part files, given instead of the trace, into the result of one run over the whole
    /// trace; with --partial, into one part
    #[arg(long, conflicts_with_all = ["checkpoint", "share"])]
    pub merge: bool,
    /// Decode the trace once and deal its rows into blobs, one for each of N shares of the keys, in
    /// the folder that -o names
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256), conflicts_with_all = ["merge", "partial", "checkpoint", "share", "write_workload", "verify"])]
    pub deal: Option<u32>,
    /// With --deal: the number of the first file, if other machines deal the files before it
    #[arg(long, value_name = "NUMBER", requires = "deal", value_parser = clap::value_parser!(u32).range(..1 << 24))]
    pub file_number: Option<u32>,
    /// With --deal: the name of the file in messages and results (default: its path)
    #[arg(long, value_name = "NAME", requires = "file_number")]
    pub file_name: Option<String>,
    /// With --dealt: the number of files that were dealt, so that a missing one is noticed (default:
    /// as the manifest of a folder says)
    #[arg(long, value_name = "COUNT", requires = "dealt")]
    pub files: Option<u32>,
    /// Replay one share of dealt rows: blobs or folders that --deal wrote, given instead of the trace
    #[arg(long, value_name = "I/N", requires = "partial", conflicts_with_all = ["merge", "deal", "checkpoint", "share", "from", "to"])]
    pub dealt: Option<String>,
    /// Save the progress to this file at intervals; if the file exists, resume the run that wrote
    /// it
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<std::path::PathBuf>,
    /// Show how the files are understood (format, first calls, what is missing) without running
    /// them
    #[arg(long, conflicts_with_all = ["partial", "checkpoint", "merge", "write_workload", "deal"])]
    pub inspect: bool,
    /// The number of events between two checkpoints
    #[arg(long, value_name = "EVENTS", default_value_t = 20_000_000)]
    pub checkpoint_every: u64,
    /// The share of the trace's demand that provisioned capacity may throttle
    #[arg(long, value_name = "SHARE", default_value = "0.000001")]
    pub throttled: String,
    /// Write a workload file made of a request log: its tables with their entities, told apart by
    /// how keys begin, and its access patterns. An existing file is never overwritten
    #[arg(long, value_name = "FILE")]
    pub write_workload: Option<std::path::PathBuf>,
}

/// The arguments of `headroom`.
#[derive(Clone, Debug, clap::Args)]
pub struct HeadroomArgs {
    /// A workload file, plan or template; - reads standard input
    pub workload: String,
    /// Trace files, folders or patterns: the traffic is that of the trace, instead of the rates of the
    /// file
    #[arg(long, value_name = "TRACE", num_args = 1..)]
    pub trace: Vec<String>,
    /// Also show what the loss of a region does: its users are served by the others
    #[arg(long, value_name = "REGION")]
    pub without_region: Option<String>,
    /// The share of the demand that may be throttled before a limit counts as reached
    #[arg(long, value_name = "SHARE", default_value = "0.000001")]
    pub throttled: String,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// The arguments of `import`.
#[derive(Clone, Debug, clap::Args)]
pub struct ImportArgs {
    /// The kind of the files, or account: the tables of an AWS account
    #[arg(value_parser = IMPORT_KINDS)]
    pub kind: String,
    /// The files (for an export, its folder); - reads standard input. Another kind and its files
    /// may follow: describe-table d.json cloudwatch m.json. The first file decides; those after it
    /// fill in what it does not say. For account, a folder that --raw wrote, or nothing
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
    /// Import into an existing workload file: what it says stays, "unknown" values are filled in,
    /// and new tables are added
    #[arg(long, value_name = "WORKLOAD", conflicts_with = "queries")]
    pub into: Option<std::path::PathBuf>,
    /// Import the design before the change that a Terraform plan makes
    #[arg(long)]
    pub before: bool,
    /// The month of a bill, such as 2026-10 (default: the only one that it has)
    #[arg(long, value_name = "MONTH")]
    pub month: Option<String>,
    /// The accounts of a bill (default: all that it has)
    #[arg(long, value_name = "ID")]
    pub account: Vec<String>,
    #[command(flatten)]
    pub metrics: MetricsArgs,
    #[command(flatten)]
    pub of_account: AccountArgs,
}

/// How an account is imported.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct AccountArgs {
    /// The profile of AWS's configuration whose credentials and region are used
    #[arg(long, value_name = "PROFILE")]
    pub profile: Option<String>,
    /// How many days of CloudWatch metrics are read, up to the last whole hour (default: 14, minute by
    /// minute; more are read by 5 minutes, and more than 62 by the hour)
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=454))]
    pub days: Option<u32>,
    /// Read N items of each table with Scan, for their real sizes and entities; the cost is printed
    /// first (default: no items)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub from_sample: Option<u32>,
    /// Keep AWS's answers in a new folder, from which `import account DIR` makes the same file
    /// without the account
    #[arg(long, value_name = "DIR")]
    pub raw: Option<std::path::PathBuf>,
    /// The address of the services, for tests against a server on this machine
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
}

/// How CloudWatch metrics are imported.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct MetricsArgs {
    /// The table of CloudWatch metrics that do not name one; of an account, the tables to import: a
    /// name, or a pattern such as prod-* (default: all)
    #[arg(long, value_name = "NAME")]
    pub table: Vec<String>,
    /// The seconds of a data point of CloudWatch metrics (default: as the file says)
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=31_622_400))]
    pub period: Option<u32>,
    /// Import only metrics from this moment on: a time, a date (its 00:00 UTC), or -14d before now
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Import only metrics before this moment
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// Write the queries for `aws cloudwatch get-metric-data` that ask for exactly what is needed:
    /// of the tables that are named, or that describe-table answers or folders of them describe
    #[arg(long, value_name = "FILE|TABLE", num_args = 1.., conflicts_with_all = ["files", "table", "period", "from", "to"])]
    pub queries: Vec<String>,
}

/// How a trace is read and executed.
#[derive(Clone, Debug, clap::Args)]
pub struct ReadingArgs {
    /// The format of the trace (default: detected)
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// Read a column from one with another name: --map time=timestamp
    #[arg(long, value_name = "COLUMN=NAME")]
    pub map: Vec<String>,
    /// Set a column to one value in all rows: --set operation=GetItem. For a log, the operation of
    /// the calls whose line names none or several
    #[arg(long, value_name = "COLUMN=VALUE")]
    pub set: Vec<String>,
    /// The table of rows that do not name one
    #[arg(long, value_name = "NAME")]
    pub table: Option<String>,
    /// The form of times in a log or in columns, as for strftime: "%d/%m/%Y %H:%M:%S" (default:
    /// detected)
    #[arg(long, value_name = "FORM")]
    pub time_format: Option<String>,
    /// The seconds of a data point of CloudWatch metrics (default: as the file says)
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=31_622_400))]
    pub period: Option<u32>,
    /// The unit of numeric times: s, ms, us or ns (default: detected)
    #[arg(long, value_name = "UNIT")]
    pub time_unit: Option<String>,
    /// Skip bad rows and count them by reason
    #[arg(long)]
    pub skip_bad_rows: bool,
    /// The number of rows by which an event may be out of order within its file
    #[arg(long, value_name = "ROWS", default_value_t = 65_536)]
    pub window: usize,
    /// Replay only events from this moment on: a time, a date (its 00:00 UTC), or -24h, -30m or
    /// -7d before now. The trace covers the time from then (default: the minute of its first event)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Replay only events before this moment. The trace covers the time until then (default: the
    /// end of the minute of its last event)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// Seconds that DAX keeps an item (default: the design's, else 300)
    #[arg(long, value_name = "SECONDS")]
    pub dax_ttl: Option<u64>,
    /// Whether overwriting an item makes it the most recently used in DAX (refresh) or not (keep);
    /// AWS does not document this
    #[arg(long, value_name = "READING", default_value = "refresh")]
    pub dax_overwrite: String,
    /// The number of threads, 1 to 256 (default: one per core). Results do not depend on it
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// The number of hot keys to show for reads and writes of each table and index
    #[arg(long, value_name = "N", default_value_t = HOT_KEYS)]
    pub hot_keys: usize,
}

/// The arguments of `report`.
#[derive(Clone, Debug, clap::Args)]
pub struct ReportArgs {
    /// A workload file, plan or template; - reads standard input (with --bill: default: one made from
    /// the bill). Of several, or of folders and patterns, the page shows all tables at a glance
    #[arg(required_unless_present = "bill")]
    pub workloads: Vec<String>,
    #[command(flatten)]
    pub summary: SummaryArgs,
    /// Bills, as `reconcile` reads them; the page compares what was billed with what the workload
    /// expects
    #[arg(long, value_name = "BILL", num_args = 1..)]
    pub bill: Vec<String>,
    /// The month of a bill with several, such as 2026-10
    #[arg(long, value_name = "MONTH", requires = "bill")]
    pub month: Option<String>,
    /// Trace files, folders or patterns; the page compares what they measured with what the
    /// workload expects
    #[arg(long, value_name = "TRACE", num_args = 1..)]
    pub trace: Vec<String>,
    /// Put the engine into the page, with sliders for each access pattern and each item size. The page
    /// is 1.6 MB larger
    #[arg(long)]
    pub interactive: bool,
    /// The earlier workload file; the page then starts with what has changed since
    #[arg(long, value_name = "OLD")]
    pub baseline: Option<String>,
    #[command(flatten)]
    pub question: QuestionArgs,
    #[command(flatten)]
    pub horizon: HorizonArgs,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// Which alternatives to compare.
#[derive(Clone, Debug, clap::Args)]
pub struct QuestionArgs {
    /// The share of the simulated demand that may be throttled
    #[arg(long, value_name = "SHARE", default_value = "0.000001")]
    pub throttled: String,
    /// The factor by which compression shrinks items; 1 skips this alternative
    #[arg(long, value_name = "FACTOR", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub compress: u64,
    /// The number of equal parts that items are split into; 1 skips this alternative
    #[arg(long, value_name = "PARTS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub split: u64,
    /// Years that backups and archives are kept
    #[arg(long, value_name = "YEARS", default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..=50))]
    pub keep: u64,
}

/// The arguments of `synthesize`.
#[derive(Clone, Debug, clap::Args)]
pub struct SynthesizeArgs {
    /// A workload file; - reads standard input
    pub workload: String,
    /// Hours of traffic
    #[arg(long, value_name = "H", default_value = "1")]
    pub hours: String,
    /// The seed of all random values
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// The start of the trace; the default is a Monday, so that profiles begin at their first hour
    #[arg(long, value_name = "TIME", default_value = "2024-01-01T00:00:00Z")]
    pub start: String,
    /// Let calls arrive at random (a Poisson process) instead of evenly
    #[arg(long)]
    pub poisson: bool,
    /// Write only these columns, and time, operation and key: --columns item_bytes
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// The file format of the trace (default: by the extension of -o)
    #[arg(long, value_name = "parquet|csv|ndjson")]
    pub layout: Option<String>,
}

/// The arguments of `drive`.
#[derive(Clone, Debug, clap::Args)]
pub struct DriveArgs {
    /// The workload file, plan or template; - reads standard input. The log of all calls goes to -o, for
    /// `dynameter replay LOG --verify`
    pub workload: String,
    /// The address of a server that stands in for DynamoDB, such as http://localhost:8000 (default:
    /// AWS, which needs --max-usd)
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// The profile of AWS's configuration whose credentials are used
    #[arg(long, value_name = "PROFILE")]
    pub profile: Option<String>,
    /// How long the calls are made: seconds, or a duration such as 90s, 5m or 1h
    #[arg(long = "for", value_name = "DURATION", default_value = "60s")]
    pub duration: String,
    /// The share of the design's rates at which calls are made; each access pattern is called at least
    /// once
    #[arg(long, value_name = "SHARE", default_value = "0.01")]
    pub scale: String,
    /// The most that a run against AWS may cost, in dollars; the cost is printed first
    #[arg(long, value_name = "USD", allow_hyphen_values = true)]
    pub max_usd: Option<String>,
    /// A table that is there: the run puts its own items into it, and removes them. Other tables are
    /// made and removed
    #[arg(long, value_name = "NAME")]
    pub use_table: Vec<String>,
}

/// How demand is simulated.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct HorizonArgs {
    /// Days of demand to simulate in the search for capacity, at least 7
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u64).range(7..=366))]
    pub days: u64,
    /// The step of the search in seconds: 1 or 60 (default: 1, or 60 for more than 31 days).
    /// Totals and the check that capacity is safe always use one week, second by second
    #[arg(long, value_name = "1|60")]
    pub step: Option<u64>,
    /// The seed of the random arrivals
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

#[derive(Clone, Debug, Subcommand)]
pub enum PricesCommand {
    /// List the regions that have a price book, with its dates
    List,
    /// Show the rates that differ between two price lists, in one region (--region) or in all
    Diff {
        /// A date (YYYY-MM-DD), or a folder of price books
        before: String,
        /// The date or folder to compare it with
        after: String,
    },
    /// Import AWS price list files, JSON or CSV: DynamoDB, DAX, data transfer, S3, Database Savings
    /// Plans
    Import {
        /// The files, as AWS publishes them
        #[arg(required = true)]
        files: Vec<String>,
        /// The folder to write the books to, for --prices DIR (default: only show what would
        /// change)
        #[arg(long, value_name = "DIR")]
        into: Option<PathBuf>,
    },
    /// Show the rates of one region (--region)
    Show {
        /// The date, YYYY-MM-DD (default: the newest prices)
        #[arg(long, value_name = "DATE")]
        date: Option<String>,
    },
}

/// When the result has colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Aligned tables for people
    Text,
    /// For programs; money and units are decimal strings
    Json,
    /// For a pull request or a wiki
    Markdown,
    /// For spreadsheets, with exact figures
    Csv,
    /// GitHub Actions annotations
    Github,
    /// SARIF 2.1.0 for code scanning
    Sarif,
    /// JUnit XML for test dashboards
    Junit,
    /// GitLab's Code Quality report
    Gitlab,
    /// A few lines for a message in Slack
    Slack,
}

impl OutputFormat {
    /// Whether only `check` supports it.
    pub fn is_of_checks(self) -> bool {
        matches!(
            self,
            OutputFormat::Github
                | OutputFormat::Sarif
                | OutputFormat::Junit
                | OutputFormat::Gitlab
                | OutputFormat::Slack
        )
    }
}
