//! Templates: evaluation, faults, and the two templates of the repository.

use std::{collections::BTreeMap, time::Duration};

use sandbox_gateway::template::{Context, Method, Resolved, Template};
use serde_json::json;

use crate::support::{context, repository, resolve};

fn with(parameters: &[(&str, &str)]) -> Context {
    let given = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Context {
        parameters: given.collect(),
        ..context()
    }
}

fn faults(template: &str, context: &Context) -> Vec<String> {
    let error = Template::parse(template)
        .unwrap()
        .resolve(context)
        .unwrap_err();
    error.0.iter().map(ToString::to_string).collect()
}

#[test]
fn every_intrinsic_function_is_evaluated() {
    let template = r#"
Parameters:
  Names: { Type: CommaDelimitedList, Default: "a, b" }
  Size: { Type: Number, Default: 3 }
Mappings:
  Sizes: { us-east-1: { small: 10 } }
Conditions:
  IsVendor: !Equals [!Ref "AWS::AccountId", "111111111111"]
  Both: !And [!Condition IsVendor, !Not [!Equals [!Ref Size, 4]]]
  Neither: !Or [!Equals [a, b], !Not [!Condition Both]]
Resources:
  Queue: { Type: AWS::SQS::Queue }
  Absent: { Type: AWS::SQS::Queue, Condition: Neither }
Outputs:
  Joined: { Value: !Join ["-", [!Ref Names, x]] , Condition: Neither }
  List: { Value: !Join ["-", !Ref Names] }
  Part: { Value: !Select [1, !Split [":", "a:b:c"]] }
  Long: { Value: { "Fn::Sub": ["${Var}/${Queue.Arn}/${!Literal}", { Var: { "Ref": "Size" } }] } }
  Mapped: { Value: !FindInMap [Sizes, !Ref "AWS::Region", small] }
  Chosen: { Value: !If [Both, !GetAtt Queue.QueueName, !Ref Absent] }
  Dropped: { Value: [1, !If [Neither, 2, !Ref "AWS::NoValue"]] }
  Encoded: { Value: !Base64 hi }
"#;
    let resolved = resolve(template);
    let outputs = json!(resolved.outputs);
    let expected = json!({
        "List": "a-b",
        "Part": "b",
        "Long": "3/arn:aws:sqs:us-east-1:111111111111:tributary-Queue/${Literal}",
        "Mapped": 10,
        "Chosen": "tributary-Queue",
        "Dropped": [1],
        "Encoded": "aGk=",
    });
    assert_eq!(outputs, expected);
    assert!(!resolved.resources.contains_key("Absent"));
}

#[test]
fn all_faults_are_reported_at_once() {
    let template = r#"
Parameters:
  Needed: { Type: String }
  Level: { Type: String, AllowedValues: [INFO] }
  Id: { Type: String, AllowedPattern: "[0-9]+", MinLength: 5 }
Resources:
  Table: { Type: AWS::DynamoDB::Table, Properties: { TableName: !Ref Nobody, Tags: !GetAtt Table.Colour } }
Outputs:
  A: { Value: !ImportValue other }
  B: { Value: !Sub "${Missing.Arn}" }
  C: { Value: !If [Unknown, 1, 2] }
  D: { Value: { "Fn::Cidr": [1] } }
"#;
    let found = faults(
        template,
        &with(&[("Level", "LOUD"), ("Id", "x1"), ("Else", "1")]),
    );
    let expected = [
        "Parameters.Else: unknown parameter",
        "Parameters.Id: shorter than MinLength",
        "Parameters.Id: does not match AllowedPattern",
        "Parameters.Level: not one of AllowedValues",
        "Parameters.Needed: no value given and no default",
        "Outputs.A.Fn::ImportValue: values of other stacks are not available",
        "Outputs.B.Fn::Sub: no parameter or resource Missing",
        "Outputs.C.Fn::If: no condition Unknown",
        "Outputs.D.Fn::Cidr: unknown intrinsic function",
    ];
    for wanted in expected {
        assert!(
            found.iter().any(|fault| fault == wanted),
            "{wanted} is not in {found:#?}"
        );
    }
    assert!(
        found
            .iter()
            .any(|fault| fault.contains("no parameter or resource Nobody")),
        "{found:#?}"
    );
    assert!(
        found
            .iter()
            .any(|fault| fault.contains("no known attribute Colour")),
        "{found:#?}"
    );
}

#[test]
fn what_is_not_a_template_is_refused_when_it_is_read() {
    for (text, wanted) in [
        ("Resources: [", "not YAML"),
        ("Resources: { A: 1, A: 2 }", "duplicate entry"),
        ("- a", "not a mapping"),
        ("Resources: []", "Resources: not a mapping"),
        ("Ressources: {}", "Ressources: unknown section"),
    ] {
        let error = Template::parse(text).unwrap_err().to_string();
        assert!(error.contains(wanted), "{text}: {error}");
    }
}

#[test]
fn a_circle_is_a_fault_and_not_an_endless_walk() {
    let template = r"
Resources:
  A: { Type: AWS::SQS::Queue, Properties: { QueueName: !GetAtt B.QueueName } }
  B: { Type: AWS::SQS::Queue, Properties: { QueueName: !GetAtt A.QueueName } }
";
    let found = faults(template, &context());
    assert!(
        found
            .iter()
            .any(|fault| fault.contains("depends on itself")),
        "{found:#?}"
    );
}

#[test]
fn a_sam_property_that_is_not_understood_is_named() {
    let template = r"
Globals: { Function: { Runtime: provided.al2023, Handler: bootstrap, Layers: [arn] } }
Resources:
  Api: { Type: AWS::Serverless::HttpApi, Properties: { DefinitionUri: api.yaml } }
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/worker
      Environment: { Variables: { AWS_REGION: here } }
      Events:
        Get: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: GET, Path: /a, Auth: { Authorizer: Nobody, InvokeRole: x } } }
        Again: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: GET, Path: /a, Auth: { Authorizer: NONE } } }
        Stray: { Type: HttpApi, Properties: { Method: GET, Path: /b } }
        Topic: { Type: SNS, Properties: { Topic: arn } }
        Queue: { Type: SQS, Properties: { Queue: arn, FilterCriteria: {} } }
  Mapping: { Type: AWS::Lambda::EventSourceMapping }
";
    let found = faults(template, &context()).join("\n");
    for wanted in [
        "Resources.Worker.Properties.Layers: a property that the sandbox does not understand",
        "Resources.Api.Properties.DefinitionUri: a property",
        "Events.Get.Properties.Auth.InvokeRole: a property",
        "Resources.Api: no authorizer Nobody",
        "Resources.Api: two routes GET /a",
        "Events.Stray.Properties: ApiId must refer",
        "Events.Topic: events of type SNS are not played",
        "Events.Queue.Properties.FilterCriteria: a property",
        "AWS_REGION is reserved by Lambda",
        "Resources.Mapping: AWS::Lambda::EventSourceMapping is not read",
    ] {
        assert!(found.contains(wanted), "{wanted} is not in\n{found}");
    }
}

#[test]
fn globals_are_merged_and_overridden() {
    let template = r"
Globals: { Function: { Runtime: provided.al2023, Handler: bootstrap, Timeout: 29, Environment: { Variables: { A: one, B: two } } } }
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: functions/worker, Timeout: 60, Environment: { Variables: { B: three } } }
";
    let resolved = resolve(template);
    let worker = resolved.function("Worker").unwrap();
    assert_eq!(worker.timeout, Duration::from_mins(1));
    let expected =
        [("A", "one"), ("B", "three")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(worker.environment, BTreeMap::from(expected));
}

#[test]
fn given_attributes_go_before_the_default_ones() {
    let mut context = context();
    let given = [("Ref".to_owned(), "arn:given".to_owned())];
    context.attributes.insert("Secret".to_owned(), given.into());
    let template = "Resources: { Secret: { Type: AWS::SecretsManager::Secret } }\nOutputs: { S: { Value: !Ref Secret } }";
    let resolved = Template::parse(template)
        .unwrap()
        .resolve(&context)
        .unwrap();
    assert_eq!(resolved.output("S"), Some("arn:given"));
    assert_eq!(resolved.resources["Secret"].physical_id(), "arn:given");
}

pub(crate) fn vendor() -> Resolved {
    let context = with(&[
        ("PublicBaseUrl", "http://127.0.0.1:8080"),
        ("AppOrigins", "http://localhost:5173,https://app.example"),
        ("OidcIssuer", "http://127.0.0.1:8090"),
        ("OidcClientId", "tributary-web"),
        ("ApiAudience", "tributary-web,tributary-operator"),
        ("OperatorClientIds", "tributary-operator"),
        ("OAuthProviders", "salesforce"),
        ("OAuthHosts", "salesforce=http://127.0.0.1:8091"),
        (
            "CustomerTemplateUrl",
            "http://127.0.0.1:8080/customer-account.yaml",
        ),
        ("IdentityCenterRegion", "us-east-1"),
        (
            "IdentityCenterApplicationArn",
            "arn:aws:sso::111111111111:application/ssoins-1/apl-1",
        ),
        ("WarehouseWorkgroup", "analytics"),
        ("WarehouseDatabase", "warehouse"),
    ]);
    let template = Template::parse(&repository("template.yaml")).unwrap();
    template
        .resolve(&context)
        .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_vendors_template_is_read() {
    let resolved = vendor();
    let packages: Vec<&str> = resolved
        .functions()
        .iter()
        .map(sandbox_gateway::template::Function::package)
        .collect();
    for package in [
        "oauth-callback",
        "flows",
        "token-refresh",
        "run-events",
        "queries",
        "token-claims",
    ] {
        assert!(packages.contains(&package), "{packages:?}");
    }
    for function in resolved.functions() {
        let role = function.role.as_deref().unwrap();
        let known = resolved
            .of_kind("AWS::IAM::Role")
            .any(|(_, resource)| resource.arn() == Some(role));
        assert!(known, "{role}");
        assert_eq!(function.environment["STAGE"], "prod");
        assert!(!function.environment["TABLE_NAME"].is_empty());
    }
    let flows = resolved.function("FlowsFunction").unwrap();
    assert_eq!(
        flows.environment["AUTH_AUDIENCE"],
        "tributary-web,tributary-operator"
    );
    let url = "http://127.0.0.1:4566/111111111111/tributary-RefreshQueue";
    assert_eq!(flows.environment["REFRESH_QUEUE_URL"], url);
}

#[test]
fn only_sign_in_consent_and_the_unknown_are_open_in_the_vendors_template() {
    let resolved = vendor();
    let (name, authorizer) = resolved.jwt_authorizers().next().unwrap();
    assert_eq!(authorizer.issuer, "http://127.0.0.1:8090");
    assert_eq!(authorizer.audience, ["tributary-web", "tributary-operator"]);
    assert!(!resolved.routes().is_empty());
    for route in resolved.routes() {
        let open = ["/auth/", "/connect/", "$default"]
            .iter()
            .any(|prefix| route.path.starts_with(prefix));
        assert_eq!(route.authorizer.is_none(), open, "{}", route.key());
        if !open {
            assert_eq!(route.authorizer.as_deref(), Some(name));
            assert_ne!(
                route.method,
                Method::Any,
                "{}: would catch preflights",
                route.key()
            );
        }
    }
    let cors = resolved.cors().unwrap();
    assert_eq!(
        cors.allow_origins,
        ["http://localhost:5173", "https://app.example"]
    );
    assert!(cors.allow_credentials);
}

#[test]
fn the_vendors_template_says_what_invokes_what() {
    let resolved = vendor();
    let ticks = resolved
        .schedules()
        .iter()
        .filter(|schedule| schedule.function == "TokenRefreshFunction");
    for schedule in ticks {
        let input = schedule.input.as_deref().unwrap();
        // Re-sealing goes on from its own mark; what is due depends on the time.
        let is_rewrap = input.contains(r#""kind":"rewrap""#);
        let says_when = input.contains("<aws.scheduler.scheduled-time>");
        assert!(is_rewrap != says_when, "{input}");
        assert!(schedule.name.starts_with("tributary-"), "{}", schedule.name);
        assert!(schedule.dead_letter.is_some());
    }
    assert!(
        resolved
            .schedules()
            .iter()
            .any(|schedule| schedule.function == "RunEventsFunction")
    );
    let buses: Vec<&str> = resolved
        .event_rules()
        .iter()
        .map(|rule| rule.bus.as_str())
        .collect();
    // AppFlow's events, of the vendor's account and of the customers', and the ends of statements.
    assert_eq!(buses.len(), 3);
    let of = |bus: &str| buses.iter().filter(|other| **other == bus).count();
    assert_eq!(
        (of("default"), of("tributary-appflow")),
        (2, 1),
        "{buses:?}"
    );
    assert!(
        resolved
            .event_rules()
            .iter()
            .all(|rule| rule.function == "RunEventsFunction")
    );
    let mut sources: Vec<(&str, &str)> = resolved
        .queue_sources()
        .iter()
        .map(|source| (source.function.as_str(), source.queue.as_str()))
        .collect();
    sources.sort_unstable();
    assert_eq!(
        sources,
        [
            (
                "DeliveriesFunction",
                "arn:aws:sqs:us-east-1:111111111111:tributary-AttemptQueue"
            ),
            (
                "DeliveriesFunction",
                "arn:aws:sqs:us-east-1:111111111111:tributary-DeliveryQueue"
            ),
            (
                "RunEventsFunction",
                "arn:aws:sqs:us-east-1:111111111111:tributary-EventQueue"
            ),
            (
                "TokenRefreshFunction",
                "arn:aws:sqs:us-east-1:111111111111:tributary-RefreshQueue"
            ),
        ]
    );
    assert!(
        resolved
            .queue_sources()
            .iter()
            .all(|source| source.report_failures)
    );
    let failures = resolved.on_failure("RunEventsFunction").unwrap();
    assert_eq!(
        failures,
        "arn:aws:sqs:us-east-1:111111111111:tributary-EventsDeadLetterQueue"
    );
}

#[test]
fn the_customers_template_is_read() {
    let mut context = with(&[
        ("ExternalId", "0123456789abcdefghijklmnop"),
        ("VendorAccountId", "111111111111"),
        (
            "VendorRolePattern",
            "arn:aws:iam::111111111111:role/tributary/tributary-*",
        ),
        (
            "VendorEventBusArn",
            "arn:aws:events:us-east-1:111111111111:event-bus/tributary-appflow",
        ),
    ]);
    context.account = sandbox_core::CUSTOMER_ACCOUNT.to_owned();
    let template = Template::parse(&repository("customer-account.yaml")).unwrap();
    let resolved = template
        .resolve(&context)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        resolved.output("RoleArn"),
        Some("arn:aws:iam::222222222222:role/TributaryAccess")
    );
    let (_, role) = resolved
        .of_kind("AWS::IAM::Role")
        .find(|(id, _)| *id == "AccessRole")
        .unwrap();
    let trust = role.properties["AssumeRolePolicyDocument"].to_string();
    assert!(trust.contains("0123456789abcdefghijklmnop"), "{trust}");
    let (_, rule) = resolved.of_kind("AWS::Events::Rule").next().unwrap();
    let target = &rule.properties["Targets"][0]["Arn"];
    assert_eq!(
        target,
        "arn:aws:events:us-east-1:111111111111:event-bus/tributary-appflow"
    );
    assert_eq!(resolved.of_kind("AWS::S3::BucketPolicy").count(), 1);
    assert!(resolved.api().is_none());
}
