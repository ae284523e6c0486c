//! Errors: their texts, and that they carry no more than they should.

use rdstoken::{Error, ErrorKind};

#[test]
fn the_text_names_the_field() {
    let error = Error::invalid("hostname", "expected a DNS name");
    assert_eq!(error.to_string(), "hostname: expected a DNS name");
    assert_eq!(error.detail(), "expected a DNS name");
    assert_eq!(
        (error.kind(), error.field()),
        (ErrorKind::InvalidArgument, Some("hostname"))
    );

    let error = Error::new(ErrorKind::Timeout, "too late");
    assert_eq!(error.to_string(), "too late");
    assert_eq!((error.kind(), error.field()), (ErrorKind::Timeout, None));
}

#[test]
fn codes_are_the_kinds_names() {
    for kind in ErrorKind::ALL {
        assert_eq!(kind.code(), format!("{kind:?}"));
    }
}

#[test]
fn a_panic_is_an_internal_error() {
    let error = rdstoken::guard::<()>(|| panic!("on purpose")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert_eq!(rdstoken::guard(|| Ok(1)).unwrap(), 1);
}
