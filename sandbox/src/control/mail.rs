//! Mail that people got, and the links in it.

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Held, gone};
use crate::Sandbox;

pub(super) fn routes() -> Router<std::sync::Weak<Sandbox>> {
    Router::new()
        .route("/mail", get(mail))
        .route("/sns/", get(follow))
}

/// Every mailbox, oldest mail first.
async fn mail(State(sandbox): Held) -> Response {
    let Some(sandbox) = sandbox.upgrade() else {
        return gone();
    };
    let boxes = sandbox.sns.mailboxes().into_iter().map(|(address, mails)| {
        let mails: Vec<Value> = mails
            .into_iter()
            .map(|mail| {
                json!({
                    "subject": mail.subject,
                    "text": mail.text,
                    "confirmUrl": mail.confirm_url,
                    "token": mail.token,
                    "unsubscribeUrl": mail.unsubscribe_url,
                })
            })
            .collect();
        (address, Value::from(mails))
    });
    Json(Value::Object(boxes.collect())).into_response()
}

/// What a link of SNS says.
#[derive(Debug, Deserialize)]
#[serde(tag = "Action", rename_all_fields = "PascalCase")]
enum Followed {
    ConfirmSubscription { topic_arn: String, token: String },
    Unsubscribe { subscription_arn: String },
}

async fn follow(State(sandbox): Held, Query(followed): Query<Followed>) -> Response {
    let Some(sandbox) = sandbox.upgrade() else {
        return gone();
    };
    let done = match followed {
        Followed::ConfirmSubscription { topic_arn, token } => {
            sandbox.sns.confirm(&topic_arn, &token).is_some()
        }
        Followed::Unsubscribe { subscription_arn } => sandbox.sns.unsubscribe(&subscription_arn),
    };
    if done {
        "Done.".into_response()
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}
