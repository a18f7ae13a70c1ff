//! `indi-camera capture`: from a wish to files, pictures and a summary.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use indi_camera::camera::types::FrameType;
use indi_camera::camera::wish::ExposureWish;
use indi_camera::client::{Camera, ClientError, Server, Shot};
use indi_camera::image::stretch::{SKY, stretch};
use jiff::Zoned;
use serde::Serialize;

use super::arguments::{Capture, Reach};
use super::fault::{Exit, Fault};
use super::files::Files;
use super::outcome::{Outcome, print, tell};
use super::picture::{half_blocks, png};
use super::progress::Bar;
use super::report::{Image, Report, light};
use super::stop::Stop;
use super::terminal;

/// How near to its target a sensor is cold enough, °C, where the camera does not say.
const TOLERANCE: f64 = 0.5;
/// How long a camera may take to say that it has stopped.
const STOPPING: Duration = Duration::from_secs(2);
/// Rows of the terminal that are left for words.
const WORDS: usize = 14;
/// What the sky becomes where pixels are few and large, white being 1.
const NIGHT: f32 = 0.12;

/// A series that can be begun: the files that it makes have names.
pub(super) struct Plan<'a> {
    wish: &'a Capture,
    files: Files,
    /// Draw in the terminal.
    show: bool,
}

#[derive(Serialize)]
struct Pictures {
    pictures: Vec<Report>,
}

/// What is made of a frame.
struct Kept {
    report: Report,
    drawing: Option<String>,
    /// Why something that was asked for is missing.
    notes: Vec<String>,
}

impl<'a> Plan<'a> {
    /// Finds out what is wrong before a camera is asked for anything.
    pub(super) fn new(wish: &'a Capture, json: bool) -> Result<Plan<'a>, Fault> {
        let files = Files::new(&wish.out, wish.count, wish.overwrite, &Zoned::now())?;
        let hidden = if json {
            Some("the answer is JSON")
        } else if !io::stdout().is_terminal() {
            Some("the output is no terminal")
        } else if !terminal::has_colours() {
            Some("this terminal does not say that it has 24-bit colours (COLORTERM=truecolor)")
        } else {
            None
        };
        if let Some(why) = hidden.filter(|_| wish.show) {
            tell(&format!("indi-camera: nothing is drawn: {why}"));
        }
        Ok(Plan { wish, files, show: wish.show && hidden.is_none() })
    }

    pub(super) async fn run(
        &self,
        reach: &Reach,
        server: &Server,
        json: bool,
        stop: &mut Stop,
    ) -> Result<Outcome, Fault> {
        let mut bar = Bar::new();
        let camera = stop.unless(self.prepare(reach, server)).await?;
        self.cool(reach, &camera, &bar, stop).await?;

        let count = self.wish.count;
        let mut pictures = Vec::new();
        for number in 1..=count {
            bar.next(number, count);
            let shot = stop.unless(self.expose(&camera, &bar)).await;
            let shot = match shot {
                Ok(shot) => shot,
                Err(fault) => return Err(self.failed(fault, &camera, number).await),
            };
            bar.measuring();
            // Not to be interrupted: what has been exposed is worth its file.
            let kept = self.keep(&camera, shot).await?;
            bar.aside(|| {
                kept.notes.iter().for_each(|note| tell(&format!("indi-camera: {note}")));
                print(kept.drawing.as_deref().unwrap_or_default());
                if count > 1 && !json {
                    print(&format!("{}\n", kept.report.brief()));
                }
            });
            pictures.push(kept.report);
        }
        drop(bar);

        let text = if count == 1 { pictures.iter().map(Report::full).collect() } else { String::new() };
        let message = if count == 1 { "1 picture".to_owned() } else { format!("{count} pictures") };
        Ok(Outcome::done(message, &Pictures { pictures }, text))
    }

    /// The camera, connected and set as wished.
    async fn prepare(&self, reach: &Reach, server: &Server) -> Result<Camera, Fault> {
        let camera = reach.camera(server).await?;
        camera.connect().await?;
        let Capture { gain, offset, bin, roi, .. } = *self.wish;
        match camera.set_frame_type(self.frame_type()).await {
            // A camera that knows no types makes lights.
            Err(ClientError::NotSupported { .. }) if self.frame_type() == FrameType::Light => {}
            done => done?,
        }
        if let Some(gain) = gain {
            camera.set_gain(gain).await?;
        }
        if let Some(offset) = offset {
            camera.set_offset(offset).await?;
        }
        if let Some(binning) = bin {
            camera.set_binning(binning).await?;
        }
        if let Some(roi) = roi {
            camera.set_camera_roi(roi).await?;
        }
        Ok(camera)
    }

    fn frame_type(&self) -> FrameType {
        self.wish.r#type.into()
    }

    /// Waits until the sensor is as cold as wished.
    async fn cool(&self, reach: &Reach, camera: &Camera, bar: &Bar, stop: &mut Stop) -> Result<(), Fault> {
        let Some(target) = self.wish.cool_to else { return Ok(()) };
        let cooled = async {
            let from = camera.get_current_temperature().await?;
            camera.cooling_to(target).await?;
            let published = camera
                .server()
                .look(|mirror| mirror.device(camera.name())?.number("CCD_TEMP_RAMP", "RAMP_THRESHOLD"));
            let (tolerance, limit) = (published.unwrap_or(TOLERANCE), self.wish.cool_timeout);
            let show = |now| bar.cooling(from, now, target);
            camera.wait_for_temperature(target, tolerance, limit, show).await?;
            Ok(())
        };
        stop.unless(cooled).await.map_err(|fault| match fault.exit {
            Exit::Interrupted | Exit::Terminated => {
                let sentence = format!("{} while cooling", fault.sentence);
                let fault = Fault { sentence, ..fault };
                if reach.is_simulator() {
                    return fault;
                }
                let off = reach.to_type("call cooling '{\"enable\": false}'");
                fault.advise(format!("The cooler stays on: {off}"))
            }
            Exit::Late => fault.advise("--cool-timeout SECONDS gives the cooler more time."),
            _ => fault,
        })
    }

    async fn expose(&self, camera: &Camera, bar: &Bar) -> Result<Arc<Shot>, Fault> {
        // Only a bias comes without a time, and gets the shortest one that there is.
        let exposure = self.wish.exposure.unwrap_or_default().as_secs_f64();
        let wish = ExposureWish { frame_type: Some(self.frame_type()), ..ExposureWish::of(exposure) };
        Ok(camera.capture(&wish, |progress| bar.exposing(progress)).await?)
    }

    /// Why a picture of the series is missing, after the camera has been told to stop.
    async fn failed(&self, fault: Fault, camera: &Camera, number: u32) -> Fault {
        let which = match self.wish.count {
            1 => "the exposure".to_owned(),
            count => format!("exposure {number} of {count}"),
        };
        if !matches!(fault.exit, Exit::Interrupted | Exit::Terminated) {
            return if self.wish.count == 1 { fault } else { fault.during(&which) };
        }
        let stopped = tokio::time::timeout(STOPPING, camera.abort_exposure()).await;
        let what_happened = match stopped {
            Ok(Ok(_)) => format!("{which} is aborted, and nothing of it was written"),
            _ => format!(
                "the camera was told to abort {which} and has not confirmed that; nothing of it was written"
            ),
        };
        Fault { sentence: format!("{}: {what_happened}", fault.sentence), ..fault }
    }

    /// Writes the files and looks at the pixels, on another thread: the camera's driver wants answers meanwhile.
    async fn keep(&self, camera: &Camera, shot: Arc<Shot>) -> Result<Kept, Fault> {
        let adc_bits =
            camera.server().look(|mirror| mirror.device(camera.name())?.number("ADC_DEPTH", "BITS"));
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and is checked"
        )]
        let adc_bits = adc_bits.map(|bits| bits as u32);
        let mut notes = Vec::new();
        let frame = match shot.frame().await {
            Ok(frame) => Some(frame),
            // What cannot be read here can be written.
            Err(error @ (ClientError::NotSupported { .. } | ClientError::BadFrame { .. })) => {
                notes.push(format!("the picture is not looked at: {error}"));
                None
            }
            Err(error) => return Err(error.into()),
        };
        let (files, preview, draw) = (self.files.clone(), self.wish.preview, self.show);
        let name = camera.name().to_owned();
        let working = tokio::task::spawn_blocking(move || {
            let light = frame.as_ref().map(light);
            let image = frame.as_ref().zip(light.as_ref());
            let image = image.and_then(|(frame, light)| Image::of(&frame.pixels, light, adc_bits));
            let preview =
                light.as_ref().filter(|_| preview).map(|light| png(&stretch(light, SKY))).transpose();
            let preview = preview.map_err(|error| Fault::disk(format!("no preview: {error}")))?;
            let drawing = light.filter(|_| draw).map(|light| {
                let (columns, rows) = terminal::size();
                let small = light.shrunk(columns, 2 * rows.saturating_sub(WORDS).max(8));
                half_blocks(&stretch(&small, NIGHT))
            });
            let file = shot.received()?;
            let bytes =
                file.bytes().map_err(|error| Fault::disk(format!("the frame cannot be read: {error}")))?;
            let written = files.write(&bytes, file.format(), preview.as_deref())?;
            let report = Report::new(&name, &written, shot.info()?.info, image);
            Ok(Kept { report, drawing, notes })
        });
        working.await.unwrap_or_else(|error| Err(Fault::disk(format!("the frame is lost: {error}"))))
    }
}
