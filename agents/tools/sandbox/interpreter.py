"""The Python that solutions run under, and which paths it needs to see."""

import os
import subprocess
from pathlib import Path

from msgspec import Struct

_ASK = "import sys; print(sys.prefix, sys.base_prefix, sep='\\n')"
_PARTS = ("bin", "lib", "lib64", "include", "share", "etc", "pyvenv.cfg", "ssl")
_SHARED_WITH_SYSTEM = {"/", "/usr", "/usr/local"}


class Interpreter(Struct, frozen=True, kw_only=True):
    """A Python and what of the machine it reads, parents before children."""

    path: str
    readable: tuple[str, ...]

    def environment(self, folder: str, threads: int) -> dict[str, str]:
        """Return all that a solution in *folder* finds in its environment."""
        counted = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM", "NUMBA", "POLARS_MAX")
        return {
            "PATH": f"{Path(self.path).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": f"{folder}/.home",
            "TMPDIR": f"{folder}/.tmp",
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",  # what was printed before a kill is not lost
            "PYTHONIOENCODING": "utf-8:backslashreplace",  # no print fails for a character
            "PYTHONDONTWRITEBYTECODE": "1",
            "MPLBACKEND": "Agg",
            "LOKY_MAX_CPU_COUNT": str(threads),
            **{f"{each}_NUM_THREADS": str(threads) for each in counted if "_MAX" not in each},
            **{f"{each}_THREADS": str(threads) for each in counted if "_MAX" in each},
        }


def inspect(python: str) -> Interpreter:
    """Return what *python* is made of; raises OSError or CalledProcessError when it does not run."""
    answer = subprocess.run(
        [python, "-I", "-S", "-c", _ASK], check=True, capture_output=True, text=True
    )
    prefixes = {*answer.stdout.split("\n")[:2], *(str(each) for each in _homes(Path(python)))}
    prefixes |= {os.path.realpath(each) for each in prefixes}
    parts = (Path(prefix, part) for prefix in prefixes - _SHARED_WITH_SYSTEM for part in _PARTS)
    return Interpreter(
        path=os.path.abspath(python),  # noqa: PTH100 - resolving it would leave the virtual environment
        readable=tuple(sorted(str(each) for each in parts if each.exists())),
    )


def _homes(program: Path) -> list[Path]:
    """Return the installations that the chain of links from *program* passes through."""
    homes = [program.absolute().parent.parent]
    while program.is_symlink():
        program = program.parent / program.readlink()
        homes.append(Path(os.path.normpath(program.parent.parent)))
    return homes
