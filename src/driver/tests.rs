//! The loop's steps, one at a time, with cameras that are found as hardware is.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::backend::BACKENDS;
use crate::host::scratch::Scratch;
use crate::wire::{self, New};

/// A thread that says nothing for so long says nothing any more.
const LIMIT: Duration = Duration::from_secs(30);

/// A driver that nobody has started, and what it has for the server.
struct Rig {
    driver: Driver,
    outgoing: Receiver<Message>,
    _scratch: Scratch,
}

fn rig(backend: Backend) -> Rig {
    let scratch = Scratch::new();
    let clock = Clock::start();
    let surroundings = Surroundings::quiet(scratch.path());
    let session_log = surroundings.session_log(clock.now());
    let (report, news) = channel(EVENTS);
    let (messages, outgoing) = channel(1000);
    let outfitter = Outfitter::new(surroundings, &[backend], clock, session_log.path().to_owned(), report);
    let headquarters = outfitter.headquarters(&[backend], 0);
    let driver = Driver {
        clock,
        outfitter: Arc::new(outfitter),
        stations: BTreeMap::new(),
        headquarters,
        requests: channel(1).1,
        news,
        audience: Audience::default(),
        log_lines: channel(1).1,
        session_log,
        messages,
        writer: std::thread::spawn(|| {}),
        broken: channel(1).1,
    };
    Rig { driver, outgoing, _scratch: scratch }
}

impl Rig {
    /// Hears what the threads have to say until the hub has nothing under way, and returns what was said of it.
    async fn settle(&mut self) -> String {
        self.driver.obey();
        let mut said = Vec::new();
        loop {
            self.driver.send_messages();
            while let Ok(message) = self.outgoing.try_recv() {
                wire::write::message(&message, &mut said);
            }
            let text = String::from_utf8_lossy(&said);
            if text.contains(r#"name="CAMERA_SCAN" state="Ok""#) {
                return text.into_owned();
            }
            let news = timeout(LIMIT, self.driver.news.recv()).await;
            self.driver.hear(news.expect("nothing comes any more").expect("the driver keeps a sender"));
        }
    }
}

#[tokio::test]
async fn a_camera_whose_device_cannot_be_made_is_told_of_and_served_after_the_next_search() {
    static DEFECT: AtomicBool = AtomicBool::new(true);
    let complaints = || {
        assert!(!DEFECT.swap(false, Ordering::Relaxed), "a defect, for once");
        Vec::new()
    };
    let mut rig = rig(Backend { hardware: true, nodes: None, complaints, ..BACKENDS[0] });
    rig.driver.route(&Request::GetProperties { device: None, name: None });
    let said = rig.settle().await;
    assert_eq!(said.matches("[ERROR] Camera Simulator").count(), 1, "{said}");
    assert!(said.contains("has no device: internal error"), "{said}");
    assert!(rig.driver.stations.is_empty());
    rig.driver.route(&Request::New(New {
        device: Some("Camera Hub".to_owned()),
        name: "CAMERA_SCAN".to_owned(),
        kind: wire::Kind::Switch,
        elements: vec![("SCAN".to_owned(), "On".to_owned())],
    }));
    let said = rig.settle().await;
    assert!(said.contains(r#"device="Camera Simulator SIM"#), "{said}");
    assert_eq!(rig.driver.stations.len(), 1);
}
