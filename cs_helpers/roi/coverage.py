"""Who pays and who is covered on the day of the portfolio, and what is left of their MRR as gross margin."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cs_helpers.core.errors import ContractError
from cs_helpers.roi.uncertain_inputs import Input, fixed_input


def paying_and_covered(
    mrr: pd.Series,
    assignments: pd.DataFrame,
    reps: pd.DataFrame | None,
    as_of: pd.Timestamp,
    role: str = "csm",
    everybody: bool = False,
) -> pd.DataFrame:
    """The accounts paying on the eve of ``as_of``, with whether somebody was assigned to them then.

    ``mrr``: currency per month by account_id, as from ``retention.paying_now``. ``assignments``: account_id, rep_id,
    start_date, end_date (NaT: it runs) and perhaps role: those of ``role`` or without one are cover, with "" all are.
    ``reps``: rep_id and left_on, the last day in the job; somebody who has left covers nobody. The rule is that of the
    roll-up ``vanish_panel``. ``everybody``: customer success covers all accounts, assigned or not. Columns: account_id,
    mrr, covered; covered is missing for all where no assignment is recorded, which is not the same as nobody being
    covered.
    """
    now = pd.DataFrame({"account_id": mrr.index.to_numpy(), "mrr": mrr.to_numpy(float)})
    if everybody:
        return now.assign(covered=True)
    if not len(assignments):
        return now.assign(covered=pd.Series(pd.NA, now.index, dtype="boolean"))
    eve = as_of - pd.Timedelta(days=1)
    runs = (assignments["start_date"] <= eve) & ~(assignments["end_date"] <= eve)
    if role and "role" in assignments:
        runs &= assignments["role"].isna() | (assignments["role"].str.lower() == role.lower())
    if reps is not None and {"rep_id", "left_on"} <= set(reps) and "rep_id" in assignments:
        gone = reps.loc[reps["left_on"] < eve, "rep_id"]
        runs &= ~assignments["rep_id"].isin(gone)
    return now.assign(covered=now["account_id"].isin(assignments.loc[runs.astype(bool), "account_id"]))


def margin_of(now: pd.DataFrame, margins: pd.Series) -> Input:
    """Gross margin of the covered MRR: the mean over covered accounts, weighted by MRR.

    ``now`` as from ``paying_and_covered`` (where coverage is not known, all accounts count); ``margins``: fractions by
    account_id. A fixed number: margins are taken as booked. Raises ContractError where no covered account has one.
    """
    among = now[now["covered"].fillna(True).astype(bool)]
    held = among["account_id"].map(margins).to_numpy(float)
    known = np.isfinite(held)
    if not known.any():
        raise ContractError("no covered account has a gross margin: give gross_margin with the accounts, or margin.")
    mean = float(np.average(held[known], weights=among["mrr"].to_numpy(float)[known]))
    return fixed_input(
        "margin", mean, "measured", f"gross_margin of {int(known.sum()):,} covered accounts, weighted by MRR"
    )
