//! The configuration pipeline: the bytes of a file, through template, JSON5, dialect and every section.
//!
//! * Whatever the text, a report can be shown: every place is in the file, every caret in its line, nothing in it moves a
//!   terminal's cursor, and no secret of the environment is in it (L12).
//! * What `render --expanded` prints is the same configuration, and is its own expansion.
//! * What `migrate` prints, where no template is left in it, is the same configuration.
//! * A client of the socket finds the one that the configuration names.
//!
//! A file whose first line is `//app` has an application on the command line.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use pilothouse::config::{
    Addresses, Around, Dialect, Input, InterfaceAddress, Loaded, MAX_BYTES, Missing, Report,
    Variables, Zones, control_socket, expand, load_around, migrate, render,
};
use pilothouse::jobs::JobSpec;
use pilothouse::schedule::{NoZone, Zone};

/// Under a name that says what it is; long enough that no input has it by chance.
const SECRET: &str = "mW4-kept-from-everybody-7Qz";

/// The longest line of an excerpt, in characters.
const WINDOW: usize = 100;

const APP: [&str; 3] = ["/bin/app", "--port", "80"];

pub(super) fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let app = APP.map(str::to_owned);
    let app = text.starts_with("//app\n").then_some(app.as_slice());
    let variables = variables();
    let site = Site {
        variables: &variables,
        app,
    };
    match site.load(&text) {
        Ok(loaded) => {
            check_report(&loaded.warnings, &text);
            assert_eq!(loaded.warnings.errors(), 0);
            site.check_expanded(&text, &loaded);
            site.check_socket(&text, &loaded);
        }
        Err(report) => {
            check_report(&report, &text);
            assert!(report.errors() > 0, "refused without a reason");
        }
    }
    site.check_migrated(&text);
}

fn variables() -> Variables {
    let variables = [
        ("API_TOKEN", SECRET),
        ("CONSUL", "localhost:8500"),
        ("EMPTY", ""),
        ("LIST", "a,b,c"),
        ("NAME", "app"),
        ("PORT", "8080"),
        ("TZ", "UTC"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    variables.into_iter().collect()
}

/// Where the file is to run.
#[derive(Clone, Copy)]
struct Site<'a> {
    variables: &'a Variables,
    app: Option<&'a [String]>,
}

impl Site<'_> {
    fn with<T>(self, text: &str, act: impl FnOnce(&Input<'_>) -> T) -> T {
        let lookup = || -> Rc<[InterfaceAddress]> {
            let named = |name: &str, address: [u8; 4]| InterfaceAddress {
                name: name.to_owned(),
                address: IpAddr::from(address),
            };
            Rc::new([named("eth0", [10, 0, 0, 2]), named("lo", [127, 0, 0, 1])])
        };
        let zone = |name: &str| match name {
            "Europe/Berlin" => Zone::from_rule("CET-1CEST,M3.5.0,M10.5.0/3").ok_or(NoZone::NoData),
            "UTC" | "localtime" => Zone::from_rule("UTC0").ok_or(NoZone::NoData),
            _ => Err(NoZone::Unknown),
        };
        act(&Input {
            file: "app.json5",
            text,
            variables: self.variables,
            addresses: Addresses::Lookup(&lookup),
            zones: Zones::Lookup(&zone),
            app: self.app,
        })
    }

    fn load(self, text: &str) -> Result<Loaded, Report> {
        let look = |_: &JobSpec| {
            vec![Missing {
                key: "exec",
                check: None,
                message: "it is not there".to_owned(),
                help: "put it there",
            }]
        };
        let around = Around {
            look: Some(&look),
            grace: Some(Duration::from_secs(10)),
        };
        self.with(text, |input| load_around(input, around))
    }

    fn expand(self, text: &str) -> Result<String, Report> {
        self.with(text, expand)
    }

    fn check_expanded(self, text: &str, loaded: &Loaded) {
        let expanded = self
            .expand(text)
            .expect("what can be loaded can be expanded");
        let version_3 = Site { app: None, ..self };
        let again = version_3.load(&expanded);
        let again = again.unwrap_or_else(|report| panic!("expanded:\n{expanded}\n{report}"));
        if loaded.config.dialect == Dialect::V2 {
            return;
        }
        assert_eq!(again.config, loaded.config, "expanded:\n{expanded}");
        let twice = version_3.expand(&expanded);
        assert_eq!(twice.as_ref(), Ok(&expanded), "expanded twice");
    }

    fn check_migrated(self, text: &str) {
        if let Err(report) = self.with(text, migrate) {
            check_report(&report, text);
        }
        // A template that stays may come to anything; what it came to here has to be a good file.
        let Ok(rendered) = render(text, self.variables) else {
            return;
        };
        let text = rendered.text.as_str();
        if text.contains("{{") || text.len() > MAX_BYTES {
            return;
        }
        let Ok(loaded) = self.load(text) else { return };
        let Ok(Some(migrated)) = self.with(text, migrate) else {
            return;
        };
        let version_3 = Site { app: None, ..self };
        let again = version_3.load(&migrated);
        let mut again = again.unwrap_or_else(|report| panic!("migrated:\n{migrated}\n{report}"));
        again.config.dialect = Dialect::V2;
        assert_eq!(again.config, loaded.config, "migrated:\n{migrated}");
    }

    fn check_socket(self, text: &str, loaded: &Loaded) {
        let default = pilothouse::config::ControlSettings::default().socket;
        let found = control_socket(text, self.variables).unwrap_or(default);
        assert_eq!(found, loaded.config.control.socket);
    }
}

fn check_report(report: &Report, text: &str) {
    let shown = report.to_string();
    let is_quiet = |c: char| !c.is_control() || c == '\n';
    assert!(
        shown.chars().all(is_quiet),
        "a control character: {shown:?}"
    );
    assert!(
        text.contains(SECRET) || !shown.contains(SECRET),
        "a secret is shown: {shown}"
    );
    assert!(shown.len() < 200_000, "{} bytes of report", shown.len());
    // One more than there are: the end of the text is a place too.
    let lines = text.split('\n').count() + 1;
    for finding in report {
        let _ = finding.to_string();
        if let Some(position) = finding.position {
            let is_inside = (1..=lines).contains(&position.line) && position.column >= 1;
            assert!(is_inside, "{position:?} of {lines} lines");
        }
        if let Some(excerpt) = &finding.excerpt {
            // Spaces at the end of a line are not shown; a caret below them is all right.
            let end = excerpt.start + excerpt.width;
            assert!(
                (1..=WINDOW + 1).contains(&end) && excerpt.width >= 1,
                "{excerpt:?}"
            );
            assert!(excerpt.text.chars().count() <= WINDOW, "{excerpt:?}");
            assert!(!excerpt.text.chars().any(char::is_control), "{excerpt:?}");
        }
    }
}
