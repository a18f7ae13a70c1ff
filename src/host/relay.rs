//! A thread that may hang, and another one for when it does.
//!
//! A thread that waits for a disk or for hardware cannot be ended from outside. It can be given up: another one takes
//! over, and it ends when it comes back and sees that. Until then it keeps whatever it has in its hands, so only so many
//! may hang at a time.
//!
//! Read [`Relay::hand_over`] first.

use std::io;
use std::thread::{self, JoinHandle};

use crate::camera::types::Cancel;

/// Threads that may hang at a time, besides the one that works. When so many do, the work waits for them.
pub const MOST_HANGING: usize = 3;

/// The thread that works, and those before it that have not come back.
#[derive(Debug, Default)]
pub struct Relay {
    /// With what tells it that it is given up.
    at_work: Option<(JoinHandle<()>, Cancel)>,
    hanging: Vec<JoinHandle<()>>,
}

impl Relay {
    /// Gives up the thread at work, if there is one, and has the one that `start` starts take over; `false` if too many
    /// hang already. If none can be started everything stays as it was.
    pub fn hand_over(
        &mut self,
        start: impl FnOnce(Cancel) -> io::Result<JoinHandle<()>>,
    ) -> io::Result<bool> {
        if self.hanging() >= MOST_HANGING {
            return Ok(false);
        }
        let given_up = Cancel::default();
        let next = (start(given_up.clone())?, given_up);
        if let Some((thread, given_up)) = self.at_work.replace(next) {
            given_up.cancel();
            self.hanging.push(thread);
        }
        Ok(true)
    }

    /// How many have been given up and have not ended yet.
    pub fn hanging(&mut self) -> usize {
        self.hanging.retain(|thread| !thread.is_finished());
        self.hanging.len()
    }

    /// Waits for the end of the thread at work; nobody waits for those that hang.
    pub fn join(self) -> thread::Result<()> {
        self.at_work.map_or(Ok(()), |(thread, _)| thread.join())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Starts a thread that hangs until it is let go, and then tells whether it was given up.
    fn hang(relay: &mut Relay, tell: &Sender<bool>) -> (bool, Sender<()>) {
        let (free, gate): (Sender<()>, Receiver<()>) = channel();
        let tell = tell.clone();
        let start = |given_up: Cancel| {
            thread::Builder::new().spawn(move || {
                let _ = gate.recv();
                tell.send(given_up.is_cancelled()).unwrap();
            })
        };
        (relay.hand_over(start).unwrap(), free)
    }

    #[test]
    fn a_thread_that_hangs_is_given_up_until_too_many_hang_and_again_when_one_has_come_back() {
        let mut relay = Relay::default();
        let (tell, told) = channel();
        let mut gates = Vec::new();
        for hanging in 0..=MOST_HANGING {
            let (started, gate) = hang(&mut relay, &tell);
            assert!(started);
            assert_eq!(relay.hanging(), hanging);
            gates.push(gate);
        }
        assert!(!hang(&mut relay, &tell).0);
        drop(gates.remove(0));
        assert!(told.recv().unwrap(), "not told that it was given up");
        while relay.hanging() == MOST_HANGING {
            thread::yield_now();
        }
        let (started, last) = hang(&mut relay, &tell);
        assert!(started);
        // Only the last one is waited for, whoever else hangs.
        drop(last);
        relay.join().unwrap();
        assert!(!told.recv().unwrap(), "the thread at work was given up");
    }

    #[test]
    fn the_thread_at_work_stays_if_no_other_can_be_started() {
        let mut relay = Relay::default();
        let (tell, told) = channel();
        let (_, gate) = hang(&mut relay, &tell);
        relay.hand_over(|_given_up| Err(io::ErrorKind::WouldBlock.into())).unwrap_err();
        assert_eq!(relay.hanging(), 0);
        drop(gate);
        relay.join().unwrap();
        assert!(!told.recv().unwrap(), "given up for nobody");
    }
}
