"""The target trial: which accounts are followed from which month on, and what is known of each month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Record

NEEDED = ("account_id", "month", "mrr", "tenure_months", "covered", "churned")


@dataclass(frozen=True, eq=False, repr=False)
class Trial(Record):
    """Accounts followed from their first month in the window to the end of their paid time or of the window.

    ``rows``: one per account and month at risk, sorted by account and month: account (0, 1, ... in the order of
    ``accounts``), t (months since the account's first month seen), month (calendar, 0 is the window's first), mrr and
    log_mrr as the month begins, tenure_months, health (NaN: unknown), covered, csm ("" nobody), churned (its paid time
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

        Within the horizon nobody in this population is censored.
        """
        return (self.accounts["entry"] <= self.months - horizon).to_numpy()

    def survives(self, horizon: int) -> np.ndarray:
        """One flag per account: still paying ``horizon`` months after t = 0. Only for accounts ``followed`` so long."""
        accounts = self.accounts
        return ~(accounts["churned"].to_numpy() & (accounts["months"].to_numpy() <= horizon))


def trial(
    panel: pd.DataFrame,
    segments: pd.Series | None = None,
    outcomes: Sequence[str] = (),
    exposures: Sequence[str] = (),
) -> Trial:
    """Set up the trial from account-months.

    ``panel``: account_id, month (whole number, 0 is the window's first), mrr, tenure_months, covered, churned, and if
    known health (as the month begins), csm_id and touches. ``segments``: account_id -> segment. ``outcomes`` name
    columns that customer success cannot move, ``exposures`` flags of coverage that starts only later.
    Raises ContractError for missing columns or values, repeated account-months, gaps in an account's months, and
    accounts that end before the window without having churned: nobody may be lost from sight unsaid.
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
