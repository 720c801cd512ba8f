"""Comments in plain English: a hidden theme, a phrasing of it, and some words around."""

from __future__ import annotations

from cs_helpers.data.sample import parameters as p
from cs_helpers.data.sample.world import Draws

# fmt: off
PHRASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # per theme: by satisfied and by unsatisfied customers
    "support": (
        ("support answered quickly and knew what to do", "the support team solved it in one call",
         "a helpful reply from support within the hour", "support staff are patient and friendly",
         "our question was answered fast by support"),
        ("support took days to answer", "nobody in support seemed to read our question",
         "we waited far too long for a reply from support", "support passed us from one person to the next",
         "the support answer was a template and did not help"),
    ),
    "ease": (
        ("it is easy to use and the team needed no manual", "the screens are clear and simple",
         "simple to use, even for new colleagues", "navigation is easy and everything is where you expect it",
         "an easy tool that people like to use"),
        ("the screens are confusing and hard to use", "too many clicks for a simple thing",
         "navigation is confusing since the redesign", "hard to use for people who log in once a month",
         "it is difficult to find anything in the menus"),
    ),
    "features": (
        ("the new report features are what we needed", "forecast and alert features save us work",
         "the feature list fits our work well", "good features, and new ones every quarter",
         "the export feature does just what we need"),
        ("an important feature is still missing", "the integration we need is missing from the feature list",
         "missing features force us back to spreadsheets", "features we asked for a year ago are not there",
         "the reports lack a feature our managers need"),
    ),
    "price": (
        ("good value for the price", "the price is fair for what we get", "worth the price we pay",
         "fair price and clear invoices", "cheaper than what we paid before, good value"),
        ("too expensive for what we use", "the price went up again and the budget did not",
         "the price per seat is too high", "we pay for seats nobody uses, too expensive",
         "hard to defend the price to our finance people"),
    ),
    "reliability": (
        ("it runs stable and is never down", "reliable, no outage that we noticed",
         "data loads fast and without errors", "stable and quick since the last release",
         "no errors and no downtime this year"),
        ("slow pages and errors every week", "the outage last month cost us a day",
         "data loads fail with errors far too often", "it was down twice when we needed it",
         "the system is slow in the morning and crashes"),
    ),
    "onboarding": (
        ("onboarding was well planned and we were live in two weeks", "the training sessions got everybody started",
         "the setup was quick thanks to the onboarding plan", "our new colleagues liked the onboarding training",
         "a well run onboarding with a clear plan"),
        ("the setup took months and nobody led the onboarding", "the training was too short to get started",
         "onboarding stopped halfway and we were left alone", "no training for new colleagues after the setup",
         "our onboarding plan kept slipping"),
    ),
}
AGENT_PHRASES = (  # by satisfied and by unsatisfied reps
    ("Good team and a manager who listens.", "I learn something every week.",
     "The workload is fair and I like my accounts.", "Clear goals, and people help each other."),
    ("Too many accounts and too little time.", "Nobody shows us what comes next for us here.",
     "Processes live in people's heads.", "The tools are slow and I work late most weeks."),
)
# fmt: on
BEFORE = ("", "", "", "", "To be honest, ", "In short: ", "For our team, ", "This quarter, ")
AFTER = ("", "", "", "", " Thanks.", " That is all.", " Happy to talk.", " We told our contact so.")


def comment(satisfied: bool, draws: Draws, theme: str = "") -> str:
    """A comment on a theme, or on one drawn by its share among satisfied or unsatisfied customers."""
    side = 0 if satisfied else 1
    picked = theme or draws.pick({name: shares[side] for name, shares in p.THEMES.items()})
    before, after, phrase = draws.choice(BEFORE), draws.choice(AFTER), draws.choice(PHRASES[picked][side])
    return f"{before}{phrase if before else phrase[0].upper() + phrase[1:]}.{after}"


def agent_comment(satisfied: bool, draws: Draws) -> str:
    """What a rep writes about working here."""
    return draws.choice(AGENT_PHRASES[0 if satisfied else 1])
