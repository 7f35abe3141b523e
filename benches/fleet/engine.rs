//! What one `redis-server` carries when every server reads as much as it may.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use headstart_fleet::exchange_at;
use serde_json::{Value, json};
use testkit::engine::Redis;
use testkit::tools;

/// Bytes of an entry, and how many come a second: together what a server may read.
const ENTRY: usize = 4096;
const ENTRIES: u64 = 16;
const SECONDS: u64 = 15;

pub(crate) fn measure(counts: &[usize]) -> Vec<Value> {
    println!("\n| readers of one engine | MiB/s that it sends | commands/s | % of a core |\n|---:|---:|---:|---:|");
    if !tools::have(&["redis-server", "redis-cli"]) {
        return Vec::new();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    counts.iter().map(|count| runtime.block_on(one(*count))).collect()
}

async fn one(count: usize) -> Value {
    let redis = Redis::start(&[]);
    let url = redis.url();
    let (read, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let readers: Vec<_> = (0..count)
        .map(|at| {
            let exchange = exchange_at(&url, "bench").expect("a URL");
            let (read, failed) = (Arc::clone(&read), Arc::clone(&failed));
            tokio::spawn(async move {
                // Not all at the same moment.
                tokio::time::sleep(Duration::from_millis(2000 * at as u64 / count as u64)).await;
                let mut cursor = None;
                loop {
                    match exchange.read(cursor.as_ref(), 256 << 10).await {
                        Ok(batch) => {
                            read.fetch_add(batch.entries.iter().map(Vec::len).sum::<usize>() as u64, Ordering::Relaxed);
                            cursor = batch.cursor;
                        }
                        Err(_) => {
                            failed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
            })
        })
        .collect();
    let publisher = exchange_at(&url, "bench").expect("a URL");
    let writer = tokio::spawn(async move {
        let entry = vec![7; ENTRY];
        loop {
            let _ = publisher.publish(&entry).await;
            tokio::time::sleep(Duration::from_secs(1) / ENTRIES as u32).await;
        }
    });
    tokio::time::sleep(Duration::from_secs(6)).await;
    let sample = || {
        let cpu = redis.info("used_cpu_user") + redis.info("used_cpu_sys");
        (cpu, redis.info("total_commands_processed"), redis.info("total_net_output_bytes"))
    };
    let before = sample();
    tokio::time::sleep(Duration::from_secs(SECONDS)).await;
    let after = sample();
    readers.iter().for_each(tokio::task::JoinHandle::abort);
    writer.abort();
    let seconds = SECONDS as f64;
    let (cpu, sent) = (100.0 * (after.0 - before.0) / seconds, (after.2 - before.2) / seconds);
    println!("| {count} | {:.1} | {:.0} | {cpu:.1} |", sent / f64::from(1 << 20), (after.1 - before.1) / seconds);
    assert_eq!(failed.load(Ordering::Relaxed), 0, "every read is answered");
    json!({ "area": "fleet", "name": format!("processor of one engine, {count} readers"), "unit": "% of a core",
        "ours": cpu, "target": null, "pass": null })
}
