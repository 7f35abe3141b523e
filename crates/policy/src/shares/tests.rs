//! Tests of who gets a permit, and who waits.

use super::*;

#[expect(clippy::unnecessary_wraps, reason = "as the shares are asked")]
fn client(number: u32) -> Option<IpAddr> {
    Some(IpAddr::V4(std::net::Ipv4Addr::from_bits(number)))
}

fn all_of(shares: &Arc<Shares>, number: u32) -> Vec<Share> {
    std::iter::from_fn(|| shares.try_take(client(number))).collect()
}

fn poll(waiting: &mut Waiting) -> Option<Share> {
    match Pin::new(waiting).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(share) => Some(share),
        Poll::Pending => None,
    }
}

/// Permits taken, clients that wait, and clients that are known.
fn left(shares: &Shares) -> (usize, usize, usize) {
    let table = shares.lock();
    (table.used, table.waiting, table.held.len() + table.queues.len())
}

#[test]
fn one_client_leaves_a_quarter_to_others() {
    let shares = Shares::new(1024, 16);
    let greedy = all_of(&shares, 1);
    assert_eq!(greedy.len(), 768);
    let others: Vec<_> = (2..258).filter_map(|number| shares.try_take(client(number))).collect();
    assert_eq!((others.len(), shares.used()), (256, 1024));
    assert!(shares.try_take(client(300)).is_none());
    drop((greedy, others));
    assert_eq!(left(&shares), (0, 0, 0));
}

#[test]
fn several_greedy_clients_leave_as_much() {
    let shares = Shares::new(100, 16);
    let greedy: Vec<_> = (1..6).map(|number| all_of(&shares, number)).collect();
    assert!(greedy.iter().map(Vec::len).sum::<usize>() < 100);
    assert!(shares.try_take(client(9)).is_some());
}

#[test]
fn of_what_is_free_a_client_has_its_part() {
    let shares = Shares::of_free(900, 8, 16);
    let greedy = all_of(&shares, 1);
    assert_eq!(greedy.len(), 100, "alone a ninth");
    let more: Vec<_> = (2..20).map(|number| all_of(&shares, number)).collect();
    assert!(shares.try_take(client(99)).is_some(), "{} are taken", shares.used());
    drop((greedy, more));
    assert_eq!(left(&shares), (0, 0, 0));
}

#[test]
fn what_cannot_be_refused_counts() {
    let shares = Shares::of_free(8, 3, 0);
    let forced: Vec<_> = (0..12).map(|_| shares.take(client(1))).collect();
    assert!(shares.is_full() && shares.try_take(client(1)).is_none() && shares.try_take(client(2)).is_none());
    drop(forced);
    assert_eq!(left(&shares), (0, 0, 0));
    assert_eq!(all_of(&shares, 1).len(), 2);
}

#[test]
fn a_client_waits_in_half_of_the_room() {
    let shares = Shares::new(1, 16);
    let _held = shares.try_take(client(1)).unwrap();
    let greedy: Vec<_> = std::iter::from_fn(|| shares.wait(client(1))).collect();
    assert!(greedy.len() < 10, "{}", greedy.len());
    assert!(shares.wait(client(2)).is_some());
}

#[test]
fn there_is_always_one() {
    let shares = Shares::new(2, 16);
    let _first = shares.try_take(client(1)).unwrap();
    let second = shares.try_take(client(2)).unwrap();
    assert!(shares.try_take(client(3)).is_none());
    drop(second);
    assert!(shares.try_take(client(3)).is_some());
}

#[test]
fn an_ipv6_client_is_its_network_and_a_mapped_address_is_itself() {
    let of = |text: &str| key(network(Some(text.parse().unwrap())));
    assert_eq!(of("2001:db8::1"), of("2001:db8:0:0:ffff::2"));
    assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
    assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
}

#[test]
fn who_holds_the_fewest_is_served_first() {
    let shares = Shares::new(4, 16);
    let mut heavy = all_of(&shares, 1);
    heavy.extend(shares.try_take(client(1)));
    let light: Vec<_> = (2..6).filter_map(|number| shares.try_take(client(number))).collect();
    assert_eq!(shares.used(), 4);
    let mut waits_heavy = shares.wait(client(1)).unwrap();
    let mut waits_light = shares.wait(client(9)).unwrap();
    assert!(poll(&mut waits_heavy).is_none() && poll(&mut waits_light).is_none());
    drop(heavy.pop());
    assert!(poll(&mut waits_heavy).is_none());
    let share = poll(&mut waits_light);
    assert!(share.is_some());
    drop((share, light, heavy));
    assert!(poll(&mut waits_heavy).is_some());
    drop((waits_heavy, waits_light));
    assert_eq!(left(&shares), (0, 0, 0));
}

#[test]
fn who_leaves_while_waiting_takes_nothing_along() {
    let shares = Shares::new(1, 1);
    let held = shares.try_take(client(1)).unwrap();
    let waiting = shares.wait(client(2)).unwrap();
    assert!(shares.wait(client(3)).is_none(), "one may wait");
    drop(waiting);
    let granted = shares.wait(client(3)).unwrap();
    drop(held);
    assert_eq!(shares.used(), 1, "it is granted");
    drop(granted);
    assert_eq!(left(&shares), (0, 0, 0));
}
