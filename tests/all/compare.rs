//! Tests of comparisons: published break-even points, and properties that hold for every design.

use crate::support;

use std::path::Path;

use dynameter::capacity::policy::{AutoScaling, Fixed, Tracking};
use dynameter::capacity::series::{Arrivals, Horizon, Series, draw};
use dynameter::capacity::{AccountDirection, Course, Limits, execute};
use dynameter::compare::{
    AlternativeKind, AlternativeState, Comparison, Footing, Question, compare,
};
use dynameter::pricing::Books;
use dynameter::workload::{self, Setting};
use proptest::prelude::*;

fn compared(text: &str) -> Comparison {
    let books = Books::embedded();
    let workload = workload::load("case.toml", text, Path::new("."), &Setting::new(&books))
        .unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    compare(&workload, &books, &Question::default())
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn break_even(comparison: &Comparison, name: &str, direction: &str) -> (String, String) {
    let word = |throughput| format!("{throughput:?}").to_lowercase();
    let found = comparison.break_even.iter().find(|one| {
        one.name == name
            && one
                .throughput
                .is_none_or(|throughput| word(throughput) == direction)
    });
    let found = found.unwrap_or_else(|| panic!("no {name} of {direction}s"));
    (found.value.human(2), found.meaning.clone())
}

/// A table with 100 RCU and 50 WCU, as in case c04.
fn c04(prices: &str) -> Comparison {
    compared(&format!(
        r#"
name = "c04"
region = "us-east-1"
prices = "{prices}"
month_hours = 720
[[table]]
name = "Items"
items = 1
partition_key = {{ name = "pk" }}
item.size = "1 KB"
capacity = {{ mode = "provisioned", read = 100, write = 50 }}
"#
    ))
}

#[test]
fn c04_break_even_of_provisioned_and_on_demand() {
    for (prices, utilization, reads, writes) in [
        ("2024-10-31", "14.44", "37,440,000", "18,720,000"),
        ("2024-11-01", "28.89", "74,880,000", "37,440,000"),
    ] {
        let comparison = c04(prices);
        for (direction, units) in [("read", reads), ("write", writes)] {
            let (value, meaning) = break_even(&comparison, "on demand = provisioned", direction);
            assert_eq!(value, utilization, "{prices} {direction}");
            assert!(
                meaning.contains(&format!("{units} units a month")),
                "{prices} {direction}: {meaning}"
            );
        }
    }
}

#[test]
fn c06_reserved_capacity_saves_what_aws_says() {
    let comparison = compared(
        r#"
name = "c06"
region = "us-east-1"
prices = "2024-11-01"
[[table]]
name = "Items"
items = 0
partition_key = { name = "pk" }
item.size = "1 KB"
capacity = { mode = "provisioned", read = 100, write = 100 }
"#,
    );
    assert_eq!(comparison.total.human(), "$56.94");
    for (name, monthly) in [
        ("reserved capacity for 1 year", "$26.17"),
        ("reserved capacity for 3 years", "$13.08"),
    ] {
        let found = comparison
            .alternatives
            .iter()
            .find(|one| one.name == name)
            .expect(name);
        assert_eq!(
            found.monthly().expect("a figure").human(),
            monthly,
            "{name}"
        );
    }
}

#[test]
fn c05_auto_scaling_settles_at_demand_by_target() {
    // 80 % and 50 % of 50 units, tracked at 70 %.
    for (units, settled) in [(40, 58), (25, 36)] {
        let series = Series::new(1, 0, vec![2 * units; 3 * 86_400]);
        let scaling = AutoScaling::new(1, 10_000, Tracking::default());
        let run = execute(
            &mut [AccountDirection::new(&series, scaling)],
            &Limits::default(),
        )
        .remove(0);
        assert_eq!((run.lowest, run.highest), (settled, settled));
    }
}

#[test]
fn x08_no_strong_read_is_cached_and_eventual_ones_have_a_break_even() {
    let reads = |consistency: &str, billions: u64| {
        compared(&format!(
            r#"
name = "x08"
region = "us-east-1"
prices = "2024-10-31"
[[table]]
name = "Items"
items = 1_000_000
partition_key = {{ name = "pk" }}
item.size = "4 KB"
[[table.access]]
name = "read"
operation = "GetItem"
consistency = "{consistency}"
rate = {{ per_month = {billions}_000_000_000 }}
"#
        ))
    };
    let strong = reads("strong", 1);
    let dax: Vec<_> = strong
        .alternatives
        .iter()
        .filter(|one| one.kind == AlternativeKind::Dax)
        .collect();
    assert!(
        dax.iter()
            .all(|one| one.state == AlternativeState::Impossible)
            && dax[0].why.contains("strong"),
        "a strong read is never a hit"
    );
    // Three nodes cost 558.45; a billion eventual reads 125.00, ten billion 1,250.00.
    assert_eq!(
        break_even(
            &reads("eventual", 1),
            "3 x dax.r5.large = reads of the table",
            "read"
        )
        .0,
        "446.76"
    );
    assert_eq!(
        break_even(
            &reads("eventual", 10),
            "3 x dax.r5.large = reads of the table",
            "read"
        )
        .0,
        "44.68"
    );
}

#[test]
fn what_cannot_be_had_is_listed_with_its_reason() {
    let comparison = compared(
        r#"
name = "impossible"
region = "us-east-2"
prices = "2026-09-11"
[[table]]
name = "Rare"
class = "standard-ia"
items = 1000
partition_key = { name = "pk" }
item.size = "1 KB"
ttl.deletes = { per_day = 5 }
capacity = { mode = "provisioned", read = 100, write = 50 }
[[table.index]]
name = "ByOther"
kind = "global"
partition_key = "Other"
read = 5
write = 5
[[table.access]]
name = "query"
operation = "Query"
index = "ByOther"
items = 5
rate = { per_second = 1 }
"#,
    );
    let reason = |name: &str| {
        let found = comparison
            .alternatives
            .iter()
            .find(|one| one.name.contains(name))
            .unwrap_or_else(|| panic!("{name} is left out"));
        assert!(!found.is_priced(), "{name} has a figure");
        found.why.clone()
    };
    assert!(reason("reserved capacity of a Standard-IA table").contains("Standard class only"));
    assert!(reason("reserved capacity for 3 years").contains("not available in us-east-2"));
    assert!(reason("(MRSC)").contains("does not support Time to Live"));
    assert!(reason("with strongly consistent reads").contains("global index"));
    assert!(reason("no index").contains("\"query\""));
}

/// Every figure of a comparison agrees with every other.
fn consistent(comparison: &Comparison) {
    let name = &comparison.outcome.workload;
    for one in comparison.alternatives.iter().filter(|one| one.is_priced()) {
        let (monthly, delta) = (
            one.monthly().expect("a figure"),
            one.delta().expect("a difference"),
        );
        assert_eq!(
            monthly.minus(comparison.total),
            Ok(delta),
            "{name}: {}",
            one.name
        );
        if one.footing == Footing::WhatIf {
            continue;
        }
        let all = comparison.best_with_decisions.monthly_with_commitment;
        assert!(
            all <= monthly,
            "{name}: {} costs {monthly}, the best combination with trade-offs {all}",
            one.name
        );
        if one.kind != AlternativeKind::Commitment {
            let plain = match one.footing {
                Footing::Sure => &comparison.best_uncommitted,
                _ => &comparison.best_with_decisions_uncommitted,
            };
            assert!(
                plain.monthly <= monthly,
                "{name}: {} costs {monthly}, the best combination without commitments {}",
                one.name,
                plain.monthly
            );
        }
        let kept = comparison.best.monthly_with_commitment;
        assert!(
            one.footing == Footing::Decision || kept <= monthly,
            "{name}: {} costs {monthly}, the best combination {kept}",
            one.name
        );
    }
    for one in comparison
        .alternatives
        .iter()
        .filter(|one| !one.is_priced())
    {
        assert!(!one.why.is_empty(), "{name}: {}", one.name);
    }
    let saves: Vec<_> = comparison
        .advice
        .iter()
        .map(|advice| advice.saves)
        .collect();
    assert!(
        saves.windows(2).all(|pair| pair[0] >= pair[1]),
        "{name}: advice is ranked"
    );
}

#[test]
fn the_optimum_is_never_dearer_than_any_alternative() {
    for (_, text) in support::shipped() {
        let books = Books::embedded();
        let folder = support::root().join("workloads");
        let workload = workload::load("shipped.toml", &text, &folder, &Setting::new(&books))
            .expect("a workload");
        let comparison = compare(&workload, &books, &Question::default()).expect("a comparison");
        consistent(&comparison);
        let again = compare(&workload, &books, &Question::default()).expect("a comparison");
        let figures = |comparison: &Comparison| {
            comparison
                .alternatives
                .iter()
                .map(|one| (one.name.clone(), one.monthly()))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            figures(&comparison),
            figures(&again),
            "the same input gives the same figures"
        );
    }
}

fn demand() -> impl Strategy<Value = Series> {
    (
        1_u64..400,
        prop::collection::vec(0_u64..6, 24),
        0.0..300.0_f64,
        1_u64..9,
    )
        .prop_map(|(seed, shape, per_second, halves)| {
            let mean = shape.iter().sum::<u64>().max(1) as f64 / 24.0;
            let shape: Vec<f64> = (0..168)
                .map(|hour| shape[hour % 24] as f64 / mean)
                .collect();
            let arrivals = Arrivals {
                per_second,
                shape: shape.into(),
                course: Course::Steps,
                calls: vec![(halves, 0.7), (2 * halves, 0.3)],
            };
            draw(
                &[arrivals],
                &Horizon {
                    days: 2,
                    step_seconds: 1,
                    seed,
                },
                "t",
            )
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fixed_capacity_at_the_peak_never_throttles(series in demand()) {
        let run = execute(&mut [AccountDirection::new(&series, Fixed { units: series.peak_units() })], &Limits::default()).remove(0);
        prop_assert_eq!((run.throttled, run.consumed), (0, series.sum()));
    }

    #[test]
    fn more_capacity_never_throttles_more(series in demand(), less in 1_u64..200, more in 0_u64..200) {
        let throttled = |units| execute(&mut [AccountDirection::new(&series, Fixed { units })], &Limits::default()).remove(0).throttled;
        prop_assert!(throttled(less + more) <= throttled(less));
    }

    #[test]
    fn what_is_asked_for_is_served_or_refused_and_no_day_has_too_many_decreases(
        series in demand(), target in 20_u64..=90, min in 1_u64..50, room in 0_u64..2_000, gap in 0_u64..=20
    ) {
        let tracking = Tracking { target_percent: target, gap_points: gap, ..Tracking::default() };
        let runs = execute(
            &mut [AccountDirection::new(&series, AutoScaling::new(min, min + room, tracking)), AccountDirection::new(&series, AutoScaling::new(1, 5_000, tracking))],
            &Limits::default(),
        );
        for run in &runs {
            prop_assert_eq!(run.consumed + run.throttled, run.demanded);
            prop_assert_eq!(run.demanded, series.sum());
        }
        prop_assert!(runs[0].lowest >= min && runs[0].highest <= min + room);
        let mut decreases: Vec<u64> = runs.iter().flat_map(|run| run.decreases.clone()).collect();
        decreases.sort_unstable();
        for (at, first) in decreases.iter().enumerate() {
            prop_assert!(decreases[at..].iter().take_while(|one| **one < first + 1440).count() <= 27);
        }
    }

    #[test]
    fn auto_scaling_of_a_flat_demand_settles_and_stays(units in 1_u64..3_000, target in 20_u64..=90) {
        let series = Series::new(60, 0, vec![120 * units; 2 * 1440]);
        let tracking = Tracking { target_percent: target, ..Tracking::default() };
        let run = execute(&mut [AccountDirection::new(&series, AutoScaling::new(1, 1_000_000, tracking))], &Limits::default()).remove(0);
        let settled = (units * 100).div_ceil(target);
        prop_assert_eq!((run.lowest, run.highest), (settled, settled));
    }
}

#[test]
fn a_savings_plan_covers_what_is_billed_and_not_what_is_refused() {
    let comparison = compared(
        r#"
name = "capped"
region = "us-east-1"
[[table]]
name = "Items"
items = 1
partition_key = { name = "id" }
item.size = "1 KB"
capacity = { mode = "on-demand", max_read = 1, max_write = 1 }
[[table.access]]
name = "write"
operation = "PutItem"
rate = { per_second = 5 }
"#,
    );
    let plan = comparison
        .alternatives
        .iter()
        .find(|one| one.name == "a Database Savings Plan")
        .expect("a plan");
    let saved = plan.delta().expect("a saving").decimal().abs() / comparison.total.decimal();
    // 18 % of what is billed, or slightly less because the commitment is rounded.
    assert!(
        saved > rust_decimal::Decimal::new(10, 2) && saved <= rust_decimal::Decimal::new(18, 2),
        "{saved}"
    );
}

#[test]
fn what_readers_name_is_what_a_narrower_index_need_not_fetch() {
    let of = |kind: &str, keys: &str, more: &str| {
        let comparison = compared(&format!(
            r#"
name = "wanted"
region = "us-east-1"
[[table]]
name = "Orders"
items = 1_000_000
partition_key = {{ name = "CustomerId", bytes = 16 }}
sort_key = {{ name = "OrderId", bytes = 26 }}
item.attributes = [{{ name = "Status", type = "S", bytes = 8 }}, {{ name = "Total", type = "N", digits = 7 }}, {{ name = "Body", type = "S", bytes = 3_000 }}]
[[table.index]]
name = "ByStatus"
kind = "{kind}"
{keys}
[[table.access]]
name = "place"
operation = "PutItem"
rate.per_second = 100
[[table.access]]
name = "list"
operation = "Query"
index = "ByStatus"
items = 20
rate.per_second = 50
{more}
"#
        ));
        let of_index = comparison
            .alternatives
            .into_iter()
            .filter(|one| one.kind == AlternativeKind::Projection);
        of_index
            .map(|one| {
                (
                    one.name.clone(),
                    (one.footing == Footing::Decision, one.delta()),
                )
            })
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    for (kind, keys) in [
        ("global", "partition_key = \"Status\""),
        (
            "local",
            "partition_key = \"CustomerId\"\nsort_key = \"Status\"",
        ),
    ] {
        let (silent, said) = (
            of(kind, keys, ""),
            of(kind, keys, "attributes = [\"Total\"]"),
        );
        let (name, narrow) = said
            .iter()
            .find(|(name, _)| name.starts_with("include") && name.contains("Total"))
            .expect("what it wants");
        assert!(
            !narrow.0,
            "{kind}: {name} contains all that its reader needs"
        );
        assert!(
            silent[name].0,
            "{kind}: a reader without `attributes` needs all of them"
        );
        assert!(
            narrow.1 < silent[name].1,
            "{kind}: {name} needs no fetches: {narrow:?}, {:?}",
            silent[name]
        );
        assert_eq!(
            silent["keys-only"], said["keys-only"],
            "{kind}: without Total, both designs need fetches"
        );
    }
}
