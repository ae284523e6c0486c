//! The C interface of rdstoken: conversion and ownership over the core, no decisions.
//!
//! What is written here is what stands in `include/rdstoken.h`, which is made from these
//! documentation comments (`make header`). The conventions stand at the head of that file, from
//! `cbindgen.toml`.

#![expect(
    non_camel_case_types,
    reason = "these are the types' names in C, and cbindgen takes them from here"
)]
#![expect(
    clippy::doc_markdown,
    reason = "the comments become the C header, where names of C stand without backticks"
)]

mod boundary;
mod connection;
mod credentials;
mod error;
mod log;
mod presign;
mod signer;
mod status;
mod token;
mod version;

pub use connection::{
    rdstoken_check_length, rdstoken_connection_options, rdstoken_connection_string,
    rdstoken_connection_string_free, rdstoken_connection_string_length,
    rdstoken_connection_string_value, rdstoken_signer_connection_string,
};
pub use credentials::{
    rdstoken_credentials, rdstoken_credentials_free, rdstoken_credentials_new_static,
    rdstoken_credentials_new_temporary,
};
pub use error::{
    rdstoken_error, rdstoken_error_field, rdstoken_error_free, rdstoken_error_message,
    rdstoken_error_status,
};
pub use log::{rdstoken_log_callback, rdstoken_log_level, rdstoken_log_set_callback};
pub use presign::{rdstoken_presign, rdstoken_presign_options};
pub use signer::{
    RDSTOKEN_ZERO_SECONDS, rdstoken_credentials_callback, rdstoken_signer,
    rdstoken_signer_copy_token, rdstoken_signer_free, rdstoken_signer_invalidate,
    rdstoken_signer_invalidate_credentials, rdstoken_signer_new, rdstoken_signer_options,
    rdstoken_signer_refused, rdstoken_signer_stats, rdstoken_signer_token, rdstoken_stats,
};
pub use status::{rdstoken_status, rdstoken_status_name};
pub use token::{
    rdstoken_token, rdstoken_token_expires_at, rdstoken_token_free, rdstoken_token_length,
    rdstoken_token_value,
};
pub use version::rdstoken_version;
