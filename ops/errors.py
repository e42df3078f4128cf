"""The one error that people are shown: what is wrong, where, and what to do. No I/O."""

FAILED = 1
"""Exit status of a command that could not do what it was asked."""
USAGE = 2
"""Exit status of a command that was asked wrongly."""
INTERRUPTED = 130
"""Exit status after Ctrl-C."""
HOPELESS = 78
"""Exit status of a process of a system that would fail again however often it is started."""
BROKEN = 70
"""Exit status after a fault of ours."""


class Problem(Exception):  # noqa: N818 - it is told to people, who have problems
    """Raised when a command cannot go on; its text is one line for people."""

    def __init__(
        self, what: str, *, where: str = "", remedy: str = "", status: int = FAILED
    ) -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        self.status = status
        super().__init__(what, where, remedy, status)

    def __str__(self) -> str:
        """Return one line: where, what, and what to do."""
        line = f"{self.where}: {self.what}" if self.where else self.what
        line = f"{line}; {self.remedy}" if self.remedy else line
        return " ".join(line.split())
