//! Two tenants side by side: what belongs to one does not exist for the other.

use std::collections::BTreeSet;

use sandbox_aws::ExpectedDenial;
use serde_json::{Value, json};

use super::{
    contract::{self, At, Ids, Operation, Place},
    routes::Who,
    wire::{self, Exact, Moment, Wire, answer, header},
    world::{self, World},
};
use crate::{common, flows::world::Hosting};

/// I1 between two AWS accounts of customers'.
#[tokio::test(flavor = "multi_thread")]
async fn i1_another_tenants_ids_are_unknown_in_the_customers_accounts() {
    i1(Hosting::Customer).await;
}

/// I1 within the vendor's account, which both tenants share.
#[tokio::test(flavor = "multi_thread")]
async fn i1_another_tenants_ids_are_unknown_in_the_vendors_account() {
    i1(Hosting::Vendor).await;
}

/// I1: every operation of the document, with each id that it takes in path, query and body, called by
/// Red with Blue's id answers byte for byte as for an id that never was, nothing anywhere changes, and
/// nobody outside of the table is asked about it.
async fn i1(hosting: Hosting) {
    let world = world::build(hosting).await;
    let sandbox = &world.sandbox;
    let alex = &world.red.people["alex"];
    // Buckets of other accounts are asked about, and the role does not reach them.
    sandbox.aws.expect_denial(ExpectedDenial {
        role: "AccessRole".to_owned(),
        action: "s3:GetBucketLocation".to_owned(),
    });
    let case = Case {
        wire: Wire::to(sandbox),
        token: &alex.access_token,
        blues: &world.blues,
        reds: &world.reds,
        unknown: world.nobodys.clone(),
    };
    let (mut asked, mut alike) = (0, BTreeSet::new());
    let before = Moment::of(sandbox).await;
    for operation in contract::operations() {
        // What browsers bring to the public routes are single-use secrets, no ids.
        if operation.who == Who::Public {
            continue;
        }
        for place in operation.places.iter().filter(|place| place.is_a_tenants) {
            // In a bucket of its own a tenant may call its folders what it likes.
            if place.kind == "Folder" && hosting == Hosting::Customer {
                continue;
            }
            if ["Database", "Table"].contains(&place.kind.as_str()) && !world.shows(&operation.id) {
                continue;
            }
            let theirs = world.blues.get(&operation.id, &place.kind);
            if theirs == &world.reds[&place.kind] {
                alike.insert(place.kind.clone());
                continue;
            }
            asked += case.is_unknown(&operation, place, theirs).await;
        }
        asked += case.all_at_once(&operation).await;
    }
    assert!(asked > 120, "{asked} questions about Blue's");
    let shared: &[&str] = match hosting {
        Hosting::Customer => &[],
        Hosting::Vendor => &["Bucket"],
    };
    assert_eq!(alike.iter().collect::<Vec<_>>(), shared);
    // A flow of Red's that AppFlow refuses leaves behind when Red's account is looked at next.
    let watch = format!("item \"TENANT#{}\" \"WATCH#", world.red.id);
    before
        .assert_nothing_changed_but(sandbox, "Red, asking about Blue's", &[&watch])
        .await;

    before.assert_not_counted(sandbox, &world.blue.id).await;

    // With its own ids the same questions do go further.
    let own = format!("/v1/connections/{}/entities", &world.reds["ConnectionId"]);
    assert_eq!(
        case.wire.call(case.token, "GET", &own, None).await.status,
        200
    );
    assert!(!before.asked_since(sandbox, &["appflow"]).is_empty());
    lists_show_ones_own_only(&world, &case).await;
    an_idempotency_key_belongs_to_its_tenant(&world).await;
    wire::assert_no_failures(sandbox);
    common::no_leaks(sandbox).await;
}

struct Case<'a> {
    wire: Wire,
    token: &'a str,
    blues: &'a Ids,
    reds: &'a Ids,
    unknown: Ids,
}

impl Case<'_> {
    /// Red names Blue's thing in one place, and its own in all others.
    async fn is_unknown(&self, operation: &Operation, place: &Place, theirs: &str) -> usize {
        let nobodys = self.unknown.get(&operation.id, &place.kind);
        let naming_theirs = operation.naming(self.reds, place, theirs);
        let naming_nobodys = operation.naming(self.reds, place, nobodys);
        let number = naming_theirs.len();
        assert!(number > 0, "{}: no request names {place:?}", operation.id);
        for (request, control) in naming_theirs.iter().zip(&naming_nobodys) {
            let what = format!("{} naming {place:?}", operation.id);
            let answer = self.wire.exactly(self.token, request).await;
            let control = self.wire.exactly(self.token, control).await;
            // What the caller said may be said back to it.
            let answer = answer.without(theirs);
            assert_tells_nothing(&answer, self.blues, self.reds, &what);
            let (answer, control) = (without_minted(answer), control.without(nobodys));
            assert_eq!(answer, without_minted(control), "{what}: {request:?}");
            assert_refused(operation, place, &answer, &what);
        }
        number
    }

    /// Red names Blue's things in every place of the path and of the query.
    async fn all_at_once(&self, operation: &Operation) -> usize {
        let mut nobodys = self.unknown.clone();
        let mut is_about_blues = false;
        for place in operation
            .places
            .iter()
            .filter(|place| place.required && place.is_a_tenants)
        {
            if self.blues[&place.kind] == self.reds[&place.kind] {
                nobodys.set(&place.kind, &self.reds[&place.kind]);
            } else {
                is_about_blues |= !matches!(place.at, At::Body(_));
            }
        }
        if !is_about_blues {
            return 0;
        }
        // The bodies are about Red's own: what is asked about comes first.
        let with = |ids: &Ids| {
            let mut request = operation.request(self.reds);
            request.path = operation.request(ids).path;
            request
        };
        let answer = self.wire.exactly(self.token, &with(self.blues)).await;
        let control = self.wire.exactly(self.token, &with(&nobodys)).await;
        assert_eq!(answer, control, "{}: all of Blue's", operation.id);
        1
    }
}

/// No id of Blue's stands in an answer to Red.
#[track_caller]
fn assert_tells_nothing(answer: &Exact, blues: &Ids, reds: &Ids, what: &str) {
    for (kind, id) in blues.iter() {
        // Providers are in everybody's catalogue; which of them Blue has apps for is asked by get_app.
        let is_told = kind != "Provider" && reds[kind] != *id && answer.body.contains(id);
        assert!(!is_told, "{what} tells Blue's {kind}: {}", answer.body);
    }
}

/// An answer with a placeholder for the id under which a definition was compiled to be looked at: each
/// is new.
fn without_minted(mut answer: Exact) -> Exact {
    while let Some((before, rest)) = answer.body.split_once("flw_") {
        answer.body = format!("{before}<a flow>{}", &rest[32..]);
    }
    answer
}

/// Nothing was done: what is named in the path is not there, what is named in a body is a fault of the
/// body, and a filter finds nothing.
#[track_caller]
fn assert_refused(operation: &Operation, place: &Place, answer: &Exact, what: &str) {
    let status = answer.status;
    match (operation.who, &place.at) {
        (Who::Operator, _) => {
            assert_eq!(
                (status, answer.code().as_str()),
                (403, "operator_required"),
                "{what}"
            );
        }
        // S3 tells everybody which names are taken: a bucket of anybody else's is not accessible.
        (_, At::Path(name)) if name == "bucket" => assert_eq!(status, 409, "{what}: {answer:?}"),
        (_, At::Path(_)) => assert_eq!(status, 404, "{what}: {}", answer.body),
        (_, At::Query(_)) if operation.is_read() => {
            assert!(status == 200 || status == 404, "{what}: {answer:?}");
        }
        // Any bucket can be written about; AppFlow and S3 say what can be done with it.
        (_, At::Body(_)) if operation.is_read() && place.kind == "Bucket" => {
            assert!(status == 200 || status == 422, "{what}: {answer:?}");
        }
        _ => assert!((404..=422).contains(&status), "{what}: {answer:?}"),
    }
}

/// Every list of the document that a tenant can read has Red's own things and none of Blue's.
async fn lists_show_ones_own_only(world: &World, case: &Case<'_>) {
    let mut read = 0;
    for operation in contract::operations() {
        if operation.method != "GET" || matches!(operation.who, Who::Public | Who::Operator) {
            continue;
        }
        let answer = case
            .wire
            .exactly(case.token, &operation.request(&world.reds))
            .await;
        let status = if world.shows(&operation.id) { 200 } else { 409 };
        assert_eq!(answer.status, status, "{}: {}", operation.id, answer.body);
        assert_tells_nothing(&answer, &world.blues, &world.reds, &operation.id);
        let list: Value = serde_json::from_str(&answer.body).unwrap();
        read += usize::from(list["items"].is_array());
    }
    assert!(read >= 6, "{read} lists");
}

/// The same key and body of two tenants are two requests.
async fn an_idempotency_key_belongs_to_its_tenant(world: &World) {
    let wire = Wire::to(&world.sandbox);
    let body = json!({ "awsAccountId": "444444444444", "region": "us-east-1" });
    let register = async |token: &str| {
        let request = wire.request("POST", "/v1/accounts").bearer_auth(token);
        answer(
            request
                .header("idempotency-key", "shared-by-chance")
                .json(&body),
        )
        .await
    };
    let blue = register(&world.blue.people["frank"].access_token).await;
    let red = register(&world.red.people["alex"].access_token).await;
    assert_eq!((blue.status.as_u16(), red.status.as_u16()), (201, 201));
    assert_eq!(header(&red, "idempotency-replayed"), "");
    assert_ne!(blue.body["id"], red.body["id"]);
    assert_ne!(blue.body["externalId"], red.body["externalId"]);
    let again = register(&world.blue.people["frank"].access_token).await;
    assert_eq!(header(&again, "idempotency-replayed"), "true");
    assert_eq!(again.body, blue.body);
}
