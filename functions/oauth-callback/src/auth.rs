//! Sign-in of people (`/auth/*`).

pub(crate) mod callback;
pub(crate) mod login;
pub(crate) mod logout;
mod refresh;
pub(crate) mod token;

use serde::{Deserialize, Serialize};
use tributary::vault::Sealed;

use crate::return_to::ReturnTo;

/// What binds the cookie's and the item's names together.
const KIND: &str = "login";
/// How long a person may take to sign in.
const TRANSACTION_SECONDS: i64 = 600;

/// A sign-in under way, kept under the hash of its state.
#[derive(Debug, Serialize, Deserialize)]
struct LoginState {
    /// Verifier and nonce, sealed.
    sealed: Sealed,
    /// SHA-256 of the transaction cookie.
    cookie_hash: String,
    return_to: ReturnTo,
    /// Epoch seconds.
    expires_at: i64,
}
