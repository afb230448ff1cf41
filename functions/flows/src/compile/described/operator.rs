//! An operator and the connector's key under which it stands.

use aws_sdk_appflow::types as sdk;

use super::{Reading, word};
use crate::compile::{operators::Operator, request::ConnectorOperator};

pub(super) fn operator(
    reading: &mut Reading,
    pointer: &str,
    found: &sdk::ConnectorOperator,
) -> Option<ConnectorOperator> {
    use ConnectorOperator as To;
    let mut all: Vec<(fn(Operator) -> ConnectorOperator, &str)> = Vec::new();
    macro_rules! read {
        ($($member:ident => $to:path),* $(,)?) => {
            $(if let Some(operator) = &found.$member {
                all.push(($to, operator.as_str()));
            })*
        };
    }
    read! {
        salesforce => To::Salesforce,
        s3 => To::S3,
        service_now => To::ServiceNow,
        zendesk => To::Zendesk,
        slack => To::Slack,
        marketo => To::Marketo,
        sapo_data => To::SapOData,
        veeva => To::Veeva,
        pardot => To::Pardot,
        datadog => To::Datadog,
        dynatrace => To::Dynatrace,
        infor_nexus => To::InforNexus,
        singular => To::Singular,
        trendmicro => To::Trendmicro,
        google_analytics => To::GoogleAnalytics,
        amplitude => To::Amplitude,
        custom_connector => To::CustomConnector,
    }
    let (to, operator) = reading.only(pointer, all)?;
    reading.present(pointer, word(operator)).map(to)
}
