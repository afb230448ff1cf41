//! The session that a request works with.

use jiff::Timestamp;
use tributary::error::Error;

use super::{Session, TenantSessions, User};

/// A user's session for the time of a request. It can be replaced when the warehouse says that it
/// has ended, although it should not have.
#[derive(Debug, Clone)]
pub struct Current {
    session: Session,
    sessions: TenantSessions,
    user: User,
}

impl TenantSessions {
    /// The user's session, renewed if it ends soon. Without one the user is asked to establish it.
    pub async fn current(&self, user: &User) -> Result<Current, Error> {
        Ok(Current {
            session: self.usable(user).await?,
            sessions: self.clone(),
            user: user.clone(),
        })
    }
}

impl Current {
    /// The credentials.
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// Until when the credentials hold.
    pub const fn valid_until(&self) -> Timestamp {
        self.session.valid_until
    }

    /// The session in place of these credentials, which AWS takes no more: another's renewal, or one
    /// made now.
    pub async fn replaced(&self, refused: &Session) -> Result<Session, Error> {
        self.sessions.replace(&self.user, refused).await
    }
}
