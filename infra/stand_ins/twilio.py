"""Fake server for the part of Twilio's REST API that sends text messages; nothing leaves this machine.

    python infra/stand_ins/twilio.py --port 8010 --public-url http://127.0.0.1:8000

It needs only Python 3.11, keeps everything in memory, and requires the account SID and the token for:

    POST /2010-04-01/Accounts/{sid}/Messages.json        sends a message, which is queued, then sent, then delivered
    GET  /2010-04-01/Accounts/{sid}/Messages.json        a page of them, newest first; To, From, DateSent, DateSent<, …>
    GET  /2010-04-01/Accounts/{sid}/Messages/{sid}.json  one of them
    GET  /2010-04-01/Accounts/{sid}.json                 the account

Each new status is sent to the message's StatusCallback, signed like Twilio's requests (X-Twilio-Signature: HMAC-SHA1
with the token over the URL and the sorted parameters). A callback that is signed for an address below --public-url can
be sent to --callback-base instead, because containers reach each other by other addresses than the public one.

These paths do not exist at Twilio, and need no password:

    POST   /stand-in/inbound    {"from", "body", "to"?, "sid"?, "opt_out_type"?}: an incoming message, sent to
                                {public URL}/webhooks/twilio/inbound; STOP and START change who is opted out
    PUT    /stand-in/behaviour  how to answer from now on: one object, or a list whose first match is used:
                                {"delay_seconds": 3}       answer late
                                {"status": 429, "code"?: 20429, "text"?: "…", "stored"?: true}   answer with an error
                                {"drop": "before"|"after"}  end the connection, before or after a message is stored
                                {"final_status": "undelivered", "error_code": 30003}   last status of new messages
                                each with "times": n, "to": "+1…", "method": "POST", to restrict it
    DELETE /stand-in/behaviour  answer as usual again
    GET    /stand-in/messages   every message with its body, and received_at (seconds since 1970); DELETE removes them
    GET    /stand-in/callbacks  every request to the service: url, parameters, signature, and the status of its answer
    GET    /stand-in/opt-outs   the numbers that have opted out
    GET    /stand-in/requests   how many requests of the REST API there were: {"GET": n, "POST": n}
"""

import argparse
import base64
import hmac
import json
import re
import secrets
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

VERSION = "2010-04-01"
PRICE = 0.0079
"""In US dollars, for one segment."""

STOP = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
START = {"START", "YES", "UNSTOP"}
NUMBER = "+15005550006"

# GSM 03.38, 6.2.1: the alphabet with seven bits per character, and the characters that take two of these units.
_GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION = set("\f^{}\\[~]|€")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_MAX_BODY_LENGTH = 1600

_ERROR_MESSAGES = {
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20429: "Too Many Requests",
    21211: "The 'To' number {to} is not a valid phone number.",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21609: "The 'StatusCallback' URL is not a valid URL.",
    21610: "Attempt to send to unsubscribed recipient {to}",
    21614: "'To' number {to} is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit",
}


@dataclass(kw_only=True)
class Message:
    """A message, with the data that Twilio's console shows of it."""

    sid: str
    to: str
    from_: str | None
    service: str | None
    body: str
    callback: str | None
    final: str = "delivered"
    final_error: int | None = None
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    sent: float | None = None
    status: str = "queued"

    def to_json(self, account: str) -> dict[str, Any]:
        """Return the message as JSON of the API. Segments and price are known once it is sent."""
        finished = self.status == self.final
        failed = finished and self.final_error is not None
        count = segments(self.body)
        return {
            "account_sid": account,
            "api_version": VERSION,
            "body": self.body,
            "date_created": rfc2822(self.created),
            "date_sent": rfc2822(self.sent),
            "date_updated": rfc2822(self.updated),
            "direction": "outbound-api",
            "error_code": self.final_error if failed else None,
            "error_message": f"The message to {self.to} did not arrive." if failed else None,
            "from": self.from_ or (NUMBER if self.sent else None),
            "messaging_service_sid": self.service,
            "num_media": "0",
            "num_segments": str(count if self.sent or self.from_ else 0),
            "price": f"{-PRICE * count:.5f}" if finished else None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"/{VERSION}/Accounts/{account}/Messages/{self.sid}/Media.json"},
            "to": self.to,
            "uri": f"/{VERSION}/Accounts/{account}/Messages/{self.sid}.json",
        }


class Refused(Exception):
    """An error response of the API, with an HTTP status and an error code of Twilio."""

    def __init__(self, status: int, code: int, to: str = "") -> None:
        super().__init__(code)
        self.status = status
        message = _ERROR_MESSAGES.get(code, "It went wrong.").format(to=to)
        self.content = {
            "code": code,
            "message": message,
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        }


@dataclass
class State:
    """The whole state of this process. Hold `lock` to read or change it."""

    options: argparse.Namespace
    lock: threading.RLock = field(default_factory=threading.RLock)
    messages: list[Message] = field(default_factory=list)
    moving: list[Message] = field(default_factory=list)
    behaviours: list[dict[str, Any]] = field(default_factory=list)
    callbacks: list[dict[str, Any]] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    opted_out: set[str] = field(default_factory=set)

    def behaviour(self, method: str, to: str) -> dict[str, Any]:
        """Return the configured behaviour for this request, and count the use of it; empty for the usual one."""
        with self.lock:
            for one in self.behaviours:
                if one.get("times") == 0 or one.get("to", to) != to or one.get("method", method) != method:
                    continue
                if "times" in one:
                    one["times"] -= 1
                return dict(one)
        return {}

    def create(self, form: dict[str, str], behaviour: dict[str, Any]) -> Message:
        """Create a message; raise `Refused`."""
        to = form.get("To", "")
        with self.lock:
            rules = (
                (not to, 21604),
                (not (form.get("From") or form.get("MessagingServiceSid")), 21603),
                (not form.get("Body"), 21602),
                (len(form.get("Body", "")) > _MAX_BODY_LENGTH, 21617),
                (not _E164.fullmatch(to), 21211),
                (not re.match(r"https?://[^/_]+", form.get("StatusCallback", "http://x")), 21609),
                (to in self.opted_out, 21610),
            )
            for broken, code in rules:
                if broken:
                    raise Refused(400, code, to)
            message = Message(
                sid=f"SM{secrets.token_hex(16)}",
                to=to,
                from_=form.get("From"),
                service=form.get("MessagingServiceSid"),
                body=form["Body"],
                callback=form.get("StatusCallback"),
                final=behaviour.get("final_status", "delivered"),
                final_error=behaviour.get("error_code"),
            )
            self.messages.append(message)
            self.moving.append(message)
        return message

    def page(self, query: dict[str, str]) -> dict[str, Any]:
        """Return a page of messages, newest first. A message that is not sent yet matches no filter by DateSent."""
        account = self.options.account_sid
        size = max(1, min(int(query.get("PageSize", 50)), 1000))
        number = int(query.get("Page", 0))
        with self.lock:
            matches = [it for it in reversed(self.messages) if _matches(it, query)]
            page = [it.to_json(account) for it in matches[number * size : (number + 1) * size]]
        path = f"/{VERSION}/Accounts/{account}/Messages.json"
        filters = {name: value for name, value in query.items() if name not in ("Page", "PageSize", "PageToken")}

        def uri(index: int) -> str:
            token = {"PageToken": f"PA{index:032x}"} if index else {}
            return f"{path}?{urlencode({**filters, 'PageSize': size, 'Page': index, **token})}"

        return {
            "end": number * size + len(page) - 1 if page else 0,
            "first_page_uri": uri(0),
            "messages": page,
            "next_page_uri": uri(number + 1) if (number + 1) * size < len(matches) else None,
            "page": number,
            "page_size": size,
            "previous_page_uri": uri(number - 1) if number else None,
            "start": number * size,
            "uri": uri(number),
        }

    def advance(self, callbacks: ThreadPoolExecutor) -> None:
        """Change the status of messages every `step_seconds`, for ever."""
        while True:
            time.sleep(min(0.05, self.options.step_seconds))
            with self.lock:
                due = [it for it in self.moving if time.time() - it.updated >= self.options.step_seconds]
                for message in due:
                    self._move(message)
                    callbacks.submit(self.send_status, message, message.status)
                self.moving = [it for it in self.moving if it.status != it.final]

    def _move(self, message: Message) -> None:
        message.updated = time.time()
        # A message with the status failed was never sent. One with the status undelivered was.
        if message.sent is None and message.final != "failed":
            message.sent = message.updated
            message.status = "sent"
        else:
            message.status = message.final

    def send_status(self, message: Message, status: str) -> None:
        """Send a new status to the StatusCallback of the message, if it has one."""
        if message.callback is None:
            return
        parameters = {
            "AccountSid": self.options.account_sid,
            "ApiVersion": VERSION,
            "From": message.from_ or NUMBER,
            "MessageSid": message.sid,
            "MessageStatus": status,
            "SmsSid": message.sid,
            "SmsStatus": status,
            "To": message.to,
        }
        if message.service:
            parameters["MessagingServiceSid"] = message.service
        if status == message.final and message.final_error is not None:
            parameters["ErrorCode"] = str(message.final_error)
        self.send_callback(message.callback, parameters)

    def inbound(self, content: dict[str, str]) -> dict[str, Any]:
        """Receive a message: change who is opted out, and call the webhook of the service."""
        word, sender = content["body"].strip().upper(), content["from"]
        with self.lock:
            if word in STOP:
                self.opted_out.add(sender)
            elif word in START:
                self.opted_out.discard(sender)
        sid = content.get("sid") or f"SM{secrets.token_hex(16)}"
        parameters = {
            "AccountSid": self.options.account_sid,
            "ApiVersion": VERSION,
            "Body": content["body"],
            "From": sender,
            "MessageSid": sid,
            "NumMedia": "0",
            "NumSegments": str(segments(content["body"])),
            "SmsMessageSid": sid,
            "SmsSid": sid,
            "SmsStatus": "received",
            "To": content.get("to", NUMBER),
        }
        if content.get("opt_out_type"):
            parameters["OptOutType"] = content["opt_out_type"]
        status = self.send_callback(f"{self.options.public_url}/webhooks/twilio/inbound", parameters)
        return {"sid": sid, "status": status}

    def send_callback(self, url: str, parameters: dict[str, str]) -> int | None:
        """Send a signed request to the service, retried once without an answer; return the HTTP status or None."""
        target = url
        if self.options.callback_base and url.startswith(self.options.public_url):
            target = self.options.callback_base + url.removeprefix(self.options.public_url)
        signed = signature(self.options.auth_token, url, parameters)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": signed,
        }
        data = urlencode(parameters).encode()
        status = None
        for _ in range(2):
            request = urllib.request.Request(target, data, headers)  # noqa: S310 - an address of our own service
            try:
                with _direct.open(request, timeout=15) as answer:
                    status = answer.status
                break
            except urllib.error.HTTPError as error:
                status = error.code
                break
            except OSError:
                time.sleep(0.2)
        with self.lock:
            self.callbacks.append({"url": url, "parameters": parameters, "signature": signed, "status": status})
        return status


_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def signature(token: str, url: str, parameters: dict[str, str]) -> str:
    """Return the signature that Twilio adds to a request to the URL."""
    signed = url + "".join(name + parameters[name] for name in sorted(parameters))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()


def segments(body: str) -> int:
    """Return the number of segments: one has 160 units, several have 153 each; in UCS-2 70 and 67."""
    if all(sign in _GSM or sign in _GSM_EXTENSION for sign in body):
        units, alone, each = [2 if sign in _GSM_EXTENSION else 1 for sign in body], 160, 153
    else:
        units, alone, each = [len(sign.encode("utf-16-be")) // 2 for sign in body], 70, 67
    if sum(units) <= alone:
        return 1
    count, left = 0, 0
    for size in units:  # no character is divided
        if size > left:
            count, left = count + 1, each
        left -= size
    return count


def rfc2822(moment: float | None) -> str | None:
    """Return a moment in the format of the API."""
    return None if moment is None else format_datetime(datetime.fromtimestamp(int(moment), UTC))


def _matches(message: Message, query: dict[str, str]) -> bool:
    if query.get("To", message.to) != message.to or query.get("From", message.from_) != message.from_:
        return False
    for name, compare in _DATES.items():
        if name in query and (message.sent is None or not compare(_comparable(message.sent, query[name]), query[name])):
            return False
    return True


def _comparable(moment: float, text: str) -> str:
    """Return the moment in the precision of the text that it is compared with: a day, or a second."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")[: max(10, len(text))]


_DATES: dict[str, Callable[[str, str], bool]] = {
    "DateSent": lambda sent, value: sent[:10] == value[:10],
    "DateSent<": lambda sent, value: sent <= value,
    "DateSent>": lambda sent, value: sent >= value,
}


class Handler(BaseHTTPRequestHandler):
    """The handler of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    state: State

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the library's own names

    def log_message(self, *_: Any) -> None:
        """Log nothing, because the URLs contain phone numbers."""

    def _answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        parts = urlsplit(self.path)
        if parts.path.startswith("/stand-in/"):
            self._send(*self._control(parts.path.removeprefix("/stand-in/"), content))
            return
        query, form = dict(parse_qsl(parts.query)), dict(parse_qsl(content))
        to = form.get("To", query.get("To", ""))
        with self.state.lock:
            self.state.requests[self.command] += 1
        behaviour = self.state.behaviour(self.command, to)
        time.sleep(behaviour.get("delay_seconds", 0))
        if behaviour.get("drop") == "before":
            self._drop()
            return
        try:
            if "status" in behaviour and not behaviour.get("stored"):
                raise _fault(behaviour, to)
            status, response = self._api(parts.path, query, form, behaviour)
            if "status" in behaviour:
                raise _fault(behaviour, to)
        except Refused as refused:
            status, response = refused.status, refused.content
        if behaviour.get("drop") == "after":
            self._drop()
        elif "text" in behaviour:
            self._send(status, behaviour["text"], "text/html")
        else:
            self._send(status, response)

    def _api(
        self, path: str, query: dict[str, str], form: dict[str, str], behaviour: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        account, token = self.state.options.account_sid, self.state.options.auth_token
        expected = base64.b64encode(f"{account}:{token}".encode()).decode()
        if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), f"Basic {expected}".encode()):
            raise Refused(401, 20003)
        base = f"/{VERSION}/Accounts/{account}"
        if self.command == "POST" and path == f"{base}/Messages.json":
            return 201, self.state.create(form, behaviour).to_json(account)
        if self.command == "GET" and path == f"{base}.json":
            return 200, {"sid": account, "friendly_name": "Stand-in", "status": "active", "type": "Full"}
        if self.command == "GET" and path == f"{base}/Messages.json":
            return 200, self.state.page(query)
        if self.command == "GET":
            with self.state.lock:
                for message in self.state.messages:
                    if path == f"{base}/Messages/{message.sid}.json":
                        return 200, message.to_json(account)
        raise Refused(404, 20404)

    def _control(self, what: str, content: str) -> tuple[int, Any]:
        state, value = self.state, json.loads(content or "null")
        if (self.command, what) == ("POST", "inbound"):
            return 200, state.inbound(value)
        with state.lock:
            if what == "behaviour" and self.command in ("PUT", "DELETE"):
                state.behaviours = value if isinstance(value, list) else [value] if value else []
                return 200, state.behaviours
            if (self.command, what) == ("DELETE", "messages"):
                state.messages, state.moving = [], []
            resources: dict[str, Any] = {
                "messages": [
                    it.to_json(state.options.account_sid) | {"received_at": it.created, "status_callback": it.callback}
                    for it in state.messages
                ],
                "callbacks": state.callbacks,
                "opt-outs": sorted(state.opted_out),
                "requests": {"GET": 0, "POST": 0} | state.requests,
            }
            return (200, resources[what]) if what in resources else (404, {"message": "There is no such thing."})

    def _send(self, status: int, content: Any, kind: str = "application/json") -> None:
        body = (content if isinstance(content, str) else json.dumps(content)).encode()
        reason = HTTPStatus(status).phrase
        head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def _fault(behaviour: dict[str, Any], to: str) -> Refused:
    status = int(behaviour["status"])
    return Refused(status, int(behaviour.get("code", 20000 + status)), to)


class Server(ThreadingHTTPServer):
    """An HTTP server with a thread for each connection, and a long accept queue."""

    daemon_threads = True
    request_queue_size = 256


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Stand in for Twilio's REST API.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--account-sid", default="AC" + "0" * 32)
    parser.add_argument("--auth-token", default="stand-in")
    parser.add_argument("--auth-token-file", type=Path, help="holds the token, instead of --auth-token")
    parser.add_argument("--public-url", default="http://127.0.0.1:8000", help="where the service is, as it says itself")
    parser.add_argument("--callback-base", default="", help="where it is reached from here, if that is elsewhere")
    parser.add_argument("--step-seconds", type=float, default=0.5, help="from one status of a message to the next")
    options = parser.parse_args(arguments)
    if options.auth_token_file is not None:
        options.auth_token = options.auth_token_file.read_text("utf-8").strip()
    return options


def main(arguments: list[str]) -> None:
    """Run the server until the process ends."""
    options = _options(arguments)
    state = State(options)
    threading.Thread(target=state.advance, args=(ThreadPoolExecutor(8),), daemon=True).start()
    handler = type("StateHandler", (Handler,), {"state": state})
    Server((options.host, options.port), handler).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
