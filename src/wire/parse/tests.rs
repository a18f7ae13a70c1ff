use super::*;

fn read(element: &str) -> Option<Request> {
    request(element.as_bytes()).unwrap_or_else(|error| panic!("{element}: {error}"))
}

fn fault(element: &str) -> Fault {
    request(element.as_bytes()).expect_err(element).fault
}

/// The elements of a `newTextVector` with this inside.
fn elements(inside: &str) -> Vec<(String, String)> {
    let element = format!("<newTextVector device='D' name='N'>{inside}</newTextVector>");
    let Some(Request::New(new)) = read(&element) else { panic!("{element} is no new vector") };
    new.elements
}

/// The text of one element with this inside.
fn text(inside: &str) -> String {
    elements(&format!("<oneText name='a'>{inside}</oneText>")).remove(0).1
}

fn name(value: &str) -> Option<String> {
    let Some(Request::GetProperties { name, .. }) = read(&format!("<getProperties name='{value}'/>")) else {
        panic!("no getProperties")
    };
    name
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, text)| (name.into(), text.into())).collect()
}

#[test]
fn get_properties_without_or_with_a_newer_version_is_read() {
    for version in ["", "version='1.7'", "version=\"99.9\"", "version=''"] {
        let expected = Request::GetProperties { device: None, name: None };
        assert_eq!(read(&format!("<getProperties {version}/>")), Some(expected));
    }
    let expected = Request::GetProperties { device: Some("D".into()), name: Some("N".into()) };
    assert_eq!(read("<getProperties device='D' name='N'></getProperties>"), Some(expected));
}

#[test]
fn new_vectors_of_every_kind_are_read() {
    for (word, kind, text) in [
        ("Text", Kind::Text, "x"),
        ("Number", Kind::Number, "x"),
        ("Switch", Kind::Switch, "x"),
        ("Light", Kind::Light, "x"),
        ("BLOB", Kind::Blob, ""),
    ] {
        let element = format!(
            "<new{word}Vector device='D' name='N'><one{word} name='a'>x</one{word}></new{word}Vector>"
        );
        let expected =
            New { device: Some("D".into()), name: "N".into(), kind, elements: pairs(&[("a", text)]) };
        assert_eq!(read(&element), Some(Request::New(expected)));
    }
}

#[test]
fn elements_keep_their_order_and_repeats() {
    let inside = "<oneText name='b'>1</oneText><oneText name='a'/><oneText name='b'>2</oneText>";
    assert_eq!(elements(inside), pairs(&[("b", "1"), ("a", ""), ("b", "2")]));
}

#[test]
fn a_new_vector_without_device_is_for_every_driver() {
    for device in ["", "device=''"] {
        let element = format!("<newTextVector {device} name='N'/>");
        let expected = New { device: None, name: "N".into(), kind: Kind::Text, elements: vec![] };
        assert_eq!(read(&element), Some(Request::New(expected)));
    }
}

#[test]
fn nameless_vectors_and_elements_are_faults() {
    assert_eq!(fault("<newTextVector device='D'></newTextVector>"), Fault::NamelessVector);
    assert_eq!(fault("<newTextVector device='D' name=''/>"), Fault::NamelessVector);
    assert_eq!(fault("<setTextVector device='D'/>"), Fault::NamelessVector);
    assert_eq!(fault("<newTextVector name='N'><oneText>x</oneText></newTextVector>"), Fault::NamelessElement);
}

#[test]
fn nameless_elements_of_other_devices_and_of_saved_files_are_passed_over() {
    let inside = "<oneSwitch name=''>Off</oneSwitch><oneSwitch name='a'>On</oneSwitch>";
    let Some(Request::Snooped(Snooped { news: News::Values { elements, .. }, .. })) =
        read(&format!("<setSwitchVector device='M' name='N'>{inside}</setSwitchVector>"))
    else {
        panic!("not snooped")
    };
    assert_eq!(elements, pairs(&[("a", "On")]));
    let saved =
        document(&format!("<INDIDriver><newSwitchVector name='N'>{inside}</newSwitchVector></INDIDriver>"));
    assert_eq!(saved.map(|vectors| vectors[0].elements.clone()), Ok(elements));
}

#[test]
fn elements_of_another_kind_are_a_fault_and_other_children_are_passed_over() {
    let element = "<newSwitchVector name='N'><oneNumber name='a'>1</oneNumber></newSwitchVector>";
    assert_eq!(fault(element), Fault::WrongKind("oneNumber".into()));
    let inside =
        "<!-- c --><foo><oneText name='no'/></foo>junk<defText name='no'/><oneText name='a'>x</oneText>";
    assert_eq!(elements(inside), pairs(&[("a", "x")]));
}

#[test]
fn either_quote_odd_blanks_and_unknown_attributes_are_accepted() {
    let expected =
        New { device: Some("it's".into()), name: "say \"N\"".into(), kind: Kind::Text, elements: vec![] };
    let element = "<newTextVector\n device = \"it's\"name\t=\t'say \"N\"'what='ever' ></newTextVector >";
    assert_eq!(read(element), Some(Request::New(expected)));
    assert!(matches!(fault("<getProperties device=D/>"), Fault::Syntax(_)));
}

#[test]
fn the_first_of_two_attributes_wins() {
    let expected = Request::GetProperties { device: Some("first".into()), name: None };
    assert_eq!(read("<getProperties device='first' device='second'/>"), Some(expected));
}

#[test]
fn text_is_trimmed_outside_and_kept_inside() {
    assert_eq!(text("\n\t  a \n b\u{b} "), "a \n b");
    assert_eq!(text(" \u{a0}x "), "\u{a0}x");
    assert_eq!(text(" \n "), "");
}

#[test]
fn the_five_entities_and_numeric_references_are_decoded() {
    let coded = "&lt;&amp;&gt;&quot;&apos;&#65;&#x42;&#xe9;";
    assert_eq!(text(coded), "<&>\"'AB\u{e9}");
    assert_eq!(name(coded).as_deref(), Some("<&>\"'AB\u{e9}"));
    assert_eq!(text("&amp;lt;"), "&lt;");
}

#[test]
fn unknown_and_broken_entities_are_kept_literally() {
    for odd in
        ["a&nbsp;b", "a & b", "a&b", "&", "&;", "&&amp", "&#;", "&#x;", "&#xD800;", "&#99999999;", "&#+65;"]
    {
        assert_eq!(text(odd), odd);
        assert_eq!(name(odd).as_deref(), Some(odd));
    }
    assert_eq!(text("x&#0;&#27;"), "x&#0;&#27;");
    assert_eq!(text("&lt &amp;&amp;"), "&lt &&");
    assert_eq!(name("&lt &amp;&amp;").as_deref(), Some("&lt &&"));
}

#[test]
fn cdata_comments_and_pieces_make_one_text() {
    assert_eq!(text(" a<![CDATA[<b>&amp;]]><!-- c -->d&gt;<x>no</x>e "), "a<b>&amp;d>e");
}

#[test]
fn white_space_in_attributes_becomes_blanks() {
    assert_eq!(name("a\n\tb").as_deref(), Some("a  b"));
}

#[test]
fn the_writers_guard_is_removed_only_where_the_writer_puts_it() {
    assert_eq!(text(" \u{200b}&lt;b>"), "<b>");
    assert_eq!(text("\u{200b}b"), "\u{200b}b");
}

#[test]
fn bytes_that_are_not_utf8_are_replaced() {
    let expected = Request::PingRequest { uid: "a\u{fffd}\u{e9}".into() };
    assert_eq!(request(b"<pingRequest uid='a\xff\xc3\xa9'/>"), Ok(Some(expected)));
}

#[test]
fn pings_are_read() {
    assert_eq!(read("<pingRequest uid='1'/>"), Some(Request::PingRequest { uid: "1".into() }));
    assert_eq!(read("<pingReply uid='SetBLOB/1'/>"), Some(Request::PingReply { uid: "SetBLOB/1".into() }));
    assert_eq!(read("<pingRequest/>"), Some(Request::PingRequest { uid: String::new() }));
}

#[test]
fn what_other_devices_say_is_snooped() {
    let snooped = |name: Option<&str>, news| {
        Some(Request::Snooped(Snooped { device: "M".into(), name: name.map(Into::into), news }))
    };
    let values = |state, texts: &[_]| News::Values { state, elements: pairs(texts) };
    assert_eq!(
        read(
            "<setNumberVector device='M' name='N' state='Busy'><oneNumber name='a'>\n1\n</oneNumber></setNumberVector>"
        ),
        snooped(Some("N"), values(Some(State::Busy), &[("a", "1")]))
    );
    assert_eq!(
        read(
            "<defLightVector device='M' name='N' state='Okay'><defLight name='a' label='x'>Idle</defLight></defLightVector>"
        ),
        snooped(Some("N"), values(Some(State::Ok), &[("a", "Idle")]))
    );
    assert_eq!(
        read("<setSwitchVector device='M' name='N' state='busy'/>"),
        snooped(Some("N"), values(None, &[]))
    );
    assert_eq!(read("<delProperty device='M' name='N'/>"), snooped(Some("N"), News::Deleted));
    assert_eq!(read("<delProperty device='M'/>"), snooped(None, News::Deleted));
    assert_eq!(read("<message device='M' message='x'/>"), snooped(None, News::Message));
}

#[test]
fn what_does_not_concern_a_driver_is_ignored() {
    for element in [
        "<enableBLOB device='D'>Also</enableBLOB>",
        "<setTextVector name='N'/>",
        "<defTextVector name='N'/>",
        "<message message='x'/>",
        "<delProperty name='N'/>",
        "<newVector name='N'/>",
        "<newColourVector name='N'/>",
        "<n\u{e9}w/>",
        "<INDI><getProperties/></INDI>",
        "",
        "text",
    ] {
        assert_eq!(read(element), None, "{element}");
    }
}

#[test]
fn tags_that_do_not_match_or_do_not_end_are_faults() {
    for element in [
        "<newTextVector name='N'><oneText name='a'>x</oneNumber></newTextVector>",
        "<newTextVector name='N'><oneText name='a'>x</newTextVector>",
        "<newTextVector name='N'></setTextVector>",
        "<newTextVector name='N'><oneText name='a'>x",
        "<newTextVector name='N'>",
        "<getProperties></getproperties>",
        "<newTextVector name='N'",
    ] {
        assert!(matches!(fault(element), Fault::Syntax(_)), "{element}");
    }
}

#[test]
fn a_fault_says_where_and_is_short() {
    let element =
        format!("<newTextVector name='N'>\n<oneText name='a'>x</{}>\n</newTextVector>", "y".repeat(6000));
    let error = request(element.as_bytes()).expect_err("tags do not match");
    assert_eq!((error.tag.as_str(), error.line), ("oneText", 2));
    let line = error.to_string();
    assert!(
        line.starts_with("unreadable oneText at line 2: ill-formed document: expected `</oneText>`"),
        "{line}"
    );
    assert!(line.len() < 400);
}

#[test]
fn libindis_saved_configuration_is_read() {
    let text = "<?xml version='1.0'?>\n<INDIDriver>
<newSwitchVector device='CCD Simulator' name='DEBUG'>\n  <oneSwitch name='ENABLE'>\n      Off\n  </oneSwitch>
</newSwitchVector>
<newBLOBVector device='CCD Simulator' name='B'><oneBLOB name='b'>AAAA</oneBLOB></newBLOBVector><other/>
<newNumberVector name='POLLING_PERIOD'><oneNumber name='PERIOD_MS'>1000</oneNumber></newNumberVector>
</INDIDriver>\n";
    let vector = |device: Option<&str>, name: &str, kind, texts: &[_]| New {
        device: device.map(Into::into),
        name: name.into(),
        kind,
        elements: pairs(texts),
    };
    let expected = vec![
        vector(Some("CCD Simulator"), "DEBUG", Kind::Switch, &[("ENABLE", "Off")]),
        vector(None, "POLLING_PERIOD", Kind::Number, &[("PERIOD_MS", "1000")]),
    ];
    assert_eq!(document(text), Ok(expected.clone()));
    assert_eq!(document(&format!("\u{feff}{text}")), Ok(expected));
    assert_eq!(document("<INDIDriver/>"), Ok(vec![]));
}

#[test]
fn an_unreadable_configuration_names_the_line() {
    for (text, line, fault) in [
        ("", 1, Fault::NotAConfiguration),
        ("\n\n<INDI>", 3, Fault::NotAConfiguration),
        ("<INDIDriver>\n<newTextVector/>\n", 2, Fault::NamelessVector),
        ("<INDIDriver>\n\n", 3, Fault::Syntax("ends without its closing tag".into())),
    ] {
        let error = document(text).expect_err(text);
        assert_eq!((error.line, error.fault), (line, fault), "{text:?}");
    }
    let error =
        document("<INDIDriver>\n<newTextVector name='N'>\n</INDIDriver>").expect_err("tags do not match");
    assert_eq!(error.line, 3);
}
