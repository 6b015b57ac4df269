//! What goes wrong around the program: kills, archives that grow, many files, hostile names, other
//! places and languages. `docs/reliability.md` lists what is promised, and by which test.

use crate::support;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

fn dynameter(folder: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("dynameter"));
    command.current_dir(folder).stdin(Stdio::null());
    command
}

fn succeeded(command: &mut Command) -> Vec<u8> {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("a run");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    stdout
}

/// Rows of NDJSON: puts and gets of some keys, two a second.
fn rows(count: u64) -> String {
    let row = |at: u64| {
        let (time, operation) = (
            1_700_000_000 + at / 2,
            ["PutItem", "GetItem"][(at % 2) as usize],
        );
        let (key, bytes) = (at * 7 % 5_003, 100 + at * 13 % 3_000);
        format!(
            "{{\"time\":{time},\"operation\":\"{operation}\",\"table\":\"Orders\",\"key\":\"k{key}\",\
             \"item_bytes\":{bytes}}}\n"
        )
    };
    (0..count).map(row).collect()
}

fn written(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("a file");
    path
}

/// `DYNAMETER_KILLS=100` kills that many runs.
#[test]
#[cfg(feature = "replay")]
fn runs_that_are_killed_at_any_moment_go_on_to_the_same_bytes() {
    let asked = std::env::var("DYNAMETER_KILLS").ok();
    let kills: u64 = asked.map_or(4, |text| text.parse().expect("a number of kills"));
    let folder = tempfile::tempdir().expect("a folder");
    let trace = written(folder.path(), "trace.ndjson", rows(400_000));
    let run = |checkpoint: &[&str]| {
        let mut command = dynameter(folder.path());
        command.arg("replay").arg(&trace);
        command
            .args(["--format", "json", "--quiet"])
            .args(checkpoint);
        command
    };
    let expected = succeeded(&mut run(&[]));
    let checkpoint = ["--checkpoint", "run.checkpoint", "--checkpoint-every", "1"];
    let mut random = Pcg64Mcg::seed_from_u64(9);
    for kill in 0..kills {
        let mut child = run(&checkpoint)
            .stdout(Stdio::null())
            .spawn()
            .expect("a run");
        std::thread::sleep(Duration::from_millis(random.next_u64() % 1_500));
        child.kill().expect("killed");
        child.wait().expect("ended");
        let resumed = succeeded(&mut run(&checkpoint));
        assert!(resumed == expected, "kill {kill}: other bytes");
        let left: BTreeSet<String> = std::fs::read_dir(folder.path())
            .expect("the folder")
            .flatten()
            .map(|file| file.file_name().to_string_lossy().to_string())
            .collect();
        assert_eq!(
            left,
            BTreeSet::from(["trace.ndjson".to_string()]),
            "kill {kill}"
        );
    }
}

/// What is written is never half there, and the message names the place.
#[test]
fn a_folder_that_cannot_be_written_is_named_and_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let closed = folder.path().join("closed");
    std::fs::create_dir(&closed).expect("a folder");
    let mut permissions = std::fs::metadata(&closed).expect("a folder").permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&closed, permissions).expect("permissions");
    // The superuser may write to any folder but those of the kernel.
    let closed = match std::fs::write(closed.join("probe"), "") {
        Err(_) => closed,
        Ok(()) if Path::new("/proc/self").is_dir() => PathBuf::from("/proc/self"),
        Ok(()) => {
            println!("SKIPPED: no folder is closed to this user");
            return;
        }
    };
    let design = support::root().join("workloads/iot.toml");
    let design = design.display().to_string();
    let into = closed.join("result").display().to_string();
    for arguments in [
        ["estimate", &design, "-o", &into].as_slice(),
        &["compare", &design, "--format", "json", "-o", &into],
        #[cfg(feature = "html")]
        &["report", &design, "-o", &into],
    ] {
        let (code, output, errors) = support::run_in(folder.path(), arguments);
        assert_eq!((code, output.as_str()), (2, ""), "{arguments:?}: {errors}");
        assert!(errors.contains(&into), "{arguments:?}: {errors}");
        assert!(!Path::new(&into).exists(), "{arguments:?}");
    }
}

#[test]
#[cfg(feature = "replay")]
fn a_trace_that_changes_while_it_is_read_is_refused_and_one_that_grows_is_noted() {
    use dynameter::files::FileSource;
    use dynameter::trace::{Batch, ReadOptions, Trace};
    let folder = tempfile::tempdir().expect("a folder");
    let text = rows(300_000);
    let half = &text[..text.len() / 2];
    let cut = &half[..=half.rfind('\n').expect("rows")];
    let grown = format!("{text}{}", rows(1));
    for (change, expected) in [
        (cut, Some("changed while it was read")),
        (&grown, None),
        (&text, Some("changed while it was read")),
    ] {
        let path = written(folder.path(), "trace.ndjson", &text);
        // The times of two changes differ.
        std::thread::sleep(Duration::from_millis(20));
        let sources = vec![FileSource::File(path.clone())];
        let mut trace = Trace::open(sources, ReadOptions::default()).expect("a trace");
        let mut begun = false;
        let ended = loop {
            match trace.batch() {
                Ok(Batch::End) => break Ok(()),
                Err(error) => break Err(error),
                Ok(_) if !begun => {
                    std::fs::write(&path, change).expect("changed");
                    begun = true;
                }
                Ok(_) => {}
            }
        };
        assert!(begun, "the trace has more than one batch");
        match expected {
            Some(message) => {
                let error = ended.expect_err("a changed trace").to_string();
                assert!(error.contains(message), "{error}");
                assert!(error.contains("trace.ndjson"), "{error}");
            }
            None => {
                ended.expect("a trace that grew");
                assert_eq!(trace.grown(), [path.display().to_string()]);
            }
        }
    }
}

/// The rows are of the file that was opened, not of the one that has its name now.
#[test]
#[cfg(all(feature = "replay", unix))]
fn a_log_may_be_rotated_while_it_is_read() {
    use dynameter::files::FileSource;
    use dynameter::trace::{Batch, ReadOptions, Trace};
    let folder = tempfile::tempdir().expect("a folder");
    let path = written(folder.path(), "trace.ndjson", rows(300_000));
    let sources = vec![FileSource::File(path.clone())];
    let mut trace = Trace::open(sources, ReadOptions::default()).expect("a trace");
    let (mut begun, mut count) = (false, 0);
    loop {
        match trace.batch().expect("rows") {
            Batch::End => break,
            Batch::Rows(all) => count += all.iter().map(|rows| rows.rows.len()).sum::<usize>(),
            Batch::Events(_, events) => count += events.len(),
        }
        if !begun {
            std::fs::rename(&path, folder.path().join("trace.ndjson.1")).expect("rotated");
            std::fs::write(&path, rows(1)).expect("a new log");
            begun = true;
        }
    }
    assert_eq!(count, 300_000);
    assert!(trace.grown().is_empty());
}

#[test]
#[cfg(feature = "replay")]
fn an_archive_that_grows_a_thousand_times_is_refused_before_memory_runs_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let quoted = "time,operation,key\n1700000000,GetItem,\"";
    for (name, start, byte) in [
        ("zeros.ndjson.gz", "", 0_u8),
        ("text.csv.gz", "", b'a'),
        ("log.jsonl.gz", "", b'{'),
        ("quoted.csv.gz", quoted, b'a'),
    ] {
        let file = std::fs::File::create(folder.path().join(name)).expect("a file");
        let mut gz = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        gz.write_all(start.as_bytes()).expect("written");
        let block = vec![byte; 1 << 20];
        for _ in 0..300 {
            gz.write_all(&block).expect("written");
        }
        gz.finish().expect("a gzip");
        // The archive holds one line, which never ends.
        let (code, output, errors) = support::run_in(folder.path(), &["replay", name, "--quiet"]);
        assert_eq!((code, output.as_str()), (2, ""), "{name}: {errors}");
        assert!(errors.contains(name), "{errors}");
        let is_bounded = start.is_empty() || errors.contains("a row of more than 64 MB");
        assert!(is_bounded, "{name}: {errors}");
        assert!(
            errors.len() < 4_000,
            "{name}: {} bytes of errors",
            errors.len()
        );
    }
}

#[test]
#[cfg(feature = "replay")]
fn ten_thousand_files_are_one_trace() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = rows(20_000);
    written(folder.path(), "whole.ndjson", &all);
    let many = folder.path().join("many");
    std::fs::create_dir(&many).expect("a folder");
    let lines: Vec<&str> = all.lines().collect();
    for (at, lines) in lines.chunks(2).enumerate() {
        written(&many, &format!("{at:05}.ndjson"), lines.join("\n"));
    }
    let csv = |trace: &str| {
        succeeded(dynameter(folder.path()).args(["replay", trace, "--format", "csv", "--quiet"]))
    };
    assert!(csv("whole.ndjson") == csv("many"), "other bytes");
}

/// What a terminal obeys, or a log takes for an annotation, never comes from a file's name.
#[test]
fn names_of_files_are_escaped_in_every_message() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in [
        "a\n::error::b.toml",
        "a\u{1b}[2Jb.toml",
        "a\u{202e}b.toml",
        "=1+1.toml",
        "a\tb.toml",
    ] {
        written(folder.path(), name, "name = 5\n");
        for command in ["estimate", "compare", "check", "explain"] {
            let (code, output, errors) = support::run_in(folder.path(), &[command, name]);
            assert_eq!(code, 2, "{command} {name:?}");
            let said = format!("{output}{errors}");
            let raw = said
                .chars()
                .any(|one| one.is_control() && !matches!(one, '\n' | '\t') || one == '\u{202e}');
            assert!(!raw, "{command} {name:?}: {said:?}");
            let annotated = said.lines().any(|line| line.starts_with("::error::b"));
            assert!(!annotated, "{command} {name:?}: {said}");
        }
    }
}

/// The language, the time zone, the folder and the number of threads change nothing.
#[test]
fn the_surroundings_do_not_change_a_byte() {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let design = support::root().join("workloads/growth.toml");
    for command in ["estimate", "compare", "headroom"] {
        let run = |folder: &Path, surroundings: &[(&str, &str)]| {
            let mut run = dynameter(folder);
            run.arg(command).arg(&design).args(["--format", "json"]);
            succeeded(run.envs(surroundings.iter().copied()))
        };
        let expected = run(support::root(), &[]);
        for surroundings in [
            [
                ("TZ", "Asia/Tokyo"),
                ("LC_ALL", "tr_TR.UTF-8"),
                ("RAYON_NUM_THREADS", "1"),
            ],
            [
                ("TZ", "America/St_Johns"),
                ("LANG", "de_DE.UTF-8"),
                ("RAYON_NUM_THREADS", "7"),
            ],
        ] {
            let found = run(elsewhere.path(), &surroundings);
            assert!(found == expected, "{command} with {surroundings:?}");
        }
    }
}

/// Every test that the page on reliability names exists.
#[test]
fn the_page_names_tests_that_exist() {
    let root = support::root();
    let page = std::fs::read_to_string(root.join("docs/reliability.md")).expect("the page");
    let named: Vec<(&str, &str)> = page
        .split('`')
        .filter_map(|word| word.split_once("::"))
        .filter(|(module, name)| {
            !module.contains(' ') && name.len() > 5 && !name.contains([' ', ':'])
        })
        .collect();
    assert!(named.len() > 15, "{named:?}");
    for (module, name) in named {
        let own = root.join(format!("tests/all/{module}.rs"));
        let file = match own.is_file() {
            true => own,
            false => root.join(format!("src/{}.rs", module.replace('.', "/"))),
        };
        let source = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            source.contains(&format!("fn {name}(")),
            "{module}::{name} does not exist"
        );
    }
}
