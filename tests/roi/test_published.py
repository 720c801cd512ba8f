"""Figures that others have published: E-values, and quitting smoking in NHEFS (Hernan & Robins, What If, 17)."""

import numpy as np
import pytest
from pytest import approx

from cs_helpers.core.stats.sensitivity import bias_factor, e_value
from cs_helpers.roi.baseline import point_treatment

MONTHS = 120  # January 1983 to December 1992


@pytest.fixture(scope="module")
def nhefs():
    causaldata = pytest.importorskip("causaldata", reason="the package causaldata, which holds NHEFS, is not installed")
    people = causaldata.nhefs.load_pandas().data
    died = people["death"] == 1
    people["months"] = np.where(died, (people["yrdth"] - 83) * 12 + people["modth"], MONTHS)
    people["died"] = died
    return people


def confounders(people, *more):
    columns = [people["sex"], people["race"]]
    for name in ("age", "smokeintensity", "smokeyrs", "wt71"):
        columns += [people[name], people[name] ** 2]
    for name in ("education", "exercise", "active"):
        columns += [people[name] == level for level in sorted(people[name].unique())[1:]]
    return np.column_stack([*columns, *(people[name] for name in more)]).astype(float)


def at_the_end(people, *more):
    return point_treatment(confounders(people, *more), people["qsmk"] == 1, people["months"], people["died"], MONTHS)


@pytest.fixture(scope="module")
def found(nhefs):
    """The analysis with the book's confounders."""
    return at_the_end(nhefs)


def test_nhefs_has_the_people_and_the_deaths_of_the_book(found):
    assert (found.accounts, found.treated, found.events) == (1629, 428, 318)
    assert len(found.curves) == MONTHS + 1 and (found.curves.iloc[0].drop("t") == 1).all()


def test_weighting_gives_the_survival_of_quitters_and_others_that_the_book_prints(found):
    survival = found.at_horizon()
    assert survival["weighted_treated"] == approx(0.807, abs=0.0005)
    assert survival["weighted_untreated"] == approx(0.805, abs=0.0005)


def test_standardising_gives_the_survival_of_quitters_and_others_that_the_book_prints(nhefs):
    # The portfolio's program 17.4 adjusts for the change in smoking intensity up to 1982 as well.
    survival = at_the_end(nhefs, "smkintensity82_71").at_horizon()
    assert survival["standardised_treated"] == approx(0.804, abs=0.0005)
    assert survival["standardised_untreated"] == approx(0.806, abs=0.0005)


def test_without_adjustment_quitters_seem_to_die_earlier(nhefs):
    # Quitters were older. The crude curves of the portfolio's figure 17.1 end at 76.2 % and 82.0 %.
    nobody = np.zeros((len(nhefs), 1))
    found = point_treatment(nobody, nhefs["qsmk"] == 1, nhefs["months"], nhefs["died"], MONTHS).at_horizon()
    assert found["weighted_treated"] == approx(0.762, abs=0.002)
    assert found["weighted_untreated"] == approx(0.820, abs=0.002)
    assert found["standardised_treated"] == approx(found["weighted_treated"], abs=1e-6)


def test_the_e_values_of_vanderweele_and_ding():
    point, limit = e_value(3.9, 1.8)
    assert (point, limit) == (approx(7.26, abs=0.005), approx(3.00, abs=0.005))
    point, limit = e_value(0.80, 0.91)  # of the interval .71 to .91 the limit nearest to 1
    assert (point, limit) == (approx(1.81, abs=0.005), approx(1.43, abs=0.005))


def test_the_bias_factor_of_two_and_three_is_one_and_a_half():
    assert bias_factor(2, 3) == approx(2 * 3 / (2 + 3 - 1))
