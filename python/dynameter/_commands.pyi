"""The signatures of the functions, with their options."""

import os
from typing import Any, Dict, List, Optional, Sequence, Union

from dynameter._result import Checked, Result

Path = Union[str, "os.PathLike[str]"]
Design = Union[str, "os.PathLike[str]", Dict[str, Any]]
Number = Union[int, float, str]

def estimate(
    design: Union[Design, List[Design]],
    *,
    months: Optional[int] = None,
    region: Optional[str] = None,
    prices: Optional[Path] = None,
    usage: Optional[Design] = None,
    month_hours: Optional[Number] = None,
    commitments: Optional[Design] = None,
    list_prices: bool = False,
) -> Result: ...
def explain(
    design: Union[Design, List[Design]],
    *,
    region: Optional[str] = None,
    prices: Optional[Path] = None,
    usage: Optional[Design] = None,
    month_hours: Optional[Number] = None,
    commitments: Optional[Design] = None,
    list_prices: bool = False,
) -> Result: ...
def compare(
    design: Union[Design, List[Design]],
    *,
    throttled: Optional[Number] = None,
    compress: Optional[Number] = None,
    split: Optional[Number] = None,
    keep: Optional[Number] = None,
    days: Optional[int] = None,
    step: Optional[int] = None,
    seed: Optional[int] = None,
    region: Optional[str] = None,
    prices: Optional[Path] = None,
    usage: Optional[Design] = None,
    month_hours: Optional[Number] = None,
    commitments: Optional[Design] = None,
    list_prices: bool = False,
) -> Result: ...
def headroom(
    design: Design,
    trace: Any = None,
    *,
    without_region: Optional[str] = None,
    throttled: Optional[Number] = None,
    kind: Optional[str] = None,
    map: Union[str, List[str], None] = None,
    set: Union[str, List[str], None] = None,
    table: Optional[str] = None,
    time_format: Optional[str] = None,
    period: Optional[int] = None,
    time_unit: Optional[str] = None,
    skip_bad_rows: bool = False,
    window: Optional[int] = None,
    from_: Optional[str] = None,
    to: Optional[str] = None,
    dax_ttl: Optional[int] = None,
    dax_overwrite: Optional[str] = None,
    threads: Optional[int] = None,
    hot_keys: Optional[int] = None,
    region: Optional[str] = None,
    prices: Optional[Path] = None,
    usage: Optional[Design] = None,
    month_hours: Optional[Number] = None,
    commitments: Optional[Design] = None,
    list_prices: bool = False,
) -> Result: ...
def check(
    design: Union[Design, List[Design]],
    budget: Optional[Design] = None,
    *,
    partial: bool = False,
    baseline: Optional[Design] = None,
    today: Optional[str] = None,
    source: Optional[Path] = None,
    allow_unread: Union[str, List[str], None] = None,
    region: Optional[str] = None,
    prices: Optional[Path] = None,
    usage: Optional[Design] = None,
    month_hours: Optional[Number] = None,
    commitments: Optional[Design] = None,
    list_prices: bool = False,
) -> Checked: ...
def diff(
    old: Design,
    new: Design,
    *,
    region: Optional[str] = None,
    prices: Optional[Path] = None,
    usage: Optional[Design] = None,
    month_hours: Optional[Number] = None,
    commitments: Optional[Design] = None,
    list_prices: bool = False,
) -> Result: ...
def replay(
    trace: Any,
    workload: Optional[Design] = None,
    *,
    kind: Optional[str] = None,
    map: Union[str, List[str], None] = None,
    set: Union[str, List[str], None] = None,
    table: Optional[str] = None,
    time_format: Optional[str] = None,
    period: Optional[int] = None,
    time_unit: Optional[str] = None,
    skip_bad_rows: bool = False,
    window: Optional[int] = None,
    from_: Optional[str] = None,
    to: Optional[str] = None,
    dax: Union[str, List[str], None] = None,
    dax_ttl: Optional[int] = None,
    dax_overwrite: Optional[str] = None,
    threads: Optional[int] = None,
    hot_keys: Optional[int] = None,
    verify: Union[bool, str] = False,
    switch: Union[str, List[str], None] = None,
    throttled: Optional[Number] = None,
    write_workload: Optional[Path] = None,
    region: Optional[str] = None,
    prices: Optional[Path] = None,
    month_hours: Optional[Number] = None,
    commitments: Optional[Design] = None,
    list_prices: bool = False,
) -> Result: ...
def join(
    parts: Sequence[Path],
    workload: Optional[Design] = None,
    *,
    from_: Optional[str] = None,
    to: Optional[str] = None,
    dax_ttl: Optional[int] = None,
    dax_overwrite: Optional[str] = None,
    hot_keys: Optional[int] = None,
    verify: Union[bool, str] = False,
    switch: Union[str, List[str], None] = None,
    throttled: Optional[Number] = None,
    region: Optional[str] = None,
    prices: Optional[Path] = None,
    month_hours: Optional[Number] = None,
    commitments: Optional[Design] = None,
    list_prices: bool = False,
) -> Result: ...
def reconcile(
    bill: Union[Path, Sequence[Path]],
    workload: Optional[Design] = None,
    trace: Any = None,
    *,
    month: Optional[str] = None,
    by: Optional[str] = None,
    cost: Optional[str] = None,
    account: Optional[str] = None,
    table: Optional[str] = None,
    map: Union[str, List[str], None] = None,
    tolerance: Optional[str] = None,
    tolerance_usd: Optional[Number] = None,
    region: Optional[str] = None,
    prices: Optional[Path] = None,
    commitments: Optional[Design] = None,
    list_prices: bool = False,
) -> Checked: ...
def import_(
    kind: str,
    *files: Any,
    into: Optional[Path] = None,
    before: bool = False,
    month: Optional[str] = None,
    account: Optional[str] = None,
    table: Union[str, List[str], None] = None,
    period: Optional[int] = None,
    from_: Optional[str] = None,
    to: Optional[str] = None,
    profile: Optional[str] = None,
    days: Optional[int] = None,
    from_sample: Optional[int] = None,
    raw: Optional[Path] = None,
    endpoint_url: Optional[str] = None,
    region: Union[str, List[str], None] = None,
    usage: Optional[Design] = None,
) -> str: ...
def import_terraform(*files: Any, before: bool = False, region: Optional[str] = None, usage: Optional[Design] = None) -> str: ...
def import_cloudformation(*files: Any, region: Optional[str] = None, usage: Optional[Design] = None) -> str: ...
def import_describe_table(*files: Any, region: Optional[str] = None) -> str: ...
def import_cloudwatch(
    *files: Any,
    table: Union[str, List[str], None] = None,
    period: Optional[int] = None,
    from_: Optional[str] = None,
    to: Optional[str] = None,
    region: Optional[str] = None,
) -> str: ...
def import_export(*files: Any, region: Optional[str] = None) -> str: ...
def import_bill(
    *files: Any,
    month: Optional[str] = None,
    account: Optional[str] = None,
    table: Union[str, List[str], None] = None,
    region: Optional[str] = None,
) -> str: ...
def import_account(
    *files: Any,
    table: Union[str, List[str], None] = None,
    profile: Optional[str] = None,
    days: Optional[int] = None,
    from_sample: Optional[int] = None,
    raw: Optional[Path] = None,
    endpoint_url: Optional[str] = None,
    region: Union[str, List[str], None] = None,
) -> str: ...
def prices(region: Optional[str] = None, date: Optional[str] = None) -> Result: ...
def rules(*numbers: str) -> Result: ...
def schema(budget: bool = False) -> Dict[str, Any]: ...
def key_hash(key: bytes) -> int: ...
def share_of(hash: int, shares: int) -> int: ...
