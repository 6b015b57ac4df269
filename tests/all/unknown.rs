//! An unknown figure is a line that says so, never zero; units counted by AWS cost the same as
//! their calls.

use crate::support::estimated;
use dynameter::outcome::Outcome;

/// A table with the given lines for its items, and more lines after them.
fn table(item: &str, more: &str) -> Outcome {
    let text = format!(
        "name = \"Unknown\"\nregion = \"us-east-1\"\nprices = \"2024-11-01\"\n[[table]]\nname = \
         \"Orders\"\npartition_key = {{ name = \"Id\" }}\n{item}\n{more}"
    );
    estimated("unknown.toml", &text)
}

/// A table of 1,000 items of 1 KB.
fn known(more: &str) -> Outcome {
    table("items = 1000\nitem.size = \"1 KB\"", more)
}

fn total(outcome: &Outcome) -> String {
    outcome.total().expect("a total").to_string()
}

fn whats(outcome: &Outcome) -> Vec<String> {
    outcome
        .bill
        .unknown
        .iter()
        .map(|unknown| unknown.what.clone())
        .collect()
}

#[test]
fn each_unknown_figure_is_a_line_with_its_rate() {
    let plain = known("");
    for (item, more, words) in [
        (
            "items = \"unknown\"\nitem.size = \"1 KB\"",
            "",
            "the storage of its items",
        ),
        (
            "items = 1000\nitem = \"unknown\"",
            "",
            "the storage of its items",
        ),
        (
            "items = 1000\nitem.size = \"1 KB\"",
            "[[table.consumed]]\nread = \"unknown\"\n",
            "the read units of \"consumed reads\"",
        ),
        (
            "items = 1000\nitem.size = \"1 KB\"",
            "[[table.consumed]]\nwrite = \"unknown\"\n",
            "the write units of \"consumed writes\"",
        ),
        (
            "items = 1000\nitem.size = \"1 KB\"",
            "[[table.access]]\nname = \"get\"\noperation = \"GetItem\"\nrate = \"unknown\"\n",
            "the read units of \"get\"",
        ),
        (
            "items = 1000\nitem.size = \"1 KB\"",
            "[table.stream]\nreaders = \"unknown\"\n",
            "the reads of its stream",
        ),
        (
            "items = 1000\nitem.size = \"1 KB\"\nunpriced = [\"a vector index\"]",
            "",
            "a vector index",
        ),
        (
            "items = 1000\nitem.size = \"1 KB\"",
            "[[table.consumed]]\nwrite = { per_second = 1 }\n[[table.replica]]\nregion = \
             \"us-west-2\"\nreads = 0\n",
            "the transfer of its writes to us-west-2",
        ),
        (
            "items = 1000\nitem.size = \"1 KB\"",
            "[[table.replica]]\nregion = \"us-west-2\"\nreads = \"unknown\"\n",
            "the read units of \"reads in us-west-2\"",
        ),
        (
            "items = 1000\nitem.size = \"1 KB\"",
            "[table.ttl]\ndeletes = \"unknown\"\n[[table.replica]]\nregion = \"us-west-2\"\n",
            "the replicated write units of Time to Live deletes",
        ),
        (
            "items = 1000\nitem.size = \"1 KB\"",
            "[table.capacity]\nmode = \"provisioned\"\nread = \"unknown\"\nwrite = 5\n",
            "the provisioned read units",
        ),
        (
            "items = 1000\nitem.size = \"1 KB\"",
            "[table.capacity]\nmode = \"provisioned\"\nread = 5\nwrite = { min = 5, max = 50, \
             target = \"unknown\" }\n",
            "write units that auto scaling adds",
        ),
        (
            "items = 1000\nitem.size = \"1 KB\"",
            "[table.capacity]\nmode = \"provisioned\"\nread = { min = 5, max = 50, target = 0.7 \
             }\nwrite = 5\n[[table.consumed]]\nread = \"unknown\"\n",
            "read units that auto scaling adds for unknown demand",
        ),
    ] {
        let outcome = table(item, more);
        assert!(
            whats(&outcome).iter().any(|what| what == words),
            "{item}\n{more}\n{:?}",
            whats(&outcome)
        );
        let rated = outcome
            .bill
            .unknown
            .iter()
            .find(|unknown| unknown.what == words)
            .expect("a line");
        assert_eq!(rated.rate.is_none(), words == "a vector index", "{words}");
    }
    assert!(plain.bill.unknown.is_empty());
    // Deletes by Time to Live are free if they are not replicated.
    assert!(
        known("[table.ttl]\ndeletes = \"unknown\"\n")
            .bill
            .unknown
            .is_empty()
    );
}

#[test]
fn a_size_of_its_own_makes_an_access_pattern_known() {
    let access =
        "[[table.access]]\nname = \"get\"\noperation = \"GetItem\"\nrate = { per_second = 10 }\n";
    let unsized_ = table("items = 1000\nitem = \"unknown\"", access);
    assert!(
        whats(&unsized_)
            .iter()
            .any(|what| what == "the read units of \"get\", 26,280,000 calls a month"),
        "{:?}",
        whats(&unsized_)
    );
    let own = table(
        "items = 1000\nitem = \"unknown\"",
        &format!("{access}item.size = \"1 KB\"\n"),
    );
    assert_eq!(whats(&own), ["the storage of its items"]);
    assert_eq!(own.bill.lines.len(), 1);
}

#[test]
fn units_that_aws_counted_cost_what_their_calls_cost() {
    let index = "[[table.index]]\nname = \"ByX\"\nkind = \"global\"\npartition_key = \
                 \"X\"\nentry_size = \"1 KB\"\n";
    for capacity in [
        "",
        "capacity = { mode = \"provisioned\", read = { min = 5, max = 500, target = 0.7 }, write \
         = 40 }\n",
    ] {
        let (own, index) = match capacity.is_empty() {
            true => ("", index.to_string()),
            false => (capacity, format!("{index}read = 5\nwrite = 40\n")),
        };
        let item = format!("items = 1000\nitem.size = \"1 KB\"\n{own}");
        let calls = "[[table.access]]\nname = \"get\"\noperation = \"GetItem\"\nconsistency = \
                     \"strong\"\nrate = { per_second = 20 }\nprofile = \
                     \"office-hours\"\n[[table.access]]\nname = \"put\"\noperation = \
                     \"PutItem\"\nrate = { per_second = 8 }\n";
        let units = "[[table.consumed]]\nname = \"get\"\nread = { per_second = 20 }\nprofile = \
                     \"office-hours\"\n[[table.consumed]]\nname = \"put\"\nwrite = { per_second = \
                     8 }\n[[table.consumed]]\nindex = \"ByX\"\nread = { per_month = 0 }\nwrite = \
                     { per_second = 8 }\n";
        let (by_calls, by_units) = (
            table(&item, &format!("{index}{calls}")),
            table(&item, &format!("{index}{units}")),
        );
        assert_eq!(total(&by_calls), total(&by_units), "{capacity}");
        assert!(by_units.bill.unknown.is_empty());
    }
}

#[test]
fn bytes_that_aws_counted_are_stored_as_they_are() {
    let by_size = known("");
    let by_bytes = table("items = 1000\nstored = \"1000 KB\"\nitem = \"unknown\"", "");
    assert_eq!(total(&by_size), total(&by_bytes));
    let without_number = table(
        "items = \"unknown\"\nstored = \"230 GB\"\nitem = \"unknown\"",
        "",
    );
    assert_eq!(total(&without_number), "57.5");
    assert_eq!(
        whats(&without_number),
        ["the 100 bytes that storage adds to each item"]
    );
}

#[test]
fn replicas_have_capacity_and_limits_of_their_own() {
    let provisioned = |replica: &str| {
        known(&format!(
            "[table.capacity]\nmode = \"provisioned\"\nread = 10\nwrite = \
             5\n[[table.index]]\nname = \"ByX\"\nkind = \"global\"\npartition_key = \
             \"X\"\nprojection = \"keys-only\"\nentry_size = \"100 B\"\nread = 7\nwrite = \
             5\n[[table.replica]]\nregion = \"us-west-2\"\n{replica}"
        ))
    };
    let units = |outcome: &Outcome| -> Vec<(Option<String>, String)> {
        let reads = outcome.demand.iter().filter(|demand| {
            demand.region == "us-west-2" && demand.throughput == dynameter::usage::Throughput::Read
        });
        let said = |demand: &dynameter::capacity::Demand| {
            let units = demand
                .provisioned
                .as_ref()
                .map(|units| format!("{} to {}", units.low, units.high));
            (demand.index.clone(), units.unwrap_or_default())
        };
        reads.map(said).collect()
    };
    let index = || Some("ByX".to_string());
    assert_eq!(
        units(&provisioned("")),
        [
            (None, "10 to 10".to_string()),
            (index(), "7 to 7".to_string())
        ]
    );
    let own = provisioned(
        "read = 30\n[[table.replica.index]]\nname = \"ByX\"\nread = { min = 3, max = 9, target = \
         0.5 }\n",
    );
    assert_eq!(
        units(&own),
        [
            (None, "30 to 30".to_string()),
            (index(), "3 to 3".to_string())
        ]
    );
    // The maximum of an index refuses demand above it, and a replica's own maximum overrides the
    // table's.
    let refused = |replica: &str| {
        let text = format!(
            "[[table.index]]\nname = \"ByX\"\nkind = \"global\"\npartition_key = \
             \"X\"\nprojection = \"keys-only\"\nentry_size = \"100 B\"\nmax_read = \
             10\n[[table.consumed]]\nindex = \"ByX\"\nread = {{ per_second = 40 \
             }}\n[[table.replica]]\nregion = \"us-west-2\"\nreads = 1\n{replica}"
        );
        let outcome = known(&text);
        let of = |region: &str| {
            let demand = outcome
                .demand
                .iter()
                .find(|one| one.region == region && one.index.is_some() && one.refused.is_some());
            demand
                .and_then(|demand| demand.refused.as_ref())
                .map(|share| share.human(2))
        };
        (of("us-east-1"), of("us-west-2"))
    };
    assert_eq!(
        refused(""),
        (Some("0.75".to_string()), Some("0.75".to_string()))
    );
    assert_eq!(
        refused("[[table.replica.index]]\nname = \"ByX\"\nmax_read = 30\n"),
        (Some("0.75".to_string()), Some("0.25".to_string()))
    );
}
