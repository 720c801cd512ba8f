"""What customer success must keep, what it kept, and what that is worth."""

from __future__ import annotations

from cs_helpers.core.estimates import OWN, Metric

METRICS = (
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
        source=OWN,
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
        source=OWN,
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
        source=OWN,
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
        source=OWN,
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
        source=OWN,
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
)
