"""A run told in a chat: one POST to a webhook that takes Slack's messages. Its address is a secret, said nowhere."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from cs_helpers.schedule import letter
from cs_helpers.schedule.call import HOST, LATER, Call, NotDelivered, Parcel, local, trust, why
from cs_helpers.schedule.letter import one_line

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_variable(to: str) -> str:
    """The name of a variable. Raises ValueError for anything else, without repeating it: it may be the address."""
    if not _VARIABLE.fullmatch(to):
        raise ValueError(
            "webhook: takes the NAME of the environment variable that holds the address (letters, digits and _), "
            "never the address itself."
        )
    return to


def post(variable: str, parcel: Parcel, call: Call) -> str:
    """Posts one run to the address that the variable holds; returns words. Raises NotDelivered."""
    address, here = _address(variable, parcel.environment)
    where = parcel.kept() if parcel.kind == "failure" else f"The report: {parcel.place('report.html')}"
    body = json.dumps({"text": letter.chat(letter.write(parcel.record, parcel.kind, where))}).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "cs-helpers"}
    request = urllib.request.Request(address, body, headers, method="POST")  # noqa: S310 - the scheme was checked
    opener = urllib.request.OpenerDirector()  # without a handler of redirects, which would make a GET of the POST
    for handler in (
        urllib.request.ProxyHandler({} if here else None),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Connections(call, trust(parcel.environment)),
    ):
        opener.add_handler(handler)
    call.at(f"sending to the address in {variable}")
    try:
        with opener.open(request, timeout=call.seconds) as answer:
            return f"The server answered {answer.status}."
    except HTTPError as error:
        raise NotDelivered(_words(variable, address, error)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            words = f"{variable}: the server's certificate is not trusted ({reason.verify_message})."
        else:
            words = f"{variable}: the server was not reached or gave no proper answer: {why(reason)}. {LATER}"
        raise NotDelivered(words) from None


class _Connections(urllib.request.HTTPSHandler):
    """Opens connections that a call can close; http is spoken with this machine alone."""

    def __init__(self, call: Call, context: ssl.SSLContext):
        super().__init__()
        self.call, self.trusted = call, context

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self._open(req, http.client.HTTPSConnection, context=self.trusted)

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self._open(req, http.client.HTTPConnection)

    http_request = urllib.request.AbstractHTTPHandler.do_request_

    def _open(self, req: urllib.request.Request, kind: Callable[..., Any], **more: Any) -> http.client.HTTPResponse:
        def made(host: str, **how: Any) -> Any:
            self.call.connection = kind(host, **how, **more)
            return self.call.connection

        return self.do_open(made, req)


def _address(variable: str, environment: Mapping[str, str]) -> tuple[str, bool]:
    """The address, and whether it is on this machine. Raises NotDelivered without repeating it."""
    address = environment.get(variable, "").strip()
    if not address:
        raise NotDelivered(f"The environment variable {variable} is not set: put the address of the webhook into it.")
    try:
        url = urlsplit(address)
        host = url.hostname or ""
        fits = bool(HOST.fullmatch(host)) and url.username is None and url.port != 0
    except ValueError:
        fits = False
    if not fits or re.search(r"[^!-~]", address):
        raise NotDelivered(f"{variable} holds no address such as https://hooks.example.com/services/...")
    if url.scheme != "https" and not (url.scheme == "http" and local(host)):
        raise NotDelivered(
            f"The address in {variable} must begin with https://: who reads it on the way could post, too."
        )
    return address, local(host)


def _words(variable: str, address: str, error: HTTPError) -> str:
    if 300 <= error.code < 400:
        return f"{variable}: the server answered {error.code}, a redirect, and none is followed. Set the final address."
    said = ""
    with suppress(OSError, ValueError, http.client.HTTPException):
        answer = cast(http.client.HTTPResponse, error.fp)
        said = answer.read1(300).decode("utf-8", "replace")  # what has come: a slow server is not waited for
    url = urlsplit(address)
    for secret in (address, f"{url.path}?{url.query}", url.path, url.query):
        said = said.replace(secret, "[address]") if len(secret) > 1 else said
    gone = 400 <= error.code < 500 and error.code not in (408, 429)
    advice = "Was the webhook taken back? Then make another." if gone else "The server is busy or in trouble."
    return f"{variable}: the server answered {error.code} {one_line(said, 200)}".rstrip() + f". {advice} {LATER}"
