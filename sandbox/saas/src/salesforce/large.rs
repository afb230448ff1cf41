//! A large org: further objects with many fields, made up by number.

use serde_json::{Value, json};

use super::Salesforce;

/// How many objects and fields are made up.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Size {
    objects: usize,
    fields: usize,
}

impl Salesforce {
    /// Makes the org larger: so many objects `Large_0001__c` and on, with so many fields
    /// `Field_0001__c` and on each. They are listed and described, and have no records.
    pub fn grow(&self, objects: usize, fields: usize) {
        self.state().large = Size { objects, fields };
    }
}

impl Size {
    /// Name and label of every object.
    pub(super) fn objects(self) -> impl Iterator<Item = (String, String)> {
        (1..=self.objects)
            .map(|number| (format!("Large_{number:04}__c"), format!("Large {number}")))
    }

    /// The fields of an object, if it is one of these.
    pub(super) fn fields(self, object: &str) -> Option<Vec<Value>> {
        self.objects()
            .find(|(name, _)| name.eq_ignore_ascii_case(object))?;
        let field = |number: usize| {
            json!({
                "name": format!("Field_{number:04}__c"), "label": format!("Field {number}"), "type": "string",
                "length": 80, "nillable": true, "custom": true, "filterable": true, "createable": true,
                "updateable": true, "externalId": false, "picklistValues": [],
            })
        };
        Some((1..=self.fields).map(field).collect())
    }
}
