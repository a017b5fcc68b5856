//! How the API's document shows an answer that is put together from a table of fields, and a body that is
//! one of several.

use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};

/// The head, and fields that are always there or may be; all of them text.
pub(super) fn of_fields(
    about: &str,
    always: impl IntoIterator<Item = &'static str>,
    sometimes: &[&'static str],
) -> RefOr<Schema> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let head = ["PCD_PAY_RST", "PCD_PAY_CODE", "PCD_PAY_MSG"];
    let object = ObjectBuilder::new().description(Some(about));
    let object = head
        .into_iter()
        .chain(always)
        .fold(object, |object, name| object.property(name, text()).required(name));
    let object = sometimes.iter().fold(object, |object, name| object.property(*name, text()));
    RefOr::T(Schema::from(object))
}

pub(super) fn any_of<'a>(
    names: impl IntoIterator<Item = std::borrow::Cow<'a, str>>,
) -> RefOr<Schema> {
    let one = |any: AnyOfBuilder, name| any.item(Ref::from_schema_name(name));
    RefOr::T(Schema::from(names.into_iter().fold(AnyOfBuilder::new(), one)))
}

/// `answer!(Name as "ToldName": "About it.", fields always there, fields that may be there)`
macro_rules! answer {
    ($name:ident as $told:literal: $about:literal, $always:expr, $sometimes:expr) => {
        #[doc = $about]
        pub struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::cpay::schema::of_fields($about, $always, $sometimes)
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                $told.into()
            }
        }
    };
}

/// `either!(Name as "ToldName": "About it.", One, Another)`
macro_rules! either {
    ($name:ident as $told:literal: $about:literal, $($one:ty),+) => {
        #[doc = $about]
        pub struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::cpay::schema::any_of([$(<$one as utoipa::ToSchema>::name()),+])
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                $told.into()
            }

            fn schemas(
                known: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>,
            ) {
                $(
                    let name = <$one as utoipa::ToSchema>::name().into_owned();
                    known.push((name, <$one as utoipa::PartialSchema>::schema()));
                    <$one as utoipa::ToSchema>::schemas(known);
                )+
            }
        }
    };
}

pub(super) use {answer, either};
