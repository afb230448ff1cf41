#!/usr/bin/env python3
"""Sends what is in EventsDeadLetterQueue again, after its cause is gone.

Needs boto3, credentials of an operator, and the URLs of two queues of the stack:

    python3 docs/redrive.py --from <EventsDeadLetterQueue> --to <EventQueue> [--type RunEvents.UnknownFlow]

A message there is an event, or Lambda's record of a failed invocation with the event in it. The event goes to
EventQueue, where run-events takes it as any other that waited; only then is the message deleted. An event that was
worked on before changes nothing. What --type does not name stays where it is.
"""

import argparse
import json

import boto3


def event_of(body):
    """The event, and the type of the error that it ended with, if that is known."""
    message = json.loads(body)
    if "requestPayload" in message:
        error = (message.get("responsePayload") or {}).get("errorType")
        return message["requestPayload"], error
    return message, None


def events_of(payload):
    """A batch of the queue holds several events; each is sent on its own."""
    records = payload.get("Records") if isinstance(payload, dict) else None
    if records is None:
        return [json.dumps(payload)]
    return [record["body"] for record in records]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", required=True, help="URL of EventsDeadLetterQueue")
    parser.add_argument("--to", dest="target", required=True, help="URL of EventQueue")
    parser.add_argument("--type", help="only what ended with this error type")
    parser.add_argument("--most", type=int, default=1000, help="how many messages at most")
    parser.add_argument("--endpoint", help="another endpoint than the Region's")
    parser.add_argument("--region", default=None)
    arguments = parser.parse_args()
    queues = boto3.client("sqs", endpoint_url=arguments.endpoint, region_name=arguments.region)
    sent, kept = 0, 0
    while sent + kept < arguments.most:
        answer = queues.receive_message(QueueUrl=arguments.source, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=120)
        messages = answer.get("Messages", [])
        if not messages:
            break
        for message in messages:
            payload, error = event_of(message["Body"])
            if arguments.type and error != arguments.type:
                kept += 1
                continue
            for body in events_of(payload):
                queues.send_message(QueueUrl=arguments.target, MessageBody=body, MessageGroupId="redrive")
            queues.delete_message(QueueUrl=arguments.source, ReceiptHandle=message["ReceiptHandle"])
            sent += 1
    print(json.dumps({"sent": sent, "kept": kept}))


if __name__ == "__main__":
    main()
