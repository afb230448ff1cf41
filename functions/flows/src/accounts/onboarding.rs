//! What a customer launches and trusts: external id, quick-create link, trust policy.

use serde_json::{Value, json};
use tributary::error::Error;
use url::Url;

use crate::OnboardingConfig;

/// Name of the role that `customer-account.yaml` makes.
pub(crate) const CUSTOMER_ROLE: &str = "TributaryAccess";
/// Name of the customer's stack in the launch link.
const STACK_NAME: &str = "tributary-access";

/// The CloudFormation console with the customer's template and its parameters filled in.
pub(super) fn launch_url(
    config: &OnboardingConfig,
    region: &str,
    external_id: &str,
) -> Result<String, Error> {
    let base = format!("https://{region}.console.aws.amazon.com/cloudformation/home");
    let mut url = Url::parse_with_params(&base, [("region", region)]).map_err(|error| {
        Error::internal("launch_url", "the launch link could not be made").with_source(error)
    })?;
    // The console reads its parameters behind the fragment, percent-encoded, blanks as %20.
    let parameters: Vec<String> = [
        ("templateURL", config.template_url.as_str()),
        ("stackName", STACK_NAME),
        ("param_ExternalId", external_id),
        ("param_VendorAccountId", &config.vendor_account_id),
        ("param_VendorRolePattern", &config.role_pattern),
        ("param_VendorEventBusArn", &config.event_bus_arn),
    ]
    .into_iter()
    .map(|(name, value)| format!("{name}={}", percent_encoded(value)))
    .collect();
    url.set_fragment(Some(&format!(
        "/stacks/create/review?{}",
        parameters.join("&")
    )));
    Ok(url.into())
}

/// Everything but RFC 3986's unreserved characters.
fn percent_encoded(value: &str) -> String {
    use std::fmt::Write as _;
    value.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// The trust policy of the customer's role, exactly as the template makes it.
pub(super) fn trust_policy(config: &OnboardingConfig, external_id: &str) -> Value {
    let partition = config.vendor_role.arn.partition();
    let vendor = format!("arn:{partition}:iam::{}:root", config.vendor_account_id);
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "VendorWithExternalId",
                "Effect": "Allow",
                "Principal": { "AWS": vendor },
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": { "sts:ExternalId": external_id },
                    "ArnLike": { "aws:PrincipalArn": config.role_pattern },
                },
            },
            {
                "Sid": "VendorTagsItsSessions",
                "Effect": "Allow",
                "Principal": { "AWS": vendor },
                "Action": "sts:TagSession",
                "Condition": { "ArnLike": { "aws:PrincipalArn": config.role_pattern } },
            },
        ],
    })
}

#[cfg(test)]
pub(super) fn sample_config() -> OnboardingConfig {
    use tributary::tenancy::VendorRole;
    OnboardingConfig {
        template_url: "https://bucket.s3.us-east-1.amazonaws.com/customer-account.yaml".to_owned(),
        vendor_account_id: "111111111111".to_owned(),
        vendor_pool: Vec::new(),
        region: "us-east-1".to_owned(),
        vendor_role: VendorRole {
            arn: "arn:aws:iam::111111111111:role/tributary/prod-vendor-flows"
                .parse()
                .unwrap(),
            external_id: "vendor-external-id".to_owned(),
        },
        role_pattern: "arn:aws:iam::111111111111:role/tributary/prod-*".to_owned(),
        event_bus_arn: "arn:aws:events:us-east-1:111111111111:event-bus/prod-appflow".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o1_the_launch_link_has_every_parameter_percent_encoded() {
        let url = launch_url(&sample_config(), "eu-west-1", "id_1-2").unwrap();
        assert_eq!(
            url,
            "https://eu-west-1.console.aws.amazon.com/cloudformation/home?region=eu-west-1\
             #/stacks/create/review?templateURL=https%3A%2F%2Fbucket.s3.us-east-1.amazonaws.com%2Fcustomer-account.yaml\
             &stackName=tributary-access&param_ExternalId=id_1-2&param_VendorAccountId=111111111111\
             &param_VendorRolePattern=arn%3Aaws%3Aiam%3A%3A111111111111%3Arole%2Ftributary%2Fprod-%2A\
             &param_VendorEventBusArn=arn%3Aaws%3Aevents%3Aus-east-1%3A111111111111%3Aevent-bus%2Fprod-appflow"
        );
    }

    #[test]
    fn o1_the_trust_policy_asks_for_the_external_id_and_our_roles() {
        let policy = trust_policy(&sample_config(), "id_1-2");
        let condition = &policy["Statement"][0]["Condition"];
        assert_eq!(condition["StringEquals"]["sts:ExternalId"], "id_1-2");
        assert_eq!(
            condition["ArnLike"]["aws:PrincipalArn"],
            "arn:aws:iam::111111111111:role/tributary/prod-*"
        );
    }
}
