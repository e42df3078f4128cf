"""Where the process begins, for `flowstone` and for `python -m ops`; quiet when interrupted at once."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Load the command line and run it."""
    try:  # Ctrl-C while modules load is no fault either
        from ops import signals  # noqa: PLC0415

        signals.begin()
        from ops import cli  # noqa: PLC0415
    except KeyboardInterrupt:
        sys.stderr.write("flowstone: interrupted\n")
        sys.exit(INTERRUPTED)
    cli.main()


if __name__ == "__main__":
    main()
