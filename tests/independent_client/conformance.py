"""Compares answers with AWS's service models, member by member.

botocore parses leniently: a text where the model has a number passes, an unknown member is dropped.
An SDK in a typed language fails on the first and loses the second, so both are faults here.
"""

import base64
import binascii
import datetime
import json

# Members that the protocols themselves add to a body.
PROTOCOL_MEMBERS = {"__type", "message", "Message"}

SCALARS = {
    "string": str,
    "character": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "bigdecimal": (int, float),
    "timestamp": datetime.datetime,
}


class Nonconforming(Exception):
    """An answer that the service model does not allow."""


def watch(client):
    """Checks every successful answer that this client gets from now on."""
    client.meta.events.register("after-call", _check)


def _check(parsed, model, http_response, **_):
    if http_response.status_code >= 300 or model.output_shape is None:
        return
    place = f"{model.service_model.service_name}.{model.name}"
    faults = []
    body = {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
    _parsed(model.output_shape, body, place, faults)
    protocol = model.service_model.resolved_protocol
    payload = model.output_shape.serialization.get("payload")
    if protocol in ("json", "rest-json") and payload is None:
        _wire(model.output_shape, json.loads(http_response.content or b"{}"), place, faults)
    if faults:
        raise Nonconforming("; ".join(faults))


def _parsed(shape, value, place, faults):
    """A value as botocore parsed it."""
    kind = shape.type_name
    if value is None:
        return
    if kind == "structure":
        for name in shape.required_members:
            # An empty list may be left out: clients of every language read that as empty.
            if value.get(name) is None and shape.members[name].type_name != "list":
                faults.append(f"{place}: required member {name} is missing")
        for name, member in shape.members.items():
            _parsed(member, value.get(name), f"{place}.{name}", faults)
    elif kind == "list":
        if not isinstance(value, list):
            faults.append(f"{place}: {value!r} is not a list")
            return
        for index, item in enumerate(value):
            _parsed(shape.member, item, f"{place}[{index}]", faults)
    elif kind == "map":
        for key, item in value.items():
            _enum(shape.key, key, f"{place} key", faults)
            _parsed(shape.value, item, f"{place}[{key}]", faults)
    elif kind == "blob":
        # Streams are read by the check that asked for them.
        if not isinstance(value, bytes) and not hasattr(value, "read"):
            faults.append(f"{place}: {value!r} is not bytes")
    else:
        expected = SCALARS[kind]
        number_as_bool = isinstance(value, bool) and kind != "boolean"
        if not isinstance(value, expected) or number_as_bool:
            faults.append(f"{place}: {value!r} is not a {kind}")
        elif kind == "string":
            _enum(shape, value, place, faults)


def _enum(shape, value, place, faults):
    if getattr(shape, "enum", None) and value not in shape.enum:
        faults.append(f"{place}: {value!r} is none of {', '.join(shape.enum)}")


def _wire(shape, value, place, faults):
    """A value as it stood in a JSON body: nothing unknown, times as numbers, bytes as base64."""
    kind = shape.type_name
    if value is None:
        return
    if kind == "structure" and isinstance(value, dict):
        known = {m.serialization.get("name", n): m for n, m in shape.members.items()}
        for name, item in value.items():
            if name in known:
                _wire(known[name], item, f"{place}.{name}", faults)
            elif name not in PROTOCOL_MEMBERS:
                faults.append(f"{place}: the model has no member {name}")
    elif kind == "structure":
        faults.append(f"{place}: {value!r} is not an object")
    elif kind == "list" and isinstance(value, list):
        for index, item in enumerate(value):
            _wire(shape.member, item, f"{place}[{index}]", faults)
    elif kind == "map" and isinstance(value, dict):
        for key, item in value.items():
            _wire(shape.value, item, f"{place}[{key}]", faults)
    elif kind == "timestamp":
        texts = ("iso8601", "rfc822")
        numeric = shape.serialization.get("timestampFormat") not in texts
        if numeric and (isinstance(value, bool) or not isinstance(value, (int, float))):
            faults.append(f"{place}: {value!r} is not a time in epoch seconds")
    elif kind == "blob":
        try:
            base64.b64decode(value, validate=True)
        except (TypeError, binascii.Error):
            faults.append(f"{place}: {value!r} is not base64")
