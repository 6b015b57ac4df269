"""The progress of long commands: a line in notebooks, and on a terminal."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Callable, Iterator, Optional

# Seconds before a command counts as long, and between two lines.
_LONG = 1.0
_EVERY = 0.25


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    if shell is None:
        return False
    running = shell.get_ipython()
    return running is not None and type(running).__name__ == "ZMQInteractiveShell"


class _Line:
    """A line that is written again and again."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.begun = time.monotonic()
        self.last = self.begun
        self.handle = None
        self.shown = False

    def __call__(self, read: int, total: int, rows: int) -> None:
        now = time.monotonic()
        if now - self.begun < _LONG or now - self.last < _EVERY:
            return
        self.last = now
        part = f"{100 * read // total} %, " if total else ""
        self._show(f"{self.what}: {part}{rows:,} rows, {now - self.begun:.0f} s")

    def _show(self, text: str) -> None:
        self.shown = True
        if _in_notebook():
            from IPython.display import display

            if self.handle is None:
                self.handle = display({"text/plain": text}, raw=True, display_id=True)
            else:
                self.handle.update({"text/plain": text}, raw=True)
        else:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()

    def end(self) -> None:
        if not self.shown:
            return
        if self.handle is not None:
            self.handle.update({"text/plain": ""}, raw=True)
        elif not _in_notebook():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


@contextlib.contextmanager
def progress_bar(what: str) -> Iterator[Optional[Callable[[int, int, int], None]]]:
    """A function that shows the progress (bytes read, bytes in total, rows); None if no output is visible."""
    if not what or not (_in_notebook() or (sys.stderr is not None and sys.stderr.isatty())):
        yield None
        return
    line = _Line(what)
    try:
        yield line
    finally:
        line.end()
