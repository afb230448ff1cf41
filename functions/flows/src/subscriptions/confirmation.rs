//! Messages with which SNS asks whether an endpoint wants to be subscribed (scenario N7).
//!
//! Nothing that such a message says is followed: no address in it is ever called, and it proves
//! nothing by itself. Its token is handed to SNS, which knows whose it is. What is checked before is
//! whether the message can be SNS's and about our topic at all.

use serde::Deserialize;
use tributary::error::Fault;
use url::Url;
use utoipa::ToSchema;

use crate::config::NotificationsConfig;

/// Longest token.
const TOKEN_LENGTH: usize = 1024;

/// The message, whole, as the queue or the function got it from SNS.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "all of it comes from outside")]
pub(crate) struct ConfirmationMessage {
    /// `SubscriptionConfirmation`.
    #[serde(rename = "Type")]
    unverified_type: String,
    /// The topic.
    #[serde(rename = "TopicArn")]
    unverified_topic_arn: String,
    /// What confirms.
    #[serde(rename = "Token")]
    unverified_token: String,
    /// Where SNS's certificate is.
    #[serde(rename = "SigningCertURL", alias = "SigningCertUrl")]
    unverified_signing_cert_url: String,
    /// What a person would follow.
    #[serde(rename = "SubscribeURL", alias = "SubscribeUrl")]
    unverified_subscribe_url: String,
}

impl ConfirmationMessage {
    /// The token, if everything around it is as SNS writes it for our topic.
    pub(super) fn token(&self, config: &NotificationsConfig) -> Result<&str, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut refuse = |pointer: &str, code: &str, told: &str| {
            faults.push(Fault::new(pointer, code, told));
        };
        if self.unverified_type != "SubscriptionConfirmation" {
            refuse("/Type", "not_a_confirmation", "SubscriptionConfirmation.");
        }
        if self.unverified_topic_arn != config.topic_arn {
            refuse("/TopicArn", "another_topic", "The topic of this service.");
        }
        let usual = |byte: u8| byte.is_ascii_alphanumeric();
        let token = &self.unverified_token;
        if token.is_empty() || token.len() > TOKEN_LENGTH || !token.bytes().all(usual) {
            refuse("/Token", "invalid_token", "A token of SNS.");
        }
        let host = host(config);
        let is_certificate = |url: &Url| {
            let file = url.path().strip_prefix("/SimpleNotificationService-");
            file.is_some_and(|file| file.strip_suffix(".pem").is_some())
        };
        if !of_sns(&self.unverified_signing_cert_url, &host).is_some_and(|url| is_certificate(&url))
        {
            let told = format!("A certificate at https://{host}/.");
            refuse("/SigningCertURL", "not_signed_by_aws", &told);
        }
        let confirms = |url: &Url| {
            let asked = [
                ("Action", "ConfirmSubscription"),
                ("TopicArn", config.topic_arn.as_str()),
                ("Token", token),
            ];
            let said = |name: &str| url.query_pairs().find(|(given, _)| given == name);
            asked
                .iter()
                .all(|(name, value)| said(name).is_some_and(|(_, said)| said == *value))
        };
        if !of_sns(&self.unverified_subscribe_url, &host).is_some_and(|url| confirms(&url)) {
            let told = format!("The link to https://{host}/ with the same topic and token.");
            refuse("/SubscribeURL", "not_an_address_of_aws", &told);
        }
        if faults.is_empty() {
            return Ok(token);
        }
        Err(faults)
    }
}

/// The one host of SNS in the topic's Region.
fn host(config: &NotificationsConfig) -> String {
    let suffix = match config.partition() {
        "aws-cn" => "amazonaws.com.cn",
        _ => "amazonaws.com",
    };
    format!("sns.{}.{suffix}", config.region())
}

/// An address of SNS itself, without anything that readers of addresses disagree about.
fn of_sns(unverified: &str, host: &str) -> Option<Url> {
    if !unverified.starts_with(&format!("https://{host}/")) || unverified.contains('\\') {
        return None;
    }
    let url = Url::parse(unverified).ok()?;
    let plain = url.scheme() == "https"
        && url.host_str() == Some(host)
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    plain.then_some(url)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tributary::subscription::Origins;

    use super::*;

    const TOPIC: &str = "arn:aws:sns:us-east-1:111111111111:notifications";
    const CERTIFICATE: &str =
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-01.pem";

    fn message() -> Value {
        json!({
            "Type": "SubscriptionConfirmation",
            "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
            "Token": "2336412f37",
            "TopicArn": TOPIC,
            "Message": "You have chosen to subscribe",
            "SubscribeURL": format!("https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"),
            "Timestamp": "2026-01-01T00:00:00.000Z",
            "SignatureVersion": "1",
            "Signature": "EXAMPLE",
            "SigningCertURL": CERTIFICATE,
        })
    }

    fn refused(change: (&str, &str)) -> Vec<String> {
        let mut message = message();
        message[change.0] = change.1.into();
        let message: ConfirmationMessage = serde_json::from_value(message).unwrap();
        let config = NotificationsConfig {
            topic_arn: TOPIC.to_owned(),
            dead_letter_queue_arn: String::new(),
            delivery_queue_url: String::new(),
            origins: Origins::default(),
        };
        match message.token(&config) {
            Ok(token) => {
                assert_eq!(token, "2336412f37");
                Vec::new()
            }
            Err(faults) => faults.into_iter().map(|fault| fault.pointer).collect(),
        }
    }

    #[test]
    fn a_message_as_sns_writes_it_is_taken() {
        assert!(refused(("Type", "SubscriptionConfirmation")).is_empty());
    }

    #[test]
    fn n7_a_signing_address_that_is_not_awss_is_refused() {
        for forged in [
            "https://sns.us-east-1.amazonaws.com.evil.example/SimpleNotificationService-01.pem",
            "http://sns.us-east-1.amazonaws.com/SimpleNotificationService-01.pem",
            "https://sns.us-east-1.amazonaws.com@evil.example/SimpleNotificationService-01.pem",
            "https://user@sns.us-east-1.amazonaws.com/SimpleNotificationService-01.pem",
            "https://sns.us-east-1.amazonaws.com:8443/SimpleNotificationService-01.pem",
            "https://sns.us-east-1.amazonaws.com:443/SimpleNotificationService-01.pem",
            "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-01.pem",
            "https://s3.us-east-1.amazonaws.com/SimpleNotificationService-01.pem",
            "https://evil.example/SimpleNotificationService-01.pem",
            "https://sns.us-east-1.amazonaws.com\\.evil.example/SimpleNotificationService-01.pem",
            "https://sns.us-east-1.amazonaws.com/evil.pem",
            "HTTPS://sns.us-east-1.amazonaws.com/SimpleNotificationService-01.pem",
            "",
        ] {
            let faults = refused(("SigningCertURL", forged));
            assert_eq!(faults, ["/SigningCertURL"], "{forged}");
        }
    }

    #[test]
    fn n7_another_topic_another_link_and_another_type_are_refused() {
        let link = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription";
        for (member, value, expected) in [
            ("Type", "Notification", vec!["/Type"]),
            (
                "TopicArn",
                "arn:aws:sns:us-east-1:999999999999:notifications",
                vec!["/TopicArn"],
            ),
            ("Token", "", vec!["/Token", "/SubscribeURL"]),
            ("Token", "2336&TopicArn=x", vec!["/Token", "/SubscribeURL"]),
            ("Token", "99", vec!["/SubscribeURL"]),
            (
                "SubscribeURL",
                "https://evil.example/?Action=ConfirmSubscription",
                vec!["/SubscribeURL"],
            ),
            ("SubscribeURL", link, vec!["/SubscribeURL"]),
            (
                "SubscribeURL",
                "http://169.254.169.254/",
                vec!["/SubscribeURL"],
            ),
        ] {
            assert_eq!(refused((member, value)), expected, "{member} {value}");
        }
    }
}
