//! OAuth: the authorization-code grant with PKCE, token calls, and what their answers mean.
//!
//! A provider is a row of [`provider`]; a call is one attempt of [`token::TokenClient`] and ends in a
//! [`token::TokenOutcome`] that says whether the token in hand is untouched, replaced, dead or in
//! doubt. Nothing here retries: whoever holds the token decides (RFC 6749 section 4.1.2, RFC 9700).

pub mod answer;
pub mod app;
pub mod endpoint;
pub mod gate;
pub mod grantor;
pub mod http;
pub mod instance;
pub mod link;
pub mod metadata;
pub mod mint;
pub mod owned;
pub mod pkce;
pub mod provider;
pub mod registry;
pub mod salesforce;
pub mod token;

pub use answer::{TokenAnswer, TokenBundle};
pub use app::{App, AppCredentials, AppError};
pub use endpoint::Endpoint;
pub use instance::InstanceUrl;
pub use link::{ConnectToken, Invitation, StartLink};
pub use mint::MintCredentials;
pub use owned::{OurRefreshToken, OurTokens};
pub use pkce::{Pkce, random_token};
pub use provider::{GrantorProof, Provider, RotationClass, TokenFailure};
pub use registry::{InstanceLabel, ProviderConfig, ProviderLink, Providers, Target};
pub use token::{Introspection, Revocation, TokenClient, TokenOutcome};
