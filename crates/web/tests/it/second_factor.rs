//! Setting up a second factor: a picture to scan, or a key to type.

use axum::http::StatusCode;
use csirt::accounts::Role;

use super::html;
use super::world::{Answer, World};

/// The attribute of the picture that draws its dark modules.
fn picture(page: &Answer) -> &str {
    let at = page.body.find("<svg class=\"chart qr\"").expect("there is a picture");
    page.body[at..].split("</svg>").next().unwrap()
}

#[tokio::test]
async fn the_key_is_shown_as_a_picture_and_as_text_in_every_language() {
    let world = World::empty().await;
    world.account("ada", Role::Admin, None).await;
    let ada = world.sign_in("ada").await;
    let mut pictures = Vec::new();
    for language in model::Language::ALL {
        let account = world.get_as(&format!("/account?lang={language}"), &ada).await;
        let cookie = format!("{ada}; language={language}");
        let csrf = account.field("csrf");
        let page = world.post("/account/second-factor", &cookie, &[("csrf", &csrf)]).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        html::check("/account/second-factor", &page);
        let texts = language::texts(language);
        assert!(
            picture(&page).contains(&format!("aria-label=\"{}\"", texts.get("account-factor-qr"))),
            "{language}"
        );
        assert!(page.body.contains(&texts.get("account-factor-step-secret")));
        let secret = page.field("secret");
        assert_eq!(secret.len(), 32 + 7, "groups of four, as they are typed: {secret}");
        assert!(
            page.body.contains(&format!("class=\"code\">{secret}</bdi>")),
            "{}",
            page.body
        );

        // After a slip the same picture and key are there again.
        let url = page.field("url").replace("&#38;", "&");
        let fields = [
            ("csrf", csrf.as_str()),
            ("secret", &secret),
            ("url", &url),
            ("code", "12"),
        ];
        let again = world.post("/account/second-factor/confirm", &cookie, &fields).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(picture(&again), picture(&page));
        assert_eq!(again.field("secret"), secret);
        pictures.push(picture(&page).to_owned());
    }
    pictures.sort();
    pictures.dedup();
    assert_eq!(pictures.len(), 6, "each enrolment has a key of its own");
}
