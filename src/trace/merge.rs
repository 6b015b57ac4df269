//! A trace of many files as one stream of events in the order of time.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::Ordering;

use super::export::{incremental_files, manifest};
use super::input::TraceSource;
use super::sniff::{self, TraceFormat};
use super::{
    Bad, Event, NameTable, Piece, Progress, ReadOptions, Rows, SkipReason, Time, TraceError,
    TraceReader,
};

/// How many rows an event may come late within its file.
pub const WINDOW: usize = 65_536;

/// How late an event may come at all: an incremental export holds a day in no order.
const LATE_NANOSECONDS: i64 = 25 * 3_600 * Time::SECOND;

/// A trace: its files, opened as their time comes.
pub struct Trace {
    options: ReadOptions,
    /// Numbers of names.
    pub names: NameTable,
    /// Bad rows so far.
    pub bad: Bad,
    /// What was read so far.
    pub progress: Progress,
    /// Full exports among the files: starting states.
    pub states: Vec<StartingState>,
    /// The time that the trace says it covers, of incremental exports.
    pub window: Option<(Time, Time)>,
    sources: Vec<TraceSource>,
    /// Files that are not open yet, by the time at which they begin, the earliest last.
    waiting: Vec<(Time, usize)>,
    open: Vec<Opened>,
    kinds: BTreeSet<TraceFormat>,
    notes: BTreeSet<String>,
    /// Events handed out so far.
    ordinal: u64,
}

/// What comes next, in the order of time.
#[derive(Debug)]
pub enum Batch {
    /// Events, and the number of the first among all of the trace.
    Events(u64, Vec<Event>),
    /// Rows of plain calls.
    Rows(Vec<Rows>),
    /// Nothing more.
    End,
}

/// A full export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartingState {
    /// Its folder.
    pub folder: std::path::PathBuf,
    /// The table, where its manifest names one.
    pub table: Option<String>,
}

/// A file that is being read.
struct Opened {
    file: usize,
    reader: Box<dyn TraceReader>,
    /// Events in the order of time, as far as it is certain: the first `ready`.
    events: VecDeque<Event>,
    ready: usize,
    /// Rows after all of these events, of which the first `ready_rows` are certain.
    held: VecDeque<Rows>,
    ready_rows: usize,
    ended: bool,
    last: Time,
    /// The latest time that was read.
    newest: Time,
}

impl Trace {
    /// Opens a trace: looks at how each file begins, and reads none to its end.
    ///
    /// # Errors
    /// [`TraceError`] where a file cannot be read or has no known format.
    pub fn open(sources: Vec<TraceSource>, options: ReadOptions) -> Result<Trace, TraceError> {
        let (mut files, mut states, mut window) = (Vec::new(), Vec::new(), None);
        for source in sources {
            match &source {
                TraceSource::File(path) if path.is_dir() => match manifest(path) {
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
                                .map(TraceSource::File),
                        );
                    }
                    Some(found) => states.push(StartingState {
                        folder: path.clone(),
                        table: found.table,
                    }),
                    None => {
                        return Err(TraceError::file(
                            &source.shown(),
                            "a folder without a manifest is no export",
                        ));
                    }
                },
                _ => files.push(source),
            }
        }
        // The data of an incremental export may be named twice: by its folder and by its files.
        let mut seen = BTreeSet::new();
        files.retain(|source| *source == TraceSource::Stdin || seen.insert(source.shown()));
        // Notes of an export that is not a trace, such as manifests, are no data.
        files.retain(|source| !is_note(&source.shown()));
        if files.is_empty() && states.is_empty() {
            return Err(TraceError::file("trace", "no file to read"));
        }
        let progress = Progress::default();
        let bytes = |source: &TraceSource| match source {
            TraceSource::File(path) => std::fs::metadata(path).map_or(0, |data| data.len()),
            TraceSource::Stdin => 0,
        };
        progress
            .total
            .store(files.iter().map(bytes).sum(), Ordering::Relaxed);
        let bad = Bad::new(
            options.skip_bad_rows,
            files.iter().map(TraceSource::shown).collect(),
        );
        let mut trace = Trace {
            options,
            names: NameTable::default(),
            bad,
            progress,
            states,
            window,
            sources: files,
            waiting: Vec::new(),
            open: Vec::new(),
            kinds: BTreeSet::new(),
            notes: BTreeSet::new(),
            ordinal: 0,
        };
        trace.look()?;
        Ok(trace)
    }

    /// Finds the time at which each file begins.
    fn look(&mut self) -> Result<(), TraceError> {
        let single = self.sources.len() == 1;
        for file in 0..self.sources.len() {
            if single || self.sources[file] == TraceSource::Stdin {
                // There is nothing to order it by, or it cannot be read twice.
                self.waiting.push((Time(i64::MIN), file));
                continue;
            }
            // What is read here is read again later: neither progress nor bad rows count.
            let (kind, mut reader) = sniff::reader(
                &self.sources[file],
                file as u32,
                &self.options,
                &Progress::default(),
            )?;
            self.kinds.insert(kind);
            let (mut first, mut bad, mut more) = (
                None,
                Bad {
                    skip: true,
                    ..Bad::default()
                },
                true,
            );
            while first.is_none() && more {
                let (pieces, goes_on) = reader.pieces(true, &mut self.names, &mut bad)?;
                more = goes_on;
                let earliest = |piece: &Piece| match piece {
                    Piece::Events(events) => events.iter().map(|event| event.time).min(),
                    Piece::Rows(rows) => Some(rows.first),
                };
                first = pieces.iter().filter_map(earliest).min();
            }
            let first = first.unwrap_or(Time(i64::MAX));
            self.waiting.push((first, file));
        }
        self.waiting.sort_by(|one, other| other.cmp(one));
        Ok(())
    }

    /// The names of its files.
    pub fn files(&self) -> impl Iterator<Item = String> {
        self.sources.iter().map(TraceSource::shown)
    }

    /// How many rows its files say they hold, where all say so.
    pub fn rows(&self) -> Option<u64> {
        self.sources
            .iter()
            .map(|source| match source {
                TraceSource::File(path) => super::parquet::rows(path),
                TraceSource::Stdin => None,
            })
            .sum()
    }

    /// The formats that were found.
    pub fn kinds(&self) -> impl Iterator<Item = TraceFormat> {
        self.kinds.iter().copied()
    }

    /// What a reader of the output should know.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        self.notes.iter().map(String::as_str)
    }

    /// What comes next in the order of time, of equal times in the order of the files.
    ///
    /// # Errors
    /// [`TraceError`] with the file and the row.
    pub fn batch(&mut self) -> Result<Batch, TraceError> {
        loop {
            // Files whose time has come are opened before anything later is handed out.
            let now = self.open.iter().filter_map(Opened::front).min();
            while let Some((first, file)) = self.waiting.last().copied()
                && now.is_none_or(|now| first <= now)
            {
                self.waiting.pop();
                let (kind, reader) = sniff::reader(
                    &self.sources[file],
                    file as u32,
                    &self.options,
                    &self.progress,
                )?;
                self.kinds.insert(kind);
                self.open.push(Opened {
                    file,
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
            let window = self.options.window.unwrap_or(WINDOW);
            let single = self.open.len() == 1;
            for opened in &mut self.open {
                while opened.ready == 0 && !(single && opened.ready_rows > 0) && !opened.ended {
                    opened.read(window, &mut self.names, &mut self.bad)?;
                    if !single {
                        opened.expand(window);
                    }
                }
                if !single {
                    opened.expand(window);
                }
            }
            for ended in self.open.extract_if(.., |opened| {
                opened.ended && opened.events.is_empty() && opened.held.is_empty()
            }) {
                self.notes.extend(ended.reader.notes());
            }
            if self.open.is_empty() && self.waiting.is_empty() {
                return Ok(Batch::End);
            }
            let until = self.waiting.last().map(|(first, _)| *first);
            let rows = self.ready(until, window);
            if !rows.is_empty() {
                return Ok(Batch::Rows(rows));
            }
            let events = self.merged(until);
            if !events.is_empty() {
                let first = self.ordinal;
                self.ordinal += events.len() as u64;
                return Ok(Batch::Events(first, events));
            }
        }
    }

    /// Takes rows back that were executed: their buffers are used again.
    pub fn recycle(&self, rows: Vec<Rows>) {
        if let Ok(mut spare) = self.options.spare.lock() {
            spare.extend(rows.into_iter().map(|rows| rows.rows));
        }
    }

    /// Rows that are ready in the only open file, before `until`.
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
            // Another file begins amid them.
            only.expand(window);
            return Vec::new();
        }
        only.ready_rows -= count;
        let mut rows: Vec<Rows> = only.held.drain(..count).collect();
        for rows in &mut rows {
            rows.ordinal = self.ordinal;
            self.ordinal += rows.rows.len() as u64;
        }
        rows
    }

    /// Events that are ready in every open file, before `until`.
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
        // Where a file has nothing ready, nothing is certain any more until it is read on.
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

/// A manifest or a checksum, which holds no data.
fn is_note(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.starts_with("manifest-")
        || file == "_started"
        || file.ends_with(".md5")
        || file.ends_with(".checksum")
}

impl Opened {
    /// The time of what comes first.
    fn front(&self) -> Option<Time> {
        self.events
            .front()
            .map(|event| event.time)
            .or_else(|| self.held.front().map(|rows| rows.first))
    }

    /// Reads on.
    fn read(
        &mut self,
        window: usize,
        names: &mut NameTable,
        bad: &mut Bad,
    ) -> Result<(), TraceError> {
        let (pieces, more) = self.reader.pieces(false, names, bad)?;
        for piece in pieces {
            match piece {
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

    /// Whether rows come after everything that was read.
    fn follows(&self, rows: &Rows) -> bool {
        rows.first >= self.newest && rows.first >= self.last
    }

    /// Makes events of rows, where they have to be put in order with others.
    fn expand(&mut self, window: usize) {
        if !self.held.is_empty() {
            self.events
                .extend(self.held.drain(..).flat_map(|rows| rows.events()));
            self.ready_rows = 0;
            self.settle(window);
        }
    }

    /// Takes events and puts them in order.
    fn take(
        &mut self,
        mut more: Vec<Event>,
        window: usize,
        bad: &mut Bad,
    ) -> Result<(), TraceError> {
        let mut late = Vec::new();
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
                    "its time {time} lies before {last}, which was read more than {window} rows \
                     earlier"
                ),
                false => format!(
                    "its time {time} lies more than 25 hours before {newest}, which was read \
                     earlier"
                ),
            };
            bad.row(place, SkipReason::OutOfOrder, message)
                .map_err(|error| {
                    error.help(
                        "sort the trace by time, allow more with --window ROWS, or go on with \
                         --skip-bad-rows",
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

    /// What is certain is all but the last `window` rows, since one of those to come may be
    /// earlier.
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
