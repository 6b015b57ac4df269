"""Makes the tables of a test in moto's server, whose address is the argument."""

import sys

import boto3

KEYS = dict(aws_access_key_id="id", aws_secret_access_key="secret")


def client(service):
    return boto3.client(service, endpoint_url=sys.argv[1], region_name="eu-west-1", **KEYS)


tables = client("dynamodb")
tables.create_table(
    TableName="Orders",
    BillingMode="PAY_PER_REQUEST",
    AttributeDefinitions=[
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "customer", "AttributeType": "S"},
    ],
    KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    GlobalSecondaryIndexes=[
        {
            "IndexName": "by-customer",
            "KeySchema": [{"AttributeName": "customer", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
    StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
)
tables.create_table(
    TableName="Carts",
    BillingMode="PROVISIONED",
    ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
)
tables.update_continuous_backups(
    TableName="Orders",
    PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
)

scaling = client("application-autoscaling")
target = dict(
    ServiceNamespace="dynamodb",
    ResourceId="table/Carts",
    ScalableDimension="dynamodb:table:ReadCapacityUnits",
)
scaling.register_scalable_target(MinCapacity=5, MaxCapacity=50, **target)
scaling.put_scaling_policy(
    PolicyName="follow",
    PolicyType="TargetTrackingScaling",
    TargetTrackingScalingPolicyConfiguration={
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "DynamoDBReadCapacityUtilization"
        },
    },
    **target,
)

client("dax").create_cluster(
    ClusterName="cache",
    NodeType="dax.r5.large",
    ReplicationFactor=3,
    IamRoleArn="arn:aws:iam::123456789012:role/cache",
)
