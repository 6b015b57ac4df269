//! What the tables of a region are: their descriptions, backups, auto scaling, DAX clusters and
//! backup plans.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_applicationautoscaling::types::ServiceNamespace;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::calls::{Failure, call};
use super::{Asking, AwsError, RegionError};
use crate::diag::Source;
use crate::import::AnswerGap;
use crate::table::Arn;

/// The answers about a region, but its metrics.
#[derive(Debug, Default)]
pub struct DescribedRegion {
    /// The answers about each table.
    pub tables: BTreeMap<String, Vec<Value>>,
    /// Answers about the region, by the name of their document.
    pub others: BTreeMap<&'static str, Vec<Value>>,
}

impl DescribedRegion {
    /// The account's ID.
    pub fn account(&self) -> Option<String> {
        let mut arns = self
            .descriptions()
            .filter_map(|table| table["TableArn"].as_str());
        arns.find_map(|arn| Arn::of(arn).account().map(str::to_string))
    }

    /// The description of each table.
    pub fn descriptions(&self) -> impl Iterator<Item = &Value> {
        let answers = self.tables.values().flatten();
        answers.filter_map(|answer| answer.get("Table"))
    }

    /// The answers as documents.
    pub fn documents(&self, region: &str) -> Vec<Arc<Source>> {
        let document = |name: String, answers: &Vec<Value>| {
            let text = format!("{:#}\n", Value::Array(answers.clone()));
            Source::new(name, text)
        };
        let tables = self
            .tables
            .iter()
            .map(|(name, answers)| document(format!("{region}/tables/{name}.json"), answers));
        let others = self
            .others
            .iter()
            .filter(|(_, answers)| !answers.is_empty());
        let others =
            others.map(|(name, answers)| document(format!("{region}/{name}.json"), answers));
        tables.chain(others).collect()
    }
}

/// How many calls are made at once.
const AT_ONCE: usize = 10;

/// How long it takes until the calls about the next table begin: AWS answers ten calls of
/// DescribeContinuousBackups and of DescribeTimeToLive a second. Source: API Reference.
const PACE: Duration = Duration::from_millis(110);

/// Makes a call for every page of its answer; a failure is a gap, and ends it.
macro_rules! pages {
    ($asking:ident, $action:expr, $request:expr, |$answer:ident, $body:ident| $take:block) => {{
        let mut token: Option<String> = None;
        loop {
            match call!($request.set_next_token(token)) {
                Ok(($answer, $body)) => {
                    token = $answer.next_token().map(str::to_string);
                    $take
                }
                Err(failure) => {
                    $asking.gap($action, None, failure)?;
                    break;
                }
            }
            if token.is_none() {
                break;
            }
        }
    }};
}

/// Whether a table as DescribeTable describes it has provisioned capacity.
pub fn is_provisioned(table: &Value) -> bool {
    table["BillingModeSummary"]["BillingMode"].as_str() != Some("PAY_PER_REQUEST")
}

/// What came of the calls about a table.
struct TableAnswers {
    name: String,
    answers: Vec<Value>,
    failures: Vec<(&'static str, Failure)>,
}

impl Asking<'_> {
    /// Asks for everything but metrics.
    pub async fn describe(&mut self) -> Result<DescribedRegion, RegionError> {
        let names = self.names().await?;
        let mut described = DescribedRegion::default();
        self.describe_tables(&names, &mut described).await?;
        self.tell("auto scaling, DAX and backup plans", 0, 0);
        self.insights(&mut described).await?;
        self.scaling(&mut described).await?;
        self.clusters(&mut described).await?;
        self.plans(&mut described).await?;
        Ok(described)
    }

    /// The names of the tables that are wanted.
    async fn names(&mut self) -> Result<Vec<String>, RegionError> {
        let is_plain = |name: &String| !name.contains(['*', '?', '[']);
        let given = &self.request.tables;
        if !given.is_empty() && given.iter().all(is_plain) {
            let mut names = given.clone();
            names.sort();
            names.dedup();
            return Ok(names);
        }
        let client = aws_sdk_dynamodb::Client::new(self.config);
        let mut names: Vec<String> = Vec::new();
        let mut start: Option<String> = None;
        loop {
            let request = client.list_tables().set_exclusive_start_table_name(start);
            let (answer, _) = call!(request).map_err(|failure: Failure| {
                let failure = match failure {
                    Failure::Denied(_) => Failure::Other(
                        "the credentials do not allow dynamodb:ListTables, without which tables \
                         must be named with --table"
                            .to_string(),
                    ),
                    other => other,
                };
                failure.of_region(self.region, self.request)
            })?;
            names.extend(answer.table_names().iter().cloned());
            self.tell("names of tables", names.len(), 0);
            start = answer.last_evaluated_table_name().map(str::to_string);
            if start.is_none() {
                break;
            }
        }
        names.retain(|name| {
            self.patterns.is_empty() || self.patterns.iter().any(|one| one.matches(name))
        });
        names.sort();
        Ok(names)
    }

    async fn describe_tables(
        &mut self,
        names: &[String],
        described: &mut DescribedRegion,
    ) -> Result<(), RegionError> {
        let client = aws_sdk_dynamodb::Client::new(self.config);
        let mut waiting = names.iter();
        let mut running = JoinSet::new();
        let mut done = 0;
        // A server that stands in for AWS has no such limits.
        let pace = self.config.endpoint_url().is_none().then_some(PACE);
        loop {
            while running.len() < AT_ONCE
                && let Some(name) = waiting.next()
            {
                running.spawn(describe_table(client.clone(), name.clone()));
                if let Some(pace) = pace {
                    tokio::time::sleep(pace).await;
                }
            }
            let Some(one) = running.join_next().await else {
                break;
            };
            let one = one.map_err(|error| AwsError::new(error.to_string(), "try again"))?;
            done += 1;
            self.tell("tables", done, names.len());
            for (action, failure) in one.failures {
                let is_first = action == DESCRIBE;
                match failure {
                    // Without a description, no other table will have one either.
                    Failure::Refused(_) | Failure::Unreachable(_) if is_first => {
                        return Err(failure.of_region(self.region, self.request));
                    }
                    Failure::Gone if is_first && self.request.tables.contains(&one.name) => {
                        let why = Failure::Other("there is no such table".to_string());
                        self.gap(action, Some(&one.name), why)?;
                    }
                    failure => self.gap(action, Some(&one.name), failure)?,
                }
            }
            if !one.answers.is_empty() {
                described.tables.insert(one.name, one.answers);
            }
        }
        self.gaps.sort_by(|one, other| {
            let key = |gap: &AnswerGap| (gap.action.clone(), gap.table.clone());
            key(one).cmp(&key(other))
        });
        Ok(())
    }

    /// Contributor Insights of all tables.
    async fn insights(&mut self, described: &mut DescribedRegion) -> Result<(), RegionError> {
        let client = aws_sdk_dynamodb::Client::new(self.config);
        let mut answers = Vec::new();
        let action = "dynamodb:ListContributorInsights";
        let request = || client.list_contributor_insights().max_results(100);
        pages!(self, action, request(), |answer, body| {
            let summaries = body["ContributorInsightsSummaries"].as_array();
            let of_tables = summaries.into_iter().flatten().filter(|one| {
                let name = one["TableName"].as_str().unwrap_or_default();
                described.tables.contains_key(Arn::of(name).table())
            });
            let of_tables: Vec<&Value> = of_tables.collect();
            answers.push(json!({ "ContributorInsightsSummaries": of_tables }));
        });
        described.others.insert("contributor-insights", answers);
        Ok(())
    }

    /// Targets, policies and schedules of auto scaling.
    async fn scaling(&mut self, described: &mut DescribedRegion) -> Result<(), RegionError> {
        if !described.descriptions().any(is_provisioned) {
            return Ok(());
        }
        let client = aws_sdk_applicationautoscaling::Client::new(self.config);
        let mut answers = Vec::new();
        macro_rules! all {
            ($operation:ident, $action:literal) => {
                let request = || {
                    client
                        .$operation()
                        .service_namespace(ServiceNamespace::Dynamodb)
                };
                pages!(self, $action, request(), |answer, body| {
                    answers.push(of_tables(body, described));
                });
            };
        }
        all!(
            describe_scalable_targets,
            "application-autoscaling:DescribeScalableTargets"
        );
        all!(
            describe_scaling_policies,
            "application-autoscaling:DescribeScalingPolicies"
        );
        all!(
            describe_scheduled_actions,
            "application-autoscaling:DescribeScheduledActions"
        );
        described.others.insert("auto-scaling", answers);
        Ok(())
    }

    async fn clusters(&mut self, described: &mut DescribedRegion) -> Result<(), RegionError> {
        let client = aws_sdk_dax::Client::new(self.config);
        let mut answers = Vec::new();
        let action = "dax:DescribeClusters";
        pages!(self, action, client.describe_clusters(), |answer, body| {
            let is_empty = body["Clusters"].as_array().is_none_or(Vec::is_empty);
            answers.extend((!is_empty).then_some(body));
        });
        described.others.insert("dax", answers);
        Ok(())
    }

    /// The plans of AWS Backup with what they select.
    async fn plans(&mut self, described: &mut DescribedRegion) -> Result<(), RegionError> {
        let client = aws_sdk_backup::Client::new(self.config);
        let mut answers = Vec::new();
        let mut ids = Vec::new();
        let action = "backup:ListBackupPlans";
        pages!(self, action, client.list_backup_plans(), |answer, _body| {
            let plans = answer.backup_plans_list().iter();
            ids.extend(plans.filter_map(|plan| plan.backup_plan_id().map(str::to_string)));
        });
        for id in ids {
            match call!(client.get_backup_plan().backup_plan_id(&id)) {
                Ok((_, body)) => answers.push(body),
                Err(failure) => self.gap("backup:GetBackupPlan", None, failure)?,
            }
            answers.extend(self.selections(&client, &id).await?);
        }
        if answers.iter().any(is_by_tags) {
            self.tags(described).await?;
        }
        described.others.insert("backup-plans", answers);
        Ok(())
    }

    /// What a plan selects.
    async fn selections(
        &mut self,
        client: &aws_sdk_backup::Client,
        plan: &str,
    ) -> Result<Vec<Value>, RegionError> {
        let mut answers = Vec::new();
        let mut ids = Vec::new();
        let action = "backup:ListBackupSelections";
        let request = || client.list_backup_selections().backup_plan_id(plan);
        pages!(self, action, request(), |answer, _body| {
            let all = answer.backup_selections_list().iter();
            ids.extend(all.filter_map(|one| one.selection_id().map(str::to_string)));
        });
        for id in ids {
            let request = client.get_backup_selection().backup_plan_id(plan);
            match call!(request.selection_id(&id)) {
                Ok((_, body)) => answers.push(body),
                Err(failure) => self.gap("backup:GetBackupSelection", None, failure)?,
            }
        }
        Ok(answers)
    }

    /// The tags of every table, by which a plan selects.
    async fn tags(&mut self, described: &mut DescribedRegion) -> Result<(), RegionError> {
        let client = aws_sdk_dynamodb::Client::new(self.config);
        let total = described.tables.len();
        let mut done = 0;
        for (name, answers) in &mut described.tables {
            done += 1;
            self.tell("tags", done, total);
            let arn = answers
                .iter()
                .find_map(|answer| answer["Table"]["TableArn"].as_str());
            let Some(arn) = arn.map(str::to_string) else {
                continue;
            };
            match call!(client.list_tags_of_resource().resource_arn(arn)) {
                Ok((_, body)) => answers.push(body),
                Err(failure) => self.gap("dynamodb:ListTagsOfResource", Some(name), failure)?,
            }
        }
        Ok(())
    }
}

/// Whether a selection needs the tags of tables.
fn is_by_tags(answer: &Value) -> bool {
    let selection = &answer["BackupSelection"];
    selection["ListOfTags"]
        .as_array()
        .is_some_and(|tags| !tags.is_empty())
}

/// Leaves out of an answer of auto scaling what is about tables that were not asked for.
fn of_tables(mut body: Value, described: &DescribedRegion) -> Value {
    for key in ["ScalableTargets", "ScalingPolicies", "ScheduledActions"] {
        if let Some(list) = body.get_mut(key).and_then(Value::as_array_mut) {
            list.retain(|one| {
                let resource = one["ResourceId"].as_str().unwrap_or_default();
                let name = resource.strip_prefix("table/").unwrap_or(resource);
                let name = name.split_once('/').map_or(name, |(name, _)| name);
                described.tables.contains_key(name)
            });
        }
    }
    body
}

const DESCRIBE: &str = "dynamodb:DescribeTable";

async fn describe_table(client: aws_sdk_dynamodb::Client, name: String) -> TableAnswers {
    let mut table = TableAnswers {
        name,
        answers: Vec::new(),
        failures: Vec::new(),
    };
    match call!(client.describe_table().table_name(&table.name)) {
        Ok((_, body)) => table.answers.push(body),
        Err(failure) => {
            table.failures.push((DESCRIBE, failure));
            return table;
        }
    }
    macro_rules! ask {
        ($operation:ident, $action:literal) => {
            match call!(client.$operation().table_name(&table.name)) {
                Ok((_, body)) => table.answers.push(body),
                Err(Failure::Gone) => {
                    table.answers.clear();
                    table.failures.push((DESCRIBE, Failure::Gone));
                    return table;
                }
                Err(failure) => table.failures.push(($action, failure)),
            }
        };
    }
    ask!(
        describe_continuous_backups,
        "dynamodb:DescribeContinuousBackups"
    );
    ask!(describe_time_to_live, "dynamodb:DescribeTimeToLive");
    ask!(
        describe_kinesis_streaming_destination,
        "dynamodb:DescribeKinesisStreamingDestination"
    );
    table
}
