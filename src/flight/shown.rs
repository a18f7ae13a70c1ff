//! What a device puts out, in a few words each: the same words mean that it did the same.

use crate::camera::call::Call;
use crate::camera::types::Event;
use crate::device::{Input, Job};
use crate::wire::{Definition, Message, New, Request, State, Update, Values};

/// Most characters of a line about an input.
const LONGEST: usize = 160;

/// A call with its arguments, as far as they are data of their own.
pub(super) fn call(call: &Call) -> String {
    match call {
        Call::StartExposure(request) => format!(
            "start_exposure {} of {} s, {:?}",
            request.id.0,
            request.duration.as_secs_f64(),
            request.frame_type
        ),
        Call::Connect(id) | Call::Reconnect(id) => format!("{} {}", call.name(), id.name),
        Call::GetParameter(name) => format!("get_parameter {name}"),
        Call::SetParameter(name, value) => format!("set_parameter {name} {value:?}"),
        Call::Cooling(on) => format!("cooling {on}"),
        Call::CoolingTo(target) => format!("cooling_to {target}"),
        Call::SetCameraRoi(roi) => {
            format!("set_camera_roi {},{} {}x{}", roi.x, roi.y, roi.width, roi.height)
        }
        Call::SetBinning(binning) => format!("set_binning {}x{}", binning.x, binning.y),
        Call::SetGain(value) | Call::SetOffset(value) => format!("{} {value}", call.name()),
        Call::Vendor { name, params } => format!("{name} {params:?}"),
        _ => call.name().to_owned(),
    }
}

/// A job; what it is about where that is a number.
pub(super) fn job(job: &Job) -> String {
    if let Job::Deliver(delivery) = job {
        return format!("Deliver {}", delivery.id.0);
    }
    let text = format!("{job:?}");
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// A message by name and state; sentences whole, numbers with their values.
pub(super) fn message(message: &Message) -> String {
    match message {
        Message::Define(Definition { name, state, .. }) => format!("define {name} {state:?}"),
        Message::Set(Update { name, state, values, .. }) => match values {
            Values::Number(list) => {
                let numbers: Vec<String> = list.iter().map(|(_, value, _)| value.to_string()).collect();
                format!("{} {}", set(name, *state), numbers.join(" "))
            }
            _ => set(name, *state),
        },
        Message::SetBlob(blob) => format!("{} {}", set(&blob.name, blob.state), blob.format),
        Message::Delete { name, .. } => format!("delete {}", name.as_deref().unwrap_or("everything")),
        Message::Say { text, .. } => text.clone(),
        Message::Snoop { device, name } => format!("watch {device} {}", name.as_deref().unwrap_or_default()),
        Message::PingRequest { uid } => format!("ping {uid}"),
        Message::PingReply { uid } => format!("pong {uid}"),
    }
}

fn set(name: &str, state: State) -> String {
    format!("set {name} {state:?}")
}

/// What a device is told. Of what is long the beginning will do.
pub(super) fn input(input: &Input) -> String {
    match input {
        Input::Request(Request::New(New { name, elements, .. })) => {
            let elements = elements.iter().map(|(name, text)| format!("{name}={text}"));
            cut(&[format!("write {name}")].into_iter().chain(elements).collect::<Vec<_>>().join(" "))
        }
        Input::Request(request) => cut(&format!("{request:?}")),
        Input::Camera(epoch, Event::Frame { id, frame }) => {
            let (planes, rows, columns) = frame.pixels.shape();
            format!("camera thread {}: frame {} of {columns}x{rows}x{planes} pixels", epoch.0, id.0)
        }
        Input::Camera(epoch, event) => cut(&format!("camera thread {}: {event:?}", epoch.0)),
        Input::Delivery(report) => cut(&format!("{report:?}")),
        Input::Found(id) => format!("found {}", id.name),
        Input::Log(level, line) => cut(&format!("log {level:?} {line}")),
        Input::Deadline => "deadline".to_owned(),
        Input::Shutdown => "shutdown".to_owned(),
    }
}

fn cut(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST + 1).collect();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
