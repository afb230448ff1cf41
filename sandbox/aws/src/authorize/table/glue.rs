//! Glue's catalogue: an action on a table needs the table, its database and the catalogue; a list needs
//! all that may stand in it.

use super::{Ask, Need, Unmapped};

/// Operations, and the members that name database and table.
const CATALOGUE: [(&str, &str, &str); 8] = [
    ("CreateDatabase", "", ""),
    ("CreateTable", "DatabaseName", ""),
    ("DeleteTable", "DatabaseName", "Name"),
    ("GetDatabase", "Name", ""),
    ("GetDatabases", "", ""),
    ("GetTable", "DatabaseName", "Name"),
    ("GetTables", "DatabaseName", ""),
    ("UpdateTable", "DatabaseName", ""),
];

pub(super) fn needs(ask: &Ask<'_>) -> Result<Vec<Need>, Unmapped> {
    let (operation, database, table) = CATALOGUE
        .into_iter()
        .find(|(name, _, _)| *name == ask.operation)
        .ok_or(Unmapped::Operation)?;
    let mut resources = vec!["catalog".to_owned()];
    if operation == "GetDatabases" {
        resources.push("database/*".to_owned());
    }
    if !database.is_empty() {
        let database = ask.text(database);
        resources.push(format!("database/{database}"));
        if operation == "GetTables" {
            resources.push(format!("table/{database}/*"));
        }
        let given = ask.body["TableInput"]["Name"].as_str();
        if let Some(table) = ask.body[table].as_str().or(given) {
            resources.push(format!("table/{database}/{table}"));
        }
    }
    let need =
        |resource: String| Need::new(&format!("glue:{operation}"), &ask.arn("glue", &resource));
    Ok(resources.into_iter().map(need).collect())
}
