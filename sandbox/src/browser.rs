//! A browser without a screen: keeps cookies per origin, follows redirects one at a time, fills forms.

use std::{collections::BTreeMap, sync::Mutex};

use reqwest::{Client, Method, Response, StatusCode, header, redirect::Policy};
use url::Url;

/// Why a step of a walk did not go on.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// No answer.
    #[error("{0} did not answer")]
    NoAnswer(String, #[source] reqwest::Error),
    /// An answer that the walk does not expect.
    #[error("{at} answered {status}: {body}")]
    Unexpected {
        /// Where.
        at: String,
        /// Status.
        status: StatusCode,
        /// Beginning of the body.
        body: String,
    },
    /// A page lacks what was to be filled in or followed.
    #[error("{0}")]
    Page(String),
}

/// One browser: a cookie jar and a client that follows nothing by itself.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    cookies: Mutex<BTreeMap<(String, String), String>>,
}

/// A page as it came.
#[derive(Debug)]
pub struct Page {
    /// Its address.
    pub url: Url,
    /// Status.
    pub status: StatusCode,
    /// Where it redirects to.
    pub location: Option<Url>,
    /// Headers.
    pub headers: header::HeaderMap,
    /// Body.
    pub body: String,
}

impl Browser {
    /// A browser without cookies.
    pub fn new() -> Result<Self, BrowserError> {
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| BrowserError::NoAnswer("the HTTP client".to_owned(), error))?;
        Ok(Self {
            client,
            cookies: Mutex::default(),
        })
    }

    /// Opens an address.
    pub async fn get(&self, url: &Url) -> Result<Page, BrowserError> {
        self.send(Method::GET, url, None, None).await
    }

    /// Sends a form of a page of the same origin.
    pub async fn post_form(&self, url: &Url, form: &[(&str, &str)]) -> Result<Page, BrowserError> {
        let own = url.origin().ascii_serialization();
        self.post_form_from(&own, url, form).await
    }

    /// Sends a form of a page of this origin, as a navigation.
    pub async fn post_form_from(
        &self,
        origin: &str,
        url: &Url,
        form: &[(&str, &str)],
    ) -> Result<Page, BrowserError> {
        self.send(Method::POST, url, Some(form), Some(origin)).await
    }

    /// Opens an address and follows redirects until a page answers without one, or until `stop` is
    /// the origin of the next step (which is then not taken).
    pub async fn follow(&self, url: &Url, stop: Option<&str>) -> Result<Page, BrowserError> {
        let mut page = self.get(url).await?;
        for _ in 0..10 {
            let Some(next) = page.location.clone() else {
                return Ok(page);
            };
            if stop.is_some_and(|stop| next.as_str().starts_with(stop)) {
                return Ok(page);
            }
            page = self.get(&next).await?;
        }
        Err(BrowserError::Page("more than ten redirects".to_owned()))
    }

    async fn send(
        &self,
        method: Method,
        url: &Url,
        form: Option<&[(&str, &str)]>,
        origin: Option<&str>,
    ) -> Result<Page, BrowserError> {
        let mut request = self.client.request(method, url.clone());
        if let Some(cookies) = self.cookies_for(url) {
            request = request.header(header::COOKIE, cookies);
        }
        if let Some(form) = form {
            request = request.form(form);
        }
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        let no_answer = |error| BrowserError::NoAnswer(url.to_string(), error);
        let response = request.send().await.map_err(no_answer)?;
        self.keep_cookies(url, &response);
        let status = response.status();
        let headers = response.headers().clone();
        let location = headers
            .get(header::LOCATION)
            .filter(|_| status.is_redirection())
            .and_then(|value| value.to_str().ok())
            .and_then(|text| url.join(text).ok());
        let body = response.text().await.map_err(no_answer)?;
        Ok(Page {
            url: url.clone(),
            status,
            location,
            headers,
            body,
        })
    }

    /// The `Cookie` header for an address.
    pub fn cookies_for(&self, url: &Url) -> Option<String> {
        let cookies = self
            .cookies
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let origin = url.origin().ascii_serialization();
        let pairs: Vec<String> = cookies
            .iter()
            .filter(|((of, _), _)| *of == origin)
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn keep_cookies(&self, url: &Url, response: &Response) {
        let origin = url.origin().ascii_serialization();
        let mut cookies = self
            .cookies
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for set in response
            .headers()
            .get_all(header::SET_COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
        {
            let (pair, attributes) = set.split_once(';').unwrap_or((set, ""));
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let key = (origin.clone(), name.trim().to_owned());
            let is_removal = attributes.to_ascii_lowercase().contains("max-age=0");
            if is_removal {
                cookies.remove(&key);
            } else {
                cookies.insert(key, value.trim().to_owned());
            }
        }
    }
}

impl Page {
    /// The page, if it has this status.
    pub fn expect(self, status: StatusCode) -> Result<Self, BrowserError> {
        if self.status == status {
            return Ok(self);
        }
        Err(BrowserError::Unexpected {
            at: self.url.path().to_owned(),
            status: self.status,
            body: self.body.chars().take(400).collect(),
        })
    }

    /// Value of a hidden field of the page's form.
    pub fn hidden(&self, name: &str) -> Result<String, BrowserError> {
        let marker = format!("name=\"{name}\"");
        let value = self
            .body
            .split('<')
            .filter(|tag| tag.starts_with("input") && tag.contains(&marker))
            .find_map(|tag| {
                let (_, rest) = tag.split_once("value=\"")?;
                rest.split_once('"').map(|(value, _)| value.to_owned())
            });
        value.ok_or_else(|| {
            BrowserError::Page(format!("{} has no hidden field {name}", self.url.path()))
        })
    }

    /// Value of a parameter of the address that the page redirects to.
    pub fn redirect_parameter(&self, name: &str) -> Option<String> {
        let location = self.location.as_ref()?;
        location
            .query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}
