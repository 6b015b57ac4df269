//! Access patterns: which keys an operation may have, what one call does, and the limits of the
//! API.

use super::{CheckedTable, Checker};
use crate::capacity::{Course, Shape};
use crate::table::{ApiName, Consistency, Direction, Index, IndexKind, Table, Target, limits};
use crate::units::Exact;
use crate::workload::DesignPart;
use crate::workload::decode::{FileNumber, Known, Located};
use crate::workload::file::{
    AccessFile, ActionFile, ActionWord, ConsistencyWord, ConsumedFile, CourseWord, OperationWord,
    StatementWord, TableFile,
};
use crate::workload::quantities::{Frequency, Profile};
use crate::workload::sizes::SizeClasses;
use crate::workload::{AccessPattern, PatternCall, WriteKind, WritePlan};

/// The families of operations, which determine the keys that are allowed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Get,
    Page,
    Write(WriteKind),
    Batch,
    Transaction,
}

/// Keys that only some families support.
const OPTIONAL: [(&str, &[&str]); 14] = [
    ("index", &["page"]),
    ("items", &["page", "many"]),
    ("segments", &["scan"]),
    ("consistency", &["get", "page"]),
    ("missing", &["get", "page", "write", "batch"]),
    ("overwrites", &["write", "batch"]),
    ("changes", &["write", "batch"]),
    ("condition_failures", &["write"]),
    ("actions", &["batch", "transaction"]),
    ("cancelled", &["transaction"]),
    ("replayed", &["transaction"]),
    ("fetches", &["page"]),
    ("attributes", &["page"]),
    ("before", &["write", "batch", "transaction"]),
];

/// What is written about one write: the keys of an access pattern or of an action.
#[derive(Clone, Copy)]
struct WrittenPlan<'a> {
    missing: Option<&'a Located<FileNumber>>,
    overwrites: Option<&'a Located<FileNumber>>,
    changes: Option<&'a Located<Vec<Located<String>>>>,
}

impl<'a> WrittenPlan<'a> {
    fn of(access: &'a AccessFile) -> Self {
        Self {
            missing: access.missing.as_ref(),
            overwrites: access.overwrites.as_ref(),
            changes: access.changes.as_ref(),
        }
    }
}

impl Checker<'_> {
    pub(super) fn access(
        &mut self,
        access: &Located<AccessFile>,
        of: &CheckedTable,
    ) -> Option<AccessPattern> {
        let CheckedTable { written, table, .. } = *of;
        if access.operation.is_placeholder() {
            return None; // all other checks depend on the operation
        }
        let family = self.family(access)?;
        self.keys_fit(access, family);
        let own = access
            .item
            .as_ref()
            .map(|item| self.items(item, &item.span, written, table));
        // If the table's sizes are invalid, and not just unknown, nothing more is reported.
        let unsized_table = written.item.value == Known::Unknown;
        let sizes = match own {
            Some(own) => Some(own.map(|described| match of.sizes {
                // Items with their own size have index keys in the same proportion as the table's
                // items.
                Some(measured) if described.measured.is_none() => {
                    described.sizes.covered_like(measured)
                }
                _ => described.sizes,
            })?),
            None => of.sizes.cloned(),
        };
        if sizes.is_none() && !unsized_table {
            return None;
        }
        let before = access
            .before
            .as_ref()
            .map(|size| self.before(size, written, table));
        let slips = self.attributes_are_known(access, written, table);
        let call = match family {
            Family::Get => self.get(access),
            Family::Page => self.page(access, of, slips)?,
            Family::Write(kind) => {
                let plan = self.plan(kind, WrittenPlan::of(access), table);
                PatternCall::Write {
                    plans: vec![(plan, 1)],
                    condition_failures: self
                        .share(access.condition_failures.as_ref(), Exact::zero()),
                }
            }
            Family::Batch | Family::Transaction => self.several(access, family, table)?,
        };
        let call = match self.unknown_of(access, &call, sizes.is_some(), of) {
            Some(why) => unknown_call(&call, table, why),
            None => call,
        };
        self.note(
            DesignPart::Access(table.name.clone(), access.name.value.clone()),
            &access.name.span,
        );
        Some(AccessPattern {
            name: access.name.value.clone(),
            operation: ApiName::parse(access.operation.word()),
            calls: access.rate.given().map_or_else(Exact::zero, |rate| {
                &rate.monthly(&self.month) * &self.traffic
            }),
            shape: self.shape(access.profile.as_ref(), access.profile_shape),
            sizes,
            before: match before {
                Some(before) => Some(before?),
                None => None,
            },
            attributes: access
                .attributes
                .as_ref()
                .map(|names| names.iter().map(|name| name.value.clone()).collect()),
            through_dax: access.dax.as_ref().is_none_or(|dax| dax.value)
                && !is_partiql(access.operation.value),
            call,
        })
    }

    /// How calls are distributed over the week.
    fn shape(&self, profile: Option<&Profile>, course: Option<CourseWord>) -> Shape {
        let course = match course.unwrap_or(self.course) {
            CourseWord::Steps => Course::Steps,
            CourseWord::Smooth => Course::Smooth,
        };
        profile.map_or_else(Shape::flat, |profile| profile.shape(course))
    }

    /// The unknown part of a call that makes its consumption unknown, if there is one.
    fn unknown_of(
        &self,
        access: &AccessFile,
        call: &PatternCall,
        sized: bool,
        of: &CheckedTable,
    ) -> Option<String> {
        let CheckedTable { written, table, .. } = *of;
        if access.rate == Known::Unknown {
            return Some(format!(
                "the rate of {:?} is \"unknown\"; give it as {{ per_second = … }}",
                access.name.value
            ));
        }
        let entries = match call {
            PatternCall::Page {
                index: Some(at), ..
            } => written
                .index
                .as_deref()
                .and_then(|indexes| indexes.get(*at)),
            _ => None,
        };
        if !sized && entries.is_none_or(|index| index.entry_size.is_none()) {
            return Some(format!(
                "the size of the items of {} is \"unknown\"; give `item`",
                table.name
            ));
        }
        if access
            .items
            .as_ref()
            .is_some_and(|items| items.value == Known::Unknown)
        {
            return Some(format!(
                "the number of items of one call of {:?} is \"unknown\"; give `items`",
                access.name.value
            ));
        }
        if of.unknown.items
            && matches!(call, PatternCall::Page { scan: true, .. })
            && access.items.is_none()
        {
            return Some(format!(
                "the number of items of {} is \"unknown\", and the scan reads them all; give \
                 `items`",
                table.name
            ));
        }
        let cached = matches!(
            call,
            PatternCall::Get {
                consistency: Some(Consistency::Eventual),
                ..
            } | PatternCall::Page {
                consistency: Consistency::Eventual,
                ..
            }
        );
        let unknown_hits = written
            .dax
            .as_ref()
            .and_then(|dax| dax.hit_ratio.as_ref())
            .is_some_and(|ratio| ratio.value == Known::Unknown);
        (cached
            && unknown_hits
            && access.dax.as_ref().is_none_or(|dax| dax.value)
            && !is_partiql(access.operation.value))
        .then(|| {
            format!(
                "the hit ratio of the DAX cluster of {} is \"unknown\"; give `hit_ratio`",
                table.name
            )
        })
    }

    /// Consumed units, without the calls.
    pub(super) fn consumed(
        &mut self,
        written: &Located<TableFile>,
        table: &Table,
    ) -> Vec<AccessPattern> {
        let mut all: Vec<AccessPattern> = Vec::new();
        let mut measured: Vec<(Target, Direction)> = Vec::new();
        for one in written.consumed.iter().flatten() {
            let Some(target) = self.consumer(one, table) else {
                continue;
            };
            if one.read.is_none() && one.write.is_none() {
                self.report(
                    "needs",
                    &one.span,
                    "neither read nor write units are given",
                    "add `read = { per_second = … }` or `write = …`",
                );
            }
            for (direction, rate) in [(Direction::Read, &one.read), (Direction::Write, &one.write)]
            {
                let Some(rate) = rate else { continue };
                measured.push((target, direction));
                let pattern = self.counted(one, rate, (target, direction), table);
                let place = one.name.as_ref().map_or_else(
                    || one.span.start..one.span.start + 1,
                    |name| name.span.clone(),
                );
                let patterns = written.access.iter().flatten();
                let mut names = all
                    .iter()
                    .map(|known| known.name.as_str())
                    .chain(patterns.map(|access| access.name.value.as_str()));
                if names.any(|known| known == pattern.name) {
                    self.report(
                        "duplicate-name",
                        &place,
                        format!("the name {:?} is used twice", pattern.name),
                        "give each its own `name = …`",
                    );
                }
                let part = DesignPart::Access(table.name.clone(), pattern.name.clone());
                self.note(part, &place);
                all.push(pattern);
            }
        }
        // If some units of a table are given and no calls are described, the other units are
        // unknown.
        if !all.is_empty() && written.access.iter().flatten().next().is_none() {
            all.extend(unmeasured(table, &measured));
        }
        all
    }

    /// The table or the global index whose units are given.
    fn consumer(&mut self, one: &Located<ConsumedFile>, table: &Table) -> Option<Target> {
        let Some(name) = &one.index else {
            return Some(Target::Table);
        };
        let global = |index: &&Index| index.kind == IndexKind::Global;
        let found = table
            .indexes
            .iter()
            .position(|index| index.name == name.value && global(&index));
        if let Some(at) = found {
            return Some(Target::Index(at));
        }
        let help = if table.indexes.iter().any(|index| index.name == name.value) {
            "a local index consumes its table's units: remove `index`".to_string()
        } else {
            let indexes = table.indexes.iter().filter(global);
            let names: Vec<&str> = indexes.map(|index| index.name.as_str()).collect();
            let names = match names.as_slice() {
                [] => "none".to_string(),
                names => names.join(", "),
            };
            format!("the global indexes are: {names}")
        };
        self.report(
            "unknown-index",
            &name.span,
            format!("{} has no global index {:?}", table.name, name.value),
            help,
        );
        None
    }

    /// The units that a table or an index consumes in one direction.
    fn counted(
        &self,
        one: &ConsumedFile,
        rate: &Known<Frequency>,
        (target, direction): (Target, Direction),
        table: &Table,
    ) -> AccessPattern {
        let word = format!("{}s", direction.word());
        let both = one.read.is_some() && one.write.is_some();
        let name = match (&one.name, &one.index) {
            (Some(name), _) if both => format!("{} ({word})", name.value),
            (Some(name), _) => name.value.clone(),
            (None, Some(index)) => format!("consumed {word} of {}", index.value),
            (None, None) => format!("consumed {word}"),
        };
        let call = match rate {
            Known::Given(_) => PatternCall::Counted { direction, target },
            Known::Unknown => PatternCall::Unknown {
                direction,
                targets: table.sharing(target, direction),
                why: format!(
                    "the units that the {word} of {} consume are \"unknown\"; give the units, or \
                     replace them with [[table.access]]",
                    whose(table, target)
                ),
            },
        };
        AccessPattern {
            name,
            operation: None,
            calls: rate.given().map_or_else(Exact::zero, |rate| {
                &rate.monthly(&self.month) * &self.traffic
            }),
            shape: self.shape(one.profile.as_ref(), one.profile_shape),
            sizes: None,
            before: None,
            attributes: None,
            through_dax: false,
            call,
        }
    }

    /// If the items are described by their attributes, reports attributes that no item has. Returns
    /// whether there are any.
    fn attributes_are_known(
        &mut self,
        access: &Located<AccessFile>,
        written: &Located<TableFile>,
        table: &Table,
    ) -> bool {
        let item = access
            .item
            .as_ref()
            .map(|item| &item.value)
            .or(written.item.given());
        let Some(attributes) = item.and_then(|item| item.attributes.as_ref()) else {
            return false;
        };
        let mut slips = false;
        let known: Vec<&str> = attributes
            .iter()
            .map(|attribute| attribute.name.value.as_str())
            .chain(table.keys.names())
            .collect();
        let of_actions = access
            .actions
            .iter()
            .flat_map(|actions| actions.iter())
            .filter_map(|action| action.changes.as_ref());
        let named = access
            .changes
            .iter()
            .map(|changes| ("changes", changes))
            .chain(of_actions.map(|changes| ("changes", changes)));
        let named = named.chain(
            access
                .attributes
                .iter()
                .map(|wanted| ("attributes", wanted)),
        );
        for (code, change) in
            named.flat_map(|(code, names)| names.iter().map(move |name| (code, name)))
        {
            if !known.contains(&change.value.as_str()) && !attributes.is_placeholder() {
                let near = known
                    .iter()
                    .min_by_key(|known| strsim::damerau_levenshtein(known, &change.value));
                let help =
                    match near.filter(|near| strsim::damerau_levenshtein(near, &change.value) <= 3)
                    {
                        Some(near) => format!("did you mean {near:?}?"),
                        None => "use a described attribute, or describe this one under `item`"
                            .to_string(),
                    };
                slips = true;
                self.report(
                    code,
                    &change.span,
                    format!("no item has an attribute {:?}", change.value),
                    help,
                );
            }
        }
        slips
    }

    /// The family of an operation; a PartiQL statement has the family of the equivalent operation.
    fn family(&mut self, access: &Located<AccessFile>) -> Option<Family> {
        use OperationWord as Op;
        let partiql = is_partiql(access.operation.value);
        match (&access.statement, partiql) {
            (None, true) => {
                let message = format!("{} needs a `statement`", access.operation.word());
                self.report(
                    "needs",
                    &access.operation.span,
                    message,
                    "add `statement = \"SELECT\"`, \"INSERT\", \"UPDATE\" or \"DELETE\"",
                );
                return None;
            }
            (Some(statement), false) => {
                self.report(
                    "not-for-this-operation",
                    &statement.span,
                    "only PartiQL operations can have a `statement`",
                    "remove it",
                );
            }
            _ => {}
        }
        let statement = access.statement.as_ref().map(|statement| statement.value);
        let verb = |statement: StatementWord| match statement {
            StatementWord::Select => None,
            StatementWord::Insert => Some(WriteKind::Put),
            StatementWord::Update => Some(WriteKind::Update),
            StatementWord::Delete => Some(WriteKind::Delete),
        };
        Some(match (access.operation.value, statement.and_then(verb)) {
            (Op::GetItem | Op::BatchGetItem | Op::TransactGetItems, _) => Family::Get,
            (Op::Query | Op::Scan, _) => Family::Page,
            (Op::PutItem, _) => Family::Write(WriteKind::Put),
            (Op::UpdateItem, _) => Family::Write(WriteKind::Update),
            (Op::DeleteItem, _) => Family::Write(WriteKind::Delete),
            (Op::BatchWriteItem, _) => Family::Batch,
            (Op::TransactWriteItems, _) => Family::Transaction,
            (Op::ExecuteStatement, Some(kind)) => Family::Write(kind),
            (Op::ExecuteStatement, None) => Family::Page,
            (Op::BatchExecuteStatement, Some(_)) => Family::Batch,
            (Op::BatchExecuteStatement, None) => Family::Get,
            (Op::ExecuteTransaction, Some(_)) => Family::Transaction,
            (Op::ExecuteTransaction, None) => Family::Get,
        })
    }

    /// Reports keys that the operation does not support.
    fn keys_fit(&mut self, access: &Located<AccessFile>, family: Family) {
        use OperationWord as Op;
        let many = matches!(
            access.operation.value,
            Op::BatchGetItem
                | Op::TransactGetItems
                | Op::BatchWriteItem
                | Op::BatchExecuteStatement
                | Op::ExecuteTransaction
        );
        let set = [
            access.index.as_ref().map(|key| &key.span),
            access.items.as_ref().map(|key| &key.span),
            access.segments.as_ref().map(|key| &key.span),
            access.consistency.as_ref().map(|key| &key.span),
            access.missing.as_ref().map(|key| &key.span),
            access.overwrites.as_ref().map(|key| &key.span),
            access.changes.as_ref().map(|key| &key.span),
            access.condition_failures.as_ref().map(|key| &key.span),
            access.actions.as_ref().map(|key| &key.span),
            access.cancelled.as_ref().map(|key| &key.span),
            access.replayed.as_ref().map(|key| &key.span),
            access.fetches.as_ref().map(|key| &key.span),
            access.attributes.as_ref().map(|key| &key.span),
            access.before.as_ref().map(|key| &key.span),
        ];
        for ((key, families), span) in OPTIONAL.iter().zip(set) {
            let Some(span) = span else { continue };
            let fits = families.iter().any(|name| match *name {
                "get" => family == Family::Get,
                "page" => family == Family::Page,
                "scan" => access.operation.value == Op::Scan,
                "many" => many,
                "write" => matches!(family, Family::Write(_)),
                "batch" => family == Family::Batch,
                _ => family == Family::Transaction,
            });
            let transactional = *key == "consistency"
                && matches!(
                    access.operation.value,
                    Op::TransactGetItems | Op::ExecuteTransaction
                );
            if !fits || transactional {
                let message = format!("{} does not support `{key}`", access.operation.word());
                self.report(
                    "not-for-this-operation",
                    &span.clone(),
                    message,
                    "remove it",
                );
            }
        }
    }

    fn consistency(access: &AccessFile) -> Consistency {
        match access
            .consistency
            .as_ref()
            .map(|consistency| consistency.value)
        {
            Some(ConsistencyWord::Strong) => Consistency::Strong,
            _ => Consistency::Eventual,
        }
    }

    fn get(&mut self, access: &Located<AccessFile>) -> PatternCall {
        use OperationWord as Op;
        let most = match access.operation.value {
            Op::GetItem => 1,
            Op::BatchExecuteStatement => limits::BATCH_STATEMENTS_MAX,
            Op::BatchGetItem => limits::BATCH_GET_ITEMS_MAX,
            _ => limits::TRANSACTION_ITEMS_MAX,
        };
        let items = match (&items_of(access), most) {
            (None, 2..) => {
                let message = format!(
                    "{} needs the number of items that one call reads",
                    access.operation.word()
                );
                self.report("needs", &access.operation.span, message, "add `items = …`");
                1
            }
            (Some(items), 2..) => self.whole(
                "batch-size",
                "the number of items of one call",
                items,
                1..=most,
            ),
            _ => 1,
        };
        let transactional = matches!(
            access.operation.value,
            Op::TransactGetItems | Op::ExecuteTransaction
        );
        let consistency = (!transactional).then(|| Self::consistency(access));
        PatternCall::Get {
            items,
            consistency,
            missing: self.share(access.missing.as_ref(), Exact::zero()),
        }
    }

    fn page(
        &mut self,
        access: &Located<AccessFile>,
        of: &CheckedTable,
        slips: bool,
    ) -> Option<PatternCall> {
        let CheckedTable { written, table, .. } = *of;
        let index = match &access.index {
            None => None,
            Some(name) => self.index_read(name, of),
        };
        let found = index.is_some() || access.index.is_none();
        let consistency = Self::consistency(access);
        let global = index.is_some_and(|at| table.indexes[at].kind == IndexKind::Global);
        let sure = index.is_none_or(|at| {
            !written
                .index
                .iter()
                .flatten()
                .nth(at)
                .is_some_and(|index| index.kind.is_placeholder())
        });
        self.global_index_can(access, global && sure, global || index.is_none());
        if let (Some(at), true) = (index, sure && !slips) {
            self.wanted_is_held(access, &table.indexes[at], table);
        }
        let scan = access.operation.value == OperationWord::Scan;
        let items = match &items_of(access) {
            Some(items) => self.whole(
                "needs",
                "items evaluated by one call",
                items,
                0..=1_000_000_000_000_000,
            ),
            None if scan => entries_of(index, written, of.sizes, of.items),
            None => {
                let message = format!(
                    "{} needs the number of items that one call evaluates",
                    access.operation.word()
                );
                self.report(
                    "needs",
                    &access.operation.span,
                    message,
                    "add `items = …`, counted before any filter",
                );
                0
            }
        };
        let segments = access.segments.as_ref().map_or(1, |segments| {
            self.whole("needs", "segments", segments, 1..=1_000_000)
        });
        let missing = self.share(access.missing.as_ref(), Exact::zero());
        let fetches = access.fetches.as_ref().is_some_and(|fetches| fetches.value);
        found.then_some(PatternCall::Page {
            scan,
            index,
            items,
            segments,
            consistency,
            fetches,
            missing,
        })
    }

    /// Refuses what a global index cannot do, and fetches where there is nothing to fetch.
    fn global_index_can(&mut self, access: &AccessFile, global: bool, cannot_fetch: bool) {
        if let (true, Consistency::Strong, Some(given)) =
            (global, Self::consistency(access), &access.consistency)
        {
            let message = "a global index supports only eventually consistent reads; DynamoDB \
                           rejects this call";
            self.report(
                "strong-on-global-index",
                &given.span,
                message,
                "use an eventually consistent read, or read a local index or the table",
            );
        }
        if let Some(fetches) = access
            .fetches
            .as_ref()
            .filter(|fetches| fetches.value && cannot_fetch)
        {
            let message = "only a read of a local index can fetch other attributes from the table";
            self.report(
                "fetch-on-global-index",
                &fetches.span,
                message,
                "remove `fetches`, and add an access pattern that reads the items with \
                 BatchGetItem",
            );
        }
    }

    /// The position of the index that a read names.
    fn index_read(&mut self, name: &Located<String>, of: &CheckedTable) -> Option<usize> {
        let indexes = &of.table.indexes;
        let position = indexes.iter().position(|index| index.name == name.value);
        let mut written = of.written.index.iter().flatten();
        if position.is_none() && !written.any(|index| index.name.is_placeholder()) {
            let names = indexes.iter().map(|index| format!("{:?}", index.name));
            let known = names.collect::<Vec<_>>().join(", ");
            let help = match known.as_str() {
                "" => "define it with [[table.index]]".to_string(),
                known => format!("its indexes are {known}"),
            };
            self.report(
                "unknown-index",
                &name.span,
                format!(
                    "the table {:?} has no index {:?}",
                    of.table.name, name.value
                ),
                help,
            );
        }
        position
    }

    /// Checks that the index holds the attributes that a read needs, or that the read fetches them
    /// from the table.
    fn wanted_is_held(&mut self, access: &AccessFile, index: &Index, table: &Table) {
        let Some(wanted) = &access.attributes else {
            return;
        };
        let outside: Vec<&Located<String>> = wanted
            .iter()
            .filter(|name| !index.holds(&table.keys, &name.value))
            .collect();
        let fetches = access.fetches.as_ref().filter(|fetches| fetches.value);
        if let (Some(fetches), []) = (fetches, outside.as_slice()) {
            let message = format!(
                "{} holds every attribute that this read needs, so nothing is fetched",
                index.name
            );
            self.report(
                "attributes",
                &fetches.span,
                message,
                "remove `fetches`, or list the fetched attributes under `attributes`",
            );
        }
        for name in outside.iter().filter(|_| fetches.is_none()) {
            let help = match index.kind {
                IndexKind::Local => "add `fetches = true`, or project the attribute",
                IndexKind::Global => {
                    "project the attribute, or add an access pattern that reads it from the table \
                     with BatchGetItem"
                }
            };
            self.report(
                "attributes",
                &name.span,
                format!("{} does not hold {:?}", index.name, name.value),
                help,
            );
        }
    }

    fn plan(&mut self, kind: WriteKind, written: WrittenPlan, table: &Table) -> WritePlan {
        let WrittenPlan {
            missing,
            overwrites,
            changes,
        } = written;
        let misplaced = match kind {
            WriteKind::Put => missing.map(|missing| {
                (
                    &missing.span,
                    "a put does not support `missing`",
                    "write `overwrites`, the share of puts that replace an item",
                )
            }),
            _ => overwrites.map(|overwrites| {
                (
                    &overwrites.span,
                    "only a put supports `overwrites`",
                    "write `missing`, the share that finds no item",
                )
            }),
        };
        if let Some((span, message, help)) = misplaced {
            self.report("not-for-this-operation", &span.clone(), message, help);
        }
        for change in changes.iter().flat_map(|changes| changes.iter()) {
            if table.keys.names().any(|key| key == change.value) {
                let message = format!(
                    "{:?} is part of the primary key, which a write cannot change",
                    change.value
                );
                self.report(
                    "changes",
                    &change.span,
                    message,
                    "model it as a Delete and a Put, preferably in one TransactWriteItems",
                );
            }
        }
        if let (Some(changes), WriteKind::Delete | WriteKind::ConditionCheck) = (changes, kind) {
            self.report(
                "not-for-this-operation",
                &changes.span,
                "a Delete or a ConditionCheck does not change attributes",
                "remove `changes`",
            );
        }
        let finds = match kind {
            WriteKind::Put => self.share(overwrites, Exact::zero()),
            _ => Exact::one() - self.share(missing, Exact::zero()),
        };
        WritePlan {
            kind,
            finds,
            changes: changes
                .map(|changes| changes.iter().map(|change| change.value.clone()).collect()),
        }
    }

    /// A batch or a transaction: its actions, or a number of identical items.
    fn several(
        &mut self,
        access: &Located<AccessFile>,
        family: Family,
        table: &Table,
    ) -> Option<PatternCall> {
        let (most, transaction) = match family {
            Family::Transaction => (limits::TRANSACTION_ITEMS_MAX, true),
            _ => (limits::BATCH_WRITE_ITEMS_MAX, false),
        };
        let kind = match access.statement.as_ref().map(|statement| statement.value) {
            Some(StatementWord::Update) => WriteKind::Update,
            Some(StatementWord::Delete) => WriteKind::Delete,
            _ => WriteKind::Put,
        };
        let plans: Vec<(WritePlan, u64)> = match (&access.actions, &items_of(access)) {
            (Some(actions), None) => actions
                .iter()
                .map(|action| self.action(action, access.operation.value, table))
                .collect(),
            (None, Some(items)) => {
                let count = self.whole(
                    "batch-size",
                    "the number of items of one call",
                    items,
                    1..=most,
                );
                vec![(self.plan(kind, WrittenPlan::of(access), table), count)]
            }
            _ => {
                let message = format!(
                    "{} needs either `actions` or `items`",
                    access.operation.word()
                );
                let example =
                    "write `actions = [{ operation = \"Put\" }, { operation = \"Delete\" }]`";
                let help = if transaction {
                    example.to_string()
                } else {
                    format!("{example}, or `items = 25` for 25 puts")
                };
                self.report("needs", &access.operation.span, message, help);
                return None;
            }
        };
        let count: u64 = plans.iter().map(|(_, count)| count).sum();
        if !(1..=most).contains(&count) {
            let message = format!(
                "one {} must have 1 to {most} items, found {count}",
                access.operation.word()
            );
            self.report(
                "batch-size",
                &access.operation.span,
                message,
                "split the call",
            );
        }
        if !transaction {
            return Some(PatternCall::Write {
                plans,
                condition_failures: Exact::zero(),
            });
        }
        let cancelled = self.share(access.cancelled.as_ref(), Exact::zero());
        let replayed = self.share(access.replayed.as_ref(), Exact::zero());
        if &cancelled + &replayed > Exact::one() {
            let message = "`cancelled` and `replayed` together exceed all calls";
            self.report(
                "shares-of-calls",
                &access.operation.span,
                message,
                "both are shares of all calls; lower one of them",
            );
        }
        Some(PatternCall::Transaction {
            plans,
            cancelled,
            replayed,
        })
    }

    fn action(
        &mut self,
        action: &Located<ActionFile>,
        operation: OperationWord,
        table: &Table,
    ) -> (WritePlan, u64) {
        let kind = match action.operation.value {
            ActionWord::Put => WriteKind::Put,
            ActionWord::Update => WriteKind::Update,
            ActionWord::Delete => WriteKind::Delete,
            ActionWord::ConditionCheck => WriteKind::ConditionCheck,
        };
        let (refused, help) = match operation {
            OperationWord::BatchWriteItem => (
                matches!(kind, WriteKind::Update | WriteKind::ConditionCheck),
                "a BatchWriteItem can contain only Put and Delete; use UpdateItem calls, or a \
                 TransactWriteItems",
            ),
            OperationWord::BatchExecuteStatement => (
                kind == WriteKind::ConditionCheck,
                "a BatchExecuteStatement can contain only Put (INSERT), Update and Delete",
            ),
            _ => (false, ""),
        };
        if refused {
            let message = format!(
                "{} does not support {}",
                operation.word(),
                action.operation.word()
            );
            self.report(
                "not-for-this-operation",
                &action.operation.span,
                message,
                help,
            );
        }
        let count = action
            .count
            .as_ref()
            .map_or(1, |count| self.whole("batch-size", "count", count, 1..=100));
        let written = WrittenPlan {
            missing: action.missing.as_ref(),
            overwrites: action.overwrites.as_ref(),
            changes: action.changes.as_ref(),
        };
        (self.plan(kind, written, table), count)
    }
}

/// A table, or an index of it, in messages.
fn whose(table: &Table, target: Target) -> String {
    match target.index() {
        None => table.name.clone(),
        Some(at) => format!("{} of {}", table.indexes[at].name, table.name),
    }
}

/// The units that `[[table.consumed]]` does not give, as unknown.
fn unmeasured(table: &Table, measured: &[(Target, Direction)]) -> Vec<AccessPattern> {
    let accounts =
        Target::all(table.indexes.len()).filter(|target| table.account_of(*target) == *target);
    accounts
        .flat_map(|target| [(target, Direction::Read), (target, Direction::Write)])
        .filter(|account| !measured.contains(account))
        .map(|(target, direction)| {
            let word = direction.word();
            let why = format!(
                "[[table.consumed]] does not give the units that the {word}s of {} consume; give \
                 `{word}`, or 0 if there are none",
                whose(table, target)
            );
            AccessPattern::unmeasured(table, target, direction, why)
        })
        .collect()
}

/// Whether an operation is a PartiQL operation, which DAX does not support.
fn is_partiql(operation: OperationWord) -> bool {
    matches!(
        operation,
        OperationWord::ExecuteStatement
            | OperationWord::BatchExecuteStatement
            | OperationWord::ExecuteTransaction
    )
}

/// The number of items, or of entries of an index, that a Scan reads.
fn entries_of(
    index: Option<usize>,
    written: &TableFile,
    sizes: Option<&SizeClasses>,
    items: &Exact,
) -> u64 {
    let share = index.map_or_else(Exact::one, |at| {
        let coverage = written
            .index
            .iter()
            .flatten()
            .nth(at)
            .and_then(|index| index.coverage.as_ref());
        let measured = sizes
            .and_then(|sizes| sizes.entries(at))
            .map_or_else(Exact::one, |(number, _)| number);
        coverage.map_or_else(Exact::one, |coverage| coverage.0.clone()) * measured
    });
    (items * &share).to_u64().unwrap_or(0)
}

/// A call with an unknown part: whose units it would consume, and why the amount is unknown.
fn unknown_call(call: &PatternCall, table: &Table, why: String) -> PatternCall {
    let (direction, targets) = match call {
        PatternCall::Page { index, .. } => (Direction::Read, vec![Target::from(*index)]),
        PatternCall::Write { .. } | PatternCall::Transaction { .. } => {
            (Direction::Write, Target::all(table.indexes.len()).collect())
        }
        _ => (Direction::Read, vec![Target::Table]),
    };
    PatternCall::Unknown {
        direction,
        targets,
        why,
    }
}

/// The number of items of one call; one if it is unknown.
fn items_of(access: &AccessFile) -> Option<Located<FileNumber>> {
    let items = access.items.as_ref()?;
    let number = items
        .value
        .given()
        .cloned()
        .unwrap_or(FileNumber(Exact::one()));
    Some(Located {
        value: number,
        span: items.span.clone(),
    })
}
