//! Real servers that learn as one through a real Redis server: what one is taught all know, whatever becomes of the engine.
//!
//! `cargo test` runs the short form: the promises, and the faults that differ most. `cargo xtask fleet` runs this with
//! `--all`: every fault, which takes minutes. Tests wait most of the time, so several run at once.
#![forbid(unsafe_code)]

mod balancers;
mod clocks;
mod directories;
mod faults;
mod promises;
mod refusals;
mod rig;
mod rolling;
mod runner;
mod topologies;
mod versions;
mod wires;

use runner::Test;

/// Tests by their paths.
macro_rules! tests {
    ($($module:ident::$name:ident,)*) => {
        vec![$(Test::new(concat!(stringify!($module), "::", stringify!($name)), $module::$name)),*]
    };
}

fn main() -> std::process::ExitCode {
    let short = tests![
        promises::what_three_networks_teach_at_three_servers_a_fourth_knows,
        promises::a_server_that_comes_late_or_restarts_counts_nothing_twice,
        promises::a_server_that_joins_late_plans_the_same_pages,
        promises::a_page_that_answers_404_at_one_is_planned_by_none,
        promises::a_server_that_is_killed_hears_what_it_had_told,
        promises::keys_are_made_and_rotated_and_mistakes_are_named,
        faults::frozen,
        faults::flushed_and_filled_with_garbage,
        faults::where_nobody_listens_or_speaks_tls,
        refusals::another_key_and_another_half_life,
    ];
    let long = tests![
        faults::killed,
        faults::stopped_in_an_orderly_way,
        faults::full,
        faults::another_password,
        faults::paused,
        faults::asleep,
        faults::keys_of_other_kinds,
        faults::a_certificate_that_not_all_trust,
        wires::half_open,
        wires::cut_in_the_middle_of_a_reply,
        wires::cut_in_the_middle_of_a_later_reply,
        topologies::a_replica_takes_over_that_a_sentinel_chooses,
        topologies::a_cluster_of_six_loses_the_master_that_holds_the_fleet,
        refusals::two_servers_of_one_name,
        clocks::back_by_an_hour,
        directories::read_only,
        directories::full,
        balancers::assets_without_their_page_are_counted,
        rolling::another_half_life,
        rolling::another_key_of_evidence,
        rolling::another_version,
        rolling::a_rotated_key_of_cookies,
    ];
    runner::run(short, long)
}
