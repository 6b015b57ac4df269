"""Makes random calls to a server that answers as DynamoDB does, and writes them as a request log.

    random_calls.py URL COUNT SEED LOG
"""

import http.client
import json
import random
import sys
from urllib.parse import urlparse

url, count, seed, log = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), open(sys.argv[4], "w")
chance = random.Random(seed)
server = http.client.HTTPConnection(urlparse(url).netloc)
second = 1_735_689_600.0
AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=id/20250101/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=host;x-amz-date;x-amz-target, Signature=0"
)


def call(operation, request):
    """Makes a call and writes it down; the answer."""
    global second
    second += 0.01
    body = json.dumps(request)
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        "X-Amz-Date": "20250101T000000Z",
        "Authorization": AUTHORIZATION,
    }
    server.request("POST", "/", body, headers)
    response = server.getresponse()
    answer = json.loads(response.read() or b"{}")
    line = {"time": round(second, 3), "operation": operation, "request": request}
    if response.status != 200:
        code = answer.get("__type", "").split("#")[-1]
        if code not in ("ConditionalCheckFailedException", "TransactionCanceledException"):
            return None
        line["error"] = code
        line["response"] = answer
    if "ConsumedCapacity" in answer:
        line["consumed"] = answer["ConsumedCapacity"]
    if any(answer.get(name) for name in ("UnprocessedItems", "UnprocessedKeys")):
        line["response"] = {name: answer[name] for name in ("UnprocessedItems", "UnprocessedKeys") if name in answer}
    if operation in ("Query", "Scan"):
        line["response"] = {name: answer[name] for name in ("Count", "ScannedCount", "LastEvaluatedKey") if name in answer}
    log.write(json.dumps(line) + "\n")
    return answer


TABLES = {
    "plain": {"keys": ["pk"], "globals": {}, "locals": {}},
    "sorted": {
        "keys": ["pk", "sk"],
        "globals": {"by-a": (["a"], "ALL"), "by-b": (["b", "sk"], "KEYS_ONLY")},
        "locals": {"local-c": (["pk", "c"], ("INCLUDE", ["x"]))},
    },
    "wide": {
        "keys": ["pk", "sk"],
        "globals": {"by-c": (["c", "a"], ("INCLUDE", ["x", "y"])), "by-a": (["a"], "KEYS_ONLY")},
        "locals": {},
    },
}
KEY_ATTRIBUTES = ["pk", "sk", "a", "b", "c"]


def schema(names):
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ["HASH", "RANGE"])]


def projection(kind):
    if isinstance(kind, str):
        return {"ProjectionType": kind}
    return {"ProjectionType": kind[0], "NonKeyAttributes": kind[1]}


def create(name, table):
    indexes = {**table["globals"], **table["locals"]}
    used = set(table["keys"]).union(*(keys for keys, _ in indexes.values()))
    request = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": schema(table["keys"]),
        "AttributeDefinitions": [{"AttributeName": one, "AttributeType": "S"} for one in KEY_ATTRIBUTES if one in used],
    }
    for part, field in (("globals", "GlobalSecondaryIndexes"), ("locals", "LocalSecondaryIndexes")):
        if table[part]:
            request[field] = [
                {"IndexName": index, "KeySchema": schema(keys), "Projection": projection(kind)}
                for index, (keys, kind) in table[part].items()
            ]
    assert call("CreateTable", request) is not None, name


def key(table):
    values = {"pk": {"S": f"p{chance.randrange(12)}"}, "sk": {"S": f"s{chance.randrange(9)}"}}
    return {name: values[name] for name in table["keys"]}


def value():
    kind = chance.randrange(8)
    if kind < 3:
        return {"S": "v" * chance.choice([1, 10, 300, 900, 1100, 2500, 4000])}
    if kind == 3:
        return {"N": chance.choice(["0", "-1", "1", "1234567.5", "1e30", "-0.00012", "100"])}
    if kind == 4:
        return {"SS": [f"e{at}" for at in range(1 + chance.randrange(5))]}
    if kind == 5:
        return {"M": {"n": {"N": str(chance.randrange(1000))}, "l": {"L": [{"BOOL": True}, {"NULL": True}]}}}
    if kind == 6:
        return {"L": [{"S": "é" * chance.randrange(40)}, {"B": "AAECAw=="}]}
    return {"BOOL": False}


def item(table):
    made = key(table)
    for name in ("a", "b", "c"):
        if chance.random() < 0.6:
            made[name] = {"S": f"{name}{chance.randrange(5)}"}
    for name in ("x", "y", "z"):
        if chance.random() < 0.7:
            made[name] = value()
    return made


def some():
    name = chance.choice(list(TABLES))
    return name, TABLES[name]


def condition():
    return chance.choice(["attribute_exists(pk)", "attribute_not_exists(pk)", "attribute_exists(x)"])


def update(table):
    names = [name for name in ("a", "b", "c", "x", "y", "n") if chance.random() < 0.4] or ["x"]
    sets, removes, values = [], [], {}
    for at, name in enumerate(names):
        if name == "n":
            sets.append("n = if_not_exists(n, :n) + :n")
            values[":n"] = {"N": "3"}
        elif chance.random() < 0.3:
            removes.append(name)
        else:
            sets.append(f"{name} = :v{at}")
            values[f":v{at}"] = {"S": f"{name}{chance.randrange(5)}"} if name in "abc" else value()
    text = " ".join(filter(None, ["SET " + ", ".join(sets) if sets else "", "REMOVE " + ", ".join(removes) if removes else ""]))
    request = {"Key": key(table), "UpdateExpression": text}
    if values:
        request["ExpressionAttributeValues"] = values
    return request


def different(of, most):
    """Requests of different keys."""
    found = {}
    for _ in range(1 + chance.randrange(most)):
        name, table = some()
        made = of(name, table)
        keys = made.get("Key", made.get("Item", made))
        found[(name, *(keys[one]["S"] for one in table["keys"]))] = (name, made)
    return list(found.values())


def one():
    name, table = some()
    common = {"TableName": name, "ReturnConsumedCapacity": "INDEXES"}
    strong = {"ConsistentRead": True} if chance.random() < 0.5 else {}
    kind = chance.randrange(20)
    if kind < 4:
        more = {"ConditionExpression": condition()} if chance.random() < 0.3 else {}
        call("PutItem", {**common, "Item": item(table), **more})
    elif kind < 8:
        more = {"ConditionExpression": condition()} if chance.random() < 0.3 else {}
        call("UpdateItem", {**common, **update(table), **more})
    elif kind < 10:
        more = {"ConditionExpression": condition()} if chance.random() < 0.3 else {}
        call("DeleteItem", {**common, "Key": key(table), **more})
    elif kind < 12:
        call("GetItem", {**common, "Key": key(table), **strong})
    elif kind < 14:
        indexes = [None, *table["globals"], *table["locals"]]
        index = chance.choice(indexes)
        request = {**common}
        partition = "pk"
        if index:
            keys, _ = {**table["globals"], **table["locals"]}[index]
            partition, request["IndexName"] = keys[0], index
        if index not in table["globals"]:
            request.update(strong)
        letter = {"pk": "p"}.get(partition, partition)
        request["KeyConditionExpression"] = f"{partition} = :k"
        request["ExpressionAttributeValues"] = {":k": {"S": f"{letter}{chance.randrange(5)}"}}
        if chance.random() < 0.4:
            request["Limit"] = 1 + chance.randrange(4)
        call("Query", request)
    elif kind < 15:
        request = {**common, **strong}
        if chance.random() < 0.4:
            request["Limit"] = 1 + chance.randrange(20)
        call("Scan", request)
    elif kind < 16:
        requests = {}
        for name, made in different(lambda name, table: {"Item": item(table)} if chance.random() < 0.7 else {"Key": key(table)}, 8):
            entry = {"PutRequest": made} if "Item" in made else {"DeleteRequest": made}
            requests.setdefault(name, []).append(entry)
        call("BatchWriteItem", {"RequestItems": requests, "ReturnConsumedCapacity": "INDEXES"})
    elif kind < 17:
        requests = {}
        for name, made in different(lambda name, table: {"Key": key(table)}, 8):
            requests.setdefault(name, {"Keys": [], **strong})["Keys"].append(made["Key"])
        call("BatchGetItem", {"RequestItems": requests, "ReturnConsumedCapacity": "INDEXES"})
    elif kind < 19:

        def member(name, table):
            return chance.choice([{"Item": item(table)}, {"Key": key(table)}, update(table)])

        members = []
        for name, made in different(member, 5):
            kind = "Put" if "Item" in made else "Update" if "UpdateExpression" in made else "Delete"
            if kind == "Delete" and chance.random() < 0.3:
                kind, made = "ConditionCheck", {**made, "ConditionExpression": condition()}
            members.append({kind: {"TableName": name, **made}})
        call("TransactWriteItems", {"TransactItems": members, "ReturnConsumedCapacity": "INDEXES"})
    else:
        members = [{"Get": {"TableName": name, **made}} for name, made in different(lambda name, table: {"Key": key(table)}, 5)]
        call("TransactGetItems", {"TransactItems": members, "ReturnConsumedCapacity": "INDEXES"})


for name, table in TABLES.items():
    create(name, table)
for _ in range(count):
    one()
log.close()
