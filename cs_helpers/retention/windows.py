"""GRR, NRR and logo retention of a window: the accounts that paid as it opened, from point to point."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cs_helpers import periods, stats
from cs_helpers.definitions import Comparison, Estimate
from cs_helpers.errors import ContractError
from cs_helpers.retention.movements import Month, months_inside


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


def opening_cohort(panel: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Accounts paying as [start, end) opens: ``opening`` and ``closing`` in cents, indexed by account."""
    inside = months_inside(panel, start, end)
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
    cohort = opening_cohort(panel, start, end)
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
    cohort = opening_cohort(panel, start, end)
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
