#!/usr/bin/env python3
"""A subscriber of Tributary's notifications over HTTPS, written from docs/NOTIFICATIONS.md and
docs/events/ alone. Python 3.9 or later, standard library only.

It takes deliveries on 127.0.0.1 (put a proxy with TLS in front of it), and

* verifies signatures as Standard Webhooks says, with every secret it was given,
* drops what it has seen before, by the event's id,
* keeps what it knows of a subject when an older fact arrives later, by the event's sequence,
* fetches what a notification had no room for, from the API that it was told and from nowhere else,
* answers 2xx only after the event is on disk.

    SUBSCRIBER_SECRETS=whsec_...  SUBSCRIBER_TOKEN=...  \\
        subscriber.py --port 8080 --api https://api.example.com --journal events.jsonl

Each line of the journal is {"event": ..., "late": true|false}: late ones say what was so before
something that is known already.
"""

import argparse
import base64
import hashlib
import hmac
import http.server
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request

TOLERANCE = 300  # seconds between the sender's clock and ours
MOST_BYTES = 1 << 20


class Refused(Exception):
    """A delivery that is not taken, with the status that says why."""

    def __init__(self, status, why):
        super().__init__(why)
        self.status = status


def key_of(secret):
    prefix, _, encoded = secret.partition("_")
    if prefix != "whsec" or not encoded:
        raise ValueError("a secret begins with whsec_")
    return base64.b64decode(encoded, validate=True)


def verify(keys, headers, body, now):
    """Standard Webhooks: HMAC-SHA256 over id, timestamp and body, one signature per secret."""
    ident = headers.get("webhook-id")
    sent = headers.get("webhook-timestamp", "")
    signatures = headers.get("webhook-signature")
    if not ident or not signatures or not sent.isdecimal():
        raise Refused(400, "not signed")
    if abs(now - int(sent)) > TOLERANCE:
        raise Refused(400, "too old, or from the future")
    content = b".".join([ident.encode(), sent.encode(), body])
    expected = [
        b"v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()) for key in keys
    ]
    given = [signature.encode() for signature in signatures.split(" ")]
    # All are compared: how long it takes tells nothing about which fits.
    fits = [hmac.compare_digest(one, other) for one in expected for other in given]
    if not any(fits):
        raise Refused(401, "no signature fits")
    return ident


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token is for the API: it is sent nowhere else."""

    def redirect_request(self, *_):
        return None


class Subscriber:
    """What is known: ids that were seen, and the newest fact about each subject."""

    def __init__(self, secrets, api, token, journal):
        self.keys = [key_of(secret) for secret in secrets]
        self.events_url = api.rstrip("/") + "/v1/events/" if api else None
        self.token = token
        self.lock = threading.Lock()
        self.opener = urllib.request.build_opener(NoRedirect)
        self.seen, self.newest = set(), {}
        if os.path.exists(journal):
            with open(journal, encoding="utf-8") as lines:
                for line in lines:
                    self.note(json.loads(line)["event"])
        self.journal = open(journal, "a", encoding="utf-8")

    def take(self, headers, body):
        """Takes a delivery; answers whether its event is new."""
        ident = verify(self.keys, headers, body, time.time())
        try:
            event = json.loads(body)
            known = event["id"], event["subject"], event["sequence"], event["specversion"]
        except (ValueError, KeyError, TypeError):
            raise Refused(400, "no event") from None
        if known[0] != ident or known[3] != "1.0":
            raise Refused(400, "another event than was signed for")
        with self.lock:
            if ident in self.seen:
                return False
        if "dataref" in event:
            event = self.whole(event)
        with self.lock:
            if ident in self.seen:
                return False
            late = event["sequence"] < self.newest.get(event["subject"], "")
            self.journal.write(json.dumps({"event": event, "late": late}) + "\n")
            self.journal.flush()
            os.fsync(self.journal.fileno())
            self.note(event)
        return True

    def note(self, event):
        self.seen.add(event["id"])
        subject = event["subject"]
        self.newest[subject] = max(self.newest.get(subject, ""), event["sequence"])

    def whole(self, event):
        if not self.events_url or event["dataref"] != self.events_url + event["id"]:
            raise Refused(422, "the reference leads elsewhere")
        request = urllib.request.Request(
            event["dataref"], headers={"authorization": "Bearer " + self.token}
        )
        try:
            with self.opener.open(request, timeout=10) as answer:
                found = json.load(answer)
        except (urllib.error.URLError, OSError, ValueError):
            # Another delivery of the same will come.
            raise Refused(503, "the event could not be fetched") from None
        if found.get("id") != event["id"] or "data" not in found:
            raise Refused(503, "another event was fetched")
        return found


def handler(subscriber):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            try:
                length = int(self.headers.get("content-length") or -1)
                if not 0 <= length <= MOST_BYTES:
                    raise Refused(413, "too large")
                subscriber.take(self.headers, self.rfile.read(length))
                self.answer(204)
            except Refused as refused:
                print("refused:", refused, file=sys.stderr)
                self.answer(refused.status)

        def answer(self, status):
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    return Handler


def main():
    options = argparse.ArgumentParser(description="Takes notifications of Tributary.")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--api", help="base URL of the API, for references")
    options.add_argument("--journal", required=True)
    given = options.parse_args()
    secrets = os.environ.get("SUBSCRIBER_SECRETS", "").split()
    if not secrets:
        options.error("SUBSCRIBER_SECRETS holds the secrets, separated by blanks")
    token = os.environ.get("SUBSCRIBER_TOKEN", "")
    subscriber = Subscriber(secrets, given.api, token, given.journal)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", given.port), handler(subscriber))
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
