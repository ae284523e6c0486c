//! RFC 3986 percent-encoding as `SigV4` wants it: unreserved characters stay, all else is `%XX`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

pub(crate) fn encode_into(buffer: &mut String, text: &str) {
    buffer.extend(utf8_percent_encode(text, RESERVED));
}

/// The decoded text, or `None` unless `text` is exactly what [`encode_into`] makes of it.
pub(crate) fn decode_strictly(text: &str) -> Option<String> {
    let decoded = percent_decode_str(text).decode_utf8().ok()?.into_owned();
    let mut again = utf8_percent_encode(&decoded, RESERVED).flat_map(str::bytes);
    again.by_ref().eq(text.bytes()).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str) -> String {
        let mut buffer = String::new();
        encode_into(&mut buffer, text);
        buffer
    }

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(encoded("AZaz09-._~"), "AZaz09-._~");
        assert_eq!(encoded("a b+c/%é*'"), "a%20b%2Bc%2F%25%C3%A9%2A%27");
    }

    #[test]
    fn decoding_accepts_only_the_one_spelling() {
        assert_eq!(decode_strictly("a%2Fb").as_deref(), Some("a/b"));
        for other in ["a%2fb", "a/b", "%61", "a+b", "a%2", "a%FF", "%C3"] {
            assert_eq!(decode_strictly(other), None, "{other}");
        }
    }
}
