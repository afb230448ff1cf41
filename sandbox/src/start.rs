//! Starts the parts in the order in which they need each other.

use std::{collections::BTreeMap, sync::Arc};

use sandbox_appflow::{AppFlow, Options as AppFlowOptions};
use sandbox_aws::{Act, Aws, AwsOptions, DirectoryEntry, IdentityCenter, RoleQueues};
use sandbox_core::{
    AccountServices, AwsService, Canaries, Clock, DirectoryUser, Faults, Functions, Journal,
    Queues, REGION, RoleCheck, VENDOR_ACCOUNT, serve,
};
use sandbox_delivery::{
    CloudWatch, EventBridge, Input, RuleSpec, Schedule, Schedules, Sns, TargetSpec,
};
use sandbox_gateway::{
    http_api::{HttpApi, HttpApiOptions},
    queues::{PollerOptions, QueuePollers},
    runtime::{FunctionSpec, LogSink, Runtime, RuntimeOptions},
    template::{QueueSource, Resolved},
};
use sandbox_redshift::Redshift;
use sandbox_saas::{
    Catcher, Oidc, OidcOptions, ProviderApp, Providers, ProvidersOptions, Salesforce,
    SalesforceOptions, strict::provider_keys,
};
use tokio::net::TcpListener;
use url::Url;
use uuid::Uuid;

use crate::{
    APP_CLIENT_ID, OPERATOR_CLIENT_ID, OPERATOR_SECRET, Options, SUBSCRIBER_QUEUE, Sandbox,
    StartError, binaries,
    changes::Changes,
    client, control, provision,
    services::Services,
    stack::{self, Addresses, IDENTITY_APPLICATION, Secrets},
    warehouse,
};

/// Origin of the application that the sandbox's API allows.
const APP_ORIGIN: &str = "http://127.0.0.1:5173";

/// What all stand-ins share.
#[derive(Clone, Default)]
struct Shared {
    clock: Clock,
    faults: Faults,
    journal: Journal,
    canaries: Canaries,
}

/// The seven listeners, bound before anything else so that a taken port is told at once.
struct Ports {
    api: TcpListener,
    aws: TcpListener,
    salesforce: TcpListener,
    oidc: TcpListener,
    control: TcpListener,
    providers: TcpListener,
    webhooks: TcpListener,
    urls: [Url; 7],
}

pub(crate) async fn start(options: Options) -> Result<Arc<Sandbox>, StartError> {
    let ports = bind(options.first_port).await?;
    let [
        api_url,
        aws_url,
        salesforce_url,
        oidc_url,
        control_url,
        providers_url,
        webhooks_url,
    ] = ports.urls.clone();
    let shared = Shared::default();
    let logs = match &options.log_file {
        Some(path) => LogSink::with_file(path)
            .map_err(|error| StartError::StandIn("the log", error.to_string()))?,
        None => LogSink::default(),
    };

    let aws = Aws::new(AwsOptions {
        faults: shared.faults.clone(),
        journal: shared.journal.clone(),
        canaries: shared.canaries.clone(),
    });
    if let Ok(address) = ports.aws.local_addr() {
        aws.announce(address);
    }
    let salesforce_secret = canary(&shared, "Salesforce client secret");
    let oidc_secret = canary(&shared, "OIDC client secret");
    let sealing_key = canary(&shared, "sealing key");
    let provider_apps = provider_apps(&shared, &api_url);
    let resolved = stack::resolve(
        &aws,
        &Addresses {
            api: origin(&api_url),
            aws: origin(&aws_url),
            salesforce: origin(&salesforce_url),
            providers: origin(&providers_url),
            webhooks: origin(&webhooks_url),
            oidc: origin(&oidc_url),
            app_origin: APP_ORIGIN,
        },
        &Secrets {
            oidc_client: &oidc_secret,
            salesforce_id: "tributary-consumer-key",
            salesforce_secret: &salesforce_secret,
            sealing_key: &sealing_key,
            provider_apps: &provider_apps,
        },
    )
    .await?;
    let resolved = Arc::new(resolved);

    let queues: Arc<dyn Queues> = Arc::clone(&aws) as _;
    let runtime = functions(&options, &resolved, &aws, &aws_url, logs.clone(), &queues).await?;
    let functions: Arc<dyn Functions> = Arc::new(runtime.clone());

    let sns = Sns::new(
        shared.clock.clone(),
        shared.journal.clone(),
        Arc::clone(&queues),
    )
    .map_err(|error| StartError::StandIn("SNS", error.to_string()))?;
    let sns = Arc::new(sns);
    sns.set_public_url(&format!("{}/sns", origin(&control_url)));
    sns.connect_functions(Arc::clone(&functions));
    sns.connect_queue_policies({
        let aws = Arc::clone(&aws);
        Arc::new(move |topic, queue| {
            let aws = Arc::clone(&aws);
            Box::pin(async move { aws.topic_may_send(&topic, &queue).await })
        })
    });
    let events = EventBridge::new(
        shared.clock.clone(),
        shared.journal.clone(),
        shared.faults.clone(),
        Arc::clone(&queues),
    );
    events.connect_functions(Arc::clone(&functions));
    events.connect_roles(role_check(&aws));
    let events = Arc::new(events);
    let cloudwatch = Arc::new(CloudWatch::new(shared.clock.clone(), Arc::clone(&events)));
    let redshift = Redshift::new(shared.clock.clone());
    let services: Arc<dyn AccountServices> = Arc::new(Services {
        aws: Arc::clone(&aws),
        events: Arc::clone(&events),
        redshift: redshift.clone(),
        cloudwatch: Arc::clone(&cloudwatch),
    });
    redshift.connect_services(Arc::clone(&services));
    redshift.connect_objects(warehouse::read_objects(&aws));
    redshift.set_identity_store(&warehouse::identity_store(IDENTITY_APPLICATION));
    let appflow = AppFlow::with_options(
        shared.clock.clone(),
        Arc::clone(&services),
        AppFlowOptions {
            salesforce_login_url: Some(origin(&salesforce_url).to_owned()),
            max_profiles: options.connector_profiles,
            applications_url: Some(origin(&providers_url).to_owned()),
            ..AppFlowOptions::default()
        },
    );
    let registered: [Arc<dyn AwsService>; 5] = [
        Arc::clone(&sns) as _,
        Arc::clone(&cloudwatch) as _,
        Arc::clone(&events) as _,
        Arc::new(redshift.clone()),
        Arc::new(appflow.clone()),
    ];
    for service in registered {
        aws.register(service);
    }

    let parts = provision::Parts {
        aws: Arc::clone(&aws),
        events: Arc::clone(&events),
        sns: Arc::clone(&sns),
    };
    provision::resources(&parts, VENDOR_ACCOUNT, "template.yaml", &resolved).await?;
    function_rules(&events, &resolved)?;
    let schedules = Arc::new(schedules(&shared, &resolved, &functions)?);
    schedules.connect_roles(role_check(&aws));
    set_up_warehouse(&options, &redshift)?;
    let received = client::Inbox::subscribe(&aws, &resolved, SUBSCRIBER_QUEUE).await?;

    let salesforce = Arc::new(salesforce(&shared, &api_url, &salesforce_secret));
    let providers = Arc::new(providers(&shared, provider_apps));
    let webhooks = Arc::new(Catcher::new(
        shared.clock.clone(),
        shared.faults.clone(),
        shared.journal.clone(),
    ));
    let oidc = Arc::new(identity_provider(
        &shared,
        &api_url,
        &oidc_secret,
        &functions,
    )?);
    let changes = Changes::new(&salesforce, &appflow);
    let mut tasks = vec![
        tokio::spawn(changes.clone().push()).abort_handle(),
        tokio::spawn(Arc::clone(&salesforce).serve(ports.salesforce)).abort_handle(),
        tokio::spawn(Arc::clone(&oidc).serve(ports.oidc)).abort_handle(),
        tokio::spawn(Arc::clone(&providers).serve(ports.providers)).abort_handle(),
        tokio::spawn(Arc::clone(&webhooks).serve(ports.webhooks)).abort_handle(),
        appflow.spawn().abort_handle(),
        Arc::clone(&cloudwatch).spawn().abort_handle(),
        tokio::spawn({
            let aws = Arc::clone(&aws);
            async move {
                // Serving ends only with the task.
                let _ = aws.serve(ports.aws).await;
            }
        })
        .abort_handle(),
    ];
    if options.run_schedules {
        tasks.push(Arc::clone(&schedules).spawn().abort_handle());
    }
    if options.set_up_warehouse {
        aws.configure_identity_center(directory(&oidc, &oidc_url));
    } else {
        aws.reserve_application(IDENTITY_APPLICATION);
    }

    let api = resolved.api().cloned().ok_or_else(|| {
        StartError::Template(
            "template.yaml".to_owned(),
            "there is no HTTP API".to_owned(),
        )
    })?;
    let http = HttpApi::serve(
        ports.api,
        HttpApiOptions {
            api,
            account: VENDOR_ACCOUNT.to_owned(),
            functions: Arc::clone(&functions),
            logs: logs.clone(),
        },
    )
    .map_err(|error| StartError::StandIn("the gateway", error.to_string()))?;
    let pollers = pollers(&resolved, &functions, &aws, &logs);

    let sandbox = Arc::new(Sandbox {
        api_url,
        aws_url,
        salesforce_url,
        oidc_url,
        control_url,
        providers_url,
        app_origin: APP_ORIGIN.to_owned(),
        clock: shared.clock,
        faults: shared.faults,
        journal: shared.journal,
        canaries: shared.canaries,
        logs,
        aws,
        appflow,
        redshift,
        events,
        sns,
        cloudwatch,
        schedules,
        runtime,
        salesforce,
        providers,
        webhooks,
        oidc,
        stack: resolved,
        changes,
        received,
        _api: http,
        pollers,
        tasks,
    });
    control::serve(&sandbox, ports.control);
    Ok(sandbox)
}

/// A secret that must appear nowhere.
fn canary(shared: &Shared, label: &str) -> String {
    let secret = format!(
        "canary-{}{}",
        Uuid::new_v4().simple(),
        Uuid::new_v4().simple()
    );
    shared.canaries.seed(label, &secret);
    secret
}

/// An address without the trailing slash that `Url` adds.
fn origin(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

async fn bind(first: Option<u16>) -> Result<Ports, StartError> {
    let mut bound = Vec::with_capacity(7);
    for offset in 0..7u16 {
        let port = first.map_or(0, |first| first.saturating_add(offset));
        let (listener, address) = serve::bind(port).await?;
        let url = Url::parse(&format!("http://{address}"))
            .map_err(|error| StartError::StandIn("a listener", error.to_string()))?;
        bound.push((listener, url));
    }
    let missing = || StartError::StandIn("a listener", "seven are needed".to_owned());
    let mut bound = bound.into_iter();
    let mut next = || bound.next().ok_or_else(missing);
    let (api, aws, salesforce) = (next()?, next()?, next()?);
    let (oidc, control, providers) = (next()?, next()?, next()?);
    let webhooks = next()?;
    Ok(Ports {
        urls: [
            api.1,
            aws.1,
            salesforce.1,
            oidc.1,
            control.1,
            providers.1,
            webhooks.1,
        ],
        api: api.0,
        aws: aws.0,
        salesforce: salesforce.0,
        oidc: oidc.0,
        control: control.0,
        providers: providers.0,
        webhooks: webhooks.0,
    })
}

/// The rules of the template that lead to functions.
fn function_rules(events: &EventBridge, resolved: &Resolved) -> Result<(), StartError> {
    for rule in resolved.event_rules().iter().filter(|rule| rule.enabled) {
        let target = TargetSpec {
            id: "function".to_owned(),
            arn: format!(
                "arn:aws:lambda:{REGION}:{VENDOR_ACCOUNT}:function:{}",
                rule.function
            ),
            role_arn: None,
            dead_letter_arn: rule.dead_letter.clone(),
            input: Input::default(),
        };
        let made = RuleSpec {
            name: rule.id.clone(),
            pattern: rule.pattern.clone(),
            targets: vec![target],
        };
        events
            .put_rule(VENDOR_ACCOUNT, &rule.bus, made)
            .map_err(|error| StartError::Resource(rule.id.clone(), error.to_string()))?;
    }
    Ok(())
}

/// Whom the services ask what a role may do.
fn role_check(aws: &Arc<Aws>) -> RoleCheck {
    let aws = Arc::clone(aws);
    Arc::new(move |role, action, resource| {
        let act = Act {
            action,
            resource,
            keys: &[],
        };
        aws.authorize_role(role, &act)
            .map_err(|refused| refused.to_string())
    })
}

/// The queues that feed functions, each polled under its function's role.
fn pollers(
    resolved: &Resolved,
    functions: &Arc<dyn Functions>,
    aws: &Arc<Aws>,
    logs: &LogSink,
) -> Vec<QueuePollers> {
    let options = PollerOptions::new(REGION);
    let start = |source: &QueueSource| {
        let role = resolved
            .function(&source.function)
            .and_then(|function| function.role.as_deref())
            .unwrap_or_default();
        let queues: Arc<dyn Queues> = Arc::new(RoleQueues::new(aws, role));
        QueuePollers::start(
            std::slice::from_ref(source),
            functions,
            &queues,
            logs,
            &options,
        )
    };
    resolved.queue_sources().iter().map(start).collect()
}

/// The schedules of the template.
fn schedules(
    shared: &Shared,
    resolved: &Resolved,
    functions: &Arc<dyn Functions>,
) -> Result<Schedules, StartError> {
    let schedules = Schedules::new(shared.clock.clone(), shared.journal.clone());
    schedules.connect_functions(Arc::clone(functions));
    for schedule in resolved
        .schedules()
        .iter()
        .filter(|schedule| schedule.enabled)
    {
        let wrong = |error: String| StartError::Resource(schedule.name.clone(), error);
        let input = serde_json::from_str(schedule.input.as_deref().unwrap_or("{}"))
            .map_err(|error| wrong(error.to_string()))?;
        schedules
            .add(Schedule {
                name: schedule.name.clone(),
                account: VENDOR_ACCOUNT.to_owned(),
                expression: schedule.expression.clone(),
                function: schedule.function.clone(),
                role: schedule.role.clone().zip(
                    resolved
                        .function(&schedule.function)
                        .map(|function| function.arn.clone()),
                ),
                input,
            })
            .map_err(|error| wrong(error.to_string()))?;
    }
    Ok(schedules)
}

/// The functions' processes, with the template's environment and what Lambda adds.
async fn functions(
    options: &Options,
    resolved: &Resolved,
    aws: &Arc<Aws>,
    aws_url: &Url,
    logs: LogSink,
    queues: &Arc<dyn Queues>,
) -> Result<Runtime, StartError> {
    let packages: Vec<String> = resolved
        .functions()
        .iter()
        .map(|function| function.package().to_owned())
        .collect();
    let programs = binaries::build(&packages, options.profile).await?;
    let roles: BTreeMap<String, String> = resolved
        .functions()
        .iter()
        .filter_map(|function| Some((function.id.clone(), function.role.clone()?)))
        .collect();
    let specs = resolved
        .functions()
        .iter()
        .zip(programs)
        .map(|(function, program)| {
            let mut spec = FunctionSpec::from_template(function, program);
            spec.environment.extend(
                options
                    .environment
                    .get(&function.id)
                    .cloned()
                    .unwrap_or_default(),
            );
            if let Some(timeout) = options.timeouts.get(&function.id) {
                spec.timeout = *timeout;
            }
            spec
        })
        .collect();
    let mut runtime = RuntimeOptions::new(REGION, logs, Arc::clone(queues));
    runtime.queues_of = roles
        .iter()
        .map(|(function, role)| {
            let queues = Arc::new(RoleQueues::new(aws, role)) as Arc<dyn Queues>;
            (function.clone(), queues)
        })
        .collect();
    let (aws, endpoint) = (Arc::clone(aws), origin(aws_url).to_owned());
    runtime.cold_start = Arc::new(move |spec| cold_start(&aws, &endpoint, &roles, spec));
    Ok(Runtime::new(specs, runtime))
}

/// What Lambda gives a new process: the role's credentials and, here, the endpoint.
fn cold_start(
    aws: &Aws,
    endpoint: &str,
    roles: &BTreeMap<String, String>,
    spec: &FunctionSpec,
) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::from([("AWS_ENDPOINT_URL".to_owned(), endpoint.to_owned())]);
    let credentials = roles
        .get(&spec.id)
        .and_then(|role| aws.assume_for_function(role, &spec.name).ok());
    if let Some(credentials) = credentials {
        variables.insert("AWS_ACCESS_KEY_ID".to_owned(), credentials.access_key_id);
        variables.insert(
            "AWS_SECRET_ACCESS_KEY".to_owned(),
            credentials.secret_access_key,
        );
        variables.extend(
            credentials
                .session_token
                .map(|token| ("AWS_SESSION_TOKEN".to_owned(), token)),
        );
    }
    variables
}

fn salesforce(shared: &Shared, api_url: &Url, client_secret: &str) -> Salesforce {
    let mut options = SalesforceOptions::new("tributary-consumer-key", client_secret);
    options.clock = shared.clock.clone();
    options.faults = shared.faults.clone();
    options.journal = shared.journal.clone();
    options.canaries = shared.canaries.clone();
    options.redirect_uris = vec![format!("{}/connect/callback/salesforce", origin(api_url))];
    Salesforce::new(options)
}

/// The vendor's apps at the other providers, by the provider's key.
fn provider_apps(shared: &Shared, api_url: &Url) -> BTreeMap<&'static str, ProviderApp> {
    let app = |key: &'static str| {
        let app = ProviderApp {
            client_id: format!("tributary-{key}"),
            client_secrets: vec![canary(shared, &format!("{key} client secret"))],
            redirect_uris: vec![format!("{}/connect/callback/{key}", origin(api_url))],
        };
        (key, app)
    };
    provider_keys().map(app).collect()
}

fn providers(shared: &Shared, apps: BTreeMap<&'static str, ProviderApp>) -> Providers {
    let providers = Providers::new(ProvidersOptions {
        clock: shared.clock.clone(),
        faults: shared.faults.clone(),
        journal: shared.journal.clone(),
        canaries: shared.canaries.clone(),
    });
    for (key, app) in apps {
        providers.register_app(key, app);
    }
    providers
}

fn identity_provider(
    shared: &Shared,
    api_url: &Url,
    client_secret: &str,
    functions: &Arc<dyn Functions>,
) -> Result<Oidc, StartError> {
    let mut options = OidcOptions::new(APP_CLIENT_ID, Some(client_secret), OPERATOR_SECRET);
    options.clock = shared.clock.clone();
    options.faults = shared.faults.clone();
    options.journal = shared.journal.clone();
    options.canaries = shared.canaries.clone();
    OPERATOR_CLIENT_ID.clone_into(&mut options.operator_id);
    options.redirect_uris = vec![format!("{}/auth/callback", origin(api_url))];
    options.logout_uris = vec![APP_ORIGIN.to_owned()];
    let oidc = Oidc::new(options)
        .map_err(|error| StartError::StandIn("the identity provider", error.to_string()))?;
    let functions = Arc::clone(functions);
    oidc.set_trigger(Arc::new(move |event| {
        let functions = Arc::clone(&functions);
        Box::pin(async move {
            functions
                .invoke("TokenClaimsFunction", event)
                .await
                .map_err(|error| error.to_string())
        })
    }));
    Ok(oidc)
}

/// The database, and in it what the guide's SQL makes unless somebody else follows the guide.
fn set_up_warehouse(options: &Options, redshift: &Redshift) -> Result<(), StartError> {
    let scripts: &[&str] = if options.set_up_warehouse {
        &[warehouse::SETUP, warehouse::REGIONS]
    } else {
        &[""]
    };
    for script in scripts {
        redshift
            .execute_as_admin(VENDOR_ACCOUNT, warehouse::DATABASE, script)
            .map_err(|error| StartError::StandIn("the warehouse", error))?;
    }
    Ok(())
}

/// Identity Center's directory: the provider's people, all assigned to the application.
fn directory(oidc: &Oidc, oidc_url: &Url) -> IdentityCenter {
    let users = oidc
        .users()
        .iter()
        .enumerate()
        .map(|(number, user)| DirectoryEntry {
            user: DirectoryUser {
                user_id: format!("906{number:07}-1111-2222-3333-444455556666"),
                user_name: user.name.clone(),
                groups: user.groups.clone(),
            },
            email: user.email.clone(),
            assigned: true,
            enabled: true,
        });
    IdentityCenter {
        application_arn: IDENTITY_APPLICATION.to_owned(),
        issuer: origin(oidc_url).to_owned(),
        audiences: vec![APP_CLIENT_ID.to_owned()],
        jwks_url: format!("{}/.well-known/jwks.json", origin(oidc_url)),
        users: users.collect(),
    }
}
