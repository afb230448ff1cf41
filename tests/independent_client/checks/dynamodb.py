"""DynamoDB: the one table, its index of what is due, and conditions that must hold."""

from world import eventually, equal, holds, refused


def run(world):
    db = world.client("dynamodb")
    table = world.name("table")
    here = {"TableName": table}

    with world.step("dynamodb", "CreateTable"):
        created = db.create_table(**_definition(table))["TableDescription"]
        equal(created["TableArn"], f"arn:aws:dynamodb:us-east-1:{world.account}:table/{table}", "TableArn")
        equal(created["GlobalSecondaryIndexes"][0]["IndexName"], "due", "IndexName")
        refused(db.create_table, "ResourceInUseException", 400, **_definition(table))

    with world.step("dynamodb", "DescribeTable"):
        eventually(lambda: db.describe_table(**here)["Table"]["TableStatus"] == "ACTIVE", "ACTIVE")
        missing = world.name("missing")
        refused(db.describe_table, "ResourceNotFoundException", 400, TableName=missing)

    with world.step("dynamodb", "PutItem"):
        first = _item("TENANT#a", "CONNECTION#1", due_shard="0", due_at=100, generation=1)
        once = {**here, "Item": first, "ConditionExpression": "attribute_not_exists(pk)"}
        db.put_item(**once)
        code = "ConditionalCheckFailedException"
        answer = refused(db.put_item, code, 400, **once)
        holds("Item" not in answer, "the old item comes only when it is asked for")
        once["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        equal(refused(db.put_item, code, 400, **once)["Item"], first, "the old item")
        replaced = db.put_item(**here, Item=first, ReturnValues="ALL_OLD")
        equal(replaced["Attributes"], first, "the replaced item")
        refused(db.put_item, "ValidationException", 400, **here, Item={"pk": {"S": "no sort key"}})

    with world.step("dynamodb", "GetItem"):
        got = db.get_item(**here, Key=_key(first), ConsistentRead=True)
        equal(got["Item"], first, "the item")
        absent = db.get_item(**here, Key={"pk": {"S": "TENANT#a"}, "sk": {"S": "nothing"}})
        holds("Item" not in absent, "an absent item has no Item member")
        part = db.get_item(**here, Key=_key(first), ProjectionExpression="generation")
        equal(part["Item"], {"generation": {"N": "1"}}, "the projected item")

    with world.step("dynamodb", "UpdateItem"):
        fenced = {
            **here,
            "Key": _key(first),
            "UpdateExpression": "SET #g = #g + :one, lease = :lease REMOVE nothing",
            "ConditionExpression": "#g = :expected",
            "ExpressionAttributeNames": {"#g": "generation"},
            "ExpressionAttributeValues": {
                ":one": {"N": "1"},
                ":expected": {"N": "1"},
                ":lease": {"M": {"owner": {"S": "me"}, "until": {"N": "200"}}},
            },
        }
        after = db.update_item(**fenced, ReturnValues="ALL_NEW")["Attributes"]
        equal(after["generation"], {"N": "2"}, "generation")
        equal(after["lease"]["M"]["owner"], {"S": "me"}, "the lease")
        fenced["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        lost = refused(db.update_item, code, 400, **fenced)
        equal(lost["Item"], after, "the item that the condition failed on")
        roles = db.update_item(
            **here,
            Key=_key(first),
            UpdateExpression="ADD members :m",
            ExpressionAttributeValues={":m": {"SS": ["ethan"]}},
            ReturnValues="UPDATED_NEW",
        )
        equal(roles["Attributes"], {"members": {"SS": ["ethan"]}}, "the updated attributes")

    with world.step("dynamodb", "TransactWriteItems"):
        _transactions(db, here)

    with world.step("dynamodb", "Query"):
        _queries(db, here)

    with world.step("dynamodb", "DeleteItem"):
        gone = {**here, "Key": _key(first), "ConditionExpression": "generation = :g"}
        stale = {":g": {"N": "1"}}
        refused(db.delete_item, code, 400, **gone, ExpressionAttributeValues=stale)
        old = db.delete_item(
            **gone, ExpressionAttributeValues={":g": {"N": "2"}}, ReturnValues="ALL_OLD"
        )
        equal(old["Attributes"]["generation"], {"N": "2"}, "generation of the deleted item")
        holds("Item" not in db.get_item(**here, Key=_key(first)), "a deleted item is gone")
        again = {**here, "Key": _key(first), "ConditionExpression": "attribute_exists(pk)"}
        refused(db.delete_item, code, 400, **again)

    with world.step("dynamodb", "UpdateTimeToLive"):
        ttl = {"Enabled": True, "AttributeName": "expires_at"}
        told = db.update_time_to_live(**here, TimeToLiveSpecification=ttl)
        equal(told["TimeToLiveSpecification"], ttl, "TimeToLiveSpecification")

    with world.step("dynamodb", "DeleteTable"):
        db.delete_table(**here)
        refused(db.get_item, "ResourceNotFoundException", 400, **here, Key=_key(first))


def _transactions(db, here):
    flow = _item("TENANT#a", "FLOW#1")
    name = _item("FLOWNAME#1", "FLOW")
    puts = [
        {"Put": {**here, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
        for item in (flow, name)
    ]
    token = "independent-transaction"
    db.transact_write_items(TransactItems=puts, ClientRequestToken=token)
    # The same token is the same transaction: accepted again, done once.
    db.transact_write_items(TransactItems=puts, ClientRequestToken=token)
    code = "IdempotentParameterMismatchException"
    other = {"TransactItems": puts[:1], "ClientRequestToken": token}
    refused(db.transact_write_items, code, 400, **other)

    never = _item("TENANT#a", "FLOW#2")
    half = [{"Put": {**here, "Item": never}}, puts[1]]
    half[1]["Put"]["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    answer = refused(db.transact_write_items, "TransactionCanceledException", 400, TransactItems=half)
    reasons = answer["CancellationReasons"]
    equal([r["Code"] for r in reasons], ["None", "ConditionalCheckFailed"], "the reasons")
    equal(reasons[1]["Item"], name, "the item that the condition failed on")
    holds("Item" not in db.get_item(**here, Key=_key(never)), "a cancelled transaction writes nothing")

    change = {
        **here,
        "Key": _key(flow),
        "UpdateExpression": "SET version = :v",
        "ExpressionAttributeValues": {":v": {"N": "2"}},
    }
    exists = {**here, "Key": _key(name), "ConditionExpression": "attribute_exists(pk)"}
    db.transact_write_items(TransactItems=[{"Update": change}, {"ConditionCheck": exists}])
    equal(db.get_item(**here, Key=_key(flow))["Item"]["version"], {"N": "2"}, "version")
    db.transact_write_items(TransactItems=[{"Delete": {**here, "Key": _key(i)}} for i in (flow, name)])
    holds("Item" not in db.get_item(**here, Key=_key(name)), "a transaction deletes")


def _queries(db, here):
    for n in range(7):
        shard = str(n % 2)
        db.put_item(
            **here,
            Item=_item("TENANT#q", f"CONNECTION#{n}", due_shard=shard, due_at=1000 - n, secret="x"),
        )
    listed = {
        **here,
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)",
        "ExpressionAttributeValues": {":pk": {"S": "TENANT#q"}, ":sk": {"S": "CONNECTION#"}},
        "Limit": 3,
    }
    found, start = [], {}
    while True:
        page = db.query(**listed, **start)
        equal(page["Count"], len(page["Items"]), "Count")
        found += [item["sk"]["S"] for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    equal(found, [f"CONNECTION#{n}" for n in range(7)], "all pages, in order")
    back = db.query(**listed, ScanIndexForward=False)
    equal(back["Items"][0]["sk"]["S"], "CONNECTION#6", "the last item first")

    due = {
        **here,
        "IndexName": "due",
        "KeyConditionExpression": "due_shard = :s AND due_at <= :now",
        "ExpressionAttributeValues": {":s": {"S": "0"}, ":now": {"N": "998"}},
    }
    # Shard 0 has the connections 0, 2, 4, 6, due at 1000, 998, 996, 994, and the very first one.
    answer = db.query(**due)
    times = [int(item["due_at"]["N"]) for item in answer["Items"]]
    equal(times, [100, 994, 996, 998], "what is due, in the order of its time")
    holds(all("secret" not in item for item in answer["Items"]), "the index has its own attributes only")
    holds(all(item["pk"]["S"] for item in answer["Items"]), "the index has the table's key")
    page = db.query(**due, Limit=2)
    last = page["LastEvaluatedKey"]
    equal(set(last), {"pk", "sk", "due_shard", "due_at"}, "the index's LastEvaluatedKey")
    rest = db.query(**due, ExclusiveStartKey=last)
    equal([int(i["due_at"]["N"]) for i in rest["Items"]], [996, 998], "the second page")


def _definition(table):
    def keys(hash_key, range_key):
        return [
            {"AttributeName": hash_key, "KeyType": "HASH"},
            {"AttributeName": range_key, "KeyType": "RANGE"},
        ]

    types = {"pk": "S", "sk": "S", "due_shard": "S", "due_at": "N"}
    projection = {
        "ProjectionType": "INCLUDE",
        "NonKeyAttributes": ["tenant_id", "connection_id", "generation"],
    }
    return {
        "TableName": table,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in types.items()
        ],
        "KeySchema": keys("pk", "sk"),
        "GlobalSecondaryIndexes": [
            {"IndexName": "due", "KeySchema": keys("due_shard", "due_at"), "Projection": projection}
        ],
    }


def _item(pk, sk, **attributes):
    values = {
        name: {"N": str(value)} if isinstance(value, int) else {"S": value}
        for name, value in attributes.items()
    }
    return {"pk": {"S": pk}, "sk": {"S": sk}, **values}


def _key(item):
    return {name: item[name] for name in ("pk", "sk")}
