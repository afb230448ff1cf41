use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use reqwest::dns::Resolve;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tributary::subscription::Origins;

use super::*;

/// A lookup that answers one list after another, the last one for ever.
fn lookup(answers: &'static [&'static [&'static str]]) -> (Lookup, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let lookup: Lookup = Arc::new(move |_| {
        let turn = counter.fetch_add(1, Ordering::SeqCst);
        let addresses = answers[turn.min(answers.len() - 1)];
        let addresses = addresses
            .iter()
            .map(|address| address.parse::<SocketAddr>().unwrap())
            .collect();
        Box::pin(async move { Ok(addresses) })
    });
    (lookup, asked)
}

/// A listener that answers each connection with these bytes and keeps what it was sent.
async fn listener(answer: &'static str) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = vec![0; 64 * 1024];
            let read = stream.read(&mut buffer).await.unwrap_or_default();
            kept.lock()
                .unwrap()
                .push(String::from_utf8_lossy(&buffer[..read]).into_owned());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (address, requests)
}

const fn post(keys: &[SigningSecret]) -> Post<'_> {
    Post {
        id: "evt-1",
        body: Vec::new(),
        keys,
    }
}

/// N6: a name is refused by the addresses that it leads to, each time it is called.
#[tokio::test]
async fn n6_names_that_lead_inside_are_not_called() {
    for addresses in [
        &["127.0.0.1:443"] as &[&str],
        &["10.0.0.1:443"],
        &["169.254.169.254:443"],
        &["100.64.0.1:443"],
        &["[::1]:443"],
        &["[fd00:ec2::254]:443"],
        &["[fe80::1]:443"],
        &["[::ffff:10.0.0.1]:443"],
        &["224.0.0.1:443"],
        // One public address does not make up for another.
        &["8.8.8.8:443", "192.168.0.1:443"],
    ] {
        let found: Vec<SocketAddr> = addresses.iter().map(|a| a.parse().unwrap()).collect();
        let lookup: Lookup = Arc::new(move |_| {
            let found = found.clone();
            Box::pin(async move { Ok(found) })
        });
        let poster = Poster::with_lookup(lookup).unwrap();
        let endpoint =
            Endpoint::parse("https://hooks.example.com/in", &Origins::default()).unwrap();
        let answer = poster.post(&endpoint, post(&[])).await;
        assert_eq!(answer, Answer::None("address_not_public"), "{addresses:?}");
    }
}

/// N6: a name that led outside when it was looked at first is looked at again.
#[tokio::test]
async fn n6_a_dns_change_does_not_lead_inside() {
    let (lookup, asked) = lookup(&[&["8.8.8.8:443"], &["127.0.0.1:443"]]);
    let resolver = PublicOnly(Arc::clone(&lookup));
    let found = resolver.resolve("hooks.example.com".parse().unwrap()).await;
    assert_eq!(found.map(Iterator::count).ok(), Some(1));
    let poster = Poster::with_lookup(lookup).unwrap();
    let endpoint = Endpoint::parse("https://hooks.example.com/in", &Origins::default()).unwrap();
    for requests in 2..4 {
        let answer = poster.post(&endpoint, post(&[])).await;
        assert_eq!(answer, Answer::None("address_not_public"));
        assert_eq!(asked.load(Ordering::SeqCst), requests);
    }
}

/// N6: a redirect is an answer, and leads nowhere.
#[tokio::test]
async fn n6_redirects_are_not_followed() {
    let (inside, reached) = listener("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let location: &'static str = Box::leak(
        format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{inside}/\r\ncontent-length: 0\r\n\r\n")
            .into_boxed_str(),
    );
    let (outside, requests) = listener(location).await;
    let origin = format!("http://{outside}");
    let allowed = Origins::parse(&origin).unwrap();
    let endpoint = Endpoint::parse(&format!("{origin}/in"), &allowed).unwrap();
    let poster = Poster::new().unwrap();
    let answer = poster.post(&endpoint, post(&[])).await;
    assert_eq!(answer.failure(), Some("redirected"));
    assert_eq!(requests.lock().unwrap().len(), 1);
    assert!(reached.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_endpoint_that_nobody_serves_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let endpoint = Endpoint::parse(&origin, &Origins::parse(&origin).unwrap()).unwrap();
    let answer = Poster::new().unwrap().post(&endpoint, post(&[])).await;
    assert_eq!(answer, Answer::None("unreachable"));
}

#[tokio::test]
async fn requests_carry_id_time_and_signatures_and_large_bodies_are_not_read() {
    // The head promises a gigabyte, which never comes: waiting for it would be a timeout.
    let head = "HTTP/1.1 503 Busy\r\nretry-after: 120\r\ncontent-length: 1073741824\r\n\r\nx";
    let (address, requests) = listener(head).await;
    let origin = format!("http://{address}");
    let endpoint = Endpoint::parse(&origin, &Origins::parse(&origin).unwrap()).unwrap();
    let keys = [
        SigningSecret::generate().unwrap(),
        SigningSecret::generate().unwrap(),
    ];
    let answer = Poster::new().unwrap().post(&endpoint, post(&keys)).await;
    let expected = Answer::Status {
        code: 503,
        retry_after: Some(Duration::from_mins(2)),
    };
    assert_eq!(answer, expected);
    let requests = requests.lock().unwrap();
    let header = |name: &str| {
        requests[0]
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")))
            .unwrap()
            .to_owned()
    };
    assert_eq!(header("content-type"), "application/cloudevents+json");
    assert_eq!(header("webhook-id"), "evt-1");
    let at = Timestamp::from_second(header("webhook-timestamp").parse().unwrap()).unwrap();
    let signatures = SigningSecret::header(&keys, "evt-1", at, b"");
    assert_eq!(header("webhook-signature"), signatures);
}
