//! Designs and traces that once gave a wrong result, each with the expected output: one table, one
//! assertion path.

use crate::support;

use std::process::Command;

/// A command in `tests/cases`, its exit code, what its output must contain and what it must not.
pub struct Case {
    why: &'static str,
    args: &'static str,
    code: i32,
    says: &'static [&'static str],
    never: &'static [&'static str],
}

pub const fn case(
    why: &'static str,
    args: &'static str,
    code: i32,
    says: &'static [&'static str],
) -> Case {
    Case {
        why,
        args,
        code,
        says,
        never: &[],
    }
}

impl Case {
    pub const fn never(self, never: &'static [&'static str]) -> Case {
        Case { never, ..self }
    }
}

const CASES: &[Case] = &[
    case(
        "writes and searches of a vector index in a request log",
        "replay vectors.jsonl --verify",
        0,
        &[
            "vec    PutItem        2           0           12",
            // The first put writes pk, emb (3 + 4 x 1,280 B) and title: 5,137 B. The second changes
            // nothing that the index holds.
            "PutItem / near        VectorWriteRequest    0.209548138  GB",
            "SearchVectors / near  VectorSearch           0.08354187  GB",
            "vec / near / SearchVectors / us-east-1: the bytes that it searches",
        ],
    ),
    case(
        "a search in a trace of columns is unknown",
        "replay vector-columns.csv --workload vector-columns.toml",
        0,
        &["a search of a vector index is read in a request log"],
    ),
    case(
        "what happens once is beside the month, not in it",
        "estimate once.toml",
        0,
        &[
            "Loads: $29.87 a month",
            "Paid once, not added to the month  $90.00",
            "WriteRequestUnits     120,000,000  WRU   $0.625/million  $75.00",
            "Catalog: imports  ImportDataSize-Bytes          100  GB           $0.15  $15.00",
            "warm throughput of 20,000 read units a second, rate unknown",
            "the calls need 2,000 WCU-hours",
        ],
    ),
    case(
        "a stock follows writes",
        "estimate 40-apg.toml --months 36",
        0,
        &[
            "      1  2026-09-16     30,000,000     107.7      $96.25   $26.92     $36.72    $159.89",
            "     36  2029-08-16  1,080,000,000  3,877.13      $96.25  $969.28  $1,321.79  $2,387.33",
        ],
    ),
    // Each month adds 1,000,000 and removes 100,000 and 400,000, all grown by a twelfth of 12 % a
    // month; on-demand prices halve in November 2024; the reads follow the items.
    case(
        "deletes, Time to Live, growth, prices by date and reads that follow the items",
        "estimate growth.toml --months 3 --format csv",
        0,
        &[
            ",1,2024-09-15,1000000,1.046806574,4,",
            ",2,2024-10-15,1500000,1.570209861,4.6525,",
            ",3,2024-11-15,2005000,2.098847181,2.655625,",
        ],
    ),
    case(
        "backups of AWS Backup, warm, cold and copied",
        "estimate backup-plan.toml",
        0,
        &[
            "WarmStorage-ByteHrs-DynamoDB          3,000  GB-month   $0.1  $300.00",
            "WarmStorage-ByteHrs-DynamoDB            100  GB-month   $0.1   $10.00",
            "ColdStorage-ByteHrs-DynamoDB          1,100  GB-month  $0.03   $33.00",
            "AWS Backup, us-west-2     WarmStorage-ByteHrs-DynamoDB            100",
            "(aws_backup_copy): 100 GB, rate unknown",
            "AWS Backup, restores      Restore-WarmBytes-DynamoDB              100  GB        $0.15",
        ],
    ),
    case(
        "a backup stays in cold storage for 90 days",
        "estimate backup-plan-wrong.toml",
        2,
        &[
            "a backup in cold storage must be kept there for at least 90 days, but it moves there \
             after 30 days and is kept for 60",
            "keep it for at least 120 days",
            "us-wets-2",
            "only access patterns and imports can happen `once`",
        ],
    ),
    case(
        "a reservation serves the account, not one table",
        "estimate 18-reserved-auto.toml",
        0,
        &["two tables: $40.25 a month", "reserved capacity  HeavyUsage:dynamodb.write       72,000"],
    )
    .never(&["Warnings", "\naccount"]),
    case(
        "an account's reservation covers twenty tables",
        "estimate 27-20tables.toml --commitments 27-commitments.toml",
        0,
        &["600 WCU in all: $137.81 a month", "Small19  $6.89"],
    ),
    case(
        "list prices leave commitments out",
        "estimate 27-20tables.toml --commitments 27-commitments.toml --list-prices",
        0,
        &["600 WCU in all: $299.53 a month"],
    ),
    case(
        "a budget is compared with what is paid",
        "check 27-20tables.toml --commitments 27-commitments.toml --budget budget-150.toml",
        0,
        &["$137.81"],
    ),
    case(
        "and with list prices if that is asked for",
        "check 27-20tables.toml --commitments 27-commitments.toml --budget budget-150.toml --list-prices",
        1,
        &["$299.53"],
    ),
    // 700 WCU for three years, of which 600 are used; 200 RCU under the plan cost 0.2 x 0.00013 x
    // 0.88 an hour; everything less 10 %.
    case(
        "what is not used of commitments has lines of its own",
        "estimate 27-20tables.toml --commitments commitments-all.toml",
        0,
        &[
            "600 WCU in all: $197.41 a month",
            "read capacity, savings plan",
            "account  $124.46",
            "700 WCU reserved in us-east-1 for 3 years (commitments-all.toml:3): of 504,000 \
             WCU-hours, 72,000 are not used by any table",
            "the savings plan of $5 an hour (commitments-all.toml:18): begins on 2031-01-01",
        ],
    ),
    case(
        "several designs share commitments, and what they leave belongs to none of them",
        "estimate 27-20tables.toml 18-reserved-auto.toml --commitments commitments-all.toml",
        0,
        &["Commitments that no design uses  $109.63"],
    ),
    case(
        "a write that sets the key of a sparse index puts an entry",
        "estimate 23-sets.toml",
        0,
        &["set flag / Flagged  WriteRequestUnits        9,000,000  WRU       $0.625/million   $5.62"],
    ),
    case(
        "what a file does not say of a sparse index is a range, and how to say it",
        "estimate 23-sparse-flip.toml",
        0,
        &[
            "the estimate takes 360,000 write units a month, as of average items, but they are between \
             0 and 18,000,000",
            "`sets = [\"flag\", \"due\"]`",
        ],
    ),
    case(
        "an order comes into the index of open orders and leaves it",
        "estimate 24-entities.toml",
        0,
        &[
            "place an order / OpenOrders          WriteRequestUnits       3,000,000  WRU",
            "ship it: remove isOpen / OpenOrders  WriteRequestUnits       3,000,000  WRU",
        ],
    ),
    case(
        "a put into a sparse index without an entity is a range",
        "estimate 24-sparse-isopen.toml",
        0,
        &["but they are between 0 and 3,000,000", "`sets = [\"isOpen\"]`"],
    ),
    case(
        "only the entities with its key are in an index",
        "estimate 42c-entities.toml",
        0,
        &[
            "place order / OpenOrders  WriteRequestUnits      25,920,000  WRU",
            "create user               WriteRequestUnits      25,920,000  WRU",
        ],
    )
    .never(&["create user / OpenOrders"]),
    case(
        "items with attributes of their own are in the indexes whose keys they have",
        "estimate 42d-item-per-pattern.toml",
        0,
        &["place order / OpenOrders  WriteRequestUnits      25,920,000  WRU"],
    )
    .never(&["create user / OpenOrders"]),
    case(
        "the entities of AWS's model are those of the workload",
        "estimate 42-aws-sparse.json --region us-east-1 --month-hours 720",
        0,
        &[
            "W1: place order / OpenOrders  WriteRequestUnits      25,920,000  WRU",
            "W2: create user               WriteRequestUnits      25,920,000  WRU",
        ],
    )
    .never(&["W2: create user / OpenOrders"]),
    case(
        "attributes_written and write_action of AWS's model decide money",
        "estimate 52-aws-attributes.json --region us-east-1 --month-hours 720",
        0,
        &[
            "U2: change status / ByStatus  WriteRequestUnits      51,840,000  WRU       $0.625/million   $32.40",
            "U3: delete                    WriteRequestUnits     129,600,000  WRU",
        ],
    )
    .never(&["U1: change note / ByStatus"]),
    case(
        "the vector writes of AWS's model, and a search whose bytes are not known",
        "estimate 15-aws-model.json --region us-east-1 --month-hours 720",
        0,
        &[
            "unknown; at least",
            "W1: Put product / ProductEmbeddingIndex  VectorWriteRequest    99.721848965  GB               $0.52  $51.86",
            "ProductEmbeddingIndex / V1: Find similar products / us-east-1: the bytes that it searches, $0.002 a unit",
            "items of up to 2048 B cannot hold a vector of 1024 dimensions",
        ],
    ),
    case(
        "a mean number of items",
        "estimate 30-frac.toml",
        0,
        &["batch 7.3  ReadRequestUnits        3,650,000  RRU", "of a mean number of items"],
    ),
    case(
        "a plan saves at most 18 % of what a maximum throughput lets through, of an index",
        "compare idxmax.toml --all",
        0,
        &[
            "Index maximum: $34.80 a month",
            "a Database Savings Plan                              $28.96      -$5.84",
        ],
    )
    .never(&["-$24.33", "$328.50"]),
    case(
        "the report's amounts are those of the bill, for an index",
        "report idxmax.toml",
        0,
        &["The design pays $32.85 a month here"],
    )
    .never(&["$328.50"]),
    case(
        "the report's amounts are those of the bill, for a table",
        "report tabmax.toml",
        0,
        &["The design pays $32.85 a month here"],
    )
    .never(&["$328.50"]),
    case(
        "a region without a free tier, with free_tier = true",
        "compare gov-true.toml --all",
        0,
        &[
            "Gov: $85.41 a month",
            "no free tier",
            "a Database Savings Plan                              $75.19     -$10.22",
        ],
    ),
    case(
        "a region without a free tier",
        "compare gov-false.toml --all",
        0,
        &[
            "Gov: $85.41 a month",
            "no free tier",
            "a Database Savings Plan                              $75.19     -$10.22",
        ],
    ),
    case(
        "safe means the same for fixed and auto-scaled capacity",
        "compare 04b.toml --all",
        0,
        &[
            "fixed at the cheapest safe value, counting on bursts    $0.76",
            "auto scaled, counting on bursts                         $0.81",
            "auto scaled                                            $11.68",
            "fixed at the cheapest safe value                       $11.68",
        ],
    ),
    case(
        "an hour of a profile is an hour",
        "estimate 25-batch.toml",
        0,
        &[
            "write      41.67         1,000  10 to",
            "the rate is constant within each hour of a profile",
        ],
    ),
    case(
        "a schedule for one hour serves a batch of one hour",
        "compare 25-batch.toml --all",
        0,
        &["without trade-offs   $23.17"],
    ),
    case(
        "bursts serve 150,000 of 3,600,000 puts",
        "check 25-batch-fixed.toml --budget budget-throttled.toml",
        1,
        &["whole design: throttled share  45.820098 %"],
    ),
    case(
        "one total from every command",
        "estimate 26-tables.toml",
        0,
        &["Many: $4,274.20 a month"],
    ),
    case(
        "twelve restores per year are one per month",
        "estimate 48-restore.toml",
        0,
        &["restores  RestoreDataSize-Bytes            100  GB        $0.15  $15.00"],
    ),
    case(
        "an index that throttles throttles its table",
        "estimate 46-gsi-throttle.toml",
        0,
        &["and so are the writes of the table, since a write succeeds only if all its indexes"],
    ),
    case(
        "a new on-demand table has an initial limit",
        "estimate 47-spike.toml",
        0,
        &[
            "the demand is 20,000 write units a second in the busiest hour; a new on-demand table \
             serves 4,000 immediately",
        ],
    ),
    case(
        "what a usage file does not measure stays unknown",
        "check partial-consumed.describe.json --usage partial-consumed.usage.toml --budget \
         budget-50.toml",
        2,
        &[
            "undecided: at least $25.73 a month, 3 costs unknown",
            "the write units of \"consumed writes\"",
            "the read units of \"consumed reads of gsi1\"",
            "the write units of \"consumed writes of gsi1\"",
        ],
    ),
    case(
        "an import names what a usage file does not measure",
        "import describe-table partial-consumed.describe.json --usage partial-consumed.usage.toml",
        0,
        &[
            "[[table.consumed]]\nwrite = \"unknown\"",
            "index = \"gsi1\"\nread  = \"unknown\"",
        ],
    ),
    case(
        "an older name of a usage type",
        "check 48-restore.toml --budget budget-streams.toml",
        0,
        &["within budget: $40.00 a month"],
    ),
    case(
        "amounts that no table has cannot wrap",
        "compare overflow.toml --all",
        0,
        &[
            "Over: $147,825,000,000,000.00 a month",
            "a savings plan of $166,050,000,000 an hour",
        ],
    ),
    case(
        "nor can commitments",
        "compare overflow-commitment-min.toml --all",
        0,
        &["Over: $16,425,000,000.00 a month; $15,484,295,454.62 with"],
    ),
    case(
        "an index entry with all attributes is as large as its item",
        "estimate entry_size.toml",
        2,
        &[
            "entry_size.toml:14:12: error[entry-size]: entry_size is 200 B, but the index \
             \"ByStatus\" holds all attributes",
            "5,000 B on average",
        ],
    ),
    case(
        "a note is one line, whatever an address contains",
        "estimate newline-plan.json --region us-east-1",
        0,
        &["aws_appautoscaling_scheduled_action.x[\"a\u{fffd}::error::injected by an address\"]"],
    )
    .never(&["\n::error::"]),
    case(
        "a repeated transaction reads in the region where it is called",
        "estimate replica_reads_of_replayed_transaction.toml",
        0,
        &["pay                 ReadRequestUnits         2,592,000  RRU"],
    )
    .never(&["pay, eu-west-1      ReadRequestUnits"]),
];

#[cfg(feature = "replay")]
const TRACES: &[Case] = &[
    case(
        "unknown sizes are not 0 bytes",
        "replay unsized.ndjson --workload unsized.toml",
        0,
        &[
            "Unsized: unknown; at least $0.00 a month",
            "the units of 2 calls of \"GetItem\" in the trace",
            "nothing is known about the key, and no workload gives sizes",
        ],
    )
    .never(&["workload's distribution", "0 B"]),
    case(
        "the same without the workload",
        "replay unsized.ndjson",
        0,
        &[
            "unknown; at least",
            "the units of 2 calls of \"GetItem\" in the trace",
        ],
    ),
    case(
        "what a batch left unprocessed is free",
        "replay unprocessed.jsonl --verify",
        0,
        &["2 of 2 ConsumedCapacity values agree"],
    ),
    case(
        "SELECT * of a local index fetches nothing",
        "replay partiql_select_star_lsi.jsonl --verify",
        0,
        &["2 of 2 ConsumedCapacity values agree"],
    ),
    case(
        "failed members of statement batches consume nothing in the table or any index",
        "replay bes_failed_member.jsonl --verify",
        0,
        &["1 of 1 ConsumedCapacity values agree"],
    ),
    case(
        "an update without an error is assumed to have succeeded",
        "replay update_above_400kb.jsonl.gz",
        0,
        &[
            "4 events",
            "Tab    UpdateItem      1           0          401",
        ],
    ),
    case(
        "an index ends when the log deletes it, and can be created again",
        "replay deleted-index.jsonl --verify=all",
        0,
        &[
            "4 of 4 ConsumedCapacity values agree",
            "Tab / G  PutItem         2           0            1",
        ],
    ),
    case(
        "how long a deleted index was provisioned in a month is unknown",
        "replay deleted-index-provisioned.jsonl",
        0,
        &[
            "unknown; at least $",
            "Tab / G / us-east-1: the provisioned write units",
        ],
    ),
    case(
        "an error of a member that is not an error code",
        "replay bes_unknown_error.jsonl",
        2,
        &[
            "bes_unknown_error.jsonl:3",
            "error is \"Oops\"; expected the code of a BatchStatementError",
        ],
    ),
    case(
        "--switch with a log that defines its tables",
        "replay failed-condition.jsonl --switch failed_condition=larger",
        0,
        &["PutItem        2           0            4"],
    ),
    case(
        "a write that a transaction in progress refuses costs what a cancelled transaction costs",
        "replay transaction-conflict.jsonl",
        0,
        &["PutItem        2           0            6"],
    ),
    case(
        "each region of a global table has its own KMS key",
        "estimate global-keys.yaml --region us-east-1",
        0,
        &[
            "at least $2.08 a month",
            "encryption, eu-west-1   KMS-Keys             1",
            "encryption, ap-south-1  KMS-Requests",
        ],
    ),
    case(
        "the heat of an entity: three quarters of the reads on two keys",
        "estimate heat.toml",
        0,
        &["the most popular key gets 37.5 % of the read units, 7,500 a second in the busiest hour"],
    ),
    case(
        "a key of a replica that is known only after apply",
        "import terraform replica-keys.plan.json",
        0,
        &[
            "encryption = { keys = 0 }  # no KMS key of its own",
            "encryption = { keys = 1 }  # aws_dynamodb_table.orders: the KMS key in eu-west-1",
        ],
    ),
    case(
        "commitments of another region, and of another time",
        "estimate backup-plan.toml --commitments account-elsewhere.toml",
        2,
        &[
            "account-elsewhere.toml:3:10: error[commitment]: the commitment is for eu-west-1",
            "account-elsewhere.toml:10:9: error[commitment]: the commitment ended on 2025-01-01",
        ],
    ),
    case(
        "a commitment of another region, of a log that no workload describes",
        "replay failed-condition.jsonl --commitments account-region.toml",
        0,
        &["(account-region.toml:2): no table of this run is in that region; it is not in the bill"],
    ),
    case(
        "commitments that cannot be",
        "estimate backup-plan.toml --commitments account-wrong.toml",
        2,
        &[
            "reserved capacity needs `read` or `write` units",
            "the discounts add up to 110 percent",
            "the term that begins on 2026-01-01 ends on 2027-01-01, before 2031-01-01",
        ],
    ),
    case(
        "a log without a workload has the commitments of the account",
        "replay failed-condition.jsonl --commitments account-discount.toml",
        0,
        &["Trace: $0.03 a month"],
    ),
    case(
        "one file for two results",
        "replay failed-condition.jsonl --write-workload same.toml -o same.toml",
        2,
        &["-o and --write-workload name the same file, same.toml"],
    ),
    case(
        "years ahead, month by month",
        "estimate years-ahead.toml --months 3",
        2,
        &["`years_ahead` and --months both say how far ahead"],
    ),
    case(
        "a forecast: loads add items, a scan reads all of them, rates follow their entity, a reservation ends",
        "estimate follows.toml --months 14 --format csv",
        0,
        &[
            // Month 13: 1,000 Scans of 11,000 items of 1 KB, 1,375,000 RRU; users stay 1,000.
            "Follows,1,2026-09-16,2000,0.002093613,4.4187499999,",
            "Follows,2,2026-10-16,11000,0.011514872,4.5593749999,",
            "Follows,13,2027-09-16,11000,0.011514872,0.234375,",
        ],
    ),
    case(
        "a Scan of all items, a year ahead: 1,500 calls of 1,500 items of 1 KB",
        "estimate scan-ahead.toml",
        0,
        &["ReadRequestUnits         281,250"],
    ),
    case(
        "what is paid once changes",
        "diff once.toml once-more.toml",
        0,
        &["Paid once by each design, not added to the month:"],
    ),
    case(
        "an unknown switch",
        "replay deleted-index.jsonl --switch number=split",
        2,
        &[
            "--switch \"number=split\" is not a switch",
            "number_alignment, failed_condition",
        ],
    ),
    case(
        "an unknown reading of a switch",
        "replay deleted-index.jsonl --switch number_alignment=even",
        2,
        &["number_alignment must be aligned or split"],
    ),
    case(
        "an unknown value of --verify",
        "replay deleted-index.jsonl --verify=some",
        2,
        &["--verify=all for every one"],
    ),
];

#[cfg(not(feature = "replay"))]
const TRACES: &[Case] = &[];

#[test]
fn every_case_says_what_is_right() {
    run_all(CASES.iter().chain(TRACES), "tests/cases");
}

/// Runs every case in a folder.
pub fn run_all<'a>(cases: impl Iterator<Item = &'a Case>, folder: &str) {
    let mut wrong = Vec::new();
    for case in cases {
        let output = Command::new(env!("CARGO_BIN_EXE_dynameter"))
            // Nothing is asked of a machine in the cloud.
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .current_dir(support::root().join(folder))
            .args(case.args.split(' '))
            .env("NO_COLOR", "1")
            .output()
            .expect("the command runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        // How wide the columns are is not what a case is about.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let all = words(&said);
        let missing: Vec<_> = case
            .says
            .iter()
            .filter(|text| !all.contains(&words(text)))
            .collect();
        let found: Vec<_> = case
            .never
            .iter()
            .filter(|text| said.contains(*text))
            .collect();
        if output.status.code() != Some(case.code) || !missing.is_empty() || !found.is_empty() {
            let code = output.status.code();
            let start: String = said.chars().take(1_500).collect();
            wrong.push(format!(
                "{} ({}): exit {code:?}, missing {missing:?}, unwanted {found:?}\n{start}",
                case.why, case.args
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} cases\n\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

/// Four commands give the same total for the same design.
#[test]
fn every_command_has_the_same_total() {
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_dynameter"))
            // Nothing is asked of a machine in the cloud.
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .current_dir(support::root())
            .args(args)
            .output()
            .expect("the command runs");
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON")
    };
    let mut paths: Vec<String> = support::shipped()
        .into_iter()
        .map(|(name, _)| format!("workloads/{name}.toml"))
        .collect();
    paths.extend(
        [
            "tests/cases/26-tables.toml",
            "tests/cases/25-batch.toml",
            "tests/cases/04b.toml",
        ]
        .map(str::to_string),
    );
    for path in paths {
        let [estimate, compare, report, explain] = [
            run(&["estimate", &path, "--format", "json"])["total_usd"].clone(),
            run(&["compare", &path, "--format", "json"])["total_usd"].clone(),
            run(&["report", &path, "--format", "json"])["estimate"]["total_usd"].clone(),
            run(&["explain", &path, "--format", "json"])["total_usd"].clone(),
        ];
        assert!(estimate.is_string(), "{path}: {estimate}");
        assert_eq!([&compare, &report, &explain], [&estimate; 3], "{path}");
    }
}
