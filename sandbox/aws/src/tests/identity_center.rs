//! Trusted identity propagation: the exchange, and the session that carries the person.

mod issuer;
mod limits;
mod set_up;

use std::sync::Arc;

use http::Method;
use jiff::Timestamp;
use sandbox_core::DirectoryUser;
use serde_json::{Value, json};

use self::issuer::Issuer;
use super::support::{FUNCTION_ROLE, World, element};
use crate::{Credentials, DirectoryEntry, IdentityCenter, Role};

const APPLICATION: &str =
    "arn:aws:sso::111111111111:application/ssoins-1111aaaa2222bbbb/apl-3333cccc4444dddd";
const USER_ROLE: &str = "arn:aws:iam::111111111111:role/app/warehouse-user";
const PROVIDER: &str = "arn:aws:iam::aws:contextProvider/IdentityCenter";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

fn entry(name: &str, assigned: bool, enabled: bool) -> DirectoryEntry {
    DirectoryEntry {
        user: DirectoryUser {
            user_id: format!("id-{name}"),
            user_name: name.into(),
            groups: vec!["apac-sales".into()],
        },
        email: format!("{name}@sports.example"),
        assigned,
        enabled,
    }
}

fn configuration(issuer: &Issuer, users: Vec<DirectoryEntry>) -> IdentityCenter {
    IdentityCenter {
        application_arn: APPLICATION.into(),
        issuer: issuer.url.clone(),
        audiences: vec!["client".into(), "other".into()],
        jwks_url: format!("{}/jwks", issuer.url),
        users,
    }
}

async fn world() -> (World, Issuer) {
    let world = World::start().await;
    let issuer = Issuer::start().await;
    let mut twin = entry("twin2", true, true);
    twin.email = "twin@sports.example".into();
    world.aws.configure_identity_center(configuration(
        &issuer,
        vec![
            entry("ming", true, true),
            entry("alex", false, true),
            entry("gone", true, false),
            entry("twin", true, true),
            twin,
        ],
    ));
    (world, issuer)
}

async fn create_token(world: &World, who: &Credentials, body: Value) -> (u16, String, Value) {
    let response = world
        .request(who, "sso-oauth", Method::POST, "/token?aws_iam=t")
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    let kind = response
        .headers()
        .get("x-amzn-errortype")
        .map(|value| value.to_str().unwrap().to_owned())
        .unwrap_or_default();
    (status, kind, response.json().await.unwrap())
}

fn exchange(assertion: &str) -> Value {
    json!({"clientId": APPLICATION, "grantType": JWT_BEARER, "assertion": assertion})
}

#[tokio::test]
async fn a_token_is_exchanged_once_and_never_again() {
    let (world, issuer) = world().await;
    let function = world.function();
    let token = issuer.token(&issuer.claims("j1"));
    let (status, _, answer) = create_token(&world, &function, exchange(&token)).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        (&answer["tokenType"], &answer["expiresIn"]),
        (&json!("Bearer"), &json!(3600))
    );
    let context = answer["awsAdditionalDetails"]["identityContext"]
        .as_str()
        .unwrap();
    assert_eq!(
        world.aws.options.canaries.found_in(context),
        ["identity context"]
    );
    let (status, kind, answer) = create_token(&world, &function, exchange(&token)).await;
    assert_eq!(
        (status, kind.as_str(), &answer["error"]),
        (400, "InvalidGrantException", &json!("invalid_grant"))
    );
}

#[tokio::test]
async fn of_simultaneous_exchanges_of_one_token_one_wins() {
    let (world, issuer) = world().await;
    let world = Arc::new(world);
    let function = world.function();
    let token = issuer.token(&issuer.claims("race"));
    let mut racers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (world, function, token) = (Arc::clone(&world), function.clone(), token.clone());
        racers.spawn(async move { create_token(&world, &function, exchange(&token)).await.0 });
    }
    let won = racers
        .join_all()
        .await
        .into_iter()
        .filter(|status| *status == 200)
        .count();
    assert_eq!(won, 1);
}

#[tokio::test]
async fn every_flaw_of_an_assertion_is_refused_with_its_error() {
    let (world, issuer) = world().await;
    let function = world.function();
    let now = Timestamp::now().as_second();
    let with = |name: &str, value: Value| {
        let mut claims = issuer.claims(&format!("flaw-{name}-{value}"));
        claims[name] = value;
        issuer.token(&claims)
    };
    let without = |name: &str| {
        let mut claims = issuer.claims(&format!("without-{name}"));
        claims.as_object_mut().unwrap().remove(name);
        issuer.token(&claims)
    };
    let good = issuer.claims("header");
    let other_key = Issuer::start().await.token(&issuer.claims("other-key"));
    for (what, assertion, expected) in [
        (
            "issuer",
            with("iss", json!("https://other.example")),
            "InvalidGrantException",
        ),
        (
            "audience",
            with("aud", json!("stranger")),
            "InvalidGrantException",
        ),
        (
            "expired",
            with("exp", json!(now - 1)),
            "ExpiredTokenException",
        ),
        (
            "not yet",
            with("nbf", json!(now + 60)),
            "InvalidGrantException",
        ),
        (
            "nobody",
            with("email", json!("nobody@sports.example")),
            "InvalidGrantException",
        ),
        (
            "two people",
            with("email", json!("twin@sports.example")),
            "InvalidGrantException",
        ),
        (
            "disabled",
            with("email", json!("gone@sports.example")),
            "InvalidGrantException",
        ),
        (
            "not assigned",
            with("email", json!("alex@sports.example")),
            "AccessDeniedException",
        ),
        ("no exp", without("exp"), "InvalidGrantException"),
        ("no jti", without("jti"), "InvalidGrantException"),
        ("no aud", without("aud"), "InvalidGrantException"),
        ("no iss", without("iss"), "InvalidGrantException"),
        ("no email", without("email"), "InvalidGrantException"),
        (
            "unknown kid",
            issuer.sign(&json!({"alg": "RS256", "kid": "k2"}), &good),
            "InvalidGrantException",
        ),
        (
            "RS512",
            issuer.sign(&json!({"alg": "RS512", "kid": "k1"}), &good),
            "InvalidGrantException",
        ),
        (
            "none",
            issuer.sign(&json!({"alg": "none", "kid": "k1"}), &good),
            "InvalidGrantException",
        ),
        ("forged", other_key, "InvalidGrantException"),
        ("garbage", "not.a.jwt".to_owned(), "InvalidGrantException"),
    ] {
        let (status, kind, answer) = create_token(&world, &function, exchange(&assertion)).await;
        assert_eq!((status, kind.as_str()), (400, expected), "{what}: {answer}");
        assert!(answer["error"].is_string(), "{what}");
    }
    // None of the refusals used the token up.
    assert_eq!(
        create_token(&world, &function, exchange(&issuer.token(&good)))
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn the_request_itself_must_be_right() {
    let (world, issuer) = world().await;
    let function = world.function();
    let token = issuer.token(&issuer.claims("request"));
    let with = |name: &str, value: Value| {
        let mut ask = exchange(&token);
        ask[name] = value;
        ask
    };
    for (ask, status, error) in [
        (
            with(
                "clientId",
                json!("arn:aws:sso::111111111111:application/x/y"),
            ),
            401,
            "invalid_client",
        ),
        (
            with("grantType", json!("authorization_code")),
            400,
            "unsupported_grant_type",
        ),
        (
            with("scope", json!(["openid", "martian"])),
            400,
            "invalid_scope",
        ),
        (
            json!({"clientId": APPLICATION, "grantType": JWT_BEARER}),
            400,
            "invalid_request",
        ),
        (json!({"grantType": JWT_BEARER}), 400, "invalid_request"),
        (
            json!({"clientId": APPLICATION, "grantType": "refresh_token"}),
            400,
            "invalid_request",
        ),
    ] {
        let (got, _, answer) = create_token(&world, &function, ask.clone()).await;
        assert_eq!(
            (got, answer["error"].as_str()),
            (status, Some(error)),
            "{ask}"
        );
    }
    let customer = world.aws.admin_credentials("222222222222");
    let (status, kind, answer) = create_token(&world, &customer, exchange(&token)).await;
    assert_eq!((status, kind.as_str()), (400, "AccessDeniedException"));
    assert!(
        answer.get("error").is_none(),
        "an IAM refusal has no OAuth error: {answer}"
    );
}

#[tokio::test]
async fn a_refresh_token_works_once_and_only_while_the_person_may() {
    let (world, issuer) = world().await;
    let function = world.function();
    let token = issuer.token(&issuer.claims("refresh"));
    let (_, _, first) = create_token(&world, &function, exchange(&token)).await;
    let refresh = |from: &Value| {
        json!({
            "clientId": APPLICATION, "grantType": "refresh_token", "refreshToken": from["refreshToken"],
        })
    };
    let (status, _, second) = create_token(&world, &function, refresh(&first)).await;
    assert_eq!(status, 200);
    assert_ne!(
        second["awsAdditionalDetails"],
        first["awsAdditionalDetails"]
    );
    assert_eq!(
        create_token(&world, &function, refresh(&first)).await.1,
        "InvalidGrantException"
    );
    world
        .aws
        .configure_identity_center(configuration(&issuer, vec![entry("ming", true, false)]));
    assert_eq!(
        create_token(&world, &function, refresh(&second)).await.1,
        "InvalidGrantException"
    );
}

#[tokio::test]
async fn the_context_makes_a_session_on_behalf_of_the_person() {
    let (world, issuer) = world().await;
    let function = world.function();
    world.aws.put_role(Role {
        arn: USER_ROLE.into(),
        trust_policy: json!({"Statement": [{
            "Effect": "Allow", "Principal": {"AWS": FUNCTION_ROLE},
            "Action": ["sts:AssumeRole", "sts:SetContext"],
            "Condition": {
                "ArnEquals": {"sts:RequestContext/identitycenter:ApplicationArn": APPLICATION},
                "Null": {"sts:RequestContext/identitystore:UserId": "false"},
                "ForAllValues:ArnEquals": {"sts:RequestContextProviders": [PROVIDER]},
            },
        }]}),
        identity_policies: vec![],
        max_session_seconds: 3600,
    });
    let token = issuer.token(&issuer.claims("whole-way"));
    let (_, _, answer) = create_token(&world, &function, exchange(&token)).await;
    let context = answer["awsAdditionalDetails"]["identityContext"]
        .as_str()
        .unwrap();
    let assume = |provider: &'static str, assertion: String| {
        let (world, function) = (&world, &function);
        async move {
            let mut parameters = vec![
                ("Action", "AssumeRole"),
                ("Version", "2011-06-15"),
                ("RoleArn", USER_ROLE),
                ("RoleSessionName", "u-id-ming"),
            ];
            if !assertion.is_empty() {
                parameters.push(("ProvidedContexts.member.1.ProviderArn", provider));
                parameters.push(("ProvidedContexts.member.1.ContextAssertion", &assertion));
            }
            world.form(function, &parameters).await
        }
    };
    for (provider, assertion) in [
        (PROVIDER, String::new()),
        (PROVIDER, "forged-assertion".to_owned()),
        (PROVIDER, format!("{context}x")),
        (
            "arn:aws:iam::aws:contextProvider/QuickSight",
            context.to_owned(),
        ),
    ] {
        let (status, xml) = assume(provider, assertion.clone()).await;
        assert_eq!(
            (status, element(&xml, "Code")),
            (403, "AccessDenied"),
            "{assertion}"
        );
    }
    let (status, xml) = assume(PROVIDER, context.to_owned()).await;
    assert_eq!(status, 200, "{xml}");
    assert_eq!(
        element(&xml, "Arn"),
        "arn:aws:sts::111111111111:assumed-role/warehouse-user/u-id-ming"
    );
    let session = world
        .aws
        .credentials
        .session(element(&xml, "AccessKeyId"))
        .unwrap();
    let user = session.principal.on_behalf_of.unwrap();
    assert_eq!(
        (user.user_id.as_str(), user.groups[0].as_str()),
        ("id-ming", "apac-sales")
    );
    let text = serde_json::to_string(&world.aws.options.journal.entries()).unwrap();
    assert!(world.aws.options.canaries.found_in(&text).is_empty());
}
