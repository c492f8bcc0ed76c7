//! Vantage points: where they stand, how they do, and registering one.

mod act;
mod list;
mod row;
mod show;

use axum::Router;
use axum::routing::{get, post};
use csirt::directory::Region;
use csirt::vantage::{self, VantagePoint};
use metrics::Share;

use crate::{App, WebError};

/// Pages and actions below `/vantage`.
pub fn router() -> Router<App> {
    Router::new()
        .route("/vantage", get(list::list).post(act::register))
        .route("/vantage/{name}", get(show::show))
        .route("/vantage/{name}/token", post(act::renew))
        .route("/vantage/{name}/revoke", post(act::revoke))
}

/// Id of the name of a region.
pub(crate) fn region_text(region: Region) -> String {
    format!("directory-region-{}", region.as_str().to_lowercase())
}

/// A share in percent with one decimal, cut off and not rounded: 99.96 % is not all. A dash for nothing.
pub(crate) fn percent(share: Share) -> String {
    if share.all == 0 {
        return "–".to_owned();
    }
    let tenths = u128::from(share.good) * 1000 / u128::from(share.all);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// The vantage point of this name, as typed into an address.
async fn find(app: &App, name: &str) -> Result<VantagePoint, WebError> {
    let name = crate::paging::sought(name);
    vantage::by_name(&app.records, &name).await?.ok_or(WebError::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_cut_off_and_never_rounded_up_to_all() {
        for (good, all, text) in [
            (1, 1, "100.0 %"),
            (99_999, 100_000, "99.9 %"),
            (1, 3, "33.3 %"),
            (0, 7, "0.0 %"),
            (0, 0, "–"),
            (u64::MAX, u64::MAX, "100.0 %"),
        ] {
            assert_eq!(percent(Share::of(good, all)), text);
        }
    }
}
