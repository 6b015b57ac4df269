//! The folder in which AWS's answers were kept: `account.json`, and for each region its documents
//! and the pages of its metrics.
//!
//! | file | what it has |
//! |---|---|
//! | `account.json` | the account, the time of the metrics, the regions and what AWS did not answer |
//! | `REGION/tables/NAME.json` | the answers about a table, in a list |
//! | `REGION/*.json` | answers about the region: auto scaling, DAX clusters, backup plans |
//! | `REGION/metrics/*.json.gz` | answers of GetMetricData |

use std::path::{Path, PathBuf};

use super::metrics::MetricPage;
use super::{AccountAnswers, AccountMetrics, AnswerGap, RegionAnswers};
use crate::diag::{Source, harmless};
use crate::opened;

/// The version of the folder.
pub const ACCOUNT_SCHEMA: &str = "dynameter.answers/1";

/// What `account.json` has.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AccountManifest {
    /// The version of the folder, [`ACCOUNT_SCHEMA`].
    pub schema: String,
    /// The account's ID, if an answer named it.
    pub account: Option<String>,
    /// From when metrics were asked for, RFC 3339.
    pub from: String,
    /// Until when.
    pub to: String,
    /// The regions, in the order in which they were asked for.
    pub regions: Vec<RegionManifest>,
}

/// A region of the folder.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RegionManifest {
    /// The region.
    pub region: String,
    /// What AWS did not answer.
    pub gaps: Vec<AnswerGap>,
}

/// Why a folder of answers cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {message}\nhelp: {help}")]
pub struct AnswersError {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub message: String,
    /// How to fix it.
    pub help: String,
}

impl AnswersError {
    fn new(path: &Path, message: impl Into<String>) -> AnswersError {
        AnswersError {
            file: path.display().to_string(),
            message: message.into(),
            help: "name the folder that `dynameter import account --raw DIR` wrote, unchanged"
                .to_string(),
        }
    }
}

impl AccountAnswers {
    /// Reads a folder of answers.
    ///
    /// # Errors
    /// If a file is missing, cannot be read, or is not as AWS answers.
    pub fn read(folder: &Path) -> Result<AccountAnswers, AnswersError> {
        let path = folder.join("account.json");
        let manifest: AccountManifest = serde_json::from_str(&text(&path)?)
            .map_err(|error| AnswersError::new(&path, error.to_string()))?;
        if manifest.schema != ACCOUNT_SCHEMA {
            let message = format!(
                "has the schema {:?}, not {ACCOUNT_SCHEMA:?}",
                manifest.schema
            );
            return Err(AnswersError::new(&path, message));
        }
        let second = |text: &str| {
            let time = chrono::DateTime::parse_from_rfc3339(text);
            time.map(|time| time.timestamp())
                .map_err(|_| AnswersError::new(&path, format!("{text:?} is not a time")))
        };
        if manifest.regions.is_empty() {
            return Err(AnswersError::new(&path, "names no region"));
        }
        let (from, to) = (second(&manifest.from)?, second(&manifest.to)?);
        if from >= to {
            return Err(AnswersError::new(&path, "has metrics of no time"));
        }
        let mut names: Vec<&str> = manifest.regions.iter().map(|one| &*one.region).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let message = format!("names the region {} twice", harmless(twice[0]));
            return Err(AnswersError::new(&path, message));
        }
        Ok(AccountAnswers {
            from,
            to,
            regions: manifest
                .regions
                .into_iter()
                .map(|region| region.read(folder, (from, to)))
                .collect::<Result<_, _>>()?,
            account: manifest.account,
        })
    }
}

impl RegionManifest {
    fn read(self, folder: &Path, (from, to): (i64, i64)) -> Result<RegionAnswers, AnswersError> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if self.region.is_empty() || !self.region.chars().all(is_name) {
            let message = format!("{:?} is not a region", self.region);
            return Err(AnswersError::new(&folder.join("account.json"), message));
        }
        let own = folder.join(&self.region);
        if !own.is_dir() {
            return Err(AnswersError::new(&own, "is missing"));
        }
        let mut documents = Vec::new();
        let tables = files(&own.join("tables"), ".json")?;
        for (is_table, path) in tables
            .into_iter()
            .map(|path| (true, path))
            .chain(files(&own, ".json")?.into_iter().map(|path| (false, path)))
        {
            let text = text(&path)?;
            let answers: serde_json::Value = serde_json::from_str(&text)
                .map_err(|error| AnswersError::new(&path, error.to_string()))?;
            let answers = answers.as_array();
            let describes =
                |answer: &serde_json::Value| answer["Table"]["TableName"].as_str().is_some();
            if is_table && !answers.is_some_and(|answers| answers.iter().any(describes)) {
                return Err(AnswersError::new(&path, "does not describe a table"));
            }
            let name = path.strip_prefix(folder).unwrap_or(&path);
            documents.push(Source::new(name.to_string_lossy().into_owned(), text));
        }
        let mut metrics = AccountMetrics::default();
        for path in files(&own.join("metrics"), ".json.gz")? {
            let file =
                opened::open(&path).map_err(|error| AnswersError::new(&path, error.to_string()))?;
            let bytes = flate2::read::MultiGzDecoder::new(std::io::BufReader::new(file));
            let page: MetricPage = serde_json::from_reader(std::io::BufReader::new(bytes))
                .map_err(|error| AnswersError::new(&path, error.to_string()))?;
            metrics
                .add_page(&page, from, to)
                .map_err(|message| AnswersError::new(&path, message))?;
        }
        Ok(RegionAnswers {
            region: self.region,
            documents,
            metrics,
            gaps: self.gaps,
        })
    }
}

fn text(path: &Path) -> Result<String, AnswersError> {
    opened::read_to_string(path).map_err(|error| AnswersError::new(path, error.to_string()))
}

/// The files of a folder whose names end so, by name; none if there is no such folder.
fn files(folder: &Path, end: &str) -> Result<Vec<PathBuf>, AnswersError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let wrong = |error: std::io::Error| AnswersError::new(folder, error.to_string());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let (Some(stem), false) = (name.strip_suffix(end), path.is_dir()) {
            found.push((stem.to_string(), path.clone()));
        }
    }
    // By name without its end: `Orders` stands before `Orders-archive`.
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}
