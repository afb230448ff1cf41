//! Reading the source.

mod application;

use serde_json::Value;

use super::{RunFault, Ticket};
use crate::{
    definition::Source,
    operations::{entities, profiles},
    salesforce,
    service::Inner,
    soql,
    state::Profile,
    tasks::{Plan, apply::Record, filter::Filter},
};

/// What a run has read.
pub(crate) struct Input {
    pub(crate) plan: Plan,
    /// Fields of the source in order, for "map all".
    pub(crate) fields: Vec<String>,
    pub(crate) records: Vec<Record>,
    /// Filters that the source has not applied.
    pub(crate) local: Vec<Filter>,
    pub(crate) bytes: u64,
}

pub(super) async fn read(inner: &Inner, ticket: &Ticket) -> Result<Input, RunFault> {
    let source = &ticket.definition.source_flow_config;
    match source.connector_type.as_str() {
        "Salesforce" => from_salesforce(inner, ticket, source).await,
        "S3" => super::s3::read(inner, ticket, source).await,
        _ => application::read(inner, ticket, source).await,
    }
}

/// The flow's profile, ready to be used.
fn profile(inner: &Inner, ticket: &Ticket, source: &Source) -> Result<Profile, RunFault> {
    let name = source.connector_profile_name.as_deref().unwrap_or_default();
    let profile =
        profiles::find(inner, &ticket.home, name).map_err(|error| RunFault::new(error.message))?;
    if profiles::is_provisioned(&profile, inner.now()) {
        Ok(profile)
    } else {
        Err(RunFault::new(format!(
            "The private connection of the connector profile {name} is still being provisioned"
        )))
    }
}

/// The plan of the flow's tasks; it was checked when the flow was created.
pub(crate) fn plan(ticket: &Ticket, key: &str) -> Result<Plan, RunFault> {
    Plan::compile(&ticket.definition.tasks, key).map_err(|faults| RunFault::new(faults.join(", ")))
}

async fn from_salesforce(
    inner: &Inner,
    ticket: &Ticket,
    source: &Source,
) -> Result<Input, RunFault> {
    let plan = plan(ticket, "Salesforce")?;
    let profile = profile(inner, ticket, source)?;
    let object = source.text("Salesforce", "object").unwrap_or_default();
    let described = entities::cached(inner, &ticket.home, &profile, Some(object)).await?;
    let described = Described(described["fields"].as_array().cloned().unwrap_or_default());
    let fields = if plan.map_all_except.is_some() {
        described.readable()
    } else {
        selected(&plan)
    };
    let (pushed, local): (Vec<Filter>, Vec<Filter>) = plan
        .filters
        .iter()
        .cloned()
        .partition(|f| described.is_filterable(&f.field));
    let window = ticket.window.map(|window| {
        let field = source.timestamp_field().unwrap_or("LastModifiedDate");
        (field, described.kind(field) == Some("date"), window)
    });
    let query = soql::query(object, &fields, &pushed, window);
    let deleted = source
        .properties("Salesforce")
        .and_then(|p| p["includeDeletedRecords"].as_bool());
    let resource = if deleted == Some(true) {
        "queryAll"
    } else {
        "query"
    };
    let encoded: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let mut next = Some(format!("{}/{resource}?q={encoded}", salesforce::API));
    let mut input = Input {
        plan,
        fields,
        records: Vec::new(),
        local,
        bytes: 0,
    };
    while let Some(path) = next {
        let page = salesforce::get(inner, &ticket.home, &profile, &path).await?;
        next = following(&page)?;
        input.take(page);
    }
    Ok(input)
}

impl Input {
    /// Takes a page's records; `attributes` is Salesforce's own and no field.
    fn take(&mut self, mut page: Value) {
        let Some(records) = page["records"].as_array_mut() else {
            return;
        };
        for record in records {
            if let Value::Object(mut record) = record.take() {
                record.remove("attributes");
                let size = serde_json::to_string(&record).map_or(0, |text| text.len());
                self.bytes += u64::try_from(size).unwrap_or_default();
                self.records.push(record);
            }
        }
    }
}

/// Path of the next page. It must stay on the instance.
fn following(page: &Value) -> Result<Option<String>, RunFault> {
    match page["nextRecordsUrl"].as_str() {
        None => Ok(None),
        Some(_) if page["done"] == true => Ok(None),
        Some(path) if path.starts_with("/services/") => Ok(Some(path.to_owned())),
        Some(_) => Err(RunFault::new(
            "Error while communicating to connector: Salesforce named a next page elsewhere",
        )),
    }
}

/// Fields to select without "map all". A projection may name an intermediate field by its
/// comma-joined inputs, which are fields themselves; inputs of steps that no projection names are
/// read too.
fn selected(plan: &Plan) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        for field in name.split(',').map(str::trim).filter(|f| !f.is_empty()) {
            if !fields.iter().any(|f| f == field) {
                fields.push(field.to_owned());
            }
        }
    };
    plan.projection.iter().flatten().for_each(|f| add(f));
    plan.arithmetics.iter().for_each(|a| {
        add(&a.left);
        add(&a.right);
    });
    plan.merges
        .iter()
        .flat_map(|m| &m.fields)
        .for_each(|f| add(f));
    plan.validations.iter().for_each(|v| add(&v.field));
    fields
}

/// The fields of Salesforce's describe.
struct Described(Vec<Value>);

impl Described {
    fn field(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|f| f["name"] == name)
    }

    fn kind(&self, name: &str) -> Option<&str> {
        self.field(name)?["type"].as_str()
    }

    /// Long texts can be read but not filtered by Salesforce.
    fn is_filterable(&self, name: &str) -> bool {
        self.field(name)
            .is_none_or(|f| f["filterable"].as_bool().unwrap_or(true))
    }

    /// Every field but the compound ones, whose parts are fields of their own.
    fn readable(&self) -> Vec<String> {
        self.0
            .iter()
            .filter(|f| !matches!(f["type"].as_str(), Some("address" | "location")))
            .filter_map(|f| f["name"].as_str().map(str::to_owned))
            .collect()
    }
}
