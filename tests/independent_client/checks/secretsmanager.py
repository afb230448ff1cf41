"""Secrets Manager: what holds the OAuth apps' client secrets."""

import json
import re

from world import equal, matches, refused


def run(world):
    secrets = world.client("secretsmanager")
    name = world.name("app")
    value = json.dumps({"clientId": "app", "clientSecret": f"secret of {world.mark}"})
    arn_of = re.compile(
        rf"arn:aws:secretsmanager:us-east-1:{world.account}:secret:{re.escape(name)}-[A-Za-z0-9]{{6}}"
    )

    with world.step("secretsmanager", "CreateSecret"):
        created = secrets.create_secret(Name=name, SecretString=value)
        matches(arn_of, created["ARN"], "ARN")
        equal(created["Name"], name, "Name")
        refused(secrets.create_secret, "ResourceExistsException", 400, Name=name, SecretString="{}")

    with world.step("secretsmanager", "GetSecretValue"):
        for secret_id in (name, created["ARN"]):
            read = secrets.get_secret_value(SecretId=secret_id)
            equal(read["SecretString"], value, f"the value by {secret_id}")
            equal(read["ARN"], created["ARN"], "ARN")
            equal(read["VersionId"], created["VersionId"], "VersionId")
            equal(read["VersionStages"], ["AWSCURRENT"], "VersionStages")
        missing = f"{name}-missing"
        refused(secrets.get_secret_value, "ResourceNotFoundException", 400, SecretId=missing)

    with world.step("secretsmanager", "PutSecretValue"):
        put = secrets.put_secret_value(SecretId=name, SecretString="rotated")
        equal(secrets.get_secret_value(SecretId=name)["SecretString"], "rotated", "the new value")
        equal(put["VersionStages"], ["AWSCURRENT"], "VersionStages")
        before = secrets.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")
        equal(before["SecretString"], value, "the previous value")

    with world.step("secretsmanager", "DeleteSecret"):
        secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        refused(secrets.get_secret_value, "ResourceNotFoundException", 400, SecretId=name)
