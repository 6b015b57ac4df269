"""Spark gives the bytes of one process, on several machines, and after a worker was killed."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import dynameter
import pytest
from conftest import DESIGN, rows

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
pytest.importorskip("pyspark", reason="pyspark is not installed")
if shutil.which("java") is None:
    pytest.skip("Java is not installed", allow_module_level=True)

ROWS = 200_000


@pytest.fixture(scope="module")
def spark():
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .appName("dynameter")
        .config("spark.ui.enabled", "false")
        .config("spark.task.maxFailures", "8")
        .config("spark.executorEnv.PYTHONPATH", os.environ.get("PYTHONPATH", ""))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trace")
    columns = rows(ROWS)
    columns["item_bytes"] = pa.array(columns["item_bytes"], pa.uint32())
    table = pa.table(columns)
    paths = []
    for at, begin in enumerate(range(0, ROWS, 45_000)):
        paths.append(str(folder / f"{at}.parquet"))
        pq.write_table(table.slice(begin, 45_000), paths[-1], row_group_size=20_000)
    return paths


def _workers():
    """The processes of Python that run tasks."""
    found = subprocess.run(["pgrep", "-f", "pyspark.daemon"], capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def test_files_come_to_the_same_bytes_though_a_worker_is_killed(spark, files):
    from dynameter.spark import replay

    expected = dynameter.replay(files, DESIGN)
    killed = []
    done = threading.Event()

    def kill_one():
        while not done.is_set() and not killed:
            for pid in _workers()[:1]:
                try:
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                except ProcessLookupError:
                    pass
            time.sleep(0.05)

    killer = threading.Thread(target=kill_one)
    killer.start()
    try:
        found = replay(spark, files, DESIGN, shares=20)
    finally:
        done.set()
        killer.join()
    assert killed
    assert found.json == expected.json


def test_a_data_frame_comes_to_the_same_figures(spark, files):
    from dynameter.spark import replay

    expected = dynameter.replay(files, DESIGN)
    frame = spark.read.parquet(*files).repartitionByRange(3, "time").sortWithinPartitions("time")
    found = replay(spark, frame, DESIGN, shares=2)
    for name, value in expected.items():
        if name == "trace":
            value = {**value, "files": found["trace"]["files"], "formats": ["arrow"]}
        assert found[name] == value, name


def test_addresses_are_read_by_spark(spark, files):
    from dynameter.spark import replay

    expected = dynameter.replay(files)
    found = replay(spark, ["file://" + path for path in files], shares=3)
    assert found["lines"] == expected["lines"]
    assert [name.rsplit("/", 1)[-1] for name in found["trace"]["files"]] == [
        path.rsplit("/", 1)[-1] for path in files
    ]


def test_mistakes_are_told_before_anything_is_read(spark):
    from dynameter.spark import replay

    with pytest.raises(ValueError, match="needs all rows in one order"):
        replay(spark, ["nothing.parquet"], dax="1 GB")
    with pytest.raises(ValueError, match="nothing.parquet: no such file"):
        replay(spark, ["nothing.parquet"])
    with pytest.raises(dynameter.DynameterError, match="name"):
        replay(spark, ["nothing.parquet"], {"region": "us-east-1"})


def test_the_error_of_a_task_is_told(spark, tmp_path):
    from dynameter.spark import replay

    path = tmp_path / "bad.csv"
    path.write_text("time,operation,key\nnever,GetItem,a\n")
    with pytest.raises(dynameter.DynameterError, match="bad.csv:2") as caught:
        replay(spark, [path], shares=2)
    assert "Traceback" not in str(caught.value)
