"""One entry per metric: the only place where the meaning of a number is written.

    import cs_helpers as cs
    cs.definitions["grr"].formula

Reports, tooltips, the glossary, the command ``cs-helpers metrics`` and the tests read these entries.
``Estimate`` and ``Change`` are the form in which a number travels: never without what it was divided by.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from cs_helpers.errors import ContractError, ParameterError, did_you_mean

VERSION = "2026.2"
"""Changes whenever the meaning of any entry changes, so that two reports can be compared or told apart."""


@dataclass(frozen=True)
class Metric:
    """The meaning of one number.

    ``unit`` is fraction, money per month, months, ratio or accounts; ``direction`` says which way is better.
    """

    key: str
    name: str
    formula: str
    population: str
    unit: str
    direction: str
    missing: str
    gaming: str
    counter_metric: str
    source: str
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True)
class Estimate:
    """A number with all that is needed to judge it.

    ``low`` and ``high`` are a 95 % interval, or None for a plain sum. ``value`` is None where the number
    does not deserve to be printed; ``reason`` then says why.
    """

    key: str
    value: float | None
    numerator: float | None
    denominator: float | None
    n: int
    low: float | None = None
    high: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Change:
    """How an estimate moved: ``verdict`` is rise, fall, no clear change, no change, too few, or no comparison.

    ``difference`` is now minus before, ``low`` and ``high`` its 95 % interval; None for plain sums.
    """

    verdict: str
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Comparison:
    """One headline number: now, before, whether it moved, and how it ran up to here.

    ``now_window`` and ``before_window`` say in words what the two estimates cover; ``trend`` ends with now
    and holds NaN where a month has no value.
    """

    now: Estimate
    before: Estimate
    change: Change
    now_window: str
    before_window: str
    trend: tuple[float, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """Stands where a result would: the number does not deserve to be printed, and why."""

    reason: str


def attempt(analysis: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """The result of an analysis, or a Refusal with the reason where the data do not allow one (ContractError).

    For reports: one section without a result must not take the others with it. What is refused is not analysed
    further: a Refusal among the arguments is the result.
    """
    refused = next((each for each in (*arguments, *options.values()) if isinstance(each, Refusal)), None)
    if refused is not None:
        return refused
    try:
        return analysis(*arguments, **options)
    except ContractError as error:
        return Refusal(str(error))


_OPENING = "Accounts with MRR > 0 as the window opens. Accounts won later do not count."
_OWN = "This project's choice among rival definitions; see docs/opinions.md."

_ENTRIES = (
    Metric(
        key="mrr",
        name="Monthly recurring revenue (MRR)",
        formula="Sum of the monthly price of all paid periods that run at one instant.",
        population="Accounts with at least one paid period (MRR > 0). Trials and free plans have no MRR.",
        unit="money per month",
        direction="higher is better",
        missing="An account without a paid period at that instant has MRR 0.",
        gaming="Booking one-off fees as recurring.",
        counter_metric="grr",
        source=_OWN,
        rivals=("Contracted MRR, which counts signed contracts before they start",),
    ),
    Metric(
        key="mrr_movements",
        name="MRR movements",
        formula=(
            "starting + new + expansion + reactivation - contraction - churn = ending, exactly, in cents. Each price "
            "change of an account counts on its day, so a rise and a fall in one month are both shown."
        ),
        population="Every account that paid at any moment of the window.",
        unit="money per month",
        direction="neither",
        missing="A month in which nothing was loaded is an error, never a movement.",
        gaming="Calling a returning account new.",
        counter_metric="logo_retention",
        source=_OWN,
        rivals=(
            "Reactivation only within 90 days, afterwards new",
            "An account that arrives and leaves within one month is ignored",
        ),
    ),
    Metric(
        key="grr",
        name="Gross revenue retention (GRR)",
        formula="sum(min(MRR_end, MRR_start)) / sum(MRR_start), point to point; at most 100 % and at most NRR.",
        population=_OPENING,
        unit="fraction",
        direction="higher is better",
        missing="An opening account without MRR at the end has churned and counts as 0.",
        gaming="Renewing at any price; hiding contraction as a new product.",
        counter_metric="nrr",
        source=_OWN,
        rivals=(
            "1 - (churn + contraction of the opening cohort) / MRR_start, which never forgives a return",
            "1 - (churn + contraction of all accounts) / MRR_start, which counts losses of accounts won later",
            "Gross renewal rate: renewed / due, which leaves out whoever was not due",
        ),
    ),
    Metric(
        key="nrr",
        name="Net revenue retention (NRR)",
        formula="sum(MRR_end) / sum(MRR_start), point to point.",
        population=_OPENING + " Accounts that left and came back count with what they pay at the end.",
        unit="fraction",
        direction="higher is better",
        missing="An opening account without MRR at the end has churned and counts as 0.",
        gaming="One large expansion hides many departures.",
        counter_metric="grr",
        source=_OWN,
        rivals=(
            "Movements of the opening cohort without reactivation",
            "Net renewal rate on the due base",
        ),
    ),
    Metric(
        key="logo_retention",
        name="Logo retention",
        formula="Opening accounts that pay at the end / opening accounts = 1 - logo churn.",
        population=_OPENING,
        unit="fraction",
        direction="higher is better",
        missing="An opening account without MRR at the end has churned.",
        gaming="Keeping accounts on a token price.",
        counter_metric="grr",
        source="Interval: Wilson 1927.",
        rivals=("1 - churn events / opening accounts", "accounts at end / accounts at start, new ones included"),
    ),
    Metric(
        key="logo_churn",
        name="Logo churn",
        formula="Opening accounts that do not pay at the end / opening accounts.",
        population=_OPENING,
        unit="fraction",
        direction="lower is better",
        missing="An opening account without MRR at the end has churned.",
        gaming="Keeping accounts on a token price.",
        counter_metric="grr",
        source="Interval: Wilson 1927.",
        rivals=(
            "By event: churn events of opening accounts / opening accounts; a return does not undo it",
            "(start - end) / start, where new accounts hide churn",
        ),
    ),
    Metric(
        key="renewal_rate_revenue",
        name="Renewal rate (revenue)",
        formula="Renewed MRR, at most the target / MRR due for renewal in the window.",
        population="Renewals due in the window and decided. Open renewals are shown apart, neither lost nor won.",
        unit="fraction",
        direction="higher is better",
        missing="A renewal without a renewed amount and without an outcome is open.",
        gaming="Moving due dates into the next window.",
        counter_metric="grr",
        source=_OWN,
        rivals=("GRR on the whole base, due or not",),
    ),
    Metric(
        key="renewal_rate_logo",
        name="Renewal rate (logo)",
        formula="Renewals with any renewed MRR / renewals due in the window.",
        population="Renewals due in the window and decided. Open renewals are shown apart, neither lost nor won.",
        unit="fraction",
        direction="higher is better",
        missing="A renewal without a renewed amount and without an outcome is open.",
        gaming="Moving due dates into the next window.",
        counter_metric="logo_retention",
        source="Interval: Wilson 1927.",
    ),
    Metric(
        key="quick_ratio",
        name="Quick ratio",
        formula="(new + expansion + reactivation) / (contraction + churn) of the window's MRR movements.",
        population="Every account that paid at any moment of the window.",
        unit="ratio",
        direction="higher is better",
        missing="Without contraction or churn there is no ratio.",
        gaming="Growth by new accounts hides a leaking base.",
        counter_metric="grr",
        source=_OWN,
        rivals=("Without reactivation",),
    ),
    Metric(
        key="cohort_retention",
        name="Cohort retention",
        formula=(
            "Accounts (or MRR) of a start cohort that still pay k months after their own start / all accounts (or "
            "first MRR) of the cohort."
        ),
        population="Accounts whose first paid day lies in the observed window; earlier ones are survivors only.",
        unit="fraction",
        direction="higher is better",
        missing="Empty, not 0, where the youngest account of the cohort has not reached that age.",
        gaming="Comparing a young cohort's early months with an old cohort's late ones.",
        counter_metric="survival",
        source=_OWN,
    ),
    Metric(
        key="survival",
        name="Share of accounts still paying after t months",
        formula="Kaplan-Meier: product over ages up to t of (1 - accounts that left at that age / accounts at risk).",
        population=(
            "Unbroken paid spells; a return starts a new spell. A spell that began before the data did is at risk "
            "only from the age it had then (left truncation)."
        ),
        unit="fraction",
        direction="higher is better",
        missing="Spells that still run are at risk up to their present age and then leave the count unfinished.",
        gaming="Leaving deleted accounts out of the export.",
        counter_metric="logo_retention",
        source="Kaplan & Meier 1958; interval: Greenwood 1926, log-log scale.",
    ),
    Metric(
        key="churn_date",
        name="Churn date",
        formula="The first day not paid for.",
        population="Accounts without any other paid period on that day. The notice date is kept apart.",
        unit="date",
        direction="neither",
        missing="No end date means that the subscription still runs.",
        gaming="Late booking of cancellations.",
        counter_metric="grr",
        source=_OWN,
        rivals=("Date of the cancellation notice", "End of dunning"),
    ),
    Metric(
        key="rows_used",
        name="Rows that count",
        formula="Rows that enter the figures / rows read, over all tables.",
        population="Every row of every table of the contract that the source has.",
        unit="fraction",
        direction="higher is better",
        missing="Without any readable table there is no share.",
        gaming="Taking bad rows out of the export before anybody can see them.",
        counter_metric="accounts_with_subscription",
        source=_OWN,
    ),
    Metric(
        key="tables_present",
        name="Tables that are there",
        formula="Tables of the contract that the source has / the fourteen tables of the contract.",
        population="The fourteen tables of data/README.md; accounts and subscriptions are needed, the others optional.",
        unit="fraction",
        direction="higher is better",
        missing="An absent table leaves its sections empty, nothing else.",
        gaming="Delivering a table without rows or without its useful columns.",
        counter_metric="months_with_rows",
        source=_OWN,
    ),
    Metric(
        key="accounts_with_subscription",
        name="Accounts with a subscription",
        formula="Accounts that have at least one subscription / accounts.",
        population="Accounts known at the as-of date.",
        unit="fraction",
        direction="higher is better",
        missing="An account without a subscription never paid, or its subscriptions were not exported.",
        gaming="Leaving accounts that left out of the export.",
        counter_metric="rows_used",
        source=_OWN,
    ),
    Metric(
        key="months_with_rows",
        name="Months with rows",
        formula="Cells with at least one row / cells, over dated tables and observed months.",
        population="Tables with a date, in the observed window; subscriptions and assignments count while they run.",
        unit="fraction",
        direction="higher is better",
        missing="A month without rows may be a month in which nothing happened, or one that was not loaded.",
        gaming="Filling a month with a single row.",
        counter_metric="rows_used",
        source=_OWN,
    ),
)

METRICS = {entry.key: entry for entry in _ENTRIES}


def metric(key: str) -> Metric:
    """The entry of one metric. Raises ParameterError with the nearest known key."""
    if key not in METRICS:
        raise ParameterError(f"no metric '{key}'.{did_you_mean(key, list(METRICS))} Known: {', '.join(METRICS)}.")
    return METRICS[key]


class _Definitions(ModuleType):
    """This module, readable like a dictionary: ``cs.definitions["grr"]``."""

    def __getitem__(self, key: str) -> Metric:
        return metric(key)

    def __iter__(self) -> Iterator[str]:
        return iter(METRICS)

    def __len__(self) -> int:
        return len(METRICS)


sys.modules[__name__].__class__ = _Definitions
