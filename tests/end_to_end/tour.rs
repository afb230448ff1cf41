//! The tour, as `cargo run -p sandbox -- tour` walks it, and what it shows about permissions.

use crate::common;

/// A10: onboarding, connect, flow, run, notification and query on a machine without AWS and network.
///
/// The same walk shows that the templates grant what the functions do: no call was denied for want of
/// a permission.
#[tokio::test(flavor = "multi_thread")]
async fn a10_the_tour_holds_and_every_call_is_granted_by_the_templates() {
    let sandbox = common::start().await;
    sandbox::tour::walk(&sandbox).await.unwrap();

    let entries = sandbox.journal.entries();
    let by_roles = entries.iter().filter(|entry| {
        entry
            .principal
            .as_ref()
            .is_some_and(|who| who.contains(":assumed-role/"))
    });
    assert!(by_roles.count() > 100, "the walk calls AWS under roles");
    let denied: Vec<_> = entries
        .iter()
        .filter(|entry| entry.note == "not authorized")
        // Each verification asks for a flow outside the prefix, to see that the role stops there.
        .filter(|entry| entry.operation != "POST /describe-flow")
        .collect();
    assert!(denied.is_empty(), "{denied:#?}");
}
