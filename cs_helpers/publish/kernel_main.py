"""Starts a kernel without warm start, which ends with the process that started it; used by ``publish.execute``.

ipykernel also ends with its parent, but not if the parent dies while the kernel still imports: it would then take
the process that adopted it for its parent and run for ever.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from pathlib import Path

_LOOK_EVERY_S = 1.0


def main() -> None:
    """The same as ``python -m ipykernel_launcher``, with the same options, for a connection file that exists.

    A run that is stopped removes the file's private folder. ipykernel would then make the folder again and listen
    on open ports, without encryption, until it finds out that its parent has ended.
    """
    parent = int(os.environ.get("JPY_PARENT_PID", "0")) if os.name == "posix" else 0
    if parent:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    gc.set_threshold(50_000)  # the imports make a million objects that stay: looking for garbage among them takes 0.2 s
    from ipykernel.kernelapp import IPKernelApp

    class ReportKernelApp(IPKernelApp):
        def initialize(self, argv: list[str] | None = None) -> None:
            try:
                super().initialize(argv)  # type: ignore[no-untyped-call]
            except Exception:
                if Path(self.connection_file).exists():
                    raise
                os._exit(1)  # the folder was removed after the file was read

        def init_connection_file(self) -> None:
            if not Path(self.connection_file).exists():
                os._exit(1)
            super().init_connection_file()  # type: ignore[no-untyped-call]

        def init_poller(self) -> None:
            if not parent:  # it would do the same as the thread above, and print that its parent has ended
                super().init_poller()  # type: ignore[no-untyped-call]

    ReportKernelApp.launch_instance(sys.argv[1:])


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    os._exit(1)


if __name__ == "__main__":
    main()
