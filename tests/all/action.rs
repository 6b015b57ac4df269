//! The GitHub action: its scripts are run here as a runner runs them, with a release and a `gh` that
//! are made up.

use crate::support;

use std::path::Path;
use std::process::{Command, Output};

/// A runner with a repository and the files that it gives to scripts.
struct Runner {
    folder: tempfile::TempDir,
}

impl Runner {
    fn new() -> Runner {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["repository/infra", "temp", "bin"] {
            std::fs::create_dir_all(folder.path().join(name)).expect("a folder");
        }
        let runner = Runner { folder };
        runner.write("repository/infra/design.toml", &design("10"));
        runner.write("repository/infra/other.toml", &design("20"));
        runner.write(
            "repository/infra/budget.toml",
            "[[limit]]\nname = \"all\"\nmonthly_usd = 15\n[[limit]]\nname = \"a change\"\nincrease_usd = 1\n",
        );
        let dynameter = Path::new(env!("CARGO_BIN_EXE_dynameter"));
        let link = runner.path("bin/dynameter");
        std::os::unix::fs::symlink(dynameter, link).expect("the command");
        runner
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file");
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// A program, which scripts find before others if it is in `bin`. Another process writes it: a file that
    /// this one has open for writing cannot be executed ("Text file busy"), and a process that another test
    /// starts at that moment inherits it.
    fn program(&self, name: &str, script: &str) {
        let done = Command::new("bash")
            .args(["-c", r#"printf '%s' "$2" > "$1" && chmod +x "$1""#, "bash"])
            .arg(self.path(name))
            .arg(script)
            .status();
        assert!(done.expect("bash runs").success(), "{name}");
    }

    fn run(&self, script: &str, variables: &[(&str, &str)]) -> Output {
        let path = std::env::var("PATH").unwrap_or_default();
        let temp = self.path("temp");
        Command::new("bash")
            .arg(support::root().join("action").join(script))
            .current_dir(self.path("repository"))
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("GITHUB_WORKSPACE", self.path("repository"))
            .env("GITHUB_OUTPUT", temp.join("output"))
            .env("GITHUB_STEP_SUMMARY", temp.join("summary"))
            .env("GITHUB_PATH", temp.join("path"))
            .env("RUNNER_TEMP", &temp)
            .env("RUNNER_OS", "Linux")
            .env("RUNNER_ARCH", "X64")
            .envs(variables.iter().copied())
            .output()
            .expect("bash runs")
    }
}

fn design(units: &str) -> String {
    format!(
        "name = \"Orders\"\nregion = \"us-east-1\"\n[[table]]\nname = \"Orders\"\nitems = 1000\n\
         item.size = \"1 KB\"\npartition_key = {{ name = \"pk\" }}\n[table.capacity]\nmode = \
         \"provisioned\"\nread = {units}\nwrite = {units}\n"
    )
}

#[test]
fn a_check_writes_everything_whatever_the_answer_is() {
    for (workloads, budget, baseline, code, says) in [
        // Two designs of one folder, by a pattern; paths are relative to the repository.
        ("*.toml", "other-budget.toml", "", "2", "not TOML"),
        (
            "design.toml other.toml",
            "budget.toml",
            "",
            "1",
            "over budget: $17.08",
        ),
        (
            "design.toml\n\nother.toml\n",
            "budget.toml",
            "",
            "1",
            "over budget: $17.08",
        ),
        (
            "design.toml",
            "budget.toml",
            "",
            "0",
            "within budget: $5.69",
        ),
        // A new file is $0 before.
        ("design.toml", "budget.toml", "HEAD", "1", "+$5.69"),
        (
            "design.toml",
            "budget.toml",
            "origin/main",
            "2",
            "fetch-depth: 0",
        ),
    ] {
        let runner = Runner::new();
        runner.write("repository/infra/other-budget.toml", "not TOML at all");
        for arguments in [
            vec!["init", "--quiet"],
            vec![
                "-c",
                "user.name=x",
                "-c",
                "user.email=x@x",
                "commit",
                "--quiet",
                "--allow-empty",
                "-m",
                "x",
            ],
        ] {
            let git = Command::new("git")
                .args(&arguments)
                .current_dir(runner.path("repository"))
                .status();
            assert!(git.expect("git").success());
        }
        let output = runner.run(
            "check.sh",
            &[
                ("WORKLOADS", workloads),
                ("BUDGET", budget),
                ("BASELINE", baseline),
                ("WORKING_DIRECTORY", "infra"),
                ("SARIF", "dynameter.sarif"),
                ("COMMENT_KEY", "orders"),
            ],
        );
        let all = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{workloads}: {all}");
        let written = runner.read("temp/output");
        assert!(
            written.contains(&format!("code={code}\n")),
            "{workloads}: {written}\n{all}"
        );
        let report = runner.read("temp/dynameter.md");
        assert!(
            report.starts_with("<!-- dynameter orders -->\n"),
            "{report}"
        );
        assert_eq!(report, runner.read("temp/summary"));
        let told = report.clone() + &all;
        let is_told = match says {
            "not TOML" => told.contains("invalid TOML") || told.contains("error["),
            says => told.contains(says),
        };
        assert!(is_told, "{workloads}: {says} in\n{told}");
        if code == "1" {
            assert!(all.contains("file=infra/"), "{all}");
            let sarif = runner.read("repository/infra/dynameter.sarif");
            assert!(sarif.contains("\"uri\": \"infra/"), "{sarif}");
        }
    }
}

#[test]
fn a_comment_is_found_by_its_marker_and_never_another() {
    let gh = "#!/usr/bin/env bash\necho \"$@\" >> \"$RUNNER_TEMP/gh\"\nif [ \"$2\" = user ]; then exit 1; fi\nif [ \"$2\" = --paginate ]; then cat \
              \"$RUNNER_TEMP/found\"; fi\n";
    for (found, is_fork, says) in [
        (
            "17\n",
            "false",
            "--method PATCH repos/o/r/issues/comments/17 --field body=@",
        ),
        (
            "",
            "false",
            "--method POST repos/o/r/issues/3/comments --field body=@",
        ),
        ("", "true", ""),
    ] {
        let runner = Runner::new();
        runner.program("bin/gh", gh);
        runner.write("temp/found", found);
        runner.write(
            "temp/report.md",
            "<!-- dynameter orders -->\n### within budget\n",
        );
        let report = runner.path("temp/report.md").to_string_lossy().into_owned();
        let output = runner.run(
            "comment.sh",
            &[
                ("NUMBER", "3"),
                ("IS_FORK", is_fork),
                ("REPOSITORY", "o/r"),
                ("REPORT", &report),
            ],
        );
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let called = runner.read("temp/gh");
        match says {
            "" => {
                assert_eq!(called, "");
                let said = String::from_utf8_lossy(&output.stdout).into_owned();
                assert!(said.contains("comes from a fork"), "{said}");
            }
            says => {
                assert!(called.contains(says), "{called}");
                assert!(
                    called.contains("select(.user.login == \"github-actions[bot]\") | select(.body | startswith(\"<!-- dynameter orders -->\"))"),
                    "{called}"
                );
            }
        }
    }
}

#[test]
fn a_release_with_a_wrong_checksum_is_not_installed() {
    // Serves the files of a folder instead of GitHub.
    let curl = "#!/usr/bin/env bash\nfor argument in \"$@\"; do last=$argument; done\nout=\nwhile [ $# -gt 0 \
                ]; do if [ \"$1\" = --output ]; then out=$2; fi; shift; done\necho \"$last\" >> \
                \"$RUNNER_TEMP/urls\"\ncp \"$RUNNER_TEMP/release/$(basename \"$last\")\" \"$out\"\n";
    let own = format!(
        "/o/dynameter/releases/download/v{}/",
        env!("CARGO_PKG_VERSION")
    );
    for (sound, version, url) in [
        (true, "", own.as_str()),
        (true, "v9.9.9", "/o/dynameter/releases/download/v9.9.9/"),
        (false, "v9.9.9", "/o/dynameter/releases/download/v9.9.9/"),
    ] {
        let runner = Runner::new();
        runner.program("bin/curl", curl);
        std::fs::create_dir_all(runner.path("temp/release")).expect("a folder");
        runner.program(
            "temp/release/dynameter",
            "#!/usr/bin/env bash\necho released\n",
        );
        let pack = format!(
            "cd {} && tar --create --gzip --file dynameter-x86_64-unknown-linux-gnu.tar.gz dynameter && \
             sha256sum dynameter-*.tar.gz > dynameter-x86_64-unknown-linux-gnu.tar.gz.sha256",
            runner.path("temp/release").display()
        );
        let packed = Command::new("bash").args(["-c", &pack]).status();
        assert!(packed.expect("bash runs").success());
        if !sound {
            let name = "temp/release/dynameter-x86_64-unknown-linux-gnu.tar.gz.sha256";
            let sum = runner.read(name);
            runner.write(
                name,
                &sum.replacen(&sum[..1], if sum.starts_with('0') { "1" } else { "0" }, 1),
            );
        }
        let action_path = support::root().to_string_lossy().into_owned();
        let output = runner.run(
            "install.sh",
            &[
                ("VERSION", version),
                ("ACTION_PATH", &action_path),
                ("REPOSITORY", "o/dynameter"),
            ],
        );
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), sound, "{said}");
        assert!(runner.read("temp/urls").contains(url), "{url}");
        assert_eq!(!runner.read("temp/path").is_empty(), sound);
        let expected = if sound { "released" } else { "checksum" };
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn the_action_gives_its_scripts_what_they_read() {
    let action = std::fs::read_to_string(support::root().join("action.yml")).expect("the action");
    for script in ["install.sh", "check.sh", "comment.sh"] {
        assert!(action.contains(&format!("action/{script}")), "{script}");
    }
    // Every input is used, and nothing else.
    let inputs = action.split("\noutputs:").next().expect("inputs");
    let names: Vec<&str> = inputs
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':'))
        .map(|line| line.trim().trim_end_matches(':'))
        .filter(|name| !["icon", "color"].contains(name))
        .collect();
    assert!(names.len() > 10, "{names:?}");
    for name in &names {
        assert!(action.contains(&format!("inputs.{name}")), "{name}");
    }
    let used = action.split("inputs.").skip(1);
    for used in used {
        let name: String = used
            .chars()
            .take_while(|c| c.is_ascii_lowercase() || *c == '-')
            .collect();
        assert!(names.contains(&name.as_str()), "inputs.{name}");
    }
    let lint = Command::new("actionlint")
        .arg(support::root().join(".github/workflows/ci.yml"))
        .output();
    match lint {
        Ok(output) => assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        ),
        Err(_) => eprintln!("skipped: actionlint is not on this machine"),
    }
}
