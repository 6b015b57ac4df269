"""A replay on several processes of one machine."""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from typing import Any, List, Optional, Sequence, Union

from dynameter import _shares
from dynameter._commands import Design
from dynameter._result import Result

Path = Union[str, "os.PathLike[str]"]


def replay(
    paths: Union[Path, Sequence[Path]],
    workload: Optional[Design] = None,
    *,
    processes: Optional[int] = None,
    shares: Optional[int] = None,
    **options: Any,
) -> Result:
    """Replays a trace on several processes: the same result, byte for byte, as ``dynameter.replay``.

    ``processes`` is their number (default: one for each core), ``shares`` the number of shares of the
    keys (default: as many; 1 to 256). Options are those of ``dynameter.replay``.

    Where processes are spawned (macOS, Windows, and Linux from Python 3.14 on), call it below
    ``if __name__ == "__main__":``, as ``multiprocessing`` asks for.

    A process holds one share of the keys at a time. What needs all rows in one order (exact DAX
    caches, a DAX cluster, exports to start from, request logs with Query or batches) is refused: use
    ``dynameter.replay``, which has threads.
    """
    files = _shares.files_of(paths)
    if processes is not None and (not isinstance(processes, int) or processes < 1):
        raise ValueError(f"processes is {processes!r}; it must be a number from 1")
    processes = processes or os.cpu_count() or 1
    plan = _shares.plan(shares or min(processes, 256), workload, options)
    with tempfile.TemporaryDirectory(prefix="dynameter-") as folder:
        with ProcessPoolExecutor(processes) as pool:
            several = len(files) > 1
            tasks = [
                pool.submit(_deal, plan, path, number, several, folder)
                for number, path in enumerate(files)
            ]
            blobs = [task.result() for task in tasks]
            tasks = [
                pool.submit(
                    _shares.run, plan, [of_file[share - 1] for of_file in blobs], share, files=len(files)
                )
                for share in range(1, plan.shares + 1)
            ]
            parts = []
            for share, task in enumerate(tasks, start=1):
                part = os.path.join(folder, f"part-{share:03}.parquet")
                with open(part, "wb") as file:
                    file.write(task.result())
                parts.append(part)
        return _shares.join(plan, parts)


def _deal(plan: _shares.Plan, path: str, number: int, several: bool, folder: str) -> List[str]:
    """Deals a file, and writes its blobs: they are larger than what a pipe should carry."""
    blobs = []
    for share, blob in enumerate(_shares.deal(plan, path, number, several=several), start=1):
        name = os.path.join(folder, f"{number:06}-{share:03}.dealt")
        with open(name, "wb") as file:
            file.write(blob)
        blobs.append(name)
    return blobs
