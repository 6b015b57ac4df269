"""The `dynameter` command."""

import sys


def main() -> int:
    """Runs the command line, and returns its exit code."""
    from dynameter import _native

    return _native.main(["dynameter", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
