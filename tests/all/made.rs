//! A workload file made of a request log: its estimate is what the replay says.

use std::process::Command;

use serde_json::{Value, json};

use crate::support;

/// A request log of a shop in one table: the same for the same number.
fn log(seed: u64) -> String {
    let mut state = seed;
    // A linear congruential generator; the test needs variety, not quality.
    let mut below = move |most: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % most
    };
    let text = |text: String| json!({ "S": text });
    let key = |user: u64, sort: String| json!({ "PK": { "S": format!("CUSTOMER#{user:06}") }, "SK": { "S": sort } });
    let with = |key: Value, more: Value| {
        let mut item = key;
        let object = item.as_object_mut().expect("an item");
        object.extend(more.as_object().expect("attributes").clone());
        item
    };
    let definitions =
        ["PK", "SK", "Queue"].map(|name| json!({ "AttributeName": name, "AttributeType": "S" }));
    let mut lines = vec![
        json!({ "time": "2024-01-01T00:00:00Z", "operation": "CreateTable", "request": {
            "TableName": "Shop", "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{ "AttributeName": "PK", "KeyType": "HASH" }, { "AttributeName": "SK", "KeyType": "RANGE" }],
            "AttributeDefinitions": definitions,
            "GlobalSecondaryIndexes": [{ "IndexName": "Open", "KeySchema": [{ "AttributeName": "Queue", "KeyType": "HASH" }],
                "Projection": { "ProjectionType": "ALL" } }],
        } }),
    ];
    let mut seconds = 0;
    let mut call = |operation: &str, request: Value| {
        seconds += 1;
        let time = format!(
            "2024-01-01T{:02}:{:02}:{:02}Z",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        );
        lines.push(json!({ "time": time, "operation": operation, "request": request }));
    };
    for user in 0..40 {
        let item = with(
            key(user, "PROFILE".into()),
            json!({ "Name": { "S": "n".repeat(20) } }),
        );
        call("PutItem", json!({ "TableName": "Shop", "Item": item }));
    }
    let mut open = Vec::new();
    for number in 0..900_u64 {
        let user = below(40);
        match below(10) {
            0..=2 => {
                let order = format!("{number:08}");
                let item = with(
                    key(user, format!("ORDER#{order}")),
                    json!({ "Queue": { "S": "OPEN" }, "Note": { "S": "x".repeat(800) } }),
                );
                let mut puts = vec![json!({ "PutRequest": { "Item": item } })];
                for line in 0..1 + below(4) {
                    let line = key(user, format!("LINE#{order}#{line}"));
                    let item = with(line, json!({ "Product": { "S": "p".repeat(24) } }));
                    puts.push(json!({ "PutRequest": { "Item": item } }));
                }
                call(
                    "BatchWriteItem",
                    json!({ "RequestItems": { "Shop": puts } }),
                );
                open.push((user, order));
            }
            3..=4 if !open.is_empty() => {
                let at = usize::try_from(below(open.len() as u64)).expect("a position");
                let (user, order) = open.swap_remove(at);
                call(
                    "UpdateItem",
                    json!({
                        "TableName": "Shop", "Key": key(user, format!("ORDER#{order}")),
                        "UpdateExpression": "SET Shipped = :now REMOVE Queue",
                        "ExpressionAttributeValues": { ":now": text("2024-01-01T00:00:00Z".into()) },
                    }),
                );
            }
            5 => call(
                "Query",
                json!({
                    "TableName": "Shop", "KeyConditionExpression": "PK = :p AND begins_with(SK, :s)", "Limit": 10,
                    "ExpressionAttributeValues": { ":p": text(format!("CUSTOMER#{user:06}")), ":s": text("ORDER#".into()) },
                }),
            ),
            6 => call(
                "Query",
                json!({
                    "TableName": "Shop", "IndexName": "Open", "KeyConditionExpression": "Queue = :q", "Limit": 25,
                    "ExpressionAttributeValues": { ":q": text("OPEN".into()) },
                }),
            ),
            7 => call(
                "GetItem",
                json!({
                    "TableName": "Shop", "Key": key(below(44), "PROFILE".into()), "ConsistentRead": true,
                }),
            ),
            _ => {
                let seen = json!({ "Update": {
                    "TableName": "Shop", "Key": key(user, "PROFILE".into()), "UpdateExpression": "SET Seen = :n",
                    "ExpressionAttributeValues": { ":n": { "N": number.to_string() } },
                } });
                let event = with(
                    key(user, format!("EVENT#{number}")),
                    json!({ "What": { "S": "login" } }),
                );
                let event = json!({ "Put": { "TableName": "Shop", "Item": event } });
                call(
                    "TransactWriteItems",
                    json!({ "TransactItems": [seen, event] }),
                );
            }
        }
    }
    lines.iter().map(|line| line.to_string() + "\n").collect()
}

/// A log in which an index key comes and goes: no item has it at the end, and all items of one
/// entity are deleted again.
fn log_of_what_does_not_last() -> String {
    let definitions =
        ["PK", "Queue"].map(|name| json!({ "AttributeName": name, "AttributeType": "S" }));
    let table = json!({
        "TableName": "Shop", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{ "AttributeName": "PK", "KeyType": "HASH" }],
        "AttributeDefinitions": definitions,
        "GlobalSecondaryIndexes": [{ "IndexName": "Open", "KeySchema": [{ "AttributeName": "Queue", "KeyType": "HASH" }],
            "Projection": { "ProjectionType": "KEYS_ONLY" } }],
    });
    let update = |key: String, expression: &str, values: Value| {
        let mut request = json!({ "TableName": "Shop", "Key": { "PK": { "S": key } }, "UpdateExpression": expression });
        if values != json!({}) {
            request["ExpressionAttributeValues"] = values;
        }
        ("UpdateItem", request)
    };
    let status = |number: usize| json!({ ":s": { "S": format!("s{}", number % 7) } });
    let mut calls = vec![("CreateTable", table)];
    for (kind, count) in [("ORDER", 40), ("CART", 5)] {
        calls.extend((0..count).map(|number| {
            let item =
                json!({ "PK": { "S": format!("{kind}#{number:04}") }, "Status": { "S": "new" } });
            ("PutItem", json!({ "TableName": "Shop", "Item": item }))
        }));
    }
    let order = |number: usize| format!("ORDER#{number:04}");
    calls.extend(
        (0..120).map(|number| update(order(number % 40), "SET Status = :s", status(number))),
    );
    let queued = json!({ ":q": { "S": "OPEN" } });
    calls.extend((0..10).map(|number| update(order(number), "SET Queue = :q", queued.clone())));
    let select = json!({ "Statement": "SELECT * FROM \"Shop\".\"Open\" WHERE \"Queue\" = 'OPEN'" });
    calls.push(("ExecuteStatement", select));
    calls.extend((0..10).map(|number| update(order(number), "REMOVE Queue", json!({}))));
    calls.extend((0..5).map(|number| {
        let key = json!({ "PK": { "S": format!("CART#{number:04}") } });
        ("DeleteItem", json!({ "TableName": "Shop", "Key": key }))
    }));
    let lines = calls
        .iter()
        .enumerate()
        .map(|(second, (operation, request))| {
            let time = format!("2024-01-01T00:{:02}:{:02}Z", second / 60, second % 60);
            json!({ "time": time, "operation": operation, "request": request }).to_string() + "\n"
        });
    lines.collect()
}

/// Runs the binary; returns its output, its errors and its exit code.
fn run(arguments: &[&str]) -> (String, String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_dynameter"))
        .args(arguments)
        .output()
        .expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("an exit code");
    (text(output.stdout), text(output.stderr), code)
}

/// Units of the month by index and direction.
fn units(lines: &Value) -> [(String, f64); 4] {
    let sum = |index: Value, usage: &str| -> f64 {
        let lines = lines.as_array().expect("lines").iter();
        let own = lines.filter(|line| line["index"] == index && line["usage_type"] == usage);
        own.map(|line| {
            line["quantity"]
                .as_str()
                .expect("text")
                .parse::<f64>()
                .expect("a number")
        })
        .sum()
    };
    [
        ("table, reads".into(), sum(Value::Null, "ReadRequestUnits")),
        (
            "table, writes".into(),
            sum(Value::Null, "WriteRequestUnits"),
        ),
        (
            "index, reads".into(),
            sum("Open".into(), "ReadRequestUnits"),
        ),
        (
            "index, writes".into(),
            sum("Open".into(), "WriteRequestUnits"),
        ),
    ]
}

#[test]
fn the_workload_made_of_a_log_costs_what_the_log_costs() {
    let shop = ["Event", "Line", "Order", "Customer"].as_slice();
    let logs = [1, 2, 3].map(|seed| (format!("seed {seed}"), log(seed), shop));
    let brief = (
        "what does not last".to_string(),
        log_of_what_does_not_last(),
        [].as_slice(),
    );
    for (which, text, entities) in logs.into_iter().chain([brief]) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (trace, made) = (path("log.ndjson"), path("made.toml"));
        std::fs::write(&trace, text).expect("the log");
        let replay = [
            "replay",
            &trace,
            "--write-workload",
            &made,
            "--format",
            "json",
        ];
        let (replayed, errors, code) = run(&replay);
        assert_eq!(code, 0, "{errors}");
        let replayed: Value = serde_json::from_str(&replayed).expect("JSON");
        let found = replayed["entities"].as_array().into_iter().flatten();
        let names: Vec<&str> = found
            .map(|one| one["entity"].as_str().expect("a name"))
            .filter(|_| !entities.is_empty())
            .collect();
        assert_eq!(names, entities, "{which}");
        let (estimated, errors, code) = run(&["estimate", &made, "--format", "json"]);
        assert_eq!(
            code,
            0,
            "{errors}\n{}",
            std::fs::read_to_string(&made).expect("the file")
        );
        let estimated: Value = serde_json::from_str(&estimated).expect("JSON");
        for ((what, said), (_, found)) in units(&replayed["lines"])
            .into_iter()
            .zip(units(&estimated["lines"]))
        {
            assert!(
                // Sizes are means of all items of an entity, not of those in the index.
                (said - found).abs() <= said / 50.0,
                "{which}, {what}: {said} in the trace, {found} in the workload"
            );
        }
        // The same calls, told apart by the entities of the file.
        let again = run(&["replay", &trace, "--workload", &made, "--format", "json"]);
        assert_eq!(again.2, 0, "{}", again.1);
        let (_, errors, code) = run(&["replay", &trace, "--write-workload", &made]);
        assert!(code == 2 && errors.contains("exists"), "{errors}");
    }
}

#[test]
fn a_trace_without_items_makes_no_workload() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = folder.path().join("made.toml").display().to_string();
    let columns = support::root()
        .join("traces/columns.csv")
        .display()
        .to_string();
    let workload = support::root()
        .join("traces/orders.toml")
        .display()
        .to_string();
    let (_, errors, code) = run(&[
        "replay",
        &columns,
        "-w",
        &workload,
        "--write-workload",
        &made,
    ]);
    assert_eq!(code, 2, "{errors}");
    assert!(
        errors.contains("does not have the items") && errors.contains("give a request log"),
        "{errors}"
    );
}
