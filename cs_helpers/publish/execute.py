"""Executes a notebook with papermill, within limits, and finds out whether it ran to its end.

papermill and nbclient report success too often: after a killed kernel, or when a cell stops the notebook. So the limits
are watched from outside, and a run is good only if every cell ran to its end. Only this module imports papermill.
"""

from __future__ import annotations

import logging
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cs_helpers.core import errors
from cs_helpers.core.errors import CsHelpersError
from cs_helpers.publish import kernel, limits
from cs_helpers.publish.series import Record, Scalar, outputs

if TYPE_CHECKING:
    from nbformat import NotebookNode

Progress = Callable[[int, int], None]
"""Called before each cell with its number and the number of cells."""

MAX_OUTPUT = 20_000_000
"""Characters of output that one cell may have."""

_TOO_MUCH = (
    f"stopped because it showed more than {MAX_OUTPUT / 1e6:.0f} million characters\n"
    "  Show less: a report is for people to read."
)
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_OURS = {"injected-parameters", "papermill-error-cell-tag"}
_MAX_MESSAGE = 1500
_LOOK_EVERY_S = 0.1
_QUIET_S = 0.01


@dataclass(frozen=True)
class Limits:
    """Limits of one run: seconds in total, and bytes of memory of the kernel and its children; None means no limit."""

    timeout_s: float | None = None
    memory: int | None = None


def execute(
    notebook: Path,
    values: Mapping[str, Scalar],
    progress: Progress,
    environment: Mapping[str, str],
    within: Limits,
    *,
    warm: bool = True,
) -> tuple[NotebookNode, Record | None, int]:
    """Executes a notebook with its parameters; it succeeded if papermill succeeded and every cell ran to its end.

    Returns the notebook up to where it ran, the error or None, and the peak memory of its kernel in bytes.
    ``environment`` holds variables for the kernel in addition to those of this process. With ``warm`` the kernel is
    forked if a server is running (see ``kernel.warm``). Never raises for an error in the notebook.
    """
    prepare_imports()
    import nbformat
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook, remove_error_markers

    kernel.limit_threads()
    executed = nbformat.read(notebook, as_version=4)
    at = 0

    def on_notebook_start(notebook: NotebookNode) -> None:
        nonlocal executed
        executed = notebook

    def on_cell_start(cell: NotebookNode, cell_index: int) -> None:
        nonlocal at
        at = cell_index
        watch.cell = executed.cells[at]
        progress(cell_number(executed, at), cell_number(executed, len(executed.cells) - 1))

    failed: Exception | None = None
    # The kernel's connection files are in a folder that other users of this machine cannot read.
    private = tempfile.TemporaryDirectory(prefix="cs-helpers-", ignore_cleanup_errors=True)
    with private as folder, _Watch(within) as watch:
        try:
            execute_notebook(
                str(notebook).replace("{", "{{").replace("}", "}}"),  # papermill formats its paths
                None,
                parameters=dict(values),
                kernel_name="python3",
                language="python",
                progress_bar=False,
                kernel_manager_class=_kernel_manager_class(environment, Path(folder), watch, warm),
                shutdown_kernel="immediate",
                record_timing=False,
                on_notebook_start=on_notebook_start,
                on_cell_start=on_cell_start,
            )
        except Exception as error:  # of papermill, nbclient or zmq: the run did not end cleanly
            failed = error
    remove_error_markers(executed)
    for place, cell in enumerate(executed.cells):  # a cell that ended before the watch looked at it
        if not watch.reached and _shown(cell) > MAX_OUTPUT:
            at, watch.reached = place, _TOO_MUCH
    if watch.reached:
        for output in outputs(executed):  # the notebook is kept to find the cause, and must not fill the disk
            if len(output.get("text", "")) > 10_000:
                output.text = output.text[:10_000] + "\n... (cut)"
        problem: Record | None = _cell_error(executed, notebook.name, at, "LimitReached", watch.reached)
    elif failed is None or isinstance(failed, PapermillExecutionError):
        problem = _first_problem(executed, notebook.name)
        if problem is None and failed is not None:
            problem = error_of(None, type(failed).__name__, f"{notebook.name}: {failed}")
    else:
        dead = type(failed).__name__ == "DeadKernelError"
        reason = "the kernel died: it was killed, or memory ran out" if dead else f"{type(failed).__name__}: {failed}"
        problem = _cell_error(executed, notebook.name, at, type(failed).__name__, reason)
    return executed, problem, watch.peak


class _Watch:
    """A thread that watches the limits and kills a kernel that passes one; ``reached`` then holds the message."""

    def __init__(self, within: Limits):
        self.within = within
        self.reached = ""
        self.peak = 0
        self.process: Callable[[], Any] = lambda: None  # the kernel's, while there is one
        self.cell: Mapping[str, Any] = {}
        self._ended = threading.Event()
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        if kernel_process := self.process():  # nbclient leaves a kernel running that is interrupted while it starts
            kernel_process.kill()
            kernel_process.wait()

    def _look(self) -> None:
        import psutil

        looks, children = 0, list[psutil.Process]()
        while not self._ended.wait(_LOOK_EVERY_S):
            kernel_process = self.process()
            if not kernel_process:
                continue
            try:
                process = psutil.Process(kernel_process.pid)
                # Finding the children reads the list of all processes, so it is done once a second only.
                children = process.children(recursive=True) if looks % 10 == 0 else children
                looks += 1
                used = process.memory_info().rss
            except psutil.Error:
                continue
            for child in children:
                with suppress(psutil.Error):  # the process has ended
                    used += child.memory_info().rss
            self.peak = max(self.peak, used)
            self.reached = self._passed(used)
            if self.reached:
                for each in (*process.children(recursive=True), process):
                    with suppress(psutil.Error):
                        each.kill()
                return

    def _passed(self, used: int) -> str:
        timeout, memory = self.within.timeout_s, self.within.memory
        if timeout and time.monotonic() - self._began > timeout:
            return (
                f"stopped after {limits.in_words(timeout)}, the time limit\n"
                "  Allow more with --timeout, or reduce the work (a shorter period, fewer accounts)."
            )
        if memory and used > memory:
            return (
                f"stopped at {limits.size_in_words(used)} of memory; the limit is {limits.size_in_words(memory)}\n"
                "  Allow more with --memory, or run fewer reports at a time with --jobs."
            )
        if _shown(self.cell) > MAX_OUTPUT:
            return _TOO_MUCH
        return ""


def _shown(cell: Mapping[str, Any]) -> int:
    """Number of characters in a cell's outputs so far."""
    count = 0
    for output in list(cell.get("outputs", [])):
        count += len(output.get("text", ""))
        count += sum(len(value) for value in list(output.get("data", {}).values()) if isinstance(value, str))
    return count


def _first_problem(executed: NotebookNode, name: str) -> Record | None:
    """The error of the first code cell that did not run to its end, or None; papermill's status is not trusted."""
    for position, cell in enumerate(executed.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        for output in cell.outputs:
            if output.output_type == "error":
                reason = f"{output.ename}: {output.evalue}".rstrip(": ")
                if output.ename == "SystemExit":
                    reason += " (the notebook stopped before its last cell)"
                message = output.evalue if known_error(output.ename) else None
                return _cell_error(executed, name, position, output.ename, reason, message)
        if cell.execution_count is None or cell.metadata.get("papermill", {}).get("status") != "completed":
            return _cell_error(executed, name, position, "NotRun", "this cell did not run to its end")
    return None


def _cell_error(
    executed: NotebookNode, name: str, position: int, ename: str, reason: str, message: str | None = None
) -> Record:
    number, heading = cell_number(executed, position), _heading_above(executed, position)
    under = f", under '{heading}'" if heading else ""
    return error_of(number, ename, message or f"{name}, cell {number}{under}: {reason}")


def error_of(cell: int | None, ename: str, message: str) -> Record:
    """An error as run.json stores it; a long message from another library is cut."""
    text = ANSI.sub("", message)
    if len(text) > _MAX_MESSAGE and not known_error(ename):  # messages of this package list every problem
        text = text[:_MAX_MESSAGE] + " ... (cut)"
    return {"cell": cell, "ename": ename, "message": text}


def cell_number(executed: NotebookNode, position: int) -> int:
    """The cell's number as its author counts: from 1, without the cells that papermill inserted."""
    return sum(not _OURS & set(cell.metadata.get("tags", [])) for cell in executed.cells[: position + 1])


def _heading_above(executed: NotebookNode, position: int) -> str:
    for cell in reversed(executed.cells[: position + 1]):
        if cell.cell_type == "markdown" and (headings := re.findall(r"^#+ +(.+)$", cell.source, re.MULTILINE)):
            return str(headings[-1]).strip()
    return ""


def known_error(name: str) -> type[CsHelpersError] | None:
    """This package's error class of that name, or None."""
    kind = getattr(errors, name, None)
    return kind if isinstance(kind, type) and issubclass(kind, CsHelpersError) else None


def prepare_imports() -> None:
    """Call this before the first import of nbformat or papermill: it saves a slow import and mutes papermill's log."""
    # jsonschema's format checker builds a grammar of web addresses (1.2 s) that no notebook schema uses
    # (nbformat #420). A module that is None counts as not installed.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # this package reports the errors


def _kernel_manager_class(environment: Mapping[str, str], folder: Path, watch: _Watch, warm: bool) -> type:
    """A kernel manager class; its kernels get ``environment`` in addition to the variables of this process.

    The variables may be secret, so they are written to no file.
    """
    import zmq
    from jupyter_client.asynchronous.client import AsyncKernelClient
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager
    from traitlets import default

    local = sys.platform != "win32"
    metadata = {"supported_encryption": "curve"}

    class Quick(AsyncKernelClient):
        """A client that does not wait 0.2 seconds for messages of a new kernel, as only answers to cells matter."""

        async def wait_for_ready(self, timeout: float | None = None) -> None:
            channel = self.iopub_channel
            listen = channel.get_msg
            channel.get_msg = lambda timeout: listen(timeout=min(timeout, _QUIET_S))
            try:
                await super().wait_for_ready(timeout)
            finally:
                del channel.get_msg

    class ThisInterpreter(AsyncKernelManager):
        """Starts kernels with this Python, whatever kernel the user has installed under the name python3."""

        client_factory = Quick

        def __init__(self, **kwargs: Any):
            super().__init__(**kwargs)
            watch.process = lambda: getattr(self.provisioner, "process", None)
            if local:
                # Files instead of ports: two runs cannot take the same one, and the permissions of the folder keep
                # other users out.
                self.transport = "ipc"
                self.ip = str(folder / "socket")
            self.connection_file = str(folder / "kernel.json")

        async def _async_interrupt_kernel(self) -> None:
            # Jupyter interrupts a kernel before it kills it. One that is still importing, or already ending, would
            # print the traceback of that on the terminal.
            if not self.shutting_down:
                await super()._async_interrupt_kernel()

        async def _async_wait(self, pollinterval: float = 0.1) -> None:
            await super()._async_wait(_QUIET_S)  # a killed kernel ends sooner than in 0.1 seconds

        @property
        def kernel_spec(self) -> KernelSpec:
            return KernelSpec(
                argv=[sys.executable, "-P", "-m", "cs_helpers.publish.kernel_main", "-f", "{connection_file}"],
                display_name="Python 3",
                language="python",
                env={
                    "CS_HELPERS_DEBUG": "1",  # keeps the traceback in the notebook for --debug
                    "JPY_SESSION_NAME": "",  # not interactive, even if a notebook's cell started the run
                    **environment,
                },
                metadata=metadata | ({"kernel_provisioner": {"provisioner_name": kernel.PROVISIONER}} if warm else {}),
            )

        @default("transport_encryption")
        def _encrypt(self) -> str:
            # Other users of this machine can read ports, so traffic is encrypted where ports are used.
            return "disabled" if local or not zmq.has("curve") else "auto"

    return ThisInterpreter
