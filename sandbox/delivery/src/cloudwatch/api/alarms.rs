//! `PutMetricAlarm`, `DescribeAlarms` and `DeleteAlarms`.

use serde_json::{Value, json};

use super::{Answer, ApiError, Asked, metric};
use crate::cloudwatch::{
    CloudWatch,
    alarm::{Alarm, Comparison, Gap, Stand, State},
    minute,
    series::Statistic,
};

/// Longest evaluation with periods under an hour, and with longer ones, in seconds.
const LONGEST: (i64, i64) = (86_400, 604_800);
/// Largest page of `DescribeAlarms`, most names of it and of `DeleteAlarms`.
const PAGE: usize = 100;

pub(super) fn put(cloudwatch: &CloudWatch, asked: &Asked) -> Answer {
    let now = cloudwatch.clock.now();
    let name = asked.required("AlarmName")?;
    if name.chars().count() > 255 {
        return Err(ApiError::invalid("AlarmName is longer than 255."));
    }
    let given = asked.text("Statistic").or(asked.text("ExtendedStatistic"));
    let statistic_name = given.ok_or_else(|| ApiError::missing("Statistic"))?;
    let (period, periods) = (
        number(asked, "Period")?,
        number(asked, "EvaluationPeriods")?,
    );
    if period % 60 != 0 && ![10, 20, 30].contains(&period) {
        return Err(ApiError::invalid(
            "Valid periods are 10, 20, 30 and multiples of 60.",
        ));
    }
    let longest = if period < 3_600 { LONGEST.0 } else { LONGEST.1 };
    if period.saturating_mul(periods) > longest {
        return Err(ApiError::invalid(format!(
            "Metrics cannot be checked across more than {longest} seconds."
        )));
    }
    let datapoints = asked.whole("DatapointsToAlarm").unwrap_or(periods);
    if !(1..=periods).contains(&datapoints) {
        return Err(ApiError::invalid(
            "DatapointsToAlarm must not be greater than EvaluationPeriods.",
        ));
    }
    let named = |member: &str| asked.text(member).unwrap_or_default().to_owned();
    let comparison = named("ComparisonOperator");
    let missing = asked.text("TreatMissingData").unwrap_or("missing");
    let arn = format!(
        "arn:aws:cloudwatch:{}:{}:alarm:{name}",
        asked.region, asked.account
    );
    let alarm = Alarm {
        name: name.to_owned(),
        arn,
        description: asked.text("AlarmDescription").map(str::to_owned),
        metric: metric(
            asked.required("Namespace")?,
            asked.required("MetricName")?,
            asked.list("Dimensions"),
        )?,
        statistic: Statistic::parse(statistic_name)
            .ok_or_else(|| ApiError::invalid("Statistic"))?,
        statistic_name: statistic_name.to_owned(),
        period,
        periods,
        datapoints: usize::try_from(datapoints).unwrap_or_default(),
        threshold: asked
            .body
            .get("Threshold")
            .and_then(Value::as_f64)
            .ok_or_else(|| ApiError::missing("Threshold"))?,
        comparison: one_of(&Comparison::NAMES, &comparison)
            .ok_or_else(|| ApiError::invalid("ComparisonOperator"))?,
        missing: one_of(&Gap::NAMES, missing)
            .ok_or_else(|| ApiError::invalid("TreatMissingData"))?,
        configured_at: now,
        stand: Stand {
            state: State::InsufficientData,
            reason: "Unchecked: Initial alarm creation".to_owned(),
            at: now,
            recent: Vec::new(),
        },
        evaluated: minute(now),
    };
    cloudwatch.with(&asked.account, |account| {
        // An alarm that is configured anew keeps its state.
        let stand = account.alarms.get(name).map(|known| known.stand.clone());
        let stand = stand.unwrap_or_else(|| alarm.stand.clone());
        account
            .alarms
            .insert(name.to_owned(), Alarm { stand, ..alarm });
    });
    Ok(json!({}))
}

pub(super) fn describe(cloudwatch: &CloudWatch, asked: &Asked) -> Answer {
    let names = asked.list("AlarmNames");
    let prefix = asked.text("AlarmNamePrefix");
    if names.len() > PAGE || (!names.is_empty() && prefix.is_some()) {
        return Err(ApiError::invalid(
            "AlarmNames has at most 100 members and goes without AlarmNamePrefix.",
        ));
    }
    let most = match asked.whole("MaxRecords") {
        None => 50,
        Some(most) => usize::try_from(most)
            .ok()
            .filter(|most| (1..=PAGE).contains(most))
            .ok_or_else(|| ApiError::invalid("MaxRecords"))?,
    };
    let after = asked.text("NextToken").unwrap_or_default();
    let wanted = |alarm: &&Alarm| {
        let name = alarm.name.as_str();
        name > after
            && (names.is_empty() || names.iter().any(|n| n == name))
            && prefix.is_none_or(|prefix| name.starts_with(prefix))
    };
    let found: Vec<Alarm> = cloudwatch.with(&asked.account, |account| {
        let found = account.alarms.values().filter(wanted);
        found.take(most + 1).cloned().collect()
    });
    let page = &found[..found.len().min(most)];
    let mut answer = json!({
        "MetricAlarms": page.iter().map(described).collect::<Vec<_>>(),
        "CompositeAlarms": [],
    });
    if found.len() > most
        && let Some(last) = page.last()
    {
        answer["NextToken"] = json!(last.name);
    }
    Ok(answer)
}

/// All or nothing: a name that there is no alarm of fails the whole request.
pub(super) fn delete(cloudwatch: &CloudWatch, asked: &Asked) -> Answer {
    let names: Vec<&str> = asked
        .list("AlarmNames")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    if names.is_empty() || names.len() > PAGE {
        return Err(ApiError::invalid("AlarmNames has one to 100 members."));
    }
    cloudwatch.with(&asked.account, |account| {
        if !names.iter().all(|name| account.alarms.contains_key(*name)) {
            return Err(ApiError(
                "ResourceNotFound",
                "ResourceNotFound",
                "The named resource does not exist.".to_owned(),
            ));
        }
        for name in names {
            account.alarms.remove(name);
        }
        Ok(json!({}))
    })
}

fn described(alarm: &Alarm) -> Value {
    let dimensions = alarm.metric.dimensions.iter();
    let dimensions = dimensions.map(|(name, value)| json!({ "Name": name, "Value": value }));
    let mut described = json!({
        "AlarmName": alarm.name,
        "AlarmArn": alarm.arn,
        "AlarmConfigurationUpdatedTimestamp": seconds(alarm.configured_at),
        "ActionsEnabled": true,
        "OKActions": [], "AlarmActions": [], "InsufficientDataActions": [],
        "StateValue": alarm.stand.state.as_str(),
        "StateReason": alarm.stand.reason,
        "StateUpdatedTimestamp": seconds(alarm.stand.at),
        "StateTransitionedTimestamp": seconds(alarm.stand.at),
        "MetricName": alarm.metric.name,
        "Namespace": alarm.metric.namespace,
        "Dimensions": dimensions.collect::<Vec<_>>(),
        "Period": alarm.period,
        "EvaluationPeriods": alarm.periods,
        "DatapointsToAlarm": alarm.datapoints,
        "Threshold": alarm.threshold,
        "ComparisonOperator": name_of(&Comparison::NAMES, alarm.comparison),
        "TreatMissingData": name_of(&Gap::NAMES, alarm.missing),
    });
    let member = match alarm.statistic {
        Statistic::Percentile(_) => "ExtendedStatistic",
        _ => "Statistic",
    };
    described[member] = json!(alarm.statistic_name);
    if let Some(description) = &alarm.description {
        described["AlarmDescription"] = json!(description);
    }
    described
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of this century fit into a double"
)]
fn seconds(at: jiff::Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1_000.0
}

fn number(asked: &Asked, member: &str) -> Result<i64, ApiError> {
    asked
        .whole(member)
        .filter(|number| *number >= 1)
        .ok_or_else(|| ApiError::missing(member))
}

fn one_of<T: Copy>(table: &[(&'static str, T)], name: &str) -> Option<T> {
    table
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| *value)
}

fn name_of<T: Copy + PartialEq>(table: &[(&'static str, T)], value: T) -> &'static str {
    table
        .iter()
        .find(|(_, known)| *known == value)
        .map_or("", |(name, _)| name)
}
