"""Every key of the released code's configuration is a setting here, or told to be none."""

import re
from fnmatch import fnmatchcase
from typing import Any

import pytest

from schemas import settings
from tests.ops.test_documents import rows_of

KEYS = {
    "": (
        "data_dir dataset_dir desc_file goal eval exp_name log_dir log_level workspace_dir "
        "preprocess_data copy_data start_cpu_id cpu_number"
    ),
    "exec.": "timeout agent_file_name format_tb_ipython",
    "agent.": (
        "steps time_limit k_fold_validation expose_prediction data_preview convert_system_to_user "
        "obfuscate check_format save_all_submission steerable_reasoning"
    ),
    "agent.code.": "model temp base_url api_key",
    "agent.feedback.": "model temp base_url api_key",
    "agent.search.": (
        "back_debug_depth max_debug_depth debug_prob num_drafts num_bugs num_improves "
        "invalid_metric_upper_bound metric_improvement_threshold max_improve_failure "
        "parallel_search_num"
    ),
    "agent.decay.": "decay_type exploration_constant lower_bound",
    "agent.decay.linear_decay.": "alpha",
    "agent.decay.exponential_decay.": "gamma",
    "agent.decay.piecewise_decay.": "alpha phase_ratios",
    "agent.decay.dynamic_piecewise_decay.": "alpha phase_ratios",
}
"""The keys of utils/config_mcts.yaml at aba39c8, and of its command line, by their section."""
ALL = [f"{section}{key}" for section, keys in KEYS.items() for key in keys.split()]

OURS: dict[str, tuple[str, Any]] = {
    "agent.search.num_drafts": ("search.drafts", 5),
    "agent.search.num_bugs": ("search.debugs", 1),
    "agent.search.num_improves": ("search.improves", 3),
    "agent.search.back_debug_depth": ("search.return_debug_depth", 3),
    "agent.search.max_debug_depth": ("search.max_debug_depth", 20),
    "agent.search.max_improve_failure": ("search.max_improve_failures", 3),
    "agent.search.metric_improvement_threshold": ("search.improvement_threshold", 0.0001),
    "agent.search.parallel_search_num": ("search.workers", 3),
    "agent.decay.decay_type": ("search.exploration_schedule", "piecewise"),
    "agent.decay.exploration_constant": ("search.exploration", 1.414),
    "agent.decay.lower_bound": ("search.exploration_floor", 0.5),
    "agent.decay.linear_decay.alpha": ("search.exploration_decay", 0.01),
    "agent.decay.piecewise_decay.alpha": ("search.exploration_decay", 0.01),
    "agent.decay.dynamic_piecewise_decay.alpha": ("search.exploration_decay", 0.01),
    "agent.decay.exponential_decay.gamma": ("search.exploration_factor", 0.99),
    "agent.steps": ("budget.nodes", 500),
    "agent.time_limit": ("budget.minutes", None),
    "exec.timeout": ("executor.seconds", None),
    "agent.code.model": ("model.name", None),
    "agent.code.temp": ("model.temperature", 0.5),
    "log_level": ("log_level", "info"),
}
"""Keys that are settings here, and the released code's value where the profile has the same."""
EFFECTIVE = {
    "search.improvement_threshold": "threshold",
    "search.workers": "at_once",
    "search.exploration_schedule": "schedule",
}
"""Settings whose value, where none is set, is the profile's; and where that is found."""
ROWS = rows_of("docs/search.md", "### The released code's settings")


def names(pattern: str, key: str) -> bool:
    """Return whether *pattern* names *key*, wholly or from one of its dots on."""
    return fnmatchcase(key, pattern) or fnmatchcase(key, f"*.{pattern}")


def patterns(row: list[str]) -> list[str]:
    """Return the keys that a row is about."""
    return row[0].split(", ")


@pytest.mark.parametrize("key", ALL)
def test_every_key_is_told_of_once(key: str) -> None:
    rows = [row for row in ROWS if any(names(each, key) for each in patterns(row))]
    assert len(rows) == 1, f"{key}: {rows}"
    here = rows[0][1]
    if key in OURS:
        assert OURS[key][0] in re.findall(r"[a-z_]+(?:\.[a-z_]+)*", here)
    else:
        assert re.search("none|the task's folder|OPENAI_", here), f"{key}: {here}"


def test_nothing_else_is_told_of() -> None:
    for each in (pattern for row in ROWS for pattern in patterns(row)):
        assert any(names(each, key) for key in ALL), f"{each} is no key of the released code"


@pytest.mark.parametrize("key", OURS)
def test_what_is_said_to_be_a_setting_is_one(key: str) -> None:
    setting, value = OURS[key]
    assert setting in settings.keys()  # noqa: SIM118 - a function
    given = settings.decode({"here": {"search.profile": "code"}})
    if value is not None:
        assert _value(given, setting) == value
    changed = settings.decode({"here": {"search.profile": "code", setting: _other(setting)}})
    assert _value(changed, setting) == _other(setting)
    assert _value(changed, setting) != _value(given, setting)


def _value(given: settings.Settings, setting: str) -> Any:
    """Return what holds for *setting*, where none is set for the profile."""
    found: Any = given
    *above, name = setting.split(".")
    for each in (*above, EFFECTIVE.get(setting, name)):
        found = getattr(found, each)
    return found


def _other(setting: str) -> Any:
    words = {"search.exploration_schedule": "linear", "model.name": "m", "log_level": "debug"}
    return words.get(setting, 7)
