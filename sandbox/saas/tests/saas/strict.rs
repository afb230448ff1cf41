//! The providers that forgive nothing, each by the same steps.

#[path = "strict/answers.rs"]
mod answers;
#[path = "strict/consent.rs"]
mod consent;
#[path = "strict/particular.rs"]
mod particular;
#[path = "strict/refusals.rs"]
mod refusals;

use std::sync::Arc;

use reqwest::{Client, Response};
use sandbox_core::serve;
use sandbox_saas::{ProviderApp, Providers, ProvidersOptions, strict::provider_keys};
use serde_json::Value;

use crate::browser::{CALLBACK, CHALLENGE, VERIFIER, client, landed, parts, transaction};

const SECRET: &str = "provider-app-secret";
const OLIVIA: &str = "olivia@acme.example";
const PASSWORD: &str = "olivia-password-local";

/// Where a provider's endpoints are, and how its tokens are tried.
struct At {
    key: &'static str,
    base: &'static str,
    authorize: &'static str,
    token: &'static str,
    scope: &'static str,
    /// Who granted: path, and pointer to what must be there.
    who: (&'static str, &'static str),
}

const PLACES: &[At] = &[
    At {
        key: "service-now",
        base: "/service-now/acme",
        authorize: "/oauth_auth.do",
        token: "/oauth_token.do",
        scope: "useraccount",
        who: (
            "/service-now/acme/api/now/table/sys_user?sysparm_limit=1",
            "/result/0/sys_id",
        ),
    },
    At {
        key: "hubspot",
        base: "/hubspot",
        authorize: "/oauth/authorize",
        token: "/oauth/2026-03/token",
        scope: "oauth crm.objects.contacts.read",
        who: ("/hubspot/account-info/v3/details", "/portalId"),
    },
    At {
        key: "zendesk",
        base: "/zendesk/acme",
        authorize: "/oauth/authorizations/new",
        token: "/oauth/tokens",
        scope: "read write",
        who: ("/zendesk/acme/api/v2/users/me.json", "/user/id"),
    },
    At {
        key: "microsoft",
        base: "/microsoft/common",
        authorize: "/oauth2/v2.0/authorize",
        token: "/oauth2/v2.0/token",
        scope: "offline_access {dynamics}/user_impersonation",
        who: ("/dynamics/acme/api/data/v9.2/WhoAmI", "/OrganizationId"),
    },
];

fn at(key: &str) -> &'static At {
    PLACES.iter().find(|place| place.key == key).unwrap()
}

struct World {
    providers: Arc<Providers>,
    options: ProvidersOptions,
    http: Client,
}

impl World {
    async fn start() -> Self {
        let options = ProvidersOptions::default();
        let providers = Arc::new(Providers::new(options.clone()));
        for key in provider_keys() {
            let app = ProviderApp {
                client_id: "app".to_owned(),
                client_secrets: vec![SECRET.to_owned()],
                redirect_uris: vec![CALLBACK.to_owned()],
            };
            providers.register_app(key, app);
        }
        let (listener, _) = serve::bind(0).await.unwrap();
        tokio::spawn(Arc::clone(&providers).serve(listener));
        Self {
            providers,
            options,
            http: client(),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.providers.base_url())
    }

    fn scope(&self, at: &At) -> String {
        at.scope.replace("{dynamics}", &self.url("/dynamics/acme"))
    }

    async fn authorize(&self, at: &At, changes: &[(&str, Option<&str>)]) -> Response {
        let scope = self.scope(at);
        let mut params = vec![
            ("response_type", "code"),
            ("client_id", "app"),
            ("redirect_uri", CALLBACK),
            ("scope", &scope),
            ("state", "state-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in changes {
            params.retain(|(known, _)| known != name);
            params.extend(value.map(|value| (*name, value)));
        }
        let url = self.url(&format!("{}{}", at.base, at.authorize));
        self.http.get(url).query(&params).send().await.unwrap()
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.http
            .post(self.url(path))
            .form(form)
            .send()
            .await
            .unwrap()
    }

    /// Answers the consent page of a request; more fields may come along.
    async fn answer(&self, at: &At, page: &str, fields: &[(&str, &str)]) -> Response {
        let id = transaction(page);
        let mut form = vec![("transaction", id.as_str())];
        form.extend_from_slice(fields);
        self.post(&format!("{}{}", at.base, at.authorize), &form)
            .await
    }

    async fn code(&self, at: &At) -> String {
        let page = self.authorize(at, &[]).await.text().await.unwrap();
        let allow = [
            ("username", OLIVIA),
            ("password", PASSWORD),
            ("decision", "allow"),
        ];
        let landed = landed(&self.answer(at, &page, &allow).await);
        assert_eq!(landed["state"], "state-1");
        landed["code"].clone()
    }

    fn token_path(at: &At) -> String {
        format!("{}{}", at.base, at.token)
    }

    async fn token(&self, at: &At, form: &[(&str, &str)]) -> (u16, Value) {
        let mut all = vec![("client_id", "app"), ("client_secret", SECRET)];
        all.extend_from_slice(form);
        parts(self.post(&Self::token_path(at), &all).await).await
    }

    async fn exchange(&self, at: &At, code: &str) -> (u16, Value) {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.token(at, &form).await
    }

    async fn granted(&self, at: &At) -> Value {
        let (status, tokens) = self.exchange(at, &self.code(at).await).await;
        assert_eq!(status, 200, "{}: {tokens}", at.key);
        tokens
    }

    async fn refresh(&self, at: &At, token: &Value) -> (u16, Value) {
        let token = token.as_str().unwrap();
        self.token(
            at,
            &[("grant_type", "refresh_token"), ("refresh_token", token)],
        )
        .await
    }

    /// A refresh whose answer may be anything or nothing.
    async fn attempt(&self, at: &At, token: &Value) -> reqwest::Result<(u16, String)> {
        let form = [
            ("client_id", "app"),
            ("client_secret", SECRET),
            ("grant_type", "refresh_token"),
            ("refresh_token", token.as_str().unwrap()),
        ];
        let url = self.url(&Self::token_path(at));
        let response = self.http.post(url).form(&form).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    async fn get(&self, path: &str, token: &Value) -> (u16, Value) {
        let request = self.http.get(self.url(path));
        let request = request.bearer_auth(token.as_str().unwrap());
        parts(request.send().await.unwrap()).await
    }
}
