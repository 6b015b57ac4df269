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
        &["within budget: $0.00 a month", "contains no DynamoDB table and costs nothing"],
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
        "a plan that Terraform did not finish, accepted by --allow-unread",
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
    case(
        "one stack of the CDK's output has no table",
        "check 06-cdk.out --region us-east-1 --budget budget-100.toml --usage orders.toml",
        0,
        &["06-cdk.out/Api.template.json: contains no DynamoDB table and costs nothing"],
    ),
    case(
        "the same by a pattern that the shell did not expand",
        "check 06-cdk.out/*.template.json --region us-east-1 --budget budget-100.toml --usage orders.toml",
        0,
        &["within budget"],
    ),
    case(
        "a closing bracket where PyYAML and cfn-lint take it",
        "estimate 07-flow-list-closing-bracket.yaml --region us-east-1",
        0,
        &["Orders  at least $0.00"],
    ),
    case(
        "the lines of hashicorp/setup-terraform, and an Infracost usage file with another cloud",
        "estimate 10-setup-terraform-wrapper.json --usage 12-infracost-usage-of-another-cloud.yml",
        0,
        &["orders  at least $3.82"],
    ),
    case(
        "a plan in quotes",
        "estimate quoted-plan.json --usage 12-infracost-usage-of-another-cloud.yml",
        0,
        &["orders  at least $3.82"],
    ),
    case(
        "Infracost: defaults, and entries of other projects",
        "estimate quoted-plan.json --usage infracost-shared.yml",
        0,
        &["orders  at least $3.82", "note: quoted-plan.json: the design has no table \"aws_dynamodb_table.other_project\""],
    ),
    case(
        "descriptions one after the other",
        "import describe-table 15-describe-table-concatenated.json",
        0,
        &["name          = \"orders\"", "name          = \"carts\""],
    ),
    case(
        "a Terraform file names the way to a plan",
        "estimate 17-main.tf",
        2,
        &["plan -out=plan.bin\n", "show -json plan.bin > plan.json\n", "dynameter estimate plan.json"],
    ),
    case(
        "a configuration of the Serverless Framework names the way to a template",
        "estimate 18-serverless.yml",
        2,
        &["npx serverless package\n", ".serverless/cloudformation-template-update-stack.json"],
    ),
    case(
        "a file in S3",
        "estimate s3://bucket/plan.json",
        2,
        &["aws s3 cp s3://bucket/plan.json - | dynameter estimate -"],
    ),
    case(
        "a preview of Pulumi",
        "check pulumi-preview.json --usage pulumi-usage.toml --budget 19-budget.toml",
        0,
        &["$8.80 before"],
    ),
    case(
        "an exported stack of Pulumi",
        "estimate pulumi-stack.json --usage pulumi-usage.toml",
        0,
        &["pulumi-stack: $5.58 a month", "read capacity / by-g"],
    ),
    case(
        "a synthesized configuration of the CDK for Terraform",
        "estimate cdk.tf.json --usage 02-tf-usage.toml",
        0,
        &["cdk: $13.41 a month", "5 to 5"],
    ),
    case(
        "the answer of get-template",
        "estimate get-template.json --region us-east-1 --usage orders.toml",
        0,
        &["73,000"],
    ),
    case(
        "the answer of get-template, whose template is YAML",
        "estimate get-template-yaml.json --region us-east-1 --usage orders.toml",
        0,
        &["73,000"],
    ),
    case(
        "the answer of describe-clusters",
        "estimate clusters.json",
        0,
        &["$558.45"],
    ),
    case(
        "a key that is there twice where nothing is read",
        "estimate twice-elsewhere.yaml --region us-east-1 --usage orders.toml",
        0,
        &["note: twice-elsewhere.yaml: line 6: duplicate key \"DelaySeconds\", first defined on line 5; the last one counts"],
    ),
    case(
        "a key that is there twice in a table",
        "estimate twice-in-table.yaml --region us-east-1 --usage orders.toml",
        2,
        &["twice-in-table.yaml:7:7: error[duplicate-key]"],
    ),
];

/// Templates that aws-cdk-lib synthesizes from `tests/cdk/app.js`.
const CDK: &[Case] = &[
    case(
        "all stacks of an app: a nested stack, scaling in a time zone, a reader, a backup plan",
        "check cdk.out --region us-east-1 --usage usage.toml --budget ../terraform/budget.toml",
        0,
        &[
            "within budget: $600.64 a month",
            "cdk.out/ShopOrdersA8B1F509.nested.template.json:3 (Shop/Orders/Table)",
        ],
    )
    .never(&["Not read"]),
    case(
        "a nested template that the shell names as well is read once",
        "estimate cdk.out/Shop.template.json cdk.out/ShopOrdersA8B1F509.nested.template.json --region us-east-1",
        0,
        &[
            "note: cdk.out/ShopOrdersA8B1F509.nested.template.json: is read with the stack that it is nested in",
        ],
    ),
    case(
        "the same logical ID in two stacks",
        "import cloudformation cdk.out --region us-east-1 --usage usage.toml",
        0,
        &[
            "\"Blue.TableCD117FA1\"",
            "\"Green.TableCD117FA1\"",
            "\"nested-orders\"",
        ],
    ),
];

#[test]
fn stacks_of_the_cdk_are_read_whole() {
    run_all(CDK.iter(), "tests/cdk");
}

#[test]
fn every_change_gets_the_verdict_that_is_right() {
    run_all(CASES.iter(), "tests/cases/gate");
}
