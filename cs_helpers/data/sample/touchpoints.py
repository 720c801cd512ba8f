"""Where people meet the company before, during and after a purchase, day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from cs_helpers.data.sample import parameters as p
from cs_helpers.data.sample.world import Row, World, first_of, month_of


@dataclass(frozen=True)
class Touchpoint:
    """Impressions a working day, clicks per impression, sessions per click, and the exits and bounces of those."""

    stage: str
    impressions: int
    clicks: float
    sessions: float
    exits: float
    bounces: float


TOUCHPOINTS = {
    "search ad": Touchpoint("before", 2400, 0.031, 0.92, 0.66, 0.55),
    "website": Touchpoint("before", 1500, 0.240, 0.85, 0.48, 0.41),
    "webinar page": Touchpoint("before", 260, 0.110, 0.95, 0.57, 0.38),
    "pricing page": Touchpoint("during", 420, 0.280, 0.95, 0.34, 0.12),
    "trial form": Touchpoint("during", 130, 0.350, 0.98, 0.42, 0.10),
    "contract portal": Touchpoint("during", 34, 0.620, 1.00, 0.21, 0.04),
    "help centre": Touchpoint("after", 700, 0.310, 0.90, 0.52, 0.29),
    "in-app guide": Touchpoint("after", 900, 0.180, 0.97, 0.30, 0.15),
}
WEEKEND, GROWTH = 0.35, 0.006  # share of a working day's impressions; per month
PRICING_EXITS_AFTER = 0.47  # of the pricing page's sessions, from PRICING_PAGE_CHANGE months before the end on


def touchpoint_rows(world: World) -> list[Row]:
    """One row a touchpoint and day of the window, its counts around the rates above."""
    rows = []
    for day in range(world.first_day.toordinal(), p.END_DAY.toordinal()):
        draws = world.draws("touchpoints", day)
        on = date.fromordinal(day)
        busy = (WEEKEND if on.weekday() > 4 else 1) * (1 + GROWTH * (month_of(on) - p.END))
        for name, point in TOUCHPOINTS.items():
            changed = name == "pricing page" and on >= first_of(p.END - p.PRICING_PAGE_CHANGE)
            impressions = _near(point.impressions * busy, draws.bell())
            clicks = min(impressions, _near(impressions * point.clicks, draws.bell()))
            sessions = min(clicks, _near(clicks * point.sessions, 0.3 * draws.bell()))
            exits = min(sessions, _near(sessions * (PRICING_EXITS_AFTER if changed else point.exits), draws.bell()))
            rows.append(
                {
                    "date": on,
                    "touchpoint": name,
                    "stage": point.stage,
                    "impressions": impressions,
                    "clicks": clicks,
                    "exits": exits,
                    "bounces": min(exits, _near(sessions * point.bounces, draws.bell())),
                    "sessions": sessions,
                }
            )
    return rows


def _near(mean: float, bell: float) -> int:
    """A count around ``mean``, a tenth of it either way."""
    return max(0, int(mean * (1 + 0.1 * bell) + 0.5))
