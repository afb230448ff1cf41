//! Where notifications may go: rules of targets.

use tributary::{
    error::Fault,
    subscription::{Endpoint, Target},
    tenancy::{Account, AccountState, HostingMode},
};

use crate::config::NotificationsConfig;

/// Whether the topic itself delivers to it.
pub(super) const fn is_native(target: &Target) -> bool {
    !matches!(target, Target::Https { .. })
}

/// The topic's word for the kind of a target, and the endpoint; nothing for those that are ours to
/// call.
pub(super) fn protocol(target: &Target) -> Option<(&'static str, &str)> {
    match target {
        Target::Queue { queue_arn } => Some(("sqs", queue_arn)),
        Target::Lambda { function_arn } => Some(("lambda", function_arn)),
        Target::Email { address } => Some(("email", address)),
        Target::Https { .. } => None,
    }
}

/// What is wrong with a target of a tenant that has these accounts.
pub(super) fn fault(
    target: &Target,
    accounts: &[Account],
    config: &NotificationsConfig,
) -> Option<Fault> {
    match target {
        Target::Queue { queue_arn } => {
            let at = "/target/queueArn";
            let Some(queue) = resource(queue_arn, config.partition(), "sqs") else {
                return Some(Fault::new(at, "invalid_arn", "The ARN of an SQS queue."));
            };
            let name = queue.resource.strip_suffix(".fifo");
            if name.is_some() {
                let told = "Notifications come from a standard topic, which a FIFO queue cannot subscribe to.";
                return Some(Fault::new(at, "fifo_queue", told));
            }
            if !is_name(queue.resource, 80) {
                return Some(Fault::new(at, "invalid_arn", "The ARN of an SQS queue."));
            }
            not_theirs(at, queue.account, accounts)
        }
        Target::Lambda { function_arn } => {
            let at = "/target/functionArn";
            let function = resource(function_arn, config.partition(), "lambda");
            let named = function.and_then(|arn| {
                let name = arn.resource.strip_prefix("function:")?;
                is_name(name, 64).then_some(arn.account)
            });
            let Some(account) = named else {
                let told = "The ARN of a Lambda function, without version or alias.";
                return Some(Fault::new(at, "invalid_arn", told));
            };
            not_theirs(at, account, accounts)
        }
        Target::Email { address } => (!is_address(address)).then(|| {
            let told = "An e-mail address of at most 254 characters.";
            Fault::new("/target/address", "invalid_address", told)
        }),
        Target::Https { url } => {
            let refused = Endpoint::parse(url, &config.origins).err()?;
            let told = format!("This address is not called: {refused}.");
            Some(Fault::new("/target/url", refused.code(), told))
        }
    }
}

/// An ARN of a service, in parts.
#[derive(Debug, Clone, Copy)]
struct Resource<'a> {
    account: &'a str,
    resource: &'a str,
}

fn resource<'a>(arn: &'a str, partition: &str, service: &str) -> Option<Resource<'a>> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", given, of, region, account, resource] = parts[..] else {
        return None;
    };
    let is_region = region.contains('-')
        && region
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (given == partition && of == service && is_region && is_account)
        .then_some(Resource { account, resource })
}

fn is_name(name: &str, most: usize) -> bool {
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=most).contains(&name.len()) && name.bytes().all(usual)
}

/// The vendor's accounts hold things of all tenants, so that only the customer's own count; and only
/// while their role is proven.
fn not_theirs(at: &str, account: &str, accounts: &[Account]) -> Option<Fault> {
    let is_theirs = accounts.iter().any(|own| {
        own.aws_account_id == account
            && own.hosting == HostingMode::Customer
            && own.state == AccountState::Verified
    });
    (!is_theirs).then(|| {
        let told = "This is in none of your own AWS accounts that are registered and verified.";
        Fault::new(at, "not_your_account", told)
    })
}

fn is_address(text: &str) -> bool {
    let usual = |byte: u8| byte.is_ascii_graphic() && !b"\"(),:;<>[]\\".contains(&byte);
    let Some((name, host)) = text.split_once('@') else {
        return false;
    };
    let labels = || host.split('.');
    text.len() <= 254
        && (1..=64).contains(&name.len())
        && text.bytes().all(usual)
        && labels().count() > 1
        && labels().all(|label| {
            let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            !label.is_empty() && label.bytes().all(sound)
        })
}

#[cfg(test)]
mod tests {
    use tributary::{
        id::{AccountId, TenantId},
        subscription::Origins,
    };

    use super::*;

    const CUSTOMER: &str = "222222222222";

    pub(super) fn config() -> NotificationsConfig {
        NotificationsConfig {
            topic_arn: "arn:aws:sns:us-east-1:111111111111:notifications".to_owned(),
            dead_letter_queue_arn: "arn:aws:sqs:us-east-1:111111111111:dead".to_owned(),
            delivery_queue_url: "https://sqs.us-east-1.amazonaws.com/111111111111/d".to_owned(),
            origins: Origins::default(),
        }
    }

    fn account(id: &str, hosting: &str, state: &str) -> Account {
        serde_json::from_value(serde_json::json!({
            "id": AccountId::new(), "tenant_id": TenantId::new(), "aws_account_id": id,
            "region": "us-east-1", "hosting": hosting,
            "role_arn": format!("arn:aws:iam::{id}:role/TributaryAccess"), "external_id": "e",
            "state": state, "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z", "version": 1,
        }))
        .unwrap()
    }

    fn code(target: &Target) -> Option<String> {
        let accounts = [
            account(CUSTOMER, "customer", "verified"),
            account("333333333333", "customer", "pending"),
            account("444444444444", "customer", "degraded"),
            account("111111111111", "vendor", "verified"),
        ];
        fault(target, &accounts, &config()).map(|fault| fault.code)
    }

    #[test]
    fn queues_are_in_an_own_account_that_is_verified() {
        let queue = |arn: &str| {
            code(&Target::Queue {
                queue_arn: arn.to_owned(),
            })
        };
        for (arn, expected) in [
            ("arn:aws:sqs:us-east-1:222222222222:inbox", None),
            ("arn:aws:sqs:eu-west-1:222222222222:inbox", None),
            (
                "arn:aws:sqs:us-east-1:222222222222:inbox.fifo",
                Some("fifo_queue"),
            ),
            (
                "arn:aws:sqs:us-east-1:333333333333:inbox",
                Some("not_your_account"),
            ),
            (
                "arn:aws:sqs:us-east-1:444444444444:inbox",
                Some("not_your_account"),
            ),
            (
                "arn:aws:sqs:us-east-1:555555555555:inbox",
                Some("not_your_account"),
            ),
            // Hosting there makes nothing there the tenant's.
            (
                "arn:aws:sqs:us-east-1:111111111111:prod-DeliveryQueue",
                Some("not_your_account"),
            ),
            (
                "arn:aws-cn:sqs:cn-north-1:222222222222:inbox",
                Some("invalid_arn"),
            ),
            (
                "arn:aws:sns:us-east-1:222222222222:inbox",
                Some("invalid_arn"),
            ),
            (
                "arn:aws:sqs:us-east-1:222222222222:in box",
                Some("invalid_arn"),
            ),
            ("arn:aws:sqs:us-east-1:222222222222:", Some("invalid_arn")),
            (
                "arn:aws:sqs:us-east-1:22222222222:inbox",
                Some("invalid_arn"),
            ),
            (
                "https://sqs.us-east-1.amazonaws.com/222222222222/inbox",
                Some("invalid_arn"),
            ),
        ] {
            assert_eq!(queue(arn).as_deref(), expected, "{arn}");
        }
    }

    #[test]
    fn functions_are_named_without_a_version() {
        let function = |arn: &str| {
            code(&Target::Lambda {
                function_arn: arn.to_owned(),
            })
        };
        for (arn, expected) in [
            ("arn:aws:lambda:us-east-1:222222222222:function:told", None),
            (
                "arn:aws:lambda:us-east-1:222222222222:function:told:live",
                Some("invalid_arn"),
            ),
            (
                "arn:aws:lambda:us-east-1:222222222222:layer:told",
                Some("invalid_arn"),
            ),
            (
                "arn:aws:lambda:us-east-1:555555555555:function:told",
                Some("not_your_account"),
            ),
        ] {
            assert_eq!(function(arn).as_deref(), expected, "{arn}");
        }
    }

    #[test]
    fn addresses_of_mail_and_endpoints_are_sound() {
        let mail = |address: &str| {
            code(&Target::Email {
                address: address.to_owned(),
            })
        };
        for sound in ["ann@customer.example", "a.b+c@x-y.example"] {
            assert_eq!(mail(sound), None, "{sound}");
        }
        for bad in [
            "ann",
            "@x.example",
            "a@b",
            "a b@x.example",
            "a@x..example",
            "a@b@x.example",
            "a@x.example\r\nBcc: b",
        ] {
            assert_eq!(mail(bad).as_deref(), Some("invalid_address"), "{bad:?}");
        }
        let https = |url: &str| {
            code(&Target::Https {
                url: url.to_owned(),
            })
        };
        assert_eq!(https("https://hooks.customer.example/t"), None);
        for bad in [
            "http://hooks.customer.example/",
            "https://10.0.0.1/",
            "https://localhost/",
        ] {
            assert!(https(bad).is_some(), "{bad}");
        }
    }
}
