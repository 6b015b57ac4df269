//! Access patterns: which keys an operation may have, what one call does, and the limits of the
//! API.

use super::counts::{Allowed, COUNT_MAX};
use super::entities::{TableItems, mix};
use super::items::Whose;
use super::pattern::{CheckedAccess, Family, PatternItems};
use super::writes::{Names, WrittenPlan};
use super::{CheckedTable, Checker};
use crate::capacity::{Course, Shape};
use crate::table::{ApiName, Consistency, Direction, Index, IndexKind, Table, Target, limits};
use crate::units::Exact;
use crate::workload::DesignPart;
use crate::workload::decode::{Known, Located};
use crate::workload::file::{
    AccessFile, ConsistencyWord, ConsumedFile, CourseWord, OperationWord, StatementWord, TableFile,
};
use crate::workload::membership::Membership;
use crate::workload::quantities::{Frequency, Profile};
use crate::workload::sizes::SizeClasses;
use crate::workload::{AccessPattern, Counts, PatternCall, WriteKind};

/// Keys that only some families support.
const OPTIONAL: [(&str, &[&str]); 16] = [
    ("index", &["page"]),
    ("items", &["page", "many"]),
    ("segments", &["scan"]),
    ("consistency", &["get", "page"]),
    ("missing", &["get", "page", "write", "batch"]),
    ("overwrites", &["write", "batch"]),
    ("changes", &["write", "batch"]),
    ("sets", &["write", "batch"]),
    ("removes", &["write", "batch"]),
    ("condition_failures", &["write"]),
    ("actions", &["batch", "transaction"]),
    ("cancelled", &["transaction"]),
    ("replayed", &["transaction"]),
    ("fetches", &["page"]),
    ("attributes", &["page"]),
    ("before", &["write", "batch", "transaction"]),
];

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
        for span in [
            access.search_bytes.as_ref().map(|key| &key.span),
            access.top_k.as_ref().map(|key| &key.span),
        ]
        .into_iter()
        .flatten()
        {
            let message = "only SearchVectors supports this key";
            self.report("not-for-this-operation", span, message, "remove it");
        }
        let items = self.pattern_items(access, of)?;
        let before = match &access.before {
            None => None,
            Some(size) => Some(self.before(size, written, table)?),
        };
        let checked = CheckedAccess {
            access,
            of,
            items,
            before,
        };
        let slips = self.attributes_are_known(&checked);
        let call = match family {
            Family::Get => self.get(&checked)?,
            Family::Page => self.page(&checked, slips)?,
            Family::Write(kind) => {
                let written = WrittenPlan::of(access, checked.before.as_ref());
                let plan = self.plan(kind, written, (&checked.items, table));
                PatternCall::Write {
                    plans: vec![(plan, Counts::of(1))],
                    condition_failures: self
                        .share(access.condition_failures.as_ref(), Exact::zero()),
                }
            }
            Family::Batch | Family::Transaction => self.several(&checked, family)?,
        };
        let sizes = sizes_of(&call);
        let call = match self.unknown_of(access, &call, of) {
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
            follows_items: access.follows_items.unwrap_or_default(),
            shape: self.shape(access.profile.as_ref(), access.profile_shape),
            sizes,
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
    pub(super) fn shape(&self, profile: Option<&Profile>, course: Option<CourseWord>) -> Shape {
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
        if let Some(entity) = unsized_part(call)
            && entries.is_none_or(|index| index.entry_size.is_none())
        {
            let (whose, table) = (entity.and_then(|at| of.items.entities.get(at)), &table.name);
            return Some(match whose {
                Some(one) => format!(
                    "the size of the items of the entity {:?} of {table} is \"unknown\"; give its \
                     `item`",
                    one.entity.name
                ),
                None if !of.items.entities.is_empty() => format!(
                    "{:?} is of items of all entities of {table}, whose number or size is not known; \
                     add `entity = …`, or give `items` and `item` of each entity",
                    access.name.value
                ),
                None => format!("the size of the items of {table} is \"unknown\"; give `item`"),
            });
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
            follows_items: false,
            shape: self.shape(one.profile.as_ref(), one.profile_shape),
            sizes: None,
            attributes: None,
            through_dax: false,
            call,
        }
    }

    /// The items that an access pattern names: its own, those of its entity, or those of the table.
    /// `None` if they are wrong.
    fn pattern_items(
        &mut self,
        access: &Located<AccessFile>,
        of: &CheckedTable,
    ) -> Option<PatternItems> {
        let items = match &access.entity {
            Some(name) => self.items_of_entity(name, of)?,
            None => items_of_table(of)?,
        };
        let Some(item) = &access.item else {
            return Some(items);
        };
        let whose = (of.table, Whose::Some);
        let mut own = self.items(item, &item.span, of.written, whose)?;
        // Which indexes they are in follows from their own attributes, or from the export; else they
        // are in an index in the same proportion as the others.
        let follows = !own.attributes.is_empty() || own.measured.is_some();
        let said = items.kind.as_ref().map(|kind| &kind.membership);
        let sizes = match (follows, said, &items.sizes) {
            (false, Some(membership), _)
                if membership.iter().any(|one| *one != Membership::Attributes) =>
            {
                own.kind.membership = membership.clone();
                own.kind.sizes(of.table, &[])
            }
            (false, _, Some(others)) => own.sizes.covered_like(others),
            _ => own.sizes,
        };
        Some(PatternItems {
            entity: items.entity,
            attributes: names_of(&own.attributes),
            sizes: Some(sizes),
            kind: Some(own.kind),
        })
    }

    /// The items of an entity.
    pub(super) fn items_of_entity(
        &mut self,
        name: &Located<String>,
        of: &CheckedTable,
    ) -> Option<PatternItems> {
        let at = self.entity_named(name, of.items)?;
        let one = of.items.entities.get(at)?;
        Some(PatternItems {
            entity: Some(at),
            kind: one.entity.kind.clone(),
            sizes: one.entity.sizes.clone(),
            attributes: names_of(&one.attributes),
        })
    }

    /// If the items are described by their attributes, reports attributes that no item has. Returns
    /// whether there are any.
    fn attributes_are_known(&mut self, checked: &CheckedAccess) -> bool {
        let access = checked.access;
        let mut slips = false;
        let own = [
            ("changes", access.changes.as_ref()),
            ("changes", access.sets.as_ref()),
            ("changes", access.removes.as_ref()),
            ("attributes", access.attributes.as_ref()),
        ];
        for (code, names) in own {
            slips |= self.are_attributes(code, names, &checked.items, checked.of);
        }
        for action in access.actions.iter().flat_map(|actions| actions.iter()) {
            let of_entity = action
                .entity
                .as_ref()
                .and_then(|name| checked.of.items.entity(&name.value));
            let items = match of_entity {
                Some((at, one)) => PatternItems {
                    entity: Some(at),
                    attributes: names_of(&one.attributes),
                    ..PatternItems::default()
                },
                None => checked.items.clone(),
            };
            for names in [&action.changes, &action.sets, &action.removes] {
                slips |= self.are_attributes("changes", names.as_ref(), &items, checked.of);
            }
        }
        slips
    }

    /// Reports names that are not attributes of these items, and returns whether there are any.
    fn are_attributes(
        &mut self,
        code: &'static str,
        names: Names,
        items: &PatternItems,
        of: &CheckedTable,
    ) -> bool {
        if items.attributes.is_empty() {
            return false;
        }
        let whose = items.entity.and_then(|at| of.items.entities.get(at));
        let mut slips = false;
        for name in names.iter().flat_map(|names| names.iter()) {
            if items.attributes.contains(&name.value) || name.is_placeholder() {
                continue;
            }
            let distance = |known: &&String| strsim::damerau_levenshtein(known, &name.value);
            let near = items.attributes.iter().min_by_key(distance);
            let help = match near.filter(|near| distance(near) <= 3) {
                Some(near) => format!("did you mean {near:?}?"),
                None => "use a described attribute, or describe this one under `item`".to_string(),
            };
            let message = match whose {
                Some(one) => format!(
                    "the entity {:?} has no attribute {:?}",
                    one.entity.name, name.value
                ),
                None => format!("no item has an attribute {:?}", name.value),
            };
            slips = true;
            self.report(code, &name.span, message, help);
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
            (Op::Query | Op::Scan | Op::SearchVectors, _) => Family::Page,
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
            access.sets.as_ref().map(|key| &key.span),
            access.removes.as_ref().map(|key| &key.span),
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

    fn get(&mut self, checked: &CheckedAccess) -> Option<PatternCall> {
        use OperationWord as Op;
        let access = checked.access;
        let most = match access.operation.value {
            Op::GetItem => 1,
            Op::BatchExecuteStatement => limits::BATCH_STATEMENTS_MAX,
            Op::BatchGetItem => limits::BATCH_GET_ITEMS_MAX,
            _ => limits::TRANSACTION_ITEMS_MAX,
        };
        let reads = match (&access.items, most) {
            (None, 2..) => {
                let message = format!(
                    "{} needs the number of items that one call reads",
                    access.operation.word()
                );
                self.report("needs", &access.operation.span, message, "add `items = …`");
                Vec::new()
            }
            (Some(items), 2..) => {
                let allowed = Allowed::batch("the number of items of one call", most);
                self.reads(items, &allowed, checked)?
            }
            _ => vec![checked.items.read(Counts::of(1))],
        };
        let transactional = matches!(
            access.operation.value,
            Op::TransactGetItems | Op::ExecuteTransaction
        );
        let consistency = (!transactional).then(|| Self::consistency(access));
        Some(PatternCall::Get {
            reads,
            consistency,
            missing: self.share(access.missing.as_ref(), Exact::zero()),
        })
    }

    fn page(&mut self, checked: &CheckedAccess, slips: bool) -> Option<PatternCall> {
        let (access, of) = (checked.access, checked.of);
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
        let whole = scan && access.items.is_none();
        let reads = match &access.items {
            Some(items) => {
                let allowed = Allowed {
                    code: "needs",
                    what: "items evaluated by one call",
                    least: 0,
                    most: COUNT_MAX,
                };
                self.reads(items, &allowed, checked)?
            }
            None if whole => {
                let all = entries_of(index, written, of.items);
                vec![checked.items.read(Counts::of(all))]
            }
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
                Vec::new()
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
            reads,
            whole,
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
}

/// The items of a table without entities, or of all its entities together; `None` if they are
/// wrong.
fn items_of_table(of: &CheckedTable) -> Option<PatternItems> {
    if of.items.sizes.is_none() && !of.items.is_unknown {
        return None;
    }
    let described = of.items.described.as_ref();
    Some(PatternItems {
        entity: None,
        kind: of.items.kind().cloned(),
        sizes: of.items.sizes.clone(),
        attributes: described.map_or_else(Vec::new, |described| names_of(&described.attributes)),
    })
}

fn names_of(attributes: &[(String, u64)]) -> Vec<String> {
    attributes.iter().map(|(name, _)| name.clone()).collect()
}

/// The sizes of all items of a call together; `None` if one is not known.
fn sizes_of(call: &PatternCall) -> Option<SizeClasses> {
    let reads = call.reads().iter();
    let plans = call.plans().iter();
    let parts: Vec<(&SizeClasses, Exact)> = reads
        .map(|read| (&read.sizes, &read.counts))
        .chain(plans.map(|(plan, counts)| (&plan.sizes, counts)))
        .map(|(sizes, counts)| Some((sizes.as_ref()?, counts.mean())))
        .collect::<Option<_>>()?;
    let first = parts.first()?.0;
    let alike = parts.iter().all(|(sizes, _)| *sizes == first);
    let none = parts.iter().all(|(_, count)| count.is_zero());
    match alike || none {
        true => Some(first.clone()),
        false => Some(mix(&parts)),
    }
}

/// The entity of the first items of a call whose size is not known; `Some(None)` if they are of no
/// entity.
fn unsized_part(call: &PatternCall) -> Option<Option<usize>> {
    let reads = call.reads().iter().map(|read| (&read.sizes, read.entity));
    let plans = call
        .plans()
        .iter()
        .map(|(plan, _)| (&plan.sizes, plan.entity));
    let mut parts = reads.chain(plans);
    parts
        .find(|(sizes, _)| sizes.is_none())
        .map(|(_, entity)| entity)
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
fn entries_of(index: Option<usize>, written: &TableFile, items: &TableItems) -> u64 {
    let share = index.map_or_else(Exact::one, |at| {
        let coverage = written
            .index
            .iter()
            .flatten()
            .nth(at)
            .and_then(|index| index.coverage.as_ref())
            .filter(|_| !items.is_covered);
        let measured = items
            .sizes
            .as_ref()
            .and_then(|sizes| sizes.entries(at))
            .map_or_else(Exact::one, |(number, _)| number);
        coverage.map_or_else(Exact::one, |coverage| coverage.0.clone()) * measured
    });
    (&items.count * &share).to_u64().unwrap_or(0)
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
