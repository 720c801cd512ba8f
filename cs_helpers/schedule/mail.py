"""A run by mail: the message, and the conversation with the server, whose address and password stand in no words.

The connection is encrypted, or nothing is said on it: only a server on this very machine, or one that the address marks
with ``?tls=none``, is spoken to in clear.
"""

from __future__ import annotations

import base64
import hashlib
import re
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

from cs_helpers.core.errors import visible
from cs_helpers.schedule import letter
from cs_helpers.schedule.call import HOST, LATER, Call, NotDelivered, Parcel, local, trust, why
from cs_helpers.schedule.letter import one_line

SERVER, SENDER = "CS_HELPERS_SMTP_URL", "CS_HELPERS_MAIL_FROM"
LARGEST_ATTACHMENT = 10_000_000

_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?", re.ASCII)
_EXAMPLE = "smtp://user:password@mail.example.com:587"
_PERCENT = "In user and password signs such as @ : / ? # are written in percent: @ as %40, / as %2F."


@dataclass(frozen=True)
class _Server:
    """The mail server of the environment; ``tls`` is ``at once``, ``where offered``, ``required`` or ``none``."""

    host: str
    port: int
    tls: str
    user: str
    password: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def said(self, code: int, reply: bytes | str) -> str:
        """A reply of the server in one line, without the password should it repeat it."""
        text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
        for secret in self._spellings() if self.password else ():
            text = text.replace(secret, "[password]")
        return f"{code} {one_line(text, 200)}".strip()

    def _spellings(self) -> Iterator[str]:
        for text in (f"\0{self.user}\0{self.password}", self.password):
            yield base64.b64encode(text.encode()).decode()
        yield self.password


def check_address(to: str) -> str:
    """The address with its domain in small letters. Raises ValueError in words for what is none."""
    if "@" not in to:
        raise ValueError(f"'{to}' is no mail address: it has no @.")
    if any(sign in to for sign in ",; <>\t"):
        raise ValueError(f"'{to}': write one bare address such as anna@x.com; several are a list, each on its own.")
    if not to.isascii():
        raise ValueError(f"'{to}': a mail address has plain letters only; write a domain with others as xn--...")
    name, _, domain = to.rpartition("@")
    if not _ADDRESS.fullmatch(to) or ".." in to or name.startswith(".") or name.endswith("."):
        raise ValueError(f"'{to}' is no mail address such as anna@x.com.")
    return f"{name}@{domain.lower()}"


def send(to: str, parcel: Parcel, call: Call) -> str:
    """Sends one run to one address, as a message of its own; returns words. Raises NotDelivered."""
    server, sender = _settings(parcel.environment)
    message = _message(to, sender, parcel)
    context = trust(parcel.environment)
    try:
        _converse(server, sender.addr_spec, to, message.as_bytes(), call, context)
    except smtplib.SMTPAuthenticationError as error:
        said = server.said(error.smtp_code, error.smtp_error)
        raise NotDelivered(f"{server} refuses user or password: {said}. Correct them in {SERVER}.", True) from None
    except smtplib.SMTPResponseException as error:
        said = server.said(error.smtp_code, error.smtp_error)
        raise NotDelivered(f"{server} does not take the mail, while {call.step}: {said}. {LATER}", True) from None
    except ssl.SSLCertVerificationError as error:
        raise NotDelivered(
            f"{server}: its certificate is not trusted ({error.verify_message}). Use the name that stands in the "
            "certificate, or name the file of your own authority in SSL_CERT_FILE.",
            True,
        ) from None
    except ssl.SSLError:
        raise NotDelivered(
            f"{server} does not speak TLS here. smtps:// is for port 465, smtp:// with STARTTLS for port 587.", True
        ) from None
    except (OSError, UnicodeError) as error:  # among them whatever else smtplib raises
        words = f"{server} was not reached or broke off, while {call.step}: {why(error)}. Is {SERVER} right? {LATER}"
        raise NotDelivered(words, True) from None
    attached = next((part.get_filename() for part in message.iter_attachments()), None)
    return f"Sent through {server.host}{f', with {attached}' if attached else ''}."


def _converse(server: _Server, sender: str, to: str, message: bytes, call: Call, context: ssl.SSLContext) -> None:
    at_once = server.tls == "at once"
    mail = smtplib.SMTP_SSL(timeout=call.seconds, context=context) if at_once else smtplib.SMTP(timeout=call.seconds)
    # Whose certificate is meant. The constructor sets it only where it connects itself, and then nobody could hang up.
    mail._host = server.host  # type: ignore[attr-defined]
    call.connection = mail
    call.at("connecting")
    with closing(mail):
        _expect(mail.connect(server.host, server.port), 220)
        call.at("greeting")
        mail.ehlo_or_helo_if_needed()
        if server.tls in ("required", "where offered") and mail.has_extn("starttls"):
            call.at("beginning TLS")
            _expect(mail.starttls(context=context), 220)
            mail.ehlo_or_helo_if_needed()
        elif server.tls == "required":
            raise NotDelivered(
                f"{server} offers no encryption (STARTTLS). Use smtps:// or another port; in a network of your own "
                f"?tls=none at the end of {SERVER} does without.",
                True,
            )
        if server.user:
            call.at("logging in")
            _log_in(mail, server)
        call.at("naming the sender")
        _expect(mail.mail(sender), 250)
        call.at("naming the recipient")
        code, reply = mail.rcpt(to)
        if code not in (250, 251):
            said = server.said(code, reply)
            raise NotDelivered(f"{server.host} refuses {to}: {said}. Is the address right? {LATER}")
        call.at("sending the message")
        _hand_in(mail, server, message)
        with suppress(OSError):
            mail.putcmd("quit")  # nobody waits for the answer: the server has said that it has the mail


def _log_in(mail: smtplib.SMTP, server: _Server) -> None:
    try:
        mail.login(server.user, server.password)
    except (smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected):
        raise
    except smtplib.SMTPException:
        words = (
            f"{server} offers no login that is known here. Leave user and password out of {SERVER}, or ask its owner."
        )
        raise NotDelivered(words, True) from None


def _hand_in(mail: smtplib.SMTP, server: _Server, message: bytes) -> None:
    try:
        code, reply = mail.data(message)
    except smtplib.SMTPDataError as error:
        code, reply = error.smtp_code, error.smtp_error  # type: ignore[assignment]  # bytes, whatever the stubs say
    if code != 250:
        large = " The report may be too large for it: a folder takes any size." if code in (552, 523) else ""
        raise NotDelivered(f"{server.host} does not take the message: {server.said(code, reply)}.{large} {LATER}")


def _expect(answer: tuple[int, bytes], code: int) -> None:
    if answer[0] != code:
        raise smtplib.SMTPResponseException(*answer)


class _Policy(EmailPolicy):
    """The usual rules for mails, but for subjects: a long one would begin with a blank, or have doubled ones."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The lines of one header."""
        if name != "Subject":
            return super().fold_binary(name, value)
        text = str(value)
        lines = Header(text, "us-ascii" if text.isascii() else "utf-8", header_name=name).encode(linesep=self.linesep)
        return f"{name}: {lines}{self.linesep}".encode("ascii")


def _message(to: str, sender: Address, parcel: Parcel) -> EmailMessage:
    record, name, attached = parcel.record, f"{parcel.stem}-{parcel.day}.html", False
    if parcel.kind == "failure":
        where = parcel.kept()
    else:
        size = parcel.report.stat().st_size
        attached = size <= LARGEST_ATTACHMENT
        where = f"The full report is attached: open {name} in any browser; it needs no network."
        if not attached:
            where = f"The report has {size / 1e6:.1f} MB, too much for a mail: {parcel.place('report.html')}."
    said = letter.write(record, parcel.kind, where)
    message = EmailMessage(policy=_Policy(linesep="\r\n"))
    # An encoded word would be decoded by the mail library, and might hold the end of a line that was taken out before.
    message["Subject"] = said.subject.replace("=?", "= ?")
    message["From"], message["To"] = sender, Address(addr_spec=to)
    message["Date"] = format_datetime(datetime.now(UTC))
    # The same for the same message, so that a mail system can tell the second copy after a call that broke off.
    once = hashlib.sha256(f"{record['series']}/{record['run_id']}/{parcel.kind}/{to}".encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{once}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.plain(said), cte="quoted-printable")
    message.add_alternative(letter.page(said), subtype="html", cte="quoted-printable")
    if attached:
        message.add_attachment(
            parcel.report.read_bytes(), maintype="text", subtype="html", filename=name, params={"charset": "utf-8"}
        )
    return message


def _settings(environment: Mapping[str, str]) -> tuple[_Server, Address]:
    """The server and the sender. Raises NotDelivered with all that is wrong, and without repeating any of it."""
    problems: list[str] = []
    server = _server(environment.get(SERVER, "").strip(), problems)
    sender = _sender(environment.get(SENDER, "").strip(), problems)
    if server is None or sender is None:
        raise NotDelivered(" ".join(problems), True)
    return server, sender


def _sender(text: str, problems: list[str]) -> Address | None:
    name, address = parseaddr(text)
    try:
        return Address(one_line(name).replace("=?", "= ?"), addr_spec=check_address(address))
    except ValueError:
        wrong = "is no mail address" if text else "is not set"
        problems.append(f"{SENDER} {wrong}: write reports@example.com or Reports <reports@example.com>.")
        return None


def _server(text: str, problems: list[str]) -> _Server | None:
    if not text:
        problems.append(f"{SERVER} is not set: set it to the mail server, such as {_EXAMPLE}.")
        return None
    try:
        url = urlsplit(text)
        host, port, scheme = url.hostname or "", url.port, url.scheme
        user, password = unquote(url.username or ""), unquote(url.password or "")
    except ValueError:  # its words quote the address
        problems.append(f"{SERVER} is no address such as {_EXAMPLE}. {_PERCENT}")
        return None
    wrong = []
    if scheme not in ("smtp", "smtps"):
        wrong.append(f"{SERVER} must begin with smtp:// or smtps://.")
    if not HOST.fullmatch(host) or url.path not in ("", "/") or url.fragment:
        wrong.append(f"{SERVER} names no server such as {_EXAMPLE}. {_PERCENT}")
    if url.query not in ("", "tls=none") or (url.query and scheme == "smtps"):
        wrong.append(f"{SERVER}: after ? only tls=none is known, and for smtp:// alone. {_PERCENT}")
    if bool(user) != bool(password):
        wrong.append(f"{SERVER} holds a user without a password, or a password without a user.")
    if not (user + password).isascii() or visible(user + password) != user + password:
        wrong.append(f"{SERVER}: user and password can have plain ASCII signs only.")
    problems += wrong
    clear = "none" if url.query else "where offered" if local(host) else "required"
    default = 465 if scheme == "smtps" else 25 if local(host) else 587
    return None if wrong else _Server(host, port or default, "at once" if scheme == "smtps" else clear, user, password)
