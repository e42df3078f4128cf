"""Where the process begins, for `flowstone` and for `python -m ops`; quiet when interrupted at once."""

import sys
from typing import NoReturn

from ops import signals

INTERRUPTED = 130


def main() -> NoReturn:
    """Load the command line and run it."""
    signals.begin()
    try:
        from ops import cli  # noqa: PLC0415 - Ctrl-C while it loads is no fault either
    except KeyboardInterrupt:
        sys.stderr.write("flowstone: interrupted\n")
        sys.exit(INTERRUPTED)
    cli.main()


if __name__ == "__main__":
    main()
