//! What the document does not say: which texts name something, and what a good body is.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{At, Operation, leaves};

/// What a text stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// A thing of a tenant's, of this kind.
    Names(&'static str),
    /// A thing that all tenants have in common, of this kind; this one exists.
    Everybodys(&'static str, &'static str),
    /// Nothing that belongs to anybody: a number, a filter, a description.
    Nothing,
}

use Means::{Everybodys, Names, Nothing};

/// Parameters whose schema is a plain text or says too little, by operation (`*` is every other one) and
/// name.
#[rustfmt::skip]
const PARAMETERS: &[(&str, &str, Means)] = &[
    ("get_query", "id", Names("QueryId")),
    ("cancel_query", "id", Names("QueryId")),
    ("get_query_results", "id", Names("QueryId")),
    ("get_registered_query", "name", Names("RegisteredQuery")),
    ("update_registered_query", "name", Names("RegisteredQuery")),
    ("delete_registered_query", "name", Names("RegisteredQuery")),
    // The connection to which the attempt or the candidate belongs.
    ("get_attempt", "id", Names("InvitedId")),
    ("confirm_candidate", "id", Names("InvitedId")),
    ("reject_candidate", "id", Names("InvitedId")),
    ("show_policy", "bucket", Names("Bucket")),
    ("put_policy", "bucket", Names("Bucket")),
    ("list_tables", "database", Names("Database")),
    ("show_table", "database", Names("Database")),
    ("show_table", "table", Names("Table")),
    ("get_event", "id", Names("EventId")),
    ("put_member", "subject", Names("Subject")),
    ("delete_member", "subject", Names("Subject")),
    ("delete_alarm", "alarm", Names("Alarm")),
    ("get_app", "provider", Names("Provider")),
    ("put_app", "provider", Names("Provider")),
    ("delete_app", "provider", Names("Provider")),
    // The warehouse is the vendor's; what a person sees there is the person's, and no tenant's.
    ("*", "schema", Everybodys("WarehouseSchema", "public")),
    ("*", "table", Everybodys("WarehouseTable", "city_sales")),
    ("*", "system", Nothing),
    ("*", "format", Nothing),
    ("get_entity", "entity", Everybodys("Entity", "City_Sales__c")),
    ("get_connector", "key", Everybodys("Connector", "salesforce")),
    ("finish_consent", "provider", Everybodys("ProviderOfAll", "salesforce")),
    // Single-use secrets of a browser.
    ("start", "token", Names("Capability")),
    ("show_invitation", "token", Names("Capability")),
    ("finish_sign_in", "state", Names("Capability")),
    ("finish_consent", "state", Names("Capability")),
    ("*", "code", Nothing),
    ("*", "iss", Nothing),
    ("*", "error", Nothing),
    ("*", "return_to", Nothing),
    ("list_events", "type", Nothing),
    ("*", "limit", Nothing),
    // Sealed for tenant and list: cursors.rs.
    ("*", "cursor", Nothing),
    ("*", "access", Nothing),
    ("*", "path", Nothing),
    ("*", "search", Nothing),
    ("*", "apiVersion", Nothing),
    ("*", "refresh", Nothing),
    ("*", "label", Nothing),
    ("*", "state", Nothing),
    ("*", "purpose", Nothing),
    ("*", "drifted", Nothing),
    ("*", "check", Nothing),
    ("*", "runs", Nothing),
    ("list_all_runs", "from", Nothing),
    ("list_all_runs", "to", Nothing),
    ("list_all_runs", "status", Nothing),
    ("*", "force", Nothing),
    ("*", "from", Nothing),
    ("*", "to", Nothing),
    ("*", "period", Nothing),
    ("*", "metric", Nothing),
    ("*", "statistic", Nothing),
    ("*", "waitSeconds", Nothing),
];

/// Places in which a caller gives something of its own a word that others may use too.
const OWN_WORDS: &[(&str, &str)] = &[("put_app", "Provider")];

/// Members of bodies that take any text and name something, by operation (`*` is any) and pointer.
#[rustfmt::skip]
const MEMBERS: &[(&str, &str, Means)] = &[
    ("*", "/source/bucket", Names("Bucket")),
    ("*", "/destination/bucket", Names("Bucket")),
    ("*", "/destination/errorHandling/bucket", Names("Bucket")),
    ("*", "/destination/successResponses/bucket", Names("Bucket")),
    ("create_tenant", "/members/*/subject", Names("Subject")),
    ("*", "/afterRun/query", Names("AfterRunQuery")),
    ("create_query", "/query", Names("RegisteredQuery")),
];

/// Members that take any text and name nothing of anybody's, by pointer.
#[rustfmt::skip]
const TEXTS: &[&str] = &[
    // Definitions of flows: fields and tables of the application, prefixes, times.
    "/description", "/destination/apiVersion", "/destination/catalog/databaseName",
    "/destination/catalog/roleArn", "/destination/catalog/tablePrefix", "/destination/domain",
    "/destination/entity", "/destination/errorHandling/prefix", "/destination/idFields/*",
    "/destination/object", "/destination/objectPath", "/destination/objectType",
    "/destination/partitionBy/*", "/destination/prefix", "/destination/properties/*",
    "/destination/schema", "/destination/successResponses/prefix", "/destination/suffix",
    "/destination/table", "/filters/*/field", "/filters/*/fieldType", "/filters/*/lower",
    "/filters/*/upper", "/filters/*/value", "/filters/*/values/*", "/kmsKeyArn",
    "/mappings/*/exclude/*", "/mappings/*/format", "/mappings/*/from", "/mappings/*/from/*",
    "/mappings/*/fromType", "/mappings/*/left", "/mappings/*/right", "/mappings/*/to",
    "/mappings/*/toType", "/name", "/source/apiVersion", "/source/documentType", "/source/entity",
    "/source/items/*", "/source/object", "/source/objectPath", "/source/prefix",
    "/source/properties/*", "/source/site", "/tags/*", "/transforms/*/field", "/transforms/*/with",
    "/trigger/end", "/trigger/every", "/trigger/firstFrom", "/trigger/start", "/trigger/timeZone",
    "/trigger/timestampField", "/validations/*/field",
    // Of the other bodies. AWS's own account ids are no secret, and registering one proves nothing.
    "/awsAccountId", "/region", "/origin", "/returnTo", "/connector", "/connectors/*",
    "/credentials/*", "/instance", "/properties/*", "/note", "/idToken", "/nonce", "/clientId",
    "/schemas/*", "/clientSecret", "/sql", "/title", "/parameters/*/name", "/parameters/*/description",
    "/email", "/members/*/email", "/reason",
    // Targets of subscriptions: whose account they are in is checked, and an address tells nothing.
    "/target/queueArn", "/target/functionArn", "/target/address", "/target/url",
    "/from", "/to", "/eventIds/*", "/Type", "/TopicArn", "/Token", "/SigningCertURL", "/SubscribeURL",
    // The application's name for its user, which it may choose.
    "/subject",
];

/// Places within free-form members, and folders, that name something all the same.
#[rustfmt::skip]
const HIDDEN: &[(&str, &str, &str)] = &[
    ("import_flow", "/flow/sourceFlowConfig/connectorProfileName", "Profile"),
    // Tenants share the vendor's bucket, and each has a folder in it.
    ("create_flow", "/source/prefix", "Folder"),
    ("create_flow", "/destination/prefix", "Folder"),
    ("create_flow", "/destination/errorHandling/prefix", "Folder"),
    ("update_flow", "/source/prefix", "Folder"),
    ("update_flow", "/destination/prefix", "Folder"),
    ("update_flow", "/destination/errorHandling/prefix", "Folder"),
    ("compile_flow", "/source/prefix", "Folder"),
    ("compile_flow", "/destination/prefix", "Folder"),
    ("compile_flow", "/destination/errorHandling/prefix", "Folder"),
];

/// Ids that never were, of kinds that have no schema.
pub(super) const UNKNOWN: &[(&str, &str)] = &[
    ("InvitedId", "con_0193d3f0aaaa7bbb8cccdddddddddddd"),
    ("QueryId", UNKNOWN_QUERY),
    ("EventId", "0193d3f0-aaaa-5bbb-8ccc-dddddddddddd"),
    ("RegisteredQuery", "nobodys-query"),
    ("AfterRunQuery", "nobodys-load"),
    ("Bucket", "tributary-landing-nowhere"),
    ("Subject", "00000000-0000-4000-8000-000000000000"),
    ("Provider", "zendesk"),
    ("Database", "nothing"),
    ("Alarm", "nothing"),
    ("Table", "nothing"),
    ("Capability", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    (
        "Profile",
        "tributary-ten_0193d3f0aaaa7bbb8cccdddddddddddd-con_0193d3f0aaaa7bbb8cccdddddddddddd",
    ),
    ("Folder", "ten_0193d3f0aaaa7bbb8cccdddddddddddd/crm"),
];

const UNKNOWN_QUERY: &str = "qry_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Operations that are posted and only ask: they make, change and start nothing.
pub(super) const READS: &[&str] = &[
    "compile_flow",
    "import_flow",
    "definition_permissions",
    // What a person reads with their own rights in the warehouse is theirs.
    "establish_identity",
    "forget_identity",
    "create_query",
    "cancel_query",
];

const S3_FLOW: &str = r#"{"name":"Another","accountId":"{AccountId}",
    "source":{"connector":"salesforce","connectionId":"{ConnectionId}","object":"City_Sales__c"},
    "destination":{"connector":"s3","bucket":"{Bucket}","prefix":"{TenantId}/crm","format":{"file":"json"}},
    "trigger":{"type":"onDemand"},"mappings":[{"type":"all"}],
    "afterRun":{"query":"{AfterRunQuery}","parameters":{}}}"#;
const S3_TO_SALESFORCE: &str = r#"{"name":"Another","accountId":"{AccountId}",
    "source":{"connector":"s3","bucket":"{Bucket}","prefix":"{TenantId}/in"},
    "destination":{"connector":"salesforce","connectionId":"{ConnectionId}","object":"Account",
      "write":"insert","errorHandling":{"bucket":"{Bucket}","prefix":"{TenantId}/errors"}},
    "trigger":{"type":"onDemand"},"mappings":[{"type":"field","from":"company","to":"Name"}]}"#;
const S3_TO_SAP: &str = r#"{"name":"Another","accountId":"{AccountId}",
    "source":{"connector":"s3","bucket":"{Bucket}","prefix":"{TenantId}/in"},
    "destination":{"connector":"sapOData","connectionId":"{ConnectionId}","objectPath":"/a/b",
      "write":"insert","successResponses":{"bucket":"{Bucket}","prefix":"{TenantId}/done"}},
    "trigger":{"type":"onDemand"},"mappings":[{"type":"field","from":"company","to":"Name"}]}"#;
const FLOWS: &[&str] = &[S3_FLOW, S3_TO_SALESFORCE, S3_TO_SAP];
const CONNECT_TOKEN: &[&str] =
    &[r#"{"connection":"{ConnectionId}","origin":"https://app.example","subject":"u"}"#];
const CANDIDATE: &[&str] = &[r#"{"candidate":"{CandidateId}"}"#];

/// Good bodies of operations that have one, with the kinds of ids in braces.
#[rustfmt::skip]
const SAMPLES: &[(&str, &[&str])] = &[
    ("create_tenant", &[r#"{"name":"Another","members":[{"subject":"{Subject}","roles":["viewer"]}]}"#]),
    ("rename_tenant", &[r#"{"name":"Renamed"}"#]),
    ("suspend_tenant", &[r#"{"reason":"unpaid"}"#]),
    ("put_member", &[r#"{"roles":["admin"]}"#]),
    ("put_warehouse", &[r#"{"schemas":["public"]}"#]),
    ("create_account", &[r#"{"awsAccountId":"444444444444","region":"us-east-1"}"#]),
    ("create_connection", &[r#"{"name":"Another","connector":"salesforce","accountId":"{AccountId}"}"#]),
    ("rename_connection", &[r#"{"name":"Renamed"}"#]),
    ("reconnect_connection", &["{}"]),
    ("invite", &[r#"{"note":"please"}"#]),
    ("confirm_candidate", CANDIDATE),
    ("reject_candidate", CANDIDATE),
    ("make_connect_token", CONNECT_TOKEN),
    ("make_connect_token_for_tenant", CONNECT_TOKEN),
    ("replace_credentials", &[r#"{"credentials":{}}"#]),
    ("put_app", &[r#"{"clientId":"another","clientSecret":"another"}"#]),
    ("put_policy", &[r#"{"accountId":"{AccountId}","access":["write"]}"#]),
    ("retry_run", &["{}"]),
    ("create_flow", FLOWS),
    ("update_flow", FLOWS),
    ("compile_flow", FLOWS),
    ("definition_permissions", FLOWS),
    ("import_flow", &[
        r#"{"accountId":"{AccountId}","connections":{"sf-prod":"{ConnectionId}"},"flow":{"flowName":"accounts",
            "triggerConfig":{"triggerType":"OnDemand"},
            "sourceFlowConfig":{"connectorType":"Salesforce","connectorProfileName":"{Profile}",
              "sourceConnectorProperties":{"Salesforce":{"object":"City_Sales__c"}}},
            "destinationFlowConfigList":[{"connectorType":"S3","destinationConnectorProperties":{"S3":{
              "bucketName":"{Bucket}","bucketPrefix":"{TenantId}/crm","s3OutputFormatConfig":{"fileType":"JSON"}}}}],
            "tasks":[{"taskType":"Map_all","sourceFields":[],"taskProperties":{"EXCLUDE_SOURCE_FIELDS_LIST":"[]"}}]}}"#,
    ]),
    ("create_subscription", &[
        r#"{"name":"Another","target":{"kind":"https","url":"https://hooks.customer.example/t"},
            "filter":{"eventTypes":["tributary.run.failed"],"flowIds":["{FlowId}"]}}"#,
    ]),
    ("update_subscription", &[r#"{"name":"Renamed","filter":{"flowIds":["{FlowId}"]}}"#]),
    ("confirm_subscription", &[
        r#"{"Type":"SubscriptionConfirmation","Token":"2336412f37","TopicArn":"arn:aws:sns:us-east-1:111111111111:t",
            "SubscribeURL":"https://sns.us-east-1.amazonaws.com/","SigningCertURL":"https://sns.us-east-1.amazonaws.com/"}"#,
    ]),
    ("redeliver", &[r#"{"eventIds":["9a3ba0d1-6d0e-5b8e-9b2f-4a0d3a3f6a11"]}"#]),
    ("create_alarm", &[r#"{"name":"another","metric":"runsFailed","comparison":"greaterThanOrEqual","threshold":1,"period":300,"evaluationPeriods":1}"#]),
    ("establish_identity", &[r#"{"idToken":"not-a-token"}"#]),
    ("create_query", &[r#"{"query":"{RegisteredQuery}","parameters":{}}"#]),
    ("create_registered_query", &[r#"{"name":"another-query","purpose":"query","title":"Another","description":"Another","sql":"SELECT :one AS one",
        "parameters":[{"name":"one","type":"integer","description":"A number","default":1}]}"#]),
    ("update_registered_query", &[r#"{"purpose":"query","title":"Changed","description":"Changed","sql":"SELECT :two AS two",
        "parameters":[{"name":"two","type":"integer","description":"A number","default":2}]}"#]),
];

/// The row for an operation's own, else the one for all.
fn row<'a>(rows: &'a [(&str, &str, Means)], operation: &str, name: &str) -> Option<&'a Means> {
    let of = |wanted: &str| {
        let mut rows = rows.iter();
        rows.find(|(of, other, _)| *of == wanted && *other == name)
    };
    of(operation).or_else(|| of("*")).map(|(_, _, means)| means)
}

pub(super) fn parameter(operation: &str, name: &str) -> Option<Means> {
    row(PARAMETERS, operation, name).copied()
}

pub(super) fn member(operation: &str, pointer: &str) -> Option<Means> {
    let text = TEXTS.contains(&pointer).then_some(Nothing);
    row(MEMBERS, operation, pointer).copied().or(text)
}

/// Whether what stands there is a tenant's, so that another's is unknown.
pub(super) fn is_a_tenants(operation: &str, kind: &str) -> bool {
    everybodys(kind).is_none() && !OWN_WORDS.contains(&(operation, kind))
}

pub(super) fn hidden(operation: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let rows = HIDDEN.iter().filter(move |(of, _, _)| *of == operation);
    rows.map(|(_, pointer, kind)| (*pointer, *kind))
}

/// The value of a kind that all tenants have in common.
pub(super) fn everybodys(kind: &str) -> Option<&'static str> {
    let rows = PARAMETERS.iter().chain(MEMBERS);
    let mut values = rows.filter_map(|(_, _, means)| match means {
        Everybodys(other, value) if *other == kind => Some(*value),
        _ => None,
    });
    values.next()
}

pub(super) fn samples(operation: &str) -> &'static [&'static str] {
    let row = SAMPLES.iter().find(|(of, _)| *of == operation);
    row.map_or(&[], |(_, samples)| samples)
}

/// Every row is about something that is in the document.
pub(super) fn assert_no_row_is_idle(operations: &[Operation]) {
    let document = super::document();
    let mut idle = Vec::new();
    let ids: BTreeSet<&str> = operations.iter().map(|o| o.id.as_str()).collect();
    let of_table = SAMPLES.iter().map(|(id, _)| *id);
    let of_table = of_table.chain(HIDDEN.iter().map(|(id, _, _)| *id));
    let of_table = of_table.chain(OWN_WORDS.iter().map(|(id, _)| *id));
    idle.extend(
        of_table
            .chain(READS.iter().copied())
            .filter(|id| !ids.contains(id)),
    );

    let parameters: BTreeSet<(String, String)> = of_operations(&document)
        .flat_map(|operation| {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            let named = operation["parameters"].as_array().into_iter().flatten();
            named.map(move |p| (id.clone(), p["name"].as_str().unwrap().to_owned()))
        })
        .collect();
    let texts: BTreeSet<(String, String)> = operations
        .iter()
        .flat_map(|operation| {
            let leaves = operation
                .body
                .iter()
                .flat_map(|body| leaves(&document, body));
            let texts = leaves.filter(|leaf| leaf.is_text && leaf.id.is_none());
            texts.map(|leaf| (operation.id.clone(), leaf.pointer))
        })
        .collect();
    for (rows, seen) in [(PARAMETERS, &parameters), (MEMBERS, &texts)] {
        for (of, name, _) in rows {
            let used = seen
                .iter()
                .any(|(id, other)| other == name && (*of == "*" || of == id));
            if !used {
                idle.push(name);
            }
        }
    }
    idle.extend(
        TEXTS
            .iter()
            .filter(|text| !texts.iter().any(|(_, p)| p == *text)),
    );
    let kinds: BTreeSet<&str> = operations
        .iter()
        .flat_map(|operation| &operation.places)
        .filter(|place| !matches!(&place.at, At::Body(p) if p.is_empty()))
        .map(|place| place.kind.as_str())
        .collect();
    idle.extend(
        UNKNOWN
            .iter()
            .map(|(kind, _)| *kind)
            .filter(|kind| !kinds.contains(kind)),
    );
    assert!(idle.is_empty(), "rows about nothing: {idle:?}");
}

fn of_operations(document: &Value) -> impl Iterator<Item = &Value> {
    let paths = document["paths"].as_object().unwrap().values();
    paths.flat_map(|methods| methods.as_object().unwrap().values())
}
