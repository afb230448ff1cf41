"""STS: who asks, and a role that wants its external id."""

import datetime
import re

from world import equal, holds, matches, refused

SESSION_KEY = re.compile(r"ASIA[A-Z0-9]{16}")


def run(world):
    sts = world.client("sts")

    with world.step("sts", "GetCallerIdentity"):
        caller = sts.get_caller_identity()
        equal(caller["Account"], world.account, "Account")
        holds(caller["Arn"].startswith(f"arn:aws:iam::{world.account}:"), "the ARN is of the account")
        holds(caller["UserId"], "UserId is told")
        stranger = {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "nobody's secret key"}
        refused(world.client("sts", stranger).get_caller_identity, "InvalidClientTokenId", 403)

    with world.step("sts", "AssumeRole"):
        ask = {"RoleArn": world.role_arn, "RoleSessionName": world.mark}
        refused(sts.assume_role, "AccessDenied", 403, **ask)
        refused(sts.assume_role, "AccessDenied", 403, **ask, ExternalId=f"{world.external_id}x")
        ask["ExternalId"] = world.external_id
        assumed = sts.assume_role(**ask, DurationSeconds=900)
        keys = assumed["Credentials"]
        matches(SESSION_KEY, keys["AccessKeyId"], "AccessKeyId")
        left = keys["Expiration"] - datetime.datetime.now(datetime.UTC)
        holds(800 < left.total_seconds() <= 901, f"the session lasts 15 minutes, not {left}")
        role_account = world.role_arn.split(":")[4]
        role_name = world.role_arn.rsplit("/", 1)[1]
        session = f"arn:aws:sts::{role_account}:assumed-role/{role_name}/{world.mark}"
        equal(assumed["AssumedRoleUser"]["Arn"], session, "the session's ARN")
        identity = world.client("sts", keys).get_caller_identity()
        equal(identity["Arn"], session, "the ARN that the session sees")
        equal(identity["Account"], role_account, "the account that the session sees")
        equal(identity["UserId"], assumed["AssumedRoleUser"]["AssumedRoleId"], "UserId")
        missing = world.role_arn + "-missing"
        refused(sts.assume_role, "AccessDenied", 403, RoleArn=missing, RoleSessionName=world.mark)

    with world.step("sts", "AssumeRole with a session policy and tags"):
        policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"appflow:*","Resource":"*"}]}'
        tagged = sts.assume_role(
            **ask,
            Policy=policy,
            Tags=[{"Key": "tributary:tenant", "Value": "ten_independent"}],
        )
        holds(0 <= tagged["PackedPolicySize"] <= 100, "PackedPolicySize is a percentage")
        refused(sts.assume_role, "MalformedPolicyDocument", 400, **ask, Policy="{")
        forged = dict(tagged["Credentials"], SessionToken="forged")
        refused(world.client("sts", forged).get_caller_identity, "InvalidClientTokenId", 403)
