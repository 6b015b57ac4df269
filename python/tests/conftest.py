"""Files for the tests, made here: a design and a trace of it."""

import datetime
import random

import pytest

DESIGN = {
    "name": "Sessions",
    "region": "us-east-1",
    "prices": "2024-11-01",
    "table": [
        {
            "name": "Sessions",
            "partition_key": {"name": "SessionId", "type": "S", "bytes": 20},
            "items": 100_000,
            "item": {"size": "1 KB"},
            "access": [
                {"name": "get", "operation": "GetItem", "rate": {"per_second": 50}},
                {"name": "put", "operation": "PutItem", "rate": {"per_second": 10}},
            ],
        }
    ],
}


@pytest.fixture
def design():
    """A design as a dictionary."""
    import copy

    return copy.deepcopy(DESIGN)


def rows(count, seed=1):
    """Calls in columns; the times ascend."""
    chance = random.Random(seed)
    begin = 1_704_067_200_000
    operations = ["GetItem", "GetItem", "GetItem", "PutItem", "DeleteItem"]
    columns = {"time": [], "operation": [], "key": [], "item_bytes": []}
    for at in range(count):
        operation = chance.choice(operations)
        columns["time"].append(begin + at * 7)
        columns["operation"].append(operation)
        columns["key"].append(f"user#{int(chance.paretovariate(0.7)) % 5_000}")
        columns["item_bytes"].append(None if operation == "DeleteItem" else chance.randrange(100, 6_000))
    return columns


def pytest_collection_modifyitems(items):
    """The light wheel has no readers of traces."""
    from dynameter import _native

    if _native.has_replay:
        return
    skip = pytest.mark.skip(reason="the light wheel has no readers of traces")
    for item in items:
        if "trace_table" in item.fixturenames or "spark" in item.fixturenames or item.get_closest_marker("traces"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def trace_table():
    """A trace as a pyarrow table."""
    pa = pytest.importorskip("pyarrow")
    columns = rows(20_000)
    columns["item_bytes"] = pa.array(columns["item_bytes"], pa.uint32())
    return pa.table(columns)
