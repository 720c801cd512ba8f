"""The target trial: account-months, from which month on each account is followed, and health as it was known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError, ParameterError, did_you_mean
from cs_helpers.core.results import Record
from cs_helpers.core.stats.logistic import logistic
from cs_helpers.roi.adjustment import standardised

NEEDED = ("account_id", "month", "mrr", "tenure_months", "covered", "churned")


@dataclass(frozen=True, eq=False, repr=False)
class Trial(Record):
    """Accounts followed from their first month in the window to the end of their paid time or of the window.

    ``rows``: one per account and month at risk, sorted by account and month: account (0, 1, ... in the order of
    ``accounts``), t (months since the account's first month seen), month (calendar, 0 is the window's first), mrr and
    log_mrr as the month begins, tenure_months, health (NaN: unknown), covered, csm ("" none), churned (its paid time
    ends in the month), and one column per negative control. An account that came back later is followed to its first
    end only. ``accounts``: one row each: account_id, entry (calendar month of t = 0), then mrr, log_mrr, tenure_months,
    health and covered as of t = 0, segment ("" none), months (rows of the account), churned.
    ``months`` is the window's length, ``outcomes`` and ``exposures`` name the negative controls in ``rows``.
    """

    rows: pd.DataFrame
    accounts: pd.DataFrame
    months: int
    outcomes: tuple[str, ...] = ()
    exposures: tuple[str, ...] = ()

    @property
    def churn_events(self) -> int:
        """Accounts whose paid time ended while they were followed."""
        return int(self.accounts["churned"].sum())

    def followed(self, horizon: int) -> np.ndarray:
        """One flag per account: came early enough to be seen for ``horizon`` months, whatever became of it.

        Nobody among them is censored within the horizon. Raises ParameterError unless it is a whole number, 1 or more.
        """
        if isinstance(horizon, bool) or not isinstance(horizon, int | np.integer) or horizon < 1:
            raise ParameterError(f"horizon is {horizon!r}: give a whole number of months, 1 or more, for example 24")
        return (self.accounts["entry"] <= self.months - horizon).to_numpy()

    def survives(self, horizon: int) -> np.ndarray:
        """One flag per account: still paying ``horizon`` months after t = 0. Only for accounts ``followed`` so long."""
        accounts = self.accounts
        return ~(accounts["churned"].to_numpy() & (accounts["months"].to_numpy() <= horizon))

    def counts(self, horizon: int) -> dict[str, int]:
        """How many accounts are followed for ``horizon`` months, and how many of them churned in these months."""
        among = self.followed(horizon)
        return {"accounts": int(among.sum()), "churned": int((~self.survives(horizon) & among).sum())}

    def too_late(self, horizon: int) -> str:
        """Why no account can be followed for ``horizon`` months; "" where some can."""
        if self.followed(horizon).any():
            return ""
        return f"no account was first seen early enough to be followed for {horizon} months; {self.months} are loaded"


def trial(
    panel: pd.DataFrame, segments: pd.Series | None = None, outcomes: Sequence[str] = (), exposures: Sequence[str] = ()
) -> Trial:
    """Follow each account from its first month in a table of account-months.

    ``panel``: account_id, month (whole number, 0 is the window's first), mrr, tenure_months, covered, churned, and if
    known health (as the month begins), csm_id and touches. ``segments``: account_id -> segment. ``outcomes`` name
    columns that customer success cannot move, ``exposures`` flags of coverage that starts only later.
    Raises ContractError for missing columns or values, repeated account-months, gaps in an account's months, and
    accounts that end before the window without having churned.

    Example:
        >>> panel = pd.DataFrame({"account_id": ["A", "A", "B", "B"], "month": [0, 1, 0, 1], "covered": [1, 1, 0, 0]})
        >>> panel = panel.assign(mrr=100.0, tenure_months=1, churned=[False, False, False, True])
        >>> trial(panel).survives(2).tolist()
        [True, False]
    """
    absent = [name for name in (*NEEDED, *outcomes, *exposures) if name not in panel]
    if absent:
        raise ContractError(f"the panel lacks {', '.join(absent)}; it needs one row per account and month at risk")
    unknown = [name for name in NEEDED if panel[name].isna().any()]
    if panel.empty or unknown:
        why = "has no rows" if panel.empty else f"has rows without {', '.join(unknown)}"
        raise ContractError(f"the panel {why}: there is nothing to follow")
    known = (c for c in ("health", "csm_id", "touches") if c in panel)
    kept = list(dict.fromkeys([*NEEDED, *known, *outcomes, *exposures]))
    rows = panel[kept].sort_values(["account_id", "month"], ignore_index=True)
    if rows.duplicated(["account_id", "month"]).any():
        raise ContractError("the panel has two rows for one account and month")
    rows["churned"] = rows["churned"].astype(bool)
    rows["covered"] = rows["covered"].astype(bool)
    window = int(rows["month"].max()) + 1
    before = rows.groupby("account_id")["churned"].cumsum() - rows["churned"]
    rows = rows[before == 0].reset_index(drop=True)
    code, ids = pd.factorize(rows["account_id"])
    first = np.flatnonzero(np.diff(code, prepend=-1))
    month = rows["month"].to_numpy().astype(np.int64)
    t = month - month[first][code]
    if (np.diff(t)[np.diff(code) == 0] != 1).any():
        raise ContractError("an account is missing in a month between two others: an unseen month is no month at risk")
    last = np.flatnonzero(np.diff(code, append=-1))
    lost = int(((month[last] < window - 1) & ~rows["churned"].to_numpy()[last]).sum())
    if lost:
        who = f"{lost:,} account{' ends' if lost == 1 else 's end'}"
        raise ContractError(
            f"{who} before the panel's last month without having churned: say when, or give the later months"
        )
    if (rows["mrr"] <= 0).any():
        raise ContractError("an account-month has no MRR: only paying accounts are at risk")
    rows = pd.DataFrame(
        {
            "account": code,
            "t": t,
            "month": month,
            "mrr": rows["mrr"].to_numpy(float),
            "log_mrr": np.log(rows["mrr"].to_numpy(float)),
            "tenure_months": rows["tenure_months"].to_numpy(float),
            "health": rows["health"].to_numpy(float) if "health" in rows else np.full(len(rows), np.nan),
            "covered": rows["covered"].to_numpy(),
            "csm": rows["csm_id"].fillna("").astype(str).to_numpy() if "csm_id" in rows else "",
            "churned": rows["churned"].to_numpy(),
            **{name: rows[name].to_numpy() for name in ("touches", *outcomes, *exposures) if name in rows},
        }
    )
    accounts = rows.loc[first, ["month", "mrr", "log_mrr", "tenure_months", "health", "covered"]]
    accounts = accounts.rename(columns={"month": "entry"}).reset_index(drop=True)
    accounts.insert(0, "account_id", ids)
    accounts["segment"] = "" if segments is None else accounts["account_id"].map(segments).fillna("").astype(str)
    accounts["months"] = np.bincount(code)
    accounts["churned"] = np.bincount(code, weights=rows["churned"]).astype(bool)
    return Trial(rows, accounts, window, tuple(outcomes), tuple(exposures))


RECENT = 3  # months that make recent usage and tickets
_RIDGE = 1.0  # on standardised columns
MIN_CHURNED = 20


def account_months(
    panel: pd.DataFrame, health_lag: int = 1, tickets: pd.DataFrame | None = None, controls: Sequence[str] = ()
) -> pd.DataFrame:
    """Account-months with health as it was known when the month began.

    ``panel``: the roll-up ``vanish_panel``. ``health_lag``: months before a month at which the known usage ends; 0 is
    the month itself, for usage that is recorded as the month begins. The first ``health_lag`` months of each account
    are left out: nothing was known in them.

        health = minus the log odds of leaving that usage and tickets of earlier months imply, standardised:
                 a logistic regression (ridge 1) of leaving on log(1 + usage) of the last month, of the mean of the last
                 three, of the account's mean so far, and on tickets of the last three, beside MRR, tenure and coverage

    Usage is quantity, else events. Health is missing without any usage, or with fewer than 20 accounts that left.
    ``controls``: categories of ``tickets`` (account_id, opened_at, category) that customer success cannot influence;
    each becomes a column: whether the account had such a ticket in the month. Columns: account_id, month (0 is the
    window's first), mrr, tenure_months, covered, csm_id, touches, churned, health, then the controls.
    Raises ContractError where no assignment is recorded; ParameterError for a control that is no category of the
    tickets, and for a lag outside 0 to 6. Source: prognostic scores, Hansen 2008.
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
    x = standardised(np.column_stack([signals, beside]).astype(float)[full])
    fit = logistic(np.column_stack([np.ones(len(full)), x]), churned, ridge=_RIDGE)
    count = signals.shape[1]
    score = -(x[:, :count] @ fit.coefficients[1 : 1 + count])
    health[full] = standardised(score[:, None])[:, 0]
    return health
