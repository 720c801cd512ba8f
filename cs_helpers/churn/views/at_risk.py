"""Views of churn risk: the call list with reasons, the risk factors, and the accuracy of the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from cs_helpers.churn import charts
from cs_helpers.churn.calls import CallList
from cs_helpers.churn.risk_model import RiskFactors, RiskModel, RiskValidation
from cs_helpers.core.errors import visible
from cs_helpers.core.periods import day_words
from cs_helpers.core.results import Result, Suppressed
from cs_helpers.report.blocks import Block, refused, table
from cs_helpers.report.chart import Chart
from cs_helpers.report.views import View, view_for
from cs_helpers.report.words import (
    NARROW_SPACE,
    SPAN,
    Headline,
    called,
    capital,
    count,
    listed,
    money,
    money_span,
    percent,
    plain,
    sentence,
    span_words,
)

NOTE_DRIVERS = (
    "Odds of leaving, each with the others held equal: per standard deviation of a number, or for a level against the "
    "usual one. Lines are 95\u202f% intervals; the model shrinks all of them towards no effect."
)
MAX_DRIVERS = 10
NOT_SAVABLE = "Highest risk is not most savable: the list says who is likely to leave, not whom a call would keep."

# Names of the features for readers who do not know the columns.
LABELS = {
    "log_mrr": "MRR (larger)",
    "tenure_months": "Months as a customer",
    "term_months": "Contract term (longer)",
    "months_to_due": "Months until due",
    "due_in_window": "Contract comes due",
    "mrr_change_6m": "MRR change, six months",
    "contracted_6m": "Cut its contract lately",
    "discount_rate": "Discount",
    "usage_28": "Usage, last 28 days",
    "usage_trend": "Usage trend",
    "active_days_28": "Active days, last 28",
    "users_28": "Active users, 28 days",
    "tickets_90": "Tickets, three months",
    "escalated_90": "Escalations, 3 months",
    "csat_90": "CSAT of recent tickets",
    "csat_missing": "No CSAT answer lately",
    "nps_last": "NPS, six months",
    "nps_missing": "No NPS answer lately",
    "touches_90": "Touches, three months",
    "qbr_180": "Account review lately",
    "covered": "Has a CSM",
    "vacant": "CSM seat is vacant",
    "reactivated": "Left once before",
}


def feature_label(feature: str, level: object = "") -> str:
    """A feature, and the level it is about, in words."""
    name = LABELS.get(feature, called(feature).removeprefix("account: ").replace("_", " "))
    text = called(level) if level is not None and level == level else ""
    return f"{capital(name)}: {text}" if text else capital(name)


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 or value == round(value) else f"{value:.1f}"


def _against(text: Callable[[float], str], bare: Callable[[float], str]) -> Callable[[float, float], str]:
    """``text`` of the value, with the usual value, ``bare``, beside it where the two read differently."""

    def words(value: float, usual: float) -> str:
        if not math.isfinite(usual) or bare(value) == bare(usual):
            return text(value)
        return f"{text(value)} (usual: {bare(usual)})"

    return words


def _number_of(one: str, many: str, undo: Callable[[float], float] = float) -> Callable[[float, float], str]:
    def whole(value: float) -> int:
        return round(undo(value))

    return _against(lambda value: count(whole(value), one, many), lambda value: f"{whole(value):,}")


# A reason as a CSM would say it, from the feature's value and the usual one.
_PHRASES: dict[str, Callable[[float, float], str]] = {
    "tenure_months": lambda v, u: f"a customer for {count(round(v), 'month')}",
    "term_months": lambda v, u: "monthly term" if v <= 1 else f"term of {_rounded(v)} months",
    "months_to_due": lambda v, u: (
        f"contract due in {count(round(v), 'month')}" if v > 0 else "free to leave every month"
    ),
    "due_in_window": lambda v, u: "contract comes due" if v else "contract does not come due",
    "mrr_change_6m": lambda v, u: f"MRR {_change(v)} in six months",
    "contracted_6m": lambda v, u: "cut its contract lately" if v else "has not cut its contract",
    "discount_rate": _against(lambda v: f"discount {percent(v, 0)}", lambda v: percent(v, 0)),
    "usage_28": _number_of("use in 28 days", "uses in 28 days", math.expm1),
    "usage_trend": lambda v, u: f"usage {_change(v)} against its own three months",
    "active_days_28": _number_of("active day of 28", "active days of 28"),
    "users_28": _number_of("active user", "active users"),
    "tickets_90": _number_of("ticket in three months", "tickets in three months", math.expm1),
    "escalated_90": _number_of("escalation in three months", "escalations in three months"),
    "csat_90": _against(lambda v: f"CSAT {v:.1f} of 5", lambda v: f"{v:.1f}"),
    "csat_missing": lambda v, u: "no CSAT answer lately" if v else "answers CSAT",
    "nps_last": _against(lambda v: f"NPS answer {_rounded(v)}", _rounded),
    "nps_missing": lambda v, u: "no NPS answer in six months" if v else "answers NPS",
    "touches_90": _number_of("touch in three months", "touches in three months"),
    "qbr_180": lambda v, u: "account review in six months" if v else "no account review in six months",
    "covered": lambda v, u: "has a CSM" if v else "no CSM",
    "vacant": lambda v, u: "its CSM left and nobody followed" if v else "CSM seat is filled",
    "reactivated": lambda v, u: "left once before" if v else "never left before",
}


def _change(log_ratio: float) -> str:
    share = math.expm1(max(min(log_ratio, 5.0), -5.0))
    return "unchanged" if abs(share) < 0.005 else f"{'up' if share > 0 else 'down'} {percent(abs(share), 0)}"


def reason_words(feature: str, value: object, usual: object, currency: str) -> str:
    """One reason for an account's risk in words, from a feature's value and what is usual."""
    if isinstance(value, str):
        return f"{called(feature).removeprefix('account: ').replace('_', ' ')}: {called(value)}"
    number = float(value) if isinstance(value, (int, float, np.number)) else math.nan
    if not math.isfinite(number):
        return f"{feature_label(feature).lower()}: not known"
    if feature == "log_mrr":
        return f"MRR {money(math.exp(number), currency, short=True)}"
    if feature in _PHRASES:
        usual_number = float(usual) if isinstance(usual, (int, float, np.number)) else math.nan
        return _PHRASES[feature](number, usual_number)
    return f"{feature_label(feature).lower()} {_rounded(number)}"


@view_for(CallList)
class CallListView(View[CallList]):
    """The accounts to call first, the accuracy of the list, and the accounts that have given notice."""

    def headline(self, result: CallList) -> Headline:
        anchor, currency, calls = "calls", result.currency, result.calls
        if isinstance(calls, Suppressed):
            return Headline("There is no call list.", capital(sentence(calls.reason)), anchor)
        if calls.empty:
            return Headline("Nobody is on the call list.", "No account is paying today.", anchor)
        first = calls.iloc[0]
        return Headline(
            f"Call {called(first['name'])} first: {percent(first['probability'], 0)} risk, MRR "
            f"{money(first['mrr'], currency, short=True)}.",
            f"The {count(len(calls), 'account')} on the list carry {money(calls['mrr'].sum(), currency, short=True)} "
            f"of MRR, of which {money(calls['mrr_at_risk'].sum(), currency, short=True)} can be expected to leave. "
            f"{NOT_SAVABLE}",
            anchor,
        )

    def findings(self, result: CallList) -> Sequence[Headline]:
        return (_worth_of_list(result),)

    def table(self, result: CallList) -> pd.DataFrame:
        return pd.DataFrame() if isinstance(result.calls, Suppressed) else result.calls

    def page_table(self, result: CallList) -> Block:
        calls, currency = result.calls, result.currency
        if isinstance(calls, Suppressed):
            return refused(calls.reason)
        if calls.empty:
            return refused("no account is paying today, so there is nobody to call")
        rows = [
            {
                "Account": visible(row["name"]),
                "MRR": money(row["mrr"], currency),
                "Renewal": "monthly" if pd.isna(row["due_date"]) else day_words(pd.Timestamp(row["due_date"])),
                "Risk": percent(row["probability"], 0),
                "MRR at risk": money(row["mrr_at_risk"], currency, short=True),
                "Why": "; ".join(
                    reason_words(name, value, usual, currency) for name, value, usual, *_ in row["reasons"]
                )
                or "nothing stands out",
                "Since last month": _since(row["change"], row["previous_probability"], row["moved"]),
            }
            for row in calls.to_dict("records")
        ]
        note = (
            f"Risk: probability that the account's paid time ends between {result.lead_months} and "
            f"{result.lead_months + result.horizon_months} months from now. Reasons: what raises its risk above that "
            f"of an average account, by the logistic model; they are no causes. {NOT_SAVABLE}"
        )
        block = table(pd.DataFrame(rows), "Call list")
        return Block(f'{block.html}<p class="cs-note">{plain(note)}</p>', f"{block.text}\n{note}")

    def more(self, result: CallList) -> Sequence[Block]:
        return (_notice_table(result),) if len(result.notice) else ()


def _worth_of_list(result: CallList) -> Headline:
    """How many churners the model finds at the team's capacity, or why there is no model."""
    anchor, risk, at_risk = "risk", result.model, result.at_risk
    opening = "Who is likely to leave cannot be told."
    if isinstance(risk, Suppressed):
        return Headline(opening, capital(sentence(risk.reason)), anchor)
    if isinstance(at_risk, Suppressed):
        return Headline(opening, capital(sentence(at_risk.reason)), anchor)
    top = risk.top
    tested = (
        f"in the last known period ({count(risk.test_events, 'account')} of {risk.test_rows:,} left)"
        if risk.out_of_time
        else "on accounts left out of the fit; without dates this is no test of the future"
    )
    if risk.verdict != "useful":
        return Headline(
            "The call list is no better than chance can be: do not spend the week on it alone.",
            f"Tested {tested}: AUC {risk.auc:.2f}, {SPAN} {risk.auc_low:.2f} to {risk.auc_high:.2f}; lift at "
            f"{top.k:,} accounts {top.lift:.1f}.",
            anchor,
        )
    return Headline(
        f"Calling the {top.k:,} accounts at the highest risk finds {top.lift:.1f} times as many leavers as chance.",
        f"Tested {tested}: {top.hits:.0f} of {top.k:,} left, {percent(top.found, 0)} of all leavers; AUC "
        f"{risk.auc:.2f} ({risk.auc_low:.2f} to {risk.auc_high:.2f}). "
        f"{money(at_risk.expected, result.currency, short=True)} of MRR is at risk now "
        f"({money_span(at_risk.low, at_risk.high, result.currency)}).",
        anchor,
    )


_CHANGES = {"new": "new on the list", "up": "up", "down": "down", "same": "as before"}


def _since(change: str, before: float, moved: object) -> str:
    word = _CHANGES.get(change, called(change))
    if not math.isfinite(before):
        return "not scored a month ago"
    named = isinstance(moved, str) and moved and change in ("up", "down", "new")
    why = f", {feature_label(str(moved)).lower()}" if named else ""
    return f"{word} from {percent(before, 0)}{why}"


def _notice_table(result: CallList) -> Block:
    """Accounts that have given notice and still pay: known leavers, so not in the model."""
    rows = result.notice.sort_values(["mrr", "account_id"], ascending=[False, True])
    shown = pd.DataFrame(
        {
            "Account": [visible(name) for name in rows["name"]],
            "MRR": [money(value, result.currency) for value in rows["mrr"]],
            "Notice given": [day_words(pd.Timestamp(day)) for day in rows["notice_date"]],
        }
    )
    return table(shown, "Have given notice and still pay")


@view_for(RiskFactors)
class RiskFactorsView(View[RiskFactors]):
    """What is associated with leaving or staying; never called a cause."""

    def headline(self, result: RiskFactors) -> Headline:
        anchor, rows = "drivers", result.model.coefficients
        clear = rows[(rows["low"] > 0) | (rows["high"] < 0)]
        if clear.empty:
            return Headline("Nothing measured goes clearly with leaving or staying.", "", anchor)
        named = [feature_label(row["feature"], row["level"]) for row in clear.head(3).to_dict("records")]
        return Headline(
            "What goes most clearly with leaving or staying: "
            f"{listed([name[:1].lower() + name[1:] for name in named])}.",
            "Each with the others held equal, by the logistic model. An association in these data is no proof of a "
            "cause.",
            anchor,
        )

    def chart(self, result: RiskFactors, narrow: bool) -> Chart:
        return charts.drivers(_drivers(result), narrow)

    def alt_text(self, result: RiskFactors) -> str:
        rows = [
            f"{row['label']}: odds ×{math.exp(row['log_odds']):.2f} "
            f"({math.exp(row['low']):.2f} to {math.exp(row['high']):.2f}), "
            + ("could be chance" if row["low"] <= 0 <= row["high"] else "leaves" if row["log_odds"] > 0 else "stays")
            for row in _drivers(result).to_dict("records")
        ]
        return f"Odds of leaving per step of each feature. {'; '.join(rows)}."

    def note(self, result: RiskFactors) -> str:
        return NOTE_DRIVERS

    def table(self, result: RiskFactors) -> pd.DataFrame:
        return result.model.coefficients

    def page_table(self, result: RiskFactors) -> Block:
        rows = _drivers(result)
        shown = pd.DataFrame(
            {
                "Feature": rows["label"],
                "Odds of leaving": [f"×{math.exp(value):.2f}" for value in rows["log_odds"]],
                f"95{NARROW_SPACE}% interval": [
                    f"{math.exp(low):.2f} to {math.exp(high):.2f}"
                    for low, high in zip(rows["low"], rows["high"], strict=True)
                ],
            }
        )
        return table(shown, "Odds of leaving")

    def parts(self, result: RiskFactors) -> Sequence[Result]:
        return (RiskValidation(result.model, result.drift),)


def _drivers(result: RiskFactors) -> pd.DataFrame:
    """The largest coefficients, each with its name in words."""
    rows = result.model.coefficients.head(MAX_DRIVERS)
    labels = [feature_label(row["feature"], row["level"]) for row in rows.to_dict("records")]
    return rows.assign(label=labels)[["label", "log_odds", "low", "high"]].reset_index(drop=True)


@view_for(RiskValidation)
class RiskValidationView(View[RiskValidation]):
    """Whether predicted risks came true, and alarms about the model."""

    def headline(self, result: RiskValidation) -> Headline:
        cal = result.model.calibration
        level = "too low" if cal.intercept_low > 0 else "too high" if cal.intercept_high < 0 else ""
        spread = "too extreme" if (cal.slope_high or 1) < 1 else "too timid" if (cal.slope_low or 1) > 1 else ""
        faults = listed([word for word in (level, spread) if word])
        found = f"Predicted risks are {faults}." if faults else "Predicted risks come true about as often as they say."
        return Headline(
            found,
            f"Slope {cal.slope:.2f} ({cal.slope_low:.2f} to {cal.slope_high:.2f}), 1 is right; level "
            f"{cal.intercept:+.2f} ({cal.intercept_low:+.2f} to {cal.intercept_high:+.2f}), 0 is right.".replace(
                "-", "−"
            ),
            "calibration",
        )

    def chart(self, result: RiskValidation, narrow: bool) -> Chart:
        return charts.reliability(result.model.reliability, narrow)

    def alt_text(self, result: RiskValidation) -> str:
        rows = [
            f"{percent(row['expected'], 0)} predicted, {percent(row['observed'], 0)} left "
            f"({span_words(row['low'], row['high'], 0)}, {row['n']:,} accounts)"
            for row in result.model.reliability.to_dict("records")
        ]
        return f"Predicted against observed share of leavers. {'; '.join(rows)}."

    def table(self, result: RiskValidation) -> pd.DataFrame:
        return result.model.reliability

    def page_table(self, result: RiskValidation) -> Block:
        risk = result.model
        cal, top = risk.calibration, risk.top
        tested = (
            f"{risk.test_snapshot:%B %Y}: {risk.test_rows:,} accounts, {risk.test_events:,} left"
            if risk.out_of_time
            else f"{risk.test_rows:,} accounts left out, {risk.test_events:,} left (no dates, so not out of time)"
        )
        rows = [
            (
                "Learned from",
                f"{risk.train_rows:,} account periods, {risk.train_events:,} departures",
                "50 departures or more",
            ),
            ("Tested on", tested, "a later period, never seen"),
            ("AUC", f"{risk.auc:.3f} ({risk.auc_low:.3f} to {risk.auc_high:.3f})", "0.5 is chance, 1 is perfect"),
            ("Brier score", f"{risk.brier:.4f}, {percent(risk.brier_skill)} better than the base rate", "above 0 %"),
            (
                "Calibration slope",
                f"{cal.slope:.2f} ({cal.slope_low:.2f} to {cal.slope_high:.2f})",
                "1; below 1 the risks are too extreme",
            ),
            (
                "Calibration level",
                f"{cal.intercept:+.2f} ({cal.intercept_low:+.2f} to {cal.intercept_high:+.2f})".replace("-", "−"),
                "0; above 0 more left than predicted",
            ),
            (
                f"Precision at {top.k:,}",
                f"{percent(top.precision)} ({span_words(top.low, top.high)}), ties by parts",
                f"{percent(top.base_rate)} is chance",
            ),
            ("Lift", f"{top.lift:.2f} ({top.lift_low:.2f} to {top.lift_high:.2f})", "1 is chance"),
        ]
        return table(pd.DataFrame(rows, columns=["Figure", "Value", "Should be"]), "Is the model worth anything?")

    def more(self, result: RiskValidation) -> Sequence[Block]:
        return (_alarms(result),)


def _alarms(result: RiskValidation) -> Block:
    """Columns left out as leaks, features that drifted, and whether the boosted model is used."""
    leaks, drift = result.model.leaks, result.drift
    items = [
        f"Leak alarm: {called(row['feature'])} stays out of the model. {capital(sentence(visible(row['why'])))}"
        for row in leaks.to_dict("records")
    ]
    drifted = [] if isinstance(drift, Suppressed) else drift[drift["alarm"]].to_dict("records")
    items += [
        f"Drift alarm: {feature_label(row['feature'])} looks different today from when the model learned (PSI "
        f"{row['psi']:.2f}); its part in the risks is less sure."
        for row in drifted
    ]
    if not items:
        items = ["No column gives the outcome away, and no feature has drifted."]
    items.append(_challenger_words(result.model))
    html = "".join(f"<li>{plain(item)}</li>" for item in items)
    return Block(f'<ul class="cs-findings">{html}</ul>', "\n".join(f"- {item}" for item in items))


def _challenger_words(risk: RiskModel) -> str:
    rival = risk.challenger
    if rival is None:
        return "The logistic model was not challenged by a boosted one."
    won = risk.kind == "boosted"
    return (
        f"A boosted model was tried out of time and {'beats' if won else 'does not clearly beat'} the logistic one "
        f"(log loss {rival.difference:+.4f}, {SPAN} {rival.low:+.4f} to {rival.high:+.4f}), so "
        f"{'it gives the risks; reasons and drivers stay those of the logistic model' if won else 'it is not used'}."
    ).replace("-0.", "−0.")
