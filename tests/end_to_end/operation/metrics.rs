//! Metrics of our own operation, as CloudWatch takes them out of the log.

use std::collections::BTreeMap;

use sandbox_core::CUSTOMER_ACCOUNT;
use serde_json::{Value, json};
use tributary::telemetry::Metric;

use crate::{common, flows::world::World, runs::events::event};

/// Every metric that was written: function, name and how much of it.
fn written(world: &World) -> BTreeMap<(String, String), f64> {
    let mut sums = BTreeMap::new();
    for line in world.sandbox.logs.lines() {
        let Ok(line) = serde_json::from_str::<Value>(&line.text) else {
            continue;
        };
        let metrics = line["_aws"]["CloudWatchMetrics"].as_array();
        for metric in metrics.into_iter().flatten() {
            let name = metric["Metrics"][0]["Name"].as_str().unwrap();
            let known = Metric::ALL.iter().find(|one| one.name() == name);
            let known = known.unwrap_or_else(|| panic!("{name} is no metric of the table"));
            assert_eq!(metric["Namespace"], "Tributary");
            assert_eq!(metric["Metrics"][0]["Unit"], known.unit().as_str());
            for dimension in metric["Dimensions"][0].as_array().unwrap() {
                let value = line[dimension.as_str().unwrap()].as_str().unwrap();
                assert!(!value.is_empty() && !value.contains("ten_"), "{line}");
            }
            let service = line["service"].as_str().unwrap().to_owned();
            *sums.entry((service, name.to_owned())).or_insert(0.0) += line[name].as_f64().unwrap();
        }
    }
    sums
}

/// A run counts where it is worked on; a repeat and a latecomer count as what they are (U1, U3).
#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_counted_under_the_names_of_the_table() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    world.run(&flow).await;
    world.settled().await;
    let count = |service: &str, metric: Metric| {
        let key = (service.to_owned(), metric.name().to_owned());
        written(&world).get(&key).copied().unwrap_or_default()
    };
    for (service, metric) in [
        ("flows", Metric::ColdStart),
        ("flows", Metric::RequestHandled),
        ("flows", Metric::AssumeRoleCalls),
        ("flows", Metric::AssumeRoleCacheHit),
        ("run-events", Metric::ColdStart),
        ("run-events", Metric::FlowRunObserved),
        ("run-events", Metric::NotificationPublished),
    ] {
        assert!(count(service, metric) > 0.0, "{service} {metric:?}");
    }
    assert!(count("flows", Metric::RequestFailed) < 0.5);

    let execution = "11111111-0000-4000-8000-000000000001";
    let end = event(&flow, execution, Some("Execution Successful"));
    let start = event(&flow, execution, None);
    let observed = count("run-events", Metric::FlowRunObserved);
    let duplicates = count("run-events", Metric::DuplicateSuppressed);
    let late = count("run-events", Metric::OutOfOrderEvent);
    for news in [&end, &end, &start] {
        let events = &world.sandbox.events;
        events.put_event(CUSTOMER_ACCOUNT, news.clone());
        world.settled().await;
    }
    let near = |a: f64, b: f64| (a - b).abs() < 0.5;
    assert!(near(
        count("run-events", Metric::FlowRunObserved),
        observed + 1.0
    ));
    assert!(near(
        count("run-events", Metric::DuplicateSuppressed),
        duplicates + 1.0
    ));
    assert!(near(
        count("run-events", Metric::OutOfOrderEvent),
        late + 1.0
    ));

    // The same key for another request is a conflict.
    world.post_once("/v1/flows", &world.flow(), "key-1").await;
    let mut other = world.flow();
    other["name"] = json!("Other");
    world.post_once("/v1/flows", &other, "key-1").await;
    assert!(near(count("flows", Metric::IdempotencyConflict), 1.0));
    common::no_leaks(&world.sandbox).await;
}
