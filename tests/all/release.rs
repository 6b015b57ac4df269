//! The scripts of a release, as far as they can run without building one.

use crate::support;

use std::path::Path;
use std::process::Command;

/// Runs a script of `release/` in a copy of the project: exit code, output and errors.
fn script(folder: &Path, name: &str, arguments: &[&str]) -> (i32, String) {
    let output = Command::new("bash")
        .arg(folder.join("release").join(name))
        .args(arguments)
        .output()
        .expect("bash");
    let text = [output.stdout, output.stderr].concat();
    let code = output.status.code().expect("an exit code");
    (code, String::from_utf8(text).expect("UTF-8"))
}

/// A folder with the scripts and the files that they read.
fn project(changelog: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for part in ["release", "python", "dist"] {
        std::fs::create_dir(folder.path().join(part)).expect("a folder");
    }
    for file in [
        "release/build.sh",
        "release/formula.sh",
        "release/notes.sh",
        "Cargo.toml",
        "python/Cargo.toml",
        "python/pyproject.toml",
    ] {
        std::fs::copy(support::root().join(file), folder.path().join(file)).expect("a copy");
    }
    std::fs::write(folder.path().join("CHANGELOG.md"), changelog).expect("a changelog");
    folder
}

fn version() -> String {
    format!("v{}", env!("CARGO_PKG_VERSION"))
}

#[test]
fn the_notes_of_a_release_are_its_section() {
    let own = env!("CARGO_PKG_VERSION");
    let changelog = format!(
        "# Changelog\n\n## Unreleased\n\n- later\n\n## {own} (2026-01-02)\n\n- this\n- and that\n\n## 0.0.9\n\n- before\n"
    );
    let folder = project(&changelog);
    let (code, notes) = script(folder.path(), "notes.sh", &[&version()]);
    assert_eq!((code, notes.trim()), (0, "- this\n- and that"));
    let (code, message) = script(folder.path(), "notes.sh", &["v99.0.0"]);
    assert_eq!(code, 1);
    assert!(message.contains("but the release is v99.0.0"), "{message}");
    let folder = project("# Changelog\n\n## Unreleased\n\n- later\n");
    let (code, message) = script(folder.path(), "notes.sh", &[&version()]);
    assert_eq!(code, 1);
    assert!(message.contains("has no section"), "{message}");
}

/// The targets of the matrix in the workflow.
fn targets() -> Vec<String> {
    let workflow = std::fs::read_to_string(support::root().join(".github/workflows/release.yml"));
    let workflow = workflow.expect("the workflow");
    let targets = workflow
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- { target: "));
    let targets: Vec<String> = targets
        .filter_map(|line| Some(line.split_once(',')?.0.to_string()))
        .collect();
    assert_eq!(targets.len(), 5, "{targets:?}");
    targets
}

#[test]
fn the_formula_has_the_checksum_of_each_archive() {
    let folder = project("");
    let built = targets();
    let built = built.iter().filter(|target| !target.contains("windows"));
    let sums: Vec<(String, String)> = built
        .zip(10_u64..)
        .map(|(target, sum)| (target.clone(), format!("{sum:064x}")))
        .collect();
    for (target, sum) in &sums {
        let name = format!("dynameter-{target}.tar.gz");
        let file = folder.path().join("dist").join(format!("{name}.sha256"));
        std::fs::write(file, format!("{sum}  {name}\n")).expect("a checksum");
    }
    let asked = [version(), "someone/dynameter".to_string()];
    let (code, formula) = script(folder.path(), "formula.sh", &[&asked[0], &asked[1]]);
    assert_eq!(code, 0, "{formula}");
    for (target, sum) in &sums {
        let address = format!(
            "url \"https://github.com/someone/dynameter/releases/download/{}/dynameter-{target}.tar.gz\"\n      sha256 \"{sum}\"",
            version()
        );
        assert!(formula.contains(&address), "{target}: {formula}");
    }
    // An archive that is missing is no formula.
    std::fs::remove_file(
        folder
            .path()
            .join("dist/dynameter-aarch64-apple-darwin.tar.gz.sha256"),
    )
    .expect("removed");
    let (code, _) = script(folder.path(), "formula.sh", &[&asked[0], &asked[1]]);
    assert_ne!(code, 0);
}

/// The action of GitHub downloads what a release has.
#[test]
fn every_archive_that_the_action_downloads_is_built() {
    let action = std::fs::read_to_string(support::root().join("action/install.sh"));
    let action = action.expect("the action");
    let asked: Vec<&str> = action
        .lines()
        .filter_map(|line| line.split_once("target=")?.1.split_once(' '))
        .map(|(target, _)| target)
        .collect();
    assert!(asked.len() >= 3, "{asked:?}");
    let built = targets();
    for target in asked {
        assert!(built.iter().any(|one| one == target), "{target}");
    }
}

#[test]
fn a_kind_that_does_not_exist_is_told() {
    let folder = project("");
    let (code, message) = script(
        folder.path(),
        "build.sh",
        &["x86_64-unknown-linux-gnu", "huge"],
    );
    assert_eq!(code, 2);
    assert!(
        message.contains("huge is neither light nor full"),
        "{message}"
    );
}

/// What `--version --verbose` says.
#[test]
fn the_version_says_what_the_binary_is() {
    for arguments in [["--version", "--verbose"], ["--verbose", "--version"]] {
        let (code, output, errors) = support::run_in(support::root(), &arguments);
        assert_eq!((code, errors.as_str()), (0, ""));
        let lines: Vec<&str> = output.lines().collect();
        assert_eq!(lines[0], format!("dynameter {}", env!("CARGO_PKG_VERSION")));
        for (line, start) in lines[1..]
            .iter()
            .zip(["commit:   ", "features: ", "prices:   "])
        {
            assert!(line.starts_with(start), "{output}");
        }
    }
    let (code, output, _) = support::run_in(support::root(), &["--version"]);
    assert_eq!((code, output.lines().count()), (0, 1));
}

/// What the sources include is in the package that `cargo install` builds.
#[test]
fn a_package_has_every_file_that_its_sources_include() {
    let root = support::root();
    let listed = Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["package", "--list", "--allow-dirty", "--offline"])
        .output()
        .expect("cargo");
    let listed = String::from_utf8(listed.stdout).expect("UTF-8");
    let listed: Vec<&str> = listed.lines().collect();
    assert!(listed.contains(&"src/lib.rs"), "{listed:?}");
    let mut folders = vec![root.join("src")];
    let mut checked = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a source");
            for included in text.split("include_str!(\"").skip(1) {
                let name = included.split('"').next().expect("a name");
                let file = folder
                    .join(name)
                    .canonicalize()
                    .expect("a file that exists");
                let own = file.strip_prefix(root.canonicalize().expect("a root"));
                let own = own.expect("a file of the project").display().to_string();
                assert!(listed.contains(&own.as_str()), "{own}");
                checked += 1;
            }
        }
    }
    assert!(checked > 5, "{checked}");
}
