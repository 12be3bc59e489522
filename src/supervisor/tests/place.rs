use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::super::{ConfigPlace, DEFAULT_CONFIG, ReadError};
use crate::config::Variables;

fn file(path: &str) -> ConfigPlace {
    ConfigPlace::File(PathBuf::from(path))
}

fn find(flag: Option<&str>, variable: Option<&str>) -> ConfigPlace {
    let mut variables = Variables::new();
    if let Some(variable) = variable {
        variables.insert("CONTAINERPILOT".to_owned(), variable.to_owned());
    }
    ConfigPlace::find(flag.map(OsStr::new), &variables)
}

#[test]
fn the_flag_comes_first_then_the_variable_then_the_default() {
    assert_eq!(find(Some("/f"), Some("/v")), file("/f"));
    assert_eq!(find(None, Some("/v")), file("/v"));
    assert_eq!(find(Some(""), Some("/v")), file("/v"));
    assert_eq!(find(None, None), file(DEFAULT_CONFIG));
    assert_eq!(find(None, Some("")), file(DEFAULT_CONFIG));
}

#[test]
fn a_place_may_be_a_url_or_the_text_itself() {
    assert_eq!(find(Some("file:///a/b"), None), file("/a/b"));
    assert_eq!(find(None, Some("file://b")), file("b"));
    let text = " \n{ consul: \"x\" }";
    assert_eq!(find(None, Some(text)), ConfigPlace::Inline(text.to_owned()));
    assert_eq!(find(None, Some(text)).read().unwrap(), text);
    // The text may hold secrets.
    assert_eq!(find(None, Some(text)).to_string(), "(inline)");
    assert_eq!(file("/a").to_string(), "/a");
}

#[test]
fn what_cannot_be_read_is_said() {
    let error = file("/nonexistent/x").read().unwrap_err().to_string();
    let expected =
        "cannot read the configuration `/nonexistent/x`: No such file or directory (os error 2)";
    assert_eq!(error, expected);
    let directory = tempfile::tempdir().unwrap();
    let binary = directory.path().join("binary");
    std::fs::write(&binary, b"\xff\xfe").unwrap();
    let error = ConfigPlace::File(binary).read().unwrap_err();
    assert!(matches!(error, ReadError::NotText { .. }), "{error}");
    let place = ConfigPlace::File(directory.path().to_owned());
    assert!(matches!(place.read(), Err(ReadError::File { .. })));
}

#[test]
fn a_device_without_end_is_refused() {
    let error = ConfigPlace::File(Path::new("/dev/zero").to_owned()).read();
    assert!(matches!(error, Err(ReadError::TooLarge { .. })));
}
