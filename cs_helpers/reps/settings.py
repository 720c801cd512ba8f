"""Settings of the comparison of reps that few readers change, in one YAML file."""

from __future__ import annotations

from dataclasses import dataclass

from cs_helpers.core.settings import read_settings
from cs_helpers.reps.attribution import HANDOVER_DAYS


@dataclass(frozen=True)
class Settings:
    """What steers the teams, and the limits of the measures."""

    steer_support: tuple[str, ...] = ("csat", "tickets_per_working_day")
    """Measures that steer support: one of satisfaction and one of productivity at most."""
    steer_csm: tuple[str, ...] = ("nps", "touches_per_working_day")
    """Measures that steer CSMs: one of satisfaction and one of productivity at most."""
    service_level_seconds: float = 20.0
    """A contact answered within so many seconds counts for the service level."""
    repeat_days: int = 7
    """A further ticket of the same account and category within so many days is a repeat contact."""
    handover_days: int = HANDOVER_DAYS
    """An account is the CSM's who had it on at least half of so many days before the event."""
    handle_target: float = 0.0
    """Goal for handle times in minutes, where times may pile up just below it; 0: the usual round numbers."""
    fdr: float = 0.05
    """Share of false ones that is accepted among all clear differences (false discovery rate)."""

    def steered_by(self, role: str) -> tuple[str, ...]:
        """The measures that steer one team."""
        return self.steer_support if role == "support" else self.steer_csm


DEFAULTS = Settings()


def settings(path: str = "") -> Settings:
    """The settings in a YAML file; the defaults for an empty path, and for whatever the file does not name.

    Raises ParameterError for a file that cannot be read, unknown names and values of another type, all at once.

    Example:
        >>> cs.reps.settings().fdr
        0.05
    """
    return read_settings(path, Settings)
