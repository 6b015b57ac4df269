//! A call to AWS: its answer as it came, and what its failure means.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::Value;

use super::{AccountRequest, AwsError, RegionError};
use crate::diag::harmless;

/// Keeps the body of an answer, which the SDK reads into its own types.
#[derive(Clone, Debug, Default)]
pub struct KeptBody(Arc<Mutex<Value>>);

#[dyn_dispatch_hint]
impl Intercept for KeptBody {
    fn name(&self) -> &'static str {
        "KeptBody"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(bytes) = context.response().body().bytes() {
            // Failures have bodies too, and the SDK reads those.
            let body = serde_json::from_slice(bytes).unwrap_or_default();
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body;
        }
        Ok(())
    }
}

impl KeptBody {
    /// The body.
    pub fn json(&self) -> Value {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *kept)
    }
}

/// Makes a call; returns the SDK's answer and its body.
macro_rules! call {
    ($request:expr) => {{
        let kept = $crate::aws::calls::KeptBody::default();
        let answer = $request.customize().interceptor(kept.clone()).send().await;
        match answer {
            Ok(answer) => Ok((answer, kept.json())),
            Err(error) => Err($crate::aws::calls::Failure::of(&error)),
        }
    }};
}
pub(super) use call;

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The credentials may not make it.
    Denied(String),
    /// What it is about is not there any more.
    Gone,
    /// The credentials have expired.
    Expired(String),
    /// There are no credentials.
    NoCredentials(String),
    /// AWS does not accept the credentials in this region.
    Refused(String),
    /// The clock of this machine is wrong.
    Clock(String),
    /// AWS cannot be reached.
    Unreachable(String),
    /// Anything else.
    Other(String),
}

impl Failure {
    /// What an error of the SDK means.
    pub fn of<E>(error: &SdkError<E, HttpResponse>) -> Failure
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let whole = chain(error);
        let message = error.message().map_or(whole.clone(), harmless);
        match (error.code(), error) {
            (Some("AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation"), _) => {
                Failure::Denied(message)
            }
            (Some("ResourceNotFoundException" | "TableNotFoundException"), _) => Failure::Gone,
            (Some("ExpiredTokenException" | "ExpiredToken" | "TokenRefreshRequired"), _) => {
                Failure::Expired(message)
            }
            (
                Some(
                    "UnrecognizedClientException"
                    | "InvalidClientTokenId"
                    | "AuthFailure"
                    | "InvalidSignatureException"
                    | "SignatureDoesNotMatch"
                    | "MissingAuthenticationTokenException"
                    | "MissingAuthenticationToken"
                    | "OptInRequired"
                    | "IncompleteSignature",
                ),
                _,
            ) => Failure::Refused(message),
            (Some("RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture"), _) => {
                Failure::Clock(message)
            }
            (Some(code), _) => Failure::Other(format!("{}: {message}", harmless(code))),
            (None, SdkError::TimeoutError(_) | SdkError::DispatchFailure(_)) => {
                let lower = whole.to_lowercase();
                // A session of single sign-on that has ended; an instance has a session token too.
                let is_sso = ["sso token", "sso session", "token not found or invalid"]
                    .iter()
                    .any(|words| lower.contains(words));
                match is_sso || lower.contains("credential") || lower.contains("token") {
                    true if lower.contains("expired") || is_sso => Failure::Expired(whole),
                    true => Failure::NoCredentials(whole),
                    false => Failure::Unreachable(whole),
                }
            }
            (None, _) => match error.raw_response() {
                Some(answer) => {
                    let status = answer.status().as_u16();
                    Failure::Other(format!("HTTP status {status} without an answer of AWS"))
                }
                None => Failure::Other(whole),
            },
        }
    }

    /// It in a few words.
    pub fn why(self) -> String {
        match self {
            Failure::Denied(_) => "the credentials do not allow this action".to_string(),
            Failure::Gone => "the table was deleted in between".to_string(),
            Failure::Expired(message)
            | Failure::NoCredentials(message)
            | Failure::Refused(message)
            | Failure::Clock(message)
            | Failure::Other(message) => message,
            Failure::Unreachable(message) => format!("no answer: {message}"),
        }
    }

    /// It as the reason why a region has no answers.
    pub fn of_region(self, region: &str, request: &AccountRequest) -> RegionError {
        let profile = request.profile.as_deref();
        let of_profile = profile.map_or(String::new(), |name| format!(" --profile {name}"));
        match self {
            Failure::Expired(message) => RegionError::All(AwsError::new(
                format!("the credentials have expired: {message}"),
                format!("get new ones, for example with: aws sso login{of_profile}"),
            )),
            Failure::NoCredentials(message) => RegionError::All(AwsError::new(
                format!("AWS's configuration has no credentials: {message}"),
                format!(
                    "set them up with `aws configure sso` or `aws configure` (`aws configure \
                     list-profiles` lists those that there are), and try `aws sts \
                     get-caller-identity{of_profile}`"
                ),
            )),
            Failure::Clock(message) => RegionError::All(AwsError::new(
                format!("AWS refuses the time of the call: {message}"),
                "set the clock of this machine",
            )),
            Failure::Refused(message) => in_region(
                format!("{region}: AWS refuses the credentials: {message}"),
                "they may be wrong, or the region is not enabled for this account: aws account \
                 list-regions",
            ),
            Failure::Unreachable(message) => in_region(
                format!("{region}: no answer from AWS: {message}"),
                "check the name of the region and the network",
            ),
            other => in_region(
                format!("{region}: {}", other.why()),
                "docs/account.md has the smallest policy that is needed",
            ),
        }
    }
}

/// An error with everything that caused it.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut texts = vec![harmless(&error.to_string())];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(harmless(&error.to_string()));
        cause = error.source();
    }
    texts.dedup();
    texts.join(": ")
}

fn in_region(message: String, help: &str) -> RegionError {
    let error = AwsError::new(message.clone(), help);
    RegionError::Region(message, error)
}
