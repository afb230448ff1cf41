//! Every asynchronous edge of the vendor's template keeps what it could not hand over, and what the
//! function at its end could not work on.

use std::collections::BTreeSet;

use sandbox_gateway::template::Resolved;

use crate::template::vendor;

/// What is missing, in words.
fn gaps(template: &Resolved) -> Vec<String> {
    let mut gaps = Vec::new();
    let mut asynchronous: BTreeSet<&str> = BTreeSet::new();
    let schedules = template.schedules().iter();
    let schedules = schedules.map(|s| (&s.id, &s.function, &s.dead_letter));
    let rules = template.event_rules().iter();
    let rules = rules.map(|r| (&r.id, &r.function, &r.dead_letter));
    for (id, function, dead_letter) in schedules.chain(rules) {
        asynchronous.insert(function);
        if !is_queue(template, dead_letter.as_deref()) {
            gaps.push(format!("{id} has no queue for what it cannot hand over"));
        }
    }
    for function in asynchronous {
        if !is_queue(template, template.on_failure(function)) {
            gaps.push(format!(
                "{function} has no destination for what it fails on"
            ));
        }
    }
    for source in template.queue_sources() {
        if !source.report_failures {
            gaps.push(format!("{} fails whole batches", source.id));
        }
        if redrive(template, &source.queue).is_none() {
            gaps.push(format!("the queue of {} has no redrive policy", source.id));
        }
    }
    for (id, subscription) in template.of_kind("AWS::SNS::Subscription") {
        let policy = &subscription.properties["RedrivePolicy"]["deadLetterTargetArn"];
        if !is_queue(template, policy.as_str()) {
            gaps.push(format!("{id} has no queue for what it cannot hand over"));
        }
    }
    gaps
}

/// The dead-letter queue of a queue.
fn redrive<'a>(template: &'a Resolved, queue: &str) -> Option<&'a str> {
    let mut queues = template.of_kind("AWS::SQS::Queue");
    let (_, queue) = queues.find(|(_, one)| one.arn() == Some(queue))?;
    let policy = &queue.properties["RedrivePolicy"];
    let target = policy["deadLetterTargetArn"].as_str();
    target.filter(|arn| is_queue(template, Some(arn)))
}

fn is_queue(template: &Resolved, arn: Option<&str>) -> bool {
    let mut queues = template.of_kind("AWS::SQS::Queue");
    arn.is_some() && queues.any(|(_, queue)| queue.arn() == arn)
}

#[test]
fn every_asynchronous_edge_has_both_dead_letter_queues() {
    let template = vendor();
    assert!(template.schedules().len() > 5 && template.event_rules().len() > 2);
    assert_eq!(gaps(&template), Vec::<String>::new());
}

#[test]
fn an_edge_without_one_is_found() {
    let gap = |change: &dyn Fn(&mut Resolved)| {
        let mut template = vendor();
        change(&mut template);
        gaps(&template).len()
    };
    let queue = |id: &'static str| {
        move |template: &mut Resolved| {
            let queue = template.resources.get_mut(id).unwrap();
            queue.properties["RedrivePolicy"] = serde_json::Value::Null;
        }
    };
    assert_eq!(gap(&queue("EventQueue")), 1);
    assert_eq!(gap(&queue("DeliveryTopicSubscription")), 1);
    // Rules and destinations lead nowhere when the queue is not there.
    assert!(gap(&|template| drop(template.resources.remove("EventsDeadLetterQueue"))) > 3);
}

/// Messages wait in a dead-letter queue longer than where they came from, so that people have time.
#[test]
fn dead_letters_are_kept_for_two_weeks() {
    let template = vendor();
    for (id, queue) in template.of_kind("AWS::SQS::Queue") {
        if id.ends_with("DeadLetterQueue") {
            let kept = queue.properties["MessageRetentionPeriod"].as_i64();
            assert_eq!(kept, Some(1_209_600), "{id}");
        }
    }
}
