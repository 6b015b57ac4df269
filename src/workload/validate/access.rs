//! Access patterns: which keys an operation may have, what one call does, and the limits of the
//! API.

use super::entities::{TableItems, mix};
use super::items::Whose;
use super::{CheckedTable, Checker};
use crate::capacity::{Course, Shape};
use crate::table::{ApiName, Consistency, Direction, Index, IndexKind, Table, Target, limits};
use crate::units::Exact;
use crate::workload::DesignPart;
use crate::workload::decode::{FileNumber, Known, Located};
use crate::workload::file::{
    AccessFile, ActionFile, ActionWord, ConsistencyWord, ConsumedFile, CountBucketFile, CountFile,
    CourseWord, EntityCounts, ItemsFile, OperationWord, StatementWord, TableFile,
};
use crate::workload::membership::{ItemKind, Membership, Presence};
use crate::workload::quantities::{Frequency, Profile};
use crate::workload::sizes::SizeClasses;
use crate::workload::{
    AccessPattern, Counts, ItemsBefore, PatternCall, ReadItems, WriteKind, WritePlan,
};

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

/// The names of attributes, where they are written.
type Names<'a> = Option<&'a Located<Vec<Located<String>>>>;

/// What is written about one write: the keys of an access pattern or of an action.
#[derive(Clone, Copy)]
struct WrittenPlan<'a> {
    missing: Option<&'a Located<FileNumber>>,
    overwrites: Option<&'a Located<FileNumber>>,
    changes: Names<'a>,
    sets: Names<'a>,
    removes: Names<'a>,
    /// The size of the item before the write.
    before: Option<&'a SizeClasses>,
}

impl<'a> WrittenPlan<'a> {
    fn of(access: &'a AccessFile, before: Option<&'a SizeClasses>) -> Self {
        Self {
            missing: access.missing.as_ref(),
            overwrites: access.overwrites.as_ref(),
            changes: access.changes.as_ref(),
            sets: access.sets.as_ref(),
            removes: access.removes.as_ref(),
            before,
        }
    }
}

/// The items that an access pattern or one of its actions is about.
#[derive(Clone, Default)]
struct PatternItems {
    /// The entity, by position.
    entity: Option<usize>,
    /// How their sizes and entries follow from their attributes; `None` if they are of several
    /// entities, or if their size is not known.
    kind: Option<ItemKind>,
    /// Their sizes.
    sizes: Option<SizeClasses>,
    /// The attributes that they can have; none if they are not described.
    attributes: Vec<String>,
}

/// An access pattern with what its items are.
struct CheckedAccess<'a> {
    access: &'a Located<AccessFile>,
    of: &'a CheckedTable<'a>,
    /// Its items, if they are not given by entity.
    items: PatternItems,
    /// The size of an item before a write.
    before: Option<SizeClasses>,
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
    fn items_of_entity(
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

    /// The items that one call reads: of one kind, or of each entity.
    fn reads(
        &mut self,
        items: &Located<Known<ItemsFile>>,
        allowed: &Allowed,
        checked: &CheckedAccess,
    ) -> Option<Vec<ReadItems>> {
        let parts = match &items.value {
            Known::Unknown => return Some(vec![checked.items.read(Counts::of(1))]),
            Known::Given(ItemsFile::One(count)) => {
                let count = self.counts(count, &items.span, allowed)?;
                vec![checked.items.read(count)]
            }
            Known::Given(ItemsFile::ByEntity(counts)) => {
                let counts = self.by_entity(counts, &items.span, allowed, checked)?;
                counts
                    .into_iter()
                    .map(|(items, counts)| items.read(counts))
                    .collect()
            }
        };
        let combinations = parts
            .iter()
            .map(|read| read.counts.iter().count())
            .fold(1_usize, usize::saturating_mul);
        if combinations > COMBINATIONS_MAX {
            let message = format!(
                "the histograms have {combinations} combinations; at most {COMBINATIONS_MAX} are \
                 possible"
            );
            let help = "use fewer entries, or the mean of some entities";
            self.report("shares-sum", &items.span, message, help);
            return None;
        }
        Some(parts)
    }

    /// The items of each entity, with their numbers.
    fn by_entity(
        &mut self,
        counts: &EntityCounts,
        span: &std::ops::Range<usize>,
        allowed: &Allowed,
        checked: &CheckedAccess,
    ) -> Option<Vec<(PatternItems, Counts)>> {
        if let Some(entity) = &checked.access.entity {
            let message = "`items` already names the entities";
            self.report("entity", &entity.span, message, "remove `entity`");
        }
        let each = Allowed {
            least: 0,
            ..*allowed
        };
        let mut all = Vec::new();
        for (name, count) in counts {
            let items = self.items_of_entity(name, checked.of)?;
            all.push((items, self.counts(count, &count.span, &each)?));
        }
        let most: Exact = all.iter().map(|(_, counts)| counts.limited()).sum();
        let (low, high) = (Exact::from(allowed.least), Exact::from(allowed.most));
        let mean: Exact = all.iter().map(|(_, counts)| counts.mean()).sum();
        if most > high || mean < low {
            let message = format!(
                "{} must be from {low} to {high}, found up to {most}",
                allowed.what
            );
            self.report(allowed.code, span, message, "split the call");
        }
        Some(all)
    }

    /// The numbers of items of one kind; `None` if they are wrong.
    fn counts(
        &mut self,
        count: &CountFile,
        span: &std::ops::Range<usize>,
        allowed: &Allowed,
    ) -> Option<Counts> {
        let counts = match count {
            CountFile::Number(number) => Counts::around(&number.0),
            CountFile::Mean(mean) => Counts::around(&mean.mean.0),
            CountFile::Histogram(histogram) => self.count_histogram(&histogram.histogram)?,
        };
        let least = Exact::from(allowed.least);
        if counts.most() > allowed.most || counts.mean() < least {
            let (low, high) = (least, Exact::from(allowed.most));
            let message = format!(
                "{} must be from {low} to {high}, found {}",
                allowed.what,
                counts.mean().as_written()
            );
            let help = format!("write a number from {low} to {high}");
            self.report(allowed.code, span, message, help);
            return None;
        }
        Some(counts)
    }

    /// Numbers of items with the shares of calls that have them.
    fn count_histogram(
        &mut self,
        buckets: &Located<Vec<Located<CountBucketFile>>>,
    ) -> Option<Counts> {
        let mut shares = Vec::new();
        for bucket in buckets.iter() {
            let count = self.whole("needs", "a number of items", &bucket.items, 0..=COUNT_MAX);
            shares.push((count, self.share(Some(&bucket.share), Exact::zero())));
        }
        let total: Exact = shares.iter().map(|(_, share)| share.clone()).sum();
        let is_whole = !buckets.iter().any(|bucket| bucket.is_placeholder());
        if total != Exact::one() && is_whole {
            let message = format!("the shares add up to {}, not to 1", total.as_written());
            self.report("shares-sum", &buckets.span, message, "correct the shares");
            return None;
        }
        Some(Counts::shared(shares))
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
            None if scan => {
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

    fn plan(
        &mut self,
        kind: WriteKind,
        written: WrittenPlan,
        (items, table): (&PatternItems, &Table),
    ) -> WritePlan {
        let WrittenPlan {
            missing,
            overwrites,
            changes,
            sets,
            removes,
            ..
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
        let named = |names: Names| -> Vec<Located<String>> {
            names.map_or_else(Vec::new, |names| names.value.clone())
        };
        let (changed, set, removed) = (named(changes), named(sets), named(removes));
        for change in changed.iter().chain(&set).chain(&removed) {
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
        for twice in removed.iter().chain(&changed) {
            let mut others = set.iter().chain(removed.iter().filter(|one| *one != twice));
            if others.any(|one| one.value == twice.value) {
                let message = format!(
                    "{:?} is named twice among `sets`, `removes` and `changes`",
                    twice.value
                );
                let help = "`sets`: the item has it only after the write; `removes`: only before \
                            it; `changes`: before and after";
                self.report("changes", &twice.span, message, help);
            }
        }
        let not_allowed = match kind {
            WriteKind::Delete => [changes, sets].map(|one| one.map(|one| (one, "change"))),
            WriteKind::ConditionCheck => {
                let wrong = changes.or(removes);
                [wrong, sets].map(|one| one.map(|one| (one, "change")))
            }
            WriteKind::Put | WriteKind::Update => [None, None],
        };
        for (names, _) in not_allowed.into_iter().flatten() {
            self.report(
                "not-for-this-operation",
                &names.span,
                "a Delete or a ConditionCheck does not change attributes",
                "remove it",
            );
        }
        if items.kind.is_none() && items.sizes.is_some() && !(set.is_empty() && removed.is_empty())
        {
            let place = sets.or(removes).map(|names| names.span.clone());
            self.report(
                "entity",
                &place.unwrap_or_default(),
                "the table has entities, and it is not said which of them the write is of",
                "add `entity = \"…\"`",
            );
        }
        let finds = match kind {
            WriteKind::Put => self.share(overwrites, Exact::zero()),
            _ => Exact::one() - self.share(missing, Exact::zero()),
        };
        let texts = |names: &[Located<String>]| -> Vec<String> {
            names.iter().map(|name| name.value.clone()).collect()
        };
        let says = PresenceSaid {
            sets: texts(&set),
            removes: texts(&removed),
            changes: texts(&changed),
        };
        let (sizes, before) = says.images(items, written.before, table);
        let added = || says.sets.iter().chain(&says.removes).cloned();
        WritePlan {
            kind,
            finds,
            changes: match changes {
                Some(_) => Some(says.changes.iter().cloned().chain(added()).collect()),
                None if says.is_empty() || kind != WriteKind::Update => None,
                None => Some(added().collect()),
            },
            entity: items.entity,
            sizes,
            before,
        }
    }

    /// A batch or a transaction: its actions, or a number of identical items.
    fn several(&mut self, checked: &CheckedAccess, family: Family) -> Option<PatternCall> {
        let (access, table) = (checked.access, checked.of.table);
        let (most, transaction) = match family {
            Family::Transaction => (limits::TRANSACTION_ITEMS_MAX, true),
            _ => (limits::BATCH_WRITE_ITEMS_MAX, false),
        };
        let kind = match access.statement.as_ref().map(|statement| statement.value) {
            Some(StatementWord::Update) => WriteKind::Update,
            Some(StatementWord::Delete) => WriteKind::Delete,
            _ => WriteKind::Put,
        };
        let written = WrittenPlan::of(access, checked.before.as_ref());
        let plans: Vec<(WritePlan, Counts)> = match (&access.actions, &access.items) {
            (Some(actions), None) => actions
                .iter()
                .map(|action| self.action(action, checked))
                .collect::<Option<_>>()?,
            (None, Some(items)) => {
                let allowed = Allowed::batch("the number of items of one call", most);
                let parts = match &items.value {
                    Known::Unknown => vec![(checked.items.clone(), Counts::of(1))],
                    Known::Given(ItemsFile::One(count)) => {
                        let counts = self.counts(count, &items.span, &allowed)?;
                        vec![(checked.items.clone(), counts)]
                    }
                    Known::Given(ItemsFile::ByEntity(counts)) => {
                        self.by_entity(counts, &items.span, &allowed, checked)?
                    }
                };
                parts
                    .into_iter()
                    .map(|(items, counts)| (self.plan(kind, written, (&items, table)), counts))
                    .collect()
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
        let count: Exact = plans.iter().map(|(_, counts)| counts.limited()).sum();
        if count < Exact::one() || count > Exact::from(most) {
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
        checked: &CheckedAccess,
    ) -> Option<(WritePlan, Counts)> {
        let operation = checked.access.operation.value;
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
        let allowed = Allowed::batch("count", limits::TRANSACTION_ITEMS_MAX);
        let counts = match &action.count {
            Some(count) => self.counts(count, &count.span, &allowed)?,
            None => Counts::of(1),
        };
        let items = match &action.entity {
            Some(name) => self.items_of_entity(name, checked.of)?,
            None => checked.items.clone(),
        };
        let written = WrittenPlan {
            missing: action.missing.as_ref(),
            overwrites: action.overwrites.as_ref(),
            changes: action.changes.as_ref(),
            sets: action.sets.as_ref(),
            removes: action.removes.as_ref(),
            before: checked.before.as_ref(),
        };
        let plan = self.plan(kind, written, (&items, checked.of.table));
        Some((plan, counts))
    }
}

/// The largest number of items that one call can evaluate.
const COUNT_MAX: u64 = 1_000_000_000_000_000;

/// At most this many combinations of numbers of items of different entities are metered.
const COMBINATIONS_MAX: usize = 10_000;

/// What a number of items can be, and how it is named in messages.
#[derive(Clone, Copy)]
struct Allowed {
    code: &'static str,
    what: &'static str,
    least: u64,
    most: u64,
}

impl Allowed {
    /// At least one item, and at most as many as the API allows in one call.
    fn batch(what: &'static str, most: u64) -> Allowed {
        Allowed {
            code: "batch-size",
            what,
            least: 1,
            most,
        }
    }
}

impl PatternItems {
    /// Some of these items as a call reads them.
    fn read(&self, counts: Counts) -> ReadItems {
        ReadItems {
            entity: self.entity,
            sizes: self.sizes.clone(),
            counts,
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

/// What a write says about the attributes of its item.
struct PresenceSaid {
    sets: Vec<String>,
    removes: Vec<String>,
    changes: Vec<String>,
}

impl PresenceSaid {
    /// Whether the item has the same attributes before and after the write.
    fn is_empty(&self) -> bool {
        self.sets.is_empty() && self.removes.is_empty()
    }

    /// The items after the write, and before it.
    fn images(
        &self,
        items: &PatternItems,
        given: Option<&SizeClasses>,
        table: &Table,
    ) -> (Option<SizeClasses>, ItemsBefore) {
        let same = || given.map_or(ItemsBefore::Same, |sizes| ItemsBefore::Given(sizes.clone()));
        let Some(kind) = &items.kind else {
            return (items.sizes.clone(), same());
        };
        // An attribute that changes was there before, and is there afterwards.
        let stays: Vec<Presence> = self
            .changes
            .iter()
            .filter(|name| kind.may_lack(name, table))
            .map(|name| (name.as_str(), true))
            .collect();
        if self.is_empty() {
            let sizes = match stays.is_empty() {
                true => items.sizes.clone(),
                false => Some(kind.sizes(table, &stays)),
            };
            return (sizes, same());
        }
        let image = |has_set: bool| {
            let set = self.sets.iter().map(|name| (name.as_str(), has_set));
            let removed = self.removes.iter().map(|name| (name.as_str(), !has_set));
            let known: Vec<Presence> = set.chain(removed).chain(stays.iter().copied()).collect();
            kind.sizes(table, &known)
        };
        let before = match given.and_then(|sizes| sizes.iter().next()) {
            Some(given) => image(false).of_size(given),
            None => image(false),
        };
        (Some(image(true)), ItemsBefore::Paired(before))
    }
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
