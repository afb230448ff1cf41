//! Keys of the one table. The list in `docs/ARCHITECTURE.md` is this file.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    id::{
        AccountId, AttemptId, ConnectionId, FlowId, OperationId, RunId, SubscriptionId, TenantId,
    },
    limit::{Class, Party},
    query::QueryName,
    run::RunStatus,
};

/// Partition and sort key of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

impl Key {
    /// A key from its parts, for the constructors of other modules.
    pub(crate) fn raw(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            sk: sk.into(),
        }
    }

    /// The partition that holds a tenant's things.
    pub fn tenant_partition(tenant: TenantId) -> String {
        format!("TENANT#{tenant}")
    }

    /// The partition that holds a flow's runs.
    pub fn runs_partition(tenant: TenantId, flow: FlowId) -> String {
        format!("TENANT#{tenant}#FLOW#{flow}")
    }

    /// The partition of the operator's list of tenants.
    pub fn operator_partition() -> String {
        "OPERATOR".to_owned()
    }

    /// A tenant, in the operator's list.
    pub fn tenant(tenant: TenantId) -> Self {
        Self::raw(Self::operator_partition(), format!("TENANT#{tenant}"))
    }

    /// How far a tenant's offboarding is, and what it came to; kept for ever.
    pub fn offboarding(tenant: TenantId) -> Self {
        Self::raw(Self::operator_partition(), format!("OFFBOARDING#{tenant}"))
    }

    /// What the sort keys of the things that an offboarding met begin with.
    pub fn offboarded_prefix(tenant: TenantId) -> String {
        format!("OFFBOARDED#{tenant}#")
    }

    /// What became of one thing in an offboarding.
    pub fn offboarded(tenant: TenantId, kind: &str, name: &str) -> Self {
        let sk = format!("{}{kind}#{name}", Self::offboarded_prefix(tenant));
        Self::raw(Self::operator_partition(), sk)
    }

    /// Which tenant a subject of the identity provider belongs to.
    pub fn subject(subject: &str) -> Self {
        Self::raw(format!("SUBJECT#{subject}"), "MEMBER")
    }

    /// A member, in the tenant's list.
    pub fn member(tenant: TenantId, subject: &str) -> Self {
        Self::raw(Self::tenant_partition(tenant), format!("MEMBER#{subject}"))
    }

    /// An AWS account of a tenant.
    pub fn account(tenant: TenantId, account: AccountId) -> Self {
        Self::raw(Self::tenant_partition(tenant), format!("ACCOUNT#{account}"))
    }

    /// What the sort keys of an account's reports begin with.
    pub fn account_reports(account: AccountId) -> String {
        format!("REPORT#{account}#")
    }

    /// The report of an account's verification at a time; they sort by it.
    pub fn account_report(tenant: TenantId, account: AccountId, at: jiff::Timestamp) -> Self {
        let sk = format!(
            "{}{:020}",
            Self::account_reports(account),
            at.as_millisecond()
        );
        Self::raw(Self::tenant_partition(tenant), sk)
    }

    /// Guard that a tenant has an AWS account once.
    pub fn aws_account(tenant: TenantId, aws_account: &str) -> Self {
        Self::raw(
            Self::tenant_partition(tenant),
            format!("AWSACCOUNT#{aws_account}"),
        )
    }

    /// A connection of a tenant.
    pub fn connection(tenant: TenantId, connection: ConnectionId) -> Self {
        Self::raw(
            Self::tenant_partition(tenant),
            format!("CONNECTION#{connection}"),
        )
    }

    /// What the sort keys of revocations begin with.
    pub const REVOCATIONS: &str = "REVOCATION#";

    /// A grant of a connection's generation that must still be ended at its provider.
    pub fn revocation(tenant: TenantId, connection: ConnectionId, generation: u64) -> Self {
        let sk = format!("{}{connection}#{generation:020}", Self::REVOCATIONS);
        Self::raw(Self::tenant_partition(tenant), sk)
    }

    /// What the sort keys of re-wrapping begin with.
    pub const REWRAPS: &str = "REWRAP#";

    /// How far one shard of the re-wrapping of sealed texts is.
    pub fn rewrap(shard: u32) -> Self {
        let sk = format!("{}{shard:03}", Self::REWRAPS);
        Self::raw(Self::operator_partition(), sk)
    }

    /// Mark that a failed run asked for a refresh of a connection, for as long as the mark lasts.
    pub fn refresh_asked(tenant: TenantId, connection: ConnectionId) -> Self {
        Self::raw(
            Self::tenant_partition(tenant),
            format!("REFRESHASKED#{connection}"),
        )
    }

    /// What of the vendor's warehouse a tenant's flows in the vendor's account may load.
    pub fn warehouse(tenant: TenantId) -> Self {
        Self::raw(Self::tenant_partition(tenant), "WAREHOUSE")
    }

    /// A tenant's own app at a provider.
    pub fn oauth_app(tenant: TenantId, provider: &str) -> Self {
        Self::raw(
            Self::tenant_partition(tenant),
            format!("OAUTHAPP#{provider}"),
        )
    }

    /// A flow of a tenant.
    pub fn flow(tenant: TenantId, flow: FlowId) -> Self {
        Self::raw(Self::tenant_partition(tenant), format!("FLOW#{flow}"))
    }

    /// The gate before the token endpoint of a provider's host, for one app.
    pub fn gate(provider: &str, app_owner: &str, host: &str) -> Self {
        Self::raw(format!("GATE#{provider}#{app_owner}#{host}"), "GATE")
    }

    /// When an account's flows are looked at in AppFlow again, and what was counted there.
    pub fn watch(tenant: TenantId, account: AccountId) -> Self {
        Self::raw(Self::tenant_partition(tenant), format!("WATCH#{account}"))
    }

    /// An operation that goes on after its request was answered.
    pub fn operation(tenant: TenantId, operation: OperationId) -> Self {
        Self::raw(
            Self::tenant_partition(tenant),
            format!("OPERATION#{operation}"),
        )
    }

    /// An event that verification sent through an AWS account, by the hash of its nonce.
    pub fn event_probe(aws_account: &str, unhashed_nonce: &str) -> Self {
        Self::raw(
            format!("EVENTPROBE#{aws_account}#{}", sha256_hex(unhashed_nonce)),
            "EVENTPROBE",
        )
    }

    /// How many connector profiles an AWS account has in a Region, over all tenants.
    pub fn headroom(aws_account: &str, region: &str) -> Self {
        Self::raw(format!("HEADROOM#{aws_account}#{region}"), "HEADROOM")
    }

    /// Whose flow an AppFlow flow is.
    pub fn flow_name(aws_account: &str, flow_name: &str) -> Self {
        Self::raw(format!("FLOWNAME#{aws_account}#{flow_name}"), "FLOW")
    }

    /// A run of a flow.
    pub fn run(tenant: TenantId, flow: FlowId, run: RunId) -> Self {
        Self::raw(Self::runs_partition(tenant, flow), format!("RUN#{run}"))
    }

    /// The partition of the lists of a tenant's runs, over all flows.
    pub fn listed_runs_partition(tenant: TenantId) -> String {
        format!("{}#RUNS", Self::tenant_partition(tenant))
    }

    /// What the sort keys of a list of runs begin with: of those in a status, or of all.
    pub const fn listed_runs(status: Option<RunStatus>) -> &'static str {
        match status {
            None => "RUN#",
            Some(RunStatus::Queued) => "QUEUED#",
            Some(RunStatus::Running) => "RUNNING#",
            Some(RunStatus::Completed) => "COMPLETED#",
            Some(RunStatus::Failed) => "FAILED#",
            Some(RunStatus::Cancelled) => "CANCELLED#",
        }
    }

    /// A run, in a list of its tenant's runs.
    pub fn listed_run(tenant: TenantId, status: Option<RunStatus>, run: RunId) -> Self {
        Self::raw(
            Self::listed_runs_partition(tenant),
            format!("{}{run}", Self::listed_runs(status)),
        )
    }

    /// The sort key at which the runs that began then, or later, begin in a list.
    pub fn run_since(status: Option<RunStatus>, began: jiff::Timestamp) -> String {
        let milliseconds = began.as_millisecond().clamp(0, (1 << 48) - 1);
        format!(
            "{}{}_{milliseconds:012x}",
            Self::listed_runs(status),
            RunId::PREFIX
        )
    }

    /// Which run an AppFlow execution is.
    pub fn execution(tenant: TenantId, flow: FlowId, execution_id: &str) -> Self {
        Self::raw(
            Self::runs_partition(tenant, flow),
            format!("EXEC#{execution_id}"),
        )
    }

    /// Guard that a flow's deactivation at one time is notified once.
    pub fn deactivation(tenant: TenantId, flow: FlowId, at: jiff::Timestamp) -> Self {
        Self::raw(
            Self::runs_partition(tenant, flow),
            format!("DEACTIVATED#{at}"),
        )
    }

    /// The partition of notifications that are decided and not published yet.
    pub fn outbox_partition() -> String {
        "OUTBOX".to_owned()
    }

    /// A notification that is decided and not published yet.
    pub fn outbox(event_id: &str) -> Self {
        Self::raw(Self::outbox_partition(), event_id)
    }

    /// The partition of the events that were decided for a tenant.
    pub fn events_partition(tenant: TenantId) -> String {
        format!("{}#EVENTS", Self::tenant_partition(tenant))
    }

    /// An event that was decided for a tenant.
    pub fn event(tenant: TenantId, event_id: &str) -> Self {
        Self::raw(Self::events_partition(tenant), format!("ID#{event_id}"))
    }

    /// That an event happened at a time, for lists.
    pub fn event_at(tenant: TenantId, at: jiff::Timestamp, event_id: &str) -> Self {
        Self::raw(
            Self::events_partition(tenant),
            format!("AT#{:015}#{event_id}", at.as_millisecond()),
        )
    }

    /// What the sort keys of subscriptions begin with.
    pub const SUBSCRIPTIONS: &'static str = "SUBSCRIPTION#";

    /// A subscription of a tenant.
    pub fn subscription(tenant: TenantId, subscription: SubscriptionId) -> Self {
        Self::raw(
            Self::tenant_partition(tenant),
            format!("{}{subscription}", Self::SUBSCRIPTIONS),
        )
    }

    /// Guard that a target of the topic belongs to one subscription of one tenant.
    pub fn subscription_target(target: &str) -> Self {
        Self::raw(format!("SUBTARGET#{}", sha256_hex(target)), "SUBTARGET")
    }

    /// The partition of a subscription's deliveries.
    pub fn deliveries_partition(tenant: TenantId, subscription: SubscriptionId) -> String {
        format!("{}#{subscription}", Self::tenant_partition(tenant))
    }

    /// A delivery of an event to a subscription.
    pub fn delivery(
        tenant: TenantId,
        subscription: SubscriptionId,
        event_time: jiff::Timestamp,
        event_id: &str,
    ) -> Self {
        Self::raw(
            Self::deliveries_partition(tenant, subscription),
            format!("DELIVERY#{:015}#{event_id}", event_time.as_millisecond()),
        )
    }

    /// What the sort keys of a flow's incidents begin with.
    pub const INCIDENTS: &'static str = "INCIDENT#";

    /// Something that happened to a flow besides its runs.
    pub fn incident(tenant: TenantId, flow: FlowId, at: jiff::Timestamp, kind: &str) -> Self {
        Self::raw(
            Self::runs_partition(tenant, flow),
            format!("INCIDENT#{:015}#{kind}", at.as_millisecond()),
        )
    }

    /// A consent's start link, by the hash of its token.
    pub fn start_link(unhashed_token: &str) -> Self {
        Self::raw(format!("START#{}", sha256_hex(unhashed_token)), "START")
    }

    /// An invitation to consent, by the hash of its token.
    pub fn invitation(unhashed_token: &str) -> Self {
        Self::raw(format!("INVITE#{}", sha256_hex(unhashed_token)), "INVITE")
    }

    /// A connect token, by its hash.
    pub fn connect_token(unhashed_token: &str) -> Self {
        Self::raw(
            format!("CONNECTTOKEN#{}", sha256_hex(unhashed_token)),
            "CONNECTTOKEN",
        )
    }

    /// The grant of a connection that waits for a confirmation.
    pub fn candidate(tenant: TenantId, connection: ConnectionId) -> Self {
        Self::raw(
            Self::tenant_partition(tenant),
            format!("CANDIDATE#{connection}"),
        )
    }

    /// An attempt to get a consent for a connection.
    pub fn attempt(tenant: TenantId, connection: ConnectionId, attempt: AttemptId) -> Self {
        Self::raw(
            Self::tenant_partition(tenant),
            format!("ATTEMPT#{connection}#{attempt}"),
        )
    }

    /// The partition of the connections that one person at a provider granted, over all tenants.
    pub fn grantor_partition(provider: &str, org: &str, user: &str) -> String {
        format!(
            "GRANTOR#{}",
            sha256_hex(&format!("{provider}\n{org}\n{user}"))
        )
    }

    /// A connection, in the list of its grantor.
    pub fn grantor(partition: &str, connection: ConnectionId) -> Self {
        Self::raw(partition, format!("GRANTED#{connection}"))
    }

    /// A consent under way, by the hash of its state.
    pub fn consent(unhashed_state: &str) -> Self {
        Self::raw(format!("STATE#{}", sha256_hex(unhashed_state)), "STATE")
    }

    /// A sign-in under way, by the hash of its state.
    pub fn login(unhashed_state: &str) -> Self {
        Self::raw(format!("LOGIN#{}", sha256_hex(unhashed_state)), "LOGIN")
    }

    /// A sign-in session, by the hash of its cookie.
    pub fn session(unhashed_cookie: &str) -> Self {
        Self::raw(
            format!("SESSION#{}", sha256_hex(unhashed_cookie)),
            "SESSION",
        )
    }

    /// Guard that an ID token is exchanged once.
    pub fn token_use(issuer: &str, jti: &str) -> Self {
        Self::raw(
            format!("JTI#{}", sha256_hex(&format!("{issuer}\n{jti}"))),
            "JTI",
        )
    }

    /// How much a party did lately. No tenant's own item: it is looked at before anything else is done
    /// for the tenant.
    pub fn limit(party: &Party, class: Class) -> Self {
        Self::raw(format!("LIMIT#{party}"), class.name())
    }

    /// Mark that a sign-in has ended before its tokens do.
    pub fn ended_sign_in(issuer: &str, login_id: &str) -> Self {
        let hash = sha256_hex(&format!("{issuer}\n{login_id}"));
        Self::raw(format!("ENDED#SIGNIN#{hash}"), "ENDED")
    }

    /// Mark that a person's tokens up to an instant have ended.
    pub fn ended_person(issuer: &str, subject: &str) -> Self {
        let hash = sha256_hex(&format!("{issuer}\n{subject}"));
        Self::raw(format!("ENDED#PERSON#{hash}"), "ENDED")
    }

    /// What the sort keys of a tenant's registered queries begin with.
    pub const REGISTERED_QUERIES: &'static str = "RQUERY#";

    /// A user's warehouse session.
    pub fn user_session(
        tenant: TenantId,
        issuer: &str,
        subject: &str,
        login: &str,
        role_arn: &str,
    ) -> Self {
        let user = sha256_hex(&format!("{issuer}\n{subject}\n{login}\n{role_arn}"));
        Self::raw(
            Self::tenant_partition(tenant),
            format!("USERSESSION#{user}"),
        )
    }

    /// A registered query.
    pub fn registered_query(tenant: TenantId, name: &QueryName) -> Self {
        Self::raw(
            Self::tenant_partition(tenant),
            format!("{}{name}", Self::REGISTERED_QUERIES),
        )
    }

    /// What the sort keys of a user's queries begin with. The role belongs to the user: what was run
    /// under another is another's.
    pub fn query_log(issuer: &str, subject: &str, role_arn: &str) -> String {
        let user = sha256_hex(&format!("{issuer}\n{subject}\n{role_arn}"));
        format!("QUERYLOG#{user}#")
    }

    /// A statement that a user ran, below the user's [`Key::query_log`].
    pub fn logged_query(
        tenant: TenantId,
        log: &str,
        at: jiff::Timestamp,
        unhashed_statement: &str,
    ) -> Self {
        let sk = format!(
            "{log}{:020}#{}",
            at.as_millisecond(),
            sha256_hex(unhashed_statement)
        );
        Self::raw(Self::tenant_partition(tenant), sk)
    }

    /// Mark that the directory behind the warehouse did not know a user.
    pub fn identity_refusal(tenant: TenantId, issuer: &str, subject: &str) -> Self {
        let user = sha256_hex(&format!("{issuer}\n{subject}"));
        Self::raw(
            Self::tenant_partition(tenant),
            format!("IDENTITYREFUSAL#{user}"),
        )
    }

    /// An idempotency record of a caller. `scope` is the tenant's partition or the operator's.
    pub fn idempotency(scope: &str, operation: &str, subject: &str, unhashed_key: &str) -> Self {
        let hash = sha256_hex(&format!("{subject}\n{unhashed_key}"));
        Self::raw(scope, format!("IDEM#{operation}#{hash}"))
    }

    /// The key as DynamoDB has it.
    pub fn to_item(&self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk.clone())),
            ("sk".to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }
}

/// SHA-256 of a text, as lower-case hexadecimal digits.
pub fn sha256_hex(text: &str) -> String {
    use std::fmt::Write as _;
    digest(&SHA256, text.as_bytes()).as_ref().iter().fold(
        String::with_capacity(64),
        |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_keys_are_hashed() {
        let key = Key::session("cookie-value");
        assert!(!key.pk.contains("cookie-value"));
        assert_eq!(key, Key::session("cookie-value"));
        assert_ne!(key, Key::session("cookie-valuf"));
    }

    #[test]
    fn sha256_is_the_standard_one() {
        assert_eq!(
            sha256_hex("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
