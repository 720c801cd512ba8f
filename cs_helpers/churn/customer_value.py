"""Customer lifetime value: expected gross margin of an account, discounted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.churn.shifted_beta_geometric import SBG, Projection, fit_spells, limits_of
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Record, Result, Suppressed, or_suppressed

ALL = "All"
_COLUMNS = ["accounts", "mrr", "margin", "expected_months", "value", "low", "high", "naive", "naive_within_horizon"]


@dataclass(frozen=True, repr=False)
class LifetimeValue(Record):
    """The expected gross margin of one new account inside the horizon, in the currency of ``mrr``.

    ``low``, ``high``: interval from the uncertainty of the curve alone; MRR and margin are taken as given.
    ``margin``: fraction of MRR. ``expected_months``: months begun, hence paid, inside the horizon (undiscounted).
    ``naive``: MRR x margin / monthly churn rate, endless and undiscounted. ``naive_within_horizon``: the same rate
    inside the same horizon with the same discount, so that the difference to ``value`` is the constant rate's alone.
    """

    value: float
    low: float
    high: float
    mrr: float
    margin: float
    discount_rate: float
    horizon_months: int
    expected_months: float
    monthly_churn_rate: float
    naive: float
    naive_within_horizon: float


@dataclass(frozen=True, eq=False, repr=False)
class LifetimeValues(Result):
    """Lifetime value of a new account, for all accounts ("All") and for each value of the attribute ``by``.

    ``by_group``: as ``lifetime_values_by_group`` returns it, amounts in ``currency``.
    """

    by_group: pd.DataFrame
    horizon_months: int
    currency: str
    by: str = ""


def expected_lifetime_value(
    projection: Projection | SBG,
    mrr: float,
    margin: float,
    discount_rate: float = 0.10,
    horizon_months: int = 36,
    monthly_churn_rate: float | None = None,
    draws: int = 1000,
) -> LifetimeValue:
    """Customer lifetime value of a new account that pays ``mrr`` at the start of each month it begins.

        CLV = sum over t = 0 .. H - 1 of S(t) x MRR x margin / (1 + d)^(t / 12)

    S is the projected curve, H the horizon in months, d the yearly discount rate. ``margin`` is the gross margin as a
    fraction of MRR; it may be below 0, not above 1. ``monthly_churn_rate`` is lost / at risk over the whole life table,
    by default that of the fit. 1 / churn from it understates lifetimes where the risky leave first: the rate is a mean
    over the ages seen so far, and accounts that outlast them leave more slowly. Inside a horizon no longer than those
    ages the two differ little; beyond them ever more. Raises ContractError for a negative or missing MRR, a margin or
    discount that is no fraction, a churn rate outside (0, 1] (without churn 1 / churn has no value), and a horizon
    outside 1 to 600 months. Source: Fader & Hardie 2010, Marketing Science 29(1), 85-93.

    Example:
        >>> fit = cs.churn.fit_sbg([1000, 869, 743, 653, 593, 551, 517, 491])
        >>> round(cs.churn.expected_lifetime_value(fit, mrr=100, margin=0.8, horizon_months=6).value)
        349
    """
    fit = projection.fit if isinstance(projection, Projection) else projection
    rate = fit.monthly_churn_rate if monthly_churn_rate is None else monthly_churn_rate
    _check(mrr, margin, discount_rate, horizon_months, rate)
    months = np.arange(horizon_months)
    paid = mrr * margin / (1 + discount_rate) ** (months / 12)
    value = float(fit.survival_months(months) @ paid)
    low, high = limits_of(fit.survival_draws(months, draws) @ paid, value)
    return LifetimeValue(
        value=value,
        low=float(low),
        high=float(high),
        mrr=float(mrr),
        margin=float(margin),
        discount_rate=float(discount_rate),
        horizon_months=int(horizon_months),
        expected_months=fit.expected_months(horizon_months),
        monthly_churn_rate=float(rate),
        naive=float(mrr * margin / rate),
        naive_within_horizon=float((1 - rate) ** months @ paid),
    )


def _check(mrr: float, margin: float, discount_rate: float, horizon_months: int, rate: float) -> None:
    if not (np.isfinite(mrr) and mrr >= 0):
        raise ContractError(f"mrr = {mrr}: give the MRR of one account in currency, 0 or more.")
    if not (np.isfinite(margin) and margin <= 1):
        raise ContractError(f"margin = {margin}: give the gross margin as a fraction of MRR, for example 0.75.")
    if not 0 <= discount_rate <= 1:
        raise ContractError(f"discount_rate = {discount_rate}: give a yearly rate as a fraction, for example 0.10.")
    if not (1 <= horizon_months <= 600 and int(horizon_months) == horizon_months):
        raise ContractError(f"horizon_months = {horizon_months}: choose whole months from 1 to 600, for example 36.")
    if not 0 < rate <= 1:
        raise ContractError(
            f"monthly_churn_rate = {rate}: 1 / churn has a value only for a rate above 0 and at most 1. "
            "Where nobody left yet, no lifetime can be told; load a longer history."
        )


def lifetime_values_by_group(
    spells: pd.DataFrame,
    groups: pd.Series | None,
    mrr: pd.Series,
    margin: pd.Series | float,
    as_of: Any,
    discount_rate: float = 0.10,
    horizon_months: int = 36,
) -> pd.DataFrame:
    """``expected_lifetime_value`` of each group of accounts and of all, each from its own curve.

    ``spells`` is the roll-up; ``groups``, ``mrr`` (currency, now) and ``margin`` (fraction) are indexed by account_id;
    without ``groups`` all accounts count together. Index group, in the order of their names, then "All"; columns
    accounts, mrr, margin, expected_months, value, low, high, naive, naive_within_horizon, reason. ``accounts`` pay
    now (MRR > 0), ``mrr`` is their mean, ``margin`` their mean weighted by MRR over those whose margin is known.
    Ended spells count towards the curve of the group the account had. An account without a group counts in "All"
    only. Where a group has no value, ``reason`` says why and the numbers that rest on the curve are
    NaN; mrr and margin are NaN only where nobody pays or no margin is known. Raises ContractError for accounts that
    occur twice, negative MRR, a group named "All", and where no spell belongs to any account of ``groups``.
    """
    together = groups is None
    groups = pd.Series(dtype="object") if groups is None else groups
    margins = margin if isinstance(margin, pd.Series) else pd.Series(float(margin), index=mrr.index)
    for name, series in (("groups", groups), ("mrr", mrr), ("margin", margins)):
        if series.index.has_duplicates:
            raise ContractError(f"{name}: account {series.index[series.index.duplicated()][0]} stands twice; keep one.")
    if (mrr < 0).any():
        raise ContractError(f"mrr: {int((mrr < 0).sum())} accounts with MRR below 0; correct them.")
    if not margins.dropna().le(1).all():
        raise ContractError("margin: give gross margins as fractions of MRR, for example 0.75; none is above 1.")
    _check(0.0, 0.0, discount_rate, horizon_months, 0.5)
    of_spell = spells["account_id"].map(groups)
    if len(spells) and of_spell.isna().all() and not together:
        raise ContractError("groups: no account of the spells has a group; index groups by account_id.")
    labels = sorted(groups.dropna().unique(), key=str)
    if ALL in [str(label) for label in labels]:
        raise ContractError(f"groups: a group is named '{ALL}', which stands for all accounts; rename it.")
    paying = pd.DataFrame({"mrr": mrr, "margin": margins.reindex(mrr.index), "group": groups.reindex(mrr.index)})
    paying = paying[paying["mrr"] > 0].sort_index()
    parts = {str(label): (paying[paying["group"] == label], spells[of_spell == label]) for label in labels}
    rows = {
        name: _row(payers, or_suppressed(fit_spells, own, as_of), discount_rate, horizon_months)
        for name, (payers, own) in (parts | {ALL: (paying, spells)}).items()
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=[*_COLUMNS, "reason"])
    return table.rename_axis("group")


def _row(payers: pd.DataFrame, fit: SBG | Suppressed, discount_rate: float, horizon_months: int) -> dict[str, Any]:
    known = payers.dropna(subset=["margin"])
    row: dict[str, Any] = dict.fromkeys(_COLUMNS, float("nan")) | {"accounts": len(payers), "reason": ""}
    if not len(payers):
        return row | {"reason": "No account pays now, so that there is no MRR to value."}
    row["mrr"] = float(payers["mrr"].mean())
    if not len(known):
        return row | {"reason": "No paying account has a gross margin. Give one, or a margin for all."}
    row["margin"] = float((known["margin"] * known["mrr"]).sum() / known["mrr"].sum())
    result = or_suppressed(expected_lifetime_value, fit, row["mrr"], row["margin"], discount_rate, horizon_months)
    if isinstance(result, Suppressed):
        return row | {"reason": result.reason}
    return row | {name: figure for name, figure in asdict(result).items() if name in _COLUMNS}
