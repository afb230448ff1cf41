#!/usr/bin/env python3
"""Checks AppFlow requests, one JSON document a line on stdin, against botocore's service model.

botocore's own ParamValidator looks at members, types and lower bounds; the walk after it looks at what it
leaves out: enums, patterns, and upper bounds of texts, lists, maps and numbers. A line is a CreateFlow
request, which is also checked as UpdateFlow takes it, without key and tags; or an object with `operation`
and `request`.
"""

import json
import re
import sys

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

SHOWN = 10


def compiled(pattern, shape, skipped):
    """A pattern of the model, which is Java's; those that Python does not read are skipped by name."""
    try:
        return re.compile(pattern, re.ASCII)
    except re.error:
        skipped.add(shape.name)
        return None


def limits(value, shape, at, faults, skipped):
    """What ParamValidator does not look at."""
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    size = value if shape.type_name in ("integer", "long", "double", "float") else None
    if shape.type_name in ("string", "list", "map"):
        size = len(value)
    if size is not None and (low is not None and size < low or high is not None and size > high):
        faults.append(f"{at}: {size} is not within {low} and {high} ({shape.name})")
    if shape.type_name == "string":
        if shape.enum and value not in shape.enum:
            faults.append(f"{at}: {value!r} is no {shape.name}")
        pattern = shape.metadata.get("pattern")
        pattern = pattern and compiled(pattern, shape, skipped)
        if pattern and not pattern.fullmatch(value):
            faults.append(f"{at}: {value[:80]!r} does not match {pattern.pattern} ({shape.name})")
    elif shape.type_name == "structure":
        for name, member in value.items():
            if name in shape.members:
                limits(member, shape.members[name], f"{at}/{name}", faults, skipped)
    elif shape.type_name == "list":
        for index, member in enumerate(value):
            limits(member, shape.member, f"{at}/{index}", faults, skipped)
    elif shape.type_name == "map":
        for name, member in value.items():
            limits(name, shape.key, f"{at}/{name} (name)", faults, skipped)
            limits(member, shape.value, f"{at}/{name}", faults, skipped)


def check(request, shape, skipped):
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        return [report.generate_report()]
    faults = []
    limits(request, shape, "", faults, skipped)
    return faults


def main():
    service = ServiceModel(Loader().load_service_model("appflow", "service-2"), "appflow")
    create = service.operation_model("CreateFlow").input_shape
    update = service.operation_model("UpdateFlow").input_shape
    skipped, checked, broken = set(), 0, 0
    for number, line in enumerate(sys.stdin, 1):
        request = json.loads(line)
        checked += 1
        if "operation" in request:
            shape = service.operation_model(request["operation"]).input_shape
            faults = [f"{request['operation']}: {fault}" for fault in check(request["request"], shape, skipped)]
        else:
            faults = check(request, create, skipped)
            changed = {name: value for name, value in request.items() if name not in ("kmsArn", "tags")}
            faults += [f"as an update: {fault}" for fault in check(changed, update, skipped)]
        if faults:
            broken += 1
            if broken <= SHOWN:
                print(f"request {number}: " + "\n  ".join(faults), file=sys.stderr)
    if not checked:
        sys.exit("no requests on stdin")
    if skipped:
        print(f"patterns that Python does not read: {', '.join(sorted(skipped))}")
    print(f"{checked} requests checked, {broken} break the model of AppFlow")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
