"""Why accounts left: recorded reasons, reasons stated in exit surveys, and unknown ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.churn.aalen_johansen import Incidence, cumulative_incidence
from cs_helpers.churn.account_base import spell_ends
from cs_helpers.core import periods, stats
from cs_helpers.core.results import Record, Result, Suppressed, or_suppressed

UNKNOWN = "unknown"
MIN_KNOWN = 10
"""Departures with a known reason that shares need before they are given."""
EXIT_DAYS = 120
"""An exit answer belongs to a departure if it came within so many days of its month, before or after."""

# Reasons that the company cannot influence, by the words they are written with.
NOT_CONTROLLABLE = (
    "clos", "bankrupt", "insolv", "liquidat", "acqui", "merge", "takeover", "out of business", "ceased", "shut down",
    "shutdown", "moved", "deceased", "regulat", "force majeure", "no longer needed", "project ended", "season",
)  # fmt: skip


def controllable(reason: str, outside: Iterable[str] = ()) -> bool | None:
    """Whether the company can influence a reason; None where it is unknown.

    ``outside`` names the reasons that it cannot influence; without any, the words of ``NOT_CONTROLLABLE`` decide.
    """
    if reason == UNKNOWN:
        return None
    named = [name.strip().casefold() for name in outside if name.strip()]
    text = reason.casefold()
    return text not in named if named else not any(word in text for word in NOT_CONTROLLABLE)


def recorded_reasons(accounts: pd.DataFrame, column: str = "") -> pd.Series:
    """The reason the company wrote down, by account_id; empty where no column holds any.

    ``column`` is an attribute of the accounts; without one, the first whose name has "reason" in it.
    """
    name = column or next((str(each) for each in accounts.columns if "reason" in str(each).casefold()), "")
    if name not in accounts:
        return pd.Series(dtype="object", index=pd.Index([], name="account_id"), name="recorded")
    return _clean(accounts.set_index("account_id")[name]).dropna().rename("recorded")


def _clean(text: pd.Series) -> pd.Series:
    """Reasons in one spelling: no outer blanks, lower case, blank is missing."""
    trimmed = text.astype("object").where(text.notna()).map(lambda x: " ".join(str(x).split()).casefold(), "ignore")
    return trimmed.where(trimmed.notna() & trimmed.ne(""))


@dataclass(frozen=True, eq=False, repr=False)
class Departures(Record):
    """One row per account and month in which its paid time ended inside the window.

    ``table``: account_id, month, mrr (currency per month, what it last paid), recorded, stated, competitor (missing:
    none known), best (stated where there is one, else recorded, else "unknown"), group.
    """

    table: pd.DataFrame
    asked: int
    answered: int


def departures(
    panel: pd.DataFrame,
    start: pd.Timestamp,
    end: pd.Timestamp,
    recorded: pd.Series | None = None,
    surveys: pd.DataFrame | None = None,
    groups: pd.Series | None = None,
) -> Departures:
    """Who left in [start, end), with the reasons known of each.

    ``panel`` is ``account_month``; ``recorded`` as from ``recorded_reasons``; ``surveys`` the table, of which
    exit answers count (the one nearest to the departure); ``groups`` an attribute by account_id. An account that left
    twice counts twice; one that came back later counts still.
    """
    left = panel[(panel["month"] >= start) & (panel["month"] < end) & (panel["churn"] > 0)]
    table = left[["account_id", "month"]].assign(mrr=left["churn"] / 100).reset_index(drop=True)
    known = {} if recorded is None else recorded.to_dict()
    table["recorded"] = table["account_id"].map(known).astype("object")
    exits = _exits(surveys, table)
    table["stated"], table["competitor"] = exits["reason"], exits["competitor"]
    table["best"] = table["stated"].fillna(table["recorded"]).fillna(UNKNOWN)
    table["group"] = None if groups is None else table["account_id"].map(groups.to_dict())
    return Departures(table, int(exits["asked"].sum()), int(exits["answered"].sum()))


_SURVEY_COLUMNS = ["kind", "account_id", "sent_at", "answered_at", "reason", "competitor"]


def _exits(surveys: pd.DataFrame | None, left: pd.DataFrame) -> pd.DataFrame:
    """For each departure: the nearest exit invitation within reach, whether answered, and what was said."""
    found = pd.DataFrame({"asked": False, "answered": False, "reason": None, "competitor": None}, index=left.index)
    found = found.astype({"reason": "object", "competitor": "object"})
    if surveys is None or surveys.empty or left.empty:
        return found
    surveys = surveys.reindex(columns=_SURVEY_COLUMNS)  # a source may lack some of them
    exits = surveys[(surveys["kind"] == "exit") & surveys["account_id"].isin(left["account_id"])]
    sent, answered = (pd.to_datetime(exits[name]) for name in ("sent_at", "answered_at"))
    exits = exits.assign(answered=answered.notna(), when=sent.fillna(answered)).dropna(subset=["when"])
    if exits.empty:
        return found
    pairs = left.reset_index()[["index", "account_id", "month"]].merge(exits, on="account_id")
    when = pairs["when"].dt.tz_localize(None) if pairs["when"].dt.tz is not None else pairs["when"]
    pairs["away"] = (when - (pairs["month"] + pd.Timedelta(days=15))).abs()
    near = pairs[pairs["away"] <= pd.Timedelta(days=EXIT_DAYS + 15)]
    near = near.sort_values(["index", "answered", "away"], ascending=[True, False, True], kind="stable")
    nearest = near.drop_duplicates("index").set_index("index")
    said = nearest["competitor"].astype("object").where(nearest["competitor"].notna())
    found.loc[nearest.index, "asked"] = True
    found.loc[nearest.index, "answered"] = nearest["answered"]
    found.loc[nearest.index, "reason"] = _clean(nearest["reason"])
    found.loc[nearest.index, "competitor"] = said
    return found


def spell_causes(spells: pd.DataFrame, left: Departures) -> pd.Series:
    """The best known reason of each spell that ended, missing for those that run; index as ``spells``.

    ``spells`` is the roll-up of that name; a spell ended in the month that holds its first unpaid day, and that month's
    departure of the account says why. Without one the reason is unknown.
    """
    month = periods.month_start(spell_ends(spells))
    known = left.table.set_index(["account_id", "month"])["best"]
    asked = pd.MultiIndex.from_arrays([spells["account_id"], month])
    found = pd.Series(known.reindex(asked).to_numpy(), index=spells.index, dtype="object").fillna(UNKNOWN)
    return found.where(spells["churned"])


def incidence_of(spells: pd.DataFrame, left: Departures, min_at_risk: int = 10) -> Incidence | Suppressed:
    """``cumulative_incidence`` of all paid spells by their best known reason, "unknown" among them."""
    if len(spells) < 2 * min_at_risk:
        return Suppressed(
            f"{len(spells)} paid spell{'' if len(spells) == 1 else 's'} in the observed window; shares by reason need "
            f"at least {2 * min_at_risk}. Load a longer history or more accounts"
        )
    found: Incidence | Suppressed = or_suppressed(
        cumulative_incidence,
        spells["duration_months"],
        spell_causes(spells, left),
        spells["entry_months"],
        min_at_risk=min_at_risk,
    )
    return found


@dataclass(frozen=True, eq=False, repr=False)
class Reasons(Result):
    """Why accounts left, by number and by revenue.

    ``by_reason``: index ``reason``, largest lost MRR first, "unknown" last; accounts, mrr and share (of the MRR with
    known reasons; NaN for unknown) with low and high by the best known reason; recorded_accounts, recorded_mrr,
    stated_accounts, stated_mrr; controllable (True, False or missing). ``unknown_share`` is of departures,
    ``unknown_mrr_share`` of their MRR. ``both`` departures have a recorded and a stated reason, in ``agree`` of them it
    is the same. ``competitors``: departures by competitor named. ``by_group``: share of known lost MRR by reason (rows)
    and group (columns), groups with at least 10 known departures only.
    """

    by_reason: pd.DataFrame
    departures: int
    mrr: float
    known: int
    unknown_share: float
    unknown_mrr_share: float
    controllable_share: float
    controllable_interval: tuple[float, float]
    both: int
    agree: int
    agree_interval: tuple[float, float]
    asked: int
    answered: int
    competitors: pd.Series
    by_group: pd.DataFrame
    currency: str = ""
    by: str = ""
    incidence: Incidence | Suppressed | None = None


def reason_shares(left: Departures, outside: Iterable[str] = ()) -> Reasons | Suppressed:
    """Lost MRR by reason; suppressed where no account left or fewer than 10 reasons are known.

    Shares are of the MRR whose reason is known and say so: the unknown ones may have left for other reasons. Their
    intervals treat the departures as the sample, weighted by MRR. ``outside`` as for ``controllable``.
    """
    table, n = left.table, len(left.table)
    if n == 0:
        return Suppressed("nobody left in this window, so there are no reasons to count")
    known = table[table["best"] != UNKNOWN]
    if len(known) < MIN_KNOWN:
        return Suppressed(
            f"{n:,} account{' left, and its reason is' if n == 1 else 's left, and the reason is'} known of "
            f"{len(known)}; shares need at least {MIN_KNOWN}. Record why accounts leave, in an attribute of the "
            "accounts whose name holds the word reason, or in exit surveys"
        )
    both = table.dropna(subset=["recorded", "stated"])
    agree = int((both["recorded"] == both["stated"]).sum())
    own = known["best"].map(lambda each: bool(controllable(each, outside))).to_numpy(bool)
    return Reasons(
        _by_reason(table, known, tuple(outside)),
        n,
        float(table["mrr"].sum()),
        len(known),
        1 - len(known) / n,
        1 - float(known["mrr"].sum() / table["mrr"].sum()),
        *_share(known["mrr"], own),
        len(both),
        agree,
        stats.wilson_interval(agree, len(both)),
        left.asked,
        left.answered,
        table["competitor"].dropna().value_counts().sort_index().sort_values(ascending=False, kind="stable"),
        _by_group(known),
    )


def _share(mrr: pd.Series, inside: np.ndarray) -> tuple[float, tuple[float, float]]:
    money = mrr.to_numpy(float)
    return float(money[inside].sum() / money.sum()), stats.kept_share_interval(money * inside, money)


def _by_reason(table: pd.DataFrame, known: pd.DataFrame, outside: tuple[str, ...]) -> pd.DataFrame:
    joined = pd.concat(
        [
            table.groupby(column)["mrr"].agg(["size", "sum"]).set_axis([f"{prefix}accounts", f"{prefix}mrr"], axis=1)
            for column, prefix in (("best", ""), ("recorded", "recorded_"), ("stated", "stated_"))
        ],
        axis=1,
    ).fillna(0)
    joined = joined.astype(dict.fromkeys(("accounts", "recorded_accounts", "stated_accounts"), int))
    for reason in joined.index.drop(UNKNOWN, errors="ignore"):
        share, (low, high) = _share(known["mrr"], (known["best"] == reason).to_numpy(bool))
        joined.loc[reason, ["share", "low", "high"]] = share, low, high
    joined["controllable"] = [controllable(str(reason), outside) for reason in joined.index]
    ordered = joined.assign(last=joined.index == UNKNOWN).rename_axis("reason").reset_index()
    ordered = ordered.sort_values(["last", "mrr", "reason"], ascending=[True, False, True]).set_index("reason")
    return ordered.drop(columns="last")


def _by_group(known: pd.DataFrame) -> pd.DataFrame:
    named = known.dropna(subset=["group"])
    sizes = named["group"].value_counts()
    large = named[named["group"].isin(sizes[sizes >= MIN_KNOWN].index)]
    if large.empty:
        return pd.DataFrame()
    money = large.pivot_table(index="best", columns="group", values="mrr", aggfunc="sum", fill_value=0.0)
    return (money / money.sum()).rename_axis(index="reason", columns="group")
