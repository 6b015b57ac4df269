//! CloudWatch metrics: the units that tables and indexes consumed, as rates with a weekly profile.
//!
//! Missing minutes were idle. A week of metrics gives a weekly profile, a day a daily profile; with
//! less, the rate is taken as constant. The result can itself be a usage file: `--usage` joins it
//! to a plan or template.

use std::collections::BTreeMap;

use super::draft::{Draft, Fields, IndexDraft, Sourced, TableDraft, UnitsDraft, number};
use super::shape::{DAY, HOUR, WEEK_HOURS, hour_of_the_week, shape};
use crate::files::FileSource;
use crate::table::Direction;
use crate::trace::{Batch, Event, ReadOptions, Time, Trace, TraceError, What};
use crate::units::Exact;

/// The account direction of a table or an index: its reads or its writes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Account {
    table: String,
    index: Option<String>,
    region: Option<String>,
    writes: bool,
}

#[derive(Debug)]
struct MetricSums {
    halves: u128,
    /// Half units in each hour of the week, from Monday 00:00 UTC.
    hours: Vec<u128>,
    /// The busiest data point: its half units, its length in seconds and its time.
    busiest: (u64, u32, i64),
}

/// The contents of the metrics.
#[derive(Default)]
struct MetricsFile {
    accounts: BTreeMap<Account, MetricSums>,
    from: Option<i64>,
    to: i64,
}

pub(super) fn draft(
    sources: Vec<FileSource>,
    reading: ReadOptions,
    region: Option<&str>,
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
    let mut draft = metrics.draft(from, &names, region);
    draft.notes.extend(trace.notes());
    Ok(draft)
}

fn new_table(name: &str) -> TableDraft {
    let mut table = TableDraft::new(Sourced::text(name, "TableName", None), Vec::new());
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
            let writes = direction == Direction::Write;
            let text = |name: &Option<crate::trace::Name>| {
                name.map(|name| trace.names.text(name).to_string())
            };
            let account = Account {
                table: table.clone(),
                index: text(&counted.index),
                region: text(&counted.region),
                writes,
            };
            let empty = || MetricSums {
                halves: 0,
                hours: vec![0; WEEK_HOURS],
                busiest: (0, 1, start),
            };
            let consumed = self.accounts.entry(account).or_insert_with(empty);
            consumed.halves += u128::from(halves);
            let hour = hour_of_the_week(start);
            consumed.hours[hour] += u128::from(halves);
            let (most, most_seconds, _) = consumed.busiest;
            if u128::from(halves) * u128::from(most_seconds)
                > u128::from(most) * u128::from(seconds)
            {
                consumed.busiest = (halves, seconds, start);
            }
        }
        Ok(())
    }

    fn draft(&self, from: i64, names: &str, region: Option<&str>) -> Draft {
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
        let (first, last) = (shown(from), shown(self.to));
        draft.notes.push(format!(
            "Metrics from {first} to {last}, days: {}; missing minutes were idle.",
            days(self.to - from)
        ));
        draft.notes.push(
            "They do not contain the capacity mode: the tables are taken as on-demand; change \
             [table.capacity] if they are provisioned."
                .to_string(),
        );
        let mut tables: BTreeMap<&str, TableDraft> = BTreeMap::new();
        for (account, consumed) in &self.accounts {
            let new = || new_table(&account.table);
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
            table.consumed.push(self.fields(account, consumed, from));
        }
        // Account directions without a metric are unknown.
        draft.tables = tables.into_values().collect();
        draft
    }

    fn fields(&self, account: &Account, consumed: &MetricSums, from: i64) -> Fields {
        let span = (self.to - from).max(1);
        let mut fields = Fields::default();
        fields.set_some(
            "index",
            account
                .index
                .as_ref()
                .map(|name| Sourced::text(name, "", None)),
        );
        let units = |halves: u128| Exact::whole(halves) / Exact::from(2);
        let (halves, seconds, at) = consumed.busiest;
        let busiest =
            (Exact::from(halves) / Exact::from(2) / Exact::from(u64::from(seconds))).human(2);
        let (word, metric) = if account.writes {
            ("write", "ConsumedWriteCapacityUnits")
        } else {
            ("read", "ConsumedReadCapacityUnits")
        };
        let hours: Vec<Exact> = consumed.hours.iter().map(|halves| units(*halves)).collect();
        let (mean, profile) = shape(&hours, from, self.to);
        let note = format!(
            "{metric}: {} units in {} days; at most {busiest} per second, at {}",
            units(consumed.halves),
            days(span),
            shown(at)
        );
        fields.set(
            word,
            Sourced::new(
                format!(
                    "{{ per_hour = {} }}",
                    number(&(&mean * &Exact::from(HOUR as u64)))
                ),
                note,
                None,
            ),
        );
        if let Some(weights) = profile {
            let list: Vec<String> = weights.iter().map(number).collect();
            let note = if weights.len() == 24 {
                "by the hour of the day, UTC"
            } else {
                "by the hour of the week, from Monday 00:00 UTC"
            };
            fields.set(
                "profile",
                Sourced::new(format!("[{}]", list.join(", ")), note, None),
            );
        }
        fields
    }
}

fn days(seconds: i64) -> String {
    (Exact::from(seconds.max(0) as u64) / Exact::from(DAY as u64)).human(2)
}

fn shown(second: i64) -> String {
    Time::from_second(second).to_string()
}
