"""Identity Center: a user's ID token becomes a session that queries the warehouse as that user."""

import time

from world import equal, holds, refused

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PROVIDER = "arn:aws:iam::aws:contextProvider/IdentityCenter"


def run(world):
    vendor = world.vendor
    oidc = world.client("sso-oidc", vendor)
    sts = world.client("sts", vendor)

    with world.step("sso-oidc", "CreateTokenWithIAM"):
        ask = {"clientId": world.application, "grantType": JWT_BEARER}
        refused(oidc.create_token_with_iam, "InvalidGrantException", 400, **ask, assertion="a.b.c")
        told = oidc.create_token_with_iam(**ask, assertion=world.id_token)
        context = told["awsAdditionalDetails"]["identityContext"]
        holds(context, "there is an identity context")
        holds("sts:identity_context" in told["scope"], f"{told['scope']} has sts:identity_context")
        equal(told["tokenType"], "Bearer", "tokenType")
        again = {**ask, "assertion": world.id_token}
        refused(oidc.create_token_with_iam, "InvalidGrantException", 400, **again)
        stranger = world.client("sso-oidc").create_token_with_iam
        refused(stranger, "AccessDeniedException", 400, **again)

    with world.step("sts", "AssumeRole with a provided context"):
        ask = {"RoleArn": world.user_role_arn, "RoleSessionName": world.mark}
        forged = [{"ProviderArn": PROVIDER, "ContextAssertion": f"{context[:-4]}AAAA"}]
        refused(sts.assume_role, "AccessDenied", 403, **ask, ProvidedContexts=forged)
        contexts = [{"ProviderArn": PROVIDER, "ContextAssertion": context}]
        user = sts.assume_role(**ask, ProvidedContexts=contexts)["Credentials"]
        nobody = sts.assume_role(**ask)["Credentials"]

    with world.step("redshift-data", "ExecuteStatement as the user"):
        target = {"WorkgroupName": world.user_workgroup, "Database": world.user_database}
        sql = "select count(*) as n from public.city_sales"
        data = world.client("redshift-data", user)
        statement = {"Id": data.execute_statement(**target, Sql=sql)["Id"]}
        while data.describe_statement(**statement)["Status"] not in ("FINISHED", "FAILED", "ABORTED"):
            time.sleep(0.05)
        told = data.describe_statement(**statement)
        equal(told["Status"], "FINISHED", f"the status of {told.get('Error')}")
        others = world.client("redshift-data", vendor)
        refused(others.describe_statement, "ResourceNotFoundException", 400, **statement)
        faceless = world.client("redshift-data", nobody)
        refused(faceless.execute_statement, "ExecuteStatementException", 500, **target, Sql=sql)
