//! What an application says about its objects and fields, through AppFlow and a cache of our own.

mod fields;

use std::sync::Arc;

use jiff::Timestamp;
use tributary::{
    aws::Refusal,
    connection::Connection,
    connector::Connector,
    error::{Error, Fault},
    id::{ConnectionId, TenantId},
};

use super::{
    appflow,
    cache::{Cache, Known},
    entity::describe_version,
    row,
};
use crate::{TenantApp, appflow::refused, compile::known::Field};

/// Most objects that a search goes through.
const SEARCHED: usize = 20_000;
/// Objects in a page of a search's reading.
const SEARCH_PAGE: i32 = 1000;

/// What was asked. The tenant comes first; the generation makes answers of another consent void.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Asked {
    tenant: TenantId,
    connection: ConnectionId,
    generation: u64,
    api_version: Option<String>,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum What {
    Fields(String),
    Page {
        path: Option<String>,
        limit: usize,
        after: Option<String>,
    },
    All {
        path: Option<String>,
    },
}

/// An answer of an application.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    Fields(Arc<[Field]>),
    Objects(Arc<Objects>),
}

/// Answers of applications.
pub(crate) type Discovered = Cache<Asked, Said>;

/// A page of an application's objects.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    pub(super) items: Vec<Object>,
    pub(super) next: Option<String>,
}

/// An object of an application.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Object {
    pub(super) name: String,
    pub(super) label: Option<String>,
    pub(super) group: String,
    pub(super) has_nested: bool,
}

/// Asks about one connection in one version of the application's API.
pub(crate) struct Discovery<'a> {
    app: &'a TenantApp,
    connection: &'a Connection,
    api_version: Option<String>,
}

/// How old what is told of fields may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Age {
    /// As our cache or AppFlow's has it.
    Any,
    /// As the application has it now.
    Now,
}

/// The fields of an object, as flows can use them.
pub(crate) async fn fields(
    app: &TenantApp,
    connection: &Connection,
    entity: &str,
    api_version: Option<&str>,
    age: Age,
) -> Result<Arc<[Field]>, Error> {
    let discovery = Discovery::new(app, connection, api_version.map(str::to_owned))?;
    if age == Age::Now {
        discovery.reset(None, Some(entity.to_owned())).await?;
    }
    Ok(discovery.fields(entity).await?.value)
}

impl<'a> Discovery<'a> {
    /// Fails where the connector's row and the named version do not fit.
    pub(super) fn new(
        app: &'a TenantApp,
        connection: &'a Connection,
        named: Option<String>,
    ) -> Result<Self, Error> {
        let api_version = version(row(connection)?, named).map_err(|fault| {
            Error::malformed(
                "malformed_query",
                "The query string cannot be read.",
                vec![fault],
            )
        })?;
        Ok(Self {
            app,
            connection,
            api_version,
        })
    }

    /// Names what is asked for, for cursors.
    pub(super) fn list(&self, path: Option<&str>, search: Option<&str>) -> String {
        let part = |part: Option<&str>| {
            part.map_or_else(|| "-".to_owned(), |text| format!("{}:{text}", text.len()))
        };
        format!(
            "entities/{}/{}/{}/{}",
            self.connection.id,
            part(self.api_version.as_deref()),
            part(path),
            part(search)
        )
    }

    pub(super) fn api_version(&self) -> Option<&str> {
        self.api_version.as_deref()
    }

    pub(super) async fn fields(&self, entity: &str) -> Result<Known<Arc<[Field]>>, Error> {
        let asked = self.asked(What::Fields(entity.to_owned()));
        if let Some(Known {
            value: Said::Fields(value),
            since,
        }) = self.cache().get(&asked, Timestamp::now())
        {
            return Ok(Known { value, since });
        }
        let client = appflow(self.app, self.connection).await?;
        let profile = &self.connection.profile_name;
        let described = describe_version(&client, profile, entity, self.api_version()).await?;
        let row = row(self.connection)?;
        let value: Arc<[Field]> = described
            .into_iter()
            .map(|field| fields::of(field, row))
            .collect();
        let bytes = value.iter().map(fields::size).sum();
        let known = self
            .cache()
            .put(asked, Said::Fields(value.clone()), bytes, Timestamp::now());
        Ok(Known {
            value,
            since: known.since,
        })
    }

    /// A page of objects, by AppFlow's own token.
    pub(super) async fn page(
        &self,
        path: Option<String>,
        limit: usize,
        after: Option<String>,
    ) -> Result<Known<Arc<Objects>>, Error> {
        let asked = self.asked(What::Page {
            path: path.clone(),
            limit,
            after: after.clone(),
        });
        if let Some(known) = self.known_objects(&asked) {
            return Ok(known);
        }
        let client = appflow(self.app, self.connection).await?;
        let size = i32::try_from(limit).unwrap_or(i32::MAX);
        let page = self.read(&client, path, size, after).await?;
        Ok(self.keep(asked, page))
    }

    /// Every object at a path, for searches: AppFlow has none.
    pub(super) async fn all(&self, path: Option<String>) -> Result<Known<Arc<Objects>>, Error> {
        let asked = self.asked(What::All { path: path.clone() });
        if let Some(known) = self.known_objects(&asked) {
            return Ok(known);
        }
        let client = appflow(self.app, self.connection).await?;
        let mut all = Objects::default();
        loop {
            let page = self
                .read(&client, path.clone(), SEARCH_PAGE, all.next.take())
                .await?;
            all.items.extend(page.items);
            all.next = page.next;
            if all.next.is_none() || all.items.len() >= SEARCHED {
                break;
            }
        }
        all.items.sort();
        all.items.dedup();
        Ok(self.keep(asked, all))
    }

    /// Forgets what is known here and in AppFlow.
    pub(super) async fn reset(
        &self,
        path: Option<String>,
        entity: Option<String>,
    ) -> Result<(), Error> {
        let (tenant, connection) = (self.connection.tenant_id, self.connection.id);
        let client = appflow(self.app, self.connection).await?;
        let profile = &self.connection.profile_name;
        client
            .reset_connector_metadata_cache()
            .connector_profile_name(profile)
            .set_connector_entity_name(entity)
            .set_entities_path(path)
            .set_api_version(self.api_version.clone())
            .send()
            .await
            .map_err(|error| refused("ResetConnectorMetadataCache", Refusal::of(&error)))?;
        self.cache()
            .forget(|asked| asked.tenant == tenant && asked.connection == connection);
        Ok(())
    }

    async fn read(
        &self,
        client: &aws_sdk_appflow::Client,
        path: Option<String>,
        size: i32,
        after: Option<String>,
    ) -> Result<Objects, Error> {
        let goes_on = after.is_some();
        let answer = client
            .list_connector_entities()
            .connector_profile_name(&self.connection.profile_name)
            .max_results(size)
            .set_next_token(after)
            .set_entities_path(path)
            .set_api_version(self.api_version.clone())
            .send()
            .await;
        let page = answer.map_err(|error| {
            let refusal = Refusal::of(&error);
            // AppFlow's tokens end; what it says then is about the token and nothing else.
            if goes_on && refusal.is("ValidationException") {
                let detail = "This cursor does not work any more. Begin again.";
                let fault = Fault::new("query:cursor", "invalid_cursor", detail);
                return Error::malformed(
                    "malformed_query",
                    "The query string cannot be read.",
                    vec![fault],
                );
            }
            refused("ListConnectorEntities", refusal)
        })?;
        let groups = page.connector_entity_map.into_iter();
        let mut items: Vec<Object> = groups
            .flat_map(|(group, entities)| {
                entities.into_iter().map(move |entity| Object {
                    name: entity.name,
                    label: entity.label,
                    group: group.clone(),
                    has_nested: entity.has_nested_entities,
                })
            })
            .collect();
        // Groups come in no order; within a page, names do.
        items.sort();
        Ok(Objects {
            items,
            next: page.next_token,
        })
    }

    fn known_objects(&self, asked: &Asked) -> Option<Known<Arc<Objects>>> {
        match self.cache().get(asked, Timestamp::now())? {
            Known {
                value: Said::Objects(value),
                since,
            } => Some(Known { value, since }),
            Known {
                value: Said::Fields(_),
                ..
            } => None,
        }
    }

    fn keep(&self, asked: Asked, objects: Objects) -> Known<Arc<Objects>> {
        let size = |object: &Object| {
            96 + object.name.len()
                + object.group.len()
                + object.label.as_ref().map_or(0, String::len)
        };
        let bytes = objects.items.iter().map(size).sum();
        let value = Arc::new(objects);
        let known = self.cache().put(
            asked,
            Said::Objects(Arc::clone(&value)),
            bytes,
            Timestamp::now(),
        );
        Known {
            value,
            since: known.since,
        }
    }

    fn cache(&self) -> &Discovered {
        &self.app.discovered
    }

    fn asked(&self, what: What) -> Asked {
        Asked {
            tenant: self.connection.tenant_id,
            connection: self.connection.id,
            generation: self.connection.generation,
            api_version: self.api_version.clone(),
            what,
        }
    }
}

/// The version of the application's API that is meant.
fn version(row: &Connector, named: Option<String>) -> Result<Option<String>, Fault> {
    let fault = |code: &str, detail: String| Fault::new("query:apiVersion", code, detail);
    match (row.api_version, named) {
        (None, Some(_)) => Err(fault(
            "not_offered",
            format!("{} has no versions to name.", row.label),
        )),
        (Some(_), Some(named)) => {
            let sound = (1..=256).contains(&named.len())
                && named.bytes().all(|byte| byte.is_ascii_graphic());
            sound.then_some(Some(named)).ok_or_else(|| {
                fault(
                    "malformed",
                    "1 to 256 characters without blanks.".to_owned(),
                )
            })
        }
        (Some(versions), None) if versions.default.is_some() => {
            Ok(versions.default.map(str::to_owned))
        }
        (Some(versions), None) if versions.required => {
            let known = versions.known.join(", ");
            Err(fault(
                "required",
                format!("{} needs a version of its API (known: {known}).", row.label),
            ))
        }
        (_, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use tributary::connector;

    use super::*;

    #[test]
    fn versions_are_named_where_the_row_says_so() {
        let named = |row, named: Option<&str>| {
            version(row, named.map(str::to_owned)).map_err(|fault| fault.code)
        };
        assert_eq!(named(&connector::SALESFORCE, None), Ok(None));
        assert_eq!(
            named(&connector::SALESFORCE, Some("v58.0")),
            Ok(Some("v58.0".to_owned()))
        );
        assert_eq!(named(&connector::ASANA, None), Ok(Some("1.0".to_owned())));
        assert_eq!(named(&connector::HUBSPOT, None), Err("required".to_owned()));
        assert_eq!(
            named(&connector::HUBSPOT, Some("v3")),
            Ok(Some("v3".to_owned()))
        );
        assert_eq!(
            named(&connector::HUBSPOT, Some("v 3")),
            Err("malformed".to_owned())
        );
        assert_eq!(
            named(&connector::SERVICE_NOW, Some("v1")),
            Err("not_offered".to_owned())
        );
        assert_eq!(named(&connector::SERVICE_NOW, None), Ok(None));
    }
}
