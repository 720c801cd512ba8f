"""Warm start: IPython kernels forked from a server process that has already imported the heavy libraries.

Importing the libraries takes longer than running many a report. One server process imports them once, never runs a
notebook, and forks a kernel for each run. papermill and nbclient use that kernel like any other. Nothing passes from
one run to the next, because every kernel descends from the server and never from another kernel. The server ends with
the process that started it, and a kernel ends with the process that asked for it.

A kernel is started the usual way, with the same output, if the server has threads (they are lost in a fork), if the
system has no safe fork (macOS, Windows), or if anything fails on the way.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import importlib
import json
import os
import random
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from cs_helpers.subjects import SUBJECTS

PACKAGE = Path(__file__).resolve().parents[1]

ADDRESS_VARIABLE = "CS_HELPERS_WARM_START"
PROVISIONER = "cs-helpers-warm"
IMPORTS = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.debugger", "IPython.core.interactiveshell", "numpy",
    "numpy.random", "pandas", "pyarrow", "pyarrow.csv", "pyarrow.compute", "pyarrow.pandas_compat", "duckdb",
    "matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "seaborn",
    "scipy.optimize", "scipy.special", "scipy.stats", "sklearn.ensemble", "sklearn.linear_model", "sklearn.metrics",
    "sklearn.pipeline", "sklearn.preprocessing", "pydantic", "yaml", "cs_helpers.data.tables",
    "cs_helpers.data.rollups", "cs_helpers.data.mapping", "cs_helpers.data.sources", "cs_helpers.data.engines.duckdb",
    "cs_helpers.core.stats",
    *(f"cs_helpers.{subject}" for subject in SUBJECTS),
    *(f"cs_helpers.{part}.views" for part in (*SUBJECTS, "data") if any((PACKAGE / part).glob("views*"))),
    *(f"cs_helpers.{part}.metrics" for part in (*SUBJECTS, "data") if (PACKAGE / part / "metrics.py").is_file()),
    "cs_helpers.report", "cs_helpers.report.parameters",
)  # fmt: skip
"""The modules that the server imports: what a notebook of this project is likely to need.

None of them may start a thread; ``_prepare`` checks that. matplotlib_inline must not be among them: it connects itself
to the shell when it is first imported, and without a shell no chart would be shown later.
"""

_MAX_WAIT_S = 60.0
_WHILE_IMPORTING = {
    # pyarrow has two allocators; the unused one would start a thread to free memory.
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    # Every kernel imports the debugger, which would warn on the terminal that it cannot debug frozen modules.
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
# Variables that modules may read while they are imported. A kernel that needs other values must import by itself.
_READ_AT_IMPORT = ("PYTHON", "LD_", "OPENBLAS_", "OMP_", "MKL_", "MPL", "LC_", "LANG", "NPY_", "TZ", "VIRTUAL_ENV")


# --- the client: asking for a kernel --------------------------------------------------------------------------------


def limit_threads() -> None:
    """Limits linear algebra in child processes to one thread, unless the environment sets another number.

    Matrices of this size gain little from more threads, and the threads of several reports on one machine wait for
    each other twenty times as long as they compute. Besides, a server with threads could not fork.
    """
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")


def can_fork() -> bool:
    """Whether kernels can be forked on this system: on Linux only; elsewhere system libraries break in a fork."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


@contextmanager
def warm() -> Iterator[str | None]:
    """Runs the server while the block lasts; yields its address for ADDRESS_VARIABLE, or None if it cannot fork.

    The block starts at once, while the server still imports; a request for a kernel waits until it has finished.
    """
    if not can_fork():
        yield None
        return
    limit_threads()
    # The folder is readable by its owner only, so no other user can ask for a kernel.
    with tempfile.TemporaryDirectory(prefix="cs-helpers-", ignore_cleanup_errors=True) as folder:
        address = os.path.join(folder, "warm")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(address)
            listener.listen(64)
            server = subprocess.Popen(
                [sys.executable, "-m", "cs_helpers.publish.kernel", str(listener.fileno()), folder],
                stdin=subprocess.PIPE,  # closed when this process ends for any reason, which tells the server to end
                stdout=2,
                pass_fds=(listener.fileno(),),
                start_new_session=True,  # Ctrl-C reaches this process only, which ends the server itself
            )
        try:
            yield address
        finally:
            assert server.stdin
            server.stdin.close()
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def probe() -> tuple[bool, str]:
    """Whether warm start works on this machine, and a sentence with the result or the reason."""
    if not can_fork():
        return False, "this system has no safe fork, so each report starts its own kernel (about two seconds longer)"
    with warm() as address:
        assert address
        try:
            answered = _ask(address, {"probe": True})
        except OSError as error:
            return False, f"the server of warm kernels did not answer: {error}"
    if why := answered.answer.get("refused"):
        return False, f"each report starts its own kernel: {why}"
    return True, f"kernels are forked with {answered.answer['modules']:,} modules loaded"


class Forked:
    """A forked kernel, with the methods of ``subprocess.Popen`` that Jupyter uses; ``answer`` comes from the server."""

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, answer: dict[str, Any], rest: bytes):
        self._connection, self.answer, self._rest = connection, answer, rest
        self.pid: int = answer.get("pid", 0)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, or None while the kernel runs; -9 if the server is gone, because its kernels end with it."""
        if self.returncode is None:
            self._connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                self._read_answer()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the end of the kernel; returns its exit code."""
        while self.returncode is None:
            self._connection.settimeout(timeout)
            self._read_answer()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends a signal to the kernel and all processes that it started; does nothing if it has ended."""
        with contextlib.suppress(OSError):
            self._connection.setblocking(True)
            self._connection.sendall(json.dumps({"signal": int(number)}).encode() + b"\n")

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def _read_answer(self) -> None:
        try:
            got = self._connection.recv(4096)
        except BlockingIOError:
            raise
        except OSError:
            got = b""
        self._rest += got
        line, end, self._rest = self._rest.partition(b"\n")
        if end:
            self.returncode = int(json.loads(line)["exit"])
        elif not got:
            self.returncode = -signal.SIGKILL
        else:
            self._rest = line
        if self.returncode is not None:
            self._connection.close()


def forked(address: str, cmd: list[str], cwd: Any, env: dict[str, str] | None) -> Forked | None:
    """A forked kernel, or None if the server cannot provide one."""
    options = cmd[cmd.index("-f") :]
    request = {"argv": options, "cwd": str(cwd or Path.cwd()), "env": dict(os.environ if env is None else env)}
    with contextlib.suppress(OSError):
        answered = _ask(address, request)
        return answered if answered.pid else None
    return None


def _ask(address: str, request: dict[str, Any]) -> Forked:
    """Sends a request to the server and reads its answer. Raises OSError if there is none."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(_MAX_WAIT_S)
        connection.connect(address)
        connection.sendall(json.dumps(request).encode() + b"\n")
        got = b""
        while b"\n" not in got:
            more = connection.recv(65_536)
            if not more:
                raise ConnectionError("the server of warm kernels has ended")
            got += more
    except OSError:
        connection.close()
        raise
    line, _, rest = got.partition(b"\n")
    return Forked(connection, json.loads(line), rest)


# --- the server -----------------------------------------------------------------------------------------------------


def serve(listener: socket.socket, folder: str) -> None:
    """Forks a kernel for each connection until standard input ends; then ends all kernels and itself."""
    try:
        _Server(listener, _prepare()).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _prepare() -> str:
    """Imports IMPORTS; returns the reason why no kernel can be forked from this process, or an empty text."""

    class Shell:
        kernel = None

    # Some modules choose defaults by whether they are imported in a notebook (pandas: the number of columns shown).
    builtins.get_ipython = Shell  # type: ignore[attr-defined]
    backend = os.environ.get("MPLBACKEND")
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    ours = {name: value for name, value in _WHILE_IMPORTING.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        for name in IMPORTS:
            with contextlib.suppress(ImportError):  # a notebook that needs the module reports the error
                importlib.import_module(name)
    finally:
        del builtins.get_ipython  # type: ignore[attr-defined]
        if backend is None:
            del os.environ["MPLBACKEND"]
        for name in ours:
            del os.environ[name]
    gc.collect()
    gc.freeze()  # memory that is never collected stays shared between all kernels
    threads = len(os.listdir("/proc/self/task"))
    return f"{threads - 1} threads run after the imports, and a fork would lose them" if threads > 1 else ""


class _Server:
    """The server's sockets and kernels; one loop in one thread handles them all."""

    def __init__(self, listener: socket.socket, refused: str):
        self.listener, self.refused = listener, refused
        self.environment = _read_at_import(os.environ)
        self.selector = selectors.DefaultSelector()
        # connection -> process id, file descriptor that is readable when the process has ended
        self.children: dict[socket.socket, tuple[int, int]] = {}

    def run(self) -> None:
        self._watch(self.listener, self._accept)
        self.selector.register(sys.stdin.buffer, selectors.EVENT_READ)
        running = True
        while running:
            for key, _ in self.selector.select():
                if key.data is None:
                    running = bool(os.read(sys.stdin.fileno(), 4096))  # empty once the owner has ended
                elif key.fd in self.selector.get_map():  # an earlier event of this round may have closed it
                    key.data()
        for pid, _ in self.children.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def _watch(self, file: Any, then: Callable[[], None]) -> None:
        self.selector.register(file, selectors.EVENT_READ, then)

    def _accept(self) -> None:
        connection, _ = self.listener.accept()
        connection.settimeout(_MAX_WAIT_S)
        line = b""

        def first() -> None:
            nonlocal line
            got = self._read(connection)
            line += got
            if got and not line.endswith(b"\n"):
                return
            self.selector.unregister(connection)
            if got:
                self._fork(connection, json.loads(line))
            else:
                connection.close()

        self._watch(connection, first)

    def _read(self, connection: socket.socket) -> bytes:
        try:
            return connection.recv(1 << 20)
        except OSError:
            return b""

    def _fork(self, connection: socket.socket, request: dict[str, Any]) -> None:
        refused = self.refused or self._environment_differs(request.get("env", {}))
        if refused or request.get("probe"):
            self._say(connection, {"refused": refused} if refused else {"modules": len(sys.modules)})
            connection.close()
            return
        pid = os.fork()
        if pid == 0:
            _become_kernel(request, [self.listener, connection, *self.children], self.selector)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)  # the child does the same, so the group exists before a signal is sent
        ended = os.pidfd_open(pid)
        self.children[connection] = pid, ended
        self._say(connection, {"pid": pid})
        self._watch(connection, lambda: self._on_request(connection))
        self._watch(ended, lambda: self._ended(connection))

    def _environment_differs(self, wanted: dict[str, str]) -> str:
        differ = {name for name, _ in _read_at_import(wanted).items() ^ self.environment.items()} if wanted else set()
        return f"the environment differs in {', '.join(sorted(differ))}" if differ else ""

    def _on_request(self, connection: socket.socket) -> None:
        got = self._read(connection)
        pid, _ = self.children[connection]
        # An empty read means that the client has ended, so its kernel is killed.
        signals = [json.loads(line)["signal"] for line in got.splitlines()] if got else [signal.SIGKILL]
        for number in signals:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, number)
        if not got:
            self.selector.unregister(connection)

    def _ended(self, connection: socket.socket) -> None:
        pid, ended = self.children.pop(connection)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)  # processes that the kernel started and left
        _, status = os.waitpid(pid, 0)
        self.selector.unregister(ended)
        os.close(ended)
        self._say(connection, {"exit": os.waitstatus_to_exitcode(status)})
        with contextlib.suppress(KeyError):
            self.selector.unregister(connection)
        connection.close()

    def _say(self, connection: socket.socket, answer: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            connection.sendall(json.dumps(answer).encode() + b"\n")


def _read_at_import(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_READ_AT_IMPORT)}


def _become_kernel(request: dict[str, Any], others: list[socket.socket], selector: selectors.BaseSelector) -> NoReturn:
    """Turns the forked child into what ``python -m ipykernel_launcher`` starts, and ends the process with it."""
    code = 1
    server = os.getppid()
    try:
        os.setpgid(0, 0)  # a process group of its own, so that all processes it starts can be ended with it
        selector.close()
        for each in others:
            each.close()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.environ.clear()
        os.environ.update(request["env"], JPY_PARENT_PID=str(server))
        time.tzset()
        os.chdir(request["cwd"])
        random.seed()  # each kernel has its own random numbers, although all descend from one process
        if numpy := sys.modules.get("numpy.random"):
            numpy.seed()
        sys.argv = ["ipykernel_launcher", *request["argv"]]
        from ipykernel.kernelapp import IPKernelApp

        app = IPKernelApp.instance(parent_handle=server)
        app.initialize(request["argv"])
        app.start()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def main() -> None:
    """``python -m cs_helpers.publish.kernel FILE-NUMBER-OF-A-LISTENING-SOCKET ITS-FOLDER``"""
    if sys.path and Path(sys.path[0] or ".").resolve() == Path.cwd():
        del sys.path[0]  # as ipykernel_launcher does: no file of the working directory may replace a module
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2])
    finally:
        os._exit(0)  # nothing needs to be closed here, and some modules print warnings when Python shuts down


if __name__ == "__main__":
    main()
