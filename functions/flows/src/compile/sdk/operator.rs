//! An operator under the key of the source's connector, as the SDK's types.

use aws_sdk_appflow::types as sdk;

use crate::compile::request::ConnectorOperator;

pub(super) fn operator(operator: ConnectorOperator) -> sdk::ConnectorOperator {
    use ConnectorOperator as Of;
    let to = sdk::ConnectorOperator::builder();
    let to = match operator {
        Of::Salesforce(word) => to.salesforce(word.as_str().into()),
        Of::S3(word) => to.s3(word.as_str().into()),
        Of::ServiceNow(word) => to.service_now(word.as_str().into()),
        Of::Zendesk(word) => to.zendesk(word.as_str().into()),
        Of::Slack(word) => to.slack(word.as_str().into()),
        Of::Marketo(word) => to.marketo(word.as_str().into()),
        Of::SapOData(word) => to.sapo_data(word.as_str().into()),
        Of::Veeva(word) => to.veeva(word.as_str().into()),
        Of::Pardot(word) => to.pardot(word.as_str().into()),
        Of::Datadog(word) => to.datadog(word.as_str().into()),
        Of::Dynatrace(word) => to.dynatrace(word.as_str().into()),
        Of::InforNexus(word) => to.infor_nexus(word.as_str().into()),
        Of::Singular(word) => to.singular(word.as_str().into()),
        Of::Trendmicro(word) => to.trendmicro(word.as_str().into()),
        Of::GoogleAnalytics(word) => to.google_analytics(word.as_str().into()),
        Of::Amplitude(word) => to.amplitude(word.as_str().into()),
        Of::CustomConnector(word) => to.custom_connector(word.as_str().into()),
    };
    to.build()
}
