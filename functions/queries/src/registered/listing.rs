//! One list of the vendor's queries and the tenant's, by name.

use tributary::{
    query::{QueryDefinition, RegisteredQuery},
    store::{Key, Page},
};

use crate::statement::{REGISTERED, Registered};

/// A query of the list.
#[derive(Debug, Clone, PartialEq)]
pub enum Listed {
    /// The vendor's.
    BuiltIn(&'static Registered),
    /// The tenant's own.
    Own(Box<RegisteredQuery>),
}

impl Listed {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::BuiltIn(query) => query.name,
            Self::Own(query) => query.name.as_str(),
        }
    }

    /// What it is.
    pub fn definition(&self) -> QueryDefinition {
        match self {
            Self::BuiltIn(query) => query.definition(),
            Self::Own(query) => query.definition.clone(),
        }
    }

    fn sort_key(&self) -> String {
        format!("{}{}", Key::REGISTERED_QUERIES, self.name())
    }
}

/// A page of the tenant's own with the vendor's at their places, still `limit` long at most; `after`
/// is where the page begins.
pub fn merged(own: Page<RegisteredQuery>, after: Option<&str>, limit: usize) -> Page<Listed> {
    let end = own.next;
    let ours = REGISTERED.iter().map(Listed::BuiltIn).filter(|query| {
        let place = query.sort_key();
        let is_here = after.is_none_or(|after| place.as_str() > after);
        is_here && end.as_ref().is_none_or(|end| place < *end)
    });
    let theirs = own
        .items
        .into_iter()
        .map(|query| Listed::Own(Box::new(query)));
    let mut items: Vec<Listed> = theirs.chain(ours).collect();
    items.sort_by(|one, other| one.name().cmp(other.name()));
    let is_cut = items.len() > limit;
    items.truncate(limit);
    let next = if is_cut {
        items.last().map(Listed::sort_key)
    } else {
        end
    };
    Page { items, next }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn own(name: &str) -> RegisteredQuery {
        let definition = json!({ "purpose": "query", "sql": "SELECT 1" });
        RegisteredQuery {
            name: name.parse().unwrap(),
            definition: serde_json::from_value(definition).unwrap(),
            version: 1,
            created_by: "frank".to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    /// The page of a table with these names, as the table would cut it.
    fn cut(names: &[&str], after: Option<&str>, limit: usize) -> Page<RegisteredQuery> {
        let key = |name: &str| format!("{}{name}", Key::REGISTERED_QUERIES);
        let rest = names
            .iter()
            .filter(|name| after.is_none_or(|after| key(name).as_str() > after));
        let items: Vec<RegisteredQuery> = rest.take(limit).map(|name| own(name)).collect();
        let is_full = items.len() == limit;
        let next = items.last().filter(|_| is_full);
        let next = next.map(|query| key(query.name.as_str()));
        Page { items, next }
    }

    #[test]
    fn each_query_comes_once_by_name_whatever_the_limit() {
        for names in [
            &[][..],
            &["a"],
            &["z"],
            &["a", "total-sales-by-cit", "total-sales-by-city-2", "z"],
        ] {
            let mut expected = names.to_vec();
            expected.push("total-sales-by-city");
            expected.sort_unstable();
            for limit in 1..=6 {
                let (mut seen, mut after) = (Vec::new(), None);
                loop {
                    let own = cut(names, after.as_deref(), limit);
                    let page = merged(own, after.as_deref(), limit);
                    assert!(page.items.len() <= limit, "{names:?} {limit}");
                    seen.extend(page.items.iter().map(|query| query.name().to_owned()));
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
                assert_eq!(seen, expected, "{limit}");
            }
        }
    }
}
