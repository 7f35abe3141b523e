//! Clients that fall silent.

use std::time::Duration;

use headstart_h2::{Config, Timeout};
use tokio::time::Instant;

use crate::server::{Running, Script};
use testkit::frames::{self, PING, frame, get, window};

const BIG_PIPE: usize = 1 << 22;

fn pings<C>(server: &Running<C>) -> usize {
    server.peer.heard.iter().filter(|frame| frame.kind == PING && frame.flags == 0).count()
}

fn hours(config: &mut Config) {
    config.idle_timeout = Duration::from_secs(36_000);
}

/// Two minutes after its last word it is asked; half a minute later it is gone, and the handler with it.
#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_is_noticed() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    let began = Instant::now();
    server.peer.send([get(1, "/wait/90000000/10"), get(3, "/endless/10")].concat()).await;
    server.peer.trace().await;
    let error = (&mut server.task).await.unwrap().unwrap_err();
    assert_eq!((error.timer(), began.elapsed().as_secs()), (Some(Timeout::KeepAlive), 150));
    server.peer.trace().await;
    assert_eq!(pings(&server), 1);
    server.log.assert_has("dropped /wait/90000000/10");
    server.log.assert_balanced();
}

/// One that answers stays, for as long as its streams do.
#[tokio::test(start_paused = true)]
async fn a_client_that_answers_stays() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/endless/10")).await;
    let mut answered = 0;
    for _ in 0..360 {
        tokio::time::sleep(Duration::from_secs(10)).await;
        server.peer.trace().await;
        if pings(&server) > answered {
            let ping = server.peer.heard.iter().rfind(|frame| frame.kind == PING).unwrap().payload.clone();
            server.peer.send(frame(PING, frames::END, 0, &ping)).await;
            answered += 1;
        }
    }
    assert!((27..=30).contains(&answered), "an hour, every two minutes and a little: {answered}");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// Whatever it says is a sign of life; also before and after it was asked.
#[tokio::test(start_paused = true)]
async fn a_client_that_talks_stays() {
    for every in [100, 140] {
        let mut server = Script::new().start(BIG_PIPE, &[]).await;
        server.peer.send(get(1, "/endless/10")).await;
        for _ in 0..20 {
            server.peer.trace().await;
            tokio::time::sleep(Duration::from_secs(every)).await;
            server.peer.send(window(0, 1)).await;
        }
        assert_eq!(pings(&server) > 0, every > 120);
        server.peer.assert_well().await;
    }
}

/// Whoever asks for nothing is not asked either, unless told otherwise.
#[tokio::test(start_paused = true)]
async fn an_idle_client_is_not_asked() {
    for (while_idle, lives) in [(false, true), (true, false)] {
        let script = Script::new().config(hours).config(|config| config.keep_alive_while_idle = while_idle);
        let mut server = script.start(BIG_PIPE, &[]).await;
        server.peer.send(get(1, "/bytes/10")).await;
        server.peer.trace().await;
        tokio::time::sleep(Duration::from_secs(1000)).await;
        server.peer.trace().await;
        assert_eq!((server.peer.closed, pings(&server)), (!lives, usize::from(while_idle)));
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_without_an_interval() {
    let mut server = Script::new().config(|config| config.keep_alive_interval = None).start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/wait/9000000/10")).await;
    server.peer.trace().await;
    tokio::time::sleep(Duration::from_secs(9001)).await;
    server.peer.trace().await;
    assert_eq!((server.peer.ended(1), pings(&server)), (true, 0));
    server.hang_up().await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_times_are_configured() {
    let script = Script::new().config(|config| {
        config.keep_alive_interval = Some(Duration::from_secs(7));
        config.keep_alive_timeout = Duration::from_secs(4);
    });
    let mut server = script.start(BIG_PIPE, &[]).await;
    let began = Instant::now();
    server.peer.send(get(1, "/endless/10")).await;
    let error = (&mut server.task).await.unwrap().unwrap_err();
    assert_eq!((error.timer(), began.elapsed().as_secs()), (Some(Timeout::KeepAlive), 11));
}
