"""Programs that mean harm, or are merely broken, and how each has to end."""

from collections.abc import Mapping
from textwrap import dedent
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from schemas.events import Outcome


class Hostile(NamedTuple):
    """One program: its outcome, words of the reason or output, and limits other than usual."""

    code: str
    outcome: Outcome | Literal["error or timeout"]
    says: str = ""
    limits: Mapping[str, Any] = MappingProxyType({})


SHORT = {"seconds": 0.6, "grace_seconds": 0.3}

_PROGRAMS = {
    "endless loop": Hostile("while True: pass", "timeout", "not finished", SHORT),
    "loop that ignores every polite signal": Hostile(
        """
        import signal
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("deaf")
        while True: pass
        """,
        "timeout",
        "deaf",
        SHORT,
    ),
    "swallowed KeyboardInterrupt": Hostile(
        """
        import time
        while True:
            try: time.sleep(10)
            except KeyboardInterrupt: print("swallowed")
        """,
        "timeout",
        "swallowed",
        SHORT,
    ),
    "fork bomb": Hostile(
        """
        import os, time
        for _ in range(8):
            try: os.fork()
            except OSError: pass
        time.sleep(20)
        """,
        "error or timeout",
        "",
        SHORT,
    ),
    "memory bomb": Hostile(
        """
        kept = []
        while True: kept.append(bytearray(10_000_000))
        """,
        "memory",
    ),
    "memory bomb of many processes": Hostile(
        """
        import os, time
        for _ in range(6):
            if os.fork() == 0:
                kept = bytearray(100_000_000); time.sleep(20)
        time.sleep(20)
        """,
        "memory",
        "256 MiB",
    ),
    "one large file": Hostile(
        "open('working/large', 'wb').write(bytes(20_000_000))", "error", "File too large"
    ),
    "many files": Hostile(
        """
        import time
        for n in range(100): open(f"working/{n}", "wb").write(bytes(1_000_000))
        time.sleep(20)
        """,
        "error",
        "work directory",
    ),
    "os._exit": Hostile("import os; print('before', flush=True); os._exit(3)", "error", "status 3"),
    "os._exit with success": Hostile("import os; os._exit(0)", "ok"),
    "segmentation fault": Hostile("import ctypes; ctypes.string_at(0)", "error", "SIGSEGV"),
    "abort": Hostile("import os; os.abort()", "error", "SIGABRT"),
    "sys.exit(0)": Hostile("import sys; print('done'); sys.exit(0)", "ok", "done"),
    "sys.exit with words": Hostile("import sys; sys.exit('no data')", "error", "no data"),
    "main guard": Hostile("if __name__ == '__main__': print('reached')", "ok", "reached"),
    "syntax error": Hostile("def", "error", "SyntaxError"),
    "NUL in the code": Hostile("print(1)\0", "error"),
    "lone surrogate": Hostile("print('\\ud800 printed')", "ok", "printed"),
    "surrogate in the code": Hostile("print('\ud800')", "error", "SyntaxError"),
    "binary output": Hostile("import os; os.write(1, bytes(range(256)) * 4)", "ok", "0123456789"),
    "output past Python": Hostile(
        "import os; os.system('echo from a shell')", "ok", "from a shell"
    ),
    "deleted work directory": Hostile(
        """
        import os, shutil
        shutil.rmtree(os.getcwd(), ignore_errors=True); print("deleted")
        """,
        "ok",
        "deleted",
    ),
    "locked work directory": Hostile(
        """
        import os
        os.makedirs("working/a/b"); os.chmod("working/a", 0); os.chmod("working", 0)
        """,
        "ok",
    ),
    "very deep directories": Hostile(
        """
        import os
        for _ in range(1200): os.mkdir("d"); os.chdir("d")
        """,
        "ok",
    ),
    "thread flood": Hostile(
        """
        import threading, time
        for n in range(5000): threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
        """,
        "error",
        "start new thread",
    ),
    "file descriptor flood": Hostile(
        "kept = [open('/dev/null') for _ in range(10_000)]", "error", "Too many open files"
    ),
    "reading standard input": Hostile("print(repr(open(0).read()))", "ok", "''"),
}

PROGRAMS = {name: each._replace(code=dedent(each.code).strip()) for name, each in _PROGRAMS.items()}
