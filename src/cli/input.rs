//! Files and values given on the command line.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};

use super::args::{Args, HorizonArgs, QuestionArgs};
use super::{files, output, session};
use crate::capacity::series::Horizon;
use crate::commitments::Commitment;
use crate::compare::Question;
use crate::diag::{Diagnostics, Origins, Source};
use crate::import::{
    ImportDocument, ImportFormat, ImportOptions, Imported, UnusedPart, used_nowhere,
};
use crate::opened;
use crate::outcome::Uncertainty;
use crate::pricing::{Books, PriceListFile, read_offer};
use crate::time::{Date, MonthHours};
use crate::uncertainty::uncertainty;
use crate::units::Exact;
use crate::workload::{self, Setting, Workload, load_commitments};

/// The size limit of workload files, plans and templates: 64 MB.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// The price books, and the date that `--prices` names.
pub fn books(args: &Args) -> Result<(Books, Option<Date>)> {
    let Some(prices) = &args.prices else {
        return Ok((Books::embedded(), None));
    };
    if Path::new(prices).is_dir() {
        return Ok((Books::from_folder(Path::new(prices))?, None));
    }
    match Date::parse(prices) {
        Some(date) => Ok((Books::embedded(), Some(date))),
        None => bail!(
            "--prices {prices:?} is neither a date nor a folder\nhelp: write YYYY-MM-DD, such as \
             2024-11-01, or the path of a folder of price books"
        ),
    }
}

/// A price list: the built-in books at a date, or the newest prices of a folder of books.
pub fn price_list(text: &str) -> Result<(Books, Option<Date>)> {
    if Path::new(text).is_dir() {
        return Ok((Books::from_folder(Path::new(text))?, None));
    }
    match Date::parse(text) {
        Some(date) => Ok((Books::embedded(), Some(date))),
        None => bail!(
            "{text:?} is neither a date nor a folder of price books\nhelp: write YYYY-MM-DD, such \
             as 2024-11-01, or the path of a folder"
        ),
    }
}

/// Parses a date given on the command line.
pub fn date(option: &str, text: &str) -> Result<Date> {
    match Date::parse(text) {
        Some(date) => Ok(date),
        None => {
            bail!("{option} {text:?} is not a date\nhelp: write YYYY-MM-DD, such as 2024-11-01")
        }
    }
}

/// A workload file that was read, so that it can be checked again with other values of its ranges.
pub struct WorkloadText {
    /// The path as the user wrote it.
    pub name: String,
    /// The text.
    pub text: String,
    folder: PathBuf,
    /// Where its lines come from, if it was made from a plan or a template.
    origins: Option<Arc<Origins>>,
    /// The design before the change that a plan makes.
    before: Option<Box<WorkloadText>>,
    /// The parts of the usage file that the design does not have; `None` for a workload file, which
    /// takes no usage file.
    unused: Option<Vec<UnusedPart>>,
}

impl WorkloadText {
    /// The same file with another text.
    pub fn with_text(&self, text: String) -> WorkloadText {
        WorkloadText {
            name: self.name.clone(),
            text,
            folder: self.folder.clone(),
            origins: None,
            before: None,
            unused: None,
        }
    }

    /// Whether it was made from a plan, a template or another file.
    pub fn is_made(&self) -> bool {
        self.origins.is_some() || self.unused.is_some()
    }

    /// A text from another source, such as git; paths in it are relative to the folder of `file`.
    pub fn new(name: String, text: String, file: &str) -> WorkloadText {
        let folder = Path::new(file)
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default();
        WorkloadText {
            name,
            text,
            folder,
            origins: None,
            before: None,
            unused: None,
        }
    }

    /// The design before the change that a plan makes.
    pub fn before(&mut self) -> Option<WorkloadText> {
        self.before.take().map(|before| *before)
    }

    /// What the library reads.
    fn source(&self) -> Arc<Source> {
        Source::new(&self.name, &self.text)
    }
}

/// The design before a file existed: it has no table and costs nothing.
pub fn without_tables(name: &str, now: Option<&WorkloadText>) -> WorkloadText {
    let read = now.and_then(|now| toml::from_str::<toml::Table>(&now.text).ok());
    let of = |key: &str| {
        let read = read.as_ref()?;
        read.get(key).map(toml::Value::to_string)
    };
    let text = format!(
        "name = {}\nregion = {}\ntable = []\n",
        of("name").unwrap_or_else(|| "\"design\"".to_string()),
        of("region").unwrap_or_else(|| "\"us-east-1\"".to_string()),
    );
    WorkloadText::new(name.to_string(), text, "")
}

/// Reads the file of a single design: the only template of a folder stands for the folder.
pub fn design_source(path: &str) -> Result<WorkloadText> {
    source(&files::design(path)?)
}

/// Reads a file.
pub fn source(path: &str) -> Result<WorkloadText> {
    let (text, folder) = text(path)?;
    let name = if path == "-" { "<stdin>" } else { path };
    Ok(WorkloadText {
        name: name.to_string(),
        text,
        folder,
        origins: None,
        before: None,
        unused: None,
    })
}

/// The size limit of a file of AWS's price list: 1 GB.
const OFFER_BYTES_MAX: u64 = 1 << 30;

/// Reads a file of AWS's price list.
pub fn offer(path: &str) -> Result<PriceListFile> {
    let failed = |error: std::io::Error| {
        anyhow::anyhow!(
            "{path}: cannot be read: {error}\nhelp: name a file of AWS's price list, JSON or CSV"
        )
    };
    let file = opened::open(Path::new(path)).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(OFFER_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > OFFER_BYTES_MAX {
        bail!("{path}: is larger than 1 GB\nhelp: name an offer file of one region or one service");
    }
    let Ok(text) = String::from_utf8(bytes) else {
        bail!("{path}: is not UTF-8 text\nhelp: AWS's price list is JSON or CSV; unpack it first");
    };
    Ok(read_offer(path, &text)?)
}

/// Whether a design is the only one, or one of several or a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The only design; a usage file must match it.
    Only,
    /// One of several, or a baseline.
    OneOfSeveral,
}

/// The workload file of a design: a workload file stays as it is; a plan, a template or a model is
/// imported.
pub fn design(args: &Args, text: WorkloadText, role: Role) -> Result<WorkloadText> {
    let Some(document) = ImportDocument::read(&text.source())? else {
        if let (Some(usage), Role::Only) = (&args.usage, role) {
            bail!(
                "{} is a workload file, which has its own rates and sizes\nhelp: remove --usage \
                 {usage}; it is only for plans and templates",
                text.name
            );
        }
        return Ok(text);
    };
    // Which parts of the usage file no design has is known when all are read.
    let asked = ImportOptions {
        is_one_of_several: true,
        ..asked(args)?
    };
    let made = |imported: Imported| {
        let (name, folder) = (text.name.clone(), text.folder.clone());
        WorkloadText {
            name,
            text: imported.text,
            folder,
            origins: Some(Arc::new(imported.origins)),
            before: None,
            unused: Some(imported.unused),
        }
    };
    let now = document.import(&asked)?;
    let before = match document.has_before() {
        true => Some(document.import(&ImportOptions {
            before: true,
            fallback: now.region.clone(),
            ..asked.clone()
        })?),
        false => None,
    };
    if role == Role::Only {
        let before = before.iter().map(|before| before.unused.clone());
        let both: Vec<Vec<UnusedPart>> = before.chain([now.unused.clone()]).collect();
        unused_is_wrong(&both)?;
    }
    if now.region.is_none() {
        bail!(
            "{}: {} does not say its region, and prices differ by region\nhelp: give --region, \
             such as --region us-east-1, or `region` in a usage file",
            text.name,
            document.kind().described()
        );
    }
    // Each note is one line, even if an address or a file name contains a line break.
    let line = |note: &String| {
        format!("note: {}: {note}", text.name)
            .replace('\n', "\\n")
            .replace('\r', "\\r")
    };
    now.notes
        .iter()
        .for_each(|note| output::note(args, &line(note)));
    let mut now = made(now);
    now.before = before.map(|before| Box::new(made(before)));
    Ok(now)
}

fn unused_is_wrong(designs: &[Vec<UnusedPart>]) -> Result<()> {
    match used_nowhere(designs) {
        Some(found) => Err(found.into()),
        None => Ok(()),
    }
}

/// Checks that each part of the usage file belongs to one of several designs.
pub fn usage_is_used<'a>(designs: impl Iterator<Item = &'a WorkloadText>) -> Result<()> {
    let with_before = designs.flat_map(|one| std::iter::once(one).chain(one.before.as_deref()));
    let unused = with_before.filter_map(|one| one.unused.clone());
    unused_is_wrong(&unused.collect::<Vec<_>>())
}

/// The options of an import.
pub fn asked(args: &Args) -> Result<ImportOptions> {
    let given = args.usage.as_ref().or(args.defaults.usage.as_ref());
    let usage = given
        .map(|path| source(path))
        .transpose()?
        .map(|usage| usage.source());
    Ok(ImportOptions {
        region: args.region.clone(),
        usage,
        before: false,
        fallback: args.defaults.region.clone(),
        is_one_of_several: false,
        is_joined: false,
        reads_beside: true,
    })
}

/// Makes a workload file from files of one kind.
pub fn imported(kind: ImportFormat, files: &[String], asked: &ImportOptions) -> Result<Imported> {
    if kind == ImportFormat::Export {
        let [folder] = files else {
            bail!(
                "an export is one folder, but {} were given\nhelp: import them one at a time",
                files.len()
            )
        };
        return Ok(crate::import::import_export(Path::new(folder), asked)?);
    }
    let sources = files
        .iter()
        .map(|path| source(path).map(|text| text.source()))
        .collect::<Result<Vec<_>>>()?;
    if let ([source], ImportFormat::Terraform) = (sources.as_slice(), kind)
        && let Some(document) = ImportDocument::read(source)?
        && document.has_before()
    {
        // The usage file may speak of both sides of the change.
        let side = |before: bool| {
            document.import(&ImportOptions {
                before,
                is_one_of_several: true,
                ..asked.clone()
            })
        };
        let (own, other) = (side(asked.before)?, side(!asked.before)?);
        unused_is_wrong(&[own.unused.clone(), other.unused])?;
        return Ok(own);
    }
    Ok(crate::import::import(kind, &sources, asked)?)
}

/// Checks a file that was read, without the commitments that the command line names.
pub fn loaded(
    args: &Args,
    text: &WorkloadText,
    books: &Books,
    date: Option<Date>,
) -> Result<Workload> {
    Ok(load(text, &setting(args, books, date)?)?)
}

/// Checks a file that was read: the only design that has the commitments.
pub fn parsed(
    args: &Args,
    text: &WorkloadText,
    books: &Books,
    date: Option<Date>,
) -> Result<Workload> {
    let workload = loaded(args, text, books, date)?;
    let commitments = commitments(args, std::slice::from_ref(&workload), books)?;
    Ok(workload.with_commitments(&commitments))
}

/// The commitments of --commitments, for the designs of a run; none if list prices are asked for.
pub fn commitments(args: &Args, designs: &[Workload], books: &Books) -> Result<Vec<Commitment>> {
    let Some(path) = &args.commitments else {
        return Ok(Vec::new());
    };
    let text = source(path)?;
    let commitments = load_commitments(&text.name, &text.text, designs, books)?;
    Ok(match args.list_prices {
        true => Vec::new(),
        false => commitments,
    })
}

/// Reads and checks a workload file.
#[cfg(feature = "replay")]
pub fn workload(args: &Args, path: &str, books: &Books, date: Option<Date>) -> Result<Workload> {
    read(args, path, books, date).map(|(workload, _)| workload)
}

/// The same, and returns the text that it was read from.
pub fn read(
    args: &Args,
    path: &str,
    books: &Books,
    date: Option<Date>,
) -> Result<(Workload, WorkloadText)> {
    let text = design(args, design_source(path)?, Role::Only)?;
    Ok((parsed(args, &text, books, date)?, text))
}

/// What the command line says about a workload file.
pub fn setting<'a>(args: &Args, books: &'a Books, date: Option<Date>) -> Result<Setting<'a>> {
    Ok(Setting {
        region: args.region.clone(),
        prices: date,
        month: month(args)?,
        list_prices: args.list_prices,
        ..Setting::new(books)
    })
}

/// Checks a file that was read, under a setting.
pub fn load(text: &WorkloadText, setting: &Setting) -> Result<Workload, Diagnostics> {
    let loaded = workload::load(&text.name, &text.text, &text.folder, setting);
    match &text.origins {
        None => loaded,
        Some(origins) => loaded
            .map(|workload| workload.made_of(origins.clone()))
            .map_err(|wrong| wrong.at_origins(origins)),
    }
}

/// The effect of a file's ranges on the total.
pub fn interval(
    args: &Args,
    workload: &Workload,
    text: &WorkloadText,
    books: &Books,
    date: Option<Date>,
) -> Result<Option<Uncertainty>> {
    let likely = setting(args, books, date)?;
    Ok(uncertainty(workload, books, &|scenario| {
        let setting = Setting {
            scenario,
            ..likely.clone()
        };
        let other = load(text, &setting)?;
        Ok(other.with_commitments_of(workload))
    })?)
}

/// Which alternatives to compare.
pub fn question(asked: &QuestionArgs, horizon: &HorizonArgs) -> Result<Question> {
    let QuestionArgs {
        throttled,
        compress,
        split,
        keep,
    } = asked;
    let throttled_billionths = billionths("--throttled", throttled)?;
    Ok(Question {
        throttled_billionths,
        compression: *compress,
        split: *split,
        retention_years: *keep,
        horizon: self::horizon(horizon)?,
    })
}

/// Parses a share given on the command line, in billionths.
pub fn billionths(option: &str, text: &str) -> Result<u64> {
    match Exact::parse(text).filter(|share| !share.is_negative() && *share <= Exact::one()) {
        Some(share) => Ok((share * Exact::from(1_000_000_000))
            .floor()
            .to_u64()
            .unwrap_or(0)),
        None => bail!(
            "{option} {text:?} is not a share\nhelp: write a number from 0 to 1, such as 0.000001 \
             for one in a million"
        ),
    }
}

/// How long and how finely demand is simulated.
fn horizon(args: &HorizonArgs) -> Result<Horizon> {
    let HorizonArgs { days, step, seed } = *args;
    let step_seconds = step.unwrap_or(if days > 31 { 60 } else { 1 });
    match step_seconds {
        1 if days > 31 => {
            bail!(
                "--days {days} with a step of one second needs too much memory\nhelp: remove \
                 --step, or write --step 60"
            )
        }
        1 | 60 => Ok(Horizon {
            days,
            step_seconds,
            seed,
        }),
        other => bail!(
            "--step {other} is neither 1 nor 60\nhelp: write --step 1 (seconds) or --step 60 \
             (minutes)"
        ),
    }
}

pub fn month(args: &Args) -> Result<Option<MonthHours>> {
    let Some(text) = &args.month_hours else {
        return Ok(None);
    };
    match Exact::parse(text).and_then(MonthHours::new) {
        Some(month) => Ok(Some(month)),
        None => bail!(
            "--month-hours {text:?} is not a month of 1 to 744 hours\nhelp: write 720 (30 days), \
             730 (a twelfth of a year) or 744 (31 days)"
        ),
    }
}

/// The text of a file, and the folder that paths in it are relative to.
fn text(path: &str) -> Result<(String, PathBuf)> {
    if let Some(text) = session::text(path) {
        return Ok((text, PathBuf::from(".")));
    }
    let mut bytes = Vec::new();
    let (reader, folder): (Box<dyn Read>, PathBuf) = if path == "-" {
        (Box::new(std::io::stdin()), PathBuf::from("."))
    } else {
        match opened::open(Path::new(path)) {
            Ok(file) => (
                Box::new(file),
                Path::new(path)
                    .parent()
                    .map(Path::to_path_buf)
                    .unwrap_or_default(),
            ),
            Err(error) => {
                if let Some(message) = files::elsewhere(path) {
                    bail!(message);
                }
                let start = match path.ends_with(".toml") {
                    true => format!(
                        "; `dynameter init {path}` writes a workload file to start from, \
                         `dynameter init --budget {path}` a budget"
                    ),
                    false => String::new(),
                };
                bail!("{path}: cannot be opened: {error}\nhelp: name a file that exists{start}")
            }
        }
    };
    if let Err(error) = reader.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes) {
        bail!("{path}: cannot be read: {error}\nhelp: name a file");
    }
    if let Some(message) = files::way_on(path, &bytes) {
        bail!(message);
    }
    if bytes.len() as u64 > FILE_BYTES_MAX {
        bail!(
            "{path}: is larger than 64 MB\nhelp: a workload file is a few KB of TOML; is this a \
             trace or an export?"
        );
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        bail!(
            "{path}: is UTF-16 text, which PowerShell's > writes\nhelp: write it as UTF-8, such \
             as with `| Out-File -Encoding utf8`"
        );
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok((text, folder)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count()
                + 1;
            bail!(
                "{path}:{line}: is not UTF-8 text (byte {at})\nhelp: a workload file is TOML in \
                 UTF-8; is this a binary or compressed file?"
            )
        }
    }
}
