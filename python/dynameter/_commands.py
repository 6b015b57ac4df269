"""The commands as functions. Each runs the command of the same name in this process."""

from __future__ import annotations

import json
import os
import warnings
from typing import Any, Dict, Iterable, List, Optional, Sequence, Union

from dynameter import _errors, _native
from dynameter._progress import progress_bar
from dynameter._result import Checked, Result

Design = Union[str, "os.PathLike[str]", Dict[str, Any]]

_BATCHES = "<trace>"

# Options that say where a result goes, or in which form.
_OF_THE_COMMAND = {"format", "output", "quiet", "summary", "top", "inspect", "queries", "help", "version"}


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
        if isinstance(value, str) and "\n" not in value and "=" not in value:
            return value
        number = sum(known.startswith(f"<{name}") for known in self.texts)
        label = f"<{name}>" if number == 0 else f"<{name} {number + 1}>"
        if isinstance(value, str):
            self.texts[label] = value
        elif isinstance(value, dict):
            self.texts[label] = _native.toml_of(json.dumps(value, default=str))
            self.dictionaries.add(label)
        else:
            kind = type(value).__name__
            raise TypeError(f"{name} is a {kind}; give a path, a TOML text or a dictionary")
        return label

    def all(self, values: Any, name: str) -> List[str]:
        """Several of them, or one."""
        if isinstance(values, (list, tuple)):
            return [self.text(value, name) for value in values]
        return [self.text(values, name)]

    def trace(self, trace: Any) -> List[str]:
        """The paths of a trace; data with the Arrow C stream interface is read as it is."""
        if isinstance(trace, (str, os.PathLike)):
            return [os.fspath(trace)]
        if isinstance(trace, (list, tuple)) and all(
            isinstance(path, (str, os.PathLike)) for path in trace
        ):
            return [os.fspath(path) for path in trace]
        if not hasattr(trace, "__arrow_c_stream__"):
            kind = type(trace).__name__
            raise TypeError(
                f"trace is a {kind}; give paths, a pyarrow.Table or RecordBatchReader, or a data "
                "frame of polars (1.3 or later) or pandas (2.2 or later)"
            )
        self.batches = trace
        return [_BATCHES]


def _options(options: Dict[str, Any]) -> List[str]:
    """Keyword arguments as options: ``month_hours=720`` is ``--month-hours 720``."""
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
        several = value if isinstance(value, (list, tuple)) else [value]
        for one in several:
            arguments += [option, os.fspath(one) if isinstance(one, os.PathLike) else str(one)]
    return arguments


def _run(
    inputs: _Inputs, arguments: Sequence[str], *, codes: Iterable[int] = (0,), what: str = ""
) -> tuple:
    """Runs a command; returns its exit code, its output and its notes."""
    with progress_bar(what) as progress:
        code, output, notes, mistakes = _native.run(
            list(arguments), inputs.texts, inputs.batches, progress
        )
    if code not in codes:
        raise _errors.of(notes, mistakes, frozenset(inputs.dictionaries))
    return code, output, notes


def _result(inputs: _Inputs, arguments: Sequence[str], *, what: str = "") -> Result:
    _, output, notes = _run(inputs, [*arguments, "--format", "json"], what=what)
    return Result(output.decode(), notes)


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
    return _result(inputs, ["estimate", *inputs.all(design, "design"), *_design(inputs, options)])


def explain(design: Union[Design, List[Design]], **options: Any) -> Result:
    """The bill with the rule, the source and the price behind each line. Options as ``estimate``."""
    inputs = _Inputs()
    return _result(inputs, ["explain", *inputs.all(design, "design"), *_design(inputs, options)])


def compare(design: Union[Design, List[Design]], **options: Any) -> Result:
    """What every alternative costs: capacity modes, table classes, indexes, caches, commitments.

    ``result["advice"]`` has the changes that pay, with ``saves_usd`` a month; ``alternatives`` has
    all of them. Options as ``estimate``, and ``throttled``, ``days``, ``seed`` and others of
    ``dynameter compare``.
    """
    inputs = _Inputs()
    arguments = ["compare", *inputs.all(design, "design"), *_design(inputs, options)]
    return _result(inputs, arguments, what="compare")


def check(
    design: Union[Design, List[Design]], budget: Optional[Design] = None, **options: Any
) -> Checked:
    """Checks designs against a budget: a path, a TOML text or a dictionary.

    The result is true if nothing failed. ``baseline`` is the design before a change.
    """
    inputs = _Inputs()
    arguments = ["check", *inputs.all(design, "design")]
    if budget is not None:
        arguments += ["--budget", inputs.text(budget, "budget")]
    if options.get("baseline") is not None:
        options["baseline"] = inputs.text(options["baseline"], "baseline")
    arguments += [*_design(inputs, options), "--format", "json"]
    code, output, notes = _run(inputs, arguments, codes=(0, 1))
    return Checked(output.decode(), notes, code == 0)


def diff(old: Design, new: Design, **options: Any) -> Result:
    """What a change of a design does to its bill, in US dollars a month, and why."""
    inputs = _Inputs()
    designs = [inputs.text(old, "old"), inputs.text(new, "new")]
    return _result(inputs, ["diff", *designs, *_design(inputs, options)])


def replay(trace: Any, workload: Optional[Design] = None, **options: Any) -> Result:
    """Replays a trace: what its calls consume, what a month of it costs, in every capacity mode.

    ``trace`` is a path or a list of paths, or anything with the Arrow C stream interface. ``workload``
    declares the tables. Options are those of ``dynameter replay``: ``table``, ``map``, ``set``,
    ``from_``, ``to``, ``threads``, ``skip_bad_rows``, ``verify`` and others.
    """
    inputs = _Inputs()
    arguments = ["replay", *inputs.trace(trace), *_replayed(inputs, workload, options)]
    return _result(inputs, arguments, what="replay")


def join(
    parts: Sequence[Union[str, "os.PathLike[str]"]],
    workload: Optional[Design] = None,
    **options: Any,
) -> Result:
    """Joins the parts of all shares of a trace, files that ``replay --partial`` wrote."""
    inputs = _Inputs()
    paths = [os.fspath(part) for part in parts]
    arguments = ["replay", "--merge", *paths, *_replayed(inputs, workload, options)]
    return _result(inputs, arguments, what="join")


def reconcile(
    bill: Any, workload: Optional[Design] = None, trace: Any = None, **options: Any
) -> Result:
    """Explains a bill (CUR, FOCUS, Cost Explorer …), alone or beside a design or a trace.

    ``bill`` is a path or a list of paths. Options are those of ``dynameter reconcile``: ``month``,
    ``by``, ``cost``, ``tolerance`` and others. ``result.passed`` is false if too much of the
    difference is unexplained.
    """
    inputs = _Inputs()
    paths = bill if isinstance(bill, (list, tuple)) else [bill]
    arguments = ["reconcile", *(os.fspath(path) for path in paths)]
    if workload is not None:
        arguments += ["--workload", inputs.text(workload, "workload")]
    if trace is not None:
        for path in inputs.trace(trace):
            arguments += ["--trace", path]
    arguments += [*_options(options), "--format", "json"]
    code, output, notes = _run(inputs, arguments, codes=(0, 1), what="reconcile")
    return Checked(output.decode(), notes, code == 0)


def import_(kind: str, *files: Any, **options: Any) -> str:
    """Makes a workload file, as TOML text, from other tools' files.

    ``kind`` is one of those that ``dynameter import`` takes: ``terraform``, ``cloudformation``,
    ``describe-table``, ``cloudwatch``, ``export``, ``bill``, ``account`` and others.
    """
    inputs = _Inputs()
    paths = [inputs.text(file, "file") for file in files]
    arguments = ["import", kind, *paths, *_options(options)]
    _, output, notes = _run(inputs, arguments, what=f"import {kind}")
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
    """Options of a replay. ``verify`` takes its value after ``=``."""
    options = dict(options)
    arguments: List[str] = []
    verify = options.pop("verify", None)
    if verify:
        arguments.append("--verify" if verify is True else f"--verify={verify}")
    if workload is not None:
        arguments += ["--workload", inputs.text(workload, "workload")]
    return arguments + _options(options)
