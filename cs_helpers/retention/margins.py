"""Gross margins of accounts, for what retention is worth."""

from __future__ import annotations

import pandas as pd

from cs_helpers.core.errors import ContractError


def gross_margins(accounts: pd.DataFrame) -> pd.Series:
    """Gross margin of each account as a fraction, by account_id; accounts without one take the mean of the others.

    Raises ContractError where no account has one: a value of revenue instead of margin would be far too high.

    Example:
        >>> bool(cs.retention.gross_margins(tables.accounts).between(0, 1).all())
        True
    """
    known = accounts["gross_margin"].astype(float) if "gross_margin" in accounts else pd.Series(dtype=float)
    if known.notna().sum() == 0:
        raise ContractError(
            "no gross margin is known, and without one lifetime value would be a value of revenue. Give gross_margin "
            "with the accounts, or the parameter margin, for example 0.8"
        )
    return known.fillna(known.mean()).set_axis(accounts["account_id"])
