//! What is in the warehouse, as far as a person may see it.

use aws_sdk_redshiftdata::types::ColumnMetadata;
use serde::Serialize;
use tributary::error::Error;
use utoipa::ToSchema;

use super::{
    Call, UserWarehouse, error_of,
    name::{Name, Search, is_system},
};

/// Most columns that are asked for at once.
const COLUMNS_AT_ONCE: i32 = 1000;
/// A table has 1,600 columns at most: two pages, and one more for a warehouse that cuts them smaller.
const COLUMN_PAGES: usize = 3;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// What is in it. Fewer than were asked for may be there, and none, although there are more.
    pub items: Vec<T>,
    /// The Data API's token of the next page.
    pub next_token: Option<String>,
}

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WarehouseTable)]
pub struct Table {
    /// Its schema.
    #[schema(example = "public")]
    pub schema: String,
    /// Its name.
    #[schema(example = "city_sales")]
    pub name: String,
    /// What it is, in Redshift's words, in lower case.
    #[serde(rename = "type")]
    #[schema(example = "table")]
    pub kind: String,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WarehouseColumn)]
pub struct TableColumn {
    /// Its name.
    #[schema(example = "amount")]
    pub name: String,
    /// Redshift's name of its type.
    #[serde(rename = "type")]
    #[schema(example = "numeric")]
    pub kind: String,
    /// Digits of a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 12)]
    pub precision: Option<i32>,
    /// Digits of a number behind the point.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 2)]
    pub scale: Option<i32>,
    /// Longest text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 256)]
    pub length: Option<i32>,
    /// Whether it may be null; absent where the warehouse does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = true)]
    pub nullable: Option<bool>,
}

impl UserWarehouse {
    /// Schemas that the user may use.
    pub async fn schemas(
        &self,
        search: Option<&Search>,
        with_system: bool,
        limit: i32,
        token: Option<String>,
    ) -> Result<Listed<String>, Error> {
        let pattern = search.map(Search::pattern);
        let answer = self.list_schemas(pattern, limit, token).await?;
        let is_wanted = |name: &String| {
            (with_system || !is_system(name)) && search.is_none_or(|search| search.finds(name))
        };
        Ok(Listed {
            items: answer.items.into_iter().filter(is_wanted).collect(),
            ..answer
        })
    }

    /// Whether there is a schema of this name that the user may use.
    pub async fn has_schema(&self, name: &Name) -> Result<bool, Error> {
        let mut token = None;
        loop {
            let page = self.list_schemas(Some(name.pattern()), COLUMNS_AT_ONCE, token);
            let page = page.await?;
            if page.items.iter().any(|found| found == name.as_str()) {
                return Ok(true);
            }
            token = page.next_token;
            if token.is_none() {
                return Ok(false);
            }
        }
    }

    async fn list_schemas(
        &self,
        pattern: Option<String>,
        limit: i32,
        token: Option<String>,
    ) -> Result<Listed<String>, Error> {
        let answer = self
            .call(Call::List, |client| {
                client
                    .list_schemas()
                    .workgroup_name(&self.config.workgroup)
                    .database(&self.config.database)
                    .set_schema_pattern(pattern.clone())
                    .max_results(limit)
                    .set_next_token(token.clone())
                    .send()
            })
            .await?
            .map_err(|refusal| error_of(Call::List, &refusal))?;
        Ok(Listed {
            items: answer.schemas.unwrap_or_default(),
            next_token: present(answer.next_token),
        })
    }

    /// Tables of a schema that the user may see.
    pub async fn tables(
        &self,
        schema: &Name,
        search: Option<&Search>,
        limit: i32,
        token: Option<String>,
    ) -> Result<Listed<Table>, Error> {
        let answer = self
            .call(Call::List, |client| {
                client
                    .list_tables()
                    .workgroup_name(&self.config.workgroup)
                    .database(&self.config.database)
                    .schema_pattern(schema.pattern())
                    .set_table_pattern(search.map(Search::pattern))
                    .max_results(limit)
                    .set_next_token(token.clone())
                    .send()
            })
            .await?
            .map_err(|refusal| error_of(Call::List, &refusal))?;
        let tables = answer.tables.unwrap_or_default().into_iter();
        let tables = tables.map(|member| Table {
            schema: member.schema.unwrap_or_default(),
            name: member.name.unwrap_or_default(),
            kind: member.r#type.unwrap_or_default().to_lowercase(),
        });
        let is_wanted = |table: &Table| {
            table.schema == schema.as_str() && search.is_none_or(|search| search.finds(&table.name))
        };
        Ok(Listed {
            items: tables.filter(is_wanted).collect(),
            next_token: present(answer.next_token),
        })
    }

    /// The columns of a table, all of them. A table that is not there and one that the user may not
    /// see are the same: not found.
    pub async fn columns(&self, schema: &Name, table: &Name) -> Result<Vec<TableColumn>, Error> {
        let (mut columns, mut token) = (Vec::new(), None);
        for _ in 0..COLUMN_PAGES {
            let here: Option<String> = token.take();
            let answer = self
                .call(Call::Table, |client| {
                    client
                        .describe_table()
                        .workgroup_name(&self.config.workgroup)
                        .database(&self.config.database)
                        .schema(schema.as_str())
                        .table(table.as_str())
                        .max_results(COLUMNS_AT_ONCE)
                        .set_next_token(here.clone())
                        .send()
                })
                .await?
                .map_err(|refusal| error_of(Call::Table, &refusal))?;
            let page = answer.column_list.unwrap_or_default();
            columns.extend(page.into_iter().map(column));
            token = present(answer.next_token);
            if token.is_none() {
                break;
            }
        }
        if columns.is_empty() {
            return Err(Error::not_found());
        }
        Ok(columns)
    }
}

fn present(token: Option<String>) -> Option<String> {
    token.filter(|token| !token.is_empty())
}

fn column(metadata: ColumnMetadata) -> TableColumn {
    let positive = |number: i32| (number > 0).then_some(number);
    let precision = positive(metadata.precision);
    TableColumn {
        name: metadata.name.unwrap_or_default(),
        kind: metadata.type_name.unwrap_or_default(),
        precision,
        scale: precision.map(|_| metadata.scale),
        length: positive(metadata.length),
        nullable: match metadata.nullable {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_column_says_what_is_known_of_it() {
        let metadata = || {
            ColumnMetadata::builder()
                .name("amount")
                .type_name("numeric")
        };
        let shown = |metadata: ColumnMetadata| serde_json::to_value(column(metadata)).unwrap();
        assert_eq!(
            shown(
                metadata()
                    .precision(12)
                    .scale(0)
                    .nullable(0)
                    .length(8)
                    .build()
            ),
            json!({
                "name": "amount", "type": "numeric", "precision": 12, "scale": 0, "length": 8,
                "nullable": false,
            })
        );
        assert_eq!(
            shown(metadata().nullable(2).build()),
            json!({ "name": "amount", "type": "numeric" })
        );
    }
}
