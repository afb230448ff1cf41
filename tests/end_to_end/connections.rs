//! Connections: consent in the browser, and tokens that stay fresh whatever goes wrong.
//!
//! The checklist of consent, and what holds each rule (`u`: unit tests beside the code; else the test
//! of this folder):
//!
//! | rule | what | held by |
//! |---|---|---|
//! | A1, A2, A3 | code grant only; PKCE S256 or none; verifier of 43 characters, sealed | u `connect/begin.rs`, `oauth/pkce.rs`; `consent::c4` |
//! | A4 | state of 256 bits, bound to browser, person, tenant, provider, connection | u `connect/checks.rs`; `consent::c4`, `callback::c7` |
//! | A5 | redirect URI constant per provider | `consent::c4` (forged `X-Forwarded-Host`) |
//! | A6, A10 | least scopes, extras per provider | u `provider/table.rs`, `connect/begin.rs` |
//! | A7, T8, T12 | endpoints from table, configuration or a checked label | u `registry/tests.rs` |
//! | A8 | PAR: no provider of the table offers it | |
//! | A9 | nonce in sign-in | `edge::sign_in` |
//! | A11 | 303 | u `connect/finish.rs`; `start_link`, `invitation`, `spa` |
//! | C1 | parameters once | u `query.rs`, `tests.rs`; `spa::c1_c2`, `invitation::l2_only` (forms) |
//! | C2, C5 | state once, of fifty one | `callback::c5` |
//! | C3, C6 | ten minutes | `callback::c6`, u `connect/checks.rs` |
//! | C4, C7 | the browser that left | `callback::c7`, `invitation::l2_only`, `spa::c1_c2`, u `connect/checks.rs` |
//! | C5 | the person that left | `callback::c7` |
//! | C6 | `iss` | u `connect/checks.rs`; `callback` |
//! | C7 | another provider's path | u `connect/checks.rs`; `callback` |
//! | C8 | denial uses the state up; nothing is echoed | `consent::c8`, u `tests.rs`, `query.rs` |
//! | C9, C10 | own endpoint, same URI; one exchange | `callback::c11`, u `connect/exchange.rs` |
//! | C11, C12 | clean address, strict headers, errors too | u `tests.rs`, `connect/finish.rs`; `invitation::l2_an` |
//! | C13 | return addresses | u `return_to.rs`; `start_link`, `edge::sign_in` |
//! | C14 | HEAD and prefetch consume nothing | u `tests.rs`; `start_link`, `invitation::l2_only` |
//! | C15 | who granted; same organisation | `reconnect::x2`, `consent::any_provider`, u `oauth/grantor.rs`, `salesforce.rs` |
//! | C16 | scopes | `consent::c9`, `reconnect::x1_x6` |
//! | L1 | start links open for who asked | `start_link` |
//! | L2 | invitations: shown, posted, confirmed | `invitation`, u `connect/invitation/show.rs` |
//! | L3 | `__Host-` cookies, one per transaction, hashed | u `cookie.rs`; `consent::c4` |
//! | L4 | who granted is logged with tenant and actor | `invitation::l2_an` (candidate), `connection/deliver.rs` |
//! | L5 | one grantor in two tenants | `reconnect::l5` |
//! | T1, T9 | one attempt, no redirects, body cap, bearer in the header | u `oauth/http.rs`; `provider_failures` |
//! | T2, T3, T4 | client authentication, unknown members, token type | u `oauth/token/tests.rs`, `answer.rs` |
//! | T5, T6 | new refresh token replaces; no scope on refresh | `refresh`, u `oauth/token/tests.rs` |
//! | T7 | revoke what is not kept, replaced, rejected | `consent::c9`, `reconnect::x2`, `invitation::l2_x4`, `disconnect` |
//! | T10, T11 | sealed per tenant, connection, generation; nothing leaks | `vault`, `leaks`, every test's end |
//! | T13, T16 | do not apply: AppFlow presents bearer tokens; no native app | |
//! | T14 | a refused secret is forgotten and read again | u `oauth/app.rs` |
//!
//! Scenarios C1-C3: `spa`; C8, C10: `spa`, `clients/connect.test.js`; X1-X6: `reconnect`, and u
//! `connection/keep/model.rs` (X3), `connection/resume.rs` (X1, X6).

mod callback;
mod catalogue;
mod consent;
mod crash;
mod credentials;
mod disconnect;
mod failed_run;
mod gate;
mod invitation;
mod leaks;
mod minted;
mod outage;
mod own_app;
mod processes;
mod provider_failures;
mod push;
mod queue;
mod reconnect;
mod refresh;
mod scale;
mod seed;
mod spa;
mod start_link;
mod vault;
mod world;
