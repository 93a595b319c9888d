//! Payments, credits that expire, minutes, and what accounts are told of it all.

use super::*;

on_both!(
    a_payment_is_granted_once_however_often_it_is_told,
    credits_that_expire_are_spent_first_and_what_is_left_of_them_goes,
    a_minute_is_charged_once_and_parts_of_credits_add_up,
    what_happens_is_told_and_tried_again_until_it_arrives,
    few_credits_are_told_once_each_time_they_get_few,
    what_a_day_comes_to_is_what_its_lines_come_to,
    a_pair_and_a_link_have_so_many_minutes,
    nothing_is_opened_or_charged_during_maintenance_but_what_was_opened_before,
);

async fn payer(ledger: &Ledger, credits: i64) -> Payer {
    let pair = ledger.create_key("k", credits).await.unwrap();
    ledger.authenticate(&pair.public_key, &pair.secret_key).await.unwrap()
}

async fn balance(ledger: &Ledger, payer: &Payer) -> i64 {
    ledger.account(payer.account()).await.unwrap().balance
}

async fn a_payment_is_granted_once_however_often_it_is_told(place: Place) {
    let ledger = place.open().await;
    let payer = payer(&ledger, 1).await;
    let paid = Payment { payment: "p1".into(), account: payer.account().into(), credits: 50, expires: None };
    let told = futures_util::future::join_all((0..20).map(|_| ledger.pay(&paid))).await;
    assert!(told.iter().all(|told| matches!(told, Ok(51))), "{told:?}");
    let other = Payment { credits: 60, ..paid.clone() };
    assert!(matches!(ledger.pay(&other).await, Err(LedgerError::OtherPayment)));
    let nobody = Payment { payment: "p2".into(), account: "a_nobody".into(), ..paid.clone() };
    assert!(matches!(ledger.pay(&nobody).await, Err(LedgerError::UnknownAccount)));
    let nothing = Payment { payment: "p3".into(), credits: 0, ..paid };
    assert!(matches!(ledger.pay(&nothing).await, Err(LedgerError::Amount { .. })));
    assert_eq!(balance(&ledger, &payer).await, 51);
    let lines = ledger.credits(payer.account(), None, 10).await.unwrap();
    assert_eq!(lines.iter().filter(|line| line.kind == "payment").count(), 1);
}

async fn credits_that_expire_are_spent_first_and_what_is_left_of_them_goes(place: Place) {
    let ledger = place.open().await;
    let payer = payer(&ledger, 10).await;
    let (soon, later) = (now() + 1500, now() + 3_600_000);
    ledger.grant_to(payer.account(), Actor::CommandLine, 2, Some(later)).await.unwrap();
    ledger.grant_to(payer.account(), Actor::CommandLine, 3, Some(soon)).await.unwrap();
    for n in 0..2 {
        ledger.open_room(new_room(&payer, n, None, "default")).await.unwrap();
    }
    assert_eq!((balance(&ledger, &payer).await, ledger.expire().await.unwrap()), (13, 0));
    let wait = u64::try_from(soon - now() + 1).unwrap_or(0);
    tokio::time::sleep(Duration::from_millis(wait)).await;
    let expired = futures_util::future::join_all((0..5).map(|_| ledger.expire())).await;
    assert_eq!(expired.into_iter().map(Result::unwrap).sum::<u64>(), 1);
    assert_eq!(balance(&ledger, &payer).await, 12);
    for n in 2..5 {
        ledger.open_room(new_room(&payer, n, None, "default")).await.unwrap();
    }
    // Two of those three were the ones of later.
    let left: i64 = sqlx::query_scalar("SELECT CAST(SUM(remaining) AS BIGINT) FROM expiring")
        .fetch_one(&ledger.store.readers)
        .await
        .unwrap();
    assert_eq!((left, balance(&ledger, &payer).await), (0, 9));
    let past = ledger.grant_to(payer.account(), Actor::CommandLine, 1, Some(now() - 1)).await;
    assert!(matches!(past, Err(LedgerError::Past)));
}

async fn a_minute_is_charged_once_and_parts_of_credits_add_up(place: Place) {
    let ledger = place.open().await;
    let payer = payer(&ledger, 2).await;
    ledger.open_room(new_room(&payer, 1, None, "default")).await.unwrap();
    for minute in 1..=4 {
        let counted = (0..5).map(|_| ledger.meter(room(1), minute, 300));
        let counted = futures_util::future::join_all(counted).await;
        assert!(counted.into_iter().all(|counted| counted.unwrap()), "{minute}");
        assert_eq!(balance(&ledger, &payer).await, if minute < 4 { 1 } else { 0 });
    }
    // 200 thousandths are owed: two more minutes cost nothing yet, and the third is not to be had.
    assert!(ledger.meter(room(1), 5, 300).await.unwrap() && ledger.meter(room(1), 6, 300).await.unwrap());
    assert!(!ledger.meter(room(1), 7, 300).await.unwrap());
    assert_eq!(ledger.rooms().await.unwrap()[0].minutes, 6);
    ledger.grant_to(payer.account(), Actor::CommandLine, 1, None).await.unwrap();
    assert!(ledger.meter(room(1), 7, 300).await.unwrap());
    assert_eq!((balance(&ledger, &payer).await, ledger.rooms().await.unwrap()[0].minutes), (0, 7));
    // What it costs counts against the pair's budget.
    let spent = ledger.keys().await.unwrap()[0].spent;
    assert_eq!(spent, 3);
}

async fn what_happens_is_told_and_tried_again_until_it_arrives(place: Place) {
    let ledger = place.open().await;
    let payer = payer(&ledger, 10).await;
    let account = payer.account();
    let (hook, _) = ledger.create_webhook(account, "https://a.example/hook", &[]).await.unwrap();
    let (ends, _) = ledger.create_webhook(account, "https://b.example/", &["room.ended".to_owned()]).await.unwrap();
    let unknown =
        ledger.create_webhook(account, "https://b.example/", &["room.ended".to_owned(), "x".to_owned()]).await;
    assert!(matches!(unknown, Err(LedgerError::Event(event)) if event == "x"));
    ledger.open_room(new_room(&payer, 1, None, "default")).await.unwrap();
    ledger.tell_of_room(room(1), EventKind::RunFinished, &"x").await.unwrap();
    let mut due = ledger.due(10).await.unwrap();
    // Those of one millisecond come in any order.
    due.sort_by(|a, b| a.event.cmp(&b.event));
    let events: Vec<_> = due.iter().map(|due| due.event.as_str()).collect();
    assert_eq!(events, ["room.started", "run.finished"]);
    assert_eq!(due[0].to, Recipient::Webhook { id: hook.webhook.clone(), url: "https://a.example/hook".to_owned() });
    let said: serde_json::Value = serde_json::from_str(&due[0].body).unwrap();
    assert_eq!(
        (said["type"].as_str(), said["data"]["room"].as_str()),
        (Some("room.started"), Some(&*room(1).to_string()))
    );

    let refused = Tried { status: Some(500), problem: Some("it answered 500".to_owned()) };
    let arrived = Tried { status: Some(204), problem: None };
    ledger.tried(&due[0], &refused).await.unwrap();
    // What comes too late of the same try changes nothing.
    ledger.tried(&due[0], &arrived).await.unwrap();
    ledger.tried(&due[1], &arrived).await.unwrap();
    assert_eq!(ledger.due(10).await.unwrap(), []);
    let rows = ledger.deliveries(account, &hook.webhook, None, 10).await.unwrap();
    let tried = rows.iter().find(|row| row.event == "room.started").unwrap();
    assert_eq!((tried.tries, tried.status, tried.delivered), (1, Some(500), None));
    assert!(tried.next_try.unwrap() >= now() + 3000);
    ledger.redeliver(account, &hook.webhook, &tried.delivery).await.unwrap();
    let again = ledger.due(10).await.unwrap();
    assert_eq!((again.len(), again[0].delivery.as_str()), (1, tried.delivery.as_str()));
    // Given up in the end.
    for tries in 0..=7 {
        ledger.tried(&Due { tries, ..again[0].clone() }, &refused).await.unwrap();
        sqlx::query("UPDATE deliveries SET next_try = $1 WHERE next_try IS NOT NULL")
            .bind(now())
            .execute(&ledger.store.writer)
            .await
            .unwrap();
    }
    assert_eq!(ledger.due(10).await.unwrap(), []);

    ledger.end_room(room(1)).await.unwrap();
    ledger.end_room(room(1)).await.unwrap();
    let due = ledger.due(10).await.unwrap();
    assert_eq!(due.iter().filter(|due| due.event == "room.ended").count(), 2);
    let other = ledger.create_key("other", 1).await.unwrap();
    let other = ledger.account_of(&other.public_key).await.unwrap();
    assert!(matches!(ledger.revoke_webhook(&other, &ends.webhook).await, Err(LedgerError::UnknownWebhook)));
    assert!(matches!(ledger.deliveries(&other, &ends.webhook, None, 1).await, Err(LedgerError::UnknownWebhook)));
    for hook in [&hook, &ends] {
        ledger.revoke_webhook(account, &hook.webhook).await.unwrap();
    }
    assert_eq!(ledger.due(10).await.unwrap(), []);
    ledger.forget_deliveries(Duration::ZERO).await.unwrap();
    assert_eq!(ledger.webhooks(account).await.unwrap(), []);
}

async fn few_credits_are_told_once_each_time_they_get_few(place: Place) {
    let ledger = place.open().await;
    let payer = payer(&ledger, 6).await;
    ledger.create_webhook(payer.account(), "https://a.example/", &["credits.low".to_owned()]).await.unwrap();
    let mut told = Vec::new();
    for n in 0..4 {
        ledger.open_room(new_room(&payer, n, None, "default")).await.unwrap();
        told.push(ledger.due(100).await.unwrap().len());
    }
    // A mail and a message, when five become four.
    assert_eq!(told, [0, 2, 2, 2]);
    ledger.grant_to(payer.account(), Actor::CommandLine, 3, None).await.unwrap();
    ledger.open_room(new_room(&payer, 9, None, "default")).await.unwrap();
    assert_eq!(ledger.due(100).await.unwrap().len(), 4);
}

async fn what_a_day_comes_to_is_what_its_lines_come_to(place: Place) {
    let ledger = place.open().await;
    let payer = payer(&ledger, 10).await;
    for n in 0..4 {
        ledger.open_room(new_room(&payer, n, None, "default")).await.unwrap();
    }
    ledger.refund_room(room(3)).await.unwrap();
    assert!(ledger.meter(room(0), 1, 2 * 1000).await.unwrap());
    ledger.grant_to(payer.account(), Actor::CommandLine, 5, None).await.unwrap();
    let usage = ledger.usage(payer.account(), 1).await.unwrap();
    let seen: Vec<_> = usage.iter().map(|row| (row.public_key.as_deref(), row.rooms, row.spent, row.granted)).collect();
    assert_eq!(seen, [(None, 0, 0, 15), (Some(payer.public_key()), 4, 5, 0)]);
    let lines = ledger.credits(payer.account(), None, 100).await.unwrap();
    let sum =
        |kinds: &[&str]| lines.iter().filter(|line| kinds.contains(&&*line.kind)).map(|line| line.amount).sum::<i64>();
    assert_eq!((sum(&["charge", "refund"]), sum(&["grant", "payment"])), (-5, 15));
    // What failed has left nothing in the sums either.
    let broke = self::payer(&ledger, 0).await;
    assert_eq!(ledger.open_room(new_room(&broke, 9, None, "default")).await.unwrap(), OpenOutcome::NoCredits);
    assert_eq!(ledger.usage(broke.account(), 366).await.unwrap(), []);
}

async fn a_pair_and_a_link_have_so_many_minutes(place: Place) {
    let ledger = place.open().await;
    let payer = payer(&ledger, 10).await;
    let settings = PairSettings { name: "k".into(), minutes_most: Some(2), ..PairSettings::default() };
    let change = async |settings: &PairSettings| {
        ledger.change_pair(payer.account(), Actor::CommandLine, payer.public_key(), settings).await
    };
    let row = change(&settings).await.unwrap();
    assert_eq!((row.minutes_most, row.minutes), (Some(2), 0));
    ledger.open_room(new_room(&payer, 1, None, "default")).await.unwrap();
    // Each once, however often it is told, and no third one, which would have cost something.
    for (minute, is_counted) in [(1, true), (1, true), (2, true), (3, false), (3, false)] {
        assert_eq!(ledger.meter(room(1), minute, 500).await.unwrap(), is_counted, "{minute}");
    }
    let spent = ledger.keys_of(payer.account()).await.unwrap().remove(0);
    assert_eq!((spent.minutes, spent.spent, balance(&ledger, &payer).await), (2, 2, 8));
    assert_eq!(ledger.open_room(new_room(&payer, 2, None, "default")).await.unwrap(), OpenOutcome::OverMinutes);
    change(&PairSettings { minutes_most: Some(3), ..settings.clone() }).await.unwrap();
    assert!(ledger.meter(room(1), 3, 500).await.unwrap());
    // What costs nothing goes on below a budget that is used up; what costs something does not.
    change(&PairSettings { minutes_most: None, budget: Some(0), ..settings.clone() }).await.unwrap();
    assert!(ledger.meter(room(1), 4, 0).await.unwrap() && !ledger.meter(room(1), 5, 1000).await.unwrap());
    let bad = change(&PairSettings { minutes_most: Some(-1), ..settings }).await;
    assert!(matches!(bad, Err(LedgerError::Bound { .. })));

    let new = NewJoinKey { minutes_most: Some(2), ..NewJoinKey::of(Role::Viewer) };
    let link = ledger.mint_join_key(room(1), new).await.unwrap();
    let text = ledger.join_keys().mint(room(1), link.number, Role::Viewer);
    ledger.use_join_key(room(1), link.number).await.unwrap();
    assert!(!ledger.count_join_key(room(1), link.number, 1).await.unwrap());
    assert!(ledger.check_join_key(&text).await.is_ok());
    assert!(ledger.count_join_key(room(1), link.number, 1).await.unwrap());
    assert!(matches!(ledger.check_join_key(&text).await, Err(LedgerError::UnknownJoinKey)));
    assert!(matches!(ledger.use_join_key(room(1), link.number).await, Err(LedgerError::UnknownJoinKey)));
    let row = ledger.join_keys_of(room(1)).await.unwrap().remove(0);
    assert_eq!((row.minutes, row.minutes_most, row.is_good()), (2, Some(2), false));
}

async fn nothing_is_opened_or_charged_during_maintenance_but_what_was_opened_before(place: Place) {
    let ledger = place.open().await;
    let payer = payer(&ledger, 10).await;
    let [ada, bob] = ["ada", "bob"].map(|name| NewAccount {
        email: format!("{name}@example.com"),
        name: name.into(),
        password_hash: "hash".into(),
        role: AccountRole::Operator,
        credits: 0,
    });
    let ada = ledger.create_account(&ada, None).await.unwrap().unwrap().account;
    let bob = ledger.create_account(&bob, None).await.unwrap().unwrap().account;
    ledger.open_room(new_room(&payer, 1, Some("before"), "default")).await.unwrap();
    assert_eq!(ledger.maintenance().await.unwrap(), None);
    let begun = ledger.begin_maintenance(Actor::Account(&ada), " back at noon ").await.unwrap();
    assert_eq!(ledger.maintenance().await.unwrap().as_ref(), Some(&begun));
    let told = OpenOutcome::Maintenance("back at noon".into());
    assert_eq!(ledger.open_room(new_room(&payer, 2, None, "default")).await.unwrap(), told);
    let again = ledger.open_room(new_room(&payer, 3, Some("before"), "default")).await.unwrap();
    assert_eq!(again, OpenOutcome::Again { room: room(1), remaining: 9 });
    assert_eq!(balance(&ledger, &payer).await, 9);
    let later = ledger.begin_maintenance(Actor::CommandLine, "back at one").await.unwrap();
    assert_eq!((later.since, &*later.message), (begun.since, "back at one"));
    for bad in [String::new(), "x".repeat(501), "a\nb".into()] {
        assert!(matches!(ledger.begin_maintenance(Actor::CommandLine, &bad).await, Err(LedgerError::Name { .. })));
    }
    for _ in 0..2 {
        ledger.end_maintenance(Actor::CommandLine).await.unwrap();
    }
    ledger.open_room(new_room(&payer, 2, None, "default")).await.unwrap();
    for (account, told) in [(&*ada, true), (&*bob, true), (payer.account(), false)] {
        let audit = ledger.audit(account, None, 10).await.unwrap();
        let lines = audit.iter().filter(|line| line.action.starts_with("maint"));
        let lines: Vec<_> = lines.map(|line| (&*line.action, &*line.actor, &*line.subject)).collect();
        let all = [
            ("maintenance.ended", "command line", ""),
            ("maintenance.begun", "command line", "back at one"),
            ("maintenance.begun", &ada, "back at noon"),
        ];
        assert_eq!(lines, if told { &all[..] } else { &[] });
    }
}
