//! The query protocol's form.

use std::collections::BTreeMap;

use sandbox_core::AwsCall;

use super::Refused;

/// The parameters of a request, taken out one by one; what is left over is refused.
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads the form from the body, and from the query for `GET`.
    pub(super) fn parse(call: &AwsCall) -> Result<Self, Refused> {
        let source = if call.body.is_empty() {
            call.query.as_bytes()
        } else {
            &call.body
        };
        let mut parameters = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(source) {
            if name.starts_with("X-Amz-") {
                continue;
            }
            if parameters
                .insert(name.clone().into_owned(), value.into_owned())
                .is_some()
            {
                return Err(Refused::validation(format!("{name} is given twice")));
            }
        }
        Ok(Self(parameters))
    }

    /// Takes a parameter.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Takes a list of texts: `Name.member.1`, `Name.member.2`, ...
    pub(super) fn take_texts(&mut self, name: &str) -> Vec<String> {
        (1..)
            .map_while(|at| self.take(&format!("{name}.member.{at}")))
            .collect()
    }

    /// Takes a list of structures with exactly these fields.
    pub(super) fn take_structures<const N: usize>(
        &mut self,
        name: &str,
        fields: [&str; N],
    ) -> Result<Vec<[String; N]>, Refused> {
        let mut list = Vec::new();
        for at in 1.. {
            let values = fields.map(|field| self.take(&format!("{name}.member.{at}.{field}")));
            if values.iter().all(Option::is_none) {
                break;
            }
            if values.iter().any(Option::is_none) {
                return Err(Refused::validation(format!(
                    "{name}.member.{at} needs {}",
                    fields.join(" and ")
                )));
            }
            list.push(values.map(Option::unwrap_or_default));
        }
        Ok(list)
    }

    /// Refuses whatever nobody took.
    pub(super) fn finish(self) -> Result<(), Refused> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(Refused::validation(format!("unknown parameter {name}"))),
        }
    }
}
