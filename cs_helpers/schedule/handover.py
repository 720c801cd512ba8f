"""The schedule for a scheduler that is there already: cron, systemd or Airflow.

cron and systemd are asked for one thing, to call ``cs-helpers due`` every few minutes: it knows the time zone and what
was missed, so that neither has to. Nothing is installed from here; what is printed says how.
"""

from __future__ import annotations

import math
import re
import shlex
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from cs_helpers.core.errors import ParameterError, did_you_mean
from cs_helpers.schedule import cron
from cs_helpers.schedule.schedule import Schedule

SECRETS = "~/.config/cs-helpers.env"
_LONGEST_PAUSE = 5  # minutes; what was missed or not delivered should not wait longer


def export(to: str, schedule: Schedule, folder: Path, file: Path, out: Path) -> str:
    """The schedule in the form of another scheduler; ``folder`` is the project's, ``file`` the schedule's.

    Raises ParameterError for a scheduler that is not known.
    """
    if to not in _KINDS:
        there = ", ".join(_KINDS)
        raise ParameterError(f"cannot export to '{to}'.{did_you_mean(to, list(_KINDS))} There are: {there}.")
    words = ["due"]
    words += [] if file == Path("reports/schedule.yml") else ["--schedule", str(file)]
    words += [] if out == Path("reports") else ["--out", str(out)]
    return _KINDS[to](schedule, folder, words)


def minutes_apart(schedule: Schedule, now: datetime | None = None) -> int:
    """How many minutes may lie between two calls of ``due`` so that each scheduled minute is met; 5 at most.

    By the clock of this machine, which is cron's: zones may differ from it by half hours.
    """
    at = now or datetime.now(UTC)
    apart = 60
    for job in schedule.jobs:
        here, there = at.astimezone().utcoffset(), at.astimezone(job.zone).utcoffset()
        shift = int((there - here).total_seconds() // 60) if here is not None and there is not None else 0
        apart = math.gcd(apart, shift, *cron.minutes(job.cron))
    return max(step for step in range(1, _LONGEST_PAUSE + 1) if apart % step == 0)


def crontab(schedule: Schedule, folder: Path, words: list[str]) -> str:
    """The line for ``crontab -e``, and as comments what it will run."""
    apart = minutes_apart(schedule)
    command = f"cd {shlex.quote(str(folder))} && {shlex.join([*_program(folder), *words, '--quiet'])}"
    escaped = command.replace("%", r"\%")  # cron ends a command at a bare one
    return "\n".join(
        [
            "# Made by `cs-helpers export cron`. Take it over with `crontab -e`; cron mails what goes wrong.",
            "# It looks every few minutes whether something is due. The schedule may change without a change here.",
            *_comments(schedule),
            "# cron knows hardly any of your environment. Where reports are delivered, put what that needs",
            f"# (CS_HELPERS_SMTP_URL=... and the like) into {SECRETS}, and `set -a; . {SECRETS}; set +a;`",
            "# before `cd`.",
            f"{'*' if apart == 1 else f'*/{apart}'} * * * *  {escaped}",
        ]
    )


def systemd(schedule: Schedule, folder: Path, words: list[str]) -> str:
    """A service and a timer for systemd, for a user without other rights."""
    program = " ".join(_unit_word(word) for word in [*_program(folder, absolute=True), *words])
    apart = minutes_apart(schedule)
    return "\n".join(
        [
            "# Made by `cs-helpers export systemd`: two files, each under its name. Then",
            "#   systemctl --user daemon-reload && systemctl --user enable --now cs-helpers.timer",
            "#   loginctl enable-linger                 so that it runs while nobody is logged in",
            "#   journalctl --user -u cs-helpers        what it did",
            *_comments(schedule),
            "",
            "# ---- ~/.config/systemd/user/cs-helpers.service ----",
            "[Unit]",
            "Description=Reports that are due",
            "",
            "[Service]",
            "Type=oneshot",
            f"WorkingDirectory={str(folder).replace('%', '%%')}",
            f"ExecStart={program}",
            f"# {SECRETS}: CS_HELPERS_SMTP_URL=... and the like, readable by you alone",
            f"EnvironmentFile=-{SECRETS.replace('~', '%h')}",
            "# The runs are told by cs-helpers itself; they get 30 seconds.",
            "KillMode=mixed",
            "TimeoutStopSec=60",
            "",
            "# ---- ~/.config/systemd/user/cs-helpers.timer ----",
            "[Unit]",
            "Description=Looks whether reports are due",
            "",
            "[Timer]",
            f"OnCalendar=*:{'*' if apart == 1 else f'0/{apart}'}",
            "AccuracySec=1s",
            "# after the machine was off",
            "Persistent=true",
            "",
            "[Install]",
            "WantedBy=timers.target",
        ]
    )


def airflow(schedule: Schedule, folder: Path, words: list[str]) -> str:
    """A file for Airflow's folder of DAGs (Airflow 2.4 and later): one DAG for each run, with its own times."""
    called = f"cd {shlex.quote(str(folder))} && {shlex.join([*_program(folder), *words])}"
    # With --failed, so that Airflow's own "retry" and "clear" run a failed report again.
    runs = [
        (f"cs_helpers_{job.name}", cron.plain(job.cron), f"{called} --only {job.name} --failed")
        for job in schedule.jobs
    ]
    head = '''\
"""Made by `cs-helpers export airflow`. Put it into Airflow's folder of DAGs; make it anew when the schedule changes.

Each run is `cs-helpers due --only RUN`: delivery, retention and the summary are as without Airflow, and a run that was
made already is not made twice. Airflow's user needs this project's folder and what delivery needs in the environment.
"""

import pendulum
from airflow import DAG

try:
    from airflow.providers.standard.operators.bash import BashOperator  # Airflow 3
except ImportError:
    from airflow.operators.bash import BashOperator
'''
    lines = [head, f"ZONE = {schedule.zone.key!r}", "RUNS = ["]
    for name, times, command in runs:
        lines.append(f"    ({name!r}, {times!r}, {_untouched(command)!r}),")
    lines += [
        "]",
        "",
        "for name, times, command in RUNS:",
        "    with DAG(",
        "        name,",
        "        schedule=times,",
        "        start_date=pendulum.datetime(2024, 1, 1, tz=ZONE),",
        "        catchup=False,",
        "        max_active_runs=1,",
        '        tags=["cs-helpers"],',
        "    ) as dag:",
        '        BashOperator(task_id="run", bash_command=command)',
        "    globals()[name] = dag",
    ]
    return "\n".join(lines)


_KINDS: Mapping[str, Callable[[Schedule, Path, list[str]], str]] = {
    "cron": crontab,
    "systemd": systemd,
    "airflow": airflow,
}


def _comments(schedule: Schedule) -> list[str]:
    lines = [f"#   {job.name}: {cron.in_words(job.cron)}" for job in schedule.jobs]
    return [f"# Times in {schedule.zone.key}:" if lines else "# Nothing is scheduled yet.", *lines]


def _program(folder: Path, *, absolute: bool = False) -> list[str]:
    """How this very command is called from the project's folder."""
    beside = Path(sys.executable).parent / "cs-helpers"
    if not beside.is_file():
        return [sys.executable, "-m", "cs_helpers"]
    return [str(beside.relative_to(folder) if beside.is_relative_to(folder) and not absolute else beside)]


def _unit_word(word: str) -> str:
    """A word as systemd reads command lines: it has its own quotes, and signs that it would fill in."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if re.search(r"[\s'\"\\;]", word) else escaped


def _untouched(command: str) -> str:
    """A command that Airflow's templates leave as it is."""
    return re.sub(r"\{[{%#]", lambda found: f"{{{{ '{found[0]}' }}}}", command)
