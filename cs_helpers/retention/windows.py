"""GRR, NRR and logo retention of a window: the accounts that paid as it opened, from point to point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cs_helpers.core import periods, stats
from cs_helpers.core.errors import ContractError
from cs_helpers.core.estimates import Comparison, Estimate, Target
from cs_helpers.core.metrics import metric, short_name
from cs_helpers.core.results import Record
from cs_helpers.retention.movements import Month, months_inside, unloaded


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

    @property
    def estimates(self) -> dict[str, Estimate]:
        """The two ratios in the form in which tiles and records carry them."""
        n, base = self.starting_accounts, self.starting_mrr
        return {
            "grr": Estimate("grr", self.grr, self.retained_mrr, base, n, *self.grr_interval),
            "nrr": Estimate("nrr", self.nrr, self.ending_mrr, base, n, *self.nrr_interval),
        }


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

    @property
    def estimates(self) -> dict[str, Estimate]:
        """Logo retention in the form in which tiles and records carry it."""
        kept, n = self.kept_accounts, self.starting_accounts
        return {"logo_retention": Estimate("logo_retention", self.logo_retention, kept, n, n, *self.interval)}


@dataclass(frozen=True, eq=False, repr=False)
class Book(Record):
    """What each account paid on the eve of each month: cents, accounts down, months across.

    ``months`` are the first days of the panel's months and of the month after them; column k of ``cents`` is what was
    paid on the eve of ``months[k]``. ``loaded`` says of which months the panel has a row. Made once by ``book`` and
    read by every window, so that a trend costs no more than its sums.
    """

    accounts: pd.Index
    months: pd.DatetimeIndex
    cents: np.ndarray
    loaded: np.ndarray

    def place(self, month: pd.Timestamp) -> int:
        """Column of the eve of ``month``. Raises ContractError where the book does not reach it."""
        found = int(self.months.get_indexer(pd.DatetimeIndex([month]))[0])
        if found < 0:
            raise ContractError(unloaded(pd.DatetimeIndex([month]), self.months[0], self.months[-2]))
        return found

    def of(self, accounts: pd.Index) -> Book:
        """The same months of some of the accounts."""
        return replace(
            self, accounts=self.accounts[self.accounts.isin(accounts)], cents=self.cents[self.accounts.isin(accounts)]
        )


def book(panel: pd.DataFrame) -> Book:
    """``account_month`` as a ``Book``. An account without a row in a month paid nothing on its eve and at its end."""
    first, last = panel["month"].min(), panel["month"].max()
    months = periods.month_starts(first, periods.add_months(last, 2))
    codes, accounts = pd.factorize(panel["account_id"], sort=True)
    place = months.get_indexer(pd.DatetimeIndex(panel["month"]))
    cents = np.zeros((len(accounts), len(months)), dtype="int64")
    cents[codes, place] = panel["opening"].to_numpy()
    cents[codes, place + 1] = panel["closing"].to_numpy()
    loaded = np.isin(np.arange(len(months) - 1), place)
    return Book(pd.Index(accounts, name="account_id"), months, cents, loaded)


def paying_now(panel: pd.DataFrame) -> pd.Series:
    """MRR in currency at the panel's end, by account_id; accounts that pay only."""
    held = book(panel)
    last = pd.Series(held.cents[:, -1] / 100, index=held.accounts, name="mrr")
    return last[last > 0]


def opening_cohort(panel: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Accounts paying as [start, end) opens: ``opening`` and ``closing`` in cents, indexed by account."""
    inside = months_inside(panel, start, end)
    return _cohort(book(inside), start, end)


def _cohort(held: Book, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    opening, closing = held.cents[:, held.place(start)], held.cents[:, held.place(end)]
    paying = opening > 0
    if not paying.any():
        raise ContractError(
            f"subscriptions: no account was paying as {start:%Y-%m-%d} began, so there is no opening cohort. "
            "Choose a later start or a shorter window."
        )
    return pd.DataFrame({"opening": opening[paying], "closing": closing[paying]}, index=held.accounts[paying])


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
    """
    start, end = periods.window(start, end)
    return _revenue(opening_cohort(panel, start, end), start, end)


def _revenue(cohort: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> RevenueRetention:
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
    """
    start, end = periods.window(start, end)
    held = book(months_inside(panel, start, end))
    return _logos(held, _cohort(held, start, end), start, end)


def _logos(held: Book, cohort: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> LogoRetention:
    x, y = len(cohort), int((cohort["closing"] > 0).sum())
    return LogoRetention(
        start,
        end,
        starting_accounts=x,
        kept_accounts=y,
        closing_accounts=int((held.cents[:, held.place(end)] > 0).sum()),
        logo_retention=y / x,
        logo_churn=1 - y / x,
        interval=stats.wilson_interval(y, x),
    )


KEYS = ("nrr", "grr", "logo_retention")


def estimates(held: Book, start: pd.Timestamp, end: pd.Timestamp) -> dict[str, Estimate]:
    """The headline estimates of one window: ``mrr`` (at its end), ``nrr``, ``grr``, ``logo_retention``.

    A window before the book's first month, or one that opens on nobody, gives estimates without value
    but with the reason; a month missing inside the book is a ContractError, as everywhere.
    """
    first = held.months[0]
    if start < first or end <= first:
        reason = f"the data begin in {first:%B %Y}"
    elif not (held.cents[:, held.place(start)] > 0).any():
        reason = f"no account was paying as {start:%B %Y} began"
    else:
        _refuse_gaps(held, start, end)
        cohort = _cohort(held, start, end)
        found = {**_revenue(cohort, start, end).estimates, **_logos(held, cohort, start, end).estimates}
        return {"mrr": _closing(held, end), **{key: found[key] for key in KEYS}}
    mrr = _closing(held, end) if end > first else Estimate("mrr", None, None, None, 0, reason=reason)
    return {"mrr": mrr, **{key: Estimate(key, None, None, None, 0, reason=reason) for key in KEYS}}


def _closing(held: Book, end: pd.Timestamp) -> Estimate:
    closing = held.cents[:, held.place(end)]
    mrr = float(closing.sum() / 100)
    return Estimate("mrr", mrr, mrr, None, int((closing > 0).sum()))


def _refuse_gaps(held: Book, start: pd.Timestamp, end: pd.Timestamp) -> None:
    inside = slice(held.place(start), held.place(end))
    absent = held.months[:-1][inside][~held.loaded[inside]]
    if len(absent):
        raise ContractError(unloaded(absent, held.months[0], held.months[-2]))


@dataclass(frozen=True, repr=False)
class Trend(Record):
    """One ratio over trailing windows: ``months`` are their last months; NaN where there is no value.

    Neighbouring windows share most of their months, so the line is smoother than the truth.
    """

    key: str
    label: str
    months: tuple[pd.Timestamp, ...]
    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    target: float | None = None


@dataclass(frozen=True, repr=False)
class Headline(Record):
    """The headline comparisons of a book, and the trends they end."""

    comparisons: tuple[Comparison, ...]
    trends: tuple[Trend, ...]

    def __getitem__(self, key: str) -> Comparison:
        return next(c for c in self.comparisons if c.now.key == key)


def headline(panel: pd.DataFrame, as_of: pd.Timestamp, months: int = 12, goals: pd.DataFrame | None = None) -> Headline:
    """MRR, NRR, GRR and logo retention over the ``months`` before ``as_of``, against the ``months`` before those.

    ``goals`` (the contract's table) gives the targets of whole departments whose period holds the last day counted.
    The trends hold the same figures at each of the last thirteen month ends, for which the window fits.
    Raises ParameterError for fewer than one month.
    """
    periods.trailing_window(as_of, as_of, months)
    held = book(panel)
    mid, start = periods.add_months(as_of, -months), periods.add_months(as_of, -2 * months)
    now, before = estimates(held, mid, as_of), estimates(held, start, mid)
    ends = [periods.add_months(as_of, -back) for back in range(12, -1, -1)]
    course = [estimates(held, periods.add_months(end, -months), end) for end in ends]
    words = (periods.window_words(mid, as_of), periods.window_words(start, mid))
    aims = {key: target(now[key], goals, as_of) for key in now}
    comparisons = tuple(
        Comparison(
            now[key], before[key], stats.compare(now[key], before[key]), *words,
            trend=tuple(_number(each[key].value) for each in course), target=aims[key],
        )
        for key in now
    )  # fmt: skip
    return Headline(comparisons, tuple(_trend(key, ends, course, aims) for key in KEYS))


def _number(value: float | None) -> float:
    return float("nan") if value is None or not np.isfinite(value) else float(value)


def _trend(
    key: str,
    ends: list[pd.Timestamp],
    course: list[dict[str, Estimate]],
    aims: Mapping[str, Target | None],
) -> Trend:
    aim = aims[key]
    rows = [each[key] for each in course]
    return Trend(
        key,
        short_name(key),
        tuple(periods.add_months(end, -1) for end in ends),
        tuple(_number(each.value) for each in rows),
        tuple(_number(each.low) for each in rows),
        tuple(_number(each.high) for each in rows),
        aim.value if aim else None,
    )


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


def years(panel: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Started the year with X, ended with Y: one row per twelve months back from ``as_of``, the latest first.

    Columns: ``window`` in words, ``started`` accounts, ``kept`` of them, ``won`` (paying at the end, not at the
    start), ``ended`` = kept + won, and the MRR of the same four in currency. Whole years inside the data only; one row
    of the months there are where the data hold less than a year.
    """
    held = book(panel)
    first = held.months[0]
    ends = [end for back in range(0, 600, 12) if (end := periods.add_months(as_of, -back)) > first]
    rows: list[dict[str, object]] = []
    for end in ends:
        start = periods.add_months(end, -12)
        if start < first and rows:
            break
        start = max(start, first)
        opening, closing = held.cents[:, held.place(start)], held.cents[:, held.place(end)]
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
