//! The guide port.
//!
//! Most drivers answer only when the pulse is over, so each pulse is a request on a thread and a connection of its own,
//! and what has not been refused shortly after it was asked for is on its way.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use super::api::Api;
use super::fault::Fault;
use crate::camera::call::{Arguments, Direction, Params};
use crate::camera::error::Result;

/// The name of the call.
pub(super) const CALL: &str = "pulse_guide";
/// How soon a camera refuses what it cannot do.
const REFUSAL: Duration = Duration::from_millis(250);
/// Beyond the pulse itself.
const ANSWER: Duration = Duration::from_secs(5);

/// One pulse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pulse {
    /// As Alpaca numbers them.
    direction: u8,
    milliseconds: u32,
}

impl Pulse {
    /// From the arguments of `pulse_guide`.
    pub(super) fn read(params: &Params) -> Result<Pulse> {
        let (direction, length) = Arguments::of(params).pulse(CALL)?;
        let direction = match direction {
            Direction::North => 0,
            Direction::South => 1,
            Direction::East => 2,
            Direction::West => 3,
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a minute at most")]
        Ok(Pulse { direction, milliseconds: (length.as_secs_f64() * 1e3).round() as u32 })
    }

    /// Has the camera begin it. A pulse of 0 ms ends the one that runs.
    pub(super) fn give(self, mut api: Api) -> std::result::Result<(), Fault> {
        let Pulse { direction, milliseconds } = self;
        let (tell, answer) = sync_channel(1);
        let pulse = move || {
            let time = Duration::from_millis(u64::from(milliseconds)) + ANSWER;
            api.begin(time);
            let form = [("Direction", direction.to_string()), ("Duration", milliseconds.to_string())];
            let result = api.put_within("pulseguide", &form, time).map(drop);
            if let Err(Some(late)) = tell.send(result).map_err(|unheard| unheard.0.err()) {
                tracing::warn!("{}", late.of(CALL, api.address()));
            }
        };
        thread::Builder::new().name("alpaca-pulse".to_owned()).spawn(pulse).map_err(Fault::Gone)?;
        match answer.recv_timeout(REFUSAL) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => Err(Fault::Nonsense("the pulse was lost".to_owned())),
        }
    }
}
