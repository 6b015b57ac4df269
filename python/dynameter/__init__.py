"""What an Amazon DynamoDB design costs, exactly, before and after it exists.

Designs are paths, TOML texts or dictionaries; traces are paths or anything with the Arrow C stream
interface (``pyarrow.Table``, ``RecordBatchReader``, polars and pandas data frames). Results are
dictionaries: money and units are decimal texts, exactly as the command line writes them as JSON.

    >>> import dynameter
    >>> bill = dynameter.estimate({"region": "us-east-1", "prices": "2024-11-01", "table": [...]})
    >>> bill["total_usd"]
    '225.0142492355'
    >>> bill.to_pandas()
"""

from __future__ import annotations

from dynameter._commands import (
    check,
    compare,
    diff,
    estimate,
    explain,
    headroom,
    import_,
    import_account,
    import_bill,
    import_cloudformation,
    import_cloudwatch,
    import_describe_table,
    import_export,
    import_terraform,
    join,
    key_hash,
    prices,
    reconcile,
    replay,
    rules,
    schema,
    share_of,
)
from dynameter._errors import Diagnostic, DynameterError
from dynameter._native import __version__
from dynameter._result import Checked, Result

__all__ = [
    "Checked",
    "Diagnostic",
    "DynameterError",
    "Result",
    "__version__",
    "check",
    "compare",
    "diff",
    "estimate",
    "explain",
    "headroom",
    "import_",
    "import_account",
    "import_bill",
    "import_cloudformation",
    "import_cloudwatch",
    "import_describe_table",
    "import_export",
    "import_terraform",
    "join",
    "key_hash",
    "prices",
    "reconcile",
    "replay",
    "rules",
    "schema",
    "share_of",
]
