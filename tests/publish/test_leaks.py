"""A name is found wherever and however it stands in what is published, and nothing else is taken for one."""

from __future__ import annotations

import html
import json
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from cs_helpers.core.identities import MAIL, Identities
from cs_helpers.publish import leaks
from cs_helpers.subjects import SUBJECTS

NAME = "Kellquist Freight"
SOMEBODY = Identities({"Account": [NAME, "A-0012", "Ωmega & Söhne", "東京商事", "B7"], "Rep": ["Liam Eriksen"]})

# Letters of several scripts, signs that have to be escaped, and blanks.
LETTERS = st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"))
TEXTS = st.text(LETTERS, max_size=60)
NAMES = st.lists(st.text(st.characters(codec="utf-8", categories=("Lu", "Ll")), min_size=3, max_size=9), min_size=2,
                 max_size=4).map(" ".join)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        f"see {NAME}.", "KELLQUIST FREIGHT", "kellquist-freight", "Kellquist\nFreight", "Kellquist\u00a0Freight",
        "Kell\u00adquist Frei\u200bght", "Ｋｅｌｌｑｕｉｓｔ Freight", "kellquist_freight.csv",
        "www.kellquistfreight.com",
        "<b>Kellquist</b> <i>Freight</i>", "<b>Kell</b>quist Freight", "<td>Kellquist</td><td>Freight</td>",
        '<p title="Kellquist Freight">', "<!-- Kellquist Freight -->", "Kellquist&nbsp;Freight",
        "&#75;ellquist Freight", "&amp;#75;ellquist Freight", "Kellquist%20Freight", '"\\u004bellquist Freight"',
        'x\\nKellquist Freight', "account A-0012", "A-0012,A-0013", "&Omega;mega &amp; S&ouml;hne",
        "ωMEGA &amp;amp; SÖHNE", "ein東京商事社", "cell B7 is", "by Liam Eriksen",
    ],
)  # fmt: skip
def test_a_name_is_found_however_it_is_written(text: str) -> None:
    assert SOMEBODY.named_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "Kellquist", "Freight", "Freight Kellquist", "Kellquister Freight", "A-00123", "a 0012", "xA-0012",
        "12.75 and B70", "AB7", "#b7f", "Liam and Eriksen", "東京", "mega", "50% of 100%",
    ],
)  # fmt: skip
def test_what_only_resembles_a_name_is_none(text: str) -> None:
    assert SOMEBODY.named_in(text) == []


@settings(max_examples=300, deadline=None)
@given(name=NAMES, before=TEXTS, after=TEXTS)
@example(name="Aa Bb", before="", after="")
def test_a_planted_name_is_found_as_it_is_and_escaped_for_html_for_json_and_for_an_address(
    name: str, before: str, after: str
) -> None:
    somebody = Identities({"Account": [name]})
    assume(not somebody.unscanned)
    text = f"{before} {name} {after}"
    for written in (
        text,
        html.escape(text),
        html.escape(html.escape(text)),
        json.dumps(text),
        json.dumps(text, ensure_ascii=False),
        "".join(f"&#{ord(c)};" for c in text),
        f"/find?q={quote(text)}",
        f"<p>{html.escape(before)} <b>{name.replace(' ', '</b> <b>')}</b> {html.escape(after)}</p>",
        f'<svg aria-label="{html.escape(text)}"></svg>',
        text.upper(),
    ):
        assert "Account" in somebody.named_in(written), written


PLAIN = st.text("bcdfg \n.,-<>/%&;'\\\"0123456789", max_size=80)


@settings(max_examples=200, deadline=None)
@given(text=PLAIN)
def test_a_text_without_a_word_of_the_name_is_never_taken_for_it(text: str) -> None:
    assert Identities({"Account": ["Astoria Umeo"], "Rep": ["Aoi"]}).named_in(text) == []


@pytest.mark.parametrize(
    "text", ["ask ada@kunde.example.org", "mailto:a.b+c@x-y.io", "a&#64;b.example.com", "a%40b.example.org"]
)
def test_any_mail_address_is_found(text: str) -> None:
    assert SOMEBODY.named_in(text) == [MAIL]


@pytest.mark.parametrize("text", ["@media screen", "a @ b.c", "user@host", "x@1.2", "§@§.de", "@", "a@@b.de.@"])
def test_what_is_no_mail_address_is_not_taken_for_one(text: str) -> None:
    assert SOMEBODY.named_in(text) == []


def test_a_long_text_of_one_word_and_many_signs_takes_no_time_to_speak_of() -> None:
    assert SOMEBODY.named_in("a" * 200_000 + "@" * 2_000 + "." * 200_000) == []


def test_names_that_cannot_be_told_from_ordinary_text_are_left_out_and_counted() -> None:
    names = ["12345", "12-3", "123456", "X", "***", "", "Headline", "Headline Labs", "Ärger"]
    found = Identities({"Account": names}, ordinary=frozenset({"headline", "ärger"}))
    assert found.unscanned == ("12345", "12-3", "X", "***", "", "Headline", "Ärger")
    assert found.named_in("12345 Headline x ärger *** 12-3") == []
    assert found.named_in("id 123456") == found.named_in("headline labs") == ["Account"]


@pytest.mark.parametrize("text", ["123,456", "0.123456", "1,123,456.5", "123456.7", "123456789"])
def test_a_key_of_digits_is_not_found_inside_a_measure(text: str) -> None:
    assert Identities({"Account": ["123456"]}).named_in(text) == []


# --- files ------------------------------------------------------------------------------------------------------------


def cell(**changes: object) -> dict[str, object]:
    return {"cell_type": "code", "metadata": {}, "source": ["show()"], "outputs": []} | changes


def notebook(*cells: dict[str, object], **changes: object) -> str:
    return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | changes)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("report.html", f"<p>{NAME}</p>", "report.html: names an account"),
        ("run.json", json.dumps({"takeaways": [f"{NAME} left"]}), "run.json: names an account"),
        ("run.json", json.dumps({NAME: 1}), "run.json: names an account"),
        ("rows.csv", f"name\n{NAME}\n", "rows.csv: names an account"),
        ("notebook.ipynb", notebook(cell(), cell(source=[f"# {NAME}"])), "notebook.ipynb, cell 2: names an account"),
        ("own.ipynb", notebook(cell(source=["Kellquist\n", "Freight"])), "own.ipynb, cell 1: names an account"),
        ("notebook.ipynb", notebook(cell(metadata={"tags": [NAME]})), "notebook.ipynb, cell 1: names an account"),
        ("notebook.ipynb", notebook(cell(), metadata={"by": "Liam Eriksen"}), "notebook.ipynb, metadata: names a rep"),
        ("report.html", '<img src="data:image/png;base64,iVBO">', "report.html: holds a picture"),
    ],
)  # fmt: skip
def test_a_find_tells_the_file_the_cell_and_the_kind_and_never_the_name(file: str, text: str, said: str) -> None:
    (found,) = leaks.scan({file: text}, SOMEBODY)
    assert found.startswith(said)
    assert "quist" not in found.lower() and "liam" not in found.lower()


def test_clean_files_hold_nothing() -> None:
    files = {"report.html": "<p>Account K7QX2M</p>", "notebook.ipynb": notebook(cell()), "run.json": "{}"}
    assert leaks.scan(files, SOMEBODY) == []


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "application/pdf", "video/mp4"])
def test_an_output_that_cannot_be_read_for_names_is_told(kind: str) -> None:
    shown = {"cells": [cell(), cell(outputs=[{"data": {kind: "iVBORw0KGgo=", "text/plain": "x"}}])]}
    (found,) = leaks.pictures(shown)
    assert found.startswith("notebook.ipynb, cell 2: holds a picture")
    drawn = {"cells": [cell(outputs=[{"data": {"image/svg+xml": "<svg/>", "text/html": "x"}}])]}
    assert leaks.pictures(drawn) == []


def test_words_of_the_notebook_before_it_runs_are_no_names_but_defaults_of_parameters_are(tmp_path) -> None:
    path = tmp_path / "own.ipynb"
    cells = [
        cell(cell_type="markdown", source=["# Zephyrine and Kellquist Freight\n", "Why?"]),
        cell(metadata={"tags": ["parameters"]}, source=['csm = "Quillfeather"  # Brumaire is a word here']),
    ]
    path.write_text(notebook(*cells))
    names = {"Account": ["Zephyrine", "Quillfeather", "Brumaire", NAME, "Retention", "Data quality", "Wexcombe"]}
    found, unscanned = leaks.searchable(names, path)
    # One word of the notebook, of its comments or of the package is no name; two words are one in the notebook, too,
    # where an author may have written them by hand, and none where the package itself says them.
    assert set(unscanned) == {"Zephyrine", "Brumaire", "Retention", "Data quality"}
    assert found.named_in("Zephyrine Brumaire retention data quality") == []
    for name in ("Quillfeather", NAME, "Wexcombe"):
        assert found.named_in(f"of {name}") == ["Account"]


def test_no_name_of_the_sample_company_is_an_ordinary_word() -> None:
    import pandas as pd

    root = leaks.PACKAGE.parent
    names = [
        *pd.read_csv(root / "data/sample/accounts.csv")["name"],
        *pd.read_csv(root / "data/sample/reps.csv")["name"],
    ]
    assert leaks.searchable({"Account": names}, root / "notebooks" / "churn.ipynb")[1] == ()


def test_the_words_of_the_report_come_from_modules_that_exist_and_from_every_subject() -> None:
    assert [name for name in leaks.REPORT_TEXTS if not (leaks.PACKAGE / name).exists()] == []
    assert set(SUBJECTS) <= set(leaks.REPORT_TEXTS)
