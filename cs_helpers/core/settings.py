"""Settings files: one YAML file of keys and values, read into a frozen dataclass that holds the defaults."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from cs_helpers.core.errors import ParameterError, did_you_mean

S = TypeVar("S")


def read_settings(path: str | Path, kind: type[S]) -> S:
    """The settings of a file as ``kind``, a frozen dataclass; all defaults where ``path`` is empty.

    Keys that the file does not name keep their default. Raises ParameterError with every problem at once: a file that
    cannot be read, an unknown key (with the nearest one), a value of another type.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Settings:
        ...     discount: float = 0.1
        >>> read_settings("", Settings)
        Settings(discount=0.1)
    """
    if not str(path):
        return kind()
    import yaml
    from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

    file = Path(path)
    try:
        given = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ParameterError(f"{path}: the settings file cannot be read ({error.strerror}). Check its path.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        what = " ".join(str(error).split())
        raise ParameterError(f"{path}: this is not YAML ({what}). Write one `key: value` per line.") from None
    given = {} if given is None else given
    if not isinstance(given, dict):
        raise ParameterError(f"{path}: settings are lines of `key: value`; this file holds a {type(given).__name__}.")
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # a dataclass, which TypeVar cannot say
    problems = [
        f"{path}: there is no setting '{key}'.{did_you_mean(str(key), known)} There are: {', '.join(known)}."
        for key in given
        if key not in known
    ]
    try:
        values = {key: value for key, value in given.items() if key in known}
        read: S = TypeAdapter(with_config(ConfigDict(strict=False))(kind)).validate_python(values)
    except ValidationError as error:
        for each in error.errors():
            name = ".".join(map(str, each["loc"]))
            problems.append(f"{path}: {name} is {each['input']!r}; {each['msg'][:1].lower()}{each['msg'][1:]}.")
    if problems:
        raise ParameterError("\n".join(problems))
    return read
