use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::time::Duration;

use super::*;
use crate::wire::{AttachedBlob, parse};

const AT: SystemTime = SystemTime::UNIX_EPOCH;

fn at(seconds: u64) -> SystemTime {
    AT + Duration::from_secs(seconds)
}

fn written(value: &Message) -> String {
    let mut out = b"before ".to_vec();
    message(value, &mut out);
    let text = String::from_utf8(out).expect("UTF-8");
    text.strip_prefix("before ").expect("what was there is kept").to_owned()
}

fn definition(elements: Elements<ElementDefinition>) -> String {
    written(&Message::Define(Definition {
        device: "D".into(),
        name: "N".into(),
        label: "A & B".into(),
        group: "G".into(),
        state: State::Idle,
        perm: Perm::Rw,
        timeout: 60.0,
        at: at(1_795_327_650),
        elements,
    }))
}

fn element(name: &str) -> ElementDefinition {
    ElementDefinition { name: name.into(), label: format!("the \"{name}\"") }
}

fn update(values: Values) -> String {
    written(&Message::Set(Update {
        device: "D".into(),
        name: "N".into(),
        state: State::Busy,
        timeout: 0.5,
        at: at(0),
        values,
    }))
}

fn blob(payload: Payload) -> BlobUpdate {
    let (device, name, element) = ("Cam".into(), "CCD1".into(), "CCD1".into());
    BlobUpdate {
        device,
        name,
        element,
        state: State::Ok,
        timeout: 60.0,
        at: at(0),
        format: ".fits".into(),
        payload,
    }
}

/// What is written for the text of an element.
fn content(text: &str) -> String {
    let line = update(Values::Text(vec![("a".into(), text.into())]));
    let start = line.find("\"a\">").expect("start tag") + 4;
    line[start..line.rfind("</oneText>").expect("end tag")].to_owned()
}

fn said(text: &str) -> String {
    let line = written(&Message::Say { device: None, text: text.into(), at: AT });
    line.split_once("message=\"").expect("attribute").1.trim_end_matches("\"/>\n").to_owned()
}

#[test]
fn definitions_look_like_libindis() {
    let numbers = Elements::Number(vec![(
        element("X"),
        Number { value: 1.5, format: "%5.2f".into(), limits: Limits { min: 0.01, max: 3600.0, step: 0.0 } },
    )]);
    assert_eq!(
        definition(numbers),
        "<defNumberVector device=\"D\" name=\"N\" label=\"A &amp; B\" group=\"G\" state=\"Idle\" perm=\"rw\" timeout=\"60\" timestamp=\"2026-11-22T06:07:30\">\n\
         <defNumber name=\"X\" label=\"the &quot;X&quot;\" format=\"%5.2f\" min=\"0.01\" max=\"3600\" step=\"0\">1.5</defNumber>\n\
         </defNumberVector>\n"
    );
    let switches = Elements::Switch(Rule::AtMostOne, vec![(element("A"), true), (element("B"), false)]);
    assert_eq!(
        definition(switches),
        "<defSwitchVector device=\"D\" name=\"N\" label=\"A &amp; B\" group=\"G\" state=\"Idle\" perm=\"rw\" rule=\"AtMostOne\" timeout=\"60\" timestamp=\"2026-11-22T06:07:30\">\n\
         <defSwitch name=\"A\" label=\"the &quot;A&quot;\">On</defSwitch>\n\
         <defSwitch name=\"B\" label=\"the &quot;B&quot;\">Off</defSwitch>\n\
         </defSwitchVector>\n"
    );
}

#[test]
fn lights_are_defined_without_permission_and_timeout() {
    assert_eq!(
        definition(Elements::Light(vec![(element("L"), State::Alert)])),
        "<defLightVector device=\"D\" name=\"N\" label=\"A &amp; B\" group=\"G\" state=\"Idle\" timestamp=\"2026-11-22T06:07:30\">\n\
         <defLight name=\"L\" label=\"the &quot;L&quot;\">Alert</defLight>\n\
         </defLightVector>\n"
    );
}

#[test]
fn blobs_are_defined_empty_and_without_format() {
    let line = definition(Elements::Blob(vec![element("CCD1")]));
    assert!(line.contains("perm=\"rw\" timeout=\"60\""), "{line}");
    assert!(line.ends_with(
        ">\n<defBLOB name=\"CCD1\" label=\"the &quot;CCD1&quot;\"></defBLOB>\n</defBLOBVector>\n"
    ));
}

#[test]
fn every_update_has_state_and_timestamp() {
    let limits = Limits { min: 1.0, max: 2.0, step: 0.5 };
    assert_eq!(
        update(Values::Number(vec![("a".into(), 0.1, None), ("b".into(), 2.0, Some(limits))])),
        "<setNumberVector device=\"D\" name=\"N\" state=\"Busy\" timeout=\"0.5\" timestamp=\"1970-01-01T00:00:00\">\n\
         <oneNumber name=\"a\">0.1</oneNumber>\n\
         <oneNumber name=\"b\" min=\"1\" max=\"2\" step=\"0.5\">2</oneNumber>\n\
         </setNumberVector>\n"
    );
    assert_eq!(
        update(Values::Light(vec![("a".into(), State::Ok)])),
        "<setLightVector device=\"D\" name=\"N\" state=\"Busy\" timestamp=\"1970-01-01T00:00:00\">\n\
         <oneLight name=\"a\">Ok</oneLight>\n\
         </setLightVector>\n"
    );
    for values in [Values::Text(vec![]), Values::Switch(vec![("a".into(), true)])] {
        assert!(
            update(values).contains(" state=\"Busy\" timeout=\"0.5\" timestamp=\"1970-01-01T00:00:00\">\n")
        );
    }
}

#[test]
fn values_that_are_not_finite_never_leave() {
    let nan = Limits { min: f64::NEG_INFINITY, max: f64::INFINITY, step: f64::NAN };
    let line = update(Values::Number(vec![("a".into(), f64::NAN, Some(nan))]));
    assert!(line.contains("<oneNumber name=\"a\" min=\"0\" max=\"0\" step=\"0\">0</oneNumber>"), "{line}");
}

#[test]
fn the_small_messages_are_one_line_each() {
    let device = || "D".to_owned();
    for (value, expected) in [
        (
            Message::Delete { device: device(), name: None, at: AT },
            "<delProperty device=\"D\" timestamp=\"1970-01-01T00:00:00\"/>\n",
        ),
        (
            Message::Delete { device: device(), name: Some("N".into()), at: AT },
            "<delProperty device=\"D\" name=\"N\" timestamp=\"1970-01-01T00:00:00\"/>\n",
        ),
        (
            Message::Say { device: Some(device()), text: "[INFO] it's <done>".into(), at: AT },
            "<message device=\"D\" timestamp=\"1970-01-01T00:00:00\" message=\"[INFO] it's &lt;done&gt;\"/>\n",
        ),
        (
            Message::Say { device: None, text: "a\r\nb\tc\u{1b}[0m".into(), at: AT },
            "<message timestamp=\"1970-01-01T00:00:00\" message=\"a b c[0m\"/>\n",
        ),
        (
            Message::Snoop { device: "M".into(), name: Some("N".into()) },
            "<getProperties version=\"1.7\" device=\"M\" name=\"N\"/>\n",
        ),
        (
            Message::Snoop { device: "M".into(), name: None },
            "<getProperties version=\"1.7\" device=\"M\"/>\n",
        ),
        (Message::PingRequest { uid: "7".into() }, "<pingRequest uid=\"7\"/>\n"),
        (Message::PingReply { uid: "a\"b".into() }, "<pingReply uid=\"a&quot;b\"/>\n"),
    ] {
        assert_eq!(written(&value), expected);
    }
}

#[test]
fn an_inline_blob_is_one_unbroken_line_without_enclen() {
    let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
    let head = "<setBLOBVector device=\"Cam\" name=\"CCD1\" state=\"Ok\" timeout=\"60\" timestamp=\"1970-01-01T00:00:00\">\n\
                <oneBLOB name=\"CCD1\" size=\"1000\" format=\".fits\">\n";
    let text = base64::prelude::BASE64_STANDARD.encode(&bytes);
    let expected = format!("{head}{text}\n</oneBLOB>\n</setBLOBVector>\n");
    let update = blob(Payload::Inline(bytes.into()));
    let mut streamed = Vec::new();
    inline_head(&update, &mut streamed);
    assert_eq!(String::from_utf8(streamed).as_deref(), Ok(head));
    assert_eq!(written(&Message::SetBlob(update)), expected);
}

/// Clients make room for what they inflate by it.
#[test]
fn a_deflated_blob_says_its_size_when_inflated() {
    let update = blob(Payload::Deflated { bytes: b"abc".to_vec().into(), inflated: 1_000_000 });
    let text = written(&Message::SetBlob(update));
    assert!(
        text.contains("<oneBLOB name=\"CCD1\" size=\"1000000\" format=\".fits\">\nYWJj\n</oneBLOB>"),
        "{text}"
    );
}

#[test]
fn an_attached_blob_has_its_exact_size_and_no_body() {
    let fd = OwnedFd::from(std::fs::File::open("/dev/null").expect("a descriptor"));
    let payload = Payload::Attached(AttachedBlob::new(fd, NonZeroU64::new(52_186_112).expect("not 0")));
    assert_eq!(
        written(&Message::SetBlob(blob(payload))),
        "<setBLOBVector device=\"Cam\" name=\"CCD1\" state=\"Ok\" timeout=\"60\" timestamp=\"1970-01-01T00:00:00\">\n\
         <oneBLOB name=\"CCD1\" size=\"52186112\" len=\"52186112\" format=\".fits\" attached=\"true\"/>\n\
         </setBLOBVector>\n"
    );
}

#[test]
fn content_escapes_only_what_it_must() {
    assert_eq!(content("a<b> & \"c\" 'd'"), "a&lt;b> &amp; \"c\" 'd'");
    assert_eq!(content("a]]>b]\u{1}>"), "a]]&gt;b]&gt;");
}

#[test]
fn content_never_begins_with_a_character_that_libindi_loses() {
    for first in ["<", ">", "&", "\"", "'"] {
        let text = format!("{first}x & y");
        for blank in ["", " \n", "\u{1}", "\t\u{85}"] {
            let sent = content(&format!("{blank}{text}"));
            assert!(sent.starts_with(GUARD), "{sent:?}");
        }
        let element =
            format!("<newTextVector name='N'><oneText name='a'>{}</oneText></newTextVector>", content(&text));
        let Ok(Some(crate::wire::Request::New(new))) = parse::request(element.as_bytes()) else {
            panic!("{element}")
        };
        assert_eq!(new.elements[0].1, text);
    }
}

#[test]
fn content_that_needs_no_escaping_is_sent_as_it_is() {
    for text in ["\"quoted\"", "'", "> x", "[\"a\"]"] {
        assert_eq!(content(text), text);
    }
}

#[test]
fn control_characters_are_stripped_before_escaping_and_line_breaks_become_blanks() {
    assert_eq!(content("a\0b\u{7f}\u{85}c\u{fffe}\nd\r\ne\tf"), "abc d e f");
    assert_eq!(said("&\u{7}lt;\u{1}<\n"), "&amp;lt;&lt; ");
}

#[test]
fn messages_and_names_are_cut_at_a_character_before_escaping() {
    assert_eq!(said(&"&".repeat(300)), "&amp;".repeat(254));
    assert_eq!(said(&"\u{e9}".repeat(300)), "\u{e9}".repeat(127));
    assert_eq!(said(&format!("x{}", "\u{e9}".repeat(300))), format!("x{}", "\u{e9}".repeat(126)));
    let long = "\u{20ac}".repeat(30);
    let line = written(&Message::Snoop { device: long.clone(), name: Some(format!("\n{long}")) });
    let cut = "\u{20ac}".repeat(21);
    assert!(line.contains(&format!("device=\"{cut}\" name=\" {}\"", "\u{20ac}".repeat(20))), "{line}");
}

#[test]
fn timestamps_are_utc_and_survive_absurd_clocks() {
    assert_eq!(timestamp(at(951_827_696)), "2000-02-29T12:34:56");
    assert_eq!(timestamp(at(253_402_000_000)), "9999-12-28T12:26:40");
    for absurd in [AT.checked_sub(Duration::from_secs(1)), AT.checked_add(Duration::from_secs(1 << 62))] {
        assert_eq!(timestamp(absurd.expect("representable here")), "1970-01-01T00:00:00");
    }
}

#[test]
fn a_configuration_is_written_as_libindi_writes_it() {
    let file = "<INDIDriver>\n\
        <newSwitchVector device='CCD Simulator' name='DEBUG'>\n  <oneSwitch name='ENABLE'>\n      Off\n  </oneSwitch>\n  \
        <oneSwitch name='DISABLE'>\n      On\n  </oneSwitch>\n</newSwitchVector>\n\
        <newNumberVector device='CCD Simulator' name='POLLING_PERIOD'>\n  <oneNumber name='PERIOD_MS'>\n      1000\n  \
        </oneNumber>\n</newNumberVector>\n\
        <newTextVector device='it&apos;s' name='A'>\n  <oneText name='\"'>\n      SQM &amp; \"x\"\n  </oneText>\n\
        </newTextVector>\n</INDIDriver>\n";
    assert_eq!(document(&parse::document(file).expect("readable")), file);
}

#[test]
fn lights_and_blobs_are_not_saved() {
    let vector = |kind| New { device: None, name: "N".into(), kind, elements: vec![] };
    let text = document(&[vector(Kind::Light), vector(Kind::Blob), vector(Kind::Text)]);
    assert_eq!(text, "<INDIDriver>\n<newTextVector name='N'>\n</newTextVector>\n</INDIDriver>\n");
}

#[test]
fn what_a_client_asks_is_read_by_a_driver_as_it_was_meant() {
    use crate::wire::Request;

    let new = |kind, text: &str| {
        let elements = vec![("A".into(), text.into()), ("B".into(), String::new())];
        Request::New(New { device: Some("D".into()), name: "N".into(), kind, elements })
    };
    for asked in [
        Request::GetProperties { device: None, name: None },
        Request::GetProperties { device: Some("a \"b\" & c".into()), name: Some("N".into()) },
        new(Kind::Text, "{\"a\": [1, \"<&>\"]}"),
        new(Kind::Number, "1.5"),
        new(Kind::Switch, "On"),
        Request::PingReply { uid: "SetBLOB/1".into() },
    ] {
        let mut bytes = Vec::new();
        request(&asked, &mut bytes);
        assert_eq!(parse::request(&bytes), Ok(Some(asked)));
    }
    let mut bytes = Vec::new();
    enable_blob("D", "CCD1", &mut bytes);
    assert_eq!(bytes, b"<enableBLOB device=\"D\" name=\"CCD1\">Also</enableBLOB>\n");
}
