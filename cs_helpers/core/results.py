"""Results: frozen values that show themselves, and the reason in place of a result that the data do not allow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import wraps
from importlib import import_module
from inspect import get_annotations, signature
from typing import TYPE_CHECKING, Any, Concatenate, NoReturn, ParamSpec, TypeVar

from cs_helpers.core.errors import ContractError, ParameterError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MAX_WIDTH = 110
MAX_LINES = 11

R = TypeVar("R")
T = TypeVar("T")
P = ParamSpec("P")


class Record:
    """Base of frozen values whose ``repr`` has at most twelve lines, fields in order, tables by rows and columns."""

    def __repr__(self) -> str:
        shown = [(field.name, getattr(self, field.name)) for field in fields(self)]  # type: ignore[arg-type]
        lines = [f"  {name}: {_words(value)}" for name, value in shown if value is not None and name[0] != "_"]
        if len(lines) > MAX_LINES:
            lines = [*lines[: MAX_LINES - 1], f"  and {len(lines) - MAX_LINES + 1} more fields"]
        return "\n".join([type(self).__name__, *(_cut(line) for line in lines)])


class Result(Record):
    """The answer to one question. As the last line of a cell it shows its headline, chart, note and table.

    How it is shown is written in the ``View`` of its type, in the ``views`` module of its subject. A field must not be
    called ``table``, ``headline`` or ``figure``: a dataclass would take the property below for its default.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        taken = [name for name in ("table", "headline", "figure") if name in get_annotations(cls)]
        if taken:
            raise TypeError(f"{cls.__name__}: a result cannot have a field named {' or '.join(taken)}; rename it.")

    @property
    def table(self) -> pd.DataFrame:
        """The figures behind the chart, one row each, numbers unformatted."""
        frame: pd.DataFrame = _views().view_of(self).table(self)
        return frame

    @property
    def headline(self) -> str:
        """The sentence that states the finding, with its evidence."""
        text: str = _views().view_of(self).headline(self).text
        return text

    def figure(self, *, narrow: bool = False) -> Figure | None:
        """The chart as a matplotlib Figure, to change or save; None where the result has no chart.

        ``narrow`` draws it for a phone.
        """
        chart: Figure | None = _views().view_of(self).chart(self, narrow)
        return chart

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle: dict[str, Any] = _views().render(self)._repr_mimebundle_()
        return bundle


@dataclass(frozen=True, repr=False)
class Suppressed(Result):
    """The reason why there is no result, and what is needed to get one.

    ``conclusion`` is the headline in place of the result's ("Churn risk cannot be estimated."), ``anchor`` its place
    on the page.
    """

    reason: str
    remedy: str = ""
    conclusion: str = ""
    anchor: str = ""

    def __getattr__(self, name: str) -> NoReturn:
        # Only called for what is not there. Names that begin with "_" belong to pickle, copy and IPython.
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotAvailable(f"there is no '{name}', because there is no result: {self.reason} {self.remedy}".strip())


class NotAvailable(ContractError, AttributeError):  # noqa: N818 - the name a user reads
    """A field was asked of a result that the data do not allow."""


def or_suppressed(analysis: Callable[..., R], *arguments: Any, **options: Any) -> R | Suppressed:
    """The result of an analysis, or ``Suppressed`` with the reason where the data do not allow one (ContractError).

    A ``Suppressed`` among the arguments is the result: what cannot be computed is not analysed further.
    """
    suppressed = next((each for each in (*arguments, *options.values()) if isinstance(each, Suppressed)), None)
    if suppressed is not None:
        return suppressed
    try:
        return analysis(*arguments, **options)
    except ContractError as error:
        return Suppressed(str(error))


def front_door(
    conclusion: str, anchor: str
) -> Callable[[Callable[Concatenate[T, P], R]], Callable[Concatenate[T, P], R | Suppressed]]:
    """Decorator of the functions of a subject that take the tables of a company and return a result.

    Where the data do not allow a result, the function returns ``Suppressed`` with ``conclusion`` as its headline and
    ``anchor`` as its place on the page. Without tables it raises ParameterError with the call that is needed.
    """

    def decorate(function: Callable[Concatenate[T, P], R]) -> Callable[Concatenate[T, P], R | Suppressed]:
        subject = function.__module__.removeprefix("cs_helpers.").partition(".")[0]
        name = f"cs.{subject}.{function.__name__}"

        @wraps(function)
        def call(*arguments: Any, **options: Any) -> R | Suppressed:
            tables = arguments[0] if arguments else options.get("tables")
            if isinstance(tables, Suppressed):  # tables that could not be loaded give no result
                return Suppressed(tables.reason, tables.remedy, conclusion, anchor)
            if not getattr(tables, "is_tables", False):
                what = "nothing" if tables is None else f"a {type(tables).__name__}"
                raise ParameterError(
                    f"{name} takes the tables of a company and was given {what}.\n"
                    f'  Load them first: tables = cs.load("data/sample"), then {name}(tables).'
                )
            try:
                result = function(*arguments, **options)
            except ContractError as error:
                return Suppressed(str(error), conclusion=conclusion, anchor=anchor)
            except TypeError as error:
                raise _wrong_arguments(name, function, error) from None
            if isinstance(result, Suppressed) and not result.conclusion:
                return Suppressed(result.reason, result.remedy, conclusion, result.anchor or anchor)
            return result

        return call

    return decorate


def _wrong_arguments(name: str, function: Callable[..., Any], error: TypeError) -> Exception:
    """A wrong parameter of a front door in one line; any other TypeError as it is."""
    message = str(error)
    if not message.startswith(f"{function.__qualname__}() "):
        return error
    known = [each for each in signature(function).parameters if each != "tables"]
    hint = did_you_mean(message.split("'")[1], known) if "unexpected keyword" in message else ""
    known_words = ", ".join(known) or "tables only"
    return ParameterError(f"{name}: {message.partition('() ')[2]}.{hint} It takes: {known_words}.")


def _views() -> Any:
    # The one import that points upwards: views are only needed when a result is shown.
    return import_module("cs_helpers.report.views")


def _words(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d}" if (value.hour, value.minute) == (0, 0) else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(end, float) for end in value):
        return f"{_words(value[0])} to {_words(value[1])}"
    if hasattr(value, "columns") and hasattr(value, "shape"):
        named = ", ".join(map(str, value.columns[:8])) + (", ..." if len(value.columns) > 8 else "")
        return f"table of {value.shape[0]:,} rows: {named}"
    if hasattr(value, "shape"):
        return f"{value.size:,} values"
    if isinstance(value, Mapping):
        return f"{len(value):,}: {', '.join(map(str, value))}"
    if isinstance(value, tuple | list):
        return "none" if not value else f"{len(value):,}: {', '.join(_name(item) for item in value[:6])}"
    return " ".join(repr(value).split()) if isinstance(value, Record) else str(value)


def _name(item: Any) -> str:
    item = getattr(item, "now", item)  # a comparison goes by what it compares
    return str(getattr(item, "key", None) or getattr(item, "name", None) or _words(item))


def _cut(line: str) -> str:
    return line if len(line) <= MAX_WIDTH else f"{line[: MAX_WIDTH - 3]}..."
