//! Tests of importing plans, templates, descriptions and models: the workload made, the lines it
//! refers to, and every error.

use crate::support::{self, run_in};

use std::path::{Path, PathBuf};

use dynameter::diag::Source;
use dynameter::import::{CODES, ImportDocument, ImportOptions};
use proptest::prelude::*;
use serde_json::{Value, json};

fn samples() -> PathBuf {
    support::root().join("tests/import")
}

fn goldens() -> PathBuf {
    support::root().join("tests/golden/import")
}

/// Imports files, compares the result with the golden file and estimates it. If one file was
/// imported, estimating that file directly must give the same.
fn imported(folder: &Path, name: &str, kind: &str, files: &[&str], more: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    let (code, text, errors) = run_in(folder, &[&["import", kind], files, more].concat());
    if code != 0 || !errors.is_empty() {
        return vec![format!("{name}: exit {code}: {errors}")];
    }
    wrong.extend(support::golden(
        &goldens().join(format!("{name}.toml")),
        &text,
    ));
    let scratch = tempfile::tempdir().expect("a folder");
    let file = scratch.path().join("imported.toml");
    std::fs::write(&file, &text).expect("the file");
    let total = |arguments: &[&str]| -> Result<Value, String> {
        let (code, json, errors) = run_in(
            folder,
            &[&["estimate", "--format", "json"], arguments].concat(),
        );
        if code != 0 {
            return Err(format!(
                "{name}: estimate {arguments:?}: exit {code}: {errors}"
            ));
        }
        let json: Value = serde_json::from_str(&json).expect("JSON");
        Ok(Value::from(vec![
            json["total_usd"].clone(),
            json["unknown"].as_array().expect("a list").len().into(),
        ]))
    };
    let own = total(&[&file.to_string_lossy()]);
    match (own, files) {
        (Err(error), _) => wrong.push(error),
        (Ok(own), [one]) => match total(&[&[*one], more].concat()) {
            Ok(direct) if direct == own => {}
            Ok(direct) => wrong.push(format!(
                "{name}: the file used directly gives {direct}, imported {own}"
            )),
            Err(error) => wrong.push(error),
        },
        _ => {}
    }
    wrong
}

#[test]
fn every_setting_arrives_in_the_workload() {
    let region = ["--region", "us-east-1"];
    let all: [(&str, &str, &[&str], &[&str]); 10] = [
        ("terraform", "terraform", &["plan.json"], &[]),
        (
            "terraform-usage",
            "terraform",
            &["plan.json"],
            &["--usage", "usage.toml"],
        ),
        (
            "terraform-infracost",
            "terraform",
            &["plan.json"],
            &["--usage", "infracost.yml"],
        ),
        ("cloudformation", "cloudformation", &["stack.yaml"], &region),
        ("describe-table", "describe-table", &["describe.json"], &[]),
        (
            "describe-all",
            "describe-table",
            &["describe.json", "backups.json", "targets.json"],
            &[],
        ),
        ("toolkit", "model", &["toolkit.json"], &region),
        ("awslabs", "model", &["awslabs.json"], &region),
        ("infracost", "model", &["infracost.yml"], &region),
        (
            "terraform-elsewhere",
            "terraform",
            &["plan.json"],
            &["--region", "eu-central-1"],
        ),
    ];
    let wrong: Vec<String> = all
        .iter()
        .flat_map(|(name, kind, files, more)| imported(&samples(), name, kind, files, more))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let (code, before, errors) = run_in(
        &samples(),
        &["import", "terraform", "plan.json", "--before"],
    );
    assert_eq!((code, errors.as_str()), (0, ""));
    assert_eq!(
        support::golden(&goldens().join("terraform-before.toml"), &before),
        None
    );
}

#[test]
fn the_real_samples_arrive_whole() {
    let Some(reference) = support::reference("the_real_samples_arrive_whole") else {
        return;
    };
    let formats = reference.join("formats");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (folder, kind) in [
        ("terraform-plan", "terraform"),
        ("cloudformation", "cloudformation"),
        ("workload-models", "model"),
    ] {
        let folder = formats.join(folder);
        let mut files: Vec<String> = std::fs::read_dir(&folder)
            .expect("samples")
            .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
            .filter(|name| {
                (name.ends_with(".json") || name.ends_with(".yaml")) && !name.contains("usage")
            })
            .collect();
        files.sort();
        for file in files {
            let region: &[&str] = if kind == "terraform" {
                &[]
            } else {
                &["--region", "us-east-1"]
            };
            wrong.extend(imported(
                &folder,
                &format!("reference/{file}"),
                kind,
                &[&file],
                region,
            ));
            seen += 1;
        }
    }
    wrong.extend(imported(
        &formats.join("terraform-plan"),
        "reference/infracost-usage",
        "model",
        &["infracost-dynamodb_table_test.usage.yml"],
        &["--region", "us-east-1"],
    ));
    assert!(seen >= 14, "only {seen} samples");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_export_is_measured_where_it_lies() {
    let Some(reference) = support::reference("an_export_is_measured_where_it_lies") else {
        return;
    };
    let (code, text, errors) = run_in(
        &reference.join("formats/s3-export"),
        &["import", "export", "unicorn_activities"],
    );
    assert_eq!((code, errors.as_str()), (0, ""));
    for part in [
        "items         = 133199",
        "133199 items, 44570968 B in total",
        "region = \"us-west-1\"",
        "export = \"unicorn_activities\"",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

/// Eight days of hourly sums: reads are ten times as many in office hours, writes the same at every
/// hour, and an index only in office hours.
#[cfg(feature = "replay")]
fn metrics() -> String {
    let hours: Vec<i64> = (0..24 * 8).collect();
    // From Monday 2026-01-05 on.
    let time = |hour: &i64| 1_767_571_200 + hour * 3_600;
    let busy = |hour: &i64| (9..17).contains(&(hour % 24)) && (hour / 24) % 7 < 5;
    let result = |label: &str, value: &dyn Fn(&i64) -> u64| {
        let shown = hours.iter().rev().filter(|hour| value(hour) > 0);
        let (times, values): (Vec<i64>, Vec<u64>) =
            shown.map(|hour| (time(hour), value(hour))).unzip();
        serde_json::json!({ "Id": "m", "Label": label, "Timestamps": times, "Values": values, "StatusCode": "Complete" })
    };
    let results = [
        result("Orders ConsumedReadCapacityUnits", &|hour| {
            if busy(hour) { 36_000 } else { 3_600 }
        }),
        result("Orders ConsumedWriteCapacityUnits", &|_| 7_200),
        result("Orders ByStatus ConsumedWriteCapacityUnits", &|hour| {
            if busy(hour) { 1_800 } else { 0 }
        }),
    ];
    serde_json::json!({ "MetricDataResults": results, "Messages": [] }).to_string()
}

#[cfg(feature = "replay")]
#[test]
fn metrics_become_rates_with_the_shape_of_the_week() {
    let scratch = tempfile::tempdir().expect("a folder");
    std::fs::write(scratch.path().join("metrics.json"), metrics()).expect("the metrics");
    let wrong = imported(
        scratch.path(),
        "cloudwatch",
        "cloudwatch",
        &["metrics.json", "--period", "3600"],
        &["--region", "eu-west-1"],
    );
    // Metrics alone are not a design.
    assert!(
        wrong
            .iter()
            .all(|wrong| wrong.contains("CloudWatch metrics, which are not a complete design")),
        "{}",
        wrong.join("\n")
    );
    let (code, json, errors) = run_in(
        scratch.path(),
        &[
            "import",
            "cloudwatch",
            "metrics.json",
            "--period",
            "3600",
            "--region",
            "eu-west-1",
            "-o",
            "measured.toml",
            "--quiet",
        ],
    );
    assert_eq!((code, json.as_str(), errors.as_str()), (0, "", ""));
    let (code, json, _) = run_in(
        scratch.path(),
        &["estimate", "measured.toml", "--format", "json"],
    );
    assert_eq!(code, 0);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let quantity = |usage_type: &str, index: Option<&str>| -> f64 {
        let of =
            |line: &&Value| line["usage_type"] == usage_type && line["index"].as_str() == index;
        let line = json["lines"]
            .as_array()
            .expect("lines")
            .iter()
            .find(of)
            .expect("a line");
        line["quantity"]
            .as_str()
            .expect("a quantity")
            .parse()
            .expect("a number")
    };
    // In a week, 40 of 168 hours are busy; a month has 730 hours.
    let hourly = |week: f64| week / 168.0 * 730.0;
    for (usage_type, index, expected) in [
        (
            "ReadRequestUnits",
            None,
            hourly(40.0 * 36_000.0 + 128.0 * 3_600.0),
        ),
        ("WriteRequestUnits", None, hourly(168.0 * 7_200.0)),
        (
            "WriteRequestUnits",
            Some("ByStatus"),
            hourly(40.0 * 1_800.0),
        ),
    ] {
        let found = quantity(usage_type, index);
        assert!(
            (found / expected - 1.0).abs() < 1e-6,
            "{usage_type} {index:?}: {found}, expected {expected}"
        );
    }
    // The workload file made from metrics can be used as a usage file for a design.
    let describe = samples().join("describe.json");
    let (code, text, errors) = run_in(
        scratch.path(),
        &[
            "import",
            "describe-table",
            &describe.to_string_lossy(),
            "--usage",
            "measured.toml",
        ],
    );
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(
        text.contains("at most 10 per second") || text.contains("per_hour ="),
        "{text}"
    );
    // If the metrics do not name the table, the error asks for its name.
    let (code, _, errors) = run_in(
        &samples(),
        &["import", "cloudwatch", "metrics.json", "--period", "3600"],
    );
    assert_eq!(code, 2);
    assert!(
        errors.contains("metrics.json: the metrics do not name a table")
            && errors.contains("--table NAME"),
        "{errors}"
    );
    let (code, text, _) = run_in(
        &samples(),
        &[
            "import",
            "cloudwatch",
            "metrics.json",
            "--period",
            "3600",
            "--table",
            "Orders",
            "--region",
            "us-east-1",
        ],
    );
    assert_eq!(code, 0);
    assert!(text.contains("read = { per_hour = 4200 }"), "{text}");
}

#[test]
fn a_plan_is_baseline_and_change_at_once() {
    let (code, json, errors) = run_in(
        &samples(),
        &[
            "check",
            "plan.json",
            "--usage",
            "usage.toml",
            "--budget",
            "budget.toml",
            "--format",
            "json",
            "--today",
            "2026-12-01",
            "--quiet",
        ],
    );
    assert_eq!((code, errors.as_str()), (1, ""), "{json}");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let verdicts = json["verdicts"].as_array().expect("verdicts");
    let change = verdicts
        .iter()
        .find(|one| one["measure"] == "increase_usd" && one["status"] == "fail")
        .expect("a change");
    let plan = std::fs::read_to_string(samples().join("plan.json")).expect("the plan");
    let line = plan
        .lines()
        .position(|line| line.contains("\"projection_type\": \"ALL\""))
        .expect("the projection")
        + 1;
    let causes = change["causes"].as_array().expect("causes");
    let cause = causes
        .iter()
        .find(|one| one["index"] == "ByStatus")
        .expect("the index");
    assert_eq!(
        (&cause["file"], &cause["line"], &cause["index"]),
        (
            &Value::from("plan.json"),
            &Value::from(line),
            &Value::from("ByStatus")
        )
    );
    // The designs before and after the change, imported as two files, differ by the same dollars.
    let scratch = tempfile::tempdir().expect("a folder");
    let total = |before: &[&str]| -> rust_decimal::Decimal {
        let (_, text, _) = run_in(
            &samples(),
            &[
                &["import", "terraform", "plan.json", "--usage", "usage.toml"],
                before,
            ]
            .concat(),
        );
        // New tables are not in the design before the change, so the usage file has more tables
        // than that design.
        let file = scratch.path().join("design.toml");
        std::fs::write(&file, text).expect("the file");
        let (code, json, errors) = run_in(
            &samples(),
            &["estimate", &file.to_string_lossy(), "--format", "json"],
        );
        assert_eq!(code, 0, "{errors}");
        let json: Value = serde_json::from_str(&json).expect("JSON");
        json["total_usd"]
            .as_str()
            .expect("dollars")
            .parse()
            .expect("a decimal")
    };
    let after = total(&[]);
    let decimal = |value: &Value| {
        value
            .as_str()
            .expect("dollars")
            .parse::<rust_decimal::Decimal>()
            .expect("a decimal")
    };
    assert_eq!(decimal(&json["total_usd"]), after);
    assert!(decimal(&json["before_usd"]) < after);
}

/// Imports one file of the given text.
fn import_text(kind: &str, name: &str, text: &str) -> String {
    let scratch = tempfile::tempdir().expect("a folder");
    std::fs::write(scratch.path().join(name), text).expect("the file");
    let (code, out, errors) = run_in(
        scratch.path(),
        &["import", kind, name, "--region", "us-east-1"],
    );
    assert_eq!(code, 0, "{text}\n{errors}");
    out
}

const TABLE: &str = "      AttributeDefinitions: [{ AttributeName: Id, AttributeType: S }]\n      \
                     KeySchema: [{ AttributeName: Id, KeyType: HASH }]\n";

/// A template with one table T of these properties.
fn template(head: &str, properties: &str, more: &str) -> String {
    format!(
        "{head}\nResources:\n  T:\n    Type: AWS::DynamoDB::Table\n    \
         Properties:\n{TABLE}{properties}\n{more}"
    )
}

#[test]
fn what_only_a_deployment_knows_is_neither_off_nor_gone() {
    let head = "Parameters: { P: { Type: String } }\nConditions: { C: !Equals [!Ref P, x] }";
    let index = "{ IndexName: !Ref P, KeySchema: [{ AttributeName: X, KeyType: HASH }], \
                 Projection: { ProjectionType: ALL }, ProvisionedThroughput: { ReadCapacityUnits: \
                 70, WriteCapacityUnits: 80 } }";
    for (property, expected) in [
        (
            "      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: !Ref P }",
            "pitr = \"unknown\"",
        ),
        (
            "      TimeToLiveSpecification: { AttributeName: a, Enabled: !Ref P }",
            "deletes = \"unknown\"",
        ),
        (
            "      TableClass: !Ref P",
            "\"T: the table class: the parameter P has no default; set it under [parameters]",
        ),
        (
            "      BillingMode: !Ref P",
            "\"T: the capacity mode: the parameter P has no default; set it under [parameters]",
        ),
        (
            "      SSESpecification: { SSEEnabled: !Ref P }",
            "SSEEnabled, on or off",
        ),
        (
            "      ContributorInsightsSpecification: { Enabled: !If [C, true, false] }",
            "Enabled, on or off",
        ),
        (
            "      StreamSpecification: !If [C, { StreamViewType: NEW_IMAGE }, !Ref AWS::NoValue]",
            "view    = \"new-image\"",
        ),
        (
            &format!("      GlobalSecondaryIndexes: [{index}]"),
            "read          = 70",
        ),
        (
            &format!("      GlobalSecondaryIndexes: [!If [C, {index}, !Ref AWS::NoValue]]"),
            "write         = 80",
        ),
        (
            "      ProvisionedThroughput: { ReadCapacityUnits: !Ref P, WriteCapacityUnits: 4 }",
            "read  = \"unknown\"",
        ),
    ] {
        let out = import_text("cloudformation", "t.yaml", &template(head, property, ""));
        assert!(
            out.contains(expected),
            "{property}\n{expected} is not in\n{out}"
        );
    }
    let replica = "  R: { Type: 'Custom::DynamoDBReplica', Properties: { TableName: !Ref T, \
                   Region: eu-west-2 } }\n  D: { Type: AWS::DAX::Cluster, Properties: { NodeType: \
                   !Ref P, ReplicationFactor: 3 } }";
    let out = import_text(
        "cloudformation",
        "t.yaml",
        &template(head, "      BillingMode: PAY_PER_REQUEST", replica),
    );
    assert!(
        out.contains("region = \"eu-west-2\"") && out.contains("the DAX cluster D, whose"),
        "{out}"
    );
}

#[test]
fn a_template_takes_no_more_time_and_memory_than_it_should() {
    let doubled: String = (1..40)
        .map(|at| format!("  C{at}: !Or [!Condition C{0}, !Condition C{0}]\n", at - 1))
        .collect();
    let out = import_text(
        "cloudformation",
        "t.yaml",
        &template(
            &format!("Conditions:\n  C0: !Equals [a, b]\n{doubled}"),
            "      BillingMode: !If [C39, PROVISIONED, PAY_PER_REQUEST]",
            "",
        ),
    );
    assert!(out.contains("mode = \"on-demand\""), "{out}");
    let chain: String = (1..60)
        .map(|at| format!("  C{at}: !Not [!Condition C{}]\n", at - 1))
        .collect();
    let out = import_text(
        "cloudformation",
        "t.yaml",
        &template(
            &format!("Conditions:\n  C0: !Equals [a, a]\n{chain}"),
            "      BillingMode: !If [C59, PROVISIONED, PAY_PER_REQUEST]",
            "",
        ),
    );
    assert!(out.contains("mode = \"on-demand\""), "{out}");
    // A text that is repeated ten times at each of nine levels.
    let exploding = (0..9).fold(format!("'{}'", "x".repeat(100)), |inner, _| {
        format!("!Sub ['{}', {{ a: {inner} }}]", "${a}".repeat(10))
    });
    let out = import_text(
        "cloudformation",
        "t.yaml",
        &template("", &format!("      TableName: {exploding}"), ""),
    );
    assert!(out.contains("longer than any property can be"), "{out}");
}

/// A plan of a table that is scaled by resources that name it only by reference.
fn scaled_plan(instances: &[&str], dimension: &str) -> String {
    let mut resources = Vec::new();
    for (at, key) in instances.iter().enumerate() {
        let index = serde_json::json!({ "name": "ByX", "hash_key": "X", "projection_type": "ALL", "read_capacity": 3, "write_capacity": 3 });
        resources.push(serde_json::json!({ "address": format!("aws_dynamodb_table.t{key}"), "mode": "managed", "type": "aws_dynamodb_table", "name": "t",
            "values": { "hash_key": "Id", "billing_mode": "PROVISIONED", "read_capacity": 10, "write_capacity": 5, "global_secondary_index": [index] } }));
        resources.push(serde_json::json!({ "address": format!("aws_appautoscaling_target.g{key}"), "mode": "managed", "type": "aws_appautoscaling_target", "name": "g",
            "values": { "min_capacity": 20 + at, "max_capacity": 500, "scalable_dimension": dimension, "service_namespace": "dynamodb" } }));
        resources.push(serde_json::json!({ "address": format!("aws_appautoscaling_policy.p{key}"), "mode": "managed", "type": "aws_appautoscaling_policy", "name": "p",
            "values": { "scalable_dimension": dimension, "target_tracking_scaling_policy_configuration": [{ "target_value": 70 }] } }));
    }
    let references = |to: &str| serde_json::json!({ "resource_id": { "references": [format!("{to}.resource_id"), to] } });
    let table = serde_json::json!({ "resource_id": { "references": ["aws_dynamodb_table.t.name", "aws_dynamodb_table.t"] } });
    let configured = |address: &str, expressions: Value| serde_json::json!({ "address": address, "mode": "managed", "provider_config_key": "aws", "expressions": expressions });
    serde_json::json!({ "format_version": "1.2", "planned_values": { "root_module": { "resources": resources } }, "resource_changes": [],
        "configuration": { "provider_config": { "aws": { "expressions": { "region": { "constant_value": "us-east-1" } } } }, "root_module": { "resources": [
            configured("aws_dynamodb_table.t", serde_json::json!({})), configured("aws_appautoscaling_target.g", table),
            configured("aws_appautoscaling_policy.p", references("aws_appautoscaling_target.g")) ] } } })
    .to_string()
}

#[test]
fn scaling_finds_what_it_scales_by_the_configuration() {
    let out = import_text(
        "terraform",
        "plan.json",
        &scaled_plan(&[""], "dynamodb:table:ReadCapacityUnits"),
    );
    assert!(
        out.contains("read  = { min = 20, max = 500, target = 0.7 }"),
        "{out}"
    );
    // Each instance has separate scaling.
    let out = import_text(
        "terraform",
        "plan.json",
        &scaled_plan(&["[\"a\"]", "[\"b\"]"], "dynamodb:table:ReadCapacityUnits"),
    );
    assert!(
        out.contains("read  = { min = 20, max = 500, target = 0.7 }")
            && out.contains("read  = { min = 21, max = 500, target = 0.7 }"),
        "{out}"
    );
    // A scaled index: the reference to the table does not say which index it is.
    let out = import_text(
        "terraform",
        "plan.json",
        &scaled_plan(&[""], "dynamodb:index:WriteCapacityUnits"),
    );
    assert!(
        out.contains("read  = 10")
            && out.contains("write         = { min = 20, max = 500, target = 0.7 }"),
        "{out}"
    );
}

/// A plan of some resources (address, values, expressions), with `beside` as its variables,
/// providers and module calls.
fn plan(resources: &[(&str, Value, Value)], beside: Value) -> String {
    let kind = |address: &str| {
        address
            .split('.')
            .rfind(|part| part.starts_with("aws_"))
            .expect("a type")
            .to_string()
    };
    let (mut planned, mut changes, mut configured) = (Vec::new(), Vec::new(), Vec::new());
    for (address, values, expressions) in resources {
        planned.push(json!({ "address": address, "mode": "managed", "type": kind(address), "values": values }));
        changes
            .push(json!({ "address": address, "type": kind(address), "change": { "actions": ["create"], "before": null, "after": values,
            "after_unknown": beside["unknown"][address] } }));
        let provider = if address.ends_with("_eu") {
            "aws.eu"
        } else {
            "aws"
        };
        let plain = address.split('[').next().expect("an address");
        configured.push(json!({ "address": plain, "provider_config_key": provider, "expressions": expressions }));
    }
    let region = |text: &str| json!({ "expressions": { "region": { "constant_value": text } } });
    let mut providers = json!({ "aws": region("us-east-1"), "aws.eu": region("eu-west-1") });
    if let Some(own) = beside["region"].as_object() {
        providers["aws"] = json!({ "expressions": { "region": own } });
    }
    json!({ "format_version": "1.2", "variables": beside["variables"], "planned_values": { "root_module": { "resources": planned } },
        "resource_changes": changes, "configuration": { "provider_config": providers,
        "root_module": { "resources": configured, "module_calls": beside["calls"] } } })
    .to_string()
}

#[test]
fn what_a_plan_hides_is_found_or_unknown() {
    let own = |more: Value| -> Value {
        let mut table = json!({ "name": "T-1", "hash_key": "Id", "billing_mode": "PROVISIONED", "read_capacity": 5, "write_capacity": 5 });
        table
            .as_object_mut()
            .expect("a table")
            .extend(more.as_object().expect("values").clone());
        table
    };
    let nothing = || json!({});
    let target = |id: Value| json!({ "resource_id": id, "scalable_dimension": "dynamodb:table:ReadCapacityUnits", "service_namespace": "dynamodb", "min_capacity": 100, "max_capacity": 400 });
    let policy = |metric: Value| json!({ "resource_id": "table/T-1", "scalable_dimension": "dynamodb:table:ReadCapacityUnits", "service_namespace": "dynamodb", "target_tracking_scaling_policy_configuration": [metric] });
    let utilization = || policy(json!({ "target_value": 70 }));
    let encrypted = |arn: Value| own(json!({ "server_side_encryption": [arn] }));
    let (table, replica, insights) = (
        "aws_dynamodb_table.t",
        json!({ "replica": [{ "region_name": "eu-west-1" }] }),
        "aws_dynamodb_contributor_insights.i_eu",
    );
    let index = json!([{ "name": "ByX", "hash_key": "X", "projection_type": "ALL", "read_capacity": 3, "write_capacity": 3 }]);
    let by_variable = json!({ "server_side_encryption": [{ "enabled": { "constant_value": true }, "kms_key_arn": { "references": ["var.key"] } }] });
    let by_key = json!({ "server_side_encryption": [{ "enabled": { "constant_value": true }, "kms_key_arn": { "references": ["aws_kms_key.k", "each.key"] } }] });
    let of_table = |key: &str, reference: &str| json!({ key: { "references": [format!("{reference}.name"), reference] } });
    let rows: Vec<(&str, String, Vec<&str>)> = vec![
        (
            "scaling of a replica",
            plan(
                &[
                    (table, own(replica.clone()), nothing()),
                    (
                        "aws_appautoscaling_target.t_eu",
                        target("table/T-1".into()),
                        nothing(),
                    ),
                    ("aws_appautoscaling_policy.p_eu", utilization(), nothing()),
                ],
                nothing(),
            ),
            vec![
                "read  = 5 ",
                "read   = { min = 100, max = 400, target = 0.7 }",
            ],
        ),
        (
            "scaling of a replica's index named by reference",
            plan(
                &[
                    (
                        table,
                        own(
                            json!({ "replica": [{ "region_name": "eu-west-1" }], "global_secondary_index": index }),
                        ),
                        nothing(),
                    ),
                    (
                        "aws_appautoscaling_target.t_eu",
                        json!({ "scalable_dimension": "dynamodb:index:ReadCapacityUnits", "service_namespace": "dynamodb", "min_capacity": 7, "max_capacity": 70 }),
                        of_table("resource_id", table),
                    ),
                ],
                nothing(),
            ),
            vec![
                "[[table.replica.index]]\nname = \"ByX\"\nread = { min = 7, max = 70, target = \
                 \"unknown\" }",
            ],
        ),
        (
            "a key that a dynamic block names",
            plan(
                &[(
                    table,
                    encrypted(
                        json!({ "enabled": true, "kms_key_arn": "arn:aws:kms:us-east-1:1:key/a" }),
                    ),
                    nothing(),
                )],
                nothing(),
            ),
            vec!["keys = 1"],
        ),
        (
            "an empty key name",
            plan(
                &[(
                    table,
                    encrypted(json!({ "enabled": true, "kms_key_arn": "" })),
                    by_variable.clone(),
                )],
                nothing(),
            ),
            vec!["keys = 0"],
        ),
        (
            "a variable without a value",
            plan(
                &[(table, encrypted(json!({ "enabled": true })), by_variable)],
                nothing(),
            ),
            vec!["keys = 0"],
        ),
        (
            "a key for each instance",
            plan(
                &[
                    (
                        "aws_dynamodb_table.t[\"a\"]",
                        encrypted(json!({ "enabled": true })),
                        by_key.clone(),
                    ),
                    (
                        "aws_dynamodb_table.t[\"b\"]",
                        own(
                            json!({ "name": "T-2", "server_side_encryption": [{ "enabled": true }] }),
                        ),
                        by_key,
                    ),
                ],
                nothing(),
            ),
            vec![
                "keys = 1  # aws_dynamodb_table.t[\"a\"]",
                "keys = 1  # aws_dynamodb_table.t[\"b\"]",
            ],
        ),
        (
            "the key of a replica",
            plan(
                &[(
                    table,
                    own(
                        json!({ "replica": [{ "region_name": "eu-west-1", "kms_key_arn": "arn:aws:kms:eu-west-1:1:key/b" }] }),
                    ),
                    nothing(),
                )],
                nothing(),
            ),
            vec!["keys = 1"],
        ),
        (
            "warm throughput and a restore",
            plan(
                &[(
                    table,
                    own(
                        json!({ "warm_throughput": [{ "read_units_per_second": 40000 }], "restore_source_name": "old" }),
                    ),
                    nothing(),
                )],
                nothing(),
            ),
            vec![
                "purchased warm throughput",
                "a restore when the table is created",
            ],
        ),
        (
            "dynamic blocks known after apply",
            plan(
                &[(table, own(nothing()), nothing())],
                json!({ "unknown": { table: { "replica": true, "point_in_time_recovery": [{ "enabled": true }], "ttl": true } } }),
            ),
            vec![
                "\"replica: known only after apply\"",
                "\"point_in_time_recovery: known only after apply\"",
            ],
        ),
        (
            "scaling targets without a known table",
            plan(
                &[
                    (table, own(nothing()), nothing()),
                    (
                        "aws_appautoscaling_target.a",
                        target(Value::Null),
                        json!({ "resource_id": { "references": ["local.one"] } }),
                    ),
                    (
                        "aws_appautoscaling_target.b",
                        target(Value::Null),
                        json!({ "resource_id": { "references": ["local.two"] } }),
                    ),
                ],
                nothing(),
            ),
            vec![
                "aws_appautoscaling_target.a: cannot determine what it scales",
                "aws_appautoscaling_target.b: cannot determine what it scales",
                "read  = \"unknown\"",
                "write = 5",
            ],
        ),
        (
            "a metric of its own",
            plan(
                &[
                    (table, own(nothing()), nothing()),
                    (
                        "aws_appautoscaling_target.a",
                        target("table/T-1".into()),
                        nothing(),
                    ),
                    (
                        "aws_appautoscaling_policy.p",
                        policy(
                            json!({ "target_value": 4200, "customized_metric_specification": [{}] }),
                        ),
                        nothing(),
                    ),
                ],
                nothing(),
            ),
            vec!["target = \"unknown\" }", "uses a custom metric"],
        ),
        (
            "an output of a module",
            plan(
                &[
                    (
                        "aws_dynamodb_kinesis_streaming_destination.k",
                        nothing(),
                        json!({ "table_name": { "references": ["module.m.name", "module.m"] } }),
                    ),
                    ("module.m.aws_dynamodb_table.t", own(nothing()), nothing()),
                ],
                json!({ "calls": { "m": { "module": { "resources": [], "outputs": { "name": { "expression": { "references": ["aws_dynamodb_table.t.name", "aws_dynamodb_table.t"] } } } } } } }),
            ),
            vec!["kinesis = true"],
        ),
        (
            "a Kinesis destination without a known table",
            plan(
                &[
                    (table, own(nothing()), nothing()),
                    (
                        "aws_dynamodb_kinesis_streaming_destination.k",
                        nothing(),
                        json!({ "table_name": { "references": ["local.name"] } }),
                    ),
                ],
                nothing(),
            ),
            vec![
                "aws_dynamodb_kinesis_streaming_destination.k: cannot determine which table it \
                 belongs to",
            ],
        ),
        (
            "the instance that the reference names",
            plan(
                &[
                    ("aws_dynamodb_table.t[0]", own(nothing()), nothing()),
                    (
                        "aws_dynamodb_table.t[1]",
                        own(json!({ "name": "T-2" })),
                        nothing(),
                    ),
                    (
                        "aws_dynamodb_contributor_insights.i[1]",
                        nothing(),
                        of_table("table_name", "aws_dynamodb_table.t[0]"),
                    ),
                ],
                nothing(),
            ),
            vec!["name                 = \"T-1\"", "name          = \"T-2\""],
        ),
        (
            "Contributor Insights of a replica do not apply to its indexes",
            plan(
                &[
                    (
                        table,
                        own(
                            json!({ "replica": [{ "region_name": "eu-west-1" }], "global_secondary_index": index }),
                        ),
                        nothing(),
                    ),
                    (insights, json!({ "table_name": "T-1" }), nothing()),
                ],
                nothing(),
            ),
            vec![
                "[[table.replica.index]]\nname                 = \"ByX\"\ncontributor_insights = \
                 false",
            ],
        ),
    ];
    let mut wrong = Vec::new();
    for (what, text, expected) in rows {
        let out = import_text("terraform", "plan.json", &text);
        wrong.extend(
            expected
                .iter()
                .filter(|line| !out.contains(**line))
                .map(|line| format!("{what}: {line} is not in\n{out}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn answers_that_name_their_table_find_it() {
    let scratch = tempfile::tempdir().expect("a folder");
    let table = |name: &str| {
        json!({ "Table": { "TableName": name, "TableArn": format!("arn:aws:dynamodb:eu-west-1:1:table/{name}"), "BillingModeSummary": { "BillingMode": "PAY_PER_REQUEST" },
            "AttributeDefinitions": [{ "AttributeName": "Id", "AttributeType": "S" }], "KeySchema": [{ "AttributeName": "Id", "KeyType": "HASH" }],
            "Replicas": [{ "RegionName": "us-east-1", "KMSMasterKeyId": "arn:aws:kms:us-east-1:1:key/a" }, { "RegionName": "eu-west-1", "KMSMasterKeyId": "arn:aws:kms:eu-west-1:1:key/b" }] } })
    };
    let stream = |name: &str, status: &str| json!({ "TableName": name, "KinesisDataStreamDestinations": [{ "StreamArn": "a", "DestinationStatus": status }] });
    let insights =
        |name: &str| json!({ "TableName": name, "ContributorInsightsStatus": "ENABLED" });
    let run = |answers: Vec<Value>| {
        std::fs::write(
            scratch.path().join("answers.json"),
            Value::from(answers).to_string(),
        )
        .expect("the file");
        run_in(
            scratch.path(),
            &["import", "describe-table", "answers.json"],
        )
    };
    let (code, out, errors) = run(vec![
        stream("One", "ACTIVE"),
        table("One"),
        table("Two"),
        insights("Two"),
        stream("Two", "DISABLED"),
    ]);
    assert_eq!((code, errors.as_str()), (0, ""));
    let (one, two) = out.split_once("\"Two\"").expect("both tables");
    assert!(
        one.contains("kinesis = true") && !one.contains("contributor_insights"),
        "{out}"
    );
    assert!(
        !two.contains("kinesis") && two.contains("contributor_insights = true"),
        "{out}"
    );
    assert!(
        out.contains("the KMS key in us-east-1") && !out.contains("the KMS key in eu-west-1"),
        "{out}"
    );
    let (code, _, errors) = run(vec![table("One"), insights("Three")]);
    assert!(
        code == 2 && errors.contains("error[unknown-table]: this is for the table \"Three\""),
        "{errors}"
    );
}

#[test]
fn a_region_is_taken_where_a_variable_says_it_alone() {
    let table = [(
        "aws_dynamodb_table.t",
        json!({ "name": "T-1", "hash_key": "Id" }),
        json!({}),
    )];
    for (references, value, expected) in [
        (json!(["var.region"]), "eu-central-1", "eu-central-1"),
        (json!(["var.env"]), "prod", "unknown"),
        (json!(["var.a", "var.b"]), "us-east-1", "unknown"),
    ] {
        let name = references[0]
            .as_str()
            .expect("a text")
            .trim_start_matches("var.")
            .to_string();
        let text = plan(
            &table,
            json!({ "region": { "references": references }, "variables": { name: { "value": value } } }),
        );
        let scratch = tempfile::tempdir().expect("a folder");
        std::fs::write(scratch.path().join("plan.json"), text).expect("the file");
        let (code, out, errors) = run_in(scratch.path(), &["import", "terraform", "plan.json"]);
        assert!(
            code == 0 && out.contains(&format!("region = \"{expected}\"")),
            "{out}{errors}"
        );
    }
}

#[test]
fn what_a_template_writes_in_another_way_is_read() {
    let on_demand = "      BillingMode: PAY_PER_REQUEST\n";
    let target = |body: &str| {
        format!(
            "      ProvisionedThroughput: {{ ReadCapacityUnits: 5, WriteCapacityUnits: 5 }}\n  \
             S:\n    Type: AWS::ApplicationAutoScaling::ScalableTarget\n    Properties: {{ \
             ResourceId: !Sub 'table/${{T}}', ScalableDimension: \
             dynamodb:table:ReadCapacityUnits, MinCapacity: 5, MaxCapacity: 50{body} }}\n  P:\n    \
             Type: AWS::ApplicationAutoScaling::ScalingPolicy\n    Properties: {{ \
             ScalingTargetId: !Ref S, TargetTrackingScalingPolicyConfiguration: {{ TargetValue: \
             70 }} }}"
        )
    };
    let rows: Vec<(&str, String, Vec<&str>)> = vec![
        (
            "booleans of YAML 1.1",
            template(
                "",
                &format!(
                    "{on_demand}      PointInTimeRecoverySpecification: {{ \
                     PointInTimeRecoveryEnabled: yes }}\n      TimeToLiveSpecification: {{ \
                     AttributeName: a, Enabled: on }}"
                ),
                "",
            ),
            vec!["pitr = true", "deletes = \"unknown\""],
        ),
        (
            "merged maps",
            template(
                "X: &base\n  BillingMode: PAY_PER_REQUEST",
                "      <<: *base",
                "",
            ),
            vec!["mode = \"on-demand\""],
        ),
        (
            "no maximum by a parameter",
            template(
                "Parameters: { M: { Type: Number, Default: -1 } }",
                &format!(
                    "{on_demand}      OnDemandThroughput: {{ MaxReadRequestUnits: !Ref M, \
                     MaxWriteRequestUnits: 40 }}"
                ),
                "",
            ),
            vec!["max_write = 40"],
        ),
        (
            "an unknown maximum",
            template(
                "Parameters: { M: { Type: Number } }",
                &format!("{on_demand}      OnDemandThroughput: {{ MaxReadRequestUnits: !Ref M }}"),
                "",
            ),
            vec!["T: MaxReadRequestUnits: the parameter M has no default"],
        ),
        (
            "the AWS managed key, by its alias",
            template(
                "",
                &format!(
                    "{on_demand}      SSESpecification: {{ SSEEnabled: true, KMSMasterKeyId: \
                     alias/aws/dynamodb }}"
                ),
                "",
            ),
            vec!["keys = 0"],
        ),
        (
            "Fn::ForEach within properties",
            template(
                "Transform: AWS::LanguageExtensions",
                "      Fn::ForEach::P: [Name, [BillingMode], { '${Name}': PAY_PER_REQUEST }]",
                "",
            ),
            vec!["mode = \"on-demand\""],
        ),
        (
            "settings of all simple tables",
            "Transform: AWS::Serverless-2016-10-31\nGlobals: { SimpleTable: { SSESpecification: { \
             SSEEnabled: true, KMSMasterKeyId: k-1 } } }\nResources: { A: { Type: \
             AWS::Serverless::SimpleTable }, B: { Type: AWS::Serverless::SimpleTable } }"
                .to_string(),
            vec!["keys = 1", "keys = 0"],
        ),
        (
            "the unknown bound gives the reason",
            template(
                "Parameters: { M: { Type: Number } }",
                &target("").replace("MaxCapacity: 50", "MaxCapacity: !Ref M"),
                "",
            ),
            vec!["read  = \"unknown\"      # S: MaxCapacity: the parameter M has no default"],
        ),
        (
            "scaling that is suspended",
            template(
                "",
                &target(
                    ", SuspendedState: { DynamicScalingInSuspended: true, \
                     DynamicScalingOutSuspended: true }",
                ),
                "",
            ),
            vec!["read  = 5", "S: scaling is suspended"],
        ),
        (
            "scaling that is suspended in one direction",
            template(
                "",
                &target(", SuspendedState: { DynamicScalingInSuspended: true }"),
                "",
            ),
            vec![
                "read  = { min = 5, max = 50, target = \"unknown\" }",
                "S: scaling is suspended in one direction",
            ],
        ),
        (
            "a schedule with an end",
            template(
                "",
                &target(
                    ", ScheduledActions: [{ ScheduledActionName: x, Schedule: 'cron(0 8 * * ? \
                     *)', EndTime: 2027-01-01, ScalableTargetAction: { MinCapacity: 9 } }]",
                ),
                "",
            ),
            vec!["it has a start or end time"],
        ),
        (
            "a scaling plan",
            template(
                "",
                "      ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 5 }",
                "  Q: { Type: AWS::AutoScalingPlans::ScalingPlan }",
            ),
            vec!["the scaling plan Q, which is not supported"],
        ),
        (
            "a byte order mark",
            "\u{feff}{ \"Resources\": { \"T\": { \"Type\": \"AWS::Serverless::SimpleTable\" } } }"
                .to_string(),
            vec!["mode = \"on-demand\""],
        ),
    ];
    let mut wrong = Vec::new();
    for (what, text, expected) in rows {
        let name = if text.starts_with('\u{feff}') {
            "t.json"
        } else {
            "t.yaml"
        };
        let out = import_text("cloudformation", name, &text);
        wrong.extend(
            expected
                .iter()
                .filter(|line| !out.contains(**line))
                .map(|line| format!("{what}: {line} is not in\n{out}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (property, said) in [
        (
            "PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: enabled }",
            "PointInTimeRecoveryEnabled must be true or false, found \"enabled\"",
        ),
        (
            "TableClass: STANDARD_IA",
            "TableClass must be STANDARD or STANDARD_INFREQUENT_ACCESS, found \"STANDARD_IA\"",
        ),
        ("<<: 5", "<< merges the entries of a map, found a number"),
    ] {
        let scratch = tempfile::tempdir().expect("a folder");
        std::fs::write(
            scratch.path().join("t.yaml"),
            template("", &format!("{on_demand}      {property}"), ""),
        )
        .expect("the file");
        let (code, _, errors) = run_in(
            scratch.path(),
            &["estimate", "t.yaml", "--region", "us-east-1"],
        );
        assert!(
            code == 2 && errors.contains(said) && errors.contains("t.yaml:"),
            "{errors}"
        );
    }
    // A list parameter in a usage file, written as on AWS's command line or as an array.
    let scratch = tempfile::tempdir().expect("a folder");
    let loops = "Transform: AWS::LanguageExtensions\nParameters: { N: { Type: CommaDelimitedList \
                 } }\nResources:\n  Fn::ForEach::L: [Name, !Ref N, { '${Name}': { Type: \
                 AWS::Serverless::SimpleTable } }]\n";
    std::fs::write(scratch.path().join("t.yaml"), loops).expect("the file");
    for (given, expected) in [("\"One,Two\"", "Two"), ("[\"One\", \"Two\"]", "Two")] {
        std::fs::write(
            scratch.path().join("usage.toml"),
            format!("[parameters]\nN = {given}\n"),
        )
        .expect("the file");
        let (code, out, errors) = run_in(
            scratch.path(),
            &[
                "import",
                "cloudformation",
                "t.yaml",
                "--usage",
                "usage.toml",
            ],
        );
        assert!(
            code == 0 && out.contains(&format!("name          = \"{expected}\"")),
            "{out}{errors}"
        );
    }
}

#[test]
fn what_is_unknown_is_never_cheap() {
    let (code, text, _) = run_in(
        &samples(),
        &[
            "check",
            "plan.json",
            "--budget",
            "budget.toml",
            "--today",
            "2026-12-01",
        ],
    );
    assert_eq!(code, 2, "{text}");
    assert!(
        text.contains("the number and the size of the items") || text.contains("the read units"),
        "{text}"
    );
}

#[test]
fn a_finding_of_a_template_names_the_line_of_the_template() {
    let (_, text, _) = run_in(
        &samples(),
        &[
            "check",
            "stack.yaml",
            "--region",
            "us-east-1",
            "--budget",
            "total.toml",
            "--format",
            "json",
            "--today",
            "2026-12-01",
        ],
    );
    let json: Value = serde_json::from_str(&text).expect("JSON");
    let findings = json["findings"].as_array().expect("findings");
    let fixed = findings
        .iter()
        .find(|one| one["code"] == "no-auto-scaling" && one["table"] == "keyed")
        .expect("a finding");
    let template = std::fs::read_to_string(samples().join("stack.yaml")).expect("the template");
    let line = template
        .lines()
        .position(|line| line.contains("ReadCapacityUnits: 3,"))
        .expect("the units")
        + 1;
    assert_eq!(
        (&fixed["file"], &fixed["line"]),
        (&Value::from("stack.yaml"), &Value::from(line))
    );
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let folder = samples().join("bad");
    let scratch = tempfile::tempdir().expect("a folder");
    let binary = scratch.path().join("plan.bin");
    std::fs::write(&binary, b"PK\x03\x04\x14\x00tfplan").expect("the plan");
    let mut told = String::new();
    let estimate = [
        "state.json",
        "messages.json",
        "metrics.json",
        "other.json",
        "cut.json",
        "comment.json",
    ];
    let yaml = [
        "bomb.yaml",
        "deep.json",
        "deep.yaml",
        "alias.yaml",
        "duplicate.yaml",
        "indent.yaml",
        "two.yaml",
        "empty.yaml",
    ];
    let templates = [
        "conditions.yaml",
        "itself.yaml",
        "loop.yaml",
        "no-key.yaml",
        "words.yaml",
        "elsewhere.yaml",
        "twice.yaml",
        "chosen.yaml",
    ];
    let mut all: Vec<Vec<&str>> = estimate
        .iter()
        .chain(&yaml)
        .map(|file| vec!["estimate", file])
        .collect();
    all.extend(
        templates
            .iter()
            .map(|file| vec!["estimate", file, "--region", "us-east-1"]),
    );
    all.push(vec!["estimate", "good.yaml"]);
    all.push(vec!["import", "terraform", "good.yaml"]);
    all.push(vec!["import", "describe-table", "other.json"]);
    all.push(vec!["estimate", "units.json", "--region", "us-east-1"]);
    all.push(vec!["import", "describe-table", "two-regions.json"]);
    all.push(vec!["import", "describe-table", "whose.json"]);
    all.push(vec!["import", "describe-table", "targets.json"]);
    all.push(vec!["import", "model", "model.json"]);
    all.push(vec!["import", "export", "."]);
    for usage in [
        "syntax.toml",
        "keys.toml",
        "nobody.toml",
        "sizes.toml",
        "infracost.yml",
        "other.json",
    ] {
        all.push(vec![
            "estimate",
            "good.yaml",
            "--region",
            "us-east-1",
            "--usage",
            usage,
        ]);
    }
    all.push(vec!["import", "cloudformation", "good.yaml", "--before"]);
    all.push(vec![
        "estimate",
        "../../../workloads/shopping-cart.toml",
        "--usage",
        "keys.toml",
    ]);
    for arguments in &all {
        let (code, stdout, stderr) = run_in(&folder, arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains("help:"), "{arguments:?}: {stderr}");
        told += &format!("$ dynameter {}\n{stderr}\n", arguments.join(" "));
    }
    let (code, _, stderr) = run_in(scratch.path(), &["estimate", "plan.bin"]);
    assert_eq!(code, 2);
    told += &format!("$ dynameter estimate plan.bin\n{stderr}\n");
    let mut page = "# Errors in imported files\n\nGenerated by `tests/all/import.rs`: each error \
                    code, and the messages for the samples in `tests/import/bad`.\n\n| code | \
                    meaning |\n| --- | --- |\n"
        .to_string();
    page += &CODES
        .iter()
        .map(|(code, meaning)| format!("| `{code}` | {meaning} |\n"))
        .collect::<String>();
    page += &format!("\n```text\n{}\n```\n", told.trim_end());
    assert_eq!(
        support::golden(&support::root().join("docs/import-errors.md"), &page),
        None
    );
    let untold: Vec<&str> = CODES
        .iter()
        .map(|(code, _)| *code)
        .filter(|code| !told.contains(&format!("error[{code}]")))
        .collect();
    assert!(untold.is_empty(), "no sample for {untold:?}");
}

proptest! {
    /// No cut, no swapped character and no repeated part of a file makes an import panic.
    #[test]
    fn no_edit_of_a_file_makes_an_import_panic(which in 0_usize..6, from in 0.0_f64..1.0, length in 0_usize..80, to in 0.0_f64..1.0, with in "[\\[\\]{}:,&*!\"'$ \n-]{0,6}") {
        let names = ["plan.json", "stack.yaml", "describe.json", "toolkit.json", "awslabs.json", "infracost.yml"];
        let text = std::fs::read_to_string(samples().join(names[which])).expect("a sample");
        let at = |share: f64| (0..=((text.len() as f64) * share) as usize).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let (start, other) = (at(from), at(to));
        let end = (start..=(start + length).min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(start);
        let edited = format!("{}{with}{}", &text[..start], &text[end.max(start)..]);
        let usage = std::fs::read_to_string(samples().join("usage.toml")).expect("a sample");
        let cut = (0..=other.min(usage.len())).rev().find(|at| usage.is_char_boundary(*at)).unwrap_or(0);
        let asked = ImportOptions { region: Some("us-east-1".to_string()), usage: Some(Source::new("usage.toml", &usage[..cut])), ..ImportOptions::default() };
        if let Ok(Some(document)) = ImportDocument::read(&Source::new(names[which], edited)) {
            let _ = document.has_before();
            let _ = document.import(&asked);
            let _ = document.import(&ImportOptions { before: true, is_one_of_several: true, ..asked });
        }
    }
}

/// A model of AWS's toolkit with every key of the format.
fn toolkit_model() -> Value {
    let write = |id: &str, operation: &str| {
        json!({
            "pattern_id": id, "description": "writes", "operation": operation, "table": "Single",
            "peak_rps": 10, "estimated_item_size_bytes": 1_000, "items_per_request": 4,
            "item_sizes": [900, 2_000], "previous_item_size_bytes": 3_000,
            "attributes_written": ["status"], "entities_written": ["Order"],
            "conditional_fail_rate": 0.1, "non_existent_rate": 0.2, "write_action": "delete",
            "retention_days": 30,
        })
    };
    let read = |id: &str, operation: &str| {
        json!({
            "pattern_id": id, "description": "reads", "operation": operation, "table": "Single",
            "index": "ByStatus", "avg_rps": 5, "items_per_request": 7, "consistency": "eventual",
            "estimated_item_size_bytes": 1_000, "projection": ["status"], "filter": "total > 5",
            "non_existent_rate": 0.2,
        })
    };
    json!({
        "tables": [{
            "table_name": "Single", "table_class": "STANDARD_INFREQUENT_ACCESS",
            "global_tables": ["eu-west-1"],
            "key_schema": { "partition_key": "pk", "sort_key": "sk" },
            "attribute_definitions": [{ "name": "pk", "type": "N" }, { "name": "sk", "type": "S" }],
            "entities": [
                { "entity_name": "User", "estimated_item_size_bytes": 500,
                  "estimated_item_count": 1_000, "attributes": [{ "name": "pk", "type": "S" }] },
                { "entity_name": "Order", "estimated_item_size_bytes": 1_000,
                  "estimated_item_count": 5_000,
                  "attributes": [{ "name": "status", "type": "S" }, { "name": "at", "type": "S" }] },
            ],
            "gsis": [{ "index_name": "ByStatus", "partition_key": "status", "sort_key": "at",
                       "projection": { "type": "INCLUDE", "attributes": ["total"] } }],
            "vector_indexes": [{ "index_name": "ByMeaning", "vector_attribute": "v",
                "dimensions": 1_024, "distance_function": "COSINE",
                "projection": { "type": "KEYS_ONLY" },
                "search_schema": { "partition_key": "pk", "inline_filters": ["status"] },
                "estimated_indexed_items": 5_000 }],
        }],
        "access_patterns": [
            write("W1", "PutItem"), write("W2", "UpdateItem"), write("W3", "BatchWriteItem"),
            read("R1", "Query"),
            { "pattern_id": "V1", "description": "search", "operation": "SearchVectors",
              "table": "Single", "index": "ByMeaning", "peak_rps": 3, "top_k": 10 },
        ],
    })
}

/// Keys of the model that do not change a cost, each with the reason.
const FREE_KEYS: &[(&str, &str)] = &[
    ("filter", "a filter does not change what a read costs"),
    (
        "distance_function",
        "how vectors are compared does not change the cost",
    ),
    (
        "estimated_indexed_items",
        "the number of entries follows from the items",
    ),
];

/// A JSON value without a key, everywhere in it.
fn without_key(value: &Value, key: &str) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.iter().filter(|(name, _)| *name != key);
            Value::Object(
                kept.map(|(name, value)| (name.clone(), without_key(value, key)))
                    .collect(),
            )
        }
        Value::Array(array) => array.iter().map(|value| without_key(value, key)).collect(),
        other => other.clone(),
    }
}

/// The keys of a line of the reference: the words before and inside of its braces.
fn keys_of_format(line: &str) -> std::collections::BTreeSet<String> {
    line.split('`')
        .skip(3)
        .step_by(2)
        .flat_map(|part| part.split(|c: char| !(c.is_ascii_lowercase() || c == '_')))
        .filter(|word| !word.is_empty())
        .map(str::to_string)
        .collect()
}

#[test]
fn every_key_of_aws_model_is_read() {
    let Some(reference) = support::reference("every_key_of_aws_model_is_read") else {
        return;
    };
    let text = std::fs::read_to_string(reference.join("formats/FORMATS.md")).expect("FORMATS.md");
    let line = text
        .lines()
        .find(|line| line.starts_with("- aws/agent-toolkit-for-aws"))
        .expect("the model's line");
    let keys = keys_of_format(line);
    assert!(keys.len() > 40, "{keys:?}");
    let imported = |model: &Value| {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("model.json"), model.to_string()).expect("a file");
        let (code, text, errors) = run_in(
            folder.path(),
            &["import", "model", "model.json", "--region", "us-east-1"],
        );
        format!("{code}\n{text}\n{errors}")
    };
    let model = toolkit_model();
    let whole = imported(&model);
    assert!(whole.starts_with("0\n"), "{whole}");
    let wrong: Vec<String> = keys
        .iter()
        .filter(|key| FREE_KEYS.iter().all(|(free, _)| free != key))
        .filter(|key| imported(&without_key(&model, key)) == whole)
        .map(|key| format!("{key}: the import is the same without it"))
        .collect();
    assert!(wrong.is_empty(), "{}\n{whole}", wrong.join("\n"));
}
