"""What changed since the last report: which run it is held against, and what may be said of a difference."""

import json

import pytest

from cs_helpers.publish import changes, words


def tile(key="grr", value=0.88, low=0.85, high=0.91, unit="fraction", text=None):
    text = text or ("–" if value is None else f"{value * 100:.1f} %")
    return {"key": key, "name": f"Name ({key})", "value": value, "low": low, "high": high, "unit": unit, "text": text}


def run(number, *tiles, as_of="2026-07-01", fingerprint="a", status="ok", series="churn", **more):
    return {
        "series": series,
        "run_id": f"2026070{number}T000000000Z-aaaa",
        "started_at": f"2026-07-0{number}T00:00:00Z",
        "status": status,
        "as_of": as_of,
        "source_fingerprint": fingerprint,
        "definitions_version": "1",
        "parameters": {"months": 12},
        "headline": list(tiles),
        **more,
    }


@pytest.fixture
def published(tmp_path):
    def publish(*runs):
        for one in runs:
            folder = tmp_path / one["series"] / one["run_id"]
            folder.mkdir(parents=True)
            (folder / "run.json").write_text(json.dumps(one))
        return tmp_path

    return publish


def test_the_first_report_of_a_series_has_nothing_to_be_compared_with(published):
    assert changes.since_last(run(2, tile()), published(run(1, tile(), series="other"))) is None


def test_each_headline_is_shown_then_and_now(published):
    found = changes.since_last(run(2, tile(value=0.86)), published(run(1, tile(value=0.9), as_of="2026-06-01")))
    row = found["rows"][0]
    assert (row["then"], row["now"]) == ("90.0 %", "86.0 %")
    assert row["difference"] == pytest.approx(0.86 - 0.90)
    assert found["as_of"] == "2026-06-01"


def test_the_same_data_run_again_is_passed_over_for_the_last_report_on_other_data(published):
    out = published(run(1, tile(value=0.7), as_of="2026-06-01"), run(2, tile(value=0.8)))
    found = changes.since_last(run(3, tile(value=0.8)), out)
    assert found["run_id"].startswith("20260701")
    assert found["rows"][0]["then"] == "70.0 %"


def test_a_failed_run_and_a_broken_record_are_no_reports(published, tmp_path):
    out = published(run(1, tile(value=0.7), as_of="2026-05-01"), run(2, as_of="2026-06-01", status="failed"))
    (tmp_path / "churn" / "20260703").mkdir()
    (tmp_path / "churn" / "20260703" / "run.json").write_text("{")
    assert changes.since_last(run(4, tile()), out)["as_of"] == "2026-05-01"


def test_a_later_run_is_not_the_last_one(published):
    assert changes.since_last(run(1, tile()), published(run(2, tile(), as_of="2026-08-01"))) is None


def test_other_parameters_and_definitions_are_named(published):
    out = published(run(1, tile(), as_of="2026-06-01", parameters={"months": 6}, definitions_version="0"))
    assert changes.since_last(run(2, tile()), out)["other"] == ["months", "definitions"]


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        (tile(value=0.90), tile(value=0.88), "−2.0 points, inside today's interval"),
        (tile(value=0.95), tile(value=0.88), "−7.0 points, outside today's interval"),
        (tile(value=0.80), tile(value=0.88), "+8.0 points, outside today's interval"),
        (tile(value=None), tile(value=0.88), "not given in both"),
        (tile(value=0.88), tile(value=None), "not given in both"),
        (tile(value=0.88), tile(value=0.8801, text="88.0 %"), "the same"),
        (tile(value=900, unit="money", low=None, high=None, text="€900"),
         tile(value=1000, unit="money", low=None, high=None, text="€1.0k"), "up"),
        (tile(value=1000, unit="money", low=None, high=None, text="€1.0k"),
         tile(value=900, unit="money", low=None, high=None, text="€900"), "down"),
    ],
)  # fmt: skip
def test_a_difference_is_never_called_more_than_its_interval_allows(published, then, now, said):
    found = changes.since_last(run(2, now), published(run(1, then, as_of="2026-06-01")))
    assert words.row_words(found["rows"][0]).replace("\u202f", " ") == said
