"""Warm kernels: forked from one server, each as if it had started from nothing, and gone with whoever asked for it."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from small_notebooks import notebook

from cs_helpers.publish import batch, kernel
from cs_helpers.publish.run import run
from cs_helpers.subjects import SUBJECTS

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.reports,
    pytest.mark.skipif(not kernel.can_fork(), reason="no safe fork on this system"),
]

# Everything one run could leave behind for the next, if they shared a process.
PLANT = """
import os, random, sys, warnings, json, threading
import numpy as np, pandas as pd, matplotlib, matplotlib.pyplot as plt
planted = "state"
os.environ["PLANTED"] = "1"; os.chdir("/"); sys.path.insert(0, "/planted"); sys.argv.append("planted")
json.load = "patched"
pd.DataFrame.planted = True
plt.rcParams["lines.linewidth"] = 77; matplotlib.use("svg"); plt.figure(42)
pd.set_option("display.max_columns", 3)
random.seed(1); np.random.seed(1)
warnings.simplefilter("error"); sys.setrecursionlimit(4321)
held = open(os.devnull); threading.Thread(target=threading.Event().wait, daemon=True).start()
import builtins; builtins.planted = 1
"""
LOOK = """
import builtins, json, os, random, sys, threading, warnings
import numpy as np, pandas as pd, matplotlib, matplotlib.pyplot as plt
seen = {
    "state": "planted" in globals() or hasattr(builtins, "planted"),
    "environment": "PLANTED" in os.environ, "folder": os.path.basename(os.getcwd()), "path": "/planted" in sys.path,
    "arguments": "planted" in sys.argv, "patched": json.load == "patched",
    "method": hasattr(pd.DataFrame, "planted"), "width": plt.rcParams["lines.linewidth"],
    "backend": matplotlib.get_backend(), "figures": plt.get_fignums(), "columns": pd.get_option("display.max_columns"),
    "rows": pd.get_option("display.max_rows"), "errors": ("error", None, Warning, None, 0) in warnings.filters,
    "recursion": sys.getrecursionlimit(), "pandas_first": pd.DataFrame.__module__,
    "interactive": hasattr(sys, "ps1"), "main": sys.modules["__main__"].__name__,
    "signal": str(__import__("signal").getsignal(2)),
    "group": os.getpgid(0) == os.getpid(), "flush": len(get_ipython().events.callbacks["post_execute"]),
}
print("SEEN" + json.dumps(seen))
print("CHANCE" + repr((random.random(), np.random.rand())))
"""


def seen(out: Path, record: dict, word: str) -> object:
    text = json.loads((out / record["series"] / record["run_id"] / "notebook.ipynb").read_text())
    said = "".join("".join(o.get("text", "")) for c in text["cells"] for o in c.get("outputs", []))
    line = next(line for line in said.splitlines() if line.startswith(word)).removeprefix(word)
    return json.loads(line) if word == "SEEN" else line


def orders(*notebooks: Path) -> list[batch.Order]:
    return [batch.Order(each, {}) for each in notebooks]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Plants, then looks twice with warm kernels, and once with one that starts from nothing."""
    here = tmp_path_factory.mktemp("kernels")
    before = Path.cwd()
    os.chdir(here)
    plant = notebook(here / "plant.ipynb", PLANT)
    looks = [notebook(here / f"look{n}.ipynb", LOOK) for n in (1, 2)]
    warm = batch.run_all(orders(plant, *looks), batch.Settings(Path("out")), lambda event: None)
    cold = batch.run_all(orders(looks[0]), batch.Settings(Path("cold"), warm=False), lambda event: None)
    yield here, warm, cold
    os.chdir(before)


def test_nothing_of_one_run_reaches_the_next(runs):
    here, warm, cold = runs
    assert [result.message for result in [*warm, *cold]] == [""] * 4
    first, second = (seen(here / "out", result.record, "SEEN") for result in warm[1:])
    assert first == second
    leaked = ("state", "environment", "path", "arguments", "patched", "method", "errors")
    assert [key for key in leaked if first[key]] == []
    assert (first["figures"], first["folder"]) == ([], here.name)


def test_a_forked_kernel_sees_what_one_sees_that_started_from_nothing(runs):
    here, warm, cold = runs
    from_nothing = seen(here / "cold", cold[0].record, "SEEN")
    forked = seen(here / "out", warm[1].record, "SEEN")
    # Of its own group it is so that everything it starts can be ended with it; a usual one is, too.
    assert forked == from_nothing


def test_chance_differs_between_runs(runs):
    here, warm, _ = runs
    assert seen(here / "out", warm[1].record, "CHANCE") != seen(here / "out", warm[2].record, "CHANCE")


DRAW = """
import numpy as np, pandas as pd, matplotlib.pyplot as plt, seaborn as sns, warnings
rng = np.random.default_rng(3)
frame = pd.DataFrame(rng.normal(size=(40, 25)), columns=[f"c{n}" for n in range(25)])
plt.figure(figsize=(3, 2)); plt.plot(frame["c0"]); plt.title("one"); plt.show()
"""
SHOW = """
sns.histplot(frame["c1"]); fig = plt.gcf()
frame
"""
MORE = """
warnings.warn("seen"); display(frame.describe().iloc[:3, :3]); print(frame.sum().round(6).to_dict())
"""


def outputs(out: Path, record: dict) -> list:
    text = json.loads((out / record["series"] / record["run_id"] / "notebook.ipynb").read_text())
    return [cell["outputs"] for cell in text["cells"] if cell["cell_type"] == "code"]


def test_a_forked_kernel_draws_and_prints_the_very_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    drawing = notebook(tmp_path / "draw.ipynb", DRAW, SHOW, MORE)
    other = notebook(tmp_path / "other.ipynb", "1")
    warm = batch.run_all(orders(drawing, other), batch.Settings(Path("warm")), lambda event: None)
    cold = batch.run_all(orders(drawing), batch.Settings(Path("cold"), warm=False), lambda event: None)
    one, two = outputs(tmp_path / "warm", warm[0].record), outputs(tmp_path / "cold", cold[0].record)
    assert sum("image/png" in output.get("data", {}) for cell in one for output in cell) == 2
    # A warning names the process's own temporary file of the cell.
    text = [
        [[{k: v for k, v in o.items() if o.get("name") != "stderr"} for o in cell] for cell in each]
        for each in (one, two)
    ]
    assert text[0] == text[1]


def test_an_environment_that_modules_read_while_they_are_imported_gets_a_kernel_of_its_own(monkeypatch):
    with kernel.warm() as address:
        other = {**os.environ, "OPENBLAS_NUM_THREADS": "7"}
        assert kernel.forked(address, ["ipykernel_launcher", "-f", "none"], None, other) is None
        answer = kernel._ask(address, {"env": other, "argv": [], "cwd": "/"}).answer
    assert answer == {"refused": "the environment differs in OPENBLAS_NUM_THREADS"}


def test_where_threads_run_after_the_imports_nothing_is_forked(tmp_path):
    (tmp_path / "threading_module.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    code = "from cs_helpers.publish import kernel\nkernel.IMPORTS = ('threading_module',)\nprint(kernel._prepare())"
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "1 threads run after the imports, and a fork would lose them\n"


def test_without_a_server_the_kernel_starts_the_usual_way(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(kernel.ADDRESS_VARIABLE, str(tmp_path / "nobody"))
    record = run(notebook(tmp_path / "small.ipynb", "1"), {}, Path("out"))
    assert record["status"] == "ok"


def test_kernels_end_with_whoever_asked_and_the_server_with_whoever_started_it(tmp_path):
    """The starting process is killed with a signal that nothing can catch."""
    code = (
        "import json, os, sys, time\n"
        "from cs_helpers.publish import kernel\n"
        "with kernel.warm() as address:\n"
        "    ports = dict(shell_port=1, iopub_port=2, stdin_port=3, hb_port=4, control_port=5, key='k')\n"
        "    connection = ports | dict(transport='ipc', ip=sys.argv[1] + '/k', signature_scheme='hmac-sha256')\n"
        "    open(sys.argv[1] + '/k.json', 'w').write(json.dumps(connection))\n"
        "    asked = ['ipykernel_launcher', '-f', sys.argv[1] + '/k.json']\n"
        "    one, two = (kernel.forked(address, asked, None, None) for _ in range(2))\n"
        "    two.kill()\n"
        "    print(one.pid, two.wait(20), one.poll(), os.path.dirname(address), flush=True)\n"
        "    time.sleep(600)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    pid, ended, running, folder = owner.stdout.readline().split()
    assert (ended, running) == (str(-signal.SIGKILL), "None")
    server = psutil.Process(int(pid)).parent()
    owner.kill()
    _, alive = psutil.wait_procs([psutil.Process(int(pid)), server], timeout=20)
    assert alive == []
    deadline = time.monotonic() + 10
    while Path(folder).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(folder).exists()
    owner.wait()


def test_every_module_that_is_imported_before_the_fork_exists():
    """A name that is wrong would be passed over in silence, and each report would import that module again."""
    assert [name for name in kernel.IMPORTS if importlib.util.find_spec(name) is None] == []
    assert {f"cs_helpers.{subject}" for subject in SUBJECTS} <= set(kernel.IMPORTS)
    parts = (*SUBJECTS, "data")
    assert {f"cs_helpers.{part}.{module}" for part in parts for module in ("views", "metrics")} <= set(kernel.IMPORTS)


def test_the_probe_says_that_it_works_here():
    works, words = kernel.probe()
    assert works
    assert "modules loaded" in words


def test_what_the_churn_report_imports_is_there_before_the_fork(tmp_path):
    """Each module that a kernel still has to import costs every report; a few small ones may."""
    root = Path(__file__).resolve().parents[2]
    source = json.loads((root / "notebooks" / "churn.ipynb").read_text())
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    source["cells"].insert(2, cell | {"id": "begin", "source": "import sys\nbefore = set(sys.modules)"})
    late = "print('SEEN' + __import__('json').dumps(sorted(set(sys.modules) - before)))"
    source["cells"].append(cell | {"id": "end", "source": late})
    (tmp_path / "churn.ipynb").write_text(json.dumps(source))
    values = {"source": os.path.relpath(root / "data" / "sample")}
    ordered = [batch.Order(tmp_path / "churn.ipynb", values), batch.Order(notebook(tmp_path / "o.ipynb", "1"), {})]
    result = batch.run_all(ordered, batch.Settings(tmp_path / "out"), lambda event: None)[0]
    late = seen(tmp_path / "out", result.record, "SEEN")
    assert len(late) < 25, late


@pytest.mark.reports
@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_needs_no_module_of_ours_that_the_server_has_not_imported(path):
    code = (
        "import importlib, sys, nbformat\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "from cs_helpers.publish.kernel import IMPORTS\n"
        "for name in IMPORTS: importlib.import_module(name)\n"
        "known, shell = set(sys.modules), InteractiveShell.instance()\n"
        "for cell in nbformat.read(sys.argv[1], 4).cells:\n"
        "    if cell.cell_type == 'code':\n"
        "        ran = shell.run_cell(cell.source)\n"
        "        ran.raise_error()\n"
        "        if ran.result is not None: ran.result._repr_mimebundle_()\n"
        "print(sorted(name for name in set(sys.modules) - known if name.startswith('cs_helpers')), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.stderr.splitlines()[-1:] == ["[]"], ran.stderr[-2000:]
