//! The authorization endpoints: sign-in, consent and its answer.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    response::Response,
};
use http::{Request, StatusCode, request};

use super::{Place, ProviderUser, Providers, flavour::resource, grants::Approval};
use crate::{
    html::{escape, page, refusal},
    oauth::{is_s256_challenge, redirect},
    params::Params,
    random,
    server::annotated,
};

/// How long the pages may stay open.
const TRANSACTION_LIFE: i64 = 10 * 60 * 1000;

/// Parameters of any authorization request.
const KNOWN: &[&str] = &[
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "prompt",
];

/// A consent under way.
#[derive(Clone)]
pub(super) struct Transaction {
    instance: String,
    client_id: String,
    redirect_uri: String,
    scopes: Vec<String>,
    /// Scopes that a person may leave out.
    optional: Vec<String>,
    state: Option<String>,
    challenge: Option<String>,
    username: Option<String>,
    expires_at: i64,
}

/// Why a request goes back to the app.
type Fault = (&'static str, &'static str);

/// `GET` of the authorization path.
pub(super) fn show(providers: &Arc<Providers>, place: Place<'_>, query: &str) -> Response {
    let row = place.flavour;
    let params = Params::parse(query);
    let client_id = params.get("client_id").unwrap_or_default();
    let given = params.get("redirect_uri").unwrap_or_default();
    let registered = providers.book(row, |book| {
        let app = book.apps.iter().find(|app| app.client_id == client_id);
        app.map(|app| app.redirect_uris.iter().any(|known| known == given))
    });
    match registered {
        None => {
            let why = "The client identifier is unknown.";
            return refusal(StatusCode::BAD_REQUEST, "invalid_client", why);
        }
        Some(false) => {
            let why = "The redirect URI is not registered for the app.";
            return refusal(StatusCode::BAD_REQUEST, "redirect_uri_mismatch", why);
        }
        Some(true) => {}
    }
    match transaction(providers, place, &params) {
        Err((error, description)) => {
            let mut answer = vec![("error", error), ("error_description", description)];
            answer.extend(params.get("state").map(|state| ("state", state)));
            annotated(redirect(given, &answer), None, format!("error={error}"))
        }
        Ok(transaction) => {
            let id = random::token(24);
            providers.seed(&format!("{} consent transaction", row.label), &id);
            let response = sign_in(place, &transaction, &id, None);
            providers.book(row, |book| book.transactions.insert(id, transaction));
            annotated(response, None, "sign-in=shown".to_owned())
        }
    }
}

fn transaction(
    providers: &Providers,
    place: Place<'_>,
    params: &Params,
) -> Result<Transaction, Fault> {
    let row = place.flavour;
    if params.repeat() {
        return Err(("invalid_request", "a parameter is repeated"));
    }
    if !params.only(&[KNOWN, row.authorize_parameters]) {
        return Err(("invalid_request", "a parameter is unknown"));
    }
    if params.get("response_type") != Some("code") {
        let why = "the response type is not supported";
        return Err(("unsupported_response_type", why));
    }
    let challenge = challenge(providers, place, params)?;
    let words = |name| -> Vec<String> {
        let text = params.get(name).unwrap_or_default();
        text.split(' ')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (mut scopes, optional) = (words("scope"), words("optional_scope"));
    if scopes.is_empty() {
        scopes.extend(row.scopes.first().map(|scope| (*scope).to_owned()));
    }
    if !scopes
        .iter()
        .chain(&optional)
        .all(|scope| row.offers(scope))
    {
        return Err(("invalid_scope", "a requested scope is unknown"));
    }
    // A token of Microsoft is for one application (AADSTS28000).
    let mut resources: Vec<&str> = scopes.iter().filter_map(|scope| resource(scope)).collect();
    resources.dedup();
    if resources.len() > 1 {
        return Err(("invalid_scope", "the scopes belong to several applications"));
    }
    Ok(Transaction {
        instance: place.instance.to_owned(),
        client_id: params.get("client_id").unwrap_or_default().to_owned(),
        redirect_uri: params.get("redirect_uri").unwrap_or_default().to_owned(),
        scopes,
        optional,
        state: params.get("state").map(str::to_owned),
        challenge,
        username: None,
        expires_at: providers.now().saturating_add(TRANSACTION_LIFE),
    })
}

fn challenge(
    providers: &Providers,
    place: Place<'_>,
    params: &Params,
) -> Result<Option<String>, Fault> {
    let Some(challenge) = params.get("code_challenge") else {
        return if providers.book(place.flavour, |book| book.pkce_optional) {
            Ok(None)
        } else {
            Err(("invalid_request", "a code challenge is required"))
        };
    };
    if params.get("code_challenge_method") != Some("S256") || !is_s256_challenge(challenge) {
        return Err(("invalid_request", "the code challenge must be of S256"));
    }
    Ok(Some(challenge.to_owned()))
}

/// The head of every form: where it goes, and which consent it belongs to.
fn form(place: Place<'_>, id: &str, content: &str) -> String {
    let between = if place.instance.is_empty() { "" } else { "/" };
    format!(
        "<form method=\"post\" action=\"/{}{between}{}{}\">\n\
         <input type=\"hidden\" name=\"transaction\" value=\"{}\">\n{content}\n</form>",
        place.flavour.key,
        escape(place.instance),
        place.flavour.authorize_path,
        escape(id)
    )
}

/// Name of the place as a person reads it.
fn name(place: Place<'_>) -> String {
    if place.instance.is_empty() {
        place.flavour.label.to_owned()
    } else {
        format!("{} ({})", place.flavour.label, place.instance)
    }
}

fn sign_in(
    place: Place<'_>,
    transaction: &Transaction,
    id: &str,
    complaint: Option<&str>,
) -> Response {
    let alert = complaint
        .map(|text| format!("<p role=\"alert\">{}</p>\n", escape(text)))
        .unwrap_or_default();
    let username = transaction.username.as_deref().unwrap_or_default();
    let fields = format!(
        "<label for=\"username\">User name</label>\n\
         <input id=\"username\" name=\"username\" autocomplete=\"username\" value=\"{}\">\n\
         <label for=\"password\">Password</label>\n\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\">\n\
         <button>Sign in</button>\n\
         <button class=\"quiet\" name=\"decision\" value=\"deny\">Cancel</button>",
        escape(username)
    );
    let status = if complaint.is_some() {
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::OK
    };
    page(
        status,
        &format!("Sign in to {}", name(place)),
        &format!("{alert}{}", form(place, id, &fields)),
    )
}

fn consent(place: Place<'_>, transaction: &Transaction, user: &ProviderUser, id: &str) -> Response {
    let asked: Vec<String> = transaction
        .scopes
        .iter()
        .map(|scope| format!("<li><code>{}</code></li>", escape(scope)))
        .collect();
    let optional: Vec<String> = transaction
        .optional
        .iter()
        .map(|scope| {
            format!(
                "<label><input type=\"checkbox\" name=\"optional\" value=\"{0}\" checked> <code>{0}</code></label>",
                escape(scope)
            )
        })
        .collect();
    let (asked, mut optional) = (asked.concat(), optional.concat());
    if !optional.is_empty() {
        optional = format!("<fieldset><legend>If you like</legend>{optional}</fieldset>");
    }
    let buttons = format!(
        "{optional}<input type=\"hidden\" name=\"consent\" value=\"shown\">\n\
         <button name=\"decision\" value=\"allow\">Allow</button>\n\
         <button class=\"quiet\" name=\"decision\" value=\"deny\">Deny</button>"
    );
    page(
        StatusCode::OK,
        "Allow access?",
        &format!(
            "<p>Tributary asks for access to {}, as <strong>{}</strong>:</p>\n<ul>{asked}</ul>\n{}",
            escape(&name(place)),
            escape(&user.username),
            form(place, id, &buttons)
        ),
    )
}

/// `POST` of the authorization path: signs in, decides, or both.
pub(super) async fn decide(
    providers: &Arc<Providers>,
    place: Place<'_>,
    parts: &request::Parts,
    body: Body,
) -> Response {
    let request = Request::from_parts(parts.clone(), body);
    let params = match Params::posted(request).await {
        Ok(params) => params,
        Err(response) => return response,
    };
    let id = params.get("transaction").unwrap_or_default().to_owned();
    let now = providers.now();
    let transaction = providers
        .book(place.flavour, |book| book.transactions.remove(&id))
        .filter(|known| now < known.expires_at && known.instance == place.instance);
    let Some(mut transaction) = transaction else {
        return refusal(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "This page was answered before or waited too long. Start again where you came from.",
        );
    };
    if params.get("decision") == Some("deny") {
        return denied(&transaction);
    }
    if let Some(username) = params.get("username") {
        transaction.username = None;
        let password = params.get("password").unwrap_or_default();
        let user = providers
            .user(username)
            .filter(|user| place.admits(user) && random::same_secret(&user.password, password));
        let Some(user) = user else {
            let complaint = "The user name or the password is wrong.";
            let response = sign_in(place, &transaction, &id, Some(complaint));
            providers.book(place.flavour, |book| {
                book.transactions.insert(id, transaction)
            });
            return annotated(response, None, "sign-in=refused".to_owned());
        };
        transaction.username = Some(user.username);
    }
    let user = transaction
        .username
        .as_deref()
        .and_then(|name| providers.user(name));
    match (user, params.get("decision")) {
        (Some(user), Some("allow")) => allowed(providers, place, transaction, &user, &params),
        (user, _) => {
            let response = match &user {
                Some(user) => consent(place, &transaction, user, &id),
                None => sign_in(place, &transaction, &id, None),
            };
            providers.book(place.flavour, |book| {
                book.transactions.insert(id, transaction)
            });
            annotated(response, None, "consent=shown".to_owned())
        }
    }
}

fn denied(transaction: &Transaction) -> Response {
    let mut answer = vec![
        ("error", "access_denied"),
        ("error_description", "the user denied the request"),
    ];
    answer.extend(transaction.state.as_deref().map(|state| ("state", state)));
    annotated(
        redirect(&transaction.redirect_uri, &answer),
        None,
        "consent=denied".to_owned(),
    )
}

fn allowed(
    providers: &Providers,
    place: Place<'_>,
    transaction: Transaction,
    user: &ProviderUser,
    params: &Params,
) -> Response {
    let row = place.flavour;
    let Transaction {
        client_id,
        redirect_uri,
        mut scopes,
        optional,
        state,
        challenge,
        ..
    } = transaction;
    // A script that never saw the checkboxes leaves none of them out.
    let ticked: Vec<&str> = params.all("optional").collect();
    let saw = params.get("consent").is_some();
    scopes.extend(
        optional
            .into_iter()
            .filter(|scope| !saw || ticked.contains(&scope.as_str())),
    );
    let code = providers.book(row, |book| {
        if let Some(limit) = &book.scope_limit {
            scopes.retain(|scope| limit.contains(scope));
        }
        let refreshable = row
            .refresh_scope
            .is_none_or(|needed| scopes.iter().any(|scope| scope == needed));
        book.grants.approve(Approval {
            username: user.username.clone(),
            client_id,
            instance: place.bound_to().to_owned(),
            scope: scopes.join(" "),
            refreshable,
            redirect_uri: redirect_uri.clone(),
            challenge,
            expires_at: providers.now().saturating_add(row.code_life),
        })
    });
    providers.seed(&format!("{} authorization code", row.label), &code);
    let mut answer = vec![("code", code.as_str())];
    answer.extend(state.as_deref().map(|state| ("state", state)));
    annotated(
        redirect(&redirect_uri, &answer),
        Some(&user.username),
        "consent=allowed".to_owned(),
    )
}

impl Params {
    /// The parameters of a posted form, in which a name may come more than once (checkboxes).
    async fn posted(request: Request<Body>) -> Result<Self, Response> {
        let body = to_bytes(request.into_body(), 64 * 1024).await;
        let text = body.ok().and_then(|b| String::from_utf8(b.to_vec()).ok());
        text.map(|text| Self::parse(&text)).ok_or_else(|| {
            let why = "The form could not be read.";
            refusal(StatusCode::BAD_REQUEST, "invalid_request", why)
        })
    }
}
