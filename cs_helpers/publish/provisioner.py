"""Jupyter's door to warm start: the kernel provisioner named in pyproject.toml, the only home of jupyter_client's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from cs_helpers.publish import kernel


class WarmProvisioner(LocalProvisioner):
    """Hands out a forked kernel where the server is there, and a usual one elsewhere."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """The connection of a kernel that is starting, as the base class gives it."""
        address = os.environ.get(kernel.ADDRESS_VARIABLE)
        forked = address and kernel.forked(address, cmd, kwargs.get("cwd"), kwargs.get("env"))
        if not forked:
            return await super().launch_kernel(cmd, **kwargs)
        self.process = forked  # type: ignore[assignment]  # it has the part of Popen that is used
        self.pid = forked.pid
        self.cwd = kwargs.get("cwd", Path.cwd())
        return self.connection_info  # signals go through the server: a process id alone could be another's by then
