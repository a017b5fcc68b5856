//! What reading costs: a body, a request, a row of a bulk call, and identifiers both ways.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ichae_domain::ident::PartnerNo;
use ichae_domain::notice::Outcome;
use ichae_wire::ident::{IdCodec, Kind};
use ichae_wire::json::Fields;
use ichae_wire::{bulk, hub::request};
use std::hint::black_box;

const BODY: &str = r#"{"cst_id":"test","custKey":"abcd1234567890","sub_id":"test12385610","distinct_key":"settlement-20261124-000001","billing_tran_id":"16j4vkf4-8tue-9x2b-q7pl-0mzw3c","tran_amt":"1000","print_content":"정산테스트"}"#;
const ROW: &str = r#"{"distinct_key":"settlement-20261124-000001","billing_tran_id":"16j4vkf4-8tue-9x2b-q7pl-0mzw3c","tran_amt":"1000","print_content":"정산"}"#;
const PARTNER: PartnerNo = PartnerNo(3);
const SERIAL: i64 = 123_456_789;

fn bodies(c: &mut Criterion) {
    let mut group = c.benchmark_group("body");
    group.throughput(Throughput::Bytes(BODY.len() as u64));
    group.bench_function("fields", |b| b.iter(|| Fields::parse(black_box(BODY.as_bytes()))));
    let fields = Fields::parse(BODY.as_bytes()).unwrap_or_default();
    assert!(request::parse(&fields).is_ok(), "the body is a request");
    group.bench_function("request of its fields", |b| {
        b.iter(|| request::parse(black_box(&fields)));
    });
    group.finish();
}

fn rows(c: &mut Criterion) {
    let row = |text: &str| Fields::parse(text.as_bytes()).ok().map(|fields| bulk::parse(&fields));
    assert!(row(ROW).is_some_and(|read| read.is_ok()), "the row is one");
    let mut group = c.benchmark_group("bulk row");
    group.throughput(Throughput::Bytes(ROW.len() as u64));
    group.bench_function("line to request", |b| b.iter(|| row(black_box(ROW))));
    group.finish();
}

fn identifiers(c: &mut Criterion) {
    let codec = IdCodec::new(&[7; 32], false);
    assert!(codec.is_ok(), "the codec can be set up");
    let Ok(codec) = codec else { return };
    let kinds = [
        ("billing_tran_id", Kind::BillingKey),
        ("group_key", Kind::Group),
        ("webhook-id", Kind::Notice(Outcome::Settled)),
    ];
    let mut encode = c.benchmark_group("encode");
    for (name, kind) in kinds {
        encode.bench_function(name, |b| {
            b.iter(|| codec.encode(kind, PARTNER, 0, black_box(SERIAL)));
        });
    }
    encode.finish();
    let mut decode = c.benchmark_group("decode");
    for (name, kind) in kinds {
        let text = codec.encode(kind, PARTNER, 0, SERIAL);
        assert_eq!(codec.decode(kind, PARTNER, &text), Some((0, SERIAL)));
        decode.bench_function(name, |b| b.iter(|| codec.decode(kind, PARTNER, black_box(&text))));
    }
    decode.finish();
}

criterion_group!(parsers, bodies, rows, identifiers);
criterion_main!(parsers);
