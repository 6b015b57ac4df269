//! Deals a trace: each file is decoded once, and its rows are written into one blob for each share of
//! the keys. Shares can then be executed by processes that read nothing else.
//!
//! A step depends on its input alone, so that a step that is repeated writes the same bytes.

use std::collections::BTreeSet;
use std::io::{self, Write};

use rayon::ThreadPool;
use rayon::prelude::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use super::dynamodb::key::named_key;
use super::error::ReplayError;
use super::options::ReplayOptions;
use super::state::tables::Tables;
use crate::table::{ApiName, Arn, Item};
use crate::trace::{
    Batch, BlobWriter, DealtFile, Event, KeyShare, Name, NameTable, NamedTable, ReadOptions,
    Request, RowPolicy, Rows, SLOTS, Time, Trace, TraceError, TraceFormat, What, slot_of,
};
use crate::workload::Workload;

/// Deals the files of a trace, one after another, into blobs of all shares.
pub struct Dealer<W: Write + Send> {
    writers: Vec<BlobWriter<W>>,
    /// The tables, whose keys say to which slot a row belongs.
    tables: Tables,
    policy: RowPolicy,
    pool: ThreadPool,
    next: u32,
}

/// What a file has so far.
struct Dealing {
    file: DealtFile,
    named: BTreeSet<(Option<Name>, Option<Name>)>,
    /// The tables before the file: it is dealt by what it defines itself.
    tables: Tables,
}

const ONE_MACHINE: &str = "replay it on one machine, without --deal";

fn needs_one_order(what: &str) -> ReplayError {
    let text = format!("{what} needs all rows in one order");
    ReplayError::part(text).with_help(ONE_MACHINE)
}

/// Why the rows of a run cannot be dealt: what it asks for needs one order over all keys.
///
/// # Errors
/// [`ReplayError::Part`], which names it.
pub fn can_deal(
    workload: Option<&Workload>,
    options: &ReplayOptions,
    formats: impl IntoIterator<Item = TraceFormat>,
) -> Result<(), ReplayError> {
    if !options.dax_sizes.is_empty() {
        return Err(needs_one_order("an exact DAX cache (--dax)"));
    }
    let mut tables = workload.iter().flat_map(|workload| &workload.tables);
    if let Some(design) = tables.find(|table| table.dax.is_some()) {
        let table = &design.table.name;
        return Err(needs_one_order(&format!("the DAX cluster of {table}")));
    }
    for format in formats {
        if !format.is_calls() && format != TraceFormat::Requests {
            let name = format.name();
            return Err(needs_one_order(&format!("a trace of the format {name}")));
        }
    }
    Ok(())
}

/// Where an event goes.
enum Goes {
    /// To the share of a slot.
    To(u8),
    /// To every share: the definition of a table.
    Everywhere,
}

impl<W: Write + Send> Dealer<W> {
    /// Deals into blobs, one for each share. `first` is the number of the first file among all files
    /// of the trace.
    ///
    /// # Errors
    /// [`ReplayError`] if there are no blobs or too many, or they cannot be written.
    pub fn new(
        blobs: Vec<W>,
        first: u32,
        workload: Option<&Workload>,
        reading: &ReadOptions,
        threads: usize,
    ) -> Result<Dealer<W>, ReplayError> {
        let count = blobs.len();
        if !(1..=SLOTS).contains(&count) {
            let text = format!("{count} shares; there can be 1 to {SLOTS}");
            return Err(ReplayError::part(text));
        }
        let policy = RowPolicy::new(reading);
        let writer = |(number, into): (u32, W)| {
            let of = count as u32;
            BlobWriter::new(into, KeyShare { number, of }, policy.sorted_tables())
        };
        let writers = (1..).zip(blobs).map(writer).collect::<io::Result<_>>();
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .build()
            .map_err(|error| {
                ReplayError::empty(format!("cannot start {threads} threads: {error}"))
            })?;
        Ok(Dealer {
            writers: writers.map_err(not_written)?,
            tables: Tables::new(workload),
            policy,
            pool,
            next: first,
        })
    }

    /// Deals the next file, which is a trace of its own. `tick` is called between batches; if it
    /// returns `false`, the deal ends.
    ///
    /// # Errors
    /// [`ReplayError`] if the file cannot be read, or cannot be dealt.
    pub fn file(
        &mut self,
        mut trace: Trace,
        mut tick: impl FnMut(&Trace) -> bool,
    ) -> Result<DealtFile, ReplayError> {
        let mut files = trace.files();
        let name = files.next().unwrap_or_default();
        drop(files);
        if !trace.states.is_empty() {
            return Err(needs_one_order(&format!("{name}: a starting state")));
        }
        let mut dealing = Dealing {
            file: DealtFile {
                number: self.next,
                name,
                ..DealtFile::default()
            },
            named: BTreeSet::new(),
            tables: self.tables.clone(),
        };
        loop {
            let batch = self.pool.install(|| trace.batch())?;
            can_deal(None, &ReplayOptions::default(), trace.kinds())?;
            match batch {
                Batch::End => break,
                Batch::Rows(rows) => {
                    self.rows(&rows, &trace.names, &mut dealing)?;
                    trace.recycle(rows);
                }
                Batch::Events(_, events) => self.events(events, &trace, &mut dealing)?,
            }
            if !tick(&trace) {
                return Err(ReplayError::Stopped);
            }
        }
        let ends = self.pool.install(|| {
            let ends = self.writers.par_iter_mut().map(BlobWriter::end_of_file);
            ends.collect::<io::Result<Vec<(u64, u64)>>>()
        });
        let mut file = dealing.file;
        for (rows, signature) in ends.map_err(not_written)? {
            file.rows += rows;
            file.signature = file.signature.wrapping_add(signature);
        }
        read(&mut file, &trace);
        for writer in &mut self.writers {
            writer.add_file(file.clone(), &trace.names);
        }
        self.next = self.next.saturating_add(1);
        Ok(file)
    }

    /// Ends the blobs, and returns what they were written to.
    ///
    /// # Errors
    /// [`ReplayError::Part`] if they cannot be written.
    pub fn finish(self) -> Result<Vec<W>, ReplayError> {
        let writers = self.writers.into_iter();
        let ended = writers.map(BlobWriter::finish);
        ended.collect::<io::Result<_>>().map_err(not_written)
    }

    fn rows(
        &mut self,
        round: &[Rows],
        names: &NameTable,
        dealing: &mut Dealing,
    ) -> Result<(), ReplayError> {
        for rows in round {
            dealing.file.extend(rows.first, rows.last);
            let is_new = |kind: usize| !dealing.named.contains(&(rows.kinds[kind].table, None));
            let mut first: Vec<Option<usize>> = vec![None; rows.kinds.len()];
            if (0..rows.kinds.len()).any(is_new) {
                for row in &rows.rows {
                    let at = first[row.kind()].get_or_insert(row.at());
                    *at = (*at).min(row.at());
                }
            }
            for (kind, at) in first.iter().enumerate() {
                let Some(at) = at else { continue };
                let table = rows.kinds[kind].table;
                dealing.name((table, None), (rows.time(*at), rows.place(*at).row), names);
            }
            let is_sorted = |table: Option<Name>| {
                let table = table.map(|table| names.text(table));
                self.policy.is_sorted(table)
            };
            let sorted: Vec<bool> = rows
                .kinds
                .iter()
                .map(|kind| is_sorted(kind.table))
                .collect();
            let writers = &mut self.writers;
            let write = |writer: &mut BlobWriter<W>| writer.rows(rows, &sorted);
            let written = self.pool.install(|| {
                let writers = writers.par_iter_mut().with_min_len(1);
                writers.map(write).collect::<io::Result<()>>()
            });
            written.map_err(not_written)?;
        }
        Ok(())
    }

    fn events(
        &mut self,
        events: Vec<Event>,
        trace: &Trace,
        dealing: &mut Dealing,
    ) -> Result<(), ReplayError> {
        for event in events {
            dealing.file.extend(event.time, event.time);
            if let What::Call(call) = &event.what
                && !call.api.is_free()
            {
                let at = (event.time, event.place.row);
                dealing.name((event.table, call.index), at, &trace.names);
            }
            let goes = dealing.goes(&event, &trace.names).map_err(|message| {
                let error = TraceError::file(trace.bad.file(event.place), message);
                ReplayError::Trace(TraceError {
                    row: Some(event.place.row),
                    ..error.help(ONE_MACHINE)
                })
            })?;
            match goes {
                Goes::To(slot) => {
                    let at = usize::from(slot) % self.writers.len();
                    self.writers[at].event(event, slot, true)
                }
                Goes::Everywhere => {
                    let mut writers = self.writers.iter_mut().enumerate();
                    writers.try_for_each(|(at, writer)| writer.event(event.clone(), 0, at == 0))
                }
            }
            .map_err(not_written)?;
        }
        Ok(())
    }
}

/// Takes over what the reader of a file found, at its end.
fn read(file: &mut DealtFile, trace: &Trace) {
    let format = trace.kinds().next().map_or("", TraceFormat::name);
    file.format = format.to_string();
    file.asked = trace.asked();
    file.notes = trace.own_notes().clone();
    let skipped = trace.bad.skipped.iter();
    file.skipped = skipped.map(|(reason, count)| (*reason, *count)).collect();
    let first = trace.bad.first.iter();
    file.first_skipped = first
        .map(|(place, text)| (place.row, text.clone()))
        .collect();
    file.names.sort();
}

fn not_written(error: io::Error) -> ReplayError {
    ReplayError::part(format!("the blobs cannot be written: {error}"))
}

impl Dealing {
    /// Keeps where a table or an index is first named.
    fn name(
        &mut self,
        (table, index): (Option<Name>, Option<Name>),
        (time, row): (Time, u64),
        names: &NameTable,
    ) {
        if !self.named.insert((table, index)) {
            return;
        }
        let text = |name: Name| names.text(name).to_string();
        self.file.names.push(NamedTable {
            time,
            row,
            table: table.map(text),
            index: index.map(text),
        });
    }

    /// Where an event goes, or why it has no single key.
    fn goes(&mut self, event: &Event, names: &NameTable) -> Result<Goes, String> {
        match &event.what {
            What::Call(call) => {
                let table = match event.table {
                    Some(name) => self.tables.find(names.text(name)),
                    None => self.tables.only(),
                };
                let slot = table.map(|table| self.tables.list[table].slot(&call.key));
                Ok(Goes::To(slot.unwrap_or(slot_of(call.key.hash))))
            }
            What::Request(request) => self.request_goes(request),
            What::Change(_) | What::Counted(_) | What::Throttled(_) => {
                Err("an event without a key needs all rows in one order".to_string())
            }
        }
    }

    fn request_goes(&mut self, request: &Request) -> Result<Goes, String> {
        let body = &request.request;
        match request.api {
            ApiName::CreateTable | ApiName::UpdateTable | ApiName::DeleteTable => {
                if request.failure.is_none() {
                    // What is wrong with it is told when it is executed.
                    let done = match request.api {
                        ApiName::CreateTable => self.tables.create(body),
                        ApiName::UpdateTable => self.tables.update(body),
                        _ => self.tables.delete(body),
                    };
                    done.ok();
                }
                return Ok(Goes::Everywhere);
            }
            ApiName::Free => return Ok(Goes::Everywhere),
            ApiName::SearchVectors => return Ok(Goes::To(0)),
            ApiName::PutItem
            | ApiName::GetItem
            | ApiName::UpdateItem
            | ApiName::DeleteItem
            | ApiName::TimeToLiveDelete => {}
            api => {
                return Err(format!(
                    "a request log with {api} needs all its calls in one order: they share items"
                ));
            }
        };
        let Some(name) = body["TableName"].as_str().map(|name| Arn::of(name).table()) else {
            return Ok(Goes::To(0));
        };
        let Some(table) = self.tables.find(name) else {
            return Err(format!(
                "the table {} is defined neither by the file nor by a workload, so that its keys \
                 cannot be dealt; give --workload, or put CreateTable first",
                name.escape_debug()
            ));
        };
        let slot = request.item.as_ref();
        let slot = slot.and_then(|item| self.slot_of_item(table, item));
        Ok(Goes::To(slot.unwrap_or(0)))
    }

    /// The slot of an item; `None` if it has no valid key, which is told when it is executed.
    fn slot_of_item(&self, table: usize, item: &Item) -> Option<u8> {
        let state = &self.tables.list[table];
        let key = state.key_of(item).ok()?;
        Some(state.slot(&named_key(&key)))
    }
}
