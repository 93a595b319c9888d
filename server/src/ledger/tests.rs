//! The ledger on a real database: exactly once, never negative, no secret at rest.

use std::time::Duration;

use embedenv_shared::id::{Role, RoomId};
use sqlx::Row as _;

use super::*;

/// Where a ledger is: a folder of its own, and with PostgreSQL a database of its own.
struct Place {
    folder: tempfile::TempDir,
    database: Option<SecretUrl>,
}

impl Place {
    fn sqlite() -> Option<Self> {
        Some(Self { folder: tempfile::tempdir().unwrap(), database: None })
    }

    /// On the server that `EMBEDENV_TEST_POSTGRES` names; without one there is nothing to test, unless it is CI's duty to
    /// have one.
    fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var("EMBEDENV_TEST_POSTGRES") else {
            assert!(std::env::var_os("EMBEDENV_CI").is_none(), "there is no PostgreSQL");
            println!("SKIPPED: there is no PostgreSQL; name a server in EMBEDENV_TEST_POSTGRES");
            return None;
        };
        let url = format!("{server}/ledger_{}", keys::random::<12>().replace('-', "_").to_lowercase());
        Some(Self { folder: tempfile::tempdir().unwrap(), database: SecretUrl::postgres(&url) })
    }

    async fn open(&self) -> Ledger {
        Ledger::open(self.folder.path(), self.database.as_ref()).await.unwrap()
    }
}

/// Every case on both databases.
macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")] async fn $case() {
                if let Some(place) = super::Place::sqlite() { super::$case(place).await }
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")] async fn $case() {
                if let Some(place) = super::Place::postgres() { super::$case(place).await }
            })+
        }
    };
}

on_both!(
    d7_one_idempotency_key_used_a_hundred_times_charges_once,
    d8_two_hundred_spenders_on_a_hundred_credits_get_exactly_a_hundred,
    a_refund_is_given_once_and_everything_survives_reopening,
    wrong_unknown_and_revoked_pairs_are_refused_alike,
    join_keys_open_their_room_until_they_are_revoked_or_it_ends,
    a_link_is_good_as_often_and_as_long_as_it_says_and_racing_for_it_gains_nothing,
    a_room_has_so_many_living_links,
    a11_no_secret_is_at_rest_or_in_debug_output,
    a_database_of_the_first_versions_goes_on_with_its_pairs_credits_and_rooms,
    a_token_is_good_once_and_for_what_it_is,
    racing_for_the_last_pair_of_an_account_gains_nothing,
    rooms_are_opened_and_given_back_beside_each_other,
);

mod money;

fn room(n: u8) -> RoomId {
    RoomId([n; 10])
}

fn new_room(payer: &Payer, n: u8, idempotency: Option<&str>, space: &str) -> NewRoom {
    let idempotency = idempotency.map(|key| IdempotencyKey { key: key.to_owned(), fingerprint: space.to_owned() });
    NewRoom {
        payer: payer.clone(),
        room: room(n),
        space: space.to_owned(),
        idempotency,
        sandbox: None,
        visit: None,
        ends_at: None,
        metadata: "{}".to_owned(),
    }
}

async fn d7_one_idempotency_key_used_a_hundred_times_charges_once(place: Place) {
    let ledger = place.open().await;
    let pair = ledger.create_key("k", 10).await.unwrap();
    let key = ledger.authenticate(&pair.public_key, &pair.secret_key).await.unwrap();
    let tries: Vec<_> = (0..100)
        .map(|n| {
            let (ledger, new) = (ledger.clone(), new_room(&key, n, Some("same"), "default"));
            async move { ledger.open_room(new).await.unwrap() }
        })
        .collect();
    let outcomes = futures_util::future::join_all(tries).await;
    let new: Vec<_> = outcomes.iter().filter(|outcome| matches!(outcome, OpenOutcome::New { remaining: 9 })).collect();
    assert_eq!(new.len(), 1);
    let again = outcomes.iter().filter(|outcome| matches!(outcome, OpenOutcome::Again { remaining: 9, .. })).count();
    assert_eq!(again, 99);
    assert_eq!(ledger.balance(&pair.public_key).await.unwrap(), 9);
    assert_eq!(ledger.rooms().await.unwrap().len(), 1);
    let other = ledger.open_room(new_room(&key, 200, Some("same"), "other")).await.unwrap();
    assert_eq!(other, OpenOutcome::Conflict);
}

async fn d8_two_hundred_spenders_on_a_hundred_credits_get_exactly_a_hundred(place: Place) {
    let ledger = place.open().await;
    let pair = ledger.create_key("k", 100).await.unwrap();
    let key = ledger.authenticate(&pair.public_key, &pair.secret_key).await.unwrap();
    let tries: Vec<_> = (0..200)
        .map(|n| {
            let (ledger, new) = (ledger.clone(), new_room(&key, n, None, "default"));
            async move { ledger.open_room(new).await.unwrap() }
        })
        .collect();
    let outcomes = futures_util::future::join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, OpenOutcome::New { .. })).count(), 100);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == OpenOutcome::NoCredits).count(), 100);
    assert_eq!(ledger.balance(&pair.public_key).await.unwrap(), 0);
    assert_eq!(ledger.rooms().await.unwrap().len(), 100);
}

async fn a_refund_is_given_once_and_everything_survives_reopening(place: Place) {
    let ledger = place.open().await;
    let pair = ledger.create_key("k", 3).await.unwrap();
    let key = ledger.authenticate(&pair.public_key, &pair.secret_key).await.unwrap();
    for n in 0..2 {
        ledger.open_room(new_room(&key, n, None, "default")).await.unwrap();
    }
    ledger.refund_room(room(0)).await.unwrap();
    ledger.refund_room(room(0)).await.unwrap();
    ledger.set_sandbox(room(1), Some("{}"), 7).await.unwrap();
    ledger.close().await;
    drop(ledger);
    let ledger = place.open().await;
    assert_eq!(ledger.balance(&pair.public_key).await.unwrap(), 2);
    let rooms = ledger.rooms().await.unwrap();
    assert_eq!(rooms.len(), 1);
    assert_eq!((rooms[0].room, rooms[0].sandbox.as_deref(), rooms[0].epoch), (room(1), Some("{}"), 7));
    assert!(ledger.authenticate(&pair.public_key, &pair.secret_key).await.is_ok());
}

async fn wrong_unknown_and_revoked_pairs_are_refused_alike(place: Place) {
    let ledger = place.open().await;
    let pair = ledger.create_key("k", 1).await.unwrap();
    let refused = |result: Result<Payer, LedgerError>| matches!(result, Err(LedgerError::BadCredentials));
    assert!(refused(ledger.authenticate(&pair.public_key, "sk_wrong").await));
    assert!(refused(ledger.authenticate("pk_unknown", &pair.secret_key).await));
    // What one database can't be asked about is a client's mistake, and no name.
    let asked = ledger.rooms_of("a\0", "b\0", 1, None).await.map_err(failed);
    assert!(asked.is_ok_and(|rooms| rooms.is_empty()) || place.database.is_some());
    if place.database.is_some() {
        let code = ledger.rooms_of("a\0", "", 1, None).await.map_err(failed).unwrap_err().code;
        assert_eq!(code, embedenv_shared::code::ErrorCode::BadRequest);
    }
    for bad in ["", " ", "a\0b", "a\nb", &"x".repeat(101)] {
        assert!(matches!(ledger.create_key(bad, 1).await, Err(LedgerError::Name { .. })), "{bad:?}");
    }
    ledger.revoke_key(None, Actor::CommandLine, &pair.public_key).await.unwrap();
    assert!(refused(ledger.authenticate(&pair.public_key, &pair.secret_key).await));
}

async fn join_keys_open_their_room_until_they_are_revoked_or_it_ends(place: Place) {
    let ledger = place.open().await;
    let pair = ledger.create_key("k", 1).await.unwrap();
    let key = ledger.authenticate(&pair.public_key, &pair.secret_key).await.unwrap();
    ledger.open_room(new_room(&key, 1, None, "default")).await.unwrap();
    let editor = ledger.join_keys().mint(room(1), EDITOR_KEY, Role::Editor);
    assert_eq!(ledger.check_join_key(&editor).await.unwrap().role, Role::Editor);
    let made = ledger.mint_join_key(room(1), NewJoinKey::of(Role::Viewer)).await.unwrap();
    let viewer = ledger.join_keys().mint(room(1), made.number, Role::Viewer);
    let claim = ledger.check_join_key(&viewer).await.unwrap();
    assert_eq!(claim.role, Role::Viewer);

    // One changed character anywhere makes it worthless.
    for at in 3..viewer.len() {
        let mut forged = viewer.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        assert!(forged == viewer || ledger.check_join_key(&forged).await.is_err(), "{at}");
    }
    ledger.revoke_join_key(room(1), claim.number).await.unwrap();
    assert!(ledger.check_join_key(&viewer).await.is_err());
    ledger.end_room(room(1)).await.unwrap();
    assert!(ledger.check_join_key(&editor).await.is_err());
}

async fn a_link_is_good_as_often_and_as_long_as_it_says_and_racing_for_it_gains_nothing(place: Place) {
    let ledger = place.open().await;
    let pair = ledger.create_key("k", 1).await.unwrap();
    let key = ledger.authenticate(&pair.public_key, &pair.secret_key).await.unwrap();
    ledger.open_room(new_room(&key, 1, None, "default")).await.unwrap();
    let new = NewJoinKey { uses: Some(10), created_by: Some("Ada".into()), ..NewJoinKey::of(Role::Viewer) };
    let ten = ledger.mint_join_key(room(1), new).await.unwrap();
    let coming = (0..50).map(|_| {
        let ledger = ledger.clone();
        async move { ledger.use_join_key(room(1), ten.number).await.is_ok() }
    });
    let came = futures_util::future::join_all(coming).await.into_iter().filter(|came| *came).count();
    assert_eq!(came, 10);

    let lasts = |lasts| NewJoinKey { lasts: Some(lasts), ..NewJoinKey::of(Role::Editor) };
    let over = ledger.mint_join_key(room(1), lasts(Duration::ZERO)).await.unwrap();
    let good = ledger.mint_join_key(room(1), lasts(Duration::from_secs(3600))).await.unwrap();
    assert!(matches!(ledger.use_join_key(room(1), over.number).await, Err(LedgerError::UnknownJoinKey)));
    ledger.use_join_key(room(1), good.number).await.unwrap();
    ledger.revoke_join_key(room(1), good.number).await.unwrap();
    assert!(ledger.use_join_key(room(1), good.number).await.is_err());
    assert!(ledger.use_join_key(room(1), 99).await.is_err() && ledger.use_join_key(room(2), ten.number).await.is_err());

    let rows = ledger.join_keys_of(room(1)).await.unwrap();
    let seen: Vec<_> = rows.iter().map(|row| (row.number, row.used, row.is_good(), row.revoked.is_some())).collect();
    assert_eq!(seen, [(2, 10, false, false), (3, 0, false, false), (4, 1, false, true)]);
    assert_eq!((rows[0].created_by.as_deref(), rows[0].uses), (Some("Ada"), Some(10)));
}

async fn a_room_has_so_many_living_links(place: Place) {
    let ledger = place.open().await;
    let pair = ledger.create_key("k", 1).await.unwrap();
    let key = ledger.authenticate(&pair.public_key, &pair.secret_key).await.unwrap();
    ledger.open_room(new_room(&key, 1, None, "default")).await.unwrap();
    let made = async || ledger.mint_join_key(room(1), NewJoinKey::of(Role::Viewer)).await;
    // With the two that every room has.
    for _ in 0..254 {
        made().await.unwrap();
    }
    assert!(matches!(made().await, Err(LedgerError::TooManyJoinKeys)));
    ledger.revoke_join_key(room(1), 7).await.unwrap();
    made().await.unwrap();
}

async fn a11_no_secret_is_at_rest_or_in_debug_output(place: Place) {
    let ledger = place.open().await;
    let pair = ledger.create_key("k", 1).await.unwrap();
    let key = ledger.authenticate(&pair.public_key, &pair.secret_key).await.unwrap();
    ledger.open_room(new_room(&key, 1, None, "default")).await.unwrap();
    let join = ledger.join_keys().mint(room(1), EDITOR_KEY, Role::Editor);
    let session = ledger.begin_session(key.account(), "browser").await.unwrap();
    let token = ledger.mint_token(Purpose::Reset, &Token::default()).await.unwrap();
    let (_, signs) = ledger.create_webhook(key.account(), "https://a.example/", &[]).await.unwrap();
    let signs = crate::webhooks::shown(&signs);
    let rotated = ledger.rotate_pair(key.account(), Actor::CommandLine, &pair.public_key, 1000).await.unwrap();
    let secrets = [pair.secret_key.clone(), rotated.secret_key, join, session.token.clone(), token, signs];
    let printed = format!("{pair:?} {ledger:?} {session:?}");
    assert!(secrets.iter().all(|secret| !printed.contains(secret)));
    let mut dump = dump(&ledger).await;
    assert!(dump.contains(&pair.public_key) && dump.contains("key.rotated"));
    ledger.close().await;
    for entry in std::fs::read_dir(place.folder.path()).unwrap() {
        dump.push_str(&String::from_utf8_lossy(&std::fs::read(entry.unwrap().path()).unwrap()));
    }
    assert!(secrets.iter().all(|secret| !dump.contains(secret)));
}

/// Every text in the database.
async fn dump(ledger: &Ledger) -> String {
    let mut dump = String::new();
    for table in [
        "accounts",
        "audit",
        "credits",
        "deliveries",
        "expiring",
        "idempotency_keys",
        "join_keys",
        "key_pairs",
        "payments",
        "rooms",
        "sessions",
        "tokens",
        "webhooks",
        "widgets",
    ] {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT * FROM {table}")));
        for row in rows.fetch_all(&ledger.store.readers).await.unwrap() {
            for column in 0..row.columns().len() {
                dump.push_str(row.try_get::<Option<String>, _>(column).ok().flatten().as_deref().unwrap_or_default());
                dump.push(' ');
            }
        }
    }
    dump
}

async fn a_database_of_the_first_versions_goes_on_with_its_pairs_credits_and_rooms(place: Place) {
    let store = store::Store::open_at(&place.folder.path().join("embedenv.db"), place.database.as_ref(), Some(5)).await;
    let store = store.unwrap();
    let kept = room(3).to_string();
    for statement in [
        "INSERT INTO key_pairs (public_key, name, secret_hash, balance, created) VALUES ('pk_old', 'Old', 'hash', 7, 1)",
        "INSERT INTO rooms (room, public_key, space, created, last_used, epoch) VALUES ('ROOM', 'pk_old', 'default', 1, 1, 0)",
        "INSERT INTO credits (entry, public_key, kind, amount, balance_after, created) VALUES ('e1', 'pk_old', 'grant', 8, 8, 1)",
        "INSERT INTO credits (entry, public_key, kind, amount, balance_after, room, created) \
         VALUES ('e2', 'pk_old', 'charge', -1, 7, 'ROOM', 2)",
        "INSERT INTO widgets (widget, public_key, name, origins, space, per_hour, per_address, created) \
         VALUES ('w_old', 'pk_old', 'W', '[\"https://a.org\"]', 'default', 1, 1, 1)",
    ] {
        let statement = statement.replace("ROOM", &kept);
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&store.writer).await.unwrap();
    }
    store.close().await;
    let ledger = place.open().await;
    let keys = ledger.keys().await.unwrap();
    assert_eq!((keys[0].account.as_str(), keys[0].credits, keys[0].spent), ("a_old", 7, 1));
    assert_eq!(ledger.balance("pk_old").await.unwrap(), 7);
    let lines = ledger.credits("a_old", None, 10).await.unwrap();
    let seen: Vec<_> = lines.iter().map(|line| (line.kind.as_str(), line.amount, line.public_key.as_deref())).collect();
    assert_eq!(seen, [("charge", -1, Some("pk_old")), ("grant", 8, Some("pk_old"))]);
    assert_eq!(ledger.rooms_of("a_old", "", 10, None).await.unwrap().len(), 1);
    assert_eq!(ledger.widgets(Some("a_old")).await.unwrap().len(), 1);
    let day = sqlx::query("SELECT day, public_key, rooms, spent, granted FROM usage_days WHERE public_key <> ''");
    let day = day.fetch_one(&ledger.store.readers).await.unwrap();
    let counts: Vec<i64> = [0, 2, 3, 4].map(|column| day.get(column)).into();
    assert_eq!((day.get::<String, _>(1).as_str(), counts), ("pk_old", vec![0, 1, 1, 8]));
    let payer = ledger.payer("pk_old").await.unwrap();
    assert_eq!(
        ledger.open_room(new_room(&payer, 9, None, "default")).await.unwrap(),
        OpenOutcome::New { remaining: 6 }
    );
}

async fn a_token_is_good_once_and_for_what_it_is(place: Place) {
    let ledger = place.open().await;
    let new = NewAccount {
        name: "Ada".into(),
        email: "ada@example.org".into(),
        password_hash: "hash".into(),
        role: AccountRole::Member,
        credits: 3,
    };
    let token = Token { email: Some("ada@example.org".into()), ..Token::default() };
    let first = ledger.mint_token(Purpose::SignUp, &token).await.unwrap();
    let second = ledger.mint_token(Purpose::SignUp, &token).await.unwrap();
    // A second one takes the place of the first, and neither is good for something else.
    assert!(matches!(ledger.token(Purpose::SignUp, &first).await, Err(LedgerError::UnknownToken)));
    assert!(ledger.token(Purpose::Reset, &second).await.is_err());
    assert_eq!(ledger.token(Purpose::SignUp, &second).await.unwrap(), token);
    let made = (0..20).map(|_| ledger.create_account(&new, Some((Purpose::SignUp, &second))));
    let made = futures_util::future::join_all(made).await;
    let accounts: Vec<_> = made.into_iter().filter_map(|made| made.ok().flatten()).collect();
    assert_eq!(accounts.len(), 1);
    assert_eq!((accounts[0].balance, accounts[0].email.as_deref()), (3, Some("ada@example.org")));
    assert_eq!(ledger.login("ada@example.org").await.unwrap().unwrap().password_hash.as_deref(), Some("hash"));
    // The address is taken, also with a token that is good.
    let third = ledger.mint_token(Purpose::SignUp, &token).await.unwrap();
    assert_eq!(ledger.create_account(&new, Some((Purpose::SignUp, &third))).await.unwrap(), None);
}

async fn racing_for_the_last_pair_of_an_account_gains_nothing(place: Place) {
    let ledger = place.open().await;
    let pair = ledger.create_key("k", 1).await.unwrap();
    let account = ledger.account_of(&pair.public_key).await.unwrap();
    let settings = PairSettings { name: "more".into(), ..PairSettings::default() };
    let racing = (0..110).map(|_| ledger.create_pair(&account, Actor::CommandLine, &settings));
    let made = futures_util::future::join_all(racing).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 99);
    assert!(made.iter().all(|made| matches!(made, Ok(_) | Err(LedgerError::TooManyKeys { .. }))));
}

async fn rooms_are_opened_and_given_back_beside_each_other(place: Place) {
    let ledger = place.open().await;
    let pair = ledger.create_key("k", 200).await.unwrap();
    let key = ledger.authenticate(&pair.public_key, &pair.secret_key).await.unwrap();
    for n in 0..100 {
        ledger.open_room(new_room(&key, n, None, "default")).await.unwrap();
    }
    let given_back = futures_util::future::join_all((0..100).map(|n| ledger.refund_room(room(n))));
    let opened =
        futures_util::future::join_all((100..200).map(|n| ledger.open_room(new_room(&key, n, None, "default"))));
    let (given_back, opened) = tokio::join!(given_back, opened);
    assert!(given_back.iter().all(Result::is_ok) && opened.iter().all(Result::is_ok), "{given_back:?} {opened:?}");
    assert_eq!(ledger.balance(&pair.public_key).await.unwrap(), 100);
    assert_eq!(ledger.keys().await.unwrap()[0].spent, 100);
}
