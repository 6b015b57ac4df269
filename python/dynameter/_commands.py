"""The commands as functions. Each runs the command of the same name in this process."""

from __future__ import annotations

import datetime
import decimal
import json
import math
import os
import warnings
from typing import Any, Dict, Iterable, List, Optional, Sequence, Union

from dynameter import _errors, _native
from dynameter._progress import progress_bar
from dynameter._result import Checked, Result, of_json

Design = Union[str, "os.PathLike[str]", Dict[str, Any]]

_BATCHES = "<trace>"

# Options that say where a result goes, or in which form.
_OF_THE_COMMAND = {"format", "output", "quiet", "summary", "top", "inspect", "queries", "help", "version"}


def _json(value: Any, path: str) -> str:
    """A member of a design as JSON; ``path`` is where it is.

    Raises ``TypeError`` or ``ValueError`` for what TOML does not have.
    """
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"{path}: is no text: {error}") from None
        return json.dumps(value)
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise ValueError(f"{path}: {value} is too large; write a number below 2**63")
        return str(value)
    if isinstance(value, (float, decimal.Decimal)):
        if not math.isfinite(value):
            raise ValueError(f"{path}: {value} is not a number that a design can have")
        return format(value, "f") if isinstance(value, decimal.Decimal) else repr(value)
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return json.dumps(value.isoformat())
    if isinstance(value, os.PathLike):
        return json.dumps(os.fspath(value))
    if path.count(".") + path.count("[") > 64:
        raise ValueError(f"{path}: is nested too deeply")
    if isinstance(value, dict):
        members = []
        for name, member in value.items():
            if not isinstance(name, str):
                raise TypeError(f"{path}: the key {name!r} is no text")
            inner = f"{path}.{name}" if path else name
            if member is not None:
                members.append(f"{json.dumps(name)}: {_json(member, inner)}")
        return "{" + ", ".join(members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_json(one, f"{path}[{at}]") for at, one in enumerate(value)) + "]"
    kind = type(value).__name__
    raise TypeError(f"{path}: a {kind} is not a value that a design can have")


class _Inputs:
    """The arguments of a command, and the texts that stand for files."""

    def __init__(self) -> None:
        self.texts: Dict[str, str] = {}
        self.dictionaries: set = set()
        self.batches: Any = None

    def text(self, value: Any, name: str) -> str:
        """The argument that stands for a path, a TOML text or a dictionary."""
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        if isinstance(value, str):
            is_text = "\n" in value or "=" in value
            if not is_text or ("\n" not in value and os.path.exists(value)):
                return value
        number = sum(known.startswith(f"<{name}") for known in self.texts)
        label = f"<{name}>" if number == 0 else f"<{name} {number + 1}>"
        if isinstance(value, str):
            self.texts[label] = value
        elif isinstance(value, dict):
            self.texts[label] = _native.toml_of(_json(value, ""))
            self.dictionaries.add(label)
        else:
            kind = type(value).__name__
            raise TypeError(f"{name} is a {kind}; give a path, a TOML text or a dictionary")
        return label

    def all(self, values: Any, name: str) -> List[str]:
        """Several of them, or one."""
        if not isinstance(values, (list, tuple)):
            values = [values]
        if not values:
            raise ValueError(f"no {name} is given")
        return [self.text(value, name) for value in values]

    def trace(self, trace: Any) -> List[str]:
        """The paths of a trace; data with the Arrow C stream interface is read as it is."""
        if isinstance(trace, (str, os.PathLike)):
            return [os.fspath(trace)]
        if isinstance(trace, (list, tuple)) and all(
            isinstance(path, (str, os.PathLike)) for path in trace
        ):
            if not trace:
                raise ValueError("no trace is given")
            return [os.fspath(path) for path in trace]
        if not hasattr(trace, "__arrow_c_stream__"):
            kind = type(trace).__name__
            raise TypeError(
                f"trace is a {kind}; give paths, a pyarrow.Table or RecordBatchReader, or a data "
                "frame of polars (1.3 or later) or pandas (2.2 or later)"
            )
        self.batches = trace
        return [_BATCHES]


def _paths(values: Any, name: str) -> List[str]:
    """One path or several."""
    if isinstance(values, (str, os.PathLike)):
        values = [values]
    paths = [os.fspath(value) for value in values]
    if not paths:
        raise ValueError(f"no {name} is given")
    return paths


def _options(options: Dict[str, Any]) -> List[str]:
    """Keyword arguments as options: ``month_hours=720`` is ``--month-hours=720``."""
    arguments: List[str] = []
    for name, value in options.items():
        if name in _OF_THE_COMMAND:
            raise TypeError(f"{name} is an option of the command line; the result is returned here")
        option = "--" + name.rstrip("_").replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            arguments.append(option)
            continue
        if isinstance(value, dict):
            value = [f"{key}={one}" for key, one in value.items()]
        several = value if isinstance(value, (list, tuple)) else [value]
        for one in several:
            text = os.fspath(one) if isinstance(one, os.PathLike) else str(one)
            arguments.append(f"{option}={text}")
    return arguments


def _run(
    inputs: _Inputs,
    command: Sequence[str],
    paths: Sequence[str] = (),
    *,
    codes: Iterable[int] = (0,),
    what: str = "",
) -> tuple:
    """Runs a command on paths; returns its exit code, its output and its notes."""
    arguments = [*command, "--", *paths] if paths else list(command)
    with progress_bar(what) as progress:
        code, output, notes, mistakes = _native.run(
            arguments, inputs.texts, inputs.batches, progress
        )
    if code not in codes:
        raise _errors.of(notes, mistakes, frozenset(inputs.dictionaries), len(inputs.texts))
    return code, output, notes


def _result(
    inputs: _Inputs, command: Sequence[str], paths: Sequence[str] = (), *, what: str = ""
) -> Any:
    _, output, notes = _run(inputs, [*command, "--format", "json"], paths, what=what)
    return of_json(output.decode(), notes)


def estimate(design: Union[Design, List[Design]], **options: Any) -> Result:
    """What a design costs a month, line by line.

    ``design`` is a path, a TOML text or a dictionary, or a list of them: workload files, Terraform
    plans, CloudFormation templates. Options are those of ``dynameter estimate``: ``region``,
    ``prices`` (a date or a folder of price books), ``commitments``, ``month_hours``, ``months``,
    ``usage``, ``list_prices``.

    ``result["total_usd"]`` is US dollars a month; ``result["lines"]`` has for each line of the bill
    its quantity, its rate, its amount and because of what it is.

    Raises :class:`DynameterError` with every mistake and its place.
    """
    inputs = _Inputs()
    paths = inputs.all(design, "design")
    return _result(inputs, ["estimate", *_design(inputs, options)], paths)


def explain(design: Union[Design, List[Design]], **options: Any) -> Result:
    """The bill with the rule, the source and the price behind each line. Options as ``estimate``."""
    inputs = _Inputs()
    paths = inputs.all(design, "design")
    return _result(inputs, ["explain", *_design(inputs, options)], paths)


def compare(design: Union[Design, List[Design]], **options: Any) -> Result:
    """What every alternative costs: capacity modes, table classes, indexes, caches, commitments.

    ``result["advice"]`` has the changes that pay, with ``saves_usd`` a month; ``alternatives`` has
    all of them. Options as ``estimate``, and ``throttled``, ``days``, ``seed`` and others of
    ``dynameter compare``.
    """
    inputs = _Inputs()
    paths = inputs.all(design, "design")
    return _result(inputs, ["compare", *_design(inputs, options)], paths, what="compare")


def headroom(design: Design, trace: Any = None, **options: Any) -> Result:
    """What breaks first: the factor of traffic up to which each part of a design holds, and why.

    ``result["accounts"]`` has ``factor``, ``limit``, ``next``, ``month`` and ``because`` of each;
    ``events`` what the events of the file do. Options: ``without_region`` (the loss of a region),
    ``throttled``, and with ``trace``, whose traffic then counts, those of ``replay``.
    """
    inputs = _Inputs()
    if trace is not None:
        options["trace"] = inputs.trace(trace)
    designs = [inputs.text(design, "design")]
    return _result(inputs, ["headroom", *_design(inputs, options)], designs, what="headroom")


def check(
    design: Union[Design, List[Design]], budget: Optional[Design] = None, **options: Any
) -> Checked:
    """Checks designs against a budget: a path, a TOML text or a dictionary.

    The result is true if nothing failed. ``baseline`` is the design before a change.
    """
    inputs = _Inputs()
    paths = inputs.all(design, "design")
    if budget is not None:
        options["budget"] = inputs.text(budget, "budget")
    if options.get("baseline") is not None:
        options["baseline"] = inputs.all(options["baseline"], "baseline")
    arguments = ["check", *_design(inputs, options), "--format", "json"]
    code, output, notes = _run(inputs, arguments, paths, codes=(0, 1))
    return Checked(output.decode(), notes, code == 0)


def diff(old: Design, new: Design, **options: Any) -> Result:
    """What a change of a design does to its bill, in US dollars a month, and why."""
    inputs = _Inputs()
    designs = [inputs.text(old, "old"), inputs.text(new, "new")]
    return _result(inputs, ["diff", *_design(inputs, options)], designs)


def replay(trace: Any, workload: Optional[Design] = None, **options: Any) -> Result:
    """Replays a trace: what its calls consume, what a month of it costs, in every capacity mode.

    ``trace`` is a path or a list of paths, or anything with the Arrow C stream interface. ``workload``
    declares the tables. Options are those of ``dynameter replay``: ``table``, ``map``, ``set``,
    ``from_``, ``to``, ``threads``, ``skip_bad_rows``, ``verify`` and others.
    """
    inputs = _Inputs()
    paths = inputs.trace(trace)
    return _result(inputs, ["replay", *_replayed(inputs, workload, options)], paths, what="replay")


def join(
    parts: Sequence[Union[str, "os.PathLike[str]"]],
    workload: Optional[Design] = None,
    **options: Any,
) -> Result:
    """Joins the parts of all shares of a trace, files that ``replay --partial`` wrote."""
    inputs = _Inputs()
    paths = _paths(parts, "part")
    arguments = ["replay", "--merge", *_replayed(inputs, workload, options)]
    return _result(inputs, arguments, paths, what="join")


def reconcile(
    bill: Any, workload: Optional[Design] = None, trace: Any = None, **options: Any
) -> Result:
    """Explains a bill (CUR, FOCUS, Cost Explorer …), alone or beside a design or a trace.

    ``bill`` is a path or a list of paths. Options are those of ``dynameter reconcile``: ``month``,
    ``by``, ``cost``, ``tolerance`` and others. ``result.passed`` is false if too much of the
    difference is unexplained.
    """
    inputs = _Inputs()
    paths = _paths(bill, "bill")
    if workload is not None:
        options["workload"] = inputs.text(workload, "workload")
    if trace is not None:
        options["trace"] = inputs.trace(trace)
    arguments = ["reconcile", *_design(inputs, options), "--format", "json"]
    code, output, notes = _run(inputs, arguments, paths, codes=(0, 1), what="reconcile")
    return Checked(output.decode(), notes, code == 0)


def import_(kind: str, *files: Any, **options: Any) -> str:
    """Makes a workload file, as TOML text, from other tools' files.

    ``kind`` is one of those that ``dynameter import`` takes: ``terraform``, ``cloudformation``,
    ``describe-table``, ``cloudwatch``, ``export``, ``bill``, ``account`` and others.
    """
    inputs = _Inputs()
    given: List[Any] = []
    for file in files:
        given += file if isinstance(file, (list, tuple)) else [file]
    paths = [inputs.text(file, "file") for file in given]
    arguments = ["import", *_design(inputs, options)]
    _, output, notes = _run(inputs, arguments, [kind, *paths], what=f"import {kind}")
    for note in notes:
        warnings.warn(note, stacklevel=2)
    return output.decode()


def import_terraform(*files: Any, **options: Any) -> str:
    """A workload file of a Terraform plan (``terraform show -json``), as TOML text."""
    return import_("terraform", *files, **options)


def import_cloudformation(*files: Any, **options: Any) -> str:
    """A workload file of CloudFormation templates, as TOML text."""
    return import_("cloudformation", *files, **options)


def import_describe_table(*files: Any, **options: Any) -> str:
    """A workload file of answers of DescribeTable, as TOML text."""
    return import_("describe-table", *files, **options)


def import_cloudwatch(*files: Any, **options: Any) -> str:
    """A workload file of CloudWatch metrics, as TOML text."""
    return import_("cloudwatch", *files, **options)


def import_export(*files: Any, **options: Any) -> str:
    """A workload file of an export to S3, as TOML text."""
    return import_("export", *files, **options)


def import_bill(*files: Any, **options: Any) -> str:
    """A workload file of measured units from a bill, as TOML text."""
    return import_("bill", *files, **options)


def import_account(*files: Any, **options: Any) -> str:
    """A workload file of the tables of an account, as TOML text: of a folder that ``--raw`` wrote, or,
    in the full wheel, of AWS itself."""
    return import_("account", *files, **options)


def prices(region: Optional[str] = None, date: Optional[str] = None) -> Result:
    """The price books; with a region, its rates at a date (default: the newest)."""
    inputs = _Inputs()
    if region is None:
        return _result(inputs, ["prices", "list", *_options({"prices": date})])
    return _result(inputs, ["prices", "show", *_options({"region": region, "date": date})])


def rules(*numbers: str) -> Result:
    """The metering rules, each with its source: all, or those with these numbers, such as ``"3.8"``, or
    in these sections, such as ``"3"``."""
    return _result(_Inputs(), ["rules", *map(str, numbers)])


def schema(budget: bool = False) -> Dict[str, Any]:
    """The JSON Schema of workload files, or of budget files."""
    _, output, _ = _run(_Inputs(), ["schema", *_options({"budget": budget})])
    return json.loads(output)


def key_hash(key: bytes) -> int:
    """The hash of a key, from 0 to 2**64 - 1: a key has the same hash in every format of a trace."""
    return _native.key_hash(key)


def share_of(hash: int, shares: int) -> int:
    """The number of the share, from 1, to which the hash of a partition key belongs."""
    return _native.share_of(hash, shares)


def _design(inputs: _Inputs, options: Dict[str, Any]) -> List[str]:
    """Options of a command on designs; files among them may be texts or dictionaries too."""
    options = dict(options)
    for name in ("commitments", "usage"):
        if options.get(name) is not None:
            options[name] = inputs.text(options[name], name)
    return _options(options)


def _replayed(inputs: _Inputs, workload: Optional[Design], options: Dict[str, Any]) -> List[str]:
    """Options of a replay."""
    options = dict(options)
    if "usage" in options:
        raise TypeError("usage belongs to plans and templates; a replay has the workload")
    if workload is not None:
        options["workload"] = inputs.text(workload, "workload")
    return _design(inputs, options)
