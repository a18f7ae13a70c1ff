//! A server of our own making that says what no good one would, or what only bad moments bring.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;

use base64::Engine as _;
use indi_camera::camera::answer::Code;
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use super::*;

/// A camera that is connected: as little as there may be, in the manner of careless drivers.
const CAMERA: &str = "<?xml version='1.0'?>
    <defSwitchVector device='D' name='CONNECTION' state='OK' perm='RW' rule='OneOfMany'><defSwitch name='CONNECT'>On</defSwitch>
    <defSwitch name='DISCONNECT'>Off</defSwitch><defSwitch name='' label=''>Off</defSwitch></defSwitchVector>
    <defTextVector device='D' name='DRIVER_INFO' state='Idle' perm='ro'><defText name='DRIVER_INTERFACE'> 2 </defText></defTextVector>
    <defNumberVector device='D' name='CCD_EXPOSURE' state='Idle' perm='rw'><defNumber name='CCD_EXPOSURE_VALUE' min='0' max='0'>nan</defNumber></defNumberVector>
    <defSwitchVector device='D' name='CCD_ABORT_EXPOSURE' state='Idle' perm='rw'><defSwitch name='ABORT'>Off</defSwitch></defSwitchVector>
    <defNumberVector device='D' name='CCD_GAIN' state='Idle' perm='rw'><defNumber name='GAIN' min='0' max='100'>7</defNumber></defNumberVector>
    <defBLOBVector device='D' name='CCD1' state='Idle' perm='ro'><defBLOB name='CCD1'/></defBLOBVector>";

/// The server's end of a line.
struct Trickster {
    stream: UnixStream,
    heard: String,
}

impl Trickster {
    /// A client of this server, which has just greeted it, and been shown the camera.
    async fn meet() -> (Trickster, Camera) {
        let name = format!("indi-camera-test-{}", support::unique());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let listener = std::os::unix::net::UnixListener::bind_addr(&address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = UnixListener::from_std(listener).unwrap();
        let client = Server::connect(Address::Local(name), patience()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let mut server = Trickster { stream, heard: String::new() };
        server.hear("getProperties").await;
        server.say(CAMERA).await;
        let camera = client.camera("D");
        let (known, ()) = tokio::join!(camera.polling(), server.define_again());
        known.unwrap();
        (server, camera)
    }

    /// The answer that tells a client that it has heard everything.
    async fn define_again(&mut self) {
        self.hear("<getProperties version=\"1.7\" device=\"D\" name=\"CONNECTION\"/>").await;
        let end = CAMERA.find("</defSwitchVector>").unwrap() + "</defSwitchVector>".len();
        self.say(&CAMERA[..end]).await;
    }

    async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// With descriptors beside the first byte.
    async fn say_with(&mut self, text: &str, fds: &[BorrowedFd<'_>]) {
        self.stream.writable().await.unwrap();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(fds));
        let bytes = [IoSlice::new(text.as_bytes())];
        let sent = sendmsg(self.stream.as_fd(), &bytes, &mut control, SendFlags::NOSIGNAL).unwrap();
        assert_eq!(sent, text.len());
    }

    /// Reads until the client has said this, and forgets it.
    async fn hear(&mut self, wanted: &str) {
        let hearing = async {
            loop {
                if let Some(at) = self.heard.find(wanted) {
                    self.heard.drain(..at + wanted.len());
                    return;
                }
                let mut bytes = [0; 4096];
                let count = self.stream.read(&mut bytes).await.unwrap();
                assert!(count > 0, "the client has gone; before that it said {}", self.heard);
                self.heard.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
            }
        };
        let heard = tokio::time::timeout(support::SOON, hearing).await;
        heard.unwrap_or_else(|_| panic!("the client does not say {wanted}"));
    }

    /// Hears the wish for an exposure, and says that it has begun.
    async fn begin(&mut self) {
        self.hear("name=\"CCD_EXPOSURE\"").await;
        self.hear("</newNumberVector>").await;
        self.told("Busy", 0.0).await;
    }

    async fn told(&mut self, state: &str, left: f64) {
        let vector = format!(
            "<setNumberVector device='D' name='CCD_EXPOSURE' state='{state}'><oneNumber name='CCD_EXPOSURE_VALUE'>{left}</oneNumber></setNumberVector>"
        );
        self.say(&vector).await;
    }

    async fn send(&mut self, attributes: &str, body: &str) {
        self.say(&blob(attributes, body)).await;
    }

    async fn send_file(&mut self, bytes: &[u8], format: &str) {
        let text = base64::engine::general_purpose::STANDARD.encode(bytes);
        self.send(&format!("size='{}' format='{format}'", bytes.len()), &text).await;
    }
}

fn blob(attributes: &str, body: &str) -> String {
    format!(
        "<setBLOBVector device='D' name='CCD1' state='Ok'><oneBLOB name='CCD1' {attributes}>{body}</oneBLOB></setBLOBVector>"
    )
}

/// A FITS file of these cards and so many bytes of data.
fn fits_file(cards: &[&str], data: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> =
        cards.iter().chain(&["END"]).flat_map(|card| format!("{card:80}").into_bytes()).collect();
    bytes.resize(bytes.len().next_multiple_of(2880), b' ');
    bytes.resize(bytes.len() + data.next_multiple_of(2880), 0);
    bytes
}

fn good_file(value: u8) -> Vec<u8> {
    let size = format!("EXPTIME = {value}");
    fits_file(
        &[
            "SIMPLE  =                    T",
            "BITPIX  =                    8",
            "NAXIS   =                    2",
            "NAXIS1  =                    4",
            "NAXIS2  =                    3",
            &size,
        ],
        12,
    )
}

/// Asks for an exposure, and lets the server do its part.
async fn exchange(camera: &Camera, server: impl Future<Output = ()>) -> Result<Arc<Shot>, ClientError> {
    let wish = ExposureWish::of(0.0);
    let (shot, ()) = tokio::join!(async { camera.expose(&wish).await?.finish(|_| {}).await }, server);
    shot
}

#[test]
fn a_careless_driver_can_be_used() {
    run(async {
        let (mut server, camera) = Trickster::meet().await;
        let found = camera.scanning().await.unwrap();
        assert_eq!(found.camera, ["D"]);
        let shot = exchange(&camera, async {
            server.hear("<enableBLOB device=\"D\" name=\"CCD1\">Also</enableBLOB>").await;
            server.begin().await;
            server
                .say("</nonsense> <unknown/> <setNumberVector device='D'/> <message message='for all'/>")
                .await;
            // Lower case, no size, line breaks in the text, and a BLOB that nobody wants.
            let text = base64::engine::general_purpose::STANDARD.encode(good_file(1));
            let (first, second) = text.split_at(100);
            server.say("<setBLOBVector device='D' name='CCD2'><oneBLOB name='CCD2' format='.x'>***</oneBLOB></setBLOBVector>").await;
            server.send("format='.fits'", &format!("\n  {first}\r\n{second}\n")).await;
            server.told("ok", 0.0).await;
        });
        let frame = shot.await.unwrap().frame().await.unwrap();
        assert_eq!((frame.pixels.shape(), frame.pixels.bits()), ((1, 3, 4), 8));
    });
}

#[test]
fn the_frame_of_an_aborted_exposure_is_not_taken_for_the_next_one() {
    run(async {
        let (mut server, camera) = Trickster::meet().await;
        let wish = ExposureWish::of(0.0);
        let first = camera.expose(&wish).await.unwrap();
        server.begin().await;
        begin_when_busy(&camera).await;
        // Aborted during its read-out, the frame follows: before and after the next one has been asked for.
        drop(first);
        let shot = exchange(&camera, async {
            server.hear("CCD_ABORT_EXPOSURE").await;
            server.told("Idle", 0.0).await;
            server.send_file(&good_file(1), ".fits").await;
            server.told("Ok", 0.0).await;
            server.hear("name=\"CCD_EXPOSURE\"").await;
            server.send_file(&good_file(1), ".fits").await;
            server.told("Ok", 0.0).await;
            server.told("Busy", 0.0).await;
            server.send_file(&good_file(2), ".fits").await;
            server.told("Ok", 0.0).await;
        });
        let header = shot.await.unwrap().frame().await.unwrap().header;
        assert_eq!(header.get("EXPTIME"), Some("2"));
    });
}

#[test]
fn a_frame_that_is_damaged_is_an_error_and_the_next_one_is_not() {
    run(async {
        let (mut server, camera) = Trickster::meet().await;
        let good = base64::engine::general_purpose::STANDARD.encode(good_file(1));
        for (attributes, body, why) in [
            ("size='5760' format='.fits'", "not base64 at all!", "its text is not base64"),
            ("size='9999' format='.fits'", good.as_str(), "it has 5760 bytes and says 9999"),
            ("size='10' format='.fits'", "", "it has 0 bytes and says 10"),
            ("size='10' format='.bin.z'", "AAAA", "corrupt"),
            ("size='10' format='.fits' attached='true'", "", "no descriptor came with it"),
        ] {
            let shot = exchange(&camera, async {
                server.begin().await;
                server.send(attributes, body).await;
                server.told("Ok", 0.0).await;
            });
            let error = shot.await.unwrap_err();
            assert!(matches!(error, ClientError::BadFrame { .. }), "{error}");
            assert!(error.to_string().contains(why), "{error}");
        }
        let shot = exchange(&camera, async {
            server.begin().await;
            server.send_file(&good_file(1), ".fits").await;
            server.told("Ok", 0.0).await;
        });
        assert_eq!(shot.await.unwrap().received().unwrap().bytes().unwrap(), good_file(1));
    });
}

#[test]
fn a_file_that_is_not_what_it_says_is_not_believed() {
    run(async {
        let (mut server, camera) = Trickster::meet().await;
        let card = |name: &str, value: &str| format!("{name:8}= {value:>20}");
        let image = |bits: &str, width: &str, height: &str| {
            let cards = [
                card("SIMPLE", "T"),
                card("BITPIX", bits),
                card("NAXIS", "2"),
                card("NAXIS1", width),
                card("NAXIS2", height),
            ];
            fits_file(&cards.each_ref().map(String::as_str), 100)
        };
        for (file, why) in [
            (image("16", "4000000000", "4000000000"), "hold no image"),
            (image("16", "100000", "100000"), "hold no image"),
            (image("-32", "2", "2"), "BITPIX is -32"),
            (image("16", "0", "2"), "hold no image"),
            (b"\x1f\x8b\x08 a compressed file that unpacks to anything".to_vec(), "no BITPIX"),
            (b"http://example.org/other.fits".to_vec(), "no BITPIX"),
            (vec![b' '; 100_000], "no BITPIX"),
        ] {
            let shot = exchange(&camera, async {
                server.begin().await;
                server.send_file(&file, ".fits").await;
                server.told("Ok", 0.0).await;
            });
            let shot = shot.await.unwrap();
            let error = shot.frame().await.unwrap_err();
            assert!(
                matches!(error, ClientError::BadFrame { .. }) && error.to_string().contains(why),
                "{error}"
            );
            assert_eq!(shot.received().unwrap().bytes().unwrap(), file, "it can be looked at all the same");
        }
    });
}

#[test]
fn descriptors_are_used_only_as_far_as_they_go_and_stay_with_their_frames() {
    run(async {
        let (mut server, camera) = Trickster::meet().await;
        let memory = |bytes: &[u8]| -> OwnedFd {
            let fd = memfd_create("test", MemfdFlags::CLOEXEC).unwrap();
            rustix::io::pwrite(&fd, bytes, 0).unwrap();
            fd
        };
        let good = memory(&good_file(1));
        let other = memory(&good_file(2));
        // Not wanted by anybody: its descriptor goes, and the next one stays with its own.
        let unwanted = blob("size='5760' format='.fits' attached='true'", "").replace("CCD1", "CCD2");
        let shot = exchange(&camera, async {
            server.begin().await;
            server.say_with(&unwanted, &[other.as_fd()]).await;
            server
                .say_with(
                    &blob("size='5760' len='5760' format='.fits' attached='true'", "\n"),
                    &[good.as_fd()],
                )
                .await;
            server.told("Ok", 0.0).await;
        });
        let file = shot.await.unwrap().received().unwrap();
        assert_eq!(file.bytes().unwrap(), good_file(1));
        let same = rustix::fs::fstat(&good).unwrap().st_ino;
        assert_eq!(rustix::fs::fstat(file.fd()).unwrap().st_ino, same, "the same memory");
        let shot = exchange(&camera, async {
            server.begin().await;
            server.say_with(&blob("size='6000' format='.fits' attached='true'", ""), &[good.as_fd()]).await;
        });
        let error = shot.await.unwrap_err();
        assert!(error.to_string().ends_with("it has 5760 bytes and says 6000"), "{error}");
    });
}

#[test]
fn refusals_have_the_words_of_the_driver_whenever_they_come() {
    run(async {
        let (mut server, camera) = Trickster::meet().await;
        let alert = "<setNumberVector device='D' name='CCD_GAIN' state='Alert'/>";
        for (answer, words) in [
            ("<message device='D' message='[ERROR] before'/>{}", "before"),
            ("{}<message device='D' message='[WARNING] after'/>", "after"),
            (
                "<message device='D' message='[ERROR] why'/><message device='D' message='[INFO] noise'/>{}",
                "why",
            ),
            ("{}", "it does not say why"),
            ("<setNumberVector device='D' name='CCD_GAIN' state='Alert' message='with it'/>", "with it"),
        ] {
            let (refused, ()) = tokio::join!(camera.set_gain(5), async {
                server.hear("</newNumberVector>").await;
                server.say(&answer.replace("{}", alert)).await;
            });
            assert_eq!(refused.unwrap_err().to_string(), format!("D refused CCD_GAIN: {words}"));
        }
        let (failed, ()) = tokio::join!(camera.set_gain(5), async {
            server.hear("</newNumberVector>").await;
            let busy = alert.replace("Alert", "Busy");
            server.say(&format!("{busy}<message device='D' message='[ERROR] no power'/>{alert}")).await;
        });
        let failed = failed.unwrap_err();
        assert_eq!(failed.to_string(), "CCD_GAIN of D failed: no power", "what was accepted is not refused");
        assert_eq!(failed.code(), Code::Hardware);
        let (failed, ()) = tokio::join!(
            async { camera.expose(&ExposureWish::of(0.0)).await?.finish(|_| {}).await },
            async {
                server.hear("name=\"CCD_EXPOSURE\"").await;
                server.say("<message device='D' message='[ERROR] out of bounds'/>").await;
                server.told("Alert", 0.0).await;
            }
        );
        let error = failed.unwrap_err();
        assert_eq!(error.to_string(), "the exposure of D failed: out of bounds");
        assert_eq!(
            camera.get_exposure_status().await.unwrap().phase,
            indi_camera::camera::answer::Phase::Error
        );
    });
}

#[test]
fn silence_is_an_error_after_the_patience_of_each_call() {
    run(async {
        let name = format!("indi-camera-test-{}", support::unique());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let listener = std::os::unix::net::UnixListener::bind_addr(&address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = UnixListener::from_std(listener).unwrap();
        let short = Duration::from_millis(200);
        let patience =
            Patience { answer: short, connect: short, read_out: short, appear: short, ..patience() };
        let client = Server::connect(Address::Local(name), patience).await.unwrap();
        let mut stream = listener.accept().await.unwrap().0;
        let camera = client.camera("D");
        assert!(matches!(camera.connect().await, Err(ClientError::NoSuchDevice { .. })));
        stream.write_all(CAMERA.as_bytes()).await.unwrap();
        assert_eq!(camera.set_gain(1).await.unwrap_err().code(), Code::Timeout);
        let error = camera.expose(&ExposureWish::of(0.0)).await.unwrap().finish(|_| {}).await.unwrap_err();
        assert!(
            error.to_string().starts_with("the beginning of an exposure of D did not happen within 0.2"),
            "{error}"
        );
        // It is told to stop, in case it only forgot to speak.
        let mut server = Trickster { stream, heard: String::new() };
        server.hear("CCD_ABORT_EXPOSURE").await;
        assert!(matches!(camera.disconnect().await, Err(ClientError::Timeout { .. })));
    });
}

#[test]
fn a_connection_and_a_cooler_that_fail_are_told_in_the_words_of_the_driver() {
    run(async {
        let (mut server, camera) = Trickster::meet().await;
        server.say("<setSwitchVector device='D' name='CONNECTION' state='Idle'><oneSwitch name='CONNECT'>Off</oneSwitch></setSwitchVector>").await;
        let off = |mirror: &Mirror| {
            (mirror.device("D")?.is_on("CONNECTION", "CONNECT") == Some(false)).then_some(())
        };
        camera.server().until(support::SOON, "the disconnection", off).await.unwrap();
        let (connected, ()) = tokio::join!(camera.connect(), async {
            server.hear("name=\"CONNECT\"").await;
            // Told to another client at this moment: no answer of ours.
            server.say("<setSwitchVector device='D' name='CONNECTION' state='Ok'><oneSwitch name='CONNECT'>Off</oneSwitch></setSwitchVector>").await;
            server.say("<message device='D' message='[ERROR] no camera on the bus'/>").await;
            server.say("<setSwitchVector device='D' name='CONNECTION' state='Alert'><oneSwitch name='CONNECT'>Off</oneSwitch></setSwitchVector>").await;
        });
        let error = connected.unwrap_err();
        assert_eq!(error.to_string(), "the connection of D failed: no camera on the bus");
        assert_eq!(error.code(), Code::Hardware);

        server.say("<defNumberVector device='D' name='CCD_TEMPERATURE' state='Busy' perm='rw'><defNumber name='CCD_TEMPERATURE_VALUE'>5</defNumber></defNumberVector>").await;
        let cooler = |mirror: &Mirror| mirror.device("D")?.vector("CCD_TEMPERATURE").map(drop);
        camera.server().until(support::SOON, "the cooler", cooler).await.unwrap();
        let mut seen = Vec::new();
        let (cooled, ()) = tokio::join!(
            camera.wait_for_temperature(-10.0, 0.5, support::SOON, |now| seen.push(now)),
            async {
                for (state, now) in [("Busy", 3), ("Busy", 1)] {
                    server.say(&temperature(state, now)).await;
                    tokio::task::yield_now().await;
                }
                server.say("<message device='D' message='[ERROR] the cooler gets no further'/>").await;
                server.say(&temperature("Alert", 1)).await;
            }
        );
        assert_eq!(cooled.unwrap_err().to_string(), "the cooling of D failed: the cooler gets no further");
        assert_eq!(seen.last(), Some(&1.0));
    });
}

fn temperature(state: &str, now: i32) -> String {
    format!(
        "<setNumberVector device='D' name='CCD_TEMPERATURE' state='{state}'><oneNumber name='CCD_TEMPERATURE_VALUE'>{now}</oneNumber></setNumberVector>"
    )
}

#[test]
fn the_answer_to_a_call_is_no_definition_and_keeps_its_frame() {
    run(async {
        let (mut server, camera) = Trickster::meet().await;
        let answer = |pixels: &str| {
            let image =
                format!(r#"{{"status":0,"message":"the last frame","params":{{"base64":"{pixels}"}}}}"#);
            format!(
                "<oneText name='NAME'>get_exposure_result</oneText><oneText name='RESULT'>{image}</oneText>"
            )
        };
        let definition = format!(
            "<defTextVector device='D' name='CAMERA_CALL' state='Busy' perm='rw'><defText name='NAME'/><defText name='PARAMS'/></defTextVector>\
             <defTextVector device='D' name='CAMERA_REPLY' state='Ok' perm='ro'>{}</defTextVector>",
            answer("").replace("oneText", "defText")
        );
        server.say(&definition).await;
        let there = |mirror: &Mirror| mirror.device("D")?.vector("CAMERA_REPLY").map(drop);
        camera.server().until(support::SOON, "the calls", there).await.unwrap();
        let none = Vec::new();
        let (answered, ()) = tokio::join!(camera.call("get_exposure_result", &none), async {
            server.hear("get_exposure_result").await;
            // Another client comes, before the answer and right behind it.
            server.say(&definition).await;
            server.say("<setNumberVector device='D' name='CCD_GAIN' state='Ok'><oneNumber name='GAIN'>8</oneNumber></setNumberVector>").await;
            let told =
                |mirror: &Mirror| (mirror.device("D")?.number("CCD_GAIN", "GAIN") == Some(8.0)).then_some(());
            camera.server().until(support::SOON, "the definition", told).await.unwrap();
            let set = answer("AAAA");
            let set =
                format!("<setTextVector device='D' name='CAMERA_REPLY' state='Ok'>{set}</setTextVector>");
            server.say(&(set + &definition)).await;
        });
        assert_eq!(answered.unwrap().params["base64"], "AAAA");
    });
}

#[test]
fn functions_of_the_cameras_own_go_through_its_text_properties() {
    run(async {
        let (mut server, camera) = Trickster::meet().await;
        server.say("<defTextVector device='D' name='CAMERA_CALL' state='Idle' perm='rw'><defText name='NAME'/><defText name='PARAMS'/></defTextVector>\
            <defTextVector device='D' name='CAMERA_REPLY' state='Ok' perm='ro'><defText name='NAME'>inject_fault</defText><defText name='STATUS'/><defText name='RESULT'>{}</defText></defTextVector>").await;
        let there = |mirror: &Mirror| mirror.device("D")?.vector("CAMERA_REPLY").map(drop);
        camera.server().until(support::SOON, "the calls", there).await.unwrap();
        let params =
            indi_camera::camera::json::params("call", r#"{"kind": "a <b> & \"c\"", "after": 2}"#).unwrap();
        let reply = |name: &str, state: &str, json: &str| {
            format!(
                "<setTextVector device='D' name='CAMERA_REPLY' state='{state}'><oneText name='NAME'>{name}</oneText><oneText name='RESULT'>{json}</oneText></setTextVector>"
            )
        };
        let (answer, ()) = tokio::join!(camera.by_name("inject_fault", &params), async {
            server.hear("inject_fault").await;
            server.hear(r#"{"kind":"a \u003cb\u003e \u0026 \u0022c\u0022","after":2}"#).await;
            // Of another call, and of the one before.
            server.say(&reply("self_test", "Ok", "{}")).await;
            let answer = r#"{"status":1,"message":"no","params":{"error":{"code":"busy","detail":"no"}}}"#;
            server.say(&reply("inject_fault", "Alert", answer)).await;
        });
        assert_eq!(answer.reason().map(|reason| reason.code), Some(Code::Busy), "{answer:?}");
        let none = Vec::new();
        let (answer, ()) = tokio::join!(camera.by_name("self_test", &none), async {
            server.hear("self_test").await;
            server.say(&reply("self_test", "Ok", "half of an ans")).await;
        });
        assert!(answer.message.starts_with("the answer of D is not understood"), "{answer:?}");
    });
}
