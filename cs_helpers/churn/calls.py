"""The call list: the accounts most likely to leave, the reasons for their risk, and what changed since last time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.churn.risk_model import RiskModel
from cs_helpers.core import stats
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Record, Result, Suppressed
from cs_helpers.core.stats.logistic import probability_of

MOVED = 0.25
"""Change of log odds from which a probability counts as risen or fallen: odds up by 28 %, or down by 22 %."""

_NOBODY = "Nobody pays now: there is no account to score. Check the date and the subscriptions loaded."
_COLUMNS = ["account_id", "name", "mrr", "due_date", "probability", "mrr_at_risk", "reasons"]


@dataclass(frozen=True, repr=False)
class MrrAtRisk(Record):
    """MRR expected to leave in the coming window, out of ``mrr`` of ``accounts``.

    95 % of the outcomes lie between ``low`` and ``high`` if the probabilities are right.
    """

    expected: float
    low: float
    high: float
    accounts: int
    mrr: float


@dataclass(frozen=True, eq=False, repr=False)
class CallList(Result):
    """The accounts to call, the most likely to leave first.

    ``calls``: as ``rank_calls`` returns it, MRR in ``currency``; Suppressed where only ``notice`` is known.
    ``notice``: accounts that have given notice and still pay (account_id, name, notice_date, mrr). ``at_risk``: the MRR
    expected to leave. A risk is the probability that the paid time ends from ``lead_months`` on, within
    ``horizon_months``.
    """

    calls: pd.DataFrame | Suppressed
    notice: pd.DataFrame
    model: RiskModel | Suppressed
    at_risk: MrrAtRisk | Suppressed
    currency: str
    lead_months: int = 1
    horizon_months: int = 3


def rank_calls(
    risk: RiskModel,
    now: pd.DataFrame,
    before: pd.DataFrame | None = None,
    names: Mapping[Any, str] | pd.Series | None = None,
    capacity: int = 25,
    reasons: int = 3,
) -> pd.DataFrame | Suppressed:
    """The ``capacity`` accounts most likely to leave, most likely first; ties by MRR (largest first), then account_id.

    ``now`` and ``before``: one row per account with account_id, mrr, the features, and due_date if known (NaT
    otherwise); ``names``: account_id to name (the id where there is none). Columns:

    - account_id, name, mrr, due_date, probability, mrr_at_risk (probability x mrr);
    - reasons: up to ``reasons`` tuples (feature, value or None, typical value, log odds above the average account),
      largest first, only those that raise the risk;
    - previous_probability, previous_rank (1: most likely of ``before``): by the same model; missing if not in
      ``before``;
    - change: "new" (not in ``before``), "up" or "down" (log odds moved by more than 0.25; else moved into or out of the
      list), "same";
    - moved: feature whose contribution changed most since ``before``; None if new or none changed.

    Suppressed if ``now`` is empty. Raises ContractError for columns that are missing or an account that occurs twice.

    Example:
        >>> calls = cs.churn.call_list(tables)
        >>> now = pd.DataFrame({"account_id": ["A", "B"], "mrr": [900.0, 100.0], **calls.model.typical})
        >>> cs.churn.rank_calls(calls.model, now)["account_id"].tolist()
        ['A', 'B']
    """
    if not capacity >= 1:
        raise ContractError(f"capacity is {capacity}: give the number of accounts that can be called, 1 or more")
    if now.empty:
        return Suppressed(_NOBODY)
    table, rows = _ranked(risk, now)
    known = {} if names is None else dict(names)
    table["name"] = [str(known.get(each, each)) for each in table.index]
    table["mrr_at_risk"] = table["probability"] * table["mrr"]
    old = old_rows = None
    if before is not None and not before.empty:
        old, old_rows = _ranked(risk, before)
    for column in ("probability", "rank", "log_odds"):
        table[f"previous_{column}"] = np.nan if old is None else old[column].reindex(table.index)
    step = table["log_odds"] - table["previous_log_odds"]
    listed, was_listed = table["rank"] <= capacity, table["previous_rank"] <= capacity
    moved = np.where(step.abs() > MOVED, np.sign(step), listed.astype(int) - was_listed.astype(int))
    change = np.select([step.isna(), moved > 0, moved < 0], ["new", "up", "down"], "same")
    table = table.assign(change=change.astype(object)).head(capacity)
    rows = rows.head(capacity)
    added = risk.contributions(rows)
    columns = {"reasons": _reasons(risk, rows, added, reasons), "moved": _moved(risk, added, old_rows)}
    for name, values in columns.items():
        table[name] = pd.Series(values, index=table.index, dtype=object)
    table = table.rename_axis("account_id").reset_index()
    return table[[*_COLUMNS, "previous_probability", "previous_rank", "change", "moved"]]


def mrr_at_risk(risk: RiskModel, now: pd.DataFrame, level: float = 0.95) -> MrrAtRisk | Suppressed:
    """sum p mrr, and the normal interval from the variance sum p (1 - p) mrr², each account leaving by itself.

    The limits hold the chance of who happens to leave, not that the model may be wrong about the probabilities; they
    never leave 0 to all MRR. In the unit of ``mrr``, which must not be missing or negative. Suppressed if ``now`` is
    empty.

    Example:
        >>> model = cs.churn.call_list(tables).model
        >>> now = pd.DataFrame({"account_id": ["A", "B"], "mrr": [900.0, 100.0], **model.typical})
        >>> found = cs.churn.mrr_at_risk(model, now)
        >>> found.accounts, found.mrr
        (2, 1000.0)
    """
    if now.empty:
        return Suppressed(_NOBODY)
    table, _ = _ranked(risk, now)
    p, mrr = table["probability"].to_numpy(), table["mrr"].to_numpy(float)
    expected, total = math.fsum(p * mrr), math.fsum(mrr)
    half = stats.normal_quantile(level) * math.sqrt(math.fsum(p * (1 - p) * mrr**2))
    return MrrAtRisk(expected, max(0.0, expected - half), min(total, expected + half), len(table), total)


def _ranked(risk: RiskModel, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """mrr, due_date, log_odds, probability and rank by account_id, most likely to leave first; the rows likewise."""
    lacking = [name for name in ("account_id", "mrr") if name not in frame.columns]
    if lacking:
        raise ContractError(f"the rows to score lack {lacking}: give one row per account with account_id and mrr")
    if frame["account_id"].isna().any() or frame["account_id"].duplicated().any():
        raise ContractError("account_id is missing or occurs twice in the rows to score: give one row per account")
    mrr = frame["mrr"].to_numpy(float, na_value=np.nan)
    if not (mrr >= 0).all() or np.isinf(mrr).any():
        raise ContractError("mrr is missing, negative or infinite in the rows to score: give only accounts that pay")
    rows = frame.set_index("account_id").sort_index(kind="stable")
    log_odds = risk.log_odds(rows)
    table = pd.DataFrame({"mrr": rows["mrr"].astype(float), "due_date": pd.NaT, "log_odds": log_odds})
    if "due_date" in rows:
        table["due_date"] = rows["due_date"]
    table["probability"] = probability_of(log_odds)  # as risk.score does
    table["tie"] = log_odds.round(9)  # rounding errors must not decide what is a tie
    table = table.sort_values(["tie", "mrr"], ascending=False, kind="stable").drop(columns="tie")
    table["rank"] = np.arange(1, len(table) + 1)
    return table, rows.loc[table.index]


def _reasons(
    risk: RiskModel, rows: pd.DataFrame, added: pd.DataFrame, max_reasons: int
) -> list[tuple[tuple[Any, ...], ...]]:
    """For each row the features that raise its risk most: name, value, typical value, log odds."""
    names = list(added.columns)
    values = [rows[name].astype(object).where(rows[name].notna(), None).tolist() for name in names]
    found = []
    for row, each in enumerate(added.to_numpy()):
        best = [i for i in np.argsort(-each, kind="stable") if each[i] > 0][:max_reasons]
        found.append(tuple((names[i], values[i][row], risk.typical[names[i]], float(each[i])) for i in best))
    return found


def _moved(risk: RiskModel, added: pd.DataFrame, old: pd.DataFrame | None) -> list[str | None]:
    """For each row the feature whose contribution changed most since ``old``."""
    if old is None:
        return [None] * len(added)
    both = old.loc[old.index.isin(added.index)]
    steps = (added - risk.contributions(both).reindex(added.index)).abs().fillna(0.0).to_numpy()
    return [str(added.columns[int(each.argmax())]) if each.max(initial=0) > 1e-9 else None for each in steps]
