"""Sends a message through apprise: by mail, to Slack, Teams and more than a hundred other services.

The only module that imports apprise. What apprise logs may hold an address, so it is not repeated: the reason of a
failure is chosen from a fixed list.
"""

from __future__ import annotations

import html
import ipaddress
import logging
import os
import re
import unicodedata
from email.utils import formataddr, parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import apprise

from cs_helpers.core.errors import did_you_mean
from cs_helpers.schedule import message
from cs_helpers.schedule.message import Kind, Record
from cs_helpers.schedule.recipients import LATER, MAIL_ADDRESS, SENDER, SERVER, VARIABLE, NotDelivered, variables

MAX_ATTACHMENT = 10_000_000  # bytes
MAX_MAIL, MAX_CHAT = 30_000, 3500  # characters
MAX_TITLE = 300  # bytes: apprise writes a subject as one line, which may have 998 once it is encoded
SERVICES = "https://appriseit.com/services/"

_REASONS = re.compile(
    r"error=\d{3}|(?<=\()\d{3}(?=, )|certificate verify failed|Connection refused|timed out|Connection reset"
    r"|unexpectedly closed|STARTTLS extension not supported|SMTP AUTH extension not supported|wrong version number"
    r"|Name or service not known|name resolution|No route to host|Network is unreachable|redirect",
    re.IGNORECASE,
)
_ASSET = apprise.AppriseAsset(
    app_id="cs-helpers", image_url_mask="", image_url_logo="", http_redirects=False, async_mode=False,
    service_timeout=0, interpret_emojis=False, allow_templates=False, pgp_autogen=False, pem_autogen=False,
)  # fmt: skip

_log = logging.getLogger("apprise")
_log.propagate = False  # its lines are for ``_failed`` alone
_log.setLevel(logging.DEBUG)
_log.addHandler(logging.NullHandler())


def check(url: str) -> None:
    """Checks an apprise URL of the schedule. Raises ValueError for an unknown service or a literal secret."""
    services = apprise.NotificationManager()
    scheme = url.partition("://")[0].lower()
    if scheme not in services:
        near = did_you_mean(scheme, sorted(services.schemas()))
        raise ValueError(f"there is no service '{scheme}://'.{near} The services are listed at {SERVICES}")
    service = services[scheme]
    parsed = service.parse_url(VARIABLE.sub("VARIABLE", url)) or {}
    for name, about in {**service.template_tokens, **service.template_args}.items():
        value = parsed.get(about.get("map_to", name))
        if about.get("private") and isinstance(value, str) and value and "variable" not in value.lower():
            raise ValueError(
                f"the {scheme}:// address spells out its {about['name']}, which is a secret. Put it into an "
                "environment variable and write ${NAME_OF_THE_VARIABLE} in its place."
            )


def send(recipient: str, record: Record, folder: Path, kind: Kind, seconds: float) -> str:
    """Sends the message about a run to one recipient; returns what to record. Raises NotDelivered.

    Services that show HTML, such as mail, get the report attached; chats get the place where it is.
    """
    service = _service(recipient)
    # Half of the time limit, since a mail server that took the mail may not answer the goodbye.
    service.socket_connect_timeout = service.socket_read_timeout = seconds / 2
    if authority := os.environ.get("SSL_CERT_FILE"):
        if not Path(authority).is_file():
            raise NotDelivered("SSL_CERT_FILE names no file of certificates.", for_all=True)
        service.verify_certificate = service.verify_certificate and authority
    is_html = service.resolve_format("html") == apprise.NotifyFormat.HTML
    report, attached = folder / "report.html", ""
    if kind == "failure":
        where = message.kept_notebook(record, folder)
    else:
        place, size = message.place(record, "report.html"), report.stat().st_size
        where = f"The report: {place}"
        if is_html and service.attachment_support and size <= MAX_ATTACHMENT:
            attached = _ascii(f"{message.file_name(record)}.html")
            where = f"The full report is attached: open {attached} in any browser; it needs no network."
        elif is_html and service.attachment_support:
            where = f"The report has {size / 1e6:.1f} MB, too much to attach: {place}"
    written = message.write(record, kind, where)
    # A mail program would decode an encoded word, and with it a line end that was removed.
    title = html.escape(written.subject.replace("=?", "= ?").encode()[:MAX_TITLE].decode("utf-8", "ignore"))
    body = message.page(written, MAX_MAIL if is_html else MAX_CHAT)
    if not is_html:
        body, title = message.inert(body), message.inert(title)
        service.overflow_mode = apprise.OverflowMode.SPLIT
    sender = apprise.Apprise(service, asset=_ASSET)
    files = apprise.AppriseAttachment(asset=_ASSET)
    if attached:
        files.add(apprise.AttachmentManager()["file"](path=str(report), name=attached, mimetype="text/html"))
    result = sender.notify(
        body=body,
        title=html.unescape(title) if service.title_maxlen > 0 else title,  # or else it joins the body
        body_format=apprise.NotifyFormat.HTML,
        notify_type=apprise.NotifyType.FAILURE if kind == "failure" else apprise.NotifyType.INFO,
        attach=files if attached else None,
        log_level=logging.DEBUG,
    )
    if not result:
        raise _failed(recipient, str(service.service_name), [entry.message for entry in result.logs()])
    return f"Sent through {service.service_name}{f', with {attached}' if attached else ''}."


def _failed(recipient: str, service: str, logs: list[str]) -> NotDelivered:
    """Why apprise could not deliver, in words that hold nothing of its log but a known reason."""
    reasons = ", ".join(dict.fromkeys(reason for line in logs for reason in _REASONS.findall(line)))
    settings = " and ".join(variables(recipient)) or "the address"
    before_recipient = any(line.startswith("Connection error") for line in logs)
    words = f"{service} did not accept the message ({reasons or 'no reason given'}). Check {settings}. {LATER}"
    return NotDelivered(words, for_all=before_recipient)


def _service(recipient: str) -> Any:
    """The service of apprise for a recipient, with the secrets from the environment. Raises NotDelivered."""
    kind, _, to = recipient.partition(":")
    if kind == "mail":
        service = _instantiate(_mail(to))
    elif kind == "webhook":
        service = _webhook(to, os.environ[to].strip())
    else:
        service = _instantiate(VARIABLE.sub(lambda name: quote(os.environ[name[1]].strip(), safe=""), recipient))
    if service is None:
        settings = " and ".join(variables(recipient)) or "it"
        raise NotDelivered(f"apprise cannot use this address. Check {settings}; {SERVICES} describes each service.")
    return service


def _instantiate(address: str | dict[str, Any]) -> Any:
    return apprise.Apprise.instantiate(address, asset=_ASSET)


def _webhook(name: str, address: str) -> Any:
    """The service of a webhook's address; one that apprise does not recognize gets JSON as Slack takes it."""
    if re.search(r"[^!-~]", address):
        return None
    service = _instantiate(address)
    if service is not None or not address.startswith(("http://", "https://")):
        return service
    try:
        url = urlsplit(address)
        host, port = url.hostname or "", url.port
    except ValueError:
        return None
    if url.scheme == "http" and not _is_local(host):
        raise NotDelivered(f"The address in {name} must begin with https://: others could read it on its way.")
    unused = {"version": "", "title": "", "attachments": "", "type": ""}
    settings = {
        "schema": "jsons" if url.scheme == "https" else "json", "host": host, "port": port, "fullpath": url.path,
        "params": dict(parse_qsl(url.query)), "payload": {"message": "text", **unused}, "format": "text",
    }  # fmt: skip
    service = None if url.username or not host else _instantiate(settings)
    if service is not None:
        service.title_maxlen = 0  # the title becomes the first line of the text
    return service


def _mail(to: str) -> dict[str, Any]:
    """The settings of a mail to one address. Raises NotDelivered, without repeating the settings."""
    problems = []
    name, sender = parseaddr(os.environ[SENDER].strip())
    if not MAIL_ADDRESS.fullmatch(sender):
        problems.append(f"{SENDER} is not a mail address such as Reports <reports@example.com>.")
    try:
        url = urlsplit(os.environ[SERVER].strip())
        host, port = url.hostname or "", url.port
        fits = url.scheme in ("smtp", "smtps") and re.fullmatch(r"[\w.:-]+", host, re.ASCII) is not None
        fits = fits and url.path in ("", "/") and not url.fragment and bool(url.username) == bool(url.password)
        fits = fits and (not url.query or (url.scheme, url.query) == ("smtp", "tls=none"))
        fits = fits and re.search(r"[^!-~]", unquote(url.netloc)) is None
    except ValueError:
        fits = False
    if not fits:
        problems.append(
            f"{SERVER} must look like smtp://user:password@mail.example.com:587, smtps://... or smtp://...?tls=none. "
            "In user and password write characters such as @ : / ? # in percent: @ as %40, / as %2F."
        )
    if problems:
        raise NotDelivered(" ".join(problems), for_all=True)
    is_clear = bool(url.query) or (url.scheme == "smtp" and _is_local(host))
    mode = "ssl" if url.scheme == "smtps" else "insecure" if is_clear else "starttls"
    return {
        "schema": "mailto" if is_clear else "mailtos", "secure_mode": mode, "smtp_host": host, "host": host,
        "port": port or {"ssl": 465, "starttls": 587, "insecure": 25 if _is_local(host) else 587}[mode],
        "user": url.username, "password": url.password, "targets": [to],
        "from_addr": formataddr((message.one_line(name), sender)), "headers": {"Auto-Submitted": "auto-generated"},
    }  # fmt: skip


def _ascii(name: str) -> str:
    """A file name in ASCII: mail programs do not read others in the form in which apprise writes them."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()


def _is_local(host: str) -> bool:
    """Whether a host is this machine, so that nothing travels over a network."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
