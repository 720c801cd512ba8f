"""pyproject.toml, environment.yml and the lock name the same packages, and no file names a package index."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WANTED = [
    re.sub(r"\[.*?\]", "", one) for one in PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]
]  # without extras, which conda does not know
LOCKS = ["requirements.lock", "requirements-uv.lock"]


def split(requirement):
    name, least = re.fullmatch(r"([a-z0-9-]+)>=([\d.]+)", requirement).groups()
    return name, tuple(int(part) for part in least.split("."))


def locked(file="requirements.lock"):
    """Package name -> all versions locked for it (markers may choose between several)."""
    found = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==([\w.]+)", (ROOT / file).read_text(), re.M):
        found.setdefault(name, []).append(version)
    return found


def test_conda_environment_asks_for_the_same_packages_as_pyproject():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    named = {c for c in conda if isinstance(c, str)} - {"pip", f"python{PROJECT['project']['requires-python']}"}
    (by_pip,) = (c["pip"] for c in conda if isinstance(c, dict))
    assert named | set(by_pip) - {"-e . --no-deps"} == set(WANTED)


@pytest.mark.parametrize("requirement", WANTED)
def test_the_lock_holds_every_package_in_a_version_that_pyproject_allows(requirement):
    name, least = split(requirement)
    versions = locked().get(name, [])
    assert versions, f"{name} is not locked: make lock"
    for version in versions:
        assert tuple(int(part) for part in re.findall(r"\d+", version)) >= least


@pytest.mark.parametrize("file", LOCKS)
def test_every_locked_package_has_a_hash(file):
    entries = re.split(r"^(?=[a-z0-9-]+==)", (ROOT / file).read_text(), flags=re.M)[1:]
    assert len(entries) == sum(map(len, locked(file).values()))
    assert all("--hash=sha256:" in entry for entry in entries)


def tracked_files():
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout, so there is no list of files to look through")
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_no_file_names_a_package_index_or_a_path_of_somebodys_machine():
    options, address = r"--(?:extra-)?index-" + r"url|--find-links", r"https?://[^\s\"']*/" + r"simple\b"
    index = re.compile(rf"{options}|{address}|/(?:home|Users)/\w+/")
    found = []
    for path in tracked_files():
        if path.suffix == ".png" or (ROOT / "tests") in path.parents:  # tests plant such paths on purpose
            continue
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        found += [f"{path.name}: {hit[0]}" for hit in index.finditer(text)]
    assert found == []


def test_make_help_explains_every_target():
    makefile = (ROOT / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.M)[1].split()
    explained = re.findall(r"^([a-z-]+):.*## ", makefile, re.M)
    assert sorted(targets) == sorted(explained)


def test_a_second_make_does_no_work():
    if not (ROOT / ".venv" / ".ready").exists():
        pytest.skip("no .venv made by make beside these tests")
    plan = subprocess.run(["make", "--dry-run", "setup"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Nothing to be done" in plan.stdout, "make setup would work again although nothing changed"
