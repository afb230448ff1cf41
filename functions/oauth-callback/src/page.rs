//! The few pages that browsers see when there is nowhere to send them. No scripts, no styles from
//! elsewhere, and nothing that a provider or a caller wrote.

use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;

/// A page with a title and a sentence, both ours.
pub(crate) fn page(status: StatusCode, title: &str, text: &str, code: &str) -> Response {
    let body = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body><main><h1>{title}</h1><p>{text}</p><p><small>{code}</small></p></main></body></html>\n",
        title = escape(title),
        text = escape(text),
        code = escape(code),
    );
    (status, Html(body)).into_response()
}

/// A text as it stands in markup and attributes.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_cannot_become_markup() {
        assert_eq!(
            escape("<b onclick='x(\"&\")'>"),
            "&lt;b onclick=&#39;x(&quot;&amp;&quot;)&#39;&gt;"
        );
    }
}
