//! Whatever is called, in whatever order, and whatever happens meanwhile: each call is answered once, in its turn, by
//! an answer of the documented form, and nothing stays Busy.
#![allow(clippy::unwrap_used, missing_docs, reason = "a failed step is a failed test")]

#[path = "support/rehearsal.rs"]
mod rehearsal;

use indi_camera::camera::answer::{Answer, Code, Status};
use indi_camera::camera::call::NAMES;
use indi_camera::wire::{Message, State, Update, Values};
use proptest::prelude::*;
use rehearsal::Rehearsal;

/// More calls than may wait are refused out of turn, so fewer are made.
const MOST_CALLS: usize = 16;

#[derive(Clone, Debug)]
enum Step {
    Call(String, String),
    World(&'static str),
    Wait(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let further =
        ["stop_exposure", "pulse_guide", "save_config", "reset_roi", "list_parameters", "self_test"];
    let known = proptest::sample::select([&NAMES[..], &further].concat()).prop_map(str::to_owned);
    let name = prop_oneof![8 => known, 1 => any::<String>()];
    let number = prop_oneof![
        proptest::sample::select(vec!["0", "1", "5", "-10", "0.5", "1e300", "4294967296"])
            .prop_map(str::to_owned),
        any::<i32>().prop_map(|number| number.to_string()),
    ];
    let params =
        (number.clone(), number, any::<bool>(), any::<String>()).prop_flat_map(|(a, b, on, text)| {
            let text = serde_json::to_string(&text).unwrap();
            proptest::sample::select(vec![
                String::new(),
                "{}".to_owned(),
                format!("{{\"exposure\":{a}}}"),
                format!("{{\"exposure\":1,\"gain\":{a},\"binning\":[{b},{b}],\"frame_type\":\"dark\"}}"),
                format!("{{\"gain\":{a}}}"),
                format!("{{\"offset\":{a}}}"),
                format!("{{\"binning\":[{a},{b}]}}"),
                format!("{{\"start_x\":{a},\"start_y\":{b},\"width\":{a},\"height\":{b}}}"),
                format!("{{\"temperature\":{a}}}"),
                format!("{{\"enable\":{on}}}"),
                format!("{{\"name\":\"gain\",\"value\":{a}}}"),
                format!("{{\"name\":\"CONNECTION.DISCONNECT\",\"value\":{on}}}"),
                format!("{{\"name\":{text},\"value\":{text}}}"),
                "{\"name\":\"connect\",\"params\":{}}".to_owned(),
                "{\"encode\":\"base64\"}".to_owned(),
                text,
            ])
        });
    let world = proptest::sample::select(vec![
        "camera started",
        "camera reading",
        "camera frame",
        "camera failed",
        "delivery ok",
        "delivery no-blob",
        "ping",
        "disk fails",
        "camera silent",
        "camera answers at last",
        "camera fails connect hardware x",
        "camera fails set_gain hardware x",
        "camera fails set_offset disconnected x",
        "camera fails polling disconnected x",
        "camera fails reconnect timeout x",
        "> newSwitchVector CONNECTION CONNECT=On",
        "> newSwitchVector CONNECTION DISCONNECT=On",
        "> newNumberVector CCD_EXPOSURE CCD_EXPOSURE_VALUE=1",
        "> newSwitchVector CCD_ABORT_EXPOSURE ABORT=On",
        "> newNumberVector CCD_GAIN GAIN=9",
    ]);
    prop_oneof![
        3 => (name, params).prop_map(|(name, params)| Step::Call(name, params)),
        4 => world.prop_map(Step::World),
        1 => (1..20_u32).prop_map(Step::Wait),
    ]
}

/// The replies among what was said: name and answer.
fn replies(messages: &[Message]) -> Vec<(String, Answer)> {
    let reply = |message: &Message| match message {
        Message::Set(Update { name, state, values: Values::Text(texts), .. }) if name == "CAMERA_REPLY" => {
            let answer: Answer = serde_json::from_str(&texts[2].1).unwrap();
            assert_eq!(texts[1].1, u8::from(answer.status).to_string());
            let expected = if answer.status == Status::Error { State::Alert } else { State::Ok };
            assert_eq!(*state, expected);
            assert_eq!(answer.reason().is_none(), answer.status == Status::Success, "{answer:?}");
            Some((texts[0].1.clone(), answer))
        }
        _ => None,
    };
    messages.iter().filter_map(reply).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_call_is_answered_once_in_its_turn(
        connected: bool,
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let mut rehearsal = if connected { Rehearsal::connected() } else { Rehearsal::new() };
        rehearsal.act("> getProperties").unwrap();
        // So that the time that is let pass costs little.
        rehearsal.act("> newNumberVector POLLING_PERIOD PERIOD_MS=30000").unwrap();
        rehearsal.take_messages();
        let mut called = Vec::new();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Call(name, params) if called.len() < MOST_CALLS => {
                    rehearsal.act(&format!("call {} {params}", name.replace(' ', "_"))).unwrap();
                    called.push(name.replace(' ', "_"));
                }
                Step::Call(..) => {}
                // What cannot happen now does not.
                Step::World(line) => drop(rehearsal.act(line)),
                Step::Wait(seconds) => {
                    now += seconds;
                    rehearsal.act(&format!("t {now}")).unwrap();
                }
            }
        }
        // Longer than the patience with all of them together.
        rehearsal.act("t 3000").unwrap();
        let messages = rehearsal.take_messages();
        let replies = replies(&messages);
        prop_assert_eq!(replies.len(), called.len(), "{:?} for {:?}", replies, called);
        for ((told, _), name) in replies.iter().zip(&called) {
            prop_assert_eq!(told.trim_end_matches('…'), name.chars().take(40).collect::<String>());
        }
        let call_state = messages.iter().rev().find_map(|message| match message {
            Message::Set(update) if update.name == "CAMERA_CALL" => Some(update.state),
            _ => None,
        });
        prop_assert!(call_state != Some(State::Busy));
    }
}

/// A camera that has failed in each of its ways, told as what it was.
#[test]
fn every_kind_of_failure_has_its_code() {
    for kind in Code::ALL.into_iter().filter_map(Code::kind) {
        let code = kind.code();
        let mut rehearsal = Rehearsal::connected();
        rehearsal.take_messages();
        rehearsal.act(&format!("camera fails set_gain {code} \"no luck\"")).unwrap();
        rehearsal.act("call set_gain {\"gain\":5}").unwrap();
        let replies = replies(&rehearsal.take_messages());
        let [(_, answer)] = replies.as_slice() else { panic!("{replies:?}") };
        let reason = answer.reason().unwrap();
        assert_eq!((reason.code.word(), reason.detail.as_str()), (code, "no luck"));
    }
}
