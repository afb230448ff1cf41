#!/usr/bin/env python3
"""Asks the sandbox's AWS endpoint as boto3 does: every operation the functions use, and its errors.

The functions are written with AWS's Rust SDK, and so are the stand-ins' own tests; a mistake that
both share would not show there. boto3 is another client with its own reading of the protocols, and
`conformance.py` compares each of its answers with AWS's service models.

    TRIBUTARY_SALESFORCE_TOKEN=... TRIBUTARY_ID_TOKEN=... python check.py --endpoint URL \
        --admin-key ID --admin-secret SECRET --account 222222222222 ...

`tests/end_to_end/independent_client.rs` shows what must be there before. Prints one
`ok <service>.<operation>` a line and ends with 1 at the first answer that AWS would not give.
"""

import argparse
import os
import sys

import world
from checks import appflow, dynamodb, identity_center, kms, redshift_data, secretsmanager, sns, sqs, sts

SERVICES = {
    "sts": sts,
    "secretsmanager": secretsmanager,
    "kms": kms,
    "dynamodb": dynamodb,
    "sqs": sqs,
    "sns": sns,
    "redshift-data": redshift_data,
    "identity-center": identity_center,
    "appflow": appflow,
}

ARGUMENTS = {
    "endpoint": "address of the AWS endpoint",
    "admin-key": "access key id of the account's administrator",
    "admin-secret": "its secret access key",
    "account": "the account in which everything is made",
    "salesforce": "instance URL of the Salesforce stand-in; TRIBUTARY_SALESFORCE_TOKEN opens it",
    "role-arn": "role of another account that trusts this one with the external id, tags included",
    "external-id": "the external id",
    "workgroup": "workgroup of a warehouse of the account",
    "database": "its database, which must exist",
    "vendor-key": "access key id of an administrator of Identity Center's account",
    "vendor-secret": "its secret access key",
    "application": "ARN of Identity Center's application; it must accept TRIBUTARY_ID_TOKEN once",
    "user-role-arn": "role of that account that its administrator may assume with a context",
    "user-workgroup": "workgroup of that account's warehouse",
    "user-database": "its database; the person may read public.city_sales",
}


def main():
    arguments = vars(_arguments())
    services = arguments.pop("service") or SERVICES
    for name in ("endpoint", "salesforce"):
        arguments[name] = arguments[name].rstrip("/")
    here = world.World(
        access_key=arguments.pop("admin_key"),
        secret_key=arguments.pop("admin_secret"),
        salesforce_token=_secret("TRIBUTARY_SALESFORCE_TOKEN"),
        id_token=_secret("TRIBUTARY_ID_TOKEN"),
        **arguments,
    )
    try:
        for name in services:
            SERVICES[name].run(here)
    except world.Failed as failed:
        sys.exit(f"FAILED {failed}")
    print(f"all {len(here.done)} checks hold")


def _secret(variable):
    value = os.environ.get(variable)
    return value or sys.exit(f"{variable} is not set")


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, text in ARGUMENTS.items():
        parser.add_argument(f"--{name}", required=True, help=text)
    only = "check this service alone (may be repeated)"
    parser.add_argument("--service", action="append", choices=SERVICES, help=only)
    return parser.parse_args()


if __name__ == "__main__":
    main()
