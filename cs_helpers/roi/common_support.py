"""Overlap: for which accounts the data hold anything like an account without coverage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_helpers.core.results import Record
from cs_helpers.core.stats.logistic import logistic, probability_of
from cs_helpers.roi.gformula import Models, designs

MIN_UNCOVERED_CHANCE = 0.05
"""Below this chance of being uncovered an account has nothing to be compared with."""
_RIDGE = 0.1
_BINS = 20


@dataclass(frozen=True, eq=False, repr=False)
class Overlap(Record):
    """Where P(uncovered | health, MRR, tenure, calendar month) is at least 5 %.

    ``left_out_share``: share of MRR-months below it. ``table``: one row per segment: segment, accounts, mrr_share
    (of all MRR-months), left_out_share (of the segment's). ``histogram``: left, right, covered, uncovered: shares of
    MRR-months by P(uncovered) among covered and among uncovered account-months. ``inside``: one flag per account,
    most of its months lie inside.
    """

    left_out_share: float
    table: pd.DataFrame
    histogram: pd.DataFrame
    inside: np.ndarray


def measure_overlap(models: Models) -> Overlap:
    """How much of the MRR had a real chance of being uncovered.

    P(uncovered) comes from a pooled logistic model on natural splines of log MRR, health, tenure and calendar month and
    health x MRR, without last month's coverage: what matters is whether such accounts go without, not whether coverage
    lasts. Each account-month counts with its MRR.
    """
    trial, rows = models.trial, models.trial.rows
    x = designs(trial, models.scales, models.filled).leaving[:, :-3]  # all columns that hold no coverage
    covered = rows["covered"].to_numpy()
    fit = logistic(x, covered.astype(float), ridge=_RIDGE)
    uncovered = 1 - probability_of(fit.log_odds(x))
    outside, mrr = uncovered < MIN_UNCOVERED_CHANCE, rows["mrr"].to_numpy()
    account = rows["account"].to_numpy()
    months = trial.accounts["months"].to_numpy()
    inside = np.bincount(account, weights=outside) <= months / 2
    by = pd.DataFrame(
        {"segment": trial.accounts["segment"].to_numpy()[account], "mrr": mrr, "outside": mrr * outside}
    ).groupby("segment")
    sums = by[["mrr", "outside"]].sum()
    table = pd.DataFrame(
        {
            "segment": sums.index.astype(str),
            "accounts": trial.accounts.groupby("segment").size().reindex(sums.index).to_numpy(),
            "mrr_share": (sums["mrr"] / mrr.sum()).to_numpy(),
            "left_out_share": (sums["outside"] / sums["mrr"]).to_numpy(),
        }
    )
    edges = np.linspace(0, 1, _BINS + 1)
    shares = {
        name: np.histogram(uncovered[which], edges, weights=mrr[which])[0] / max(mrr[which].sum(), 1e-12)
        for name, which in (("covered", covered), ("uncovered", ~covered))
    }
    histogram = pd.DataFrame({"left": edges[:-1], "right": edges[1:], **shares})
    return Overlap(float((mrr * outside).sum() / mrr.sum()), table, histogram, inside)
