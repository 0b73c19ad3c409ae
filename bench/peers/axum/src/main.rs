//! btauth/1 on axum: POST /echo answers the body of a request whose signature holds (wire spec 9.1 to 9.6).
//!
//! btauth-axum SS58: listens on a free loopback port, prints {"ready":true,"port":…}, serves on one thread.
//! Addresses are decoded once and kept, nonces live in a map for twelve seconds: a fair server, not a slow one.
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::post,
    Router,
};
use blake2::{Blake2b512, Digest};
use schnorrkel::{signing_context, PublicKey, Signature};
use sha2::Sha256;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

const BACK_NS: u128 = 10_000_000_000;
const AHEAD_NS: u128 = 2_000_000_000;

#[derive(Default)]
struct Seen {
    keys: HashMap<String, [u8; 32]>,
    nonces: HashMap<([u8; 32], u64), ()>,
    order: VecDeque<(u128, [u8; 32], u64)>,
}

struct Server {
    own: String,
    seen: Mutex<Seen>,
}

enum Refusal {
    Malformed,
    WrongReceiver,
    Stale,
    Bad,
    Replayed,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, class) = match self {
            Refusal::Malformed => (StatusCode::UNAUTHORIZED, "MalformedAuth"),
            Refusal::WrongReceiver => (StatusCode::FORBIDDEN, "WrongReceiver"),
            Refusal::Stale => (StatusCode::UNAUTHORIZED, "StaleRequest"),
            Refusal::Bad => (StatusCode::UNAUTHORIZED, "BadSignature"),
            Refusal::Replayed => (StatusCode::UNAUTHORIZED, "ReplayedRequest"),
        };
        (status, format!("{{\"error\":\"{class}\"}}")).into_response()
    }
}

fn decode_address(text: &str) -> Option<[u8; 32]> {
    let raw = bs58::decode(text).into_vec().ok()?;
    if raw.len() != 35 || raw[0] > 63 {
        return None;
    }
    let mut hash = Blake2b512::new();
    hash.update(b"SS58PRE");
    hash.update(&raw[..33]);
    if hash.finalize()[..2] != raw[33..] {
        return None;
    }
    raw[1..33].try_into().ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn verify(server: &Server, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    if text(headers, "x-bittensor-version") != Some("1") {
        return Err(Refusal::Malformed);
    }
    let sender = text(headers, "x-bittensor-hotkey").ok_or(Refusal::Malformed)?;
    let nonce: u64 = text(headers, "x-bittensor-nonce").and_then(|n| n.parse().ok()).ok_or(Refusal::Malformed)?;
    let signature = text(headers, "x-bittensor-signature").ok_or(Refusal::Malformed)?;
    let signature = hex::decode(signature.strip_prefix("0x").unwrap_or(signature)).map_err(|_| Refusal::Malformed)?;
    let receiver = text(headers, "x-bittensor-receiver").ok_or(Refusal::WrongReceiver)?;
    if receiver != server.own {
        return Err(Refusal::WrongReceiver);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| Refusal::Stale)?.as_nanos();
    let at = u128::from(nonce);
    if now > at + BACK_NS || at > now + AHEAD_NS {
        return Err(Refusal::Stale);
    }
    let target = uri.path_and_query().map_or("/", |t| t.as_str());
    let payload = format!(
        "btauth/1\nsr25519\n{method}\n{target}\n{}\n{nonce}\n{sender}\n{receiver}",
        hex::encode(Sha256::digest(body))
    );
    let known = server.seen.lock().unwrap().keys.get(sender).copied();
    let key = match known {
        Some(key) => key,
        None => {
            let key = decode_address(sender).ok_or(Refusal::Malformed)?;
            server.seen.lock().unwrap().keys.insert(sender.to_owned(), key);
            key
        }
    };
    let public = PublicKey::from_bytes(&key).map_err(|_| Refusal::Bad)?;
    let signature = Signature::from_bytes(&signature).map_err(|_| Refusal::Bad)?;
    public
        .verify(signing_context(b"substrate").bytes(payload.as_bytes()), &signature)
        .map_err(|_| Refusal::Bad)?;
    let mut seen = server.seen.lock().unwrap();
    while seen.order.front().is_some_and(|(until, _, _)| *until < now) {
        if let Some((_, key, nonce)) = seen.order.pop_front() {
            seen.nonces.remove(&(key, nonce));
        }
    }
    if seen.nonces.insert((key, nonce), ()).is_some() {
        return Err(Refusal::Replayed);
    }
    seen.order.push_back((now.max(at) + BACK_NS, key, nonce));
    Ok(())
}

async fn echo(
    State(server): State<Arc<Server>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Bytes, Refusal> {
    verify(&server, &method, &uri, &headers, &body)?;
    Ok(body)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let own = std::env::args().nth(1).expect("usage: btauth-axum SS58");
    let server = Arc::new(Server { own, seen: Mutex::default() });
    let app = Router::new().route("/echo", post(echo)).with_state(server);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{{\"ready\":true,\"port\":{}}}", listener.local_addr().expect("an address").port());
    axum::serve(listener, app).await.expect("serves");
}
