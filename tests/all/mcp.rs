//! `mcp`: the commands as tools, spoken to line by line and by the official client.

use crate::support::{self, run_in};

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A server, with the connection of an agent.
struct Agent {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    calls: u64,
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Agent {
    fn new(root: &Path) -> Agent {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin("dynameter"))
            .args(["mcp", "--root", root.to_str().expect("UTF-8")])
            .env("DYNAMETER_REGION", "nowhere")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut agent = Agent {
            input: child.stdin.take().expect("an input"),
            output: BufReader::new(child.stdout.take().expect("an output")),
            child,
            calls: 0,
        };
        let begin = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        });
        let told = agent.request("initialize", &begin);
        assert_eq!(told["result"]["serverInfo"]["name"], "dynameter", "{told}");
        agent.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        agent
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.input, "{message}").expect("sent");
        self.input.flush().expect("sent");
    }

    fn request(&mut self, method: &str, params: &Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let mut line = String::new();
            assert!(
                self.output.read_line(&mut line).expect("a line") > 0,
                "an answer"
            );
            let answer: Value = serde_json::from_str(&line).expect("JSON");
            if answer["id"] == id {
                return answer;
            }
        }
    }

    /// Calls a tool; returns its answer, or the text of its error.
    fn call(&mut self, tool: &str, arguments: &Value) -> Result<Value, String> {
        let params = json!({ "name": tool, "arguments": arguments });
        let answer = self.request("tools/call", &params);
        let result = &answer["result"];
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        match result["isError"] == true {
            true => Err(text.to_string()),
            false => Ok(result["structuredContent"].clone()),
        }
    }
}

#[test]
fn tools_answer_what_the_command_line_does() {
    let folder = support::root().join("workloads");
    let mut agent = Agent::new(&folder);
    let listed = agent.request("tools/list", &json!({}));
    let tools = listed["result"]["tools"].as_array().expect("tools").clone();
    let names: Vec<&str> = tools
        .iter()
        .filter_map(|tool| tool["name"].as_str())
        .collect();
    assert_eq!(
        names,
        [
            "estimate", "explain", "compare", "headroom", "check", "diff", "import", "rules",
            "schema"
        ]
    );
    for tool in &tools {
        assert!(
            tool["description"]
                .as_str()
                .is_some_and(|text| text.ends_with('.')),
            "{tool}"
        );
        for (name, argument) in tool["inputSchema"]["properties"]
            .as_object()
            .expect("arguments")
        {
            assert!(argument["description"].is_string(), "{name}: {tool}");
        }
    }
    let iot = std::fs::read_to_string(folder.join("iot.toml")).expect("a design");
    let rows = [
        (
            "estimate",
            json!({ "files": ["iot.toml"] }),
            "estimate iot.toml",
        ),
        ("estimate", json!({ "text": iot }), "estimate iot.toml"),
        (
            "estimate",
            json!({ "files": ["."], "summary": true }),
            "estimate . --summary",
        ),
        (
            "explain",
            json!({ "files": ["iot.toml"], "prices": "2024-11-01" }),
            "explain iot.toml --prices 2024-11-01",
        ),
        (
            "compare",
            json!({ "files": ["iot.toml"] }),
            "compare iot.toml",
        ),
        (
            "headroom",
            json!({ "files": ["sessions.toml"] }),
            "headroom sessions.toml",
        ),
        (
            "diff",
            json!({ "old": "iot.toml", "new": "sessions.toml" }),
            "diff iot.toml sessions.toml",
        ),
        ("schema", json!({}), "schema"),
    ];
    for (tool, arguments, command) in rows {
        let found = agent
            .call(tool, &arguments)
            .unwrap_or_else(|error| panic!("{command}: {error}"));
        let mut own: Vec<&str> = command.split(' ').collect();
        own.extend(["--format", "json"]);
        let (code, stdout, stderr) = run_in(&folder, &own);
        assert_eq!(code, 0, "{stderr}");
        let expected: Value = serde_json::from_str(&stdout).expect("JSON");
        assert_eq!(found, expected, "{command}");
    }
    let rule = agent
        .call("rules", &json!({ "rule": "1.7" }))
        .expect("a rule");
    assert_eq!(rule["rules"][0]["rule"], "1.7");
    let rule = agent
        .call("rules", &json!({ "rule": 1.7 }))
        .expect("a rule");
    assert_eq!(rule["rules"].as_array().map(Vec::len), Some(1));
    let all = agent.call("rules", &json!({})).expect("rules");
    assert!(
        all["rules"]
            .as_array()
            .is_some_and(|rules| rules.len() > 50)
    );
}

#[test]
fn a_mistake_comes_back_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut agent = Agent::new(folder.path());
    let text = "name = \"x\"\nregon = \"eu-west-1\"\n[[table]]\nname = \"T01\"\nitms = 5\n";
    for (arguments, expected) in [
        (
            json!({ "text": text }),
            vec!["text.toml:2", "`regon`", "region", "text.toml:5", "items"],
        ),
        (
            json!({ "txt": text }),
            vec!["no argument \"txt\"", "it takes files, text"],
        ),
        (
            json!({ "files": "iot.toml" }),
            vec!["files must be a list of paths"],
        ),
        (
            json!({ "text": text, "months": "many" }),
            vec!["months must be a whole number"],
        ),
        (
            json!({ "text": text, "prices": "../books" }),
            vec!["prices must be a date"],
        ),
        (
            json!({ "text": text, "files": ["a.toml"] }),
            vec!["files and text are both given"],
        ),
        (
            json!({ "text": text, "region": "--output" }),
            vec!["begins with -"],
        ),
        (json!({}), vec!["estimate needs files or text"]),
    ] {
        let error = agent.call("estimate", &arguments).expect_err("a mistake");
        for expected in expected {
            let expected = expected.replace("text.toml", "text");
            assert!(error.contains(&expected), "{expected}: {error}");
        }
    }
    let unknown = json!({ "name": "price", "arguments": {} });
    let answer = agent.request("tools/call", &unknown);
    let message = answer["error"]["message"].as_str().expect("a message");
    assert!(
        message.contains("the tools are estimate, explain"),
        "{message}"
    );
}

#[test]
fn budgets_are_checked_and_imports_are_written_only_if_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let design = support::root().join("workloads/iot.toml");
    std::fs::copy(design, folder.path().join("iot.toml")).expect("copied");
    let mut agent = Agent::new(folder.path());
    let budget = "[[limit]]\nmonthly_usd = 5\n";
    let arguments = json!({ "files": ["iot.toml"], "budget_text": budget });
    let checked = agent
        .call("check", &arguments)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(checked["schema"], "dynameter.check/1", "{checked}");
    let unknown = support::root().join("workloads/payments.toml");
    std::fs::copy(unknown, folder.path().join("payments.toml")).expect("copied");
    let arguments =
        json!({ "files": ["payments.toml"], "budget_text": "[[limit]]\nmonthly_usd = 5000\n" });
    let checked = agent
        .call("check", &arguments)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(checked["status"], "unknown", "{checked}");
    std::fs::remove_file(folder.path().join("payments.toml")).expect("removed");

    let described = json!({ "Table": {
        "TableName": "Orders",
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "BillingModeSummary": { "BillingMode": "PAY_PER_REQUEST" },
        "TableArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders",
    }});
    let mut arguments = json!({ "kind": "describe-table", "text": described.to_string() });
    let imported = agent.call("import", &arguments).expect("a workload");
    let toml = imported["toml"].as_str().expect("a text");
    assert!(
        toml.contains("name          = \"Orders\"") || toml.contains("\"Orders\""),
        "{toml}"
    );
    let files = || std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(files(), 1);
    arguments["output"] = json!("orders.toml");
    agent.call("import", &arguments).expect("a workload");
    let written = std::fs::read_to_string(folder.path().join("orders.toml")).expect("a file");
    assert!(written.contains("\"Orders\""), "{written}");
    // What is there is not replaced.
    let error = agent.call("import", &arguments).expect_err("it is there");
    assert!(error.contains("orders.toml"), "{error}");
}

#[cfg(unix)]
#[test]
fn nothing_outside_of_the_folder_is_read_or_written() {
    let outside = tempfile::tempdir().expect("a folder");
    let root = outside.path().join("root");
    std::fs::create_dir(&root).expect("a folder");
    let design = support::root().join("workloads/iot.toml");
    let secret = outside.path().join("secret.toml");
    std::fs::copy(&design, &secret).expect("copied");
    std::fs::write(
        outside.path().join("dynameter.toml"),
        "region = \"nowhere\"\n",
    )
    .expect("written");
    std::os::unix::fs::symlink(&secret, root.join("link.toml")).expect("a link");
    std::fs::write(
        root.join("export.toml"),
        "name = \"x\"\nregion = \"us-east-1\"\n[[table]]\nname = \"T01\"\n\
         partition_key = { name = \"pk\" }\nitem.export = \"../export\"\n",
    )
    .expect("written");
    let catalog = support::root().join("workloads/catalog-export");
    std::os::unix::fs::symlink(&catalog, outside.path().join("export")).expect("a link");
    let mut agent = Agent::new(&root);
    let secret = secret.to_str().expect("UTF-8");
    for arguments in [
        json!({ "files": ["../secret.toml"] }),
        json!({ "files": [secret] }),
        json!({ "files": ["link.toml"] }),
        json!({ "files": ["export.toml"] }),
        json!({ "files": ["git:HEAD:iot.toml"] }),
        json!({ "files": ["s3://bucket/iot.toml"] }),
        json!({ "files": ["-"] }),
        json!({ "files": ["root/../../secret.toml"] }),
        json!({ "text": "name = \"x\"", "usage": "../secret.toml" }),
    ] {
        let error = agent
            .call("estimate", &arguments)
            .expect_err("nothing is read");
        let is_refused =
            error.contains("is not below the folder") || error.contains("lies outside");
        assert!(is_refused, "{arguments}: {error}");
    }
    std::os::unix::fs::symlink(outside.path(), root.join("linked")).expect("a link");
    let made = std::process::Command::new("mkfifo")
        .arg(root.join("pipe.toml"))
        .status();
    assert!(made.is_ok_and(|status| status.success()));
    let error = agent
        .call("estimate", &json!({ "files": ["pipe.toml"] }))
        .expect_err("a pipe");
    assert!(error.contains("not a regular file"), "{error}");
    let template = "AWSTemplateFormatVersion: 2010-09-09\nResources: {}\n";
    for arguments in [
        json!({ "kind": "account" }),
        json!({ "kind": "account", "files": ["."] }),
        json!({ "files": ["account"] }),
        json!({ "kind": "describe-table", "files": ["account"] }),
        json!({ "kind": "cloudformation", "text": template, "output": "linked/made.toml" }),
    ] {
        let error = agent.call("import", &arguments);
        assert!(error.is_err(), "{arguments}: {error:?}");
    }
    let arguments = json!({ "kind": "terraform", "text": "{}", "output": "../made.toml" });
    assert!(agent.call("import", &arguments).is_err());
    assert!(!outside.path().join("made.toml").exists());
    // A file of defaults above the folder is as if it were not there.
    std::fs::copy(&design, root.join("iot.toml")).expect("copied");
    let estimate = agent.call("estimate", &json!({ "files": ["iot.toml"] }));
    estimate.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_official_client_is_answered() {
    let python = std::env::var_os("DYNAMETER_PYTHON").unwrap_or_else(|| "python3".into());
    let has = Command::new(&python)
        .args(["-c", "import mcp"])
        .stderr(Stdio::null())
        .status();
    if !has.is_ok_and(|status| status.success()) {
        let python = Path::new(&python).display();
        eprintln!("SKIPPED the_official_client_is_answered: install mcp for {python}");
        return;
    }
    let folder = support::root().join("workloads");
    let output = Command::new(&python)
        .arg(support::root().join("tests/mcp/client.py"))
        .arg(assert_cmd::cargo::cargo_bin("dynameter"))
        .arg(&folder)
        .output()
        .expect("Python");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(found["server"], "dynameter");
    assert_eq!(found["tools"].as_array().map(Vec::len), Some(9));
    assert_eq!(found["is_error"], json!([false, true]));
    let (_, stdout, _) = run_in(&folder, &["estimate", "iot.toml", "--format", "json"]);
    let expected: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(found["estimate"], expected);
    assert!(
        found["short"]
            .as_str()
            .is_some_and(|text| text.contains(" a month")),
        "{found}"
    );
    assert!(
        found["wrong"]
            .as_str()
            .is_some_and(|text| text.contains("regon")),
        "{found}"
    );
}
