//! Alarms as callers see them, and as CloudWatch keeps them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::id::FlowId;
use utoipa::ToSchema;

use super::name::AlarmName;
use crate::{
    cloudwatch::{DIMENSION, KeptAlarm, NAMESPACE},
    metrics::{Metric, Statistic},
};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "camelCase")]
        pub(super) enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// CloudWatch's word for it.
            pub(super) const fn word(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// What CloudWatch's word means.
            pub(super) fn of(word: &str) -> Option<Self> {
                match word { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// How the metric and the threshold compare when the alarm goes off.
    AlarmComparison {
        /// The metric is the threshold or more.
        GreaterThanOrEqual = "GreaterThanOrEqualToThreshold",
        /// The metric is more than the threshold.
        GreaterThan = "GreaterThanThreshold",
        /// The metric is less than the threshold.
        LessThan = "LessThanThreshold",
        /// The metric is the threshold or less.
        LessThanOrEqual = "LessThanOrEqualToThreshold",
    }
}

words! {
    /// What a period in which nothing was counted means to the alarm.
    MissingData {
        /// Nothing is known.
        Missing = "missing",
        /// The alarm stays as it is.
        Ignore = "ignore",
        /// As if the threshold were crossed.
        Breaching = "breaching",
        /// As if the threshold were not crossed.
        NotBreaching = "notBreaching",
    }
}

/// How an alarm stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum AlarmState {
    /// The threshold is not crossed.
    Ok,
    /// The threshold is crossed.
    Alarm,
    /// Not known: the alarm is new, or nothing was counted.
    InsufficientData,
}

impl AlarmState {
    /// What CloudWatch's word means.
    fn of(word: &str) -> Option<Self> {
        match word {
            "OK" => Some(Self::Ok),
            "ALARM" => Some(Self::Alarm),
            "INSUFFICIENT_DATA" => Some(Self::InsufficientData),
            _ => None,
        }
    }
}

/// What an alarm watches and when it goes off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AlarmInput {
    /// Its name, unique among the flow's: small letters, digits and hyphens.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = "^[a-z0-9][a-z0-9-]*$",
        example = "failures"
    )]
    pub(super) name: String,
    pub(super) metric: Metric,
    /// What is made of each period's values; the sum if absent, and for `runTime` the average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) statistic: Option<Statistic>,
    pub(super) comparison: AlarmComparison,
    /// What each period's value is compared with.
    #[schema(example = 1.0)]
    pub(super) threshold: f64,
    /// Seconds of a period: a multiple of 60.
    #[schema(minimum = 60, maximum = 86400, example = 300)]
    pub(super) period: u32,
    /// How many periods are looked at. With periods under an hour they are a day at most, and a week
    /// otherwise.
    #[schema(minimum = 1, maximum = 1440, example = 1)]
    pub(super) evaluation_periods: u32,
    /// How many of those must cross the threshold; all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1440, example = 1)]
    pub(super) datapoints_to_alarm: Option<u32>,
    /// What a period in which nothing was counted means; `missing` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) treat_missing_data: Option<MissingData>,
}

impl AlarmInput {
    /// With what is meant where nothing was said.
    pub(super) fn in_full(&self) -> Self {
        Self {
            statistic: Some(self.statistic.unwrap_or(self.metric.usual())),
            datapoints_to_alarm: Some(self.datapoints_to_alarm.unwrap_or(self.evaluation_periods)),
            treat_missing_data: Some(self.treat_missing_data.unwrap_or(MissingData::Missing)),
            ..self.clone()
        }
    }
}

/// An alarm of a flow.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AlarmView {
    /// The flow.
    pub(super) flow_id: FlowId,
    #[serde(flatten)]
    pub(super) alarm: AlarmInput,
    pub(super) state: AlarmState,
    /// Why, in CloudWatch's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        example = "Threshold Crossed: 1 datapoint [1.0] was greater than or equal to the threshold (1.0)."
    )]
    pub(super) state_reason: Option<String>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-20T09:35:00Z")]
    pub(super) state_since: Option<Timestamp>,
    /// When it was made or last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) updated_at: Option<Timestamp>,
}

/// What the description of a flow's alarm says.
pub(super) fn description(flow: FlowId) -> String {
    format!("Made by Tributary for the flow {flow}. Delete it there.")
}

impl AlarmView {
    /// An alarm that CloudWatch has, if we made it for this flow.
    pub(super) fn of(kept: &KeptAlarm, flow: FlowId, appflow_name: &str) -> Option<Self> {
        let name = kept
            .alarm_name
            .strip_prefix(appflow_name)?
            .strip_prefix('-')?;
        let name: AlarmName = name.parse().ok()?;
        let of_flow = kept.namespace.as_deref() == Some(NAMESPACE)
            && kept.alarm_description.as_deref() == Some(description(flow).as_str())
            && matches!(&kept.dimensions[..], [one] if one.name == DIMENSION && one.value == appflow_name);
        if !of_flow {
            return None;
        }
        let statistic = kept
            .statistic
            .as_deref()
            .or(kept.extended_statistic.as_deref());
        Some(Self {
            flow_id: flow,
            alarm: AlarmInput {
                name: name.as_str().to_owned(),
                metric: Metric::of_appflow(kept.metric_name.as_deref()?)?,
                statistic: Some(Statistic::named(statistic?)?),
                comparison: AlarmComparison::of(&kept.comparison_operator)?,
                threshold: kept.threshold?,
                period: kept.period?,
                evaluation_periods: kept.evaluation_periods,
                datapoints_to_alarm: Some(
                    kept.datapoints_to_alarm.unwrap_or(kept.evaluation_periods),
                ),
                treat_missing_data: match kept.treat_missing_data.as_deref() {
                    None => Some(MissingData::Missing),
                    Some(word) => Some(MissingData::of(word)?),
                },
            },
            state: AlarmState::of(&kept.state_value)?,
            state_reason: kept.state_reason.clone(),
            state_since: kept.state_updated_timestamp,
            updated_at: kept.alarm_configuration_updated_timestamp,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarms::rules::{sample, spec};

    fn kept(flow: FlowId, appflow_name: &str) -> KeptAlarm {
        let input = sample().in_full();
        let spec = spec(&input, flow, appflow_name).unwrap();
        KeptAlarm {
            alarm_name: spec.alarm_name,
            alarm_description: Some(spec.alarm_description),
            namespace: Some(spec.namespace.to_owned()),
            metric_name: Some(spec.metric_name.to_owned()),
            dimensions: spec.dimensions,
            statistic: spec.statistic.map(str::to_owned),
            period: Some(spec.period),
            evaluation_periods: spec.evaluation_periods,
            datapoints_to_alarm: Some(spec.datapoints_to_alarm),
            threshold: Some(spec.threshold),
            comparison_operator: spec.comparison_operator.to_owned(),
            treat_missing_data: Some(spec.treat_missing_data.to_owned()),
            state_value: "OK".to_owned(),
            ..KeptAlarm::default()
        }
    }

    #[test]
    fn what_is_put_is_what_is_listed() {
        let flow = FlowId::new();
        let view = AlarmView::of(&kept(flow, "tributary-t-f"), flow, "tributary-t-f").unwrap();
        assert_eq!(view.alarm, sample().in_full());
        assert_eq!(view.state, AlarmState::Ok);
    }

    #[test]
    fn what_somebody_else_named_so_is_not_ours() {
        let flow = FlowId::new();
        let ours = kept(flow, "tributary-t-f");
        let foreign = [
            KeptAlarm {
                alarm_description: None,
                ..ours.clone()
            },
            KeptAlarm {
                namespace: Some("AWS/EC2".to_owned()),
                ..ours.clone()
            },
            KeptAlarm {
                dimensions: Vec::new(),
                ..ours.clone()
            },
            KeptAlarm {
                alarm_name: "tributary-t-f-Their Alarm".to_owned(),
                ..ours.clone()
            },
            KeptAlarm {
                metric_name: None,
                ..ours.clone()
            },
        ];
        for alarm in foreign {
            assert_eq!(
                AlarmView::of(&alarm, flow, "tributary-t-f"),
                None,
                "{alarm:?}"
            );
        }
        assert_eq!(AlarmView::of(&ours, FlowId::new(), "tributary-t-f"), None);
        assert_eq!(AlarmView::of(&ours, flow, "tributary-t-g"), None);
    }
}
