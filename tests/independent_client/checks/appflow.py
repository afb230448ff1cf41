"""AppFlow: all 25 operations, and a run that really moves Salesforce's records to S3."""

import datetime
import json
import re

from world import equal, eventually, holds, matches, pages, refused

OBJECT = "City_Sales__c"
HOUR = datetime.timedelta(hours=1)


def run(world):
    appflow = world.client("appflow")
    s3 = world.client("s3")
    bucket = _bucket(world, s3)
    names = _Names(world, bucket)

    _connectors(world, appflow)
    _profiles(world, appflow, names)
    _entities(world, appflow, names)
    _flows(world, appflow, names)
    _on_demand_runs(world, appflow, s3, names)
    _scheduled_flow(world, appflow, names)
    _tags(world, appflow, names)
    _ends(world, appflow, names)
    _empty(s3, bucket)


class _Names:
    """What this check creates."""

    def __init__(self, world, bucket):
        self.bucket = bucket
        self.profile = world.name("salesforce")
        self.flow = world.name("cities")
        self.scheduled = world.name("scheduled")
        self.missing = world.name("missing")
        self.connector = f"independent{world.mark}"
        self.arn = f"arn:aws:appflow:us-east-1:{world.account}"


def _connectors(world, appflow):
    with world.step("appflow", "ListConnectors"):
        listed, count = pages(appflow.list_connectors, "connectors", maxResults=10)
        holds(count > 1, "the catalogue comes in pages")
        kinds = [c["connectorType"] for c in listed]
        holds({"Salesforce", "S3", "Redshift", "Servicenow"} <= set(kinds), f"{kinds} has the usual ones")
        refused(appflow.list_connectors, "ValidationException", 400, nextToken="forged")

    with world.step("appflow", "DescribeConnectors"):
        told = appflow.describe_connectors(connectorTypes=["Salesforce"])
        equal(list(told["connectorConfigurations"]), ["Salesforce"], "the configurations")
        triggers = told["connectorConfigurations"]["Salesforce"]["supportedTriggerTypes"]
        equal(set(triggers), {"OnDemand", "Scheduled", "Event"}, "supportedTriggerTypes")

    with world.step("appflow", "DescribeConnector"):
        told = appflow.describe_connector(connectorType="Salesforce")["connectorConfiguration"]
        equal((told["canUseAsSource"], told["canUseAsDestination"]), (True, True), "directions")
        holds("S3" in told["supportedDestinationConnectors"], "Salesforce flows to S3")
        scopes = told["connectorMetadata"]["Salesforce"]["oAuthScopes"]
        holds("api" in scopes, f"{scopes} has api")
        own = {"connectorType": "CustomConnector", "connectorLabel": "nobody-registered-this"}
        refused(appflow.describe_connector, "ResourceNotFoundException", 404, **own)

    with world.step("appflow", "RegisterConnector"):
        label = f"independent{world.mark}"
        function = f"arn:aws:lambda:us-east-1:{world.account}:function:connector"
        ask = {
            "connectorLabel": label,
            "description": "of the independent client",
            "connectorProvisioningType": "LAMBDA",
            "connectorProvisioningConfig": {"lambda": {"lambdaArn": function}},
        }
        arn = appflow.register_connector(**ask)["connectorArn"]
        equal(arn, f"arn:aws:appflow:us-east-1:{world.account}:connector/{label}", "connectorArn")
        refused(appflow.register_connector, "ConflictException", 409, **ask)
        own["connectorLabel"] = label
        told = appflow.describe_connector(**own)["connectorConfiguration"]
        equal(told["connectorArn"], arn, "connectorArn of the description")
        equal(told["connectorDescription"], "of the independent client", "connectorDescription")

    with world.step("appflow", "UpdateConnectorRegistration"):
        again = appflow.update_connector_registration(connectorLabel=label, description="changed")
        equal(again["connectorArn"], arn, "connectorArn")
        told = appflow.describe_connector(**own)["connectorConfiguration"]
        equal(told["connectorDescription"], "changed", "connectorDescription")

    with world.step("appflow", "UnregisterConnector"):
        appflow.unregister_connector(connectorLabel=label)
        refused(appflow.describe_connector, "ResourceNotFoundException", 404, **own)
        refused(appflow.unregister_connector, "ResourceNotFoundException", 404, connectorLabel=label)


def _profile(world, names, token):
    return {
        "connectorProfileName": names.profile,
        "connectorType": "Salesforce",
        "connectionMode": "Public",
        "connectorProfileConfig": _profile_config(world, token),
    }


def _profile_config(world, token):
    return {
        "connectorProfileProperties": {
            "Salesforce": {"instanceUrl": world.salesforce, "isSandboxEnvironment": False}
        },
        "connectorProfileCredentials": {"Salesforce": {"accessToken": token}},
    }


def _profiles(world, appflow, names):
    ask = _profile(world, names, world.salesforce_token)

    with world.step("appflow", "CreateConnectorProfile"):
        stale = _profile(world, names, "nobodys-token")
        refused(appflow.create_connector_profile, "ConnectorAuthenticationException", 401, **stale)
        arn = appflow.create_connector_profile(**ask)["connectorProfileArn"]
        equal(arn, f"{names.arn}:connectorprofile/{names.profile}", "connectorProfileArn")
        refused(appflow.create_connector_profile, "ConflictException", 409, **ask)
        nobody = {**ask, "connectorProfileName": names.missing}
        nobody["connectorProfileConfig"] = {
            "connectorProfileProperties": {"Salesforce": {"instanceUrl": world.salesforce}},
            "connectorProfileCredentials": {"Salesforce": {}},
        }
        refused(appflow.create_connector_profile, "ValidationException", 400, **nobody)

    with world.step("appflow", "DescribeConnectorProfiles"):
        asked = {"connectorProfileNames": [names.profile]}
        [told] = appflow.describe_connector_profiles(**asked)["connectorProfileDetails"]
        equal(told["connectorProfileArn"], arn, "connectorProfileArn")
        equal(told["connectionMode"], "Public", "connectionMode")
        properties = told["connectorProfileProperties"]["Salesforce"]
        equal(properties["instanceUrl"], world.salesforce, "instanceUrl")
        secret = re.compile(
            rf"arn:aws:secretsmanager:us-east-1:{world.account}:secret:appflow!{world.account}-.+"
        )
        matches(secret, told["credentialsArn"], "credentialsArn")
        holds(world.salesforce_token not in json.dumps(told, default=str), "no credential is shown")
        asked = {"connectorProfileNames": [names.missing]}
        equal(appflow.describe_connector_profiles(**asked)["connectorProfileDetails"], [], "no profile")

    with world.step("appflow", "UpdateConnectorProfile"):
        change = {name: ask[name] for name in ("connectorProfileName", "connectionMode")}
        bad = _profile_config(world, "nobodys-token")
        code = "ConnectorAuthenticationException"
        refused(appflow.update_connector_profile, code, 401, **change, connectorProfileConfig=bad)
        change["connectorProfileConfig"] = ask["connectorProfileConfig"]
        equal(appflow.update_connector_profile(**change)["connectorProfileArn"], arn, "the ARN")
        change["connectorProfileName"] = names.missing
        refused(appflow.update_connector_profile, "ResourceNotFoundException", 404, **change)


def _entities(world, appflow, names):
    profile = {"connectorProfileName": names.profile}

    with world.step("appflow", "ListConnectorEntities"):
        groups = appflow.list_connector_entities(**profile)["connectorEntityMap"]
        entities = [entity["name"] for group in groups.values() for entity in group]
        holds(OBJECT in entities, f"{entities} has {OBJECT}")
        nobody = {"connectorProfileName": names.missing}
        refused(appflow.list_connector_entities, "ResourceNotFoundException", 404, **nobody)

    with world.step("appflow", "DescribeConnectorEntity"):
        told = appflow.describe_connector_entity(**profile, connectorEntityName=OBJECT)
        fields = {field["identifier"]: field for field in told["connectorEntityFields"]}
        kinds = {
            name: fields[name]["supportedFieldTypeDetails"]["v1"]["fieldType"]
            for name in ("Id", "Amount__c", "LastModifiedDate")
        }
        expected = {"Id": "id", "Amount__c": "currency", "LastModifiedDate": "datetime"}
        equal(kinds, expected, "the fields' types")
        holds(fields["Id"]["sourceProperties"]["isRetrievable"], "Id can be read")
        unknown = {**profile, "connectorEntityName": "Nothing__c"}
        refused(appflow.describe_connector_entity, "ConnectorServerException", 400, **unknown)

    with world.step("appflow", "ResetConnectorMetadataCache"):
        appflow.reset_connector_metadata_cache(**profile, connectorType="Salesforce")
        unknown = {"connectorProfileName": names.missing, "connectorType": "Salesforce"}
        refused(appflow.reset_connector_metadata_cache, "ResourceNotFoundException", 404, **unknown)


def _flow(names, name, **trigger):
    fields = ["City__c", "Amount__c"]
    tasks = [
        {
            "taskType": "Filter",
            "sourceFields": [*fields, "Country_Code__c"],
            "connectorOperator": {"Salesforce": "PROJECTION"},
            "taskProperties": {},
        },
        {
            "taskType": "Filter",
            "sourceFields": ["Country_Code__c"],
            "connectorOperator": {"Salesforce": "EQUAL_TO"},
            "taskProperties": {"DATA_TYPE": "string", "VALUE": "CH"},
        },
    ]
    kinds = {"City__c": "string", "Amount__c": "currency"}
    tasks += [
        {
            "taskType": "Map",
            "sourceFields": [field],
            "destinationField": field.removesuffix("__c").lower(),
            "connectorOperator": {"Salesforce": "NO_OP"},
            "taskProperties": {"SOURCE_DATA_TYPE": kinds[field], "DESTINATION_DATA_TYPE": kinds[field]},
        }
        for field in fields
    ]
    output = {"fileType": "JSON", "aggregationConfig": {"aggregationType": "SingleFile"}}
    place = {"bucketName": names.bucket, "bucketPrefix": name, "s3OutputFormatConfig": output}
    return {
        "flowName": name,
        "description": "made by the independent client",
        "triggerConfig": trigger or {"triggerType": "OnDemand"},
        "sourceFlowConfig": {
            "connectorType": "Salesforce",
            "connectorProfileName": names.profile,
            "sourceConnectorProperties": {"Salesforce": {"object": OBJECT}},
        },
        "destinationFlowConfigList": [
            {"connectorType": "S3", "destinationConnectorProperties": {"S3": place}}
        ],
        "tasks": tasks,
    }


def _flows(world, appflow, names):
    ask = _flow(names, names.flow)
    ask["tags"] = {"tributary:tenant": "ten_independent"}

    with world.step("appflow", "CreateFlow"):
        ask["clientToken"] = f"independent-{world.mark}"
        made = appflow.create_flow(**ask)
        equal(made["flowArn"], f"{names.arn}:flow/{names.flow}", "flowArn")
        equal(made["flowStatus"], "Active", "flowStatus of an on-demand flow")
        equal(appflow.create_flow(**ask)["flowArn"], made["flowArn"], "the answer to the same token")
        other = {**ask, "description": "another request"}
        refused(appflow.create_flow, "ConflictException", 409, **other)
        ask.pop("clientToken")
        refused(appflow.create_flow, "ConflictException", 409, **ask)
        unprofiled = _flow(names, names.missing)
        unprofiled["sourceFlowConfig"]["connectorProfileName"] = names.missing
        refused(appflow.create_flow, "ResourceNotFoundException", 404, **unprofiled)
        unprojected = _flow(names, names.missing)
        del unprojected["tasks"][0]
        refused(appflow.create_flow, "ValidationException", 400, **unprojected)
        elsewhere = _flow(names, names.missing)
        place = elsewhere["destinationFlowConfigList"][0]["destinationConnectorProperties"]["S3"]
        place["bucketName"] = "tributary-no-such-bucket"
        refused(appflow.create_flow, "ValidationException", 400, **elsewhere)

    with world.step("appflow", "DescribeFlow"):
        told = appflow.describe_flow(flowName=names.flow)
        # AppFlow keeps tasks in an order of its own.
        for side in (ask, told):
            side["tasks"] = sorted(side["tasks"], key=lambda task: (task["taskType"], task["sourceFields"]))
        for member in ("flowName", "description", "triggerConfig", "sourceFlowConfig", "tasks", "tags"):
            equal(_given(ask[member], told[member]), ask[member], member)
        equal(told["createdBy"], f"arn:aws:iam::{world.account}:user/admin", "createdBy")
        missing = {"flowName": names.missing}
        refused(appflow.describe_flow, "ResourceNotFoundException", 404, **missing)

    with world.step("appflow", "ListFlows"):
        listed, _ = pages(appflow.list_flows, "flows", maxResults=1)
        [mine] = [flow for flow in listed if flow["flowName"] == names.flow]
        equal(mine["flowArn"], made["flowArn"], "flowArn")
        equal(mine["destinationConnectorType"], "S3", "destinationConnectorType")

    with world.step("appflow", "UpdateFlow"):
        change = _flow(names, names.flow)
        change["description"] = "changed"
        equal(appflow.update_flow(**change)["flowStatus"], "Active", "flowStatus")
        equal(appflow.describe_flow(flowName=names.flow)["description"], "changed", "description")
        change["sourceFlowConfig"]["sourceConnectorProperties"]["Salesforce"]["object"] = "Account"
        refused(appflow.update_flow, "ValidationException", 400, **change)
        refused(appflow.update_flow, "ResourceNotFoundException", 404, **_flow(names, names.missing))


def _on_demand_runs(world, appflow, s3, names):
    flow = {"flowName": names.flow}

    with world.step("appflow", "StartFlow"):
        started = appflow.start_flow(**flow)
        equal(started["flowStatus"], "Active", "flowStatus")
        execution = started["executionId"]
        holds(execution, "an on-demand flow has an execution id at once")
        refused(appflow.start_flow, "ResourceNotFoundException", 404, flowName=names.missing)

    with world.step("appflow", "DescribeFlowExecutionRecords"):

        def record():
            runs = appflow.describe_flow_execution_records(**flow)["flowExecutions"]
            [mine] = [run for run in runs if run["executionId"] == execution]
            return None if mine["executionStatus"] == "InProgress" else mine

        ended = eventually(record, "the end of the run")
        equal(ended["executionStatus"], "Successful", f"the status of {ended['executionResult']}")
        count = ended["executionResult"]["recordsProcessed"]
        records = _records(s3, names)
        equal(len(records), count, "records in S3")
        holds(count > 1, f"{count} cities of Switzerland")
        equal(set(records[0]), {"city", "amount"}, "the mapped fields")
        holds("Zürich" in {record["city"] for record in records}, "Zürich is there, with its umlaut")
        last = appflow.describe_flow(**flow)["lastRunExecutionDetails"]
        equal(last["mostRecentExecutionStatus"], "Successful", "mostRecentExecutionStatus")
        appflow.start_flow(**flow)
        _, count = pages(
            appflow.describe_flow_execution_records, "flowExecutions", **flow, maxResults=1
        )
        equal(count, 2, "pages of two runs")
        unknown = {"flowName": names.missing}
        refused(appflow.describe_flow_execution_records, "ResourceNotFoundException", 404, **unknown)

    with world.step("appflow", "CancelFlowExecutions"):
        over = appflow.cancel_flow_executions(**flow, executionIds=[execution])
        equal(over["invalidExecutions"], [execution], "invalidExecutions")
        refused(appflow.cancel_flow_executions, "ResourceNotFoundException", 404, **unknown)


def _scheduled_flow(world, appflow, names):
    # Far enough ahead that no run starts while this goes on.
    start = datetime.datetime.now(datetime.UTC) + 24 * HOUR
    scheduled = {
        "scheduleExpression": "rate(1hours)",
        "dataPullMode": "Complete",
        "scheduleStartTime": start.replace(microsecond=0),
    }
    trigger = {"triggerType": "Scheduled", "triggerProperties": {"Scheduled": scheduled}}
    flow = {"flowName": names.scheduled}

    with world.step("appflow", "StopFlow"):
        made = appflow.create_flow(**_flow(names, names.scheduled, **trigger))
        equal(made["flowStatus"], "Draft", "flowStatus of a new scheduled flow")
        told = appflow.describe_flow(**flow)["triggerConfig"]["triggerProperties"]["Scheduled"]
        equal(told["scheduleStartTime"], scheduled["scheduleStartTime"], "scheduleStartTime")
        started = appflow.start_flow(**flow)
        equal(started["flowStatus"], "Active", "flowStatus of the started flow")
        equal(started.get("executionId"), None, "executionId of a scheduled flow")
        refused(appflow.delete_flow, "ConflictException", 409, **flow)
        equal(appflow.stop_flow(**flow)["flowStatus"], "Suspended", "flowStatus of the stopped flow")
        code = "UnsupportedOperationException"
        refused(appflow.stop_flow, code, 400, flowName=names.flow)
        refused(appflow.stop_flow, "ResourceNotFoundException", 404, flowName=names.missing)


def _tags(world, appflow, names):
    resource = {"resourceArn": f"{names.arn}:flow/{names.flow}"}

    with world.step("appflow", "TagResource"):
        appflow.tag_resource(**resource, tags={"tributary:flow": "flw_1", "note": "x"})
        unknown = {"resourceArn": f"{names.arn}:flow/{names.missing}"}
        refused(appflow.tag_resource, "ResourceNotFoundException", 404, **unknown, tags={"a": "b"})

    with world.step("appflow", "UntagResource"):
        appflow.untag_resource(**resource, tagKeys=["note"])

    with world.step("appflow", "ListTagsForResource"):
        told = appflow.list_tags_for_resource(**resource)["tags"]
        expected = {"tributary:tenant": "ten_independent", "tributary:flow": "flw_1"}
        equal(told, expected, "the tags")


def _ends(world, appflow, names):
    with world.step("appflow", "DeleteConnectorProfile"):
        profile = {"connectorProfileName": names.profile}
        refused(appflow.delete_connector_profile, "ConflictException", 409, **profile)
        for flow in (names.flow, names.scheduled):
            appflow.delete_flow(flowName=flow)
        appflow.delete_connector_profile(**profile)
        asked = {"connectorProfileNames": [names.profile]}
        equal(appflow.describe_connector_profiles(**asked)["connectorProfileDetails"], [], "no profile")
        refused(appflow.delete_connector_profile, "ResourceNotFoundException", 404, **profile)

    with world.step("appflow", "DeleteFlow"):
        refused(appflow.describe_flow, "ResourceNotFoundException", 404, flowName=names.flow)
        refused(appflow.delete_flow, "ResourceNotFoundException", 404, flowName=names.flow)

    with world.step("appflow", "ServiceQuotaExceededException"):
        _quota(world, appflow, names)


def _quota(world, appflow, names):
    """100 profiles per account and Region; the one over it is refused with 402."""
    made = []
    try:
        while True:
            name = world.name(f"quota-{len(made)}")
            ask = {**_profile(world, names, world.salesforce_token), "connectorProfileName": name}
            if len(made) + len(_all_profiles(appflow, made)) >= 100:
                refused(appflow.create_connector_profile, "ServiceQuotaExceededException", 402, **ask)
                return
            appflow.create_connector_profile(**ask)
            made.append(name)
    finally:
        for name in made:
            appflow.delete_connector_profile(connectorProfileName=name)


def _all_profiles(appflow, except_for):
    listed, _ = pages(appflow.describe_connector_profiles, "connectorProfileDetails", maxResults=100)
    return [p for p in listed if p["connectorProfileName"] not in except_for]


def _given(asked, told):
    """What was told, without the members that nobody asked for."""
    if isinstance(asked, dict) and isinstance(told, dict):
        return {name: _given(asked[name], told[name]) for name in asked if name in told}
    if isinstance(asked, list) and isinstance(told, list) and len(asked) == len(told):
        return [_given(one, other) for one, other in zip(asked, told)]
    return told


def _bucket(world, s3):
    """A bucket that lets AppFlow in, as AWS asks."""
    name = world.name("landing")
    s3.create_bucket(Bucket=name)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "appflow.amazonaws.com"},
        "Action": [
            "s3:PutObject",
            "s3:AbortMultipartUpload",
            "s3:ListMultipartUploadParts",
            "s3:ListBucketMultipartUploads",
            "s3:GetBucketAcl",
            "s3:PutObjectAcl",
        ],
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        "Condition": {"StringEquals": {"aws:SourceAccount": world.account}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
    return name


def _records(s3, names):
    listed = s3.list_objects_v2(Bucket=names.bucket, Prefix=f"{names.flow}/")
    bodies = [
        s3.get_object(Bucket=names.bucket, Key=found["Key"])["Body"].read().decode()
        for found in listed["Contents"]
    ]
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def _empty(s3, bucket):
    for found in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        s3.delete_object(Bucket=bucket, Key=found["Key"])
    s3.delete_bucket(Bucket=bucket)
