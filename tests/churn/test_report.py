"""The churn report on books that allow little: a sentence says what can and cannot be said; no NaN, no empty axis."""

import re

import numpy as np
import pandas as pd
import pytest
from notebook_cells import run_cells
from small_companies import FIRST, book, write

import cs_helpers as cs


def whole_report(source, **parameters):
    """All HTML and text of the report, checked for what must never be in one."""
    _, shown = run_cells("churn", source=source, **parameters)
    blocks = [block for block in shown if hasattr(block, "html")]
    html = " ".join(block.html for block in blocks)
    words = re.sub(r"<[^>]*>", " ", re.sub(r"<svg.*?</svg>", " ", html, flags=re.S))
    for text in (words, " ".join(block.text for block in blocks)):
        assert not re.search(r"\b(nan|inf|NaT|None(?! of)|NaN)\b", text), re.search(
            r".{60}\b(nan|inf|NaT|None|NaN)\b.{30}", text
        )
    for svg in re.findall(r"<svg viewBox.*?</svg>", html, flags=re.S):
        assert svg.count("<text") >= 2, "an axis without a word on it"
        assert not re.search(r"(nan|inf)\b", svg)
    return words


def test_a_book_in_which_nobody_leaves(tmp_path):
    words = whole_report(write(tmp_path, *book(churn="none")))
    assert "None of the" in words and "ended in the data" in words
    assert "Nobody left in this window, so there are no reasons to count" in words
    assert "There is no call list." in words or "Who is likely to leave cannot be told." in words
    assert "There is no quick ratio." in words
    assert "100.0\u202f%" in words


def test_a_book_in_which_everybody_leaves(tmp_path):
    words = whole_report(write(tmp_path, *book(churn="all")))
    assert "Nobody pays now" in words or "nobody to call" in words
    assert "€0" in words


def test_a_book_of_one_account(tmp_path):
    accounts, subscriptions = book(churn="none")
    alone = subscriptions.iloc[:1].assign(start_date=FIRST - pd.DateOffset(months=2))
    words = whole_report(write(tmp_path, accounts.iloc[:1], alone))
    assert "1 paid spell in the observed window" in words
    assert "too few accounts" in words or "cannot be" in words


def test_one_month_of_data(tmp_path):
    words = whole_report(write(tmp_path, *book(months=1), months=1))
    assert "the data begin in December 2025" in words
    assert "cannot be told" in words


def test_a_segment_with_one_account_is_never_shown_by_itself(tmp_path):
    accounts, subscriptions = book(n=120)
    accounts.loc[accounts.index[0], "segment"] = "Lonely"
    words = whole_report(write(tmp_path, accounts, subscriptions))
    assert "in groups that are too small even together are not shown" in words
    table = words[words.index("By segment,") :][:600]
    assert "Lonely" not in table


def test_blank_reasons_and_no_surveys_leave_a_sentence(tmp_path):
    words = whole_report(write(tmp_path, *book()))
    assert "Why accounts leave cannot be told." in words
    assert "Record why accounts leave" in words
    assert "unknown" in words


def test_a_source_of_two_tables_says_what_each_missing_table_would_give(tmp_path):
    accounts, subscriptions = book()
    words = whole_report(
        write(tmp_path, accounts.drop(columns=["segment", "churn_reason", "gross_margin"]),
              subscriptions.drop(columns="term_months"))
    )  # fmt: skip
    assert "no gross margin is known" in words.lower()
    assert "renewals were decided" in words and "term_months" in words
    assert "Segment has 1 group" in words


def test_optional_tables_that_lack_columns_are_read_for_what_they_have(tmp_path):
    accounts, subscriptions = book(n=120)
    accounts = accounts.drop(columns="name")
    left = subscriptions[subscriptions["end_date"].notna()]
    surveys = pd.DataFrame(
        {"kind": "exit", "account_id": left["account_id"], "answered_at": left["end_date"], "reason": "price"}
    )
    renewals = pd.DataFrame(
        {"account_id": left["account_id"], "due_date": left["end_date"], "target_mrr": left["mrr"], "renewed_mrr": 0.0}
    )
    goals = pd.DataFrame(
        [("grr", "Customer Success", 0.9, "2025-01-01", "2026-01-01")],
        columns=["metric", "department", "target", "period_start", "period_end"],
    )
    words = whole_report(write(tmp_path, accounts, subscriptions, surveys=surveys, renewals=renewals, goals=goals))
    assert "Price is the reason for the most lost revenue" in words
    assert "Target 90.0\u202f%" in words
    assert "Renewal rate (revenue)" in words


def test_an_attribute_that_is_not_there_stops_the_report_with_the_nearest_one(tmp_path):
    source = write(tmp_path, *book())
    with pytest.raises(cs.errors.ParameterError, match="Did you mean 'segment'"):
        run_cells("churn", source=source, by="segmnt")


def test_a_month_that_was_not_loaded_and_a_negative_tenure_stop_the_report(tmp_path):
    accounts, subscriptions = book(churn="none")
    gap = subscriptions.assign(end_date=pd.Timestamp("2024-05-01"))
    later = subscriptions.assign(start_date=pd.Timestamp("2024-06-01"))
    source = write(tmp_path, accounts, pd.concat([gap[gap["start_date"] < "2024-04-01"], later]))
    with pytest.raises(cs.errors.ContractError, match="May 2024"):
        run_cells("churn", source=source)
    negative = subscriptions.assign(end_date=subscriptions["start_date"] - pd.Timedelta(days=3))
    with pytest.raises(cs.errors.ContractError, match="end_date"):
        run_cells("churn", source=write(tmp_path, accounts, negative))


def test_the_report_by_another_attribute_splits_everything_by_it(tmp_path):
    accounts, subscriptions = book(n=160)
    accounts["tier"] = np.where(np.arange(len(accounts)) % 3 == 0, "gold", "basic")
    words = whole_report(write(tmp_path, accounts, subscriptions), by="tier")
    assert "By tier, January 2025 to December 2025" in words
    assert "differ by tier" in words or "differs by tier" in words
    assert "By segment" not in words
