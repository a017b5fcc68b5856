//! The compatible APIs as types: exact field names, exact order, one file per endpoint. [`hub`] pays
//! out, [`cpay`] charges billing keys.
//!
//! A call comes in as bytes. [`json::Fields`] reads the object, the endpoint's `parse` checks the
//! form of its fields in the order of the documents' tables (decision H6a), and the endpoint's
//! `Response`, a [`hub::refusal::RefusalBody`] or a [`cpay::failure::Failure`] is what goes out.
//! [`ident::IdCodec`] turns the numbers of the inside into the identifiers of the wire and back.
//!
//! **Architecture Invariant:** this crate depends on the domain and on no other crate of the
//! workspace. It knows no HTTP, does no I/O and holds no SQL: bytes and rows come in, bytes and
//! values go out.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod base36;
pub mod bulk;
pub mod cpay;
pub mod hub;
pub mod ident;
pub mod json;
