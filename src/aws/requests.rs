//! Calls of DynamoDB whose requests are given in DynamoDB JSON, as AWS's API has them.

use std::net::IpAddr;

use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::{Value, json};

use super::calls::{Failure, KeptBody};
use super::{AccountRequest, AwsError};
use crate::table::ApiName;

/// A connection to DynamoDB in one region.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    client: Client,
    /// The region.
    pub region: String,
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The exception that AWS names; `None` if there was no answer.
    pub code: Option<String>,
    /// It in a sentence.
    pub message: String,
    /// Whether no other call will be answered either: no network, no credentials.
    pub is_final: bool,
}

impl Connection {
    /// Opens it, with the credentials of the reader. A server that stands in for AWS takes any:
    /// none need to be set up for it.
    ///
    /// # Errors
    /// [`AwsError`] if no region is named.
    pub async fn open(
        profile: Option<&str>,
        region: Option<&str>,
        endpoint_url: Option<&str>,
    ) -> Result<Connection, AwsError> {
        let request = AccountRequest {
            profile: profile.map(str::to_string),
            endpoint_url: endpoint_url.map(str::to_string),
            ..AccountRequest::default()
        };
        let stands_in = endpoint_url.is_some_and(is_local);
        let has_keys = profile.is_some() || std::env::var_os("AWS_ACCESS_KEY_ID").is_some();
        let config = match stands_in && !has_keys {
            true => super::config_of_any(&request, region).await,
            false => super::config(&request, region).await,
        };
        let Some(region) = config.region() else {
            return Err(AwsError::new(
                "no region is named",
                "name one in the workload or with --region",
            ));
        };
        Ok(Connection {
            region: region.to_string(),
            client: Client::new(&config),
        })
    }

    /// Makes a call; returns AWS's answer.
    pub async fn call(&self, api: ApiName, request: &Value) -> Result<Value, Refusal> {
        let text = request.to_string();
        // The address may depend on the table.
        let table = request["TableName"].as_str().unwrap_or_default();
        /// The client's own request is empty otherwise: its body is replaced before it is signed.
        macro_rules! send {
            ($operation:ident $(, $name:ident)?) => {{
                let kept = KeptBody::default();
                let body = text.clone();
                let replace = move |request: &mut HttpRequest| {
                    let length = body.len().to_string();
                    request.headers_mut().insert("content-length", length);
                    *request.body_mut() = SdkBody::from(body.as_str());
                };
                let sent = self
                    .client
                    .$operation()
                    $(.$name(table))?
                    .customize()
                    .interceptor(kept.clone())
                    .mutate_request(replace)
                    .send()
                    .await;
                match sent {
                    Ok(_) => Ok(kept.json()),
                    Err(error) => Err(Refusal::new(error.code(), Failure::of(&error))),
                }
            }};
        }
        match api {
            ApiName::GetItem => send!(get_item, table_name),
            ApiName::BatchGetItem => send!(batch_get_item),
            ApiName::TransactGetItems => send!(transact_get_items),
            ApiName::Query => send!(query, table_name),
            ApiName::Scan => send!(scan, table_name),
            ApiName::PutItem => send!(put_item, table_name),
            ApiName::UpdateItem => send!(update_item, table_name),
            ApiName::DeleteItem => send!(delete_item, table_name),
            ApiName::BatchWriteItem => send!(batch_write_item),
            ApiName::ExecuteStatement => send!(execute_statement),
            ApiName::BatchExecuteStatement => send!(batch_execute_statement),
            ApiName::ExecuteTransaction => send!(execute_transaction),
            ApiName::TransactWriteItems => send!(transact_write_items),
            ApiName::CreateTable => send!(create_table, table_name),
            ApiName::DeleteTable => send!(delete_table, table_name),
            ApiName::Free => send!(describe_table, table_name),
            other => Err(Refusal {
                code: None,
                message: format!("{} is not called", other.name()),
                is_final: true,
            }),
        }
    }

    /// What AWS says of a table; `None` if there is none of that name.
    pub async fn describe(&self, table: &str) -> Result<Option<Value>, Refusal> {
        let answer = self
            .call(ApiName::Free, &json!({ "TableName": table }))
            .await;
        match answer {
            Ok(answer) => Ok(Some(answer["Table"].clone())),
            Err(refusal) if refusal.is("ResourceNotFoundException") => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}

impl Refusal {
    fn new(code: Option<&str>, failure: Failure) -> Refusal {
        let is_final = matches!(
            failure,
            Failure::Denied(_)
                | Failure::Expired(_)
                | Failure::NoCredentials(_)
                | Failure::Refused(_)
                | Failure::Clock(_)
                | Failure::Unreachable(_)
        );
        let message = match (&failure, code) {
            (Failure::Gone, _) => "there is no such table".to_string(),
            (Failure::Denied(message), _) | (Failure::Unreachable(message), _) => message.clone(),
            (Failure::Other(message), Some(code)) => {
                let own = message
                    .strip_prefix(code)
                    .and_then(|rest| rest.strip_prefix(": "));
                own.unwrap_or(message).to_string()
            }
            _ => failure.why(),
        };
        Refusal {
            code: code.map(|code| code.rsplit('#').next().unwrap_or(code).to_string()),
            message,
            is_final,
        }
    }

    /// Whether AWS names this exception.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

/// Whether an address is one of this machine or of its network, where nothing costs: `localhost`, an
/// address of a private network, or a name without a domain, such as that of a container.
pub(crate) fn is_local(url: &str) -> bool {
    let host = url.split("://").last().unwrap_or(url);
    let host = host.split(['/', '?', '#']).next().unwrap_or(host);
    let host = host.rsplit('@').next().unwrap_or(host);
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.split(':').next().unwrap_or(host),
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private(),
        Ok(IpAddr::V6(address)) => address.is_loopback() || address.is_unique_local(),
        Err(_) => {
            !host.contains('.') || host.ends_with(".localhost") || host.ends_with(".internal")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_addresses_of_this_network_cost_nothing() {
        for url in [
            "http://localhost:8000",
            "http://127.0.0.1:8000/",
            "http://[::1]:8000",
            "http://dynamodb:8000",
            "http://user:secret@192.168.1.2",
            "http://host.docker.internal:8000",
        ] {
            assert!(is_local(url), "{url}");
        }
        for url in [
            "https://dynamodb.us-east-1.amazonaws.com",
            "https://dynamodb.us-east-1.amazonaws.com.",
            "https://localhost@dynamodb.eu-west-1.amazonaws.com:443",
            "https://dynamodb.eusc-de-east-1.amazonaws.eu",
            "https://54.1.2.3",
        ] {
            assert!(!is_local(url), "{url}");
        }
    }
}
