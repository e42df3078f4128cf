"""Settings come from files, the environment and the command line, the later over the earlier."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops import configuration
from ops.configuration import Endpoint
from ops.errors import Problem
from schemas.settings import Closing, Settings, keys


@pytest.fixture(autouse=True)
def _folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_any_source_everything_is_the_default() -> None:
    configured = configuration.load(environment={})
    assert configured.settings == Settings()
    assert configured.origins == {}


def test_each_later_place_wins_and_is_named(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "flowstone.toml").write_text(
        "[search]\ndrafts = 1\ndebugs = 11\nimproves = 21\nlookahead = 31\n"
    )
    Path("flowstone.toml").write_text("[search]\ndrafts = 2\ndebugs = 12\nimproves = 22\n")
    environment = {
        "FLOWSTONE_HOME": str(home),
        "FLOWSTONE_SEARCH__DRAFTS": "3",
        "FLOWSTONE_SEARCH__DEBUGS": "13",
    }
    configured = configuration.load(["search.drafts=4"], environment=environment)
    search = configured.settings.search
    assert (search.drafts, search.debugs, search.improves, search.lookahead) == (4, 13, 22, 31)
    assert configured.origins == {
        "search.drafts": "--set",
        "search.debugs": "FLOWSTONE_SEARCH__DEBUGS",
        "search.improves": "flowstone.toml",
        "search.lookahead": str(home / "flowstone.toml"),
    }


def test_a_limit_can_be_lifted_again() -> None:
    Path("flowstone.toml").write_text("[budget]\nusd = 3.0\n")
    assert configuration.load(environment={}).settings.budget.usd == 3.0
    lifted = configuration.load(["budget.usd=none"], environment={})
    assert lifted.settings.budget.usd is None


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("fuser", ("fuser",)),
        ("fuser, packer", ("fuser", "packer")),
        ("('fuser',)", ("fuser",)),
        ('["fuser", "packer"]', ("fuser", "packer")),
        ("none", ()),
        ("()", ()),
        ("", ()),
    ],
)
def test_a_list_is_written_with_commas(text: str, steps: tuple[str, ...]) -> None:
    assert configuration.load([f"closing.steps={text}"], environment={}).settings.closing.steps == (
        steps
    )


def test_a_list_in_a_file_is_a_list() -> None:
    Path("flowstone.toml").write_text('[closing]\nsteps = ["fuser"]\n')
    assert configuration.load(environment={}).settings.closing.steps == ("fuser",)


@pytest.mark.parametrize(
    ("minutes", "closing", "kept"),
    [
        (60.0, Closing(steps=("a",)), 3.0),
        (2.0, Closing(steps=("a",)), 1 / 6),
        (0.2, Closing(steps=("a",)), 0.05),
        (6000.0, Closing(steps=("a",)), 10.0),
        (60.0, Closing(steps=("a",), reserve_share=9), 10.0),
        (60.0, Closing(steps=("a",), reserve_share=0), 0.0),
        (60.0, Closing(steps=()), 0.0),
    ],
)
def test_what_is_kept_for_the_closing(minutes: float, closing: Closing, kept: float) -> None:
    assert Settings(closing=closing).reserve(minutes) == pytest.approx(kept)


@pytest.mark.parametrize(
    ("assignments", "environment", "says"),
    [
        (["search.draft=3"], {}, "--set: there is no setting 'search.draft'; did you mean"),
        ([], {"FLOWSTONE_SERCH__DRAFTS": "3"}, "FLOWSTONE_SERCH__DRAFTS: there is no setting"),
        ([], {"FLOWSTONE_SEARCH__DRAFTS": "many"}, "search.drafts = 'many': Expected `int`"),
        (["search.drafts"], {}, "--set: 'search.drafts' has no value; write KEY=VALUE"),
    ],
)
def test_a_wrong_setting_is_one_line_that_says_where(
    assignments: list[str], environment: dict[str, str], says: str
) -> None:
    with pytest.raises(Problem) as caught:
        configuration.load(assignments, environment=environment)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_broken_file_names_itself_and_the_line() -> None:
    Path("flowstone.toml").write_text("[search]\ndrafts = = 3\n")
    with pytest.raises(Problem, match=r"^flowstone\.toml: .*line 2.*; correct the file$"):
        configuration.load(environment={})


def test_the_bus_variables_are_no_settings() -> None:
    environment = {"FLOWSTONE_NATS_URL": "nats://there", "FLOWSTONE_HOME": "here"}
    assert configuration.load(environment=environment).origins == {}


@given(st.text())
def test_any_text_is_a_setting_or_a_problem_of_one_line(text: str) -> None:
    try:
        told = "".join(configuration.load([text], environment={}).origins)
    except Problem as problem:
        told = str(problem)
    assert told in keys() or (told and "\n" not in told)


def test_the_home_directory_is_made_and_tried(tmp_path: Path) -> None:
    made = configuration.home({"FLOWSTONE_HOME": str(tmp_path / "a" / "b")})
    assert made == tmp_path / "a" / "b"
    assert list(made.iterdir()) == []


def test_a_home_that_cannot_be_written_is_a_problem() -> None:
    Path("file").touch()
    with pytest.raises(Problem, match=r"cannot write there .*; make it writable"):
        configuration.home({"FLOWSTONE_HOME": "file/home"})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_home_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o500)
    with pytest.raises(Problem, match="cannot write there"):
        configuration.home({"FLOWSTONE_HOME": str(tmp_path / "home")})


def test_the_endpoint_comes_from_the_environment_and_hides_its_key() -> None:
    assert configuration.endpoint({}) is None
    found = configuration.endpoint(
        {"OPENAI_BASE_URL": "https://models.example/v1/", "OPENAI_API_KEY": "sk-123456"}
    )
    assert found == Endpoint(url="https://models.example/v1", key="sk-123456")
    assert "sk-123456" not in repr(found)


@pytest.mark.parametrize("url", ["models.example/v1", "ftp://models.example", "http://"])
def test_an_endpoint_that_is_no_address_is_a_problem(url: str) -> None:
    with pytest.raises(Problem, match=r"OPENAI_BASE_URL: .* is no address"):
        configuration.endpoint({"OPENAI_BASE_URL": url})
