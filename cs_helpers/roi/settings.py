"""Settings of the analyses of return: who counts as covered, what it costs, and inputs that the data do not contain."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cs_helpers.core.settings import read_settings
from cs_helpers.roi.uncertain_inputs import Range


@dataclass(frozen=True)
class Settings:
    """What the analyses of return can be told, with the defaults. Fractions, not percent; money in the data's currency.

    Who is covered
        role: assignments of this role, or without one, are coverage; "": all are.
        everybody: True: customer success covers every account, assigned or not; for break-even and scenarios.
    What it costs, and what MRR is worth
        cost_function: rows of the table of costs that are customer success, separated by commas.
        cost_per_month: what it costs a month, fully loaded; 0: from the table of costs, else from reps.
        margin: gross margin; "": gross_margin of the covered accounts.
        yearly_churn: share of MRR lost a year; "": one minus GRR of the last twelve months.
        discount: yearly discount rate; "": 0.08, 0.10, 0.15.
    What would change without it
        relative_risk: risk of leaving without customer success over that with it; "": as measured.
        expansion: yearly growth of the MRR that stays; "": none is counted.
        expansion_lost: share of that growth which would not come without customer success; "": none is counted.
        absorbed: share of its work that other teams would take over; "": none.
        severance_months: months of pay as severance; "": none.
        notice_months: months in which pay runs on; "": none.
    The measured effect
        by: attribute of the accounts by which the effect is split; "": segment.
        horizon: months over which the effect is measured; 0: the longest that the data allow.
        health_lag: months before a month at which the known health of an account ends.
        negative_controls: categories of tickets that customer success cannot influence, separated by commas; "": none.
        draws: draws of whole accounts behind the interval of the effect.
    Smaller plans
        cut: the part of customer success that is cut.
        tail_below: tech touch: accounts paying less than this a month lose their CSM; 0: not computed.
        tail_share: tech touch: share of people and tools that works for them.
        contact_saved: contact time: what capping or moving it saves a month; "": not computed.
        contact_added: contact time: what it costs a month to run; "": nothing.
        contact_risk: contact time: risk of leaving with it over that without.
    Word of mouth
        lost_sale_chance: chance that a person who hears of bad experience does not buy.
        sale_value: gross margin of one sale.
    """

    role: str = "csm"
    everybody: bool = False
    cost_function: str = "customer_success"
    cost_per_month: float = 0.0
    margin: Range = ""
    yearly_churn: Range = ""
    discount: Range = ""
    relative_risk: Range = ""
    expansion: Range = ""
    expansion_lost: Range = ""
    absorbed: Range = ""
    severance_months: Range = ""
    notice_months: Range = ""
    by: str = ""
    horizon: int = 0
    health_lag: int = 1
    negative_controls: str = ""
    draws: int = 200
    cut: float = 0.2
    tail_below: float = 0.0
    tail_share: Range = ""
    contact_saved: Range = ""
    contact_added: Range = ""
    contact_risk: Range = ""
    lost_sale_chance: Range = ""
    sale_value: Range = ""


DEFAULTS = Settings()


def settings(path: str = "", by: str = "", relative_risk: Range = "", negative_controls: str = "") -> Settings:
    """Settings from a YAML file with one ``key: value`` per line; all defaults where ``path`` is empty.

    ``by``, ``relative_risk`` and ``negative_controls`` go before the file where they are given. The keys are the fields
    of ``Settings``. Raises ParameterError with every problem of the file at once, unknown keys with the nearest one.

    Example:
        >>> cs.roi.settings(relative_risk="1.0, 1.2, 1.6").relative_risk
        '1.0, 1.2, 1.6'
    """
    return changed(read_settings(path, Settings), by, relative_risk, negative_controls)


def changed(before: Settings, by: str = "", relative_risk: Range = "", negative_controls: str = "") -> Settings:
    """``before`` with those of the three values that are given."""
    return replace(
        before,
        by=by or before.by,
        relative_risk=before.relative_risk if relative_risk == "" else relative_risk,
        negative_controls=negative_controls or before.negative_controls,
    )
