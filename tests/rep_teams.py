"""Simulated teams of support reps with known differences, for tests and for bench/: nothing here is a result."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from cs_helpers.reps.results import Cases

SEGMENTS = {"SMB": 0.0, "Mid-Market": -0.35, "Enterprise": -0.9}  # log odds of a content customer
CHANNELS = {"email": 0.0, "chat": 0.3, "phone": -0.3}
PRIORITIES = {"normal": 0.0, "high": -0.4, "urgent": -0.9}


@dataclass(frozen=True)
class Team:
    cases: Cases
    truth: np.ndarray  # log odds of each rep, in the order of their ids


def team(seed, reps=40, tickets=9_000, accounts=900, spread=0.0, account_spread=0.9, level=1.6):
    """A team whose first quarter are specialists for hard cases, so that raw shares mislead.

    Each rep mostly serves accounts of an own patch, as in real queues, so that cases of one account are one rep's.
    """
    draw = np.random.default_rng(seed)
    truth = draw.normal(0, spread, reps) if spread else np.zeros(reps)
    names = list(SEGMENTS)
    segment = draw.choice(3, accounts, p=[0.55, 0.3, 0.15])
    # Enterprise accounts go to the specialists, the others to the rest, with some mixing.
    special = draw.random(accounts) < np.array([0.08, 0.25, 0.8])[segment]
    quarter = reps // 4
    home = np.where(special, draw.integers(0, quarter, accounts), draw.integers(quarter, reps, accounts))
    size = draw.gamma(1.2, 1.0, accounts)
    account = draw.choice(accounts, tickets, p=size / size.sum())
    rep = np.where(draw.random(tickets) < 0.8, home[account], draw.integers(0, reps, tickets))
    channel, priority = draw.choice(3, tickets, p=[0.5, 0.3, 0.2]), draw.choice(3, tickets, p=[0.7, 0.2, 0.1])
    log_odds = (
        level
        + np.array(list(SEGMENTS.values()))[segment[account]]
        + np.array(list(CHANNELS.values()))[channel]
        + np.array(list(PRIORITIES.values()))[priority]
        + draw.normal(0, account_spread, accounts)[account]
        + truth[rep]
    )
    table = pd.DataFrame(
        {
            "rep_id": pd.Categorical.from_codes(rep, [f"R-{number:04d}" for number in range(reps)]),
            "cluster": pd.Categorical.from_codes(account, [f"A-{number:04d}" for number in range(accounts)]),
            "month": pd.Timestamp("2026-01-01"),
            "segment": pd.Categorical.from_codes(segment[account], names),
            "channel": pd.Categorical.from_codes(channel, list(CHANNELS)),
            "priority": pd.Categorical.from_codes(priority, list(PRIORITIES)),
            "csat": (draw.random(tickets) < expit(log_odds)).astype(np.float32),
        }
    )
    return Team(Cases(table, ("csat",), ("segment", "channel", "priority")), truth)
