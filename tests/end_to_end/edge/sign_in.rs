//! Sign-in: one browser, one use of a state, addresses of ours only, and an end that is an end.

use reqwest::RequestBuilder;
use sandbox::{Sandbox, browser::Browser, client::Answer};
use serde_json::json;
use tokio::task::JoinSet;
use url::Url;

use super::{
    cors::FOREIGN_ORIGINS,
    wire::{self, Moment, Wire, answer, assert_problem, header, pointers, seen},
};
use crate::common;

/// How often a callback is opened at once.
const ATTEMPTS: usize = 20;

/// C5, C7-like: a sign-in ends once, in the browser that began it.
#[tokio::test(flavor = "multi_thread")]
async fn c5_c7_a_sign_in_ends_once_and_in_its_own_browser() {
    let sandbox = common::start().await;
    common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let wire = Wire::to(&sandbox);

    let mine = Browser::new().unwrap();
    let callback = until_callback(&sandbox, &mine, "frank").await;
    // C4-like: what went to the provider.
    let exchanges = || {
        sandbox
            .journal
            .count("oidc", "grant_type=authorization_code")
    };
    let before = Moment::of(&sandbox).await;
    let exchanged = exchanges();

    // Another browser: with no cookie, with its own transaction's cookie, with a made-up one.
    let theirs = Browser::new().unwrap();
    until_callback(&sandbox, &theirs, "frank").await;
    let before_theirs = Moment::of(&sandbox).await;
    let their_cookies = theirs.cookies_for(&sandbox.api_url).unwrap();
    let my_cookies = mine.cookies_for(&sandbox.api_url).unwrap();
    let name = my_cookies.split_once('=').unwrap().0;
    let their_value = their_cookies.split_once('=').unwrap().1;
    let attempts = [
        ("no cookie", None),
        ("another browser's cookie", Some(their_cookies.clone())),
        (
            "the cookie twice",
            Some(format!("{my_cookies}; {my_cookies}")),
        ),
    ];
    for (what, cookies) in attempts {
        let answer = open(&wire, &callback, cookies.as_deref()).await;
        assert_problem(&answer, 403, "sign_in_refused", what);
        assert!(!answer.headers.contains_key("set-cookie"), "{what}");
    }
    assert_eq!(
        exchanges(),
        exchanged,
        "a foreign browser reached the provider"
    );
    before_theirs
        .assert_nothing_changed(&sandbox, "another browser")
        .await;

    // Changed addresses, in the right browser.
    let state = callback
        .query_pairs()
        .find(|(key, _)| key == "state")
        .unwrap()
        .1
        .into_owned();
    let code = callback
        .query_pairs()
        .find(|(key, _)| key == "code")
        .unwrap()
        .1
        .into_owned();
    // The last of 43 characters carries four bits: one in sixteen states ends in an A.
    let last = if state.ends_with('A') { 'E' } else { 'A' };
    let other_state = format!("{}{last}", &state[..42]);
    let changed = [
        (
            "another state",
            vec![("code", code.as_str()), ("state", other_state.as_str())],
        ),
        ("no state", vec![("code", code.as_str())]),
        ("no code", vec![("state", state.as_str())]),
        (
            "state twice",
            vec![("code", &code), ("state", &state), ("state", &state)],
        ),
        (
            "code twice",
            vec![("code", &code), ("code", "x"), ("state", &state)],
        ),
    ];
    for (what, query) in changed {
        let mut url = callback.clone();
        url.query_pairs_mut().clear().extend_pairs(query);
        let answer = open(&wire, &url, Some(&my_cookies)).await;
        let status = answer.status.as_u16();
        assert!(
            [400, 403].contains(&status),
            "{what}: {status} {}",
            answer.body
        );
        assert_problem(&answer, status, answer.code(), what);
        assert!(!answer.headers.contains_key("set-cookie"), "{what}");
    }
    assert_eq!(
        exchanges(),
        exchanged,
        "a changed address reached the provider"
    );

    // Twenty at once, then once more.
    let mut opened = JoinSet::new();
    for _ in 0..ATTEMPTS {
        let (wire, callback, cookies) = (wire.clone(), callback.clone(), my_cookies.clone());
        opened.spawn(async move { open(&wire, &callback, Some(&cookies)).await });
    }
    let answers = opened.join_all().await;
    let (won, lost): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 303);
    assert_eq!((won.len(), lost.len()), (1, ATTEMPTS - 1));
    assert_eq!(
        header(&won[0], "location"),
        format!("{}/", sandbox.app_origin)
    );
    let cookies: Vec<&str> = won[0]
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|c| c.to_str().unwrap())
        .collect();
    let session = cookies
        .iter()
        .find(|c| c.starts_with("__Host-tributary-session="))
        .unwrap();
    for attribute in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(session.contains(attribute), "{attribute}");
    }
    for answer in &lost {
        assert_problem(answer, 403, "sign_in_refused", "a used state");
        assert_eq!(seen(answer), seen(&lost[0]));
    }
    let again = open(&wire, &callback, Some(&my_cookies)).await;
    assert_eq!(seen(&again), seen(&lost[0]), "a used state, later");
    assert_eq!(
        exchanges(),
        exchanged + 1,
        "one exchange reached the provider"
    );

    // A cookie of the right name with another's value takes the state and ends the sign-in.
    let callback = until_callback(&sandbox, &mine, "frank").await;
    let fresh = mine.cookies_for(&sandbox.api_url).unwrap();
    let fresh_name = fresh
        .split("; ")
        .map(|pair| pair.split_once('=').unwrap().0)
        .find(|have| *have != name && have.contains("login"));
    let forged = format!("{}={their_value}", fresh_name.unwrap());
    let refused = open(&wire, &callback, Some(&forged)).await;
    assert_problem(
        &refused,
        403,
        "sign_in_refused",
        "a forged transaction cookie",
    );
    assert_eq!(exchanges(), exchanged + 1);
    assert_eq!(
        before.asked_since(&sandbox, &["salesforce"]),
        Vec::<String>::new()
    );
    wire::assert_no_failures(&sandbox);
    common::no_leaks(&sandbox).await;
}

/// C3-like: where browsers may be sent, and from where a session may be used.
#[tokio::test(flavor = "multi_thread")]
async fn c3_return_addresses_and_origins_are_the_applications() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let wire = Wire::to(&sandbox);
    let before = Moment::of(&sandbox).await;
    let app = &sandbox.app_origin;
    let host = app.strip_prefix("http://").unwrap();
    let vectors = [
        "https://evil.example/".to_owned(),
        "//evil.example".to_owned(),
        "///evil.example".to_owned(),
        "/\\evil.example".to_owned(),
        "\\\\evil.example".to_owned(),
        "/\t/evil.example".to_owned(),
        "/\n/evil.example".to_owned(),
        "https:evil.example".to_owned(),
        format!("http:///{host}"),
        format!("{app}.evil.example/"),
        format!("{app}@evil.example/"),
        format!("http://user@{host}/"),
        format!("http://user:secret@{host}/"),
        format!("{app}0/"),
        format!("https://{host}/"),
        format!("HTTP://{host}/"),
        format!(" {app}/"),
        format!("{app}\\.evil.example"),
        format!("https://evil.example/?{app}"),
        format!("https://evil.example/#{app}"),
        "javascript:alert(1)".to_owned(),
        "data:text/html,x".to_owned(),
        "http://127.0.0.1".to_owned(),
        String::new(),
        format!("/{}", "a".repeat(2_048)),
    ];
    for vector in &vectors {
        let request = wire
            .request("GET", "/auth/login")
            .query(&[("return_to", vector)]);
        let answer = answer(request).await;
        assert_problem(&answer, 400, "return_to_refused", &format!("{vector:?}"));
        assert_eq!(pointers(&answer), ["query:return_to"]);
        assert!(
            !answer.headers.contains_key("location") && !answer.headers.contains_key("set-cookie")
        );
    }
    let twice = wire.request(
        "GET",
        "/auth/login?return_to=/a&return_to=https://evil.example",
    );
    let twice = answer(twice).await;
    assert_eq!(twice.status, 400, "{}", twice.body);
    assert_problem(&twice, 400, twice.code(), "return_to twice");
    before
        .assert_nothing_changed(&sandbox, "return addresses")
        .await;
    for good in ["/", "/flows?tab=1", app.as_str(), &format!("{app}/a?b=c#d")] {
        let request = wire
            .request("GET", "/auth/login")
            .query(&[("return_to", good)]);
        let answer = answer(request).await;
        assert_eq!(answer.status, 303, "{good}: {}", answer.body);
        assert_authorize(&sandbox, header(&answer, "location"));
    }

    // The session works from the application and from nowhere else.
    let cookies = blue.people["frank"]
        .browser
        .cookies_for(&sandbox.api_url)
        .unwrap();
    let before = Moment::of(&sandbox).await;
    for path in ["/auth/token", "/auth/logout"] {
        let post = || wire.request("POST", path).header("cookie", &cookies);
        assert_origin_refused(post(), &format!("{path} without an origin")).await;
        for origin in FOREIGN_ORIGINS {
            assert_origin_refused(post().header("origin", origin), origin).await;
        }
        let doubled = post()
            .header("origin", app)
            .header("origin", "https://evil.example");
        assert_origin_refused(doubled, "two origins").await;
    }
    before
        .assert_nothing_changed(&sandbox, "foreign origins")
        .await;
    let tokens = sandbox
        .tokens(&blue.people["frank"].browser, false)
        .await
        .unwrap();
    assert!(tokens["accessToken"].is_string(), "the session went on");
    wire::assert_no_failures(&sandbox);
    common::no_leaks(&sandbox).await;
}

/// A7 and R4-like: signed out, disabled, or no member any more: the session ends.
#[tokio::test(flavor = "multi_thread")]
async fn a7_a_session_ends_for_good() {
    let sandbox = common::start().await;
    let members = [
        ("frank", "admin"),
        ("ming", "editor"),
        ("ethan", "viewer"),
        ("alex", "viewer"),
    ];
    let blue = common::tenant(&sandbox, "Blue", &members).await;
    let wire = Wire::to(&sandbox);
    let cookies = |name: &str| {
        let cookies = blue.people[name].browser.cookies_for(&sandbox.api_url);
        cookies.unwrap_or_default()
    };
    let token = |cookies: &str, fresh: bool| {
        let request = wire
            .request("POST", "/auth/token")
            .header("origin", &sandbox.app_origin);
        answer(
            request
                .header("cookie", cookies)
                .json(&json!({ "fresh": fresh })),
        )
    };
    let sessions = async || {
        let items = sandbox.table_items().await;
        items
            .iter()
            .filter(|item| item["sk"]["S"] == "SESSION")
            .count()
    };
    assert_eq!(sessions().await, 4);

    // Frank signs out; what he took along is of no use, and doing it again is harmless.
    let frank = cookies("frank");
    let logout = |cookies: &str| {
        let request = wire
            .request("POST", "/auth/logout")
            .header("origin", &sandbox.app_origin);
        answer(request.header("cookie", cookies))
    };
    let out = logout(&frank).await;
    assert_eq!(out.status, 204, "{}", out.body);
    assert!(
        header(&out, "set-cookie").contains("Max-Age=0"),
        "{:?}",
        out.headers
    );
    for fresh in [false, true] {
        let answer = token(&frank, fresh).await;
        assert_problem(&answer, 401, "session_ended", "signed out");
    }
    assert_eq!(logout(&frank).await.status, 204);
    assert_eq!(logout("").await.status, 204);
    assert_eq!(sessions().await, 3);
    assert!(
        sandbox.journal.count("oidc", "/oauth2/revoke") >= 1,
        "the provider was not told"
    );

    // Ming is disabled at the provider, Ethan leaves the tenant: no fresh tokens for either.
    sandbox.oidc.disable("ming");
    let operator = sandbox.operator().await.unwrap();
    let subject = &sandbox.oidc.user("ethan").unwrap().sub;
    let path = format!("/v1/tenants/{}/members/{subject}", blue.id);
    let left = operator
        .call(reqwest::Method::DELETE, &path, None, &[])
        .await
        .unwrap();
    assert_eq!(left.status, 204, "{}", left.body);
    for name in ["ming", "ethan"] {
        let answer = token(&cookies(name), true).await;
        assert_problem(&answer, 401, "session_ended", name);
        assert!(
            header(&answer, "set-cookie").contains("Max-Age=0"),
            "{name}"
        );
        let answer = token(&cookies(name), false).await;
        assert_problem(&answer, 401, "session_ended", name);
        assert!(
            sandbox.sign_in(name).await.is_err(),
            "{name} signed in again"
        );
    }
    assert_eq!(sessions().await, 1);

    // Nobody's, made-up and misshapen sessions are all the same; Alex works on.
    let made_up = format!("__Host-tributary-session={}", "A".repeat(43));
    let doubled = format!("{0}; {0}", cookies("alex"));
    for (what, cookies) in [
        ("none", ""),
        ("made up", &made_up),
        ("misshapen", "__Host-tributary-session=x"),
        ("doubled", &doubled),
    ] {
        assert_problem(&token(cookies, false).await, 401, "session_ended", what);
    }
    assert_eq!(token(&cookies("alex"), true).await.status, 200);
    assert_eq!(sessions().await, 1);
    wire::assert_no_failures(&sandbox);
    common::no_leaks(&sandbox).await;
}

/// Signs in up to the address at which the provider sends the browser back.
async fn until_callback(sandbox: &Sandbox, browser: &Browser, name: &str) -> Url {
    let login = sandbox.api_url.join("/auth/login").unwrap();
    let page = browser.follow(&login, None).await.unwrap();
    let transaction = page.hidden("transaction").unwrap();
    let password = format!("{name}-password-local");
    let form = [
        ("transaction", transaction.as_str()),
        ("username", name),
        ("password", &password),
    ];
    let url = page.url.join("/login").unwrap();
    let sent = browser.post_form(&url, &form).await.unwrap();
    sent.location.unwrap()
}

async fn open(wire: &Wire, url: &Url, cookies: Option<&str>) -> Answer {
    let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    let mut request = wire.request("GET", &path);
    if let Some(cookies) = cookies {
        request = request.header("cookie", cookies);
    }
    answer(request).await
}

async fn assert_origin_refused(request: RequestBuilder, what: &str) {
    let answer = answer(request).await;
    assert_problem(&answer, 403, "origin_refused", what);
    assert!(!answer.headers.contains_key("set-cookie"), "{what}");
}

/// C4-like: code, PKCE S256, a state and a nonce of 256 bits, our redirect URI, no secret.
#[track_caller]
fn assert_authorize(sandbox: &Sandbox, location: &str) {
    let url = Url::parse(location).unwrap();
    assert_eq!(url.origin(), sandbox.oidc_url.origin());
    let parameter = |name: &str| {
        let mut found = url.query_pairs().filter(|(key, _)| key == name);
        let value = found.next().map(|(_, value)| value.into_owned());
        assert!(found.next().is_none(), "{name} stands twice");
        value.unwrap_or_default()
    };
    assert_eq!(parameter("response_type"), "code");
    assert_eq!(parameter("code_challenge_method"), "S256");
    assert_eq!(
        parameter("redirect_uri"),
        sandbox.api_url.join("/auth/callback").unwrap().as_str()
    );
    for name in ["state", "nonce", "code_challenge"] {
        assert_eq!(parameter(name).len(), 43, "{name}");
    }
    assert!(!location.contains("secret"), "{location}");
}
