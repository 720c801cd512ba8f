"""Finding and reading mapping files: YAML in, a mapping or all of its problems out.

A mapping is a file, or the name of one that comes ready (``stripe``). This package is the only home of pydantic and
yaml.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from cs_helpers.core.errors import MappingError, did_you_mean
from cs_helpers.data.mapping.model import ExportMapping
from cs_helpers.data.mapping.problems import contradictions, type_problem, unknown_keys
from cs_helpers.data.mapping.using import built_on, names_used, ready_mappings
from cs_helpers.data.sources import display_name, locate


def find_mapping(folder: Path | None, mapping: str | Path | ExportMapping | None) -> ExportMapping:
    """The mapping given, else ``mapping.yml`` in the folder, else the contract's own names and ISO dates.

    An empty text is no mapping given: parameters of notebooks cannot be None.
    """
    if isinstance(mapping, ExportMapping):
        return mapping
    if mapping:
        return read_mapping(mapping)
    own = folder / "mapping.yml" if folder is not None else None
    return read_mapping(own) if own is not None and own.is_file() else ExportMapping()


def read_mapping(path: str | Path) -> ExportMapping:
    """The mapping in a YAML file, or the ready mapping of that name, with all that it uses filled in.

    Raises MappingError with every problem of the file at once.
    """
    if locate(path).is_file() or not re.fullmatch(r"[\w-]+", str(path)):
        file, name = locate(path), display_name(Path(path).expanduser())
    else:  # a bare word is the name of a ready mapping
        ready = ready_mappings()
        if str(path) not in ready:
            raise MappingError(_unknown_name(str(path), ready))
        file, name = ready[str(path)], f"{path}.yml"
    return ExportMapping.model_validate(_content(file, name, []))


def _unknown_name(name: str, ready: dict[str, Path]) -> str:
    return (
        f"{name}: there is no ready mapping of that name.{did_you_mean(name, list(ready))}\n"
        f"  Ready are: {', '.join(ready) or 'none'}. Or give the path of a YAML file."
    )


def _content(file: Path, name: str, users: list[Path]) -> dict[Any, Any]:
    """The file's keys merged over those of the files it uses; ``users`` are the files that led to this one.

    Raises MappingError with the problems of all.
    """
    raw = _read_yaml(file, name)
    if not isinstance(raw, dict):
        raise MappingError(f"{name}: the file holds no `key: value` lines.\n  Start with `version: 1`.")
    bases, broken = _used(raw, file, name, [*users, file.resolve()])
    built, conflicts = built_on(raw, bases)
    if broken:  # without the used mappings, this file is checked by itself
        built, conflicts = raw, []
    own = [*unknown_keys(raw), *conflicts, *contradictions(built), *_type_problems(built)]
    if problems := [*broken, *(f"{name}: {problem}" for problem in own)]:
        raise MappingError("\n".join(dict.fromkeys(problems)))
    return built


def _used(raw: dict[Any, Any], file: Path, name: str, chain: list[Path]) -> tuple[dict[str, dict[Any, Any]], list[str]]:
    """Name -> content of the mappings that a file uses, and what is wrong with them."""
    whole, single = names_used(raw)
    bases: dict[str, dict[Any, Any]] = {}
    problems: list[str] = []
    ready = ready_mappings()
    for used in dict.fromkeys([*whole, *single.values()]):
        is_path = used.endswith((".yml", ".yaml"))
        there = file.parent / used if is_path else ready.get(used)
        if there is None:
            problems.append(f"{name}: use: {_unknown_name(used, ready)}")
        elif there.resolve() in chain:
            circle = " -> ".join(each.stem for each in [*chain[chain.index(there.resolve()) :], there])
            problems.append(f"{name}: use: {used} leads back to itself: {circle}. Take one of them out.")
        else:
            try:
                bases[used] = _content(there, used if is_path else f"{used}.yml", chain)
            except MappingError as error:
                problems.append(str(error))
    return bases, problems


def _type_problems(raw: dict[Any, Any]) -> list[str]:
    """Values of a wrong type; unknown keys are reported elsewhere, with the nearest known key."""
    try:
        ExportMapping.model_validate(raw)
    except ValidationError as error:
        return [type_problem(each) for each in error.errors() if each["type"] != "extra_forbidden"]
    return []


# --- YAML -----------------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """YAML with fewer surprises.

    A key that occurs twice is an error. ``Yes``, ``No`` and ``On`` are text; ``010``, ``12:30``, dates and decimal
    numbers stay as written, because they must match the export's values exactly.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, list | dict):
                continue
            if key in seen:
                twice = f"the key '{key}' stands twice"
                raise yaml.constructor.ConstructorError(None, None, twice, key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", "^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", "^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    ("null", "^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("merge", "^(?:<<)$", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def _read_yaml(file: Path, name: str) -> Any:
    if not file.is_file():
        there = [entry.name for entry in file.parent.glob("*.y*ml")] if file.parent.is_dir() else []
        listed = f" There is: {', '.join(sorted(there)[:8])}." if there else ""
        raise MappingError(
            f"{name}: there is no such mapping file.{did_you_mean(file.name, there)}\n"
            f"  Give the path of a YAML file.{listed}"
        )
    try:
        return yaml.load(file.read_bytes().decode("utf-8-sig"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise MappingError(
            f"{name}{line}: this is not YAML: {what}.\n"
            "  Indent with spaces, put a space after each colon, and quotes around text with : # % or *."
        ) from error
    except UnicodeDecodeError as error:
        raise MappingError(f"{name}: the file is not UTF-8.\n  Save it as UTF-8.") from error
