//! Runs that are due to be looked up, off the due index.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    aws::Refusal,
    error::Error,
    id::TenantId,
    run::{RUN_SHARD, Run},
    store::{Key, from_item},
};

use crate::{RunEvents, owner::RunOwner};

/// What the index has of a run: its keys.
#[derive(Debug, Deserialize)]
struct Entry {
    pk: String,
    sk: String,
}

impl RunEvents {
    /// At most `most` runs about which something is to be found out now, those that wait longest first.
    pub(super) async fn due_runs(&self, at: Timestamp, most: usize) -> Result<Vec<Run>, Error> {
        let mut runs = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .shared
                .client()
                .query()
                .table_name(self.shared.table())
                .index_name("due")
                .key_condition_expression("due_shard = :shard AND due_at <= :at")
                .expression_attribute_values(":shard", AttributeValue::S(RUN_SHARD.to_owned()))
                .expression_attribute_values(
                    ":at",
                    AttributeValue::N(at.as_millisecond().to_string()),
                )
                .set_exclusive_start_key(start)
                .limit(i32::try_from(most).unwrap_or(i32::MAX))
                .send()
                .await
                .map_err(|error| Refusal::of(&error).into_error("dynamodb:Query"))?;
            for item in answer.items.unwrap_or_default() {
                let entry: Entry = from_item(item)?;
                // The index lags behind: the run itself says whether it is still open.
                let Some((tenant, key)) = run_key(&entry) else {
                    continue;
                };
                let run: Option<Run> = self.within(tenant).await?.store.get(&key).await?;
                runs.extend(run.filter(Run::is_open));
            }
            start = answer.last_evaluated_key;
            if start.is_none() || runs.len() >= most {
                runs.truncate(most);
                return Ok(runs);
            }
        }
    }
}

/// The key of the run that an entry of the index stands for.
fn run_key(entry: &Entry) -> Option<(TenantId, Key)> {
    let (tenant, flow) = entry.pk.strip_prefix("TENANT#")?.split_once("#FLOW#")?;
    let owner = RunOwner {
        tenant_id: tenant.parse().ok()?,
        flow_id: flow.parse().ok()?,
    };
    let run = entry.sk.strip_prefix("RUN#")?.parse().ok()?;
    let key = Key::run(owner.tenant_id, owner.flow_id, run);
    Some((owner.tenant_id, key))
}

#[cfg(test)]
mod tests {
    use tributary::id::{FlowId, RunId};

    use super::*;

    #[test]
    fn the_index_leads_back_to_the_run_and_to_nothing_else() {
        let tenant = TenantId::new();
        let key = Key::run(tenant, FlowId::new(), RunId::new());
        let entry = |pk: &str, sk: &str| Entry {
            pk: pk.to_owned(),
            sk: sk.to_owned(),
        };
        assert_eq!(
            run_key(&entry(&key.pk, &key.sk)),
            Some((tenant, key.clone()))
        );
        assert_eq!(run_key(&entry(&key.pk, "EXEC#1")), None);
        assert_eq!(run_key(&entry("TENANT#ten_1", &key.sk)), None);
    }
}
