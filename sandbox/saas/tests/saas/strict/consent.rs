//! Signing in, consenting, and the life of what that gives.

use serde_json::json;

use super::{OLIVIA, PASSWORD, PLACES, World, at};
use crate::browser::landed;

#[tokio::test]
async fn every_provider_grants_says_who_granted_and_refreshes_three_times() {
    for place in PLACES {
        let world = World::start().await;
        let first = world.granted(place).await;
        let (path, pointer) = place.who;
        let (status, who) = world.get(path, &first["access_token"]).await;
        assert_eq!(status, 200, "{}: {who}", place.key);
        assert!(who.pointer(pointer).is_some(), "{}: {who}", place.key);
        let mut tokens = first.clone();
        for round in 1..=3 {
            let (status, next) = world.refresh(place, &tokens["refresh_token"]).await;
            assert_eq!(status, 200, "{} round {round}: {next}", place.key);
            assert_eq!(world.get(path, &next["access_token"]).await.0, 200);
            let rotates = next["refresh_token"] != tokens["refresh_token"];
            assert_eq!(rotates, matches!(place.key, "zendesk" | "microsoft"));
            let (old, _) = world.get(path, &tokens["access_token"]).await;
            let old_lives = place.key != "zendesk";
            assert_eq!(old, if old_lives { 200 } else { 401 }, "{}", place.key);
            tokens = next;
        }
        let counters = world.providers.counters(place.key);
        assert_eq!((counters.exchanged, counters.refreshed), (1, 3));
        assert_eq!(counters.token_calls["refresh_token"], 3);
        assert_eq!(counters.double_uses, 0);
        assert!(counters.most_calls_in_a_second >= 1);
        assert_eq!(world.providers.live_grants(place.key), 1);
    }
}

#[tokio::test]
async fn lives_are_said_and_kept() {
    for place in PLACES {
        let world = World::start().await;
        let mut lives = Vec::new();
        let mut tokens = world.granted(place).await;
        for _ in 0..3 {
            lives.push(tokens["expires_in"].as_i64().unwrap());
            tokens = world.refresh(place, &tokens["refresh_token"]).await.1;
        }
        if place.key == "microsoft" {
            assert!(lives.iter().all(|life| (3600..=5400).contains(life)));
            assert!(lives[0] != lives[1] && lives[1] != lives[2], "{lives:?}");
            assert_eq!(tokens["ext_expires_in"], tokens["expires_in"]);
        } else {
            assert_eq!(lives, [1800, 1800, 1800]);
        }
        let life = tokens["expires_in"].as_u64().unwrap();
        let clock = &world.options.clock;
        clock.advance(std::time::Duration::from_secs(life - 5));
        assert_eq!(world.get(place.who.0, &tokens["access_token"]).await.0, 200);
        clock.advance(std::time::Duration::from_secs(5));
        assert_eq!(world.get(place.who.0, &tokens["access_token"]).await.0, 401);
    }
}

#[tokio::test]
async fn a_person_signs_in_first_and_consents_on_a_second_page() {
    for place in PLACES {
        let world = World::start().await;
        let page = world.authorize(place, &[]).await.text().await.unwrap();
        assert!(page.contains("type=\"password\""), "{page}");
        let wrong = [("username", OLIVIA), ("password", "guessed")];
        let refused = world.answer(place, &page, &wrong).await;
        assert_eq!(refused.status(), 401);
        let page = refused.text().await.unwrap();
        assert!(page.contains("role=\"alert\"") && !page.contains("guessed"));
        let right = [("username", OLIVIA), ("password", PASSWORD)];
        let consent = world
            .answer(place, &page, &right)
            .await
            .text()
            .await
            .unwrap();
        assert!(
            consent.contains("Allow") && consent.contains(OLIVIA),
            "{consent}"
        );
        let landing = world
            .answer(place, &consent, &[("decision", "allow")])
            .await;
        assert!(landed(&landing).contains_key("code"));
        let again = world
            .answer(place, &consent, &[("decision", "allow")])
            .await;
        assert_eq!(again.status(), 400, "a page is answered once");
    }
}

#[tokio::test]
async fn consent_needs_a_person_who_signed_in() {
    let world = World::start().await;
    let place = at("zendesk");
    let page = world.authorize(place, &[]).await.text().await.unwrap();
    let sign_in = world.answer(place, &page, &[("decision", "allow")]).await;
    let page = sign_in.text().await.unwrap();
    assert!(page.contains("type=\"password\""));
    // Oscar belongs to another instance.
    let oscar = [
        ("username", "oscar@globex.example"),
        ("password", "oscar-password-local"),
        ("decision", "allow"),
    ];
    assert_eq!(world.answer(place, &page, &oscar).await.status(), 401);
}

#[tokio::test]
async fn a_denial_comes_back_with_the_state_before_and_after_the_sign_in() {
    for place in PLACES {
        let world = World::start().await;
        let page = world.authorize(place, &[]).await.text().await.unwrap();
        let denied = landed(&world.answer(place, &page, &[("decision", "deny")]).await);
        assert_eq!(
            (denied["error"].as_str(), denied["state"].as_str()),
            ("access_denied", "state-1")
        );
        assert_eq!(world.providers.live_grants(place.key), 0);
    }
}

#[tokio::test]
async fn optional_scopes_can_be_unticked_at_hubspot() {
    let world = World::start().await;
    let place = at("hubspot");
    let optional = [("optional_scope", Some("tickets crm.objects.deals.read"))];
    let page = world
        .authorize(place, &optional)
        .await
        .text()
        .await
        .unwrap();
    let sign_in = [("username", OLIVIA), ("password", PASSWORD)];
    let page = world
        .answer(place, &page, &sign_in)
        .await
        .text()
        .await
        .unwrap();
    assert!(page.contains("type=\"checkbox\""));
    let ticked = [
        ("consent", "shown"),
        ("optional", "tickets"),
        ("decision", "allow"),
    ];
    let code = landed(&world.answer(place, &page, &ticked).await)["code"].clone();
    assert_eq!(world.exchange(place, &code).await.0, 200);
    let elsewhere = world
        .authorize(at("zendesk"), &[("optional_scope", Some("read"))])
        .await;
    assert_eq!(landed(&elsewhere)["error"], "invalid_request");
}

#[tokio::test]
async fn an_administrator_can_grant_less_than_was_asked_for() {
    let world = World::start().await;
    world.providers.limit_scopes("zendesk", Some(&["read"]));
    let tokens = world.granted(at("zendesk")).await;
    assert_eq!(tokens["scope"], "read");
    world.providers.limit_scopes("zendesk", None);
    assert_eq!(world.granted(at("zendesk")).await["scope"], "read write");
}

#[tokio::test]
async fn an_administrator_ends_grants_and_everything_that_was_issued_is_a_canary() {
    for place in PLACES {
        let world = World::start().await;
        let tokens = world.granted(place).await;
        for token in ["access_token", "refresh_token"] {
            let found = world.options.canaries.found_in(&tokens[token].to_string());
            assert_eq!(found.len(), 1, "{} {token}", place.key);
        }
        let issued = world.providers.issued_secrets();
        assert!(
            issued
                .iter()
                .any(|(_, secret)| json!(secret) == tokens["access_token"])
        );
        assert_eq!(world.providers.grants_of(place.key, OLIVIA), 1);
        assert_eq!(world.providers.revoke_grants_of(place.key, OLIVIA), 1);
        assert_eq!(world.get(place.who.0, &tokens["access_token"]).await.0, 401);
        assert_ne!(world.refresh(place, &tokens["refresh_token"]).await.0, 200);
        assert_eq!(world.providers.live_grants(place.key), 0);
    }
}
