"""``python -m ibcore``: the environment is looked at first, then ``ibcore.cli`` does the rest."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from ibcore import missing


def main() -> None:
    """Run the command line; Ctrl-C while its packages are being imported ends it as any other."""
    if fault := environment_fault(os.environ):
        print(f"error: {fault}", file=sys.stderr)
        sys.exit(2)
    try:
        from ibcore.cli import main as command_line
    except ModuleNotFoundError as error:
        print(f"error: {missing(error)}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("Aborted!", file=sys.stderr)
        sys.exit(130)
    command_line()


def environment_fault(environ: Mapping[str, str]) -> str | None:
    """What a variable of the environment says wrongly, before a package stumbles over it.

    >>> environment_fault({"NUMBA_NUM_THREADS": "0"})
    "NUMBA_NUM_THREADS must be a whole number of at least 1, got '0'."
    """
    for name in ("IBCORE_BOOK", "IBCORE_DATA", "IBCORE_PAPERS"):
        if (folder := environ.get(name)) and not Path(folder).is_dir():
            return f"the folder named in {name} is not there: {folder!r}."
    cache = environ.get("IBCORE_CACHE")
    if cache and Path(cache).exists() and not Path(cache).is_dir():
        return f"IBCORE_CACHE must name a folder, and {cache!r} is none."
    threads = environ.get("NUMBA_NUM_THREADS", "1")
    if not threads.isdecimal() or int(threads) < 1:
        return f"NUMBA_NUM_THREADS must be a whole number of at least 1, got {threads!r}."
    return None


if __name__ == "__main__":
    main()
