"""Starts a kernel without warm start, which ends with the process that started it; used by ``publish.execute``.

ipykernel also ends with its parent, but not if the parent dies while the kernel still imports: it would then take
the process that adopted it for its parent and run for ever.
"""

from __future__ import annotations

import os
import threading
import time

_LOOK_EVERY_S = 1.0


def main() -> None:
    """The same as ``python -m ipykernel_launcher``, with the same options."""
    parent = int(os.environ.get("JPY_PARENT_PID", "0"))
    if parent and os.name == "posix":
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    os._exit(1)


if __name__ == "__main__":
    main()
