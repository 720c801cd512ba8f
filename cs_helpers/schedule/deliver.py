"""Handing a finished run to who waits for it: by mail, into a chat, or into a folder.

A delivery that fails is an outcome, never an exception: the report stands, and what is missing can be sent later.
``delivery.json`` in the run's folder says who has had it, so that nobody is sent it twice. Passwords and the addresses
of webhooks come from the environment and stand in no message and no file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cs_helpers.core.errors import CsHelpersError, did_you_mean, visible
from cs_helpers.publish import locks, publish
from cs_helpers.schedule import letter, mail, webhook
from cs_helpers.schedule.call import LATER, Call, NotDelivered, Parcel, safe_name, seconds
from cs_helpers.schedule.letter import Kind, Record

FILE = "delivery.json"
KINDS = ("mail", "webhook", "folder")
_LOCK_WAIT = 30.0
_FAILED = "-FAILED.txt"
_SECRET_ADDRESS = re.compile(r"(\w+:\s*)?(https?:|[\w.-]*hooks\.[\w.-]+/)", re.IGNORECASE)


@dataclass(frozen=True)
class Recipient:
    """Who is told. ``to`` is a mail address, the name of the variable that holds a webhook's address, or a folder."""

    kind: str
    to: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.to}"


@dataclass(frozen=True)
class Outcome:
    """What became of one delivery; ``message`` holds no secret and says what to do, ``at`` is UTC in ISO form."""

    recipient: Recipient
    delivered: bool
    message: str
    at: str


def recipient(text: str) -> Recipient:
    """The recipient of a text: ``anna@x.com``, ``mail:ADDRESS``, ``webhook:NAME_OF_A_VARIABLE``, ``folder:PATH``.

    Raises ValueError in words for anything else; an address of a webhook, being a secret, is not repeated.
    """
    text = text.strip(" ")
    if visible(text) != text or re.search("[\n\t\u2028\u2029]", text):
        raise ValueError("a recipient holds a line break or a sign that nobody sees. Type it anew, on one line.")
    if not text:
        raise ValueError("a recipient is empty. Write a mail address, webhook:NAME_OF_A_VARIABLE or folder:PATH.")
    if _SECRET_ADDRESS.match(text):
        raise ValueError(
            "the address of a webhook is a secret and does not belong here. Put it into an environment variable and "
            "write webhook:NAME_OF_THE_VARIABLE."
        )
    kind, colon, rest = text.partition(":")
    kind, to = (kind.strip().lower(), rest.strip()) if colon else ("mail", text)
    if kind not in KINDS:
        near = did_you_mean(kind, KINDS) or " There are: mail:ADDRESS, webhook:NAME_OF_A_VARIABLE, folder:PATH."
        raise ValueError(f"'{text}': there is no kind of recipient '{kind}'.{near}")
    if not colon and "@" not in to:
        raise ValueError(f"'{to}' has no @. Write a mail address, webhook:NAME_OF_A_VARIABLE or folder:PATH.")
    check = {"mail": mail.check_address, "webhook": webhook.check_variable, "folder": _check_folder}[kind]
    return Recipient(kind, check(to))


def deliver(
    record: Record, folder: Path, recipients: Sequence[Recipient], *, environment: Mapping[str, str], kind: Kind
) -> list[Outcome]:
    """Gives a run to each recipient who has not had it, and notes each outcome in ``folder`` at once.

    ``record`` is the run record and ``folder`` its folder, under the reports folder; ``kind`` is ``report``, or
    ``failure`` for word of a run that failed. Returns one outcome for each recipient, for who had it before the one of
    then. Never raises for a delivery that fails. One process at a time delivers a series.

    A mail server that was not reached or refused the login is not asked again for the other mails of the same call:
    that would only cost time, or lock the account.
    """
    parcel = Parcel(record, folder, kind, environment)
    wanted = list(dict.fromkeys(recipients))
    with _alone(parcel) as alone:
        if not alone:
            words = f"Another process is delivering this series just now. {LATER}"
            return [Outcome(one, False, words, _now()) for one in wanted]
        done = {before.recipient: before for before in _read(folder) if before.delivered}
        broken = ""
        for one in wanted:
            if one in done:
                continue
            delivered, words = False, broken if one.kind == "mail" else ""
            if not words:
                try:
                    delivered, words = True, _hand_over(one, parcel)
                except NotDelivered as failed:
                    words = str(failed)
                    broken = words if failed.for_all and one.kind == "mail" else broken
                except Exception as error:  # a fault of ours must not stop the schedule, and its text may hold a secret
                    words = f"cs-helpers failed ({type(error).__name__}): is run.json of this run whole? {LATER}"
            done[one] = _noted(folder, Outcome(one, delivered, words, _now()))
    return [done[one] for one in wanted]


def delivered_already(folder: Path) -> frozenset[Recipient]:
    """Who has had the run of this folder."""
    return frozenset(outcome.recipient for outcome in _read(folder) if outcome.delivered)


def undelivered(folder: Path) -> list[Recipient]:
    """Who should have had the run of this folder, and has not had it yet."""
    return [outcome.recipient for outcome in _read(folder) if not outcome.delivered]


def remember(folder: Path, outcomes: Sequence[Outcome]) -> None:
    """Notes outcomes in ``delivery.json``: the last one of each recipient, and a success for good. Raises OSError."""
    kept = {outcome.recipient: outcome for outcome in _read(folder)}
    for outcome in outcomes:
        before = kept.get(outcome.recipient)
        if before is None or not before.delivered:
            kept[outcome.recipient] = outcome
    entries = [
        {"recipient": str(each.recipient), "delivered": each.delivered, "at": each.at, "message": each.message}
        for each in kept.values()
    ]
    text = json.dumps({"schema_version": 1, "deliveries": entries}, indent=1, ensure_ascii=False)
    publish.replace_file(folder / FILE, text + "\n")


def _read(folder: Path) -> list[Outcome]:
    """What was noted; nothing where there is no file, or none that can be read: better twice than never."""
    try:
        entries = json.loads((folder / FILE).read_text(encoding="utf-8"))["deliveries"]
        return [
            Outcome(Recipient(kind, to), entry["delivered"] is True, str(entry["message"]), str(entry["at"]))
            for entry in entries
            for kind, _, to in [entry["recipient"].partition(":")]
        ]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []


def _noted(folder: Path, outcome: Outcome) -> Outcome:
    try:
        remember(folder, [outcome])
    except OSError as error:
        words = f"{outcome.message} {FILE} could not be written ({error.strerror}), so it may be sent again."
        return replace(outcome, message=words)
    return outcome


@contextmanager
def _alone(parcel: Parcel) -> Iterator[bool]:
    """Whether no other process delivers this series. Where no lock can be had, word of a failure must still go out."""
    series = str(parcel.record.get("series", ""))
    folder, depth = parcel.folder.absolute(), len(series.split("/"))
    under = folder.parts[-depth - 1 : -1] == tuple(series.split("/"))
    out = folder.parents[depth] if under else folder.parent  # word of what left no run has a folder of another kind
    with ExitStack() as stack:
        try:
            alone = stack.enter_context(locks.hold(out, f"delivery-{series}", wait=_LOCK_WAIT))
        except CsHelpersError:
            alone = True
        yield alone


def _hand_over(one: Recipient, parcel: Parcel) -> str:
    """The words for a success; raises NotDelivered."""
    call = Call(seconds(parcel.environment))
    if parcel.kind == "report" and not parcel.report.is_file():
        raise NotDelivered("report.html is not in the folder of the run any more. Run the report again.")
    carry = {"mail": mail.send, "webhook": webhook.post, "folder": _copy}[one.kind]
    return call.make(lambda: carry(one.to, parcel, call))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


# --- a folder ---------------------------------------------------------------------------------------------------


def _check_folder(to: str) -> str:
    if not to:
        raise ValueError("folder: names no folder. Write folder:/mnt/board/reports.")
    if "://" in to:
        raise ValueError(f"'{to}': a folder is a path of this machine; mount it first.")
    return to


def _copy(to: str, parcel: Parcel, call: Call) -> str:
    """Copies the report; it is the latest unless a newer one is there. A failure leaves a text until the next."""
    call.at("writing")
    target, stem, now = (
        Path(to).expanduser(),
        parcel.stem,
        _moment(parcel.record["run_id"], parcel.record["started_at"]),
    )
    if not target.is_dir():  # it is not made: a share that is not mounted would be written beside
        raise NotDelivered(f"There is no folder {to}. Make it or mount it, for this user to write in. {LATER}")
    run_id = re.sub(r"[^\w-]+", "-", str(parcel.record["run_id"]))
    name, failed = f"{stem}-{parcel.day}-{run_id}.html", target / f"{stem}{_FAILED}"
    try:
        newer = _newest(target, stem) > now
        if parcel.kind == "failure":
            if newer or _failed_at(failed) > now:
                return "Word of a newer run is there already."
            text = letter.plain(letter.write(parcel.record, parcel.kind, parcel.kept()))
            publish.replace_file(failed, text)
            return f"Written: {failed.name}."
        report = parcel.report.read_text(encoding="utf-8")
        publish.replace_file(target / name, report)
        if not newer:
            publish.replace_file(target / f"{stem}-latest.html", report)
        # Word of a run that could not even begin stands under the name of its line in the schedule.
        job = str((parcel.record.get("scheduled") or {}).get("job") or stem)
        for word in {failed, target / f"{safe_name(job)}{_FAILED}"}:
            if word.is_file() and _failed_at(word) < now:
                word.unlink()
    except OSError as error:
        raise NotDelivered(f"Nothing could be written into {to}: {error.strerror}. {LATER}") from None
    return f"Written: {name}."


def _moment(run_id: Any, started_at: Any) -> str:
    """When a run began, as figures that sort by time. An id begins with it, but for a run that could not begin."""
    text = str(run_id if re.match(r"\d{8}T\d{6}", str(run_id)) else started_at)
    return re.sub(r"\D", "", text.partition("Z")[0])


def _newest(target: Path, stem: str) -> str:
    """When the newest run of a series began whose report is in a folder; empty without one."""
    ours = re.compile(rf"{re.escape(stem)}-\d{{4}}-\d\d-\d\d-(\d{{8}}T[\w-]+)\.html")
    return max((_moment(found[1], "") for path in target.iterdir() if (found := ours.fullmatch(path.name))), default="")


def _failed_at(word: Path) -> str:
    """When the run began that a text about a failure speaks of, in its last lines; empty where there is none."""
    if not word.is_file():
        return ""
    text = word.read_text(encoding="utf-8", errors="replace")
    found = re.findall(r"^Run (\S+), started (\S+)[,.]", text, re.MULTILINE)
    return _moment(*found[-1]) if found else ""
