//! A client of the API, and the subscriber of its notifications.

use std::{sync::Mutex, time::Duration};

use reqwest::{Client, Method, StatusCode, header};
use sandbox_aws::Aws;
use sandbox_core::{AwsCall, Queues, REGION, VENDOR_ACCOUNT};
use sandbox_gateway::template::Resolved;
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use crate::{
    OPERATOR_CLIENT_ID, OPERATOR_SECRET, Sandbox, StartError,
    browser::{Browser, BrowserError},
};

/// Longest that a walk waits for something that happens by itself.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until `look` sees something, and answers it; nothing when patience ends.
pub async fn until<T, F, Fut>(mut look: F) -> Option<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look().await {
            return Some(seen);
        }
        if Instant::now() > deadline {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: header::HeaderMap,
    /// Body; null when it is empty or not JSON.
    pub body: Value,
    /// Body, as it was sent.
    pub text: String,
}

impl Answer {
    /// The body, if the answer has this status.
    pub fn expect(self, status: u16) -> Result<Value, BrowserError> {
        if self.status.as_u16() == status {
            return Ok(self.body);
        }
        Err(BrowserError::Unexpected {
            at: "the API".to_owned(),
            status: self.status,
            body: self.body.to_string(),
        })
    }

    /// The stable code of a problem document.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// Calls the API as somebody.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    base: Url,
    token: Option<String>,
}

impl Api {
    /// A caller with this access token, or without any.
    pub fn new(base: &Url, token: Option<&str>) -> Self {
        let client = Client::builder().no_proxy().build().unwrap_or_default();
        Self {
            client,
            base: base.clone(),
            token: token.map(str::to_owned),
        }
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Result<Answer, BrowserError> {
        self.call(Method::GET, path, None, &[]).await
    }

    /// Creates or acts.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer, BrowserError> {
        self.call(Method::POST, path, Some(body.to_string()), &[])
            .await
    }

    /// Any call, with headers.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        headers: &[(&str, &str)],
    ) -> Result<Answer, BrowserError> {
        let url = self
            .base
            .join(path)
            .map_err(|error| BrowserError::Page(error.to_string()))?;
        let mut request = self.client.request(method, url.clone());
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let no_answer = |error| BrowserError::NoAnswer(url.path().to_owned(), error);
        let response = request.send().await.map_err(no_answer)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.map_err(no_answer)?;
        Ok(Answer {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        })
    }
}

/// A signed-in person: a browser with a session, and the tokens it got.
#[derive(Debug)]
pub struct Person {
    /// The browser.
    pub browser: Browser,
    /// The API as this person.
    pub api: Api,
    /// The newest access token.
    pub access_token: String,
    /// The newest ID token.
    pub id_token: String,
}

impl Sandbox {
    /// Signs a person in through the redirects, as a browser does. The error tells which step refused.
    pub async fn sign_in(&self, name: &str) -> Result<Person, BrowserError> {
        let browser = Browser::new()?;
        let mut login = self.join("/auth/login")?;
        login
            .query_pairs_mut()
            .append_pair("return_to", &format!("{}/", self.app_origin));
        let page = browser.follow(&login, None).await?.expect(StatusCode::OK)?;
        let transaction = page.hidden("transaction")?;
        let form = page
            .url
            .join("/login")
            .map_err(|error| BrowserError::Page(error.to_string()))?;
        let password = format!("{name}-password-local");
        let sent = browser
            .post_form(
                &form,
                &[
                    ("transaction", &transaction),
                    ("username", name),
                    ("password", &password),
                ],
            )
            .await?;
        let callback = sent.location.clone().ok_or_else(|| {
            BrowserError::Page("the provider did not send the browser back".to_owned())
        })?;
        let page = browser.follow(&callback, Some(&self.app_origin)).await?;
        if !page
            .location
            .as_ref()
            .is_some_and(|next| next.as_str().starts_with(&self.app_origin))
        {
            return Err(BrowserError::Unexpected {
                at: "sign-in".to_owned(),
                status: page.status,
                body: page.body,
            });
        }
        let tokens = self.tokens(&browser, false).await?;
        let text = |name: &str| tokens[name].as_str().unwrap_or_default().to_owned();
        let access_token = text("accessToken");
        Ok(Person {
            api: Api::new(&self.api_url, Some(&access_token)),
            access_token,
            id_token: text("idToken"),
            browser,
        })
    }

    /// Asks `POST /auth/token` with a browser's session; `fresh` asks for tokens nobody used yet.
    pub async fn tokens(&self, browser: &Browser, fresh: bool) -> Result<Value, BrowserError> {
        let cookies = browser.cookies_for(&self.api_url).unwrap_or_default();
        let headers = [
            ("cookie", cookies.as_str()),
            ("origin", self.app_origin.as_str()),
        ];
        Api::new(&self.api_url, None)
            .call(
                Method::POST,
                "/auth/token",
                Some(json!({ "fresh": fresh }).to_string()),
                &headers,
            )
            .await?
            .expect(200)
    }

    /// Walks the consent of a connection in a person's browser and answers the address at which the
    /// browser ends up. Whoever is usual at the provider grants: Salesforce's first user, Olivia of
    /// `acme` at the others.
    pub async fn consent(
        &self,
        browser: &Browser,
        start_url: &str,
        decision: &str,
    ) -> Result<Url, BrowserError> {
        self.consent_as(browser, start_url, decision, None).await
    }

    /// The same with another person: `otto@acme.example`.
    pub async fn consent_as(
        &self,
        browser: &Browser,
        start_url: &str,
        decision: &str,
        username: Option<&str>,
    ) -> Result<Url, BrowserError> {
        let start = Url::parse(start_url).map_err(|error| BrowserError::Page(error.to_string()))?;
        let page = browser.follow(&start, None).await?.expect(StatusCode::OK)?;
        let transaction = page.hidden("transaction")?;
        let mut form = page.url.clone();
        form.set_query(None);
        let is_salesforce = form.origin() == self.salesforce_url.origin();
        let username = match username {
            None if is_salesforce => self.salesforce_admin(),
            None => "olivia@acme.example".to_owned(),
            Some(name) => name.to_owned(),
        };
        let user = self
            .providers
            .users()
            .into_iter()
            .find(|user| user.username == username);
        let password = user.map(|user| user.password).unwrap_or_default();
        let fields = [
            ("transaction", transaction.as_str()),
            ("decision", decision),
            ("username", &username),
            ("password", &password),
        ];
        let sent = browser.post_form(&form, &fields).await?;
        let callback = sent.location.clone().ok_or_else(|| {
            BrowserError::Page("the provider did not send the browser back".to_owned())
        })?;
        let page = browser.follow(&callback, Some(&self.app_origin)).await?;
        page.location
            .clone()
            .filter(|next| next.as_str().starts_with(&self.app_origin))
            .ok_or(BrowserError::Unexpected {
                at: "consent".to_owned(),
                status: page.status,
                body: page.body,
            })
    }

    /// The API as the vendor's machine client.
    pub async fn operator(&self) -> Result<Api, BrowserError> {
        let url = self
            .oidc_url
            .join("/oauth2/token")
            .map_err(|error| BrowserError::Page(error.to_string()))?;
        let client = Client::builder().no_proxy().build().unwrap_or_default();
        let no_answer = |error| BrowserError::NoAnswer("the identity provider".to_owned(), error);
        let answer: Value = client
            .post(url)
            .basic_auth(OPERATOR_CLIENT_ID, Some(OPERATOR_SECRET))
            .form(&[("grant_type", "client_credentials")])
            .send()
            .await
            .map_err(no_answer)?
            .json()
            .await
            .map_err(no_answer)?;
        Ok(Api::new(&self.api_url, answer["access_token"].as_str()))
    }

    fn join(&self, path: &str) -> Result<Url, BrowserError> {
        self.api_url
            .join(path)
            .map_err(|error| BrowserError::Page(error.to_string()))
    }
}

/// A queue that is subscribed to the notifications, and what came out of it so far.
pub(crate) struct Inbox {
    queue_arn: String,
    got: Mutex<Vec<Value>>,
}

impl Inbox {
    pub(crate) async fn subscribe(
        aws: &Aws,
        stack: &Resolved,
        queue: &str,
    ) -> Result<Self, StartError> {
        let topic = stack
            .resources
            .get("NotificationsTopic")
            .map(|topic| topic.physical_id().to_owned())
            .ok_or_else(|| {
                StartError::Template(
                    "template.yaml".to_owned(),
                    "there is no NotificationsTopic".to_owned(),
                )
            })?;
        let queue_arn = aws
            .queue_for_topic(VENDOR_ACCOUNT, queue, &topic)
            .await
            .map_err(|error| StartError::Resource(queue.to_owned(), error))?;
        let form = [
            ("Action", "Subscribe"),
            ("Version", "2010-03-31"),
            ("TopicArn", topic.as_str()),
            ("Protocol", "sqs"),
            ("Endpoint", queue_arn.as_str()),
            ("Attributes.entry.1.key", "RawMessageDelivery"),
            ("Attributes.entry.1.value", "true"),
        ];
        let reply = aws.dispatch(form_call(aws, "sns", &form)).await;
        if !reply.status.is_success() {
            return Err(StartError::Resource(
                queue.to_owned(),
                String::from_utf8_lossy(&reply.body).into_owned(),
            ));
        }
        Ok(Self {
            queue_arn,
            got: Mutex::default(),
        })
    }

    /// Everything that was received so far.
    pub(crate) async fn all(&self, queues: &dyn Queues) -> Vec<Value> {
        while let Ok(batch) = queues.receive(&self.queue_arn, 10).await {
            if batch.is_empty() {
                break;
            }
            for message in batch {
                let body =
                    serde_json::from_str(&message.body).unwrap_or(Value::String(message.body));
                self.got
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .push(body);
                // A message that cannot be deleted comes again, and is seen twice then.
                let _ = queues
                    .delete(&self.queue_arn, &message.receipt_handle)
                    .await;
            }
        }
        self.got
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }
}

/// A call of a service that speaks the query protocol, as the vendor's administrator.
pub(crate) fn form_call(aws: &Aws, service: &str, form: &[(&str, &str)]) -> AwsCall {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let mut headers = header::HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    AwsCall {
        principal: aws.admin(VENDOR_ACCOUNT),
        region: REGION.to_owned(),
        service: service.to_owned(),
        method: Method::POST,
        path: "/".to_owned(),
        query: String::new(),
        headers,
        body: body.into(),
    }
}
