"""Internal moves: how often reps of a role go on to another department."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError, ParameterError, did_you_mean
from cs_helpers.core.stats import rate_interval
from cs_helpers.reps.measures import ROLES
from cs_helpers.reps.results import Moves

_YEAR = 365.25  # days


def internal_moves(people: pd.DataFrame, role: str, start: Any, end: Any) -> Moves:
    """Reps of a role who left for another department, per rep-year employed, in [start, end).

        rate = reps with left_on in the window and moved_to / (days employed in the window / 365.25)

    ``people``: rep_id, role, and where known hired_on (missing: before the data), left_on (the last day in the job;
    missing: still there) and moved_to (missing or blank, with a left_on: left the company). The interval is the exact
    one of a Poisson count (Garwood 1936), 95 %. Raises ParameterError for a role that is not compared or a window
    without a month, ContractError where nobody of the role was employed in the window, or where people stand there
    without the columns role and moved_to.
    """
    if role not in ROLES:
        raise ParameterError(f"no role '{role}'.{did_you_mean(role, list(ROLES))} Choose one of {', '.join(ROLES)}.")
    first, last = periods.window(start, end)
    missing = [name for name in ("role", "moved_to") if name not in people]
    if missing:
        raise ContractError(f"reps has no {' and no '.join(missing)}: who moved on to where is not recorded. Map them.")
    own = people[people["role"].eq(role).fillna(False).astype(bool)]
    left = _dates(own, "left_on")
    # np.fmin and np.fmax pass over what is missing: there from the start, there to the end. The last day is one, too.
    employed_to = np.fmin(_days(left) + 1, _day(last))
    employed_from = np.fmax(_days(_dates(own, "hired_on")), _day(first))
    rep_years = float(np.maximum(employed_to - employed_from, 0.0).sum()) / _YEAR
    if rep_years <= 0:
        raise ContractError(
            f"nobody with the role {role} was employed from {first:%Y-%m-%d} to {last:%Y-%m-%d}: moves are per "
            "rep-year employed. Choose another window, or fill hired_on and left_on of the reps."
        )
    gone = own[(left >= first) & (left < last)]
    target = gone["moved_to"].astype("str").str.strip()
    moved = target.notna() & target.ne("")
    to = target[moved].value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable")
    count = int(moved.sum())
    low, high = rate_interval(count, rep_years)
    return Moves(
        role=role,
        moves=count,
        left=len(gone) - count,
        rep_years=rep_years,
        rate=count / rep_years,
        low=low,
        high=high,
        to={str(name): int(number) for name, number in to.items()},
    )


def _dates(people: pd.DataFrame, column: str) -> pd.Series:
    known = people[column] if column in people else pd.Series(pd.NaT, people.index)
    return pd.to_datetime(known)


def _days(dates: pd.Series) -> np.ndarray:
    days = dates.to_numpy("datetime64[D]")
    return np.where(np.isnat(days), np.nan, days.astype(np.int64).astype(float))


def _day(date: pd.Timestamp) -> float:
    return float(np.datetime64(date, "D").astype(np.int64))
