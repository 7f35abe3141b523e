//! What may become of the connection to an engine.

use testkit::engine::Redis;
use testkit::relay::{Flow, Valve};

use crate::faults::through;

async fn broken(fault: &'static str, flow: Flow) {
    let redis = Redis::start(&[]);
    let valve = Valve::to(redis.port);
    let url = format!("redis://127.0.0.1:{}", valve.port);
    through(fault, &url, || valve.set(flow), || valve.set(Flow::Open)).await;
}

/// Each side believes that the other one is there, and no reply ever comes.
pub(crate) async fn half_open() {
    broken("half-open", Flow::Hold).await;
}

pub(crate) async fn cut_in_the_middle_of_a_reply() {
    broken("cut in the middle", Flow::CutAfter(7)).await;
}

/// The connection is made and its first replies come; each later one is cut.
pub(crate) async fn cut_in_the_middle_of_a_later_reply() {
    broken("cut later", Flow::CutAfter(60)).await;
}
