//! The thread that does the jobs, and another one for when it hangs.
//!
//! A disk that is gone hangs whoever writes to it, for minutes or for good. The queue outlives the thread: given up, it
//! takes no further job, and another one goes on with those that wait. What it still has to say of the job in its
//! hands it says, if it ever comes back; it ends then.

use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::camera::types::Cancel;
use crate::device::job::{Job, Report};
use crate::host::relay::Relay;

use super::{IDLE, Settings, Wait, Worker};

/// The jobs that wait. One thread at a time asks for the next one, and holds the lock only for that.
pub(super) type Queue = Arc<Mutex<Receiver<Job>>>;

type Start = Box<dyn Fn(Cancel) -> io::Result<JoinHandle<()>>>;

/// The running thread. It ends when `jobs` has been dropped or its reports are wanted no more.
pub struct DeliveryThread {
    /// Where its work comes from. It needs no bound: of the frames that a device has handed over at most three are still
    /// wanted, and the others are dropped as soon as they are seen.
    pub jobs: Sender<Job>,
    /// To wait for its end. Whoever hangs before it keeps a frame.
    pub thread: Relay,
    start: Start,
}

impl DeliveryThread {
    /// Starts it. `report` takes what it has to tell, in the order of the jobs, and says whether there will be anyone
    /// to hear the next one.
    pub fn spawn(
        settings: Settings,
        report: impl Fn(Report) -> bool + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let (jobs, queue) = channel();
        let queue: Queue = Arc::new(Mutex::new(queue));
        let start: Start = Box::new(move |given_up| {
            let (settings, report, queue) = (settings.clone(), report.clone(), Arc::clone(&queue));
            let name = format!("delivery {}", settings.device);
            thread::Builder::new().name(name).spawn(move || {
                work(&mut Worker::new(settings), &queue, &given_up, report);
            })
        });
        let mut thread = Relay::default();
        thread.hand_over(&start)?;
        Ok(DeliveryThread { jobs, thread, start })
    }

    /// Gives up the thread, which hangs, and has another one take over; `false` if too many hang already, so that the
    /// jobs have to wait for it.
    pub fn replace(&mut self) -> io::Result<bool> {
        self.thread.hand_over(&self.start)
    }
}

impl fmt::Debug for DeliveryThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryThread").field("thread", &self.thread).finish_non_exhaustive()
    }
}

fn work(worker: &mut Worker, queue: &Queue, given_up: &Cancel, report: impl Fn(Report) -> bool) {
    while !given_up.is_cancelled() {
        // Nothing under this lock can panic half-way.
        let next = worker.wait(&queue.lock().unwrap_or_else(PoisonError::into_inner), IDLE);
        match next {
            Wait::Job(job) => {
                if let Job::Deliver(delivery) = &job
                    && !report(Report::Begun { id: delivery.id })
                {
                    return;
                }
                let (answer, pixels) = worker.run(job, &|early| {
                    // Whether anyone hears it is seen at the end: the frame is to be stored all the same.
                    let _ = report(early);
                });
                if answer.is_some_and(|answer| !report(answer)) {
                    return;
                }
                // Not before the report is out: what lies there already takes a moment to be freed.
                if let Some(pixels) = pixels {
                    worker.spare.leave(pixels);
                }
            }
            Wait::Idle => {}
            Wait::Closed => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::super::tests::{delivery, settings};
    use super::*;
    use crate::delivery::blob::Transport;
    use crate::device::job::{Delivery, Press, SpoolLimits};
    use crate::host::scratch::Scratch;

    /// A thread that hangs in every purge until [`Rig::free`] is dropped.
    struct Rig {
        delivery: DeliveryThread,
        heard: Receiver<Report>,
        hangs: Receiver<()>,
        free: Sender<()>,
        _scratch: Scratch,
    }

    fn rig() -> Rig {
        let scratch = Scratch::new();
        let (reports, heard) = mpsc::channel();
        let (tell, hangs) = mpsc::channel();
        let (free, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let report = move |report| {
            if matches!(report, Report::Purged(..)) {
                let _ = tell.send(());
                let _ = gate.lock().unwrap().recv();
            }
            reports.send(report).is_ok()
        };
        let delivery = DeliveryThread::spawn(settings(&scratch, Transport::Inline), report).unwrap();
        Rig { delivery, heard, hangs, free, _scratch: scratch }
    }

    impl Rig {
        /// Waits until the thread hangs.
        fn hang(&self) {
            self.delivery.jobs.send(Job::PurgeConfig(Press(1))).unwrap();
            self.hangs.recv().unwrap();
        }
    }

    #[test]
    fn what_waits_behind_a_job_that_hangs_is_done_by_another_thread() {
        let mut rig = rig();
        rig.hang();
        let nickname = "Eye".to_owned();
        rig.delivery.jobs.send(Job::Nickname { serial: "SN1".to_owned(), nickname }).unwrap();
        assert!(rig.delivery.replace().unwrap());
        assert!(matches!(rig.heard.recv().unwrap(), Report::Nicknamed(Ok(name)) if name == "Eye"));
        // What the thread that was given up says of its own job is heard all the same, and then it ends.
        drop(rig.free);
        assert!(matches!(rig.heard.recv().unwrap(), Report::Purged(..)));
        while rig.delivery.thread.hanging() > 0 {
            thread::yield_now();
        }
        let DeliveryThread { jobs, thread, .. } = rig.delivery;
        drop(jobs);
        thread.join().unwrap();
    }

    #[test]
    fn the_thread_that_takes_over_keeps_to_the_limits_of_the_spool() {
        let mut rig = rig();
        let limits = SpoolLimits { bytes: 100, age: std::time::Duration::MAX };
        let (now, directory) = (std::time::SystemTime::UNIX_EPOCH, String::new());
        rig.delivery.jobs.send(Job::TendSpool { limits, now, directory }).unwrap();
        assert!(matches!(rig.heard.recv().unwrap(), Report::Spool(Ok(_))));
        rig.hang();
        assert!(rig.delivery.replace().unwrap());
        let frame = Delivery { keep: true, ..delivery(true, None) };
        rig.delivery.jobs.send(Job::Deliver(Box::new(frame))).unwrap();
        assert!(matches!(rig.heard.recv().unwrap(), Report::Begun { .. }));
        assert!(matches!(rig.heard.recv().unwrap(), Report::Encoded { .. }));
        let Report::Delivered { kept: Some(Err(error)), .. } = rig.heard.recv().unwrap() else {
            panic!("kept without limits")
        };
        assert!(error.to_string().contains("and the spool takes 100"), "{error}");
    }

    #[test]
    fn so_many_threads_may_hang_and_another_one_when_one_of_them_is_free() {
        let mut rig = rig();
        for replaced in [true, true, true, false] {
            rig.hang();
            assert_eq!(rig.delivery.replace().unwrap(), replaced);
        }
        rig.free.send(()).unwrap();
        rig.heard.recv().unwrap();
        // The first one waits at the gate, the others behind it.
        while !rig.delivery.replace().unwrap() {
            thread::yield_now();
        }
        drop(rig.free);
    }
}
