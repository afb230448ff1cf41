//! The ways to connect to each application: AppFlow user guide, the page of each connector, and the
//! members of its credentials and properties in the service model 2020-08-23.

use super::{
    AuthKind::{
        self, ApiKey, Basic, Custom, OauthAuthorizationCode, OauthClientCredentials,
        OauthJwtBearer, OauthPassword, Roles,
    },
    Form, Method, PropertyNeed,
};
use crate::connection::TokenOwner::{self, Appflow, Nobody, Tributary};

/// Longest text of a credential in AppFlow.
const SECRET: usize = 512;

const fn field(name: &'static str, form: Form, description: &'static str) -> PropertyNeed {
    PropertyNeed {
        name,
        description,
        required: true,
        max_length: SECRET,
        secret: false,
        form,
    }
}

const fn secret(name: &'static str, description: &'static str) -> PropertyNeed {
    PropertyNeed {
        secret: true,
        ..field(name, Form::Text, description)
    }
}

const fn optional(field: PropertyNeed) -> PropertyNeed {
    PropertyNeed {
        required: false,
        ..field
    }
}

const fn up_to(max_length: usize, field: PropertyNeed) -> PropertyNeed {
    PropertyNeed {
        max_length,
        ..field
    }
}

const USERNAME: PropertyNeed = field("username", Form::Text, "Name of the user.");
const PASSWORD: PropertyNeed = secret("password", "Password of the user.");
const CLIENT_ID: PropertyNeed = field("clientId", Form::Word, "Client id of your own app.");
const CLIENT_SECRET: PropertyNeed = secret("clientSecret", "Client secret of your own app.");
const INSTANCE_URL: PropertyNeed = up_to(
    256,
    field("instanceUrl", Form::Origin, "Address of the instance."),
);

const fn method(kind: AuthKind, token_owners: &'static [TokenOwner]) -> Method {
    Method {
        kind,
        properties: &[],
        credentials: &[],
        token_owners,
        discouraged: false,
        open: false,
        custom_type: None,
    }
}

const fn with(kind: AuthKind, credentials: &'static [PropertyNeed]) -> Method {
    Method {
        credentials,
        ..method(kind, &[Nobody])
    }
}

const fn custom(custom_type: &'static str, credentials: &'static [PropertyNeed]) -> Method {
    Method {
        custom_type: Some(custom_type),
        ..with(Custom, credentials)
    }
}

/// A consent whose refresh token only we may use: the provider rotates it, ends it at a refresh, or
/// the profile has no place for it.
const OURS: Method = method(OauthAuthorizationCode, &[Tributary]);
/// A consent whose refresh token AppFlow may have instead of us.
const EITHER: Method = method(OauthAuthorizationCode, &[Tributary, Appflow]);

/// A service of AWS that is reached with the account's own rights.
pub(super) const WITHOUT_CONNECTION: &[Method] = &[method(AuthKind::None, &[Nobody])];

pub(super) const SALESFORCE: &[Method] = &[
    OURS,
    Method {
        credentials: &[CLIENT_ID, CLIENT_SECRET],
        ..method(OauthClientCredentials, &[Tributary])
    },
    Method {
        credentials: &[
            CLIENT_ID,
            USERNAME,
            up_to(
                8192,
                PropertyNeed {
                    form: Form::Pem,
                    ..secret(
                        "privateKey",
                        "RSA private key whose certificate the app has: PKCS #8 in PEM.",
                    )
                },
            ),
        ],
        ..method(OauthJwtBearer, &[Tributary])
    },
    Method {
        credentials: &[
            CLIENT_ID,
            CLIENT_SECRET,
            USERNAME,
            secret(
                "password",
                "Password of the user, with the security token behind it where the organisation wants one.",
            ),
        ],
        discouraged: true,
        ..method(OauthPassword, &[Tributary])
    },
];

pub(super) const PARDOT: &[Method] = &[Method {
    properties: &[up_to(
        18,
        field(
            "businessUnitId",
            Form::BusinessUnit,
            "Business unit of Account Engagement.",
        ),
    )],
    ..OURS
}];

pub(super) const SERVICE_NOW: &[Method] = &[EITHER, with(Basic, &[USERNAME, PASSWORD])];
/// AppFlow's profile has no place for a refresh token, and the provider ends it at each use.
pub(super) const ZENDESK: &[Method] = &[OURS];
pub(super) const SLACK: &[Method] = &[OURS];

/// AppFlow gets the tokens itself, from the client that the customer gives it.
pub(super) const MARKETO: &[Method] = &[Method {
    credentials: &[CLIENT_ID, CLIENT_SECRET],
    ..method(OauthClientCredentials, &[Appflow])
}];

pub(super) const SAP_ODATA: &[Method] = &[Method {
    properties: &[
        up_to(
            256,
            field(
                "applicationHostUrl",
                Form::Origin,
                "Address of the SAP system.",
            ),
        ),
        field(
            "applicationServicePath",
            Form::Path,
            "Path of the catalogue service.",
        ),
        up_to(
            5,
            field("portNumber", Form::Port, "Port of the SAP system."),
        ),
        up_to(3, field("clientNumber", Form::SapClient, "SAP client.")),
        up_to(
            2,
            optional(field(
                "logonLanguage",
                Form::Language,
                "Language to log on in.",
            )),
        ),
    ],
    ..with(Basic, &[USERNAME, PASSWORD])
}];

pub(super) const VEEVA: &[Method] = &[with(Basic, &[USERNAME, PASSWORD])];
pub(super) const DATADOG: &[Method] = &[Method {
    properties: &[INSTANCE_URL],
    ..with(
        ApiKey,
        &[
            secret("apiKey", "API key."),
            secret("applicationKey", "Application key."),
        ],
    )
}];
pub(super) const DYNATRACE: &[Method] = &[Method {
    properties: &[INSTANCE_URL],
    ..with(ApiKey, &[secret("apiToken", "API token.")])
}];
pub(super) const INFOR_NEXUS: &[Method] = &[Method {
    properties: &[INSTANCE_URL],
    ..with(
        ApiKey,
        &[
            field("accessKeyId", Form::Word, "Access key id."),
            field("userId", Form::Word, "User id."),
            secret("secretAccessKey", "Secret access key."),
            secret("datakey", "Data key."),
        ],
    )
}];
pub(super) const SINGULAR: &[Method] = &[with(ApiKey, &[secret("apiKey", "API key.")])];
pub(super) const TREND_MICRO: &[Method] =
    &[with(ApiKey, &[secret("apiSecretKey", "API secret key.")])];
pub(super) const AMPLITUDE: &[Method] = &[with(
    ApiKey,
    &[
        secret("apiKey", "API key."),
        secret("secretKey", "Secret key."),
    ],
)];
pub(super) const GOOGLE: &[Method] = &[EITHER];
pub(super) const GOOGLE_ADS: &[Method] = &[Method {
    properties: &[
        field(
            "developerToken",
            Form::Word,
            "Developer token of the manager account. AppFlow keeps and shows it as a property.",
        ),
        field("apiVersion", Form::Word, "Version of the Google Ads API."),
        optional(field("managerID", Form::Word, "Id of the manager account.")),
    ],
    ..EITHER
}];
pub(super) const HUBSPOT: &[Method] = &[EITHER];
pub(super) const MICROSOFT: &[Method] = &[OURS];
pub(super) const ASANA: &[Method] = &[
    custom("PAT", &[secret("patToken", "Personal access token.")]),
    OURS,
];
/// Its OAuth tokens do not end and are not refreshed.
pub(super) const GITHUB: &[Method] = &[
    custom(
        "BasicAuthPersonalAccessToken",
        &[
            USERNAME,
            secret("personalAccessToken", "Personal access token."),
        ],
    ),
    OURS,
];
pub(super) const MAILCHIMP: &[Method] = &[custom("api_key", &[secret("api_key", "API key.")])];
pub(super) const JDBC: &[Method] = &[custom(
    "CUSTOM",
    &[
        field(
            "driver",
            Form::OneOf(&["postgresql", "mysql"]),
            "Which database it is.",
        ),
        field("hostname", Form::Word, "Host of the database."),
        up_to(5, field("port", Form::Port, "Port of the database.")),
        USERNAME,
        PASSWORD,
        field("database", Form::Word, "Name of the database."),
    ],
)];
pub(super) const RDS_POSTGRESQL: &[Method] = &[custom(
    "CUSTOM",
    &[
        field(
            "driver",
            Form::OneOf(&["postgresql"]),
            "Which database it is.",
        ),
        field("hostname", Form::Word, "Host of the database."),
        up_to(5, field("port", Form::Port, "Port of the database.")),
        USERNAME,
        PASSWORD,
        field("database", Form::Word, "Name of the database."),
    ],
)];
pub(super) const MARKETING_CLOUD: &[Method] = MARKETO;

const CONNECTOR_LABEL: PropertyNeed = up_to(
    256,
    field(
        "connectorLabel",
        Form::Word,
        "AppFlow's label of the connector in the account.",
    ),
);

/// Connectors that are not in the catalogue say themselves what they need: names besides these go to
/// AppFlow as they are.
pub(super) const CUSTOM: &[Method] = &[
    Method {
        properties: &[
            CONNECTOR_LABEL,
            field(
                "customAuthenticationType",
                Form::Word,
                "The connector's name of the way to connect.",
            ),
        ],
        open: true,
        ..with(Custom, &[])
    },
    Method {
        properties: &[CONNECTOR_LABEL],
        open: true,
        ..with(Basic, &[USERNAME, PASSWORD])
    },
    Method {
        properties: &[CONNECTOR_LABEL],
        open: true,
        ..with(
            ApiKey,
            &[
                up_to(256, secret("apiKey", "API key.")),
                up_to(256, optional(secret("apiSecretKey", "API secret key."))),
            ],
        )
    },
    Method {
        properties: &[
            CONNECTOR_LABEL,
            up_to(
                256,
                field("tokenUrl", Form::Address, "Where AppFlow gets tokens."),
            ),
        ],
        open: true,
        credentials: &[CLIENT_ID, CLIENT_SECRET],
        ..method(OauthClientCredentials, &[Appflow])
    },
];

pub(super) const SNOWFLAKE: &[Method] = &[Method {
    properties: &[
        field("warehouse", Form::Text, "Warehouse that loads."),
        field(
            "stage",
            Form::Text,
            "External stage: <database>.<schema>.<stage>.",
        ),
        up_to(
            63,
            field("bucketName", Form::Word, "Bucket behind the stage."),
        ),
        optional(field(
            "bucketPrefix",
            Form::Word,
            "Prefix within that bucket.",
        )),
        field("accountName", Form::Word, "Snowflake account."),
        up_to(
            64,
            optional(field("region", Form::Word, "Region of the account.")),
        ),
    ],
    ..with(Basic, &[USERNAME, PASSWORD])
}];

pub(super) const REDSHIFT: &[Method] = &[Method {
    properties: &[
        up_to(
            63,
            field(
                "bucketName",
                Form::Word,
                "Bucket in which AppFlow stages what Redshift loads.",
            ),
        ),
        optional(field(
            "bucketPrefix",
            Form::Word,
            "Prefix within that bucket.",
        )),
        field(
            "roleArn",
            Form::Role,
            "Role with which Redshift reads the staged files.",
        ),
        field(
            "dataApiRoleArn",
            Form::Role,
            "Role with which AppFlow uses the Redshift Data API.",
        ),
        field(
            "workgroupName",
            Form::Word,
            "Redshift Serverless workgroup.",
        ),
        field("databaseName", Form::Word, "Database in that workgroup."),
    ],
    ..method(Roles, &[Nobody])
}];
