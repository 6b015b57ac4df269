//! CloudWatch metrics: the units that tables and indexes consumed, as rates with a weekly profile.
//!
//! Missing minutes were idle. A week of metrics gives a weekly profile, a day a daily profile; with
//! less, the rate is taken as constant. The result can itself be a usage file: `--usage` joins it
//! to a plan or template.

use std::collections::BTreeMap;

use super::consumed::{ConsumedUnits, DataPoint, days};
use super::draft::{Draft, Fields, IndexDraft, Sourced, TableDraft, UnitsDraft};
use crate::files::FileSource;
use crate::table::Direction;
use crate::time::utc;
use crate::trace::{Batch, Event, ReadOptions, Trace, TraceError, What};

/// The account direction of a table or an index: its reads or its writes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Account {
    table: String,
    index: Option<String>,
    region: Option<String>,
    direction: Direction,
}

/// The contents of the metrics.
#[derive(Default)]
struct MetricsFile {
    accounts: BTreeMap<Account, ConsumedUnits>,
    from: Option<i64>,
    to: i64,
}

pub(super) fn draft(
    sources: Vec<FileSource>,
    reading: ReadOptions,
    region: Option<&str>,
    is_joined: bool,
) -> Result<Draft, TraceError> {
    let names = sources
        .iter()
        .map(FileSource::shown)
        .collect::<Vec<_>>()
        .join(", ");
    let mut trace = Trace::open(sources, reading)?;
    let mut metrics = MetricsFile::default();
    loop {
        match trace.batch()? {
            Batch::Events(_, events) => {
                for event in &events {
                    metrics.add(event, &trace)?;
                }
            }
            Batch::Rows(_) => {
                return Err(
                    TraceError::file(&names, "contains calls, not CloudWatch metrics")
                        .help("use `dynameter replay` for traces of calls"),
                );
            }
            Batch::End => break,
        }
    }
    let Some(from) = metrics.from else {
        let help = "request the Sum of ConsumedReadCapacityUnits and ConsumedWriteCapacityUnits \
                    from CloudWatch";
        // What was left out, such as what lies outside --from and --to, is why there are none.
        let notes: String = trace
            .notes()
            .iter()
            .map(|note| format!("\n{note}"))
            .collect();
        let message = format!("contains no consumed capacity units of a table{notes}");
        return Err(TraceError::file(&names, message).help(help));
    };
    let mut draft = metrics.draft(from, &names, region, is_joined);
    draft.notes.extend(trace.notes());
    Ok(draft)
}

fn new_table(name: &str, is_joined: bool) -> TableDraft {
    let mut table = TableDraft::new(Sourced::text(name, "TableName", None), Vec::new());
    if is_joined {
        return table;
    }
    let note = "CloudWatch does not say; write \"provisioned\" if the table is";
    table
        .capacity
        .set("mode", Sourced::new("\"on-demand\"", note, None));
    table
}

fn new_index(name: &str) -> IndexDraft {
    let mut fields = Fields::default();
    let key = Sourced::unknown("CloudWatch does not say: the name of its partition key");
    fields.set("partition_key", key);
    IndexDraft {
        name: Sourced::text(name, "GlobalSecondaryIndexName", None),
        global: true,
        fields,
        read: UnitsDraft::default(),
        write: UnitsDraft::default(),
        schedule: Vec::new(),
    }
}

impl MetricsFile {
    fn add(&mut self, event: &Event, trace: &Trace) -> Result<(), TraceError> {
        let What::Counted(counted) = &event.what else {
            return Ok(());
        };
        let Some(table) = event.table.map(|table| trace.names.text(table).to_string()) else {
            let file = trace.bad.file(event.place);
            return Err(TraceError::file(file, "the metrics do not name a table")
                .help("name it with --table NAME"));
        };
        let (start, seconds) = (event.time.second(), counted.seconds.max(1));
        self.from = Some(self.from.map_or(start, |from| from.min(start)));
        self.to = self.to.max(start + i64::from(seconds));
        for (direction, halves) in [
            (Direction::Read, counted.read_halves),
            (Direction::Write, counted.write_halves),
        ] {
            // Keep zero values of a metric that counts this direction: they mean that nothing was
            // consumed.
            if halves == 0 && counted.metric != Some(direction) {
                continue;
            }
            let text = |name: &Option<crate::trace::Name>| {
                name.map(|name| trace.names.text(name).to_string())
            };
            let account = Account {
                table: table.clone(),
                index: text(&counted.index),
                region: text(&counted.region),
                direction,
            };
            self.accounts.entry(account).or_default().add(DataPoint {
                start,
                seconds,
                halves,
            });
        }
        Ok(())
    }

    /// The draft; of metrics that are joined to another file, without what only that one knows.
    fn draft(&self, from: i64, names: &str, region: Option<&str>, is_joined: bool) -> Draft {
        let mut draft = Draft {
            made_of: format!("the CloudWatch metrics in {names}"),
            missing: "CloudWatch does not say",
            ..Draft::default()
        };
        draft
            .head
            .set("name", Sourced::text("CloudWatch", "", None));
        let seen = self
            .accounts
            .keys()
            .find_map(|account| account.region.clone());
        let home = region.map(str::to_string).or(seen);
        draft.head.set_some(
            "region",
            home.as_ref().map(|home| {
                Sourced::text(
                    home,
                    if region.is_some() {
                        "from --region or the usage file"
                    } else {
                        "the metrics"
                    },
                    None,
                )
            }),
        );
        let (first, last) = (utc(from), utc(self.to));
        draft.notes.push(format!(
            "Metrics from {first} to {last}, days: {}; missing minutes were idle.",
            days(self.to - from)
        ));
        let assumed = (!is_joined).then(|| {
            "They do not contain the capacity mode: the tables are taken as on-demand; change \
             [table.capacity] if they are provisioned."
                .to_string()
        });
        draft.notes.extend(assumed);
        let mut tables: BTreeMap<&str, TableDraft> = BTreeMap::new();
        for (account, consumed) in &self.accounts {
            let new = || new_table(&account.table, is_joined);
            let table = tables.entry(&account.table).or_insert_with(new);
            if let Some(name) = &account.index
                && table.index(name).is_none()
            {
                table.indexes.push(new_index(name));
            }
            if account
                .region
                .as_ref()
                .zip(home.as_ref())
                .is_some_and(|(own, home)| own != home)
            {
                let region = account.region.as_deref().unwrap_or_default();
                table.notes.push(format!(
                    "its units in {region} were ignored: import each region separately"
                ));
                continue;
            }
            let index = account.index.as_deref();
            let fields = consumed.fields(index, account.direction, from, self.to);
            table.consumed.push(fields);
        }
        // Account directions without a metric are unknown.
        draft.tables = tables.into_values().collect();
        draft
    }
}
