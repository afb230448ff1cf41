"""SQS: the refresh queue's life of a message."""

import hashlib
import json

from world import equal, eventually, holds, refused


def run(world):
    sqs = world.client("sqs")

    with world.step("sqs", "CreateQueue"):
        dead = sqs.create_queue(QueueName=world.name("dead"))["QueueUrl"]
        dead_arn = _arn(sqs, dead)
        redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
        queue = sqs.create_queue(
            QueueName=world.name("queue"),
            Attributes={"VisibilityTimeout": "30", "RedrivePolicy": redrive},
        )["QueueUrl"]
        holds(queue.startswith(world.endpoint), f"{queue} leads to the endpoint")

    with world.step("sqs", "GetQueueUrl"):
        equal(sqs.get_queue_url(QueueName=world.name("queue"))["QueueUrl"], queue, "QueueUrl")
        missing = world.name("missing")
        refused(sqs.get_queue_url, "AWS.SimpleQueueService.NonExistentQueue", 400, QueueName=missing)

    with world.step("sqs", "GetQueueAttributes"):
        told = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        arn = f"arn:aws:sqs:us-east-1:{world.account}:{world.name('queue')}"
        equal(told["QueueArn"], arn, "QueueArn")
        equal(told["VisibilityTimeout"], "30", "VisibilityTimeout")
        equal(json.loads(told["RedrivePolicy"])["deadLetterTargetArn"], dead_arn, "the dead-letter queue")

    with world.step("sqs", "SendMessage"):
        sent = sqs.send_message(
            QueueUrl=queue,
            MessageBody="alone",
            MessageAttributes={"tenantId": {"DataType": "String", "StringValue": "ten_a"}},
        )
        equal(sent["MD5OfMessageBody"], hashlib.md5(b"alone").hexdigest(), "MD5OfMessageBody")

    with world.step("sqs", "ReceiveMessage"):
        message = _receive(sqs, queue)[0]
        equal(message["Body"], "alone", "Body")
        equal(message["MessageId"], sent["MessageId"], "MessageId")
        equal(message["Attributes"]["ApproximateReceiveCount"], "1", "ApproximateReceiveCount")
        attribute = message["MessageAttributes"]["tenantId"]
        equal(attribute["StringValue"], "ten_a", "the message attribute")
        holds(not _now(sqs, queue), "a received message is invisible")

    with world.step("sqs", "ChangeMessageVisibility"):
        receipt = {"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"]}
        sqs.change_message_visibility(**receipt, VisibilityTimeout=0)
        again = _receive(sqs, queue)[0]
        equal(again["Attributes"]["ApproximateReceiveCount"], "2", "ApproximateReceiveCount")
        receipt["ReceiptHandle"] = again["ReceiptHandle"]
        sqs.change_message_visibility(**receipt, VisibilityTimeout=0)
        holds(not _now(sqs, queue), "after two receipts the message is not given out a third time")
        dropped = _receive(sqs, dead)[0]
        equal(dropped["Body"], "alone", "the body in the dead-letter queue")

    with world.step("sqs", "DeleteMessage"):
        sqs.delete_message(QueueUrl=dead, ReceiptHandle=dropped["ReceiptHandle"])
        _is_empty(sqs, dead)

    with world.step("sqs", "SendMessageBatch"):
        entries = [{"Id": f"n{n}", "MessageBody": f"body {n}"} for n in range(10)]
        batch = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
        equal({e["Id"] for e in batch["Successful"]}, {e["Id"] for e in entries}, "the accepted entries")
        equal(batch.get("Failed", []), [], "the failed entries")
        code = "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"
        refused(sqs.send_message_batch, code, 400, QueueUrl=queue, Entries=[entries[0], entries[0]])
        code = "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"
        eleven = [*entries, {"Id": "n10", "MessageBody": "too many"}]
        refused(sqs.send_message_batch, code, 400, QueueUrl=queue, Entries=eleven)
        code = "AWS.SimpleQueueService.EmptyBatchRequest"
        refused(sqs.send_message_batch, code, 400, QueueUrl=queue, Entries=[])

    with world.step("sqs", "DeleteMessageBatch"):
        received = []
        eventually(lambda: received.extend(_now(sqs, queue)) or len(received) == 10, "ten messages")
        bodies = sorted(m["Body"] for m in received)
        equal(bodies, sorted(e["MessageBody"] for e in entries), "the bodies")
        gone = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(received)]
        equal(len(sqs.delete_message_batch(QueueUrl=queue, Entries=gone)["Successful"]), 10, "deleted")
        _is_empty(sqs, queue)

    with world.step("sqs", "DeleteQueue"):
        for url in (queue, dead):
            sqs.delete_queue(QueueUrl=url)
        code = "AWS.SimpleQueueService.NonExistentQueue"
        refused(sqs.send_message, code, 400, QueueUrl=queue, MessageBody="too late")


def _arn(sqs, url):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def _now(sqs, url):
    answer = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    return answer.get("Messages", [])


def _receive(sqs, url):
    return eventually(lambda: _now(sqs, url), f"a message in {url}")


def _is_empty(sqs, url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    equal([told[name] for name in names], ["0", "0"], "the numbers of messages")
