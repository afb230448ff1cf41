//! Many real processes against a strict provider, killed at any moment: R2, R3, R12 and R1 together.

use std::time::Duration;

use jiff::Timestamp;
use sandbox_core::{CUSTOMER_ACCOUNT, Fault, Functions as _};
use sandbox_gateway::runtime::KillAt;
use serde_json::json;
use tributary::{
    connection::{Connection, ConnectionState},
    id::ConnectionId,
};

use super::{
    seed::{Seeded, Seeder},
    world::{REFRESH, TOKEN, World},
};

const CONNECTIONS: usize = 32;
const ROUNDS: usize = 4;
/// Seed of the disorder; a failure tells the round, and the same seed makes the same disorder again as
/// far as the machine's timing allows.
const SEED: u64 = 20_261_121;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        // Knuth's MMIX generator; its high bits are the good ones.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// What goes wrong in a round.
fn disorder(world: &World, dice: &mut Dice) {
    let faults = [
        Fault::DropAfter,
        Fault::DropBefore,
        Fault::Truncate,
        Fault::Delay(200 + dice.below(1_500)),
        Fault::Delay(200 + dice.below(1_500)),
    ];
    for fault in faults {
        let times = u32::try_from(dice.below(3)).unwrap();
        world.fault("salesforce", TOKEN, fault, times);
    }
    let lost = u32::try_from(dice.below(4)).unwrap();
    world.fault("dynamodb", "UpdateItem", Fault::DropAfter, lost);
    world.fault(
        "appflow",
        "update-connector-profile",
        Fault::DropAfter,
        lost,
    );
}

/// Kills workers at moments that the dice choose, on receipt, at the answer and in between.
async fn kills(world: &World, dice: &mut Dice) {
    let runtime = &world.sandbox.runtime;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(30 + dice.below(500))).await;
        match dice.below(3) {
            0 => runtime.kill_during_next_invocation(REFRESH, KillAt::Receipt),
            1 => runtime.kill_during_next_invocation(REFRESH, KillAt::Answer),
            _ => runtime.kill_now(REFRESH) > 0,
        };
    }
}

/// Ticks of all shards; one that is killed is a tick that did not come.
async fn ticks(world: &World, at: Timestamp) {
    for shard in 0..4 {
        let tick = json!({ "kind": "tick", "shard": shard, "scheduledTime": at });
        let _ = world.sandbox.runtime.invoke(REFRESH, tick).await;
    }
}

/// Time passes: leases lapse, intents settle.
async fn time_passes(seeder: &Seeder, of: Seeded, ids: &[ConnectionId]) {
    for id in ids {
        seeder.time_passes(of, *id).await;
    }
}

/// R2, R3, R12: nothing is presented twice, nothing is lost in silence, AppFlow has the newest token.
#[tokio::test(flavor = "multi_thread")]
async fn r2_r3_r12_many_processes_killed_at_any_step_present_no_token_twice_and_lose_none_silently()
{
    let world = World::start().await;
    let seeder = Seeder::new(&world);
    let of = Seeder::here(&world);
    let mut ids = Vec::new();
    for _ in 0..CONNECTIONS {
        ids.push(seeder.connection(of, Timestamp::now()).await);
    }
    let mut dice = Dice(SEED);
    let mut stale = Vec::new();
    for round in 0..ROUNDS {
        disorder(&world, &mut dice);
        for id in &ids {
            let generation = seeder.record(of, *id).await.generation;
            stale.push(json!({
                "tenantId": of.tenant, "connectionId": id, "generation": generation, "reason": "due",
            }));
        }
        let far = Timestamp::now() + Duration::from_hours(24 * 60);
        // Doubled ticks, of which some die, and messages of rounds long past.
        tokio::join!(
            ticks(&world, far),
            ticks(&world, far),
            kills(&world, &mut dice)
        );
        eprintln!(
            "round {round}: {:?}",
            world.sandbox.runtime.counters(REFRESH)
        );
        for _ in 0..10 {
            let at = usize::try_from(dice.below(u64::try_from(stale.len()).unwrap())).unwrap();
            world.enqueue(&stale[at].to_string()).await;
        }
        world.queue_is_empty().await;
        world.sandbox.faults.clear();
        time_passes(&seeder, of, &ids).await;
    }
    // Order returns; what is in doubt is settled.
    for _ in 0..3 {
        time_passes(&seeder, of, &ids).await;
        world.much_later().await;
    }
    // What a killed worker decided to tell and did not is told by the reconciliation, once the claim
    // of who died in the middle of it has lapsed.
    world.sandbox.runtime.settled().await;
    for item in world.sandbox.table_items().await {
        if item["pk"]["S"] == "OUTBOX" {
            let names = json!({ "#c": "claimed_until" });
            let values = json!({ ":c": { "N": "0" } });
            world.change(&item, "SET #c = :c", names, values).await;
        }
    }
    assert!(world.sandbox.schedules.fire("tributary-reconcile").await);
    world.sandbox.runtime.settled().await;

    let counters = world.sandbox.salesforce.token_counters();
    assert_eq!(counters.reuse_detected, 0, "{counters:?}");
    let (mut in_use, mut lost, mut rotations) = (Vec::new(), 0, 0);
    for id in &ids {
        let record = seeder.record(of, *id).await;
        rotations += record.generation - 1;
        match record.state {
            ConnectionState::Active => {
                assert!(record.intent.is_none() && record.pushed_generation == record.generation);
                in_use.push(record);
            }
            ConnectionState::ReauthRequired => {
                assert_eq!(record.reason.as_deref(), Some("rotation_lost"), "{id}");
                world.needs_a_person(&id.to_string(), "rotation_lost").await;
                lost += 1;
            }
            state => panic!("{id} is {state} for {:?}", record.reason),
        }
    }
    assert_eq!(
        counters.refreshes_granted,
        rotations + lost,
        "each rotation is stored, or told as lost: {counters:?}"
    );
    eprintln!(
        "{rotations} rotations stored, {lost} lost and told, {} in use",
        in_use.len()
    );
    assert!(
        in_use.len() > CONNECTIONS / 4,
        "the disorder left too little to look at"
    );
    let processes = world.sandbox.runtime.counters(REFRESH).cold_starts;
    assert!(processes >= 8, "{processes} processes");

    appflow_has_the_newest(&world, &seeder, &in_use).await;
    // The stored token is the provider's current one: each is good for one more refresh.
    // Who finds the provider's gate closed comes back at another tick.
    let mut waiting = in_use;
    for _ in 0..5 {
        world.much_later().await;
        let mut still = Vec::new();
        for before in waiting {
            let after = seeder.record(of, before.id).await;
            if after.generation == before.generation {
                still.push(before);
            }
        }
        waiting = still;
        if waiting.is_empty() {
            break;
        }
    }
    let left: Vec<_> = waiting.iter().map(|record| record.id).collect();
    assert!(left.is_empty(), "not refreshed any more: {left:?}");
    world.end().await;
}

async fn appflow_has_the_newest(world: &World, seeder: &Seeder, records: &[Connection]) {
    let secrets = world.sandbox.appflow_secrets(CUSTOMER_ACCOUNT).await;
    for record in records.iter().filter(|record| record.generation > 1) {
        let newest = seeder.tokens(record).await.access_token;
        let named = format!("-{}-", record.profile_name);
        let (_, stored) = secrets
            .iter()
            .find(|(name, _)| name.contains(&named))
            .unwrap_or_else(|| panic!("AppFlow has no secret for {}", record.profile_name));
        assert!(stored.contains(newest.expose()), "{}", record.id);
    }
}
