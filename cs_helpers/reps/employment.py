"""How long each rep was employed: working days as exposure, and moves to other departments per rep-year."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError
from cs_helpers.core.stats import rate_interval
from cs_helpers.reps.measures import checked_role
from cs_helpers.reps.results import Moves


def working_days(people: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Mondays to Fridays on which each rep was employed, by month of [start, end), and contracted hours.

        days  = Mondays to Fridays of the month in [hired_on, left_on], both included
        hours = working_hours_per_month x days / Mondays to Fridays of the whole month

    ``people``: rep_id, and where known hired_on (missing: before the data), left_on (the last day; missing: still
    there) and working_hours_per_month (missing: hours are NaN). Columns rep_id, month, days, hours, sorted; a month
    without a working day of the rep has no row, and an empty table of people gives none. Holidays and leave are in no
    table and not taken off. Raises ContractError where a person has no rep_id or is there twice.
    """
    if not len(people):
        kinds = {"rep_id": "str", "month": "datetime64[us]", "days": "float64", "hours": "float64"}
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
    if "rep_id" not in people or people["rep_id"].isna().any() or people["rep_id"].duplicated().any():
        raise ContractError("reps: every person needs a rep_id of their own, once. Give one row per person.")
    months = periods.month_starts(*periods.window(start, end))
    first = months.to_numpy("datetime64[M]").astype("datetime64[D]")
    following = (months.to_numpy("datetime64[M]") + 1).astype("datetime64[D]")
    hired = _dates(people, "hired_on").fillna(months[0]).to_numpy("datetime64[D]")
    gone = _dates(people, "left_on").to_numpy("datetime64[D]") + np.timedelta64(1, "D")
    gone = np.where(np.isnat(gone), following[-1], gone)
    begin = np.maximum(first[None, :], hired[:, None])
    until = np.maximum(np.minimum(following[None, :], gone[:, None]), begin)
    days = np.busday_count(begin, until).astype(float)
    name = "working_hours_per_month"
    hours = people[name].to_numpy(float, na_value=np.nan) if name in people else np.full(len(people), np.nan)
    contracted = hours[:, None] * (days / np.busday_count(first, following)[None, :])
    table = pd.DataFrame(
        {
            "rep_id": np.repeat(people["rep_id"].to_numpy(), len(months)),
            "month": np.tile(months.to_numpy(), len(people)),
            "days": days.ravel(),
            "hours": contracted.ravel(),
        }
    )
    return table[table["days"] > 0].sort_values(["rep_id", "month"], kind="stable", ignore_index=True)


def internal_moves(people: pd.DataFrame, role: str, start: Any, end: Any) -> Moves:
    """Reps of a role who left for another department, per rep-year employed, in [start, end).

        rate = reps with left_on in the window and moved_to / (days employed in the window / 365.25)

    ``people``: rep_id, role, and where known hired_on (missing: before the data), left_on (the last day in the job;
    missing: still there) and moved_to (missing or blank, with a left_on: left the company). The interval is the exact
    one of a Poisson count (Garwood 1936), 95 %. Raises ParameterError for a role that is none or a window
    without a month, ContractError where nobody of the role was employed in the window, or where people stand there
    without the columns role and moved_to.

    Example:
        >>> internal_moves(tables.reps, "support", "2023-07-01", "2026-07-01").to
        {'Sales': 2, 'Marketing': 1}
    """
    checked_role(role)
    first, last = periods.window(start, end)
    missing = [name for name in ("role", "moved_to") if name not in people]
    if missing:
        raise ContractError(f"reps has no {' and no '.join(missing)}: who moved on to where is not recorded. Map them.")
    own = people[people["role"].eq(role).fillna(False).astype(bool)]
    left = _dates(own, "left_on")
    # np.fmin and np.fmax pass over what is missing: there from the start, there to the end. The last day is one, too.
    employed_to = np.fmin(days_since_1970(left) + 1, days_since_1970(last))
    employed_from = np.fmax(days_since_1970(_dates(own, "hired_on")), days_since_1970(first))
    rep_years = float(np.maximum(employed_to - employed_from, 0.0).sum()) / 365.25
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


def may_be_of_role(reps: pd.Series, people: pd.DataFrame, role: str) -> pd.Series:
    """Whether each rep is of a role, as far as the table of reps holds one."""
    if not {"rep_id", "role"} <= set(people.columns):
        return pd.Series(True, reps.index)
    others = people.loc[people["role"].notna() & (people["role"].astype("str").str.lower() != role), "rep_id"]
    return ~reps.isin(others)


def _dates(people: pd.DataFrame, column: str) -> pd.Series:
    return pd.to_datetime(people[column] if column in people else pd.Series(pd.NaT, people.index))


def days_since_1970(dates: pd.Series | pd.Timestamp) -> np.ndarray:
    """Dates as days since 1970; NaN where missing, and numbers, which are such days already, as they are."""
    if isinstance(dates, pd.Series) and pd.api.types.is_numeric_dtype(dates):
        return dates.to_numpy(float, na_value=np.nan)
    days = np.asarray(pd.to_datetime(dates), "datetime64[D]")
    return np.where(np.isnat(days), np.nan, days.astype(np.int64).astype(float))
