//! The HTTP API: routes, JWT authorizers, CORS.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{Resource, fault::Faults, fields::Fields};

/// An `AWS::Serverless::HttpApi` with the routes that the functions' events add.
#[derive(Debug, Clone, PartialEq)]
pub struct Api {
    /// Logical id.
    pub id: String,
    /// Physical id, `requestContext.apiId`.
    pub api_id: String,
    /// Stage, `$default` unless named.
    pub stage: String,
    /// Routes, in the order of the template.
    pub routes: Vec<Route>,
    /// JWT authorizers by name.
    pub authorizers: BTreeMap<String, Authorizer>,
    /// Name of the authorizer of routes that name none.
    pub default_authorizer: Option<String>,
    /// CORS rules, if the gateway answers preflights.
    pub cors: Option<Cors>,
}

/// The method of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// `ANY`.
    Any,
    /// One method.
    One(http::Method),
}

/// A route and the function behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Method.
    pub method: Method,
    /// Path with `{name}` and `{name+}`, or `$default`.
    pub path: String,
    /// Logical id of the function.
    pub function: String,
    /// Name of the JWT authorizer; `None` for an open route.
    pub authorizer: Option<String>,
    /// Scopes of which the token needs one; empty for none.
    pub scopes: Vec<String>,
    /// How long the gateway waits for the function.
    pub timeout: Duration,
}

impl Route {
    /// `GET /v1/flows/{id}`, or `$default`.
    pub fn key(&self) -> String {
        match &self.method {
            _ if self.path == "$default" => self.path.clone(),
            Method::Any => format!("ANY {}", self.path),
            Method::One(method) => format!("{method} {}", self.path),
        }
    }
}

/// A JWT authorizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorizer {
    /// Issuer, compared exactly.
    pub issuer: String,
    /// Audiences or client ids, one of which the token must carry.
    pub audience: Vec<String>,
    /// Where the token is (`$request.header.Authorization`).
    pub identity_source: String,
    /// Scopes of routes that name none.
    pub scopes: Vec<String>,
}

/// CORS rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cors {
    /// Origins, `*` for all.
    pub allow_origins: Vec<String>,
    /// Methods.
    pub allow_methods: Vec<String>,
    /// Request headers.
    pub allow_headers: Vec<String>,
    /// Response headers that scripts may read.
    pub expose_headers: Vec<String>,
    /// Whether requests may carry cookies.
    pub allow_credentials: bool,
    /// Seconds for which a preflight's answer holds.
    pub max_age: Option<u32>,
}

/// The longest that an HTTP API waits for an integration.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(30);

pub(crate) fn read(resources: &BTreeMap<String, Resource>, faults: &Faults) -> Option<Api> {
    let mut apis = resources
        .iter()
        .filter(|(_, resource)| resource.kind == "AWS::Serverless::HttpApi");
    let (id, resource) = apis.next()?;
    for (id, _) in apis {
        faults.add(
            &format!("Resources.{id}"),
            "a second HTTP API; the sandbox serves one",
        );
    }
    let at = format!("Resources.{id}.Properties");
    let fields = Fields::new(
        &at,
        &resource.properties,
        &["Auth", "CorsConfiguration", "StageName"],
        &[
            "AccessLogSettings",
            "DefaultRouteSettings",
            "Description",
            "FailOnWarnings",
            "Name",
            "PropagateTags",
            "RouteSettings",
            "Tags",
        ],
        faults,
    );
    let stage = fields
        .text("StageName")
        .unwrap_or_else(|| "$default".to_owned());
    if stage != "$default" {
        fields.fault("only the stage $default is served");
    }
    let auth_at = format!("{at}.Auth");
    let auth = fields.value("Auth").unwrap_or(&Value::Null);
    let auth = Fields::new(
        &auth_at,
        auth,
        &["Authorizers", "DefaultAuthorizer"],
        &[],
        faults,
    );
    let authorizers = auth.value("Authorizers").and_then(Value::as_object);
    Some(Api {
        id: id.clone(),
        api_id: resource.physical_id().to_owned(),
        stage,
        routes: Vec::new(),
        authorizers: authorizers
            .into_iter()
            .flatten()
            .map(|(name, value)| {
                let at = format!("{auth_at}.Authorizers.{name}");
                (name.clone(), authorizer(&at, value, faults))
            })
            .collect(),
        default_authorizer: auth.text("DefaultAuthorizer"),
        cors: fields
            .value("CorsConfiguration")
            .and_then(|value| cors(&format!("{at}.CorsConfiguration"), value, faults)),
    })
}

/// Checks that hold for the whole API: authorizers exist, no route twice.
pub(crate) fn check(api: &Api, faults: &Faults) {
    let at = format!("Resources.{}", api.id);
    let named = api
        .routes
        .iter()
        .filter_map(|route| route.authorizer.as_ref());
    for name in named.chain(&api.default_authorizer) {
        if !api.authorizers.contains_key(name) {
            faults.add(&at, format!("no authorizer {name}"));
        }
    }
    for (index, route) in api.routes.iter().enumerate() {
        if api.routes[..index]
            .iter()
            .any(|other| other.key() == route.key())
        {
            faults.add(&at, format!("two routes {}", route.key()));
        }
    }
}

/// Reads a function's `HttpApi` event into the API's routes.
pub(crate) fn event(
    at: &str,
    properties: &Value,
    function: &str,
    api: Option<&mut Api>,
    faults: &Faults,
) {
    let fields = Fields::new(
        at,
        properties,
        &[
            "ApiId",
            "Auth",
            "Method",
            "Path",
            "PayloadFormatVersion",
            "TimeoutInMillis",
        ],
        &["RouteSettings"],
        faults,
    );
    let Some(api) = api.filter(|api| fields.text("ApiId").as_ref() == Some(&api.api_id)) else {
        fields.fault("ApiId must refer to the template's HTTP API");
        return;
    };
    if fields
        .text("PayloadFormatVersion")
        .is_some_and(|version| version != "2.0")
    {
        fields.fault("only payload format 2.0 is spoken");
    }
    let auth_at = format!("{at}.Auth");
    let auth = fields.value("Auth").unwrap_or(&Value::Null);
    let auth = Fields::new(
        &auth_at,
        auth,
        &["Authorizer", "AuthorizationScopes"],
        &[],
        faults,
    );
    let authorizer = match auth.text("Authorizer").as_deref() {
        Some("NONE") => None,
        Some(name) => Some(name.to_owned()),
        None => api.default_authorizer.clone(),
    };
    let mut scopes = auth.list("AuthorizationScopes");
    if let Some(authorizer) = authorizer
        .as_ref()
        .and_then(|name| api.authorizers.get(name))
        && scopes.is_empty()
    {
        scopes.clone_from(&authorizer.scopes);
    }
    let wait = fields
        .number("TimeoutInMillis")
        .map(|ms| Duration::from_millis(ms.into()));
    let path = match fields.required("Path") {
        path if path == "/$default" => "$default".to_owned(),
        path => path,
    };
    if path != "$default" && !path.starts_with('/') {
        fields.fault("a path starts with a slash");
    }
    let method = fields.required("Method").to_uppercase();
    api.routes.push(Route {
        method: match (method.as_str(), http::Method::from_bytes(method.as_bytes())) {
            ("ANY" | "X-AMAZON-APIGATEWAY-ANY-METHOD", _) => Method::Any,
            (_, Ok(method)) => Method::One(method),
            (_, Err(_)) => {
                fields.fault("not a method");
                Method::Any
            }
        },
        path,
        function: function.to_owned(),
        authorizer,
        scopes,
        timeout: wait.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT),
    });
}

fn authorizer(at: &str, value: &Value, faults: &Faults) -> Authorizer {
    let understood = ["AuthorizationScopes", "IdentitySource", "JwtConfiguration"];
    let fields = Fields::new(at, value, &understood, &[], faults);
    let jwt_at = format!("{at}.JwtConfiguration");
    let jwt = fields.value("JwtConfiguration").unwrap_or(&Value::Null);
    let jwt = Fields::new(&jwt_at, jwt, &["issuer", "audience"], &[], faults);
    let source = fields
        .text("IdentitySource")
        .unwrap_or_else(|| "$request.header.Authorization".to_owned());
    if !source.starts_with("$request.header.") {
        fields.fault("only $request.header.<name> is understood as IdentitySource");
    }
    let audience = jwt.list("audience");
    if audience.is_empty() {
        jwt.fault("audience is required");
    }
    Authorizer {
        issuer: jwt.required("issuer"),
        audience,
        identity_source: source,
        scopes: fields.list("AuthorizationScopes"),
    }
}

fn cors(at: &str, value: &Value, faults: &Faults) -> Option<Cors> {
    if let Value::Bool(all) = value {
        let any = || vec!["*".to_owned()];
        return all.then(|| Cors {
            allow_origins: any(),
            allow_methods: any(),
            allow_headers: any(),
            ..Cors::default()
        });
    }
    let understood = [
        "AllowCredentials",
        "AllowHeaders",
        "AllowMethods",
        "AllowOrigins",
        "ExposeHeaders",
        "MaxAge",
    ];
    let fields = Fields::new(at, value, &understood, &[], faults);
    let cors = Cors {
        allow_origins: fields.list("AllowOrigins"),
        allow_methods: fields.list("AllowMethods"),
        allow_headers: fields.list("AllowHeaders"),
        expose_headers: fields.list("ExposeHeaders"),
        allow_credentials: fields.flag("AllowCredentials").unwrap_or(false),
        max_age: fields.number("MaxAge"),
    };
    if cors.allow_credentials && cors.allow_origins.iter().any(|origin| origin == "*") {
        fields.fault("AllowCredentials does not go with the origin *");
    }
    Some(cors)
}
