"""A table that is there before a run: makes it with one item, or prints what it holds."""

import json
import sys

import boto3

client = boto3.client(
    "dynamodb",
    endpoint_url=sys.argv[1],
    region_name="us-east-1",
    aws_access_key_id="id",
    aws_secret_access_key="secret",
)
if sys.argv[2] == "make":
    client.create_table(
        TableName="Sessions",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "SessionId", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "SessionId", "KeyType": "HASH"}],
    )
    client.put_item(TableName="Sessions", Item={"SessionId": {"S": "mine"}})
elif sys.argv[2] == "tables":
    print(json.dumps(client.list_tables()["TableNames"]))
else:
    print(json.dumps(client.scan(TableName="Sessions")["Items"]))
