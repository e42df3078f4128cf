"""What can go wrong with the log, each with one line for people. Exceptions only, no I/O."""


class LogFailure(Exception):  # noqa: N818 - its children are named after what they say
    """Root of everything that the log raises."""


class LogUnavailable(LogFailure):
    """Raised when the log cannot be reached or written now: missing, in use, no rights, disk full."""


class LogTooNew(LogFailure):
    """Raised when a newer Flowstone or DuckDB wrote the file; it is left as it is."""


class LogBroken(LogFailure):
    """Raised when the file is damaged and has to be set aside."""


class LogConflict(LogFailure):
    """Raised when a stream says something else at a place that the log has recorded already."""


class QueryRefused(LogFailure):
    """Raised when a query is not one that people may run, is wrong, or takes too much."""


def first_line(error: BaseException) -> str:
    """Return the first line of what *error* says, without DuckDB's name of the class of fault."""
    text = str(error).strip().partition("\n")[0]
    head, found, tail = text.partition(" Error: ")
    return (tail if found and " " not in head.strip() else text)[:300]
