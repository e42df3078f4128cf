"""Where settings come from: flowstone.toml, then the environment, then --set. Reads, never writes.

Also finds the home directory and the model endpoint. Secrets stay here; Settings holds none.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ops.errors import USAGE, Problem
from schemas.settings import Settings, SettingsError, decode, flatten

FILE = "flowstone.toml"
PREFIX = "FLOWSTONE_"
NOT_SETTINGS = ("HOME", "NATS_")
"""What follows the prefix in variables that are no settings: a name, or the beginning of several."""


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The settings, and for each key that was set, the place it was set in."""

    settings: Settings
    origins: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An OpenAI-compatible model endpoint; the key never shows in its repr."""

    url: str
    key: str = field(repr=False)


def load(
    assignments: Iterable[str] = (), *, environment: Mapping[str, str] = os.environ
) -> Configuration:
    """Return the settings of this directory, environment and command line; raises Problem."""
    home_file = _home(environment) / FILE
    layers: dict[str, dict[str, Any]] = {
        str(path): _toml(path) for path in (home_file, Path(FILE)) if path.is_file()
    }
    layers |= _environment(environment)
    layers["--set"] = assigned(assignments)
    try:
        settings = decode(layers)
    except SettingsError as error:
        raise Problem(str(error), status=USAGE) from None
    return Configuration(
        settings=settings,
        origins={key: layer for layer, values in layers.items() for key in values},
    )


def home(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the directory that holds all state, made if need be; raises Problem if unwritable."""
    folder = _home(environment).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise Problem(
            f"cannot write there ({error.strerror})",
            where=str(folder),
            remedy="make it writable, free some space, or set FLOWSTONE_HOME to another directory",
        ) from None
    return folder


def found_home(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the directory that holds all state without touching it: enough for who only reads."""
    return _home(environment).absolute()


def endpoint(environment: Mapping[str, str] = os.environ) -> Endpoint | None:
    """Return the model endpoint that the environment names; None when it names none."""
    url = environment.get("OPENAI_BASE_URL", "").strip().rstrip("/")
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Problem(
            f"{url!r} is no address of a model endpoint",
            where="OPENAI_BASE_URL",
            remedy="it should read like https://host/v1",
        )
    return Endpoint(url=url, key=environment.get("OPENAI_API_KEY", ""))


def required_endpoint(environment: Mapping[str, str] = os.environ) -> Endpoint:
    """Return the model endpoint that the environment names; raises Problem when it names none."""
    named = endpoint(environment)
    if named is None:
        raise Problem(
            "there is no model endpoint",
            where="OPENAI_BASE_URL",
            remedy="set it, or start `flowstone rehearsal` and use the address that it prints",
        )
    return named


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get(f"{PREFIX}HOME") or ".flowstone").expanduser()


def _toml(path: Path) -> dict[str, Any]:
    try:
        return flatten(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise Problem(
            str(error), where=str(path), remedy="correct the file", status=USAGE
        ) from None


def _environment(environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return a layer for each variable, named as the variable, so that errors name it."""
    settings = {
        name: name.removeprefix(PREFIX).lower().replace("__", ".")
        for name in environment
        if name.startswith(PREFIX) and not name.removeprefix(PREFIX).startswith(NOT_SETTINGS)
    }
    return {name: {key: environment[name]} for name, key in settings.items()}


def assigned(assignments: Iterable[str]) -> dict[str, str]:
    """Return the values of KEY=VALUE words by key; raises Problem."""
    values = {}
    for each in assignments:
        key, equals, value = each.partition("=")
        if not equals:
            raise Problem(
                f"{each!r} has no value", where="--set", remedy="write KEY=VALUE", status=USAGE
            )
        values[key.strip()] = value.strip()
    return values
