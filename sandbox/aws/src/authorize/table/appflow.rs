//! AppFlow, and what it does with the caller's own rights while it answers: it makes the secret of a
//! connector profile, takes profiles into use, and takes roles over.

use http::Method;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{Ask, Need, Unmapped};

const SERVICE: &str = "appflow.amazonaws.com";

/// Which resource an operation is about, and the member that names it.
#[derive(Debug, Clone, Copy)]
enum Resource {
    /// The action knows no resource.
    None,
    Flow(&'static str),
    Profile(&'static str),
    /// A connector, by the first of these members that is there.
    Connector,
}

/// Operations by route.
const ROUTES: [(&str, &str, Resource); 22] = [
    (
        "cancel-flow-executions",
        "CancelFlowExecutions",
        Resource::Flow("flowName"),
    ),
    (
        "create-connector-profile",
        "CreateConnectorProfile",
        Resource::None,
    ),
    ("create-flow", "CreateFlow", Resource::None),
    (
        "delete-connector-profile",
        "DeleteConnectorProfile",
        Resource::Profile("connectorProfileName"),
    ),
    ("delete-flow", "DeleteFlow", Resource::Flow("flowName")),
    (
        "describe-connector",
        "DescribeConnector",
        Resource::Connector,
    ),
    (
        "describe-connector-entity",
        "DescribeConnectorEntity",
        Resource::Profile("connectorProfileName"),
    ),
    (
        "describe-connector-profiles",
        "DescribeConnectorProfiles",
        Resource::None,
    ),
    ("describe-connectors", "DescribeConnectors", Resource::None),
    ("describe-flow", "DescribeFlow", Resource::Flow("flowName")),
    (
        "describe-flow-execution-records",
        "DescribeFlowExecutionRecords",
        Resource::Flow("flowName"),
    ),
    (
        "list-connector-entities",
        "ListConnectorEntities",
        Resource::Profile("connectorProfileName"),
    ),
    ("list-connectors", "ListConnectors", Resource::None),
    ("list-flows", "ListFlows", Resource::None),
    ("register-connector", "RegisterConnector", Resource::None),
    (
        "reset-connector-metadata-cache",
        "ResetConnectorMetadataCache",
        Resource::Profile("connectorProfileName"),
    ),
    ("start-flow", "StartFlow", Resource::Flow("flowName")),
    ("stop-flow", "StopFlow", Resource::Flow("flowName")),
    (
        "unregister-connector",
        "UnRegisterConnector",
        Resource::Connector,
    ),
    (
        "update-connector-profile",
        "UpdateConnectorProfile",
        Resource::Profile("connectorProfileName"),
    ),
    (
        "update-connector-registration",
        "UpdateConnectorRegistration",
        Resource::Connector,
    ),
    ("update-flow", "UpdateFlow", Resource::Flow("flowName")),
];

pub(super) fn needs(ask: &Ask<'_>) -> Result<Vec<Need>, Unmapped> {
    if let Some(arn) = ask.call.path.strip_prefix("/tags/") {
        return tag_needs(ask, arn);
    }
    let route = ask.call.path.trim_start_matches('/');
    let (_, operation, resource) = ROUTES
        .into_iter()
        .find(|(name, _, _)| *name == route && ask.call.method == Method::POST)
        .ok_or(Unmapped::Operation)?;
    let resource = match resource {
        Resource::None => "*".to_owned(),
        Resource::Flow(member) => ask.arn("appflow", &format!("flow/{}", ask.text(member))),
        // Without a profile the catalogue of a connector is asked for, which is nobody's.
        Resource::Profile(member) => profile_arn(ask, ask.body[member].as_str().unwrap_or("*")),
        Resource::Connector => connector_arn(ask),
    };
    let mut needs = vec![Need::new(&format!("appflow:{operation}"), &resource)];
    match operation {
        "CreateConnectorProfile" => {
            needs.extend(secret_needs(ask));
            needs.extend(passed_roles(ask, &["connectorProfileConfig"]));
        }
        "UpdateConnectorProfile" => needs.extend(passed_roles(ask, &["connectorProfileConfig"])),
        "CreateFlow" | "UpdateFlow" => {
            needs.extend(profiles_in_use(ask));
            needs.extend(passed_roles(ask, &["metadataCatalogConfig"]));
            if operation == "CreateFlow" {
                let flow = ask.arn("appflow", &format!("flow/{}", ask.text("flowName")));
                needs.extend(tagging(&flow, &ask.body["tags"]));
            }
        }
        _ => {}
    }
    if ask.body["kmsArn"].is_string() {
        let grant = Need::new("kms:CreateGrant", ask.text("kmsArn")).via(SERVICE);
        let service = format!("appflow.{}.amazonaws.com", ask.call.region);
        needs.push(grant.key("kms:ViaService", [service]));
    }
    Ok(needs)
}

fn tag_needs(ask: &Ask<'_>, encoded: &str) -> Result<Vec<Need>, Unmapped> {
    let arn = percent_decode_str(encoded).decode_utf8_lossy();
    let action = match ask.call.method {
        Method::GET => "appflow:ListTagsForResource",
        Method::DELETE => "appflow:UntagResource",
        Method::POST => return Ok(tagging(&arn, &ask.body["tags"]).into_iter().collect()),
        _ => return Err(Unmapped::Operation),
    };
    Ok(vec![Need::new(action, &arn)])
}

/// Tags that a request brings, if it does.
fn tagging(arn: &str, tags: &Value) -> Option<Need> {
    let tags = tags.as_object().filter(|tags| !tags.is_empty())?;
    let mut need = Need::new("appflow:TagResource", arn).key("aws:TagKeys", tags.keys().cloned());
    for (key, value) in tags {
        let name = format!("aws:RequestTag/{key}");
        need = need.key(&name, value.as_str().map(str::to_owned));
    }
    Some(need)
}

/// The credentials of a profile go into a secret that AppFlow makes as the caller.
fn secret_needs(ask: &Ask<'_>) -> [Need; 2] {
    let profile = ask.text("connectorProfileName");
    let name = format!("appflow!{}-{profile}-0", ask.account());
    let arn = ask.arn("secretsmanager", &format!("secret:{name}-??????"));
    [
        Need::new("secretsmanager:CreateSecret", &arn)
            .key("secretsmanager:Name", [name])
            .via(SERVICE),
        Need::new("secretsmanager:PutResourcePolicy", &arn)
            .key(
                "secretsmanager:ResourceTag/aws:secretsmanager:owningService",
                ["appflow".to_owned()],
            )
            .key("secretsmanager:SecretId", [arn.clone()])
            .via(SERVICE),
    ]
}

/// The profiles that a flow names: the fence between tenants that share an account.
fn profiles_in_use(ask: &Ask<'_>) -> Vec<Need> {
    let source = &ask.body["sourceFlowConfig"];
    let destinations = ask.body["destinationFlowConfigList"].as_array();
    let places = destinations.into_iter().flatten().chain([source]);
    places
        .filter_map(|place| place["connectorProfileName"].as_str())
        .map(|profile| Need::new("appflow:UseConnectorProfile", &profile_arn(ask, profile)))
        .collect()
}

/// Every role that these parts of a request hand to AppFlow.
fn passed_roles(ask: &Ask<'_>, parts: &[&str]) -> Vec<Need> {
    let mut roles = Vec::new();
    for part in parts {
        role_arns(&ask.body[*part], &mut roles);
    }
    roles
        .iter()
        .map(|role| {
            Need::new("iam:PassRole", role).key("iam:PassedToService", [SERVICE.to_owned()])
        })
        .collect()
}

fn role_arns(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(arn) if ["roleArn", "dataApiRoleArn"].contains(&name.as_str()) => {
                        found.push(arn.to_owned());
                    }
                    _ => role_arns(member, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| role_arns(value, found)),
        _ => {}
    }
}

fn profile_arn(ask: &Ask<'_>, profile: &str) -> String {
    ask.arn("appflow", &format!("connectorprofile/{profile}"))
}

fn connector_arn(ask: &Ask<'_>) -> String {
    let names = json!([ask.body["connectorLabel"], ask.body["connectorType"]]);
    let named = names.as_array().into_iter().flatten();
    let name = named
        .filter_map(Value::as_str)
        .find(|name| !name.is_empty());
    ask.arn(
        "appflow",
        &format!("connector/{}", name.unwrap_or_default()),
    )
}
