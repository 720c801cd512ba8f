"""Settings of the churn report that seldom change, read from one YAML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cs_helpers.core.settings import read_settings


@dataclass(frozen=True)
class Settings:
    """Settings of the churn report, with their defaults.

    - ``reason_column``: attribute of the accounts with the recorded reason for leaving; empty: the first with "reason"
      in its name.
    - ``reasons_outside_our_control``: reasons that the company cannot influence; empty: closures, mergers and the like,
      by their words.
    - ``margin``: gross margin as a fraction of MRR; 0: ``gross_margin`` of the accounts.
    - ``discount``: yearly discount rate of the lifetime value, as a fraction.
    - ``horizon``: months over which lifetime value is counted.
    """

    reason_column: str = ""
    reasons_outside_our_control: tuple[str, ...] = ()
    margin: float = 0.0
    discount: float = 0.1
    horizon: int = 36


DEFAULTS = Settings()


def settings(path: str | Path) -> Settings:
    """The settings of a YAML file with lines of ``key: value``, see ``Settings``; all defaults for an empty path.

    Raises ParameterError for a file that cannot be read, an unknown key (with the nearest one) or a wrong value.

    Example:
        >>> cs.churn.settings("").horizon
        36
    """
    return read_settings(path, Settings)
