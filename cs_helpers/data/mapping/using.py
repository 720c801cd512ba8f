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
from cs_helpers.data.mapping.problems import GIVE_A_VALUE, as_dict

WIDE = ("date_format", "timezone", "separator", "encoding", "decimal", "end_date_is")
_SUMMED = ("set_aside", "churn_records")
_OWN = ("version", "use", "tables", "partial", "tolerance", *WIDE, *_SUMMED)


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
    """What a file uses as a whole, and table -> what is used for that table alone."""
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
    pushed = {name: _pushed(base, built) for name, base in bases.items()}
    tables: dict[Any, Any] = {}
    for table in dict.fromkeys([*(each for name in whole for each in pushed.get(name, {})), *own_tables]):
        having = [name for name in whole if table in pushed.get(name, {})]
        own = own_tables.get(table, {})
        entry: dict[Any, Any] = {}
        if own is None and having:
            continue
        if table in single:
            entry = pushed.get(single[table], {}).get(table, {})
            if single[table] in bases and not entry:
                have = ", ".join(pushed[single[table]]) or "none"
                problems.append(f"tables.{table}.use: {single[table]} has no {table}. Its tables are: {have}.")
        elif len(having) == 1:
            entry = pushed[having[0]][table]
        elif having and not (isinstance(own, dict) and own.get("file")):
            problems.append(
                f"{table} stands in {' and in '.join(having)}. Say which one feeds it: "
                f"`tables: {{{table}: {{use: {having[0]}}}}}`."
            )
        tables[table] = laid_over(entry, own) if isinstance(own, dict) else own
    if tables or not isinstance(raw.get("tables", {}), dict):
        built["tables"] = tables or raw["tables"]
    return built, problems


def laid_over(base: dict[Any, Any], own: dict[Any, Any]) -> dict[Any, Any]:
    """One table's entry merged over another's: an entry for a column here replaces the source of the column there."""
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
    for key in WIDE:
        values = {base.get(key) for base in bases.values()}
        if key not in built and len(values) == 1 and None not in values:
            built[key] = values.pop()
    for key in _SUMMED:
        every = [each for base in bases.values() if isinstance(base.get(key), list) for each in base[key]]
        if every and key not in built:
            built[key] = [each for place, each in enumerate(every) if each not in every[:place]]
    _tolerance(built, [base["tolerance"] for base in bases.values() if isinstance(base.get("tolerance"), dict)])
    if bases and "partial" not in built and all(base.get("partial") for base in bases.values()):
        built["partial"] = True
    for key in [key for key, value in built.items() if value is None and any(key in base for base in bases.values())]:
        del built[key]
    return problems


def _tolerance(built: dict[Any, Any], used: list[dict[Any, Any]]) -> None:
    """Shares of several mappings in one: the larger of two, this file's own before both, and none without limit."""
    own = built.get("tolerance", {})
    if not used or not isinstance(own, dict):
        return
    together: dict[Any, Any] = {}
    for shares in used:
        for check, share in shares.items():
            together[check] = max(share, together.get(check, share), key=str)
    aside = built.get("set_aside") if isinstance(built.get("set_aside"), list) else []
    built["tolerance"] = {check: share for check, share in together.items() if check not in (aside or [])} | own


def _pushed(base: dict[Any, Any], built: Mapping[Any, Any]) -> dict[Any, dict[Any, Any]]:
    """The tables of a used mapping, each with the settings of its file, where these do not hold for all."""
    wide = {key: base[key] for key in WIDE if base.get(key) is not None and key not in built}
    tables = base.get("tables")
    result: dict[Any, dict[Any, Any]] = {}
    for name, entry in tables.items() if isinstance(tables, dict) else ():
        fitting = {key: value for key, value in wide.items() if key != "end_date_is" or name == "subscriptions"}
        result[name] = {**fitting, **as_dict(entry)}
    return result
