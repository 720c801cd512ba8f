"""A made-up portfolio and its what-if panel, for the tests of the panel and of its page."""

import numpy as np
import pandas as pd

from cs_helpers.roi.portfolio import make_portfolio
from cs_helpers.roi.uncertain_inputs import fixed_input
from cs_helpers.roi.what_if_model import make_what_if

GIVEN = {
    "relative_risk": 1.35,
    "yearly_churn": 0.1432,
    "expansion": 0.06,
    "expansion_lost": 0.25,
    "margin": 0.7734,
    "people": 31250.55,
    "tools": 2100.0,
    "management": 6400.0,
    "absorbed": 0.2,
    "severance_months": 2.0,
    "notice_months": 2.5,
    "discount": 0.1,
}


def made_up_portfolio(accounts=400, seed=3):
    """Contracts of 1, 12, 24 and 36 months, one account per row drawn; 30 % more MRR is covered by nobody."""
    rng = np.random.default_rng(seed)
    term = rng.choice([1, 12, 24, 36], accounts, p=[0.15, 0.6, 0.15, 0.1])
    rows = pd.DataFrame(
        {
            "due_in": np.where(term == 1, 1, rng.integers(0, 36, accounts) % term),
            "term": term,
            "mrr_cents": (rng.lognormal(6.6, 1.1, accounts) * 100).astype(int),
            "accounts": 1,
        }
    )
    return make_portfolio(rows, total_mrr=rows["mrr_cents"].sum() / 100 * 1.3, all_accounts=2 * accounts)


def made_up_panel(relative_risk=GIVEN["relative_risk"], **options):
    """The panel of that portfolio at the inputs of ``GIVEN``; without a relative risk where it is None."""
    given = {name: value for name, value in (GIVEN | {"relative_risk": relative_risk}).items() if value is not None}
    return make_what_if(made_up_portfolio(), [fixed_input(*each) for each in given.items()], **options)
