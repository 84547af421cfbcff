use super::*;

fn id(number: u128) -> UploadId {
    UploadId::from_uuid(uuid::Uuid::from_u128(number))
}

#[tokio::test]
async fn a_ticket_is_void_once_another_caller_took_the_upload() {
    let turns = Turns::default();
    let old = turns.take(id(1)).await.ticket();
    assert!(old.turn().await.is_ok());
    let new = turns.take(id(1)).await.ticket();
    assert!(matches!(old.turn().await, Err(Error::Superseded)));
    assert!(new.turn().await.is_ok());
}

#[tokio::test]
async fn uploads_that_nobody_holds_are_forgotten() {
    let turns = Turns::default();
    let kept = turns.take(id(0)).await.ticket();
    for number in 1..1000 {
        turns.take(id(number)).await;
    }
    assert!(turns.0.lock().unwrap().held.len() < 100);
    turns.take(id(0)).await;
    assert!(matches!(kept.turn().await, Err(Error::Superseded)));
}
