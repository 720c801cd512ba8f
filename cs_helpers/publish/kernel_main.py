"""Starts a kernel without warm start, which ends with the process that started it; used by ``publish.execute``.

ipykernel looks after its parent as well, but not one that dies while the kernel is still importing: it then takes the
process it was handed to for its parent and stays for ever.
"""

from __future__ import annotations

import os
import threading
import time

_LOOK_EVERY_S = 1.0


def main() -> None:
    """What ``python -m ipykernel_launcher`` is, with the same options."""
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
