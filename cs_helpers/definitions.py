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
from cs_helpers.results import Result

VERSION = "2026.3"
"""Changes whenever the meaning of any entry changes, so that two reports can be compared or told apart."""


@dataclass(frozen=True, repr=False)
class Metric(Result):
    """The meaning of one number.

    ``unit`` is fraction, points (of a hundred), money, money per month, months, ratio, date or accounts; ``direction``
    says which way is better.
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


@dataclass(frozen=True, repr=False)
class Estimate(Result):
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
class Target:
    """What a number was meant to reach, in the metric's own unit and direction.

    ``verdict`` is met or missed where the whole interval lies on one side, otherwise no clear verdict; a plain sum is
    compared as it is. ``period`` is the goal's own period in words, ``owner`` the department that answers for it.
    """

    value: float
    verdict: str
    period: str
    owner: str


@dataclass(frozen=True, repr=False)
class Comparison(Result):
    """One headline number: now, before, whether it moved, its target, and how it ran up to here.

    ``now_window`` and ``before_window`` say in words what the two estimates cover; ``trend`` ends with now
    and holds NaN where a month has no value. ``target`` is None where no goal was set.
    """

    now: Estimate
    before: Estimate
    change: Change
    now_window: str
    before_window: str
    trend: tuple[float, ...] = ()
    target: Target | None = None


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
        key="repeat_purchase_rate",
        name="Repeat purchase rate",
        formula="Customers with at least two purchases in the window / customers with at least one.",
        population=(
            "Accounts that bought in the window. A purchase is a month in which the account started, came back or "
            "bought more, or a renewal it agreed to."
        ),
        unit="fraction",
        direction="higher is better",
        missing="An account without a purchase in the window does not count.",
        gaming="Splitting one order into several.",
        counter_metric="nrr",
        source="Interval: Wilson 1927.",
        rivals=("Second purchase ever, without a window, which only rises as a company grows older",),
    ),
    Metric(
        key="revenue_survival",
        name="Share of MRR still paying after t months",
        formula="Kaplan-Meier with each spell weighted by its MRR on entry.",
        population="As for the share of accounts; what an account pays later does not change its weight.",
        unit="fraction",
        direction="higher is better",
        missing="Spells that still run are at risk up to their present age and then leave the count unfinished.",
        gaming="One large account carries the curve: the share of the five largest stands beside it.",
        counter_metric="survival",
        source="Kaplan & Meier 1958; interval: Wilson on the effective number from a bootstrap over accounts.",
    ),
    Metric(
        key="cumulative_incidence",
        name="Share of accounts gone for a reason after t months",
        formula=(
            "Aalen-Johansen: sum over ages up to t of (share still there just before) x (left for that reason at that "
            "age / at risk). The reasons and the share still there add up to 100 %."
        ),
        population="Paid spells, late entry as for survival; the reason is the stated one, else the recorded one.",
        unit="fraction",
        direction="lower is better",
        missing="A departure without a known reason counts under unknown.",
        gaming="Recording the reason that hurts least.",
        counter_metric="survival",
        source="Aalen & Johansen 1978.",
        rivals=("1 - Kaplan-Meier per reason, which overstates because it lets the same account leave several times",),
    ),
    Metric(
        key="anniversary_churn",
        name="Churn at the contract anniversary",
        formula="Spells that end within a month of their contract's k-th due date / spells paid up to that date.",
        population="Spells on terms of two months or more whose decision has been seen; open ones are counted apart.",
        unit="fraction",
        direction="lower is better",
        missing="A spell without a recorded term counts nowhere in it.",
        gaming="Extending a contract by a few weeks past its due date.",
        counter_metric="renewal_rate_logo",
        source="Discrete-time hazard; interval: Wilson 1927.",
        rivals=("Monthly churn x 12, which spreads a yearly decision over months in which nobody can decide",),
    ),
    Metric(
        key="expected_lifetime",
        name="Expected lifetime inside a horizon",
        formula="Area under the fitted survival curve from 0 to the horizon, in months.",
        population="A new account that behaves like the paid spells seen so far.",
        unit="months",
        direction="higher is better",
        missing="Not given with fewer than 50 spells, 20 endings or 18 months of data.",
        gaming="Choosing a long horizon: the part beyond the oldest age seen is projection.",
        counter_metric="survival",
        source="Shifted-beta-geometric model: Fader & Hardie 2007.",
        rivals=("1 / churn rate, which has no horizon and understates when the risky leave first",),
    ),
    Metric(
        key="clv",
        name="Customer lifetime value (CLV)",
        formula="Sum over months t of the horizon of survival(t) x MRR x gross margin / (1 + discount)^(t/12).",
        population="A new account at today's mean MRR of its group, with fitted survival.",
        unit="money",
        direction="higher is better",
        missing="Not given without a gross margin or where survival cannot be fitted.",
        gaming="A long horizon, no discount, revenue instead of margin.",
        counter_metric="grr",
        source="Contractual CLV: Fader & Hardie 2010. Survival: Fader & Hardie 2007.",
        rivals=("ARPA x margin / churn rate",),
    ),
    Metric(
        key="churn_reason",
        name="Reason for leaving",
        formula="MRR lost for a reason / MRR lost for any known reason.",
        population="Departures of the window. Stated in the exit survey where answered, else as recorded.",
        unit="fraction",
        direction="neither",
        missing="Unknown, shown as its own share; it may hide other reasons.",
        gaming="Recording price for everything.",
        counter_metric="cumulative_incidence",
        source="Interval: Wilson on the effective number of departures.",
    ),
    Metric(
        key="churn_risk",
        name="Risk of leaving",
        formula=(
            "Probability that an account's paid time ends in the outcome window, from a discrete-time logistic model "
            "of what was known before a lead time."
        ),
        population="Accounts paying today that have not given notice.",
        unit="fraction",
        direction="lower is better",
        missing="Not given where events are too few or no feature is allowed.",
        gaming="Features that exist only because the account left; such columns raise the leak alarm and stay out.",
        counter_metric="lift",
        source="Validated out of time. Highest risk is not most savable: Ascarza 2018.",
    ),
    Metric(
        key="lift",
        name="Lift of the call list",
        formula="Share of leavers among the accounts with the highest risk / share of leavers among all.",
        population="Accounts of the last period whose outcome is known, as many as can be called; ties count by parts.",
        unit="ratio",
        direction="higher is better",
        missing="Not given with fewer than ten leavers in that period.",
        gaming="Breaking ties with knowledge of the outcome.",
        counter_metric="churn_risk",
        source="Pure noise scores 1.0.",
    ),
    Metric(
        key="mrr_at_risk",
        name="MRR at risk",
        formula="Sum over paying accounts of risk of leaving x MRR.",
        population="Accounts paying today that have not given notice.",
        unit="money per month",
        direction="lower is better",
        missing="Not given where the risk model is refused.",
        gaming="Counting the whole MRR of every account above a threshold.",
        counter_metric="churn_risk",
        source=_OWN,
        rivals=("Whole MRR of all accounts flagged red",),
    ),
    Metric(
        key="renewal_outlook",
        name="Renewal outlook",
        formula="Decided renewals as decided + revenue renewal rate of the last twelve months x MRR still open.",
        population="Renewals due in the quarter: recorded ones, then contract anniversaries nobody has recorded yet.",
        unit="money per month",
        direction="higher is better",
        missing="Contracts without a recorded term are not due.",
        gaming="Moving due dates; forecasting by gut and scoring nobody.",
        counter_metric="renewal_rate_revenue",
        source=_OWN,
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
    *(
        Metric(
            key=f"break_even_{months}",
            name=f"Break-even retention over {months} months",
            formula=(
                f"The points of retention of the exposed MRR after {months} months at which gross margin kept = cost "
                "of customer success saved without it, both discounted. No effect is assumed or measured in it."
            ),
            population="MRR of the accounts that somebody in customer success looks after today (exposed MRR).",
            unit="points",
            direction="lower is better",
            missing="Not given where nobody is covered, no cost is known, or no rise of churn could pay the cost.",
            gaming="Leaving managers, tools or travel out of the cost; calling the whole book exposed.",
            counter_metric="vanish_effect",
            source="Net present value solved for the hazard ratio; contracts cannot end before they come due.",
            rivals=(
                "Points of the whole company's MRR, shown beside it",
                "Cost / ARR, which forgets the margin and that churn builds up over time",
            ),
        )
        for months in (12, 24, 36)
    ),
    Metric(
        key="break_even_risk",
        name="Break-even hazard ratio",
        formula="Hazard of leaving without customer success / hazard with it, at which net value is zero.",
        population="As for break-even retention.",
        unit="ratio",
        direction="lower is better",
        missing="Not given where even a thousandfold risk would not pay the cost.",
        gaming="As for break-even retention.",
        counter_metric="vanish_effect",
        source=_OWN,
    ),
    Metric(
        key="exposed_mrr",
        name="Exposed MRR",
        formula="MRR of the paying accounts to which somebody in customer success is assigned today.",
        population="Accounts paying at the as-of date with an assignment that runs and a person who is still there.",
        unit="money per month",
        direction="neither",
        missing="Without assignments nobody is exposed, and there is no break-even.",
        gaming="Assigning everybody on paper.",
        counter_metric="success_cost",
        source=_OWN,
        rivals=("The whole book, which dilutes the points that are needed",),
    ),
    Metric(
        key="success_cost",
        name="Cost of customer success a year",
        formula="Twelve times the mean month of pay, benefits, travel, training, tools and management.",
        population="Costs of the function customer success over the last complete months, fully loaded.",
        unit="money",
        direction="lower is better",
        missing="Without costs, yearly costs of the people still there; without either it has to be given.",
        gaming="Booking managers and tools elsewhere.",
        counter_metric="exposed_mrr",
        source=_OWN,
        rivals=("Salaries alone",),
    ),
    Metric(
        key="vanish_effect",
        name="Measured effect of customer success",
        formula=(
            "100 x (share still paying after the horizon with coverage as it was - the same with no coverage from "
            "month 0 on and nothing in its place)."
        ),
        population=(
            "Accounts from their first month in the data, those that could be watched for the whole horizon. "
            "Withdrawing assigned people is meant: the uncovered still lived in a company that had customer success."
        ),
        unit="points",
        direction="higher is better",
        missing="Refused where a gate does not hold; the reason stands in its place, and no other number takes it.",
        gaming="Choosing the horizon or the comparison after seeing the result.",
        counter_metric="e_value",
        source=(
            "Target trial emulation and g-formula: Hernan & Robins, What If. Check: longitudinal TMLE, Bang & Robins "
            "2005, van der Laan & Gruber 2012. Interval: bootstrap over accounts."
        ),
        rivals=(
            "Ever covered against never covered, which counts surviving long enough to be given somebody as an effect",
            "Covered months against uncovered months, which measures to whom people were sent",
        ),
    ),
    Metric(
        key="e_value",
        name="E-value",
        formula="RR + sqrt(RR x (RR - 1)), of the risk ratio or of the end of its interval nearest 1.",
        population="As for the measured effect.",
        unit="ratio",
        direction="higher is better",
        missing="1 where the interval holds no effect.",
        gaming="Quoting it without the strongest measured attribute beside it as a yardstick.",
        counter_metric="vanish_effect",
        source="VanderWeele & Ding 2017.",
    ),
    Metric(
        key="lost_mrr_months",
        name="MRR-months that would be lost",
        formula=(
            "Sum over months of MRR x (still paying with - without customer success), plus the growth that survivors "
            "would not have. Higher churn and shorter lifetimes are the same loss and count once."
        ),
        population="Exposed MRR; a contract can be lost only when it comes due.",
        unit="money",
        direction="lower is better",
        missing="Not given without a measured effect or a scenario.",
        gaming="Adding lost lifetimes to lost churn.",
        counter_metric="break_even_24",
        source=_OWN,
    ),
    Metric(
        key="success_roi",
        name="Return on customer success (ROI)",
        formula=(
            "(gross margin of what would be lost - cost saved) / cost saved inside a stated horizon, months discounted "
            "by (1 + r)^(-(t + 0.5) / 12). Cost saved: people less the work others take over, tools and management, "
            "less severance, after the notice."
        ),
        population="Exposed MRR. Nothing after the horizon counts; a figure with a tail says so.",
        unit="fraction",
        direction="higher is better",
        missing="Not given without a measured effect or the reader's own range; nor where nothing is saved.",
        gaming="A long tail, revenue instead of margin, salaries instead of full cost.",
        counter_metric="break_even_24",
        source="Scenario range: 20,000 draws of all inputs. It is no confidence interval.",
        rivals=("Revenue of covered accounts / cost", "Expansion booked by customer success / cost"),
    ),
    Metric(
        key="worth_of_a_point",
        name="What one point of retention is worth",
        formula="Gross margin kept inside the horizon if one in a hundred of the MRR lost a year stayed, discounted.",
        population="Exposed MRR, from its next due date on.",
        unit="money",
        direction="higher is better",
        missing="Not given without margin or where nothing comes due.",
        gaming="Quoting it as if anybody knew how to gain the point.",
        counter_metric="break_even_24",
        source=_OWN,
        rivals=("One point of ARR, which forgets margin, due dates and discount",),
    ),
    Metric(
        key="bad_word_of_mouth",
        name="Tellings by unhappy accounts",
        formula="Unhappy accounts x share that tells x number of people told, at the least.",
        population="Accounts that would leave without customer success.",
        unit="accounts",
        direction="lower is better",
        missing="No money without the chance that a hearer is a lost sale, which nobody publishes.",
        gaming="Counting every hearer as a lost sale.",
        counter_metric="success_roi",
        source="13 % of the unhappy tell 15 or more, 1 in 26 complains: figures in circulation, marked as benchmark.",
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


def short_name(key: str) -> str:
    """``GRR`` for a metric whose name ends in its abbreviation, else the whole name."""
    name = metric(key).name
    return name[name.rindex("(") + 1 : -1] if name.endswith(")") and name[name.rindex("(") :].isupper() else name


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
