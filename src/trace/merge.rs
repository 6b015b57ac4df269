//! A trace of many files as one stream of events in the order of time.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::Ordering;

use super::export::{incremental_files, manifest};
use super::input::Source;
use super::sniff::{self, Kind};
use super::{Bad, Event, Names, Options, Progress, Reader, Reason, Time, TraceError};

/// How many rows an event may come late within its file.
pub const WINDOW: usize = 65_536;

/// How late an event may come at all: an incremental export holds a day in no order.
const LATE_NANOSECONDS: i64 = 25 * 3_600 * Time::SECOND;

/// A trace: its files, opened as their time comes.
pub struct Trace {
    options: Options,
    /// Numbers of names.
    pub names: Names,
    /// Bad rows so far.
    pub bad: Bad,
    /// What was read so far.
    pub progress: Progress,
    /// Full exports among the files: starting states.
    pub states: Vec<State>,
    /// The time that the trace says it covers, of incremental exports.
    pub window: Option<(Time, Time)>,
    sources: Vec<Source>,
    /// Files that are not open yet, by the time at which they begin, the earliest last.
    waiting: Vec<(Time, usize)>,
    open: Vec<Opened>,
    kinds: BTreeSet<Kind>,
    notes: BTreeSet<String>,
}

/// A full export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Its folder.
    pub folder: std::path::PathBuf,
    /// The table, where its manifest names one.
    pub table: Option<String>,
}

/// A file that is being read.
struct Opened {
    file: usize,
    reader: Box<dyn Reader>,
    /// Events in the order of time, as far as it is certain: the first `ready`.
    events: VecDeque<Event>,
    ready: usize,
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
    pub fn open(sources: Vec<Source>, options: Options) -> Result<Trace, TraceError> {
        let (mut files, mut states, mut window) = (Vec::new(), Vec::new(), None);
        for source in sources {
            match &source {
                Source::File(path) if path.is_dir() => match manifest(path) {
                    Some(found) if found.incremental => {
                        let joined = |(from, to): (Time, Time), window: Option<(Time, Time)>| {
                            window.map_or((from, to), |(a, b)| (a.min(from), b.max(to)))
                        };
                        window = found.window.map(|own| joined(own, window)).or(window);
                        let wrong = |message: String| TraceError::file(&source.shown(), message);
                        files.extend(incremental_files(path, &found).map_err(wrong)?.into_iter().map(Source::File));
                    }
                    Some(found) => states.push(State { folder: path.clone(), table: found.table }),
                    None => return Err(TraceError::file(&source.shown(), "a folder without a manifest is no export")),
                },
                _ => files.push(source),
            }
        }
        // The data of an incremental export may be named twice: by its folder and by its files.
        let mut seen = BTreeSet::new();
        files.retain(|source| *source == Source::Stdin || seen.insert(source.shown()));
        // Notes of an export that is not a trace, such as manifests, are no data.
        files.retain(|source| !is_note(&source.shown()));
        if files.is_empty() && states.is_empty() {
            return Err(TraceError::file("trace", "no file to read"));
        }
        let progress = Progress::default();
        let bytes = |source: &Source| match source {
            Source::File(path) => std::fs::metadata(path).map_or(0, |data| data.len()),
            Source::Stdin => 0,
        };
        progress.total.store(files.iter().map(bytes).sum(), Ordering::Relaxed);
        let bad = Bad::new(options.skip_bad_rows, files.iter().map(Source::shown).collect());
        let mut trace = Trace {
            options,
            names: Names::default(),
            bad,
            progress,
            states,
            window,
            sources: files,
            waiting: Vec::new(),
            open: Vec::new(),
            kinds: BTreeSet::new(),
            notes: BTreeSet::new(),
        };
        trace.look()?;
        Ok(trace)
    }

    /// Finds the time at which each file begins.
    fn look(&mut self) -> Result<(), TraceError> {
        let single = self.sources.len() == 1;
        for file in 0..self.sources.len() {
            if single || self.sources[file] == Source::Stdin {
                // There is nothing to order it by, or it cannot be read twice.
                self.waiting.push((Time(i64::MIN), file));
                continue;
            }
            // What is read here is read again later: neither progress nor bad rows count.
            let (kind, mut reader) = sniff::reader(&self.sources[file], file as u32, &self.options, &Progress::default())?;
            self.kinds.insert(kind);
            let (mut events, mut bad) = (Vec::new(), Bad { skip: true, ..Bad::default() });
            while events.is_empty() && reader.batch(&mut self.names, &mut events, &mut bad)? {}
            let first = events.iter().map(|event| event.time).min().unwrap_or(Time(i64::MAX));
            self.waiting.push((first, file));
        }
        self.waiting.sort_by(|one, other| other.cmp(one));
        Ok(())
    }

    /// The names of its files.
    pub fn files(&self) -> impl Iterator<Item = String> {
        self.sources.iter().map(Source::shown)
    }

    /// The formats that were found.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.kinds.iter().copied()
    }

    /// What a reader of the output should know.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        self.notes.iter().map(String::as_str)
    }

    /// The next events in the order of time, of equal times in the order of the files; an empty list at the end.
    ///
    /// # Errors
    /// [`TraceError`] with the file and the row.
    pub fn events(&mut self) -> Result<Vec<Event>, TraceError> {
        loop {
            // Files whose time has come are opened before anything later is handed out.
            let now = self.open.iter().filter_map(|opened| opened.events.front()).map(|event| event.time).min();
            while let Some((first, file)) = self.waiting.last().copied()
                && now.is_none_or(|now| first <= now)
            {
                self.waiting.pop();
                let (kind, reader) = sniff::reader(&self.sources[file], file as u32, &self.options, &self.progress)?;
                self.kinds.insert(kind);
                self.open.push(Opened {
                    file,
                    reader,
                    events: VecDeque::new(),
                    ready: 0,
                    ended: false,
                    last: Time(i64::MIN),
                    newest: Time(i64::MIN),
                });
                if now.is_none() {
                    break;
                }
            }
            for opened in &mut self.open {
                while opened.ready == 0 && !opened.ended {
                    opened.read(self.options.window.unwrap_or(WINDOW), &mut self.names, &mut self.bad)?;
                }
            }
            for ended in self.open.extract_if(.., |opened| opened.ended && opened.events.is_empty()) {
                self.notes.extend(ended.reader.notes());
            }
            if self.open.is_empty() && self.waiting.is_empty() {
                return Ok(Vec::new());
            }
            let until = self.waiting.last().map(|(first, _)| *first);
            let events = self.merged(until);
            if !events.is_empty() {
                return Ok(events);
            }
        }
    }

    /// Events that are ready in every open file, before `until`.
    fn merged(&mut self, until: Option<Time>) -> Vec<Event> {
        self.open.sort_by_key(|opened| opened.file);
        let before = |time: Time| until.is_none_or(|until| time < until);
        let mut merged = Vec::new();
        if let [only] = self.open.as_mut_slice() {
            let count = only.events.iter().take(only.ready).take_while(|event| before(event.time)).count();
            only.ready -= count;
            merged.extend(only.events.drain(..count));
            return merged;
        }
        // Where a file has nothing ready, nothing is certain any more until it is read on.
        while self.open.iter().all(|opened| opened.ready > 0 || (opened.ended && opened.events.is_empty())) {
            let heads = self.open.iter().enumerate().filter_map(|(at, opened)| Some((opened.events.front()?.time, opened.file, at)));
            let Some((time, _, at)) = heads.min() else { break };
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
    file.starts_with("manifest-") || file == "_started" || file.ends_with(".md5") || file.ends_with(".checksum")
}

impl Opened {
    /// Reads on and puts the events in order. What is certain is all but the last `window` events, since one of
    /// those to come may be earlier.
    fn read(&mut self, window: usize, names: &mut Names, bad: &mut Bad) -> Result<(), TraceError> {
        let mut more = Vec::new();
        self.ended = !self.reader.batch(names, &mut more, bad)?;
        let mut late = Vec::new();
        more.retain(|event| {
            let on_time = event.time >= self.last && event.time.0 >= self.newest.0.saturating_sub(LATE_NANOSECONDS);
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
                true => format!("its time {time} lies before {last}, which was read more than {window} rows earlier"),
                false => format!("its time {time} lies more than 25 hours before {newest}, which was read earlier"),
            };
            bad.row(place, Reason::OutOfOrder, message)
                .map_err(|error| error.help("sort the trace by time, allow more with --window ROWS, or go on with --skip-bad-rows"))?;
        }
        self.events.extend(more);
        let events = self.events.make_contiguous();
        if !events.is_sorted_by_key(|event| event.time) {
            events.sort_by_key(|event| event.time);
        }
        self.ready = if self.ended { self.events.len() } else { self.events.len().saturating_sub(window) };
        if let Some(last) = self.ready.checked_sub(1).and_then(|at| self.events.get(at)) {
            self.last = last.time;
        }
        Ok(())
    }
}
