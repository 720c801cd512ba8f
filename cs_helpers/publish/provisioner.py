"""The kernel provisioner that Jupyter uses for warm start; ``pyproject.toml`` registers it by this name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from cs_helpers.publish import kernel


class WarmProvisioner(LocalProvisioner):
    """Provides a forked kernel if a server is running, and otherwise starts one the usual way."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Starts a kernel; returns its connection information like the base class."""
        address = os.environ.get(kernel.ADDRESS_VARIABLE)
        forked = address and kernel.forked(address, cmd, kwargs.get("cwd"), kwargs.get("env"))
        if not forked:
            return await super().launch_kernel(cmd, **kwargs)
        self.process = forked  # type: ignore[assignment]  # it has the methods of Popen that are used
        self.pid = forked.pid
        self.cwd = kwargs.get("cwd", Path.cwd())
        return self.connection_info  # signals go through the server, because a process id may be reused
