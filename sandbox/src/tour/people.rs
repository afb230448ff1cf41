//! Who takes part: the operator makes a tenant, its people sign in.

use serde_json::json;

use super::{Step, Tour, TourError, text};

pub(super) async fn run(tour: &mut Tour<'_>) -> Step {
    tour.step("Frank signs in before he belongs to a tenant: refused");
    match tour.sandbox.sign_in("frank").await {
        Ok(_) => {
            return Err(TourError::Wrong(
                "a person without a tenant was signed in".to_owned(),
            ));
        }
        Err(error) => tour.say(format!(
            "refused, and nothing was stored: {}",
            first_line(&error.to_string())
        )),
    }

    tour.step("The operator's machine client makes a tenant");
    tour.operator = Some(tour.sandbox.operator().await?);
    let member = |name: &str, roles: &[&str]| {
        let sub = tour
            .sandbox
            .oidc
            .user(name)
            .map(|user| user.sub.clone())
            .unwrap_or_default();
        json!({ "subject": sub, "roles": roles })
    };
    let members = [
        member("frank", &["admin"]),
        member("ming", &["viewer"]),
        member("ethan", &["editor"]),
    ];
    let tenant = tour
        .operator()?
        .post(
            "/v1/tenants",
            &json!({ "name": "Sports Gear Company", "members": members }),
        )
        .await?
        .expect(201)?;
    let id = tour.keep("tenant", &tenant["id"])?;
    tour.say(format!("201 {id} \"{}\"", text(&tenant, "name")));

    tour.step(
        "Frank, Ming and Ethan sign in: code, PKCE, nonce, session cookie, short-lived tokens",
    );
    for name in ["frank", "ming", "ethan"] {
        let person = tour.sandbox.sign_in(name).await?;
        let me = person.api.get("/v1/me").await?.expect(200)?;
        tour.check(text(&me, "tenantId") == id, || {
            format!("{name} is in another tenant: {me}")
        })?;
        tour.say(format!(
            "{name}: roles {}, groups {}",
            me["roles"], me["groups"]
        ));
        tour.people.insert(name, person);
    }
    Ok(())
}

fn first_line(text: &str) -> String {
    text.lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(160)
        .collect()
}
