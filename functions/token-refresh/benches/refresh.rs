//! What a worker computes for one refresh, without AWS and the provider: in time and allocations.
//!
//! ```sh
//! cargo bench -p token-refresh --bench refresh
//! ```

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up is not run"
)]

use aws_sdk_kms::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::{
    http::{
        HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
    },
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;
use divan::{AllocProfiler, Bencher, black_box};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use token_refresh::bench::{self, Message, Reason};
use tokio::runtime::{Builder, Runtime};
use tributary::{
    connection::{Connection, Intent},
    id::{ConnectionId, TenantId},
    oauth::{
        Provider, TokenAnswer, TokenBundle,
        gate::{Gate, Report, Users},
        provider::provider,
    },
    secret::Secret,
    vault::{Sealed, Vault},
};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const ALL: [Whose; 2] = [Whose::Salesforce, Whose::Microsoft];
const NOW_MS: i64 = 1_780_000_000_000;

fn main() {
    divan::main();
}

/// Whose tokens they are: short opaque ones with much beside them, or long ones.
#[derive(Debug, Clone, Copy)]
enum Whose {
    Salesforce,
    Microsoft,
}

impl Whose {
    fn row(self) -> &'static Provider {
        let key = match self {
            Self::Salesforce => "salesforce",
            Self::Microsoft => "microsoft",
        };
        provider(key).expect("a provider of the table")
    }

    fn tokens(self) -> (String, String) {
        match self {
            Self::Salesforce => ("a".repeat(112), "r".repeat(87)),
            Self::Microsoft => ("a".repeat(2_000), "r".repeat(1_300)),
        }
    }

    fn answer(self) -> Secret {
        let (access, refresh) = self.tokens();
        let answer = match self {
            Self::Salesforce => json!({
                "access_token": access,
                "refresh_token": refresh,
                "token_type": "Bearer",
                "scope": "api refresh_token",
                "id": "https://login.salesforce.com/id/00Dxx0000001gPLEAY/005xx000001SwiUAAS",
                "instance_url": "https://acme.my.salesforce.com",
                "issued_at": "1780000000000",
                "signature": "s".repeat(44),
            }),
            Self::Microsoft => json!({
                "access_token": access,
                "refresh_token": refresh,
                "token_type": "Bearer",
                "scope": "https://graph.microsoft.com/Sites.Read.All https://graph.microsoft.com/User.Read",
                "expires_in": 4_299,
                "ext_expires_in": 4_299,
            }),
        };
        Secret::new(answer.to_string())
    }

    fn bundle(self) -> TokenBundle {
        let (access, refresh) = self.tokens();
        TokenBundle {
            access_token: Secret::new(access),
            refresh_token: Some(Secret::new(refresh)),
        }
    }
}

fn now() -> Timestamp {
    Timestamp::from_millisecond(NOW_MS).expect("an instant")
}

#[divan::bench(args = ALL)]
fn reading_an_answer(bencher: Bencher<'_, '_>, whose: Whose) {
    let (row, body) = (whose.row(), whose.answer());
    TokenAnswer::read(row, &body).expect("an answer");
    bencher.bench(|| TokenAnswer::read(row, black_box(&body)));
}

/// How the record is found.
#[derive(Debug, Clone, Copy)]
enum Found {
    Due,
    WithAnOpenQuestion,
}

#[divan::bench(args = [Found::Due, Found::WithAnOpenQuestion])]
fn deciding_the_next_step(bencher: Bencher<'_, '_>, found: Found) {
    let intent = Intent {
        fence: 1,
        fingerprint: "f".repeat(32),
        at: NOW_MS - 600_000,
        resent: false,
        last: false,
        rescue_until: None,
    };
    let record = Connection {
        intent: matches!(found, Found::WithAnOpenQuestion).then_some(intent),
        ..connection()
    };
    let row = Whose::Salesforce.row();
    bencher.bench(|| bench::next_step(black_box(&record), row, now()));
}

fn connection() -> Connection {
    serde_json::from_value(json!({
        "id": ConnectionId::new(), "connection_id": ConnectionId::new(), "tenant_id": TenantId::new(),
        "account_id": "acc_019364c0a1b27cc3a4d5e6f708192a3b",
        "connector": "salesforce", "name": "CRM", "state": "active", "token_owner": "tributary",
        "created_by": "sub", "profile_name": "tributary-x", "generation": 3, "pushed_generation": 3,
        "bundle": { "v": 1, "k": "k", "c": "c" },
        "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z", "version": 1
    }))
    .expect("a connection")
}

#[divan::bench(args = ALL)]
fn sealing_a_bundle(bencher: Bencher<'_, '_>, whose: Whose) {
    let (world, bundle) = (World::new(), whose.bundle());
    world.seal(&bundle);
    bencher.bench_local(|| world.seal(black_box(&bundle)));
}

#[divan::bench(args = ALL)]
fn opening_a_bundle(bencher: Bencher<'_, '_>, whose: Whose) {
    let world = World::new();
    let sealed = world.seal(&whose.bundle());
    world.open(&sealed);
    bencher.bench_local(|| world.open(black_box(&sealed)));
}

#[divan::bench]
fn due_after_success() -> Timestamp {
    let life = SignedDuration::from_hours(2);
    bench::due_after_success(black_box(now()), black_box(life), black_box(0.5))
}

#[divan::bench]
fn due_after_failure() -> Timestamp {
    bench::due_after_failure(black_box(now()), black_box(3), black_box(0.5))
}

/// One call passes the gate and is reported.
#[divan::bench]
fn passing_the_gate(bencher: Bencher<'_, '_>) {
    let report = Report {
        began: NOW_MS,
        answered: 1,
        ..Report::default()
    };
    bencher
        .with_inputs(|| (Gate::default(), report.clone()))
        .bench_values(|(mut gate, report)| {
            let admission = gate.admit(black_box(NOW_MS), 10, 1);
            let turn = gate.report(report, Users::Many, NOW_MS);
            (gate, admission, turn)
        });
}

/// A tick finds 10,000 entries of 100 tenants, 9,000 of them one tenant's.
#[divan::bench]
fn turns_of_ten_thousand(bencher: Bencher<'_, '_>) {
    let many = TenantId::new();
    let others: Vec<TenantId> = (0..99).map(|_| TenantId::new()).collect();
    let few = others.iter().cycle().take(1_000);
    let due: Vec<Message> = std::iter::repeat_n(&many, 9_000)
        .chain(few)
        .map(|tenant| Message {
            tenant_id: *tenant,
            connection_id: ConnectionId::new(),
            generation: 3,
            reason: Reason::Due,
            rescue: None,
            slot: None,
            due_at: None,
        })
        .collect();
    bencher
        .with_inputs(|| due.clone())
        .bench_values(bench::turns);
}

/// The vault, with a KMS that answers at once; after the first call its data key is in memory.
struct World {
    runtime: Runtime,
    vault: Vault,
    tenant: TenantId,
    place: [String; 3],
}

impl World {
    fn new() -> Self {
        let config = aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("id", "key", None, None, "benchmark"))
            .http_client(kms())
            .build();
        let key = "arn:aws:kms:us-east-1:111122223333:key/019364c0-a1b2-7cc3-a4d5-e6f708192a3b";
        Self {
            runtime: Builder::new_current_thread()
                .enable_time()
                .build()
                .expect("a runtime"),
            vault: Vault::new(aws_sdk_kms::Client::from_conf(config), key.to_owned()),
            tenant: TenantId::new(),
            place: Connection::vault_place(ConnectionId::new(), 4),
        }
    }

    fn place(&self) -> [&str; 3] {
        [&self.place[0], &self.place[1], &self.place[2]]
    }

    fn seal(&self, bundle: &TokenBundle) -> Sealed {
        let text = bundle.to_json();
        let place = self.place();
        let sealing = self.vault.seal(self.tenant, &place, &text);
        self.runtime.block_on(sealing).expect("sealed")
    }

    fn open(&self, sealed: &Sealed) -> TokenBundle {
        let place = self.place();
        let opening = self.vault.open(self.tenant, &place, sealed);
        let text = self.runtime.block_on(opening).expect("opened");
        TokenBundle::from_json(&text).expect("a bundle")
    }
}

/// Answers every call with the same data key.
#[derive(Debug)]
struct Kms;

impl HttpConnector for Kms {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let plain = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let wrapped = "w".repeat(248);
        let body = json!({ "KeyId": "key", "Plaintext": plain, "CiphertextBlob": wrapped });
        let ok = http::StatusCode::OK.into();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(ok, SdkBody::from(body.to_string()))))
    }
}

fn kms() -> SharedHttpClient {
    http_client_fn(|_, _| SharedHttpConnector::new(Kms))
}
