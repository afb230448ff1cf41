//! Redshift for the sandbox: the Data API over SQLite, with roles, column privileges and row-level
//! security per user, and statements that only their owner sees.
//!
//! An end user arrives with an identity-enhanced session (`Principal::on_behalf_of`) and is
//! `AWSIDC:<user name>` in the database, with the role `AWSIDC:<group>` of each of its groups that
//! has one. IAM users and root are the superuser. A role session without a person is refused: the
//! sandbox's functions have no `redshift-serverless:GetCredentials`.
//!
//! An IAM user or a role session may name a `SecretArn`: whether the caller may read the secret is
//! decided by `sandbox/aws` before the call gets here; the user in it must exist with that password,
//! and the statement has that user's rights and no more. It belongs to the account and the role.
//!
//! Every statement of a user runs on a private copy of what the user may see (`scratch`); UPDATE,
//! DELETE and MERGE find their rows there and change only those. COPY reads S3 under the role that it
//! names: the role must trust Redshift and may list and get; whether the role is associated with the
//! namespace and whether the user may assume it (ASSUMEROLE) is not asked.
//!
//! # What is assumed
//!
//! AWS says (Database Developer Guide, *RLS policy ownership and management*, *Considerations and
//! limitations using RLS policies*, *ATTACH RLS POLICY*): policies apply to SELECT, UPDATE and DELETE,
//! not to INSERT, COPY and TRUNCATE; they attach to tables, views and materialized views, and to no
//! policy's lookup table and no base table of a materialized view. Not confirmed anywhere:
//!
//! * Through a view the **asking** user's policies filter the tables below, while the privileges on
//!   them are the view's owner's. (PostgreSQL would apply the owner's policies.)
//! * `CREATE MATERIALIZED VIEW` over a protected table is refused, since the reverse order is.
//! * `REFRESH MATERIALIZED VIEW` is for the view's owner and superusers; `ALTER TABLE ... OWNER TO`
//!   makes an owner of a materialized view, too. Owners are subject to the policies.
//! * The views of row-level security and of roles are denied to users; `svv_user_grants` shows users
//!   their own.
//! * Which error a Data API call has whose secret is missing (`ResourceNotFoundException`) or whose
//!   password is wrong (`ExecuteStatementException`, `DatabaseConnectionException` for lists).
//! * The texts of a statement that took too long, and of a load that failed.
//! * How many requests may wait for one statement (100), and how pages are cut (1 MB; 1000 rows).
//!
//! # What differs
//!
//! On purpose and never silently: DECIMAL keeps 15 significant digits (more is refused); sessions
//! (`SessionKeepAliveSeconds`), user-defined functions, procedures, masking policies, late-binding
//! views, policies on plain views, grants with options, CREATE privileges and `DbUser` are refused.
//! Users, roles and policies belong to one database here, and to the whole namespace there.

mod admin;
mod api;
mod catalog;
mod decimal;
mod error;
mod functions;
mod limits;
mod loads;
mod query;
mod reader;
mod rls;
mod scratch;
mod sql;
mod statements;
mod system;
mod trail;
mod types;
mod warehouse;
mod write;

pub use limits::Limits;
pub use loads::{ObjectsAsked, ReadObjects};

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use sandbox_core::{AccountServices, AwsCall, AwsReply, AwsService, BoxFuture, Clock};

use serde_json::Value;

use crate::{
    catalog::{Actor, PUBLIC_SCHEMA},
    error::SqlError,
    query::{Parameters, Stop, Terms},
    statements::Statements,
    trail::Trail,
    warehouse::{Outcome, Warehouse},
};

/// Databases by account and name.
type Databases = BTreeMap<(String, String), Arc<Mutex<Warehouse>>>;

/// The warehouse of every account, behind the Data API. Requests are written into the journal by the
/// endpoint before it; what CloudTrail would keep is in [`Redshift::trail`].
#[derive(Clone)]
pub struct Redshift {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    databases: Mutex<Databases>,
    statements: Statements,
    limits: Mutex<Limits>,
    trail: Trail,
    services: OnceLock<Arc<dyn AccountServices>>,
    objects: OnceLock<ReadObjects>,
    default_role: OnceLock<String>,
}

impl Redshift {
    /// An empty warehouse. Results, statements and client tokens age by the clock.
    pub fn new(clock: Clock) -> Self {
        Self {
            inner: Arc::new(Inner {
                statements: Statements::new(clock.clone()),
                clock,
                databases: Mutex::default(),
                limits: Mutex::default(),
                trail: Trail::default(),
                services: OnceLock::new(),
                objects: OnceLock::new(),
                default_role: OnceLock::new(),
            }),
        }
    }

    /// Rows in a page of results from now on; at least one. The real service has no such setting,
    /// it cuts pages by size.
    pub fn set_page_rows(&self, rows: usize) {
        self.adjust(|limits| limits.page_rows = rows.max(1));
    }

    /// How long statements may run from now on (real time), as `max_query_execution_time` says.
    pub fn set_statement_timeout(&self, time: Option<Duration>) {
        self.adjust(|limits| limits.statement_time = time);
    }

    /// Changes limits from now on.
    pub fn adjust(&self, change: impl FnOnce(&mut Limits)) {
        change(&mut lock(&self.inner.limits));
    }

    /// The other services of the accounts: events of statements with `WithEvent` go there, and
    /// secrets come from there. Without it both are refused. Only the first call has an effect.
    pub fn connect_services(&self, services: Arc<dyn AccountServices>) {
        // A second sink would split the events between two readers.
        let _ = self.inner.services.set(services);
    }

    /// How COPY reads objects. Without it COPY is refused. Only the first call has an effect.
    pub fn connect_objects(&self, read: ReadObjects) {
        let _ = self.inner.objects.set(read);
    }

    /// The role of `IAM_ROLE default`. Only the first call has an effect.
    pub fn set_default_role(&self, role_arn: &str) {
        let _ = self.inner.default_role.set(role_arn.to_owned());
    }

    /// ARN of the directory that people come from, for [`Redshift::trail`]. Only the first call has
    /// an effect.
    pub fn set_identity_store(&self, arn: &str) {
        let _ = self.inner.trail.identity_store.set(arn.to_owned());
    }

    /// What CloudTrail would have of the Data API's calls, oldest first: `eventName`,
    /// `userIdentity.onBehalfOf` with `userId` and `identityStoreArn`, the role, the statement's id.
    pub fn trail(&self) -> Vec<Value> {
        self.inner.trail.records()
    }

    /// Runs a script as the superuser, all of it or nothing, and answers how many rows it changed.
    /// The database is made if it is not there. `Err` is Redshift's error text.
    pub fn execute_as_admin(
        &self,
        account: &str,
        database: &str,
        sql: &str,
    ) -> Result<u64, String> {
        let warehouse = self.inner.create(account, database).map_err(text)?;
        lock(&warehouse).script(sql).map_err(text)
    }

    /// Runs one query as the superuser, whom row-level security does not concern; every value is
    /// text as the Data API would show it. For oracles in tests.
    pub fn query_as_admin(
        &self,
        account: &str,
        database: &str,
        sql: &str,
    ) -> Result<Vec<Vec<Option<String>>>, String> {
        let warehouse = self.inner.database(account, database).map_err(text)?;
        let tokens = sql::token::statements(&sql::token::tokenise(sql).map_err(text)?);
        let [statement] = tokens.as_slice() else {
            return Err("ERROR: one query is expected".to_owned());
        };
        let terms = Terms {
            parameters: &Parameters::new(),
            stop: &Stop::default(),
            most_bytes: usize::MAX,
        };
        let outcome = lock(&warehouse).run(&Actor::Superuser, statement, terms, &write::no_loads);
        match outcome.map_err(text)? {
            Outcome::Rows(set) => {
                let row = |row: &Vec<query::Cell>| row.iter().map(query::Cell::text).collect();
                Ok(set.rows.iter().map(row).collect())
            }
            Outcome::Changed(_) => Err("ERROR: the statement has no result set".to_owned()),
        }
    }

    /// Appends rows to `schema.table` (or `table` of `public`) as a load does: all or none, text
    /// coerced to the columns' types. `Err` is Redshift's error text.
    pub fn insert_rows(
        &self,
        account: &str,
        database: &str,
        table: &str,
        columns: &[String],
        rows: &[Vec<Option<String>>],
    ) -> Result<u64, String> {
        let warehouse = self.inner.database(account, database).map_err(text)?;
        let name = table.replace('"', "").to_lowercase();
        let (schema, table) = name.split_once('.').unwrap_or((PUBLIC_SCHEMA, &name));
        lock(&warehouse)
            .insert(schema, table, columns, rows)
            .map_err(text)
    }
}

impl Inner {
    fn limits(&self) -> Limits {
        lock(&self.limits).clone()
    }

    /// An existing database.
    fn database(&self, account: &str, name: &str) -> Result<Arc<Mutex<Warehouse>>, SqlError> {
        lock(&self.databases)
            .get(&(account.to_owned(), name.to_owned()))
            .cloned()
            .ok_or_else(|| SqlError::NoDatabase(name.to_owned()))
    }

    fn create(&self, account: &str, name: &str) -> Result<Arc<Mutex<Warehouse>>, SqlError> {
        let key = (account.to_owned(), name.to_owned());
        let mut databases = lock(&self.databases);
        if let Some(found) = databases.get(&key) {
            return Ok(Arc::clone(found));
        }
        let made = Arc::new(Mutex::new(Warehouse::new(name, &self.clock)?));
        databases.insert(key, Arc::clone(&made));
        Ok(made)
    }

    fn database_names(&self, account: &str) -> Vec<String> {
        let databases = lock(&self.databases);
        let own = databases.keys().filter(|(owner, _)| owner == account);
        own.map(|(_, name)| name.clone()).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::needless_pass_by_value, reason = "used as map_err(text)")]
fn text(error: SqlError) -> String {
    error.to_string()
}

impl AwsService for Redshift {
    fn signing_names(&self) -> &'static [&'static str] {
        &["redshift-data"]
    }

    fn handle(&self, call: AwsCall) -> BoxFuture<'_, AwsReply> {
        Box::pin(api::handle(Arc::clone(&self.inner), call))
    }
}
