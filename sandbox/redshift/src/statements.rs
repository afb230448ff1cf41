//! Statements of the Data API: who owns them, how they stand, and for how long they are kept.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use sandbox_core::{Clock, Principal};
use tokio::sync::Notify;

use crate::{
    lock,
    query::{Parameters, ResultSet},
};

/// Results are kept for a day.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// Client tokens are remembered for eight hours.
const TOKENS_KEPT: SignedDuration = SignedDuration::from_hours(8);

/// Who may see a statement: the same person through the same role.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Owner {
    account: String,
    person: Option<String>,
    role: String,
}

impl Owner {
    pub(crate) fn of(principal: &Principal) -> Self {
        let role = principal.role_arn.as_ref().unwrap_or(&principal.arn);
        Self {
            account: principal.account.clone(),
            person: principal.on_behalf_of.as_ref().map(|p| p.user_id.clone()),
            role: role.clone(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Submitted,
    Started,
    Finished,
    Failed,
    Aborted,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::Started => "STARTED",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Aborted => "ABORTED",
        }
    }

    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Aborted)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Csv,
}

/// One SQL text of a statement; a batch has several.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) sql: String,
    pub(crate) status: Status,
    pub(crate) error: Option<String>,
    pub(crate) result: Option<Arc<ResultSet>>,
    /// Rows of the result, or rows changed.
    pub(crate) rows: i64,
    pub(crate) nanoseconds: i64,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

/// A statement as asked for.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) database: String,
    /// `WorkgroupName` or `ClusterIdentifier`, and its value.
    pub(crate) target: (&'static str, String),
    pub(crate) name: Option<String>,
    pub(crate) parameters: Parameters,
    pub(crate) format: Format,
    pub(crate) batch: bool,
    pub(crate) sqls: Vec<String>,
    pub(crate) with_event: bool,
    /// The user of a secret, and the secret.
    pub(crate) database_user: Option<String>,
    pub(crate) secret: Option<String>,
}

impl Request {
    /// `DbUser` and `SecretArn` of answers, where a secret is used.
    pub(crate) fn identity(&self) -> impl Iterator<Item = (&'static str, String)> {
        let user = self.database_user.clone().map(|user| ("DbUser", user));
        let secret = self.secret.clone().map(|secret| ("SecretArn", secret));
        user.into_iter().chain(secret)
    }
}

/// A statement with its state.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) id: String,
    pub(crate) owner: Owner,
    pub(crate) request: Request,
    pub(crate) status: Status,
    pub(crate) error: Option<String>,
    pub(crate) parts: Vec<Part>,
    pub(crate) number: i64,
    /// Set when the statement is cancelled; whoever runs it looks at this again and again.
    pub(crate) cancelled: Arc<AtomicBool>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// The end of what the caller may still read.
    pub(crate) expires: Timestamp,
}

#[derive(Default)]
struct Inner {
    by_id: BTreeMap<String, Statement>,
    client_tokens: HashMap<(Owner, String), (String, Timestamp)>,
    page_tokens: HashMap<String, (String, usize)>,
    /// How many requests wait for a statement.
    waiting: HashMap<String, usize>,
    submitted: i64,
}

/// All statements, in all accounts.
pub(crate) struct Statements {
    clock: Clock,
    inner: Mutex<Inner>,
    changed: Notify,
}

impl Statements {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            inner: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// The statement that this client token already made, if it is still remembered.
    pub(crate) fn made_by(&self, owner: &Owner, client_token: &str) -> Option<Statement> {
        let inner = lock(&self.inner);
        let (id, at) = inner
            .client_tokens
            .get(&(owner.clone(), client_token.to_owned()))?;
        let is_young = self.clock.now().duration_since(*at) < TOKENS_KEPT;
        is_young.then(|| inner.by_id.get(id).cloned()).flatten()
    }

    /// Writes a statement down as SUBMITTED.
    pub(crate) fn submit(
        &self,
        owner: Owner,
        request: Request,
        client_token: Option<String>,
    ) -> Statement {
        let now = self.clock.now();
        let id = uuid::Uuid::new_v4().to_string();
        let mut inner = lock(&self.inner);
        inner.submitted += 1;
        let part = |sql: &String| Part {
            sql: sql.clone(),
            status: Status::Submitted,
            error: None,
            result: None,
            rows: -1,
            nanoseconds: -1,
            created: now,
            updated: now,
        };
        let statement = Statement {
            id: id.clone(),
            owner: owner.clone(),
            status: Status::Submitted,
            error: None,
            parts: request.sqls.iter().map(part).collect(),
            request,
            number: inner.submitted,
            cancelled: Arc::default(),
            created: now,
            updated: now,
            expires: now.saturating_add(KEPT).unwrap_or(Timestamp::MAX),
        };
        inner.by_id.insert(id.clone(), statement.clone());
        if let Some(token) = client_token {
            inner.client_tokens.insert((owner, token), (id, now));
        }
        statement
    }

    /// The statement with this id, if it is the owner's and not expired.
    pub(crate) fn find(&self, owner: &Owner, id: &str) -> Option<Statement> {
        let inner = lock(&self.inner);
        let statement = inner.by_id.get(id)?;
        let visible = statement.owner == *owner && self.clock.now() < statement.expires;
        visible.then(|| statement.clone())
    }

    /// The statement with this id, whosever it is: for the event of its end.
    pub(crate) fn ended(&self, id: &str) -> Option<Statement> {
        lock(&self.inner).by_id.get(id).cloned()
    }

    /// The owner's statements, youngest first.
    pub(crate) fn list(&self, owner: &Owner) -> Vec<Statement> {
        let now = self.clock.now();
        let inner = lock(&self.inner);
        let own = inner
            .by_id
            .values()
            .filter(|s| s.owner == *owner && now < s.expires);
        let mut list: Vec<Statement> = own.cloned().collect();
        list.sort_by_key(|statement| std::cmp::Reverse(statement.number));
        list
    }

    /// Changes a statement that has not ended; false if it has.
    pub(crate) fn update(&self, id: &str, change: impl FnOnce(&mut Statement)) -> bool {
        let mut inner = lock(&self.inner);
        let now = self.clock.now();
        let Some(statement) = inner.by_id.get_mut(id).filter(|s| !s.status.is_final()) else {
            return false;
        };
        change(statement);
        statement.updated = now;
        drop(inner);
        self.changed.notify_waiters();
        true
    }

    /// Stops a statement; false if it had ended.
    pub(crate) fn abort(&self, id: &str) -> bool {
        self.update(id, |statement| {
            statement.cancelled.store(true, Ordering::SeqCst);
            statement.status = Status::Aborted;
            for part in &mut statement.parts {
                if !part.status.is_final() {
                    part.status = Status::Aborted;
                }
            }
        })
    }

    /// Waits until the statement has ended, at most this long (real time).
    pub(crate) async fn wait(&self, id: &str, at_most: Duration) {
        let ended = async {
            loop {
                let mut changed = std::pin::pin!(self.changed.notified());
                changed.as_mut().enable();
                let over = {
                    let inner = lock(&self.inner);
                    inner.by_id.get(id).is_none_or(|s| s.status.is_final())
                };
                if over {
                    return;
                }
                changed.await;
            }
        };
        // Running out of time is an answer, too: the caller reports the status as it stands.
        let _ = tokio::time::timeout(at_most, ended).await;
    }

    /// Waits as [`Self::wait`] does, unless so many wait for the statement already: then false.
    pub(crate) async fn wait_as_one_of(&self, id: &str, at_most: Duration, most: usize) -> bool {
        let Some(_place) = self.take_place(id, most) else {
            return false;
        };
        self.wait(id, at_most).await;
        true
    }

    fn take_place(&self, id: &str, most: usize) -> Option<Place<'_>> {
        let mut inner = lock(&self.inner);
        let waiting = inner.waiting.entry(id.to_owned()).or_default();
        if *waiting >= most {
            return None;
        }
        *waiting += 1;
        Some(Place {
            statements: self,
            id: id.to_owned(),
        })
    }

    /// How many statements of the owner's account have not ended.
    pub(crate) fn active(&self, owner: &Owner) -> usize {
        let inner = lock(&self.inner);
        let statements = inner.by_id.values();
        statements
            .filter(|s| s.owner.account == owner.account && !s.status.is_final())
            .count()
    }

    /// An opaque token that leads to `offset` of `scope` and of nothing else.
    pub(crate) fn page_token(&self, scope: &str, offset: usize) -> String {
        let token = uuid::Uuid::new_v4().simple().to_string();
        lock(&self.inner)
            .page_tokens
            .insert(token.clone(), (scope.to_owned(), offset));
        token
    }

    pub(crate) fn offset(&self, scope: &str, token: &str) -> Option<usize> {
        let inner = lock(&self.inner);
        let (of, offset) = inner.page_tokens.get(token)?;
        (of == scope).then_some(*offset)
    }
}

/// A place among those who wait for a statement; given up when dropped.
struct Place<'a> {
    statements: &'a Statements,
    id: String,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut inner = lock(&self.statements.inner);
        if let Some(waiting) = inner.waiting.get_mut(&self.id) {
            *waiting = waiting.saturating_sub(1);
            if *waiting == 0 {
                inner.waiting.remove(&self.id);
            }
        }
    }
}
