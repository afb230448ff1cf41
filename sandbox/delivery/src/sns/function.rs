//! Lambda functions as subscribers.

use serde_json::Value;

use super::Inner;
use crate::{arn::Arn, lock};

/// Hands an event to a function. SNS does so asynchronously: what the function makes of it is not
/// SNS's to know, so only a function that is not there, or that it may not invoke, is an error.
pub(super) async fn invoke(
    inner: &Inner,
    arn: &str,
    topic: &str,
    event: Value,
) -> Result<(), String> {
    if let Some(offered) = lock(&inner.state).offered.get_mut(arn) {
        if offered.refuses {
            return Err("AccessDeniedException".to_owned());
        }
        offered.invocations.push(event);
        return Ok(());
    }
    let account = |arn| Arn::parse(arn).map(|arn| arn.account);
    let own = account(arn) == account(topic);
    let name = Arn::parse(arn).and_then(Arn::function);
    match (name, inner.functions.get()) {
        (Some(name), Some(functions)) if own => {
            functions.invoke_async(name, event).await;
            Ok(())
        }
        _ => Err("ResourceNotFoundException".to_owned()),
    }
}
