"""Retention: how much recurring revenue, and how many accounts, a book of business keeps.

Small tables come in, made by the roll-ups of the same names (``Tables.rollup``, ``rollups.run``). ``account_month``
has one row per account and month with the opening MRR, the movements and the closing MRR in integer cents; movements,
GRR, NRR, logo retention and the reconciliation are sums over it. ``cohorts`` has one row per start cohort and age.

An opening position holds what was paid on the eve of the window; what happens on its first day belongs to
the window. So closings are the next month's openings, and movements foot exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cs_helpers import periods, stats
from cs_helpers.definitions import Comparison, Estimate
from cs_helpers.errors import ContractError

Month = pd.Timestamp | str
"""A month as its first day, or as text such as 2026-07-01; windows [start, end) begin and end on one."""

MOVEMENTS = ["new", "expansion", "reactivation", "contraction", "churn"]
GAINS = ["new", "expansion", "reactivation"]
LOSSES = ["contraction", "churn"]


@dataclass(frozen=True)
class RevenueRetention:
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


@dataclass(frozen=True)
class LogoRetention:
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


@dataclass(frozen=True)
class RenewalRate:
    """Renewed share of what was due in [start, end) and decided; open renewals are counted apart."""

    start: pd.Timestamp
    end: pd.Timestamp
    due: int
    renewed: int
    due_mrr: float
    renewed_mrr: float
    open: int
    open_mrr: float
    revenue_rate: float
    logo_rate: float
    revenue_interval: tuple[float, float]
    logo_interval: tuple[float, float]


@dataclass(frozen=True, eq=False)
class CohortTriangle:
    """Share of each start cohort kept at each age.

    ``table``: one row per cohort (its first month), one column per age in months, fractions, NaN where
    the cohort's youngest account has not reached that age. ``accounts`` and ``starting_mrr`` are the
    denominators. ``left_out`` accounts started before the data did and are not in the table.
    """

    table: pd.DataFrame
    accounts: pd.Series
    starting_mrr: pd.Series
    left_out: int
    value: str
    by: str

    @property
    def refusal(self) -> str:
        """Why there is nothing to show; empty where there is."""
        if not self.table.empty:
            return ""
        earlier = f"; the {self.left_out:,} that started earlier are survivors only" if self.left_out else ""
        return f"no start cohort lies wholly inside the data{earlier}"

    def pooled(self, age_months: int) -> Estimate:
        """All cohorts seen at that age as one: logos kept / logos started. Only for ``value="logo"``."""
        if self.value != "logo":
            raise ValueError("only a logo triangle can be pooled into a share of accounts")
        seen = self.table[age_months].dropna() if age_months in self.table else pd.Series(dtype=float)
        n = int(self.accounts.reindex(seen.index).sum())
        if n == 0:
            reason = f"no cohort has reached {age_months} months inside the data"
            return Estimate("cohort_retention", None, None, None, 0, reason=reason)
        kept = round(float((seen * self.accounts.reindex(seen.index)).sum()))
        return Estimate("cohort_retention", kept / n, kept, n, n, *stats.wilson_interval(kept, n))


def _window(panel: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Rows of [start, end); raises ContractError if any of its months has no row at all."""
    inside = panel[(panel["month"] >= start) & (panel["month"] < end)]
    absent = periods.month_starts(start, end).difference(pd.DatetimeIndex(inside["month"].unique()))
    if len(absent):
        covers = f"{panel['month'].min():%Y-%m} to {panel['month'].max():%Y-%m}" if len(panel) else "no month"
        raise ContractError(
            f"subscriptions: no account paid anything in {', '.join(f'{m:%Y-%m}' for m in absent[:5])}"
            f"{f' and {len(absent) - 5} more months' if len(absent) > 5 else ''}; the table covers {covers}. "
            "A month that was never loaded is not a month in which everybody left: "
            "choose a window inside that range, or load the missing months."
        )
    return inside


def mrr_movements(panel: pd.DataFrame, start: Month, end: Month) -> pd.DataFrame:
    """MRR movements by month of [start, end).

        starting + new + expansion + reactivation - contraction - churn = ending, to the cent

    ``panel`` is ``account_month``, or ``movements``, its sums. Index: month; columns starting, the five movements,
    ending; money per month, all movements positive. Every account counts. Raises ContractError for a month
    without any row.
    """
    start, end = periods.window(start, end)
    inside = _window(panel, start, end)
    names = {"opening": "starting", "closing": "ending"}
    by_month = inside.groupby("month")[["opening", *MOVEMENTS, "closing"]].sum().rename(columns=names)
    return by_month / 100


def total_movements(movements: pd.DataFrame) -> pd.Series:
    """The rows of ``mrr_movements`` as one: first starting, summed movements, last ending."""
    total = movements[MOVEMENTS].sum().round(2)
    return pd.concat(
        [
            pd.Series({"starting": movements["starting"].iloc[0]}),
            total,
            pd.Series({"ending": movements["ending"].iloc[-1]}),
        ]
    )


def quick_ratio(movements: pd.DataFrame) -> Estimate:
    """(new + expansion + reactivation) / (contraction + churn) over all rows; no value without any loss."""
    total = total_movements(movements)
    gains, losses = float(total[GAINS].sum()), float(total[LOSSES].sum())
    if losses == 0:
        return Estimate("quick_ratio", None, gains, 0.0, 0, reason="nothing was lost in this window")
    return Estimate("quick_ratio", gains / losses, gains, losses, 0)


def _opening_cohort(panel: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Accounts paying as [start, end) opens: ``opening`` and ``closing`` in cents, indexed by account."""
    inside = _window(panel, start, end)
    opening = inside[(inside["month"] == start) & (inside["opening"] > 0)].set_index("account_id")["opening"]
    if opening.empty:
        raise ContractError(
            f"subscriptions: no account was paying as {start:%Y-%m-%d} began, so there is no opening cohort. "
            "Choose a later start or a shorter window."
        )
    last = inside[inside["month"] == end - pd.DateOffset(months=1)].set_index("account_id")["closing"]
    return pd.DataFrame({"opening": opening, "closing": last.reindex(opening.index, fill_value=0)})


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
    cohort = _opening_cohort(panel, start, end)
    opening, closing = cohort["opening"], cohort["closing"]
    kept = closing.clip(upper=opening)
    return RevenueRetention(
        start,
        end,
        starting_accounts=len(cohort),
        starting_mrr=opening.sum() / 100,
        retained_mrr=kept.sum() / 100,
        ending_mrr=closing.sum() / 100,
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
    cohort = _opening_cohort(panel, start, end)
    x, y = len(cohort), int((cohort["closing"] > 0).sum())
    last = panel[panel["month"] == end - pd.DateOffset(months=1)]
    return LogoRetention(
        start,
        end,
        starting_accounts=x,
        kept_accounts=y,
        closing_accounts=int((last["closing"] > 0).sum()),
        logo_retention=y / x,
        logo_churn=1 - y / x,
        interval=stats.wilson_interval(y, x),
    )


def renewal_rate(renewals: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> RenewalRate:
    """Renewed / due, over renewals due in [start, end) that are decided.

        revenue = sum(min(renewed_mrr, target_mrr)) / sum(target_mrr);  logo = renewed at any price / due

    ``renewals``: account_id, due_date, target_mrr, renewed_mrr. A missing renewed_mrr is an open renewal:
    counted apart, neither lost nor won; 0 is lost. NaN rates where nothing is decided.
    """
    due = renewals[(renewals["due_date"] >= start) & (renewals["due_date"] < end)]
    is_open = due["renewed_mrr"].isna()
    decided, still_open = due[~is_open], due[is_open]
    target = decided["target_mrr"]
    kept = decided["renewed_mrr"].clip(upper=target)
    renewed = int((decided["renewed_mrr"] > 0).sum())
    n = len(decided)
    return RenewalRate(
        start,
        end,
        due=n,
        renewed=renewed,
        due_mrr=float(target.sum()),
        renewed_mrr=float(kept.sum()),
        open=len(still_open),
        open_mrr=float(still_open["target_mrr"].sum()),
        revenue_rate=float(kept.sum() / target.sum()) if n else float("nan"),
        logo_rate=renewed / n if n else float("nan"),
        revenue_interval=stats.kept_share_interval(kept, target),
        logo_interval=stats.wilson_interval(renewed, n),
    )


def cohort_triangle(cohorts: pd.DataFrame, value: str = "logo") -> CohortTriangle:
    """Share of each start cohort that still pays k months after its own start.

        logo:    accounts paying at age k / all accounts of the cohort
        revenue: their MRR at age k / their MRR on their first paid day

    ``cohorts`` is the roll-up of that name: age counts from each account's own first paid day, and a cell that the
    whole cohort had not reached is absent, so empty here, never 0. Accounts that started before the data did are
    survivors only; they are counted in ``left_out``. Raises ValueError for another ``value``.
    """
    if value not in ("logo", "revenue"):
        raise ValueError(f"value={value!r}: value is logo or revenue")
    by = "month" if len(cohorts) and cohorts["cohort_months"].iloc[0] == 1 else "quarter"
    early = cohorts["cohort"].isna()
    left_out = int(cohorts.loc[early, "accounts"].sum())
    cells = cohorts[~early].astype({"age_months": "int64", "alive": "int64", "mrr": "int64"})
    if cells.empty:
        none = pd.Series(dtype=float)
        return CohortTriangle(pd.DataFrame(), none, none, left_out, value, by)
    kept, base = ("alive", "accounts") if value == "logo" else ("mrr", "starting")
    table = cells.assign(share=cells[kept] / cells[base]).pivot(index="cohort", columns="age_months", values="share")
    bases = cells.groupby("cohort")[["accounts", "starting"]].first()
    return CohortTriangle(table, bases["accounts"], bases["starting"] / 100, left_out, value, by)


def reconcile(panel: pd.DataFrame, start: Month, end: Month, renewals: pd.DataFrame | None = None) -> pd.DataFrame:
    """The same book under rival definitions: why another team's number differs.

    One row per metric and definition: ``metric, definition, used, value, numerator, denominator, why``.
    ``used`` marks this project's definition. Renewal rows appear only where ``renewals`` are given.
    Raises ContractError as ``revenue_retention`` does.
    """
    start, end = periods.window(start, end)
    inside = _window(panel, start, end)
    revenue, logos = revenue_retention(panel, start, end), logo_retention(panel, start, end)
    cohort = _opening_cohort(panel, start, end).index
    of_cohort = inside[inside["account_id"].isin(cohort)]
    every, own = inside[MOVEMENTS].sum() / 100, of_cohort[MOVEMENTS].sum() / 100
    base, x = revenue.starting_mrr, logos.starting_accounts
    left = int((of_cohort.groupby("account_id")["churn"].sum() > 0).sum())
    gains, losses = every[GAINS].sum(), every[LOSSES].sum()
    rows = [
        ("grr", "point to point, opening cohort", True, revenue.retained_mrr, base, ""),
        ("grr", "movements, opening cohort", False, base - own[LOSSES].sum(), base,
         "counts every loss, also of accounts that recovered or came back"),
        ("grr", "movements, all accounts", False, base - losses, base,
         "also counts losses of accounts won after the start, over the opening MRR"),
        ("nrr", "point to point, opening cohort", True, revenue.ending_mrr, base, ""),
        ("nrr", "movements without reactivation", False, base + own["expansion"] - own[LOSSES].sum(), base,
         "an account that came back stays lost"),
        ("logo_churn", "not paying at the end", True, x - logos.kept_accounts, x, ""),
        ("logo_churn", "by event", False, left, x, "an account that left and came back still counts as churned"),
        ("logo_churn", "start minus end", False, x - logos.closing_accounts, x, "new accounts hide those that left"),
        ("quick_ratio", "with reactivation", True, gains, losses, ""),
        ("quick_ratio", "without reactivation", False, gains - every["reactivation"], losses,
         "a return is not counted as growth"),
    ]  # fmt: skip
    if renewals is not None:
        rate = renewal_rate(renewals, start, end)
        why = "only what was due in the window counts, so whoever was not due is left out"
        rows += [
            ("renewal_rate_revenue", "renewed / due", True, rate.renewed_mrr, rate.due_mrr, why),
            ("renewal_rate_logo", "renewed / due", True, rate.renewed, rate.due, why),
        ]
    table = pd.DataFrame(rows, columns=["metric", "definition", "used", "numerator", "denominator", "why"])
    table["value"] = table["numerator"] / table["denominator"].where(table["denominator"] != 0)
    return table[["metric", "definition", "used", "value", "numerator", "denominator", "why"]]


def reconcile_last(panel: pd.DataFrame, as_of: pd.Timestamp, months: int = 12) -> pd.DataFrame:
    """``reconcile`` over the ``months`` before ``as_of``, or as many of them as the panel holds."""
    return reconcile(panel, *periods.trailing_window(panel["month"].min(), as_of, months))


def estimates(panel: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> dict[str, Estimate]:
    """The headline estimates of one window: ``mrr`` (at its end), ``nrr``, ``grr``, ``logo_retention``.

    A window before the panel's first month, or one that opens on nobody, gives estimates without value
    but with the reason; a month missing inside the panel is a ContractError, as everywhere.
    """
    keys = ("nrr", "grr", "logo_retention")
    first = panel["month"].min()
    closing = panel.loc[panel["month"] == end - pd.DateOffset(months=1), "closing"]
    mrr = Estimate("mrr", closing.sum() / 100, closing.sum() / 100, None, int((closing > 0).sum()))
    opening = panel.loc[panel["month"] == start, "opening"]
    if start < first or end <= first:
        reason = f"the data begin in {first:%B %Y}"
    elif not (opening > 0).any():
        reason = f"no account was paying as {start:%B %Y} began"
    else:
        found = {**revenue_retention(panel, start, end).estimates, **logo_retention(panel, start, end).estimates}
        return {"mrr": mrr, **{key: found[key] for key in keys}}
    if end <= first:
        mrr = Estimate("mrr", None, None, None, 0, reason=reason)
    return {"mrr": mrr, **{key: Estimate(key, None, None, None, 0, reason=reason) for key in keys}}


def headline(panel: pd.DataFrame, as_of: pd.Timestamp, months: int = 12) -> list[Comparison]:
    """MRR, NRR, GRR and logo retention over the ``months`` before ``as_of``, against the ``months`` before those.

    ``trend`` holds the same figure at each of the last thirteen month ends for which the window fits.
    Raises ParameterError for fewer than one month.
    """
    periods.trailing_window(as_of, as_of, months)
    mid, start = periods.add_months(as_of, -months), periods.add_months(as_of, -2 * months)
    now, before = estimates(panel, mid, as_of), estimates(panel, start, mid)
    ends = [periods.add_months(as_of, -back) for back in range(12, -1, -1)]
    trend = [estimates(panel, periods.add_months(e, -months), e) for e in ends]
    words = (periods.window_words(mid, as_of), periods.window_words(start, mid))
    return [
        Comparison(
            now[key],
            before[key],
            stats.compare(now[key], before[key]),
            *words,
            trend=tuple(float("nan") if (value := t[key].value) is None else value for t in trend),
        )
        for key in now
    ]
