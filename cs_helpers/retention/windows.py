"""GRR, NRR and logo retention of one window, for the accounts that paid as it opened; targets; year by year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.core import periods, stats
from cs_helpers.core.errors import ContractError
from cs_helpers.core.estimates import Estimate, Target
from cs_helpers.core.metrics import metric
from cs_helpers.core.results import Record
from cs_helpers.retention.mrr import Month, months_inside, unloaded


@dataclass(frozen=True, repr=False)
class RevenueRetention(Record):
    """GRR and NRR of the accounts that paid as [start, end) opened. Money per month; ratios are fractions."""

    start: pd.Timestamp
    end: pd.Timestamp
    starting_accounts: int
    starting_mrr: float
    retained_mrr: float
    ending_mrr: float
    grr: float
    nrr: float
    grr_interval: tuple[float, float]
    nrr_interval: tuple[float, float]


@dataclass(frozen=True, repr=False)
class LogoRetention(Record):
    """Started [start, end) with X accounts, ended with Y of them. Ratios are fractions."""

    start: pd.Timestamp
    end: pd.Timestamp
    starting_accounts: int
    kept_accounts: int
    closing_accounts: int
    logo_retention: float
    logo_churn: float
    interval: tuple[float, float]


@dataclass(frozen=True, eq=False, repr=False)
class MonthlyMrr(Record):
    """What each account paid on the eve of each month, in cents: one row per account, one column per month.

    ``months`` are the first days of the panel's months and of the month after them; column k of ``cents`` is what was
    paid on the eve of ``months[k]``. ``loaded`` marks the months of which the panel has a row. Made once by
    ``monthly_mrr`` and read by every window, so that a trend costs no more than its sums.
    """

    accounts: pd.Index
    months: pd.DatetimeIndex
    cents: np.ndarray
    loaded: np.ndarray

    def place(self, month: pd.Timestamp) -> int:
        """Column of the eve of ``month``. Raises ContractError for a month outside the panel."""
        found = int(self.months.get_indexer(pd.DatetimeIndex([month]))[0])
        if found < 0:
            raise ContractError(unloaded(pd.DatetimeIndex([month]), self.months[0], self.months[-2]))
        return found


def monthly_mrr(panel: pd.DataFrame) -> MonthlyMrr:
    """The roll-up ``account_month`` as an array of accounts by months.

    An account without a row in a month paid nothing on its eve and at its end.
    """
    first, last = panel["month"].min(), panel["month"].max()
    months = periods.month_starts(first, periods.add_months(last, 2))
    codes, accounts = pd.factorize(panel["account_id"], sort=True)
    place = months.get_indexer(pd.DatetimeIndex(panel["month"]))
    cents = np.zeros((len(accounts), len(months)), dtype="int64")
    cents[codes, place] = panel["opening"].to_numpy()
    cents[codes, place + 1] = panel["closing"].to_numpy()
    loaded = np.isin(np.arange(len(months) - 1), place)
    return MonthlyMrr(pd.Index(accounts, name="account_id"), months, cents, loaded)


def paying_now(panel: pd.DataFrame) -> pd.Series:
    """MRR in currency at the end of the panel (the roll-up ``account_month``), by account_id; paying accounts only.

    Example:
        >>> len(cs.retention.paying_now(tables.account_months()))
        463
    """
    paid = monthly_mrr(panel)
    last = pd.Series(paid.cents[:, -1] / 100, index=paid.accounts, name="mrr")
    return last[last > 0]


def cohort_of(paid: MonthlyMrr, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Accounts paying as [start, end) opens: ``opening`` and ``closing`` in cents, indexed by account.

    Raises ContractError for a month without any row, and where no account was paying.
    """
    first, last = paid.place(start), paid.place(end)
    absent = paid.months[first:last][~paid.loaded[first:last]]
    if len(absent):
        raise ContractError(unloaded(absent, paid.months[0], paid.months[-2]))
    opening, closing = paid.cents[:, first], paid.cents[:, last]
    paying = opening > 0
    if not paying.any():
        raise ContractError(
            f"subscriptions: no account was paying as {start:%Y-%m-%d} began, so there is no opening cohort. "
            "Choose a later start or a shorter window."
        )
    return pd.DataFrame({"opening": opening[paying], "closing": closing[paying]}, index=paid.accounts[paying])


def estimates_of(cohort: pd.DataFrame) -> dict[str, Estimate]:
    """NRR, GRR and logo retention of an opening cohort, as from ``cohort_of``, with their intervals."""
    opening, closing = cohort["opening"].to_numpy(), cohort["closing"].to_numpy()
    kept, n, alive = np.minimum(closing, opening), len(cohort), int((closing > 0).sum())
    base = float(opening.sum() / 100)
    found = [
        ("nrr", closing.sum() / opening.sum(), closing.sum() / 100, base, stats.ratio_interval(closing, opening)),
        ("grr", kept.sum() / opening.sum(), kept.sum() / 100, base, stats.kept_share_interval(kept, opening)),
        ("logo_retention", alive / n, alive, n, stats.wilson_interval(alive, n)),
    ]
    return {key: Estimate(key, float(value), of, base, n, *interval) for key, value, of, base, interval in found}


def revenue_retention(panel: pd.DataFrame, start: Month, end: Month) -> RevenueRetention:
    """Gross and net revenue retention of the accounts paying as [start, end) opens.

        GRR = sum(min(MRR_end, MRR_start)) / sum(MRR_start)
        NRR = sum(MRR_end)                 / sum(MRR_start)

    ``panel`` is ``account_month``. Accounts won after ``start`` do not count; an account without MRR at the
    end has churned (0); one that left and came back counts with what it pays at the end. Fractions, not
    percent; MRR in the source's currency per month. Intervals treat the accounts as the sample.
    Raises ContractError if a month of the window has no rows at all (a month nobody loaded must never read
    as a month when everybody churned) or nobody paid at the start.
    Source: see definitions "grr" and "nrr".

    Example:
        >>> panel = tables.account_months()
        >>> round(cs.retention.revenue_retention(panel, "2025-07-01", "2026-07-01").nrr, 3)
        1.032
    """
    start, end = periods.window(start, end)
    cohort = cohort_of(monthly_mrr(months_inside(panel, start, end)), start, end)
    opening, closing = cohort["opening"].to_numpy(), cohort["closing"].to_numpy()
    kept = np.minimum(closing, opening)
    return RevenueRetention(
        start,
        end,
        starting_accounts=len(cohort),
        starting_mrr=float(opening.sum() / 100),
        retained_mrr=float(kept.sum() / 100),
        ending_mrr=float(closing.sum() / 100),
        grr=float(kept.sum() / opening.sum()),
        nrr=float(closing.sum() / opening.sum()),
        grr_interval=stats.kept_share_interval(kept, opening),
        nrr_interval=stats.ratio_interval(closing, opening),
    )


def logo_retention(panel: pd.DataFrame, start: Month, end: Month) -> LogoRetention:
    """Started with X accounts, ended with Y of them: Y / X, with Wilson's interval.

    ``closing_accounts`` is everyone paying at the end, new accounts included; it is not Y.
    Raises ContractError as ``revenue_retention`` does. Source: see definitions "logo_retention".

    Example:
        >>> panel = tables.account_months()
        >>> found = cs.retention.logo_retention(panel, "2025-07-01", "2026-07-01")
        >>> found.kept_accounts, found.starting_accounts
        (363, 427)
    """
    start, end = periods.window(start, end)
    paid = monthly_mrr(months_inside(panel, start, end))
    cohort = cohort_of(paid, start, end)
    x, y, closing = len(cohort), int((cohort["closing"] > 0).sum()), int((paid.cents[:, paid.place(end)] > 0).sum())
    return LogoRetention(start, end, x, y, closing, y / x, 1 - y / x, stats.wilson_interval(y, x))


# A goal may be set on the loss instead of on what is kept: the same target from the other side.
_COMPLEMENT = {"logo_retention": "logo_churn"}


def target(now: Estimate, goals: pd.DataFrame | None, as_of: pd.Timestamp) -> Target | None:
    """The goal of a whole department for this metric whose period holds the last day before ``as_of``, or None.

    Where several departments aim at it, Customer Success counts, then the first by name. A goal of 10 % logo churn is
    one of 90 % logo retention. Goals of single people are theirs and do not count.
    """
    if goals is None or goals.empty or now.value is None:
        return None
    last_day = as_of - pd.Timedelta(days=1)
    owner = goals["owner"] if "owner" in goals else pd.Series(None, goals.index, dtype="str")
    own = owner.isna() | owner.eq("department")
    running = goals[own & (goals["period_start"] <= last_day) & (goals["period_end"] > last_day)]
    for key, turned in ((now.key, False), (_COMPLEMENT.get(now.key, ""), True)):
        found = running[running["metric"] == key]
        if len(found):
            first = ~found["department"].str.casefold().str.replace("_", " ").eq("customer success")
            best = found.assign(later=first).sort_values(["later", "department", "period_start"]).iloc[0]
            value = 1 - float(best["target"]) if turned else float(best["target"])
            period = periods.window_words(periods.month(best["period_start"]), periods.month(best["period_end"]))
            return Target(value, _reached(now, value), period, str(best["department"]))
    return None


def _reached(now: Estimate, value: float) -> str:
    low, high = (now.value if limit is None else limit for limit in (now.low, now.high))
    if low is None or high is None:
        return "no clear verdict"
    better = metric(now.key).direction.startswith("higher")
    if (low >= value) if better else (high <= value):
        return "met"
    return "missed" if ((high < value) if better else (low > value)) else "no clear verdict"


def year_by_year(panel: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Started the year with X, ended with Y: one row per twelve months back from ``as_of``, the latest first.

    Columns: ``window`` in words, ``started`` accounts, ``kept`` of them, ``won`` (paying at the end, not at the
    start), ``ended`` = kept + won, and the MRR of the same four in currency. Whole years inside the data only; one row
    of the months there are where the data hold less than a year.
    """
    paid = monthly_mrr(panel)
    first = paid.months[0]
    ends = [end for back in range(0, 600, 12) if (end := periods.add_months(as_of, -back)) > first]
    rows: list[dict[str, object]] = []
    for end in ends:
        start = periods.add_months(end, -12)
        if start < first and rows:
            break
        start = max(start, first)
        opening, closing = paid.cents[:, paid.place(start)], paid.cents[:, paid.place(end)]
        here, there = opening > 0, closing > 0
        rows.append(
            {
                "window": periods.window_words(start, end),
                "started": int(here.sum()),
                "kept": int((here & there).sum()),
                "won": int((there & ~here).sum()),
                "ended": int(there.sum()),
                "started_mrr": opening.sum() / 100,
                "kept_mrr": closing[here].sum() / 100,
                "won_mrr": closing[~here].sum() / 100,
                "ended_mrr": closing.sum() / 100,
            }
        )
    return pd.DataFrame(rows)
