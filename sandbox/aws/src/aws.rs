//! The endpoint's state, and the way of a request through it.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use http::StatusCode;
use sandbox_core::{AwsCall, AwsReply, AwsService, Canaries, Faults, Journal, Principal};

use crate::{
    Credentials, ExpectedDenial, IdentityCenter, Role, RoleRefused, RoleUnderTest,
    authorize::{Need, Watch},
    borrowed::Borrowed,
    credentials::Registry,
    iam::Roles,
    identity_center::{self, Directory},
    key_schemas::KeySchemas,
    refusal::Protocol,
    sts,
};

/// What the endpoint shares with the other stand-ins.
#[derive(Debug, Clone, Default)]
pub struct AwsOptions {
    /// Faults on demand, by signing name and operation.
    pub faults: Faults,
    /// Where every request is written down.
    pub journal: Journal,
    /// Where every issued secret is written down.
    pub canaries: Canaries,
}

/// AWS on loopback: all accounts behind one endpoint.
pub struct Aws {
    pub(crate) options: AwsOptions,
    pub(crate) credentials: Registry,
    pub(crate) identity: Directory,
    pub(crate) borrowed: Borrowed,
    pub(crate) address: OnceLock<SocketAddr>,
    pub(crate) key_schemas: KeySchemas,
    pub(crate) watch: Watch,
    /// Keys of encrypted queues and topics, by their ARN.
    encryption: RwLock<BTreeMap<String, String>>,
    pub(crate) roles: Roles,
    services: RwLock<BTreeMap<&'static str, Arc<dyn AwsService>>>,
}

impl std::fmt::Debug for Aws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aws")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Aws {
    /// An endpoint with STS, Identity Center and the borrowed services, without accounts or roles.
    pub fn new(options: AwsOptions) -> Arc<Self> {
        Arc::new(Self {
            credentials: Registry::new(options.canaries.clone()),
            identity: Directory::new(options.canaries.clone()),
            borrowed: Borrowed::default(),
            address: OnceLock::new(),
            key_schemas: KeySchemas::default(),
            watch: Watch::new(),
            encryption: RwLock::default(),
            roles: Roles::default(),
            services: RwLock::default(),
            options,
        })
    }

    /// Adds a service. It answers all requests that are signed for one of its names, also where
    /// a borrowed service would.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a registered service is handed over, not lent"
    )]
    pub fn register(&self, service: Arc<dyn AwsService>) {
        let mut services = self
            .services
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for name in service.signing_names() {
            services.insert(name, Arc::clone(&service));
        }
    }

    /// Tells where the endpoint listens, so that queue URLs point there. [`Aws::serve`] does this
    /// itself; call it first when queues are created before.
    pub fn announce(&self, address: SocketAddr) {
        // The first address stays: URLs that were given out must remain good.
        let _ = self.address.set(address);
    }

    /// Creates or replaces a role. Its permissions are not counted: it is no template's.
    pub fn put_role(&self, role: Role) {
        self.watch.forget(&role.arn);
        self.roles.put(role);
    }

    /// Creates or replaces a role as a template has it, and counts which of its permissions are used
    /// and which are missing (see [`crate::record_permissions`]).
    pub fn put_template_role(&self, role: Role, under_test: RoleUnderTest) {
        self.watch
            .watch(&role.arn, under_test, &role.identity_policies);
        self.roles.put(role);
    }

    /// Announces that a test makes a template's role ask for what it may not.
    pub fn expect_denial(&self, denial: ExpectedDenial) {
        self.watch.expect(denial);
    }

    /// Makes a queue or topic encrypted: who uses it needs the key, too.
    pub fn encrypt(&self, resource_arn: &str, key_arn: &str) {
        self.encryption
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(resource_arn.to_owned(), key_arn.to_owned());
    }

    /// What the use of a queue or topic needs of KMS, if it is encrypted.
    pub(crate) fn encrypted(&self, resource_arn: &str, operations: &[&str]) -> Vec<Need> {
        let keys = self
            .encryption
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(key) = keys.get(resource_arn) else {
            return Vec::new();
        };
        let part = |at: usize| resource_arn.split(':').nth(at).unwrap_or_default();
        let service = format!("{}.{}.amazonaws.com", part(2), part(3));
        let bound = if part(2) == "sns" {
            "aws:sns:topicArn"
        } else {
            "aws:sqs:arn"
        };
        let need = |operation: &&str| {
            Need::new(&format!("kms:{operation}"), key)
                .key("kms:ViaService", [service.clone()])
                .key("kms:EncryptionContextKeys", [bound.to_owned()])
                .key(
                    &format!("kms:EncryptionContext:{bound}"),
                    [resource_arn.to_owned()],
                )
        };
        operations.iter().map(need).collect()
    }

    /// Deletes a role; its sessions end. Answers whether it existed.
    pub fn delete_role(&self, arn: &str) -> bool {
        self.credentials.revoke_role(arn);
        self.roles.delete(arn)
    }

    /// A role by ARN.
    pub fn role(&self, arn: &str) -> Option<Role> {
        self.roles.get(arn).map(|role| Role::clone(&role))
    }

    /// Long-lived credentials of an account's administrator.
    pub fn admin_credentials(&self, account: &str) -> Credentials {
        self.credentials.admin(account).credentials
    }

    /// The administrator of an account, for calls within the process.
    pub fn admin(&self, account: &str) -> Principal {
        self.credentials.admin(account).principal
    }

    /// Assumes a function's role as the Lambda service does: the role's trust policy must name
    /// `lambda.amazonaws.com`.
    pub fn assume_for_function(
        &self,
        role_arn: &str,
        session_name: &str,
    ) -> Result<Credentials, RoleRefused> {
        sts::assume_as_service(self, "lambda.amazonaws.com", role_arn, session_name)
    }

    /// Whether Redshift may act under a role, as a COPY names it: the role's trust policy must name
    /// `redshift-serverless.amazonaws.com` or `redshift.amazonaws.com`.
    pub fn assume_for_warehouse(&self, role_arn: &str) -> Result<(), RoleRefused> {
        let services = ["redshift-serverless", "redshift"];
        let assume = |service| {
            let service = format!("{service}.amazonaws.com");
            sts::assume_as_service(self, &service, role_arn, "copy").map(drop)
        };
        let [serverless, provisioned] = services.map(assume);
        serverless.or(provisioned)
    }

    /// Ends the life of temporary credentials now, as if their time had come.
    pub fn expire_credentials(&self, access_key_id: &str) {
        self.credentials.expire(access_key_id);
    }

    /// Ends the life of all sessions that carry this person of the directory, and answers how many
    /// there were.
    pub fn expire_sessions_of(&self, user_id: &str) -> usize {
        self.credentials.expire_person(user_id)
    }

    /// The session policy that an access key was issued with.
    pub fn session_policy(&self, access_key_id: &str) -> Option<String> {
        self.credentials.session(access_key_id)?.policy
    }

    /// Fills Identity Center with a working set-up in place of whatever is there; tokens that were
    /// issued stay.
    pub fn configure_identity_center(&self, configuration: IdentityCenter) {
        self.identity.configure(configuration);
    }

    /// Tells which ARN the next application gets that an administrator makes in Identity Center: a stack
    /// that was resolved with it waits for the application.
    pub fn reserve_application(&self, arn: &str) {
        self.identity.reserve_application(arn);
    }

    /// Ends every session with an application of Identity Center, as if its eight hours were over.
    pub fn end_identity_center_sessions(&self) {
        self.identity.end_sessions();
    }

    /// Answers a request whose signer is known: no faults, no journal.
    pub async fn dispatch(&self, call: AwsCall) -> AwsReply {
        let call = match call.service.as_str() {
            "redshift-data" => match identity_center::admit(self, call) {
                Ok(call) => call,
                Err(refused) => return *refused,
            },
            _ => call,
        };
        let registered = self
            .services
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(call.service.as_str())
            .cloned();
        if let Some(service) = registered {
            return service.handle(call).await;
        }
        if let Some(reply) = identity_center::handle(self, &call).await {
            return reply;
        }
        match call.service.as_str() {
            "sts" => sts::handle(self, &call),
            _ => match self.borrowed.handle(&call, self.address.get()).await {
                Some(reply) => reply,
                None => Protocol::of(Some(&call.service), &call.headers).error(
                    StatusCode::BAD_REQUEST,
                    "UnknownOperationException",
                    &format!("no service is signed for as {}", call.service),
                ),
            },
        }
    }
}
