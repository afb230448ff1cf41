//! What each operation needs: the table of permissions, one file per service.
//!
//! Sources are the services' pages of the Service Authorization Reference. What is not here is denied.

mod appflow;
mod cloudwatch;
mod dynamodb;
mod events;
mod glue;
mod identity_center;
mod kms;
mod queues;
mod redshift;
mod s3;
mod secrets;
mod sts;

use super::{Ask, Need, Unmapped};

/// The needs of a request, all of which must be allowed.
pub(super) async fn needs(ask: &Ask<'_>) -> Result<Vec<Need>, Unmapped> {
    match ask.call.service.as_str() {
        "appflow" => appflow::needs(ask),
        "dynamodb" => dynamodb::needs(ask).await,
        "events" => events::needs(ask),
        "glue" => glue::needs(ask),
        "kms" => kms::needs(ask).await,
        "redshift-data" => redshift::needs(ask).await,
        "monitoring" => cloudwatch::needs(ask),
        "s3" => s3::needs(ask).await,
        "secretsmanager" => secrets::needs(ask).await,
        "sns" => queues::topic_needs(ask),
        "sqs" => queues::needs(ask),
        "identitystore" | "redshift" | "redshift-serverless" | "sso" | "sso-oauth" => {
            identity_center::needs(ask)
        }
        "sts" => sts::needs(ask),
        _ => Err(Unmapped::Operation),
    }
}
