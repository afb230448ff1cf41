"""What every check needs: clients of both accounts, names of its own, and a way to be exact."""

import contextlib
import dataclasses
import time
import uuid

import boto3
import botocore.config
import botocore.exceptions

import conformance

REGION = "us-east-1"
DEADLINE_SECONDS = 30


class Failed(Exception):
    """An answer that is not what AWS gives."""


@dataclasses.dataclass
class World:
    """The endpoint under test and who asks it."""

    endpoint: str
    account: str
    access_key: str
    secret_key: str
    salesforce: str
    salesforce_token: str
    role_arn: str
    external_id: str
    workgroup: str
    database: str
    # The person of Identity Center, and the account whose warehouse the person queries.
    vendor_key: str
    vendor_secret: str
    application: str
    id_token: str
    user_role_arn: str
    user_workgroup: str
    user_database: str
    # One run leaves the account as it was, but a second one may run beside it.
    mark: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex[:8])
    done: set = dataclasses.field(default_factory=set)

    @property
    def vendor(self):
        """Credentials of the vendor account's administrator."""
        return {"AccessKeyId": self.vendor_key, "SecretAccessKey": self.vendor_secret}

    def name(self, what):
        """A name that no other run uses."""
        return f"tributary-independent-{self.mark}-{what}"

    def client(self, service, credentials=None):
        """A client of the account's administrator, or of a session's credentials."""
        keys = credentials or {"AccessKeyId": self.access_key, "SecretAccessKey": self.secret_key}
        client = boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
            config=botocore.config.Config(
                proxies={},
                retries={"total_max_attempts": 1},
                connect_timeout=5,
                read_timeout=30,
                s3={"addressing_style": "path"},
            ),
        )
        conformance.watch(client)
        return client

    @contextlib.contextmanager
    def step(self, service, operation):
        """Checks of one operation: prints that they hold, or says which operation failed."""
        try:
            yield
        except Failed as failed:
            raise Failed(f"{service}.{operation}: {failed}") from failed
        except Exception as error:
            raise Failed(f"{service}.{operation}: {type(error).__name__}: {error}") from error
        self.done.add(f"{service}.{operation}")
        print(f"ok {service}.{operation}", flush=True)


def equal(actual, expected, what):
    """Fails unless both are equal and of one type."""
    if actual != expected or type(actual) is not type(expected):
        raise Failed(f"{what} is {actual!r}, not {expected!r}")


def holds(condition, what):
    """Fails with a sentence unless the condition holds."""
    if not condition:
        raise Failed(what)


def matches(pattern, text, what):
    """Fails unless the whole text fits the pattern (a compiled one)."""
    if not isinstance(text, str) or not pattern.fullmatch(text):
        raise Failed(f"{what} is {text!r}, which does not fit {pattern.pattern}")


def refused(call, code, status, **request):
    """Fails unless the call is refused with this error code and HTTP status; answers the error."""
    try:
        call(**request)
    except botocore.exceptions.ClientError as error:
        answer = error.response
        got = (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"])
        if got != (code, status):
            raise Failed(f"refused with {got}, not {(code, status)}: {error}") from error
        # DynamoDB's cancelled transactions and SNS have their own; all have a text.
        if not isinstance(answer["Error"].get("Message"), str) or not answer["Error"]["Message"]:
            raise Failed(f"{code} comes without a message") from error
        modelled = getattr(getattr(call, "__self__", None), "exceptions", None)
        if modelled and hasattr(modelled, code) and not isinstance(error, getattr(modelled, code)):
            raise Failed(f"{code} is not recognised as the modelled exception") from error
        return answer
    raise Failed(f"accepted, but {code} was due")


def eventually(ask, what):
    """Asks until the answer is true, for some time; for what AWS does in the background."""
    until = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < until:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.05)
    raise Failed(f"{what} did not happen within {DEADLINE_SECONDS} s")


def pages(call, member, **request):
    """All items of a list, and how many pages they came on; `nextToken` in AppFlow's spelling."""
    items, count, token = [], 0, {}
    while True:
        page = call(**request, **token)
        items += page[member]
        count += 1
        if not page.get("nextToken"):
            return items, count
        token = {"nextToken": page["nextToken"]}
