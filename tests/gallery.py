"""Made-up results for the gallery notebook: one for each kind of chart no notebook has yet, and every kind of tile."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from cs_helpers.core.estimates import Change, Comparison, Estimate, Target
from cs_helpers.report import blocks
from cs_helpers.reps.charts import Funnel


def funnel(reps=40, seed=3):
    """Forty reps of one true rate, one far above it and one somewhat below: drawn, with exact normal limits."""
    rng = np.random.default_rng(seed)
    n = rng.integers(30, 420, reps)
    rate = rng.binomial(n, 0.72) / n
    n[:2], rate[:2] = (260, 310), (0.86, 0.66)
    x = np.arange(10, 440, 5)
    spread = np.sqrt(0.72 * 0.28 / x)
    z = np.abs(rate - 0.72) / np.sqrt(0.72 * 0.28 / n)
    outside = np.where(z > 3.09, "99.8", np.where(z > 1.96, "95", ""))
    points = pd.DataFrame({"label": [f"Rep {k + 1}" for k in range(reps)], "n": n, "rate": rate, "outside": outside})
    limits = pd.DataFrame(
        {
            "n": x,
            "low_95": 0.72 - 1.96 * spread,
            "high_95": 0.72 + 1.96 * spread,
            "low_998": 0.72 - 3.09 * spread,
            "high_998": 0.72 + 3.09 * spread,
        }
    )
    return Funnel(points, limits, centre=0.72, unit="resolved at first contact", cases="tickets")


def slopes():
    """Twelve reps before and after the mix of cases is taken out; three move far."""
    raw = np.linspace(0.62, 0.82, 12)
    moved = np.array([0.11, 0.01, -0.01, 0.02, 0.0, 0.01, -0.02, 0.01, 0.0, -0.01, -0.08, -0.09])
    labels = [f"Rep {chr(65 + k)}" for k in range(12)]
    return pd.DataFrame({"label": labels, "raw": raw, "adjusted": raw + moved, "mover": np.abs(moved) > 0.05})


def inputs():
    """What an outcome hangs on: six inputs, the largest first."""
    return pd.DataFrame(
        [
            ("Churn without success", -210_000, 640_000, "+1 point", "+6 points", "guess"),
            ("Gross margin", 40_000, 380_000, "68 %", "82 %", "measured"),
            ("Cost of the team", 120_000, 330_000, "€1.1m", "€0.9m", "measured"),
            ("Lost expansion", 150_000, 300_000, "0.5 points", "2 points", "benchmark"),
            ("Word of mouth", 190_000, 250_000, "0 accounts", "3 accounts", "guess"),
            ("Phase-in", 200_000, 232_000, "12 months", "6 months", "measured"),
        ],
        columns=["label", "low", "high", "low_input", "high_input", "origin"],
    )


def evidence():
    """Evidence on one effect, the strongest first: two shown, one refused, two refuted."""
    missing = np.nan
    return pd.DataFrame(
        [
            ("Randomised pilot", "no pilot was run", missing, missing, missing, "refused", "nobody was drawn by lot"),
            ("Target trial", "g-formula, 1,204 accounts", 2.1, 0.4, 3.7, "shown", ""),
            ("Vacancies", "14 gaps, by CSM", 1.4, -1.1, 3.9, "shown", ""),
            ("Adjusted association", "regression", 3.8, 2.2, 5.4, "refuted", ""),
            ("Covered against not", "as counted", 9.6, 7.9, 11.3, "refuted", ""),
        ],
        columns=["label", "note", "value", "low", "high", "status", "why"],
    )


def events():
    """Two events of the sample company, by day."""
    return {"2025-10-01": "price change", "2026-03-01": "new onboarding"}


def rows(many=120):
    """A long table with a number, a date and a text in each row, and some that are missing."""
    days = pd.date_range("2025-01-01", periods=many, freq="D")
    return pd.DataFrame(
        {
            "Account": [f"Account {k * 37 % many:03d}" for k in range(many)],
            "MRR": [None if k % 17 == 0 else k * 7919 % 5_000 for k in range(many)],
            "Renewal": [f"{day.day} {day:%B %Y}" for day in days],
            "Note": ["=SUM(A1:A9)" if k == 3 else f"note {k % 5}" for k in range(many)],
        }
    )


def every_tile():
    """Tiles of every kind: a rise, a fall, no clear change, too few accounts, refused; with and without a target."""
    trend = tuple(0.9 + 0.004 * k * (-1) ** k for k in range(13))

    def tile(key, value, low, high, verdict, difference, before=0.9, reason="", target=None):
        whole = 1000.0
        now = Estimate(key, value, value and value * whole, value and whole, 420, low, high, reason)
        then = Estimate(key, before, before * whole, whole, 400, before - 0.02, before + 0.02)
        goal = target and Target(target[0], target[1], "2025", "Customer Success")
        return Comparison(now, then, Change(verdict, difference), "2025", "2024", trend if value else (), goal)

    return [
        tile("nrr", 1.05, 1.02, 1.08, "rise", 0.09, 0.96, target=(1.02, "met")),
        tile("grr", 0.84, 0.81, 0.87, "fall", -0.06, target=(0.92, "missed")),
        tile("logo_retention", 0.89, 0.86, 0.92, "no clear change", -0.01, target=(0.9, "no clear verdict")),
        tile("renewal_rate_logo", 0.75, 0.4, 0.93, "too few", None),
        tile("renewal_rate_revenue", None, None, None, "no comparison", None, reason="no contract came due"),
    ]


def risk():
    """Four drivers of leaving, one of them clear in each direction, and how often risks came true."""
    drivers = pd.DataFrame(
        {
            "label": ["Usage trend", "Contract comes due", "Discount", "Seats"],
            "log_odds": [-0.7, 0.9, 0.15, -0.1],
            "low": [-1.1, 0.5, -0.2, -0.5],
            "high": [-0.3, 1.3, 0.5, 0.3],
        }
    )
    reliability = pd.DataFrame(
        {
            "n": [110, 110, 110, 110],
            "expected": [0.01, 0.03, 0.08, 0.22],
            "observed": [0.0, 0.04, 0.07, 0.25],
            "low": [0.0, 0.01, 0.03, 0.18],
            "high": [0.03, 0.09, 0.14, 0.34],
        }
    )
    return SimpleNamespace(drivers=drivers, reliability=reliability)


def break_even():
    """Net value by points kept over 12, 24 and 36 months; the first year cannot pay for itself."""
    rr = np.exp(np.linspace(0, 1.6, 30))
    frames, rows = [], []
    for horizon, slope, cost in ((12, 60_000, 900_000), (24, 160_000, 1_300_000), (36, 260_000, 1_700_000)):
        points = 100 * (0.88 ** (horizon / 12) - 0.88 ** (horizon / 12 * rr))
        frames.append(
            pd.DataFrame({"horizon": horizon, "points": points, "relative_risk": rr, "net": slope * points - cost})
        )
        rows.append((horizon, cost / slope if cost / slope < points.max() else np.nan))
    table = pd.DataFrame(rows, columns=["horizon", "points"])
    return SimpleNamespace(curve=pd.concat(frames, ignore_index=True), table=table)


def two_futures(months=24):
    """Survival as it was and without coverage, eight points apart at the end, with bands and what was seen."""
    t = np.arange(months + 1)
    natural, vanished = np.exp(-0.012 * t), np.exp(-0.0165 * t)
    return pd.DataFrame(
        {
            "t": t, "natural": natural, "natural_low": natural - 0.0006 * t, "natural_high": natural + 0.0006 * t,
            "vanished": vanished, "vanished_low": vanished - 0.0015 * t, "vanished_high": vanished + 0.0015 * t,
            "kaplan_meier": natural + 0.003 * np.sin(t),
        }
    )  # fmt: skip


def outcomes(middle=0.6, spread=0.9, bins=30):
    """A scenario's return on what was spent: mostly a gain, sometimes a loss."""
    edges = np.linspace(middle - 2.5 * spread, middle + 2.5 * spread, bins + 1)
    centre = (edges[1:] + edges[:-1]) / 2
    height = np.exp(-(((centre - middle) / spread) ** 2) / 2)
    return pd.DataFrame({"left": edges[:-1], "right": edges[1:], "share": height / height.sum()})


def points_worth():
    """What one to five points of yearly retention are worth over three horizons."""
    rows = [
        (points, horizon, points * worth)
        for horizon, worth in ((12, 18_000), (24, 61_000), (36, 128_000))
        for points in range(1, 6)
    ]
    return pd.DataFrame(rows, columns=["points", "horizon", "value"])


def shown(draw, result, headline, alt, note="", **options):
    """A made-up result as a chart on a page: drawn for a desk and for a phone, under its headline."""
    wide, narrow = draw(result, **options), draw(result, narrow=True, **options)
    return blocks.chart_figure(wide, narrow, headline, alt, note)
