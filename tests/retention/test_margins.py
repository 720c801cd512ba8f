"""Gross margins of accounts."""

import pandas as pd
import pytest
from pytest import approx

from cs_helpers.core.errors import ContractError
from cs_helpers.retention import gross_margins


def test_accounts_without_a_margin_take_the_mean_of_those_with_one():
    accounts = pd.DataFrame({"account_id": list("ABC"), "gross_margin": [0.9, None, 0.5]})
    assert gross_margins(accounts).to_dict() == approx({"A": 0.9, "B": 0.7, "C": 0.5})
    with pytest.raises(ContractError, match="no gross margin is known"):
        gross_margins(accounts[["account_id"]])
