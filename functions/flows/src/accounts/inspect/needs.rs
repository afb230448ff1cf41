//! What the role needs, action by action, and how each is tried without an effect (O7).
//!
//! The table is the counterpart of `customer-account.yaml`'s role and of the vendor's own; tests hold
//! them together.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tributary::tenancy::{Account, HostingMode};

use super::ask::Call;

/// How an action is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trial {
    /// By a call about something that cannot exist, or one that only reads.
    Call(Call),
    /// By the event that verification sends.
    Event,
    /// Not at all: whatever could be called would have an effect, or prove nothing.
    None(&'static str),
}

/// What an action is allowed on. Each is one statement of the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum On {
    /// AppFlow's actions that know no resource, S3's one, and reading in CloudWatch.
    Everything,
    /// AppFlow's connectors.
    Connectors,
    /// Buckets of the account whose names begin with our prefix.
    Buckets,
    /// Our flows.
    Flows,
    /// Our connector profiles.
    Profiles,
    /// The account's own bus, for the event of a verification.
    Bus,
    /// Secrets that AppFlow makes as the caller.
    NewSecrets,
    /// Secrets that AppFlow owns.
    AppFlowsSecrets,
    /// The account's catalogue, with all databases and tables.
    Catalogue,
    /// Our alarms.
    Alarms,
    /// Roles that are made for flows; in the vendor's account those for the warehouse.
    FlowsRoles,
}

/// One action that the role needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    pub(super) action: &'static str,
    pub(super) on: On,
    pub(super) trial: Trial,
    /// Only where flows are hosted so; everywhere if absent.
    hosting: Option<HostingMode>,
}

const fn need(action: &'static str, on: On, trial: Trial) -> Need {
    Need {
        action,
        on,
        trial,
        hosting: None,
    }
}

const fn need_in(hosting: HostingMode, action: &'static str, on: On, trial: Trial) -> Need {
    Need {
        action,
        on,
        trial,
        hosting: Some(hosting),
    }
}

const WITH_A_PROFILE: &str = "IAM asks for it together with a connector profile that exists only; a \
     refusal that names it is reported.";
const THROUGH_APPFLOW: &str = "AppFlow does it as the caller when it makes a connection; it cannot be tried without making one.";
const CHANGES_A_POLICY: &str = "It would change the policy of a bucket.";
const MAKES_AN_ALARM: &str = "It would make an alarm.";
const PASSES_A_ROLE: &str = "It is asked for only when something is made that gets the role.";

#[rustfmt::skip]
const NEEDS: [Need; 36] = [
    need("appflow:CreateFlow", On::Everything, Trial::Call(Call::CreateFlow)),
    need("appflow:CreateConnectorProfile", On::Everything, Trial::Call(Call::CreateConnectorProfile)),
    need("appflow:DescribeConnectorProfiles", On::Everything, Trial::Call(Call::DescribeConnectorProfiles)),
    need("appflow:DescribeConnectors", On::Everything, Trial::Call(Call::DescribeConnectors)),
    need("appflow:ListConnectors", On::Everything, Trial::Call(Call::ListConnectors)),
    need("appflow:ListFlows", On::Everything, Trial::Call(Call::ListFlows)),
    need("appflow:DescribeConnector", On::Connectors, Trial::Call(Call::DescribeConnector)),
    need("s3:ListAllMyBuckets", On::Everything, Trial::Call(Call::ListBuckets)),
    need("s3:GetBucketLocation", On::Buckets, Trial::Call(Call::GetBucketLocation)),
    need("s3:GetBucketPolicy", On::Buckets, Trial::Call(Call::GetBucketPolicy)),
    need_in(HostingMode::Customer, "s3:PutBucketPolicy", On::Buckets, Trial::None(CHANGES_A_POLICY)),
    need("appflow:DescribeFlow", On::Flows, Trial::Call(Call::DescribeFlow)),
    need("appflow:DescribeFlowExecutionRecords", On::Flows, Trial::Call(Call::DescribeFlowExecutionRecords)),
    need("appflow:UpdateFlow", On::Flows, Trial::Call(Call::UpdateFlow)),
    need("appflow:DeleteFlow", On::Flows, Trial::Call(Call::DeleteFlow)),
    need("appflow:StartFlow", On::Flows, Trial::Call(Call::StartFlow)),
    need("appflow:StopFlow", On::Flows, Trial::Call(Call::StopFlow)),
    need("appflow:CancelFlowExecutions", On::Flows, Trial::Call(Call::CancelFlowExecutions)),
    need("appflow:TagResource", On::Flows, Trial::Call(Call::TagResource)),
    need("appflow:UseConnectorProfile", On::Profiles, Trial::None(WITH_A_PROFILE)),
    need("appflow:UpdateConnectorProfile", On::Profiles, Trial::Call(Call::UpdateConnectorProfile)),
    need("appflow:DeleteConnectorProfile", On::Profiles, Trial::Call(Call::DeleteConnectorProfile)),
    need("appflow:ListConnectorEntities", On::Profiles, Trial::Call(Call::ListConnectorEntities)),
    need("appflow:DescribeConnectorEntity", On::Profiles, Trial::Call(Call::DescribeConnectorEntity)),
    need("appflow:ResetConnectorMetadataCache", On::Profiles, Trial::Call(Call::ResetConnectorMetadataCache)),
    need("events:PutEvents", On::Bus, Trial::Event),
    need("secretsmanager:CreateSecret", On::NewSecrets, Trial::None(THROUGH_APPFLOW)),
    need("secretsmanager:PutResourcePolicy", On::AppFlowsSecrets, Trial::None(THROUGH_APPFLOW)),
    need_in(HostingMode::Customer, "glue:GetDatabases", On::Catalogue, Trial::Call(Call::GetDatabases)),
    need_in(HostingMode::Customer, "glue:GetTable", On::Catalogue, Trial::Call(Call::GetTable)),
    need_in(HostingMode::Customer, "glue:GetTables", On::Catalogue, Trial::Call(Call::GetTables)),
    need("cloudwatch:GetMetricData", On::Everything, Trial::Call(Call::GetMetricData)),
    need("cloudwatch:DescribeAlarms", On::Everything, Trial::Call(Call::DescribeAlarms)),
    need("cloudwatch:DeleteAlarms", On::Alarms, Trial::Call(Call::DeleteAlarms)),
    need("cloudwatch:PutMetricAlarm", On::Alarms, Trial::None(MAKES_AN_ALARM)),
    need("iam:PassRole", On::FlowsRoles, Trial::None(PASSES_A_ROLE)),
];

/// What the role of an account needs.
pub(super) fn of(hosting: HostingMode) -> impl Iterator<Item = &'static Need> {
    NEEDS
        .iter()
        .filter(move |need| need.hosting.is_none_or(|only| only == hosting))
}

/// Whether an action is one that a role needs.
pub(super) fn knows(action: &str) -> bool {
    NEEDS.iter().any(|need| need.action == action)
}

/// The statements of a policy that would add these actions, one per resource.
pub(super) fn statements(account: &Account, missing: &[String]) -> Vec<Value> {
    let mut by_resource: BTreeMap<On, Vec<&str>> = BTreeMap::new();
    for need in of(account.hosting).filter(|need| missing.iter().any(|one| one == need.action)) {
        by_resource.entry(need.on).or_default().push(need.action);
    }
    by_resource
        .into_iter()
        .map(|(on, actions)| on.statement(account, &actions))
        .collect()
}

impl On {
    fn statement(self, account: &Account, actions: &[&str]) -> Value {
        let (resource, condition) = self.scope(account);
        let mut statement = json!({ "Effect": "Allow", "Action": actions, "Resource": resource });
        if !condition.is_null() {
            statement["Condition"] = condition;
        }
        statement
    }

    /// Resource or resources, and the condition.
    fn scope(self, account: &Account) -> (Value, Value) {
        let partition = account.role_arn.partition();
        let (region, id) = (&account.region, &account.aws_account_id);
        let appflow = |what: &str| json!(format!("arn:{partition}:appflow:{region}:{id}:{what}"));
        let called_via = json!({ "aws:CalledVia": "appflow.amazonaws.com" });
        match self {
            Self::Everything => (json!("*"), Value::Null),
            Self::Connectors => (appflow("connector/*"), Value::Null),
            Self::Flows => (appflow("flow/tributary-*"), Value::Null),
            Self::Profiles => (appflow("connectorprofile/tributary-*"), Value::Null),
            // An action on a table needs the table, its database and the catalogue.
            Self::Catalogue => {
                let arn = |what: &str| format!("arn:{partition}:glue:{region}:{id}:{what}");
                let all = ["catalog", "database/*", "table/*/*"].map(arn);
                (json!(all), Value::Null)
            }
            Self::Alarms => (
                json!(format!(
                    "arn:{partition}:cloudwatch:{region}:{id}:alarm:tributary-*"
                )),
                Value::Null,
            ),
            Self::Buckets => (
                json!(format!("arn:{partition}:s3:::tributary-*")),
                json!({ "StringEquals": { "aws:ResourceAccount": id } }),
            ),
            Self::Bus => (
                json!(format!(
                    "arn:{partition}:events:{region}:{id}:event-bus/default"
                )),
                json!({ "StringEquals": { "events:source": super::events::SOURCE } }),
            ),
            Self::NewSecrets => (
                json!("*"),
                json!({ "StringLike": { "secretsmanager:Name": "appflow!*" }, "ForAnyValue:StringEquals": called_via }),
            ),
            Self::AppFlowsSecrets => (
                json!("*"),
                json!({
                    "StringEquals": { "secretsmanager:ResourceTag/aws:secretsmanager:owningService": "appflow" },
                    "ForAnyValue:StringEquals": called_via,
                }),
            ),
            Self::FlowsRoles => (
                json!(match account.hosting {
                    HostingMode::Vendor => {
                        format!("arn:{partition}:iam::{id}:role/tributary/*-warehouse-*")
                    }
                    HostingMode::Customer => format!("arn:{partition}:iam::{id}:role/tributary-*"),
                }),
                json!({ "StringEquals": { "iam:PassedToService": ["appflow.amazonaws.com", "redshift.amazonaws.com"] } }),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::accounts::inspect::sample_account;

    /// The actions that a role's inline policies allow, off the template's text.
    fn allowed_by(template: &str, role: &str) -> BTreeSet<String> {
        let text =
            std::fs::read_to_string(format!("{}/../../{template}", env!("CARGO_MANIFEST_DIR")))
                .unwrap();
        let begin = text.find(&format!("\n  {role}:\n")).unwrap() + 1;
        let resource = &text[begin..];
        let end = resource[3..].find("\n\n").unwrap() + 3;
        let resource = &resource[..end];
        let policies = &resource[resource.find("Policies:").unwrap()..];
        policies
            .lines()
            .filter_map(|line| {
                line.trim()
                    .trim_start_matches("- ")
                    .strip_prefix("Action: ")
            })
            .flat_map(|actions| actions.trim_matches(['[', ']']).split(','))
            .map(|action| action.trim().to_owned())
            .collect()
    }

    #[test]
    fn o7_the_table_is_what_the_templates_allow() {
        for (hosting, template, role) in [
            (HostingMode::Customer, "customer-account.yaml", "AccessRole"),
            (HostingMode::Vendor, "template.yaml", "VendorFlowsRole"),
        ] {
            let needed: BTreeSet<String> = of(hosting).map(|need| need.action.to_owned()).collect();
            assert_eq!(needed, allowed_by(template, role), "{role} of {template}");
        }
    }

    #[test]
    fn o7_each_action_is_told_once_and_tried_by_one_call() {
        let actions: BTreeSet<&str> = NEEDS.iter().map(|need| need.action).collect();
        assert_eq!(actions.len(), NEEDS.len());
        let calls: Vec<Call> = NEEDS
            .iter()
            .filter_map(|need| match need.trial {
                Trial::Call(call) => Some(call),
                Trial::Event | Trial::None(_) => None,
            })
            .collect();
        let distinct: BTreeSet<String> = calls.iter().map(|call| format!("{call:?}")).collect();
        assert_eq!(distinct.len(), calls.len());
    }

    #[test]
    fn o7_the_statement_to_add_names_exactly_what_is_missing() {
        let account = sample_account(HostingMode::Customer);
        let missing = [
            "appflow:StopFlow",
            "appflow:StartFlow",
            "s3:GetBucketPolicy",
        ]
        .map(str::to_owned);
        assert_eq!(
            json!(statements(&account, &missing)),
            json!([
                {
                    "Effect": "Allow", "Action": ["s3:GetBucketPolicy"],
                    "Resource": "arn:aws:s3:::tributary-*",
                    "Condition": { "StringEquals": { "aws:ResourceAccount": "222222222222" } },
                },
                {
                    "Effect": "Allow", "Action": ["appflow:StartFlow", "appflow:StopFlow"],
                    "Resource": "arn:aws:appflow:us-east-1:222222222222:flow/tributary-*",
                },
            ])
        );
        assert!(statements(&account, &[]).is_empty());
    }
}
