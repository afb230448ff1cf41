//! Members that are objects and nothing else.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

/// Reads an object. Serde takes a list for one too, member by member: where every member may be
/// absent, an empty list would do.
pub fn object<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_map(Object(PhantomData))
}

/// Reads an object that may be null.
pub fn optional_object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    #[derive(Deserialize)]
    #[serde(bound = "T: Deserialize<'de>")]
    struct Wrapped<T>(#[serde(deserialize_with = "object")] T);
    let wrapped = Option::<Wrapped<T>>::deserialize(deserializer)?;
    Ok(wrapped.map(|Wrapped(value)| value))
}

struct Object<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use crate::http::body::parse;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Inner {
        word: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        #[serde(default, deserialize_with = "object")]
        whole: Inner,
        #[serde(default, deserialize_with = "optional_object")]
        part: Option<Inner>,
    }

    #[test]
    fn a4_only_an_object_is_one() {
        let inner = |word: &str| Inner {
            word: word.to_owned(),
        };
        for (body, whole, part) in [
            ("{}", "", None),
            (r#"{"whole":{},"part":null}"#, "", None),
            (r#"{"whole":{"word":"a"},"part":{}}"#, "a", Some("")),
        ] {
            let expected = Outer {
                whole: inner(whole),
                part: part.map(inner),
            };
            assert_eq!(parse::<Outer>(body.as_bytes()).unwrap(), expected, "{body}");
        }
        for (body, pointer) in [
            (r#"{"whole":[]}"#, "/whole"),
            (r#"{"whole":null}"#, "/whole"),
            (r#"{"part":["a"]}"#, "/part"),
            (r#"{"part":{"word":1}}"#, "/part/word"),
        ] {
            let error = parse::<Outer>(body.as_bytes()).unwrap_err();
            assert_eq!(error.faults()[0].pointer, pointer, "{body}");
        }
    }
}
