"""Where the process begins, for `flowstone` and for `python -m ops`; quiet when interrupted at once."""

import signal
import sys
from typing import NoReturn

INTERRUPTED = 130


def main() -> NoReturn:
    """Load the command line and run it."""
    _hear_signals()
    try:
        from ops import cli  # noqa: PLC0415 - Ctrl-C while it loads is no fault either
    except KeyboardInterrupt:
        sys.stderr.write("flowstone: interrupted\n")
        sys.exit(INTERRUPTED)
    cli.main()


def _hear_signals() -> None:
    """Undo what a parent may have left: signals ignored or blocked here never end a process.

    SIGINT and SIGHUP stay ignored where they are: so a shell starts what shall outlive it.
    """
    for each in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(each, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


if __name__ == "__main__":
    main()
