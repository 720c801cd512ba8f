"""Internal moves: who counts, how long they were there, and what the rate can mean."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cs_helpers as cs
from cs_helpers.core.errors import ContractError, ParameterError
from cs_helpers.core.stats import poisson_interval
from cs_helpers.reps.employment import internal_moves


def people(*rows):
    table = pd.DataFrame(rows, columns=["rep_id", "role", "hired_on", "left_on", "moved_to"])
    dates = {name: pd.to_datetime(table[name]) for name in ("hired_on", "left_on")}
    return table.assign(**dates).astype({"rep_id": "str", "role": "str", "moved_to": "str"})


def test_moves_are_divided_by_the_years_that_reps_were_employed_in_the_window():
    found = internal_moves(
        people(
            ("a", "support", "2020-01-01", None, None),  # all 365 days of 2025
            ("b", "support", "2025-07-01", None, None),  # 184 days
            ("c", "support", None, "2025-03-31", "Product"),  # 31 + 28 + 31 = 90 days, the last one counts
            ("d", "support", "2025-01-01", "2025-01-10", None),  # 10 days, left the company
            ("e", "csm", "2020-01-01", "2025-06-30", "Sales"),  # another role
            ("f", "support", "2020-01-01", "2024-12-31", "Sales"),  # gone before the window opens
            ("g", "support", "2026-01-01", None, None),  # hired after it closes
        ),
        "support",
        "2025-01-01",
        "2026-01-01",
    )
    years = (365 + 184 + 90 + 10) / 365.25
    assert (found.moves, found.left, found.rep_years) == (1, 1, pytest.approx(years))
    assert found.rate == pytest.approx(1 / years)
    assert found.to == {"Product": 1}


def test_the_interval_is_the_exact_one_of_a_poisson_count():
    rows = [(f"r{i}", "csm", "2020-01-01", "2025-12-31" if i < 4 else None, "Sales") for i in range(20)]
    found = internal_moves(people(*rows), "csm", "2025-01-01", "2026-01-01")
    # Garwood 1936 for 4 events: 1.090 to 10.242; 20 reps were there for 365 days
    assert (found.low * found.rep_years, found.high * found.rep_years) == pytest.approx((1.090, 10.242), abs=0.001)
    assert found.rep_years == pytest.approx(20 * 365 / 365.25)


def test_without_a_move_the_rate_is_nothing_with_an_upper_limit():
    found = internal_moves(people(("a", "csm", None, None, None)), "csm", "2024-01-01", "2026-01-01")
    assert (found.rate, found.low, found.moves, dict(found.to)) == (0, 0, 0, {})
    assert found.high == pytest.approx(-np.log(0.025) / (731 / 365.25))  # 3.69 events, the exact limit of none


def test_somebody_who_left_without_a_department_to_go_to_left_the_company():
    found = internal_moves(
        people(
            ("a", "csm", None, "2025-02-01", None),
            ("b", "csm", None, "2025-02-01", "  "),
            ("c", "csm", None, "2025-02-01", "Product "),
            ("d", "csm", None, "2025-02-01", "Product"),
            ("e", "csm", None, "2025-02-01", "Analytics"),
        ),
        "csm",
        "2025-01-01",
        "2026-01-01",
    )
    assert (found.left, found.moves) == (2, 3)
    assert list(found.to.items()) == [("Product", 2), ("Analytics", 1)]  # the most first


def test_a_move_of_somebody_who_is_still_there_is_none():
    found = internal_moves(people(("a", "csm", None, None, "Sales")), "csm", "2025-01-01", "2026-01-01")
    assert (found.moves, found.left) == (0, 0)


def test_the_first_and_the_last_day_of_the_window_belong_to_it():
    rows = [("a", "csm", None, "2025-01-01", "Sales"), ("b", "csm", None, "2025-12-31", "Sales")]
    rows += [("c", "csm", None, "2026-01-01", "Sales")]
    assert internal_moves(people(*rows), "csm", "2025-01-01", "2026-01-01").moves == 2


@pytest.mark.parametrize("rows", [[], [("a", "csm", "2026-01-01", None, None)], [("a", None, None, None, None)]])
def test_where_nobody_of_the_role_was_employed_there_is_no_rate(rows):
    with pytest.raises(ContractError, match="nobody with the role csm"):
        internal_moves(people(*rows), "csm", "2025-01-01", "2026-01-01")


def test_reps_without_the_column_for_moves_are_no_reps_without_moves():
    with pytest.raises(ContractError, match="no moved_to"):
        internal_moves(
            people(("a", "csm", None, None, None)).drop(columns="moved_to"), "csm", "2025-01-01", "2026-01-01"
        )


@pytest.mark.parametrize(
    ("role", "start", "said"), [("csms", "2025-01-01", "'csm'"), ("csm", "2026-01-01", "no month")]
)
def test_a_wrong_role_or_window_is_the_users_mistake(role, start, said):
    with pytest.raises(ParameterError, match=said):
        internal_moves(people(("a", "csm", None, None, None)), role, start, "2026-01-01")


def test_the_sample_companys_moves_are_those_its_table_of_reps_holds():
    reps = pd.read_csv(Path(__file__).parents[2] / "data" / "sample" / "reps.csv", parse_dates=["hired_on", "left_on"])
    found = internal_moves(reps, "support", "2023-07-01", "2026-07-01")
    gone = reps[(reps["role"] == "support") & reps["left_on"].between("2023-07-01", "2026-06-30")]
    assert (found.moves, found.left) == (gone["moved_to"].notna().sum(), gone["moved_to"].isna().sum())
    assert sum(found.to.values()) == found.moves
    low, high = poisson_interval(found.moves)
    assert (found.low, found.high) == pytest.approx((float(low) / found.rep_years, float(high) / found.rep_years))


def test_the_rate_has_a_definition():
    assert cs.definitions["internal_moves_rate"].unit == "per rep-year"
