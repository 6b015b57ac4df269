//! Fetches objects of Amazon S3: one, all below a prefix, or all that match a pattern.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, Region};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::calls::Failure;
use super::{AccountRequest, AskProgress, AwsError, RegionError, config, until_stopped};

/// An address such as `s3://bucket/logs/`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct S3Address {
    bucket: String,
    key: String,
}

/// Fetches what an address names into a folder; returns the file, or the folder of several, whose
/// path in it is that of the address. A key that ends with `/` or names no object is a folder; a
/// key with `*` or `?` is a pattern.
///
/// # Errors
/// If there is no such object, if it may not be read, or if it cannot be written.
pub fn fetch(
    address: &str,
    folder: &Path,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(AskProgress),
) -> Result<PathBuf, AwsError> {
    let parsed = parse(address)?;
    until_stopped(stop, fetched(&parsed, folder, progress))
}

fn parse(address: &str) -> Result<S3Address, AwsError> {
    let rest = address.strip_prefix("s3://").unwrap_or(address);
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if bucket.is_empty() || !bucket.chars().all(is_name) || bucket.starts_with('.') {
        return Err(AwsError::new(
            format!("{address:?} is not an address of Amazon S3"),
            "write s3://BUCKET/KEY",
        ));
    }
    Ok(S3Address {
        bucket: bucket.to_string(),
        key: key.to_string(),
    })
}

async fn fetched(
    address: &S3Address,
    folder: &Path,
    progress: &mut dyn FnMut(AskProgress),
) -> Result<PathBuf, AwsError> {
    let mut bucket = Bucket::open(&address.bucket).await;
    let root = folder.join(&address.bucket);
    let key = &address.key;
    let is_pattern = key.contains(['*', '?']);
    // Without such an object, the key may be that of a folder.
    if !is_pattern
        && !key.is_empty()
        && !key.ends_with('/')
        && let Some(path) = bucket.object(key, &root, progress).await?
    {
        return Ok(path);
    }
    let prefix = match key.find(['*', '?']) {
        Some(end) => key[..end].to_string(),
        None if key.is_empty() || key.ends_with('/') => key.clone(),
        None => format!("{key}/"),
    };
    let mut keys = bucket.keys(&prefix).await?;
    if is_pattern {
        let pattern = glob::Pattern::new(key).map_err(|error| {
            AwsError::new(
                format!("{key:?} is not a pattern: {error}"),
                "name an object",
            )
        })?;
        keys.retain(|key| pattern.matches(key));
    }
    // Consoles make empty objects for folders.
    keys.retain(|key| !key.ends_with('/'));
    if keys.is_empty() {
        return Err(AwsError::new(
            format!("s3://{}/{key}: there is no such object", address.bucket),
            format!(
                "list what is there: aws s3 ls s3://{}/{prefix}",
                address.bucket
            ),
        ));
    }
    for key in &keys {
        bucket.object(key, &root, progress).await?;
    }
    Ok(root.join(key))
}

/// A bucket in its region.
struct Bucket {
    name: String,
    client: Client,
    /// Whether its region has been found.
    has_moved: bool,
}

/// The region in which a bucket is looked for first.
const FIRST: &str = "us-east-1";

impl Bucket {
    async fn open(name: &str) -> Bucket {
        let own = config(&AccountRequest::default(), None).await;
        let region = own.region().map_or(FIRST.to_string(), ToString::to_string);
        Bucket {
            name: name.to_string(),
            client: client(&region).await,
            has_moved: false,
        }
    }

    /// The keys that begin so.
    async fn keys(&mut self, prefix: &str) -> Result<Vec<String>, AwsError> {
        let mut keys = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let request = self
                .client
                .list_objects_v2()
                .bucket(&self.name)
                .prefix(prefix);
            match request.set_continuation_token(token.clone()).send().await {
                Ok(answer) => {
                    let own = answer.contents().iter();
                    keys.extend(own.filter_map(|object| object.key().map(str::to_string)));
                    token = answer.next_continuation_token().map(str::to_string);
                }
                Err(error) => {
                    self.moved(&error, "s3:ListBucket").await?;
                    continue;
                }
            }
            if token.is_none() {
                return Ok(keys);
            }
        }
    }

    /// Fetches an object; `None` if there is none.
    async fn object(
        &mut self,
        key: &str,
        root: &Path,
        progress: &mut dyn FnMut(AskProgress),
    ) -> Result<Option<PathBuf>, AwsError> {
        let answer = loop {
            match self
                .client
                .get_object()
                .bucket(&self.name)
                .key(key)
                .send()
                .await
            {
                Ok(answer) => break answer,
                Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
                Err(error) => self.moved(&error, "s3:GetObject").await?,
            }
        };
        let total = answer.content_length().unwrap_or_default().unsigned_abs();
        let path = path_of(root, key)?;
        let wrong = |error: std::io::Error| {
            AwsError::new(
                format!("{}: cannot be written: {error}", path.display()),
                "free some space, or set TMPDIR to a folder that has it",
            )
        };
        std::fs::create_dir_all(path.parent().unwrap_or(root)).map_err(wrong)?;
        let mut file = std::fs::File::create(&path).map_err(wrong)?;
        let mut body = answer.body;
        let mut done = 0;
        while let Some(bytes) = body.next().await {
            let bytes = bytes.map_err(|error| {
                AwsError::new(format!("s3://{}/{key}: {error}", self.name), "try again")
            })?;
            file.write_all(&bytes).map_err(wrong)?;
            done += bytes.len() as u64;
            progress(AskProgress {
                region: format!("s3://{}/{key}", self.name),
                what: "bytes",
                done,
                total,
            });
        }
        Ok(Some(path))
    }

    /// Goes to the region of the bucket, if an error names it.
    async fn moved<E>(
        &mut self,
        error: &SdkError<E, HttpResponse>,
        action: &str,
    ) -> Result<(), AwsError>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let own = self.client.config().region().map(ToString::to_string);
        let answer = error.raw_response();
        let region = answer.and_then(|answer| answer.headers().get("x-amz-bucket-region"));
        if let Some(region) = region.filter(|region| own.as_deref() != Some(region))
            && !self.has_moved
        {
            self.client = client(region).await;
            self.has_moved = true;
            return Ok(());
        }
        let place = format!("s3://{}", self.name);
        let (message, help) = match (error.code(), Failure::of(error)) {
            (Some("NoSuchBucket"), _) => ("there is no such bucket".to_string(), "check its name"),
            (Some("InvalidObjectState"), failure) => (
                failure.why(),
                "it lies in an archive: restore it first (aws s3api restore-object)",
            ),
            (_, Failure::Denied(message)) => (
                format!("{action} is not allowed: {message}"),
                "this needs s3:GetObject, s3:ListBucket for prefixes and patterns, and kms:Decrypt \
                 for objects encrypted with a key",
            ),
            (_, failure) => {
                return Err(
                    match failure.of_region(&place, &AccountRequest::default()) {
                        RegionError::All(error) | RegionError::Region(_, error) => error,
                    },
                );
            }
        };
        Err(AwsError::new(format!("{place}: {message}"), help))
    }
}

async fn client(region: &str) -> Client {
    let config = config(&AccountRequest::default(), Some(region)).await;
    // A server that stands in for AWS has no host for each bucket.
    let is_stand_in = config.endpoint_url().is_some();
    let builder = Builder::from(&config)
        .region(Region::new(region.to_string()))
        .force_path_style(is_stand_in);
    Client::from_conf(builder.build())
}

/// Where an object is written: below the folder, whatever its key is.
fn path_of(root: &Path, key: &str) -> Result<PathBuf, AwsError> {
    let is_safe = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']);
    if !key.split('/').all(is_safe) {
        return Err(AwsError::new(
            format!("{key:?} is a key that cannot be the name of a file"),
            "copy the object to another key",
        ));
    }
    Ok(root.join(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_bucket_and_a_key() {
        for (text, bucket, key) in [
            ("s3://logs/2026/a.gz", "logs", "2026/a.gz"),
            ("s3://logs", "logs", ""),
            ("s3://logs/", "logs", ""),
        ] {
            let parsed = parse(text).expect("an address");
            assert_eq!((parsed.bucket.as_str(), parsed.key.as_str()), (bucket, key));
        }
        for wrong in ["s3://", "s3:///a", "s3://a b/c", "s3://../c"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        for wrong in ["../a", "a//b", "/a", "a/./b", "a\\b"] {
            assert!(path_of(Path::new("x"), wrong).is_err(), "{wrong}");
        }
    }
}
