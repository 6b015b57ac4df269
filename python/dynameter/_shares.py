"""Deal, run and join: the three steps of a replay that several processes or machines share.

Each step depends on its input alone: a step that is repeated returns the same bytes. Nothing here
knows which engine calls it; :mod:`dynameter.local` and :mod:`dynameter.spark` do.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Union

from dynameter import _commands
from dynameter._commands import Design
from dynameter._result import Result

# Options that say how a trace is read: they belong to the deal alone.
_READING = {
    "from_",
    "kind",
    "map",
    "period",
    "set",
    "table",
    "time_format",
    "time_unit",
    "to",
    "window",
}

# Options that only the last step takes.
_PRICING = {"hot_keys", "month_hours", "prices", "throttled", "commitments", "list_prices", "from_", "to"}

# Options of one machine: what they ask for needs all rows in one order.
_ONE_ORDER = {
    "dax": "exact DAX caches",
    "checkpoint": "a checkpoint",
    "write_workload": "a workload file made of a trace",
}


class Plan(NamedTuple):
    """What all steps of a replay have in common; it can be pickled."""

    shares: int
    workload: Optional[str]
    reading: Dict[str, Any]
    running: Dict[str, Any]
    pricing: Dict[str, Any]


def plan(shares: int, workload: Optional[Design], options: Dict[str, Any]) -> Plan:
    """Checks the options before anything is read.

    Raises ``ValueError`` if an option needs one order over all keys.
    """
    if not isinstance(shares, int):
        raise TypeError(f"shares is a {type(shares).__name__}; it must be a number from 1 to 256")
    if not 1 <= shares <= 256:
        raise ValueError(f"shares is {shares}; it must be 1 to 256")
    for name, what in _ONE_ORDER.items():
        if options.get(name):
            raise ValueError(
                f"{name}: {what} needs all rows in one order; use dynameter.replay on one machine"
            )
    text = None
    if workload is not None:
        # Tells every mistake here, and not in a task.
        inputs = _commands._Inputs()
        _commands._run(inputs, ["estimate", "--format=json"], [inputs.text(workload, "workload")])
        text = _text(workload)
    # A task has one core.
    options = {name: value for name, value in options.items() if name != "threads"}
    reading = {name: value for name, value in options.items() if name in _READING}
    pricing = {name: value for name, value in options.items() if name in _PRICING}
    running = {
        name: value for name, value in options.items() if name not in _READING | _PRICING
    }
    if "skip_bad_rows" in running:
        reading["skip_bad_rows"] = running["skip_bad_rows"]
    return Plan(shares, text, reading, running, pricing)


def _text(workload: Design) -> str:
    """A workload as TOML text, so that it can travel."""
    inputs = _commands._Inputs()
    argument = inputs.text(workload, "workload")
    if argument in inputs.texts:
        return inputs.texts[argument]
    with open(argument, encoding="utf-8") as file:
        # A line break makes it a text even if it is one line.
        return file.read() + "\n"


def _arguments(plan: Plan, inputs: Any, options: Dict[str, Any]) -> List[str]:
    return _commands._replayed(inputs, plan.workload, options)


def deal(
    plan: Plan,
    trace: Any,
    number: int,
    *,
    name: Optional[str] = None,
    several: bool = True,
    threads: int = 1,
) -> List[bytes]:
    """Decodes a file (a path, or data with the Arrow C stream interface) and deals its rows.

    Returns a blob for each share. ``number`` is the file's place among the files of the trace, from 0.
    """
    inputs = _commands._Inputs()
    with tempfile.TemporaryDirectory(prefix="dynameter-") as folder:
        options = {**plan.reading, "deal": plan.shares, "threads": threads}
        if several or name is not None:
            options["file_number"] = number
        options["file_name"] = name
        target = ["--quiet", "--output", os.path.join(folder, "dealt")]
        paths = inputs.trace(trace)
        _commands._run(inputs, ["replay", *target, *_arguments(plan, inputs, options)], paths)
        blobs = []
        for share in range(1, plan.shares + 1):
            path = os.path.join(folder, "dealt", _blob(share, plan.shares))
            with open(path, "rb") as file:
                blobs.append(file.read())
        return blobs


def _blob(share: int, shares: int) -> str:
    return f"share-{share:03}-of-{shares:03}.dealt"


def run(
    plan: Plan,
    blobs: Sequence[Union[bytes, str]],
    share: int,
    *,
    files: Optional[int] = None,
    threads: int = 1,
) -> bytes:
    """Runs one share, from 1, of dealt rows: blobs as bytes or paths, of all files, in any order.

    Returns its part. ``files`` is the number of files that were dealt, so that a missing one is
    noticed.
    """
    inputs = _commands._Inputs()
    with tempfile.TemporaryDirectory(prefix="dynameter-") as folder:
        paths = [_path(folder, at, blob, "dealt") for at, blob in enumerate(blobs)]
        options = {**plan.running, "dealt": f"{share}/{plan.shares}", "threads": threads}
        options["files"] = files
        target = ["--partial", "--quiet", "--output", "-"]
        return _commands._run(inputs, ["replay", *target, *_arguments(plan, inputs, options)], paths)[1]


def join_some(plan: Plan, parts: Sequence[Union[bytes, str]]) -> bytes:
    """Joins the parts of some shares into one part."""
    inputs = _commands._Inputs()
    with tempfile.TemporaryDirectory(prefix="dynameter-") as folder:
        paths = [_path(folder, at, part, "parquet") for at, part in enumerate(parts)]
        arguments = ["replay", "--merge", "--partial", "--quiet", "--output", "-"]
        return _commands._run(inputs, [*arguments, *_arguments(plan, inputs, plan.running)], paths)[1]


def join(plan: Plan, parts: Sequence[Union[bytes, str]]) -> Result:
    """Joins the parts of all shares, and prices them as one replay of the whole trace."""
    inputs = _commands._Inputs()
    with tempfile.TemporaryDirectory(prefix="dynameter-") as folder:
        paths = [_path(folder, at, part, "parquet") for at, part in enumerate(parts)]
        options = {**plan.running, **plan.pricing}
        arguments = ["replay", "--merge", *_arguments(plan, inputs, options)]
        return _commands._result(inputs, arguments, paths, what="join")


def files_of(paths: Union[str, "os.PathLike[str]", Sequence[Any]]) -> List[str]:
    """The files that paths, patterns and folders name, each once, in the order of a trace."""
    return _commands._native.files(_commands._paths(paths, "trace"))


def _path(folder: str, at: int, content: Union[bytes, str], ending: str) -> str:
    if isinstance(content, str):
        return content
    path = os.path.join(folder, f"{at:06}.{ending}")
    with open(path, "wb") as file:
        file.write(content)
    return path
