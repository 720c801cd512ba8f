"""The portfolio that customer success covers: who is covered, how much MRR that is, and when its contracts decide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers import retention
from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Record

ROWS = ["due_in", "term", "mrr_cents", "accounts"]
USUAL_TERM = 12
"""Months between decisions, and the months over which due dates are spread, where no term is recorded."""
_NOW = ("account_id", "mrr", "covered")


@dataclass(frozen=True, eq=False, repr=False)
class CoveredPortfolio(Record):
    """MRR that customer success covers, by the time at which its contracts decide.

    ``rows``: one per (due_in, term): due_in (whole months still sure to be paid; 0: decides now), term (months between
    decisions), mrr_cents (integer) and accounts. ``exposed_mrr``: their MRR in currency, of ``accounts`` accounts;
    ``total_mrr``: the whole company's, of ``all_accounts``. ``note``: what was assumed for contracts without a recorded
    term, "" where all are known.
    """

    rows: pd.DataFrame
    exposed_mrr: float
    total_mrr: float
    accounts: int
    all_accounts: int
    note: str = ""


def make_portfolio(
    rows: pd.DataFrame, total_mrr: float | None = None, all_accounts: int | None = None, note: str = ""
) -> CoveredPortfolio:
    """A portfolio from its rows (due_in, term, mrr_cents, accounts), rows of the same due_in and term joined.

    ``total_mrr`` in currency and ``all_accounts``: of the whole company, by default those of the rows.
    Raises ContractError for columns that are missing, values that are no whole numbers, a due_in below 0, a term below
    1, no MRR at all, and a company smaller than its exposed part.

    Example:
        >>> rows = pd.DataFrame({"due_in": [1, 6], "term": 12, "mrr_cents": 4_000_000, "accounts": 20})
        >>> make_portfolio(rows).exposed_mrr
        80000.0
    """
    absent = [name for name in ROWS if name not in rows]
    if absent:
        raise ContractError(f"the book lacks {', '.join(absent)}; it needs {', '.join(ROWS)}, all whole numbers.")
    exact = rows[ROWS].to_numpy(float, na_value=np.nan)
    minimum = np.array([0, 1, 0, 0])
    if not (np.isfinite(exact).all() and (exact == np.rint(exact)).all() and (exact >= minimum).all()):
        raise ContractError(
            "the book has a value that is missing, broken or too low: due_in, mrr_cents, accounts >= 0, term >= 1."
        )
    joined = rows[ROWS].astype(np.int64).groupby(["due_in", "term"], as_index=False).sum()
    exposed = int(joined["mrr_cents"].sum()) / 100
    accounts = int(joined["accounts"].sum())
    total = exposed if total_mrr is None else float(total_mrr)
    everybody = accounts if all_accounts is None else int(all_accounts)
    if exposed <= 0:
        raise ContractError("the book has no MRR: nothing that customer success covers pays anything.")
    if total < exposed - 0.005 or everybody < accounts:
        raise ContractError(
            f"the whole company ({total:,.2f} a month, {everybody:,} accounts) is smaller than the part that customer "
            f"success covers ({exposed:,.2f}, {accounts:,}): give the MRR and the accounts of all that pay."
        )
    return CoveredPortfolio(joined, exposed, max(total, exposed), accounts, everybody, note)


def paying_and_covered(
    mrr: pd.Series,
    assignments: pd.DataFrame,
    reps: pd.DataFrame | None,
    as_of: pd.Timestamp,
    role: str = "csm",
    everybody: bool = False,
) -> pd.DataFrame:
    """The accounts paying on the eve of ``as_of``, and whether a CSM was assigned to each then.

    ``mrr``: currency per month by account_id, as from ``retention.paying_now``. ``assignments``: account_id, rep_id,
    start_date, end_date (NaT: it runs) and perhaps role: those of ``role`` or without one are coverage, with "" all
    are. ``reps``: rep_id and left_on, the last day in the job; a rep who has left covers no account. The rule is that
    of the roll-up ``vanish_panel``. ``everybody``: customer success covers all accounts, assigned or not. Columns:
    account_id, mrr, covered; covered is missing for all where no assignment is recorded.
    """
    now = pd.DataFrame({"account_id": mrr.index.to_numpy(), "mrr": mrr.to_numpy(float)})
    if everybody:
        return now.assign(covered=True)
    if not len(assignments):
        return now.assign(covered=pd.Series(pd.NA, now.index, dtype="boolean"))
    eve = as_of - pd.Timedelta(days=1)
    runs = (assignments["start_date"] <= eve) & ~(assignments["end_date"] <= eve)
    if role and "role" in assignments:
        runs &= assignments["role"].isna() | (assignments["role"].str.lower() == role.lower())
    if reps is not None and {"rep_id", "left_on"} <= set(reps) and "rep_id" in assignments:
        gone = reps.loc[reps["left_on"] < eve, "rep_id"]
        runs &= ~assignments["rep_id"].isin(gone)
    return now.assign(covered=now["account_id"].isin(assignments.loc[runs.astype(bool), "account_id"]))


def covered_portfolio(
    subscriptions: pd.DataFrame, panel_now: pd.DataFrame, as_of: pd.Timestamp, renewals: pd.DataFrame | None = None
) -> CoveredPortfolio:
    """The portfolio of the accounts that are covered now, by their next due dates.

    ``subscriptions``: account_id, start_date, end_date, mrr and, where recorded, term_months. ``panel_now``: one row
    per account paying at ``as_of``: account_id, mrr (currency per month), covered (flag). ``renewals``: account_id,
    due_date and perhaps renewed_mrr; a recorded due date to come replaces the contract's anniversary.

    due_in counts whole months: an account due in the middle of a month decides from the next month on. Contracts that
    run for less than two months decide every month from month 1 on. The MRR of accounts without a recorded term is
    spread evenly over due dates in 1 to 12 months, with a term of 12.
    Raises ContractError where columns or values are missing, an account appears twice, or no account is covered.

    Example:
        >>> now = pd.DataFrame({"account_id": ["A"], "mrr": [100.0], "covered": [True]})
        >>> paid = pd.DataFrame({"account_id": ["A"], "start_date": [pd.Timestamp("2025-10-01")], "end_date": [pd.NaT]})
        >>> found = covered_portfolio(paid.assign(mrr=100.0, term_months=12), now, pd.Timestamp("2026-07-01"))
        >>> found.rows["due_in"].tolist()
        [3]
    """
    now = _checked(panel_now)
    covered = now[now["covered"].astype(bool)]
    if covered.empty:
        raise ContractError(
            f"none of the {len(now):,} accounts paying at {periods.day_words(as_of)} is covered by customer success: "
            "there is no MRR that would be exposed. Load the assignments that run on that day."
        )
    decides = _decisions(subscriptions, covered["account_id"], as_of, renewals)
    cents = (covered["mrr"] * 100).round().astype(np.int64).to_numpy()
    known = decides["due_in"].notna().to_numpy()
    rows = decides[known].astype(np.int64).assign(mrr_cents=cents[known], accounts=1)
    note = ""
    if not known.all():
        unknown = int(cents[~known].sum())
        share = unknown / cents.sum()
        rows = pd.concat([rows, _spread(unknown, int((~known).sum()))], ignore_index=True)
        note = (
            f"{(~known).sum():,} of {len(covered):,} covered accounts have no recorded contract term "
            f"({share:.0%} of the exposed MRR). They are taken to decide once a year, evenly over the months."
        )
    return make_portfolio(rows, float(now["mrr"].sum()), len(now), note)


def _checked(panel_now: pd.DataFrame) -> pd.DataFrame:
    absent = [name for name in _NOW if name not in panel_now]
    if absent:
        raise ContractError(f"the accounts paying now lack {', '.join(absent)}; give {', '.join(_NOW)}.")
    problems = []
    if panel_now["account_id"].isna().any() or panel_now["account_id"].duplicated().any():
        problems.append("account_id is missing or stands twice: give one row per account.")
    mrr = panel_now["mrr"].to_numpy(float, na_value=np.nan)
    if not (np.isfinite(mrr) & (mrr > 0)).all():
        problems.append("mrr is missing, 0 or less: give only accounts that pay.")
    if panel_now["covered"].isna().any():
        problems.append(
            "covered is missing: without recorded assignments nobody knows whom customer success covers. Load the "
            "table assignments, or say everybody = True if it covers every account."
        )
    if problems:
        raise ContractError("\n".join(f"the accounts paying now: {each}" for each in problems))
    return panel_now[list(_NOW)].sort_values("account_id", ignore_index=True)


def _decisions(
    subscriptions: pd.DataFrame, accounts: pd.Series, as_of: pd.Timestamp, renewals: pd.DataFrame | None
) -> pd.DataFrame:
    """due_in and term of each of ``accounts``, in their order; both missing where nothing is recorded."""
    table = subscriptions[subscriptions["account_id"].isin(accounts)].reset_index(drop=True)
    table = table[(table["mrr"] > 0) & (table["start_date"] <= as_of)]
    # An end after the day of the portfolio is not known on that day.
    table = table.assign(end_date=table["end_date"].where(table["end_date"] <= as_of))
    table = table.assign(term_months=table["term_months"].astype(float) if "term_months" in table else np.nan)
    running = table[table["end_date"].isna()]
    longest = running.groupby("account_id")["term_months"].max()  # beside a yearly contract a monthly one is an extra
    monthly = set(longest.index[longest < 2])
    yearly = table[~table["account_id"].isin(monthly)]
    dues = _coming(yearly, _unbroken(yearly), as_of)
    # Where paid time began without a term, or with a monthly one, the contract is the one that runs now.
    rest = running[running["term_months"].ge(2) & ~running["account_id"].isin(dues.index)]
    rest = rest.sort_values("start_date", kind="stable").groupby("account_id", as_index=False).tail(1)
    dues = pd.concat([dues, _coming(rest, rest, as_of)]) if len(rest) else dues
    found = dues.reindex(accounts)
    if renewals is not None and len(renewals):
        coming = renewals[renewals["due_date"] >= as_of]
        if "renewed_mrr" in coming:
            coming = coming[coming["renewed_mrr"].isna()]  # decided early: the next decision is a term later
        recorded = coming.groupby("account_id")["due_date"].min().reindex(found.index)
        found = found.assign(due_date=recorded.fillna(found["due_date"]))
    found["due_in"] = np.ceil(periods.months_between(pd.Series(as_of, found.index), found["due_date"]))
    found.loc[found.index.isin(list(monthly)), ["due_in", "term"]] = 1
    found["term"] = found["term"].where(found["due_in"].isna() | found["term"].notna(), USUAL_TERM)
    return found[["due_in", "term"]].reset_index(drop=True)


def _unbroken(subscriptions: pd.DataFrame) -> pd.DataFrame:
    """Paid time without its price: stretches of each account that neither overlap nor touch."""
    ordered = subscriptions.sort_values(["account_id", "start_date"], kind="stable")
    ends = ordered["end_date"].fillna(pd.Timestamp.max.floor("D").as_unit("us"))
    so_far = ends.groupby(ordered["account_id"]).cummax()
    begins = ordered["start_date"] > so_far.groupby(ordered["account_id"]).shift()
    stretch = (begins | ordered["account_id"].ne(ordered["account_id"].shift())).cumsum()
    first = ordered.groupby(stretch).agg(account_id=("account_id", "first"), start_date=("start_date", "first"))
    open_ = ordered["end_date"].isna().groupby(stretch).any()
    return first.assign(end_date=ordered["end_date"].groupby(stretch).max().where(~open_))


def _coming(subscriptions: pd.DataFrame, paid: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """The next due date and the months from it to the one after, by account_id."""
    longest = subscriptions["term_months"].max() if len(subscriptions) else np.nan
    months = 1 if np.isnan(longest) else 2 * int(np.ceil(longest)) + 1
    dues = retention.due_renewals(subscriptions, paid.assign(mrr_cents=1), as_of, as_of, months)
    dues = dues.sort_values(["account_id", "due_date"], kind="stable")
    index = periods.month_index(dues["due_date"])
    dues["term"] = (index.groupby(dues["account_id"]).shift(-1) - index).astype(float)
    return dues.drop_duplicates("account_id").set_index("account_id")[["due_date", "term"]]


def _spread(cents: int, accounts: int) -> pd.DataFrame:
    """Money and accounts in twelve equal parts, what does not divide in the later ones."""
    place = np.arange(USUAL_TERM)
    parts = {name: (whole + place) // USUAL_TERM for name, whole in (("mrr_cents", cents), ("accounts", accounts))}
    return pd.DataFrame({"due_in": place + 1, "term": USUAL_TERM, **parts})[ROWS]
