//! Serialisers that serde cannot derive. Plans and explanations are written, not read: evidence travels in snapshots.

use serde::{Serialize, Serializer};

use crate::destination::Destination;
use crate::plan::Plan;

/// As the `as` of a preload spells it.
impl Serialize for Destination {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The candidates in order of need.
impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.candidates())
    }
}

#[cfg(test)]
mod tests {

    use serde_json::json;

    use crate::asset::Freshness;
    use crate::candidate::Candidate;
    use crate::destination::Destination;
    use crate::explain::Knowledge;
    use crate::plan::Plan;
    use crate::verdict::Verdict;

    #[test]
    fn names_are_those_of_fetch_or_snake_case() {
        let candidate = Candidate {
            path: "/a.woff2".into(),
            destination: Destination::Font,
            cors: true,
            bytes: 5,
            validator: 0,
            freshness: Freshness::Immutable,
            probability: 0.5,
            lower_bound: 0.25,
            urgency: None,
        };
        let written = json!({
            "path": "/a.woff2", "destination": "font", "cors": true, "bytes": 5, "validator": 0,
            "freshness": "immutable", "probability": 0.5, "lower_bound": 0.25, "urgency": null,
        });
        assert_eq!(serde_json::to_value(candidate).unwrap(), written);
        assert_eq!(serde_json::to_value(Verdict::BelowThreshold).unwrap(), json!("below_threshold"));
        let few = Knowledge::FewVisits { visits: 1, needed: 2 };
        assert_eq!(serde_json::to_value(few).unwrap(), json!({"few_visits": {"visits": 1, "needed": 2}}));
        assert_eq!(serde_json::to_value(Plan::default()).unwrap(), json!([]));
    }
}
