//! Namespaces and workgroups of Redshift Serverless, as far as people's way in goes
//! (`redshift-serverless`). The databases behind them are another stand-in's.

use std::collections::BTreeMap;

use sandbox_core::{AwsCall, AwsReply, REGION, VENDOR_ACCOUNT};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Directory,
    refusal::{Refusal, pattern, reply, text},
    state::{Namespace, State, Workgroup},
};

/// Settings of a workgroup that can be set here.
const PARAMETERS: [&str; 9] = [
    "auto_mv",
    "datestyle",
    "enable_case_sensitive_identifier",
    "enable_user_activity_logging",
    "max_query_execution_time",
    "query_group",
    "require_ssl",
    "search_path",
    "use_fips_ssl",
];

/// Answers one request with signing name `redshift-serverless`.
pub(super) fn handle(directory: &Directory, call: &AwsCall) -> AwsReply {
    let operation = call.target_operation().unwrap_or_default();
    let answer = match call.json() {
        _ if call.principal.account != VENDOR_ACCOUNT => Err(Refusal::new(
            "AccessDeniedException",
            "only the vendor's account has workgroups here",
        )),
        Ok(body) => directory.change(|state| perform(state, operation, &body)),
        Err(_) => Err(Refusal::new(
            "SerializationException",
            "the body is not JSON",
        )),
    };
    reply(answer)
}

fn perform(state: &mut State, operation: &str, body: &Value) -> Result<Value, Refusal> {
    match operation {
        "CreateNamespace" => create_namespace(state, body),
        "GetNamespace" => {
            let name = name(body, "namespaceName")?;
            let found = state.namespaces.get(name);
            found
                .map(|namespace| json!({ "namespace": shown_namespace(namespace) }))
                .ok_or_else(|| Refusal::not_found("Namespace"))
        }
        "CreateWorkgroup" => create_workgroup(state, body),
        "GetWorkgroup" => {
            let name = name(body, "workgroupName")?;
            let found = state.workgroups.get(name);
            found
                .map(|workgroup| json!({ "workgroup": shown_workgroup(workgroup) }))
                .ok_or_else(|| Refusal::not_found("Workgroup"))
        }
        "UpdateWorkgroup" => {
            let parameters = parameters(body)?;
            let found = state.workgroups.get_mut(name(body, "workgroupName")?);
            let workgroup = found.ok_or_else(|| Refusal::not_found("Workgroup"))?;
            workgroup.parameters.extend(parameters);
            Ok(json!({ "workgroup": shown_workgroup(workgroup) }))
        }
        _ => Err(Refusal::unknown(operation)),
    }
}

fn create_namespace(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let name = name(body, "namespaceName")?;
    if state.namespaces.contains_key(name) {
        return Err(Refusal::conflict(format!("namespace {name} exists")));
    }
    let application = body["redshiftIdcApplicationArn"].as_str();
    if application.is_some_and(|arn| !state.redshift.contains_key(arn)) {
        return Err(Refusal::validation(
            "redshiftIdcApplicationArn names no application",
        ));
    }
    let namespace = Namespace {
        name: name.to_owned(),
        id: Uuid::new_v4().to_string(),
        database: body["dbName"].as_str().unwrap_or("dev").to_owned(),
        application: application.map(str::to_owned),
    };
    let shown = shown_namespace(&namespace);
    state.namespaces.insert(name.to_owned(), namespace);
    Ok(json!({ "namespace": shown }))
}

fn create_workgroup(state: &mut State, body: &Value) -> Result<Value, Refusal> {
    let name = name(body, "workgroupName")?;
    let namespace = text(body, "namespaceName", 64)?;
    if !state.namespaces.contains_key(namespace) {
        return Err(Refusal::not_found("Namespace"));
    }
    if state.workgroups.contains_key(name) {
        return Err(Refusal::conflict(format!("workgroup {name} exists")));
    }
    let workgroup = Workgroup {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        parameters: parameters(body)?,
    };
    let shown = shown_workgroup(&workgroup);
    state.workgroups.insert(name.to_owned(), workgroup);
    Ok(json!({ "workgroup": shown }))
}

/// A name of 3 to 64 small letters, digits and dashes.
fn name<'a>(body: &'a Value, member: &str) -> Result<&'a str, Refusal> {
    let name = text(body, member, 64)?;
    pattern(name, member, |name| {
        name.len() >= 3
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    })?;
    Ok(name)
}

fn parameters(body: &Value) -> Result<BTreeMap<String, String>, Refusal> {
    let list = body["configParameters"].as_array().into_iter().flatten();
    list.map(|parameter| {
        let key = parameter["parameterKey"].as_str().unwrap_or_default();
        let value = parameter["parameterValue"].as_str().unwrap_or_default();
        let is_time = key == "max_query_execution_time";
        if !PARAMETERS.contains(&key) || (is_time && value.parse::<u32>().is_err()) {
            return Err(Refusal::validation(format!(
                "configParameters: {key} is not a setting, or its value is not one"
            )));
        }
        Ok((key.to_owned(), value.to_owned()))
    })
    .collect()
}

fn shown_namespace(namespace: &Namespace) -> Value {
    json!({
        "namespaceName": namespace.name,
        "namespaceId": namespace.id,
        "namespaceArn": format!("arn:aws:redshift-serverless:{REGION}:{VENDOR_ACCOUNT}:namespace/{}", namespace.id),
        "dbName": namespace.database,
        "status": "AVAILABLE",
    })
}

fn shown_workgroup(workgroup: &Workgroup) -> Value {
    // The id that the table of permissions makes of a name.
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, workgroup.name.as_bytes());
    let parameters = workgroup.parameters.iter();
    let parameters =
        parameters.map(|(key, value)| json!({ "parameterKey": key, "parameterValue": value }));
    json!({
        "workgroupName": workgroup.name,
        "workgroupId": id.to_string(),
        "workgroupArn": format!("arn:aws:redshift-serverless:{REGION}:{VENDOR_ACCOUNT}:workgroup/{id}"),
        "namespaceName": workgroup.namespace,
        "configParameters": parameters.collect::<Vec<_>>(),
        "status": "AVAILABLE",
    })
}
