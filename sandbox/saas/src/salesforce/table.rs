//! sObjects as tables: fields by descriptor, rows by cell.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::city_sale::{CitySale, record_id};

/// What a field holds, in Salesforce's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Id,
    /// A string of at most so many characters.
    Text(u32),
    Email,
    Boolean,
    /// A number without decimals.
    Int,
    /// Money with two decimals.
    Currency,
    Datetime,
    /// A value with parts, as the header of a change event.
    Complex,
}

impl Kind {
    /// `type` in a describe result.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Text(_) => "string",
            Self::Email => "email",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Currency => "currency",
            Self::Datetime => "datetime",
            Self::Complex => "complexvalue",
        }
    }

    /// `soapType` in a describe result.
    pub(super) fn soap(self) -> &'static str {
        match self {
            Self::Id => "tns:ID",
            Self::Text(_) | Self::Email => "xsd:string",
            Self::Boolean => "xsd:boolean",
            Self::Int => "xsd:int",
            Self::Currency => "xsd:double",
            Self::Datetime => "xsd:dateTime",
            Self::Complex => "urn:ChangeEventHeader",
        }
    }

    /// Maximum length in characters.
    pub(super) fn length(self) -> u32 {
        match self {
            Self::Id => 18,
            Self::Text(length) => length,
            Self::Email => 80,
            _ => 0,
        }
    }
}

/// What a caller of the API may do with a field besides reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Nothing: Salesforce itself fills it.
    Read,
    /// Set and change it.
    Write,
    /// Set it, and find the record of an upsert by it. Its values are unique.
    ExternalId,
    /// Nothing at all: an administrator deleted the field. Its values stay, and nobody sees them.
    Deleted,
}

/// One field of an object.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: Cow<'static, str>,
    pub(super) label: Cow<'static, str>,
    pub(super) kind: Kind,
    pub(super) nillable: bool,
    pub(super) access: Access,
}

const fn made(
    name: &'static str,
    label: &'static str,
    kind: Kind,
    nillable: bool,
    access: Access,
) -> Field {
    Field {
        name: Cow::Borrowed(name),
        label: Cow::Borrowed(label),
        kind,
        nillable,
        access,
    }
}

pub(super) const fn field(
    name: &'static str,
    label: &'static str,
    kind: Kind,
    nillable: bool,
) -> Field {
    made(name, label, kind, nillable, Access::Read)
}

const fn open(name: &'static str, label: &'static str, kind: Kind, nillable: bool) -> Field {
    made(name, label, kind, nillable, Access::Write)
}

const fn external_id(name: &'static str, label: &'static str) -> Field {
    made(name, label, Kind::Text(64), true, Access::ExternalId)
}

impl Field {
    /// Whether anybody can still see it.
    pub(super) fn is_there(&self) -> bool {
        self.access != Access::Deleted
    }

    /// Whether a caller may set it.
    pub(super) fn is_writable(&self) -> bool {
        matches!(self.access, Access::Write | Access::ExternalId)
    }
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Text(String),
    Bool(bool),
    Int(i64),
    Cents(i64),
    Time(Timestamp),
}

impl Cell {
    fn optional<T>(value: Option<T>, cell: impl Fn(T) -> Self) -> Self {
        value.map_or(Self::Null, cell)
    }

    /// As the REST API writes it.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => json!(text),
            Self::Bool(value) => json!(value),
            Self::Int(value) => json!(value),
            Self::Cents(cents) => money(*cents),
            Self::Time(time) => json!(time.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()),
        }
    }
}

/// Cents as a JSON number of units.
fn money(cents: i64) -> Value {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
        .parse::<f64>()
        .map_or(Value::Null, Value::from)
}

/// An object that can be listed, described and queried.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) name: Cow<'static, str>,
    pub(super) label: Cow<'static, str>,
    pub(super) plural: Cow<'static, str>,
    pub(super) prefix: &'static str,
    pub(super) fields: Cow<'static, [Field]>,
    /// Whether Change Data Capture is on for it.
    pub(super) captured: bool,
    /// The records that are computed from the city sales.
    pub(super) rows: fn(&[CitySale]) -> Vec<Vec<Cell>>,
}

impl Object {
    /// The rows, one cell per field.
    pub(super) fn rows(&self, sales: &[CitySale]) -> Vec<Vec<Cell>> {
        (self.rows)(sales)
    }

    /// Position of a field; names are compared without case, as SOQL does.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.fields
            .iter()
            .position(|f| f.is_there() && f.name.eq_ignore_ascii_case(name))
    }

    /// Whether the customer made the object.
    pub(super) fn custom(&self) -> bool {
        self.name.contains("__")
    }

    /// Whether records can be made, changed and deleted through the API.
    pub(super) fn is_writable(&self) -> bool {
        self.fields.iter().any(Field::is_writable)
    }

    /// Whether it is the channel of another object's changes: described, never queried.
    pub(super) fn is_event(&self) -> bool {
        self.name.ends_with("ChangeEvent")
    }
}

/// The objects that every org starts with.
pub(super) static OBJECTS: &[Object] = &[
    Object {
        name: Cow::Borrowed("Account"),
        label: Cow::Borrowed("Account"),
        plural: Cow::Borrowed("Accounts"),
        prefix: "001",
        fields: Cow::Borrowed(&[
            field("Id", "Account ID", Kind::Id, false),
            open("Name", "Account Name", Kind::Text(255), false),
            open("BillingCountry", "Billing Country", Kind::Text(80), true),
            open("AnnualRevenue", "Annual Revenue", Kind::Currency, true),
            open("NumberOfEmployees", "Employees", Kind::Int, true),
            open("Active__c", "Active", Kind::Boolean, true),
            external_id("External_Id__c", "External ID"),
            field("IsDeleted", "Deleted", Kind::Boolean, false),
            field("CreatedDate", "Created Date", Kind::Datetime, false),
            field(
                "LastModifiedDate",
                "Last Modified Date",
                Kind::Datetime,
                false,
            ),
        ]),
        captured: true,
        rows: accounts,
    },
    Object {
        name: Cow::Borrowed("City_Sales__c"),
        label: Cow::Borrowed("City Sales"),
        plural: Cow::Borrowed("City Sales"),
        prefix: "a01",
        fields: Cow::Borrowed(&[
            field("Id", "Record ID", Kind::Id, false),
            field("Name", "City Sales Name", Kind::Text(80), false),
            field("City__c", "City", Kind::Text(120), false),
            field("Country__c", "Country", Kind::Text(80), false),
            field("Country_Code__c", "Country Code", Kind::Text(2), false),
            field("Timezone__c", "Time Zone", Kind::Text(60), false),
            field("Population__c", "Population", Kind::Int, false),
            field("Amount__c", "Amount", Kind::Currency, true),
            field("Units__c", "Units", Kind::Int, false),
            field("Email__c", "Contact Email", Kind::Email, true),
            field("IsDeleted", "Deleted", Kind::Boolean, false),
            field("CreatedDate", "Created Date", Kind::Datetime, false),
            field(
                "LastModifiedDate",
                "Last Modified Date",
                Kind::Datetime,
                false,
            ),
        ]),
        captured: true,
        rows: city_sales,
    },
    Object {
        name: Cow::Borrowed("Contact"),
        label: Cow::Borrowed("Contact"),
        plural: Cow::Borrowed("Contacts"),
        prefix: "003",
        fields: Cow::Borrowed(&[
            field("Id", "Contact ID", Kind::Id, false),
            field("LastName", "Last Name", Kind::Text(80), false),
            field("Email", "Email", Kind::Email, true),
            field("MailingCity", "Mailing City", Kind::Text(120), true),
            field("IsDeleted", "Deleted", Kind::Boolean, false),
            field("CreatedDate", "Created Date", Kind::Datetime, false),
            field(
                "LastModifiedDate",
                "Last Modified Date",
                Kind::Datetime,
                false,
            ),
        ]),
        captured: false,
        rows: contacts,
    },
    Object {
        name: Cow::Borrowed("Product2"),
        label: Cow::Borrowed("Product"),
        plural: Cow::Borrowed("Products"),
        prefix: "01t",
        fields: Cow::Borrowed(&[
            field("Id", "Product ID", Kind::Id, false),
            field("Name", "Product Name", Kind::Text(255), false),
            field("IsActive", "Active", Kind::Boolean, false),
            field("IsDeleted", "Deleted", Kind::Boolean, false),
        ]),
        captured: false,
        rows: products,
    },
];

fn city_sales(sales: &[CitySale]) -> Vec<Vec<Cell>> {
    let row = |sale: &CitySale| {
        let CitySale {
            id,
            name,
            city,
            country,
            country_code,
            timezone,
            population,
            amount_cents,
            units,
            email,
            created,
            last_modified,
            is_deleted,
        } = sale.clone();
        vec![
            Cell::Text(id),
            Cell::Text(name),
            Cell::Text(city),
            Cell::Text(country),
            Cell::Text(country_code),
            Cell::Text(timezone),
            Cell::Int(population),
            Cell::optional(amount_cents, Cell::Cents),
            Cell::Int(units),
            Cell::optional(email, Cell::Text),
            Cell::Bool(is_deleted),
            Cell::Time(created),
            Cell::Time(last_modified),
        ]
    };
    sales.iter().map(row).collect()
}

/// One distributor per country, with the sum of its sales as revenue.
fn accounts(sales: &[CitySale]) -> Vec<Vec<Cell>> {
    let mut countries = std::collections::BTreeMap::<&str, (&CitySale, i64)>::new();
    for sale in sales.iter().filter(|s| !s.is_deleted) {
        countries.entry(&sale.country).or_insert((sale, 0)).1 +=
            sale.amount_cents.unwrap_or_default();
    }
    (1..)
        .zip(countries)
        .map(|(number, (country, (first, revenue)))| {
            vec![
                Cell::Text(record_id("001", number)),
                Cell::Text(format!("{country} Sports Distribution")),
                Cell::Text(country.to_owned()),
                Cell::Cents(revenue),
                Cell::Null,
                Cell::Bool(true),
                Cell::Null,
                Cell::Bool(false),
                Cell::Time(first.created),
                Cell::Time(first.last_modified),
            ]
        })
        .collect()
}

/// The people behind the addresses of the first two hundred records.
fn contacts(sales: &[CitySale]) -> Vec<Vec<Cell>> {
    (1..)
        .zip(sales.iter().take(200))
        .map(|(number, sale)| {
            vec![
                Cell::Text(record_id("003", number)),
                Cell::Text(format!("Buyer {number}")),
                Cell::optional(sale.email.clone(), Cell::Text),
                Cell::Text(sale.city.clone()),
                Cell::Bool(false),
                Cell::Time(sale.created),
                Cell::Time(sale.last_modified),
            ]
        })
        .collect()
}

fn products(_: &[CitySale]) -> Vec<Vec<Cell>> {
    (1..)
        .zip(["Racket", "Running Shoe", "Football", "Swim Goggles", "Ski"])
        .map(|(number, name)| {
            vec![
                Cell::Text(record_id("01t", number)),
                Cell::Text(name.to_owned()),
                Cell::Bool(name != "Ski"),
                Cell::Bool(false),
            ]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_every_object_has_one_cell_per_field_and_null_only_where_allowed() {
        let sales = super::super::city_sales();
        for object in OBJECTS {
            let rows = object.rows(&sales);
            assert!(!rows.is_empty(), "{}", object.name);
            assert_eq!(object.fields[0].kind, Kind::Id, "{}", object.name);
            for row in rows {
                assert_eq!(row.len(), object.fields.len(), "{}", object.name);
                for (field, cell) in object.fields.iter().zip(&row) {
                    assert!(field.nillable || *cell != Cell::Null, "{}", field.name);
                }
            }
        }
    }

    #[test]
    fn money_and_times_are_written_as_the_rest_api_writes_them() {
        assert_eq!(Cell::Cents(-5).to_json().to_string(), "-0.05");
        assert_eq!(Cell::Cents(123_450).to_json().to_string(), "1234.5");
        assert_eq!(Cell::Cents(50_000_010).to_json().to_string(), "500000.1");
        let time = "2024-03-01T10:00:00Z".parse().unwrap();
        assert_eq!(Cell::Time(time).to_json(), "2024-03-01T10:00:00.000+0000");
    }
}
