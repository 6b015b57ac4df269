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
use crate::diag::Source;
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
        Ok(AccountAnswers {
            from: second(&manifest.from)?,
            to: second(&manifest.to)?,
            regions: manifest
                .regions
                .into_iter()
                .map(|region| region.read(folder))
                .collect::<Result<_, _>>()?,
            account: manifest.account,
        })
    }
}

impl RegionManifest {
    fn read(self, folder: &Path) -> Result<RegionAnswers, AnswersError> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if self.region.is_empty() || !self.region.chars().all(is_name) {
            let message = format!("{:?} is not a region", self.region);
            return Err(AnswersError::new(&folder.join("account.json"), message));
        }
        let own = folder.join(&self.region);
        let mut documents = Vec::new();
        for path in files(&own.join("tables"), ".json")?
            .into_iter()
            .chain(files(&own, ".json")?)
        {
            let name = path.strip_prefix(folder).unwrap_or(&path);
            documents.push(Source::new(
                name.to_string_lossy().into_owned(),
                text(&path)?,
            ));
        }
        let mut metrics = AccountMetrics::default();
        for path in files(&own.join("metrics"), ".json.gz")? {
            let file =
                opened::open(&path).map_err(|error| AnswersError::new(&path, error.to_string()))?;
            let bytes = flate2::read::MultiGzDecoder::new(std::io::BufReader::new(file));
            let page: MetricPage = serde_json::from_reader(std::io::BufReader::new(bytes))
                .map_err(|error| AnswersError::new(&path, error.to_string()))?;
            metrics
                .add_page(&page)
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
        if path.is_file() && name.ends_with(end) {
            found.push(path.clone());
        }
    }
    found.sort();
    Ok(found)
}
