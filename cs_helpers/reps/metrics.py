"""Definitions of what is compared between reps: speed and quality of support, work and portfolios of CSMs, teams."""

from __future__ import annotations

from functools import partial

from cs_helpers.core.estimates import OWN, Metric

_own = partial(Metric, source=OWN)
_own_share = partial(_own, unit="fraction", direction="higher is better")
_clearly_different = partial(
    Metric,
    formula=(
        "Reps whose figure on the measure named beside it differs from the centre by more than the mix of cases, the "
        "number of cases and all other comparisons made explain (Benjamini-Hochberg at 5 % over reps and measures) / "
        "reps with a figure on it."
    ),
    unit="reps",
    direction="neither",
    source="Spiegelhalter 2005 for the limits, Benjamini & Hochberg 1995 for the comparisons; see docs/opinions.md.",
)

_RESOLVED = "Tickets resolved in the window, in the month of their resolution; a rep's are those the rep worked on."
_OPENED = "Contacts opened in the window, in the month of their opening."
_JUDGED = (
    "Tickets resolved in the window whose account is known and whose seven days (N, printed) after the resolution "
    "have all been seen."
)
_COMPARED_AS_TIMES = (
    "Reps are compared by geometric means, with the mix of cases taken out; what is reported is the median and the "
    "90th percentile. A time under one minute counts as one minute there."
)
_HAD = (
    "It is the CSM's who had the account on at least half of the 90 days before (or since it began to pay); what "
    "nobody had for so long is nobody's."
)
_UNASSIGNED = "Without assignments it cannot be told whose account it was, and nothing is compared."
_COMPARED = (
    "with at least 30 cases, 10 accounts and, of a share, 10 expected events and non-events. All others count in the "
    "centre only."
)

METRICS: tuple[Metric, ...] = (
    # support
    Metric(
        key="csat",
        name="Customer satisfaction (CSAT)",
        formula="Answers of 4 and 5 / answers, on a scale from 1 to 5.",
        population=_RESOLVED,
        unit="fraction",
        direction="higher is better",
        missing="A ticket without an answer does not count, nor does an answer on a ticket that was never resolved.",
        gaming="Asking only after a success, or asking for a five.",
        counter_metric="csat_response_rate",
        source="Top-2 box, the usual reading of the five-point scale.",
        rivals=("Mean of the scores", "Answers of 5 only", "Answers on unresolved tickets counted, too"),
    ),
    Metric(
        key="ces",
        name="Customer effort score (CES)",
        formula="Answers of 5 to 7 / answers, on a scale from 1 to 7 where 7 is the least effort (CES 2.0).",
        population=_RESOLVED,
        unit="fraction",
        direction="higher is better",
        missing="A ticket without an answer does not count.",
        gaming="As for CSAT.",
        counter_metric="ces_response_rate",
        source="CES 2.0: agreement with 'the company made it easy for me to handle my issue'.",
        rivals=("Mean of the scores, given beside it", "CES 1.0, a scale from 1 to 5 where low is good"),
    ),
    *(
        _own(
            key=f"{key}_response_rate",
            name=f"{name} response rate",
            formula=f"Tickets with {answer} / tickets resolved.",
            population=_RESOLVED,
            unit="fraction",
            direction="higher is better",
            missing=f"Not given where no ticket carries {given}. Who was asked is not known, so nobody is taken out.",
            gaming="Asking whoever is sure to answer.",
            counter_metric=key,
            rivals=(f"{many} / invitations, where those are recorded",),
        )
        for key, name, answer, given, many in (
            ("csat", "CSAT", "a CSAT answer", "an answer", "Answers"),
            ("ces", "CES", "an effort score", "a score", "Scores"),
        )
    ),
    Metric(
        key="agent_satisfaction",
        name="Satisfaction of support reps",
        formula="Answers of 4 and 5 / answers of the reps to their own survey, on a scale from 1 to 5.",
        population="Support reps who answered a survey of kind agent in the window, in the month of the answer.",
        unit="fraction",
        direction="higher is better",
        missing="A rep who did not answer does not count; scores off the scale are left out.",
        gaming="Answers that are not anonymous before the manager.",
        counter_metric="csat",
        source="The CSAT formula on the reps' own survey.",
        rivals=("eNPS: share of 9 and 10 less share of 0 to 6", "Mean of the scores"),
    ),
    _own_share(
        key="fcr",
        name="First-contact resolution (FCR)",
        formula=(
            "Tickets resolved with one contact after which the account opened no other ticket of the same category "
            "within seven days (N, printed) of the resolution / tickets judged."
        ),
        population=_JUDGED,
        missing="An unknown number of contacts counts as one. A ticket that is not judged does not count.",
        gaming="Easily manipulated where reps mark it themselves; here it is recomputed from contacts.",
        counter_metric="repeat_contact_rate",
        rivals=(
            "As the rep recorded it",
            "As the customer says in a survey",
            "Without the days after the resolution, so that a new ticket for the old trouble costs nothing",
        ),
    ),
    _own(
        key="repeat_contact_rate",
        name="Repeat-contact rate",
        formula=(
            "Tickets after which the account opened another one of the same category within seven days (N, printed) of "
            "the resolution, or before it / tickets judged."
        ),
        population=_JUDGED,
        unit="fraction",
        direction="lower is better",
        missing="A ticket without an account, or whose days are not all over, is not judged and does not count.",
        gaming="Giving the second ticket another category; adding to the old ticket instead of opening one.",
        counter_metric="reopen_rate",
        rivals=("Any further ticket of the account, whatever its category", "Within 30 days"),
    ),
    _own(
        key="reopen_rate",
        name="Reopen rate",
        formula="Tickets that came back after they were resolved / tickets resolved that say whether they did.",
        population=_RESOLVED,
        unit="fraction",
        direction="lower is better",
        missing="A ticket that does not say does not count.",
        gaming="Opening a new ticket instead of the old one.",
        counter_metric="repeat_contact_rate",
        rivals=("Reopenings / tickets resolved, which counts one ticket several times",),
    ),
    _own(
        key="escalation_rate",
        name="Escalation rate",
        formula="Tickets that were escalated / tickets resolved that say whether they were.",
        population=_RESOLVED,
        unit="fraction",
        direction="neither",
        missing="A ticket that does not say does not count.",
        gaming="Keeping what should be passed on, or passing on what is tedious: never a target on its own.",
        counter_metric="reopen_rate",
        rivals=("Escalated / opened, which counts tickets that may still be",),
    ),
    _own_share(
        key="resolved_rate",
        name="Resolved rate of answered contacts",
        formula="Contacts resolved by the as-of date / contacts answered.",
        population=_OPENED + " Those that say that they were answered.",
        missing=(
            "A contact that does not say whether it was answered does not count. One that is still open is not "
            "resolved, which makes the last days look worse."
        ),
        gaming="Leaving difficult contacts unanswered; resolving on paper.",
        counter_metric="resolved_rate_all",
        rivals=("On all contacts, given beside it",),
    ),
    _own_share(
        key="resolved_rate_all",
        name="Resolved rate of all contacts",
        formula="Contacts resolved by the as-of date / contacts opened.",
        population=_OPENED,
        missing="One that is still open is not resolved, which makes the last days look worse.",
        gaming="Resolving on paper.",
        counter_metric="reopen_rate",
        rivals=("On answered contacts, which leaves out whoever gave up waiting",),
    ),
    Metric(
        key="service_level",
        name="Service level",
        formula="Answered within T / (answered + abandoned after more than T); T is 20 seconds unless printed.",
        population=_OPENED + " Those whose wait is known; abandoned within T is nobody's failure and left out.",
        unit="fraction",
        direction="higher is better",
        missing="A contact without answer or wait recorded does not count: abandoned ones without a wait flatter it.",
        gaming="Answering the newest first once T is over; letting long waits give up.",
        counter_metric="abandonment_rate",
        source="The call-centre convention; 80 % in 20 seconds is its usual target.",
        rivals=("Answered within T / offered", "Answered within T / answered, which forgets who gave up"),
    ),
    Metric(
        key="asa_seconds",
        name="Average speed of answer (ASA)",
        formula="Mean wait of answered contacts.",
        population=_OPENED + " The answered ones whose wait is known.",
        unit="seconds",
        direction="lower is better",
        missing="A contact that was abandoned, or whose wait is not recorded, does not count.",
        gaming="Abandoned long waits make it look better.",
        counter_metric="abandonment_rate",
        source="The call-centre convention.",
        rivals=("Mean wait of all contacts", "Median wait"),
    ),
    Metric(
        key="abandonment_rate",
        name="Abandonment rate",
        formula="Contacts abandoned / contacts offered.",
        population=_OPENED + " Those that say whether they were answered.",
        unit="fraction",
        direction="lower is better",
        missing="A contact that does not say does not count, such as email.",
        gaming="Leaving out short ones, whose limit is then chosen late; ending the queue with a busy tone.",
        counter_metric="asa_seconds",
        source="The call-centre convention.",
        rivals=("Without those abandoned in the first seconds",),
    ),
    _own(
        key="first_response_hours",
        name="First response time",
        formula=f"Time from opening to the first response by a person. {_COMPARED_AS_TIMES}",
        population=_OPENED + " Those that had a response by the as-of date. The clock runs day and night.",
        unit="hours",
        direction="lower is better",
        missing="A ticket without a response does not count: those that still wait make the last days look better.",
        gaming="Empty first replies.",
        counter_metric="reopen_rate",
        rivals=("In business hours", "Mean, which a few long waits decide"),
    ),
    _own(
        key="resolution_hours",
        name="Time to resolve",
        formula=f"Time from opening to the resolution for good. {_COMPARED_AS_TIMES}",
        population=_RESOLVED + " The clock runs day and night.",
        unit="hours",
        direction="lower is better",
        missing="A ticket that is still open does not count until it is resolved.",
        gaming="Closing early and opening again.",
        counter_metric="reopen_rate",
        rivals=("In business hours", "Mean, which a few long ones decide", "Time to the first resolution"),
    ),
    Metric(
        key="aht_minutes",
        name="Average handling time (AHT)",
        formula=(
            "Minutes of work / tickets handled. Reps are compared by geometric means, with the mix of cases taken out. "
            "Never a target on its own."
        ),
        population=_RESOLVED + " Those with minutes of work recorded.",
        unit="minutes",
        direction="neither",
        missing="No minutes, or zero: the ticket does not count.",
        gaming="Rushing, or work after the clock has stopped: times pile up just below a target.",
        counter_metric="csat",
        source="The call-centre convention.",
        rivals=("Talk time only", "With the time after the call"),
    ),
    _own(
        key="tickets_per_working_day",
        name="Tickets per working day",
        formula="Tickets resolved / Mondays to Fridays on which the rep was employed.",
        population="Months of [hired, left] of reps who resolve tickets, by month of the resolution.",
        unit="tickets per day",
        direction="higher is better",
        missing=(
            "Holidays and leave are not known and not taken off. A month without a ticket counts as 0 between two "
            "with one, else not at all. A rep who is not in reps counts from first to last month with a ticket."
        ),
        gaming="Splitting tickets; taking the easy ones.",
        counter_metric="repeat_contact_rate",
        rivals=("Per day with a closure, which forgets idle days", "Per day present, where leave is recorded"),
    ),
    _own(
        key="tickets_per_hour",
        name="Tickets per hour",
        formula="Tickets resolved / contracted hours of the working days on which the rep was employed.",
        population="As for tickets per working day, reps with known working hours.",
        unit="tickets per hour",
        direction="higher is better",
        missing="A rep without working hours per month does not count. Otherwise as for tickets per working day.",
        gaming="Splitting tickets; taking the easy ones; hours that are not booked.",
        counter_metric="repeat_contact_rate",
        rivals=("Per hour logged in", "Per hour of handling time, which is the inverse of AHT"),
    ),
    # CSMs
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
    _own(
        key="touches_per_working_day",
        name="Touches per working day",
        formula="Touches done / Mondays to Fridays on which the CSM was employed.",
        population="CSMs, by who did the touch. Holidays, leave and part time are not taken off.",
        unit="per day",
        direction="neither",
        missing="A month without a touch counts as 0; months outside the recorded touches do not count.",
        gaming="Splitting one contact into several; writing down what did not help anybody.",
        counter_metric="book_renewal_rate",
        rivals=("Touches per account", "Touches per hour worked"),
    ),
    _own(
        key="touch_hours_per_account",
        name="Hours per account and month",
        formula="Hours of all touches of the portfolio's accounts / months in which those accounts paid.",
        population=(
            "Months in which an account paid, by who had it on at least half of the 30 days up to the month's end, "
            "also where another did the touch."
        ),
        unit="hours per month",
        direction="neither",
        missing="A month without a touch counts as 0; a month with a touch of unknown length does not count.",
        gaming="Booking hours on whoever does not need them.",
        counter_metric="book_renewal_rate",
        rivals=("Hours per CSM, which follows the size of the book",),
    ),
    _own_share(
        key="book_renewal_rate",
        name="Renewal rate of the book",
        formula="Renewals at any price / renewals due and decided. Those still open are counted apart.",
        population=f"Renewals due in the window, recorded or by contract term. {_HAD}",
        missing=f"{_UNASSIGNED} A CSM's own renewals in a year are almost always too few to tell anything.",
        gaming="Renewing at any price; handing over who is about to leave.",
        counter_metric="book_grr",
        rivals=("Attributed to who has the account today, which gives the departed's losses to their successors",),
    ),
    _own_share(
        key="book_grr",
        name="GRR of the book",
        formula=(
            "(sum(min(MRR_end, MRR_start)) / sum(MRR_start) over months)^12: months at the book's monthly rate, "
            "twelve in a row, as a figure per year."
        ),
        population=f"Months of accounts that paid as the month began. {_HAD} The day is the first of the month.",
        missing=f"{_UNASSIGNED} An account that paid and has no MRR at the month's end counts as 0.",
        gaming="Renewing at any price; handing over who is about to leave.",
        counter_metric="book_nrr",
        rivals=("GRR of a year point to point, which gives a year to whoever had the account at one moment of it",),
    ),
    _own_share(
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
        missing=f"{_UNASSIGNED} An account that paid and has no MRR at the month's end counts as 0.",
        gaming="One large expansion that hides many losses.",
        counter_metric="book_grr",
        rivals=("NRR of a year point to point, which gives a year to whoever had the account at one moment of it",),
    ),
    _own_share(
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
        missing="A window that begins before use was recorded has no value; an account without use has 0 days.",
        gaming="Logging in for the customer; counting visits that help nobody.",
        counter_metric="book_grr",
        rivals=("Percent change, which has no value where use began at 0", "Change of a health score"),
    ),
    _own(
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
        rivals=("Days to the first value seen by the customer, which few systems record",),
    ),
    _own_share(
        key="book_coverage",
        name="Coverage of the book",
        formula="Accounts with a touch in the 90 days before a quarter's end / accounts of the book then.",
        population=f"Accounts that paid through those 90 days and were somebody's. {_HAD}",
        missing="A quarter outside the recorded touches does not count.",
        gaming="A mass mail booked as a touch of everybody.",
        counter_metric="touch_hours_per_account",
        rivals=("Share of accounts with an assigned CSM, whatever that CSM does",),
    ),
    # teams
    _clearly_different(
        key="support_reps_apart",
        name="Support reps told apart",
        population=f"Support reps {_COMPARED}",
        missing="A rep with too few cases is not compared; a measure without its columns is refused by name.",
        gaming="Adding measures until somebody stands out; ranking what was not told apart.",
        counter_metric="csat",
        rivals=(
            "Beyond two standard deviations of the raw averages, which finds somebody in most teams of equals",
            "The best and the worst of a league table, which exist in every team",
        ),
    ),
    _clearly_different(
        key="csms_apart",
        name="CSMs told apart",
        population=f"CSMs {_COMPARED}",
        missing="A CSM with too few cases is not compared; a measure without its columns is refused by name.",
        gaming="Adding measures until somebody stands out; ranking what was not told apart.",
        counter_metric="nps",
        rivals=("The renewal rate of one year: forty accounts never tell two CSMs apart",),
    ),
    _own(
        key="time_to_proficiency",
        name="Time to proficiency",
        formula=(
            "First week since hire from which the newcomers' smoothed figure, with the mix of cases taken out, lies "
            "inside the band around that of longer-serving reps: 5 points for shares, 5 % of it for all else."
        ),
        population=(
            "Reps hired inside the data, whose first weeks were therefore seen, against reps of the same role with "
            "more than twelve months of service. With fewer than five newcomers it is not given."
        ),
        unit="weeks",
        direction="lower is better",
        missing="A rep without a hire date was there before the data began. Infinite where the band is not reached.",
        gaming="Giving newcomers easy cases only, which the case mix takes out again.",
        counter_metric="csat",
        rivals=(
            "Weeks until the manager signs off",
            "First week at the team's average, which noise reaches early",
        ),
    ),
    _own(
        key="internal_moves_rate",
        name="Internal moves",
        formula="Reps who left for another department / rep-years employed in the window.",
        population="Reps of one role, from the day they were hired to the day they left.",
        unit="per rep-year",
        direction="higher is better",
        missing="Who left without a department to go to left the company. Without a hire date: there from the start.",
        gaming="Booking departures as moves.",
        counter_metric="agent_satisfaction",
        rivals=("Moves / all who left, which rises when fewer leave",),
    ),
)
