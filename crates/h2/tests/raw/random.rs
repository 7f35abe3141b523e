//! Anything that a client may do, in any order: nothing breaks, all that was asked for arrives, everything is told
//! once.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{BufWriter, simplex};

use crate::server::Script;
use testkit::frames::{self, ENABLE_PUSH, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, PING};
use testkit::frames::{frame, get, rst, settings, window};

const PAGES: [&str; 8] = [
    "/bytes/30000",
    "/wait/5/100",
    "/drip/2500",
    "/trailers/70000",
    "/bytes/0",
    "/wait/50/20000",
    "/wait-push-nothing/40/100",
    "/wait-fail/30",
];

/// A legal act of a client. Numbers that name streams are taken modulo the streams that there are.
#[derive(Clone, Debug)]
enum Act {
    Ask { page: usize, urgency: u8 },
    Cancel { stream: usize },
    CancelPush { push: usize },
    Window { stream: usize, bytes: u32 },
    ConnectionWindow { bytes: u32 },
    Settings { id: u16, value: u32 },
    Ping,
    Read { frames: usize },
    Wait { ms: u64 },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..PAGES.len(), 0_u8..8).prop_map(|(page, urgency)| Act::Ask { page, urgency }),
        1 => any::<usize>().prop_map(|stream| Act::Cancel { stream }),
        2 => any::<usize>().prop_map(|push| Act::CancelPush { push }),
        3 => (any::<usize>(), 1_u32..60_000).prop_map(|(stream, bytes)| Act::Window { stream, bytes }),
        3 => (1_u32..60_000).prop_map(|bytes| Act::ConnectionWindow { bytes }),
        1 => (0_u32..2).prop_map(|value| Act::Settings { id: ENABLE_PUSH, value }),
        1 => (0_u32..4).prop_map(|value| Act::Settings { id: MAX_CONCURRENT_STREAMS, value }),
        1 => (0_u32..70_000).prop_map(|value| Act::Settings { id: INITIAL_WINDOW_SIZE, value }),
        2 => Just(Act::Ping),
        6 => (1_usize..20).prop_map(|frames| Act::Read { frames }),
        3 => (0_u64..30).prop_map(|ms| Act::Wait { ms }),
    ]
}

/// Plays the acts over a pipe that holds `pipe` bytes of what the server says; `buffered` puts a buffer in front of it
/// that the driver gathers in.
async fn play(pipe: usize, buffered: bool, acts: Vec<Act>) {
    let script = Script::new()
        .hint(PAGES[1])
        .push(PAGES[0], ["/bytes/20000", "/wait/3/5000", "/broken/3000", "/bytes/0"])
        .push(PAGES[1], ["/bytes/90000", "/fail", "/drip/1500"])
        .push(PAGES[4], ["/trailers/2000", "/status/304"])
        .push(PAGES[5], ["/bytes/40000", "/wait/30/5000", "/wait/45/100", "/broken/3000"])
        .push(PAGES[6], ["/bytes/50000", "/wait/25/0"])
        .push(PAGES[7], ["/bytes/60000", "/fail"])
        .config(|config| {
            config.max_diary_entries = 0;
            config.max_cancelled_pushes = 20;
            config.buffered_io = buffered;
        });
    let ((from_client, to_server), (from_server, to_client)) = (simplex(1 << 22), simplex(pipe));
    let theirs = tokio::io::join(from_server, to_server);
    let ours = tokio::io::join(from_client, to_client);
    let quiet = Duration::from_millis(1);
    let mut server = if buffered {
        script.serve(theirs, BufWriter::with_capacity(64 << 10, ours), quiet, &[]).await
    } else {
        script.serve(theirs, ours, quiet, &[]).await
    };
    let (mut asked, mut cancelled) = (Vec::new(), Vec::new());
    let pick = |ids: &[u32], at: usize| (!ids.is_empty()).then(|| ids[at % ids.len()]);
    for act in acts {
        let promised = server.peer.promised();
        match act {
            Act::Ask { page, urgency } => {
                let stream = 2 * asked.len() as u32 + 1;
                asked.push(stream);
                let priority = format!("u={urgency}{}", if urgency % 2 == 0 { ", i" } else { "" });
                server.peer.send(frames::request(stream, "GET", PAGES[page], &[("priority", &priority)], true)).await;
            }
            Act::Cancel { stream } => {
                if let Some(stream) = pick(&asked, stream) {
                    cancelled.push(stream);
                    server.peer.send(rst(stream, frames::CANCEL)).await;
                }
            }
            Act::CancelPush { push } => {
                if let Some(push) = pick(&promised, push) {
                    server.peer.send(rst(push, 7)).await;
                }
            }
            Act::Window { stream, bytes } => {
                if let Some(stream) = pick(&[asked.clone(), promised].concat(), stream) {
                    server.peer.send(window(stream, bytes)).await;
                }
            }
            Act::ConnectionWindow { bytes } => server.peer.send(window(0, bytes)).await,
            Act::Settings { id, value } => server.peer.send(settings(&[(id, value)])).await,
            Act::Ping => server.peer.send(frame(PING, 0, 0, b"act.....")).await,
            Act::Read { frames } => {
                for _ in 0..frames {
                    server.peer.next().await;
                }
            }
            Act::Wait { ms } => tokio::time::sleep(Duration::from_millis(ms)).await,
        }
    }
    // In the end the client opens all windows and reads on.
    server.peer.send(settings(&[(INITIAL_WINDOW_SIZE, 1 << 24), (ENABLE_PUSH, 0)])).await;
    server.peer.send(window(0, 1 << 28)).await;
    for _ in 0..30 {
        server.peer.drink().await;
        tokio::time::sleep(Duration::from_millis(7)).await;
    }
    server.peer.send(get(2001, "/bytes/1000")).await;
    server.peer.assert_well().await;
    assert_eq!(server.peer.bytes(2001), 1000);
    for stream in asked {
        let over = server.peer.ended(stream) || !server.peer.resets(stream).is_empty();
        assert!(over || cancelled.contains(&stream), "stream {stream} does not end");
    }
    let (result, _) = server.hang_up().await;
    result.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_client_may_do_as_it_likes(
        pipe in prop_oneof![Just(64_usize), 100_usize..3000, Just(1 << 20)],
        buffered: bool,
        acts in vec(act(), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(play(pipe, buffered, acts));
    }
}
