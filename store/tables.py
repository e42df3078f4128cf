"""Live tables: what the folds said last, for SQL. Derived from events; may be dropped at any time."""

from collections.abc import Mapping
from contextlib import closing

from store.failures import LogUnavailable
from store.log import Log


class Tables:
    """The table `projections` of a log; people see it through one view per projection."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def write(self, projection: str, run: str, rows: Mapping[str, str | None], seq: int) -> None:
        """Keep the JSON of each changed row, said by the event *seq*; None removes a row.

        Raises LogUnavailable.
        """
        gone = [key for key, data in rows.items() if data is None]
        kept = [(projection, run, key, seq, data) for key, data in rows.items() if data is not None]
        if not rows:
            return
        with self._log.writing() as cursor:
            if gone:
                cursor.execute(
                    "delete from projections where projection = ? and run = ? "
                    "and list_contains(?::varchar[], key)",
                    [projection, run, gone],
                )
            if kept:
                appender = cursor.appender("projections", action="upsert")
                appender.append_rows(kept)
                appender.flush()

    def read(self, projection: str, run: str) -> dict[str, str]:
        """Return the JSON of every row by key, in the order of the keys."""
        with closing(self._log.cursor()) as cursor:
            found = cursor.execute(
                "select key, data from projections where projection = ? and run = ? order by key",
                [projection, run],
            ).fetchall()
        return dict(found)

    def head(self, run: str) -> int:
        """Return the newest seq that a row of *run* rests on; 0 when there is none."""
        with closing(self._log.cursor()) as cursor:
            found = cursor.execute(
                "select coalesce(max(seq), 0) from projections where run = ?", [run]
            ).fetchone()
        if found is None:
            raise LogUnavailable("the projections cannot be read")
        return int(found[0])

    def clear(self, run: str | None = None) -> None:
        """Forget what the folds said of *run*, or of all runs."""
        with self._log.writing() as cursor:
            if run is None:
                cursor.execute("delete from projections")
            else:
                cursor.execute("delete from projections where run = ?", [run])
