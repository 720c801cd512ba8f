"""The parameters of the worlds, and what is true in each.

Every world is world A with a few numbers changed. What they show at 24 months, in points of survival over
200,000 accounts (events per 2,000 accounts; a bias is the naive figure minus the truth):

    world                           A      I      B      N      M      O      U     UN
    true effect, by account       7.9    8.2    8.7    0      8.9    7.2    6.8    0
    true effect, by MRR           9.1    8.4    9.7    0     11.4   10.5    8.0    0
    churn events                  583    577    569    765    580    601    642    800
    share of months covered       .53    .51    .67    .57    .53    .49    .54    .58
    ever - never covered, bias   14.3   13.7   22.9   10.7   15.0   18.2   26.0   23.1
    covered - not months, bias   -2.5   -7.3    6.6   -8.2   -1.8    1.0   10.0    4.4
    health as observed, bias     -3.1   -3.2   -3.7    0     -3.4   -2.8   -2.7    0
    churn logit per touch         .05    .07    .00    .16    .04    .03   -.03    .10
    ... in covered months         .15    .13    .16    .18    .15    .15    .17    .19
    never covered, left           208    174    190    192    214    205    293    277
    never covered, stayed         240    199    158    219    237    203    227    205
    % of MRR, P(uncovered) < 5 %    0      0      0      1      0     54      0      0
"""

from __future__ import annotations

from dataclasses import dataclass, replace

SEATS = 25
DEPARTURES = 0.02  # per person and month
VACANCY = 3  # months
BURN_IN = 12  # months simulated before the window, without churn, so that coverage and health are consistent in month 0
LOG_MRR_MEAN, LOG_MRR_SD = 6.7, 1.0  # of log MRR in EUR; the median is 812 EUR a month
MEAN_TENURE, MAX_TENURE = 23, 120  # months when the window opens
KEY_ACCOUNT = 0.95  # accounts covered with this probability get a stand-in, where the world has stand-ins
LATE_PAYMENT, LATE_PAYMENT_SIZE = -2.4, -0.3  # logit of a late payment in a month, and its slope in size

EQUATIONS = {
    "size": "(log(mrr) - 6.7) / 1.0; mrr never changes",
    "tenure": "months since the subscription's start, at the start of the month",
    "hidden": "a standard normal trait of the account that no table holds",
    "assigned": (
        "logit P(the account is in a book this month) = assigned + assigned_size * size + assigned_health * health + "
        "assigned_before * (it was last month) + assigned_hidden * hidden"
    ),
    "covered": (
        "in a book, and somebody sits in that book's seat; where stand_ins is true a colleague covers, during a "
        "vacancy, every account whose P(in a book) is at least 0.95"
    ),
    "touches": "Poisson with mean exp(touches + touches_health * health) if covered, else 0",
    "churned": (
        "logit P(leaves at the month's end) = churn + churn_health * health + churn_size * size + churn_tenure * "
        "tenure + churn_touch * touches + churn_hidden * hidden + churn_health_squared * (health^2 - 1) + "
        "churn_size_squared * (size^2 - 1) + churn_health_size * health * size + covered * (churn_covered + "
        "churn_covered_health * health + churn_covered_size * size)"
    ),
    "health": (
        "next month = health_keeps * health + health_covered * covered + normal noise with variance "
        "1 - health_keeps^2"
    ),
    "late_payment": (
        "logit P(the month's invoice is paid late) = -2.4 - 0.3 * size + late_payment_hidden * hidden; nothing CS "
        "does moves it"
    ),
}  # fmt: skip


@dataclass(frozen=True)
class WorldParameters:
    """The coefficients of ``EQUATIONS``, by default those of world A. 0 means no effect."""

    churn: float = -3.87
    churn_health: float = -0.66
    churn_size: float = -0.1
    churn_tenure: float = -0.006
    churn_covered: float = -0.25
    churn_touch: float = -0.05
    churn_hidden: float = 0.0
    churn_health_squared: float = 0.0
    churn_size_squared: float = 0.0
    churn_health_size: float = 0.0
    churn_covered_health: float = 0.0
    churn_covered_size: float = 0.0
    health_keeps: float = 0.85
    health_covered: float = 0.07
    assigned: float = -3.3
    assigned_size: float = 0.55
    assigned_health: float = -1.2
    assigned_before: float = 7.5
    assigned_hidden: float = 0.0
    touches: float = 0.6
    touches_health: float = -0.5
    late_payment_hidden: float = 0.0
    stand_ins: bool = False


@dataclass(frozen=True)
class World:
    """One world: its number in the seed, name, what is true in it, what a good method must do, and its parameters."""

    number: int
    name: str
    true: str
    good_method: str
    parameters: WorldParameters


_A = WorldParameters()
_N = replace(_A, churn_covered=0.0, churn_touch=0.0, health_covered=0.0)


def _with_hidden_trait(parameters: WorldParameters) -> WorldParameters:
    return replace(parameters, churn_hidden=-0.6, assigned_hidden=0.8, late_payment_hidden=-0.5)


WORLDS = {
    "A": World(
        1, "default",
        "CS lowers churn, directly and through health, and goes to big accounts and to those whose health is low.",
        "Recover the effect with an interval that covers it, where ever-against-never covered is far off.",
        _A,
    ),
    "I": World(
        2, "strong indication",
        "CS lowers churn and is sent to the sick accounts, so that covered months look no better than others.",
        "Recover the effect that the naive comparison of months hides.",
        replace(_A, assigned=-3.2, assigned_size=0.2, assigned_health=-1.6, assigned_before=7.4),
    ),
    "B": World(
        3, "big and healthy",
        "CS lowers churn and is sent to big accounts that are doing well anyway.",
        "Recover the effect that the naive comparison of months exaggerates.",
        replace(_A, assigned=-3.0, assigned_size=0.45, assigned_health=0.1, assigned_before=7.2),
    ),
    "N": World(
        4, "no effect",
        "CS does nothing to churn or health, and is sent out as in world A.",
        "Claim a positive effect in at most 5 of 100 draws.",
        _N,
    ),
    "M": World(
        5, "non-linear truth",
        "Churn bends in health and MRR, and CS helps sick and big accounts more than others.",
        "Recover the effect, which a model with straight lines alone does not describe.",
        replace(
            _A, churn_health_squared=0.12, churn_size_squared=0.10, churn_health_size=0.10,
            churn_covered_health=0.12, churn_covered_size=-0.10,
        ),
    ),
    "O": World(
        6, "poor overlap",
        "Coverage is almost settled by MRR and health: hardly any big account goes without.",
        "Refuse: the share of MRR that has hardly any chance of being uncovered is too large.",
        replace(_A, assigned=-0.8, assigned_size=3.0, assigned_before=2.0, stand_ins=True),
    ),
    "U": World(
        7, "hidden confounder",
        "A trait nobody records sends CS to an account and keeps the account from leaving; CS helps as well.",
        "Refuse a causal verdict: the negative controls show that something is missing.",
        _with_hidden_trait(_A),
    ),
    "UN": World(
        8, "hidden confounder without effect",
        "A trait nobody records sends CS to an account and keeps the account from leaving; CS does nothing.",
        "Refuse a causal verdict in at least 95 of 100 draws, with the help of the negative controls.",
        _with_hidden_trait(_N),
    ),
}  # fmt: skip
