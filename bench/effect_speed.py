"""How fast the measured effect is, against the same estimator looped over statsmodels fits.

    python bench/effect_speed.py [PEER_DRAWS]

World A, 2,000 accounts over 24 months, 200 draws of whole accounts; one thread. The peer makes the same draws of the
same columns and lives through the same futures, but fits each draw's three models with statsmodels (GLM with a binomial
family and frequency weights, WLS); PEER_DRAWS of its draws are timed and scaled up to 200. Then the whole analysis with
all rungs and gates, and 20,000 accounts. ``measurements`` gives the same as data.
"""

from __future__ import annotations

import resource
import sys
import time
from typing import Any

import numpy as np
import statsmodels.api as sm

from cs_helpers.core.stats.threads import one_thread
from cs_helpers.data.sample.worlds import simulate
from cs_helpers.roi.effect import measure_effect
from cs_helpers.roi.gformula import Population, designs, fit_models, simulate_futures
from cs_helpers.roi.trial import Trial, trial

DRAWS, PEER_DRAWS, HORIZON = 200, 8, 24
BOUND_S, BOUND_FASTER, BOUND_MANY_S = 30, 10, 300


def _weights(followed: Trial) -> np.ndarray:
    mrr = followed.accounts["mrr"].to_numpy()
    return np.column_stack([np.ones(len(mrr)), mrr])


def _ours(followed: Trial) -> float:
    begun = time.perf_counter()
    simulate_futures(fit_models(followed), HORIZON, _weights(followed), DRAWS)
    return time.perf_counter() - begun


def _peer(followed: Trial, draws: int) -> float:
    """Seconds for one draw, the mean of ``draws``."""
    models = fit_models(followed)
    x = designs(followed, models.scales, models.filled)
    rows, count = followed.rows, len(followed.accounts)
    account, covered = rows["account"].to_numpy(), rows["covered"].to_numpy(float)
    left, later = rows["churned"].to_numpy(float), models.scales.health(models.filled)[x.stays + 1]
    people, weights, rng = Population(models, HORIZON), _weights(followed), np.random.default_rng(1)
    begun = time.perf_counter()
    with one_thread():
        for _ in range(draws):
            times = np.bincount(rng.integers(count, size=count), minlength=count).astype(float)
            by_row = times[account]
            leaving = sm.GLM(left, x.leaving, sm.families.Binomial(), freq_weights=by_row).fit().params
            health = sm.WLS(later, x.next_health, by_row[x.stays]).fit().params
            families = sm.families.Binomial()
            coverage = sm.GLM(covered[x.later], x.coverage, families, freq_weights=by_row[x.later]).fit().params
            people.run([leaving, health, coverage], weights[people.population] * times[:, None], rng, 1)
    return (time.perf_counter() - begun) / draws


def measurements(peer_draws: int = PEER_DRAWS) -> dict[str, Any]:
    """Seconds of each run."""
    small = trial(simulate("A", accounts=2000, months=24, seed=1).panel)
    _ours(trial(simulate("A", accounts=200, months=24, seed=1).panel))  # imports and caches
    ours = min(_ours(small) for _ in range(3))
    begun = time.perf_counter()
    measure_effect(small, horizon=HORIZON, draws=DRAWS)
    whole = time.perf_counter() - begun
    many = trial(simulate("A", accounts=20_000, months=24, seed=1).panel)
    begun = time.perf_counter()
    simulate_futures(fit_models(many), HORIZON, _weights(many), DRAWS)
    large = time.perf_counter() - begun
    begun = time.perf_counter()
    measure_effect(many, horizon=HORIZON, draws=DRAWS)
    large_whole = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kB on Linux; before the peer, which needs more
    peer = _peer(small, peer_draws) * DRAWS
    return {
        "rows": len(small.rows),
        "ours": ours,
        "peer": peer,
        "peer_draws": peer_draws,
        "whole": whole,
        "large": large,
        "large_whole": large_whole,
        "peak_mb": peak / 1024,
    }


def section(peer_draws: int = PEER_DRAWS) -> str:
    """The measurements as Markdown."""
    m = measurements(peer_draws)
    faster = m["peer"] / m["ours"]
    slower = f"{m['peer']:.0f}, {faster:.0f}x as long"

    def met(holds: bool) -> str:
        return "met" if holds else "**missed**"

    return f"""## The measured effect

World A, 2,000 accounts x 24 months ({m["rows"]:,} account-months), {DRAWS} draws of whole accounts, one thread. The
peer fits each draw's models with statsmodels on the same columns and lives through the same futures;
{m["peer_draws"]} of its draws were timed and scaled up. The whole analysis has every rung and gate, and one CSM after
another left out.

| | seconds | bar | |
|---|---|---|---|
| g-formula, {DRAWS} draws | {m["ours"]:.1f} | under {BOUND_S} | {met(m["ours"] < BOUND_S)} |
| the same looped over statsmodels | {slower} | at least {BOUND_FASTER}x | {met(faster >= BOUND_FASTER)} |
| the whole analysis | {m["whole"]:.1f} | | |
| g-formula, 20,000 accounts | {m["large"]:.1f} | under {BOUND_MANY_S} | {met(m["large"] < BOUND_MANY_S)} |
| the whole analysis, 20,000 accounts | {m["large_whole"]:.1f} | | |

Largest memory with 20,000 accounts: {m["peak_mb"]:,.0f} MB.
"""


if __name__ == "__main__":
    sys.stdout.write(section(*(int(each) for each in sys.argv[1:2])))
