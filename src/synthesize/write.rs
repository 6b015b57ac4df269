//! Rows as Parquet, CSV or NDJSON.

use std::io::Write;

use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    Column, DataFrame, DataType, ParquetCompression, ParquetWriter, PlSmallStr, Schema,
};
use serde_json::{Map, Value};

use super::SynthesizeError;
use super::calls::SynthesizedRow;

/// How a trace is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceLayout {
    /// Parquet, compressed by zstd.
    Parquet,
    /// CSV with a header.
    Csv,
    /// One JSON object a line.
    NdJson,
}

impl TraceLayout {
    /// Parses the name of a layout.
    pub fn parse(name: &str) -> Option<TraceLayout> {
        match name {
            "parquet" => Some(TraceLayout::Parquet),
            "csv" => Some(TraceLayout::Csv),
            "ndjson" | "jsonl" => Some(TraceLayout::NdJson),
            _ => None,
        }
    }

    /// The layout that the extension of a file name gives.
    pub fn of_name(name: &str) -> Option<TraceLayout> {
        Some(match () {
            () if name.ends_with(".csv") => TraceLayout::Csv,
            () if [".ndjson", ".jsonl", ".json"]
                .iter()
                .any(|end| name.ends_with(end)) =>
            {
                TraceLayout::NdJson
            }
            () if name.ends_with(".parquet") => TraceLayout::Parquet,
            () => return None,
        })
    }
}

/// The number of rows of a row group.
const GROUP_ROWS: usize = 1 << 18;

/// Writes rows.
pub struct TraceWriter<W: Write + Send> {
    /// Rows so far.
    pub rows: u64,
    into: RowSink<W>,
}

enum RowSink<W: Write + Send> {
    /// The columns that have a value in any row, whether keys are whole numbers, and rows that are
    /// not written yet.
    Parquet(
        Box<BatchedWriter<W>>,
        Vec<&'static str>,
        bool,
        Vec<SynthesizedRow>,
    ),
    Csv(Box<csv::Writer<W>>),
    NdJson(std::io::BufWriter<W>),
}

/// The columns of a row.
pub const HEADER: [&str; 19] = [
    "time",
    "operation",
    "table",
    "key",
    "index",
    "item_bytes",
    "old_bytes",
    "evaluated_bytes",
    "evaluated_items",
    "fetched_bytes",
    "consistency",
    "region",
    "error",
    "caller",
    "action",
    "changes",
    "entity",
    "cached",
    "replayed",
];

fn wrong(error: impl std::fmt::Display) -> SynthesizeError {
    SynthesizeError::Parquet(error.to_string())
}

impl<W: Write + Send> TraceWriter<W> {
    /// Writes to `into`; Parquet gets only these columns, with keys as numbers if all are whole
    /// numbers.
    pub fn new(
        into: W,
        layout: TraceLayout,
        columns: Vec<&'static str>,
        whole_keys: bool,
    ) -> Result<TraceWriter<W>, SynthesizeError> {
        let into = match layout {
            TraceLayout::Parquet => {
                let field = |name: &&'static str| {
                    let kind = match *name {
                        "time" | "evaluated_bytes" | "evaluated_items" => DataType::Int64,
                        "key" if whole_keys => DataType::Int64,
                        "item_bytes" | "old_bytes" => DataType::UInt32,
                        "cached" | "replayed" => DataType::Boolean,
                        _ => DataType::String,
                    };
                    (PlSmallStr::from_static(name), kind)
                };
                let schema: Schema = columns.iter().map(field).collect();
                let writer = ParquetWriter::new(into)
                    .with_compression(ParquetCompression::Zstd(None))
                    .batched(&schema)
                    .map_err(wrong)?;
                RowSink::Parquet(Box::new(writer), columns, whole_keys, Vec::new())
            }
            TraceLayout::Csv => {
                let mut writer = csv::Writer::from_writer(into);
                writer.write_record(HEADER).map_err(io)?;
                RowSink::Csv(Box::new(writer))
            }
            TraceLayout::NdJson => RowSink::NdJson(std::io::BufWriter::new(into)),
        };
        Ok(TraceWriter { rows: 0, into })
    }

    /// Writes one row.
    pub fn row(&mut self, row: SynthesizedRow) -> Result<(), SynthesizeError> {
        self.rows += 1;
        match &mut self.into {
            RowSink::Parquet(writer, columns, whole_keys, pending) => {
                pending.push(row);
                if pending.len() >= GROUP_ROWS {
                    writer
                        .write_batch(&frame(pending, columns, *whole_keys)?)
                        .map_err(wrong)?;
                    pending.clear();
                }
            }
            RowSink::Csv(writer) => {
                write_csv(writer, &row).map_err(io)?;
            }
            RowSink::NdJson(writer) => {
                let object = json_object(&row);
                serde_json::to_writer(&mut *writer, &object).map_err(std::io::Error::from)?;
                writer.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    /// Ends the file; returns the number of its rows.
    pub fn finish(self) -> Result<u64, SynthesizeError> {
        match self.into {
            RowSink::Parquet(mut writer, columns, whole_keys, pending) => {
                if !pending.is_empty() {
                    writer
                        .write_batch(&frame(&pending, &columns, whole_keys)?)
                        .map_err(wrong)?;
                }
                writer.finish().map_err(wrong)?;
            }
            RowSink::Csv(mut writer) => writer.flush()?,
            RowSink::NdJson(mut writer) => writer.flush()?,
        }
        Ok(self.rows)
    }
}

fn io(error: csv::Error) -> SynthesizeError {
    SynthesizeError::Write(error.into())
}

fn frame(
    rows: &[SynthesizedRow],
    wanted: &[&str],
    whole_keys: bool,
) -> Result<DataFrame, SynthesizeError> {
    let texts = |name: &'static str, of: &dyn Fn(&SynthesizedRow) -> Option<&str>| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
    };
    let sizes = |name: &'static str, of: &dyn Fn(&SynthesizedRow) -> Option<u64>| {
        Column::new(
            name.into(),
            rows.iter()
                .map(|row| of(row).map(|size| size as u32))
                .collect::<Vec<_>>(),
        )
    };
    let numbers = |name: &'static str, of: &dyn Fn(&SynthesizedRow) -> Option<u64>| {
        Column::new(
            name.into(),
            rows.iter()
                .map(|row| of(row).map(|number| number as i64))
                .collect::<Vec<_>>(),
        )
    };
    let key = match whole_keys {
        true => Column::new(
            "key".into(),
            rows.iter()
                .map(|row| row.key.parse())
                .collect::<Result<Vec<i64>, _>>()
                .map_err(wrong)?,
        ),
        false => texts("key", &|row| Some(&row.key)),
    };
    let columns = vec![
        Column::new(
            "time".into(),
            rows.iter().map(|row| row.time).collect::<Vec<_>>(),
        ),
        texts("operation", &|row| Some(row.operation)),
        texts("table", &|row| Some(&row.table)),
        key,
        texts("index", &|row| row.index.as_deref()),
        sizes("item_bytes", &|row| row.item_bytes),
        sizes("old_bytes", &|row| row.old_bytes),
        numbers("evaluated_bytes", &|row| row.evaluated_bytes),
        numbers("evaluated_items", &|row| row.evaluated_items),
        texts("fetched_bytes", &|row| row.fetched_bytes.as_deref()),
        texts("consistency", &|row| row.consistency),
        texts("region", &|row| row.region.as_deref()),
        texts("error", &|row| row.error),
        texts("caller", &|row| row.caller.as_deref()),
        texts("action", &|row| row.action),
        texts("changes", &|row| row.changes.as_deref()),
        texts("entity", &|row| row.entity.as_deref()),
        Column::new(
            "cached".into(),
            rows.iter().map(|row| row.cached).collect::<Vec<_>>(),
        ),
        Column::new(
            "replayed".into(),
            rows.iter().map(|row| row.replayed).collect::<Vec<_>>(),
        ),
    ];
    let columns = columns
        .into_iter()
        .filter(|column| wanted.contains(&column.name().as_str()))
        .collect();
    DataFrame::new(rows.len(), columns).map_err(wrong)
}

/// Writes a row in the order of [`HEADER`].
fn write_csv(writer: &mut csv::Writer<impl Write>, row: &SynthesizedRow) -> csv::Result<()> {
    let time = row.time.to_string();
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let numbers = [
        row.item_bytes,
        row.old_bytes,
        row.evaluated_bytes,
        row.evaluated_items,
    ]
    .map(number);
    let flag = |flag: Option<bool>| flag.map_or("", |flag| if flag { "true" } else { "false" });
    let fields: [&str; 19] = [
        &time,
        row.operation,
        &row.table,
        &row.key,
        row.index.as_deref().unwrap_or_default(),
        &numbers[0],
        &numbers[1],
        &numbers[2],
        &numbers[3],
        row.fetched_bytes.as_deref().unwrap_or_default(),
        row.consistency.unwrap_or_default(),
        row.region.as_deref().unwrap_or_default(),
        row.error.unwrap_or_default(),
        row.caller.as_deref().unwrap_or_default(),
        row.action.unwrap_or_default(),
        // An empty list of changes is not the same as an unknown one, which is an
        // empty CSV field.
        row.changes
            .as_deref()
            .map_or("", |changes| if changes.is_empty() { "," } else { changes }),
        row.entity.as_deref().unwrap_or_default(),
        flag(row.cached),
        flag(row.replayed),
    ];
    writer.write_record(fields)
}

/// The members of a row that are given.
fn json_object(row: &SynthesizedRow) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("time".to_string(), row.time.into());
    let mut text = |name: &str, text: Option<&str>| {
        if let Some(text) = text {
            object.insert(name.to_string(), text.into());
        }
    };
    text("operation", Some(row.operation));
    text(
        "table",
        Some(&row.table)
            .map(|table| &**table)
            .filter(|table| !table.is_empty()),
    );
    text("key", Some(&row.key));
    text("index", row.index.as_deref());
    text("fetched_bytes", row.fetched_bytes.as_deref());
    text("consistency", row.consistency);
    text("region", row.region.as_deref());
    text("error", row.error);
    text("caller", row.caller.as_deref());
    text("action", row.action);
    text("changes", row.changes.as_deref());
    text("entity", row.entity.as_deref());
    let numbers = [
        ("item_bytes", row.item_bytes),
        ("old_bytes", row.old_bytes),
        ("evaluated_bytes", row.evaluated_bytes),
        ("evaluated_items", row.evaluated_items),
    ];
    for (name, number) in numbers {
        object.extend(number.map(|number| (name.to_string(), Value::from(number))));
    }
    for (name, flag) in [("cached", row.cached), ("replayed", row.replayed)] {
        object.extend(flag.map(|flag| (name.to_string(), Value::from(flag))));
    }
    object
}
