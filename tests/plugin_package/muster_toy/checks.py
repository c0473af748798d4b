"""Checks that misbehave, each in its own way. Those that need a place to write take it from $TOY_FOLDER."""

import ctypes
import gc
import os
import signal
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from modelmuster.contracts import Capability
from modelmuster.records import Family, Finding, Modality, Outcome


def folder():
    return Path(os.environ["TOY_FOLDER"])


def passed(message="", **figures):
    return Finding(outcome=Outcome.PASS, message=message, figures=figures)


class Toy:
    question = "Does the framework survive this?"
    families = None
    traits = frozenset()
    modalities = frozenset()
    needs = frozenset()

    def applies(self, trial):
        return None


class Ok(Toy):
    name = "ok"

    def run(self, trial):
        trial.baseline()
        return passed("fine", doubled=2)


class Fails(Toy):
    name = "fails"

    def run(self, trial):
        trial.baseline()
        return Finding(outcome=Outcome.FAIL, message="seven is not six", figures={"got": 7, "wanted": 6})


class Raises(Toy):
    name = "raises"

    def run(self, trial):
        raise ValueError(f"bad value {id(self)} at 0x{id(trial):x} in /tmp/some/{os.getpid()}/place.py")


class Strange(Exception):
    """Cannot be pickled, printed or made a string."""

    def __init__(self):
        self.hook = lambda: None

    def __str__(self):
        raise RuntimeError("no words")

    def __reduce__(self):
        raise TypeError("not to be pickled")


class Unpicklable(Toy):
    name = "unpicklable"

    def run(self, trial):
        raise Strange


class Segv(Toy):
    name = "segv"

    def run(self, trial):
        ctypes.string_at(0)


class Abort(Toy):
    name = "abort"

    def run(self, trial):
        os.abort()


class Exit7(Toy):
    name = "exit7"

    def run(self, trial):
        os._exit(7)


class Exit0(Toy):
    name = "exit0"

    def run(self, trial):
        os._exit(0)


class Exit255(Toy):
    name = "exit255"

    def run(self, trial):
        os._exit(255)


class SysExit(Toy):
    name = "sys_exit"

    def run(self, trial):
        sys.exit("enough")


class HangPython(Toy):
    name = "hang_python"

    def run(self, trial):
        while True:
            time.sleep(60)


class HangC(Toy):
    """One call of C that ends when a signal comes: by then it is too late."""

    name = "hang_c"

    def run(self, trial):
        ctypes.CDLL(None).sleep(600)
        return passed("slept well")


class Spin(Toy):
    name = "spin"

    def run(self, trial):
        while True:
            pass


class Nap(Toy):
    name = "nap"

    def run(self, trial):
        time.sleep(0.2)
        return passed()


class EatMemory(Toy):
    """More than the limit in one allocation."""

    name = "eat_memory"

    def run(self, trial):
        np.ones(1 << 32, dtype=np.float64)


class TouchMemory(Toy):
    """More than the limit in a shared mapping, which no allocation limit sees."""

    name = "touch_memory"

    def run(self, trial):
        import mmap

        page = b"x" * (1 << 20)
        with mmap.mmap(-1, 4 << 30) as mapping:
            while True:
                mapping.write(page)


class BigResult(Toy):
    name = "big_result"

    def run(self, trial):
        return passed("x" * 50_000_000)


class LeaveGrandchild(Toy):
    """One process in the group, one that left it, and one whose parent is gone."""

    name = "leave_grandchild"

    def run(self, trial):
        plain = subprocess.Popen(["sleep", "600"])
        apart = subprocess.Popen(["sleep", "600"], start_new_session=True)
        double = subprocess.run(
            ["sh", "-c", "setsid sleep 600 >/dev/null 2>&1 & echo $!"], stdout=subprocess.PIPE, check=True, text=True
        )
        pids = [plain.pid, apart.pid, int(double.stdout)]
        (folder() / f"grandchildren-{trial.architecture.model_type}").write_text(" ".join(map(str, pids)))
        return passed()


class LeaveDaemonAndDie(LeaveGrandchild):
    name = "leave_daemon_and_die"

    def run(self, trial):
        super().run(trial)
        os.kill(os.getpid(), signal.SIGSEGV)


class KillServer(Toy):
    """Kills the fork server: always, or only once when the model type is `once`."""

    name = "kill_server"

    def run(self, trial):
        mark = folder() / "server-killed"
        if trial.architecture.model_type != "once" or not mark.exists():
            mark.touch()
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)
        return passed()


class Prints(Toy):
    name = "prints"

    def run(self, trial):
        sys.stdout.write("to stdout from Python\n")
        sys.stderr.write("to stderr from Python\n")
        os.write(1, b"to stdout from C\n")
        return passed()


class Garbage(Toy):
    """Finds the pipe to the supervisor and writes nonsense on it."""

    name = "garbage"

    def run(self, trial):
        for found in gc.get_objects():
            if isinstance(found, Connection) and found.writable:
                os.write(found.fileno(), b"\x00no message\n")
        time.sleep(60)


class OddFigures(Toy):
    name = "odd_figures"

    def run(self, trial):
        return passed(
            "a lone \ud800 surrogate",
            single=np.float32(0.5),
            count=np.int64(3),
            nan=float("nan"),
            inf=np.float64("inf"),
        )


class WrongType(Toy):
    name = "wrong_type"

    def run(self, trial):
        return "pass"


class FlakyOnce(Toy):
    name = "flaky_once"

    def run(self, trial):
        mark = folder() / f"seen-{trial.architecture.model_type}"
        if mark.exists():
            return passed()
        mark.touch()
        return Finding(outcome=Outcome.FAIL, message="the first time always fails")


class WantsModule(Toy):
    name = "wants_module"
    needs = frozenset({Capability.MODULE})

    def run(self, trial):
        return passed()


class WantsVision(Toy):
    name = "wants_vision"
    families = frozenset({Family.VISION})

    def run(self, trial):
        return passed()


class WantsAudio(Toy):
    name = "wants_audio"
    modalities = frozenset({Modality.AUDIO})

    def run(self, trial):
        return passed()


class Declines(Toy):
    name = "declines"

    def applies(self, trial):
        return "not on a Monday"

    def run(self, trial):
        return passed()


class Unstable(Toy):
    name = "unstable"

    def run(self, trial):
        trial.reference()
        return passed()


class Overlaps(Toy):
    """Fails when another cell with this check runs at the same time."""

    name = "overlaps"

    def run(self, trial):
        mark = folder() / "in-the-laboratory"
        try:
            mark.mkdir()
        except FileExistsError:
            return Finding(outcome=Outcome.FAIL, message="somebody else is here")
        time.sleep(0.1)
        mark.rmdir()
        return passed()


class PullsCard(Toy):
    name = "pulls_card"

    def run(self, trial):
        (folder() / "card-is-gone").touch()
        raise RuntimeError("the driver does not answer")


class SpoilsContext(Toy):
    """What torch says after a kernel wrote where it must not, and of everything that is asked then."""

    name = "spoils_context"

    def run(self, trial):
        raise RuntimeError("CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be …")


class Surroundings(Toy):
    """What a cell finds around it."""

    name = "surroundings"

    def run(self, trial):
        import resource
        import threading

        return passed(
            leader=os.getpid() == os.getsid(0),
            stdin_is_empty=not sys.stdin.read(),
            threads=threading.active_count(),
            offline=os.environ["HF_HUB_OFFLINE"],
            openmp=os.environ["OMP_NUM_THREADS"],
            cpu_limit=resource.getrlimit(resource.RLIMIT_CPU)[0],
            torch="torch" in sys.modules,
            pytest="pytest" in sys.modules,
            preload_variable=os.environ.get("MODELMUSTER_PRELOAD"),
        )
