//! Compares an answer with an official sample.

use serde_json::Value;

/// What is known to differ from a sample.
#[derive(Default)]
pub struct But<'a> {
    /// Keys that stand in ours only.
    pub ours: &'a [&'a str],
    /// Keys whose sample value is contradicted, or is a description.
    pub values: &'a [&'a str],
}

/// Ours has exactly the sample's keys, in its order, and its values. A number of a sample is a string
/// of ours: the newest documents say so of every value.
pub fn same(ours: &impl serde::Serialize, sample: &str, but: But<'_>) {
    let ours: Value = serde_json::from_str(&serde_json::to_string(ours).unwrap()).unwrap();
    let sample: Value = serde_json::from_str(sample).unwrap();
    let (ours, sample) = (ours.as_object().unwrap(), sample.as_object().unwrap());
    let added = |key: &&String| but.ours.contains(&key.as_str());
    assert_eq!(ours.keys().filter(added).count(), but.ours.len(), "{:?}", but.ours);
    let keys: Vec<&String> = ours.keys().filter(|key| !added(key)).collect();
    assert_eq!(keys, sample.keys().collect::<Vec<_>>());
    for (key, value) in sample {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let differs = ours[key] != Value::String(text);
        assert_eq!(differs, but.values.contains(&key.as_str()), "{key}: {}", ours[key]);
    }
    assert!(ours.values().all(Value::is_string), "every value is a string");
}

/// Ours has every key of an older sample, whose order the newest one contradicts, and its values but for
/// those of `values`.
pub fn has_all(ours: &Value, sample: &str, values: &[&str]) {
    let sample: Value = serde_json::from_str(sample).unwrap();
    for (key, value) in sample.as_object().unwrap() {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let ours = ours[key].as_str().unwrap_or_else(|| panic!("{key} is missing"));
        assert_eq!(ours != text, values.contains(&key.as_str()), "{key}: {ours}");
    }
}
