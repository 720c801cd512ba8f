"""Outcomes of CSMs' portfolios as cases: renewals, retained revenue, NPS answers and usage, with their case mix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.results import Record
from cs_helpers.reps.attribution import HANDOVER_DAYS, attributed
from cs_helpers.reps.results import Cases, within

MRR, TENURE, TERM = "MRR", "tenure", "term"
QUARTERS = ("lowest quarter", "second quarter", "third quarter", "highest quarter")
TENURES = ("under 3 months", "3 to 12 months", "12 to 36 months", "over 36 months")
OUTCOMES = ("churn", "churned", "health", "touches", "usage")
"""Words in the name of an attribute that is an outcome, or that a CSM influences: never part of the case mix."""
RESERVED = ("rep_id", "cluster", "month", "exposure", MRR, TENURE, TERM)
QUARTER, USAGE_DAYS = 3, 90


@dataclass(frozen=True, eq=False, repr=False)
class Portfolios(Record):
    """The assignments of accounts to CSMs, and what is known of accounts before a CSM acts.

    ``assignments`` and ``people`` (the table reps, or empty) as in the contract; ``paid`` is the roll-up
    ``paid_periods``. ``attributes``: text by account_id (its index), such as segment, set before a CSM acted; the
    names are the names of the factors. Raises ParameterError for attributes that are what is compared, or that a CSM
    moves, and for an account that is there twice; ContractError without paid periods.
    """

    assignments: pd.DataFrame
    people: pd.DataFrame
    paid: pd.DataFrame
    attributes: pd.DataFrame | None = None
    handover_days: int = HANDOVER_DAYS

    def __post_init__(self) -> None:
        if not len(self.paid):
            raise ContractError("subscriptions: nobody ever paid anything, so there is no book of business.")
        if self.attributes is None:
            return
        if self.attributes.index.has_duplicates:
            raise ParameterError("attributes: an account stands there twice. Give one row per account_id, its index.")
        for name in map(str, self.attributes.columns):
            moved = set(name.lower().replace(" ", "_").split("_")) & set(OUTCOMES)
            if name in RESERVED or moved:
                why = "a CSM moves it, or it is the outcome" if moved else "the name is taken"
                raise ParameterError(f"attributes: '{name}' cannot be part of the mix of cases: {why}. Leave it out.")

    def cases(
        self,
        events: pd.DataFrame,
        keys: Sequence[str],
        called: str,
        notes: Sequence[str] = (),
        mix: Sequence[str] = (),
        handover_days: int | None = None,
    ) -> Cases:
        """Events of accounts as cases of the CSM who had the account, with what was known on the day before.

        ``events``: account_id, ``day`` (on which they are attributed), month, a column per measure, perhaps exposure,
        ``before`` (the day on whose eve MRR and tenure are read; else ``day``) and the columns of ``mix``. Factors: the
        attributes, MRR (quarters of what these cases paid; missing: nothing), tenure since the first paid day. A factor
        of which nothing is known, and a measure without a case, is left out. Raises ContractError without assignments.
        """
        events = events.reset_index(drop=True)
        at_day = paid_before(self.paid, events["account_id"], events["day"])
        stood = paid_before(self.paid, events["account_id"], events["before"]) if "before" in events else at_day
        whose = attributed(
            events.assign(since=at_day["since"]), self.assignments, self.people, on="day", since="since",
            called=called, handover_days=handover_days or self.handover_days,
        )  # fmt: skip
        table = pd.DataFrame(
            {
                "rep_id": whose.rep_id,
                "cluster": events["account_id"].astype("category"),
                "month": events["month"],
            }
        )
        attributes = pd.DataFrame() if self.attributes is None else self.attributes
        for name, column in attributes.items():
            table[str(name)] = events["account_id"].map(column.astype("str").where(column.notna())).astype("category")
        table[MRR] = mrr_bands(stood["mrr"])
        table[TENURE] = tenure_bands(stood["first_paid"], stood["day"])
        for name in mix:
            table[name] = events[name].astype("category")
        factors = tuple(name for name in table.columns[3:] if table[name].notna().any())
        for name in keys:
            table[name] = events[name].astype(float)
        if "exposure" in events:
            table["exposure"] = events["exposure"].astype(float)
        has = tuple(key for key in keys if table[key].notna().any())
        return Cases(table, has, factors, (*notes, *whose.notes) if len(events) else tuple(notes))


def paid_before(paid: pd.DataFrame, accounts: pd.Series, days: pd.Series) -> pd.DataFrame:
    """What each account paid on the day before a given day: day, mrr, since, until, first_paid; a row per row.

    ``paid``: the roll-up ``paid_periods``. mrr in currency, NaN where nothing was paid; ``since`` and ``until``: first
    day of its latest unbroken paid time, and the first day no longer paid for (missing: it runs); ``first_paid``:
    first paid day ever. All are missing where it had not begun to pay.
    """
    ordered = paid.sort_values(["account_id", "start_date"], kind="stable", ignore_index=True)
    begins = ordered["end_date"].groupby(ordered["account_id"]).shift().ne(ordered["start_date"])
    spell = begins.cumsum() - 1
    known = pd.DataFrame(
        {
            "account_id": ordered["account_id"].astype("str"),
            "at": ordered["start_date"].astype("datetime64[us]"),
            "paid_until": ordered["end_date"].astype("datetime64[us]"),
            "mrr": ordered["mrr_cents"] / 100,
            "since": ordered["start_date"][begins].to_numpy("datetime64[us]")[spell],
            "until": ordered["end_date"][begins.shift(-1, fill_value=True)].to_numpy("datetime64[us]")[spell],
            "first_paid": ordered.groupby("account_id")["start_date"].transform("min").astype("datetime64[us]"),
        }
    )
    found = latest_before(known, accounts, days)
    running = found["paid_until"].isna() | (found["paid_until"] >= _days(days))
    found["mrr"] = found["mrr"].astype(float).where(running)
    return found[["mrr", "since", "until", "first_paid"]].assign(day=_days(days))


def latest_before(known: pd.DataFrame, accounts: pd.Series, days: pd.Series) -> pd.DataFrame:
    """The last row of ``known`` (account_id, at) of each account before each day; missing where there is none."""
    asked = pd.DataFrame({"account_id": accounts.astype("str"), "at": _days(days), "place": np.arange(len(days))})
    found = pd.merge_asof(
        asked.dropna(subset=["at"]).sort_values("at", kind="stable"),
        known.sort_values("at", kind="stable"),
        on="at",
        by="account_id",
        allow_exact_matches=False,
    )
    return found.set_index("place").reindex(range(len(days))).set_axis(days.index)


def _days(dates: pd.Series) -> pd.Series:
    return pd.to_datetime(dates).astype("datetime64[us]").dt.normalize()


def mrr_bands(mrr: pd.Series) -> pd.Series:
    """Quarters of what the cases paid, as text; missing where nothing was. Equal amounts are in one band."""
    paying = mrr[mrr > 0]
    edges = paying.quantile([0.25, 0.5, 0.75]).to_numpy() if len(paying) else np.zeros(3)
    band = np.searchsorted(edges, mrr.to_numpy(float), side="left")
    return _banded(np.where(mrr > 0, band, -1), QUARTERS, mrr.index)


def tenure_bands(first_paid: pd.Series, day: pd.Series) -> pd.Series:
    """Time since the first paid day, as text; missing where that is not known."""
    months = periods.months_between(first_paid, day).to_numpy(float)
    band = np.searchsorted([3, 12, 36], months, side="right")
    return _banded(np.where(np.isnan(months), -1, band), TENURES, day.index)


def _banded(band: np.ndarray, names: Sequence[str], index: pd.Index) -> pd.Series:
    return pd.Series(pd.Categorical.from_codes(band.astype(np.int64), categories=pd.Index(names)), index=index)


def renewal_cases(
    renewals: pd.DataFrame,
    portfolios: Portfolios,
    start: pd.Timestamp,
    end: pd.Timestamp,
    subscriptions: pd.DataFrame | None = None,
) -> Cases:
    """Renewals that came due in [start, end) and are decided: ``book_renewal_rate``, 1 if renewed at any price, else 0.

    ``renewals`` as from ``retention.renewals_of``: account_id, due_date, renewed_mrr (missing: still open, and no case;
    0: lost). Each is attributed at its due date, in whose month it counts. ``subscriptions`` (account_id, start_date,
    term_months) give the factor term, of the last one begun before the due date. So cases and those that stay open are
    what ``retention.renewal_rate`` counts. Raises ContractError without any renewal, recorded or derived.
    """
    start, end = periods.window(start, end)
    if not len(renewals):
        raise ContractError(
            "there is no renewal: give the table renewals, or term_months with the subscriptions, from which due dates "
            "follow."
        )
    due = renewals[within(renewals["due_date"], start, end)].reset_index(drop=True)
    still_open = int(due["renewed_mrr"].isna().sum())
    notes = [f"{still_open:,} of {len(due):,} renewals due are still open: not counted."] if still_open else []
    due = due[due["renewed_mrr"].notna()].reset_index(drop=True)
    events = pd.DataFrame(
        {
            "account_id": due["account_id"],
            "day": due["due_date"],
            "month": periods.month_start(due["due_date"]),
            "book_renewal_rate": (due["renewed_mrr"] > 0).astype(float),
        }
    )
    mix = []
    if subscriptions is not None and "term_months" in subscriptions and subscriptions["term_months"].notna().any():
        events[TERM] = _terms(subscriptions, events["account_id"], events["day"])
        mix = [TERM]
    return portfolios.cases(events, ["book_renewal_rate"], "renewals", notes, mix)


def _terms(subscriptions: pd.DataFrame, accounts: pd.Series, days: pd.Series) -> pd.Series:
    """The contract term that ran on the eve of each day, in words."""
    rows = subscriptions.dropna(subset=["term_months"]).sort_values(["start_date", "term_months"], kind="stable")
    known = pd.DataFrame(
        {
            "account_id": rows["account_id"].astype("str"),
            "at": rows["start_date"].astype("datetime64[us]"),
            "term": rows["term_months"].astype(float),
        }
    )
    months = latest_before(known, accounts, days)["term"]
    return months.map(lambda term: f"{term:g} month{'' if term == 1 else 's'}", na_action="ignore").astype("str")


def portfolio_months(panel: pd.DataFrame, portfolios: Portfolios, start: pd.Timestamp, end: pd.Timestamp) -> Cases:
    """Months of paying accounts: MRR retained without (``book_grr``) and with expansion (``book_nrr``).

        book_grr = min(closing, opening) / opening;  book_nrr = closing / opening;  exposure = opening, in currency

    Weighted by exposure they are GRR and NRR of a month; reports print what twelve such months make, to the twelfth
    power. ``panel``: the roll-up ``account_month``, dense, in cents; months of [start, end) with opening > 0 count,
    accounts won in a month do not. A month belongs to the CSM who had the account before it began, not to a successor.
    Raises ContractError where no month of the window is in the panel.
    """
    start, end = periods.window(start, end)
    inside = panel[within(panel["month"], start, end)] if len(panel) else panel
    if not len(inside):
        raise ContractError(
            f"account_month holds no month of {periods.window_words(start, end)}: make the roll-up over that window."
        )
    rows = inside[inside["opening"] > 0]
    opening, closing = rows["opening"].to_numpy(float), rows["closing"].to_numpy(float)
    events = pd.DataFrame(
        {
            "account_id": rows["account_id"].to_numpy(),
            "day": rows["month"].to_numpy(),
            "month": rows["month"].to_numpy(),
            "book_grr": np.minimum(closing, opening) / opening,
            "book_nrr": closing / opening,
            "exposure": opening / 100,
        }
    )
    return portfolios.cases(events, ["book_grr", "book_nrr"], "account-months")


def nps_cases(surveys: pd.DataFrame, portfolios: Portfolios, start: pd.Timestamp, end: pd.Timestamp) -> Cases:
    """Answers to NPS surveys in [start, end): ``nps``, 100 for 9 and 10, -100 for 0 to 6, 0 between.

    ``surveys``: the contract's table. An answer counts in the month in which it came and is attributed on the day the
    question was sent; where one of the two is not recorded, the other is used. Invitations without an answer are
    no case, an answer without account counts for no CSM. Raises ContractError without any survey of the kind nps.
    """
    start, end = periods.window(start, end)
    asked = surveys[surveys["kind"].eq("nps")] if len(surveys) else surveys
    if not len(asked):
        raise ContractError("surveys: there is none of the kind nps. Give the answers to the question, 0 to 10.")
    asked = asked.reindex(columns=["account_id", "sent_at", "answered_at", "score"])
    sent, came = pd.to_datetime(asked["sent_at"]), pd.to_datetime(asked["answered_at"])
    asked = asked.assign(sent_at=sent.fillna(came), answered_at=came.fillna(sent))
    answers = asked[asked["score"].notna() & within(asked["answered_at"], start, end)]
    score = answers["score"].to_numpy(float)
    events = pd.DataFrame(
        {
            "account_id": answers["account_id"].astype("str"),
            "day": answers["sent_at"].dt.normalize(),
            "month": periods.month_start(answers["answered_at"]),
            "nps": 100.0 * (score >= 9) - 100.0 * (score <= 6),
        }
    )
    return portfolios.cases(events, ["nps"], "answers")


def usage_cases(features: pd.DataFrame, portfolios: Portfolios, start: pd.Timestamp, end: pd.Timestamp) -> Cases:
    """Change of usage in each quarter of [start, end): ``usage_change``, one case per account and quarter.

        usage_change = (now - before) / max(now, before), from -1 (stopped) to 1 (began); now and before are the days
        with use among the 90 before the quarter's end and the 90 before its beginning

    ``features``: the roll-up ``usage_features`` from ``start`` to ``end`` (itself included), dense, every month or
    every third counted back from ``end``. Accounts count that paid without a break through the 90 days before the
    quarter, also those that left in it; not those without use in both, nor windows that began before the data do.
    Attributed at the quarter's end or, where the account left before, on the first day no longer paid. It counts in
    the quarter's last month. Quarters are counted back from ``end``; months left over are not used. Raises
    ContractError without usage.
    """
    start, end = periods.window(start, end)
    if not len(features) or features["active_days_90"].isna().all():
        raise ContractError("usage: nothing is recorded that could rise or fall. Give the table usage.")
    days = features.dropna(subset=["active_days_90"])[["account_id", "month", "active_days_90"]]
    now = days[days["month"].isin(quarter_ends(start, end))]
    now = now.assign(first=_months_back(now["month"], QUARTER))
    before = days.rename(columns={"month": "first", "active_days_90": "before"})
    both = now.merge(before, on=["account_id", "first"])
    most = both[["active_days_90", "before"]].max(axis=1).astype(float)
    stood = paid_before(portfolios.paid, both["account_id"], both["first"])
    events = pd.DataFrame(
        {
            "account_id": both["account_id"],
            "month": _months_back(both["month"], 1),
            "before": both["first"],
            "day": both["month"].where(~(stood["until"] < both["month"]), stood["until"]),
            "usage_change": (both["active_days_90"] - both["before"]).astype(float) / most,
        }
    )
    long = stood["since"] <= both["first"] - pd.Timedelta(days=USAGE_DAYS)
    counts = (most > 0) & stood["mrr"].notna() & long
    return portfolios.cases(events[counts], ["usage_change"], "account-quarters", left_over(start, end))


def quarter_ends(start: pd.Timestamp, end: pd.Timestamp) -> list[pd.Timestamp]:
    """The ends of the whole quarters in [start, end), counted back from ``end``."""
    whole = len(periods.month_starts(start, end)) // QUARTER
    return [periods.add_months(end, -QUARTER * number) for number in reversed(range(whole))]


def left_over(start: pd.Timestamp, end: pd.Timestamp) -> list[str]:
    """A note where the window is no whole number of quarters."""
    months = len(periods.month_starts(start, end)) % QUARTER
    note = f"The first {months} month{'s' if months > 1 else ''} of the window fill no quarter: left out."
    return [note] if months else []


def _months_back(months: pd.Series, number: int) -> pd.Series:
    back = (months.to_numpy("datetime64[M]") - number).astype("datetime64[us]")
    return pd.Series(back, index=months.index)
