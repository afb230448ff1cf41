//! I3: a tenant's session opens and seals nothing of another tenant's.

use std::fmt::Debug;

use tributary::{
    secret::Secret,
    vault::{NO_TENANT, Vault, VaultError, VaultKeys},
};

use super::{FUNCTIONS, World};

const PLACE: [&str; 3] = ["connection", "con_1", "7"];

fn assert_denied<T: Debug>(what: &str, outcome: Result<T, VaultError>) {
    match outcome {
        Err(VaultError::Kms { refusal, .. }) if refusal.is_access_denied() => {}
        other => panic!("{what} was not refused by KMS: {other:?}"),
    }
}

#[tokio::test]
async fn i3_a_session_opens_nothing_that_was_sealed_for_another_tenant() {
    let world = World::start().await;
    let secret = Secret::new("a refresh token");
    let theirs = world.scope("TokenRefreshRole", world.theirs).await;
    let sealed = theirs
        .vault()
        .seal(world.theirs, &PLACE, &secret)
        .await
        .unwrap();
    let opened = theirs
        .vault()
        .open(world.theirs, &PLACE, &sealed)
        .await
        .unwrap();
    assert!(opened.same_as(secret.expose()));
    for role in FUNCTIONS {
        let ours = world.scope(role, world.ours).await;
        let vault = ours.vault();
        assert_denied(role, vault.open(world.theirs, &PLACE, &sealed).await);
        assert_denied(role, vault.seal(world.theirs, &PLACE, &secret).await);
        assert_denied(role, vault.open_for(NO_TENANT, &PLACE, &sealed).await);
        // The key that wrapped it knows the tenant too: under another name it does not open.
        let mistaken = vault.open(world.ours, &PLACE, &sealed).await;
        assert!(
            matches!(mistaken, Err(VaultError::DoesNotOpen)),
            "{mistaken:?}"
        );
        assert!(
            vault.seal(world.ours, &PLACE, &secret).await.is_ok(),
            "{role}"
        );
    }
}

#[tokio::test]
async fn i3_the_functions_own_roles_open_no_tenants_texts() {
    let world = World::start().await;
    let secret = Secret::new("a refresh token");
    for role in FUNCTIONS {
        let client = aws_sdk_kms::Client::new(&world.function(role));
        let vault = Vault::new(client, VaultKeys::from(world.arn("DataKey")));
        assert_denied(role, vault.seal(world.ours, &PLACE, &secret).await);
        // Sign-ins are sealed before a tenant is known, by the function that signs people in.
        let sign_in = vault.seal_for(NO_TENANT, &PLACE, &secret).await;
        if role == "OauthCallbackRole" {
            assert!(sign_in.is_ok(), "{sign_in:?}");
        } else {
            assert_denied(role, sign_in);
        }
    }
}
