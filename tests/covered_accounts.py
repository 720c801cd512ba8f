"""Assignments that cover a part of the accounts, for reports of made-up companies."""

import numpy as np
import pandas as pd
from small_companies import END


def covering(accounts, share=0.5, seed=2):
    """Assignments of some of the accounts to three CSMs, each running from before the data on."""
    rng = np.random.default_rng(seed)
    chosen = accounts["account_id"][rng.random(len(accounts)) < share]
    columns = {"start_date": END - pd.DateOffset(months=48), "end_date": pd.NaT, "role": "csm"}
    return pd.DataFrame({"account_id": chosen, "rep_id": rng.choice(["R1", "R2", "R3"], len(chosen)), **columns})
