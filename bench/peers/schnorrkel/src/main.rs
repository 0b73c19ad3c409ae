//! peer NAME PERCENT FOLDER: the work of `tally_bench NAME` with schnorrkel, the signatures of FOLDER/signatures.bin.
//! Prints {"name", "seconds", "runs", "threads", "rss_mb", "peer", "version", "figures"}, as every peer does.
//!
//!   sr25519_verify       key and signature from their bytes, one after the other
//!   sr25519_verify_seen  the same keys, decoded before the clock starts: what schnorrkel can keep of a key
//!   sr25519_batch        64 at a time from their bytes, by verify_batch
use schnorrkel::context::signing_context;
use schnorrkel::{verify_batch, PublicKey, Signature};
use std::time::Instant;

const MESSAGE_LEN: usize = 200;
const ITEM_LEN: usize = 32 + 64 + MESSAGE_LEN;
const BATCH: usize = 64;

struct Item<'a> {
    key: &'a [u8],
    signature: &'a [u8],
    message: &'a [u8],
}

fn one(item: &Item, key: &PublicKey) -> bool {
    match Signature::from_bytes(item.signature) {
        Ok(signature) => key.verify(signing_context(b"substrate").bytes(item.message), &signature).is_ok(),
        Err(_) => false,
    }
}

fn verify(items: &[Item]) -> usize {
    items.iter().filter(|i| PublicKey::from_bytes(i.key).map_or(false, |key| one(i, &key))).count()
}

fn verify_seen(items: &[Item], keys: &[PublicKey]) -> usize {
    items.iter().zip(keys).filter(|(item, key)| one(item, key)).count()
}

fn batch(items: &[Item]) -> usize {
    let context = signing_context(b"substrate");
    let mut held = 0;
    for group in items.chunks(BATCH) {
        let keys: Vec<PublicKey> = group.iter().map(|i| PublicKey::from_bytes(i.key).unwrap()).collect();
        let signatures: Vec<Signature> = group.iter().map(|i| Signature::from_bytes(i.signature).unwrap()).collect();
        let transcripts = group.iter().map(|i| context.bytes(i.message));
        if verify_batch(transcripts, &signatures, &keys, false).is_ok() {
            held += group.len();
        }
    }
    held
}

/// Seconds of the best run, runs, what the last one gave: at least three runs and a second.
fn best(work: &dyn Fn() -> usize) -> (f64, u32, usize) {
    let (mut least, mut spent, mut runs, mut held) = (f64::MAX, 0.0, 0, 0);
    while runs < 200 && (runs < 3 || spent < 1.0) {
        let start = Instant::now();
        held = work();
        let took = start.elapsed().as_secs_f64();
        least = least.min(took);
        spent += took;
        runs += 1;
    }
    (least, runs, held)
}

fn rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap_or("VmHWM: 0");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.len() != 4 {
        eprintln!("usage: peer NAME PERCENT FOLDER");
        std::process::exit(2);
    }
    let bytes = std::fs::read(format!("{}/signatures.bin", arguments[3])).expect("signatures.bin");
    let items: Vec<Item> = bytes
        .chunks_exact(ITEM_LEN)
        .map(|b| Item { key: &b[..32], signature: &b[32..96], message: &b[96..] })
        .collect();
    let keys: Vec<PublicKey> = items.iter().map(|i| PublicKey::from_bytes(i.key).expect("a key")).collect();
    let name = arguments[1].as_str();
    let (seconds, runs, held) = match name {
        "sr25519_verify" => best(&|| verify(&items)),
        "sr25519_verify_seen" => best(&|| verify_seen(&items, &keys)),
        "sr25519_batch" => best(&|| batch(&items)),
        _ => panic!("no work {name}"),
    };
    println!(
        "{{\"name\":\"{name}\",\"seconds\":{seconds:.9},\"runs\":{runs},\"threads\":1,\"rss_mb\":{:.1},\
         \"peer\":\"schnorrkel (Rust)\",\"version\":\"0.11.5\",\"figures\":[{held}]}}",
        rss_mb()
    );
}
