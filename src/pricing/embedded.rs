//! The books of `pricing/`, embedded in the binary: one entry for each file.

/// Regions and the texts of their books.
pub(super) const BOOKS: &[(&str, &str)] = &[
    ("af-south-1", include_str!("../../pricing/af-south-1.toml")),
    ("ap-east-1", include_str!("../../pricing/ap-east-1.toml")),
    ("ap-east-2", include_str!("../../pricing/ap-east-2.toml")),
    (
        "ap-northeast-1",
        include_str!("../../pricing/ap-northeast-1.toml"),
    ),
    (
        "ap-northeast-2",
        include_str!("../../pricing/ap-northeast-2.toml"),
    ),
    (
        "ap-northeast-3",
        include_str!("../../pricing/ap-northeast-3.toml"),
    ),
    ("ap-south-1", include_str!("../../pricing/ap-south-1.toml")),
    ("ap-south-2", include_str!("../../pricing/ap-south-2.toml")),
    (
        "ap-southeast-1",
        include_str!("../../pricing/ap-southeast-1.toml"),
    ),
    (
        "ap-southeast-2",
        include_str!("../../pricing/ap-southeast-2.toml"),
    ),
    (
        "ap-southeast-3",
        include_str!("../../pricing/ap-southeast-3.toml"),
    ),
    (
        "ap-southeast-4",
        include_str!("../../pricing/ap-southeast-4.toml"),
    ),
    (
        "ap-southeast-5",
        include_str!("../../pricing/ap-southeast-5.toml"),
    ),
    (
        "ap-southeast-6",
        include_str!("../../pricing/ap-southeast-6.toml"),
    ),
    (
        "ap-southeast-7",
        include_str!("../../pricing/ap-southeast-7.toml"),
    ),
    (
        "ca-central-1",
        include_str!("../../pricing/ca-central-1.toml"),
    ),
    ("ca-west-1", include_str!("../../pricing/ca-west-1.toml")),
    (
        "eu-central-1",
        include_str!("../../pricing/eu-central-1.toml"),
    ),
    (
        "eu-central-2",
        include_str!("../../pricing/eu-central-2.toml"),
    ),
    ("eu-north-1", include_str!("../../pricing/eu-north-1.toml")),
    ("eu-south-1", include_str!("../../pricing/eu-south-1.toml")),
    ("eu-south-2", include_str!("../../pricing/eu-south-2.toml")),
    ("eu-west-1", include_str!("../../pricing/eu-west-1.toml")),
    ("eu-west-2", include_str!("../../pricing/eu-west-2.toml")),
    ("eu-west-3", include_str!("../../pricing/eu-west-3.toml")),
    ("global", include_str!("../../pricing/global.toml")),
    (
        "il-central-1",
        include_str!("../../pricing/il-central-1.toml"),
    ),
    (
        "me-central-1",
        include_str!("../../pricing/me-central-1.toml"),
    ),
    ("me-south-1", include_str!("../../pricing/me-south-1.toml")),
    (
        "mx-central-1",
        include_str!("../../pricing/mx-central-1.toml"),
    ),
    ("sa-east-1", include_str!("../../pricing/sa-east-1.toml")),
    ("us-east-1", include_str!("../../pricing/us-east-1.toml")),
    ("us-east-2", include_str!("../../pricing/us-east-2.toml")),
    (
        "us-gov-east-1",
        include_str!("../../pricing/us-gov-east-1.toml"),
    ),
    (
        "us-gov-west-1",
        include_str!("../../pricing/us-gov-west-1.toml"),
    ),
    ("us-west-1", include_str!("../../pricing/us-west-1.toml")),
    ("us-west-2", include_str!("../../pricing/us-west-2.toml")),
];

/// Where prices come from: the key of each source and its description.
pub(super) const SOURCES: &str = include_str!("../../pricing/sources.toml");
