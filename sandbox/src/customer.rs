//! A customer launches `customer-account.yaml` in their account.

use std::collections::BTreeMap;

use sandbox_core::REGION;
use sandbox_gateway::template::{Context, Template};
use url::Url;

use crate::{Sandbox, StartError, binaries::workspace_root, provision};

impl Sandbox {
    /// Launches the customer's template in an account with these parameters, as the CloudFormation
    /// console does after the launch link was opened and its values were confirmed.
    pub async fn launch_customer_stack(
        &self,
        account: &str,
        parameters: BTreeMap<String, String>,
    ) -> Result<(), StartError> {
        let text = std::fs::read_to_string(workspace_root().join("customer-account.yaml"))
            .map_err(|error| {
                StartError::Template("customer-account.yaml".to_owned(), error.to_string())
            })?;
        let context = Context {
            account: account.to_owned(),
            region: REGION.to_owned(),
            stack_name: "tributary-access".to_owned(),
            parameters,
            attributes: BTreeMap::new(),
            endpoint: self.aws_url.to_string(),
        };
        let resolved = Template::parse(&text)
            .and_then(|template| template.resolve(&context))
            .map_err(|error| {
                StartError::Template("customer-account.yaml".to_owned(), error.to_string())
            })?;
        provision::resources(&self.parts(), account, "customer-account.yaml", &resolved).await
    }

    /// The parameters that a launch link carries.
    pub fn launch_parameters(link: &str) -> Option<BTreeMap<String, String>> {
        let (_, fragment) = link.split_once('#')?;
        let (_, query) = fragment.split_once('?')?;
        // A URL of its own, because the link's parameters stand behind the fragment mark.
        let url = Url::parse(&format!("https://launch.invalid/?{query}")).ok()?;
        Some(
            url.query_pairs()
                .filter_map(|(name, value)| {
                    Some((name.strip_prefix("param_")?.to_owned(), value.into_owned()))
                })
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_out_of_the_launch_link() {
        let link = "https://us-east-1.console.aws.amazon.com/cloudformation/home?region=us-east-1#/stacks/create/review?templateURL=https%3A%2F%2Fb%2Ft.yaml&stackName=a&param_ExternalId=x%3D1&param_VendorAccountId=111111111111";
        let parameters = Sandbox::launch_parameters(link).unwrap();
        assert_eq!(parameters["ExternalId"], "x=1");
        assert_eq!(parameters.len(), 2);
    }
}
