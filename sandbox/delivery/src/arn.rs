//! ARNs taken apart.

/// `arn:aws:<service>:<region>:<account>:<resource>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arn<'a> {
    pub(crate) service: &'a str,
    pub(crate) account: &'a str,
    pub(crate) resource: &'a str,
}

impl<'a> Arn<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", "aws", service, _, account, resource] if !resource.is_empty() => Some(Self {
                service,
                account,
                resource,
            }),
            _ => None,
        }
    }

    /// The function name of `function:<name>[:<qualifier>]`.
    pub(crate) fn function(self) -> Option<&'a str> {
        let name = self.resource.strip_prefix("function:")?;
        (self.service == "lambda").then(|| name.split(':').next().unwrap_or(name))
    }

    /// The bus name of `event-bus/<name>`.
    pub(crate) fn bus(self) -> Option<&'a str> {
        let name = self.resource.strip_prefix("event-bus/")?;
        (self.service == "events").then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_and_buses_are_read_and_other_text_is_not() {
        let arn = |text| Arn::parse(text).unwrap();
        let function = arn("arn:aws:lambda:us-east-1:111111111111:function:RunEvents:live");
        assert_eq!(function.function(), Some("RunEvents"));
        let bus = arn("arn:aws:events:us-east-1:111111111111:event-bus/customers");
        assert_eq!(
            (bus.bus(), bus.account),
            (Some("customers"), "111111111111")
        );
        assert_eq!(bus.function(), None);
        assert_eq!(Arn::parse("arn:aws:sqs"), None);
        assert_eq!(Arn::parse("https://example.com"), None);
    }
}
