//! `GetCallerIdentity`.

use http::StatusCode;
use sandbox_core::{AwsCall, AwsReply};

use super::{Refused, form::Form};
use crate::{Aws, refusal};

pub(super) fn handle(aws: &Aws, call: &AwsCall, form: Form) -> Result<AwsReply, Refused> {
    form.finish()?;
    let principal = &call.principal;
    let user_id = match principal.role_arn.as_deref().and_then(|arn| aws.role(arn)) {
        Some(role) => format!(
            "{}:{}",
            role.unique_id(),
            principal.arn.rsplit('/').next().unwrap_or_default()
        ),
        None => principal.access_key_id.replacen("AKIA", "AIDA", 1),
    };
    Ok(refusal::xml(
        StatusCode::OK,
        &format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>{}</Arn><UserId>{user_id}</UserId><Account>{}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
            winterbaume_core::xml_escape(&principal.arn),
            principal.account,
            uuid::Uuid::new_v4(),
        ),
    ))
}
