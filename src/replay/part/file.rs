//! Parts and checkpoints: the results of a run so far, as a Parquet file that another run reads.
//!
//! The long series are rows of one table, so that any Parquet engine can read them: half units of
//! each second (`demand`), of each second and slot (`grain`), the counters of the hottest keys
//! (`counter`, `heat`), the hottest keys of each minute (`minute`), the accesses of sampled keys
//! (`access`), and in a checkpoint the item store (`store`). Everything else is one value in the
//! same file (`rest`).

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt8Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, UInt8Array, UInt32Array,
    UInt64Array,
};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::seal::{self, Seal, Sealing};
use crate::opened;
use crate::replay::cache::curve::{AccessCounts, CacheAccess};
use crate::replay::cache::exact::Sized;
use crate::replay::dynamodb::tables::Stored;
use crate::replay::executor::{Executor, Waiting};
use crate::replay::full::requests::Committed;
use crate::replay::run::{Read, ReplayPart};
use crate::replay::state::tables::Definition;
use crate::replay::tally::consumption::{CallKind, DemandKey, DemandSeries};
use crate::replay::tally::hot_keys::{Counter, Hot, HotKeys};
use crate::replay::tally::partitions::{Grain, Partitions, Strip};
use crate::replay::tally::verify::Verification;
use crate::replay::tally::{ItemCounts, KeyShare, Provenance};
use crate::replay::{ReplayError, ReplayOptions};
use crate::table::{Direction, Item};
use crate::trace::{Name, NameTable, RowPlace, SLOTS, SkipReason, Time};
use crate::units::Bytes;
use crate::workload::{IndexEntry, Traced, Workload};

/// The version of the file format. Any other version is rejected.
const FORMAT: u32 = 4;

/// The header of a part, which is checked before the part is merged with others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    format: u32,
    version: String,
    /// Which share of the keys it is.
    pub share: KeyShare,
    /// What the figures depend on: the workload and the options of the run.
    settings: String,
    /// Whether the run is unfinished: then the file is a checkpoint.
    unfinished: bool,
    /// What was read so far.
    pub read: Read,
}

/// Everything that is not stored as rows.
#[derive(Serialize, Deserialize)]
struct Rest {
    header: Header,
    definitions: Vec<Definition>,
    regions: Vec<String>,
    lanes: Vec<DemandKey>,
    places: Vec<(usize, usize)>,
    kinds: Vec<(CallKind, Option<String>, Traced)>,
    provenance: Provenance,
    verification: Option<Verification>,
    power: u32,
    asked: Vec<(usize, AccessCounts)>,
    caches: Vec<(usize, Sized)>,
    events: u64,
    refused: u64,
    throttled: u64,
    short_batches: u64,
    span: Option<(Time, Time)>,
    other_regions: BTreeMap<String, u64>,
    elsewhere: BTreeSet<usize>,
    counted_regions: BTreeSet<(usize, usize)>,
    counted_writes: BTreeSet<usize>,
    metered: BTreeSet<(usize, Option<usize>, Direction)>,
    time_to_live: BTreeSet<usize>,
    held: Vec<(usize, Vec<HeldItems>)>,
    skipped: BTreeMap<SkipReason, u64>,
    first_skipped: BTreeMap<RowPlace, String>,
    heat: Vec<((usize, usize), (Partitions, Strip))>,
    /// Only in a checkpoint: items, the first calls of transactions, reads that wait for a size.
    items: Vec<(usize, Vec<Item>)>,
    tokens: BTreeMap<String, Committed>,
    waiting: BTreeMap<u64, Vec<Waiting>>,
}

/// Items of one size with the same index entries, and how many there are.
type HeldItems = ((Bytes, Vec<IndexEntry>), u64);

/// What the figures of a run depend on, except the trace: the meaning of its workload (not its file
/// name, comments or line numbers) and the options.
pub fn settings(workload: Option<&Workload>, options: &ReplayOptions) -> String {
    let meaning = |of: &dyn Fn(&mut Xxh3)| {
        let mut hash = Xxh3::new();
        of(&mut hash);
        hash.digest()
    };
    let workload = workload.map_or(0, |workload| meaning(&|hash| workload.hash(hash)));
    format!(
        "workload {workload:016x}, region {:?}, readings {:016x}, verify {}, DAX {:?} {:?} {}",
        options.region,
        meaning(&|hash| options.switches.hash(hash)),
        options.verify.word(),
        options.dax_sizes,
        options.dax_ttl_seconds,
        options.dax_overwrite.name()
    )
}

/// The error for a file that cannot be used as a part.
fn wrong(path: &Path, why: impl std::fmt::Display) -> ReplayError {
    ReplayError::Part(format!("{}: {why}", path.display()))
}

/// Rows that are not written yet.
#[derive(Default)]
struct PartTable {
    section: Vec<&'static str>,
    owner: Vec<u32>,
    time: Vec<i64>,
    slot: Vec<u8>,
    key: Vec<u64>,
    a: Vec<u64>,
    b: Vec<u64>,
    c: Vec<u64>,
    text: Vec<Option<String>>,
    data: Vec<Option<Vec<u8>>>,
}

/// One row.
#[derive(Default)]
struct SlotRow {
    owner: usize,
    time: i64,
    slot: u8,
    key: u64,
    a: u64,
    b: u64,
    c: u64,
    text: Option<String>,
    data: Option<Vec<u8>>,
}

/// Rows per row group.
const GROUP: usize = 1 << 18;

/// Bytes of one piece of the `rest` section.
const PIECE: usize = 1 << 24;

struct PartWriter<W: Write + Send> {
    into: Option<ArrowWriter<Sealing<W>>>,
    open: Option<W>,
    table: PartTable,
}

fn failed(error: impl std::fmt::Display) -> ReplayError {
    ReplayError::Part(format!("the part cannot be written: {error}"))
}

impl<W: Write + Send> PartWriter<W> {
    fn row(&mut self, section: &'static str, row: SlotRow) -> Result<(), ReplayError> {
        let table = &mut self.table;
        table.section.push(section);
        table.owner.push(row.owner as u32);
        table.time.push(row.time);
        table.slot.push(row.slot);
        table.key.push(row.key);
        table.a.push(row.a);
        table.b.push(row.b);
        table.c.push(row.c);
        table.text.push(row.text);
        table.data.push(row.data);
        if table.section.len() >= GROUP {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<(), ReplayError> {
        let PartTable {
            section,
            owner,
            time,
            slot,
            key,
            a,
            b,
            c,
            text,
            data,
        } = std::mem::take(&mut self.table);
        let data: Vec<Option<&[u8]>> = data.iter().map(Option::as_deref).collect();
        let columns: Vec<(&str, ArrayRef, bool)> = vec![
            ("section", Arc::new(StringArray::from(section)), false),
            ("owner", Arc::new(UInt32Array::from(owner)), false),
            ("time", Arc::new(Int64Array::from(time)), false),
            ("slot", Arc::new(UInt8Array::from(slot)), false),
            ("key", Arc::new(UInt64Array::from(key)), false),
            ("a", Arc::new(UInt64Array::from(a)), false),
            ("b", Arc::new(UInt64Array::from(b)), false),
            ("c", Arc::new(UInt64Array::from(c)), false),
            ("text", Arc::new(StringArray::from(text)), true),
            ("data", Arc::new(BinaryArray::from(data)), true),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(columns).map_err(failed)?;
        if let Some(open) = self.open.take() {
            let level = ZstdLevel::try_new(1).map_err(failed)?;
            let properties = WriterProperties::builder()
                .set_compression(Compression::ZSTD(level))
                .set_key_value_metadata(Some(vec![seal::metadata()]))
                .build();
            self.into = Some(
                ArrowWriter::try_new(Sealing::new(open), batch.schema(), Some(properties))
                    .map_err(failed)?,
            );
        }
        if let Some(into) = &mut self.into {
            into.write(&batch).map_err(failed)?;
            into.flush().map_err(failed)?;
        }
        Ok(())
    }
}

/// The results of a run so far, by reference. Its executors hold different slots.
pub struct Saved<'a> {
    /// Summary of the trace.
    pub read: Read,
    /// The names and their numbers.
    pub names: &'a NameTable,
    /// The executors.
    pub executors: Vec<&'a Executor>,
    /// Partitions and heat maps.
    pub heat: &'a BTreeMap<(usize, usize), (Partitions, Strip)>,
    /// Which share it is.
    pub share: KeyShare,
    /// What the figures depend on, from [`settings`].
    pub settings: String,
    /// Whether the run is unfinished.
    pub unfinished: bool,
}

/// Writes the results of a run.
///
/// # Errors
/// [`ReplayError::Part`] if it cannot be written.
pub fn write(saved: &Saved, into: impl Write + Send) -> Result<(), ReplayError> {
    let mut writer = PartWriter {
        into: None,
        open: Some(into),
        table: PartTable::default(),
    };
    let first = saved.executors[0];
    let tallies = || saved.executors.iter().map(|executor| &executor.tally);
    let lanes: BTreeSet<DemandKey> = tallies()
        .flat_map(|tally| {
            tally
                .consumption
                .lanes
                .keys()
                .chain(tally.heat.keys())
                .chain(tally.minutes.keys())
        })
        .copied()
        .collect();
    let lanes: Vec<DemandKey> = lanes.into_iter().collect();
    let lane_at = |lane: &DemandKey| lanes.binary_search(lane).unwrap_or(0);
    let places: BTreeSet<(usize, usize)> = tallies()
        .flat_map(|tally| tally.grains.keys())
        .copied()
        .collect();
    let places: Vec<(usize, usize)> = places.into_iter().collect();
    for tally in tallies() {
        for (lane, demand) in &tally.consumption.lanes {
            for (time, a) in demand.seconds() {
                writer.row(
                    "demand",
                    SlotRow {
                        owner: lane_at(lane),
                        time,
                        a,
                        ..SlotRow::default()
                    },
                )?;
            }
        }
        for (place, grains) in &tally.grains {
            let owner = places.binary_search(place).unwrap_or(0);
            for grain in grains.clone().before(i64::MAX) {
                let [a, b] = grain.halves.map(u64::from);
                writer.row(
                    "grain",
                    SlotRow {
                        owner,
                        time: grain.second,
                        slot: grain.slot,
                        a,
                        b,
                        ..SlotRow::default()
                    },
                )?;
            }
        }
        for (lane, slots) in &tally.heat {
            for (slot, heat) in (0_u8..=255).zip(slots).filter(|(_, heat)| heat.total > 0) {
                let owner = lane_at(lane);
                writer.row(
                    "heat",
                    SlotRow {
                        owner,
                        slot,
                        time: heat.minute(),
                        a: heat.floor,
                        b: heat.total,
                        ..SlotRow::default()
                    },
                )?;
                for counter in heat.counters() {
                    let Counter {
                        hash: key,
                        halves: a,
                        error: b,
                        in_minute: c,
                        minute: time,
                        ..
                    } = counter;
                    let text = heat.names.get(&key).cloned();
                    writer.row(
                        "counter",
                        SlotRow {
                            owner,
                            slot,
                            time,
                            key,
                            a,
                            b,
                            c,
                            text,
                            ..SlotRow::default()
                        },
                    )?;
                }
            }
        }
        for (lane, minutes) in &tally.minutes {
            for (time, hot) in minutes {
                for one in hot {
                    let text = one.name.clone();
                    writer.row(
                        "minute",
                        SlotRow {
                            owner: lane_at(lane),
                            time: *time,
                            key: one.hash,
                            a: one.halves,
                            text,
                            ..SlotRow::default()
                        },
                    )?;
                }
            }
        }
        for access in &tally.log.entries {
            let (time, a, b) = (
                access.ordinal as i64,
                access.second.into(),
                access.what.into(),
            );
            writer.row(
                "access",
                SlotRow {
                    time,
                    key: access.hash,
                    a,
                    b,
                    ..SlotRow::default()
                },
            )?;
        }
    }
    if saved.unfinished {
        for executor in &saved.executors {
            for (owner, state) in executor.tables.list.iter().enumerate() {
                for (slot, key, known, halves) in state.store.all() {
                    writer.row(
                        "store",
                        SlotRow {
                            owner,
                            slot,
                            key,
                            a: known.into(),
                            b: halves.into(),
                            ..SlotRow::default()
                        },
                    )?;
                }
            }
        }
    }
    // Everything else of all executors together.
    let mut joined = crate::replay::tally::Tally::default();
    for tally in tallies() {
        joined.join(tally.without_rows());
    }
    let text = |kind: &CallKind| {
        kind.caller
            .map(|caller| saved.names.text(caller).to_string())
    };
    let rest = Rest {
        header: Header {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_string(),
            share: saved.share,
            settings: saved.settings.clone(),
            unfinished: saved.unfinished,
            read: saved.read.clone(),
        },
        definitions: first.tables.definitions.clone(),
        regions: first.regions.clone(),
        lanes,
        places,
        kinds: joined
            .consumption
            .kinds
            .iter()
            .map(|(kind, traced)| (*kind, text(kind), traced.clone()))
            .collect(),
        provenance: joined.provenance,
        verification: joined.verification,
        power: tallies().map(|tally| tally.log.power).max().unwrap_or(0),
        asked: joined.log.asked.into_iter().collect(),
        caches: first
            .caches
            .tables
            .iter()
            .map(|(cache, sized)| (*cache, sized.clone()))
            .collect(),
        events: joined.events,
        refused: joined.refused,
        throttled: joined.throttled,
        short_batches: joined.short_batches,
        span: joined.span,
        other_regions: joined.other_regions,
        elsewhere: joined.elsewhere,
        counted_regions: joined.counted_regions,
        counted_writes: joined.counted_writes,
        metered: joined.metered,
        time_to_live: joined.time_to_live,
        held: joined
            .held
            .into_iter()
            .map(|(table, held)| (table, held.into_iter().collect()))
            .collect(),
        skipped: joined.skipped,
        first_skipped: joined.first_skipped,
        heat: saved
            .heat
            .iter()
            .map(|(place, heat)| (*place, heat.clone()))
            .collect(),
        items: match saved.unfinished {
            true => (0..)
                .zip(&first.tables.list)
                .map(|(at, state)| (at, state.stored.items().cloned().collect()))
                .collect(),
            false => Vec::new(),
        },
        tokens: if saved.unfinished {
            first.tokens.clone()
        } else {
            BTreeMap::new()
        },
        waiting: match saved.unfinished {
            true => saved
                .executors
                .iter()
                .flat_map(|executor| executor.waiting.clone())
                .collect(),
            false => BTreeMap::new(),
        },
    };
    let bytes = postcard::to_stdvec(&rest).map_err(failed)?;
    for (time, piece) in (0..).zip(bytes.chunks(PIECE)) {
        writer.row(
            "rest",
            SlotRow {
                time,
                data: Some(piece.to_vec()),
                ..SlotRow::default()
            },
        )?;
    }
    writer.flush()?;
    match writer.into.take() {
        Some(mut into) => {
            into.inner_mut().begin_footer();
            into.into_inner().map_err(failed)?.finish().map_err(failed)
        }
        None => Ok(()),
    }
}

/// A part that was read.
pub struct Loaded {
    /// Its header.
    pub header: Header,
    /// Its results.
    pub part: ReplayPart,
    /// Only of a checkpoint: the item store, as table, slot, key, state and half units.
    pub store: Vec<(usize, u8, u64, u32, u32)>,
}

impl Loaded {
    /// Checks that it is a checkpoint (if `unfinished`) or a part.
    ///
    /// # Errors
    /// [`ReplayError::Part`] with what differs.
    pub fn check(&self, path: &Path, unfinished: bool) -> Result<(), ReplayError> {
        match (self.header.unfinished, unfinished) {
            (true, false) => {
                return Err(wrong(
                    path,
                    "is a checkpoint of an unfinished run\nhelp: run the same command again with \
                     --checkpoint to continue it",
                ));
            }
            (false, true) => {
                return Err(wrong(
                    path,
                    "is a part, not a checkpoint\nhelp: merge parts with --merge",
                ));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Reads a part or a checkpoint.
///
/// # Errors
/// [`ReplayError::Part`] if the file is neither, or was written by another version.
pub fn read(
    path: &Path,
    workload: Option<&Workload>,
    options: &ReplayOptions,
) -> Result<Loaded, ReplayError> {
    let cannot = |error: std::io::Error| wrong(path, format!("cannot be read: {error}"));
    let mut file = opened::open(path).map_err(cannot)?;
    let seal = seal::check(&mut file).map_err(cannot)?;
    let no_part = || {
        wrong(
            path,
            "is not a part or checkpoint written by this version, or is damaged\nhelp: write a \
             part with replay --partial, a checkpoint with replay --checkpoint",
        )
    };
    let broken =
        |error: &dyn std::fmt::Display| wrong(path, format!("is truncated or damaged: {error}"));
    match seal {
        Seal::Whole => {}
        Seal::Missing => return Err(no_part()),
        Seal::Broken => {
            return Err(wrong(
                path,
                "is damaged: its content does not match its checksum\nhelp: write it again",
            ));
        }
    }
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|_| no_part())?;
    let names: Vec<&str> = builder
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    if names
        != [
            "section", "owner", "time", "slot", "key", "a", "b", "c", "text", "data",
        ]
    {
        return Err(no_part());
    }
    let reader = builder
        .with_batch_size(1 << 16)
        .build()
        .map_err(|error| broken(&error))?;
    let mut executor = Executor::new(
        workload,
        "",
        options,
        crate::replay::cache::exact::Caches::default(),
    );
    let mut rest = Vec::new();
    let (mut demand, mut grains, mut heats, mut minutes) = (
        Vec::<(u32, i64, u64)>::new(),
        Vec::<(u32, Grain)>::new(),
        BTreeMap::<(u32, u8), Heating>::new(),
        Vec::<(u32, i64, Hot)>::new(),
    );
    let mut store = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| broken(&error))?;
        let column = |at: usize| batch.column(at);
        let sections = column(0).as_string_opt::<i32>().ok_or_else(no_part)?;
        let owners = column(1)
            .as_primitive_opt::<UInt32Type>()
            .ok_or_else(no_part)?;
        let times = column(2)
            .as_primitive_opt::<Int64Type>()
            .ok_or_else(no_part)?;
        let slots = column(3)
            .as_primitive_opt::<UInt8Type>()
            .ok_or_else(no_part)?;
        let number = |at: usize| {
            column(at)
                .as_primitive_opt::<UInt64Type>()
                .ok_or_else(no_part)
        };
        let (keys, a, b, c) = (number(4)?, number(5)?, number(6)?, number(7)?);
        let texts = column(8).as_string_opt::<i32>().ok_or_else(no_part)?;
        let data = column(9).as_binary_opt::<i32>().ok_or_else(no_part)?;
        for at in 0..batch.num_rows() {
            let (owner, time, slot, key) = (
                owners.value(at),
                times.value(at),
                slots.value(at),
                keys.value(at),
            );
            let (a, b, c) = (a.value(at), b.value(at), c.value(at));
            let text = texts.is_valid(at).then(|| texts.value(at).to_string());
            let small = |number: u64| u32::try_from(number).map_err(|error| broken(&error));
            match sections.value(at) {
                "demand" => demand.push((owner, time, a)),
                "grain" => grains.push((
                    owner,
                    Grain {
                        second: time,
                        slot,
                        halves: [small(a)?, small(b)?],
                    },
                )),
                "heat" => heats.entry((owner, slot)).or_default().set(a, b, time),
                "counter" => heats
                    .entry((owner, slot))
                    .or_default()
                    .counter(Counter::of(key, a, b, time, c), text),
                "minute" => minutes.push((
                    owner,
                    time,
                    Hot {
                        hash: key,
                        halves: a,
                        name: text,
                    },
                )),
                "access" => {
                    executor.tally.log.entries.push(CacheAccess {
                        ordinal: time as u64,
                        hash: key,
                        second: small(a)?,
                        what: small(b)?,
                    });
                }
                "store" => store.push((owner as usize, slot, key, small(a)?, small(b)?)),
                "rest" if data.is_valid(at) => rest.extend_from_slice(data.value(at)),
                other => return Err(broken(&format!("unknown row section {other:?}"))),
            }
        }
    }
    let rest: Rest = postcard::from_bytes(&rest).map_err(|_| {
        wrong(
            path,
            format!(
                "was written by another version; this is version {}\nhelp: create the parts again \
                 with one version",
                env!("CARGO_PKG_VERSION")
            ),
        )
    })?;
    let header = rest.header;
    if (header.format, header.version.as_str()) != (FORMAT, env!("CARGO_PKG_VERSION")) {
        let text = format!(
            "was written by version {}; this is version {}\nhelp: create the parts again with one \
             version",
            header.version,
            env!("CARGO_PKG_VERSION")
        );
        return Err(wrong(path, text));
    }
    let now = settings(workload, options);
    if header.settings != now {
        let text = format!(
            "was made with other settings\n  then: {}\n  now: {now}\nhelp: give the same \
             --workload, --region, --verify and --dax… options as then",
            header.settings
        );
        return Err(wrong(path, text));
    }
    executor
        .tables
        .define_again(&rest.definitions)
        .map_err(|error| broken(&error))?;
    executor.regions = rest.regions;
    let tables = executor.tables.list.len();
    if rest.lanes.iter().any(|lane| lane.table >= tables)
        || rest.places.iter().any(|(table, _)| *table >= tables)
    {
        return Err(broken(&"it refers to a table that it does not define"));
    }
    let lane = |owner: u32| {
        rest.lanes
            .get(owner as usize)
            .copied()
            .ok_or_else(|| broken(&"a row with an unknown owner"))
    };
    let mut names = NameTable::default();
    let tally = &mut executor.tally;
    for (mut kind, caller, traced) in rest.kinds {
        kind.caller = caller.map(|caller| -> Name { names.number(&caller) });
        tally.consumption.kinds.insert(kind, traced);
    }
    for (owner, second, halves) in demand {
        let demand: &mut DemandSeries = tally.consumption.lanes.entry(lane(owner)?).or_default();
        demand.add(second, halves);
    }
    for (owner, grain) in grains {
        let place = rest
            .places
            .get(owner as usize)
            .copied()
            .ok_or_else(|| broken(&"a row with an unknown owner"))?;
        tally.grains.entry(place).or_default().extend([grain]);
    }
    for ((owner, slot), heat) in heats {
        let slots = tally
            .heat
            .entry(lane(owner)?)
            .or_insert_with(|| vec![HotKeys::default(); SLOTS]);
        slots[usize::from(slot)] = heat.heat();
    }
    for (owner, minute, hot) in minutes {
        tally
            .minutes
            .entry(lane(owner)?)
            .or_default()
            .entry(minute)
            .or_default()
            .push(hot);
    }
    tally.provenance = rest.provenance;
    tally.verification = rest.verification;
    tally.log.power = rest.power.min(63);
    tally.log.asked = rest.asked.into_iter().collect();
    (tally.events, tally.refused, tally.throttled, tally.span) =
        (rest.events, rest.refused, rest.throttled, rest.span);
    tally.short_batches = rest.short_batches;
    tally.other_regions = rest.other_regions;
    tally.elsewhere = rest.elsewhere;
    tally.counted_regions = rest.counted_regions;
    tally.counted_writes = rest.counted_writes;
    tally.metered = rest.metered;
    tally.time_to_live = rest.time_to_live;
    tally.held = rest
        .held
        .into_iter()
        .map(|(table, held)| (table, held.into_iter().collect::<ItemCounts>()))
        .collect();
    (tally.skipped, tally.first_skipped) = (rest.skipped, rest.first_skipped);
    executor.caches.tables = rest.caches.into_iter().collect();
    executor.caches.sizes = options.dax_sizes.clone();
    executor.caches.ttl_seconds = options.dax_ttl_seconds;
    executor.caches.overwrite = options.dax_overwrite;
    executor.tokens = rest.tokens;
    executor.waiting = rest.waiting;
    for (at, items) in rest.items {
        let Some(state) = executor.tables.list.get_mut(at) else {
            continue;
        };
        state.has_items |= !items.is_empty();
        let table = state.design.table.clone();
        for item in items {
            let key = Stored::key(&table, &item).map_err(|error| broken(&error))?;
            state.stored.put(&table, key, Some(item));
        }
    }
    let part = ReplayPart {
        read: header.read.clone(),
        names,
        executor,
        heat: rest.heat.into_iter().collect(),
    };
    Ok(Loaded {
        header,
        part,
        store,
    })
}

/// The hot keys of a slot while its rows are read.
#[derive(Default)]
struct Heating {
    counters: Vec<(Counter, bool)>,
    names: BTreeMap<u64, String>,
    floor: u64,
    total: u64,
    minute: i64,
}

impl Heating {
    fn set(&mut self, floor: u64, total: u64, minute: i64) {
        (self.floor, self.total, self.minute) = (floor, total, minute);
    }

    fn counter(&mut self, counter: Counter, name: Option<String>) {
        self.counters.push((counter, name.is_some()));
        self.names.extend(name.map(|name| (counter.hash, name)));
    }

    fn heat(self) -> HotKeys {
        HotKeys::restore(
            &self.counters,
            self.floor,
            self.total,
            self.names,
            self.minute,
        )
    }
}

/// Merges the parts of all shares of one trace.
///
/// # Errors
/// [`ReplayError::Part`] if a share is missing or given twice, or if the parts are from different
/// traces.
pub fn merge(parts: Vec<(std::path::PathBuf, Loaded)>) -> Result<ReplayPart, ReplayError> {
    let mut found: BTreeMap<u32, &Path> = BTreeMap::new();
    let Some((first_path, first)) = parts.first() else {
        return Err(ReplayError::Part("no parts to merge".to_string()));
    };
    for (path, loaded) in &parts {
        let (share, of) = (loaded.header.share, first.header.share.of);
        if share.of != of {
            return Err(wrong(
                path,
                format!(
                    "is share {share}, but {} is one of {of} shares",
                    first_path.display()
                ),
            ));
        }
        if let Some(twice) = found.insert(share.number, path) {
            return Err(wrong(
                path,
                format!(
                    "is share {share}, and so is {}\nhelp: give each share once",
                    twice.display()
                ),
            ));
        }
        if loaded.header.read != first.header.read
            || loaded.part.executor.tables.definitions != first.part.executor.tables.definitions
        {
            let text = format!(
                "is of another trace than {}: {} events here, {} there\nhelp: all parts must come \
                 from the same files, in the same order",
                first_path.display(),
                loaded.header.read.events,
                first.header.read.events
            );
            return Err(wrong(path, text));
        }
    }
    let of = first.header.share.of;
    let missing: Vec<String> = (1..=of)
        .filter(|number| !found.contains_key(number))
        .map(|number| format!("{number}/{of}"))
        .collect();
    if !missing.is_empty() {
        return Err(ReplayError::Part(format!(
            "missing shares: {}\nhelp: create one with replay --share {} --partial",
            missing.join(", "),
            missing[0]
        )));
    }
    let mut parts = parts.into_iter().map(|(_, loaded)| loaded.part);
    let Some(mut whole) = parts.next() else {
        return Err(ReplayError::Part("no parts to merge".to_string()));
    };
    for part in parts {
        whole.join(part);
    }
    Ok(whole)
}
