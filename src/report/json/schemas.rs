//! JSON Schemas of the results, made of the types that are written.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// A result of one design, or a list of several.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum OneOrSeveral<T> {
    One(T),
    Several(Vec<T>),
}

/// The schema of what is written of a type.
fn schema<T: JsonSchema>() -> schemars::Schema {
    let generator = SchemaSettings::default().for_serialize().into_generator();
    generator.into_root_schema_for::<T>()
}

/// The schemas of the results by the names of their formats, such as `estimate`.
pub fn output_schemas() -> Vec<(&'static str, Value)> {
    let all = [
        ("estimate", schema::<EstimateResult>()),
        (
            "compare",
            schema::<OneOrSeveral<super::compare::Compared>>(),
        ),
        (
            "explain",
            schema::<OneOrSeveral<super::explain::Explained>>(),
        ),
        ("diff", schema::<super::diff::DiffJson>()),
        ("check", schema::<super::check::CheckRow>()),
        ("headroom", schema::<super::headroom::HeadroomJson>()),
        (
            "forecast",
            schema::<crate::report::forecast::ForecastJson>(),
        ),
        ("fleet", schema::<crate::report::fleet::FleetJson>()),
        ("prices", schema::<crate::report::prices::Prices>()),
        #[cfg(feature = "bills")]
        ("reconcile", schema::<super::reconcile::ReconcileJson>()),
        #[cfg(feature = "replay")]
        ("replay", schema::<super::replay::Replay>()),
        #[cfg(all(feature = "aws", feature = "replay"))]
        ("drive", schema::<crate::report::drive::DrivenJson>()),
    ];
    let titled = |(name, schema): (&'static str, schemars::Schema)| {
        let mut schema = schema.to_value();
        if let Some(object) = schema.as_object_mut() {
            object.insert("title".into(), format!("dynameter {name}").into());
        }
        (name, schema)
    };
    all.into_iter().map(titled).collect()
}

/// The estimate of one design; or those of several, each as it is for one design, and last what they
/// leave of the account's commitments.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum EstimateResult<'a> {
    One(Box<super::Estimate<'a>>),
    Several(Vec<super::Element<'a>>),
}
