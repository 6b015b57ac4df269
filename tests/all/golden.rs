//! Golden files: command, standard output, standard error, exit code. `DYNAMETER_BLESS=1` rewrites
//! them. Every output with lines is verified: quantity × rate = amount, and the sum of the lines is
//! the total.

use crate::support;

use assert_cmd::Command;
use rust_decimal::Decimal;
use serde_json::Value;

/// Runs the binary in the package's folder; returns its output in the format of a golden file.
fn run(arguments: &str) -> (String, String) {
    let output = Command::cargo_bin("dynameter")
        .expect("the binary")
        .current_dir(support::root())
        .args(arguments.split(' '))
        .env_remove("NO_COLOR")
        .output()
        .expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let code = output.status.code().expect("an exit code");
    let errors = if stderr.is_empty() {
        String::new()
    } else {
        format!("--- stderr ---\n{stderr}")
    };
    (
        stdout.clone(),
        format!("$ dynameter {arguments}\n{stdout}{errors}--- exit {code} ---\n"),
    )
}

fn golden(name: &str, arguments: &str) -> (Option<String>, String) {
    let (stdout, shown) = run(arguments);
    (
        support::golden(&support::root().join("tests/golden").join(name), &shown),
        stdout,
    )
}

#[test]
fn shipped_workloads_say_what_they_said_and_every_line_proves_itself() {
    let mut wrong = Vec::new();
    for (name, _) in support::shipped() {
        let workload = format!("workloads/{name}.toml");
        for (kind, arguments, prove) in [
            (
                "text",
                format!("estimate {workload}"),
                proof::estimate_text as fn(&str) -> Vec<String>,
            ),
            (
                "json",
                format!("estimate {workload} --format json"),
                proof::json,
            ),
            (
                "md",
                format!("estimate {workload} --format markdown"),
                proof::estimate_markdown,
            ),
            (
                "csv",
                format!("estimate {workload} --format csv"),
                proof::csv,
            ),
            (
                "explain.text",
                format!("explain {workload}"),
                proof::explain_text,
            ),
            (
                "explain.json",
                format!("explain {workload} --format json"),
                proof::json,
            ),
            (
                "compare.text",
                format!("compare {workload} --all"),
                proof::compare_text,
            ),
            (
                "compare.json",
                format!("compare {workload} --format json"),
                proof::compare,
            ),
        ] {
            let (differs, stdout) = golden(&format!("{name}.{kind}"), &arguments);
            wrong.extend(differs);
            wrong.extend(
                prove(&stdout)
                    .into_iter()
                    .map(|problem| format!("{arguments}: {problem}")),
            );
        }
        // All formats contain the same lines.
        let json: Value =
            serde_json::from_str(&run(&format!("estimate {workload} --format json")).0)
                .expect("JSON");
        let lines = json["lines"].as_array().expect("lines").len();
        assert!(lines > 0, "{workload} has no lines");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn commands_say_what_they_said() {
    let commands = [
        ("help", "--help"),
        ("help-estimate", "estimate --help"),
        ("no-command", "guess"),
        ("init", "init"),
        ("schema", "schema"),
        ("reconcile", "reconcile tests/data/bills/cur1-legacy.csv.gz"),
        (
            "reconcile-amortised",
            "reconcile tests/data/bills/focus-1.2.csv.gz --by table,charge --cost amortised",
        ),
        (
            "reconcile-csv",
            "reconcile tests/data/bills/ce-get-cost-and-usage.json --format csv",
        ),
        (
            "reconcile-workload",
            "reconcile tests/data/bills/cur1-legacy.csv.gz --workload tests/data/bills/shop.toml",
        ),
        (
            "reconcile-markdown",
            "reconcile tests/data/bills/cur1-legacy.csv.gz --workload tests/data/bills/shop.toml \
             --by access --format markdown",
        ),
        (
            "reconcile-no-access",
            "reconcile tests/data/bills/cur1-legacy.csv.gz --by access",
        ),
        (
            "import-bill",
            "import bill tests/data/bills/cur1-legacy.csv.gz",
        ),
        (
            "estimate-a-bill",
            "estimate tests/data/bills/cur1-legacy.csv.gz",
        ),
        (
            "replay-a-bill",
            "replay tests/data/bills/cur2.snappy.parquet",
        ),
        ("rules", "rules"),
        ("rules-markdown", "rules 3.8 2 --format markdown"),
        ("rules-csv", "rules 7 --format csv"),
        ("rules-json", "rules 1.7 --format json"),
        ("rules-unknown", "rules 3.99 3.8 14"),
        ("prices-list", "prices list"),
        ("prices-list-old", "prices list --prices 2024-10-31"),
        (
            "prices-show-old",
            "prices show --region us-east-2 --date 2024-10-31",
        ),
        (
            "prices-show-json",
            "prices show --region us-gov-east-1 --format json",
        ),
        ("prices-show-nowhere", "prices show --region mars-1"),
        (
            "prices-show-early",
            "prices show --region us-east-1 --date 1999-12-31",
        ),
        ("prices-show-which", "prices show"),
        (
            "estimate-two",
            "estimate workloads/sessions.toml workloads/shopping-cart.toml",
        ),
        (
            "estimate-elsewhere",
            "estimate workloads/sessions.toml --region eu-west-1 --prices 2024-11-01 \
             --month-hours 744",
        ),
        (
            "estimate-two-wrong",
            "estimate tests/errors/share.toml tests/errors/rate.toml",
        ),
        ("estimate-no-file", "estimate workloads/nothing.toml"),
        (
            "estimate-no-region",
            "estimate workloads/sessions.toml --region mars-1",
        ),
        (
            "estimate-no-date",
            "estimate workloads/sessions.toml --prices yesterday",
        ),
        (
            "estimate-no-month",
            "estimate workloads/sessions.toml --month-hours NaN",
        ),
        (
            "compare-markdown",
            "compare workloads/shopping-cart.toml --format markdown",
        ),
        (
            "compare-csv",
            "compare workloads/shopping-cart.toml --format csv",
        ),
        (
            "compare-year",
            "compare workloads/sessions.toml --days 364 --throttled 0.001 --compress 1 --split 1 \
             --keep 2",
        ),
        (
            "compare-no-share",
            "compare workloads/sessions.toml --throttled lots",
        ),
        (
            "compare-no-step",
            "compare workloads/sessions.toml --step 7",
        ),
        (
            "diff",
            "diff workloads/shopping-cart.toml workloads/sessions.toml",
        ),
        (
            "diff-json",
            "diff workloads/shopping-cart.toml workloads/sessions.toml --format json",
        ),
        (
            "diff-markdown",
            "diff workloads/shopping-cart.toml workloads/sessions.toml --format markdown",
        ),
        (
            "diff-csv",
            "diff workloads/shopping-cart.toml workloads/sessions.toml --format csv",
        ),
        (
            "diff-same",
            "diff workloads/sessions.toml workloads/sessions.toml",
        ),
        ("diff-one", "diff workloads/sessions.toml"),
        (
            "estimate-commitments",
            "estimate workloads/tenants.toml --commitments workloads/account/commitments.toml",
        ),
        (
            "estimate-commitments-two",
            "estimate workloads/tenants.toml workloads/shop.toml --commitments \
             workloads/account/commitments.toml --format json",
        ),
        (
            "compare-commitments",
            "compare workloads/tenants.toml --commitments workloads/account/commitments.toml",
        ),
        (
            "estimate-months",
            "estimate workloads/tenants.toml --commitments workloads/account/commitments.toml \
             --months 14",
        ),
        (
            "estimate-months-json",
            "estimate workloads/tenants.toml --months 3 --format json",
        ),
        (
            "estimate-months-csv",
            "estimate workloads/tenants.toml --months 3 --format csv",
        ),
        (
            "estimate-months-no",
            "estimate workloads/tenants.toml workloads/shop.toml --months 3",
        ),
        (
            "diff-replica",
            "diff tests/cases/replica-before.toml tests/cases/replica-after.toml",
        ),
    ];
    let wrong: Vec<String> = commands
        .into_iter()
        .filter_map(|(name, arguments)| golden(&format!("cli-{name}.text"), arguments).0)
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn two_estimates_are_an_array_of_what_each_is_alone() {
    let alone = |name: &str| -> Value {
        serde_json::from_str(&run(&format!("estimate workloads/{name}.toml --format json")).0)
            .expect("JSON")
    };
    let both: Value = serde_json::from_str(
        &run("estimate workloads/sessions.toml workloads/iot.toml --format json").0,
    )
    .expect("JSON");
    assert_eq!(both, Value::Array(vec![alone("sessions"), alone("iot")]));
}

/// Verifies the lines of an output; each function returns what is wrong.
mod proof {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
    }

    fn product(quantity: &str, rate: &str, amount: &str) -> Option<String> {
        let exact = decimal(quantity).checked_mul(decimal(rate)).expect("fits");
        (exact != decimal(amount)).then(|| format!("{quantity} x {rate} is {exact}, not {amount}"))
    }

    fn sum(amounts: impl Iterator<Item = Decimal>, total: &str) -> Option<String> {
        let sum: Decimal = amounts.sum();
        (sum != decimal(total)).then(|| format!("the lines add up to {sum}, not to {total}"))
    }

    /// For every row with a figure and a difference: the total plus the difference is the row's
    /// figure, within a cent.
    pub fn compare_text(output: &str) -> Vec<String> {
        let plain = |text: &str| Decimal::from_str_exact(&text.replace([',', '$', '+'], "")).ok();
        let whole =
            decimal(&total(output.lines().next().expect("a heading")).replace([',', '$'], ""));
        let mut checked = 0;
        let mut wrong = Vec::new();
        for line in output.lines() {
            let cells: Vec<&str> = line
                .trim()
                .split("  ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .collect();
            let [_, monthly, difference, _] = cells.as_slice() else {
                continue;
            };
            // In a design with unknown figures, every total is a lower bound.
            let monthly = monthly.trim_start_matches("≥ ");
            if !monthly.starts_with('$') || !difference.contains('$') {
                continue;
            }
            let (Some(monthly), Some(difference)) = (plain(monthly), plain(difference)) else {
                continue;
            };
            checked += 1;
            if (whole + difference - monthly).abs() > Decimal::new(1, 2) {
                wrong.push(line.to_string());
            }
        }
        assert!(checked > 3, "no rows were read");
        wrong
    }

    /// For every alternative: the total plus its difference is its cost; each has a figure or a
    /// reason.
    pub fn compare(output: &str) -> Vec<String> {
        let document: Value = serde_json::from_str(output).expect("JSON");
        let total = decimal(document["total_usd"].as_str().expect("a total"));
        let wrong = |one: &Value| match (
            one["feasible"] == true,
            one["monthly_usd"].as_str(),
            one["delta_usd"].as_str(),
        ) {
            (true, Some(monthly), Some(delta)) if total + decimal(delta) == decimal(monthly) => {
                None
            }
            (false, None, None) if one["why"].as_str().is_some_and(|why| !why.is_empty()) => None,
            _ => Some(format!("{one}")),
        };
        document["alternatives"]
            .as_array()
            .expect("alternatives")
            .iter()
            .filter_map(wrong)
            .collect()
    }

    /// `estimate` and `explain`: every line, each table's total, the whole.
    pub fn json(output: &str) -> Vec<String> {
        let document: Value = serde_json::from_str(output).expect("JSON");
        let field = |value: &'_ Value, name: &str| {
            value[name]
                .as_str()
                .unwrap_or_else(|| panic!("{name} is not a string"))
                .to_string()
        };
        let lines = document["lines"].as_array().expect("lines");
        let products = lines.iter().filter_map(|line| {
            product(
                &field(line, "quantity"),
                &field(line, "rate_usd"),
                &field(line, "amount_usd"),
            )
        });
        let amounts = |table: Option<&str>| {
            let of_table = lines
                .iter()
                .filter(move |line| table.is_none_or(|table| line["table"] == table));
            of_table
                .map(|line| decimal(&field(line, "amount_usd")))
                .collect::<Vec<_>>()
        };
        let whole = sum(amounts(None).into_iter(), &field(&document, "total_usd"));
        let tables = document["tables"].as_array().into_iter().flatten();
        let tables = tables.filter_map(|table| {
            sum(
                amounts(table["table"].as_str()).into_iter(),
                &field(table, "total_usd"),
            )
        });
        let because = lines
            .iter()
            .filter(|line| line["because"].as_array().is_none_or(Vec::is_empty))
            .map(|line| format!("no because: {line}"));
        products.chain(whole).chain(tables).chain(because).collect()
    }

    pub fn csv(output: &str) -> Vec<String> {
        let mut reader = ::csv::Reader::from_reader(output.as_bytes());
        let header = reader.headers().expect("a header").clone();
        let at = |name: &str| {
            header
                .iter()
                .position(|column| column == name)
                .expect("a column")
        };
        let (quantity, rate, amount, unknown) = (
            at("quantity"),
            at("rate_usd"),
            at("amount_usd"),
            at("unknown"),
        );
        let rows: Vec<::csv::StringRecord> =
            reader.records().map(|row| row.expect("a row")).collect();
        let (known, unknown): (Vec<_>, Vec<_>) =
            rows.iter().partition(|row| row[unknown].is_empty());
        let priced = unknown
            .iter()
            .filter(|row| !row[amount].is_empty())
            .map(|row| format!("an unknown line has an amount: {row:?}"));
        known
            .iter()
            .filter_map(|row| product(&row[quantity], &row[rate], &row[amount]))
            .chain(priced)
            .collect()
    }

    /// `amount    Q unit x $R = $A` of every line, and the headings to the cent.
    pub fn explain_text(output: &str) -> Vec<String> {
        let plain = |text: &str| text.trim().replace([',', '$'], "");
        let (mut problems, mut whole) = (Vec::new(), Decimal::ZERO);
        // What is paid once is not part of the total.
        let monthly = output
            .lines()
            .take_while(|line| !line.starts_with("Paid once"));
        for line in monthly.filter_map(|line| line.strip_prefix("  amount ")) {
            let (left, amount) = line.rsplit_once(" = ").expect("an amount");
            let (quantity, rate) = left.rsplit_once(" x ").expect("a rate");
            let quantity = plain(quantity)
                .split(' ')
                .next()
                .expect("a quantity")
                .to_string();
            let exact = decimal(&quantity)
                .checked_mul(decimal(&plain(rate)))
                .expect("fits");
            let shown = decimal(&plain(amount));
            if exact.round_dp(shown.scale().max(2)) != shown {
                problems.push(format!("{quantity} x {rate} is {exact}, shown as {amount}"));
            }
            whole += exact;
        }
        let heading = output.lines().next().expect("a heading");
        let total = plain(total(heading));
        problems.extend(
            (whole.round_dp(2) != decimal(&total))
                .then(|| format!("the lines add up to {whole}, the heading says {total}")),
        );
        problems
    }

    /// Checks the rows of line tables, whose amounts are rounded to cents, and the total.
    fn rounded(rows: impl Iterator<Item = Vec<String>>, total: &str) -> Vec<String> {
        let plain = |text: &str| text.trim().replace([',', '$', '\\'], "");
        let (mut problems, mut whole) = (Vec::new(), Decimal::ZERO);
        for row in rows {
            let [.., quantity, _, rate, amount, _] = row.as_slice() else {
                continue;
            };
            // What is counted has a price per million.
            let (each, units) = match rate.strip_suffix("/million") {
                Some(rate) => (rate, Decimal::from(1_000_000)),
                None => (rate.as_str(), Decimal::ONE),
            };
            let exact = decimal(&plain(quantity))
                .checked_mul(decimal(&plain(each)) / units)
                .expect("fits");
            let shown = decimal(&plain(amount));
            if exact.round_dp(shown.scale().max(2)) != shown {
                problems.push(format!("{quantity} x {rate} is {exact}, shown as {amount}"));
            }
            whole += exact;
        }
        problems.extend(
            (whole.round_dp(2) != decimal(&plain(total)))
                .then(|| format!("the lines add up to {whole}, the heading says {total}")),
        );
        problems
    }

    /// `NAME: $1.00 a month`, or `NAME: unknown; at least $1.00 a month`.
    fn total(heading: &str) -> &str {
        let total = heading.rsplit_once(": ").expect("a total").1;
        total
            .trim_start_matches("unknown; at least ")
            .split(' ')
            .next()
            .expect("a total")
    }

    pub fn estimate_text(output: &str) -> Vec<String> {
        let rows = output.lines().map(|line| {
            line.trim()
                .split("  ")
                .filter(|cell| !cell.trim().is_empty())
                .map(|cell| cell.trim().to_string())
                .collect::<Vec<_>>()
        });
        let rows = rows.filter(|row| row.len() == 7 && row[6].ends_with('%'));
        rounded(rows, total(output.lines().next().expect("a heading")))
    }

    pub fn estimate_markdown(output: &str) -> Vec<String> {
        let cells = |line: &str| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_string())
                .collect::<Vec<_>>()
        };
        let rows = output
            .lines()
            .filter(|line| line.starts_with('|'))
            .map(cells)
            .filter(|row| row.len() == 7 && row[6].ends_with('%'));
        rounded(rows, total(output.lines().next().expect("a heading")))
    }
}
