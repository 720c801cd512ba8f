"""Delivers a run to its recipients: by mail, to a chat or another service, or into a folder.

A delivery that fails is an outcome, never an exception, and is tried again later. ``delivery.json`` in the folder of
the run records who has received it, so that nobody receives it twice. Secrets come from environment variables only.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cs_helpers.core.errors import did_you_mean, visible
from cs_helpers.publish import publish
from cs_helpers.schedule import message
from cs_helpers.schedule.message import Kind, Record, file_name, kept_notebook, safe_name
from cs_helpers.schedule.recipients import LATER, MAIL_ADDRESS, VARIABLE, NotDelivered, unset

FILE = "delivery.json"
TIMEOUT = "CS_HELPERS_DELIVERY_TIMEOUT"

DEFAULT_TIMEOUT, MAX_TIMEOUT = 30.0, 3600.0
_KINDS = ("mail", "webhook", "folder")
_FORMS = "Write a mail address, webhook:NAME_OF_A_VARIABLE, folder:PATH or an apprise URL."
_SECRET_ADDRESS = re.compile(r"(\w+:\s*)?(https?:|[\w.-]*hooks\.[\w.-]+/)", re.IGNORECASE)


@dataclass(frozen=True)
class Outcome:
    """The result of one delivery; ``message`` holds no secret and says what to do, ``at`` is UTC in ISO form."""

    recipient: str
    delivered: bool
    message: str
    at: str


def recipient(text: str) -> str:
    """A recipient of the schedule in its full form. Raises ValueError that says what is wrong, without secrets.

    >>> recipient("anna@example.com"), recipient("${TEAMS_URL}")
    ('mail:anna@example.com', 'webhook:TEAMS_URL')
    """
    text = text.strip(" ")
    if visible(text) != text or re.search("[\n\t\u2028\u2029]", text):
        raise ValueError("a recipient holds a line break or an invisible character. Type it again, on one line.")
    if _SECRET_ADDRESS.match(text):
        raise ValueError(
            "the address of a webhook is a secret and does not belong here. Put it into an environment variable and "
            "write webhook:NAME_OF_THE_VARIABLE."
        )
    if re.match(r"[A-Za-z0-9]+://", text):
        from cs_helpers.schedule import services

        services.check(text)
        return text
    if found := VARIABLE.fullmatch(text):
        return f"webhook:{found[1]}"
    kind, colon, rest = text.partition(":")
    kind, to = (kind.strip().lower(), rest.strip()) if colon else ("mail", text)
    if kind not in _KINDS:
        near = did_you_mean(kind, _KINDS) or f" {_FORMS}"
        raise ValueError(f"there is no kind of recipient '{kind}'.{near}")
    if kind == "mail" and not MAIL_ADDRESS.fullmatch(to):
        several = " Several recipients are a list, one address each." if re.search("[,; <>]", to) else ""
        raise ValueError(f"'{to}' is not a mail address such as anna@example.com.{several or f' {_FORMS}'}")
    if kind == "webhook" and not VARIABLE.fullmatch(f"${{{to}}}"):
        raise ValueError("webhook: takes the NAME of the environment variable that holds the address, not the address.")
    if kind == "folder" and (not to or "://" in to):
        raise ValueError("folder: takes the path of a folder on this machine, such as folder:/mnt/board/reports.")
    return f"{kind}:{to}"


def deliver(record: Record, folder: Path, recipients: Sequence[str], kind: Kind) -> list[Outcome]:
    """Delivers a run to each recipient who has not received it, and records each outcome in ``folder`` at once.

    ``record`` is the run record, ``folder`` its folder, ``kind`` is ``report``, or ``failure`` for a notice about a
    failed run. Returns one outcome per recipient. The caller holds the lock of the job. After the mail server could
    not be reached or refused the login, the other mails wait for the next call.
    """
    done = {outcome.recipient: outcome for outcome in _read(folder) if outcome.delivered}
    mail_problem = ""
    for to in dict.fromkeys(recipients):
        if to in done:
            continue
        delivered, words = False, mail_problem if to.startswith("mail:") else ""
        if not words:
            try:
                delivered, words = True, _send(to, record, folder, kind)
            except NotDelivered as error:
                words = str(error)
                mail_problem = words if error.for_all and to.startswith("mail:") else mail_problem
            except Exception as error:  # a defect must not stop the schedule, and its text may hold a secret
                words = f"cs-helpers failed ({type(error).__name__}). Is run.json of this run complete? {LATER}"
        done[to] = _remembered(folder, Outcome(to, delivered, words, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"))
    return [done[to] for to in dict.fromkeys(recipients)]


def delivered_already(folder: Path) -> frozenset[str]:
    """Who has received the run of this folder."""
    return frozenset(outcome.recipient for outcome in _read(folder) if outcome.delivered)


def _read(folder: Path) -> list[Outcome]:
    """The recorded outcomes; none if the file is missing or damaged, since twice is better than never."""
    try:
        entries = json.loads((folder / FILE).read_text(encoding="utf-8"))["deliveries"]
        return [
            Outcome(str(entry["recipient"]), entry["delivered"] is True, str(entry["message"]), str(entry["at"]))
            for entry in entries
        ]
    except (OSError, ValueError, LookupError, TypeError):
        return []


def _remembered(folder: Path, outcome: Outcome) -> Outcome:
    """Records the latest outcome of a recipient; the outcome says so if that is impossible."""
    kept = {each.recipient: each for each in _read(folder)} | {outcome.recipient: outcome}
    content = {"schema_version": 1, "deliveries": [vars(each) for each in kept.values()]}
    try:
        publish.replace_file(folder / FILE, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        reason = f"{FILE} could not be written ({error.strerror}), so it may be sent again."
        return replace(outcome, message=f"{outcome.message} {reason}")
    return outcome


def _send(to: str, record: Record, folder: Path, kind: Kind) -> str:
    """Delivers to one recipient and returns what to record. Raises NotDelivered."""
    if kind == "report" and not (folder / "report.html").is_file():
        raise NotDelivered("report.html is missing in the folder of the run. Run the report again.")
    if missing := unset(to):
        raise NotDelivered(f"Set the environment variable {' and '.join(missing)}; docs/delivery.md describes it.")
    seconds = _seconds()
    if to.startswith("folder:"):
        return _within(seconds, lambda: _copy(to.removeprefix("folder:"), record, folder, kind))
    from cs_helpers.schedule import services

    return _within(seconds, lambda: services.send(to, record, folder, kind, seconds))


def _seconds() -> float:
    """The time limit of one delivery. Raises NotDelivered if the variable does not hold one."""
    text = os.environ.get(TIMEOUT, "").strip()
    try:
        number = float(text) if text else DEFAULT_TIMEOUT
    except ValueError:
        number = 0.0
    if not 0 < number <= MAX_TIMEOUT:
        raise NotDelivered(f"{TIMEOUT} must be seconds between 0 and {MAX_TIMEOUT:.0f}, such as 30, not {text!r}.")
    return number


def _within(seconds: float, work: Callable[[], str]) -> str:
    """The result of ``work``, or NotDelivered after so many seconds; raises what ``work`` raises.

    The timeouts of sockets start again with each byte, so a slow server could hold the schedule forever. A thread that
    is given up ends with its server or with the process.
    """
    results: list[str | Exception] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run, name="delivery", daemon=True)
    thread.start()
    thread.join(seconds)
    if not results:
        reason = f"No end within {seconds:g} s. It may have arrived, and would arrive twice. Is {TIMEOUT} long enough?"
        raise NotDelivered(f"{reason} {LATER}", for_all=True)
    if isinstance(results[0], Exception):
        raise results[0]
    return results[0]


def _copy(to: str, record: Record, folder: Path, kind: Kind) -> str:
    """Copies a report into a folder; a failure leaves a text there until the next report. Nothing newer is replaced.

    Each file gets the start of its run as its time, which tells whether it is newer.
    """
    target, stem = Path(to).expanduser(), safe_name(str(record["series"]))
    if not target.is_dir():  # it is not created: a share that is not mounted would become a folder of that name
        raise NotDelivered(f"There is no folder {to}. Create or mount it so that this user can write there. {LATER}")
    started = datetime.fromisoformat(str(record["started_at"])).timestamp()
    latest, notice = target / f"{stem}-latest.html", target / f"{stem}-FAILED.txt"

    def write(path: Path, text: str) -> None:
        publish.replace_file(path, text)
        os.utime(path, (started, started))

    def is_newer(path: Path) -> bool:
        return path.is_file() and path.stat().st_mtime > started

    try:
        if kind == "failure":
            if is_newer(latest) or is_newer(notice):
                return "A newer run was delivered already."
            write(notice, message.plain(message.write(record, kind, kept_notebook(record, folder))))
            return f"Written: {notice.name}."
        report = (folder / "report.html").read_text(encoding="utf-8")
        name = f"{file_name(record)}-{safe_name(str(record['run_id']))}.html"
        write(target / name, report)
        if not is_newer(latest):
            write(latest, report)
        # A run that could not start left its notice under the name of its job.
        job = safe_name(str((record.get("scheduled") or {}).get("job") or stem))
        for path in {notice, target / f"{job}-FAILED.txt"}:
            if path.is_file() and not is_newer(path):
                path.unlink()
    except OSError as error:
        raise NotDelivered(f"Nothing could be written into {to}: {error.strerror}. {LATER}") from None
    return f"Written: {name}."
