"""Results: dictionaries that become tables."""

from __future__ import annotations

import html
import json
import re
from decimal import Decimal
from typing import Any, Dict, List, Optional

# The list that is the table of a result, by its schema.
_TABLES = {
    "dynameter.estimate/1": "lines",
    "dynameter.explain/1": "lines",
    "dynameter.compare/1": "alternatives",
    "dynameter.diff/1": "lines",
    "dynameter.check/1": "findings",
    "dynameter.replay/1": "lines",
    "dynameter.reconcile/1": "by",
    "dynameter.books/1": "books",
    "dynameter.prices/1": "rates",
    "dynameter.fleet/1": "tables",
    "dynameter.rules/1": "rules",
}

# Results whose total is that of a month.
_OF_A_MONTH = {
    "dynameter.estimate/1",
    "dynameter.explain/1",
    "dynameter.compare/1",
    "dynameter.diff/1",
    "dynameter.replay/1",
}

# Columns of numbers are known by their names, so that a type never depends on the rows.
_NUMBERS = re.compile(
    r".*_(usd|units|bytes|ratio|error|seconds|minutes|hours|share|per_second|assumed|requests|calls|rows|high|low|factor)"
    r"|quantity|units|items|count|calls|events|hits|misses|evicted|requests|nodes|share|seconds|rows|keys"
    r"|value|low|high|partitions_(first|last)|tier_from|column_seconds|key_ranges|checked|mismatches"
)

# Rows that a notebook shows.
_SHOWN = 20


class Result(dict):
    """What a command came to: the JSON of the command line as a dictionary.

    Money, rates and units are texts with all their decimals; ``decimal.Decimal`` takes them as they
    are. ``json`` is the text itself, byte for byte that of the command line.
    """

    def __init__(self, text: str, notes: Optional[List[str]] = None) -> None:
        super().__init__(json.loads(text))
        self.json = text
        """The JSON text."""
        self.notes = notes or []
        """What the command says beside its result."""

    def __reduce__(self):
        return (type(self), (self.json, self.notes))

    def tables(self) -> List[str]:
        """The names of the lists that ``to_arrow``, ``to_pandas`` and ``to_polars`` take."""
        return [
            name
            for name, value in self.items()
            if isinstance(value, list) and (not value or isinstance(value[0], dict))
        ]

    def rows(self, table: Optional[str] = None) -> List[Dict[str, Any]]:
        """The rows of a table (default: the lines of a bill, the alternatives of a comparison …)."""
        if table is None:
            table = _TABLES.get(self.get("schema", ""), "")
            if table not in self:
                table = next(iter(self.tables()), "")
        rows = self.get(table)
        if not isinstance(rows, list):
            names = ", ".join(self.tables()) or "none"
            raise KeyError(f"no table {table!r}; the tables are {names}")
        return rows

    def to_arrow(self, table: Optional[str] = None):
        """A table as ``pyarrow.Table``; columns of decimal texts become exact decimals."""
        import pyarrow as pa

        rows = self.rows(table)
        names: Dict[str, None] = {}
        for row in rows:
            names.update(dict.fromkeys(row))
        return pa.table({name: _column(pa, name, [row.get(name) for row in rows]) for name in names})

    def to_pandas(self, table: Optional[str] = None):
        """A table as a pandas data frame; decimals are ``decimal.Decimal``."""
        return self.to_arrow(table).to_pandas()

    def to_polars(self, table: Optional[str] = None):
        """A table as a polars data frame; decimals stay exact."""
        import polars as pl

        return pl.from_arrow(self.to_arrow(table))

    def _repr_html_(self) -> str:
        rows = self.rows() if self.tables() else []
        title = self.get("workload") or self.get("schema", "")
        head = f"<p><strong>{html.escape(str(title))}</strong>"
        period = " a month" if self.get("schema") in _OF_A_MONTH else ""
        for name in ("total_usd", "delta_usd"):
            if name in self:
                amount = self[name]
                shown = "unknown" if amount is None else f"${_money(amount)}{period}"
                head += f": {html.escape(shown)}"
        unknown = self.get("unknown")
        if unknown:
            head += f"; unknown costs: {len(unknown)}"
        return head + "</p>" + _table(rows)

    def __repr__(self) -> str:
        total = f", total_usd={self['total_usd']!r}" if "total_usd" in self else ""
        return f"<{type(self).__name__} {self.get('schema', '')}{total}>"


class Checked(Result):
    """What a check came to."""

    passed: bool = True
    """Whether nothing failed."""

    def __init__(self, text: str, notes: Optional[List[str]] = None, passed: bool = True) -> None:
        super().__init__(text, notes)
        self.passed = passed

    def __reduce__(self):
        return (Checked, (self.json, self.notes, self.passed))

    def __bool__(self) -> bool:
        return self.passed


def of_json(text: str, notes: Optional[List[str]] = None) -> Any:
    """The result of a command: one, or a list of those of several designs."""
    value = json.loads(text)
    if isinstance(value, list):
        return [Result(json.dumps(one, indent=2) + "\n", notes) for one in value]
    return Result(text, notes)


_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def _decimal(value: Any) -> Optional[Decimal]:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        return None
    return Decimal(value)


def _column(pa, name: str, values: List[Any]):
    """A column: exact decimals if its name is that of numbers, else texts, flags or JSON."""
    given = [value for value in values if value is not None]
    decimals = [_decimal(value) for value in given]
    if _NUMBERS.fullmatch(name) and all(decimal is not None for decimal in decimals):
        scale = max((max(0, -decimal.as_tuple().exponent) for decimal in decimals), default=0)
        whole = max((len(str(abs(int(decimal)))) for decimal in decimals), default=1)
        if whole + scale <= 76:
            kind = pa.decimal128(38, scale) if whole + scale <= 38 else pa.decimal256(76, scale)
            return pa.array([None if value is None else Decimal(value) for value in values], kind)
    if any(isinstance(value, (dict, list)) for value in given):
        text = [None if value is None else json.dumps(value) for value in values]
        return pa.array(text, pa.string())
    if all(isinstance(value, bool) for value in given) and given:
        return pa.array(values, pa.bool_())
    if all(isinstance(value, int) and abs(value) < 2**63 for value in given) and given:
        return pa.array(values, pa.int64())
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def _money(text: Any) -> str:
    number = _decimal(text)
    return f"{number:,.2f}" if number is not None else str(text)


def _table(rows: List[Dict[str, Any]]) -> str:
    """Rows as HTML, without the columns that are empty or nested."""
    if not rows:
        return ""
    names = [
        name
        for name in rows[0]
        if any(row.get(name) not in (None, "") for row in rows)
        and not any(isinstance(row.get(name), (dict, list)) for row in rows)
    ]
    cells = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = [f"<tr>{cells}</tr>"]
    for row in rows[:_SHOWN]:
        texts = ("" if row.get(name) is None else str(row[name]) for name in names)
        body.append("<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in texts) + "</tr>")
    more = len(rows) - _SHOWN
    rest = f"<p>{more} more rows</p>" if more > 0 else ""
    return f"<table>{''.join(body)}</table>{rest}"
