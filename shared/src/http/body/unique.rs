//! Keys that stand in an object more than once. RFC 8259 leaves open which of them counts; two
//! readers that choose differently see two different bodies, so nobody gets to choose.

use std::{collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Pointer of the first key that stands twice; none in a body that is not JSON at all, which is
/// told by whoever reads it next.
pub(super) fn first_repeated(bytes: &[u8]) -> Option<String> {
    let mut walk = Walk::default();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let walked = (&mut reader).deserialize_any(&mut walk);
    walked.err().and(walk.repeated)
}

#[derive(Default)]
struct Walk {
    at: Vec<String>,
    repeated: Option<String>,
}

impl<'de> DeserializeSeed<'de> for &mut Walk {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Walk {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            self.at.push(super::escaped(&key));
            if !seen.insert(key) {
                self.repeated = Some(format!("/{}", self.at.join("/")));
                return Err(A::Error::custom("a key stands twice"));
            }
            map.next_value_seed(&mut *self)?;
            self.at.pop();
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        for index in 0_usize.. {
            self.at.push(index.to_string());
            let more = list.next_element_seed(&mut *self)?.is_some();
            self.at.pop();
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a4_a_key_that_stands_twice_is_found_wherever_it_is() {
        for (body, expected) in [
            (r#"{"a":1,"a":2}"#, Some("/a")),
            (
                r#"{"a":{"b":[1,{"c":null,"d":0.5,"c":"x"}]}}"#,
                Some("/a/b/1/c"),
            ),
            (r#"{"a/b":{"~":1,"~":true}}"#, Some("/a~1b/~0")),
            (r#"{"\u0061":1,"a":2}"#, Some("/a")),
            (r#"[{"a":1},{"a":1}]"#, None),
            (r#"{"a":{"a":{"a":-1}}}"#, None),
            ("", None),
            (r#"{"a":1,"#, None),
            ("nonsense", None),
        ] {
            assert_eq!(
                first_repeated(body.as_bytes()).as_deref(),
                expected,
                "{body}"
            );
        }
    }
}
