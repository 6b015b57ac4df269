//! Invariants of every design: random designs, and all shipped ones.

use crate::support;

use dynameter::check::{self, CheckedDesign, Designs, Status};
use dynameter::compare::{Comparison, Curve, Question, compare};
use dynameter::estimate::{Metering, estimate};
use dynameter::money::Money;
use dynameter::outcome::Outcome;
use dynameter::pricing::Books;
use dynameter::time::Date;
use dynameter::units::Exact;
use dynameter::usage::UsageType;
use dynameter::workload::{self, Setting, Workload};
use proptest::prelude::*;

fn load(text: &str) -> Workload {
    let books = Books::embedded();
    workload::load(
        "design.toml",
        text,
        &support::root().join("workloads"),
        &Setting::new(&books),
    )
    .unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn compared(workload: &Workload) -> Comparison {
    compare(workload, &Books::embedded(), &Question::default())
        .unwrap_or_else(|error| panic!("{error}"))
}

fn throughput(outcome: &Outcome) -> Exact {
    let lines = outcome
        .bill
        .lines
        .iter()
        .filter(|line| line.usage_type.throughput().is_some());
    lines.map(|line| Exact::from(line.amount.decimal())).sum()
}

fn apart(one: &Exact, other: &Exact) -> Exact {
    let apart = one - other;
    if apart.is_negative() {
        other - one
    } else {
        apart
    }
}

/// Decimals of the curve and of the bill may differ in their last digits because of rounding.
fn is_close(one: &Exact, other: &Exact) -> bool {
    apart(one, other) <= Exact::ratio(1, 1_000_000) + other / &Exact::from(1_000_000_000)
}

/// A random design: a capacity mode, an index with a maximum, a region with or without free tiers,
/// a table class.
pub fn design() -> impl Strategy<Value = String> {
    let region = prop_oneof![
        Just("us-east-1"),
        Just("eu-west-1"),
        Just("us-gov-west-1"),
        Just("ap-southeast-2")
    ];
    let capacity = prop_oneof![
        Just("mode = \"on-demand\"".to_string()),
        (1..40_u64).prop_map(|units| format!(
            "mode = \"on-demand\"\nmax_read = {units}\nmax_write = {units}"
        )),
        (1..200_u64, 1..200_u64).prop_map(|(read, write)| format!(
            "mode = \"provisioned\"\nread = {read}\nwrite = {write}"
        )),
    ];
    let class = prop_oneof![Just("standard"), Just("standard-ia")];
    (
        region,
        capacity,
        class,
        any::<bool>(),
        1..5_000_u64,
        (0..60_u64, 0..60_u64, 0..20_u64),
        0..50_000_000_u64,
    )
        .prop_map(
            |(region, capacity, class, free, size, (reads, writes, queries), items)| {
                let index = if capacity.contains("provisioned") {
                    "read = 5\nwrite = 50"
                } else {
                    "max_read = 30"
                };
                format!(
                    "name = \"random\"\nregion = \"{region}\"\nfree_tier = \
                     {free}\n[[table]]\nname = \"Items\"\nclass = \"{class}\"\nitems = \
                     {items}\npartition_key = {{ name = \"id\", bytes = 8 }}\nitem.size = \
                     {}\n[table.capacity]\n{capacity}\n[[table.index]]\nname = \"Other\"\nkind = \
                     \"global\"\npartition_key = \"o\"\n{index}\n[[table.access]]\nname = \
                     \"get\"\noperation = \"GetItem\"\nrate = {{ per_second = {reads} \
                     }}\n[[table.access]]\nname = \"put\"\noperation = \"PutItem\"\nrate = {{ \
                     per_second = {writes} }}\n[[table.access]]\nname = \"query\"\noperation = \
                     \"Query\"\nindex = \"Other\"\nitems = 3\nrate = {{ per_second = {queries} \
                     }}\n",
                    size + 20
                )
            },
        )
}

/// No alternative has a negative cost, and no commitment saves more than its discount on the usage
/// that it covers.
fn has_sound_alternatives(workload: &Workload, comparison: &Comparison) {
    let books = Books::embedded();
    let book = books
        .book(&workload.region, workload.prices)
        .expect("a book");
    for one in comparison.alternatives.iter() {
        assert!(
            one.monthly().is_none_or(|monthly| monthly >= Money::ZERO),
            "{}: {:?}",
            one.name,
            one.state
        );
    }
    assert!(comparison.best_with_decisions.monthly_with_commitment >= Money::ZERO);
    let covered = throughput(&comparison.outcome);
    if let Some(plan) = book.savings_plan() {
        let most =
            &covered * &Exact::ratio(plan.on_demand_percent.max(plan.provisioned_percent), 100);
        let saves = comparison
            .alternatives
            .iter()
            .find(|one| one.name == "a Database Savings Plan")
            .and_then(|one| one.delta());
        let saves = saves.map_or_else(Exact::zero, |delta| {
            Exact::zero() - Exact::from(delta.decimal())
        });
        assert!(saves <= most, "a plan saves {saves} of {covered}");
    }
}

fn has_the_curve_of_its_bill(workload: &Workload) {
    let books = Books::embedded();
    let metering = Metering::new(workload, &books).expect("a metering");
    let outcome = metering.outcome(&books).expect("an estimate");
    let curve = Curve::of(&metering).expect("a curve");
    let billed = throughput(&outcome);
    let uncommitted = curve.uncommitted(&workload.month);
    // The curve counts capacity in sixtieths of a unit: after a free tier, one sixtieth may be left
    // in each direction.
    assert!(
        apart(&uncommitted, &billed) <= Exact::ratio(1, 1_000),
        "the curve begins at {uncommitted}, the bill has {billed}"
    );
}

#[test]
fn shipped_designs_are_sound() {
    for (name, _) in support::shipped() {
        let text = std::fs::read_to_string(support::root().join(format!("workloads/{name}.toml")))
            .expect("a workload");
        let workload = load(&text);
        has_sound_alternatives(&workload, &compared(&workload));
        has_the_curve_of_its_bill(&workload);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn random_designs_are_sound(text in design()) {
        let workload = load(&text);
        has_sound_alternatives(&workload, &compared(&workload));
        has_the_curve_of_its_bill(&workload);
    }

    /// Two designs at the break-even between on-demand and provisioned capacity cost the same.
    #[test]
    fn break_evens_put_back_cost_the_same(region in prop_oneof![Just("us-gov-west-1"), Just("eu-west-1")], units in 1..400_u64) {
        let design = |capacity: &str, reads: &Exact| load(&format!(
            "name = \"p\"\nregion = \"{region}\"\n[[table]]\nname = \"Items\"\nitems = 1\npartition_key = {{ name = \"id\", bytes = 8 }}\nitem.size = 100\n\
             [table.capacity]\n{capacity}\n[[table.consumed]]\nread = {{ per_month = {} }}\nwrite = {{ per_month = 0 }}\n", reads.human(6).replace(',', "_")
        ));
        let fixed = format!("mode = \"provisioned\"\nread = {units}\nwrite = 1");
        let comparison = compared(&design(&fixed, &Exact::from(units)));
        let found = comparison.break_even.iter().find(|one| {
            one.name == "on demand = provisioned" && one.throughput.is_some_and(|direction| direction.direction().word() == "read")
        });
        let Some(found) = found else { panic!("no break-even of {region} with {units} units") };
        let month = design(&fixed, &Exact::one()).month.clone();
        let reads = &(&found.value / &Exact::from(100)) * &(&Exact::from(units) * &month.seconds());
        let cost = |workload: &Workload| {
            let outcome = estimate(workload, &Books::embedded()).expect("an estimate");
            let own = outcome.bill.lines.iter().filter(|line| line.usage_type.direction().is_some_and(|direction| direction.word() == "read"));
            own.map(|line| Exact::from(line.amount.decimal())).sum::<Exact>()
        };
        let (requests, capacity) = (cost(&design("mode = \"on-demand\"", &reads)), cost(&design(&fixed, &Exact::from(units))));
        prop_assert!(is_close(&requests, &capacity), "{requests} for requests, {capacity} for capacity");
    }

    /// A check never passes a limit that needs an unknown figure, and an unknown figure never
    /// reduces a total.
    #[test]
    fn the_unknown_is_never_cheap(text in design(), part in 0..4_usize) {
        let (known, unknown) = [
            ("[[table.access]]\nname = \"get\"\noperation = \"GetItem\"\nrate = {", "rate"),
            ("[[table.access]]\nname = \"put\"\noperation = \"PutItem\"\nrate = {", "rate"),
            ("\nitems = ", "items"),
            ("item.size = ", "item"),
        ][part];
        let at = text.find(known).expect("the part");
        let (before, line) = text.split_at(at);
        let hidden = match unknown {
            "rate" => line.replacen(&line[line.find("rate = ").expect("a rate")..line.find("}\n").expect("its end") + 1], "rate = \"unknown\"", 1),
            "items" => line.replacen(&line[1..line[1..].find('\n').expect("an end") + 1], "items = \"unknown\"", 1),
            _ => line.replacen(&line[..line.find('\n').expect("an end")], "item = \"unknown\"", 1),
        };
        let books = Books::embedded();
        let hidden = format!("{before}{hidden}");
        let workload = load(&hidden);
        let outcome = estimate(&workload, &books).expect("an estimate");
        let other = hidden[hidden.find("[[table]]").expect("a table")..].replace("\"Items\"", "\"Beside\"");
        let with_another = estimate(&load(&format!("{hidden}{other}")), &books).expect("an estimate");
        prop_assert!(with_another.total().expect("fits") >= outcome.total().expect("fits"));
        // On demand, every unknown figure makes the bill unknown; provisioned capacity is billed
        // regardless of the calls.
        if outcome.bill.unknown.is_empty() {
            prop_assert!(unknown == "rate" && hidden.contains("\"provisioned\""), "the bill has nothing unknown for\n{hidden}");
            return Ok(());
        }
        let budget = "[[limit]]\nmonthly_usd = 1_000_000_000\n";
        let designs = Designs { now: vec![CheckedDesign { workload, outcome, text: hidden }], ..Designs::default() };
        let budget = check::budget("budget.toml", budget, &designs, check::BudgetSetting { today: Date::parse("2026-11-01").expect("a date"), is_partial: false }).expect("a budget");
        let checked = check::check(&designs, &budget, &books).expect("a check");
        prop_assert_eq!(checked.status(), Status::Unknown);
    }

    /// If a region has no free tier, `free_tier` changes nothing.
    #[test]
    fn a_free_tier_that_is_not_there_changes_nothing(text in design()) {
        let text = text.replace("region = \"us-east-1\"", "region = \"us-gov-west-1\"");
        prop_assume!(text.contains("us-gov-west-1"));
        let of = |free: bool| {
            let text = text.replace("free_tier = true", "free_tier = false").replace("free_tier = false", &format!("free_tier = {free}"));
            estimate(&load(&text), &Books::embedded()).expect("an estimate")
        };
        let (with, without) = (of(true), of(false));
        prop_assert_eq!(&with.bill, &without.bill);
        prop_assert_eq!(with.free, without.free);
        prop_assert!(with.bill.lines.iter().all(|line| line.usage_type != UsageType::unpriced()));
    }
}
