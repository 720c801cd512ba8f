"""How results read in a notebook, and what Tab offers there."""

import re

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import cs_helpers as cs
from cs_helpers.churn.churn_reasons import departures, reason_shares, recorded_reasons
from cs_helpers.churn.group_curves import counts_by, curves_by_group
from cs_helpers.churn.kaplan_meier import time_to_leave


@pytest.fixture(scope="module")
def tables():
    return cs.load("data/sample")


@pytest.fixture(scope="module")
def results(tables):
    observed = {"observed_from": tables.observed_from, "as_of": tables.as_of}
    panel = tables.rollup("account_month", start=tables.observed_from, end=tables.as_of, dense=True)
    window = cs.periods.trailing_window(panel["month"].min(), tables.as_of, 12)
    spells, segment = tables.rollup("spells", **observed), tables.attribute()
    left = departures(panel, *window, recorded_reasons(tables.accounts, ""), tables.surveys, segment)
    return {
        "grr: 0.8": cs.retention.revenue_retention(panel, *window),
        "logo_retention: 0.8": cs.retention.logo_retention(panel, *window),
        "overall: 0.8": cs.retention.by_group(tables),
        "mrr, nrr, grr": cs.retention.summary(tables),
        "12 rows": cs.retention.cohort_triangle(tables.rollup("cohorts", **observed)),
        "spells: 612": time_to_leave(tables.rollup("survival_counts", **observed)),
        "400": cs.churn.revenue_weighted(spells),
        "p_value: 0.09": cs.churn.log_rank(counts_by(spells, segment)),
        "Enterprise": curves_by_group(counts_by(spells, segment), "segment"),
        "between_rate": cs.churn.anniversary_losses(spells, tables.subscriptions, tables.as_of),
        "alpha=": cs.churn.project(spells, tables.as_of),
        "unknown": reason_shares(left, []),
        "Gross revenue retention": cs.definitions["grr"],
    }


def test_every_result_fits_a_cell_and_says_its_main_figure(results):
    for figure, result in results.items():
        lines = repr(result).splitlines()
        assert len(lines) <= 12, (type(result).__name__, len(lines))
        assert max(map(len, lines)) <= 110
        assert figure in repr(result)
        assert lines[0] == type(result).__name__
        assert not re.search(r"Timestamp\(|0x[0-9a-f]{6}|\bnan\b", repr(result)), repr(result)


def test_an_interval_reads_low_to_high_and_the_value_itself_is_untouched(results):
    kept = results["grr: 0.8"]
    assert f"grr_interval: {kept.grr_interval[0]:.4g} to {kept.grr_interval[1]:.4g}" in repr(kept)
    low, high = kept.grr_interval
    assert low < kept.grr < high


def offered(text, **names):
    """What the kernel answers when a user presses Tab behind ``text``."""
    shell = InteractiveShell.instance()
    shell.push(names)
    with provisionalcompleter():
        return {found.text.lstrip(".") for found in shell.Completer.completions(text, len(text))}


@pytest.mark.parametrize("package", ["retention", "churn", "stats"])
def test_tab_offers_what_a_package_is_for_and_nothing_it_borrows(package):
    names = offered(f"cs.{package}.", cs=cs)
    wanted = set(getattr(cs, package).__all__)
    assert {name.rpartition(".")[2] for name in names} == wanted
    assert not {"pd", "np", "annotations", "Any"} & wanted


def test_tab_offers_the_tables_of_the_contract(tables):
    names = {name.rpartition(".")[2] for name in offered("tables.", tables=tables)}
    assert {"accounts", "subscriptions", "tickets", "rollup", "attribute", "quality"} <= names
    assert not [name for name in names if name.startswith("_")]


def test_tab_offers_the_subjects():
    names = {name.rpartition(".")[2] for name in offered("cs.", cs=cs)}
    assert {"load", "retention", "churn", "definitions"} <= names
