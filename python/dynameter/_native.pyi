"""The native part of dynameter."""

from typing import Any, Callable, Dict, List, Optional, Tuple

__version__: str
has_replay: bool

def run(
    arguments: List[str],
    texts: Dict[str, str],
    trace: Optional[Any] = None,
    progress: Optional[Callable[[int, int, int], None]] = None,
) -> Tuple[int, bytes, List[str], List[Tuple[str, int, int, str, str, str, Optional[str]]]]: ...
def main(arguments: List[str]) -> int: ...
def toml_of(json: str) -> str: ...
def key_hash(key: bytes) -> int:
    """The hash of a key: a key has the same hash in every format of a trace."""

def share_of(hash: int, shares: int) -> int:
    """The number of the share, from 1, to which the hash of a partition key belongs."""
