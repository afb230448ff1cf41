"""SNS: notifications reach the queues whose filter they pass, and no other."""

import json
import re

from world import equal, eventually, holds, matches, refused


def run(world):
    sns = world.client("sns")
    sqs = world.client("sqs")
    queues = {name: _queue(world, sqs, name) for name in ("failed", "raw", "probe")}

    with world.step("sns", "CreateTopic"):
        topic = sns.create_topic(Name=world.name("topic"))["TopicArn"]
        equal(topic, f"arn:aws:sns:us-east-1:{world.account}:{world.name('topic')}", "TopicArn")
        again = sns.create_topic(Name=world.name("topic"))["TopicArn"]
        equal(again, topic, "the topic of the same name")

    with world.step("sns", "Subscribe"):
        subscription = re.compile(re.escape(topic) + r":[0-9a-f-]{36}")
        wanted = {"tenantId": ["ten_a"], "status": ["failed", {"prefix": "cancel"}]}
        attributes = {
            "failed": {"FilterPolicy": json.dumps(wanted)},
            "raw": {"RawMessageDelivery": "true", "FilterPolicy": json.dumps({"tenantId": ["ten_b"]})},
            "probe": {},
        }
        for name, (_, arn) in queues.items():
            answer = sns.subscribe(
                TopicArn=topic,
                Protocol="sqs",
                Endpoint=arn,
                Attributes=attributes[name],
                ReturnSubscriptionArn=True,
            )
            matches(subscription, answer["SubscriptionArn"], "SubscriptionArn")
        other = topic + "-missing"
        ask = {"TopicArn": other, "Protocol": "sqs", "Endpoint": queues["raw"][1]}
        refused(sns.subscribe, "NotFound", 404, **ask)

    with world.step("sns", "Publish"):
        sent = [
            _publish(sns, topic, "1", tenantId="ten_a", status="succeeded"),
            _publish(sns, topic, "2", tenantId="ten_a", status="failed"),
            _publish(sns, topic, "3", tenantId="ten_b", status="failed"),
            _publish(sns, topic, "4", tenantId="ten_a", status="cancelled"),
            _publish(sns, topic, "5"),
        ]
        # The queue without a filter has everything, so the others have had their time too.
        everything = _drain(sqs, queues["probe"], 5)
        ids = {message["MessageId"] for message in everything}
        equal(ids, set(sent), "the messages of the queue without a filter")
        failed = _drain(sqs, queues["failed"], 2)
        equal({m["MessageId"] for m in failed}, {sent[1], sent[3]}, "what passes the filter")
        second = next(m for m in failed if m["MessageId"] == sent[1])
        equal(second["Type"], "Notification", "Type")
        equal(second["TopicArn"], topic, "TopicArn")
        equal(json.loads(second["Message"]), {"id": "2"}, "Message")
        status = {"Type": "String", "Value": "failed"}
        equal(second["MessageAttributes"]["status"], status, "the attribute in the envelope")
        raw = _receive(sqs, queues["raw"][0])
        equal([json.loads(m["Body"]) for m in raw], [{"id": "3"}], "the raw body")
        attribute = raw[0]["MessageAttributes"]["status"]["StringValue"]
        equal(attribute, "failed", "the attribute of the raw message")
        refused(sns.publish, "NotFound", 404, TopicArn=other, Message="nobody")
        refused(sns.publish, "InvalidParameter", 400, TopicArn=topic, Message="")

    for url, _ in queues.values():
        sqs.delete_queue(QueueUrl=url)


def _queue(world, sqs, name):
    """A queue that lets SNS in, as AWS asks."""
    url = sqs.create_queue(QueueName=world.name(f"sns-{name}"))["QueueUrl"]
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = told["Attributes"]["QueueArn"]
    topics = f"arn:aws:sns:us-east-1:{world.account}:{world.name('')}*"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnLike": {"aws:SourceArn": topics}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn


def _publish(sns, topic, number, **attributes):
    values = {
        name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
    }
    message = json.dumps({"id": number})
    return sns.publish(TopicArn=topic, Message=message, MessageAttributes=values)["MessageId"]


def _receive(sqs, url):
    def ask():
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return answer.get("Messages")

    return eventually(ask, f"a message in {url}")


def _drain(sqs, queue, count):
    url, _ = queue
    envelopes = []
    while len(envelopes) < count:
        envelopes += [json.loads(message["Body"]) for message in _receive(sqs, url)]
    holds(len(envelopes) == count, f"{len(envelopes)} messages came instead of {count}")
    return envelopes
