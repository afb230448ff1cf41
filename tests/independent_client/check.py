#!/usr/bin/env python3
"""Asks the sandbox's AWS endpoint as boto3 does: every operation the functions use, and its errors.

The functions are written with AWS's Rust SDK, and so are the stand-ins' own tests; a mistake that
both share would not show there. boto3 is another client with its own reading of the protocols, and
`conformance.py` compares each of its answers with AWS's service models.

    python check.py --endpoint URL --admin-key ID --admin-secret SECRET --account 222222222222 \
        --salesforce URL --role-arn ARN --external-id ID --workgroup NAME --database NAME

`TRIBUTARY_SALESFORCE_TOKEN` holds an access token of the Salesforce stand-in. The database must
exist; the role must trust the account with that external id, and let it tag the session. Prints one
`ok <service>.<operation>` a line and ends with 1 at the first answer that AWS would not give.
"""

import argparse
import os
import sys

import world
from checks import appflow, dynamodb, kms, redshift_data, secretsmanager, sns, sqs, sts

SERVICES = {
    "sts": sts,
    "secretsmanager": secretsmanager,
    "kms": kms,
    "dynamodb": dynamodb,
    "sqs": sqs,
    "sns": sns,
    "redshift-data": redshift_data,
    "appflow": appflow,
}


def main():
    arguments = _arguments()
    here = world.World(
        endpoint=arguments.endpoint.rstrip("/"),
        account=arguments.account,
        access_key=arguments.admin_key,
        secret_key=arguments.admin_secret,
        salesforce=arguments.salesforce.rstrip("/"),
        salesforce_token=os.environ.get("TRIBUTARY_SALESFORCE_TOKEN", ""),
        role_arn=arguments.role_arn,
        external_id=arguments.external_id,
        workgroup=arguments.workgroup,
        database=arguments.database,
    )
    if not here.salesforce_token:
        sys.exit("TRIBUTARY_SALESFORCE_TOKEN is not set")
    try:
        for name in arguments.service or SERVICES:
            SERVICES[name].run(here)
    except world.Failed as failed:
        sys.exit(f"FAILED {failed}")
    print(f"{len(here.done)} operations answer as AWS does")


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ("endpoint", "admin-key", "admin-secret", "account", "salesforce")
    for name in (*names, "role-arn", "external-id", "workgroup", "database"):
        parser.add_argument(f"--{name}", required=True)
    only = "check this service alone (may be repeated)"
    parser.add_argument("--service", action="append", choices=SERVICES, help=only)
    return parser.parse_args()


if __name__ == "__main__":
    main()
