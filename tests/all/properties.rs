//! Properties that hold for every size, every rate and every text.

use crate::support;

use std::path::Path;

use dynameter::estimate::estimate;
use dynameter::meter::{Switches, meter};
use dynameter::money::Money;
use dynameter::pricing::Books;
use dynameter::table::{
    Consistency, KeySchema, Operation, ReadPage, Table, TableClass, TransactionAction,
    TransactionOutcome, Write,
};
use dynameter::units::{Bytes, Exact, ReadUnits, WriteUnits};
use dynameter::workload::{Setting, TEMPLATE, load};
use proptest::prelude::*;

const ITEM_MAX: u64 = 409_600;

fn table() -> Table {
    Table {
        name: "Items".into(),
        class: TableClass::Standard,
        keys: KeySchema {
            partition: "id".into(),
            sort: None,
        },
        indexes: Vec::new(),
        vectors: Vec::new(),
    }
}

fn units(operation: &Operation) -> (ReadUnits, WriteUnits) {
    let total = meter(&table(), operation, &Switches::default()).total();
    (total.read, total.write)
}

fn get(size: u64, consistency: Consistency) -> Operation {
    Operation::GetItem {
        item: Some(Bytes(size)),
        consistency,
    }
}

fn put(old: Option<u64>, new: u64) -> Write {
    Write {
        old: old.map(Bytes),
        new: Some(Bytes(new)),
        ..Write::default()
    }
}

/// A workload with one table and a few access patterns, with the given figures.
fn workload(sizes: &str, read: u64, write: u64, items: u64, coverage: u64) -> String {
    format!(
        "name = \"p\"\nregion = \"us-east-1\"\n[[table]]\nname = \"Items\"\nitems = \
         {items}\npartition_key = {{ name = \"id\" }}\nitem.{sizes}\n[[table.index]]\nname = \
         \"Index\"\nkind = \"global\"\npartition_key = \"k\"\ncoverage = \
         0.{coverage:02}\n[[table.access]]\nname = \"read\"\noperation = \"GetItem\"\nrate = {{ \
         per_day = {read} }}\nmissing = 0.1\n[[table.access]]\nname = \"list\"\noperation = \
         \"Query\"\nitems = 7\nrate = {{ per_hour = {read} }}\n[[table.access]]\nname = \
         \"write\"\noperation = \"UpdateItem\"\nchanges = [\"k\"]\nrate = {{ per_minute = {write} \
         }}\nmissing = 0.25\n"
    )
}

fn sizes() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..=ITEM_MAX).prop_map(|size| format!("size = {size}")),
        (1..=ITEM_MAX, 1..=ITEM_MAX, 0..=100_u64).prop_map(|(one, other, share)| format!(
            "histogram = [{{ size = {one}, share = {} }}, {{ size = {other}, share = {} }}]",
            share as f64 / 100.0,
            (100 - share) as f64 / 100.0
        )),
        (100..20_000_u64, 2..14_u64).prop_map(|(mean, times)| format!(
            "lognormal = {{ mean = {mean}, p99 = {} }}",
            mean * times
        )),
    ]
}

proptest! {
    #[test]
    fn units_never_fall_as_an_item_grows(size in 1..ITEM_MAX, more in 0..100_000_u64) {
        let larger = (size + more).min(ITEM_MAX);
        prop_assert!(units(&get(size, Consistency::Strong)) <= units(&get(larger, Consistency::Strong)));
        prop_assert!(units(&Operation::PutItem(put(None, size))) <= units(&Operation::PutItem(put(None, larger))));
        prop_assert!(units(&Operation::PutItem(put(Some(larger), size))) >= units(&Operation::PutItem(put(None, size))));
    }

    #[test]
    fn a_strong_read_costs_two_eventual_ones(sizes in prop::collection::vec(0..ITEM_MAX, 1..100)) {
        let evaluated = Bytes(sizes.iter().sum());
        let page = |consistency| Operation::Query(ReadPage { evaluated, consistency, ..ReadPage::default() });
        let batch = |consistency| Operation::BatchGetItem { items: sizes.iter().map(|size| Some(Bytes(*size))).collect(), consistency };
        for operation in [&page as &dyn Fn(Consistency) -> Operation, &batch] {
            let (eventual, strong) = (units(&operation(Consistency::Eventual)).0, units(&operation(Consistency::Strong)).0);
            prop_assert_eq!(eventual.halves() * 2, strong.halves());
        }
        let transaction = units(&Operation::TransactGetItems { items: sizes.iter().map(|size| Some(Bytes(*size))).collect() }).0;
        prop_assert_eq!(transaction.halves(), 2 * units(&batch(Consistency::Strong)).0.halves());
    }

    #[test]
    fn splitting_a_batch_changes_nothing(writes in prop::collection::vec((prop::option::of(1..ITEM_MAX), 1..ITEM_MAX), 1..25), at in 0..25_usize) {
        let all: Vec<Write> = writes.iter().map(|(old, new)| put(*old, *new)).collect();
        let (one, other) = all.split_at(at.min(all.len()));
        let batch = |writes: &[Write]| units(&Operation::BatchWriteItem(writes.to_vec())).1.0;
        prop_assert_eq!(batch(&all), batch(one) + batch(other));
        let alone: u64 = all.iter().map(|write| units(&Operation::PutItem(write.clone())).1.0).sum();
        prop_assert_eq!(batch(&all), alone);
        let actions = all.iter().cloned().map(TransactionAction::Write).collect();
        let transaction = units(&Operation::TransactWriteItems { actions, outcome: TransactionOutcome::Committed }).1.0;
        prop_assert_eq!(transaction, 2 * alone);
    }

    #[test]
    fn the_total_is_the_sum_and_each_line_its_product(sizes in sizes(), read in 0..10_000_000_u64, write in 0..100_000_u64, items in 0..1_000_000_000_u64, coverage in 0..100_u64) {
        let outcome = support::estimated("p", &workload(&sizes, read, write, items, coverage));
        for line in &outcome.bill.lines {
            prop_assert_eq!(line.quantity.checked_mul(line.published.rate.decimal()).expect("fits"), line.amount.decimal());
        }
        let sum = Money::sum(outcome.bill.lines.iter().map(|line| line.amount)).expect("fits");
        prop_assert_eq!(outcome.total().expect("fits"), sum);
        prop_assert_eq!(outcome.total_of("Items").expect("fits"), sum);
        // The same input gives the same output.
        prop_assert_eq!(&outcome, &support::estimated("p", &workload(&sizes, read, write, items, coverage)));
    }

    #[test]
    fn twice_the_traffic_costs_twice(sizes in sizes(), read in 1..1_000_000_u64, write in 1..100_000_u64) {
        let units = |factor: u64| -> Exact {
            let outcome = support::estimated("p", &workload(&sizes, read * factor, write * factor, 10, 50));
            outcome.demand.iter().map(|demand| demand.mean.clone()).sum()
        };
        prop_assert_eq!(units(2), units(1) * Exact::from(2));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC*") {
        let _ = load("any.toml", &text, Path::new("."), &Setting::new(&Books::embedded()));
    }

    #[test]
    fn no_edit_of_a_workload_makes_the_reader_panic(at in 0..TEMPLATE.len(), cut in 0..40_usize, put in "[ -~\n]{0,12}") {
        let boundary = |mut at: usize| { while !TEMPLATE.is_char_boundary(at) { at -= 1; } at };
        let (start, end) = (boundary(at), boundary((at + cut).min(TEMPLATE.len())));
        let text = format!("{}{put}{}", &TEMPLATE[..start], &TEMPLATE[end.max(start)..]);
        let books = Books::embedded();
        if let Ok(workload) = load("edited.toml", &text, Path::new("."), &Setting::new(&books)) {
            let _ = estimate(&workload, &books);
        }
    }
}
