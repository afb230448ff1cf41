//! The system views, filled from the catalogue for whoever asks.
//!
//! Columns are those of the Database Developer Guide, shortened where this stand-in has nothing to
//! say. Row-level security's and the roles' views are for superusers (the guide: `sys:secadmin`);
//! anybody else is refused. The others show what the asking user may know of.

use rusqlite::types::Value;

use crate::{
    catalog::{Actor, Catalog, Grantee, Privilege, Table, User},
    error::SqlError,
    sql::token::render,
    types::SqlType,
};

/// Where system views live.
pub(crate) const SCHEMA: &str = "pg_catalog";

/// A row of a system view.
pub(crate) type Row = Vec<Value>;

/// What a view shows.
enum Content {
    /// For superusers only.
    Guarded(fn(&Catalog, &str) -> Vec<Row>),
    /// For everybody, cut to what the asking actor may know of.
    Open(fn(&Catalog, &str, &Actor) -> Vec<Row>),
}

struct View {
    name: &'static str,
    columns: &'static [(&'static str, SqlType)],
    content: Content,
}

const TEXT: SqlType = SqlType::Varchar(256);
const BOOL: SqlType = SqlType::Boolean;
const INT: SqlType = SqlType::Integer;

const VIEWS: [View; 10] = [
    View {
        name: "session_roles",
        columns: &[("name", TEXT), ("roleid", INT)],
        content: Content::Open(session_roles),
    },
    View {
        name: "svv_column_privileges",
        columns: &[
            ("namespace_name", TEXT),
            ("relation_name", TEXT),
            ("column_name", TEXT),
            ("privilege_type", TEXT),
            ("identity_name", TEXT),
            ("identity_type", TEXT),
        ],
        content: Content::Open(column_privileges),
    },
    View {
        name: "svv_columns",
        columns: &[
            ("table_catalog", TEXT),
            ("table_schema", TEXT),
            ("table_name", TEXT),
            ("column_name", TEXT),
            ("ordinal_position", INT),
            ("data_type", TEXT),
            ("is_nullable", TEXT),
        ],
        content: Content::Open(columns_of_tables),
    },
    View {
        name: "svv_rls_attached_policy",
        columns: &[
            ("relschema", TEXT),
            ("relname", TEXT),
            ("relkind", TEXT),
            ("polname", TEXT),
            ("grantor", TEXT),
            ("grantee", TEXT),
            ("granteekind", TEXT),
            ("is_pol_on", BOOL),
            ("is_rls_on", BOOL),
            ("rls_conjunction_type", SqlType::Char(3)),
        ],
        content: Content::Guarded(attached_policies),
    },
    View {
        name: "svv_rls_policy",
        columns: &[
            ("polname", TEXT),
            ("polalias", TEXT),
            ("polatts", TEXT),
            ("polqual", SqlType::Varchar(65535)),
            ("polenabled", BOOL),
        ],
        content: Content::Guarded(policies),
    },
    View {
        name: "svv_rls_relation",
        columns: &[
            ("datname", TEXT),
            ("relschema", TEXT),
            ("relname", TEXT),
            ("relkind", TEXT),
            ("is_rls_on", BOOL),
            ("rls_conjunction_type", SqlType::Char(3)),
        ],
        content: Content::Guarded(protected_relations),
    },
    View {
        name: "svv_role_grants",
        columns: &[("role_name", TEXT), ("granted_role_name", TEXT)],
        content: Content::Guarded(role_grants),
    },
    View {
        name: "svv_roles",
        columns: &[("role_id", INT), ("role_name", TEXT), ("role_owner", TEXT)],
        content: Content::Guarded(roles),
    },
    View {
        name: "svv_tables",
        columns: &[
            ("table_catalog", TEXT),
            ("table_schema", TEXT),
            ("table_name", TEXT),
            ("table_type", TEXT),
        ],
        content: Content::Open(tables),
    },
    View {
        name: "svv_user_grants",
        columns: &[
            ("user_name", TEXT),
            ("role_name", TEXT),
            ("admin_option", BOOL),
        ],
        content: Content::Open(user_grants),
    },
];

fn view(schema: &str, name: &str) -> Option<&'static View> {
    VIEWS
        .iter()
        .find(|view| schema == SCHEMA && view.name == name)
}

/// Whether there is such a view.
pub(crate) fn has(schema: &str, name: &str) -> bool {
    view(schema, name).is_some()
}

/// Columns of a system view; none if there is no such view.
pub(crate) fn columns(schema: &str, name: &str) -> &'static [(&'static str, SqlType)] {
    view(schema, name).map_or(&[], |view| view.columns)
}

/// Rows of a system view, as far as the actor may see them.
pub(crate) fn rows(
    catalog: &Catalog,
    database: &str,
    actor: &Actor,
    name: &str,
) -> Result<Vec<Row>, SqlError> {
    let missing = || SqlError::NoRelation(name.to_owned());
    match (&view(SCHEMA, name).ok_or_else(missing)?.content, actor) {
        (Content::Open(rows), actor) => Ok(rows(catalog, database, actor)),
        (Content::Guarded(rows), Actor::Superuser) => Ok(rows(catalog, database)),
        (Content::Guarded(_), Actor::User(_)) => Err(SqlError::denied("relation", name)),
    }
}

fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

fn flag(value: bool) -> Value {
    Value::Integer(value.into())
}

fn number(value: usize) -> Value {
    i64::try_from(value).map_or(Value::Null, Value::Integer)
}

/// Roles have no numbers here; their place in the alphabet will do.
fn role_id(catalog: &Catalog, role: &str) -> Value {
    let at = catalog.roles.iter().position(|known| known == role);
    at.map_or(Value::Null, |at| number(100_000 + at))
}

fn identity(grantee: &Grantee) -> (&str, &'static str) {
    match grantee {
        Grantee::Public => ("public", "public"),
        Grantee::Role(name) => (name, "role"),
        Grantee::User(name) => (name, "user"),
        Grantee::Policy(name) => (name, "rls policy"),
    }
}

fn session_roles(catalog: &Catalog, _: &str, actor: &Actor) -> Vec<Row> {
    let Actor::User(user) = actor else {
        return Vec::new();
    };
    let roles = catalog.session_roles(user);
    let row = |role: String| vec![text(&role), role_id(catalog, &role)];
    roles.into_iter().map(row).collect()
}

fn roles(catalog: &Catalog, _: &str) -> Vec<Row> {
    let row = |role: &String| vec![role_id(catalog, role), text(role), text("IAM:root")];
    catalog.roles.iter().map(row).collect()
}

fn role_grants(catalog: &Catalog, _: &str) -> Vec<Row> {
    let mut list = Vec::new();
    for (holder, granted) in &catalog.membership.granted {
        if let Grantee::Role(role) = holder {
            list.extend(granted.iter().map(|inner| vec![text(role), text(inner)]));
        }
    }
    list
}

/// Everybody sees their own grants, superusers all of them.
fn user_grants(catalog: &Catalog, _: &str, actor: &Actor) -> Vec<Row> {
    let mut list = Vec::new();
    let granted = catalog.membership.granted.iter();
    let granted = granted.filter_map(|(holder, roles)| match holder {
        Grantee::User(name) => Some((name, roles)),
        _ => None,
    });
    for (name, roles) in granted.chain(&catalog.membership.of_directory) {
        let own = match actor {
            Actor::Superuser => true,
            Actor::User(user) => user.name == *name,
        };
        let rows = roles
            .iter()
            .map(|role| vec![text(name), text(role), flag(false)]);
        list.extend(rows.filter(|_| own));
    }
    list
}

fn policies(catalog: &Catalog, _: &str) -> Vec<Row> {
    let all = catalog.policies.iter();
    all.map(|(name, policy)| {
        let columns: Vec<serde_json::Value> = policy
            .columns
            .iter()
            .map(|(column, ty)| serde_json::json!({ "colname": column, "type": ty.text() }))
            .collect();
        vec![
            text(name),
            policy.alias.clone().map_or(Value::Null, text),
            text(serde_json::Value::from(columns).to_string()),
            text(render(&policy.using)),
            flag(true),
        ]
    })
    .collect()
}

fn attached_policies(catalog: &Catalog, _: &str) -> Vec<Row> {
    let mut list = Vec::new();
    for (schema, name, table) in catalog.relations() {
        for (policy, grantee) in &table.attached {
            let (holder, kind) = identity(grantee);
            list.push(vec![
                text(schema),
                text(name),
                text(table.kind.name()),
                text(policy),
                text("IAM:root"),
                text(holder),
                text(kind),
                flag(true),
                flag(table.row_security.is_some()),
                text(table.row_security.map_or("and", |how| how.name())),
            ]);
        }
    }
    list
}

fn protected_relations(catalog: &Catalog, database: &str) -> Vec<Row> {
    let protected = catalog
        .relations()
        .filter_map(|(schema, name, table)| Some((schema, name, table, table.row_security?)));
    protected
        .map(|(schema, name, table, how)| {
            vec![
                text(database),
                text(schema),
                text(name),
                text(table.kind.name()),
                flag(true),
                text(how.name()),
            ]
        })
        .collect()
}

fn column_privileges(catalog: &Catalog, _: &str, actor: &Actor) -> Vec<Row> {
    let mut list = Vec::new();
    for (schema, name, table) in catalog.relations() {
        for ((privilege, grantee), columns) in &table.privileges.of_columns {
            let own = match actor {
                Actor::Superuser => true,
                Actor::User(user) => catalog.grantees(user).contains(grantee),
            };
            let (holder, kind) = identity(grantee);
            for column in columns.iter().filter(|_| own) {
                list.push(vec![
                    text(schema),
                    text(name),
                    text(column),
                    text(privilege.name()),
                    text(holder),
                    text(kind),
                ]);
            }
        }
    }
    list
}

/// Relations of which the actor may know, with the columns it may know of.
fn known<'a>(
    catalog: &'a Catalog,
    actor: &'a Actor,
) -> impl Iterator<Item = (&'a str, &'a str, &'a Table)> {
    catalog.relations().filter(move |(schema, name, _)| {
        let knows = |user: &User| catalog.knows(user, schema, name);
        matches!(actor, Actor::Superuser) || matches!(actor, Actor::User(user) if knows(user))
    })
}

fn tables(catalog: &Catalog, database: &str, actor: &Actor) -> Vec<Row> {
    let row = |(schema, name, table): (&str, &str, &Table)| {
        let kind = if table.kind.query().is_some() {
            "VIEW"
        } else {
            "BASE TABLE"
        };
        vec![text(database), text(schema), text(name), text(kind)]
    };
    known(catalog, actor).map(row).collect()
}

fn columns_of_tables(catalog: &Catalog, database: &str, actor: &Actor) -> Vec<Row> {
    let mut list = Vec::new();
    for (schema, name, table) in known(catalog, actor) {
        for (at, column) in table.columns.iter().enumerate() {
            let shown = match actor {
                Actor::Superuser => true,
                Actor::User(user) => [Privilege::Select, Privilege::Update, Privilege::Insert]
                    .into_iter()
                    .filter_map(|privilege| catalog.may(user, (schema, name), privilege).ok())
                    .any(|reached| reached.has(&column.name)),
            };
            if shown {
                list.push(vec![
                    text(database),
                    text(schema),
                    text(name),
                    text(&column.name),
                    number(at + 1),
                    text(column.ty.text()),
                    text(if column.required { "NO" } else { "YES" }),
                ]);
            }
        }
    }
    list
}
