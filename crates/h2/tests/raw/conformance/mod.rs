//! Demands of RFC 9113 and RFC 7541 on a server, case by case: raw frames over loopback TCP, and the kind of answer.
//!
//! A case is named by the section and the rule. Where the RFC leaves a choice, all that it allows is listed. Where
//! the `h2` crate answers otherwise, today's answer stands beside as a *known deviation* (`UPSTREAM.md` lists
//! them): the test fails when `h2` is mended, so that the row gets corrected.

mod block;
mod case;
mod check;
mod fields;
mod flow;
mod format;
mod frame_types;
mod hpack;
mod messages;
mod preface;
mod push;
mod push_table;
mod settings;
mod states;
mod streams;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn generic_rules() {
    let cases = [
        preface::cases(),
        format::cases(),
        states::cases(),
        streams::cases(),
        frame_types::cases(),
        settings::cases(),
        flow::cases(),
        messages::cases(),
        fields::cases(),
        hpack::cases(),
    ];
    check::all("RFC 9113 and RFC 7541", cases.into_iter().flatten().collect(), 140).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn push_rules() {
    push::check(push_table::cases(), 40).await;
}
