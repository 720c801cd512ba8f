"""How long each rep was there: the exposure of whatever is counted per working day or hour."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError

COLUMNS = ["rep_id", "month", "days", "hours"]


def working_days(people: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Mondays to Fridays on which each rep was employed, by month of [start, end), and the hours they stand for.

        days  = Mondays to Fridays of the month in [hired_on, left_on], both included
        hours = working_hours_per_month x days / Mondays to Fridays of the whole month

    ``people``: rep_id, and where known hired_on (missing: before the data), left_on (the last day; missing: still
    there) and working_hours_per_month (missing: hours are NaN). Columns rep_id, month, days, hours, sorted; a month
    without a working day of the rep has no row, and an empty table of people gives none. Holidays and leave are in no
    table and not taken off. Raises ContractError where people stand there without rep_id or twice.
    """
    if not len(people):
        kinds = {"rep_id": "str", "month": "datetime64[us]", "days": "float64", "hours": "float64"}
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
    if "rep_id" not in people or people["rep_id"].isna().any() or people["rep_id"].duplicated().any():
        raise ContractError("reps: every person needs a rep_id of their own, once. Give one row per person.")
    months = periods.month_starts(*periods.window(start, end))
    first = months.to_numpy("datetime64[M]").astype("datetime64[D]")
    following = (months.to_numpy("datetime64[M]") + 1).astype("datetime64[D]")
    hired = _days(people, "hired_on").fillna(months[0]).to_numpy("datetime64[D]")
    gone = _days(people, "left_on").to_numpy("datetime64[D]") + np.timedelta64(1, "D")
    gone = np.where(np.isnat(gone), following[-1], gone)
    begin = np.maximum(first[None, :], hired[:, None])
    until = np.maximum(np.minimum(following[None, :], gone[:, None]), begin)
    days = np.busday_count(begin, until).astype(float)
    contracted = _hours(people)[:, None] * (days / np.busday_count(first, following)[None, :])
    table = pd.DataFrame(
        {
            "rep_id": np.repeat(people["rep_id"].to_numpy(), len(months)),
            "month": np.tile(months.to_numpy(), len(people)),
            "days": days.ravel(),
            "hours": contracted.ravel(),
        }
    )
    return table[table["days"] > 0].sort_values(["rep_id", "month"], kind="stable", ignore_index=True)


def _days(people: pd.DataFrame, column: str) -> pd.Series:
    known = people[column] if column in people else pd.Series(pd.NaT, people.index)
    return pd.to_datetime(known)


def _hours(people: pd.DataFrame) -> np.ndarray:
    name = "working_hours_per_month"
    return people[name].to_numpy(float, na_value=np.nan) if name in people else np.full(len(people), np.nan)
