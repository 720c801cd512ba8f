"""Each recipient gets a report once, complete and harmless; a failed delivery is recorded, never raised.

All servers are real ones on this machine: mail with login and encryption, chats, and servers that never answer.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hostile import PAYLOADS
from servers import PASSWORD, Inbox, mail_server, talker, web_server

from cs_helpers.schedule import delivery, message, recipients, services
from cs_helpers.schedule.delivery import Outcome, recipient

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

QUOTED = "s3cr3t%2Fpass%40word"
SENDER = {"CS_HELPERS_MAIL_FROM": "Reports <reports@example.com>"}
ANNA, BEN = "mail:anna@x.com", "mail:ben@x.com"
SHORT = {"CS_HELPERS_DELIVERY_TIMEOUT": "1"}


def record(**changes: Any) -> dict[str, Any]:
    return {
        "series": "churn/segment=smb",
        "title": "Churn",
        "question": "Who leaves, and when?",
        "subject": "churn",
        "run_id": "20260701T060000000Z-aaaa",
        "status": "warnings",
        "started_at": "2026-07-01T06:00:00.000Z",
        "duration_s": 8.0,
        "notebook": "churn.ipynb",
        "parameters": {"source": "data/sample", "where": "segment=SMB", "as_of": ""},
        "as_of": "2026-06-30",
        "audience": "full",
        "attempt": 2,
        "scheduled": {"job": "churn-by-segment", "at": "2026-07-01T05:00:00Z", "of": 3},
        "headline": [
            {"key": "grr", "name": "Gross revenue retention (GRR)", "value": 0.881, "unit": "fraction", "low": 0.85,
             "high": 0.91, "n": 400, "text": "88.1\u202f%"},
            {"key": "mrr", "name": "Monthly recurring revenue (MRR)", "value": 1.9e6, "unit": "money per month",
             "low": None, "high": None, "n": 463, "text": "€1.90m"},
        ],
        "takeaways": ["GRR fell from 90.1 to 88.1 %.", "Smith & Sons <Ltd> left."],
        "changed": {
            "run_id": "20260601T060000000Z-aaaa", "as_of": "2026-05-31", "started_at": "2026-06-01T06:00:00.000Z",
            "other": ["months"],
            "rows": [{"key": "grr", "name": "GRR", "then": "90.1 %", "now": "88.1 %", "unit": "fraction",
                      "difference": -0.02, "inside": True}],
        },
        "error": None,
        **changes,
    }  # fmt: skip


def failed(**changes: Any) -> dict[str, Any]:
    error = {"cell": 5, "ename": "KeyError", "message": "churn.ipynb, cell 5:\n  <b>'mrr'</b> is not there."}
    return record(**{"status": "failed", "error": error, "headline": [], "takeaways": [], "changed": None, **changes})


def put(out: Path, one: dict[str, Any], report: str = "<html>the report</html>") -> Path:
    folder = out / one["series"] / one["run_id"]
    folder.mkdir(parents=True)
    if one["status"] != "failed":
        (folder / "report.html").write_text(report, encoding="utf-8")
    (folder / "notebook.ipynb").write_text("{}", encoding="utf-8")
    return folder


def hand(one: dict[str, Any], folder: Path, *to: str, kind: str = "report", **environment: str) -> list[Outcome]:
    with patch.dict(os.environ, environment):
        return delivery.deliver(one, folder, to, kind)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in (recipients.SERVER, recipients.SENDER, delivery.TIMEOUT, "SSL_CERT_FILE", "BOARD_CHAT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A certificate of our own for this machine under its several names, with its key, in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    addresses = [x509.IPAddress(ipaddress.ip_address(each)) for each in ("127.0.0.1", "0.0.0.0")]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "own.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def own(certificate) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def waiting(folder: Path) -> list[str]:
    """Who has not received the run of a folder, by its delivery.json."""
    noted = json.loads((folder / delivery.FILE).read_text(encoding="utf-8"))["deliveries"]
    return [each["recipient"] for each in noted if not each["delivered"]]


def parts(message: Any) -> tuple[str, str, list[Any]]:
    """Plain text, HTML and the attachments of a mail."""
    plain, page = message.get_body(("plain",)), message.get_body(("html",))
    texts = [part.get_content().replace("\r\n", "\n") for part in (plain, page)]
    return texts[0], texts[1], list(message.iter_attachments())


def assert_no_secret(folder: Path, *outcomes: Outcome, secrets: tuple[str, ...] = (PASSWORD, QUOTED)) -> None:
    noted = folder / delivery.FILE
    said = [repr(each) for each in outcomes] + ([noted.read_text(encoding="utf-8")] if noted.exists() else [])
    assert [(secret, text) for secret in secrets for text in said if secret in text] == []


# --- recipients -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "to"),
    [
        ("anna@x.com", "mail", "anna@x.com"),
        (" mail: Anna.O'Neil+cs@X.Com ", "mail", "Anna.O'Neil+cs@X.Com"),
        ("root@localhost", "mail", "root@localhost"),
        ("webhook:SLACK_URL", "webhook", "SLACK_URL"),
        ("${SLACK_URL}", "webhook", "SLACK_URL"),
        ("slack://${A}/${B}/${C}", "slack", "//${A}/${B}/${C}"),
        ("mailtos://${USER}:${PASSWORD}@x.com?to=anna@y.com", "mailtos", "//${USER}:${PASSWORD}@x.com?to=anna@y.com"),
        ("ntfy://reports", "ntfy", "//reports"),
        ("slack://${TOKEN}/#board", "slack", "//${TOKEN}/#board"),
        ("Folder:/mnt/board reports", "folder", "/mnt/board reports"),
        (r"folder:C:\reports", "folder", r"C:\reports"),
        ("folder:/mnt/a@b", "folder", "/mnt/a@b"),
    ],
)
def test_a_recipient_is_an_address_a_variable_or_a_folder(text, kind, to):
    assert recipient(text) == recipient(recipient(text)) == f"{kind}:{to}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a mail address"),
        ("anna.x.com", "is not a mail address"),
        ("mail:anna", "is not a mail address such as"),
        ("anna@x.com\nBcc: eve@x.com", "line break"),
        ("anna@x.com\r\nBcc: eve@x.com", "invisible character"),
        ("anna@x.com\x00", "invisible character"),
        ("anna\u202e@x.com", "invisible character"),
        ("anna@x.com\u2028", "line break"),
        ("anna@x.com, ben@x.com", "Several recipients are a list"),
        ("anna@x.com;ben@x.com", "Several recipients are a list"),
        ("Anna <anna@x.com>", "Several recipients are a list"),
        ("anna@", "not a mail address such as"),
        ("@x.com", "not a mail address such as"),
        ("a@b@x.com", "not a mail address such as"),
        ("anna@x..com", "not a mail address such as"),
        ("anna@-x.com", "not a mail address such as"),
        ("änna@x.com", "not a mail address such as"),
        ("mial:anna@x.com", "Did you mean 'mail'?"),
        ("mailto:anna@x.com", "Did you mean 'mail'?"),
        ("slack:CHANNEL", "Write a mail address, webhook:NAME_OF_A_VARIABLE, folder:PATH or an apprise URL"),
        ("webhook:", "NAME of the environment variable"),
        ("webhook:MY-HOOK", "NAME of the environment variable"),
        ("folder:", "the path of a folder"),
        ("folder:s3://bucket/reports", "a folder on this machine"),
        ("slak://${TOKEN}", "there is no service 'slak://'. Did you mean 'slack'?"),
        ("${MY-HOOK}", "is not a mail address"),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7", "which is a secret"),
        ("slack://${A}/${B}/TIiajkdnlazkcOXrIdevi7", "write ${NAME_OF_THE_VARIABLE} in its place"),
        ("mailtos://${USER}:s3cr3t@x.com", "spells out its Password"),
    ],
)
def test_what_is_no_recipient_is_refused_in_words(text, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        recipient(text)


@pytest.mark.parametrize(
    "text",
    ["https://hooks.slack.com/services/T0/B0/s3cr3t", "webhook:https://chat.test/s3cr3t", "slack: https://h.test/s3cr3t",
     "hooks.slack.com/services/s3cr3t", "webhook:hooks.slack.com/s3cr3t", "webhook:example.com/s3cr3t"],
)  # fmt: skip
def test_a_webhooks_address_in_the_schedule_is_refused_and_not_repeated(text):
    with pytest.raises(ValueError, match="variable") as refused:
        recipient(text)
    assert "s3cr3t" not in str(refused.value)


# --- mail -------------------------------------------------------------------------------------------------------


def test_a_mail_says_what_the_report_says_and_carries_it(tmp_path):
    one, inbox = record(), Inbox()
    folder = put(tmp_path, one)
    with mail_server(inbox) as port:
        outcomes = hand(one, folder, ANNA, BEN, CS_HELPERS_SMTP_URL=f"smtp://127.0.0.1:{port}", **SENDER)
    assert [(each.recipient, each.delivered) for each in outcomes] == [(ANNA, True), (BEN, True)]
    assert [to for to, _ in inbox.mails] == [["anna@x.com"], ["ben@x.com"]]
    message = inbox.mails[0][1]
    subject = "Churn (segment: smb): with warnings. Gross revenue retention (GRR) 88.1 %"
    assert message["Subject"] == subject
    assert message["From"] == "Reports <reports@example.com>"
    assert (message["To"], message["Cc"], message["Bcc"]) == ("anna@x.com", None, None)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] != inbox.mails[1][1]["Message-ID"]
    plain, page, attached = parts(message)
    for said in (
        "Who leaves, and when?",
        "As of 2026-06-30.",
        "For internal use: it names accounts and people.",
        "- Gross revenue retention (GRR): 88.1 % (85.0 to 91.0 %)",
        "- Monthly recurring revenue (MRR): €1.90m (n = 463)",
        "- GRR fell from 90.1 to 88.1 %.",
        "What changed since the report of 2026-06-01, as of 2026-05-31",
        "- GRR: 90.1 %, now 88.1 %; −2.0 points, inside today's interval",
        "- Also changed: months",
        "Run 20260701T060000000Z-aaaa, started 2026-07-01T06:00:00.000Z, attempt 2, "
        "scheduled as churn-by-segment for 2026-07-01T05:00:00Z.",
    ):
        assert said in plain
    assert "Smith & Sons <Ltd> left." in plain
    assert "<li>Smith &amp; Sons &lt;Ltd&gt; left.</li>" in page
    assert [part.get_filename() for part in attached] == ["churn-segment=smb-2026-06-30.html"]
    assert attached[0].get_content_type() == "text/html"
    assert attached[0].get_payload(decode=True) == (folder / "report.html").read_bytes()
    assert "ben@x.com" not in message.as_string()


def test_no_line_of_a_mail_is_longer_than_servers_take(tmp_path):
    one, inbox = record(takeaways=[PAYLOADS["long word"], PAYLOADS["long sentence"], "ä" * 5000]), Inbox()
    folder = put(tmp_path, one, "x" * 50_000)
    with mail_server(inbox) as port:
        hand(one, folder, ANNA, CS_HELPERS_SMTP_URL=f"smtp://127.0.0.1:{port}", **SENDER)
    head, _, body = inbox.raw[0].partition(b"\r\n\r\n")
    assert max(map(len, head.split(b"\r\n"))) <= 100
    encoded = [line for line in body.split(b"\r\n") if not line.startswith(b"Content-")]
    assert max(map(len, encoded)) < 80
    assert "... (cut)" in parts(inbox.mails[0][1])[0]


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_hostile_text_can_neither_add_a_header_nor_a_tag_nor_hide(tmp_path, name):
    text = PAYLOADS[name]
    tile = {"key": "k", "name": text, "text": text, "value": 1, "unit": text, "low": None, "high": None, "n": None}
    row = {"key": "k", "name": text, "then": text, "now": text, "unit": text, "difference": None, "inside": None}
    changed = {"run_id": text, "as_of": text, "started_at": text, "other": [text], "rows": [row]}
    hostile = {"title": text, "question": text, "headline": [tile], "takeaways": [text], "changed": changed}
    parcel_of = record(**hostile, as_of=text, audience=text)
    folder, inbox = put(tmp_path, parcel_of), Inbox()
    with mail_server(inbox) as port:
        [outcome] = hand(parcel_of, folder, ANNA, CS_HELPERS_SMTP_URL=f"smtp://127.0.0.1:{port}", **SENDER)
    assert outcome.delivered, outcome.message
    message = inbox.mails[0][1]
    assert sorted(key.lower() for key in message.keys()) == [  # noqa: SIM118 - a message is no dictionary
        *(
            "auto-submitted",
            "content-type",
            "date",
            "from",
            "message-id",
            "mime-version",
            "subject",
            "to",
            "x-application",
        ),
    ]
    plain, page, attached = parts(message)
    assert attached[0].get_filename() == "churn-segment=smb-2026-07-01.html"
    tags = {*re.findall(r"<(/?\w+)", page)}
    plain_tags = {"h3", "ul", "li", "p"}
    assert tags <= plain_tags | {f"/{tag}" for tag in plain_tags}
    for shown in (message["Subject"], plain, page):
        assert not re.search(
            "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", shown
        )


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Churn\r\nBcc: eve@x.com", "Churn Bcc: eve@x.com"),
        ("Churn\n\nbody", "Churn body"),
        ("Churn\r\n.\r\nQUIT", "Churn . QUIT"),
        ("=?utf-8?q?Churn=0d=0aBcc:_eve@x.com?=", "= ?utf-8?q?Churn=0d=0aBcc:_eve@x.com?="),
    ],
)
def test_a_title_with_line_ends_stays_one_line_of_the_subject(tmp_path, title, shown):
    one, inbox = record(title=title), Inbox()
    folder = put(tmp_path, one)
    with mail_server(inbox) as port:
        [outcome] = hand(one, folder, ANNA, CS_HELPERS_SMTP_URL=f"smtp://127.0.0.1:{port}", **SENDER)
    assert outcome.delivered, outcome.message
    assert [to for to, _ in inbox.mails] == [["anna@x.com"]]
    message = inbox.mails[0][1]
    assert message["Bcc"] is None
    figure = "Gross revenue retention (GRR) 88.1 %"
    assert message["Subject"] == f"{shown} (segment: smb): with warnings. {figure}"


@pytest.mark.parametrize(
    ("title", "figure"),
    [
        ("Churn " * 15, "88.1 %"),
        ("Kündigungen über " * 6, "€1.90m"),
        ("契約の更新" * 15, "x"),
        ("W" * 80, "y"),
        ("Churn", "88 %"),
    ],
)
def test_long_and_foreign_titles_arrive_as_they_are(tmp_path, title, figure):
    tile = {"key": "mrr", "name": "MRR", "value": 1, "text": figure}
    series = "reports/segment=" + "Große Kunden im Süden " * 4
    one, inbox = record(title=title.strip(), headline=[tile], series=series.strip()), Inbox()
    folder = put(tmp_path, one)
    with mail_server(inbox) as port:
        [outcome] = hand(one, folder, ANNA, CS_HELPERS_SMTP_URL=f"smtp://127.0.0.1:{port}", **SENDER)
    assert outcome.delivered, outcome.message
    message = inbox.mails[0][1]
    assert message["Subject"].startswith(f"{title.strip()} (segment: Große"[:110])
    assert "  " not in message["Subject"]
    place = "Groe-Kunden-im-Suden"
    assert parts(message)[2][0].get_filename() == f"reports-segment={'-'.join([place] * 4)}-2026-06-30.html"
    head = inbox.raw[0].partition(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 998, "the limit of RFC 5322"


def test_a_report_over_ten_megabytes_is_left_out_with_a_sentence(tmp_path):
    one, inbox = record(), Inbox()
    folder = put(tmp_path, one, "x" * (services.MAX_ATTACHMENT + 100_000))
    with mail_server(inbox) as port:
        [outcome] = hand(one, folder, ANNA, CS_HELPERS_SMTP_URL=f"smtp://127.0.0.1:{port}", **SENDER)
    plain, _, attached = parts(inbox.mails[0][1])
    assert attached == []
    assert outcome.message == "Sent through E-Mail."
    place = "churn/segment=smb/20260701T060000000Z-aaaa/report.html in the reports folder"
    assert f"The report has 10.1 MB, too much to attach: {place}" in plain


def test_word_of_a_failure_says_what_failed_and_what_to_do_and_carries_nothing(tmp_path):
    one, inbox = failed(), Inbox()
    folder = put(tmp_path, one)
    with mail_server(inbox) as port:
        hand(one, folder, ANNA, kind="failure", CS_HELPERS_SMTP_URL=f"smtp://127.0.0.1:{port}", **SENDER)
    message = inbox.mails[0][1]
    assert message["Subject"] == "FAILED: Churn (segment: smb)"
    plain, page, attached = parts(message)
    assert attached == []
    for said in (
        "The last good report, if any, is unchanged.",
        "- churn.ipynb, cell 5:\n- <b>'mrr'</b> is not there.",
        "notebook ran: churn/segment=smb/20260701T060000000Z-aaaa/notebook.ipynb in the reports folder",
        "cs-helpers run churn --source data/sample -p where=segment=SMB --as-of 2026-06-30",
    ):
        assert said in plain
    assert "&lt;b&gt;" in page and "<b>" not in page
    assert str(tmp_path) not in plain


def test_a_failure_with_hundreds_of_problems_is_cut_and_one_without_words_is_told_as_well(tmp_path):
    many = failed(error={"message": "\n".join(f"row {n}: bad" for n in range(300))})
    shown = message.plain(message.write(many, "failure", ""))
    assert "row 39: bad" in shown and "row 40: bad" not in shown and "... and 260 more lines" in shown
    assert "No reason was recorded" in message.plain(message.write(failed(error=None), "failure", ""))


def test_a_shared_report_is_told_in_words_of_its_record_alone(tmp_path):
    one, inbox = record(audience="shared", series="churn/audience=shared", title=None), Inbox()
    folder = put(tmp_path / "Quist Ltd", one)
    with mail_server(inbox) as port, web_server() as (hook, heard):
        address = {"CS_HELPERS_SMTP_URL": f"smtp://127.0.0.1:{port}", "HOOK": f"http://127.0.0.1:{hook}/"}
        hand(one, folder, ANNA, "webhook:HOOK", **address, **SENDER)
    plain, page, attached = parts(inbox.mails[0][1])
    assert attached[0].get_filename() == "churn-audience=shared-2026-06-30.html"
    assert inbox.mails[0][1]["Subject"].startswith("churn: with warnings. ")
    for said in (plain, page, json.loads(heard[0][2])["text"]):
        assert "For sharing: accounts and people under pseudonyms" in said
        assert "Quist" not in said and str(Path.home()) not in said.replace("/", os.sep)


def test_a_report_of_an_older_version_has_fewer_fields_and_is_told_as_well(tmp_path):
    kept = ("series", "run_id", "status", "started_at", "notebook", "parameters", "headline", "takeaways", "audience")
    old, inbox = {key: record()[key] for key in kept}, Inbox()
    folder = put(tmp_path, old)
    with mail_server(inbox) as port:
        [outcome] = hand(old, folder, ANNA, CS_HELPERS_SMTP_URL=f"smtp://127.0.0.1:{port}", **SENDER)
    assert outcome.delivered, outcome.message
    assert inbox.mails[0][1]["Subject"].startswith("churn (segment: smb): with warnings.")


# --- mail servers -----------------------------------------------------------------------------------------------


def test_login_over_starttls_with_a_password_written_in_percent(tmp_path, own, certificate):
    one, inbox = record(), Inbox()
    folder = put(tmp_path, one)
    with mail_server(
        inbox, tls_context=own, require_starttls=True, auth_required=True, authenticator=inbox.authenticator
    ) as port:
        [outcome] = hand(
            one,
            folder,
            ANNA,
            CS_HELPERS_SMTP_URL=f"smtp://us%2Fer:{QUOTED}@0.0.0.0:{port}",
            SSL_CERT_FILE=str(certificate),
            **SENDER,
        )
    assert outcome.delivered, outcome.message
    assert (inbox.encrypted, inbox.logins) == ([True], 1)
    assert_no_secret(folder, outcome)


def test_a_server_that_is_encrypted_at_once(tmp_path, own, certificate):
    one, inbox = record(), Inbox()
    folder = put(tmp_path, one)
    options = {"auth_required": True, "authenticator": inbox.authenticator, "auth_require_tls": False}
    with mail_server(inbox, at_once=own, **options) as port:
        url = f"smtps://us%2Fer:{QUOTED}@localhost:{port}"
        [outcome] = hand(one, folder, ANNA, CS_HELPERS_SMTP_URL=url, SSL_CERT_FILE=str(certificate), **SENDER)
    assert outcome.delivered, outcome.message


def test_a_certificate_that_nobody_vouches_for_is_refused_before_the_password_is_said(tmp_path, own):
    one, inbox = record(), Inbox()
    folder = put(tmp_path, one)
    options = {"auth_required": True, "authenticator": inbox.authenticator}
    with mail_server(inbox, tls_context=own, **options) as port:
        url = f"smtp://us%2Fer:{QUOTED}@0.0.0.0:{port}"
        [outcome] = hand(one, folder, ANNA, CS_HELPERS_SMTP_URL=url, **SENDER)
    assert not outcome.delivered and "(certificate verify failed)" in outcome.message
    assert (inbox.mails, inbox.logins) == ([], 0)
    assert_no_secret(folder, outcome)


def test_without_encryption_nothing_is_said_to_another_machine_unless_the_address_allows_it(tmp_path):
    one, inbox = record(), Inbox()
    folder = put(tmp_path, one)
    options = {"auth_required": True, "authenticator": inbox.authenticator, "auth_require_tls": False}
    with mail_server(inbox, **options) as port:
        url = f"smtp://us%2Fer:{QUOTED}@0.0.0.0:{port}"
        [refused] = hand(one, folder, ANNA, CS_HELPERS_SMTP_URL=url, **SENDER)
        assert inbox.logins == 0
        [allowed] = hand(one, folder, ANNA, CS_HELPERS_SMTP_URL=f"{url}?tls=none", **SENDER)
    assert not refused.delivered and "(STARTTLS extension not supported)" in refused.message
    assert allowed.delivered, allowed.message
    assert inbox.encrypted == [False]


def test_a_wrong_password_is_tried_once_for_all_mails_and_stands_nowhere(tmp_path):
    one, inbox = record(), Inbox()
    folder = put(tmp_path, one)
    options = {"auth_required": True, "authenticator": inbox.authenticator, "auth_require_tls": False}
    with mail_server(inbox, **options) as port:
        url = f"smtp://us%2Fer:wr0ng%2Fpass@127.0.0.1:{port}"
        outcomes = hand(one, folder, ANNA, BEN, CS_HELPERS_SMTP_URL=url, **SENDER)
    assert [each.delivered for each in outcomes] == [False, False]
    assert "(535). Check CS_HELPERS_SMTP_URL" in outcomes[1].message
    # The kinds of login that one server offers are tried one after another, for the first mail alone.
    assert 1 <= inbox.logins <= 2
    assert_no_secret(folder, *outcomes, secrets=("wr0ng/pass", "wr0ng%2Fpass"))


def test_a_server_that_repeats_the_password_is_not_quoted_with_it(tmp_path):
    import base64

    one = record()
    folder = put(tmp_path, one)
    plain = base64.b64encode(f"\0us/er\0{PASSWORD}".encode())
    lines = (b"220 hi\r\n", b"250-hi\r\n250 AUTH PLAIN\r\n", b"535 no: " + PASSWORD.encode() + b" " + plain + b"\r\n")
    with talker(*lines, then_close=True) as (port, _):
        url = f"smtp://us%2Fer:{QUOTED}@127.0.0.1:{port}"
        [outcome] = hand(one, folder, ANNA, CS_HELPERS_SMTP_URL=url, **SENDER)
    assert "(535). Check" in outcome.message
    assert_no_secret(folder, outcome, secrets=(PASSWORD, QUOTED, plain.decode()))


def test_a_server_without_login_is_said_to_offer_none(tmp_path):
    one = record()
    folder = put(tmp_path, one)
    with mail_server(Inbox()) as port:
        url = f"smtp://us%2Fer:{QUOTED}@127.0.0.1:{port}"
        [outcome] = hand(one, folder, ANNA, CS_HELPERS_SMTP_URL=url, **SENDER)
    assert "SMTP AUTH extension not supported" in outcome.message


def test_one_refused_recipient_keeps_no_other_from_the_report(tmp_path):
    one, inbox = record(), Inbox(refuses=("anna@x.com",))
    folder = put(tmp_path, one)
    with mail_server(inbox) as port:
        refused, taken = hand(one, folder, ANNA, BEN, CS_HELPERS_SMTP_URL=f"smtp://127.0.0.1:{port}", **SENDER)
    assert (refused.delivered, taken.delivered) == (False, True)
    assert refused.message.startswith("E-Mail did not accept the message (550).")
    assert waiting(folder) == [ANNA]


def test_a_message_that_is_too_large_for_the_server_is_said_so(tmp_path):
    one = record()
    folder = put(tmp_path, one)
    with mail_server(Inbox(too_large=True)) as port:
        [outcome] = hand(one, folder, ANNA, CS_HELPERS_SMTP_URL=f"smtp://127.0.0.1:{port}", **SENDER)
    assert not outcome.delivered and "(552)" in outcome.message


def test_a_refused_connection_is_said_with_the_place(tmp_path):
    one = record()
    folder = put(tmp_path, one)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"smtp://us%2Fer:{QUOTED}@127.0.0.1:{port}"
    outcomes = hand(one, folder, ANNA, BEN, CS_HELPERS_SMTP_URL=url, **SENDER)
    for outcome in outcomes:
        assert "(Connection refused). Check CS_HELPERS_SMTP_URL" in outcome.message
    assert_no_secret(folder, *outcomes)


GREETING, HELLO = b"220 hi\r\n", b"250 hi\r\n"
OFTEN = (GREETING, HELLO, b"250 sender\r\n", b"250 recipient\r\n", b"354 go on\r\n")


@pytest.mark.parametrize(
    ("lines", "drip"),
    [
        ((), b""),
        ((), b"2"),
        ((), b"220-still busy\r\n"),
        ((GREETING,), b""),
        ((GREETING,), b"250-more\r\n"),
        ((GREETING, HELLO), b"2"),
        (OFTEN, b"2"),
    ],
    ids=["silent", "a byte", "a line", "silent later", "many lines", "at the sender", "at the end"],
)
def test_a_mail_server_that_never_comes_to_an_end_is_given_up(tmp_path, lines, drip):
    one = record()
    folder = put(tmp_path, one)
    with talker(*lines, drip=drip) as (port, gone):
        url = f"smtp://127.0.0.1:{port}"
        outcomes = hand(one, folder, ANNA, BEN, CS_HELPERS_SMTP_URL=url, **SENDER, **SHORT)
        assert drip or gone.wait(10), "the connection was left open"
    for outcome in outcomes:
        assert not outcome.delivered
        assert ("No end within 1 s. It may have arrived" if drip else "timed out") in outcome.message


def test_encryption_that_never_begins_is_given_up_too(tmp_path, certificate):
    one = record()
    folder = put(tmp_path, one)
    with talker() as (port, gone):
        url = f"smtps://localhost:{port}"
        [outcome] = hand(one, folder, ANNA, CS_HELPERS_SMTP_URL=url, SSL_CERT_FILE=str(certificate), **SENDER, **SHORT)
        assert gone.wait(10), "the connection was left open"
    assert not outcome.delivered
    assert "timed out" in outcome.message


def test_a_server_that_took_the_mail_and_does_not_part_is_no_failure(tmp_path):
    one = record()
    folder = put(tmp_path, one)
    with talker(*OFTEN, b"250 taken\r\n") as (port, _):
        [outcome] = hand(one, folder, ANNA, CS_HELPERS_SMTP_URL=f"smtp://127.0.0.1:{port}", **SENDER, **SHORT)
    assert outcome.delivered, outcome.message


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((b"554 go away\r\n",), "(554)"),
        ((GREETING,), "unexpectedly closed"),
        ((b"SSH-2.0-OpenSSH_9.2\r\n",), "did not accept the message"),
        ((GREETING, HELLO, b"451 too many\r\n"), "(451)"),
    ],
)
def test_a_server_that_does_not_want_is_quoted(tmp_path, lines, said):
    one = record()
    folder = put(tmp_path, one)
    with talker(*lines, then_close=True) as (port, _):
        [outcome] = hand(one, folder, ANNA, CS_HELPERS_SMTP_URL=f"smtp://127.0.0.1:{port}", **SENDER)
    assert not outcome.delivered and said in outcome.message


def test_tls_where_none_is_spoken_names_the_ports(tmp_path):
    one = record()
    folder = put(tmp_path, one)
    with mail_server(Inbox()) as port:
        [outcome] = hand(one, folder, ANNA, CS_HELPERS_SMTP_URL=f"smtps://localhost:{port}", **SENDER)
    assert "wrong version number" in outcome.message


SECRET_PARTS = ("s3cr3t", "pässw0rd", "w0rd")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mail.example.com", "must look like smtp://"),
        ("http://user:s3cr3t@mail.example.com", "must look like smtp://"),
        ("smtp://", "must look like smtp://"),
        ("smtp://user:s3cr3t/w0rd@mail.example.com:587", "write characters such as"),
        ("smtp://user:s3cr3t?w0rd@mail.example.com:587", "write characters such as"),
        ("smtp://user:s3cr3t#w0rd@mail.example.com:587", "write characters such as"),
        ("smtp://user:12/s3cr3t@mail.example.com:587", "write characters such as"),
        ("smtp://user:s3cr3t[@mail.example.com:587", "write characters such as"),
        ("smtp://user:s3cr3t@mail.example.com:s3cr3t", "must look like smtp://"),
        ("smtp://user:s3cr3t@mail.example.com?tls=off", "must look like smtp://"),
        ("smtps://user:s3cr3t@mail.example.com?tls=none", "must look like smtp://"),
        ("smtp://user@mail.example.com", "must look like smtp://"),
        ("smtp://:s3cr3t@mail.example.com", "must look like smtp://"),
        ("smtp://user:p%C3%A4ssw0rd@mail.example.com", "must look like smtp://"),
        ("smtp://user:s3cr3t%0D%0A@mail.example.com", "must look like smtp://"),
    ],
)
def test_settings_that_cannot_be_are_named_and_not_repeated(tmp_path, url, said):
    one = record()
    folder = put(tmp_path, one)
    outcomes = hand(one, folder, ANNA, CS_HELPERS_SMTP_URL=url, CS_HELPERS_MAIL_FROM="reports at example")
    assert said in outcomes[0].message
    assert "CS_HELPERS_MAIL_FROM is not a mail address" in outcomes[0].message  # all problems at once
    assert_no_secret(folder, *outcomes, secrets=SECRET_PARTS)


def test_variables_that_are_not_set_are_named(tmp_path):
    one = record()
    [outcome] = hand(one, put(tmp_path, one), ANNA)
    assert "Set the environment variable CS_HELPERS_SMTP_URL and CS_HELPERS_MAIL_FROM" in outcome.message


@pytest.mark.parametrize("text", ["x", "0", "-1", "nan", "inf", "99999"])
def test_a_time_that_is_none_is_refused(tmp_path, text):
    one = record()
    folder = put(tmp_path, one)
    [outcome] = hand(one, folder, f"folder:{tmp_path}", CS_HELPERS_DELIVERY_TIMEOUT=text)
    assert "CS_HELPERS_DELIVERY_TIMEOUT must be seconds between 0 and 3600" in outcome.message


def test_a_file_of_certificates_that_is_not_there_is_named(tmp_path):
    one = record()
    folder = put(tmp_path, one)
    environment = {"CS_HELPERS_SMTP_URL": "smtp://127.0.0.1:9", "SSL_CERT_FILE": str(tmp_path / "none.pem"), **SENDER}
    assert "SSL_CERT_FILE names no file" in hand(one, folder, ANNA, **environment)[0].message


# --- webhook ----------------------------------------------------------------------------------------------------

HOOK = "webhook:BOARD_CHAT"
TOKEN = "T0/B0/s3cr3t-token"


def post(tmp_path: Path, port: int, scheme: str = "http", host: str = "127.0.0.1", **more: str) -> tuple[Path, Outcome]:
    one = record()
    folder = put(tmp_path, one)
    [outcome] = hand(one, folder, HOOK, BOARD_CHAT=f"{scheme}://{host}:{port}/services/{TOKEN}?a=s3cr3t-query", **more)
    assert_no_secret(folder, outcome, secrets=("s3cr3t",))
    return folder, outcome


def test_a_chat_gets_one_text_with_the_figures_and_where_the_report_is(tmp_path):
    with web_server() as (port, heard):
        _, outcome = post(tmp_path, port)
    assert outcome.delivered and outcome.message == "Sent through JSON."
    [(method, path, body)] = heard
    assert (method, path) == ("POST", f"/services/{TOKEN}?a=s3cr3t-query")
    sent = json.loads(body)
    assert list(sent) == ["text"]
    assert sent["text"].startswith("Churn (segment: smb): with warnings. Gross revenue retention (GRR) 88.1 %")
    assert "- Gross revenue retention (GRR): 88.1 % (85.0 to 91.0 %)" in sent["text"]
    assert "Smith & Sons <\u200bLtd> left." in sent["text"]
    assert "The report: churn/segment=smb/20260701T060000000Z-aaaa/report.html in the reports folder" in sent["text"]


def test_a_failure_in_a_chat_says_what_to_do(tmp_path):
    one = failed()
    folder = put(tmp_path, one)
    with web_server() as (port, heard):
        hand(one, folder, HOOK, kind="failure", BOARD_CHAT=f"http://localhost:{port}/")
    text = json.loads(heard[0][2])["text"]
    assert text.startswith("FAILED: Churn (segment: smb)") and "cs-helpers run churn" in text


@pytest.mark.parametrize(
    "text",
    ["<!channel> look", "<https://evil.example|click>", "[click](https://evil.example)", "![x](https://evil.example/p)",
     "@channel @HERE @all @everyone"],
)  # fmt: skip
def test_text_from_data_calls_nobody_and_links_nowhere(tmp_path, text):
    one = record(takeaways=[text], title=text)
    with web_server() as (port, heard):
        [outcome] = hand(one, put(tmp_path, one), HOOK, BOARD_CHAT=f"http://127.0.0.1:{port}/")
    assert outcome.delivered, outcome.message
    said = json.loads(heard[0][2])["text"]
    assert not re.search(r"<[!@#/\w]", said) and "](" not in said
    assert not re.search(r"@(channel|here|all|everyone)", said, re.IGNORECASE)


@pytest.mark.parametrize("text", ["<!channel> look", "[click](https://evil.example)", "@channel @HERE @all"])
def test_an_apprise_url_takes_its_secrets_from_the_environment_and_text_stays_text(tmp_path, text):
    one = record(takeaways=[text], title=text)
    folder = put(tmp_path, one)
    with web_server() as (port, heard):
        to = recipient(f"mmost://localhost:{port}/${{CHAT_TOKEN}}")
        [unset] = hand(one, folder, to)
        [outcome] = hand(one, folder, to, CHAT_TOKEN="3ccdd113474722377935511fc85d3dd4")
    assert not unset.delivered and "Set the environment variable CHAT_TOKEN" in unset.message
    assert outcome.delivered, outcome.message
    [(_, path, body)] = heard
    assert path == "/hooks/3ccdd113474722377935511fc85d3dd4"
    said = json.loads(body)["text"]
    assert "](" not in said and "<!" not in said and not re.search("@(channel|here|all)", said, re.IGNORECASE)
    assert_no_secret(folder, outcome, secrets=("3ccdd113474722377935511fc85d3dd4",))


def test_a_password_in_an_apprise_url_may_have_any_character(tmp_path):
    one, inbox = record(), Inbox()
    folder = put(tmp_path, one)
    options = {"auth_required": True, "authenticator": inbox.authenticator, "auth_require_tls": False}
    with mail_server(inbox, **options) as port:
        to = recipient(f"mailto://${{MAIL_USER}}:${{MAIL_PASSWORD}}@127.0.0.1:{port}/anna@x.com?from=me@x.com")
        [outcome] = hand(one, folder, to, MAIL_USER="us/er", MAIL_PASSWORD=PASSWORD)
    assert outcome.delivered, outcome.message
    assert [to for to, _ in inbox.mails] == [["anna@x.com"]]
    assert [part.get_filename() for part in parts(inbox.mails[0][1])[2]] == ["churn-segment=smb-2026-06-30.html"]
    assert_no_secret(folder, outcome)


@pytest.mark.parametrize(
    ("address", "service"),
    [
        ("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7", "Slack"),
        ("https://discord.com/api/webhooks/1234567890/abcdefghijklmnop", "Discord"),
        ("https://prod-1.westeurope.logic.azure.com:443/workflows/643e69f83c8944438d68119179a10a64/triggers/manual/paths/"
         "invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=KODuebWbDGYFr0z0eu", "Workflows"),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7", "Slack"),
        ("tgram://123456789:abcdefghijklmnopabcdefghijklmnopabc/12315544/", "Telegram"),
    ],
)  # fmt: skip
def test_the_address_that_a_chat_gives_is_recognized(address, service, monkeypatch):
    monkeypatch.setenv("BOARD_CHAT", address)
    found = services._service(HOOK)
    assert service in str(found.service_name)
    assert (found.redirects, found.verify_certificate) == (False, True)
    assert found.image_url("info") is None, "no picture of another server"


def test_a_chat_is_not_flooded():
    said = message.page(message.write(record(takeaways=[PAYLOADS["long sentence"]] * 30), "report", "Here."), 3500)
    assert len(said) < 3500 and "... (cut)</li></ul><p>Here.</p><p>Run " in said


def test_a_message_that_a_service_takes_in_parts_is_sent_whole(tmp_path, monkeypatch):
    # apprise waits five seconds between two parts.
    monkeypatch.setattr("apprise.plugins.rocketchat.NotifyRocketChat.request_rate_per_sec", 0)
    one = record(takeaways=[f"{number}. {'word ' * 100}" for number in range(6)])
    with web_server() as (port, heard):
        [outcome] = hand(one, put(tmp_path, one), HOOK, BOARD_CHAT=f"rocket://{'a' * 17}/{'b' * 24}@localhost:{port}")
    assert outcome.delivered, outcome.message
    assert len(heard) > 3 and b"Run 20260701T060000000Z-aaaa" in heard[-1][2]


@pytest.mark.parametrize(
    ("code", "said"),
    [(500, "(error=500)"), (429, "(error=429)"), (404, "(error=404)")],
)
def test_the_code_and_words_of_a_server_that_refuses_are_said_without_the_address(tmp_path, code, said):
    body = f"no_service at /services/{TOKEN}?a=s3cr3t-query \x1b[31m".encode() + b"x" * 5000
    with web_server(code, body) as (port, _):
        _, outcome = post(tmp_path, port)
    assert not outcome.delivered
    assert f"JSON did not accept the message {said}. Check BOARD_CHAT." in outcome.message


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(tmp_path, code):
    with (
        web_server() as (elsewhere, heard),
        web_server(code, location=f"http://127.0.0.1:{elsewhere}/s3cr3t") as (port, _),
    ):
        _, outcome = post(tmp_path, port)
    assert heard == []
    assert not outcome.delivered and f"(error={code})" in outcome.message


@pytest.mark.parametrize(
    ("lines", "drip"),
    [
        ((), b""),
        ((), b"H"),
        ((b"HTTP/1.1 200 OK\r\n",), b""),
        ((b"HTTP/1.1 200 OK\r\n",), b"X: y\r\n"),
        ((), b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_a_chat_that_never_answers_is_given_up(tmp_path, lines, drip):
    with talker(*lines, drip=drip) as (port, gone):
        folder, outcome = post(tmp_path, port, **SHORT)
        assert drip or gone.wait(10), "the connection was left open"
    assert not outcome.delivered
    assert "No end within 1 s." in outcome.message or "timed out" in outcome.message
    assert waiting(folder) == [HOOK]


def test_a_chat_over_https_checks_the_certificate(tmp_path, own, certificate):
    with web_server(context=own) as (port, heard):
        _, refused = post(tmp_path / "1", port, "https", "localhost")
        assert heard == []
        _, taken = post(tmp_path / "2", port, "https", "localhost", SSL_CERT_FILE=str(certificate))
    assert "certificate verify failed" in refused.message
    assert taken.delivered, taken.message


def test_a_refused_connection_to_a_chat_is_said_without_the_address(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    _, outcome = post(tmp_path, port)
    assert "(Connection refused). Check BOARD_CHAT." in outcome.message


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "variable BOARD_CHAT"),
        ("http://hooks.example.com/s3cr3t", "must begin with https://"),
        ("ftp://localhost/s3cr3t", "cannot use this address"),
        ("file:///etc/s3cr3t", "cannot use this address"),
        ("hooks.example.com/s3cr3t", "cannot use this address"),
        ("https://user:s3cr3t@hooks.example.com/", "cannot use this address"),
        ("https://hooks.example.com:s3cr3t/", "cannot use this address"),
        ("https://hooks.example.com/s3cr3t a", "cannot use this address"),
        ("https://hooks.example.com/s3cr3t\r\nX: y", "cannot use this address"),
        ("https://[s3cr3t/", "cannot use this address"),
    ],
)
def test_an_address_that_cannot_be_is_not_repeated(tmp_path, address, said):
    one = record()
    folder = put(tmp_path, one)
    [outcome] = hand(one, folder, HOOK, BOARD_CHAT=address)
    assert not outcome.delivered and said in outcome.message
    assert_no_secret(folder, outcome, secrets=("s3cr3t",))


# --- folder -----------------------------------------------------------------------------------------------------


@pytest.fixture
def board(tmp_path) -> Path:
    path = tmp_path / "board"
    path.mkdir()
    return path


def on_day(day: int, make: Any = record, **changes: Any) -> dict[str, Any]:
    """A record of a run that started on that day of July at 6:00."""
    times = {"run_id": f"2026070{day}T060000000Z-aaaa", "started_at": f"2026-07-0{day}T06:00:00.000Z"}
    return make(**times | changes)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_gets_the_report_under_its_date_and_as_the_latest(tmp_path, board):
    one = record()
    folder = put(tmp_path / "out", one, "<html>€ 1\u202fm</html>")
    [outcome] = hand(one, folder, f"folder:{board}")
    assert outcome.delivered, outcome.message
    dated = "churn-segment=smb-2026-06-30-20260701T060000000Z-aaaa.html"
    assert names(board) == [dated, "churn-segment=smb-latest.html"]
    for name in names(board):
        assert (board / name).read_bytes() == (folder / "report.html").read_bytes()
    assert outcome.message == f"Written: {dated}."


def test_a_report_without_an_as_of_date_has_the_day_it_was_made(tmp_path, board):
    one = record(as_of=None, series="team")
    hand(one, put(tmp_path / "out", one), f"folder:{board}")
    assert "team-2026-07-01-20260701T060000000Z-aaaa.html" in names(board)


def test_a_failure_leaves_a_text_beside_the_last_good_report_until_the_next(tmp_path, board):
    to = f"folder:{board}"
    good, bad, better = on_day(1), on_day(2, failed), on_day(3)
    hand(good, put(tmp_path / "out", good, "good"), to)
    hand(bad, put(tmp_path / "out", bad), to, kind="failure")
    assert "churn-segment=smb-FAILED.txt" in names(board)
    assert (board / "churn-segment=smb-latest.html").read_text() == "good"
    assert "cell 5" in (board / "churn-segment=smb-FAILED.txt").read_text(encoding="utf-8")
    hand(better, put(tmp_path / "out", better, "better"), to)
    assert "churn-segment=smb-FAILED.txt" not in names(board)
    assert (board / "churn-segment=smb-latest.html").read_text() == "better"


def test_what_is_sent_late_does_not_replace_what_is_newer(tmp_path, board):
    to = f"folder:{board}"
    late, later, new, newer = on_day(1, failed), on_day(2), on_day(3), on_day(4, failed)
    hand(new, put(tmp_path / "out", new, "new"), to)
    hand(late, put(tmp_path / "out", late), to, kind="failure")
    assert "churn-segment=smb-FAILED.txt" not in names(board)
    hand(later, put(tmp_path / "out", later, "late"), to)
    assert (board / "churn-segment=smb-latest.html").read_text() == "new"
    hand(newer, put(tmp_path / "out", newer), to, kind="failure")
    again = record(run_id="20260703T070000000Z-aaaa", started_at="2026-07-03T07:00:00.000Z")
    hand(again, put(tmp_path / "out", again, "between"), to)
    assert (board / "churn-segment=smb-latest.html").read_text() == "between"
    assert "churn-segment=smb-FAILED.txt" in names(board)


def test_word_of_a_run_that_could_not_begin_goes_when_its_job_runs_again(tmp_path, board):
    """It has no run of its own: its id is the job and the time, its series the job's name."""
    to = f"folder:{board}"
    word = failed(series="churn-by-segment", run_id="churn-by-segment@2026-07-02T0600", title="churn-by-segment",
                  started_at="2026-07-02T06:00:01Z")  # fmt: skip
    assert hand(word, put(tmp_path / "out", word), to, kind="failure")[0].delivered
    assert names(board) == ["churn-by-segment-FAILED.txt"]
    late = on_day(2)
    hand(late, put(tmp_path / "out", late), to)
    assert "churn-by-segment-FAILED.txt" in names(board)
    next_one = on_day(3)
    hand(next_one, put(tmp_path / "out", next_one), to)
    assert "churn-by-segment-FAILED.txt" not in names(board)


def test_a_schedule_that_is_wrong_is_no_notebook_to_run_again():
    one = failed(series="schedule", title="The schedule schedule.yml", notebook="schedule.yml", parameters={})
    said = message.plain(message.write(one, "failure", ""))
    assert "cs-helpers run" not in said and "- Fix the file.\n" in said


def test_series_of_one_beginning_do_not_mix(tmp_path, board):
    to = f"folder:{board}"
    one, other = record(series="churn", run_id="20260701T060000000Z-aaaa"), record(run_id="20260702T060000000Z-aaaa")
    hand(other, put(tmp_path / "out", other, "smb"), to)
    hand(one, put(tmp_path / "out", one, "all"), to)
    assert (board / "churn-latest.html").read_text() == "all"


def test_a_hostile_series_stays_in_its_folder(tmp_path, board):
    one = record(series="churn", run_id="20260701T060000000Z-aaaa")
    folder = put(tmp_path / "out", one)
    one = one | {"series": "../../x y/<b>", "run_id": "../../r", "as_of": "../x"}
    [outcome] = hand(one, folder, f"folder:{board}")
    assert outcome.delivered, outcome.message
    assert names(board) == ["x-y-b-2026-07-01-r.html", "x-y-b-latest.html"]


def test_a_folder_that_is_not_there_is_not_made(tmp_path, board):
    one = record()
    folder = put(tmp_path / "out", one)
    [outcome] = hand(one, folder, "folder:" + str(board / "unmounted"))
    assert not outcome.delivered and "Create or mount it" in outcome.message
    assert names(board) == []


def test_a_path_below_a_file_is_no_folder(tmp_path):
    one = record()
    folder = put(tmp_path / "out", one)
    (tmp_path / "file").write_text("")
    [outcome] = hand(one, folder, "folder:" + str(tmp_path / "file" / "reports"))
    assert not outcome.delivered and "There is no folder" in outcome.message


def test_a_folder_that_cannot_be_written_keeps_the_last_report_whole(tmp_path, board):
    """The name of the latest report is a folder here: the very last step fails, whoever runs it."""
    one = record()
    folder = put(tmp_path / "out", one)
    (board / "churn-segment=smb-latest.html").mkdir()
    [outcome] = hand(one, folder, f"folder:{board}")
    assert not outcome.delivered and "Nothing could be written" in outcome.message
    assert [name for name in names(board) if name.startswith(".")] == []


# --- once -------------------------------------------------------------------------------------------------------


def test_nobody_is_sent_a_run_twice_and_what_is_missing_is_sent_later(tmp_path):
    one, inbox = record(), Inbox(refuses=("anna@x.com",))
    folder = put(tmp_path, one)
    with mail_server(inbox) as port:
        environment = {"CS_HELPERS_SMTP_URL": f"smtp://127.0.0.1:{port}", **SENDER}
        first = hand(one, folder, ANNA, BEN, BEN, **environment)
        assert [to for to, _ in inbox.mails] == [["ben@x.com"]]
        assert delivery.delivered_already(folder) == {BEN}
        inbox.refuses = ()
        second = hand(one, folder, *waiting(folder), BEN, **environment)
    assert [to for to, _ in inbox.mails] == [["ben@x.com"], ["anna@x.com"]]
    assert [each.recipient for each in second] == [ANNA, BEN]
    assert second[1] == first[1]
    assert waiting(folder) == [] and delivery.delivered_already(folder) == {ANNA, BEN}


def test_what_was_noted_is_plain_json_with_the_name_of_a_webhooks_variable(tmp_path):
    one = record()
    folder = put(tmp_path, one)
    with web_server() as (port, _):
        [outcome] = hand(one, folder, HOOK, BOARD_CHAT=f"http://127.0.0.1:{port}/s3cr3t")
    assert json.loads((folder / delivery.FILE).read_text(encoding="utf-8")) == {
        "schema_version": 1,
        "deliveries": [
            {
                "recipient": "webhook:BOARD_CHAT",
                "delivered": True,
                "at": outcome.at,
                "message": "Sent through JSON.",
            }
        ],
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", outcome.at)
    assert names(folder) == ["delivery.json", "notebook.ipynb", "report.html"]


def test_a_success_is_noted_for_good(tmp_path):
    inbox, one = Inbox(), record()
    folder = put(tmp_path, one)
    with mail_server(inbox) as port:
        hand(one, folder, ANNA, CS_HELPERS_SMTP_URL=f"smtp://127.0.0.1:{port}", **SENDER)
    hand(one, folder, ANNA, BEN)
    assert (delivery.delivered_already(folder), waiting(folder)) == ({ANNA}, [BEN])


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"deliveries": 1}', '{"deliveries": [{"recipient": 1}]}', '{"deliveries": [1]}']
)
def test_notes_that_cannot_be_read_keep_nobody_from_the_report(tmp_path, board, text):
    one = record()
    folder = put(tmp_path / "out", one)
    (folder / delivery.FILE).write_text(text)
    assert hand(one, folder, f"folder:{board}")[0].delivered
    assert len(delivery.delivered_already(folder)) == 1


def test_a_delivery_that_cannot_be_noted_says_that_it_may_come_again(tmp_path, board):
    one = record()
    folder = put(tmp_path / "out", one)
    (folder / delivery.FILE).mkdir()
    [outcome] = hand(one, folder, f"folder:{board}")
    assert outcome.delivered and "delivery.json could not be written" in outcome.message


def test_word_of_a_failure_goes_out_even_if_nothing_can_be_written_where_reports_are(tmp_path):
    (tmp_path / "out").write_text("a file where the folder should be")
    inbox = Inbox()
    with mail_server(inbox) as port:
        folder = tmp_path / "out" / "churn" / "segment=smb" / "20260701T060000000Z-aaaa"
        environment = {"CS_HELPERS_SMTP_URL": f"smtp://127.0.0.1:{port}", **SENDER}
        [outcome] = hand(failed(), folder, ANNA, kind="failure", **environment)
    assert outcome.delivered and "may be sent again" in outcome.message
    assert "notebook.ipynb in the reports folder" not in parts(inbox.mails[0][1])[0]


def test_a_report_that_has_gone_and_a_record_that_is_broken_are_outcomes(tmp_path, board):
    to = f"folder:{board}"
    gone = record()
    folder = put(tmp_path / "out", gone)
    (folder / "report.html").unlink()
    assert "Run the report again" in hand(gone, folder, to)[0].message
    broken = record(run_id="20260702T060000000Z-aaaa", error={"message": PASSWORD}, parameters=None, status="failed")
    [outcome] = hand(broken, put(tmp_path / "out", broken), to, kind="failure")
    assert not outcome.delivered
    assert outcome.message.startswith("cs-helpers failed (TypeError)") and PASSWORD not in outcome.message
