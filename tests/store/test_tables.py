"""Live tables hold what the folds said last."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from store.database import VIEWS
from store.log import Log
from store.query import query
from store.tables import Tables

_changes = st.lists(
    st.tuples(
        st.sampled_from(["nodes", "ledger"]),
        st.sampled_from(["a", "b"]),
        st.dictionaries(
            st.sampled_from(["n1", "n2", "n'3"]), st.none() | st.sampled_from(["{}", "[1]"])
        ),
    ),
    max_size=8,
)


@settings(max_examples=20, deadline=None)
@given(_changes)
def test_the_last_word_on_every_row_is_what_is_read(
    changes: list[tuple[str, str, dict[str, str | None]]],
) -> None:
    expected: dict[tuple[str, str], dict[str, str]] = {}
    with TemporaryDirectory() as folder, Log.open(Path(folder) / "log.duckdb") as log:
        tables = Tables(log)
        for seq, (projection, run, rows) in enumerate(changes, 1):
            tables.write(projection, run, rows, seq)
            said = expected.setdefault((projection, run), {})
            said.update({key: data for key, data in rows.items() if data is not None})
            for key in (key for key, data in rows.items() if data is None):
                said.pop(key, None)
        for (projection, run), said in expected.items():
            assert tables.read(projection, run) == said


def test_people_see_each_projection_by_its_name(tmp_path: Path) -> None:
    with Log.open(tmp_path / "log.duckdb") as log:
        tables = Tables(log)
        for name, projection in VIEWS.items():
            tables.write(projection, "run", {"k": f'{{"name":"{name}"}}'}, 3)
            found = query(log, f"select run, key, seq, data->>'name' from {name}")  # noqa: S608 - ours
            assert found.rows == [("run", "k", 3, name)]
        tables.write("tree", "other", {"k": "{}"}, 9)
        assert (tables.head("run"), tables.head("other"), tables.head("none")) == (3, 9, 0)
        tables.clear("run")
        assert tables.read("ledger", "run") == {}
        assert tables.read("tree", "other") == {"k": "{}"}
        tables.clear()
        assert tables.read("tree", "other") == {}
