//! Headroom: factors against closed forms and full simulations, events, a lost region, retries.

use crate::support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use dynameter::capacity::series::{Series, account_name};
use dynameter::capacity::{
    AccountDirection, Limits, Retries, Scaling, Simulations, Traffic, execute, policy,
};
use dynameter::estimate::Metering;
use dynameter::headroom::{
    AccountHeadroom, ChangeCost, Headroom, HeadroomQuestion, HottestKeys, LimitKind, LimitMonth,
    LostTableState, Part, ThrottledUntil, headroom,
};
use dynameter::money::Money;
use dynameter::pricing::Books;
use dynameter::table::{Direction, Target};
use dynameter::units::Exact;
use dynameter::workload::{Capacity, GrowthUse, Setting, Units, Workload, load};
use proptest::prelude::*;

fn workload(text: &str) -> Workload {
    let books = Books::embedded();
    let setting = Setting {
        growth: GrowthUse::MonthsAfterYears,
        ..Setting::new(&books)
    };
    load("test.toml", text, Path::new("."), &setting)
        .unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn asked(text: &str, question: &HeadroomQuestion) -> Headroom {
    let books = Books::embedded();
    let metering = Metering::new(&workload(text), &books).expect("metered");
    headroom(&metering, &books, &HottestKeys::new(), question).expect("headroom")
}

fn of(text: &str) -> Headroom {
    asked(text, &HeadroomQuestion::default())
}

/// A table of items of 1 KB with the given lines, and strongly consistent reads and writes a second.
fn table(lines: &str, reads: f64, writes: f64) -> String {
    format!(
        "name = \"t\"\nregion = \"us-east-1\"\nprices = \"2026-09-21\"\n[[table]]\nname = \
         \"Items\"\nitems = 1_000_000\npartition_key = {{ name = \"id\" }}\nitem.size = \"1 \
         KB\"\n{lines}\n[[table.access]]\nname = \"read\"\noperation = \"GetItem\"\nconsistency = \
         \"strong\"\nrate = {{ per_second = {reads} }}\n[[table.access]]\nname = \
         \"write\"\noperation = \"PutItem\"\noverwrites = 1\nrate = {{ per_second = {writes} }}\n"
    )
}

fn provisioned(read: &str, write: &str) -> String {
    format!("capacity = {{ mode = \"provisioned\", read = {read}, write = {write} }}")
}

fn part<'h>(headroom: &'h Headroom, index: Option<&str>, part: Part) -> &'h AccountHeadroom {
    headroom
        .accounts
        .iter()
        .find(|one| one.table.is_some() && one.index.as_deref() == index && one.part == part)
        .expect("the part")
}

fn factor(one: &AccountHeadroom, kind: LimitKind) -> f64 {
    let limit = one.limits.iter().find(|limit| limit.kind == kind);
    limit
        .unwrap_or_else(|| panic!("{kind:?} of {one:?}"))
        .factor
        .to_f64()
}

#[test]
fn factors_equal_their_closed_forms() {
    let hot = |zipf: &str, keys: u64| format!("popularity = {{ zipf = {zipf}, keys = {keys} }}");
    let fixed = provisioned("250", "90");
    let scaled = provisioned(
        "{ min = 20, max = 500, target = 0.7 }",
        "{ min = 5, max = 80, target = 0.5 }",
    );
    let stream = "stream = { readers = { polling = 1 }, shards = 4, polls_per_second = 0.5 }";
    let dax = "dax = { node_type = \"dax.r5.large\", nodes = 3, hit_ratio = 0.9 }";
    use LimitKind as Kind;
    let rows: Vec<(String, f64, f64, Part, LimitKind, f64)> = vec![
        (
            fixed.clone(),
            100.0,
            40.0,
            Part::Reads,
            Kind::ProvisionedUnits,
            2.5,
        ),
        (
            fixed.clone(),
            100.0,
            40.0,
            Part::Writes,
            Kind::ProvisionedUnits,
            2.25,
        ),
        (
            fixed.clone(),
            1_000.0,
            40.0,
            Part::Reads,
            Kind::ProvisionedUnits,
            0.25,
        ),
        (
            fixed.clone(),
            100.0,
            40.0,
            Part::Reads,
            Kind::TableQuota,
            400.0,
        ),
        (
            scaled.clone(),
            100.0,
            40.0,
            Part::Reads,
            Kind::AutoScalingMaximum,
            5.0,
        ),
        (
            scaled,
            100.0,
            40.0,
            Part::Writes,
            Kind::AutoScalingMaximum,
            2.0,
        ),
        // Ten keys are accessed evenly: each gets a tenth.
        (hot("0", 10), 600.0, 250.0, Part::Reads, Kind::HotKey, 50.0),
        (hot("0", 10), 600.0, 250.0, Part::Writes, Kind::HotKey, 40.0),
        (
            format!("{}\n{}", hot("0", 1), provisioned("9000", "9000")),
            600.0,
            250.0,
            Part::Writes,
            Kind::HotKey,
            4.0,
        ),
        (
            String::new(),
            10.0,
            10.0,
            Part::Items,
            Kind::ItemSize,
            400.0,
        ),
        // Four shards, half a poll a second, 512 records of two images each; fifty writes a second.
        (
            stream.to_string(),
            10.0,
            50.0,
            Part::Stream,
            Kind::StreamReaders,
            20.48,
        ),
        // No read is eventually consistent: 100 misses count ten times, 20 writes 25 times on each of
        // three nodes; three nodes serve 225,000.
        (
            dax.to_string(),
            100.0,
            20.0,
            Part::Dax,
            Kind::DaxRequests,
            90.0,
        ),
    ];
    for (lines, reads, writes, wanted, kind, expected) in rows {
        let headroom = of(&table(&lines, reads, writes));
        let found = factor(part(&headroom, None, wanted), kind);
        assert!(
            (found / expected - 1.0).abs() < 0.001,
            "{kind:?} of {lines}: {found}, not {expected}"
        );
    }
}

/// A design with a constant demand of a trace.
fn constant(lines: &str, reads: u64, writes: u64) -> Headroom {
    let books = Books::embedded();
    let workload = workload(&table(lines, 1.0, 1.0));
    let series =
        [(Direction::Read, reads), (Direction::Write, writes)].map(|(direction, units)| {
            let name = account_name("Items", None, "us-east-1", direction);
            (
                name,
                Arc::new(Series::new(1, 0, vec![2 * units; 2 * 86_400])),
            )
        });
    let simulations = Simulations::traced(BTreeMap::from(series));
    let metering = Metering::with(simulations, &workload, &books).expect("metered");
    headroom(
        &metering,
        &books,
        &HottestKeys::new(),
        &HeadroomQuestion::default(),
    )
    .expect("headroom")
}

#[test]
fn constant_traffic_of_a_trace_meets_its_limits() {
    use LimitKind as Kind;
    let warm = "capacity = { mode = \"on-demand\", warm_write = 30_000 }";
    let capped = "capacity = { mode = \"on-demand\", max_write = 150 }";
    let fixed = provisioned("150", "90");
    let rows = [
        ("", 100, 50, Part::Reads, Kind::InitialCapacity, 120.0),
        ("", 100, 50, Part::Writes, Kind::InitialCapacity, 80.0),
        ("", 100, 50, Part::Writes, Kind::TableQuota, 800.0),
        // More than a new table serves: twice its peak.
        ("", 100, 5_000, Part::Writes, Kind::Doubling, 2.0),
        (warm, 100, 5_000, Part::Writes, Kind::WarmThroughput, 6.0),
        (capped, 100, 50, Part::Writes, Kind::MaximumThroughput, 3.0),
        (&fixed, 100, 50, Part::Reads, Kind::ProvisionedUnits, 1.5),
    ];
    for (lines, reads, writes, wanted, kind, expected) in rows {
        let headroom = constant(lines, reads, writes);
        let found = factor(part(&headroom, None, wanted), kind);
        assert!(
            (found / expected - 1.0).abs() < 0.001,
            "{kind:?} of {lines}: {found}, not {expected}"
        );
    }
}

#[test]
fn an_index_throttles_its_table() {
    let text = table(&provisioned("250", "500"), 100.0, 40.0)
        + "[[table.index]]\nname = \"Small\"\nkind = \"global\"\npartition_key = \"k\"\nentry_size = \
           \"1 KB\"\nread = 10\nwrite = 60\n";
    let headroom = of(&text);
    let table = part(&headroom, None, Part::Writes);
    let first = table.first().expect("a limit");
    assert_eq!(
        (first.kind, first.index.as_deref()),
        (LimitKind::IndexBackPressure, Some("Small"))
    );
    assert!(
        (first.factor.to_f64() / 1.5 - 1.0).abs() < 0.001,
        "{first:?}"
    );
    assert_eq!(
        table.next().map(|limit| limit.kind),
        Some(LimitKind::ProvisionedUnits)
    );
    // The change is one of the index.
    let [change] = table.changes.as_slice() else {
        panic!("one change: {:?}", table.changes);
    };
    let line = text.lines().position(|line| line == "name = \"Small\"");
    assert_eq!(change.edits[0].line, line.expect("the index") + 1);
    assert!(change.edits[0].text.starts_with("write = "), "{change:?}");
    assert!(matches!(change.cost, ChangeCost::Monthly(delta) if delta > Money::ZERO));
}

#[test]
fn growth_says_the_month() {
    // 100 % a year, evenly over its months: 1.5 times after six months, in the seventh.
    let lines = format!("growth = 1.0\n{}", provisioned("150", "1000"));
    let reads = of(&table(&lines, 100.0, 1.0));
    let first = part(&reads, None, Part::Reads)
        .first()
        .expect("a limit")
        .clone();
    let wanted = if first.factor <= Exact::ratio(3, 2) {
        7
    } else {
        8
    };
    assert_eq!(first.month.number(), Some(wanted), "{first:?}");
    let none = of(&table(&provisioned("150", "1000"), 100.0, 1.0));
    let first = part(&none, None, Part::Reads).first().expect("a limit");
    assert!(matches!(&first.month, LimitMonth::Unknown(why) if why.contains("growth")));
    let demand = of(&table("growth = 1.0", 100.0, 1.0));
    let first = part(&demand, None, Part::Reads).first().expect("a limit");
    assert!(matches!(&first.month, LimitMonth::Never(_)), "{first:?}");
}

#[test]
fn what_is_not_known_is_unknown() {
    let unknown = of(&table(&provisioned("\"unknown\"", "50"), 100.0, 1.0));
    let reads = part(&unknown, None, Part::Reads);
    assert!(reads.is_upper_bound(), "{reads:?}");
    assert_eq!(reads.unknown[0].kind, LimitKind::ProvisionedUnits);
    let hidden = table("", 100.0, 1.0) + "[[table.consumed]]\nread = \"unknown\"\n";
    let reads_of_hidden = of(&hidden);
    let reads_of_hidden = part(&reads_of_hidden, None, Part::Reads);
    assert!(reads_of_hidden.is_upper_bound());
    assert_eq!(reads_of_hidden.busiest, None);
    let dax = "dax = { node_type = \"dax.t3.small\", nodes = 3, hit_ratio = 0.9 }";
    let cluster = of(&table(dax, 100.0, 1.0));
    assert_eq!(part(&cluster, None, Part::Dax).factor(), None);
    // A rule of AWS that the design breaks at any traffic is a warning.
    let crowded = of(&table(
        "stream = { readers = { polling = 2, lambda = 1 } }",
        1.0,
        1.0,
    ));
    assert!(crowded.warnings[0].contains("3 readers read each shard"));
    // What limits an index may limit its table.
    let index = table(&provisioned("250", "500"), 100.0, 40.0)
        + "[[table.index]]\nname = \"Dark\"\nkind = \"global\"\npartition_key = \"k\"\nentry_size = \"1 \
           KB\"\nread = 10\nwrite = \"unknown\"\n";
    assert!(part(&of(&index), None, Part::Writes).is_upper_bound());
    let event = "[[event]]\nname = \"e\"\nat = \"Tue 14:00\"\nfor = \"1 h\"\nfactor = 2\n";
    let hidden = of(&(hidden + event));
    assert_eq!(
        (hidden.events[0].holds, hidden.events[0].cost),
        (None, None)
    );
    let reads = &hidden.events[0].accounts[0];
    assert_eq!(reads.direction, Direction::Read);
    assert_eq!((&reads.busiest, &reads.happened), (&None, &None));
    // An event that the table holds is not known to hold if its index may throttle.
    let of_index = of(&(index + event)).events.remove(0);
    let table = of_index
        .accounts
        .iter()
        .find(|one| one.index.is_none() && one.direction == Direction::Write);
    assert_eq!(of_index.holds, None);
    assert_eq!(table.expect("the table").happened, None);
}

/// A full simulation of an account direction at a factor of its traffic.
fn holds(workload: &Workload, direction: Direction, factor: f64) -> bool {
    let books = Books::embedded();
    let metering = Metering::new(workload, &books).expect("metered");
    let (name, arrivals) = metering.arrivals(0, Target::Table, "us-east-1", direction);
    let series = metering.simulations().series(&name, &arrivals);
    let traffic = Traffic::drawn(series, &arrivals);
    let Capacity::Provisioned(units) = &workload.tables[0].capacity else {
        panic!("provisioned");
    };
    let policy = match &units[direction] {
        Units::Fixed(units) => Scaling::fixed(*units).policy(),
        Units::Scaled(scaling) => scaling.policy(),
        Units::Unknown => panic!("known"),
    };
    let demand = traffic.times(factor);
    let mut lanes = [AccountDirection::with(&demand, policy)];
    execute(&mut lanes, &Limits::default())[0].throttles_at_most(1_000)
}

fn capacity() -> impl Strategy<Value = String> {
    prop_oneof![
        (5_u64..2_000).prop_map(|units| units.to_string()),
        (5_u64..200, 1_u64..30, 2_u64..9).prop_map(|(min, times, target)| format!(
            "{{ min = {min}, max = {}, target = 0.{target} }}",
            min * times
        )),
    ]
}

fn traffic() -> impl Strategy<Value = String> {
    let profile = prop_oneof![
        Just("flat"),
        Just("daytime"),
        Just("office-hours"),
        Just("evening"),
    ];
    let shape = prop_oneof![Just("steps"), Just("smooth")];
    (1_u64..400, profile, shape, 1_u64..6).prop_map(|(rate, profile, shape, size)| {
        format!(
            "operation = \"PutItem\"\nrate = {{ per_second = {rate} }}\nprofile = \
             \"{profile}\"\nprofile_shape = \"{shape}\"\nitem.size = \"{size} KB\"\n"
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn a_full_simulation_holds_below_the_factor_and_not_above(
        write in capacity(),
        calls in traffic(),
    ) {
        let text = table(&provisioned("10", &write), 1.0, 0.5)
            + "[[table.access]]\nname = \"other\"\n" + &calls;
        let found = of(&text);
        let writes = part(&found, None, Part::Writes);
        let first = writes.first().expect("a limit");
        // Quotas and keys are not part of the simulation.
        prop_assume!(first.kind != LimitKind::TableQuota);
        let factor = first.factor.to_f64();
        let workload = workload(&text);
        if factor > 0.0 {
            prop_assert!(holds(&workload, Direction::Write, factor * 0.99), "{first:?}\n{text}");
        }
        prop_assert!(!holds(&workload, Direction::Write, factor * 1.01), "{first:?}\n{text}");
    }

    #[test]
    fn more_capacity_never_lowers_a_factor_and_more_skew_never_raises_it(
        units in 5_u64..2_000,
        more in 1_u64..500,
        calls in traffic(),
        zipf in 0_u64..150,
    ) {
        let text = |units: u64, zipf: u64| {
            let lines = format!(
                "{}\npopularity = {{ zipf = {}.{:02}, keys = 2_000 }}",
                provisioned("10", &units.to_string()), zipf / 100, zipf % 100
            );
            table(&lines, 1.0, 0.5) + "[[table.access]]\nname = \"other\"\n" + &calls
        };
        let first = |units, zipf| {
            let found = of(&text(units, zipf));
            part(&found, None, Part::Writes).factor().cloned().expect("a limit")
        };
        let base = first(units, zipf);
        prop_assert!(first(units + more, zipf) >= base);
        prop_assert!(first(units, zipf + more / 10) <= base);
    }
}

fn event(lines: &str) -> String {
    format!("[[event]]\nname = \"launch\"\nat = \"Tue 14:00\"\nfor = \"2 hours\"\n{lines}\n")
}

#[test]
fn an_event_throttles_what_the_capacity_does_not_cover() {
    let base = table(&provisioned("250", "1000"), 100.0, 40.0);
    let of_factor = |factor: u64| {
        of(&(base.clone() + &event(&format!("factor = {factor}\naccess = [\"read\"]"))))
    };
    let usual = of_factor(1);
    assert_eq!(
        (usual.events[0].holds, usual.events[0].cost),
        (Some(true), Some(Money::ZERO))
    );
    let twice = of_factor(2);
    assert_eq!(twice.events[0].holds, Some(true));
    let four = of_factor(4);
    let launch = &four.events[0];
    assert_eq!((launch.holds, launch.accounts.len()), (Some(false), 1));
    let reads = &launch.accounts[0];
    let happened = reads.happened.as_ref().expect("known");
    assert_eq!(
        (reads.busiest.clone(), reads.direction),
        (Some(Exact::from(400)), Direction::Read)
    );
    // 400 units a second for 7,200 seconds; 250 are served, and 75,000 that were saved.
    let expected = (150.0 * 7_200.0 - 75_000.0) / (400.0 * 7_200.0);
    assert!(
        (happened.throttled.to_f64() / expected - 1.0).abs() < 0.01,
        "{:?}",
        happened.throttled
    );
    assert_eq!(reads.callers[0].access, "read");
    // 75,000 saved units at 150 a second last for 500 seconds.
    assert_eq!(
        (happened.first_minute, happened.last_minute),
        (Some(8), Some(119))
    );
    assert_eq!(launch.cost, Some(Money::ZERO));
    // The schedule costs two hours of what is missing; it is cheaper than the month, and comes first.
    let ways: Vec<&ChangeCost> = launch
        .readiness
        .iter()
        .map(|one| &one.change.cost)
        .collect();
    assert!(matches!(ways[0], ChangeCost::Once(_)), "{ways:?}");
    assert!(
        ways.iter()
            .any(|cost| matches!(cost, ChangeCost::Monthly(_)))
    );
    let scheduled = launch
        .readiness
        .iter()
        .find(|one| one.change.what.starts_with("schedule"));
    let down = scheduled.expect("a schedule").down.as_deref();
    assert_eq!(down, Some("Tue 16:00"));
}

#[test]
fn an_event_on_demand_costs_its_requests() {
    let text = table("", 100.0, 40.0) + &event("rates = { write = { per_second = 140 } }");
    let found = of(&text);
    let launch = &found.events[0];
    assert_eq!(launch.holds, Some(true));
    // A hundred more writes a second for two hours, at $0.625 a million.
    let expected = 100.0 * 7_200.0 * 0.625 / 1e6;
    let cost: f64 = launch
        .cost
        .expect("a cost")
        .to_string()
        .parse()
        .expect("a number");
    assert!(
        (cost / expected - 1.0).abs() < 0.01,
        "{cost}, not {expected}"
    );
    // Half of the traffic saves as much as it avoids.
    let less = of(&(table("", 100.0, 40.0) + &event("factor = 0.5")));
    assert!(less.events[0].cost.expect("a cost") < Money::ZERO);
    // Far beyond what the table serves: warm throughput, whose price is not known.
    let far = of(&(table("", 100.0, 40.0) + &event("factor = 300")));
    assert_eq!(far.events[0].holds, Some(false));
    let far = &far.events[0].readiness;
    assert!(
        far.iter()
            .any(|one| matches!(one.change.cost, ChangeCost::Unknown(_))),
        "{far:?}"
    );
}

#[test]
fn an_index_that_throttles_fails_the_event_of_its_table() {
    let text = table(&provisioned("250", "500"), 100.0, 40.0)
        + "[[table.index]]\nname = \"Small\"\nkind = \"global\"\npartition_key = \"k\"\nentry_size = \
           \"1 KB\"\nread = 10\nwrite = 60\n"
        + &event("factor = 4\naccess = [\"write\"]");
    let found = of(&text);
    let [table, index] = found.events[0].accounts.as_slice() else {
        panic!("two: {:?}", found.events[0].accounts);
    };
    let of_table = table.happened.as_ref().expect("known");
    let of_index = index.happened.as_ref().expect("known");
    assert_eq!((of_table.holds, of_index.holds), (false, false));
    assert_eq!(of_table.by_index.as_deref(), Some("Small"));
    assert_eq!(of_table.throttled, of_index.throttled);
    // Only the index needs more.
    for ready in &found.events[0].readiness {
        assert!(!ready.change.what.contains("Items in"), "{ready:?}");
    }
}

#[test]
fn no_capacity_helps_the_hottest_key() {
    let text = table(
        &(provisioned("250", "30_000") + "\npopularity = { zipf = 1.0, keys = 1_000 }"),
        100.0,
        2_000.0,
    ) + &event("factor = 6\naccess = [\"write\"]");
    let launch = of(&text).events.remove(0);
    assert_eq!(launch.holds, Some(false));
    let happened = launch.accounts[0].happened.as_ref().expect("known");
    assert!(happened.by_hottest_key > Exact::ratio(99, 100));
    let ways: Vec<&str> = launch
        .readiness
        .iter()
        .map(|one| one.change.what.as_str())
        .collect();
    assert!(
        matches!(ways.as_slice(), [only] if only.contains("hottest key")),
        "{ways:?}"
    );
}

#[test]
fn what_makes_ready_makes_ready() {
    let books = Books::embedded();
    let capacity = provisioned(
        "{ min = 50, max = 150, target = 0.7 }",
        "{ min = 20, max = 90, target = 0.7 }",
    );
    let base = table(&capacity, 60.0, 20.0) + &event("factor = 5");
    let launch = of(&base).events.remove(0);
    assert_eq!(launch.holds, Some(false));
    let with = |text: &str| match text.starts_with("mode") {
        true => base.replace(&capacity, &format!("capacity = {{ {text} }}")),
        false => base.replace(
            &capacity,
            &capacity.replace("target = 0.7 } }", &format!("target = 0.7 }}, {text} }}")),
        ),
    };
    let total = |text: &str| {
        Metering::new(&workload(text), &books)
            .expect("metered")
            .total()
            .expect("a total")
            .0
    };
    let mut kinds = Vec::new();
    for ready in &launch.readiness {
        // What keeps the capacity all month has an edit for each direction.
        let [edit] = ready.change.edits.as_slice() else {
            continue;
        };
        let line = base.lines().nth(edit.line - 1).expect("a line");
        assert_eq!(line, capacity, "{edit:?}");
        let after = with(&edit.text);
        assert_eq!(of(&after).events[0].holds, Some(true), "{ready:?}");
        let kind = edit.text.split(' ').next().unwrap_or_default();
        if let (&ChangeCost::Once(once), "schedule") = (&ready.change.cost, kind) {
            // The file's schedule is weekly: a month has 730 / 168 weeks.
            let more = total(&after).minus(total(&base)).expect("a difference");
            let monthly = Exact::from(once.decimal()) * Exact::ratio(730, 168);
            let ratio = Exact::from(more.decimal()).to_f64() / monthly.to_f64();
            assert!((ratio - 1.0).abs() < 0.2, "{more} a month, {once} once");
        }
        kinds.push(kind);
    }
    kinds.sort_unstable();
    assert_eq!(kinds, ["mode", "schedule"], "{:?}", launch.readiness);
}

#[test]
fn a_ramp_is_less_than_a_jump() {
    let base = table(
        &provisioned("{ min = 50, max = 2_000, target = 0.7 }", "1000"),
        100.0,
        40.0,
    );
    let throttled = |lines: &str| {
        let found = of(&(base.clone() + &event(lines)));
        let happened = found.events[0].accounts[0].happened.clone();
        happened.expect("known").throttled
    };
    assert!(
        throttled("factor = 8\nramp = \"90 minutes\"\naccess = [\"read\"]")
            < throttled("factor = 8\naccess = [\"read\"]")
    );
}

#[test]
fn repeated_requests_are_conserved_and_make_a_storm() {
    let mut halves = vec![100; 3_600];
    halves[600..900].fill(1_000);
    let series = Series::new(1, 0, halves);
    let run = |retries: Option<Retries>| {
        let mut lane = AccountDirection::new(&series, policy::Fixed { units: 60 });
        lane.retries = retries;
        lane.watched = 0..60;
        dynameter::capacity::execute_cold(&mut [lane], &Limits::default()).remove(0)
    };
    let once = run(None);
    assert_eq!(once.demanded, once.consumed + once.throttled);
    assert_eq!((once.returned, once.given_up), (0, once.throttled));
    for (attempts, jitter) in [(2, true), (3, false), (8, true)] {
        let retries = Retries {
            attempts,
            base_ms: 1_000,
            jitter,
        };
        let again = run(Some(retries));
        // Everything has come back long before the end.
        assert_eq!(again.demanded, again.consumed + again.given_up);
        assert_eq!(again.throttled, again.returned + again.given_up);
        assert!(
            again.throttled > once.throttled,
            "repeated requests are throttled again"
        );
        assert!(again.given_up < once.throttled, "some of them are served");
        let of_steps: u64 = again.steps.iter().map(|step| step.returned).sum();
        assert_eq!(u128::from(of_steps), again.returned);
    }
}

/// A global table in three regions.
fn global(lines: &str) -> String {
    table(lines, 100.0, 10.0)
        + "[[table.replica]]\nregion = \"us-west-2\"\nreads = 0.5\n[[table.replica]]\nregion = \
           \"eu-west-1\"\nreads = 0.2\n"
}

fn without(text: &str, region: &str) -> Headroom {
    asked(
        text,
        &HeadroomQuestion {
            without_region: Some(region.to_string()),
            ..HeadroomQuestion::default()
        },
    )
}

#[test]
fn the_users_of_a_lost_region_go_elsewhere() {
    let evenly = without(&global(""), "us-east-1").lost.expect("a region");
    let after: Vec<(String, String)> = evenly
        .accounts
        .iter()
        .map(|one| (one.region.clone(), one.after.human(0)))
        .collect();
    assert_eq!(
        after,
        [
            ("us-west-2".to_string(), "100".to_string()),
            ("eu-west-1".to_string(), "70".to_string())
        ]
    );
    assert_eq!(evenly.holds, Some(true));
    let failover = without(&global("failover = \"eu-west-1\""), "us-east-1")
        .lost
        .expect("a region");
    assert_eq!(failover.accounts.len(), 1);
    assert_eq!(failover.accounts[0].after.human(0), "120");
    // A hundred more reads a second on demand, at the price of Ireland.
    let cost = failover.cost.expect("a cost");
    let hour: f64 = cost.hour.to_string().parse().expect("a number");
    assert!(
        (hour / (100.0 * 3_600.0 * 0.1415 / 1e6) - 1.0).abs() < 0.02,
        "{hour}"
    );
    let small = global(&provisioned("{ min = 10, max = 30, target = 0.7 }", "100"));
    let short = without(&small, "us-east-1").lost.expect("a region");
    assert_eq!(short.holds, Some(false));
    let west = &short.accounts[0];
    let happened = west.happened.as_ref().expect("known");
    assert!(!happened.holds);
    assert_eq!(happened.until, ThrottledUntil::Longer);
    assert!(happened.throttled > Exact::ratio(1, 2));
    let change = west.change.as_ref().expect("a change");
    let line = small.lines().position(|line| line.contains("us-west-2"));
    assert_eq!(change.edits[0].line, line.expect("the replica") + 1);
    // A replica without users of its own gets them.
    let idle = table(&provisioned("60", "20"), 50.0, 10.0)
        + "[[table.replica]]\nregion = \"us-west-2\"\nread = 5\n";
    let idle = without(&idle, "us-east-1").lost.expect("a region");
    assert_eq!((idle.holds, idle.accounts.len()), (Some(false), 1));
    assert_eq!(idle.accounts[0].after.human(0), "50");
    // The cluster is lost with its region: ten times as many reads come as it passed on.
    let cached = table(
        "dax = { node_type = \"dax.r5.large\", nodes = 3, hit_ratio = 0.9 }",
        100.0,
        1.0,
    )
    .replace("consistency = \"strong\"\n", "")
        + "[[table.replica]]\nregion = \"us-west-2\"\n";
    let cached = without(&cached, "us-east-1").lost.expect("a region");
    assert_eq!(cached.accounts[0].after.human(0), "50");
    // A table without another replica is down.
    let alone = without(&table("", 10.0, 1.0), "us-east-1")
        .lost
        .expect("a region");
    assert_eq!(
        (alone.holds, alone.tables[0].state),
        (Some(false), LostTableState::Down)
    );
}

#[test]
fn consistency_decides_what_is_lost() {
    let eventual = without(&global(""), "us-west-2").lost.expect("a region");
    assert!(eventual.tables[0].words.contains("MREC"));
    let strong = table("multi_region_consistency = \"strong\"", 100.0, 10.0)
        + "[[table.replica]]\nregion = \"us-west-2\"\nreads = 1\n[[table.replica]]\nregion = \
           \"us-east-2\"\nwitness = true\n";
    let lost = without(&strong, "us-west-2").lost.expect("a region");
    assert!(lost.tables[0].words.contains("MRSC"));
    assert_eq!(
        lost.tables[0].served_by,
        [("us-east-1".to_string(), Exact::one())]
    );
    let witness = without(&strong, "us-east-2").lost.expect("a region");
    assert_eq!(witness.tables[0].state, LostTableState::Witness);
    assert!(witness.tables[0].words.contains("witness"));
    assert_eq!((witness.accounts.len(), witness.holds), (0, Some(true)));
    let books = Books::embedded();
    let metering = Metering::new(&workload(&strong), &books).expect("metered");
    let question = HeadroomQuestion {
        without_region: Some("mars-1".to_string()),
        ..HeadroomQuestion::default()
    };
    let error = headroom(&metering, &books, &HottestKeys::new(), &question).expect_err("an error");
    assert!(
        error
            .to_string()
            .contains("us-east-1, us-east-2, us-west-2"),
        "{error}"
    );
}

#[test]
fn events_with_errors_say_what_is_allowed() {
    let base = table("", 10.0, 1.0);
    let two = |first: &str, second: &str| {
        format!(
            "[[event]]\nname = \"a\"\nat = \"{first}\"\nfor = \"2 hours\"\nfactor = 2\n[[event]]\nname \
             = \"b\"\nat = \"{second}\"\nfor = \"2 hours\"\nfactor = 2\n"
        )
    };
    let rows = [
        (event("factor = -1"), "must not be negative"),
        (
            event("factor = 2\nrates = { read = { per_second = 1 } }"),
            "either `factor` or `rates`",
        ),
        (event(""), "either `factor` or `rates`"),
        (
            event("factor = 2\naccess = [\"reed\"]"),
            "did you mean \"read\"?",
        ),
        (
            table("", 10.0, 1.0)
                .split_once("[[table]]")
                .map(|(_, table)| format!("[[table]]{}", table.replace("\"Items\"", "\"Others\"")))
                .expect("a table")
                + &event("rates = { read = { per_second = 5 } }"),
            "2 tables have an access pattern",
        ),
        (
            event("factor = 2\naccess = []"),
            "an event of no access pattern",
        ),
        (
            event("factor = 2\nramp = \"3 hours\""),
            "a ramp lasts from 1 to 120",
        ),
        (
            event("factor = 2").replace("2 hours", "8 days"),
            "from 1 to 10,080",
        ),
        (
            event("factor = 2").replace("Tue 14:00", "Tue 24:30"),
            "not a time of the simulated week",
        ),
        (
            event("factor = 2").replace("Tue 14:00", "2026-02-30 14:00"),
            "not a time",
        ),
        (two("Mon 10:00", "Mon 11:59"), "overlaps \"a\""),
        (two("Sun 23:00", "Mon 00:30"), "overlaps \"a\""),
        ("[retries]\nattempts = 0\n".to_string(), "from 1 to 20"),
        ("[retries]\nbase = \"2 days\"\n".to_string(), "not a wait"),
    ];
    let books = Books::embedded();
    for (lines, wanted) in rows {
        let text = base.clone() + &lines;
        let error =
            load("test.toml", &text, Path::new("."), &Setting::new(&books)).expect_err(&text);
        assert!(error.to_string().contains(wanted), "{wanted}\n{error}");
    }
    // One after the other is no overlap.
    let text = base + &two("Mon 10:00", "Mon 12:00");
    assert_eq!(workload(&text).events.len(), 2);
}

#[test]
fn the_shipped_examples_are_read_by_eye() {
    let mut wrong = Vec::new();
    for (name, more) in [
        ("launch", ""),
        ("lost-region", " --without-region us-east-1"),
        ("growth", ""),
    ] {
        for (kind, format) in [
            ("text", ""),
            ("json", " --format json"),
            ("md", " --format markdown"),
            ("csv", " --format csv"),
        ] {
            let command = format!("headroom workloads/{name}.toml{more}{format}");
            let arguments: Vec<&str> = command.split(' ').collect();
            let (code, stdout, stderr) = support::run_in(support::root(), &arguments);
            assert_eq!((code, stderr.as_str()), (0, ""), "{command}");
            let file = format!("tests/golden/{name}.headroom.{kind}");
            wrong.extend(support::golden(&support::root().join(file), &stdout));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_check_has_limits_of_capacity() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(
        at("w.toml"),
        table(&provisioned("150", "90"), 100.0, 40.0) + &event("factor = 4"),
    )
    .expect("written");
    let checked = |budget: &str| {
        std::fs::write(at("b.toml"), budget).expect("written");
        support::run_in(folder.path(), &["check", "w.toml", "--budget", "b.toml"])
    };
    let rows = [
        ("[[limit]]\nheadroom = 1.3\n", 0, "1.5x"),
        (
            "[[limit]]\nheadroom = { warn = 2.0, fail = 1.3 }\n",
            0,
            "warn",
        ),
        (
            "[[limit]]\nheadroom = { warn = 2.0, fail = 1.6 }\n",
            1,
            "150 RCU are provisioned",
        ),
        (
            "[[limit]]\ntable = \"Items\"\nheadroom = 3\n",
            1,
            "below 3x",
        ),
        ("[[limit]]\nevents = \"hold\"\n", 1, "Items reads throttle"),
        (
            "[[limit]]\nheadroom = { warn = 1.0, fail = 2.0 }\n",
            2,
            "make `warn` the larger",
        ),
        ("[[limit]]\nevents = \"maybe\"\n", 2, "hold"),
        (
            "[[limit]]\naccess = \"read\"\nheadroom = 2\n",
            2,
            "applies to a table or an index",
        ),
    ];
    for (budget, code, words) in rows {
        let (found, stdout, stderr) = checked(budget);
        assert_eq!(found, code, "{budget}\n{stdout}{stderr}");
        assert!((stdout + &stderr).contains(words), "{budget}: {words}");
    }
    std::fs::write(
        at("w.toml"),
        table(&provisioned("\"unknown\"", "90"), 100.0, 40.0),
    )
    .expect("written");
    assert_eq!(
        checked("[[limit]]\nheadroom = 1.3\n").0,
        2,
        "the reads are not known"
    );
    assert_eq!(
        checked("[[limit]]\nheadroom = 9\n").0,
        1,
        "the writes decide"
    );
}
