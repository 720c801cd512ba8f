"""What is said about a team as a whole: who was told apart, who moved on, how fast newcomers come up."""

from __future__ import annotations

from cs_helpers.definitions.forms import OWN, Metric

_APART = (
    "Reps whose figure on the measure named beside it differs from the centre by more than the mix of cases, the "
    "number of cases and all other comparisons made explain (Benjamini-Hochberg at 5 % over reps and measures) / reps "
    "with a figure on it."
)
_COMPARED = (
    "with at least 30 cases, 10 accounts and, of a share, 10 expected events and non-events. All others count in the "
    "centre only."
)

_SOURCE = "Spiegelhalter 2005 for the limits, Benjamini & Hochberg 1995 for the comparisons; see docs/opinions.md."

COMPARING: tuple[Metric, ...] = (
    Metric(
        key="support_reps_apart",
        name="Support reps told apart",
        formula=_APART,
        population=f"Support reps {_COMPARED}",
        unit="reps",
        direction="neither",
        missing="A rep with too few cases is not compared; a measure without its columns is refused by name.",
        gaming="Adding measures until somebody stands out; ranking what was not told apart.",
        counter_metric="csat",
        source=_SOURCE,
        rivals=(
            "Beyond two standard deviations of the raw averages, which finds somebody in most teams of equals",
            "The best and the worst of a league table, which exist in every team",
        ),
    ),
    Metric(
        key="csms_apart",
        name="CSMs told apart",
        formula=_APART,
        population=f"CSMs {_COMPARED}",
        unit="reps",
        direction="neither",
        missing="A CSM with too few cases is not compared; a measure without its columns is refused by name.",
        gaming="Adding measures until somebody stands out; ranking what was not told apart.",
        counter_metric="nps",
        source=_SOURCE,
        rivals=("The renewal rate of one year: forty accounts never tell two CSMs apart",),
    ),
    Metric(
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
        source=OWN,
        rivals=(
            "Weeks until the manager signs off",
            "First week at the team's average, which noise reaches early",
        ),
    ),
    Metric(
        key="internal_moves_rate",
        name="Internal moves",
        formula="Reps who left for another department / rep-years employed in the window.",
        population="Reps of one role, from the day they were hired to the day they left.",
        unit="per rep-year",
        direction="higher is better",
        missing="Who left without a department to go to left the company. Without a hire date: there from the start.",
        gaming="Booking departures as moves.",
        counter_metric="agent_satisfaction",
        source=OWN,
        rivals=("Moves / all who left, which rises when fewer leave",),
    ),
)
