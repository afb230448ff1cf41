//! The few pages a person sees: no scripts, no third-party content, readable by a screen reader.

use std::sync::LazyLock;

use axum::response::{Html, IntoResponse, Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::random;

const STYLE: &str = "\
body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}\
h1{font-size:1.5rem}label,legend{font-weight:600}\
select,input{display:block;font:inherit;width:100%;box-sizing:border-box;padding:.5rem;margin:.25rem 0 1rem;border:1px solid #555;border-radius:.25rem}\
button{font:inherit;padding:.5rem 1.25rem;margin-right:.5rem;border:2px solid #0b5394;border-radius:.25rem;background:#0b5394;color:#fff}\
button.quiet{background:#fff;color:#0b5394}\
button:focus,select:focus,input:focus{outline:3px solid #ffbf47;outline-offset:2px}\
[role=alert]{border-left:4px solid #b10e1e;padding-left:.75rem}";

/// No `form-action`: browsers apply it to the redirects after the form too, and those leave this origin
/// on purpose.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; frame-ancestors 'none'",
        STANDARD.encode(random::digest(STYLE))
    )
});

/// A whole page around `body`, which is HTML already.
pub(crate) fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let title = escape(title);
    let document = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n\
         {body}\n</main>\n</body>\n</html>\n"
    );
    let mut response = (status, Html(document)).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("x-frame-options"), "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// A page that says why the request cannot go on and where it must not redirect.
pub(crate) fn refusal(status: StatusCode, code: &str, explanation: &str) -> Response {
    page(
        status,
        "This request cannot be completed",
        &format!(
            "<p role=\"alert\">{} (<code>{}</code>)</p>",
            escape(explanation),
            escape(code)
        ),
    )
}

/// Text made safe for element content and quoted attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_element_or_attribute() {
        assert_eq!(
            escape("<b title=\"x\" id='y'>&"),
            "&lt;b title=&quot;x&quot; id=&#39;y&#39;&gt;&amp;"
        );
    }
}
