//! Changes as plans and templates really contain them, each with the verdict that is right: one
//! table, one assertion path.

use crate::cases::{Case, case, run_all};

const CASES: &[Case] = &[
    case(
        "a new table with point-in-time recovery: what AWS computes in a block has no price",
        "check 01-pitr.plan.json --usage 01-usage-with-pitr.toml --budget budget-100.toml",
        0,
        &["within budget: $6.82 a month (+$6.82, $0.00 before)"],
    )
    .never(&["known only after apply"]),
    case(
        "an index that only the design after the change has",
        "check 20-adds-an-index.plan.json --usage 20-usage-access.toml --budget 19-budget.toml",
        0,
        &["≤ $134.20"],
    ),
    case(
        "the same in two templates",
        "check 21-after.yaml --baseline 21-before.yaml --usage 21-usage.toml --budget 19-budget.toml",
        0,
        &["within budget: $17.44 a month (+$8.97, $8.47 before)"],
    ),
    case(
        "the same, line by line",
        "diff 21-before.yaml 21-after.yaml --usage 21-usage.toml",
        0,
        &["21-after: from $8.47 to $17.44 a month (+$8.97, +105.8 %)"],
    ),
    case(
        "an index that no design has",
        "estimate 21-before.yaml --usage 21-usage.toml",
        2,
        &["error[unknown-table]: Orders has no index \"by-g\""],
    ),
    case(
        "a table that goes away and that the usage file describes",
        "check 19-deletes-one-of-two-tables.plan.json --usage 19-usage-with-it.toml --budget 19-budget.toml",
        0,
        &["within budget: $1.97 a month (-$1.97, $3.94 before)"],
    ),
    case(
        "what is unknown before cannot make an increase larger",
        "check 19-deletes-one-of-two-tables.plan.json --usage 19-usage-without-it.toml --budget 19-budget.toml",
        0,
        &["≤ $0"],
    ),
    case(
        "the last table goes away",
        "check 14-destroys-last-table.plan.json --budget budget-100.toml",
        0,
        &["within budget: $0.00 a month", "contains no DynamoDB table, so it costs nothing"],
    ),
    case(
        "a template without tables",
        "estimate no-table.yaml",
        0,
        &["no-table: $0.00 a month"],
    ),
    case(
        "a plan that Terraform did not finish",
        "check 02-tf-errored.plan.json --usage 02-tf-usage.toml --budget budget-100.toml",
        2,
        &["Not read\n", "unknown  plan-error  whole design", "≥ $2.22"],
    ),
    case(
        "a plan that Terraform did not finish, and somebody has looked",
        "check 02-tf-errored.plan.json --usage 02-tf-usage.toml --budget budget-100.toml --allow-unread plan-error",
        0,
        &["allowed  plan-error  whole design"],
    ),
    case(
        "a table that Terraform forgets goes on costing money",
        "check 02-tf-forget.plan.json --usage 02-tf-usage.toml --budget budget-100.toml",
        1,
        &["≥ $3,221.52", "$3,219.30 before", "gone: aws_dynamodb_table.gone: is no longer managed by Terraform"],
    ),
    case(
        "the tables of a stack that Terraform deploys",
        "check 02-tf-cfnstack.plan.json --usage 02-tf-usage.toml --budget budget-100.toml",
        1,
        &["≥ $324.15"],
    ),
    case(
        "AWS Backup in a plan",
        "estimate 02-tf-backup-plan.plan.json --usage 02-tf-usage.toml",
        0,
        &["WarmStorage-ByteHrs-DynamoDB"],
    ),
    case(
        "hours of another time zone, in both halves of the year",
        "check 02-schedule-in-another-timezone.yaml --usage 02-usage.toml --budget budget-100.toml",
        1,
        &["$517.17"],
    ),
    case(
        "AWS Backup in a template",
        "estimate 03-aws-backup-plan.yaml --usage 03-usage.toml",
        0,
        &["WarmStorage-ByteHrs-DynamoDB", "$286.10"],
    ),
    case(
        "a table of Amplify",
        "estimate 04-amplify-gen2-table.json --region us-east-1",
        0,
        &["write capacity", "WriteCapacityUnit-Hrs", "$237.25"],
    ),
    case(
        "the reader of a stream is a function of the template",
        "check 09-stream-read-by-function-of-the-template.yaml --usage 02-usage.toml --budget budget-100.toml",
        0,
        &["within budget: $1.97 a month"],
    ),
    case(
        "two stacks with the same logical ID",
        "import cloudformation 16-cdk-stack-a.template.json 16-cdk-stack-b.template.json --region us-east-1",
        0,
        &["\"16-cdk-stack-a.TD925BC7E\"", "\"16-cdk-stack-b.TD925BC7E\""],
    )
    .never(&["nested-stack"]),
    case(
        "a cluster without a table is a cost",
        "check 22-dax-only.yaml --region us-east-1 --budget budget-100.toml",
        1,
        &["over budget: $558.45 a month", "22-dax-only.yaml:3"],
    ),
];

#[test]
fn every_change_gets_the_verdict_that_is_right() {
    run_all(CASES.iter(), "tests/cases/gate");
}
