//! What each subscriber received, newest first, and how the webhook endpoints answer.

use std::fmt::Write as _;

use axum::{
    Json, Router,
    extract::State,
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use sandbox_saas::{catcher::Reply, escape};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Held, gone};
use crate::Sandbox;

/// Rows that a subscriber's table shows.
const ROWS: usize = 50;

pub(super) fn routes() -> Router<std::sync::Weak<Sandbox>> {
    Router::new()
        .route("/subscribers", get(show))
        .route("/subscribers/webhooks", get(caught))
        .route("/subscribers/answer", post(answer))
}

/// Everything that came to the webhook endpoints, oldest first.
async fn caught(State(sandbox): Held) -> Response {
    let Some(sandbox) = sandbox.upgrade() else {
        return gone();
    };
    Json(sandbox.webhooks.all()).into_response()
}

/// How a name answers from now on.
#[derive(Debug, Deserialize)]
struct Answer {
    name: String,
    #[serde(flatten)]
    reply: Reply,
}

async fn answer(State(sandbox): Held, Json(answer): Json<Answer>) -> Response {
    let Some(sandbox) = sandbox.upgrade() else {
        return gone();
    };
    sandbox.webhooks.answer(&answer.name, answer.reply);
    Json(json!({ "url": sandbox.webhooks.url(&answer.name) })).into_response()
}

/// One thing that a subscriber got.
struct Row {
    when: String,
    what: String,
    text: String,
}

async fn show(State(sandbox): Held) -> Response {
    let Some(sandbox) = sandbox.upgrade() else {
        return gone();
    };
    let queue: Vec<Row> = sandbox.notifications().await.iter().map(of_event).collect();
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Subscribers</title>\
         <style>body{font:16px/1.5 system-ui;max-width:72rem;margin:3rem auto;padding:0 1rem}\
         table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.25rem 1rem .25rem 0}\
         pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:0}</style>\
         <h1>What subscribers received</h1><p><a href=\"/\">Sandbox</a></p>",
    );
    section(&mut page, "Queue of the sandbox", &queue);
    let mut names: Vec<String> = Vec::new();
    for caught in sandbox.webhooks.all() {
        if !names.contains(&caught.name) {
            names.push(caught.name);
        }
    }
    for name in names {
        let caught = sandbox.webhooks.caught(&name);
        let rows = caught.iter().map(|caught| Row {
            when: caught.at.to_string(),
            what: format!(
                "{}, answered {}",
                caught.header("webhook-id"),
                caught.status
            ),
            text: pretty(&caught.body),
        });
        let title = format!("Webhook {}", sandbox.webhooks.url(&name));
        section(&mut page, &title, &rows.collect::<Vec<_>>());
    }
    for (address, mails) in sandbox.sns.mailboxes() {
        let rows = mails.into_iter().map(|mail| Row {
            when: String::new(),
            what: mail.subject,
            text: mail.text,
        });
        let rows: Vec<Row> = rows.collect();
        section(&mut page, &format!("Mailbox {address}"), &rows);
    }
    page.push_str("</html>");
    Html(page).into_response()
}

fn of_event(event: &Value) -> Row {
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    Row {
        when: text("time"),
        what: format!("{} {}", text("type"), text("subject")),
        text: serde_json::to_string_pretty(event).unwrap_or_default(),
    }
}

fn pretty(body: &str) -> String {
    serde_json::from_str::<Value>(body)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| body.to_owned())
}

/// A subscriber's table; all that came from elsewhere is escaped.
fn section(page: &mut String, title: &str, rows: &[Row]) {
    // Writing to a String does not fail.
    let _ = write!(
        page,
        "<h2>{}</h2><p>{} received.</p><table><thead><tr><th scope=\"col\">When</th>\
         <th scope=\"col\">What</th><th scope=\"col\">Body</th></tr></thead><tbody>",
        escape(title),
        rows.len()
    );
    for row in rows.iter().rev().take(ROWS) {
        let _ = write!(
            page,
            "<tr><td>{}</td><td>{}</td><td><details><summary>Show</summary><pre>{}</pre></details></td></tr>",
            escape(&row.when),
            escape(&row.what),
            escape(&row.text)
        );
    }
    page.push_str("</tbody></table>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_first_and_nothing_that_came_is_markup() {
        let row = |when: &str, what: &str| Row {
            when: when.to_owned(),
            what: what.to_owned(),
            text: "<script>".to_owned(),
        };
        let mut page = String::new();
        section(&mut page, "<b>", &[row("1", "first"), row("2", "a<i>")]);
        assert!(!page.contains("<script>") && !page.contains("<i>") && !page.contains("<b>"));
        assert!(page.find("a&lt;i&gt;").unwrap() < page.find("first").unwrap());
    }
}
