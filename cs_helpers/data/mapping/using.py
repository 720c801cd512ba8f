"""Mappings that build on others: ``use: stripe`` or ``use: [salesforce, stripe, zendesk]``.

Entries of this file replace those of the used ones, key by key down to the single column; ``null`` removes an entry
(``tables: {usage: null}``). For a table that two used mappings have, ``tables: {accounts: {use: stripe}}`` chooses one,
or an entry with its own ``file`` replaces both. File-wide settings of a used file hold for its tables; those of this
file hold for all tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cs_helpers.data.contract.tables import TABLES
from cs_helpers.data.mapping.model import FILE_WIDE
from cs_helpers.data.mapping.problems import GIVE_A_VALUE, as_dict

_SUMMED = ("set_aside", "churn_records")
_OWN = ("version", "use", "tables", "partial", "tolerance", *FILE_WIDE, *_SUMMED)


def ready_mappings() -> dict[str, Path]:
    """The mappings that come ready: name -> file. The package's own, then those of the project's ``data/mappings``."""
    here = Path(__file__).resolve()
    places = [
        here.parents[2] / "mappings",  # installed
        here.parents[3] / "data" / "mappings",  # a checkout
        *(folder / "data" / "mappings" for folder in (Path.cwd(), Path.cwd().parent)),
    ]
    found: dict[str, Path] = {}
    for place in places:
        for file in sorted(place.glob("*.yml")) if place.is_dir() else []:
            found.setdefault(file.stem, file)
    return dict(sorted(found.items()))


def names_used(raw: Mapping[Any, Any]) -> tuple[list[str], dict[str, str]]:
    """The mappings that a file uses as a whole, and table -> the one that it uses for that table alone."""
    stated = raw.get("use")
    whole = [str(name) for name in (stated if isinstance(stated, list) else [stated]) if isinstance(name, str | int)]
    single = {
        table: str(entry["use"])
        for table, entry in as_dict(raw.get("tables")).items()
        if isinstance(entry, dict) and isinstance(entry.get("use"), str | int) and table in TABLES
    }
    return whole, single


def built_on(raw: dict[Any, Any], bases: Mapping[str, dict[Any, Any]]) -> tuple[dict[Any, Any], list[str]]:
    """The content of a file merged with the mappings it uses, and the problems. ``bases``: name -> content."""
    whole, single = names_used(raw)
    own_tables = as_dict(raw.get("tables"))
    built = {key: value for key, value in raw.items() if key != "tables"}
    problems = _settings(built, {name: bases[name] for name in whole if name in bases})
    offered = {name: _tables_with_settings(base, built) for name, base in bases.items()}
    tables: dict[Any, Any] = {}
    for table in dict.fromkeys([*(each for name in whole for each in offered.get(name, {})), *own_tables]):
        having = [name for name in whole if table in offered.get(name, {})]
        own = own_tables.get(table, {})
        entry: dict[Any, Any] = {}
        if own is None and having:
            continue
        if table in single:
            entry = offered.get(single[table], {}).get(table, {})
            if single[table] in bases and not entry:
                have = ", ".join(offered[single[table]]) or "none"
                problems.append(f"tables.{table}.use: {single[table]} has no {table}. Its tables are: {have}.")
        elif len(having) == 1:
            entry = offered[having[0]][table]
        elif having and not (isinstance(own, dict) and own.get("file")):
            problems.append(
                f"{table} stands in {' and in '.join(having)}. Say which one feeds it: "
                f"`tables: {{{table}: {{use: {having[0]}}}}}`."
            )
        tables[table] = _merged_entry(entry, own) if isinstance(own, dict) else own
    if tables or not isinstance(raw.get("tables", {}), dict):
        built["tables"] = tables or raw["tables"]
    return built, problems


def _merged_entry(base: dict[Any, Any], own: dict[Any, Any]) -> dict[Any, Any]:
    """One table's entry merged over a used one: an entry for a column replaces that column's source in the used one."""
    stated = {name for key in GIVE_A_VALUE for name in as_dict(own.get(key))}
    remaining = {
        key: {name: each for name, each in value.items() if name not in stated}
        if key in GIVE_A_VALUE and isinstance(value, dict)
        else value
        for key, value in base.items()
    }
    settled = isinstance(own.get("use"), str | int)
    over = {key: value for key, value in own.items() if key != "use" or not settled}
    for key in set(GIVE_A_VALUE) - {"columns"}:  # `constants: {kind: null}` takes out what stood there
        if isinstance(over.get(key), dict):
            there = as_dict(base.get(key))
            over[key] = {name: each for name, each in over[key].items() if each is not None or name not in there}
    return _merged(remaining, over)


def _merged(base: dict[Any, Any], own: dict[Any, Any], keep_null: bool = False) -> dict[Any, Any]:
    result = dict(base)
    for key, value in own.items():
        if value is None and not keep_null and key in base:
            del result[key]
        elif isinstance(value, dict) and isinstance(base.get(key), dict) and key != "attributes":
            result[key] = _merged(base[key], value, keep_null=key == "columns")
        else:
            result[key] = value
    return result


def _settings(built: dict[Any, Any], bases: Mapping[str, dict[Any, Any]]) -> list[str]:
    """Fills in file-wide settings; a setting in which two used mappings differ must be stated in this file."""
    problems = []
    for key in dict.fromkeys(key for base in bases.values() for key in base if key not in _OWN):
        stated = {name: base[key] for name, base in bases.items() if key in base}
        if key in built:
            continue
        if any(value != next(iter(stated.values())) for value in stated.values()):
            words = ", ".join(f"{name} {value}" for name, value in stated.items())
            problems.append(f"the mappings used differ in {key}: {words}. Say here which it is: `{key}: ...`.")
        built[key] = next(iter(stated.values()))
    for key in FILE_WIDE:
        values = {base.get(key) for base in bases.values()}
        if key not in built and len(values) == 1 and None not in values:
            built[key] = values.pop()
    for key in _SUMMED:
        every = [each for base in bases.values() if isinstance(base.get(key), list) for each in base[key]]
        if every and key not in built:
            built[key] = [each for place, each in enumerate(every) if each not in every[:place]]
    _tolerance(built, [as_dict(base.get("tolerance")) for base in bases.values()])
    if bases and "partial" not in built and all(base.get("partial") for base in bases.values()):
        built["partial"] = True
    for key in [key for key, value in built.items() if value is None and any(key in base for base in bases.values())]:
        del built[key]
    return problems


def _tolerance(built: dict[Any, Any], used: list[dict[Any, Any]]) -> None:
    """Fills in the tolerated shares: this file's own, else the largest of the used ones; none for checks set aside."""
    own, aside = built.get("tolerance", {}), built.get("set_aside")
    largest: dict[Any, Any] = {}
    for check, share in ((check, share) for shares in used for check, share in shares.items()):
        if not isinstance(aside, list) or check not in aside:
            largest[check] = max(share, largest.get(check, share), key=str)
    if largest and isinstance(own, dict):
        built["tolerance"] = largest | own


def _tables_with_settings(base: dict[Any, Any], built: Mapping[Any, Any]) -> dict[Any, dict[Any, Any]]:
    """The tables of a used mapping, each with its file's settings, unless this file has a setting for all tables."""
    wide = {key: base[key] for key in FILE_WIDE if base.get(key) is not None and key not in built}
    result: dict[Any, dict[Any, Any]] = {}
    for name, entry in as_dict(base.get("tables")).items():
        fitting = {key: value for key, value in wide.items() if key != "end_date_is" or name == "subscriptions"}
        result[name] = {**fitting, **as_dict(entry)}
    return result
