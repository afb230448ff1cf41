//! Rules and targets.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answer, ApiError, Asked};
use crate::{
    arn::Arn,
    events::{EventBridge, Input, Rule, TargetSpec, rule_arn},
    pattern::Pattern,
};

/// Targets of one rule.
const MOST_TARGETS: usize = 5;
/// Characters of a pattern.
const MOST_PATTERN: usize = 2048;

pub(super) fn put_rule(bridge: &EventBridge, asked: &Asked) -> Answer {
    let name = asked.required("Name")?.to_owned();
    let bus = asked.own_bus()?;
    if asked.text("ScheduleExpression").is_some() {
        return Err(ApiError::validation(
            "Scheduled rules are not played; use the scheduler.",
        ));
    }
    let text = asked.required("EventPattern")?;
    let (pattern, pattern_text) = (parse(text)?, text.to_owned());
    let enabled = asked.text("State") != Some("DISABLED");
    let description = asked.text("Description").map(str::to_owned);
    let done = bridge.inner.with_bus(&asked.account, &bus, |bus| {
        let targets = bus.rules.remove(&name).map(|rule| rule.targets);
        let rule = Rule {
            pattern,
            pattern_text,
            description,
            enabled,
            targets: targets.unwrap_or_default(),
        };
        bus.rules.insert(name.clone(), rule);
    });
    done.ok_or_else(|| ApiError::not_found(&format!("Event bus {bus}")))?;
    Ok(json!({ "RuleArn": rule_arn(&asked.account, &bus, &name) }))
}

fn parse(text: &str) -> Result<Pattern, ApiError> {
    let invalid = |reason: String| ApiError("InvalidEventPatternException", reason);
    if text.len() > MOST_PATTERN {
        return Err(invalid(
            "Event pattern is longer than 2048 characters.".to_owned(),
        ));
    }
    let value = serde_json::from_str(text)
        .map_err(|_| invalid("Event pattern is not valid JSON.".to_owned()))?;
    Pattern::parse(&value).map_err(|error| invalid(error.to_string()))
}

/// Works on a rule of the caller.
fn with_rule<T>(
    bridge: &EventBridge,
    asked: &Asked,
    member: &str,
    work: impl FnOnce(&str, &str, &mut Rule) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let name = asked.required(member)?;
    let bus = asked.own_bus()?;
    let done = bridge.inner.with_bus(&asked.account, &bus, |found| {
        found.rules.get_mut(name).map(|rule| work(name, &bus, rule))
    });
    done.flatten()
        .ok_or_else(|| ApiError::not_found(&format!("Rule {name}")))?
}

fn shown(account: &str, bus: &str, name: &str, rule: &Rule) -> Value {
    json!({
        "Name": name,
        "Arn": rule_arn(account, bus, name),
        "EventPattern": rule.pattern_text,
        "State": if rule.enabled { "ENABLED" } else { "DISABLED" },
        "Description": rule.description,
        "EventBusName": bus,
    })
}

pub(super) fn describe_rule(bridge: &EventBridge, asked: &Asked) -> Answer {
    with_rule(bridge, asked, "Name", |name, bus, rule| {
        Ok(shown(&asked.account, bus, name, rule))
    })
}

pub(super) fn list_rules(bridge: &EventBridge, asked: &Asked) -> Answer {
    let bus = asked.own_bus()?;
    let prefix = asked.text("NamePrefix").unwrap_or_default();
    let rules = bridge.inner.with_bus(&asked.account, &bus, |found| {
        let rules = found
            .rules
            .iter()
            .filter(|(name, _)| name.starts_with(prefix));
        rules
            .map(|(name, rule)| shown(&asked.account, &bus, name, rule))
            .collect::<Vec<Value>>()
    });
    let rules = rules.ok_or_else(|| ApiError::not_found(&format!("Event bus {bus}")))?;
    Ok(json!({ "Rules": rules }))
}

pub(super) fn delete_rule(bridge: &EventBridge, asked: &Asked) -> Answer {
    let name = asked.required("Name")?;
    let bus = asked.own_bus()?;
    let done = bridge.inner.with_bus(&asked.account, &bus, |bus| {
        if bus
            .rules
            .get(name)
            .is_some_and(|rule| !rule.targets.is_empty())
        {
            return Err(ApiError::validation(
                "Rule can't be deleted since it has targets.",
            ));
        }
        bus.rules.remove(name);
        Ok(json!({}))
    });
    done.unwrap_or_else(|| Err(ApiError::not_found(&format!("Event bus {bus}"))))
}

pub(super) fn set_enabled(bridge: &EventBridge, asked: &Asked, enabled: bool) -> Answer {
    with_rule(bridge, asked, "Name", |_, _, rule| {
        rule.enabled = enabled;
        Ok(json!({}))
    })
}

pub(super) fn put_targets(bridge: &EventBridge, asked: &Asked) -> Answer {
    let targets: Vec<TargetSpec> = asked
        .list("Targets")
        .iter()
        .map(target_spec)
        .collect::<Result<_, _>>()?;
    if targets.is_empty() {
        return Err(ApiError::validation(
            "Targets must have at least one entry.",
        ));
    }
    with_rule(bridge, asked, "Rule", |_, _, rule| {
        let mut all = rule.targets.clone();
        all.retain(|old| targets.iter().all(|new| new.id != old.id));
        all.extend(targets);
        if all.len() > MOST_TARGETS {
            return Err(ApiError(
                "LimitExceededException",
                "A rule can have 5 targets.".to_owned(),
            ));
        }
        rule.targets = all;
        Ok(json!({ "FailedEntryCount": 0, "FailedEntries": [] }))
    })
}

fn target_spec(target: &Value) -> Result<TargetSpec, ApiError> {
    let text = |member: &str| target.get(member).and_then(Value::as_str);
    let required = |member: &str| {
        let value = text(member).filter(|value| !value.is_empty());
        value.ok_or_else(|| ApiError::validation(format!("{member} is required.")))
    };
    let arn = required("Arn")?;
    let is_played = Arn::parse(arn)
        .is_some_and(|a| a.function().is_some() || a.bus().is_some() || a.service == "sqs");
    if !is_played {
        return Err(ApiError::validation(format!(
            "Target {arn} is not played by this stand-in."
        )));
    }
    let input = if let Some(path) = text("InputPath") {
        Input::Path(path.to_owned())
    } else if let Some(constant) = text("Input") {
        let value = serde_json::from_str(constant);
        Input::Constant(value.map_err(|_| ApiError::validation("Input is not valid JSON."))?)
    } else if let Some(transformer) = target.get("InputTransformer").filter(|t| t.is_object()) {
        let paths = transformer.get("InputPathsMap").and_then(Value::as_object);
        let paths: BTreeMap<String, String> = paths
            .into_iter()
            .flatten()
            .filter_map(|(name, path)| Some((name.clone(), path.as_str()?.to_owned())))
            .collect();
        let template = transformer.get("InputTemplate").and_then(Value::as_str);
        let template =
            template.ok_or_else(|| ApiError::validation("InputTemplate is required."))?;
        Input::Template {
            paths,
            template: template.to_owned(),
        }
    } else {
        Input::Event
    };
    Ok(TargetSpec {
        id: required("Id")?.to_owned(),
        arn: arn.to_owned(),
        role_arn: target["RoleArn"].as_str().map(str::to_owned),
        dead_letter_arn: target["DeadLetterConfig"]["Arn"]
            .as_str()
            .map(str::to_owned),
        input,
    })
}

pub(super) fn remove_targets(bridge: &EventBridge, asked: &Asked) -> Answer {
    let ids: Vec<&str> = asked.list("Ids").iter().filter_map(Value::as_str).collect();
    with_rule(bridge, asked, "Rule", |_, _, rule| {
        rule.targets
            .retain(|target| !ids.contains(&target.id.as_str()));
        Ok(json!({ "FailedEntryCount": 0, "FailedEntries": [] }))
    })
}

pub(super) fn list_targets(bridge: &EventBridge, asked: &Asked) -> Answer {
    with_rule(bridge, asked, "Rule", |_, _, rule| {
        let targets: Vec<Value> = rule.targets.iter().map(shown_target).collect();
        Ok(json!({ "Targets": targets }))
    })
}

fn shown_target(target: &TargetSpec) -> Value {
    let mut body = json!({ "Id": target.id, "Arn": target.arn });
    if let Some(queue) = &target.dead_letter_arn {
        body["DeadLetterConfig"] = json!({ "Arn": queue });
    }
    match &target.input {
        Input::Event => {}
        Input::Path(path) => body["InputPath"] = path.clone().into(),
        Input::Constant(value) => body["Input"] = value.to_string().into(),
        Input::Template { paths, template } => {
            body["InputTransformer"] = json!({ "InputPathsMap": paths, "InputTemplate": template });
        }
    }
    body
}

pub(super) fn test_pattern(asked: &Asked) -> Answer {
    let pattern = parse(asked.required("EventPattern")?)?;
    let event: Value = serde_json::from_str(asked.required("Event")?)
        .map_err(|_| ApiError::validation("Event is not valid JSON."))?;
    Ok(json!({ "Result": pattern.matches(&event) }))
}
