//! Helpers that several tests share.

pub mod database;
pub mod large;
pub mod page;
#[cfg(feature = "aws")]
pub mod server;
#[cfg(feature = "aws")]
pub mod stub;

use std::path::{Path, PathBuf};

use dynameter::estimate::estimate;
use dynameter::outcome::Outcome;
use dynameter::pricing::Books;
use dynameter::workload::{self, Setting};

/// The package's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of the reference data named by `DYNAMETER_REFERENCE`; if it is not set, prints that
/// the test is skipped.
pub fn reference(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("DYNAMETER_REFERENCE").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("SKIPPED {test}: set DYNAMETER_REFERENCE to the folder of the reference data");
    }
    folder
}

/// Estimates a workload that must be valid.
pub fn estimated(name: &str, text: &str) -> Outcome {
    estimated_with(name, text, &Books::embedded())
}

/// The same with other price books.
pub fn estimated_with(name: &str, text: &str, books: &Books) -> Outcome {
    let workload = workload::load(name, text, &root().join("workloads"), &Setting::new(books))
        .unwrap_or_else(|errors| panic!("{name}:\n{errors}"));
    estimate(&workload, books).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The shipped workloads: name and text.
pub fn shipped() -> Vec<(String, String)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join("workloads"))
        .expect("the folder of workloads")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort();
    let read = |path: PathBuf| {
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .to_string();
        (name, std::fs::read_to_string(path).expect("a workload"))
    };
    files.into_iter().map(read).collect()
}

/// Compares a text with its golden file and returns how they differ; `DYNAMETER_BLESS=1` rewrites
/// the file.
pub fn golden(path: &Path, found: &str) -> Option<String> {
    if std::env::var_os("DYNAMETER_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        std::fs::write(path, found).expect("the golden file");
        return None;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    if expected == found {
        return None;
    }
    let differs = expected
        .lines()
        .zip(found.lines())
        .position(|(expected, found)| expected != found);
    let at = differs.unwrap_or_else(|| expected.lines().count().min(found.lines().count()));
    let line = |text: &str| text.lines().nth(at).unwrap_or("(nothing)").to_string();
    Some(format!(
        "{}:{}: differs\n  expected: {}\n  found:    {}\nhelp: if the new text is right, run the \
         tests with DYNAMETER_BLESS=1",
        path.display(),
        at + 1,
        line(&expected),
        line(found)
    ))
}

/// Runs the command in a folder: exit code, standard output, standard error.
pub fn run_in(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = assert_cmd::Command::cargo_bin("dynameter").expect("the binary");
    command
        .current_dir(folder)
        .args(arguments)
        // Nothing is asked of a machine in the cloud.
        .env("AWS_EC2_METADATA_DISABLED", "true");
    ran(&mut command)
}

/// Runs a command: exit code, standard output, standard error.
pub fn ran(command: &mut assert_cmd::Command) -> (i32, String, String) {
    let output = command.env("NO_COLOR", "1").output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (
        output.status.code().expect("an exit code"),
        text(&output.stdout),
        text(&output.stderr),
    )
}
