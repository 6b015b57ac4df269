"""Errors, with the place of each mistake and how to fix it."""

from __future__ import annotations

from typing import List, NamedTuple, Optional


class Diagnostic(NamedTuple):
    """A mistake in a design, a budget or another text."""

    file: str
    """The name of the text: a path, or ``<design>`` for a dictionary or a TOML text."""
    line: int
    """The line, from 1; 0 if the mistake has no place."""
    column: int
    """The column, from 1."""
    code: str
    """What kind of mistake it is, as in docs/errors.md."""
    message: str
    """What was found, and what is allowed."""
    help: str
    """How to fix it; may be empty."""
    path: Optional[str]
    """Where it is in a dictionary, such as ``table[0].itms``."""


class DynameterError(Exception):
    """A design, a file or an option is wrong. ``diagnostics`` has every mistake that has a place."""

    def __init__(self, message: str, diagnostics: List[Diagnostic]) -> None:
        super().__init__(message)
        self.diagnostics = diagnostics

    def __reduce__(self):
        return (DynameterError, (str(self), self.diagnostics))


def of(notes: List[str], mistakes: list, dictionaries: frozenset, texts: int) -> DynameterError:
    """The error of a command. Mistakes in dictionaries are told by their paths, and, if there are several
    texts, by the name of the dictionary."""
    diagnostics = [Diagnostic(*mistake) for mistake in mistakes]
    in_dictionaries = [one for one in diagnostics if one.file in dictionaries]
    if in_dictionaries and len(in_dictionaries) == len(diagnostics):
        lines = []
        for one in diagnostics:
            place = f"{one.file} {one.path}" if one.path and texts > 1 else one.path or one.file
            lines.append(f"{place}: {one.message}")
            if one.help:
                lines.append(f"  help: {one.help}")
        return DynameterError("\n".join(lines), diagnostics)
    message = "\n".join(notes) or "the command failed"
    if message.startswith("error: "):
        message = message[len("error: ") :]
    return DynameterError(message, diagnostics)
