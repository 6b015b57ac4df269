//! Every published case, and one case for each rule that is easy to get wrong, through one
//! assertion path.

use crate::support;

use dynameter::money::Money;
use dynameter::outcome::Outcome;
use dynameter::pricing::{Books, LineItem};
use dynameter::report::{Explanation, LineFilter, Present, Style};
use dynameter::units::Exact;
use dynameter::usage::{Throughput, UsageType};
use rust_decimal::Decimal;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    what: String,
    workload: String,
    #[serde(default)]
    alike: Vec<String>,
    says: Vec<(String, String)>,
}

#[test]
fn every_published_case_has_the_right_answer() {
    all_say(include_str!("../data/worked-examples.toml"), 60);
}

#[test]
fn rules_that_are_easily_got_wrong_are_right() {
    all_say(include_str!("../data/rules.toml"), 12);
}

fn all_say(cases: &str, least: usize) {
    let cases: Cases = toml::from_str(cases).expect("the cases");
    let mut wrong = Vec::new();
    for case in &cases.case {
        let text = match case.workload.strip_prefix('@') {
            Some(name) => {
                std::fs::read_to_string(support::root().join(format!("workloads/{name}.toml")))
                    .expect(name)
            }
            None => case.workload.clone(),
        };
        let outcome = support::estimated_with(&case.id, &text, &books(&case.alike));
        for (measure, expected) in &case.says {
            let found = say(&outcome, measure, expected);
            if found != *expected {
                wrong.push(format!(
                    "{} ({}): {measure} is {found}, expected {expected}",
                    case.id, case.what
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.case.len() >= least, "cases are missing");
}

/// The books, with some regions priced like us-east-1.
fn books(alike: &[String]) -> Books {
    if alike.is_empty() {
        return Books::embedded();
    }
    let folder = tempfile::tempdir().expect("a folder");
    let text =
        std::fs::read_to_string(support::root().join("pricing/us-east-1.toml")).expect("the book");
    for region in alike.iter().map(String::as_str).chain(["us-east-1"]) {
        let text = text.replace("region = \"us-east-1\"", &format!("region = {region:?}"));
        std::fs::write(folder.path().join(format!("{region}.toml")), text).expect("written");
    }
    let books = Books::from_folder(folder.path()).expect("books");
    // Books are loaded on first use, so load all of them before the folder is deleted.
    books
        .regions()
        .for_each(|region| assert!(books.book(region, None).is_ok()));
    books
}

/// A figure of an outcome, with as many decimals as the expected one; for text, the expected words
/// if the output contains them.
fn say(outcome: &Outcome, measure: &str, expected: &str) -> String {
    let places = u32::try_from(
        expected
            .split_once('.')
            .map_or(0, |(_, decimals)| decimals.len()),
    )
    .expect("few decimals");
    let shown = |decimal: Decimal| format!("{:.*}", places as usize, decimal.round_dp(places));
    let money = |lines: &dyn Fn(&&LineItem) -> bool| {
        shown(
            Money::sum(
                outcome
                    .bill
                    .lines
                    .iter()
                    .filter(lines)
                    .map(|line| line.amount),
            )
            .expect("fits")
            .decimal(),
        )
    };
    let words = |text: String| {
        if text.contains(expected) {
            expected.to_string()
        } else {
            format!("not found in:\n{text}")
        }
    };
    match measure.split_once(':') {
        Some(("usd", usage)) => money(&|line| matches(line, usage)),
        Some(("quantity", usage)) => {
            let lines = || {
                outcome
                    .bill
                    .lines
                    .iter()
                    .filter(|line| matches(line, usage))
            };
            // The quantity of the table without its indexes, unless the sum with indexes is the
            // expected one.
            let own: Decimal = lines()
                .filter(|line| line.subject.index.is_none())
                .map(|line| line.quantity)
                .sum();
            let all: Decimal = lines().map(|line| line.quantity).sum();
            if shown(all) == expected {
                shown(all)
            } else {
                shown(own)
            }
        }
        _ => match measure {
            "total" => shown(outcome.total().expect("fits").decimal()),
            "throughput" => money(&|line| {
                line.usage_type.unit().contains("CU") || line.usage_type.unit().contains("RU")
            }),
            "reads_per_second" => shown(rate(outcome, true)),
            "writes_per_second" => shown(rate(outcome, false)),
            "explain" => words(
                Explanation {
                    outcomes: std::slice::from_ref(outcome),
                    filter: &LineFilter::default(),
                }
                .text(Style::default())
                .expect("fits"),
            ),
            "estimate" => words(outcome.text(Style::default()).expect("fits")),
            other => panic!("unknown measure {other}"),
        },
    }
}

/// Matches `USAGE`, `USAGE/INDEX`, or `S3 USAGE` for usage types that have the same name as one of
/// DynamoDB's.
fn matches(line: &&LineItem, usage: &str) -> bool {
    let (usage, s3) = usage
        .strip_prefix("S3 ")
        .map_or((usage, false), |usage| (usage, true));
    let service = if s3 {
        line.usage_type.service() == "AmazonS3"
    } else {
        !(usage == "TimedStorage-ByteHrs" && line.usage_type.service() == "AmazonS3")
    };
    let (name, index) = usage
        .split_once('/')
        .map_or((usage, None), |(name, index)| (name, Some(index)));
    service
        && line.usage_type.name() == UsageType::name_on_a_bill(name)
        && (index.is_none() || line.subject.index.as_deref() == index)
}

fn rate(outcome: &Outcome, read: bool) -> Decimal {
    let of_direction = outcome
        .demand
        .iter()
        .filter(|demand| (demand.throughput == Throughput::Read) == read);
    of_direction
        .map(|demand| demand.mean.clone())
        .sum::<Exact>()
        .to_decimal(12)
        .expect("fits")
}
