"""What customer success costs a month, split into people, tools and management."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.core import periods
from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.results import Record

PARTS = ("people", "tools", "management")
MONTHS, MIN_MONTHS = 12, 3
"""Months that are averaged, and how many of them must have costs."""
CS_ROLES = ("csm",)
_WORDS = {
    "management": r"manag|leader|director|head of|executive",
    "people": r"pay|salar|wage|bonus|commission|benefit|pension|social|training|travel|recruit|freelanc|contractor"
    r"|staff|people|personnel|headcount",
    "tools": r"software|tool|licen[cs]e|subscription|platform|saas|system|hosting|telephon",
}


@dataclass(frozen=True, eq=False, repr=False)
class CostBase(Record):
    """What customer success costs a month, in currency: ``people``, ``tools`` and ``management``.

    ``origin``: "costs" (the mean month of the table costs), "reps" (the yearly cost of the people there now) or "given"
    (the user's own figure). ``months``: how many months with costs were averaged, of the window [``start``, ``end``); 0
    and no window where none was. ``items``: item, part, per_month. ``note``: what was assumed or is missing.
    """

    people: float
    tools: float
    management: float
    origin: str
    months: int = 0
    start: pd.Timestamp | None = None
    end: pd.Timestamp | None = None
    items: pd.DataFrame | None = None
    note: str = ""

    @property
    def per_month(self) -> float:
        """People, tools and management together."""
        return self.people + self.tools + self.management

    @property
    def per_year(self) -> float:
        """Twelve times the month."""
        return 12 * self.per_month


def cost_base(
    costs: pd.DataFrame,
    reps: pd.DataFrame,
    as_of: pd.Timestamp,
    currency: str = "",
    functions: Sequence[str] = ("customer_success",),
    cost_per_month: float = 0.0,
) -> CostBase:
    """The mean monthly cost of customer success, from the first source of these that is there.

    1. ``cost_per_month`` (currency) above 0, counted as people.
    2. ``costs`` (month, item, amount, function; a missing function is customer_success): rows of ``functions`` in the
       last 12 whole months before ``as_of``, their sum divided by the months that have any such row. A month without
       rows was not recorded; the note names it.
    3. ``reps`` (role, annual_cost, left_on): a twelfth of the yearly cost of the CSMs there at ``as_of``, and of those
       who manage them; no tools.

    The words of an item decide its part: management; pay, salary, bonus, benefits, training, travel and the like are
    people; software, tools, licences are tools; an item without any of the words counts with the tools and is named.
    Where no item names management, the yearly cost of the managers of CSMs there now is taken out of the people's pay.
    Raises ContractError where no source is there, fewer than three months have costs, costs are in another currency
    than ``currency``, or amounts are missing or negative; ParameterError for a ``cost_per_month`` below 0.

    Example:
        >>> base = cost_base(tables.costs, tables.reps, tables.as_of)
        >>> (base.months, round(base.per_month))
        (12, 109413)
    """
    if not (isinstance(cost_per_month, int | float) and math.isfinite(cost_per_month) and cost_per_month >= 0):
        raise ParameterError(
            f"cost_per_month = {cost_per_month}: give what customer success costs a month in currency, for example "
            "85000, or 0 to take it from the data."
        )
    if cost_per_month > 0:
        note = "The cost is the user's own figure, counted as people; its parts are not known."
        return CostBase(float(cost_per_month), 0.0, 0.0, "given", note=note)
    if costs is not None and len(costs):
        return _from_costs(_of_functions(costs, functions, currency), reps, as_of)
    return _from_reps(reps, as_of)


def _of_functions(costs: pd.DataFrame, functions: Sequence[str], currency: str) -> pd.DataFrame:
    absent = [name for name in ("month", "item", "amount") if name not in costs]
    if absent:
        raise ContractError(f"costs: no column {', '.join(absent)}. Give one row per month and item, with its amount.")
    names = costs["function"].fillna("customer_success") if "function" in costs else "customer_success"
    wanted = {_plain(each) for each in functions}
    table = costs.assign(function=names)
    chosen = table[table["function"].map(_plain).isin(wanted)]
    if chosen.empty:
        there = ", ".join(sorted(map(str, table["function"].unique())))
        raise ContractError(
            f"costs: no row of the function {' or '.join(functions)}; there are rows of {there}. "
            "Name the function that is customer success, or give cost_per_month."
        )
    problems = []
    amounts = chosen["amount"].to_numpy(float, na_value=np.nan)
    wrong = int((~(np.isfinite(amounts) & (amounts >= 0))).sum())
    if wrong:
        problems.append(f"costs: {wrong:,} rows whose amount is missing or negative; correct them.")
    codes = {str(code).strip().upper() for code in chosen["currency"].dropna()} if "currency" in chosen else set()
    expected = currency.strip().upper() or (min(codes) if codes else "")
    if codes - {expected}:
        problems.append(
            f"costs are in {', '.join(sorted(codes))}, and MRR is in {expected or 'another currency'}: a ratio of two "
            "currencies says nothing. Convert the costs, or give cost_per_month in the currency of MRR."
        )
    if problems:
        raise ContractError("\n".join(problems))
    return chosen.reset_index(drop=True)


def _from_costs(costs: pd.DataFrame, reps: pd.DataFrame, as_of: pd.Timestamp) -> CostBase:
    end = periods.month(as_of)
    start = periods.add_months(end, -MONTHS)
    index = periods.month_index(costs["month"])
    first, last = (moment.year * 12 + moment.month - 1 for moment in (start, end))
    inside = costs[(index >= first) & (index < last)]
    there = sorted(index[inside.index].unique())
    if len(there) < MIN_MONTHS:
        raise ContractError(
            f"costs: {len(there)} of the {MONTHS} months {periods.window_words(start, end)} have costs; a mean month "
            f"needs {MIN_MONTHS}. Load more months, or give cost_per_month."
        )
    items = (inside.groupby("item")["amount"].sum().astype(float) / len(there)).rename("per_month").reset_index()
    part = items["item"].map(_part)
    items.insert(1, "part", part.fillna("tools"))
    notes = []
    lacking = [month for month in range(first, last) if month not in there]
    if lacking:
        named = ", ".join(f"{month // 12}-{month % 12 + 1:02d}" for month in lacking)
        notes.append(f"No costs are recorded for {named}; the mean is over the other {len(there)} months.")
    if part.isna().any():
        unknown = ", ".join(items["item"][part.isna()])
        notes.append(f"Counted with the tools, since no word tells what it is: {unknown}.")
    sums = {name: float(items.loc[items["part"] == name, "per_month"].sum()) for name in PARTS}
    managers = 0.0 if sums["management"] else min(_managers_pay(reps, as_of), sums["people"])
    if managers:
        sums["people"], sums["management"] = sums["people"] - managers, managers
        notes.append("The managers' pay is taken out of the people's pay, by what they cost a year in the table reps.")
    people, tools, management = (sums[name] for name in PARTS)
    return CostBase(people, tools, management, "costs", len(there), start, end, items, " ".join(notes))


def _from_reps(reps: pd.DataFrame, as_of: pd.Timestamp) -> CostBase:
    people = _there(reps, as_of)
    people = people[people["role"].isin(CS_ROLES)] if len(people) else people
    known = people["annual_cost"].notna() if len(people) else pd.Series(dtype=bool)
    if not known.any():
        raise ContractError(
            "nothing says what customer success costs: there is no table costs (month, item, amount), and no yearly "
            "cost of CSMs in the table reps (role, annual_cost). Load one of them, or give cost_per_month, for example "
            "85000."
        )
    notes = ["The cost is the yearly cost of the CSMs there now, a twelfth a month; tools are not known and not in it."]
    mean = float(people.loc[known, "annual_cost"].mean())
    if not known.all():
        unknown = int((~known).sum())
        notes.append(f"{unknown} of {len(people)} CSMs without a recorded cost count with the mean of the rest.")
    pay, lead = mean * len(people) / 12, _managers_pay(reps, as_of)
    items = pd.DataFrame({"item": ["csm", "manager"], "part": ["people", "management"], "per_month": [pay, lead]})
    return CostBase(pay, 0.0, lead, "reps", items=items[items["per_month"] > 0], note=" ".join(notes))


def _there(reps: pd.DataFrame | None, as_of: pd.Timestamp) -> pd.DataFrame:
    """People at work on the eve of ``as_of``; none where the table does not say what they are and cost."""
    columns = ["rep_id", "role", "manager_id", "annual_cost"]
    if reps is None or "role" not in reps or "annual_cost" not in reps:
        return pd.DataFrame(columns=columns)
    here = pd.Series(True, reps.index)
    if "hired_on" in reps:
        here &= reps["hired_on"].isna() | (reps["hired_on"] < as_of)
    if "left_on" in reps:  # the last day in the job
        here &= reps["left_on"].isna() | (reps["left_on"] >= as_of - pd.Timedelta(days=1))
    found = reps[here].reindex(columns=columns)
    return found.assign(annual_cost=found["annual_cost"].astype(float))


def _managers_pay(reps: pd.DataFrame | None, as_of: pd.Timestamp) -> float:
    """What the managers to whom CSMs report directly cost a month."""
    people = _there(reps, as_of)
    led = people.loc[people["role"].isin(CS_ROLES), "manager_id"].dropna()
    return float(people.loc[(people["role"] == "manager") & people["rep_id"].isin(led), "annual_cost"].sum()) / 12


def _part(item: object) -> str | None:
    words = str(item).lower().replace("_", " ")
    return next((part for part, pattern in _WORDS.items() if re.search(pattern, words)), None)


def _plain(name: object) -> str:
    return re.sub(r"[\s_-]+", " ", str(name).strip().lower())
