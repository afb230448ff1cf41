//! The table: entities, fields, records.

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Whole,
    Decimal,
    Boolean,
    Time,
}

/// How a field may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Tells a record apart; its values are unique.
    Key,
    /// Must be there in a new record.
    Required,
    Optional,
    /// Set by the application: when the record last changed.
    Changed,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) role: Role,
}

const fn of(name: &'static str, kind: Kind, role: Role) -> Field {
    Field { name, kind, role }
}

#[derive(Debug)]
pub(crate) struct Entity {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    /// The entity that it is nested in.
    pub(crate) parent: Option<&'static str>,
    pub(crate) fields: &'static [Field],
    /// A JSON list of the first records.
    pub(crate) records: &'static str,
}

const PEOPLE: &[Field] = &[
    of("id", Kind::Text, Role::Key),
    of("name", Kind::Text, Role::Required),
    of("email", Kind::Text, Role::Optional),
    of("visits", Kind::Whole, Role::Optional),
    of("active", Kind::Boolean, Role::Optional),
    of("updated_at", Kind::Time, Role::Changed),
];
const SALES: &[Field] = &[
    of("id", Kind::Text, Role::Key),
    of("customer", Kind::Text, Role::Required),
    of("amount", Kind::Decimal, Role::Optional),
    of("paid", Kind::Boolean, Role::Optional),
    of("updated_at", Kind::Time, Role::Changed),
];
const CASES: &[Field] = &[
    of("id", Kind::Text, Role::Key),
    of("subject", Kind::Text, Role::Required),
    of("priority", Kind::Whole, Role::Optional),
    of("sys_updated_on", Kind::Time, Role::Changed),
];

const PEOPLE_RECORDS: &str = r#"[
    {"id":"p-1","name":"Ada","email":"ada@a.example","visits":3,"active":true,"updated_at":"2026-01-01T00:00:00Z"},
    {"id":"p-2","name":"Bob","email":null,"visits":0,"active":false,"updated_at":"2026-02-01T00:00:00Z"},
    {"id":"p-3","name":"Cy","email":"cy@a.example","visits":12,"active":true,"updated_at":"2026-03-01T00:00:00Z"}]"#;
const SALES_RECORDS: &str = r#"[
    {"id":"o-1","customer":"p-1","amount":12.5,"paid":true,"updated_at":"2026-01-02T00:00:00Z"},
    {"id":"o-2","customer":"p-1","amount":-1.25,"paid":false,"updated_at":"2026-02-02T00:00:00Z"},
    {"id":"o-3","customer":"p-3","amount":null,"paid":false,"updated_at":"2026-03-02T00:00:00Z"}]"#;
const CASES_RECORDS: &str = r#"[
    {"id":"c-1","subject":"No power","priority":1,"sys_updated_on":"2026-01-03T00:00:00Z"},
    {"id":"c-2","subject":"Too loud","priority":3,"sys_updated_on":"2026-02-03T00:00:00Z"}]"#;

const fn entity(
    name: &'static str,
    label: &'static str,
    fields: &'static [Field],
    records: &'static str,
) -> Entity {
    Entity {
        name,
        label,
        parent: None,
        fields,
        records,
    }
}

/// Every entity of every application.
pub(super) const ENTITIES: &[Entity] = &[
    entity("A_SalesOrder", "Sales Order", SALES, SALES_RECORDS),
    entity("Contact", "Contacts", PEOPLE, PEOPLE_RECORDS),
    entity("contacts", "Contacts", PEOPLE, PEOPLE_RECORDS),
    entity("conversations", "Conversations", CASES, CASES_RECORDS),
    Entity {
        parent: Some("conversations"),
        ..entity("conversations/general", "general", CASES, CASES_RECORDS)
    },
    entity("incident", "Incidents", CASES, CASES_RECORDS),
    entity("orders", "Orders", SALES, SALES_RECORDS),
    entity("tickets", "Tickets", CASES, CASES_RECORDS),
];

/// The entity of a name as connectors write it: whole, or with a path or a schema before it
/// (`crm/objects/contacts`, `PUBLIC.TICKETS`).
pub(crate) fn find(name: &str) -> Option<&'static Entity> {
    let last = name.rsplit(['/', '.']).next().unwrap_or(name);
    let by = |wanted: &str| ENTITIES.iter().find(|e| e.name == wanted);
    by(name)
        .or_else(|| by(last))
        .or_else(|| ENTITIES.iter().find(|e| e.name.eq_ignore_ascii_case(last)))
}

/// The entities below a path, or those at the top.
pub(crate) fn listed(path: Option<&str>) -> impl Iterator<Item = &'static Entity> {
    ENTITIES.iter().filter(move |e| e.parent == path)
}

impl Entity {
    /// Whether other entities are nested in it.
    pub(crate) fn has_nested(&self) -> bool {
        ENTITIES.iter().any(|e| e.parent == Some(self.name))
    }

    pub(crate) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|f| f.name == name)
    }

    /// The field that tells when a record changed.
    pub(crate) fn timestamp(&self) -> Option<&'static str> {
        let mut fields = self.fields.iter();
        fields.find(|f| f.role == Role::Changed).map(|f| f.name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;

    #[test]
    fn every_record_has_every_field_of_its_entity_and_no_other() {
        for entity in ENTITIES {
            let records: Vec<Map<String, Value>> =
                serde_json::from_str(entity.records).expect("JSON");
            assert!(!records.is_empty());
            for record in records {
                let names: Vec<&String> = record.keys().collect();
                assert_eq!(names.len(), entity.fields.len(), "{}", entity.name);
                assert!(
                    names.iter().all(|n| entity.field(n).is_some()),
                    "{}",
                    entity.name
                );
            }
            assert_eq!(entity.fields[0].role, Role::Key);
        }
    }

    #[test]
    fn names_are_found_behind_a_path_or_a_schema() {
        for (name, found) in [
            ("crm/objects/contacts", "contacts"),
            ("public.orders", "orders"),
            ("DB.PUBLIC.TICKETS", "tickets"),
            ("conversations/general", "conversations/general"),
        ] {
            assert_eq!(find(name).expect("entity").name, found);
        }
        assert!(find("nothing").is_none());
    }
}
