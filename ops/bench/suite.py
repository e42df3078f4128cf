"""All benchmarks by name, run one after the other in folders of their own under the home."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from ops.bench import choosing, keeping_busy, log_writing, rebuilding, starting, turning
from ops.bench.figure import Figure, Result, machine


class Benchmark(Protocol):
    """Measures one part of the system, writing under *home* only."""

    def __call__(self, home: Path, *, quick: bool) -> Iterator[Figure]:
        """Yield figures as they come to be known."""
        ...


BENCHMARKS: Mapping[str, Benchmark] = {
    "start": starting.measure,
    "turn": turning.measure,
    "busy": keeping_busy.measure,
    "log": log_writing.measure,
    "folds": rebuilding.measure,
    "choose": choosing.measure,
}


def measured(
    names: Iterable[str], home: Path, *, quick: bool, told: Callable[[str], None]
) -> Result:
    """Run the benchmarks called *names*; one that breaks does not keep the others from running.

    They work under *home*, because that is the disk that runs will use.
    """
    here, figures, broken = machine(), list[Figure](), dict[str, str]()
    home.mkdir(parents=True, exist_ok=True)
    for name in names:
        told(name)
        with TemporaryDirectory(prefix="bench-", dir=home.absolute()) as folder:
            try:
                figures += BENCHMARKS[name](Path(folder), quick=quick)
            except Exception as error:  # noqa: BLE001 - the other benchmarks are to run all the same
                broken[name] = f"{type(error).__name__}: {error}"
    return Result(machine=here, quick=quick, figures=tuple(figures), broken=broken)
