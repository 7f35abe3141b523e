//! One direction of the packet link: a rate, a queue that drops what does not fit, a delay.

use std::io;
use std::num::NonZeroU64;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tun_rs::SyncDevice;

use super::Shape;
use super::faults::Fate;

/// A packet and when it is due.
type Due = (Instant, Vec<u8>);

/// Carries packets until the device it reads from is gone.
pub(crate) fn carry(
    from: &Arc<SyncDevice>,
    to: &Arc<SyncDevice>,
    shape: &Arc<Shape>,
    direction: usize,
) -> [JoinHandle<()>; 2] {
    let (sender, receiver) = channel();
    let (from, to, shape) = (Arc::clone(from), Arc::clone(to), Arc::clone(shape));
    [thread::spawn(move || read(&from, &shape, direction, &sender)), thread::spawn(move || deliver(&receiver, &to))]
}

fn read(from: &SyncDevice, shape: &Shape, direction: usize, sender: &Sender<Due>) {
    prefer_this_thread();
    let mut buffer = vec![0; 65_536];
    let mut busy = Instant::now();
    let mut last = busy;
    loop {
        let length = match from.recv(&mut buffer) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        let now = Instant::now();
        busy = busy.max(now);
        if busy - now > shape.queue() {
            shape.count_drop();
            continue;
        }
        // The rate is of IP bytes: no framing below is counted.
        busy += shape.transmission(length, busy);
        shape.count(direction, length);
        let Fate { lost, late } = shape.fate(direction);
        if lost {
            shape.count_drop();
            continue;
        }
        last = last.max(busy + shape.one_way() + late);
        if sender.send((last, buffer[..length].to_vec())).is_err() {
            return;
        }
    }
}

fn deliver(receiver: &Receiver<Due>, to: &SyncDevice) {
    prefer_this_thread();
    for (due, packet) in receiver {
        let early = due.saturating_duration_since(Instant::now());
        if early > Duration::ZERO {
            thread::sleep(early);
        }
        // A packet that the kernel does not take is lost, as packets are.
        let _ = to.send(&packet);
    }
}

/// Sleeps end on time (a slack of 1 ns in place of 50 us), and before what else wants the processor. Both only make
/// the link more even, so where they are not allowed it works without.
pub(crate) fn prefer_this_thread() {
    let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
    let thread = rustix::thread::gettid().to_string();
    let _ = Command::new("chrt").args(["--rr", "--pid", "10", &thread]).stderr(Stdio::null()).status();
}
