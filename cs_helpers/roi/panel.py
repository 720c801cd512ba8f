"""Account-months for the trial from the roll-up ``vanish_panel``, with health from usage as it was known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError, ParameterError, did_you_mean
from cs_helpers.core.stats.logistic import logistic

RECENT = 3  # months that make recent usage and tickets
_RIDGE = 1.0  # on standardised columns
MIN_CHURNED = 20


def account_months(
    panel: pd.DataFrame, health_lag: int = 1, tickets: pd.DataFrame | None = None, controls: Sequence[str] = ()
) -> pd.DataFrame:
    """Account-months with health as it was known when the month began.

    ``panel``: the roll-up ``vanish_panel``. ``health_lag``: how many months before a month what is known of it ends; 1
    takes the months before it, 0 the month itself (only where usage is recorded as the month begins). The first
    ``health_lag`` months of each account are left out: nothing was known in them.

        health = minus the log odds of leaving that usage and tickets of earlier months imply, standardised:
                 a logistic regression (ridge 1) of leaving on log(1 + usage) of the last month, of the mean of the last
                 three, of the account's mean so far, and on tickets of the last three, beside MRR, tenure and coverage

    so health is a prognostic score: what usage and tickets say about leaving, high is healthy. Usage is quantity, else
    events; without any usage, or with fewer than 20 accounts that left, health is missing and the gates say so.
    ``controls``: categories of ``tickets`` (account_id, opened_at, category) that customer success cannot move, late
    payments say; each becomes a column: whether the account had such a ticket in the month. Columns: account_id, month
    (0 is the window's first), mrr, tenure_months, covered, csm_id, touches, churned, health, then the controls.
    Raises ContractError where no assignment is recorded: then nobody can tell who was covered when; ParameterError for
    a control that is no category of the tickets, or a lag that is none.
    Source: prognostic scores, Hansen 2008.
    """
    if not (isinstance(health_lag, int) and 0 <= health_lag <= 6):
        raise ParameterError(f"health_lag = {health_lag}: choose whole months from 0 to 6; 1 is usual.")
    if panel.empty:
        raise ContractError("no account-month is complete: the export is shorter than two months, or nobody pays")
    if panel["covered"].isna().all():
        raise ContractError(
            "no assignments are recorded, so nobody can tell which account was covered when. Load the table "
            "assignments (account_id, rep_id, start_date, end_date), with dates."
        )
    rows = panel.sort_values(["account_id", "month_index"], ignore_index=True)
    made = pd.DataFrame(
        {
            "account_id": rows["account_id"],
            "month": rows["month_index"].astype(np.int64),
            "mrr": rows["mrr_cents"].astype(float) / 100,
            "tenure_months": rows["tenure_months"].astype(float),
            "covered": rows["covered"].fillna(False).astype(bool),
            "csm_id": rows["csm"].fillna("").astype(str),
            "touches": rows["touches"].astype(float),
            "churned": rows["churned"].astype(bool),
        }
    )
    known = rows.groupby("account_id").cumcount() >= health_lag
    made["health"] = _score(made, _signals(rows, health_lag), known)
    for name, had in _had(rows, tickets, controls).items():
        made[name] = had
    return made[known].reset_index(drop=True)


def named_controls(text: str) -> tuple[str, ...]:
    """Names separated by commas, as a notebook's parameter holds them."""
    return tuple(dict.fromkeys(filter(None, (each.strip() for each in text.split(",")))))


def _had(rows: pd.DataFrame, tickets: pd.DataFrame | None, controls: Sequence[str]) -> dict[str, np.ndarray]:
    """For each control, whether the account had such a ticket in the month."""
    known = set() if tickets is None or "category" not in tickets else set(tickets["category"].dropna().astype(str))
    wrong = [name for name in controls if name not in known]
    if wrong:
        there = (
            f"The tickets have: {', '.join(sorted(known))}." if known else "The source has no categories of tickets."
        )
        hints = "".join(did_you_mean(name, sorted(known)) for name in wrong)
        raise ParameterError(f"negative_controls: no ticket of the category {', '.join(wrong)}.{hints} {there}")
    months = pd.MultiIndex.from_arrays([rows["account_id"].astype(str), periods.month_index(rows["month"])])
    found = {}
    for name in controls:
        assert tickets is not None
        chosen = tickets[tickets["category"].astype(str) == name]
        seen = pd.MultiIndex.from_arrays([chosen["account_id"].astype(str), periods.month_index(chosen["opened_at"])])
        found[name] = months.isin(seen)
    return found


def _signals(rows: pd.DataFrame, lag: int) -> pd.DataFrame:
    """Usage and tickets of earlier months; no column for what was never recorded."""
    by = rows["account_id"]

    def before(values: pd.Series) -> pd.Series:
        return values.groupby(by).shift(lag) if lag else values

    used = next((rows[c].astype(float) for c in ("quantity", "events") if rows[c].notna().any()), None)
    if used is None:
        return pd.DataFrame(index=rows.index)
    last = before(used)
    found = {
        "last": np.log1p(last),
        "recent": np.log1p(_rolling(last, by, RECENT)),
        "own": np.log1p(_rolling(last, by, 10_000)),
    }
    if rows["tickets"].notna().any():
        found["tickets"] = _rolling(before(rows["tickets"].astype(float)), by, RECENT)
    return pd.DataFrame(found)


def _rolling(values: pd.Series, by: pd.Series, months: int) -> pd.Series:
    mean = values.groupby(by).rolling(months, min_periods=1).mean()
    return pd.Series(mean.to_numpy(), index=values.index)  # rows are sorted by account, as groups are


def _score(made: pd.DataFrame, signals: pd.DataFrame, known: pd.Series) -> np.ndarray:
    health = np.full(len(made), np.nan)
    if signals.empty:
        return health
    full = np.flatnonzero((known & signals.notna().all(axis=1)).to_numpy())
    churned = made["churned"].to_numpy(float)[full]
    if churned.sum() < MIN_CHURNED:
        return health
    beside = pd.DataFrame(
        {"log_mrr": np.log(made["mrr"].clip(lower=0.01)), "tenure": made["tenure_months"], "covered": made["covered"]}
    )
    x = _standardised(np.column_stack([signals, beside]).astype(float)[full])
    fit = logistic(np.column_stack([np.ones(len(full)), x]), churned, ridge=_RIDGE)
    count = signals.shape[1]
    score = -(x[:, :count] @ fit.coefficients[1 : 1 + count])
    health[full] = _standardised(score[:, None])[:, 0]
    return health


def _standardised(x: np.ndarray) -> np.ndarray:
    sd = x.std(axis=0)
    return np.asarray((x - x.mean(axis=0)) / np.where(sd > 0, sd, 1.0))
