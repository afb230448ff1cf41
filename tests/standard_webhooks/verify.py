"""Judges requests with the reference library of Standard Webhooks.

Reads a JSON list of {"secret", "headers", "body", "laterSeconds"} from standard input and writes the
list of verdicts: true where the library takes the request, false where it refuses it. `laterSeconds`
is how much later than now the receiver's clock is. Needs `.ci/requirements.txt`.
"""

import datetime
import json
import sys

from standardwebhooks import webhooks


def verdict(case):
    class Later(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.now(tz) + datetime.timedelta(seconds=case["laterSeconds"])

    webhooks.datetime = Later
    try:
        webhooks.Webhook(case["secret"]).verify(case["body"], case["headers"])
    except webhooks.WebhookVerificationError:
        return False
    finally:
        webhooks.datetime = datetime.datetime
    return True


json.dump([verdict(case) for case in json.load(sys.stdin)], sys.stdout)
