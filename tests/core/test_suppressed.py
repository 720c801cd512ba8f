"""What stands in the place of a result: it survives copies, and tells why a field of the result is not there."""

import copy
import pickle

import pytest

from cs_helpers.core.errors import ContractError
from cs_helpers.core.results import Suppressed, or_suppressed

WHY = Suppressed("45 churned accounts; 50 needed.", "Load a longer history.")


def test_it_survives_pickle_and_copy():
    assert pickle.loads(pickle.dumps(WHY)) == WHY == copy.deepcopy(WHY)


def test_a_field_of_the_missing_result_is_one_clear_line():
    with pytest.raises(ContractError, match=r"no 'at', because there is no result: 45 churned.*longer history"):
        WHY.at(12)
    assert not hasattr(WHY, "curve")


def test_an_analysis_of_something_suppressed_is_suppressed():
    def analysis(value):
        if value < 0:
            raise ContractError("negative")
        return value

    assert or_suppressed(analysis, 3) == 3
    assert or_suppressed(analysis, WHY) is WHY
    assert or_suppressed(analysis, value=-1) == Suppressed("negative")
