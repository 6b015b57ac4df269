//! Asks AWS about the tables of an account, with the reader's own credentials. Every call only
//! reads.
//!
//! Credentials, profiles, single sign-on, roles, retries and addresses are those of AWS's SDK. Each
//! answer is kept as AWS gives it, so that what is made of it can be made again without the
//! account; `import::import_account` makes it. What the credentials may not read is a gap, not an
//! error: the rest is read.

mod calls;
mod describe;
mod metrics;
mod raw;
#[cfg(feature = "replay")]
mod requests;
mod s3;
mod sample;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::config::Credentials;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};

use crate::import::{AccountAnswers, RegionAnswers};
use calls::Failure;
use raw::RawFolder;
#[cfg(feature = "replay")]
pub(crate) use requests::{Connection, Refusal, is_local};
pub use s3::fetch;

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct AccountRequest {
    /// The profile of AWS's configuration; `None` for the default one.
    pub profile: Option<String>,
    /// The regions; none for that of the profile.
    pub regions: Vec<String>,
    /// The tables: names, or patterns such as `prod-*`; none for all.
    pub tables: Vec<String>,
    /// From when metrics are asked for, in seconds since 1970.
    pub from: i64,
    /// Until when.
    pub to: i64,
    /// The address of the services, for a server that stands in for AWS.
    pub endpoint_url: Option<String>,
    /// How many items of each table are read; none if it is 0.
    pub sample: u32,
    /// An empty folder in which the answers are kept.
    pub raw: Option<PathBuf>,
}

/// What happens while AWS is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskEvent {
    /// Answers have come.
    Progress(AskProgress),
    /// Items of tables are going to be read.
    Sampling(SampledTables),
}

/// The items that are going to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampledTables {
    /// The region.
    pub region: String,
    /// Each table with its items to read, and their mean size in bytes.
    pub tables: Vec<(String, u64, u64)>,
}

/// How far the asking is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskProgress {
    /// The region.
    pub region: String,
    /// What is being asked for, such as "tables".
    pub what: &'static str,
    /// How many answers have come.
    pub done: u64,
    /// Of how many; 0 if that is not known yet.
    pub total: u64,
}

/// Why an account cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AwsError {
    /// AWS does not answer as it should.
    #[error("{message}\nhelp: {help}")]
    Refused {
        /// What AWS said.
        message: String,
        /// How to go on.
        help: String,
    },
    /// It was stopped.
    #[error("stopped; nothing was written")]
    Stopped,
}

impl AwsError {
    fn new(message: impl Into<String>, help: impl Into<String>) -> AwsError {
        AwsError::Refused {
            message: message.into(),
            help: help.into(),
        }
    }
}

/// The answers, and the regions that could not be asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What AWS answered.
    pub answers: AccountAnswers,
    /// Why a region has no answers: the others have.
    pub failed: Vec<String>,
}

/// Asks AWS; ends early when `stop` becomes true.
///
/// # Errors
/// If there are no credentials or no region, if no region can be read, or if answers cannot be
/// kept.
pub fn ask(
    request: &AccountRequest,
    stop: &AtomicBool,
    tell: &mut dyn FnMut(AskEvent),
) -> Result<Asked, AwsError> {
    until_stopped(stop, all_regions(request, tell))
}

/// Waits for work, unless it is stopped.
fn until_stopped<T>(
    stop: &AtomicBool,
    work: impl Future<Output = Result<T, AwsError>>,
) -> Result<T, AwsError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| AwsError::new(error.to_string(), "try again"))?;
    let answered = runtime.block_on(async {
        let mut work = Box::pin(work);
        loop {
            match tokio::time::timeout(LOOK, &mut work).await {
                Ok(done) => return done,
                Err(_) if stop.load(Ordering::SeqCst) => return Err(AwsError::Stopped),
                Err(_) => {}
            }
        }
    });
    // A call whose answer is not wanted any more must not keep the process.
    runtime.shutdown_background();
    answered
}

/// How often it is looked whether to stop.
const LOOK: Duration = Duration::from_millis(100);

async fn all_regions(
    request: &AccountRequest,
    tell: &mut dyn FnMut(AskEvent),
) -> Result<Asked, AwsError> {
    let patterns = patterns(&request.tables)?;
    let mut regions = request.regions.clone();
    if regions.is_empty() {
        let config = config(request, None).await;
        let own = config.region().ok_or_else(|| {
            AwsError::new(
                "no region is named",
                "name one with --region, or set AWS_REGION or the region of the profile",
            )
        })?;
        regions.push(own.to_string());
    }
    let mut known = BTreeSet::new();
    regions.retain(|region| known.insert(region.clone()));
    let mut raw = RawFolder::new(request.raw.as_deref());
    let mut answers = AccountAnswers {
        account: None,
        from: request.from,
        to: request.to,
        regions: Vec::new(),
    };
    let mut failed = Vec::new();
    for region in &regions {
        let config = config(request, Some(region)).await;
        let mut asking = Asking {
            config: &config,
            request,
            region,
            patterns: &patterns,
            raw: &mut raw,
            tell: &mut *tell,
            gaps: Vec::new(),
        };
        match asking.region().await {
            Ok((account, own)) => {
                answers.account = answers.account.or(account);
                answers.regions.push(own);
            }
            Err(RegionError::All(error)) => return Err(error),
            Err(RegionError::Region(_, error)) if regions.len() == 1 => return Err(error),
            Err(RegionError::Region(message, _)) => failed.push(message),
        }
    }
    if answers.regions.is_empty() {
        return Err(AwsError::new(
            failed.join("\n"),
            "check the names of the regions, and which of them are enabled: aws account list-regions",
        ));
    }
    raw.manifest(&answers)?;
    Ok(Asked { answers, failed })
}

/// Names of tables, which may be patterns.
fn patterns(tables: &[String]) -> Result<Vec<glob::Pattern>, AwsError> {
    let pattern = |text: &String| {
        if text.contains([':', '/']) {
            return Err(AwsError::new(
                format!("--table {text:?} is not the name of a table"),
                "name a table without its account and region, or a pattern such as prod-*",
            ));
        }
        glob::Pattern::new(text).map_err(|error| {
            AwsError::new(
                format!("--table {text:?} is not a pattern: {error}"),
                "name a table, or a pattern such as prod-*",
            )
        })
    };
    tables.iter().map(pattern).collect()
}

async fn config(request: &AccountRequest, region: Option<&str>) -> SdkConfig {
    config_with(request, region, None).await
}

/// For a server that stands in for AWS and takes any credentials.
#[cfg(feature = "replay")]
async fn config_of_any(request: &AccountRequest, region: Option<&str>) -> SdkConfig {
    let any = Credentials::new("dynameter", "dynameter", None, None, "dynameter");
    config_with(request, region, Some(any)).await
}

async fn config_with(
    request: &AccountRequest,
    region: Option<&str>,
    credentials: Option<Credentials>,
) -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(60))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http.clone())
        .timeout_config(timeouts);
    if let Some(profile) = &request.profile {
        // As for `aws`, the profile that is named counts, whatever the environment says.
        let named = ProviderConfig::default()
            .with_http_client(http)
            .with_region(region.map(|region| Region::new(region.to_string())));
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&named)
            .profile_name(profile);
        loader = loader
            .profile_name(profile)
            .credentials_provider(provider.build());
    }
    if let Some(credentials) = credentials {
        loader = loader.credentials_provider(credentials);
    }
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_string()));
    }
    if let Some(url) = &request.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    let config = loader.load().await;
    let is_default = config
        .retry_config()
        .is_none_or(|retry| retry.max_attempts() == RetryConfig::standard().max_attempts());
    match is_default {
        true => config
            .into_builder()
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .build(),
        // The environment or the profile says how often.
        false => config,
    }
}

/// How often a call is made, if AWS throttles it or does not answer: twice as often as the SDK
/// would, since a large account takes hundreds of calls.
const ATTEMPTS: u32 = 6;

/// The asking of one region.
struct Asking<'a> {
    config: &'a SdkConfig,
    request: &'a AccountRequest,
    region: &'a str,
    patterns: &'a [glob::Pattern],
    raw: &'a mut RawFolder,
    tell: &'a mut dyn FnMut(AskEvent),
    gaps: Vec<crate::import::AnswerGap>,
}

/// Why a region has no answers.
enum RegionError {
    /// No region will have any.
    All(AwsError),
    /// This one: a message, and the error if it is the only one.
    Region(String, AwsError),
}

impl From<AwsError> for RegionError {
    fn from(error: AwsError) -> RegionError {
        RegionError::All(error)
    }
}

impl Asking<'_> {
    async fn region(&mut self) -> Result<(Option<String>, RegionAnswers), RegionError> {
        let mut described = self.describe().await?;
        let metrics = self.metrics(&described).await?;
        self.samples(&mut described).await?;
        let account = described.account();
        let documents = described.documents(self.region);
        for document in &documents {
            self.raw.text(&document.name, &document.text)?;
        }
        let answers = RegionAnswers {
            region: self.region.to_string(),
            documents,
            metrics,
            gaps: std::mem::take(&mut self.gaps),
        };
        Ok((account, answers))
    }

    fn tell(&mut self, what: &'static str, done: usize, total: usize) {
        (self.tell)(AskEvent::Progress(AskProgress {
            region: self.region.to_string(),
            what,
            done: done as u64,
            total: total as u64,
        }));
    }

    /// Takes the failure of a call as a gap, unless nothing else can be asked either.
    fn gap(
        &mut self,
        action: &str,
        table: Option<&str>,
        failure: Failure,
    ) -> Result<(), RegionError> {
        match failure {
            Failure::Expired(_) | Failure::NoCredentials(_) => {
                Err(failure.of_region(self.region, self.request))
            }
            other => {
                self.gaps.push(crate::import::AnswerGap {
                    action: action.to_string(),
                    table: table.map(str::to_string),
                    why: other.why(),
                });
                Ok(())
            }
        }
    }
}
