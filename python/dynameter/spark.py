"""A replay on Spark: where the logs lie, and on as many machines as they need.

A task decodes each file and deals its rows to shares of the keys, the shuffle brings the rows of a
share together, a task runs each share, and the parts come back and are joined. The result is that of
one process, byte for byte. Works with PySpark 3.3 and later, with Spark Connect too.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union

from dynameter import _commands, _shares
from dynameter._commands import Design
from dynameter._errors import DynameterError
from dynameter._result import Result

# Parts that one task joins, and that the driver joins at the end.
_JOINED = 16

# Rows of a batch between Spark and Python.
_BATCH_ROWS = 4

_BYTES_OF_A_BATCH = "spark.sql.execution.arrow.maxBytesPerBatch"
_ROWS_OF_A_BATCH = "spark.sql.execution.arrow.maxRecordsPerBatch"


def replay(
    spark: Any,
    trace: Any,
    workload: Optional[Design] = None,
    *,
    shares: Optional[int] = None,
    **options: Any,
) -> Result:
    """Replays a trace on a Spark session.

    ``trace`` is a path or a list of paths: of files that every machine sees under the same path, or
    addresses that Spark reads (``s3://…``, ``hdfs://…``; patterns and folders too). Or it is a Spark
    DataFrame with the columns of a trace (``time``, ``operation``, ``key`` …, docs/traces.md), sorted
    by time within each partition. ``shares`` (default: the session's parallelism, at most 256) is the
    number of shares of the keys. Options are those of ``dynameter.replay``.

    Raises ``ValueError`` if an option needs one order over all keys, and
    :class:`dynameter.DynameterError` if a step fails.
    """
    plan = _shares.plan(shares or _parallelism(spark), workload, options)
    with _told(), _small_batches(spark, is_frame=hasattr(trace, "mapInArrow")):
        dealt, files = _dealt(spark, trace, plan)
        dealt = _apart(spark, dealt, "share", plan.shares)
        parts = dealt.mapInArrow(_run_of(plan, files), "share int, part binary")
        parts = _joined(spark, parts, plan)
        with tempfile.TemporaryDirectory(prefix="dynameter-") as folder:
            paths = []
            for at, row in enumerate(parts.toLocalIterator()):
                paths.append(os.path.join(folder, f"{at:06}.parquet"))
                with open(paths[-1], "wb") as file:
                    file.write(row["part"])
            return _shares.join(plan, paths)


_ERROR = "dynameter._errors.DynameterError: "


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Raises the error of a task as it was raised there."""
    try:
        yield
    except DynameterError:
        raise
    except Exception as error:
        text = str(error)
        if _ERROR not in text:
            raise
        # Spark puts its own stack after the error.
        message = text.split(_ERROR, 1)[1].split("\n\n", 1)[0].split("\n\tat ", 1)[0]
        raise DynameterError(message.strip(), []) from error


@contextlib.contextmanager
def _small_batches(spark: Any, is_frame: bool) -> Iterator[None]:
    """Lets few rows into a batch between Spark and Python.

    A row is a blob or a part, of up to hundreds of MB: with Spark's own number, 10,000, a batch might
    not fit into memory. The rows of a DataFrame are small and many, so that only their bytes are
    limited, where Spark has this limit (4.0 and later).
    """
    wanted = {_BYTES_OF_A_BATCH: str(64 << 20)}
    if not is_frame:
        wanted[_ROWS_OF_A_BATCH] = str(_BATCH_ROWS)
    before = {}
    for name, value in wanted.items():
        try:
            before[name] = spark.conf.get(name, None)
            spark.conf.set(name, value)
        except Exception:  # Not a setting of this version.
            before.pop(name, None)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                spark.conf.unset(name)
            else:
                spark.conf.set(name, value)


def _apart(spark: Any, frame: Any, column: str, count: int) -> Any:
    """One partition for each number of a column, from 1 to ``count``.

    Spark puts a row where the hash of its key says, so that numbers would meet by chance. For each
    number a key is chosen whose hash leads to a partition of its own.
    """
    from pyspark.sql import functions as F

    if count == 1:
        return frame.coalesce(1)
    keys: Dict[int, int] = {}
    size = 16 * count
    while len(keys) < count:
        found = spark.range(size).select(
            F.col("id"), F.expr(f"pmod(hash(id), {count})").alias("partition")
        )
        for row in found.orderBy("id").collect():
            keys.setdefault(row["partition"], row["id"])
        size *= 4
    chosen = F.array(*(F.lit(keys[partition]).cast("long") for partition in range(count)))
    key = F.element_at(chosen, F.col(column))
    return frame.withColumn("key", key).repartition(count, "key").drop("key")


def _parallelism(spark: Any) -> int:
    try:
        return max(1, min(256, spark.sparkContext.defaultParallelism))
    except Exception:  # Spark Connect has no context.
        return 16


_DEALT = "share int, number int, blob binary"


def _dealt(spark: Any, trace: Any, plan: _shares.Plan) -> Tuple[Any, Optional[int]]:
    """The blobs of all files and shares, as a DataFrame, and the number of files."""
    if hasattr(trace, "mapInArrow"):
        return trace.mapInArrow(_deal_rows_of(plan, list(trace.columns)), _DEALT), None
    paths = _commands._paths(trace, "trace")
    if not any("://" in path for path in paths):
        paths = _shares.files_of(paths)
        numbered = spark.createDataFrame(list(enumerate(paths)), "number int, path string")
        numbered = numbered.repartitionByRange(len(paths), "number")
        return numbered.mapInArrow(_deal_paths_of(plan, len(paths)), _DEALT), len(paths)
    found: List[str] = []
    for path in paths:
        rows = spark.read.format("binaryFile").load(path).select("path").collect()
        found += sorted(row["path"] for row in rows)
    numbers = {path: number for number, path in enumerate(found)}
    if len(numbers) < len(found):
        raise ValueError("a file is named twice")
    content = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(paths)
    content = content.select("path", "content")
    return content.mapInArrow(_deal_content_of(plan, numbers), _DEALT), len(found)


def _batch(rows: Sequence[Dict[str, Any]]) -> Any:
    import pyarrow as pa

    kinds = {"share": pa.int32(), "number": pa.int32(), "blob": pa.binary(), "part": pa.binary()}
    names = list(rows[0])
    columns = [pa.array([row[name] for row in rows], kinds[name]) for name in names]
    return pa.RecordBatch.from_arrays(columns, names)


def _blobs(number: int, blobs: Sequence[bytes]) -> Iterator[Any]:
    """One batch for each blob, so that only one of them is in a batch."""
    for share, blob in enumerate(blobs, start=1):
        yield _batch([{"share": share, "number": number, "blob": blob}])


def _deal_paths_of(plan: _shares.Plan, files: int):
    def deal(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            for row in batch.to_pylist():
                blobs = _shares.deal(plan, row["path"], row["number"], several=files > 1)
                yield from _blobs(row["number"], blobs)

    return deal


def _deal_content_of(plan: _shares.Plan, numbers: Dict[str, int]):
    def deal(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            for row in batch.to_pylist():
                number = numbers[row["path"]]
                with tempfile.TemporaryDirectory(prefix="dynameter-") as folder:
                    # The ending of the name says what the file is.
                    path = os.path.join(folder, row["path"].rsplit("/", 1)[-1])
                    with open(path, "wb") as file:
                        file.write(row["content"])
                    blobs = _shares.deal(plan, path, number, name=row["path"])
                yield from _blobs(number, blobs)

    return deal


def _deal_rows_of(plan: _shares.Plan, columns: List[str]):
    def deal(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow as pa
        from pyspark import TaskContext

        number = TaskContext.get().partitionId()
        first = next(batches, None)
        if first is None:
            # An empty partition is a file without rows.
            rows = pa.table({column: pa.array([], pa.string()) for column in columns})
        else:
            rows = pa.RecordBatchReader.from_batches(
                first.schema, itertools.chain([first], batches)
            )
        yield from _blobs(number, _shares.deal(plan, rows, number, name="<DataFrame>"))

    return deal


def _run_of(plan: _shares.Plan, files: Optional[int]):
    def run(batches: Iterator[Any]) -> Iterator[Any]:
        with tempfile.TemporaryDirectory(prefix="dynameter-") as folder:
            paths: Dict[int, List[str]] = {}
            for batch in batches:
                for row in batch.to_pylist():
                    own = paths.setdefault(row["share"], [])
                    own.append(os.path.join(folder, f"{row['share']}-{len(own)}.dealt"))
                    with open(own[-1], "wb") as file:
                        file.write(row["blob"])
            for share in sorted(paths):
                part = _shares.run(plan, paths[share], share, files=files)
                yield _batch([{"share": share, "part": part}])

    return run


def _joined(spark: Any, parts: Any, plan: _shares.Plan) -> Any:
    """Joins parts in groups on the machines until the driver can join them."""
    from pyspark.sql import functions as F

    count = plan.shares
    while count > _JOINED:
        count = -(-count // _JOINED)
        parts = parts.withColumn("share", F.expr(f"pmod(share, {count}) + 1").cast("int"))
        parts = _apart(spark, parts, "share", count)
        parts = parts.mapInArrow(_join_of(plan), "share int, part binary")
    return parts


def _join_of(plan: _shares.Plan):
    def join(batches: Iterator[Any]) -> Iterator[Any]:
        with tempfile.TemporaryDirectory(prefix="dynameter-") as folder:
            paths: List[str] = []
            first = 0
            for batch in batches:
                for row in batch.to_pylist():
                    first = first or row["share"]
                    paths.append(os.path.join(folder, f"{len(paths)}.parquet"))
                    with open(paths[-1], "wb") as file:
                        file.write(row["part"])
            if paths:
                yield _batch([{"share": first, "part": _shares.join_some(plan, paths)}])

    return join
