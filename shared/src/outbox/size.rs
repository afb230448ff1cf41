//! How much a message and an item take (N8), and what becomes of an event that is larger.
//!
//! The topic takes 256 KiB with the attributes: a larger event is published without its data and
//! says where the whole is. The table takes 400 KB: of a still larger one the largest members of the
//! data are left out, and named. The notification itself is never left out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Entry;
use crate::event::CloudEvent;

/// Most bytes of a message with its attributes.
const MOST_PUBLISHED: usize = 256 * 1024;
/// Most bytes of an event as JSON that an item takes, with room for keys and attributes.
const MOST_STORED: usize = 350 * 1024;
/// Name of the member that says what was left out.
const OMITTED: &str = "omitted";

/// The event as the topic takes it: with its data, or with a reference to the whole.
pub(super) fn publishable(
    event: &CloudEvent,
    attributes: &BTreeMap<String, String>,
    public_base_url: &str,
) -> Result<String, serde_json::Error> {
    let whole = serde_json::to_string(event)?;
    if whole.len() + size_of_attributes(attributes) <= MOST_PUBLISHED {
        return Ok(whole);
    }
    let base = public_base_url.trim_end_matches('/');
    serde_json::to_string(&CloudEvent {
        dataref: Some(format!("{base}/v1/events/{}", event.id)),
        data: Value::Null,
        ..event.clone()
    })
}

/// Name, type and value of each count.
fn size_of_attributes(attributes: &BTreeMap<String, String>) -> usize {
    attributes
        .iter()
        .map(|(name, value)| name.len() + "String".len() + value.len())
        .sum()
}

impl Entry {
    /// The entry as the table takes it.
    pub(super) fn storable(mut self) -> Self {
        let mut omitted: Vec<String> = Vec::new();
        while size(&self.event) > MOST_STORED {
            let Some(members) = self.event.data.as_object_mut() else {
                self.event.data = json!({});
                continue;
            };
            let largest = members
                .iter()
                .filter(|(name, _)| *name != OMITTED)
                .max_by_key(|(_, value)| value.to_string().len())
                .map(|(name, _)| name.clone());
            let Some(largest) = largest else {
                break;
            };
            members.remove(&largest);
            omitted.push(largest);
            members.insert(OMITTED.to_owned(), json!(omitted));
        }
        if !omitted.is_empty() {
            tracing::error!(tenant.id = %self.event.tenantid, event.id = self.event.id, event.kind = self.event.kind, ?omitted, "an event is larger than the table takes; members of it are left out");
        }
        self
    }
}

fn size(event: &CloudEvent) -> usize {
    serde_json::to_string(event).map_or(0, |text| text.len())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{
        event::{Fact, Sequence},
        id::TenantId,
        subscription::EventType,
    };

    fn entry(data: Value) -> Entry {
        let fact = Fact {
            kind: EventType::RunFailed,
            subject: "run_1".to_owned(),
            name: "failed",
            sequence: Sequence::of_version(2, 0),
            time: Timestamp::UNIX_EPOCH,
            data,
        };
        Entry::new(CloudEvent::new("test", TenantId::new(), fact), "failed")
    }

    #[test]
    fn n8_an_event_that_fits_to_the_byte_has_data_and_one_byte_more_a_reference() {
        let told = |length: usize| {
            let entry = entry(json!({ "message": "x".repeat(length) }));
            let text =
                publishable(&entry.event, &entry.attributes, "https://api.example.com/").unwrap();
            let size = text.len() + size_of_attributes(&entry.attributes);
            (serde_json::from_str::<CloudEvent>(&text).unwrap(), size)
        };
        let (_, size) = told(0);
        let room = MOST_PUBLISHED - size;
        let (fits, size) = told(room);
        assert_eq!(size, MOST_PUBLISHED);
        assert_eq!(fits.dataref, None);
        assert!(fits.data.is_object());
        let (larger, size) = told(room + 1);
        assert!(size < 2_000);
        assert_eq!(larger.data, Value::Null);
        assert_eq!(
            larger.dataref.as_deref(),
            Some(format!("https://api.example.com/v1/events/{}", larger.id).as_str())
        );
    }

    #[test]
    fn n8_what_is_left_out_is_the_least_that_makes_it_fit() {
        let fits = entry(json!({"message": "x".repeat(300_000)}));
        assert_eq!(fits.clone().storable(), fits);
        let two = entry(json!({"a": "x".repeat(300_000), "b": "y".repeat(200_000), "c": 1}));
        let data = two.storable().event.data;
        assert_eq!(data["omitted"], json!(["a"]));
        assert_eq!(
            (data["b"].as_str().unwrap().len(), &data["c"]),
            (200_000, &json!(1))
        );
        let list = entry(json!(["x".repeat(400_000)])).storable();
        assert_eq!(list.event.data, json!({}));
    }
}
