"""Exports the schedule to an existing scheduler: cron, systemd or Airflow.

cron and systemd call ``cs-helpers due`` every few minutes, which knows the time zone and the missed times. Nothing is
installed; the exported text explains how to install it.
"""

from __future__ import annotations

import math
import re
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

from cs_helpers.core.errors import ParameterError, did_you_mean
from cs_helpers.schedule import cron
from cs_helpers.schedule.settings import Schedule

SECRETS = "~/.config/cs-helpers.env"
MAX_INTERVAL = 5  # minutes; missed runs and late deliveries should not wait longer


def export(to: str, schedule: Schedule, folder: Path, file: Path, out: Path) -> str:
    """The schedule for another scheduler; ``folder`` is the project folder, ``file`` the schedule file.

    Raises ParameterError for an unknown scheduler.
    """
    if to not in _KINDS:
        there = ", ".join(_KINDS)
        raise ParameterError(f"cannot export to '{to}'.{did_you_mean(to, list(_KINDS))} There are: {there}.")
    words = ["due", *(["--schedule", str(file)] if file != Path("reports/schedule.yml") else [])]
    return _KINDS[to](schedule, folder, [*words, *(["--out", str(out)] if out != Path("reports") else [])])


def minutes_apart(schedule: Schedule, now: datetime | None = None) -> int:
    """The longest interval in minutes between calls of ``due`` that meets every scheduled minute; 5 at most.

    It applies to the clock of this machine, which cron uses; time zones may differ from it by half hours.
    """
    at = now or datetime.now(UTC)
    apart = 60
    for job in schedule.jobs:
        here, there = at.astimezone().utcoffset(), at.astimezone(job.zone).utcoffset()
        shift = int((there - here).total_seconds() // 60) if here is not None and there is not None else 0
        apart = math.gcd(apart, shift, *cron.minutes(job.cron))
    return max(step for step in range(1, MAX_INTERVAL + 1) if apart % step == 0)


def crontab(schedule: Schedule, folder: Path, words: list[str]) -> str:
    """The line for ``crontab -e``, with the jobs as comments."""
    apart = minutes_apart(schedule)
    command = f"cd {shlex.quote(str(folder))} && {shlex.join([*_program(folder), *words, '--quiet'])}"
    escaped = command.replace("%", r"\%")  # cron ends a command at an unescaped percent sign
    return f"""\
# Made by `cs-helpers export cron`. Add it with `crontab -e`; cron mails problems to you.
# It checks every few minutes what is due. The schedule may change without a change here.
{_comments(schedule)}
# cron does not know your environment. If reports are delivered, put the variables that this needs
# (CS_HELPERS_SMTP_URL=... and the like) into {SECRETS}, and `set -a; . {SECRETS}; set +a;`
# before `cd`.
{"*" if apart == 1 else f"*/{apart}"} * * * *  {escaped}"""


def systemd(schedule: Schedule, folder: Path, words: list[str]) -> str:
    """A service and a timer for the systemd of an ordinary user."""
    program = " ".join(_unit_word(word) for word in [*_program(folder, absolute=True), *words])
    apart = minutes_apart(schedule)
    return f"""\
# Made by `cs-helpers export systemd`: save the two files under their names, then run
#   systemctl --user daemon-reload && systemctl --user enable --now cs-helpers.timer
#   loginctl enable-linger                 to run it while you are logged out
#   journalctl --user -u cs-helpers        shows its log
{_comments(schedule)}

# ---- ~/.config/systemd/user/cs-helpers.service ----
[Unit]
Description=Reports that are due

[Service]
Type=oneshot
WorkingDirectory={str(folder).replace("%", "%%")}
ExecStart={program}
# {SECRETS}: CS_HELPERS_SMTP_URL=... and the like, readable by you only
EnvironmentFile=-{SECRETS.replace("~", "%h")}
# cs-helpers itself stops its runs, which get 30 seconds.
KillMode=mixed
TimeoutStopSec=60

# ---- ~/.config/systemd/user/cs-helpers.timer ----
[Unit]
Description=Checks whether reports are due

[Timer]
OnCalendar=*:{"*" if apart == 1 else f"0/{apart}"}
AccuracySec=1s
# also for times when the machine was off
Persistent=true

[Install]
WantedBy=timers.target"""


def airflow(schedule: Schedule, folder: Path, words: list[str]) -> str:
    """A file for the DAG folder of Airflow 2.4 or later: one DAG for each run, with its own times."""
    called = f"cd {shlex.quote(str(folder))} && {shlex.join([*_program(folder), *words])}"
    # With --failed, so that "retry" and "clear" in Airflow run a failed report again.
    runs = [
        (f"cs_helpers_{job.name}", cron.plain(job.cron), f"{called} --only {job.name} --failed")
        for job in schedule.jobs
    ]
    lines = "\n".join(f"    ({name!r}, {times!r}, {_without_templates(command)!r})," for name, times, command in runs)
    return f'''\
"""Made by `cs-helpers export airflow`. Put it into the DAG folder of Airflow. Export it again after a change.

Each run is `cs-helpers due --only RUN`, with the same delivery, retention and status file as without Airflow, and a
finished run is not repeated. The user of Airflow needs this project folder and the environment variables of delivery.
"""

import pendulum
from airflow import DAG

try:
    from airflow.providers.standard.operators.bash import BashOperator  # Airflow 3
except ImportError:
    from airflow.operators.bash import BashOperator

ZONE = {schedule.zone.key!r}
RUNS = [
{lines}
]

for name, times, command in RUNS:
    with DAG(
        name,
        schedule=times,
        start_date=pendulum.datetime(2024, 1, 1, tz=ZONE),
        catchup=False,
        max_active_runs=1,
        tags=["cs-helpers"],
    ) as dag:
        BashOperator(task_id="run", bash_command=command)
    globals()[name] = dag'''


_KINDS = {"cron": crontab, "systemd": systemd, "airflow": airflow}


def _comments(schedule: Schedule) -> str:
    lines = [f"#   {job.name}: {cron.in_words(job.cron)}" for job in schedule.jobs]
    return "\n".join([f"# Times in {schedule.zone.key}:" if lines else "# Nothing is scheduled yet.", *lines])


def _program(folder: Path, *, absolute: bool = False) -> list[str]:
    """The command of this program as called from the project folder."""
    beside = Path(sys.executable).parent / "cs-helpers"
    if not beside.is_file():
        return [sys.executable, "-m", "cs_helpers"]
    return [str(beside.relative_to(folder) if beside.is_relative_to(folder) and not absolute else beside)]


def _unit_word(word: str) -> str:
    """A word in the syntax of systemd, which has its own quotes and replaces % and $."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if re.search(r"[\s'\"\\;]", word) else escaped


def _without_templates(command: str) -> str:
    """A command that the templates of Airflow leave unchanged."""
    return re.sub(r"\{[{%#]", lambda found: f"{{{{ '{found[0]}' }}}}", command)
