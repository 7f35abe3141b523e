//! Laws of what several looks agree on.

use std::sync::Arc;

use headstart_learn::NetworkId;
use headstart_markup::{Location, read};
use http::HeaderValue;

use super::{Look, Looks, Seen};
use crate::statements::Statement;
use crate::view::Reason;

fn seen(network: u64, validator: u64) -> Seen {
    let network = NetworkId::new(network);
    Seen { validator, length: 0, network, public: true, alone: false, of_files: false, unsettled: false, gate: 3 }
}

fn look(looks: &mut Looks, html: &str, seen: Seen) -> bool {
    let page = read(&Location::new("https", "a.example", "/").unwrap(), html.as_bytes());
    looks.take(Look::of(&page, "a.example", seen.public), &seen, html.len())
}

fn integrity(looks: &Looks, path: &str) -> Option<String> {
    match looks.statements().by_path.get(path)? {
        Statement::Hint(named) => named.attributes.integrity.as_deref().map(Into::into),
        _ => None,
    }
}

const PLAIN: &str = "<link rel=stylesheet href=/a.css integrity=one>";
const OTHER: &str = "<link rel=stylesheet href=/a.css integrity=two>";

#[test]
fn two_networks_change_no_attribute_under_the_gate_of_three() {
    let mut looks = Looks::default();
    look(&mut looks, PLAIN, seen(1, 1));
    for request in 0..10_000 {
        look(&mut looks, OTHER, seen(2 + request % 2, 2));
    }
    assert_eq!(integrity(&looks, "/a.css").as_deref(), Some("one"));
    look(&mut looks, OTHER, seen(4, 2));
    assert_eq!(integrity(&looks, "/a.css").as_deref(), Some("two"));
}

#[test]
fn what_is_named_no_longer_is_gone_when_two_networks_agree() {
    let mut looks = Looks::default();
    let gone = |looks: &Looks| looks.statements().by_path.get("/b.js") == Some(&Statement::Not(Reason::Unnamed));
    let full = format!("{PLAIN}<script src=/b.js></script>");
    look(&mut looks, &full, seen(1, 1));
    look(&mut looks, &full, seen(2, 1));
    look(&mut looks, "<p>Back soon", seen(3, 2));
    look(&mut looks, "<p>Back soon", seen(4, 2));
    assert!(!gone(&looks), "a short page says nothing");
    look(&mut looks, PLAIN, seen(3, 3));
    assert!(!gone(&looks));
    look(&mut looks, PLAIN, seen(4, 3));
    assert!(gone(&looks));
    look(&mut looks, &full, seen(1, 1));
    assert!(!gone(&looks), "and is back at once");
}

#[test]
fn strangers_are_told_what_two_networks_were_shown_in_public() {
    let mut looks = Looks::default();
    let private = |network| Seen { public: false, ..seen(network, 1) };
    for network in 1..9 {
        look(&mut looks, PLAIN, private(network));
    }
    assert!(looks.statements().nameable.is_empty());
    look(&mut looks, PLAIN, seen(1, 1));
    look(&mut looks, PLAIN, seen(1, 1));
    assert!(looks.statements().nameable.is_empty());
    look(&mut looks, PLAIN, seen(2, 1));
    assert_eq!(*looks.statements().nameable, [Arc::<str>::from("/a.css")]);
    let mut files = Looks::default();
    look(&mut files, PLAIN, Seen { alone: true, of_files: true, ..seen(1, 1) });
    assert_eq!(*files.statements().nameable, [Arc::<str>::from("/a.css")]);
}

#[test]
fn a_page_whose_evidence_contradicts_its_plan_is_read_once_in_8_views() {
    let mut looks = Looks::default();
    look(&mut looks, PLAIN, seen(1, 1));
    look(&mut looks, PLAIN, seen(2, 1));
    let unsettled = Seen { unsettled: true, ..seen(3, 1) };
    assert!((0..7).all(|_| !looks.wants(&unsettled)) && looks.wants(&unsettled));
}

#[test]
fn a_document_that_was_confirmed_is_not_read_again() {
    let mut looks = Looks::default();
    let read = |looks: &mut Looks, html: &str, content: u64, seen: Seen| {
        let knows = looks.knows(content, &seen);
        if !knows {
            look(looks, html, seen);
            looks.looked_at(content);
        }
        !knows
    };
    let private = Seen { public: false, ..seen(1, 1) };
    assert!(read(&mut looks, PLAIN, 7, private) && read(&mut looks, PLAIN, 7, Seen { public: false, ..seen(2, 1) }));
    assert!(!read(&mut looks, PLAIN, 7, private), "two networks have confirmed it");
    assert!(read(&mut looks, PLAIN, 7, seen(1, 1)), "now a stranger may see it");
    assert!(read(&mut looks, PLAIN, 7, seen(2, 1)));
    assert_eq!(*looks.statements().nameable, [Arc::<str>::from("/a.css")]);
    assert!(!read(&mut looks, PLAIN, 7, seen(3, 1)));
    for network in 1..4 {
        assert!(read(&mut looks, OTHER, 8, seen(network, 1)), "until three networks were shown the change");
    }
    assert_eq!(integrity(&looks, "/a.css").as_deref(), Some("two"));
    assert!(read(&mut looks, OTHER, 8, seen(4, 1)) && !read(&mut looks, OTHER, 8, seen(5, 1)));
}

#[test]
fn a_page_whose_tag_was_compared_is_asked_about_when_the_tag_changes_or_a_look_is_due() {
    let tag = HeaderValue::from_static("\"1\"");
    let mut looks = Looks::default();
    let network = NetworkId::new(3);
    look(&mut looks, PLAIN, seen(1, 1));
    assert!(looks.is_asked_about(network, false), "nobody has compared it");
    look(&mut looks, PLAIN, seen(2, 1));
    assert!(!looks.wants(&seen(3, 1)));
    looks.note_tag(Some(&tag), &seen(3, 1));
    assert!(!looks.is_asked_about(network, false));
    looks.compare(Some(&tag));
    assert!(!looks.is_asked_about(network, false));
    looks.compare(None);
    assert!(looks.is_asked_about(network, false), "a response had another tag");
    assert!(!looks.wants(&seen(3, 1)));
    looks.note_tag(Some(&tag), &seen(3, 1));
    let settled = (0..100).take_while(|_| !looks.is_asked_about(network, false)).count();
    assert_eq!(settled, 59, "with the four before a look is due after 64");
    assert!(looks.is_asked_about(network, true) && looks.wants(&seen(3, 1)));
    look(&mut looks, PLAIN, seen(3, 2));
    looks.note_tag(Some(&tag), &seen(3, 1));
    assert!(looks.is_asked_about(network, false), "the tag is not that of the last look");
}

#[test]
fn a_settled_page_is_read_once_in_64_views() {
    let mut looks = Looks::default();
    assert!(looks.wants(&seen(1, 1)));
    look(&mut looks, PLAIN, seen(1, 1));
    assert!(!looks.wants(&seen(1, 1)));
    assert!(looks.wants(&seen(2, 1)), "a second network shall confirm it");
    look(&mut looks, PLAIN, seen(2, 1));
    let wanted = (0..640).filter(|_| {
        let wants = looks.wants(&seen(3, 1));
        if wants {
            look(&mut looks, PLAIN, seen(3, 1));
        }
        wants
    });
    assert_eq!(wanted.count(), 10);
    assert!(looks.wants(&seen(3, 2)), "its validator is another");
    // Validators that always change say nothing.
    for validator in 10..20 {
        look(&mut looks, PLAIN, seen(3, validator));
    }
    assert!(!looks.wants(&seen(3, 99)));
    let file = |validator| Seen { alone: true, of_files: true, ..seen(1, validator) };
    let mut files = Looks::default();
    look(&mut files, PLAIN, file(1));
    assert!((0..1000).all(|_| !files.wants(&file(1))) && files.wants(&file(2)));
}
