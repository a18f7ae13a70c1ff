//! The wire layer as a whole, on random input: splitter and parser against a generator that knows the answer, the
//! writer against an independent XML reader.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

use std::time::{Duration, SystemTime};

use indi_camera::wire::number::{self, Decimal};
use indi_camera::wire::splitter::{ROOM, Splitter};
use indi_camera::wire::{
    Definition, ElementDefinition, Elements, Kind, Limits, Message, New, News, Number, Perm, Request, Rule,
    Snooped, State, Update, Values, parse, write,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use quick_xml::Reader;
use quick_xml::events::Event;

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests_survive_any_spelling_any_junk_and_any_cut(
        stream in vec((between(), style(), request()), 1..6),
        sizes in vec(1_usize..200, 1..5),
    ) {
        let spelled = stream.iter().map(|(junk, style, request)| format!("{junk}{}", style.spell(request)));
        let input: String = spelled.collect();
        let expected: Vec<Request> = stream.into_iter().map(|(.., request)| request).collect();
        for sizes in [&[1][..], &[usize::MAX], &sizes] {
            let (read, losses) = requests(input.as_bytes(), sizes);
            prop_assert_eq!(&read, &expected, "{}", input);
            prop_assert_eq!(losses, 0);
        }
    }

    #[test]
    fn a_good_element_comes_out_after_any_rubbish(rubbish in rubbish(), size in 1_usize..50) {
        // The end of a comment and of CDATA; everything else gives way to the element itself. The blank keeps
        // `<!` at the end of the rubbish from opening a comment with the dashes.
        let input = [&rubbish, &b" -->]]><pingRequest uid='good'/>"[..]].concat();
        let (read, losses) = requests(&input, &[size]);
        prop_assert_eq!(read.last(), Some(&Request::PingRequest { uid: "good".into() }));
        prop_assert_eq!((read, losses), requests(&input, &[usize::MAX]), "the cuts made a difference");
    }

    #[test]
    fn a_truncated_element_costs_only_itself(request in request(), style in style(), cut in any::<Index>()) {
        let whole = Style { cdata: false, ..style }.spell(&request);
        let cut = cut.index(whole.len());
        let input = [&whole.as_bytes()[..cut], b"<pingReply uid='good'/>"].concat();
        let (read, losses) = requests(&input, &[7]);
        prop_assert_eq!(read, [Request::PingReply { uid: "good".into() }]);
        prop_assert!(losses <= 1);
    }

    #[test]
    fn arbitrary_configurations_do_not_panic(text in ".{0,60}", rubbish in rubbish()) {
        let rubbish = String::from_utf8_lossy(&rubbish);
        let _ = parse::document(&format!("<INDIDriver>{rubbish}{text}</INDIDriver>"));
        let _ = parse::document(&rubbish);
        let _ = parse::request(rubbish.as_bytes());
    }

    #[test]
    fn configurations_are_read_back_as_written(vectors in vec((option::of(name()), name(), elements()), 0..4)) {
        let vector = |(device, name, elements)| New { device, name, kind: Kind::Text, elements };
        let vectors: Vec<New> = vectors.into_iter().map(vector).collect();
        prop_assert_eq!(parse::document(&write::document(&vectors)).unwrap(), vectors);
    }

    #[test]
    fn finite_numbers_are_read_back_as_written(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite());
        let text = Decimal(value).to_string();
        prop_assert_eq!(number::parse(&text).map(f64::to_bits), Ok(bits));
        prop_assert!(text.len() <= 26, "{}", text);
    }

    #[test]
    fn sexagesimals_are_read_back_to_the_places_shown(value in -1e6..1e6_f64) {
        for (format, places) in
            [("%12.9m", 360_000.0), ("%12.8m", 36_000.0), ("%12.6m", 3_600.0), ("%12.5m", 600.0), ("%12.3m", 60.0)]
        {
            let text = number::format(format, value);
            prop_assert!((number::parse(&text).unwrap() - value).abs() <= 0.500_001 / places, "{}", text);
        }
    }

    #[test]
    fn arbitrary_numbers_and_formats_do_not_panic(
        text in ".{0,12}",
        conversion in "[a-z]{0,2}%[-+ 0#]{0,3}[0-9]{0,20}(\\.[0-9]{0,20})?[a-zA-Z%]",
        bits in any::<u64>(),
    ) {
        let value = f64::from_bits(bits);
        let _ = number::parse(&text);
        let _ = number::format(&text, value);
        // The longest is `%f` of the greatest double, with all its decimals.
        prop_assert!(number::format(&conversion, value).len() < 309 + 2 * number::MAX_FIELD);
    }

    #[test]
    fn a_definition_says_the_same_to_another_reader(label in text(), value in text(), bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        let definition = |elements| Message::Define(Definition {
            device: "D".into(),
            name: "N".into(),
            label: label.clone(),
            group: "G".into(),
            state: State::Ok,
            perm: Perm::Wo,
            timeout: 1.0,
            at: SystemTime::UNIX_EPOCH + Duration::from_secs(61),
            elements,
        });
        let element = || ElementDefinition { name: "a".into(), label: label.clone() };
        let limits = Limits { min: 0.0, max: number, step: 0.5 };
        let number = Number { value: number, format: "%g".into(), limits };
        let decimal = Decimal(number.value).to_string();
        let shown = carried(&label);

        let mut out = Vec::new();
        write::message(&definition(Elements::Text(vec![(element(), value.clone())])), &mut out);
        write::message(&definition(Elements::Number(vec![(element(), number)])), &mut out);
        write::message(&definition(Elements::Switch(Rule::AnyOfMany, vec![(element(), true)])), &mut out);

        let common =
            [("device", "D"), ("name", "N"), ("label", &shown), ("group", "G"), ("state", "Ok"), ("perm", "wo")];
        let end = [("timeout", "1"), ("timestamp", "1970-01-01T00:01:01")];
        let named = [("name", "a"), ("label", &shown)];
        let numeric = [("format", "%g"), ("min", "0"), ("max", &decimal), ("step", "0.5")];
        let mut expected = vec![tag("defTextVector", &[&common, &end]), tag("defText", &[&named])];
        expected.extend(text_event(&value));
        expected.push(tag("defNumberVector", &[&common, &end]));
        expected.push(tag("defNumber", &[&named, &numeric]));
        expected.extend(text_event(&decimal));
        expected.push(tag("defSwitchVector", &[&common, &[("rule", "AnyOfMany")], &end]));
        expected.push(tag("defSwitch", &[&named]));
        expected.extend(text_event("On"));
        prop_assert_eq!(events(&out), expected);
    }

    #[test]
    fn an_update_is_read_by_our_own_reader_as_it_was_meant(texts in vec((name(), text()), 0..4)) {
        let update = Update {
            device: "D".into(),
            name: "N".into(),
            state: State::Alert,
            timeout: 0.0,
            at: SystemTime::UNIX_EPOCH,
            values: Values::Text(texts.clone()),
        };
        let mut out = Vec::new();
        write::message(&Message::Set(update), &mut out);
        let elements = texts.into_iter().map(|(name, text)| (name, carried_content(&text))).collect();
        let news = News::Values { state: Some(State::Alert), elements };
        let expected = Request::Snooped(Snooped { device: "D".into(), name: Some("N".into()), news });
        prop_assert_eq!(requests(&out, &[11]), (vec![expected], 0));
    }

    #[test]
    fn messages_never_exceed_what_libindi_holds(text in vec(text(), 0..40)) {
        let text = text.concat();
        let mut out = Vec::new();
        write::message(&Message::Say { device: None, text: text.clone(), at: SystemTime::UNIX_EPOCH }, &mut out);
        let events = events(&out);
        let (_, said) = events[0].1.last().unwrap();
        prop_assert!(said.len() <= 254);
        prop_assert!(carried(&text).starts_with(said.as_str()));
    }
}

/// What a driver makes of `input`, read in pieces whose lengths are `sizes` over and over, and how much was lost.
fn requests(input: &[u8], sizes: &[usize]) -> (Vec<Request>, usize) {
    let mut splitter = Splitter::new();
    let (mut requests, mut losses) = (Vec::new(), 0);
    let mut sizes = sizes.iter().cycle();
    let mut rest = input;
    while !rest.is_empty() {
        let space = splitter.space();
        assert!(space.len() >= ROOM);
        let (piece, after) = rest.split_at((*sizes.next().unwrap()).min(space.len()).min(rest.len()));
        space[..piece.len()].copy_from_slice(piece);
        splitter.filled(piece.len());
        rest = after;
        while let Some(element) = splitter.next_element() {
            match element.map(parse::request) {
                Ok(Ok(request)) => requests.extend(request),
                _ => losses += 1,
            }
        }
    }
    (requests, losses)
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z_][A-Za-z0-9_ ]{0,8}"
}

/// Text with everything in it that might hurt.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => proptest::char::range(' ', '~'),
        2 => select("&<>'\"]!-/;#x".chars().collect::<Vec<_>>()),
        1 => proptest::char::range('\0', '\u{9f}'),
        1 => any::<char>(),
    ];
    vec(character, 0..20).prop_map(String::from_iter)
}

fn elements() -> impl Strategy<Value = Vec<(String, String)>> {
    vec((name(), text().prop_map(|text| carried_content(&text))), 0..4)
}

fn request() -> impl Strategy<Value = Request> {
    let kind = select(vec![Kind::Text, Kind::Number, Kind::Switch, Kind::Light]);
    let state = select(vec![None, Some(State::Idle), Some(State::Ok), Some(State::Busy), Some(State::Alert)]);
    let some_name = || option::of(name());
    prop_oneof![
        (some_name(), some_name()).prop_map(|(device, name)| Request::GetProperties { device, name }),
        (some_name(), name(), kind, elements())
            .prop_map(|(device, name, kind, elements)| Request::New(New { device, name, kind, elements })),
        (name(), name(), state, elements()).prop_map(|(device, name, state, elements)| {
            let news = News::Values { state, elements };
            Request::Snooped(Snooped { device, name: Some(name), news })
        }),
        (name(), some_name()).prop_map(|(device, name)| Request::Snooped(Snooped {
            device,
            name,
            news: News::Deleted
        })),
        name().prop_map(|device| Request::Snooped(Snooped { device, name: None, news: News::Message })),
        name().prop_map(|uid| Request::PingRequest { uid }),
        name().prop_map(|uid| Request::PingReply { uid }),
    ]
}

/// What may stand between two elements and concerns nobody.
fn between() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "\n",
        "<?xml version='1.0'?>\n",
        "<!-- <pingRequest uid='no'/> > -->",
        "<!DOCTYPE d [<!ENTITY e \"x\">]>",
        "junk > \"more' </stray> < \0",
        "<other a='b'><x>y</x></other>",
    ])
}

/// Bytes that look enough like XML to lead a reader astray.
fn rubbish() -> impl Strategy<Value = Vec<u8>> {
    let words = "< > /> </ <!-- --> <![CDATA[ ]]> <? ?> <! ' \" = a & &lt; <oneBLOB> </oneBLOB> <newTextVector \
                 </newTextVector> <oneText name='a'> <message <x> é \u{20}";
    let word = select(words.split(' ').collect::<Vec<_>>());
    let piece = prop_oneof![
        5 => word.prop_map(|word| word.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..9),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// What is to arrive of a text that goes into an attribute.
fn carried(text: &str) -> String {
    let kept = text.chars().map(|c| if matches!(c, '\n' | '\t') { ' ' } else { c });
    kept.filter(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')).collect()
}

/// What is to arrive of a text that goes into an element.
fn carried_content(text: &str) -> String {
    carried(text).trim_matches(' ').to_owned()
}

/// How a client spells its XML.
#[derive(Clone, Copy, Debug)]
struct Style {
    quote: char,
    numeric: bool,
    cdata: bool,
    blank: &'static str,
}

fn style() -> impl Strategy<Value = Style> {
    (select(vec!['"', '\'']), any::<bool>(), any::<bool>(), select(vec![" ", "\n  ", "\t"]))
        .prop_map(|(quote, numeric, cdata, blank)| Style { quote, numeric, cdata, blank })
}

impl Style {
    fn spell(self, request: &Request) -> String {
        match request {
            Request::GetProperties { device, name } => {
                format!(
                    "<getProperties{}{}/>",
                    self.attribute("device", device),
                    self.attribute("name", name)
                )
            }
            Request::New(New { device, name, kind, elements }) => {
                let attributes = self.attribute("device", device) + &self.attribute("name", Some(name));
                self.vector("new", *kind, &attributes, elements)
            }
            Request::Snooped(Snooped { device, name, news }) => {
                let attributes = self.attribute("device", Some(device)) + &self.attribute("name", name);
                match news {
                    News::Values { state, elements } => {
                        let state = state.map(|state| format!("{state:?}"));
                        let verb = if elements.len() % 2 == 0 { "set" } else { "def" };
                        self.vector(
                            verb,
                            Kind::Number,
                            &(attributes + &self.attribute("state", &state)),
                            elements,
                        )
                    }
                    News::Deleted => format!("<delProperty{attributes}{}/>", self.blank),
                    News::Message => format!("<message{attributes}></message>"),
                }
            }
            Request::PingRequest { uid } => format!("<pingRequest{}/>", self.attribute("uid", Some(uid))),
            Request::PingReply { uid } => format!("<pingReply{} />", self.attribute("uid", Some(uid))),
        }
    }

    fn vector(self, verb: &str, kind: Kind, attributes: &str, elements: &[(String, String)]) -> String {
        let word = if kind == Kind::Blob { "BLOB".to_owned() } else { format!("{kind:?}") };
        let child = if verb == "def" { "def" } else { "one" };
        let mut out = format!("<{verb}{word}Vector{attributes}>{}", self.blank);
        for (name, text) in elements {
            let name = self.attribute("name", Some(name));
            out += &format!("<{child}{word}{name}>{}</{child}{word}>{}", self.content(text), self.blank);
        }
        out + &format!("</{verb}{word}Vector>")
    }

    fn attribute<'a>(self, name: &str, value: impl Into<Option<&'a String>>) -> String {
        let Style { quote, blank, .. } = self;
        let spell = |value: &String| format!("{blank}{name}={quote}{}{quote}", self.escape(value));
        value.into().map_or_else(String::new, spell)
    }

    fn content(self, text: &str) -> String {
        let cdata = self.cdata && !text.contains("]]>");
        let inner = if cdata { format!("<![CDATA[{text}]]>") } else { self.escape(text) };
        format!("{}{inner}{}", self.blank, self.blank)
    }

    fn escape(self, text: &str) -> String {
        let spell = |c: char| match c {
            '&' | '<' | '>' | '"' | '\'' if self.numeric => format!("&#{};", u32::from(c)),
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            '\'' => "&apos;".to_owned(),
            _ => c.to_string(),
        };
        text.chars().map(spell).collect()
    }
}

/// A tag with its attributes, or a text.
type Seen = (String, Vec<(String, String)>);

/// Every start tag, and every text that is not blank, as an independent reader sees them.
fn events(bytes: &[u8]) -> Vec<Seen> {
    let mut reader = Reader::from_str(std::str::from_utf8(bytes).unwrap());
    reader.config_mut().enable_all_checks(true);
    let mut out = Vec::new();
    let mut text = String::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Text(piece) => text.push_str(&piece),
            Event::GeneralRef(name) => text.push_str(quick_xml::escape::resolve_xml_entity(&name).unwrap()),
            event => {
                let trimmed = text.trim_matches(['\n', ' ']);
                if !trimmed.is_empty() {
                    out.push((format!("text {trimmed}"), vec![]));
                }
                text.clear();
                match event {
                    Event::Start(tag) | Event::Empty(tag) => {
                        let attributes = tag.attributes().map(|attribute| {
                            let attribute = attribute.unwrap();
                            let value = quick_xml::escape::unescape(&attribute.value).unwrap().into_owned();
                            (attribute.key.into_inner().to_owned(), value)
                        });
                        out.push((tag.name().into_inner().to_owned(), attributes.collect()));
                    }
                    Event::Eof => return out,
                    _ => {}
                }
            }
        }
    }
}

fn tag(name: &str, attributes: &[&[(&str, &str)]]) -> Seen {
    let owned = attributes.concat().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    (name.to_owned(), owned.collect())
}

/// The text of an element, if there is any.
fn text_event(text: &str) -> Option<Seen> {
    let text = carried_content(text);
    let escapes = text.contains(['&', '<']) || (text.contains(']') && text.contains('>'));
    let guard = if escapes && text.starts_with(['&', '<', '>', '"', '\'']) { "\u{200b}" } else { "" };
    (!text.is_empty()).then(|| (format!("text {guard}{text}"), vec![]))
}
