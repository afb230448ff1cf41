//! Runs and flows that are due to be looked up, off the due index.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    aws::Refusal,
    error::Error,
    id::TenantId,
    run::{FLOW_SHARD, RUN_SHARD, Run},
    store::{Item, Key, from_item},
};

use crate::{RunEvents, owner::RunOwner};

/// What the index has of an item: its keys.
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
            let (entries, next) = self.due(RUN_SHARD, at, most, start).await?;
            for entry in entries {
                // The index lags behind: the run itself says whether it is still open.
                let Some((tenant, key)) = run_key(&entry) else {
                    continue;
                };
                match self.open_run(tenant, &key).await {
                    Ok(run) => runs.extend(run),
                    // One that cannot be read does not keep all others waiting.
                    Err(error) => {
                        tracing::error!(tenant.id = %tenant, error.code = error.code(), error.chain = error.chain(), "a run that is due could not be read");
                    }
                }
            }
            start = next;
            if start.is_none() || runs.len() >= most {
                runs.truncate(most);
                return Ok(runs);
            }
        }
    }

    async fn open_run(&self, tenant: TenantId, key: &Key) -> Result<Option<Run>, Error> {
        let run: Option<Run> = self.within(tenant).await?.store.get(key).await?;
        Ok(run.filter(Run::is_open))
    }

    /// At most `most` flows that may be due to be looked at, those that wait longest first.
    pub(super) async fn due_flows(
        &self,
        at: Timestamp,
        most: usize,
    ) -> Result<Vec<RunOwner>, Error> {
        let (entries, _) = self.due(FLOW_SHARD, at, most, None).await?;
        Ok(entries.iter().filter_map(flow_of).collect())
    }

    async fn due(
        &self,
        shard: &str,
        at: Timestamp,
        most: usize,
        start: Option<Item>,
    ) -> Result<(Vec<Entry>, Option<Item>), Error> {
        let answer = self
            .shared
            .client()
            .query()
            .table_name(self.shared.table())
            .index_name("due")
            .key_condition_expression("due_shard = :shard AND due_at <= :at")
            .expression_attribute_values(":shard", AttributeValue::S(shard.to_owned()))
            .expression_attribute_values(":at", AttributeValue::N(at.as_millisecond().to_string()))
            .set_exclusive_start_key(start)
            .limit(i32::try_from(most).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| Refusal::of(&error).into_error("dynamodb:Query"))?;
        let items = answer.items.unwrap_or_default().into_iter();
        let entries = items.map(from_item).collect::<Result<_, _>>()?;
        Ok((entries, answer.last_evaluated_key))
    }
}

/// The flow that an entry of the index stands for.
fn flow_of(entry: &Entry) -> Option<RunOwner> {
    Some(RunOwner {
        tenant_id: entry.pk.strip_prefix("TENANT#")?.parse().ok()?,
        flow_id: entry.sk.strip_prefix("FLOW#")?.parse().ok()?,
    })
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

        let flow_id = FlowId::new();
        let key = Key::flow(tenant, flow_id);
        let owner = RunOwner {
            tenant_id: tenant,
            flow_id,
        };
        assert_eq!(flow_of(&entry(&key.pk, &key.sk)), Some(owner));
        assert_eq!(flow_of(&entry(&key.pk, "WATCH#1")), None);
    }
}
