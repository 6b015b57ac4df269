//! `import account`: the tables of an account, from a server on this machine that answers as AWS
//! does, and from the folder in which its answers were kept.

use crate::support;
use crate::support::server::{Server, run_at};
use crate::support::stub::{Answer, Call, Stub};

use std::path::Path;

use serde_json::{Value, json};

/// Runs the command with credentials, as a user who has them.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    run_at(folder, None, arguments)
}

/// A table as DescribeTable answers.
fn table(region: &str, name: &str, more: Value) -> Value {
    let mut table = json!({
        "TableName": name,
        "TableArn": format!("arn:aws:dynamodb:{region}:123456789012:table/{name}"),
        "TableStatus": "ACTIVE",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "ItemCount": 1000,
        "TableSizeBytes": 2_000_000,
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
    });
    for (key, value) in more.as_object().expect("members") {
        table[key] = value.clone();
    }
    json!({ "Table": table })
}

fn orders(region: &str) -> Value {
    table(
        region,
        "Orders",
        json!({
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "customer", "AttributeType": "S"},
            ],
            "GlobalSecondaryIndexes": [{
                "IndexName": "by-customer",
                "KeySchema": [{"AttributeName": "customer", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
                "ItemCount": 500,
                "IndexSizeBytes": 20_000,
            }],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
            "WarmThroughput": {"ReadUnitsPerSecond": 40000, "WriteUnitsPerSecond": 4000},
            "Replicas": [
                {"RegionName": "eu-west-1", "ReplicaStatus": "ACTIVE"},
                {"RegionName": "us-east-1", "ReplicaStatus": "ACTIVE"},
            ],
        }),
    )
}

fn carts(region: &str) -> Value {
    table(
        region,
        "Carts",
        json!({
            "BillingModeSummary": {"BillingMode": "PROVISIONED"},
            "ProvisionedThroughput": {"ReadCapacityUnits": 20, "WriteCapacityUnits": 10},
        }),
    )
}

fn denied(call: &Call) -> Answer {
    let message = format!("User: me is not authorized to perform: {}", call.action);
    Err(("AccessDeniedException", message))
}

/// The units of each minute of a metric.
fn value_of(table: &str, index: Option<&str>, metric: &str, minute: i64) -> Option<f64> {
    let hour = minute / 60 % 24;
    match (table, index, metric) {
        ("Orders", None, "ConsumedReadCapacityUnits") => Some(if hour < 8 { 60.0 } else { 150.5 }),
        ("Orders", None, "ConsumedWriteCapacityUnits") => Some(120.0),
        ("Orders", Some(_), "ConsumedReadCapacityUnits") => Some(6.0),
        ("Orders", Some(_), "ConsumedWriteCapacityUnits") => Some(30.0),
        ("Orders", None, "TimeToLiveDeletedItemCount") => (minute % 60 == 0).then_some(10.0),
        ("Orders", None, "ReturnedItemCount") => Some(12.0),
        ("Carts", None, "ConsumedReadCapacityUnits") => (hour == 9).then_some(600.0),
        ("Carts", None, "ProvisionedReadCapacityUnits") => {
            (minute % 5 == 0).then_some(if hour == 9 { 40.0 } else { 20.0 })
        }
        ("Carts", None, "ReadThrottleEvents") => (minute % 1440 == 600).then_some(3.0),
        _ => None,
    }
}

/// Answers GetMetricData in two pages: the first half of the time, and the second.
fn metrics(call: &Call, value_of: impl Fn(&str, Option<&str>, &str, i64) -> Option<f64>) -> Value {
    let second = |key: &str| call.body[key].as_f64().expect("a time") as i64;
    let (from, to) = (second("StartTime") / 60, second("EndTime") / 60);
    let half = i64::midpoint(from, to);
    let (from, to, next) = match call.body["NextToken"].as_str() {
        None => (from, half, Some("second")),
        Some(_) => (half, to, None),
    };
    let queries = call.body["MetricDataQueries"].as_array().expect("queries");
    let result = |query: &Value| {
        let stat = &query["MetricStat"];
        let dimensions = stat["Metric"]["Dimensions"].as_array().expect("dimensions");
        let dimension = |name: &str| {
            let mut all = dimensions.iter();
            all.find(|one| one["Name"] == name)?["Value"].as_str()
        };
        let name = stat["Metric"]["MetricName"].as_str().expect("a name");
        let (table, index) = (
            dimension("TableName"),
            dimension("GlobalSecondaryIndexName"),
        );
        let at = |minute: &i64| value_of(table.expect("a table"), index, name, *minute);
        let minutes: Vec<i64> = (from..to).filter(|minute| at(minute).is_some()).collect();
        json!({
            "Id": query["Id"],
            "Label": query["Label"],
            "Timestamps": minutes.iter().map(|minute| minute * 60).collect::<Vec<_>>(),
            "Values": minutes.iter().filter_map(at).collect::<Vec<_>>(),
            "StatusCode": if next.is_some() { "PartialData" } else { "Complete" },
        })
    };
    let mut answer = json!({ "MetricDataResults": queries.iter().map(result).collect::<Vec<_>>() });
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    answer
}

/// A shop in two regions.
fn shop(call: &Call) -> Answer {
    let is_home = call.region == "eu-west-1";
    let name = call.body["TableName"].as_str().unwrap_or_default();
    Ok(match call.action.as_str() {
        "ListTables" => match (is_home, call.body["ExclusiveStartTableName"].as_str()) {
            (true, None) => {
                json!({ "TableNames": ["Carts", "Gone"], "LastEvaluatedTableName": "Gone" })
            }
            _ => json!({ "TableNames": ["Orders"] }),
        },
        "DescribeTable" => match name {
            "Orders" => orders(&call.region),
            "Carts" => carts(&call.region),
            _ => return Err(("ResourceNotFoundException", "no such table".to_string())),
        },
        "DescribeContinuousBackups" => {
            let status = if name == "Orders" {
                "ENABLED"
            } else {
                "DISABLED"
            };
            json!({ "ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": status },
            }})
        }
        "ListContributorInsights" => json!({ "ContributorInsightsSummaries": [
            { "TableName": "Carts", "ContributorInsightsStatus": "ENABLED" },
            { "TableName": "Other", "ContributorInsightsStatus": "ENABLED" },
        ]}),
        "DescribeTimeToLive" => {
            let status = if name == "Orders" {
                "ENABLED"
            } else {
                "DISABLED"
            };
            json!({ "TimeToLiveDescription": {
                "TimeToLiveStatus": status, "AttributeName": "expires",
            }})
        }
        "DescribeKinesisStreamingDestination" => {
            let streams = match name {
                "Orders" => json!([{ "StreamArn": "arn", "DestinationStatus": "ACTIVE" }]),
                _ => json!([]),
            };
            json!({ "TableName": name, "KinesisDataStreamDestinations": streams })
        }
        "DescribeScalableTargets" => json!({ "ScalableTargets": [{
            "ServiceNamespace": "dynamodb",
            "ResourceId": "table/Carts",
            "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
            "MinCapacity": 20,
            "MaxCapacity": 40,
            "RoleARN": "arn:aws:iam::123456789012:role/scaling",
            "CreationTime": 1_700_000_000.5,
        }]}),
        "DescribeScalingPolicies" => json!({ "ScalingPolicies": [{
            "PolicyARN": "arn",
            "PolicyName": "follow",
            "ServiceNamespace": "dynamodb",
            "ResourceId": "table/Carts",
            "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": { "TargetValue": 70.0 },
            "CreationTime": 1_700_000_000.5,
        }]}),
        "DescribeScheduledActions" => json!({ "ScheduledActions": [] }),
        "DescribeClusters" => match is_home {
            true => json!({ "Clusters": [{
                "ClusterName": "cache",
                "ClusterArn": "arn:aws:dax:eu-west-1:123456789012:cache/cache",
                "NodeType": "dax.r5.large",
                "TotalNodes": 3,
            }]}),
            false => json!({ "Clusters": [] }),
        },
        "ListTagsOfResource" => match call.body["ResourceArn"].as_str() {
            Some(arn) if arn.ends_with("Orders") => {
                json!({ "Tags": [{ "Key": "backup", "Value": "daily" }] })
            }
            _ => json!({ "Tags": [] }),
        },
        "GET /backup/plans" | "GET /backup/plans/" => match is_home {
            true => json!({ "BackupPlansList": [{ "BackupPlanId": "plan-1" }] }),
            false => json!({ "BackupPlansList": [] }),
        },
        "GET /backup/plans/plan-1" | "GET /backup/plans/plan-1/" => json!({
            "BackupPlanId": "plan-1",
            "BackupPlan": { "BackupPlanName": "daily", "Rules": [{
                "RuleName": "every-day",
                "TargetBackupVaultName": "vault",
                "ScheduleExpression": "cron(0 5 ? * * *)",
                "Lifecycle": { "DeleteAfterDays": 35 },
            }]},
        }),
        "GET /backup/plans/plan-1/selections" | "GET /backup/plans/plan-1/selections/" => {
            json!({ "BackupSelectionsList": [{ "SelectionId": "s1" }] })
        }
        "GET /backup/plans/plan-1/selections/s1" => json!({
            "BackupPlanId": "plan-1",
            "SelectionId": "s1",
            "BackupSelection": {
                "SelectionName": "tagged",
                "IamRoleArn": "arn:aws:iam::123456789012:role/backup",
                "ListOfTags": [{
                    "ConditionType": "STRINGEQUALS",
                    "ConditionKey": "backup",
                    "ConditionValue": "daily",
                }],
            },
        }),
        "GetMetricData" => metrics(call, |table, index, metric, minute| {
            value_of(table, index, metric, minute).map(|value| match is_home {
                true => value,
                false => value / 2.0,
            })
        }),
        other => panic!("an unexpected call: {other}"),
    })
}

/// A text without the moment at which the account was asked.
fn without_now(text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    for line in &mut lines {
        if let Some((start, _)) = line.split_once(", as of ") {
            *line = format!("{start}, as of NOW");
        }
        if line.starts_with("# Metrics of CloudWatch from") {
            *line = "# Metrics of CloudWatch".to_string();
        }
        if let Some((start, _)) = line.split_once(" per second, at ") {
            *line = format!("{start} per second, at SOME TIME");
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn an_account_becomes_workload_files_and_the_same_without_the_account() {
    let folder = tempfile::tempdir().expect("a folder");
    let stub = Stub::start(shop);
    let asked = [
        "import",
        "account",
        "--region",
        "eu-west-1",
        "--region",
        "us-east-1",
    ];
    let mut arguments = asked.to_vec();
    arguments.extend([
        "--endpoint-url",
        &stub.url,
        "--raw",
        "raw",
        "-o",
        "fleet.toml",
    ]);
    let (code, _, stderr) = run(folder.path(), &arguments);
    assert_eq!(code, 0, "{stderr}");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect(name);
    let (home, other) = (read("fleet-eu-west-1.toml"), read("fleet-us-east-1.toml"));
    let golden = support::root().join("tests/golden/account/fleet-eu-west-1.toml");
    let differs = support::golden(&golden, &without_now(&home));
    assert!(differs.is_none(), "{}", differs.unwrap_or_default());
    // The replica is described with its table, once.
    assert!(!other.contains("name          = \"Orders\""), "{other}");
    assert!(other.contains("Orders is a replica of the global table in the file of eu-west-1"));

    let (code, _, stderr) = run(
        folder.path(),
        &["import", "account", "raw", "-o", "kept.toml"],
    );
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(read("kept-eu-west-1.toml"), home);
    assert_eq!(read("kept-us-east-1.toml"), other);

    let (code, stdout, stderr) = run(folder.path(), &["estimate", "fleet-eu-west-1.toml"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("Orders"), "{stdout}");
}

#[test]
fn what_the_credentials_may_not_read_is_said_and_the_rest_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    for (action, iam) in [
        (
            "DescribeContinuousBackups",
            "dynamodb:DescribeContinuousBackups",
        ),
        (
            "ListContributorInsights",
            "dynamodb:ListContributorInsights",
        ),
        (
            "DescribeScalableTargets",
            "application-autoscaling:DescribeScalableTargets",
        ),
        ("DescribeClusters", "dax:DescribeClusters"),
        ("GET /backup/plans/", "backup:ListBackupPlans"),
        ("ListTagsOfResource", "dynamodb:ListTagsOfResource"),
        ("GetMetricData", "cloudwatch:GetMetricData"),
    ] {
        let stub = Stub::start(move |call| match call.action.as_str() {
            own if own.trim_end_matches('/') == action.trim_end_matches('/') => denied(call),
            _ => shop(call),
        });
        let (code, stdout, stderr) = run(
            folder.path(),
            &[
                "import",
                "account",
                "--region",
                "eu-west-1",
                "--endpoint-url",
                &stub.url,
            ],
        );
        assert_eq!(code, 0, "{action}: {stderr}");
        let note = format!("{iam}: the credentials do not allow this action");
        assert!(stdout.contains(&note), "{action}: {stdout}");
        assert!(stderr.contains(&note), "{action}: {stderr}");
        assert!(stdout.contains("= \"Carts\""), "{action}: {stdout}");
    }
}

#[test]
fn without_an_answer_nothing_is_written_and_the_way_on_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    type Case = (&'static str, &'static [&'static str], fn(&Call) -> Answer);
    let cases: [Case; 5] = [
        (
            "get new ones, for example with: aws sso login",
            &["--region", "eu-west-1"],
            |_| {
                Err((
                    "ExpiredTokenException",
                    "The security token is expired".to_string(),
                ))
            },
        ),
        (
            "the region is not enabled for this account",
            &["--region", "me-south-1"],
            |_| {
                Err((
                    "UnrecognizedClientException",
                    "The token is invalid".to_string(),
                ))
            },
        ),
        ("dynamodb:ListTables", &["--region", "eu-west-1"], denied),
        ("no region is named", &[], |_| {
            panic!("a call without a region")
        }),
        (
            "name a table, or a pattern such as prod-*",
            &["--region", "eu-west-1", "--table", "a[*"],
            |_| panic!("a call with a wrong pattern"),
        ),
    ];
    for (expected, options, answer) in cases {
        let stub = Stub::start(answer);
        let mut arguments = vec!["import", "account", "--raw", "raw", "-o", "fleet.toml"];
        arguments.extend(options);
        arguments.extend(["--endpoint-url", &stub.url]);
        let (code, _, stderr) = run(folder.path(), &arguments);
        assert_eq!(code, 2, "{expected}: {stderr}");
        assert!(stderr.contains(expected), "{expected}: {stderr}");
        let left: Vec<_> = std::fs::read_dir(folder.path())
            .expect("the folder")
            .collect();
        assert!(left.is_empty(), "{expected}: {left:?}");
    }
}

#[test]
fn a_region_that_is_off_does_not_hide_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let stub = Stub::start(|call| match call.region.as_str() {
        "me-south-1" => Err((
            "UnrecognizedClientException",
            "The token is invalid".to_string(),
        )),
        _ => shop(call),
    });
    let asked = [
        "import",
        "account",
        "--region",
        "me-south-1",
        "--region",
        "eu-west-1",
    ];
    let mut arguments = asked.to_vec();
    arguments.extend(["--endpoint-url", &stub.url]);
    let (code, stdout, stderr) = run(folder.path(), &arguments);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains("me-south-1: AWS refuses the credentials"),
        "{stderr}"
    );
    assert!(stdout.contains("region = \"eu-west-1\""), "{stdout}");
}

#[test]
fn a_throttled_call_is_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let stub = Stub::start(|call| match (call.action.as_str(), call.before) {
        ("ListTables" | "GetMetricData" | "DescribeScalableTargets", 0) => {
            Err(("ThrottlingException", "Rate exceeded".to_string()))
        }
        _ => shop(call),
    });
    let (code, stdout, stderr) = run(
        folder.path(),
        &[
            "import",
            "account",
            "--region",
            "eu-west-1",
            "--endpoint-url",
            &stub.url,
        ],
    );
    assert_eq!(code, 0, "{stderr}");
    assert!(!stdout.contains("Not known: "), "{stdout}");
    assert_eq!(stub.calls()["ListTables"], 3);
}

/// The actions that the policy of the documentation allows.
fn policy() -> Vec<String> {
    let page = std::fs::read_to_string(support::root().join("docs/account.md")).expect("the page");
    let (_, rest) = page.split_once("```json\n").expect("a policy");
    let (text, _) = rest.split_once("```").expect("its end");
    let policy: Value = serde_json::from_str(text).expect("JSON");
    let actions = policy["Statement"][0]["Action"]
        .as_array()
        .expect("actions");
    actions
        .iter()
        .map(|one| one.as_str().expect("a text").to_string())
        .collect()
}

#[test]
fn the_policy_of_the_documentation_is_enough_and_no_more_than_that() {
    let folder = tempfile::tempdir().expect("a folder");
    let stub = Stub::start(shop);
    let asked = [
        "import",
        "account",
        "--region",
        "eu-west-1",
        "--endpoint-url",
        &stub.url,
    ];
    let (code, _, stderr) = run(folder.path(), &asked);
    assert_eq!(code, 0, "{stderr}");
    let of_backup = |path: &str| match path.trim_matches('/').split('/').count() {
        2 => "ListBackupPlans",
        3 => "GetBackupPlan",
        4 => "ListBackupSelections",
        _ => "GetBackupSelection",
    };
    let action = |call: &String| match call.strip_prefix("GET ") {
        Some(path) => of_backup(path).to_string(),
        None => call.clone(),
    };
    let mut made: Vec<String> = stub.calls().keys().map(action).collect();
    let plain = |action: &String| action.split(':').nth(1).unwrap_or_default().to_string();
    let mut allowed: Vec<String> = policy().iter().map(plain).collect();
    made.sort();
    allowed.sort();
    assert_eq!(made, allowed);
}

/// A large account: its tables have two indexes each.
fn large(tables: usize) -> impl Fn(&Call) -> Answer {
    let name = |at: usize| format!("table-{at:04}");
    move |call| {
        Ok(match call.action.as_str() {
            "ListTables" => {
                let start = call.body["ExclusiveStartTableName"].as_str();
                let start =
                    start.map_or(0, |last| last[6..].parse::<usize>().expect("a number") + 1);
                let names: Vec<String> = (start..tables.min(start + 100)).map(name).collect();
                match start + 100 < tables {
                    true => json!({ "TableNames": names, "LastEvaluatedTableName": names[99] }),
                    false => json!({ "TableNames": names }),
                }
            }
            "DescribeTable" => {
                let index = |name: &str| {
                    json!({
                        "IndexName": name,
                        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
                        "Projection": { "ProjectionType": "ALL" },
                    })
                };
                let indexes = json!([index("one"), index("two")]);
                let name = call.body["TableName"].as_str().expect("a name");
                table(
                    "eu-west-1",
                    name,
                    json!({ "GlobalSecondaryIndexes": indexes }),
                )
            }
            "GetMetricData" => metrics(call, |_, _, metric, minute| {
                let is_consumed =
                    metric.starts_with("Consumed") && metric.ends_with("CapacityUnits");
                (is_consumed && minute % 60 == 0).then_some(30.0)
            }),
            _ => return shop(call),
        })
    }
}

#[test]
fn a_large_account_takes_few_calls() {
    let folder = tempfile::tempdir().expect("a folder");
    let stub = Stub::start(large(200));
    let asked = [
        "import",
        "account",
        "--region",
        "eu-west-1",
        "--days",
        "1",
        "-o",
        "fleet.toml",
    ];
    let mut arguments = asked.to_vec();
    arguments.extend(["--endpoint-url", &stub.url]);
    let (code, _, stderr) = run(folder.path(), &arguments);
    assert_eq!(code, 0, "{stderr}");
    let text = std::fs::read_to_string(folder.path().join("fleet.toml")).expect("the file");
    assert_eq!(text.matches("[[table]]").count(), 200);
    assert_eq!(text.matches("{ per_hour = 30 }").count(), 200 * 3 * 2);
    let calls = stub.calls();
    // Of each table, what AWS tells of one table only; its tags, since a plan selects by them.
    let of_tables = [
        "DescribeTable",
        "DescribeContinuousBackups",
        "DescribeTimeToLive",
        "DescribeKinesisStreamingDestination",
        "ListTagsOfResource",
    ];
    let others = calls
        .iter()
        .filter(|(action, _)| !of_tables.contains(&action.as_str()));
    let others: usize = others.map(|(_, count)| count).sum();
    assert!(others <= 60, "{calls:?}");
    for action in of_tables {
        assert_eq!(calls[action], 200);
    }
}

#[test]
fn an_existing_file_keeps_what_was_edited() {
    let folder = tempfile::tempdir().expect("a folder");
    let stub = Stub::start(shop);
    let own = "# Mine.\nname = \"Shop\"\nregion = \"eu-west-1\"\n\n[[table]]\nname = \"Carts\"  # by hand\n\
               items = 7\nitem = { size = \"1 KB\" }\npartition_key = { name = \"pk\", type = \"S\" }\n\n\
               [table.capacity]\nmode = \"provisioned\"\nread = 50\nwrite = \"unknown\"\n\n\
               [[table.consumed]]\nread = \"unknown\"\nwrite = { per_second = 1 }\n";
    std::fs::write(folder.path().join("my.toml"), own).expect("a file");
    let asked = [
        "import",
        "account",
        "--region",
        "eu-west-1",
        "--into",
        "my.toml",
    ];
    let mut arguments = asked.to_vec();
    arguments.extend(["--endpoint-url", &stub.url]);
    let (code, _, stderr) = run(folder.path(), &arguments);
    assert_eq!(code, 0, "{stderr}");
    let text = std::fs::read_to_string(folder.path().join("my.toml")).expect("the file");
    for kept in [
        "# Mine.",
        "name = \"Carts\"  # by hand",
        "items = 7\n",
        "read = 50\n",
    ] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
    assert!(text.contains("write = 10"), "{text}");
    assert!(text.contains("name          = \"Orders\""), "{text}");
    assert!(
        stderr.contains("Carts.items: 7 stays; the other file says 1000"),
        "{stderr}"
    );
    let (code, _, stderr) = run(folder.path(), &["estimate", "my.toml"]);
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn drift_between_an_account_and_a_file_is_told_in_dollars() {
    let folder = tempfile::tempdir().expect("a folder");
    let stub = Stub::start(shop);
    let own = "name = \"Shop\"\nregion = \"eu-west-1\"\nprices = \"2024-11-01\"\n\n[[table]]\nname = \
               \"Carts\"\nitem = { size = \"1 KB\" }\npartition_key = { name = \"pk\", type = \"S\" \
               }\n\n[table.capacity]\nmode = \"provisioned\"\nread = 20\nwrite = 5\n\n[[table]]\nname = \
               \"Missing\"\nitems = 5\nitem = { size = \"1 KB\" }\npartition_key = { name = \"pk\" }\n";
    std::fs::write(folder.path().join("my.toml"), own).expect("a file");
    let asked = [
        "diff",
        "my.toml",
        "--diff-account",
        "--raw",
        "raw",
        "--endpoint-url",
        &stub.url,
    ];
    let (code, stdout, stderr) = run(folder.path(), &asked);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains("note: the account does not have Missing"),
        "{stderr}"
    );
    let golden = support::root().join("tests/golden/account/drift.txt");
    let differs = support::golden(&golden, &stdout);
    assert!(differs.is_none(), "{}", differs.unwrap_or_default());
    // Only the tables of the file were asked for.
    assert_eq!(stub.calls()["DescribeTable"], 2);

    let (code, kept, stderr) = run(folder.path(), &["diff", "my.toml", "--diff-account=raw"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(kept, stdout);
    let (code, _, stderr) = run(
        folder.path(),
        &[
            "diff",
            "my.toml",
            "--diff-account=raw",
            "--region",
            "us-east-1",
        ],
    );
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains("has no answers about us-east-1"),
        "{stderr}"
    );
}

#[test]
fn another_server_answers_as_aws_does_too() {
    let Some(moto) = Server::moto("another_server_answers_as_aws_does_too") else {
        return;
    };
    moto.script("tests/account/moto.py", &[]);
    let folder = tempfile::tempdir().expect("a folder");
    let asked = [
        "import",
        "account",
        "--region",
        "eu-west-1",
        "--endpoint-url",
        &moto.url,
    ];
    let (code, stdout, stderr) = run(folder.path(), &asked);
    assert_eq!(code, 0, "{stderr}");
    for expected in [
        "read  = { min = 5, max = 50, target = 0.7 }",
        "pitr = true",
        "node_type = \"dax.r5.large\"",
        "view    = \"new-image\"",
        // moto does not speak CBOR.
        "cloudwatch:GetMetricData",
    ] {
        assert!(stdout.contains(expected), "{expected}: {stdout}");
    }
}

#[test]
fn inputs_are_read_from_s3() {
    let Some(moto) = Server::moto("inputs_are_read_from_s3") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let workload = support::root().join("workloads/iot.toml");
    std::fs::write(
        folder.path().join("upload.py"),
        "import sys, boto3\n\
         s3 = boto3.client('s3', endpoint_url=sys.argv[1], region_name='eu-west-1',\n\
         \x20   aws_access_key_id='id', aws_secret_access_key='secret')\n\
         s3.create_bucket(Bucket='shop', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})\n\
         s3.upload_file(sys.argv[2], 'shop', 'designs/iot.toml')\n\
         s3.upload_file(sys.argv[2], 'shop', 'designs/wrong.txt')\n\
         for n in range(2):\n\
         \x20   line = '{\"time\": \"2026-11-01T00:00:0%dZ\", \"operation\": \"GetItem\", \"table\": \"Readings\", \"key\": \"a\", \"item_bytes\": 100}\\n' % n\n\
         \x20   s3.put_object(Bucket='shop', Key='logs/2026/%d.ndjson' % n, Body=line.encode())\n",
    )
    .expect("a script");
    let script = folder.path().join("upload.py");
    moto.script(
        script.to_str().expect("UTF-8"),
        &[workload.to_str().expect("UTF-8")],
    );
    let url = &moto.url;

    let at = |arguments: &[&str]| run_at(folder.path(), Some(url), arguments);
    let (code, stdout, stderr) = at(&["estimate", "s3://shop/designs/iot.toml"]);
    assert_eq!(code, 0, "{stderr}");
    let local = workload.to_str().expect("UTF-8");
    assert_eq!(stdout, at(&["estimate", local]).1);

    for logs in [
        "s3://shop/logs/",
        "s3://shop/logs",
        "s3://shop/logs/*/*.ndjson",
    ] {
        let (code, stdout, stderr) = at(&["replay", logs, "--inspect"]);
        assert_eq!(code, 0, "{logs}: {stderr}");
        assert!(
            stdout.contains("s3://shop/logs/2026/0.ndjson"),
            "{logs}: {stdout}"
        );
        assert!(
            stdout.contains("s3://shop/logs/2026/1.ndjson"),
            "{logs}: {stdout}"
        );
    }

    // Messages name the address.
    let (code, _, stderr) = at(&[
        "estimate",
        "s3://shop/designs/wrong.txt",
        "--region",
        "mars",
    ]);
    assert_eq!(code, 2, "{stderr}");
    assert!(!stderr.contains("/tmp"), "{stderr}");
    for (address, expected) in [
        ("s3://shop/none.toml", "there is no such object"),
        ("s3://none/none.toml", "there is no such bucket"),
        ("s3://", "is not an address of Amazon S3"),
    ] {
        let (code, _, stderr) = at(&["estimate", address]);
        assert_eq!(code, 2, "{address}: {stderr}");
        assert!(stderr.contains(expected), "{address}: {stderr}");
    }
    let (code, _, stderr) = at(&["import", "export", "s3://shop/logs"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("aws s3 cp --recursive"), "{stderr}");
}

#[test]
fn a_sample_tells_sizes_and_entities() {
    let folder = tempfile::tempdir().expect("a folder");
    let stub = Stub::start(|call| {
        Ok(match call.action.as_str() {
            "ListTables" => json!({ "TableNames": ["Carts", "Orders"] }),
            "DescribeTable" if call.body["TableName"] == "Orders" => table(
                "eu-west-1",
                "Orders",
                json!({
                    "KeySchema": [
                        {"AttributeName": "pk", "KeyType": "HASH"},
                        {"AttributeName": "sk", "KeyType": "RANGE"},
                    ],
                    "GlobalSecondaryIndexes": [{
                        "IndexName": "open",
                        "KeySchema": [{"AttributeName": "status", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "KEYS_ONLY"},
                    }],
                }),
            ),
            "Scan" => {
                // A thousand items, of which ten are wanted: one in each of ten places.
                assert_eq!(call.body["TotalSegments"], 1000);
                let segment = call.body["Segment"].as_u64().expect("a segment") as usize;
                assert_eq!(segment % 100, 0);
                let is_orders = call.body["TableName"] == "Orders";
                let limit = call.body["Limit"].as_u64().expect("a limit") as usize;
                let item = |at: usize| match (is_orders, at % 2) {
                    (false, _) => json!({ "pk": { "S": format!("{at:03}") } }),
                    (true, 0) => json!({
                        "pk": { "S": format!("USER#{at}") }, "sk": { "S": "PROFILE" },
                        "name": { "S": "x".repeat(100) },
                    }),
                    _ => json!({
                        "pk": { "S": format!("USER#{at}") }, "sk": { "S": "ORDER#1" },
                        "status": { "S": "open" },
                    }),
                };
                assert_eq!(limit, 1);
                json!({ "Items": [item(segment / 100)] })
            }
            _ => return shop(call),
        })
    });
    let asked = [
        "import",
        "account",
        "--region",
        "eu-west-1",
        "--from-sample",
        "10",
    ];
    let mut arguments = asked.to_vec();
    arguments.extend([
        "--endpoint-url",
        &stub.url,
        "--raw",
        "raw",
        "-o",
        "fleet.toml",
    ]);
    let (code, _, stderr) = run(folder.path(), &arguments);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains("eu-west-1: reads 20 items of 2 tables: about $"),
        "{stderr}"
    );
    let text = std::fs::read_to_string(folder.path().join("fleet.toml")).expect("the file");
    let golden = support::root().join("tests/golden/account/sample.toml");
    let differs = support::golden(&golden, &without_now(&text));
    assert!(differs.is_none(), "{}", differs.unwrap_or_default());
    // No value of an item is kept.
    let kept = std::fs::read_to_string(folder.path().join("raw/eu-west-1/tables/Orders.json"));
    assert!(!kept.expect("the answers").contains("xxxx"));
    let (code, stdout, stderr) = run(folder.path(), &["import", "account", "raw"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(stdout, text);
    let (code, _, stderr) = run(folder.path(), &["estimate", "fleet.toml"]);
    assert_eq!(code, 0, "{stderr}");
}
