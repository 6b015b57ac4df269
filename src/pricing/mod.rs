//! Price books and bills: exactly one rate for a region, a code and a date, or a reason why there
//! is none.

mod bill;
mod book;
mod commitments;
mod diff;
mod embedded;
mod offer;
mod sources;
mod update;

pub use bill::{Bill, Bound, LineItem, Unknown, is_tiered, price};
pub use book::{BookError, Books, MissingRate, PriceBook, PublishedRate, Tier};
pub use commitments::{ReservedTerms, SavingsPlan};
pub use diff::{ChangedRate, changed_rates};
pub use offer::{
    ANOTHER_SERVICE, OfferError, OfferedRate, PriceListFile, UnknownProduct, read_offer,
};
pub use sources::sources_of;
pub use update::{BookUpdate, update};
