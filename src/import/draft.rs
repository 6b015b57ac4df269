//! A workload under construction: every value keeps its origin, and the result is written as a
//! commented file.

use std::ops::Range;
use std::sync::Arc;

use super::name_of;
use super::node::SourceNode;
use super::unused::UnusedPart;
use crate::diag::{self, Origins, Source, harmless};
use crate::units::Exact;
use crate::unread::UnreadKind;
use crate::workload::harmless_text;

/// The place of a value in the file it comes from.
pub(super) type Origin = Option<(Arc<Source>, Range<usize>)>;

/// A value as written in the workload file, with its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sourced {
    /// The value in TOML.
    pub toml: String,
    /// The comment beside it: where the value came from, or what to fill in.
    pub note: String,
    pub origin: Origin,
    /// The resource that it belongs to, if it is not that of the table.
    pub resource: Option<Arc<str>>,
}

/// The TOML value of an unknown figure.
pub(super) const UNKNOWN: &str = "\"unknown\"";

impl Sourced {
    pub fn new(toml: impl Into<String>, note: impl Into<String>, origin: Origin) -> Sourced {
        Sourced {
            toml: toml.into(),
            note: note.into(),
            origin,
            resource: None,
        }
    }

    /// A text.
    pub fn text(text: &str, note: impl Into<String>, origin: Origin) -> Sourced {
        Sourced::new(quoted(text), note, origin)
    }

    /// A value that the user has to fill in.
    pub fn unknown(note: impl Into<String>) -> Sourced {
        Sourced::new(UNKNOWN, note, None)
    }

    pub fn is_unknown(&self) -> bool {
        self.toml == UNKNOWN
    }

    /// The text of a TOML string; other values as TOML.
    pub fn plain(&self) -> String {
        toml::from_str::<toml::Table>(&format!("v = {}", self.toml))
            .ok()
            .and_then(|table| {
                table
                    .get("v")
                    .and_then(|value| value.as_str().map(str::to_string))
            })
            .unwrap_or_else(|| self.toml.clone())
    }
}

/// A cost that a workload cannot describe, as an element of `unpriced`.
pub(super) fn unpriced(kind: UnreadKind, what: &str, note: &str, origin: Origin) -> Sourced {
    let toml = match kind {
        UnreadKind::Feature => quoted(what),
        kind => format!("{{ kind = {:?}, what = {} }}", kind.word(), quoted(what)),
    };
    Sourced::new(toml, note, origin)
}

/// A text as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    harmless_text(text).unwrap_or_else(|| toml::Value::String(text.to_string()).to_string())
}

/// A number as TOML; rounded to nine decimals.
pub(super) fn number(number: &Exact) -> String {
    number.human(9).replace(',', "")
}

/// One or several texts as TOML.
pub(super) fn list(texts: &[String]) -> String {
    match texts {
        [one] => quoted(one),
        several => format!(
            "[{}]",
            several
                .iter()
                .map(|text| quoted(text))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}

/// Keys with their values, in order, without duplicates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(pub Vec<(String, Sourced)>);

impl Fields {
    /// Sets a key, replacing its previous value.
    pub fn set(&mut self, key: &str, said: Sourced) {
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = said,
            None => self.0.push((key.to_string(), said)),
        }
    }

    /// Sets every field that others have.
    pub fn take(&mut self, others: &Fields) {
        for (key, said) in &others.0 {
            self.set(key, said.clone());
        }
    }

    /// Sets a key if there is a value.
    pub fn set_some(&mut self, key: &str, said: Option<Sourced>) {
        if let Some(said) = said {
            self.set(key, said);
        }
    }

    pub fn get(&self, key: &str) -> Option<&Sourced> {
        self.0
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, said)| said)
    }

    pub fn remove(&mut self, key: &str) {
        self.0.retain(|(known, _)| known != key);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn each(&mut self, act: &mut impl FnMut(&mut Sourced)) {
        self.0.iter_mut().for_each(|(_, said)| act(said));
    }
}

/// Provisioned capacity in one direction: fixed units or auto scaling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UnitsDraft {
    pub fixed: Option<Sourced>,
    pub min: Option<Sourced>,
    pub max: Option<Sourced>,
    /// The target utilization in percent.
    pub target: Option<Sourced>,
}

impl UnitsDraft {
    fn each(&mut self, act: &mut impl FnMut(&mut Sourced)) {
        let all = [
            &mut self.fixed,
            &mut self.min,
            &mut self.max,
            &mut self.target,
        ];
        all.into_iter().flatten().for_each(act);
    }

    /// The units as written in the workload file.
    pub fn said(&self) -> Option<Sourced> {
        let scaled = (&self.min, &self.max, &self.target);
        if let (Some(min), Some(max), Some(target)) = scaled {
            if let Some(unknown) = [min, max].into_iter().find(|said| said.is_unknown()) {
                return Some(unknown.clone());
            }
            let initial = self
                .fixed
                .as_ref()
                .filter(|fixed| !fixed.is_unknown())
                .map(|fixed| format!("; initially {}", fixed.toml));
            let why = Some(&target.note)
                .filter(|note| target.is_unknown() && !note.is_empty())
                .map(|note| format!("; {note}"));
            let note = format!(
                "{}{}{}",
                min.note,
                initial.unwrap_or_default(),
                why.unwrap_or_default()
            );
            let target = match share(&target.toml) {
                _ if target.is_unknown() => target.toml.clone(),
                Some(share) => share,
                None => {
                    let note = format!(
                        "{}: a target of {} percent; a workload allows whole numbers from 20 to 90",
                        target.note, target.toml
                    );
                    return Some(Sourced {
                        note,
                        ..Sourced::unknown("")
                    });
                }
            };
            let toml = format!(
                "{{ min = {}, max = {}, target = {target} }}",
                min.toml, max.toml
            );
            return Some(Sourced::new(toml, note, min.origin.clone()));
        }
        self.fixed.clone()
    }
}

/// A percentage as a share: 70 is 0.7; `None` if a workload does not allow it as a target.
fn share(percent: &str) -> Option<String> {
    let percent = Exact::parse(percent)?;
    let is_target =
        percent == percent.floor() && percent >= Exact::from(20) && percent <= Exact::from(90);
    is_target.then(|| number(&(&percent / &Exact::from(100))))
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IndexDraft {
    pub name: Sourced,
    pub global: bool,
    pub fields: Fields,
    pub read: UnitsDraft,
    pub write: UnitsDraft,
    pub schedule: Vec<Sourced>,
}

/// A replica in another region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReplicaDraft {
    pub region: Sourced,
    pub fields: Fields,
    pub read: UnitsDraft,
    /// Its global indexes: the name and the settings that differ.
    pub indexes: Vec<(String, UnitsDraft, Fields)>,
    pub access: Vec<Fields>,
}

impl ReplicaDraft {
    /// The settings of a global index that differ; adds the index if needed.
    pub fn index(&mut self, name: &str) -> (&mut UnitsDraft, &mut Fields) {
        let at = self
            .indexes
            .iter()
            .position(|(known, ..)| known == name)
            .unwrap_or_else(|| {
                self.indexes
                    .push((name.to_string(), UnitsDraft::default(), Fields::default()));
                self.indexes.len() - 1
            });
        let (_, read, fields) = &mut self.indexes[at];
        (read, fields)
    }

    /// Contributor Insights is enabled per index; turns it off for indexes that do not set it.
    pub fn insights_alone(&mut self, indexes: impl Iterator<Item = String>) {
        indexes.for_each(|name| {
            off(
                self.index(&name).1,
                "Contributor Insights only of the replica's table",
            )
        });
    }
}

/// Turns off Contributor Insights of an index that does not set it.
fn off(fields: &mut Fields, note: &str) {
    if fields.get("contributor_insights").is_none() {
        fields.set("contributor_insights", Sourced::new("false", note, None));
    }
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TableDraft {
    /// Its address in a plan, or its path in the CDK.
    pub resource: Option<Arc<str>>,
    /// Other names of it: its logical ID or address, its ARN.
    pub ids: Vec<String>,
    /// Its name, as a plain text.
    pub label: String,
    pub name: Sourced,
    pub fields: Fields,
    pub capacity: Fields,
    pub read: UnitsDraft,
    pub write: UnitsDraft,
    pub schedule: Vec<Sourced>,
    pub indexes: Vec<IndexDraft>,
    /// `ttl`, `backup`, `stream` and the like, in the order in which they are written.
    pub blocks: Vec<(&'static str, Fields)>,
    /// The kinds of its items; none if all are of one kind.
    pub entities: Vec<Fields>,
    /// Its vector indexes.
    pub vectors: Vec<Fields>,
    pub access: Vec<Fields>,
    pub consumed: Vec<Fields>,
    /// Usage that a bill measured.
    pub measured: Vec<Fields>,
    pub replicas: Vec<ReplicaDraft>,
    /// What a workload cannot describe, so that it is not priced; see [`unpriced`].
    pub unpriced: Vec<Sourced>,
    /// Its tags, by which backup plans may select it.
    pub tags: Vec<(String, String)>,
    /// Whether it may have other tags.
    pub has_unknown_tags: bool,
    /// Whether a condition that cannot be resolved decides whether it is created.
    pub is_conditional: bool,
    /// The rules of the backup plans that select it.
    pub backup_rules: Vec<Sourced>,
    /// Readers of its stream that the file contains: Lambda triggers, and readers that poll.
    pub readers: (u64, u64),
    /// What tells it from a table of the same name in another stack or account.
    pub qualifier: Option<String>,
    /// Notes for the user that belong to no single value.
    pub notes: Vec<String>,
}

impl TableDraft {
    pub fn new(name: Sourced, ids: Vec<String>) -> TableDraft {
        TableDraft {
            resource: None,
            ids,
            label: name.plain(),
            name,
            fields: Fields::default(),
            capacity: Fields::default(),
            read: UnitsDraft::default(),
            write: UnitsDraft::default(),
            schedule: Vec::new(),
            indexes: Vec::new(),
            blocks: Vec::new(),
            entities: Vec::new(),
            vectors: Vec::new(),
            access: Vec::new(),
            consumed: Vec::new(),
            measured: Vec::new(),
            replicas: Vec::new(),
            unpriced: Vec::new(),
            tags: Vec::new(),
            has_unknown_tags: false,
            is_conditional: false,
            backup_rules: Vec::new(),
            readers: (0, 0),
            qualifier: None,
            notes: Vec::new(),
        }
    }

    /// Whether a name or ID refers to this table.
    pub fn is(&self, id: &str) -> bool {
        self.ids.iter().any(|known| known == id) || self.label == id
    }

    /// A block of settings such as `stream`; adds it if needed.
    pub fn block(&mut self, name: &'static str) -> &mut Fields {
        let at = self
            .blocks
            .iter()
            .position(|(known, _)| *known == name)
            .unwrap_or_else(|| {
                self.blocks.push((name, Fields::default()));
                self.blocks.len() - 1
            });
        &mut self.blocks[at].1
    }

    /// Adds whether point-in-time recovery is on, if it is said.
    pub fn add_recovery(&mut self, said: Option<Sourced>) {
        if said.is_some() {
            self.block("backup").set_some("pitr", said);
        }
    }

    /// The settings of a block, if it exists.
    pub fn find_block(&self, name: &str) -> Option<&Fields> {
        self.blocks
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, fields)| fields)
    }

    /// The names of all indexes, vector indexes included.
    pub fn index_names(&self) -> Vec<String> {
        let vectors = self.vectors.iter().filter_map(|fields| fields.get("name"));
        let own = self.indexes.iter().map(|index| &index.name);
        own.chain(vectors).map(Sourced::plain).collect()
    }

    /// The index that has a name.
    pub fn index(&mut self, name: &str) -> Option<&mut IndexDraft> {
        self.indexes
            .iter_mut()
            .find(|index| index.name.plain() == name)
    }

    /// The names of the global indexes.
    pub fn global_names(&self) -> Vec<String> {
        self.indexes
            .iter()
            .filter(|index| index.global)
            .map(|index| index.name.plain())
            .collect()
    }

    /// Contributor Insights is enabled per index; turns it off for indexes that do not set it.
    pub fn insights_alone(&mut self) {
        let global = self.indexes.iter_mut().filter(|index| index.global);
        global.for_each(|index| off(&mut index.fields, "Contributor Insights only of the table"));
    }

    pub fn is_provisioned(&self) -> bool {
        self.capacity
            .get("mode")
            .is_some_and(|mode| mode.plain() == "provisioned")
    }
}

impl TableDraft {
    /// Every value of the table.
    fn each(&mut self, act: &mut impl FnMut(&mut Sourced)) {
        act(&mut self.name);
        self.fields.each(act);
        self.capacity.each(act);
        self.read.each(act);
        self.write.each(act);
        self.schedule.iter_mut().for_each(&mut *act);
        self.unpriced.iter_mut().for_each(&mut *act);
        self.backup_rules.iter_mut().for_each(&mut *act);
        for index in &mut self.indexes {
            act(&mut index.name);
            index.fields.each(act);
            index.read.each(act);
            index.write.each(act);
            index.schedule.iter_mut().for_each(&mut *act);
        }
        self.blocks
            .iter_mut()
            .for_each(|(_, fields)| fields.each(act));
        for replica in &mut self.replicas {
            act(&mut replica.region);
            replica.fields.each(act);
            replica.read.each(act);
            for (_, read, fields) in &mut replica.indexes {
                read.each(act);
                fields.each(act);
            }
        }
        let lists = [&mut self.entities, &mut self.vectors];
        let lists = lists
            .into_iter()
            .chain([&mut self.access, &mut self.consumed]);
        lists.flatten().for_each(|fields| fields.each(act));
    }
}

const ASK_UNITS: &str = "provisioned units, such as 5 or { min = 5, max = 100, target = 0.7 }";

impl TableDraft {
    /// Adds missing values as unknown; `missing` says why they are.
    fn complete(&mut self, missing: &str) {
        let ask = |what: &str| Sourced::unknown(format!("{missing}: {what}"));
        let item = self.fields.get("item");
        let is_export = item.is_some_and(|item| item.toml.contains("export"));
        let has_entities = !self.entities.is_empty();
        for entity in &mut self.entities {
            if entity.get("items").is_none() && entity.get("share").is_none() {
                entity.set("items", ask("the number of its items, such as 1_000_000"));
            }
            if entity.get("item").is_none() {
                entity.set("item", ask("how large is an item? { size = \"1 KB\" }"));
            }
        }
        if self.fields.get("items").is_none() && !is_export && !has_entities {
            let asked = ask("the number of items, such as 1_000_000");
            self.fields.set("items", asked);
        }
        if self.fields.get("item").is_none() && !has_entities {
            let asked = ask(
                "how large is an item? { size = \"1 KB\" }, or a lognormal, histogram, attributes \
                 or export",
            );
            self.fields.set("item", asked);
        }
        if self.fields.get("partition_key").is_none() {
            let asked = ask("{ name = \"…\", type = \"S\" }");
            self.fields.set("partition_key", asked);
        }
        self.complete_readers();
        if self.is_provisioned() {
            let indexes = self.indexes.iter_mut().filter(|index| index.global);
            let units = indexes
                .flat_map(|index| [&mut index.read, &mut index.write])
                .chain([&mut self.read, &mut self.write]);
            for units in units.filter(|units| units.said().is_none()) {
                units.fixed = Some(ask(ASK_UNITS));
            }
        }
        if self.access.is_empty() {
            self.complete_consumed(missing);
        }
        for replica in &mut self.replicas {
            let witness = replica.fields.get("witness").is_some();
            if replica.access.is_empty() && replica.fields.get("reads").is_none() && !witness {
                let asked = ask(
                    "its reads as a share of the table's, such as 0.5, or [[table.replica.access]]",
                );
                replica.fields.set("reads", asked);
            }
        }
    }

    /// Sets the readers of the stream that the file contains, if it has no others.
    fn complete_readers(&mut self) {
        let readers = self.readers;
        let stream = self.blocks.iter_mut().find(|(name, _)| *name == "stream");
        let Some((_, stream)) = stream.filter(|_| readers != (0, 0)) else {
            return;
        };
        let is_unknown = stream.get("readers").is_none_or(Sourced::is_unknown);
        if is_unknown && stream.get("view").is_some() {
            let (lambda, polling) = readers;
            let toml = match (lambda, polling) {
                (lambda, 0) => format!("{{ lambda = {lambda} }}"),
                (0, polling) => format!("{{ polling = {polling} }}"),
                _ => format!("{{ lambda = {lambda}, polling = {polling} }}"),
            };
            let note = "those in the file; reads of Lambda triggers are free";
            stream.set("readers", Sourced::new(toml, note, None));
        }
    }

    /// Adds the consumed units of the table and of each global index that are not told, as unknown.
    fn complete_consumed(&mut self, missing: &str) {
        let global = self.indexes.iter().filter(|index| index.global);
        let names = global.map(|index| Some(index.name.plain()));
        let accounts: Vec<Option<String>> = std::iter::once(None).chain(names).collect();
        for index in accounts {
            let own = |fields: &&Fields| fields.get("index").map(Sourced::plain) == index;
            let told = |word: &str| {
                let mut own = self.consumed.iter().filter(own);
                own.any(|fields| fields.get(word).is_some())
            };
            let mut notes = vec![format!(
                "{missing}: {{ per_second = 10 }}, or replace this by [[table.access]]"
            )];
            let mut fields = Fields::default();
            let name = index.as_ref().map(|name| Sourced::text(name, "", None));
            fields.set_some("index", name);
            for word in ["read", "write"].into_iter().filter(|word| !told(word)) {
                let note = notes.pop().unwrap_or_else(|| "the same".to_string());
                fields.set(word, Sourced::unknown(note));
            }
            if fields.get("read").or(fields.get("write")).is_some() {
                self.consumed.push(fields);
            }
        }
    }
}

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Draft {
    /// What it was made from, for the first line.
    pub made_of: String,
    /// Why values are missing, such as "not in a plan".
    pub missing: &'static str,
    /// `name`, `region` and the like.
    pub head: Fields,
    pub tables: Vec<TableDraft>,
    /// What the account has bought.
    pub commitments: Vec<Fields>,
    /// DAX clusters that serve none of the tables.
    pub clusters: Vec<Fields>,
    /// Usage that a bill measured and that belongs to no table.
    pub measured: Vec<Fields>,
    /// What was not read and belongs to no table; see [`unpriced`].
    pub unpriced: Vec<Sourced>,
    /// Whether the file may have no table: it describes other resources as well.
    pub may_be_empty: bool,
    /// Parts of the usage file that the file does not have, such as parameters.
    pub unused: Vec<UnusedPart>,
    pub notes: Vec<String>,
}

impl Draft {
    /// An empty draft of these documents; `missing` says why values are missing.
    pub fn of(
        documents: &[(Arc<Source>, SourceNode)],
        made_of: String,
        missing: &'static str,
    ) -> Draft {
        let mut draft = Draft {
            made_of,
            missing,
            ..Draft::default()
        };
        let name = Sourced::text(&name_of(documents), "the name of the file", None);
        draft.head.set("name", name);
        draft
    }

    /// Adds the tables and everything else of another draft.
    pub fn absorb(&mut self, other: Draft) {
        self.tables.extend(other.tables);
        self.clusters.extend(other.clusters);
        self.unpriced.extend(other.unpriced);
        self.notes.extend(other.notes);
        self.unused.extend(other.unused);
    }

    /// Moves all values to one place: what is written in a text within another file.
    pub fn relocate(&mut self, origin: &Origin) {
        let mut move_to = |said: &mut Sourced| said.origin.clone_from(origin);
        for table in &mut self.tables {
            table.each(&mut move_to);
        }
        for cluster in &mut self.clusters {
            cluster.each(&mut move_to);
        }
        self.unpriced.iter_mut().for_each(move_to);
    }

    /// Adds missing values as unknown, each with a comment that says what to write instead.
    pub fn complete(&mut self) {
        let missing = self.missing;
        if self.head.get("region").is_none() {
            self.head.set(
                "region",
                Sourced::unknown(format!(
                    "{missing}: write a region such as us-east-1, or use --region"
                )),
            );
        }
        for table in &mut self.tables {
            table.complete(missing);
        }
    }

    /// All notes without duplicates, each with its table.
    pub fn all_notes(&self) -> Vec<String> {
        let of_table = |table: &TableDraft| {
            let name = table.name.plain();
            table
                .notes
                .iter()
                .map(|note| format!("{name}: {note}"))
                .collect::<Vec<_>>()
        };
        let mut all: Vec<String> = Vec::new();
        for note in self
            .notes
            .iter()
            .cloned()
            .chain(self.tables.iter().flat_map(of_table))
        {
            if !all.contains(&note) {
                all.push(note);
            }
        }
        all
    }

    /// The file, and the origin of each line.
    pub fn write(&self) -> (String, Origins) {
        let mut lines = TomlWriter::default();
        lines.say(&format!(
            "Made by `dynameter import` from {}.",
            self.made_of
        ));
        lines.say(
            "Each value says where it comes from. Replace \"unknown\" by a value: until then \
             every total that needs it is unknown.",
        );
        let mut said: Vec<&String> = Vec::new();
        for note in &self.notes {
            if !said.contains(&note) {
                lines.say(note);
                said.push(note);
            }
        }
        lines.blank();
        lines.fields(&self.head);
        lines.list("unpriced", &self.unpriced);
        if self.tables.is_empty() {
            lines.line("table = []".to_string(), None);
        }
        for table in &self.tables {
            lines.table(table);
        }
        lines.resource = None;
        for cluster in &self.clusters {
            lines.block("[[dax]]", cluster);
        }
        for measured in &self.measured {
            lines.block("[[measured]]", measured);
        }
        for commitment in &self.commitments {
            lines.block("[[commitment]]", commitment);
        }
        lines.finish()
    }
}

/// The lines of the file.
#[derive(Default)]
struct TomlWriter {
    lines: Vec<(String, Origin, Option<Arc<str>>)>,
    /// The resource of the table that is being written, and the file that it is in.
    resource: Option<Arc<str>>,
    file: Option<Arc<Source>>,
}

/// The rightmost column at which aligned comments begin.
const COMMENT_COLUMN_MAX: usize = 56;

impl TomlWriter {
    /// A line of the resource that is being written.
    fn line(&mut self, text: String, origin: Origin) {
        let resource = self.resource_at(&origin);
        self.lines.push((text, origin, resource));
    }

    /// The resource that is being written, unless a value is from another file.
    fn resource_at(&self, origin: &Origin) -> Option<Arc<str>> {
        let file = self.file.as_ref();
        let is_here = origin
            .as_ref()
            .is_none_or(|(source, _)| file.is_some_and(|file| Arc::ptr_eq(file, source)));
        self.resource.clone().filter(|_| is_here)
    }

    /// A line with a value.
    fn value(&mut self, text: String, said: &Sourced) {
        let resource = said.resource.clone();
        let resource = resource.or_else(|| self.resource_at(&said.origin));
        self.lines.push((text, said.origin.clone(), resource));
    }

    fn blank(&mut self) {
        self.line(String::new(), None);
    }

    fn say(&mut self, text: &str) {
        for line in text.lines() {
            self.line(format!("# {}", tidy(line)), None);
        }
    }

    fn header(&mut self, text: &str, origin: &Origin) {
        self.blank();
        self.line(text.to_string(), origin.clone());
    }

    /// Writes keys and values, with aligned comments.
    fn fields(&mut self, fields: &Fields) {
        let key_width = fields
            .0
            .iter()
            .map(|(key, _)| key.chars().count())
            .max()
            .unwrap_or(0);
        let text = |(key, said): &(String, Sourced)| format!("{key:key_width$} = {}", said.toml);
        let width = fields
            .0
            .iter()
            .map(text)
            .map(|text| text.chars().count())
            .filter(|width| *width <= COMMENT_COLUMN_MAX)
            .max()
            .unwrap_or(0);
        for field in &fields.0 {
            let (text, said) = (text(field), &field.1);
            let line = if said.note.is_empty() {
                text
            } else {
                format!("{text:width$}  # {}", tidy(&said.note))
            };
            self.value(line, said);
        }
    }

    /// A list with one value on each line; nothing if it is empty.
    fn list(&mut self, key: &str, values: &[Sourced]) {
        let Some(first) = values.first() else {
            return;
        };
        self.value(format!("{key} = ["), first);
        for value in values {
            let note = match value.note.as_str() {
                "" => String::new(),
                note => format!("  # {}", tidy(note)),
            };
            self.value(format!("  {},{note}", value.toml), value);
        }
        self.line("]".to_string(), None);
    }

    fn table(&mut self, table: &TableDraft) {
        let origin = &table.name.origin;
        self.resource.clone_from(&table.resource);
        self.file = origin.as_ref().map(|(source, _)| source.clone());
        self.header("[[table]]", origin);
        table.notes.iter().for_each(|note| self.say(note));
        let mut fields = Fields(vec![("name".to_string(), table.name.clone())]);
        fields.0.extend(table.fields.0.iter().cloned());
        self.fields(&fields);
        self.list("unpriced", &table.unpriced);
        let mut capacity = table.capacity.clone();
        if table.is_provisioned() {
            capacity.set_some("read", table.read.said());
            capacity.set_some("write", table.write.said());
        }
        if !capacity.is_empty() {
            self.block("[table.capacity]", &capacity);
            if table.is_provisioned() {
                self.list("schedule", &table.schedule);
            }
        }
        for index in &table.indexes {
            self.index(index, table.is_provisioned() && index.global);
        }
        for vector in &table.vectors {
            self.block("[[table.vector_index]]", vector);
        }
        for entity in &table.entities {
            self.block("[[table.entity]]", entity);
        }
        for access in &table.access {
            self.block("[[table.access]]", access);
        }
        for consumed in &table.consumed {
            self.block("[[table.consumed]]", consumed);
        }
        for measured in &table.measured {
            self.block("[[table.measured]]", measured);
        }
        for (name, fields) in table.blocks.iter().filter(|(_, fields)| !fields.is_empty()) {
            self.block(&format!("[table.{name}]"), fields);
        }
        for replica in &table.replicas {
            self.replica(replica, table.is_provisioned());
        }
    }

    /// A header with its fields, at the place of the first.
    fn block(&mut self, header: &str, fields: &Fields) {
        let origin = fields.0.first().and_then(|(_, said)| said.origin.clone());
        self.header(header, &origin);
        self.fields(fields);
    }

    fn index(&mut self, index: &IndexDraft, provisioned: bool) {
        self.header("[[table.index]]", &index.name.origin);
        let kind = match index.global {
            true => "\"global\"",
            false => "\"local\"",
        };
        let kind = Sourced::new(kind, "", index.name.origin.clone());
        let mut fields = Fields(vec![
            ("name".to_string(), index.name.clone()),
            ("kind".to_string(), kind),
        ]);
        fields.0.extend(index.fields.0.iter().cloned());
        if provisioned {
            fields.set_some("read", index.read.said());
            fields.set_some("write", index.write.said());
        }
        self.fields(&fields);
        if provisioned {
            self.list("schedule", &index.schedule);
        }
    }

    fn replica(&mut self, replica: &ReplicaDraft, provisioned: bool) {
        self.header("[[table.replica]]", &replica.region.origin);
        let mut fields = Fields(vec![("region".to_string(), replica.region.clone())]);
        fields.0.extend(replica.fields.0.iter().cloned());
        if provisioned {
            fields.set_some("read", replica.read.said());
        }
        self.fields(&fields);
        for (name, read, own) in &replica.indexes {
            let mut told = Fields::default();
            if provisioned {
                told.set_some("read", read.said());
            }
            told.0.extend(own.0.iter().cloned());
            if let Some((_, first)) = told.0.first() {
                self.header("[[table.replica.index]]", &first.origin);
                let name = Sourced::text(name, "", replica.region.origin.clone());
                told.0.insert(0, ("name".to_string(), name));
                self.fields(&told);
            }
        }
        for access in &replica.access {
            self.block("[[table.replica.access]]", access);
        }
    }

    fn finish(self) -> (String, Origins) {
        let lines = self.lines.into_iter();
        let (texts, origins): (Vec<String>, Vec<diag::Origin>) = lines
            .map(|(text, span, resource)| (text, diag::Origin::new(span, resource)))
            .unzip();
        (texts.join("\n") + "\n", Origins::new(origins))
    }
}

/// A text on one line, safe to use in a comment.
fn tidy(text: &str) -> String {
    harmless(&text.replace(['\n', '\r', '\t'], " "))
        .chars()
        .take(240)
        .collect()
}
