"""The drafter's vocabulary: what exports call the columns and values of the contract, read from ``vocabulary.yml``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict

_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every scalar is text: "no" and "1" are words here


def _flat(value: Any) -> tuple[str, ...]:
    """A list of phrases; a list inside it, such as the names that tables share, is joined."""

    def phrases(items: Any) -> Iterator[str]:
        for item in items:
            yield from [item] if isinstance(item, str) else phrases(item)

    return tuple(phrases(value))


Phrases = tuple[str, ...]
_Phrases = Annotated[Phrases, BeforeValidator(_flat)]


class HeaderNames(BaseModel):
    """Names of columns that the contract does not have, but from which its columns are made or checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_response_duration: _Phrases
    resolution_duration: _Phrases
    resolved_flag: _Phrases
    tenure: _Phrases
    yearly_price: _Phrases
    price: _Phrases
    price_period: _Phrases
    time_of_day: _Phrases
    churn_flag: _Phrases
    churn_status: _Phrases
    churn_date: _Phrases
    churned_values: _Phrases
    outcome_only: _Phrases
    personal: _Phrases
    places: _Phrases
    churn_files: _Phrases


class Vocabulary(BaseModel):
    """The words of ``vocabulary.yml``; its comments say what each part is for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shared: dict[str, _Phrases]
    columns: dict[str, dict[str, _Phrases]]
    tables: dict[str, _Phrases]
    headers: HeaderNames
    term_months: dict[int, _Phrases]
    true_words: _Phrases
    false_words: _Phrases
    values: dict[str, dict[str, _Phrases]]
    time_units: dict[str, _Phrases]
    currency_codes: _Phrases
    currency_signs: dict[str, str]
    countries: dict[str, _Phrases]


def read_vocabulary() -> Vocabulary:
    """The vocabulary of the package. Raises pydantic's ValidationError for a part that is unknown or missing."""
    text = Path(__file__).with_name("vocabulary.yml").read_text(encoding="utf-8")
    return Vocabulary.model_validate(yaml.load(text, Loader=_LOADER))  # noqa: S506 - it makes nothing but text


VOCABULARY = read_vocabulary()
HEADERS = VOCABULARY.headers
