//! What a catalog is not opened for, and who may write to it.

use crate::setting::Setting;
use countersign_catalog_postgres::{
    Location, OpenPostgresError, Password, PostgresCatalog, SCHEMA, migrate, migrations_needed,
};
use countersign_store::catalog::{Asked, BlobFolder, Records as _};
use countersign_store::{ApplyError, HealthFlag};
use countersign_testkit::catalog_suite::{create, inline, one, put};
use countersign_testkit::postgres_server::{PASSWORD, ROLE, ROLE_WITH_PASSWORD};

#[tokio::test]
async fn refuses_a_database_of_another_schema_and_says_what_to_run() {
    let setting = Setting::new().await;
    let empty: Location =
        setting.server.url_by(setting.server.port(), &setting.server.new_database()).parse().unwrap();
    let open = |location: &Location| {
        let mut options = setting.options(setting.server.port());
        options.location = location.clone();
        PostgresCatalog::open(options)
    };
    let error = open(&empty).await.unwrap_err();
    assert!(matches!(error, OpenPostgresError::SchemaTooOld { found: 0, .. }), "{error}");
    assert!(error.to_string().contains(&format!("run `countersign migrate --catalog {empty}`")), "{error}");
    assert_eq!(migrations_needed(&empty, None, &setting.clock).await.unwrap().len() as i64, SCHEMA);
    // Two at once make the tables once.
    let (one, other) =
        tokio::join!(migrate(&empty, None, &setting.clock), migrate(&empty, None, &setting.clock));
    assert!(one.is_ok() || other.is_ok());
    assert_eq!(migrations_needed(&empty, None, &setting.clock).await.unwrap(), []);
    drop(open(&empty).await.unwrap());
    let later = format!("INSERT INTO schema_version(number, at) VALUES({}, 0)", SCHEMA + 1);
    setting.server.sql(&setting.database, &later).unwrap();
    let error = open(&setting.location(setting.server.port())).await.unwrap_err();
    assert!(matches!(error, OpenPostgresError::SchemaTooNew { .. }), "{error}");
    let error = migrate(&setting.location(setting.server.port()), None, &setting.clock).await.unwrap_err();
    assert!(matches!(error, OpenPostgresError::SchemaTooNew { .. }), "{error}");
}

#[tokio::test]
async fn refuses_a_server_that_forgets_unless_it_is_told_to() {
    let setting = Setting::new().await;
    let mut options = setting.options(setting.server.port());
    options.may_forget = false;
    let error = PostgresCatalog::open(options).await.unwrap_err();
    assert!(error.to_string().contains("has fsync off"), "{error}");
}

#[tokio::test]
async fn a_catalog_is_opened_for_one_data_folder_only() {
    let setting = Setting::new().await;
    let open = |id, is_new| {
        let mut options = setting.options(setting.server.port());
        options.folder = BlobFolder { id: [id; 16], is_new };
        PostgresCatalog::open(options)
    };
    let error = open(1, false).await.unwrap_err();
    assert!(matches!(error, OpenPostgresError::FolderInUse { .. }), "a new catalog, and files: {error}");
    drop(open(1, true).await.unwrap());
    drop(open(1, false).await.unwrap());
    let error = open(2, true).await.unwrap_err();
    assert!(matches!(error, OpenPostgresError::OtherFolder { .. }), "{error}");
}

/// Its process may still run, on another machine that has its folder too.
#[tokio::test]
async fn a_gateway_that_was_replaced_writes_no_more() {
    let setting = Setting::new().await;
    let mut options = setting.options(setting.server.port());
    let health = HealthFlag::default();
    options.health = health.clone();
    let first = PostgresCatalog::open(options).await.unwrap();
    one(&first, create("b")).await.unwrap();
    let second = setting.looked_at().await;
    let (asked, _) = Asked::new(put("b", b"k", inline(b"late")));
    let error = first.apply(vec![asked.into()]).await.unwrap_err();
    assert!(matches!(error, ApplyError::Unhealthy { .. }), "{error}");
    assert!(health.refusal().unwrap().contains("another gateway"));
    one(&second, put("b", b"k", inline(b"x"))).await.unwrap();
}

/// One bad value does not take the others of its batch along.
#[tokio::test]
async fn a_value_that_the_database_refuses_fails_alone() {
    let setting = Setting::new().await;
    let catalog = setting.catalog().await;
    one(&catalog, create("b")).await.unwrap();
    let long: Vec<u8> =
        (0..20_000u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    let (bad, _) = Asked::new(put("b", &long, inline(b"x")));
    let (good, answer) = Asked::new(put("b", b"k", inline(b"x")));
    let (bad, good) = tokio::join!(catalog.apply(vec![bad.into()]), catalog.apply(vec![good.into()]));
    assert!(matches!(bad, Err(ApplyError::Engine(_))), "{bad:?}");
    good.unwrap();
    answer.read().unwrap().unwrap();
}

#[tokio::test]
async fn a_password_is_given_apart_and_tls_is_verified() {
    let setting = Setting::new().await;
    let server = &setting.server;
    let location = |user: &str, host: &str, parameters: &str| -> Location {
        let (port, database) = (server.port(), &setting.database);
        format!("postgres://{user}@{host}:{port}/{database}?{parameters}").parse().unwrap()
    };
    let reach = async |location: Location, password: Option<&str>| {
        let password = password.map(|password| Password::new(password.to_owned()));
        migrations_needed(&location, password.as_ref(), &setting.clock)
            .await
            .map_err(|error| error.to_string())
    };
    let guarded = location(ROLE_WITH_PASSWORD, "127.0.0.1", "");
    reach(guarded.clone(), Some(PASSWORD)).await.unwrap();
    let refused = reach(guarded.clone(), Some("wrong")).await.unwrap_err();
    assert!(refused.contains("password authentication failed") && !refused.contains("wrong"), "{refused}");
    reach(guarded, None).await.unwrap_err();

    let authority = format!("sslmode=verify-full&sslrootcert={}", server.authority().display());
    reach(location(ROLE, "localhost", &authority), None).await.unwrap();
    let other_name = reach(location(ROLE, "127.0.0.1", &authority), None).await.unwrap_err();
    assert!(other_name.contains("certificate"), "{other_name}");
    let unknown = reach(location(ROLE, "localhost", "sslmode=verify-full"), None).await.unwrap_err();
    assert!(unknown.contains("certificate"), "{unknown}");
}
