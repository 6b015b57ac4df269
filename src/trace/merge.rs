//! Merges the files of a trace into one stream of events in time order.

use std::collections::{BTreeSet, VecDeque};
use std::fs::Metadata;
use std::sync::atomic::Ordering;

use super::arrow::Arrow;
use super::columns::ColumnReader;
use super::dealt::{Blob, DealtFile, DealtReader, ordered};
use super::export::{incremental_files, manifest};
use super::ids::{EventIds, RecordIds};
use super::moment::EARLIEST;
use super::notes::{Notes, Passed};
use super::sniff::{self, Recognised, TraceFormat};
use super::{
    Bad, Event, KeyShare, NameTable, Piece, ReadOptions, RowPlace, Rows, Shared, SkipReason, Time,
    TraceError, TraceReader, What,
};
use crate::files::{FileSource, Progress};
use arrow_array::RecordBatchReader;

/// The default for how many rows late an event may come within its file.
pub const WINDOW: usize = 65_536;

/// The longest time that a trace may span: three years, because every minute of it is simulated.
/// With more, one of its times was misread.
pub const SPAN_SECONDS_MAX: i64 = 3 * 366 * 86_400;

/// What items without a trace are.
const ITEMS_ALONE: &str = "the items that a Scan returned, which are a starting state; name their \
                           file, not standard input, together with a trace";

const CHECK_TIMES: &str = "name the form of the times with --time-format, or the unit of numbers \
                           with --time-unit, or skip such rows with --skip-bad-rows";

/// Why a time cannot be right.
fn before_dynamodb(time: Time) -> String {
    format!("its time is read as {time}, but DynamoDB exists since 2012")
}

/// A data point of at most this many seconds counts if it begins within `--from` and `--to`: a time
/// before now is no whole minute.
const WHOLE_SECONDS_MAX: u32 = 60;

/// How late an event may come in time: an incremental export covers up to a day, without order.
const LATE_NANOSECONDS: i64 = 25 * 3_600 * Time::SECOND;

/// A trace: its files, each opened when the merge reaches its first event.
pub struct Trace {
    options: ReadOptions,
    /// Interned names.
    pub names: NameTable,
    /// Bad rows so far.
    pub bad: Bad,
    /// Progress so far.
    pub progress: Progress,
    /// Full exports among the files: starting states.
    pub states: Vec<StartingState>,
    /// The period that the manifests of incremental exports cover.
    pub window: Option<(Time, Time)>,
    sources: Vec<Source>,
    /// Whether other files of the trace are read elsewhere, so that a file that is no trace is none of
    /// the user's mistakes.
    is_part: bool,
    /// What is known of the files of dealt rows.
    dealt: Option<Dealt>,
    /// Another name of the only file.
    name: Option<String>,
    /// Files that are not open yet, sorted by their first time, earliest last.
    waiting: Vec<(Time, usize)>,
    open: Vec<Opened>,
    kinds: BTreeSet<TraceFormat>,
    notes: Notes,
    ids: EventIds,
    records: RecordIds,
    /// The first time that was returned.
    first: Option<Time>,
    /// The number of events returned so far.
    ordinal: u64,
    /// The files as they were before they were read.
    before: Vec<Before>,
    /// Those that became longer.
    grown: Vec<String>,
}

/// A file as it was before it was read.
struct Before {
    file: usize,
    data: Metadata,
    is_text: bool,
}

/// Whether a name still stands for the same file.
fn is_same_file(now: &Metadata, before: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (now.dev(), now.ino()) == (before.dev(), before.ino())
    }
    #[cfg(not(unix))]
    {
        now.created().ok() == before.created().ok()
    }
}

/// Where the events of one file come from.
enum Source {
    File(FileSource),
    /// Record batches of a program; taken when they are read.
    Batches(String, Option<Box<dyn RecordBatchReader + Send>>),
    /// A file in a blob of dealt rows, by its position there.
    Dealt(Blob, usize),
}

impl Source {
    /// Its name in messages.
    fn shown(&self) -> String {
        match self {
            Source::File(source) => source.shown(),
            Source::Batches(name, _) => name.clone(),
            Source::Dealt(blob, at) => blob.files().nth(*at).map_or("", |file| &file.name).into(),
        }
    }

    /// The file, unless it cannot be read twice.
    fn path(&self) -> Option<&std::path::Path> {
        match self {
            Source::File(FileSource::File(path)) => Some(path),
            _ => None,
        }
    }

    /// What the system says about the file.
    fn data(&self) -> Option<Metadata> {
        std::fs::metadata(self.path()?).ok()
    }
}

/// What is known of a trace whose rows were dealt.
#[derive(Clone, Debug)]
pub(crate) struct Dealt {
    /// Its files.
    pub files: Vec<DealtFile>,
    /// The share whose rows are read.
    pub share: KeyShare,
    /// Events of records that were delivered again in another file.
    pub copies: u64,
    /// These records.
    pub copied_records: u64,
}

/// The next part of a trace, in time order.
#[derive(Debug)]
pub enum Batch {
    /// Events, and the number of the first among all events of the trace.
    Events(u64, Vec<Event>),
    /// Rows of plain calls.
    Rows(Vec<Rows>),
    /// The end of the trace.
    End,
}

/// A full export, or the items that a Scan returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartingState {
    /// Its folder, or the file with the answer of the Scan.
    pub folder: std::path::PathBuf,
    /// The table, if its manifest names one.
    pub table: Option<String>,
}

/// Which times the events of a file can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Times {
    /// Any: they count from the start of the recording.
    Any,
    /// Moments since 2012, or a count from the start of the recording, of less than a year.
    SinceStart,
    /// Moments since 2012.
    SinceDynamodb,
}

impl Times {
    fn allow(self, time: Time) -> bool {
        let since_start = || time.0 >= 0 && time.second() < 366 * 86_400;
        match self {
            Times::Any => true,
            Times::SinceStart => time >= EARLIEST || since_start(),
            Times::SinceDynamodb => time >= EARLIEST,
        }
    }
}

/// A file that is being read.
struct Opened {
    file: usize,
    times: Times,
    reader: Box<dyn TraceReader>,
    /// Events in time order; the order of the first `ready` is final.
    events: VecDeque<Event>,
    ready: usize,
    /// Rows after all of these events; the order of the first `ready_rows` is final.
    held: VecDeque<Rows>,
    ready_rows: usize,
    ended: bool,
    last: Time,
    /// The latest time read so far.
    newest: Time,
}

impl Trace {
    /// Opens a trace: reads the beginning of each file.
    ///
    /// # Errors
    /// [`TraceError`] if a file cannot be read or its format is unknown.
    pub fn open(sources: Vec<FileSource>, options: ReadOptions) -> Result<Trace, TraceError> {
        let (mut files, mut states, mut window) = (Vec::new(), Vec::new(), None);
        for source in sources {
            match &source {
                FileSource::File(path) if path.is_dir() => match manifest(path) {
                    Some(found) if found.incremental => {
                        let joined = |(from, to): (Time, Time), window: Option<(Time, Time)>| {
                            window.map_or((from, to), |(a, b)| (a.min(from), b.max(to)))
                        };
                        window = found.window.map(|own| joined(own, window)).or(window);
                        let wrong = |message: String| TraceError::file(&source.shown(), message);
                        files.extend(
                            incremental_files(path, &found)
                                .map_err(wrong)?
                                .into_iter()
                                .map(FileSource::File),
                        );
                    }
                    Some(found) => states.push(StartingState {
                        folder: path.clone(),
                        table: found.table,
                    }),
                    None => {
                        return Err(TraceError::file(
                            &source.shown(),
                            "not an export: the folder has no manifest",
                        ));
                    }
                },
                _ => files.push(source),
            }
        }
        // The data files of an incremental export may be given twice: by folder and by file.
        Trace::of_files(files, states, window, options)
    }

    /// Opens one of several files of a trace, of which others are read elsewhere.
    ///
    /// # Errors
    /// As [`open`](Trace::open).
    pub fn open_part(source: FileSource, options: ReadOptions) -> Result<Trace, TraceError> {
        let mut trace = Trace::new(vec![Source::File(source)], options);
        trace.is_part = true;
        trace.look()?;
        Ok(trace)
    }

    /// Reads record batches of a program, such as those of an Arrow stream.
    ///
    /// # Errors
    /// [`TraceError`] if a column is missing.
    pub fn of_batches(
        name: &str,
        batches: Box<dyn RecordBatchReader + Send>,
        options: ReadOptions,
    ) -> Result<Trace, TraceError> {
        let source = Source::Batches(name.to_string(), Some(batches));
        let mut trace = Trace::new(vec![source], options);
        trace.look()?;
        Ok(trace)
    }

    /// Reads the dealt rows of one share. `count` is the number of files of the trace, if it is known.
    ///
    /// # Errors
    /// [`TraceError`] if a blob is missing, given twice, of another share or of a trace that was dealt
    /// in another way.
    pub fn dealt(
        blobs: Vec<Blob>,
        share: KeyShare,
        count: Option<u32>,
        options: ReadOptions,
    ) -> Result<Trace, TraceError> {
        let options = ReadOptions {
            from: None,
            to: None,
            ..options
        };
        let sources = ordered(blobs, share, count, &options)?;
        let files: Vec<DealtFile> = sources
            .iter()
            .filter_map(|(blob, at)| blob.files().nth(*at).cloned())
            .collect();
        let sources = sources.into_iter();
        let sources = sources.map(|(blob, at)| Source::Dealt(blob, at)).collect();
        let mut trace = Trace::new(sources, options);
        trace.take_over(&files)?;
        trace.dealt = Some(Dealt {
            files,
            share,
            copies: 0,
            copied_records: 0,
        });
        Ok(trace)
    }

    /// Takes over what the readers of dealt files found.
    fn take_over(&mut self, files: &[DealtFile]) -> Result<(), TraceError> {
        for (at, file) in files.iter().enumerate() {
            self.notes.merge(file.notes.clone());
            self.kinds.extend(TraceFormat::parse(&file.format));
            for (reason, count) in &file.skipped {
                *self.bad.skipped.entry(*reason).or_default() += count;
            }
            for (row, text) in &file.first_skipped {
                let place = RowPlace {
                    file: at as u32,
                    row: *row,
                };
                self.bad.keep_first(place, text.clone());
            }
            if let Some((first, _)) = file.span {
                self.waiting.push((first, at));
            }
        }
        self.waiting.sort_by(|one, other| other.cmp(one));
        let spans = files.iter().filter_map(|file| file.span);
        let first = spans.clone().map(|(first, _)| first).min();
        if let (Some(first), Some(last)) = (first, spans.map(|(_, last)| last).max()) {
            let ends = |file: &DealtFile| file.span.is_some_and(|(_, end)| end == last);
            let file = files.iter().position(ends).unwrap_or(0) as u32;
            self.spans(first, first, RowPlace { file, row: 1 })?;
            self.spans(first, last, RowPlace { file, row: 1 })?;
        }
        Ok(())
    }

    /// What is known of dealt rows.
    pub(crate) fn dealt_rows(&self) -> Option<&Dealt> {
        self.dealt.as_ref()
    }

    /// The window of time to which it was cut: `--from` and `--to`.
    pub(crate) fn asked(&self) -> (Option<Time>, Option<Time>) {
        match self.dealt.as_ref().and_then(|dealt| dealt.files.first()) {
            Some(file) => file.asked,
            None => (self.options.from, self.options.to),
        }
    }

    /// The notes of its readers.
    pub(crate) fn own_notes(&self) -> &Notes {
        &self.notes
    }

    fn of_files(
        files: Vec<FileSource>,
        states: Vec<StartingState>,
        window: Option<(Time, Time)>,
        options: ReadOptions,
    ) -> Result<Trace, TraceError> {
        let files = without_doubles(files);
        if files.is_empty() && states.is_empty() {
            return Err(TraceError::file("trace", "no files to read"));
        }
        let sources = files.into_iter().map(Source::File).collect();
        let mut trace = Trace::new(sources, options);
        (trace.states, trace.window) = (states, window);
        trace.look()?;
        Ok(trace)
    }

    /// A trace of which nothing is read yet.
    fn new(sources: Vec<Source>, options: ReadOptions) -> Trace {
        let progress = Progress::default();
        let bytes = |source: &Source| match source {
            Source::Dealt(blob, at) => blob.own_bytes(*at),
            other => other.data().map_or(0, |data| data.len()),
        };
        progress
            .total
            .store(sources.iter().map(bytes).sum(), Ordering::Relaxed);
        let bad = Bad::new(
            options.skip_bad_rows,
            sources.iter().map(Source::shown).collect(),
        );
        Trace {
            options,
            names: NameTable::default(),
            bad,
            progress,
            states: Vec::new(),
            window: None,
            sources,
            is_part: false,
            dealt: None,
            name: None,
            waiting: Vec::new(),
            open: Vec::new(),
            kinds: BTreeSet::new(),
            notes: Notes::default(),
            ids: EventIds::default(),
            records: RecordIds::default(),
            first: None,
            ordinal: 0,
            before: Vec::new(),
            grown: Vec::new(),
        }
    }

    /// Finds the first time of each file, and leaves out those that are no traces.
    fn look(&mut self) -> Result<(), TraceError> {
        let single = self.sources.len() == 1 && !self.is_part;
        let mut left_out = Notes::default();
        for file in 0..self.sources.len() {
            if self.sources[file].path().is_none() {
                // Standard input cannot be read twice.
                self.waiting.push((Time(i64::MIN), file));
                continue;
            }
            // These rows are read again later, so progress and bad rows are not counted here.
            let (kind, mut reader) = match self.recognised(file, &Progress::default())? {
                Recognised::Trace(kind, reader) => (kind, reader),
                Recognised::Items => {
                    let table = self.options.table.clone();
                    if let Some(path) = self.sources[file].path() {
                        self.states.push(StartingState {
                            folder: path.to_path_buf(),
                            table,
                        });
                    }
                    continue;
                }
                Recognised::NoTrace(what) if single => {
                    return Err(self.not_a_trace(file, what.one()));
                }
                Recognised::Unknown(error) if single => return Err(*error),
                Recognised::Unknown(error) => {
                    left_out.pass(Passed::UnknownFile(error.file));
                    continue;
                }
                Recognised::NoTrace(what) => {
                    left_out.pass(Passed::File(what));
                    continue;
                }
            };
            if self.sources.len() == 1 {
                // A single file needs no ordering.
                self.waiting.push((Time(i64::MIN), file));
                continue;
            }
            self.kinds.insert(kind);
            let first = self.first_time(&mut *reader)?;
            self.waiting.push((first.unwrap_or(Time(i64::MAX)), file));
        }
        if self.waiting.is_empty() && self.states.is_empty() && !self.is_part {
            let files = self.sources.len();
            let message = format!(
                "none of the {files} files is a trace; {}",
                left_out.texts().join("; ")
            );
            return Err(TraceError::file("trace", message));
        }
        self.notes.merge(left_out);
        self.waiting.sort_by(|one, other| other.cmp(one));
        Ok(())
    }

    fn recognised(&mut self, file: usize, progress: &Progress) -> Result<Recognised, TraceError> {
        let (number, options) = (file as u32, &self.options);
        match &mut self.sources[file] {
            Source::File(source) => sniff::recognise(source, number, options, progress),
            Source::Batches(name, batches) => {
                let Some(batches) = batches.take() else {
                    return Err(TraceError::file(name, "record batches are read only once"));
                };
                let columns = Arrow::new(batches, number, name, options)?;
                let reader = ColumnReader::arrow(columns, number, name, options, progress.clone());
                Ok(Recognised::Trace(TraceFormat::Arrow, Box::new(reader)))
            }
            Source::Dealt(blob, at) => {
                let format = blob.files().nth(*at).map_or("", |file| &file.format);
                let format = TraceFormat::parse(format).unwrap_or(TraceFormat::Parquet);
                let reader = DealtReader::new(blob.clone(), *at, options, progress.clone());
                Ok(Recognised::Trace(format, Box::new(reader)))
            }
        }
    }

    /// The first time that a reader finds.
    fn first_time(&mut self, reader: &mut dyn TraceReader) -> Result<Option<Time>, TraceError> {
        let mut bad = Bad {
            skip: true,
            ..Bad::default()
        };
        let mut ids = EventIds::default();
        let mut shared = Shared {
            names: &mut self.names,
            bad: &mut bad,
            ids: &mut ids,
        };
        loop {
            let (pieces, more) = reader.pieces(true, &mut shared)?;
            let earliest = |piece: &Piece| match piece {
                Piece::Events(events) => events.iter().map(|event| event.time).min(),
                Piece::Rows(rows) => Some(rows.first),
            };
            let first = pieces.iter().filter_map(earliest).min();
            if first.is_some() || !more {
                return Ok(first);
            }
        }
    }

    /// Gives the only file another name in messages and results, such as the address that it was
    /// fetched from.
    pub fn rename(&mut self, name: &str) {
        if let [Source::File(_) | Source::Batches(..)] = self.sources.as_slice() {
            self.bad.rename(name);
            self.name = Some(name.to_string());
        }
    }

    /// The names of its files.
    pub fn files(&self) -> impl Iterator<Item = String> {
        let shown = |source: &Source| self.name.clone().unwrap_or_else(|| source.shown());
        self.sources.iter().map(shown)
    }

    /// The number of rows according to the files' metadata; `None` if a file has none.
    pub fn rows(&self) -> Option<u64> {
        self.sources
            .iter()
            .map(|source| match source {
                Source::Dealt(blob, at) => Some(blob.own_rows(*at)),
                other => super::parquet::rows(other.path()?),
            })
            .sum()
    }

    /// The formats of its files.
    pub fn kinds(&self) -> impl Iterator<Item = TraceFormat> {
        self.kinds.iter().copied()
    }

    /// Notes for the user.
    pub fn notes(&self) -> Vec<String> {
        note_texts(&self.notes, &self.kinds)
    }

    /// The next batch in time order; events of equal time are in the order of the files.
    ///
    /// # Errors
    /// [`TraceError`] with the file and the row.
    pub fn batch(&mut self) -> Result<Batch, TraceError> {
        loop {
            self.open_begun()?;
            let window = self.options.window.unwrap_or(WINDOW);
            let single = self.open.len() == 1;
            for opened in &mut self.open {
                while opened.ready == 0 && !(single && opened.ready_rows > 0) && !opened.ended {
                    let mut shared = Shared {
                        names: &mut self.names,
                        bad: &mut self.bad,
                        ids: &mut self.ids,
                    };
                    opened.read(window, &mut shared)?;
                    if !single {
                        opened.expand(window);
                    }
                }
                if !single {
                    opened.expand(window);
                }
            }
            self.close_ended();
            if self.open.is_empty() && self.waiting.is_empty() {
                self.unchanged()?;
                return Ok(Batch::End);
            }
            let until = self.waiting.last().map(|(first, _)| *first);
            let rows = self.ready(until, window);
            if !rows.is_empty() {
                if let Some(batch) = self.rows_in_window(rows)? {
                    return Ok(batch);
                }
                continue;
            }
            let events = self.merged_once(until);
            let events = self.in_window(events)?;
            if let (Some(first), Some(last)) = (events.first(), events.last()) {
                self.spans(first.time, last.time, last.place)?;
                return Ok(self.events(events));
            }
        }
    }

    /// Checks that every file is what it was before it was read. Text may have become longer: a log that
    /// is still written. Parquet is opened for each row group, so it must not have been replaced either.
    fn unchanged(&mut self) -> Result<(), TraceError> {
        for Before {
            file,
            data,
            is_text,
        } in std::mem::take(&mut self.before)
        {
            let path = self.sources[file].path();
            let Some(now) = path.and_then(|path| std::fs::metadata(path).ok()) else {
                continue;
            };
            if is_text && !is_same_file(&now, &data) {
                // The rows are of the file that was opened, whatever has its name now: a log was rotated.
                continue;
            }
            if is_text && now.len() > data.len() {
                self.grown.push(self.sources[file].shown());
            } else if now.len() != data.len() || now.modified().ok() != data.modified().ok() {
                let message = "changed while it was read, so its rows may be of two versions";
                let error = TraceError::file(&self.sources[file].shown(), message);
                return Err(error.help("read a copy that no program writes to"));
            }
        }
        Ok(())
    }

    /// The files that became longer while they were read.
    pub fn grown(&self) -> &[String] {
        &self.grown
    }

    /// Opens every file that begins before the next event, so that nothing is returned too early.
    fn open_begun(&mut self) -> Result<(), TraceError> {
        let now = self.open.iter().filter_map(Opened::front).min();
        while let Some((first, file)) = self.waiting.last().copied()
            && now.is_none_or(|now| first <= now)
        {
            self.waiting.pop();
            let progress = self.progress.clone();
            let data = self.sources[file].data();
            let (kind, reader) = match self.recognised(file, &progress)? {
                Recognised::Trace(kind, reader) => (kind, reader),
                // Standard input is looked at only here.
                Recognised::Items => return Err(self.not_a_trace(file, ITEMS_ALONE)),
                Recognised::NoTrace(what) => return Err(self.not_a_trace(file, what.one())),
                Recognised::Unknown(error) => return Err(*error),
            };
            self.kinds.insert(kind);
            // What comes through a pipe is not there any more at the end.
            if let Some(data) = data.filter(Metadata::is_file) {
                let is_text = !matches!(kind, TraceFormat::Parquet | TraceFormat::Arrow);
                self.before.push(Before {
                    file,
                    data,
                    is_text,
                });
            }
            self.open.push(Opened {
                file,
                times: match self.dealt {
                    // They were looked at when their rows were dealt.
                    Some(_) => Times::Any,
                    None => self.times(kind),
                },
                reader,
                events: VecDeque::new(),
                ready: 0,
                held: VecDeque::new(),
                ready_rows: 0,
                ended: false,
                last: Time(i64::MIN),
                newest: Time(i64::MIN),
            });
            if now.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Closes the files whose events were all returned.
    fn close_ended(&mut self) {
        for ended in self.open.extract_if(.., |opened| {
            opened.ended && opened.events.is_empty() && opened.held.is_empty()
        }) {
            if self.dealt.is_none() {
                self.notes.merge(ended.reader.notes());
            }
        }
    }

    /// The events that are ready, without copies of records.
    fn merged_once(&mut self, until: Option<Time>) -> Vec<Event> {
        let mut events = self.merged(until);
        let before = events.len();
        let copies = self.records.remove_copies(&mut events);
        match &mut self.dealt {
            Some(dealt) => {
                dealt.copies += (before - events.len()) as u64;
                dealt.copied_records += copies;
            }
            None => self.notes.pass_all(Passed::Duplicate, copies),
        }
        events
    }

    /// A batch of events.
    fn events(&mut self, events: Vec<Event>) -> Batch {
        let first = self.ordinal;
        self.ordinal += events.len() as u64;
        Batch::Events(first, events)
    }

    fn is_in_window(&self, time: Time) -> bool {
        self.options.from.is_none_or(|from| from <= time)
            && self.options.to.is_none_or(|to| time < to)
    }

    /// Counts events outside `--from` and `--to`.
    fn leave_out(&mut self, count: usize) {
        self.notes.pass_all(Passed::OutsideWindow, count as u64);
    }

    /// The events between `--from` and `--to`.
    ///
    /// # Errors
    /// If one of them cuts the period of a data point: its units cannot be divided.
    fn in_window(&mut self, mut events: Vec<Event>) -> Result<Vec<Event>, TraceError> {
        let count = events.len();
        let cuts = |event: &Event, moment: Option<Time>| {
            let What::Counted(counted) = &event.what else {
                return false;
            };
            let end = event.time.second() + i64::from(counted.seconds.max(1));
            moment.is_some_and(|moment| {
                event.time < moment && moment.second() < end && counted.seconds > WHOLE_SECONDS_MAX
            })
        };
        for event in &events {
            if cuts(event, self.options.from) || cuts(event, self.options.to) {
                let message = format!(
                    "the data point of {} is cut by --from or --to; choose moments at which data \
                     points begin",
                    event.time
                );
                let row = Some(event.place.row);
                let file = self.bad.file(event.place);
                return Err(TraceError {
                    row,
                    ..TraceError::file(file, message)
                });
            }
        }
        events.retain(|event| self.is_in_window(event.time));
        self.leave_out(count - events.len());
        Ok(events)
    }

    /// The rows between `--from` and `--to`; `None` if there are none. Rows that are only partly
    /// inside become events.
    fn rows_in_window(&mut self, rows: Vec<Rows>) -> Result<Option<Batch>, TraceError> {
        let is_whole = |rows: &Rows| self.is_in_window(rows.first) && self.is_in_window(rows.last);
        if rows.iter().all(is_whole) {
            for rows in &rows {
                self.spans(rows.first, rows.last, rows.from)?;
            }
            let mut rows = rows;
            for rows in &mut rows {
                rows.ordinal = self.ordinal;
                self.ordinal += rows.rows.len() as u64;
            }
            return Ok(Some(Batch::Rows(rows)));
        }
        let events = rows.iter().flat_map(Rows::events).collect();
        let events = self.in_window(events)?;
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Ok(None);
        };
        self.spans(first.time, last.time, last.place)?;
        Ok(Some(self.events(events)))
    }

    /// Refuses a trace that spans more than a trace does: one of its times was misread.
    fn spans(&mut self, first: Time, last: Time, place: RowPlace) -> Result<(), TraceError> {
        let begun = *self.first.get_or_insert(first);
        if last.second() - begun.second() <= SPAN_SECONDS_MAX {
            return Ok(());
        }
        let message = format!(
            "its time is {last}, but the trace begins at {begun}: no trace spans more than three \
             years"
        );
        Err(TraceError {
            file: self.bad.file(place).to_string(),
            row: Some(place.row),
            message,
            help: Some(
                "check the times (--inspect shows how they are read), or name the time to replay \
                 with --from and --to",
            ),
        })
    }

    /// Which times the events of a format can have.
    fn times(&self, kind: TraceFormat) -> Times {
        match kind {
            TraceFormat::Twemcache | TraceFormat::OracleGeneral | TraceFormat::Vscsi => Times::Any,
            TraceFormat::Parquet
            | TraceFormat::Arrow
            | TraceFormat::Csv
            | TraceFormat::NdJson
            | TraceFormat::Requests => match self.options.time_unit {
                Some(_) => Times::Any,
                None => Times::SinceStart,
            },
            _ => Times::SinceDynamodb,
        }
    }

    fn not_a_trace(&self, file: usize, what: &str) -> TraceError {
        let shown = self.sources[file].shown();
        TraceError::file(&shown, format!("not a trace: {what}")).help(
            "name the files that contain the calls, or their folder; --kind names a format that is \
             not recognised",
        )
    }

    /// Takes back executed rows, to reuse their buffers.
    pub fn recycle(&self, rows: Vec<Rows>) {
        if let Ok(mut spare) = self.options.spare.lock() {
            spare.extend(rows.into_iter().map(|rows| rows.rows));
        }
    }

    /// Rows before `until` that are ready, if only one file is open.
    fn ready(&mut self, until: Option<Time>, window: usize) -> Vec<Rows> {
        let [only] = self.open.as_mut_slice() else {
            return Vec::new();
        };
        if !only.events.is_empty() || only.ready_rows == 0 {
            return Vec::new();
        }
        let before = |rows: &Rows| until.is_none_or(|until| rows.last < until);
        let count = only
            .held
            .iter()
            .take(only.ready_rows)
            .take_while(|rows| before(rows))
            .count();
        if count == 0 {
            // Another file begins within these rows.
            only.expand(window);
            return Vec::new();
        }
        only.ready_rows -= count;
        only.held.drain(..count).collect()
    }

    /// Events before `until` that are ready, merged from all open files.
    fn merged(&mut self, until: Option<Time>) -> Vec<Event> {
        self.open.sort_by_key(|opened| opened.file);
        let before = |time: Time| until.is_none_or(|until| time < until);
        let mut merged = Vec::new();
        if let [only] = self.open.as_mut_slice() {
            let count = only
                .events
                .iter()
                .take(only.ready)
                .take_while(|event| before(event.time))
                .count();
            only.ready -= count;
            merged.extend(only.events.drain(..count));
            return merged;
        }
        // If a file has no ready event, more of it must be read before the order is final.
        while self
            .open
            .iter()
            .all(|opened| opened.ready > 0 || (opened.ended && opened.events.is_empty()))
        {
            let heads =
                self.open.iter().enumerate().filter_map(|(at, opened)| {
                    Some((opened.events.front()?.time, opened.file, at))
                });
            let Some((time, _, at)) = heads.min() else {
                break;
            };
            if !before(time) {
                break;
            }
            let opened = &mut self.open[at];
            opened.ready -= 1;
            merged.extend(opened.events.pop_front());
        }
        merged
    }
}

/// The files without those that were named before: by another path, by their folder or by a pattern.
pub fn without_doubles(mut files: Vec<FileSource>) -> Vec<FileSource> {
    let mut seen = BTreeSet::new();
    let identity = |source: &FileSource| match source {
        FileSource::File(path) => path.canonicalize().unwrap_or_else(|_| path.clone()),
        FileSource::Stdin => std::path::PathBuf::from("-"),
    };
    files.retain(|source| *source == FileSource::Stdin || seen.insert(identity(source)));
    files
}

/// The notes of readers, and a note on files of several kinds.
pub(crate) fn note_texts(notes: &Notes, kinds: &BTreeSet<TraceFormat>) -> Vec<String> {
    let mut texts = notes.texts();
    let metrics = [TraceFormat::CloudWatch, TraceFormat::CloudWatchCsv];
    let (metrics, calls): (Vec<TraceFormat>, Vec<TraceFormat>) =
        kinds.iter().partition(|kind| metrics.contains(kind));
    let several = !metrics.is_empty() && !calls.is_empty()
        || calls.contains(&TraceFormat::Log) && calls.len() > 1;
    if several {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        texts.push(format!(
            "the files are of several kinds ({}); calls that more than one of them records are \
             counted more than once",
            names.join(", ")
        ));
    }
    texts
}

impl Opened {
    /// The time of the first event or row.
    fn front(&self) -> Option<Time> {
        self.events
            .front()
            .map(|event| event.time)
            .or_else(|| self.held.front().map(|rows| rows.first))
    }

    /// Reads the next pieces.
    fn read(&mut self, window: usize, shared: &mut Shared) -> Result<(), TraceError> {
        let (pieces, more) = self.reader.pieces(false, shared)?;
        let bad = &mut *shared.bad;
        for piece in pieces {
            match piece {
                Piece::Rows(rows) if !self.times.allow(rows.first) => {
                    self.expand(window);
                    self.take(rows.events(), window, bad)?;
                }
                Piece::Rows(rows) if self.follows(&rows) => {
                    self.newest = rows.last;
                    self.held.push_back(rows);
                }
                Piece::Rows(rows) => {
                    self.expand(window);
                    self.take(rows.events(), window, bad)?;
                }
                Piece::Events(events) if events.is_empty() => {}
                Piece::Events(events) => {
                    self.expand(window);
                    self.take(events, window, bad)?;
                }
            }
            self.settle(window);
        }
        self.ended = !more;
        self.settle(window);
        Ok(())
    }

    /// Whether rows come after everything read so far.
    fn follows(&self, rows: &Rows) -> bool {
        rows.first >= self.newest && rows.first >= self.last
    }

    /// Converts the held rows to events, so that they can be sorted with others.
    fn expand(&mut self, window: usize) {
        if !self.held.is_empty() {
            self.events
                .extend(self.held.drain(..).flat_map(|rows| rows.events()));
            self.ready_rows = 0;
            self.settle(window);
        }
    }

    /// Adds events and sorts them.
    fn take(
        &mut self,
        mut more: Vec<Event>,
        window: usize,
        bad: &mut Bad,
    ) -> Result<(), TraceError> {
        let mut late = Vec::new();
        for event in more.extract_if(.., |event| !self.times.allow(event.time)) {
            bad.row(event.place, SkipReason::Time, before_dynamodb(event.time))
                .map_err(|error| error.help(CHECK_TIMES))?;
        }
        more.retain(|event| {
            let on_time = event.time >= self.last
                && event.time.0 >= self.newest.0.saturating_sub(LATE_NANOSECONDS);
            if on_time {
                self.newest = self.newest.max(event.time);
            } else {
                late.push((event.place, event.time));
            }
            on_time
        });
        for (place, time) in late {
            let (last, newest) = (self.last, self.newest);
            let message = match time < last {
                true => format!(
                    "its time {time} is before {last}, which was read more than {window} rows \
                     earlier"
                ),
                false => format!(
                    "its time {time} is more than 25 hours before {newest}, which was read earlier"
                ),
            };
            bad.row(place, SkipReason::OutOfOrder, message)
                .map_err(|error| {
                    error.help(
                        "sort the trace by time, allow later rows with --window ROWS, or skip \
                         them with --skip-bad-rows",
                    )
                })?;
        }
        self.events.extend(more);
        let events = self.events.make_contiguous();
        if !events.is_sorted_by_key(|event| event.time) {
            events.sort_by_key(|event| event.time);
        }
        Ok(())
    }

    /// Marks all but the last `window` rows as final: a row that is still to be read may be earlier
    /// than those.
    fn settle(&mut self, window: usize) {
        let mut after: usize = self.held.iter().map(|rows| rows.rows.len()).sum();
        let open = if self.ended {
            0
        } else {
            window.saturating_sub(after)
        };
        self.ready = self.events.len().saturating_sub(open);
        if let Some(event) = self.ready.checked_sub(1).and_then(|at| self.events.get(at)) {
            self.last = self.last.max(event.time);
        }
        self.ready_rows = 0;
        if self.ready < self.events.len() {
            return;
        }
        for rows in &self.held {
            after -= rows.rows.len();
            if !self.ended && after < window {
                break;
            }
            self.ready_rows += 1;
            self.last = self.last.max(rows.last);
        }
    }
}
