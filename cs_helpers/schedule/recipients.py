"""What each kind of recipient needs: its environment variables, and the error of a delivery that fails."""

from __future__ import annotations

import os
import re

SERVER, SENDER = "CS_HELPERS_SMTP_URL", "CS_HELPERS_MAIL_FROM"
LATER = "It will be tried again."
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_ATOM, _LABEL = r"[\w!#$%&'*+/=?^`{|}~-]+", r"\w([\w-]*\w)?"
MAIL_ADDRESS = re.compile(rf"{_ATOM}(\.{_ATOM})*@({_LABEL}\.)*{_LABEL}", re.ASCII)


class NotDelivered(Exception):  # noqa: N818 - it names what happened
    """Why a delivery failed, without secrets; ``for_all`` if every other mail would fail for the same reason."""

    def __init__(self, reason: str, for_all: bool = False):
        super().__init__(reason)
        self.for_all = for_all


def variables(recipient: str) -> tuple[str, ...]:
    """The environment variables that a delivery to a recipient needs.

    >>> variables("slack://${SLACK_A}/${SLACK_B}/${SLACK_C}")
    ('SLACK_A', 'SLACK_B', 'SLACK_C')
    """
    kind, _, to = recipient.partition(":")
    return {"mail": (SERVER, SENDER), "webhook": (to,), "folder": ()}.get(kind) or tuple(VARIABLE.findall(recipient))


def unset(recipient: str) -> list[str]:
    """Those of the variables that are not set here."""
    return [name for name in variables(recipient) if not os.environ.get(name, "").strip()]
