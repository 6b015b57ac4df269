// The stacks whose templates are in cdk.out. Synthesize them anew with
//   npm install aws-cdk-lib constructs && node app.js
const cdk = require("aws-cdk-lib");
const dynamodb = require("aws-cdk-lib/aws-dynamodb");
const lambda = require("aws-cdk-lib/aws-lambda");
const events = require("aws-cdk-lib/aws-lambda-event-sources");
const backup = require("aws-cdk-lib/aws-backup");
const autoscaling = require("aws-cdk-lib/aws-applicationautoscaling");
const dax = require("aws-cdk-lib/aws-dax");
const sqs = require("aws-cdk-lib/aws-sqs");

// The context that `cdk synth` sets.
const context = {
  "aws:cdk:enable-path-metadata": true,
  "aws:cdk:enable-asset-metadata": true,
};
const app = new cdk.App({ outdir: "cdk.out", analyticsReporting: false, context });
const env = { account: "111122223333", region: "us-east-1" };
const synthesizer = () => new cdk.LegacyStackSynthesizer();
const key = { name: "pk", type: dynamodb.AttributeType.STRING };

class Orders extends cdk.NestedStack {
  constructor(scope, id) {
    super(scope, id);
    new dynamodb.Table(this, "Table", {
      tableName: "nested-orders",
      partitionKey: key,
      readCapacity: 5,
      writeCapacity: 5,
    });
  }
}

const shop = new cdk.Stack(app, "Shop", { env, synthesizer: synthesizer() });
new Orders(shop, "Orders");

const scaled = new dynamodb.Table(shop, "Scaled", {
  tableName: "scaled",
  partitionKey: key,
  readCapacity: 5,
  writeCapacity: 5,
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
});
const scaling = scaled.autoScaleWriteCapacity({ minCapacity: 5, maxCapacity: 400 });
scaling.scaleOnUtilization({ targetUtilizationPercent: 70 });
scaling.scaleOnSchedule("Day", {
  schedule: autoscaling.Schedule.cron({ hour: "8", minute: "0" }),
  timeZone: cdk.TimeZone.EUROPE_BERLIN,
  minCapacity: 100,
});
scaling.scaleOnSchedule("Night", {
  schedule: autoscaling.Schedule.cron({ hour: "20", minute: "0" }),
  timeZone: cdk.TimeZone.EUROPE_BERLIN,
  minCapacity: 5,
});

const streamed = new dynamodb.Table(shop, "Streamed", {
  tableName: "streamed",
  partitionKey: key,
  billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
  stream: dynamodb.StreamViewType.NEW_IMAGE,
});
const onChange = new lambda.Function(shop, "OnChange", {
  runtime: lambda.Runtime.NODEJS_22_X,
  handler: "index.handler",
  code: lambda.Code.fromInline("exports.handler = async () => {};"),
});
onChange.addEventSource(
  new events.DynamoEventSource(streamed, { startingPosition: lambda.StartingPosition.LATEST }),
);

const plan = new backup.BackupPlan(shop, "Plan");
plan.addRule(
  new backup.BackupPlanRule({
    ruleName: "daily",
    scheduleExpression: cdk.aws_events.Schedule.cron({ hour: "5", minute: "0" }),
    deleteAfter: cdk.Duration.days(35),
  }),
);
plan.addSelection("Selection", { resources: [backup.BackupResource.fromDynamoDbTable(streamed)] });

const global = new cdk.Stack(app, "Global", { env, synthesizer: synthesizer() });
new dynamodb.TableV2(global, "Global", {
  tableName: "global",
  partitionKey: key,
  replicas: [{ region: "eu-west-1" }],
});

// The same logical ID in two stacks.
for (const name of ["Green", "Blue"]) {
  const stack = new cdk.Stack(app, name, { env, synthesizer: synthesizer() });
  new dynamodb.Table(stack, "Table", { partitionKey: key, readCapacity: 1, writeCapacity: 1 });
}

// A cluster alone, and a stack that costs nothing here.
const cache = new cdk.Stack(app, "Cache", { env, synthesizer: synthesizer() });
new dax.CfnCluster(cache, "Cluster", {
  iamRoleArn: "arn:aws:iam::111122223333:role/dax",
  nodeType: "dax.r5.large",
  replicationFactor: 3,
});
const queues = new cdk.Stack(app, "Queues", { env, synthesizer: synthesizer() });
new sqs.Queue(queues, "Jobs");

app.synth();
