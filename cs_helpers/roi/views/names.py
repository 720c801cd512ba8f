"""What the inputs, the evidence, the conditions and the plans are called on a page, and the parts that views share."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import pandas as pd

from cs_helpers.report.blocks import Block, table
from cs_helpers.report.words import NARROW_SPACE, called, capital, money, percent, plain, sentence

RANGE = f"95{NARROW_SPACE}% of draws"

INPUTS = {
    "relative_risk": "Risk of leaving without it",
    "yearly_churn": "MRR lost a year",
    "expansion": "Growth of survivors a year",
    "expansion_lost": "Share of that growth lost",
    "margin": "Gross margin",
    "people": "People a month",
    "tools": "Tools a month",
    "management": "Management a month",
    "absorbed": "Work others take over",
    "severance_months": "Severance",
    "notice_months": "Notice",
    "discount": "Discount a year",
    "people_share": "Share of people saved",
    "saved_per_month": "Saved a month",
    "added_per_month": "Spent a month",
    "lost_sale_chance": "Chance that a hearer does not buy",
    "sale_value": "Gross margin of a sale",
}
_FRACTIONS = (
    "yearly_churn", "expansion", "expansion_lost", "margin", "absorbed", "discount", "people_share", "lost_sale_chance",
)  # fmt: skip
_MONTHS = ("severance_months", "notice_months")

EVIDENCE = {
    "randomised": ("Randomised coverage", "drawn by lot or by date"),
    "g_formula": ("Target trial", "g-formula"),
    "ltmle": ("Target trial, second method", "LTMLE"),
    "vacancy": ("Vacancies", "after a CSM left"),
    "baseline": ("Coverage on the first day", "whatever came later"),
    "association": ("Adjusted association", "no effect by itself"),
    "ever_never": ("Ever against never covered", "as counted"),
    "covered_months": ("Covered against other months", "as counted"),
    "health_held": ("Health held as it was", "blocks a part of it"),
    "touch_count": ("Number of touches", "as counted"),
}
"""Name of each kind of evidence, and a few words on what it compares."""

GATES = {
    "months": "Months of data",
    "events": "Accounts that left",
    "dated_coverage": "Accounts whose coverage began or ended while watched",
    "health_known": "Account-months with known health or usage",
    "never_events": "Never covered accounts that left",
    "never_at_horizon": "Never covered accounts still there at the horizon",
    "never_ess": "Effective number of never covered accounts",
    "controls": "Negative controls",
    "overlap": "MRR of accounts that are practically always covered",
    "agreement": "Distance of the two methods",
}

PLANS = {
    "cut": "Customer success cut",
    "tech_touch": "Tech touch for small accounts",
    "contact_time": "Contact time capped or moved",
}

WORD_OF_MOUTH = {
    "unhappy_who_tell": "Share of the unhappy who tell others",
    "told_by_unhappy": "People each unhappy one tells, at least",
    "happy_who_tell": "Share of the happy who tell others",
    "told_by_happy": "People each happy one tells, at least",
    "unhappy_per_complaint": "Unhappy ones for each that complains",
    "leavers_who_name_it": "Share of leavers who name bad experience",
}


def input_words(name: str, value: float, currency: str) -> str:
    """A value of an input in its unit."""
    if name == "relative_risk":
        return f"{value:.2f}×"
    if name in _FRACTIONS:
        return percent(value, 1 if value * 100 % 1 > 0.05 else 0)
    if name in _MONTHS:
        return f"{value:g}{NARROW_SPACE}{'month' if value == 1 else 'months'}"
    return money(value, currency, short=True)


def called_input(name: str) -> str:
    """An input's name in words."""
    return (INPUTS | WORD_OF_MOUTH).get(name, capital(name.replace("_", " ")))


def called_evidence(key: str) -> str:
    """The name of a kind of evidence; its key in words where it has none."""
    return EVIDENCE.get(key, (capital(key.replace("_", " ")), ""))[0]


def called_gate(key: str) -> str:
    """A condition's name; its key in words where it has none."""
    kind, _, name = key.partition(":")
    if name:
        return f"Negative control: {called_control(name)}"
    if key.startswith("natural_"):
        return f"Distance of the model from what was seen after {key.removeprefix('natural_')} months"
    return GATES.get(kind, capital(kind.replace("_", " ")))


def called_control(key: str) -> str:
    """A negative control inside a sentence."""
    return called(key.replace("_", " "))


def page(columns: Mapping[str, object] | pd.DataFrame, caption: str, optional: Collection[str] = ()) -> Block:
    """A table from its columns; of ``optional`` ones, those with nothing but dashes are left out."""
    frame = columns if isinstance(columns, pd.DataFrame) else pd.DataFrame(dict(columns))
    return table(frame.drop(columns=[name for name in optional if (frame[name] == "–").all()]), caption)


def whys(reasons: Iterable[str]) -> list[str]:
    """Reasons as sentences; a dash where there is none."""
    return [capital(sentence(why)) if why else "–" for why in reasons]


def with_note(block: Block, note: str) -> Block:
    """A table with a note under it."""
    return Block(f'{block.html}<p class="cs-note">{plain(note)}</p>', f"{block.text}\n{note}".strip())
