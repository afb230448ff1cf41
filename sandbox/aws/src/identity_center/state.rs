//! What Identity Center knows: one instance, in the vendor's account, with its directory, its trusted
//! token issuers and its applications, and the warehouses that are connected to it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use sandbox_core::{DirectoryUser, VENDOR_ACCOUNT};
use serde_json::{Value, json};
use uuid::Uuid;

/// ARN of the instance.
pub(super) const INSTANCE_ARN: &str = "arn:aws:sso:::instance/ssoins-1111aaaa2222bbbb";
/// The instance's id, as it stands in the ARNs of what is in it.
pub(super) const INSTANCE_ID: &str = "ssoins-1111aaaa2222bbbb";
/// The directory behind the instance.
pub(super) const STORE_ID: &str = "d-1111aaaa22";
/// Provider of customer-managed applications.
pub(super) const CUSTOM: &str = "arn:aws:sso::aws:applicationProvider/custom";
/// Provider of Redshift's applications.
pub(super) const REDSHIFT: &str = "arn:aws:sso::aws:applicationProvider/redshift";
/// The scope that lets an application take people to Redshift.
pub(super) const CONNECT: &str = "redshift:connect";

/// ARN of the directory.
pub(super) fn store_arn() -> String {
    format!("arn:aws:identitystore::{VENDOR_ACCOUNT}:identitystore/{STORE_ID}")
}

/// A trusted token issuer.
#[derive(Debug, Clone)]
pub(super) struct TokenIssuer {
    pub(super) arn: String,
    pub(super) name: String,
    /// Exactly as in the token's `iss`.
    pub(super) url: String,
    /// Names of claims, one inside the other.
    pub(super) claim_path: String,
    pub(super) store_path: String,
    /// Where its keys are, if the discovery document is not to be asked.
    pub(super) keys_url: Option<String>,
}

/// Who is assigned: `USER` or `GROUP`, and its id.
pub(super) type Assignee = (String, String);

/// An application.
#[derive(Debug, Clone)]
pub(super) struct Application {
    pub(super) arn: String,
    pub(super) provider: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) enabled: bool,
    pub(super) created: Timestamp,
    /// Who may exchange tokens with it; without one nobody can authenticate as it.
    pub(super) actor_policy: Option<Value>,
    /// Grants by type, as they were put.
    pub(super) grants: BTreeMap<String, Value>,
    /// Scopes and the applications that each leads to; none means all.
    pub(super) scopes: BTreeMap<String, Vec<String>>,
    pub(super) assignment_required: bool,
    pub(super) assigned: BTreeSet<Assignee>,
}

impl Application {
    pub(super) fn new(arn: String, provider: &str, name: &str) -> Self {
        Self {
            arn,
            provider: provider.to_owned(),
            name: name.to_owned(),
            description: None,
            enabled: true,
            created: Timestamp::now(),
            actor_policy: None,
            grants: BTreeMap::new(),
            scopes: BTreeMap::new(),
            assignment_required: true,
            assigned: BTreeSet::new(),
        }
    }

    /// The account that the application is in.
    pub(super) fn account(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }

    /// Whether it takes people to the application behind this ARN.
    pub(super) fn leads_to(&self, scope: &str, target: &str) -> bool {
        self.scopes
            .get(scope)
            .is_some_and(|targets| targets.is_empty() || targets.iter().any(|arn| arn == target))
    }
}

/// A person of the directory.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) emails: Vec<String>,
    /// Issuer and id, as provisioning by SCIM leaves them.
    pub(super) external_ids: Vec<(String, String)>,
    pub(super) enabled: bool,
}

/// A group of the directory.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) members: BTreeSet<String>,
}

/// Redshift's side of an application of Identity Center.
#[derive(Debug, Clone)]
pub(super) struct RedshiftApplication {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) namespace: String,
    pub(super) role_arn: String,
    /// The application that Redshift made in Identity Center.
    pub(super) managed_arn: String,
    /// Whether sessions of other applications may connect.
    pub(super) connect: bool,
}

/// A namespace of Redshift Serverless.
#[derive(Debug, Clone)]
pub(super) struct Namespace {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) database: String,
    /// ARN of the [`RedshiftApplication`].
    pub(super) application: Option<String>,
}

/// A workgroup of Redshift Serverless.
#[derive(Debug, Clone)]
pub(super) struct Workgroup {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) parameters: BTreeMap<String, String>,
}

/// Everything.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) issuers: BTreeMap<String, TokenIssuer>,
    pub(super) applications: BTreeMap<String, Application>,
    pub(super) people: BTreeMap<String, Person>,
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) redshift: BTreeMap<String, RedshiftApplication>,
    pub(super) namespaces: BTreeMap<String, Namespace>,
    pub(super) workgroups: BTreeMap<String, Workgroup>,
    /// What workgroups are connected to that nobody made through the API.
    pub(super) other_workgroups: Option<String>,
    /// ARNs that the next customer-managed applications get.
    pub(super) reserved: VecDeque<String>,
}

impl State {
    /// A person, with the groups of this moment.
    pub(super) fn directory_user(&self, id: &str) -> Option<DirectoryUser> {
        let person = self.people.get(id)?;
        let groups = self.groups.values();
        let of_person = groups.filter(|group| group.members.contains(id));
        Some(DirectoryUser {
            user_id: person.id.clone(),
            user_name: person.name.clone(),
            groups: of_person.map(|group| group.name.clone()).collect(),
        })
    }

    /// Whether a person, or a group of the person, is assigned where that is required.
    pub(super) fn is_assigned(&self, application: &Application, user_id: &str) -> bool {
        !application.assignment_required
            || application.assigned.iter().any(|(kind, id)| {
                if kind == "USER" {
                    id == user_id
                } else {
                    self.groups
                        .get(id)
                        .is_some_and(|group| group.members.contains(user_id))
                }
            })
    }

    /// The people whose attribute has this value.
    pub(super) fn people_with(&self, attribute: &str, value: &str) -> Vec<&Person> {
        let has = |person: &&Person| match attribute.to_ascii_lowercase().as_str() {
            "username" => person.name == value,
            "emails.value" => person.emails.iter().any(|email| email == value),
            "externalids.id" => person.external_ids.iter().any(|(_, id)| id == value),
            _ => false,
        };
        self.people.values().filter(has).collect()
    }

    /// The application of Redshift that a workgroup of the vendor's account is connected to.
    pub(super) fn connected_to(&self, workgroup: &str) -> Option<&RedshiftApplication> {
        let name = workgroup.rsplit('/').next().unwrap_or(workgroup);
        let arn = match self.workgroups.get(name) {
            Some(found) => self.namespaces.get(&found.namespace)?.application.as_ref(),
            None => self.other_workgroups.as_ref(),
        };
        self.redshift.get(arn?)
    }

    /// ARN for a new application.
    pub(super) fn new_application_arn(&mut self) -> String {
        self.reserved.pop_front().unwrap_or_else(|| {
            let id = Uuid::new_v4().simple().to_string();
            format!(
                "arn:aws:sso::{VENDOR_ACCOUNT}:application/{INSTANCE_ID}/apl-{}",
                &id[..16]
            )
        })
    }
}

/// The mapping's side of a token issuer, as the API shows it.
pub(super) fn shown(issuer: &TokenIssuer) -> Value {
    json!({ "OidcJwtConfiguration": {
        "IssuerUrl": issuer.url,
        "ClaimAttributePath": issuer.claim_path,
        "IdentityStoreAttributePath": issuer.store_path,
        "JwksRetrievalOption": "OPEN_ID_DISCOVERY",
    } })
}
