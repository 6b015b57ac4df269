//! `replay --deal` and `replay --dealt`: rows of a trace in blobs, one for each share of the keys.

use std::io::{BufWriter, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{Context, Result, bail};
use arrow_array::RecordBatchReader;
use tempfile::NamedTempFile;

use super::args::{Args, ReplayArgs};
use super::progress::{bar, interruption};
use super::{output, session};
use crate::files::FileSource;
use crate::replay::{Dealer, KeyShare, ReplayError, ReplayOptions, can_deal};
use crate::report::{DealtTrace, Present};
use crate::trace::{Blob, DealtFile, ReadOptions, Trace, TraceError, TraceFormat};
use crate::workload::Workload;

/// The name of the manifest in a folder of blobs.
const MANIFEST: &str = "manifest.json";

/// The name of a share's blob.
fn blob_name(share: KeyShare) -> String {
    format!("share-{:03}-of-{:03}.dealt", share.number, share.of)
}

/// What is dealt.
pub enum Traces {
    /// Files.
    Files(Vec<FileSource>),
    /// The record batches of a program.
    Batches(Box<dyn RecordBatchReader + Send>),
}

impl Traces {
    fn sources(&self) -> &[FileSource] {
        match self {
            Traces::Files(sources) => sources,
            Traces::Batches(_) => &[],
        }
    }
}

/// Deals the files of a trace into a folder.
///
/// # Errors
/// If the rows cannot be dealt, a file cannot be read, or the folder cannot be written.
pub fn deal(
    args: &Args,
    asked: &ReplayArgs,
    traces: Traces,
    reading: &ReadOptions,
    (workload, options): (Option<&Workload>, &ReplayOptions),
) -> Result<()> {
    let of = asked.deal.unwrap_or(1);
    let Some(folder) = args.output.as_ref().filter(|path| path.as_os_str() != "-") else {
        bail!("--deal needs a folder for its blobs\nhelp: name it with -o DIR");
    };
    can_deal(workload, options, [])?;
    refuse_exports(traces.sources())?;
    let writes = || format!("{}: cannot be written", folder.display());
    std::fs::create_dir_all(folder).with_context(writes)?;
    if folder.join(MANIFEST).exists() {
        bail!(
            "{}: has dealt rows already\nhelp: name another folder, or delete this one",
            folder.display()
        );
    }
    let blobs = (0..of).map(|_| {
        let file = output::temporary(folder);
        Ok(BufWriter::with_capacity(
            1 << 18,
            file.with_context(writes)?,
        ))
    });
    let blobs = blobs.collect::<Result<Vec<BufWriter<NamedTempFile>>>>()?;
    let mut dealer = Dealer::new(
        blobs,
        asked.file_number.unwrap_or(0),
        workload,
        reading,
        options.threads,
    )?;
    let files = dealt_files(args, asked, traces, reading, &mut dealer)?;
    let dealt = DealtTrace {
        shares: of,
        files,
        folder: folder.display().to_string(),
        is_part: asked.file_number.is_some(),
    };
    if dealt.files.iter().all(|file| file.format.is_empty()) {
        bail!(
            "none of the files is a trace\nhelp: name the files that contain the calls, or their \
             folder; --inspect shows what is understood"
        );
    }
    keep(folder, dealer.finish()?)?;
    output::create(&folder.join(MANIFEST), &dealt.json()?)?;
    output::note(args, &format!("wrote {}", folder.display()));
    output::print(&output::rendered(args, &dealt)?)
}

/// Deals the files, one after another.
fn dealt_files(
    args: &Args,
    asked: &ReplayArgs,
    traces: Traces,
    reading: &ReadOptions,
    dealer: &mut Dealer<BufWriter<NamedTempFile>>,
) -> Result<Vec<DealtFile>> {
    let sources = traces.sources();
    let (mut files, mut rows_before) = (Vec::new(), 0);
    let stopped = interruption()?;
    let is_part = sources.len() > 1 || asked.file_number.is_some();
    let total: u64 = sources.iter().map(bytes).sum();
    let opened = |source: FileSource| match is_part {
        true => Trace::open_part(source, reading.clone()),
        false => Trace::open(vec![source], reading.clone()),
    };
    let opened: Box<dyn Iterator<Item = Result<Trace, TraceError>>> = match traces {
        Traces::Files(sources) => Box::new(sources.into_iter().map(opened)),
        Traces::Batches(batches) => {
            let trace = Trace::of_batches(session::BATCHES, batches, reading.clone());
            Box::new(std::iter::once(trace))
        }
    };
    let bar = bar(
        args,
        total,
        "{spinner} {bytes} of {total_bytes} read [{wide_bar}] {msg}, {eta} left",
    );
    for trace in opened {
        let (mut trace, before) = (trace?, bar.position());
        if let Some(name) = &asked.file_name {
            trace.rename(name);
        }
        session::reads(&trace.progress);
        let file = dealer.file(trace, |trace| {
            bar.set_position(before + trace.progress.read.load(Ordering::Relaxed));
            let rows = rows_before + trace.progress.rows.load(Ordering::Relaxed);
            bar.set_message(format!("{rows} rows"));
            !stopped.load(Ordering::SeqCst)
        })?;
        rows_before += file.rows;
        files.push(file);
        if stopped.load(Ordering::SeqCst) {
            return Err(ReplayError::Stopped.into());
        }
    }
    bar.finish_and_clear();
    Ok(files)
}

/// Gives the blobs their names.
fn keep(folder: &Path, blobs: Vec<BufWriter<NamedTempFile>>) -> Result<()> {
    let of = blobs.len() as u32;
    for (number, blob) in (1..).zip(blobs) {
        let path = folder.join(blob_name(KeyShare { number, of }));
        let file = blob.into_inner().map_err(|error| error.into_error());
        file.and_then(|file| {
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)
        })
        .with_context(|| format!("{}: cannot be written", path.display()))?;
    }
    Ok(())
}

fn bytes(source: &FileSource) -> u64 {
    match source {
        FileSource::File(path) => std::fs::metadata(path).map_or(0, |data| data.len()),
        FileSource::Stdin => 0,
    }
}

/// Says before anything is read that a starting state cannot be dealt.
fn refuse_exports(sources: &[FileSource]) -> Result<()> {
    for source in sources {
        if matches!(source, FileSource::File(path) if path.is_dir()) {
            can_deal(None, &ReplayOptions::default(), [TraceFormat::Export])?;
        }
    }
    Ok(())
}

/// Opens the dealt rows of one share: blobs, or folders that `--deal` wrote.
///
/// # Errors
/// If a blob is missing, damaged or of another share.
pub fn dealt(asked: &ReplayArgs, share: KeyShare, reading: ReadOptions) -> Result<Trace> {
    let (mut blobs, mut count) = (Vec::new(), asked.files);
    for argument in &asked.traces {
        let path = Path::new(argument);
        if argument == "-" {
            let mut bytes = Vec::new();
            let mut input = std::io::stdin().lock();
            input
                .read_to_end(&mut bytes)
                .context("standard input cannot be read")?;
            blobs.push(Blob::of_bytes("standard input", bytes)?);
            continue;
        }
        if !path.is_dir() {
            blobs.push(Blob::open(path)?);
            continue;
        }
        let (path, files) = in_folder(path, share, asked.files)?;
        let blob = Blob::open(&path)?;
        let last = blob.files().map(|file| file.number + 1).max();
        if blob.files().count() != files {
            bail!(
                "{}: has the rows of {} files, but its manifest names {files}\nhelp: deal the \
                 files again",
                path.display(),
                blob.files().count()
            );
        }
        count = count.max(last);
        blobs.push(blob);
    }
    Ok(Trace::dealt(blobs, share, count, reading)?)
}

/// The blob of a share in a folder, and the number of files that its manifest names.
fn in_folder(folder: &Path, share: KeyShare, asked_files: Option<u32>) -> Result<(PathBuf, usize)> {
    let manifest = folder.join(MANIFEST);
    let shown = manifest.display();
    let text = crate::opened::read_to_string(&manifest).with_context(|| {
        format!("{shown}: cannot be read\nhelp: name a folder that replay --deal wrote, or blobs")
    })?;
    let value: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("{shown}: not JSON"))?;
    let Some(of) = value["shares"].as_u64() else {
        bail!("{shown}: is not the manifest of dealt rows\nhelp: deal the files again");
    };
    if value["is_part"] == true && asked_files.is_none() {
        bail!(
            "{}: has some of the files of a trace, and not how many there are\nhelp: add --files \
             COUNT, the number of all files that were dealt",
            folder.display()
        );
    }
    if of != u64::from(share.of) {
        bail!(
            "{}: was dealt into {of} shares, but --dealt names share {share}\nhelp: write --dealt \
             {}/{of}",
            folder.display(),
            share.number.min(of as u32)
        );
    }
    let path = folder.join(blob_name(share));
    if !path.exists() {
        bail!(
            "{}: the blob of share {share} is missing\nhelp: deal the files again",
            path.display()
        );
    }
    let files = value["files"].as_array().map_or(0, Vec::len);
    Ok((path, files))
}
