//! Plans as Terraform with the AWS provider makes them: the configurations in `tests/terraform`, each
//! planned three times (created, changed, settled) and checked with one usage file.
//!
//! Where Terraform and the provider are on the machine, the plans are made anew and compared with the
//! committed ones.

use crate::support::{self, run_in};

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};

/// The steps of a configuration: the file that is planned, and the plan.
const STEPS: [(&str, &str); 3] = [
    ("before.tf", "created.plan.json"),
    ("after.tf", "changed.plan.json"),
    ("after.tf", "settled.plan.json"),
];

const CONFIGURATIONS: [&str; 2] = ["shop", "last"];

fn folder(configuration: &str) -> PathBuf {
    support::root().join("tests/terraform").join(configuration)
}

/// The result of a check of a plan: its exit code and its JSON.
fn checked(configuration: &str, plan: &str) -> (i32, Value) {
    let folder = folder(configuration);
    let (code, stdout, stderr) = run_in(
        &folder,
        &[
            "check",
            plan,
            "--usage",
            "usage.toml",
            "--budget",
            "../budget.toml",
            "--format",
            "json",
            "--partial",
        ],
    );
    let json = serde_json::from_str(&stdout);
    (code, json.unwrap_or_else(|_| panic!("{plan}: {stderr}")))
}

fn dollars(json: &Value, key: &str) -> f64 {
    json[key]
        .as_str()
        .expect("dollars")
        .parse()
        .expect("a number")
}

#[test]
fn one_usage_file_does_before_during_and_after_a_change() {
    for configuration in CONFIGURATIONS {
        let [created, changed, settled] = STEPS.map(|(_, plan)| {
            let (code, json) = checked(configuration, plan);
            assert_eq!(code, 0, "{configuration}/{plan}: {json:#}");
            assert_eq!(json["unknown"], "0", "{configuration}/{plan}: {json:#}");
            assert_eq!(json["unread"], json!([]), "{configuration}/{plan}");
            json
        });
        // Nothing is there before the first plan, and nothing changes in the last.
        assert_eq!(created["before_usd"], "0");
        assert_eq!(
            created["total_usd"], changed["before_usd"],
            "{configuration}"
        );
        // What Terraform forgets costs money for the last time.
        let forgotten = if configuration == "shop" {
            3.515546260442
        } else {
            0.0
        };
        let left = dollars(&changed, "total_usd") - dollars(&settled, "before_usd");
        assert!((left - forgotten).abs() < 1e-6, "{configuration}: {left}");
        assert_eq!(settled["delta_usd"], "0", "{configuration}");
    }
    let (_, gone) = checked("last", "changed.plan.json");
    assert_eq!(gone["total_usd"], "0");
}

/// What each table costs before and after the change in `shop`.
#[test]
fn every_change_of_a_table_moves_its_cost() {
    let folder = folder("shop");
    let totals = |more: &[&str]| -> Map<String, Value> {
        let scratch = tempfile::tempdir().expect("a folder");
        let design = scratch.path().join("design.toml");
        let path = design.to_string_lossy().into_owned();
        let plan = "changed.plan.json";
        let import = ["import", "terraform", plan, "--usage", "usage.toml", "-o"];
        let import = [&import[..], &[path.as_str()], more].concat();
        let (code, _, stderr) = run_in(&folder, &import);
        assert_eq!(code, 0, "{stderr}");
        let (code, stdout, stderr) = run_in(&folder, &["estimate", &path, "--format", "json"]);
        assert_eq!(code, 0, "{stderr}");
        let json: Value = serde_json::from_str(&stdout).expect("JSON");
        let tables = json["tables"].as_array().expect("tables").clone();
        let table = |one: Value| {
            let name = one["table"].as_str().expect("a name").to_string();
            (name, one["total_usd"].clone())
        };
        tables.into_iter().map(table).collect()
    };
    let (before, after) = (totals(&["--before"]), totals(&[]));
    let cost = |tables: &Map<String, Value>, name: &str| -> Option<f64> {
        Some(tables.get(name)?.as_str()?.parse().expect("a number"))
    };
    for (table, change) in [
        ("plain", "same"),
        ("indexed", "more"),
        ("capacity", "more"),
        ("deleted", "gone"),
        ("replaced", "same"),
        ("renamed", "gone"),
        ("renamed-v2", "new"),
        ("moved", "same"),
        ("forgotten", "same"),
        ("new", "new"),
        ("each-a", "same"),
        ("each-c", "new"),
        ("counted-0", "same"),
        ("counted-1", "gone"),
        ("of-module", "more"),
        ("global", "more"),
        ("scaled", "more"),
        ("kept", "more"),
        ("encrypted", "more"),
    ] {
        let found = match (cost(&before, table), cost(&after, table)) {
            (Some(before), Some(after)) if after > before => "more",
            (Some(before), Some(after)) if after < before => "less",
            (Some(_), Some(_)) => "same",
            (None, Some(_)) => "new",
            (Some(_), None) => "gone",
            (None, None) => "nowhere",
        };
        assert_eq!(found, change, "{table}");
    }
    let (_, json) = checked("shop", "changed.plan.json");
    let difference: f64 = before
        .keys()
        .map(|name| cost(&before, name).expect("a cost"))
        .sum();
    assert!((difference - dollars(&json, "before_usd")).abs() < 1e-6);
}

/// The plan that Terraform makes of a step; `None` without Terraform or the provider.
fn planned(folder: &Path, scratch: &Path, file: &str, state: &Value) -> Option<Value> {
    let plugins = Path::new("/opt/tf-plugins");
    if !plugins.is_dir() {
        return None;
    }
    let copy = |from: &Path, to: &Path| std::fs::copy(from, to).expect("a copy");
    copy(&folder.join("provider.tf"), &scratch.join("provider.tf"));
    copy(&folder.join(file), &scratch.join("main.tf"));
    let module = Path::new("modules/table/main.tf");
    if folder.join(module).is_file() {
        std::fs::create_dir_all(scratch.join("modules/table")).expect("a folder");
        copy(&folder.join(module), &scratch.join(module));
    }
    std::fs::write(scratch.join("terraform.tfstate"), state.to_string()).expect("the state");
    let terraform = |arguments: &[&str]| {
        Command::new("terraform")
            .args(arguments)
            .current_dir(scratch)
            .env_remove("TF_CLI_CONFIG_FILE")
            .output()
            .ok()
    };
    let init = format!("-plugin-dir={}", plugins.display());
    let init = terraform(&["init", "-input=false", &init])?;
    assert!(
        init.status.success(),
        "{}",
        String::from_utf8_lossy(&init.stderr)
    );
    let plan = terraform(&["plan", "-refresh=false", "-input=false", "-out=plan.bin"])?;
    assert!(
        plan.status.success(),
        "{}",
        String::from_utf8_lossy(&plan.stderr)
    );
    let shown = terraform(&["show", "-json", "plan.bin"])?;
    let mut plan: Value = serde_json::from_slice(&shown.stdout).expect("a plan");
    // What differs from run to run.
    plan["timestamp"] = Value::from("2026-11-29T00:00:00Z");
    if let Some(attributes) = plan["relevant_attributes"].as_array_mut() {
        attributes.sort_by_key(Value::to_string);
    }
    Some(plan)
}

/// The state after a plan is applied, with values in the place of those that AWS computes.
fn applied(plan: &Value) -> Value {
    let mut resources: Vec<Value> = Vec::new();
    let changes = plan["resource_changes"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let root = &plan["planned_values"]["root_module"];
    let mut modules = vec![root];
    while let Some(module) = modules.pop() {
        modules.extend(module["child_modules"].as_array().into_iter().flatten());
        for resource in module["resources"].as_array().into_iter().flatten() {
            let address = &resource["address"];
            let change = changes.iter().find(|change| change["address"] == *address);
            let mut values = resource["values"].clone();
            if let Some(change) = change {
                fill(&mut values, &change["change"]["after_unknown"], resource);
            }
            let mut instance = json!({
                "schema_version": resource["schema_version"],
                "attributes": values,
                "sensitive_attributes": [],
            });
            if !resource["index"].is_null() {
                instance["index_key"] = resource["index"].clone();
            }
            let key = |one: &Value| {
                (
                    one["module"].clone(),
                    one["type"].clone(),
                    one["name"].clone(),
                )
            };
            let mut own = json!({
                "mode": "managed",
                "type": resource["type"],
                "name": resource["name"],
                "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
                "instances": [],
            });
            if let Some(address) = module["address"].as_str() {
                own["module"] = Value::from(address);
            }
            let at = resources.iter().position(|known| key(known) == key(&own));
            let at = at.unwrap_or_else(|| {
                resources.push(own);
                resources.len() - 1
            });
            resources[at]["instances"]
                .as_array_mut()
                .expect("a list")
                .push(instance);
        }
    }
    json!({
        "version": 4,
        "terraform_version": plan["terraform_version"],
        "serial": 1,
        "lineage": "00000000-0000-0000-0000-000000000000",
        "outputs": {},
        "resources": resources,
        "check_results": null,
    })
}

/// Sets what a plan does not know.
fn fill(values: &mut Value, unknown: &Value, resource: &Value) {
    match (&mut *values, unknown) {
        (Value::Object(values), Value::Object(unknown)) => {
            for (key, unknown) in unknown {
                if unknown == &Value::Bool(true) {
                    values.insert(key.clone(), computed(key, resource));
                } else if let Some(value) = values.get_mut(key) {
                    fill(value, unknown, resource);
                }
            }
        }
        (Value::Array(values), Value::Array(unknown)) => {
            for (value, unknown) in values.iter_mut().zip(unknown) {
                if unknown == &Value::Bool(true) {
                    // The only list with such elements: what a backup selection selects.
                    *value = computed("selected", resource);
                } else {
                    fill(value, unknown, resource);
                }
            }
        }
        _ => {}
    }
}

/// A value as AWS computes it.
fn computed(key: &str, resource: &Value) -> Value {
    let name = resource["values"]["name"].as_str();
    let name = name.unwrap_or(resource["name"].as_str().unwrap_or_default());
    let is_table = resource["type"] == "aws_dynamodb_table";
    let arn = match is_table {
        true => format!("arn:aws:dynamodb:eu-west-1:111122223333:table/{name}"),
        false => format!("arn:aws:service:eu-west-1:111122223333:{name}"),
    };
    match key {
        "id" if is_table => Value::from(name),
        "arn" | "kms_key_arn" | "function_arn" => Value::from(arn),
        "stream_arn" => Value::from(format!("{arn}/stream/2026-11-01T00:00:00.000")),
        "resource_id" | "event_source_arn" => {
            // What they refer to is computed by another resource.
            let of = if key == "resource_id" {
                "table/scaled"
            } else {
                ""
            };
            let stream = "arn:aws:dynamodb:eu-west-1:111122223333:table/global/stream/2026-11-01T00:00:00.000";
            Value::from(if of.is_empty() { stream } else { of })
        }
        "plan_id" => Value::from("daily"),
        "selected" => Value::from("arn:aws:dynamodb:eu-west-1:111122223333:table/kept"),
        "read_capacity" | "write_capacity" | "recovery_period_in_days" => Value::from(0),
        "point_in_time_recovery" => json!([{ "enabled": false, "recovery_period_in_days": 0 }]),
        "ttl" => json!([{ "attribute_name": "", "enabled": false }]),
        "server_side_encryption" | "not_resources" => json!([]),
        "stream_label" | "stream_view_type" | "kms_key_id" | "key_id" => Value::from(""),
        "id" => Value::from(name),
        _ => Value::Null,
    }
}

#[test]
fn the_committed_plans_are_those_that_terraform_makes() {
    let mut wrong = Vec::new();
    for configuration in CONFIGURATIONS {
        let folder = folder(configuration);
        let mut state = json!({
            "version": 4, "terraform_version": "1.11.4", "serial": 1,
            "lineage": "00000000-0000-0000-0000-000000000000",
            "outputs": {}, "resources": [], "check_results": null,
        });
        let scratch = tempfile::tempdir().expect("a folder");
        for (file, name) in STEPS {
            let Some(plan) = planned(&folder, scratch.path(), file, &state) else {
                eprintln!(
                    "skipped: terraform, or its AWS provider in /opt/tf-plugins, is not on this machine"
                );
                return;
            };
            state = applied(&plan);
            let path = folder.join(name);
            let text = plan.to_string() + "\n";
            if std::env::var_os("DYNAMETER_BLESS").is_some() {
                std::fs::write(&path, text).expect("the plan");
                continue;
            }
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            let committed: Value = serde_json::from_str(&committed).unwrap_or_default();
            if committed != plan {
                wrong.push(format!("{configuration}/{name}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "Terraform plans something else: {}\nhelp: if it is right, run the tests with DYNAMETER_BLESS=1",
        wrong.join(", ")
    );
}
