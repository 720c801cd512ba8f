"""Sentences and tables about who is at risk: the model's worth, its alarms, and the call list with reasons in words."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from cs_helpers.core.errors import visible
from cs_helpers.core.periods import day_words
from cs_helpers.core.results import Suppressed
from cs_helpers.report.blocks import Block, refused, table
from cs_helpers.report.words import (
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
    refusal_takeaway,
    sentence,
    span_words,
)

NOTE_DRIVERS = (
    "Odds of leaving, each with the others held equal: per standard deviation of a number, or for a level against the "
    "usual one. Lines are 95\u202f% intervals; the model shrinks all of them towards no effect."
)
NOT_SAVABLE = "Highest risk is not most savable: the list says who is likely to leave, not whom a call would keep."

# What each feature is called where it drives risk, for everybody who does not know the column.
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


def reason_words(feature: str, value: Any, usual: Any, currency: str) -> str:
    """One reason for an account's risk in words, from a feature's value and what is usual."""
    if isinstance(value, str):
        return f"{called(feature).removeprefix('account: ').replace('_', ' ')}: {called(value)}"
    number = float(value) if value is not None else math.nan
    if not math.isfinite(number):
        return f"{feature_label(feature).lower()}: not known"
    if feature == "log_mrr":
        return f"MRR {money(math.exp(number), currency, short=True)}"
    if feature in _PHRASES:
        usual_number = float(usual) if isinstance(usual, (int, float, np.number)) else math.nan
        return _PHRASES[feature](number, usual_number)
    return f"{feature_label(feature).lower()} {_rounded(number)}"


def say_risk(risk: Any, at_risk: Any, currency: str, anchor: str = "risk") -> Headline:
    """What the model is worth at the team's capacity, or that it is worth nothing, or why there is none."""
    if refusal := refusal_takeaway("Who is likely to leave cannot be told.", risk, anchor):
        return refusal
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
        f"{money(at_risk.expected, currency, short=True)} of MRR is at risk now "
        f"({money_span(at_risk.low, at_risk.high, currency)}).",
        anchor,
    )


def say_calls(calls: Any, risk: Any, currency: str, anchor: str = "calls") -> Headline:
    """Whom to call this week: how many, how much MRR, and the first of them."""
    if refusal := refusal_takeaway("There is no call list.", calls, anchor):
        return refusal
    if calls.empty:
        return Headline("Nobody is on the call list.", "No account is paying today.", anchor)
    first = calls.iloc[0]
    return Headline(
        f"Call {called(first['name'])} first: {percent(first['probability'], 0)} risk, MRR "
        f"{money(first['mrr'], currency, short=True)}.",
        f"The {count(len(calls), 'account')} on the list carry {money(calls['mrr'].sum(), currency, short=True)} of "
        f"MRR, of which {money(calls['mrr_at_risk'].sum(), currency, short=True)} can be expected to leave. "
        f"{NOT_SAVABLE}",
        anchor,
    )


_CHANGES = {"new": "new on the list", "up": "up", "down": "down", "same": "as before"}


def _since(row: Any) -> str:
    word = _CHANGES.get(row["change"], called(row["change"]))
    before = row["previous_probability"]
    if not math.isfinite(before):
        return "not scored a month ago"
    moved = feature_label(row["moved"]).lower() if isinstance(row["moved"], str) and row["moved"] else ""
    why = f", {moved}" if moved and row["change"] in ("up", "down", "new") else ""
    return f"{word} from {percent(before, 0)}{why}"


def calls_table(calls: Any, currency: str, lead_months: int = 1, horizon_months: int = 3) -> Block:
    """Account, MRR, renewal date, risk, reasons and what changed since a month ago; or why there is no list."""
    if isinstance(calls, Suppressed):
        return refused(calls.reason)
    if calls.empty:
        return refused("no account is paying today, so there is nobody to call")
    records: Any = calls.to_dict("records")
    rows = [
        {
            "Account": visible(row["name"]),
            "MRR": money(row["mrr"], currency),
            "Renewal": "monthly" if pd.isna(row["due_date"]) else day_words(pd.Timestamp(row["due_date"])),
            "Risk": percent(row["probability"], 0),
            "MRR at risk": money(row["mrr_at_risk"], currency, short=True),
            "Why": "; ".join(reason_words(name, value, usual, currency) for name, value, usual, *_ in row["reasons"])
            or "nothing stands out",
            "Since last month": _since(row),
        }
        for row in records
    ]
    note = (
        f"Risk: probability that the account's paid time ends between {lead_months} and {lead_months + horizon_months} "
        "months from now. Reasons: what raises its risk above that of an average account, by the logistic model; they "
        f"are no causes. {NOT_SAVABLE}"
    )
    block = table(pd.DataFrame(rows), "Call list")
    return Block(f'{block.html}<p class="cs-note">{plain(note)}</p>', f"{block.text}\n{note}")


def notice_table(notice: Any, names: pd.Series, currency: str) -> Block:
    """Accounts that have given notice and still pay: known leavers, so not in the model."""
    if isinstance(notice, Suppressed) or notice.empty:
        return Block("", "")
    rows = notice.sort_values(["mrr", "account_id"], ascending=[False, True])
    shown = pd.DataFrame(
        {
            "Account": [visible(names.get(account, account)) for account in rows["account_id"]],
            "MRR": [money(value, currency) for value in rows["mrr"]],
            "Notice given": [day_words(pd.Timestamp(day)) for day in rows["notice_date"]],
        }
    )
    return table(shown, "Have given notice and still pay")


def validation_table(risk: Any) -> Block:
    """How the model did on the last known period, figure by figure, with what each should be."""
    if isinstance(risk, Suppressed):
        return refused(risk.reason)
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


def say_drivers(risk: Any, anchor: str = "drivers") -> Headline:
    """What goes together with leaving most clearly; never called a cause."""
    if refusal := refusal_takeaway("What goes with leaving cannot be told.", risk, anchor):
        return refusal
    clear = risk.coefficients[(risk.coefficients["low"] > 0) | (risk.coefficients["high"] < 0)]
    if clear.empty:
        return Headline("Nothing measured goes clearly with leaving or staying.", "", anchor)
    named = [feature_label(row.feature, row.level) for row in clear.head(3).itertuples()]
    return Headline(
        f"What goes most clearly with leaving or staying: {listed([name[:1].lower() + name[1:] for name in named])}.",
        "Each with the others held equal, by the logistic model. An association in these data is no proof of a cause.",
        anchor,
    )


def driver_rows(risk: Any, most: int = 10) -> Any:
    """The rows that ``charts.drivers`` draws; a Suppressed stays one."""
    if isinstance(risk, Suppressed):
        return risk
    rows = risk.coefficients.head(most)
    labels = [feature_label(row.feature, row.level) for row in rows.itertuples()]
    return rows.assign(label=labels)[["label", "log_odds", "low", "high"]].reset_index(drop=True)


def alt_drivers(risk: Any, most: int = 10) -> str:
    """What the chart of drivers shows."""
    if isinstance(risk, Suppressed):
        return ""
    rows = [
        f"{row.label}: odds ×{math.exp(row.log_odds):.2f} ({math.exp(row.low):.2f} to {math.exp(row.high):.2f}), "
        + ("could be chance" if row.low <= 0 <= row.high else "leaves" if row.log_odds > 0 else "stays")
        for row in driver_rows(risk, most).itertuples()
    ]
    return f"Odds of leaving per step of each feature. {'; '.join(rows)}."


def alt_reliability(risk: Any) -> str:
    """What the reliability plot shows."""
    if isinstance(risk, Suppressed):
        return ""
    rows = [
        f"{percent(row.expected, 0)} predicted, {percent(row.observed, 0)} left ({span_words(row.low, row.high, 0)}, "
        f"{row.n:,} accounts)"
        for row in risk.reliability.itertuples()
    ]
    return f"Predicted against observed share of leavers. {'; '.join(rows)}."


def say_calibration(risk: Any, anchor: str = "calibration") -> Headline:
    """Whether predicted risks come true as often as they say."""
    if refusal := refusal_takeaway("Whether risks come true cannot be told.", risk, anchor):
        return refusal
    cal = risk.calibration
    level = "too low" if cal.intercept_low > 0 else "too high" if cal.intercept_high < 0 else ""
    spread = "too extreme" if cal.slope_high < 1 else "too timid" if cal.slope_low > 1 else ""
    faults = listed([word for word in (level, spread) if word])
    found = f"Predicted risks are {faults}." if faults else "Predicted risks come true about as often as they say."
    return Headline(
        found,
        f"Slope {cal.slope:.2f} ({cal.slope_low:.2f} to {cal.slope_high:.2f}), 1 is right; level {cal.intercept:+.2f} "
        f"({cal.intercept_low:+.2f} to {cal.intercept_high:+.2f}), 0 is right.".replace("-", "−"),
        anchor,
    )


def alarms(risk: Any, drift: Any) -> Block:
    """Columns kept out because they give the outcome away, features that drifted, and the challenger's fate."""
    if isinstance(risk, Suppressed):
        return Block("", "")
    items = []
    for row in risk.leaks.itertuples():
        items.append(f"Leak alarm: {called(row.feature)} stays out of the model. {capital(sentence(visible(row.why)))}")
    if not isinstance(drift, Suppressed):
        for row in drift[drift["alarm"]].itertuples():
            items.append(
                f"Drift alarm: {feature_label(row.feature)} looks different today from when the model learned (PSI "
                f"{row.psi:.2f}); its part in the risks is less sure."
            )
    items.append(_challenger_words(risk))
    if not len(risk.leaks) and not any(item.startswith("Drift") for item in items):
        items.insert(0, "No column gives the outcome away, and no feature has drifted.")
    html = "".join(f"<li>{plain(item)}</li>" for item in items)
    return Block(f'<ul class="cs-findings">{html}</ul>', "\n".join(f"- {item}" for item in items))


def _challenger_words(risk: Any) -> str:
    rival = risk.challenger
    if rival is None:
        return "The logistic model was not challenged by a boosted one."
    won = risk.kind == "boosted"
    return (
        f"A boosted model was tried out of time and {'beats' if won else 'does not clearly beat'} the logistic one "
        f"(log loss {rival.difference:+.4f}, {SPAN} {rival.low:+.4f} to {rival.high:+.4f}), so "
        f"{'it gives the risks; reasons and drivers stay those of the logistic model' if won else 'it is not used'}."
    ).replace("-0.", "−0.")
