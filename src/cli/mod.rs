//! The command line: arguments in, files in, one result out.

mod account;
mod args;
mod bill;
pub mod call;
mod check;
mod compare;
#[cfg(feature = "replay")]
mod deal;
mod defaults;
#[cfg(all(feature = "aws", feature = "replay"))]
mod drive;
mod files;
mod headroom;
mod import;
mod input;
mod into;
#[cfg(feature = "mcp")]
mod mcp;
mod output;
#[cfg(feature = "html")]
mod page;
mod progress;
mod reference;
mod remote;
mod session;
mod signal;
mod source;
#[cfg(feature = "tables")]
mod synthesize;
#[cfg(feature = "replay")]
mod trace;
mod version;
mod watch;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use clap::error::ErrorKind;

use crate::check::BUDGET_TEMPLATE;
use crate::diff::diff;
use crate::estimate::{Together, estimate, estimate_together, once_of_change};
use crate::fleet::fleet;
use crate::forecast::forecast;
use crate::outcome::Outcome;
use crate::pricing::{Books, LineItem, PriceListFile, changed_rates, update};
use crate::report::{
    self, ChangedRates, Estimates, Explanation, FleetSummary, ImportedPrices, LineFilter,
    MeteringRules, PriceList, PriceLists,
};
use crate::rules::{MeteringRule, RULES};
use crate::time::Date;
use crate::workload::{self, GrowthUse, Setting, Workload};
use args::{
    Args, Command, DiffArgs, EstimateArgs, ExplainArgs, OutputFormat, PricesCommand, SummaryArgs,
};

/// The error of a binary without trace readers.
#[cfg(not(feature = "replay"))]
const LIGHT: &str = "this binary was built without trace readers\nhelp: build one that has them \
                     with `cargo build --release --features replay` (they take minutes to compile)";

/// The error of a binary without AWS's SDK.
#[cfg(not(feature = "aws"))]
const NO_ACCOUNT: &str = "this binary was built without access to AWS\nhelp: build one that has it \
                          with `cargo build --release --features aws` (AWS's SDK takes minutes to \
                          compile), or name a folder that --raw wrote";

/// The error of a binary that cannot call DynamoDB.
#[cfg(not(all(feature = "aws", feature = "replay")))]
const NO_CALLS: &str = "this binary was built without `drive`\nhelp: build one that has it with \
                        `cargo build --release --features aws,replay` (they take minutes to \
                        compile)";

/// The error of a binary without the Model Context Protocol.
#[cfg(not(feature = "mcp"))]
const NO_AGENTS: &str = "this binary was built without `mcp`\nhelp: build one that has it with \
                         `cargo build --release --features mcp`";

/// The error of a binary without polars.
#[cfg(not(feature = "tables"))]
const NO_TABLES: &str = "this binary was built without `synthesize`\nhelp: build one that has it \
                         with `cargo build --release --features tables` (polars takes minutes to \
                         compile)";

/// The error of a binary without HTML pages.
#[cfg(not(feature = "html"))]
const NO_PAGES: &str = "this binary was built without HTML reports\nhelp: build one that has them \
                        with `cargo build --release` (the feature `html` is on by default)";

/// The exit code of an error in the command line, a file or a value.
const WRONG: u8 = 2;

/// Runs the command line; the first argument is the name of the program.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    #[cfg(feature = "replay")]
    tell_other_panics();
    ExitCode::from(exit_code(arguments))
}

/// Tells of no panic that becomes an error, which is told as one.
#[cfg(feature = "replay")]
fn tell_other_panics() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !crate::guard::is_active() {
            tell(panic);
        }
    }));
}

/// Runs the command line, and returns its exit code.
pub fn exit_code(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    #[cfg(feature = "mcp")]
    mcp::confine();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let mut args = match Args::try_parse_from(&arguments) {
        Ok(args) => args,
        Err(error)
            if error.kind() == ErrorKind::DisplayVersion
                && arguments.iter().any(|one| one == "--verbose") =>
        {
            let today = Date::from(chrono::Utc::now().date_naive());
            return match output::print(&version::verbose(today)) {
                Ok(()) => 0,
                Err(_) => WRONG,
            };
        }
        Err(error) => {
            // Help and version are results; everything else is an error in the command line.
            let code = if error.use_stderr() { WRONG } else { 0 };
            let _ = error.print();
            return code;
        }
    };
    match watch::is_asked(&args.command) {
        true => watch::run(&args),
        false => executed(&mut args),
    }
}

/// Executes a command, says what failed, and returns the exit code.
fn executed(args: &mut Args) -> u8 {
    match prepared_and_executed(args) {
        Ok(code) => code,
        Err(error) => {
            let failure = output::failure(&error);
            // An annotation, so that the error is seen where the result would be.
            if args.format == OutputFormat::Github {
                let _ = output::write(args, &report::github_error(&failure));
            }
            output::say_failure(args.color, &failure);
            WRONG
        }
    }
}

/// Completes the arguments, fetches what they name, and executes the command; returns the exit code of
/// its result.
fn prepared_and_executed(args: &mut Args) -> Result<u8> {
    defaults::apply(args)?;
    one_region(args)?;
    // What was fetched is removed when the result is written.
    let _fetched = remote::fetch(args)?;
    execute(args)
}

/// Takes the region of `--region`; only `import account` may have several.
fn one_region(args: &mut Args) -> Result<()> {
    let may_have_several =
        matches!(&args.command, Command::Import(import) if import.kind == "account");
    if args.regions.len() > 1 && !may_have_several {
        anyhow::bail!(
            "--region is given {} times\nhelp: give it once; only `import account` reads several \
             regions",
            args.regions.len()
        );
    }
    if let [only] = args.regions.as_slice() {
        args.region = Some(only.clone());
    }
    Ok(())
}

/// Executes a command; returns the exit code of its result.
fn execute(args: &Args) -> Result<u8> {
    if let Command::Check(asked) = &args.command {
        return check::check(args, asked);
    }
    if args.format.is_of_checks() {
        anyhow::bail!(
            "--format github, sarif, junit, gitlab and slack are only for `dynameter check`\nhelp: write text, \
             json, markdown or csv"
        );
    }
    if let Command::Reconcile(asked) = &args.command {
        return bill::run(args, asked);
    }
    #[cfg(all(feature = "aws", feature = "replay"))]
    if let Command::Drive(asked) = &args.command {
        return drive::run(args, asked);
    }
    command(args).map(|()| 0)
}

fn command(args: &Args) -> Result<()> {
    match &args.command {
        // Handled by `execute`, since they have their own exit codes.
        Command::Check(_) | Command::Reconcile(_) => Ok(()),
        Command::Init { file, budget } => init(args, file.as_deref(), *budget),
        Command::Estimate(asked) => estimated(args, asked),
        Command::Explain(asked) => explain(args, asked),
        Command::Rules { numbers } => rules(args, numbers),
        Command::Headroom(asked) => headroom::run(args, asked),
        Command::Import(asked) => import::run(args, asked),
        Command::Diff(asked) => differences(args, asked),
        Command::Compare(asked) => compare::run(args, asked),
        #[cfg(feature = "html")]
        Command::Report(asked) => page::page(args, asked),
        #[cfg(not(feature = "html"))]
        Command::Report(_) => anyhow::bail!(NO_PAGES),
        #[cfg(feature = "replay")]
        Command::Replay(replay) => trace::replay(args, replay),
        #[cfg(not(feature = "replay"))]
        Command::Replay(_) => anyhow::bail!(LIGHT),
        #[cfg(feature = "tables")]
        Command::Synthesize(synthesize) => synthesize::synthesize(args, synthesize),
        #[cfg(not(feature = "tables"))]
        Command::Synthesize(_) => anyhow::bail!(NO_TABLES),
        #[cfg(all(feature = "aws", feature = "replay"))]
        Command::Drive(_) => Ok(()),
        #[cfg(not(all(feature = "aws", feature = "replay")))]
        Command::Drive(_) => anyhow::bail!(NO_CALLS),
        #[cfg(feature = "mcp")]
        Command::Mcp { root } => mcp::serve(root),
        #[cfg(not(feature = "mcp"))]
        Command::Mcp { .. } => anyhow::bail!(NO_AGENTS),
        Command::Prices { command } => prices(args, command),
        Command::Schema(asked) => reference::schema(args, asked),
        Command::Completions { shell } => reference::completions(args, *shell),
        Command::Man { command } => reference::man(args, command.as_deref()),
    }
}

fn prices(args: &Args, command: &PricesCommand) -> Result<()> {
    match command {
        PricesCommand::List => prices_list(args),
        PricesCommand::Diff { before, after } => prices_diff(args, before, after),
        PricesCommand::Import { files, into } => prices_import(args, files, into.as_deref()),
        PricesCommand::Show { date } => prices_show(args, date.as_deref()),
    }
}

fn init(args: &Args, file: Option<&std::path::Path>, budget: bool) -> Result<()> {
    let (schema, template) = match budget {
        true => ("budget", BUDGET_TEMPLATE),
        false => ("workload", workload::TEMPLATE),
    };
    // Editors with the Taplo language server complete and check the file by the schema that is named.
    let template = &format!(
        "#:schema ./{0}.schema.json\n# Editors complete this file if `dynameter schema {0} -o {0}.schema.json` \
         has written that file.\n\n{template}",
        schema
    );
    if file.is_some() && args.output.is_some() {
        anyhow::bail!(
            "init takes one file, but two were given\nhelp: name it once, with or without -o"
        );
    }
    let named = file
        .or(args.output.as_deref())
        .filter(|file| file.as_os_str() != "-");
    let Some(file) = named else {
        return output::write(args, template);
    };
    output::create(file, template)?;
    let next = match budget {
        true => "dynameter check WORKLOAD --budget",
        false => "dynameter estimate",
    };
    output::note(
        args,
        &format!("wrote {0}; now run: {next} {0}", file.display()),
    );
    Ok(())
}

/// `dynameter estimate`.
fn estimated(args: &Args, asked: &EstimateArgs) -> Result<()> {
    match asked.months {
        None => estimates(args, &asked.workloads, asked.summary),
        Some(months) if asked.summary == SummaryArgs::default() => {
            months_of(args, &asked.workloads, months)
        }
        Some(_) => anyhow::bail!(
            "--months shows each month, and --summary and --top show tables\nhelp: remove one of them"
        ),
    }
}

/// Reads every workload before the first is estimated, so that the errors of all files are reported
/// together.
fn estimates(args: &Args, paths: &[String], shown: SummaryArgs) -> Result<()> {
    let (books, date) = input::books(args)?;
    let together = together(
        args,
        all_workloads(args, paths, &books, date)?,
        &books,
        date,
    )?;
    let top = shown.shown();
    if shown.summary {
        let fleet = fleet(&together)?;
        let fleet = &fleet;
        return output::present(args, &FleetSummary { fleet, top });
    }
    only_in_text(args, shown)?;
    let together = &together;
    output::present(args, &Estimates { together, top })
}

/// Estimates one design month by month.
fn months_of(args: &Args, paths: &[String], months: u64) -> Result<()> {
    let [path] = paths else {
        anyhow::bail!(
            "--months takes one workload file, but {} were given\nhelp: run it once for each",
            paths.len()
        );
    };
    let (books, date) = input::books(args)?;
    let setting = Setting {
        growth: GrowthUse::Months,
        ..input::setting(args, &books, date)?
    };
    let text = input::design(args, input::design_source(path)?, input::Role::Only)?;
    let workload = input::load(&text, &setting)?;
    let commitments = input::commitments(args, std::slice::from_ref(&workload), &books)?;
    let workload = workload.with_commitments(&commitments);
    let forecast = forecast(&workload, &books, months).with_context(|| path.clone())?;
    output::present(args, &forecast)
}

/// Estimates the designs of one account.
fn together(
    args: &Args,
    read: Vec<(Workload, input::WorkloadText)>,
    books: &Books,
    date: Option<Date>,
) -> Result<Together> {
    let (workloads, texts): (Vec<Workload>, Vec<input::WorkloadText>) = read.into_iter().unzip();
    let commitments = input::commitments(args, &workloads, books)?;
    let mut together = estimate_together(&workloads, &commitments, books)?;
    let own = workloads.iter().flat_map(|one| &one.commitments);
    if workloads.len() > 1 && own.chain(&commitments).next().is_some() {
        // What a design pays then depends on the others, so that its own interval would mislead.
        return Ok(together);
    }
    for (at, workload) in workloads.into_iter().enumerate() {
        let workload = workload.with_commitments(&commitments);
        let uncertainty = input::interval(args, &workload, &texts[at], books, date)
            .with_context(|| texts[at].name.clone())?;
        together.outcomes[at].uncertainty = uncertainty;
    }
    Ok(together)
}

/// Reads all files; errors in any of them are reported together.
fn all_workloads(
    args: &Args,
    paths: &[String],
    books: &Books,
    date: Option<Date>,
) -> Result<Vec<(Workload, input::WorkloadText)>> {
    if paths.iter().filter(|path| *path == "-").count() > 1 {
        anyhow::bail!("standard input can be read only once\nhelp: use - for one argument only");
    }
    let paths = files::designs(args, paths)?;
    let role = if paths.len() > 1 {
        input::Role::OneOfSeveral
    } else {
        input::Role::Only
    };
    let read = |path: &String| -> Result<(Workload, input::WorkloadText)> {
        let text = input::design(args, input::source(path)?, role)?;
        Ok((input::loaded(args, &text, books, date)?, text))
    };
    let workloads: Vec<Result<(Workload, input::WorkloadText)>> = paths.iter().map(read).collect();
    let (workloads, errors): (Vec<_>, Vec<_>) = workloads.into_iter().partition(Result::is_ok);
    let errors: Vec<anyhow::Error> = errors.into_iter().filter_map(Result::err).collect();
    if !errors.is_empty() {
        return Err(output::Reported::of(errors).into());
    }
    let workloads: Vec<_> = workloads.into_iter().flatten().collect();
    input::usage_is_used(workloads.iter().map(|(_, text)| text))?;
    Ok(workloads)
}

fn explain(args: &Args, asked: &ExplainArgs) -> Result<()> {
    let (books, date) = input::books(args)?;
    let read = all_workloads(args, &asked.workloads, &books, date)?;
    let outcomes = read.iter().map(|(workload, _)| estimate(workload, &books));
    let outcomes = outcomes.collect::<Result<Vec<_>, _>>()?;
    let filter = &LineFilter {
        numbers: asked.line.clone(),
        tables: asked.table.clone(),
        access: asked.access.clone(),
    };
    if !filter.finds(&outcomes) {
        return Err(nothing_to_explain(&outcomes));
    }
    let outcomes = &outcomes;
    output::present(args, &Explanation { outcomes, filter })
}

/// That no line is what was asked for, and what there is.
fn nothing_to_explain(outcomes: &[Outcome]) -> anyhow::Error {
    let lines = || outcomes.iter().flat_map(Outcome::lines);
    let named = |of: fn(&LineItem) -> Option<&String>| {
        let names: BTreeSet<&String> = lines().filter_map(of).collect();
        let names = names.into_iter().take(20).map(|name| format!("{name:?}"));
        names.collect::<Vec<_>>().join(", ")
    };
    anyhow::anyhow!(
        "no line is what --line, --table and --access name\nhelp: the lines are 1 to {}; the tables {}; the \
         access patterns {}",
        lines().count(),
        named(|line| line.subject.table.as_ref()),
        named(|line| line.subject.access.as_ref()),
    )
}

fn differences(args: &Args, asked: &DiffArgs) -> Result<()> {
    if let Some(folder) = &asked.diff_account {
        return difference(args, account::drift(args, asked, folder)?);
    }
    account::are_none(&asked.of_account)?;
    let (books, date) = input::books(args)?;
    let paths: Vec<String> = std::iter::once(&asked.old)
        .chain(&asked.new)
        .cloned()
        .collect();
    difference(args, all_workloads(args, &paths, &books, date)?)
}

fn difference(args: &Args, read: Vec<(Workload, input::WorkloadText)>) -> Result<()> {
    let (books, date) = input::books(args)?;
    let workloads: Vec<Workload> = read.iter().map(|(workload, _)| workload.clone()).collect();
    let mut outcomes = Vec::new();
    // Each is a state of the whole account.
    for one in read {
        outcomes.extend(together(args, vec![one], &books, date)?.outcomes);
    }
    let [old, new] = outcomes.as_slice() else {
        anyhow::bail!("diff takes two workload files")
    };
    let once = once_of_change(&workloads[0], &workloads[1], &books)?;
    let difference = diff(old, new)?.with_once(once);
    output::present(args, &difference)
}

/// Refuses to leave out tables where other programs read the result.
fn only_in_text(args: &Args, shown: SummaryArgs) -> Result<()> {
    if shown.top.is_some() && matches!(args.format, OutputFormat::Json | OutputFormat::Csv) {
        anyhow::bail!(
            "--top leaves out tables, and JSON and CSV have all lines\nhelp: add --summary, or remove \
             --top"
        );
    }
    Ok(())
}

fn rules(args: &Args, numbers: &[String]) -> Result<()> {
    let mut unknown: Vec<&str> = numbers
        .iter()
        .map(String::as_str)
        .filter(|number| !RULES.iter().any(|rule| rule.is_named(number)))
        .collect();
    if !unknown.is_empty() {
        unknown.dedup();
        anyhow::bail!(
            "no rule has the number {}\nhelp: `dynameter rules` lists all of them",
            unknown.join(" or ")
        );
    }
    let is_asked = |rule: &&MeteringRule| {
        numbers.is_empty() || numbers.iter().any(|number| rule.is_named(number))
    };
    output::present(
        args,
        &MeteringRules(RULES.iter().filter(is_asked).collect()),
    )
}

fn prices_list(args: &Args) -> Result<()> {
    let (books, date) = input::books(args)?;
    let mut lists = Vec::new();
    for region in books
        .regions()
        .filter(|region| args.region.as_deref().is_none_or(|asked| asked == *region))
    {
        let (from, newest) = books.span(region)?;
        let book = match books.book(region, date) {
            Ok(book) => book,
            Err(_) if date.is_some() => continue, // no book of this region at that date
            Err(error) => return Err(error.into()),
        };
        lists.push(PriceList {
            region: region.to_string(),
            location: book.location().to_string(),
            from: from.to_string(),
            newest: newest.to_string(),
            rates: book.rates().len(),
        });
    }
    if let (Some(region), true) = (&args.region, lists.is_empty()) {
        books.book(region, date)?;
    }
    output::present(args, &PriceLists(lists))
}

/// Compares two price lists region by region; a list without a book at its date has no rates there.
fn prices_diff(args: &Args, before: &str, after: &str) -> Result<()> {
    if args.prices.is_some() {
        anyhow::bail!("prices diff takes both price lists as arguments\nhelp: remove --prices");
    }
    let ((old, old_date), (new, new_date)) =
        (input::price_list(before)?, input::price_list(after)?);
    let mut regions: Vec<&str> = old
        .regions()
        .chain(new.regions())
        .filter(|one| args.region.as_deref().is_none_or(|asked| asked == *one))
        .collect();
    regions.sort_unstable();
    regions.dedup();
    if regions.is_empty() {
        let region = args.region.as_deref().unwrap_or_default();
        old.book(region, old_date)?;
    }
    let mut changed = Vec::new();
    for region in regions {
        let (before, after) = (
            old.book(region, old_date).ok(),
            new.book(region, new_date).ok(),
        );
        changed.extend(changed_rates(before.as_ref(), after.as_ref()));
    }
    output::present(args, &ChangedRates(&changed))
}

/// Imports AWS's price list into the books: the built-in ones, or those in the folder that
/// `--prices` names.
fn prices_import(args: &Args, files: &[String], into: Option<&std::path::Path>) -> Result<()> {
    let (books, date) = input::books(args)?;
    if date.is_some() {
        anyhow::bail!(
            "prices import updates whole price books, not the prices of one date\nhelp: remove \
             --prices, or give it a folder of price books"
        );
    }
    let mut errors = Vec::new();
    let mut offers: Vec<PriceListFile> = Vec::new();
    for file in files {
        match input::offer(file) {
            Ok(offer) => offers.push(offer),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(output::Reported::of(errors).into());
    }
    if let Some(region) = &args.region {
        offers
            .iter_mut()
            .for_each(|offer| offer.rates.retain(|rate| rate.region == *region));
    }
    let update = update(&books, &offers)?;
    if let Some(folder) = into {
        output::books(folder, &update.texts)?;
    }
    let written = into.map(|folder| folder.display().to_string());
    let imported = ImportedPrices {
        files: &offers,
        update: &update,
        written: written.as_deref(),
    };
    output::present(args, &imported)
}

fn prices_show(args: &Args, date: Option<&str>) -> Result<()> {
    let (books, from_prices) = input::books(args)?;
    let date = match date {
        Some(text) => Some(input::date("--date", text)?),
        None => from_prices,
    };
    let Some(region) = &args.region else {
        anyhow::bail!(
            "prices show needs a region\nhelp: add --region us-east-1; `dynameter prices list` \
             shows all regions"
        );
    };
    let book = books.book(region, date)?;
    output::present(args, &book)
}
