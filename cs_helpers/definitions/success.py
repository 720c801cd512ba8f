"""What CSMs do and what becomes of their books, as it is compared between them."""

from __future__ import annotations

from cs_helpers.definitions.forms import OWN, Metric

_HAD = (
    "It is the CSM's who had the account on at least half of the 90 days before (or since it began to pay); what "
    "nobody had for so long is nobody's."
)
_UNASSIGNED = "Without assignments it cannot be told whose account it was, and nothing is compared."

SUCCESS: tuple[Metric, ...] = (
    Metric(
        key="nps",
        name="Net Promoter Score (NPS)",
        formula="Share of answers 9 and 10 - share of answers 0 to 6, as a number from -100 to 100.",
        population=f"Answers to NPS surveys in the month in which they came. {_HAD} The day is that of the question.",
        unit="points",
        direction="higher is better",
        missing="An invitation without an answer is no answer, neither good nor bad: look at the response rate.",
        gaming="Asking only who is content, or at a good moment.",
        counter_metric="book_renewal_rate",
        source="Interval: adjusted Wald, Rocks 2016.",
        rivals=("Mean of the answers", "One answer per account, weighted by MRR"),
    ),
    Metric(
        key="touches_per_working_day",
        name="Touches per working day",
        formula="Touches done / Mondays to Fridays on which the CSM was employed.",
        population="CSMs, by who did the touch. Holidays, leave and part time are not taken off.",
        unit="per day",
        direction="neither",
        missing="A month without a touch counts as 0; months outside the recorded touches do not count.",
        gaming="Splitting one contact into several; writing down what did not help anybody.",
        counter_metric="book_renewal_rate",
        source=OWN,
        rivals=("Touches per account", "Touches per hour worked"),
    ),
    Metric(
        key="touch_hours_per_account",
        name="Hours per account and month",
        formula="Hours of all touches of the book's accounts / months in which those accounts paid.",
        population=(
            "Months in which an account paid, by who had it on at least half of the 30 days up to the month's end, "
            "also where another did the touch."
        ),
        unit="hours per month",
        direction="neither",
        missing="A month without a touch counts as 0; a month with a touch of unknown length does not count.",
        gaming="Booking hours on whoever does not need them.",
        counter_metric="book_renewal_rate",
        source=OWN,
        rivals=("Hours per CSM, which follows the size of the book",),
    ),
    Metric(
        key="book_renewal_rate",
        name="Renewal rate of the book",
        formula="Renewals at any price / renewals due and decided. Those still open are counted apart.",
        population=f"Renewals due in the window, recorded or by contract term. {_HAD}",
        unit="fraction",
        direction="higher is better",
        missing=f"{_UNASSIGNED} A CSM's own renewals in a year are almost always too few to tell anything.",
        gaming="Renewing at any price; handing over who is about to leave.",
        counter_metric="book_grr",
        source=OWN,
        rivals=("Attributed to who has the account today, which gives the departed's losses to their successors",),
    ),
    Metric(
        key="book_grr",
        name="GRR of the book",
        formula=(
            "(sum(min(MRR_end, MRR_start)) / sum(MRR_start) over months)^12: months at the book's monthly rate, "
            "twelve in a row, as a figure per year."
        ),
        population=f"Months of accounts that paid as the month began. {_HAD} The day is the first of the month.",
        unit="fraction",
        direction="higher is better",
        missing=f"{_UNASSIGNED} An account that paid and has no MRR at the month's end counts as 0.",
        gaming="Renewing at any price; handing over who is about to leave.",
        counter_metric="book_nrr",
        source=OWN,
        rivals=("GRR of a year point to point, which gives a year to whoever had the account at one moment of it",),
    ),
    Metric(
        key="book_nrr",
        name="NRR of the book",
        formula=(
            "(sum(MRR_end) / sum(MRR_start) over months)^12: months at the book's monthly rate, twelve in a row, as a "
            "figure per year."
        ),
        population=(
            f"Months of accounts that paid as the month began; accounts won or back in the month do not count. {_HAD} "
            "The day is the first of the month."
        ),
        unit="fraction",
        direction="higher is better",
        missing=f"{_UNASSIGNED} An account that paid and has no MRR at the month's end counts as 0.",
        gaming="One large expansion that hides many losses.",
        counter_metric="book_grr",
        source=OWN,
        rivals=("NRR of a year point to point, which gives a year to whoever had the account at one moment of it",),
    ),
    Metric(
        key="usage_change",
        name="Change of use",
        formula=(
            "(now - before) / the larger of the two, from -1 to 1, in days with use: the last 90 of a quarter against "
            "the 90 before it. It leads renewals by months; a health score is not yet part of the data, so use stands "
            "for it."
        ),
        population=(
            "Accounts that paid through the 90 days before the quarter, those that left in it included. Not those "
            f"without use in both. {_HAD} The day is the quarter's end, or the first no longer paid for."
        ),
        unit="fraction",
        direction="higher is better",
        missing="A window that begins before use was recorded has no value; an account without use has 0 days.",
        gaming="Logging in for the customer; counting visits that help nobody.",
        counter_metric="book_grr",
        source=OWN,
        rivals=("Percent change, which has no value where use began at 0", "Change of a health score"),
    ),
    Metric(
        key="onboarding_days",
        name="Onboarding time",
        formula="Days from the first paid day to the last onboarding touch within 180 days, both counted.",
        population=(
            "Accounts with an onboarding touch whose first 180 days are over, in the month of their first paid day. It "
            "is the CSM's who had the account on at least half of the days up to that touch."
        ),
        unit="days",
        direction="lower is better",
        missing="An account without an onboarding touch has no onboarding time, neither a short nor a long one.",
        gaming="Stopping early; calling the rest of it check-ins.",
        counter_metric="usage_change",
        source=OWN,
        rivals=("Days to the first value seen by the customer, which few systems record",),
    ),
    Metric(
        key="book_coverage",
        name="Coverage of the book",
        formula="Accounts with a touch in the 90 days before a quarter's end / accounts of the book then.",
        population=f"Accounts that paid through those 90 days and were somebody's. {_HAD}",
        unit="fraction",
        direction="higher is better",
        missing="A quarter outside the recorded touches does not count.",
        gaming="A mass mail booked as a touch of everybody.",
        counter_metric="touch_hours_per_account",
        source=OWN,
        rivals=("Share of accounts with an assigned CSM, whatever that CSM does",),
    ),
)
