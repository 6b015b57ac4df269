//! Every property that costs, of every resource that is read: removed, changed and made unknown, it
//! moves the figure or makes it unknown. A property that leaves the bill as it is would pass a gate
//! unread.

use crate::support::{self, run_in};

use serde_json::{Value, json};

/// A property by its JSON pointer, and another value for it.
struct Property {
    pointer: &'static str,
    other: Value,
    /// Whether it must be there: without it the file is refused, or AWS's default is the same value.
    is_optional: bool,
}

fn property(pointer: &'static str, other: impl Into<Value>) -> Property {
    Property {
        pointer,
        other: other.into(),
        is_optional: true,
    }
}

/// A property whose removal leaves the same value, which is AWS's default.
fn with_default(pointer: &'static str, other: impl Into<Value>) -> Property {
    Property {
        is_optional: false,
        ..property(pointer, other)
    }
}

/// A template with every resource that is read.
fn template() -> Value {
    let keys = json!([{ "AttributeName": "pk", "KeyType": "HASH" }]);
    let types = json!([{ "AttributeName": "pk", "AttributeType": "S" }, { "AttributeName": "g", "AttributeType": "S" }]);
    let by_g = json!([{ "AttributeName": "g", "KeyType": "HASH" }]);
    json!({ "Resources": {
        "Provisioned": { "Type": "AWS::DynamoDB::Table", "Properties": {
            "TableName": "provisioned", "AttributeDefinitions": types, "KeySchema": keys,
            "BillingMode": "PROVISIONED", "TableClass": "STANDARD_INFREQUENT_ACCESS",
            "ProvisionedThroughput": { "ReadCapacityUnits": 50, "WriteCapacityUnits": 50 },
            "GlobalSecondaryIndexes": [{
                "IndexName": "by-g", "KeySchema": by_g, "Projection": { "ProjectionType": "ALL" },
                "ProvisionedThroughput": { "ReadCapacityUnits": 20, "WriteCapacityUnits": 20 } }],
            "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true },
            "SSESpecification": { "SSEEnabled": true, "KMSMasterKeyId": "alias/own" },
            "TimeToLiveSpecification": { "AttributeName": "expires", "Enabled": true },
            "StreamSpecification": { "StreamViewType": "NEW_IMAGE" },
            "KinesisStreamSpecification": { "StreamArn": "arn:aws:kinesis:us-east-1:1:stream/s" },
            "ContributorInsightsSpecification": { "Enabled": true },
        } },
        "OnDemand": { "Type": "AWS::DynamoDB::Table", "Properties": {
            "TableName": "on-demand", "AttributeDefinitions": types, "KeySchema": keys,
            "BillingMode": "PAY_PER_REQUEST",
            "OnDemandThroughput": { "MaxReadRequestUnits": 1, "MaxWriteRequestUnits": 1 },
            "WarmThroughput": { "ReadUnitsPerSecond": 20000, "WriteUnitsPerSecond": 20000 },
            "ImportSourceSpecification": { "InputFormat": "CSV", "S3BucketSource": { "S3Bucket": "b" } },
        } },
        "Simple": { "Type": "AWS::Serverless::SimpleTable", "Properties": {
            "TableName": "simple",
            "ProvisionedThroughput": { "ReadCapacityUnits": 7, "WriteCapacityUnits": 7 },
        } },
        "Global": { "Type": "AWS::DynamoDB::GlobalTable", "Properties": {
            "TableName": "global", "AttributeDefinitions": types, "KeySchema": keys,
            "BillingMode": "PROVISIONED",
            "StreamSpecification": { "StreamViewType": "NEW_AND_OLD_IMAGES" },
            "SSESpecification": { "SSEEnabled": true },
            "WriteProvisionedThroughputSettings": { "WriteCapacityAutoScalingSettings": {
                "MinCapacity": 10, "MaxCapacity": 10,
                "TargetTrackingScalingPolicyConfiguration": { "TargetValue": 70 } } },
            "Replicas": [
                { "Region": "us-east-1", "ReadProvisionedThroughputSettings": { "ReadCapacityUnits": 9 },
                  "SSESpecification": { "KMSMasterKeyId": "arn:aws:kms:us-east-1:1:key/a" } },
                { "Region": "eu-west-1", "ReadProvisionedThroughputSettings": { "ReadCapacityUnits": 8 },
                  "TableClass": "STANDARD_INFREQUENT_ACCESS",
                  "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true },
                  "SSESpecification": { "KMSMasterKeyId": "arn:aws:kms:eu-west-1:1:key/b" } },
            ],
        } },
        "Amplify": { "Type": "Custom::AmplifyDynamoDBTable", "Properties": {
            "tableName": "amplify", "attributeDefinitions": [{ "attributeName": "pk", "attributeType": "S" }],
            "keySchema": [{ "attributeName": "pk", "keyType": "HASH" }], "billingMode": "PROVISIONED",
            "provisionedThroughput": { "readCapacityUnits": 6, "writeCapacityUnits": 6 },
        } },
        "Replica": { "Type": "Custom::DynamoDBReplica", "Properties": {
            "TableName": { "Ref": "OnDemand" }, "Region": "eu-west-1" } },
        "Target": { "Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": {
            "ServiceNamespace": "dynamodb", "ResourceId": "table/provisioned",
            "ScalableDimension": "dynamodb:table:WriteCapacityUnits", "MinCapacity": 50, "MaxCapacity": 100,
            "ScheduledActions": [
                { "ScheduledActionName": "day", "Schedule": "cron(0 8 * * ? *)", "Timezone": "Asia/Tokyo",
                  "ScalableTargetAction": { "MinCapacity": 80, "MaxCapacity": 100 } },
                { "ScheduledActionName": "night", "Schedule": "cron(0 9 * * ? *)", "Timezone": "Asia/Tokyo",
                  "ScalableTargetAction": { "MinCapacity": 60, "MaxCapacity": 100 } }] } },
        "Policy": { "Type": "AWS::ApplicationAutoScaling::ScalingPolicy", "Properties": {
            "PolicyName": "p", "PolicyType": "TargetTrackingScaling", "ScalingTargetId": { "Ref": "Target" },
            "TargetTrackingScalingPolicyConfiguration": { "TargetValue": 70,
                "PredefinedMetricSpecification": { "PredefinedMetricType": "DynamoDBWriteCapacityUtilization" } } } },
        "Cluster": { "Type": "AWS::DAX::Cluster", "Properties": {
            "NodeType": "dax.r5.large", "ReplicationFactor": 3, "IAMRoleARN": "arn:aws:iam::1:role/dax" } },
        "Plan": { "Type": "AWS::Backup::BackupPlan", "Properties": { "BackupPlan": {
            "BackupPlanName": "daily", "BackupPlanRule": [{
                "RuleName": "daily", "TargetBackupVault": "v", "ScheduleExpression": "cron(0 5 * * ? *)",
                "Lifecycle": { "MoveToColdStorageAfterDays": 10, "DeleteAfterDays": 365 },
                "CopyActions": [{ "DestinationBackupVaultArn": "arn:aws:backup:eu-west-1:1:backup-vault:v",
                                  "Lifecycle": { "DeleteAfterDays": 30 } }] }] } } },
        "Selection": { "Type": "AWS::Backup::BackupSelection", "Properties": {
            "BackupPlanId": { "Ref": "Plan" },
            "BackupSelection": { "SelectionName": "s", "IamRoleArn": "r", "Resources": [{ "Fn::GetAtt": ["OnDemand", "Arn"] }] } } },
        "Reader": { "Type": "AWS::Lambda::EventSourceMapping", "Properties": {
            "FunctionName": "f", "EventSourceArn": { "Fn::GetAtt": ["Provisioned", "StreamArn"] }, "StartingPosition": "LATEST" } },
        "Nested": { "Type": "AWS::CloudFormation::Stack", "Properties": { "TemplateURL": "https://s3/x.json" } },
    } })
}

/// Every property of the template that costs.
fn properties() -> Vec<Property> {
    vec![
        with_default(
            "/Resources/Provisioned/Properties/BillingMode",
            "PAY_PER_REQUEST",
        ),
        property("/Resources/Provisioned/Properties/TableClass", "STANDARD"),
        property(
            "/Resources/Provisioned/Properties/ProvisionedThroughput",
            json!({ "ReadCapacityUnits": 1, "WriteCapacityUnits": 1 }),
        ),
        property(
            "/Resources/Provisioned/Properties/ProvisionedThroughput/ReadCapacityUnits",
            51,
        ),
        property(
            "/Resources/Provisioned/Properties/GlobalSecondaryIndexes",
            json!([]),
        ),
        property(
            "/Resources/Provisioned/Properties/GlobalSecondaryIndexes/0",
            Value::Null,
        ),
        with_default(
            "/Resources/Provisioned/Properties/GlobalSecondaryIndexes/0/Projection/ProjectionType",
            "KEYS_ONLY",
        ),
        property(
            "/Resources/Provisioned/Properties/GlobalSecondaryIndexes/0/ProvisionedThroughput/ReadCapacityUnits",
            21,
        ),
        property(
            "/Resources/Provisioned/Properties/GlobalSecondaryIndexes/0/ProvisionedThroughput/WriteCapacityUnits",
            21,
        ),
        property(
            "/Resources/Provisioned/Properties/PointInTimeRecoverySpecification",
            json!({ "PointInTimeRecoveryEnabled": false }),
        ),
        property(
            "/Resources/Provisioned/Properties/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled",
            false,
        ),
        property(
            "/Resources/Provisioned/Properties/SSESpecification",
            json!({ "SSEEnabled": false }),
        ),
        property(
            "/Resources/Provisioned/Properties/SSESpecification/SSEEnabled",
            false,
        ),
        property(
            "/Resources/Provisioned/Properties/TimeToLiveSpecification",
            json!({ "AttributeName": "x", "Enabled": false }),
        ),
        property(
            "/Resources/Provisioned/Properties/TimeToLiveSpecification/Enabled",
            false,
        ),
        property(
            "/Resources/Provisioned/Properties/KinesisStreamSpecification",
            Value::Null,
        ),
        property(
            "/Resources/Provisioned/Properties/ContributorInsightsSpecification",
            json!({ "Enabled": false }),
        ),
        property(
            "/Resources/Provisioned/Properties/ContributorInsightsSpecification/Enabled",
            false,
        ),
        property("/Resources/OnDemand/Properties/BillingMode", "PROVISIONED"),
        property(
            "/Resources/OnDemand/Properties/OnDemandThroughput",
            json!({ "MaxReadRequestUnits": 50, "MaxWriteRequestUnits": 50 }),
        ),
        property(
            "/Resources/OnDemand/Properties/OnDemandThroughput/MaxReadRequestUnits",
            50,
        ),
        property(
            "/Resources/OnDemand/Properties/OnDemandThroughput/MaxWriteRequestUnits",
            50,
        ),
        property("/Resources/OnDemand/Properties/WarmThroughput", Value::Null),
        property(
            "/Resources/OnDemand/Properties/ImportSourceSpecification",
            Value::Null,
        ),
        property(
            "/Resources/Simple/Properties/ProvisionedThroughput",
            json!({ "ReadCapacityUnits": 1, "WriteCapacityUnits": 1 }),
        ),
        property(
            "/Resources/Simple/Properties/ProvisionedThroughput/WriteCapacityUnits",
            8,
        ),
        property(
            "/Resources/Global/Properties/WriteProvisionedThroughputSettings",
            json!({ "WriteCapacityAutoScalingSettings": { "MinCapacity": 20, "MaxCapacity": 20, "TargetTrackingScalingPolicyConfiguration": { "TargetValue": 70 } } }),
        ),
        property(
            "/Resources/Global/Properties/WriteProvisionedThroughputSettings/WriteCapacityAutoScalingSettings/MinCapacity",
            9,
        ),
        property("/Resources/Global/Properties/Replicas/1", Value::Null),
        property(
            "/Resources/Global/Properties/Replicas/1/ReadProvisionedThroughputSettings/ReadCapacityUnits",
            9,
        ),
        property(
            "/Resources/Global/Properties/Replicas/0/ReadProvisionedThroughputSettings/ReadCapacityUnits",
            19,
        ),
        property(
            "/Resources/Global/Properties/Replicas/1/TableClass",
            "STANDARD",
        ),
        property(
            "/Resources/Global/Properties/Replicas/1/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled",
            false,
        ),
        property(
            "/Resources/Global/Properties/Replicas/1/SSESpecification",
            Value::Null,
        ),
        property(
            "/Resources/Global/Properties/SSESpecification/SSEEnabled",
            false,
        ),
        with_default(
            "/Resources/Amplify/Properties/billingMode",
            "PAY_PER_REQUEST",
        ),
        property(
            "/Resources/Amplify/Properties/provisionedThroughput/readCapacityUnits",
            60,
        ),
        property("/Resources/Replica/Properties/Region", "eu-central-1"),
        property("/Resources/Replica", Value::Null),
        property("/Resources/Target/Properties/ResourceId", "table/simple"),
        property(
            "/Resources/Target/Properties/ScalableDimension",
            "dynamodb:table:ReadCapacityUnits",
        ),
        property("/Resources/Target/Properties/ScheduledActions", json!([])),
        property(
            "/Resources/Target/Properties/ScheduledActions/0/Schedule",
            "cron(0 1 * * ? *)",
        ),
        property(
            "/Resources/Target/Properties/ScheduledActions/0/Timezone",
            "Asia/Kolkata",
        ),
        property(
            "/Resources/Target/Properties/ScheduledActions/0/ScalableTargetAction/MinCapacity",
            90,
        ),
        property(
            "/Resources/Policy/Properties/TargetTrackingScalingPolicyConfiguration",
            Value::Null,
        ),
        property("/Resources/Cluster/Properties/NodeType", "dax.r5.xlarge"),
        property("/Resources/Cluster/Properties/ReplicationFactor", 4),
        property(
            "/Resources/Plan/Properties/BackupPlan/BackupPlanRule",
            json!([]),
        ),
        property(
            "/Resources/Plan/Properties/BackupPlan/BackupPlanRule/0/ScheduleExpression",
            "cron(0 5 ? * 1 *)",
        ),
        property(
            "/Resources/Plan/Properties/BackupPlan/BackupPlanRule/0/Lifecycle/DeleteAfterDays",
            730,
        ),
        property(
            "/Resources/Plan/Properties/BackupPlan/BackupPlanRule/0/Lifecycle/MoveToColdStorageAfterDays",
            100,
        ),
        property(
            "/Resources/Plan/Properties/BackupPlan/BackupPlanRule/0/CopyActions",
            json!([]),
        ),
        property(
            "/Resources/Plan/Properties/BackupPlan/BackupPlanRule/0/CopyActions/0/DestinationBackupVaultArn",
            "arn:aws:backup:eu-central-1:1:backup-vault:v",
        ),
        property(
            "/Resources/Plan/Properties/BackupPlan/BackupPlanRule/0/CopyActions/0/Lifecycle/DeleteAfterDays",
            60,
        ),
        property("/Resources/Selection/Properties/BackupPlanId", "other"),
        property(
            "/Resources/Selection/Properties/BackupSelection/Resources",
            json!(["arn:aws:dynamodb:us-east-1:1:table/simple"]),
        ),
        property(
            "/Resources/Reader/Properties/EventSourceArn",
            "arn:aws:sqs:us-east-1:1:q",
        ),
        property("/Resources/Nested", Value::Null),
    ]
}

/// A usage file for tables.
fn usage_of(names: &[&str]) -> String {
    let table = |name: &&str| {
        format!(
            "[[table]]\nname = \"{name}\"\nitems = 10_000_000\nitem = {{ size = \"1 KB\" }}\n\
             [[table.access]]\nname = \"put\"\noperation = \"PutItem\"\nrate = {{ per_second = 5 }}\n\
             [[table.access]]\nname = \"get\"\noperation = \"GetItem\"\nrate = {{ per_second = 5 }}\n"
        )
    };
    let tables: String = names.iter().map(table).collect();
    format!("region = \"us-east-1\"\n{tables}")
}

/// The figures of a bill: its lines and what is unknown; `None` if the file is refused.
fn figures(folder: &std::path::Path, name: &str, document: &Value) -> Option<String> {
    std::fs::write(folder.join(name), document.to_string()).expect("the file");
    let budget = "[[limit]]\nmonthly_usd = 1\n";
    std::fs::write(folder.join("budget.toml"), budget).expect("the budget");
    let (code, stdout, stderr) = run_in(
        folder,
        &[
            "estimate",
            name,
            "--usage",
            "usage.toml",
            "--format",
            "json",
        ],
    );
    if code != 0 {
        assert_eq!(code, 2, "{stderr}");
        return None;
    }
    let json: Value = serde_json::from_str(&stdout).expect("JSON");
    let line = |line: &Value| {
        format!(
            "{} {} {} {}",
            line["table"], line["usage_type"], line["region"], line["amount_usd"]
        )
    };
    let lines: Vec<String> = json["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .map(line)
        .collect();
    let unknown = |one: &Value| format!("{} {}", one["table"], one["what"]);
    let unknown: Vec<String> = json["unknown"]
        .as_array()
        .expect("unknown")
        .iter()
        .map(unknown)
        .collect();
    Some(lines.join("\n") + &unknown.join("\n"))
}

/// The document without a property; `None` if it is an element of a list that must stay.
fn without(document: &Value, pointer: &str) -> Value {
    let (parent, key) = pointer.rsplit_once('/').expect("a parent");
    let mut document = document.clone();
    match document.pointer_mut(parent) {
        Some(Value::Object(map)) => {
            map.remove(key)
                .unwrap_or_else(|| panic!("{pointer} is not there"));
        }
        Some(Value::Array(list)) => {
            list.remove(key.parse().expect("an index"));
        }
        _ => panic!("{pointer} is not there"),
    }
    document
}

fn with(document: &Value, pointer: &str, value: &Value) -> Value {
    if value.is_null() {
        return without(document, pointer);
    }
    let mut document = document.clone();
    *document
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("{pointer} is not there")) = value.clone();
    document
}

#[test]
fn every_property_of_a_template_that_costs_moves_the_figure() {
    let folder = tempfile::tempdir().expect("a folder");
    let tables = ["provisioned", "on-demand", "simple", "global", "amplify"];
    std::fs::write(folder.path().join("usage.toml"), usage_of(&tables)).expect("the usage");
    let base = template();
    let name = "stack.template.json";
    let before = figures(folder.path(), name, &base).expect("a bill");
    let unknown = json!({ "Fn::ImportValue": "elsewhere" });
    let mut stays = Vec::new();
    for Property {
        pointer,
        other,
        is_optional,
    } in properties()
    {
        let mut changes = vec![
            ("changed", with(&base, pointer, &other)),
            ("unknown", with(&base, pointer, &unknown)),
        ];
        if is_optional {
            changes.push(("removed", without(&base, pointer)));
        }
        for (how, document) in changes {
            let after = figures(folder.path(), name, &document);
            if after.as_deref() == Some(before.as_str()) {
                stays.push(format!("{pointer} {how}"));
            }
        }
    }
    assert!(
        stays.is_empty(),
        "the bill stays as it is:\n{}",
        stays.join("\n")
    );
}

/// The resources of a plan that costs, and their properties: the address, the attribute, and another
/// value.
fn planned() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("aws_dynamodb_table.plain", "read_capacity", json!(6)),
        ("aws_dynamodb_table.plain", "write_capacity", json!(6)),
        (
            "aws_dynamodb_table.plain",
            "billing_mode",
            json!("PAY_PER_REQUEST"),
        ),
        (
            "aws_dynamodb_table.indexed",
            "global_secondary_index",
            json!([]),
        ),
        (
            "aws_dynamodb_table.new",
            "point_in_time_recovery",
            json!([{ "enabled": false }]),
        ),
        ("aws_dynamodb_table.global", "replica", json!([])),
        (
            "aws_dynamodb_table.encrypted",
            "server_side_encryption",
            json!([]),
        ),
        (
            "aws_appautoscaling_target.scaled",
            "resource_id",
            json!("table/plain"),
        ),
        (
            "aws_appautoscaling_target.scaled",
            "scalable_dimension",
            json!("dynamodb:table:ReadCapacityUnits"),
        ),
        (
            "aws_appautoscaling_scheduled_action.day",
            "schedule",
            json!("cron(0 1 * * ? *)"),
        ),
        (
            "aws_appautoscaling_scheduled_action.day",
            "timezone",
            json!("Asia/Tokyo"),
        ),
        (
            "aws_appautoscaling_scheduled_action.day",
            "scalable_target_action",
            json!([{ "min_capacity": 300, "max_capacity": 400 }]),
        ),
        ("aws_backup_plan.daily", "rule", json!([])),
        (
            "aws_backup_selection.kept",
            "resources",
            json!(["arn:aws:dynamodb:eu-west-1:1:table/plain"]),
        ),
    ]
}

#[test]
fn every_property_of_a_plan_that_costs_moves_the_figure() {
    let source = support::root().join("tests/terraform/shop");
    let text = std::fs::read_to_string(source.join("settled.plan.json")).expect("the plan");
    let base: Value = serde_json::from_str(&text).expect("a plan");
    let folder = tempfile::tempdir().expect("a folder");
    // Only what the settled design has.
    let usage = std::fs::read_to_string(source.join("usage.toml")).expect("the usage");
    let gone = ["deleted", "renamed", "forgotten", "counted-1"];
    let is_there = |block: &&str| {
        let mut gone = gone.iter();
        !gone.any(|name| block.contains(&format!("name     = \"{name}\"\n")))
    };
    let blocks: Vec<&str> = usage.split("\n[[table]]\n").filter(is_there).collect();
    // The reader of the stream stands in the file, and what is unknown of it must be seen.
    std::fs::write(
        folder.path().join("usage.toml"),
        blocks.join("\n[[table]]\n"),
    )
    .expect("the usage");
    let name = "plan.json";
    let before = figures(folder.path(), name, &base).expect("a bill");
    let change = |address: &str, key: &str, how: &str, other: &Value| {
        let mut plan = base.clone();
        let resources = plan["planned_values"]["root_module"]["resources"].as_array_mut();
        let mut resources = resources.expect("resources").iter_mut();
        let resource = resources
            .find(|one| one["address"] == address)
            .expect(address);
        let values = resource["values"].as_object_mut().expect("values");
        match how {
            "changed" => {
                values.insert(key.to_string(), other.clone());
            }
            _ => {
                values.remove(key);
            }
        }
        let configured = plan["configuration"]["root_module"]["resources"].as_array_mut();
        let mut configured = configured.expect("resources").iter_mut();
        let plain = address.split('[').next().expect("an address");
        let config = configured
            .find(|one| one["address"] == plain)
            .expect(address);
        let expressions = config["expressions"].as_object_mut().expect("expressions");
        match how {
            "unknown" => {
                expressions.insert(
                    key.to_string(),
                    json!({ "references": ["data.external.x.result"] }),
                );
                let changes = plan["resource_changes"].as_array_mut().expect("changes");
                let mut changes = changes.iter_mut();
                let change = changes
                    .find(|one| one["address"] == address)
                    .expect(address);
                change["change"]["after_unknown"] = json!({ key: true });
            }
            _ => {
                expressions.remove(key);
            }
        }
        plan
    };
    let mut stays = Vec::new();
    for (address, key, other) in planned() {
        // Without a billing mode, a table is provisioned.
        let ways = match key {
            "billing_mode" => &["changed", "unknown"][..],
            _ => &["removed", "changed", "unknown"],
        };
        for how in ways.iter().copied() {
            let plan = change(address, key, how, &other);
            if figures(folder.path(), name, &plan).as_deref() == Some(before.as_str()) {
                stays.push(format!("{address}.{key} {how}"));
            }
        }
    }
    assert!(
        stays.is_empty(),
        "the bill stays as it is:\n{}",
        stays.join("\n")
    );
}
