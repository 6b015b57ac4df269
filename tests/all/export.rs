//! Real and small S3 exports, measured item by item.

use crate::support;

use std::path::Path;

use dynameter::table::{
    Index, IndexKind, KeySchema, NumberAlignment, Projection, Table, TableClass,
};
use dynameter::workload::measure;

fn table(partition: &str, indexes: Vec<Index>) -> Table {
    Table {
        name: "Items".into(),
        class: TableClass::Standard,
        keys: KeySchema {
            partition: partition.into(),
            sort: None,
        },
        indexes,
        vectors: Vec::new(),
    }
}

#[test]
fn a_real_export_measures_as_aws_billed_it() {
    let Some(folder) = support::reference("the real S3 export") else {
        return;
    };
    let folder = folder.join("formats/s3-export/unicorn_activities");
    let measured = measure(
        &folder,
        &table("pk", Vec::new()),
        NumberAlignment::default(),
    )
    .expect("an export");
    assert_eq!((measured.items, measured.bytes), (133_199, 44_570_968));
    let itself = folder.join("AWSDynamoDB/01716790307109-5f9d6aaa");
    assert_eq!(
        measure(
            &itself,
            &table("pk", Vec::new()),
            NumberAlignment::default()
        )
        .as_ref(),
        Ok(&measured)
    );
    let incremental = folder.join("AWSDynamoDB/01716791487000-6ddcf8cf");
    assert!(
        measure(
            &incremental,
            &table("pk", Vec::new()),
            NumberAlignment::default()
        )
        .is_err()
    );
    let billed = 44_570_731_f64;
    let apart = (measured.bytes as f64 - billed) / billed * 1e6;
    assert!(
        apart.abs() < 6.0,
        "differs by {apart} ppm from what AWS billed"
    );
}

#[test]
fn a_small_export_is_measured_with_its_index() {
    let keys = vec!["Active".to_string(), "FeaturedSince".to_string()];
    let projection = Projection::Include(vec!["Name".into(), "Price".into()]);
    let index = Index {
        name: "Featured".into(),
        kind: IndexKind::Global,
        keys,
        projection,
    };
    let folder = support::root().join("workloads/catalog-export");
    let measured = measure(
        &folder,
        &table("Sku", vec![index]),
        NumberAlignment::default(),
    )
    .expect("an export");
    assert_eq!(measured.items, 16);
    assert!(measured.empty_indexes.is_empty());
    let covered: u64 = measured
        .classes
        .iter()
        .filter(|((_, entries), _)| entries[0] != dynameter::workload::IndexEntry::None)
        .map(|(_, count)| count)
        .sum();
    assert_eq!(covered, 4, "one item in four carries FeaturedSince");
}

#[test]
fn exports_that_cannot_be_read_say_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let fail = |path: &Path| {
        measure(path, &table("pk", Vec::new()), NumberAlignment::default()).expect_err("an error")
    };
    assert!(fail(&folder.path().join("nowhere")).contains("cannot be read"));
    assert!(fail(folder.path()).contains("no data files"));
    let write =
        |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).expect("written");
    write("a.json", b"{\"Item\":{\"pk\":{\"S\":\"1\"}}}\nnot json\n");
    let error = fail(folder.path());
    assert!(error.contains("a.json:2: not JSON"), "{error}");
    write("a.json", b"{\"NewImage\":{}}\n");
    assert!(fail(folder.path()).contains("no \"Item\""));
    write("a.json", b"{\"Item\":{\"pk\":{\"S\":5}}}\n");
    assert!(fail(folder.path()).contains("a.json:1"));
    write("a.json", b"\n\n");
    assert!(fail(folder.path()).contains("no items"));
    write("b.json.gz", b"\x1f\x8b\x08\0truncated");
    assert!(fail(folder.path()).contains("b.json.gz"));
    std::fs::remove_file(folder.path().join("b.json.gz")).expect("removed");
    write("a.json", b"{\"Item\":{\"pk\":{\"S\":\"1\"}}}\n");
    write(
        "manifest-files.json",
        b"{\"itemCount\":1,\"dataFileS3Key\":\"x/data/gone.json.gz\"}\n",
    );
    let error = fail(folder.path());
    assert!(error.contains("gone.json.gz is missing"), "{error}");
}
