//! Vector indexes and their searches.

use super::items::key_attributes;
use super::{CheckedTable, Checker, is_once};
use crate::table::Table;
use crate::units::Exact;
use crate::workload::decode::{Known, Located};
use crate::workload::file::{AccessFile, OperationWord, TableFile, VectorIndexFile};
use crate::workload::{DesignPart, VectorIndex, VectorSearch};

/// The most vector indexes of a table (rule 11.5).
const VECTOR_INDEXES_MAX: usize = 5;

/// The most dimensions of a vector (rule 11.5).
const DIMENSIONS_MAX: u64 = 4_096;

impl Checker<'_> {
    /// The vector indexes of a table.
    pub(super) fn vectors(
        &mut self,
        written: &Located<TableFile>,
        table: &Table,
    ) -> Vec<VectorIndex> {
        let files = written.vector_index.as_deref().unwrap_or_default();
        let names = files.iter().map(|file| &file.name);
        let others = written.index.iter().flatten().map(|index| &index.name);
        self.unique("duplicate-name", "index", others.chain(names));
        if let Some(sixth) = files.get(VECTOR_INDEXES_MAX) {
            let message = format!(
                "a table can have {VECTOR_INDEXES_MAX} vector indexes, found {}",
                files.len()
            );
            self.report(
                "vector-index",
                &sixth.name.span,
                message,
                "remove one, or divide the items among tables",
            );
        }
        files
            .iter()
            .map(|file| self.vector_index(file, written, table))
            .collect()
    }

    fn vector_index(
        &mut self,
        file: &Located<VectorIndexFile>,
        written: &Located<TableFile>,
        table: &Table,
    ) -> VectorIndex {
        self.name_length("vector index", &file.name);
        let what = "the number of dimensions";
        let dimensions = self.whole("vector-index", what, &file.dimensions, 1..=DIMENSIONS_MAX);
        if table.keys.names().any(|key| key == file.attribute.value) {
            let message = format!(
                "{:?} is a key of the table, not a vector",
                file.attribute.value
            );
            self.report(
                "vector-index",
                &file.attribute.span,
                message,
                "name the attribute that holds the vectors",
            );
        }
        let keys = key_attributes(written);
        let is_known = keys.len() == table.keys.names().count();
        VectorIndex {
            name: file.name.value.clone(),
            attribute: file.attribute.value.clone(),
            dimensions,
            projection: super::projection(file.projection.as_ref()),
            coverage: self.share(file.coverage.as_ref(), Exact::one()),
            entry_size: file.entry_size.as_ref().map(|size| size.0),
            key_bytes: is_known.then(|| keys.iter().map(|(_, bytes)| bytes).sum()),
        }
    }

    /// The searches of a table's vector indexes; `None` if one is wrong.
    pub(super) fn searches(
        &mut self,
        of: &CheckedTable,
        vectors: &[VectorIndex],
    ) -> Option<Vec<VectorSearch>> {
        let home = of.written.access.iter().flatten();
        let home = home.map(|access| (access, None));
        let replicas = of.written.replica.iter().flatten();
        let elsewhere = replicas.flat_map(|replica| {
            let files = replica.access.iter().flatten();
            files.map(|access| (access, Some(&replica.region)))
        });
        let searches: Vec<Option<VectorSearch>> = home
            .chain(elsewhere)
            .filter(|(access, _)| is_search(access))
            .map(|(access, region)| {
                let search = self.search(access, of, vectors)?;
                let region = region.map(|region| region.value.clone());
                Some(VectorSearch { region, ..search })
            })
            .collect();
        searches.into_iter().collect()
    }

    fn search(
        &mut self,
        access: &Located<AccessFile>,
        of: &CheckedTable,
        vectors: &[VectorIndex],
    ) -> Option<VectorSearch> {
        let allowed = [
            access.items.as_ref().map(|key| &key.span),
            access.consistency.as_ref().map(|key| &key.span),
            access.missing.as_ref().map(|key| &key.span),
            access.overwrites.as_ref().map(|key| &key.span),
            access.changes.as_ref().map(|key| &key.span),
            access.sets.as_ref().map(|key| &key.span),
            access.removes.as_ref().map(|key| &key.span),
            access.actions.as_ref().map(|key| &key.span),
            access.item.as_ref().map(|key| &key.span),
            access.before.as_ref().map(|key| &key.span),
        ];
        for span in allowed.into_iter().flatten() {
            let message = "SearchVectors does not support this key";
            self.report("not-for-this-operation", span, message, "remove it");
        }
        let names = || {
            let names = vectors.iter().map(|one| format!("{:?}", one.name));
            names.collect::<Vec<_>>().join(", ")
        };
        let help = match vectors {
            [] => "define it with [[table.vector_index]]".to_string(),
            _ => format!("its vector indexes are {}", names()),
        };
        let index = match &access.index {
            None => {
                let message = "SearchVectors needs the vector index that it searches";
                self.report("needs", &access.operation.span, message, "add `index = …`");
                return None;
            }
            Some(name) => match vectors.iter().position(|one| one.name == name.value) {
                Some(at) => at,
                None => {
                    let message = format!(
                        "the table {:?} has no vector index {:?}",
                        of.table.name, name.value
                    );
                    self.report("unknown-index", &name.span, message, help);
                    return None;
                }
            },
        };
        self.note(
            DesignPart::Access(of.table.name.clone(), access.name.value.clone()),
            &access.name.span,
        );
        if is_once(access) {
            let message = "a search of a vector index cannot be made `once`";
            self.report(
                "rate",
                &access.name.span,
                message,
                "give a rate with a period",
            );
        }
        let bytes = access.search_bytes.as_ref().map(|bytes| &bytes.value);
        Some(VectorSearch {
            name: access.name.value.clone(),
            index,
            region: None,
            calls: access
                .rate
                .given()
                .map(|rate| &rate.monthly(&self.month) * &self.traffic),
            shape: self.shape(access.profile.as_ref(), access.profile_shape),
            bytes: match bytes {
                Some(Known::Given(size)) => Some(size.0),
                Some(Known::Unknown) | None => None,
            },
        })
    }
}

/// Whether an access pattern searches vectors.
pub(super) fn is_search(access: &AccessFile) -> bool {
    access.operation.value == OperationWord::SearchVectors && !access.operation.is_placeholder()
}
